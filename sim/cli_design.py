"""The command `csm-planner study`: a designed set of runs, from a study file.

In: a study file. Out: matrices or a ranking of its points and what the factors do on stdout, JSON and CSV files where
asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli_options import (
    AccountsFile,
    ExecutorName,
    JsonFile,
    MappingFile,
    NoStore,
    Scheduler,
    StoreFolder,
    Workers,
)
from sim.cli_study import Asked, carry_out

if TYPE_CHECKING:
    from sim.study.designed import DesignedStudy


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Study file.", show_default=False)],
    replications: Annotated[
        int | None,
        typer.Option(
            "--replications", metavar="N", help="How many times to simulate each point.", show_default="the file's"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="S", help="Root of all luck.", show_default="the file's")
    ] = None,
    workers: Workers = None,
    json: JsonFile = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="F", help="Write a row per point and KPI to a CSV file.", show_default=False),
    ] = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
) -> None:
    """Simulates a grid, a Latin hypercube or a list of points; says what each factor does and which point is best."""
    from sim.study.study_file import read_study_file

    read = read_study_file(file)

    def compute(accounts: Any, **how: Any) -> DesignedStudy:
        from sim.study import experiment
        from sim.study.study_plan import read_plan

        return experiment.study(read_plan(read, accounts), **how)

    asked = Asked(
        read.said.replications if replications is None else replications,
        read.said.seed if seed is None else seed,
        workers,
        accounts,
        mapping,
        store,
        no_store,
        executor,
        scheduler,
    )
    carry_out(compute, [*read.files, file], asked, json, csv=csv)
