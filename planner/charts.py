"""Charts of a comparison.

In: the differences of a comparison as plain mappings. Out: Plotly figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planner import words
from sim.study.kpis import Kpi

# Readable on a light and on a dark page, and told apart by people who confuse red and green.
COLOURS = {"green": "#1a9b6c", "red": "#d1495b", "gray": "#8a8f98"}
ROW_PIXELS = 100


def differences_chart(
    names: Sequence[str], differences: Mapping[str, Mapping[str, Any]], kpis: Mapping[str, Kpi]
) -> go.Figure:
    """One row per indicator: the difference, its adjusted interval, and zero; each row has its own axis.

    Parameters
    ----------
    names : indicators, from the top down; those without an interval are left out.
    differences : by indicator, with `mean`, `ci95_adjusted` (or None) and `verdict`.
    kpis : what the indicators are called and measured in.
    """
    shown = [name for name in names if _interval(differences.get(name)) is not None]
    rows = max(len(shown), 1)
    titles = [f"{kpis[name].label} ({words.unit_words(kpis[name].unit, difference=True)})" for name in shown]
    figure = make_subplots(rows=rows, cols=1, subplot_titles=titles, vertical_spacing=0.64 / rows)
    for row, name in enumerate(shown, start=1):
        difference = differences[name]
        scale = 100 if words.is_share(kpis[name].unit) else 1
        low, high = (end * scale for end in _interval(difference) or (0, 0))
        mean = difference["mean"] * scale
        colour = COLOURS[words.colour(difference)]
        text = (
            f"{words.value(difference['mean'], kpis[name].unit, difference=True)}"
            f" ({words.span(difference['ci95_adjusted'], kpis[name].unit, difference=True)}):"
            f" {words.verdict(difference)}"
        )
        figure.add_trace(
            go.Scatter(
                x=[low, high],
                y=[0, 0],
                mode="lines",
                line={"color": colour, "width": 6},
                hovertext=text,
                hoverinfo="text",
            ),
            row=row,
            col=1,
        )
        figure.add_trace(
            go.Scatter(
                x=[mean],
                y=[0],
                mode="markers",
                marker={"color": colour, "size": 13, "symbol": "diamond"},
                hovertext=text,
                hoverinfo="text",
            ),
            row=row,
            col=1,
        )
        widest = max(abs(low), abs(high), abs(mean)) * 1.15 or 1.0
        figure.update_xaxes(range=[-widest, widest], nticks=7, zeroline=True, zerolinewidth=2, row=row, col=1)
        figure.update_yaxes(visible=False, range=[-1, 1], row=row, col=1)
    figure.update_annotations(x=0, xanchor="left", font_size=14)
    figure.update_layout(
        height=ROW_PIXELS * rows + 40,
        margin={"l": 8, "r": 8, "t": 32, "b": 24},
        showlegend=False,
        dragmode=False,
    )
    return figure


def _interval(difference: Mapping[str, Any] | None) -> tuple[float, float] | None:
    ends = (difference or {}).get("ci95_adjusted")
    if not ends or ends[0] is None or ends[1] is None:
        return None
    return float(ends[0]), float(ends[1])
