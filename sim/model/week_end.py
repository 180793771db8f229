"""What the end of a week asks of the contact centre: what waits, what is in hand, everybody's hours so far.

In: the contact centre. Out: contacts that ended because their window passed or their account left, and counted hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.model import side_by_side
from sim.model.ledger import EXPIRED, WITHDRAWN
from sim.model.queue import NO_MORE, Contact, Queue
from sim.model.staff import count_duty

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter


def _queues(center: ContactCenter) -> Iterator[Queue]:
    for team in center.teams:
        yield from team.pools.values()
        for agent in team.agents:
            yield agent.queue


def sweep(center: ContactCenter, now: float) -> list[Contact]:
    """Ends the contacts whose window has passed; returns those that still wait."""
    still_waiting: list[Contact] = []
    for queue in _queues(center):
        expired, waiting = queue.sweep(now)
        for contact in expired:
            center.finish(contact, EXPIRED, contact.expires)
        still_waiting += waiting
    return still_waiting


def withdraw(center: ContactCenter, accounts: set[int], waiting: list[Contact], now: float) -> None:
    """Ends what waits for accounts that have left, and forgets what they would have raised again.

    What has been begun is finished, as if in hand.
    """
    begun = [contact for contact in waiting if contact.seat >= 0]
    for contact in waiting:
        if contact.account in accounts and contact.seat < 0 and contact.queue is not None:
            contact.queue.leave(contact)
            center.finish(contact, WITHDRAWN, now)
    for contact in center.state.returning.values():
        if contact.account in accounts:
            contact.withdrawn = True
    for agent in (agent for team in center.teams for agent in team.agents):
        begun += [contact for contact in (agent.contact, agent.paused, *agent.side_by_side) if contact is not None]
    for contact in begun:
        if contact.account in accounts:
            contact.attempts = NO_MORE
            if contact.second is not None:
                contact.second.withdrawn = True


def in_service(center: ContactCenter) -> Iterator[Contact]:
    """All contacts that are being handled or were put down by their agent."""
    for team in center.teams:
        for agent in team.agents:
            for contact in (agent.contact, *agent.side_by_side, agent.paused):
                if contact is not None:
                    yield contact


def count_all(center: ContactCenter, now: float) -> None:
    """Counts everybody's hours on contacts and on duty up to now."""
    for team in center.teams:
        for agent in team.agents:
            if agent.contact is not None:
                center.count_hours(agent, agent.contact, now)
            side_by_side.work_off(center, agent, now)
            count_duty(agent, now)
            if agent.on_duty:
                center.note_duty(agent, now)
                agent.desk_since = now
