"""`csm-planner store` and the options --store and --no-store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from small import SMALL, put, values_of

from sim.cli import execute


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenarios") / "small.yaml"
    path.write_text(yaml.safe_dump(put(values_of(), SMALL | {"weeks": 4}) | {"name": "Small"}, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def filled(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    assert execute(["run", str(scenario), "--replications", "2", "--workers", "1", "--store", str(folder)]) == 0
    return folder


def words(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert execute([str(one) for one in arguments]) == code
    return capsys.readouterr()


def test_the_same_run_comes_from_the_store(scenario: Path, filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ("run", scenario, "--replications", 2, "--workers", 1)
    stored = words(capsys, *run, "--store", filled)
    computed = words(capsys, *run, "--no-store")
    assert "2 from the store" in stored[1]
    assert "store" not in computed[1]
    assert stored[0] == computed[0]


def test_the_default_store_is_named_by_the_environment(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ("run", scenario, "--replications", 1, "--workers", 1)
    monkeypatch.setenv("CSM_PLANNER_STORE", str(tmp_path / "mine"))
    words(capsys, *run)
    assert "Small" in words(capsys, "store", "list")[0]
    monkeypatch.delenv("CSM_PLANNER_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words(capsys, *run)
    assert len(list((tmp_path / "cache" / "csm-planner" / "store").glob("*/*.parquet"))) == 1
    monkeypatch.setenv("CSM_PLANNER_STORE", "none")
    words(capsys, *run)
    assert "--store DIR" in words(capsys, "store", "list", code=2)[1]


def test_the_list_has_a_line_per_scenario_in_80_columns(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = words(capsys, "store", "list", "--store", filled)[0].splitlines()
    assert [line.split()[1] for line in shown[1:-1]] == ["Small"]
    assert all(len(line) <= 80 for line in shown[:-1])
    assert words(capsys, "store", "list", "--store", filled / "nowhere")[0].endswith("nothing is kept there.\n")


def test_an_entry_says_what_its_results_hang_on(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = next(path.name for path in filled.iterdir())
    about = json.loads(words(capsys, "store", "show", key[:6], "--store", filled)[0])
    assert about["scenario"]["weeks"] == 4
    assert about["seed"] == 1
    assert "no entry has" in words(capsys, "store", "show", "zz", "--store", filled, code=2)[1]


def test_damage_is_told_and_set_aside(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words(capsys, "run", scenario, "--replications", 2, "--workers", 1, "--store", tmp_path)
    assert words(capsys, "store", "verify", "--store", tmp_path)[0] == "2 sound, 0 damaged.\n"
    hit = min(tmp_path.glob("*/*.parquet"))
    hit.write_bytes(hit.read_bytes()[:-10])
    out, err = words(capsys, "store", "verify", "--store", tmp_path, code=1)
    assert out == "1 sound, 1 damaged.\n"
    assert hit.name in err
    assert words(capsys, "store", "verify", "--store", tmp_path)[0] == "1 sound, 0 damaged.\n"


def test_pruning_tells_what_it_deleted(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words(capsys, "run", scenario, "--replications", 1, "--workers", 1, "--store", tmp_path)
    assert words(capsys, "store", "prune", "--store", tmp_path)[0].startswith("0 deleted")
    assert words(capsys, "store", "prune", "--unused-days", 0, "--store", tmp_path)[0].startswith("1 deleted")
    assert "from 0" in words(capsys, "store", "prune", "--unused-days", -1, "--store", tmp_path, code=2)[1]


def test_bad_stores_are_refused_before_anything_runs(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ("run", scenario, "--replications", 1)
    assert "only one of them" in words(capsys, *run, "--store", tmp_path, "--no-store", code=2)[1]
    (tmp_path / "file").write_text("")
    assert "is a file" in words(capsys, *run, "--store", tmp_path / "file", code=2)[1]


def test_a_store_that_cannot_be_written_is_told_and_the_result_is_there(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out, err = words(
        capsys, "run", scenario, "--replications", 1, "--workers", 1, "--store", tmp_path / "file" / "below"
    )
    assert "Nothing more is kept in the store" in err
    assert "logo churn" in out
