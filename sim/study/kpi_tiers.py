"""KPIs of each tier: who pays for a decision, and who gains by it.

In: a `History`, its decisions and the window. Out: KPI values by name, `tier.<tier>.<kpi>`.
"""

from __future__ import annotations

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_parts import CENTS, Decisions, KpiValues, Span, ratio, total, where
from sim.study.kpi_teams import planned_work_done


def tier_kpis(history: History, inputs: Inputs, span: Span, ended: Decisions) -> KpiValues:
    """All KPIs of all tiers. Departures count by their expectation."""
    weeks = where(history.tier_weeks, span.holds_week(history.tier_weeks["week"]))
    of_contact, of_account = history.contacts["tier"], history.accounts["tier"]
    values: KpiValues = {}
    for index, tier in enumerate(inputs.tiers):
        mine = where(weeks, weeks["tier"] == index)
        account_weeks = total(mine["accounts"])
        leaving = np.where(of_account[ended.account] == index, ended.expected, 0.0)
        figures = {
            "logo_churn_per_year": ratio(total(leaving), account_weeks / span.weeks * span.years),
            "arr_churn_per_year": ratio(
                total(leaving * ended.arr), total(mine["arr_cents"]) / CENTS / span.weeks * span.years
            ),
            "satisfaction_mean": ratio(total(mine["satisfaction_sum"]), account_weeks),
            "executive_contact_mean": ratio(total(mine["executive_contact_sum"]), account_weeks),
            "proactive_completed_share": planned_work_done(history.contacts, inputs, span, of_contact == index),
        }
        values |= {f"tier.{tier}.{name}": value for name, value in figures.items()}
    return values
