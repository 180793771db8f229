"""Charts of a comparison.

In: differences, weekly bands and labels as plain values. Out: Plotly figures. Uncertainty is always drawn.
"""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planner import words
from sim.study.kpi_parts import FloatArray
from sim.study.kpis import Kpi
from sim.study.next_action import plain_date
from sim.study.quarters import Arrival
from sim.study.results import Band

# Readable on a light and on a dark page, and told apart by people who confuse red and green.
COLOURS = {"green": "#1a9b6c", "red": "#d1495b", "gray": "#8a8f98"}
SERIES = ("#3a6ea5", "#7fb069", "#c9a227", "#8e6c8a", "#4c9f9b")
BEFORE, AFTER, ERROR = "#8a8f98", "#e08a1e", "#69707a"
CONFIG = {"displayModeBar": False, "scrollZoom": False}
STRIP_PIXELS, ROW_PIXELS, WEEKLY_PIXELS, PANEL_PIXELS, BAR_PIXELS = 64, 34, 230, 130, 44
MONTH = "%b<br>%Y"  # in two lines it stays upright on a phone
ACROSS = 3  # panels beside each other: on a phone they are still as wide as their titles


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot: a difference with its interval. colour : green, red or gray."""

    label: str
    mean: float
    interval: tuple[float, float]
    colour: str
    text: str


def dot(kpi: Kpi, label: str, difference: Mapping[str, Any]) -> Dot | None:
    """A difference as a row; shares in percentage points. None if it has no adjusted interval."""
    ends = difference.get("ci95_adjusted")
    if difference.get("mean") is None or not ends or ends[0] is None or ends[1] is None:
        return None
    scale = 100 if words.is_share(kpi.unit) else 1
    text = (
        f"{words.value(difference['mean'], kpi.unit, difference=True)}"
        f" ({words.span(ends, kpi.unit, difference=True)}): {words.verdict(difference)}"
    )
    return Dot(label, difference["mean"] * scale, (ends[0] * scale, ends[1] * scale), words.colour(difference), text)


def strip(row: Dot) -> go.Figure:
    """One difference alone: its interval against zero, for a card."""
    figure = _dots([row])
    widest = max(abs(row.mean), *map(abs, row.interval)) * 1.15 or 1.0
    figure.update_xaxes(range=[-widest, widest], nticks=5, tickfont_size=11)
    figure.update_yaxes(visible=False)
    figure.update_layout(height=STRIP_PIXELS, margin={"l": 6, "r": 6, "t": 4, "b": 22})
    return figure


def dot_plot(rows: Sequence[Dot], unit: str) -> go.Figure:
    """Differences of one unit, a row each from the top down, on one axis with zero marked."""
    figure = _dots(rows)
    ends = [0.0, *(end for row in rows for end in (row.mean, *row.interval))]
    air = 0.04 * (max(ends) - min(ends)) or 1.0  # else an interval seems to go on beyond the picture
    figure.update_xaxes(
        title={"text": f"difference, {unit}", "font": {"size": 12}}, nticks=7, range=[min(ends) - air, max(ends) + air]
    )
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont_size=13)
    figure.update_layout(height=ROW_PIXELS * len(rows) + 80, margin={"l": 8, "r": 8, "t": 8, "b": 44})
    return figure


def _dots(rows: Sequence[Dot]) -> go.Figure:
    figure = go.Figure()
    for row in rows:
        look = {"hovertext": row.text, "hoverinfo": "text", "y": [row.label, row.label]}
        colour = COLOURS[row.colour]
        figure.add_trace(
            go.Scatter(x=list(row.interval), mode="lines", line={"color": colour, "width": 6}, opacity=0.55, **look)
        )
        look["y"] = [row.label]
        figure.add_trace(
            go.Scatter(x=[row.mean], mode="markers", marker={"color": colour, "size": 12, "symbol": "diamond"}, **look)
        )
    figure.update_xaxes(zeroline=True, zerolinewidth=2)
    figure.update_layout(showlegend=False, dragmode=False)
    return figure


def weekly(
    title: str,
    start: dt.date,
    bands: Mapping[str, Band],
    changes: Sequence[dt.date],
    *,
    unit: str,
    share: bool = False,
    level: float | None = None,
    colours: Sequence[str] = (BEFORE, AFTER),
    signed: bool = False,
) -> go.Figure:
    """Baseline and what-if over the weeks: a line each with its 95 % interval.

    bands : by the scenario's name, baseline first. changes : days to mark. share : values are shares and shown
    in per cent. level : a line to compare with, in the values' own unit. signed : values may be below zero; else
    an interval is drawn from zero on.
    """
    figure = go.Figure()
    scale = 100 if share else 1
    for (name, band), colour in zip(bands.items(), colours, strict=False):
        days = [start + dt.timedelta(weeks=week, days=3) for week in range(len(band.mean))]
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        low = band.low if signed else np.maximum(band.low, 0.0)
        figure.add_trace(
            go.Scatter(
                x=[*days, *reversed(days)],
                y=[*(band.high * scale), *reversed(low * scale)],
                fill="toself",
                fillcolor=f"rgba({red},{green},{blue},0.22)",
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=days, y=band.mean * scale, name=html.escape(name), mode="lines", line={"color": colour, "width": 2.4}
            )
        )
    for day in changes:
        figure.add_vline(x=day, line={"width": 1, "dash": "dot", "color": BEFORE})
    if level is not None:
        figure.add_hline(y=level * scale, line={"width": 1, "dash": "dash", "color": BEFORE})
    figure.update_yaxes(
        title={"text": "%" if share else unit, "font": {"size": 12}},
        rangemode="normal" if signed else "tozero",
        nticks=5,
    )
    figure.update_xaxes(nticks=6)
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xanchor": "left"},
        height=WEEKLY_PIXELS,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        hovermode="x unified",
        showlegend=False,
        dragmode=False,
    )
    return figure


def arrivals(rows: Sequence[Arrival], starts: Sequence[dt.date]) -> go.Figure:
    """Small multiples, an effect each in the order given: the difference in each quarter with its adjusted interval.

    Grey until it arrives; then green or red, blue where neither direction is better. starts : of the quarters.
    """
    lines = math.ceil(len(rows) / ACROSS)
    figure = make_subplots(
        lines, ACROSS, subplot_titles=[_arrival_title(row, starts) for row in rows],
        vertical_spacing=0.42 / lines, horizontal_spacing=0.09,
    )  # fmt: skip
    for index, row in enumerate(rows):
        scale = 100 if words.is_share(row.effect.unit) else 1
        mean = np.array([np.nan if one.mean is None else one.mean for one in row.changes]) * scale
        intervals = [one.ci95_adjusted or (np.nan, np.nan) for one in row.changes]
        low, high = (np.array([interval[side] for interval in intervals]) * scale for side in (0, 1))
        arrived = COLOURS.get({"better": "green", "worse": "red"}.get(row.verdict or "", ""), SERIES[0])
        since = len(mean) if row.quarter is None else row.quarter
        figure.add_trace(
            go.Bar(
                x=list(starts),
                y=mean,
                marker_color=[COLOURS["gray"] if i < since else arrived for i in range(len(mean))],
                error_y={"array": high - mean, "arrayminus": mean - low, "thickness": 1.2, "width": 2, "color": ERROR},
                hovertext=[_quarter_text(row, i, start) for i, start in enumerate(starts)],
                hoverinfo="text",
            ),
            index // ACROSS + 1,
            index % ACROSS + 1,
        )
        most = 3 * np.nanmax(np.abs(mean), initial=0.0)  # a few pairs bound a wait hardly at all
        ends = [max(np.nanmin(low, initial=0.0), -most), min(np.nanmax(high, initial=0.0), most)]
        if most > 0:
            figure.update_yaxes(range=[1.08 * end for end in ends], row=index // ACROSS + 1, col=index % ACROSS + 1)
    figure.update_annotations(font_size=11)
    figure.update_xaxes(nticks=3, tickformat="%b %y", tickfont_size=10)
    figure.update_yaxes(nticks=3, tickfont_size=10, zeroline=True, zerolinewidth=1.5)
    figure.update_layout(
        height=PANEL_PIXELS * lines + 30, margin={"l": 8, "r": 8, "t": 30, "b": 8}, showlegend=False, dragmode=False
    )
    return figure


def _arrival_title(row: Arrival, starts: Sequence[dt.date]) -> str:
    when = "not in the run" if row.quarter is None else f"{starts[row.quarter]:%b %Y}"
    unit = words.unit_words(row.effect.unit, difference=True).removeprefix("percentage ")
    return f"{html.escape(row.effect.label)}<br><sup>{when}, {unit}</sup>"


def _quarter_text(row: Arrival, quarter: int, start: dt.date) -> str:
    change, unit = row.changes[quarter], row.effect.unit
    text = f"{html.escape(row.effect.label)}, 13 weeks from {plain_date(start)}"
    ends = words.span(change.ci95_adjusted, unit, difference=True)
    return f"{text}:<br>{words.value(change.mean, unit, difference=True)} ({ends})"


def kept_by_tier(
    titles: Sequence[str],
    tiers: Sequence[str],
    values: Sequence[Sequence[float]],
    intervals: Sequence[tuple[float, float] | None],
    said: Sequence[str],
) -> go.Figure:
    """A bar per title from the top down, stacked by tier, with the interval of its sum.

    values : (titles, tiers). intervals : of the sums, None without one. said : of a bar that is pointed at.
    """
    figure = go.Figure()
    for index, tier in enumerate(tiers):
        of_tier = [row[index] for row in values]
        figure.add_trace(
            go.Bar(
                y=list(titles),
                x=of_tier,
                name=html.escape(tier),
                orientation="h",
                marker_color=SERIES[index % len(SERIES)],
                hovertext=[f"{html.escape(tier)}: {words.plain(one, 'accounts')} accounts" for one in of_tier],
                hoverinfo="text",
            )
        )
    sums = [sum(row) for row in values]
    ends = [interval or (value, value) for interval, value in zip(intervals, sums, strict=True)]
    figure.add_trace(
        go.Scatter(
            y=list(titles),
            x=sums,
            mode="markers",
            marker={"color": ERROR, "size": 6},
            error_x={
                "array": [high - value for (_, high), value in zip(ends, sums, strict=True)],
                "arrayminus": [value - low for (low, _), value in zip(ends, sums, strict=True)],
                "color": ERROR,
                "thickness": 2.6,
            },
            hovertext=[html.escape(text) for text in said],
            hoverinfo="text",
            showlegend=False,
        )
    )
    figure.update_xaxes(title={"text": "accounts", "font": {"size": 12}}, zeroline=True, zerolinewidth=2, nticks=7)
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont_size=13)
    figure.update_layout(
        barmode="relative",
        height=BAR_PIXELS * len(titles) + 110,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": -0.3},
        dragmode=False,
    )
    return figure


def cost_per_account(rows: Sequence[Dot]) -> go.Figure:
    """Costs with their intervals, a row each from the top down."""
    figure = _dots(rows)
    ends = [end for row in rows for end in row.interval]
    figure.update_xaxes(nticks=6, range=[1.08 * min([0.0, *ends]), 1.08 * max([0.0, *ends]) or 1.0])
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont_size=13)
    figure.update_layout(height=BAR_PIXELS * len(rows) + 110, margin={"l": 8, "r": 8, "t": 8, "b": 44})
    return figure


def stacked_months(
    months: Sequence[dt.date], names: Sequence[str], values: FloatArray, losses: FloatArray
) -> go.Figure:
    """Bars per month, stacked by name, and a line with the losses of all.

    values, losses : (months, names).
    """
    figure = go.Figure()
    for index, name in enumerate(names):
        figure.add_trace(
            go.Bar(x=list(months), y=values[:, index], name=name, marker_color=SERIES[index % len(SERIES)])
        )
    figure.add_trace(
        go.Scatter(
            x=list(months),
            y=losses.sum(axis=1),
            name="Expected loss",
            mode="lines+markers",
            line={"color": COLOURS["red"], "width": 2.4},
        )
    )
    figure.update_xaxes(tickformat=MONTH, tickangle=0, nticks=9)
    figure.update_layout(
        barmode="stack",
        height=340,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
        dragmode=False,
    )
    return figure
