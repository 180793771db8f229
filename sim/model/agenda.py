"""The agenda of a run: a SimPy clock on which plain calls wait beside SimPy's events, in one total order.

In: calls, with a time and an order among those of the same time. Out: each is made at its time. A call is a row and
not an event object, since every contact needs two or three; the few long-lived actors are SimPy processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any

import simpy

PHASE_ORDER, SHIFT_ORDER, END_ORDER, GIVE_UP_ORDER, ARRIVE_ORDER, DAY_ORDER, WEEK_ORDER, OPEN_ORDER = range(1, 9)

Call = tuple[float, int, int, Callable[[Any, float], None], Any]  # time, order, number, function, its argument


_NEVER = (inf, 0)
_NONE: tuple[float, Any] = (inf, None)


def _nobody(what: Any, now: float) -> None:
    """Receives nothing: nothing is expected."""


class Agenda(simpy.Environment):
    """The clock of one run; `time` is the hour it is."""

    def __init__(self, time: float) -> None:
        super().__init__(time)
        self.time = time
        self.calls: list[Call] = []
        self._numbers = count()
        self._coming: Iterator[tuple[float, Any]] = iter(())
        self._next, self._what = inf, None  # of those that come: the time of the first, and what it is
        self._receive: Callable[[Any, float], None] = _nobody

    def call(self, time: float, order: int, function: Callable[[Any, float], None], argument: Any) -> None:
        """Lets function(argument, hour) be called at `time`: by order, then as they were put down, at the same time."""
        if time < self.time:
            time = self.time
        heappush(self.calls, (time, order, next(self._numbers), function, argument))

    def put_back(self, calls: Sequence[Call]) -> None:
        """Puts calls down again that were on an agenda, at the same times and in the same order."""
        self.calls += calls
        heapify(self.calls)
        self._numbers = count(1 + max((call[2] for call in self.calls), default=0))

    def expect(self, coming: Iterable[tuple[float, Any]], receive: Callable[[Any, float], None]) -> None:
        """Lets receive(what, hour) be called for each (hour, what), which are in order of time, as an arrival.

        Those still expected from before are forgotten. It saves a row on the heap for most contacts.
        """
        self._coming, self._receive = iter(coming), receive
        self._next, self._what = next(self._coming, _NONE)

    def run_to(self, time: float) -> None:
        """Makes all calls before `time`; then it is `time`."""
        calls = self.calls
        while True:
            first, coming = calls[0] if calls else _NEVER, self._next
            hour = first[0]
            if hour < coming or (hour == coming and first[1] <= ARRIVE_ORDER):
                if hour >= time:
                    break
                self.time, _, _, function, argument = heappop(calls)
                function(argument, hour)
            elif coming < time:
                self.time, what = coming, self._what
                self._next, self._what = next(self._coming, _NONE)
                self._receive(what, coming)
            else:
                break
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
