"""What a designed study finds: the same figures as a comparison, effects whose truth is known, tables and pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import designs
import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.stats import binom

from sim.cli import execute
from sim.cli_design_words import lines
from sim.report.heat_map import OPEN, heat_map
from sim.scenario import dump_scenario, load_scenario_text
from sim.study.design import Factor, grid, latin_hypercube
from sim.study.designed import Change, DesignedStudy, designed
from sim.study.effects import fit, interactions, main_effects
from sim.study.executors import InThisProcess
from sim.study.experiment import compare, study
from sim.study.study_file import read_study_file
from sim.study.study_plan import read_plan

KPI = "contribution"
Made = Callable[[int, int], DesignedStudy]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return designs.write(tmp_path_factory.mktemp("designed"))


@pytest.fixture(scope="module")
def found(studies: Path) -> DesignedStudy:
    """A grid of 2 x 2 points, 2 replications."""
    return study(studies / "grid.yaml", pool=InThisProcess())


# --- beside a comparison --------------------------------------------------------------------------------------------


def test_every_point_has_the_figures_that_a_comparison_of_the_two_gives(studies: Path, found: DesignedStudy) -> None:
    plan = read_plan(read_study_file(studies / "grid.yaml"))
    files = [load_scenario_text(dump_scenario(one), one.name) for one in plan.scenarios[1:]]
    told = compare(plan.baseline, files, replications=2, pool=InThisProcess())
    for point, scenario, difference in zip(found.points[1:], told.scenarios[1:], told.differences, strict=True):
        for name in found.kpis:
            assert point.estimates[name] == scenario.kpis[name], "bit for bit"
            assert point.changes[name] == Change(difference.kpis[name].mean, difference.kpis[name].ci95)


def test_a_point_that_is_the_baseline_differs_by_nothing(found: DesignedStudy) -> None:
    same = found.points[0]
    assert same.values == (0, 1)
    assert all(change == Change(0.0, (0.0, 0.0)) for change in same.changes.values())


def test_the_best_point_is_the_one_with_the_highest_mean_and_says_that_it_was_picked(found: DesignedStudy) -> None:
    assert found.best is not None
    assert found.best.estimates[KPI].mean == max(point.estimates[KPI].mean for point in found.points)
    assert found.ranked[0] is found.best
    assert json.loads(found.to_json())["best"]["order"][0] == found.best.name


def test_the_best_point_is_told_with_its_rivals_and_as_a_lucky_pick(made: Made) -> None:
    study = made(6, 10)
    assert study.best is not None
    assert study.best.values == (5, 9)
    assert "It is the best of them with 95 % confidence." in study.best_sentence
    assert "The best of many is an optimistic pick" in study.best_sentence
    equal = made(2, 2)
    assert equal.best_sentence.startswith("None of the 4 points has a higher contribution than Small; nearest comes ")
    near = replace(study, ranking=replace(study.ranking, may_be_best=(59, 58, 48, 57, 56), gives_away=1234.0))
    assert (
        "With 95 % confidence the best of them is this one or one of 4 others (Rows 5, Columns 8; Rows 4, Columns 8; "
        "Rows 5, Columns 7; 1 more), and this one gives away at most USD 1,200." in near.best_sentence
    )


def test_options_go_before_the_file_and_a_stored_study_is_the_same(studies: Path, tmp_path: Path) -> None:
    first, again = (
        study(studies / "cube.yaml", replications=1, seed=7, store=tmp_path, pool=InThisProcess()) for _ in range(2)
    )
    assert first.replications == 1
    assert first.provenance.seed == 7
    assert again.points == first.points
    assert all(point.changes[KPI].ci95 is None for point in first.points), "one replication has no interval"


# --- effects whose truth is known -------------------------------------------------------------------------------------


def made_up(interaction: float, noise: float, seed: int, replications: int = 8) -> np.ndarray:
    """(3, 2, replications): 10 + 4 x1 - x2 + interaction x1 x2, common luck of 50, and own luck of each cell."""
    random = np.random.default_rng(seed)
    x1, x2 = np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0])
    truth = 10 + 4 * x1[:, None] - x2[None, :] + interaction * x1[:, None] * x2[None, :]
    return truth[..., None] + 50 * random.normal(size=replications) + noise * random.normal(size=(3, 2, replications))


def test_without_own_luck_effects_are_exact_whatever_the_common_luck() -> None:
    values = made_up(interaction=0.5, noise=0, seed=1)
    first, second = main_effects(KPI, values)
    assert first.change.mean == pytest.approx(8 + 0.5 * 2 * 1.5), "from 0 to 2, in the mean over the other factor"
    assert second.change.mean == pytest.approx(-3 + 0.5 * 3 * 1)
    (pair,) = interactions(KPI, values)
    assert (pair.at_first.mean, pair.at_last.mean) == (pytest.approx(8), pytest.approx(8 + 3))
    assert pair.difference.mean == pytest.approx(0.5 * 2 * 3)
    assert pair.told


def test_factors_that_only_add_up_have_no_interaction_and_rounding_is_none() -> None:
    (pair,) = interactions(KPI, made_up(interaction=0, noise=0, seed=2))
    assert pair.difference.mean == 0
    assert not pair.told


def test_the_corners_are_the_sum_of_all_adjacent_double_differences() -> None:
    values = np.random.default_rng(3).normal(size=(4, 5, 6))
    (pair,) = interactions(KPI, values)
    adjacent = np.diff(np.diff(values, axis=0), axis=1)
    assert pair.difference.mean == pytest.approx(adjacent.sum(axis=(0, 1)).mean())


def test_further_factors_are_averaged_over() -> None:
    values = np.random.default_rng(4).normal(size=(2, 3, 4, 6))
    pairs = {pair.factors: pair for pair in interactions(KPI, values)}
    assert list(pairs) == [(0, 1), (0, 2), (1, 2)]
    over = values.mean(axis=1)
    by_hand = over[-1, -1] - over[0, -1] - over[-1, 0] + over[0, 0]
    assert pairs[0, 2].difference.mean == pytest.approx(by_hand.mean())
    assert main_effects(KPI, values)[1].change.mean == pytest.approx((values[:, -1] - values[:, 0]).mean())


def test_the_interval_of_an_interaction_covers_the_truth_as_often_as_it_says() -> None:
    runs = 600
    held = 0
    for seed in range(runs):
        (pair,) = interactions(KPI, made_up(interaction=0.5, noise=2, seed=seed, replications=5))
        assert pair.difference.ci95 is not None
        held += pair.difference.ci95[0] <= 3 <= pair.difference.ci95[1]
    low, high = binom.interval(0.999, runs, 0.95)
    assert low <= held <= high, "95 % of 600, within a 99.9 % interval"


def test_a_straight_line_is_found_again_with_its_slopes_and_its_fit() -> None:
    design = latin_hypercube([Factor("a", "A"), Factor("b", "B")], [(0, 10), (-1, 1)], [False, False], 12, seed=1)
    x = np.array([point.values for point in design.points])
    common = 100 * np.random.default_rng(5).normal(size=4)
    values = (3 + 2 * x[:, 0] - 5 * x[:, 1])[:, None] + common[None, :]
    one = fit(KPI, x, values)
    assert one is not None
    assert one.r_squared == pytest.approx(1)
    assert [slope.over_range.mean for slope in one.slopes] == pytest.approx([2 * np.ptp(x[:, 0]), -5 * np.ptp(x[:, 1])])
    standard = [slope.standardised.mean for slope in one.slopes if slope.standardised is not None]
    assert standard == pytest.approx([2 * x[:, 0].std() / values[:, 0].std(), -5 * x[:, 1].std() / values[:, 0].std()])


def test_what_is_bent_is_not_called_straight_and_too_few_points_give_no_line() -> None:
    x = np.linspace(-1, 1, 11)[:, None]
    bent = fit(KPI, x, np.repeat(x**2, 3, axis=1))
    assert bent is not None
    assert bent.r_squared == pytest.approx(0, abs=1e-9)
    assert bent.slopes[0].over_range.mean == 0
    assert fit(KPI, x[:2], np.ones((2, 3))) is None
    level = fit(KPI, x, np.ones((11, 3)))
    assert level is not None
    assert level.r_squared is None
    assert level.slopes[0].standardised is None, "nothing differs between the points"
    two = np.hstack([x, 2 * x])
    assert fit(KPI, two, np.ones((11, 3))) is None, "two factors that vary only together"


# --- what is handed over ----------------------------------------------------------------------------------------------


def test_json_and_csv_have_every_point_and_interval(found: DesignedStudy) -> None:
    said = json.loads(found.to_json())
    assert said["design"] == "grid"
    assert [factor["from"] for factor in said["factors"]] == ["2026-01-12", "2026-01-12"]
    assert len(said["points"]) == 4
    first = said["points"][3]["kpis"][KPI]
    change = found.points[3].changes[KPI]
    assert change.ci95 is not None
    assert first["difference"] == {"mean": change.mean, "ci95": list(change.ci95)}
    assert {row["kpi"] for row in said["interactions"]} == {KPI, "support.wait_mean_minutes"}
    rows = list(csv.DictReader(io.StringIO(found.to_csv().removeprefix("\ufeff"))))
    assert len(rows) == 4 * 2
    assert float(rows[6]["difference_low"]) == change.ci95[0]
    assert rows[6]["routing.rules[0].share"] == "1"
    assert found.to_frame()["difference"].tolist()[6] == change.mean


def test_a_file_name_or_label_never_becomes_a_formula_or_markup(found: DesignedStudy) -> None:
    evil = replace(found.points[0], name="=cmd()")
    assert '"\'=cmd()"' in replace(found, points=(evil, *found.points[1:])).to_csv()
    design = replace(found.design, factors=(Factor("a", "<b>A</b>"), found.design.factors[1]))
    figure = heat_map(replace(found, design=design), KPI)
    assert figure.layout.yaxis.title.text == "&lt;b&gt;A&lt;/b&gt;"


@pytest.fixture(scope="module")
def made(found: DesignedStudy, studies: Path) -> Made:
    """Makes a grid with contributions of 1,000 x row x column, less 40,000, and luck that is 0 in the mean."""
    plan = replace(read_plan(read_study_file(studies / "grid.yaml")), kpis=(KPI,))

    def make(rows: int, columns: int) -> DesignedStudy:
        design = grid([Factor("a", "Rows"), Factor("b", "Columns")], [list(range(rows)), list(range(columns))])
        measured = [
            [{KPI: 1e6}, *({KPI: 1e6 + 1000.0 * a * b - 40_000 + 100 * luck * a} for a, b in np.ndindex(rows, columns))]
            for luck in (-3, -2, -1, 1, 2, 3)
        ]
        return designed(replace(plan, design=design), {KPI: found.kpis[KPI]}, measured, found.provenance)

    return make


def test_wide_and_long_studies_fit_into_80_columns(made: Made) -> None:
    shown = lines(made(12, 40))
    assert all(len(line) <= 80 for line in shown)
    assert any("·" in line for line in shown)
    listed = made(30, 30)
    points = tuple(replace(point, name=f"A long name of point {i}" * 3) for i, point in enumerate(listed.points))
    design = replace(listed.design, kind="csv", levels=())
    shown = lines(replace(listed, design=design, points=points, interactions=(), main_effects=()))
    assert all(len(line) <= 80 for line in shown)
    assert any(line.startswith("and 880 more, down to ") for line in shown)


def test_three_factors_are_told_in_sentences_the_sure_ones_first(found: DesignedStudy, studies: Path) -> None:
    factors = [Factor(name, name.upper()) for name in ("a", "b", "c", "d")]
    design = grid(factors, [[0, 1]] * 4)
    plan = replace(read_plan(read_study_file(studies / "grid.yaml")), kpis=(KPI,), design=design)
    random = np.random.default_rng(7)
    measured = [
        [{KPI: 0.0}, *({KPI: 500.0 * a + 9e4 * b * d + random.normal() / 10} for a, b, c, d in np.ndindex(2, 2, 2, 2))]
        for _ in range(6)
    ]
    shown = " ".join(lines(designed(plan, {KPI: found.kpis[KPI]}, measured, found.provenance)))
    assert "Contribution, in the mean over the other factors: A from 0 to 1 USD +500 (+500 to +500)" in shown
    assert shown.index(
        "B from 0 to 1 changes it by USD 0 at D 0 and by USD +90,000 at 1. The two differ"
    ) < shown.index("cannot be told: they differ by")


def test_the_heat_map_shows_every_difference_and_marks_what_cannot_be_told(made: Made) -> None:
    study = made(6, 9)
    figure = heat_map(study, KPI)
    texts = [one.text for one in figure.layout.annotations]
    assert len(texts) == 54
    assert texts[0] == "−40", "in thousand USD"
    untold = sum(not point.changes[KPI].told for point in study.points)
    assert untold == 1, "the cell of 5 x 8, where only luck is left"
    (dots,) = [trace for trace in figure.data if isinstance(trace, go.Scatter)]
    assert (len(dots.x), dots.name) == (untold, OPEN)
    assert figure.data[0].colorbar.title.text == "thousand USD"
    assert -figure.data[0].zmin == figure.data[0].zmax == 40, "colours diverge about 0"


def test_colours_turn_where_lower_is_better(found: DesignedStudy) -> None:
    money, wait = (heat_map(found, name).data[0].colorscale for name in found.kpis)
    assert [colour for _, colour in wait] == [colour for _, colour in reversed(money)]
    with pytest.raises(ValueError, match="grid of two factors"):
        heat_map(replace(found, design=replace(found.design, levels=())), KPI)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_shows_matrices_and_writes_files(
    studies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", str(studies / "grid.yaml"), "--replications", "2", "--workers", "1"]
    assert execute([*words, "--json", str(tmp_path / "o.json"), "--csv", str(tmp_path / "o.csv")]) == 0
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.startswith("Small grid: 4 points, 2 replications, seed 1\n")
    assert "Share down, Support headcount across" in shown
    assert json.loads((tmp_path / "o.json").read_text())["replications"] == 2
    assert (tmp_path / "o.csv").read_text().count("\n") == 1 + 4 * 2


def test_a_list_of_points_is_shown_best_first(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["study", str(studies / "list.yaml"), "--workers", "1"]) == 0
    shown = capsys.readouterr().out.splitlines()
    head = next(i for i, line in enumerate(shown) if line.startswith("point"))
    assert {line.split("  ")[0] for line in shown[head + 1 : head + 4]} == {"as now", "more people", "no overtime"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.yaml"], "there is no file 'nowhere.yaml'"),
        (["grid.yaml", "--json", "points.csv"], "this file"),
        (["../small.yaml"], "design: missing"),
        (["grid.yaml", "--replications", "0"], "--replications: 0 cannot be used"),
    ],
)
def test_bad_input_ends_with_2(
    studies: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studies)
    if "points.csv" in words:
        words = ["list.yaml", *words[1:]]
    assert execute(["study", *words]) == 2
    assert message in capsys.readouterr().err
