"""The working time of a team: how the people in each of its seats work, when it is open, when it meets.

In: a team as a scenario describes it. Out: calendars over the run. Runs in the parent process only.
"""

from __future__ import annotations

from math import floor

from sim.model.calendars import Piece, Place, Span, Week, meetings, open_hours, roster
from sim.model.clock import FloatArray, OpenHours
from sim.model.inputs import LEAVE_YEAR, WEEKS_PER_YEAR, SeatRules
from sim.scenario.schema_teams import Hours, Shift, Team

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def working_time(
    team: Team, scenario_zone: str | None, span: Span
) -> tuple[OpenHours, tuple[SeatRules, ...], FloatArray]:
    """A team's business hours, its seats in order, and its meetings, (meetings, 2) hours from and to.

    Business hours are those of all its people together; of a team without people, those of its shift.
    """
    place = Place(
        zone=team.time_zone,
        scenario_zone=scenario_zone,
        holidays=team.holidays,
        closed_days=frozenset(team.closed_days),
    )
    weeks = _seat_weeks(team)
    worked = frozenset(week for week, seats, _ in weeks if seats) or frozenset(week for week, _, _ in weeks)
    held = tuple(
        (day, _minute(meeting.start), _minute(meeting.start) + meeting.minutes)
        for meeting in team.meetings
        for day in map(_WEEKDAYS.index, meeting.days)
    )
    return open_hours(worked, place, span), _seats(team, weeks, place, span), meetings(held, place, span)


def _seat_weeks(team: Team) -> list[tuple[Week, int, tuple[str, ...]]]:
    """The weeks that people of a team work, how many seats work each, and their skills, in the order of the seats.

    The groups come first, then the rest of the headcount; a fraction of a person is the last seat.
    """
    usual, everybody, found = _pieces(team.shift), tuple(team.skills), []
    for group in team.groups.values():
        pieces = usual if group.shift is None else _pieces(group.shift)
        skills = (*everybody, *group.skills)
        found.append((Week(pieces, group.hours_share or 1.0), group.people, skills))
    rest = team.headcount - sum(people for _, people, _ in found)
    part = round(rest - floor(rest), 9)
    if floor(rest) or not part:
        found.append((Week(usual), floor(rest), everybody))
    if part:
        found.append((Week(usual, part), 1, everybody))
    return found


def _seats(
    team: Team, weeks: list[tuple[Week, int, tuple[str, ...]]], place: Place, span: Span
) -> tuple[SeatRules, ...]:
    rosters = [roster(week, place, span) for week, _, _ in weeks]
    counts = [seats for _, seats, _ in weeks]
    longest = max(one.hours_per_week for one, seats in zip(rosters, counts, strict=True) if seats or not any(counts))
    return tuple(
        SeatRules(
            first=sum(counts[:index]),
            seats=counts[index],
            roster=one,
            absence_per_day=min(1.0, team.absence_days_per_year / (one.days_per_week * WEEKS_PER_YEAR)),
            leave_weeks=(team.leave_days_per_year or 0.0) / one.days_per_week * LEAVE_YEAR / WEEKS_PER_YEAR,
            skills=weeks[index][2],
            hours_share=one.hours_per_week / longest,
        )
        for index, one in enumerate(rosters)
    )


def _pieces(shift: Shift) -> tuple[Piece, ...]:
    """Weekday, start and end in minutes after midnight, of each piece of a person's week."""
    every: list[Hours] = [shift, *shift.also]
    return tuple(
        sorted((_WEEKDAYS.index(day), _minute(one.start), _minute(one.end)) for one in every for day in one.days)
    )


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)
