"""Several studies on one pool: fair turns, same bits, and what happens to one is nothing to the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_engine
import pytest
from test_executors import alive, wait_until_gone

from sim.study import executors
from sim.study.errors import PoolError
from sim.study.executors import LocalPool, PoolStudy
from sim.study.worker import JOBS_KEPT, Finished, Job

WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BOOTSTRAP", fake_engine.BOOTSTRAP)


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    with LocalPool(2) as two:
        yield two


@pytest.fixture
def one_worker() -> Iterator[LocalPool]:
    with LocalPool(1) as one:
        yield one


def job(name: str = "A", behaviour: str = "work", marker: Path | str = "", seed: int = 5, effect: float = 0.0) -> Job:
    first = fake_engine.inputs(name, behaviour, str(marker), effect)
    return Job(first, (first,), seed)


def submitted(pool: LocalPool, of: Job, count: int, background: bool = False) -> PoolStudy:
    study = pool.study(background)
    study.submit(of, range(count))
    return study


def results(study: PoolStudy) -> dict[int, Finished]:
    return {one.replication: one for one in study.as_completed() if one is not None}


def kpis(found: dict[int, Finished]) -> dict[int, object]:
    return {number: [part.kpis for part in one.measured] for number, one in sorted(found.items())}


def begun(marker: Path, count: int) -> list[tuple[str, int]]:
    """Scenario name and process id of what has begun, once that many have."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not marker.exists() or len(marker.read_text().splitlines()) < count:
        assert time.monotonic() < deadline, f"{count} replications must begin"
        time.sleep(0.01)
    return [(name, int(process_id)) for name, _, process_id in map(str.split, marker.read_text().splitlines())]


def order(marker: Path) -> list[str]:
    """Names and numbers of the replications in the order in which they began: A0, B0 ..."""
    return ["".join(line.split()[:2]) for line in marker.read_text().splitlines()]


def test_two_studies_at_once_give_the_same_bits_as_each_alone(pool: LocalPool) -> None:
    one, two = job("A", "uneven", seed=5), job("B", "uneven", seed=6, effect=0.5)
    alone = [kpis(results(submitted(pool, of, 12))) for of in (one, two)]
    assert alone[0] != alone[1], "else the test shows nothing"
    studies = [submitted(pool, of, 12) for of in (one, two)]
    together: list[dict[int, object]] = [{}, {}]

    def read(index: int) -> None:
        together[index] = kpis(results(studies[index]))

    readers = [threading.Thread(target=read, args=(index,)) for index in (0, 1)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(WAIT_SECONDS)
    assert together == alone


def test_a_small_study_gets_its_turns_beside_a_large_one(one_worker: LocalPool, tmp_path: Path) -> None:
    marker = tmp_path / "order"
    large = submitted(one_worker, job("A", "held", marker), 50)
    begun(marker, 1)
    small = one_worker.study()
    small.submit(job("B", "held", marker), [1, 2])
    Path(f"{marker}.go").touch()
    assert sorted(results(small)) == [1, 2]
    assert order(marker)[:4] == ["A0", "B1", "A1", "B2"], "they take turns, and the new one has the next"
    assert one_worker.has_work(large), "the large one goes on after it"
    assert sorted(results(large)) == list(range(50))


def test_a_background_study_gets_what_the_others_leave(one_worker: LocalPool, tmp_path: Path) -> None:
    marker = tmp_path / "order"
    first = submitted(one_worker, job("A", "held", marker), 1)
    begun(marker, 1)
    background = one_worker.study(background=True)
    background.submit(job("Z", "held", marker), [1, 2])
    other = one_worker.study()
    other.submit(job("B", "held", marker), [1, 2])
    Path(f"{marker}.go").touch()
    assert [sorted(results(study)) for study in (first, other, background)] == [[0], [1, 2], [1, 2]]
    assert order(marker) == ["A0", "B1", "B2", "Z1", "Z2"], "it waits while another study has something queued"


def test_a_background_study_gives_its_worker_back_when_another_comes(one_worker: LocalPool, tmp_path: Path) -> None:
    marker = tmp_path / "order"
    background = submitted(one_worker, job("Z", "held", marker), 2, background=True)
    begun(marker, 1)
    other = one_worker.study()
    other.submit(job("A", "held", marker), [1, 2])
    assert sorted(results(other)) == [1, 2], "it does not wait for the replication in the background to end"
    Path(f"{marker}.go").touch()
    found = results(background)
    assert sorted(found) == [0, 1], "nothing of it is lost"
    assert all(one.error is None and one.restarts == 0 for one in found.values()), "no worker died by accident"
    assert order(marker)[:3] == ["Z0", "A1", "A2"]


def test_cancelling_one_study_kills_its_workers_and_no_other(pool: LocalPool, tmp_path: Path) -> None:
    marker = tmp_path / "order"
    given_up = submitted(pool, job("A", "held", marker), 1)
    kept = submitted(pool, job("B", "held", marker), 5)
    process_ids = dict(begun(marker, 2))
    given_up.cancel()
    assert wait_until_gone([process_ids["A"]], 1.0), "its worker must be gone at once"
    assert alive(process_ids["B"]), "the other study's worker goes on"
    Path(f"{marker}.go").touch()
    found = results(kept)
    assert sorted(found) == list(range(5))
    assert order(marker).count("B0") == 1, "nothing of the other study was computed twice"
    assert list(given_up.as_completed()) == [], "nothing comes of what was cancelled"


def test_a_killed_worker_costs_its_study_one_more_try_and_the_other_nothing(pool: LocalPool, tmp_path: Path) -> None:
    marker = tmp_path / "order"
    hit = submitted(pool, job("A", "held", marker), 4)
    spared = submitted(pool, job("B", "held", marker), 4)
    victim = dict(begun(marker, 2))["A"]
    assert victim in pool.process_ids
    os.kill(victim, signal.SIGKILL)
    Path(f"{marker}.go").touch()
    found = {"A": results(hit), "B": results(spared)}
    assert [sorted(one) for one in found.values()] == [list(range(4))] * 2
    assert all(one.error is None for of in found.values() for one in of.values())
    assert [found["A"][number].restarts for number in range(4)] == [1, 0, 0, 0], "readers can be told"
    assert [found["B"][number].restarts for number in range(4)] == [0, 0, 0, 0]
    assert victim not in pool.process_ids


@pytest.mark.slow
def test_a_study_that_nobody_reads_holds_no_other_up_and_piles_nothing_up(pool: LocalPool) -> None:
    unread = submitted(pool, job("A"), 500)
    assert sorted(results(submitted(pool, job("B", "uneven"), 20))) == list(range(20))
    assert len(unread.unread) <= 3 * pool.size, "results that nobody takes would fill the memory"
    assert sorted(results(unread)) == list(range(500)), "it goes on when it is read"


def test_more_jobs_than_a_worker_remembers_still_get_their_own_results(one_worker: LocalPool) -> None:
    jobs = [job(str(i), seed=i) for i in range(JOBS_KEPT + 2)]
    studies = [submitted(one_worker, of, 3) for of in jobs]
    together = [kpis(results(study)) for study in studies]
    assert together == [kpis(results(submitted(one_worker, of, 3))) for of in jobs]
    assert len({str(found) for found in together}) == len(jobs), "each job has numbers of its own"


def test_a_worker_gets_a_job_once_however_often_turns_alternate(
    one_worker: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    class Counted(executors.Connection):
        def send_bytes(self, message: Any, *rest: Any) -> None:
            sent.append(len(message))
            super().send_bytes(message, *rest)

    monkeypatch.setattr(executors, "Connection", Counted)
    studies = [submitted(one_worker, job(name), 4) for name in ("A", "B")]
    assert [len(results(study)) for study in studies] == [4, 4]
    assert len(sent) == 2, "jobs are large: each goes over once"


def test_a_study_can_ask_for_more_replications_of_its_job(pool: LocalPool) -> None:
    of, study = job(), pool.study()
    study.submit(of, range(3))
    first = results(study)
    study.submit(of, range(3, 5))
    assert kpis(first | results(study)) == kpis(results(submitted(pool, of, 5)))


def test_workers_that_cannot_start_fail_every_study_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BOOTSTRAP", "raise SystemExit(1)")
    with LocalPool(2) as broken:
        for study in [submitted(broken, job("A"), 2), submitted(broken, job("B"), 2)]:
            with pytest.raises(PoolError, match="before they are ready"):
                results(study)


def test_a_machine_that_starts_no_process_is_an_error_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(executors, "_Worker", refuse)
    with LocalPool(2) as broken, pytest.raises(OSError, match="temporarily unavailable"):
        results(submitted(broken, job(), 2))


def test_a_warm_pool_has_its_workers_before_there_is_work_and_after_a_cancel(pool: LocalPool, tmp_path: Path) -> None:
    pool.warm_up()
    assert len(pool.process_ids) == 2
    marker = tmp_path / "order"
    study = submitted(pool, job("A", "held", marker), 1)
    victim = begun(marker, 1)[0][1]
    study.cancel()
    deadline = time.monotonic() + WAIT_SECONDS
    while len(pool.process_ids) < 2 or victim in pool.process_ids:
        assert time.monotonic() < deadline, "a warm pool replaces what a cancel has killed"
        time.sleep(0.01)


def test_closing_leaves_no_thread_and_no_process() -> None:
    before = set(threading.enumerate())
    two = LocalPool(2)
    study = submitted(two, job("A", "sleep"), 4)
    running = study.as_completed()
    for _ in range(8):
        assert next(running) is None
    process_ids = two.process_ids
    assert len(process_ids) == 2
    two.close()
    assert wait_until_gone(process_ids, 1.0)
    assert set(threading.enumerate()) <= before
    assert list(running) == [], "a study of a closed pool ends"
