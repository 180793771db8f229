"""A page and its job: Run and Cancel, progress, how it ended, and what the reader is told of it.

In: a page's name, the work. Out: elements on the page. What is remembered stands in the visit's session under the
page's name; the work itself is in `jobs.py`, outside the script's run: a click, another page or a reload does not
stop it.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import streamlit as st

from planner import jobs, words
from sim.scenario import ScenarioError

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_LEFT_ALONE = 3


@dataclass(frozen=True)
class PageJob:
    """The one job of a page, or of pages that share it.

    page : names it in the session. failed : what stands above the reason of a failure. steps : what progress counts.
    """

    page: str
    failed: str
    steps: str = "replications"

    @property
    def job(self) -> jobs.Job | None:
        """The job that was started or found again and whose end was not collected yet."""
        return st.session_state.get(f"{self.page} job")

    def buttons(self, ready: bool) -> None:
        """Run, and Cancel while something runs. ready : whether there is something to run.

        A click is noted only; the page acts on it (`asked`) in the run of the script that it causes: a number typed
        just before it counts.
        """
        job = self.job
        st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not ready or job is not None,
            on_click=self.ask,
            key=f"{self.page} run",
        )
        if job:
            st.button("Cancel", icon=":material/stop:", on_click=job.cancel, key=f"{self.page} cancel")

    def ask(self) -> None:
        """Notes that the reader wants an answer."""
        st.session_state[f"{self.page} asked"] = True

    def asked(self) -> bool:
        """Whether the reader has asked since the last look; what was said of an earlier job then goes."""
        found = st.session_state.pop(f"{self.page} asked", False)
        if found:
            self.unsay()
        return found

    def start(self, key: str, work: jobs.Work) -> None:
        """Starts a job in the background, or says why it cannot. key, work : as in `jobs.start`."""
        try:
            st.session_state[f"{self.page} job"] = jobs.start(key, work, session())
        except jobs.Busy as error:
            self.say("error", f"{error}.")

    def give_up(self) -> None:
        """Cancels the job, of which nothing will be told."""
        if job := st.session_state.pop(f"{self.page} job", None):
            job.cancel()

    def find_again(self, key: str) -> None:
        """Takes over the job of a page that was left or loaded again, if it answers the same: nobody needs to ask."""
        if self.job:
            return
        for job in jobs.COMPARISONS.jobs():
            left_alone = time.monotonic() - job.watched > SECONDS_LEFT_ALONE
            if job.key == key and left_alone and not job.stop.is_set():
                job.session = session()
                st.session_state[f"{self.page} job"] = job
                self.asked()
                return

    def collect(self) -> jobs.Job | None:
        """The job if it has ended since the last look; says so if there is no result."""
        job = self.job
        if job is None or not job.look().ended:
            return None
        del st.session_state[f"{self.page} job"]
        if job.state is jobs.State.CANCELLED:
            self.say("info", "Cancelled.")
        elif job.state is jobs.State.FAILED:
            self.say("error", self.failed, reason(job.error))
        return job

    def show(self) -> None:
        """The progress of the job, drawn again and again while there is one, and what is said of the last one."""
        if self.job:
            st.fragment(self._progress, run_every=SECONDS_BETWEEN_LOOKS)()
        if note := st.session_state.get(f"{self.page} note"):
            kind, text, detail = note
            (st.error if kind == "error" else st.info)(words.escape(text))
            if detail:
                st.code(detail, language=None, wrap_lines=True)

    @property
    def has_said(self) -> bool:
        """Whether a message stands on the page."""
        return f"{self.page} note" in st.session_state

    def say(self, kind: str, text: str, detail: str = "") -> None:
        """Leaves a message on the page. kind : "error" or "info". detail : shown as it is, below the text."""
        st.session_state[f"{self.page} note"] = (kind, text, detail)

    def unsay(self) -> None:
        """The message goes: it says nothing about other inputs."""
        st.session_state.pop(f"{self.page} note", None)

    def _progress(self) -> None:
        """One look at the job; when it has ended, the whole page is drawn once more."""
        job = self.job
        if job is None:
            return
        if job.look().ended:
            st.rerun()
        show_progress(job, self.steps)


DECISION = PageJob("decision", "The comparison failed:")  # of the pages Decide and Who is at risk


def session() -> str:
    """A name for this visit."""
    return str(st.session_state.setdefault("session", uuid.uuid4().hex))


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


def reason(error: Exception | None) -> str:
    """What went wrong, for the reader: our own messages as they are, others with their kind."""
    if error is None:
        return "it was cancelled."
    ours = isinstance(error, ScenarioError | ValueError) or type(error).__module__.startswith("sim.")
    return str(error) if ours else f"{type(error).__name__}: {error}"
