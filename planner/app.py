"""The page: choose two scenarios, run, read the answer.

In: the scenario files of the folder `scenarios`. Out: a comparison, kept in the session under its inputs.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner import answer, jobs, words
from sim.scenario import Scenario, ScenarioError, load_scenario

if TYPE_CHECKING:
    from sim.study.executors import LocalPool

TITLE = "Customer-success capacity planner"
FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
FIRST_BASELINE, FIRST_WHAT_IF = "baseline.yaml", "reroute_support_calls.yaml"
REPLICATIONS_MIN, REPLICATIONS_MAX, REPLICATIONS_DEFAULT = 2, 1000, 30
SEED_MAX = 2**31 - 1
SECONDS_BETWEEN_LOOKS = 0.5
RESULTS_KEPT = 20


@dataclass(frozen=True)
class Question:
    """What is to be compared, and how often."""

    before: Scenario
    after: Scenario
    replications: int
    seed: int

    @property
    def key(self) -> str:
        """Names the inputs: equal keys, equal answers."""
        scenarios = (scenario.model_dump_json() for scenario in (self.before, self.after))
        text = "\n".join((*scenarios, str(self.replications), str(self.seed)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def answer(self, report: Callable[[jobs.Progress], None], stop: threading.Event) -> dict[str, Any]:
        """Compares, in the thread of a job; the result as a mapping, and what its indicators mean."""
        from sim.study.experiment import compare

        found = compare(
            self.before,
            [self.after],
            replications=self.replications,
            seed=self.seed,
            progress=report,
            cancel=stop.is_set,
            pool=_pool(),
        )
        return {"result": found.to_dict(), "kpis": found.registry, "failures": found.failures}


@functools.cache
def _pool() -> LocalPool:
    """The worker processes, kept between comparisons; jobs take turns, so that one pool serves them all.

    Nobody closes it: workers end by themselves when the server does.
    """
    from sim.study.executors import LocalPool

    return LocalPool()


def main() -> None:
    """Draws the page."""
    st.set_page_config(page_title=TITLE, page_icon=":material/balance:", layout="wide")
    st.title(TITLE)
    st.write(
        "What a routing or headcount decision does to churn, cost and burnout: two scenarios are simulated"
        " with the same luck, week by week, and compared."
    )
    files = [name for name, _ in _files()]
    if len(files) < 2:
        st.error(f"Two scenario files are needed in {FOLDER}; there {'is 1' if files else 'are none'}.")
        return
    _collect()
    chosen = _inputs(files)
    job: jobs.Job | None = st.session_state.get("job")
    if job:
        st.fragment(_watch, run_every=SECONDS_BETWEEN_LOOKS)()
    if note := st.session_state.get("note"):
        kind, text, detail = note
        (st.error if kind == "error" else st.info)(text)
        if detail:
            st.code(detail, language=None, wrap_lines=True)
    _answer(chosen)


def _inputs(files: list[str]) -> str | None:
    """The pickers and the buttons; gives the key of the chosen inputs, or None if they cannot run."""
    left, right = st.columns(2)
    with left:
        before = _picker("Baseline", files, FIRST_BASELINE, 0, "What happens if nothing is changed.")
    with right:
        after = _picker("What-if", files, FIRST_WHAT_IF, 1, "The decision to test against the baseline.")
    replications_column, seed_column, _ = st.columns([1, 1, 2])
    replications_column.number_input(
        "Replications (histories)",
        REPLICATIONS_MIN,
        REPLICATIONS_MAX,
        REPLICATIONS_DEFAULT,
        key="replications",
        help="How many histories of each scenario are simulated. More of them give narrower intervals and"
        " take longer. From 2 to 1,000; 30 is usual.",
        on_change=_forget_note,
    )
    seed_column.number_input(
        "Seed of the luck",
        0,
        SEED_MAX,
        1,
        key="seed",
        help="A whole number. The same seed gives the same numbers again; another one gives other luck.",
        on_change=_forget_note,
    )
    question = _question() if before and after else None
    names = (st.session_state["Baseline"], st.session_state["What-if"])
    if names[0] == names[1]:
        st.warning("Baseline and what-if are the same file. Choose two.")
    elif before and after and (obstacle := _obstacle(before, after, names)):
        st.warning("These two cannot be compared:")
        st.code(obstacle, language=None, wrap_lines=True)
    job: jobs.Job | None = st.session_state.get("job")
    with st.container(horizontal=True):
        st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=question is None or job is not None,
            on_click=_start,
        )
        if job:
            st.button("Cancel", icon=":material/stop:", on_click=job.cancel)
    return question.key if question else None


def _picker(title: str, files: list[str], first: str, position: int, help_text: str) -> Scenario | None:
    name = st.selectbox(
        title,
        files,
        index=files.index(first) if first in files else position,
        key=title,
        help=f"{help_text} A file in the folder `scenarios`.",
        on_change=_forget_note,
    )
    try:
        scenario = _load(str(FOLDER / name), _files())
    except ScenarioError as error:
        st.error(f"{name} has errors and cannot run:")
        st.code(str(error), language=None, wrap_lines=True)
        return None
    st.caption(f"**{words.escape(scenario.name)}.** {words.escape(scenario.description)}")
    return scenario


def _files() -> tuple[tuple[str, int], ...]:
    """Names and times of the scenario files: regular ones, neither hidden (as editors' locks are) nor unreadable.

    The times of all are a stamp for each: `extends` lets one file change another's meaning. Other programs
    write in the folder meanwhile, so a file that is gone when its time is asked for is left out.
    """
    found = []
    try:
        for path in FOLDER.iterdir():
            if path.suffix == ".yaml" and not path.name.startswith(".") and path.name.isprintable():
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        found.append((path.name, status.st_mtime_ns))
    except OSError:
        return ()
    return tuple(sorted(found))


@st.cache_resource(max_entries=50, show_spinner=False)
def _load(path: str, stamps: tuple[tuple[str, int], ...]) -> Scenario:
    """A scenario, read again when any file of the folder changes; frozen, so that sessions can share it."""
    return load_scenario(Path(path))


def _question() -> Question | None:
    """What the pickers say at this moment; None if it cannot run."""
    names = (st.session_state["Baseline"], st.session_state["What-if"])
    if names[0] == names[1]:
        return None
    try:
        before, after = (_load(str(FOLDER / name), _files()) for name in names)
    except ScenarioError:
        return None
    if _obstacle(before, after, names):
        return None
    return Question(before, after, int(st.session_state["replications"]), int(st.session_state["seed"]))


def _obstacle(before: Scenario, after: Scenario, names: tuple[str, str]) -> str:
    """Why the two cannot be compared, a line for each reason; empty if they can. `names` are their files."""
    from sim.study.experiment import check_comparable

    try:
        check_comparable([before, after], names)
    except ValueError as error:
        return str(error)
    return ""


def _forget_note() -> None:
    """A message about the last run says nothing about other inputs."""
    st.session_state.pop("note", None)


def _start() -> None:
    """Starts the comparison in the background.

    1. The inputs are read now: a number typed just before the click counts.
    2. The last run's message goes.
    3. The job starts, unless one is under way or too many wait.
    """
    question = _question()
    _forget_note()
    if question is None or st.session_state.get("job"):
        return
    try:
        st.session_state["job"] = jobs.start(question.key, question.answer)
    except jobs.Busy as error:
        st.session_state["note"] = ("error", f"{error}.", "")


def _watch() -> None:
    """The progress of the job, drawn again and again; when it ends, the whole page is drawn once more."""
    job: jobs.Job | None = st.session_state.get("job")
    if job is None:
        return
    state, progress = job.look(), job.progress
    if state.ended:
        st.rerun()
    if job.stop.is_set():
        st.progress(0.0, "Cancelling…")
    elif state is jobs.State.WAITING:
        st.progress(0.0, "Waiting for another comparison to finish…")
    elif progress is None:
        st.progress(0.0, "Starting…")
    else:
        left = words.duration(progress.seconds_left)
        text = f"{progress.done} of {progress.total} replications done" + (f", {left}" if left else "")
        st.progress(min(progress.done / max(progress.total, 1), 1.0), text)
        if progress.estimate:
            st.caption(f"So far: {words.escape(progress.estimate)}")


def _collect() -> None:
    """Takes over what a finished job left: its result, or a message why there is none."""
    job: jobs.Job | None = st.session_state.get("job")
    if job is None or not job.look().ended:
        return
    del st.session_state["job"]
    if job.state is jobs.State.DONE:
        results: dict[str, Any] = st.session_state.setdefault("results", {})
        results.pop(job.key, None)
        results[job.key] = job.result
        while len(results) > RESULTS_KEPT:
            del results[next(iter(results))]
        st.session_state["shown"] = job.key
    elif job.state is jobs.State.CANCELLED:
        st.session_state["note"] = ("info", "Cancelled.", "")
    else:
        st.session_state["note"] = ("error", "The comparison failed:", _reason(job.error))


def _reason(error: Exception | None) -> str:
    """What went wrong, for the reader: our own messages as they are, others with their kind."""
    ours = isinstance(error, ScenarioError | ValueError) or type(error).__module__.startswith("sim.")
    return str(error) if ours else f"{type(error).__name__}: {error}"


def _answer(key: str | None) -> None:
    """The result of the chosen inputs if there is one; else the last one, marked as stale."""
    results: dict[str, Any] = st.session_state.get("results", {})
    if key in results:
        st.session_state["shown"] = key
    shown = st.session_state.get("shown")
    if shown not in results:
        if not st.session_state.get("job"):
            st.info("Choose two scenarios and press Run.")
        return
    if shown != key:
        st.warning("This answer is stale: the inputs above have changed since. Press Run for a new one.")
    if failures := results[shown]["failures"]:
        st.warning("Some replications could not be had; the numbers rest on the others.")
        st.code("\n".join(failures), language=None, wrap_lines=True)
    answer.show(results[shown]["result"], results[shown]["kpis"])
