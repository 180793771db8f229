"""KPIs of each tier: who pays for a decision, and who gains by it.

In: a `History`, its decisions, ARR path and costs, and the window. Out: KPI values by name, `tier.<tier>.<kpi>`.
"""

from __future__ import annotations

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import RESOLVED, History
from sim.study.kpi_accounts import mean_accounts
from sim.study.kpi_costs import Costs
from sim.study.kpi_parts import CENTS, ArrPath, Decisions, FloatArray, KpiValues, Span, ratio, total, where
from sim.study.kpi_teams import decided_plans, firefighting, prevention


def tier_kpis(history: History, inputs: Inputs, span: Span, ended: Decisions, path: ArrPath, spent: Costs) -> KpiValues:
    """All KPIs of all tiers. Departures count by their expectation."""
    planned, triggered = prevention(inputs), firefighting(inputs)
    weeks = where(history.tier_weeks, span.holds_week(history.tier_weeks["week"]))
    decided, done = _planned_work(history, inputs, span)
    values: KpiValues = {}
    for index, tier in enumerate(inputs.tiers):
        mine = where(weeks, weeks["tier"] == index)
        account_weeks = total(mine["accounts"])
        members = ended.tier == index
        leaving = np.where(members, ended.expected, 0.0)
        won = path.won & span.holds(path.hours) & (path.tier == index)
        by_category = spent.tiers[index, : len(inputs.categories)]
        figures = {
            "logo_churn_per_year": ratio(total(leaving), account_weeks / span.weeks * span.years),
            "arr_churn_per_year": ratio(
                total(leaving * ended.arr), total(mine["arr_cents"]) / CENTS / span.weeks * span.years
            ),
            "satisfaction_mean": ratio(total(mine["satisfaction_sum"]), account_weeks),
            "executive_contact_mean": ratio(total(mine["executive_contact_sum"]), account_weeks),
            "proactive_completed_share": ratio(done[index], decided[index]),
            "crc_per_account": ratio(
                total(by_category) / span.years, mean_accounts(mine, span, ended, realised=False, members=members)
            ),
            "cac_per_account_won": ratio(inputs.cac_per_new_arr * total(path.step[won]), total(won)),
            "cost_prevention": total(by_category[planned]),
            "cost_firefighting": total(by_category[triggered]),
        }
        values |= {f"tier.{tier}.{name}": value for name, value in figures.items()}
    return values


def _planned_work(history: History, inputs: Inputs, span: Span) -> tuple[FloatArray, FloatArray]:
    """(tiers,) planned contacts born in the window that were done or not, and those that were done."""
    contacts = history.contacts
    rows = np.flatnonzero(decided_plans(contacts, inputs) & span.holds(contacts["born"]))
    tier, done = contacts["tier"][rows], contacts["outcome"][rows] == RESOLVED
    count = len(inputs.tiers)
    return (
        np.bincount(tier, minlength=count).astype(np.float64),
        np.bincount(tier[done], minlength=count).astype(np.float64),
    )
