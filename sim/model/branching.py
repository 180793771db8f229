"""Which scenarios begin alike: until a dated change, a what-if's history is that of the scenario it departs from.

In: the scenarios of a replication. Out: for each, the earlier one from which it branches off, and in which week.
All is compared by value: whatever differs anywhere keeps two scenarios apart from that hour on, or from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from itertools import zip_longest
from math import floor
from typing import Any

import numpy as np

from sim.model.clock import ContactProfile
from sim.model.inputs import HOURS_PER_WEEK, Inputs, Phase


def branches(scenarios: Sequence[Inputs]) -> list[tuple[int, int]]:
    """Per scenario, the position of the earlier one with which it has most weeks in common, and those weeks.

    0 weeks: it has nothing in common with any.
    """
    result = []
    for index, scenario in enumerate(scenarios):
        alike = [weeks_alike(earlier, scenario) for earlier in scenarios[:index]]
        weeks = max(alike, default=0)
        result.append((alike.index(weeks) if weeks else index, weeks))
    return result


def weeks_alike(one: Inputs, other: Inputs) -> int:
    """Whole weeks from the start in which two scenarios cannot differ.

    New accounts are drawn for the whole run at its start: scenarios that win them otherwise, at whatever date,
    have nothing in common.
    """
    rest = {field.name for field in fields(Inputs)} - {"name", "phases"}
    if not all(same(getattr(one, name), getattr(other, name)) for name in rest):
        return 0
    changes = [
        phase.start_hour
        for pair in zip_longest(one.phases, other.phases)
        if not same(*pair)
        for phase in pair
        if phase is not None
    ]
    if any(not same(_winning(one.phase_at(hour)), _winning(other.phase_at(hour))) for hour in changes):
        return 0
    return floor(min(changes, default=one.weeks * HOURS_PER_WEEK) / HOURS_PER_WEEK)


def _winning(phase: Phase) -> Iterable[Any]:
    """All that decides which accounts are won and how they begin."""
    return (phase.states, phase.health, phase.demand.rate_quantiles, phase.tiers, phase.switches)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in every bit of every part."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, ContactProfile):
        return same(one.shares, other.shares)
    return bool(one == other)
