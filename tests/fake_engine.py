"""A stand-in for the engine in worker processes: fast, and it can sleep, fail or die on demand.

In: inputs with a `behaviour`, a function of this module's `BEHAVIOURS`. Out: histories of a few rows whose
numbers depend on seed, replication and scenario only.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

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


class Cancelled(Exception):
    """As the engine's."""


def inputs(name: str = "Fake", behaviour: str = "work", marker: str = "", effect: float = 0.0) -> Any:
    """Inputs of a company of one week. marker : a file that remembers that something happened once."""
    return SimpleNamespace(
        name=name,
        behaviour=behaviour,
        marker=marker,
        effect=effect,
        weeks=1,
        window=(0, 1),
        tiers=("all",),
        categories=("how_to",),
        channels=("phone",),
        teams=("csm", "support"),
        initiated_by=("customer",),
        support_call=np.array([True]),
        live=np.array([True]),
        gross_margin=0.8,
        cac_per_new_arr=1.0,
        programme_cost_per_year=0.0,
        discount_rate_per_year=0.0,
        burnout_high_above=0.5,
        healthy_above=0.6,
        phases=(),
        start=dt.date(2026, 1, 5),
        opening_burnout=(0.0, 0.0),
    )


def replicate(
    baseline: Any,
    scenarios: Sequence[Any],
    seed: int,
    replication: int,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[History]:
    """One history per scenario, after what the baseline's behaviour does."""
    BEHAVIOURS[baseline.behaviour](baseline, replication, cancel or (lambda: False))
    for scenario in scenarios:
        draws = np.random.default_rng([seed, replication]).random(7) + scenario.effect
        yield History(
            contacts=_rows(CONTACT_COLUMNS, 7, started=draws, ended=draws + 1, queued=draws / 2, wait_minutes=draws),
            account_events=_rows(ACCOUNT_EVENT_COLUMNS, 0),
            people_weeks=_rows(PEOPLE_WEEK_COLUMNS, 2, employed=[True, True], payroll_cost=draws[:2] / 3),
            tier_weeks=_rows(TIER_WEEK_COLUMNS, 1, accounts=[10], satisfaction_sum=draws[:1]),
            accounts=_rows(ACCOUNT_COLUMNS, 1, opening_arr_cents=[int(draws[0] * 1e6)]),
            opening=_rows(OPENING_COLUMNS, 1),
        )


def _rows(columns: dict[str, str], count: int, **values: Any) -> Table:
    return {name: np.array(values.get(name, np.zeros(count)), dtype=kind) for name, kind in columns.items()}


def _sleep(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    while not cancel():
        time.sleep(0.02)
    raise Cancelled


def _die(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    if replication == 3:
        os.kill(os.getpid(), signal.SIGKILL)


def _die_once(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    if replication == 3 and not Path(baseline.marker).exists():
        Path(baseline.marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _fail(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    if replication == 3:
        raise ZeroDivisionError("no people")


def _uneven(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    time.sleep(0.03 if replication % 2 == 0 else 0.0)


def _held(baseline: Any, replication: int, cancel: Callable[[], bool]) -> None:
    """Notes in the marker file that it has begun; replication 0 then waits until there is a file MARKER.go."""
    with Path(baseline.marker).open("a") as file:
        file.write(f"{baseline.name} {replication} {os.getpid()}\n")
    while replication == 0 and not Path(f"{baseline.marker}.go").exists() and not cancel():
        time.sleep(0.01)


BEHAVIOURS: dict[str, Callable[[Any, int, Callable[[], bool]], None]] = {
    "work": lambda *_: None,
    "sleep": _sleep,
    "die": _die,
    "die_once": _die_once,
    "fail": _fail,
    "uneven": _uneven,
    "held": _held,
}


def install() -> None:
    """Puts this engine in the place of the real one, before anything imports it."""
    module = ModuleType("sim.model.replication")
    module.replicate = replicate  # type: ignore[attr-defined]
    module.Cancelled = Cancelled  # type: ignore[attr-defined]
    sys.modules["sim.model.replication"] = module


BOOTSTRAP = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fake_engine; "
    "fake_engine.install(); from sim.study.worker import serve; serve(int(sys.argv[1]))"
)
