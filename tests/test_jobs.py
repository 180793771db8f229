"""Jobs of the page: bounded, in the order of their coming, found again, ended when nobody wants them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_engine
import pytest
from test_pool_turns import begun, job, results, submitted

from planner import jobs, workers
from sim.study import executors
from sim.study.executors import LocalPool
from sim.study.looks import Plan

WAIT_SECONDS = 20
PROGRESS = SimpleNamespace(done=1, total=2, seconds_left=None, estimate="", notes=(), stored=0)


class Gate:
    """Work that waits to be let go; notes who has begun, in order."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[str] = []

    def work(self, name: str) -> jobs.Work:
        def wait(report: Callable[[Any], None], stop: threading.Event) -> str:
            self.begun.append(name)
            deadline = time.monotonic() + WAIT_SECONDS
            while not self.open.wait(0.005) and not stop.is_set():
                assert time.monotonic() < deadline, "the test never opened the gate"
            if stop.is_set():
                raise RuntimeError("interrupted")
            return name

        return wait

    def start(self, name: str, session: str | None = None, follow_up: bool = False) -> jobs.Job:
        return jobs.start(name, self.work(name), session, follow_up=follow_up)


@pytest.fixture
def gate() -> Iterator[Gate]:
    one = Gate()
    yield one
    one.open.set()
    for left in [*jobs.COMPARISONS.jobs(), *jobs.FOLLOW_UPS.jobs()]:
        left.cancel()
        wait_for_end(left)


def wait_for_end(job: jobs.Job) -> None:
    wait_until(lambda: job.state.ended, f"job {job.key} must end")


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def test_a_few_jobs_run_at_once_and_the_others_wait(gate: Gate) -> None:
    started = [gate.start(str(i)) for i in range(jobs.JOBS_AT_ONCE + 3)]
    states = [one.state for one in started]
    assert states == [jobs.State.RUNNING] * jobs.JOBS_AT_ONCE + [jobs.State.WAITING] * 3
    assert [one.before for one in started[-3:]] == [0, 1, 2], "each is told how many come before it"


def test_jobs_begin_in_the_order_of_their_coming(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "at_once", 1)
    started = [gate.start(f"{i}") for i in range(10)]
    gate.open.set()
    for one in started:
        wait_for_end(one)
    assert gate.begun == [str(i) for i in range(10)], "nobody overtakes"
    assert [one.result for one in started] == gate.begun


def test_too_many_jobs_are_refused_with_a_message(gate: Gate) -> None:
    started = [gate.start(str(i)) for i in range(jobs.JOBS_AT_ONCE + jobs.JOBS_WAITING)]
    with pytest.raises(jobs.Busy, match="16 comparisons are under way already; try again in a minute"):
        gate.start("one too many")
    gate.open.set()
    for one in started:
        wait_for_end(one)
    wait_for_end(gate.start("later"))


def test_one_session_may_have_a_few_jobs_and_others_still_get_theirs(gate: Gate) -> None:
    for i in range(jobs.JOBS_PER_SESSION):
        gate.start(str(i), "mine")
    with pytest.raises(jobs.Busy, match="3 of your comparisons are under way already; wait until one has ended"):
        gate.start("one too many", "mine")
    assert gate.start("other", "theirs").state is jobs.State.RUNNING
    jobs.under_way("mine")[0].cancel()
    gate.start("instead", "mine")  # what was cancelled counts no more, even while it is ending


def test_a_follow_up_waits_for_no_comparison_and_no_comparison_for_it(gate: Gate) -> None:
    follow_ups = [gate.start(f"follow-up {i}", f"session {i}", follow_up=True) for i in range(2)]
    assert [one.state for one in follow_ups] == [jobs.State.RUNNING, jobs.State.WAITING], "one at a time"
    started = [gate.start(str(i)) for i in range(jobs.JOBS_AT_ONCE)]
    assert {one.state for one in started} == {jobs.State.RUNNING}


def test_a_session_finds_its_jobs_again(gate: Gate) -> None:
    mine, other, later = gate.start("a", "mine"), gate.start("b", "theirs"), gate.start("c", "mine", follow_up=True)
    assert jobs.under_way("mine") == [mine, later]
    assert jobs.under_way("theirs") == [other]
    gate.open.set()
    for one in (mine, other, later):
        wait_for_end(one)
    assert jobs.under_way("mine") == [], "what has ended is the session's to keep"


def test_a_waiting_job_is_cancelled_at_once_and_the_next_one_moves_up(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "at_once", 1)
    first, second, third = (gate.start(name) for name in ("first", "second", "third"))
    assert third.before == 1
    second.cancel()
    assert second.state is jobs.State.CANCELLED
    assert third.before == 0
    gate.open.set()
    wait_for_end(first)
    wait_for_end(third)
    assert gate.begun == ["first", "third"], "what was cancelled never begins"
    assert first.state is third.state is jobs.State.DONE, "the others are not touched"


def test_cancelling_a_running_job_lets_the_next_one_begin(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "at_once", 1)
    first, second = gate.start("first"), gate.start("second")
    first.cancel()
    wait_for_end(first)
    assert first.state is jobs.State.CANCELLED
    wait_until(lambda: gate.begun == ["first", "second"], "its place must go to the next")
    assert second.state is jobs.State.RUNNING


def test_a_job_that_nobody_watches_is_cancelled() -> None:
    left = jobs.Job("left alone", lambda report, stop: None)
    left.report(PROGRESS)
    assert not left.stop.is_set(), "its page is still open"
    left.watched -= jobs.SECONDS_UNWATCHED + 1
    left.report(PROGRESS)
    assert left.stop.is_set(), "its page was closed long ago; others wait for the cores"


def test_a_waiting_job_that_nobody_watches_makes_room(gate: Gate) -> None:
    started = [gate.start(str(i)) for i in range(jobs.JOBS_AT_ONCE + jobs.JOBS_WAITING)]
    started[-1].watched -= jobs.SECONDS_UNWATCHED + 1
    gate.start("new")
    assert started[-1].state is jobs.State.CANCELLED


def test_a_job_tells_of_a_worker_that_died_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.study import execution

    monkeypatch.setattr(executors, "BOOTSTRAP", fake_engine.BOOTSTRAP)
    marker = tmp_path / "order"
    of = job("A", "held", marker)

    def result(finished: Any, failures: Any) -> Any:
        assert not failures
        return len(finished)

    study = SimpleNamespace(
        inputs=of.scenarios,
        seed=of.seed,
        plan=Plan((range(4),)),
        keep_accounts=False,
        totals=None,
        estimate_text=lambda finished: "",
        result=result,
    )

    def work(report: Callable[[Any], None], stop: threading.Event) -> int:
        return execution.execute(study, None, report, stop.is_set, pool)  # type: ignore[type-var]

    with LocalPool(2) as pool:
        hit = jobs.start("hit", work)
        other = submitted(pool, job("B"), 2)
        os.kill(dict(begun(marker, 1))["A"], signal.SIGKILL)
        Path(f"{marker}.go").touch()
        wait_for_end(hit)
        assert sorted(results(other)) == [0, 1], "the rest goes on"
    assert hit.state is jobs.State.DONE
    assert hit.result == 4, "nothing was lost"
    assert hit.notes == ("A worker process died; its replication was started again",)


def test_the_page_warms_one_pool_for_all_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BOOTSTRAP", fake_engine.BOOTSTRAP)
    monkeypatch.setattr(workers, "_pool", None)
    for opening in [threading.Thread(target=workers.warm_up) for _ in range(4)]:
        opening.start()
    shared = workers.pool()
    try:
        wait_until(lambda: len(shared.process_ids) == shared.size, "the first session starts the workers")
        assert workers.pool() is shared
        wait_until(lambda: "warm-up" not in {one.name for one in threading.enumerate()}, "warming up must end")
    finally:
        shared.close()
