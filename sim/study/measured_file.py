"""One scenario's measures of one replication as a small Parquet file, and back again.

In: a `Measured`. Out: bytes, the same ones for the same measures. A row per KPI and a row per array: `part` names what
it is, `name` the KPI, `value` its value (null where there is nothing to measure); arrays have `dtype`, `shape` and
`data`. So DuckDB and pandas read the KPIs without this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from sim.study.account_measures import AccountMeasures
from sim.study.kpi_series import WeeklySeries
from sim.study.person_measures import PersonMeasures
from sim.study.quarter_measures import QuarterMeasures
from sim.study.work_flow import WorkFlow
from sim.study.worker import Measured

KPI, COSTS = "kpi", "costs"
GROUPS: dict[str, type[Any]] = {
    "series": WeeklySeries,
    "persons": PersonMeasures,
    "flow": WorkFlow,
    "quarters": QuarterMeasures,
    "accounts": AccountMeasures,
}
COLUMNS = ("part", "name", "value", "dtype", "shape", "data")


class NotMeasures(ValueError):
    """The bytes are no file of measures, or one of another version."""


def to_bytes(measured: Measured) -> bytes:
    """The measures as a Parquet file; contact ledgers are left out."""
    import pyarrow
    import pyarrow.parquet

    rows: list[tuple[Any, ...]] = [(KPI, name, value, None, None, None) for name, value in measured.kpis.items()]
    rows += [(part, "", None, array.dtype.str, array.shape, array.tobytes()) for part, array in _arrays(measured)]
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=_schema()), sink, compression="zstd")
    return bytes(sink.getvalue())


def from_bytes(content: bytes) -> Measured:
    """The measures in a file. Raises NotMeasures."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).read()
        columns = [table.column(name).to_pylist() for name in COLUMNS]
        kpis, arrays = {}, {}
        for part, name, value, dtype, shape, data in zip(*columns, strict=True):
            if part == KPI:
                kpis[name] = value
            else:
                arrays[part] = np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape).copy()
        return Measured(kpis=kpis, costs=arrays[COSTS], contacts=None, **_groups(arrays))
    except (pyarrow.ArrowException, KeyError, ValueError, TypeError) as error:
        raise NotMeasures(f"{type(error).__name__}: {error}") from error


def _arrays(measured: Measured) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """All arrays by the name of their part, such as 'series.teams'."""
    yield COSTS, measured.costs
    for name, kind in GROUPS.items():
        group = getattr(measured, name)
        if group is not None:
            yield from ((f"{name}.{field.name}", getattr(group, field.name)) for field in fields(kind))


def _groups(arrays: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in GROUPS.items():
        parts = {field.name: arrays.get(f"{name}.{field.name}") for field in fields(kind)}
        missing = [part for part, array in parts.items() if array is None]
        if missing and not (name == "accounts" and len(missing) == len(parts)):
            raise KeyError(f"{name}.{missing[0]}")
        found[name] = None if missing else kind(**parts)
    return found


def _schema() -> Any:
    import pyarrow

    return pyarrow.schema(
        [
            ("part", pyarrow.string()),
            ("name", pyarrow.string()),
            ("value", pyarrow.float64()),
            ("dtype", pyarrow.string()),
            ("shape", pyarrow.list_(pyarrow.int32())),
            ("data", pyarrow.binary()),
        ]
    )
