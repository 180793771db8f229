"""Customer-success capacity planner: what a routing or headcount decision does to churn, cost and burnout.

In: scenario files. Out: typed results.

>>> comparison = sim.compare("scenarios/baseline.yaml", ["scenarios/reroute_and_hire.yaml"])  # doctest: +SKIP
>>> comparison.to_frame()  # doctest: +SKIP

Names are loaded when they are first used, so that importing the package is fast and starts nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.scenario import ScenarioError, load_scenario
    from sim.study.experiment import accounts_at_risk, compare, run, worth
    from sim.study.trace import trace_account, trace_person

__all__ = [
    "ScenarioError", "accounts_at_risk", "compare", "load_scenario", "run", "trace_account", "trace_person", "worth",
]  # fmt: skip

_HOMES = {
    "ScenarioError": "sim.scenario",
    "load_scenario": "sim.scenario",
    "accounts_at_risk": "sim.study.experiment",
    "compare": "sim.study.experiment",
    "run": "sim.study.experiment",
    "trace_account": "sim.study.trace",
    "trace_person": "sim.study.trace",
    "worth": "sim.study.experiment",
}


def __getattr__(name: str) -> Any:
    """Loads a public name from the module that has it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
