"""What may be a slip in a file is told before a study runs, on stderr, and with its results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from small import SMALL, put, values_of

from sim.cli import execute
from sim.cli_list import MOST_WARNINGS
from sim.scenario import load_scenario
from sim.scenario.doubts import doubts

SLIP = {"departures.drivers.downturn.hazard_per_year": 6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sound.yaml; slip.yaml, in which each tier has a hazard per year that was meant otherwise; what_if.yaml of it."""
    path = tmp_path_factory.mktemp("warnings")
    sound = put(values_of(), SMALL | {"weeks": 4, "accounts.warm_up_weeks": 0})
    (path / "sound.yaml").write_text(yaml.safe_dump(sound, sort_keys=False))
    (path / "slip.yaml").write_text(yaml.safe_dump(put(sound, SLIP), sort_keys=False))
    change = [{"from": "2026-01-12", "set": {"playbooks.small": None}}]
    (path / "what_if.yaml").write_text(yaml.safe_dump({"name": "W", "extends": "slip.yaml", "changes": change}))
    return path


def few(*words: object) -> list[str]:
    return [*map(str, words), "--replications", "1", "--workers", "1"]


def told(text: str) -> list[str]:
    return [line for line in text.splitlines() if ": warning: " in line]


@pytest.mark.parametrize("command", ["run", "accounts", "worth"])
def test_a_study_tells_what_may_be_a_slip_before_it_runs_and_in_its_results(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slip, found = folder / "slip.yaml", folder / "found.json"
    assert execute(few(command, slip, "--json", found)) == 0
    shown, expected = capsys.readouterr(), doubts(load_scenario(slip))
    assert len(expected) == 3, "a warning for each tier"
    assert shown.err.splitlines()[:3] == [f"{slip}: warning: {doubt}" for doubt in expected], "before anything else"
    assert not told(shown.out), "stdout is for results"
    plain = json.loads(found.read_text())
    assert (plain["scenarios"][0] if command == "run" else plain)["warnings"] == expected


def test_nothing_is_told_of_a_sound_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["trace", str(folder / "sound.yaml"), "--account", "small-1"]) == 0
    assert capsys.readouterr().err == ""


def test_a_comparison_tells_each_warning_once_and_of_many_where_the_rest_is(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.cli_list.MOST_WARNINGS", 2)
    slip, what_if = folder / "slip.yaml", folder / "what_if.yaml"
    assert execute(few("compare", slip, what_if, "--json", folder / "found.json")) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(told("\n".join(lines))) == 2 < MOST_WARNINGS
    assert lines[2] == f"and 1 more: csm-planner validate {slip}", "the what-if has no warning of its own"
    scenarios = json.loads((folder / "found.json").read_text())["scenarios"]
    assert [one["warnings"] for one in scenarios] == [doubts(load_scenario(file)) for file in (slip, what_if)]
    assert all(len(one["warnings"]) == 3 for one in scenarios), "the results have all of them"


def test_bad_input_is_told_instead_of_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text("name: Bad\nextends: slip.yaml\nweeks: 9000\n")
    assert execute(few("run", folder / "bad.yaml")) == 2
    assert "weeks: 9000" in (shown := capsys.readouterr().err)
    assert not told(shown)
