"""The seam between the warm-up and the run: nothing lost, nothing counted twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.model import lifecycle
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import RESOLVED, UNRESOLVED, History
from sim.model.replication import replicate
from sim.scenario import load_scenario

BASELINE = Path(__file__).parents[1] / "scenarios" / "baseline.yaml"


def one(overrides: dict[str, object]) -> tuple[Inputs, History]:
    inputs = compile_inputs(load_scenario(BASELINE, overrides))
    return inputs, next(replicate(inputs, [inputs], 1, 0))


def test_the_ledger_has_nothing_that_ended_before_the_start() -> None:
    _, history = one({"weeks": 3})
    early = int((history.contacts["ended"] < 0).sum())
    assert early == 0, f"{early} contacts of the warm-up's last week are in the ledger"


def test_accounts_that_are_still_to_come_wait_with_the_states_of_their_first_day() -> None:
    inputs, history = one({"weeks": 30})
    accounts, rules = history.accounts, inputs.phases[0].states
    weeks = 4
    fresh = (accounts["started"] >= (30 - weeks) * 168) & (accounts["opening_arr_cents"] == 0)
    assert fresh.sum() > 0, "else the test shows nothing"
    faded = rules.executive_start * 0.5 ** (weeks / rules.executive_half_life_weeks)
    lowest = accounts["executive_contact"][fresh & ~accounts["sponsor_lost"]].min()
    assert lowest >= faded - 1e-12, "it fades from the first day on, not from the start of the run"
    assert accounts["adoption"][fresh].min() >= rules.adoption_start * (1 - rules.adoption_neglect_per_week) ** weeks


def test_every_week_of_the_warm_up_acts_on_the_accounts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    weeks = []
    passes = lifecycle.Lifecycle.time_passes

    def noted(self: lifecycle.Lifecycle, tick: lifecycle.Tick, *rest: object) -> object:
        weeks.append(tick.hour / 168)
        return passes(self, tick, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(lifecycle.Lifecycle, "time_passes", noted)
    inputs, _ = one({"weeks": 1})
    assert weeks == list(range(1 - inputs.warm_up_weeks, 2)), f"ticks {weeks}: each week ends exactly once"


def test_a_customer_who_gave_up_before_a_warm_transfer_is_still_handed_over_when_coming_back() -> None:
    rule = {"from": "csm", "to": "support", "share": 1.0, "how": "warm_transfer"}
    inputs, history = one(
        {
            "weeks": 12,
            "teams.csm.answers_live": True,
            "channels.phone.patience_mean_minutes": 3,
            "routing.rules": [rule],
        }
    )
    rows = history.contacts
    by_csm = (
        (rows["team"] == inputs.teams.index("csm")) & inputs.support_call[rows["category"]] & (rows["started"] >= 0)
    )
    settled = by_csm & np.isin(rows["outcome"], (RESOLVED, UNRESOLVED)) & (rows["born"] >= 0)
    assert (by_csm & (rows["attempt"] > 0)).any(), "the test needs customers who came back after giving up"
    assert not settled.any(), f"CSMs settled {settled.sum()} support calls that they only answer and hand over"
