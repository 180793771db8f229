"""Queues by hand: full lines, redial, overflow, escalation, self-service, change-over, one open contact per account.

A few contacts with constant handle times come to teams that work round the clock, so that every time can be
computed by hand. Columns are those of the ledger.
"""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from by_hand import Call, after, inputs_with, outcomes
from small import run


def test_a_full_line_blocks_and_takes_calls_again_when_there_is_room() -> None:
    rows = after([Call(1.0), Call(1.1), Call(1.2), Call(2.05)], {"teams.support.queue_capacity": 1})
    assert [(row[0], row[4:]) for row in rows] == [
        (2, (1.2, pytest.approx(nan, nan_ok=True), 1.2, "blocked")),
        (0, (1.0, 1.0, 2.0, "resolved")),
        (1, (1.1, 2.0, 3.0, "resolved")),
        (3, (2.05, 3.0, 4.0, "resolved")),
    ], "one is served and one may wait: the third finds the line full; after two o'clock there is room again"


def test_a_line_without_places_blocks_whoever_finds_all_busy() -> None:
    rows = after([Call(1.0), Call(1.5), Call(2.5)], {"teams.support.queue_capacity": 0})
    assert outcomes(rows) == {(0, 0, 0): "resolved", (1, 0, 0): "blocked", (2, 0, 0): "resolved"}


def test_what_is_not_live_is_never_blocked() -> None:
    rows = after([Call(1.0), Call(1.1, channel="email")], {"teams.support.queue_capacity": 0})
    assert outcomes(rows) == {(0, 0, 0): "resolved", (1, 0, 0): "resolved"}, "a line's capacity holds no letters"


def test_who_finds_the_line_full_or_gives_up_calls_again_after_the_redial_time() -> None:
    redial = {"channels.phone.redial": {"probability": 0.5, "delay_mean_minutes": 30}}
    rows = after(
        [Call(1.0), Call(1.2, redial=0.5), Call(1.9, patience=0.05, redial=0.5)],
        redial | {"teams.support.queue_capacity": 0},
    )
    assert outcomes(rows)[1, 0, 0] == "blocked"
    again = {row[0]: row[4:] for row in rows if row[2] == 1}
    assert again[1] == (1.7, pytest.approx(nan, nan_ok=True), 1.7, "blocked"), "the line is full still"
    patient = after([Call(1.0), Call(1.2, patience=0.3, redial=0.6)], redial)
    assert [row[4:] for row in patient if row[0] == 1] == [
        (1.2, pytest.approx(nan, nan_ok=True), 1.5, "abandoned"),
        (2.1, 2.1, 3.1, "resolved"),
    ], "gave up after 0.3 hours, calls again 0.6 hours later, and finds the line free"


def test_who_will_not_call_again_does_not() -> None:
    rows = after([Call(1.0), Call(1.2, patience=0.3, redial=inf)])
    assert [row[2] for row in rows if row[0] == 1] == [0], "one attempt"


def test_the_next_contact_overflows_while_so_many_wait() -> None:
    overflow = {"routing.overflow": [{"from": "support", "to": "csm", "waiting": 1}]}
    rows = after([Call(1.0), Call(1.1), Call(1.2), Call(1.3, channel="email"), Call(2.1)], overflow)
    assert {row[0]: (row[1], row[5]) for row in rows} == {
        0: ("support", 1.0),
        1: ("support", 2.0),
        2: ("csm", 1.2),
        3: ("csm", 2.2),
        4: ("support", 3.0),
    }, "while one waits, the next go to the CSM, calls and letters; at 2.1 nobody waits for Support any more"


def test_overflow_goes_on_along_the_chain_of_teams() -> None:
    chain = [{"from": "support", "to": "csm", "waiting": 0}, {"from": "csm", "to": "experts", "waiting": 0}]
    rows = after([Call(1.0), Call(1.1), Call(1.2), Call(1.3)], {"routing.overflow": chain})
    assert {row[0]: (row[1], row[5]) for row in rows} == {
        0: ("support", 1.0),
        1: ("csm", 1.1),
        2: ("experts", 1.2),
        3: ("experts", 2.2),
    }, "with a limit of 0 whoever finds all busy goes on; the last team has no further one"


def test_only_the_named_categories_overflow() -> None:
    overflow = {"routing.overflow": [{"categories": ["billing"], "from": "support", "to": "csm", "waiting": 0}]}
    rows = after([Call(1.0), Call(1.1), Call(1.2, category="billing")], overflow)
    assert {row[0]: row[1] for row in rows} == {0: "support", 1: "support", 2: "csm"}


def test_what_a_team_cannot_settle_is_passed_on_at_once_and_is_a_second_leg() -> None:
    escalation = {"routing.escalation": [{"from": "support", "to": "experts", "share": 0.5}]}
    rows = after([Call(1.0, u_resolve=0.89), Call(1.5, u_resolve=0.91), Call(1.6, u_resolve=0.79)], escalation)
    assert rows == [
        (0, "support", 0, 0, 1.0, 1.0, 2.0, "escalated"),
        (0, "experts", 0, 1, 2.0, 2.0, 3.0, "resolved"),
        (1, "support", 0, 0, 1.5, 2.0, 3.0, "unresolved"),
        (2, "support", 0, 0, 1.6, 3.0, 4.0, "resolved"),
    ], "settled below 0.8; of the rest the lower half, up to 0.9, is passed on"


def test_levels_follow_one_another() -> None:
    levels = [{"from": "support", "to": "csm", "share": 1.0}, {"from": "csm", "to": "experts", "share": 1.0}]
    inputs = inputs_with({"routing.escalation": levels})
    assert inputs.phases[0].routing.hops == 2, "from the first level to the specialist it is two steps"
    rows = after(
        [Call(1.0, u_resolve=0.9)],
        {"routing.escalation": levels, "teams.csm.support_call_resolution_factor": 0.0},
    )
    assert [(row[1], row[3], row[-1]) for row in rows] == [
        ("support", 0, "escalated"),
        ("csm", 1, "escalated"),
        ("experts", 2, "resolved"),
    ]


def test_change_over_costs_time_when_the_category_changes() -> None:
    calls = [Call(1.0), Call(1.1), Call(1.2, category="billing"), Call(1.3, category="billing"), Call(1.4)]
    rows = after(calls, {"teams.support.changeover_minutes": 15})
    assert {row[0]: row[5:7] for row in rows} == {
        0: (1.0, 2.0),
        1: (2.0, 3.0),
        2: (3.0, 3.75),
        3: (3.75, 4.25),
        4: (4.25, 5.5),
    }, "a quarter of an hour more for the first billing and for the how-to after it, none for the first of all"


def test_travel_is_working_time() -> None:
    rows = after([Call(1.0, channel="phone")], {"channels.phone.travel_minutes": 45})
    assert rows[0][5:7] == (1.0, 2.75)


def test_an_account_with_an_open_contact_starts_no_other() -> None:
    calls = [Call(1.0), Call(1.5), Call(1.6, account=1), Call(2.5), Call(2.6, account=1), Call(3.5, account=1)]
    rows = after(calls, {"mechanisms.one_open_contact_per_account": True})
    assert outcomes(rows) == {
        (0, 0, 0): "resolved",
        (1, 0, 0): "not_raised",
        (2, 0, 0): "resolved",
        (3, 0, 0): "resolved",
        (4, 0, 0): "not_raised",
        (5, 0, 0): "resolved",
    }, "account 0 is served from 1 to 2, account 1 waits for it and is served from 2 to 3"


CHATS = {
    "channels.chat.concurrency": 2,
    "channels.chat.slower_per_extra_contact": 0.5,
}


def test_two_chats_side_by_side_take_longer_and_the_last_alone_goes_on_faster() -> None:
    rows = after([Call(1.0, channel="chat"), Call(1.5, channel="chat")], CHATS)
    assert {row[0]: row[5:7] for row in rows} == {0: (1.0, 2.25), 1: (1.5, 2.75)}, (
        "half an hour alone, then each takes half as long again: the first has 0.5 h left, 0.75 h at that pace; in it "
        "the second does 0.5 h, and the rest of half an hour alone"
    )


def test_nobody_takes_more_side_by_side_than_the_channel_allows() -> None:
    rows = after([Call(1.0, channel="chat"), Call(1.0, channel="chat"), Call(1.1, channel="chat")], CHATS)
    assert {row[0]: row[5:7] for row in rows} == {
        0: (1.0, 2.5), 1: (1.0, 2.5), 2: (2.5, 3.5),
    }, "the third waits until a place is free; both end together, so it is served alone"  # fmt: skip


def test_idle_people_come_before_those_with_room_for_one_more() -> None:
    rows = after([Call(1.0, channel="chat"), Call(1.1, channel="chat")], {**CHATS, "teams.support.headcount": 2})
    assert {row[0]: row[5:7] for row in rows} == {0: (1.0, 2.0), 1: (1.1, 2.1)}, "two people, one chat each"


def test_a_caller_on_the_line_keeps_chats_from_filling_up_behind() -> None:
    calls = [Call(1.0, channel="chat"), Call(1.2), Call(1.4, channel="chat"), Call(1.6, channel="chat")]
    rows = after(calls, CHATS)
    assert {row[0]: row[5:7] for row in rows} == {0: (1.0, 2.0), 1: (2.0, 3.0), 2: (3.0, 4.5), 3: (3.0, 4.5)}, (
        "while somebody waits on the line no chat is taken beside; after the call both waiting chats are, together"
    )


def test_letters_wait_until_all_chats_are_done() -> None:
    rows = after([Call(1.0, channel="chat"), Call(1.5, channel="chat"), Call(1.6, channel="email")], CHATS)
    assert {row[0]: row[5] for row in rows} == {0: 1.0, 1: 1.5, 2: 2.75}, "only chats run beside chats"


def test_side_by_side_hours_are_the_persons_and_the_contacts_share_them() -> None:
    inputs = inputs_with(
        {**CHATS, "categories.how_to.channel_shares": {"chat": 1.0}, "categories.how_to.contacts_per_account_month": 4}
    )
    history = run(inputs)
    rows, people = history.contacts, history.people_weeks
    support = inputs.teams.index("support")
    chats = (rows["team"] == support) & ~np.isnan(rows["started"]) & (rows["ended"] > 0)
    long = float((rows["ended"][chats] - np.maximum(rows["started"][chats], 0)).sum())
    handled = float(rows["handle_minutes"][chats].astype(float).sum() / 60)
    hours = float(people["handling_hours"][people["team"] == support].astype(float).sum())
    assert long > 1.2 * handled, "many are in hand at once"
    assert handled == pytest.approx(hours, rel=0.02), "but for what was in hand at the start and is at the end"


SKILLS = {
    "categories.billing.skill": "ledgers",
    "teams.support.headcount": 2,
    "teams.support.groups": {"bookkeepers": {"people": 1, "skills": ["ledgers"]}},
    "teams.csm.skills": ["ledgers"],
}


def test_only_who_has_the_skill_takes_what_needs_it() -> None:
    calls = [Call(1.0, category="billing"), Call(1.1, category="billing"), Call(1.2), Call(1.3)]
    rows = after(calls, SKILLS)
    assert {row[0]: row[5] for row in rows} == {0: 1.0, 1: 1.5, 2: 1.2, 3: 2.0}, (
        "the bookkeeper takes both bills, one after the other, and then the how-to that is due before the colleague is "
        "free; the colleague never takes a bill"
    )


def test_who_has_the_skill_takes_other_work_too_in_the_order_of_due_times() -> None:
    calls = [Call(1.0), Call(1.1), Call(1.2), Call(1.3, category="billing")]
    rows = after(calls, {**SKILLS, "teams.support.headcount": 1})
    assert [row[0] for row in rows] == [0, 1, 2, 3], "one line for somebody who may take everything"


OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}
OWNERS = {"teams.csm.named_owner": True, "teams.csm.headcount": 2, "teams.csm.shift": OFFICE}


def test_colleagues_cover_for_an_absent_owner_and_planned_work_waits() -> None:
    evening = [
        Call(18.0, channel="email", team="csm", owner=0),
        Call(18.1, category="coaching", channel="video", team="csm", owner=0),
    ]
    there = after(evening, OWNERS, hours=48.0)
    assert [row[5] for row in there if row[0] == 0] == [33.0], "the owner takes it next morning at nine"
    covered = after(evening, OWNERS, hours=48.0, absent=(1,))
    assert [row[5] for row in covered if row[0] == 0] == [33.0], "the owner is absent: the colleague takes it at nine"
    assert not [row for row in covered if row[0] == 1], "coaching waits for the person whose customer it is"
