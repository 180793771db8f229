"""Staffing: seats open and close, people are hired and leave.

In: the contact centre and a phase's headcounts. Out: changed seats; which of them need an owner or a book is noted.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from sim.model import side_by_side
from sim.model.center_state import open_until
from sim.model.ledger import HIRED, LET_GO, QUIT
from sim.model.queue import Queue
from sim.model.staff import BUSY, Agent, count_duty, go_home, person_key

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter

NOBODY_YET = -1  # occupant of a seat that has never had one


def set_headcount(center: ContactCenter, team: int, now: float) -> None:
    """Opens or closes seats until there are as many as the headcount; planned hires start at once.

    While hiring is frozen new seats are vacant. Seats that get their person are noted in `opened`, closed ones in
    `vacated`, for the accounts' owners.
    """
    rules = center.phase.teams[team]
    agents = center.teams[team].agents
    open_seats = [agent for agent in agents if not agent.closed]
    for agent in reversed(open_seats[rules.headcount :]):
        agent.closed, agent.needs_book = True, False
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
        else:
            agent = Agent(team, len(agents), now, rules.key, Queue(center.teams[team].line))
            agent.employed, agent.occupant = False, NOBODY_YET
            agents.append(agent)
        agent.vacated_at, agent.needs_book = now, True
        if not rules.hiring_freeze:
            hire(center, agent, now)


def hire(center: ContactCenter, agent: Agent, now: float) -> None:
    """A new person takes a vacant seat: unburdened, in training first, and slow until ramped up."""
    rules = center.phase.teams[agent.team]
    agent.employed = True
    agent.occupant += 1
    agent.key = person_key(rules.key, agent.seat, agent.occupant)
    agent.hired_at = now
    agent.fatigue = agent.burnout = 0.0
    agent.day_week_share, agent.ended_day = 0.0, ()
    agent.recovering = False
    agent.training_weeks_left = rules.training_weeks
    agent.in_training = rules.training_weeks > 0
    agent.event = HIRED
    agent.hiring_cost += rules.hiring_cost
    if agent.needs_book:
        agent.needs_book = False
        center.state.opened.append((agent.team, agent.seat))


def quit_job(center: ContactCenter, agent: Agent, now: float) -> None:
    """A person leaves the company: the seat is vacant, the team covers its queue."""
    _leave(center, agent, QUIT, now)


def _leave(center: ContactCenter, agent: Agent, event: int, now: float) -> None:
    agent.employed = agent.present = agent.in_training = agent.recovering = False
    agent.vacated_at = now
    agent.event = event
    team = center.teams[agent.team]
    if agent in team.idle:
        team.idle.remove(agent)
    if agent.contact is not None:
        center.count_hours(agent, agent.contact, now)
    side_by_side.work_off(center, agent, now)
    count_duty(agent, now)
    if agent.on_duty:
        center.note_duty(agent, now)
    if agent.state != BUSY:
        go_home(agent)
    agent.on_duty = False
    agent.shift_end, agent.day_end = min(agent.shift_end, now), min(agent.day_end, now)
    open_until(team)
    for contact in agent.queue.sweep(-inf)[1]:
        agent.queue.leave(contact)
        team.pool(contact.kind.skill).push(contact)
    if agent.paused is not None:
        contact, agent.paused = agent.paused, None
        center.offer(contact, now)
    center.state.vacated.append((agent.team, agent.seat))
