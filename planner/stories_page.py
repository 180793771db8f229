"""The page "Stories": two years of one account, or of one simulated person, as a picture and in plain words.

In: a scenario, a history of it, a name. Out: the picture, the list of what happened, downloads. One history takes a
second or two and is a job of its own; whoever comes back to the same story finds it. The address is a link to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner import draft as drafts
from planner import inputs, jobs, runs, slips, story_view, words
from planner.page_job import PageJob
from planner.story_view import Story, Wanted
from sim.scenario import ScenarioError

if TYPE_CHECKING:
    from sim.study.tellable import Cast

KINDS = {"account": "An account", "agent": "A person"}
KEPT = "stories kept"
WIDGETS = ("stories.scenario", "stories.kind", "stories.replication", "stories.seed")
REPLICATION_MAX = 99_999
JOB = PageJob("stories", "This story cannot be told:", steps="weeks")
CASTS: runs.Store[Cast] = runs.Store()
STORIES: runs.Store[Story] = runs.Store()


def show() -> None:
    """Draws the page."""
    st.title("What happened to whom?")
    _collect()
    files = list(inputs.scenario_files())
    if not files:
        st.error(f"There is no scenario file in {drafts.FOLDER}.")
        return
    _forget_names_of_another_list()
    _from_link(files)
    wanted = _choose(files)
    key = None if wanted is None else wanted.key(wanted.history)
    if key is not None:
        JOB.find_again(key)
    _buttons(wanted, key)
    _keep()
    JOB.show()
    found = None if key is None else STORIES.get(key)
    if wanted is not None and found is not None:
        st.session_state["stories shown"] = True
        _keep_link(wanted)
        story_view.show(found, wanted)
    elif not JOB.job and not JOB.has_said:
        st.write(
            "One simulated history of one account or one person, week by week: contacts, events, decisions with their"
            " chance. Press Run: the first story is the most telling one, and the others are offered beside it. What"
            " happens on average, and how sure that is, the page Decide says."
        )


# --- whose story ------------------------------------------------------------------------------------------


def _choose(files: list[str]) -> Wanted | None:
    """Draws the pickers; gives what they say, or None, with the reason on the page, if the file has errors."""
    _seed_widgets(files)
    with st.container(border=True):
        left, middle, right = st.columns([5, 3, 2], vertical_alignment="bottom")
        file = left.selectbox("Scenario", files, key="stories.scenario", on_change=_changed)
        kind = middle.segmented_control(
            "Whose story", list(KINDS), format_func=KINDS.__getitem__, required=True, key="stories.kind",
            on_change=_changed,
        )  # fmt: skip
        with right.popover("History, luck", icon=":material/tune:"):
            replication = st.number_input(
                "History (replication)", 0, REPLICATION_MAX, key="stories.replication", on_change=_changed,
                help="Which of the histories behind the means, numbered from 0. The same account may stay in one and"
                " leave in the next.",
            )  # fmt: skip
            seed = st.number_input(
                "Seed of the luck", 0, inputs.SEED_MAX, key="stories.seed", on_change=_changed,
                help="The same seed gives the same histories again.",
            )  # fmt: skip
        try:
            scenario = inputs.load(file)
        except ScenarioError as error:
            st.error(f"{words.escape(file)} has errors and cannot run:")
            st.code(str(error), language=None, wrap_lines=True)
            return None
        slips.show({file: scenario})
        kind = kind or "account"
        wanted = Wanted(file, scenario, int(replication), int(seed), kind, _name(kind))
        history = wanted.history
        found = CASTS.get(history)
        return wanted if found is None else _pick(wanted, history, found)


def _pick(wanted: Wanted, history: str, found: Cast) -> Wanted:
    """Offers everybody in the history, the most telling first; gives whoever stands there."""
    if wanted.kind == "account":
        told = {one.account: _said(one.account, one.words) for one in found.accounts}
    else:
        told = {one.person: _said(one.person, one.words) for one in found.people}
    if not told:
        return wanted
    names = list(told)
    name = _known(wanted.name, names)
    key = f"stories.who.{wanted.kind}.{history}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = name or names[0]
    st.selectbox(
        "Account" if wanted.kind == "account" else "Simulated person",
        names,
        key=key,
        format_func=told.__getitem__,
        on_change=_picked,
        args=(wanted.kind, key),
        help="The most telling stories come first, then all others. Type to search."
        if wanted.kind == "account"
        else "Simulated, not a statement about a person.",
    )
    shown = name or wanted.name or names[0]
    return Wanted(wanted.file, wanted.scenario, wanted.replication, wanted.seed, wanted.kind, shown)


def _known(name: str, names: list[str]) -> str:
    """The name as the history has it; capitals and spaces do not count. '' if it is nobody's."""
    same = " ".join(name.split()).casefold()
    return next((one for one in names if one.casefold() == same), "")


def _said(name: str, about: str) -> str:
    return f"{name}: {about}" if about else name


def _name(kind: str) -> str:
    """Whom the reader has chosen of a kind; '' if nobody yet."""
    chosen: dict[str, str] = st.session_state.get("stories names", {})
    return chosen.get(kind, "")


def _call(kind: str, name: str) -> None:
    st.session_state["stories names"] = {**st.session_state.get("stories names", {}), kind: name}


def _forget_names_of_another_list() -> None:
    """Whoever was chosen among other accounts is not sought among these."""
    source = inputs.accounts()
    of = "" if source is None else drafts.fingerprint(source)
    if st.session_state.get("stories list", of) != of:
        st.session_state.pop("stories names", None)
    st.session_state["stories list"] = of


def _picked(kind: str, key: str) -> None:
    _call(kind, st.session_state[key])
    JOB.ask()


def _changed() -> None:
    """Another history or another kind: whoever has seen a story sees that one next."""
    JOB.unsay()
    if st.session_state.get("stories shown"):
        JOB.ask()


def _seed_widgets(files: list[str]) -> None:
    """Puts the widgets where they stood, those that Streamlit has forgotten; on a first visit, where they begin."""
    kept: dict[str, Any] = st.session_state.get(KEPT, {})
    baseline = st.session_state.get("baseline", inputs.FIRST_BASELINE)
    first = {
        "stories.scenario": baseline if baseline in files else files[0],
        "stories.kind": "account",
        "stories.replication": 0,
        "stories.seed": min(int(st.session_state.get("seed", 1)), inputs.SEED_MAX),
    }
    for key, value in first.items():
        if key not in st.session_state:
            st.session_state[key] = kept.get(key, value)
    if st.session_state["stories.scenario"] not in files:
        st.session_state["stories.scenario"] = first["stories.scenario"]


def _keep() -> None:
    """Notes where the widgets stand, which Streamlit forgets as soon as another page is drawn."""
    st.session_state[KEPT] = {key: st.session_state[key] for key in WIDGETS if key in st.session_state}


# --- the link ---------------------------------------------------------------------------------------------


def _from_link(files: list[str]) -> None:
    """Takes over the story in the page's address, on the first look, and tells it; later the address only follows."""
    if st.session_state.get("stories link looked at"):
        return
    st.session_state["stories link looked at"] = True
    said = st.query_params.to_dict()
    if not {"scenario", *KINDS} & set(said):
        return
    problem = _unfit(said, files)
    if problem:
        JOB.say("error", problem)
        return
    kind = "agent" if "agent" in said else "account"
    if "scenario" in said:
        st.session_state["stories.scenario"] = said["scenario"]
    st.session_state["stories.kind"] = kind
    for name in ("replication", "seed"):
        if name in said:
            st.session_state[f"stories.{name}"] = int(said[name])
    if said.get(kind):
        _call(kind, said[kind])
    JOB.ask()


def _unfit(said: dict[str, str], files: list[str]) -> str:
    """Why a link cannot be followed; empty if it can. Names are looked up in the history."""
    if "account" in said and "agent" in said:
        return "This link names an account and a person; it can be of one of them."
    if "scenario" in said and said["scenario"] not in files:
        return f"This link needs the scenario file {said['scenario']}, which is not there."
    for name, most in (("replication", REPLICATION_MAX), ("seed", inputs.SEED_MAX)):
        text = said.get(name, "0")
        if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= most):
            return f"This link's {name} is {text[:40]!r}; it is a whole number from 0 to {most:,}."
    return ""


def _keep_link(wanted: Wanted) -> None:
    """Writes the story into the page's address, so that copying it copies the story."""
    said = {
        "scenario": wanted.file,
        wanted.kind: wanted.name,
        "replication": str(wanted.replication),
        "seed": str(wanted.seed),
    }
    if st.query_params.to_dict() != said:
        st.query_params.from_dict(said)


# --- the job ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weeks:
    """How many weeks a job has simulated, as the progress bar shows them."""

    done: int
    total: int
    seconds_left: float | None
    estimate: str = ""
    notes: tuple[str, ...] = ()
    stored: int = 0


def work(wanted: Wanted) -> jobs.Work:
    """What a job does to tell the story: a history to see who is in it, if that is not known, and one that follows."""

    def tell(report: Callable[[jobs.Progress], None], stop: threading.Event) -> Story:
        from sim.study import tellable, trace

        history, began, done = wanted.history, time.monotonic(), 0
        found = CASTS.get(history)
        one = wanted.scenario.accounts.warm_up_weeks + wanted.scenario.weeks
        total = one if found is not None else 2 * one

        def cancelled() -> bool:
            """Asked at the start of every simulated week."""
            nonlocal done
            elapsed = time.monotonic() - began
            report(Weeks(min(done, total), total, elapsed / done * max(total - done, 0) if done else None))
            done += 1
            return stop.is_set()

        luck: dict[str, Any] = {"replication": wanted.replication, "seed": wanted.seed, "cancel": cancelled}
        if found is None:
            found = tellable.cast(wanted.scenario, **luck)
            CASTS.keep(history, found)
        if wanted.kind == "account":
            told = trace.trace_account(wanted.scenario, wanted.name or found.accounts[0].account, **luck)
            name = told.story.who.account  # type: ignore[union-attr]
        else:
            told = trace.trace_person(wanted.scenario, wanted.name or found.people[0].person, **luck)
            name = told.story.person  # type: ignore[union-attr]
        as_told = Wanted(wanted.file, wanted.scenario, wanted.replication, wanted.seed, wanted.kind, name)
        story = Story(as_told, told)
        STORIES.keep(as_told.key(history), story)
        return story

    return tell


def _buttons(wanted: Wanted | None, key: str | None) -> None:
    """Starts what was asked for; Run and Cancel, unless the story is there. key : names the story."""
    known = key in STORIES
    if JOB.asked() and wanted is not None and key is not None:
        JOB.give_up()  # what was begun before is not wanted any more
        if not known:
            JOB.start(key, work(wanted))
    if known and JOB.job is None:
        return
    with st.container(horizontal=True):
        JOB.buttons(ready=wanted is not None)


def _collect() -> None:
    """Takes over how a finished job ended."""
    job = JOB.collect()
    if job is None:
        return
    if job.state is jobs.State.FAILED:
        st.session_state.pop("stories names", None)  # whoever is offered then is there
    elif job.state is jobs.State.DONE:
        _call(job.result.wanted.kind, job.result.wanted.name)
