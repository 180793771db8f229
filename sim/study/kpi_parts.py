"""What all KPI calculators share: the window, ratios, ARR paths and departure decisions.

In: the tables of a `History`. Out: small frozen values that the calculators in `kpi_*.py` read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

HOURS_PER_WEEK = 168.0
HOURS_PER_YEAR = 365.25 * 24
CENTS = 100.0
DRIVERS = ("disconnection", "disengagement", "service", "downturn", "competition")

KpiValues = dict[str, float | None]


@dataclass(frozen=True)
class Span:
    """The part of the run that KPIs cover: weeks [first_week, end_week), hours [start, end)."""

    first_week: int
    end_week: int

    @property
    def start(self) -> float:
        return self.first_week * HOURS_PER_WEEK

    @property
    def end(self) -> float:
        return self.end_week * HOURS_PER_WEEK

    @property
    def weeks(self) -> int:
        return self.end_week - self.first_week

    @property
    def years(self) -> float:
        return (self.end - self.start) / HOURS_PER_YEAR

    def holds(self, times: NDArray[np.floating]) -> BoolArray:
        """Which of the times (hours) lie in the window; nan does not."""
        return (times >= self.start) & (times < self.end)

    def holds_week(self, weeks: NDArray[np.integer]) -> BoolArray:
        """Which of the week numbers lie in the window."""
        return (weeks >= self.first_week) & (weeks < self.end_week)


def ratio(numerator: float, denominator: float) -> float | None:
    """numerator / denominator, or None where the denominator is not above zero."""
    return float(numerator) / float(denominator) if denominator > 0 else None


def total(values: NDArray[np.generic]) -> float:
    """Sum of a column, in double precision."""
    return float(np.sum(values, dtype=np.float64))


class _Part(Table):
    """Some rows of a table, each column picked out when it is first asked for: most are not."""

    def __init__(self, table: Table, rows: NDArray[np.int64]) -> None:
        super().__init__()
        self._table = table
        self._rows = rows

    def __missing__(self, name: str) -> NDArray[Any]:
        column = self[name] = self._table[name][self._rows]
        return column


def where(table: Table, rows: NDArray[np.bool_]) -> Table:
    """The rows of a table for which `rows` is true, to be read column by column."""
    return _Part(table, np.flatnonzero(rows))


@dataclass(frozen=True)
class Decisions:
    """The departure decisions (renewals and mid-term exits) in the window, one element per decision.

    left : 1.0 if the account left, else 0.0. expected : the unbiased expectation of it.
    arr : ARR before the decision, currency a year. hours : when. tenure_years : years since it was won.
    shares : (decisions, drivers), share of each driver in the intent. tier : at the time. seen_health : the score that
    the company saw. finished : share of the firefighting that was done in time, for those that had announced.
    """

    account: NDArray[np.int32]
    hours: FloatArray
    left: FloatArray
    expected: FloatArray
    announced: BoolArray
    arr: FloatArray
    tenure_years: FloatArray
    shares: FloatArray
    tier: NDArray[np.int8]
    seen_health: FloatArray
    finished: FloatArray

    def weight(self, realised: bool) -> FloatArray:
        """What counts as a departure: what happened (`realised`) or its expectation."""
        return self.left if realised else self.expected


def decisions(history: History, span: Span) -> Decisions:
    """The departure decisions inside the window."""
    events = history.account_events
    is_decision = (events["event"] == ledger.RENEWAL) | (events["event"] == ledger.MIDTERM)
    rows = where(events, is_decision & span.holds(events["time"]))
    started = history.accounts["started"][rows["account"]]
    return Decisions(
        account=rows["account"],
        hours=rows["time"],
        left=rows["left"].astype(np.float64),
        expected=rows["expected"].astype(np.float64),
        announced=rows["announced"],
        arr=rows["arr_before_cents"] / CENTS,
        tenure_years=(rows["time"] - started) / HOURS_PER_YEAR,
        shares=np.stack([rows[driver].astype(np.float64) for driver in DRIVERS], axis=1),
        tier=rows["tier"],
        seen_health=rows["seen_health"].astype(np.float64),
        finished=rows["firefighting_finished"].astype(np.float64),
    )


@dataclass(frozen=True)
class ArrPath:
    """ARR of every account over time: opening ARR, then steps (won, renewed, left, won back). Currency a year."""

    opening: FloatArray
    hours: FloatArray
    account: NDArray[np.int32]
    step: FloatArray
    won: BoolArray
    won_back: BoolArray
    tier: NDArray[np.int8]

    def before(self, hour: float) -> FloatArray:
        """(accounts,) ARR just before `hour`: steps at exactly that hour belong to the time after it."""
        past = self.hours < hour
        steps = np.bincount(self.account[past], weights=self.step[past], minlength=len(self.opening))
        return self.opening + steps

    def revenue(self, span: Span) -> float:
        """ARR accrued over the window, currency."""
        inside = span.holds(self.hours)
        years_left = (span.end - self.hours[inside]) / HOURS_PER_YEAR
        return total(self.before(span.start)) * span.years + total(self.step[inside] * years_left)


def arr_path(history: History) -> ArrPath:
    """The ARR path that the account events tell, starting from the opening ARR."""
    events = history.account_events
    rows = where(events, np.isin(events["event"], (ledger.WON, ledger.WON_BACK, ledger.RENEWAL, ledger.MIDTERM)))
    return ArrPath(
        opening=history.accounts["opening_arr_cents"] / CENTS,
        hours=rows["time"],
        account=rows["account"],
        step=(rows["arr_after_cents"] - rows["arr_before_cents"]) / CENTS,
        won=rows["event"] == ledger.WON,
        won_back=rows["event"] == ledger.WON_BACK,
        tier=rows["tier"],
    )


def winback_costs(path: ArrPath, back: BoolArray, inputs: Inputs) -> FloatArray:
    """What winning accounts back cost beside the contacts, for the steps `back`, at the price of each day."""
    prices = [rules.cost_per_arr if (rules := inputs.phase_at(hour).winback) else 0.0 for hour in path.hours[back]]
    return np.asarray(path.step[back] * np.array(prices))
