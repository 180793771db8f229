"""The command `csm-planner size`: how many people targets need, at least cost.

In: a scenario file and targets. Out: a grid of plans and the answer in sentences on stdout, a JSON file where asked
for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli_errors import BadInput
from sim.cli_options import (
    AccountsFile,
    ExecutorName,
    JsonFile,
    MappingFile,
    NoStore,
    ScenarioFile,
    Scheduler,
    Seed,
    StoreFolder,
    Workers,
    read_day,
)
from sim.cli_study import Asked, carry_out
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.study.sizing import Sizing


def size(
    scenario: ScenarioFile,
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
    seed: Seed = 1,
    workers: Workers = None,
    json: JsonFile = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
) -> None:
    """Finds the cheapest headcounts that surely meet targets, why not fewer, and what a formula would have said."""
    each = list(map(_span, teams or []))
    spans = dict(each)
    if len(spans) < len(each):
        raise BadInput("--team: a team is named twice; give one range for each.")
    since = read_day(day)

    def compute(**how: Any) -> Sizing:
        from sim.study import experiment

        return experiment.size(scenario, targets or [], spans=spans, day=since, against=against, **how)

    asked = Asked(replications, seed, workers, accounts, mapping, store, no_store, executor, scheduler)
    carry_out(compute, [scenario, *([] if against is None else [against])], asked, json)


def _span(text: str) -> tuple[str, tuple[int, int]]:
    """'csm=4:8' as ('csm', (4, 8)); 'csm=6' keeps the team at 6."""
    team, _, numbers = text.partition("=")
    first, _, last = numbers.partition(":")
    try:
        return team.strip(), (int(first), int(last or first))
    except ValueError:
        raise BadInput(printable(f"--team: {text} cannot be read; write TEAM=FIRST:LAST, such as csm=4:8.")) from None
