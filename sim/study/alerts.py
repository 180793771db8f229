"""Alerts: a queue that can only grow, and a team in a spiral; each with the date from which it is so.

In: each replication's work waiting per week, and the work that burnout costs (`WorkFlow`). Out: `Alert`s, with a
sentence each. The criteria and their reasons: docs/statistics.md, "Alerts".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any, Literal

import numpy as np

from sim.model.inputs import Inputs
from sim.study.change_words import day_words
from sim.study.kpi_parts import FloatArray, IntArray
from sim.study.kpis import team_title
from sim.study.statistics import Interval, estimate
from sim.study.work_flow import WorkFlow

QUARTER_WEEKS = 13
LEAST_WEEKS = 26
STEEP = 3.0
STEP_WEEKS = 4
FEWEST_SHARE = 0.2
RISE_OF_BURNOUT = 0.1

Kind = Literal["growing_queue", "spiral"]


@dataclass(frozen=True)
class Alert:
    """Something that a mean over the window hides, in one scenario and team.

    since : the Monday from which it is so, about: the median over the replications in which it is. replications : how
    many those are, of `of`. hours_per_week, ci95 : by which work exceeds capacity, over all replications from then on.
    sentence : all of it in words.
    """

    kind: Kind
    team: str
    since: dt.date
    replications: int
    of: int
    hours_per_week: float
    ci95: Interval | None
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "kind": self.kind,
            "team": self.team,
            "since": self.since.isoformat(),
            "replications": self.replications,
            "of": self.of,
            "hours_per_week": self.hours_per_week,
            "ci95": self.ci95 and list(self.ci95),
            "sentence": self.sentence,
        }


def alerts(inputs: Inputs, flows: Sequence[WorkFlow]) -> tuple[Alert, ...]:
    """The alerts of one scenario, team by team. flows : one for each replication."""
    found: list[Alert] = []
    for team, name in enumerate(inputs.teams):
        waiting, lost, burnout = (
            np.stack([getattr(flow, part)[team] for flow in flows]).astype(np.float64)
            for part in ("waiting", "lost", "burnout")
        )
        begins = np.array([grows_from(one) for one in waiting])
        growing = growing_queue(waiting, begins)
        if growing is None:
            continue
        found.append(_growing_alert(name, inputs, growing, len(flows)))
        spiral = in_spiral(waiting, lost, burnout, begins, inputs.opening_burnout[team])
        if spiral is not None:
            found.append(_spiral_alert(name, inputs, spiral, inputs.opening_burnout[team], len(flows)))
    return tuple(found)


def grows_from(waiting: FloatArray) -> int:
    """The week from which one replication's queue only grows, -1 if there is none.

    waiting : (weeks + 1,), hours of work waiting at the start of each week and at the end of the last.

    Notes
    -----
    By quarters of a year, counted back from the end, the shortest that the queue has been rises from quarter to quarter
    until the end. It began in the last week in which the queue was about as short as in the first of these quarters, at
    least half a year before the end. The rise is more than `STEEP` times what a random walk with the queue's own
    changes would make of that time.
    """
    last = len(waiting) - 1
    edges = list(range(last + 1 - QUARTER_WEEKS * ((last + 1) // QUARTER_WEEKS), last + 2, QUARTER_WEEKS))
    shortest = [float(waiting[first:after].min()) for first, after in pairwise(edges)]
    quarter = len(shortest) - 1
    while quarter > 0 and shortest[quarter - 1] < shortest[quarter]:
        quarter -= 1
    if quarter >= len(shortest) - 1:
        return -1
    first = edges[quarter] + int(waiting[edges[quarter] : edges[quarter] + QUARTER_WEEKS].argmin())
    if last - first < LEAST_WEEKS:
        return -1
    change_per_week = _spread_of_changes(waiting[first:])
    short = waiting[first:] <= shortest[quarter] + change_per_week
    begin = first + int(np.flatnonzero(short)[-1])
    if last - begin < LEAST_WEEKS:
        return -1
    chance = change_per_week * sqrt(last - begin)
    return begin if shortest[-1] - shortest[quarter] > STEEP * chance else -1


def _spread_of_changes(waiting: FloatArray) -> float:
    """By how much the queue of a team with as much work as capacity would change in a week: standard deviation.

    From changes over several weeks, so that what lasts longer than a week (a vacancy, an illness) counts.
    """
    steps = waiting[STEP_WEEKS:] - waiting[:-STEP_WEEKS]
    return float(np.std(steps, ddof=1)) / sqrt(STEP_WEEKS)


@dataclass(frozen=True)
class Growing:
    """A queue that only grows: from which week, in how many replications, and by how many hours of work a week."""

    week: int
    replications: int
    hours_per_week: float
    ci95: Interval | None


def growing_queue(waiting: FloatArray, begins: IntArray) -> Growing | None:
    """What all replications say together; None if the queue does not grow in enough of them, or not surely.

    waiting : (replications, weeks + 1). begins : (replications,), from `grows_from`.

    Notes
    -----
    What comes in less what gets done is how much longer the queue becomes. Over all replications, from the median of
    the weeks on, its whole 95 % t-interval is above 0; where every replication tells it by itself, that is enough.
    """
    grows = begins >= 0
    if grows.sum() < max(1, FEWEST_SHARE * len(begins)):
        return None
    week = int(np.median(begins[grows]))
    excess = estimate((waiting[:, -1] - waiting[:, week]) / (waiting.shape[1] - 1 - week))
    assert excess.mean is not None
    unsure = excess.ci95 is not None and excess.ci95[0] <= 0
    if excess.mean <= 0 or (unsure and not grows.all()):
        return None
    return Growing(week, int(grows.sum()), excess.mean, excess.ci95)


@dataclass(frozen=True)
class Spiral:
    """A spiral: from which week, in how many replications; what burnout costs by then, and how it has risen."""

    week: int
    replications: int
    hours_per_week: float
    ci95: Interval | None
    lost_hours_per_week: float
    burnout_at_end: float


def in_spiral(
    waiting: FloatArray, lost: FloatArray, burnout: FloatArray, begins: IntArray, opening: float
) -> Spiral | None:
    """Whether it is the load's own cost that lets the queue grow, in the replications in which it does.

    Burnout has risen, and the work that it costs exceeds the queue's growth, with the whole 95 % t-interval.

    waiting : (replications, weeks + 1). lost, burnout : (replications, weeks). begins : (replications,). opening : the
    team's burnout at the start.
    """
    growth, cost, at_end = [], [], []
    for row in np.flatnonzero(begins >= 0).tolist():
        begin = int(begins[row])
        growth.append((waiting[row, -1] - waiting[row, begin]) / (waiting.shape[1] - 1 - begin))
        cost.append(lost[row, begin:].mean())
        at_end.append(burnout[row, -QUARTER_WEEKS:].mean())
    excess = np.array(growth) - np.array(cost)
    carried = estimate(excess)
    spirals = (excess < 0) & (np.array(at_end) > opening + RISE_OF_BURNOUT)
    if carried.mean is None or spirals.sum() < max(1, FEWEST_SHARE * len(begins)):
        return None
    if carried.mean >= 0 or (carried.ci95 is not None and carried.ci95[1] >= 0):
        return None
    grown = estimate(np.array(growth)[spirals])
    assert grown.mean is not None
    return Spiral(
        week=int(np.median(begins[begins >= 0][spirals])),
        replications=int(spirals.sum()),
        hours_per_week=grown.mean,
        ci95=grown.ci95,
        lost_hours_per_week=float(np.array(cost)[spirals].mean()),
        burnout_at_end=float(np.array(at_end)[spirals].mean()),
    )


def _growing_alert(team: str, inputs: Inputs, growing: Growing, of: int) -> Alert:
    since = inputs.start + dt.timedelta(weeks=growing.week)
    whose, when, counted = _whose(team), _when(since, growing.week), _counted(growing.replications, of)
    if 2 * growing.replications > of:
        said = f"{whose[0].upper()}{whose[1:]} queue can only grow {when} ({counted})"
    else:
        said = f"In {counted} {whose} queue can only grow, {when}"
    interval = "" if growing.ci95 is None else f" ({_hours(growing.ci95[0])} to {_hours(growing.ci95[1])})"
    more = f"a week, {_hours(growing.hours_per_week)} hours{interval} of work come in beyond what gets done"
    return Alert(
        "growing_queue", team, since, growing.replications, of, growing.hours_per_week, growing.ci95, f"{said}: {more}."
    )


def _spiral_alert(team: str, inputs: Inputs, spiral: Spiral, opening: float, of: int) -> Alert:
    since = inputs.start + dt.timedelta(weeks=spiral.week)
    sentence = (
        f"{team_title(team)} is in a spiral {_when(since, spiral.week)} ({_counted(spiral.replications, of)}): with the"
        " burnout of the opening the team could carry the work, but slower work, absences and quits cost"
        f" {_hours(spiral.lost_hours_per_week)} hours of it a week; burnout rises from {opening:.2f} to"
        f" {spiral.burnout_at_end:.2f}."
    )
    return Alert("spiral", team, since, spiral.replications, of, spiral.hours_per_week, spiral.ci95, sentence)


def _whose(team: str) -> str:
    title = team_title(team)
    return f"the {title}s'" if title.isupper() else f"{title}'s"


def _when(since: dt.date, week: int) -> str:
    return f"from about {day_words(since)} on" if week > STEP_WEEKS else "from the start on"


def _counted(replications: int, of: int) -> str:
    return f"{replications:,} of {of:,} replication{'s' if of != 1 else ''}"


def _hours(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"
