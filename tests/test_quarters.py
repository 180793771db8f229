"""When effects arrive, and when a hire has paid for itself: hand-made differences, then a small company."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kpi_tables import NAN, TWO_ACCOUNTS, WEEK, decision, handled, make_history, make_inputs, steady_weeks
from rich.console import Console
from small import run, small_inputs

from sim.cli_quarters import show_arrivals
from sim.model import ledger
from sim.study.kpis import compute
from sim.study.payback import payback, payback_weeks, share_interval
from sim.study.quarter_measures import figure_names, quarter_measures, quarters
from sim.study.quarters import Change, adds_people, arrival, effects, first_quarter, quarter_changes, quarters_of

MONDAY = dt.date(2026, 1, 5)


def change(mean: float | None, half: float = 1.0) -> Change:
    ends = None if mean is None else (mean - half, mean + half)
    return Change(mean, ends, ends)


def figures(history: Any, inputs: Any) -> dict[str, np.ndarray]:
    return dict(zip(figure_names(inputs), quarter_measures(history, inputs).values, strict=True))


def test_a_run_has_a_quarter_for_each_13_weeks_and_one_for_the_rest() -> None:
    assert [quarters(weeks) for weeks in (1, 13, 14, 104)] == [1, 1, 2, 8]


def test_each_figure_stands_in_the_quarter_in_which_it_happened() -> None:
    events = [
        decision(0, 14 * WEEK, left=True, expected=0.25, arr=1000),
        {**decision(1, 20 * WEEK, left=False, expected=0.5, arr=3000), "event": ledger.MIDTERM},
        decision(1, 26 * WEEK, left=False, expected=0.1, arr=3000),
    ]
    people = [
        {"week": week, "team": 1, "handling_hours": hours, "overtime_hours": 1.0, "burnout": burnout}
        for week, hours, burnout in ((0, 10.0, 0.2), (12, 20.0, 0.4), (13, 40.0, 0.6))
    ]
    contacts = [handled(1, 0, 5.0, wait=1.0), handled(1, 0, 13 * WEEK + 1, wait=3.0), handled(0, 1, 30.0)]
    states = {"executive_contact_sum": 1.0, "adoption_sum": 0.5}
    weeks = [one | {"arr_at_risk": 10.0 * one["week"]} for one in steady_weeks(2, 4000, weeks=26, **states)]
    history = make_history(contacts, events, people, weeks, TWO_ACCOUNTS)
    found = figures(history, make_inputs(weeks=26, window=(0, 26)))
    assert found["support.handling_hours"].tolist() == [30.0, 40.0]
    assert found["support.overtime_hours"].tolist() == [2.0, 1.0]
    assert found["support.wait_mean_minutes"].tolist() == [60.0, 180.0]
    assert found["support.burnout"] == pytest.approx([0.3, 0.6])
    assert np.isnan(found["csm.burnout"]).all(), "a team without people has no burnout"
    assert found["planned_work_done_share"][0] == 1.0
    assert np.isnan(found["planned_work_done_share"][1]), "no planned work was born in it"
    assert found["executive_contact"].tolist() == [0.5, 0.5]
    assert found["adoption"].tolist() == [0.25, 0.25]
    assert found["departures"] == pytest.approx([0, 0.85]), "what ends with the run belongs to its last quarter"
    assert found["arr_lost"] == pytest.approx([0, 250 + 1500 + 300])
    assert found["arr_at_risk"] == pytest.approx([120, 250]), "a stock: that of the quarter's last week"
    assert found["arr_up_for_renewal"] == pytest.approx([0, 4000])
    assert found["arr_lost_at_renewal"] == pytest.approx([0, 250 + 300])


def test_quarters_add_up_to_the_kpis_of_the_whole_run() -> None:
    inputs = small_inputs({"weeks": 30})
    history = run(inputs)
    found, kpis = figures(history, inputs), compute(history, inputs)
    for name, kpi in (("cost", "cost_total"), ("revenue", "revenue"), ("contribution", "contribution")):
        assert found[name].sum() == pytest.approx(kpis[kpi], abs=0.01)
    assert found["csm.overtime_hours"].sum() == pytest.approx(kpis["csm.overtime_hours"])
    assert found["arr_at_risk"][-1] == pytest.approx(kpis["arr_at_risk_end"]), "the stock that is left is the KPI"
    assert (found["arr_at_risk"] > 0).all()
    part = small_inputs({"weeks": 30, "window": {"from_week": 3, "to_week": 20}})
    assert quarter_measures(run(part), part).values.tobytes() == quarter_measures(history, inputs).values.tobytes(), (
        "the quarters are those of the run, whatever the KPIs' window"
    )


def test_an_effect_arrives_in_the_first_quarter_that_is_sure_and_keeps_its_side() -> None:
    assert arrival([change(0.0), change(0.5), change(2.0), change(0.3), change(3.0)]) == 2
    assert arrival([change(2.0), change(-0.1), change(2.0), change(2.0)]) == 2, "it changes sides in between"
    assert arrival([change(2.0), change(2.0), change(-0.1)]) is None, "it does not last"
    assert arrival([change(-2.0), change(2.0)]) == 1, "the later side holds"
    assert arrival([change(0.5)] * 4) is None
    assert arrival([change(2.0), change(None), change(2.0)]) == 0, "a quarter without a value says nothing"
    assert arrival([change(2.0), change(0.0), change(2.0)]) == 2, "nothing is on no side"
    assert arrival([]) is None


def test_an_effect_cannot_arrive_in_a_quarter_that_the_what_if_hardly_touches() -> None:
    def began(week: int) -> np.ndarray:
        differences = np.zeros((2, 104))
        differences[1, week:] = 1.0
        return differences

    assert [first_quarter(began(week)) for week in (0, 6, 7, 19, 20, 25)] == [0, 0, 1, 1, 2, 2]
    assert first_quarter(np.full((2, 26), 1e-9)) == 0, "rounding is no difference"
    assert arrival([change(2.0), change(2.0)], first=1) == 1


def test_one_replication_tells_nothing_about_when() -> None:
    changes = quarter_changes(np.zeros((1, 3)), np.ones((1, 3)))
    assert arrival(changes) is None
    assert [one.mean for one in changes] == [1.0, 1.0, 1.0]


def test_an_effect_that_is_not_there_arrives_anywhere_in_at_most_one_study_of_twenty() -> None:
    """2,000 studies of noise: the share of false arrivals lies below 5 %, within the upper end of its interval."""
    random = np.random.default_rng(7)
    studies, false = 2_000, 0
    for _ in range(studies):
        noise = random.normal(size=(12, 8))
        false += arrival(quarter_changes(np.zeros((12, 8)), noise)) is not None
    assert share_interval(false, studies)[0] <= 0.05, f"{false} of {studies}"
    assert false > 0, "the test can see false arrivals"


def test_an_effect_that_begins_in_the_third_quarter_arrives_there() -> None:
    random = np.random.default_rng(3)
    after = random.normal(size=(30, 8)) + np.array([0, 0, 3, 3, 3, 3, 3, 3])
    assert arrival(quarter_changes(np.zeros((30, 8)), after)) == 2


def test_payback_is_the_week_from_which_on_nothing_is_owed_any_more() -> None:
    cumulated = np.array(
        [
            [-5.0, 1.0, -1.0, 2.0, 3.0],  # ahead once, but not for good
            [-5.0, -4.0, -3.0, -2.0, -1.0],
            [1.0, 2.0, 3.0, 4.0, 5.0],
            [0.0, 0.0, 1.0, 2.0, 3.0],  # nothing happens at first
            [-1.0, 2.0, 3.0, 4.0, 0.0],
        ]
    )
    assert payback_weeks(cumulated).tolist() == [3, np.inf, 0, 2, np.inf]


def test_the_share_that_pays_back_has_its_interval() -> None:
    assert share_interval(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert share_interval(10, 10) == pytest.approx((0.6915, 1.0), abs=1e-4)
    assert share_interval(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4), "as in the tables of Clopper and Pearson"


def test_a_hire_that_costs_first_pays_back_in_most_histories() -> None:
    weekly = np.tile(np.array([-10.0, -10.0, 5.0, 5.0, 5.0, 6.0, 7.0, 8.0]), (9, 1))
    weekly[0, 5:] = -1.0
    found = payback(weekly, MONDAY)
    assert (found.paid_back, found.replications, found.middle, found.of_mean) == (8, 9, 5, 5)
    assert found.deepest == pytest.approx(-20)
    assert found.middle_ci95 == (5, 5), "the second smallest and the second largest of nine"
    assert "by the week of 9 Feb 2026 (the middle replication" in found.sentence
    assert "in 8 of 9 replications (52 to 100 %)" in found.sentence
    assert json.loads(json.dumps(found.to_dict()))["week"] == 6, "weeks count from 1 there"


def test_what_is_not_paid_back_is_said_so() -> None:
    never = payback(np.full((6, 4), -1.0), MONDAY)
    assert never.middle is None
    assert never.middle_ci95 == (None, None)
    assert "is not earned back within the run" in never.sentence
    assert never.to_dict()["week_ci95"] == [None, None]
    at_once = payback(np.full((5, 4), 1.0), MONDAY)
    assert at_once.middle_ci95 is None, "five replications bound no median"
    assert "never more than what they bring" in at_once.sentence


def company(changes: dict[str, Any] | None) -> Any:
    dated = [{"from": "2026-01-21", "set": changes}] if changes else []
    return small_inputs({"weeks": 28, "changes": dated})


def test_only_what_adds_people_has_a_payback() -> None:
    usual, more = company(None), company({"teams.csm.headcount": 2})
    assert adds_people(usual, more)
    assert not adds_people(more, usual)
    assert not adds_people(usual, usual)
    two = {"weeks": 28, "teams.csm.headcount": 2}
    fewer_later = small_inputs(two | {"changes": [{"from": "2026-03-04", "set": {"teams.csm.headcount": 1}}]})
    assert adds_people(fewer_later, small_inputs(two)), "the baseline lets somebody go, the what-if does not"


@pytest.fixture(scope="module")
def small() -> Any:
    """Four paired replications of a company and the same with one more CSM."""
    inputs = [company(None), company({"teams.csm.headcount": 2})]
    measures = [[quarter_measures(run(one, replication=r), one) for r in range(4)] for one in inputs]
    return quarters_of(("Small", "One more"), inputs, "EUR", measures)


def test_what_travels_between_processes_is_small(small: Any) -> None:
    cells = small.values[0, 0].size + small.contributions[0, 0].size
    assert cells * 8 < 5_000, "bytes per scenario and replication"


def test_nothing_differs_before_the_what_if_begins_and_the_hire_costs_at_once(small: Any) -> None:
    assert not (small.contributions[1] - small.contributions[0])[:, :2].any(), "the same rows give the same cents"
    by_name = {one.effect.name: one for one in small.arrivals[0]}
    assert by_name["cost"].quarter == 0
    assert by_name["cost"].verdict == "worse"
    assert by_name["csm.handling_hours"].verdict is None, "more or fewer hours are neither better nor worse"
    assert small.paybacks[0].deepest < -1000


def test_the_json_has_the_quarters_of_all_scenarios_and_differences(small: Any) -> None:
    plain = json.loads(json.dumps(small.to_dict(), allow_nan=False))
    assert plain["starts"] == ["2026-01-05", "2026-04-06", "2026-07-06"]
    assert [one["name"] for one in plain["scenarios"]] == ["Small", "One more"]
    cost = plain["differences"][0]["effects"]["cost"]
    assert cost["unit"] == "EUR"
    assert (cost["arrives"], cost["from"]) == (1, "2026-01-05")
    assert len(cost["mean"]) == len(cost["ci95_adjusted"]) == 3
    low, high = cost["ci95"][0]
    assert cost["ci95_adjusted"][0][0] < low < high < cost["ci95_adjusted"][0][1], "wider for looking three times"
    assert plain["differences"][0]["payback"]["replications"] == 4
    assert set(cost) == {"unit", "arrives", "from", "mean", "ci95", "ci95_adjusted"}
    assert {one.name for one in effects(company(None), "EUR")} == set(plain["scenarios"][0]["effects"])


def test_the_terminal_shows_arrivals_in_their_order_within_80_columns(small: Any, tmp_path: Path) -> None:
    with (tmp_path / "shown.txt").open("w") as stream:
        show_arrivals(small, 0, Console(file=stream, width=80))
    text = (tmp_path / "shown.txt").read_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "Cost, EUR" in text
    assert "5 Jan 2026" in text
    arrived = [one for one in small.arrivals[0] if one.quarter is not None]
    missing = [one for one in small.arrivals[0] if one.quarter is None]
    assert arrived
    assert missing
    assert "Not within the run: " in text
    dates = [line for line in text.splitlines() if " 2026 " in line]
    order = [small.starts.index(start) for line in dates for start in small.starts if f" {start:%b} 2026" in line]
    assert order == sorted(order), "the earliest first"


def test_without_intervals_the_terminal_shows_no_arrivals(small: Any, tmp_path: Path) -> None:
    alone = replace(small, values=small.values[:, :1], contributions=small.contributions[:, :1])
    with (tmp_path / "shown.txt").open("w") as stream:
        show_arrivals(alone, 0, Console(file=stream, width=80))
    assert (tmp_path / "shown.txt").read_text() == ""


def test_a_figure_without_a_value_in_some_replications_uses_the_others() -> None:
    before = np.array([[1.0], [NAN], [2.0]])
    (one,) = quarter_changes(before, before + 1)
    assert one.mean == 1.0
    assert one.ci95 == (1.0, 1.0), "two pairs, both of 1"
