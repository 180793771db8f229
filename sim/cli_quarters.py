"""What the command line shows of time: the quarter in which each effect of a what-if arrives.

In: a study's `Quarters`. Out: a table, readable at 80 columns, and a sentence about what does not arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from sim.study.decision import CHANGE_UNITS, plain_change, plain_interval
from sim.study.next_action import plain_date

if TYPE_CHECKING:
    from sim.study.quarters import Arrival, Change, Effect, Quarters


LEFT_OUT = ("arr_up_for_renewal", "arr_lost_at_renewal")  # in the JSON: parts of what ARR lost tells


def show_arrivals(quarters: Quarters, index: int, console: Console) -> None:
    """Prints the effects of one what-if that arrive, in the order in which they do. index : of the what-if, from 0."""
    arrivals = [one for one in quarters.arrivals[index] if one.effect.name not in LEFT_OUT]
    if all(change.ci95_adjusted is None for one in arrivals for change in one.changes):
        return  # one replication tells nothing about when
    arrived = sorted((one for one in arrivals if one.quarter is not None), key=lambda one: one.quarter or 0)
    table = Table(
        title="When each effect arrives",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("")
    table.add_column("quarter from", no_wrap=True)
    table.add_column("difference then (interval)", justify="right", no_wrap=True)
    table.add_column("in the last", justify="right", no_wrap=True)
    for one in arrived:
        assert one.quarter is not None
        table.add_row(
            _label(one.effect),
            plain_date(quarters.starts[one.quarter]),
            _with_interval(one.changes[one.quarter], one.effect.unit),
            _last(one),
        )
    if arrived:
        console.print(table)
    differing = [one for one in arrivals if any(change.mean for change in one.changes)]  # not a team at rest in both
    missing = [_lower(one.effect.label) for one in differing if one.quarter is None]
    if missing:
        heading = "" if arrived else "When each effect arrives: "
        console.print(f"{heading}Not within the run: {', '.join(missing)}.")
    if not arrived and not missing:
        console.print("When each effect arrives: nothing differs.")
    console.print(
        f"Quarters of 13 weeks. An effect arrives in the first one whose interval, widened for looking at all "
        f"{len(quarters.starts)}, excludes 0, and after which the difference keeps its side."
    )
    console.print()


def _label(effect: Effect) -> str:
    money = effect.unit[:3].isupper()
    return f"{effect.label}, {effect.unit.replace(' per year', ' a year')}" if money else effect.label


def _lower(label: str) -> str:
    """A label inside a sentence: a name in capitals keeps them."""
    return label if label.split()[0].isupper() else label[0].lower() + label[1:]


def _with_interval(change: Change, unit: str) -> str:
    return f"{plain_change(change.mean, unit)} ({plain_interval(change.ci95_adjusted, unit)})"


def _last(one: Arrival) -> str:
    """The difference in the last quarter that has one, without its unit."""
    known = [change.mean for change in one.changes if change.mean is not None]
    return plain_change(known[-1], one.effect.unit).removesuffix(CHANGE_UNITS.get(one.effect.unit, ""))
