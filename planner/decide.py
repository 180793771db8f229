"""The page "Decide": the question at the top, the answer below."""

from __future__ import annotations

import streamlit as st

from planner import answer, inputs, runs, slips


def show() -> None:
    """Draws the page."""
    st.title("What does the decision do?")
    runs.collect()
    with st.container(border=True):
        chosen = inputs.show()
        runs.find_again(chosen)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            runs.buttons(chosen)
            with st.popover("Replications, luck", icon=":material/tune:"):
                inputs.run_options()
        if chosen is not None:
            slips.show({chosen.draft.baseline: chosen.before, chosen.draft.what_if: chosen.after})
    inputs.keep()
    runs.watch()
    runs.note()
    found = runs.shown(chosen)
    if found is not None:
        answer.show(found)
    elif chosen is not None and not st.session_state.get("job"):
        st.info("Press Run: both scenarios are simulated week by week, with the same luck, and compared.")
