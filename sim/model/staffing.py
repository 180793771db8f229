"""Staffing: seats open and close, people are hired and leave.

In: the contact centre and a phase's headcounts. Out: changed seats; which of them need an owner or a book is noted.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from sim.model.center_state import open_until
from sim.model.ledger import HIRED, LET_GO, QUIT
from sim.model.queue import Queue
from sim.model.staff import BUSY, Agent, count_duty, go_home, person_key

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter


def set_headcount(center: ContactCenter, team: int, now: float) -> None:
    """Opens or closes seats until there are as many as the headcount; planned hires start at once.

    New seats are noted in `opened`, closed ones in `vacated`, for the accounts' owners.
    """
    rules = center.phase.teams[team]
    agents = center.teams[team].agents
    open_seats = [agent for agent in agents if not agent.closed]
    for agent in reversed(open_seats[rules.headcount :]):
        agent.closed = True
        if agent.employed:
            _leave(center, agent, LET_GO, now)
        else:
            center.state.vacated.append((team, agent.seat))
    wanted = rules.headcount - len(open_seats)
    closed_seats = [agent for agent in agents if agent.closed]
    for _ in range(wanted):
        if closed_seats:
            agent = closed_seats.pop(0)
            agent.closed = False
            hire(center, agent, now)
        else:
            agent = Agent(team, len(agents), now, rules.key)
            agents.append(agent)
            agent.event = HIRED
            agent.hiring_cost += rules.hiring_cost
        center.state.opened.append((team, agent.seat))


def hire(center: ContactCenter, agent: Agent, now: float) -> None:
    """A new person takes a vacant seat: unburdened, and slow until ramped up."""
    rules = center.phase.teams[agent.team]
    agent.employed = True
    agent.occupant += 1
    agent.key = person_key(rules.key, agent.seat, agent.occupant)
    agent.hired_at = now
    agent.fatigue = agent.burnout = 0.0
    agent.day_week_share, agent.ended_day = 0.0, ()
    agent.event = HIRED
    agent.hiring_cost += rules.hiring_cost


def quit_job(center: ContactCenter, agent: Agent, now: float) -> None:
    """A person leaves the company: the seat is vacant, the team covers its queue."""
    _leave(center, agent, QUIT, now)


def _leave(center: ContactCenter, agent: Agent, event: int, now: float) -> None:
    agent.employed = False
    agent.present = False
    agent.vacated_at = now
    agent.event = event
    team = center.teams[agent.team]
    if agent in team.idle:
        team.idle.remove(agent)
    if agent.contact is not None:
        center.count_hours(agent, agent.contact, now)
    count_duty(agent, now)
    if agent.state != BUSY:
        go_home(agent)
    agent.on_duty = False
    agent.shift_end, agent.day_end = min(agent.shift_end, now), min(agent.day_end, now)
    open_until(team)
    for contact in agent.queue.sweep(-inf)[1]:
        team.pool.push(contact)
    agent.queue = Queue()
    if agent.paused is not None:
        contact, agent.paused = agent.paused, None
        center.offer(contact, now)
    center.state.vacated.append((agent.team, agent.seat))
