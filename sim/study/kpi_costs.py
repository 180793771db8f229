"""Costs: totals, and a table that gives every cost to a team, a cost category and a week.

In: a `History` and the window. Out: the cost tables and the KPI values made from them, in the scenario's
currency.

Cost categories are the contact categories and `idle`, `shrinkage`, `hiring`, `turnover`, `overhead`. A
team's labour cost per paid hour in a week (payroll and overtime cost over contracted and overtime hours) prices
its hours of that week: those on contacts, split over the contact categories (and tiers) by handle time; on duty
without work (`idle`); contracted but not on duty, absence included (`shrinkage`). Channel costs go to their
contacts' category, tier and week. `hiring` fills new seats, `turnover` refills seats that somebody left.
`overhead` is the programmes. The table sums to `cost_total`, by team, by category, by week and by tier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_parts import (
    HOURS_PER_WEEK,
    HOURS_PER_YEAR,
    BoolArray,
    FloatArray,
    IntArray,
    KpiValues,
    Span,
    total,
    where,
)
from sim.study.kpi_teams import firefighting, prevention

COMPANY = "company"
OTHER_COSTS = ("idle", "shrinkage", "hiring", "turnover", "overhead")
IDLE, SHRINKAGE, HIRING, TURNOVER, OVERHEAD = range(-len(OTHER_COSTS), 0)


@dataclass(frozen=True)
class Costs:
    """Cost totals over the window and the tables behind them; both tables sum to the total.

    weekly : (teams + 1, categories + 5, weeks of the window): the last row is the company (programmes and what no
    team handled), the columns are `cost_categories(inputs)`.
    tiers : (tiers + 1, categories + 5), labour and channel cost of contacts by the tier of their account; the last
    row is what belongs to no tier.
    """

    labour: float
    channels: float
    turnover: float
    programmes: float
    weekly: FloatArray
    tiers: FloatArray

    @property
    def total(self) -> float:
        return self.labour + self.channels + self.turnover + self.programmes

    @property
    def table(self) -> FloatArray:
        """(teams + 1, categories + 5), the costs of the whole window."""
        return np.asarray(self.weekly.sum(axis=2))

    @property
    def by_week(self) -> FloatArray:
        """(weeks,) all costs of each week of the window."""
        return np.asarray(self.weekly.sum(axis=(0, 1)))


def cost_categories(inputs: Inputs) -> tuple[str, ...]:
    """Names of the cost table's columns."""
    return (*inputs.categories, *OTHER_COSTS)


def cost_teams(inputs: Inputs) -> tuple[str, ...]:
    """Names of the cost table's rows."""
    return (*inputs.teams, COMPANY)


def costs(history: History, inputs: Inputs, span: Span) -> Costs:
    """All costs of the window."""
    people = where(history.people_weeks, span.holds_week(history.people_weeks["week"]))
    contacts = where(history.contacts, span.holds(history.contacts["ended"]))
    week = np.floor_divide(contacts["ended"], HOURS_PER_WEEK).astype(np.int64) - span.first_week
    categories, teams = len(inputs.categories), len(inputs.teams)
    weekly = np.zeros((teams + 1, categories + len(OTHER_COSTS), span.weeks))
    tiers = np.zeros((len(inputs.tiers) + 1, categories + len(OTHER_COSTS)))
    cell = contacts["tier"].astype(np.int64) * categories + contacts["category"]
    cells = len(inputs.tiers) * categories
    for index in range(teams):
        mine = contacts["team"] == index
        minutes = _sums((span.weeks, cells), week[mine], cell[mine], contacts["handle_minutes"][mine])
        spent = _hours_priced(where(people, people["team"] == index), span)
        by_contact = _split(spent.handling, minutes)
        tiers[:-1, :categories] += by_contact.sum(axis=0).reshape(-1, categories)
        weekly[index, :categories] += by_contact.reshape(span.weeks, -1, categories).sum(axis=1).T
        weekly[index, IDLE] += spent.idle + (spent.handling - by_contact.sum(axis=1))
        weekly[index, SHRINKAGE] += spent.shrinkage
        weekly[index, HIRING], weekly[index, TURNOVER] = spent.hiring, spent.turnover
    team = contacts["team"].astype(np.int64) % (teams + 1)
    where_spent = team * categories + contacts["category"]
    channel = _sums((span.weeks, (teams + 1) * categories), week, where_spent, contacts["cost"])
    weekly[:, :categories] += channel.T.reshape(teams + 1, categories, span.weeks)
    tiers[:-1, :categories] += np.bincount(cell, weights=contacts["cost"], minlength=cells).reshape(-1, categories)
    programmes = inputs.programme_cost_per_year * span.years
    weekly[-1, OVERHEAD] += inputs.programme_cost_per_year * HOURS_PER_WEEK / HOURS_PER_YEAR
    tiers[-1, categories:] = weekly[:, categories:].sum(axis=(0, 2))
    return Costs(
        labour=total(people["payroll_cost"]) + total(people["overtime_cost"]),
        channels=total(contacts["cost"]),
        turnover=total(people["hiring_cost"]),
        programmes=programmes,
        weekly=weekly,
        tiers=tiers,
    )


def cost_kpis(spent: Costs, inputs: Inputs) -> KpiValues:
    """The cost KPIs; prevention is planned work and action plans, firefighting what is done about departures."""
    by_category = spent.table[:, : len(inputs.categories)].sum(axis=0)
    return {
        "cost_total": spent.total,
        "cost_labour": spent.labour,
        "cost_channels": spent.channels,
        "cost_turnover": spent.turnover,
        "cost_firefighting": total(by_category[firefighting(inputs)]),
        "cost_prevention": total(by_category[prevention(inputs)]),
    }


@dataclass(frozen=True)
class _HoursPriced:
    """What one team's people cost by what they did, (weeks,) each; together all that they cost."""

    handling: FloatArray
    idle: FloatArray
    shrinkage: FloatArray
    hiring: FloatArray
    turnover: FloatArray


def _hours_priced(people: Table, span: Span) -> _HoursPriced:
    """One team's labour and hiring costs by week. A week that is paid without any hour counts as shrinkage."""
    week = people["week"].astype(np.int64) - span.first_week

    def by_week(name: str, rows: BoolArray | None = None) -> FloatArray:
        chosen = np.ones(len(week), dtype=np.bool_) if rows is None else rows
        sums = np.bincount(week[chosen], weights=people[name][chosen], minlength=span.weeks)
        return np.asarray(sums, dtype=np.float64)

    paid_cost = by_week("payroll_cost") + by_week("overtime_cost")
    overtime, handling = by_week("overtime_hours"), by_week("handling_hours")
    on_duty, contracted = by_week("on_duty_hours"), by_week("contracted_hours")
    paid_hours = contracted + overtime
    rate = np.divide(paid_cost, paid_hours, out=np.zeros(span.weeks), where=paid_hours > 0)
    refill = people["occupant"] > 0
    return _HoursPriced(
        handling=rate * handling,
        idle=rate * (on_duty - (handling - overtime)),
        shrinkage=np.where(rate > 0, rate * (contracted - on_duty), paid_cost),
        hiring=by_week("hiring_cost", ~refill),
        turnover=by_week("hiring_cost", refill),
    )


def _split(cost: FloatArray, minutes: FloatArray) -> FloatArray:
    """(weeks, cells), the cost of hours on contacts by what was worked on.

    cost : (weeks,). minutes : (weeks, cells) handle time of the contacts that ended in the week. It sets only the
    split: the hours are those of people, which count work in hand where it was done. A week in which nothing ended
    is split as the whole window is; without any contact nothing can be, and the result is 0.
    """
    of_week, of_window = minutes.sum(axis=1), minutes.sum(axis=0)
    known = np.where(of_week[:, np.newaxis] > 0, minutes, of_window)
    sums = known.sum(axis=1)
    shares = np.divide(known, sums[:, np.newaxis], out=np.zeros_like(known), where=sums[:, np.newaxis] > 0)
    return np.asarray(cost[:, np.newaxis] * shares)


def _sums(shape: tuple[int, int], first: IntArray, second: IntArray, values: FloatArray) -> FloatArray:
    """Sums of values by two indices, of the shape."""
    flat = np.bincount(first * shape[1] + second, weights=values, minlength=shape[0] * shape[1])
    return np.asarray(flat, dtype=np.float64).reshape(shape)
