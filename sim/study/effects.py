"""What single factors do, and pairs of them together, over the points of a design.

In: a KPI at every point and replication, all under the same luck. Out: estimates with 95 % t-intervals over
replications, each by itself (pointwise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.study.statistics import ROUNDING, Estimate, estimate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class MainEffect:
    """By how much a KPI changes from a factor's first to its last value, the mean over all values of the others."""

    kpi: str
    factor: int
    change: Estimate


@dataclass(frozen=True)
class Interaction:
    """How much the effect of one factor hangs on another.

    at_first, at_last : what the step from the first to the last value of the first factor does at the first and at the
    last value of the second; further factors are averaged over. difference : the second of these less the first.
    """

    kpi: str
    factors: tuple[int, int]
    at_first: Estimate
    at_last: Estimate
    difference: Estimate

    @property
    def told(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference.ci95 is not None and not self.difference.ci95[0] <= 0 <= self.difference.ci95[1]


@dataclass(frozen=True)
class Slope:
    """What a factor does in a straight-line picture.

    over_range : change of the KPI from the lowest to the highest value of the factor among the points. standardised :
    change in standard deviations of the KPI (between points) for one of the factor; None if the KPI is the same at
    all points.
    """

    factor: int
    over_range: Estimate
    standardised: Estimate | None


@dataclass(frozen=True)
class Fit:
    """A straight-line picture of a KPI over all points. r_squared : how much of the differences between the points'
    means it shows, from 0 to 1; None where there are none."""

    kpi: str
    slopes: tuple[Slope, ...]
    r_squared: float | None


def main_effects(kpi: str, values: FloatArray) -> list[MainEffect]:
    """One for each factor of a grid. values : (values of factor 1, ..., of factor n, replications)."""
    count = values.ndim - 1
    return [MainEffect(kpi, i, _told(_over_others(_step(values, i), count - 1), values)) for i in range(count)]


def interactions(kpi: str, values: FloatArray) -> list[Interaction]:
    """One for each pair of factors of a grid. values : as for `main_effects`.

    Notes
    -----
    The difference is taken at the corners of the grid. It is also the sum of the double differences of all adjacent
    cells, since these telescope: divided by their number it is their mean. What bends within the grid and is back at
    its end shows in the matrix, not here.
    """
    count = values.ndim - 1
    found = []
    for i in range(count):
        for j in range(i + 1, count):
            step = _step(values, i)
            first, last = (_over_others(np.take(step, side, axis=j - 1), count - 2) for side in (0, -1))
            found.append(
                Interaction(kpi, (i, j), _told(first, values), _told(last, values), _told(last - first, values))
            )
    return found


def fit(kpi: str, points: FloatArray, values: FloatArray) -> Fit | None:
    """Least squares of a KPI on all factors, replication by replication.

    Parameters
    ----------
    points : (points, factors). values : (points, replications), nan where a replication has no value.

    Returns
    -------
    None with fewer points than factors and two more, or if factors vary only together.

    Notes
    -----
    Least squares is linear in the values: the mean of the replications' coefficients is the coefficient of the points'
    means. The replications are independent, so that their spread gives the interval; it covers chance between
    replications, not how well a straight line suits. A point's luck is the same as the others' and largely cancels.
    """
    whole = values[:, ~np.isnan(values).any(axis=0)]
    spread = points.std(axis=0)
    varied = np.flatnonzero(spread > 0)
    if len(points) < points.shape[1] + 2 or whole.shape[1] == 0 or not len(varied):
        return None
    scaled = (points[:, varied] - points[:, varied].mean(axis=0)) / spread[varied]
    columns = np.column_stack([np.ones(len(points)), scaled])
    coefficients, _, rank, _ = np.linalg.lstsq(columns, whole, rcond=None)
    if rank < columns.shape[1]:
        return None
    means = whole.mean(axis=1)
    between = means.std()
    level = ROUNDING * np.abs(whole).max()
    left = (means - columns @ coefficients.mean(axis=1)).std()
    slopes = []
    for row, i in enumerate(varied, start=1):
        per_range = coefficients[row] * (np.ptp(points[:, i]) / spread[i])
        standardised = estimate(coefficients[row] / between) if between > level else None
        slopes.append(Slope(int(i), _told(per_range, whole), standardised))
    return Fit(kpi, tuple(slopes), float(1 - (left / between) ** 2) if between > level else None)


def _step(values: FloatArray, axis: int) -> FloatArray:
    """From the first to the last value of a factor; its axis is gone."""
    return np.asarray(np.take(values, -1, axis=axis) - np.take(values, 0, axis=axis))


def _over_others(values: FloatArray, others: int) -> FloatArray:
    """(replications,) the mean over the axes of the other factors, which come first."""
    return np.asarray(values.mean(axis=tuple(range(others))))


def _told(contrast: FloatArray, values: FloatArray) -> Estimate:
    """The estimate of a contrast; what is only rounding of the values that it is made of counts as 0."""
    size = np.abs(values[~np.isnan(values)]).max(initial=0.0)
    return estimate(np.where(np.abs(contrast) <= ROUNDING * size, 0.0, contrast))
