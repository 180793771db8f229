"""Ranges of a study's settings, lowest and highest, and their check."""

from __future__ import annotations

from sim.study.errors import StudyInputError

REPLICATIONS_RANGE = (1, 100_000)
SEED_RANGE = (0, 2**63 - 1)
WORKERS_RANGE = (1, 256)
MOST_RUNS = 20_000  # of a designed study, which keeps about 40 kB of each


def check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    """Raises StudyInputError unless a setting is a whole number within its range, both ends included."""
    low, high = allowed
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise StudyInputError(f"{name}: {value!r} cannot be used; use a whole number from {low} to {high}.")


def check_runs(points: int, replications: int) -> None:
    """Raises StudyInputError if points and replications together are more than a study can keep."""
    if points * replications > MOST_RUNS:
        most = MOST_RUNS // points
        raise StudyInputError(
            f"replications: {replications:,} of {points:,} points are {points * replications:,} runs; at most "
            f"{MOST_RUNS:,} are done: use at most {most:,} replications, or fewer points."
        )
