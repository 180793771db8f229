"""The decision: which verdict follows from which differences, and what the sentence says."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sim.model.inputs import Inputs
from sim.study.decision import Decision, decide, more_replications, plain, plain_change, plain_interval, rounded
from sim.study.kpis import registry
from sim.study.statistics import NO_DIFFERENCE, Difference, Estimate

INPUTS = cast(Inputs, SimpleNamespace(teams=("csm", "support"), tiers=("small",), start=dt.date(2026, 1, 5)))
KPIS = registry(INPUTS)
SAME = Difference(0.0, (0.0, 0.0), (0.0, 0.0), "cannot_tell", NO_DIFFERENCE, None, True, 30)


def change(verdict: str, mean: float, low: float, high: float, **more: Any) -> Difference:
    values: dict[str, Any] = {"reason": None, "more_replications": None, "negligible": False} | more
    return Difference(mean, (low, high), (low, high), verdict, count=30, **values)  # type: ignore[arg-type]


GAIN = change("better", 240_000, 160_000, 320_000)
LOSS = change("worse", -240_000, -320_000, -160_000)
UNSURE = change("cannot_tell", 20_000, -100_000, 140_000, more_replications=41)


def decision(contribution: Difference, **others: Difference) -> Decision:
    differences = {name: SAME for name in KPIS} | {"contribution": contribution}
    differences |= {name.replace("__", "."): value for name, value in others.items()}
    before = {name: Estimate(0.10, None, None, 30) for name in KPIS}
    after = {name: Estimate(0.10 + (differences[name].mean or 0), None, None, 30) for name in KPIS}
    return decide("Reroute", KPIS, differences, before, after,
                  teams=("csm", "support"), years=2.0, currency="USD", assumptions=87)  # fmt: skip


def test_better_contribution_with_no_guard_worse_is_recommended() -> None:
    got = decision(GAIN, csm__burnout_mean=change("better", -0.05, -0.06, -0.04))
    assert got.verdict == "recommended"
    assert got.sentence == (
        "Reroute pays: contribution rises by about USD 120,000 a year (adjusted interval 80,000 to 160,000); "
        "CSM burnout falls from 0.10 to 0.05."
    )


def test_every_decision_says_what_the_interval_leaves_out() -> None:
    assert decision(GAIN).note == "The interval covers chance only; 87 inputs are assumptions."


def test_the_note_names_the_widest_assumptions() -> None:
    differences = {name: SAME for name in KPIS}
    same = {name: Estimate(0.1, None, None, 30) for name in KPIS}
    got = decide("Reroute", KPIS, differences, same, same, teams=("csm", "support"), years=2.0, currency="USD",
                 assumptions=87, widest=["a.b", "c.d", "e"])  # fmt: skip
    assert got.note == "The interval covers chance only; 87 inputs are assumptions, the widest: a.b, c.d, e."


def test_one_is_not_many() -> None:
    assert more_replications(1) == "1 more replication"
    assert more_replications(1200) == "1,200 more replications"


@pytest.mark.parametrize("guard", ["logo_churn_per_year", "csm__burnout_high_share", "support__burnout_high_share"])
def test_a_guard_that_gets_worse_turns_a_recommendation_into_a_but(guard: str) -> None:
    got = decision(GAIN, **{guard: change("worse", 0.09, 0.05, 0.13)})
    assert got.verdict == "pays, but"
    assert "rises from 10.0 % to 19.0 %" in got.sentence
    assert got.sentence.count("19.0 %") == 1, "what is wrong is said once"


def test_a_guard_worse_by_less_than_matters_does_not_count() -> None:
    got = decision(GAIN, logo_churn_per_year=change("worse", 0.001, 0.0005, 0.0015, negligible=True))
    assert got.verdict == "recommended"


def test_burnout_mean_is_no_guard() -> None:
    assert decision(GAIN, support__burnout_mean=change("worse", 0.1, 0.05, 0.15)).verdict == "recommended"


def test_lower_contribution_does_not_pay() -> None:
    got = decision(LOSS)
    assert got.verdict == "does not pay"
    assert "contribution falls by about USD 120,000 a year (adjusted interval 80,000 to 160,000)" in got.sentence


def test_surely_no_difference_that_matters_does_not_pay() -> None:
    small = change("cannot_tell", 200, -900, 1300, reason=NO_DIFFERENCE, negligible=True)
    got = decision(small)
    assert got.verdict == "does not pay"
    assert "hardly changes, by about USD 100 a year (adjusted interval −450 to 650)" in got.sentence


def test_a_sure_gain_too_small_to_matter_does_not_pay() -> None:
    got = decision(change("better", 200, 100, 300, negligible=True))
    assert got.verdict == "does not pay"
    assert "hardly changes, by about USD 100 a year (adjusted interval 50 to 150)" in got.sentence


def test_the_same_scenario_twice_changes_nothing() -> None:
    got = decision(SAME)
    assert got.verdict == "does not pay"
    assert "exactly the same" in got.sentence


def test_an_interval_around_zero_cannot_tell_yet_and_says_what_it_takes() -> None:
    got = decision(UNSURE)
    assert got.verdict == "cannot tell yet"
    assert "about 41 more replications may tell" in got.sentence
    assert "(adjusted interval −50,000 to 70,000)" in got.sentence


def test_one_replication_cannot_tell() -> None:
    got = decision(Difference(5000.0, None, None, "cannot_tell", None, None, False, 1))
    assert got.verdict == "cannot tell yet"
    assert "no interval" in got.sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (121_834, "120,000"),
        (-80_400, "−80,000"),
        (95.4, "95"),
        (9.96, "10"),
        (1.23, "1.2"),
        (0, "0"),
        (-0.0, "0"),
        (-0.347, "−0.35"),
    ],
)
def test_amounts_have_two_significant_digits(value: float, text: str) -> None:
    assert rounded(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text", "signed"),
    [
        (0.123, "share", "12.3 %", "+12.30 pts"),
        (-0.05, "share per year", "−5.0 %", "−5.00 pts"),
        (3.25, "minutes", "3.2 min", "+3.25 min"),
        (1234.5, "USD", "1,234", "+1,234"),
        (0.0, "USD", "0", "0"),
        (0.456, "score", "0.46", "+0.456"),
        (12.34, "contacts", "12.3", "+12.34"),
        (-0.0002, "share", "0.0 %", "−0.02 pts"),
        (-0.001, "score", "0.00", "−0.001"),
        (-0.2, "USD", "0", "0"),
        (-1234.6, "USD", "−1,235", "−1,235"),
        (-12.34, "minutes", "−12.3 min", "−12.34 min"),
        (None, "USD", "–", "–"),
    ],
)
def test_values_as_people_read_them(value: float | None, unit: str, text: str, signed: str) -> None:
    assert plain(value, unit) == text
    assert plain_change(value, unit) == signed


def test_intervals_leave_the_unit_to_what_stands_beside_them() -> None:
    assert plain_interval((-0.01, 0.02), "share") == "−1.00 to +2.00"
    assert plain_interval((1000.0, 2000.0), "USD") == "+1,000 to +2,000"
    assert plain_interval(None, "USD") == "–"
