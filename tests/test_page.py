"""Each state of the page, without a browser: what it shows and what it keeps.

The comparison itself is replaced by one that waits to be let go, so that every state can be held still.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from planner import charts, jobs, words
from planner.__main__ import free_port
from sim.scenario import Problem, ScenarioError
from sim.study.kpis import HEADLINE, Kpi

SENTENCE = "Rerouting costs more than it brings."
WAIT_SECONDS = 20
KPIS = {
    name: Kpi(name, name, "score", "all accounts", "lower", "made up for the test", 0.01)
    for name in (*HEADLINE, "saves_share")
}


@dataclass
class HeldComparison:
    """Stands for `sim.study.experiment.compare`: reports once, waits for `let_go`, obeys `cancel`."""

    let_go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    error: Exception | None = None
    failures: tuple[str, ...] = ()
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(
        self,
        baseline: Any,
        scenarios: Any,
        *,
        replications: int,
        seed: int,
        progress: Callable[[Any], None],
        cancel: Callable[[], bool],
        pool: Any,
    ) -> Any:
        names = [baseline.name, *(scenario.name for scenario in scenarios)]
        self.calls.append({"names": names, "replications": replications, "seed": seed})
        progress(
            SimpleNamespace(
                done=3,
                total=replications,
                seconds_elapsed=1.0,
                seconds_left=7.0,
                estimate="contribution +5 k",
                notes=(),
            )
        )
        self.begun.release()
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.let_go.wait(0.01):
            assert time.monotonic() < deadline, "the test never let the comparison go"
            if cancel():
                raise RuntimeError("interrupted")
        if self.error:
            raise self.error
        return SimpleNamespace(
            to_dict=lambda: made_up_result(names, replications, seed), registry=KPIS, failures=self.failures
        )


def made_up_result(names: list[str], replications: int, seed: int) -> dict[str, Any]:
    kpis = {name: {"mean": 0.25 + seed / 100, "ci95": [0.2, 0.3], "sd": 0.05, "unit": "score"} for name in HEADLINE}
    kpis["saves_share"] = {"mean": None, "ci95": None, "sd": None, "unit": "share"}
    differences: dict[str, Any] = {
        name: {"mean": -0.05, "ci95": [-0.07, -0.03], "ci95_adjusted": [-0.08, -0.02], "verdict": "better"}
        for name in HEADLINE
    }
    differences["saves_share"] = {"mean": None, "ci95": None, "ci95_adjusted": None, "verdict": None}
    return {
        "provenance": {},
        "decision": [{"scenario": names[1], "verdict": "does not pay", "sentence": SENTENCE}],
        "scenarios": [{"name": name, "replications": replications, "kpis": kpis} for name in names],
        "differences": [{"scenario": names[1], "baseline": names[0], "kpis": differences}],
    }


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldComparison]:
    held = HeldComparison()
    monkeypatch.setattr("sim.study.experiment.compare", held)
    yield held
    held.let_go.set()


@pytest.fixture
def page(project: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(project)
    return open_page(project)


@pytest.fixture
def own_folder(tmp_path: Path, scenario_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped scenarios, from which the page takes its files."""
    for path in scenario_folder.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr("planner.app.FOLDER", tmp_path)
    return tmp_path


def open_page(project: Path) -> AppTest:
    return AppTest.from_file(str(project / "planner_app.py"), default_timeout=30).run()


def button(page: AppTest, label: str) -> Any:
    return next((element for element in page.button if element.label == label), None)


def texts(page: AppTest) -> str:
    kinds = ("success", "warning", "error", "info", "caption", "markdown", "code")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind))


def press_run(page: AppTest, comparison: HeldComparison) -> None:
    button(page, "Run").click()
    page.run()
    assert comparison.begun.acquire(timeout=WAIT_SECONDS), "Run starts the comparison"
    page.run()


def finish(page: AppTest) -> None:
    """Waits until the page's job has ended, then draws the page as its fragment would."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not page.session_state["job"].state.ended:
        assert time.monotonic() < deadline, "the job must end after it was let go or cancelled"
        time.sleep(0.01)
    page.run()


def test_a_fresh_page_is_ready_to_run_the_reroute_question(page: AppTest) -> None:
    assert not page.exception
    assert [picker.value for picker in page.selectbox] == ["baseline.yaml", "reroute_support_calls.yaml"], (
        "the question that everybody asks first is chosen already"
    )
    assert not button(page, "Run").disabled
    assert button(page, "Cancel") is None, "there is nothing to cancel yet"
    assert not page.metric, "no numbers before a run"


def test_the_same_file_twice_cannot_run(page: AppTest) -> None:
    page.selectbox[1].set_value("baseline.yaml").run()
    assert button(page, "Run").disabled
    assert "same file" in texts(page), "the page says why Run is off"


def test_a_broken_file_shows_its_errors_and_cannot_run(own_folder: Path, project: Path) -> None:
    (own_folder / "broken.yaml").write_text("name: Broken\nextends: baseline.yaml\nweks: 52\n", encoding="utf-8")
    page = open_page(project)
    page.selectbox[1].set_value("broken.yaml").run()
    assert not page.exception, "a broken file is no reason for a traceback"
    assert "broken.yaml:3" in texts(page), "the error names file and line"
    assert "weks" in texts(page)
    assert button(page, "Run").disabled


def test_the_pickers_list_only_files_that_one_could_open(own_folder: Path, project: Path) -> None:
    shipped = sorted(path.name for path in own_folder.iterdir())
    (own_folder / "dangling.yaml").symlink_to(own_folder / "nowhere")
    (own_folder / ".#baseline.yaml").symlink_to("somebody@machine.123")
    (own_folder / ".hidden.yaml").write_text("name: Hidden\n", encoding="utf-8")
    (own_folder / "folder.yaml").mkdir()
    os.mkfifo(own_folder / "pipe.yaml")
    page = open_page(project)
    assert not page.exception, "an editor's lock or a dead link beside the scenarios does not stop the page"
    assert page.selectbox[0].options == shipped, "hidden names, dead links, folders and pipes are no scenarios"
    assert not button(page, "Run").disabled


def test_a_chosen_file_that_vanishes_does_not_stop_the_page(own_folder: Path, project: Path) -> None:
    page = open_page(project)
    page.selectbox[1].set_value("one_more_csm.yaml").run()
    (own_folder / "one_more_csm.yaml").unlink()
    page.run()
    assert not page.exception, "files come and go while the page is open"
    assert "one_more_csm.yaml" not in page.selectbox[1].options
    assert page.selectbox[1].value in page.selectbox[1].options, "another file is chosen instead"


def test_a_folder_that_vanishes_is_told(own_folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.app.FOLDER", own_folder / "gone")
    page = open_page(project)
    assert not page.exception
    assert "there are none" in texts(page), "the page says what it needs and that it found nothing"


def test_scenarios_that_cannot_be_compared_are_told_before_run(own_folder: Path, project: Path) -> None:
    (own_folder / "short.yaml").write_text("name: Short\nextends: baseline.yaml\nweeks: 52\n", encoding="utf-8")
    page = open_page(project)
    page.selectbox[1].set_value("short.yaml").run()
    assert not page.exception
    assert button(page, "Run").disabled, "a run that must fail is not offered"
    assert "short.yaml: weeks: 52 differs from the baseline's 104" in texts(page), "the reason names file and field"
    page.selectbox[1].set_value("one_more_csm.yaml").run()
    assert "cannot be compared" not in texts(page)
    assert not button(page, "Run").disabled, "another file can be compared"


def test_a_folder_with_one_file_says_what_is_missing(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lonely.yaml").write_text("name: Lonely\n", encoding="utf-8")
    monkeypatch.setattr("planner.app.FOLDER", tmp_path)
    page = open_page(project)
    assert not page.exception
    assert "Two scenario files are needed" in texts(page)


def test_a_run_shows_progress_then_the_answer(page: AppTest, comparison: HeldComparison) -> None:
    page.number_input(key="replications").set_value(10)
    page.number_input(key="seed").set_value(0)
    press_run(page, comparison)
    assert comparison.calls[0]["replications"] == 10
    assert comparison.calls[0]["seed"] == 0, "seed 0 is a seed"
    assert button(page, "Run").disabled, "one comparison at a time in one page"
    assert button(page, "Cancel") is not None
    bar = page.get("progress")[0].proto
    assert bar.value == 30, "3 of 10 replications are 30 %"
    assert bar.text == "3 of 10 replications done, about 7 s left"
    assert "contribution +5 k" in texts(page), "the current interval is shown while it runs"

    comparison.let_go.set()
    finish(page)
    assert not page.exception
    assert SENTENCE in texts(page)
    assert "widened so that the verdicts hold together" in texts(page), "what an adjusted interval is"
    assert "Difference, adjusted interval: −0.080 to −0.020" in texts(page), "a card says which interval it shows"
    assert "Does not pay" in page.error[0].value
    assert len(page.metric) == len(HEADLINE), "a card for each headline number"
    assert {card.delta for card in page.metric} == {"−0.050"}
    table = page.dataframe[0].value
    assert len(table) == len(HEADLINE) + 1, "the table has every indicator"
    row = table[table["Name"] == "saves_share"].iloc[0]
    assert row["Baseline"] == row["Difference"] == words.MISSING, "what could not be measured is not a zero"
    assert not button(page, "Run").disabled
    assert button(page, "Cancel") is None


def test_an_answer_outlives_the_next_clicks_and_is_marked_when_stale(page: AppTest, comparison: HeldComparison) -> None:
    comparison.let_go.set()
    press_run(page, comparison)
    if "job" in page.session_state:
        finish(page)
    page.run()
    assert SENTENCE in texts(page), "the answer stays when the page is drawn again"
    assert "stale" not in texts(page)

    page.number_input(key="seed").set_value(7).run()
    assert "stale" in texts(page), "other inputs than those of the answer"
    assert SENTENCE in texts(page), "the old answer stays readable"

    page.number_input(key="seed").set_value(1).run()
    assert "stale" not in texts(page), "the inputs are those of the answer again"
    assert len(comparison.calls) == 1, "an answer that is known is not computed again"


def test_cancel_stops_the_run_and_leaves_no_answer(page: AppTest, comparison: HeldComparison) -> None:
    press_run(page, comparison)
    button(page, "Cancel").click()
    page.run()
    if "job" in page.session_state:
        finish(page)
    assert not page.exception
    assert "Cancelled." in texts(page)
    assert not page.metric
    assert not button(page, "Run").disabled, "one can run again"


def test_a_failed_run_says_so_without_a_traceback(page: AppTest, comparison: HeldComparison) -> None:
    comparison.error = ValueError("replication 4 of seed 1 died twice")
    comparison.let_go.set()
    press_run(page, comparison)
    if "job" in page.session_state:
        finish(page)
    assert not page.exception
    assert "replication 4 of seed 1 died twice" in texts(page)
    assert not button(page, "Run").disabled

    page.selectbox[1].set_value("one_more_csm.yaml").run()
    assert "died twice" not in texts(page), "the message was about the file chosen before"


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
    def fail(report: object, stop: object) -> None:
        raise error

    job = jobs.start("bad", fail)
    wait_for_end(job)
    assert job.state is jobs.State.FAILED
    assert job.error is error, "the page can show the message"
    (record,) = caplog.records
    assert bool(record.exc_info) is traceback, "bad input is told in a line; a defect needs its traceback"
    assert "bad" in record.getMessage(), "the line names the comparison"


def test_an_answer_with_failed_replications_names_them(page: AppTest, comparison: HeldComparison) -> None:
    comparison.failures = ("Replication 4 of seed 1 failed: killed.",)
    comparison.let_go.set()
    press_run(page, comparison)
    if "job" in page.session_state:
        finish(page)
    assert SENTENCE in texts(page), "what could be had is shown"
    assert "Replication 4 of seed 1 failed" in texts(page), "and what could not is named"


def test_a_session_waits_for_its_turn_and_both_get_their_answer(
    page: AppTest, project: Path, comparison: HeldComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.COMPARISONS, "at_once", 1)
    press_run(page, comparison)
    other = open_page(project)
    button(other, "Run").click()
    other.run()
    other.run()
    assert other.get("progress")[0].proto.text.startswith("Waiting"), "the second waits for the first"
    comparison.let_go.set()
    finish(page)
    finish(other)
    assert SENTENCE in texts(page)
    assert SENTENCE in texts(other), "both get their answer"


def wait_for_end(job: jobs.Job) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not job.state.ended:
        assert time.monotonic() < deadline, f"job {job.key} must end"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "unit", "difference", "expected"),
    [
        (0.1234, "share per year", False, "12.3 %"),
        (-0.0123, "share", True, "−1.2 points"),
        (0.0042, "share", True, "+0.42 points"),
        (0.0, "share", True, "0.00 points"),
        (1_234_567.0, "USD", False, "USD 1.23 M"),
        (-34_567.0, "EUR", True, "EUR −35 k"),
        (4_321.0, "USD per year", False, "USD 4.3 k per year"),
        (12.34, "minutes", False, "12.3 minutes"),
        (0.245, "score", False, "0.24"),
        (-0.0451, "score", True, "−0.045"),
        (None, "share", False, words.MISSING),
        (float("nan"), "minutes", False, words.MISSING),
    ],
)
def test_numbers_read_with_their_unit(number: float | None, unit: str, difference: bool, expected: str) -> None:
    assert words.value(number, unit, difference=difference) == expected


def test_one_is_not_many() -> None:
    assert words.more_replications({"more_replications": 1}) == "about 1 more replication may tell"
    assert words.more_replications({"more_replications": 1200}) == "about 1,200 more replications may tell"


def test_definitions_have_the_signs_of_print() -> None:
    text = "share of account-weeks: ARR x (1 - exp(-departure intent))"
    assert words.formula(text) == "share of account-weeks: ARR × (1 − exp(−departure intent))", (
        "minus and times are signs, the hyphen of a word is none"
    )


def test_both_ends_of_an_interval_have_the_same_precision() -> None:
    assert words.span([950_000.0, 1_050_000.0], "USD") == "USD 0.95 M to 1.05 M"
    assert words.span([-0.0004, 0.021], "share", difference=True) == "0.0 to +2.1 points"
    assert words.span(None, "share") == words.MISSING


@pytest.mark.parametrize("text", ["$1 and $2", "[a](http://b)", "*x*", "<b>", ":material/delete:", "# head"])
def test_texts_from_files_cannot_format_the_page(text: str) -> None:
    shown = words.escape(text)
    assert shown.replace("\\", "") == text, "nothing is lost"
    risky = [i for i, character in enumerate(shown) if character in "$[]*<>:#"]
    assert risky, "the example has something to escape"
    assert all(shown[i - 1] == "\\" for i in risky)


def test_the_chart_shows_zero_in_every_row_and_skips_what_has_no_interval() -> None:
    kpis = {name: Kpi(name, name, "share", "all accounts", "lower", "made up", 0.01) for name in ("a", "b", "c")}
    differences = {
        "a": {"mean": 0.02, "ci95_adjusted": [0.01, 0.03], "verdict": "worse"},
        "b": {"mean": None, "ci95_adjusted": None, "verdict": None},
        "c": {"mean": 0.0, "ci95_adjusted": [0.0, 0.0], "verdict": "cannot_tell"},
    }
    figure = charts.differences_chart(["a", "b", "c"], differences, kpis)
    axes = list(figure.select_xaxes())
    assert len(axes) == 2, "b has no interval and gets no row"
    assert all(axis.range[0] < 0 < axis.range[1] for axis in axes), "each row shows where no difference would be"
    assert tuple(figure.data[0].x) == pytest.approx((1, 3)), "shares are drawn in percentage points"
    assert figure.data[0].line.color != figure.data[2].line.color, "worse and undecided look different"


def test_the_server_takes_the_next_free_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port, "the port asked for is in use"


@pytest.mark.parametrize("command", [("planner",), ("sim", "app")], ids=["python -m planner", "csm-planner app"])
def test_both_commands_serve_on_this_machine_only_and_step_over_a_taken_port(
    command: tuple[str, ...], project: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert server.stdout is not None
            assert f"Port {port} is taken" in server.stdout.readline(), "the reader learns why it is another port"
            found = re.search(r"http://127\.0\.0\.1:(\d+) ", server.stdout.readline())
            assert found, "the address is this machine's own"
            assert int(found[1]) > port
            wait_until_it_answers(f"http://127.0.0.1:{found[1]}/_stcore/health", server)
        finally:
            server.kill()
            server.communicate()


def wait_until_it_answers(address: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nobody answers at {address}")
