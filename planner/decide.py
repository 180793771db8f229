"""The page "Decide": the question at the top, the answer below."""

from __future__ import annotations

import streamlit as st

from planner import answer, inputs, runs, slips
from planner.page_job import DECISION


def show() -> None:
    """Draws the page."""
    st.title("What does the decision do?")
    runs.collect()
    with st.container(border=True):
        chosen = inputs.show()
        if chosen is not None:
            DECISION.find_again(chosen.key)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            runs.buttons(chosen)
            with st.popover("Replications, luck", icon=":material/tune:"):
                inputs.run_options()
        if chosen is not None:
            slips.show({chosen.draft.baseline: chosen.before, chosen.draft.what_if: chosen.after})
    inputs.keep()
    DECISION.show()
    found = runs.shown(chosen)
    if found is not None:
        answer.show(found)
    elif chosen is not None and not DECISION.job:
        st.info("Press Run: both scenarios are simulated week by week, with the same luck, and compared.")
