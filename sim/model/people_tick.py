"""The people's side of the day and week ticks: condition, absences, quits, hires, and the rows they leave.

In: the teams' states, the phase's rules and keyed luck. Out: changed agents, and columns for people_weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from sim.model.center_state import TeamState
from sim.model.contact_center import ContactCenter
from sim.model.inputs import LEAVE_YEAR, FloatArray, KeyArray, Phase
from sim.model.ledger import NO_EVENT
from sim.model.luck import Luck, key_of
from sim.model.staff import Agent, absence_probability, count_duty, next_condition, quits, strain
from sim.model.staffing import hire, quit_job

_DAY = attrgetter(
    "day_after_hours", "day_duty_hours", "day_reactive_hours", "day_overdue", "day_reactive_starts", "day_week_share",
    "fatigue", "burnout",
)  # fmt: skip


def condition_after_day(teams: Sequence[TeamState], phase: Phase, day: int, *, moves: bool) -> None:
    """At the midnight that ends `day`: counts hours and, if `moves`, lets fatigue and burnout follow the strain.

    A working day is its share of a person's working week, and counts at the first midnight after its end; a day of
    absence, leave or holiday is one without strain. Days on which a person does not work by its shift change nothing.
    """
    now = 24.0 * (day + 1)
    set_aside: list[Agent] = []
    for team, rules in zip(teams, phase.teams, strict=True):
        rate = rules.cost_per_hour * rules.overtime_pay_factor
        for agent in team.agents:
            if agent.worked_today:
                if agent.on_duty or agent.duty_hours:
                    count_duty(agent, now)
                agent.overtime_cost += agent.unpaid_overtime_hours * rate
                agent.unpaid_overtime_hours = 0.0
            if agent.ended_day:
                set_aside.append(agent)
    over = [agent for team in teams for agent in team.agents if agent.day_end <= now]
    if moves and phase.switches.burnout:
        earlier = [agent for agent in set_aside if agent.employed]
        _move_condition(earlier, [(*agent.ended_day, agent.fatigue, agent.burnout) for agent in earlier], phase)
        moving = [agent for agent in over if agent.employed and agent.day_week_share > 0]
        _move_condition(moving, [_DAY(agent) for agent in moving], phase)
    for agent in set_aside:
        agent.ended_day = ()
    for agent in over:
        if agent.worked_today or agent.day_week_share > 0:
            agent.start_day()


def _move_condition(agents: list[Agent], days: list[tuple[float, ...]], phase: Phase) -> None:
    """days : what each of the agents' days left, with the agent's condition, as in `_DAY`."""
    if not agents:
        return
    columns = np.array(days, dtype=np.float64).T
    today = strain(columns[0], columns[1], columns[2], columns[3], columns[4], phase.people)
    fatigue, burnout = next_condition(columns[6], columns[7], today, columns[5], phase.people)
    for agent, tired, burnt in zip(agents, fatigue.tolist(), burnout.tolist(), strict=True):
        agent.fatigue = tired
        agent.burnout = burnt


def plan_absences(teams: Sequence[TeamState], phase: Phase, luck: Luck, week: int) -> None:
    """Draws who will be absent on which day of the week, and of the days around it (clocks elsewhere are ahead)."""
    agents = [agent for team in teams for agent in team.agents]
    for agent in agents:
        agent.absent_days = _NO_DAYS
    if not phase.switches.absence or not agents:
        return
    first = 7 * week - 1
    keys = key_of(_keys(agents)[:, np.newaxis], np.arange(first, first + 9))
    per_day = np.array([phase.teams[agent.team].seat(agent.seat).absence_per_day for agent in agents])
    chance = absence_probability(per_day, _burnout(agents), phase.people)
    absent = luck.uniform("absent", keys.ravel()).reshape(keys.shape) < chance[:, np.newaxis]
    rows, days = absent.nonzero()
    for row, day in zip(rows.tolist(), days.tolist(), strict=True):
        agents[row].absent_days |= {first + day}


_NO_DAYS: frozenset[int] = frozenset()


def plan_leave(teams: Sequence[TeamState], phase: Phase, luck: Luck, week: int) -> None:
    """Says who is on planned leave in a week and in those beside it (clocks elsewhere are ahead or behind).

    Every `LEAVE_YEAR` of weeks has a person's own number of them, drawn by the person's luck alone: one of the two
    whole numbers nearest to what the team grants, so that the mean is that. More leave keeps the weeks of less.
    """
    agents: list[Agent] = []
    granted: list[float] = []
    for team, rules in zip(teams, phase.teams, strict=True):
        for agent in team.agents:
            agent.leave_weeks = _NO_DAYS
        if any(mine.leave_weeks > 0 for mine in rules.seats):
            agents += team.agents
            granted += [rules.seat(agent.seat).leave_weeks for agent in team.agents]
    if not agents:
        return
    keys = _keys(agents)
    near = range(week - 1, week + 2)
    for year in {one // LEAVE_YEAR for one in near}:
        weeks_of_year = np.arange(LEAVE_YEAR) + year * LEAVE_YEAR
        number = np.floor(np.array(granted) + luck.uniform("weeks of leave", keys, year))
        of_weeks = key_of(keys[:, np.newaxis], weeks_of_year)
        order = luck.uniform("leave", of_weeks.ravel()).reshape(of_weeks.shape).argsort(axis=1).argsort(axis=1)
        for row, column in np.argwhere(order < number[:, np.newaxis]).tolist():
            if weeks_of_year[column] in near:
                agents[row].leave_weeks |= {int(weeks_of_year[column])}


def staff_changes(center: ContactCenter, luck: Luck, week: int, now: float) -> None:
    """Quits by last week's burnout, then hires into seats that have been vacant long enough and are not frozen."""
    phase = center.phase
    agents = [agent for team in center.teams for agent in team.agents]
    if phase.switches.turnover and agents:
        rate_per_week = np.array([phase.teams[agent.team].quit_rate_per_week for agent in agents])
        leaving = quits(luck.uniform("quit", _keys(agents), week), rate_per_week, _burnout(agents), phase.people)
        for row in leaving.nonzero()[0].tolist():
            if agents[row].employed:
                quit_job(center, agents[row], now)
    for agent in agents:
        vacant, rules = not agent.employed and not agent.closed and agent.event == NO_EVENT, phase.teams[agent.team]
        if vacant and not rules.hiring_freeze and now - agent.vacated_at >= rules.time_to_fill_hours:
            hire(center, agent, now)


def _keys(agents: Sequence[Agent]) -> KeyArray:
    return np.array([agent.key for agent in agents], dtype=np.uint64)


def _burnout(agents: Sequence[Agent]) -> FloatArray:
    return np.array([agent.burnout for agent in agents])


def people_rows(teams: Sequence[TeamState], week: int) -> list[list[Any]]:
    """The week's row per open seat (and per seat closed in it), as columns of people_weeks."""
    rows = []
    for index, team in enumerate(teams):
        for agent in team.agents:
            if agent.closed and agent.event == NO_EVENT and agent.contracted_hours == 0:
                continue
            rows.append(
                (
                    week,
                    index,
                    agent.seat,
                    agent.occupant,
                    agent.employed,
                    agent.contracted_hours,
                    agent.planned_hours,
                    agent.absent_hours,
                    agent.on_duty_hours,
                    agent.handling_hours,
                    agent.overtime_hours,
                    agent.overtime_backlog_hours,
                    agent.reactive_hours,
                    agent.fatigue,
                    agent.burnout,
                    agent.recovering,
                    agent.event,
                    agent.payroll_cost,
                    agent.overtime_cost,
                    agent.hiring_cost,
                )
            )
            agent.start_week()
    return [list(column) for column in zip(*rows, strict=True)]
