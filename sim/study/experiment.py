"""Runs studies: replications of one scenario (`run`), or of several paired with a baseline (`compare`).

In: scenarios (objects or files), number of replications, root seed. Out: `RunResult` or `Comparison`.
How it is carried out: `sim/study/execution.py`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.scenario import AccountSource, Scenario
from sim.scenario.doubts import doubts
from sim.scenario.evidence import evidence, widest_assumptions
from sim.scenario.union import with_all_names
from sim.study.alerts import alerts
from sim.study.decision import decide, plain, plain_change
from sim.study.ends import End, corners
from sim.study.errors import Interrupted, ReplicationFailed, StudyInputError
from sim.study.execution import Progress, execute, restart_notes
from sim.study.executors import Executor, LocalPool
from sim.study.given import ScenarioLike, check_comparable, read_scenario, read_scenarios
from sim.study.kpis import Kpi, registry, window
from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE, check_range
from sim.study.output_files import why_not_an_output
from sim.study.people_spread import people_spread
from sim.study.provenance import Provenance, provenance
from sim.study.quarters import quarters_of
from sim.study.results import (
    Comparison,
    Ends,
    KpiTable,
    RunResult,
    ScenarioDifference,
    cost_table,
    kpi_table,
    scenario_results,
    series,
)
from sim.study.risk import RiskReport, risk_report
from sim.study.sizing import Sizing, grid, planned, sizing
from sim.study.sizing_targets import Target, read_targets
from sim.study.statistics import compare_kpis, estimate
from sim.study.store import Key, Store, keys_of, opened
from sim.study.why import why
from sim.study.worker import Finished
from sim.study.worth import Worth, piece
from sim.study.worth_measures import worth_totals
from sim.study.worth_scenarios import alternatives

__all__ = [
    "Progress",
    "accounts_at_risk",
    "assumptions",
    "compare",
    "compare_at_ends",
    "restart_notes",
    "run",
    "widest",
    "worth",
]

ENDS_REPLICATIONS = 10
WIDEST_SHOWN = 3


def run(
    scenario: ScenarioLike,
    *,
    replications: int = 30,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    ledger: str | Path | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> RunResult:
    """Replications of one scenario.

    Parameters
    ----------
    scenario : a scenario or the path of its file.
    replications : 1 to 100,000, numbered from 0. seed : root seed, 0 to 2^63 - 1.
    workers : processes, 1 to 256; by default one per core. pool : a warm pool to use instead, shared with
    the other studies that use it, or an executor.
    progress : called with a `Progress` at the start and after every replication.
    cancel : asked about ten times a second; when true, the workers are stopped and `Interrupted` is raised.
    ledger : Parquet file for the contact ledgers of all replications.
    accounts : a list of accounts to start with, for scenarios given as files.
    store : folder in which finished replications are kept, and looked up before they are computed; by default none.

    Raises
    ------
    ScenarioError, StudyInputError for bad input; Interrupted; StudyFailed if no replication could be had.
    """
    _check_ledger(ledger, [scenario])
    one = read_scenario(scenario, accounts)
    study = _Study([one], seed, replications)

    def result(finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RunResult:
        return RunResult(**study.parts(finished, failures))

    return execute(study, result, workers, progress, cancel, pool, ledger, store=opened(store))


def compare(
    baseline: ScenarioLike,
    scenarios: ScenarioLike | Sequence[ScenarioLike],
    *,
    replications: int = 30,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    ledger: str | Path | None = None,
    keep_accounts: bool = False,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> Comparison:
    """Paired comparison of scenarios with a baseline: in each replication they share luck and warm-up.

    The scenarios need the baseline's tiers, opening book and calendar. A category, channel or team that only one of
    them has is at rest in the others: it has no contacts, no people and no cost there.
    Parameters and errors are those of `run`.

    keep_accounts : whether to tell also who is at risk, as `Comparison.risk`.
    """
    listed = [scenarios] if isinstance(scenarios, Scenario | str | Path) else list(scenarios)
    if not listed:
        raise StudyInputError("There is no scenario to compare; give at least one beside the baseline.")
    _check_ledger(ledger, [baseline, *listed])
    loaded = read_scenarios([baseline, *listed], accounts)
    check_comparable(loaded, [baseline, *listed])
    study = _Study(loaded, seed, replications)

    def result(finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Comparison:
        parts = study.parts(finished, failures)
        table: KpiTable = parts["table"]
        estimates = parts["scenarios"]
        changes = compare_kpis(study.registry, table.of(0), [table.of(i) for i in range(1, len(loaded))])
        first = study.inputs[0]
        decisions = [
            replace(
                decide(
                    name,
                    study.registry,
                    change,
                    estimates[0].kpis,
                    estimates[i].kpis,
                    teams=first.teams,
                    years=window(first).years,
                    currency=loaded[0].currency,
                    assumptions=assumptions(loaded[i]),
                    widest=widest(loaded[i]),
                ),
                why=why(study.registry, change, first.teams),
            )
            for i, (name, change) in enumerate(zip(study.names[1:], changes, strict=True), start=1)
        ]
        differences = tuple(
            ScenarioDifference(name, study.names[0], change)
            for name, change in zip(study.names[1:], changes, strict=True)
        )
        risk = tuple(study.risk(i, finished, failures) for i in range(len(loaded))) if keep_accounts else None
        return Comparison(**parts, differences=differences, decisions=tuple(decisions), risk=risk)

    return execute(study, result, workers, progress, cancel, pool, ledger, keep_accounts, store=opened(store))


def accounts_at_risk(
    scenario: ScenarioLike,
    *,
    replications: int = 30,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> RiskReport:
    """Who is at risk: each account of the opening book, why, and what to do next; and the calendar of renewals.

    Parameters and errors are those of `run`. It keeps about 50 bytes per account and replication.
    """
    study = _Study([read_scenario(scenario, accounts)], seed, replications)

    def result(finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RiskReport:
        return study.risk(0, finished, failures)

    return execute(study, result, workers, progress, cancel, pool, None, keep_accounts=True, store=opened(store))


def worth(
    scenario: ScenarioLike,
    *,
    day: dt.date | None = None,
    replications: int = 30,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
) -> Worth:
    """What the team is worth: the scenario against itself without the team, one person, planned work, firefighting.

    day : from which on the alternatives differ; by default about a quarter of the run has passed by then (see
    `worth_scenarios.alternatives`). The other parameters and errors are those of `run`.
    """
    one = read_scenario(scenario, accounts)
    others = alternatives(one, day)
    study = _WorthStudy([one, *(other.scenario for other in others.found)], seed, replications)

    def result(finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Worth:
        totals = [[done.totals[i] for done in finished] for i in range(len(study.names))]
        messages = tuple(map(str, failures))
        pieces = (
            piece(other.what, other.title, other.scenario.name, study.inputs[0].tiers, totals[0], totals[i])
            for i, other in enumerate(others.found, start=1)
        )
        return Worth(
            scenario=one.name,
            currency=one.currency,
            team=others.team,
            day=others.day,
            years=window(study.inputs[0]).years,
            pieces=tuple(pieces),
            left_out=others.left_out,
            replications=len(finished),
            provenance=study.provenance(messages),
            failures=messages,
            warnings=tuple(doubts(one)),
        )

    return execute(study, result, workers, progress, cancel, pool, None, totals=worth_totals)


def size(
    scenario: ScenarioLike,
    targets: Sequence[str],
    *,
    spans: Mapping[str, tuple[int, int]] | None = None,
    day: dt.date | None = None,
    replications: int = 10,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
    against: ScenarioLike | None = None,
) -> Sizing:
    """How many people: the cheapest headcounts that surely meet targets, among plans simulated under the same luck.

    Parameters
    ----------
    targets : such as 'support.service_level>=0.8', a KPI, <= or >=, and a number in the KPI's unit.
    spans : first and last headcount to try, by team, of at most two teams; see `sim.study.sizing.grid`.
    day : from which on the headcounts hold; by default the first of the run.
    against : a baseline which the plan must surely beat in contribution, under the same luck: then it pays.

    The other parameters and errors are those of `run`.
    """
    one = read_scenario(scenario, accounts)
    base = one if against is None else read_scenario(against, accounts)
    kpis = registry(compile_inputs(one), one.currency)
    wanted = read_targets(targets, kpis, pays=against is not None)
    if against is not None:
        check_comparable([base, one], [against, scenario])
        wanted.append(Target("contribution", at_most=False, value=0.0, than=base.name))
    plans = grid(one, wanted, spans or {}, day)
    study = _SizingStudy([base, *planned(one, plans)], seed, replications)

    def result(finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Sizing:
        return sizing(one, plans, wanted, kpis, [done.measured for done in finished], study.provenance, failures)

    return execute(study, result, workers, progress, cancel, pool, None, store=opened(store))


def compare_at_ends(
    baseline: ScenarioLike,
    scenarios: ScenarioLike | Sequence[ScenarioLike],
    *,
    replications: int = ENDS_REPLICATIONS,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> Ends:
    """The comparison with all estimated assumptions at their low ends, and again at their high ends.

    Two corners of what is possible, no bounds: with some assumptions low and others high the answer may lie outside.
    What stays as it is, and why: `sim.study.ends`. Parameters and errors are those of `compare`; progress counts the
    replications of both comparisons.
    """
    listed = [scenarios] if isinstance(scenarios, Scenario | str | Path) else list(scenarios)
    loaded = read_scenarios([baseline, *listed], accounts)
    check_comparable(loaded, [baseline, *listed])
    both = corners(loaded)
    total, began = 2 * replications, time.monotonic()

    def at(end: End, before: int, pool: Executor | LocalPool) -> Comparison:
        """The comparison at one end. before : replications done at the other."""

        def shown(one: Progress) -> None:
            elapsed = time.monotonic() - began
            left = one.seconds_left if before else None  # the high end may take many times as long as the low one
            text = one.estimate and f"at the {end} ends: {one.estimate}"
            if progress is not None:
                progress(
                    replace(
                        one,
                        done=before + one.done,
                        total=total,
                        seconds_elapsed=elapsed,
                        seconds_left=left,
                        estimate=text,
                    )
                )

        first, *others = both.low if end == "low" else both.high
        try:
            found = compare(
                first,
                others,
                replications=replications,
                seed=seed,
                progress=shown,
                cancel=cancel,
                pool=pool,
                store=store,
            )
        except Interrupted as interrupted:
            raise Interrupted(before + interrupted.done, total, None) from None
        note = f"The assumptions are at their {end} ends; the interval covers chance only."
        return replace(found, decisions=tuple(replace(decision, note=note) for decision in found.decisions))

    with contextlib.ExitStack() as stack:
        shared = pool or stack.enter_context(LocalPool(workers))
        return Ends(at("low", 0, shared), at("high", replications, shared), both.moved, both.left_out)


def assumptions(scenario: Scenario) -> int:
    """How many of a scenario's inputs are assumed estimates; choices (seeds, headcounts, targets) do not count."""
    return sum(row.label == "assumption" and row.is_estimate for row in evidence(scenario).values())


def widest(scenario: Scenario) -> list[str]:
    """Paths of the least known assumptions of those that `assumptions` counts, at most three."""
    return [row.path for row in widest_assumptions(scenario) if row.is_estimate][:WIDEST_SHOWN]


class _Study:
    """What a study computes: the scenarios (the first one warms up), their inputs, names and registry."""

    def __init__(self, scenarios: Sequence[Scenario], seed: int, replications: int) -> None:
        check_range("replications", replications, REPLICATIONS_RANGE)
        check_range("seed", seed, SEED_RANGE)
        self.scenarios = list(scenarios)
        self.seed, self.replications = seed, replications
        whole = with_all_names(scenarios)
        self.inputs: tuple[Inputs, ...] = tuple(compile_inputs(one) for one in whole)
        self._whole = whole
        self.names = _distinct([one.name for one in scenarios])
        self.registry: dict[str, Kpi] = registry(self.inputs[0], scenarios[0].currency)

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
            "provenance": self.provenance(messages),
            "failures": messages,
        }

    def risk(self, i: int, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> RiskReport:
        """Who is at risk in the scenario at position i; the replications kept their accounts."""
        messages = tuple(map(str, failures))
        measures = [kept for one in finished if (kept := one.measured[i].accounts) is not None]
        named = self.provenance(messages)
        one = self.scenarios[i]
        return risk_report(self.names[i], one, self.inputs[i], measures, named, messages, doubts(one))

    def provenance(self, failures: Sequence[str]) -> Provenance:
        """What every result of the study says of its making."""
        return provenance(self.scenarios, self.seed, self.replications, failures)

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


class _WorthStudy(_Study):
    """A study of what the team is worth: the replications give totals instead of KPIs."""

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """Accounts that the first piece keeps, so far."""
        kept = [one.totals[1]["company.departures"] - one.totals[0]["company.departures"] for one in finished]
        so_far = estimate(np.array(kept))
        text = f"accounts kept: {plain(so_far.mean, 'accounts')}"
        if so_far.ci95 is None:
            return text
        return f"{text} ({plain(so_far.ci95[0], 'accounts')} to {plain(so_far.ci95[1], 'accounts')})"


class _SizingStudy(_Study):
    """A study of headcounts: what counts so far is told at the end."""

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """How much has been seen."""
        return f"{len(self.names) - 1} plans"


def _check_ledger(ledger: str | Path | None, scenarios: Sequence[ScenarioLike]) -> None:
    """Raises StudyInputError if the ledger would take the place of a scenario file."""
    if ledger is None:
        return
    files = [Path(one) for one in scenarios if isinstance(one, str | Path)]
    problem = why_not_an_output(Path(ledger), files)
    if problem is not None:
        raise StudyInputError(f"{ledger}: {problem}")


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
