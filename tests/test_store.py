"""What has been computed is kept, found again and never mixed up; what is damaged is found and computed again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from small import SCENARIOS, SMALL, put, run, small_inputs, values_of

from sim.scenario import Scenario, load_scenario_text
from sim.study import provenance, store
from sim.study.account_measures import account_measures
from sim.study.errors import Interrupted
from sim.study.executors import InThisProcess
from sim.study.experiment import accounts_at_risk, compare
from sim.study.experiment import run as run_study
from sim.study.measured_file import NotMeasures, from_bytes, to_bytes
from sim.study.store import DAMAGED, Key, Store, keys_of
from sim.study.worker import Job, Measured, execute


@cache
def small(name: str = "small", **changes: Any) -> Scenario:
    values = put(
        values_of(), SMALL | {"weeks": 4} | {path.replace("__", "."): value for path, value in changes.items()}
    )
    return load_scenario_text(yaml.safe_dump(values | {"name": name}, sort_keys=False), "small.yaml", SCENARIOS)


def hire() -> Scenario:
    return small("hire", teams__csm__headcount=2)


def more_support() -> Scenario:
    return small("more support", teams__support__headcount=2)


@cache
def measured(accounts: bool = False) -> Measured:
    inputs = small_inputs({"weeks": 4})
    found = execute(Job(inputs, (inputs,), seed=1, keep_accounts=accounts), 0)
    assert found.error is None
    return found.measured[0]


class Counting(InThisProcess):
    """Counts the histories that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.histories = 0

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        listed = list(replications)
        self.histories += len(listed) * len(job.scenarios)
        super().submit(job, listed)


def same(one: Measured, other: Measured) -> bool:
    return to_bytes(one) == to_bytes(other)


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accounts", [False, True])
def test_measures_come_back_bit_for_bit(accounts: bool) -> None:
    before = measured(accounts)
    after = from_bytes(to_bytes(before))
    assert list(after.kpis.items()) == list(before.kpis.items()), "KPIs, empty ones too, in their order"
    assert (after.accounts is not None) == accounts
    for group in ("series", "persons", "flow", "quarters", *(["accounts"] if accounts else [])):
        for name, array in vars(getattr(before, group)).items():
            there = getattr(getattr(after, group), name)
            assert there.dtype == array.dtype, f"{group}.{name}"
            assert there.shape == array.shape, f"{group}.{name}"
            assert there.tobytes() == array.tobytes(), f"{group}.{name}"
    assert after.costs.tobytes() == before.costs.tobytes()


def test_the_same_measures_are_the_same_bytes() -> None:
    assert to_bytes(measured()) == to_bytes(from_bytes(to_bytes(measured())))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table at all", os.urandom(2000)])
def test_other_bytes_are_no_measures(content: bytes) -> None:
    with pytest.raises(NotMeasures):
        from_bytes(content)


def test_a_table_with_a_part_missing_is_no_measures() -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    table = parquet.read_table(arrow.BufferReader(to_bytes(measured())))
    keep = np.array(table.column("part").to_pylist()) != "flow.lost"
    sink = arrow.BufferOutputStream()
    parquet.write_table(table.filter(arrow.array(keep)), sink)
    with pytest.raises(NotMeasures, match=r"flow\.lost"):
        from_bytes(bytes(sink.getvalue()))


# --- keys -------------------------------------------------------------------------------------------------------


def names(scenarios: list[Scenario], seed: int = 1) -> list[str]:
    return [key.name for key in keys_of(scenarios, seed)]


def test_a_key_hangs_on_what_results_hang_on_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline, other = names([small(), hire()])
    assert names([small("renamed"), hire()]) == [baseline, other], "a name changes no number"
    assert names([small(), more_support()])[0] == baseline, "the baseline is the same beside whatever it stands"
    assert names([hire(), hire()])[1] != other, "another baseline warms up otherwise"
    assert names([small(), hire()], seed=2)[1] != other
    dated = small().model_copy(update={"changes": hire().changes})
    assert names([dated, hire()])[1] == other, "a dated change of the baseline comes after the warm-up"
    monkeypatch.setattr(store, "code_version", lambda: "another")
    assert names([small(), hire()])[1] != other


def test_packages_are_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = names([small()])
    monkeypatch.setattr(store, "package_versions", lambda: provenance.package_versions() | {"numpy": "0"})
    assert names([small()]) != before


# --- studies ----------------------------------------------------------------------------------------------------


def test_a_stored_study_is_the_computed_one_and_nothing_is_computed_again(tmp_path: Path) -> None:
    without = compare(small(), [hire()], replications=3, pool=InThisProcess())
    first, second = Counting(), Counting()
    one = compare(small(), [hire()], replications=3, pool=first, store=tmp_path)
    two = compare(small(), [hire()], replications=3, pool=second, store=tmp_path)
    assert (first.histories, second.histories) == (6, 0)
    assert one.to_json() == two.to_json() == without.to_json()


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    compare(small(), [hire()], replications=2, pool=InThisProcess(), store=tmp_path)
    longer, beside = Counting(), Counting()
    extended = compare(small(), [hire()], replications=5, pool=longer, store=tmp_path)
    assert longer.histories == 2 * 3, "three more replications of two scenarios"
    both = compare(small(), [hire(), more_support()], replications=5, pool=beside, store=tmp_path)
    assert beside.histories == 5, "of the third scenario alone"
    fresh = compare(small(), [hire(), more_support()], replications=5, pool=InThisProcess())
    np.testing.assert_array_equal(both.table.values, fresh.table.values)
    for looks in tmp_path.glob("looks/*.txt"):
        looks.unlink()  # the first look at 2 is paid for
    again = compare(small(), [hire(), more_support()], replications=5, pool=InThisProcess(), store=tmp_path)
    assert again.to_json() == fresh.to_json(), "what is put together is what is computed in one go"
    np.testing.assert_array_equal(extended.table.values, fresh.table.values[:2])


def test_a_single_run_shares_the_baseline_of_a_comparison(tmp_path: Path) -> None:
    compare(small(), [hire()], replications=2, pool=InThisProcess(), store=tmp_path)
    counting = Counting()
    run_study(small(), replications=2, pool=counting, store=tmp_path)
    assert counting.histories == 0


def test_figures_per_account_are_computed_where_they_are_missing(tmp_path: Path) -> None:
    run_study(small(), replications=2, pool=InThisProcess(), store=tmp_path)
    counting, again = Counting(), Counting()
    found = accounts_at_risk(small(), replications=2, pool=counting, store=tmp_path)
    assert counting.histories == 2, "they were not kept the first time"
    stored = accounts_at_risk(small(), replications=2, pool=again, store=tmp_path)
    assert again.histories == 0
    assert stored.to_json() == found.to_json()
    run_study(small(), replications=2, pool=again, store=tmp_path)
    assert again.histories == 0, "whoever does not need them may use those files, too"


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path: Path) -> None:
    done: list[int] = []

    def stop_at_half() -> bool:
        return len(done) >= 4

    with pytest.raises(Interrupted):
        compare(
            small(), [hire()], replications=6, pool=InThisProcess(), store=tmp_path, cancel=stop_at_half,
            progress=lambda progress: done.extend(range(len(done), progress.done)),
        )  # fmt: skip
    counting = Counting()
    whole = compare(small(), [hire()], replications=6, pool=counting, store=tmp_path)
    assert counting.histories == 2 * 2, "four of six were kept"
    assert whole.to_json() == compare(small(), [hire()], replications=6, pool=InThisProcess()).to_json()


def test_a_ledger_is_computed_and_its_replications_are_kept(tmp_path: Path) -> None:
    counting = Counting()
    for _ in range(2):
        run_study(small(), replications=2, pool=counting, store=tmp_path / "store", ledger=tmp_path / "all.parquet")
    assert counting.histories == 4, "the store has no contacts"
    run_study(small(), replications=2, pool=counting, store=tmp_path / "store")
    assert counting.histories == 4


def test_how_much_comes_from_the_store_is_told(tmp_path: Path) -> None:
    run_study(small(), replications=2, pool=InThisProcess(), store=tmp_path)
    seen: list[Any] = []
    run_study(small(), replications=3, pool=InThisProcess(), store=tmp_path, progress=seen.append)
    assert [progress.stored for progress in seen] == [2] * len(seen)
    assert seen[0].done == 2
    assert seen[-1].done == 3


# --- faults -----------------------------------------------------------------------------------------------------

KEY = Key("0123456789abcdef" * 2, {"name": "Test", "seed": 1, "code_version": "1"})


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{KEY.name}/*.parquet"))


def filled(folder: Path, count: int = 3) -> Store:
    kept = Store(folder)
    for number in range(count):
        kept.write(KEY, number, measured())
    return kept


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_named_set_aside_and_computed_again(tmp_path: Path, damage: str) -> None:
    kept = filled(tmp_path)
    hit = files(tmp_path)[1]
    content = bytearray(hit.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    hit.write_bytes({"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[damage])
    found = kept.read(KEY, range(3), accounts=False)
    assert sorted(found) == [0, 2]
    assert [hit.name in problem and "set aside" in problem for problem in kept.problems] == [True]
    assert [path.name for path in (tmp_path / DAMAGED).iterdir()] == [f"{KEY.name}.{hit.name}"]
    kept.write(KEY, 1, measured())
    assert sorted(Store(tmp_path).read(KEY, range(3), accounts=False)) == [0, 1, 2]


def test_a_study_goes_on_over_damage(tmp_path: Path) -> None:
    first = compare(small(), [hire()], replications=3, pool=InThisProcess(), store=tmp_path)
    next(iter(sorted(tmp_path.glob("*/*.parquet")))).write_bytes(b"gone")
    counting, told = Counting(), []
    second = compare(
        small(), [hire()], replications=3, pool=counting, store=tmp_path, progress=lambda p: told.extend(p.notes)
    )
    assert counting.histories == 1, "one history was damaged"
    assert second.to_json() == first.to_json()
    assert any("set aside" in note for note in told)


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    kept = filled(tmp_path, 1)
    for name in ("notes.txt", ".000001.tmp", "x.parquet", "000001.parquet"):
        (tmp_path / KEY.name / name).write_text("mine")
    assert sorted(kept.read(KEY, range(5), accounts=False)) == [0]
    assert not kept.problems
    assert kept.verify() == 1


def test_a_store_that_cannot_be_written_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = Store(tmp_path / "file")
    for number in range(3):
        kept.write(KEY, number, measured())
    assert len(kept.problems) == 1
    assert "Nothing more is kept" in kept.problems[0]
    found = run_study(small(), replications=2, pool=InThisProcess(), store=tmp_path / "file")
    assert found.replications == 2


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    kept = filled(tmp_path, 1)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        kept.write(KEY, 1, measured())
    assert "No space left on device" in kept.problems[0]
    assert [
        path.name.startswith("000000") for path in (tmp_path / KEY.name).iterdir() if path.suffix == ".parquet"
    ] == [True]
    assert not list((tmp_path / KEY.name).glob(".*")), "no half-written file stays"


def test_several_may_write_at_once(tmp_path: Path) -> None:
    threads = [threading.Thread(target=filled, args=(tmp_path, 8)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 8, "the same content has the same name"
    assert sorted(Store(tmp_path).read(KEY, range(8), accounts=False)) == list(range(8))


@pytest.mark.slow
def test_a_killed_study_loses_only_what_was_under_way(tmp_path: Path) -> None:
    """Kill -9 of the process that runs the study, half-way."""
    scenario = tmp_path / "small.yaml"
    scenario.write_text(yaml.safe_dump(put(values_of(), SMALL | {"weeks": 26}), sort_keys=False))
    kept = tmp_path / "store"
    call = f"run({str(scenario)!r}, replications=200, workers=1, store={str(kept)!r})"
    code = f"from sim.study.experiment import run; {call}"
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[1])
    deadline = time.monotonic() + 120
    while len(list(kept.glob("*/*.parquet"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = len(list(kept.glob("*/*.parquet")))
    assert 5 <= there < 200
    assert Store(kept).verify() == there, "what is there is whole"
    counting = Counting()
    whole = run_study(scenario, replications=there + 2, pool=counting, store=kept)
    assert counting.histories == 2
    assert whole.to_json() == run_study(scenario, replications=there + 2, pool=InThisProcess()).to_json()


# --- housekeeping -----------------------------------------------------------------------------------------------


def test_entries_say_what_is_kept(tmp_path: Path) -> None:
    compare(small(), [hire()], replications=2, pool=InThisProcess(), store=tmp_path)
    entries = Store(tmp_path).entries()
    assert {(entry.name, entry.replications, entry.seed) for entry in entries} == {("small", 2, 1), ("hire", 2, 1)}
    assert all(entry.bytes > 1000 for entry in entries)
    about = Store(tmp_path).about(entries[0].key)
    assert about["scenario"]["weeks"] == 4
    assert about["code_version"] == provenance.code_version()


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    nowhere = Store(tmp_path / "nowhere")
    assert nowhere.entries() == []
    assert nowhere.verify() == 0
    assert not (tmp_path / "nowhere").exists(), "looking makes nothing"


def test_pruning_deletes_what_a_killed_process_has_begun(tmp_path: Path) -> None:
    compare(small(), [hire()], replications=1, pool=InThisProcess(), store=tmp_path)
    folder = next(path.parent for path in tmp_path.glob("*/about.json"))
    left, fresh, other = (
        folder / name for name in (".000007.0123456789abcdef.parquet.k1ll3d", ".about.json.ab12", ".notes")
    )
    for path in (left, fresh, other):
        path.write_text("half of it")
    for path in (left, other):
        os.utime(path, (time.time() - 7200,) * 2)
    Store(tmp_path).prune()
    assert [path.exists() for path in (left, fresh, other)] == [False, True, True], (
        "only the store's own, and not at once"
    )


def test_pruning_deletes_other_versions_and_what_is_old(tmp_path: Path) -> None:
    filled(tmp_path)
    compare(small(), [hire()], replications=1, pool=InThisProcess(), store=tmp_path)
    assert [entry.name for entry in Store(tmp_path).prune(other_versions=True)] == ["Test"]
    assert len(Store(tmp_path).entries()) == 2
    assert Store(tmp_path).prune(unused_days=1) == []
    old = time.time() - 3 * 86_400
    for path in tmp_path.glob("*/*.parquet"):
        os.utime(path, (old, old))
    assert len(Store(tmp_path).prune(unused_days=2)) == 2
    assert Store(tmp_path).entries() == []


def test_measures_of_accounts_are_what_the_worker_measures() -> None:
    inputs = small_inputs({"weeks": 4})
    direct = account_measures(run(inputs), inputs)
    stored = from_bytes(to_bytes(replace(measured(True), accounts=direct))).accounts
    assert stored is not None
    assert stored.departures.tobytes() == direct.departures.tobytes()


@pytest.mark.parametrize("which", [0, 1])
def test_duckdb_reads_the_store_as_the_docs_say(tmp_path: Path, which: int) -> None:
    duckdb = pytest.importorskip("duckdb")
    base = small().model_copy(update={"name": "Baseline"})
    found = compare(base, [hire()], replications=3, pool=InThisProcess(), store=tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "store.md").read_text(encoding="utf-8")
    query = page.split("```sql\n")[1 + which].split("```")[0].replace("STORE", str(tmp_path))
    rows = duckdb.sql(query).fetchall()
    if which == 0:
        churn = sorted(one.kpis["logo_churn_per_year"].mean for one in found.scenarios)
        assert [(row[1], row[2]) for row in rows] == [(3, pytest.approx(value)) for value in churn]
    else:
        assert rows == [("hire", pytest.approx(found.differences[0].kpis["contribution"].mean))]


def test_pruning_leaves_alone_whatever_the_store_has_not_made(tmp_path: Path) -> None:
    """Somebody names a wrong folder: nothing of theirs is deleted."""
    kept = filled(tmp_path, 1)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "about.json").write_text("{}")
    (tmp_path / "letter.txt").write_text("mine")
    (tmp_path / KEY.name / "notes.txt").write_text("mine, too")
    assert [entry.name for entry in kept.prune(other_versions=True, unused_days=0)] == ["Test"]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == [
        f"{KEY.name}/notes.txt",
        "documents/about.json",
        "letter.txt",
    ]


def test_the_order_of_names_is_part_of_the_key(tmp_path: Path) -> None:
    """Measures are kept by position: the same company with its teams in another order is another entry."""
    values = put(values_of(), SMALL | {"weeks": 4})
    values["teams"] = dict(reversed(values["teams"].items()))
    turned = load_scenario_text(yaml.safe_dump(values | {"name": "turned"}, sort_keys=False), "small.yaml", SCENARIOS)
    run_study(small(), replications=2, pool=InThisProcess(), store=tmp_path)
    stored = run_study(turned, replications=2, pool=InThisProcess(), store=tmp_path)
    assert stored.to_json() == run_study(turned, replications=2, pool=InThisProcess()).to_json()


def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(path: Path) -> bytes:
        raise OSError(24, "Too many open files", str(path))

    kept = filled(tmp_path, 1)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", busy)
        assert kept.read(KEY, range(1), accounts=False) == {}
    assert "could not be read (Too many open files)" in kept.problems[0]
    assert sorted(kept.read(KEY, range(1), accounts=False)) == [0], "it is still there"


@pytest.mark.parametrize("said", ["", "{", '{"seed": null}', "[]"])
def test_a_broken_description_is_written_again_and_costs_no_results(tmp_path: Path, said: str) -> None:
    kept = filled(tmp_path, 2)
    (tmp_path / KEY.name / "about.json").write_text(said)
    assert [entry.code_version for entry in kept.entries()] == ["?"]
    assert kept.prune(other_versions=True) == [], "who knows whose they are"
    kept.write(KEY, 2, measured())
    assert kept.about(KEY.name)["name"] == "Test"


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("CSM_PLANNER_STORE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert store.default_folder() is None
