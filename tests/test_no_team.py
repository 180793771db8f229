"""A company without a team from a date on, without firefighting, without planned work: who then gets what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from laws import (
    WEEK,
    accounts_are_conserved,
    contacts_are_conserved,
    hours_are_conserved,
    nobody_serves_two_at_once,
    time_never_runs_back,
    with_made_contacts,
)
from small import AROUND_THE_CLOCK, changes_of, put, run, small_inputs, values_of

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.scenario import Scenario, load_scenario_text, phases
from sim.scenario.schema import Mechanisms

CLOSES_IN_WEEK = 4
DAY = "2026-02-02"  # a Monday
CUSTOMERS = ("how_to", "break_fix", "billing", "relationship")


def without_csms(overrides: dict[str, Any] | None = None) -> Inputs:
    """A small company whose CSMs are gone from a Monday on, as in the shipped file."""
    (change,) = changes_of("no_csm_team.yaml")
    return small_inputs({"teams.csm.headcount": 2, **(overrides or {}), "changes": [{**change, "from": DAY}]})


def of(history: History, inputs: Inputs, team: str, categories: tuple[str, ...]) -> np.ndarray:
    rows = history.contacts
    wanted = [inputs.categories.index(name) for name in categories]
    return (rows["team"] == inputs.teams.index(team)) & np.isin(rows["category"], wanted)


BUSY = {"categories.relationship.contacts_per_account_month": 9, "routing.repeat_probability": 1.0}
WAYS = {
    "finish": {},
    "pause": {f"teams.{team}.at_shift_end": "pause" for team in ("csm", "support")},
    "hand over": {"teams.csm.at_shift_end": "hand_over", "teams.csm.hand_over_minutes": 6}
    | {"teams.support.at_shift_end": "pause"},
    "live": {"teams.csm.answers_live": True, "teams.csm.shift": AROUND_THE_CLOCK}
    | {"categories.relationship.handle_time_mean_minutes": 900, "mechanisms.abandonment": False},
    "shared queue": {"teams.csm.named_owner": False},
    "warm transfer": {
        "routing.rules": [{"from": "csm", "to": "support", "share": 0.9, "how": "warm_transfer"}],
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_customers_who_wait_for_a_team_that_closes_go_to_another_and_nothing_is_lost(way: str) -> None:
    (change,) = changes_of("no_csm_team.yaml")
    values = {name: value for name, value in change["set"].items()} | {"routing.rules": []}
    inputs = small_inputs({"teams.csm.headcount": 2, **BUSY, **WAYS[way], "changes": [{"from": DAY, "set": values}]})
    history, made = with_made_contacts(inputs, 1)
    end = inputs.weeks * WEEK
    accounts_are_conserved(history, inputs)
    contacts_are_conserved(history, made, end)
    time_never_runs_back(history, end)
    nobody_serves_two_at_once(history, inputs, end)
    if way not in ("pause", "hand over", "live"):  # a begun contact takes its hours to the other team
        hours_are_conserved(history, inputs)
    rows = history.contacts
    closed = CLOSES_IN_WEEK * WEEK
    mine = of(history, inputs, "csm", CUSTOMERS)
    assert (rows["queued"][mine] < closed).all(), "nobody joins the queue of a team that is not there"
    assert not (mine & (rows["outcome"] == ledger.OPEN)).any(), "and nobody waits in it"
    moved = of(history, inputs, "support", ("relationship",)) & (rows["born"] < closed)
    assert moved.any(), "who waited for a CSM is with Support"
    moved &= ~(rows["started"] < closed)  # what was begun and put down keeps its own times
    assert (rows["queued"][moved] >= closed).all(), "from the day on which the team closed"


def test_a_matter_that_comes_back_finds_the_team_that_took_over() -> None:
    inputs = without_csms(BUSY | {"categories.relationship.resolution_probability": 0.1})
    rows = run(inputs).contacts
    again = (rows["attempt"] > 0) & (rows["category"] == inputs.categories.index("relationship"))
    again &= rows["queued"] >= CLOSES_IN_WEEK * WEEK
    assert again.any()
    assert (rows["team"][again] == inputs.teams.index("support")).all()


def test_without_csms_nobody_calls_first_and_the_team_costs_nothing() -> None:
    inputs = without_csms({"departures.drivers.competition.hazard_per_year": 4.0})
    history = run(inputs)
    rows, people = history.contacts, history.people_weeks
    not_asked = [i for i, who in enumerate(inputs.initiated_by) if who != "customer"]
    late = np.isin(rows["category"], not_asked) & (rows["born"] >= CLOSES_IN_WEEK * WEEK)
    assert not late.any(), "no planned and no triggered work"
    paid = people["payroll_cost"][(people["team"] == 0) & (people["week"] >= CLOSES_IN_WEEK)]
    assert paid.sum() == 0
    events = history.account_events
    announced = (events["event"] == ledger.ANNOUNCED) & (events["time"] >= CLOSES_IN_WEEK * WEEK)
    assert announced.any(), "customers still announce that they leave"


@pytest.mark.parametrize(("switch", "category"), [("firefighting", "firefight"), ("sponsor_reengagement",) * 2])
def test_work_that_a_company_stops_doing_from_a_date_on_is_not_begun_any_more(switch: str, category: str) -> None:
    more = {
        "departures.drivers.competition.hazard_per_year": 4.0,
        "accounts.executive_contact.sponsor_loss_per_year": 3.0,
        "weeks": 16,
    }
    day = [{"from": DAY, "set": {f"mechanisms.{switch}": False}}]
    inputs = small_inputs(more | {"changes": day})
    history = run(inputs)
    rows = history.contacts
    mine = (rows["category"] == inputs.categories.index(category)) & (rows["attempt"] == 0)
    assert (rows["born"][mine] < CLOSES_IN_WEEK * WEEK).any(), "it is done before"
    assert not (rows["born"][mine] > CLOSES_IN_WEEK * WEEK).any(), "and not after"
    usual = small_inputs(more)
    rows = run(usual).contacts
    mine = (rows["category"] == inputs.categories.index(category)) & (rows["attempt"] == 0)
    assert (rows["born"][mine] > CLOSES_IN_WEEK * WEEK).any(), "else it goes on"


def shipped(name: str) -> Scenario:
    values = put(values_of(), {"changes": changes_of(name)})
    return load_scenario_text(yaml.safe_dump(values), name)


def test_the_shipped_files_say_what_their_names_do() -> None:
    before, after = (phase.scenario for phase in phases(shipped("firefighting_only.yaml")))
    assert before.playbooks
    assert after.playbooks == {}
    assert (after.mechanisms.firefighting, after.mechanisms.sponsor_reengagement) == (True, True), "firefighting stays"
    assert not after.mechanisms.action_plans, "an action plan is prevention"
    _, after = (phase.scenario for phase in phases(shipped("no_firefighting.yaml")))
    assert (after.mechanisms.firefighting, after.mechanisms.sponsor_reengagement) == (False, False)
    assert after.playbooks == before.playbooks, "planned work stays"
    _, after = (phase.scenario for phase in phases(shipped("no_csm_team.yaml")))
    assert after.teams["csm"].headcount == 0
    assert all(teams == {"support": 1.0} for teams in after.routing.assign.values())
    assert after.playbooks == {}
    _, after = (phase.scenario for phase in phases(shipped("one_fewer_csm.yaml")))
    assert after.teams["csm"].headcount == before.teams["csm"].headcount - 1
    assert set(Mechanisms.model_fields) >= {"firefighting", "sponsor_reengagement"}
