"""The answer on the page: what stands in it, in which order, for companies of every kind; what can be taken along."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import BASELINE, HIRE, REROUTE, World, csv_rows, drawn, frame, named, open_page, plain, texts, write
from small import NOTHING_HAPPENS, values_of
from streamlit.testing.v1 import AppTest

from planner import draft as drafts
from planner import runs, tables, words
from sim.cli import execute
from sim.scenario import load_scenario
from sim.study.results import Comparison

pytest_plugins = ("pages",)


@pytest.fixture
def page(world: World) -> AppTest:
    """The page with an answer."""
    opened = open_page()
    pages.answered(opened, world.comparison.result)
    assert not opened.exception
    return opened


# --- what stands in it --------------------------------------------------------------------------------------


def test_the_answer_begins_with_the_verdict_and_four_numbers_and_goes_on_as_one_asks(
    page: AppTest, tiny: Comparison
) -> None:
    order = [(kind, text) for kind, text in drawn(page) if kind in ("metric", "subheader", "expander")]
    assert order == [
        ("metric", "Yearly ARR churn"),
        ("metric", "Contribution, 20 weeks"),
        ("metric", "CSM burnout"),
        ("metric", "Support burnout"),
        ("subheader", "Why"),
        ("subheader", "When"),
        ("subheader", "Who pays, who gains"),
        ("subheader", "What it costs"),
        ("subheader", "How sure"),
        ("expander", "All 206 assumptions, the least known first"),
        ("expander", "All indicators"),
        ("subheader", "Take it along"),
    ]
    shown = plain(page)
    assert shown.index(tiny.decisions[0].sentence) < shown.index("Each strip shows")
    assert "Reroute support calls against Small company, 3 paired replications." in shown
    assert tiny.decisions[0].note in shown, "what the interval does not cover is said"


def test_a_headline_number_has_its_difference_verdict_and_intervals(page: AppTest, tiny: Comparison) -> None:
    name = "support.burnout_mean"
    card = named(page.metric, "Support burnout")
    before, after = (one.kpis[name] for one in tiny.scenarios)
    change = tiny.differences[0].kpis[name]
    assert card.value == words.value(after.mean, "score")
    assert card.delta == words.value(change.mean, "score", difference=True)
    assert card.proto.delta_description == words.verdict({"verdict": change.verdict, "reason": change.reason})
    assert f"Baseline {words.value(before.mean, 'score')} ({words.span(before.ci95, 'score')})" in plain(page), (
        "the baseline with its interval"
    )
    assert f"Difference {words.span(change.ci95_adjusted, 'score', difference=True)}" in plain(page)


def test_when_each_effect_arrives_is_drawn_and_said_what_counts_as_arrival(page: AppTest, tiny: Comparison) -> None:
    assert len(tiny.quarters.starts) == 2, "20 weeks are a quarter and the rest of one"
    shown = plain(page)
    assert shown.index("**When each effect arrives**") < shown.index("Load: hours on contacts")
    assert "the intervals allow for looking at all 2." in shown
    assert "earned back" not in shown, "nobody is added, so nothing has to pay back"


def test_a_what_if_that_adds_people_says_when_they_have_paid_for_themselves(world: World) -> None:
    before, after = (load_scenario(world.folder / name) for name in (BASELINE, HIRE))
    comparison = pages.compared(before, after, replications=3)
    page = open_page()
    pages.answered(page, comparison)
    assert not page.exception
    pays = comparison.quarters.paybacks[0]
    assert pays is not None
    assert pays.deepest < 0, "a new colleague costs at first"
    shown = plain(page)
    assert shown.index(comparison.decisions[0].sentence) < shown.index(pays.sentence) < shown.index("Each strip shows")


def test_one_replication_draws_no_arrivals(world: World) -> None:
    before, after = (load_scenario(world.folder / name) for name in (BASELINE, REROUTE))
    page = open_page()
    pages.answered(page, pages.compared(before, after, replications=1))
    assert not page.exception
    assert "When each effect arrives" not in plain(page)


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [("recommended", "success"), ("pays, but", "warning"), ("does not pay", "error"), ("cannot tell yet", "info")],
)
def test_the_box_of_the_sentence_has_the_colour_of_its_verdict(
    world: World, tiny: Comparison, verdict: Any, kind: str
) -> None:
    page = open_page()
    pages.answered(page, replace(tiny, decisions=(replace(tiny.decisions[0], verdict=verdict),)))
    assert not page.exception
    (box,) = page.get(kind)
    assert box.value.startswith(f"**{verdict[0].upper()}{verdict[1:]}**")


def test_all_indicators_are_in_the_table_and_what_could_not_be_measured_is_not_a_zero(
    page: AppTest, tiny: Comparison
) -> None:
    table = frame(page, "Meaning").set_index("Name")
    assert list(table.index) == list(tiny.registry)
    missing = [name for name, one in tiny.baseline.kpis.items() if one.mean is None]
    assert missing, "in three small histories something cannot be measured"
    assert set(table.loc[missing, "Baseline"]) == {words.MISSING}


def test_what_customers_of_each_tier_notice_is_named_briefly_enough_for_its_column(page: AppTest) -> None:
    found = [one.value for one in page.dataframe if "Indicator" in one.value.columns]
    labels = next(list(one["Indicator"]) for one in found if str(one["Indicator"].iloc[0]).startswith("Enterprise"))
    assert labels[0] == "Enterprise planned work done, %"
    assert len(labels) == 9
    pixels_per_letter = 5.8  # of the page's tables, measured in a picture
    assert max(map(len, labels)) * pixels_per_letter < tables.LABEL_PIXELS


def test_the_assumptions_are_listed_the_least_known_first(page: AppTest) -> None:
    table = frame(page, "Where it comes from")
    assert len(table) == 206
    assert table["Input"][0] in plain(page), "the note names the widest ones"
    assert (table["Low"] <= table["High"]).all()


def test_failed_replications_are_named_above_the_answer(world: World, tiny: Comparison) -> None:
    page = open_page()
    pages.answered(page, replace(tiny, failures=("Replication 4 of seed 1 failed: killed.",)))
    assert not page.exception
    assert page.warning[0].value == "Some replications could not be had; the numbers rest on the others."
    assert page.code[0].value == "Replication 4 of seed 1 failed: killed."
    assert page.metric, "what could be had is shown"


def test_one_replication_has_numbers_and_says_that_it_has_no_intervals(world: World, small_folder: Path) -> None:
    page = open_page()
    pages.answered(page, pages.tiny_comparison(small_folder, replications=1))
    assert not page.exception
    assert len(page.metric) == 4
    assert plain(page).count("One replication has no interval to draw.") == 3
    assert "1 paired replication." in plain(page)
    assert "nan" not in plain(page).replace("finance", "")


# --- companies of every kind --------------------------------------------------------------------------------

ONE_TEAM: dict[str, Any] = {
    "teams.support": None,
    "routing.assign": {
        name: {"csm": 1.0}
        for name, one in values_of()["categories"].items()
        if name in values_of()["routing"]["assign"]
    },
}
THIRD = {**values_of()["teams"]["support"], "headcount": 1}
ODD_COMPANIES: dict[str, dict[str, Any]] = {
    "three teams": {"teams.z9_the_3rd_team": THIRD},
    "one team": ONE_TEAM,
    "no named owners": {"teams.csm.named_owner": False},
    "named owners only": {"teams.support.named_owner": True},
    "one tier": {"tiers.enterprise": None, "tiers.midmarket": None, "playbooks.enterprise": None,
                 "playbooks.midmarket": None, "tiers.small.upgrade": None},
    "euros": {"currency": "EUR"},
    "four weeks": {"weeks": 4},
    "one week": {"weeks": 1},
    "nothing happens": NOTHING_HAPPENS,
    "no accounts": {"tiers.enterprise.accounts": 0, "tiers.midmarket.accounts": 0, "tiers.small.accounts": 0},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("overrides", ODD_COMPANIES.values(), ids=ODD_COMPANIES)
def test_an_odd_company_gets_its_question_its_answer_and_its_list_of_risks(
    own_folder: Path, overrides: dict[str, Any]
) -> None:
    pages.write_company(own_folder, overrides)
    weeks = overrides.get("weeks", 20)
    day = "2026-01-05" if weeks == 1 else "2026-01-12"
    write(
        own_folder / REROUTE,
        {"name": "More CSMs", "extends": BASELINE, "changes": [{"from": day, "set": {"teams.csm.headcount": 3}}]},
    )
    if weeks < 10:
        (own_folder / HIRE).unlink()
    page = open_page()
    assert not page.exception
    chosen = page.session_state["chosen"]
    assert chosen is not None, texts(page)
    pages.answered(page, pages.compared(chosen.before, chosen.after))
    assert not page.exception
    teams = list(load_scenario(own_folder / BASELINE).teams)
    assert len(page.metric) == 2 + len(teams)
    assert "the CSM team has 3 people" in plain(page)
    currency = overrides.get("currency", "USD")
    assert f"differences in thousand {currency}" in plain(page)
    pages.go(page, "risk")
    assert not page.exception
    assert page.title[0].value == "Who is at risk?"


def test_a_what_if_that_changes_nothing_says_so_and_differs_in_nothing(own_folder: Path) -> None:
    write(own_folder / HIRE, {"name": "The same", "extends": BASELINE})
    page = open_page()
    page.selectbox[1].set_value(HIRE).run()
    assert "Nothing changes: the two scenarios say the same." in plain(page)
    chosen = page.session_state["chosen"]
    pages.answered(page, pages.compared(chosen.before, chosen.after))
    assert not page.exception
    assert {card.delta for card in page.metric} <= {"0.00 points", "USD 0", "0.00", "0.000"}


# --- taken along --------------------------------------------------------------------------------------------


def test_the_scenario_file_of_moved_levers_is_the_scenario_that_ran(
    own_folder: Path, world: World, files: pages.Files
) -> None:
    page = open_page()
    named(page.slider, "Support headcount").set_value(3).run()
    answer = pages.answered(page, world.comparison.result)
    (own_folder / drafts.ADJUSTED_FILE).write_text(files["Scenario file"](), encoding="utf-8")
    assert load_scenario(own_folder / drafts.ADJUSTED_FILE) == answer.chosen.after
    assert f"scenarios/{drafts.ADJUSTED_FILE}" in plain(page)


def test_the_scenario_file_of_a_file_as_it_is_loads_alone_and_equals_it(
    own_folder: Path, world: World, files: pages.Files
) -> None:
    page = open_page()
    answer = pages.answered(page, world.comparison.result)
    alone = own_folder / "alone"
    alone.mkdir()
    (alone / REROUTE).write_text(files["Scenario file"](), encoding="utf-8")
    assert load_scenario(alone / REROUTE) == answer.chosen.after


def test_the_csv_has_every_indicator_and_no_cell_that_a_spreadsheet_would_obey(
    own_folder: Path, files: pages.Files
) -> None:
    write(own_folder / HIRE, {"name": "=cmd|'/c calc'!A1", "extends": REROUTE})
    page = open_page()
    page.selectbox[1].set_value(HIRE).run()
    chosen = page.session_state["chosen"]
    found = pages.compared(chosen.before, chosen.after)
    pages.answered(page, found)
    assert not page.exception
    header, *rows = csv_rows(files["KPIs as CSV"]())
    assert [row[header.index("kpi")] for row in rows] == list(found.registry)
    assert {row[header.index("scenario")] for row in rows} == {"'=cmd|'/c calc'!A1"}
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@")), cell
        assert not cell.startswith("-") or re.fullmatch(r"-[\d.e+-]+", cell), "a minus only before digits"
    by_name = {row[header.index("kpi")]: row for row in rows}
    mean = found.scenarios[1].kpis["contribution"].mean
    assert float(by_name["contribution"][header.index("mean")]) == mean, "with all digits"


def test_the_json_is_that_of_the_command(page: AppTest, files: pages.Files, tiny: Comparison) -> None:
    page.run()
    text = files["Everything as JSON"]()
    assert text == tiny.to_json()
    assert json.loads(text)["provenance"]["seed"] == 1


@pytest.mark.parametrize("people", [1, 3])
def test_an_answer_about_ones_own_accounts_is_taken_along_with_the_list(
    own_folder: Path, world: World, files: pages.Files, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    page = open_page("accounts")
    named(page.button, "Try it with the example list").click()
    page.run()
    pages.go(page, "decide")
    named(page.slider, "Support headcount").set_value(people).run()
    answer = pages.answered(page, world.comparison.result)
    assert not page.exception
    (command,) = [text for kind, text in drawn(page) if kind == "code"]
    _, *said = shlex.split(command)
    (own_folder / Path(said[2]).name).write_text(files["Scenario file"](), encoding="utf-8")
    (own_folder / "scenarios").symlink_to(own_folder)
    (own_folder / "books").symlink_to(pages.PROJECT / "scenarios" / "books")
    monkeypatch.chdir(own_folder)
    world.comparison.let_go.set()
    assert execute(said) == 0, "the command line takes it"
    (call,) = world.comparison.calls
    assert load_scenario(call["after"], accounts=call["accounts"]) == answer.chosen.after

    pages.go(page, "accounts")
    named(page.button, "Go back to the invented book").click()
    page.run()
    pages.go(page, "decide")
    assert not page.exception
    assert "stale" in texts(page)
    assert "need the account list of this answer, which is not in use any more" in texts(page)
    assert not page.code, "a command without the list would give other numbers"


@pytest.mark.parametrize("name", [REROUTE, "it's 100 % [odd] $HOME.yaml"])
def test_the_command_is_accepted_and_compares_what_ran(
    own_folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (own_folder / name).write_bytes((own_folder / REROUTE).read_bytes())
    page = open_page()
    page.selectbox[1].set_value(name)
    page.number_input(key="seed").set_value(0)
    page.number_input(key="replications").set_value(12).run()
    answer = pages.answered(page, world.comparison.result)
    (command,) = [text for kind, text in drawn(page) if kind == "code"]
    program, *said = shlex.split(command)
    assert program == "csm-planner"
    (own_folder / "scenarios").symlink_to(own_folder)
    monkeypatch.chdir(own_folder)
    world.comparison.let_go.set()
    assert execute(said) == 0, "the command line takes it"
    (call,) = world.comparison.calls
    assert (call["seed"], call["replications"]) == (0, 12)
    assert load_scenario(call["before"]) == answer.chosen.before
    assert load_scenario(call["after"]) == answer.chosen.after


def test_a_stale_answer_is_taken_along_with_its_own_question(page: AppTest, files: pages.Files) -> None:
    runs.ENDS.clear()
    page.number_input(key="seed").set_value(9).run()
    assert "stale" in texts(page)
    (command,) = [text for kind, text in drawn(page) if kind == "code"]
    assert command.endswith("--seed 1"), "the command of the numbers above it"
    pages.go(page, "accounts")
    named(page.button, "Try it with the example list").click()
    page.run()
    pages.go(page, "decide")
    assert page.code[0].value == command, "a list that came later does not belong to them"
