"""Carries a study out: its replications, in worker processes or not, with progress, cancel and a partial result.

In: a study, which knows its scenarios and what to make of finished replications. Out: its result.
Replications are put in order before anything is added up, so that results are the same bits whatever the workers.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.designed import DesignedStudy
from sim.study.errors import Interrupted, PoolError, ReplicationFailed, StudyFailed
from sim.study.executors import Executor, LocalPool
from sim.study.ledger_file import LedgerFile
from sim.study.limits import WORKERS_RANGE, check_range
from sim.study.looks import Plan
from sim.study.results import Comparison, RunResult
from sim.study.risk import RiskReport
from sim.study.sizing import Sizing
from sim.study.store import Key, Store
from sim.study.worker import Finished, Job, Measured
from sim.study.worth import Worth

ResultKind = TypeVar("ResultKind", RunResult, Comparison, RiskReport, Worth, Sizing, DesignedStudy)
Result_co = TypeVar("Result_co", covariant=True)

ESTIMATE_EVERY_SECONDS = 0.25
MOST_NOTES = 2  # about the store


@dataclass(frozen=True)
class Progress:
    """How far a study is. seconds_left is None until something is done; estimate is '' until then.

    notes : sentences without a full stop about what went wrong on the way and was repaired. stored : how many of those
    that are done were not computed, since the store had them.
    """

    done: int
    total: int
    seconds_elapsed: float
    seconds_left: float | None
    estimate: str
    notes: tuple[str, ...] = ()
    stored: int = 0


class Study(Protocol[Result_co]):
    """What is carried out."""

    keep_accounts: bool
    totals: Callable[[History, Inputs], dict[str, float]] | None

    @property
    def inputs(self) -> tuple[Inputs, ...]:
        """Of its scenarios; the first one warms up."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its scenarios, each once."""

    @property
    def seed(self) -> int:
        """Root of all luck."""

    @property
    def plan(self) -> Plan:
        """Which replications, in which parts, and when they are enough."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of its scenarios, in the store."""

    def estimate_text(self, finished: Sequence[Finished]) -> str:
        """The headline figure so far."""

    def result(self, finished: Sequence[Finished], failures: Sequence[ReplicationFailed]) -> Result_co:
        """What it makes of replications, which are in order."""


def execute(
    study: Study[ResultKind],
    workers: int | None,
    progress: Callable[[Progress], None] | None,
    cancel: Callable[[], bool] | None,
    pool: Executor | LocalPool | None,
    ledger: str | Path | None = None,
    store: Store | None = None,
) -> ResultKind:
    """Computes the study's replications and makes the result of those that could be had.

    store : what is there already is not computed again, but for ledgers, and what is computed is kept at once.
    """
    if workers is not None:
        check_range("workers", workers, WORKERS_RANGE)
    job = Job(study.inputs[0], study.inputs, study.seed, ledger is not None, study.keep_accounts, study.totals)
    finished: list[Finished] = []
    failures: list[ReplicationFailed] = []
    meter = Meter(study, progress)

    def ordered() -> tuple[list[Finished], list[ReplicationFailed]]:
        return (
            sorted(finished, key=lambda one: one.replication),
            sorted(failures, key=lambda one: one.replication),
        )

    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(LedgerFile(Path(ledger), study.inputs, study.names)) if ledger else None
        shared = pool or stack.enter_context(LocalPool(workers))
        restarts = total = 0
        for part in study.plan.parts:
            executor = shared.study() if isinstance(shared, LocalPool) else shared
            stack.callback(executor.cancel)
            stored = Stored(store if study.totals is None else None, study, job, part)
            before, total = len(finished), total + len(part)
            finished += stored.whole()
            meter.found(len(finished) - before)
            for lacking, replications in stored.missing():
                executor.submit(lacking, replications)
            meter.show(finished, len(finished) + len(failures), total, stored.notes(restarts))
            for one in _until_stopped(executor, cancel):
                if one is not None and one.error is not None:
                    failures.append(ReplicationFailed(study.seed, one.replication, one.error))
                elif one is not None:
                    if writer is not None:
                        writer.add(one)
                    finished.append(stored.kept(_without_contacts(one)))
                if one is not None:
                    restarts += one.restarts
                    meter.show(finished, len(finished) + len(failures), total, stored.notes(restarts))
                if cancel is not None and cancel() and len(finished) + len(failures) < total:
                    executor.cancel()
                    partial = _interrupted(study.result(*ordered())) if finished else None
                    raise Interrupted(len(finished), total, partial)
            if part is study.plan.parts[-1] or (finished and study.plan.enough(ordered()[0], total)):
                break
        if not finished:
            raise StudyFailed(ordered()[1])
        return study.result(*ordered())


def _until_stopped(executor: Executor, cancel: Callable[[], bool] | None) -> Iterator[Finished | None]:
    """What the executor yields; if it breaks because somebody stops all of it, that is a cancel like any other."""
    try:
        yield from executor.as_completed()
    except PoolError:
        if cancel is None or not cancel():
            raise
        yield None


def _interrupted(result: ResultKind) -> ResultKind:
    """The same result, whose provenance says that the study was cut short, and at how many replications."""
    said = replace(result.provenance, replications=result.replications, interrupted=True)
    changes: dict[str, Any] = {"provenance": said}
    if isinstance(result, Comparison) and result.risk is not None:
        changes["risk"] = tuple(replace(one, provenance=said) for one in result.risk)
    return replace(result, **changes)


class Stored:
    """What the store has of a part of a study, and what it gets of it."""

    def __init__(self, store: Store | None, study: Study[Any], job: Job, wanted: range) -> None:
        self._store, self._study, self._job, self._wanted = store, study, job, wanted
        self._found: list[dict[int, Measured]] = (
            [store.read(key, wanted, job.keep_accounts) for key in study.keys]
            if store is not None and not job.keep_contacts
            else [{} for _ in job.scenarios]
        )

    def whole(self) -> list[Finished]:
        """The replications of which nothing is missing."""
        return [Finished(r, tuple(found[r] for found in self._found)) for r in self._wanted if not self._lacking(r)]

    def missing(self) -> list[tuple[Job, list[int]]]:
        """What is to be computed: jobs of the scenarios that are missing, and of which replications they are."""
        by_scenarios: dict[tuple[int, ...], list[int]] = {}
        for r in self._wanted:
            if lacking := self._lacking(r):
                by_scenarios.setdefault(lacking, []).append(r)
        return [
            (replace(self._job, scenarios=tuple(self._job.scenarios[i] for i in lacking)), replications)
            for lacking, replications in by_scenarios.items()
        ]

    def kept(self, one: Finished) -> Finished:
        """A computed replication, put into the store and completed by what was there."""
        if self._job.totals is not None:
            return one
        lacking = self._lacking(one.replication)
        fresh = dict(zip(lacking, one.measured, strict=True))
        if self._store is not None:
            for i, measured in fresh.items():
                self._store.write(self._study.keys[i], one.replication, measured)
        whole = tuple(fresh.get(i) or found[one.replication] for i, found in enumerate(self._found))
        return replace(one, measured=whole)

    def notes(self, restarts: int) -> tuple[str, ...]:
        """What broke on the way, in the store and among the workers."""
        problems = tuple(self._store.problems) if self._store is not None else ()
        if len(problems) > MOST_NOTES:
            problems = (*problems[:MOST_NOTES], f"and {len(problems) - MOST_NOTES:,} more problems in the store")
        return problems + restart_notes(restarts)

    def _lacking(self, replication: int) -> tuple[int, ...]:
        return tuple(i for i, found in enumerate(self._found) if replication not in found)


class Meter:
    """Tells the caller how far the study is."""

    def __init__(self, study: Study[Any], progress: Callable[[Progress], None] | None) -> None:
        self._study, self._progress = study, progress
        self._began = time.monotonic()
        self._estimated = -np.inf
        self._text = ""
        self._stored = 0

    def found(self, replications: int) -> None:
        """Notes that the store had so many, which are not computed."""
        self._stored += replications

    def show(self, finished: Sequence[Finished], done: int, total: int, notes: tuple[str, ...]) -> None:
        """Calls `progress`; the estimate is refreshed at most four times a second, and at the end."""
        if self._progress is None:
            return
        elapsed = time.monotonic() - self._began
        if finished and (elapsed - self._estimated >= ESTIMATE_EVERY_SECONDS or done == total):
            self._text, self._estimated = self._study.estimate_text(finished), elapsed
        computed = done - self._stored
        left = elapsed / computed * (total - done) if computed else 0.0 if done == total else None
        self._progress(Progress(done, total, elapsed, left, self._text, notes, self._stored))


def restart_notes(restarts: int) -> tuple[str, ...]:
    """What a reader should know of workers that died and cost nothing but time."""
    if restarts == 0:
        return ()
    if restarts == 1:
        return ("A worker process died; its replication was started again",)
    return (f"{restarts:,} worker processes died; their replications were started again",)


def _without_contacts(one: Finished) -> Finished:
    """The same without contact ledgers, which would fill the memory."""
    return replace(one, measured=tuple(replace(part, contacts=None) for part in one.measured))
