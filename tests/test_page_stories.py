"""The page Stories: whose story, told as a picture and in words, found again by its link, taken along."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pages
import pytest
from pages import BASELINE, PROJECT, REROUTE, World, csv_rows, drawn, go, named, plain, texts, wait_for_end
from streamlit.testing.v1 import AppTest

from planner import draft as drafts
from planner import jobs, stories_page
from sim.study import tellable

pytest_plugins = ("pages",)


@pytest.fixture(autouse=True)
def nothing_known(world: World) -> None:
    """No stories are known at first."""
    stories_page.CASTS.clear()
    stories_page.STORIES.clear()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A history that waits in its first week until the test lets it go; it obeys `cancel`."""
    let_go, cast = threading.Event(), tellable.cast

    def held(scenario: Any, **luck: Any) -> Any:
        luck["cancel"]()
        luck["cancel"]()
        deadline = time.monotonic() + pages.WAIT_SECONDS
        while not let_go.wait(0.005):
            assert time.monotonic() < deadline, "the test never let the history go"
            if luck["cancel"]():
                raise RuntimeError("interrupted")
        return cast(scenario, **luck)

    monkeypatch.setattr("sim.study.tellable.cast", held)
    yield let_go
    let_go.set()


def visit(**link: str) -> AppTest:
    """A fresh visit of the page, by a link if one is given."""
    page = AppTest.from_file(str(PROJECT / "planner_app.py"), default_timeout=60)
    page._page_hash = pages.calc_hash("stories")
    for name, value in link.items():
        page.query_params[name] = value
    return page.run()


def ended(page: AppTest) -> AppTest:
    if "stories job" in page.session_state:
        wait_for_end(page.session_state["stories job"])
    return page.run()


def told(page: AppTest) -> AppTest:
    """The page after Run."""
    named(page.button, "Run").click()
    page.run()
    page = ended(page)
    assert not page.exception
    return page


def address(page: AppTest) -> dict[str, str]:
    """The link in the page's address."""
    found = {name: value[0] if isinstance(value, list) else value for name, value in page.query_params.items()}
    return {name: str(value) for name, value in found.items()}


def test_an_empty_page_says_what_a_story_is_and_offers_to_run() -> None:
    page = visit()
    assert not page.exception
    assert "One simulated history of one account or one person" in texts(page)
    assert not named(page.button, "Run").disabled
    assert named(page.selectbox, "Account") is None, "nobody is known before a history has run"
    assert not page.get("plotly_chart")
    assert address(page) == {}


def test_a_running_story_shows_its_weeks_and_can_be_cancelled(gate: threading.Event) -> None:
    page = visit()
    named(page.button, "Run").click()
    page.run()
    deadline = time.monotonic() + pages.WAIT_SECONDS
    while (job := page.session_state["stories job"]).progress is None or not job.progress.done:
        assert time.monotonic() < deadline, "the job tells its weeks"
        time.sleep(0.005)
    page.run()
    assert " weeks done" in page.get("progress")[0].text
    assert named(page.button, "Run").disabled
    named(page.button, "Cancel").click()
    page.run()
    page = ended(page)
    assert "Cancelled." in plain(page)
    gate.set()
    page = told(page)
    assert "Cancelled." not in plain(page)
    assert page.get("plotly_chart")


def test_the_first_story_is_the_most_telling_one_and_the_picture_comes_before_the_words() -> None:
    page = told(visit())
    history = tellable.cast(pages.load_scenario(drafts.FOLDER / BASELINE))
    who = named(page.selectbox, "Account")
    assert who.value == history.accounts[0].account
    assert who.options[0] == f"{history.accounts[0].account}: {history.accounts[0].words}"
    assert len(who.options) == len(history.accounts)
    kinds = [kind for kind, text in drawn(page) if kind == "plotly_chart" or text == "**What happened**"]
    assert kinds == ["plotly_chart", "markdown"]
    assert f"{who.value} in" not in plain(page)
    assert "ARR USD" in plain(page)
    assert f"csm-planner trace scenarios/baseline.yaml --account {who.value} --replication 0 --seed 1" in texts(page)


def test_another_account_is_told_at_once_and_the_link_follows(files: pages.Files) -> None:
    page = told(visit())
    other = named(page.selectbox, "Account").options[5].split(":")[0]
    named(page.selectbox, "Account").set_value(other).run()
    page = ended(page)
    assert page.subheader[0].value == other
    link = address(page)
    assert link == {"scenario": BASELINE, "account": other, "replication": "0", "seed": "1"}
    again = ended(visit(**link))
    assert not again.exception
    assert again.subheader[0].value == other
    header, *rows = csv_rows(files["Events as CSV"]())
    assert header == ["date or month", "what happened"]
    assert len(rows) > 3
    facts = json.loads(files["Everything as JSON"]())
    assert facts["account"]["who"]["account"] == other
    assert facts["account"]["weeks"][0]["day"] == "2026-01-11"


def test_a_link_is_read_once_so_that_the_widgets_win_afterwards() -> None:
    page = ended(visit(scenario=BASELINE, account="small-3", replication="1", seed="2"))
    assert page.subheader[0].value == "small-3"
    assert "history 1, seed 2" in plain(page)
    named(page.selectbox, "Scenario").set_value(REROUTE).run()
    page = ended(page)
    assert page.subheader[0].value == "small-3", "the same account in the other scenario"
    assert address(page) == {"scenario": REROUTE, "account": "small-3", "replication": "1", "seed": "2"}
    page.run()
    assert named(page.selectbox, "Scenario").value == REROUTE


def test_a_person_is_told_under_the_heading_that_it_is_no_statement(files: pages.Files) -> None:
    page = ended(visit(agent="support 1"))
    assert not page.exception
    shown = plain(page)
    assert page.subheader[0].value == "Support 1"
    assert "**Simulated, not a statement about a person.**" in shown
    assert "Burnout and fatigue: from 0 to 1" in shown
    assert named(page.selectbox, "Simulated person").value == "Support 1"
    assert address(page)["agent"] == "Support 1"
    assert csv_rows(files["Events as CSV"]())[0][1] == "what happened (simulated, not a statement about a person)"
    assert json.loads(files["Everything as JSON"]())["note"] == "simulated, not a statement about a person"
    page.button_group[0].set_value("account")
    page.run()
    assert named(ended(page).selectbox, "Account") is not None, "the other kind, from the same history"


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ({"account": "smal-3"}, "'smal-3' is no account of replication 0; did you mean 'small-3'?"),
        ({"agent": "Nobody 1"}, "'Nobody 1' is nobody in this scenario"),
        ({"scenario": "gone.yaml"}, "This link needs the scenario file gone.yaml, which is not there."),
        ({"account": "small-1", "agent": "CSM 1"}, "This link names an account and a person"),
        ({"account": "small-1", "seed": "-1"}, "This link's seed is '-1'; it is a whole number from 0 to"),
        ({"account": "small-1", "replication": "100000"}, "This link's replication is '100000'"),
        ({"account": "small-1", "replication": "²"}, "This link's replication is '²'"),
    ],
)
def test_a_link_that_cannot_be_followed_says_why_and_leaves_a_page_that_works(
    link: dict[str, str], message: str
) -> None:
    page = ended(visit(**link))
    assert not page.exception
    assert message in plain(page)
    page = told(page)
    assert page.get("plotly_chart")
    assert message not in plain(page)


def test_a_file_with_errors_is_told_and_nothing_runs(own_folder: Any) -> None:
    (own_folder / REROUTE).write_text("extends: baseline.yaml\nweeks: -1\n", encoding="utf-8")
    page = visit()
    named(page.selectbox, "Scenario").set_value(REROUTE).run()
    assert not page.exception
    assert "has errors and cannot run" in plain(page)
    assert named(page.button, "Run").disabled


def test_the_choice_is_there_after_another_page_and_the_job_is_found_again(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit()
    page.button_group[0].set_value("agent")
    page.run()
    named(page.button, "Run").click()
    page.run()
    go(page, "risk")
    assert not page.exception
    go(page, "stories")
    assert page.button_group[0].value == "agent"
    assert len(jobs.COMPARISONS.jobs()) == 1
    monkeypatch.setattr("planner.page_job.SECONDS_LEFT_ALONE", -1)
    again = visit()
    again.button_group[0].set_value("agent")
    again.run()
    assert again.get("progress"), "whoever wants the same finds the job"
    gate.set()
    assert ended(again).subheader[0].value == "CSM 1"


def test_whoever_was_chosen_is_not_sought_in_another_account_list() -> None:
    page = ended(visit(account="small-3"))
    assert page.subheader[0].value == "small-3"
    go(page, "accounts")
    named(page.button, "Try it with the example list").click()
    page.run()
    go(page, "stories")
    page = told(page)
    assert "cannot be told" not in plain(page)
    assert page.subheader[0].value == named(page.selectbox, "Account").value != "small-3"


def test_names_from_a_list_do_not_format_the_page(monkeypatch: pytest.MonkeyPatch, files: pages.Files) -> None:
    page = told(visit())
    story = next(iter(stories_page.STORIES.values()))
    who = replace(story.trace.story.who, account="*A* [b](http://c)", name="=1 <b>")  # type: ignore[union-attr]
    story.trace = replace(story.trace, story=replace(story.trace.story, who=who))  # type: ignore[type-var]
    page.run()
    assert not page.exception
    assert "[b](http" not in texts(page) + page.subheader[0].value
