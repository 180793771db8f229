"""A comparison on the page from the click to the answer: progress, waiting, cancelling, failing, coming back."""

from __future__ import annotations

import threading

import pages
import pytest
from pages import HIRE, World, finish, named, open_page, plain, press_run, texts, wait_for_end
from streamlit.testing.v1 import AppTest

from planner import jobs, page_job, runs
from sim.scenario import Problem, ScenarioError

pytest_plugins = ("pages",)


def bar(page: AppTest) -> tuple[int, str]:
    """The first progress bar: per cent and text."""
    first = page.get("progress")[0]
    return first.value, first.text


def test_a_run_shows_progress_and_then_the_answer(world: World) -> None:
    page = open_page()
    page.number_input(key="replications").set_value(10)
    page.number_input(key="seed").set_value(0)
    world.comparison.progress.estimate = "contribution +5 k *a year*"
    world.comparison.progress.notes = ("A worker process died; its replication was started again",)
    press_run(page, world)
    (call,) = world.comparison.calls
    assert (call["replications"], call["seed"]) == (10, 0), "numbers typed just before the click count"
    assert (call["before"], call["after"]) == (page.session_state["chosen"].before, page.session_state["chosen"].after)
    assert call["keep_accounts"], "the page Who is at risk needs them"
    assert named(page.button, "Run").disabled, "one comparison at a time in one page"
    assert bar(page) == (30, "3 of 10 replications done, about 7 s left")
    assert r"So far: contribution +5 k \*a year\*" in texts(page)
    assert "A worker process died; its replication was started again." in texts(page)
    assert not page.metric

    world.comparison.let_go.set()
    finish(page)
    assert not page.exception
    assert page.metric, "the answer is shown"
    assert "Press Run" not in texts(page)
    assert "decision job" not in page.session_state
    assert not named(page.button, "Run").disabled
    assert named(page.button, "Cancel") is None


def test_a_run_that_has_not_said_anything_yet_is_starting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.comparison, "progress", None)
    page = open_page()
    press_run(page, world)
    assert bar(page) == (0, "Starting…")


def test_a_run_waits_for_its_turn_and_says_how_many_come_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "at_once", 1)
    others = [open_page() for _ in range(3)]
    press_run(others[0], world)
    for other in others[1:]:
        other.number_input(key="seed").set_value(len(world.comparison.calls) + 1)
        named(other.button, "Run").click()
        other.run()
        other.run()
    assert bar(others[1]) == (0, "Waiting for a turn…")
    assert bar(others[2]) == (0, "Waiting for a turn after 1 comparison that came before…")
    named(others[1].button, "Cancel").click()
    others[1].run()
    finish(others[1])
    assert "Cancelled." in texts(others[1]), "who waits need not wait any longer"
    others[2].run()
    assert bar(others[2]) == (0, "Waiting for a turn…"), "the next one moves up"
    world.comparison.let_go.set()
    for page in (others[0], others[2]):
        finish(page)
        assert page.metric, "both get their answer"


def test_cancel_stops_the_run_and_leaves_no_answer(world: World) -> None:
    page = open_page()
    press_run(page, world)
    named(page.button, "Cancel").click()
    page.run()
    finish(page)
    assert not page.exception
    assert "Cancelled." in texts(page)
    assert not page.metric
    assert not runs.ANSWERS
    assert not named(page.button, "Run").disabled, "one can run again"
    page.selectbox[1].set_value(HIRE).run()
    assert "Cancelled." not in texts(page), "it says nothing about another question"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ScenarioError([Problem("short.yaml", 3, "weeks", "52 differs")]), "short.yaml:3: weeks: 52 differs"),
        (ValueError("seed: -1 cannot be used"), "seed: -1 cannot be used"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failed_run_says_why_without_a_traceback(world: World, error: Exception, message: str) -> None:
    world.comparison.error = error
    world.comparison.let_go.set()
    page = open_page()
    named(page.button, "Run").click()
    page.run()
    finish(page)
    assert not page.exception
    assert "The comparison failed:" in plain(page)
    assert page.code[0].value == message
    assert not named(page.button, "Run").disabled
    page.selectbox[1].set_value(HIRE).run()
    assert "failed" not in texts(page), "the message was about the file chosen before"


def test_when_too_many_run_the_page_says_so_and_can_try_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "most", 1)
    busy, page = open_page(), open_page()
    press_run(busy, world)
    named(page.button, "Run").click()
    page.run()
    assert "comparisons are under way already; try again in a minute." in texts(page)
    assert not named(page.button, "Run").disabled
    world.comparison.let_go.set()
    finish(busy)
    page.number_input(key="seed").set_value(2).run()
    press_run(page, world)
    assert "under way already" not in texts(page)


def test_an_answer_that_another_session_has_had_is_there_without_a_run(world: World) -> None:
    first = open_page()
    world.comparison.let_go.set()
    named(first.button, "Run").click()
    first.run()
    finish(first)
    second = open_page()
    assert second.metric, "equal inputs have equal answers"
    assert "stale" not in texts(second)
    assert len(world.comparison.calls) == 1


def test_a_page_that_was_left_and_loaded_again_finds_its_run_and_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = open_page()
    press_run(left, world)
    other = open_page()
    assert "decision job" not in other.session_state, "the run of a page that is open stays its own"
    assert named(other.button, "Cancel") is None

    monkeypatch.setattr(page_job, "SECONDS_LEFT_ALONE", -1)
    again = open_page(link=pages.link_in(left))
    assert named(again.button, "Cancel") is not None, "the run is found again"
    different = open_page(link=pages.link_in(left).replace('"seed":1', '"seed":2'))
    assert "decision job" not in different.session_state, "it answers another question"
    world.comparison.let_go.set()
    finish(again)
    assert again.metric
    assert len(world.comparison.calls) == 1
    assert open_page(link=pages.link_in(left)).metric, "and loaded once more it has the answer"


def test_a_run_goes_on_while_its_reader_is_on_another_page(world: World) -> None:
    page = open_page()
    press_run(page, world)
    pages.go(page, "accounts")
    world.comparison.let_go.set()
    wait_for_end(page.session_state["decision job"])
    pages.go(page, "decide")
    assert page.metric


def test_levers_moved_during_a_run_leave_its_answer_stale(world: World) -> None:
    page = open_page()
    press_run(page, world)
    named(page.slider, "Support headcount").set_value(3).run()
    assert named(page.button, "Cancel") is not None, "the run goes on"
    world.comparison.let_go.set()
    finish(page)
    assert page.metric
    assert "This answer is stale" in texts(page)
    named(page.slider, "Support headcount").set_value(1).run()
    assert "stale" not in texts(page)


def test_only_so_many_answers_are_kept_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ANSWERS_KEPT", 3)
    store: runs.Store[int] = runs.Store()
    for number in (1, 2, 3, 1, 4):
        store.keep(str(number), number)
    assert list(store) == ["3", "1", "4"]


@pytest.mark.parametrize(
    ("error", "traceback"),
    [
        (ScenarioError([Problem("short.yaml", 3, "weeks", "52 differs")]), False),
        (ValueError("seed: -1 cannot be used"), False),
        (RuntimeError("a defect"), True),
    ],
)
def test_only_defects_leave_a_traceback_in_the_server_log(
    error: Exception, traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(report: object, stop: threading.Event) -> None:
        raise error

    job = jobs.start("bad", fail)
    wait_for_end(job)
    assert job.state is jobs.State.FAILED
    assert job.error is error, "the page can show the message"
    (record,) = caplog.records
    assert bool(record.exc_info) is traceback, "bad input is told in a line; a defect needs its traceback"
    assert "bad" in record.getMessage(), "the line names the comparison"


# --- the answer at both ends of the assumptions -------------------------------------------------------------


def ends_job(page: AppTest) -> jobs.Job:
    job: jobs.Job = page.session_state["ends job"]
    return job


def test_the_answer_at_both_ends_comes_by_itself_after_the_answer(world: World) -> None:
    page = open_page()
    pages.answered(page, world.comparison.result)
    assert world.ends.begun.acquire(timeout=pages.WAIT_SECONDS)
    page.run()
    assert "With all assumptions at their low ends, and at their high ends:" in texts(page)
    assert bar(page) == (30, "3 of 10 replications done, about 7 s left")
    assert not named(page.button, "Run").disabled, "a follow-up holds nobody up"

    world.ends.let_go.set()
    wait_for_end(ends_job(page))
    page.run()
    assert not page.exception
    table = pages.frame(page, "Assumptions")
    assert list(table["Assumptions"]) == ["As they are", "All 100 at their low ends", "All 100 at their high ends"]
    assert len(set(table["Decision"])) == 1, "the same comparison stands for all three here"
    assert all(" to " in cell for name in table.columns[2:] for cell in table[name]), "no difference without interval"
    assert "3 replications each; 2 assumptions stay where they are" in texts(page)
    assert len(world.ends.calls) == 1, "drawn again, it is not computed again"
    other = open_page()
    assert len(pages.frame(other, "Assumptions")) == 3, "another session has it at once"


def test_ends_that_fail_say_why_and_leave_the_answer_alone(world: World) -> None:
    world.ends.error = ValueError("accounts: *too few*")
    world.ends.let_go.set()
    page = open_page()
    pages.answered(page, world.comparison.result)
    wait_for_end(ends_job(page))
    page.run()
    assert not page.exception
    assert r"could not be had: accounts\: \*too few\*" in texts(page)
    assert page.metric


def test_ends_of_a_question_that_was_left_make_room_for_those_of_the_next(world: World) -> None:
    page = open_page()
    pages.answered(page, world.comparison.result)
    first = ends_job(page)
    page.number_input(key="seed").set_value(2).run()
    pages.answered(page, world.comparison.result)
    wait_for_end(first)
    assert first.state is jobs.State.CANCELLED
    page.run()
    assert ends_job(page).key == page.session_state["chosen"].key
    assert not page.exception


def test_ends_that_find_no_room_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.FOLLOW_UPS, "most", 0)
    page = open_page()
    pages.answered(page, world.comparison.result)
    assert not page.exception
    assert "The answer at both ends of the assumptions is not there: 0 comparisons are under way already" in plain(page)
