"""What the contact centre is made of: its teams, and the state from which it can go on.

In: a phase's teams. Out: `CenterState`, which holds no events and no clock, so that it can be copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from sim.model.inputs import Phase
from sim.model.queue import Contact, Line, Queue
from sim.model.staff import Agent

_LONG_AGO = -1e9


@dataclass(slots=True)
class TeamState:
    """One team: its seats, its shared queues, and who is idle (longest first)."""

    agents: list[Agent] = field(default_factory=list)
    line: Line = field(default_factory=Line)
    pools: dict[str, Queue] = field(default_factory=dict)  # by the skill that their contacts need
    skills: frozenset[str] = frozenset()  # that somebody's seat has by the rules of now
    idle: list[Agent] = field(default_factory=list)
    open_until: float = -inf  # when the last of those on duty goes home

    def pool(self, skill: str = "") -> Queue:
        """The queue of contacts that whoever has the skill may take; without one, everybody.

        A skill that a dated change has taken from the whole team binds nobody: contacts of before would wait for ever.
        """
        if skill and skill not in self.skills:
            skill = ""
        queue = self.pools.get(skill)
        if queue is None:
            queue = self.pools[skill] = Queue(self.line)
            for agent in self.agents:
                self.give_queues(agent)
        return queue

    def needs(self, skill: str) -> str:
        """The skill that whoever of the team takes a contact must have; empty if nobody has it any more."""
        return skill if skill in self.skills else ""

    def give_queues(self, agent: Agent) -> None:
        """Lets an agent take what its skills allow: its own queue, and the shared ones."""
        shared = (queue for skill, queue in self.pools.items() if not skill or skill in agent.skills)
        agent.queues = (agent.queue, *shared)


def open_until(team: TeamState) -> None:
    """Notes when the last of those on duty goes home."""
    team.open_until = max([agent.shift_end for agent in team.agents if agent.on_duty], default=-inf)


@dataclass(slots=True)
class CenterState:
    """All that has to be kept to go on later: no events, no clock."""

    teams: list[TeamState]
    finished: list[bytes] = field(default_factory=list)  # a `RECORD` for each contact that ended this week
    duty: list[tuple[int, int, float, float]] = field(default_factory=list)  # team, seat, at the desk from and to
    returning: dict[tuple[int, int], Contact] = field(default_factory=dict)  # by key and attempt
    with_open_contact: set[int] = field(default_factory=set)  # accounts, where they may have only one
    vacated: list[tuple[int, int]] = field(default_factory=list)  # (team, seat) whose book needs a new owner
    opened: list[tuple[int, int]] = field(default_factory=list)  # (team, seat) that needs a book
    day_end: float = -inf  # of the last working day that has begun


def opening_state(phase: Phase, vacancies: tuple[int, ...], burnout: tuple[float, ...], now: float) -> CenterState:
    """Teams before the first day: full seats with experienced people, the last ones vacant."""
    teams = []
    for index, rules in enumerate(phase.teams):
        team = TeamState()
        for seat in range(rules.headcount):
            agent = Agent(index, seat, _LONG_AGO, rules.key, Queue(team.line))
            agent.fatigue = agent.burnout = burnout[index]
            if seat >= rules.headcount - vacancies[index]:
                agent.employed = False
                agent.vacated_at = now
            team.agents.append(agent)
        teams.append(team)
    return CenterState(teams=teams)
