"""Writes contact ledgers to a Parquet file while a study runs.

In: contact tables, by replication and scenario. Out: one file, complete or not there at all; a row group per
replication and scenario, in order, so that memory holds no more than what came early.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import CONTACT_COLUMNS, OUTCOMES, Table
from sim.study.output_files import replacing
from sim.study.worker import Finished


class LedgerFile:
    """A context manager: `add` replications as they come; leaving without an error puts the file in place.

    Raises OSError on entry if the file cannot be written there.
    """

    def __init__(self, path: Path, scenarios: tuple[Inputs, ...], names: tuple[str, ...]) -> None:
        self.path = path
        self._scenarios, self._names = scenarios, names
        self._early: dict[int, Finished] = {}
        self._next = 0

    def __enter__(self) -> LedgerFile:
        import pyarrow.parquet

        self._output = replacing(self.path)
        self._writer = pyarrow.parquet.ParquetWriter(self._output.__enter__(), _schema(), compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for number in sorted(self._early):
                    self._write(self._early[number])
            self._writer.close()
        except BaseException as problem:
            self._output.__exit__(type(problem))
            raise
        self._output.__exit__(kind)

    def add(self, finished: Finished) -> None:
        """Takes one replication; writes it once all with smaller numbers are there."""
        self._early[finished.replication] = finished
        while self._next in self._early:
            self._write(self._early.pop(self._next))
            self._next += 1

    def _write(self, finished: Finished) -> None:
        import pyarrow

        for inputs, name, measured in zip(self._scenarios, self._names, finished.measured, strict=False):
            if measured.contacts is not None:
                columns = _columns(measured.contacts, inputs, name, finished.replication)
                self._writer.write_table(pyarrow.table(columns, schema=_schema()))


def _schema() -> Any:
    import pyarrow

    words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    fields = [("scenario", words), ("replication", pyarrow.int32())]
    for name, kind in CONTACT_COLUMNS.items():
        named = name in ("tier", "category", "channel", "team", "outcome")
        fields.append((name, words if named else pyarrow.from_numpy_dtype(np.dtype(kind))))
    return pyarrow.schema(fields)


def _columns(contacts: Table, inputs: Inputs, scenario: str, replication: int) -> dict[str, Any]:
    """The table's columns with names instead of indices; -1 is null."""
    import pyarrow

    names = {
        "tier": inputs.tiers,
        "category": inputs.categories,
        "channel": inputs.channels,
        "team": inputs.teams,
        "outcome": OUTCOMES,
    }
    count = len(contacts["contact"])

    def words(index: np.ndarray[Any, Any], choices: tuple[str, ...]) -> Any:
        codes = pyarrow.array(index.astype(np.int32), mask=index < 0)
        return pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array(choices, pyarrow.string()))

    columns: dict[str, Any] = {
        "scenario": words(np.zeros(count, dtype=np.int32), (scenario,)),
        "replication": np.full(count, replication, dtype=np.int32),
    }
    for name, values in contacts.items():
        columns[name] = words(values, names[name]) if name in names else values
    return columns
