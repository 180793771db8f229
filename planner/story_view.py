"""A story as the page draws it: the picture, what happened in plain words, what can be taken along.

In: whose story of which history, and its `Trace`. Out: elements on the page.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner import charts, inputs, story_charts, words
from planner import draft as drafts
from sim.scenario import Scenario
from sim.study.csv_text import csv_text

if TYPE_CHECKING:
    from sim.study.trace import Trace

MOST_PIXELS, LINES_ON_THE_PAGE = 480, 14


@dataclass(frozen=True)
class Wanted:
    """A history of a scenario, and whose story of it. name : '' for the most telling one."""

    file: str
    scenario: Scenario
    replication: int
    seed: int
    kind: str
    name: str

    @property
    def history(self) -> str:
        """Names the history: equal inputs and luck, equal history."""
        text = f"{self.scenario.model_dump_json()}\n{self.replication}\n{self.seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def key(self, history: str) -> str:
        """Names the story, within the history of that name."""
        return f"{history} {self.kind} {self.name}"


class Story:
    """A story as it was told, with its picture, made once."""

    def __init__(self, wanted: Wanted, trace: Trace) -> None:
        self.wanted, self.trace = wanted, trace
        self._figure: Any = None

    @property
    def last(self) -> dt.date:
        """The last day of the run."""
        return self.wanted.scenario.start + dt.timedelta(weeks=self.wanted.scenario.weeks)

    def figure(self) -> Any:
        """The picture: it takes longer to make than the rest of the page."""
        if self._figure is None:
            from sim.study.story import AccountStory

            told, first = self.trace.story, self.wanted.scenario.start
            make = story_charts.account_figure if isinstance(told, AccountStory) else story_charts.person_figure
            self._figure = make(told, first, self.last)  # type: ignore[operator]
        return self._figure


def show(story: Story, wanted: Wanted) -> None:
    """The whole story. wanted : how the reader has asked for it."""
    from sim.study.story import AccountStory
    from sim.study.story_words import WAITS, account_told, person_told, who_words
    from sim.study.trace import NO_STATEMENT

    told = story.trace.story
    if isinstance(told, AccountStory):
        st.subheader(words.escape(told.who.account))
        st.markdown(words.escape(who_words(told.who)))
    else:
        st.subheader(words.escape(told.person))
        st.markdown(f"**{NO_STATEMENT[:1].upper()}{NO_STATEMENT[1:]}.**")
    st.plotly_chart(story.figure(), key=f"story {wanted.kind}", config=charts.CONFIG)
    scenario = words.escape(wanted.scenario.name)
    where = f"{scenario}, history {wanted.replication}, seed {wanted.seed}: one history of many."
    if isinstance(told, AccountStory):
        st.caption(
            "Lines: the account at the end of each week, from 0 to 1; would sign is the chance that it would renew if"
            " asked then. Dotted: announced, left, came back, sponsor left. Below, green went well, orange late or not"
            f" at once, red badly, grey neither; point at a mark to read it. {where}"
        )
        everything = st.toggle("Routine contacts too, one by one", key="stories.everything")
        months, header = account_told(told, everything), "what happened"
    else:
        st.caption(
            "Burnout and fatigue: from 0 to 1, at the end of each week. Grey: nobody has the seat. Overtime is part of"
            f" the hours on contacts. {where}"
        )
        months, header = person_told(told), f"what happened ({NO_STATEMENT})"
    lines = list(_month_lines(months))
    st.markdown("**What happened**")
    with st.container(height=MOST_PIXELS if len(lines) > LINES_ON_THE_PAGE else "content", border=False):
        st.markdown("\n".join(lines) if lines else "Nothing out of the ordinary.")
    if isinstance(told, AccountStory):
        st.caption(WAITS)
    slug = "".join(one if one.isalnum() else "_" for one in wanted.name.casefold())
    rows = [
        row
        for first, month in months.items()
        for row in (
            *((day.isoformat(), text) for day, text in month.dated),
            *((f"{first:%Y-%m}", text) for text in month.sums),
        )
    ]
    with st.container(horizontal=True):
        st.download_button(
            "Events as CSV",
            lambda: csv_text(["date or month", header], rows),
            file_name=f"story_{slug}.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            "Everything as JSON",
            story.trace.to_json,
            file_name=f"story_{slug}.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/data_object:",
            help="What `csm-planner trace --json` writes: each contact with its times, each week.",
        )
    st.caption("The same story in a terminal; a link to it is in the address of this page:")
    st.code(command_line(wanted), language="bash", wrap_lines=True)


def _month_lines(months: dict[dt.date, Any]) -> Iterator[str]:
    """Markdown: a line per month in which something is told, and its sentences below."""
    for first, month in months.items():
        if month.dated or month.sums:
            yield f"\n**{first:%B %Y}**\n"
            for day, text in month.dated:
                yield f"- {day.day} {day:%b}: {words.escape(text)}"
            for text in month.sums:
                yield f"- :gray[{words.escape(text)}]"


def command_line(wanted: Wanted) -> str:
    """The command that tells the same story in a terminal."""
    line = ["csm-planner", "trace", f"scenarios/{wanted.file}", f"--{wanted.kind}", wanted.name]
    line += ["--replication", str(wanted.replication), "--seed", str(wanted.seed)]
    return shlex.join([*line, *drafts.list_options(inputs.accounts())])
