"""A walk over the fields of the schema and over a company's values, and other values to put for each of them.

In: the schema, plain data of a scenario. Out: fields, values by path, edits that may be valid.
"""

from __future__ import annotations

import copy
import datetime as dt
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
from all_mechanisms import TEXTS, WEEKS

from sim.scenario import Scenario
from sim.scenario.checks import TRIGGERED_BY
from sim.scenario.phases import FIXED
from sim.scenario.schema_types import Part

Place = tuple[Any, ...]


@dataclass(frozen=True)
class Leaf:
    """A value in a scenario. field : its place in the schema, with '*' for names and numbers of entries."""

    field: str
    path: Place
    value: Any


# --- the schema's fields, and the company's values ----------------------------------------------------------


def plain_type(annotation: Any) -> Any:
    """A type without Annotated and without None."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def children(kind: Any, value: Any) -> list[tuple[Any, str, Any]] | None:
    """(key, name in the schema, type) of what is inside a value of a type; None for a leaf.

    value : None for whatever a scenario may have there.
    """
    if isinstance(kind, type) and issubclass(kind, Part):
        return [((f.alias or name), (f.alias or name), f.annotation) for name, f in kind.model_fields.items()]
    if get_origin(kind) is dict:
        return [(key, "*", get_args(kind)[1]) for key in (["*"] if value is None else value)]
    if get_origin(kind) is list:
        return [(key, "*", get_args(kind)[0]) for key in (["*"] if value is None else range(len(value)))]
    return None


def schema_fields(annotation: Any = Scenario, field: str = "") -> Iterator[str]:
    """All leaf fields of the schema but texts."""
    inside = children(plain_type(annotation), None)
    if inside is None:
        if field not in TEXTS:
            yield field
        return
    for _, name, kind in inside:
        yield from schema_fields(kind, f"{field}.{name}".lstrip("."))


def leaves(value: Any, annotation: Any = Scenario, field: str = "", path: Place = ()) -> Iterator[Leaf]:
    """All leaf values of a scenario's plain data but texts and what is not given."""
    inside = children(plain_type(annotation), value)
    if inside is None:
        if field not in TEXTS:
            yield Leaf(field, path, value)
        return
    for key, name, kind in inside:
        there = value.get(key) if isinstance(value, dict) else value[key]
        if there is not None:
            yield from leaves(there, kind, f"{field}.{name}".lstrip("."), (*path, key))


# --- other values -------------------------------------------------------------------------------------------

Edit = dict[Place, Any]  # new values by path; None deletes


def edits(leaf: Leaf, data: dict[str, Any]) -> Iterator[Edit]:
    """Changes of a scenario that move one value, strong ones first; some may not be valid."""
    path, value = leaf.path, leaf.value
    if leaf.field in SPECIAL:
        yield from SPECIAL[leaf.field](path, value, data)
    elif isinstance(value, bool):
        yield {path: not value}
    elif isinstance(value, dt.date):
        yield {path: value + dt.timedelta(weeks=3)}
    elif isinstance(value, int):
        yield from ({path: other} for other in (2 * value + 1, value // 2, value + 1) if other != value)
    elif isinstance(value, float):
        others = (3 * value, value / 3, 0.02 * value, 30 * value, 0.9, 0.3, 0.0, 1.0, 9.9)
        yield from ({path: other} for other in others if other != value)
    elif value == "finish":
        yield {path: "pause"}
    else:
        raise AssertionError(f"no other value is known for {'.'.join(map(str, path))}: {value!r}")


def move_share(path: Place, value: float, data: dict[str, Any]) -> Iterator[Edit]:
    """Shares that add up to 1 move in pairs: most of this one goes to another entry, old or new."""
    *parent, key = path
    shares = at(data, path[:-1])
    kind = {
        "term_months": [24, 6],
        "channel_shares": list(data["channels"]),
        "assign": list(data["teams"]),
        "then": ["portal"],
    }
    names = next(known for word, known in kind.items() if word in path)
    for other in [*(k for k in shares if k != key), *(k for k in names if k not in shares)]:
        moved = round(0.8 * value if value else 0.0, 6)
        yield {path: value - moved, (*parent, other): shares.get(other, 0.0) + moved}


def move_weight(path: Place, value: float, data: dict[str, Any]) -> Iterator[Edit]:
    """Strain's three weights add up to 1."""
    for other in at(data, path[:-1]):
        if other.endswith("_weight") and other != path[-1]:
            beside = (*path[:-1], other)
            yield {path: 0.1 * value, beside: at(data, beside) + 0.9 * value}


def other_starter(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """Who starts a category, with the fields that go with it; what is triggered stays triggered."""
    category = path[:-1]
    if value == "customer":
        yield {
            path: "company",
            (*category, "contacts_per_account_month"): None,
            (*category, "window_weeks"): 4.0,
            (*category, "response_target_minutes"): 2400.0,
            (*category, "channel_shares"): {"email": 1.0},
            ("routing", "escalation"): [],
            ("routing", "overflow"): [],
            ("accounts", "outages", "categories"): ["relationship" if path[1] != "relationship" else "how_to"],
        }
    elif value == "company":
        plans = {("playbooks", tier, path[1]): None for tier, plan in data["playbooks"].items() if path[1] in plan}
        yield {
            path: "customer",
            (*category, "contacts_per_account_month"): 0.5,
            (*category, "window_weeks"): None,
            **plans,
        }
    else:
        switch = TRIGGERED_BY[path[1]]
        yield {path: None, category: None, ("routing", "assign", path[1]): None, ("mechanisms", switch): False}


def other_live(path: Place, value: bool, data: dict[str, Any]) -> Iterator[Edit]:
    """A live channel has a patience, another one has none."""
    live = ("redial", "concurrency", "slower_per_extra_contact")
    others: Edit = {(*path[:-1], name): None for name in live if name in at(data, path[:-1])}
    yield {path: not value, (*path[:-1], "patience_mean_minutes"): None if value else 5.0} | others


def other_answers(path: Place, value: bool, data: dict[str, Any]) -> Iterator[Edit]:
    """A team that does not answer live has no line that could be full."""
    full = (*path[:-1], "queue_capacity")
    yield {path: not value} | ({full: None} if value and "queue_capacity" in at(data, path[:-1]) else {})


def other_way_round(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """A rule from Support to the CSMs instead."""
    rule = path[:-1]
    yield {(*rule, "from"): at(data, (*rule, "to")), (*rule, "to"): at(data, (*rule, "from"))}


def other_law(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """Another law of the handle time, with the spread and the sample that go with it."""
    category = path[:-1]
    for law, cv in (("exponential", 1.0), ("constant", 0.0), ("gamma", 1.1), ("lognormal", 1.1)):
        if law != value:
            edit: Edit = {path: law, (*category, "handle_time_cv"): cv}
            if value == "empirical":
                edit[*category, "handle_time_sample_minutes"] = None
            yield edit


def other_spread(path: Place, value: float, data: dict[str, Any]) -> Iterator[Edit]:
    """Another spread; a sample's own goes with the sample."""
    if at(data, path[:-1]).get("handle_time_distribution") != "empirical":
        yield from ({path: other} for other in (2 * value, value / 2) if other != value)
    else:
        sample = (*path[:-1], "handle_time_sample_minutes")
        yield {path: 0.0, sample: [40.0]}


def other_skill(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """Bills need no ledgers any more, and nobody has that skill then."""
    if value == "repairs":
        fewer: Edit = {("teams", team, "skills"): ["ledgers"] for team in ("csm", "experts")}
        yield fewer | {path: "ledgers", ("teams", "support", "skills"): None}
    if value == "ledgers":
        skills: Edit = {("teams", team, "skills"): ["repairs"] for team in ("csm", "support", "experts")}
        yield skills | {path: "repairs", ("teams", "support", "groups", "late", "skills"): None}


def everybody_has(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """What only a group could do the whole team can."""
    yield {path[:-1]: None, (*path[:2], "skills"): [*at(data, (*path[:2], "skills")), value]}


def only_a_group_has(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """What the whole team could do only a group can."""
    if path[1] == "support":
        group = (*path[:2], "groups", "late", "skills")
        yield {path[:-1]: None, group: [*at(data, group), value]}
    else:
        others = [skill for skill in at(data, path[:-1]) if skill != value]
        yield {path[:-1]: others, (*path[:2], "groups"): {"some": {"people": 1, "skills": [value]}}}


def other_sample(path: Place, value: float, data: dict[str, Any]) -> Iterator[Edit]:
    """One time of a sample is another, and the spread goes with it."""
    sample = list(at(data, path[:-1]))
    sample[path[-1]] = value + 300.0
    spread = float(np.std(sample) / np.mean(sample))
    yield {path: value + 300.0, (*path[:-2], "handle_time_cv"): round(spread, 4)}


def other_shift_end(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """Only handing over takes minutes of its own."""
    yield {path: "pause"} | ({(*path[:-1], "hand_over_minutes"): None} if value == "hand_over" else {})


def other_tier(path: Place, value: str, data: dict[str, Any]) -> Iterator[Edit]:
    """Accounts grow into another tier, out of which nobody grows back."""
    for other in ("enterprise", "midmarket", "small"):
        if other not in (value, path[1]):
            yield {path: other} | ({("tiers", other, "upgrade"): None} if "upgrade" in data["tiers"][other] else {})


def one_of(*others: Any) -> Any:
    """Each of these, unless it is the value."""
    return lambda path, value, data: ({path: other} for other in others if other != value)


SPECIAL: dict[str, Any] = {
    "start": lambda path, value, data: iter([{path: value + dt.timedelta(weeks=2)}]),
    "weeks": one_of(WEEKS + 6),
    "tiers.*.term_months.*": move_share,
    "categories.*.channel_shares.*": move_share,
    "routing.assign.*.*": move_share,
    "categories.*.initiated_by": other_starter,
    "accounts.tick_days": one_of(1),
    "accounts.outages.tiers.*": one_of("enterprise"),
    "accounts.outages.categories.*": one_of("billing", "relationship"),
    "tiers.*.upgrade.to": other_tier,
    "channels.*.live": other_live,
    "teams.*.answers_live": other_answers,
    "time_zone": one_of("Europe/Berlin"),
    "teams.*.time_zone": one_of("Europe/Berlin"),
    "teams.*.holidays": one_of("DE"),
    "teams.*.at_shift_end": other_shift_end,
    "people.recovery.until_below": one_of(0.5),
    "teams.*.shift.days.*": one_of("sun"),
    "teams.*.shift.start": one_of("11:00"),
    "teams.*.shift.end": one_of("15:30"),
    "teams.*.shift.also.*.days.*": one_of("sun"),
    "teams.*.shift.also.*.start": one_of("08:00"),
    "teams.*.shift.also.*.end": one_of("15:30"),
    "teams.*.groups.*.shift.days.*": one_of("sun"),
    "teams.*.groups.*.shift.start": one_of("09:00"),
    "teams.*.groups.*.shift.end": one_of("15:30"),
    "teams.*.groups.*.shift.also.*.days.*": one_of("sun"),
    "teams.*.groups.*.shift.also.*.start": one_of("08:00"),
    "teams.*.groups.*.shift.also.*.end": one_of("15:30"),
    "teams.*.meetings.*.days.*": one_of("tue"),
    "teams.*.meetings.*.start": one_of("14:00"),
    "people.strain.after_hours_weight": move_weight,
    "people.strain.occupancy_weight": move_weight,
    "people.strain.overdue_weight": move_weight,
    "routing.rules.*.categories.*": one_of("break_fix"),
    "routing.rules.*.from": other_way_round,
    "routing.rules.*.to": other_way_round,
    "routing.escalation.*.from": one_of("csm", "support"),
    "routing.escalation.*.to": one_of("csm", "support"),
    "routing.escalation.*.categories.*": one_of("how_to"),
    "routing.overflow.*.from": one_of("csm", "support"),
    "routing.overflow.*.to": one_of("csm", "experts"),
    "routing.overflow.*.categories.*": one_of("relationship", "billing"),
    "routing.overflow.*.waiting": one_of(0, 1, 2),
    "categories.*.skill": other_skill,
    "channels.*.concurrency": lambda path, value, data: iter(
        [{path: None, (*path[:-1], "slower_per_extra_contact"): None}]
    ),
    "categories.*.handle_time_distribution": other_law,
    "categories.*.handle_time_cv": other_spread,
    "categories.*.handle_time_sample_minutes.*": other_sample,
    "teams.*.groups.*.skills.*": everybody_has,
    "teams.*.skills.*": only_a_group_has,
    "channels.*.self_service.then.*": move_share,
    "routing.rules.*.how": one_of("front_door", "warm_transfer"),
    "playbooks.*.*.weeks_after_start.*": lambda path, value, data: iter([{path: value + 1}, {path: value + 12}]),
}


def at(data: Any, path: Place) -> Any:
    for key in path:
        data = data[key]
    return data


def changed(data: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """A copy of the data with the edit made."""
    data = copy.deepcopy(data)
    for path, value in edit.items():
        inside = at(data, path[:-1])
        if value is None:
            del inside[path[-1]]
        else:
            inside[path[-1]] = value
    return data


def changeable(field: str) -> bool:
    """Whether a dated change may set the field."""
    keys = field.split(".")
    return not any(
        len(keys) >= len(fixed) and all(a in ("*", b) for a, b in zip(fixed, keys, strict=False)) for fixed in FIXED
    )


def dated(data: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """A copy of the data in which the edit holds from the date of the company's own change on.

    Entries of lists have no path of their own: their list is set whole.
    """
    after, values = changed(data, edit), {}
    for path, value in edit.items():
        lists = [depth for depth in range(len(path)) if isinstance(at(data, path[:depth]), list)]
        place = path[: lists[0]] if lists else path
        values[".".join(map(str, place))] = at(after, place) if lists or value is not None else None
    change = data["changes"][0]
    kept = {name: value for name, value in change["set"].items() if name not in values}
    return {**data, "changes": [{**change, "set": {**kept, **values}}, *data["changes"][1:]]}
