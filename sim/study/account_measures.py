"""What one replication says about each account of the opening book, and about its renewals by month.

In: a `History` and the scenario's `Inputs`. Out: `AccountMeasures`: arrays, made in the worker, that the study
averages over replications. The rows are those of the opening book, in its order.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model.departures import driver_shares
from sim.model.inputs import Inputs
from sim.model.ledger import MIDTERM, RENEWAL, History
from sim.study.kpi_parts import CENTS, DRIVERS, HOURS_PER_WEEK, FloatArray

HORIZON_WEEKS = 52
MOST_MONTHS = 24


@dataclass(frozen=True)
class AccountMeasures:
    """One replication of one scenario.

    would_sign : (accounts,) exp(-intent) at the start, in [0, 1].
    departures : (accounts,) unbiased expectation of leaving within the horizon; about [0, 1], may lie outside.
    arr_loss : (accounts,) the same times the ARR at stake, currency a year.
    shares : (drivers, accounts) share of each driver in the intent at the start; all 0 where there is none.
    adoption, sponsor_lost, announced : (accounts,) at the start. team, seat : (accounts,) of the owner, -1 without one.
    calendar : (months, tiers, 3) renewals, ARR up for renewal, expected ARR loss at them; currency a year.
    """

    would_sign: FloatArray
    departures: FloatArray
    arr_loss: FloatArray
    shares: NDArray[np.float32]
    adoption: NDArray[np.float32]
    sponsor_lost: NDArray[np.bool_]
    announced: NDArray[np.bool_]
    team: NDArray[np.int8]
    seat: NDArray[np.int16]
    calendar: FloatArray


def account_measures(history: History, inputs: Inputs) -> AccountMeasures:
    """What the study needs of a replication to say who is at risk.

    Notes
    -----
    An account with a monthly contract decides many times. Each decision is only there if the account is, so the
    sum of its expectations is an unbiased estimate of how often it leaves, as one decision's is; of whether it does
    but for the few that are won back and leave again.
    """
    opening, events = history.opening, history.account_events
    count = len(opening["id"])
    intent = np.stack([opening[driver].astype(np.float64) for driver in DRIVERS])
    renewal = events["event"] == RENEWAL
    decision = (renewal | (events["event"] == MIDTERM)) & (events["account"] < count)
    soon = decision & (events["time"] < horizon_weeks(inputs) * HOURS_PER_WEEK)
    expected = events["expected"].astype(np.float64)
    arr = events["arr_before_cents"] / CENTS

    def by_account(values: FloatArray) -> FloatArray:
        sums = np.bincount(events["account"][soon], weights=values[soon], minlength=count)
        return np.asarray(sums, dtype=np.float64)

    calendar = np.zeros((len(months(inputs.start, inputs.weeks)) + 1, len(inputs.tiers), 3))
    firsts = [(first_of_month(inputs.start, i) - inputs.start).days * 24.0 for i in range(1, len(calendar))]
    rows = decision & renewal
    # What comes after the last month falls into a row beyond it, which is dropped.
    cell = (np.searchsorted(firsts, events["time"][rows], side="right"), events["tier"][rows])
    for column, values in enumerate((np.ones(len(arr)), arr, expected * arr)):
        np.add.at(calendar[:, :, column], cell, values[rows])
    return AccountMeasures(
        would_sign=np.exp(-intent.sum(axis=0)),
        departures=by_account(expected),
        arr_loss=by_account(expected * arr),
        shares=driver_shares(intent).astype(np.float32),
        adoption=opening["adoption"].astype(np.float32),
        sponsor_lost=opening["sponsor_lost"].astype(bool),
        announced=opening["announced"].astype(bool),
        team=opening["team"].astype(np.int8),
        seat=opening["seat"].astype(np.int16),
        calendar=calendar[:-1],
    )


def horizon_weeks(inputs: Inputs) -> int:
    """Weeks from the start in which departures count: 52, or the whole run if it is shorter."""
    return min(HORIZON_WEEKS, inputs.weeks)


def months(start: dt.date, weeks: int) -> list[dt.date]:
    """First days of the calendar months that the run touches, at most 24; the start's own month comes first."""
    end = start + dt.timedelta(weeks=weeks)
    firsts = [first_of_month(start, i) for i in range(MOST_MONTHS)]
    return [first for first in firsts if first < end]


def first_of_month(start: dt.date, later: int) -> dt.date:
    """First day of the month that comes `later` months after that of `start`."""
    years, month = divmod(start.month - 1 + later, 12)
    return dt.date(start.year + years, month + 1, 1)
