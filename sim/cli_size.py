"""The command `csm-planner size`: how many people targets need, at least cost.

In: a scenario file and targets. Out: a grid of plans and the answer in sentences on stdout, a JSON file where asked
for.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from sim import cli_executor, cli_store
from sim.cli_errors import BadInput
from sim.cli_executor import ExecutorName, Scheduler
from sim.cli_list import account_source, list_files, tell_given
from sim.cli_store import NoStore, StoreFolder
from sim.cli_study import check_options, study
from sim.cli_text import printable


def size(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file.", show_default=False)],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target", metavar="KPI>=X", help="What must be met; several are met together.", show_default=False
        ),
    ] = None,
    teams: Annotated[
        list[str] | None,
        typer.Option("--team", metavar="TEAM=A:B", help="Headcounts to try.", show_default="around the workload"),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="BASELINE",
            help="Plans must also surely pay beside it.",
            show_default=False,
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="From when on they hold.", show_default="the first day"),
    ] = None,
    replications: Annotated[
        int, typer.Option("--replications", metavar="N", help="How many times to simulate each plan.")
    ] = 10,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Root of all luck.")] = 1,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="W", help="Worker processes.", show_default="one per core")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="F", help="Write all plans to a JSON file.", show_default=False)
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option("--accounts", metavar="F", help="Start with the accounts of a CSV file.", show_default=False),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="M", help="What its columns are.", show_default="the YAML file called like the list"
        ),
    ] = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
) -> None:
    """Finds the cheapest headcounts that surely meet targets, why not fewer, and what a formula would have said."""
    files = [scenario, *([] if against is None else [against])]
    check_options([*files, *list_files(accounts, mapping)], replications, seed, workers, json)
    from sim.study import experiment

    each = list(map(_span, teams or []))
    spans = dict(each)
    if len(spans) < len(each):
        raise BadInput("--team: a team is named twice; give one range for each.")
    since = _day(day)
    source, kept = account_source(accounts, mapping), cli_store.chosen(store, no_store)
    tell_given(files, source)
    with cli_executor.chosen(executor, scheduler, workers) as pool:
        study(
            lambda progress, cancel: experiment.size(
                scenario,
                targets or [],
                spans=spans,
                day=since,
                against=against,
                replications=replications,
                seed=seed,
                workers=workers,
                accounts=source,
                store=kept,
                pool=pool,
                progress=progress,
                cancel=cancel,
            ),
            json,
            store=kept,
        )


def _span(text: str) -> tuple[str, tuple[int, int]]:
    """'csm=4:8' as ('csm', (4, 8)); 'csm=6' keeps the team at 6."""
    team, _, numbers = text.partition("=")
    first, _, last = numbers.partition(":")
    try:
        return team.strip(), (int(first), int(last or first))
    except ValueError:
        raise BadInput(printable(f"--team: {text} cannot be read; write TEAM=FIRST:LAST, such as csm=4:8.")) from None


def _day(text: str | None) -> dt.date | None:
    from sim.scenario.schema_types import read_date

    day = read_date(text)
    if day is None or isinstance(day, dt.date):
        return day
    raise BadInput(printable(f"--from: {text} is no date; write it like 2026-07-01."))
