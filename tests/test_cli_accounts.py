"""The command that lists accounts at risk: tables on stdout, files where asked for, exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.cells import cell_len
from small import SMALL, put, values_of

import sim
from sim.cli import execute
from sim.cli_output import show_result
from sim.study.errors import Interrupted
from sim.study.executors import InThisProcess
from sim.study.experiment import accounts_at_risk
from sim.study.risk import RiskReport

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company for 60 weeks."""
    path = tmp_path_factory.mktemp("scenarios") / "small.yaml"
    path.write_text(yaml.safe_dump(put(values_of(), {**SMALL, "name": "Small", "weeks": 60}), sort_keys=False))
    return path


@pytest.fixture(scope="module")
def report(scenario: Path) -> RiskReport:
    return accounts_at_risk(sim.load_scenario(scenario, {"weeks": 12}), replications=2, pool=InThisProcess())


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim", "accounts", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_it_shows_the_worst_accounts_and_the_renewals_and_writes_all_of_them(scenario: Path, tmp_path: Path) -> None:
    table, whole = tmp_path / "accounts.csv", tmp_path / "accounts.json"
    done = run(scenario, "--replications", 3, "--csv", table, "--json", whole)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80, "results fit a terminal of 80 columns"
    assert "Small, 15 of 30 accounts: 3 replications, seed 1" in lines[0]
    assert "3 of 3" in done.stderr, "progress goes to stderr"

    data = table.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(data)))
    assert len(rows) == 30
    losses = [float(row["expected_arr_loss"]) for row in rows]
    assert losses == sorted(losses, reverse=True), "the worst stand first"
    shown = [row["account"] for row in rows[:15]]
    positions = [done.stdout.index(f" {name} ") for name in shown]
    assert positions == sorted(positions), "the terminal shows the first fifteen of them in the same order"

    assert "left in" in lines[2], lines[:5]
    assert "a year" in lines[3], "60 weeks are simulated, and a year of them counts"
    for name, row in zip(shown, rows, strict=False):
        first, second = (done.stdout[done.stdout.index(f" {name} ") :].splitlines()[i] for i in (0, 1))
        names = ("would_sign", "leaves", "leaves_low", "leaves_high")
        sign, mean, low, high = (f"{100 * float(row[one]):.0f}" for one in names)
        assert f" {sign} % {mean} % " in " ".join(first.split()), f"{name}: leaving stands beside signing today"
        assert f" {low} to {high} " in second, f"{name}: and its interval below"
    assert "says little about the renewal to come" in " ".join(done.stdout.split()), "signing today is not the year"

    result = json.loads(whole.read_text())
    assert {row["account"] for row in rows} == {row["account"] for row in result["accounts"]}
    months = [row["month"] for row in result["calendar"]]
    assert (months[0], months[-1]) == ("2026-01", "2027-02")
    assert "2026-12" in done.stdout
    assert "2027-01 " not in done.stdout, "twelve months are shown, and all are written"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts.csv", "accounts.json"]


@pytest.mark.parametrize("option", ["--csv", "--json"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("small.yaml", "this is the name of a scenario file"),
        ("link.csv", "this is the name of a scenario file"),
        ("none/a.csv", "is not there"),
        (".", "this is a folder"),
    ],
)
def test_an_output_that_cannot_or_must_not_be_written_ends_with_2_before_anything_is_computed(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    option: str, target: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("sim.study.experiment.accounts_at_risk", lambda *_, **__: pytest.fail("it computes"))
    copy = tmp_path / "small.yaml"
    copy.write_bytes(scenario.read_bytes())
    (tmp_path / "link.csv").symlink_to(copy)
    assert execute(["accounts", str(copy), option, str(tmp_path / target)]) == 2
    assert message in capsys.readouterr().err
    assert copy.read_bytes() == scenario.read_bytes()


def test_both_outputs_in_one_file_and_bad_numbers_end_with_2(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = str(tmp_path / "same")
    assert execute(["accounts", str(scenario), "--csv", same, "--json", same, "--workers", "0"]) == 2
    err = capsys.readouterr().err
    assert "two outputs cannot go to the same file" in err
    assert "--workers: 0 cannot be used" in err
    assert list(tmp_path.iterdir()) == []


def test_a_bad_scenario_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: 3\nweeks: x\n")
    assert execute(["accounts", str(bad), "--csv", str(tmp_path / "a.csv")]) == 2
    assert "bad.yaml:2" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("done", [0, 1])
def test_interrupted_it_keeps_what_had_finished_and_ends_with_130(
    scenario: Path, report: RiskReport, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, done: int,
) -> None:  # fmt: skip
    def interrupted(*_: Any, **__: Any) -> None:
        cut_short = replace(report, provenance=replace(report.provenance, interrupted=True))
        raise Interrupted(done, 5, cut_short if done else None)

    monkeypatch.setattr("sim.study.experiment.accounts_at_risk", interrupted)
    target = tmp_path / "a.csv"
    assert execute(["accounts", str(scenario), "--csv", str(target)]) == 130
    err = capsys.readouterr().err
    assert ("a.csv: written, with the finished replications" if done else "a.csv: not written") in err
    assert target.exists() == bool(done)


def test_names_cannot_command_the_terminal_nor_break_the_table(
    report: RiskReport, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(report.accounts)
    wild = replace(
        report,
        scenario="[bold]x\x1b[31m",
        accounts=replace(
            report.accounts,
            account=tuple(f"[red]{i}\x1b[2J\r\n" for i in range(count)),
            name=("顧客管理株式会社の長い名前と部署",) * count,
        ),
    )
    show_result(wild, sys.stdout)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x?[31m" in out, "markup is shown, not obeyed"
    assert "[red]" in out
    assert "?[2J??" in out
    assert "顧客管理" in out
    assert max(cell_len(line) for line in out.splitlines()) <= 80


def test_large_sums_fit_80_columns_too(report: RiskReport, capsys: pytest.CaptureFixture[str]) -> None:
    accounts = report.accounts
    rich = replace(
        accounts,
        arr_per_year=accounts.arr_per_year * 0 + 123_456_789,
        arr_loss=replace(accounts.arr_loss, mean=accounts.arr_loss.mean * 0 + 98_765_432),
        leaves=replace(accounts.leaves, low=accounts.leaves.low * 0 + 0.1, high=accounts.leaves.high * 0 + 1),
    )
    show_result(replace(report, accounts=rich), sys.stdout)
    out = capsys.readouterr().out
    assert "123,456,789" in out
    assert "98,765,432" in out
    assert "10 to 100" in out
    assert "12 weeks" in out, "a run shorter than a year says how far it sees"
    assert max(map(len, out.splitlines())) <= 80


def test_one_history_shows_the_chance_of_leaving_without_an_interval(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = accounts_at_risk(sim.load_scenario(scenario, {"weeks": 12}), replications=1, pool=InThisProcess())
    show_result(one, sys.stdout)
    table = capsys.readouterr().out.split("Would sign:")[0]
    assert table.count(" % ") == 2 * 15
    assert " to " not in "".join(line[:50] for line in table.splitlines()), "one history has no interval"


def test_an_empty_book_is_told_in_words(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none = {f"tiers.{name}.accounts": 0 for name in ("enterprise", "midmarket", "small")}
    empty = sim.load_scenario(scenario, {"weeks": 8, **none})
    show_result(accounts_at_risk(empty, replications=1, pool=InThisProcess()), sys.stdout)
    assert capsys.readouterr().out == "The opening book has no accounts.\n"
