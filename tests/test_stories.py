"""Stories: what one history says of one account or one simulated person, and the words for it."""

from __future__ import annotations

import datetime as dt
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import yaml
from rich.cells import cell_len
from small import SMALL, TABLES, inputs_of, put, same_bits, small_inputs, tables_of, values_of

import sim
from sim.cli import execute
from sim.cli_trace_words import story_lines
from sim.model.inputs import DRIVERS, Inputs
from sim.model.ledger import EVENTS, OUTCOMES, PERSON_EVENTS, History
from sim.model.replication import Cancelled, replicate
from sim.model.watch import Watch
from sim.scenario import Scenario
from sim.study import experiment
from sim.study.executors import InThisProcess
from sim.study.experiment import accounts_at_risk
from sim.study.person_story import person_story
from sim.study.provenance import provenance
from sim.study.story import AccountEvent, AccountStory, account_story, moment
from sim.study.story_words import EVENT_WORDS, OUTCOME_WORDS, PERSON_EVENT_WORDS, PLANNED, event_words
from sim.study.trace import Trace, account_keys, seats, trace_account

ROOT = Path(__file__).resolve().parents[1]
WEEK = 168.0
# In a year of this company people quit, sponsors leave, contracts end, contacts are handed over and come back;
# customers call at night too, and are called back.
EVENTFUL: dict[str, Any] = {
    "weeks": 56,
    "accounts.hour_profile": [1] * 24,
    "tiers.small.term_months": {1: 0.5, 12: 0.5},
    "tiers.small.new_accounts_per_year": 20,
    "departures.drivers.competition.hazard_per_year": 0.6,
    "accounts.executive_contact.sponsor_loss_per_year": 1,
    "teams.csm.headcount": 2,
    "teams.csm.quit_rate_per_year": 1.0,
    "teams.csm.time_to_fill_weeks": 3,
    "teams.support.headcount": 2,
    "teams.support.quit_rate_per_year": 1.0,
    "routing.rules": [{"from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"}],
}


def follow(inputs: Inputs, watch: Watch) -> History:
    return next(replicate(inputs, [inputs], 1, 0, watch=watch))


def row_of(history: History, key: int) -> int:
    return int(np.flatnonzero(history.accounts["id"] == np.uint64(key))[0])


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenarios") / "small.yaml"
    path.write_text(yaml.safe_dump(put(values_of(), {**SMALL, **EVENTFUL, "name": "Small"}), sort_keys=False))
    return path


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return small_inputs(EVENTFUL)


@pytest.fixture(scope="module")
def keys(scenario: Path, inputs: Inputs) -> dict[str, int]:
    return account_keys(sim.load_scenario(scenario), inputs, 1, 0)


@pytest.fixture(scope="module")
def followed(inputs: Inputs, keys: dict[str, int]) -> dict[str, tuple[History, AccountStory]]:
    """The stories of some accounts: of each tier, and of one that was won, with the history of each."""
    some = ("enterprise-1", "enterprise-3", "midmarket-2", "small-1", "small-4", next(n for n in keys if "-won-" in n))
    found = {}
    for name in some:
        history = follow(inputs, Watch(account=keys[name]))
        found[name] = history, account_story(history, inputs, keys[name], name, "", "USD")
    return found


def as_trace(scenario: Path, story: Any) -> Trace:
    return Trace("Small", 0, provenance([sim.load_scenario(scenario)], 1, 1), story)


# --- what the model notes -----------------------------------------------------------------------------------


def test_following_somebody_changes_nothing_and_following_nobody_notes_nothing(inputs: Inputs) -> None:
    alone, watched = (tables_of(follow(inputs, one)) for one in (Watch(), Watch(int(inputs.book.keys[0]), (0, 1))))
    for name in TABLES:
        assert same_bits(alone[name], watched[name]) == [], f"{name}: the same bits whether somebody watches or not"
    history = follow(inputs, Watch())
    assert len(history.account_weeks["week"]) == len(history.seat_weeks["week"]) == 0


def test_a_followed_account_has_a_row_for_each_week_in_which_it_is_a_customer(
    followed: dict[str, tuple[History, AccountStory]], inputs: Inputs, keys: dict[str, int]
) -> None:
    for name, (history, story) in followed.items():
        weeks = history.account_weeks
        row = row_of(history, keys[name])
        expected = set(
            range(int(history.accounts["started"][row] / WEEK) if story.who.won_in_the_run else -1, inputs.weeks)
        )
        for event in story.events:
            hours = (event.when - moment(inputs, 0)) / dt.timedelta(hours=1)
            if event.left:
                expected -= set(range(ceil(hours / WEEK) - 1, inputs.weeks))
            elif event.event == "won_back":
                expected |= set(range(int(hours / WEEK), inputs.weeks))
        assert weeks["week"].tolist() == sorted(expected), f"{name}: from when it comes until it leaves"
        end = history.accounts
        if inputs.weeks - 1 in expected:
            for column in ("adoption", "satisfaction", "executive_contact", "arr_cents", "renewal", *DRIVERS):
                assert weeks[column][-1] == end[column][row], f"{name}: its last week ends as the run ends, {column}"
        assert {"health", "overdue"} <= set(weeks)
        assert ((weeks["health"] >= 0) & (weeks["health"] <= 1)).all(), "health is in [0, 1]"


def test_the_rows_of_a_tier_of_one_account_are_that_account(inputs: Inputs) -> None:
    one = {"tiers.enterprise.accounts": 1, "tiers.enterprise.new_accounts_per_year": 0}
    inputs = small_inputs(EVENTFUL | one)
    history = follow(inputs, Watch(account=int(inputs.book.keys[0])))
    tiers, weeks = history.tier_weeks, history.account_weeks
    alone = tiers["week"][(tiers["tier"] == 0) & (tiers["accounts"] == 1)]
    both = np.intersect1d(alone, weeks["week"])
    assert len(both) > 5
    ours = np.isin(weeks["week"], both)
    theirs = (tiers["tier"] == 0) & np.isin(tiers["week"], both)
    for column in ("adoption", "satisfaction", "executive_contact"):
        assert weeks[column][ours].tolist() == tiers[f"{column}_sum"][theirs].tolist(), f"{column}: the sum over one"
    assert weeks["arr_cents"][ours].tolist() == tiers["arr_cents"][theirs].tolist()


def test_overdue_contacts_are_those_open_past_their_target_when_a_week_ends() -> None:
    inputs = small_inputs({"weeks": 30, "mechanisms.churn": False, "teams.support.shrinkage": 0.6})
    most = int(np.argmax(inputs.book.contact_rate * inputs.book.seats**0.5))
    history = follow(inputs, Watch(account=int(inputs.book.keys[most])))
    rows, weeks = history.contacts, history.account_weeks
    mine = (rows["account"] == most) & np.array([one == "customer" for one in inputs.initiated_by])[rows["category"]]
    for week, overdue in zip(weeks["week"].tolist(), weeks["overdue"].tolist(), strict=True):
        end = (week + 1) * WEEK
        begun = np.nan_to_num(np.fmin(rows["started"], rows["ended"]), nan=np.inf) < end
        waiting = mine & (rows["queued"] < end) & (rows["due"] < end) & ~begun
        assert overdue == waiting.sum(), f"week {week}: open past their target by the ledger"
    assert weeks["overdue"].any(), "some are late"


def test_a_what_if_that_branches_off_has_the_weeks_that_it_has_alone() -> None:
    later = [{"from": "2026-02-16", "set": {"teams.support.headcount": 3}}]
    both = small_inputs(), small_inputs({"changes": later})
    watch = Watch(int(both[0].book.keys[5]), (1, 0))
    branched = list(replicate(both[0], both, 1, 0, watch=watch))[1]
    alone = next(replicate(both[0], [both[1]], 1, 0, watch=watch))
    assert len(alone.account_weeks["week"]) == 11
    assert same_bits(branched.account_weeks, alone.account_weeks) == []
    assert same_bits(branched.seat_weeks, alone.seat_weeks) == []


def test_the_books_of_a_team_are_all_accounts_with_an_owner_in_it(inputs: Inputs) -> None:
    histories = [follow(inputs, Watch(seat=(0, seat))) for seat in range(2)]
    accounts = sum(history.seat_weeks["accounts"] for history in histories)
    tiers = histories[0].tier_weeks
    there = np.bincount(tiers["week"], tiers["accounts"])
    weeks = histories[0].seat_weeks["week"]
    assert weeks.tolist() == list(range(-1, inputs.weeks))
    assert (accounts[1:] <= there).all(), "no account stands in two books"
    assert (accounts[1:] >= there - 5).all(), "all but those that have just come have an owner"
    people = histories[1].people_weeks
    mine = (people["team"] == 0) & (people["seat"] == 1)
    for name in ("fatigue", "burnout"):
        assert people[name][mine] == pytest.approx(histories[1].seat_weeks[name][1:], abs=1e-6), "single precision"


# --- the facts ----------------------------------------------------------------------------------------------


def test_a_story_has_every_contact_and_every_event_of_the_account_once(
    followed: dict[str, tuple[History, AccountStory]], keys: dict[str, int]
) -> None:
    for name, (history, story) in followed.items():
        row = row_of(history, keys[name])
        mine = history.contacts["account"] == row
        legs = [leg for matter in story.matters for leg in matter.legs]
        assert len(story.matters) == len(np.unique(history.contacts["contact"][mine])), f"{name}: each matter once"
        assert len(legs) == mine.sum(), f"{name}: each row of the ledger is one part of one matter"
        assert sorted(leg.outcome for leg in legs) == sorted(OUTCOMES[o] for o in history.contacts["outcome"][mine])
        for matter in story.matters:
            order = [(leg.attempt, leg.leg) for leg in matter.legs]
            assert order == sorted(set(order)), f"{name}: attempts and handovers in order"
        events = history.account_events
        ours = events["account"] == row
        assert sorted(e.event for e in story.events) == sorted(EVENTS[e] for e in events["event"][ours]), name
        assert [e.when for e in story.events] == sorted(e.when for e in story.events), f"{name}: in order of time"


def test_arr_and_states_run_through_a_story_without_gaps(followed: dict[str, tuple[History, AccountStory]]) -> None:
    for name, (_, story) in followed.items():
        arr = 0.0 if story.who.won_in_the_run else story.who.arr
        for event in story.events:
            assert event.arr_before == arr, f"{name}: {event.event} begins with the ARR of the event before"
            arr = event.arr_after
        months = list(story.months)
        assert months == sorted(months)
        gaps = {(b.year - a.year) * 12 + b.month - a.month for a, b in pairwise(months)}
        back = any(event.event == "won_back" for event in story.events)
        assert gaps <= {1} or back, f"{name}: a state for every month in which it is a customer"
        for month, state in story.months.items():
            assert (state.day.year, state.day.month) == (month.year, month.month)
            assert 0 <= state.would_sign <= 1


def test_waits_are_told_beside_the_target_that_set_the_due_time(
    followed: dict[str, tuple[History, AccountStory]], inputs: Inputs, keys: dict[str, int]
) -> None:
    hours = [team.hours for team in inputs.phases[0].teams]
    seen = called_back = 0
    for name, (history, story) in followed.items():
        row = row_of(history, keys[name])
        rows = history.contacts
        legs = [(inputs.categories.index(matter.category), leg) for matter in story.matters for leg in matter.legs]
        for i in np.flatnonzero((rows["account"] == row) & ~np.isnan(rows["queued"])).tolist():
            ours = (rows["category"][i], moment(inputs, rows["born"][i]), rows["attempt"][i], rows["leg"][i])
            leg = next(one for category, one in legs if (category, one.born, one.attempt, one.leg) == ours)
            assert leg.target_minutes is not None
            target, queued = leg.target_minutes / 60, rows["queued"][i]
            due = queued + target if leg.live else hours[rows["team"][i]].due(queued, target)
            assert due == pytest.approx(rows["due"][i], abs=1e-6), f"{name}: {leg}"
            seen += 1
            called_back += leg.call_back and inputs.teams[rows["team"][i]] == "support"
    assert seen > 100, "there are contacts to check"
    assert called_back, "who calls at night is called back"


def test_a_months_hours_of_a_person_are_those_of_its_weeks(inputs: Inputs) -> None:
    for team, seat in ((0, 0), (1, 1)):
        history = follow(inputs, Watch(seat=(team, seat)))
        story = person_story(history, inputs, team, seat, "USD")
        people = history.people_weeks
        mine = (people["team"] == team) & (people["seat"] == seat)
        months = story.months.values()
        for column, name in (
            ("on_duty_hours", "desk_hours_per_week"),
            ("handling_hours", "handling_hours_per_week"),
            ("overtime_hours", "overtime_hours_per_week"),
        ):
            hours = sum(getattr(month, name) * month.employed for month in months)
            vacant = people[column][mine & ~people["employed"]].sum(dtype=float)  # of the week in which they quit
            assert hours == pytest.approx(people[column][mine].sum(dtype=float), abs=vacant + 1e-3), column
        assert sum(month.weeks for month in months) == mine.sum() == inputs.weeks
        assert sum(month.employed for month in months) == people["employed"][mine].sum()
        rows = history.contacts
        theirs = (rows["team"] == team) & (rows["seat"] == seat) & (rows["ended"] >= 0)
        assert sum(month.contacts for month in months) == theirs.sum() > 100
        calls = inputs.support_call[rows["category"][theirs]].sum()
        assert sum(month.support_calls for month in months) == calls
        happened = [PERSON_EVENTS[e] for e in people["event"][mine] if e]
        assert [event.event for event in story.events] == happened
        assert {"quit", "hired"} <= set(happened), "people come and go here"
        assert [event.occupant for event in story.events] == [1, *(n for n in range(2, 9) for _ in (0, 1))][
            : len(happened)
        ]


def test_a_seat_that_a_dated_change_opens_and_another_closes_begins_and_ends_on_those_days(scenario: Path) -> None:
    values = put(
        values_of(),
        {
            **SMALL,
            "weeks": 20,
            "mechanisms.turnover": False,
            "changes": [
                {"from": "2026-01-28", "set": {"teams.csm.headcount": 2}},
                {"from": "2026-04-22", "set": {"teams.csm.headcount": 1}},
            ],
        },
    )
    inputs = inputs_of(values)
    story = person_story(follow(inputs, Watch(seat=(0, 1))), inputs, 0, 1, "USD")
    assert story.start is None, "the seat is not there at the start"
    days = [(event.event, event.day) for event in story.events]
    assert days == [("hired", dt.date(2026, 1, 28)), ("let_go", dt.date(2026, 4, 22))]
    lines = story_lines(as_trace(scenario, story), False)
    assert not any(line.startswith("Start") for line in lines)
    assert [line for line in lines if line.startswith("  28 Jan  Somebody starts, with 4 weeks of training.")]
    assert [line for line in lines if line.startswith("  22 Apr  The seat is closed; person 1 is let go.")]


def test_a_decision_after_an_announcement_says_how_many_firefights_were_done() -> None:
    inputs = small_inputs(
        {
            "weeks": 60,
            "tiers.small.term_months": {12: 1.0},
            "departures.drivers.competition.hazard_per_year": 1.5,
            "departures.announce_share": 1.0,
        }
    )
    history = follow(inputs, Watch())
    events = history.account_events
    decided = np.flatnonzero((events["event"] == EVENTS.index("renewal")) & events["announced"])
    assert len(decided) > 5, "several had announced to leave"
    save = inputs.phases[0].departures.save_probability
    for i in decided[:6].tolist():
        key = int(history.accounts["id"][events["account"][i]])
        story = account_story(follow(inputs, Watch(account=key)), inputs, key, "x", "", "USD")
        (event,) = [e for e in story.events if e.event == "renewal" and e.announced]
        nominal = sum(save[d] * event.shares[driver] for d, driver in enumerate(DRIVERS))
        assert event.firefights == 4
        told = 1 - nominal * event.firefights_done / 4
        assert told == pytest.approx(event.probability, abs=1e-6), (
            "the chance follows from the firefights that are told"
        )


# --- names --------------------------------------------------------------------------------------------------


def test_names_are_those_of_the_accounts_command_and_cover_all_accounts_of_the_run(
    scenario: Path, inputs: Inputs, keys: dict[str, int]
) -> None:
    history = follow(inputs, Watch())
    assert list(keys.values()) == history.accounts["id"].tolist(), "a name for every account, in the table's order"
    short = sim.load_scenario(scenario, {"weeks": 2})
    report = accounts_at_risk(short, replications=1, pool=InThisProcess())
    assert tuple(keys)[: len(report.accounts)] == report.accounts.account
    won = [name for name in keys if "-won-" in name]
    assert won, "some are won"
    for name in won:
        tier, week = name.split("-")[0], int(name.split("-")[2])
        row = list(keys).index(name)
        first = np.flatnonzero(history.account_events["account"] == row)[0]
        assert EVENTS[history.account_events["event"][first]] == "won"
        assert inputs.tiers[history.account_events["tier"][first]] == tier
        assert history.accounts["started"][row] == (week - 1) * WEEK, "weeks are counted from 1"


def test_an_account_that_is_won_later_has_the_same_name_in_a_what_if(inputs: Inputs, scenario: Path) -> None:
    values = put(values_of(), {**SMALL, **EVENTFUL, "teams.support.headcount": 4, "name": "More"})
    other = inputs_of(values)
    loaded = sim.load_scenario(scenario)
    assert account_keys(loaded, inputs, 1, 0) == account_keys(loaded, other, 1, 0)
    assert account_keys(loaded, inputs, 1, 1) != account_keys(loaded, other, 1, 0), "another history wins others"


def test_the_companys_own_accounts_have_their_own_names() -> None:
    scenario = sim.load_scenario(ROOT / "scenarios" / "example_accounts.yaml", {"weeks": 4})
    assert scenario.book is not None
    account, name = scenario.book.account[3], scenario.book.name[3]
    found = trace_account(scenario, account)
    assert isinstance(found.story, AccountStory)
    assert (found.story.who.account, found.story.who.name) == (account, name)
    assert found.story.who.arr == scenario.book.arr_cents[3] / 100
    text = "\n".join(story_lines(found, True))
    assert name in text
    imported = [owner for owner in scenario.book.owners if owner in text]
    assert not imported, "imported names of people do not stand in a story, where people quit"


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
