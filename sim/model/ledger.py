"""What one replication leaves behind: rows of typed columns, append-only. No statistics here.

Five tables of what happens: `contacts` (the ledger proper) has a row per contact, `account_events` a row per event
of an account, `people_weeks` a row per seat and week, `duty` a row per stretch of time that somebody is at the desk,
`tier_weeks` a row per tier and week. Two of who there is:
`opening` at the start, `accounts` at the end. Two that are empty unless somebody is followed: `account_weeks` and
`seat_weeks`. Times are hours since the scenario's first Monday 00:00 (the warm-up
is negative). Money is in units of the scenario's currency, in whole cents where the name says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTCOMES = (
    "resolved",
    "unresolved",
    "escalated",
    "abandoned",
    "deflected",
    "bounced",
    "expired",
    "withdrawn",
    "blocked",
    "not_raised",
    "open",
)
(
    RESOLVED,
    UNRESOLVED,
    ESCALATED,
    ABANDONED,
    DEFLECTED,
    BOUNCED,
    EXPIRED,
    WITHDRAWN,
    BLOCKED,
    NOT_RAISED,
    OPEN,
) = range(len(OUTCOMES))

CONTACT_COLUMNS: dict[str, str] = {
    "contact": "u8",  # key of (account, category, week, j): the same matter in every scenario
    "account": "i4",  # row in the accounts table of this replication
    "attempt": "i1",  # 0 for the first, 1 for the first repeat ...
    "leg": "i1",  # 1 for the part after a warm transfer, an escalation or self-service, 2 after the next ...
    "tier": "i1",
    "category": "i1",
    "channel": "i1",
    "team": "i1",
    "seat": "i2",  # who worked on it last, -1 if nobody did
    "live": "?",  # the customer waited on the line (a live channel of a team that answers live)
    "born": "f8",  # when the customer or the company started it
    "queued": "f8",  # when it joined this team's queue
    "due": "f8",  # when an answer is late
    "started": "f8",  # for the first time; nan if never
    "ended": "f8",  # nan if open
    "wait_minutes": "f4",  # queued to started, ended or now: clock minutes if live, business minutes if not
    "handle_minutes": "f4",  # working time spent, 0 if never started
    "cost": "f4",  # of the channel, and a partner's price (labour is in people_weeks)
    "outcome": "i1",
}

EVENTS = (
    "won",
    "sponsor_lost",
    "sponsor_engaged",
    "owner_changed",
    "announced",
    "renewal",
    "midterm",
    "won_back",
    "onboarded",
    "onboarding_failed",
    "plan_opened",
    "upgraded",
    "ill_timed",
)
(
    WON,
    SPONSOR_LOST,
    SPONSOR_ENGAGED,
    OWNER_CHANGED,
    ANNOUNCED,
    RENEWAL,
    MIDTERM,
    WON_BACK,
    ONBOARDING_DONE,
    ONBOARDING_MISSED,
    PLAN_OPENED,
    UPGRADED,
    ILL_TIMED,
) = range(len(EVENTS))

# "renewal" and "midterm" are decisions: `left` is what happened, `expected` its unbiased expectation.
ACCOUNT_EVENT_COLUMNS: dict[str, str] = {
    "time": "f8",
    "account": "i4",
    "tier": "i1",
    "event": "i1",
    "announced": "?",  # for decisions: had it announced its departure?
    "left": "?",
    "probability": "f8",  # of leaving, as drawn against
    "expected": "f8",  # unbiased estimate of leaving, for decisions; else 0
    "arr_before_cents": "i8",
    "arr_after_cents": "i8",  # 0 if it left
    "disconnection": "f4",  # share of each driver in the intent
    "disengagement": "f4",
    "service": "f4",
    "downturn": "f4",
    "competition": "f4",
    "seen_health": "f4",  # the score that the company saw
    "firefighting_finished": "f4",  # for decisions of those that had announced: share of it done in time; else 0
}

PERSON_EVENTS = ("none", "hired", "quit", "let_go")
NO_EVENT, HIRED, QUIT, LET_GO = range(len(PERSON_EVENTS))

PEOPLE_WEEK_COLUMNS: dict[str, str] = {
    "week": "i4",
    "team": "i1",
    "seat": "i2",
    "occupant": "i2",  # 0 for the first person in the seat, 1 for the next ...; -1 if nobody has had it yet
    "employed": "?",  # False: the seat is vacant
    "contracted_hours": "f4",  # paid working time
    "planned_hours": "f4",  # contracted time net of shrinkage, meetings, leave, days off, training and recovery
    "absent_hours": "f4",  # unplanned; part of planned_hours
    "on_duty_hours": "f4",  # inside the shift and not away (work run on into a break counts)
    "handling_hours": "f4",  # on contacts, all hours
    "overtime_hours": "f4",  # on contacts after the shift's end (part of handling_hours)
    "overtime_backlog_hours": "f4",  # on those begun after it (part of overtime_hours); the rest finishes others
    "reactive_hours": "f4",  # on customers' and triggered contacts (part of handling_hours)
    "fatigue": "f4",
    "burnout": "f4",
    "recovering": "?",  # works less until burnout has fallen
    "event": "i1",
    "payroll_cost": "f4",
    "overtime_cost": "f4",
    "hiring_cost": "f4",
}

DUTY_COLUMNS: dict[str, str] = {
    "team": "i1",
    "seat": "i2",
    "began": "f8",  # at the desk inside a shift, neither on a break nor in a meeting
    "ended": "f8",
}

TIER_WEEK_COLUMNS: dict[str, str] = {
    "week": "i4",
    "tier": "i1",
    "accounts": "i4",
    "arr_cents": "i8",
    "adoption_sum": "f8",
    "satisfaction_sum": "f8",
    "executive_contact_sum": "f8",
    "at_risk": "i4",
    "healthy": "i4",
    "looks_at_risk": "i4",  # to the company
    "false_alarms": "i4",  # that look at risk and are not
    "would_sign_sum": "f8",  # chance to sign a renewal contract submitted today
    "arr_at_risk": "f8",  # ARR x (1 - exp(-intent not yet settled)), a year
    "seats_sum": "f8",
    "licences_used_sum": "f8",
    "logins_sum": "f8",  # seats whose users logged in in the week
    "outages": "i2",  # of the tier's product in the week
    "mavens": "i4",  # accounts that answer in the community, if there is one
    "detractors": "i4",  # accounts that complain there
}

# Of the account or the seat that a run was asked to follow; week -1 is the start of the run.
ACCOUNT_WEEK_COLUMNS: dict[str, str] = {
    "week": "i4",  # at its end; no row while the account is not there
    "tier": "i1",
    "team": "i1",  # the owner's team, -1 if it has none
    "seat": "i2",  # the owner's seat, -1 if it has none
    "arr_cents": "i8",
    "seats": "f8",
    "term_months": "i2",
    "renewal": "f8",  # next contract end
    "adoption": "f8",
    "satisfaction": "f8",
    "executive_contact": "f8",
    "health": "f8",
    "sponsor_lost": "?",
    "announced": "?",
    "overdue": "i4",  # customers' contacts open past their target when the week ended
    "disconnection": "f8",  # intent not yet settled, by driver
    "disengagement": "f8",
    "service": "f8",
    "downturn": "f8",
    "competition": "f8",
}

SEAT_WEEK_COLUMNS: dict[str, str] = {
    "week": "i4",
    "employed": "?",  # when the week ended
    "in_training": "?",
    "accounts": "i4",  # that the seat owns
    "arr_cents": "i8",
    "fatigue": "f8",
    "burnout": "f8",
}

ACCOUNT_COLUMNS: dict[str, str] = {
    "id": "u8",
    "tier": "i1",
    "seat": "i2",  # the owner's seat, -1 if it has none
    "started": "f8",  # when it became a customer
    "term_months": "i2",
    "renewal": "f8",  # next contract end
    "opening_arr_cents": "i8",  # ARR at the start of the run, 0 if won later
    "arr_cents": "i8",  # 0 if it has left
    "seats": "f8",
    "contact_rate": "f8",  # its multiple of the categories' rates
    "adoption": "f8",
    "satisfaction": "f8",
    "executive_contact": "f8",
    "sponsor_lost": "?",
    "announced": "?",
    "disconnection": "f8",  # intent not yet settled, by driver
    "disengagement": "f8",
    "service": "f8",
    "downturn": "f8",
    "competition": "f8",
}

OPENING_COLUMNS: dict[str, str] = {
    "id": "u8",
    "adoption": "f8",
    "tier": "i1",
    "team": "i1",  # the owner's team, -1 if it has none
    "seat": "i2",  # the owner's seat, -1 if it has none
    "sponsor_lost": "?",
    "announced": "?",
    "disconnection": "f8",  # intent at the start, by driver
    "disengagement": "f8",
    "service": "f8",
    "downturn": "f8",
    "competition": "f8",
}

Table = dict[str, NDArray[Any]]


class Rows:
    """An append-only table: one growing array per column.

    Large arrays grow in place; many small ones would leave holes in the memory that nothing else fits into.
    """

    def __init__(self, columns: dict[str, str]) -> None:
        self.columns = columns
        self.count = 0
        self._arrays = [np.empty(0, dtype=kind) for kind in columns.values()]

    def append(self, *values: Any, rows: int | None = None) -> None:
        """Adds rows; one sequence per column, in the columns' order, all of one length.

        A column that is the same in all of them may be a single value; `rows` then says how many there are.
        """
        end = self.count + (len(values[0]) if rows is None else rows)
        if end > len(self._arrays[0]):
            for array in self._arrays:
                array.resize(max(_LEAST_ROWS, end + end // 4), refcheck=False)  # nobody else has it before `table`
        for array, value in zip(self._arrays, values, strict=True):
            array[self.count : end] = value
        self.count = end

    def copy(self) -> Rows:
        """The same rows, to grow by themselves."""
        other = Rows(self.columns)
        other._arrays = [array[: self.count].copy() for array in self._arrays]
        other.count = self.count
        return other

    def table(self) -> Table:
        """All rows so far, as one array per column."""
        return {name: array[: self.count].copy() for name, array in zip(self.columns, self._arrays, strict=True)}

    def hand_over(self) -> Table:
        """All rows, as one array per column; the table is empty then."""
        arrays = self._arrays
        for array in arrays:
            array.resize(self.count, refcheck=False)
        self.count, self._arrays = 0, [np.empty(0, dtype=kind) for kind in self.columns.values()]
        return dict(zip(self.columns, arrays, strict=True))


_LEAST_ROWS = 256


@dataclass
class Ledger:
    """The tables of a run while they grow, and the accounts as they stood at its start."""

    contacts: Rows = field(default_factory=lambda: Rows(CONTACT_COLUMNS))
    account_events: Rows = field(default_factory=lambda: Rows(ACCOUNT_EVENT_COLUMNS))
    people_weeks: Rows = field(default_factory=lambda: Rows(PEOPLE_WEEK_COLUMNS))
    tier_weeks: Rows = field(default_factory=lambda: Rows(TIER_WEEK_COLUMNS))
    duty: Rows = field(default_factory=lambda: Rows(DUTY_COLUMNS))
    account_weeks: Rows = field(default_factory=lambda: Rows(ACCOUNT_WEEK_COLUMNS))
    seat_weeks: Rows = field(default_factory=lambda: Rows(SEAT_WEEK_COLUMNS))
    opening: Table = field(default_factory=dict)

    def fork(self) -> Ledger:
        """A ledger that begins with the rows of this one and grows by itself."""
        forked = Ledger(*(getattr(self, one.name).copy() for one in fields(self) if one.name != "opening"))
        forked.opening = self.opening
        return forked


@dataclass(frozen=True)
class History:
    """One replication of one scenario, from the start to the end of the run (warm-up excluded).

    A contact born in the warm-up and still waiting at the start is in `contacts`, with its negative `born`.
    `opening` has the accounts of the opening book as they stand at the start: the first rows of `accounts`.
    `account_weeks` and `seat_weeks` have no rows unless somebody was followed.
    """

    contacts: Table
    account_events: Table
    people_weeks: Table
    tier_weeks: Table
    accounts: Table
    opening: Table
    duty: Table = field(default_factory=dict)
    account_weeks: Table = field(default_factory=dict)
    seat_weeks: Table = field(default_factory=dict)
