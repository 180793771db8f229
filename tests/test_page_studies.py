"""The page Studies: two factors or a study file, run from there, shown as a heat map, taken along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import (
    BASELINE,
    HIRE,
    REROUTE,
    Files,
    Held,
    World,
    csv_rows,
    frame,
    named,
    open_page,
    plain,
    wait_for_end,
    write,
)
from streamlit.testing.v1 import AppTest

from planner import studies_page
from planner.draft import Draft
from planner.inputs import Chosen
from sim.scenario import load_scenario
from sim.study.design import Factor, grid
from sim.study.designed import DesignedStudy
from sim.study.executors import InThisProcess
from sim.study.experiment import study
from sim.study.study_plan import planned_study

pytest_plugins = ("pages",)

KPIS = ["contribution", "logo_churn_per_year", "support.burnout_mean"]
GRID = {
    "name": "People in both teams",
    "baseline": f"../{BASELINE}",
    "design": {
        "grid": [
            {"field": "teams.csm.headcount", "label": "CSMs", "values": [1, 2]},
            {"field": "teams.support.headcount", "label": "Support", "values": [1, 2]},
        ]
    },
}
LISTED = {"name": "A list", "baseline": f"../{BASELINE}", "design": {"csv": "points.csv"}}


@pytest.fixture(scope="module")
def found(small_folder: Path) -> DesignedStudy:
    """A real answer for the small company, two replications."""
    scenario = load_scenario(small_folder / BASELINE)
    factors = [Factor("teams.csm.headcount", "CSMs"), Factor("teams.support.headcount", "Support")]
    plan = planned_study("Two factors", scenario, scenario, grid(factors, [[1, 2], [1, 2]]), KPIS, 2, 1)
    return study(plan, pool=InThisProcess())


class HeldStudy(Held):
    """Stands for `study`, which has a plan and not two scenarios."""

    def __call__(self, plan: Any, **options: Any) -> Any:  # type: ignore[override]
        return super().__call__(plan, [plan], **options)


@pytest.fixture
def held(world: World, found: DesignedStudy, monkeypatch: pytest.MonkeyPatch) -> HeldStudy:
    stands_in = HeldStudy(found)
    monkeypatch.setattr("sim.study.experiment.study", stands_in)
    studies_page.STUDIES.clear()
    return stands_in


@pytest.fixture
def folder(own_folder: Path) -> Path:
    """Two study files in the folder."""
    (own_folder / "studies").mkdir()
    write(own_folder / "studies" / "people.yaml", GRID)
    write(own_folder / "studies" / "list.yaml", LISTED)
    (own_folder / "studies" / "points.csv").write_text("name,teams.support.headcount\nas now,\nmore,2\n")
    return own_folder


def begun(held: HeldStudy, page: AppTest) -> AppTest:
    """The page with its job under way."""
    named(page.button, "Run").click()
    page.run()
    assert held.begun.acquire(timeout=pages.WAIT_SECONDS), "Run starts it"
    return page.run()


def ended(page: AppTest) -> AppTest:
    if "study job" in page.session_state:
        wait_for_end(page.session_state["study job"])
    page.run()
    assert not page.exception
    return page


def chosen(folder: Path, what_if: str) -> Chosen:
    before, after = (load_scenario(folder / name) for name in (BASELINE, what_if))
    return Chosen(Draft(baseline=BASELINE, what_if=what_if), before, after, ())


def test_a_what_if_that_reroutes_offers_its_share_and_every_headcount(small_folder: Path) -> None:
    offered = studies_page.choices_of(chosen(small_folder, REROUTE))
    assert list(offered) == ["Share rerouted to Support", "Support headcount", "CSM headcount"]
    assert offered["Share rerouted to Support"].values(0, 100) == [0, 0.25, 0.5, 0.75, 1]
    assert offered["CSM headcount"].values(1, 3) == [1, 2, 3]
    assert list(studies_page.choices_of(chosen(small_folder, HIRE))) == ["Support headcount", "CSM headcount"]


def test_two_factors_on_the_question_of_the_page_decide_are_run_and_shown(held: HeldStudy, files: Files) -> None:
    page = open_page("studies")
    assert not page.exception
    assert named(page.selectbox, "Study").value == studies_page.OWN, "the folder has no study file"
    assert "15 points beside Small company, 5 replications each." in plain(page)
    begun(held, page)
    assert page.get("progress")[0].text == "3 of 10 replications done, about 7 s left"
    (call,) = held.calls
    assert call["replications"] == 5
    assert len(call["before"].scenarios) == 15
    held.let_go.set()
    ended(page)
    assert "4 points" in plain(page)
    assert "CSMs from 1 to 2 changes it by" in plain(page)
    assert len(page.get("plotly_chart")) == 1
    assert csv_rows(files["Points as CSV"]())[0][:4] == [
        "point",
        "teams.csm.headcount",
        "teams.support.headcount",
        "kpi",
    ]
    assert json.loads(files["Study as JSON"]())["replications"] == 2


def test_another_indicator_shows_its_own_sentence_and_other_values_ask_for_a_run(held: HeldStudy) -> None:
    held.let_go.set()
    page = ended(begun(held, open_page("studies")))
    named(page.selectbox, "Indicator").select("support.burnout_mean").run()
    assert "Support burnout: CSMs from 1 to 2" in plain(page)
    named(page.number_input, "Replications").set_value(7).run()
    assert not page.get("plotly_chart"), "that was not simulated yet"
    assert not named(page.button, "Run").disabled


def test_a_run_can_be_cancelled(held: HeldStudy) -> None:
    page = begun(held, open_page("studies"))
    named(page.button, "Cancel").click()
    page.run()
    ended(page)
    assert "Cancelled." in plain(page)


def test_values_that_do_not_differ_are_not_run(held: HeldStudy) -> None:
    page = open_page("studies")
    named(page.slider, "Support headcount").set_value((2, 2)).run()
    assert "each factor needs two values at least" in plain(page)
    assert named(page.button, "Run").disabled


def test_a_study_file_is_told_and_run(folder: Path, held: HeldStudy) -> None:
    page = open_page("studies")
    named(page.selectbox, "Study").select("people.yaml").run()
    assert not page.exception
    assert "People in both teams. CSMs: 1, 2; Support: 1, 2." in plain(page).replace("**", "")
    held.let_go.set()
    ended(begun(held, page))
    assert "csm-planner study scenarios/studies/people.yaml --replications 5" in plain(page)


def test_a_list_of_points_is_a_table_the_best_first(folder: Path, held: HeldStudy) -> None:
    held.result = study(folder / "studies" / "list.yaml", replications=2, pool=InThisProcess())
    held.let_go.set()
    page = open_page("studies")
    named(page.selectbox, "Study").select("list.yaml").run()
    ended(begun(held, page))
    shown = frame(page, "Point")
    assert shown["Point"].tolist() == [point.name for point in held.result.ranked]
    assert not page.get("plotly_chart")


def test_a_wrong_study_file_says_what_to_repair(folder: Path, held: HeldStudy) -> None:
    text = (folder / "studies" / "people.yaml").read_text()
    (folder / "studies" / "wrong.yaml").write_text(text.replace("teams.csm", "teams.cms"))
    page = open_page("studies")
    named(page.selectbox, "Study").select("wrong.yaml").run()
    assert "there is no 'cms' in 'teams'; did you mean 'csm'?" in plain(page)
    assert named(page.button, "Run").disabled
