"""The command line: results on stdout, messages on stderr, exit codes, files whole or not at all.

The company here is small: a tenth of the shipped one for eight weeks.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import sim
from sim.cli import execute
from sim.cli_output import verdict_words
from sim.scenario import Problem, ScenarioError
from sim.study.errors import Interrupted, StudyInputError
from sim.study.experiment import Progress
from sim.study.kpis import registry
from sim.study.statistics import Difference

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "sim"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenario files: small.yaml, hire.yaml (one more CSM), and other.yaml, which cannot be compared."""
    path = tmp_path_factory.mktemp("scenarios")
    small: dict[str, Any] = yaml.safe_load((ROOT / "scenarios/baseline.yaml").read_text())
    small |= {"name": "Small", "weeks": 8}
    small["accounts"]["warm_up_weeks"] = 2
    for tier in small["tiers"].values():
        tier["accounts"] = tier["accounts"] // 10
    small["teams"]["csm"]["headcount"] = 2
    small["teams"]["support"]["headcount"] = 2
    (path / "small.yaml").write_text(yaml.safe_dump(small, sort_keys=False))
    hire = {"name": "Hire", "extends": "small.yaml", "teams": {"csm": {"headcount": 3}}}
    (path / "hire.yaml").write_text(yaml.safe_dump(hire))
    other = {"name": "Other", "extends": "small.yaml", "weeks": 9, "tiers": {"small": {"accounts": 5}}}
    (path / "other.yaml").write_text(yaml.safe_dump(other))
    (path / "bad.yaml").write_text("name: Bad\nextends: small.yaml\nweeks: 9000\nteam: 1\n")
    return path


def run(*words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=120)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_arguments_it_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 0
    shown = capsys.readouterr().out
    assert "validate" in shown
    assert "compare" in shown


def test_help_does_not_load_the_engine() -> None:
    code = (
        "import sys; from sim.cli import execute; execute(['--help']); "
        "heavy = {'numpy', 'scipy', 'pydantic', 'simpy'}; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "", "help must come at once"


def test_importing_the_package_loads_nothing_and_offers_its_names() -> None:
    code = "import sys, sim; print('numpy' in sys.modules, {'load_scenario', 'run', 'compare'} <= set(dir(sim)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_version_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out.startswith("csm-planner ")


def test_validate_says_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["validate", str(folder / "small.yaml")]) == 0
    assert "valid (Small, 8 weeks from 2026-01-05)" in capsys.readouterr().out


def test_validate_shows_the_problems_of_all_files_and_exits_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = folder / "bad.yaml"
    assert execute(["validate", str(bad), str(folder / "hire.yaml"), str(folder / "none.yaml")]) == 2
    shown = capsys.readouterr()
    assert f"{bad}:3: weeks:" in shown.err
    assert f"{bad}:4: team:" in shown.err
    assert "none.yaml" in shown.err
    assert "hire.yaml: valid" in shown.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--replications", "0"], "--replications: 0 cannot be used; use a whole number from 1 to 100000."),
        (["--seed", "-1"], "--seed: -1 cannot be used; use a whole number from 0 to 9223372036854775807."),
        (["--seed", str(2**63)], "from 0 to 9223372036854775807."),
        (["--workers", "257"], "--workers: 257 cannot be used; use a whole number from 1 to 256."),
        (["--workers", "two"], "--workers"),
        (["--json", "/none/such/file.json"], "the folder /none/such is not there"),
        (["--json", "/"], "this is a folder"),
        (["--ledger", "/dev/null"], "not a regular file"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_options_exit_with_2_and_say_what_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert execute(["run", str(folder / "small.yaml"), *words]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == "", "stdout is for results"


def test_all_bad_options_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "x.yaml", "--seed", "-1", "--workers", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_two_outputs_cannot_go_to_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(folder / "same")
    assert execute(["run", str(folder / "small.yaml"), "--json", target, "--ledger", target]) == 2
    assert "same file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["bogus"], ["run"], ["compare", "one.yaml"], ["validate"]])
def test_bad_commands_exit_with_2_and_point_to_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(words) == 2
    assert "--help'" in capsys.readouterr().err


def test_bad_scenarios_exit_with_2_and_write_nothing(folder: Path, tmp_path: Path) -> None:
    done = run("compare", folder / "bad.yaml", folder / "none.yaml", "--json", tmp_path / "out.json")
    assert done.returncode == 2
    assert "bad.yaml:3: weeks:" in done.stderr
    assert "none.yaml" in done.stderr, "the problems of all files come at once"
    assert "Traceback" not in done.stderr
    assert files(tmp_path) == []


def test_scenarios_with_another_book_or_calendar_cannot_be_compared(folder: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        sim.compare(folder / "small.yaml", [folder / "other.yaml"])
    told = {problem.path: problem.message for problem in caught.value.problems}
    assert set(told) == {"weeks", "tiers.small.accounts"}
    assert "9 differs from the baseline's 8" in told["weeks"]


def test_scenarios_with_other_tiers_cannot_be_compared(folder: Path) -> None:
    baseline = sim.load_scenario(folder / "small.yaml")
    tiers = dict(reversed(baseline.tiers.items()))
    with pytest.raises(ScenarioError, match="tiers: small, midmarket, enterprise: a comparison needs the baseline's"):
        sim.compare(baseline, baseline.model_copy(update={"tiers": tiers}))


@pytest.mark.parametrize(("setting", "value"), [("replications", 0), ("seed", -1), ("workers", 0), ("seed", 1.5)])
def test_settings_are_checked_in_python_too(folder: Path, setting: str, value: Any) -> None:
    with pytest.raises(StudyInputError, match=f"{setting}: .* cannot be used"):
        sim.run(folder / "small.yaml", **{setting: value})


def test_compare_writes_json_with_the_documented_layout(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    done = run("compare", folder / "small.yaml", folder / "hire.yaml", "--replications", 3, "--json", target)
    assert done.returncode == 0, done.stderr
    result = json.loads(target.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert list(result) == ["provenance", "decision", "scenarios", "differences", "quarters", "looks"]
    assert set(result["provenance"]) == {
        *("inputs_hash", "seed", "code_version", "packages", "replications", "python", "cpu")
    }
    assert [one["name"] for one in result["scenarios"]] == ["Small", "Hire"]
    assert set(result["decision"][0]) == {"scenario", "verdict", "sentence", "why"}
    for one in result["scenarios"]:
        assert one["replications"] == 3
        assert all(set(value) == {"mean", "ci95", "sd", "unit"} for value in one["kpis"].values())
    (difference,) = result["differences"]
    assert (difference["scenario"], difference["baseline"]) == ("Hire", "Small")
    assert set(difference["kpis"]) == set(result["scenarios"][0]["kpis"])
    assert difference["kpis"]["cost_labour"]["mean"] > 0, "one more CSM costs more"
    assert {"mean", "ci95", "ci95_adjusted", "verdict"} <= set(difference["kpis"]["contribution"])
    assert files(tmp_path) == ["out.json"], "no temporary file is left"
    assert "Hire against Small" in done.stdout
    assert "The interval covers chance only" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80, "results fit a terminal of 80 columns"
    assert "3 of 3" in done.stderr, "progress goes to stderr"


@pytest.mark.slow
def test_compare_with_ends_gives_the_answer_at_both(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    done = run(
        *("compare", folder / "small.yaml", folder / "hire.yaml"), "--replications", 2, "--ends", "--json", target
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert re.search(r"With \d{3} of \d{3} assumptions at their low end: .*contribution .*; at their high end: ", said)
    assert "two corners (2 replications each), no bounds" in said
    assert "Left as they are: accounts.weekday_profile, accounts.hour_profile." in said
    assert max(map(len, done.stdout.splitlines())) <= 80, "results fit a terminal of 80 columns"
    assert "4 of 4" in done.stderr, "progress covers both ends"
    result = json.loads(target.read_text())
    assert list(result) == ["provenance", "decision", "scenarios", "differences", "quarters", "looks", "ends"]
    assert set(result["ends"]) == {"low", "high", "moved", "left_out"}
    low, high = (result["ends"][end] for end in ("low", "high"))
    assert low["scenarios"] != high["scenarios"]
    assert "at their low ends" in low["decision"][0]["sentence"]


def test_ends_that_cannot_be_had_cost_the_comparison_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ScenarioError([Problem("Small", 0, "tiers", "too many contacts")])

    monkeypatch.setattr("sim.study.experiment.compare_at_ends", refuse)
    words = ["compare", str(folder / "small.yaml"), str(folder / "hire.yaml"), "--replications", "2", "--ends"]
    assert execute(words) == 1
    shown = capsys.readouterr()
    assert "Hire against Small" in shown.out
    assert "The ends of the assumptions could not be computed: Small: tiers: too many contacts" in shown.err


def test_an_interruption_at_the_ends_keeps_the_comparison_and_its_ledger(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise Interrupted(1, 4, None)

    monkeypatch.setattr("sim.study.experiment.compare_at_ends", interrupt)
    words = ["compare", str(folder / "small.yaml"), str(folder / "hire.yaml"), "--replications", "2", "--ends"]
    outputs = ["--json", str(tmp_path / "out.json"), "--ledger", str(tmp_path / "contacts.parquet")]
    assert execute([*words, *outputs]) == 130
    shown = capsys.readouterr().err
    assert "Interrupted after 1 of 4 replications." in shown
    assert "out.json: written, without what was asked for beside it." in shown
    assert "not written" not in shown
    assert files(tmp_path) == ["contacts.parquet", "out.json"]


def test_workers_do_not_change_the_result_and_seeds_do(folder: Path) -> None:
    def result(workers: int, seed: int) -> dict[str, Any]:
        compared = sim.compare(folder / "small.yaml", folder / "hire.yaml", replications=3, workers=workers, seed=seed)
        return {key: value for key, value in compared.to_dict().items() if key != "provenance"}

    one = result(1, 0)
    assert one == result(2, 0), "the same bits whatever the workers"
    assert one != result(2, 1), "seed 0 is a seed like any other"


def test_run_gives_every_kpi_and_no_differences(folder: Path, tmp_path: Path) -> None:
    result = sim.run(folder / "small.yaml", replications=2)
    plain = json.loads(result.to_json())
    assert plain["differences"] == []
    assert plain["decision"] == []
    assert list(result.kpis) == list(registry_of(folder))
    frame = result.to_frame()
    assert list(frame.index) == list(result.kpis)
    assert frame.loc["cost_total", "low"] <= frame.loc["cost_total", "mean"] <= frame.loc["cost_total", "high"]
    assert result.table.to_frame().shape == (2, len(result.kpis))


def registry_of(folder: Path) -> list[str]:
    from sim.model.compile import compile_inputs

    return list(registry(compile_inputs(sim.load_scenario(folder / "small.yaml"))))


def test_a_scenario_against_itself_differs_in_nothing(folder: Path) -> None:
    result = sim.compare(folder / "small.yaml", [folder / "small.yaml"], replications=2)
    assert [one.name for one in result.scenarios] == ["Small", "Small (2)"], "names stay apart"
    assert {change.mean for change in result.differences[0].kpis.values()} <= {0.0, None}
    assert result.decisions[0].verdict == "does not pay"


def test_series_and_costs_come_with_the_result(folder: Path) -> None:
    result = sim.compare(folder / "small.yaml", [folder / "hire.yaml"], replications=2)
    band = result.series.team("Hire", "csm", "handling_hours")
    assert band.mean.shape == (8,)
    assert (band.low <= band.mean).all()
    assert result.series.tier("Small", "enterprise", "accounts").mean[0] == 4
    assert {"scenario", "kind", "name", "measure", "week", "mean"} <= set(result.series.to_frame().columns)
    total = result.costs.to_frame().loc["Hire"].to_numpy().sum()
    assert total == pytest.approx(result.scenarios[1].kpis["cost_total"].mean, abs=0.01)


def test_ledger_has_every_contact_with_names(folder: Path, tmp_path: Path) -> None:
    import pandas

    target = tmp_path / "contacts.parquet"
    sim.compare(folder / "small.yaml", folder / "hire.yaml", replications=2, ledger=target)
    rows = pandas.read_parquet(target)
    assert set(rows["scenario"]) == {"Small", "Hire"}
    assert set(rows["replication"]) == {0, 1}
    assert {"csm", "support"} <= set(rows["team"])
    assert "resolved" in set(rows["outcome"])
    assert rows["replication"].is_monotonic_increasing, "replications stand in order"
    assert files(tmp_path) == ["contacts.parquet"]


def test_progress_counts_up_and_cancel_keeps_what_was_done(folder: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    with pytest.raises(Interrupted) as caught:
        sim.run(
            folder / "small.yaml",
            replications=200,
            workers=1,
            progress=seen.append,
            cancel=lambda: bool(seen) and seen[-1].done >= 2,
            ledger=tmp_path / "contacts.parquet",
        )
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[0].seconds_left is None, "nobody knows before the first replication"
    assert "Yearly logo churn" in seen[-1].estimate
    assert caught.value.result is not None
    assert caught.value.result.replications == caught.value.done >= 2
    assert files(tmp_path) == [], "an interrupted study leaves no half file"


def test_ctrl_c_exits_with_130_reports_and_leaves_no_process(folder: Path, tmp_path: Path) -> None:
    words = [
        "run",
        folder / "small.yaml",
        "--replications",
        100_000,
        "--workers",
        2,
        "--json",
        tmp_path / "o.json",
        "--ledger",
        tmp_path / "contacts.parquet",
    ]
    with subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        children = wait_for_children(process.pid)
        assert process.stderr is not None
        first = [process.stderr.readline() for _ in range(2)]
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert time.monotonic() - began < 3.0
    assert "of 100000" in first[-1]
    assert "Interrupted after" in err
    assert "Traceback" not in err
    assert out == "", "an unfinished study is no result"
    assert files(tmp_path) == ["o.json"], "what had finished is kept, whole"
    written = json.loads((tmp_path / "o.json").read_text())
    assert written["provenance"]["interrupted"] is True
    assert 0 < written["provenance"]["replications"] == written["scenarios"][0]["replications"] < 100_000
    assert "o.json: written" in err
    assert "contacts.parquet: not written" in err
    assert not any(is_running(child) for child in children)


def wait_for_children(process_id: int) -> list[int]:
    """Ids of a process's two workers, once they have started."""
    for _ in range(200):
        found = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
        if len(found) == 2:
            return [int(word) for word in found]
        time.sleep(0.05)
    raise AssertionError("the workers did not start")


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_that_nobody_reads_are_no_error(folder: Path) -> None:
    command = f"{' '.join(COMMAND)} validate {folder / 'small.yaml'} | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_names_cannot_command_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "escape.yaml"
    path.write_text('name: "[red]\\e[31mloud"\nextends: small.yaml\n')
    execute(["validate", str(path)])
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err


def test_paths_cannot_command_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    execute(["run", str(folder / "small.yaml"), "--json", "/none\x1b[31m/x.json"])
    execute(["run", "/none\x1b[31m/x.yaml"])
    err = capsys.readouterr().err
    assert err.count("none?[31m") >= 2, "both paths are shown, made harmless"
    assert "\x1b" not in err


@pytest.mark.parametrize("option", ["--json", "--ledger"])
@pytest.mark.parametrize("kind", ["given", "extended", "another", "new", "link", "odd name", "odd base"])
def test_an_output_never_takes_the_place_of_a_scenario(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, kind: str
) -> None:
    for name in ("small.yaml", "hire.yaml", "other.yaml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "base.json").write_bytes((folder / "small.yaml").read_bytes())
    (tmp_path / "odd.txt").write_text("name: Odd\nextends: base.json\n")
    (tmp_path / "link.json").symlink_to(tmp_path / "small.yaml")
    scenario, target = {
        "given": ("hire.yaml", "hire.yaml"),
        "extended": ("hire.yaml", "small.yaml"),
        "another": ("hire.yaml", "other.yaml"),
        "new": ("hire.yaml", "new.YML"),
        "link": ("hire.yaml", "link.json"),
        "odd name": ("odd.txt", "odd.txt"),
        "odd base": ("odd.txt", "base.json"),
    }[kind]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert execute(["run", str(tmp_path / scenario), "--replications", "1", option, str(tmp_path / target)]) == 2
    assert f"{target}: " in capsys.readouterr().err
    if option == "--ledger":
        with pytest.raises(StudyInputError, match=target):
            sim.run(tmp_path / scenario, replications=1, ledger=tmp_path / target)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before, "every file is as it was"


def test_what_is_no_scenario_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match="5 is no scenario; give the path of a scenario file"):
        sim.run(5)  # type: ignore[arg-type]


def test_a_window_that_only_one_scenario_has_is_told_in_words(folder: Path) -> None:
    path = folder / "window.yaml"
    path.write_text("name: Window\nextends: small.yaml\nwindow: {from_week: 2, to_week: 6}\n")
    with pytest.raises(ScenarioError, match="no window"):
        sim.compare(folder / "small.yaml", path)


def test_a_kpi_without_values_shows_no_value() -> None:
    nothing = Difference(None, None, None, None, None, None, False, 0)
    assert verdict_words(nothing) == "no value"
    assert verdict_words(replace(nothing, mean=1.0)) == "–", "no better direction"
    one_more = replace(nothing, mean=1.0, verdict="cannot_tell", more_replications=1)
    assert verdict_words(one_more) == "cannot tell; about 1 more replication"


def test_interrupted_before_anything_had_finished_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise Interrupted(0, 5, None)

    monkeypatch.setattr("sim.study.experiment.run", interrupted)
    assert execute(["run", str(folder / "small.yaml"), "--json", str(tmp_path / "o.json")]) == 130
    assert "o.json: not written; no replication had finished." in capsys.readouterr().err
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", 2, "--ends"], "--only: --ends needs more than one replication; leave one of them out."),
        (["--only", 2, "--worlds", 3], "--only: --worlds needs more than one replication; leave one of them out."),
        (["--worlds", 1], "--worlds: 1 cannot be used; use a whole number from 2 to 1000."),
        (
            ["--until-told", "--precision", "contribution=5%"],
            "--until-told and --precision: a study ends for one of them; leave out the other.",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(folder: Path, words: list[object], said: str) -> None:
    done = run("compare", folder / "small.yaml", folder / "hire.yaml", *words)
    assert (done.returncode, done.stderr.strip()) == (2, said)


def test_one_replication_alone_says_which(folder: Path) -> None:
    done = run("run", folder / "small.yaml", "--only", 4, "--seed", 3)
    assert done.returncode == 0, done.stderr
    assert "replication 4 alone, seed 3" in done.stdout
