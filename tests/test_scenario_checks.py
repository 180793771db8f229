"""Checks between fields: sizes are estimated on the safe side, and what is refused hides nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.special import ndtri

from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import ScenarioError, dump_scenario, load_scenario, load_scenario_text
from sim.scenario.checks import RESERVED
from sim.scenario.facts import facts
from sim.scenario.size import MOST_CONTACTS, MOST_CONTACTS_PER_WEEK, _seats, _streams
from sim.study.kpi_costs import COMPANY, OTHER_COSTS

BAD = Path(__file__).with_name("bad_scenarios")
BASE = BAD / "_base.yaml"
SCENARIOS = Path(__file__).parents[1] / "scenarios"


def child(body: str) -> list[str]:
    """Paths and messages of what is wrong with a child of the small valid scenario."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario_text(f"name: Child\nextends: _base.yaml\n{body}", "child.yaml", folder=BAD)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def with_values(**parts: dict[str, Any]) -> dict[str, Any]:
    """The plain values of the small valid scenario, with some values of its parts replaced."""
    data: dict[str, Any] = yaml.safe_load(dump_scenario(load_scenario(BASE)))
    data["accounts"] |= parts.get("accounts", {})
    data["tiers"]["small"] |= parts.get("small", {})
    data["mechanisms"] |= parts.get("mechanisms", {})
    return data


# --- size -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cv", [0, 0.5, 1])
@pytest.mark.parametrize("exponent", [0, 0.5, 1, 1.5])
@pytest.mark.parametrize("arr", [300, 10_000, 120_000])
def test_the_estimate_knows_the_mean_effect_of_seats(cv: float, exponent: float, arr: float) -> None:
    data = with_values(
        accounts={"seats_exponent": exponent, "seats_reference": 80}, small={"arr_cv": cv, "arr_per_year_mean": arr}
    )
    steps = 1_000_000
    variance = np.log1p(cv**2)
    normal = ndtri((np.arange(steps) + 0.5) / steps)
    seats = np.maximum(1.0, arr / 500 * np.exp(np.sqrt(variance) * normal - variance / 2))
    numeric = float(np.mean((seats / 80) ** exponent))
    estimate = _seats(facts(data, ()), "small")
    assert estimate == pytest.approx(numeric, rel=1e-3), (
        "a million equal cells leave less than a thousandth of the tail"
    )


@pytest.mark.parametrize("exponent", [0, 0.5, 1.5])
def test_a_run_makes_no_more_contacts_than_estimated_and_not_far_fewer(exponent: float) -> None:
    """The estimate is for the worst case (no adoption, matters overdue, nobody leaves), which costs up to 3 times."""
    data = with_values(
        accounts={"seats_exponent": exponent, "seats_reference": 20, "contact_rate_cv": 0.2, "warm_up_weeks": 0},
        small={"accounts": 300, "arr_cv": 1, "new_accounts_per_year": 300},
    )
    data["teams"]["support"]["headcount"], data["teams"]["csm"]["headcount"] = 30, 30
    streams = list(_streams(facts(data, ()), "small"))
    estimate = sum(data["weeks"] * stream.in_week(data["weeks"] / 2) for stream in streams)
    inputs = compile_inputs(load_scenario_text(yaml.safe_dump(data), "small.yaml", BAD))
    made = len(next(replicate(inputs, [inputs], 1, 0)).contacts["born"])
    assert made <= estimate <= 3 * made, f"{made} contacts were made, {estimate:.0f} estimated"


def test_the_shipped_scenario_is_far_below_the_caps() -> None:
    data = yaml.safe_load((SCENARIOS / "baseline.yaml").read_text(encoding="utf-8"))
    known = facts(data, ())
    peak = sum(stream.in_week(data["weeks"]) for tier in data["tiers"] for stream in _streams(known, tier))
    assert 100 * peak < MOST_CONTACTS_PER_WEEK, "a company a hundred times as large fits into a week"
    assert 20 * peak * data["weeks"] < MOST_CONTACTS, "a company twenty times as large fits into a run"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("tiers: {small: {accounts: 100000}}\ncategories: {how_to: {contacts_per_account_month: 60}}\n", "how_to"),
        (
            "weeks: 520\ntiers: {small: {accounts: 99999}}\nplaybooks: {small: {value_review: {every_weeks: 1}}}\n",
            "every",
        ),
        (
            "tiers: {small: {accounts: 2000, arr_cv: 3}}\naccounts: {seats_exponent: 2, seats_reference: 1}\n",
            "seats_exponent",
        ),
        ("tiers: {small: {accounts: 90000}}\naccounts: {low_adoption_factor: 10}\n", "low_adoption_factor"),
        ("tiers: {small: {accounts: 90000}}\naccounts: {open_issue_factor: 10}\n", "open_issue_factor"),
    ],
    ids=["rate", "playbook", "seats", "low adoption", "open issues"],
)
def test_too_many_contacts_name_the_field_that_makes_them(body: str, names: str) -> None:
    (line,) = child(body)
    wanted = "playbooks.small.value_review" if names == "every" else names
    assert wanted in line, f"{line} does not say what to lower"


@pytest.mark.parametrize("name", ["growth", "repeats"])
def test_a_mechanism_that_is_off_makes_no_contacts(name: str) -> None:
    def peak(on: bool) -> float:
        data = with_values(mechanisms={name: on})
        return sum(stream.in_week(52) for stream in _streams(facts(data, ()), "small"))

    assert peak(False) < peak(True), f"'{name}' makes contacts only while it is on"


@pytest.mark.parametrize("mechanism", ["sponsor_loss", "sponsor_reengagement"])
def test_a_category_that_nothing_triggers_any_more_need_not_be_there(mechanism: str) -> None:
    gone = "categories: {sponsor_reengagement: null}\nrouting: {assign: {sponsor_reengagement: null}}\n"
    body = f"name: Child\nextends: baseline.yaml\n{gone}"
    with pytest.raises(ScenarioError, match="'sponsor_reengagement' is missing"):
        load_scenario_text(body, "child.yaml", folder=SCENARIOS)
    off = load_scenario_text(f"{body}mechanisms: {{{mechanism}: false}}\nweeks: 4\n", "child.yaml", folder=SCENARIOS)
    inputs = compile_inputs(off)
    lost = next(replicate(inputs, [inputs], 1, 0)).accounts["sponsor_lost"]
    assert lost.any() == (mechanism == "sponsor_reengagement"), "it runs, and nobody looks for another sponsor"


# --- routing --------------------------------------------------------------------------------------------------


def test_a_refused_rule_hides_only_what_it_may_have_moved() -> None:
    rules = """routing:
  rules:
    - {categories: [how_to], from: csm, to: support, share: 7, how: front_door}
    - {categories: [value_review], from: support, to: csm, share: 1.0, how: front_door}
    - {categories: [firefight], from: support, to: csm, share: 1.0, how: front_door}
"""
    found = child(rules)
    assert len(found) == 3, "the refused share, and two rules that move nothing"
    assert "rules[0].share" in found[0]
    assert "rules[1].from: 'support' never gets 'value_review'" in found[1]
    assert "rules[2].from: 'support' never gets 'firefight'" in found[2]


def test_nothing_is_said_about_what_a_refused_rule_may_have_given() -> None:
    rules = """routing:
  rules:
    - {categories: [value_review], from: csm, to: support, share: 7, how: front_door}
    - {categories: [value_review], from: support, to: csm, share: 1.0, how: front_door}
"""
    (line,) = child(rules)
    assert "rules[0].share" in line, "with a right share, Support would have had them"


def test_a_team_without_people_is_reported_beside_a_refused_rule_unless_the_rule_may_empty_it() -> None:
    rule = "{categories: [how_to], from: support, to: csm, share: 7, how: front_door}"
    body = "teams: {TEAM: {headcount: 0}}\nrouting: {rules: [RULE]}\n".replace("RULE", rule)
    (first, second) = sorted(child(body.replace("TEAM", "csm")), reverse=True)
    assert "'csm' has no people" in first, "the rule takes nothing from the CSMs"
    assert "share" in second
    (only,) = child(body.replace("TEAM", "support"))
    assert "share" in only, "the rule, once right, may take everything from Support"


def test_a_refused_share_hides_only_its_own_category() -> None:
    body = """routing:
  assign: {value_review: {csm: all}}
  rules: [{categories: [firefight], from: support, to: csm, share: 1.0, how: front_door}]
"""
    assert len(child(body)) == 2, "the refused share, and the rule that moves nothing"


# --- names ----------------------------------------------------------------------------------------------------


def test_the_names_that_results_add_are_reserved() -> None:
    assert RESERVED == {"teams": (COMPANY,), "categories": OTHER_COSTS}, "a name would stand for two rows"
