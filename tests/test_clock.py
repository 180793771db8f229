"""The clock: open hours, the times at which they have passed, and the hours in which contacts come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small import small_inputs

from sim.model.clock import ContactProfile, Shift

QUARTERS = st.integers(-4 * 168 * 3, 4 * 168 * 8)  # quarters of an hour; eighths and quarters are exact numbers
WEEK = 168.0
# Fractions of an hour with an exact value: a time a hair before Monday is not told from Monday.
times = st.integers(-500 * 1024, 20_000 * 1024).map(lambda n: n / 1024)


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    days = draw(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(sorted))
    start = draw(st.integers(0, 95))
    return Shift(tuple(days), start / 4, draw(st.integers(start + 1, 96)) / 4)


def is_open(shift: Shift, quarter: int) -> bool:
    """Whether the quarter of an hour that begins then is working time."""
    day, rest = divmod(quarter, 96)
    return day % 7 in shift.days and shift.start_hour <= rest / 4 < shift.end_hour


@given(shifts(), QUARTERS)
def test_open_hours_are_the_open_quarters_counted_one_by_one(shift: Shift, quarter: int) -> None:
    span = range(quarter) if quarter >= 0 else range(quarter, 0)
    counted = sum(is_open(shift, q) for q in span) / 4 * (1 if quarter >= 0 else -1)
    assert shift.open_hours(np.array([quarter / 4]))[0] == counted, "open hours since the first Monday 00:00"


@given(shifts(), QUARTERS, st.integers(1, 4 * 100))
def test_a_target_runs_out_when_so_many_open_quarters_have_passed(shift: Shift, quarter: int, target: int) -> None:
    left, end = target, quarter
    while left:
        left -= is_open(shift, end)
        end += 1
    assert shift.due(quarter / 4, target / 4) == end / 4, "the earliest time by which the target's hours have passed"
    opened = shift.open_hours(np.array([quarter / 4])) + target / 4
    assert shift.time_at(opened)[0] == end / 4, "in arrays and alone it is the same time"


@given(shifts(), times, st.floats(1e-3, 400))
def test_open_hours_time_at_and_due_agree_for_any_times(shift: Shift, time: float, target: float) -> None:
    due = shift.due(time, target)
    passed = shift.open_hours(np.array([time, due]))
    # 1e-9 hours: a hundred times the last digit of 20,000 hours. Times may lie a night apart at the edge of a shift.
    assert abs(passed[1] - passed[0] - target) < 1e-9, "so many open hours have passed when the target runs out"
    assert due > time, "a target runs out after it begins"
    again = shift.open_hours(shift.time_at(passed))
    assert np.abs(again - passed).max() < 1e-9, "time_at is the inverse of open_hours"
    assert (shift.time_at(passed) <= np.array([time, due]) + 1e-9).all(), "and the earliest such time"


@given(shifts())
def test_a_shift_works_on_its_days(shift: Shift) -> None:
    assert [d for d in range(-7, 0) if shift.works_on(d)] == [d - 7 for d in shift.days], "weeks before the start too"
    assert shift.hours_per_week == len(shift.days) * (shift.end_hour - shift.start_hour), "hours of a week"


def profile_of(seed: int) -> ContactProfile:
    """A profile with silent hours, days and nights among hours of unequal weight."""
    weights = np.random.default_rng(seed).choice([0, 0, 1, 2, 7], 168) * np.repeat(
        np.random.default_rng(seed + 1).choice([0, 1, 1], 7), 24
    )
    weights[seed % 168] += 1  # at least one hour brings contacts
    return ContactProfile(np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum())


profiles = st.integers(0, 10_000).map(profile_of)


def passed(profile: ContactProfile, time: float) -> float:
    """Weeks of contacts since the first Monday 00:00."""
    week, rest = divmod(time, WEEK)
    return week + float(np.interp(rest, np.arange(169), profile.shares))


@given(profiles, times, st.floats(0, 4))
def test_later_is_when_so_many_weeks_of_contacts_have_come(profile: ContactProfile, time: float, weeks: float) -> None:
    later = profile.later(time, weeks)
    assert later >= time, "time never runs back"
    # 1e-9 of a week's contacts: above the rounding of 120 weeks, far below one contact.
    assert abs(passed(profile, later) - passed(profile, time) - weeks) < 1e-9, "later is the profile's inverse"


@given(profiles, st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=30), st.integers(-26, 104))
def test_arrival_times_are_the_inverse_of_the_profile(profile: ContactProfile, u: list[float], week: int) -> None:
    times = profile.times(np.array(sorted(u)), week)
    assert (np.diff(times) >= 0).all(), "a larger number comes later"
    assert (times >= week * WEEK).all(), "not before the week"
    assert (times <= (week + 1) * WEEK).all(), "nor after it"
    shares = np.array([passed(profile, t) - week for t in times])
    assert np.abs(shares - np.sort(u)).max() < 1e-9, "the share of the week's contacts that has come is the number"


def test_the_shipped_profile_brings_contacts_in_working_hours_on_five_days() -> None:
    profile = small_inputs().phases[0].demand.profile
    times = profile.times((np.arange(10_000) + 0.5) / 10_000, 0)
    assert profile.days == 5, "contacts come on five days a week"
    assert ((times % 24 >= 9) & (times % 24 < 17)).all(), "from nine to five"
    assert abs((times < 24).mean() - 112 / 500) < 1e-4, "Monday's share is that of the profile"
