"""Whether intervals hold the truth, and verdicts err, as often as they say: `python -m benchmarks.coverage`.

In: numbers of studies. Out: lines of Markdown. A study has ten replications; all studies are disjoint parts of one long
series of replications, so that each of them is as independent of the others as a study with another seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario, load_scenario
from sim.study.executors import LocalPool
from sim.study.experiment import run
from sim.study.kpis import HEADLINE, Kpi
from sim.study.payback import share_interval
from sim.study.results import RunResult
from sim.study.statistics import compare_kpis, estimate

FloatArray = NDArray[np.float64]

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
STUDIES, LOOKED_AT, OF_ALL_KPIS = 2_000, 500, 200
REPLICATIONS = 10
LOOKS = (10, 20, 40)
HANDLE_MINUTES, LOAD, CALLS_AN_HOUR = 6.0, 0.6, 6

# An M/M/1 queue of load 0.6 in its steady state, a week long: Poisson arrivals, occupancy = load.
TRUTH = {"agents.offered": CALLS_AN_HOUR * 24.0 * 7, "agents.occupancy": LOAD}
# Ratios of two sums of one replication: their expectation is Erlang's figure but for a part that shrinks with its size.
NEARLY = {
    "agents.wait_probability": LOAD,
    "agents.wait_mean_minutes": LOAD / (1 - LOAD) * HANDLE_MINUTES,
}


@dataclass(frozen=True)
class Share:
    """How often something happened."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        return self.hits / self.count

    def __str__(self) -> str:
        low, high = share_interval(self.hits, self.count)
        return f"{100 * self.value:.1f} % of {self.count:,} ({100 * low:.1f} to {100 * high:.1f})"


def queue() -> Scenario:
    """An M/M/1 queue of 1,008 contacts a week."""
    changes = {
        "tiers.all.accounts": CALLS_AN_HOUR,
        "categories.call.handle_time_mean_minutes": HANDLE_MINUTES,
        "weeks": 1,
        "accounts.warm_up_weeks": 1,
    }
    return load_scenario(SCENARIOS / "textbook" / "mm1_load_60.yaml", changes)


def company() -> Scenario:
    """The shipped company, small and short, with all that can happen in it."""
    changes = {
        "weeks": 2,
        "accounts.warm_up_weeks": 1,
        "tiers.enterprise.accounts": 4,
        "tiers.midmarket.accounts": 10,
        "tiers.small.accounts": 16,
        "teams.csm.headcount": 1,
        "teams.support.headcount": 1,
    }
    return load_scenario(SCENARIOS / "baseline.yaml", changes)


def covered(found: RunResult, truth: Mapping[str, float]) -> dict[str, Share]:
    """How often the 95 % interval of a study of ten replications holds the truth, by KPI."""
    shares = {}
    for name, value in truth.items():
        studies = found.table.of(0)[name].reshape(-1, REPLICATIONS)
        intervals = [estimate(one).ci95 for one in studies]
        hits = sum(one is not None and one[0] <= value <= one[1] for one in intervals)
        shares[name] = Share(hits, len(studies))
    return shares


def false_verdicts(
    kpis: Mapping[str, Kpi], one: Mapping[str, FloatArray], other: Mapping[str, FloatArray], looks: Sequence[int]
) -> Share:
    """How often a study of two equal scenarios with luck of their own says better or worse, at any look, of any KPI."""
    size = looks[-1]
    studies = len(next(iter(one.values()))) // size
    wrong = 0
    for study in range(studies):
        seen = False
        for number, count in enumerate(looks, start=1):
            part = slice(study * size, study * size + count)
            first, second = ({name: side[name][part] for name in kpis} for side in (one, other))
            (changes,) = compare_kpis(kpis, first, [second], number)
            seen |= any(change.verdict in ("better", "worse") for change in changes.values())
        wrong += seen
    return Share(wrong, studies)


def of_intervals(studies: int) -> dict[str, Share]:
    """How often intervals hold what theory says, by KPI."""
    return covered(run(queue(), replications=studies * REPLICATIONS), TRUTH | NEARLY)


def of_verdicts(studies: int, looked_at: int, of_all: int) -> dict[str, Share]:
    """How often equal scenarios are told apart, in words."""
    count = max(studies * REPLICATIONS, looked_at * LOOKS[-1])
    with LocalPool() as pool:
        pair = [run(company(), replications=count, seed=seed, pool=pool) for seed in (1, 2)]
    kpis = pair[0].registry
    one, other = (side.table.of(0) for side in pair)
    headline = {name: kpis[name] for name in HEADLINE}
    rest = {name: kpi for name, kpi in kpis.items() if name not in HEADLINE}
    return {
        "a headline KPI, one look": false_verdicts(headline, *_first(one, other, studies), (REPLICATIONS,)),
        "a headline KPI, three looks": false_verdicts(headline, *_first(one, other, looked_at, LOOKS[-1]), LOOKS),
        "any other KPI, one look": false_verdicts(rest, *_first(one, other, of_all), (REPLICATIONS,)),
    }


def _first(
    one: Mapping[str, FloatArray], other: Mapping[str, FloatArray], studies: int, size: int = REPLICATIONS
) -> list[dict[str, FloatArray]]:
    return [{name: values[: studies * size] for name, values in side.items()} for side in (one, other)]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES, help="how many of ten replications")
    studies = parser.parse_args().studies
    less = studies / STUDIES
    print("| what | how often |\n|---|---:|")
    for what, share in of_intervals(studies).items():
        print(f"| the interval of `{what}` holds the truth | {share} |", flush=True)
    for what, share in of_verdicts(studies, int(LOOKED_AT * less), int(OF_ALL_KPIS * less)).items():
        print(f"| a false verdict on {what} | {share} |")


if __name__ == "__main__":
    main()
