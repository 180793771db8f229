"""Contacts side by side: one person handles several of a channel at the same time, each the slower for it.

In: the contact centre, an agent and a contact of a channel with `concurrency`. Out: the same as for a single contact,
at the times that sharing makes. With k of them in hand each takes 1 + slower x (k - 1) times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.model.agenda import END_ORDER
from sim.model.staff import BUSY, Agent

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter
    from sim.model.queue import Contact, Entry, Queue


def least_busy(agents: Sequence[Agent], contact: Contact) -> Agent | None:
    """The agent with room for one more who has the fewest in hand; the first seat of several."""
    free = [agent for agent in agents if has_room(agent, contact)]
    return min(free, key=lambda agent: (len(agent.side_by_side), agent.seat), default=None)


def has_room(agent: Agent, contact: Contact) -> bool:
    """Whether an agent who has only contacts side by side in hand may take one more; a call-back is never beside."""
    room = 0 < len(agent.side_by_side) < contact.kind.at_once
    if not contact.live or not room or not agent.on_duty or agent.away_pending:
        return False
    skill = contact.kind.skill
    return agent.side_by_side[0].kind.channel == contact.kind.channel and (not skill or skill in agent.skills)


def take(center: ContactCenter, agent: Agent, contact: Contact, now: float) -> None:
    """An agent takes a contact beside those in hand.

    1. What was done so far is counted and taken off.
    2. The contact starts; all in hand go on more slowly, and their ends move.
    """
    work_off(center, agent, now)
    agent.side_by_side.append(contact)
    agent.state = BUSY
    agent.counted_until = now
    contact.left_hours = contact.draw * contact.mean_hours * agent.handle_factor
    expect_ends(center, agent, now)


def work_off(center: ContactCenter, agent: Agent, now: float) -> None:
    """Counts the agent's hours since they were last counted, and takes them off what is in hand.

    The ledger's handle time of each contact is its share of the person's time.
    """
    in_hand = agent.side_by_side
    if not in_hand:
        return
    hours, number = now - agent.counted_until, len(in_hand)
    center.count_hours(agent, in_hand[0], now)
    in_hand[0].worked_hours -= hours
    for contact in in_hand:
        contact.worked_hours += hours / number
        contact.left_hours -= hours / _slower(contact, number)


def end(center: ContactCenter, which: tuple[Agent, Contact, float], now: float) -> bool:
    """Takes a contact out of the agent's hands if this is still its end: the others go on faster from now on."""
    agent, contact, planned = which
    if contact.ended != planned or contact not in agent.side_by_side:
        return False
    work_off(center, agent, now)
    agent.side_by_side.remove(contact)
    expect_ends(center, agent, now)
    return True


def expect_ends(center: ContactCenter, agent: Agent, now: float) -> None:
    """Schedules the ends of what an agent has in hand side by side; earlier ones are void."""
    number = len(agent.side_by_side)
    for contact in agent.side_by_side:
        contact.ended = now + max(contact.left_hours, 0.0) * _slower(contact, number)
        center.agenda.call(contact.ended, END_ORDER, center.end_side_by_side, (agent, contact, contact.ended))


def _slower(contact: Contact, number: int) -> float:
    return 1.0 + contact.kind.slower * (number - 1)


def take_more(center: ContactCenter, agent: Agent, now: float) -> None:
    """Takes contacts from the head of the line while there is room beside those in hand."""
    while agent.on_duty and now < agent.shift_end:
        found = _first_live(agent, now)
        if found is None or not has_room(agent, found[0][3]):
            return
        entry, queue = found
        queue.take(entry, 0)
        center.start(agent, entry[3], now)


def _first_live(agent: Agent, now: float) -> tuple[Entry, Queue] | None:
    """The first of those on the line that the agent may take."""
    found = [(entry, queue) for queue in agent.queues if queue.levels & 1 and (entry := queue.head(0, now))]
    return min(found, key=lambda pair: pair[0], default=None)
