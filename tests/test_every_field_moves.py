"""Every field of a scenario that is not a name or a text moves at least one KPI; a dead input is a lie.

The schema is walked, not a list: a field added tomorrow is tested tomorrow. The company is small and has every
mechanism on, so that one replication is quick. Each field is changed, validly, in one paired replication.
"""

from __future__ import annotations

from functools import cache
from math import isclose
from typing import Any

import pytest
import yaml
from all_mechanisms import BASELINE, CHANGE_FROM, IDLE, ONLY_SWITCHED, SMALL_COMPANY
from field_edits import Leaf, changeable, changed, dated, edits, leaves, schema_fields
from small import put, values_of

from sim.model import ledger
from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import Scenario, ScenarioError, load_scenario, load_scenario_text
from sim.scenario.files import scenario_problems
from sim.scenario.tree import Mark, tree_of
from sim.study.kpis import compute


@cache
def company() -> dict[str, Any]:
    """The small company as plain data."""
    text = yaml.safe_dump(put(values_of(), SMALL_COMPANY), sort_keys=False)
    return load_scenario_text(text, "small.yaml").model_dump(by_alias=True, exclude_none=True)


FIELDS = list(schema_fields())
LEAVES = list(leaves(company()))
BY_FIELD = {field: [leaf for leaf in LEAVES if leaf.field == field] for field in FIELDS}


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
