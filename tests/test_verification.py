"""The engine against closed forms: `csm-planner verify` passes, sees what is 2 % wrong, and says what fails."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.cli import execute
from sim.model.compile import compile_inputs
from sim.scenario import load_scenario
from sim.study import verification
from sim.study.errors import Interrupted
from sim.study.experiment import Progress
from sim.study.provenance import provenance
from sim.study.queue_totals import Totals
from sim.study.statistics import ratio_interval, t_interval
from sim.study.verification import FOLDER, Cell, Verification, VerifiedRow, verify
from sim.study.verification_rows import ROWS, Row
from sim.study.verification_theory import FIGURES, ConstantHazard, OneQueue
from sim.study.worker import Finished
from sim.theory.limits import overload

PAGE = Path(__file__).parents[1] / "docs" / "verification.md"
QUICK = [row for row in ROWS if row.quick]
QUEUES = [row for row in ROWS if not isinstance(row.theory, ConstantHazard)]


def row_of(file: str) -> Row:
    return next(row for row in ROWS if row.file == file)


def copied(target: Path, **factors: float) -> Path:
    """A copy of the textbook scenarios with every value of some fields multiplied."""
    shutil.copytree(FOLDER, target)
    for path in target.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for field, factor in factors.items():
            text = re.sub(rf"({field}: )([0-9.]+)", lambda m, f=factor: f"{m[1]}{float(m[2]) * f!r}", text)
        path.write_text(text, encoding="utf-8")
    return target


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_quick_table_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "verified.json"
    code = execute(["verify", "--quick", "--workers", "2", "--json", str(target)])
    shown = capsys.readouterr()
    assert code == 0, f"the engine differs from theory, or a row is not sharp:\n{shown.out}{shown.err}"
    told = json.loads(target.read_text(encoding="utf-8"))
    assert [row["scenario"] for row in told["rows"]] == [row.file for row in QUICK]
    figures = [figure for row in told["rows"] for figure in row["figures"].values()]
    assert told["confidence_per_cell"] == pytest.approx(1 - 0.001 / len(figures), rel=1e-12), "once in a thousand"
    assert all(row["replications"] >= 10 for row in told["rows"])
    assert all(row["warm_up_hours"] >= 10 * row["relaxation_hours"] for row in told["rows"])
    assert all(any(figure["sharp"] for figure in row["figures"].values()) for row in told["rows"])
    assert max(map(len, shown.out.splitlines())) <= 80
    assert f"{len(QUICK)} rows, {len(figures)} figures: every interval holds" in shown.out
    assert "left" in shown.err, "progress says how long it takes"


@pytest.mark.slow
def test_a_service_rate_two_percent_too_low_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.study.verification_rows.ROWS", [row_of("md1_load_80.yaml")])
    wrong = copied(tmp_path / "wrong", handle_time_mean_minutes=1 / 0.98)
    assert execute(["verify", "--scenarios", str(wrong)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"M/D/1 +load 0\.80 +FAILS", out)
    assert re.search(r"occupancy +80\.00 % +8[12]\.\d\d .* DIFFERS", out)
    assert "1 of the rows FAIL, 4 of the figures differ." in out


@pytest.mark.slow
def test_every_row_sees_a_service_rate_two_percent_too_low(tmp_path: Path) -> None:
    wrong = copied(tmp_path / "wrong", handle_time_mean_minutes=1 / 0.98, hazard_per_year=0.98)
    found = verify(ROWS, folder=wrong)
    blind = [row.file for row in found.rows if all(cell.agrees for cell in row.cells)]
    assert not blind, "agents who are 2 % slower look right there"


@pytest.mark.slow
def test_the_full_table_passes_and_the_page_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    code = execute(["verify"])
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines())
    assert code == 0, f"the engine differs from theory, or a row is not sharp:\n{printed}"
    shown = re.findall(r"```text\n([^`]*)```", PAGE.read_text(encoding="utf-8"))
    assert shown[0].rstrip() == printed, "put into docs/verification.md what csm-planner verify prints"


@pytest.mark.slow
def test_the_table_is_the_same_bits_on_one_worker_and_on_two(tmp_path: Path) -> None:
    folder = copied(tmp_path / "short")
    rows = [replace(row_of(name), replications=10) for name in ("md1_load_80.yaml", "mm5_5_load_120.yaml")]
    for row in rows:
        text = re.sub(r"(?m)^weeks: \d+", "weeks: 1", (folder / row.file).read_text(encoding="utf-8"))
        (folder / row.file).write_text(text, encoding="utf-8")
    two = verify(rows, folder=folder, workers=2)
    assert two.to_json() == verify(rows, folder=folder, workers=1).to_json()
    alone = verify(rows[1:], folder=folder, workers=2)
    assert alone.rows[0].cells[0].simulated == two.rows[1].cells[0].simulated, "a row does not hang on those beside it"
    other = verify(rows[1:], folder=folder, workers=2, seed=2)
    assert other.rows[0].cells[0].simulated != two.rows[1].cells[0].simulated, "it hangs on the seed"


def test_rows_do_not_share_their_luck() -> None:
    seeds = {verification.row_seed(1, row) for row in ROWS}
    assert len(seeds) == len(ROWS)
    assert not seeds & {verification.row_seed(2, row) for row in ROWS}


# --- the rows -----------------------------------------------------------------------------------------------------


def test_every_textbook_file_is_a_row_or_what_others_extend() -> None:
    others = {"base.yaml", "network.yaml"}
    assert {path.name for path in FOLDER.glob("*")} == {row.file for row in ROWS} | others
    assert len({row.file for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_textbook_file_is_a_short_scenario_that_says_which_queue_it_is(path: Path) -> None:
    assert execute(["validate", str(path)]) == 0
    scenario = load_scenario(path)
    assert len(scenario.description) > 40
    rows = [row for row in ROWS if row.file == path.name]
    for row in rows:
        assert scenario.name.startswith(row.name.split(",")[0]), f"{path.name} is called {scenario.name}"
        load = re.search(r"load ([0-9.]+)$", scenario.name)
        assert load is None or float(load[1]) == pytest.approx(row.theory.load), "the name tells the load"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 25 or path.name in ("base.yaml", "network.yaml")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.file)
def test_theory_knows_every_figure_of_a_row(row: Row) -> None:
    figures = row.theory.figures()
    assert set(row.figures) <= set(figures)
    assert {name.partition(":")[0] for name in row.figures} <= set(FIGURES)
    assert len(set(row.figures)) == len(row.figures)
    slower = row.theory.figures(0.98)
    assert any(slower[name] != figures[name] for name in row.figures), "a slower service is seen in some figure"
    assert row.replications >= 10


def test_loads_go_from_light_to_beyond_what_the_agents_can_do() -> None:
    loads = [row.theory.load for row in QUEUES]
    assert min(loads) == pytest.approx(0.3)
    assert sum(math.isclose(load, 0.95) for load in loads) >= 2
    patient = [row for row in QUEUES if "abandonment" in row.figures]
    assert max(row.theory.load for row in patient) > 1.2, "beyond 1 with impatience"


def test_impatience_beyond_capacity_is_near_its_fluid_limit() -> None:
    theory = row_of("mm20_impatience_load_130.yaml").theory
    assert isinstance(theory, OneQueue)
    limit, found = overload(theory.queue), theory.figures()
    one_agent = 1 / theory.queue.agents  # what chance adds to a share, at most, in a queue of that size
    assert found["abandonment"] == pytest.approx(limit.abandonment, abs=one_agent)
    assert found["occupancy"] == pytest.approx(limit.occupancy, abs=one_agent)
    assert found["queue_length"] == pytest.approx(limit.queue_length_mean, rel=one_agent)


# --- the statistics -----------------------------------------------------------------------------------------------


def test_with_equal_denominators_the_interval_is_that_of_a_mean() -> None:
    above = np.array([3.0, 4.0, 6.0, 5.0])
    ratio, low, high = ratio_interval(above, np.full(4, 2.0), alpha=0.05)
    expected = t_interval(2.25, float(np.std(above / 2, ddof=1)), 4, 0.05)
    assert ratio == 2.25
    assert (low, high) == pytest.approx(expected, rel=1e-12)


def test_a_ratio_of_sums_weighs_replications_by_their_size() -> None:
    ratio, low, high = ratio_interval(np.array([1.0, 30.0]), np.array([1.0, 10.0]), alpha=0.05)
    assert ratio == 31 / 11, "and not the mean of 1 and 3"
    assert low < ratio < high


def test_the_interval_of_a_ratio_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    studies, n = 4_000, 16
    below = random.poisson(400, (studies, n)).astype(float)
    above = random.binomial(below.astype(int), 0.3).astype(float)
    held = [
        low <= 0.3 <= high for _, low, high in (ratio_interval(a, b, 0.05) for a, b in zip(above, below, strict=True))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / studies)), "within 4 standard errors"


# --- what fails ---------------------------------------------------------------------------------------------------


def totals_of(occupancy: Sequence[float]) -> list[Finished]:
    """Replications of M/M/1 at load 0.6 with these occupancies, and nothing else to see."""
    each: list[Totals] = [
        {"busy_hours": 1000 * share, "agent_hours": 1000.0, "waited": 0.6, "offered": 1.0, "waiting_hours": 0.05}
        for share in occupancy
    ]
    return [Finished(i, (), totals=(totals,)) for i, totals in enumerate(each)]


def verified(
    finished: Sequence[Finished], figures: tuple[str, ...] = ("occupancy",), warm_up_weeks: int = 1
) -> VerifiedRow:
    row = replace(row_of("mm1_load_60.yaml"), figures=figures)
    inputs = compile_inputs(load_scenario(FOLDER / row.file, {"accounts.warm_up_weeks": warm_up_weeks}))
    return verification._verified(row, inputs, finished, 0.01, 1)


def test_a_row_passes_that_agrees_and_is_sharp() -> None:
    row = verified(totals_of([0.599, 0.601] * 8))
    assert row.passed
    assert row.cells[0].sharp


def test_a_row_that_could_not_see_a_defect_is_not_sharp_and_fails() -> None:
    row = verified(totals_of([0.55, 0.65] * 8))
    assert row.cells[0].agrees
    assert not row.passed
    assert "not sharp" in row.problems[0]


def test_a_figure_that_never_varies_and_that_no_defect_moves_makes_no_row_sharp() -> None:
    cell = Cell("blocking", "turned away", "share", 0.0, 0.0, 0.0, 0.0, shift=0.0)
    assert cell.agrees
    assert not cell.sharp


def test_a_row_with_a_failed_replication_or_a_short_warm_up_or_few_replications_fails() -> None:
    good = totals_of([0.599, 0.601] * 8)
    broken = verified([*good, Finished(16, (), error="ValueError: no")])
    assert not broken.passed
    assert broken.problems == ("replication 16 failed: ValueError: no",)
    cold = verified(good, warm_up_weeks=0)
    assert not cold.passed
    assert cold.problems[0].startswith("the warm-up of 0 hours is shorter than 10 relaxation times")
    few = verified(good[:9])
    assert not few.passed
    assert few.problems == ("9 replications; at least 10 are needed",)


def test_a_row_in_which_nobody_comes_fails_and_can_be_written() -> None:
    nobody = {"offered": 0.0, "waited": 0.0}
    finished = [replace(one, totals=(one.totals[0] | nobody,)) for one in totals_of([0.599, 0.601] * 8)]
    row = verified(finished, ("occupancy", "wait_probability"))
    found = Verification((row,), 0.99, provenance([load_scenario(FOLDER / row.file)], 1, 16))
    assert not found.passed
    told = json.loads(found.to_json())["rows"][0]["figures"]["wait_probability"]
    assert (told["simulated"], told["agrees"]) == (None, False)


def test_problems_are_told_below_the_table_and_end_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Finished(16, (), error="ValueError: no\x1b[2J")
    row = verified([*totals_of([0.599, 0.601] * 8), broken])
    found = Verification((row,), 0.99, provenance([load_scenario(FOLDER / row.file)], 1, 17))
    monkeypatch.setattr("sim.study.verification.verify", lambda *_, **__: found)
    assert execute(["verify"]) == 1
    out = capsys.readouterr().out
    assert "mm1_load_60.yaml: replication 16 failed: ValueError: no?[2J." in out, "and commands no terminal"


def test_interrupted_it_ends_with_130_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Progress] = []

    with pytest.raises(Interrupted) as interrupted:
        verify(ROWS, workers=1, progress=seen.append, cancel=lambda: True)
    assert interrupted.value.total == sum(row.replications for row in ROWS)
    assert seen[0].seconds_left is None, "nothing is known of the time before something is done"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers: 0 cannot be used; use a whole number from 1 to 256."),
        (["--seed", "-1"], "--seed: -1 cannot be used"),
        (["--json", "there/none.json"], "is not there; make it first or name another"),
        (["--json", "a.yaml"], "this is the name of a scenario file"),
        (["--scenarios", "nowhere"], "nowhere: the textbook scenarios are not there. They come with the source code"),
    ],
)
def test_bad_options_end_with_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["verify", *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_errors_of_all_files_come_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path / "wrong")
    (folder / "md1_load_80.yaml").unlink()
    broken = folder / "finite_source.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("weeks: 15", "weeks: none"), encoding="utf-8")
    assert execute(["verify", "--scenarios", str(folder)]) == 2
    err = capsys.readouterr().err
    assert "there is no file 'md1_load_80.yaml'" in err
    assert "finite_source.yaml:4" in err


def test_interruption_reaches_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> Verification:
        raise Interrupted(3, 40, None)

    monkeypatch.setattr("sim.study.verification.verify", interrupted)
    target = tmp_path / "verified.json"
    assert execute(["verify", "--json", str(target)]) == 130
    err = capsys.readouterr().err
    assert "Interrupted after 3 of 40 replications." in err
    assert "not written; a table is whole or not there" in err
    assert not target.exists()
