"""The clock: open hours, working days, other time zones, days off, and the hours in which contacts come."""

from __future__ import annotations

import datetime as dt
import pickle
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_inputs

from sim.model.calendars import Place, Span, Week, meetings, open_hours, roster
from sim.model.clock import ContactProfile, OpenHours, Roster

WEEK = 168.0
MONDAY = dt.date(2026, 1, 5)
SPAN = Span(MONDAY, -4, 12)
YEAR = Span(MONDAY, -4, 60)
NINE_TO_FIVE = Week(tuple((day, 540, 1020) for day in range(5)))
NIGHTS = Week(tuple(sorted([(day, 1320, 1440) for day in range(5)] + [(day + 1, 0, 360) for day in range(5)])))
AROUND = Week(tuple((day, 0, 1440) for day in range(7)))
NEW_YORK, BERLIN, SYDNEY = "America/New_York", "Europe/Berlin", "Australia/Sydney"

QUARTERS = st.integers(-4 * 168 * 3, 4 * 168 * 8)  # quarters of an hour; eighths and quarters are exact numbers
# Fractions of an hour with an exact value: a time a hair before Monday is not told from Monday.
times = st.integers(-500 * 1024, 20_000 * 1024).map(lambda n: n / 1024)


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """A person's week: one or two pieces on some days, in quarters of an hour, some of them touching."""
    pieces = []
    for day in draw(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True)):
        edges = sorted(draw(st.lists(st.integers(0, 96), min_size=3, max_size=4, unique=True)))
        edges = edges if len(edges) == 4 else [edges[0], edges[1], edges[1], edges[2]]
        pieces += [(day, 15 * edges[0], 15 * edges[1]), (day, 15 * edges[2], 15 * edges[3])]
    return Week(tuple(sorted(pieces[: draw(st.integers(1, len(pieces)))])))


teams = st.frozensets(weeks(), min_size=1, max_size=3)


def is_open(team: frozenset[Week], quarter: int) -> bool:
    """Whether somebody works in the quarter of an hour that begins then."""
    day, rest = divmod(quarter, 96)
    return any(d == day % 7 and s <= 15 * rest < e for week in team for d, s, e in week.pieces)


# --- open hours ---------------------------------------------------------------------------------------------


@given(teams, QUARTERS)
def test_open_hours_are_the_open_quarters_counted_one_by_one(team: frozenset[Week], quarter: int) -> None:
    span = range(quarter) if quarter >= 0 else range(quarter, 0)
    counted = sum(is_open(team, q) for q in span) / 4 * (1 if quarter >= 0 else -1)
    hours = open_hours(team, Place(), SPAN)
    assert hours.open_hours(np.array([quarter / 4]))[0] == counted, "open hours since the first Monday 00:00"


@given(teams, QUARTERS, st.integers(1, 4 * 40))
def test_a_target_runs_out_when_so_many_open_quarters_have_passed(
    team: frozenset[Week], quarter: int, target: int
) -> None:
    left, end = target, quarter
    while left:
        left -= is_open(team, end)
        end += 1
        if end > 4 * 168 * 100:
            return  # beyond the calendar
    hours = open_hours(team, Place(), SPAN)
    assert hours.due(quarter / 4, target / 4) == end / 4, "the earliest time by which the target's hours have passed"
    opened = hours.open_hours(np.array([quarter / 4])) + target / 4
    assert hours.time_at(opened)[0] == end / 4, "in arrays and alone it is the same time"


@given(teams, times, st.floats(1e-3, 400))
def test_open_hours_time_at_and_due_agree_for_any_times(team: frozenset[Week], time: float, target: float) -> None:
    hours = open_hours(team, Place(), SPAN)
    due = hours.due(time, target)
    passed = hours.open_hours(np.array([time, due]))
    # 1e-9 hours: a hundred times the last digit of 20,000 hours; due times beyond the calendar may be larger.
    room = 1e-9 * max(1.0, due / 20_000)
    assert abs(passed[1] - passed[0] - target) < room, "so many open hours have passed when the target runs out"
    assert due > time, "a target runs out after it begins"
    again = hours.open_hours(hours.time_at(passed))
    assert np.abs(again - passed).max() < room, "time_at is the inverse of open_hours"
    assert (hours.time_at(passed) <= np.array([time, due]) + room / hours.share).all(), "and the earliest such time"


def test_beyond_the_calendar_hours_count_by_their_mean_share() -> None:
    hours = open_hours(frozenset([NINE_TO_FIVE]), Place(), SPAN)
    assert hours.last == (12 + 104) * WEEK, "two years after the run it ends"
    assert hours.share == pytest.approx(40 / 168), "40 hours a week"
    assert hours.due(hours.last, 40.0) == pytest.approx(hours.last + WEEK), "a week later, at whatever hour that is"
    assert hours.due(hours.first - WEEK, 80.0) == pytest.approx(hours.first + 24 * 4 + 17), "before it too"


def test_a_team_is_open_when_somebody_of_it_works() -> None:
    hours = open_hours(frozenset([NINE_TO_FIVE, Week(((0, 720, 1200), (5, 600, 720)))]), Place(), SPAN)
    week = hours.starts[(hours.starts >= 0) & (hours.starts < WEEK)].tolist()
    assert week == [9, 33, 57, 81, 105, 130], "nine to five, and a Saturday morning"
    assert hours.ends[hours.starts == 9].tolist() == [20.0], "on Monday up to eight in the evening"


# --- working days -------------------------------------------------------------------------------------------


@given(weeks())
def test_working_days_are_the_weeks_pieces_joined_where_they_touch(week: Week) -> None:
    days = roster(week, Place(), SPAN)
    assert (days.starts[1:] >= days.ends[:-1]).all(), "one after another"
    assert (days.ends - days.starts <= 24).all(), "at most 24 hours each"
    inside = [
        (days.starts <= quarter / 4).sum() > (days.ends <= quarter / 4).sum() for quarter in range(4 * 168, 8 * 168)
    ]
    assert inside == [is_open(frozenset([week]), quarter) for quarter in range(4 * 168, 8 * 168)], "the same hours"
    of_week = (days.days >= 7) & (days.days < 14)
    assert days.week_shares[of_week].sum() == pytest.approx(1, abs=1e-12), "together they are a working week"
    assert (days.ends - days.starts)[of_week].sum() == days.hours_per_week, "with the hours of the week"
    assert len(set(days.days[of_week].tolist())) == days.days_per_week, "on so many days"
    length = {d: (days.ends - days.starts)[days.days == d].sum() for d in days.days[of_week].tolist()}
    for start, end, day, share in zip(days.starts, days.ends, days.days, days.week_shares, strict=True):
        if day in length:
            assert share == pytest.approx((end - start) / length[day] / days.days_per_week), "each day counts the same"


def test_pieces_that_touch_are_one_working_day_of_the_day_on_which_it_begins() -> None:
    nights = roster(NIGHTS, Place(), SPAN)
    first = nights.starting(0.0, WEEK)
    assert nights.starts[first].tolist() == [22, 46, 70, 94, 118], "from ten in the evening"
    assert (nights.ends - nights.starts).tolist() == [8.0] * len(nights.starts), "eight hours, over midnight"
    assert nights.days[first].tolist() == [0, 1, 2, 3, 4], "Monday's night is Monday's, Friday's ends on Saturday"
    assert (nights.hours_per_week, nights.days_per_week) == (40.0, 5)
    lunch = roster(Week(((0, 540, 720), (0, 720, 1020))), Place(), SPAN)
    assert (lunch.ends - lunch.starts)[0] == 8.0, "12:00 to 12:00 is no end"
    assert nights.ends[first[0]] not in nights.opening, "after the night there is an end"


def test_around_the_clock_every_day_is_a_working_day_and_none_ends() -> None:
    days = roster(AROUND, Place(), SPAN)
    assert set((days.ends - days.starts).tolist()) == {24.0}
    assert all(end in days.opening for end in days.ends[:-1].tolist()), "the next one begins when one ends"
    hours = open_hours(frozenset([AROUND]), Place(), SPAN)
    assert len(hours.starts) == 1, "one period from the first day to the last"


def test_part_timers_come_for_their_share_of_each_day_from_its_start() -> None:
    part = roster(Week((*NINE_TO_FIVE.pieces[:4], (4, 540, 780)), 0.75), Place(), SPAN)
    first = part.starting(0.0, WEEK)
    assert part.starts[first].tolist() == [9, 33, 57, 81, 105]
    assert part.ends[first].tolist() == [15, 39, 63, 87, 108], "six hours of eight, three of four"
    assert part.hours_per_week == 27.0


# --- days off -----------------------------------------------------------------------------------------------


def starts_on(days: Roster, date: dt.date) -> list[tuple[float, float, bool]]:
    """Start and end after that day's midnight, and whether it is off, of the working days of a date."""
    number = (date - MONDAY).days
    rows = np.flatnonzero(days.days == number)
    return [
        (float(days.starts[i]) - 24 * number, float(days.ends[i]) - 24 * number, bool(days.closed[i])) for i in rows
    ]


def test_independence_day_is_off_on_the_friday_on_which_it_is_observed() -> None:
    days = roster(NINE_TO_FIVE, Place(holidays="US"), YEAR)
    assert starts_on(days, dt.date(2026, 7, 3)) == [(9.0, 17.0, True)], "4 July 2026 is a Saturday"
    assert starts_on(days, dt.date(2026, 7, 2)) == [(9.0, 17.0, False)]
    july = [dt.date(2026, 7, 3), dt.date(2026, 11, 26), dt.date(2026, 12, 25)]
    off = [MONDAY + dt.timedelta(int(day)) for day in days.days[days.closed]]
    assert set(july) <= set(off), "with Thanksgiving and Christmas"
    hours = open_hours(frozenset([NINE_TO_FIVE]), Place(holidays="US"), YEAR)
    thursday = 24.0 * (dt.date(2026, 7, 2) - MONDAY).days
    assert hours.due(thursday + 16, 2.0) == thursday + 24 * 4 + 10, "one hour on Thursday, one on Monday"


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    epiphany = dt.date(2026, 1, 6)
    assert starts_on(roster(NINE_TO_FIVE, Place(holidays="DE-BY"), SPAN), epiphany)[0][2], "Bavaria rests"
    assert not starts_on(roster(NINE_TO_FIVE, Place(holidays="DE-BE"), SPAN), epiphany)[0][2], "Berlin works"


def test_a_night_shift_is_off_with_the_day_on_which_it_begins() -> None:
    christmas_eve = dt.date(2026, 12, 24)  # a Thursday
    days = roster(NIGHTS, Place(closed_days=frozenset([christmas_eve])), YEAR)
    assert starts_on(days, christmas_eve) == [(22.0, 30.0, True)], "also what is worked on the 25th"
    assert starts_on(days, dt.date(2026, 12, 25)) == [(22.0, 30.0, False)]
    hours = open_hours(frozenset([NIGHTS]), Place(closed_days=frozenset([christmas_eve])), YEAR)
    midnight = 24.0 * (christmas_eve - MONDAY).days + 24
    assert np.diff(hours.open_hours(np.array([midnight - 2, midnight + 6]))) == [0.0], "nobody is there"


def test_around_the_clock_a_day_off_ends_the_day_before_it() -> None:
    day = dt.date(2026, 1, 7)
    days = roster(AROUND, Place(closed_days=frozenset([day])), SPAN)
    assert 48.0 not in days.opening, "Tuesday ends at midnight"
    assert 72.0 in days.opening, "Thursday begins there"


# --- time zones ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "clock", "begins"),
    [
        # New York goes forward on 8 March and back on 1 November 2026, Berlin on 29 March and 25 October.
        (BERLIN, NEW_YORK, {"2026-03-06": 3, "2026-03-09": 4, "2026-03-27": 4, "2026-03-30": 3, "2026-10-23": 3,
                            "2026-10-26": 4, "2026-10-30": 4, "2026-11-02": 3}),
        # Sydney goes back on 5 April and forward on 4 October; its morning is New York's evening of the day before.
        (SYDNEY, NEW_YORK, {"2026-03-06": 17 - 24, "2026-03-09": 18 - 24, "2026-04-03": 18 - 24, "2026-04-06": 19 - 24,
                            "2026-10-02": 19 - 24, "2026-10-05": 18 - 24, "2026-11-02": 17 - 24}),
        (NEW_YORK, BERLIN, {"2026-03-06": 15, "2026-03-09": 14, "2026-03-30": 15, "2026-10-26": 14, "2026-11-02": 15}),
    ],
)  # fmt: skip
def test_nine_oclock_elsewhere_by_hand(zone: str, clock: str, begins: dict[str, int]) -> None:
    days = roster(NINE_TO_FIVE, Place(zone, clock), YEAR)
    found = {date: starts_on(days, dt.date.fromisoformat(date)) for date in begins}
    assert found == {date: [(hour, hour + 8, False)] for date, hour in begins.items()}, "hours on the scenario's clock"


def test_a_shift_over_the_change_of_clocks_is_an_hour_shorter_or_longer() -> None:
    saturday = Week(((5, 1320, 1440), (6, 0, 360)))
    days = roster(saturday, Place(BERLIN, NEW_YORK), YEAR)
    ((start, end, _),) = starts_on(days, dt.date(2026, 3, 28))
    assert (start, end) == (17.0, 24.0), "22:00 to 06:00 on the night of 29 March: seven hours"
    ((start, end, _),) = starts_on(days, dt.date(2026, 10, 24))
    assert (start, end) == (16.0, 25.0), "on the night of 25 October: nine"
    own = roster(saturday, Place(NEW_YORK, NEW_YORK), YEAR)
    assert set((own.ends - own.starts).tolist()) == {8.0}, "on the scenario's own clock every day has 24 hours"


def test_local_times_that_do_not_exist_or_come_twice() -> None:
    days = roster(Week(((6, 150, 600),)), Place(BERLIN, NEW_YORK), YEAR)
    assert starts_on(days, dt.date(2026, 3, 29)) == [(21.5 - 24, 4.0, False)], "02:30 is not there: 03:30 in Berlin"
    assert starts_on(days, dt.date(2026, 10, 25)) == [(20.5 - 24, 5.0, False)], "02:30 comes twice: the first counts"


def test_over_the_scenarios_own_change_of_clocks_a_shift_elsewhere_has_the_hours_of_the_scenarios_clock() -> None:
    early = roster(Week(((6, 360, 840),)), Place(BERLIN, NEW_YORK), YEAR)
    assert starts_on(early, dt.date(2026, 3, 8)) == [(0.0, 9.0, False)], "from 05:00 UTC: 00:00 EST, to 09:00 EDT"
    assert starts_on(early, dt.date(2026, 11, 1)) == [(1.0, 8.0, False)], "from 05:00 UTC: 01:00 EDT, to 08:00 EST"
    for week in (AROUND, NIGHTS, Week(tuple((d, s, s + 15) for d in range(7) for s in range(0, 1440, 30)))):
        days = roster(week, Place(SYDNEY, NEW_YORK), YEAR)
        assert (days.starts[1:] >= days.ends[:-1]).all(), "time never runs back"
        assert (days.ends > days.starts).all(), "nor does a day last nothing"


def test_a_holiday_is_a_day_of_the_people_and_not_of_the_scenarios_clock() -> None:
    days = roster(NINE_TO_FIVE, Place(SYDNEY, NEW_YORK, "AU-NSW"), YEAR)
    australia_day = dt.date(2026, 1, 26)  # a Monday
    assert starts_on(days, australia_day) == [(-7.0, 1.0, True)], "Sunday evening in New York"
    assert not starts_on(days, australia_day + dt.timedelta(1))[0][2]


# --- meetings, and calendars as values ----------------------------------------------------------------------


def test_meetings_take_place_on_their_days_by_the_teams_clock_but_not_on_days_off() -> None:
    place = Place(BERLIN, NEW_YORK, "DE-BE")
    held = meetings(((0, 600, 660), (3, 600, 615)), place, YEAR)
    week = held[(held[:, 0] >= 0) & (held[:, 0] < WEEK)]
    assert week.tolist() == [[4.0, 5.0], [76.0, 76.25]], "ten in Berlin is four in New York"
    easter = 24.0 * (dt.date(2026, 4, 6) - MONDAY).days
    assert not ((held[:, 0] > easter) & (held[:, 0] < easter + 24)).any(), "not on Easter Monday"
    assert (np.diff(held[:, 0]) > 0).all(), "in order"
    assert meetings((), Place(), SPAN).shape == (0, 2), "or none"


def test_equal_calendars_are_made_once_and_travel_without_what_they_remember() -> None:
    assert roster(NINE_TO_FIVE, Place(), SPAN) is roster(Week(NINE_TO_FIVE.pieces), Place(), Span(MONDAY, -4, 12))
    hours, days = open_hours(frozenset([NIGHTS]), Place(), YEAR), roster(NIGHTS, Place(), YEAR)
    hours.due(0.0, 1.0)
    assert days.opening
    for calendar, kind in ((hours, OpenHours), (days, Roster)):
        again = pickle.loads(pickle.dumps(calendar))
        assert set(vars(again)) == {field.name for field in fields(kind)}, "its fields and nothing else"
    assert again.opening == days.opening, "and works as before"
    with pytest.raises(ValueError, match="read-only"):
        days.starts[0] = 0.0


# --- the contact profile ------------------------------------------------------------------------------------


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
