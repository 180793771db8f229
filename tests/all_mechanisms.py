"""A small company in which every mechanism happens, with a value for every field of the schema.

In: nothing. Out: its overrides of the shipped baseline; what cannot do anything where it stands.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from small import FORUM

from sim.model import ledger

BASELINE = Path(__file__).resolve().parent.parent / "scenarios" / "baseline.yaml"
ONLY_SWITCHED = (ledger.NOT_RAISED,)  # an outcome of a mechanism that is off here
SAMPLE_MINUTES = [10.0, 30.0, 30.0, 60.0, 120.0]
# Values that cannot do anything where they stand, or that nothing else could be put for; the field moves elsewhere.
IDLE = {
    **{
        ("channels", "knowledge_base", name): "nobody answers in self-service"
        for name in ("live", "response_target_minutes", "handle_time_factor", "resolution_factor", "warmth_factor")
    },
    ("categories", "winback", "executive_gain"): "an account that returns has a new sponsor",
    ("teams", "experts", "named_owner"): "who only gets what others pass on owns no accounts",
    ("teams", "experts", "opening_vacancies"): "by this luck the second expert quits in the first week anyway",
    ("routing", "escalation", 1, "from"): "no other team gets what it names",
    ("routing", "overflow", 1, "from"): "no other team gets what it names",
}
EXPERTS: dict[str, Any] = {
    "headcount": 2, "opening_vacancies": 0, "opening_burnout": 0.1,
    "shift": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"},
    "shrinkage": 0.1, "absence_days_per_year": 10, "cost_per_hour": 80.0, "overtime_pay_factor": 1.0,
    "overtime_limit_hours_per_day": 0.5, "named_owner": False, "answers_live": False, "callback_target_minutes": 120.0,
    "support_call_handle_time_factor": 1.0, "support_call_resolution_factor": 1.1, "warmth": 0.0,
    "quit_rate_per_year": 4.0, "time_to_fill_weeks": 3.0, "ramp_weeks": 5.0, "ramp_start_speed": 0.5,
    "hiring_cost": 20000.0, "price_per_contact": 15.0, "gain_factor": 0.5,
}  # fmt: skip
KNOWLEDGE_BASE: dict[str, Any] = {
    "live": False, "response_target_minutes": 60.0, "cost_per_contact": 0.1, "handle_time_factor": 1.0,
    "resolution_factor": 1.0, "warmth_factor": 0.0,
    "self_service": {
        "solved_probability": 0.4, "then": {"email": 0.5, "phone": 0.5}, "delay_mean_minutes": 600.0,
        "community": FORUM["channels"]["forum"]["self_service"]["community"],
    },
}  # fmt: skip
# The book is the list that the two files give; test_account_list_runs.py has what it does.
TEXTS = {"name", "description", "currency", "accounts.file", "accounts.mapping", "book"}
WEEKS = 32
CHANGE_FROM = dt.date(2026, 4, 15)  # a Wednesday in the middle of the run
SMALL_COMPANY: dict[str, Any] = {
    "weeks": WEEKS,
    "window": {"from_week": 2, "to_week": 30},
    "accounts.warm_up_weeks": 4,
    "accounts.executive_contact.sponsor_loss_per_year": 1.0,
    "accounts.tick_days": 7,
    "accounts.onboarding": {"weeks": 4, "done_share": 0.9, "disengagement_factor": 4.0, "made_good_above": 0.3},
    "accounts.outages.per_year": 26,
    "accounts.outages.tiers": ["small", "midmarket"],
    "accounts.health.signal_noise": 0.2,
    "categories.onboarding.resolution_probability": 0.6,
    "accounts.ill_timed": {"probability": 0.8, "loss": 0.3},
    "tiers.midmarket.upgrade.arr_above": 45000,
    "tiers.small.upgrade.arr_above": 11000,
    "departures.winback": {"after_weeks": 1, "contacts": 2, "probability": 0.9, "arr_share": 0.85, "cost_per_arr": 0.2},
    "categories.winback.window_weeks": 2,
    "categories.winback.priority": 2,
    "tiers.enterprise.accounts": 7,
    "tiers.midmarket.accounts": 10,
    "tiers.small.accounts": 16,
    "tiers.enterprise.term_months": {12: 0.8, 36: 0.2},
    "tiers.midmarket.term_months": {12: 0.8, 24: 0.2},
    "tiers.small.term_months": {1: 0.4, 12: 0.6},
    "tiers.enterprise.new_accounts_per_year": 8,
    "tiers.midmarket.new_accounts_per_year": 10,
    "tiers.small.new_accounts_per_year": 20,
    "categories.value_review.priority": 6,
    "categories.coaching.handle_time_mean_minutes": 300,
    "categories.coaching.window_weeks": 1.0,
    "categories.how_to.handle_time_mean_minutes": 75,
    "categories.how_to.channel_shares": {"phone": 0.1, "chat": 0.4, "email": 0.2, "portal": 0.1, "knowledge_base": 0.2},
    "categories.break_fix.skill": "repairs",
    "categories.billing.skill": "ledgers",
    "categories.billing.handle_time_distribution": "gamma",
    "categories.relationship.handle_time_distribution": "empirical",
    "categories.relationship.handle_time_sample_minutes": SAMPLE_MINUTES,
    "categories.relationship.handle_time_cv": 0.766,
    "channels.knowledge_base": KNOWLEDGE_BASE,
    "categories.moderation": FORUM["categories"]["moderation"],
    "categories.article": FORUM["categories"]["article"],
    "routing.assign.moderation": {"support": 1.0},
    "routing.assign.article": {"csm": 1.0},
    "channels.phone.redial": {"probability": 0.6, "delay_mean_minutes": 20.0},
    "channels.video.travel_minutes": 15.0,
    "channels.chat.concurrency": 2,
    "channels.chat.slower_per_extra_contact": 0.5,
    "teams.experts": EXPERTS,
    "teams.csm.skills": ["repairs", "ledgers"],
    "teams.support.skills": ["repairs"],
    "teams.experts.skills": ["repairs", "ledgers"],
    "teams.support.queue_capacity": 1,
    "teams.csm.changeover_minutes": 6.0,
    "channels.phone.patience_mean_minutes": 10,
    "channels.chat.patience_mean_minutes": 3,
    "time_zone": "America/New_York",
    "teams.csm.headcount": 2,
    "teams.csm.shift.also": [{"days": ["sat"], "start": "10:00", "end": "12:00"}],
    "teams.csm.time_zone": "America/Chicago",
    "teams.csm.holidays": "US",
    "teams.csm.closed_days": [dt.date(2026, 5, 6)],
    "teams.csm.breaks_per_day": 2,
    "teams.csm.leave_days_per_year": 20,
    "teams.csm.overtime_pay_factor": 0.5,
    "teams.csm.opening_burnout": 0.6,
    "teams.csm.quit_rate_per_year": 2.5,
    "teams.csm.time_to_fill_weeks": 3,
    "teams.csm.ramp_weeks": 10,
    "teams.csm.training_weeks": 1.0,
    "teams.csm.overtime_limit_hours_per_week": 2.0,
    "teams.support.overtime_limit_hours_per_week": 1.0,
    "teams.support.headcount": 2,
    "teams.support.shift": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "10:00", "end": "16:00"},
    "teams.support.groups": {
        "late": {
            "people": 1,
            "skills": ["ledgers"],
            "hours_share": 0.8,
            "shift": {
                "days": ["mon", "tue", "wed", "thu"],
                "start": "11:00",
                "end": "18:00",
                "also": [{"days": ["fri"], "start": "10:00", "end": "14:00"}],
            },
        }
    },
    "teams.csm.at_shift_end": "hand_over",
    "teams.csm.hand_over_minutes": 10,
    "teams.support.meetings": [{"days": ["wed"], "start": "12:00", "minutes": 60}],
    "teams.support.opening_burnout": 0.5,
    "teams.support.quit_rate_per_year": 2.0,
    "teams.support.time_to_fill_weeks": 3,
    "teams.support.ramp_weeks": 10,
    "teams.support.training_weeks": 1.0,
    "teams.support.warmth": 0.005,
    "people.recovery": {"burnout_above": 0.55, "until_below": 0.2, "hours_share": 0.8},
    "routing.rules": [
        {"categories": ["how_to", "billing"], "from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"},
        {"from": "csm", "to": "support", "share": 0.3, "how": "front_door"},
    ],
    "routing.escalation": [
        {"from": "support", "to": "experts", "share": 0.6},
        {"categories": ["relationship"], "from": "csm", "to": "experts", "share": 0.9},
    ],
    "routing.overflow": [
        {"categories": ["how_to", "break_fix"], "from": "support", "to": "experts", "waiting": 4},
        {"categories": ["relationship"], "from": "csm", "to": "support", "waiting": 1},
    ],
    "departures.drivers.disconnection.hazard_per_year": 0.9,
    "departures.drivers.disengagement.hazard_per_year": 0.9,
    "departures.drivers.service.hazard_per_year": 1.0,
    "departures.drivers.downturn.hazard_per_year": 0.15,
    "departures.drivers.downturn.shock_probability_per_quarter": 0.3,
    "departures.drivers.competition.hazard_per_year": 0.3,
    "departures.drivers.disconnection.save_probability": 0.7,
    "departures.drivers.service.save_probability": 0.8,
    "departures.midterm_share": 0.3,
    "departures.expansion.probability_per_year": 0.8,
    "departures.contraction.probability_per_year": 0.6,
    "changes": [
        {
            "from": CHANGE_FROM,
            "set": {"teams.support.headcount": 3, "categories.billing.handle_time_mean_minutes": 35},
        },
        {  # who hands over works no overtime: from July on the limits of it matter for the CSMs
            "from": dt.date(2026, 7, 1),
            "set": {
                "teams.support.headcount": 2,
                "teams.csm.at_shift_end": "finish",
                "teams.csm.hand_over_minutes": None,
            },
        },
    ],
}
