"""Scenarios that begin alike are simulated once until they part, and nobody can tell from the result."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from math import inf
from typing import Any

import numpy as np
import pytest
from small import AROUND_THE_CLOCK, SMALL, TABLES, run, run_all, same_bits, small_inputs, tables_of

from sim.model.branching import branches, same, weeks_alike
from sim.model.clock import ContactProfile
from sim.model.inputs import Inputs
from sim.model.ledger import History, Ledger
from sim.model.replication import Cancelled, replicate

COMPANY: dict[str, Any] = SMALL | {
    "weeks": 20,
    "accounts.executive_contact.sponsor_loss_per_year": 0.5,
    "tiers.small.new_accounts_per_year": 40,
    "tiers.small.term_months": {1: 0.5, 12: 0.5},
    "teams.csm.quit_rate_per_year": 1.0,
    "teams.csm.headcount": 2,
    "teams.csm.time_to_fill_weeks": 3,
    "teams.support.shift": AROUND_THE_CLOCK,  # somebody is at work, on a break or on the line at every midnight
}
REROUTE = [{"from": "csm", "to": "support", "share": 1.0, "how": "front_door"}]
WARM = [{"from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"}]


def company(*changes: tuple[dt.date, dict[str, Any]], **overrides: Any) -> Inputs:
    """The company with dated changes."""
    dated = [{"from": date, "set": paths} for date, paths in changes]
    return small_inputs(COMPANY | ({"changes": dated} if dated else {}) | overrides)


BASELINE = company()
MONDAY, WEDNESDAY, LATE = dt.date(2026, 2, 16), dt.date(2026, 2, 18), dt.date(2026, 4, 10)  # weeks 6, 6 and 13
WHAT_IFS = {
    "routing from a Wednesday": (6, company((WEDNESDAY, {"routing.rules": REROUTE}))),
    "routing from a Monday": (6, company((MONDAY, {"routing.rules": WARM}))),
    "headcount up, later down": (
        6,
        company(
            (WEDNESDAY, {"teams.csm.headcount": 3}), (LATE, {"teams.support.headcount": 1, "teams.csm.headcount": 1})
        ),
    ),
    "the first change shared, another later": (
        6,
        company((WEDNESDAY, {"routing.rules": REROUTE}), (LATE, {"routing.rules": WARM})),
    ),
    "other hours": (13, company((LATE, {"teams.csm.shift": AROUND_THE_CLOCK}))),
    "a change in the first week": (0, company((dt.date(2026, 1, 7), {"routing.rules": REROUTE}))),
    "other accounts won later": (0, company((LATE, {"tiers.small.new_accounts_per_year": 200}))),
    "the same": (20, company()),
}


# At every midnight, Monday's too, somebody is in the middle of a shift, on a break, or has put something down.
NIGHTS: dict[str, Any] = {
    "time_zone": "America/New_York",
    "teams.support.headcount": 2.5,
    "teams.support.shift": {
        **AROUND_THE_CLOCK,
        "start": "20:00",
        "also": [{**AROUND_THE_CLOCK, "end": "05:00"}],
    },
    "teams.support.groups": {"part": {"people": 1, "hours_share": 0.7}},
    "teams.support.meetings": [{"days": ["sun"], "start": "23:30", "minutes": 30}],
    "teams.support.breaks_per_day": 3,
    "teams.support.at_shift_end": "hand_over",
    "teams.support.hand_over_minutes": 5,
    "teams.csm.shift": {**AROUND_THE_CLOCK, "start": "09:00", "end": "17:00"},
    "teams.csm.time_zone": "Australia/Sydney",
    "teams.csm.holidays": "AU-NSW",
    "teams.csm.at_shift_end": "pause",
    "teams.csm.leave_days_per_year": 40,
    "categories.how_to.handle_time_mean_minutes": 90,
}
NIGHT_CHANGES: dict[str, dict[str, Any]] = {
    "groups": {"teams.support.groups.part.people": 2},
    "part of a person": {"teams.support.headcount": 1.5},
    "meetings and breaks": {"teams.support.meetings": [], "teams.csm.breaks_per_day": 2},
    "days off and zone": {"teams.csm.holidays": None, "teams.csm.time_zone": "Europe/Berlin"},
    "the end of shifts": {"teams.csm.at_shift_end": "finish", "teams.support.shift": AROUND_THE_CLOCK | {"also": []}},
    "leave": {"teams.csm.leave_days_per_year": 10},
}


@pytest.mark.parametrize("what", NIGHT_CHANGES)
def test_a_what_if_branches_off_in_the_middle_of_shifts(what: str) -> None:
    baseline = company(**NIGHTS)
    inputs = company((WEDNESDAY, NIGHT_CHANGES[what]), **NIGHTS)
    assert weeks_alike(baseline, inputs) == 6, "weeks shared with the baseline"
    both = run_all(baseline, [baseline, inputs])
    assert differing(both[1], run(inputs, baseline=baseline)) == {}, "the same bits as from its own first week"
    assert differing(both[0], run(baseline)) == {}, "and the run from which it branches goes on as if alone"
    assert differing(*both), "afterwards the change shows"


def differing(one: History, other: History) -> dict[str, list[str]]:
    """Columns that differ, by table."""
    tables = tables_of(one), tables_of(other)
    found = {name: same_bits(tables[0][name], tables[1][name]) for name in TABLES}
    return {name: columns for name, columns in found.items() if columns}


@pytest.mark.parametrize("what_if", WHAT_IFS)
def test_a_what_if_that_branches_off_has_exactly_the_history_that_it_has_alone(what_if: str) -> None:
    weeks, inputs = WHAT_IFS[what_if]
    assert weeks_alike(BASELINE, inputs) == weeks, "weeks shared with the baseline"
    baseline, branched = run_all(BASELINE, [BASELINE, inputs])
    assert differing(branched, run(inputs, baseline=BASELINE)) == {}, "the same bits as from its own first week"
    assert differing(baseline, run(BASELINE)) == {}, "and the run from which it branches goes on as if alone"


def test_scenarios_branch_off_from_the_one_that_they_are_like_longest_whoever_is_among_them() -> None:
    one = WHAT_IFS["routing from a Wednesday"][1]
    two = WHAT_IFS["the first change shared, another later"][1]
    apart = WHAT_IFS["a change in the first week"][1]
    scenarios = [one, apart, BASELINE, two, one]
    assert branches(scenarios) == [(0, 0), (1, 0), (0, 6), (0, 13), (0, 20)]
    histories = run_all(BASELINE, scenarios, seed=2, replication=1)
    for inputs, history in zip(scenarios, histories, strict=True):
        assert differing(history, run(inputs, 2, 1, baseline=BASELINE)) == {}, "in the order given, each as if alone"


def test_weeks_in_common_are_simulated_once() -> None:
    asked: list[None] = []

    def cancel() -> bool:
        asked.append(None)
        return False

    scenarios = [BASELINE, WHAT_IFS["other hours"][1]]
    list(replicate(BASELINE, scenarios, 1, 0, cancel))
    assert len(asked) == BASELINE.warm_up_weeks + 20 + (20 - 13), "the question is asked once a simulated week"


def test_a_branched_scenario_can_be_cancelled() -> None:
    answers = iter([False] * (BASELINE.warm_up_weeks + 20 + 2) + [True])
    histories = replicate(BASELINE, [BASELINE, WHAT_IFS["other hours"][1]], 1, 0, lambda: next(answers))
    next(histories)
    with pytest.raises(Cancelled):
        next(histories)


def variants(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one thing in it changed, for each thing in it: where, and the changed value."""
    if is_dataclass(value):
        for field in fields(value):
            for place, part in variants(getattr(value, field.name)):
                yield f"{field.name}.{place}", replace(value, **{field.name: part})
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            for place, part in variants(item):
                yield f"{index}.{place}", (*value[:index], part, *value[index + 1 :])
        yield "length", (*value, 0)
    elif isinstance(value, ContactProfile):
        for place, part in variants(value.shares):
            yield place, ContactProfile(part)
    elif isinstance(value, np.ndarray):
        if value.size:
            changed = value.copy()
            changed.view(np.uint8).flat[0] ^= 1
            yield "one bit", changed
        yield "dtype", value.astype(object)
        yield "shape", value[np.newaxis]
    elif isinstance(value, str | bool):
        yield "value", value + "s" if isinstance(value, str) else not value
    elif isinstance(value, dt.date):
        yield "value", value + dt.timedelta(7)
    elif value is None or value == inf:
        yield "value", 1.0
    else:
        yield "value", value + 1


def test_whatever_differs_anywhere_in_the_rules_is_seen() -> None:
    phase = BASELINE.phases[0]
    changed = dict(variants(phase))
    assert len(changed) > 200, "every field of every part"
    assert [place for place, other in changed.items() if same(phase, other)] == [], "not the same"


def test_scenarios_whose_inputs_differ_elsewhere_have_no_week_in_common() -> None:
    seen = set()
    for field in fields(Inputs):
        if field.name in ("name", "phases"):
            continue
        for place, part in variants(getattr(BASELINE, field.name)):
            seen.add(field.name)
            assert weeks_alike(BASELINE, replace(BASELINE, **{field.name: part})) == 0, f"{field.name}.{place}"
    assert len(seen) == len(fields(Inputs)) - 2, "every field but the name and the phases"
    assert weeks_alike(BASELINE, replace(company(), name="another")) == 20, "the same values under another name"


def test_a_forked_ledger_begins_with_the_rows_and_grows_by_itself() -> None:
    ledger = Ledger()
    ledger.tier_weeks.append([0], *([1] for _ in ledger.tier_weeks.columns.keys() - {"week"}))
    fork = ledger.fork()
    fork.tier_weeks.append([1], *([1] for _ in fork.tier_weeks.columns.keys() - {"week"}))
    assert ledger.tier_weeks.table()["week"].tolist() == [0], "the other one's rows stay its own"
    assert fork.tier_weeks.table()["week"].tolist() == [0, 1]
