"""Scenario files: reading, checking, dated changes, and where each number comes from.

In: YAML files. Out: `Scenario`, its `Phase`s and its `Evidence`; or a `ScenarioError` with every problem.
"""

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.evidence import Evidence, evidence, widest_assumptions
from sim.scenario.files import dump_scenario, load_scenario, load_scenario_text
from sim.scenario.phases import Phase, phases
from sim.scenario.schema import Scenario

__all__ = [
    "Evidence",
    "Phase",
    "Problem",
    "Scenario",
    "ScenarioError",
    "dump_scenario",
    "evidence",
    "load_scenario",
    "load_scenario_text",
    "phases",
    "widest_assumptions",
]
