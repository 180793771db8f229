"""What the study layer costs beside the model, and what a second worker gains.

In: how many paired replications. Out: clock and processor seconds of the same replications alone, with one worker and
with two that are there already. Clock seconds say something on a quiet machine only; processor seconds on any Linux.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import sim
from benchmarks.company import BASELINE, WHAT_IF
from benchmarks.timing import in_turn, ratio, wall_clock
from sim.model.compile import compile_all
from sim.scenario import Scenario
from sim.study.executors import LocalPool
from sim.study.worker import Job, execute

ALONE, ONE, TWO = "alone", "one worker", "two workers"


def processor_seconds(process: int) -> float:
    """Of another process so far; nan where the system does not tell."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return float("nan")
    words = stat.read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Spent:
    """Processor seconds of this process and of workers, a list element for each time that `piece` was called."""

    pool: LocalPool | None
    piece: Callable[[], object]
    here: list[float] = field(default_factory=list)
    there: list[float] = field(default_factory=list)

    def __call__(self) -> None:
        """Calls the piece and notes what it took."""
        before, began = self._workers(), time.process_time()
        self.piece()
        self.here.append(time.process_time() - began)
        self.there.append(self._workers() - before)

    def _workers(self) -> float:
        return sum(map(processor_seconds, self.pool.process_ids)) if self.pool is not None else 0.0


def workers(replications: int, rounds: int, overrides: dict[str, object]) -> Iterator[str]:
    """The section's lines. overrides : what shortens the scenarios."""
    scenarios = [sim.load_scenario(file, overrides=overrides) for file in (BASELINE, WHAT_IF)]
    with LocalPool(1) as one, LocalPool(2) as two:
        spent = {ALONE: Spent(None, lambda: _alone(scenarios, replications))} | {
            name: Spent(pool, lambda pool=pool: _study(scenarios, replications, pool))  # type: ignore[misc]
            for name, pool in ((ONE, one), (TWO, two))
        }
        clock = in_turn(spent, rounds, wall_clock)
    for one_of in spent.values():  # the first round is not counted; it starts the workers
        del one_of.here[0], one_of.there[0]
    alone = spent[ALONE].here
    yield f"{replications} × 2 replications, the workers there already; medians of {rounds} rounds."
    yield ""
    yield (
        "| who computes | clock seconds | processor, workers | processor, parent "
        "| clock × workers / model alone | all processor / model alone |"
    )
    yield "|---|---:|---:|---:|---:|---:|"
    for name, number in ((ALONE, 1), (ONE, 1), (TWO, 2)):
        used = spent[name]
        both = [here + there for here, there in zip(used.here, used.there, strict=True)]
        yield (
            f"| {name} | {median(clock[name]):.2f} | {median(used.there):.2f} | {median(used.here):.2f} "
            f"| {number * ratio(clock[name], alone):.3f} | {ratio(both, alone):.3f} |"
        )
    yield ""
    yield (
        f"Two workers are {ratio(clock[ONE], clock[TWO]):.2f} × as fast as one. Model alone: its processor seconds, in "
        "this process; where the first row's clock × workers is far above 1, the machine was busy, and no clock counts."
    )


def _alone(scenarios: list[Scenario], replications: int) -> None:
    inputs = compile_all(scenarios)
    job = Job(inputs[0], inputs, 1)
    for replication in range(replications):
        execute(job, replication)


def _study(scenarios: list[Scenario], replications: int, pool: LocalPool) -> None:
    sim.compare(scenarios[0], scenarios[1:], replications=replications, pool=pool)
