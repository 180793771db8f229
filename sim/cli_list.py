"""What the commands are given: the company's own list of accounts, and scenario files that may hold a slip.

In: the options `--accounts` and `--mapping`, scenario files. Out: an `AccountSource` for the study, its files, how it
was read; warnings.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli_errors import BadInput
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.scenario import AccountSource

MOST_WARNINGS = 3


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


def tell_given(scenarios: Sequence[Path], source: AccountSource | None) -> None:
    """Says on stderr how the first scenario's list of accounts was read, then the warnings of all scenarios.

    A warning is told once, with the first file that it is about: what-ifs share those of their baseline. Of many, the
    first few. Errors are told by the study, all at once.
    """
    from sim.scenario import ScenarioError, load_scenario
    from sim.scenario.doubts import doubts

    found: dict[str, Path] = {}
    for file in scenarios:
        with contextlib.suppress(ScenarioError):
            scenario = load_scenario(file, accounts=source)
            if file is scenarios[0] and scenario.book is not None:
                print("\n".join(map(printable, scenario.book.summary)), file=sys.stderr)
            for doubt in doubts(scenario):
                found.setdefault(doubt, file)
    told = list(found.items())
    for doubt, file in told[:MOST_WARNINGS]:
        print(printable(f"{file}: warning: {doubt}"), file=sys.stderr)
    left = [file for _, file in told[MOST_WARNINGS:]]
    if left:
        files = " ".join(map(str, dict.fromkeys(left)))
        print(printable(f"and {len(left):,} more: csm-planner validate {files}"), file=sys.stderr)
