"""Which of several scenarios is the best, with a stated error.

In: one KPI's values by scenario and replication, paired. Out: a `Ranking`.

Picking the best mean of many is no verdict: with enough scenarios, one looks best by luck. So it is told which ones may
be the best, and what one can lose at most by taking the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.study.decision import rounded
from sim.study.statistics import t_quantile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """What can be said of the order of scenarios in one KPI.

    order : positions, the best mean first. may_be_best : those of them, in that order, among which the truly best one
    is, with confidence 1 - alpha. gives_away : what taking the first one costs at most beside the truly best, in the
    KPI's `unit`, at the same confidence; 0 if no other may be the best. None for fewer than two replications.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    may_be_best: tuple[int, ...]
    gives_away: float | None
    alpha: float
    unit: str = ""

    @property
    def best(self) -> str:
        """The name of the best mean."""
        return self.names[self.order[0]]

    @property
    def sentence(self) -> str:
        """Which scenario may be the best in contribution, and what taking the first costs at most."""
        names = [self.names[i] for i in self.may_be_best]
        if self.gives_away is None:
            return f"Best contribution so far: {self.best} (one replication, nothing is sure)."
        if len(names) == 1:
            return f"Best contribution: {names[0]}, at 95 %."
        return (
            f"The best contribution is that of {', '.join(names[:-1])} or {names[-1]}, at 95 %. Whoever takes "
            f"{self.best} gives away at most {self.unit} {rounded(self.gives_away)} beside the best."
        )

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "order": [self.names[i] for i in self.order],
            "may_be_best": [self.names[i] for i in self.may_be_best],
            "gives_away_at_most": self.gives_away,
            "alpha": self.alpha,
        }


def ranking(
    names: Sequence[str], values: FloatArray, better: Literal["higher", "lower"], alpha: float, unit: str = ""
) -> Ranking | None:
    """The order of scenarios and how sure it is; None without a replication in which all have a value.

    Parameters
    ----------
    values : (scenarios, replications), at least two scenarios, nan where there is none; paired by replication.
    alpha : the chance that the best scenario is not in `may_be_best`, or that more is given away.

    Notes
    -----
    Each scenario is held against each other one by the paired t-statistic, one-sided at alpha / (scenarios - 1). With
    b the truly best one, only the k - 1 comparisons with b can go wrong, and with Bonferroni's inequality they are all
    right with 1 - alpha: then b is not surpassed, and no scenario is behind it by more than its bound. So both
    statements hold at once, and neither needs equal variances or independence between scenarios.

    Source: subset selection (Gupta 1965) and multiple comparisons with the best (Hsu, Annals of Statistics 12, 1984),
    with paired differences for common random numbers (Nelson and Matejcik, Management Science 41, 1995).
    """
    sign = 1.0 if better == "higher" else -1.0
    known = sign * values[:, ~np.isnan(values).any(axis=0)]
    scenarios, count = known.shape
    if count == 0:
        return None
    means = known.mean(axis=1)
    order = tuple(int(i) for i in np.argsort(-means, kind="stable"))
    if count == 1:
        return Ranking(tuple(names), order, order, None, alpha, unit)
    ahead = known[:, None, :] - known[None, :, :]  # (j, i): by how much j is ahead of i
    mean = ahead.mean(axis=2)
    half = float(t_quantile(count - 1, 2 * alpha / (scenarios - 1))) * ahead.std(axis=2, ddof=1) / math.sqrt(count)
    surpassed = (mean - half > 0).any(axis=0)
    may_be_best = tuple(i for i in order if not surpassed[i])
    first = order[0]
    gives_away = max((float(mean[j, first] + half[j, first]) for j in range(scenarios) if j != first), default=0.0)
    return Ranking(tuple(names), order, may_be_best, max(0.0, gives_away), alpha, unit)
