"""What one replication says of the accounts kept, what they cost, and the risk left; by tier and for the company.

In: a `History` and the scenario's `Inputs`. Out: totals by name, made in the worker, a few numbers per tier.
"""

from __future__ import annotations

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_costs import costs
from sim.study.kpi_money import value_kpis, weekly_contribution
from sim.study.kpi_parts import CENTS, DRIVERS, arr_path, decisions, total
from sim.study.kpi_teams import firefighting, prevention
from sim.study.kpis import window

COMPANY = "company"


def worth_totals(history: History, inputs: Inputs) -> dict[str, float]:
    """Totals over the window, `<position of the tier>.<figure>` and `company.<figure>`.

    departures, arr_lost : expected, of the accounts that leave; ARR in the currency a year. cost : of a tier, labour
    and channel cost of its contacts, and of the planned and the triggered ones among them; of the company, all costs.
    at_risk : ARR x (1 - exp(-intent not yet settled)) at the run's end. The company has also contribution and
    book_value (see `sim.study.kpi_money`).
    """
    span = window(inputs)
    ended, path, spent = decisions(history, span), arr_path(history), costs(history, inputs, span)
    accounts = history.accounts
    intent = np.stack([accounts[driver] for driver in DRIVERS]).sum(axis=0, dtype=np.float64)
    risk = accounts["arr_cents"] / CENTS * -np.expm1(-intent)
    tier_of = accounts["tier"]
    totals = {}
    for index in range(len(inputs.tiers)):
        leaving = np.where(ended.tier == index, ended.expected, 0.0)
        totals[f"{index}.departures"] = total(leaving)
        totals[f"{index}.arr_lost"] = total(leaving * ended.arr)
        by_category = spent.tiers[index, : len(inputs.categories)]
        totals[f"{index}.cost"] = total(by_category)
        totals[f"{index}.cost_planned"] = total(by_category[prevention(inputs)])
        totals[f"{index}.cost_triggered"] = total(by_category[firefighting(inputs)])
        totals[f"{index}.at_risk"] = total(risk[tier_of == index])
    value = value_kpis(history, inputs, span, ended, path, spent)
    contribution = weekly_contribution(path, ended, spent, inputs, span, realised=False)
    return totals | {
        f"{COMPANY}.departures": total(ended.expected),
        f"{COMPANY}.arr_lost": total(ended.expected * ended.arr),
        f"{COMPANY}.cost": spent.total,
        f"{COMPANY}.at_risk": total(risk),
        f"{COMPANY}.contribution": total(contribution),
        f"{COMPANY}.book_value": float(value["book_value_end"] or 0.0),
    }
