"""Accounts: the table of a replication, and the rules by which their three states move.

In: a week's finished contacts and the rules. Out: new states. Adoption, satisfaction and executive contact
are rows 0, 1 and 2 of `states`, each in [0, 1]; they never collapse into one number.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sim.model.account_rules import StateRules
from sim.model.health import health
from sim.model.inputs import (
    DRIVERS,
    WEEKS_PER_YEAR,
    Book,
    BoolArray,
    CategoryRules,
    ChannelRules,
    FloatArray,
    IntArray,
    KeyArray,
    Phase,
)
from sim.model.ledger import ABANDONED, BLOCKED, RESOLVED, UNRESOLVED, Table
from sim.model.luck import Luck, key_of

ADOPTION, SATISFACTION, EXECUTIVE = range(3)
UNDER_WAY, ONBOARDED, ONBOARDING_FAILED = range(3)
CHECK_WEEKS = 13  # mid-term leaving is looked at once a quarter, each account in its own week


@dataclass
class AccountTable:
    """All accounts of a replication, those that left and those still to come included; last axis = account."""

    key: KeyArray
    tier: IntArray
    active: BoolArray
    arr_cents: IntArray
    opening_arr_cents: IntArray
    seats: FloatArray
    contact_rate: FloatArray
    term_months: IntArray
    started: FloatArray  # hours
    renewal: FloatArray  # hours, next contract end
    term_number: IntArray
    owner: IntArray  # (teams, accounts), seat of the owner in a team with named owners, -1: nobody's
    cycle: FloatArray  # (categories, accounts), where in the cycle of planned work it stands in week 0
    states: FloatArray  # (3, accounts)
    seen_health: FloatArray  # the score that the company sees
    plan_week: FloatArray  # of the last action plan, -inf: none yet
    onboarding: IntArray  # UNDER_WAY, ONBOARDED or ONBOARDING_FAILED
    onboarding_due: IntArray  # onboarding contacts that fell due
    onboarding_done: IntArray  # those of them that were done
    left_week: FloatArray  # nan: it has not left, or came back
    winbacks_done: IntArray  # winback contacts done since it left
    sponsor_lost: BoolArray
    announced: BoolArray
    notice_drawn: BoolArray
    notice_probability: FloatArray  # of leaving, when the notice was drawn; 0 if it was not
    notice_share: FloatArray  # share of leavers who announce, when the notice was drawn; 0 if it was not
    notice_save: FloatArray  # chance of a save with all firefighting done, when the notice was drawn
    firefights_done: IntArray
    intent: FloatArray  # (drivers, accounts), hazard since the last decision
    intent_checked: FloatArray  # total intent at the last mid-term check
    check_week: IntArray  # week of the quarter in which mid-term leaving is looked at

    def __len__(self) -> int:
        return len(self.key)

    def extend(self, other: AccountTable) -> None:
        """Adds the rows of another table at the end."""
        for field in fields(self):
            both = (getattr(self, field.name), getattr(other, field.name))
            setattr(self, field.name, np.concatenate(both, axis=-1))


def new_rows(
    key: KeyArray,
    tier: IntArray,
    arr_cents: IntArray,
    seats: FloatArray,
    contact_rate: FloatArray,
    term_months: IntArray,
    started: FloatArray,
    renewal: FloatArray,
    *,
    active: BoolArray,
    opening: bool,
    adoption: FloatArray,
    satisfaction: FloatArray,
    executive_contact: FloatArray,
    phase: Phase,
    luck: Luck,
) -> AccountTable:
    """Rows for accounts that enter the table; all arrays of one length."""
    n = len(key)
    states = np.array([adoption, satisfaction, executive_contact])
    categories = phase.categories.keys[:, np.newaxis]
    return AccountTable(
        key=key,
        tier=tier,
        active=active,
        arr_cents=arr_cents,
        opening_arr_cents=arr_cents.copy() if opening else np.zeros(n, dtype=np.int64),
        seats=seats,
        contact_rate=contact_rate,
        term_months=term_months,
        started=started,
        renewal=renewal,
        term_number=np.zeros(n, dtype=np.int64),
        owner=np.full((len(phase.teams), n), -1, dtype=np.int64),
        cycle=luck.uniform(
            "cycle", key_of(categories + np.zeros_like(key), key + np.zeros_like(categories)).ravel()
        ).reshape(len(categories), n),
        states=states,
        seen_health=health(states, phase.health),
        plan_week=np.full(n, -np.inf),
        onboarding=np.where(active, ONBOARDED, UNDER_WAY),
        onboarding_due=np.zeros(n, dtype=np.int64),
        onboarding_done=np.zeros(n, dtype=np.int64),
        left_week=np.full(n, np.nan),
        winbacks_done=np.zeros(n, dtype=np.int64),
        sponsor_lost=np.zeros(n, dtype=bool),
        announced=np.zeros(n, dtype=bool),
        notice_drawn=np.zeros(n, dtype=bool),
        notice_probability=np.zeros(n),
        notice_share=np.zeros(n),
        notice_save=np.zeros(n),
        firefights_done=np.zeros(n, dtype=np.int64),
        intent=np.zeros((len(DRIVERS), n)),
        intent_checked=np.zeros(n),
        check_week=(key % np.uint64(CHECK_WEEKS)).astype(np.int64),
    )


def opening_table(
    book: Book, phase: Phase, luck: Luck, adoption: float, executive_contact: float, begin: float
) -> AccountTable:
    """The opening book at hour `begin`; accounts that started later wait until their first day.

    Accounts that have an owner already keep it, in the first team with named owners.
    """
    there = book.started <= begin
    rules = phase.states
    table = new_rows(
        book.keys.copy(),
        book.tier.copy(),
        book.arr_cents.copy(),
        book.seats.copy(),
        book.contact_rate.copy(),
        book.term_months.copy(),
        book.started.copy(),
        book.renewal.copy(),
        active=there,
        opening=True,
        adoption=np.where(there, adoption, rules.adoption_start),
        satisfaction=np.full(len(there), rules.satisfaction_neutral),
        executive_contact=np.where(there, executive_contact, rules.executive_start),
        phase=phase,
        luck=luck,
    )
    teams = [index for index, team in enumerate(phase.teams) if team.named_owner]
    if teams:
        table.owner[teams[0]] = book.owner
    return table


def seats_by_arr(arr_cents: IntArray, arr_per_seat: FloatArray) -> FloatArray:
    """Whole seats, at least 1, that an ARR pays for; arrays of equal length, arr_per_seat a year."""
    return np.maximum(1.0, np.rint(arr_cents / 100 / arr_per_seat))


def contact_effects(
    contacts: Table,
    rules: StateRules,
    categories: CategoryRules,
    channels: ChannelRules,
    team_warmth: FloatArray,
    team_gain_factor: FloatArray,
    by_owner: BoolArray,
    harmed: BoolArray | None = None,
    loss: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """What finished contacts do to the states: new state = slope x state + offset, both (3, contacts).

    A customer's contact raises satisfaction if it was resolved in time; being unresolved, late, handed over (or
    turning to a team after self-service in vain), repeated, abandoned or blocked each take their share of what is
    there. What self-service settles moves nothing. A failed contact costs adoption. Contacts that were done raise
    adoption and executive contact by their category's gains, as a share of what is missing, so that returns diminish,
    times the team's factor on gains; a customer's contact also by the warmth of team and channel. Executive contact
    gains less from anybody but the account's own person (`by_owner`). What was `harmed` by its timing gains nothing
    and costs its `loss` of satisfaction and executive contact.
    """
    category, outcome = contacts["category"], contacts["outcome"]
    customer = categories.customer[category]
    done = outcome == RESOLVED
    late = contacts["started"] > contacts["due"]
    gave_up = customer & ((outcome == ABANDONED) | (outcome == BLOCKED))
    unresolved = customer & (outcome == UNRESOLVED)
    kept = (
        (1 - rules.unresolved_loss * unresolved)
        * (1 - rules.late_loss * (customer & late))
        * (1 - rules.transfer_loss * (customer & (contacts["leg"] > 0)))
        * (1 - rules.repeat_loss * (customer & (contacts["attempt"] > 0)))
        * (1 - rules.abandoned_loss * gave_up)
    )
    warm = customer & ~np.isnan(contacts["started"])
    warmth = team_warmth[contacts["team"]] * channels.warmth_factor[contacts["channel"]] * warm
    gains = team_gain_factor[contacts["team"]] * done
    offset = np.empty((3, len(category)))
    offset[ADOPTION] = gains * categories.adoption_gain[category]
    offset[SATISFACTION] = rules.resolved_gain * (done & customer & ~late)
    offset[EXECUTIVE] = 1 - (1 - gains * categories.executive_gain[category]) * (1 - np.minimum(warmth, 1.0))
    offset[EXECUTIVE] *= np.where(by_owner, 1.0, rules.by_others_share)
    slope = 1 - offset
    slope[ADOPTION] *= 1 - rules.failed_contact_loss * (gave_up | unresolved)
    slope[SATISFACTION] *= kept
    if harmed is not None:
        offset[:, harmed] = 0.0
        slope[:, harmed] = np.array([1.0, 1 - loss, 1 - loss])[:, np.newaxis]
    return slope, offset


def apply_in_order(
    states: FloatArray, account: IntArray, ended: FloatArray, slope: FloatArray, offset: FloatArray
) -> None:
    """Applies contacts to `states` in place; those of one account in the order in which they ended."""
    if not len(account):
        return
    by_account = np.lexsort((ended, account))
    sorted_account = account[by_account]
    edges = (sorted_account[1:] != sorted_account[:-1]).nonzero()[0] + 1
    first, number = np.zeros(len(edges) + 1, dtype=np.int64), np.full(len(edges) + 1, len(account))
    first[1:] = number[:-1] = edges
    number -= first
    which = np.arange(len(first)).repeat(number)
    rank = np.arange(len(account)) - first[which]
    turn = np.lexsort((-number[which], rank))  # in each turn the same accounts lead, so that slices do
    order = by_account[turn]
    rows, slope, offset = account[order[: len(first)]], slope.take(order, axis=1), offset.take(order, axis=1)
    now = states.take(rows, axis=1)
    start = 0
    for size in np.bincount(rank).tolist():
        leading = now[:, :size]
        leading *= slope[:, start : start + size]
        leading += offset[:, start : start + size]
        start += size
    states[:, rows] = now


def drift(states: FloatArray, rules: StateRules, weeks: float = 1.0) -> FloatArray:
    """The states after `weeks` without contacts, shape (3, accounts).

    Adoption follows a logistic curve toward its ceiling less what neglect takes; satisfaction returns to
    neutral and executive contact fades, both with their half-lives.
    """
    adoption, satisfaction, executive = states
    growth = rules.adoption_growth_per_week * adoption * (rules.adoption_ceiling - adoption)
    kept = 0.5 ** (weeks / rules.satisfaction_half_life_weeks)
    after = np.empty_like(states)
    after[ADOPTION] = adoption + weeks * (growth - rules.adoption_neglect_per_week * adoption)
    np.minimum(np.maximum(after[ADOPTION], 0.0), 1.0, out=after[ADOPTION])
    after[SATISFACTION] = rules.satisfaction_neutral + (satisfaction - rules.satisfaction_neutral) * kept
    after[EXECUTIVE] = executive * 0.5 ** (weeks / rules.executive_half_life_weeks)
    return after


def licence_use(states: FloatArray, seats: FloatArray) -> FloatArray:
    """Seats in use: adoption is the share of an account's seats that people work with, shape (accounts,)."""
    return np.asarray(states[ADOPTION] * seats)


def login_rate(adoption: FloatArray, rules: StateRules) -> FloatArray:
    """Share of an account's seats whose users log in in a week: not everybody who works with it does so every week."""
    return np.asarray(adoption * rules.weekly_login_share)


def sponsor_leaves(u: FloatArray, rules: StateRules, weeks: float = 1.0) -> BoolArray:
    """Which accounts lose their executive sponsor within `weeks`, by one uniform each."""
    return u < -np.expm1(-rules.sponsor_loss_per_year * weeks / WEEKS_PER_YEAR)


def opening_rows(table: AccountTable, count: int) -> dict[str, Any]:
    """The first `count` accounts as they stand now, in the columns of the history's `opening`; copies.

    An account with owners in several teams is listed with the first of them.
    """
    owner = table.owner[:, :count]
    owned = owner >= 0
    team = owned.argmax(axis=0)
    return {
        "id": table.key[:count].copy(),
        "adoption": table.states[ADOPTION, :count].copy(),
        "tier": table.tier[:count].copy(),
        "team": np.where(owned.any(axis=0), team, -1),
        "seat": owner[team, np.arange(count)],
        "sponsor_lost": table.sponsor_lost[:count].copy(),
        "announced": table.announced[:count].copy(),
        **{name: table.intent[i, :count].copy() for i, name in enumerate(DRIVERS)},
    }


def final_table(table: AccountTable) -> dict[str, Any]:
    """The accounts at the end of a run, in the columns of the history."""
    adoption, satisfaction, executive = table.states
    return {
        "id": table.key,
        "tier": table.tier,
        "seat": table.owner.max(axis=0),
        "started": table.started,
        "term_months": table.term_months,
        "renewal": table.renewal,
        "opening_arr_cents": table.opening_arr_cents,
        "arr_cents": np.where(table.active, table.arr_cents, 0),
        "seats": table.seats,
        "contact_rate": table.contact_rate,
        "adoption": adoption,
        "satisfaction": satisfaction,
        "executive_contact": executive,
        "sponsor_lost": table.sponsor_lost,
        "announced": table.announced,
        **{name: table.intent[i] for i, name in enumerate(DRIVERS)},
    }
