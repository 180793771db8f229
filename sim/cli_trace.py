"""The command `csm-planner trace`: two years of one account, or of one simulated person, told as a story.

In: a scenario file and a name. Out: a timeline on stdout, readable at 80 columns, and a JSON file where asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli_list import account_source, list_files, tell_given
from sim.cli_options import (
    AccountsFile,
    JsonFile,
    MappingFile,
    ScenarioFile,
    Seed,
    out_of_range,
    raise_for,
    unwritable,
)
from sim.cli_stop import stop_on_signals

if TYPE_CHECKING:
    from sim.study.trace import Trace

INTERRUPTED = 130


def trace(
    scenario: ScenarioFile,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="ID", help="Whose story: as `accounts` calls it.", show_default=False),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent", metavar="NAME", help='Whose story: a simulated person, as "CSM 2".', show_default=False
        ),
    ] = None,
    replication: Annotated[
        int, typer.Option("--replication", metavar="N", help="In which history, numbered from 0.")
    ] = 0,
    seed: Seed = 1,
    everything: Annotated[bool, typer.Option("--all", help="Tell routine contacts too, one by one.")] = False,
    json: JsonFile = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
) -> None:
    """Tells what happened to one account, or to one simulated person, in one history."""
    _check(scenario, account, agent, replication, seed, json, accounts, mapping)
    from sim.cli_trace_words import story_lines
    from sim.model.replication import Cancelled
    from sim.study.output_files import write_atomically
    from sim.study.trace import trace_account, trace_person

    source = account_source(accounts, mapping)
    tell_given([scenario], source)
    tell, name = (trace_account, account) if account is not None else (trace_person, agent or "")
    try:
        with stop_on_signals() as stopped:
            found: Trace = tell(scenario, name, replication=replication, seed=seed, accounts=source, cancel=stopped)
    except Cancelled:
        print("Interrupted; nothing was written.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json is not None:
        write_atomically(json, found.to_json())
    for line in story_lines(found, everything):
        print(line)


def _check(
    scenario: Path,
    account: str | None,
    agent: str | None,
    replication: int,
    seed: int,
    json: Path | None,
    accounts: Path | None,
    mapping: Path | None,
) -> None:
    """Raises BadInput with all that is wrong with the options."""
    from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE

    problems = [
        *out_of_range("--replication", replication, (0, REPLICATIONS_RANGE[1] - 1)),
        *out_of_range("--seed", seed, SEED_RANGE),
        *unwritable([scenario, *list_files(accounts, mapping)], json),
    ]
    if (account is None) == (agent is None):
        problems.append('Whose story? Give either --account ID, as small-12, or --agent NAME, as "CSM 2".')
    raise_for(problems)
