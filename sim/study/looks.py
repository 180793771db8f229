"""How often a study is looked at, and when it knows enough.

In: numbers of replications, KPI values so far. Out: what a look may spend of the error, and whether to go on.

Whoever looks at the same study again and again, and believes the first verdict, errs more often than in one of twenty.
So every look has its share of the error, and the shares add up to the whole, however many looks there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario.errors import did_you_mean
from sim.study.errors import StudyInputError
from sim.study.kpis import Kpi
from sim.study.statistics import ALPHA, estimate, paired, spent, t_interval
from sim.study.worker import Finished

FloatArray = NDArray[np.float64]

FIRST_LOOK = 10
FIRST_PRECISION_LOOK = 20  # below, the spread is not known well enough to stop for it
PRECISION_STEP = 10


@dataclass(frozen=True)
class Looks:
    """The look that a comparison is: number counts from 1, at says after how many replications the looks were."""

    number: int = 1
    at: tuple[int, ...] = ()

    @property
    def alpha(self) -> float:
        """The chance of a false verdict that this look may spend."""
        return spent(self.number)

    @property
    def sentence(self) -> str:
        """That the question was looked at before, with a space at its end; empty for the first look."""
        if self.number == 1:
            return ""
        counts = ", ".join(f"{count:,}" for count in self.at)
        return (
            f"This is look {self.number} at this question (after {counts} replications): its verdicts together may "
            f"err in {100 * self.alpha:.2g} % of studies, so that all looks together stay at 5 %. "
        )


@dataclass(frozen=True)
class Plan:
    """Which replications are computed, part after part, and what is asked after each part but the last.

    enough : of the replications so far, in order, and their number with those that failed; true ends the study.
    """

    parts: tuple[range, ...]
    enough: Callable[[Sequence[Finished], int], bool] = lambda finished, replications: False


def planned_looks(most: int) -> tuple[range, ...]:
    """The parts of a study with looks at 10, 20, 40, 80... replications and at its end."""
    ends = []
    look = FIRST_LOOK
    while look < most:
        ends.append(look)
        look *= 2
    return _parts([*ends, most])


def precision_looks(most: int) -> tuple[range, ...]:
    """The parts of a study whose precision is looked at from 20 replications on, after every 10."""
    return _parts([*range(FIRST_PRECISION_LOOK, most, PRECISION_STEP), most])


def _parts(ends: Sequence[int]) -> tuple[range, ...]:
    return tuple(range(first, last) for first, last in zip([0, *ends], ends, strict=False))


@dataclass(frozen=True)
class Precision:
    """How well a KPI must be known: half the width of its 95 % interval, in its unit, or as a share of the baseline.

    The share is one of the mean's size: a negative mean is no reason to stop at once. Where the mean is near zero,
    nothing finer is asked than the size that matters.
    """

    kpi: str
    half_width: float
    relative: bool = False

    def wanted(self, kpi: Kpi, baseline_mean: float) -> float:
        """The half-width in the KPI's unit."""
        if not self.relative:
            return self.half_width
        return max(self.half_width * abs(baseline_mean), kpi.size_that_matters(baseline_mean))


@dataclass(frozen=True)
class Reached:
    """How well a figure is known: half the width of its interval (the longer arm of a lopsided one), and what was asked
    for; None if it has none yet.

    scenario : whose mean it is, or whose difference to the baseline.
    """

    kpi: str
    scenario: str
    half_width: float | None
    wanted: float

    @property
    def met(self) -> bool:
        return self.half_width is not None and self.half_width <= self.wanted

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {"kpi": self.kpi, "scenario": self.scenario, "half_width": self.half_width, "wanted": self.wanted}


def read_precision(words: Sequence[str], kpis: Mapping[str, Kpi]) -> list[Precision]:
    """The precision asked for, such as 'logo_churn_per_year=0.005' or 'contribution=5%'. Raises StudyInputError."""
    found, problems = [], []
    for text in words:
        name, _, number = (part.strip() for part in text.partition("="))
        relative = number.endswith("%")
        try:
            half_width = float(number.removesuffix("%")) / (100 if relative else 1)
        except ValueError:
            half_width = math.nan
        if name not in kpis:
            problems.append(f"precision: there is no KPI '{name}'{did_you_mean(name, kpis)}")
        elif not 0 < half_width < math.inf:
            problems.append(
                f"precision: {text} cannot be read; write KPI=HALF_WIDTH in the KPI's unit ({kpis[name].unit}), "
                f"such as {name}=0.005, or in per cent of its mean, such as {name}=5%."
            )
        else:
            found.append(Precision(name, half_width, relative))
    if len({one.kpi for one in found}) < len(found):
        problems.append("precision: a KPI is named twice; give one half-width for each.")
    if problems:
        raise StudyInputError("\n".join(problems))
    return found


def reached(
    asked: Sequence[Precision], kpis: Mapping[str, Kpi], names: Sequence[str], values: Mapping[str, FloatArray]
) -> tuple[Reached, ...]:
    """How well KPIs are known: the mean of a single scenario, or the differences of what-ifs to the first one.

    values : (scenarios, replications) by KPI, nan where there is none. All intervals together hold at 95 %: with k
    figures each one is taken at 1 - 5 % / k (Bonferroni). Values without any spread are as precise as can be.
    """
    figures = max(1, len(names) - 1)
    alpha = ALPHA / max(1, len(asked) * figures)
    found = []
    for one in asked:
        first = values[one.kpi][0]
        mean = float(np.nanmean(first)) if not np.isnan(first).all() else 0.0
        wanted = one.wanted(kpis[one.kpi], mean)
        for i in range(len(names) - figures, len(names)):
            interval = _interval(kpis[one.kpi], values[one.kpi][i], first if i else None, alpha)
            half = (
                None if interval is None else max(interval[1] - interval[0], interval[0] - interval[2])
            )  # the longer arm
            found.append(Reached(one.kpi, names[i], half, wanted))
    return tuple(found)


def _interval(
    kpi: Kpi, values: FloatArray, baseline: FloatArray | None, alpha: float
) -> tuple[float, float, float] | None:
    """Mean, upper and lower end of the interval that the result shows; of a skewed difference the bootstrap-t's."""
    if baseline is None:
        found = estimate(values)
        if found.mean is None or found.sd is None:
            return None
        low, high = t_interval(found.mean, found.sd, found.count, alpha)
        return found.mean, high, low
    pairs = paired(baseline, values, kpi.name if kpi.skewed else None)
    interval = pairs.interval(alpha)
    if pairs.mean is None or interval is None:
        return None
    return pairs.mean, interval[1], interval[0]
