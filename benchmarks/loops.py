"""Two yardsticks: a two-team contact centre in its barest form, once with rows and once with processes.

In: `Drawn`, contacts with pre-drawn random numbers. Out: how many were served, and the sum of their waits, by
which a test sees that both loops are one model. Agents work round the clock; a team serves the lowest priority
first, then the earliest arrival. No accounts, no shifts, no repeats, no statistics.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.model.luck import Luck, exponential, lognormal
from sim.model.routing import pick

AGENTS = (6, 5)
CSM_SHARE = 0.45
PRIORITIES = 8
OCCUPANCY = 0.8
HANDLE_HOURS_MEAN = 0.7
HANDLE_CV = 1.0


@dataclass(frozen=True)
class Drawn:
    """Contacts in order of arrival, one list element each: hours until the next, team, priority, handle hours."""

    gap_hours: list[float]
    team: list[int]
    priority: list[int]
    handle_hours: list[float]


def draw(contacts: int, seed: int = 1) -> Drawn:
    """Pre-drawn contacts for both loops; both teams are busy about 80 % of the time."""
    keys: NDArray[np.uint64] = np.arange(contacts, dtype=np.uint64)
    u_gap, u_team, u_priority, u_handle = Luck(seed, 0).uniforms(("gap", "team", "priority", "handle time"), keys)
    capacity_per_hour = OCCUPANCY * sum(AGENTS) / HANDLE_HOURS_MEAN
    shares = np.array([CSM_SHARE, 1.0])
    return Drawn(
        gap_hours=exponential(u_gap, 1 / capacity_per_hour).tolist(),
        team=pick(u_team, np.broadcast_to(shares, (contacts, 2))).tolist(),
        priority=(u_priority * PRIORITIES).astype(int).tolist(),
        handle_hours=lognormal(u_handle, HANDLE_HOURS_MEAN, HANDLE_CV).tolist(),
    )


class Row:
    """One contact, as the engine has it: a row, not a process."""

    __slots__ = ("agent", "ended", "handle_hours", "number", "priority", "queued", "started", "team")

    def __init__(self, number: int, team: int, priority: int, handle_hours: float, queued: float) -> None:
        self.number = number
        self.team = team
        self.priority = priority
        self.handle_hours = handle_hours
        self.queued = queued
        self.started = self.ended = -1.0
        self.agent = -1


class RowLoop:
    """Rows and callbacks: two events per contact, an arrival and the end of its service."""

    def __init__(self, drawn: Drawn) -> None:
        self.env = simpy.Environment()
        self.columns = zip(drawn.gap_hours, drawn.team, drawn.priority, drawn.handle_hours, strict=True)
        self.queues: tuple[list[tuple[int, float, int, Row]], ...] = tuple([] for _ in AGENTS)
        self.idle = tuple(list(range(agents)) for agents in AGENTS)
        self.finished: list[Row] = []
        self.next = next(self.columns)
        self._expect(0)

    def _expect(self, number: int) -> None:
        self.env.timeout(self.next[0], number).callbacks.append(self._arrive)

    def _arrive(self, event: simpy.Event) -> None:
        number: int = event.value
        _, team, priority, handle_hours = self.next
        row = Row(number, team, priority, handle_hours, self.env.now)
        following = next(self.columns, None)
        if following is not None:
            self.next = following
            self._expect(number + 1)
        if self.idle[team]:
            self._start(row, self.idle[team].pop())
        else:
            heappush(self.queues[team], (priority, row.queued, number, row))

    def _start(self, row: Row, agent: int) -> None:
        row.agent = agent
        row.started = self.env.now
        self.env.timeout(row.handle_hours, row).callbacks.append(self._end)

    def _end(self, event: simpy.Event) -> None:
        row: Row = event.value
        row.ended = self.env.now
        self.finished.append(row)
        queue = self.queues[row.team]
        if queue:
            self._start(heappop(queue)[3], row.agent)
        else:
            self.idle[row.team].append(row.agent)


def rows_and_callbacks(drawn: Drawn) -> tuple[int, float]:
    """Contacts served and the sum of their waits in hours, with a row per contact."""
    loop = RowLoop(drawn)
    loop.env.run()
    return len(loop.finished), sum(row.started - row.queued for row in loop.finished)


def processes(drawn: Drawn) -> tuple[int, float]:
    """Contacts served and the sum of their waits in hours, with a SimPy process per contact."""
    env = simpy.Environment()
    teams = [simpy.PriorityResource(env, capacity=agents) for agents in AGENTS]
    waits: list[float] = []

    def contact(team: int, priority: int, handle_hours: float) -> Generator[Any, None, None]:
        queued = env.now
        with teams[team].request(priority=priority) as turn:
            yield turn
            waits.append(env.now - queued)
            yield env.timeout(handle_hours)

    def arrivals() -> Generator[Any, None, None]:
        for gap_hours, team, priority, handle_hours in zip(
            drawn.gap_hours, drawn.team, drawn.priority, drawn.handle_hours, strict=True
        ):
            yield env.timeout(gap_hours)
            env.process(contact(team, priority, handle_hours))

    env.process(arrivals())
    env.run()
    return len(waits), sum(waits)
