"""The command `csm-planner verify`: the engine held against closed forms.

In: options. Out: a table on stdout, progress on stderr, a JSON file where asked for. Exit code 1 if a row fails.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli_options import JsonFile, Seed, Workers, out_of_range, raise_for, unwritable
from sim.cli_stop import stop_on_signals
from sim.cli_text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from sim.study.verification import Cell, Verification, VerifiedRow

FAILED, INTERRUPTED = 1, 130
WIDTH = 80


def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rows, in half a minute.")] = False,
    seed: Seed = 1,
    workers: Workers = None,
    scenarios: Annotated[
        Path | None,
        typer.Option(
            "--scenarios", metavar="DIR", help="Folder of the textbook scenarios.", show_default="scenarios/textbook"
        ),
    ] = None,
    json: JsonFile = None,
) -> None:
    """Holds the engine against closed forms: textbook queues, row by row, with intervals."""
    _check(seed, workers, json)
    from sim.cli_output import ProgressLine
    from sim.study.errors import Interrupted
    from sim.study.output_files import write_atomically
    from sim.study.verification import verify as compute
    from sim.study.verification_rows import ROWS

    rows = [row for row in ROWS if row.quick or not quick]
    try:
        with stop_on_signals() as stopped, ProgressLine() as line:
            found = compute(rows, folder=scenarios, seed=seed, workers=workers, progress=line, cancel=stopped)
    except Interrupted as interrupted:
        print(interrupted, file=sys.stderr)
        if json is not None:
            print(printable(f"{json}: not written; a table is whole or not there."), file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json is not None:
        write_atomically(json, found.to_json())
    show(found, _console())
    if not found.passed:
        raise typer.Exit(FAILED)


def _check(seed: int, workers: int | None, json: Path | None) -> None:
    """Raises BadInput with all that is wrong with the options."""
    from sim.study.limits import SEED_RANGE, WORKERS_RANGE

    raise_for(
        [
            *out_of_range("--seed", seed, SEED_RANGE),
            *out_of_range("--workers", workers, WORKERS_RANGE),
            *unwritable([], json),
        ]
    )


def show(found: Verification, console: Console) -> None:
    """Prints the table, and what it says as a whole."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"The engine against theory, seed {found.provenance.seed}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", no_wrap=True)
    for name in ("theory", "simulated", "interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in found.rows:
        for cells in _lines(row):
            table.add_row(*cells)
    console.print(table)
    for sentence in _sentences(found):
        console.print(sentence)


def _lines(row: VerifiedRow) -> Iterator[tuple[str, ...]]:
    load = "" if math.isnan(row.load) else f"load {row.load:.2f}"
    yield row.name, load, "", "", "" if row.passed else "FAILS"
    for cell in row.cells:
        low, high = (_plain(cell, value) for value in (cell.low, cell.high))
        word = "DIFFERS" if not cell.agrees else "sharp" if cell.sharp else "agrees"
        yield f"  {cell.label}", _with_unit(cell, cell.theory), _plain(cell, cell.simulated), f"{low} to {high}", word


def _plain(cell: Cell, value: float) -> str:
    return f"{100 * value:.2f}" if cell.unit == "share" else f"{value:.3f}"


def _with_unit(cell: Cell, value: float) -> str:
    unit = {"share": " %", "minutes": " min"}.get(cell.unit, "")
    return _plain(cell, value) + unit


def _sentences(found: Verification) -> Iterator[str]:
    for row in found.rows:
        for problem in row.problems:
            yield printable(f"{row.file}: {problem}.")
    failed = sum(not row.passed for row in found.rows)
    differ = sum(not cell.agrees for row in found.rows for cell in row.cells)
    many = f"{len(found.rows)} rows, {found.cells} figures"
    if found.passed:
        yield f"{many}: every interval holds what theory says, and every row is sharp."
    else:
        yield f"{many}: {failed} of the rows FAIL, {differ} of the figures differ."
    yield (
        f"Each interval has {100 * found.confidence:.4f} % confidence, so that a right engine fails in one table of a "
        "thousand. Sharp: the interval agrees and is narrow enough to show a service rate that is 2 % too low."
    )


def _console() -> Console:
    from rich.console import Console

    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False, soft_wrap=False)
    console.width = WIDTH
    return console
