"""What one replication says quarter by quarter: hours, waits, states of the customers, departures, money.

In: a `History` and the scenario's `Inputs`. Out: `QuarterMeasures`: a few numbers per quarter and a contribution per
week, made in the worker. A quarter is 13 weeks of the run, whatever the KPIs' window; the last one may be shorter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_costs import Costs, costs
from sim.study.kpi_money import weekly_cac, weekly_revenue
from sim.study.kpi_parts import CENTS, HOURS_PER_WEEK, FloatArray, Span, arr_path, decisions, where
from sim.study.kpi_teams import NEVER_ASKED, decided_plans, initiated

WEEKS_PER_QUARTER = 13
TEAM_FIGURES = ("handling_hours", "overtime_hours", "wait_mean_minutes", "burnout")
COMPANY_FIGURES = (
    "planned_work_done_share",
    "executive_contact",
    "adoption",
    "departures",
    "arr_lost",
    "arr_at_risk",
    "arr_up_for_renewal",
    "arr_lost_at_renewal",
    "cost",
    "revenue",
    "contribution",
)


@dataclass(frozen=True)
class QuarterMeasures:
    """One replication of one scenario.

    values : (figures, quarters), those of each team, then the company's; nan where a quarter has nothing to measure.
    Hours and money are sums over the quarter, ARR at risk is a stock at its end, the others are means; departures, ARR
    lost and money count expected departures. contribution : (weeks,) of each week of the run, expected.
    """

    values: FloatArray
    contribution: FloatArray


def figure_names(inputs: Inputs) -> tuple[str, ...]:
    """Names of the rows of `QuarterMeasures.values`; `<team>.<figure>` for those of a team."""
    return (*(f"{team}.{name}" for team in inputs.teams for name in TEAM_FIGURES), *COMPANY_FIGURES)


def quarters(weeks: int) -> int:
    """Number of quarters of a run."""
    return -(-weeks // WEEKS_PER_QUARTER)


def quarter_measures(history: History, inputs: Inputs, spent: Costs | None = None) -> QuarterMeasures:
    """The figures of all quarters. spent : the costs of the whole run, if they are known already."""
    span, count = Span(0, inputs.weeks), quarters(inputs.weeks)
    customer = initiated(inputs, "customer")[history.contacts["category"]]
    rows: list[FloatArray] = []
    for team in range(len(inputs.teams)):
        asked = where(history.contacts, (history.contacts["team"] == team) & customer)
        rows += _team(asked, where(history.people_weeks, history.people_weeks["team"] == team), count)
    spent = spent or costs(history, inputs, span)
    ended, path = decisions(history, span), arr_path(history)
    revenue = weekly_revenue(path, ended, span, realised=False)
    contribution = revenue * inputs.gross_margin - spent.by_week - weekly_cac(path, inputs, span)
    rows += [_planned_work(history.contacts, inputs, count), *_states(history.tier_weeks, count)]
    gone, arr_lost, *renewals = _departures(history, inputs, count)
    rows += [gone, arr_lost, _at_the_end(history.tier_weeks, "arr_at_risk", inputs.weeks), *renewals]
    week = np.arange(inputs.weeks, dtype=np.float64)
    rows += [_sums(week, money, count) for money in (spent.by_week, revenue, contribution)]
    return QuarterMeasures(np.stack(rows), np.asarray(contribution))


def _team(contacts: Table, people: Table, count: int) -> list[FloatArray]:
    """TEAM_FIGURES of one team. contacts : those of its customers."""
    week, employed = people["week"], people["employed"]
    queued = ~np.isnan(contacts["queued"]) & ~np.isin(contacts["outcome"], NEVER_ASKED)
    born = _week(contacts["born"])[queued]
    return [
        _sums(week, people["handling_hours"], count),
        _sums(week, people["overtime_hours"], count),
        _over(_sums(born, contacts["wait_minutes"][queued], count), _sums(born, np.ones(len(born)), count)),
        _over(_sums(week, people["burnout"] * employed, count), _sums(week, employed, count)),
    ]


def _planned_work(contacts: Table, inputs: Inputs, count: int) -> FloatArray:
    """Share of the planned work born in each quarter that got done; what is still open has no verdict."""
    planned = decided_plans(contacts, inputs)
    born = _week(contacts["born"][planned])
    done = contacts["outcome"][planned] == ledger.RESOLVED
    return _over(_sums(born, done, count), _sums(born, np.ones(len(born)), count))


def _states(tier_weeks: Table, count: int) -> list[FloatArray]:
    """Mean executive contact and adoption over accounts and weeks."""
    accounts = _sums(tier_weeks["week"], tier_weeks["accounts"], count)
    names = ("executive_contact_sum", "adoption_sum")
    return [_over(_sums(tier_weeks["week"], tier_weeks[name], count), accounts) for name in names]


def _at_the_end(tier_weeks: Table, name: str, weeks: int) -> FloatArray:
    """(quarters,) a stock of all tiers in the last week of each quarter, nan without any account row of it."""
    last = np.minimum(WEEKS_PER_QUARTER * (1 + np.arange(quarters(weeks))), weeks) - 1
    rows = np.isin(tier_weeks["week"], last)
    week, count = tier_weeks["week"][rows], len(last)
    known = _sums(week, np.ones(len(week)), count) > 0
    return np.where(known, _sums(week, tier_weeks[name][rows], count), np.nan)


def _departures(history: History, inputs: Inputs, count: int) -> list[FloatArray]:
    """Expected departures, ARR of them, ARR up for renewal, ARR expected to be lost at these renewals.

    Contracts that end with the run belong to its last quarter.
    """
    events = history.account_events
    decided = np.isin(events["event"], (ledger.RENEWAL, ledger.MIDTERM))
    renewal = (events["event"] == ledger.RENEWAL)[decided]
    week = np.minimum(_week(events["time"][decided]), inputs.weeks - 1)
    expected, arr = events["expected"][decided], events["arr_before_cents"][decided] / CENTS
    return [
        _sums(week, expected, count),
        _sums(week, expected * arr, count),
        _sums(week, arr * renewal, count),
        _sums(week, expected * arr * renewal, count),
    ]


def _week(hours: FloatArray) -> FloatArray:
    return np.asarray(np.floor_divide(hours, HOURS_PER_WEEK))


def _sums(week: FloatArray, values: FloatArray, count: int) -> FloatArray:
    """(quarters,) sums of values by their week; weeks outside the run are left out."""
    quarter = np.floor_divide(week, WEEKS_PER_QUARTER).astype(np.int64)
    inside = (quarter >= 0) & (quarter < count)
    sums = np.bincount(quarter[inside], weights=values[inside], minlength=count)
    return np.asarray(sums, dtype=np.float64)


def _over(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Their ratio, nan where the denominator is zero."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
