"""What is wrong in the rows of a table: the same problem of many rows is told once.

In: line, column and message of each finding. Out: `Problem`s with the first lines and the count.
"""

from __future__ import annotations

from sim.scenario.errors import Problem, segment

LINES_SHOWN = 3


class Findings:
    """Gathers the problems of one file. `kind` says which findings are the same problem."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._lines: dict[tuple[str, str], dict[int, None]] = {}
        self._messages: dict[tuple[str, str], str] = {}

    def add(self, line: int, column: str, kind: str, message: str) -> None:
        """Notes a problem of a line, from 1 (0: of the whole file); the first message of a kind is the one shown."""
        key = (column, kind)
        self._messages.setdefault(key, message)
        self._lines.setdefault(key, {})[line] = None

    def problems(self) -> list[Problem]:
        """One problem for each column and kind, in the order of their first lines."""
        found = []
        for (column, kind), lines in self._lines.items():
            first, *others = lines
            message = self._messages[column, kind] + _also(others)
            found.append(Problem(self.file, first, segment(column) if column else "", message))
        return sorted(found, key=lambda problem: problem.line)


def _also(lines: list[int]) -> str:
    """' (also on lines 5, 7, 9 and 120 more)', or nothing."""
    if not lines:
        return ""
    shown, more = lines[:LINES_SHOWN], len(lines) - LINES_SHOWN
    if more > 0:
        return f" (also on lines {', '.join(map(str, shown))} and {more} more)"
    listed = " and ".join(filter(None, (", ".join(map(str, shown[:-1])), str(shown[-1]))))
    return f" (also on line{'s' if len(lines) > 1 else ''} {listed})"
