"""The agenda of a run: a SimPy clock on which plain calls wait beside SimPy's events, in one total order.

In: calls, with a time and an order among those of the same time. Out: each is made at its time. A call is a row and
not an event object, since every contact needs two or three; the few long-lived actors are SimPy processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import simpy

PHASE_ORDER, SHIFT_ORDER, END_ORDER, GIVE_UP_ORDER, ARRIVE_ORDER, DAY_ORDER, WEEK_ORDER, OPEN_ORDER = range(1, 9)

Call = tuple[float, int, int, Callable[[Any, float], None], Any]  # time, order, number, function, its argument


class Agenda(simpy.Environment):
    """The clock of one run; `time` is the hour it is."""

    def __init__(self, time: float) -> None:
        super().__init__(time)
        self.time = time
        self.calls: list[Call] = []
        self._numbers = count()

    def call(self, time: float, order: int, function: Callable[[Any, float], None], argument: Any) -> None:
        """Lets function(argument, hour) be called at `time`: by order, then as they were put down, at the same time."""
        now = self.time
        delay = time - now
        heappush(self.calls, (now + delay if delay > 0.0 else now, order, next(self._numbers), function, argument))

    def put_back(self, calls: Sequence[Call]) -> None:
        """Puts calls down again that were on an agenda, at the same times and in the same order."""
        self.calls += calls
        heapify(self.calls)
        self._numbers = count(1 + max((call[2] for call in self.calls), default=0))

    def run_to(self, time: float) -> None:
        """Makes all calls before `time`; then it is `time`."""
        calls = self.calls
        while calls and calls[0][0] < time:
            self.time, _, _, function, argument = heappop(calls)
            function(argument, self.time)
        self.time = time

    def at(self, time: float, order: int) -> simpy.Event:
        """An event for a process to wait for."""
        event = _Sure(self)
        self.call(time, order, self._occur, event)
        return event

    # --- what SimPy's processes ask of a clock ----------------------------------------------------------------

    @property
    def now(self) -> float:
        """The hour it is."""
        return self.time

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Lets an event of SimPy occur: a process begins, or has ended."""
        self.call(self.time + delay, priority, self._occur, event)

    def _occur(self, event: simpy.Event, now: float) -> None:
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event.ok and not event.defused:
            raise event.value  # type: ignore[misc]


class _Sure(simpy.Event):
    """An event that is bound to come, born triggered like a Timeout."""

    _ok = True
    _value = None
