"""Comparisons run from the page, and the answers that were found.

In: a question. Out: answers, by the inputs' key: whoever comes back with the same question finds job and answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from planner import jobs, words, workers
from planner.inputs import Chosen
from planner.page_job import DECISION, SECONDS_BETWEEN_LOOKS, reason, session, show_progress

if TYPE_CHECKING:
    from sim.study.results import Comparison, Ends

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


# --- the comparison ---------------------------------------------------------------------------------------


def buttons(chosen: Chosen | None) -> None:
    """Run, which starts the comparison in the background unless its answer is there, and Cancel while it runs."""
    if DECISION.asked() and chosen is not None and not DECISION.job:
        if chosen.key in ANSWERS:
            st.toast("The answer to this question is on the page: the same inputs and the same seed give it again.")
        else:
            DECISION.start(chosen.key, work(chosen))
    DECISION.buttons(ready=chosen is not None)


def collect() -> None:
    """Takes over the answer of a comparison that has ended."""
    job = DECISION.collect()
    if job is not None and job.state is jobs.State.DONE:
        st.session_state["shown"] = job.result


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


def mark_stale() -> None:
    """On other pages than Decide: says why the last answer is still there."""
    st.warning("This answer is stale: the question on the page Decide cannot run; this one was asked before.")


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
