"""How many people a company needs: plans of headcounts under the same luck, and the cheapest that meets targets.

In: a scenario, targets, and the headcounts to try. Out: `Sizing`: every plan with what it achieves, the cheapest one
that surely meets all targets, why not fewer, why not another, and what one queue's formula would have said.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.compile import compile_inputs
from sim.scenario import Scenario, dump_scenario, load_scenario_text, phases
from sim.scenario.schema import Change
from sim.study.errors import StudyInputError
from sim.study.kpis import Kpi, team_title
from sim.study.provenance import Provenance
from sim.study.sizing_formula import by_formula
from sim.study.sizing_targets import Met, Target, verdict_of
from sim.study.statistics import Estimate, estimate
from sim.study.worker import Measured

MOST_PLANS = 64
AROUND = 2  # headcounts tried below and above the first guess
MOST_TEAMS = 2

Headcounts = tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """One choice of headcounts and what it achieves.

    met : by target. cost : of the whole window. estimates : by the targets' texts.
    """

    headcounts: Headcounts
    cost: Estimate
    estimates: Mapping[str, Estimate]
    met: tuple[Met, ...]

    @property
    def verdict(self) -> Met:
        """Whether it meets all targets."""
        return verdict_of(self.met)


@dataclass(frozen=True)
class Grid:
    """The headcounts to try. teams : whose. plans : (headcount of each), all combinations. formula : what one queue's
    formula would say for each team, None where it cannot. present : the headcounts of the scenario itself.
    """

    teams: tuple[str, ...]
    day: dt.date
    plans: tuple[Headcounts, ...]
    formula: tuple[int | None, ...]
    present: Headcounts


def grid(
    scenario: Scenario, targets: Sequence[Target], spans: Mapping[str, tuple[int, int]], day: dt.date | None
) -> Grid:
    """All plans to try: of the teams named, or of the first two, from a day on.

    spans : first and last headcount by team; a team without one is tried from a little below to a little above what its
    workload asks for and what it has. Raises StudyInputError.
    """
    day = day or scenario.start
    end = scenario.start + dt.timedelta(weeks=scenario.weeks)
    if not scenario.start <= day < end:
        last = end - dt.timedelta(days=1)
        raise StudyInputError(f"--from: {day} is outside the run; use a date from {scenario.start} to {last}.")
    unknown = [team for team in spans if team not in scenario.teams]
    if unknown:
        raise StudyInputError(f"--team: there is no team '{unknown[0]}'; known here: {', '.join(scenario.teams)}.")
    then = [phase.scenario for phase in phases(scenario) if phase.start <= day][-1]
    with_people = [team for team, rules in then.teams.items() if rules.headcount > 0]
    teams = tuple(spans) or tuple(with_people[:MOST_TEAMS])
    if len(teams) > MOST_TEAMS:
        raise StudyInputError(f"--team: {len(teams)} teams; at most {MOST_TEAMS} can be sized at a time.")
    inputs = compile_inputs(then)
    formula = tuple(by_formula(inputs, then, team, targets) for team in teams)
    present = tuple(float(then.teams[team].headcount) for team in teams)
    each = []
    for team, guess, now in zip(teams, formula, present, strict=True):
        low, high = spans.get(team) or _around(guess, now)
        if not 1 <= low <= high:
            raise StudyInputError(f"--team: {team}={low}:{high} cannot be used; write {team}=FIRST:LAST, from 1.")
        grouped = _grouped(scenario, team, day)
        if low < grouped:
            raise StudyInputError(
                f"--team: the groups of {team} have {grouped} people together, so {low} are too few; "
                f"try {team}={grouped}:{max(high, grouped)}."
            )
        each.append(range(low, high + 1))
    count = math.prod(map(len, each))
    if count > MOST_PLANS:
        raise StudyInputError(f"{count:,} plans are too many; at most {MOST_PLANS}: give shorter ranges with --team.")
    plans = tuple(itertools.product(*([float(number) for number in one] for one in each)))
    return Grid(teams, day, plans, formula, present)


def _grouped(scenario: Scenario, team: str, day: dt.date) -> int:
    """People of a team who work in groups, at the most, from a day on."""
    parts = phases(scenario)
    then = [phase for phase in parts if phase.start <= day][-1:] + [phase for phase in parts if phase.start > day]
    return max(sum(group.people for group in phase.scenario.teams[team].groups.values()) for phase in then)


def _around(guess: int | None, now: float) -> tuple[int, int]:
    middle = max(1, round(now) if guess is None else guess)
    return max(1, middle - AROUND), middle + AROUND


def planned(scenario: Scenario, plans: Grid) -> list[Scenario]:
    """The scenario with each plan's headcounts from the day on; later changes of them are dropped."""
    return [_with(scenario, plans, headcounts) for headcounts in plans.plans]


def _with(scenario: Scenario, plans: Grid, headcounts: Headcounts) -> Scenario:
    values: dict[str, Any] = {
        f"teams.{team}.headcount": number for team, number in zip(plans.teams, headcounts, strict=True)
    }
    changes = []
    for change in scenario.changes:
        kept = {path: value for path, value in change.set.items() if change.from_ < plans.day or path not in values}
        if kept:
            changes.append(Change.model_validate({"from": change.from_, "set": kept}))
    same = next((change for change in changes if change.from_ == plans.day), None)
    day = Change.model_validate({"from": plans.day, "set": {**(same.set if same else {}), **values}})
    changes = sorted([*(one for one in changes if one is not same), day], key=lambda one: one.from_)
    name = " and ".join(f"{number:g} {team_title(team)}" for team, number in zip(plans.teams, headcounts, strict=True))
    whole = scenario.model_copy(update={"name": name[:80], "changes": changes})
    loaded = load_scenario_text(dump_scenario(whole), whole.name)
    return loaded.model_copy(update={"book": scenario.book})


@dataclass(frozen=True)
class Sizing:
    """What a sizing study found. plans : in the grid's order. failures : replications that could not be had."""

    scenario: str
    currency: str
    grid: Grid
    targets: tuple[Target, ...]
    registry: Mapping[str, Kpi]
    plans: tuple[Plan, ...]
    costs: NDArray[np.float64]  # (plans, replications)
    replications: int
    provenance: Provenance
    failures: tuple[str, ...] = ()

    @property
    def best(self) -> Plan | None:
        """The cheapest plan that surely meets all targets."""
        return self._cheapest([plan for plan in self.plans if plan.verdict == "met"])

    @property
    def runner_up(self) -> Plan | None:
        """The next cheapest that surely meets all targets."""
        return self._cheapest([plan for plan in self.plans if plan.verdict == "met" and plan is not self.best])

    @property
    def may_do(self) -> list[Plan]:
        """Plans that cost less than the best one and may meet the targets: more replications would tell."""
        limit = math.inf if self.best is None else _mean(self.best.cost)
        return [plan for plan in self.plans if plan.verdict == "open" and _mean(plan.cost) < limit]

    @property
    def nearest(self) -> Plan:
        """The plan that misses its targets by least, of the worst missed target's share."""
        return min(self.plans, key=self._miss)

    @property
    def so_far(self) -> str:
        """The answer in a few words, for whoever watches: what the means say, before anything is sure."""
        known = {plan.headcounts: [plan.estimates[target.text].mean for target in self.targets] for plan in self.plans}
        likely = [
            plan
            for plan in self.plans
            if all(
                target.distance(mean) == 0 for target, mean in zip(self.targets, known[plan.headcounts], strict=True)
            )
        ]
        best = self._cheapest(likely)
        if best is None:
            return "none meets the targets so far"
        words = (f"{team} {number:g}" for team, number in zip(self.grid.teams, best.headcounts, strict=True))
        return f"cheapest so far: {', '.join(words)}"

    def fewer(self, plan: Plan) -> list[tuple[str, Plan]]:
        """For each team, the plan with one person fewer, where it was tried."""
        found = []
        for index, team in enumerate(self.grid.teams):
            wanted = tuple(number - (i == index) for i, number in enumerate(plan.headcounts))
            found += [(team, other) for other in self.plans if other.headcounts == wanted]
        return found

    def cost_difference(self, plan: Plan, other: Plan) -> Estimate:
        """What a plan costs more than another, replication by replication."""
        rows = [self.plans.index(one) for one in (plan, other)]
        return estimate(self.costs[rows[0]] - self.costs[rows[1]])

    def at_edge(self, plan: Plan) -> list[str]:
        """Teams for which nothing below this plan was tried, although fewer people are possible."""
        lows = [min(one.headcounts[i] for one in self.plans) for i in range(len(self.grid.teams))]
        return [
            team for team, number, low in zip(self.grid.teams, plan.headcounts, lows, strict=True) if number == low > 1
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        best = self.best
        return {
            "provenance": self.provenance.to_dict(),
            "scenario": self.scenario,
            "from": self.grid.day.isoformat(),
            "replications": self.replications,
            "targets": [target.text for target in self.targets],
            "formula": dict(zip(self.grid.teams, self.grid.formula, strict=True)),
            "best": None if best is None else dict(zip(self.grid.teams, best.headcounts, strict=True)),
            "plans": [
                {
                    "headcounts": dict(zip(self.grid.teams, plan.headcounts, strict=True)),
                    "verdict": plan.verdict,
                    "cost_total": _ends(plan.cost),
                    "targets": {
                        target.text: {"met": met} | _ends(plan.estimates[target.text])
                        for target, met in zip(self.targets, plan.met, strict=True)
                    },
                }
                for plan in self.plans
            ],
        }

    def to_json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def _cheapest(self, plans: Sequence[Plan]) -> Plan | None:
        return min(plans, key=lambda plan: (_mean(plan.cost), plan.headcounts), default=None)

    def _miss(self, plan: Plan) -> tuple[float, float]:
        """The worst target's miss; a miss in contribution counts as a share of what the plan costs."""
        scale = _mean(plan.cost) or 1.0
        misses = [
            target.distance(plan.estimates[target.text].mean) / (1.0 if target.than is None else scale)
            for target in self.targets
        ]
        return max(misses), _mean(plan.cost)


def sizing(
    scenario: Scenario,
    plans: Grid,
    targets: Sequence[Target],
    kpis: Mapping[str, Kpi],
    measured: Sequence[Sequence[Measured]],
    made: Provenance,
) -> Sizing:
    """The study's result. measured : per replication, of the baseline and then of each plan."""

    def column(kpi: str) -> NDArray[np.float64]:
        """(replications, scenarios), nan where there is no value."""
        values = [[one.kpis[kpi] for one in parts] for parts in measured]
        return np.array([[np.nan if value is None else value for value in row] for row in values], dtype=np.float64)

    costs = column("cost_total")[:, 1:].T
    values = {target.text: column(target.kpi) for target in targets}
    found = []
    for row, headcounts in enumerate(plans.plans):
        known = {}
        for target in targets:
            mine = values[target.text][:, row + 1]
            mine = mine - values[target.text][:, 0] if target.than is not None else mine
            known[target.text] = estimate(mine[~np.isnan(mine)])
        met = tuple(target.met(known[target.text]) for target in targets)
        found.append(Plan(headcounts, estimate(costs[row]), known, met))
    return Sizing(
        scenario=scenario.name,
        currency=scenario.currency,
        grid=plans,
        targets=tuple(targets),
        registry=kpis,
        plans=tuple(found),
        costs=costs,
        replications=len(measured),
        provenance=made,
        failures=made.failed,
    )


def _mean(found: Estimate) -> float:
    return math.inf if found.mean is None else found.mean


def _ends(found: Estimate) -> dict[str, Any]:
    return {"mean": found.mean, "ci95": None if found.ci95 is None else list(found.ci95)}
