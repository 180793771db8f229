"""The agents' working day: shifts begin and end, breaks in between.

In: each team's shifts. Out: agents on duty, with their hours counted; what they do there is the contact centre's
affair. Every handler is called at its time `now` and lists what it changes, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sim.model.agenda import OPEN_ORDER, SHIFT_ORDER
from sim.model.inputs import TeamRules
from sim.model.staff import AWAY, BUSY, IDLE, Agent, go_home, ramp_speed, share_of_shift, trains, work_factors

if TYPE_CHECKING:
    from sim.model.contact_center import ContactCenter

_GOLDEN = 0.6180339887498949  # spreads the seats' breaks evenly, whatever the number of seats


class WorkingDay:
    """The days of all agents of a contact centre."""

    def __init__(self, center: ContactCenter) -> None:
        self.center = center

    def plan_shifts(self, days: Iterable[tuple[int, Sequence[TeamRules]]]) -> None:
        """Puts down the shifts of some days, each with the teams' rules of that day."""
        for day, teams in days:
            for team, rules in enumerate(teams):
                if rules.shift.works_on(day):
                    start = 24.0 * day + rules.shift.start_hour
                    self.center.agenda.call(start, OPEN_ORDER, self.start_shift, (team, day, rules))

    def start_shift(self, which: tuple[int, int, TeamRules], now: float) -> None:
        """A team's working day begins.

        1. Everybody employed is paid for the day; who is absent or in training takes no contacts.
        2. The others are on duty, at the speed of their ramp and condition; their break is scheduled, and an early
           end if they recover.
        3. Each takes work, by seat; who finds none is idle.
        4. The shift's end is scheduled.

        which : team, number of the day and the team's rules on it.
        """
        team, day, rules = which
        hours = rules.shift.hours_per_day
        state, people = self.center.teams[team], self.center.phase.people
        arrived = []
        for agent in state.agents:
            agent.present = False
            if not agent.employed:
                continue
            agent.contracted_hours += hours
            agent.payroll_cost += hours * rules.cost_per_hour
            absent, training = day in agent.absent_days, trains(agent, 1 / len(rules.shift.days))
            share = agent.hours_share = share_of_shift(agent, people.recovery)
            planned_hours = hours * share * (1 - rules.shrinkage)
            if not training:
                agent.planned_hours += planned_hours
            if absent:
                agent.absent_hours += hours
            if absent or training:
                continue
            agent.present = agent.on_duty = True
            agent.worked_today = True
            if agent.state == BUSY and agent.contact is not None:
                self.center.count_hours(agent, agent.contact, now)
            agent.shift_end = now + hours * share
            agent.day_duty_hours += hours * share
            if share < 1:
                self.center.agenda.call(agent.shift_end, SHIFT_ORDER, self._go_home_early, agent)
            agent.away_pending = False
            speed = ramp_speed(now, agent.hired_at, rules.ramp_hours, rules.ramp_start_speed)
            agent.handle_factor, agent.resolution_factor = work_factors(agent.burnout, speed, people)
            if rules.shrinkage > 0:
                spread = (agent.seat + 1) * _GOLDEN % 1.0
                break_start = now + planned_hours * (0.1 + 0.8 * spread)
                self.center.agenda.call(break_start, SHIFT_ORDER, self._leave_desk, agent)
            state.open_until = max(state.open_until, agent.shift_end)
            if agent.state != BUSY:
                arrived.append(agent)
        for agent in arrived:
            self.center.go_on_working(agent, now)
        self.center.agenda.call(24.0 * day + rules.shift.end_hour, SHIFT_ORDER, self.end_shift, team)

    def end_shift(self, team: int, now: float) -> None:
        """A team's working day ends: who is idle or on a break goes home; who is busy finishes first."""
        for agent in self.center.teams[team].agents:
            self._stop(agent, now)
        self.center.teams[team].idle.clear()

    def _go_home_early(self, agent: Agent, now: float) -> None:
        """A recovering person's shorter shift ends: who is idle or on a break goes home; who is busy finishes first."""
        if agent.state == IDLE:
            self.center.teams[agent.team].idle.remove(agent)
        self._stop(agent, now)

    def _stop(self, agent: Agent, now: float) -> None:
        if agent.state == BUSY and agent.contact is not None:
            self.center.count_hours(agent, agent.contact, now)
        elif agent.on_duty:
            if agent.state == AWAY:
                agent.away_hours += now - agent.away_since
            go_home(agent)
        agent.on_duty = False

    def _leave_desk(self, agent: Agent, now: float) -> None:
        """Break time: an idle agent goes at once, a busy one after the contact in hand."""
        if agent.state == IDLE:
            self.center.teams[agent.team].idle.remove(agent)
            self.go_away(agent, now)
        elif agent.state == BUSY and agent.on_duty:
            agent.away_pending = True

    def go_away(self, agent: Agent, now: float) -> None:
        """An agent takes the break that is due; its end is scheduled."""
        rules = self.center.phase.teams[agent.team]
        agent.state = AWAY
        agent.away_pending = False
        agent.away_since = now
        back = min(now + rules.shrinkage * rules.shift.hours_per_day * agent.hours_share, agent.shift_end)
        self.center.agenda.call(back, SHIFT_ORDER, self._return_to_desk, (agent, now))

    def _return_to_desk(self, away: tuple[Agent, float], now: float) -> None:
        """The break ends: the agent goes on with work."""
        agent, since = away
        if agent.state == AWAY and agent.away_since == since:
            agent.away_hours += now - agent.away_since
            self.center.go_on_working(agent, now)
