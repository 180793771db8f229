"""What happened to one simulated person's seat in one replication, as facts. Simulated, no statement about a person.

In: a `History` that followed the seat, and the scenario's `Inputs`. Out: a `PersonStory`: the seat month by month, and
who came and left when. Pure functions; no words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.model.ledger import PERSON_EVENTS, History, Table
from sim.study.kpi_parts import CENTS, where
from sim.study.story import first_day, moment, seat_name, week_end


@dataclass(frozen=True)
class PersonMonth:
    """The weeks of a seat that end in one calendar month.

    weeks, employed, training, recovering : how many of them, somebody had the seat, was in training, worked shorter
    shifts to recover. The `_per_week` hours are means over the weeks employed: at the desk, on contacts, on contacts
    after the shift's end. absent_hours : unplanned, in all. contacts : ended in those weeks. support_calls : of them.
    accounts, arr : the seat's book when the last week ends; currency a year. fatigue, burnout : then; None if vacant.
    """

    weeks: int
    employed: int
    training: int
    recovering: int
    desk_hours_per_week: float
    handling_hours_per_week: float
    overtime_hours_per_week: float
    absent_hours: float
    contacts: int
    support_calls: int
    accounts: int
    arr: float
    fatigue: float | None
    burnout: float | None


@dataclass(frozen=True)
class PersonWeek:
    """One week of a seat; day is its last one, fatigue and burnout are of that day, None if the seat is vacant.

    desk_hours, handling_hours, overtime_hours : at the desk, on contacts, on contacts after the shift's end.
    absent_hours : unplanned.
    """

    day: dt.date
    employed: bool
    in_training: bool
    desk_hours: float
    handling_hours: float
    overtime_hours: float
    absent_hours: float
    accounts: int
    fatigue: float | None
    burnout: float | None


@dataclass(frozen=True)
class PersonStart:
    """A seat when the run starts. accounts, arr : its book; currency a year. fatigue, burnout : None if vacant."""

    accounts: int
    arr: float
    fatigue: float | None
    burnout: float | None


@dataclass(frozen=True)
class PersonEvent:
    """Somebody came or left; its name is one of `sim.model.ledger.PERSON_EVENTS`.

    occupant : 1 for the first person in the seat. burnout : when the week before ended, None if the seat was vacant.
    training_weeks : that whoever is hired begins with. fill_weeks : after which a vacancy is filled, None if hiring is
    frozen or the seat is closed.
    """

    day: dt.date
    event: str
    occupant: int
    burnout: float | None
    training_weeks: float
    fill_weeks: float | None


@dataclass(frozen=True)
class PersonStory:
    """One seat in one replication. owns_accounts : in a team with named owners.

    start : None if the seat is opened later. months : by the month's first day. weeks : in order, while there is a
    seat.
    """

    person: str
    team: str
    currency: str
    owns_accounts: bool
    start: PersonStart | None
    months: dict[dt.date, PersonMonth]
    weeks: tuple[PersonWeek, ...]
    events: tuple[PersonEvent, ...]


def person_story(history: History, inputs: Inputs, team: int, seat: int, currency: str) -> PersonStory:
    """The story of a seat that the history has followed. team, seat : from 0. currency : the scenario's."""
    people, book, contacts = history.people_weeks, history.seat_weeks, history.contacts
    mine = where(people, (people["team"] == team) & (people["seat"] == seat))
    done = where(contacts, (contacts["team"] == team) & (contacts["seat"] == seat) & (contacts["ended"] >= 0))
    return PersonStory(
        person=seat_name(inputs, team, seat),
        team=inputs.teams[team],
        currency=currency,
        owns_accounts=any(phase.teams[team].named_owner for phase in inputs.phases),
        start=_start(book),
        months=dict(_months(inputs, mine, done, book)),
        weeks=tuple(_weeks(inputs, mine, book)),
        events=tuple(_events(inputs, mine, team)),
    )


def _start(book: Table) -> PersonStart | None:
    if not len(book["week"]) or book["week"][0] >= 0:
        return None
    first = {name: column[0].item() for name, column in book.items()}
    fatigue, burnout = (first[name] if first["employed"] else None for name in ("fatigue", "burnout"))
    return PersonStart(first["accounts"], first["arr_cents"] / CENTS, fatigue, burnout)


def _weeks(inputs: Inputs, mine: Table, book: Table) -> Iterator[PersonWeek]:
    books = {int(week): i for i, week in enumerate(book["week"])}
    for i, week in enumerate(mine["week"].tolist()):
        row = {name: column[i].item() for name, column in mine.items()}
        at = books.get(week)
        yield PersonWeek(
            day=week_end(inputs, week),
            employed=row["employed"],
            in_training=at is not None and bool(book["in_training"][at]),
            desk_hours=row["on_duty_hours"],
            handling_hours=row["handling_hours"],
            overtime_hours=row["overtime_hours"],
            absent_hours=row["absent_hours"],
            accounts=0 if at is None else int(book["accounts"][at]),
            fatigue=row["fatigue"] if row["employed"] else None,
            burnout=row["burnout"] if row["employed"] else None,
        )


def _months(inputs: Inputs, mine: Table, done: Table, book: Table) -> Iterator[tuple[dt.date, PersonMonth]]:
    month_of = [first_day(week_end(inputs, week)) for week in range(inputs.weeks)]
    ended_in = np.maximum(np.ceil(done["ended"] / HOURS_PER_WEEK) - 1, 0).astype(np.int64)
    for month in sorted(set(month_of)):
        weeks = np.flatnonzero([one == month for one in month_of])
        rows = where(mine, np.isin(mine["week"], weeks))
        if len(rows["week"]):
            theirs = np.isin(ended_in, weeks)
            calls = inputs.support_call[done["category"][theirs]]
            yield month, _month(rows, where(book, np.isin(book["week"], weeks)), calls)


def _month(rows: Table, book: Table, support_call: NDArray[np.bool_]) -> PersonMonth:
    """rows, book : of people_weeks and seat_weeks. support_call : of the contacts that ended, whether each is one."""
    employed = rows["employed"]
    weeks = int(employed.sum())

    def per_week(name: str) -> float:
        """Of the weeks at whose end somebody had the seat; not of one in which it is closed."""
        return float(rows[name][employed].sum(dtype=np.float64)) / max(weeks, 1)

    last = len(book["week"]) - 1
    there = last >= 0 and bool(employed[-1])
    return PersonMonth(
        weeks=len(employed),
        employed=weeks,
        training=int(book["in_training"].sum()),
        recovering=int(rows["recovering"].sum()),
        desk_hours_per_week=per_week("on_duty_hours"),
        handling_hours_per_week=per_week("handling_hours"),
        overtime_hours_per_week=per_week("overtime_hours"),
        absent_hours=float(rows["absent_hours"].sum(dtype=np.float64)),
        contacts=len(support_call),
        support_calls=int(support_call.sum()),
        accounts=int(book["accounts"][last]) if last >= 0 else 0,
        arr=float(book["arr_cents"][last]) / CENTS if last >= 0 else 0.0,
        fatigue=float(rows["fatigue"][-1]) if there else None,
        burnout=float(rows["burnout"][-1]) if there else None,
    )


def _events(inputs: Inputs, mine: Table, team: int) -> Iterator[PersonEvent]:
    for i in np.flatnonzero(mine["event"]).tolist():
        week = int(mine["week"][i])
        event = PERSON_EVENTS[int(mine["event"][i])]
        was_open = i > 0 and mine["week"][i - 1] == week - 1
        hour = week * HOURS_PER_WEEK
        if event == "let_go" or (event == "hired" and not was_open):
            hour = _headcount_changes(inputs, team, week)
        rules = inputs.phase_at(hour).teams[team]
        yield PersonEvent(
            day=moment(inputs, hour).date(),
            event=event,
            occupant=int(mine["occupant"][i]) + 1,
            burnout=float(mine["burnout"][i - 1]) if was_open and mine["employed"][i - 1] else None,
            training_weeks=rules.training_weeks,
            fill_weeks=None if rules.hiring_freeze or event != "quit" else rules.time_to_fill_hours / HOURS_PER_WEEK,
        )


def _headcount_changes(inputs: Inputs, team: int, week: int) -> float:
    """The hour of a week at which a dated change of the team's headcount opens or closes seats; else its first."""
    for before, after in pairwise(inputs.phases):
        inside = 0 <= after.start_hour - week * HOURS_PER_WEEK < HOURS_PER_WEEK
        if inside and before.teams[team].headcount != after.teams[team].headcount:
            return after.start_hour
    return week * HOURS_PER_WEEK
