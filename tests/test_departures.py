"""Departures: the estimate is unbiased, more intent loses a superset, and constant hazards give survival curves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from small import rows_where, run, small_inputs

from sim.model import departures
from sim.model.accounts import opening_table
from sim.model.community import Forum
from sim.model.inputs import DISCONNECTION, DOWNTURN, DRIVERS, Inputs
from sim.model.ledger import MIDTERM, RENEWAL, RESOLVED, History, Ledger
from sim.model.lifecycle import Lifecycle
from sim.model.luck import Luck, key_of
from sim.model.tick import Tick

N = 200_000
WEEK = 168.0
HALF = stats.norm.ppf(0.9995)
HAZARDS_OFF = {
    "departures.drivers.disconnection.hazard_per_year": 0,
    "departures.drivers.disengagement.hazard_per_year": 0,
    "departures.drivers.service.hazard_per_year": 0,
    "departures.drivers.competition.hazard_per_year": 0,
    "departures.drivers.downturn.hazard_per_year": 0,
    "departures.drivers.downturn.shock_probability_per_quarter": 0,
    "departures.drivers.competition.moves": None,
}

BY_HAND = {
    "departures.drivers.disconnection": {
        "hazard_per_year": 0.26, "exponent": 3, "save_probability": 0.35, "sponsor_lost_factor": 2.5,
    },
    "departures.drivers.disengagement": {"hazard_per_year": 0.33, "exponent": 3, "save_probability": 0.35},
    "departures.drivers.service": {"hazard_per_year": 0.24, "exponent": 2, "save_probability": 0.45},
    "departures.drivers.downturn.hazard_per_year": 0.012,
    "departures.drivers.downturn.shock_factor": 2,
    "departures.drivers.downturn.save_probability": 0.10,
    "departures.drivers.competition": {
        "hazard_per_year": 0.03, "known_value_shield": 0.6, "save_probability": 0.25,
        "moves": {"probability_per_quarter": 0.06, "factor": 1.5, "quarters": 3},
    },
    "departures.firefight_contacts": 4,
}  # fmt: skip


@pytest.mark.parametrize("a", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(("p_notice", "p_end"), [(0.0, 0.0), (0.05, 0.06), (0.1, 0.3), (0.6, 0.62), (0.9, 0.95)])
@pytest.mark.parametrize(("save", "nominal"), [(0.0, 0.4), (0.2, 0.4), (0.4, 0.4), (0.9, 0.9)])
def test_the_expectation_of_the_estimate_is_the_chance_of_leaving(
    a: float, p_notice: float, p_end: float, save: float, nominal: float
) -> None:
    ones = np.ones(N)
    u_announce, u_save, u_renew = Luck(7, 0).uniforms(("announce", "save", "renew"), key_of(np.arange(N), 1))
    announced = u_announce < a * p_notice
    left, expected, probability = departures.settle(
        p_end * ones, p_notice * ones, announced, save * ones, nominal * ones, a * ones, u_save, u_renew
    )
    told = a * p_notice
    chance = told * (1 - save) + max(0.0, p_end - told)
    for what, values in (("estimate", expected), ("probability", probability), ("departures", left.astype(float))):
        half = HALF * values.std() / np.sqrt(N) + 1e-12
        assert abs(values.mean() - chance) < half, (
            f"the mean {what} is {values.mean():.5f}, not {chance:.5f} ± {half:.5f}"
        )
    if save == 0 or a == 0:
        assert chance == pytest.approx(p_end), "with nobody saved it is the chance by intent"
    assert ((probability >= 0) & (probability <= 1)).all(), "probabilities are in [0, 1]"


def test_the_estimate_has_less_luck_in_it_than_what_happened() -> None:
    u = Luck(7, 1).uniforms(("announce", "save", "renew", "p"), key_of(np.arange(N), 1))
    p = 0.05 + 0.2 * u[3]
    half, announced = np.full(N, 0.5), u[0] < 0.5 * p
    left, expected, _ = departures.settle(p, p, announced, 0.4 * half, 0.8 * half, half, u[1], u[2])
    assert expected.var() < left.var() / 5, "the estimate's variance is a small part of that of the departures"


def test_more_intent_loses_a_superset_of_the_accounts() -> None:
    u = Luck(7, 2).uniforms(("announce", "save", "renew", "p", "more"), key_of(np.arange(N), 1))
    zero, nothing = np.zeros(N), np.zeros(N, dtype=bool)
    lower, higher = 2 * u[3], 2 * u[3] + u[4]
    left = [
        departures.settle(departures.leave_probability(i), zero, nothing, zero, zero, zero, u[1], u[2])[0]
        for i in (lower, higher)
    ]
    assert (left[0] <= left[1]).all(), "who leaves with less intent leaves with more"
    assert left[0].sum() < left[1].sum(), "and some leave in addition"
    told = [u[0] < 0.5 * departures.leave_probability(i) for i in (lower, higher)]
    assert (told[0] <= told[1]).all(), "who announces with less intent announces with more"
    a_half = np.full(N, 0.5)
    saves = [departures.settle(a_half, zero, ~nothing, s * a_half, a_half, a_half, u[1], u[2])[0] for s in (0.4, 1.6)]
    assert (saves[1] <= saves[0]).all(), "more firefighting loses a subset"


def test_driver_shares_add_up_to_one_or_to_nothing() -> None:
    intent = Luck(7, 3).uniforms(DRIVERS, key_of(np.arange(1000), 1))
    intent[:, :10] = 0.0
    total = departures.driver_shares(intent).sum(axis=0)
    assert (total[:10] == 0).all(), "without intent nothing is attributed"
    assert total[10:] == pytest.approx(1.0, abs=1e-15), "shares add up to 1, to the last digit of five numbers"


def test_hazards_by_hand() -> None:
    rules = small_inputs(BY_HAND).phases[0].departures
    states = np.array([[0.5, 1.0], [0.4, 1.0], [0.2, 1.0]])  # adoption, satisfaction, executive contact
    yes_no = np.array([True, False])
    found = departures.hazards(states, yes_no, 1.0 + yes_no, yes_no, yes_no, np.array([2.0, 1.0]), rules) * 365.25 / 7
    by_hand = [0.26 * 0.8**3 * 2.5 * 2, 0.33 * 0.5**3 * 2 * 2, 0.24 * 0.6**2 * 2]
    by_hand += [0.012 * 2 * 2, 0.03 * (1 - 0.6 * 0.2) * 1.5 * 2]
    assert found[:, 0] == pytest.approx(by_hand), (
        "hazard x (1 - state)^exponent x sponsor, onboarding, shock or shield x tier"
    )
    assert found[:, 1] == pytest.approx([0, 0, 0, 0.012, 0.012]), "full states leave downturn and competition only"


def test_saves_by_hand() -> None:
    rules = small_inputs(BY_HAND).phases[0].departures
    shares = np.zeros((5, 3))
    shares[DISCONNECTION], shares[DOWNTURN] = 0.6, 0.4
    nominal = departures.nominal_save_probability(shares, rules)
    save = departures.save_probability(shares, np.array([0, 3, 9]), rules)
    assert nominal == pytest.approx([0.25] * 3), "0.6 x 0.35 + 0.4 x 0.10, had everything been done"
    assert save == pytest.approx([0.0, 0.25 * 3 / 4, 0.25]), "in the share of the four contacts that were finished"


def lifecycle(inputs: Inputs) -> Lifecycle:
    table = opening_table(inputs.book, inputs.phases[0], Luck(1, 0), 0.6, 0.6, 0.0)
    return Lifecycle(inputs, table, Forum(), Luck(1, 0), Ledger())


def test_the_nominal_chance_of_a_save_is_fixed_before_the_announcement_is_drawn() -> None:
    """What firefighting does to the drivers afterwards must not enter the estimate's control, or it is biased."""
    expected = []
    for driver in (DISCONNECTION, DOWNTURN):
        inputs = small_inputs({"tiers.small.accounts": 200, "mechanisms.expansion": False})
        phase, accounts = inputs.phases[0], lifecycle(inputs)
        table = accounts.table
        table.term_months[:] = 12
        table.renewal[:] = 9 * WEEK
        table.intent[DISCONNECTION] = 0.3
        accounts.give_notice(0.0, phase)
        silent = np.flatnonzero(~table.announced)
        assert len(silent) > 100, "many stay silent"
        table.intent[driver] += 0.1
        accounts.settle(Tick(9 * WEEK, 1.0, 9), phase)
        events = accounts.rows.ledger.account_events.table()
        mine = rows_where(events, (events["event"] == RENEWAL) & ~events["announced"])
        expected.append(mine["expected"])
    assert (expected[0] == expected[1]).all(), (
        f"the same notice and the same intent at the end give {expected[0][0]:.5f} or {expected[1][0]:.5f}, "
        "by which driver grew after the notice"
    )


def churn_errors(history: History, accounts: int, weeks: int) -> tuple[float, float]:
    """Expected less realised, of yearly logo churn and of the ARR lost (in millions)."""
    events = history.account_events
    rows = rows_where(events, np.isin(events["event"], (RENEWAL, MIDTERM)))
    error = rows["expected"] - rows["left"]
    return float(error.sum() / accounts / weeks * 52), float((error * rows["arr_before_cents"]).sum() / 1e8)


@pytest.mark.slow
@pytest.mark.parametrize(("firefighting", "midterm_share"), [(True, 0.05), (False, 0.05), (True, 1.0)])
def test_expected_less_realised_churn_has_zero_in_its_interval_over_200_replications(
    firefighting: bool, midterm_share: float
) -> None:
    inputs = small_inputs(
        {
            "weeks": 70,
            "tiers.enterprise.accounts": 15,
            "tiers.midmarket.accounts": 40,
            "tiers.small.accounts": 65,
            "teams.csm.headcount": 2,
            "teams.support.headcount": 2,
            "categories.how_to.contacts_per_account_month": 0.1,
            "categories.break_fix.contacts_per_account_month": 0.1,
            "categories.billing.contacts_per_account_month": 0,
            "categories.relationship.contacts_per_account_month": 0.1,
            "playbooks.small": {},
            "departures.midterm_share": midterm_share,
            "mechanisms.firefighting": firefighting,
        }
    )
    errors = np.array([churn_errors(run(inputs, 1, r), 120, 70) for r in range(200)])
    for what, values in (("yearly logo churn", errors[:, 0]), ("ARR lost, millions", errors[:, 1])):
        half = stats.t.ppf(0.9995, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        assert half > 0, "the estimate is not what happened"
        assert abs(values.mean()) < half, f"{what}: expected less realised is {values.mean():.5f} ± {half:.5f}, not 0"


def test_who_stays_silent_and_who_announces_settle_at_the_contracts_end_alike() -> None:
    """Between notice and contract end nobody leaves mid-term: if only silent ones could, the estimate's control would
    be settled for those who announced and dropped for some who did not, and expected churn would be too low.
    """
    inputs = small_inputs({"tiers.small.accounts": 300, "departures.midterm_share": 1.0})
    phase, accounts = inputs.phases[0], lifecycle(inputs)
    table = accounts.table
    table.term_months[:] = 12
    table.renewal[:] = 9 * WEEK
    accounts.give_notice(0.0, phase)
    assert table.notice_drawn.all(), "all are at notice"
    table.intent += 0.2
    for week in range(1, 9):
        accounts.settle(Tick(week * WEEK, 1.0, week), phase)
    assert table.active.all(), f"{(~table.active).sum()} left mid-term after their notice was drawn"


@pytest.mark.parametrize("firefighting_switch", [True, False])
@pytest.mark.parametrize("announce_share", [0.0, 0.8])
def test_a_constant_hazard_alone_gives_the_exponential_survival_curve(
    announce_share: float, firefighting_switch: bool
) -> None:
    if announce_share and firefighting_switch:
        announce_share = 0.0  # saves would change the curve; nothing else may
    inputs = small_inputs(
        HAZARDS_OFF
        | {f"mechanisms.{name}": False for name in ("growth", "expansion", "sponsor_loss", "burnout", "turnover")}
        | {
            "weeks": 60,
            "accounts.warm_up_weeks": 0,
            "mechanisms.firefighting": firefighting_switch,
            "departures.drivers.competition.hazard_per_year": 1.0,
            "departures.drivers.competition.known_value_shield": 0,
            "departures.announce_share": announce_share,
            "departures.midterm_share": 0,
            "departures.opening_intent_factor": 0,
            "categories.how_to.contacts_per_account_month": 0,
            "categories.break_fix.contacts_per_account_month": 0,
            "categories.billing.contacts_per_account_month": 0,
            "categories.relationship.contacts_per_account_month": 0,
            "playbooks": {},
            **{
                f"tiers.{tier}.{key}": value
                for tier in ("enterprise", "midmarket", "small")
                for key, value in (("departure_factor", 1), ("accounts", 2000), ("term_months", {1: 0.5, 12: 0.5}))
            },
        }
    )
    history = run(inputs)
    events, accounts = history.account_events, history.accounts
    rows = rows_where(events, events["event"] == RENEWAL)
    weeks = np.ceil(rows["time"] / WEEK)  # settled at the first tick on or after the date
    term = accounts["term_months"][rows["account"]]
    before = np.zeros(len(accounts["id"]))
    for row in np.argsort(rows["time"], kind="stable").tolist():
        account = rows["account"][row]
        rows["probability"][row] = weeks[row] - before[account]  # weeks of hazard behind this decision
        before[account] = weeks[row]
    for months in (1, 12):
        mine = term == months
        chance = 1 - np.exp(-rows["probability"][mine] * 7 / 365.25)
        left = int(rows["left"][mine].sum())
        half = HALF * np.sqrt((chance * (1 - chance)).sum())
        assert mine.sum() > 2500, "enough contracts end"
        assert abs(left - chance.sum()) < half, (
            f"{months} months: {left} leave, expected {chance.sum():.0f} ± {half:.0f} at a hazard of 1 a year"
        )
    monthly = accounts["term_months"] == 1
    still = int((accounts["arr_cents"][monthly] > 0).sum())
    p = np.exp(-before[monthly & (accounts["arr_cents"] > 0)].mean() * 7 / 365.25)
    low, high = stats.binom.ppf([0.0005, 0.9995], int(monthly.sum()), p)
    assert low <= still <= high, f"{still} monthly customers are still there, not {low:.0f} to {high:.0f}"


def test_what_was_finished_of_the_firefighting_is_in_the_ledger_of_contacts_too() -> None:
    inputs = small_inputs(
        {
            "weeks": 40,
            "tiers.small.accounts": 60,
            "tiers.small.term_months": {12: 1.0},
            "departures.announce_share": 1.0,
            "departures.opening_intent_factor": 5.0,
            "categories.firefight.resolution_probability": 0.6,
        }
    )
    history = run(inputs)
    contacts, events = history.contacts, history.account_events
    firefights = contacts["category"] == inputs.categories.index("firefight")
    done = rows_where(contacts, firefights & (contacts["outcome"] == RESOLVED))
    told = rows_where(events, (events["event"] == RENEWAL) & events["announced"])
    needed = inputs.phases[0].departures.firefight_contacts
    settled = np.ceil(told["time"] / WEEK) * WEEK
    count = [
        np.sum((done["account"] == account) & (done["ended"] <= hour))
        for account, hour in zip(told["account"], settled, strict=True)
    ]
    assert told["firefighting_finished"].tolist() == pytest.approx([n / needed for n in count])
    assert len(set(count)) > 2, "some of it was finished, some was not"
    silent = (events["event"] != RENEWAL) | ~events["announced"]
    assert not events["firefighting_finished"][silent].any(), "who had not announced needed none"
