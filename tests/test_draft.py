"""The decision on the page: levers, links, files. Nothing here needs a browser."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from planner.draft import (
    Draft,
    Levers,
    LinkError,
    beyond_levers,
    change_of,
    command_line,
    delta_text,
    levers_of,
    read_link,
    scenarios_of,
)
from sim.scenario import Scenario, load_scenario

REROUTE, HIRE = "reroute_support_calls.yaml", "one_more_csm.yaml"


@pytest.fixture(scope="module")
def baseline(scenario_folder: Path) -> Scenario:
    return load_scenario(scenario_folder / "baseline.yaml")


def adjusted(folder: Path, baseline: Scenario, what_if: str, **levers: object) -> Draft:
    scenario = load_scenario(folder / what_if)
    moved = replace(levers_of(scenario), **levers)  # type: ignore[arg-type]
    return Draft(baseline="baseline.yaml", what_if=what_if, change=change_of(moved, baseline, scenario))


def test_levers_stand_where_the_what_if_has_them(scenario_folder: Path) -> None:
    assert levers_of(load_scenario(scenario_folder / REROUTE)) == Levers(
        start=dt.date(2026, 7, 1),
        source="csm",
        target="support",
        share=1.0,
        how="front_door",
        headcount={"csm": 6, "support": 5},
    )


def test_levers_left_alone_change_nothing(scenario_folder: Path, baseline: Scenario) -> None:
    for file in (REROUTE, HIRE):
        assert adjusted(scenario_folder, baseline, file).change is None


@pytest.mark.parametrize(
    "levers",
    [
        {"share": 0.6},
        {"share": 0.0},
        {"how": "warm_transfer"},
        {"headcount": {"csm": 6, "support": 8}},
        {"headcount": {"csm": 2, "support": 5}, "share": 0.25},
        {"headcount": {"csm": 6.5, "support": 5}},
        {"start": dt.date(2026, 10, 1)},
    ],
)
@pytest.mark.parametrize("file", [REROUTE, HIRE])
def test_the_adjusted_scenario_has_the_levers_where_they_were_put(
    scenario_folder: Path, baseline: Scenario, file: str, levers: dict[str, object]
) -> None:
    draft = adjusted(scenario_folder, baseline, file, **levers)
    found = levers_of(scenarios_of(draft)[1])
    wanted = replace(levers_of(load_scenario(scenario_folder / file)), **levers)  # type: ignore[arg-type]
    if not wanted.share:
        wanted, found = replace(wanted, how="front_door"), replace(found, how="front_door")
    assert found == wanted
    if draft.change is not None:
        assert beyond_levers(draft.change, found) == {}, "the levers show all that they set"


def test_a_link_gives_the_same_draft_and_the_same_scenarios(scenario_folder: Path, baseline: Scenario) -> None:
    draft = adjusted(scenario_folder, baseline, HIRE, share=0.4, how="warm_transfer")
    again = read_link(draft.link())
    assert again == draft
    assert scenarios_of(again) == scenarios_of(draft)


def test_the_downloaded_file_is_the_scenario_that_ran(
    scenario_folder: Path, baseline: Scenario, tmp_path: Path
) -> None:
    draft = adjusted(scenario_folder, baseline, HIRE, share=0.4)
    what_if = load_scenario(scenario_folder / HIRE)
    for file in scenario_folder.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "what_if.yaml").write_text(delta_text(draft, what_if), encoding="utf-8")
    assert load_scenario(tmp_path / "what_if.yaml") == scenarios_of(draft)[1]
    assert "scenarios/what_if.yaml" in command_line(draft)


def test_other_dated_values_of_the_what_if_stay(scenario_folder: Path, baseline: Scenario) -> None:
    draft = adjusted(scenario_folder, baseline, HIRE, start=dt.date(2026, 10, 1), share=0.5)
    changes = yaml.safe_load(delta_text(draft, load_scenario(scenario_folder / HIRE)))["changes"]
    assert [change["from"] for change in changes] == [dt.date(2026, 10, 1)], "the hire moved with the date"
    assert changes[0]["set"]["teams.csm.headcount"] == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This link cannot be followed: the whole: Invalid JSON"),
        ("[1]", "This link cannot be followed: the whole: Input should be an object"),
        ('{"baseline": "../x.yaml", "what_if": "b.yaml"}', "This link cannot be followed: baseline: "),
        ('{"baseline": "/etc/passwd", "what_if": "b.yaml"}', "This link cannot be followed: baseline: "),
        ('{"baseline": "a.yaml"}', "This link cannot be followed: what_if: Field required."),
        ('{"baseline": "a.yaml", "what_if": "b.yaml", "x": 1}', "This link cannot be followed: x: Extra inputs"),
        ('{"baseline": "a.yaml", "what_if": "b.yaml", "seed": -1}', "This link cannot be followed: seed: "),
        ('{"baseline": "a.yaml", "what_if": "b.yaml", "replications": 1e9}', "This link cannot be followed: repl"),
        ('{"baseline": "a.yaml", "what_if": "b.yaml", "change": {"from": "2026-07-01", "set": {}}}', "change.set"),
        ("x" * 9000, "This link is 9,000 characters long; a link of ours has at most 8,000."),
        ("gASVCgAAAAAAAACMBG9zLg==", "This link cannot be followed: the whole: Invalid JSON"),
    ],
)
def test_a_broken_link_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(LinkError) as caught:
        read_link(text)
    assert message in str(caught.value)
