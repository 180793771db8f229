"""What a what-if changes, said as the decider would say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario import Scenario, load_scenario, load_scenario_text
from sim.study.change_words import change_sentences


@pytest.fixture(scope="module")
def baseline(scenario_folder: Path) -> Scenario:
    return load_scenario(scenario_folder / "baseline.yaml")


def what_if(folder: Path, text: str) -> Scenario:
    return load_scenario_text(f"name: Test\nextends: baseline.yaml\n{text}", "test", folder)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (
            "reroute_support_calls.yaml",
            "From 1 July 2026 all support calls, about 30 % of the CSMs' contacts, go straight to Support.",
        ),
        (
            "reroute_and_hire.yaml",
            "From 1 July 2026 all support calls, about 30 % of the CSMs' contacts, go straight to Support and the"
            " Support team has 6 people, 1 more.",
        ),
        ("one_more_csm.yaml", "From 1 July 2026 the CSM team has 7 people, 1 more."),
        (
            "hiring_freeze.yaml",
            "From 1 July 2026 the CSM team hires nobody and the Support team hires nobody.",
        ),
    ],
)
def test_shipped_what_ifs_are_said_in_one_sentence(
    baseline: Scenario, scenario_folder: Path, file: str, sentence: str
) -> None:
    assert change_sentences(baseline, load_scenario(scenario_folder / file), {"csm": 0.3}) == [sentence]


def test_nothing_changed_is_said(baseline: Scenario) -> None:
    assert change_sentences(baseline, baseline) == ["Nothing changes: the two scenarios say the same."]


def test_a_part_of_the_calls_by_warm_transfer(baseline: Scenario, scenario_folder: Path) -> None:
    rule = "{from: csm, to: support, share: 0.6, how: warm_transfer}"
    text = f"changes: [{{from: 2026-07-01, set: {{routing.rules: [{rule}]}}}}]"
    assert change_sentences(baseline, what_if(scenario_folder, text), {"csm": 0.3}) == [
        "From 1 July 2026 60 % of the support calls, about 18 % of the CSMs' contacts, are answered by the CSMs first"
        " and then handed over to Support."
    ]


def test_each_date_has_its_own_sentence_and_what_goes_back_is_said(baseline: Scenario, scenario_folder: Path) -> None:
    text = """
changes:
  - {from: 2026-03-02, set: {teams.csm.headcount: 8}}
  - {from: 2026-09-07, set: {teams.csm.headcount: 6, teams.support.headcount: 4}}
"""
    assert change_sentences(baseline, what_if(scenario_folder, text)) == [
        "From 2 March 2026 the CSM team has 8 people, 2 more.",
        "From 7 September 2026 the CSM team has 6 people, as in the baseline and the Support team has 4 people,"
        " 1 fewer.",
    ]


def test_what_is_as_before_again_is_said(baseline: Scenario, scenario_folder: Path) -> None:
    assert change_sentences(baseline, load_scenario(scenario_folder / "outage_month.yaml")) == [
        "From 5 October 2026 accounts.outages.per_year is 52 instead of 2.",
        "From 2 November 2026 accounts.outages.per_year is 2 again.",
    ]


def test_parts_of_a_person_are_said(baseline: Scenario, scenario_folder: Path) -> None:
    text = "changes: [{from: 2026-03-02, set: {teams.csm.headcount: 6.3, teams.support.headcount: 1}}]"
    assert change_sentences(baseline, what_if(scenario_folder, text)) == [
        "From 2 March 2026 the CSM team has 6.3 people, 0.3 more and the Support team has 1 person, 4 fewer."
    ]


def test_other_inputs_are_named_with_both_values_and_many_are_counted(
    baseline: Scenario, scenario_folder: Path
) -> None:
    one = change_sentences(baseline, what_if(scenario_folder, "money: {gross_margin: 0.7}"))
    assert one == [f"From the start money.gross_margin is 0.7 instead of {baseline.money.gross_margin:g}."]
    off = "mechanisms: {burnout: false, turnover: false, absence: false, overtime: false, churn: false, growth: false}"
    many = change_sentences(baseline, what_if(scenario_folder, off))
    assert many[0].startswith("From the start mechanisms.absence is off instead of on, ")
    assert many[0].endswith(" and 2 more inputs differ.")


def test_a_list_of_accounts_is_no_change_of_the_what_if(scenario_folder: Path) -> None:
    both = [load_scenario(scenario_folder / f"example_{name}.yaml") for name in ("accounts", "reroute")]
    assert change_sentences(both[0], both[1]) == ["From 1 July 2026 all support calls go straight to Support."]


def test_new_names_are_told_and_not_every_number_below_them(baseline: Scenario, scenario_folder: Path) -> None:
    assert change_sentences(baseline, load_scenario(scenario_folder / "partner.yaml")) == [
        "From the start there is a team 'Partner'.",
        "From 1 July 2026 the Partner team has 1 person, 1 more and onboarding and training contacts go to Partner.",
    ]
    assert change_sentences(baseline, load_scenario(scenario_folder / "community.yaml")) == [
        "From the start there is a channel 'community', there is a category 'moderation' and there is a category"
        " 'article'.",
        "From 1 July 2026 how to contacts come 28 % by email, 20 % by portal, 20 % by community, 16 % by phone and"
        " 16 % by chat.",
    ]


def test_a_name_that_is_gone_is_told(baseline: Scenario, scenario_folder: Path) -> None:
    back = change_sentences(load_scenario(scenario_folder / "partner.yaml"), baseline)
    assert back == [
        "From the start there is no team 'Partner'.",
        "From 1 July 2026 the Partner team has 0 people, 1 fewer and onboarding and training contacts go to CSM.",
    ]


def test_categories_that_go_the_same_way_are_told_together(baseline: Scenario, scenario_folder: Path) -> None:
    told = change_sentences(baseline, load_scenario(scenario_folder / "no_csm_team.yaml"))[0]
    assert "action plan, billing, break fix, coaching and 10 other contacts go to Support" in told
