"""Pictures of a story: the states of an account or of a simulated person over the weeks, with what happened below.

In: the facts of a story, the first and the last day of the run. Out: Plotly figures.
"""

from __future__ import annotations

import datetime as dt
import html
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planner import charts
from sim.study.person_story import PersonEvent, PersonStory, PersonWeek
from sim.study.story import SETTLED, AccountEvent, AccountState, AccountStory, Matter
from sim.study.story_words import PERSON_EVENT_WORDS, event_words, matter_words

STATES_PIXELS, LANE_PIXELS, PANEL_PIXELS, HOVER_COLUMNS = 250, 26, 150, 60
GAP = dt.timedelta(days=7)
MARGIN = dt.timedelta(days=12)  # else a mark of the first day covers the name of its lane
GOOD, BAD, MIDDLING, NEUTRAL = charts.COLOURS["green"], charts.COLOURS["red"], charts.AFTER, charts.COLOURS["gray"]
THICK = {"width": 2.2}
STATES: dict[str, tuple[Callable[[AccountState], float], dict[str, Any]]] = {
    "Adoption": (lambda state: state.adoption, {**THICK, "color": charts.SERIES[0]}),
    "Satisfaction": (lambda state: state.satisfaction, {**THICK, "color": charts.SERIES[1]}),
    "Executive contact": (lambda state: state.executive_contact, {**THICK, "color": charts.SERIES[2]}),
    "Health": (lambda state: state.health, {**THICK, "color": charts.SERIES[3], "dash": "dash"}),
    "Would sign": (lambda state: state.would_sign, {"width": 1.6, "color": NEUTRAL, "dash": "dot"}),
}
LANES: dict[str, dict[str, tuple[str, str]]] = {  # from the top down, with the colour and the sign of their events
    "Contract": {
        "won": (GOOD, "star"), "won_back": (GOOD, "star"), "upgraded": (GOOD, "triangle-up"),
        "renewal": (NEUTRAL, "diamond"), "midterm": (NEUTRAL, "diamond"), "announced": (BAD, "triangle-down"),
    },
    "Sponsor": {"sponsor_lost": (BAD, "x"), "sponsor_engaged": (GOOD, "circle")},
    "Owner": {"owner_changed": (NEUTRAL, "diamond")},
    "Onboarding": {"onboarded": (GOOD, "circle"), "onboarding_failed": (BAD, "x")},
    "Action plan": {"plan_opened": (MIDDLING, "circle")},
    "Bad timing": {"ill_timed": (BAD, "x")},
}  # fmt: skip
EVENT_SIGNS = {event: (lane, *sign) for lane, events in LANES.items() for event, sign in events.items()}
CONTACT_LANES = {"trigger": "Urgent work", "company": "Planned work", "customer": "Their contacts"}
THROUGH = ("announced", "sponsor_lost", "won_back")  # marked in the picture of the states too, as leaving is
PERSON_SIGNS: dict[str, tuple[str, str]] = {
    "hired": (GOOD, "triangle-up"),
    "quit": (BAD, "x"),
    "let_go": (NEUTRAL, "x"),
}


class Mark(NamedTuple):
    """Something that happened: when, in which lane, how it looks, what is said of it."""

    when: dt.datetime
    lane: str
    colour: str
    symbol: str
    text: str


def account_figure(story: AccountStory, first: dt.date, last: dt.date) -> go.Figure:
    """An account's states week by week; below, in lanes, its events and its contacts. first, last : of the run."""
    marks = [*_event_marks(story), *map(contact_mark, story.matters)]
    present = {mark.lane for mark in marks}
    lanes = [lane for lane in (*LANES, *CONTACT_LANES.values()) if lane in present]
    lanes += sorted(present - set(lanes))
    figure = _panels([STATES_PIXELS, *([LANE_PIXELS * len(lanes)] if lanes else [])])
    states = [*([story.start] if story.start is not None else []), *story.weeks]
    for title, (of, line) in STATES.items():
        days, values = _broken([(state.day, of(state)) for state in states])
        figure.add_trace(go.Scatter(x=days, y=values, name=title, mode="lines", line=line), 1, 1)
    for event in story.events:
        if event.left or event.event in THROUGH:
            _through(figure, event.when, GOOD if event.event == "won_back" else BAD, rows=(1,))
    if lanes:
        _lanes(figure, 2, marks, lanes)
    figure.update_yaxes(range=[0, 1.02], nticks=6, row=1, col=1)
    return _finished(figure, first, last)


def contact_mark(matter: Matter) -> Mark:
    """A matter as a tick: green if it was settled or done, orange if late or not at once, red if never."""
    if matter.outcome in SETTLED:
        colour = GOOD if matter.settled_at_once and not matter.late else MIDDLING
    else:
        colour = NEUTRAL if matter.outcome in ("open", "not_raised", "withdrawn") else BAD
    lane = CONTACT_LANES.get(matter.initiated_by, CONTACT_LANES["company"])
    return Mark(matter.when, lane, colour, "line-ns", matter_words(matter))


def _event_marks(story: AccountStory) -> Iterator[Mark]:
    for event in story.events:
        if event.event == "midterm" and not event.left:
            continue
        lane, colour, symbol = EVENT_SIGNS.get(event.event, ("Events", NEUTRAL, "diamond"))
        if event.left:
            colour, symbol = BAD, "x"
        elif event.event == "renewal":
            colour = _renewed(event)
        yield Mark(event.when, lane, colour, symbol, event_words(event, story.who.currency))


def _renewed(event: AccountEvent) -> str:
    if event.announced or event.arr_after > event.arr_before:
        return GOOD
    return MIDDLING if event.arr_after < event.arr_before else NEUTRAL


def person_figure(story: PersonStory, first: dt.date, last: dt.date) -> go.Figure:
    """A simulated person's fatigue and burnout, hours and absences week by week; who came and left."""
    marks = [*map(_person_mark, story.events), *_training(story.weeks)]
    # Without marks there are no lanes: dates stand below the lowest panel, and only if something is drawn in it.
    figure = _panels([STATES_PIXELS - 40, PANEL_PIXELS, PANEL_PIXELS - 50, *([2 * LANE_PIXELS] if marks else [])])
    lines: tuple[tuple[int, str, str, Callable[[PersonWeek], float | None]], ...] = (
        (1, "Burnout", charts.COLOURS["red"], lambda week: week.burnout),
        (1, "Fatigue", charts.SERIES[2], lambda week: week.fatigue),
        (2, "At the desk", charts.SERIES[0], lambda week: week.desk_hours if week.employed else None),
        (2, "On contacts", charts.SERIES[1], lambda week: week.handling_hours if week.employed else None),
    )
    for row, name, colour, of in lines:
        points = [(week.day, of(week)) for week in story.weeks]
        figure.add_trace(
            go.Scatter(
                x=[day for day, _ in points],
                y=[value for _, value in points],
                name=name,
                mode="lines",
                line={**THICK, "color": colour},
            ),
            row,
            1,
        )
    bars: tuple[tuple[int, str, str, Callable[[PersonWeek], float]], ...] = (
        (2, "Overtime", charts.AFTER, lambda week: week.overtime_hours),
        (3, "Absent", charts.SERIES[3], lambda week: week.absent_hours),
    )
    for row, name, colour, count in bars:
        days, hours = [week.day for week in story.weeks], [count(week) for week in story.weeks]
        figure.add_trace(go.Bar(x=days, y=hours, name=name, marker_color=colour), row, 1)
    for vacant, weeks in groupby(story.weeks, key=lambda week: not week.employed):
        days = [week.day for week in weeks]
        if vacant:
            figure.add_vrect(
                x0=days[0] - GAP, x1=days[-1], fillcolor=NEUTRAL, opacity=0.18, line_width=0, row="all", col=1
            )
    for event in story.events:
        _through(figure, event.day, PERSON_SIGNS.get(event.event, (NEUTRAL, ""))[0], rows=(1, 2, 3))
    if marks:
        _lanes(figure, 4, marks, ["Comes, leaves", "In training"])
    figure.update_yaxes(range=[0, 1.02], nticks=6, row=1, col=1)
    for row, title in ((2, "hours a week"), (3, "hours")):
        figure.update_yaxes(title={"text": title, "font": {"size": 12}}, rangemode="tozero", nticks=4, row=row, col=1)
    return _finished(figure, first, last)


def _person_mark(event: PersonEvent) -> Mark:
    colour, symbol = PERSON_SIGNS.get(event.event, (NEUTRAL, "diamond"))
    when = dt.datetime.combine(event.day, dt.time())
    return Mark(when, "Comes, leaves", colour, symbol, PERSON_EVENT_WORDS[event.event](event))


def _training(weeks: Sequence[PersonWeek]) -> Iterator[Mark]:
    for week in weeks:
        if week.in_training:
            when = dt.datetime.combine(week.day, dt.time())
            yield Mark(when, "In training", MIDDLING, "line-ns", "A week in training.")


# --- parts ------------------------------------------------------------------------------------------------


def _panels(pixels: Sequence[int]) -> go.Figure:
    """Panels under each other with one axis of time, of these heights."""
    figure = make_subplots(
        len(pixels), 1, shared_xaxes=True, row_heights=[float(one) for one in pixels], vertical_spacing=18 / sum(pixels)
    )
    figure.update_layout(height=sum(pixels) + 18 * (len(pixels) - 1) + 110)
    return figure


def _broken(points: Sequence[tuple[dt.date, float]]) -> tuple[list[dt.date], list[float | None]]:
    """Days and values of a line that breaks off where more than a week is missing."""
    days: list[dt.date] = []
    values: list[float | None] = []
    for day, value in points:
        if days and day - days[-1] > GAP:
            days.append(days[-1] + GAP)
            values.append(None)
        days.append(day)
        values.append(value)
    return days, values


def _through(figure: go.Figure, when: dt.date, colour: str, rows: Sequence[int]) -> None:
    for row in rows:
        figure.add_vline(x=when, line={"width": 1.2, "dash": "dot", "color": colour}, row=row, col=1)


def _lanes(figure: go.Figure, row: int, marks: Sequence[Mark], lanes: Sequence[str]) -> None:
    """Marks in their lanes, from the top down; a trace for each look."""
    looks = sorted({(mark.lane, mark.colour, mark.symbol) for mark in marks})
    for lane, colour, symbol in looks:
        some = [mark for mark in marks if (mark.lane, mark.colour, mark.symbol) == (lane, colour, symbol)]
        tick = symbol == "line-ns"
        figure.add_trace(
            go.Scatter(
                x=[mark.when for mark in some],
                y=[lane] * len(some),
                mode="markers",
                marker={
                    "symbol": symbol,
                    "color": colour,
                    "size": 11,
                    "line": {"width": 2.2 if tick else 0, "color": colour},
                },
                hovertext=[_hover(mark) for mark in some],
                hoverinfo="text",
                showlegend=False,
                cliponaxis=False,
            ),
            row,
            1,
        )
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(lanes),
        range=[len(lanes) - 0.5, -0.5],
        automargin=True,
        tickfont_size=12,
        showgrid=False,
        row=row,
        col=1,
    )


def _hover(mark: Mark) -> str:
    lines = textwrap.wrap(f"{mark.when.day} {mark.when:%b %Y}. {mark.text}", HOVER_COLUMNS)
    return "<br>".join(html.escape(line) for line in lines)


def _finished(figure: go.Figure, first: dt.date, last: dt.date) -> go.Figure:
    figure.update_xaxes(range=[first - MARGIN, last], nticks=7, tickformat=charts.MONTH, tickangle=0)
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        hovermode="closest",
        dragmode=False,
        bargap=0.1,
    )
    return figure
