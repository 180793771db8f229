"""Books of business where people work different hours: accounts are shared out by them."""

from __future__ import annotations

import numpy as np
import pytest
from small import run, small_inputs

from sim.model.books import deal_out, take_fair_share
from sim.model.inputs import Inputs


class Table:
    """As much of an account table as dealing needs: all are there, nobody owns them."""

    def __init__(self, accounts: int) -> None:
        self.owner = np.full((1, accounts), -1)
        self.active = np.ones(accounts, dtype=bool)
        self.key = np.arange(accounts, dtype=np.uint64)


def loads(table: Table, load: np.ndarray) -> list[float]:
    return [float(load[table.owner[0] == seat].sum()) for seat in range(int(table.owner.max()) + 1)]


def test_accounts_are_dealt_out_by_the_hours_of_the_seats() -> None:
    table, load = Table(350), np.full(350, 0.2)
    deal_out(load, table, np.arange(350), 0, {0: 1.0, 1: 0.5, 2: 1.0, 3: 1.0})  # type: ignore[arg-type]
    assert loads(table, load) == pytest.approx([20.0, 10.0, 20.0, 20.0]), "half the hours, half the book"


def test_a_new_part_timer_takes_a_share_by_hours() -> None:
    table, load = Table(300), np.full(300, 0.1)
    deal_out(load, table, np.arange(300), 0, {0: 1.0, 1: 1.0})  # type: ignore[arg-type]
    moved = take_fair_share(load, table, 0, 2, {0: 1.0, 1: 1.0, 2: 0.5})  # type: ignore[arg-type]
    assert len(moved) == 60, "a fifth of the accounts"
    assert np.abs(np.array(loads(table, load)) - [12.0, 12.0, 6.0]).max() < 0.11, "to within an account"


def owned(inputs: Inputs) -> np.ndarray:
    """How much of the book each CSM owns at the start, by the accounts' weekly hours at their usual rates."""
    history = run(inputs)
    opening, phase = history.opening, inputs.phases[0]
    customers, recurring = phase.owner_hours[0]
    accounts = len(opening["id"])
    seats = (history.accounts["seats"][:accounts] / phase.demand.seats_reference) ** phase.demand.seats_exponent
    usual = phase.contact_rate_factor[opening["tier"]] * history.accounts["contact_rate"][:accounts] * seats
    load = usual * customers + recurring[opening["tier"]]
    mine = opening["seat"] >= 0
    return np.bincount(opening["seat"][mine], weights=load[mine]) / load[mine].sum()


def test_the_part_timers_of_a_scenario_have_smaller_books() -> None:
    more = {"tiers.small.accounts": 200, "tiers.midmarket.accounts": 100, "teams.csm.headcount": 3.5, "weeks": 2}
    inputs = small_inputs(more | {"teams.csm.groups": {"part": {"people": 1, "hours_share": 0.6}}})
    assert np.abs(owned(inputs) - np.array([0.6, 1, 1, 0.5]) / 3.1).max() < 0.01, "by hours: 0.6, 1, 1 and a half"


def test_in_a_team_of_part_timers_only_all_have_the_same_claim() -> None:
    inputs = small_inputs({"teams.csm.headcount": 2, "teams.csm.groups": {"all": {"people": 2, "hours_share": 0.5}}})
    assert [rules.hours_share for rules in inputs.phases[0].teams[0].seats if rules.seats] == [1.0], "of the longest"
