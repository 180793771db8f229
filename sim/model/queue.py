"""Contacts and the queues in which they wait: priority, then due time, then arrival.

A contact is a row, not a process. Queues are heaps with lazy cancellation: a contact that stopped waiting is
dropped when it comes to the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf, nan
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.kinds import FloatArray, Kind

Entry = tuple[float, float, int, "Contact"]

LEVELS = 11  # 0 for live contacts, then priorities 0 to 9
LEVELS_IN = [tuple(n for n in range(LEVELS) if bits >> n & 1) for bits in range(1 << LEVELS)]  # by a queue's bits


@dataclass(frozen=True)
class Attempts:
    """The luck of every attempt at the matters of one block of contacts; arrays (attempts, contacts).

    Where matters can be passed on, `handle`, `u_resolve` and `patience` have as many rows again for each time.
    """

    tries: int  # attempts at most
    handle: FloatArray  # handle time over its mean
    u_resolve: FloatArray
    patience: FloatArray  # hours
    weeks_until_back: FloatArray  # since the attempt before, in weeks of the contact profile; inf: never
    redial_hours: FloatArray | None  # after giving up or a full line; inf: never, nan: like an unresolved matter


_NOTHING = np.zeros((0, 0))
NO_MORE = Attempts(1, _NOTHING, _NOTHING, _NOTHING, _NOTHING, None)


# What is kept of a contact that has ended. It is packed while the contact is at hand, and the contact is let go:
# to read many contacts much later, column by column, takes twice the time.
RECORD = np.dtype(
    [
        ("key", "u8"), ("born", "f8"), ("queued", "f8"), ("due", "f8"), ("started", "f8"), ("ended", "f8"),
        ("worked_hours", "f8"),
        ("account", "i4"), ("cell", "i4"), ("attempt", "i4"), ("leg", "i4"), ("seat", "i4"), ("outcome", "i4"),
        ("live", "?"),
    ]
)  # fmt: skip
pack_record = Struct("=Q6d6i?").pack


def records(rows: Sequence[bytes]) -> NDArray[Any]:
    """What `pack_record` gave for several contacts, as one array of `RECORD`."""
    return np.frombuffer(b"".join(rows), RECORD)


class Contact:
    """One contact on its way through one team's queue."""

    __slots__ = (
        "account", "attempt", "attempts", "born", "draw", "due", "ended", "expires", "hop", "key", "kind",
        "left_hours", "leg", "level", "live", "mean_hours", "owner", "patience", "queue", "queued", "row", "seat",
        "second", "started", "target_hours", "u_resolve", "window", "withdrawn", "worked_hours",
    )  # fmt: skip

    left_hours: float  # of work, at the pace of a single one; set for contacts handled side by side
    ended: float  # by plan, once work on it has begun
    window: float  # until when what was put down could have been begun; not set before

    def __init__(
        self,
        key: int,
        account: int,
        kind: Kind,
        attempt: int,
        owner: int,
        born: float,
        due: float,
        expires: float,
        draw: float,
        u_resolve: float,
        patience: float,
        attempts: Attempts,
        row: int,
    ) -> None:
        self.key = key
        self.account = account
        self.kind = kind
        self.attempt = attempt
        self.leg = 0
        self.hop = 0  # how often it has been passed on unsettled
        self.second: Contact | None = None  # what follows if this is only answered and handed over, or bounces
        self.owner = owner  # the account's seat in the team, -1 if it shares its queue
        self.live = kind.live  # this and the next two change when it becomes a call-back
        self.level = kind.level
        self.target_hours = kind.target_hours
        self.born = born
        self.queued = born
        self.due = due
        self.expires = expires
        self.draw = draw  # handle time over its mean
        self.mean_hours = kind.mean_hours
        self.u_resolve = u_resolve
        self.patience = patience  # hours
        self.attempts = attempts
        self.row = row  # its position in `attempts`
        self.started = nan
        self.worked_hours = 0.0  # of working time so far
        self.seat = -1  # of whoever worked on it last
        self.withdrawn = False  # its account has left
        self.queue: Queue | None = None  # in which it waits

    def __lt__(self, other: Contact) -> bool:
        """Settles which of two entries of one matter comes first, where one of them is of before it was put down."""
        return (self.attempt, self.leg) < (other.attempt, other.leg)

    def put_down(self, hours_left: float) -> Contact:
        """What is left of it when work on it stops, with so many hours to go at full speed.

        Whoever has time for that, or for as much as a usual one takes, may take it up. What has been begun does not
        expire. It is another object, since queues drop entries of the old one only later.
        """
        rest = copy(self)
        rest.mean_hours = min(self.mean_hours, hours_left)
        rest.draw = hours_left / rest.mean_hours
        rest.window, rest.expires = self.expires, inf
        return rest

    def take_up(self) -> None:
        """Work on it goes on; its matter has a window again, in which it may be raised once more."""
        self.expires = self.window

    def weeks_until_back(self) -> float:
        """How long until the matter is raised again if this attempt fails, in weeks of the profile; inf: never."""
        if self.attempt + 1 >= self.attempts.tries:
            return inf
        return self.attempts.weeks_until_back.item(self.attempt + 1, self.row)

    def hours_until_redial(self) -> float:
        """How long until who gave up or found the line full calls again; inf: never, nan: no redial is known."""
        if self.attempt + 1 >= self.attempts.tries:
            return inf
        hours = self.attempts.redial_hours
        return nan if hours is None else hours.item(self.attempt + 1, self.row)

    def repeat(self, born: float) -> Contact:
        """The next attempt at the same matter: same channel and team, its own luck.

        A customer who was to be called back calls again, and waits on the line if somebody is there.
        """
        cell = (self.attempt + 1, self.row)
        draws = self.attempts
        draw, u_resolve, patience = draws.handle.item(cell), draws.u_resolve.item(cell), draws.patience.item(cell)
        again = Contact(
            self.key, self.account, self.kind, self.attempt + 1, self.owner, born, nan, self.expires, draw, u_resolve,
            patience, draws, self.row,
        )  # fmt: skip
        if self.second is not None:  # it was to be answered and handed over, and still is
            again.draw, again.mean_hours = self.draw, self.mean_hours
            again.second = self.second.repeat(born)
            again.second.leg = 1
        return again

    def may_be_passed_on(self) -> bool:
        """Whether there is luck for one more team: a matter is passed on as often as there are levels at most."""
        return (self.hop + 2) * self.attempts.tries <= len(self.attempts.handle)

    def passed_on(self, kind: Kind, now: float) -> Contact:
        """The same attempt at the matter by another team, with luck of its own; whoever is there takes it."""
        draws = self.attempts
        cell = ((self.hop + 1) * draws.tries + self.attempt, self.row)
        draw, u_resolve, patience = draws.handle.item(cell), draws.u_resolve.item(cell), draws.patience.item(cell)
        new = Contact(
            self.key, self.account, kind, self.attempt, -1, now, nan, self.expires, draw, u_resolve, patience, draws,
            self.row,
        )  # fmt: skip
        new.leg, new.hop = self.leg + 1, self.hop + 1
        return new

    def overflows(self, kind: Kind) -> None:
        """From now on it is another team's; one that was to be answered and handed over still is."""
        self.kind, self.owner = kind, -1
        if self.second is None:
            self.mean_hours = kind.mean_hours
        self.live, self.level, self.target_hours = kind.live, kind.level, kind.target_hours


class Line:
    """How many contacts wait for a team, in all its queues: customers' and triggered ones, and live ones."""

    __slots__ = ("live", "waiting")

    def __init__(self) -> None:
        self.live = self.waiting = 0


class Queue:
    """Waiting contacts by level; within a level the earliest due is first, then the earliest queued."""

    __slots__ = ("heaps", "levels", "line", "shortest_hours")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.heaps: list[list[Entry]] = [[] for _ in range(LEVELS)]
        self.levels = 0  # bit n is set if level n may hold a waiting contact
        self.shortest_hours = [inf] * LEVELS  # none of the level has a shorter mean; -inf once one might overrun

    def push(self, contact: Contact) -> None:
        """Adds a contact."""
        level, kind = contact.level, contact.kind
        contact.queue = self
        self.levels |= 1 << level
        if not kind.planned:
            self.line.waiting += 1
            if contact.live:
                self.line.live += 1
        if kind.customer or kind.urgent:
            self.shortest_hours[level] = -inf
        elif contact.mean_hours < self.shortest_hours[level]:
            self.shortest_hours[level] = contact.mean_hours
        heappush(self.heaps[level], (contact.due, contact.queued, contact.key, contact))

    def push_first(self, contact: Contact) -> None:
        """Adds a contact that was begun and put down: it goes before all others."""
        due, contact.level, contact.due = contact.due, 0, -inf
        self.push(contact)
        contact.due = due

    def leave(self, contact: Contact) -> None:
        """A contact stops waiting; its entry is dropped when it comes to the head."""
        contact.queue = None
        if not contact.kind.planned:
            self.line.waiting -= 1
            if contact.live:
                self.line.live -= 1

    def take(self, entry: Entry, level: int) -> None:
        """A contact stops waiting; its entry goes too if it is at the head, and the level is empty after the last."""
        contact, heap = entry[3], self.heaps[level]
        contact.queue = None
        if not contact.kind.planned:
            self.line.waiting -= 1
            if contact.live:
                self.line.live -= 1
        if heap[0] is entry:
            heappop(heap)
            if not heap:
                self.levels &= ~(1 << level)
                self.shortest_hours[level] = inf

    def head(self, level: int, now: float) -> Entry | None:
        """The first waiting contact of a level that has not expired."""
        heap = self.heaps[level]
        while heap:
            entry = heap[0]
            contact = entry[3]
            if contact.queue is self and contact.expires > now:
                return entry
            if contact.queue is self:  # expired: stays for the weekly sweep, which records it; look past it
                return self.first(level, now, inf, 1.0, True)
            heappop(heap)
        self.levels &= ~(1 << level)
        self.shortest_hours[level] = inf
        return None

    def first(self, level: int, now: float, hours_left: float, factor: float, overtime: bool) -> Entry | None:
        """The first contact of a level that an agent may take.

        It waits, has not expired, and fits into the hours left (its mean time by the agent's factor), or it
        may overrun: see `may_overrun`. A level with only longer work that may not overrun is passed over at once:
        near a shift's end that is most of a backlog, for each agent who becomes free.
        """
        if self.shortest_hours[level] * factor > hours_left:
            return None
        best: Entry | None = None
        for entry in self.heaps[level]:
            contact = entry[3]
            if (
                contact.queue is self
                and (best is None or entry < best)
                and contact.expires > now
                and (contact.mean_hours * factor <= hours_left or may_overrun(contact, now, hours_left, overtime))
            ):
                best = entry
        return best

    def reactive(self, now: float) -> list[Contact]:
        """What waits that is not planned work, in the order in which it would be served; nothing that has expired."""
        entries = [
            (level, *entry)
            for level, heap in enumerate(self.heaps)
            for entry in heap
            if entry[3].queue is self and not entry[3].kind.planned and entry[3].expires > now
        ]
        return [entry[4] for entry in sorted(entries, key=lambda entry: entry[:4])]

    def sweep(self, now: float) -> tuple[list[Contact], list[Contact]]:
        """Takes out what has expired, and drops entries that no longer wait; returns who expired and who waits."""
        expired: list[Contact] = []
        waiting: list[Contact] = []
        for heap in filter(None, self.heaps):
            still = [entry[3] for entry in heap if entry[3].queue is self]
            waits = [contact for contact in still if contact.expires > now]
            waiting += waits
            if len(waits) < len(heap):
                kept = [entry for entry in heap if entry[3].queue is self and entry[3].expires > now]
                over = [contact for contact in still if contact.expires <= now]
                for contact in over:
                    self.leave(contact)
                expired += over
                heapify(kept)
                heap[:] = kept
        return expired, waiting


def may_overrun(contact: Contact, now: float, hours_left: float, overtime: bool) -> bool:
    """Urgent work may be started although it will run past the shift's end, or (with overtime) after it.

    Urgent is a live customer, work that is urgent by its category, or a customer's contact past its due time.
    """
    if contact.live:
        return overtime or hours_left > 0
    return overtime and (contact.kind.urgent or (contact.kind.customer and now > contact.due))
