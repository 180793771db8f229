"""The page without a browser: a small company, comparisons that wait to be let go, and what stands on the page.

In: nothing; test modules name this one in `pytest_plugins`. Out: fixtures, and readers of a drawn page.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import streamlit as st
import yaml
from small import SMALL, put, values_of
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from planner import accounts_page, jobs, runs, workers
from planner.runs import Answer
from sim.scenario import Scenario, load_scenario
from sim.study.executors import InThisProcess
from sim.study.experiment import compare
from sim.study.results import Comparison, Ends

Files = dict[str, Callable[[], str]]

WAIT_SECONDS = 20
PROJECT = Path(__file__).resolve().parent.parent
BASELINE, REROUTE, HIRE = "baseline.yaml", "reroute_support_calls.yaml", "one_more_csm.yaml"
DAY = "2026-03-02"
RULE = {"from": "csm", "to": "support", "share": 1.0, "how": "front_door"}
WHAT_IFS: dict[str, dict[str, Any]] = {
    REROUTE: {"name": "Reroute support calls", "set": {"routing.rules": [RULE]}},
    HIRE: {"name": "One more CSM", "set": {"teams.csm.headcount": 2}},
}


def write_company(folder: Path, overrides: Mapping[str, Any] | None = None) -> Path:
    """A company of 30 accounts over 20 weeks with the two what-ifs of the shipped names."""
    values = put(values_of(), {**SMALL, "weeks": 20, "name": "Small company", **(overrides or {})})
    (folder / BASELINE).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    for file, what_if in WHAT_IFS.items():
        changes = [{"from": DAY, "set": what_if["set"]}]
        write(folder / file, {"name": what_if["name"], "extends": BASELINE, "changes": changes})
    return folder


def write(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company's files, for tests that only read them."""
    return write_company(tmp_path_factory.mktemp("small_company"))


@pytest.fixture(scope="session")
def tiny(small_folder: Path) -> Comparison:
    """A real comparison of the small company, three replications."""
    return tiny_comparison(small_folder)


def tiny_comparison(folder: Path, replications: int = 3) -> Comparison:
    """The reroute against the baseline, computed in this process."""
    return compared(*(load_scenario(folder / name) for name in (BASELINE, REROUTE)), replications=replications)


def compared(before: Scenario, after: Scenario, replications: int = 2) -> Comparison:
    """A comparison, computed in this process."""
    return compare(before, [after], replications=replications, seed=1, pool=InThisProcess(), keep_accounts=True)


@dataclass
class Held:
    """Stands for `compare` or `compare_at_ends`: reports once, waits for `let_go`, obeys `cancel`."""

    result: Any
    let_go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    progress: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(
            done=3, total=10, seconds_elapsed=1.0, seconds_left=7.0, estimate="", notes=(), stored=0
        )
    )
    error: Exception | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(
        self,
        baseline: Any,
        scenarios: Any,
        *,
        progress: Callable[[Any], None],
        cancel: Callable[[], bool],
        **options: Any,
    ) -> Any:
        self.calls.append({"before": baseline, "after": scenarios[0], **options})
        progress(self.progress)
        self.begun.release()
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.let_go.wait(0.005):
            assert time.monotonic() < deadline, "the test never let the comparison go"
            if cancel():
                raise RuntimeError("interrupted")
        if self.error:
            raise self.error
        return self.result


@dataclass
class World:
    """What stands behind the page: the folder of scenarios, and the two studies that it can start."""

    folder: Path
    comparison: Held
    ends: Held


@pytest.fixture
def world(small_folder: Path, tiny: Comparison, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The small company behind the page; comparisons wait until the test lets them go; no answers are known."""
    ends = Ends(tiny, tiny, moved=100, left_out=dict.fromkeys(("a", "b"), "it is a profile"))
    found = World(small_folder, Held(tiny), Held(ends))
    use_folder(monkeypatch, small_folder)
    monkeypatch.setattr(accounts_page, "EXAMPLE", PROJECT / "scenarios" / "books" / "example.csv")
    monkeypatch.setattr("sim.study.experiment.compare", found.comparison)
    monkeypatch.setattr("sim.study.experiment.compare_at_ends", found.ends)
    monkeypatch.setattr(workers, "warm_up", lambda: None)
    monkeypatch.setattr(workers, "pool", lambda: SimpleNamespace(study=lambda background: None))
    for store in (runs.ANSWERS, runs.ENDS):
        store.clear()
    yield found
    left = [*jobs.COMPARISONS.jobs(), *jobs.FOLLOW_UPS.jobs()]
    for job in left:
        job.cancel()
    for job in left:
        wait_for_end(job)


@pytest.fixture
def own_folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of the small company that the test may change."""
    for path in world.folder.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    use_folder(monkeypatch, tmp_path)
    world.folder = tmp_path
    return tmp_path


def use_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The page takes its scenarios from here."""
    monkeypatch.setattr("planner.draft.FOLDER", folder)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """What the download buttons of the page give, by label; AppTest draws the buttons only."""
    found: Files = {}
    draw = st.download_button

    def note(label: str, data: Any, **options: Any) -> bool:
        found[label] = data if callable(data) else lambda: data
        return draw(label, data, **options)

    monkeypatch.setattr(st, "download_button", note)
    return found


# --- the page -----------------------------------------------------------------------------------------------


def open_page(path: str = "decide", link: str = "") -> AppTest:
    """A fresh visit."""
    page = AppTest.from_file(str(PROJECT / "planner_app.py"), default_timeout=60)
    if link:
        page.query_params["q"] = link
    return go(page, path)


def go(page: AppTest, path: str) -> AppTest:
    """Another page of the same visit: `switch_page` knows files only, and ours are functions."""
    page._page_hash = calc_hash("" if path == "decide" else path)
    page.query_params = {name: value for name, value in page.query_params.items() if path == "decide"}
    return page.run()


def answered(page: AppTest, comparison: Comparison) -> Answer:
    """Puts an answer to the question on the page among those that the server knows, and draws the page again."""
    chosen = page.session_state["chosen"]
    answer = Answer(chosen, comparison)
    runs.ANSWERS.keep(chosen.key, answer)
    page.run()
    return answer


def press_run(page: AppTest, world: World) -> None:
    """Presses Run and waits until the comparison has begun."""
    named(page.button, "Run").click()
    page.run()
    assert world.comparison.begun.acquire(timeout=WAIT_SECONDS), "Run starts the comparison"
    page.run()


def finish(page: AppTest) -> None:
    """Waits until the page's job has ended, then draws the page as its fragment would."""
    if "decision job" in page.session_state:
        wait_for_end(page.session_state["decision job"])
    page.run()


def wait_for_end(job: jobs.Job) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not job.state.ended:
        assert time.monotonic() < deadline, f"job {job.key} must end"
        time.sleep(0.005)


def link_in(page: AppTest) -> str:
    """The question in the page's address."""
    found = page.query_params["q"]
    return str(found[0] if isinstance(found, list) else found)


# --- what stands on it --------------------------------------------------------------------------------------


def named(elements: Any, label: str) -> Any:
    """The one element of the label; None if there is none."""
    return next((element for element in elements if element.label == label), None)


def drawn(page: AppTest) -> list[tuple[str, str]]:
    """(kind, text) of all that has a text, in the order of the page."""
    found = []
    for element in page.main:
        text = getattr(element, "value", None) if element.type not in ("dataframe", "arrow_data_frame") else None
        label = getattr(element, "label", None)
        found.append((element.type, str(label or text or "")))
    return found


def texts(page: AppTest) -> str:
    """All messages, captions and paragraphs, in the order of the page."""
    kinds = ("success", "warning", "error", "info", "caption", "markdown", "code")
    return "\n".join(text for kind, text in drawn(page) if kind in kinds)


def plain(page: AppTest) -> str:
    """The same as the reader sees it, without the escapes."""
    return texts(page).replace("\\", "")


def csv_rows(text: str) -> list[list[str]]:
    """The cells of a CSV file."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def frame(page: AppTest, column: str) -> pd.DataFrame:
    """The first table that has the column."""
    found = next((one.value for one in page.dataframe if column in one.value.columns), None)
    assert found is not None, f"a table has the column {column}"
    return found
