"""Customers against theory: survival curves, contracts that gate the exit, drivers' shares, balance, twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from balance import in_balance
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from scipy import special, stats
from small import inputs_of, put, run, small_inputs, values_of

from sim.model.inputs import DRIVERS, HOURS_PER_MONTH, WEEKS_PER_YEAR, Inputs
from sim.model.ledger import RENEWAL, History
from sim.study.kpis import compute
from sim.theory.survival import survival

WEEK = 168.0
ERRS = 0.001  # each test here may fail a right engine once in a thousand seeds
HAZARDS = {"downturn": 0.4, "competition": 0.7}
# Nobody calls, no state moves, so that each driver's hazard stays what it is.
STILL: dict[str, Any] = {
    "accounts.warm_up_weeks": 0,
    "accounts.executive_contact.start": 0,
    "accounts.executive_contact.opening": 0,
    "categories.call.contacts_per_account_month": 0,
    "mechanisms.churn": True,
}


def textbook(overrides: dict[str, Any]) -> Inputs:
    """A company in which nothing happens but departures."""
    return inputs_of(put(values_of("textbook/base.yaml"), STILL | overrides))


# Few contacts: what is asked of these companies is who leaves.
QUIET: dict[str, Any] = {
    **{f"categories.{name}.contacts_per_account_month": 0.1 for name in ("how_to", "break_fix", "relationship")},
    "categories.billing.contacts_per_account_month": 0,
    "playbooks.small": {},
}


# --- the survival curve -------------------------------------------------------------------------------------


def lifetimes(history: History, weeks: int) -> tuple[list[float], list[float]]:
    """Weeks as a customer of those won in the run, up to the tick that settles: of who left, and of who is there."""
    events, accounts = history.account_events, history.accounts
    left = events["left"]
    ticks = np.ceil(events["time"][left] / WEEK)
    started = accounts["started"] / WEEK
    gone = events["account"][left]
    still = np.setdiff1d(np.arange(len(started)), gone)
    assert (accounts["opening_arr_cents"] == 0).all(), "all of them were won in the run"
    return (ticks - started[gone]).tolist(), (weeks - started[still]).tolist()


def hall_wellner_distance(
    left: list[float], still: list[float], gates: np.ndarray, hazard_per_year: float
) -> tuple[float, int]:
    """How far the Kaplan-Meier curve is from theory's, in units of the Hall-Wellner band; and how many accounts.

    gates : ages in weeks at which contracts end, the only ones at which one can leave.

    Notes
    -----
    Accounts come in every week and the run ends for all at once, so that most are censored. A band for the plain
    empirical curve (Dvoretzky-Kiefer-Wolfowitz) would have to drop those; Hall and Wellner's (1980) is for the
    Kaplan-Meier curve with independent censoring, which a start date drawn by luck is. With S the curve and G its
    Greenwood sum over the gates, sqrt(n) (estimate - S) / (S (1 + n G)) tends to a Brownian bridge at n G / (1 + n G).
    Variances are those under theory. The curve is looked at in the gates only, where an exit that the contract
    delays has happened; a bridge in some points goes less far than in all, so that the band errs less often than
    it says.
    """
    sample = stats.CensoredData(uncensored=left, right=still)
    curve = stats.ecdf(sample).sf
    assert set(left) <= set(gates.tolist()), "who leaves does so at a contract's end"
    ages = np.array(left + still)
    at_risk = np.array([(ages >= gate).sum() for gate in gates])
    gates = gates[at_risk >= 100]  # the limit wants many
    at_risk = at_risk[at_risk >= 100]
    theory = np.array([survival(hazard_per_year, gate / WEEKS_PER_YEAR) for gate in gates])
    stays = theory / np.concatenate([[1.0], theory[:-1]])
    greenwood = np.cumsum((1 - stays) / stays / at_risk)
    n = len(ages)
    distance = np.sqrt(n) * np.abs(curve.evaluate(gates) - theory) / (theory * (1 + n * greenwood))
    return float(distance.max()), n


@pytest.mark.parametrize(
    ("term", "weeks", "new", "announce_share", "hazards"),
    [
        (1, 40, 4000, 0.0, {"downturn": 2.0, "competition": 4.0}),
        (12, 170, 1200, 0.8, HAZARDS),
        (3, 60, 2500, 0.0, {"disconnection": 0.9, "disengagement": 2.4, "service": 1.2}),
    ],
    ids=["monthly contracts", "yearly ones, four in five announce", "three months, states that stand still"],
)
def test_the_kaplan_meier_curve_of_a_constant_hazard_lies_in_a_99_9_percent_band_around_theory(
    term: int, weeks: int, new: int, announce_share: float, hazards: dict[str, float]
) -> None:
    """Theory is exp(-sum of the hazards x age) at every age at which a contract ends."""
    inputs = textbook(
        {
            "weeks": weeks,
            "tiers.all.accounts": 0,
            "tiers.all.new_accounts_per_year": new,
            "tiers.all.term_months": {term: 1.0},
            "mechanisms.growth": True,
            "departures.announce_share": announce_share,
            **{f"departures.drivers.{name}.hazard_per_year": hazard for name, hazard in hazards.items()},
        }
    )
    total = sum(hazards[name] * {"disengagement": 0.5, "service": 0.5}.get(name, 1.0) for name in hazards)  # 1 - state
    left, still = [], []
    for replication in range(4):
        more = lifetimes(run(inputs, 1, replication), weeks)
        left += more[0]
        still += more[1]
    gates = np.ceil(np.arange(1, int(weeks * WEEK / HOURS_PER_MONTH / term) + 1) * term * HOURS_PER_MONTH / WEEK)
    far, n = hall_wellner_distance(left, still, gates, total)
    limit = float(special.kolmogi(ERRS))  # sup of a Brownian bridge: Kolmogorov's law
    assert n > 3000, "enough accounts for the limit to hold"
    assert far < limit, f"the curve of {n} accounts is {far:.2f} from theory's; a right one is below {limit:.2f}"
    for factor in (0.9, 1.1):
        other, _ = hall_wellner_distance(left, still, gates, factor * total)
        assert other > limit, f"the band is narrow enough to show a hazard {factor} times as high ({other:.2f})"


# --- contracts gate the exit --------------------------------------------------------------------------------

YEARLY = {"enterprise": {12: 0.5, 36: 0.5}, "midmarket": {12: 0.5, 24: 0.5}, "small": {12: 1.0}}
yearly_companies = st.fixed_dictionaries(
    {
        "weeks": st.integers(20, 60),
        "accounts.book_seed": st.integers(0, 1000),
        "tiers.small.new_accounts_per_year": st.sampled_from([0, 60]),
        "departures.drivers.competition.hazard_per_year": st.sampled_from([0.1, 1.0, 5.0]),
        "departures.announce_share": st.sampled_from([0.0, 0.5, 1.0]),
        "departures.notice_weeks": st.sampled_from([1, 10, 20]),
        "mechanisms.expansion": st.booleans(),
        "mechanisms.firefighting": st.booleans(),
    }
)
FEW = settings(max_examples=10, phases=(Stage.explicit, Stage.generate), suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(yearly_companies, st.integers(0, 5))
def test_with_yearly_contracts_and_no_mid_term_exit_nobody_leaves_between_renewals(
    values: dict[str, Any], seed: int
) -> None:
    terms = {f"tiers.{tier}.term_months": months for tier, months in YEARLY.items()}
    inputs = small_inputs(QUIET | values | terms | {"departures.midterm_share": 0})
    history = run(inputs, seed)
    events, accounts = history.account_events, history.accounts
    left = events["left"]
    assert (events["event"][left] == RENEWAL).all(), "who leaves does so when a contract ends"
    book, first_exit = inputs.book, {}
    for row, time in zip(events["account"][left].tolist(), events["time"][left].tolist(), strict=True):
        first_exit.setdefault(row, time)  # whoever comes back has a contract of another date
    for row, time in first_exit.items():
        hours = float(accounts["term_months"][row]) * HOURS_PER_MONTH
        first = book.renewal[row] if row < len(book.keys) else accounts["started"][row] + hours
        terms_later = (time - first) / hours
        assert terms_later == pytest.approx(round(terms_later), abs=1e-9), (
            f"account {row} leaves {terms_later:.3f} terms after its first contract end"
        )
        assert terms_later > -0.5, "and not before that"


# --- drivers ------------------------------------------------------------------------------------------------


def test_drivers_have_the_shares_of_their_hazards_in_expected_and_realised_churn() -> None:
    """Where hazards are constant every account's intent has the hazards' shares, so there is no luck in them."""
    hazards = {"disconnection": 0.2, "disengagement": 0.6, "service": 0.4, "downturn": 0.1, "competition": 0.15}
    inputs = textbook(
        {
            "weeks": 60,
            "tiers.all.accounts": 400,
            "departures.announce_share": 0.5,
            **{f"departures.drivers.{name}.hazard_per_year": hazard for name, hazard in hazards.items()},
        }
    )
    kpis = compute(run(inputs), inputs)
    felt = {name: hazard * (0.5 if name in ("disengagement", "service") else 1.0) for name, hazard in hazards.items()}
    for name, hazard in felt.items():
        share = hazard / sum(felt.values())
        for twin in ("", "_realised"):
            found = kpis[f"churn_share.{name}{twin}"]
            assert found == pytest.approx(share, abs=1e-6), f"{name}{twin}: shares are kept in single precision"


def churn_by_driver(history: History, before: np.ndarray, after: np.ndarray, turn: int) -> np.ndarray:
    """(2, drivers): expected and realised departures of each driver, less what the hazards by hand say.

    before, after : hazards per week and driver until and from week `turn`; who leaves is shared out by what has come
    together of each since the last decision.
    """
    events = history.account_events
    rows = np.flatnonzero(events["event"] == RENEWAL)
    rows = rows[np.lexsort((events["time"][rows], events["account"][rows]))]
    tick = np.ceil(events["time"][rows] / WEEK)
    again = np.concatenate([[False], np.diff(events["account"][rows]) == 0])
    begin = np.where(again, np.concatenate([[0.0], tick[:-1]]), 0.0)
    weeks_after = np.maximum(tick, turn) - np.maximum(begin, turn)
    intent = np.outer(tick - begin - weeks_after, before) + np.outer(weeks_after, after)
    total = intent.sum(axis=1)
    shares = intent / total[:, np.newaxis]
    found = np.array([events[driver][rows] for driver in DRIVERS]).T
    assert np.abs(found - shares).max() < 1e-6, "a decision has the shares of its own weeks (single precision)"
    chance = -np.expm1(-total)
    return np.array([(events["expected"][rows] - chance) @ shares, (events["left"][rows] - chance) @ shares])


@pytest.mark.parametrize("date", ["2026-06-22", "2026-06-24"], ids=["on a Monday", "on a Wednesday"])
def test_departures_by_driver_are_those_of_hazards_that_change_on_a_date(date: str) -> None:
    """99.9 % t-intervals over replications for ten figures at once (Bonferroni), around what is worked out by hand.

    A week has the hazards of its end: the week in which they change has the new ones, the week before the old ones.
    """
    first = {"disconnection": 0.5, "disengagement": 0.2, "service": 0.2, "downturn": 0.1, "competition": 0.05}
    then = {"disconnection": 0.05, "disengagement": 0.2, "service": 1.6, "downturn": 0.1, "competition": 0.6}
    turn = 24
    inputs = textbook(
        {
            "weeks": 70,
            "tiers.all.accounts": 150,
            "departures.announce_share": 0.5,
            "departures.notice_weeks": 10,
            **{f"departures.drivers.{name}.hazard_per_year": hazard for name, hazard in first.items()},
            "changes": [
                {
                    "from": date,
                    "set": {f"departures.drivers.{name}.hazard_per_year": hazard for name, hazard in then.items()},
                }
            ],
        }
    )
    half = np.array([1.0, 0.5, 0.5, 1.0, 1.0])  # 1 - state
    weekly = [half * np.array([hazards[name] for name in DRIVERS]) / WEEKS_PER_YEAR for hazards in (first, then)]
    errors = np.array([churn_by_driver(run(inputs, 1, r), weekly[0], weekly[1], turn) for r in range(20)])
    reach = stats.t.ppf(1 - ERRS / errors[0].size / 2, len(errors) - 1)
    halves = reach * errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
    assert (halves > 0).all(), "there is luck in each figure"
    for i, what in enumerate(("expected", "realised")):
        for j, driver in enumerate(DRIVERS):
            mean, half_width = errors[:, i, j].mean(), halves[i, j]
            assert abs(mean) < half_width, (
                f"{what}, {driver}: {mean:+.3f} departures more than theory ± {half_width:.3f}"
            )
    assert (halves[0] < halves[1]).all(), "the estimate has less luck in it than what happened"


# --- accounts and money in balance --------------------------------------------------------------------------


moving_companies = st.fixed_dictionaries(
    {
        "weeks": st.integers(10, 40),
        "accounts.warm_up_weeks": st.integers(0, 2),
        "accounts.book_seed": st.integers(0, 1000),
        "tiers.enterprise.accounts": st.integers(0, 4),
        "tiers.small.accounts": st.integers(0, 20),
        "tiers.small.new_accounts_per_year": st.sampled_from([0, 52, 200]),
        "tiers.small.term_months": st.sampled_from([{1: 1.0}, {1: 0.3, 3: 0.3, 12: 0.4}]),
        "departures.drivers.competition.hazard_per_year": st.sampled_from([0.03, 1.0, 4.0]),
        "departures.expansion.probability_per_year": st.sampled_from([0.1, 0.9]),
        "departures.contraction.probability_per_year": st.sampled_from([0.05, 0.9]),
        "departures.contraction.size_mean": st.sampled_from([0.1, 0.9]),
        "departures.midterm_share": st.sampled_from([0.0, 0.3]),
        "departures.winback.after_weeks": st.sampled_from([1, 8]),
        "departures.winback.probability": st.sampled_from([0.15, 1.0]),
        "categories.winback.priority": st.just(0),
        "categories.winback.window_weeks": st.just(1),
        "tiers.small.upgrade.arr_above": st.sampled_from([8_000, 40_000]),
        "accounts.tick_days": st.sampled_from([1, 7]),
        "mechanisms.churn": st.sampled_from([True, True, True, False]),
        "mechanisms.expansion": st.sampled_from([True, True, False]),
        "mechanisms.growth": st.booleans(),
        "changes": st.sampled_from(
            [[], [{"from": "2026-02-11", "set": {"tiers.midmarket.new_accounts_per_year": 150}}]]
        ),
    }
)


@FEW
@given(moving_companies, st.integers(0, 5))
def test_accounts_and_cents_are_in_balance_in_every_week_of_every_replication(
    values: dict[str, Any], seed: int
) -> None:
    inputs = small_inputs(QUIET | values)
    for replication in range(2):
        in_balance(run(inputs, seed, replication), inputs)


# --- expected and realised twins ----------------------------------------------------------------------------

TWINS = (
    "logo_churn_per_year", "arr_churn_per_year", "arr_end", "revenue", "contribution", "grr", "nrr", "crc_per_account",
)  # fmt: skip


@pytest.mark.slow
def test_expected_and_realised_figures_agree_over_200_replications() -> None:
    """0 lies in the 99.9 % t-interval of the mean difference, for eight figures at once (Bonferroni)."""
    inputs = small_inputs(
        QUIET
        | {
            "weeks": 60,
            "tiers.enterprise.accounts": 10,
            "tiers.midmarket.accounts": 30,
            "tiers.small.accounts": 60,
            "teams.csm.headcount": 2,
            "teams.support.headcount": 1,
            "departures.drivers.competition.hazard_per_year": 0.15,
        }
    )
    found = [compute(run(inputs, 1, r), inputs) for r in range(200)]
    reach = stats.t.ppf(1 - ERRS / len(TWINS) / 2, len(found) - 1)
    for name in TWINS:
        pairs = np.array([(kpis[name], kpis[f"{name}_realised"]) for kpis in found], dtype=float)
        difference = pairs[:, 0] - pairs[:, 1]
        half = reach * difference.std(ddof=1) / np.sqrt(len(found))
        assert half > 0, f"{name}: the estimate is not what happened"
        assert abs(difference.mean()) < half, (
            f"{name}: expected less realised is {difference.mean():+.6g} ± {half:.6g} (mean {pairs[:, 1].mean():.6g})"
        )
        if name not in ("contribution", "crc_per_account"):  # most of whose luck is in costs
            assert pairs[:, 0].std() < pairs[:, 1].std(), f"{name}: the estimate has less luck in it than what happened"
