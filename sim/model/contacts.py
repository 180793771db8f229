"""Makes contacts for the centre, and ledger columns of finished ones.

In: who contacts whom about what and when, with keys for luck. Out: `Contact` rows, routed, with their draws.
A contact's channel and route hang on its key alone; handle time, resolution and patience on key and attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat, starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.accounts import AccountTable
from sim.model.inputs import FloatArray, Inputs, IntArray, KeyArray, Phase
from sim.model.luck import Luck, exponential, key_of, lognormal
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


def make_contacts(wanted: Wanted, accounts: AccountTable, inputs: Inputs, luck: Luck) -> list[Contact]:
    """Contacts in the order given, each by the rules of the dated phase at its own time."""
    if len(inputs.phases) == 1:
        return _make(wanted, accounts, inputs.phases[0], luck)
    starts = np.array([phase.start_hour for phase in inputs.phases])
    which = np.maximum(0, np.searchsorted(starts, wanted.time, side="right") - 1)
    if not len(which) or which.min() == which.max():
        return _make(wanted, accounts, inputs.phases[which[0] if len(which) else 0], luck)
    made: list[Contact] = [None] * len(which)  # type: ignore[list-item]
    for index in np.unique(which):
        rows = np.flatnonzero(which == index)
        for row, contact in zip(
            rows.tolist(), _make(wanted.part(rows), accounts, inputs.phases[index], luck), strict=True
        ):
            made[row] = contact
    return made


def _make(wanted: Wanted, accounts: AccountTable, phase: Phase, luck: Luck) -> list[Contact]:
    n_rules = len(phase.routing.rules)
    route_draws = ("channel", "team", *(f"rule {i}" for i in range(n_rules)))
    u_route = luck.uniforms(route_draws, wanted.key)
    category = wanted.category
    channel = pick(u_route[0], phase.categories.channel_shares[category])
    team, first = route(category, u_route[1], u_route[2:], phase.routing)
    answers_first = np.where(first >= 0, first, team)
    attempts = _attempts(wanted, phase, luck, channel)
    contacts = _contacts(wanted, accounts, phase, channel, answers_first, attempts, np.arange(len(category)))
    warm = np.flatnonzero(first >= 0)
    if len(warm):
        seconds = _contacts(wanted.part(warm), accounts, phase, channel[warm], team[warm], attempts, warm)
        for row, second in zip(warm.tolist(), seconds, strict=True):
            contact = contacts[row]
            contact.second = second
            second.leg = 1
            contact.draw, contact.mean_hours = 1.0, phase.routing.warm_transfer_hours
    return contacts


def _contacts(
    wanted: Wanted,
    accounts: AccountTable,
    phase: Phase,
    channel: IntArray,
    team: IntArray,
    attempts: Attempts,
    rows: IntArray,
) -> list[Contact]:
    """Contacts for one leg, with their positions `rows` in `attempts`.

    A second leg is due only once it has been handed over: its due time is set then.
    """
    tables = phase.tables
    cell = tables.cells(team, wanted.category, channel)
    due = due_times(wanted.time, tables.target_hours.take(cell), team, tables.live.take(cell), phase)
    draws = [draw[0, rows].tolist() for draw in (attempts.handle, attempts.u_resolve, attempts.patience)]
    columns = zip(
        wanted.key.tolist(),
        wanted.account.tolist(),
        map(phase.kinds.__getitem__, cell.tolist()),
        repeat(0, len(rows)),
        accounts.owner[team, wanted.account].tolist(),
        wanted.time.tolist(),
        due.tolist(),
        wanted.expires.tolist(),
        *draws,
        repeat(attempts, len(rows)),
        rows.tolist(),
        strict=True,
    )
    return list(starmap(Contact, columns))


def _attempts(wanted: Wanted, phase: Phase, luck: Luck, channel: IntArray) -> Attempts:
    """The luck of the first and all later attempts. Delays are exponential in working days."""
    rules, category = phase.routing, wanted.category
    keys = key_of(wanted.key, np.arange(rules.max_attempts if phase.switches.repeats else 1)[:, np.newaxis])
    draws = luck.uniforms(_ATTEMPT_DRAWS, keys.ravel()).reshape(len(_ATTEMPT_DRAWS), *keys.shape)
    u_handle, u_resolve, u_patience, u_back, u_after = draws
    delay = exponential(u_after, rules.repeat_delay_mean_days / phase.demand.profile.days)
    delay[(u_back >= rules.repeat_probability) | phase.categories.company[category]] = np.inf
    return Attempts(
        handle=lognormal(u_handle, 1.0, phase.categories.handle_cv[category]),
        u_resolve=u_resolve,
        patience=exponential(u_patience, phase.channels.patience_hours[channel]),
        weeks_until_back=delay,
    )


def contact_rows(contacts: NDArray[Any], accounts: AccountTable, phase: Phase, now: float) -> list[NDArray[Any]]:
    """Columns of the ledger for contacts (an array of `RECORD`), in its order. Open ones have waited until `now`."""
    of = {name: contacts[name].copy() for name in RECORD.names or ()}
    account, live, queued, started = of["account"], of["live"], of["queued"], of["started"]
    team, category, channel = np.unravel_index(of["cell"], phase.tables.live.shape)
    served = ~np.isnan(started)
    over = np.where(np.isnan(of["ended"]), now, of["ended"])
    until = np.where(served, started, over)
    wait = until - queued
    for hours, teams in phase.business_hours:
        rows = np.flatnonzero(teams[team] & ~live)
        if len(rows):
            begin, end = hours.open_hours(np.array([queued[rows], until[rows]]))
            wait[rows] = end - begin
    return [
        of["key"],
        account,
        of["attempt"],
        of["leg"],
        accounts.tier[account],
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
        wait * 60,
        of["worked_hours"] * 60,
        np.where(served, phase.channels.cost[channel], 0.0),
        of["outcome"],
    ]
