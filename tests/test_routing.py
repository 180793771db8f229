"""Routing: shares are respected, rules apply in order, and a warm transfer makes two legs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from small import rows_where, run, small_inputs

from sim.model import ledger
from sim.model.inputs import RoutingRules
from sim.model.luck import Luck, key_of
from sim.model.routing import pick, route

N = 100_000
CSM, SUPPORT = 0, 1
U = Luck(1, 0).uniforms(("channel", "team", "rule 0", "rule 1", "rule 2"), key_of(np.arange(N), 1))


@pytest.mark.parametrize("shares", [[1.0], [0.2, 0.2, 0.35, 0.25], [0.0, 0.3, 0.0, 0.7, 0.0], [0.1] * 10])
def test_picks_follow_their_shares(shares: list[float]) -> None:
    found = np.bincount(pick(U[0], np.cumsum([shares], axis=1)), minlength=len(shares))
    low, high = stats.binom.ppf([[0.0005 / len(shares)], [1 - 0.0005 / len(shares)]], N, np.array(shares))
    assert ((low <= found) & (found <= high)).all(), f"{found} picks of {N} for shares {shares}"
    assert (found[np.array(shares) == 0] == 0).all(), "a share of 0 is never picked"


def test_picks_stay_inside_the_choices_for_the_smallest_and_largest_numbers() -> None:
    edges = np.array([2.0**-53, 1 - 2.0**-53])
    for shares in ([0.0, 0.5, 0.5, 0.0], [0.1] * 10, [1 / 3, 1 / 3, 1 / 3], [0.7, 0.3 + 1e-10]):
        first, last = pick(edges, np.cumsum([shares, shares], axis=1)).tolist()
        there = np.flatnonzero(shares)
        assert (first, last) == (there[0], there[-1]), f"the first and the last choice with a share, of {shares}"


def rules_of(*rules: dict[str, Any]) -> tuple[Any, RoutingRules]:
    inputs = small_inputs({"routing.rules": list(rules)})
    return inputs, inputs.phases[0].routing


def routed(inputs: Any, rules: RoutingRules, category: str) -> tuple[np.ndarray, np.ndarray]:
    which = np.full(N, inputs.categories.index(category))
    return route(which, U[1], U[2 : 2 + len(rules.rules)], rules)


FRONT = {"from": "csm", "to": "support", "share": 1.0, "how": "front_door"}
WARM = FRONT | {"how": "warm_transfer"}


def test_without_rules_the_assignment_decides() -> None:
    team, first = routed(*rules_of(), "relationship")
    assert (team == CSM).all(), "relationship calls are the CSMs'"
    assert (first == -1).all(), "nobody hands over"
    inputs = small_inputs({"routing.assign.how_to": {"support": 0.7, "csm": 0.3}})
    team, _ = routed(inputs, inputs.phases[0].routing, "how_to")
    low, high = stats.binom.ppf([0.0005, 0.9995], N, 0.3)
    assert low <= (team == CSM).sum() <= high, "the assigned share of how-to calls is the CSMs'"


def test_a_rule_without_categories_moves_support_calls_and_nothing_else() -> None:
    inputs, rules = rules_of(FRONT)
    for category, calls in zip(inputs.categories, inputs.support_call, strict=True):
        team, _ = routed(inputs, rules, category)
        if calls:
            assert (team == SUPPORT).all(), f"{category}: all support calls go to Support"
        else:
            assert (team == CSM).all(), f"{category}: it is no support call and stays"


def test_a_rule_moves_its_share_of_what_the_team_has() -> None:
    before, _ = routed(*rules_of(), "how_to")
    after, _ = routed(*rules_of(FRONT | {"share": 0.3}), "how_to")
    had, moved = int((before == CSM).sum()), int((before != after).sum())
    low, high = stats.binom.ppf([0.0005, 0.9995], had, 0.3)
    assert low <= moved <= high, f"{moved} of {had} calls move, not 30 %"
    assert (after[before != after] == SUPPORT).all(), "to the team named"
    more, _ = routed(*rules_of(FRONT | {"share": 0.6}), "how_to")
    assert (more[before != after] == SUPPORT).all(), "a larger share moves a superset"


def test_rules_apply_in_order_each_to_what_the_one_before_left() -> None:
    back = {"from": "support", "to": "csm", "share": 1.0, "how": "front_door", "categories": ["how_to"]}
    there_and_back, _ = routed(*rules_of(FRONT, back), "how_to")
    assert (there_and_back == CSM).all(), "first to Support, then all to the CSMs"
    back_and_there, _ = routed(*rules_of(back, FRONT), "how_to")
    assert (back_and_there == SUPPORT).all(), "first to the CSMs, then all to Support"
    halves, _ = routed(*rules_of(FRONT | {"share": 0.5}, FRONT | {"share": 0.5}), "how_to")
    before, _ = routed(*rules_of(), "how_to")
    had = int((before == CSM).sum())
    low, high = stats.binom.ppf([0.0005, 0.9995], had, 0.25)
    assert low <= (halves == CSM).sum() <= high, "half, and half of the rest: a quarter stays"


def test_a_warm_transfer_is_answered_by_the_old_team_first() -> None:
    before, _ = routed(*rules_of(), "how_to")
    team, first = routed(*rules_of(WARM), "how_to")
    assert (team == SUPPORT).all(), "Support gets them all"
    assert ((first == CSM) == (before == CSM)).all(), "the CSMs answer first what was theirs"
    assert (first[before == SUPPORT] == -1).all(), "what was Support's goes straight there"
    back = {"from": "support", "to": "csm", "share": 1.0, "how": "front_door", "categories": ["how_to"]}
    _, first = routed(*rules_of(WARM, back), "how_to")
    assert (first == -1).all(), "nobody hands over to himself"


def test_a_warm_transfer_makes_two_legs_and_a_front_door_one() -> None:
    quiet = {"mechanisms.burnout": False, "mechanisms.turnover": False, "accounts.warm_up_weeks": 0}
    minutes = {"routing.warm_transfer_minutes": 8}
    warm = small_inputs(quiet | minutes | {"routing.rules": [WARM]})
    rows = run(warm).contacts
    calls = warm.support_call[rows["category"]]
    first, second = (
        rows_where(rows, calls & (rows["leg"] == leg) & (rows["outcome"] != ledger.OPEN)) for leg in (0, 1)
    )
    handed = rows_where(first, first["outcome"] == ledger.ESCALATED)
    assert len(handed["contact"]) > 20, "several calls are handed over"
    assert (handed["team"] == CSM).all(), "by the CSMs"
    assert handed["handle_minutes"] == pytest.approx(8, abs=1e-3), "in the time of a warm transfer (single precision)"
    assert (second["team"] == SUPPORT).all(), "to Support"
    ends = dict(zip(handed["contact"].tolist(), handed["ended"].tolist(), strict=True))
    for key, attempt, queued in zip(
        second["contact"].tolist(), second["attempt"].tolist(), second["queued"].tolist(), strict=True
    ):
        assert attempt or queued == ends[key], "the second leg joins its queue when the first one ends"
    assert not (first["team"][first["outcome"] == ledger.RESOLVED] == CSM).any(), "the CSMs settle none themselves"
    front = run(small_inputs(quiet | {"routing.rules": [FRONT]})).contacts
    assert (front["leg"] == 0).all(), "at the front door there is one leg"
    assert not (front["outcome"] == ledger.ESCALATED).any(), "and no handover"
