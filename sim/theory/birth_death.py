"""Birth-death chains: how likely each state is in the long run, and how fast the start is forgotten.

In: rates up and rates down. Out: probabilities, a relaxation time. In logarithms, so that 5,000 agents do not overflow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]


def stationary(births: FloatArray, deaths: FloatArray) -> FloatArray:
    """The long-run probability of each state.

    Parameters
    ----------
    births : (states - 1,), rate from state n to n + 1, > 0, in any unit of time.
    deaths : (states - 1,), rate from state n + 1 to n, > 0, in the same unit.

    Returns
    -------
    (states,), sums to 1; a state less likely than about 1e-308 has 0.

    Notes
    -----
    In balance p(n) births(n) = p(n + 1) deaths(n): log p is a cumulative sum.
    """
    _check(births, deaths)
    logs = np.concatenate([[0.0], np.cumsum(np.log(births) - np.log(deaths))])
    return np.exp(logs - logsumexp(logs))


def relaxation_time(births: FloatArray, deaths: FloatArray) -> float:
    """The time in which the slowest memory of the start falls to 1/e, in the unit of 1 / rate.

    births, deaths : as in `stationary`; at least two states.

    Notes
    -----
    1 / the smallest eigenvalue above 0 of the negative generator. In detailed balance the generator is similar to a
    symmetric tridiagonal matrix with -sqrt(births(n) deaths(n)) beside the diagonal, whose eigenvalues are real.
    """
    _check(births, deaths)
    if not len(births):
        raise ValueError("a chain with one state has no relaxation time")
    diagonal = np.concatenate([births, [0.0]]) + np.concatenate([[0.0], deaths])
    beside = -np.sqrt(births * deaths)
    gap = eigh_tridiagonal(diagonal, beside, select="i", select_range=(1, 1), eigvals_only=True)
    return float(1 / gap[0])


def _check(births: FloatArray, deaths: FloatArray) -> None:
    if births.shape != deaths.shape or births.ndim != 1:
        raise ValueError(f"births {births.shape} and deaths {deaths.shape} must be rows of equal length")
    if not (np.all(births > 0) and np.all(deaths > 0)):
        raise ValueError("all rates must be above 0")
