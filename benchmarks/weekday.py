"""A working day of the shipped company: who is at the desk, who is busy, how long customers wait.

`python -m benchmarks.weekday` plots it from the ledgers of ten replications into docs/images/weekday.png, and prints
the figures by hour.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.browser import PROJECT, take_picture
from benchmarks.company import BASELINE
from sim.model.compile import compile_inputs
from sim.model.inputs import FloatArray, Inputs
from sim.model.ledger import BLOCKED, BOUNCED, DEFLECTED, NOT_RAISED, History
from sim.model.replication import replicate
from sim.scenario import load_scenario

PICTURE = PROJECT / "docs" / "images" / "weekday.png"
REPLICATIONS = 10
BINS_PER_HOUR = 2
BINS = 24 * BINS_PER_HOUR
WIDTH, HEIGHT = 1100, 760
AT_DESK, BUSY, LIVE, OTHER = "#8a8f98", "#3a6ea5", "#e08a1e", "#7fb069"
NEVER_ASKED = (BLOCKED, NOT_RAISED, DEFLECTED, BOUNCED)


@dataclass(frozen=True)
class Profile:
    """One team's working day by the half hour; all arrays (BINS,), waits nan where nobody came.

    at_desk, busy : mean numbers of people. live_minutes, other_minutes : mean wait of customers who came then, on the
    line (clock minutes) and otherwise (business minutes).
    """

    at_desk: FloatArray
    busy: FloatArray
    live_minutes: FloatArray
    other_minutes: FloatArray


def occupied(began: FloatArray, ended: FloatArray, days: int) -> FloatArray:
    """Mean number per bin of the day of what lasts from `began` to `ended` (hours), over so many working days.

    The share of each bin that is covered counts, on weekdays only.
    """
    grid = np.arange(0.0, 168.0 + 1e-9, 1 / BINS_PER_HOUR)
    covered = np.zeros(len(grid) - 1)
    for start, end in zip(began, ended, strict=True):
        week = np.floor(start / 168.0) * 168.0
        for offset in range(int(np.floor((end - week) / 168.0)) + 1):
            low, high = start - week - 168.0 * offset, end - week - 168.0 * offset
            first, last = max(0, int(low * BINS_PER_HOUR)), min(len(covered), int(np.ceil(high * BINS_PER_HOUR)))
            span = np.minimum(grid[first + 1 : last + 1], high) - np.maximum(grid[first:last], low)
            covered[first:last] += np.clip(span, 0.0, None)
    by_day = covered.reshape(7, BINS)[:5].sum(axis=0)
    return by_day * BINS_PER_HOUR / days


def profiles(inputs: Inputs, histories: Sequence[History]) -> dict[str, Profile]:
    """The working day of each team over all replications."""
    days = 5 * inputs.weeks * len(histories)
    end = inputs.weeks * 168.0
    customer = np.array([who == "customer" for who in inputs.initiated_by])
    result = {}
    for index, team in enumerate(inputs.teams):
        desk, busy = np.zeros(BINS), np.zeros(BINS)
        born: list[FloatArray] = []
        wait: list[FloatArray] = []
        live: list[FloatArray] = []
        for history in histories:
            rows, duty = history.contacts, history.duty
            mine = duty["team"] == index
            desk += occupied(duty["began"][mine], duty["ended"][mine], days)
            served = (rows["team"] == index) & ~np.isnan(rows["started"])
            over = np.minimum(np.nan_to_num(rows["ended"][served], nan=end), end)
            busy += occupied(np.maximum(rows["started"][served], 0.0), over, days)
            asked = (rows["team"] == index) & customer[rows["category"]] & ~np.isin(rows["outcome"], NEVER_ASKED)
            asked &= rows["born"] >= 0
            born.append(rows["born"][asked])
            wait.append(rows["wait_minutes"][asked].astype(float))
            live.append(rows["live"][asked])
        hour, minutes, on_line = np.concatenate(born), np.concatenate(wait), np.concatenate(live)
        bins = (hour % 24 * BINS_PER_HOUR).astype(int)
        result[team] = Profile(desk, busy, _means(bins, minutes, on_line), _means(bins, minutes, ~on_line))
    return result


def _means(bins: np.ndarray, values: FloatArray, some: np.ndarray) -> FloatArray:
    number = np.bincount(bins[some], minlength=BINS)
    total = np.bincount(bins[some], values[some], minlength=BINS)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def figure(found: dict[str, Profile]) -> go.Figure:
    """People above, waits below, a column for each team."""
    titles = [f"{team.upper() if len(team) <= 3 else team.capitalize()}: people" for team in found]
    titles += ["wait by hour of arrival, minutes"] * len(found)
    plot = make_subplots(rows=2, cols=len(found), subplot_titles=titles, vertical_spacing=0.13, horizontal_spacing=0.07)
    hours = np.arange(BINS) / BINS_PER_HOUR
    for column, profile in enumerate(found.values(), start=1):
        for y, name, colour, row, line in (
            (profile.at_desk, "at the desk", AT_DESK, 1, "hv"),
            (profile.busy, "busy (after hours too)", BUSY, 1, "hv"),
            (profile.live_minutes, "on the line, clock minutes", LIVE, 2, "linear"),
            (profile.other_minutes, "all others, business minutes", OTHER, 2, "linear"),
        ):
            style = {"color": colour, "shape": line, "width": 2.5}
            plot.add_scatter(x=hours, y=y, name=name, line=style, showlegend=column == 1, row=row, col=column)
    plot.update_xaxes(range=[7, 20], dtick=1, ticksuffix=" h", tickfont_size=11)
    plot.update_yaxes(rangemode="tozero")
    plot.update_layout(
        width=WIDTH,
        height=HEIGHT,
        template="plotly_white",
        legend={"orientation": "h", "y": -0.08},
        margin={"l": 50, "r": 20, "t": 50, "b": 60},
    )
    return plot


def main(arguments: Sequence[str] | None = None) -> None:
    """Plots the working day and prints it by hour."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weekday", description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE, help="PNG file, by default in docs/images")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    options = parser.parse_args(arguments)
    inputs = compile_inputs(load_scenario(BASELINE))
    histories = [next(replicate(inputs, [inputs], 1, number)) for number in range(options.replications)]
    found = profiles(inputs, histories)
    for team, profile in found.items():
        print(f"{team}: hour, at the desk, busy, wait on the line, other wait (minutes)")
        for hour in range(8, 19):
            at = slice(hour * BINS_PER_HOUR, (hour + 1) * BINS_PER_HOUR)
            waits = [
                "      –" if np.isnan(minutes[at]).all() else f"{np.nanmean(minutes[at]):7.1f}"
                for minutes in (profile.live_minutes, profile.other_minutes)
            ]
            print(f"  {hour:02d}:00 {profile.at_desk[at].mean():6.2f} {profile.busy[at].mean():6.2f} {' '.join(waits)}")
    take_picture(figure(found), options.picture, WIDTH, HEIGHT)


if __name__ == "__main__":
    main()
