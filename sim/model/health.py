"""Health: the score of an account, its named status, and what the company sees of it.

In: account states and rules. Out: scores, statuses, who gets an action plan. Pure functions of arrays.
"""

from __future__ import annotations

import numpy as np

from sim.model.account_rules import HealthRules
from sim.model.inputs import BoolArray, FloatArray, IntArray

STATUSES = ("at risk", "watch", "healthy")
AT_RISK, WATCH, HEALTHY = range(len(STATUSES))


def health(states: FloatArray, rules: HealthRules) -> FloatArray:
    """Health score in [0, 1]: the weighted mean of the three states (3, accounts), shape (accounts,)."""
    adoption, satisfaction, executive = rules.weights
    return adoption * states[0] + satisfaction * states[1] + executive * states[2]


def status(score: FloatArray, rules: HealthRules) -> IntArray:
    """Position in `STATUSES` of each score, shape (accounts,)."""
    return (score >= rules.at_risk_below).astype(np.int64) + (score > rules.healthy_above)


def signals(score: FloatArray, z: FloatArray, rules: HealthRules) -> FloatArray:
    """What a week's signals say of the scores, shape (accounts,): off by a share of them, in both directions.

    z : (accounts,) standard normal, the same all week. The result stays in [0, 1].
    """
    return np.clip(score * (1 + rules.signal_noise * z), 0.0, 1.0)


def seen(before: FloatArray, score: FloatArray, rules: HealthRules, weeks: float) -> FloatArray:
    """The score that the company sees after `weeks`, shape (accounts,).

    score : the true one, or what noisy signals say of it. Signals come late: what is seen follows them as an
    exponential delay with a mean of `signal_lag_weeks`, so that an account can leave while it still looks healthy;
    the delay also averages noise out.
    """
    if rules.signal_lag_weeks <= 0:
        return score
    return np.asarray(score + (before - score) * np.exp(-weeks / rules.signal_lag_weeks))


def plans_due(seen_score: FloatArray, last_plan_week: FloatArray, week: float, rules: HealthRules) -> BoolArray:
    """Which accounts get an action plan: they look at risk, and the last plan is long enough ago, (accounts,)."""
    return np.asarray((seen_score < rules.at_risk_below) & (week - last_plan_week >= rules.plan_every_weeks))
