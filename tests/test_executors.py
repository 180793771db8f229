"""Worker processes: same results as in this process, nothing lost when one dies, stopped on demand."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_engine
import numpy as np
import pytest

from sim.model.compile import compile_all
from sim.model.ledger import History
from sim.scenario import load_scenario
from sim.study import executors, worker
from sim.study.errors import PoolError
from sim.study.executors import Executor, InThisProcess, LocalPool
from sim.study.worker import Finished, Job

BASELINE = Path(__file__).parents[1] / "scenarios" / "baseline.yaml"


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPool]:
    monkeypatch.setattr(executors, "BOOTSTRAP", fake_engine.BOOTSTRAP)
    with LocalPool(2) as two:
        yield two


def job(behaviour: str = "work", marker: str = "", keep_contacts: bool = False) -> Job:
    first = fake_engine.inputs(behaviour=behaviour, marker=marker)
    return Job(first, (first, fake_engine.inputs("Other", effect=0.5)), seed=5, keep_contacts=keep_contacts)


def results(executor: Executor | LocalPool, of: Job, count: int) -> dict[int, Finished]:
    """What a study gives; of a pool, a new study."""
    executor = executor.study() if isinstance(executor, LocalPool) else executor
    executor.submit(of, range(count))
    return {one.replication: one for one in executor.as_completed() if one is not None}


def alive(process_id: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(process_ids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, process_ids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, process_ids))


def test_workers_and_this_process_give_the_same_bits(pool: LocalPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.engine, "replicate", fake_engine.replicate)
    here, there = results(InThisProcess(), job("uneven"), 8), results(pool, job("uneven"), 8)
    assert sorted(there) == list(range(8))
    for number, one in here.items():
        for mine, theirs in zip(one.measured, there[number].measured, strict=True):
            assert mine.kpis == theirs.kpis
            np.testing.assert_array_equal(mine.series.teams, theirs.series.teams)
            np.testing.assert_array_equal(mine.costs, theirs.costs)


def test_contacts_travel_back_only_when_they_are_wanted(pool: LocalPool) -> None:
    assert results(pool, job(), 1)[0].measured[0].contacts is None
    kept = results(pool, job(keep_contacts=True), 1)[0].measured[1].contacts
    assert kept is not None
    assert len(kept["started"]) == 7


def test_a_pool_serves_one_study_after_another_with_the_same_processes(pool: LocalPool) -> None:
    results(pool, job(), 4)
    before = pool.process_ids
    results(pool, job(), 4)
    assert pool.process_ids == before, "warm workers stay"
    assert len(before) == 2


def test_no_more_workers_start_than_there_are_replications(pool: LocalPool) -> None:
    results(pool, job(), 1)
    assert len(pool.process_ids) == 1


def test_a_killed_worker_costs_nothing(pool: LocalPool, tmp_path: Path) -> None:
    got = results(pool, job("die_once", str(tmp_path / "died")), 6)
    assert (tmp_path / "died").exists(), "the worker must have died for this test to mean anything"
    assert sorted(got) == list(range(6))
    assert all(one.error is None for one in got.values()), "its replication was tried once more"


def test_a_replication_that_kills_its_worker_twice_is_reported_and_the_others_are_kept(
    pool: LocalPool,
) -> None:
    got = results(pool, job("die"), 6)
    assert got[3].error == "its worker process died twice"
    assert all(got[number].error is None for number in (0, 1, 2, 4, 5))


def test_an_error_in_the_model_is_reported_where_it_happened(pool: LocalPool) -> None:
    got = results(pool, job("fail"), 5)
    assert got[3].error is not None
    assert got[3].error.startswith("ZeroDivisionError: no people (fake_engine.py:")
    assert all(got[number].error is None for number in (0, 1, 2, 4))


def test_an_idle_worker_that_was_killed_is_replaced(pool: LocalPool) -> None:
    results(pool, job(), 2)
    os.kill(pool.process_ids[0], signal.SIGKILL)
    assert sorted(results(pool, job(), 6)) == list(range(6))


def test_cancelling_kills_the_workers_that_are_at_work(pool: LocalPool) -> None:
    study = pool.study()
    study.submit(job("sleep"), range(4))
    running = study.as_completed()
    for _ in range(8):
        assert next(running) is None
    process_ids = pool.process_ids
    study.cancel()
    assert wait_until_gone(process_ids, 60.0), "they sleep for longer than that"
    assert list(running) == [], "nothing comes after cancelling"
    assert sorted(results(pool, job(), 3)) == [0, 1, 2], "the pool is still good"


def test_leaving_early_frees_the_workers(pool: LocalPool) -> None:
    study = pool.study()
    study.submit(job("uneven"), range(50))
    for one in study.as_completed():
        if one is not None:
            break
    assert not pool.has_work(study), "nobody wants the rest"
    assert sorted(results(pool, job(), 2)) == [0, 1]


def test_a_study_that_was_given_up_does_not_disturb_the_next_one(pool: LocalPool) -> None:
    old, new = pool.study(), pool.study()
    old.submit(job("sleep"), range(2))
    given_up = old.as_completed()
    next(given_up)
    old.cancel()
    new.submit(job("uneven"), range(6))
    running = new.as_completed()
    next(running)
    given_up.close()
    rest = [one.replication for one in running if one is not None]
    assert len(rest) >= 5, "closing the old study's iterator must not cancel the new study"


def test_closing_ends_all_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BOOTSTRAP", fake_engine.BOOTSTRAP)
    two = LocalPool(2)
    two.warm_up()
    process_ids = two.process_ids
    two.close()
    assert len(process_ids) == 2
    assert wait_until_gone(process_ids, 1.0)


def test_workers_that_cannot_start_are_an_error_not_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BOOTSTRAP", "raise SystemExit(1)")
    with LocalPool(2) as broken, pytest.raises(PoolError, match="before they are ready"):
        results(broken, job(), 2)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    script = (
        f"import sys; sys.path[:0] = [{str(tests)!r}, {str(tests.parent)!r}]\n"
        "import fake_engine; fake_engine.install()\n"
        "from sim.study import executors\n"
        "from sim.study.worker import Job\n"
        "executors.BOOTSTRAP = fake_engine.BOOTSTRAP\n"
        "pool = executors.LocalPool(2)\n"
        "first = fake_engine.inputs(behaviour='sleep')\n"
        "study = pool.study()\n"
        "study.submit(Job(first, (first,), 1), range(2))\n"
        "for i, _ in enumerate(study.as_completed()):\n"
        "    if i == 8: print(*pool.process_ids, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    process_ids = [int(word) for word in parent.stdout.readline().split()]
    assert len(process_ids) == 2
    assert all(map(alive, process_ids))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until_gone(process_ids, 3.0), "orphans would burn the processor for nothing"


def test_workers_import_neither_the_scenario_layer_nor_scipy_nor_pandas() -> None:
    code = (
        "import sys; import sim.study.worker; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'pydantic', 'scipy', 'pandas', 'pyarrow', 'typer', 'rich', 'streamlit', 'yaml'}), "
        "*(name for name in sys.modules if name.startswith('sim.scenario')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", "workers must start fast and stay small"


def test_scenarios_with_the_same_accounts_send_them_to_a_worker_once() -> None:
    large = {f"tiers.{name}.accounts": 2_000 for name in ("enterprise", "midmarket", "small")}
    staff = {f"teams.{name}.headcount": 60 for name in ("csm", "support")}
    baseline, what_if = (
        load_scenario(BASELINE, overrides=large | staff | one) for one in ({}, {"teams.csm.headcount": 61})
    )
    alone, both = (compile_all(scenarios) for scenarios in ([baseline], [baseline, what_if]))
    sizes = [len(pickle.dumps(Job(inputs[0], inputs, 1))) for inputs in (alone, both)]
    book = len(pickle.dumps(alone[0].book))
    assert book > sizes[0] / 2, "else the accounts are too few to show in the size"
    assert sizes[1] - sizes[0] < book / 2, "a hundred scenarios of 100,000 accounts would fill a worker's memory"


def test_scenarios_with_other_accounts_keep_their_own() -> None:
    changed = load_scenario(BASELINE, overrides={"accounts.book_seed": 99})
    first, second = compile_all([load_scenario(BASELINE), changed])
    assert not np.array_equal(first.book.arr_cents, second.book.arr_cents), "sharing must not mix two books up"


def test_a_history_is_let_go_before_the_next_one_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[History]] = []
    held: list[int] = []

    def noted(history: History) -> History:
        seen.append(weakref.ref(history))
        return history

    def replicate(*given: Any) -> Iterator[History]:
        histories = fake_engine.replicate(*given)
        for _ in given[1]:
            held.append(sum(one() is not None for one in seen))
            yield noted(next(histories))

    monkeypatch.setattr(worker.engine, "replicate", replicate)
    assert len(worker.execute(job(), 0).measured) == 2
    assert held == [0, 0], "a history of 100,000 accounts takes a gigabyte: two at a time would be one too many"
