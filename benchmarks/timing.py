"""Timing on a machine that does other things too: rounds in turn, medians, ratios within a round.

In: functions to time. Out: seconds per round. Times are of the processor where one process works, of the clock
where several do.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

Seconds = dict[str, list[float]]


def in_turn(pieces: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> Seconds:
    """Seconds of each piece in each round: a, b, c, a, b, c ... after one round that is not counted.

    A burst of other work thus meets all pieces alike. The cycle collector rests, as it does in the model.
    """
    seconds: Seconds = {name: [] for name in pieces}
    for counted in (False, *[True] * rounds):
        for name, piece in pieces.items():
            gc.collect()
            gc.disable()
            began = clock()
            try:
                piece()
            finally:
                gc.enable()
            if counted:
                seconds[name].append(clock() - began)
    return seconds


def ratio(seconds: Sequence[float], to: Sequence[float]) -> float:
    """Median over the rounds of one piece's time over another's in the same round."""
    return median(a / b for a, b in zip(seconds, to, strict=True))


processor_clock = time.process_time
wall_clock = time.perf_counter
