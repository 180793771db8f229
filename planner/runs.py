"""Running comparisons from the page: start, watch, collect.

In: a question. Out: answers, by the inputs' key. The work itself is in `jobs.py`, outside the script's run: a click,
another page or a reload does not stop it, and whoever comes back with the same question finds job and answer.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from planner import jobs, words, workers
from planner.inputs import Chosen
from sim.scenario import ScenarioError

if TYPE_CHECKING:
    from sim.study.results import Comparison, Ends

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_LEFT_ALONE = 3
ANSWERS_KEPT = 40
ENDS_REPLICATIONS = 5  # corners need no fine print, and the worker processes are shared


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished comparison and the question that it answers; each is its own."""

    chosen: Chosen
    comparison: Comparison


Kept = TypeVar("Kept")


class Store(OrderedDict[str, Kept]):
    """What was found, by the key of its inputs; the oldest go when there are too many.

    One for the server: equal inputs have equal answers, whoever asks, and a page that is loaded again has its own.
    """

    def keep(self, key: str, found: Kept) -> None:
        """Adds one."""
        with _store:
            self[key] = found
            self.move_to_end(key)
            while len(self) > ANSWERS_KEPT:
                self.popitem(last=False)


_store = threading.Lock()
ANSWERS: Store[Answer] = Store()
ENDS: Store[Ends] = Store()


# --- work -------------------------------------------------------------------------------------------------


def work(chosen: Chosen) -> jobs.Work:
    """What a job does to answer the question."""

    def compare(report: Callable[[jobs.Progress], None], stop: threading.Event) -> Answer:
        from sim.study.experiment import compare

        found = compare(
            chosen.before,
            [chosen.after],
            replications=chosen.draft.replications,
            seed=chosen.draft.seed,
            progress=report,
            cancel=stop.is_set,
            pool=workers.pool(),
            store=workers.store(),
            keep_accounts=True,
        )
        answer = Answer(chosen, found)
        ANSWERS.keep(chosen.key, answer)
        return answer

    return compare


def work_at_ends(chosen: Chosen) -> jobs.Work:
    """What a job does to find the answer with all assumptions at their low and at their high ends."""

    def compare(report: Callable[[jobs.Progress], None], stop: threading.Event) -> Ends:
        from sim.study.experiment import compare_at_ends

        found = compare_at_ends(
            chosen.before,
            [chosen.after],
            replications=min(chosen.draft.replications, ENDS_REPLICATIONS),
            seed=chosen.draft.seed,
            progress=report,
            cancel=stop.is_set,
            pool=workers.pool().study(background=True),
            store=workers.store(),
        )
        ENDS.keep(chosen.key, found)
        return found

    return compare


def session() -> str:
    """A name for this visit."""
    return str(st.session_state.setdefault("session", uuid.uuid4().hex))


# --- the comparison ---------------------------------------------------------------------------------------


def buttons(chosen: Chosen | None) -> None:
    """Run, and Cancel while something runs.

    A click is noted and acted on here, in the run of the script that it causes: a number typed just before it counts.
    """
    if st.session_state.pop("run wanted", False):
        start(chosen)
    job: jobs.Job | None = st.session_state.get("job")
    st.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        disabled=chosen is None or job is not None,
        on_click=_want_run,
    )
    if job:
        st.button("Cancel", icon=":material/stop:", on_click=job.cancel)


def _want_run() -> None:
    st.session_state["run wanted"] = True


def start(chosen: Chosen | None) -> None:
    """Starts the comparison in the background, unless one is under way or too many wait."""
    st.session_state.pop("note", None)
    if chosen is None or st.session_state.get("job"):
        return
    if chosen.key in ANSWERS:
        st.toast("The answer to this question is on the page: the same inputs and the same seed give it again.")
        return
    try:
        st.session_state["job"] = jobs.start(chosen.key, work(chosen), session())
    except jobs.Busy as error:
        st.session_state["note"] = ("error", f"{error}.", "")


def find_again(chosen: Chosen | None) -> None:
    """Takes over the job of a page that was left or loaded again, if it asks the same."""
    if chosen is None or st.session_state.get("job"):
        return
    for job in jobs.COMPARISONS.jobs():
        left_alone = time.monotonic() - job.watched > SECONDS_LEFT_ALONE
        if job.key == chosen.key and left_alone and not job.stop.is_set():
            job.session = session()
            st.session_state["job"] = job
            return


def watch() -> None:
    """The progress of the job, drawn again and again while there is one."""
    if st.session_state.get("job"):
        st.fragment(_progress, run_every=SECONDS_BETWEEN_LOOKS)()


def _progress() -> None:
    """One look at the job; when it has ended, the whole page is drawn once more."""
    job: jobs.Job | None = st.session_state.get("job")
    if job is None:
        return
    if job.look().ended:
        st.rerun()
    show_progress(job)


def show_progress(job: jobs.Job, steps: str = "replications") -> None:
    """How far a job is: replications or other steps done, time left, the current interval, what went wrong."""
    progress = job.progress
    if job.stop.is_set():
        st.progress(0.0, "Cancelling…")
    elif job.state is jobs.State.WAITING:
        before = f" after {words.counted(job.before, 'comparison')} that came before" if job.before else ""
        st.progress(0.0, f"Waiting for a turn{before}…")
    elif progress is None:
        st.progress(0.0, "Starting…")
    else:
        left = words.duration(progress.seconds_left)
        text = f"{progress.done} of {progress.total} {steps} done" + (f", {left}" if left else "")
        text += f", {progress.stored} of them from the store" if progress.stored else ""
        st.progress(min(progress.done / max(progress.total, 1), 1.0), text)
        if progress.estimate:
            st.caption(f"So far: {words.escape(progress.estimate)}")
    for note in job.notes:
        st.warning(f"{words.escape(note)}.")


def collect() -> None:
    """Takes over how a finished job ended: its answer to be shown, or a message why there is none."""
    job: jobs.Job | None = st.session_state.get("job")
    if job is None or not job.look().ended:
        return
    del st.session_state["job"]
    if job.state is jobs.State.DONE:
        st.session_state["shown"] = job.result
    elif job.state is jobs.State.CANCELLED:
        st.session_state["note"] = ("info", "Cancelled.", "")
    else:
        st.session_state["note"] = ("error", "The comparison failed:", reason(job.error))


def note() -> None:
    """The message that the last run or link left, if any."""
    if found := st.session_state.get("note"):
        kind, text, detail = found
        (st.error if kind == "error" else st.info)(words.escape(text))
        if detail:
            st.code(detail, language=None, wrap_lines=True)


def shown(chosen: Chosen | None) -> Answer | None:
    """The answer to the chosen inputs if there is one, else the last one; marked on the page if it is stale."""
    if chosen is not None and (known := ANSWERS.get(chosen.key)):
        st.session_state["shown"] = known
    last: Answer | None = st.session_state.get("shown")
    if last is None:
        return None
    if chosen is None or last.chosen.key != chosen.key:
        st.warning("This answer is stale: the inputs above have changed since. Press Run for a new one.")
    return last


# --- the answer at the ends of the assumptions ------------------------------------------------------------


def ends(answer: Answer, draw: Callable[[Ends], None]) -> None:
    """Draws the answer at both ends when it is there; starts the work for it, in the background, when it is not."""
    key = answer.chosen.key
    if key in ENDS:
        draw(ENDS[key])
        return
    job: jobs.Job | None = st.session_state.get("ends job")
    if job is None or job.key != key or job.state is jobs.State.CANCELLED:
        if job is not None:
            job.cancel()
        try:
            job = jobs.start(key, work_at_ends(answer.chosen), session(), follow_up=True)
        except jobs.Busy as error:
            st.caption(f"The answer at both ends of the assumptions is not there: {error}.")
            return
        st.session_state["ends job"] = job
    st.fragment(lambda: _ends_progress(job, draw), run_every=None if job.state.ended else SECONDS_BETWEEN_LOOKS)()


def _ends_progress(job: jobs.Job, draw: Callable[[Ends], None]) -> None:
    if job.look() is jobs.State.DONE:
        draw(job.result)
    elif job.state.ended:
        st.caption(f"The answer at both ends of the assumptions could not be had: {words.escape(reason(job.error))}")
    else:
        st.caption("With all assumptions at their low ends, and at their high ends:")
        show_progress(job)


def reason(error: Exception | None) -> str:
    """What went wrong, for the reader: our own messages as they are, others with their kind."""
    if error is None:
        return "it was cancelled."
    ours = isinstance(error, ScenarioError | ValueError) or type(error).__module__.startswith("sim.")
    return str(error) if ours else f"{type(error).__name__}: {error}"
