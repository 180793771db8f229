"""The seam between the warm-up and the run: nothing lost, nothing counted twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small import SMALL

from sim.model import lifecycle
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import RESOLVED, UNRESOLVED, History
from sim.model.replication import replicate
from sim.scenario import load_scenario
from sim.study.errors import StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import run
from sim.study.kpis import Kpi
from sim.study.statistics import Difference
from sim.study.warm_up import WarmUpCheck

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


def difference(low: float, high: float, matters: float) -> Difference:
    inside = max(abs(low), abs(high)) <= matters
    return Difference((low + high) / 2, (low, high), (low, high), None, None, None, inside, 10)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (2.0, 4.0, "Support wait changes by +3.00 min (+2.00 to +4.00). That matters: use a longer one."),
        (-0.5, 0.5, "no headline KPI changes by more than what matters."),
        (
            -0.5,
            4.0,
            "it cannot be told whether Support wait changes by +1.75 min (−0.50 to +4.00). More --replications tell.",
        ),
    ],
)
def test_the_check_says_whether_a_longer_warm_up_matters(low: float, high: float, words: str) -> None:
    kpi = Kpi("support.wait_mean_minutes", "Support wait", "minutes", "all", "lower", "", matters=1.0)
    check = WarmUpCheck(26, 52, 10, {kpi.name: kpi}, {kpi.name: 1.0}, {kpi.name: difference(low, high, 1.0)})
    assert check.sentence.startswith("Warm-up: with 52 weeks instead of 26")
    assert check.sentence.endswith(words)


def test_a_company_that_starts_empty_is_told_to_warm_up() -> None:
    busy = load_scenario(BASELINE, SMALL | {"weeks": 4, "accounts.warm_up_weeks": 0, "teams.support.headcount": 1})
    found = run(busy, replications=12, check_warm_up=True, pool=InThisProcess())
    assert found.warm_up is not None
    assert (found.warm_up.weeks, found.warm_up.longer_weeks, found.warm_up.replications) == (0, 13, 12)
    assert "logo_churn_per_year" in found.warm_up.too_short_for, "without a past nobody has any intent to leave yet"
    assert found.to_dict()["warm_up"]["kpis"]["logo_churn_per_year"]["matters"]
    alone = run(busy, replications=12, pool=InThisProcess())
    assert alone.kpis == found.kpis, "the run is what it is without the check"


def test_the_longest_warm_up_cannot_be_checked() -> None:
    longest = load_scenario(BASELINE, SMALL | {"accounts.warm_up_weeks": 104})
    with pytest.raises(StudyInputError, match="there is no longer one"):
        run(longest, check_warm_up=True)
