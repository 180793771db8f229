"""What the reader takes along: the link, the what-if as a file, the numbers, the command that gives them again.

In: an `Answer`. Out: buttons on the page. Whatever goes into a spreadsheet is neutralised by `sim.study.csv_text`.
"""

from __future__ import annotations

import streamlit as st

from planner import draft as drafts
from planner.inputs import accounts, load
from planner.runs import Answer
from sim.scenario import dump_scenario
from sim.study.csv_text import csv_text
from sim.study.results import Comparison


def show(answer: Answer) -> None:
    """The last section of the answer."""
    st.subheader("Take it along")
    draft = answer.chosen.draft
    with st.container(horizontal=True):
        st.download_button(
            "Scenario file",
            lambda: scenario_text(answer),
            file_name=drafts.ADJUSTED_FILE if draft.change else draft.what_if,
            mime="application/yaml",
            on_click="ignore",
            icon=":material/description:",
            help="The what-if as a file, to put into the folder `scenarios`.",
        )
        st.download_button(
            "KPIs as CSV",
            lambda: kpi_csv(answer.comparison),
            file_name="kpis.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/table:",
            help="All indicators of both scenarios, their differences, intervals and verdicts.",
        )
        st.download_button(
            "Everything as JSON",
            lambda: answer.comparison.to_json(),
            file_name="comparison.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/data_object:",
            help="What `csm-planner compare --json` writes, provenance included.",
        )
    # A stale answer may have been run with another list than the one in use now, or with none.
    source = accounts() if draft.accounts else None
    if draft.accounts and (source is None or drafts.fingerprint(source) != draft.accounts):
        st.caption("The same numbers in a terminal need the account list of this answer, which is not in use any more.")
    else:
        st.caption("The same numbers in a terminal, with the scenario file above in the folder `scenarios`:")
        st.code(drafts.command_line(draft, source), language="bash", wrap_lines=True)
    st.caption("A link to this question is in the address of this page: copy it and send it.")


def scenario_text(answer: Answer) -> str:
    """The what-if as a scenario file: what the levers add to the file that it extends, else all its values."""
    draft = answer.chosen.draft
    if draft.change is None:
        return dump_scenario(answer.chosen.after)
    return drafts.delta_text(draft, load(draft.what_if))


def kpi_csv(comparison: Comparison) -> str:
    """All indicators, a row each, as CSV."""
    frame = comparison.to_frame().reset_index()
    return csv_text(list(frame.columns), frame.itertuples(index=False, name=None))
