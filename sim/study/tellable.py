"""Whose story is worth telling: the accounts of one history by what became of them, and the people by what they did.

In: a scenario, seed and replication. Out: a `Cast`: names with a few words each, the most telling accounts first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.model.ledger import EVENTS, PERSON_EVENTS, History, Table
from sim.scenario import AccountSource
from sim.study.given import ScenarioLike
from sim.study.kpi_parts import CENTS, where
from sim.study.next_action import plain_date
from sim.study.story import DECISIONS, moment
from sim.study.trace import account_keys, follow, read, seats

# By kind, in the order in which the stories are worth reading: what became of the account, with the day if it has one.
KINDS: dict[str, str] = {
    "left": "left on {}",
    "saved": "had announced to leave, and stayed on {}",
    "won_back": "left, and came back on {}",
    "unseen": "left on {}, though it had looked healthy",
    "calm": "stayed, and little happened to it",
    "other": "",
}
FIRST_OF_A_KIND = 4
ROUTINE = {"renewal", "midterm", "onboarded"}


@dataclass(frozen=True)
class AccountTold:
    """An account, its ARR in currency a year when the run starts or when it was won, and what became of it.

    kind : a key of `KINDS`. day : when, None if the kind has no day.
    """

    account: str
    arr: float
    kind: str
    day: dt.date | None

    @property
    def words(self) -> str:
        """'left on 4 Oct 2026'; empty for what is nothing special."""
        return KINDS[self.kind].format("" if self.day is None else plain_date(self.day))


@dataclass(frozen=True)
class PersonTold:
    """A seat and what is to be seen there: who quits, else the highest burnout. Simulated."""

    person: str
    words: str


@dataclass(frozen=True)
class Cast:
    """All names of a history. accounts : a few of each kind first, the largest of each, then all others by name."""

    accounts: tuple[AccountTold, ...]
    people: tuple[PersonTold, ...]


def cast(
    scenario: ScenarioLike,
    *,
    replication: int = 0,
    seed: int = 1,
    accounts: AccountSource | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Cast:
    """Everybody of whom a story can be told; parameters and errors are those of `sim.study.trace.trace_account`."""
    one, inputs = read(scenario, replication, seed, accounts)
    history = follow(inputs, seed, replication, None, cancel)
    known = account_keys(one, inputs, seed, replication)
    return cast_of(history, inputs, known)


def cast_of(history: History, inputs: Inputs, known: Mapping[str, int]) -> Cast:
    """The cast of a history. known : the accounts' keys by their names."""
    names = {key: name for name, key in known.items()}
    told = [_account(history, inputs, row, names[int(key)]) for row, key in enumerate(history.accounts["id"])]
    first: list[AccountTold] = []
    for kind in list(KINDS)[:-1]:
        of_kind = sorted((one for one in told if one.kind == kind), key=lambda one: (-one.arr, one.account))
        first += of_kind[:FIRST_OF_A_KIND]
    rest = [one for one in told if one not in first]
    return Cast((*first, *rest), tuple(_people(history, inputs)))


def _account(history: History, inputs: Inputs, row: int, name: str) -> AccountTold:
    table = history.account_events
    mine = where(table, table["account"] == row)
    events = [EVENTS[event] for event in mine["event"]]
    won = [i for i, event in enumerate(events) if event == "won"]
    cents = mine["arr_after_cents"][won[0]] if won else history.accounts["opening_arr_cents"][row]
    kind, time = _kind(inputs, mine, events)
    day = None if time is None else moment(inputs, time).date()
    return AccountTold(name, float(cents) / CENTS, kind, day)


def _kind(inputs: Inputs, mine: Table, events: list[str]) -> tuple[str, float | None]:
    """What became of an account, and when; its events in order of time."""

    def last(rows: list[int]) -> float:
        return float(mine["time"][rows[-1]])

    back = [i for i, event in enumerate(events) if event == "won_back"]
    decided = [i for i, event in enumerate(events) if event in DECISIONS]
    left = [i for i in decided if mine["left"][i]]
    saved = [i for i in decided if mine["announced"][i] and not mine["left"][i]]
    if back:
        return "won_back", last(back)
    if left:
        unseen = mine["seen_health"][left[-1]] > inputs.healthy_above and not mine["announced"][left[-1]]
        return ("unseen" if unseen else "left"), last(left)
    if saved:
        return "saved", last(saved)
    return ("calm" if set(events) <= ROUTINE else "other"), None


def _people(history: History, inputs: Inputs) -> Iterator[PersonTold]:
    people = history.people_weeks
    for name, (team, seat) in seats(inputs).items():
        mine = where(people, (people["team"] == team) & (people["seat"] == seat))
        quits = np.flatnonzero(mine["event"] == PERSON_EVENTS.index("quit"))
        burnout = mine["burnout"][mine["employed"]]
        words = f"burnout up to {burnout.max():.2f}" if len(burnout) else "vacant"
        if len(quits):
            days = [moment(inputs, HOURS_PER_WEEK * int(week)) for week in mine["week"][quits]]
            words = f"quits in {' and in '.join(f'{day:%b %Y}' for day in days)}"
        yield PersonTold(name, words)
