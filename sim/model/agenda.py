"""The agenda of a run: a SimPy clock on which plain calls wait beside SimPy's events, in one total order.

In: calls, with a time and an order among those of the same time. Out: each is made at its time. A call is a row and
not an event object, since every contact needs two or three; the few long-lived actors are SimPy processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any, Protocol

import simpy

PHASE_ORDER, SHIFT_ORDER, END_ORDER, GIVE_UP_ORDER, ARRIVE_ORDER, DAY_ORDER, WEEK_ORDER, OPEN_ORDER = range(1, 9)

Call = tuple[float, int, int, Callable[[Any, float], None], Any]  # time, order, number, function, its argument


class Coming(Protocol):
    """Something that comes at an hour known before."""

    born: float


class _Nothing:
    born = inf


_NOTHING = _Nothing()
_Expected = tuple[Iterator[Coming], Callable[[Any, float], None]]  # what comes after the first, and who receives all


def _nobody(what: Coming, now: float) -> None:
    """Receives nothing: nothing is expected."""


class Agenda(simpy.Environment):
    """The clock of one run; `time` is the hour it is."""

    def __init__(self, time: float) -> None:
        super().__init__(time)
        self.time = time
        self.calls: list[Call] = []
        self._numbers = count()
        self._first: Coming = _NOTHING  # of those that come
        self._expected: _Expected = iter(()), _nobody

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

    def expect(self, coming: Iterable[Coming], receive: Callable[[Any, float], None]) -> None:
        """Lets receive(what, hour) be called for each that comes, as an arrival; they are in order of time.

        Those still expected from before are forgotten. It saves a row on the heap for most contacts.
        """
        self._expected = iter(coming), receive
        self._first = next(self._expected[0], _NOTHING)

    def run_to(self, time: float) -> None:
        """Makes all calls before `time`; then it is `time`."""
        calls = self.calls
        while True:
            what, (stream, receive) = self._first, (expected := self._expected)
            while expected is self._expected:
                coming = what.born
                until = coming if coming < time else time
                while calls and calls[0][0] < until:
                    hour, _, _, function, argument = heappop(calls)
                    self.time = hour
                    function(argument, hour)
                    if expected is not self._expected:
                        break
                else:
                    if coming >= time:
                        self._first, self.time = what, time
                        return
                    self.time = coming
                    if calls and calls[0][0] == coming and calls[0][1] <= ARRIVE_ORDER:
                        _, _, _, function, argument = heappop(calls)
                        function(argument, coming)
                    else:
                        receive(what, coming)
                        what = next(stream, _NOTHING)

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
