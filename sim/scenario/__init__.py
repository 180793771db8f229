"""Scenario files: reading, checking, dated changes, and where each number comes from.

In: YAML files. Out: `Scenario`, its `Phase`s and its `Evidence`; or a `ScenarioError` with every problem.
"""

from sim.scenario.book.account_list import AccountList
from sim.scenario.book.columns import guess_mapping
from sim.scenario.book.mapping import Mapping, dump_mapping, read_mapping
from sim.scenario.book.reading import read_accounts
from sim.scenario.book.source import AccountSource
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.evidence import Evidence, evidence, widest_assumptions
from sim.scenario.files import dump_scenario, load_scenario, load_scenario_text
from sim.scenario.phases import Phase, phases
from sim.scenario.schema import Scenario

__all__ = [
    "AccountList",
    "AccountSource",
    "Evidence",
    "Mapping",
    "Phase",
    "Problem",
    "Scenario",
    "ScenarioError",
    "dump_mapping",
    "dump_scenario",
    "evidence",
    "guess_mapping",
    "load_scenario",
    "load_scenario_text",
    "phases",
    "read_accounts",
    "read_mapping",
    "widest_assumptions",
]
