"""The upper part of the page: which two scenarios, where the levers stand, how often to simulate.

In: the scenario files of the folder, a link. Out: a `Chosen`: the draft and its two scenarios, or None with the
reason on the page.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import streamlit as st

from planner import draft as drafts
from planner import words
from planner.draft import Draft, Levers
from planner.page_job import DECISION
from sim.scenario import AccountSource, Scenario, ScenarioError, load_scenario
from sim.scenario.schema import Change
from sim.study.change_words import change_sentences
from sim.study.kpis import team_title

FIRST_BASELINE, FIRST_WHAT_IF = "baseline.yaml", "reroute_support_calls.yaml"
SEED_MAX = 2**31 - 1
HOW_WORDS = {"front_door": "Front door", "warm_transfer": "Warm transfer"}
MOST_PEOPLE_ON_A_SLIDER = 10
LINK = "q"
KEPT = "widgets kept"
MOST_ACCOUNTS_LOOKED_AT = 1_000  # more of them take longer to look at than a reader waits for a sentence


@dataclass(frozen=True)
class Chosen:
    """The question on the page, ready to run."""

    draft: Draft
    before: Scenario
    after: Scenario
    sentences: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the inputs, not the files that they came from: equal keys, equal answers."""
        said = (scenario.model_dump_json() for scenario in (self.before, self.after))
        text = "\n".join((*said, str(self.draft.replications), str(self.draft.seed)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def show() -> Chosen | None:
    """Draws the pickers, the levers and the sentence; gives what they say, or None if it cannot run."""
    files = list(scenario_files())
    if len(files) < 2:
        st.error(f"Two scenario files are needed in {drafts.FOLDER}; there {'is 1' if files else 'are none'}.")
        return None
    _from_link(files)
    if (source := accounts()) is not None:
        st.caption(f":material/groups: Your accounts are in use: {words.escape(source.file_name)}.")
    left, right = st.columns(2)
    with left:
        before = _picker("baseline", "Baseline", files, FIRST_BASELINE, 0, "What happens if nothing is changed.")
    with right:
        after = _picker("what_if", "What-if", files, FIRST_WHAT_IF, 1, "The decision to test against the baseline.")
    if before is None or after is None:
        st.session_state["chosen"] = None
        return None
    same_days = (before.start, before.weeks) == (after.start, after.weeks)
    change = _levers(before, after) if same_days else None  # else no date suits both
    draft = _draft(change)
    chosen = _chosen(draft)
    st.session_state["chosen"] = chosen
    if chosen is not None:
        _keep_link(chosen.draft)
        st.markdown(f"#### {words.escape(' '.join(chosen.sentences))}")
    return chosen


def current() -> Chosen | None:
    """The question as it was last drawn; else the files chosen last, or those of a fresh visit."""
    if st.session_state.get("chosen") is None:
        st.session_state["chosen"] = _chosen(_draft(None))
    return st.session_state["chosen"]


def keep() -> None:
    """Notes where the widgets stand, which Streamlit forgets as soon as another page is drawn."""
    st.session_state[KEPT] = {
        key: value
        for key, value in st.session_state.items()
        if str(key).startswith("lever.") or key in ("baseline", "what_if", "replications", "seed")
    }


def restore() -> None:
    """Puts the widgets where they stood, those that Streamlit has forgotten; a hand on a slider is not overtaken."""
    for key, value in st.session_state.get(KEPT, {}).items():
        if key not in st.session_state:
            st.session_state[key] = value


# --- files ------------------------------------------------------------------------------------------------


def scenario_files() -> tuple[str, ...]:
    """Names of the scenario files: regular ones, neither hidden (as editors' locks are) nor unreadable."""
    return tuple(name for name, _ in stamps() if name.endswith(".yaml") and "/" not in name)


def stamps() -> tuple[tuple[str, int], ...]:
    """Names and times of all files of the folder and the folders in it: a stamp for each scenario.

    `extends` and lists of accounts let one file change another's meaning. Other programs write there meanwhile, so
    a file that is gone when its time is asked for is left out.
    """
    found = []
    with contextlib.suppress(OSError):
        for path in [*drafts.FOLDER.glob("*.*"), *drafts.FOLDER.glob("*/*.*")]:
            if not path.name.startswith(".") and path.name.isprintable():
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        found.append((path.relative_to(drafts.FOLDER).as_posix(), status.st_mtime_ns))
    return tuple(sorted(found))


def accounts() -> AccountSource | None:
    """The visitor's own account list, if one is in use."""
    return st.session_state.get("accounts")


def use_accounts(source: AccountSource | None) -> None:
    """Puts an account list to use on all pages, or the invented book again; the levers go where the files have them."""
    st.session_state["accounts"] = source
    waiting: Draft | None = st.session_state.get("link waits")
    _reset_levers()
    st.session_state.pop("chosen", None)
    if waiting is not None and source is not None and drafts.fingerprint(source) == waiting.accounts:
        del st.session_state["link waits"]
        _follow(waiting)


def load(name: str) -> Scenario:
    """A scenario with the visitor's own accounts, if they are in use. Raises ScenarioError."""
    source = accounts()
    return _load(name, stamps(), drafts.fingerprint(source) if source else "", source)


def load_invented(name: str) -> Scenario:
    """A scenario as its file has it. Raises ScenarioError."""
    return _load(name, stamps(), "", None)


def load_both(draft: Draft) -> tuple[Scenario, Scenario]:
    """The scenarios of a draft, with the visitor's own accounts, if they are in use. Raises ScenarioError."""
    source = accounts()
    return _load_both(draft.link(), stamps(), drafts.fingerprint(source) if source else "", source)


def support_shares(name: str) -> Mapping[str, float]:
    """Support calls as a share of each team's contacts, from a short look at a baseline."""
    source = accounts()
    return _support_shares(name, stamps(), drafts.fingerprint(source) if source else "", source)


# Read again when any file of the folder changes. Scenarios are frozen, so that sessions can share them; a list of
# accounts is found by its fingerprint alone, which nobody has who does not have the list.


@st.cache_resource(max_entries=50, show_spinner=False)
def _load(
    name: str, stamps: tuple[tuple[str, int], ...], accounts_key: str, _accounts: AccountSource | None
) -> Scenario:
    return load_scenario(drafts.FOLDER / name, accounts=_accounts)


@st.cache_resource(max_entries=200, show_spinner=False)
def _load_both(
    link: str, stamps: tuple[tuple[str, int], ...], accounts_key: str, _accounts: AccountSource | None
) -> tuple[Scenario, Scenario]:
    return drafts.scenarios_of(drafts.read_link(link), _accounts)


@st.cache_resource(max_entries=50, show_spinner=False)
def _support_shares(
    name: str, stamps: tuple[tuple[str, int], ...], accounts_key: str, _accounts: AccountSource | None
) -> Mapping[str, float]:
    from sim.study import preview

    return preview.support_shares(_load(name, stamps, accounts_key, _accounts))


def _picker(key: str, title: str, files: list[str], first: str, position: int, help_text: str) -> Scenario | None:
    if st.session_state.get(key) not in files:
        if key in st.session_state:
            _reset_levers()
        st.session_state[key] = first if first in files else files[position]
    name = st.selectbox(
        title, files, key=key, help=f"{help_text} A file in the folder `scenarios`.", on_change=_reset_levers
    )
    try:
        scenario = load(name)
    except ScenarioError as error:
        st.error(f"{words.escape(name)} has errors and cannot run:")
        st.code(str(error), language=None, wrap_lines=True)
        return None
    st.caption(f"**{words.escape(scenario.name)}.** {words.escape(scenario.description)}")
    return scenario


# --- levers -----------------------------------------------------------------------------------------------


def _reset_levers() -> None:
    """Another file was chosen: the levers go where it has them, and the last message goes."""
    for values in (st.session_state, st.session_state.get(KEPT, {})):
        for key in [key for key in values if str(key).startswith("lever.")]:
            del values[key]
    st.session_state.pop("linked", None)
    DECISION.unsay()


def _levers(before: Scenario, after: Scenario) -> Change | None:
    """The sliders; gives the dated change that they make, or None if they stand where the what-if has them."""
    own = drafts.levers_of(after)
    shown, by_link = own, None
    linked: Draft | None = st.session_state.get("linked")
    if linked is not None and not _unfit(linked):  # its files may have been edited since
        shown, by_link = drafts.levers_of(load_both(linked)[1]), linked.change
    columns = st.columns([5, 5, 4, 4, 4], gap="medium")
    share = how = None
    with columns[0]:
        if shown.share is not None:
            rest = round(100 * shown.share)
            _seed("lever.share", rest)
            per_cent = st.slider(
                f"Support calls rerouted to {team_title(str(shown.target))} (%)",
                *(round(100 * bound) for bound in drafts.bounds(("routing", "rules", 0, "share"))[:2]),
                key="lever.share",
                help=f"How many of the support calls that reach {team_title(str(shown.source))} go to"
                f" {team_title(str(shown.target))} instead; 100: all of them.",
                on_change=DECISION.unsay,
            )
            share = shown.share if per_cent == rest else per_cent / 100  # a file's 29.5 % stays 29.5 %
        else:
            st.caption("This what-if has routing rules of its own; change them in its file.")
    with columns[1]:
        if shown.share is not None:
            _seed("lever.how", shown.how)
            how = st.segmented_control(
                "How",
                list(HOW_WORDS),
                format_func=HOW_WORDS.__getitem__,
                required=True,
                key="lever.how",
                help=_how_help(),
                disabled=per_cent == 0,
                on_change=DECISION.unsay,
            )
    people = dict(shown.headcount)
    for column, team in zip(columns[2:4], people, strict=False):
        with column:
            people[team] = _headcount(team, before, shown)
    levers = Levers(shown.start, own.source, own.target, share, how or shown.how, people)
    beyond = drafts.beyond_levers(by_link, shown) if by_link is not None else {}
    with columns[4]:
        last = before.start + dt.timedelta(weeks=before.weeks, days=-1)
        _seed("lever.start", shown.start, before.start, last)
        start = st.date_input(
            "From",
            min_value=before.start,
            max_value=last,
            key="lever.start",
            help="First day on which the sliders' changes hold; what else a what-if changes keeps its own dates.",
            disabled=not beyond and not drafts.is_dated(levers, before, after),
            on_change=DECISION.unsay,
        )
    if isinstance(start, dt.date):
        levers = replace(levers, start=start)
    if by_link is not None and levers == shown:
        return by_link
    change = drafts.change_of(levers, before, after)
    if not beyond:
        return change
    values = {**beyond, **(change.set if change else {})}
    return Change.model_validate({"from": levers.start, "set": values})


def _how_help() -> str:
    text = drafts.rule_help("how")
    for name, said in HOW_WORDS.items():
        text = text.replace(name, said.lower())
    return _sentence(text)


def _headcount(team: str, before: Scenario, shown: Levers) -> float:
    """A slider in whole people; a file's 5.5 stays 5.5 until it is moved."""
    low, high, meaning = drafts.bounds(("teams", team, "headcount"))
    usual, now = before.teams[team].headcount if team in before.teams else 0, shown.headcount[team]
    # A slider whose end moves is another slider, and would begin at its own start again.
    if (end := f"lever.most.{team}") not in st.session_state:
        st.session_state[end] = max(2 * ceil(usual), ceil(now) + MOST_PEOPLE_ON_A_SLIDER // 2, MOST_PEOPLE_ON_A_SLIDER)
    most, whole = int(min(st.session_state[end], high)), ceil(now)
    _seed(f"lever.people.{team}", whole, int(low), most)
    exactly = "" if now == whole else f" The what-if has {now}, which holds until this is moved."
    people = int(
        st.slider(
            f"{team_title(team)} headcount",
            int(low),
            most,
            key=f"lever.people.{team}",
            help=f"{_sentence(meaning)} The baseline has {usual}.{exactly}",
            on_change=DECISION.unsay,
        )
    )
    return now if people == whole else people


def _seed(key: str, value: Any, low: Any = None, high: Any = None) -> None:
    """Gives a widget its first value; a value that the user or the page has set stays.

    low, high : its ends. A file that was changed meanwhile may have moved them, and Streamlit draws nothing beyond.
    """
    wanted = st.session_state.get(key, value)
    within = wanted if low is None else min(max(wanted, low), high)
    if key not in st.session_state or within != wanted:
        st.session_state[key] = within


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


# --- draft and link ---------------------------------------------------------------------------------------


def run_options() -> None:
    """How often to simulate and with which luck."""
    _seed("replications", drafts.REPLICATIONS_DEFAULT)
    _seed("seed", 1)
    st.number_input(
        "Replications (histories)",
        drafts.REPLICATIONS_MIN,
        drafts.REPLICATIONS_MAX,
        key="replications",
        help="How many histories of each scenario are simulated. More of them give narrower intervals and"
        " take longer. From 2 to 1,000; 30 is usual.",
        on_change=DECISION.unsay,
    )
    st.number_input(
        "Seed of the luck",
        0,
        SEED_MAX,
        key="seed",
        help="A whole number. The same seed gives the same numbers again; another one gives other luck.",
        on_change=DECISION.unsay,
    )


def _draft(change: Change | None) -> Draft:
    state = st.session_state
    return Draft(
        baseline=state.get("baseline", FIRST_BASELINE),
        what_if=state.get("what_if", FIRST_WHAT_IF),
        change=change,
        replications=int(state.get("replications", drafts.REPLICATIONS_DEFAULT)),
        seed=int(state.get("seed", 1)),
        accounts=drafts.fingerprint(source) if (source := accounts()) else None,
    )


def _chosen(draft: Draft) -> Chosen | None:
    """The draft with its scenarios; None, with the reasons on the page, if they cannot be compared."""
    from sim.study.given import check_comparable

    if draft.baseline == draft.what_if and draft.change is None:
        st.warning("Baseline and what-if are the same file. Choose two, or move a lever.")
        return None
    try:
        before, after = load_both(draft)
        check_comparable([before, after], (draft.baseline, draft.what_if))
    except ValueError as error:
        st.warning("These two cannot be compared:")
        st.code(str(error), language=None, wrap_lines=True)
        return None
    known = sum(tier.accounts for tier in before.tiers.values()) <= MOST_ACCOUNTS_LOOKED_AT
    shares = support_shares(draft.baseline) if known else {}
    return Chosen(draft, before, after, tuple(change_sentences(before, after, shares)))


def _from_link(files: list[str]) -> None:
    """Takes over the draft in the page's address, on the first look; a link that cannot be followed leaves a message.

    Later the address only follows the page: the browser may send an older one along with a newer slider.
    """
    text = st.query_params.get(LINK)
    if st.session_state.get("link looked at"):
        return
    st.session_state["link looked at"] = True
    if not text:
        return
    st.session_state["link"] = text
    try:
        draft = drafts.read_link(text)
        for name in (draft.baseline, draft.what_if):
            if name not in files:
                raise drafts.LinkError(f"This link needs the scenario file {name}, which is not there.")
    except drafts.LinkError as error:
        DECISION.say("error", str(error))
        return
    problem = _unfit(draft)
    if problem:
        DECISION.say("error", "This link's scenarios have errors:", problem)
        return
    source = accounts()
    if draft.accounts is not None and (source is None or drafts.fingerprint(source) != draft.accounts):
        st.session_state["link waits"] = draft
    _follow(draft)
    if "link waits" in st.session_state:
        DECISION.say(
            "info",
            "This link was made with an account list, which no link holds. Upload it on the page Your accounts: the"
            " link is then followed. Until then the invented book is used.",
        )


def _follow(draft: Draft) -> None:
    """Puts the widgets where a draft has them."""
    _reset_levers()
    if draft.change is not None:
        st.session_state["linked"] = draft
    for key in ("baseline", "what_if", "replications", "seed"):
        st.session_state[key] = getattr(draft, key)
        st.session_state.get(KEPT, {}).pop(key, None)


def _unfit(draft: Draft) -> str:
    """Why a link's scenarios cannot be read; empty if they can."""
    try:
        load_both(draft)
    except ScenarioError as error:
        return str(error)
    return ""


def _keep_link(draft: Draft) -> None:
    """Writes the draft into the page's address, so that copying it copies the question."""
    text = draft.link()
    st.session_state["link"] = text
    if st.query_params.get(LINK) != text:  # the other pages' addresses have none
        st.query_params[LINK] = text
