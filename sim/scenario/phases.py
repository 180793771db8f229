"""Dated changes: from which day on which values hold.

In: a scenario with `changes`, or the tree of one. Out: its phases, each a whole scenario of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sim.scenario.errors import MOST_PROBLEMS, Problem, ScenarioError, did_you_mean, segment, shown
from sim.scenario.json_schema import child_field, field_at, has_number_keys
from sim.scenario.schema import Mechanisms, Scenario
from sim.scenario.schema_types import read_date
from sim.scenario.tree import Mark, Path, Tree, merge, nested, tree_of
from sim.scenario.validate import validate

NAMED = ("tiers", "categories", "channels", "teams")

_WHOLE_RUN = "it describes the whole run and cannot change during it"
_OPENING = "it describes the opening only and cannot change during the run"
_ONE_VALUE = "results are read with one value for the whole run, so it cannot change during it"

DATED_MECHANISMS = (
    "firefighting",
    "sponsor_reengagement",
    "action_plans",
    "winback",
)  # work that a company may stop doing

FIXED: dict[tuple[str, ...], str] = {
    **{
        (key,): _WHOLE_RUN
        for key in ("name", "description", "currency", "start", "weeks", "time_zone", "window", "changes")
    },
    ("extends",): _WHOLE_RUN,
    ("accounts", "book_seed"): _OPENING,
    ("accounts", "file"): _OPENING,
    ("accounts", "mapping"): _OPENING,
    ("accounts", "warm_up_weeks"): _OPENING,
    ("accounts", "tick_days"): _WHOLE_RUN,
    ("accounts", "health", "healthy_above"): _ONE_VALUE,
    ("accounts", "adoption", "opening"): _OPENING,
    ("accounts", "executive_contact", "opening"): _OPENING,
    ("tiers", "*", "accounts"): _OPENING,
    ("tiers", "*", "arr_per_year_mean"): _ONE_VALUE,
    ("tiers", "*", "arr_cv"): _ONE_VALUE,
    ("tiers", "*", "arr_per_seat_per_year"): _ONE_VALUE,
    ("categories", "*", "initiated_by"): _ONE_VALUE,
    ("categories", "*", "support_call"): _ONE_VALUE,
    ("teams", "*", "opening_vacancies"): _OPENING,
    ("teams", "*", "opening_burnout"): _OPENING,
    ("departures", "opening_intent_factor"): _OPENING,
    ("money",): _ONE_VALUE,
    ("people", "burnout_high_above"): _ONE_VALUE,
    **{
        ("mechanisms", name): "this mechanism is on or off for the whole run"
        for name in Mechanisms.model_fields
        if name not in DATED_MECHANISMS
    },
}


@dataclass(frozen=True)
class Phase:
    """A part of a run in which all values hold still.

    start : its first day, from 00:00. scenario : all values of that time; its own `changes` are empty.
    """

    start: dt.date
    scenario: Scenario


def phases(scenario: Scenario) -> list[Phase]:
    """The phases of a scenario, in order.

    The first starts at `scenario.start`; each dated change starts the next one, on top of the changes before
    it. A change dated at the start of the run makes a first phase without days: its values are those of the
    time before the start. Raises ScenarioError if a change cannot be applied.
    """
    data = scenario.model_dump(by_alias=True, exclude_none=True, exclude={"book"})
    tree = tree_of({**data, "changes": []}, Mark(scenario.name, 0))
    found = [Phase(scenario.start, scenario.model_copy(update={"changes": []}))]
    for index, change in enumerate(scenario.changes):
        values = tree_of(change.set, tree.mark)
        tree, problems = applied(tree, values, ("changes", index, "set"))
        later, more = validate(tree, opening=False)
        if problems or more or later is None:
            raise ScenarioError([*problems, *more])
        found.append(Phase(change.from_, later))
    return found


def resolve(tree: Tree, dotted: str) -> tuple[Path, str | None]:
    """The path that a dotted text names, and what is wrong with it (None if nothing is)."""
    field = field_at(()) or {}
    path: Path = ()
    for word in dotted.split("."):
        key: Any = word
        if field.get("type") == "array" or "[" in word:
            where = tree.dotted(path) if path and "[" not in word else dotted.split("[")[0]
            return path, f"lists are replaced whole; set '{segment(where)}' to a new list"
        if has_number_keys(field):
            if not re.fullmatch(r"[0-9]{1,9}", word):
                return path, f"{shown(word)} is no whole number, as the keys of '{tree.dotted(path)}' are"
            key = int(word)
        inside = child_field(field, key)
        known = _known(tree, path, field)
        if inside is None or (path in [(name,) for name in NAMED] and key not in known):
            if not known:
                return path, f"'{tree.dotted(path)}' is a single value and has no parts"
            where = f" in '{tree.dotted(path)}'" if path else ""
            return path, f"there is no {shown(word)}{where}" + did_you_mean(word, known)
        field, path = inside, (*path, key)
    return path, None


def _known(tree: Tree, path: Path, field: Any) -> list[str]:
    if "properties" in field:
        return list(field["properties"])
    here = tree.at(path)
    if here is None or not isinstance(here.value, dict):
        return []
    return [str(key) for key, inside in here.value.items() if inside.value is not None]


def applied(tree: Tree, values: Tree, where: Path) -> tuple[Tree, list[Problem]]:
    """A tree with the values of one dated change laid on it, and the problems of its paths.

    values : tree of {dotted path: value}. where : path of that map in the file, for messages.
    Values whose path is wrong, or that cannot change during a run, are left out.
    """
    problems: list[Problem] = []
    done: dict[Path, str] = {}
    for dotted, value in values.value.items():
        if len(problems) > MOST_PROBLEMS:
            break
        text = str(dotted)
        path, wrong = resolve(tree, text)
        wrong = FIXED.get((text,)) or wrong or _not_changeable(tree, path, value) or _overlap(path, done)
        if wrong:
            shown_path = f"{_bracketed(where)}.{segment(text)}"
            problems.append(Problem(value.mark.file, value.mark.line, shown_path, wrong))
        else:
            done[path] = text
            tree = merge(tree, nested(path, value))
    return tree, problems


def overridden(tree: Tree, values: Tree) -> tuple[Tree, list[Problem]]:
    """A tree with {dotted path: value} laid on it, before the run: every field may be set."""
    problems: list[Problem] = []
    for dotted, value in values.value.items():
        path, wrong = resolve(tree, str(dotted))
        if wrong:
            problems.append(Problem(value.mark.file, value.mark.line, segment(dotted), wrong))
        else:
            tree = merge(tree, nested(path, value))
    return tree, problems


def _bracketed(path: Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _overlap(path: Path, done: dict[Path, str]) -> str | None:
    for other, text in done.items():
        if other[: len(path)] == path or path[: len(other)] == other:
            return f"overlaps with '{segment(text)}' in the same change; set each value once"
    return None


def _not_changeable(tree: Tree, path: Path, value: Tree) -> str | None:
    """Why the value, or something in it, cannot change during a run; None if it can."""
    for inner, inside in value.walk(path):
        for pattern, reason in FIXED.items():
            if len(inner) >= len(pattern) and all(p in ("*", k) for p, k in zip(pattern, inner, strict=False)):
                what = "" if inner == path else f"'{tree.dotted(inner)}': "
                return what + reason
        named = len(inner) == 2 and inner[0] in NAMED
        if named and inside.value is None:
            return f"'{segment(inner[1])}' cannot be deleted during the run; route its contacts elsewhere"
        if named and tree.at(inner) is None:
            return f"'{segment(inner[1])}' cannot begin during the run; have it from the start, without contacts"
        if inside.value is None and len(inner) == 1:
            return "a whole part of the scenario cannot be deleted"
    return None


def check_changes(tree: Tree, seen: list[Problem]) -> Iterator[Problem]:
    """Problems of the dated changes in a tree: their dates, their paths, and what each makes of the scenario.

    seen : problems that the scenario has without its changes; they are not repeated.
    """
    changes = tree.at(("changes",))
    if changes is None or not isinstance(changes.value, list) or len(seen) >= MOST_PROBLEMS:
        return
    known = {(problem.path, problem.message) for problem in seen}
    yield from _dates(tree, changes.value)
    state = Tree({**tree.value, "changes": Tree([], changes.mark)}, tree.mark)
    for index, change in enumerate(changes.value[:MOST_PROBLEMS]):
        values = change.at(("set",))
        if values is None or not isinstance(values.value, dict) or not values.value:
            continue
        state, problems = applied(state, values, ("changes", index, "set"))
        yield from problems
        day = change.at(("from",))
        since = segment(day.value) if day is not None else "this change"
        marks = {inside.mark for _, inside in change.walk()}
        for problem in validate(state, opening=False)[1]:
            if (problem.path, problem.message) in known:
                continue
            known.add((problem.path, problem.message))
            inside_change = Mark(problem.file, problem.line) in marks
            place = Mark(problem.file, problem.line) if inside_change else (day or change).mark
            yield Problem(place.file, place.line, problem.path, f"{problem.message} (in the change from {since} on)")


def _dates(tree: Tree, changes: list[Tree]) -> Iterator[Problem]:
    """Each change has a day inside the run, later than the one before it."""
    start, weeks = (_plain_at(tree, key) for key in ("start", "weeks"))
    start = read_date(start)
    before: dt.date | None = None
    for index, change in enumerate(changes):
        there = change.at(("from",))
        day = read_date(there.value) if there is not None else None
        if there is None or not isinstance(day, dt.date):
            continue
        path = f"changes[{index}].from"
        if isinstance(start, dt.date) and isinstance(weeks, int) and 0 < weeks <= 520 and start.year < 9000:
            end = start + dt.timedelta(weeks=weeks)
            if not start <= day < end:
                last = end - dt.timedelta(days=1)
                message = f"{day} is outside the run; use a date from {start} to {last}"
                yield Problem(there.mark.file, there.mark.line, path, message)
        if before is not None and day <= before:
            message = f"{day} is not after {before}, the change before it; put changes in the order of their dates"
            yield Problem(there.mark.file, there.mark.line, path, message)
        before = day


def _plain_at(tree: Tree, key: str) -> Any:
    found = tree.at((key,))
    return found.value if found is not None else None
