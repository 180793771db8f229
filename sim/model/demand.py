"""Demand: how many contacts of which category each account starts or is due in a week, and when.

In: account states, rules and keyed uniforms. Out: rates, counts and arrival times. Pure functions of arrays.
"""

from __future__ import annotations

import numpy as np

from sim.model.account_rules import LAST_AGE_WEEKS
from sim.model.accounts import ADOPTION, AccountTable
from sim.model.inputs import HOURS_PER_WEEK, BoolArray, FloatArray, IntArray, Phase

_MOST_OPEN_ISSUES = 3


def usual_rates(table: AccountTable, phase: Phase) -> FloatArray:
    """Multiple of the categories' contact rates by tier, the account's own habit and its seats, (accounts,)."""
    tier_factor = phase.contact_rate_factor[table.tier]
    seats = (table.seats / phase.demand.seats_reference) ** phase.demand.seats_exponent
    return np.asarray(tier_factor * table.contact_rate * seats)


def contact_rates(table: AccountTable, phase: Phase, time: float, overdue: IntArray) -> FloatArray:
    """Customers' contacts per account and week as a multiple of the categories' rates, shape (accounts,).

    The usual rate grows with novelty (fading with tenure), with low adoption, and with matters that are open
    past their target (`overdue`, (accounts,)): people ask again, at most as for three, since a loop without an end
    would make any overload run away. Accounts that are not there have none.
    """
    rules = phase.demand
    tenure_weeks = np.maximum(0.0, (time - table.started) / HOURS_PER_WEEK)
    return np.asarray(
        usual_rates(table, phase)
        * (1 + rules.novelty_factor * np.exp(-tenure_weeks / rules.novelty_weeks))
        * (1 + rules.low_adoption_factor * (1 - table.states[ADOPTION]))
        * (1 + rules.open_issue_factor * np.minimum(overdue, _MOST_OPEN_ISSUES))
        * table.active
    )


def planned_work(table: AccountTable, phase: Phase, week: int) -> tuple[IntArray, IntArray]:
    """Positions (accounts, categories) of the planned work that falls due in a week.

    Cadences start at each account's own place in the cycle; work before a renewal comes once per term of a
    year or longer; work after the start goes by the account's age in whole weeks.
    """
    rules = phase.playbooks
    begin = week * HOURS_PER_WEEK
    cycles = rules.cycles_per_week[:, table.tier]
    place = table.cycle[rules.recurring] + week * cycles
    recurring, recurring_rows = _positions((np.floor(place) > np.floor(place - cycles)) & table.active)
    tier, at_renewal, hours = rules.at_renewal
    until = table.renewal - begin - hours
    this_week = (until >= 0) & (until < HOURS_PER_WEEK) & (table.tier == tier)
    renewing, renewing_rows = _positions(this_week & (table.term_months >= 12) & table.active)
    tier, at_age, due = rules.at_age
    age_weeks = np.floor((begin - table.started) / HOURS_PER_WEEK)
    young = ((age_weeks <= LAST_AGE_WEEKS) & table.active).nonzero()[0]
    ages = age_weeks[young].astype(np.int64)
    growing, growing_rows = _positions(due.take(ages, axis=1) & (table.tier[young] == tier))
    return (
        np.concatenate([recurring_rows, renewing_rows, young[growing_rows]]),
        np.concatenate([rules.recurring[recurring], at_renewal[renewing], at_age[growing]]),
    )


def _positions(chosen: BoolArray) -> tuple[IntArray, IntArray]:
    """Row and column of what is chosen in a table; several times faster than numpy's own of two axes."""
    flat = chosen.ravel().nonzero()[0]
    row = flat // max(1, chosen.shape[1])
    return row, flat - row * chosen.shape[1]
