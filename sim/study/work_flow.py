"""Work waiting week by week, and the work that burnout costs: what tells a queue that can only grow, and a spiral.

In: a `History` and the scenario's `Inputs`. Out: `WorkFlow`, a few numbers per team and week, which a worker sends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model import ledger
from sim.model.inputs import Inputs, Phase
from sim.model.ledger import History, Table
from sim.study.kpi_parts import HOURS_PER_WEEK, BoolArray, FloatArray, where
from sim.study.kpi_teams import FINISHED, NEVER_ASKED, waiting_until


@dataclass(frozen=True)
class WorkFlow:
    """One replication's work per team.

    waiting : (teams, weeks + 1), hours of work waiting at the start of each week and at the end of the last, by mean
    handle times; only contacts that wait until they are served, not planned work that expires.
    lost : (teams, weeks), hours of work a week that the people would have done besides, had their burnout stayed where
    it was at the opening.
    burnout : (teams, weeks), mean over the people employed, 0 where there are none.
    """

    waiting: NDArray[np.float32]
    lost: NDArray[np.float32]
    burnout: NDArray[np.float32]


def work_flow(history: History, inputs: Inputs) -> WorkFlow:
    """The flow of work of all weeks of the run, whatever the KPIs' window."""
    teams = range(len(inputs.teams))
    contacts, people = history.contacts, history.people_weeks
    hours, lasting = _mean_hours(contacts, inputs)
    waits = lasting & ~np.isnan(contacts["queued"]) & ~np.isin(contacts["outcome"], NEVER_ASKED)
    until = waiting_until(contacts)
    edges: FloatArray = np.arange(inputs.weeks + 1, dtype=np.float64) * HOURS_PER_WEEK
    mine = [waits & (contacts["team"] == team) for team in teams]
    lost = [
        _lost(where(people, people["team"] == team), _resolved_share(contacts, team), inputs, team) for team in teams
    ]
    return WorkFlow(
        waiting=np.stack(
            [work_waiting(contacts["queued"][rows], until[rows], hours[rows], edges) for rows in mine]
        ).astype(np.float32),
        lost=np.stack([one for one, _ in lost]).astype(np.float32),
        burnout=np.stack([burnout for _, burnout in lost]).astype(np.float32),
    )


def work_waiting(queued: FloatArray, until: FloatArray, hours: FloatArray, edges: FloatArray) -> FloatArray:
    """(edges,) hours of work that wait just before each of some times.

    queued, until, hours : (contacts,), when each starts and stops waiting, and the work that it is.
    """

    def before(times: FloatArray) -> FloatArray:
        order = np.argsort(times)
        summed = np.concatenate(([0.0], np.cumsum(hours[order])))
        return np.asarray(summed[np.searchsorted(times[order], edges, side="left")])

    return np.maximum(before(queued) - before(until), 0.0)


def _mean_hours(contacts: Table, inputs: Inputs) -> tuple[FloatArray, BoolArray]:
    """(contacts,) mean working time of each by the rules of the phase in which it was born; whether it lasts."""
    hours = np.zeros(len(contacts["queued"]))
    lasting = np.zeros(len(hours), dtype=np.bool_)
    for number, phase in enumerate(inputs.phases):
        rows = np.flatnonzero(contacts["born"] >= phase.start_hour) if number else np.arange(len(hours))
        team, category, channel = (contacts[name][rows].astype(np.int64) for name in ("team", "category", "channel"))
        tables = phase.tables
        hours[rows] = tables.handle_hours.take(tables.cells(team, category, channel))
        lasting[rows] = _never_expires(phase)[category]
    return hours, lasting


def _never_expires(phase: Phase) -> BoolArray:
    """(categories,) whose contacts wait until they are served; firefighting ends with its account's contract."""
    if phase.switches.expiry:
        return phase.categories.customer
    return np.arange(len(phase.categories.customer)) != phase.categories.firefight


def _resolved_share(contacts: Table, team: int) -> float:
    finished = (contacts["team"] == team) & np.isin(contacts["outcome"], FINISHED)
    resolved = contacts["outcome"][finished] == ledger.RESOLVED
    return float(resolved.mean()) if len(resolved) else 0.0


def _lost(people: Table, resolved_share: float, inputs: Inputs, team: int) -> tuple[FloatArray, FloatArray]:
    """(weeks,) hours of work lost to burnout above the opening's, and mean burnout, of one team.

    Of what people do and miss, the part that the rules give to burnout: slower work; contacts left unresolved that
    come back; days of absence; and the seats empty, or in training, because somebody quit. That newcomers are slow is
    left out: the loss is told on the low side.
    """
    weeks = inputs.weeks
    week, employed = people["week"].astype(np.int64), people["employed"]
    count = np.bincount(week[employed], minlength=weeks)[:weeks]
    burnout_sum = np.bincount(week[employed], people["burnout"][employed], minlength=weeks)[:weeks]
    burnout = np.divide(burnout_sum, count, out=np.zeros(weeks), where=count > 0)
    lost = np.zeros(weeks)
    if not len(week) or not inputs.phases:
        return lost, burnout
    after_quit = _after_a_quit(people)
    for number, phase in enumerate(inputs.phases):
        later = inputs.phases[number + 1].start_hour if number + 1 < len(inputs.phases) else np.inf
        begin = (np.arange(weeks) + 0.5) * HOURS_PER_WEEK
        held = (begin >= (phase.start_hour if number else 0.0)) & (begin < later)
        rows = np.flatnonzero(held[week])
        opening = inputs.opening_burnout[team] if phase.switches.burnout else 0.0
        lost += _lost_in_phase(
            where(people, held[week]), after_quit[rows], burnout, opening, resolved_share, phase, weeks
        )
    return lost, burnout


def _lost_in_phase(
    people: Table,
    after_quit: BoolArray,
    team_burnout: FloatArray,
    opening: float,
    resolved_share: float,
    phase: Phase,
    weeks: int,
) -> FloatArray:
    rules, week = phase.people, people["week"].astype(np.int64)
    burnout = np.maximum(np.where(people["employed"], people["burnout"], 0.0).astype(np.float64), opening)
    slow = rules.slower_at_full_burnout
    slower = people["handling_hours"] * slow * (burnout - opening) / (1 + slow * burnout)
    repeated = phase.routing.repeat_probability if phase.switches.repeats else 0.0
    unresolved = rules.unresolved_at_full_burnout * (burnout - opening) * resolved_share
    again = people["reactive_hours"] * unresolved * repeated
    planned, contracted = (people[name].astype(np.float64) for name in ("planned_hours", "contracted_hours"))
    productive = np.divide(planned, contracted, out=np.zeros(len(week)), where=contracted > 0)
    away = people["absent_hours"] * productive * _excess(rules.absence_factor, burnout, opening)
    working = planned > 0
    usual = np.bincount(week[working], planned[working], minlength=weeks)[:weeks]
    usual = np.divide(usual, np.bincount(week[working], minlength=weeks)[:weeks], out=np.zeros(weeks), where=usual > 0)
    missing = after_quit & ~working
    quit_share = _excess(rules.quit_factor, np.maximum(team_burnout, opening), opening)
    gone = np.where(missing, (usual * quit_share)[week], 0.0)
    return np.asarray(np.bincount(week, slower + again + away + gone, minlength=weeks)[:weeks])


def _excess(factor: float, burnout: FloatArray, opening: float) -> FloatArray:
    """The share of events, `factor` times as frequent at full burnout, that burnout above the opening's brings."""
    return (factor - 1) * (burnout - opening) / (1 + (factor - 1) * burnout)


def _after_a_quit(people: Table) -> BoolArray:
    """(rows,) whether somebody has quit from the row's seat up to its week."""
    order = np.lexsort((people["week"], people["seat"]))
    quits = (people["event"][order] == ledger.QUIT).astype(np.int64)
    so_far = np.cumsum(quits)
    first = np.concatenate(([True], np.diff(people["seat"][order]) != 0))
    before = np.maximum.accumulate(np.where(first, so_far - quits, 0))
    result = np.zeros(len(order), dtype=np.bool_)
    result[order] = so_far > before
    return result
