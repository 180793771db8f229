"""Queues by hand: full lines, redial, overflow, escalation, self-service, change-over, one open contact per account.

A few contacts with constant handle times come to teams that work round the clock, so that every time can be
computed by hand. Columns are those of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import yaml
from small import AROUND_THE_CLOCK, SMALL, inputs_of, put, rows_where, run, small_inputs, values_of

from sim.model import ledger
from sim.model.accounts import opening_table
from sim.model.agenda import Agenda
from sim.model.center_state import opening_state
from sim.model.community import Forum
from sim.model.compile import compile_inputs
from sim.model.contact_center import ContactCenter
from sim.model.contacts import Wanted, make_contacts
from sim.model.inputs import Inputs
from sim.model.luck import Luck
from sim.model.queue import Attempts, Contact, records
from sim.model.reassignment import set_skills
from sim.scenario import load_scenario_text

EXPERTS = {
    "headcount": 1, "opening_vacancies": 0, "opening_burnout": 0, "shift": AROUND_THE_CLOCK, "shrinkage": 0,
    "absence_days_per_year": 0, "cost_per_hour": 80, "overtime_pay_factor": 1, "overtime_limit_hours_per_day": 0,
    "named_owner": False, "answers_live": True, "callback_target_minutes": 60, "support_call_handle_time_factor": 1,
    "support_call_resolution_factor": 1, "warmth": 0, "quit_rate_per_year": 0, "time_to_fill_weeks": 1,
    "ramp_weeks": 0, "ramp_start_speed": 1, "hiring_cost": 0, "price_per_contact": 25,
}  # fmt: skip
KNOWLEDGE_BASE = {
    "live": False, "response_target_minutes": 60, "cost_per_contact": 0.1, "handle_time_factor": 1,
    "resolution_factor": 1, "warmth_factor": 0,
    "self_service": {"solved_probability": 0.4, "then": {"phone": 1.0}, "delay_mean_minutes": 60},
}  # fmt: skip
ONE_HOUR: dict[str, Any] = {
    "teams.support.headcount": 1,
    "teams.support.shift": AROUND_THE_CLOCK,
    "teams.support.shrinkage": 0,
    "teams.csm.headcount": 1,
    "teams.csm.shift": AROUND_THE_CLOCK,
    "teams.csm.shrinkage": 0,
    "teams.csm.support_call_handle_time_factor": 1,
    "teams.csm.support_call_resolution_factor": 1,
    "teams.csm.named_owner": False,
    "teams.csm.answers_live": True,
    "teams.experts": EXPERTS,
    "channels.knowledge_base": KNOWLEDGE_BASE,
    "categories.how_to.handle_time_mean_minutes": 60,
    "categories.how_to.handle_time_distribution": "constant",
    "categories.how_to.handle_time_cv": 0,
    "categories.how_to.resolution_probability": 0.8,
    "categories.billing.handle_time_mean_minutes": 30,
    "categories.billing.handle_time_distribution": "constant",
    "categories.billing.handle_time_cv": 0,
    "channels.chat.handle_time_factor": 1,
    "mechanisms.absence": False,
    "weeks": 4,
}


@dataclass(frozen=True)
class Call:
    """One contact by hand: when, about what, by which channel, to which team, and its luck."""

    time: float
    category: str = "how_to"
    channel: str = "phone"
    team: str = "support"
    u_resolve: float = 0.0
    patience: float = inf
    redial: float = nan
    account: int = 0
    owner: int = -1


def inputs_with(overrides: dict[str, Any]) -> Inputs:
    text = yaml.safe_dump(put(values_of(), ONE_HOUR | overrides), sort_keys=False)
    return compile_inputs(load_scenario_text(text, "hand.yaml"))


def after(
    calls: list[Call], overrides: dict[str, Any] | None = None, hours: float = 24.0, absent: tuple[int, ...] = ()
) -> list[tuple[Any, ...]]:
    """The calls' rows in the order in which they ended: call, team, attempt, leg, queued, started, ended, outcome.

    absent : days on which the first CSM does not come.
    """
    inputs = inputs_with(overrides or {})
    phase = inputs.phases[0]
    agenda, state = Agenda(0.0), opening_state(phase, (0, 0, 0), (0.0, 0.0, 0.0), 0.0)
    center = ContactCenter(agenda, phase, state)
    set_skills(center)
    state.teams[0].agents[0].absent_days = frozenset(absent)
    names = inputs.teams, inputs.categories, inputs.channels
    made = []
    for key, call in enumerate(calls):
        wanted = (call.team, call.category, call.channel)
        place = [np.array([known.index(name)]) for known, name in zip(names, wanted, strict=True)]
        kind = phase.kinds[phase.tables.cells(*place).item()]
        rows = 2 * (1 + phase.routing.hops)
        attempts = Attempts(
            tries=2,
            handle=np.ones((rows, 1)),
            u_resolve=np.full((rows, 1), 0.0),
            patience=np.full((rows, 1), inf),
            weeks_until_back=np.full((2, 1), inf),
            redial_hours=np.full((2, 1), call.redial),
        )
        contact = Contact(
            key, call.account, kind, 0, call.owner, call.time, call.time + 1, inf, 1.0, call.u_resolve, call.patience,
            attempts, 0,
        )  # fmt: skip
        made.append(contact)
    center.day.plan_shifts(0.0, hours, phase)
    agenda.run_to(0.0)
    center.expect(made)
    agenda.run_to(hours)
    found = []
    for row in records(state.finished):
        team = np.unravel_index(int(row["cell"]), phase.tables.live.shape)[0]
        times = [round(float(row[name]), 9) for name in ("queued", "started", "ended")]
        found.append(
            (int(row["key"]), inputs.teams[team], int(row["attempt"]), int(row["leg"]), *times,
             ledger.OUTCOMES[row["outcome"]])
        )  # fmt: skip
    return found


def outcomes(rows: list[tuple[Any, ...]]) -> dict[tuple[int, int, int], str]:
    """Outcome by call, attempt and leg."""
    return {(row[0], row[2], row[3]): row[-1] for row in rows}


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


# --- self-service: made with the real luck ---------------------------------------------------------------------


@cache
def self_service_rows(solved: float, weeks: int = 6) -> dict[str, Any]:
    """The how-to rows of a small company in which every how-to begins in the knowledge base."""
    alone = {**KNOWLEDGE_BASE["self_service"], "solved_probability": solved}  # type: ignore[dict-item]
    overrides = {
        "categories.how_to.channel_shares": {"knowledge_base": 1.0},
        "channels.knowledge_base.self_service": alone,
        "weeks": weeks,
        "accounts.warm_up_weeks": 0,
    }
    inputs = inputs_with(overrides)
    history = run(inputs)
    return rows_where(history.contacts, history.contacts["category"] == inputs.categories.index("how_to"))


def test_self_service_settles_its_share_and_the_others_turn_to_a_team_after_a_while() -> None:
    rows = self_service_rows(0.4)
    first = rows["leg"] == 0
    once = first & (rows["attempt"] == 0)
    assert set(rows["outcome"][once]) == {ledger.DEFLECTED, ledger.BOUNCED}
    share = float((rows["outcome"][once] == ledger.DEFLECTED).mean())
    half = 3.3 * np.sqrt(0.4 * 0.6 / once.sum())
    assert abs(share - 0.4) < half, f"{share:.3f} is not 0.4 within a 99.9 % interval of ± {half:.3f}"
    bounced = {int(key): float(time) for key, time in zip(rows["contact"][once], rows["ended"][once], strict=True)}
    second = (rows["leg"] == 1) & (rows["attempt"] == 0)
    delays = [float(t) - bounced[int(k)] for k, t in zip(rows["contact"][second], rows["born"][second], strict=True)]
    assert min(delays) > 0, "they try the knowledge base first"
    assert abs(np.mean(delays) - 1.0) < 3.3 / np.sqrt(len(delays)), "an hour on average, exponential: 99.9 %"
    assert np.isnan(rows["queued"][once]).all(), "they waited for no team"
    assert (rows["wait_minutes"][once] == 0).all()


def test_a_better_knowledge_base_settles_a_superset() -> None:
    weak, strong = (self_service_rows(share) for share in (0.2, 0.6))
    settled = [
        {int(key) for key, out in zip(rows["contact"], rows["outcome"], strict=True) if out == ledger.DEFLECTED}
        for rows in (weak, strong)
    ]
    started = [set(rows["contact"].tolist()) for rows in (weak, strong)]
    assert settled[0], "some are settled"
    assert settled[0] & started[1] < settled[1], "one uniform each: what 0.2 settles, 0.6 settles too"


def test_a_partner_is_paid_by_the_contact() -> None:
    inputs = inputs_with({"routing.assign.billing": {"experts": 1.0}})
    rows = run(inputs).contacts
    theirs = (rows["team"] == inputs.teams.index("experts")) & ~np.isnan(rows["started"])
    channel = inputs.phases[0].channels.cost[rows["channel"]]
    assert theirs.sum() > 5
    assert np.allclose(rows["cost"][theirs], channel[theirs] + 25), "the channel's cost and the partner's price"


def test_escalation_leaves_the_luck_of_what_is_not_passed_on_alone() -> None:
    usual = small_inputs({"routing.max_attempts": 2})
    passing = small_inputs(
        {"routing.max_attempts": 2, "routing.escalation": [{"from": "support", "to": "csm", "share": 1.0}]}
    )
    made = []
    for inputs in (usual, passing):
        luck = Luck(3, 0)
        table = opening_table(inputs.book, inputs.phases[0], luck, 0.5, 0.5, 0.0)
        wanted = Wanted(
            account=np.arange(20), category=np.zeros(20, dtype=np.int64), key=np.arange(20, dtype=np.uint64),
            time=np.linspace(1, 100, 20), expires=np.full(20, np.inf),
        )  # fmt: skip
        made.append(make_contacts(wanted, table, inputs, luck, Forum()))
    for one, other in zip(*made, strict=True):
        assert (one.draw, one.u_resolve, one.patience) == (other.draw, other.u_resolve, other.patience)
        tries = one.attempts.tries
        assert (one.attempts.handle == other.attempts.handle[:tries]).all(), "the first rows are those without levels"
        assert len(other.attempts.handle) == 2 * tries, "and one more set for the second level"


# --- where rules meet: side by side and handed over, overflow and warm transfer, dated changes ------------------------


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
