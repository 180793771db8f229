"""The tables of an answer: a few indicators, where costs move, how burnout is spread, everything.

In: a `View`, a `Comparison` or plain mappings. Out: data frames of texts as the reader sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from planner import charts, words
from planner.view import View
from sim.study.kpis import Kpi, team_title
from sim.study.results import Comparison

PEOPLE_FIGURES = {
    "mean": "mean",
    "lower_quartile": "a quarter of them up to",
    "median": "half of them up to",
    "upper_quartile": "three quarters up to",
    "p90": "nine in ten up to",
    "worst_tenth_mean": "worst-off tenth",
}
LABEL_PIXELS, NUMBER_PIXELS, ROW_PIXELS = 212, 70, 35
COST_ROWS_SHOWN = 9
SMALLEST_COST_SHARE = 0.002


def show_few(view: View, names: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
    """Some indicators, a row each; the colour of a difference is its verdict.

    labels : shorter ones than the indicators', by name, with their units.
    """
    rows, colours = [], []
    for name in names:
        kpi, difference = view.kpis[name], view.differences[name]
        unit = words.unit_words(kpi.unit).removeprefix("score, ")
        change = words.plain(difference["mean"], kpi.unit, difference=True)
        interval = words.plain_span(difference["ci95_adjusted"], kpi.unit, difference=True)
        colours.append(charts.COLOURS[words.colour(difference)])
        rows.append(
            {
                "Indicator": f"{kpi.label}, {unit}" if labels is None else labels[name],
                "Difference (interval)": f"{change} ({interval})",  # before the means: a narrow screen ends here
                "Baseline": words.plain(view.before["kpis"][name]["mean"], kpi.unit),
                "What-if": words.plain(view.after["kpis"][name]["mean"], kpi.unit),
            }
        )
    frame = pd.DataFrame(rows).style.apply(
        lambda column: [f"color: {colour}" for colour in colours], subset=["Difference (interval)"]
    )
    widths = {name: st.column_config.TextColumn(width=NUMBER_PIXELS) for name in ("Baseline", "What-if")}
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=whole(rows),
        column_config={"Indicator": st.column_config.TextColumn(width=LABEL_PIXELS), **widths},
    )


def whole(rows: Sized) -> int:
    """The height in pixels at which a table shows all its rows."""
    return ROW_PIXELS * (len(rows) + 1) + 3


def cost_moves(view: View) -> pd.DataFrame:
    """The largest differences of cost by team and kind of work, in thousands of the currency."""
    costs = view.comparison.costs
    before, after = costs.values[0], costs.values[1]
    change = after - before
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:COST_ROWS_SHOWN]
    rows = []
    for team, category in zip(*np.unravel_index(order, change.shape), strict=True):
        if abs(change[team, category]) < SMALLEST_COST_SHARE * before.sum():
            continue
        rows.append(
            {
                "Team": team_title(costs.teams[team]),
                "Spent on": costs.categories[category].replace("_", " "),
                "Baseline": round(before[team, category] / 1000, 1),
                "What-if": round(after[team, category] / 1000, 1),
                "Difference": round(change[team, category] / 1000, 1),
            }
        )
    return pd.DataFrame(rows, columns=["Team", "Spent on", "Baseline", "What-if", "Difference"])


def people_table(comparison: Comparison) -> pd.DataFrame:
    """Figures of the people's burnout, a row for each team and figure."""
    before, after = comparison.people.scenarios[:2]
    rows = []
    for team, changes in comparison.people.changes[0].items():
        for name, label in PEOPLE_FIGURES.items():
            change = words.plain(changes[name].value, "score", difference=True)
            interval = words.plain_span(changes[name].ci95, "score", difference=True)
            rows.append(
                {
                    "People": f"{team_title(team)}, {label}",
                    "Difference (95 %)": f"{change} ({interval})",
                    "Baseline": words.plain(before[team].burnout[name].value, "score"),
                    "What-if": words.plain(after[team].burnout[name].value, "score"),
                }
            )
    return pd.DataFrame(rows)


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
