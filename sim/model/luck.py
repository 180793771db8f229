"""Keyed luck: every random number is a pure function of what it decides.

In: the study's seed, the replication, the name of the decision, the entity's key and k (week, day, term or
attempt, never a running count). Out: uniforms strictly inside (0, 1). Two scenarios therefore share the luck
of everything that they share, whatever else happens in one of them.

The mixer is the 64-bit finaliser of SplitMix (Steele, Lea and Flood 2014, with Stafford's "Mix13" constants).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KeyArray = NDArray[np.uint64]
FloatArray = NDArray[np.float64]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
# As arrays without an axis: with plain numbers each of the many small operations takes half as long again.
_U30, _U27, _U31, _U12 = (np.array(bits, dtype=np.uint64) for bits in (30, 27, 31, 12))
_U_STEP, _U_FIRST, _U_SECOND = (np.array(factor, dtype=np.uint64) for factor in (_STEP, _FIRST, _SECOND))
_HALF, _GRID = np.array(0.5), np.array(2.0**-52)
_EMPTY_KEY = np.array([_STEP], dtype=np.uint64)


def _mix_number(x: int) -> int:
    x = ((x ^ (x >> 30)) * _FIRST) & _MASK
    x = ((x ^ (x >> 27)) * _SECOND) & _MASK
    return x ^ (x >> 31)


def _mix(x: KeyArray) -> KeyArray:
    """Mixes in place; the array must be the caller's own."""
    x ^= x >> _U30
    x *= _U_FIRST
    x ^= x >> _U27
    x *= _U_SECOND
    x ^= x >> _U31
    return x


def name_key(name: str) -> int:
    """Key of a name, the same on every machine and in every version of Python."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def number_key(*parts: int) -> int:
    """Key of several whole numbers; their order counts."""
    key = _STEP
    for part in parts:
        key = _mix_number((key + _STEP * ((part & _MASK) ^ _FIRST)) & _MASK)
    return key


def key_of(*parts: KeyArray | NDArray[np.int64] | int) -> KeyArray:
    """Keys of entities named by several parts, arrays of equal shape or single numbers; their order counts.

    The keys do not depend on the shape: an element's key is that of its own parts.
    """
    key: KeyArray = _EMPTY_KEY
    for part in parts:
        values = part.astype(np.uint64) if isinstance(part, np.ndarray) else np.array([part & _MASK], dtype=np.uint64)
        key = _mix(key + _U_STEP * (values ^ _U_FIRST))
    return key


class Luck:
    """The uniforms of one replication.

    Parameters
    ----------
    seed : the study's root seed, any whole number >= 0 (0 is a seed like any other).
    replication : number of the replication, from 0.
    """

    def __init__(self, seed: int, replication: int) -> None:
        self._root = number_key(seed & _MASK, seed >> 64, replication)
        self._decisions: dict[tuple[str, ...], KeyArray] = {}

    def uniforms(self, decisions: tuple[str, ...], keys: KeyArray, k: int = 0) -> FloatArray:
        """One uniform per decision and entity, shape (decisions, entities), strictly inside (0, 1)."""
        columns = self._decisions.get(decisions)
        if columns is None:
            columns = np.array([[number_key(self._root, name_key(name))] for name in decisions], dtype=np.uint64)
            self._decisions[decisions] = columns
        entities = _mix(keys * _U_SECOND ^ np.uint64(number_key(k)))
        mixed = _mix(columns ^ entities[np.newaxis, :])
        mixed >>= _U12
        uniforms: FloatArray = mixed.astype(np.float64)
        uniforms += _HALF
        uniforms *= _GRID
        return uniforms

    def uniform(self, decision: str, keys: KeyArray, k: int = 0) -> FloatArray:
        """One uniform per entity for a single decision."""
        return self.uniforms((decision,), keys, k)[0]


# Wichura (1988), algorithm AS 241, PPND16: the normal quantile to about 1e-16.
_CENTRE_TOP = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_CENTRE_BOTTOM = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_MIDDLE_TOP = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
    3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_MIDDLE_BOTTOM = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
)  # fmt: skip
_TAIL_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_TAIL_BOTTOM = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def _ratio(top: Sequence[float], bottom: Sequence[float], x: FloatArray) -> FloatArray:
    upper = np.full_like(x, top[0])
    lower = np.full_like(x, bottom[0])
    for a, b in zip(top[1:], bottom[1:], strict=True):
        upper *= x
        upper += a
        lower *= x
        lower += b
    upper /= lower
    return upper


def normal_quantile(u: FloatArray) -> FloatArray:
    """Standard normal quantile of uniforms in (0, 1); Wichura (1988), algorithm AS 241."""
    q = u - 0.5
    x = q * _ratio(_CENTRE_TOP, _CENTRE_BOTTOM, 0.180625 - q * q)
    outer = np.abs(q) > 0.425
    if outer.any():
        r = np.sqrt(-np.log(np.minimum(u[outer], 1.0 - u[outer])))
        far = r > 5.0
        z = _ratio(_MIDDLE_TOP, _MIDDLE_BOTTOM, r - 1.6)
        if far.any():
            z[far] = _ratio(_TAIL_TOP, _TAIL_BOTTOM, r[far] - 5.0)
        x[outer] = np.copysign(z, q[outer])
    return x


def exponential(u: FloatArray, mean: FloatArray | float) -> FloatArray:
    """Exponential quantile: mean in any unit, the result in the same."""
    return -np.log1p(-u) * mean


def lognormal(u: FloatArray, mean: FloatArray | float, cv: FloatArray | float) -> FloatArray:
    """Lognormal quantile by mean and coefficient of variation (cv 0: the mean itself)."""
    variance = np.log1p(np.square(cv))
    return mean * np.exp(np.sqrt(variance) * normal_quantile(u) - 0.5 * variance)


_LARGE_MEAN = 500.0


def counts(u: FloatArray, mean: FloatArray, dispersion: float) -> NDArray[np.int64]:
    """Counts by inverse CDF of one uniform each: negative binomial, variance = dispersion x mean (1: Poisson).

    Parameters
    ----------
    u, mean : same shape, flat; mean >= 0.
    dispersion : variance over mean, >= 1.

    Notes
    -----
    The terms follow p(n+1)/p(n) = (mean + n (d - 1)) / (d (n + 1)), which is Poisson's recursion at d = 1.
    Means above 500 use the count at 500, its deviation scaled, since the first term would vanish. Raising the
    mean never lowers a count, so that scenarios with more demand have a superset of contacts.
    """
    spread = dispersion - 1.0
    large = mean > _LARGE_MEAN
    if large.any():
        result = np.empty(len(u), dtype=np.int64)
        edge = counts(u[large], np.full(int(large.sum()), _LARGE_MEAN), dispersion)
        spread_out = mean[large] + (edge - _LARGE_MEAN) * np.sqrt(mean[large] / _LARGE_MEAN)
        result[large] = np.rint(spread_out).astype(np.int64)
        result[~large] = counts(u[~large], mean[~large], dispersion)
        return result
    first = np.exp(-mean) if spread < 1e-9 else np.exp(-mean / spread * np.log(dispersion))
    result = np.zeros(len(u), dtype=np.int64)
    rows = (u > first).nonzero()[0]
    term, total, rest, rate = first[rows], first[rows], u[rows], mean[rows]
    n = 0
    while len(rows):
        term = term * (rate + n * spread) / (dispersion * (n + 1))
        n += 1
        total = total + term
        result[rows] = n
        more = (rest > total) & ((term > 1e-17) | (n < rate))
        rows, term, total, rest, rate = rows[more], term[more], total[more], rest[more], rate[more]
    return result
