"""Money over time: every cost has one team, category and week; weeks add up to totals; later money is worth less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from companies import companies, dated, queues, small_company
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kpi_tables import TWO_ACCOUNTS, WEEK, decision, make_history, make_inputs, steady_weeks
from small import run, small_inputs

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_costs import costs
from sim.study.kpi_money import discounted, expected_years, weekly_contribution, yearly_hazard
from sim.study.kpi_parts import Span, arr_path, decisions
from sim.study.kpis import compute, window

CENT = 0.01
YEAR_WEEKS = 365.25 / 7


def every_cost_has_one_place(history: History, inputs: Inputs, span: Span) -> None:
    spent = costs(history, inputs, span)
    assert spent.weekly.shape[2] == span.weeks
    assert spent.weekly.sum() == pytest.approx(spent.total, abs=CENT), "by team, category and week"
    assert spent.tiers.sum() == pytest.approx(spent.total, abs=CENT), "by tier and category"
    by_category = spent.table.sum(axis=0)
    assert spent.tiers.sum(axis=0) == pytest.approx(by_category, abs=CENT), "each category costs the same both ways"
    people = history.people_weeks
    for week in range(span.weeks):
        rows = people["week"] == span.first_week + week
        paid = sum(people[f"{kind}_cost"][rows].sum(dtype=float) for kind in ("payroll", "overtime", "hiring"))
        ended = np.floor_divide(history.contacts["ended"], WEEK) == span.first_week + week
        paid += history.contacts["cost"][ended].sum(dtype=float)
        paid += inputs.programme_cost_per_year / YEAR_WEEKS
        assert spent.by_week[week] == pytest.approx(paid, abs=CENT), f"week {week} has what was paid in it"


@settings(
    max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate), derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(companies, queues, dated, st.sampled_from([(0, None), (1, 2)]))
def test_every_cost_has_one_team_category_and_week_and_the_weeks_add_up(
    values: dict[str, Any], more: dict[str, Any], changes: list[dict[str, Any]], part: tuple[int, int | None]
) -> None:
    inputs = small_company(values | more, changes)
    history = run(inputs)
    span = Span(part[0], part[1] or inputs.weeks)
    every_cost_has_one_place(history, inputs, span)
    ended, path, spent = decisions(history, span), arr_path(history), costs(history, inputs, span)
    if span == window(inputs):
        kpis = compute(history, inputs)
        for realised, suffix in ((False, ""), (True, "_realised")):
            weekly = weekly_contribution(path, ended, spent, inputs, span, realised)
            assert weekly.sum() == pytest.approx(kpis[f"contribution{suffix}"], abs=CENT), "weeks add up to the total"


def test_a_week_in_which_nothing_ended_is_split_as_the_window_is() -> None:
    person = {"team": 0, "contracted_hours": 40.0, "on_duty_hours": 40.0, "handling_hours": 40.0, "payroll_cost": 400.0}
    contacts = [
        {"team": 0, "category": category, "ended": 5.0, "started": 1.0, "handle_minutes": minutes, "tier": tier}
        for category, minutes, tier in ((0, 60.0, 0), (1, 180.0, 1))
    ]
    history = make_history(contacts=contacts, people=[person | {"week": week} for week in (0, 1)])
    spent = costs(history, make_inputs(tiers=("big", "small")), Span(0, 2))
    assert spent.weekly[0, :2] == pytest.approx(np.array([[100, 100], [300, 300]])), "a quarter and three quarters"
    assert spent.tiers[:2, :2] == pytest.approx(np.array([[200, 0], [0, 600]])), "each tier pays for its own contacts"
    assert spent.tiers[2].sum() == 0, "nobody was idle"


def test_the_cost_of_a_tier_is_that_of_its_own_contacts_over_its_accounts() -> None:
    contacts = [{"team": 0, "category": 1, "ended": 5.0, "started": 1.0, "cost": 52.0, "tier": 0}]
    won = {"account": 0, "time": 3 * WEEK, "event": ledger.WON, "arr_after_cents": 100_000}
    history = make_history(
        contacts=contacts, tier_weeks=steady_weeks(2, 4000), accounts=TWO_ACCOUNTS, events=[won], people=[]
    )
    kpis = compute(history, make_inputs())
    assert kpis["tier.big.crc_per_account"] == pytest.approx(52 / (104 / YEAR_WEEKS) / 2)
    assert kpis["tier.big.cost_prevention"] == pytest.approx(52)
    assert kpis["tier.big.cost_firefighting"] == 0
    assert kpis["tier.big.cac_per_account_won"] == kpis["cac_per_account_won"] == pytest.approx(2 * 1000)


def test_discounting_takes_a_tenth_off_what_comes_a_year_later() -> None:
    weekly = np.zeros(106)
    weekly[[0, 52]] = 100.0, 110.0
    first, later = discounted(weekly[:1], 0.1), discounted(weekly, 0.1) - discounted(weekly[:1], 0.1)
    assert first == pytest.approx(100 * 1.1 ** -(0.5 / YEAR_WEEKS))
    assert later == pytest.approx(first * 1.1 ** (1 - 52 / YEAR_WEEKS), rel=1e-9), "110 a year later is 100 now"
    assert discounted(weekly, 0.0) == pytest.approx(210)


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value]) for value in values]


def test_an_account_that_never_leaves_pays_for_twenty_years() -> None:
    assert expected_years(*one(0, 0, 0.5, 1.5), 0.0) == pytest.approx(0.5 + 1.5 * 13), "whole terms from the first on"


def test_expected_years_are_those_of_a_simulated_life() -> None:
    """The formula against the sum over terms by hand: stays with exp(-intent), each payment discounted."""
    intent, hazard, first, term, rate = 0.2, 0.15, 0.4, 1.0, 0.1
    grid = np.arange(0, 20.4, 1e-4) + 5e-5
    ended = np.where(grid < first, 0, 1 + np.floor((grid - first) / term))
    there = np.where(ended == 0, 1.0, np.exp(-(intent + hazard * first) - hazard * term * (ended - 1)))
    by_hand = float((there * 1.1**-grid).sum() * 1e-4)
    assert expected_years(*one(intent, hazard, first, term), rate) == pytest.approx(by_hand, rel=1e-6)


def test_intent_hazard_and_impatience_each_make_the_book_worth_less() -> None:
    usual = expected_years(*one(0.1, 0.1, 0.5, 1.0), 0.1)
    for worse in (
        expected_years(*one(0.2, 0.1, 0.5, 1.0), 0.1),
        expected_years(*one(0.1, 0.2, 0.5, 1.0), 0.1),
        expected_years(*one(0.1, 0.1, 0.5, 1.0), 0.2),
        expected_years(*one(0.1, 0.1, 0.1, 1.0), 0.1),
    ):
        assert worse < usual


def test_who_has_just_renewed_has_the_pace_of_the_tier() -> None:
    year = 365.25 * 24
    pace = yearly_hazard(np.array([0.3, 0.0, 0.0]), np.array([year, 0.0, year]), np.array([0, 0, 1]))
    assert pace == pytest.approx([0.3, 0.3, 0.0])


def test_the_expected_book_and_money_give_back_what_luck_took() -> None:
    lost = decision(0, WEEK, left=True, expected=0.25, arr=1000)
    accounts = [
        {**TWO_ACCOUNTS[0]},
        {**TWO_ACCOUNTS[1], "arr_cents": 300_000, "term_months": 12, "renewal": 104 * WEEK},
    ]
    kpis = compute(
        make_history(events=[lost], accounts=accounts, tier_weeks=steady_weeks(2, 4000)),
        make_inputs(discount_rate_per_year=0.1),
    )
    for name in ("book_value_end", "contribution_discounted"):
        assert kpis[name] > kpis[f"{name}_realised"], f"{name}: the account left with a chance of a quarter only"
    assert kpis["contribution_discounted"] < kpis["contribution"], "later money is worth less"


def test_the_value_of_the_book_falls_when_the_customers_are_neglected() -> None:
    fine = small_inputs({"weeks": 30})
    values = [compute(run(inputs), inputs)["book_value_end"] for inputs in (fine, small_inputs({
        "weeks": 30, "departures.drivers.competition.hazard_per_year": 1.0,
    }))]  # fmt: skip
    assert values[1] < values[0]
