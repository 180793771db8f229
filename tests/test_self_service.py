"""Self-service, partners, and luck that hangs on nothing else: made with the real luck, not by hand."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from by_hand import KNOWLEDGE_BASE, inputs_with
from small import rows_where, run, small_inputs

from sim.model import ledger
from sim.model.accounts import opening_table
from sim.model.community import Forum
from sim.model.contacts import Wanted, make_contacts
from sim.model.luck import Luck


@cache
def self_service_rows(solved: float, weeks: int = 6) -> dict[str, Any]:
    """The how-to rows of a small company in which every how-to begins in the knowledge base."""
    alone = {**KNOWLEDGE_BASE["self_service"], "solved_probability": solved}  # type: ignore[dict-item]
    overrides = {
        "categories.how_to.channel_shares": {"knowledge_base": 1.0},
        "channels.knowledge_base.self_service": alone,
        "weeks": weeks,
        "accounts.warm_up_weeks": 0,
    }
    inputs = inputs_with(overrides)
    history = run(inputs)
    return rows_where(history.contacts, history.contacts["category"] == inputs.categories.index("how_to"))


def test_self_service_settles_its_share_and_the_others_turn_to_a_team_after_a_while() -> None:
    rows = self_service_rows(0.4)
    first = rows["leg"] == 0
    once = first & (rows["attempt"] == 0)
    assert set(rows["outcome"][once]) == {ledger.DEFLECTED, ledger.BOUNCED}
    share = float((rows["outcome"][once] == ledger.DEFLECTED).mean())
    half = 3.3 * np.sqrt(0.4 * 0.6 / once.sum())
    assert abs(share - 0.4) < half, f"{share:.3f} is not 0.4 within a 99.9 % interval of ± {half:.3f}"
    bounced = {int(key): float(time) for key, time in zip(rows["contact"][once], rows["ended"][once], strict=True)}
    second = (rows["leg"] == 1) & (rows["attempt"] == 0)
    delays = [float(t) - bounced[int(k)] for k, t in zip(rows["contact"][second], rows["born"][second], strict=True)]
    assert min(delays) > 0, "they try the knowledge base first"
    assert abs(np.mean(delays) - 1.0) < 3.3 / np.sqrt(len(delays)), "an hour on average, exponential: 99.9 %"
    assert np.isnan(rows["queued"][once]).all(), "they waited for no team"
    assert (rows["wait_minutes"][once] == 0).all()


def test_a_better_knowledge_base_settles_a_superset() -> None:
    weak, strong = (self_service_rows(share) for share in (0.2, 0.6))
    settled = [
        {int(key) for key, out in zip(rows["contact"], rows["outcome"], strict=True) if out == ledger.DEFLECTED}
        for rows in (weak, strong)
    ]
    started = [set(rows["contact"].tolist()) for rows in (weak, strong)]
    assert settled[0], "some are settled"
    assert settled[0] & started[1] < settled[1], "one uniform each: what 0.2 settles, 0.6 settles too"


def test_a_partner_is_paid_by_the_contact() -> None:
    inputs = inputs_with({"routing.assign.billing": {"experts": 1.0}})
    rows = run(inputs).contacts
    theirs = (rows["team"] == inputs.teams.index("experts")) & ~np.isnan(rows["started"])
    channel = inputs.phases[0].channels.cost[rows["channel"]]
    assert theirs.sum() > 5
    assert np.allclose(rows["cost"][theirs], channel[theirs] + 25), "the channel's cost and the partner's price"


def test_escalation_leaves_the_luck_of_what_is_not_passed_on_alone() -> None:
    usual = small_inputs({"routing.max_attempts": 2})
    passing = small_inputs(
        {"routing.max_attempts": 2, "routing.escalation": [{"from": "support", "to": "csm", "share": 1.0}]}
    )
    made = []
    for inputs in (usual, passing):
        luck = Luck(3, 0)
        table = opening_table(inputs.book, inputs.phases[0], luck, 0.5, 0.5, 0.0)
        wanted = Wanted(
            account=np.arange(20), category=np.zeros(20, dtype=np.int64), key=np.arange(20, dtype=np.uint64),
            time=np.linspace(1, 100, 20), expires=np.full(20, np.inf),
        )  # fmt: skip
        made.append(make_contacts(wanted, table, inputs, luck, Forum()))
    for one, other in zip(*made, strict=True):
        assert (one.draw, one.u_resolve, one.patience) == (other.draw, other.u_resolve, other.patience)
        tries = one.attempts.tries
        assert (one.attempts.handle == other.attempts.handle[:tries]).all(), "the first rows are those without levels"
        assert len(other.attempts.handle) == 2 * tries, "and one more set for the second level"
