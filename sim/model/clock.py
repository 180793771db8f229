"""Working time: shifts, open hours, and the conversion between clock hours and business hours.

In: a team's shift, and the week's profile of contacts. Out: `Shift`, which counts open hours since the first
Monday 00:00, and `ContactProfile`, in whose time contacts come evenly. All times are hours.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HOURS_PER_WEEK = 168.0


@dataclass(frozen=True)
class Shift:
    """The same hours on each working day of every week.

    days : weekday numbers, Monday is 0, sorted.
    start_hour, end_hour : hours after midnight, start < end <= 24.
    """

    days: tuple[int, ...]
    start_hour: float
    end_hour: float

    @property
    def hours_per_day(self) -> float:
        """Length of one shift."""
        return self.end_hour - self.start_hour

    @property
    def hours_per_week(self) -> float:
        """Shift hours in a week."""
        return self.hours_per_day * len(self.days)

    @cached_property
    def _clock(self) -> FloatArray:
        """Clock hours in the week at which the shift starts and ends, with both ends of the week."""
        edges = [(24.0 * day + self.start_hour, 24.0 * day + self.end_hour) for day in self.days]
        return np.array([0.0, *(hour for edge in edges for hour in edge), HOURS_PER_WEEK])

    @cached_property
    def _open(self) -> FloatArray:
        """Open hours since Monday 00:00 at each of those."""
        steps = [
            0.0,
            *(i // 2 * self.hours_per_day for i in range(1, 2 * len(self.days) + 1)),
            self.hours_per_week,
        ]
        return np.array(steps)

    @cached_property
    def _days(self) -> tuple[FloatArray, FloatArray]:
        """Open hours of the week up to each working day's end, and the clock hour at which it starts."""
        days = np.array(self.days, dtype=np.float64)
        return np.arange(1.0, len(days) + 1) * self.hours_per_day, 24.0 * days + self.start_hour

    def open_hours(self, time: FloatArray) -> FloatArray:
        """Shift hours from the first Monday 00:00 to `time` (negative before it)."""
        week = np.floor(time / HOURS_PER_WEEK)
        return week * self.hours_per_week + np.interp(time - week * HOURS_PER_WEEK, self._clock, self._open)

    def time_at(self, open_hours: FloatArray) -> FloatArray:
        """The earliest clock time by which so many shift hours have passed."""
        week = np.ceil(open_hours / self.hours_per_week) - 1.0
        rest = open_hours - week * self.hours_per_week
        opened, starts = self._days
        day = np.minimum(np.searchsorted(opened, rest, side="left"), len(self.days) - 1)
        return week * HOURS_PER_WEEK + starts[day] + rest - day * self.hours_per_day

    def due(self, time: float, target_hours: float) -> float:
        """When a target in shift hours runs out for something raised at `time`; one number, quickly."""
        length, start = self.hours_per_day, self.start_hour
        week, rest = divmod(time, HOURS_PER_WEEK)
        day = int(rest // 24.0)
        passed = self._before_day[day]
        if self._before_day[day + 1] > passed:
            passed += min(max(rest - 24.0 * day - start, 0.0), length)
        week_more, rest = divmod(passed + target_hours, length * len(self.days))
        if rest == 0.0:
            week_more, rest = week_more - 1.0, self.hours_per_week
        index = min(max(ceil(rest / length) - 1, 0), len(self.days) - 1)
        return (week + week_more) * HOURS_PER_WEEK + 24.0 * self.days[index] + start + rest - index * length

    @cached_property
    def _before_day(self) -> list[float]:
        """Shift hours of the week before each day, and in all."""
        return [self.hours_per_day * sum(day < before for day in self.days) for before in range(8)]

    def works_on(self, day: int) -> bool:
        """Whether day number `day` (0 is the first Monday, may be negative) is a working day."""
        return day % 7 in self.days


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
        week, rest = divmod(time, HOURS_PER_WEEK)
        hour = int(rest)
        before = self._list[hour]
        passed = before + (rest - hour) * (self._list[hour + 1] - before)
        more, share = divmod(passed + weeks, 1.0)
        cell = bisect_right(self._list, share) - 1
        cell = min(cell, 167)
        width = self._list[cell + 1] - self._list[cell]
        within = (share - self._list[cell]) / width if width > 0 else 0.0
        return max((week + more) * HOURS_PER_WEEK + cell + within, time)


_HOURS = np.arange(169.0)
