"""Charts of a comparison: units, zero lines, uncertainty, and texts that cannot format them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from planner import charts
from sim.study.kpis import Kpi
from sim.study.quarters import Arrival, Change, Effect
from sim.study.results import Band

START = dt.date(2026, 1, 5)


def kpi(unit: str) -> Kpi:
    return Kpi("a", "A", unit, "all accounts", "lower", "made up", 0.01)


def difference(mean: float | None, ends: list[float | None] | None, verdict: str | None = "worse") -> dict[str, Any]:
    return {"mean": mean, "ci95_adjusted": ends, "verdict": verdict}


def band(mean: list[float], half: float = 1.0) -> Band:
    values = np.array(mean)
    return Band(values, values - half, values + half)


def test_a_share_is_drawn_in_percentage_points_and_says_its_verdict() -> None:
    row = charts.dot(kpi("share"), "A", difference(0.02, [0.01, 0.03]))
    assert row is not None
    assert (row.mean, row.interval) == (pytest.approx(2), (pytest.approx(1), pytest.approx(3)))
    assert row.text == "+2.0 points (+1.0 to +3.0 points): worse"
    assert row.colour == "red"


@pytest.mark.parametrize("unknown", [difference(None, None), difference(0.1, None), difference(0.1, [None, None]), {}])
def test_what_has_no_interval_has_no_row(unknown: dict[str, Any]) -> None:
    assert charts.dot(kpi("share"), "A", unknown) is None


@pytest.mark.parametrize("ends", [(1.0, 3.0), (-3.0, -1.0), (0.0, 0.0), (-1e9, 1e9)])
def test_a_strip_has_zero_in_its_middle_and_the_interval_inside(ends: tuple[float, float]) -> None:
    figure = charts.strip(charts.Dot("", sum(ends) / 2, ends, "gray", ""))
    low, high = figure.layout.xaxis.range
    assert low == -high < 0 < high
    assert low <= ends[0] <= ends[1] <= high
    assert figure.layout.xaxis.zeroline


@pytest.mark.parametrize("ends", [(-3.0, -1.0), (1.0, 3.0), (-1.0, 2.0), (0.0, 0.0)])
def test_a_dot_plot_leaves_air_at_both_ends_so_that_no_interval_seems_to_go_on(ends: tuple[float, float]) -> None:
    figure = charts.dot_plot([charts.Dot("A", sum(ends) / 2, ends, "gray", "")], "hours")
    low, high = figure.layout.xaxis.range
    assert low < min(ends[0], 0.0), "zero is there to compare with"
    assert high > max(ends[1], 0.0)


def test_a_dot_plot_has_a_line_and_a_dot_for_each_row_from_the_top_down() -> None:
    rows = [charts.Dot(name, 1.0, (0.5, 1.5), colour, "") for name, colour in (("a", "red"), ("b", "gray"))]
    figure = charts.dot_plot(rows, "hours")
    assert [list(trace.y) for trace in figure.data] == [["a", "a"], ["a"], ["b", "b"], ["b"]]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.title.text == "difference, hours"
    assert figure.data[0].line.color != figure.data[2].line.color, "worse and undecided look different"


def test_weekly_lines_have_their_intervals_their_days_and_the_change() -> None:
    bands = {"before": band([1.0, 2.0]), "after": band([3.0, 0.5])}
    figure = charts.weekly("Load", START, bands, [dt.date(2026, 1, 12)], unit="hours", level=1.0)
    area, line, _, other = figure.data
    assert list(line.x) == [dt.date(2026, 1, 8), dt.date(2026, 1, 15)], "the middle of each week"
    assert list(area.y) == [2.0, 3.0, 1.0, 0.0], "up along the high ends, back along the low ones"
    assert list(other.y) == [3.0, 0.5]
    assert line.line.color != other.line.color
    assert len(figure.layout.shapes) == 2, "the day of the change, and the level to compare with"


def test_only_signed_values_are_drawn_below_zero() -> None:
    lows = {
        signed: min(charts.weekly("", START, {"a": band([0.5])}, [], unit="", signed=signed).data[0].y)
        for signed in (False, True)
    }
    assert lows == {False: 0.0, True: -0.5}


def test_weekly_shares_are_drawn_in_per_cent_with_their_level() -> None:
    figure = charts.weekly("", START, {"a": band([0.5], 0.1)}, [], unit="%", share=True, level=1.0)
    assert list(figure.data[1].y) == [50.0]
    assert figure.layout.shapes[0].y0 == 100.0


def test_names_from_files_cannot_format_a_chart() -> None:
    figure = charts.weekly("", START, {"<a href='http://b'>c</a> & <b>": band([1.0])}, [], unit="")
    assert "<" not in figure.data[1].name
    assert figure.data[1].name.endswith("&amp; &lt;b&gt;")


def test_months_are_stacked_by_name_under_the_line_of_all_losses() -> None:
    values, losses = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.1, 0.2], [0.3, 0.4]])
    months = [dt.date(2026, 1, 1), dt.date(2026, 2, 1)]
    figure = charts.stacked_months(months, ["A", "B"], values, losses)
    assert [list(trace.y) for trace in figure.data[:2]] == [[1.0, 3.0], [2.0, 4.0]]
    assert list(figure.data[2].y) == pytest.approx([0.3, 0.7])
    assert figure.layout.barmode == "stack"


def test_more_names_than_colours_are_all_drawn() -> None:
    count = len(charts.SERIES) + 2
    values = np.ones((1, count))
    figure = charts.stacked_months([START], [f"tier {i}" for i in range(count)], values, values)
    assert len(figure.data) == count + 1


def effect(label: str, unit: str, quarter: int | None, better: Any, mean: list[float | None]) -> Arrival:
    changes = [Change(m, *(2 * [None if m is None else (m - 1, m + 1)])) for m in mean]
    return Arrival(Effect(label, label, unit, better), quarter, tuple(changes))


def test_effects_are_drawn_by_quarter_grey_until_they_arrive() -> None:
    starts = [START + dt.timedelta(weeks=13 * i) for i in range(3)]
    rows = [
        effect("Work done", "share", 1, "higher", [0.0, 0.02, 0.04]),
        effect("Hours", "hours", 0, None, [3.0, 4.0, 5.0]),
        effect("Wait <b>", "minutes", 2, "lower", [None, 1.0, 9.0]),
        effect("Cost", "USD", None, "lower", [0.0, 0.0, 0.0]),
    ]
    figure = charts.arrivals(rows, starts)
    share, hours, wait, cost = figure.data
    gray, green, red = (charts.COLOURS[name] for name in ("gray", "green", "red"))
    assert list(share.y) == pytest.approx([0, 2, 4]), "percentage points"
    assert list(share.error_y.array) == pytest.approx([100, 100, 100]), "with their intervals"
    assert list(share.marker.color) == [gray, green, green]
    assert list(hours.marker.color) == 3 * [charts.SERIES[0]], "neither direction is better"
    assert list(wait.marker.color) == [gray, gray, red]
    assert list(cost.marker.color) == 3 * [gray]
    titles = [one.text for one in figure.layout.annotations]
    assert titles[0] == "Work done<br><sup>Apr 2026, points</sup>"
    assert titles[3].startswith("Cost<br><sup>not in the run")
    assert "<b>" not in titles[2], "names do not format the chart"
    assert figure.layout.yaxis3.range[1] <= 9 * 3 * 1.08, "an interval without bounds does not flatten the bars"


def test_nothing_known_draws_an_empty_panel() -> None:
    figure = charts.arrivals([effect("Wait", "minutes", None, "lower", [None, None])], [START, START])
    assert len(figure.data) == 1
