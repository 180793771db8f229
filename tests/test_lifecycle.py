"""What happens to accounts beside contacts and contracts, each by hand in a company in which little else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small import NOTHING_HAPPENS, run, same_bits, small_inputs, tables_of

from sim.model import ledger
from sim.model.account_rules import HealthRules, WinbackRules
from sim.model.departures import renewed_seats, won_back
from sim.model.health import AT_RISK, HEALTHY, WATCH, health, plans_due, seen, signals, status
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_costs import costs
from sim.study.kpi_money import weekly_contribution
from sim.study.kpi_parts import arr_path, decisions
from sim.study.kpis import compute, window

WEEK = 168.0
RULES = HealthRules(
    weights=(0.5, 0.3, 0.2),
    at_risk_below=0.4,
    healthy_above=0.7,
    signal_lag_weeks=4.0,
    signal_noise=0.1,
    plan_contacts=1,
    plan_every_weeks=10.0,
)
FOR_SURE = {
    f"departures.drivers.{name}.hazard_per_year": 0 for name in ("disconnection", "disengagement", "service")
} | {
    "departures.drivers.downturn.hazard_per_year": 0,
    "departures.drivers.competition.hazard_per_year": 20.0,
    "departures.drivers.competition.known_value_shield": 0.0,
    "departures.drivers.competition.moves": None,
    "tiers.small.term_months": {1: 1.0},
    "tiers.small.departure_factor": 3.0,
}


STEADY = {
    "accounts.warm_up_weeks": 0,
    "accounts.health.signal_lag_weeks": 0,
    "accounts.health.at_risk_below": 0.5,
    "accounts.adoption.growth_per_week": 0,
    "accounts.executive_contact.half_life_weeks": 500,
}


def events_of(history: History, kind: int) -> np.ndarray:
    return np.flatnonzero(history.account_events["event"] == kind)


def on(*mechanisms: str, **overrides: Any) -> Inputs:
    """A company in which nothing happens but these mechanisms."""
    return small_inputs(NOTHING_HAPPENS | {f"mechanisms.{name}": True for name in mechanisms} | overrides)


def test_of_who_works_with_the_product_a_share_logs_in_in_a_week() -> None:
    share = "accounts.adoption.weekly_login_share"
    changes = [{"from": "2026-02-02", "set": {share: 0.25}}]
    inputs = small_inputs({share: 0.5, "changes": changes, "window": {"from_week": 0, "to_week": 4}})
    history = run(inputs)
    weeks, kpis = history.tier_weeks, compute(history, inputs)
    expected = np.where(weeks["week"] < 4, 0.5, 0.25)
    assert weeks["logins_sum"] == pytest.approx(expected * weeks["licences_used_sum"]), "by the rules of the week"
    assert kpis["login_rate_mean"] == pytest.approx(0.5 * (kpis["licence_use_mean"] or 0.0))


# --- health -------------------------------------------------------------------------------------------------


def test_the_score_is_weighted_and_its_status_has_a_name() -> None:
    states = np.array([[1.0, 0.5, 0.0], [1.0, 0.5, 0.5], [1.0, 0.5, 0.0]])
    scores = health(states, RULES)
    assert scores == pytest.approx([1.0, 0.5, 0.15])
    assert status(scores, RULES).tolist() == [HEALTHY, WATCH, AT_RISK]


def test_what_the_company_sees_follows_late_and_arrives_in_the_end() -> None:
    truth, sight = np.array([0.2]), np.array([0.8])
    for week in range(1, 5):
        sight = seen(sight, truth, RULES, 1.0)
        assert sight[0] == pytest.approx(0.2 + 0.6 * np.exp(-week / 4)), "an exponential delay of 4 weeks"
    days = np.array([0.8])
    for _ in range(28):
        days = seen(days, truth, RULES, 1 / 7)
    assert days == pytest.approx(sight), "28 days are 4 weeks"


def test_noisy_signals_err_both_ways_by_a_share_of_the_score() -> None:
    score, z = np.array([0.5, 0.5, 0.5, 0.9, 0.2]), np.array([0.0, 1.0, -2.0, 2.0, -11.0])
    assert signals(score, z, RULES) == pytest.approx([0.5, 0.55, 0.4, 1.0, 0.0]), "never beyond the ends"


def test_without_noise_nothing_changes_and_with_it_alarms_are_false_and_missed() -> None:
    histories = {noise: run(on(**STEADY | {"accounts.health.signal_noise": noise})) for noise in (None, 0, 0.2)}
    plain, silent, noisy = (tables_of(one) for one in histories.values())
    assert not any(same_bits(plain[name], silent[name]) for name in plain), "no noise is no draw"
    for name, moved in (("contacts", []), ("accounts", []), ("account_events", ["seen_health"])):
        assert same_bits(noisy[name], plain[name]) == moved, "signals that nobody acts on move nothing else"
    assert (plain["tier_weeks"]["looks_at_risk"] == plain["tier_weeks"]["at_risk"]).all(), (
        "what is seen at once is true"
    )
    weeks = {name: noisy["tier_weeks"][name].sum() for name in ("at_risk", "looks_at_risk", "false_alarms")}
    assert weeks["false_alarms"] > 0
    assert weeks["looks_at_risk"] - weeks["false_alarms"] < weeks["at_risk"], "some that are at risk look better"


def test_noise_is_one_draw_a_week_however_often_the_accounts_tick() -> None:
    calls = ("how_to", "break_fix", "billing", "relationship")
    silence = {"playbooks": {}} | {f"categories.{name}.contacts_per_account_month": 0 for name in calls}
    flagged = []
    for days in (1, 7):
        noisy = {"accounts.health.signal_noise": 0.2, "accounts.tick_days": days}
        weeks = run(on(**STEADY | silence | noisy)).tier_weeks
        flagged.append(weeks["looks_at_risk"])
    assert flagged[0].sum() > 0
    assert (flagged[0] == flagged[1]).all(), "the same accounts look at risk; new luck each day would show others"


def test_an_action_plan_needs_a_low_score_and_a_pause() -> None:
    due = plans_due(np.array([0.39, 0.41, 0.39, 0.39]), np.array([-np.inf, -np.inf, 5.0, 6.0]), 15, RULES)
    assert due.tolist() == [True, False, True, False]


def test_accounts_that_look_at_risk_get_plans_and_one_contact_each_from_their_owner() -> None:
    all_of_them = {"accounts.health.at_risk_below": 0.99, "accounts.health.healthy_above": 1.0}
    inputs = on("action_plans", **(all_of_them | {"accounts.warm_up_weeks": 0, "teams.csm.headcount": 6}))
    history = run(inputs)
    plans = events_of(history, ledger.PLAN_OPENED)
    rows = history.contacts["category"] == inputs.categories.index("action_plan")
    there = len(history.accounts["id"])
    assert len(plans) == there, "one each in the first week, and the next after 26"
    assert rows.sum() == there
    assert (history.contacts["team"][rows] == inputs.teams.index("csm")).all()


def test_an_account_that_leaves_before_its_signals_are_seen_looked_healthy() -> None:
    late = {"accounts.health.signal_lag_weeks": 104, "accounts.warm_up_weeks": 0, "weeks": 26}
    worse = {"accounts.adoption.opening": 0.95, "accounts.executive_contact.opening": 0.95}
    sinking = {"accounts.executive_contact.half_life_weeks": 1, "accounts.adoption.neglect_per_week": 0.5}
    shares = []
    for lag in (0, 104):
        inputs = on("churn", **(FOR_SURE | late | worse | sinking | {"accounts.health.signal_lag_weeks": lag}))
        shares.append(compute(run(inputs), inputs)["unseen_churn_share"])
    assert shares[1] > 0.9 > 0.5 > shares[0], f"{shares}: seen late, those who leave still look healthy"


# --- onboarding ---------------------------------------------------------------------------------------------

NEWCOMERS = {"weeks": 26, "tiers.small.new_accounts_per_year": 100, "accounts.onboarding.weeks": 4}
NEVER_DONE = {"categories.onboarding.resolution_probability": 0}


def test_an_onboarding_of_which_nothing_is_done_fails_and_is_judged_once() -> None:
    history = run(on("growth", "onboarding_failure", "expiry", **(NEWCOMERS | NEVER_DONE)))
    failed = history.account_events["account"][events_of(history, ledger.ONBOARDING_MISSED)]
    old = np.flatnonzero((history.accounts["started"] >= 0) & (history.accounts["started"] <= 22 * WEEK))
    assert len(old) > 10
    assert set(old) <= set(failed.tolist()), "nothing of it was ever done"
    assert len(set(failed.tolist())) == len(failed), "each is judged once"


def test_an_onboarding_that_is_done_does_not_fail_and_one_that_failed_drives_accounts_away() -> None:
    done = run(on("growth", "onboarding_failure", **(NEWCOMERS | {"teams.csm.headcount": 6})))
    assert len(events_of(done, ledger.ONBOARDING_MISSED)) == 0
    assert len(events_of(done, ledger.ONBOARDING_DONE)) > 10
    intent = []
    for factor in (1.0, 3.0):
        failing = {
            **NEVER_DONE,
            "accounts.onboarding.disengagement_factor": factor,
            "accounts.onboarding.made_good_above": 1.0,
            "tiers.small.term_months": {12: 1.0},
        }
        history = run(on("growth", "churn", "onboarding_failure", "expiry", **(NEWCOMERS | failing)))
        new = (history.accounts["started"] >= 0) & (history.accounts["started"] <= 10 * WEEK)
        new &= history.accounts["arr_cents"] > 0
        intent.append(history.accounts["disengagement"][new].sum())
    assert intent[1] > 1.5 * intent[0], "most of their life comes after the judgement, at three times the hazard"


# --- win-back, growth ---------------------------------------------------------------------------------------


def test_the_chance_to_return_is_the_share_of_the_work_done() -> None:
    rules = WinbackRules(after_weeks=8, contacts=2, probability=0.5, arr_share=0.8, cost_per_arr=0.2)
    done, u = np.array([0, 1, 2, 5, 1]), np.array([0.0, 0.24, 0.49, 0.49, 0.26])
    assert won_back(done, u, rules).tolist() == [False, True, True, True, False]


def test_lost_accounts_return_with_part_of_their_arr_at_a_price() -> None:
    sure = {
        "weeks": 20,
        "departures.winback": {
            "after_weeks": 1,
            "contacts": 1,
            "probability": 1,
            "arr_share": 0.5,
            "cost_per_arr": 0.3,
        },
        "categories.winback.window_weeks": 2,
        "categories.winback.priority": 0,
        "teams.csm.headcount": 6,
    }
    inputs = on("churn", "winback", **(FOR_SURE | sure))
    history = run(inputs)
    events = history.account_events
    back = events_of(history, ledger.WON_BACK)
    assert len(back) > 5
    first = int(back[0])
    earlier = (events["account"] == events["account"][first]) & (events["time"] < events["time"][first])
    loss = np.flatnonzero(earlier & events["left"])[-1]
    assert events["arr_after_cents"][first] == round(events["arr_before_cents"][loss] * 0.5)
    ticks = (events["time"][first] - np.ceil(events["time"][loss] / WEEK) * WEEK) / WEEK
    assert ticks == 3, "a week until it begins, and two for the work"
    values = compute(history, inputs)
    assert values["cac_spent"] == pytest.approx(0.3 * events["arr_after_cents"][back].sum() / 100)
    span = window(inputs)
    ended, path = decisions(history, span), arr_path(history)
    weekly = weekly_contribution(path, ended, costs(history, inputs, span), inputs, span, realised=False)
    assert weekly.sum() == pytest.approx(values["contribution"]), "the weeks add up, win-backs included"
    assert values["won_back_arr"] == pytest.approx(events["arr_after_cents"][back].sum() / 100)


def test_growth_brings_its_share_of_seats_and_a_larger_account_moves_up() -> None:
    rules = small_inputs({"departures.expansion.seats_share": 0.5}).phases[0].departures
    seats = renewed_seats(np.array([10.0, 10.0, 1.0]), np.array([100, 100, 100]), np.array([140, 60, 10]), rules)
    assert seats == pytest.approx([12.0, 6.0, 1.0]), "half of the growth, all of a contraction, one seat at least"
    inputs = on("expansion", **{"tiers.small.upgrade.arr_above": 1, "tiers.small.term_months": {1: 1.0}, "weeks": 12})
    history = run(inputs)
    up = events_of(history, ledger.UPGRADED)
    small, above = inputs.tiers.index("small"), inputs.tiers.index("midmarket")
    assert (history.account_events["tier"][up] == above).all()
    assert len(up) > 0
    assert (history.accounts["tier"] == small).sum() == 0, "each small account renewed at least once, and moved"


# --- outages, timing ----------------------------------------------------------------------------------------


def test_an_outage_costs_every_account_its_share_and_brings_more_contacts_in_its_week() -> None:
    often = {
        "accounts.outages.per_year": 20,
        "accounts.outages.adoption_loss": 0.2,
        "accounts.outages.satisfaction_loss": 0.0,
        "accounts.outages.more_contacts": 5.0,
        "accounts.low_adoption_factor": 0,
        "accounts.warm_up_weeks": 0,
        "teams.csm.headcount": 6,
        "teams.support.headcount": 6,
    }
    inputs = on("outages", **often)
    with_outages, without = run(inputs), run(on(**often))
    weeks = with_outages.tier_weeks
    outages = weeks["outages"][weeks["tier"] == 0]
    assert 0 < outages.sum() < 20
    assert without.tier_weeks["outages"].sum() == 0
    calls = inputs.categories.index("break_fix")
    for week, count in enumerate(outages.tolist()):
        born = [
            (h.contacts["born"] // WEEK == week) & (h.contacts["category"] == calls) for h in (with_outages, without)
        ]
        assert (born[0].sum() > born[1].sum()) == (count > 0), f"week {week} has {count} outages"
    first = int(np.flatnonzero(outages)[0])
    adoption = [h.tier_weeks["adoption_sum"][h.tier_weeks["week"] == first].sum() for h in (with_outages, without)]
    kept = 0.8 ** outages[first]
    assert adoption[0] / adoption[1] == pytest.approx(kept, rel=0.05), "the drift of half a week acts on less adoption"


def test_an_outage_of_some_tiers_leaves_the_others_as_they_were() -> None:
    often = {"accounts.outages.per_year": 30, "accounts.outages.more_contacts": 5.0, "accounts.warm_up_weeks": 0}
    everybody, some = (run(on("outages", **often | {"accounts.outages.tiers": one})) for one in (None, ["small"]))
    nobody = run(on(**often))
    small = small_inputs().tiers.index("small")
    for hit, like in ((True, everybody), (False, nobody)):
        rows, others = (history.tier_weeks for history in (some, like))
        mine = (rows["tier"] == small) == hit
        assert (rows["outages"][mine] == others["outages"][mine]).all()
        calls, same = (
            np.sort(h.contacts["born"][((h.contacts["tier"] == small) == hit) & (h.contacts["attempt"] == 0)])
            for h in (some, like)
        )
        first = np.flatnonzero(everybody.tier_weeks["outages"])[0] // 3 * WEEK + WEEK
        assert (calls[calls < first] == same[same < first]).all(), (
            "until the first outage is over all is as it was there"
        )
    assert some.tier_weeks["outages"].sum() > 0


def test_who_comes_after_an_outage_has_not_suffered_from_it() -> None:
    often = {"accounts.outages.per_year": 52, "accounts.outages.adoption_loss": 0.2, "weeks": 20}
    history = run(on("outages", "growth", **(often | {"tiers.small.new_accounts_per_year": 200})))
    last = history.accounts["started"] == 19 * WEEK
    assert last.any(), "else the test shows nothing"
    fresh = history.accounts["adoption"][last]
    down = history.tier_weeks["outages"][-1]
    assert fresh.min() > 0.15 * 0.8**down * 0.95, "only the outages of its own week count, and a week's drift"


def test_planned_work_harms_only_who_waits_for_an_answer() -> None:
    harmed = []
    for calls in (10.0, 0.0):
        sure = {"accounts.ill_timed.probability": 1.0, "teams.csm.headcount": 6, "accounts.warm_up_weeks": 0}
        rates = {f"categories.{name}.contacts_per_account_month": calls for name in ("how_to", "break_fix", "billing")}
        history = run(on("ill_timed", **(sure | rates | {"categories.relationship.contacts_per_account_month": 0})))
        harmed.append(len(events_of(history, ledger.ILL_TIMED)))
    assert harmed[0] > 0, "one person in Support leaves answers overdue while the CSMs go on with their plans"
    assert harmed[1] == 0, "nobody waits who does not call"


# --- playbooks, ticks ---------------------------------------------------------------------------------------


def test_work_before_a_renewal_may_come_at_several_times() -> None:
    thirds = {"playbooks.small.renewal": {"weeks_before_renewal": [13, 9, 4]}, "tiers.small.term_months": {12: 1.0}}
    inputs = on(**(thirds | {"weeks": 20, "teams.csm.headcount": 6}))
    history = run(inputs)
    rows = history.contacts["category"] == inputs.categories.index("renewal")
    rows &= history.contacts["tier"] == inputs.tiers.index("small")
    renewal, opening = inputs.book.renewal, inputs.book.tier == inputs.tiers.index("small")
    begins = [renewal[opening] - lead * WEEK for lead in (13, 9, 4)]
    due = sum(int(((begin >= 0) & (begin < 20 * WEEK)).sum()) for begin in begins)
    assert rows.sum() == due, "each small account of the book at each of the three times that lie in the run"
    single = on(**{"playbooks.small.renewal": {"weeks_before_renewal": 13}})
    assert len([p for p in single.phases[0].playbooks.before_renewal if p[0] == 2]) == 1, "one number is a list of one"


@pytest.mark.slow
def test_ticks_of_a_day_and_of_a_week_agree_on_the_headline_figures() -> None:
    """The step of the accounts' clock is no rule of the model: it may move a headline KPI by less than what matters."""
    from sim.model.compile import compile_inputs
    from sim.model.replication import replicate
    from sim.scenario import load_scenario
    from sim.study.kpis import HEADLINE, registry

    weekly, daily = (
        compile_inputs(load_scenario("scenarios/baseline.yaml", {"accounts.tick_days": d})) for d in (7, 1)
    )
    by_week, by_day = (
        [compute(next(replicate(inputs, [inputs], 1, r)), inputs) for r in range(20)] for inputs in (weekly, daily)
    )
    meanings = registry(weekly)
    for name in HEADLINE:
        one, other = (np.array([values[name] for values in found], dtype=float) for found in (by_week, by_day))
        matters = meanings[name].size_that_matters(float(one.mean()))
        assert abs((other - one).mean()) < matters, f"{name}: {one.mean():.5g} by week, {other.mean():.5g} by day"
