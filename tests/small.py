"""Small companies for tests of the engine, built from the shipped baseline by overrides.

In: dotted paths and values, as in `load_scenario`. Out: scenarios, inputs and histories that take milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.model.replication import replicate
from sim.scenario import Scenario, load_scenario_text

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"

SMALL: dict[str, Any] = {
    "weeks": 10,
    "accounts.warm_up_weeks": 2,
    "tiers.enterprise.accounts": 4,
    "tiers.midmarket.accounts": 10,
    "tiers.small.accounts": 16,
    "teams.csm.headcount": 1,
    "teams.support.headcount": 1,
}

ALL_MECHANISMS = (
    "burnout", "turnover", "absence", "overtime", "abandonment", "repeats", "expiry", "churn", "firefighting",
    "sponsor_loss", "sponsor_reengagement", "onboarding_failure", "action_plans", "outages", "ill_timed", "winback",
    "community", "growth", "expansion",
)  # fmt: skip

NOTHING_HAPPENS: dict[str, Any] = {f"mechanisms.{name}": False for name in ALL_MECHANISMS}

_FORUM_WORK: dict[str, Any] = {
    "initiated_by": "trigger", "support_call": False, "handle_time_mean_minutes": 10.0, "handle_time_cv": 0.8,
    "resolution_probability": 1.0, "priority": 3, "urgent": False, "response_target_minutes": 480.0,
    "window_weeks": 2.0, "adoption_gain": 0.0, "executive_gain": 0.0, "channel_shares": {"portal": 1.0},
}  # fmt: skip
FORUM: dict[str, Any] = {  # half of the how-to questions are asked in a forum
    "channels": {
        "forum": {
            "live": False, "response_target_minutes": 480.0, "cost_per_contact": 0.1, "handle_time_factor": 1.0,
            "resolution_factor": 1.0, "warmth_factor": 0.0,
            "self_service": {
                "solved_probability": 0.6, "then": {"email": 1.0}, "delay_mean_minutes": 600.0,
                "community": {
                    "maven_adoption_above": 0.55, "offended_below": 0.55, "answers_per_maven_week": 1.0,
                    "complaints_per_detractor_week": 0.5, "complaint_loss": 0.2, "stale_share": 0.6,
                    "memory_weeks": 3.0, "threads_per_article": 4, "article_gain": 0.02,
                    "article_half_life_weeks": 20.0,
                },
            },
        },
    },
    "categories": {"moderation": _FORUM_WORK, "article": _FORUM_WORK | {"handle_time_mean_minutes": 60.0}},
    "routing.assign": {"moderation": {"support": 1.0}, "article": {"support": 1.0}},
    "categories.how_to.channel_shares": {"forum": 0.5, "phone": 0.1, "chat": 0.1, "email": 0.15, "portal": 0.15},
}  # fmt: skip

AROUND_THE_CLOCK: dict[str, Any] = {
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "start": "00:00",
    "end": "24:00",
}


@cache
def _text(name: str) -> str:
    return (SCENARIOS / name).read_text(encoding="utf-8")


def values_of(name: str = "baseline.yaml") -> dict[str, Any]:
    """The plain values of a shipped file, the caller's own to change."""
    return yaml.safe_load(_text(name))


def put(values: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Lays dotted paths on plain values; maps replace maps, None deletes."""
    for dotted, value in overrides.items():
        *path, last = dotted.split(".")
        here = values
        for part in path:
            here = here[part]
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    return values


def scenario_of(values: dict[str, Any]) -> Scenario:
    """The scenario of plain values, checked like a file."""
    return load_scenario_text(yaml.safe_dump(values, sort_keys=False), "small.yaml", SCENARIOS)


def inputs_of(values: dict[str, Any]) -> Inputs:
    """The engine's inputs for plain values, checked like a file."""
    return compile_inputs(scenario_of(values))


def small_scenario(overrides: dict[str, Any]) -> Scenario:
    """A small company: the baseline with SMALL and then `overrides` laid on it."""
    return scenario_of(put(values_of(), SMALL | overrides))


def small_inputs(overrides: dict[str, Any] | None = None, name: str = "baseline.yaml") -> Inputs:
    """A small company's inputs: the baseline with SMALL and then `overrides` laid on it.

    name : a shipped what-if, whose dated changes are kept.
    """
    values = put(values_of(), SMALL)
    if name != "baseline.yaml":
        values |= {"name": name, "changes": changes_of(name)}
    return inputs_of(put(values, overrides or {}))


def changes_of(name: str) -> list[dict[str, Any]]:
    """The dated changes of a shipped file; its own replace those of the file that it extends."""
    found: list[dict[str, Any]] = values_of(name)["changes"]
    return found


def run(inputs: Inputs, seed: int = 1, replication: int = 0, baseline: Inputs | None = None) -> History:
    """One replication of one scenario; its own warm-up, unless a baseline is given."""
    return next(replicate(baseline or inputs, [inputs], seed, replication))


def run_all(baseline: Inputs, scenarios: Sequence[Inputs], seed: int = 1, replication: int = 0) -> list[History]:
    """One replication of several scenarios from one warm-up."""
    return list(replicate(baseline, scenarios, seed, replication))


TABLES = ("contacts", "account_events", "people_weeks", "tier_weeks", "accounts", "opening", "duty")


def tables_of(history: History) -> dict[str, Table]:
    """All tables by name."""
    return {name: getattr(history, name) for name in TABLES}


def same_bits(a: Table, b: Table) -> list[str]:
    """Names of the columns that differ in any bit (nan is equal to nan)."""
    assert a.keys() == b.keys(), "both tables have the same columns"
    return [name for name in a if a[name].dtype != b[name].dtype or a[name].tobytes() != b[name].tobytes()]


def rows_where(table: Table, mask: Any) -> Table:
    """The rows of a table for which the mask holds."""
    return {name: column[np.asarray(mask)] for name, column in table.items()}
