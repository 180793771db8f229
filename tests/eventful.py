"""A small company to which much happens, for tests of stories; and the stories of some of its accounts.

In: nothing; test modules name this one in `pytest_plugins`. Out: fixtures, and functions that follow somebody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from small import SMALL, put, small_inputs, values_of

import sim
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.model.replication import replicate
from sim.model.watch import Watch
from sim.study.provenance import provenance
from sim.study.story import AccountStory, account_story
from sim.study.trace import Trace, account_keys

# In a year of this company people quit, sponsors leave, contracts end, contacts are handed over and come back;
# customers call at night too, and are called back.
EVENTFUL: dict[str, Any] = {
    "weeks": 56,
    "accounts.hour_profile": [1] * 24,
    "tiers.small.term_months": {1: 0.5, 12: 0.5},
    "tiers.small.new_accounts_per_year": 20,
    "departures.drivers.competition.hazard_per_year": 0.6,
    "accounts.executive_contact.sponsor_loss_per_year": 1,
    "teams.csm.headcount": 2,
    "teams.csm.quit_rate_per_year": 1.0,
    "teams.csm.time_to_fill_weeks": 3,
    "teams.support.headcount": 2,
    "teams.support.quit_rate_per_year": 1.0,
    "routing.rules": [{"from": "csm", "to": "support", "share": 0.5, "how": "warm_transfer"}],
}


def follow(inputs: Inputs, watch: Watch) -> History:
    return next(replicate(inputs, [inputs], 1, 0, watch=watch))


def row_of(history: History, key: int) -> int:
    return int(np.flatnonzero(history.accounts["id"] == np.uint64(key))[0])


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenarios") / "small.yaml"
    path.write_text(yaml.safe_dump(put(values_of(), {**SMALL, **EVENTFUL, "name": "Small"}), sort_keys=False))
    return path


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    return small_inputs(EVENTFUL)


@pytest.fixture(scope="session")
def keys(scenario: Path, inputs: Inputs) -> dict[str, int]:
    return account_keys(sim.load_scenario(scenario), inputs, 1, 0)


@pytest.fixture(scope="session")
def followed(inputs: Inputs, keys: dict[str, int]) -> dict[str, tuple[History, AccountStory]]:
    """The stories of some accounts: of each tier, and of one that was won, with the history of each."""
    some = ("enterprise-1", "enterprise-3", "midmarket-2", "small-1", "small-4", next(n for n in keys if "-won-" in n))
    found = {}
    for name in some:
        history = follow(inputs, Watch(account=keys[name]))
        found[name] = history, account_story(history, inputs, keys[name], name, "", "USD")
    return found


def as_trace(scenario: Path, story: Any) -> Trace:
    return Trace("Small", 0, provenance([sim.load_scenario(scenario)], 1, 1), story)
