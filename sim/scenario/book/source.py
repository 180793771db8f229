"""Where an account list comes from: files, or bytes in memory.

In: paths, or an upload. Out: an `AccountSource`, read whole but not yet understood.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.scenario.book.account_list import AccountList
from sim.scenario.book.csv_table import MAX_BYTES, too_large
from sim.scenario.book.mapping import MAPPING, Mapping, read_mapping
from sim.scenario.book.reading import read_accounts
from sim.scenario.errors import Problem, ScenarioError, did_you_mean, shown
from sim.scenario.paths import why_not_inside
from sim.scenario.tree import MAX_BYTES as MAX_MAPPING_BYTES


@dataclass(frozen=True)
class AccountSource:
    """An account list with what is needed to read it.

    data : bytes of the CSV file. mapping : None where it has the standard column names. look_up : bytes of the
    second list, if the mapping names one. file_name, mapping_name : what messages call them.
    """

    data: bytes
    file_name: str
    mapping: Mapping | None = None
    look_up: bytes | None = None
    mapping_name: str = MAPPING

    @classmethod
    def from_files(
        cls, path: str | os.PathLike[str], mapping_path: str | os.PathLike[str] | None = None
    ) -> AccountSource:
        """The list in a CSV file, with the mapping given, else `<stem>.yaml` beside it, else standard column names.

        A second list stands in the mapping's folder or below. Raises ScenarioError with every problem.
        """
        file = Path(path)
        mapping_file = Path(mapping_path) if mapping_path is not None else file.with_suffix(".yaml")
        problems: list[Problem] = []
        data = _read(file, MAX_BYTES, str(file), problems)
        mapping, look_up = None, None
        if mapping_path is not None or os.path.lexists(mapping_file):
            mapping = _mapping(mapping_file, problems, named=mapping_path is not None)
        if mapping is not None and mapping.look_up is not None:
            wrong = why_not_inside(mapping.look_up.file, mapping_file.parent, mapping_file.parent, "crm.csv")
            second = mapping_file.parent / mapping.look_up.file
            if wrong is not None:
                problems.append(Problem(str(mapping_file), 0, "look_up.file", wrong))
            else:
                look_up = _read(second, MAX_BYTES, str(mapping_file), problems, "look_up.file")
        if problems:
            raise ScenarioError(problems)
        return cls(data, str(file), mapping, look_up, str(mapping_file) if mapping is not None else MAPPING)

    def read(self, tiers: Sequence[str], start: dt.date, currency: str) -> AccountList:
        """The list for a scenario. Raises ScenarioError with every problem."""
        return read_accounts(
            self.data,
            self.file_name,
            self.mapping,
            tiers=tiers,
            start=start,
            currency=currency,
            look_up=self.look_up,
            mapping_name=self.mapping_name,
        )


def _mapping(path: Path, problems: list[Problem], named: bool) -> Mapping | None:
    """The mapping in a file. named : somebody has named it; else it is only called like the list."""
    before = len(problems)
    data = _read(path, MAX_MAPPING_BYTES + 1, str(path), problems)
    if len(problems) > before:
        return None
    try:
        return read_mapping(data, str(path))
    except ScenarioError as error:
        found = error.problems
        if not named and b"columns" not in data:
            message = "is called like the list and so taken for its mapping, but has no 'columns'; name the mapping"
            found = [Problem(str(path), 0, "", message)]
        problems += found
        return None


def _read(path: Path, most: int, told_at: str, problems: list[Problem], field: str = "") -> bytes:
    """The bytes of a file of at most so many; b'' with a problem if it cannot be read. Its size is looked at first."""
    try:
        if path.exists() and not path.is_file():
            raise IsADirectoryError
        size = path.stat().st_size
        if size > most:
            problems.append(Problem(told_at, 0, field, too_large(size) or "larger than 1 MB; a mapping is far smaller"))
            return b""
        with open(path, "rb") as file:
            return file.read(most + 1)
    except FileNotFoundError:
        message = f"there is no file {shown(path.name)}" + did_you_mean(path.name, _beside(path))
    except IsADirectoryError:
        message = f"{shown(path.name)} is not a file; name a file"
    except PermissionError:
        message = f"{shown(path.name)} may not be read; check its permissions"
    except (OSError, ValueError):
        message = f"{shown(path.name)} cannot be read"
    problems.append(Problem(told_at, 0, field, message))
    return b""


def _beside(path: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if entry.name.endswith(path.suffix or ".csv"))
    except (OSError, ValueError):
        return []
    return [name for name in names if name.isprintable()][:1000]
