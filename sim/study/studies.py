"""What each kind of study computes, and what it makes of the replications.

In: scenarios, which are compiled together. Out: studies for `sim.study.execution.execute`, which carries them out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from sim.model.compile import compile_all
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.scenario import Scenario
from sim.scenario.doubts import doubts
from sim.scenario.evidence import evidence, widest_assumptions
from sim.scenario.union import with_all_names
from sim.study.alerts import alerts
from sim.study.decision import decide, is_told, plain, plain_change
from sim.study.designed import BEST_BY, DesignedStudy, designed
from sim.study.errors import ReplicationFailed, StudyInputError
from sim.study.kpis import Kpi, registry, window
from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE, check_range
from sim.study.looks import (
    Looks,
    Plan,
    Precision,
    Reached,
    planned_looks,
    precision_looks,
    reached,
    read_precision,
)
from sim.study.people_spread import people_spread
from sim.study.provenance import Provenance, provenance
from sim.study.quarters import quarters_of
from sim.study.ranking import ranking
from sim.study.results import (
    Comparison,
    KpiTable,
    RunResult,
    ScenarioDifference,
    cost_table,
    kpi_table,
    scenario_results,
    series,
)
from sim.study.risk import RiskReport, risk_report
from sim.study.sizing import Grid, Sizing, planned, sizing
from sim.study.sizing_targets import Target
from sim.study.statistics import Difference, compare_kpis, estimate
from sim.study.store import Key, Store, keys_of
from sim.study.study_plan import StudyPlan
from sim.study.why import why
from sim.study.worker import Finished
from sim.study.worth import Worth, piece
from sim.study.worth_measures import worth_totals
from sim.study.worth_scenarios import Alternatives

WIDEST_SHOWN = 3


def assumptions(scenario: Scenario) -> int:
    """How many of a scenario's inputs are assumed estimates; choices (seeds, headcounts, targets) do not count."""
    return sum(row.label == "assumption" and row.is_estimate for row in evidence(scenario).values())


def widest(scenario: Scenario) -> list[str]:
    """Paths of the least known assumptions of those that `assumptions` counts, at most three."""
    return [row.path for row in widest_assumptions(scenario) if row.is_estimate][:WIDEST_SHOWN]


class ScenarioStudy:
    """Scenarios compiled together (the first one warms up), and what replications of them measure.

    plan : which replications, in which parts. keep_accounts : whether they tell figures per account. totals : what is
    asked of each history instead of all KPIs.
    """

    keep_accounts = False
    totals: Callable[[History, Inputs], dict[str, float]] | None = None

    def __init__(self, scenarios: Sequence[Scenario], seed: int, replications: int) -> None:
        check_range("replications", replications, REPLICATIONS_RANGE)
        check_range("seed", seed, SEED_RANGE)
        self.scenarios = list(scenarios)
        self.seed = seed
        self.plan = Plan((range(replications),))
        self._whole = with_all_names(scenarios)
        self.inputs: tuple[Inputs, ...] = compile_all(self._whole)
        self.names = _distinct([one.name for one in scenarios])
        self.registry: dict[str, Kpi] = registry(self.inputs[0], scenarios[0].currency)
        self._precision: list[Precision] = []

    def stop_at(self, precision: Sequence[str]) -> None:
        """Ends the study when KPIs are known so well, see `read_precision`; nothing changes if none are named."""
        if precision:
            self._precision = read_precision(precision, self.registry)
            self.plan = Plan(precision_looks(self.plan.parts[-1].stop), self._precise)

    def _precise(self, finished: Sequence[Finished], replications: int) -> bool:
        return all(one.met for one in self._reached(kpi_table(self.names, list(self.registry), finished)))

    def _reached(self, table: KpiTable) -> tuple[Reached, ...]:
        values = {one.kpi: table.values[:, :, table.kpis.index(one.kpi)] for one in self._precision}
        return reached(self._precision, self.registry, self.names, values)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Of its scenarios, in the store."""
        return keys_of(self._whole, self.seed)

    def parts(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> dict[str, Any]:
        """What both kinds of result are made of."""
        messages = tuple(map(str, failures))
        table = kpi_table(self.names, list(self.registry), finished)
        return {
            "scenarios": scenario_results(table),
            "registry": self.registry,
            "table": table,
            "precision": self._reached(table),
            "series": series(self.names, self.inputs[0], finished),
            "costs": cost_table(self.names, self.inputs[0], finished),
            "alerts": tuple(
                alerts(one, [done.measured[i].flow for done in finished]) for i, one in enumerate(self.inputs)
            ),
            "warnings": tuple(tuple(doubts(one)) for one in self.scenarios),
            "people": people_spread(
                self.inputs[0].teams,
                [[one.measured[i].persons for one in finished] for i in range(len(self.names))],
            ),
            "quarters": quarters_of(
                self.names,
                self.inputs,
                self.scenarios[0].currency,
                [[one.measured[i].quarters for one in finished] for i in range(len(self.names))],
            ),
            "provenance": self.provenance(finished, failures),
            "failures": messages,
        }

    def risk(self, i: int, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RiskReport:
        """Who is at risk in the scenario at position i; the replications kept their accounts."""
        measures = [kept for one in finished if (kept := one.measured[i].accounts) is not None]
        named = self.provenance(finished, failures)
        one = self.scenarios[i]
        return risk_report(self.names[i], one, self.inputs[i], measures, named, named.failed, doubts(one))

    def provenance(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Provenance:
        """What every result of the study says of its making."""
        return provenance(self.scenarios, self.seed, len(finished) + len(failures), tuple(map(str, failures)))

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """The headline figure so far: the contribution's difference, or churn for a single scenario."""
        if len(self.names) == 1:
            return self._text("logo_churn_per_year", [f.measured[0].kpis for f in finished], None)
        return self._text(
            "contribution", [f.measured[1].kpis for f in finished], [f.measured[0].kpis for f in finished]
        )

    def _text(self, name: str, of: list[dict[str, float | None]], less: list[dict[str, float | None]] | None) -> str:
        values = np.array([np.nan if one[name] is None else one[name] for one in of], float)
        if less is not None:
            values -= np.array([np.nan if one[name] is None else one[name] for one in less], float)
        so_far, kpi = estimate(values), self.registry[name]
        show = plain if less is None else plain_change
        what = kpi.label if less is None else f"{kpi.label} changes by {kpi.unit}"
        text = f"{what} {show(so_far.mean, kpi.unit)}"
        if so_far.ci95 is None:
            return text
        return f"{text} ({show(so_far.ci95[0], kpi.unit)} to {show(so_far.ci95[1], kpi.unit)})"


class RunStudy(ScenarioStudy):
    """One scenario. precision : how well KPIs must be known, for the study to end before all replications."""

    def __init__(self, scenario: Scenario, seed: int, replications: int, precision: Sequence[str] = ()) -> None:
        super().__init__([scenario], seed, replications)
        self.stop_at(precision)

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RunResult:
        """Its estimates."""
        return RunResult(**self.parts(finished, failures))


class ComparisonStudy(ScenarioStudy):
    """A baseline and what-ifs, paired.

    store : where looks at the same question are counted. until_told : the study ends at the first planned look at which
    every decision is told. precision : see `RunStudy`; it is asked of differences.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        seed: int,
        replications: int,
        *,
        keep_accounts: bool = False,
        store: Store | None = None,
        until_told: bool = False,
        precision: Sequence[str] = (),
    ) -> None:
        super().__init__(scenarios, seed, replications)
        if until_told and precision:
            raise StudyInputError("Stop when the decision is told, or at a precision: only one can be meant.")
        self.keep_accounts = keep_accounts
        self._store = store
        # Under the keys of the scenarios as they are: what others beside them bring makes no other question.
        self._asked = keys_of(scenarios, seed) if store is not None else ()
        self._looks = [list(store.looks(self._asked[0], key)) for key in self._asked[1:]] if store is not None else [[]]
        if until_told:
            self.plan = Plan(planned_looks(replications), self._told)
        self.stop_at(precision)

    def look(self, replications: int) -> Looks:
        """The look that verdicts after so many replications are: a new one, or one of those there were."""
        at = max(self._looks, key=len)
        numbers = [one.index(replications) if replications in one else len(one) for one in self._looks]
        return Looks(1 + max(numbers), tuple(at) if replications in at else (*at, replications))

    def count_look(self, replications: int) -> None:
        """Notes that verdicts were seen after so many replications, here and in the store."""
        for i, looks in enumerate(self._looks, start=1):
            if replications not in looks:
                looks.append(replications)
                if self._store is not None:
                    self._store.count_look(self._asked[0], self._asked[i], replications)

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Comparison:
        """Estimates, differences, decisions."""
        parts = self.parts(finished, failures)
        table: KpiTable = parts["table"]
        estimates = parts["scenarios"]
        looks = self.look(len(finished) + len(failures))
        changes = self._changes(table, looks)
        first = self.inputs[0]
        decisions = [
            replace(
                decide(
                    name,
                    self.registry,
                    change,
                    estimates[0].kpis,
                    estimates[i].kpis,
                    teams=first.teams,
                    years=window(first).years,
                    currency=self.scenarios[0].currency,
                    assumptions=assumptions(self.scenarios[i]),
                    widest=widest(self.scenarios[i]),
                ),
                why=why(self.registry, change, first.teams),
            )
            for i, (name, change) in enumerate(zip(self.names[1:], changes, strict=True), start=1)
        ]
        differences = tuple(
            ScenarioDifference(name, self.names[0], change)
            for name, change in zip(self.names[1:], changes, strict=True)
        )
        risk = tuple(self.risk(i, finished, failures) for i in range(len(self.names))) if self.keep_accounts else None
        order = None
        if len(self.names) > 2:
            column = table.kpis.index("contribution")
            order = ranking(self.names, table.values[:, :, column], "higher", looks.alpha, self.scenarios[0].currency)
        return Comparison(
            **parts, differences=differences, decisions=tuple(decisions), looks=looks, ranking=order, risk=risk
        )

    def _changes(self, table: KpiTable, looks: Looks) -> list[dict[str, Difference]]:
        others = [table.of(i) for i in range(1, len(self.names))]
        return compare_kpis(self.registry, table.of(0), others, looks.number)

    def _told(self, finished: Sequence[Finished], replications: int) -> bool:
        """Whether it can be told of each what-if if it pays; this is a look."""
        changes = self._changes(kpi_table(self.names, list(self.registry), finished), self.look(replications))
        self.count_look(replications)
        return all(is_told(change["contribution"]) for change in changes)


class RiskStudy(ScenarioStudy):
    """Who is at risk in one scenario."""

    keep_accounts = True

    def __init__(self, scenario: Scenario, seed: int, replications: int) -> None:
        super().__init__([scenario], seed, replications)

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RiskReport:
        """The accounts and the calendar of renewals."""
        return self.risk(0, finished, failures)


class WorthStudy(ScenarioStudy):
    """What the team is worth: the replications give totals instead of KPIs."""

    totals: Callable[[History, Inputs], dict[str, float]] | None = staticmethod(worth_totals)

    def __init__(self, scenario: Scenario, others: Alternatives, seed: int, replications: int) -> None:
        super().__init__([scenario, *(other.scenario for other in others.found)], seed, replications)
        self._others = others

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Worth:
        """What each piece of the team keeps, and costs."""
        totals = [[done.totals[i] for done in finished] for i in range(len(self.names))]
        one, others, named = self.scenarios[0], self._others, self.provenance(finished, failures)
        pieces = (
            piece(other.what, other.title, other.scenario.name, self.inputs[0].tiers, totals[0], totals[i])
            for i, other in enumerate(others.found, start=1)
        )
        return Worth(
            scenario=one.name,
            currency=one.currency,
            team=others.team,
            day=others.day,
            years=window(self.inputs[0]).years,
            pieces=tuple(pieces),
            left_out=others.left_out,
            replications=len(finished),
            provenance=named,
            failures=named.failed,
            warnings=tuple(doubts(one)),
        )

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """Accounts that the first piece keeps, so far."""
        kept = [one.totals[1]["company.departures"] - one.totals[0]["company.departures"] for one in finished]
        so_far = estimate(np.array(kept))
        text = f"accounts kept: {plain(so_far.mean, 'accounts')}"
        if so_far.ci95 is None:
            return text
        return f"{text} ({plain(so_far.ci95[0], 'accounts')} to {plain(so_far.ci95[1], 'accounts')})"


class SizingStudy(ScenarioStudy):
    """Plans of headcounts, beside a baseline that they must beat or the scenario itself."""

    def __init__(
        self, base: Scenario, one: Scenario, plans: Grid, targets: Sequence[Target], seed: int, replications: int
    ) -> None:
        super().__init__([base, *planned(one, plans)], seed, replications)
        self._one, self._plans, self._targets = one, plans, targets

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Sizing:
        """The cheapest plan that meets the targets, and why not another."""
        measured, made = [done.measured for done in finished], self.provenance(finished, failures)
        return sizing(self._one, self._plans, self._targets, self.registry, measured, made)

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """The answer so far."""
        found = self.result(finished, [])
        return f"{len(self.names) - 1} plans, {found.so_far}"


class DesignStudy(ScenarioStudy):
    """The points of a designed study, beside its baseline."""

    def __init__(self, plan: StudyPlan, seed: int, replications: int) -> None:
        super().__init__([plan.baseline, *plan.scenarios], seed, replications)
        self._points = plan

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> DesignedStudy:
        """Every point beside the baseline, and what the factors do."""
        measured = [[one.kpis for one in done.measured] for done in finished]
        return designed(self._points, self.registry, measured, self.provenance(finished, failures))

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """The point that is best so far."""
        count = len(self._points.scenarios)
        values = [[one.kpis[BEST_BY] for one in done.measured[1:]] for done in finished]
        sums = [sum(filter(None, column)) for column in zip(*values, strict=True)]
        return f"{count:,} points, best so far: {self._points.design.points[sums.index(max(sums))].name}"


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, numbered where one occurs again: 'Baseline', 'Baseline (2)'."""
    seen: set[str] = set()
    result = []
    for name in names:
        numbered = (f"{name} ({i})" for i in itertools.count(2))
        unique = name if name not in seen else next(one for one in numbered if one not in seen)
        seen.add(unique)
        result.append(unique)
    return tuple(result)
