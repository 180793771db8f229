"""The pictures of stories: every week in a line, every event and every contact in its lane."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from small import small_scenario

from planner import story_charts
from sim.model.ledger import EVENTS, PERSON_EVENTS
from sim.scenario import Scenario
from sim.study.person_story import PersonStory
from sim.study.story import AccountStory
from sim.study.tellable import cast
from sim.study.trace import trace_account, trace_person

TURNOVER = {"weeks": 40, "teams.csm.quit_rate_per_year": 3.0, "teams.csm.time_to_fill_weeks": 4, "name": "Small"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return small_scenario(TURNOVER)


@pytest.fixture(scope="module")
def account(scenario: Scenario) -> AccountStory:
    story = trace_account(scenario, "enterprise-1").story
    assert isinstance(story, AccountStory)
    return story


def drawn(story: Any, scenario: Scenario) -> Any:
    make = story_charts.account_figure if isinstance(story, AccountStory) else story_charts.person_figure
    return make(story, scenario.start, scenario.start + dt.timedelta(weeks=scenario.weeks))  # type: ignore[operator]


def marks(figure: Any) -> dict[str, int]:
    """How many marks each lane has."""
    found: dict[str, int] = {}
    for trace in figure.data:
        if trace.type == "scatter" and trace.mode == "markers":
            found[trace.y[0]] = found.get(trace.y[0], 0) + len(trace.x)
    return found


def test_an_account_has_a_line_per_state_over_all_weeks_and_a_mark_per_contact_and_event(
    account: AccountStory, scenario: Scenario
) -> None:
    figure = drawn(account, scenario)
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines"}
    assert list(lines) == ["Adoption", "Satisfaction", "Executive contact", "Health", "Would sign"]
    assert list(lines["Adoption"].y) == [state.adoption for state in (account.start, *account.weeks) if state]
    shown = marks(figure)
    contacts = sum(shown.get(lane, 0) for lane in story_charts.CONTACT_LANES.values())
    assert contacts == len(account.matters) > 0
    assert sum(shown.values()) - contacts == len([one for one in account.events if one.event != "midterm"])


def test_a_line_breaks_off_while_the_account_is_away(account: AccountStory, scenario: Scenario) -> None:
    away = replace(account, weeks=(*account.weeks[:10], *account.weeks[20:]))
    line = drawn(away, scenario).data[0]
    assert list(line.y).count(None) == 1
    assert len(line.x) == 1 + len(away.weeks) + 1


def test_leaving_and_announcing_are_marked_in_the_picture_of_the_states(
    account: AccountStory, scenario: Scenario
) -> None:
    event = next(one for one in account.events)
    bad = [replace(event, event="announced"), replace(event, event="renewal", left=True)]
    quiet = drawn(replace(account, events=()), scenario)
    loud = drawn(replace(account, events=tuple(bad)), scenario)
    assert len(loud.layout.shapes) == len(quiet.layout.shapes or ()) + 2
    assert {trace.marker.color for trace in loud.data if trace.mode == "markers" and trace.y[0] == "Contract"} == {
        story_charts.BAD
    }


def test_what_is_said_of_a_mark_is_a_text_and_never_markup(account: AccountStory) -> None:
    mark = story_charts.contact_mark(account.matters[0])._replace(text="<b>x</b> " * 20)
    said = story_charts._hover(mark)
    assert "<b>" not in said
    assert said.count("<br>") >= 2, "long texts are wrapped"


def test_a_person_has_fatigue_burnout_hours_and_absences_with_the_vacancies_in_grey(scenario: Scenario) -> None:
    quitter = next(one.person for one in cast(scenario).people if one.words.startswith("quits"))
    story = trace_person(scenario, quitter).story
    assert isinstance(story, PersonStory)
    figure = drawn(story, scenario)
    assert [trace.name for trace in figure.data if trace.name] == [
        "Burnout", "Fatigue", "At the desk", "On contacts", "Overtime", "Absent",
    ]  # fmt: skip
    burnout = figure.data[0]
    vacant = [week for week in story.weeks if not week.employed]
    assert vacant
    assert list(burnout.y).count(None) == len(vacant)
    assert {shape.type for shape in figure.layout.shapes} == {"rect", "line"}
    assert marks(figure)["Comes, leaves"] == len(story.events)
    assert [week.burnout for week in story.weeks if week.employed] == [one for one in burnout.y if one is not None]


@pytest.mark.parametrize("kind", ["account", "person"])
def test_where_nothing_happened_the_dates_stand_below_the_last_picture(
    kind: str, account: AccountStory, scenario: Scenario
) -> None:
    if kind == "account":
        figure = drawn(replace(account, events=(), matters=()), scenario)
    else:
        story = trace_person(scenario, "Support 1").story
        assert isinstance(story, PersonStory)
        weeks = tuple(replace(week, in_training=False) for week in story.weeks)
        figure = drawn(replace(story, events=(), weeks=weeks), scenario)
    *above, lowest = sorted({trace.xaxis for trace in figure.data})
    axes = {f"x{axis.plotly_name.removeprefix('xaxis')}": axis for axis in figure.select_xaxes()}
    assert set(axes) == {*above, lowest}, "no panel is empty: Plotly leaves out the axis of an empty one"
    assert axes[lowest].showticklabels is not False
    assert all(axes[name].showticklabels is False for name in above)


def test_every_event_has_a_sign() -> None:
    assert set(story_charts.EVENT_SIGNS) == set(EVENTS)
    assert set(story_charts.PERSON_SIGNS) == set(PERSON_EVENTS) - {"none"}
    assert sum(map(len, story_charts.LANES.values())) == len(EVENTS), "each event is in one lane only"
