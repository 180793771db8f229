"""Working time: open hours of a team, working days of its people, and the week's profile of contacts.

In: periods of time, as `calendars.py` lays them out for a run. Out: `OpenHours`, which counts business hours;
`Roster`, the working days of one kind of seat; `ContactProfile`, in whose time contacts come evenly. All times are
hours since the first Monday 00:00 of the scenario's wall clock, on which every day has 24 hours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

HOURS_PER_WEEK = 168.0
_FAR = 1e9  # hours; beyond any time that is asked for


class _Lean:
    """Goes to the workers without what is only remembered for speed."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class OpenHours(_Lean):
    """The periods in which a team works, in which its targets run.

    starts, ends : (periods,), hours, in order; no two touch. first, last : the span that they describe. Outside of it
    hours count by their mean share in it, since a due time may lie years after the end of a run.
    """

    starts: FloatArray
    ends: FloatArray
    first: float
    last: float

    @cached_property
    def share(self) -> float:
        """Open hours per clock hour, over the span."""
        total = float((self.ends - self.starts).sum())
        return max(total / (self.last - self.first), 1e-6)

    @cached_property
    def _clock(self) -> FloatArray:
        """Where open hours begin or stop to count: each period's ends, the span's, and far outside."""
        edges = np.column_stack([self.starts, self.ends]).ravel()
        return np.concatenate([[self.first - _FAR, self.first], edges, [self.last, self.last + _FAR]])

    @cached_property
    def _opened(self) -> FloatArray:
        """Open hours since hour 0 at each of those."""
        lengths = self.ends - self.starts
        passed = np.cumsum(np.column_stack([np.zeros(len(lengths)), lengths]).ravel())
        total = passed[-1] if len(passed) else 0.0
        far = _FAR * self.share
        opened = np.concatenate([[-far, 0.0], passed, [total, total + far]])
        return opened - np.interp(0.0, self._clock, opened)

    @cached_property
    def _periods(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Each period's start, and open hours before and after it; the time after the span is the last one."""
        starts = np.append(self.starts, self.last)
        return starts, self._opened[2::2], np.append(self._opened[3:-2:2], np.inf)

    @cached_property
    def _lists(self) -> tuple[list[float], ...]:
        """The same, and the periods' ends, for one number at a time."""
        return (*(column.tolist() for column in self._periods), np.append(self.ends, np.inf).tolist())

    def open_hours(self, time: FloatArray) -> FloatArray:
        """Open hours from hour 0 to `time` (negative before it)."""
        return np.interp(time, self._clock, self._opened)

    def time_at(self, open_hours: FloatArray) -> FloatArray:
        """The earliest clock time by which so many open hours have passed."""
        starts, before, after = self._periods
        period = np.searchsorted(after, open_hours, side="left")
        rest = open_hours - before[period]
        outside = (period == len(self.starts)) | (rest < 0)
        start = np.where(rest < 0, self.first, starts[period])
        return start + np.where(outside, rest / self.share, rest)

    def due(self, time: float, target_hours: float) -> float:
        """When a target in open hours runs out for something raised at `time`; one number, quickly."""
        starts, before, after, ends = self._lists
        period = bisect_right(ends, time)
        passed = time - starts[period]
        if passed < 0.0:
            passed = 0.0 if time >= self.first else (time - self.first) * self.share
        elif period == len(self.starts):
            passed *= self.share
        wanted = before[period] + passed + target_hours
        period = bisect_left(after, wanted, period)
        rest = wanted - before[period]
        if rest < 0.0:
            return self.first + rest / self.share
        return starts[period] + (rest if period < len(self.starts) else rest / self.share)


@dataclass(frozen=True, eq=False)
class Roster(_Lean):
    """The working days of one kind of seat, in order, over a whole run.

    A working day may run past midnight; where two touch, nobody goes home in between.

    starts, ends : (working days,), hours. days : the day number (0 is the first Monday) on which each begins where
    the person works; by it people are absent or on leave. closed : nobody comes, everybody is paid. week_shares : what
    part of a working week each is. hours_per_week, days_per_week : of a usual week.
    """

    starts: FloatArray
    ends: FloatArray
    days: IntArray
    closed: BoolArray
    week_shares: FloatArray
    hours_per_week: float
    days_per_week: int

    @cached_property
    def working_days(self) -> tuple[tuple[float, float, int, bool, float], ...]:
        """Start, end, day, whether closed, and share of a week of each working day."""
        columns = (self.starts, self.ends, self.days, self.closed, self.week_shares)
        return tuple(zip(*(column.tolist() for column in columns), strict=True))

    @cached_property
    def opening(self) -> dict[float, int]:
        """The number of the working day that begins at an hour, if people come on it."""
        return {start: number for number, (start, _, _, closed, _) in enumerate(self.working_days) if not closed}

    @cached_property
    def dates(self) -> frozenset[int]:
        """The scenario's days (0 is the first Monday) on which some of a working day lies, days off among them."""
        both = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return frozenset(date for start, end in both for date in range(int(start // 24), int(-(-end // 24))))

    def starting(self, begin: float, end: float) -> range:
        """Numbers of the working days that start from `begin` on and before `end`."""
        first, last = np.searchsorted(self.starts, [begin, end])
        return range(int(first), int(last))


class ContactProfile:
    """The hours of the week in which contacts come, as a clock: one week of contacts is one unit.

    shares : (169,), share of the week's contacts before each hour of the week, from 0 to 1.
    """

    def __init__(self, shares: FloatArray) -> None:
        self.shares = shares
        self._list: list[float] = shares.tolist()
        self.days = int(np.count_nonzero(np.diff(shares[::24]) > 0))

    def times(self, u: FloatArray, week: int) -> FloatArray:
        """Arrival hours within a week by inverse CDF, one uniform each."""
        return week * HOURS_PER_WEEK + np.interp(u, self.shares, _HOURS)

    def later(self, time: float, weeks: float) -> float:
        """The hour by which so many weeks' worth of contacts have come since `time`; one number, quickly."""
        shares = self._list
        week, rest = divmod(time, HOURS_PER_WEEK)
        hour = int(rest)
        before = shares[hour]
        passed = before + (rest - hour) * (shares[hour + 1] - before)
        more, share = divmod(passed + weeks, 1.0)
        cell = bisect_right(shares, share, 0, 168) - 1
        begin = shares[cell]
        width = shares[cell + 1] - begin
        within = (share - begin) / width if width > 0 else 0.0
        later = (week + more) * HOURS_PER_WEEK + cell + within
        return later if later > time else time


_HOURS = np.arange(169.0)
