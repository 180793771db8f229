"""The contact centre: queues and services on a SimPy clock. No statistics, no accounts.

In: contacts (from the week tick, or coming back) and agents at work (`working_day.py`). Out: records of finished
contacts, in the order in which they ended. Contacts are rows, and all that happens to them is a call on the agenda.

Every handler is called at its time `now` and lists what it changes, in order; nothing else happens in it. The
orders of replication.py break ties of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop
from math import inf, nan
from typing import Any

from sim.model.agenda import ARRIVE_ORDER, END_ORDER, GIVE_UP_ORDER, Agenda
from sim.model.center_state import CenterState, TeamState
from sim.model.inputs import Phase
from sim.model.ledger import ABANDONED, ESCALATED, EXPIRED, RESOLVED, UNRESOLVED, WITHDRAWN
from sim.model.queue import NO_MORE, Contact, Queue, may_overrun
from sim.model.staff import BUSY, IDLE, Agent, count_duty, go_home
from sim.model.working_day import WorkingDay

# A call that can be kept: time, order, number, whether the centre handles it or its working day, handler, argument.
Pending = tuple[float, int, int, bool, str, Any]

_ROUNDING_HOURS = 1e-6  # the clock adds delays to its time, so that an event may come a last digit before its own


class ContactCenter:
    """The centre of one replication of one scenario."""

    def __init__(self, agenda: Agenda, phase: Phase, state: CenterState) -> None:
        self.agenda = agenda
        self.phase = phase
        self.state = state
        self.teams = state.teams
        self.day = WorkingDay(self)

    # --- going on from a kept state ---------------------------------------------------------------------

    def resume(self, now: float, pending: list[Pending]) -> None:
        """Schedules again what a kept state had on its way: service ends, returns, patience, the working day.

        pending : what was on its way; of it, only what belongs to the working day is taken as it was.
        """
        for time, order, _, own, name, argument in sorted(pending, key=lambda call: call[:3]):
            if not own:
                self.agenda.call(time, order, getattr(self.day, name), argument)
        for team in self.teams:
            for agent in team.agents:
                agent.stale_ends = 0
                if agent.state == BUSY and agent.contact is not None:
                    self.agenda.call(agent.contact.ended, END_ORDER, self._end_service, agent)
        for contact in self.sweep(now):
            self._expect_patience(contact)
        for contact in self.state.returning.values():
            self.agenda.call(contact.born, ARRIVE_ORDER, self._return, contact)

    def pending(self) -> list[Pending]:
        """All that is on its way, to be kept."""
        return [
            (time, order, number, owner is self, function.__name__, argument)
            for time, order, number, function, argument in self.agenda.calls
            if (owner := getattr(function, "__self__", None)) in (self, self.day)
        ]

    def go_on(self, pending: list[Pending]) -> None:
        """Puts what was on its way back on the agenda, exactly as it was."""
        self.agenda.put_back(
            [
                (time, order, number, getattr(self if own else self.day, name), argument)
                for time, order, number, own, name, argument in pending
            ]
        )

    # --- contacts ---------------------------------------------------------------------------------------

    def arrive(self, contact: Contact, now: float) -> None:
        """A contact joins its queue.

        1. A live contact that finds nobody on duty becomes a call-back, due in business hours.
        2. It goes to its owner if one is employed and, unless it is planned work, present; else to the team.
        3. The owner, or the member idle longest, starts it if it may; else it waits.
        4. A live customer's patience starts to run.
        """
        team = self.teams[contact.kind.team]
        contact.queued = now
        if contact.live and now >= team.open_until:
            contact.live = False
            contact.level = int(self.phase.categories.priority[contact.kind.category]) + 1
            contact.target_hours = self.phase.teams[contact.kind.team].callback_target_hours
            self._set_due(contact, now)
        owner = self._owner(team, contact) if contact.owner >= 0 else None
        for agent in team.idle:
            if (owner is None or agent is owner) and self._may_take(agent, contact, now):
                team.idle.remove(agent)
                self._start(agent, contact, now)
                return
        (team.pool if owner is None else owner.queue).push(contact)
        if contact.live:
            self._expect_patience(contact)

    def expect(self, contacts: Iterator[Contact]) -> None:
        """Lets contacts arrive one after another, each at its `born`; they come in order of time."""
        contact = next(contacts, None)
        if contact is not None:
            self.agenda.call(contact.born, ARRIVE_ORDER, self._arrive_next, (contact, contacts))

    def _arrive_next(self, contacts: tuple[Contact, Iterator[Contact]], now: float) -> None:
        contact, rest = contacts
        self.expect(rest)
        self.arrive(contact, now)

    def _owner(self, team: TeamState, contact: Contact) -> Agent | None:
        if contact.owner < len(team.agents):
            owner = team.agents[contact.owner]
            if owner.employed and (owner.present or contact.kind.planned):
                return owner
        return None

    def _expect_patience(self, contact: Contact) -> None:
        if contact.live and self.phase.switches.abandonment and contact.waiting:
            self.agenda.call(contact.queued + contact.patience, GIVE_UP_ORDER, self._give_up, contact)

    def _give_up(self, contact: Contact, now: float) -> None:
        """A live customer's patience ends while waiting: the contact leaves its queue as abandoned."""
        if contact.waiting:
            contact.waiting = False
            self._finish(contact, ABANDONED, now)
            self._leave_open(contact, now)

    def _leave_open(self, contact: Contact, now: float) -> None:
        """An unresolved or abandoned matter may be raised again, by its own luck and after its own delay."""
        weeks = contact.weeks_until_back()
        if weeks < inf:
            born = self.phase.demand.profile.later(now, weeks)
            if born >= contact.expires:
                return
            repeat = contact.repeat(born)
            self.state.returning[repeat.key, repeat.attempt] = repeat
            self.agenda.call(born, ARRIVE_ORDER, self._return, repeat)

    def _return(self, contact: Contact, now: float) -> None:
        """An open matter is raised again, unless the account has left meanwhile."""
        del self.state.returning[contact.key, contact.attempt]
        if contact.outcome != WITHDRAWN:
            self._set_due(contact, now)
            self.arrive(contact, now)

    def _set_due(self, contact: Contact, now: float) -> None:
        target = contact.target_hours
        contact.due = now + target if contact.live else self.phase.teams[contact.kind.team].hours.due(now, target)

    def _finish(self, contact: Contact, outcome: int, now: float) -> None:
        contact.ended = now
        contact.outcome = outcome
        self.state.finished.append(contact.record())

    # --- service ----------------------------------------------------------------------------------------

    def _start(self, agent: Agent, contact: Contact, now: float) -> None:
        """An agent starts a contact: the contact stops waiting, the agent is busy, the end is scheduled.

        One that was begun before and put down goes on with what is left of it.
        """
        contact.waiting = False
        if contact.seat < 0:
            contact.started = now
            if not contact.kind.planned:
                agent.day_reactive_starts += 1
                if now > contact.due:
                    agent.day_overdue += 1
        else:
            contact.take_up()
        contact.seat = agent.seat
        hours = contact.draw * contact.mean_hours * agent.handle_factor
        agent.state = BUSY
        agent.contact = contact
        agent.counted_until = now
        contact.ended = now + hours
        self.agenda.call(contact.ended, END_ORDER, self._end_service, agent)

    def _end_service(self, agent: Agent, now: float) -> None:
        """A contact's service ends.

        1. The agent's hours are counted.
        2. A contact that was only answered first is handed over: the second team gets its own row.
           Otherwise it is resolved or not, by its own luck; an unresolved one may come back on a later day.
        3. The agent goes on, becomes idle, takes the break that is due, or goes home.
        """
        contact = agent.contact
        if agent.stale_ends and (contact is None or now < contact.ended - _ROUNDING_HOURS):
            agent.stale_ends -= 1
            return
        assert contact is not None
        self.count_hours(agent, contact, now)
        agent.contact = None
        if contact.second is not None:
            self._finish(contact, ESCALATED, now)
            if contact.second.outcome == WITHDRAWN:
                contact.second.queued = now
                self._finish(contact.second, WITHDRAWN, now)
            else:
                self._set_due(contact.second, now)
                self.arrive(contact.second, now)
        elif contact.u_resolve < contact.kind.resolution * agent.resolution_factor:
            self._finish(contact, RESOLVED, now)
        else:
            self._finish(contact, UNRESOLVED, now)
            self._leave_open(contact, now)
        self.go_on_working(agent, now)

    def count_hours(self, agent: Agent, contact: Contact, now: float) -> None:
        """Counts the agent's hours on a contact since they were last counted; those after the shift's end apart."""
        hours = now - agent.counted_until
        contact.worked_hours += hours
        agent.handling_hours += hours
        if not contact.kind.planned:
            agent.reactive_hours += hours
            agent.day_reactive_hours += hours
        if now > agent.shift_end:
            after = min(now - agent.shift_end, hours)
            agent.overtime_hours += after
            agent.unpaid_overtime_hours += after
            agent.day_after_hours += after
            agent.worked_today = True
            if not contact.kind.planned:
                agent.day_reactive_hours -= after
        agent.counted_until = now

    def go_on_working(self, agent: Agent, now: float) -> None:
        """What an agent does who has just become free: break, next contact, idle, or home."""
        on_shift = agent.on_duty and now < agent.shift_end
        if on_shift:
            if agent.away_pending and self.day.go_away(agent, now):
                return
        elif not self._may_stay_on(agent, now):
            go_home(agent)
            return
        contact = self._next_contact(agent, now)
        if contact is not None:
            self._start(agent, contact, now)
        elif on_shift:
            agent.state = IDLE
            self.teams[agent.team].idle.append(agent)
        else:
            go_home(agent)

    def _may_stay_on(self, agent: Agent, now: float) -> bool:
        limit = self.phase.teams[agent.team].overtime_limit_hours
        return agent.employed and self.phase.switches.overtime and now <= agent.shift_end + limit

    def _next_contact(self, agent: Agent, now: float) -> Contact | None:
        """The contact that this agent takes next, taken out of its queue.

        By level, then due time, then arrival, over the agent's own queue and the team's. Schedulable work is
        taken only if it fits before the shift's end; else the first shorter or urgent item of its level.
        After the shift's end only urgent work is taken.
        """
        pool, own = self.teams[agent.team].pool, agent.queue
        levels = own.levels | pool.levels
        if not levels:
            return None
        hours_left, factor, overtime = agent.shift_end - now, agent.handle_factor, self.phase.switches.overtime
        while levels:
            level = (levels & -levels).bit_length() - 1
            levels &= levels - 1
            queue = own
            entry = own.head(level, now) if own.levels >> level & 1 else None
            if pool.levels >> level & 1:
                other = pool.head(level, now)
                if other is not None and (entry is None or other < entry):
                    entry, queue = other, pool
            if entry is None:
                continue
            contact = entry[3]
            if contact.mean_hours * factor <= hours_left or may_overrun(contact, now, hours_left, overtime):
                contact.waiting = False
                if queue.heaps[level][0] is entry:
                    heappop(queue.heaps[level])
                return contact
            fitting = [
                queue.first(level, now, hours_left, factor, overtime)
                for queue in (own, pool)
                if queue.levels >> level & 1
            ]
            entry = min((e for e in fitting if e is not None), default=None)
            if entry is not None:
                entry[3].waiting = False
                return entry[3]
        return None

    def _may_take(self, agent: Agent, contact: Contact, now: float) -> bool:
        hours_left = agent.shift_end - now
        fits = contact.mean_hours * agent.handle_factor <= hours_left
        return fits or may_overrun(contact, now, hours_left, self.phase.switches.overtime)

    # --- work that is put down and taken up again ---------------------------------------------------------

    def put_down(self, agent: Agent, more_hours: float, now: float) -> Contact:
        """An agent stops working on a contact and goes home; returns what is left of it, with some hours more."""
        contact = agent.contact
        assert contact is not None
        left = (contact.ended - now) / agent.handle_factor
        agent.contact = None
        agent.stale_ends += 1
        go_home(agent)
        return contact.put_down(left + more_hours)

    def take_up(self, agent: Agent, contact: Contact, now: float) -> None:
        """An agent who has just come goes on with what was put down."""
        self._start(agent, contact, now)

    def has_time(self, contact: Contact, now: float) -> Agent | None:
        """The member of the contact's team, idle longest, who may take it at once."""
        return next((a for a in self.teams[contact.kind.team].idle if self._may_take(a, contact, now)), None)

    def offer(self, contact: Contact, now: float) -> None:
        """What was put down goes to whoever of the team has time, or else to the head of the team's queue."""
        team = self.teams[contact.kind.team]
        colleague = self.has_time(contact, now)
        if colleague is None:
            team.pool.push_first(contact)
        else:
            team.idle.remove(colleague)
            self._start(colleague, contact, now)

    # --- the weekly sweep -------------------------------------------------------------------------------

    def _queues(self) -> Iterator[Queue]:
        for team in self.teams:
            yield team.pool
            for agent in team.agents:
                yield agent.queue

    def sweep(self, now: float) -> list[Contact]:
        """Ends the contacts whose window has passed; returns those that still wait."""
        still_waiting: list[Contact] = []
        for queue in self._queues():
            expired, waiting = queue.sweep(now)
            for contact in expired:
                self._finish(contact, EXPIRED, contact.expires)
            still_waiting += waiting
        return still_waiting

    def withdraw(self, accounts: set[int], waiting: list[Contact], now: float) -> None:
        """Ends what waits for accounts that have left, and forgets what they would have raised again.

        What has been begun is finished, as if in hand.
        """
        begun = [contact for contact in waiting if contact.seat >= 0]
        for contact in waiting:
            if contact.account in accounts and contact.seat < 0:
                contact.waiting = False
                self._finish(contact, WITHDRAWN, now)
        for contact in self.state.returning.values():
            if contact.account in accounts:
                contact.outcome = WITHDRAWN
        for agent in (agent for team in self.teams for agent in team.agents):
            begun += [contact for contact in (agent.contact, agent.paused) if contact is not None]
        for contact in begun:
            if contact.account in accounts:
                contact.attempts = NO_MORE
                if contact.second is not None:
                    contact.second.outcome = WITHDRAWN

    def in_service(self) -> Iterator[Contact]:
        """All contacts that are being handled or were put down by their agent, their planned end taken off."""
        for team in self.teams:
            for agent in team.agents:
                if agent.state == BUSY and agent.contact is not None:
                    agent.contact.ended = nan
                    yield agent.contact
                if agent.paused is not None:
                    yield agent.paused

    def count_all(self, now: float) -> None:
        """Counts everybody's hours on contacts and on duty up to now."""
        for team in self.teams:
            for agent in team.agents:
                if agent.contact is not None:
                    self.count_hours(agent, agent.contact, now)
                if agent.on_duty or agent.duty_hours:
                    count_duty(agent, now)
