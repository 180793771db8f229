"""The companies that are timed: the shipped one, and the same in other sizes.

In: a number of accounts. Out: the engine's inputs, with teams, new accounts and teams' headcounts in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from numpy.typing import NDArray

from sim.model import replication
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.replication import replicate
from sim.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
BASELINE = SCENARIOS / "baseline.yaml"
WHAT_IF = SCENARIOS / "reroute_support_calls.yaml"


def company(accounts: int | None = None, weeks: int | None = None, warm_up_weeks: int | None = None) -> Inputs:
    """The shipped baseline; None leaves a number as shipped."""
    return compile_inputs(company_scenario(accounts, weeks, warm_up_weeks))


def company_scenario(
    accounts: int | None = None, weeks: int | None = None, warm_up_weeks: int | None = None, file: Path = BASELINE
) -> Scenario:
    """The baseline, or a what-if of it whose dated changes are none of headcounts; None leaves a number as shipped."""
    shipped = load_scenario(BASELINE)
    overrides: dict[str, object] = {}
    if accounts is not None:
        factor = accounts / sum(tier.accounts for tier in shipped.tiers.values())
        for name, tier in shipped.tiers.items():
            overrides[f"tiers.{name}.accounts"] = round(tier.accounts * factor)
            overrides[f"tiers.{name}.new_accounts_per_year"] = tier.new_accounts_per_year * factor
        for name, team in shipped.teams.items():
            overrides[f"teams.{name}.headcount"] = max(1, round(team.headcount * factor))
    if weeks is not None:
        overrides["weeks"] = weeks
    if warm_up_weeks is not None:
        overrides["accounts.warm_up_weeks"] = warm_up_weeks
    return load_scenario(file, overrides=overrides)


def run_once(inputs: Inputs) -> int:
    """One replication, warm-up included; returns the ledger's rows, which leave the warm-up out."""
    return sum(len(history.contacts["contact"]) for history in replicate(inputs, [inputs], 1, 0))


def contacts_simulated(inputs: Inputs) -> int:
    """Contacts of one replication, the warm-up's among them: all that ended, and those open at the end."""
    rows = 0
    original = replication.records

    def counting(packed: Sequence[bytes]) -> NDArray[Any]:
        nonlocal rows
        rows += len(packed)
        return original(packed)

    with patch.object(replication, "records", counting):
        run_once(inputs)
    return rows


def accounts_in(inputs: Inputs) -> int:
    """Accounts in the opening book."""
    return len(inputs.book.keys)


def team_sizes(inputs: Inputs) -> Iterator[str]:
    """Such as '6 csm', one text per team."""
    for name, rules in zip(inputs.teams, inputs.phases[0].teams, strict=True):
        yield f"{rules.headcount} {name}"
