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
from sim.model.inputs import FloatArray, KeyArray, Phase
from sim.model.ledger import NO_EVENT
from sim.model.luck import Luck, key_of
from sim.model.staff import Agent, absence_probability, next_condition, quits, strain
from sim.model.staffing import hire, quit_job

_DAY = attrgetter(
    "day_after_hours", "day_duty_hours", "day_reactive_hours", "day_overdue", "day_reactive_starts", "fatigue",
    "burnout",
)  # fmt: skip


def condition_after_day(teams: Sequence[TeamState], phase: Phase, day: int, *, moves: bool) -> None:
    """Counts each agent's day and, if `moves`, lets fatigue and burnout follow its strain.

    A working day is its share of a working week; days off change nothing.
    """
    moving: list[Agent] = []
    weeks: list[float] = []
    for team, rules in zip(teams, phase.teams, strict=True):
        rate = rules.cost_per_hour * rules.overtime_pay_factor
        for agent in team.agents:
            if agent.worked_today:
                agent.day_duty_hours = max(0.0, agent.day_duty_hours - agent.away_hours)
                agent.on_duty_hours += agent.day_duty_hours
                agent.overtime_cost += agent.day_after_hours * rate
        if rules.shift.works_on(day):
            employed = [agent for agent in team.agents if agent.employed]
            moving += employed
            weeks += [1 / len(rules.shift.days)] * len(employed)
    if moves and phase.switches.burnout:
        _move_condition(moving, phase, np.array(weeks))
    for team in teams:
        for agent in team.agents:
            if agent.worked_today:
                agent.start_day()


def _move_condition(agents: list[Agent], phase: Phase, weeks: FloatArray) -> None:
    if not agents:
        return
    columns = np.array([_DAY(agent) for agent in agents], dtype=np.float64).T
    today = strain(columns[0], columns[1], columns[2], columns[3], columns[4], phase.people)
    fatigue, burnout = next_condition(columns[5], columns[6], today, weeks, phase.people)
    for agent, tired, burnt in zip(agents, fatigue.tolist(), burnout.tolist(), strict=True):
        agent.fatigue = tired
        agent.burnout = burnt


def plan_absences(teams: Sequence[TeamState], phase: Phase, luck: Luck, week: int) -> None:
    """Draws who will be absent on which day of the week (the next Monday included)."""
    agents = [agent for team in teams for agent in team.agents]
    for agent in agents:
        agent.absent_days = _NO_DAYS
    if not phase.switches.absence or not agents:
        return
    first = 7 * week
    keys = key_of(_keys(agents)[:, np.newaxis], np.arange(first, first + 8))
    per_day = np.array([phase.teams[agent.team].absence_per_day for agent in agents])
    chance = absence_probability(per_day, _burnout(agents), phase.people)
    absent = luck.uniform("absent", keys.ravel()).reshape(keys.shape) < chance[:, np.newaxis]
    for row, day in np.argwhere(absent).tolist():
        agents[row].absent_days |= {first + day}


_NO_DAYS: frozenset[int] = frozenset()


def staff_changes(center: ContactCenter, luck: Luck, week: int, now: float) -> None:
    """Quits by last week's burnout, then hires into seats that have been vacant long enough and are not frozen."""
    phase = center.phase
    agents = [agent for team in center.teams for agent in team.agents]
    if phase.switches.turnover and agents:
        rate_per_week = np.array([phase.teams[agent.team].quit_rate_per_week for agent in agents])
        leaving = quits(luck.uniform("quit", _keys(agents), week), rate_per_week, _burnout(agents), phase.people)
        for row in np.flatnonzero(leaving).tolist():
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
