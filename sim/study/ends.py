"""A comparison's scenarios with all estimated assumptions at their low ends, and again at their high ends.

In: a baseline and what-ifs. Out: the same scenarios twice, checked like files, and what stayed as it was, and why.

What moves, in all scenarios alike that have it: each number labelled `assumption` that has a range and is as shipped.
What stays, and is named:

- lists of numbers, which are profiles: their entries count only in relation to each other;
- what a scenario sets, at the start or from a date on: that is the decision, and it must mean the same at both ends;
- what would contradict something else at one of its ends, and with it what stands nearest to the contradiction.

Choices, mixes, measured numbers, benchmarks and the user's own numbers are no assumptions and stay as well.

One thing is known of any company: how much work its people have. Contact rates, seats, handle times and habits are
assumed one by one, and all of them high together would be eight times the work. So contact rates, and the handle times
of planned work, are scaled at each end until the opening book makes as many hours of both as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.model.accounts import opening_table
from sim.model.compile import compile_inputs
from sim.model.demand import contact_rates
from sim.model.luck import Luck
from sim.scenario import Problem, Scenario, ScenarioError, dump_scenario, evidence, load_scenario_text
from sim.scenario.evidence import Evidence, numbers

End = Literal["low", "high"]

END = "with the assumptions at their {} ends"
PROFILE = "a profile, whose entries count only in relation to each other"
SET = "a scenario sets it"


@dataclass(frozen=True)
class Corners:
    """Scenarios at both ends, in the order given. moved : how many assumptions are at their ends.

    left_out : why the others stay, by dotted path, in the order of the schema.
    """

    low: tuple[Scenario, ...]
    high: tuple[Scenario, ...]
    moved: int
    left_out: dict[str, str]


def ends(
    baseline: Scenario, scenarios: Sequence[Scenario], end: End
) -> tuple[Scenario, list[Scenario], dict[str, str]]:
    """A baseline and what-ifs at one end, and why some assumptions stayed, by dotted path.

    Raises ScenarioError if they cannot be simulated there, such as for too many contacts.
    """
    both = corners([baseline, *scenarios])
    first, *others = both.low if end == "low" else both.high
    return first, others, both.left_out


def corners(scenarios: Sequence[Scenario]) -> Corners:
    """Scenarios of one comparison, the baseline first, at both ends; raises as `ends` does.

    An assumption that cannot go to one of its ends stays at both, so that nothing but the ends differs.
    """
    estimated, left_out = estimates(scenarios)
    known_work = work_hours(scenarios[0])
    while True:
        rows = [row for path, row in estimated.items() if path not in left_out]
        try:
            low = all_at(scenarios, END.format("low"), {row.path: row.low for row in rows}, known_work)
            high = all_at(scenarios, END.format("high"), {row.path: row.high for row in rows}, known_work)
        except ScenarioError as error:
            contradicting = contradicted(error.problems[0], [row.path for row in rows])
            if not contradicting:
                raise
            left_out |= contradicting
            continue
        named = {path: left_out[path] for path in estimated if path in left_out}
        return Corners(tuple(low), tuple(high), len(rows), named)


def estimates(scenarios: Sequence[Scenario]) -> tuple[dict[str, Evidence], dict[str, str]]:
    """The assumptions that have a range, by dotted path, and why some of them must stay in these scenarios."""
    known = [evidence(scenario) for scenario in scenarios]
    estimated = {
        path: row for rows in known for path, row in rows.items() if row.label == "assumption" and row.is_estimate
    }
    left_out = {path: PROFILE for path, row in estimated.items() if isinstance(row.value, tuple)}
    left_out |= {
        path: SET
        for path, row in estimated.items()
        if any(path in rows and rows[path].value != row.value for rows in known) or _is_dated(path, scenarios)
    }
    return estimated, left_out


def work_hours(scenario: Scenario) -> tuple[float, float]:
    """Hours a week that the opening book's customers ask for, and that playbooks plan for it, at the usual pace."""
    inputs = compile_inputs(scenario)
    phase, begin = inputs.phases[0], 0.0
    luck = Luck(0, 0)  # only the places in the cycle of planned work are drawn, and they do not count here
    table = opening_table(inputs.book, phase, luck, inputs.opening_adoption, inputs.opening_executive_contact, begin)
    rates = contact_rates(table, phase, begin, np.zeros(len(table), dtype=np.int64)).sum()
    categories = phase.categories
    planned = (1 / phase.playbooks.every_weeks)[table.tier].sum(axis=0)
    hours = categories.handle_hours
    return float(rates * (categories.rate_per_week * hours).sum()), float((planned * hours).sum())


def all_at(
    scenarios: Sequence[Scenario], where: str, values: Mapping[str, float | None], known_work: tuple[float, float]
) -> list[Scenario]:
    """Scenarios with such values, and as much work as is known; the first one decides the scale for all.

    where : for messages. Raises ScenarioError.
    """
    moved = [_at(one, where, values) for one in scenarios]
    asked, planned = (
        known / now if now > 0 else 1.0 for known, now in zip(known_work, work_hours(moved[0]), strict=True)
    )
    scaled = []
    for before, one in zip(scenarios, moved, strict=True):
        factors = _factors(one, asked, planned)
        own = {path: factor * float(_number(one, path)) for path, factor in factors.items()}
        same = {path: value for path, value in own.items() if not _is_dated(path, scenarios)}
        scaled.append(_at(before, where, {**values, **same}))
    return scaled


def _factors(scenario: Scenario, asked: float, planned: float) -> dict[str, float]:
    """By what each contact rate is multiplied, and each handle time of planned work, by dotted path."""
    found = {}
    for name, category in scenario.categories.items():
        if category.contacts_per_account_month is not None:
            found[f"categories.{name}.contacts_per_account_month"] = asked
        elif category.initiated_by == "company":
            found[f"categories.{name}.handle_time_mean_minutes"] = planned
    return found


def _number(scenario: Scenario, path: str) -> float:
    """The number at the path of a category's field."""
    _, category, field = path.split(".")
    return float(getattr(scenario.categories[category], field))


def _is_dated(path: str, scenarios: Sequence[Scenario]) -> bool:
    """Whether a dated change sets the number."""
    dated = [key for scenario in scenarios for change in scenario.changes for key in change.set]
    return any(path == key or path.startswith(f"{key}.") for key in dated)


def _at(scenario: Scenario, where: str, values: Mapping[str, float | None]) -> Scenario:
    """A scenario with those of the values that it has from the start on; what dated changes set still comes on top."""
    own = numbers(scenario)
    values = {path: value for path, value in values.items() if path in own}
    try:
        moved = load_scenario_text(dump_scenario(scenario), scenario.name, overrides=values)
        return moved.model_copy(update={"book": scenario.book})
    except ScenarioError as error:
        raise ScenarioError(
            [replace(one, line=0, message=f"{one.message} ({where})") for one in error.problems]
        ) from None


def contradicted(problem: Problem, paths: Sequence[str]) -> dict[str, str]:
    """The paths that stand nearest to a problem: there, below it, or beside it; none if it is the whole scenario's."""
    place = problem.path.replace("[", ".").split(".")
    while place:
        inside = [path for path in paths if path.split(".")[: len(place)] == place]
        if inside:
            return dict.fromkeys(inside, f"{problem.path}: {problem.message}")
        place = place[:-1]
    return {}
