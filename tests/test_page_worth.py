"""The page What the team is worth: run from there, told in sentences and a picture, taken along."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pages
import pytest
from pages import BASELINE, Held, World, csv_rows, drawn, frame, go, named, open_page, plain, texts, wait_for_end
from streamlit.testing.v1 import AppTest

from planner import charts, jobs, worth_page
from sim.scenario import load_scenario
from sim.study.executors import InThisProcess
from sim.study.experiment import worth
from sim.study.statistics import Estimate
from sim.study.worth import Ratio, Worth

pytest_plugins = ("pages",)


@pytest.fixture(scope="module")
def found(small_folder: Any) -> Worth:
    """A real answer for the small company, two replications."""
    return worth(load_scenario(small_folder / BASELINE), replications=2, pool=InThisProcess())


class HeldWorth(Held):
    """Stands for `worth`, which has one scenario and not several to compare."""

    def __call__(self, scenario: Any, **options: Any) -> Any:  # type: ignore[override]
        return super().__call__(scenario, [scenario], **options)


@pytest.fixture
def held(world: World, found: Worth, monkeypatch: pytest.MonkeyPatch) -> HeldWorth:
    study = HeldWorth(found)
    monkeypatch.setattr("sim.study.experiment.worth", study)
    worth_page.WORTHS.clear()
    return study


def begun(held: HeldWorth) -> AppTest:
    """The page with its job under way."""
    page = open_page("worth")
    named(page.button, "Run").click()
    page.run()
    assert held.begun.acquire(timeout=pages.WAIT_SECONDS), "Run starts it"
    page.run()
    return page


def ended(page: AppTest) -> AppTest:
    if "worth job" in page.session_state:
        wait_for_end(page.session_state["worth job"])
    return page.run()


@pytest.fixture
def page(held: HeldWorth) -> AppTest:
    """The page with an answer."""
    held.let_go.set()
    opened = ended(begun(held))
    assert not opened.exception
    return opened


def test_before_a_run_the_page_says_what_it_tells_and_runs_the_baseline_of_the_page_decide(held: HeldWorth) -> None:
    page = open_page("worth")
    assert not page.exception
    assert "The company against itself without the team" in texts(page)
    assert not page.dataframe
    page = begun(held)
    assert page.get("progress")[0].text == "3 of 10 replications done, about 7 s left"
    assert named(page.button, "Run").disabled
    (call,) = held.calls
    assert call["before"].name == "Small company"
    assert call["replications"] == 30
    held.let_go.set()
    assert "the CSM team" in plain(ended(page))


def test_a_run_can_be_cancelled_and_begun_again(held: HeldWorth) -> None:
    page = begun(held)
    named(page.button, "Cancel").click()
    page.run()
    ended(page)
    assert "Cancelled." in plain(page)
    assert not named(page.button, "Run").disabled
    held.let_go.set()
    named(page.button, "Run").click()
    page.run()
    page = ended(page)
    assert "Cancelled." not in plain(page)
    assert "the CSM team" in plain(page)


def test_a_failure_is_told_with_its_reason(held: HeldWorth) -> None:
    held.error = ValueError("Small company: no team does planned work")
    held.let_go.set()
    page = ended(begun(held))
    assert not page.exception
    assert "It could not be told:" in plain(page)
    assert page.code[0].value == "Small company: no team does planned work"


def test_a_message_about_one_baseline_goes_with_it(held: HeldWorth) -> None:
    held.error = ValueError("Small company: no team does planned work")
    held.let_go.set()
    page = ended(begun(held))
    go(page, "decide")
    go(page, "worth")
    assert "It could not be told:" in plain(page), "it is still about this company"
    go(page, "decide")
    page.selectbox[0].set_value(pages.HIRE).run()
    go(page, "worth")
    assert not page.exception
    assert "It could not be told:" not in plain(page)


def test_an_answer_is_marked_where_the_question_cannot_run(page: AppTest) -> None:
    assert "stale" not in texts(page)
    go(page, "decide")
    page.selectbox[1].set_value(BASELINE).run()
    go(page, "worth")
    assert not page.exception
    assert "This answer is stale: the question on the page Decide cannot run" in texts(page)
    assert page.get("plotly_chart")


def test_another_page_and_a_new_visit_leave_the_job_alone_and_find_it_again(
    held: HeldWorth, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = begun(held)
    go(page, "risk")
    assert not page.exception
    monkeypatch.setattr("planner.page_job.SECONDS_LEFT_ALONE", -1)
    again = open_page("worth")
    assert again.get("progress"), "whoever comes back finds it"
    assert len(jobs.COMPARISONS.jobs()) == 1
    held.let_go.set()
    assert "the CSM team" in plain(ended(again))


def test_the_picture_comes_first_then_plain_sentences_then_the_table(page: AppTest, found: Worth) -> None:
    kinds = [kind for kind, _ in drawn(page) if kind in ("plotly_chart", "expander", "button")]
    assert kinds[:2] == ["plotly_chart", "plotly_chart"]
    shown = plain(page)
    assert all(sentence in shown for sentence in found.sentences)
    assert shown.index("Accounts kept, by tier") < shown.index(found.sentences[0])
    table = frame(page, "Accounts kept")
    assert len(table) == 3 * (3 + 1), "each tier and all of them; with one CSM there is no worth of one"
    assert list(table["Tier"][:4]) == ["Enterprise", "Midmarket", "Small", "All"]
    assert table["ARR at risk in the end"].str.contains(r" to .*\)$").all(), "each with its interval"
    assert "from 1 Feb 2026 on; 2 paired replications." in shown


def test_the_answer_is_there_at_the_next_visit_and_can_be_taken_along(
    page: AppTest, found: Worth, files: pages.Files
) -> None:
    again = open_page("worth")
    assert named(again.button, "Run") is None
    header, *cells = csv_rows(files["Worth as CSV"]())
    assert header[0] == "Worth of"
    assert len(cells) == 12
    assert json.loads(files["Worth as JSON"]()) == found.to_dict() | {
        "provenance": json.loads(json.dumps(found.provenance.to_dict()))
    }


def test_names_from_a_file_do_not_format_the_page(held: HeldWorth, found: Worth) -> None:
    evil = "*A* [b](http://c) =1"
    first = found.pieces[0]
    gain = replace(first.tiers[0], name=f"={evil}")
    odd = replace(found, scenario=evil, pieces=(replace(first, title=evil, tiers=(gain,), company=gain),))
    held.result = odd
    held.let_go.set()
    page = ended(begun(held))
    assert not page.exception
    assert "[b](http" not in texts(page)
    assert frame(page, "Accounts kept")["Tier"][0].startswith("'=")


def test_where_nothing_can_be_told_the_page_says_so(held: HeldWorth, found: Worth) -> None:
    nothing = Estimate(0.0, None, None, 1)
    pieces = []
    for one in found.pieces:
        gain = replace(one.company, kept=nothing, arr_kept=nothing, cost_per_account=Ratio(None, None))
        pieces.append(replace(one, tiers=(gain, gain, gain), work=gain, company=gain))
    held.result = replace(found, pieces=tuple(pieces), replications=1, failures=("Replication 1 failed.",))
    held.let_go.set()
    page = ended(begun(held))
    assert not page.exception
    assert "cannot be told" in plain(page)
    assert "It cannot be told of any of them." in plain(page), "no empty picture of costs"
    assert len(page.get("plotly_chart")) == 1
    assert set(frame(page, "Accounts kept")["Cost per account kept"]) == {"cannot tell"}
    assert "Some replications could not be had" in plain(page)


def test_the_bars_are_stacked_by_tier_and_carry_the_interval_of_their_sum() -> None:
    figure = charts.kept_by_tier(
        ["Team", "One"], ["Big", "<b>Small"], [[5.0, 10.0], [-1.0, 2.0]], [(12.0, 18.0), None], ["15 kept", "1 kept"]
    )
    big, small, sums = figure.data
    assert (list(big.x), list(small.x)) == ([5.0, -1.0], [10.0, 2.0])
    assert small.name == "&lt;b&gt;Small"
    assert list(sums.x) == [15.0, 1.0]
    assert (list(sums.error_x.array), list(sums.error_x.arrayminus)) == ([3.0, 0.0], [3.0, 0.0])
    assert figure.layout.barmode == "relative"
