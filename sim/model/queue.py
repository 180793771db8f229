"""Contacts and the queues in which they wait: priority, then due time, then arrival.

A contact is a row, not a process. Queues are heaps with lazy cancellation: a contact that stopped waiting is
dropped when it comes to the head.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import inf, nan

Entry = tuple[float, float, int, "Contact"]
Draws = tuple[float, float, float, float]  # weeks until it comes back (inf: never), handle time, resolution, patience

LEVELS = 11  # 0 for live contacts, then priorities 0 to 9


class Contact:
    """One contact on its way through one team's queue."""

    __slots__ = (
        "account", "again", "attempt", "born", "category", "channel", "customer", "draw", "due", "ended", "expires",
        "key", "leg", "level", "live", "mean_hours", "outcome", "owner", "patience", "planned", "queued",
        "resolution", "seat", "second", "started", "target_hours", "team", "u_resolve", "urgent", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        key: int,
        account: int,
        category: int,
        channel: int,
        team: int,
        attempt: int,
        owner: int,
        live: bool,
        customer: bool,
        planned: bool,
        urgent: bool,
        level: int,
        born: float,
        due: float,
        target_hours: float,
        expires: float,
        draw: float,
        mean_hours: float,
        u_resolve: float,
        resolution: float,
        patience: float,
        again: tuple[Draws, ...],
    ) -> None:
        self.key = key
        self.account = account
        self.category = category
        self.channel = channel
        self.team = team
        self.attempt = attempt
        self.leg = 0
        self.second: Contact | None = None  # what follows if this is only answered and handed over
        self.owner = owner  # the account's seat in `team`, -1 if the team shares its queue
        self.live = live
        self.customer = customer  # started by the customer
        self.planned = planned  # started by the company's playbook
        self.urgent = urgent
        self.level = level
        self.born = born
        self.queued = born
        self.due = due
        self.target_hours = target_hours  # clock hours if live, business hours if not
        self.expires = expires
        self.draw = draw  # handle time over its mean
        self.mean_hours = mean_hours
        self.u_resolve = u_resolve
        self.resolution = resolution
        self.patience = patience  # hours
        self.again = again  # the luck of later attempts, the first repeat first
        self.started = nan
        self.ended = nan
        self.seat = -1
        self.outcome = -1
        self.waiting = False

    def repeat(self, born: float) -> Contact:
        """The next attempt at the same matter: same channel and team, its own luck."""
        _, draw, u_resolve, patience = self.again[self.attempt]
        again = Contact(
            self.key, self.account, self.category, self.channel, self.team, self.attempt + 1, self.owner, self.live,
            self.customer, self.planned, self.urgent, self.level, born, nan, self.target_hours, self.expires, draw,
            self.mean_hours, u_resolve, self.resolution, patience, self.again,
        )  # fmt: skip
        if self.second is not None:  # it was to be answered and handed over, and still is
            again.draw = self.draw
            again.second = self.second.repeat(born)
            again.second.leg = 1
        return again


class Queue:
    """Waiting contacts by level; within a level the earliest due is first, then the earliest queued."""

    __slots__ = ("heaps", "levels")

    def __init__(self) -> None:
        self.heaps: list[list[Entry]] = [[] for _ in range(LEVELS)]
        self.levels = 0  # bit n is set if level n may hold a waiting contact

    def push(self, contact: Contact) -> None:
        """Adds a contact."""
        heap = self.heaps[contact.level]
        contact.waiting = True
        self.levels |= 1 << contact.level
        heappush(heap, (contact.due, contact.queued, contact.key, contact))

    def head(self, level: int, now: float) -> Entry | None:
        """The first waiting contact of a level that has not expired."""
        heap = self.heaps[level]
        while heap:
            contact = heap[0][3]
            if contact.waiting and contact.expires > now:
                return heap[0]
            if contact.waiting:  # expired: stays for the weekly sweep, which records it; look past it
                return self.first(level, now, inf, 1.0, True)
            heappop(heap)
        self.levels &= ~(1 << level)
        return None

    def first(self, level: int, now: float, hours_left: float, factor: float, overtime: bool) -> Entry | None:
        """The first contact of a level that an agent may take.

        It waits, has not expired, and fits into the hours left (its mean time by the agent's factor), or it
        may overrun: see `may_overrun`.
        """
        best: Entry | None = None
        for entry in self.heaps[level]:
            contact = entry[3]
            if (
                contact.waiting
                and (best is None or entry < best)
                and contact.expires > now
                and (contact.mean_hours * factor <= hours_left or may_overrun(contact, now, hours_left, overtime))
            ):
                best = entry
        return best

    def sweep(self, now: float) -> tuple[list[Contact], list[Contact]]:
        """Takes out what has expired, and drops entries that no longer wait; returns who expired and who waits."""
        expired: list[Contact] = []
        waiting: list[Contact] = []
        for heap in self.heaps:
            if not heap:
                continue
            kept = []
            for entry in heap:
                contact = entry[3]
                if not contact.waiting:
                    continue
                if contact.expires <= now:
                    contact.waiting = False
                    expired.append(contact)
                else:
                    kept.append(entry)
                    waiting.append(contact)
            if len(kept) < len(heap):
                heapify(kept)
                heap[:] = kept
        return expired, waiting


def is_urgent(contact: Contact, now: float) -> bool:
    """May run over the shift's end: a live customer, urgent work, or a customer's contact past its due time."""
    return contact.live or contact.urgent or (contact.customer and now > contact.due)


def may_overrun(contact: Contact, now: float, hours_left: float, overtime: bool) -> bool:
    """Urgent work may be started although it will run past the shift's end, or (with overtime) after it."""
    return is_urgent(contact, now) and (overtime or (contact.live and hours_left > 0))
