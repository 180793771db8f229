"""The page Your accounts: lists of every kind, good and broken, put to use and taken back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pages
import pytest
from lists import GOOD, HEADER, MAPPING, row
from pages import World, frame, go, named, open_page, plain, texts
from streamlit.testing.v1 import AppTest
from test_bad_account_lists import CELLS, FILES, MAPPINGS

from planner import accounts_page
from sim.scenario import AccountSource, read_mapping

pytest_plugins = ("pages",)

LIST, READY = "Account list (CSV)", "Mapping file (YAML), if you have one"
USUAL = "account_id,company,plan,arr,start_date,billing,owner\n"
ANN = "A-1,Alder Ltd,Enterprise,120000,2025-03-01,annual,Ann\n"
BOB = "A-2,Beech Ltd,Small,900,2025-06-01,monthly,Bob\n"
USE, BACK = "Use these accounts", "Go back to the invented book"


def opened(data: str | bytes, mapping: str | None = None, second: bytes | None = None) -> AppTest:
    """The page with a list uploaded; a mapping file and a second list beside it, if they are given."""
    page = open_page("accounts")
    raw = data.encode() if isinstance(data, str) else data
    named(page.file_uploader, LIST).upload("list.csv", raw, "text/csv")
    if mapping is not None:
        named(page.file_uploader, READY).upload("map.yaml", mapping.encode(), "application/yaml")
    page.run()
    if second is not None:
        page.file_uploader[2].upload("crm.csv", second, "text/csv")
        page.run()
    return page


def used(page: AppTest) -> AccountSource:
    """Puts the list of the page to use."""
    button = named(page.button, USE)
    assert button is not None, texts(page)
    button.click()
    page.run()
    assert not page.exception
    source: AccountSource = page.session_state["accounts"]
    return source


def mapping_of(page: AppTest) -> dict[str, object]:
    """The mapping as the page would hand it out."""
    mapping = used(page).mapping
    assert mapping is not None
    return mapping.model_dump(exclude_defaults=True, by_alias=True)


# --- without a list -----------------------------------------------------------------------------------------


def test_without_a_list_the_page_says_what_it_wants_and_offers_the_example(world: World) -> None:
    page = open_page("accounts")
    assert not page.exception
    assert [one.label for one in page.file_uploader] == [LIST, READY]
    assert [one.label for one in page.button] == ["Try it with the example list"]
    assert "nothing is kept on disk" in texts(page)


def test_without_the_example_file_none_is_offered(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_page, "EXAMPLE", tmp_path / "gone.csv")
    assert not open_page("accounts").button


def test_the_example_is_used_on_all_pages_until_it_is_taken_back(world: World) -> None:
    page = open_page()
    pages.answered(page, world.comparison.result)
    named(page.slider, "Support headcount").set_value(3).run()
    go(page, "accounts")
    named(page.button, "Try it with the example list").click()
    page.run()
    assert not page.exception
    assert "In use on all pages: **scenarios/books/example.csv**, 300 accounts." in plain(page), "no path of the server"
    assert any("300 accounts" in text for kind, text in pages.drawn(page) if kind == "markdown"), "what was read"

    go(page, "decide")
    assert not page.exception
    assert "Your accounts are in use: scenarios/books/example.csv." in plain(page)
    chosen = page.session_state["chosen"]
    assert len(chosen.before.book) == len(chosen.after.book) == 300
    assert chosen.draft.change is None, "the levers go where the file has them"
    assert chosen.draft.accounts is not None
    assert "stale" in texts(page), "the answer was one of the invented book"

    go(page, "accounts")
    named(page.button, BACK).click()
    page.run()
    assert named(page.button, BACK) is None
    go(page, "decide")
    assert page.session_state["chosen"].before.book is None
    assert page.session_state["chosen"].draft.accounts is None
    assert "stale" not in texts(page), "the answer of the invented book fits again"


def test_a_list_in_use_that_does_not_fit_another_baseline_is_told_on_both_pages(own_folder: Path) -> None:
    fewer = {"tiers": {"small": None}, "playbooks": {"small": None}}
    pages.write(own_folder / "tiers.yaml", {"name": "T", "extends": pages.BASELINE, **fewer})
    page = opened(USUAL + ANN + BOB)
    used(page)
    go(page, "decide")
    page.selectbox[0].set_value("tiers.yaml").run()
    assert not page.exception
    assert "the scenario has no tier 'small'" in texts(page)
    assert named(page.button, "Run").disabled
    go(page, "accounts")
    assert not page.exception
    assert "The list in use does not fit the baseline any more:" in texts(page)
    named(page.button, BACK).click()
    page.run()
    assert "does not fit" not in texts(page)


# --- a list with the proposed mapping -----------------------------------------------------------------------


def test_a_list_with_usual_names_is_understood_summed_up_and_shown(world: World) -> None:
    page = opened(USUAL + ANN + BOB)
    assert not page.exception
    assert "**2 accounts**, USD 121 k per year." in plain(page)
    chosen = {one.label: one.value for one in page.selectbox}
    assert chosen["Account id"] == "account_id"
    assert chosen["ARR a year"] == "arr"
    assert chosen["MRR (if there is no ARR)"] == accounts_page.NOTHING
    assert (chosen["Enterprise is"], chosen["Small is"]) == ("enterprise", "small")
    table = frame(page, "Renewal")
    assert list(table["Account"]) == ["A-1", "A-2"]
    assert list(table["Tier"]) == ["Enterprise", "Small"]
    assert list(table["ARR"]) == [120_000, 900]
    assert list(table["Renewal"]) == [dt.date(2026, 3, 1), dt.date(2026, 2, 1)]
    assert frame(page, "plan").shape == (2, 7), "the first rows, as they are in the file"
    assert [one.label for one in page.download_button] == ["Mapping file"]


def test_the_mapping_file_that_is_handed_out_gives_the_same_list_again(world: World, files: pages.Files) -> None:
    page = opened(USUAL + ANN + BOB)
    source = used(page)
    assert read_mapping(files["Mapping file"]().encode(), "mapping.yaml") == source.mapping
    again = used(opened(USUAL + ANN + BOB, files["Mapping file"]()))
    assert again.mapping == source.mapping


def test_the_form_sets_the_day_the_tiers_by_size_the_term_and_the_headcount(world: World) -> None:
    header = "id,arr,begin\n"
    page = opened(header + "A,50000,2025-01-01\nB,100,2025-02-01\nC,7,2025-12-24\nD,5,2026-02-01\n")
    named(page.selectbox, "Start date").set_value("begin").run()
    assert not page.exception
    named(page.number_input, "Enterprise: ARR from (USD)").set_value(40_000.0)
    named(page.number_input, "Midmarket: ARR from (USD)").set_value(50.0)
    named(page.number_input, "Contract term of all, months").set_value(24)
    named(page.date_input, "The list is of").set_value(dt.date(2025, 12, 24))
    people = next(one for one in page.number_input if one.label.startswith("Accounts for each CSM"))
    people.set_value(1.5)
    page.run()
    assert not page.exception
    assert list(frame(page, "Renewal")["Tier"]) == ["Enterprise", "Midmarket", "Small"]
    assert list(frame(page, "Renewal")["Term, months"]) == [24, 24, 24]
    assert "1 that begin after 2025-12-24" in plain(page), "what was left out is said"
    assert "csm: headcount 2, from 3 accounts" in plain(page)
    mapping = mapping_of(page)
    assert mapping["tier"] == {"arr_at_least": {"enterprise": 40_000, "midmarket": 50, "small": 0}}
    assert mapping["as_of"] == dt.date(2025, 12, 24)


def test_the_form_sets_a_tier_a_term_and_a_reading_of_dates_for_what_stands_in_the_columns(world: World) -> None:
    page = opened(USUAL + "A,Co,*Gold*,9000,3.4.2025,[every](http://x) moon,Ann\nB,Do,,8000,4.4.2025,annual,Ann\n")
    assert not page.exception
    assert named(page.selectbox, "Dates are written as").value == "DD.MM.YYYY", "the cells decide it"
    labels = [one.label for one in (*page.selectbox, *page.number_input)]
    assert r"\*Gold\* is" in labels, "cells of a file cannot format the page"
    assert r"\[every\](http\://x) moon: months" in labels
    named(page.selectbox, "Dates are written as").set_value("DD.MM.YYYY")
    named(page.selectbox, r"\*Gold\* is").set_value("midmarket")
    named(page.selectbox, "(empty) is").set_value("small")
    named(page.number_input, r"\[every\](http\://x) moon: months").set_value(3)
    page.run()
    table = frame(page, "Renewal")
    assert list(table["Tier"]) == ["Midmarket", "Small"], "an empty cell has the tier that was chosen for it"
    assert list(table["Term, months"]) == [3, 12]


def test_rows_without_revenue_and_several_rows_of_an_account_are_treated_as_the_toggles_say(world: World) -> None:
    page = opened(USUAL + ANN + ANN.replace("120000", "1000") + BOB.replace("900", "0"))
    several = named(page.toggle, "Add up rows of one account")
    assert several.value, "the page proposes it, because an account is there twice"
    assert "**2 accounts**" in texts(page)
    named(page.toggle, "Leave out rows without revenue").set_value(True).run()
    assert "**1 account**, USD 121 k per year." in plain(page)
    named(page.toggle, "Add up rows of one account").set_value(False).run()
    assert "'A-1' has several rows; keep one" in texts(page)
    assert named(page.button, USE) is None, "nothing is taken over"


def test_columns_of_one_name_and_columns_without_a_name_do_not_stop_the_page(world: World) -> None:
    page = opened("x,x,,account_id,arr,start_date\n1,2,3,A,5000,2025-01-01\n")
    assert not page.exception
    assert named(page.selectbox, "ARR a year").value == "arr"
    assert "**1 account**" in texts(page)
    named(page.selectbox, "Name").set_value("x").run()
    assert "2 columns have this name" in texts(page)


@pytest.mark.parametrize("header", ["x,x,x (2)", "x (2),x,x", ",,"])
def test_the_first_rows_are_shown_whatever_the_columns_are_called(world: World, header: str) -> None:
    page = opened(f"{header},account_id,arr,start_date\n1,2,3,A,5000,2025-01-01\n")
    assert not page.exception
    assert list(page.dataframe[0].value.iloc[0])[:3] == ["1", "2", "3"]


def test_a_column_with_too_many_values_is_no_tier(world: World) -> None:
    rows = [ANN.replace("A-1", f"A-{i}").replace("Enterprise", f"Plan <{i}>") for i in range(30)]
    page = opened(USUAL + "".join(rows))
    assert not page.exception
    assert "plan has 30 values; a mapping file can name a tier for each." in plain(page)
    assert "'Plan <0>' is not" in plain(page) or "has no tier" in plain(page)


def test_a_long_list_is_shown_in_part(world: World) -> None:
    rows = [ANN.replace("A-1", f"A-{i}") for i in range(accounts_page.MOST_ROWS_TABLED + 5)]
    page = opened(USUAL + "".join(rows))
    assert not page.exception
    assert "The first 300 of 305." in texts(page)
    assert len(frame(page, "Renewal")) == 300


# --- with a mapping file ------------------------------------------------------------------------------------


def test_a_mapping_file_means_on_the_page_what_it_means_in_the_terminal(world: World) -> None:
    text = MAPPING + "as_of: 2026-01-01\nseveral_rows: sum\nheadcount: {csm: {accounts_per_person: 1.5}}\n"
    page = opened(HEADER + GOOD + row(id="A-2", plan="basic") + row(id="A-3", trial="TRUE"), text)
    assert not page.exception
    assert "**2 accounts**" in texts(page)
    found = used(page).mapping
    assert found is not None
    wanted = read_mapping(text.encode(), "map.yaml")
    assert found.tier is not None
    assert found.tier.values == {"Pro": "midmarket", "basic": "small"}
    assert found.model_copy(update={"tier": wanted.tier}) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "columns: {account: id, arr_per_year: arr, start: begin}\nterm: 24\ntier: {enterprise: 60000, small: 0}\n",
        "columns: {account: id, arr_per_year: arr, start: begin, billing: plan, owner: csm}\nterm: {Pro: 7}\n"
        "tier: {midmarket: 0}\nowner: dealt\n",
        "columns: {account: id, arr_per_year: arr, start: begin, tier: plan, term_months: term, owner: csm}\n"
        "as_of: 2101-01-03\ntier: {Pro: small}\ndrop: [{zero_arr: true}, {column: trial, is: ['true']}]\n"
        "headcount: {csm: from_owners}\n",
    ],
)
def test_what_a_mapping_file_says_is_what_the_form_begins_with(world: World, text: str) -> None:
    page = opened(HEADER + GOOD, text)
    found = used(page).mapping
    wanted = read_mapping(text.encode(), "map.yaml")
    assert found is not None
    drops = sorted(wanted.drop, key=lambda drop: drop.zero_arr)
    as_of = wanted.as_of or dt.date(2026, 1, 5)
    assert found == wanted.model_copy(update={"drop": drops, "as_of": as_of}), "and the scenario's first day"


LOOK_UP = (
    "columns: {account: id, arr_per_year: arr, start: begin}\n"
    "look_up: {file: 'crm_*1*.csv', account: aid, columns: {tier: plan, term_months: term, owner: rep}}\n"
    "tier: {Pro: midmarket}\nheadcount: {csm: from_owners}\n"
)


def test_a_mapping_that_names_a_second_list_waits_for_it_and_uses_it(world: World) -> None:
    page = opened(HEADER + GOOD, LOOK_UP)
    assert not page.exception
    assert page.file_uploader[2].label == r"The second list that the mapping names (crm\_\*1\*.csv)"
    assert "upload it too" in texts(page)
    assert named(page.button, USE) is None
    page.file_uploader[2].upload("crm.csv", b"aid,plan,term,rep\nA-1,Pro,6,Zoe\n", "text/csv")
    page.run()
    assert not page.exception
    table = frame(page, "Renewal")
    assert (table["Tier"][0], table["Term, months"][0], table["Owner"][0]) == ("Midmarket", 6, "Zoe")
    assert used(page).look_up is not None


def test_a_second_list_that_is_broken_is_told_with_its_name(world: World) -> None:
    page = opened(HEADER + GOOD, LOOK_UP, b"aid,plan,term,rep\nA-1,Pro,6,Zoe\nA-1,Pro,6,Bob\n")
    assert "crm_*1*.csv:3: aid: the account 'A-1' is in this list twice" in page.code[0].value


# --- what is broken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_list_is_told_as_in_the_terminal(world: World, data: bytes, message: str) -> None:
    mapping = MAPPING.replace(", owner: csm", "") if b"csm" not in data else MAPPING
    page = opened(data, mapping)
    assert not page.exception
    assert page.code[0].value == message
    assert "to repair; nothing was taken over." in texts(page)
    assert named(page.button, USE) is None


# The form offers a tier for every value of the column: what a mapping leaves out is a question there, not an error.
ASKED = {"unmapped tier", "misspelt tier", "no tier"}
SOME_CELLS = {name: case for name, case in CELLS.items() if name not in ASKED}


def test_a_broken_cell_is_quoted_with_its_line_as_in_the_terminal(world: World) -> None:
    page = open_page("accounts")
    named(page.file_uploader, READY).upload("map.yaml", MAPPING.encode(), "application/yaml")
    for name, (cells, message) in SOME_CELLS.items():
        raw = (HEADER + row(id="A-0") + row(**cells)).encode()
        named(page.file_uploader, LIST).upload("list.csv", raw, "text/csv")
        page.run()
        assert not page.exception, name
        assert page.code[0].value == f"list.csv:3: {message}", name
        assert named(page.button, USE) is None, name


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_tier_that_a_mapping_leaves_out_is_asked_for_on_the_page(world: World, name: str) -> None:
    cells, _ = CELLS[name]
    page = opened(HEADER + row(id="A-0") + row(**cells), MAPPING)
    assert not page.exception
    assert named(page.selectbox, f"{cells['plan'] or '(empty)'} is") is not None
    assert "**2 accounts**" in texts(page)


@pytest.mark.parametrize(("text", "messages"), MAPPINGS.values(), ids=MAPPINGS)
def test_a_broken_mapping_is_told_line_by_line_as_in_the_terminal(world: World, text: str, messages: list[str]) -> None:
    page = opened(HEADER + GOOD, text or " ")
    assert not page.exception
    said = page.code[0].value.splitlines()
    assert sorted(line.removeprefix("the mapping:") for line in said) == sorted(messages)
    assert f"{len(messages)} problem" in texts(page)


def test_a_baseline_with_errors_is_named_and_nothing_else_is_asked(own_folder: Path) -> None:
    page = opened(USUAL + ANN)
    (own_folder / pages.BASELINE).write_text("name: Broken\nweks: 52\n", encoding="utf-8")
    page.run()
    assert not page.exception
    assert "baseline.yaml has errors; choose another baseline on the page Decide." in plain(page)
    assert not page.selectbox


def test_a_baseline_without_named_owners_asks_for_no_headcount(own_folder: Path) -> None:
    pages.write_company(own_folder, {"teams.csm.named_owner": False})
    page = opened(USUAL + ANN)
    assert not page.exception
    assert not [one for one in page.number_input if one.label.startswith("Accounts for each")]
    assert "**1 account**" in texts(page)


# --- apart --------------------------------------------------------------------------------------------------


def test_a_list_in_use_is_seen_by_its_own_session_only(world: World) -> None:
    mine, theirs = opened(USUAL + ANN + BOB), open_page("accounts")
    used(mine)
    for path in ("accounts", "decide", "risk"):
        go(mine, path)
        go(theirs, path)
        assert "list.csv" not in plain(theirs)
    assert theirs.session_state["chosen"].before.book is None
    assert len(mine.session_state["chosen"].before.book) == 2
