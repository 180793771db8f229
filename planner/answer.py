"""Shows what a comparison found: the sentence, the headline numbers, the chart, the table.

In: the mapping that `Comparison.to_dict` gives, and what the indicators mean. Out: elements on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from planner import charts, words
from sim.study.kpis import HEADLINE, Kpi

CARDS_PER_ROW = 3
VERDICT_BOXES = {
    "recommended": st.success,
    "pays, but": st.warning,
    "does not pay": st.error,
    "cannot tell yet": st.info,
}


def show(result: Mapping[str, Any], kpis: Mapping[str, Kpi]) -> None:
    """The whole answer, from the sentence down to all indicators."""
    decision, difference = result["decision"][0], result["differences"][0]
    before, after = result["scenarios"][:2]
    names_shown = f"{words.escape(after['name'])} against {words.escape(before['name'])}"

    verdict = str(decision["verdict"])
    box = VERDICT_BOXES.get(verdict, st.info)
    box(f"**{verdict[:1].upper()}{verdict[1:]}**  \n{words.escape(decision['sentence'])}")
    st.caption(
        f"{names_shown}, {words.counted(after['replications'], 'paired replication')}. The intervals of each"
        " scenario are at 95 %. A difference has an adjusted interval, widened so that the verdicts hold together."
    )

    st.subheader("Headline numbers")
    st.caption("Burnout is simulated, from 0 to 1; it is not a statement about a person.")
    names = [name for name in HEADLINE if name in difference["kpis"]]
    for first in range(0, len(names), CARDS_PER_ROW):
        row = names[first : first + CARDS_PER_ROW]
        for column, name in zip(st.columns(CARDS_PER_ROW), row, strict=False):
            with column:
                _card(name, before, after, difference["kpis"][name], kpis)

    st.subheader("Differences")
    st.caption(
        "What-if minus baseline, with the adjusted interval. Each row has its own scale. An interval that holds"
        " zero leaves the direction open."
    )
    figure = charts.differences_chart(names, difference["kpis"], kpis)
    st.plotly_chart(figure, key="differences", config={"displayModeBar": False, "scrollZoom": False})

    st.subheader("All indicators")
    st.caption("Differences of shares (%) are in percentage points. The adjusted interval decides the verdict.")
    st.dataframe(
        table(before, after, difference["kpis"], kpis),
        hide_index=True,
        width="stretch",
        height=560,
        column_config={"Indicator": st.column_config.TextColumn(pinned=True, width="medium")},
    )


def table(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    differences: Mapping[str, Mapping[str, Any]],
    kpis: Mapping[str, Kpi],
) -> pd.DataFrame:
    """All indicators as texts, a row each: means, difference, their intervals, verdict, meaning."""
    rows = []
    for name, kpi in before["kpis"].items():
        unit = kpis[name].unit
        other, difference = after["kpis"].get(name, {}), differences.get(name, {})
        rows.append(
            {
                "Indicator": kpis[name].label,
                "Unit": words.unit_words(unit),
                "Baseline": words.plain(kpi.get("mean"), unit),
                "Baseline, 95 % interval": words.plain_span(kpi.get("ci95"), unit),
                "What-if": words.plain(other.get("mean"), unit),
                "What-if, 95 % interval": words.plain_span(other.get("ci95"), unit),
                "Difference": words.plain(difference.get("mean"), unit, difference=True),
                "Adjusted interval": words.plain_span(difference.get("ci95_adjusted"), unit, difference=True),
                "Verdict": words.verdict(difference),
                "What may settle it": words.more_replications(difference),
                "Meaning": words.formula(kpis[name].definition),
                "Name": name,
            }
        )
    return pd.DataFrame(rows)


def _card(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    difference: Mapping[str, Any],
    kpis: Mapping[str, Kpi],
) -> None:
    unit = kpis[name].unit
    with st.container(border=True, height="stretch"):
        st.metric(
            kpis[name].label,
            words.value(after["kpis"][name]["mean"], unit),
            words.value(difference["mean"], unit, difference=True),
            delta_color=words.colour(difference),
            delta_arrow="off",
            delta_description=words.verdict(difference),
            help=f"{_sentence(words.formula(kpis[name].definition))} Covers {kpis[name].covers}.",
        )
        st.caption(
            f"Baseline: {words.value(before['kpis'][name]['mean'], unit)}"
            f" ({words.span(before['kpis'][name]['ci95'], unit)})  \n"
            f"What-if: {words.span(after['kpis'][name]['ci95'], unit)}  \n"
            f"Difference, adjusted interval: {words.span(difference['ci95_adjusted'], unit, difference=True)}  \n"
            f"{words.more_replications(difference).capitalize()}"
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
