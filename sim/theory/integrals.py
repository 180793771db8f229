"""Integrals of log-concave functions over the positive numbers, in logarithms, so that no size overflows.

In: the logarithm of a function with one peak. Out: points and weights with which its integral is a sum.

Erlang B for fractions of an agent and the wait of a customer who would never hang up are such integrals. Both have a
peak that is narrow beside its distance from 0, or a steep start, by many orders of magnitude; panels that double in
width away from the start and from the peak on both sides meet all of these cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NODES = 24
NEGLIGIBLE_LOG = -60.0  # what lies so far below the peak adds less than 1e-22 of the whole
MOST_DOUBLINGS = 400


@dataclass(frozen=True)
class WeightedPoints:
    """Points >= 0, ascending, and weights >= 0: the integral of f times the function is sum(f(points) * weights).

    The weights are those of the function divided by its height at the peak.
    """

    points: FloatArray
    weights: FloatArray

    @property
    def total(self) -> float:
        """The integral of the function itself, over its height at the peak."""
        return float(self.weights.sum())

    def mean(self, values: FloatArray) -> float:
        """The mean of f under the function taken as a density. values : f at the points."""
        return float((self.weights * values).sum() / self.total)


def log_concave_points(
    fall: Callable[[FloatArray], FloatArray], peak: float, finest: float, split: float | None = None
) -> WeightedPoints:
    """Points and weights for integrals over [0, infinity) against a function with a concave logarithm.

    Parameters
    ----------
    fall : log(function(peak + d) / function(peak)) for an array of displacements d >= -peak; concave, <= 0.
    peak : where the function is largest, >= 0.
    finest : a width > 0 below which the function does not change much anywhere.
    split : a point that no panel contains, so that sums up to it or beyond it are integrals too.

    Notes
    -----
    Gauss-Legendre in panels. A concave logarithm falls ever faster: beyond the first panel edge where it is
    negligible, all is.
    """
    right = _reach(fall, finest, np.inf)
    left = _reach(lambda d: fall(-d), finest, peak)
    steps = _doublings(finest, max(right, left))
    edges = np.concatenate([[0.0, -left, right], steps, -steps, steps - left])
    if split is not None:
        edges = np.append(edges, split - peak)
    edges = np.unique(edges[(edges >= -left) & (edges <= right)])
    nodes, weights = _legendre()
    half = np.diff(edges)[:, None] / 2
    displacements = (edges[:-1, None] + half * (1 + nodes)).ravel()
    masses = (half * weights).ravel() * np.exp(fall(displacements))
    return WeightedPoints(np.maximum(peak + displacements, 0.0), masses)


def _reach(fall: Callable[[FloatArray], FloatArray], finest: float, limit: float) -> float:
    """The first displacement finest * 2^k at which the function is negligible, at most the limit."""
    reach = finest
    for _ in range(MOST_DOUBLINGS):
        if reach >= limit:
            return limit
        if fall(np.array([reach]))[0] < NEGLIGIBLE_LOG:
            return reach
        reach *= 2
    raise ValueError("the function does not fall within 400 doublings of the finest width")


def _doublings(finest: float, reach: float) -> FloatArray:
    return finest * 2.0 ** np.arange(np.ceil(np.log2(max(reach / finest, 1))) + 1)


@cache
def _legendre() -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights
