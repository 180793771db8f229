"""Costs: totals, and a table that gives every cost to a team and a cost category.

In: a `History` and the window. Out: the cost table and the KPI values made from it, in the scenario's
currency.

Cost categories are the contact categories and `idle`, `shrinkage`, `hiring`, `turnover`, `overhead`. A
team's labour cost per paid hour (payroll and overtime cost over contracted and overtime hours) prices its
hours: those on contacts, split over the contact categories by handle time; on duty without work (`idle`);
contracted but not on duty, absence included (`shrinkage`). Channel costs go to their contacts' category.
`hiring` fills new seats, `turnover` refills seats that somebody left. `overhead` is the programmes. The
table sums to `cost_total`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_parts import FloatArray, KpiValues, Span, total, where
from sim.study.kpi_teams import initiated

COMPANY = "company"
OTHER_COSTS = ("idle", "shrinkage", "hiring", "turnover", "overhead")
IDLE, SHRINKAGE, HIRING, TURNOVER, OVERHEAD = range(-len(OTHER_COSTS), 0)


@dataclass(frozen=True)
class Costs:
    """Cost totals over the window and the table behind them.

    table : (teams + 1, categories + 5): the last row is the company (programmes and what no team handled),
    the columns are `cost_categories(inputs)`.
    """

    labour: float
    channels: float
    turnover: float
    programmes: float
    table: FloatArray

    @property
    def total(self) -> float:
        return self.labour + self.channels + self.turnover + self.programmes


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
    categories = len(inputs.categories)
    table = np.zeros((len(inputs.teams) + 1, categories + len(OTHER_COSTS)))
    for index in range(len(inputs.teams)):
        mine = where(contacts, contacts["team"] == index)
        minutes = np.bincount(mine["category"], weights=mine["handle_minutes"], minlength=categories)
        _add_people(table[index], minutes.astype(np.float64), where(people, people["team"] == index))
    channel = np.bincount(
        contacts["team"].astype(np.int64) % len(table) * categories + contacts["category"],
        weights=contacts["cost"],
        minlength=len(table) * categories,
    )
    table[:, :categories] += channel.reshape(len(table), categories)
    programmes = inputs.programme_cost_per_year * span.years
    table[-1, OVERHEAD] += programmes
    return Costs(
        labour=total(people["payroll_cost"]) + total(people["overtime_cost"]),
        channels=total(contacts["cost"]),
        turnover=total(people["hiring_cost"]),
        programmes=programmes,
        table=table,
    )


def cost_kpis(spent: Costs, inputs: Inputs) -> KpiValues:
    """The cost KPIs; firefighting is what triggered contacts cost, prevention what planned ones do."""
    by_category = spent.table[:, : len(inputs.categories)].sum(axis=0)
    return {
        "cost_total": spent.total,
        "cost_labour": spent.labour,
        "cost_channels": spent.channels,
        "cost_turnover": spent.turnover,
        "cost_firefighting": total(by_category[initiated(inputs, "trigger")]),
        "cost_prevention": total(by_category[initiated(inputs, "company")]),
    }


def _add_people(row: FloatArray, minutes: FloatArray, people: Table) -> None:
    """Adds one team's labour and hiring costs to its row of the table.

    minutes : (categories,) handle time of the contacts that ended in the window. It sets only the split: the
    hours are those of `people`, which count work in hand at the window's edges where it was done.
    """
    paid_cost = total(people["payroll_cost"]) + total(people["overtime_cost"])
    overtime = total(people["overtime_hours"])
    handling, on_duty = total(people["handling_hours"]), total(people["on_duty_hours"])
    contracted = total(people["contracted_hours"])
    rate = paid_cost / (contracted + overtime) if contracted + overtime > 0 else 0.0
    if minutes.sum() > 0:
        row[: len(minutes)] += rate * handling * minutes / minutes.sum()
    else:
        row[IDLE] += rate * handling
    row[IDLE] += rate * (on_duty - (handling - overtime))
    row[SHRINKAGE] += rate * (contracted - on_duty)
    if rate == 0.0:
        row[SHRINKAGE] += paid_cost
    refill = people["occupant"] > 0
    row[TURNOVER] += total(people["hiring_cost"][refill])
    row[HIRING] += total(people["hiring_cost"][~refill])
