"""Runs studies: replications of one scenario (`run`), or of several paired with a baseline (`compare`).

In: scenarios (objects or files), number of replications, root seed. Out: `RunResult` or `Comparison`.
How it is carried out: `sim/study/execution.py`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim.model.compile import compile_inputs
from sim.scenario import AccountSource, Scenario
from sim.study.designed import DesignedStudy
from sim.study.ends import End, corners
from sim.study.errors import Interrupted, PoolError, StudyFailed, StudyInputError
from sim.study.execution import Progress, execute, restart_notes
from sim.study.executors import Executor, LocalPool
from sim.study.given import ScenarioLike, check_comparable, read_scenario, read_scenarios
from sim.study.kpis import registry
from sim.study.limits import REPLICATIONS_RANGE, check_range, check_runs
from sim.study.looks import Plan
from sim.study.output_files import why_not_an_output
from sim.study.results import Comparison, Ends, RunResult
from sim.study.risk import RiskReport
from sim.study.sizing import Sizing, grid
from sim.study.sizing_targets import Target, read_targets
from sim.study.store import Store, opened
from sim.study.studies import (
    ComparisonStudy,
    DesignStudy,
    RiskStudy,
    RunStudy,
    SizingStudy,
    WorthStudy,
    assumptions,
    widest,
)
from sim.study.study_file import read_study_file
from sim.study.study_plan import StudyPlan, read_plan
from sim.study.warm_up import warm_up_check, with_longer
from sim.study.worlds import WORLDS_RANGE, Worlds, left_out, worlds_of, worlds_result
from sim.study.worth import Worth
from sim.study.worth_scenarios import alternatives

__all__ = [
    "Progress",
    "accounts_at_risk",
    "assumptions",
    "compare",
    "compare_at_ends",
    "compare_in_worlds",
    "restart_notes",
    "run",
    "study",
    "widest",
    "worth",
]

ENDS_REPLICATIONS = 10
WORLDS_REPLICATIONS = 2


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
    precision: Sequence[str] = (),
    only: int | None = None,
    check_warm_up: bool = False,
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
    precision : such as 'logo_churn_per_year=0.005', half the width of a KPI's 95 % interval, in its unit or in per cent
    of its mean. The study ends when all of them are known as well at once: from 20 replications on, after every ten,
    and at the latest after `replications`.
    only : the number of the one replication that is wanted, to see what happened in it.
    check_warm_up : whether to run it again with a longer warm-up, to see whether that matters.

    Raises
    ------
    ScenarioError, StudyInputError for bad input; Interrupted; StudyFailed if no replication could be had.
    """
    _check_ledger(ledger, [scenario])
    one, kept = read_scenario(scenario, accounts), opened(store)
    longer = with_longer(one) if check_warm_up else None
    study = RunStudy(one, seed, replications, precision)
    study.plan = _only(study.plan, only)
    with contextlib.ExitStack() as stack:
        shared = pool or stack.enter_context(LocalPool(workers))
        found = execute(study, workers, progress, cancel, shared, ledger, kept)
        if longer is None:
            return found
        again = RunStudy(longer, seed, replications)
        again.plan = study.plan if only is not None else Plan((range(found.provenance.replications),))
        try:
            after = execute(again, workers, progress, cancel, shared, None, kept)
        except Interrupted as interrupted:
            raise Interrupted(interrupted.done, interrupted.total, found) from None
        except (StudyFailed, PoolError) as error:
            return replace(found, failures=(*found.failures, f"The warm-up could not be checked: {error}"))
    failures = (*found.failures, *(f"With the longer warm-up: {text}" for text in after.failures))
    return replace(found, warm_up=warm_up_check(one, longer, found, after), failures=failures)


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
    until_told: bool = False,
    precision: Sequence[str] = (),
    only: int | range | None = None,
) -> Comparison:
    """Paired comparison of scenarios with a baseline: in each replication they share luck and warm-up.

    The scenarios need the baseline's tiers, opening book and calendar. A category, channel or team that only one of
    them has is at rest in the others: it has no contacts, no people and no cost there.
    Parameters and errors are those of `run`.

    keep_accounts : whether to tell also who is at risk, as `Comparison.risk`.
    until_told : whether to look after 10, 20, 40, 80... replications, and to end when every decision is told. Looks are
    paid for (`sim.study.statistics.spent`); the store counts those of earlier studies.
    precision : as for `run`, of the differences.
    """
    listed = [scenarios] if isinstance(scenarios, Scenario | str | Path) else list(scenarios)
    if not listed:
        raise StudyInputError("There is no scenario to compare; give at least one beside the baseline.")
    _check_ledger(ledger, [baseline, *listed])
    loaded = read_scenarios([baseline, *listed], accounts)
    check_comparable(loaded, [baseline, *listed])
    kept = opened(store)
    study = ComparisonStudy(
        loaded,
        seed,
        replications,
        keep_accounts=keep_accounts,
        store=kept,
        until_told=until_told,
        precision=precision,
    )
    study.plan = _only(study.plan, only)
    found = execute(study, workers, progress, cancel, pool, ledger, kept)
    if only is None:
        study.count_look(found.provenance.replications)
    return found


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
    study = RiskStudy(read_scenario(scenario, accounts), seed, replications)
    return execute(study, workers, progress, cancel, pool, None, opened(store))


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
    return execute(WorthStudy(one, alternatives(one, day), seed, replications), workers, progress, cancel, pool)


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
    study = SizingStudy(base, one, plans, wanted, seed, replications)
    return execute(study, workers, progress, cancel, pool, None, opened(store))


def study(
    given: StudyPlan | str | Path,
    *,
    replications: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> DesignedStudy:
    """A designed set of runs: every point beside the baseline under the same luck, and what the factors do.

    given : the path of a study file, or a plan that was made of one. replications, seed : instead of the study's own.

    The other parameters and errors are those of `run`.
    """
    plan = given if isinstance(given, StudyPlan) else read_plan(read_study_file(Path(given)), accounts)
    often = plan.replications if replications is None else replications
    check_runs(len(plan.scenarios), often)
    points = DesignStudy(plan, plan.seed if seed is None else seed, often)
    return execute(points, workers, progress, cancel, pool, None, opened(store))


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
    meter = _Parts(progress, replications, 2)

    def at(end: End, pool: Executor | LocalPool) -> Comparison:
        first, *others = both.low if end == "low" else both.high
        with meter.part(f"at the {end} ends") as shown:
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
        note = f"The assumptions are at their {end} ends; the interval covers chance only."
        return replace(found, decisions=tuple(replace(decision, note=note) for decision in found.decisions))

    with contextlib.ExitStack() as stack:
        shared = pool or stack.enter_context(LocalPool(workers))
        return Ends(at("low", shared), at("high", shared), both.moved, both.left_out)


def compare_in_worlds(
    baseline: ScenarioLike,
    scenarios: ScenarioLike | Sequence[ScenarioLike],
    *,
    worlds: int = 50,
    replications: int = WORLDS_REPLICATIONS,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pool: Executor | LocalPool | None = None,
    accounts: AccountSource | None = None,
    store: Store | str | Path | None = None,
) -> Worlds:
    """The comparison in plausible worlds, whose assumptions are drawn from their ranges (`sim.study.worlds`).

    worlds : 2 to 1,000; drawn with the seed. replications : of each world, at least 2, so that chance is told apart
    from what nobody has measured; every world has luck of its own. Parameters and errors are otherwise those of
    `compare`; progress counts the replications of all worlds. An interruption has no result; what was computed is kept
    in the store.
    """
    check_range("worlds", worlds, WORLDS_RANGE)
    check_range("replications of a world", replications, (2, REPLICATIONS_RANGE[1]))
    listed = [scenarios] if isinstance(scenarios, Scenario | str | Path) else list(scenarios)
    loaded = read_scenarios([baseline, *listed], accounts)
    check_comparable(loaded, [baseline, *listed])
    meter, found, drawn = _Parts(progress, replications, worlds), [], []
    with contextlib.ExitStack() as stack:
        shared = pool or stack.enter_context(LocalPool(workers))
        for number, (of_world, numbers) in enumerate(worlds_of(loaded, worlds, seed), start=1):
            with meter.part(f"world {number}") as shown:
                one = compare(
                    of_world[0],
                    of_world[1:],
                    seed=seed,
                    progress=shown,
                    cancel=cancel,
                    pool=shared,
                    store=store,
                    only=range((number - 1) * replications, number * replications),
                )
            found.append(one)
            drawn.append(numbers)
    return worlds_result(found, min(drawn), replications, left_out(loaded))


class _Parts:
    """Progress of several studies, one after the other, told as that of one."""

    def __init__(self, progress: Callable[[Progress], None] | None, replications: int, parts: int) -> None:
        self._progress, self._replications, self._total = progress, replications, replications * parts
        self._before, self._stored, self._began = 0, 0, time.monotonic()

    @contextlib.contextmanager
    def part(self, where: str) -> Iterator[Callable[[Progress], None]]:
        """What the next study is given as its progress; an interruption counts what was done before too."""

        stored = 0

        def shown(one: Progress) -> None:
            nonlocal stored
            stored = one.stored
            done, elapsed = self._before + one.done, time.monotonic() - self._began
            # One part may take many times as long as another: nothing is said of the time left during the first.
            left = elapsed / done * (self._total - done) if self._before else None
            text = one.estimate and f"{where}: {one.estimate}"
            if self._progress is not None:
                self._progress(
                    replace(
                        one,
                        done=done,
                        total=self._total,
                        seconds_elapsed=elapsed,
                        seconds_left=left,
                        estimate=text,
                        stored=self._stored + stored,
                    )
                )

        try:
            yield shown
        except Interrupted as interrupted:
            raise Interrupted(self._before + interrupted.done, self._total, None) from None
        self._before += self._replications
        self._stored += stored


def _check_ledger(ledger: str | Path | None, scenarios: Sequence[ScenarioLike]) -> None:
    """Raises StudyInputError if the ledger would take the place of a scenario file."""
    if ledger is None:
        return
    files = [Path(one) for one in scenarios if isinstance(one, str | Path)]
    problem = why_not_an_output(Path(ledger), files)
    if problem is not None:
        raise StudyInputError(f"{ledger}: {problem}")


def _only(plan: Plan, replication: int | range | None) -> Plan:
    """The same plan, or one replication instead, or a range of them. Raises StudyInputError."""
    if replication is None:
        return plan
    if isinstance(replication, range):
        return Plan((replication,))
    check_range("only", replication, (0, REPLICATIONS_RANGE[1] - 1))
    return Plan((range(replication, replication + 1),))
