"""Money over time: contribution week by week, its value at the start, and what the book is worth at the end.

In: ARR path, departure decisions, costs and accounts of one replication. Out: arrays per week and KPI values, in the
scenario's currency. Departures count by their expectation, or, `realised`, as they happened.
"""

from __future__ import annotations

import numpy as np

from sim.model.inputs import HOURS_PER_MONTH, Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_costs import Costs
from sim.study.kpi_parts import (
    CENTS,
    DRIVERS,
    HOURS_PER_WEEK,
    HOURS_PER_YEAR,
    ArrPath,
    Decisions,
    FloatArray,
    IntArray,
    KpiValues,
    Span,
    decisions,
    total,
    winback_costs,
)

MOST_YEARS = 20.0  # of an account's life that count: what comes later is worth next to nothing today
SHORTEST_HISTORY_HOURS = 4 * HOURS_PER_WEEK
CONTROL_YEARS = 2.0  # any fixed number keeps the mean; about this one makes the spread smallest, also of differences


def weekly_revenue(path: ArrPath, ended: Decisions, span: Span, realised: bool) -> FloatArray:
    """(weeks,) ARR accrued in each week of the window.

    ended : the decisions of the window; the expected revenue gives back what luck took, from the decision on.
    """
    edges = span.start + np.arange(span.weeks + 1) * HOURS_PER_WEEK
    inside = span.holds(path.hours)
    hours, steps = path.hours[inside], path.step[inside]
    if not realised:
        hours = np.concatenate((hours, ended.hours))
        steps = np.concatenate((steps, ended.arr * (ended.left - ended.expected)))
    opening = total(path.before(span.start))
    order = np.argsort(hours, kind="stable")
    hours, steps = hours[order], steps[order]
    count = np.searchsorted(hours, edges)
    arr = np.concatenate(([0.0], np.cumsum(steps)))[count]
    moment = np.concatenate(([0.0], np.cumsum(steps * (hours - span.start))))[count]
    accrued = (opening + arr) * (edges - span.start) - moment
    return np.asarray(np.diff(accrued) / HOURS_PER_YEAR)


def weekly_cac(path: ArrPath, inputs: Inputs, span: Span) -> FloatArray:
    """(weeks,) cost of winning the accounts that came in each week of the window, those won back too."""
    cost, inside = np.zeros(span.weeks), span.holds(path.hours)
    won, back = path.won & inside, path.won_back & inside
    for rows, each in ((won, inputs.cac_per_new_arr * path.step[won]), (back, winback_costs(path, back, inputs))):
        week = np.floor_divide(path.hours[rows], HOURS_PER_WEEK).astype(np.int64) - span.first_week
        cost += np.bincount(week, weights=each, minlength=span.weeks)
    return cost


def weekly_contribution(
    path: ArrPath, ended: Decisions, spent: Costs, inputs: Inputs, span: Span, realised: bool
) -> FloatArray:
    """(weeks,) revenue x gross margin - costs - CAC in each week of the window."""
    revenue = weekly_revenue(path, ended, span, realised)
    return np.asarray(revenue * inputs.gross_margin - spent.by_week - weekly_cac(path, inputs, span))


def discounted(values: FloatArray, rate_per_year: float) -> float:
    """What weekly amounts are worth on the first of their days, each paid in the middle of its week."""
    years = (np.arange(len(values)) + 0.5) * HOURS_PER_WEEK / HOURS_PER_YEAR
    return total(values * (1 + rate_per_year) ** -years)


def value_kpis(
    history: History, inputs: Inputs, span: Span, ended: Decisions, path: ArrPath, spent: Costs
) -> KpiValues:
    """`contribution_discounted` and `book_value_end`, with their realised twins.

    Notes
    -----
    The expected book gives back what luck took, as the other stocks do: the sum of w (left - e) over all decisions of
    the run, w being fixed before each. w is gross margin x ARR x 2 years: any fixed number keeps the mean. Most of the
    book's spread is luck of another kind, such as who is won and who expands, so that the twin varies little more.
    """
    values: KpiValues = {}
    book = book_value(history.accounts, inputs)
    every = decisions(history, Span(0, inputs.weeks + 1))  # the run's last tick may settle at its very end
    luck = total(every.arr * (every.left - every.expected)) * inputs.gross_margin * CONTROL_YEARS
    for realised, suffix in ((False, ""), (True, "_realised")):
        weekly = weekly_contribution(path, ended, spent, inputs, span, realised)
        values[f"contribution_discounted{suffix}"] = discounted(weekly, inputs.discount_rate_per_year)
        values[f"book_value_end{suffix}"] = book + (0.0 if realised else luck)
    return values


def book_value(accounts: Table, inputs: Inputs) -> float:
    """What the gross margin of the ARR at the run's end is worth at that time, over the accounts' expected lives.

    Notes
    -----
    Each account pays until its contract ends; it then stays with exp(-intent at that day), and at the end of each
    later term with exp(-hazard x term), for 20 years at most; every payment is discounted. Its hazard is the pace at
    which its intent has grown since its last renewal (that of its tier in the first four weeks), and is taken to stay.
    Saves, expansion, shrinking and the costs of serving the account are left out.
    """
    end = inputs.weeks * HOURS_PER_WEEK
    there = np.flatnonzero(accounts["arr_cents"] > 0)
    if not len(there):
        return 0.0
    part = {name: column[there] for name, column in accounts.items()}
    term = np.maximum(part["term_months"].astype(np.float64), 1.0) * HOURS_PER_MONTH
    since = np.maximum(part["renewal"] - term, part["started"])
    intent = np.stack([part[driver] for driver in DRIVERS]).sum(axis=0, dtype=np.float64)
    years = expected_years(
        intent,
        yearly_hazard(intent, end - since, part["tier"].astype(np.int64)),
        np.maximum(part["renewal"] - end, 0.0) / HOURS_PER_YEAR,
        term / HOURS_PER_YEAR,
        inputs.discount_rate_per_year,
    )
    return inputs.gross_margin * total(part["arr_cents"] / CENTS * years)


def yearly_hazard(intent: FloatArray, hours: FloatArray, tier: IntArray) -> FloatArray:
    """(accounts,) pace at which intent has grown, per year.

    hours : since the last renewal. Below four weeks, where there is hardly anything to divide, the tier's pace counts.
    """
    hours = np.maximum(hours, 0.0)
    sums, times = np.bincount(tier, weights=intent), np.bincount(tier, weights=hours)
    pooled = np.divide(sums, times, out=np.zeros(len(sums)), where=times > 0)[tier]
    own = np.divide(intent, hours, out=pooled.copy(), where=hours >= SHORTEST_HISTORY_HOURS)
    return np.asarray(own * HOURS_PER_YEAR)


def expected_years(
    intent: FloatArray, hazard: FloatArray, first: FloatArray, term: FloatArray, rate_per_year: float
) -> FloatArray:
    """(accounts,) discounted years for which each is expected to pay.

    Parameters
    ----------
    intent : so far, no unit. hazard : its growth per year. first : years until the contract ends; term : years of
    each later one, > 0. rate_per_year : of discount, >= 0.
    """
    force = np.log1p(rate_per_year)

    def annuity(years: FloatArray) -> FloatArray:
        return np.asarray(-np.expm1(-force * years) / force if force > 0 else years)

    stays = np.exp(-(intent + hazard * first) - force * first)
    terms = np.ceil(np.maximum(MOST_YEARS - first, 0.0) / term)
    fades = (force + hazard) * term
    each = np.divide(np.expm1(-fades * terms), np.expm1(-fades), out=terms.copy(), where=fades > 0)
    return np.asarray(annuity(first) + stays * annuity(term) * each)
