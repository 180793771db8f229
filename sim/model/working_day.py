"""The agents' working day: shifts begin and end, breaks and meetings in between.

In: each team's rosters. Out: agents on duty, with their hours counted and paid; what they do there is the contact
centre's affair. Every handler is called at its time `now` and lists what it changes, in order.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from sim.model import reassignment, side_by_side
from sim.model.agenda import OPEN_ORDER, SHIFT_ORDER
from sim.model.center_state import TeamState, open_until
from sim.model.clock import HOURS_PER_WEEK, Roster
from sim.model.inputs import FINISH, PAUSE, Phase, TeamRules
from sim.model.staff import (
    ABSENT,
    AWAY,
    BUSY,
    IDLE,
    OFF,
    PAID_OFF,
    PRESENT,
    Agent,
    count_duty,
    ramp_speed,
    share_of_shift,
    trains,
    work_factors,
)

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter

_GOLDEN = 0.6180339887498949  # spreads the seats' breaks evenly, whatever the number of seats
_SOON = 1e-6  # hours; a contact that ends that soon is not put down


class WorkingDay:
    """The days of all agents of a contact centre."""

    def __init__(self, center: ContactCenter) -> None:
        self.center = center

    def plan_shifts(self, begin: float, end: float, phase: Phase) -> None:
        """Puts down the working days that start from `begin` on and before `end`, by the rules of their phase."""
        for team, rules in enumerate(phase.teams):
            for index, mine in enumerate(rules.seats):
                if mine.seats:
                    for number in mine.roster.starting(begin, end):
                        start = mine.roster.working_days[number][0]
                        self.center.agenda.call(start, OPEN_ORDER, self.start_shift, (team, index, number))

    def start_shift(self, which: tuple[int, int, int], now: float) -> None:
        """A working day begins for the people in some seats of a team.

        1. Everybody employed is paid; on a day off, on leave or absent nobody comes, who is new trains, and colleagues
           cover for them.
        2. The others are on duty, at the speed of their ramp and condition; their breaks and meetings are scheduled,
           and an early end if they recover.
        3. Each goes on with what was put down, or takes work, by seat; who finds none is idle.
        4. The end of the working day is scheduled.

        which : team, position among the rules for its seats, number of the working day.
        """
        team_index, index, number = which
        rules, team = self.center.phase.teams[team_index], self.center.teams[team_index]
        mine = rules.seats[index]
        _, end, day, closed, week_share = mine.roster.working_days[number]
        meetings, planned_share = _during(rules, now, end), 1 - rules.shrinkage
        if meetings:
            met = sum(min(until, end) - max(since, now) for since, until in meetings)
            planned_share = max(0.0, planned_share - met / (end - now))
        breaks, break_hours, spread = _breaks(rules, now, end)
        touched, midnight = end in mine.roster.opening, (now // 24 + 1) * 24
        self.center.state.day_end = max(self.center.state.day_end, end)
        call, people, paid_until = self.center.agenda.call, self.center.phase.people, min(end, midnight)
        arrived = []
        for agent in team.agents[mine.first : mine.first + mine.seats]:
            if not agent.employed:
                continue
            if agent.day_week_share > 0 and now >= agent.day_end and end > midnight:
                _set_day_aside(agent, now)
            agent.day_week_share += week_share
            if end > agent.day_end:
                agent.day_end = end
            attendance = agent.attendance = PAID_OFF if closed else _attendance(agent, day)
            training = attendance != PAID_OFF and trains(agent, week_share)
            share = agent.hours_share = share_of_shift(agent, people.recovery)
            agent.planned_share = 0.0 if training else planned_share * share
            _pay(agent, rules, now, paid_until)
            if attendance != PRESENT or training:
                self._stay_away(agent, team, now, closed)
                continue
            agent.present = True
            if agent.state == BUSY:
                self._count_in_hand(agent, now)
            elif agent.state == OFF:
                arrived.append(agent)
            here_until = agent.shift_end if agent.on_duty else end  # of a day that old rules began, later perhaps
            if not agent.on_duty:
                agent.on_duty, agent.duty_since, agent.desk_since = True, now, now
                agent.away_pending, agent.break_due_hours, agent.meeting_until = False, 0.0, -inf
            agent.worked_today = True
            agent.shift_end = _shift_end(agent, mine.roster, now, end) if touched else max(end, here_until)
            if share < 1:
                agent.shift_end = now + (end - now) * share
                call(agent.shift_end, SHIFT_ORDER, self._go_home_early, agent)
            if agent.shift_end > team.open_until:
                team.open_until = agent.shift_end
            speed = ramp_speed(now, agent.hired_at, rules.ramp_hours, rules.ramp_start_speed)
            agent.handle_factor, agent.resolution_factor = work_factors(agent.burnout, speed, people)
            for start in breaks:
                start += spread * (0.1 + 0.8 * ((agent.seat + 1) * _GOLDEN % 1.0))
                start = now + (start - now) * share if share < 1 else start
                call(start, SHIFT_ORDER, self._break, (agent, break_hours * share))
            for since, until in meetings:
                if since <= now:
                    agent.meeting_until, agent.away_pending = until, True
                else:
                    call(since, SHIFT_ORDER, self._meet, (agent, until))
        for agent in arrived:
            if agent.paused is None:
                self.center.go_on_working(agent, now)
            else:
                contact, agent.paused = agent.paused, None
                self.center.start(agent, contact, now)
        call(end, SHIFT_ORDER, self.end_shift, team_index)

    def pay_on(self, now: float) -> None:
        """At midnight: working days that go on are paid further."""
        if self.center.state.day_end <= now:
            return
        for team, rules in zip(self.center.teams, self.center.phase.teams, strict=True):
            for agent in team.agents:
                if agent.day_end > now and agent.employed:
                    _pay(agent, rules, now, min(agent.day_end, now + 24))

    def _stay_away(self, agent: Agent, team: TeamState, now: float, closed: bool) -> None:
        """Somebody does not come: who is still there goes home, and colleagues cover for who is absent."""
        if agent.on_duty:
            self._leave_for_home(team, [agent], now)
        if not closed:
            agent.present = False
            reassignment.cover(self.center, agent, now)

    def end_shift(self, team_index: int, now: float) -> None:
        """A working day ends: whose next one does not begin at once goes home; who is busy finishes first.

        A team may have its people put down what they have in hand: a live customer never, and other contacts for the
        person's next shift, or for colleagues. A live customer may be handed over if a colleague can go on at once.
        """
        team, rules = self.center.teams[team_index], self.center.phase.teams[team_index]
        leaving = [agent for agent in team.agents if agent.on_duty and agent.day_end <= now]
        for mine in rules.seats:
            if now in mine.roster.opening:
                leaving = [agent for agent in leaving if not _goes_on(agent, rules, now)]
                break
        if leaving:
            self._leave_for_home(team, leaving, now)

    def _leave_for_home(self, team: TeamState, leaving: list[Agent], now: float) -> None:
        busy = []
        for agent in leaving:
            if agent.state == BUSY:
                self._count_in_hand(agent, now)
                busy.append(agent)
            self.center.note_duty(agent, now)
            agent.duty_hours += now - agent.duty_since
            if agent.state == AWAY:
                agent.away_hours += now - agent.away_counted
            agent.on_duty = False
            agent.shift_end = now
            if agent.state != BUSY:
                agent.state = OFF
        team.idle[:] = [agent for agent in team.idle if agent.on_duty]
        open_until(team)
        if self.center.phase.teams[leaving[0].team].at_shift_end != FINISH:
            for agent in busy:
                self._put_down(agent, now)

    def _count_in_hand(self, agent: Agent, now: float) -> None:
        if agent.contact is not None:
            self.center.count_hours(agent, agent.contact, now)
        else:
            side_by_side.work_off(self.center, agent, now)

    def _put_down(self, agent: Agent, now: float) -> None:
        """What becomes of a contact in hand where it is not simply finished; several side by side are, being live."""
        rules, contact = self.center.phase.teams[agent.team], agent.contact
        if contact is None or contact.ended <= now + _SOON:
            return
        if rules.at_shift_end == PAUSE:
            if not contact.live:
                agent.paused = self.center.put_down(agent, 0.0, now)
        elif not contact.live or self.center.has_time(contact, now):
            self.center.offer(self.center.put_down(agent, rules.hand_over_hours, now), now)

    # --- breaks and meetings ------------------------------------------------------------------------------

    def _break(self, which: tuple[Agent, float], now: float) -> None:
        """Break time: an idle agent goes at once, a busy one after the contact in hand, for as long."""
        agent, hours = which
        if agent.on_duty:
            agent.break_due_hours += hours
            self._leave_desk(agent, now)

    def _meet(self, which: tuple[Agent, float], now: float) -> None:
        """A meeting begins: an idle agent goes at once, a busy one after the contact in hand, if it is still on."""
        agent, until = which
        if agent.on_duty:
            agent.meeting_until = until
            self._leave_desk(agent, now)

    def _go_home_early(self, agent: Agent, now: float) -> None:
        """A recovering person's shorter day ends, as a working day does for all."""
        if agent.on_duty and agent.shift_end <= now:
            self._leave_for_home(self.center.teams[agent.team], [agent], now)

    def _leave_desk(self, agent: Agent, now: float) -> None:
        if agent.state == IDLE:
            self.center.teams[agent.team].idle.remove(agent)
            self.go_away(agent, now)
        else:
            agent.away_pending = True

    def go_away(self, agent: Agent, now: float) -> bool:
        """An agent goes into the meeting that is on, or takes the breaks that are due; the end is scheduled."""
        agent.away_pending = False
        if now < agent.meeting_until:
            back = agent.meeting_until
            agent.away_pending = agent.break_due_hours > 0
        elif agent.break_due_hours > 0:
            back = now + agent.break_due_hours
            agent.break_due_hours = 0.0
        else:
            return False
        self.center.note_duty(agent, now)
        agent.state = AWAY
        agent.away_since = agent.away_counted = now
        self.center.agenda.call(min(back, agent.shift_end), SHIFT_ORDER, self._return_to_desk, (agent, now))
        return True

    def _return_to_desk(self, away: tuple[Agent, float], now: float) -> None:
        """The break or the meeting ends: the agent goes on with work."""
        agent, since = away
        if agent.state == AWAY and agent.away_since == since:
            agent.away_hours += now - agent.away_counted
            agent.state, agent.desk_since = OFF, now
            self.center.go_on_working(agent, now)


def _pay(agent: Agent, rules: TeamRules, now: float, until: float) -> None:
    """Pays for a working day up to its end or to midnight, but for what has been paid by other rules."""
    hours = until - (now if agent.paid_until < now else agent.paid_until)
    if hours <= 0:
        return
    agent.paid_until = until
    agent.contracted_hours += hours
    agent.payroll_cost += hours * rules.cost_per_hour
    if agent.attendance != PAID_OFF:
        agent.planned_hours += hours * agent.planned_share
        if agent.attendance == ABSENT:
            agent.absent_hours += hours


def _set_day_aside(agent: Agent, now: float) -> None:
    """Keeps a day that is over for the next midnight, at which a new one will still be going on."""
    count_duty(agent, now)
    agent.ended_day = (
        agent.day_after_hours, agent.day_duty_hours, agent.day_reactive_hours, agent.day_overdue,
        agent.day_reactive_starts, agent.day_week_share,
    )  # fmt: skip
    agent.start_day()


def _breaks(rules: TeamRules, now: float, end: float) -> tuple[list[float], float, float]:
    """Shrinkage in equal blocks, one in each equal part of the day: their earliest starts, how long each is, and over
    how many hours the seats' starts are spread.
    """
    if rules.shrinkage == 0:
        return [], 0.0, 0.0
    parts, hours = rules.breaks_per_day, end - now
    starts = [now + part * (hours / parts) for part in range(parts)]
    return starts, rules.shrinkage * hours / parts, hours * (1 - rules.shrinkage) / parts


def _attendance(agent: Agent, day: int) -> int:
    """Whether a person comes on a day that is a working day."""
    if agent.leave_weeks and day // 7 in agent.leave_weeks:
        return PAID_OFF
    return ABSENT if day in agent.absent_days else PRESENT


def _shift_end(agent: Agent, roster: Roster, start: float, end: float) -> float:
    """When a person goes home: at the end of the working day, or of those that touch it, as far as is known."""
    while end < start + HOURS_PER_WEEK and (number := roster.opening.get(end)) is not None:
        _, later, day, _, _ = roster.working_days[number]
        if _attendance(agent, day) != PRESENT:
            break
        end = later
    return end


def _goes_on(agent: Agent, rules: TeamRules, now: float) -> bool:
    """Whether another working day of a person begins in this instant."""
    roster = rules.seat(agent.seat).roster
    number = roster.opening.get(now)
    if number is None or not agent.employed:
        return False
    return _attendance(agent, roster.working_days[number][2]) == PRESENT


def _during(rules: TeamRules, start: float, end: float) -> list[tuple[float, float]]:
    """The team's meetings that fall into a working day."""
    if not len(rules.meetings):
        return []
    rows = rules.meetings[(rules.meetings[:, 0] < end) & (rules.meetings[:, 1] > start)]
    return [(float(since), float(until)) for since, until in rows]
