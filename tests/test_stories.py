"""Stories: what one history says of one account or one simulated person, and the words for it."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from eventful import EVENTFUL, as_trace, follow, row_of
from small import SMALL, TABLES, inputs_of, put, same_bits, small_inputs, tables_of, values_of

import sim
from sim.cli_trace_words import story_lines
from sim.model.inputs import DRIVERS, Inputs
from sim.model.ledger import EVENTS, OUTCOMES, PERSON_EVENTS, History
from sim.model.replication import replicate
from sim.model.watch import Watch
from sim.study.executors import InThisProcess
from sim.study.experiment import accounts_at_risk
from sim.study.person_story import person_story
from sim.study.story import AccountStory, account_story, moment
from sim.study.trace import account_keys, trace_account

pytest_plugins = ("eventful",)

ROOT = Path(__file__).resolve().parents[1]
WEEK = 168.0


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
    april, weeks = story.months[dt.date(2026, 4, 1)], [week for week in story.weeks if week.day.month == 4]
    assert [week.employed for week in weeks] == [True, True, True, False], "and that one has hours as well"
    assert weeks[-1].desk_hours > 0
    assert april.desk_hours_per_week == pytest.approx(np.mean([week.desk_hours for week in weeks[:3]]))


@pytest.mark.slow
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
