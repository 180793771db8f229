"""What is wrong with a scenario file, in words that repair it.

In: a wrong value, what the schema allows there, and where it stands. Out: `Problem`s, gathered in one
`ScenarioError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_SHOWN = 60
MOST_PROBLEMS = 100
MOST_CANDIDATES = 300

_UNITS = ("minutes", "hours", "days", "weeks", "months", "quarters")
_RATES = ("year", "quarter", "week", "day", "hour", "account_month", "contact")

Field = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One thing to repair.

    file : the file as the user named it. line : from 1; 0 where there is none (values given in Python).
    path : dotted path of the field, empty for the file as a whole. message : what is wrong and what to do.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(ValueError):
    """A scenario cannot be used. `problems` has everything that was found, `str()` one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem]]]:
        return ScenarioError, (self.problems,)


def shown(value: Any) -> str:
    """A value as a message quotes it: on one line, short, without characters that a terminal would obey."""
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    text = text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + "'"


def number(value: float) -> str:
    """A number without needless digits: 10000, 0.3, 1e+30."""
    if isinstance(value, int) or (value == value and abs(value) < 1e15 and value == int(value)):
        text = str(int(value))
        return text if len(text) <= 20 else f"{float(value):g}" if len(text) < 300 else text[:20] + "…"
    return f"{value:.12g}"


def segment(key: Any) -> str:
    """A key as a path shows it."""
    text = str(key)
    return text if text and len(text) <= MOST_SHOWN and text.isprintable() else shown(key)


def did_you_mean(name: Any, candidates: Collection[Any]) -> str:
    """'; did you mean ...?', or the known names where none is near, or nothing where there are none."""
    known = [segment(candidate) for candidate in islice(candidates, MOST_CANDIDATES)]
    wanted = str(name)[:200].lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if not known:
        return ""
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"; known here: {listed}"


def field_range(field: Field) -> str:
    """The range of a numeric field: 'from 0 to 0.6', 'above 0, at most 2400', or nothing."""
    low, above = field.get("minimum"), field.get("exclusiveMinimum")
    high, below = field.get("maximum"), field.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"from {number(low)} to {number(high)}"
    lower = f"above {number(above)}" if above is not None else f"at least {number(low)}" if low is not None else ""
    upper = f"below {number(below)}" if below is not None else f"at most {number(high)}" if high is not None else ""
    return ", ".join(part for part in (lower, upper) if part)


def field_noun(field: Field, name: str) -> str:
    """What a numeric field wants, with its unit: 'a share', 'a number of minutes', 'a whole number'."""
    whole = "a whole number" if field.get("type") == "integer" else "a number"
    head, _, per = name.rpartition("_per_")
    head, per = (head, per) if per in _RATES and head else (name, "")
    words = head.split("_")
    units = [word for word in (words[-1], words[0]) if word in _UNITS and words[-1] != "share"]
    unit = f" of {units[0]}" if units else ""
    rate = f" per {per.replace('_', ' ')}" if per else ""
    if unit or rate or field.get("type") == "integer":
        return whole + unit + rate
    if field.get("maximum", 2) <= 1 and "factor" not in name:
        return "a probability" if "probability" in name else "a share"
    return whole


def allowed(field: Field, name: str) -> str:
    """What may stand in a field, in the schema's own words, ready to follow 'use' or 'write'."""
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    kind = field.get("type")
    if kind in ("number", "integer"):
        return f"{field_noun(field, name)} {field_range(field)}".strip()
    if kind == "boolean":
        return "true or false"
    if kind == "array":
        return "a list, such as [a, b]"
    if kind == "object" or "$ref" in field:
        return "a map, that is keys with values"
    if field.get("format") == "date":
        return "a date as year-month-day, such as 2026-07-01"
    return text_rule(field)


def text_rule(field: Field) -> str:
    """What a text field wants."""
    pattern = str(field.get("pattern", ""))
    if pattern.startswith("^[a-z]"):
        return "a name of small letters, digits and underscores that starts with a letter, at most 40 characters"
    if pattern.startswith("^[A-Z]"):
        return "three capital letters, such as USD"
    if pattern:
        return "a time from 00:00 to 24:00, such as 09:00"
    if "maxLength" in field:
        return f"a text of {field.get('minLength', 0)} to {field['maxLength']} characters"
    return "a text"


def _share_hint(value: Any, field: Field) -> str:
    """' (30 % is 0.3)' where somebody may have written per cent into a share."""
    if field.get("maximum", 2) > 1 or field.get("type") != "number":
        return ""
    percent = value if isinstance(value, int | float) and 1 < value <= 100 else 30
    fits = percent / 100 <= field["maximum"] and percent >= 2
    percent = percent if fits else 30
    return f" ({number(percent)} % is {number(percent / 100)})"


def _about(field: Field) -> str:
    """The field's description, to end a message; a part's own docstring is left out."""
    return f": {field['description']}" if field.get("description") and "properties" not in field else ""


def _wrong_kind(value: Any, field: Field, name: str) -> str:
    """A value of the wrong type: what it is, what is allowed, and the usual reason for it."""
    wanted = allowed(field, name)
    numeric = field.get("type") in ("number", "integer")
    if isinstance(value, str) and numeric:
        text = value.strip()
        if text.endswith("%"):
            share = _as_number(text[:-1])
            return f"{shown(value)} is text; use {wanted}" + (
                f" ({number(share)} % is {number(share / 100)})" if share is not None else ""
            )
        as_number = _as_number(text)
        if as_number is not None:
            return f"{shown(value)} is text; write {number(as_number)}, without quotes or separators"
        return f"{shown(value)} is text; use {wanted}"
    if isinstance(value, float) and field.get("type") == "integer" and value.is_integer():
        return f"write {number(value)} without decimals or exponent; use {wanted}"
    if isinstance(value, float) and field.get("type") == "integer":
        return f"{shown(value)} is not whole; use {wanted}"
    if isinstance(value, str) and field.get("type") == "boolean":
        return f"{shown(value)} is text; write {wanted}"
    if not isinstance(value, str) and field.get("type") == "string" and "format" not in field:
        return f"{shown(value)} is not text; write {wanted}, in quotes if needed"
    if field.get("format") == "date":
        return f"{shown(value)} is not a date; write {wanted}"
    return f"{shown(value)} does not fit here; write {wanted}"


def _as_number(text: str) -> float | None:
    try:
        value = float(text.replace("_", "").replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None


SCHEMA_ERRORS = frozenset(
    (
        "missing",
        "extra_forbidden",
        "invalid_key",
        "int_type",
        "float_type",
        "string_type",
        "bool_type",
        "date_type",
        "dict_type",
        "list_type",
        "model_type",
        "literal_error",
        "string_pattern_mismatch",
        "string_too_short",
        "string_too_long",
        "string_unicode",
        "too_short",
        "too_long",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "finite_number",
    )
)


def schema_message(error: Mapping[str, Any], field: Field, name: str, siblings: Collection[str]) -> str:
    """One of the schema's errors in our words.

    error : one entry of pydantic's `errors()`. field : JSON Schema of what belongs there, {} if nothing.
    name : last key of the path, for its unit. siblings : known keys beside it, for the did-you-mean.
    """
    kind, value = error["type"], error.get("input")
    about = _about(field)
    if kind == "missing":
        return f"missing{about}; use {allowed(field, name)}"
    if kind in ("extra_forbidden", "invalid_key"):
        return "unknown key" + did_you_mean(name, siblings)
    if kind in ("less_than", "less_than_equal", "greater_than", "greater_than_equal"):
        how = "high" if kind.startswith("less") else "low"
        return f"{shown(value)} is too {how}; use {allowed(field, name)}{_share_hint(value, field)}{about}"
    if kind == "finite_number":
        return f"this number is infinite or not a number; use {allowed(field, name)}{about}"
    if kind == "literal_error":
        choices = [str(choice) for choice in field.get("enum", [])]
        near = difflib.get_close_matches(str(value)[:200].lower(), choices, n=1, cutoff=0.6)
        return f"{shown(value)} is not {allowed(field, name)}" + (f"; did you mean '{near[0]}'?" if near else "")
    if kind in ("string_pattern_mismatch", "string_too_short", "string_too_long", "string_unicode"):
        return f"{shown(value)} cannot stand here; write {text_rule(field)}{about}"
    if kind in ("too_short", "too_long"):
        return _wrong_size(error, field, about)
    if kind in SCHEMA_ERRORS:
        return _wrong_kind(value, field, name) + about
    return f"{shown(value)}: {error['msg'].lower()}{about}"


def _wrong_size(error: Mapping[str, Any], field: Field, about: str) -> str:
    """A list or map with too few or too many entries."""
    context = error.get("ctx", {})
    actual, least, most = (context.get(key) for key in ("actual_length", "min_length", "max_length"))
    wanted = least if least is not None else most
    limit = "at least" if least is not None else "at most"
    if field.get("minItems") == field.get("maxItems") == wanted:
        limit = "exactly"
    return f"has {actual or 'no'} entries; give {limit} {wanted}{about}"


def missing_message(names: Sequence[str], name: str, others: Collection[str], whole: bool) -> str:
    """One message for many missing keys of one map.

    names : the missing keys. name : key of the map itself. others : names beside it, for the case that it is
    misspelt. whole : whether it is the whole scenario, which could extend another one.
    """
    listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    message = f"these keys are missing: {listed}"
    if whole:
        return message + "; or begin from a whole scenario with 'extends: baseline.yaml'"
    near = difflib.get_close_matches(name, list(map(segment, islice(others, MOST_CANDIDATES))), n=1, cutoff=0.6)
    return message + (f"; or did you mean '{near[0]}'?" if near else "")


def key_message(error: Mapping[str, Any], key: Any) -> str:
    """A key that cannot be a name, or a number, where the schema wants one."""
    kind = error["type"]
    if kind == "int_type":
        return f"the key {shown(key)} must be a whole number, such as 12 (without quotes)"
    if kind in ("less_than_equal", "greater_than_equal"):
        context = error.get("ctx", {})
        limit = f"at most {context['le']}" if "le" in context else f"at least {context.get('ge')}"
        return f"the key {shown(key)} is out of range; use a whole number, {limit}"
    return f"the key {shown(key)} is no name; use " + text_rule({"pattern": "^[a-z]"})
