"""KPIs against values worked out by hand on tables of a few rows.

The company: one customer and one planned category, one triggered; two teams; weeks 0 to 104, KPIs over all of
them unless a test says otherwise. One year is 365.25 days.
"""

from __future__ import annotations

import numpy as np
import pytest
from kpi_tables import (
    CSM,
    FIREFIGHT,
    HOW_TO,
    NAN,
    REVIEW,
    SUPPORT,
    TWO_ACCOUNTS,
    WEEK,
    YEARS,
    contact,
    decision,
    handled,
    make_history,
    make_inputs,
    steady_weeks,
)

from sim.model import ledger
from sim.study.kpi_costs import cost_categories, cost_teams, costs
from sim.study.kpi_series import COMPANY_MEASURES, TEAM_MEASURES, TIER_MEASURES, mean_number_waiting, weekly_series
from sim.study.kpis import HEADLINE, TWINNED, compute, registry, window


def test_registry_and_compute_have_the_same_names_in_the_same_order() -> None:
    inputs = make_inputs()
    values = compute(make_history(accounts=TWO_ACCOUNTS), inputs)
    assert list(values) == list(registry(inputs)), "every KPI has a meaning and a value, in one order"
    assert set(HEADLINE) <= set(values)
    assert {f"{name}_realised" for name in TWINNED} <= set(values)


def test_all_stable_names_are_there() -> None:
    company = [
        *("logo_churn_per_year", "arr_churn_per_year", "grr", "nrr", "arr_end", "arr_at_risk_end", "revenue"),
        *("cost_total", "cost_labour", "cost_channels", "cost_turnover", "cac_spent", "cac_not_recouped"),
        *("cost_firefighting", "cost_prevention", "crc_per_account", "contribution", "adoption_end"),
        *("satisfaction_mean", "executive_contact_mean", "at_risk_share", "proactive_completed_share"),
        *("saves_share", "churn_share.disconnection", "churn_share.disengagement", "churn_share.service"),
        *("churn_share.downturn", "churn_share.competition"),
    ]
    team = [
        *("offered", "occupancy", "utilisation", "wait_mean_minutes", "wait_probability", "service_level"),
        *("abandonment", "backlog_mean", "fcr", "overtime_hours", "burnout_mean", "burnout_high_share"),
        *("quits_per_year", "support_share"),
    ]
    wanted = {*company, *(f"{t}.{name}" for t in ("csm", "support") for name in team)}
    assert wanted <= set(registry(make_inputs())), "other tools and files rely on these names"


def test_ratios_without_anything_to_count_are_none() -> None:
    values = compute(make_history(), make_inputs())
    empty = [
        *("logo_churn_per_year", "grr", "nrr", "saves_share", "csm.occupancy", "support.wait_mean_minutes"),
        *("csm.fcr", "support.support_share", "proactive_completed_share", "crc_per_account"),
        *("churn_share.service", "csm.quits_per_year", "satisfaction_mean"),
    ]
    for name in empty:
        assert values[name] is None, f"{name} has an empty denominator"
    assert values["cost_total"] == 0


def test_no_kpi_value_is_nan_or_infinite() -> None:
    values = compute(make_history(tier_weeks=steady_weeks(2, 4000), accounts=TWO_ACCOUNTS), make_inputs())
    assert all(value is None or np.isfinite(value) for value in values.values())


def test_churn_is_expected_departures_over_mean_accounts_and_years() -> None:
    events = [decision(0, 1000.0, True, 0.3, 1000), decision(1, 2000.0, False, 0.1, 3000)]
    values = compute(
        make_history(events=events, tier_weeks=steady_weeks(4, 8000), accounts=TWO_ACCOUNTS), make_inputs()
    )
    assert values["logo_churn_per_year"] == pytest.approx(0.4 / 4 / YEARS)
    assert values["logo_churn_per_year_realised"] == pytest.approx(1 / 4 / YEARS)
    assert values["arr_churn_per_year"] == pytest.approx((0.3 * 1000 + 0.1 * 3000) / 8000 / YEARS)
    assert values["arr_churn_per_year_realised"] == pytest.approx(1000 / 8000 / YEARS)


def test_only_decisions_inside_the_window_count_as_departures() -> None:
    events = [
        decision(0, 10 * WEEK - 1e-6, True, 0.3, 1000),
        decision(1, 10 * WEEK, False, 0.2, 3000),
        decision(1, 20 * WEEK, True, 0.7, 3000),
    ]
    values = compute(
        make_history(events=events, tier_weeks=steady_weeks(2, 4000), accounts=TWO_ACCOUNTS),
        make_inputs(window=(10, 20)),
    )
    assert values["logo_churn_per_year"] == pytest.approx(0.2 / 2 / (70 / 365.25)), "weeks [10, 20) hold one"


def test_arr_and_revenue_follow_steps_and_give_back_what_luck_took() -> None:
    leaves_at = 52 * WEEK
    events = [
        decision(0, leaves_at, True, 0.25, 1000),
        {
            "account": 2,
            "time": 26 * WEEK,
            "event": ledger.WON,
            "arr_before_cents": 0,
            "arr_after_cents": 50_000,
        },
        decision(1, 78 * WEEK, False, 0.0, 3000) | {"arr_after_cents": 360_000},
    ]
    accounts = [*TWO_ACCOUNTS, {"opening_arr_cents": 0, "started": 26 * WEEK}]
    values = compute(make_history(events=events, accounts=accounts, tier_weeks=steady_weeks(3, 4000)), make_inputs())
    year = 365.25 * 24
    realised = (1000 * 52 + 3000 * 104 + 500 * 78 + 600 * 26) * WEEK / year
    assert values["arr_end_realised"] == pytest.approx(3600 + 500)
    assert values["arr_end"] == pytest.approx(4100 + 1000 * 0.75), "three quarters of the loss were bad luck"
    assert values["revenue_realised"] == pytest.approx(realised)
    assert values["revenue"] == pytest.approx(realised + 1000 * 0.75 * 52 * WEEK / year)
    assert values["cac_spent"] == pytest.approx(2.0 * 500)
    assert values["contribution_realised"] == pytest.approx(0.8 * realised - 1000)
    assert values["contribution"] == pytest.approx(0.8 * (values["revenue"] or 0) - 1000)


def test_retention_follows_cohorts_for_52_weeks_without_new_business() -> None:
    events = [
        decision(0, 30 * WEEK, True, 0.25, 1000),
        decision(1, 40 * WEEK, False, 0.1, 3000) | {"arr_after_cents": 400_000},
        {"account": 2, "time": 5 * WEEK, "event": ledger.WON, "arr_after_cents": 50_000},
        decision(1, 92 * WEEK, False, 0.2, 4000) | {"arr_after_cents": 300_000},
    ]
    accounts = [*TWO_ACCOUNTS, {"opening_arr_cents": 0}]
    values = compute(make_history(events=events, accounts=accounts, tier_weeks=steady_weeks(3, 4000)), make_inputs())
    # First cohort 1000 + 3000: 0 and 4000 (capped 3000). Second 4000 + 500: 3000 and 500.
    assert values["grr_realised"] == pytest.approx((3000 + 3500) / (4000 + 4500))
    assert values["nrr_realised"] == pytest.approx((4000 + 3500) / (4000 + 4500))
    luck = 0.75 * 1000 - 0.1 * 3000 - 0.2 * 4000
    assert values["grr"] == pytest.approx((6500 + luck) / 8500)
    assert values["nrr"] == pytest.approx((7500 + luck) / 8500)


def test_gross_retention_caps_what_is_at_stake_at_the_cohorts_arr() -> None:
    events = [
        decision(1, 10 * WEEK, False, 0.0, 3000) | {"arr_after_cents": 500_000},
        decision(1, 40 * WEEK, True, 0.5, 5000),
    ]
    values = compute(make_history(events=events, accounts=TWO_ACCOUNTS), make_inputs(window=(0, 52)))
    assert values["grr"] == pytest.approx((1000 + 0.5 * 3000) / 4000), "of 5000, only 3000 were there at the start"
    assert values["nrr"] == pytest.approx((1000 + 0.5 * 5000) / 4000)


def test_retention_needs_a_window_of_52_weeks() -> None:
    values = compute(make_history(accounts=TWO_ACCOUNTS), make_inputs(window=(0, 51)))
    assert values["grr"] is None
    assert values["nrr_realised"] is None


def test_arr_at_risk_is_weighted_by_the_chance_to_leave() -> None:
    accounts = [
        {"arr_cents": 100_000, "disconnection": 0.2, "service": 0.3},
        {"arr_cents": 0, "service": 5.0},
    ]
    values = compute(make_history(accounts=accounts), make_inputs())
    assert values["arr_at_risk_end"] == pytest.approx(1000 * (1 - np.exp(-0.5)))
    assert values["contribution_net_of_risk"] == pytest.approx(-1000 * (1 - np.exp(-0.5)))


def test_cac_not_recouped_counts_what_margin_had_not_paid_back() -> None:
    events = [decision(0, 0.0, True, 0.5, 1000), decision(1, 8766.0 * 3, False, 0.4, 3000)]
    values = compute(make_history(events=events, accounts=TWO_ACCOUNTS), make_inputs(weeks=160, window=(0, 160)))
    # Account 0: CAC 2000 less one year of margin 800. Account 1: three years of margin have paid it back.
    assert values["cac_not_recouped"] == pytest.approx(0.5 * 1200)
    assert values["cac_not_recouped_realised"] == pytest.approx(1200)


def test_saves_and_drivers_of_churn() -> None:
    events = [
        decision(0, 1.0, False, 0.4, 1000, announced=True, disconnection=0.25, service=0.75, firefighting_finished=1),
        decision(1, 2.0, True, 0.6, 3000, announced=True, disconnection=0.5, service=0.5, firefighting_finished=0.25),
        decision(1, 3.0, False, 0.0, 3000, firefighting_finished=0),
    ]
    values = compute(make_history(events=events, accounts=TWO_ACCOUNTS), make_inputs())
    assert values["saves_share"] == pytest.approx(0.5), "one of two announced departures was saved"
    assert values["saves_share.service"] == pytest.approx(0.75 / 1.25), "the saved one was the more about service"
    assert values["saves_share.disconnection"] == pytest.approx(0.25 / 0.75)
    assert values["saves_share.downturn"] is None, "no announced departure had to do with it"
    assert values["firefighting_finished_share"] == pytest.approx(0.625), "who had not announced needed none"
    assert values["churn_share.service"] == pytest.approx(0.4 * 0.75 + 0.6 * 0.5)
    assert values["churn_share.service_realised"] == pytest.approx(0.5)
    shares = [values[f"churn_share.{d}"] or 0 for d in ("disconnection", "disengagement", "service", "downturn")]
    assert sum(shares) == pytest.approx(1.0)


def test_account_states_are_means_over_account_weeks() -> None:
    weeks = steady_weeks(4, 1, adoption_sum=2.0, satisfaction_sum=3.0, executive_contact_sum=1.0, at_risk=1)
    weeks[-1]["adoption_sum"] = 2.4
    values = compute(make_history(tier_weeks=weeks), make_inputs())
    assert values["adoption_end"] == pytest.approx(0.6), "the last week of the window"
    assert values["satisfaction_mean"] == pytest.approx(0.75)
    assert values["executive_contact_mean"] == pytest.approx(0.25)
    assert values["at_risk_share"] == pytest.approx(0.25)


def test_waits_cover_customers_contacts_born_in_the_window_with_open_ones_so_far() -> None:
    end = 104 * WEEK
    contacts = [
        handled(SUPPORT, HOW_TO, 10.0, wait=0.0, due=10.1),
        handled(SUPPORT, HOW_TO, 20.0, wait=1.0, due=20.5),
        contact(SUPPORT, HOW_TO, 30.0, ended=30.5, wait_minutes=30, outcome=ledger.ABANDONED, due=30.1),
        contact(SUPPORT, HOW_TO, end - 2.0, wait_minutes=120, due=end - 1.0),
        handled(SUPPORT, HOW_TO, 1.0, wait=5.0, born=-1.0, due=2.0),
        handled(SUPPORT, REVIEW, 1.0, wait=9.0, due=2.0),
        contact(SUPPORT, HOW_TO, 5.0, wait_minutes=0, outcome=ledger.NOT_RAISED),
    ]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["support.wait_mean_minutes"] == pytest.approx((0 + 60 + 30 + 120) / 4)
    assert values["support.wait_probability"] == pytest.approx(3 / 4)
    assert values["support.service_level"] == pytest.approx(1 / 4)
    assert values["support.abandonment"] == pytest.approx(1 / 4)
    assert values["support.offered"] == 5, "offered counts by queueing time: the one born before joined inside"
    assert values["csm.offered"] == 0


def test_open_contacts_not_yet_due_do_not_lower_the_service_level() -> None:
    end = 104 * WEEK
    contacts = [handled(SUPPORT, HOW_TO, 10.0, due=11.0), contact(SUPPORT, HOW_TO, end - 1.0, due=end + 1.0)]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["support.service_level"] == 1.0, "nobody knows yet whether the open one will be in time"


def test_a_warm_transfer_is_offered_to_both_teams_where_it_queues() -> None:
    contacts = [
        handled(CSM, HOW_TO, 10.0, outcome=ledger.ESCALATED),
        handled(SUPPORT, HOW_TO, 10.5, leg=1, born=10.0),
    ]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["csm.offered"] == 1
    assert values["support.offered"] == 1
    assert values["csm.fcr"] == 0.0
    assert values["support.fcr"] == 1.0


def test_backlog_is_the_time_average_of_everything_that_waits() -> None:
    contacts = [
        handled(CSM, REVIEW, 0.0, wait=84.0),
        contact(CSM, HOW_TO, 103 * WEEK),
        contact(CSM, REVIEW, -100.0, ended=168.0, outcome=ledger.EXPIRED),
        handled(CSM, HOW_TO, 500.0, wait=0.0),
    ]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["csm.backlog_mean"] == pytest.approx((84 + 168 + 168) / (104 * WEEK))


def test_first_contact_resolution_counts_first_attempts_that_were_handled() -> None:
    contacts = [
        handled(SUPPORT, HOW_TO, 1.0),
        handled(SUPPORT, HOW_TO, 2.0, outcome=ledger.UNRESOLVED),
        handled(SUPPORT, HOW_TO, 3.0, attempt=1),
        contact(SUPPORT, HOW_TO, 4.0, ended=5.0, outcome=ledger.ABANDONED),
        handled(SUPPORT, FIREFIGHT, 6.0),
    ]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["support.fcr"] == pytest.approx(1 / 2)


def test_support_share_counts_finished_contacts_of_all_kinds() -> None:
    contacts = [
        handled(CSM, HOW_TO, 1.0),
        handled(CSM, REVIEW, 2.0),
        handled(CSM, FIREFIGHT, 3.0, outcome=ledger.UNRESOLVED),
        contact(CSM, HOW_TO, 4.0, ended=5.0, outcome=ledger.EXPIRED),
    ]
    assert compute(make_history(contacts=contacts), make_inputs())["csm.support_share"] == pytest.approx(1 / 3)


def test_planned_work_counts_what_was_settled_one_way_or_the_other() -> None:
    contacts = [
        handled(CSM, REVIEW, 1.0),
        contact(CSM, REVIEW, 2.0, ended=9.0, outcome=ledger.EXPIRED),
        contact(CSM, REVIEW, 3.0, ended=9.0, outcome=ledger.EXPIRED),
        contact(CSM, REVIEW, 4.0),
        contact(CSM, REVIEW, 5.0, ended=9.0, outcome=ledger.WITHDRAWN),
        handled(CSM, FIREFIGHT, 6.0),
    ]
    values = compute(make_history(contacts=contacts), make_inputs())
    assert values["proactive_completed_share"] == pytest.approx(1 / 3)


PERSON = {
    "contracted_hours": 40.0,
    "planned_hours": 32.0,
    "on_duty_hours": 30.0,
    "handling_hours": 27.0,
    "payroll_cost": 4000.0,
    "burnout": 0.4,
}


def test_hours_burnout_and_quits_of_people() -> None:
    people = [
        {**PERSON, "week": 0, "team": CSM, "overtime_hours": 3.0, "absent_hours": 8.0},
        {**PERSON, "week": 1, "team": CSM, "burnout": 0.6},
        {"week": 2, "team": CSM, "employed": False, "burnout": 0.9, "event": ledger.QUIT},
    ]
    values = compute(make_history(people=people), make_inputs())
    assert values["csm.occupancy"] == pytest.approx((27 + 27 - 3) / 60), "overtime lies outside the hours on duty"
    assert values["csm.utilisation"] == pytest.approx(54 / (32 + 32)), "absence takes nothing off the planned hours"
    assert values["csm.overtime_hours"] == pytest.approx(3.0)
    assert values["csm.burnout_mean"] == pytest.approx(0.5), "a vacant seat has no burnout"
    assert values["csm.burnout_high_share"] == pytest.approx(0.5)
    assert values["csm.quits_per_year"] == pytest.approx(1 / (2 * 7 / 365.25)), (
        "whoever quits in a week is gone at its end"
    )
    assert values["support.occupancy"] is None


COST_CONTACTS = [
    handled(CSM, HOW_TO, 1.0, handle_minutes=60.0, cost=2.0),
    handled(CSM, REVIEW, 2.0, handle_minutes=120.0, cost=1.0),
    handled(CSM, FIREFIGHT, 3.0, handle_minutes=60.0),
    handled(SUPPORT, HOW_TO, 4.0, cost=5.0),
    contact(-1, HOW_TO, 5.0, ended=6.0, cost=0.5, outcome=ledger.ABANDONED),
    handled(CSM, HOW_TO, 104 * WEEK - 0.1, cost=100.0),
]
COST_PEOPLE = [
    {**PERSON, "week": 0, "team": CSM, "overtime_hours": 2.0, "overtime_cost": 200.0},
    {**PERSON, "week": 0, "team": SUPPORT, "handling_hours": 10.0, "occupant": 1, "hiring_cost": 700.0},
    {**PERSON, "week": 1, "team": SUPPORT, "handling_hours": 10.0, "occupant": 0, "hiring_cost": 300.0},
    {**PERSON, "week": 104, "team": SUPPORT, "hiring_cost": 999.0},
]


def test_costs_by_team_and_category() -> None:
    inputs = make_inputs(programme_cost_per_year=1000.0)
    history = make_history(contacts=COST_CONTACTS, people=COST_PEOPLE)
    spent = costs(history, inputs, window(inputs))
    row, column = cost_teams(inputs).index, cost_categories(inputs).index
    rate = 4200 / 42
    assert spent.labour == pytest.approx(4200 + 8000)
    assert spent.channels == pytest.approx(8.5), "the contact that ends after the window is not paid in it"
    assert spent.turnover == pytest.approx(1000)
    assert spent.table[row("csm"), column("how_to")] == pytest.approx(rate * 27 / 4 + 2.0)
    assert spent.table[row("csm"), column("review")] == pytest.approx(rate * 27 / 2 + 1.0)
    assert spent.table[row("csm"), column("idle")] == pytest.approx(rate * (30 - 25))
    assert spent.table[row("csm"), column("shrinkage")] == pytest.approx(rate * 10)
    assert spent.table[row("support"), column("turnover")] == pytest.approx(700), "a refilled seat"
    assert spent.table[row("support"), column("hiring")] == pytest.approx(300), "a new seat"
    assert spent.table[row("company"), column("how_to")] == pytest.approx(0.5), "nobody handled it"
    assert spent.table[row("company"), column("overhead")] == pytest.approx(1000 * YEARS)
    assert spent.table.sum() == pytest.approx(spent.total, abs=0.01), "every cost has one place in the table"


def test_cost_kpis_come_from_the_table() -> None:
    inputs = make_inputs(programme_cost_per_year=1000.0)
    history = make_history(
        contacts=COST_CONTACTS, people=COST_PEOPLE, tier_weeks=steady_weeks(4, 1), accounts=TWO_ACCOUNTS
    )
    values = compute(history, inputs)
    total = 12_200 + 8.5 + 1000 + 1000 * YEARS
    assert values["cost_total"] == pytest.approx(total)
    assert values["cost_prevention"] == pytest.approx(1350 + 1)
    assert values["cost_firefighting"] == pytest.approx(675)
    assert values["crc_per_account"] == pytest.approx(total / YEARS / 4)


def test_retention_cost_per_account_gives_back_accounts_lost_by_luck() -> None:
    history = make_history(
        events=[decision(0, 52 * WEEK, True, 0.5, 1000)], tier_weeks=steady_weeks(4, 1), accounts=TWO_ACCOUNTS
    )
    values = compute(history, make_inputs(programme_cost_per_year=1000.0))
    assert values["crc_per_account_realised"] == pytest.approx(1000 / 4)
    assert values["crc_per_account"] == pytest.approx(1000 / (4 + 0.5 * 0.5)), "half an account over half the time"


def test_people_paid_without_hours_still_add_up() -> None:
    inputs = make_inputs()
    history = make_history(people=[{"week": 0, "team": CSM, "payroll_cost": 50.0}])
    spent = costs(history, inputs, window(inputs))
    assert spent.table.sum() == pytest.approx(50.0)


def test_expected_and_realised_agree_when_nothing_was_left_to_luck() -> None:
    events = [decision(0, 1000.0, True, 1.0, 1000), decision(1, 2000.0, False, 0.0, 3000)]
    values = compute(
        make_history(events=events, tier_weeks=steady_weeks(4, 8000), accounts=TWO_ACCOUNTS), make_inputs()
    )
    for name in TWINNED:
        assert values[name] == pytest.approx(values[f"{name}_realised"]), f"{name}: e equals what happened"


def test_weekly_series_of_teams_and_tiers() -> None:
    contacts = [
        handled(CSM, HOW_TO, 10.0, wait=2.0),
        handled(CSM, HOW_TO, 20.0, wait=4.0),
        contact(CSM, HOW_TO, 1.5 * WEEK),
    ]
    people = [{**PERSON, "week": 0, "team": CSM}, {"week": 0, "team": CSM, "seat": 1, "employed": False}]
    tiers = [{"week": 1, "accounts": 4, "arr_cents": 12_300, "adoption_sum": 2.0, "at_risk": 1}]
    series = weekly_series(make_history(contacts=contacts, people=people, tier_weeks=tiers), make_inputs(weeks=3))
    team = dict(zip(TEAM_MEASURES, series.teams[:, CSM], strict=True))
    assert team["handling_hours"].tolist() == [27, 0, 0]
    assert team["wait_mean_minutes"][0] == pytest.approx(180)
    assert np.isnan(team["wait_mean_minutes"][2]), "nothing was born in the third week"
    assert team["backlog"].tolist() == pytest.approx([6 / 168, 0.5, 1.0])
    assert team["occupancy"][0] == pytest.approx(27 / 30)
    assert team["load"][0] == pytest.approx(27 / 30), "nobody worked overtime"
    assert team["burnout"][0] == pytest.approx(0.4)
    assert team["vacancies"].tolist() == [1, 0, 0]
    tier = dict(zip(TIER_MEASURES, series.tiers[:, 0], strict=True))
    assert tier["accounts"].tolist() == [0, 4, 0]
    assert tier["arr"][1] == pytest.approx(123)
    assert tier["adoption"][1] == pytest.approx(0.5)
    assert tier["at_risk_share"][1] == pytest.approx(0.25)


def test_weekly_series_of_the_company() -> None:
    contacts = [
        handled(CSM, REVIEW, 10.0),
        contact(CSM, REVIEW, 20.0, ended=100.0, outcome=ledger.EXPIRED),
        contact(CSM, REVIEW, 1.5 * WEEK),
        handled(CSM, HOW_TO, 30.0),
    ]
    events = [decision(0, WEEK, True, 0.25, 1000.0), decision(1, 3 * WEEK, False, 0.5, 3000.0)]
    history = make_history(contacts=contacts, events=events, accounts=TWO_ACCOUNTS)
    company = dict(zip(COMPANY_MEASURES, weekly_series(history, make_inputs(weeks=3)).company, strict=True))
    assert company["departures"].tolist() == [0, 0.25, 0.75], "expected ones; the last tick closes the last week"
    assert company["planned_work_done_share"][0] == pytest.approx(0.5), "how-to contacts are not planned"
    assert np.isnan(company["planned_work_done_share"][1]), "open work has no verdict"


def test_tiers_have_their_own_churn_and_states() -> None:
    inputs = make_inputs(tiers=("big", "small_business"))
    accounts = [{**TWO_ACCOUNTS[0], "tier": 0}, {**TWO_ACCOUNTS[1], "tier": 1}]
    weeks = [
        {"week": week, "tier": tier, "accounts": 1, "arr_cents": 100_000 * (1 + 2 * tier), "satisfaction_sum": 0.5}
        for week in range(104)
        for tier in (0, 1)
    ]
    events = [decision(0, WEEK, False, 0.2, 1000.0), decision(1, WEEK, True, 0.6, 1500.0, tier=1)]
    contacts = [handled(CSM, REVIEW, 10.0, tier=1), contact(CSM, REVIEW, 9.0, tier=1, outcome=ledger.EXPIRED)]
    values = compute(make_history(contacts, events, tier_weeks=weeks, accounts=accounts), inputs)
    assert values["tier.big.logo_churn_per_year"] == pytest.approx(0.2 / YEARS)
    assert values["tier.small_business.logo_churn_per_year"] == pytest.approx(0.6 / YEARS)
    assert values["tier.small_business.arr_churn_per_year"] == pytest.approx(0.6 * 1500 / 3000 / YEARS)
    assert values["tier.small_business.satisfaction_mean"] == pytest.approx(0.5)
    assert values["tier.small_business.proactive_completed_share"] == pytest.approx(0.5)
    assert values["tier.big.proactive_completed_share"] is None, "this tier had no planned work"
    assert values["logo_churn_per_year"] == pytest.approx(0.8 / 2 / YEARS), "the tiers' departures add up"


def test_false_alarms_are_a_share_of_the_alarms() -> None:
    weeks = steady_weeks(10, 4000, looks_at_risk=4, false_alarms=1, at_risk=5)
    assert compute(make_history(tier_weeks=weeks), make_inputs())["false_alarm_share"] == pytest.approx(0.25)
    quiet = make_history(tier_weeks=steady_weeks(10, 4000))
    assert compute(quiet, make_inputs())["false_alarm_share"] is None, "nobody looked at risk"


def test_churn_by_driver_adds_up_to_churn() -> None:
    events = [
        decision(0, WEEK, False, 0.2, 1000.0, disconnection=0.25, service=0.75),
        decision(1, 2 * WEEK, True, 0.6, 1500.0, disconnection=1.0),
    ]
    history = make_history(events=events, tier_weeks=steady_weeks(2, 4000), accounts=TWO_ACCOUNTS)
    values = compute(history, make_inputs())
    drivers = {name: value for name, value in values.items() if name.startswith("churn_per_year.")}
    assert drivers["churn_per_year.service"] == pytest.approx(0.2 * 0.75 / 2 / YEARS)
    assert sum(value or 0.0 for value in drivers.values()) == pytest.approx(values["logo_churn_per_year"])


def test_number_waiting_equals_summed_overlaps_of_random_waits() -> None:
    random = np.random.default_rng(3)
    queued = random.uniform(-300, 1500, 400)
    until = np.where(random.random(400) < 0.2, np.inf, queued + random.exponential(100, 400))
    queued[:20] = NAN
    got = mean_number_waiting(queued, until, 8)
    for week in range(8):
        overlap = np.minimum(until, (week + 1) * WEEK) - np.maximum(queued, week * WEEK)
        assert got[week] == pytest.approx(np.nansum(np.clip(overlap, 0, None)) / WEEK), f"week {week}"


def test_money_is_shown_in_the_scenarios_currency() -> None:
    kpis = registry(make_inputs(), "EUR")
    assert kpis["contribution"].unit == "EUR"
    assert kpis["arr_end"].unit == "EUR per year"
    assert kpis["csm.fcr"].unit == "share"


def test_waits_and_backlogs_are_the_skewed_kpis() -> None:
    inputs = make_inputs()
    skewed = {kpi.name for kpi in registry(inputs).values() if kpi.skewed}
    assert skewed == {f"{team}.{name}" for team in inputs.teams for name in ("wait_mean_minutes", "backlog_mean")}
