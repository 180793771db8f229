"""Every field of a scenario that is not a name or a text moves at least one KPI; a dead input is a lie.

The schema is walked, not a list: a field added tomorrow is tested tomorrow. The company is small and has every
mechanism on, so that one replication is quick. Each field is changed, validly, in one paired replication.
"""

from __future__ import annotations

import copy
import datetime as dt
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import isclose
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
import pytest
import yaml
from small import FORUM, put, values_of

from sim.model import ledger
from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import Scenario, ScenarioError, load_scenario, load_scenario_text
from sim.scenario.checks import TRIGGERED_BY
from sim.scenario.files import scenario_problems
from sim.scenario.phases import FIXED
from sim.scenario.schema_types import Part
from sim.scenario.tree import Mark, tree_of
from sim.study.kpis import compute

BASELINE = Path(__file__).resolve().parent.parent / "scenarios" / "baseline.yaml"
ONLY_SWITCHED = (ledger.NOT_RAISED,)  # an outcome of a mechanism that is off here
SAMPLE_MINUTES = [10.0, 30.0, 30.0, 60.0, 120.0]
# Values that cannot do anything where they stand, or that nothing else could be put for; the field moves elsewhere.
IDLE = {
    **{
        ("channels", "knowledge_base", name): "nobody answers in self-service"
        for name in ("live", "response_target_minutes", "handle_time_factor", "resolution_factor", "warmth_factor")
    },
    ("categories", "winback", "executive_gain"): "an account that returns has a new sponsor",
    ("teams", "experts", "named_owner"): "who only gets what others pass on owns no accounts",
    ("teams", "experts", "opening_vacancies"): "by this luck the second expert quits in the first week anyway",
    ("routing", "escalation", 1, "from"): "no other team gets what it names",
    ("routing", "overflow", 1, "from"): "no other team gets what it names",
}
EXPERTS: dict[str, Any] = {
    "headcount": 2, "opening_vacancies": 0, "opening_burnout": 0.1,
    "shift": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"},
    "shrinkage": 0.1, "absence_days_per_year": 10, "cost_per_hour": 80.0, "overtime_pay_factor": 1.0,
    "overtime_limit_hours_per_day": 0.5, "named_owner": False, "answers_live": False, "callback_target_minutes": 120.0,
    "support_call_handle_time_factor": 1.0, "support_call_resolution_factor": 1.1, "warmth": 0.0,
    "quit_rate_per_year": 4.0, "time_to_fill_weeks": 3.0, "ramp_weeks": 5.0, "ramp_start_speed": 0.5,
    "hiring_cost": 20000.0, "price_per_contact": 15.0, "gain_factor": 0.5,
}  # fmt: skip
KNOWLEDGE_BASE: dict[str, Any] = {
    "live": False, "response_target_minutes": 60.0, "cost_per_contact": 0.1, "handle_time_factor": 1.0,
    "resolution_factor": 1.0, "warmth_factor": 0.0,
    "self_service": {
        "solved_probability": 0.4, "then": {"email": 0.5, "phone": 0.5}, "delay_mean_minutes": 600.0,
        "community": FORUM["channels"]["forum"]["self_service"]["community"],
    },
}  # fmt: skip
# The book is the list that the two files give; test_account_list_runs.py has what it does.
TEXTS = {"name", "description", "currency", "accounts.file", "accounts.mapping", "book"}
WEEKS = 32
CHANGE_FROM = dt.date(2026, 4, 15)  # a Wednesday in the middle of the run
SMALL_COMPANY: dict[str, Any] = {
    "weeks": WEEKS,
    "window": {"from_week": 2, "to_week": 30},
    "accounts.warm_up_weeks": 4,
    "accounts.executive_contact.sponsor_loss_per_year": 1.0,
    "accounts.tick_days": 7,
    "accounts.onboarding": {"weeks": 4, "done_share": 0.9, "disengagement_factor": 4.0, "made_good_above": 0.3},
    "accounts.outages.per_year": 26,
    "accounts.outages.tiers": ["small", "midmarket"],
    "accounts.health.signal_noise": 0.2,
    "categories.onboarding.resolution_probability": 0.6,
    "accounts.ill_timed": {"probability": 0.8, "loss": 0.3},
    "tiers.midmarket.upgrade.arr_above": 45000,
    "tiers.small.upgrade.arr_above": 11000,
    "departures.winback": {"after_weeks": 1, "contacts": 2, "probability": 0.9, "arr_share": 0.85, "cost_per_arr": 0.2},
    "categories.winback.window_weeks": 2,
    "categories.winback.priority": 2,
    "tiers.enterprise.accounts": 7,
    "tiers.midmarket.accounts": 10,
    "tiers.small.accounts": 16,
    "tiers.enterprise.term_months": {12: 0.8, 36: 0.2},
    "tiers.midmarket.term_months": {12: 0.8, 24: 0.2},
    "tiers.small.term_months": {1: 0.4, 12: 0.6},
    "tiers.enterprise.new_accounts_per_year": 8,
    "tiers.midmarket.new_accounts_per_year": 10,
    "tiers.small.new_accounts_per_year": 20,
    "categories.value_review.priority": 6,
    "categories.coaching.handle_time_mean_minutes": 300,
    "categories.coaching.window_weeks": 1.0,
    "categories.how_to.handle_time_mean_minutes": 75,
    "categories.how_to.channel_shares": {"phone": 0.1, "chat": 0.4, "email": 0.2, "portal": 0.1, "knowledge_base": 0.2},
    "categories.break_fix.skill": "repairs",
    "categories.billing.skill": "ledgers",
    "categories.billing.handle_time_distribution": "gamma",
    "categories.relationship.handle_time_distribution": "empirical",
    "categories.relationship.handle_time_sample_minutes": SAMPLE_MINUTES,
    "categories.relationship.handle_time_cv": 0.766,
    "channels.knowledge_base": KNOWLEDGE_BASE,
    "categories.moderation": FORUM["categories"]["moderation"],
    "categories.article": FORUM["categories"]["article"],
    "routing.assign.moderation": {"support": 1.0},
    "routing.assign.article": {"csm": 1.0},
    "channels.phone.redial": {"probability": 0.6, "delay_mean_minutes": 20.0},
    "channels.video.travel_minutes": 15.0,
    "channels.chat.concurrency": 2,
    "channels.chat.slower_per_extra_contact": 0.5,
    "teams.experts": EXPERTS,
    "teams.csm.skills": ["repairs", "ledgers"],
    "teams.support.skills": ["repairs"],
    "teams.experts.skills": ["repairs", "ledgers"],
    "teams.support.queue_capacity": 1,
    "teams.csm.changeover_minutes": 6.0,
    "channels.phone.patience_mean_minutes": 10,
    "channels.chat.patience_mean_minutes": 3,
    "time_zone": "America/New_York",
    "teams.csm.headcount": 2,
    "teams.csm.shift.also": [{"days": ["sat"], "start": "10:00", "end": "12:00"}],
    "teams.csm.time_zone": "America/Chicago",
    "teams.csm.holidays": "US",
    "teams.csm.closed_days": [dt.date(2026, 5, 6)],
    "teams.csm.breaks_per_day": 2,
    "teams.csm.leave_days_per_year": 20,
    "teams.csm.overtime_pay_factor": 0.5,
    "teams.csm.opening_burnout": 0.6,
    "teams.csm.quit_rate_per_year": 2.5,
    "teams.csm.time_to_fill_weeks": 3,
    "teams.csm.ramp_weeks": 10,
    "teams.csm.training_weeks": 1.0,
    "teams.csm.overtime_limit_hours_per_week": 2.0,
    "teams.support.overtime_limit_hours_per_week": 1.0,
    "teams.support.headcount": 2,
    "teams.support.shift": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "10:00", "end": "16:00"},
    "teams.support.groups": {
        "late": {
            "people": 1,
            "skills": ["ledgers"],
            "hours_share": 0.8,
            "shift": {
                "days": ["mon", "tue", "wed", "thu"],
                "start": "11:00",
                "end": "18:00",
                "also": [{"days": ["fri"], "start": "10:00", "end": "14:00"}],
            },
        }
    },
    "teams.csm.at_shift_end": "hand_over",
    "teams.csm.hand_over_minutes": 10,
    "teams.support.meetings": [{"days": ["wed"], "start": "12:00", "minutes": 60}],
    "teams.support.opening_burnout": 0.5,
    "teams.support.quit_rate_per_year": 2.0,
    "teams.support.time_to_fill_weeks": 3,
    "teams.support.ramp_weeks": 10,
    "teams.support.training_weeks": 1.0,
    "teams.support.warmth": 0.005,
    "people.recovery": {"burnout_above": 0.55, "until_below": 0.2, "hours_share": 0.8},
    "routing.rules": [
        {"categories": ["how_to", "billing"], "from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"},
        {"from": "csm", "to": "support", "share": 0.3, "how": "front_door"},
    ],
    "routing.escalation": [
        {"from": "support", "to": "experts", "share": 0.6},
        {"categories": ["relationship"], "from": "csm", "to": "experts", "share": 0.9},
    ],
    "routing.overflow": [
        {"categories": ["how_to", "break_fix"], "from": "support", "to": "experts", "waiting": 4},
        {"categories": ["relationship"], "from": "csm", "to": "support", "waiting": 1},
    ],
    "departures.drivers.disconnection.hazard_per_year": 0.9,
    "departures.drivers.disengagement.hazard_per_year": 0.9,
    "departures.drivers.service.hazard_per_year": 1.0,
    "departures.drivers.downturn.hazard_per_year": 0.15,
    "departures.drivers.downturn.shock_probability_per_quarter": 0.3,
    "departures.drivers.competition.hazard_per_year": 0.3,
    "departures.drivers.disconnection.save_probability": 0.7,
    "departures.drivers.service.save_probability": 0.8,
    "departures.midterm_share": 0.3,
    "departures.expansion.probability_per_year": 0.8,
    "departures.contraction.probability_per_year": 0.6,
    "changes": [
        {
            "from": CHANGE_FROM,
            "set": {"teams.support.headcount": 3, "categories.billing.handle_time_mean_minutes": 35},
        },
        {  # who hands over works no overtime: from July on the limits of it matter for the CSMs
            "from": dt.date(2026, 7, 1),
            "set": {
                "teams.support.headcount": 2,
                "teams.csm.at_shift_end": "finish",
                "teams.csm.hand_over_minutes": None,
            },
        },
    ],
}

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


@cache
def company() -> dict[str, Any]:
    """The small company as plain data."""
    text = yaml.safe_dump(put(values_of(), SMALL_COMPANY), sort_keys=False)
    return load_scenario_text(text, "small.yaml").model_dump(by_alias=True, exclude_none=True)


FIELDS = list(schema_fields())
LEAVES = list(leaves(company()))
BY_FIELD = {field: [leaf for leaf in LEAVES if leaf.field == field] for field in FIELDS}


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


def valid(data: dict[str, Any]) -> Scenario | None:
    """The scenario in plain data, or None if it has problems."""
    scenario, problems = scenario_problems(tree_of(data, Mark("test", 0)), True)
    return None if problems else scenario


def kpis_of(scenario: Scenario) -> dict[str, float | None]:
    inputs = compile_inputs(scenario)
    return compute(next(replicate(inputs, [inputs], seed=1, replication=0)), inputs)


@cache
def usual() -> dict[str, float | None]:
    """The KPIs of the small company as it is."""
    scenario = valid(company())
    assert scenario is not None, "the small company must be valid"
    return kpis_of(scenario)


def differ(one: dict[str, float | None], other: dict[str, float | None]) -> bool:
    """Whether a KPI differs by more than the order of additions explains."""
    if one.keys() != other.keys():
        return True
    pairs = [(one[name], other[name]) for name in one]
    return any(
        (a is None) != (b is None) or not isclose(a or 0.0, b or 0.0, rel_tol=1e-9, abs_tol=1e-9) for a, b in pairs
    )


def moves(leaf: Leaf) -> tuple[bool, int]:
    """Whether some valid change of a value moves a KPI, and how many valid changes were tried."""
    tried = 0
    for edit in edits(leaf, company()):
        scenario = valid(changed(company(), edit))
        if scenario is not None:
            tried += 1
            if differ(usual(), kpis_of(scenario)):
                return True, tried
    return False, tried


# --- the tests ----------------------------------------------------------------------------------------------


def test_every_mechanism_happens_in_the_small_company():
    inputs = compile_inputs(valid(company()))
    history = next(replicate(inputs, [inputs], seed=1, replication=0))
    contacts, people, events = history.contacts, history.people_weeks, history.account_events
    happened = {
        name: bool((contacts["outcome"] == i).any()) for i, name in enumerate(ledger.OUTCOMES) if i not in ONLY_SWITCHED
    }
    happened |= {name: bool((events["event"] == i).any()) for i, name in enumerate(ledger.EVENTS)}
    happened |= {name: bool((people["event"] == i).any()) for i, name in enumerate(ledger.PERSON_EVENTS)}
    grown = (events["arr_after_cents"] > events["arr_before_cents"]) & (events["event"] == ledger.RENEWAL)
    happened |= {
        "repeat": bool((contacts["attempt"] > 0).any()),
        "handed over": bool((contacts["leg"] > 0).any()),
        "overtime": bool((people["overtime_hours"] > 0).any()),
        "absence": bool((people["absent_hours"] > 0).any()),
        "burnout": bool((people["burnout"] > 0.2).any()),
        "leaving after an announcement": bool((events["left"] & events["announced"]).any()),
        "saved": bool((~events["left"] & events["announced"] & (events["event"] == ledger.RENEWAL)).any()),
        "expansion": bool(grown.any()),
        "call back": bool((inputs.live[contacts["channel"]] & ~contacts["live"] & (contacts["team"] == 1)).any()),
    }
    never = [name for name, there in happened.items() if not there]
    assert not never, f"{never} never happen in the small company, so its fields could not show whether they matter"


def test_nothing_moves_when_only_the_name_changes():
    renamed = valid(changed(company(), {("name",): "Another name"}))
    assert renamed is not None
    assert not differ(usual(), kpis_of(renamed)), "the same scenario must give the same KPIs, or any test here passes"


def test_the_small_company_has_a_value_for_every_field_of_the_schema():
    missing = [field for field, found in BY_FIELD.items() if not found]
    assert not missing, f"give the small company a value for {missing}: a field without one is not tested"
    unknown = {leaf.field for leaf in LEAVES} - set(FIELDS)
    assert not unknown, f"the walk over values found fields that the walk over the schema missed: {unknown}"


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_the_field_moves_a_kpi(field: str):
    tries = 0
    for leaf in BY_FIELD[field]:
        moved, tried = moves(leaf)
        tries += tried
        if moved:
            return
    assert tries, f"{field} could not be changed validly, so nobody can use it"
    pytest.fail(f"{field} moves no KPI in {tries} tries: it is an input wired to nothing")


@pytest.mark.slow
@pytest.mark.parametrize("field", [field for field in FIELDS if changeable(field)])
def test_the_field_moves_a_kpi_when_it_changes_during_the_run(field: str):
    """A dated change of the field, on top of the company's own, in the middle of the run."""
    tries = 0
    for leaf in BY_FIELD[field]:
        for edit in edits(leaf, company()):
            scenario = valid(dated(company(), edit))
            if scenario is not None:
                tries += 1
                if differ(usual(), kpis_of(scenario)):
                    return
    assert tries, f"{field} may change during a run, but no valid dated change of it was found"
    pytest.fail(f"{field} moves no KPI in {tries} dated changes: what is set from a date on has no effect")


@pytest.mark.parametrize("field", ["categories.training.initiated_by", "categories.training.support_call"])
def test_what_kpis_are_counted_by_cannot_change_during_the_run(field: str):
    """KPIs are counted with one value for the whole run; a dated change would count part of it wrongly."""
    starts = {
        "categories.training.initiated_by": "customer",
        "categories.training.contacts_per_account_month": 1.0,
        "categories.training.window_weeks": None,
        "playbooks.enterprise.training": None,
        "playbooks.midmarket.training": None,
    }
    values = starts if field in starts else {field: True}
    with pytest.raises(ScenarioError, match="cannot change during it"):
        load_scenario(BASELINE, {"changes": [{"from": CHANGE_FROM, "set": values}]})


@pytest.mark.slow
@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if leaf.path not in IDLE], ids=lambda leaf: ".".join(map(str, leaf.path))
)
def test_the_value_moves_a_kpi_for_every_tier_team_category_and_channel(leaf: Leaf):
    moved, tried = moves(leaf)
    assert tried, "the value could not be changed validly, so nobody can use it"
    assert moved, f"the value moves no KPI in {tried} tries: it is an input wired to nothing"
