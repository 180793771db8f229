"""When a decision shows: paired differences quarter by quarter, and the quarter in which each effect arrives.

In: `QuarterMeasures` of replications in order. Out: `Quarters`, as values and as JSON. The bill comes late: load and
waits move at once, states of the customers over months, and departures at the next renewal.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sim.model.inputs import Inputs
from sim.study.kpi_parts import FloatArray
from sim.study.kpis import Better, team_title
from sim.study.payback import HALF_A_CENT, Payback, payback
from sim.study.quarter_measures import WEEKS_PER_QUARTER, QuarterMeasures, figure_names, quarters
from sim.study.statistics import ALPHA, Interval, estimate, paired


@dataclass(frozen=True)
class Effect:
    """A figure that is followed by quarter.

    unit : as of a KPI. better : which direction is better, None if neither. skewed : its differences are far from
    normal and get the bootstrap-t.
    """

    name: str
    label: str
    unit: str
    better: Better | None
    skewed: bool = False


_TEAM = (
    Effect("handling_hours", "contact hours", "hours", None),
    Effect("overtime_hours", "overtime", "hours", "lower"),
    Effect("wait_mean_minutes", "wait", "minutes", "lower", skewed=True),
    Effect("burnout", "burnout", "score", "lower"),
)
_COMPANY = (
    Effect("planned_work_done_share", "Planned work done", "share", "higher"),
    Effect("executive_contact", "Executive contact", "score", "higher"),
    Effect("adoption", "Adoption", "score", "higher"),
    Effect("departures", "Accounts lost", "accounts", "lower"),
    Effect("arr_lost", "ARR lost", "money per year", "lower"),
    Effect("arr_at_risk", "ARR at risk", "money per year", "lower"),
    Effect("arr_up_for_renewal", "ARR up for renewal", "money per year", None),
    Effect("arr_lost_at_renewal", "ARR lost at renewals", "money per year", "lower"),
    Effect("cost", "Cost", "money", "lower"),
    Effect("revenue", "Revenue", "money", "higher"),
    Effect("contribution", "Contribution", "money", "higher"),
)


def effects(inputs: Inputs, currency: str) -> tuple[Effect, ...]:
    """All effects in the order of `figure_names`; money in `currency`."""
    of_teams = [
        replace(one, name=f"{team}.{one.name}", label=f"{team_title(team)} {one.label}")
        for team in inputs.teams
        for one in _TEAM
    ]
    company = [replace(one, unit=one.unit.replace("money", currency)) for one in _COMPANY]
    found = (*of_teams, *company)
    assert tuple(one.name for one in found) == figure_names(inputs), "an effect for each figure, in the same order"
    return found


@dataclass(frozen=True)
class Change:
    """A paired difference in one quarter; the intervals are None below two pairs.

    ci95 : pointwise. ci95_adjusted : at the level that allows for looking at all quarters (Bonferroni).
    """

    mean: float | None
    ci95: Interval | None
    ci95_adjusted: Interval | None


@dataclass(frozen=True)
class Arrival:
    """One effect of one what-if: its difference in each quarter, and the quarter in which it arrives.

    quarter : position from 0, None if it does not arrive within the run.
    """

    effect: Effect
    quarter: int | None
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> str | None:
        """'better' or 'worse' where it arrives; None for an effect without a better direction, or without arrival."""
        if self.quarter is None or self.effect.better is None:
            return None
        rises = (self.changes[self.quarter].mean or 0.0) > 0
        return "better" if rises == (self.effect.better == "higher") else "worse"

    def to_dict(self, starts: Sequence[dt.date]) -> dict[str, Any]:
        """Plain values; quarters count from 1."""
        return {
            "unit": self.effect.unit,
            "arrives": None if self.quarter is None else self.quarter + 1,
            "from": None if self.quarter is None else starts[self.quarter].isoformat(),
            "mean": [one.mean for one in self.changes],
            "ci95": [one.ci95 and list(one.ci95) for one in self.changes],
            "ci95_adjusted": [one.ci95_adjusted and list(one.ci95_adjusted) for one in self.changes],
        }


@dataclass(frozen=True)
class Quarters:
    """All scenarios of a study by quarter; the first one is the baseline.

    starts : first days of the quarters. values : (scenarios, replications, effects, quarters), nan where there is
    nothing to measure. contributions : (scenarios, replications, weeks), of each week, expected.
    adds_people : per scenario, whether it has more people than the baseline at some time.
    """

    scenarios: tuple[str, ...]
    starts: tuple[dt.date, ...]
    effects: tuple[Effect, ...]
    values: FloatArray
    contributions: FloatArray
    adds_people: tuple[bool, ...]

    @cached_property
    def arrivals(self) -> tuple[tuple[Arrival, ...], ...]:
        """For each scenario but the first, all effects against the first one, in their order."""
        return tuple(self.between(0, i) for i in range(1, len(self.scenarios)))

    @cached_property
    def paybacks(self) -> tuple[Payback | None, ...]:
        """For each scenario but the first, when its extra people have paid for themselves; None if it adds nobody."""
        return tuple(
            payback(self.contributions[i] - self.contributions[0], self.starts[0]) if self.adds_people[i] else None
            for i in range(1, len(self.scenarios))
        )

    def between(self, first: int, second: int) -> tuple[Arrival, ...]:
        """All effects of the scenario at position `second` against the one at `first`."""
        before, after = self.values[first], self.values[second]
        start = first_quarter(self.contributions[second] - self.contributions[first])
        found = []
        for i, effect in enumerate(self.effects):
            changes = quarter_changes(before[:, i], after[:, i], effect.name if effect.skewed else None)
            found.append(Arrival(effect, arrival(changes, start), changes))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the scenarios' own figures, and the differences to the first with their arrivals."""
        return {
            "weeks_per_quarter": WEEKS_PER_QUARTER,
            "starts": [start.isoformat() for start in self.starts],
            "scenarios": [
                {"name": name, "effects": {e.name: self._own(i, j) for j, e in enumerate(self.effects)}}
                for i, name in enumerate(self.scenarios)
            ],
            "differences": [
                {
                    "scenario": name,
                    "baseline": self.scenarios[0],
                    "effects": {one.effect.name: one.to_dict(self.starts) for one in arrivals},
                    "payback": pays and pays.to_dict(),
                }
                for name, arrivals, pays in zip(self.scenarios[1:], self.arrivals, self.paybacks, strict=True)
            ],
        }

    def _own(self, scenario: int, effect: int) -> dict[str, Any]:
        own = [estimate(column) for column in self.values[scenario, :, effect].T]
        unit = self.effects[effect].unit
        return {"unit": unit, "mean": [e.mean for e in own], "ci95": [e.ci95 and list(e.ci95) for e in own]}


def quarter_changes(before: FloatArray, after: FloatArray, skewed: str | None = None) -> tuple[Change, ...]:
    """Paired differences of one figure by quarter.

    before, after : (replications, quarters). skewed : as of `statistics.paired`.
    """
    count = before.shape[1]
    found = []
    for quarter in range(count):
        pairs = paired(before[:, quarter], after[:, quarter], f"{skewed} {quarter}" if skewed else None)
        found.append(Change(pairs.mean, pairs.interval(ALPHA), pairs.interval(ALPHA / count)))
    return tuple(found)


def first_quarter(differences: FloatArray) -> int:
    """The first quarter in which an effect can arrive: the first, at least half of which comes after the what-if began.

    differences : (replications, weeks) of contribution. Before it begins, both have the same rows. What it does in the
    last days of a quarter may be beyond doubt and yet next to nothing.
    """
    differs = np.flatnonzero((np.abs(differences) > HALF_A_CENT).any(axis=0))
    began = int(differs[0]) if len(differs) else 0
    return max(0, math.ceil(began / WEEKS_PER_QUARTER - 0.5))


def arrival(changes: Sequence[Change], first: int = 0) -> int | None:
    """The quarter in which an effect arrives, from 0; None if it does not within the run.

    first : the first quarter in which it can.

    Notes
    -----
    It is the first one whose interval excludes 0 and from which on the mean difference stays on that side of 0 until
    the end of the run. The interval's level allows for all quarters, so that an effect that is not there arrives
    anywhere in at most one study of twenty. A quarter without a value says nothing.
    """
    sides = [0.0 if one.mean is None else np.sign(one.mean) for one in changes]
    for quarter, one in list(enumerate(changes))[first:]:
        if one.ci95_adjusted is None or one.ci95_adjusted[0] <= 0 <= one.ci95_adjusted[1]:
            continue
        rest = zip(sides[quarter:], changes[quarter:], strict=True)
        if all(later.mean is None or side == sides[quarter] for side, later in rest):
            return quarter
    return None


def quarters_of(
    names: tuple[str, ...], inputs: Sequence[Inputs], currency: str, measures: Sequence[Sequence[QuarterMeasures]]
) -> Quarters:
    """The quarters of a study. measures : per scenario (the baseline first), per replication."""
    first = inputs[0]
    return Quarters(
        names,
        tuple(first.start + dt.timedelta(weeks=WEEKS_PER_QUARTER * i) for i in range(quarters(first.weeks))),
        effects(first, currency),
        np.stack([[one.values for one in each] for each in measures]),
        np.stack([[one.contribution for one in each] for each in measures]),
        tuple(adds_people(first, one) for one in inputs),
    )


def adds_people(baseline: Inputs, scenario: Inputs) -> bool:
    """Whether some team of the scenario has more seats than in the baseline, at some time."""
    moments = [phase.start_hour for phase in (*baseline.phases, *scenario.phases)]
    return any(
        ours.headcount > theirs.headcount
        for hour in moments
        for ours, theirs in zip(scenario.phase_at(hour).teams, baseline.phase_at(hour).teams, strict=True)
    )
