"""Makes contacts for the centre, and ledger columns of finished ones.

In: who contacts whom about what and when, with keys for luck. Out: `Contact` rows, routed, with their draws.
A contact's channel and route hang on its key alone; handle time, resolution and patience on key and attempt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.accounts import AccountTable
from sim.model.community import Forum, settles
from sim.model.inputs import FloatArray, Inputs, IntArray, KeyArray, Phase
from sim.model.kinds import Kind
from sim.model.ledger import BOUNCED, DEFLECTED, Table
from sim.model.luck import Luck, exponential, key_of
from sim.model.queue import RECORD, Attempts, Contact
from sim.model.routing import due_times, pick, route

_ATTEMPT_DRAWS = ("handle time", "resolution", "patience", "comes back", "comes back after")


@dataclass(frozen=True)
class Wanted:
    """Contacts to be made, one array element each."""

    account: IntArray
    category: IntArray
    key: KeyArray
    time: FloatArray  # hours
    expires: FloatArray  # hours, inf: never

    def part(self, rows: IntArray) -> Wanted:
        """Some of them."""
        return Wanted(self.account[rows], self.category[rows], self.key[rows], self.time[rows], self.expires[rows])


@dataclass(frozen=True)
class Block:
    """Contacts as columns. Each is made only when it is asked for: a week of a large company would fill the caches.

    columns : a `Contact`'s arguments, with the cell in place of the kind, without the attempt (0) and `attempts`.
    """

    columns: tuple[NDArray[Any], ...]
    kinds: tuple[Kind, ...]
    attempts: Attempts

    def __getitem__(self, rows: slice) -> Block:
        return Block(tuple(column[rows] for column in self.columns), self.kinds, self.attempts)

    def __iter__(self) -> Iterator[Contact]:
        return chain.from_iterable(map(self._some, range(0, len(self.columns[0]), _AT_ONCE)))

    def _some(self, begin: int) -> list[Contact]:
        key, account, cell, *others, row = (column[begin : begin + _AT_ONCE].tolist() for column in self.columns)
        kind = map(self.kinds.__getitem__, cell)
        return list(map(Contact, key, account, kind, repeat(0), *others, repeat(self.attempts), row))


_AT_ONCE = 256  # a small week in one go, since that is quickest


def make_contacts(
    wanted: Wanted, accounts: AccountTable, inputs: Inputs, luck: Luck, forum: Forum
) -> Block | list[Contact]:
    """Contacts in the order given, each by the rules of the dated phase at its own time."""
    if len(inputs.phases) == 1:
        return _make(wanted, accounts, inputs.phases[0], luck, forum)
    starts = np.array([phase.start_hour for phase in inputs.phases])
    which = np.maximum(0, np.searchsorted(starts, wanted.time, side="right") - 1)
    if not len(which) or which.min() == which.max():
        return _make(wanted, accounts, inputs.phases[which[0] if len(which) else 0], luck, forum)
    made: list[Contact] = [None] * len(which)  # type: ignore[list-item]
    for index in np.unique(which):
        rows = (which == index).nonzero()[0]
        for row, contact in zip(
            rows.tolist(), _make(wanted.part(rows), accounts, inputs.phases[index], luck, forum), strict=True
        ):
            made[row] = contact
    return made


def _make(wanted: Wanted, accounts: AccountTable, phase: Phase, luck: Luck, forum: Forum) -> Block | list[Contact]:
    n_rules = len(phase.routing.rules)
    route_draws = ("channel", "team", *(f"rule {i}" for i in range(n_rules)))
    u_route = luck.uniforms(route_draws, wanted.key)
    category = wanted.category
    asked = pick(u_route[0], phase.categories.channel_shares[category])
    channel = _assisted(asked, wanted, phase, luck)
    team, first = route(category, u_route[1], u_route[2:], phase.routing)
    answers_first = np.where(first >= 0, first, team)
    attempts = _attempts(wanted, phase, luck, channel)
    block = _contacts(wanted, accounts, phase, channel, answers_first, attempts, np.arange(len(category)))
    warm, alone = (first >= 0).nonzero()[0], (asked != channel).nonzero()[0]
    if not len(warm) and not len(alone):
        return block
    contacts = list(block)
    if len(warm):
        seconds = _contacts(wanted.part(warm), accounts, phase, channel[warm], team[warm], attempts, warm)
        for row, second in zip(warm.tolist(), seconds, strict=True):
            contact = contacts[row]
            contact.second = second
            second.leg = 1
            contact.draw, contact.mean_hours = 1.0, phase.routing.warm_transfer_hours
    if len(alone):
        _try_alone(alone, contacts, wanted, asked, phase, luck, forum)
    return contacts


def _assisted(asked: IntArray, wanted: Wanted, phase: Phase, luck: Luck) -> IntArray:
    """The channels in which teams get the contacts: for self-service, the one to which it would bounce."""
    channel = asked
    for index, helps in enumerate(phase.channels.self_service):
        if helps is not None:
            rows = (asked == index).nonzero()[0]
            u = luck.uniform("bounces to", wanted.key[rows])
            channel = channel.copy()
            channel[rows] = pick(u, np.broadcast_to(helps.then, (len(rows), len(helps.then))))
    return channel


def _try_alone(
    rows: IntArray, contacts: list[Contact], wanted: Wanted, asked: IntArray, phase: Phase, luck: Luck, forum: Forum
) -> None:
    """Puts an attempt at self-service before the contacts at `rows`.

    Its patience is the time until the customer turns to a team if it fails. It settles the matter or not by the
    state of the forum at the week's start: its luck is -1 or 2, below or above every chance.
    """
    first = wanted.part(rows)
    u_solved, u_after = luck.uniforms(("self-service", "bounces after"), first.key)
    chance = phase.channels.solved
    if phase.community is not None:
        chance = settles(chance, forum, phase.community)
    luck_of = np.where(u_solved < chance[asked[rows]], -1.0, 2.0)
    for row, solved, after in zip(rows.tolist(), luck_of.tolist(), u_after.tolist(), strict=True):
        inner, helps = contacts[row], phase.channels.self_service[asked[row]]
        assert helps is not None
        later = inner
        while later is not None:
            later.leg += 1
            later = later.second
        kind = phase.kinds[phase.tables.cells(inner.kind.team, inner.kind.category, asked[row])]
        delay = exponential(np.array(after), helps.delay_mean_hours).item()
        alone = Contact(
            inner.key, inner.account, kind, 0, -1, inner.born, np.nan, inner.expires, 0.0, solved, delay,
            inner.attempts, inner.row,
        )  # fmt: skip
        alone.second = inner
        contacts[row] = alone


def _contacts(
    wanted: Wanted,
    accounts: AccountTable,
    phase: Phase,
    channel: IntArray,
    team: IntArray,
    attempts: Attempts,
    rows: IntArray,
) -> Block:
    """Contacts for one leg, with their positions `rows` in `attempts`.

    A second leg is due only once it has been handed over: its due time is set then.
    """
    tables = phase.tables
    cell = tables.cells(team, wanted.category, channel)
    due = due_times(wanted.time, tables.target_hours.take(cell), team, tables.live.take(cell), phase)
    draws = (draw[0].take(rows) for draw in (attempts.handle, attempts.u_resolve, attempts.patience))
    owner = accounts.owner[team, wanted.account]
    columns = (wanted.key, wanted.account, cell, owner, wanted.time, due, wanted.expires, *draws, rows)
    return Block(columns, phase.kinds, attempts)


def _attempts(wanted: Wanted, phase: Phase, luck: Luck, channel: IntArray) -> Attempts:
    """The luck of the first and all later attempts. Delays are exponential in working days."""
    rules, category = phase.routing, wanted.category
    tries = rules.max_attempts if phase.switches.repeats else 1
    k = np.arange(tries)
    if rules.hops:
        k = np.concatenate([k + hop * _HOP for hop in range(1 + rules.hops)])
    keys = key_of(wanted.key, k[:, np.newaxis])
    draws = luck.uniforms(_ATTEMPT_DRAWS, keys.ravel()).reshape(len(_ATTEMPT_DRAWS), *keys.shape)
    u_handle, u_resolve, u_patience, u_back, u_after = draws
    u_back, u_after = u_back[:tries], u_after[:tries]
    delay = exponential(u_after, rules.repeat_delay_mean_days / phase.demand.profile.days)
    delay[(u_back >= rules.repeat_probability) | phase.categories.company[category]] = np.inf
    return Attempts(
        tries=tries,
        handle=phase.categories.durations.over_mean(u_handle, category),
        u_resolve=u_resolve,
        patience=exponential(u_patience, phase.channels.patience_hours[channel]),
        weeks_until_back=delay,
        redial_hours=_redial_hours(u_back, u_after, channel, phase),
    )


_HOP = 1024  # keeps the luck of matters that are passed on apart from that of later attempts


def _redial_hours(u_back: FloatArray, u_after: FloatArray, channel: IntArray, phase: Phase) -> FloatArray | None:
    """Hours until who gave up or found the line full calls again; None if no channel has a redial."""
    redial = phase.channels.redial
    if not any(redial):
        return None
    chance = np.array([np.nan if rules is None else rules.probability for rules in redial])[channel]
    mean = np.array([np.nan if rules is None else rules.delay_mean_hours for rules in redial])[channel]
    return np.where(u_back >= chance, np.inf, exponential(u_after, mean))


def happened(contacts: NDArray[Any], phase: Phase) -> Table:
    """What accounts feel of contacts (an array of `RECORD`): some columns of the ledger."""
    names = ("account", "outcome", "seat", "attempt", "leg", "due", "started", "ended")
    key = {"contact": contacts["key"].copy()}
    places = dict(zip(("team", "category", "channel"), phase.tables.places(contacts["cell"]), strict=True))
    return key | {name: contacts[name].copy() for name in names} | places


def contact_rows(contacts: NDArray[Any], tier: IntArray, phases: Sequence[Phase], now: float) -> list[NDArray[Any]]:
    """Columns of the ledger for contacts (an array of `RECORD`), in its order. Open ones have waited until `now`.

    tier : (contacts,), of their accounts at the time. Business hours and prices are those of the dated phase at which
    a contact was born.
    """
    of = {name: contacts[name].copy() for name in RECORD.names or ()}
    account, live, queued, started = of["account"], of["live"], of["queued"], of["started"]
    team, category, channel = phases[0].tables.places(of["cell"])
    served, asked = ~np.isnan(started), ~np.isnan(queued)
    alone = (of["outcome"] == DEFLECTED) | (of["outcome"] == BOUNCED)
    over = np.where(np.isnan(of["ended"]), now, of["ended"])
    until = np.where(served, started, over)
    wait, cost = until - queued, np.zeros(len(account))
    which = np.maximum(0, np.searchsorted([phase.start_hour for phase in phases], of["born"], side="right") - 1)
    for index in np.unique(which):
        phase, mine = phases[index], which == index
        cost += np.where(mine & (served | alone), phase.channels.cost[channel], 0.0)
        cost += np.where(mine & served, phase.prices[team], 0.0)
        for hours, teams in phase.business_hours:
            rows = (teams[team] & ~live & mine).nonzero()[0]
            if len(rows):
                begin, end = hours.open_hours(np.array([queued[rows], until[rows]]))
                wait[rows] = end - begin
    return [
        of["key"],
        account,
        of["attempt"],
        of["leg"],
        tier,
        category,
        channel,
        team,
        of["seat"],
        live,
        of["born"],
        queued,
        of["due"],
        started,
        of["ended"],
        np.where(asked, wait, 0.0) * 60,
        of["worked_hours"] * 60,
        cost,
        of["outcome"],
    ]
