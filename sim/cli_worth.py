"""What the command line shows of a team's worth: a table of what each tier gains and pays, then plain sentences.

In: a `Worth`. Out: text, readable at 80 columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from sim.cli_text import printable
from sim.study.decision import plain
from sim.study.next_action import plain_date
from sim.study.statistics import Interval

if TYPE_CHECKING:
    from sim.study.worth import Gain, Worth

THOUSAND = 1000.0
NAME_WIDTH = 12
COLUMNS = ("accounts\nkept", "ARR kept", "cost", "cost per\naccount", "ARR at\nrisk")
WITH_PAYROLL = ("team", "one_person")


def show_worth(worth: Worth, console: Console) -> None:
    """Prints the table and the sentences."""
    count = worth.replications
    heading = f"What the team is worth, {worth.scenario}: {count:,} replication{'s' if count != 1 else ''}"
    console.print(printable(f"{heading}, seed {worth.provenance.seed}"), style="bold")
    console.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("", no_wrap=True, max_width=NAME_WIDTH, overflow="ellipsis")
    for words in COLUMNS:
        table.add_column(words, justify="right", no_wrap=True)
    for piece in worth.pieces:
        table.add_row(printable(piece.title), style="bold")
        total = piece.company if piece.what in WITH_PAYROLL else piece.work
        for gain in (*piece.tiers, total):
            table.add_row(*_row(gain), end_section=gain is total)
    console.print(table)
    console.print(
        printable(
            f"The company against itself without it from {plain_date(worth.day)} on. In thousand {worth.currency}."
            " ARR is a year's. Cost: of a tier, hours and channels of its contacts; of All, for the team and one"
            " person, all that is paid. Cost per account: for each one kept. ARR at risk in the end: with it, and"
            " without it. Intervals at 95 %, chance only."
        )
    )
    console.print()
    for sentence in worth.sentences:
        console.print(printable(sentence))


def _row(gain: Gain) -> tuple[str, ...]:
    ratio = gain.cost_per_account
    return (
        f" {printable(gain.name)}",
        _with_interval(gain.kept.mean, gain.kept.ci95, 1.0),
        _with_interval(gain.arr_kept.mean, gain.arr_kept.ci95, THOUSAND),
        _with_interval(gain.cost.mean, gain.cost.ci95, THOUSAND),
        "cannot tell" if ratio.value is None else _with_interval(ratio.value, ratio.ci95, THOUSAND),
        f"{_number(gain.risk_left.mean, THOUSAND)}\n{_number(gain.risk_without.mean, THOUSAND)}",
    )


def _with_interval(value: float | None, interval: Interval | None, scale: float) -> str:
    text = _number(value, scale)
    return text if interval is None else f"{text}\n{' to '.join(_number(end, scale) for end in interval)}"


def _number(value: float | None, scale: float) -> str:
    """Three digits are enough: 1,234, 123, 12.3."""
    return plain(None if value is None else value / scale, "contacts" if abs(value or 0.0) < 100 * scale else "")
