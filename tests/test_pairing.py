"""What pairing is worth: the promised ratios hold, and the measure of them can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.pairing import PROMISES, Promise, Way, observed, ratio_of, variance_ratio
from sim.study.results import KpiTable

REPLICATIONS = 60


@pytest.fixture(scope="module")
def table() -> KpiTable:
    return observed(REPLICATIONS, workers=2)


@pytest.mark.slow
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.what)
def test_pairing_saves_as_many_replications_as_promised(table: KpiTable, promise: Promise) -> None:
    found = ratio_of(table, promise.what_if, promise.independent, promise.paired)
    assert found is not None, "both sides must vary, or there is nothing to save"
    # The whole 99 % interval: a ratio that lies above its target by luck alone would pass once in two hundred times.
    assert found.low > promise.target, f"{promise.what}: {found}, and at least {promise.target:g} is promised"


def normal(replications: int, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """A baseline and a what-if of variance 1 with a correlation."""
    one, other = np.random.default_rng(7).standard_normal((2, replications))
    return one, correlation * one + np.sqrt(1 - correlation**2) * other


def test_the_ratio_is_that_of_the_variances_and_its_interval_holds_the_true_one() -> None:
    before, after = normal(400, correlation=0.9)
    found = variance_ratio(before, after, after - before)
    assert found is not None
    by_hand = (np.var(before, ddof=1) + np.var(after, ddof=1)) / np.var(after - before, ddof=1)
    assert found.value == pytest.approx(by_hand)
    # Variances 1 and 1, covariance 0.9: 2 / (2 - 1.8) = 10. A 99 % interval misses it once in a hundred seeds; this
    # one is fixed.
    assert found.low < 10 < found.high
    assert found.high / found.low < 2, "400 replications tell a ratio to about ± 25 %, or the interval is too wide"


def test_without_pairing_there_is_nothing_to_gain() -> None:
    before, after = normal(400, correlation=0.0)
    found = variance_ratio(before, after, after - before)
    assert found is not None
    assert found.low < 1 < found.high, "independent pairs: the same variance either way"


def test_a_difference_without_spread_has_no_ratio_and_missing_values_are_left_out() -> None:
    before, after = normal(60, correlation=0.5)
    assert variance_ratio(before, before + 1, np.ones(60)) is None, "nothing divided by nothing"
    few = np.where(np.arange(60) < 10, before, np.nan)
    assert variance_ratio(few, after, after - few) is None, "ten values tell no ratio of variances"
    gaps = np.where(np.arange(60) < 40, before, np.nan)
    assert variance_ratio(gaps, after, after - gaps) == variance_ratio(
        before[:40], after[:40], after[:40] - before[:40]
    )


def test_the_fewest_replications_are_those_of_students_t() -> None:
    # Tables of Student's t: 2.776 with 4 degrees of freedom, 3.182 with 3; 0.39 x 2.776 / sqrt(5) = 0.484 and
    # 0.39 x 3.182 / sqrt(4) = 0.620.
    assert Way("", sd=0.39, seconds=1, arms=1).replications(0.5) == 5
    # Two arms of 5 have 8 degrees of freedom: 2.306 x 0.47 / sqrt(5) = 0.485; of 4, 6: 2.447 x 0.47 / 2 = 0.575.
    assert Way("", sd=0.47, seconds=1, arms=2).replications(0.5) == 5
