"""The contact centre: queues and services on a SimPy clock. No statistics, no accounts.

In: contacts (from the week tick, or coming back) and agents at work (`working_day.py`). Out: records of finished
contacts, in the order in which they ended. Contacts are rows, and all that happens to them is a call on the agenda.

Every handler is called at its time `now` and lists what it changes, in order; nothing else happens in it. The
orders of replication.py break ties of time.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan
from typing import Any

from sim.model import side_by_side, week_end
from sim.model.agenda import ARRIVE_ORDER, END_ORDER, GIVE_UP_ORDER, Agenda
from sim.model.center_state import CenterState, TeamState
from sim.model.inputs import Phase
from sim.model.ledger import (
    ABANDONED,
    BLOCKED,
    BOUNCED,
    DEFLECTED,
    ESCALATED,
    NOT_RAISED,
    RESOLVED,
    UNRESOLVED,
    WITHDRAWN,
)
from sim.model.queue import LEVELS_IN, Contact, may_overrun, pack_record
from sim.model.staff import AWAY, BUSY, IDLE, Agent, go_home
from sim.model.working_day import WorkingDay

# A call that can be kept: time, order, number, whether the centre handles it or its working day, handler, argument.
Pending = tuple[float, int, int, bool, str, Any]

_GOES_ON = (ESCALATED, BOUNCED, NOT_RAISED)  # the account's matter is open still
_ROUNDING_HOURS = 1e-6  # a put-down contact's end may be a last digit from another's


class ContactCenter:
    """The centre of one replication of one scenario."""

    def __init__(self, agenda: Agenda, phase: Phase, state: CenterState) -> None:
        self.agenda = agenda
        self.state = state
        self.teams = state.teams
        self.day = WorkingDay(self)
        self._record, self._with_open_contact = state.finished.append, state.with_open_contact
        # Bound once, not for every contact.
        self._on_end, self._on_patience, self._on_return = self._end_service, self._give_up, self._return
        self.go_by(phase)

    def go_by(self, phase: Phase) -> None:
        """From now on the rules of a phase hold; what is asked for every contact is looked up once."""
        self.phase = phase
        self._heirs, self._overtime = phase.heirs, phase.switches.overtime
        self._later = phase.demand.profile.later

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
                side_by_side.expect_ends(self, agent, now)
        for contact in week_end.sweep(self, now):
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

        1. In self-service no team is asked: see `_help_themselves`. A team that has no seats any more passes it on.
        2. A live contact that finds nobody on duty becomes a call-back, due in business hours.
        3. It goes to its owner if present, planned work also if only away for the day; else to the team.
        4. The owner, or the member idle longest who may, starts it; else, if nobody waits on the line, whoever has room
           for one more contact side by side.
        5. Else, if too many wait for the team, it overflows to another, or finds the line full.
        6. Else it waits; a live customer's patience starts to run.
        """
        kind = contact.kind
        if kind.solves >= 0.0:
            self._help_themselves(contact, now)
            return
        if self._heirs and kind.cell in self._heirs.get(kind.team, ()):
            contact.overflows(self.phase.kinds[self._heirs[kind.team][kind.cell]])
            self._set_due(contact, now)
            kind = contact.kind
        team = self.teams[kind.team]
        contact.queued = now
        if contact.live and now >= team.open_until:
            contact.live = False
            contact.level = int(self.phase.categories.priority[kind.category]) + 1
            contact.target_hours = self.phase.teams[kind.team].callback_target_hours
            self._set_due(contact, now)
        owner = self._owner(team, contact, now) if contact.owner >= 0 else None
        if team.idle and self.start_at_once(contact, now, owner):
            return
        if kind.limited and self._need_not_wait(contact, team, now):
            return
        (team.pool(kind.skill) if owner is None else owner.queue).push(contact)
        if contact.live:
            self._expect_patience(contact)

    def start_at_once(self, contact: Contact, now: float, owner: Agent | None = None) -> bool:
        """Lets the owner, or whoever of the team has been idle longest, start a contact, if one who may is idle."""
        team = self.teams[contact.kind.team]
        for agent in team.idle:
            if (owner is None or agent is owner) and self._may_take(agent, contact, now):
                team.idle.remove(agent)
                self.start(agent, contact, now)
                return True
        return False

    def _need_not_wait(self, contact: Contact, team: TeamState, now: float) -> bool:
        """What becomes of a contact beside others in hand, past a limit, or on a full line; False if it just waits."""
        kind = contact.kind
        if kind.at_once > 1 and contact.live and not team.line.live:
            beside = side_by_side.least_busy(team.agents, contact)
            if beside is not None:
                self.start(beside, contact, now)
                return True
        for limit, cell in kind.overflow:
            if team.line.waiting >= limit:
                contact.overflows(self.phase.kinds[cell])
                self._set_due(contact, now)
                self.arrive(contact, now)
                return True
        if contact.live and team.line.live >= kind.most_waiting:
            self.finish(contact, BLOCKED, now)
            self._call_again(contact, now)
            return True
        return False

    def _help_themselves(self, contact: Contact, now: float) -> None:
        """A customer looks for the answer in self-service.

        1. By its own luck the contact is settled (deflected) or not (bounced).
        2. Who bounced turns to a team after a while.
        """
        contact.queued = contact.due = nan
        if contact.u_resolve < contact.kind.solves:
            self.finish(contact, DEFLECTED, now)
            return
        self.finish(contact, BOUNCED, now)
        second = contact.second
        assert second is not None
        second.born = now + contact.patience
        self._expect_return(second)

    def expect(self, contacts: Iterable[Contact]) -> None:
        """Lets customers' contacts arrive, each at its `born`; they come in order of time."""
        one = self.phase.switches.one_open_contact_per_account
        self.agenda.expect(contacts, self._raise if one else self.arrive)

    def _raise(self, contact: Contact, now: float) -> None:
        """A customer's contact comes, unless the account has an open one: it may have only one."""
        if contact.account in self.state.with_open_contact:
            contact.queued = contact.due = nan
            self.finish(contact, NOT_RAISED, now)
        else:
            self.state.with_open_contact.add(contact.account)
            self.arrive(contact, now)

    def _owner(self, team: TeamState, contact: Contact, now: float) -> Agent | None:
        """The account's own person: who is there that day, on the line now; for planned work, employed."""
        if contact.owner < len(team.agents):
            owner, kind = team.agents[contact.owner], contact.kind
            there = owner.on_duty
            if kind.planned:
                there = owner.present or (owner.employed and not owner.in_training)
            elif not there and owner.present and not contact.live:
                there = int(now // 24) in self.phase.teams[kind.team].seat(owner.seat).roster.dates
            skill = kind.skill
            if there and (not skill or skill in owner.skills or not team.needs(skill)):
                return owner
        return None

    def _expect_patience(self, contact: Contact) -> None:
        if contact.live and self.phase.switches.abandonment and contact.queue is not None:
            self.agenda.call(contact.queued + contact.patience, GIVE_UP_ORDER, self._on_patience, contact)

    def _give_up(self, contact: Contact, now: float) -> None:
        """A live customer's patience ends while waiting: the contact leaves its queue as abandoned."""
        queue = contact.queue
        if queue is not None:
            queue.leave(contact)
            self.finish(contact, ABANDONED, now)
            self._call_again(contact, now)

    def _call_again(self, contact: Contact, now: float) -> None:
        """Who gave up, or found the line full, may call again soon; where no redial is known, as if unresolved."""
        hours = contact.hours_until_redial()
        if hours < inf:
            self._expect_return(contact.repeat(now + hours))
        elif hours != inf:
            self._leave_open(contact, now)

    def _leave_open(self, contact: Contact, now: float) -> None:
        """An unresolved matter may be raised again, by its own luck and after its own delay."""
        weeks = contact.weeks_until_back()
        if weeks < inf:
            born = self._later(now, weeks)
            if born < contact.expires:
                self._expect_return(contact.repeat(born))

    def _expect_return(self, contact: Contact) -> None:
        self.state.returning[contact.key, contact.attempt] = contact
        self.agenda.call(contact.born, ARRIVE_ORDER, self._on_return, contact)

    def _return(self, contact: Contact, now: float) -> None:
        """An open matter is raised again, unless the account has left meanwhile."""
        del self.state.returning[contact.key, contact.attempt]
        if not contact.withdrawn:
            self._set_due(contact, now)
            again = contact.kind.customer and not contact.leg  # what bounced has kept the account's place
            if again and self.phase.switches.one_open_contact_per_account:
                self._raise(contact, now)
            else:
                self.arrive(contact, now)

    def _set_due(self, contact: Contact, now: float) -> None:
        target = contact.target_hours
        contact.due = now + target if contact.live else self.phase.teams[contact.kind.team].hours.due(now, target)

    def finish(self, contact: Contact, outcome: int, now: float) -> None:
        """A contact ends, or is still open when the run does (now: nan): it gets its record."""
        record = self._record  # what an attribute holds is called more quickly from a variable
        record(
            pack_record(
                contact.key, contact.born, contact.queued, contact.due, contact.started, now, contact.worked_hours,
                contact.account, contact.kind.cell, contact.attempt, contact.leg, contact.seat, outcome, contact.live,
            )
        )  # fmt: skip
        if self._with_open_contact and contact.kind.customer and outcome not in _GOES_ON:
            self._with_open_contact.discard(contact.account)

    # --- service ----------------------------------------------------------------------------------------

    def start(self, agent: Agent, contact: Contact, now: float) -> None:
        """An agent starts a contact, which waits no longer: the agent is busy, the end is scheduled.

        One that was begun before and put down goes on with what is left of it.
        """
        kind = contact.kind
        if contact.seat < 0:
            contact.started = now
            if not kind.planned:
                agent.day_reactive_starts += 1
                if now > contact.due:
                    agent.day_overdue += 1
        else:
            contact.take_up()
        contact.seat = agent.seat
        if kind.at_once > 1 and contact.live:
            side_by_side.take(self, agent, contact, now)
            return
        hours = contact.draw * contact.mean_hours * agent.handle_factor
        if kind.changeover_hours and agent.last_category != kind.category:
            hours += kind.changeover_hours if agent.last_category >= 0 else 0.0
            agent.last_category = kind.category
        agent.state = BUSY
        agent.contact = contact
        agent.counted_until = now
        contact.ended = now + hours
        self.agenda.call(contact.ended, END_ORDER, self._on_end, agent)

    def _end_service(self, agent: Agent, now: float) -> None:
        """A contact's service ends.

        1. The agent's hours are counted.
        2. A contact that was only answered first is handed over: the second team gets its own row.
           Otherwise it is resolved or not, by its own luck; an unresolved one is passed on to another team, or may
           come back on a later day.
        3. The agent goes on, becomes idle, takes the break that is due, or goes home.
        """
        contact = agent.contact
        if agent.stale_ends and (contact is None or now < contact.ended - _ROUNDING_HOURS):
            agent.stale_ends -= 1
            return
        assert contact is not None
        self.count_hours(agent, contact, now)
        agent.contact = None
        self._settle(agent, contact, now)
        self.go_on_working(agent, now)

    def end_side_by_side(self, which: tuple[Agent, Contact, float], now: float) -> None:
        """One of several contacts side by side ends, if its end has not moved.

        1. The agent's hours are counted; the others go on faster.
        2. What becomes of it: see `_end_service`.
        3. The agent takes the next one if that may be beside the others; with nothing in hand, goes on as usual.
        """
        agent, contact, _ = which
        if side_by_side.end(self, which, now):
            self._settle(agent, contact, now)
            if agent.side_by_side:
                side_by_side.take_more(self, agent, now)
            else:
                self.go_on_working(agent, now)

    def _settle(self, agent: Agent, contact: Contact, now: float) -> None:
        """What becomes of a contact whose service has ended."""
        if contact.second is not None:
            self.finish(contact, ESCALATED, now)
            if contact.second.withdrawn:
                contact.second.queued = now
                self.finish(contact.second, WITHDRAWN, now)
            else:
                self._set_due(contact.second, now)
                self.arrive(contact.second, now)
        elif contact.u_resolve < contact.kind.resolution * agent.resolution_factor:
            self.finish(contact, RESOLVED, now)
        else:
            cell = _passed_to(contact, agent.resolution_factor) if contact.kind.escalation else -1
            if cell >= 0:
                self.finish(contact, ESCALATED, now)
                passed = contact.passed_on(self.phase.kinds[cell], now)
                self._set_due(passed, now)
                self.arrive(passed, now)
            else:
                self.finish(contact, UNRESOLVED, now)
                self._leave_open(contact, now)

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
            if contact.started >= agent.shift_end:
                agent.overtime_backlog_hours += after
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
        contact = self.next_contact(agent, now)
        if contact is not None:
            self.start(agent, contact, now)
            if agent.side_by_side:
                side_by_side.take_more(self, agent, now)
        elif on_shift:
            agent.state = IDLE
            self.teams[agent.team].idle.append(agent)
        else:
            go_home(agent)

    def _may_stay_on(self, agent: Agent, now: float) -> bool:
        """Whether an agent may begin something after the shift's end."""
        rules = self.phase.teams[agent.team]
        if not agent.employed or agent.recovering or not self._overtime:
            return False
        this_week = agent.overtime_hours < rules.overtime_limit_week_hours
        return this_week and now <= agent.shift_end + rules.overtime_limit_hours

    def next_contact(self, agent: Agent, now: float) -> Contact | None:
        """The contact that this agent takes next, taken out of its queue.

        By level, then due time, then arrival, over the agent's own queue and those of the team that its skills
        open. Schedulable work is taken only if it fits before the shift's end; else the first shorter or urgent item
        of its level. After the shift's end only urgent work is taken.
        """
        queues, levels = agent.queues, 0
        for queue in queues:
            levels |= queue.levels
        if not levels:
            return None
        hours_left, factor, overtime = agent.shift_end - now, agent.handle_factor, self._overtime
        for level in LEVELS_IN[levels]:
            entry = None
            for queue in queues:
                heap = queue.heaps[level]
                if heap:
                    head = heap[0]
                    waits = head[3].queue is queue and head[3].expires > now
                    other = head if waits else queue.head(level, now)
                    if other is not None and (entry is None or other < entry):
                        entry, source = other, queue
            if entry is None:
                continue
            contact = entry[3]
            if contact.mean_hours * factor <= hours_left or may_overrun(contact, now, hours_left, overtime):
                source.take(entry, level)
                return contact
            entry = None
            for queue in queues:
                if queue.heaps[level]:
                    other = queue.first(level, now, hours_left, factor, overtime)
                    if other is not None and (entry is None or other < entry):
                        entry, source = other, queue
            if entry is not None:
                source.leave(entry[3])
                return entry[3]
        return None

    def _may_take(self, agent: Agent, contact: Contact, now: float) -> bool:
        skill = contact.kind.skill
        if skill and skill not in agent.skills and self.teams[agent.team].needs(skill):
            return False
        hours_left = agent.shift_end - now
        fits = contact.mean_hours * agent.handle_factor <= hours_left
        return fits or may_overrun(contact, now, hours_left, self._overtime)

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

    def has_time(self, contact: Contact, now: float) -> bool:
        """Whether somebody of the contact's team may take it at once."""
        return any(self._may_take(agent, contact, now) for agent in self.teams[contact.kind.team].idle)

    def offer(self, contact: Contact, now: float) -> None:
        """What was put down goes to whoever of the team has time, or else to the head of the team's queue."""
        if not self.start_at_once(contact, now):
            self.teams[contact.kind.team].pool(contact.kind.skill).push_first(contact)

    def note_duty(self, agent: Agent, now: float) -> None:
        """Notes how long an agent on duty has been at the desk, who leaves it."""
        if agent.state != AWAY and now > agent.desk_since:
            self.state.duty.append((agent.team, agent.seat, agent.desk_since, now))


def _passed_to(contact: Contact, factor: float) -> int:
    """The cell that gets a contact which was not settled, -1: none.

    What is left of its luck beyond the chance of being settled decides, so that no other draw is needed.
    """
    if not contact.may_be_passed_on():
        return -1
    settled = contact.kind.resolution * factor
    left = (contact.u_resolve - settled) / (1.0 - settled)
    for share, cell in contact.kind.escalation:
        if left < share:
            return cell
        left = (left - share) / (1.0 - share)
    return -1
