"""Plausible worlds: assumptions drawn from their ranges, chance and ignorance told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from small import SMALL

from sim.cli_output import worlds_text
from sim.scenario import Scenario, evidence, load_scenario
from sim.study.ends import work_hours
from sim.study.errors import Interrupted, StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import Progress, compare, compare_in_worlds
from sim.study.kpis import Kpi
from sim.study.worker import Job
from sim.study.worlds import drawn, left_out, over_worlds, worlds_of

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
MONEY = Kpi("money", "Money", "USD", "all", "higher", "", matters=2.0)


@cache
def company(csms: int = 1) -> Scenario:
    return load_scenario(SCENARIOS / "baseline.yaml", SMALL | {"weeks": 4, "teams.csm.headcount": csms})


def test_a_number_comes_from_its_range_and_its_median_is_the_shipped_one() -> None:
    row = next(row for row in evidence(company()).values() if row.label == "assumption" and row.is_estimate)
    row = replace(row, value=3.0, low=1.0, high=9.0)
    assert [drawn(row, luck) for luck in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1.0, 2.0, 3.0, 6.0, 9.0]
    whole = replace(row, value=3)
    assert isinstance(drawn(whole, 0.6), int)


def test_worlds_draw_all_assumptions_inside_their_ranges_and_hold_the_work() -> None:
    baseline, hire = company(), company(2)
    rows = evidence(baseline)
    assert set(left_out([baseline, hire])) == {"accounts.weekday_profile", "accounts.hour_profile"}
    scaled = ("contacts_per_account_month", "handle_time_mean_minutes")
    asked, planned = work_hours(baseline)
    found = list(worlds_of([baseline, hire], 2, seed=3))
    for (first, other), count in found:
        assert count > 150
        assert work_hours(first) == pytest.approx((asked, planned), rel=1e-9)
        assert other.teams["csm"].headcount == 2, "the decision is the same in every world"
        for path, row in evidence(first).items():
            is_drawn = rows[path].label == "assumption" and row.is_estimate and path.rpartition(".")[2] not in scaled
            if is_drawn and not isinstance(row.value, tuple):
                assert row.low is not None
                assert row.high is not None
                assert row.low <= row.value <= row.high, path
    (a, _), (b, _) = found
    different = [path for path, row in evidence(a[0]).items() if row.value != evidence(b[0])[path].value]
    assert len(different) > 150


def test_the_same_seed_draws_the_same_worlds() -> None:
    first, again, other = (next(iter(worlds_of([company()], 2, seed)))[0][0] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_chance_and_the_spread_of_the_worlds_are_told_apart() -> None:
    luck = np.random.default_rng(7)
    count, replications, spread, chance = 400, 2, 3.0, 4.0
    worlds = luck.normal(1.0, spread, (count, 1))
    found = over_worlds(MONEY, worlds + luck.normal(0, chance, (count, replications)))
    assert found is not None
    # 99.9 % intervals: of the pooled variance by chi-squared, of the means' variance likewise.
    low, high = stats.chi2.ppf([0.0005, 0.9995], count * (replications - 1)) / (count * (replications - 1))
    assert low <= found.sd_chance**2 / (chance**2 / replications) <= high
    whole = found.sd_worlds**2 + found.sd_chance**2
    low, high = stats.chi2.ppf([0.0005, 0.9995], count - 1) / (count - 1)
    assert low <= whole / (spread**2 + chance**2 / replications) <= high
    assert found.low < found.median < found.high


def test_worlds_without_any_effect_are_surely_better_as_rarely_as_promised() -> None:
    luck = np.random.default_rng(8)
    sure = worlds = 0
    for _ in range(50):
        found = over_worlds(MONEY, luck.normal(0, 1, (100, 2)))
        assert found is not None
        assert found.surely_better is not None
        assert found.surely_worse is not None
        sure, worlds = sure + round(100 * (found.surely_better + found.surely_worse)), worlds + 100
    low, high = stats.binom.ppf([0.0005, 0.9995], worlds, 0.05)
    assert low <= sure <= high


def test_the_better_direction_counts_and_a_kpi_without_one_has_no_share() -> None:
    falls = np.full((10, 2), -1.0) + np.array([0.1, -0.1])
    up, down, none = (over_worlds(replace(MONEY, better=way), falls) for way in ("higher", "lower", None))  # type: ignore[arg-type]
    assert up is not None
    assert down is not None
    assert none is not None
    assert (up.better_share, up.surely_worse) == (0.0, 1.0)
    assert (down.better_share, down.surely_better) == (1.0, 1.0)
    assert down.ci95 == (pytest.approx(0.025 ** (1 / 10)), 1.0), "ten of ten by hand"
    assert none.better_share is None
    assert over_worlds(MONEY, np.array([[1.0, math.nan], [2.0, 1.0]])) is None, "one world says nothing of worlds"


def test_a_comparison_in_worlds_is_told_and_counts_its_progress() -> None:
    seen: list[Progress] = []
    found = compare_in_worlds(company(), company(2), worlds=2, pool=InThisProcess(), progress=seen.append)
    assert (found.count, found.replications, found.drawn > 150) == (2, 2, True)
    assert (seen[-1].done, seen[-1].total) == (4, 4)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    whole = replace(compare(company(), company(2), replications=2, pool=InThisProcess()), worlds=found)
    said = whole.to_dict()["worlds"]
    assert said["worlds"] == 2
    assert set(said["differences"][0]["kpis"]["contribution"]) >= {"better_share", "ci95", "sd_worlds", "sd_chance"}
    assert "of 2 plausible worlds" in worlds_text(found, 0, whole)


def test_every_world_has_luck_of_its_own() -> None:
    computed: list[int] = []

    class Noting(InThisProcess):
        def submit(self, job: Job, replications: Iterable[int]) -> None:
            wanted = list(replications)
            computed.extend(wanted)
            super().submit(job, wanted)

    compare_in_worlds(company(), company(2), worlds=3, pool=Noting())
    assert computed == [0, 1, 2, 3, 4, 5], "luck that all worlds share would not average out, however many there are"


def test_an_interruption_says_how_far_all_worlds_were() -> None:
    seen: list[Progress] = []
    with pytest.raises(Interrupted) as raised:
        compare_in_worlds(
            company(), company(2), worlds=3, pool=InThisProcess(), progress=seen.append, cancel=lambda: len(seen) > 5
        )
    assert (raised.value.done, raised.value.total) == (5, 6), "two worlds, and one replication of the third"


@pytest.mark.parametrize(("worlds", "replications"), [(1, 2), (2, 1), (5000, 2)])
def test_too_few_or_too_many_are_refused(worlds: int, replications: int) -> None:
    with pytest.raises(StudyInputError):
        compare_in_worlds(company(), company(2), worlds=worlds, replications=replications)
