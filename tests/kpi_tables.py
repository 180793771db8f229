"""Small tables made by hand, for tests of what is computed from a history."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import (
    ACCOUNT_COLUMNS,
    ACCOUNT_EVENT_COLUMNS,
    CONTACT_COLUMNS,
    OPENING_COLUMNS,
    PEOPLE_WEEK_COLUMNS,
    TIER_WEEK_COLUMNS,
    History,
    Table,
)

HOW_TO, REVIEW, FIREFIGHT = 0, 1, 2
CSM, SUPPORT = 0, 1

WEEK = 168.0
YEARS = 104 * 7 / 365.25
NAN = float("nan")


def make_inputs(**changes: Any) -> Inputs:
    """The inputs that KPIs read; no test here runs the engine."""
    values: dict[str, Any] = {
        "name": "Test",
        "start": dt.date(2026, 1, 5),
        "weeks": 104,
        "window": (0, 104),
        "tiers": ("big",),
        "categories": ("how_to", "review", "firefight"),
        "channels": ("phone",),
        "teams": ("csm", "support"),
        "initiated_by": ("customer", "company", "trigger"),
        "support_call": np.array([True, False, False]),
        "live": np.array([True]),
        "gross_margin": 0.8,
        "cac_per_new_arr": 2.0,
        "programme_cost_per_year": 0.0,
        "discount_rate_per_year": 0.0,
        "burnout_high_above": 0.5,
        "healthy_above": 0.6,
        "phases": (),
        "opening_burnout": (0.0, 0.0),
    }
    return cast(Inputs, SimpleNamespace(**(values | changes)))


def table(columns: dict[str, str], rows: list[dict[str, Any]], **defaults: Any) -> Table:
    """A table from rows given as dicts; what a row leaves out is its default, or 0."""
    return {
        name: np.array([row.get(name, defaults.get(name, 0)) for row in rows], dtype=kind)
        for name, kind in columns.items()
    }


def make_history(
    contacts: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    people: list[dict[str, Any]] | None = None,
    tier_weeks: list[dict[str, Any]] | None = None,
    accounts: list[dict[str, Any]] | None = None,
    opening: list[dict[str, Any]] | None = None,
) -> History:
    return History(
        contacts=table(CONTACT_COLUMNS, contacts or [], started=NAN, ended=NAN, due=1e9),
        account_events=table(ACCOUNT_EVENT_COLUMNS, events or []),
        people_weeks=table(PEOPLE_WEEK_COLUMNS, people or [], employed=True),
        tier_weeks=table(TIER_WEEK_COLUMNS, tier_weeks or []),
        accounts=table(ACCOUNT_COLUMNS, accounts or []),
        opening=table(OPENING_COLUMNS, opening or []),
    )


def steady_weeks(accounts: int, arr: float, weeks: int = 104, **sums: float) -> list[dict[str, Any]]:
    return [{"week": week, "accounts": accounts, "arr_cents": round(arr * 100), **sums} for week in range(weeks)]


def decision(account: int, time: float, left: bool, expected: float, arr: float, **more: Any) -> dict[str, Any]:
    return {
        "account": account,
        "time": time,
        "event": ledger.RENEWAL,
        "left": left,
        "expected": expected,
        "arr_before_cents": round(arr * 100),
        "arr_after_cents": 0 if left else round(arr * 100),
        "disconnection": 1.0,
        **more,
    }


TWO_ACCOUNTS = [{"opening_arr_cents": 100_000, "started": -8766.0}, {"opening_arr_cents": 300_000}]
"""ARR 1,000 (a customer for one year at the start) and 3,000 (won at the start)."""


def contact(team: int, category: int, queued: float, **more: Any) -> dict[str, Any]:
    return {
        "team": team,
        "category": category,
        "born": queued,
        "queued": queued,
        "outcome": ledger.OPEN,
        **more,
    }


def handled(team: int, category: int, queued: float, wait: float = 0.0, **more: Any) -> dict[str, Any]:
    """A resolved contact that waited `wait` hours and took half an hour."""
    values = {
        "started": queued + wait,
        "ended": queued + wait + 0.5,
        "wait_minutes": wait * 60,
        "handle_minutes": 30.0,
        "outcome": ledger.RESOLVED,
    }
    return contact(team, category, queued, **(values | more))
