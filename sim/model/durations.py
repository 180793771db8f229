"""Handle times: laws by mean and spread, drawn by inverse CDF of one uniform each.

In: uniforms and each category's law. Out: handle times over their mean. Constant, exponential, lognormal, gamma, or
the company's own sample, scaled to the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model.luck import exponential, lognormal, normal_quantile

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LAWS = ("lognormal", "exponential", "constant", "gamma", "empirical")
LOGNORMAL, EXPONENTIAL, CONSTANT, GAMMA, EMPIRICAL = range(len(LAWS))

# Where the gamma law's quantiles are tabled: on the normal scale their logarithm is nearly a straight line.
NORMAL_GRID = np.linspace(-9.0, 9.0, 1801)


@dataclass(frozen=True)
class Durations:
    """The laws of all categories.

    law : (categories,), position in `LAWS`. cv : (categories,), standard deviation over mean, for the lognormal law.
    table : per category, for gamma the logarithm of the quantile over the mean at `NORMAL_GRID`; for empirical the
    sorted sample over its mean; else empty.
    """

    law: IntArray
    cv: FloatArray
    table: tuple[FloatArray, ...]

    def over_mean(self, u: FloatArray, category: IntArray) -> FloatArray:
        """Handle times over their mean; u (attempts, contacts), category (contacts,)."""
        drawn = lognormal(u, 1.0, self.cv[category])
        if not self.law.any():
            return drawn
        law = self.law[category]
        drawn[:, law == CONSTANT] = 1.0
        some = law == EXPONENTIAL
        drawn[:, some] = exponential(u[:, some], 1.0)
        for one in np.unique(category[law >= GAMMA]):
            some, table = category == one, self.table[one]
            if self.law[one] == GAMMA:
                drawn[:, some] = np.exp(np.interp(normal_quantile(u[:, some]), NORMAL_GRID, table))
            else:
                drawn[:, some] = table[(u[:, some] * len(table)).astype(np.int64)]
        return drawn
