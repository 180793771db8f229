"""The heat map of a grid of two factors: what each combination changes, and where that cannot be told.

In: a `DesignedStudy`. Out: a Plotly figure, for a page and for a picture in a document.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from sim.study.decision import CHANGE_UNITS, plain, plain_change, plain_interval
from sim.study.design import value_text
from sim.study.designed import DesignedStudy, PointResult
from sim.study.kpis import Kpi

# Orange and blue, which people who confuse red and green tell apart; the middle is nearly white.
WORSE, NEARLY_WORSE, NOTHING, NEARLY_BETTER, BETTER = "#c4601d", "#f0b98d", "#f4f3ef", "#9cc3de", "#2b6ea6"
DARK, LIGHT = "#1c1f24", "#ffffff"
DARK_CELL = 0.93  # of the largest difference: from there on the text is light
ROW_PIXELS, BESIDE_PIXELS = 56, 190
OPEN = "cannot be told: the 95 % interval holds 0"


def heat_map(study: DesignedStudy, kpi: str) -> go.Figure:
    """Differences from the baseline of one KPI: the first factor down, the second across.

    Blue is better and orange is worse; of a KPI without a better direction, blue is more. A dot marks the cells whose
    interval holds 0. Raises ValueError unless the study is a grid of two factors and has the KPI.
    """
    rows, what = study.matrix(kpi), study.kpis[kpi]
    means = [[point.changes[kpi].mean for point in row] for row in rows]
    largest = max((abs(mean) for row in means for mean in row if mean is not None), default=0.0) or 1.0
    scale = study.scale(kpi)
    down, across = ([value_text(value) for value in levels] for levels in study.design.levels)
    colours = [WORSE, NEARLY_WORSE, NOTHING, NEARLY_BETTER, BETTER]
    figure = go.Figure(
        go.Heatmap(
            z=[[None if mean is None else mean / scale for mean in row] for row in means],
            zmin=-largest / scale,
            zmax=largest / scale,
            colorscale=list(zip((0, 0.25, 0.5, 0.75, 1), _turned(colours, what), strict=True)),
            xgap=2,
            ygap=2,
            hovertext=[[_hover(study, point, what) for point in row] for row in rows],
            hoverinfo="text",
            colorbar={"title": {"text": _unit(what, scale), "side": "right"}, "thickness": 12, "outlinewidth": 0},
        )
    )
    for i, row in enumerate(means):
        for j, mean in enumerate(row):
            dark = mean is not None and abs(mean) >= DARK_CELL * largest
            text = "–" if mean is None else _number(mean / scale, what)
            figure.add_annotation(
                x=j, y=i, text=text, showarrow=False, font={"size": 13, "color": LIGHT if dark else DARK}
            )
    _mark(figure, rows, kpi)
    figure.update_xaxes(_axis(study.labels[1], across), side="bottom", showgrid=False)
    figure.update_yaxes(_axis(study.labels[0], down), showgrid=False, automargin=True)
    figure.update_yaxes(range=[len(down) - 0.5, -0.5])  # the first value on top
    figure.update_layout(
        title={
            "text": f"{html.escape(what.label)}: difference from {html.escape(study.baseline)}"
            f'<br><span style="font-size:12px">{_key(what)}</span>',
            "font": {"size": 15},
            "x": 0,
            "xanchor": "left",
        },
        height=ROW_PIXELS * len(down) + BESIDE_PIXELS,
        margin={"l": 8, "r": 8, "t": 62, "b": 8},
        legend={"orientation": "h", "x": 0, "y": -0.24, "yanchor": "top"},
        dragmode=False,
    )
    return figure


def _mark(figure: go.Figure, rows: Sequence[Sequence[PointResult]], kpi: str) -> None:
    """A dot in the corner of each cell that cannot be told, and what it means in the legend, if there is one."""
    cells = [(j, i) for i, row in enumerate(rows) for j, point in enumerate(row) if not point.changes[kpi].told]
    if not cells:
        return
    figure.add_trace(
        go.Scatter(
            x=[x + 0.38 for x, _ in cells],
            y=[y - 0.32 for _, y in cells],
            mode="markers",
            marker={"symbol": "circle", "size": 8, "color": DARK, "line": {"color": LIGHT, "width": 1.5}},
            name=OPEN,
            showlegend=True,
            hoverinfo="skip",
        )
    )


def _axis(label: str, texts: Sequence[str]) -> dict[str, object]:
    """An axis with a tick for each value."""
    return {
        "title": {"text": html.escape(label), "font": {"size": 13}},
        "tickvals": list(range(len(texts))),
        "ticktext": [html.escape(text) for text in texts],
        "range": [-0.5, len(texts) - 0.5],
        "zeroline": False,
    }


def _turned(colours: Sequence[str], kpi: Kpi) -> list[str]:
    return list(reversed(colours)) if kpi.better == "lower" else list(colours)


def _key(kpi: Kpi) -> str:
    """What the colours mean."""
    return "blue is more, orange is less" if kpi.better is None else "blue is better, orange is worse"


def _number(change: float, kpi: Kpi) -> str:
    return plain_change(change, kpi.unit).removesuffix(CHANGE_UNITS.get(kpi.unit, ""))


def _unit(kpi: Kpi, scale: float) -> str:
    """'thousand USD', 'percentage points'."""
    if kpi.unit.startswith("share"):
        return "percentage points"
    return f"{'thousand ' if scale > 1 else ''}{html.escape(kpi.unit)}"


def _hover(study: DesignedStudy, point: PointResult, kpi: Kpi) -> str:
    """What a cell says when it is pointed at: both values, the KPI, the difference with its interval."""
    change, known = point.changes[kpi.name], point.estimates[kpi.name]
    values = [
        f"{html.escape(label)}: {html.escape(value_text(value))}"
        for label, value in zip(study.labels, point.values, strict=True)
    ]
    interval = "" if change.ci95 is None else f" ({plain_interval(change.ci95, kpi.unit)})"
    told = "" if change.told else f"<br>{OPEN}"
    unit = f"{kpi.unit} " if kpi.unit[:3].isupper() else ""
    return (
        f"{'<br>'.join(values)}<br>{html.escape(kpi.label)}: {plain(known.mean, kpi.unit)}"
        f"<br>{html.escape(unit)}{plain_change(change.mean, kpi.unit)}{interval}{told}"
    )
