"""Means, intervals, paired differences and Holm's verdicts, against scipy.stats and values by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.study.kpis import HEADLINE, Kpi
from sim.study.statistics import (
    NO_DIFFERENCE,
    Pairs,
    adjusted_levels,
    compare_kpis,
    estimate,
    judge,
    paired,
    resampled,
    spent,
)

NAN = float("nan")
LOWER = Kpi("cost_total", "Cost", "USD", "all", "lower", "", 1.0)
HIGHER = replace(LOWER, name="contribution", better="higher")
NEITHER = replace(LOWER, name="csm.occupancy", better=None)


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_estimate_is_mean_and_students_t_interval() -> None:
    values = array(3.0, 5.0, 4.0, 8.0)
    got = estimate(values)
    want = stats.t.interval(0.95, 3, loc=5.0, scale=stats.sem(values))
    assert got.mean == 5.0
    assert got.sd == pytest.approx(np.std(values, ddof=1))
    assert got.ci95 == pytest.approx(want)


def test_replications_without_a_value_are_left_out() -> None:
    assert estimate(array(1.0, NAN, 3.0)) == estimate(array(1.0, 3.0))
    assert estimate(array(NAN)).mean is None
    assert estimate(array()).ci95 is None


def test_one_replication_has_a_mean_but_no_interval() -> None:
    got = estimate(array(7.0))
    assert (got.mean, got.ci95, got.sd) == (7.0, None, None)
    change = judge(LOWER, 7.0, paired(array(7.0), array(9.0)), 0.05)
    assert (change.mean, change.ci95, change.ci95_adjusted) == (2.0, None, None)
    assert (change.verdict, change.more_replications) == ("cannot_tell", None), "one pair has no spread"


def test_paired_test_agrees_with_scipy() -> None:
    random = np.random.default_rng(1)
    before = random.normal(10, 3, 12)
    after = before + random.normal(0.5, 1, 12)
    got = paired(before, after)
    assert got.p == pytest.approx(stats.ttest_rel(after, before).pvalue)
    want = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert got.interval(0.05) == pytest.approx((want.low, want.high))


def test_only_replications_that_both_have_are_paired() -> None:
    got = paired(array(1.0, NAN, 3.0, 5.0), array(2.0, 9.0, NAN, 7.0))
    assert (got.mean, got.count) == (1.5, 2)


def test_no_difference_at_all_is_surely_none_that_matters() -> None:
    same = array(0.1, 0.2, 0.3)
    change = judge(LOWER, 0.2, paired(same, same.copy()), 0.05)
    assert (change.mean, change.ci95, change.verdict) == (0.0, (0.0, 0.0), "cannot_tell")
    assert change.reason == NO_DIFFERENCE


def test_rounding_in_sums_is_not_an_effect() -> None:
    values = array(0.1, 0.2, 0.3) * 1e6
    got = paired(values, values * (1 + 1e-14))
    assert got.p == 1.0, "the same rows added up in another order differ in the last bits"
    assert got.mean == 0.0


def test_the_same_difference_every_time_is_certain() -> None:
    got = paired(array(1.0, 2.0, 3.0), array(3.0, 4.0, 5.0))
    assert (got.mean, got.sd, got.p) == (2.0, 0.0, 0.0)
    assert judge(LOWER, 2.0, got, 0.05).verdict == "worse"


def test_better_direction_decides_the_sign_of_the_verdict() -> None:
    rise = Pairs(mean=10.0, sd=1.0, count=10, p=0.0)
    fall = Pairs(mean=-10.0, sd=1.0, count=10, p=0.0)
    assert judge(LOWER, 5.0, rise, 0.05).verdict == "worse"
    assert judge(LOWER, 5.0, fall, 0.05).verdict == "better"
    assert judge(HIGHER, 5.0, rise, 0.05).verdict == "better"
    assert judge(HIGHER, 5.0, fall, 0.05).verdict == "worse"
    assert judge(NEITHER, 5.0, rise, 0.05).verdict is None, "occupancy has no better direction"


def test_interval_inside_what_matters_says_so() -> None:
    tight = Pairs(mean=0.01, sd=0.1, count=50, p=0.5)
    change = judge(LOWER, 5.0, tight, 0.05)
    assert (change.verdict, change.reason, change.more_replications) == ("cannot_tell", NO_DIFFERENCE, None)


def test_relative_size_that_matters_follows_the_baseline() -> None:
    relative = replace(LOWER, matters=0.01, relative=True)
    change = Pairs(mean=0.5, sd=1.0, count=100, p=0.0)
    assert judge(relative, -1000.0, change, 0.001).negligible, "1 % of 1000 is 10, whatever its sign"
    assert not judge(relative, 10.0, change, 0.001).negligible


def test_about_how_many_more_replications_would_tell() -> None:
    wide = Pairs(mean=2.0, sd=10.0, count=30, p=0.28)
    change = judge(LOWER, 5.0, wide, 0.05)
    needed = (stats.t.ppf(1 - 0.025 * spent(2) / spent(1), 29) * 10 / 2) ** 2  # they are looked at a second time
    assert change.more_replications == math.ceil(needed) - 30
    hopeless = Pairs(mean=1.0, sd=1e9, count=30, p=1.0)
    assert judge(LOWER, 5.0, hopeless, 0.05).more_replications is None, "more than anybody would run"


def holm_rejects(p_values: list[float], alpha: float) -> list[bool]:
    """Holm (1979) as in the textbook."""
    order = np.argsort(p_values, kind="stable")
    rejected = [False] * len(p_values)
    for rank, i in enumerate(order):
        if p_values[i] > alpha / (len(p_values) - rank):
            break
        rejected[i] = True
    return rejected


def test_levels_by_hand() -> None:
    assert adjusted_levels([0.03, 0.001, 0.04, 0.02]) == pytest.approx([0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3])
    assert adjusted_levels([]) == []
    assert adjusted_levels([0.2]) == [0.05]


@settings(max_examples=200)
@given(st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.0125, 0.05, 1.0]), max_size=12))
def test_adjusted_levels_agree_with_holm_and_never_fall(p_values: list[float]) -> None:
    levels = adjusted_levels(p_values)
    decided = [p <= level for p, level in zip(p_values, levels, strict=True)]
    assert decided == holm_rejects(p_values, 0.05), "an interval excludes 0 just if Holm rejects"
    by_p = [levels[i] for i in np.argsort(p_values, kind="stable")]
    assert by_p == sorted(by_p), "stronger evidence never gets the narrower confidence"


def test_headline_kpis_and_the_rest_are_two_families_over_all_scenarios() -> None:
    random = np.random.default_rng(5)
    names = [*HEADLINE[:2], "other"]
    kpis = {name: replace(LOWER, name=name) for name in names}
    baseline = {name: random.normal(10, 1, 20) for name in names}
    scenarios = [{name: baseline[name] + random.normal(0.2, 1, 20) for name in names} for _ in range(2)]
    got = compare_kpis(kpis, baseline, scenarios)
    headline = [(i, name) for i in range(2) for name in names[:2]]
    p_values = [paired(baseline[n], scenarios[i][n]).p or 0.0 for i, n in headline]
    for (i, name), level in zip(headline, adjusted_levels(p_values, spent(1)), strict=True):
        want = paired(baseline[name], scenarios[i][name]).interval(level)
        assert got[i][name].ci95_adjusted == pytest.approx(want), f"{name} of scenario {i}: family of four"
    rest = [paired(baseline["other"], one["other"]).p or 0.0 for one in scenarios]
    for i, level in enumerate(adjusted_levels(rest, spent(1))):
        want = paired(baseline["other"], scenarios[i]["other"]).interval(level)
        assert got[i]["other"].ci95_adjusted == pytest.approx(want), "the rest: family of two"


def test_verdict_agrees_with_the_adjusted_interval_even_where_the_plain_one_differs() -> None:
    random = np.random.default_rng(8)
    names = list(HEADLINE)
    kpis = {name: replace(LOWER, name=name, matters=0.0) for name in names}
    disagreements = 0
    for _ in range(30):
        baseline = {name: random.normal(10, 1, 10) for name in names}
        scenario = {name: values + random.normal(0.5, 0.8, 10) for name, values in baseline.items()}
        for change in compare_kpis(kpis, baseline, [scenario])[0].values():
            assert change.ci95 is not None
            assert change.ci95_adjusted is not None
            low, high = change.ci95_adjusted
            assert (change.verdict == "cannot_tell") == (low <= 0 <= high)
            assert low <= change.ci95[0] <= change.ci95[1] <= high, "adjusting never narrows"
            disagreements += change.verdict == "cannot_tell" and change.ci95[0] > 0
    assert disagreements > 0, "the case that needs the adjustment must occur here"


def test_kpis_without_values_take_no_part_in_a_family() -> None:
    kpis = {name: replace(LOWER, name=name) for name in ("contribution", "cost_total")}
    baseline = {"contribution": array(1.0, 2.0, 4.0), "cost_total": array(NAN, NAN, NAN)}
    scenario = {"contribution": array(2.0, 3.5, 4.0), "cost_total": array(NAN, NAN, NAN)}
    got = compare_kpis(kpis, baseline, [scenario])[0]
    assert got["cost_total"].mean is None
    assert got["cost_total"].verdict is None, "nothing was measured"
    alone = paired(baseline["contribution"], scenario["contribution"]).interval(spent(1))
    assert got["contribution"].ci95_adjusted == alone, "a family of one is adjusted for later looks only"


def test_bootstrap_t_holds_the_true_mean_of_skewed_differences_more_often_than_students_t() -> None:
    random = np.random.default_rng(3)
    samples = random.lognormal(0.0, 1.0, (400, 30))
    truth = math.exp(0.5)
    none = np.zeros(30)
    missed_above = {
        kind: sum(pair.interval(0.05)[1] < truth for pair in (paired(none, one, kind) for one in samples))
        for kind in (None, "csm.backlog_mean")
    }
    t, bootstrap = missed_above[None] / 400, missed_above["csm.backlog_mean"] / 400
    assert t > 0.06, "the case must be one in which Student's t fails on the side of the tail (2.5 % is promised)"
    # Two-sided 99.9 % binomial interval around the promised 2.5 % is 0.5 to 5.5 %; the method's own bias at 30 pairs
    # of so heavy a tail adds about 2.5 %.
    assert 0.005 <= bootstrap <= 0.08
    assert bootstrap < 0.75 * t


@pytest.mark.parametrize("count", [4, 7, 30])
def test_bootstrap_p_and_interval_agree_at_every_level(count: int) -> None:
    random = np.random.default_rng(count)
    seen = set()
    for _ in range(25):
        got = paired(np.zeros(count), random.lognormal(0, 1, count) - random.uniform(-1, 3), "csm.wait_mean_minutes")
        assert got.resampled is not None
        assert got.p is not None
        for level in (0.05, got.p, got.p * 0.999, 0.05 / 6, 0.05 / 7, 0.0002, 0.05 / 400, 1e-6):
            interval = got.interval(level)
            assert interval is not None
            excludes = not interval[0] <= 0 <= interval[1]
            finest = 2 / (len(got.resampled.statistics) + 1)
            if got.p != level or level >= finest:  # beyond it p is a float's inverse of the interval, not a count
                assert excludes == (got.p <= level), f"p {got.p}, level {level}, interval {interval}"
            seen.add(excludes)
        widths = [np.subtract(*got.interval(level)[::-1]) for level in (0.05, 0.01, 0.0002, 0.00019, 1e-5)]
        assert widths == sorted(widths), "more confidence never narrows, also beyond the finest level"
    assert seen == {True, False}


def test_bootstrap_t_of_symmetric_differences_is_about_students_t() -> None:
    values = stats.norm.ppf((np.arange(30) + 0.5) / 30) + 0.3
    plain, boot = paired(np.zeros(30), values), paired(np.zeros(30), values, "csm.backlog_mean")
    # Without skew both estimate the same quantiles; 9,999 draws leave the 2.5 % quantile uncertain by about 2 %, and
    # the fixed sample's lighter tails by some per cent.
    for one, other in zip(plain.interval(0.05), boot.interval(0.05), strict=True):
        assert abs(one - other) <= 0.10 * (0.3 - plain.interval(0.05)[0])


def test_bootstrap_is_the_same_every_time_and_another_for_another_kpi() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, 12)
    first = resampled(values, "csm.backlog_mean")
    again = resampled(values, "csm.backlog_mean")
    other = resampled(values, "support.backlog_mean")
    assert first is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(first.statistics, again.statistics), "the same study gives the same bits"
    assert not np.array_equal(first.statistics, other.statistics), "two KPIs do not share their luck"


def test_students_t_stays_where_resampling_cannot_speak() -> None:
    assert resampled(array(1.0, 2.0, 4.0), "x") is None, "three values have ten different resamples"
    assert resampled(array(*[0.0] * 29, 5.0), "x") is None, "a third of the resamples are all zero"
    same = paired(array(1.0, 2.0, 3.0, 4.0), array(3.0, 4.0, 5.0, 6.0), "x")
    assert (same.sd, same.p, same.resampled) == (0.0, 0.0, None), "no spread, no doubt"
    assert resampled(np.random.default_rng(1).normal(size=2_001), "x") is None


def test_only_skewed_kpis_are_resampled_and_their_verdicts_agree_with_holm() -> None:
    random = np.random.default_rng(4)
    names = ["support.wait_mean_minutes", "contribution", "cost_total"]
    kpis = {name: replace(LOWER, name=name, matters=0.0, skewed="wait" in name) for name in names}
    baseline = {name: random.normal(10, 1, 15) for name in names}
    verdicts = set()
    for shift in (0.0, 0.3, 0.6, 3.0):
        scenario = {name: values + random.lognormal(0, 1, 15) * shift for name, values in baseline.items()}
        got = compare_kpis(kpis, baseline, [scenario])[0]
        pairs = {name: paired(baseline[name], scenario[name], name if "wait" in name else None) for name in names}
        rejects = holm_rejects([pairs[name].p or 0.0 for name in names], 0.05)
        for name, rejected in zip(names, rejects, strict=True):
            assert got[name].ci95 == pairs[name].interval(0.05)
            assert (got[name].verdict == "worse") == rejected, f"{name} at {shift}"
            verdicts.add(got[name].verdict)
    assert verdicts == {"worse", "cannot_tell"}
