"""The command that solves one queue by formula: its words, its JSON, what it refuses, and its page in the docs."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from sim.cli import execute
from sim.cli_erlang import LARGEST, MOST_AGENTS, MOST_LINES, SMALLEST
from sim.cli_erlang_words import duration

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "erlang.md"
KEYS = {"definition", "occupancy", "wait_probability", "asa_seconds", "service_level", "abandonment", "blocking",
        "lost_per_hour", "agents", "agents_rostered"}  # fmt: skip
HUNDRED = ("--calls", 100, "--per-minutes", 30, "--handle-minutes", 3)
FOUR = ("--calls", 4, "--per-minutes", 1, "--handle-minutes", 3, "--agents", 14)


@pytest.fixture
def answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function: options to (JSON, text)."""

    def ask(*words: object) -> tuple[dict[str, Any], str]:
        file = tmp_path / "answer.json"
        code = execute(["erlang", *map(str, words), "--json", str(file)])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        assert max(map(cell_len, out.splitlines())) <= 80, f"answers fit 80 columns:\n{out}"
        return json.loads(file.read_text(encoding="utf-8")), out

    return ask


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What the command says when it cannot use its options."""
    code = execute(["erlang", *map(str, words)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), f"{words}: {out}{err}"
    return err


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ((*FOUR,), {"asa_seconds": 0.7226 * 60, "service_level": 0.6142, "occupancy": 0.8571}),
        (
            (*FOUR, "--patience-minutes", 1, "--lines", 100, "--wait", "virtual"),
            {
                "asa_seconds": 0.1004 * 60,
                "service_level": 0.87976,
                "abandonment": 0.0743,
                "occupancy": 0.7934,
                "blocking": 0,
            },
        ),
        (
            (*FOUR, "--patience-minutes", 1, "--lines", 100),
            {"asa_seconds": 0.0743 * 60, "service_level": 0.8615, "asa_served_seconds": 0.0589 * 60},
        ),
        (
            (*HUNDRED, "--agents", 14),
            {"service_level": 0.88835, "occupancy": 0.71429, "wait_probability": 0.17413, "lost_per_hour": 0},
        ),
        ((*HUNDRED, "--agents", 13), {"service_level": 0.79559, "occupancy": 0.76923, "wait_probability": 0.28527}),
        ((*HUNDRED, "--agents", 15), {"service_level": 0.94145, "occupancy": 0.66667, "wait_probability": 0.10204}),
        (
            (*HUNDRED, "--agents", 13, "--patience-minutes", 5),
            {
                "service_level": 0.8582,
                "occupancy": 0.7500,
                "abandonment": 0.02496,
                "wait_probability": 0.2258,
                "asa_seconds": 0.1248 * 60,
            },
        ),
        (
            ("--calls", 360, "--per-minutes", 30, "--handle-minutes", 4, "--agents", 55),
            {"wait_probability": 0.23870, "asa_seconds": 8.184, "service_level": 0.8668},
        ),
        (
            ("--calls", 1, "--per-minutes", 1, "--handle-minutes", 1 / 1.2, "--agents", 1, "--lines", 6),
            {"lost_per_hour": 60 * 0.07742, "blocking": 0.07742},
        ),
        (
            ("--calls", 40, "--handle-minutes", 60, "--agents", 10, "--lines", 10),
            {"lost_per_hour": 30.3075, "wait_probability": 0, "asa_seconds": 0},
        ),
    ],
    ids=["C", "X, virtual", "X, offered", "C 14", "C 13", "C 15", "A", "C 55", "M/M/1/6", "B"],
)
def test_published_values_come_out_of_the_json(
    answer: Any, words: tuple[object, ...], printed: dict[str, float]
) -> None:
    found, _ = answer(*words, "--target-seconds", 20)
    assert set(found) >= KEYS
    for name, value in printed.items():
        assert found[name] == pytest.approx(value, rel=7e-4, abs=1e-9), f"{name}, to the digits that are printed"


def test_the_definition_says_which_model_and_whose_wait(answer: Any) -> None:
    cases = {
        ("Erlang C: ", "nobody hangs up", "/ all calls. Wait: mean over all calls."): (*FOUR,),
        ("Erlang A: ", "exponential time of 1 min", "those included that hang up."): (*FOUR, "--patience-minutes", 1),
        ("Erlang A with 100 lines: ", "virtual", "would never hang up", "free line"):
            (*FOUR, "--patience-minutes", 1, "--lines", 100, "--wait", "virtual"),
        ("Erlang A with 20 lines: ", "hang up or are turned away", "0 for those turned away"):
            (*FOUR, "--patience-minutes", 1, "--lines", 20),
        ("Erlang C with 20 lines: ", "those included that are turned away"): (*FOUR, "--lines", 20),
        ("Erlang B: ", "nobody can wait", "any law of handle times"): (*FOUR, "--lines", 14),
        ("Erlang B: ", "all 14 agents busy"): (*FOUR, "--lines", 14, "--patience-minutes", 1),
    }  # fmt: skip
    for parts, words in cases.items():
        found, out = answer(*words)
        for part in parts:
            assert part in found["definition"], f"{words}: {found['definition']}"
        assert " ".join(out.split()).endswith(found["definition"]), "the terminal says the same"


def test_virtual_figures_are_of_those_who_find_a_line(answer: Any) -> None:
    limited = (*FOUR, "--patience-minutes", 1, "--lines", 16)
    (offered, _), (virtual, _) = answer(*limited), answer(*limited, "--wait", "virtual")
    assert offered["blocking"] == virtual["blocking"] > 0.01
    assert virtual["wait_probability"] == pytest.approx(offered["wait_probability"] / (1 - offered["blocking"]))
    assert virtual["service_level"] > offered["service_level"]


def test_it_finds_the_agents_for_a_service_level(answer: Any) -> None:
    found, out = answer(*HUNDRED, "--service-level", 0.8, "--shrinkage", 0.31)
    assert found["agents"] == 14
    assert found["agents_fractional"] == pytest.approx(13.0372, abs=1e-4)
    assert found["agents_rostered"] == pytest.approx(14 / 0.69), "not rounded"
    assert found["agents_rostered_rounded"] == 21
    assert found["service_level"] == pytest.approx(0.88835, abs=5e-6), "the figures are those of the whole agents"
    assert "14 agents needed for 80 % within 20 s (13.04 before rounding up)" in " ".join(out.split())
    assert "people, so that 14 are at work: 14 / 0.69 = 20.29" in " ".join(out.split())
    busy, out = answer(*HUNDRED, "--service-level", 0.8, "--max-occupancy", 0.7)
    assert (busy["agents"], busy["occupancy"] <= 0.7) == (15, True)
    assert "at no more than 70 % occupancy (14.29 before rounding up)" in " ".join(out.split())
    hasty, out = answer(*HUNDRED, "--service-level", 0.8, "--patience-minutes", 5, "--max-occupancy", 0.75)
    assert "(13.001 before rounding up)" in " ".join(out.split()), "as many digits as show that it is more than 13"
    assert hasty["agents"] == 14
    _, out = answer("--calls", 1e6, "--handle-minutes", 5.99, "--service-level", 0.8)
    assert "99,861 agents needed for 80 % within 20 s (99,860.31 before rounding up)" in " ".join(out.split())
    virtual, _ = answer(*FOUR[:6], "--service-level", 0.875, "--patience-minutes", 1, "--wait", "virtual")
    offered, _ = answer(*FOUR[:6], "--service-level", 0.875, "--patience-minutes", 1)
    assert (virtual["agents"], offered["agents"]) == (14, 15), "the two definitions need different numbers"
    lines, _ = answer(*HUNDRED, "--service-level", 0.8, "--lines", 15)
    assert lines["agents"] <= 15


@pytest.mark.parametrize(("agents", "growth", "pace"), [(9, 20, "by 20.0 calls an hour"), (10, 0, "slowly")])
def test_more_load_than_agents_is_an_answer_not_an_error(answer: Any, agents: int, growth: float, pace: str) -> None:
    found, out = answer(*HUNDRED, "--agents", agents)
    text = " ".join(out.split())
    assert f"{agents} agents cannot keep up: the queue grows without end, {pace}" in text
    assert "The calls keep 10.0 agents busy all the time; at least 11 agents are needed" in text
    assert "--patience-minutes" in text
    assert (found["stable"], found["growth_per_hour"], found["agents_at_least"]) == (False, pytest.approx(growth), 11)
    assert (found["asa_seconds"], found["queue_length_mean"]) == (None, None)
    assert (found["occupancy"], found["wait_probability"], found["service_level"]) == (1, 1, 0)
    least, _ = answer(*HUNDRED, "--agents", 11)
    assert least["stable"], "with as many as it says the queue has an end"


def test_the_table_has_the_rows_that_the_queue_has(answer: Any) -> None:
    def names(*words: object) -> list[str]:
        _, out = answer(*words)
        return re.findall(r"^(\w[\w ]+?)  +[<>]?[ \d].*$", out, flags=re.MULTILINE)

    common = ["Service level", "Average wait", "Has to wait", "Occupancy", "Queue"]
    assert names(*FOUR) == [*common, "Load"]
    assert names(*FOUR, "--shrinkage", 0.3) == [*common, "Load", "To roster"]
    common.insert(2, "Wait if answered")
    assert names(*FOUR, "--patience-minutes", 1) == [*common, "Hang up", "Lost", "Load"]
    assert names(*FOUR, "--lines", 20) == [*common, "Turned away", "Lost", "Load"]
    common.remove("Wait if answered")
    assert names(*FOUR, "--lines", 14) == [*common, "Turned away", "Lost", "Load"], "nobody waits"
    assert names(*HUNDRED, "--agents", 9) == ["Occupancy", "Load"], "no wait can be given"


def test_shares_and_waits_read_as_what_they_are(answer: Any) -> None:
    _, out = answer(*FOUR, "--patience-minutes", 1, "--lines", 100)
    assert re.search(r"Turned away +< 0\.1 %", out), "not 0.0 %: a few are"
    _, out = answer("--calls", 1, "--handle-minutes", 1, "--agents", 3)
    assert re.search(r"Service level +> 99\.9 %", out), "not 100 %: a few wait longer"
    assert [duration(seconds) for seconds in (0, 7.84, 119, 120, 7199, 7200)] == [
        "0.0 s", "7.8 s", "119.0 s", "2.0 min", "120.0 min", "2.0 h",
    ]  # fmt: skip


BAD = {
    "negative": (("--calls", -5), "--calls: -5 cannot be used; use a number from 0.001 to 1,000,000."),
    "zero": (("--calls", 0), "--calls: 0 cannot be used"),
    "nan": (("--handle-minutes", "nan"), "--handle-minutes: nan cannot be used"),
    "infinite": (("--per-minutes", "1e400"), "--per-minutes: inf cannot be used"),
    "huge": (("--patience-minutes", 12345678), "--patience-minutes: 12345678 cannot be used"),
    "negative target": (("--target-seconds", -1), "--target-seconds: -1 cannot be used; use a number from 0 to"),
    "half an agent": (("--agents", 13.5), "--agents: 13.5 cannot be used; use a whole number from 1 to 100,000."),
    "no agent": (("--agents", 0), "--agents: 0 cannot be used"),
    "too many agents": (("--agents", 100_001), "--agents: 100001 cannot be used"),
    "too many lines": (("--lines", 1e9), "--lines: 1000000000 cannot be used; use a whole number from 1 to 200,000."),
    "lines for some": (("--lines", 13), "--lines: 13 cannot be used with 14 agents, each of whom needs one"),
    "percent": (("--shrinkage", 30), "use a share from 0 to 0.95; 30 % is 0.3."),
    "all shrunk": (("--shrinkage", 1), "--shrinkage: 1 cannot be used; use a share from 0 to 0.95."),
    "both": (("--service-level", 0.8), "--agents and --service-level: give one"),
    "bound": (("--max-occupancy", 0.85), "--max-occupancy: bounds the agents that are found"),
    "virtual": (("--wait", "virtual"), "--wait virtual: nobody hangs up here"),
    "unknown wait": (("--wait", "real"), "--wait"),
    "word": (("--calls", "many"), "--calls"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_options_that_cannot_be_used_are_named_with_what_can(
    words: tuple[object, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = refused(capsys, *HUNDRED, "--agents", 14, *words)
    assert message in err
    assert len(err.splitlines()) <= 2, f"one problem, and where help is at most: {err}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing option"),
        (
            HUNDRED,
            "Say either how many agents there are with --agents, or what they have to reach with --service-level",
        ),
        ((*HUNDRED, "--service-level", 80), "use a share from 0.001 to 0.9999; 80 % is 0.8."),
        ((*HUNDRED, "--service-level", 1), "--service-level: 1 cannot be used"),
        ((*HUNDRED, "--service-level", 0.8, "--max-occupancy", 85), "85 % is 0.85"),
        ((*HUNDRED, "--service-level", 0.8, "--lines", 3), "--lines: 3 lines are too few for this target"),
        (
            ("--calls", 1e6, "--handle-minutes", 300, "--service-level", 0.8),
            "--service-level: more than 100,000 agents would be needed",
        ),
    ],
)
def test_questions_without_an_answer_end_with_2_and_say_why(
    words: tuple[object, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, *words)


def test_everything_that_is_wrong_comes_at_once_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answer.json"
    err = refused(
        capsys, "--calls", -1, "--handle-minutes", "nan", "--shrinkage", 2, "--wait", "virtual", "--json", file
    )
    for part in ("--calls: -1", "--handle-minutes: nan", "--shrinkage: 2", "--wait virtual", "Say either"):
        assert part in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("none/a.json", "is not there"),
        (".", "this is a folder"),
        ("a.yaml", "this is the name of a scenario file"),
        ("a\x1b[31m/b.json", "a?[31m"),
    ],
)
def test_a_file_that_cannot_or_must_not_be_written_is_refused_before_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, message: str
) -> None:
    assert message in refused(capsys, *FOUR, "--json", tmp_path / target)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_later_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert execute(["erlang", *map(str, FOUR), "--json", str(file)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


numbers = st.floats(SMALLEST, LARGEST)


@settings(max_examples=25)
@given(
    calls=numbers,
    per_minutes=numbers,
    handle_minutes=numbers,
    agents=st.integers(1, MOST_AGENTS),
    patience=st.none() | numbers,
    spare=st.none() | st.integers(0, MOST_LINES - MOST_AGENTS),
    virtual=st.booleans(),
)
def test_whatever_the_ranges_allow_has_an_answer(
    tmp_path_factory: pytest.TempPathFactory, calls: float, per_minutes: float, handle_minutes: float, agents: int,
    patience: float | None, spare: int | None, virtual: bool,
) -> None:  # fmt: skip
    file = tmp_path_factory.mktemp("answers") / "answer.json"
    words = ["--calls", calls, "--per-minutes", per_minutes, "--handle-minutes", handle_minutes, "--agents", agents]
    words += ["--patience-minutes", patience] if patience is not None else []
    words += ["--lines", agents + spare] if spare is not None else []
    words += ["--wait", "virtual"] if virtual and patience is not None else []
    assert execute(["erlang", *map(str, words), "--json", str(file)]) == 0, words
    found = json.loads(file.read_text(encoding="utf-8"))
    for name in ("occupancy", "wait_probability", "service_level", "abandonment", "blocking"):
        assert -1e-9 <= found[name] <= 1 + 1e-9, f"{name} is a share: {words}"
    assert found["stable"] == (found["asa_seconds"] is not None), words
    assert all(math.isfinite(value) for value in found.values() if isinstance(value, float))


def examples() -> list[tuple[str, str]]:
    """The commands of docs/erlang.md, each with what it shows."""
    return re.findall(r"```sh\n([^`]*)```\s+```text\n([^`]*)```", PAGE.read_text(encoding="utf-8"))


def test_the_page_shows_examples() -> None:
    assert len(examples()) == 6, "every example is found"


@pytest.mark.parametrize(("command", "shown"), examples(), ids=range(len(examples())))
def test_the_output_on_the_page_is_what_the_command_prints(
    command: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == [".venv/bin/csm-planner", "erlang"]
    assert execute(words[1:]) == 0
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines())
    assert shown.rstrip() == printed, f"put into docs/erlang.md what this prints: {command}"


def test_the_page_explains_every_key_of_the_json(answer: Any) -> None:
    found, _ = answer(*FOUR)
    explained = set(re.findall(r"^\| `(\w+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(found) <= explained, f"docs/erlang.md lacks {set(found) - explained}"
