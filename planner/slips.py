"""What is allowed in a scenario and may still be a slip, told on every page that takes a scenario.

In: scenarios by the names of their files. Out: one box with a line for each warning; nothing without any.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from planner import words
from sim.scenario import Scenario
from sim.scenario.doubts import doubts

MOST_AT_ONCE = 3


def show(scenarios: Mapping[str, Scenario]) -> None:
    """Draws the warnings, each once, with the first file that it is about; many of them are folded up."""
    told = slips(scenarios)
    if not told:
        return
    several = len(scenarios) > 1
    lines = "\n".join(
        f"- {f'{words.escape(file)}: ' if several else ''}{words.escape(doubt)}" for doubt, file in told.items()
    )
    title = f"{words.counted(len(told), 'warning')}: allowed, and perhaps a slip"
    if len(told) <= MOST_AT_ONCE:
        st.warning(f"**{title}**\n{lines}", icon=":material/warning:")
        return
    with st.expander(title, icon=":material/warning:"):
        st.markdown(lines)


def slips(scenarios: Mapping[str, Scenario]) -> dict[str, str]:
    """Warnings with the first file that each is about: what-ifs share those of their baseline."""
    found: dict[str, str] = {}
    for file, scenario in scenarios.items():
        for doubt in doubts(scenario):
            found.setdefault(doubt, file)
    return found
