"""Weekly series of one replication: what the charts over time show.

In: a `History`. Out: small arrays, per team, per tier and of the company, one value per week of the whole run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.inputs import Inputs
from sim.model.ledger import RESOLVED, History, Table
from sim.study.kpi_parts import CENTS, HOURS_PER_WEEK, FloatArray, Span, decisions, where
from sim.study.kpi_teams import NEVER_ASKED, decided_plans, initiated, waiting_until

TEAM_MEASURES = (
    "handling_hours",
    "backlog",
    "wait_mean_minutes",
    "occupancy",
    "load",
    "overtime_hours",
    "burnout",
    "vacancies",
)
TIER_MEASURES = ("accounts", "arr", "adoption", "satisfaction", "executive_contact", "at_risk_share")
COMPANY_MEASURES = ("departures", "planned_work_done_share")


@dataclass(frozen=True)
class WeeklySeries:
    """One replication's series; nan where a week has nothing to measure.

    teams : (TEAM_MEASURES, teams, weeks). Hours per week, mean number waiting, minutes of those born in the
    week, shares (occupancy without overtime, load with it), mean burnout, empty seats.
    tiers : (TIER_MEASURES, tiers, weeks). Accounts, ARR in currency a year, mean states, share at risk.
    company : (COMPANY_MEASURES, weeks). Expected departures since the start; share of the planned work that
    was born in the week and got done.
    """

    teams: FloatArray
    tiers: FloatArray
    company: FloatArray


def weekly_series(history: History, inputs: Inputs) -> WeeklySeries:
    """The series of all weeks of the run, whatever the KPIs' window."""
    customer = initiated(inputs, "customer")[history.contacts["category"]]
    teams = [
        _team(
            where(history.contacts, history.contacts["team"] == index),
            customer[history.contacts["team"] == index],
            where(history.people_weeks, history.people_weeks["team"] == index),
            inputs.weeks,
        )
        for index in range(len(inputs.teams))
    ]
    tiers = [_tier(history.tier_weeks, index, inputs.weeks) for index in range(len(inputs.tiers))]
    return WeeklySeries(teams=np.stack(teams, axis=1), tiers=np.stack(tiers, axis=1), company=_company(history, inputs))


def _company(history: History, inputs: Inputs) -> FloatArray:
    """(COMPANY_MEASURES, weeks) of the whole company."""
    weeks, contacts = inputs.weeks, history.contacts
    ended = decisions(history, Span(0, weeks + 1))
    settled = np.minimum(np.floor_divide(ended.hours, HOURS_PER_WEEK), weeks - 1)  # the run's last tick ends it
    planned = decided_plans(contacts, inputs)
    born = np.floor_divide(contacts["born"][planned], HOURS_PER_WEEK)
    done = (contacts["outcome"][planned] == RESOLVED).astype(np.float64)
    return np.stack(
        [
            np.cumsum(_sums(settled, ended.expected, weeks)),
            _over(_sums(born, done, weeks), _sums(born, np.ones(len(born)), weeks)),
        ]
    )


def _team(contacts: Table, customer: NDArray[np.bool_], people: Table, weeks: int) -> FloatArray:
    """(TEAM_MEASURES, weeks) of one team."""
    week = people["week"]
    employed = people["employed"]

    def by_week(values: NDArray[np.generic]) -> FloatArray:
        return _sums(week, np.asarray(values, dtype=np.float64), weeks)

    handling = by_week(people["handling_hours"])
    overtime = by_week(people["overtime_hours"])
    born = np.floor_divide(contacts["born"], HOURS_PER_WEEK)
    asked = customer & ~np.isnan(contacts["queued"]) & ~np.isin(contacts["outcome"], NEVER_ASKED)
    waits = _sums(born[asked], contacts["wait_minutes"][asked].astype(np.float64), weeks)
    return np.stack(
        [
            handling,
            mean_number_waiting(contacts["queued"], waiting_until(contacts), weeks),
            _over(waits, _sums(born[asked], np.ones(int(asked.sum())), weeks)),
            _over(handling - overtime, by_week(people["on_duty_hours"])),
            _over(handling, by_week(people["on_duty_hours"])),
            overtime,
            _over(by_week(people["burnout"] * employed), by_week(employed)),
            by_week(~employed),
        ]
    )


def _tier(tier_weeks: Table, tier: int, weeks: int) -> FloatArray:
    """(TIER_MEASURES, weeks) of one tier."""
    mine = tier_weeks["tier"] == tier

    def column(name: str) -> FloatArray:
        return _sums(tier_weeks["week"][mine], tier_weeks[name][mine].astype(np.float64), weeks)

    accounts = column("accounts")
    states = ("adoption_sum", "satisfaction_sum", "executive_contact_sum", "at_risk")
    return np.stack([accounts, column("arr_cents") / CENTS, *(_over(column(name), accounts) for name in states)])


def mean_number_waiting(queued: FloatArray, until: FloatArray, weeks: int) -> FloatArray:
    """(weeks,) time-average number waiting in each week.

    queued, until : hours at which each contact starts and stops waiting; never queued is nan, waits on is
    inf.

    Notes
    -----
    Hours waited before T are the sum of (T - queued) over those queued before T less that of (T - until),
    so two sorted columns give all weeks at once.
    """
    edges = np.arange(weeks + 1) * HOURS_PER_WEEK

    def hours_since(times: FloatArray) -> FloatArray:
        ordered = np.sort(np.maximum(times, 0.0))
        count = np.searchsorted(ordered, edges)
        return np.asarray(count * edges - np.concatenate(([0.0], np.cumsum(ordered)))[count])

    known = ~np.isnan(queued)
    end = edges[-1]
    waited = hours_since(np.minimum(queued[known], end)) - hours_since(np.minimum(until[known], end))
    return np.asarray(np.clip(np.diff(waited), 0.0, None) / HOURS_PER_WEEK)


def _sums(week: NDArray[Any], values: FloatArray, weeks: int) -> FloatArray:
    """(weeks,) sums of values by week; weeks outside the run are left out."""
    inside = (week >= 0) & (week < weeks)
    sums = np.bincount(week[inside].astype(np.int64), weights=values[inside], minlength=weeks)
    return sums.astype(np.float64)


def _over(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Their ratio, nan where the denominator is zero."""
    empty = np.full_like(numerator, np.nan)
    return np.divide(numerator, denominator, out=empty, where=denominator > 0)
