"""The gain of the loop from burnout to load and back, per team of a shipped scenario: `python -m benchmarks.burnout`.

Burnout makes people slower, leaves more unresolved, lets them be absent and quit; all of that is load for those who
are there, and load is strain. How much of a little more burnout comes back as strain is the loop's gain: below 1 the
loop dies away by itself, and it makes any push 1 / (1 - gain) times as large.

Measured by holding burnout still: its time constants are 520 weeks, the largest that a scenario may have. In pairs of
the same luck one team begins at its opening burnout, and 0.1 above it. Fatigue follows strain in weeks, so that its
mean is the mean strain; both means are over the people employed, from `SETTLED_WEEK` on. The gain is the difference of
mean strain over the difference of mean burnout (less than 0.1: newcomers bring none), a ratio of means over
replications with its linearised 95 % t-interval (Cochran, Sampling Techniques, 1977, section 6.4).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.model.replication import replicate
from sim.scenario import Scenario, load_scenario
from sim.study.kpis import team_title
from sim.study.statistics import ALPHA, t_interval

FloatArray = NDArray[np.float64]

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
PUSH = 0.1
SETTLED_WEEK = 13
SLOWEST_WEEKS = 520
MOST = 0.6  # a gain that leaves room: any push grows to two and a half times its size at most


@dataclass(frozen=True)
class Gain:
    """A team's gain with its interval, and the burnout at which it was measured."""

    team: str
    burnout: float
    gain: float
    ci95: tuple[float, float]


def held(scenario: Scenario, pushed: str | None) -> Inputs:
    """A scenario whose burnout stands nearly still, with one team's a little higher if it is named."""
    values = {"people.burnout_up_weeks": SLOWEST_WEEKS, "people.burnout_down_weeks": SLOWEST_WEEKS}
    people = scenario.people.model_copy(update={name.split(".")[1]: value for name, value in values.items()})
    teams = {
        name: team.model_copy(update={"opening_burnout": team.opening_burnout + PUSH}) if name == pushed else team
        for name, team in scenario.teams.items()
    }
    return compile_inputs(scenario.model_copy(update={"people": people, "teams": teams}))


def pushes(inputs: Sequence[Inputs], seed: int, replication: int) -> FloatArray:
    """(teams, 2): by how much each team's mean burnout and mean fatigue differ where it was pushed.

    inputs : as it is, then with each team pushed.
    """
    histories = list(replicate(inputs[0], inputs, seed, replication))
    return np.array([_means(pushed, team) - _means(histories[0], team) for team, pushed in enumerate(histories[1:])])


def _means(history: History, team: int) -> FloatArray:
    """Mean burnout and fatigue of a team's people, once its queues have settled."""
    people = history.people_weeks
    rows = (people["team"] == team) & people["employed"] & (people["week"] >= SETTLED_WEEK)
    return np.array([people[name][rows].mean(dtype=np.float64) for name in ("burnout", "fatigue")])


def measured(scenario: Scenario, replications: int, seed: int = 1, workers: int = 2) -> list[Gain]:
    """The gain of every team."""
    inputs = [held(scenario, pushed) for pushed in (None, *scenario.teams)]
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        found = np.array(list(pool.map(partial(pushes, inputs, seed), range(replications))))
    return [
        _gain(name, team.opening_burnout, found[:, i, 0], found[:, i, 1])
        for i, (name, team) in enumerate(scenario.teams.items())
    ]


def _gain(team: str, burnout: float, change: FloatArray, strain: FloatArray) -> Gain:
    gain = float(strain.mean() / change.mean())
    sd = float(np.std(strain - gain * change, ddof=1) / change.mean())
    return Gain(team, burnout, gain, t_interval(gain, sd, len(change), ALPHA))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.burnout", description=__doc__.split("\n")[0])
    parser.add_argument("scenario", nargs="?", default="baseline", help="shipped scenario, without .yaml")
    parser.add_argument("--replications", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    scenario = load_scenario(SCENARIOS / f"{options.scenario}.yaml")
    print(f"Gain of the burnout loop, {scenario.name}, {options.replications} paired replications, seed {options.seed}")
    print("| team | burnout | gain | 95 % interval |")
    print("|---|---|---|---|")
    for one in measured(scenario, options.replications, options.seed, options.workers):
        low, high = one.ci95
        print(f"| {team_title(one.team)} | {one.burnout:.2f} | {one.gain:.2f} | {low:.2f} to {high:.2f} |")


if __name__ == "__main__":
    main()
