"""How long the accounts' weekly tick takes, timed inside a replication.

In: inputs. Out: processor milliseconds of each tick: states, intent, notices, decisions, win-backs, the tiers' rows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any
from unittest.mock import patch

from benchmarks.company import run_once
from sim.model.inputs import Inputs
from sim.model.lifecycle import Lifecycle

PARTS = ("time_passes", "settle", "record_week", "join", "return_lost", "chase", "give_notice")


def tick_milliseconds(inputs: Inputs) -> list[float]:
    """The milliseconds of every week's tick of one replication, warm-up included."""
    weeks: defaultdict[int, float] = defaultdict(float)
    number = 0

    def timed(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(part)
        def call(*given: Any) -> Any:
            nonlocal number
            number += name == "time_passes"
            begun = time.process_time()
            try:
                return part(*given)
            finally:
                weeks[number] += 1000 * (time.process_time() - begun)

        return call

    with ExitStack() as patches:
        for name in PARTS:
            patches.enter_context(patch.object(Lifecycle, name, timed(name, getattr(Lifecycle, name))))
        run_once(inputs)
    return list(weeks.values())
