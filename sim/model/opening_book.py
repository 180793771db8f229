"""The opening book: the accounts that are there when a run begins, from a list or invented.

In: a `Scenario`. Out: a `Book`, the same in every replication.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from sim.model.account_rules import TierRules
from sim.model.accounts import seats_by_arr
from sim.model.inputs import HOURS_PER_MONTH, Book, FloatArray
from sim.model.luck import Luck, key_of, lognormal, name_key
from sim.model.routing import pick
from sim.scenario import AccountList, Scenario

SMALLEST_CV = 1e-6  # below it, a spread is none


def opening_book(scenario: Scenario, tiers: Sequence[TierRules]) -> Book:
    """The accounts of the scenario's list, or invented ones. tiers : at the start."""
    return _invented_book(scenario, tiers) if scenario.book is None else _listed_book(scenario, scenario.book)


def rate_quantiles(cv: float) -> FloatArray:
    """Quantiles of a gamma variable with mean 1 at 1,025 equal steps, the last at the middle of its cell."""
    steps = np.linspace(0, 1, 1025)
    steps[-1] = 1 - 1 / 4096
    if cv < SMALLEST_CV:
        return np.ones(len(steps))
    shape = 1 / cv**2
    return np.asarray(gammaincinv(shape, steps) / shape)


def _listed_book(scenario: Scenario, listed: AccountList) -> Book:
    """The accounts of a list. Their keys come from their ids, so that the order of the rows decides nothing.

    What no list knows is drawn as for an invented book: each account's contact rate, by its key. An account without
    revenue has one cent, because an opening ARR of 0 says in the ledger that an account was won later.
    """
    keys = key_of(np.array([name_key(one) for one in listed.account], dtype=np.uint64), name_key("listed"))
    u_rate = Luck(scenario.accounts.book_seed, 0).uniform("contact_rate", keys)
    quantiles = rate_quantiles(scenario.accounts.contact_rate_cv)
    per_seat = np.array([tier.arr_per_seat_per_year for tier in scenario.tiers.values()])[listed.tier]
    return Book(
        keys=keys,
        tier=listed.tier.copy(),
        arr_cents=np.maximum(1, listed.arr_cents),
        seats=np.where(np.isnan(listed.seats), seats_by_arr(listed.arr_cents, per_seat), listed.seats),
        contact_rate=np.interp(u_rate, np.linspace(0, 1, len(quantiles)), quantiles),
        term_months=listed.term_months.copy(),
        started=24.0 * listed.started_days,
        renewal=24.0 * listed.renewal_days,
        owner=listed.owner_seat.copy(),
    )


def _invented_book(scenario: Scenario, tiers: Sequence[TierRules]) -> Book:
    """The opening book, from `accounts.book_seed` alone: the same in every replication.

    Renewal dates are spread evenly over the term. In a stationary book with `new` accounts a year, a share
    new x term / accounts of it is in its first term; earlier terms are geometric with that probability. Accounts
    younger than the warm-up join during it.
    """
    luck = Luck(scenario.accounts.book_seed, 0)
    quantiles = rate_quantiles(scenario.accounts.contact_rate_cv)
    blocks: list[tuple[Any, ...]] = []
    for index, (tier, rules) in enumerate(zip(scenario.tiers.values(), tiers, strict=True)):
        keys = key_of(np.full(tier.accounts, rules.key, dtype=np.uint64), np.arange(tier.accounts), name_key("opening"))
        u_arr, u_rate, u_term, u_renewal, u_tenure = luck.uniforms(
            ("arr", "contact_rate", "term", "renewal", "tenure"), keys
        )
        term = rules.term_months[pick(u_term, rules.term_shares[np.newaxis])]
        term_hours = term * HOURS_PER_MONTH
        renewal = u_renewal * term_hours
        first = np.clip(tier.new_accounts_per_year * (term / 12) / max(tier.accounts, 1), 0.02, 0.98)
        earlier = np.floor(np.log1p(-u_tenure) / np.log1p(-first))
        arr_cents = np.rint(100 * lognormal(u_arr, tier.arr_per_year_mean, tier.arr_cv)).astype(np.int64)
        blocks.append(
            (
                keys,
                np.full(tier.accounts, index),
                arr_cents,
                seats_by_arr(arr_cents, np.full(tier.accounts, tier.arr_per_seat_per_year)),
                np.interp(u_rate, np.linspace(0, 1, len(quantiles)), quantiles),
                term,
                renewal - term_hours * (1 + earlier),
                renewal,
                np.full(tier.accounts, -1),
            )
        )
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    return Book(*columns)
