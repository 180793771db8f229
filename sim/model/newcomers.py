"""New accounts: who is won in a run, with what contract and how large.

In: the tiers' rules and keyed luck. Out: rows of the account table that wait for their first Monday.
"""

from __future__ import annotations

import numpy as np

from sim.model.accounts import AccountTable, new_rows, seats_by_arr
from sim.model.inputs import HOURS_PER_MONTH, HOURS_PER_WEEK, FloatArray, Inputs, IntArray, KeyArray, Phase
from sim.model.luck import Luck, counts, key_of, lognormal, name_key
from sim.model.routing import pick

_ARRIVAL = ("arr", "contact_rate", "term")


def plan_new_accounts(table: AccountTable, inputs: Inputs, luck: Luck) -> None:
    """Draws all new accounts of the run; each waits in the table, not active, until its first Monday."""
    weeks = np.arange(inputs.weeks)
    phases = [inputs.phase_at(week * HOURS_PER_WEEK) for week in range(inputs.weeks)]
    tier_keys = np.array([tier.key for tier in phases[0].tiers], dtype=np.uint64)
    of_week, of_tier = np.repeat(weeks, len(tier_keys)), np.tile(np.arange(len(tier_keys)), len(weeks))
    mean = [tier.new_accounts_per_week * phase.switches.growth for phase in phases for tier in phase.tiers]
    u = luck.uniform("new accounts", key_of(tier_keys[of_tier], of_week))
    won = counts(u, np.array(mean), 1.0)
    week, tier = np.repeat(of_week, won), np.repeat(of_tier, won)
    j = np.arange(len(week)) - np.repeat(np.cumsum(won) - won, won)
    keys = key_of(tier_keys[tier], week, j, name_key("won"))
    u_arr, u_rate, u_term = luck.uniforms(_ARRIVAL, keys)
    for phase in inputs.phases:
        rows = np.flatnonzero([phases[w] is phase for w in week])
        if len(rows):
            _plan(table, luck, phase, keys[rows], tier[rows], week[rows], u_arr[rows], u_rate[rows], u_term[rows])


def _plan(
    table: AccountTable,
    luck: Luck,
    phase: Phase,
    keys: KeyArray,
    tier: IntArray,
    week: IntArray,
    u_arr: FloatArray,
    u_rate: FloatArray,
    u_term: FloatArray,
) -> None:
    n, states = len(keys), phase.states
    started = np.asarray(week * HOURS_PER_WEEK, dtype=np.float64)
    arr_mean = np.array([rules.arr_per_year_mean for rules in phase.tiers])[tier]
    arr_cv = np.array([rules.arr_cv for rules in phase.tiers])[tier]
    term = np.zeros(n, dtype=np.int64)
    for index, rules in enumerate(phase.tiers):
        rows = np.flatnonzero(tier == index)
        term[rows] = rules.term_months[pick(u_term[rows], rules.term_shares[np.newaxis])]
    quantiles = phase.demand.rate_quantiles
    arr_cents = np.maximum(1, np.rint(100 * lognormal(u_arr, arr_mean, arr_cv))).astype(np.int64)
    per_seat = np.array([rules.arr_per_seat_per_year for rules in phase.tiers])[tier]
    table.extend(
        new_rows(
            keys,
            tier,
            arr_cents,
            seats_by_arr(arr_cents, per_seat),
            np.interp(u_rate, np.linspace(0, 1, len(quantiles)), quantiles),
            term,
            started,
            started + term * HOURS_PER_MONTH,
            active=np.zeros(n, dtype=bool),
            opening=False,
            adoption=np.full(n, states.adoption_start),
            satisfaction=np.full(n, states.satisfaction_neutral),
            executive_contact=np.full(n, states.executive_start),
            phase=phase,
            luck=luck,
        )
    )
