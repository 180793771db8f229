"""Holds a merged tree against the schema and the cross-checks.

In: a `Tree`. Out: the `Scenario` it describes, and every problem with its file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import ValidationError

from sim.scenario.checks import check
from sim.scenario.errors import (
    MOST_PROBLEMS,
    Problem,
    did_you_mean,
    key_message,
    missing_message,
    schema_message,
    segment,
)
from sim.scenario.facts import Finding, facts
from sim.scenario.json_schema import field_at
from sim.scenario.schema import Scenario
from sim.scenario.schema_types import read_date
from sim.scenario.tree import Path, Tree

MANY = 3


def validate(tree: Tree, opening: bool = True, extended: bool = True) -> tuple[Scenario | None, list[Problem]]:
    """The scenario in a tree, or None, and all problems (of very many, the first ones).

    opening : whether this is the state at the start of the run, not one after a dated change.
    extended : whether the file extends another one; if not, a missing part gets a hint that it could.
    """
    data = tree.plain()
    changes = tree.at(("changes",))
    if changes is not None and changes.value is not None:
        data["changes"] = changes.plain(keep_empty=True)
    scenario, errors = _against_schema(data)
    problems = _schema_problems(tree, errors, extended)
    refused = [_location(error) for error in errors]
    known = {**data, "start": read_date(data["start"])} if "start" in data else data
    if len(errors) < MOST_PROBLEMS:
        found = check(facts(known, refused, opening))
        problems += [_finding_problem(tree, finding) for finding in islice(found, MOST_PROBLEMS)]
    problems += islice(_useless_deletions(tree), MOST_PROBLEMS)
    return (None if problems else scenario), problems


def _against_schema(data: Any) -> tuple[Scenario | None, list[Any]]:
    try:
        return Scenario.model_validate(data, strict=True), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _location(error: Any) -> Path:
    """The path of a schema error; errors about a key stand at that key."""
    path = tuple(error["loc"])
    return path[:-1] if path and path[-1] == "[key]" else path


def _schema_problems(tree: Tree, errors: list[Any], extended: bool) -> list[Problem]:
    """The schema's errors as problems.

    Nothing is said about the inside of a map whose key is no name, and many missing keys of one map make one
    problem.
    """
    wrong_keys = {_location(error) for error in errors if error["loc"][-1:] == ("[key]",)}
    lacking: dict[Path, list[str]] = {}
    kept = []
    for error in errors:
        path = _location(error)
        if error["loc"][-1:] != ("[key]",) and any(path[: len(key)] == key for key in wrong_keys):
            continue
        kept.append(error)
        if error["type"] == "missing" and tree.at(path) is None:
            lacking.setdefault(path[:-1], []).append(segment(path[-1]))
    many = {path: names for path, names in lacking.items() if len(names) >= MANY}
    problems = []
    for path, names in islice(many.items(), MOST_PROBLEMS):
        mark = tree.nearest(path).mark
        others = [key for key in _keys(tree.at(path[:-1])) if key != path[-1]] if path else []
        message = missing_message(names, str(path[-1]) if path else "", others, not path and not extended)
        problems.append(Problem(mark.file, mark.line, tree.dotted(path), message))
    for error in kept[:MOST_PROBLEMS]:
        path = _location(error)
        if not (error["type"] == "missing" and path[:-1] in many and tree.at(path) is None):
            problems.append(_schema_problem(tree, error))
    return problems


def _schema_problem(tree: Tree, error: Any) -> Problem:
    path = _location(error)
    there = tree.at(path)
    mark = tree.nearest(path).mark
    if error["loc"] and error["loc"][-1] == "[key]":
        message = key_message(error, path[-1])
    else:
        name = _unit_name(tree, path)
        siblings = sorted((field_at(path[:-1]) or {}).get("properties", ()))
        message = schema_message(error, field_at(path) or {}, name, siblings)
        if error["type"] == "missing" and there is not None:
            message = f"is empty or null, which deletes it, but every scenario needs it; {message.split('; ')[-1]}"
    return Problem(mark.file, mark.line, tree.dotted(path), message)


def _keys(tree: Tree | None) -> list[Any]:
    return list(tree.value) if tree is not None and isinstance(tree.value, dict) else []


def _unit_name(tree: Tree, path: Path) -> str:
    """The last key that is a word: list entries are named like their list."""
    for depth in range(len(path) - 1, -1, -1):
        parent = tree.at(path[:depth])
        if not (parent is not None and isinstance(parent.value, list)):
            return str(path[depth])
    return ""


def _finding_problem(tree: Tree, finding: Finding) -> Problem:
    mark = tree.nearest(finding.path).mark
    message = finding.message
    places = {path: tree.nearest(path).mark for path in finding.parts}
    for deleted in filter(None, map(tree.at, finding.parts)):
        if deleted.value is None:
            mark = deleted.mark
    if len(places) == 1 and next(iter(places.values())) != mark:
        message += f" (see {next(iter(places.values()))})"
    elif any(place.file != mark.file for place in places.values()):
        origins = ", ".join(f"{segment(path[-1])} from {place}" for path, place in places.items())
        message += f"; {origins} (maps merge; an empty value deletes an entry)"
    return Problem(mark.file, mark.line, tree.dotted(finding.path), message)


def _useless_deletions(tree: Tree) -> Iterator[Problem]:
    """Empty values that delete nothing, under keys that the schema does not know: most likely misspelt."""
    for path, inside in tree.walk():
        if inside.value is not None or inside.deletes or not path or path[0] == "changes":
            continue
        parent = tree.at(path[:-1])
        field = field_at(path[:-1])
        if parent is None or not isinstance(parent.value, dict) or field is None:
            continue
        if path[-1] in field.get("properties", ()):
            continue
        known = sorted(field["properties"]) if "properties" in field else _filled(parent)
        message = "empty, and there is nothing here to delete" + did_you_mean(path[-1], known)
        yield Problem(inside.mark.file, inside.mark.line, tree.dotted(path), message)


def _filled(tree: Tree) -> list[str]:
    return [str(key) for key, inside in tree.value.items() if inside.value is not None]
