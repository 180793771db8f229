"""Random small companies for tests of laws: office hours or around the clock, queues of every kind, dated changes.

In: nothing. Out: Hypothesis strategies, and inputs for what they draw.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from hypothesis import strategies as st
from small import (
    ALL_MECHANISMS,
    AROUND_THE_CLOCK,
    FORUM,
    small_inputs,
)

from sim.model.inputs import Inputs


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
