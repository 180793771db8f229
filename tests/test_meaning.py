"""What a change of the inputs must do, by its meaning, under paired luck.

Each test changes one thing in a small company and says what must follow and why. Sums over a few replications, since
a single one may run against the mean; what is certain (a mechanism that is off) is held in every one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import FORUM

from sim.model import ledger
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.model.replication import replicate
from sim.scenario import load_scenario
from sim.scenario.schema import Mechanisms

BASELINE = Path(__file__).resolve().parent.parent / "scenarios" / "baseline.yaml"
REPLICATIONS = 3
CSM, SUPPORT = 0, 1
COMPANY: dict[str, Any] = {
    "weeks": 26,
    "accounts.warm_up_weeks": 4,
    "tiers.enterprise.accounts": 8,
    "tiers.midmarket.accounts": 12,
    "tiers.small.accounts": 20,
    "tiers.enterprise.new_accounts_per_year": 4,
    "tiers.midmarket.new_accounts_per_year": 6,
    "tiers.small.new_accounts_per_year": 8,
    "teams.csm.headcount": 2,
    "teams.support.headcount": 1,
    "departures.drivers.disconnection.hazard_per_year": 0.8,
    "departures.drivers.service.hazard_per_year": 0.8,
}
OVERLOADED = {"categories.how_to.contacts_per_account_month": 5.0, "channels.phone.patience_mean_minutes": 3}
FRONT_DOOR = {"routing.rules": [{"from": "csm", "to": "support", "share": 1.0, "how": "front_door"}]}
WARM_TRANSFER = {"routing.rules": [{"from": "csm", "to": "support", "share": 1.0, "how": "warm_transfer"}]}
# Each contact is made once and waits for ever; nobody tires, leaves or stays away.
NEVER = ("repeats", "abandonment", "expiry", "burnout", "turnover", "absence", "churn", "sponsor_loss")
QUIET = {f"mechanisms.{name}": False for name in NEVER}
NO_PLANS = {f"playbooks.{tier}": None for tier in ("enterprise", "midmarket", "small")}
CROWD = {"teams.csm.headcount": 40, "teams.csm.quit_rate_per_year": 0.5, "people.quit_factor": 6}
STAYING = {"mechanisms.turnover": False}
NEWCOMERS_FROM = dt.date(2026, 2, 2)
ROOMY = {"teams.csm.headcount": 6}
CROWDED_OUT = {"teams.csm.headcount": 1, "categories.coaching.handle_time_mean_minutes": 240}
SAVED = ("disconnection", "disengagement", "service", "downturn", "competition")
EVENTFUL = {
    **OVERLOADED,
    **CROWDED_OUT,
    "teams.csm.quit_rate_per_year": 1.5,
    "teams.support.quit_rate_per_year": 1.5,
    "accounts.ill_timed.probability": 1.0,
    "departures.winback.after_weeks": 1,
    "departures.winback.probability": 1.0,
    "categories.winback.window_weeks": 2,
    "categories.winback.priority": 1,
    **FORUM,
}

Run = tuple[Inputs, History]


@cache
def _runs(changes: tuple[tuple[str, Any], ...]) -> list[Run]:
    inputs = compile_inputs(load_scenario(BASELINE, {**COMPANY, **{path: _thawed(value) for path, value in changes}}))
    return [(inputs, next(replicate(inputs, [inputs], seed=1, replication=r))) for r in range(REPLICATIONS)]


def runs(changes: dict[str, Any] | None = None) -> list[Run]:
    """The small company with these changes, in a few replications; the same luck whatever the changes."""
    return _runs(tuple((path, _frozen(value)) for path, value in (changes or {}).items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return ("map", *((key, _frozen(v)) for key, v in value.items()))
    return ("list", *map(_frozen, value)) if isinstance(value, list) else value


def _thawed(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    kind, *entries = value
    return {key: _thawed(v) for key, v in entries} if kind == "map" else [_thawed(v) for v in entries]


def summed(measure: Callable[[Inputs, History], float], changes: dict[str, Any] | None = None) -> float:
    """A measure, added up over the replications."""
    return sum(float(measure(inputs, history)) for inputs, history in runs(changes))


# --- measures -----------------------------------------------------------------------------------------------


def of_team(history: History, team: int) -> Any:
    return history.contacts["team"] == team


def waits(team: int) -> Callable[[Inputs, History], float]:
    """Minutes that all customers' contacts waited for a team."""

    def measure(inputs: Inputs, history: History) -> float:
        customers = inputs.phases[0].categories.customer[history.contacts["category"]]
        return float(history.contacts["wait_minutes"][of_team(history, team) & customers].sum(dtype=float))

    return measure


def work(team: int) -> Callable[[Inputs, History], float]:
    """Hours that a team spent on contacts."""
    return lambda _, history: history.contacts["handle_minutes"][of_team(history, team)].sum(dtype=float) / 60


def people(column: str, team: int) -> Callable[[Inputs, History], float]:
    """A column of the people's weeks, added up over a team."""
    return lambda _, h: h.people_weeks[column][h.people_weeks["team"] == team].sum(dtype=float)


def outcomes(outcome: int) -> Callable[[Inputs, History], float]:
    """How many contacts ended like that."""
    return lambda _, history: (history.contacts["outcome"] == outcome).sum()


def repeats(_: Inputs, history: History) -> float:
    return (history.contacts["attempt"] > 0).sum()


def state(column: str) -> Callable[[Inputs, History], float]:
    """A state of the accounts, added up over accounts and weeks."""
    return lambda _, history: history.tier_weeks[column].sum(dtype=float)


def expected_departures(_: Inputs, history: History) -> float:
    return history.account_events["expected"].sum()


def person_events(kind: int) -> Callable[[Inputs, History], float]:
    return lambda _, history: (history.people_weeks["event"] == kind).sum()


def late_starts(inputs: Inputs, history: History) -> float:
    """Contacts that were started after the shift's end."""
    started = history.contacts["started"]
    served = ~np.isnan(started)
    team = history.contacts["team"][served]
    late = 0
    for index, rules in enumerate(inputs.phases[0].teams):
        times = started[served][team == index]
        begun, over = (np.searchsorted(edge, times, "right") for edge in (rules.hours.starts, rules.hours.ends))
        late += (begun == over).sum()
    return late


def churn_events(_: Inputs, history: History) -> float:
    """Accounts that left, announced it, or might have left."""
    events = history.account_events
    return ((events["event"] == ledger.ANNOUNCED) | events["left"] | (events["probability"] > 0)).sum()


def account_events(kind: int) -> Callable[[Inputs, History], float]:
    return lambda _, history: (history.account_events["event"] == kind).sum()


def firefights(inputs: Inputs, history: History) -> float:
    return (history.contacts["category"] == inputs.categories.index("firefight")).sum()


def burnout(team: int) -> Callable[[Inputs, History], float]:
    return people("burnout", team)


def changed_arr(_: Inputs, history: History) -> float:
    rows = history.account_events
    stays = ~rows["left"] & (rows["event"] == ledger.RENEWAL)
    return (rows["arr_after_cents"] != rows["arr_before_cents"])[stays].sum()


# --- what must follow ---------------------------------------------------------------------------------------


def test_more_agents_shorten_the_waits():
    two = {**QUIET, "teams.support.headcount": 2}
    assert summed(waits(SUPPORT), two) < summed(waits(SUPPORT), QUIET), "two people serve the same calls sooner"


def test_more_contacts_are_more_work():
    more = {"categories.billing.contacts_per_account_month": 1.5}
    assert summed(work(SUPPORT), more) > summed(work(SUPPORT)), "each contact takes somebody's time"


def test_longer_handle_times_are_more_work_and_longer_waits():
    longer = {**QUIET, "categories.how_to.handle_time_mean_minutes": 45}
    assert summed(work(SUPPORT), longer) > summed(work(SUPPORT), QUIET), "the same contacts take longer"
    assert summed(waits(SUPPORT), longer) > summed(waits(SUPPORT), QUIET), "those behind them wait longer"


def test_higher_resolution_means_fewer_repeats():
    better = {"categories.how_to.resolution_probability": 0.98}
    assert summed(repeats, better) < summed(repeats), "what is settled does not come back"


def test_failed_contacts_cost_satisfaction():
    worse = {"categories.how_to.resolution_probability": 0.4}
    satisfaction = state("satisfaction_sum")
    assert summed(satisfaction, worse) < summed(satisfaction), "a matter left open annoys"


def test_more_patience_means_fewer_give_up():
    patient = {**OVERLOADED, "channels.phone.patience_mean_minutes": 60}
    given_up = outcomes(ledger.ABANDONED)
    assert summed(given_up, patient) < summed(given_up, OVERLOADED), "who waits longer is served before giving up"


def test_a_warm_transfer_costs_the_csms_more_hours_than_the_front_door():
    warm, front = ({**QUIET, **NO_PLANS, **way} for way in (WARM_TRANSFER, FRONT_DOOR))
    assert summed(work(CSM), warm) > summed(work(CSM), front), "the CSM answers first, then hands over"


def test_a_warm_transfer_costs_satisfaction():
    satisfaction = state("satisfaction_sum")
    assert summed(satisfaction, WARM_TRANSFER) < summed(satisfaction, FRONT_DOOR), "being handed over is effort"


def test_rerouting_moves_work_from_the_csms_to_support():
    front = {**QUIET, **NO_PLANS, **FRONT_DOOR}
    usual = {**QUIET, **NO_PLANS}
    assert summed(work(CSM), front) < summed(work(CSM), usual), "the CSMs no longer get support calls"
    assert summed(work(SUPPORT), front) > summed(work(SUPPORT), usual), "somebody has to take them"


@pytest.mark.slow
def test_more_burnout_at_the_start_makes_more_quit():
    """Many people and no work, so that little but burnout decides."""
    tired = {**CROWD, "teams.csm.opening_burnout": 1.0}
    rested = {**CROWD, "teams.csm.opening_burnout": 0.0}
    quits = person_events(ledger.QUIT)
    assert summed(quits, tired) > summed(quits, rested), "burnout multiplies the quit rate"
    away = people("absent_hours", CSM)
    assert summed(away, {**tired, **STAYING}) > summed(away, {**rested, **STAYING}), "and absence, too"


def test_overload_burns_people_out():
    assert summed(burnout(SUPPORT), OVERLOADED) > summed(burnout(SUPPORT)), "calls without end are strain"


def test_a_longer_ramp_makes_newcomers_slower():
    hired = {**QUIET, **NO_PLANS, "changes": [{"from": NEWCOMERS_FROM, "set": {"teams.support.headcount": 3}}]}
    slow, fast = ({**hired, "teams.support.ramp_weeks": weeks} for weeks in (100, 0))
    assert summed(work(SUPPORT), slow) > summed(work(SUPPORT), fast), "slow hands need more hours for the same calls"


def test_more_value_reviews_raise_executive_contact():
    often = {"playbooks.enterprise.value_review.every_weeks": 6, "playbooks.midmarket.value_review.every_weeks": 10}
    contact = state("executive_contact_sum")
    assert summed(contact, {**ROOMY, **often}) > summed(contact, ROOMY), "reviews remind the management of the value"


def test_more_coaching_raises_adoption():
    often = {f"playbooks.{tier}.coaching.every_weeks": 3 for tier in ("enterprise", "midmarket", "small")}
    assert summed(state("adoption_sum"), {**ROOMY, **often}) > summed(state("adoption_sum"), ROOMY), "coaching teaches"


def test_more_csms_get_more_planned_work_done():
    expired = outcomes(ledger.EXPIRED)
    assert summed(expired, CROWDED_OUT) > 0, "with one CSM planned work must be crowded out, or this shows nothing"
    more = {**CROWDED_OUT, "teams.csm.headcount": 4}
    assert summed(expired, more) < summed(expired, CROWDED_OUT), "there is time for it"


def test_losing_more_sponsors_raises_churn():
    often = {"accounts.executive_contact.sponsor_loss_per_year": 2.0}
    assert summed(expected_departures, often) > summed(expected_departures), (
        "a lost sponsor no longer defends the contract"
    )


def test_a_higher_hazard_raises_churn():
    higher = {"departures.drivers.competition.hazard_per_year": 0.5}
    assert summed(expected_departures, higher) > summed(expected_departures), "more reasons to leave"


def test_firefighting_saves_accounts():
    stakes = {"departures.announce_share": 1.0, **{f"departures.drivers.{d}.save_probability": 0.9 for d in SAVED}}
    without = {**stakes, "mechanisms.firefighting": False}
    assert summed(expected_departures, stakes) < summed(expected_departures, without), "firefighting is done to save"


# --- a mechanism that is off ----------------------------------------------------------------------------------

OFF: dict[str, Callable[[Inputs, History], float]] = {
    "turnover": person_events(ledger.QUIT),
    "absence": lambda i, h: people("absent_hours", CSM)(i, h) + people("absent_hours", SUPPORT)(i, h),
    "repeats": repeats,
    "abandonment": outcomes(ledger.ABANDONED),
    "expiry": outcomes(ledger.EXPIRED),
    "churn": churn_events,
    "overtime": late_starts,
    "burnout": lambda i, h: burnout(CSM)(i, h) + burnout(SUPPORT)(i, h),
    "firefighting": firefights,
    "sponsor_loss": account_events(ledger.SPONSOR_LOST),
    "onboarding_failure": account_events(ledger.ONBOARDING_MISSED),
    "action_plans": account_events(ledger.PLAN_OPENED),
    "outages": lambda _, history: history.tier_weeks["outages"].sum(),
    "ill_timed": account_events(ledger.ILL_TIMED),
    "winback": account_events(ledger.WON_BACK),
    "sponsor_reengagement": account_events(ledger.SPONSOR_ENGAGED),
    "community": lambda _, history: history.tier_weeks["mavens"].sum(),
    "growth": account_events(ledger.WON),
    "expansion": changed_arr,
}


@pytest.mark.parametrize("mechanism", OFF)
def test_a_mechanism_that_is_off_leaves_no_trace(mechanism: str):
    assert summed(OFF[mechanism], EVENTFUL) > 0, "switched on it must leave a trace, or its absence shows nothing"
    left = summed(OFF[mechanism], {**EVENTFUL, f"mechanisms.{mechanism}": False})
    assert left == 0, f"'{mechanism}' is switched off, but still happened"


def test_every_mechanism_has_such_a_test():
    on = {name for name, field in Mechanisms.model_fields.items() if field.default}
    assert set(OFF) == on, "a switch that is not tested may switch nothing"
