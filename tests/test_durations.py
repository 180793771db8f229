"""Handle times have the mean, the spread and the law that the scenario says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from small import small_inputs

from sim.model.durations import Durations

MIDDLES = (np.arange(200_000) + 0.5) / 200_000  # the middles of equal cells: a quantile function's mean without luck


def law(distribution: str, cv: float, sample: list[float] | None = None) -> Durations:
    overrides: dict[str, Any] = {
        "categories.how_to.handle_time_distribution": distribution,
        "categories.how_to.handle_time_cv": cv,
    }
    if sample is not None:
        overrides["categories.how_to.handle_time_sample_minutes"] = sample
    return small_inputs(overrides).phases[0].categories.durations


def drawn(durations: Durations, u: np.ndarray) -> np.ndarray:
    return durations.over_mean(u[np.newaxis], np.zeros(len(u), dtype=np.int64))[0]


@pytest.mark.parametrize(
    ("distribution", "cv", "exact"),
    [
        ("exponential", 1.0, stats.expon()),
        ("gamma", 0.3, stats.gamma(1 / 0.09, scale=0.09)),
        ("gamma", 1.0, stats.gamma(1, scale=1)),
        ("gamma", 2.5, stats.gamma(1 / 6.25, scale=6.25)),
        ("lognormal", 1.2, stats.lognorm(np.sqrt(np.log1p(1.44)), scale=1 / np.sqrt(2.44))),
    ],
)
def test_a_law_has_its_quantiles(distribution: str, cv: float, exact: Any) -> None:
    """The gamma law is tabled in 1,801 steps; between them its logarithm is taken as straight."""
    u = np.concatenate([MIDDLES[::100], [1e-9, 1e-6, 1 - 1e-6, 1 - 1e-9]])
    expected = exact.ppf(u)
    some = expected > 1e-12
    error = np.abs(drawn(law(distribution, cv), u)[some] / expected[some] - 1)
    assert error.max() < 2e-4, f"the worst quantile of {distribution} with spread {cv} is {error.max():.1e} off"


@pytest.mark.parametrize("cv", [0.0, 0.3, 1.0, 2.0])
def test_a_gamma_law_has_its_mean_and_spread(cv: float) -> None:
    times = drawn(law("gamma", cv), MIDDLES)
    assert times.mean() == pytest.approx(1.0, abs=2e-4), "the cells' middles leave out a little of the tail"
    assert times.std() == pytest.approx(cv, abs=4e-3 * max(cv, 0.001))


def test_a_constant_is_one() -> None:
    assert (drawn(law("constant", 0.0), MIDDLES[:1000]) == 1.0).all()


def test_an_own_sample_comes_back_scaled_to_the_mean() -> None:
    times = drawn(law("empirical", 0.624, [10.0, 20.0, 30.0, 60.0]), MIDDLES)
    values, number = np.unique(times, return_counts=True)
    assert values.tolist() == [pytest.approx(x / 30) for x in (10, 20, 30, 60)], "each time over the sample's mean"
    assert (number == len(MIDDLES) / 4).all(), "each as often as the others"


def test_categories_keep_their_own_laws_in_one_draw() -> None:
    durations = small_inputs(
        {
            "categories.how_to.handle_time_distribution": "constant",
            "categories.how_to.handle_time_cv": 0,
            "categories.billing.handle_time_distribution": "gamma",
        }
    ).phases[0].categories.durations  # fmt: skip
    u = np.linspace(0.1, 0.9, 9)[np.newaxis]
    category = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    times = durations.over_mean(u, category)[0]
    assert (times[category == 0] == 1).all()
    shape = 1 / 0.8**2
    assert times[category == 2] == pytest.approx(stats.gamma(shape, scale=1 / shape).ppf(u[0, category == 2]), rel=2e-4)
    spread = np.sqrt(np.log1p(1.2**2))
    lognormal = stats.lognorm(spread, scale=np.exp(-(spread**2) / 2)).ppf(u[0, category == 1])
    assert times[category == 1] == pytest.approx(lognormal, rel=1e-12)
