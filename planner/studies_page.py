"""The page "Studies": which combination of two values is best, as a heat map, and whether one hangs on the other.

In: a study file of the folder, or two factors on the question of the page "Decide". Out: a heat map per indicator,
sentences, a table, downloads. The study is a job of its own; whoever comes back to the same question finds it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from planner import charts, inputs, jobs, runs, slips, words, workers
from planner import draft as drafts
from planner.inputs import Chosen
from planner.page_job import PageJob
from sim.report.heat_map import heat_map
from sim.scenario import AccountSource, ScenarioError
from sim.study import design
from sim.study.change_words import day_words
from sim.study.csv_text import harmless
from sim.study.design import Factor, Value, value_text
from sim.study.factors import place_of
from sim.study.kpis import team_title
from sim.study.study_file import read_study_file
from sim.study.study_plan import StudyPlan, planned_study, read_plan

if TYPE_CHECKING:
    from sim.study.designed import DesignedStudy, PointResult

OWN = "Two factors of your own"
FOLDER = "studies"
REPLICATIONS = (2, 30)
REPLICATIONS_DEFAULT = 5
SHARE_STEP = 25  # per cent
PEOPLE_AROUND = 4
JOB = PageJob("study", "The study failed:")
STUDIES: runs.Store[DesignedStudy] = runs.Store()


@dataclass(frozen=True)
class Choice:
    """A field that the page can vary. low, high, step : of its slider; first : where that stands; scale : by what its
    numbers are divided."""

    factor: Factor
    title: str
    low: int
    high: int
    step: int
    first: tuple[int, int]
    scale: int = 1

    def values(self, low: int, high: int) -> list[Value]:
        """The values from one end of the slider to the other."""
        numbers = range(low, high + 1, self.step)
        return [number if self.scale == 1 else number / self.scale for number in numbers]


def show() -> None:
    """Draws the page."""
    st.title("Which combination?")
    st.write(
        "Two things decided together: every combination is simulated beside the same baseline, under the same luck. The"
        " map shows what each changes, and whether what one does hangs on the other."
    )
    files = study_files()
    left, right = st.columns([3, 1], gap="large")
    with left:
        name = st.selectbox(
            "Study",
            [*files, OWN],
            key="study file",
            help="A file in the folder `scenarios/studies`, or two factors on the question of the page Decide.",
            on_change=JOB.unsay,
        )
    with right:
        replications = int(
            st.number_input(
                "Replications",
                *REPLICATIONS,
                value=REPLICATIONS_DEFAULT,
                key="study replications",
                help="How many times each combination is simulated; more of them make the intervals narrower.",
                on_change=JOB.unsay,
            )
        )
    plan = _own(inputs.current()) if name == OWN else _of_file(name)
    key = None if plan is None else key_of(plan, replications)
    JOB.collect()
    found = STUDIES.get(key) if key else None
    if plan is not None and key is not None:
        points = words.counted(len(plan.scenarios), "point")
        st.caption(f"{points} beside {words.escape(plan.baseline.name)}, {replications} replications each.")
        if found is None:
            JOB.find_again(key)
        if JOB.asked() and found is None and not JOB.job:
            JOB.start(key, work(plan, key, replications))
        slips.show({plan.baseline.name: plan.baseline})
    with st.container(horizontal=True):
        JOB.buttons(ready=plan is not None and found is None)
    JOB.show()
    if found is not None and plan is not None:
        _answer(found, None if name == OWN else name, replications)


def study_files() -> list[str]:
    """Names of the study files of the folder."""
    names = (name for name, _ in inputs.stamps() if name.startswith(f"{FOLDER}/") and name.endswith(".yaml"))
    return [name.removeprefix(f"{FOLDER}/") for name in names]


def key_of(plan: StudyPlan, replications: int) -> str:
    """Names the inputs of the answer."""
    said = [one.model_dump_json() for one in (plan.baseline, *plan.scenarios)]
    text = "\n".join((*said, plan.name, repr(plan.design), repr(plan.kpis), str(plan.seed), str(replications)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- what is tried ------------------------------------------------------------------------------------------


def _of_file(name: str) -> StudyPlan | None:
    """The plan of a study file; None with the reasons on the page."""
    source = inputs.accounts()
    try:
        plan = _read(name, inputs.stamps(), drafts.fingerprint(source) if source else "", source)
    except ScenarioError as error:
        st.error(f"{words.escape(name)} has errors and cannot run:")
        st.code(str(error), language=None, wrap_lines=True)
        return None
    st.caption(f"**{words.escape(plan.name)}.** {words.escape(_varied(plan))}")
    return plan


@st.cache_resource(max_entries=20, show_spinner=False)
def _read(
    name: str, stamps: tuple[tuple[str, int], ...], accounts_key: str, _accounts: AccountSource | None
) -> StudyPlan:
    return read_plan(read_study_file(drafts.FOLDER / FOLDER / name), _accounts)


def _varied(plan: StudyPlan) -> str:
    """'Share rerouted 0, 0.5, 1; Support headcount 4, 5, 6, from 1 July 2026.'"""
    parts = []
    for index, factor in enumerate(plan.design.factors):
        levels = plan.design.levels[index] if plan.design.levels else ()
        since = f" from {day_words(factor.day)} on" if factor.day else ""
        parts.append(f"{factor.label}{since}" + (f": {', '.join(map(value_text, levels))}" if levels else ""))
    return f"{'; '.join(parts)}."


def _own(chosen: Chosen | None) -> StudyPlan | None:
    """The plan of two factors on the page's question; None with the reason on the page."""
    if chosen is None:
        st.info("Choose two scenarios on the page Decide that can be compared.")
        return None
    choices = choices_of(chosen)
    if len(choices) < 2:
        st.info("The what-if has not two things to vary; choose another on the page Decide.")
        return None
    factors: list[Factor] = []
    levels: list[list[Value]] = []
    columns = st.columns(2, gap="large")
    for position, (column, side) in enumerate(zip(columns, ("down", "across"), strict=True)):
        left = [label for label in choices if label not in [factor.label for factor in factors]]
        with column:
            label = st.selectbox(f"Factor {side}", left, key=f"study factor {side}", on_change=JOB.unsay)
            one = choices[label]
            low, high = st.slider(
                one.title, one.low, one.high, one.first, one.step, key=f"study {position} {label}", on_change=JOB.unsay
            )
            factors.append(one.factor)
            levels.append(one.values(low, high))
    if any(len(values) < 2 for values in levels):
        st.info("Draw both sliders apart: each factor needs two values at least.")
        return None
    text = repr((chosen.key, factors, levels))
    try:
        return _planned(hashlib.sha256(text.encode()).hexdigest(), chosen, factors, levels)
    except ScenarioError as error:
        st.error("These values cannot be combined:")
        st.code(str(error), language=None, wrap_lines=True)
        return None


@st.cache_resource(max_entries=20, show_spinner=False)
def _planned(key: str, _chosen: Chosen, _factors: list[Factor], _levels: list[list[Value]]) -> StudyPlan:
    kpis = ["contribution", "logo_churn_per_year"]
    for team in _chosen.before.teams:
        kpis += [f"{team}.burnout_mean", f"{team}.wait_mean_minutes"]
    return planned_study(
        "Two factors",
        _chosen.before,
        _chosen.after,
        design.grid(_factors, _levels),
        kpis,
        REPLICATIONS_DEFAULT,
        _chosen.draft.seed,
    )


def choices_of(chosen: Chosen) -> Mapping[str, Choice]:
    """What can be varied of a what-if, by label: the share that its rule moves, and headcounts, from its day on."""
    levers = drafts.levers_of(chosen.after)
    found: list[Choice] = []
    if levers.share:
        label = f"Share rerouted to {team_title(str(levers.target))}"
        factor = Factor("routing.rules[0].share", label, levers.start)
        found.append(Choice(factor, f"{label} (%)", 0, 100, SHARE_STEP, (0, 100), 100))
    receiver_first = sorted(levers.headcount.items(), key=lambda one: one[0] != levers.target)
    for team, people in receiver_first:
        now = ceil(people)
        low, high = max(1, now - PEOPLE_AROUND), now + PEOPLE_AROUND
        label = f"{team_title(team)} headcount"
        factor = Factor(f"teams.{team}.headcount", label, levers.start)
        if team in chosen.before.teams and now >= 1:
            found.append(Choice(factor, label, low, high, 1, (max(1, now - 1), now + 2)))
    return {one.factor.label: one for one in found if place_of(chosen.after, one.factor)[0] is not None}


# --- the job ----------------------------------------------------------------------------------------------


def work(plan: StudyPlan, key: str, replications: int) -> jobs.Work:
    """What a job does to answer the question."""

    def simulate(report: Callable[[jobs.Progress], None], stop: threading.Event) -> DesignedStudy:
        from sim.study.experiment import study

        found = study(
            plan,
            replications=replications,
            progress=report,
            cancel=stop.is_set,
            pool=workers.pool(),
            store=workers.store(),
        )
        STUDIES.keep(key, found)
        return found

    return simulate


# --- the answer -------------------------------------------------------------------------------------------


def _answer(found: DesignedStudy, file: str | None, replications: int) -> None:
    if found.failures:
        st.warning("Some replications could not be had; the numbers rest on the others.")
    st.markdown(f"#### {words.escape(found.best_headline)}")
    if found.best_caution:
        st.write(words.escape(found.best_caution))
    kpi = st.selectbox("Indicator", list(found.kpis), format_func=lambda name: found.kpis[name].label, key="study kpi")
    if len(found.design.levels) == 2:
        st.plotly_chart(heat_map(found, kpi), key=f"heat map {kpi}", config=charts.CONFIG)
    else:
        st.dataframe(table(found, kpi), hide_index=True, width="stretch")
    pairs = zip(found.interactions, found.interaction_sentences, strict=True)
    lines = zip(found.fits, found.fit_sentences, strict=True)
    for sentence in [text for one, text in (*pairs, *lines) if one.kpi == kpi]:
        st.markdown(f"- {words.escape(sentence)}")
    many = words.counted(found.replications, "paired replication")
    st.caption(
        f"{words.counted(len(found.points), 'point')}, departing from {words.escape(found.departs_from)}, beside"
        f" {words.escape(found.baseline)}; {many}. Every interval is a 95 % interval by itself, for chance only: of"
        " many cells without any effect one in twenty is marked all the same."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Points as CSV",
            found.to_csv,
            file_name="study.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/table:",
            help="A row per point and indicator: mean and difference with their intervals.",
        )
        st.download_button(
            "Study as JSON",
            found.to_json,
            file_name="study.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/data_object:",
            help="What `csm-planner study --json` writes, provenance included.",
        )
    if file is not None and inputs.accounts() is None:
        st.caption("The same numbers in a terminal:")
        st.code(
            f"csm-planner study scenarios/{FOLDER}/{file} --replications {replications}",
            language="bash",
            wrap_lines=True,
        )


def table(found: DesignedStudy, kpi: str) -> pd.DataFrame:
    """A row per point, the best by contribution first, as texts."""
    unit = found.kpis[kpi].unit

    def row(point: PointResult) -> dict[str, str]:
        values = zip(found.labels, point.values, strict=True)
        change = point.changes[kpi]
        interval = f" ({words.plain_span(change.ci95, unit, difference=True)})" if change.ci95 else ""
        return {
            "Point": harmless(point.name),
            **{harmless(label): harmless(value_text(value)) for label, value in values},
            f"Difference, {words.unit_words(unit, difference=True)} (interval)": (
                words.plain(change.mean, unit, difference=True) + interval
            ),
        }

    return pd.DataFrame([row(point) for point in found.ranked])
