"""The company's own list of accounts, as the commands take it.

In: the options `--accounts` and `--mapping`. Out: an `AccountSource` for the study, its files, how it was read.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli_errors import BadInput
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.scenario import AccountSource


def list_files(accounts: Path | None, mapping: Path | None) -> list[Path]:
    """The files of a list of accounts, which no output may take the place of."""
    beside = accounts.with_suffix(".yaml") if accounts is not None and mapping is None else None
    return [path for path in (accounts, mapping, beside) if path is not None]


def account_source(accounts: Path | None, mapping: Path | None) -> AccountSource | None:
    """The list of accounts that the options name; None without one. Raises ScenarioError if it cannot be read."""
    from sim.scenario import AccountSource

    if accounts is None and mapping is not None:
        raise BadInput(f"--mapping: {mapping} says what the columns of a list are; give the list with --accounts.")
    return None if accounts is None else AccountSource.from_files(accounts, mapping)


def tell_list(scenario: Path, source: AccountSource | None) -> None:
    """Says on stderr how a scenario's list of accounts was read; errors are told by the study, all at once."""
    from sim.scenario import ScenarioError, load_scenario

    with contextlib.suppress(ScenarioError):
        book = load_scenario(scenario, accounts=source).book
        for line in book.summary if book is not None else ():
            print(printable(line), file=sys.stderr)
