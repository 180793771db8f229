"""The cells of an account list by what they mean, whichever file they stand in.

In: the list's table, a second table if there is one, and the mapping. Out: `Rows`, which gives cells and numbers by
field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.scenario.book.cells import Unreadable
from sim.scenario.book.csv_table import TextTable
from sim.scenario.book.findings import Findings
from sim.scenario.book.mapping import Mapping

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """The cells of one field for every row of the list. lines : 0 where the second list has no such account."""

    column: str
    cells: list[str]
    lines: list[int]
    findings: Findings
    separator: str
    second: bool = False


class Rows:
    """The rows of an account list, some of which have been left out.

    kept : positions of the rows that still count. standard : the mapping is that of the standard names.
    """

    def __init__(self, table: TextTable, mapping: Mapping, findings: Findings, standard: bool = False) -> None:
        self.table, self.mapping, self.findings = table, mapping, findings
        self.standard = standard
        self.kept: IntArray = np.arange(len(table.rows))
        self._sources: dict[str, Source] = {}
        self.second_findings: Findings | None = None
        self.partners: frozenset[str] = frozenset()  # accounts of the second list
        for name, column in mapping.columns:
            if column is not None and self._there(table, column, findings, f"columns.{name}"):
                self._sources[name] = Source(column, table.column(column), table.lines, findings, table.separator)
        for index, rule in enumerate(mapping.drop):
            if rule.column is not None:
                self._there(table, rule.column, findings, f"drop[{index}]")

    def _there(self, table: TextTable, column: str, findings: Findings, asked_by: str) -> bool:
        wrong = table.missing(column)
        if wrong is not None:
            why = f"the mapping asks for it in {asked_by}"
            if self.standard:
                why = "a standard name; a mapping file can say how your columns are called"
            findings.add(1, column, "missing", f"{wrong} ({why})")
        return wrong is None

    def look_up(self, second: TextTable) -> None:
        """Adds what a second list knows of the accounts, once for each row of the first."""
        rule = self.mapping.look_up
        assert rule is not None
        findings = self.second_findings = Findings(second.file)
        wanted = [(name, column) for name, column in rule.columns if column is not None]
        asked = [("look_up.account", rule.account), *((f"look_up.columns.{name}", column) for name, column in wanted)]
        sound = [self._there(second, column, findings, asked_by) for asked_by, column in asked]
        ids = self.source("account")
        if not all(sound) or ids is None:
            return
        position: dict[str, int] = {}
        for row, account in enumerate(second.column(rule.account)):
            if account in position:
                message = f"the account {account!r} is in this list twice; keep one of its rows"
                findings.add(second.lines[row], rule.account, "twice", message)
            elif account:
                position[account] = row
        partner = [position.get(account, -1) for account in ids.cells]
        lines = [second.lines[row] if row >= 0 else 0 for row in partner]
        for name, column in wanted:
            cells = second.column(column)
            filled = [cells[row] if row >= 0 else "" for row in partner]
            self._sources[name] = Source(column, filled, lines, findings, second.separator, second=True)
        self.partners = frozenset(position)

    def source(self, name: str) -> Source | None:
        """Where a field's cells are; None if no column has it."""
        return self._sources.get(name)

    def keep(self, mask: Iterable[bool]) -> int:
        """Leaves out the kept rows for which the mask does not hold; returns how many."""
        before = len(self.kept)
        self.kept = self.kept[np.asarray(mask, dtype=bool)]
        return before - len(self.kept)

    def cells(self, name: str) -> list[str]:
        """The kept rows' cells of a field; empty text where no column has it."""
        source = self.source(name)
        if source is None:
            return [""] * len(self.kept)
        return [source.cells[row] for row in self.kept.tolist()]

    def wrong(self, name: str, position: int, kind: str, message: str) -> None:
        """Notes a problem of the kept row at a position, in the file where its cell stands."""
        source, row = self.source(name), int(self.kept[position])
        if source is None or not source.lines[row]:
            self.findings.add(self.table.lines[row], "" if source is None else source.column, kind, message)
        else:
            source.findings.add(source.lines[row], source.column, kind, message)

    def numbers(self, name: str, read: Callable[[str], float]) -> FloatArray:
        """The kept rows' cells of a field as numbers; nan, with a finding, where one is unreadable.

        read : raises Unreadable. Cells without a partner in the second list are nan without a finding.
        """
        source = self.source(name)
        known: dict[str, float | Unreadable] = {}
        values = np.full(len(self.kept), np.nan)
        for position, cell in enumerate(self.cells(name)):
            if source is not None and source.second and not cell:
                continue
            value = known.get(cell)
            if value is None:
                try:
                    value = read(cell)
                except Unreadable as unreadable:
                    value = unreadable
                known[cell] = value
            if isinstance(value, Unreadable):
                self.wrong(name, position, value.kind, value.message)
            else:
                values[position] = value
        return values
