"""Checks of working time: hours, groups, time zones, days off, meetings, and what happens when a shift ends.

In: `Facts`. Out: `Finding`s. What the schema has refused is left out; about the rest everything is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from sim.scenario.errors import did_you_mean, number, segment, shown
from sim.scenario.facts import Facts, Finding, Path
from sim.scenario.public_holidays import wrong_code
from sim.scenario.time_zones import time_zone, zone_names

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 1440
NIGHT = "a night shift is 22:00 to 24:00 and, under 'also', 00:00 to 06:00 on the days after"


class Piece(NamedTuple):
    """Hours on one day: its number, minutes after midnight at which they start and end, and where that stands."""

    day: int
    start: int
    end: float
    path: Path

    def __str__(self) -> str:
        return f"{DAYS[self.day]} {_clock(self.start)} to {_clock(self.end)}"

    @property
    def span(self) -> tuple[float, float]:
        """From and to, in minutes of the week."""
        return MINUTES_PER_DAY * self.day + self.start, MINUTES_PER_DAY * self.day + self.end


def seats_of(headcount: float) -> int:
    """Seats that a headcount needs: a part of a person needs a whole one."""
    return math.ceil(round(headcount, 9))


def working_time(f: Facts) -> Iterator[Finding]:
    """The working time of all teams."""
    ours = f.get("time_zone")
    if ours is not None and time_zone(ours) is None:
        yield Finding(("time_zone",), _unknown_zone(ours))
    for name, team in f.items("teams"):
        if isinstance(team, Mapping):
            path = ("teams", name)
            yield from _headcount(f, path)
            yield from _days_off(f, path)
            shifts = [(*path, "shift"), *((*path, "groups", group, "shift") for group, _ in f.items(*path, "groups"))]
            for shift in shifts:
                yield from _shift(f, shift)
            yield from _meetings(f, path, shifts)
            yield from _shift_end(f, path)


def _headcount(f: Facts, path: Path) -> Iterator[Finding]:
    """Vacancies are seats of the headcount, and groups are part of it."""
    people, vacant = f.get(*path, "headcount"), f.get(*path, "opening_vacancies")
    if people is None:
        return
    if f.opening and vacant is not None and vacant > seats_of(people):
        message = f"{vacant} vacancies are more than the headcount of {number(people)}"
        yield Finding((*path, "opening_vacancies"), message)
    groups = [(name, f.get(*path, "groups", name, "people") or 0) for name, _ in f.items(*path, "groups")]
    total = sum(count for _, count in groups)
    if total > people:
        listed = ", ".join(f"{segment(name)} {count}" for name, count in groups)
        message = f"the groups have {total} people ({listed}), more than the headcount of {number(people)}"
        yield Finding((*path, "groups"), f"{message}, of which they are a part")


def _days_off(f: Facts, path: Path) -> Iterator[Finding]:
    """Time zones and countries exist; days off are listed once."""
    theirs = f.get(*path, "time_zone")
    if theirs is not None and time_zone(theirs) is None:
        yield Finding((*path, "time_zone"), _unknown_zone(theirs))
    elif theirs is not None and f.get("time_zone") is None and f.sound("time_zone"):
        message = (
            "a team's zone needs the scenario's: write 'time_zone' at the top of the file too, for the run's clock"
        )
        yield Finding((*path, "time_zone"), message)
    country = f.get(*path, "holidays")
    wrong = wrong_code(country) if country is not None else None
    if wrong:
        yield Finding((*path, "holidays"), wrong)
    closed = [day for day in f.get(*path, "closed_days") or [] if day is not None]
    for day in sorted({day for day in closed if closed.count(day) > 1}):
        yield Finding((*path, "closed_days"), f"{day} is listed twice")


def _unknown_zone(name: str) -> str:
    """What is said of a zone that does not exist. A place alone is enough for the hint: 'Berlin' is 'Europe/Berlin'."""
    wanted = name.strip().lower().replace(" ", "_")
    near = next((zone for zone in zone_names() if wanted in (zone.lower(), zone.lower().rpartition("/")[2])), None)
    hint = f"; did you mean '{near}'?" if near else did_you_mean(name, [zone for zone in zone_names() if "/" in zone])
    return f"there is no time zone {shown(name)}{hint}"


def _shift(f: Facts, path: Path) -> Iterator[Finding]:
    """Hours end after they start; the hours of one person do not overlap; days are listed once."""
    parts = _parts(f, path)
    for part in parts:
        yield from _listed_twice(f, part)
        if not _ends_after_it_starts(f, part):
            start, end = _at(f, part, "start"), _at(f, part, "end")
            yield Finding((*part, "end"), f"{end} is not after the start at {start}; hours end the same day: {NIGHT}")
    for one, other in pairwise(sorted(_pieces(f, path), key=lambda piece: piece.span)):
        if other.span[0] < one.span[1]:
            first, second = sorted((one, other), key=lambda piece: parts.index(piece.path))
            message = f"{second} overlaps with {first}; hours of one person may touch, but not overlap"
            yield Finding(second.path, message)


def _ends_after_it_starts(f: Facts, path: Path) -> bool:
    start, end = _at(f, path, "start"), _at(f, path, "end")
    return start is None or end is None or start < end


def _parts(f: Facts, path: Path) -> list[Path]:
    """The places of a shift's hours: its own, and those under `also`."""
    return [path, *((*path, "also", index) for index in range(len(f.get(*path, "also") or [])))]


def _at(f: Facts, path: Path, key: str) -> Any:
    """A value of a map that may be an entry of a list; None if the schema has refused it."""
    here = f.get(*path[:-1])[path[-1]] if isinstance(path[-1], int) else f.get(*path)
    return here.get(key) if isinstance(here, Mapping) else None


def _days_at(f: Facts, path: Path) -> list[str]:
    return [day for day in _at(f, path, "days") or [] if day is not None]


def _listed_twice(f: Facts, path: Path) -> Iterator[Finding]:
    days = _days_at(f, path)
    for day in sorted({day for day in days if days.count(day) > 1})[:1]:
        yield Finding((*path, "days"), f"'{day}' is listed twice")


def _pieces(f: Facts, path: Path) -> list[Piece]:
    """The hours of a shift, day by day; those that make no sense are left out."""
    found = []
    for part in _parts(f, path):
        start, end = _at(f, part, "start"), _at(f, part, "end")
        if start is not None and end is not None and start < end:
            days = dict.fromkeys(_days_at(f, part))
            found += [Piece(DAYS.index(day), _minute(start), _minute(end), part) for day in days]
    return found


def _meetings(f: Facts, path: Path, shifts: list[Path]) -> Iterator[Finding]:
    """Meetings lie in somebody's hours, one after another, and leave time to work."""
    held: list[Piece] = []
    for index in range(len(f.get(*path, "meetings") or [])):
        part = (*path, "meetings", index)
        yield from _listed_twice(f, part)
        start, minutes = _at(f, part, "start"), _at(f, part, "minutes")
        if start is not None and minutes is not None:
            begin = _minute(start)
            held += [Piece(DAYS.index(day), begin, begin + minutes, part) for day in dict.fromkeys(_days_at(f, part))]
    for one, other in pairwise(sorted(held, key=lambda piece: piece.span)):
        if other.span[0] < one.span[1]:
            first, second = sorted((one, other), key=lambda piece: piece.path[-1])
            yield Finding(second.path, f"the meeting on {second} overlaps with the one on {first}")
    known = all(f.sound(*path, key) for key in ("headcount", "groups", "shift"))
    sensible = all(_ends_after_it_starts(f, part) for shift in shifts for part in _parts(f, shift))
    if not held or not known or not sensible:
        return
    days = [day for shift, share in _weeks(f, path, shifts) for day in _working_days(_pieces(f, shift), share)]
    for meeting in held:
        if days and not any(day[0] <= meeting.span[0] and meeting.span[1] <= day[1] for day in days):
            message = f"the meeting on {meeting} is outside of everybody's hours; it takes place in working time"
            yield Finding(meeting.path, message)
    yield from _time_left(f, path, held, days)


def _weeks(f: Facts, path: Path, shifts: list[Path]) -> Iterator[tuple[Path, float]]:
    """The shifts that people of the team work, each with the share of a day for which they come.

    A fraction of the headcount is left out: however small it is, it may sit in a meeting all its time.
    """
    people = f.get(*path, "headcount") or 0
    rest = people - sum(f.get(*shift[:-1], "people") or 0 for shift in shifts[1:])
    for shift in shifts[1:]:
        yield shift if f.get(*shift) is not None else shifts[0], f.get(*shift[:-1], "hours_share") or 1.0
    if rest > 0 or not people:
        yield shifts[0], 1.0


def _working_days(pieces: list[Piece], share: float) -> list[tuple[float, float]]:
    """Minutes of the week from and to which each working day lasts; of part-timers, up to when they leave."""
    found: list[list[float]] = []
    for start, end in sorted(piece.span for piece in pieces):
        if found and found[-1][1] == start and end - found[-1][0] <= MINUTES_PER_DAY:
            found[-1][1] = end
        else:
            found.append([start, end])
    return [(start, start + share * (end - start)) for start, end in found]


def _time_left(f: Facts, path: Path, held: list[Piece], days: list[tuple[float, float]]) -> Iterator[Finding]:
    """Meetings and shrinkage together are shorter than each working day."""
    shrinkage = f.get(*path, "shrinkage")
    for start, end in sorted(set(days)) if shrinkage is not None else ():
        met = sum(max(0.0, min(piece.span[1], end) - max(piece.span[0], start)) for piece in held)
        left = (end - start) * (1 - shrinkage)
        if met > 0 and met >= left:
            day = DAYS[int(start // MINUTES_PER_DAY)]
            whole = f"of {_hours(end - start)} hours on {day}, shrinkage leaves {_hours(left)}"
            message = f"no time is left to work: {whole}, and meetings take {_hours(met)}"
            yield Finding((*path, "meetings"), message, ((*path, "shrinkage"),))
            return


def _shift_end(f: Facts, path: Path) -> Iterator[Finding]:
    """Handing over takes time, which nothing else needs."""
    what, minutes = f.get(*path, "at_shift_end"), f.get(*path, "hand_over_minutes")
    if what == "hand_over" and minutes is None and f.sound(*path, "hand_over_minutes"):
        message = "'hand_over_minutes' is missing: how much longer a contact takes that is handed over (0: no longer)"
        yield Finding((*path, "at_shift_end"), message)
    if what != "hand_over" and minutes is not None and f.sound(*path, "at_shift_end"):
        message = f"has no effect while 'at_shift_end' is '{what or 'finish'}'; delete it, or set that to 'hand_over'"
        yield Finding((*path, "hand_over_minutes"), message)


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)


def _hours(minutes: float) -> str:
    return number(round(minutes / 60, 3))


def _clock(minute: float) -> str:
    hour, rest = divmod(minute, 60)
    return f"{int(hour):02d}:{int(rest):02d}"
