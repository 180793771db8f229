"""What can be neither made nor lost: accounts, cents, contacts, hours; over random small companies.

One replication of each company is checked against all laws at once; the luck of the examples is always the same.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from companies import companies, dated, office, queues, small_company
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from laws import (
    WEEK,
    accounts_are_conserved,
    contacts_are_conserved,
    hours_are_conserved,
    nobody_serves_two_at_once,
    nothing_starts_outside_working_time,
    shares_are_shares,
    time_never_runs_back,
    with_made_contacts,
)
from small import (
    AROUND_THE_CLOCK,
    TABLES,
    rows_where,
    run,
    run_all,
    same_bits,
    small_inputs,
    tables_of,
)

from sim.model import ledger
from sim.model.clock import ContactProfile
from sim.model.replication import Run


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
