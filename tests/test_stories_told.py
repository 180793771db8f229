"""Stories in words, at the terminal and in Python."""

from __future__ import annotations

import datetime as dt
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest
from eventful import EVENTFUL, as_trace
from rich.cells import cell_len
from small import small_inputs

import sim
from sim.cli import execute
from sim.cli_trace_words import story_lines
from sim.model.inputs import DRIVERS
from sim.model.ledger import EVENTS, OUTCOMES, PERSON_EVENTS, History
from sim.model.replication import Cancelled
from sim.scenario import Scenario
from sim.study import experiment
from sim.study.executors import InThisProcess
from sim.study.story import AccountEvent, AccountStory
from sim.study.story_words import EVENT_WORDS, OUTCOME_WORDS, PERSON_EVENT_WORDS, PLANNED, event_words
from sim.study.trace import seats, trace_account

pytest_plugins = ("eventful",)


# --- the words ----------------------------------------------------------------------------------------------


def test_every_event_and_every_outcome_has_words() -> None:
    assert set(EVENTS) <= set(EVENT_WORDS), f"no words for {set(EVENTS) - set(EVENT_WORDS)} in sim/study/story_words.py"
    people = set(PERSON_EVENTS) - {"none"}
    assert people == set(PERSON_EVENT_WORDS), f"words for {people ^ set(PERSON_EVENT_WORDS)}"
    assert set(OUTCOMES) == set(OUTCOME_WORDS) == set(PLANNED), "and what becomes of contacts"


NOTHING = AccountEvent(
    when=dt.datetime(2026, 3, 2), event="", tier="small_business", arr_before=900.0, arr_after=900.0, announced=False,
    left=False, probability=0.25, shares=dict.fromkeys(DRIVERS, 0.2), executive_before=None, executive_after=None,
    owner="", owner_before="", owner_event="none", firefights_done=0, firefights=0, until=None,
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(EVENT_WORDS))
def test_an_event_is_told_in_a_sentence_of_its_own_with_the_money_that_it_moves(name: str) -> None:
    quiet, more, gone = (
        event_words(replace(NOTHING, event=name, arr_after=after, left=left), "USD")
        for after, left in ((900.0, False), (1200.0, False), (0.0, True))
    )
    assert quiet.endswith("."), quiet
    assert "USD" not in quiet, "no money moves"
    assert "ARR from USD 900 to 1,200." in more
    assert gone.endswith("ARR lost: USD 900."), gone
    others = [event_words(replace(NOTHING, event=other), "USD") for other in EVENT_WORDS if other != name]
    assert quiet not in others, "no two events are told alike"


def test_what_has_no_words_yet_is_told_by_its_name() -> None:
    assert event_words(replace(NOTHING, event="moved_house"), "USD") == "Moved house."


def test_every_story_fits_80_columns_and_all_tells_each_matter(
    followed: dict[str, tuple[History, AccountStory]], scenario: Path
) -> None:
    for name, (_, story) in followed.items():
        short, full = (story_lines(as_trace(scenario, story), everything) for everything in (False, True))
        assert max(map(len, short + full)) <= 80, f"{name}: stories fit a terminal of 80 columns"
        assert len(short) < len(full), "routine is summed up"
        items = [line for line in full if line[:2] == "  " and line[2:4].strip().isdigit()]
        assert len(items) == len(story.matters) + len(story.events), f"{name}: each has its line, with its date"
        assert full[0] == f"{name} in Small: replication 0, seed 1"


def test_names_in_a_story_cannot_command_the_terminal(
    followed: dict[str, tuple[History, AccountStory]], scenario: Path
) -> None:
    story = followed["small-1"][1]
    wild = replace(story, who=replace(story.who, name="x\x1b[31m\n" + "顧客" * 80, account="\x1b]0;z\x07"))
    lines = story_lines(as_trace(scenario, wild), False)
    assert max(map(cell_len, lines)) <= 80, "wide characters take two columns"
    assert all(line.isprintable() for line in lines)


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_tells_an_account_and_writes_the_facts(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], followed: Any
) -> None:
    target = tmp_path / "story.json"
    assert execute(["trace", str(scenario), "--account", "small-1", "--json", str(target)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == story_lines(as_trace(scenario, followed["small-1"][1]), False)
    facts = json.loads(target.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert list(facts) == ["provenance", "scenario", "replication", "account"]
    assert facts["account"]["who"]["account"] == "small-1"
    assert len(facts["account"]["matters"]) == len(followed["small-1"][1].matters)
    assert facts["account"]["months"][0]["month"] == "2026-01"


def test_the_command_tells_a_person_with_the_heading_that_it_is_no_statement(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "story.json"
    words = ["trace", str(scenario), "--agent", " support  2", "--replication", "1", "--json", str(target)]
    assert execute(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "Support 2 in Small: replication 1, seed 1"
    assert out[2] == "Simulated, not a statement about a person."
    assert max(map(len, out)) <= 80
    facts = json.loads(target.read_text())
    assert list(facts) == ["provenance", "scenario", "replication", "note", "person"]
    assert facts["note"] == "simulated, not a statement about a person"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--account", "smal-3"], "'smal-3' is no account of replication 0; did you mean 'small-3'? Known are"),
        (["--account", "zzz"], "Known are enterprise-1 to enterprise-4, midmarket-1 to midmarket-10, small-1 to"),
        (["--agent", "CMS 2"], "'CMS 2' is nobody in this scenario; did you mean 'CSM 2'? Known are CSM 1 to CSM 2"),
        (["--agent", "CSM 2", "--replication", "-1"], "--replication: -1 cannot be used; use a whole number from 0 to"),
        (["--agent", "CSM 2", "--replication", "100000"], "from 0 to 99999."),
        (["--agent", "CSM 2", "--seed", "-1"], "--seed: -1 cannot be used"),
        ([], "give either --account ID"),
        (["--account", "small-1", "--agent", "CSM 2"], "give either --account ID"),
        (["--account", "small-1", "--mapping", "m.yaml"], "give the list with --accounts"),
    ],
)  # fmt: skip
def test_bad_words_end_with_2_say_what_can_be_used_and_write_nothing(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    target = tmp_path / "story.json"
    assert execute(["trace", str(scenario), *words, "--json", str(target)]) == 2
    shown = capsys.readouterr()
    assert message.lower() in shown.err.lower()
    assert shown.out == ""
    assert not target.exists()


def test_an_output_never_takes_the_place_of_the_scenario(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = scenario.read_bytes()
    assert execute(["trace", str(scenario), "--account", "small-1", "--json", str(scenario)]) == 2
    assert "name of a scenario file" in capsys.readouterr().err
    assert scenario.read_bytes() == before


def test_a_story_is_of_the_history_that_a_run_has_under_that_number(scenario: Path, tmp_path: Path) -> None:
    short, ledger = sim.load_scenario(scenario, {"weeks": 26}), tmp_path / "ledger.parquet"
    experiment.run(short, replications=2, seed=5, ledger=ledger, pool=InThisProcess())
    rows = pandas.read_parquet(ledger)
    mine = rows[(rows["replication"] == 1) & (rows["account"] == 2)]
    story = trace_account(short, "enterprise-3", replication=1, seed=5).story
    assert isinstance(story, AccountStory)
    legs = [leg for matter in story.matters for leg in matter.legs]
    assert len(mine) > 10
    assert sorted(leg.wait_minutes for leg in legs) == sorted(mine["wait_minutes"].tolist())


def test_interrupted_it_ends_with_130_and_writes_nothing(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, cancel: Callable[[], bool], **__: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        assert cancel(), "the signal is noted"
        raise Cancelled

    monkeypatch.setattr("sim.study.trace.trace_account", stopped)
    target = tmp_path / "story.json"
    assert execute(["trace", str(scenario), "--account", "small-1", "--json", str(target)]) == 130
    shown = capsys.readouterr()
    assert "Interrupted" in shown.err
    assert shown.out == ""
    assert not target.exists()


def test_stories_can_be_had_in_python_and_check_their_settings(scenario: Path) -> None:
    loaded: Scenario = sim.load_scenario(scenario, {"weeks": 3})
    assert sim.trace_person(loaded, "CSM 1").story.person == "CSM 1"  # type: ignore[union-attr]
    assert list(seats(small_inputs(EVENTFUL))) == ["CSM 1", "CSM 2", "Support 1", "Support 2"]
    with pytest.raises(ValueError, match="replication: True cannot be used"):
        sim.trace_account(loaded, "small-1", replication=True)
