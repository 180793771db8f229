"""Puts the values of a point into a scenario: fields by path, positions of lists too, from the start or from a day on.

In: a scenario, factors and values. Out: the scenario of a point, or what is wrong. A value holds to the end of the run:
later dated changes of the same field give way to it.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.scenario import Scenario
from sim.scenario.errors import Problem, did_you_mean, segment, shown
from sim.scenario.files import scenario_problems
from sim.scenario.json_schema import child_field, field_at
from sim.scenario.phases import applied, resolve
from sim.scenario.tree import Mark, Path, Tree, tree_of
from sim.study.design import Factor, Value

LONGEST_NAME = 80
HERE = Mark("", 0)

_FIELD = re.compile(r"[^\[\].]+(\.[^\[\].]+|\[[0-9]{1,4}\])*")
_STEP = re.compile(r"\[([0-9]+)\]|([^\[\].]+)")

Data = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a factor's values go. outer : up to the first list. inner : from the position in that list on, or ()."""

    outer: Path
    inner: Path
    day: dt.date | None

    @property
    def dotted(self) -> str:
        """The outer path, as a dated change writes it."""
        return ".".join(map(str, self.outer))


def place_of(scenario: Scenario, factor: Factor) -> tuple[Place | None, str | None]:
    """Where a factor's values go in a scenario, or what is wrong with it."""
    wrong = _day_outside(scenario, factor.day)
    if wrong is not None:
        return None, wrong
    if not _FIELD.fullmatch(factor.field):
        return None, f"{shown(factor.field)} is not a path; write it like routing.rules[0].share"
    data = _data(scenario)
    state = _state(data, factor.day)
    head, bracket, rest = factor.field.partition("[")
    outer, wrong = resolve(state, head)
    field = field_at(outer) or {}
    if wrong is not None and field.get("type") == "array":
        wrong = f"'{state.dotted(outer)}' is a list; say which entry, such as {state.dotted(outer)}[0]"
    if wrong is not None:
        return None, wrong
    inner: Path = ()
    for position, word in _STEP.findall(bracket + rest):
        path = (*outer, *inner)
        key = int(position) if position else word
        inside = child_field(field, key)
        if position and field.get("type") == "array":
            wrong = _no_entry(data, state, path, key, factor.day)
        elif inside is None or position:
            known = list(field.get("properties", ()))
            wrong = f"there is no {shown(word or f'[{position}]')} in '{state.dotted(path)}'" + did_you_mean(key, known)
        if wrong is not None or inside is None:
            return None, wrong
        field, inner = inside, (*inner, key)
    place = Place(outer, inner, factor.day)
    return (place, None) if (wrong := _unfit(data, state, place, field)) is None else (None, wrong)


def takes_whole_numbers(scenario: Scenario, place: Place) -> bool:
    """Whether a field takes whole numbers only."""
    field = field_at((*place.outer, *place.inner)) or {}
    return field.get("type") == "integer" or field.get("multipleOf") == 1


def with_values(
    scenario: Scenario, places: Sequence[Place], values: Sequence[Value], name: str
) -> tuple[Scenario | None, list[Problem]]:
    """The scenario of a point, checked whole, or None with its problems. None among the values leaves a field."""
    data = _data(scenario)
    settings = [one for one in zip(places, values, strict=True) if one[1] is not None]
    for place, value in sorted(settings, key=lambda one: one[0].day or dt.date.min):
        _put(data, place, value)
    data |= {"name": name[:LONGEST_NAME]}
    found, problems = scenario_problems(tree_of(data, HERE), extended=True)
    return found if found is None else found.model_copy(update={"book": scenario.book}), problems


def _data(scenario: Scenario) -> Data:
    """The scenario as plain values of its own."""
    data: Data = scenario.model_dump(by_alias=True, exclude_none=True, exclude={"book", "changes"})
    data["changes"] = [change.model_dump(by_alias=True) for change in scenario.changes]
    return data


def _state(data: Data, day: dt.date | None) -> Tree:
    """All values as they hold from a day on; None is the start."""
    tree = tree_of({**data, "changes": []}, HERE)
    for change in data["changes"]:
        if day is not None and change["from"] <= day:
            tree, _ = applied(tree, tree_of(change["set"], HERE), ())
    return tree


def _put(data: Data, place: Place, value: Value) -> None:
    """Sets one value, in place; later changes of the field are dropped."""
    if place.inner:
        whole = _state(data, place.day).at(place.outer)
        entries = copy.deepcopy(whole.plain()) if whole is not None else []
        _set(entries, place.inner, value)
        value = entries
    changes = []
    for change in data["changes"]:
        later = place.day is None or change["from"] >= place.day
        kept = _without(change["set"], place.outer) if later else change["set"]
        if kept:
            changes.append({"from": change["from"], "set": kept})
    data["changes"] = changes
    if place.day is None:
        _set(data, place.outer, value)
        return
    same = next((change for change in changes if change["from"] == place.day), None)
    if same is None:
        same = {"from": place.day, "set": {}}
        changes.append(same)
        changes.sort(key=lambda change: change["from"])
    same["set"] = {**same["set"], place.dotted: value}


def _set(container: Any, path: Path, value: Value) -> None:
    """Sets a value inside maps and lists; missing maps are made."""
    for key in path[:-1]:
        container = container[key] if isinstance(container, list) else container.setdefault(key, {})
    container[path[-1]] = value


def _without(values: Data, outer: Path) -> Data:
    """The values of a dated change without those at a path, or inside a map above it."""
    kept = {}
    for dotted, value in values.items():
        words = tuple(dotted.split("."))
        wanted = tuple(map(str, outer))
        if wanted[: len(words)] != words:
            kept[dotted] = value
        elif words != wanted and isinstance(value, dict):
            rest = _pruned(value, outer[len(words) :])
            if rest:
                kept[dotted] = rest
    return kept


def _pruned(value: Data, path: Path) -> Data:
    if path[0] not in value:
        return value
    if len(path) == 1 or not isinstance(value[path[0]], dict):
        return {key: inside for key, inside in value.items() if key != path[0]}
    return {**value, path[0]: _pruned(value[path[0]], path[1:])}


def _day_outside(scenario: Scenario, day: dt.date | None) -> str | None:
    last = scenario.start + dt.timedelta(weeks=scenario.weeks) - dt.timedelta(days=1)
    if day is None or scenario.start <= day <= last:
        return None
    return f"{day} is outside the run; use a date from {scenario.start} to {last}"


def _no_entry(data: Data, state: Tree, path: Path, position: int, day: dt.date | None) -> str | None:
    """Why a list has no such entry, and from when on it has; None if it has."""
    here = state.at(path)
    count = len(here.value) if here is not None and isinstance(here.value, list) else 0
    if position < count:
        return None
    name = state.dotted(path)
    when = "at the start" if day is None else f"on {day}"
    entries = "1 entry" if count == 1 else f"{count} entries"
    has = f"'{name}' has {entries if count else 'no entries'} {when}"
    for change in data["changes"]:
        later = _state(data, change["from"]).at((*path, position))
        if (day is None or change["from"] > day) and later is not None:
            return f"{has}; it has this entry from {change['from']} on: give 'from: {change['from']}'"
    return f"{has}; entries count from 0"


def _unfit(data: Data, state: Tree, place: Place, field: Data) -> str | None:
    """Why the values of a factor cannot go where it says; None if they can."""
    path = (*place.outer, *place.inner)
    if field.get("type") in ("object", "array") or "properties" in field:
        here = state.at(path)
        inside = here.value if here is not None else None
        known = list(field.get("properties", ())) or (list(inside) if isinstance(inside, dict) else [])
        what = "a list" if field.get("type") == "array" else "a map"
        return f"'{state.dotted(path)}' is {what}; name a single value in it" + did_you_mean(
            "", list(map(segment, known))
        )
    if place.inner:
        for change in data["changes"]:
            later = place.day is None or change["from"] > place.day
            if later and _without(change["set"], place.outer) != change["set"]:
                day = change["from"]
                return (
                    f"the dated change from {day} replaces '{place.dotted}'; give 'from: {day}', or leave it out there"
                )
    if place.day is not None:
        now = state.at(place.outer)
        value = Tree(None, HERE) if now is None else now
        _, problems = applied(state, Tree({place.dotted: value}, HERE), ())
        if problems:
            return problems[0].message
    return None
