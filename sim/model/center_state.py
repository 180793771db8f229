"""What the contact centre is made of: its teams, and the state from which it can go on.

In: a phase's teams. Out: `CenterState`, which holds no events and no clock, so that it can be copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from sim.model.inputs import Phase
from sim.model.queue import Contact, Queue
from sim.model.staff import Agent

_LONG_AGO = -1e9


@dataclass
class TeamState:
    """One team: its seats, the shared queue, and who is idle (longest first)."""

    agents: list[Agent] = field(default_factory=list)
    pool: Queue = field(default_factory=Queue)
    idle: list[Agent] = field(default_factory=list)
    open_until: float = -inf  # when the last of those on duty goes home


def open_until(team: TeamState) -> None:
    """Notes when the last of those on duty goes home."""
    team.open_until = max([agent.shift_end for agent in team.agents if agent.on_duty], default=-inf)


@dataclass
class CenterState:
    """All that has to be kept to go on later: no events, no clock."""

    teams: list[TeamState]
    finished: list[bytes] = field(default_factory=list)  # a `RECORD` for each contact that ended this week
    returning: dict[tuple[int, int], Contact] = field(default_factory=dict)  # by key and attempt
    vacated: list[tuple[int, int]] = field(default_factory=list)  # (team, seat) whose book needs a new owner
    opened: list[tuple[int, int]] = field(default_factory=list)  # (team, seat) that needs a book
    day_end: float = -inf  # of the last working day that has begun


def opening_state(phase: Phase, vacancies: tuple[int, ...], burnout: tuple[float, ...], now: float) -> CenterState:
    """Teams before the first day: full seats with experienced people, the last ones vacant."""
    teams = []
    for index, rules in enumerate(phase.teams):
        agents = []
        for seat in range(rules.headcount):
            agent = Agent(index, seat, _LONG_AGO, rules.key)
            agent.fatigue = agent.burnout = burnout[index]
            if seat >= rules.headcount - vacancies[index]:
                agent.employed = False
                agent.vacated_at = now
            agents.append(agent)
        teams.append(TeamState(agents=agents))
    return CenterState(teams=teams)
