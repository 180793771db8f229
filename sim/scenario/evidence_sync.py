"""Brings `evidence.yaml` up to date with a scenario file: `python -m sim.scenario.evidence_sync FILE`.

In: a scenario file. Out: the rows' values rewritten in place, and a report of what does not fit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from sim.scenario.errors import number
from sim.scenario.evidence import FILE, Value, numbers, row_path, rows, rows_of, starred_part
from sim.scenario.files import load_scenario
from sim.scenario.schema import Scenario


def sync(text: str, scenario: Scenario) -> tuple[str, list[str]]:
    """The text of `evidence.yaml` with the values of a scenario, and what does not fit.

    Only values are rewritten, in place. Reported: numbers without a row, rows without a number, values
    outside their row's range.
    """
    here = numbers(scenario)
    covered: dict[str, dict[str, Value]] = {}
    notes = []
    for path, value in here.items():
        covering = row_path(path)
        if covering is None:
            notes.append(f"{path}: no row")
            continue
        covered.setdefault(covering, {})[starred_part(covering, path)] = value
        notes += _outside(path, value, rows()[covering])
    notes += [f"{path}: no such number" for path in rows_of(FILE) if path not in covered]
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, row in reversed(root.value):
        values = covered.get(key.value)
        slot = next((v for k, v in row.value if k.value == "value"), None)
        if values and slot is not None and _spread(_read(slot), values) != values:
            text = text[: slot.start_mark.index] + _written(values) + text[slot.end_mark.index :]
    return text, notes


def _outside(path: str, value: Value, row: Mapping[str, Any]) -> list[str]:
    if "low" not in row:
        return []
    each = value if isinstance(value, tuple) else (value,)
    bad = [one for one in each if not row["low"] <= one <= row["high"]]
    return [f"{path}: {number(one)} is outside {number(row['low'])} to {number(row['high'])}" for one in bad[:1]]


def _read(slot: yaml.Node) -> dict[str, Value]:
    """A row's value as it stands in the file, in the shape of `covered`."""
    value = yaml.load(yaml.serialize(slot), Loader=yaml.SafeLoader)
    if isinstance(value, dict):
        return value
    return {"": tuple(value) if isinstance(value, list) else value}


def _spread(read: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """One value for all names as a value for each."""
    return dict.fromkeys(values, read[""]) if set(read) == {""} else dict(read)


def _written(values: Mapping[str, Value]) -> str:
    """A row's value as YAML: one value where all names agree, else a map."""

    def one(value: Value) -> str:
        return f"[{', '.join(map(number, value))}]" if isinstance(value, tuple) else number(value)

    distinct = set(values.values())
    if len(distinct) == 1:
        return one(distinct.pop())
    return "{" + ", ".join(f"{name}: {one(value)}" for name, value in values.items()) + "}"


def main(arguments: list[str]) -> int:
    """The command: 0 if everything fits, 1 if something was reported."""
    parser = argparse.ArgumentParser(prog="python -m sim.scenario.evidence_sync", description=sync.__doc__)
    parser.add_argument("scenario", metavar="SCENARIO", help="scenario file whose values hold")
    scenario = load_scenario(parser.parse_args(arguments).scenario)
    text, notes = sync(FILE.read_text(encoding="utf-8"), scenario)
    FILE.write_text(text, encoding="utf-8")
    for note in notes:
        print(note)
    return 1 if notes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
