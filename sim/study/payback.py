"""When a what-if that costs more at first has paid for itself.

In: paired differences in contribution, week by week. Out: a `Payback`: the week, how sure, in words and as JSON.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtr, betaincinv

from sim.study.kpi_parts import FloatArray
from sim.study.next_action import plain_date
from sim.study.statistics import ALPHA, Interval

HALF_A_CENT = 0.005  # below it, a cumulated difference is rounding


@dataclass(frozen=True)
class Payback:
    """When the cumulated difference in contribution turns positive for good, over replications.

    start : first day of the run; weeks count from it. replications : histories that the figures rest on.
    deepest : mean over replications of the lowest that the cumulated difference falls to, <= 0, in the currency.
    paid_back : replications in which it has turned positive by the end of the run. share_ci95 : interval of their
    share. middle : week of the middle replication, None if it does not within the run.
    middle_ci95 : its interval, None below six replications; an end that the run does not reach is None.
    of_mean : the week in which the mean of the cumulated differences does, None if it does not.
    """

    start: dt.date
    replications: int
    deepest: float
    paid_back: int
    share_ci95: Interval
    middle: int | None
    middle_ci95: tuple[int | None, int | None] | None
    of_mean: int | None

    def monday(self, week: int) -> dt.date:
        """The first day of a week of the run."""
        return self.start + dt.timedelta(weeks=week)

    @property
    def sentence(self) -> str:
        """What to say of it."""
        if self.deepest > -HALF_A_CENT:
            return "What the extra people cost is never more than what they bring."
        low, high = (round(100 * end) for end in self.share_ci95)
        share = f"in {self.paid_back:,} of {self.replications:,} replications ({low} to {high} %)"
        if self.middle is None:
            return f"What the extra people cost is not earned back within the run; it is {share}."
        text = f"What the extra people cost is earned back by the week of {self._day(self.middle)}"
        if self.middle_ci95 is not None:
            first, last = (self._day(week) for week in self.middle_ci95)
            text += f" (the middle replication; 95 % interval: {first} to {last})"
        return f"{text}; within the run, {share}."

    def _day(self, week: int | None) -> str:
        return "not within the run" if week is None else plain_date(self.monday(week))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; weeks count from 1, with the Monday on which the middle one begins."""

        def number(week: int | None) -> int | None:
            return None if week is None else week + 1

        return {
            "deepest": self.deepest,
            "paid_back": self.paid_back,
            "replications": self.replications,
            "share_ci95": list(self.share_ci95),
            "week": number(self.middle),
            "monday": None if self.middle is None else self.monday(self.middle).isoformat(),
            "week_ci95": None if self.middle_ci95 is None else [number(week) for week in self.middle_ci95],
            "week_of_mean": number(self.of_mean),
            "sentence": self.sentence,
        }


def payback(differences: FloatArray, start: dt.date) -> Payback:
    """When a what-if has paid for itself.

    differences : (replications, weeks) contribution of the what-if less the baseline's. start : first day of week 0.
    """
    cumulated = np.cumsum(differences, axis=1)
    weeks = payback_weeks(cumulated)
    ordered = np.sort(weeks)
    count = len(weeks)
    paid = int(np.isfinite(weeks).sum())
    rank = _median_rank(count)
    ends = None if rank is None else (_known(ordered[rank]), _known(ordered[count - 1 - rank]))
    return Payback(
        start=start,
        replications=count,
        deepest=float(np.mean(np.minimum(cumulated.min(axis=1), 0.0))),
        paid_back=paid,
        share_ci95=share_interval(paid, count),
        middle=_known(ordered[count // 2]),
        middle_ci95=ends,
        of_mean=_known(payback_weeks(cumulated.mean(axis=0, keepdims=True))[0]),
    )


def payback_weeks(cumulated: FloatArray) -> FloatArray:
    """(replications,) the week from which on the cumulated difference stays above 0; inf if it ends at or below.

    cumulated : (replications, weeks), at the end of each week.
    """
    weeks = cumulated.shape[1]
    behind = cumulated <= HALF_A_CENT
    since = weeks - np.argmax(behind[:, ::-1], axis=1)  # the week after the last one that is behind
    since = np.where(behind.any(axis=1), since, 0)
    return np.where(since < weeks, since, np.inf)


def share_interval(successes: int, count: int) -> Interval:
    """95 % interval of a share (Clopper and Pearson, Biometrika 26, 1934)."""
    low = float(betaincinv(successes, count - successes + 1, ALPHA / 2)) if successes else 0.0
    high = float(betaincinv(successes + 1, count - successes, 1 - ALPHA / 2)) if successes < count else 1.0
    return low, high


def _median_rank(count: int) -> int | None:
    """Position from 0, in rising order, of the lower end of the median's 95 % interval; None below six values.

    The interval from the k-th smallest to the k-th largest misses the median if fewer than k values lie on one side of
    it, which the binomial law with a half tells.
    """
    ranks = [k for k in range(count // 2) if 2 * bdtr(k, count, 0.5) <= ALPHA]
    return max(ranks) if ranks else None


def _known(week: float) -> int | None:
    return int(week) if np.isfinite(week) else None
