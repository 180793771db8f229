"""A first look at a scenario, in a fraction of a second: what its teams' contacts are made of.

In: a scenario. Out: shares good enough for a sentence, not for a verdict.
"""

from __future__ import annotations

from dataclasses import replace

from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import Scenario
from sim.study.kpi_teams import team_kpis
from sim.study.kpis import window

WEEKS = 26


def support_shares(scenario: Scenario, seed: int = 1) -> dict[str, float]:
    """Support calls as a share of the contacts that each team handles before any dated change, by team.

    One history of the warm-up and 26 weeks, or of the whole run if that is shorter: four such histories of the shipped
    baseline give the CSMs 26 to 28 %. Teams that handle nothing are left out.
    """
    inputs = compile_inputs(scenario)
    weeks = min(WEEKS, inputs.weeks)
    first = replace(inputs, weeks=weeks, window=(0, weeks), phases=inputs.phases[:1])
    history = next(iter(replicate(first, [first], seed, 0)))
    values = team_kpis(history, first, window(first))
    found = {team: values[f"{team}.support_share"] for team in inputs.teams}
    return {team: share for team, share in found.items() if share is not None}
