"""Lays working time out over a run: weekly hours, time zones and days off become calendars.

In: weekly hours as scenarios write them, and where a team works. Out: `Roster`s of seats, `OpenHours` of teams and
their meetings, on the scenario's clock. Runs in the parent process only; equal calendars are made once and shared.

A working day is made of pieces that touch, as long as it has no more than 24 hours; it belongs to the day on which it
begins where the people are, by which it is off or not. Local times that do not exist, when clocks go forward, are that
much later; of those that come twice, when clocks go back, the first counts (PEP 495, fold 0).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.model.clock import HOURS_PER_WEEK, BoolArray, FloatArray, IntArray, OpenHours, Roster
from sim.scenario.public_holidays import public_holidays
from sim.scenario.time_zones import time_zone

MINUTES_PER_DAY = 1440
WEEKS_AFTER_THE_RUN = 104  # for which due times are exact
WEEKS_SEEN_AHEAD = 2  # when a shift will end is known although it is after the run

# Weekday (0 is Monday), and minutes after midnight at which hours start and end.
Piece = tuple[int, int, int]


@dataclass(frozen=True)
class Week:
    """The usual week of a person: its hours, and what share of each working day the person stays."""

    pieces: tuple[Piece, ...]
    share: float = 1.0


@dataclass(frozen=True)
class Place:
    """Where a team works: its clock and the scenario's (None: one clock for all), and its days off."""

    zone: str | None = None
    scenario_zone: str | None = None
    holidays: str | None = None
    closed_days: frozenset[dt.date] = frozenset()


@dataclass(frozen=True)
class Span:
    """The weeks of a run with its warm-up. start : the Monday that begins week 0."""

    start: dt.date
    first_week: int
    end_week: int

    @property
    def hours(self) -> tuple[float, float]:
        """From and to."""
        return self.first_week * HOURS_PER_WEEK, self.end_week * HOURS_PER_WEEK

    def later(self, weeks: int) -> Span:
        """The same, with so many weeks more at its end."""
        return Span(self.start, self.first_week, self.end_week + weeks)


@lru_cache(maxsize=256)
def roster(week: Week, place: Place, span: Span) -> Roster:
    """The working days that start within a span, or soon after it, days off among them."""
    starts, ends = _working_days(week.pieces, span.first_week - 1, span.end_week + WEEKS_SEEN_AHEAD + 1)
    days = starts // MINUTES_PER_DAY
    usual_starts, usual_ends = _working_days(week.pieces, 0, 3)
    usual = (usual_starts // MINUTES_PER_DAY) // 7 == 1
    lengths = (usual_ends - usual_starts)[usual]
    days_per_week = len(np.unique(usual_starts[usual] // MINUTES_PER_DAY))
    of_day = np.bincount(days - days[0], weights=ends - starts)[days - days[0]]
    week_shares = (1 / days_per_week) * ((ends - starts) / of_day)
    begin, end = _on_the_clock(starts, place, span.start), _on_the_clock(ends, place, span.start)
    if week.share < 1:
        end = begin + week.share * (end - begin)
    begin = np.maximum(begin, np.maximum.accumulate(np.concatenate([[-np.inf], end]))[:-1])
    first, last = span.hours
    kept = (begin >= first) & (begin < last + WEEKS_SEEN_AHEAD * HOURS_PER_WEEK) & (begin < end)
    return Roster(
        starts=_frozen(begin[kept]),
        ends=_frozen(end[kept]),
        days=_frozen(days[kept]),
        closed=_frozen(_off(days, place, span)[kept]),
        week_shares=_frozen(week_shares[kept]),
        hours_per_week=float(lengths.sum()) / 60 * week.share,
        days_per_week=days_per_week,
    )


@lru_cache(maxsize=256)
def open_hours(weeks: frozenset[Week], place: Place, span: Span) -> OpenHours:
    """The hours in which somebody works, if these are the weeks that people of a team work."""
    longer = span.later(WEEKS_AFTER_THE_RUN)
    rosters = [roster(week, place, longer) for week in weeks]
    starts = np.concatenate([one.starts[~one.closed] for one in rosters])
    ends = np.concatenate([one.ends[~one.closed] for one in rosters])
    order = np.argsort(starts, kind="stable")
    starts, latest = starts[order], np.maximum.accumulate(ends[order])
    begins = np.ones(len(starts), dtype=bool)
    begins[1:] = starts[1:] > latest[:-1]
    stops = np.append(begins[1:], True)[: len(starts)]
    first, last = longer.hours
    inside = starts[begins] < last
    return OpenHours(_frozen(starts[begins][inside]), _frozen(np.minimum(latest[stops][inside], last)), first, last)


@lru_cache(maxsize=256)
def meetings(pieces: tuple[tuple[int, int, float], ...], place: Place, span: Span) -> FloatArray:
    """(meetings, 2), from and to, in order; none on days off."""
    day_starts = np.arange(7 * (span.first_week - 1), 7 * (span.end_week + 1)) * MINUTES_PER_DAY
    rows = [(day_starts[day::7] + start, day_starts[day::7] + end) for day, start, end in pieces]
    starts = np.concatenate([np.zeros(0, dtype=np.int64), *(row[0] for row in rows)])
    ends = np.concatenate([np.zeros(0, dtype=np.int64), *(row[1] for row in rows)])
    held = ~_off(starts // MINUTES_PER_DAY, place, span)
    begin = _on_the_clock(starts[held], place, span.start)
    both = np.column_stack([begin, begin + (ends - starts)[held] / 60])
    return _frozen(both[np.argsort(both[:, 0], kind="stable")])


def _working_days(pieces: Iterable[Piece], first_week: int, end_week: int) -> tuple[IntArray, IntArray]:
    """Starts and ends of working days, in minutes after the Monday of week 0, by the clock of those who work."""
    found: list[list[int]] = []
    in_order = sorted(pieces)
    for week in range(first_week, end_week):
        for day, start, end in in_order:
            midnight = (7 * week + day) * MINUTES_PER_DAY
            if found and found[-1][1] == midnight + start and midnight + end - found[-1][0] <= MINUTES_PER_DAY:
                found[-1][1] = midnight + end
            else:
                found.append([midnight + start, midnight + end])
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _on_the_clock(minutes: IntArray, place: Place, start: dt.date) -> FloatArray:
    """Hours on the scenario's clock, for minutes on the clock of those who work."""
    if place.zone is None or place.zone == place.scenario_zone:
        return minutes / 60
    theirs, ours = time_zone(place.zone), time_zone(place.scenario_zone or "")
    monday = dt.datetime.combine(start, dt.time())
    hours = [
        (
            (monday + dt.timedelta(minutes=minute)).replace(tzinfo=theirs).astimezone(ours).replace(tzinfo=None)
            - monday
        ).total_seconds()
        / 3600
        for minute in minutes.tolist()
    ]
    return np.array(hours, dtype=np.float64)


def _off(days: IntArray, place: Place, span: Span) -> BoolArray:
    """Which of the day numbers are days off."""
    if place.holidays is None and not place.closed_days:
        return np.zeros(len(days), dtype=bool)
    off = set(place.closed_days)
    if place.holidays is not None:
        week = dt.timedelta(weeks=1)
        off |= public_holidays(
            place.holidays,
            span.start + (span.first_week - 2) * week,
            span.start + (span.end_week + 2) * week,
        )
    return np.isin(days, [(day - span.start).days for day in off])


def _frozen(values: np.ndarray) -> np.ndarray:
    """The array, which is shared from now on, safe from being changed."""
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
