"""What a schema refuses in a YAML file, as problems with lines: for files that are no scenarios.

In: a file's `Tree`, and the errors of the pydantic model that it was held against. Out: `Problem`s in our words.
"""

from __future__ import annotations

from typing import Any

from sim.scenario.errors import Problem, key_message, schema_message
from sim.scenario.json_schema import Field, field_at
from sim.scenario.tree import Path, Tree


def location(error: Any) -> Path:
    """The path of one of pydantic's errors; errors about a key stand at that key."""
    path = tuple(error["loc"])
    return path[:-1] if path and path[-1] == "[key]" else path


def problem_of(tree: Tree, error: Any, schema: Field) -> Problem:
    """One of pydantic's errors, in words, at its line. schema : JSON Schema of the model."""
    path = location(error)
    mark = tree.nearest(path).mark
    if error["loc"][-1:] == ("[key]",):
        message = key_message(error, path[-1])
    else:
        siblings = sorted((field_at(path[:-1], schema) or {}).get("properties", ()))
        name = next((str(key) for key in reversed(path) if isinstance(key, str)), "")
        message = schema_message(error, field_at(path, schema) or {}, name, siblings)
    return Problem(mark.file, mark.line, tree.dotted(path), message)
