"""Where each number comes from and how sure it is.

In: `evidence.yaml`, one row per number of the shipped baseline, `evidence_parts.yaml`, rows of parts that only other
shipped scenarios have, and a scenario. Out: the scenario's numbers with their rows; a number that differs from its
row is `yours`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from pathlib import Path as FilePath
from typing import Any, Literal

import yaml

from sim.scenario.schema import Scenario

FILE = FilePath(__file__).with_name("evidence.yaml")
PARTS = FilePath(__file__).with_name("evidence_parts.yaml")

Label = Literal["measured", "benchmark", "assumption", "yours"]
Value = float | tuple[float, ...]


@dataclass(frozen=True)
class Evidence:
    """What is known about one number.

    path : dotted path of the field. value : the number, or a tuple of them.
    label : `measured` (from data we hold), `benchmark` (a published source supports this very number),
    `assumption` (nobody has published it), `yours` (not the shipped value).
    low, high : range in which it may lie; None for a choice or a mix, which is no estimate, and for a number
    that the shipped company does not have. unit, source : in words.
    """

    path: str
    value: Value
    label: Label
    low: float | None
    high: float | None
    unit: str
    source: str

    @property
    def is_estimate(self) -> bool:
        """Whether the number has a range in which it may lie. Choices and mixes have none."""
        return self.low is not None and self.high is not None

    @property
    def relative_width(self) -> float:
        """(high - low) / value: how little is known. 0 for choices and lists; over `high` for a value of 0."""
        if self.low is None or self.high is None or isinstance(self.value, tuple):
            return 0.0
        scale = abs(self.value) or self.high
        return (self.high - self.low) / scale if scale else 0.0


def evidence(scenario: Scenario) -> dict[str, Evidence]:
    """Every number of a scenario with its evidence, by dotted path, in the order of the schema.

    Lists of numbers are one entry. Routing rules and dated changes are decisions and have none.
    """
    found = {}
    for path, value in numbers(scenario).items():
        row = _row(path)
        if row is None:
            found[path] = Evidence(path, value, "yours", None, None, "", "not part of the shipped company")
        elif _value(row, path) != value:
            found[path] = replace(_as_evidence(row, path, value), label="yours", source="set in this scenario")
        else:
            found[path] = _as_evidence(row, path, value)
    return found


def widest_assumptions(scenario: Scenario) -> list[Evidence]:
    """The uncertain assumptions of a scenario, least known first."""
    rows = [row for row in evidence(scenario).values() if row.label == "assumption" and row.relative_width > 0]
    return sorted(rows, key=lambda row: -row.relative_width)


def numbers(scenario: Scenario) -> dict[str, Value]:
    """Every number of a scenario by dotted path; a list of numbers is one tuple."""
    data = scenario.model_dump(by_alias=True, exclude_none=True, exclude={"changes"})
    return dict(_numbers(data, ""))


def _numbers(value: Any, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _numbers(inside, f"{path}.{key}" if path else str(key))
    elif _is_number(value):
        yield path, value
    elif isinstance(value, list) and value and all(map(_is_number, value)):
        yield path, tuple(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def rows() -> dict[str, dict[str, Any]]:
    """The rows by path; a `*` in a path stands for any one name."""
    return {**rows_of(FILE), **rows_of(PARTS)}


@cache
def rows_of(file: FilePath) -> dict[str, dict[str, Any]]:
    """The rows of one of the two files."""
    return dict(yaml.load(file.read_text(encoding="utf-8"), Loader=_loader()))


def _loader() -> type[yaml.SafeLoader]:
    """The fast reader where PyYAML has it; both read safely."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def row_path(path: str) -> str | None:
    """The path of the row that covers a number: its own, or one with a `*` for each name in it."""
    if path in rows():
        return path
    words = path.split(".")
    places = range(1, len(words))
    for some in [*combinations(places, 1), *combinations(places, 2)]:
        starred = ".".join("*" if place in some else word for place, word in enumerate(words))
        if starred in rows():
            return starred
    return None


def starred_part(covering: str, path: str) -> str:
    """What the `*`s of a row's path stand for in a number's path: 'small', or 'small.12'."""
    return ".".join(w for star, w in zip(covering.split("."), path.split("."), strict=True) if star == "*")


def _row(path: str) -> dict[str, Any] | None:
    covering = row_path(path)
    return None if covering is None else {**rows()[covering], "path": covering}


def _value(row: Mapping[str, Any], path: str) -> Value | None:
    """The row's value for a path: its only one, or the one under the name that `*` stands for."""
    value = row["value"]
    if isinstance(value, Mapping):
        value = value.get(starred_part(row["path"], path))
    return tuple(value) if isinstance(value, list) else value


def _as_evidence(row: Mapping[str, Any], path: str, value: Value) -> Evidence:
    return Evidence(path, value, row["label"], row.get("low"), row.get("high"), row["unit"], row["source"])
