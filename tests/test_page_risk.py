"""The page Who is at risk: run from there, sorted, filtered, for either scenario, and taken along."""

from __future__ import annotations

import re
from dataclasses import replace

import pages
import pytest
from pages import World, csv_rows, finish, frame, go, named, open_page, plain, texts, wait_for_end
from streamlit.testing.v1 import AppTest

from planner import risk_page, words
from sim.study.results import Comparison
from sim.study.risk import RiskReport

pytest_plugins = ("pages",)


@pytest.fixture
def page(world: World) -> AppTest:
    """The page with an answer."""
    return with_answer(world.comparison.result)


def with_answer(comparison: Comparison) -> AppTest:
    opened = open_page("risk")
    pages.answered(opened, comparison)
    assert not opened.exception
    return opened


def rows(page: AppTest) -> list[str]:
    """The accounts in the table, from the top down."""
    return list(frame(page, "Would sign")["Account"])


def report_of(comparison: Comparison, scenario: int = 0) -> RiskReport:
    assert comparison.risk is not None
    return comparison.risk[scenario]


def test_before_a_run_the_page_says_what_it_shows_and_can_run_itself(world: World) -> None:
    page = open_page("risk")
    assert not page.exception
    assert "Each account of the opening book: how likely it would sign" in texts(page)
    assert not page.dataframe
    named(page.button, "Run").click()
    page.run()
    assert world.comparison.begun.acquire(timeout=pages.WAIT_SECONDS)
    page.run()
    assert page.get("progress")[0].text == "3 of 10 replications done, about 7 s left"
    assert named(page.button, "Cancel") is not None
    world.comparison.let_go.set()
    finish(page)
    assert not page.exception
    assert len(rows(page)) == 30
    assert named(page.button, "Run") is None
    go(page, "decide")
    assert page.metric, "the page Decide has the answer too"


def test_a_run_from_the_page_decide_fills_this_page(world: World) -> None:
    page = open_page()
    pages.press_run(page, world)
    go(page, "risk")
    assert page.get("progress")
    world.comparison.let_go.set()
    wait_for_end(page.session_state["decision job"])
    page.run()
    assert len(rows(page)) == 30


def test_a_failed_run_is_told_here_too(world: World) -> None:
    world.comparison.error = ValueError("seed: -1 cannot be used")
    world.comparison.let_go.set()
    page = open_page("risk")
    named(page.button, "Run").click()
    page.run()
    finish(page)
    assert not page.exception
    assert page.code[0].value == "seed: -1 cannot be used"
    assert not named(page.button, "Run").disabled


def test_the_page_asks_what_was_asked_last_on_the_page_decide(world: World) -> None:
    page = open_page()
    page.selectbox[1].set_value(pages.HIRE)
    page.number_input(key="seed").set_value(5).run()
    go(page, "accounts")
    named(page.button, "Try it with the example list").click()
    page.run()
    go(page, "risk")
    draft = page.session_state["chosen"].draft
    assert (draft.what_if, draft.seed) == (pages.HIRE, 5), "the files and numbers chosen there, with the new list"


def test_files_that_cannot_be_compared_leave_nothing_to_run(world: World) -> None:
    page = open_page()
    page.selectbox[1].set_value(pages.BASELINE).run()
    go(page, "risk")
    assert not page.exception
    assert "are the same file" in texts(page), "and the reason is said here too"
    assert named(page.button, "Run").disabled


def test_a_page_that_was_loaded_again_finds_its_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("risk")
    pages.press_run(page, world)
    monkeypatch.setattr("planner.page_job.SECONDS_LEFT_ALONE", -1)
    again = open_page("risk")
    assert named(again.button, "Run").disabled, "else the same comparison would run twice"
    world.comparison.let_go.set()
    finish(again)
    assert len(rows(again)) == 30
    assert len(world.comparison.calls) == 1


def test_figures_of_the_question_before_are_marked_where_the_new_one_cannot_run(world: World) -> None:
    page = open_page()
    pages.press_run(page, world)
    world.comparison.let_go.set()
    finish(page)
    go(page, "risk")
    assert "stale" not in texts(page)
    go(page, "decide")
    page.selectbox[1].set_value(pages.BASELINE).run()
    go(page, "risk")
    assert not page.exception
    assert len(rows(page)) == 30
    assert "This answer is stale: the question on the page Decide cannot run" in texts(page)


def test_replications_that_could_not_be_had_are_told(world: World, tiny: Comparison) -> None:
    page = with_answer(replace(tiny, failures=("Replication 1 failed.",)))
    assert "Some replications could not be had" in texts(page)


def test_the_accounts_stand_with_the_largest_expected_loss_first(page: AppTest, tiny: Comparison) -> None:
    accounts = report_of(tiny).accounts
    assert rows(page) == [accounts.account[i] for i in accounts.worst_first()]
    table = frame(page, "Would sign")
    assert list(table["Expected loss"]) == sorted(table["Expected loss"], reverse=True)
    first = accounts.worst_first()[0]
    assert table["Would sign"].iloc[0] == pytest.approx(100 * min(accounts.would_sign.mean[first], 1))
    assert table["Interval"].iloc[0].endswith(" %")
    assert "Name" not in table.columns, "an invented book has no names"
    assert f"Of **30 accounts** with **USD {accounts.arr_per_year.sum() / 1000:.0f} k per year**" in plain(page)
    assert "From 3 simulated histories; intervals at 95 %" in plain(page)
    leaving = report_of(tiny).leaving.clipped()
    ends = words.span([float(leaving.low), float(leaving.high)], "")
    assert f"({ends}) are expected to have left" in plain(page)


def test_filters_by_tier_owner_and_text_leave_the_accounts_that_have_all_of_it(
    page: AppTest, tiny: Comparison, files: pages.Files
) -> None:
    everything = frame(page, "Would sign")
    page.multiselect[0].set_value(["enterprise", "small"]).run()
    tiers = frame(page, "Would sign")
    assert set(tiers["Tier"]) == {"Enterprise", "Small"}
    assert len(tiers) == 20
    owner = everything["Owner"][everything["Owner"] != ""].iloc[0]
    named(page.selectbox, "Owner").set_value(owner).run()
    owned = frame(page, "Would sign")
    assert 0 < len(owned) == (tiers["Owner"] == owner).sum()
    sought = owned["Account"].iloc[0]
    page.text_input[0].set_value(sought.upper()).run()
    found = frame(page, "Would sign")
    assert sought in list(found["Account"]), "capitals do not count"
    assert all(sought.casefold() in name.casefold() for name in found["Account"])
    header, *cells = csv_rows(files["These accounts as CSV"]())
    assert [row[header.index("account")] for row in cells] == list(found["Account"])
    page.text_input[0].set_value("(no such [account").run()
    assert not page.exception, "what is sought is a text, no pattern"
    assert len(frame(page, "Would sign")) == 0
    assert "0 accounts, the largest" in plain(page)


def test_the_other_scenario_has_its_own_figures(page: AppTest, tiny: Comparison) -> None:
    switch = page.button_group[0]
    assert switch.options == ["Small company", "Reroute support calls"]
    loss = report_of(tiny, 1).accounts.arr_loss.mean
    switch.set_value("Reroute support calls")
    page.run()
    assert not page.exception
    assert frame(page, "Would sign")["Expected loss"].iloc[0] == round(max(loss))


def test_the_calendar_has_a_row_for_each_month_and_tier(page: AppTest, tiny: Comparison, files: pages.Files) -> None:
    page.run()
    calendar = report_of(tiny).calendar
    table = frame(page, "ARR up for renewal (USD)")
    assert len(table) == len(calendar.months) * len(calendar.tiers)
    assert table["ARR up for renewal (USD)"].sum() == pytest.approx(calendar.arr_up.sum(), abs=len(table))
    loss = table["Expected loss (USD)"]
    assert ((table["95 % from"] <= loss) & (loss <= table["95 % to"])).all(), "a mean lies in its interval"
    assert (table["95 % from"] < table["95 % to"]).any()
    header, *cells = csv_rows(files["Calendar as CSV"]())
    assert header == list(table.columns)
    assert len(cells) == len(table)
    assert any(kind == "plotly_chart" for kind, _ in pages.drawn(page))


def test_names_from_a_list_or_a_file_neither_format_the_page_nor_become_formulas(
    world: World, tiny: Comparison, files: pages.Files
) -> None:
    report = report_of(tiny)
    evil = ("=cmd|'/c calc'!A1", "@SUM(1)", "+1", "-2+3", "\t=1", *report.accounts.account[5:])
    names = tuple("[a](http://b) <b>" for _ in evil)
    accounts = replace(report.accounts, account=evil, name=names, owner=names)
    named_oddly = replace(report, accounts=accounts, scenario="*A* [b](http://c)")
    page = with_answer(replace(tiny, risk=(named_oddly, report_of(tiny, 1))))
    assert page.button_group[0].options[0] == r"\*A\* \[b\](http\://c)"
    assert "Name" in frame(page, "Would sign").columns
    assert "[a](http" not in texts(page)
    header, *cells = csv_rows(files["All accounts as CSV"]())
    assert len(cells) == 30
    assert {row[header.index("account")] for row in cells} >= {f"'{text}" for text in evil[:5]}
    for cell in (cell for row in cells for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t")), cell
        assert not cell.startswith("-") or re.fullmatch(r"-[\d.e+-]+", cell), cell


def test_one_history_has_no_interval(world: World, tiny: Comparison) -> None:
    report = report_of(tiny)
    means = replace(report.accounts.would_sign, low=report.accounts.would_sign.mean * float("nan"))
    alone = replace(report, replications=1, accounts=replace(report.accounts, would_sign=means))
    page = with_answer(replace(tiny, risk=(alone, report_of(tiny, 1))))
    assert "From 1 simulated history;" in plain(page)
    assert set(frame(page, "Would sign")["Interval"]) == {"–"}


def test_the_columns_are_in_per_cent_and_whole_money(tiny: Comparison) -> None:
    table = risk_page.shown_rows(report_of(tiny).to_frame())
    assert table["Would sign"].between(0, 100).all()
    assert table["Left in a year"].max() > 1, "per cent, no shares"
    assert (table["ARR"] == table["ARR"].round()).all()
    assert table["Loss interval"].str.contains(" to ").all()
    nothing = report_of(tiny).to_frame().assign(expected_arr_loss_low=None)
    assert set(risk_page.shown_rows(nothing)["Loss interval"]) == {"–"}
