"""The options that several commands share, and how their values are checked.

In: words of the command line. Out: types for typer, values, sentences about what cannot be used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from sim.cli_errors import BadInput
from sim.cli_text import printable

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file.", show_default=False)]
Replications = Annotated[
    int, typer.Option("--replications", metavar="N", help="How many times to simulate, with new luck.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Root of all luck.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="W", help="Worker processes.", show_default="one per core"),
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="F", help="Write all figures to a JSON file.", show_default=False),
]
AccountsFile = Annotated[
    Path | None,
    typer.Option("--accounts", metavar="F", help="Start with the accounts of a CSV file.", show_default=False),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping", metavar="M", help="What its columns are.", show_default="the YAML file called like the list"
    ),
]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="F", help="Write every contact to a Parquet file.", show_default=False),
]
StoreFolder = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="Where finished replications are kept, and looked up before they are computed.",
        show_default="in the user's cache",
    ),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Keep nothing and look nothing up.")]
ExecutorName = Annotated[
    str, typer.Option("--executor", metavar="local|dask", help="Worker processes here, or Dask workers.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="ADDRESS", help="The Dask scheduler.", show_default="a cluster of its own, here"
    ),
]


Precision = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        metavar="KPI=X",
        help="End when a KPI is known to ± X; --replications is the most.",
        show_default=False,
    ),
]
Only = Annotated[
    int | None,
    typer.Option("--only", metavar="N", help="Only the replication of this number.", show_default=False),
]


def out_of_range(name: str, value: int | None, bounds: tuple[int, int]) -> Iterator[str]:
    """What is wrong with a whole number, if anything; None is fine."""
    low, high = bounds
    if value is not None and not low <= value <= high:
        yield f"{name}: {value} cannot be used; use a whole number from {low} to {high}."


def unwritable(read: Sequence[Path], *paths: Path | None) -> Iterator[str]:
    """What is wrong with output files, if anything: cannot be written, or would replace one that is read."""
    from sim.study.output_files import why_not_an_output, why_not_writable

    for path in paths:
        if path is not None and (why := why_not_writable(path) or why_not_an_output(path, read)):
            yield printable(f"{path}: {why}")


def read_day(text: str | None) -> dt.date | None:
    """The date of the option --from; raises `BadInput` if it is none."""
    from sim.scenario.schema_types import read_date

    day = read_date(text)
    if day is None or isinstance(day, dt.date):
        return day
    raise BadInput(printable(f"--from: {text} is no date; write it like 2026-07-01."))


def raise_for(problems: Sequence[str]) -> None:
    """Raises `BadInput` with all problems, if there are any."""
    if problems:
        raise BadInput("\n".join(problems))
