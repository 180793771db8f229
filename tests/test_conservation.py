"""What can be neither made nor lost: accounts, cents, contacts, hours; over random small companies.

One replication of each company is checked against all laws at once; the luck of the examples is always the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass
from math import ceil
from typing import Any

import numpy as np
import pytest
from balance import in_balance
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from small import (
    ALL_MECHANISMS,
    AROUND_THE_CLOCK,
    FORUM,
    TABLES,
    rows_where,
    run,
    run_all,
    same_bits,
    small_inputs,
    tables_of,
)

from sim.model import ledger, replication
from sim.model.accounts import AccountTable
from sim.model.clock import ContactProfile
from sim.model.community import Forum
from sim.model.contact_center import ContactCenter
from sim.model.contacts import Wanted, make_contacts
from sim.model.inputs import DRIVERS, FINISH, Inputs
from sim.model.ledger import History, Table
from sim.model.luck import Luck
from sim.model.queue import Contact
from sim.model.replication import Run
from sim.model.staff import Agent

WEEK = 168.0
ROUNDING_HOURS = 1e-9  # a hundred thousand times the spacing of numbers at the end of a run of two years


def office(start: int, hours: int, days: int) -> dict[str, Any]:
    return {
        "days": AROUND_THE_CLOCK["days"][:days],
        "start": f"{start:02d}:00",
        "end": f"{min(start + hours, 24):02d}:00",
    }


shifts = st.one_of(
    st.just(AROUND_THE_CLOCK), st.builds(office, st.integers(0, 14), st.integers(3, 10), st.integers(1, 7))
)
WEEKDAYS = AROUND_THE_CLOCK["days"][:5]
# How Support works, on top of a shift: each of the ways in which working time is unlike nine to five.
ways = st.sampled_from(
    [
        {},
        {"groups": {"part": {"people": 1, "hours_share": 0.4}, "evening": {"people": 1, "shift": office(14, 9, 6)}}},
        {"groups": {"all": {"people": 1}}, "breaks_per_day": 3, "leave_days_per_year": 90},
        {
            "shift": {**office(8, 4, 5), "also": [{"days": WEEKDAYS, "start": "14:00", "end": "18:30"}]},
            "meetings": [{"days": ["mon", "thu"], "start": "09:30", "minutes": 50}],
        },
        {"shift": {**office(21, 3, 7), "also": [office(0, 7, 7)]}, "breaks_per_day": 2},
        {"shift": {**office(12, 12, 7), "also": [office(0, 12, 7)]}, "closed_days": ["2026-01-10", "2026-01-19"]},
        {"holidays": "US-CA", "closed_days": ["2026-01-12", "2026-01-13"], "meetings": []},
        {"time_zone": "Australia/Sydney"},
        {"time_zone": "Europe/Berlin", "shift": {**office(22, 2, 5), "also": [office(0, 7, 6)]}, "holidays": "DE-BY"},
    ]
)
shift_ends = st.sampled_from([{}, {}, {"at_shift_end": "pause"}, {"at_shift_end": "hand_over", "hand_over_minutes": 6}])
rules = st.lists(  # none moves all: nothing would be left for a later one
    st.fixed_dictionaries(
        {
            "from": st.just("csm"),
            "to": st.just("support"),
            "share": st.sampled_from([0.3, 0.9]),
            "how": st.sampled_from(["front_door", "warm_transfer"]),
        },
        optional={"categories": st.sampled_from([["how_to"], ["break_fix", "billing"], ["firefight", "coaching"]])},
    ),
    max_size=2,
)
companies = st.fixed_dictionaries(
    {
        "weeks": st.integers(3, 9),
        "accounts.warm_up_weeks": st.integers(0, 3),
        "accounts.book_seed": st.integers(0, 1000),
        "tiers.small.new_accounts_per_year": st.sampled_from([0, 52, 200]),
        "tiers.small.term_months": st.sampled_from([{1: 1.0}, {1: 0.5, 12: 0.5}]),
        "departures.drivers.competition.hazard_per_year": st.sampled_from([0.03, 4.0]),
        "teams.csm.headcount": st.sampled_from([1, 2, 3, 0.6, 2.25]),
        "teams.support.headcount": st.sampled_from([2, 3, 2.5]),
        "csm": shift_ends,
        "support": st.tuples(ways, shift_ends).map(lambda both: both[0] | both[1]),
        "teams.csm.opening_vacancies": st.integers(0, 1),
        "teams.csm.shrinkage": st.sampled_from([0, 0.19, 0.6]),
        "teams.csm.answers_live": st.booleans(),
        "teams.csm.named_owner": st.booleans(),
        "teams.support.named_owner": st.booleans(),
        "teams.csm.quit_rate_per_year": st.sampled_from([0.15, 5.0]),
        "teams.csm.time_to_fill_weeks": st.sampled_from([0, 2]),
        "teams.csm.overtime_limit_hours_per_day": st.sampled_from([0, 0.9, 4]),
        "teams.csm.shift": shifts,
        "teams.support.shift": shifts,
        "categories.how_to.contacts_per_account_month": st.sampled_from([1.2, 12.0]),
        "categories.how_to.handle_time_mean_minutes": st.sampled_from([30, 600]),
        "categories.firefight.resolution_probability": st.sampled_from([0.3, 1.0]),
        "categories.firefight.window_weeks": st.sampled_from([0.3, 8]),
        "routing.rules": rules,
        "routing.repeat_delay_mean_days": st.sampled_from([0.2, 2]),
    }
    | {f"mechanisms.{name}": st.sampled_from([True, True, True, False]) for name in ALL_MECHANISMS}
)
KNOWLEDGE_BASE = {
    "live": False, "response_target_minutes": 60, "cost_per_contact": 0.1, "handle_time_factor": 1,
    "resolution_factor": 1, "warmth_factor": 0,
    "self_service": {"solved_probability": 0.4, "then": {"email": 0.5, "phone": 0.5}, "delay_mean_minutes": 900},
}  # fmt: skip
# None deletes: the company has nothing of the kind.
queues = st.fixed_dictionaries(
    {
        "teams.support.queue_capacity": st.sampled_from([None, 0, 2]),
        "teams.csm.changeover_minutes": st.sampled_from([None, 12]),
        "channels.phone.redial": st.sampled_from([None, {"probability": 0.7, "delay_mean_minutes": 45}]),
        "channels.chat.concurrency": st.sampled_from([None, 3]),
        "channels.chat.slower_per_extra_contact": st.just(0.2),
        "channels.knowledge_base": st.sampled_from([None, KNOWLEDGE_BASE, FORUM["channels"]["forum"]]),
        "routing.escalation": st.sampled_from([[], [{"from": "support", "to": "csm", "share": 0.7}]]),
        "routing.overflow": st.sampled_from([[], [{"from": "csm", "to": "support", "waiting": 2}]]),
        "mechanisms.one_open_contact_per_account": st.sampled_from([False, False, True]),
    }
)
dated = st.one_of(
    st.just([]),
    st.fixed_dictionaries(
        {
            "from": st.sampled_from(["2026-01-05", "2026-01-14", "2026-01-24"]),
            "set": st.fixed_dictionaries(
                {
                    "teams.csm.headcount": st.sampled_from([1, 2, 4, 1.5]),
                    "teams.support.shrinkage": st.sampled_from([0.0, 0.3]),
                    "tiers.small.new_accounts_per_year": st.sampled_from([0, 100]),
                },
                optional={"routing.rules": rules},
            ),
        }
    ).map(lambda change: [change]),
)


# Vacant opening seats need at least one person besides, so headcounts of one keep none.
def small_company(values: dict[str, Any], changes: list[dict[str, Any]]) -> Inputs:
    values = dict(values)
    for team in ("csm", "support"):
        values |= {f"teams.{team}.{key}": value for key, value in values.pop(team).items()}
    vacancies = min(values["teams.csm.opening_vacancies"], ceil(values["teams.csm.headcount"]) - 1)
    clock = {"time_zone": "America/New_York"} if "teams.support.time_zone" in values else {}
    if not values.get("channels.chat.concurrency"):
        values = {name: value for name, value in values.items() if name != "channels.chat.slower_per_extra_contact"}
    if values.get("channels.knowledge_base"):
        values = values | {"categories.how_to.channel_shares": {"phone": 0.4, "email": 0.3, "knowledge_base": 0.3}}
        for name, work in FORUM["categories"].items():
            values = values | {f"categories.{name}": work, f"routing.assign.{name}": {"csm": 0.5, "support": 0.5}}
    return small_inputs(values | clock | {"teams.csm.opening_vacancies": vacancies, "changes": changes})


def accounts_are_conserved(history: History, inputs: Inputs) -> None:
    """Accounts and cents: what was there and came is what is there and went, per tier, in every week."""
    in_balance(history, inputs)
    events, accounts, weeks = history.account_events, history.accounts, history.tier_weeks
    decisions = np.isin(events["event"], (ledger.RENEWAL, ledger.MIDTERM))
    won, left = np.isin(events["event"], (ledger.WON, ledger.WON_BACK)), events["left"]
    assert not (left & ~decisions).any(), "accounts leave by decisions only"
    assert (events["arr_after_cents"][left] == 0).all(), "who left pays nothing"
    assert (events["arr_after_cents"][~left] > 0).all(), "who stayed pays something"
    assert (events["arr_before_cents"][won] == 0).all(), "who is won paid nothing before"
    neutral = ~(decisions | won)
    assert (events["arr_before_cents"][neutral] == events["arr_after_cents"][neutral]).all(), "other events: no money"
    opening = accounts["opening_arr_cents"]
    for tier in range(len(inputs.tiers)):
        ours = accounts["tier"] == tier
        rows = rows_where(weeks, weeks["tier"] == tier)
        assert rows["week"].tolist() == list(range(inputs.weeks)), "one row per tier and week, in order"
        at_end = accounts["arr_cents"][ours]
        assert (at_end > 0).sum() == rows["accounts"][-1], "the accounts table has those who are there at the end"
        assert at_end.sum() == rows["arr_cents"][-1], "and their ARR, in cents"
        for name in ("adoption_sum", "satisfaction_sum", "executive_contact_sum", "at_risk"):
            assert (rows[name] >= 0).all(), f"{name}: sums of shares are not negative"
            assert (rows[name] <= rows["accounts"] + 1e-9).all(), f"{name}: a mean state is at most 1 (1e-9: rounding)"
    # Each account's own chain of events has no gaps: what it paid after one event it pays before the next.
    for row in range(len(accounts["id"])):
        arr = int(opening[row])
        for before, after in zip(
            events["arr_before_cents"][events["account"] == row],
            events["arr_after_cents"][events["account"] == row],
            strict=True,
        ):
            assert before == arr, f"account {row}: an event begins with the ARR of the one before it"
            arr = int(after)
        assert accounts["arr_cents"][row] == arr, f"account {row}: it ends with the ARR of its last event"


def shares_are_shares(history: History) -> None:
    for name in ("adoption", "satisfaction", "executive_contact"):
        values = history.accounts[name]
        assert ((values >= 0) & (values <= 1)).all(), f"{name} is in [0, 1]"
    for name in ("fatigue", "burnout"):
        values = history.people_weeks[name]
        assert ((values >= 0) & (values <= 1)).all(), f"{name} is in [0, 1]"
    events = history.account_events
    assert ((events["probability"] >= 0) & (events["probability"] <= 1)).all(), "probabilities are in [0, 1]"
    drivers = sum(events[name].astype(float) for name in DRIVERS)
    decided = np.isin(events["event"], (ledger.RENEWAL, ledger.MIDTERM)) & events["left"]
    off = np.abs(drivers[decided] - 1).max(initial=0.0)
    assert off < 1e-6, f"the drivers of a departure add up to 1 (five numbers of single precision; off by {off})"


def contacts_are_conserved(history: History, made: Counter[int], end: float) -> None:
    """Every contact that was made is in the ledger once per attempt and leg, with one outcome."""
    rows = history.contacts
    where = list(zip(rows["contact"].tolist(), rows["attempt"].tolist(), rows["leg"].tolist(), strict=True))
    assert len(set(where)) == len(where), "no contact, attempt and leg twice"
    outcomes = {key: int(outcome) for key, outcome in zip(where, rows["outcome"].tolist(), strict=True)}
    assert set(outcomes.values()) <= set(range(len(ledger.OUTCOMES))), "each has one of the outcomes"
    first = {key for (key, attempt, leg), born in zip(where, rows["born"].tolist(), strict=True)
             if attempt == 0 and leg == 0 and born >= 0}  # fmt: skip
    assert first == set(made), "each contact of the run is in the ledger, and no other"
    assert max(made.values(), default=1) == 1, "no two contacts of the run have one key"
    index = {key: row for row, key in enumerate(where)}
    for (key, attempt, leg), row in index.items():
        if leg:
            before = index.get((key, attempt, leg - 1))
            if rows["queued"][row] >= 0 and before is not None:
                handed_over, tried_alone = (rows["outcome"][before] == o for o in (ledger.ESCALATED, ledger.BOUNCED))
                assert handed_over or tried_alone, "a second leg follows a handover, or self-service in vain"
                if handed_over:
                    assert rows["ended"][before] == rows["queued"][row], "it joins its queue when the first leg ends"
                else:
                    assert rows["ended"][before] <= rows["born"][row] == rows["queued"][row], "it comes later"
            assert before is not None or rows["born"][row] < WEEK, "a second leg has a first"
        elif attempt and rows["born"][row] > 0:
            befores = [index[k] for k in ((key, attempt - 1, before) for before in range(4)) if k in index]
            ends = [b for b in befores if rows["outcome"][b] in LEAVE_IT_OPEN]
            before_run = not ends and not any(rows["ended"][b] >= 0 for b in befores)
            assert len(ends) == 1 or before_run, "a repeat follows one attempt that failed"
            assert all(rows["ended"][b] <= rows["born"][row] for b in ends), "a repeat comes after it"
    escalated = {key for key, outcome in outcomes.items() if outcome == ledger.ESCALATED}
    followed = {(key, attempt, leg - 1) for key, attempt, leg in outcomes if leg}
    assert escalated <= followed, "each handover has its second leg"


LEAVE_IT_OPEN = (ledger.UNRESOLVED, ledger.ABANDONED, ledger.BLOCKED)
ASK_NOBODY = (ledger.DEFLECTED, ledger.BOUNCED, ledger.NOT_RAISED)


def time_never_runs_back(history: History, end: float) -> None:
    rows = history.contacts
    served, over = ~np.isnan(rows["started"]), ~np.isnan(rows["ended"])
    open_ = rows["outcome"] == ledger.OPEN
    assert (over == ~open_).all(), "what is open has no end, and all else has one"
    # The clock adds delays to its time, so an event may come one last digit before its own time.
    asked = ~np.isnan(rows["queued"])
    assert (asked == ~np.isin(rows["outcome"], ASK_NOBODY)).all(), "whoever asks a team joins a queue"
    assert (rows["born"] <= rows["queued"] + ROUNDING_HOURS)[asked].all(), "born before queued"
    assert (rows["queued"][served] <= rows["started"][served]).all(), "queued before started"
    assert (rows["started"][served & over] <= rows["ended"][served & over]).all(), "started before ended"
    names = [ledger.OUTCOMES[o] for o in rows["outcome"][over & (rows["ended"] < rows["queued"])]]
    assert not names, f"queued before ended, also if never started: {Counter(names)}"
    assert (rows["ended"][over] >= 0).all(), "nothing in the run's ledger ended before the run started"
    assert (rows["ended"][over] <= end).all(), "nor after it ended"
    assert (rows["wait_minutes"] >= 0).all(), "no wait is negative"
    assert (rows["handle_minutes"] >= 0).all(), "no handle time is negative"
    by_people = np.isin(rows["outcome"], (ledger.RESOLVED, ledger.UNRESOLVED, ledger.ESCALATED))
    assert (served == (by_people | (open_ & served))).all(), "who was served was resolved or not, or handed over"
    assert (served == (rows["seat"] >= 0)).all(), "who was served was served by somebody"
    length = (np.where(over, rows["ended"], end) - rows["started"])[served] * 60
    # Minutes of single precision.
    assert (rows["handle_minutes"][served] <= length * (1 + 1e-6) + 1e-6).all(), "worked on between start and end"
    assert rows["live"][rows["outcome"] == ledger.ABANDONED].all(), "only a live customer gives up"


def in_one_go(rows: Table, end: float) -> np.ndarray:
    """Which contacts were worked on from their start to their end, and not put down in between."""
    over = np.where(np.isnan(rows["ended"]), end, rows["ended"])
    return (over - rows["started"]) * 60 <= rows["handle_minutes"] * (1 + 1e-6) + 1e-6


def by_one_person(rows: Table, inputs: Inputs) -> np.ndarray:
    """Whose seat is that of whoever began it: in teams that hand over, it may be another's."""
    hands_over = [any(phase.teams[i].at_shift_end != FINISH for phase in inputs.phases) for i in range(2)]
    return ~np.isnan(rows["started"]) & ~np.array(hands_over)[rows["team"]]


def side_by_side_stays_within_bounds(rows: Table, inputs: Inputs, end: float) -> np.ndarray:
    """Live contacts of a channel with a concurrency: nobody has more in hand than that, or anything else beside.

    Returns which rows they are.
    """
    beside = (inputs.phases[0].channels.concurrency[rows["channel"]] > 1) & rows["live"]
    for team, seat in {*zip(rows["team"][beside].tolist(), rows["seat"][beside].tolist(), strict=True)}:
        mine = rows_where(rows, beside & (rows["team"] == team) & (rows["seat"] == seat))
        over = np.where(np.isnan(mine["ended"]), end, mine["ended"])
        times = np.concatenate([mine["started"] + ROUNDING_HOURS, over])
        change = np.repeat([1, -1], len(over))
        most = int(np.cumsum(change[np.lexsort((change, times))]).max())
        allowed = int(inputs.phases[0].channels.concurrency.max())
        assert most <= allowed, f"{inputs.teams[team]} {seat} has {most} at once"
        alone = rows_where(rows, ~beside & (rows["team"] == team) & (rows["seat"] == seat))
        for start, until in zip(mine["started"], over, strict=True):
            others = np.nan_to_num(alone["ended"], nan=end)
            inside = (alone["started"] < until - ROUNDING_HOURS) & (others > start + ROUNDING_HOURS)
            assert not inside.any(), "beside them there is nothing else"
    return beside


def nobody_serves_two_at_once(history: History, inputs: Inputs, end: float) -> None:
    """By the ledger; what is put down and taken up again is watched while it happens (`watched_start`)."""
    rows = rows_where(history.contacts, by_one_person(history.contacts, inputs))
    rows = rows_where(rows, ~side_by_side_stays_within_bounds(rows, inputs, end))
    assert in_one_go(rows, end).all(), "who finishes what is begun works on it until its end"
    until = np.where(np.isnan(rows["ended"]), end, rows["ended"])
    order = np.lexsort((rows["started"], rows["seat"], rows["team"]))
    same = (np.diff(rows["team"][order]) == 0) & (np.diff(rows["seat"][order]) == 0)
    gap = rows["started"][order][1:] - until[order][:-1]
    assert gap[same].min(initial=0.0) >= -ROUNDING_HOURS, f"somebody serves two at once for {-gap[same].min()} h"


def nothing_starts_outside_working_time(history: History, inputs: Inputs) -> None:
    """Starts lie inside a working day of the person, or, for urgent work, within the overtime limit after one."""
    if len(inputs.phases) > 1:
        return  # limits and shifts may change; the one-phase companies show the rule
    phase, rows = inputs.phases[0], history.contacts
    started = by_one_person(rows, inputs) & (rows["started"] >= 0)
    for index, team in enumerate(phase.teams):
        limit = team.overtime_limit_hours if phase.switches.overtime else 0.0
        for seat in np.unique(rows["seat"][started & (rows["team"] == index)]).tolist():
            mine = rows_where(rows, started & (rows["team"] == index) & (rows["seat"] == seat))
            roster = team.seat(seat).roster
            starts, ends = (edge[~roster.closed] for edge in (roster.starts, roster.ends))
            late = np.searchsorted(starts, mine["started"], "right") == np.searchsorted(ends, mine["started"], "right")
            over = ends[np.maximum(0, np.searchsorted(ends, mine["started"], "right") - 1)]
            worst = (mine["started"] - over)[late].max(initial=0.0)
            who = f"{inputs.teams[index]} {seat + 1}"
            assert worst <= limit + ROUNDING_HOURS, f"{who}: a contact starts {worst} h after the shift"
            categories = phase.categories
            urgent = (
                mine["live"]
                | categories.urgent[mine["category"]]
                | (categories.customer[mine["category"]] & (mine["started"] > mine["due"]))
            )
            assert urgent[late].all(), f"{who}: after the shift's end only urgent work is started"


def hours_are_conserved(history: History, inputs: Inputs) -> None:
    """Handling hours of people's weeks are the ledger's, per team and week, but for work across a Monday.

    People's hours are counted when they are worked, at the end of a shift at the latest; the ledger has a
    contact's hours in the week in which it ended.
    """
    people, rows = history.people_weeks, history.contacts
    done = ~np.isnan(rows["started"]) & (rows["ended"] >= 0)
    week = np.maximum(np.ceil(rows["ended"][done] / WEEK) - 1, 0).astype(int)
    for team in range(len(inputs.teams)):
        mine = rows["team"][done] == team
        theirs = people["team"] == team
        handled = np.bincount(week[mine], rows["handle_minutes"][done][mine].astype(float) / 60, minlength=inputs.weeks)
        counted = np.bincount(people["week"][theirs], people["handling_hours"][theirs], minlength=inputs.weeks)
        begun, over = rows["started"], np.nan_to_num(rows["ended"], nan=np.inf)
        across = [
            rows["handle_minutes"][(rows["team"] == team) & (begun < monday) & (over > monday)].sum() / 60
            for monday in WEEK * np.arange(inputs.weeks + 1)
        ]
        # Both are sums of numbers of single precision: 6e-8 of each, and of at most 1,000 numbers.
        room = 1e-6 * np.maximum(1.0, handled) + np.add(across[:-1], across[1:])
        assert (np.abs(handled - counted) <= room).all(), (
            f"{inputs.teams[team]}: handled {handled.round(4)} h by the ledger, {counted.round(4)} h by people's weeks"
        )
    early = rows["handle_minutes"][rows["started"] < 0].sum() / 60  # in part before the run
    total = rows["handle_minutes"].astype(float).sum() / 60, people["handling_hours"].astype(float).sum()
    # Sums of at most 20,000 numbers of single precision.
    assert -1e-5 * total[0] <= total[0] - total[1] <= early + 1e-5 * total[0], (
        f"{total[0]:.4f} h of working time on contacts, {total[1]:.4f} h of people's"
    )
    one = 1 + 1e-6  # single precision
    present = people["contracted_hours"] - people["absent_hours"]
    assert (people["on_duty_hours"] <= present * one + 1e-6).all(), "on duty at most when paid and not absent"
    assert (people["planned_hours"] <= people["contracted_hours"] * one).all(), "planned hours are paid hours"
    assert (people["overtime_hours"] <= people["handling_hours"] * one).all(), "overtime is part of handling"
    assert (people["reactive_hours"] <= people["handling_hours"] * one).all(), "reactive hours are part of handling"
    assert (people["on_duty_hours"] >= 0).all(), "no hours on duty are negative"


def with_made_contacts(inputs: Inputs, seed: int) -> tuple[History, Counter[int]]:
    """A history, and how often each key was made for the run itself."""
    made: Counter[int] = Counter()

    def counting(wanted: Wanted, accounts: AccountTable, given: Inputs, luck: Luck, forum: Forum) -> list[Contact]:
        made.update(key for key, time in zip(wanted.key.tolist(), wanted.time.tolist(), strict=True) if time >= 0)
        return make_contacts(wanted, accounts, given, luck, forum)

    def watched_start(center: ContactCenter, agent: Agent, contact: Contact, now: float) -> None:
        assert agent.contact is None, "nobody serves two at once"
        assert agent.employed, "nobody works who has left"
        hands_on = [other for team in center.teams for other in team.agents if other.contact is contact]
        assert not hands_on, "no contact is in two hands"
        start(center, agent, contact, now)

    start = ContactCenter.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replication, "make_contacts", counting)
        patch.setattr(ContactCenter, "start", watched_start)
        return run(inputs, seed), made


@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(companies, queues, dated, st.integers(0, 5))
def test_accounts_cents_contacts_and_hours_are_conserved(
    values: dict[str, Any], queued: dict[str, Any], changes: list[dict[str, Any]], seed: int
) -> None:
    inputs = small_company(values | queued, changes)
    history, made = with_made_contacts(inputs, seed)
    end = inputs.weeks * WEEK
    accounts_are_conserved(history, inputs)
    shares_are_shares(history)
    contacts_are_conserved(history, made, end)
    time_never_runs_back(history, end)
    nobody_serves_two_at_once(history, inputs, end)
    nothing_starts_outside_working_time(history, inputs)
    hours_are_conserved(history, inputs)


def test_expansion_and_contraction_are_events_also_while_churn_is_off() -> None:
    inputs = small_inputs({"weeks": 30, "mechanisms.churn": False, "tiers.small.term_months": {1: 1.0}})
    accounts_are_conserved(run(inputs), inputs)


@pytest.mark.parametrize("shift", [office(9, 8, 5), office(0, 9, 7), AROUND_THE_CLOCK])
def test_each_week_of_a_person_has_the_hours_of_its_own_shifts(shift: dict[str, Any]) -> None:
    quiet = {"mechanisms.turnover": False, "weeks": 4, "teams.csm.shift": shift, "teams.csm.shrinkage": 0.25}
    inputs = small_inputs(quiet | {"teams.csm.absence_days_per_year": 60})
    people = run(inputs).people_weeks
    mine = rows_where(people, people["team"] == 0)
    hours = inputs.phases[0].teams[0].seat(0).roster.hours_per_week
    assert mine["contracted_hours"].tolist() == [hours] * 4, "paid for the shifts of the week, no more and no less"
    assert mine["planned_hours"] == pytest.approx(0.75 * hours), "less planned shrinkage"
    assert mine["absent_hours"].any(), "somebody is absent on some day"
    present = mine["contracted_hours"] - mine["absent_hours"]
    assert (mine["on_duty_hours"] <= present * (1 + 1e-6)).all(), "on duty at most while not absent (1e-6: rounding)"


def test_a_repeat_or_handover_whose_window_has_passed_does_not_end_before_it_begins() -> None:
    inputs = small_inputs(
        {
            "weeks": 12,
            "accounts.executive_contact.sponsor_loss_per_year": 3,
            "categories.sponsor_reengagement.window_weeks": 0.5,
            "categories.sponsor_reengagement.resolution_probability": 0.1,
            "categories.sponsor_reengagement.priority": 0,
            "routing.repeat_probability": 1.0,
            "routing.max_attempts": 6,
            "mechanisms.churn": False,
        }
    )
    history = run(inputs)
    category = inputs.categories.index("sponsor_reengagement")
    rows = rows_where(history.contacts, history.contacts["category"] == category)
    assert (rows["attempt"] > 1).any(), "some come back"
    time_never_runs_back(history, inputs.weeks * WEEK)
    window = inputs.phases[0].categories.window_hours[category]
    begun = np.floor(rows["born"][rows["attempt"] == 0] / WEEK) * WEEK
    first = dict(zip(rows["contact"][rows["attempt"] == 0].tolist(), begun.tolist(), strict=True))
    late = [s - first[k] for k, s in zip(rows["contact"].tolist(), rows["started"].tolist(), strict=True) if k in first]
    assert np.nanmax(late) <= window, "no work is started after its window has passed"


def test_nothing_is_heard_of_an_account_after_it_has_left() -> None:
    inputs = small_inputs(
        {
            "weeks": 12,
            "tiers.small.term_months": {1: 1.0},
            "departures.drivers.competition.hazard_per_year": 5.0,
            "accounts.executive_contact.sponsor_loss_per_year": 3,
            "teams.csm.shift": AROUND_THE_CLOCK,
            "teams.support.shift": AROUND_THE_CLOCK,
            "accounts.weekday_profile": [1, 1, 1, 1, 1, 1, 1],
            "categories.how_to.contacts_per_account_month": 20,
            "categories.how_to.handle_time_mean_minutes": 300,
            "categories.how_to.resolution_probability": 0.2,
            "teams.support.headcount": 8,
        }
    )
    history = run(inputs)
    events, rows = history.account_events, history.contacts
    gone = dict(zip(events["account"][events["left"]].tolist(), events["time"][events["left"]].tolist(), strict=True))
    assert len(gone) >= 5, "several accounts leave"
    ticks = np.array([np.ceil(gone.get(a, np.inf) / WEEK) * WEEK for a in rows["account"].tolist()])
    late = (rows["queued"] >= ticks) & (rows["category"] != inputs.categories.index("winback"))
    assert not late.any(), f"{late.sum()} contacts of accounts that have left join a queue"


def test_a_live_customer_who_gives_up_before_a_handover_is_handed_over_when_coming_back() -> None:
    inputs = small_inputs(
        {
            "teams.csm.answers_live": True,
            "channels.phone.patience_mean_minutes": 0.5,
            "categories.how_to.channel_shares": {"phone": 1.0},
            "categories.how_to.contacts_per_account_month": 8,
            "routing.assign.how_to": {"csm": 1.0},
            "routing.rules": [
                {"from": "csm", "to": "support", "share": 1.0, "how": "warm_transfer", "categories": ["how_to"]}
            ],
            "mechanisms.burnout": False,
            "mechanisms.turnover": False,
        }
    )
    rows = run(inputs).contacts
    mine = rows_where(rows, (rows["category"] == inputs.categories.index("how_to")) & (rows["born"] >= 0))
    abandoned = mine["contact"][(mine["outcome"] == ledger.ABANDONED) & (mine["leg"] == 0) & (mine["attempt"] == 0)]
    again = rows_where(
        mine, np.isin(mine["contact"], abandoned) & (mine["attempt"] == 1) & (mine["leg"] == 0) & (mine["seat"] >= 0)
    )
    csm = again["team"] == inputs.teams.index("csm")
    assert csm.any(), "some who gave up with the CSMs come back and reach them"
    outcomes = {ledger.OUTCOMES[o] for o in again["outcome"][csm & ~np.isnan(again["ended"])]}
    assert outcomes == {"escalated"}, (
        f"the CSMs hand these calls over, at the first attempt and at every other: {outcomes}"
    )


def test_waits_add_up_to_the_number_waiting_over_time() -> None:
    """Little's law as an identity of one path: the area under the number waiting is the sum of the waits.

    Around the clock business time is clock time, so that the ledger's waits are those of the clock.
    """
    inputs = small_inputs(
        {
            "accounts.warm_up_weeks": 0,
            "teams.csm.shift": AROUND_THE_CLOCK,
            "teams.support.shift": AROUND_THE_CLOCK,
            "teams.support.shrinkage": 0.6,
            "categories.how_to.contacts_per_account_month": 12,
        }
    )
    seen: dict[float, int] = {}

    def looking(self: Run, week: int) -> Any:
        queues = [
            q for team in self.center.teams for q in (*team.pools.values(), *(agent.queue for agent in team.agents))
        ]
        seen[week * WEEK] = sum(
            1 for queue in queues for heap in queue.heaps for entry in heap if entry[3].queue is queue
        )
        return end_week(self, week)

    end_week = Run._end_week
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "_end_week", looking)
        rows = run(inputs).contacts
    end = inputs.weeks * WEEK
    until = np.where(np.isnan(rows["started"]), np.where(np.isnan(rows["ended"]), end, rows["ended"]), rows["started"])
    times = np.concatenate([rows["queued"], until])
    change = np.repeat([1, -1], len(until))
    order = np.lexsort((change, times))
    number = np.cumsum(change[order])
    area = float((number[:-1] * np.diff(times[order])).sum())
    waits = float(rows["wait_minutes"].astype(float).sum() / 60)
    assert waits > 100, "there are queues"
    assert area == pytest.approx(waits, rel=1e-5), "waits are of single precision: 6e-8 each, more for small ones"
    for tick, waiting in seen.items():
        counted = int(((rows["queued"] < tick) & (until >= tick)).sum())
        assert counted == waiting, f"hour {tick}: {waiting} wait in the queues, {counted} by the ledger"


def plain(value: Any) -> Any:
    """All that a value holds, arrays as their bytes; what is only remembered for speed is no field."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, ContactProfile):
        return plain(value.shares)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def test_a_replication_repeats_itself_and_leaves_its_inputs_as_they_were() -> None:
    baseline = small_inputs({"weeks": 26})
    rule = [{"from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"}]
    changed = small_inputs({"weeks": 26, "routing.rules": rule})
    before = plain(baseline), plain(changed)
    both = run_all(baseline, [baseline, changed])
    again = run_all(baseline, [changed, baseline, changed])
    pairs = [(both[0], again[1]), (both[1], again[0]), (both[1], again[2])]
    for a, b in pairs:
        for name in TABLES:
            differ = same_bits(tables_of(a)[name], tables_of(b)[name])
            assert differ == [], f"{name}: the same bits, whatever ran before"
    assert (plain(baseline), plain(changed)) == before, "running changes nothing in the inputs"
    other = run(baseline, replication=1)
    assert same_bits(tables_of(both[0])["people_weeks"], tables_of(other)["people_weeks"]), "replications differ"
