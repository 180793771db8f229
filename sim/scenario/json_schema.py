"""The schema as data: what belongs at a path, and the JSON Schema that editors use to help while writing.

In: the pydantic model `Scenario`. Out: `field_at(path)` for messages, and `editor_schema()`, whose `text()` is
kept as `docs/scenario-schema.json`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sim.scenario.schema import Scenario

Field = dict[str, Any]

EXTENDS = {
    "type": "string",
    "description": "file in this folder, or below it, whose values hold where this one says nothing",
}


@cache
def _schema() -> Field:
    return Scenario.model_json_schema(by_alias=True)


def _resolved(field: Field, schema: Field) -> Field:
    """A field of a schema without `$ref` and without the alternative 'or nothing'."""
    about = {"description": field["description"]} if "description" in field else {}
    while "$ref" in field or "anyOf" in field:
        if "$ref" in field:
            field = schema["$defs"][field["$ref"].rsplit("/", 1)[1]]
        else:
            field = next(choice for choice in field["anyOf"] if choice.get("type") != "null")
    return {**field, **about}


def field_at(path: tuple[Any, ...], schema: Field | None = None) -> Field | None:
    """JSON Schema of the field at a path, resolved; None where nothing may stand.

    Keys of open maps (names, months) may be anything; list entries are found by their number.
    schema : of the whole; that of a scenario if none is given.
    """
    whole = schema or _schema()
    field: Field | None = _resolved(whole, whole)
    for key in path:
        field = child_field(field or {}, key, whole)
        if field is None:
            return None
    return field


def child_field(field: Field, key: Any, schema: Field | None = None) -> Field | None:
    """The field under one key of a map or list, or None."""
    found: Any = None
    if "properties" in field:
        found = field["properties"].get(key)
    elif "patternProperties" in field:
        found = next(iter(field["patternProperties"].values()))
    elif isinstance(field.get("additionalProperties"), dict):
        found = field["additionalProperties"]
    elif "items" in field and isinstance(key, int):
        found = field["items"]
    return _resolved(found, schema or _schema()) if found is not None else None


def has_number_keys(field: Field) -> bool:
    """Whether a map's keys are whole numbers (contract terms in months)."""
    return field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict)


def editor_schema() -> Field:
    """JSON Schema of a scenario *file*: with `extends`, deltas and deletions by null."""
    schema = json.loads(json.dumps(_schema()))
    whole = [name for name in schema["required"] if name != "name"]
    for part in [schema, *schema["$defs"].values()]:
        in_a_list = part.get("title") in ("Rule", "Change", "Hours", "Meeting")
        if not in_a_list:
            part.pop("required", None)
            part["properties"] = {name: _or_null(field) for name, field in part["properties"].items()}
        for field in part["properties"].values():
            _number_keys(field)
            field.pop("title", None)
    schema["properties"] = {"extends": EXTENDS, **schema["properties"]}
    schema["required"] = ["name"]
    schema["if"] = {"not": {"required": ["extends"]}}
    schema["then"] = {"required": whole}
    schema["title"] = "Scenario of the customer-success capacity planner"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _or_null(field: Field) -> Field:
    """A field that a file may also delete."""
    if "anyOf" in field:
        return field
    if "$ref" in field:
        return {"anyOf": [{"$ref": field["$ref"]}, {"type": "null"}]} | {k: v for k, v in field.items() if k != "$ref"}
    if "enum" in field:
        return {**field, "type": [field["type"], "null"], "enum": [*field["enum"], None]}
    if field.get("type") == "object":
        return {**_entries_or_null(field), "type": ["object", "null"]}
    return {**field, "type": [field["type"], "null"]}


def _entries_or_null(field: Field) -> Field:
    """An open map whose entries a file may delete. Its least size holds only after merging."""
    field = {k: v for k, v in field.items() if k != "minProperties"}
    if "patternProperties" in field:
        entries = {pattern: _or_null(entry) for pattern, entry in field["patternProperties"].items()}
        return {**field, "patternProperties": entries, "additionalProperties": False}
    if isinstance(field.get("additionalProperties"), dict):
        return {**field, "additionalProperties": _or_null(field["additionalProperties"])}
    return field


def _number_keys(field: Field) -> None:
    if isinstance(field.get("additionalProperties"), dict):
        field["propertyNames"] = {"pattern": "^[0-9]+$"}


def text() -> str:
    """The editor schema as it stands in the file."""
    return json.dumps(editor_schema(), indent=2) + "\n"
