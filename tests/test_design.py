"""The points of a design: which values are tried together, and what is wrong with a study file, in exact words."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import designs
import numpy as np
import pytest

from sim.scenario import ScenarioError, phases
from sim.scenario.paths import why_not_inside
from sim.study import design
from sim.study.design import Factor
from sim.study.errors import StudyInputError
from sim.study.experiment import study
from sim.study.factors import place_of, with_values
from sim.study.study_file import read_study_file
from sim.study.study_plan import StudyPlan, planned_study, read_plan

A, B, C = Factor("a", "A"), Factor("b", "B"), Factor("c", "C")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return designs.write(tmp_path_factory.mktemp("designs"))


def plan_of(path: Path) -> StudyPlan:
    return read_plan(read_study_file(path))


def problems(folder: Path, text: str, name: str = "x.yaml") -> list[str]:
    """What a study file is told, without the path of the folder."""
    (folder / name).write_text(text)
    with pytest.raises(ScenarioError) as caught:
        plan_of(folder / name)
    return [str(one).replace(f"{folder}/", "") for one in caught.value.problems]


# --- points -------------------------------------------------------------------------------------------------------


def test_a_grid_has_all_combinations_and_the_last_factor_changes_fastest() -> None:
    found = design.grid([A, B], [[0, 0.5, 1], ["x", True]])
    assert [point.values for point in found.points] == [
        (0, "x"), (0, True), (0.5, "x"), (0.5, True), (1, "x"), (1, True),
    ]  # fmt: skip
    assert found.points[3].name == "A 0.5, B true"
    assert found.shape == (3, 2)


def test_steps_are_what_a_person_would_write() -> None:
    assert [repr(value) for value in design.steps(0, 1, 11)] == [
        "0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [2, 7, 64])
def test_a_latin_hypercube_has_one_value_in_every_part_of_every_range(count: int) -> None:
    spans = [(0.0, 1.0), (-5.0, 20.0), (1000.0, 1001.0)]
    found = design.latin_hypercube([A, B, C], spans, [False] * 3, count, seed=4)
    values = np.array([point.values for point in found.points], float)
    for i, (low, high) in enumerate(spans):
        parts = np.floor((values[:, i] - low) / (high - low) * count).astype(int)
        assert sorted(parts) == list(range(count)), "one in each part, none outside the range"


def test_the_same_seed_draws_the_same_points_and_another_one_others() -> None:
    drawn = [design.latin_hypercube([A, B], [(0, 1), (0, 9)], [False, True], 20, seed).points for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_whole_numbers_are_as_likely_as_each_other_the_ends_too() -> None:
    found = design.latin_hypercube([A], [(3, 6)], [True], 40, seed=1)
    values = [point.values[0] for point in found.points]
    assert all(isinstance(value, int) for value in values)
    assert {value: values.count(value) for value in (3, 4, 5, 6)} == {3: 10, 4: 10, 5: 10, 6: 10}


def test_a_field_of_whole_numbers_gets_whole_numbers_without_being_told(studies: Path) -> None:
    text = designs.CUBE.replace(
        "teams.support.headcount, low: 1, high: 3, whole: true", "routing.max_attempts, low: 1, high: 5"
    )
    (studies / "attempts.yaml").write_text(text)
    assert [one.routing.max_attempts for one in plan_of(studies / "attempts.yaml").scenarios] == [
        point.values[0] for point in plan_of(studies / "attempts.yaml").design.points
    ]


def test_a_list_of_points_leaves_fields_with_empty_cells_as_they_are(studies: Path) -> None:
    plan = plan_of(studies / "list.yaml")
    assert [point.name for point in plan.design.points] == ["as now", "more people", "no overtime"]
    found = [(one.teams["support"].headcount, one.mechanisms.overtime) for one in plan.scenarios]
    assert found == [(1, True), (2, True), (1, False)]


def test_points_without_names_are_numbered(studies: Path) -> None:
    (studies / "nameless.csv").write_text("teams.support.headcount;teams.csm.headcount\n1;2\n2;1\n")
    (studies / "nameless.yaml").write_text(designs.LISTED.replace("points.csv", "nameless.csv"))
    assert [point.name for point in plan_of(studies / "nameless.yaml").design.points] == ["Point 1", "Point 2"]


def test_a_list_of_points_may_have_one_column(studies: Path) -> None:
    (studies / "nameless.csv").write_text("teams.support.headcount\n1\n2\n")
    (studies / "nameless.yaml").write_text(designs.LISTED.replace("points.csv", "nameless.csv"))
    assert [one.teams["support"].headcount for one in plan_of(studies / "nameless.yaml").scenarios] == [1, 2]


# --- values in scenarios --------------------------------------------------------------------------------------------


def test_a_dated_factor_holds_from_its_day_and_a_list_keeps_its_other_entries(studies: Path) -> None:
    plan = plan_of(studies / "grid.yaml")
    assert [point.name for point in plan.design.points][1] == "Share 0, Support headcount 2"
    for point, one in zip(plan.design.points, plan.scenarios, strict=True):
        before, after = phases(one)
        assert before.scenario.teams["support"].headcount == 1, "until its day, the baseline's"
        assert before.scenario.routing.rules == []
        assert after.start == dt.date(2026, 1, 12)
        rule = after.scenario.routing.rules[0]
        assert (rule.share, after.scenario.teams["support"].headcount) == point.values
        assert (rule.from_, rule.to, rule.how) == ("csm", "support", "front_door"), "the rest of the rule stays"


def test_later_changes_of_a_factor_give_way_and_others_stay(scenario_folder: Path) -> None:
    from sim.scenario import load_scenario

    hire = load_scenario(scenario_folder / "reroute_and_hire.yaml")
    factor = Factor("teams.support.headcount", "Support")
    place, wrong = place_of(hire, factor)
    assert place is not None, wrong
    point, found = with_values(hire, [place], [9], "nine")
    assert point is not None, found
    assert {part.scenario.teams["support"].headcount for part in phases(point)} == {9}
    assert phases(point)[-1].scenario.routing.rules == phases(hire)[-1].scenario.routing.rules
    assert phases(hire)[-1].scenario.teams["support"].headcount == 6, "the scenario itself is as it was"


def test_two_positions_of_one_list_vary_together(studies: Path) -> None:
    plan = plan_of(studies / "grid.yaml")
    day = dt.date(2026, 1, 12)
    base = plan.scenarios[0]
    places = []
    for field in ("routing.rules[0].share", "routing.rules[0].how"):
        place, wrong = place_of(base, Factor(field, field, day))
        assert place is not None, wrong
        places.append(place)
    point, found = with_values(base, places, [0.5, "warm_transfer"], "both")
    assert point is not None, found
    rule = phases(point)[-1].scenario.routing.rules[0]
    assert (rule.share, rule.how) == (0.5, "warm_transfer")


# --- what is wrong --------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_study_is_told_all_at_once(studies: Path) -> None:
    text = """\
name: Bad
baseline: ../../small.yaml
design:
  grid:
    - {field: teams.support.headcount, values: [1, 2], low: 1}
    - {field: teams.support.headcount, values: [1, 1]}
    - {field: a, low: 1, high: 1, steps: 2}
    - {field: b, low: 1}
    - {field: c, values: [[1], 2]}
  csv: points.csv
kpis: [contribution, contribution]
"""
    assert problems(studies, text) == [
        "x.yaml:2: baseline: '../../small.yaml' leaves the folder; name a file in this folder, in the one above it or "
        "below them, such as ../baseline.yaml",
        "x.yaml:3: design: has grid and csv; give one of grid, latin_hypercube and csv",
        "x.yaml:5: design.grid[0]: give either 'values', such as [0, 0.5, 1], or 'low', 'high' and 'steps'",
        "x.yaml:6: design.grid[1].field: 'teams.support.headcount' is varied twice, first on line 5; keep one of them",
        "x.yaml:6: design.grid[1].values[1]: 1 is given twice; keep one",
        "x.yaml:7: design.grid[2].high: 1 is not above low, 1; give a range",
        "x.yaml:8: design.grid[3]: high and steps missing; give 'low', 'high' and 'steps' together",
        "x.yaml:9: design.grid[4].values[0]: a list is no single value; write a number, a word, true or false",
        "x.yaml:11: kpis[1]: 'contribution' is given twice; keep one",
    ]


def test_factors_that_do_not_exist_are_told_with_what_was_meant(studies: Path) -> None:
    text = """\
name: Bad
baseline: ../small.yaml
scenario: ../reroute.yaml
kpis: [contributoin]
design:
  grid:
    - {field: teams.suport.headcount, values: [1, 2]}
    - {field: "routing.rules[0].share", values: [0, 1]}
    - {field: routing.rules.share, from: 2026-01-12, values: [0, 1]}
    - {field: "routing.rules[1].share", from: 2026-01-12, values: [0, 1]}
    - {field: people.recovery, values: [0, 1]}
    - {field: teams.csm.headcount, from: 2030-01-01, values: [1, 2]}
"""
    assert problems(studies, text) == [
        "x.yaml:4: kpis[0]: there is no KPI 'contributoin'; did you mean 'contribution'?",
        "x.yaml:7: design.grid[0].field: there is no 'suport' in 'teams'; did you mean 'support'?",
        "x.yaml:8: design.grid[1].field: 'routing.rules' has no entries at the start; it has this entry from "
        "2026-01-12 on: give 'from: 2026-01-12'",
        "x.yaml:9: design.grid[2].field: 'routing.rules' is a list; say which entry, such as routing.rules[0]",
        "x.yaml:10: design.grid[3].field: 'routing.rules' has 1 entry on 2026-01-12; entries count from 0",
        "x.yaml:11: design.grid[4].field: 'people.recovery' is a map; name a single value in it; known here: "
        "burnout_above, until_below, hours_share",
        "x.yaml:12: design.grid[5].field: 2030-01-01 is outside the run; use a date from 2026-01-05 to 2026-01-25",
    ]


def test_values_outside_a_fields_range_are_told_where_they_are_written(studies: Path) -> None:
    text = """\
name: Bad
baseline: ../small.yaml
design:
  grid:
    - {field: mechanisms.overtime, values: [yes, false]}
    - {field: routing.max_attempts, low: 1, high: 2, steps: 3}
    - {field: money.gross_margin, from: 2026-01-12, values: [0.7, 0.8]}
    - {field: teams.support.shrinkage, values: [0.3, 30%]}
"""
    assert problems(studies, text) == [
        "x.yaml:5: design.grid[0].values[0]: 'yes' is text; write true or false",
        "x.yaml:6: design.grid[1].steps: 1.5 is not whole; use a whole number from 1 to 10: attempts at most, the "
        "first included",
        "x.yaml:7: design.grid[2].field: results are read with one value for the whole run, so it cannot change "
        "during it",
        "x.yaml:8: design.grid[3].values[1]: '30%' is text; use a share from 0 to 0.6 (30 % is 0.3): share of the "
        "shift in breaks, meetings and training (absences come on top)",
    ]


def test_a_list_of_points_is_told_its_rows(studies: Path) -> None:
    (studies / "x.csv").write_text(
        "name,routing.max_attempts,routing.repeat_probability,nonsense\na,1,2,1\na,x,30%,1\nb,0,0.3,1\n"
    )
    found = problems(studies, designs.LISTED.replace("points.csv", "x.csv"))
    chance = "chance that an unresolved or abandoned contact comes back"
    whole = "use a whole number from 1 to 10: attempts at most, the first included"
    known = (
        "name, description, currency, start, weeks, time_zone, window, accounts, tiers, categories, channels, teams, …"
    )
    assert found == [
        f"x.csv:1: nonsense: there is no 'nonsense'; known here: {known}",
        f"x.csv:2: routing.repeat_probability: 2 is too high; use a probability from 0 to 1 (2 % is 0.02): {chance}",
        "x.csv:3: name: 'a' is the name of the point on line 2 too; give each its own",
        f"x.csv:3: routing.max_attempts: 'x' is text; {whole}",
        f"x.csv:3: routing.repeat_probability: '30%' is text; use a probability from 0 to 1 (30 % is 0.3): {chance}",
        f"x.csv:4: routing.max_attempts: 0 is too low; {whole}",
    ]


@pytest.mark.parametrize(
    ("design_text", "message"),
    [
        ("{csv: nowhere.csv}", "x.yaml:3: design.csv.file: there is no file 'nowhere.csv'"),
        ("{}", "x.yaml:3: design: is empty; give one of grid, latin_hypercube and csv"),
        (
            "{grid: [{field: a, low: 1, high: 2, steps: 50}, {field: b, low: 1, high: 2, steps: 50}]}",
            "x.yaml:3: design.grid: 50 × 50 = 2,500 points are more than 1,000; give fewer values, or a "
            "latin_hypercube",
        ),
        (
            "{latin_hypercube: {points: 5000, factors: [{field: routing.max_attempts, low: 1, high: 5}]}}",
            "x.yaml:3: design.latin_hypercube.points: 5000 is too high; use a whole number from 2 to 1000: how many",
        ),
        (
            "{latin_hypercube: {points: 5, factors: [{field: teams.csm.headcount, low: 1.2, high: 2.1, whole: true}]}}",
            "x.yaml:3: design.latin_hypercube.factors[0].high: there are not two whole numbers from 1.2 to 2.1; widen "
            "the range",
        ),
        (
            "{grid: [{field: accounts.book_seed, values: [1, 2]}]}",
            "x.yaml:3: design.grid[0].field: cannot be varied: 2 differs from the baseline's 1; all points start as "
            "the baseline does",
        ),
    ],
)
def test_designs_that_cannot_be_are_refused(studies: Path, design_text: str, message: str) -> None:
    found = problems(studies, f"name: Bad\nbaseline: ../small.yaml\ndesign: {design_text}\n")
    assert len(found) == 1
    assert found[0].startswith(message)


def test_values_that_are_fine_alone_and_not_together_are_told_with_their_point(studies: Path) -> None:
    text = """\
name: Bad
baseline: ../small.yaml
design:
  grid:
    - {field: routing.assign.coaching.csm, label: CSMs, values: [1, 0.5]}
    - {field: routing.assign.coaching.support, label: Support, values: [0, 0.5]}
"""
    found = problems(studies, text)
    assert len(found) == 2, "two of four combinations do not add up to 1"
    assert found[0] == (
        "x.yaml:4: design.grid: the point 'CSMs 1, Support 0.5' cannot be: routing.assign.coaching: the shares add up "
        "to 1.5 instead of 1 (csm 1, support 0.5)"
    )


def test_files_of_a_study_stay_in_its_folder_the_one_above_or_below_them(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "studies"
    folder.mkdir(parents=True)
    (folder.parent / "out.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    for name in ("a.yaml", "below/a.yaml", "../a.yaml", "../beside/a.yaml"):
        assert why_not_inside(name, folder, folder, "x", one_above=True) is None
    for name in ("../../a.yaml", "below/../a.yaml", "/a.yaml", "~/a.yaml", "../out.yaml", ""):
        assert why_not_inside(name, folder, folder, "x", one_above=True) is not None, name
    assert why_not_inside("../a.yaml", folder, folder, "x") is not None, "a scenario file still stays below its folder"


def test_a_plan_of_the_page_says_what_is_wrong_by_label(studies: Path) -> None:
    plan = plan_of(studies / "grid.yaml")
    one = design.grid([Factor("teams.csm.headcount", "CSMs")], [[1, -1]])
    with pytest.raises(ScenarioError, match=r"^Page: CSMs: -1 is too low"):
        planned_study("Page", plan.baseline, plan.baseline, one, ["contribution"], 2, 1)


def test_more_runs_than_can_be_kept_are_refused_before_the_first(studies: Path) -> None:
    with pytest.raises(StudyInputError, match=r"replications: 10,000 of 4 points are 40,000 runs; .* at most 5,000"):
        study(plan_of(studies / "grid.yaml"), replications=10_000)


def test_the_examples_of_the_documentation_can_be_planned(project: Path, tmp_path: Path) -> None:
    page = (project / "docs" / "studies.md").read_text(encoding="utf-8")
    folder = tmp_path / "studies"
    folder.mkdir()
    for name in ("baseline.yaml", "reroute_support_calls.yaml"):
        (tmp_path / name).write_bytes((project / "scenarios" / name).read_bytes())
    blocks = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    (folder / "points.csv").write_text(re.findall(r"```text\n(name,.*?)```", page, flags=re.DOTALL)[0])
    counts = []
    for block in blocks:
        head = "" if block.startswith("name:") else "name: Example\nbaseline: ../baseline.yaml\n"
        (folder / "example.yaml").write_text(head + block)
        counts.append(len(plan_of(folder / "example.yaml").scenarios))
    assert counts == [15, 60, 2]


def test_the_shipped_study_has_the_baseline_among_its_points(project: Path) -> None:
    plan = plan_of(project / "scenarios" / "studies" / "reroute_and_headcount.yaml")
    same = [one for point, one in zip(plan.design.points, plan.scenarios, strict=True) if point.values == (0, 5)]
    last = phases(same[0])[-1].scenario
    assert last.teams == plan.baseline.teams
    assert last.routing.model_copy(update={"rules": []}) == plan.baseline.routing
