"""Alerts and the spread of burnout where people look: terminal, JSON, page; beside the verdict, which stays."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import replace
from typing import Any

import pages
import pytest
import yaml
from pages import World, drawn, frame, open_page, plain
from small import SMALL, put, values_of

from planner import words
from sim.cli_output import SPREAD_HEADING, show_result
from sim.scenario import Scenario, load_scenario_text
from sim.study.alerts import Alert
from sim.study.executors import InThisProcess
from sim.study.experiment import compare, run
from sim.study.people_spread import FIGURES
from sim.study.results import Comparison, RunResult

pytest_plugins = ("pages",)

ALERT = Alert(
    "growing_queue", "support", dt.date(2026, 8, 3), 30, 30, 12.3, (10.1, 14.5),
    "Support's queue can only grow from about 3 August 2026 on (30 of 30 replications): a week, 12 hours (10 to 14) of"
    " work come in beyond what gets done.",
)  # fmt: skip


def shown(result: RunResult | Comparison) -> str:
    stream = io.StringIO()
    show_result(result, stream)
    return stream.getvalue()


def one_line(text: str) -> str:
    return " ".join(text.split())


# --- an overloaded company, from the scenario to what is said ---------------------------------------------------


def company(name: str, **overrides: Any) -> Scenario:
    """Two people in Support, and customers who ask for more than they can do."""
    values = put(
        values_of(),
        SMALL
        | {
            "name": name,
            "weeks": 56,
            "mechanisms.turnover": False,
            "teams.csm.headcount": 2,
            "categories.how_to.contacts_per_account_month": 7,
        }
        | overrides,
    )
    return load_scenario_text(yaml.safe_dump(values, sort_keys=False), name)


@pytest.fixture(scope="module")
def overloaded() -> Comparison:
    relief = [{"from": "2026-03-02", "set": {"teams.support.headcount": 4}}]
    return compare(
        company("Overloaded"), [company("Relieved", changes=relief)], replications=4, seed=1, pool=InThisProcess()
    )


@pytest.mark.slow
def test_an_overloaded_baseline_is_told_and_its_relief_is_not(overloaded: Comparison) -> None:
    baseline, relieved = overloaded.alerts
    growing = [alert for alert in baseline if alert.team == "support"]
    assert growing[0].kind == "growing_queue", "one person cannot do it"
    assert (growing[0].replications, growing[0].of) == (4, 4), "in every replication"
    assert growing[0].since <= dt.date(2026, 4, 6), "from the first quarter on, or the first day after it"
    assert not [alert for alert in relieved if alert.team == "support"], "with four people the queue is worked off"


@pytest.mark.slow
def test_the_terminal_warns_under_the_verdict_and_the_json_has_it(overloaded: Comparison) -> None:
    text = one_line(shown(overloaded))
    verdict = text.index(overloaded.decisions[0].verdict.upper() + ". ")
    warning = text.index("WARNING for Overloaded: Support's queue can only grow")
    assert verdict < warning < text.index("The interval covers chance only"), "between the verdict and the small print"
    plain_values = json.loads(overloaded.to_json())
    told = plain_values["scenarios"][0]["alerts"][0]
    assert told["kind"] == "growing_queue"
    assert told["sentence"] in text
    assert plain_values["decision"][0]["sentence"].startswith(overloaded.decisions[0].sentence), "which stays as it is"


def test_a_run_warns_too() -> None:
    result = run(company("Overloaded"), replications=2, seed=1, pool=InThisProcess())
    assert "WARNING for Overloaded: Support's queue can only grow" in one_line(shown(result))
    assert result.to_dict()["scenarios"][0]["alerts"][0]["of"] == 2


# --- the spread of burnout --------------------------------------------------------------------------------------


def test_the_spread_of_burnout_is_in_terminal_and_json(tiny: Comparison) -> None:
    text = shown(tiny)
    assert SPREAD_HEADING in text, "headed: simulated, not a statement about a person"
    assert "not a statement about a person" in SPREAD_HEADING
    assert "CSM, worst-off tenth" in text
    assert "Support, half of them up to" in text
    values = tiny.to_dict()
    for scenario in values["scenarios"]:
        assert set(scenario["people"]) == {"csm", "support"}
        assert set(scenario["people"]["csm"]["burnout"]) == set(FIGURES)
    figure = values["scenarios"][1]["people"]["support"]["burnout"]["worst_tenth_mean"]
    before = values["scenarios"][0]["people"]["support"]["burnout"]["worst_tenth_mean"]
    change = values["differences"][0]["people"]["support"]["burnout"]["worst_tenth_mean"]
    assert change["value"] == pytest.approx(figure["value"] - before["value"])
    assert change["ci95"][0] <= change["value"] <= change["ci95"][1]


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_page_warns_beside_the_sentence(world: World, tiny: Comparison) -> None:
    page = open_page()
    pages.answered(page, replace(tiny, alerts=((ALERT,), ())))
    assert not page.exception
    kinds = [(kind, text) for kind, text in drawn(page)]
    (warning,) = [i for i, (kind, text) in enumerate(kinds) if kind == "warning" and "can only grow" in text]
    first_number = next(i for i, (kind, _) in enumerate(kinds) if kind == "metric")
    assert warning < first_number, "it stands with the sentence, before the numbers"
    said = plain(page)
    assert f"**Small company**: {ALERT.sentence}" in said, "and says in which scenario"
    assert tiny.decisions[0].sentence in said, "the sentence stays"


def test_the_page_is_without_a_warning_where_nothing_grows(world: World, tiny: Comparison) -> None:
    page = open_page()
    pages.answered(page, replace(tiny, alerts=((), ())))
    assert "can only grow" not in plain(page)


def test_the_page_shows_how_burnout_is_spread_over_simulated_people(world: World, tiny: Comparison) -> None:
    page = open_page()
    pages.answered(page, tiny)
    assert "How burnout is spread over people**: simulated, not a statement about a person" in plain(page)
    table = frame(page, "People").set_index("People")
    assert list(table.index[:6]) == [f"CSM, {label}" for label in (
        "mean", "a quarter of them up to", "half of them up to", "three quarters up to", "nine in ten up to",
        "worst-off tenth",
    )]  # fmt: skip
    worst = tiny.people.scenarios[0]["csm"].burnout["worst_tenth_mean"]
    assert table.loc["CSM, worst-off tenth", "Baseline"] == words.plain(worst.value, "score")
