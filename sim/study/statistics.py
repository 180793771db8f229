"""What replications say: means, intervals, paired differences, verdicts.

In: KPI values per replication (nan where a replication has none). Out: `Estimate` and `Difference` values.
Replications are independent of each other and, between scenarios, paired by number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from sim.study.kpis import HEADLINE, Kpi

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]
Verdict = Literal["better", "worse", "cannot_tell"]

ALPHA = 0.05
ROUNDING = 1e-9
MOST_REPLICATIONS = 100_000
NO_DIFFERENCE = "no_difference_that_matters"
RESAMPLES = 9_999
RESAMPLED_PAIRS = (4, 2_000)
MOST_WITHOUT_SPREAD = 0.02
DRAWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Estimate:
    """Mean of a KPI over the replications that have it, 95 % t-interval, standard deviation, their number.

    The mean is None without replications; interval and standard deviation are None below two.
    """

    mean: float | None
    ci95: Interval | None
    sd: float | None
    count: int


@dataclass(frozen=True)
class Difference:
    """Scenario less baseline for one KPI, over the replications that both have.

    ci95 : pointwise 95 % interval. ci95_adjusted : the one that agrees with `verdict` (see
    `adjusted_levels`).
    verdict : None for a KPI without a better direction. reason : 'no_difference_that_matters', or None.
    more_replications : about how many more would tell, where it cannot tell yet and that can be said.
    negligible : the adjusted interval lies inside +- the size that matters.
    """

    mean: float | None
    ci95: Interval | None
    ci95_adjusted: Interval | None
    verdict: Verdict | None
    reason: str | None
    more_replications: int | None
    negligible: bool
    count: int


def estimate(values: FloatArray) -> Estimate:
    """Mean and 95 % t-interval of one KPI; nan values are left out."""
    known = values[~np.isnan(values)]
    count = len(known)
    if count == 0:
        return Estimate(None, None, None, 0)
    mean = float(np.mean(known))
    if count == 1:
        return Estimate(mean, None, None, 1)
    sd = float(np.std(known, ddof=1))
    return Estimate(mean, t_interval(mean, sd, count, ALPHA), sd, count)


def t_interval(mean: float, sd: float, count: int, alpha: float) -> Interval:
    """Two-sided interval for the mean of `count` >= 2 values, at confidence 1 - alpha."""
    half = float(t_quantile(count - 1, alpha)) * sd / math.sqrt(count)
    return (mean - half, mean + half)


def ratio_interval(above: FloatArray, below: FloatArray, alpha: float) -> tuple[float, float, float]:
    """A ratio of expectations from totals of replications: the ratio of their sums, and its interval (low, high).

    Parameters
    ----------
    above, below : (replications,), at least 2, >= 0; nan where the sum of `below` is 0. The interval has confidence
        1 - alpha.

    Notes
    -----
    The mean of the replications' own ratios is biased, and replications do not make it less so; the ratio of sums is
    biased by a replication's part of that only. Its spread is that of above - ratio * below (the delta method), over
    which Student's t is taken. With `below` the same in all replications it is the interval of a mean.
    """
    if not below.any():
        return math.nan, math.nan, math.nan
    ratio = float(above.sum() / below.sum())
    sd = float(np.std(above - ratio * below, ddof=1)) / float(below.mean())
    return (ratio, *t_interval(ratio, sd, len(above), alpha))


def t_quantile(freedom: int | NDArray[np.integer], alpha: float) -> FloatArray:
    """Two-sided critical value of Student's t at confidence 1 - alpha."""
    return np.asarray(stdtrit(freedom, 1 - alpha / 2))


@dataclass(frozen=True)
class Resampled:
    """What the bootstrap-t says about the statistic (mean - true mean) / standard error.

    statistics : (resamples,), sorted: the same statistic of each resample about the mean of the sample.

    The k-th smallest and largest of B values stand for the tails of k / (B + 1). Beyond the outermost ones they
    are stretched as Student's t with `freedom` is. `p` and `bounds` are inverses of each other.
    """

    statistics: FloatArray
    freedom: int

    @property
    def _finest(self) -> float:
        """The smallest two-sided level that the resamples resolve."""
        return 2 / (len(self.statistics) + 1)

    def p(self, statistic: float) -> float:
        """Two-sided, equal-tailed p-value of a statistic."""
        below = int(np.searchsorted(self.statistics, statistic, side="right"))
        above = len(self.statistics) - int(np.searchsorted(self.statistics, statistic, side="left"))
        if min(below, above) > 0:
            return min(1.0, (min(below, above) + 1) * self._finest)
        outermost = float(self.statistics[0] if below == 0 else self.statistics[-1])
        stretched = statistic / outermost * float(t_quantile(self.freedom, self._finest))
        return float(2 * stdtr(self.freedom, -stretched))

    def bounds(self, alpha: float) -> Interval:
        """The quantiles of the statistic that leave alpha / 2 on either side."""
        rank = int(alpha / self._finest) + 1
        while rank * self._finest > alpha:
            rank -= 1
        if rank > 0:
            return float(self.statistics[rank - 1]), float(self.statistics[-rank])
        stretch = float(t_quantile(self.freedom, alpha) / t_quantile(self.freedom, self._finest))
        return stretch * float(self.statistics[0]), stretch * float(self.statistics[-1])


@dataclass(frozen=True)
class Pairs:
    """The paired differences of one KPI, summed up: mean, standard deviation, number, p-value of no
    difference.

    sd and p are None below two pairs. resampled : the bootstrap-t, where it makes p and the intervals.
    """

    mean: float | None
    sd: float | None
    count: int
    p: float | None
    resampled: Resampled | None = field(default=None, repr=False, compare=False)

    def interval(self, alpha: float) -> Interval | None:
        """Interval for the mean difference, None below two pairs. It excludes 0 if p is at most alpha."""
        if self.mean is None or self.sd is None:
            return None
        if self.resampled is None:
            return t_interval(self.mean, self.sd, self.count, alpha)
        low, high = self.resampled.bounds(alpha)
        error = self.sd / math.sqrt(self.count)
        return (self.mean - high * error, self.mean - low * error)


def paired(baseline: FloatArray, scenario: FloatArray, skewed: str | None = None) -> Pairs:
    """The paired differences scenario - baseline, and their test. The choice of test is made here.

    skewed : name of a KPI whose differences are skewed; it gets the bootstrap-t (see `resampled`), and any other
    Student's t.

    Differences below 1e-9 of the values are rounding (the same rows added up in another order) and count as
    0. Identical differences have no spread: p is 1 if they are all zero, else 0.
    """
    known = ~np.isnan(baseline) & ~np.isnan(scenario)
    before, after = baseline[known], scenario[known]
    differences = after - before
    differences[np.abs(differences) <= ROUNDING * np.maximum(np.abs(before), np.abs(after))] = 0.0
    count = len(differences)
    if count == 0:
        return Pairs(None, None, 0, None)
    mean = float(np.mean(differences))
    if count == 1:
        return Pairs(mean, None, 1, None)
    sd = float(np.std(differences, ddof=1))
    if sd <= ROUNDING * abs(mean):
        return Pairs(mean, 0.0, count, 1.0 if mean == 0 else 0.0)
    t = mean / (sd / math.sqrt(count))
    found = resampled(differences, skewed) if skewed is not None else None
    if found is None:
        return Pairs(mean, sd, count, float(2 * stdtr(count - 1, -abs(t))))
    return Pairs(mean, sd, count, found.p(t), found)


def resampled(differences: FloatArray, name: str) -> Resampled | None:
    """The bootstrap-t of differences that have a spread: 9,999 resamples, drawn from a seed made of name and number.

    Resamples without spread have no statistic and are left out. None, for Student's t instead: below 4
    differences, above 2,000 (their mean is normal enough), or if more than 2 % of the resamples have no spread.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 12.
    """
    count = len(differences)
    low, high = RESAMPLED_PAIRS
    if not low <= count <= high:
        return None
    seed = int.from_bytes(hashlib.sha256(f"{name}:{count}".encode()).digest()[:16])
    random = np.random.default_rng(seed)
    centred = differences - np.mean(differences)
    most = max(1, DRAWS_AT_ONCE // count)
    parts = []
    for first in range(0, RESAMPLES, most):
        drawn = centred[random.integers(count, size=(min(most, RESAMPLES - first), count))]
        mean, error = np.mean(drawn, axis=1), np.std(drawn, axis=1, ddof=1) / math.sqrt(count)
        spread = error > ROUNDING * np.max(np.abs(centred))
        parts.append(mean[spread] / error[spread])
    statistics = np.sort(np.concatenate(parts))
    if len(statistics) < (1 - MOST_WITHOUT_SPREAD) * RESAMPLES or not statistics[0] < 0 < statistics[-1]:
        return None
    return Resampled(statistics, count - 1)


def adjusted_levels(p_values: Sequence[float], alpha: float = ALPHA) -> list[float]:
    """For each hypothesis of a family, the alpha of the interval that agrees with Holm's decision about it.

    Holm orders the p-values; the i-th smallest of m (i from 1) is rejected if it and all smaller ones are
    at most alpha / (m - i + 1). A rejected hypothesis gets that level: its interval excludes 0. The first
    one that is not rejected stops the procedure, and it and all later ones get *its* level: their p-values
    are larger, so their intervals hold 0. Levels never fall with the p-value, ties go by position. What is
    kept at 95 % is the family's verdicts (no false one), not the joint coverage of these intervals.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    levels = [0.0] * len(p_values)
    stopped: float | None = None
    for rank, i in enumerate(order):
        level = alpha / (len(order) - rank) if stopped is None else stopped
        if p_values[i] > level and stopped is None:
            stopped = level
        levels[i] = level
    return levels


def compare_kpis(
    kpis: Mapping[str, Kpi],
    baseline: Mapping[str, FloatArray],
    scenarios: Sequence[Mapping[str, FloatArray]],
    look: int = 1,
) -> list[dict[str, Difference]]:
    """All differences, with verdicts by Holm in two families: the headline KPIs x scenarios, and the rest.

    Parameters
    ----------
    kpis : the registry. baseline, scenarios : per KPI name, its values by replication (nan: none).
    look : the how-manieth look at this question it is, from 1; see `spent`.
    """
    alpha = spent(look)
    pairs = [
        {name: paired(baseline[name], values[name], name if kpi.skewed else None) for name, kpi in kpis.items()}
        for values in scenarios
    ]
    levels: list[dict[str, float]] = [{} for _ in scenarios]
    for headline in (True, False):
        family = [
            (i, name, pair.p)
            for i, of_scenario in enumerate(pairs)
            for name, pair in of_scenario.items()
            if (name in HEADLINE) == headline and pair.p is not None
        ]
        for (i, name, _), level in zip(family, adjusted_levels([p for _, _, p in family], alpha), strict=True):
            levels[i][name] = level
    return [
        {
            name: judge(kpi, estimate(baseline[name]).mean, pairs[i][name], levels[i].get(name, alpha), look)
            for name, kpi in kpis.items()
        }
        for i in range(len(scenarios))
    ]


def spent(look: int, alpha: float = ALPHA) -> float:
    """The chance of a false verdict that a look may spend, from the first: alpha x 6 / (pi look)^2.

    Over all looks, however many, they add up to alpha: the sum of 1 / j^2 is pi^2 / 6 (Euler), and Bonferroni's
    inequality does the rest.
    """
    return alpha * 6 / (math.pi * look) ** 2


def judge(kpi: Kpi, baseline_mean: float | None, pairs: Pairs, level: float, look: int = 1) -> Difference:
    """One difference with its verdict, read off the adjusted interval (at confidence 1 - level).

    Better or worse if the interval excludes 0. Else it cannot tell: because the interval lies inside +- the
    size that matters (the reason says so), or for want of replications (then about how many more).
    """
    adjusted = pairs.interval(level)
    matters = kpi.size_that_matters(baseline_mean)
    negligible = adjusted is not None and max(abs(adjusted[0]), abs(adjusted[1])) <= matters
    verdict: Verdict | None = None
    reason: str | None = None
    more: int | None = None
    if kpi.better is not None and pairs.mean is not None:
        verdict = _verdict(kpi, adjusted)
        if verdict == "cannot_tell":
            reason = NO_DIFFERENCE if negligible else None
            more = None if negligible else _more_replications(pairs, level * spent(look + 1) / spent(look), matters)
    return Difference(pairs.mean, pairs.interval(ALPHA), adjusted, verdict, reason, more, negligible, pairs.count)


def _verdict(kpi: Kpi, interval: Interval | None) -> Verdict:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "cannot_tell"
    rises = interval[0] > 0
    return "better" if rises == (kpi.better == "higher") else "worse"


def _more_replications(pairs: Pairs, level: float, matters: float) -> int | None:
    """About how many more replications would show a difference of this size, or that it does not matter.

    level : of the next look.

    None if that cannot be said (below two pairs) or would be more than 100,000.
    """
    if pairs.sd is None or pairs.mean is None:
        return None
    size = max(abs(pairs.mean), matters - abs(pairs.mean))
    if size <= 0:
        return None
    quantile = float(t_quantile(pairs.count - 1, level))
    needed = math.ceil(min((quantile * pairs.sd / size) ** 2, 2.0 * MOST_REPLICATIONS))
    return max(1, needed - pairs.count) if needed <= MOST_REPLICATIONS else None
