"""Waiting contacts that change hands: dated changes of skills and seats, and people who are absent.

In: the contact centre. Out: contacts in other queues, or with whoever of the team may start them at once.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from sim.model.staff import Agent

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter


def set_skills(center: ContactCenter) -> None:
    """Lets everybody take what the phase's skills allow.

    1. What waits for a skill that nobody of the team has any more is for everybody.
    2. Who is idle takes what the new skills open.
    """
    now = center.agenda.time
    for team, rules in zip(center.teams, center.phase.teams, strict=True):
        team.skills = frozenset(skill for mine in rules.seats if mine.seats for skill in mine.skills)
        for mine in rules.seats:
            for agent in team.agents[mine.first : mine.first + mine.seats]:
                agent.skills = frozenset(mine.skills)
                team.give_queues(agent)
        for queue in [queue for skill, queue in team.pools.items() if team.needs(skill) != skill]:
            for contact in queue.sweep(-inf)[1]:
                queue.leave(contact)
                if contact.seat < 0:
                    team.pool().push(contact)
                else:
                    team.pool().push_first(contact)
        for agent in tuple(team.idle):
            waiting = center.next_contact(agent, now)
            if waiting is not None:
                team.idle.remove(agent)
                center.start(agent, waiting, now)


def pass_on(center: ContactCenter) -> None:
    """What customers wait for in a team that has no seats any more goes to another team; other work stays.

    Planned and triggered work of such a team expires: nobody takes its place.
    """
    now = center.agenda.time
    for index, cells in center.phase.heirs.items():
        for queue in tuple(center.teams[index].pools.values()):
            for contact in queue.sweep(-inf)[1]:
                if contact.kind.cell not in cells:
                    continue
                queue.leave(contact)
                if contact.seat < 0:
                    center.arrive(contact, now)
                else:  # begun and put down: as much is left of it as before
                    hours = contact.mean_hours
                    contact.overflows(center.phase.kinds[cells[contact.kind.cell]])
                    contact.mean_hours = hours
                    center.offer(contact, now)


def cover(center: ContactCenter, agent: Agent, now: float) -> None:
    """Colleagues cover for somebody who is absent.

    1. What the person had put down goes to the team.
    2. So does what customers and events have put into the person's own queue; planned work waits.
    """
    if agent.paused is not None:
        contact, agent.paused = agent.paused, None
        center.offer(contact, now)
    team = center.teams[agent.team]
    for contact in agent.queue.reactive(now):
        agent.queue.leave(contact)
        if not center.start_at_once(contact, now):
            team.pool(contact.kind.skill).push(contact)
