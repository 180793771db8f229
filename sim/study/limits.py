"""Ranges of a study's settings, lowest and highest, and their check."""

from __future__ import annotations

from sim.study.errors import StudyInputError

REPLICATIONS_RANGE = (1, 100_000)
SEED_RANGE = (0, 2**63 - 1)
WORKERS_RANGE = (1, 256)


def check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    """Raises StudyInputError unless a setting is a whole number within its range, both ends included."""
    low, high = allowed
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise StudyInputError(f"{name}: {value!r} cannot be used; use a whole number from {low} to {high}.")
