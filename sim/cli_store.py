"""The commands `csm-planner store …`, and the store that other commands use.

In: options. Out: what is kept, on stdout; exit code 1 if `verify` finds damage.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli_errors import BadInput
from sim.cli_options import StoreFolder
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.study.store import Entry, Store

FAILED = 1
NAME_WIDTH = 30
SHOWN_KEY = 12

commands = typer.Typer(name="store", help="What has been computed and is kept.", no_args_is_help=True)


def chosen(folder: str | None, no_store: bool) -> Store | None:
    """The store that the options name; None for none. Raises BadInput."""
    from sim.study.store import Store, default_folder

    if folder is not None and no_store:
        raise BadInput("--store and --no-store: only one of them can be meant.")
    if folder is not None and not folder.strip():
        raise BadInput("--store: name a folder.")
    where = default_folder() if folder is None else Path(folder)
    if no_store or where is None:
        return None
    if where.exists() and not where.is_dir():
        raise BadInput(printable(f"--store: {where} is a file; name a folder."))
    return Store(where)


@commands.command("list")
def list_entries(store: StoreFolder = None) -> None:
    """Lists what is kept: a line per scenario and seed."""
    kept = _there(store)
    entries = kept.entries()
    if not entries:
        typer.echo(printable(f"{kept.folder}: nothing is kept there."))
        return
    _show(entries)
    typer.echo(printable(f"{_size(sum(entry.bytes for entry in entries))} in {kept.folder}"))


@commands.command()
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As in the list; the first digits do.")],
    store: StoreFolder = None,
) -> None:
    """Shows what the results of an entry hang on, as JSON: scenario, warm-up, seed, code, packages."""
    kept = _there(store)
    found = [entry.key for entry in kept.entries() if entry.key.startswith(key)]
    if len(found) != 1:
        why = "no entry has" if not found else f"{len(found)} entries have"
        raise BadInput(printable(f"{key}: {why} a key that begins so; see csm-planner store list."))
    typer.echo(json.dumps(kept.about(found[0]), indent=2))


@commands.command()
def prune(
    store: StoreFolder = None,
    unused_days: Annotated[
        float | None,
        typer.Option("--unused-days", metavar="N", help="Delete also what was not written for N days."),
    ] = None,
) -> None:
    """Deletes what other versions of the program have computed, which nothing looks up any more."""
    if unused_days is not None and not unused_days >= 0:
        raise BadInput(f"--unused-days: {unused_days:g} cannot be used; use a number of days from 0.")
    gone = _there(store).prune(other_versions=True, unused_days=unused_days)
    typer.echo(f"{len(gone)} deleted, {_size(sum(entry.bytes for entry in gone))}.")


@commands.command()
def verify(store: StoreFolder = None) -> None:
    """Reads every file; what is damaged is set aside and will be computed again."""
    kept = _there(store)
    sound = kept.verify()
    typer.echo(f"{sound:,} sound, {len(kept.problems):,} damaged.")
    for problem in kept.problems:
        print(printable(f"{problem}."), file=sys.stderr)
    if kept.problems:
        raise typer.Exit(FAILED)


def _there(folder: str | None) -> Store:
    kept = chosen(folder, no_store=False)
    if kept is None:
        raise BadInput("CSM_PLANNER_STORE says that there is no store; name one with --store DIR.")
    return kept


def _show(entries: list[Entry]) -> None:
    typer.echo(f"{'key':{SHOWN_KEY}}  {'scenario':{NAME_WIDTH}}  {'seed':>5}  {'repl.':>6}  {'size':>8}  written")
    for entry in entries:
        name = entry.name if len(entry.name) <= NAME_WIDTH else entry.name[: NAME_WIDTH - 1] + "…"
        day = dt.datetime.fromtimestamp(entry.used).date()
        line = f"{entry.key[:SHOWN_KEY]}  {name:{NAME_WIDTH}}  {entry.seed:>5}  {entry.replications:>6,}"
        typer.echo(printable(f"{line}  {_size(entry.bytes):>8}  {day:%d %b}"))


def _size(size: float) -> str:
    """'191 kB', '1.2 GB'."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"
        size /= 1000
    raise AssertionError
