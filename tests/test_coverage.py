"""Intervals hold the truth, and verdicts err, as often as they say: two thousand studies of ten replications."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from benchmarks.coverage import LOOKED_AT, OF_ALL_KPIS, STUDIES, company, false_verdicts, of_intervals, of_verdicts
from sim.study.executors import InThisProcess
from sim.study.experiment import run


@pytest.mark.slow
def test_intervals_of_95_per_cent_hold_what_theory_says_95_times_in_a_hundred() -> None:
    low, high = binom.ppf([0.0005, 0.9995], STUDIES, 0.95) / STUDIES  # what chance makes of 2,000 studies, at 99.9 %
    assert 0.933 <= low < high <= 0.966, "the band that is promised in the docs"
    wrong = {name: str(share) for name, share in of_intervals(STUDIES).items() if not 0.933 <= share.value <= 0.966}
    assert not wrong


@pytest.mark.slow
def test_equal_scenarios_are_told_apart_in_at_most_one_study_of_twenty() -> None:
    for family, share in of_verdicts(STUDIES, LOOKED_AT, OF_ALL_KPIS).items():
        # 5 % is promised at most; on top comes what chance makes of 2,000 studies, at 99.9 %.
        assert share.value <= 0.066, f"{family}: {share}"


def test_a_difference_that_is_there_is_no_false_verdict_but_is_seen() -> None:
    one = run(company(), replications=10, seed=1, pool=InThisProcess())
    values = one.table.of(0)
    name = "cost_total"
    shifted = {name: values[name] + 1000.0}
    share = false_verdicts({name: one.registry[name]}, {name: values[name]}, shifted, (10,))
    assert (share.hits, share.count) == (1, 1), "else the test above could not fail"
