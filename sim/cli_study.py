"""A study as a command carries it out: options checked, progress told, results shown and written.

In: options, and what computes the result. Out: the result on stdout, progress and messages on stderr, files where asked
for; exit code 1 if a replication or an output file failed, 130 if it was interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sim import cli_executor, cli_store
from sim.cli_list import account_source, list_files, tell_given
from sim.cli_options import out_of_range, raise_for, unwritable
from sim.cli_stop import stop_on_signals
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.study.designed import DesignedStudy
    from sim.study.results import Comparison, RunResult
    from sim.study.risk import RiskReport
    from sim.study.sizing import Sizing
    from sim.study.store import Store
    from sim.study.worth import Worth

    Result = RunResult | Comparison | RiskReport | Worth | Sizing | DesignedStudy

FAILED, INTERRUPTED = 1, 130


@dataclass(frozen=True)
class Asked:
    """What the options say that all studies share."""

    replications: int
    seed: int
    workers: int | None
    accounts: Path | None
    mapping: Path | None
    store: str | None = None
    no_store: bool = False
    executor: str = "local"
    scheduler: str | None = None


def carry_out(
    compute: Callable[..., Result],
    files: Sequence[Path],
    asked: Asked,
    json: Path | None,
    *,
    ledger: Path | None = None,
    csv: Path | None = None,
) -> None:
    """Checks the options, runs a study with progress on stderr, then writes its files and shows the result.

    compute : what computes the result, called with the keyword arguments that the functions of `sim.study.experiment`
    share: replications, seed, workers, accounts, store, pool, progress, cancel. It writes the ledger itself.
    files : the scenario files that it reads.

    Raises BadInput, and typer.Exit if something failed or was interrupted.
    """
    _check([*files, *list_files(asked.accounts, asked.mapping)], asked, json, ledger, csv)
    source = account_source(asked.accounts, asked.mapping)
    store = cli_store.chosen(asked.store, asked.no_store)
    tell_given(files, source)
    with cli_executor.chosen(asked.executor, asked.scheduler, asked.workers) as pool:

        def result(progress: Callable[..., None], cancel: Callable[[], bool]) -> Result:
            return compute(
                replications=asked.replications,
                seed=asked.seed,
                workers=asked.workers,
                accounts=source,
                store=store,
                pool=pool,
                progress=progress,
                cancel=cancel,
            )

        _study(result, json, ledger, csv, store)


def _check(read: Sequence[Path], asked: Asked, *paths: Path | None) -> None:
    """Raises `BadInput` with all that is wrong: numbers out of range, files that cannot or must not be written."""
    from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE, WORKERS_RANGE

    wanted = [path for path in paths if path is not None]
    problems = [
        *out_of_range("--replications", asked.replications, REPLICATIONS_RANGE),
        *out_of_range("--seed", asked.seed, SEED_RANGE),
        *out_of_range("--workers", asked.workers, WORKERS_RANGE),
        *unwritable(read, *wanted),
    ]
    if len({path.resolve() for path in wanted}) < len(wanted):
        problems.append(printable(f"{wanted[0]}: two outputs cannot go to the same file; name two."))
    raise_for(problems)


def _study(
    compute: Callable[[Callable[..., None], Callable[[], bool]], Result],
    json: Path | None,
    ledger: Path | None,
    csv: Path | None,
    store: Store | None,
) -> None:
    """Runs a study with progress on stderr, then writes its files and shows the result."""
    from sim.cli_output import ProgressLine, show_result
    from sim.study.errors import Interrupted

    try:
        with stop_on_signals() as stopped, ProgressLine() as line:
            result: Result = compute(line, stopped)
    except Interrupted as interrupted:
        kept = store is not None and not store.problems and interrupted.done > 0
        say(f"{interrupted} What had finished is kept in the store." if kept else str(interrupted))
        whole = interrupted.result is not None and not interrupted.result.provenance.interrupted
        if interrupted.result is not None:
            show_result(interrupted.result, sys.stderr)
            what = "without what was asked for beside it" if whole else "with the finished replications"
            for path, text in _texts(interrupted.result, json, csv):
                say(_write(path, text) or f"{path}: written, {what}.")
        else:
            for wanted in filter(None, (json, csv)):
                say(f"{wanted}: not written; no replication had finished.")
        if ledger is not None and not whole:
            say(f"{ledger}: not written; a ledger is whole or not there.")
        raise typer.Exit(INTERRUPTED) from None
    written = [_write(path, text) for path, text in _texts(result, json, csv)]
    problems = [*result.failures, *filter(None, written)]
    show_result(result, sys.stdout)
    for told in store.problems if store is not None else ():
        say(f"{told}.")
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(FAILED)


def _texts(result: Result, json: Path | None, csv: Path | None) -> list[tuple[Path, str]]:
    """The files that were asked for, and what goes into them."""
    from sim.study.designed import DesignedStudy
    from sim.study.risk import RiskReport

    texts = [] if json is None else [(json, result.to_json())]
    if csv is not None and isinstance(result, RiskReport | DesignedStudy):
        texts.append((csv, result.to_csv()))
    return texts


def _write(path: Path, text: str) -> str | None:
    """Writes a file; what went wrong, or None."""
    from sim.study.output_files import write_atomically

    try:
        write_atomically(path, text)
    except OSError as error:
        return f"{path}: could not be written ({error.strerror or error})."
    return None


def say(message: str) -> None:
    """Prints a message on stderr, its lines without anything that a terminal would obey."""
    print("\n".join(map(printable, message.split("\n"))), file=sys.stderr)
