"""Queues where rules meet: side by side and handed over, overflow and warm transfer, skills, prices, dated changes."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import EXPERTS, Call, after, outcomes
from small import SMALL, inputs_of, put, rows_where, run, values_of

from sim.model import ledger


def test_a_call_back_that_was_handed_over_is_not_taken_beside_chats() -> None:
    early = {"people": 1, "shift": {"days": ["mon"], "start": "07:00", "end": "12:00"}}
    rows = after(
        [Call(6.0, "billing", "email"), *(Call(6.1 + i / 100, channel="chat") for i in range(5)),
         Call(11.8, channel="chat"), Call(11.85, channel="chat")],
        {
            "channels.chat.concurrency": 3,
            "channels.chat.slower_per_extra_contact": 0,
            "teams.support.headcount": 2,
            "teams.support.shift": {"days": ["mon"], "start": "11:40", "end": "17:00"},
            "teams.support.groups": {"early": early},
            "teams.support.at_shift_end": "hand_over",
            "teams.support.hand_over_minutes": 0,
        },
        hours=40.0,
    )  # fmt: skip
    ends = {row[0]: row[4:7] for row in rows}
    assert ends[5] == (6.14, 11.45, 13.3), "put down at noon, taken up when both chats are over, with 0.45 hours to go"


def test_the_first_part_of_a_warm_transfer_stays_short_when_it_overflows() -> None:
    values = SMALL | {
        "weeks": 4,
        "teams.experts": EXPERTS,
        "routing.assign.how_to": {"csm": 1.0},
        "routing.rules": [
            {"from": "csm", "to": "support", "share": 1.0, "how": "warm_transfer", "categories": ["how_to"]}
        ],
        "routing.overflow": [{"from": "csm", "to": "experts", "waiting": 0, "categories": ["how_to"]}],
    }
    inputs = inputs_of(put(values_of(), values))
    rows = run(inputs).contacts
    theirs = rows["team"] == inputs.teams.index("experts")
    by_experts = rows_where(rows, theirs & (rows["outcome"] == ledger.ESCALATED))
    assert len(by_experts["leg"]), "some overflow"
    assert by_experts["handle_minutes"] == pytest.approx(8, rel=1e-6), "whoever answers first takes as long as the rule"


def test_who_calls_again_has_an_open_contact_again() -> None:
    one = {
        "mechanisms.one_open_contact_per_account": True,
        "channels.phone.redial": {"probability": 0.5, "delay_mean_minutes": 30},
    }
    calls = [Call(0.5, account=7), Call(1.0, account=1, patience=0.1, redial=0.2)]
    rows = after([*calls, Call(1.4, account=1)], one)
    assert outcomes(rows)[2, 0, 0] == "not_raised", "gave up at 1.1, called again at 1.3 and waits until 1.5"
    rows = after([*calls, Call(1.2, account=1)], one)
    assert outcomes(rows)[1, 1, 0] == "not_raised", "has raised another matter before calling again"


def test_colleagues_answer_for_an_owner_who_does_not_work_that_day_or_has_gone_home() -> None:
    week = ["mon", "tue", "wed", "thu", "fri"]
    rows = after(
        [
            Call(16.5, team="csm", owner=0),
            Call(58.0, team="csm", owner=0),
            Call(82.0, "how_to", "email", "csm", owner=0),
        ],
        {
            "teams.csm.headcount": 2,
            "teams.csm.named_owner": True,
            "teams.csm.shift": {"days": week, "start": "09:00", "end": "18:00"},
            "teams.csm.groups": {"early": {"people": 1, "shift": {"days": week[:2], "start": "08:00", "end": "16:00"}}},
        },
        hours=240.0,
    )
    assert [row[5] for row in rows] == [16.5, 58.0, 82.0], "the owner is there on Mondays and Tuesdays until four"


def test_what_waits_for_a_skill_that_a_dated_change_abolishes_is_for_everybody() -> None:
    teams = ("support", "csm")
    skilled = {"categories.break_fix.skill": "expert"} | {f"teams.{team}.skills": ["expert"] for team in teams}
    off = {"categories.break_fix.skill": None} | {f"teams.{team}.skills": [] for team in teams}
    values = SMALL | {
        "weeks": 20,
        "teams.support.headcount": 2,
        "teams.csm.headcount": 2,
        "categories.break_fix.contacts_per_account_month": 3,
        "categories.break_fix.channel_shares": {"email": 1.0},
    }
    inputs = inputs_of(put(values_of(), values | skilled | {"changes": [{"from": "2026-03-04", "set": off}]}))
    rows = run(inputs).contacts
    mine = rows_where(rows, rows["category"] == inputs.categories.index("break_fix"))
    waits = (mine["outcome"] == ledger.OPEN) & (mine["born"] < inputs.phases[1].start_hour)
    assert (mine["queued"][mine["started"] >= inputs.phases[1].start_hour] < inputs.phases[1].start_hour).any()
    assert not waits.any(), "ten weeks later nothing from before the change waits still"


def test_a_price_that_changes_within_a_week_holds_from_its_date_on() -> None:
    values = SMALL | {"weeks": 4, "changes": [{"from": "2026-01-14", "set": {"channels.email.cost_per_contact": 9}}]}
    inputs = inputs_of(put(values_of(), values))
    rows = run(inputs).contacts
    email = rows_where(rows, (rows["channel"] == inputs.channels.index("email")) & (rows["started"] >= 0))
    before = email["born"] < inputs.phases[1].start_hour
    assert set(email["cost"][before].round(2).tolist()) == {np.float32(0.2)}
    assert set(email["cost"][~before].tolist()) == {9.0}
