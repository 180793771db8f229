"""What can go wrong with a study, or end it early.

In: messages. Out: the exceptions that `sim.study.experiment` raises, light to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.study.designed import DesignedStudy
    from sim.study.results import Comparison, RunResult
    from sim.study.risk import RiskReport
    from sim.study.sizing import Sizing
    from sim.study.worth import Worth


class StudyInputError(ValueError):
    """A setting of a study cannot be used; the message says what can."""


class PoolError(RuntimeError):
    """The worker processes cannot be used: they do not start."""


@dataclass(frozen=True)
class ReplicationFailed:
    """A replication that could not be had; everything else of the study is kept."""

    seed: int
    replication: int
    message: str

    def __str__(self) -> str:
        again = f"To see it alone: csm-planner run or compare with --seed {self.seed} --only {self.replication}."
        return f"Replication {self.replication} of seed {self.seed} failed: {self.message}. {again}"


class StudyFailed(RuntimeError):
    """No replication could be had. `failures` says why."""

    def __init__(self, failures: Sequence[ReplicationFailed]) -> None:
        super().__init__("\n".join(map(str, failures)))
        self.failures = tuple(failures)


class Interrupted(Exception):
    """The study was cancelled. `result` covers the replications that had ended, None if there were none."""

    def __init__(
        self,
        done: int,
        total: int,
        result: RunResult | Comparison | RiskReport | Worth | Sizing | DesignedStudy | None,
    ) -> None:
        super().__init__(f"Interrupted after {done} of {total} replications.")
        self.done, self.total, self.result = done, total, result
