"""Dask workers: the same bits as worker processes here, a lost worker costs nothing but time, errors in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from small import SMALL, put, values_of

from sim.cli import execute
from sim.study import dask_executor as module
from sim.study.errors import Interrupted, StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import compare

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def within_two_minutes() -> Iterator[None]:
    """A test that hangs in another library's locks fails, and the others go on."""

    def too_long(*_: object) -> None:
        raise TimeoutError("two minutes are over")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small company, and the same with one more CSM."""
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "small.yaml").write_text(yaml.safe_dump(put(values_of(), SMALL | {"weeks": 26}), sort_keys=False))
    (folder / "hire.yaml").write_text("name: Hire\nextends: small.yaml\nteams: {csm: {headcount: 2}}\n")
    return folder / "small.yaml", folder / "hire.yaml"


@pytest.fixture(scope="module")
def two_workers() -> Iterator[module.DaskExecutor]:
    with module.dask_executor(workers=2) as executor:
        yield executor


def here(files: tuple[Path, Path], replications: int) -> str:
    return compare(files[0], files[1], replications=replications, pool=InThisProcess()).to_json()


def process_ids(executor: module.DaskExecutor) -> list[int]:
    return sorted(executor._client.run(os.getpid).values())


def test_dask_workers_give_the_same_bits(files: tuple[Path, Path], two_workers: module.DaskExecutor) -> None:
    there = compare(files[0], files[1], replications=6, pool=two_workers)
    assert there.to_json() == here(files, 6)


def test_a_worker_that_comes_later_with_another_version_computes_nothing() -> None:
    found = module._execute(None, 3, "another version")  # type: ignore[arg-type]
    assert found.replication == 3
    assert found.error is not None
    assert found.error.startswith("a Dask worker that came later runs version")


def test_a_killed_worker_costs_its_replications_and_not_the_study(files: tuple[Path, Path]) -> None:
    with module.dask_executor(workers=2) as executor:
        hit = process_ids(executor)[0]
        done: list[int] = []

        def kill_at_three(progress: Any) -> None:
            if progress.done >= 3 and not done:
                done.append(progress.done)
                os.kill(hit, signal.SIGKILL)

        there = compare(files[0], files[1], replications=12, pool=executor, progress=kill_at_three)
    assert done, "the worker was killed in the middle"
    assert there.replications == 12
    assert there.to_json() == here(files, 12)


def test_a_cancelled_study_ends_at_once_and_frees_the_workers(
    files: tuple[Path, Path], two_workers: module.DaskExecutor
) -> None:
    stop = threading.Event()
    began: list[float] = []

    def watch(progress: Any) -> None:
        if progress.done >= 2 and not stop.is_set():
            stop.set()
            began.append(time.monotonic())

    with pytest.raises(Interrupted):
        compare(files[0], files[1], replications=1000, pool=two_workers, progress=watch, cancel=stop.is_set)
    assert time.monotonic() - began[0] < 30, "it does not wait for a thousand replications"
    assert compare(files[0], files[1], replications=2, pool=two_workers).to_json() == here(files, 2)


def test_the_command_gives_the_same_with_dask(files: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["compare", *map(str, files), "--replications", "3", "--workers", "2", "--no-store", "--json"]
    assert execute([*words, str(tmp_path / "local.json")]) == 0
    assert execute([*words, str(tmp_path / "dask.json"), "--executor", "dask"]) == 0
    assert json.loads((tmp_path / "local.json").read_text()) == json.loads((tmp_path / "dask.json").read_text())


def test_no_scheduler_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 1)
    with (
        pytest.raises(StudyInputError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers there"),
        module.dask_executor("tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("address", ["nonsense://x", "127.0.0.1:none", ""])
def test_an_address_that_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 1)
    with pytest.raises(StudyInputError, match="no Dask scheduler"), module.dask_executor(address):
        pass


def test_a_scheduler_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 2)
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        with pytest.raises(StudyInputError, match="has no workers"), module.dask_executor(address):
            pass


def test_workers_of_another_version(two_workers: module.DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    client = two_workers._client
    monkeypatch.setattr(type(client), "run", lambda self, function: {"tcp://worker": "0.0.0+old"})
    with (
        pytest.raises(StudyInputError, match=r"runs version 0\.0\.0\+old of the program"),
        module.dask_executor(client.scheduler.address),
    ):
        pass


def test_without_dask_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyInputError, match=r"pip install 'csm-planner\[dask\]'"), module.dask_executor():
        pass


def test_the_only_worker_may_die(files: tuple[Path, Path]) -> None:
    """What the replications share can be had again, although its only holder is gone."""
    with module.dask_executor(workers=1) as executor:
        hit, done = process_ids(executor)[0], []

        def kill_at_two(progress: Any) -> None:
            if progress.done >= 2 and not done:
                done.append(progress.done)
                os.kill(hit, signal.SIGKILL)

        there = compare(files[0], files[1], replications=5, pool=executor, progress=kill_at_two)
    assert there.to_json() == here(files, 5)


def test_ctrl_c_in_a_terminal_ends_with_what_had_finished(files: tuple[Path, Path], tmp_path: Path) -> None:
    """The signal reaches the whole process group; workers leave it to the study."""
    out = tmp_path / "part.json"
    words = ["run", str(files[0]), "--replications", "5000", "--executor", "dask", "--workers", "2", "--no-store"]
    command = [sys.executable, "-m", "sim", *words, "--json", str(out)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, cwd=root, start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as one:
        assert one.stderr is not None
        while not one.stderr.readline().startswith(tuple("123456789")):
            assert one.poll() is None, "it runs until it is stopped"
        os.killpg(one.pid, signal.SIGINT)
        one.stderr.read()
    assert one.returncode == 130
    assert json.loads(out.read_text())["provenance"]["interrupted"] is True
