"""What happened to one account in one replication, as facts in the order in which they happened.

In: a `History` that followed the account, and the scenario's `Inputs`. Out: an `AccountStory`: who it is, its state
month by month, its events and its matters, each with all that came of it. Pure functions; no words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from sim.model import ledger
from sim.model.inputs import DRIVERS, HOURS_PER_WEEK, Inputs
from sim.model.ledger import ACCOUNT_EVENT_COLUMNS, EVENTS, OUTCOMES, PERSON_EVENTS, History
from sim.study.kpi_parts import CENTS
from sim.study.kpis import team_title

SETTLED = ("resolved", "deflected")
DECISIONS = ("renewal", "midterm")


@dataclass(frozen=True)
class Leg:
    """One attempt at a matter, or the part of one in one team: a row of the contact ledger.

    who : 'Support 2', '' if nobody worked on it. wait_minutes, target_minutes : clock minutes if live, else the team's
    working minutes; target_minutes is None if no team was asked. late : not begun when it was due.
    """

    attempt: int
    leg: int
    channel: str
    team: str
    who: str
    live: bool
    call_back: bool
    born: dt.datetime
    started: dt.datetime | None
    ended: dt.datetime | None
    wait_minutes: float
    target_minutes: float | None
    late: bool
    handle_minutes: float
    outcome: str


@dataclass(frozen=True)
class Matter:
    """Everything about one matter: its attempts and handovers in order."""

    category: str
    initiated_by: str
    legs: tuple[Leg, ...]

    @property
    def when(self) -> dt.datetime:
        """When it came up."""
        return self.legs[0].born

    @property
    def outcome(self) -> str:
        """How it stands in the end."""
        return self.legs[-1].outcome

    @property
    def settled_at_once(self) -> bool:
        return len(self.legs) == 1 and self.outcome in SETTLED

    @property
    def late(self) -> bool:
        """Whether a customer had to wait longer than the target, at any time."""
        return self.initiated_by == "customer" and any(leg.late for leg in self.legs)


@dataclass(frozen=True)
class AccountState:
    """An account at the end of a week.

    day : the last day of that week, or the first of the run. arr : currency a year. would_sign : the chance that it
    would sign a renewal then, exp(-intent). driver : the largest of the intent, '' without any. overdue : customers'
    contacts open past their target. owner : 'CSM 3', '' without one.
    """

    day: dt.date
    adoption: float
    satisfaction: float
    executive_contact: float
    health: float
    would_sign: float
    driver: str
    arr: float
    owner: str
    sponsor_lost: bool
    announced: bool
    overdue: int


@dataclass(frozen=True)
class AccountEvent:
    """An event of the account; its name is one of `sim.model.ledger.EVENTS`.

    probability : of leaving, for decisions; of saying so, for 'announced'. shares : of each driver in the intent, for
    decisions. executive_before, _after : executive contact when the weeks before and after end, None if not there.
    owner : at the end of that week. owner_before : at the end of the week before. owner_event : what that person did,
    a name of `sim.model.ledger.PERSON_EVENTS`. firefights_done, firefights : since an announcement, for its decision.
    until : the next contract end, of who renews; the contract's end, of who announces.
    """

    when: dt.datetime
    event: str
    tier: str
    arr_before: float
    arr_after: float
    announced: bool
    left: bool
    probability: float
    shares: dict[str, float]
    executive_before: float | None
    executive_after: float | None
    owner: str
    owner_before: str
    owner_event: str
    firefights_done: int
    firefights: int
    until: dt.date | None

    @property
    def is_decision(self) -> bool:
        return self.event in DECISIONS


@dataclass(frozen=True)
class Account:
    """Who the account is: at the start of the run, or when it was won. arr : currency a year."""

    account: str
    name: str
    tier: str
    currency: str
    arr: float
    seats: float
    term_months: int
    customer_since: dt.date
    renewal: dt.date
    owner: str
    won_in_the_run: bool


@dataclass(frozen=True)
class AccountStory:
    """One account in one replication. start : its state when the run starts, None if it was won later.

    months : its state at the end of each calendar month in which it was a customer, by the month's first day.
    weeks : its state at the end of each week in which it was one, in order.
    """

    who: Account
    start: AccountState | None
    months: dict[dt.date, AccountState]
    weeks: tuple[AccountState, ...]
    events: tuple[AccountEvent, ...]
    matters: tuple[Matter, ...]


def moment(inputs: Inputs, hour: float) -> dt.datetime:
    """The date and the time of day, to the minute, of an hour since the scenario's first Monday."""
    return dt.datetime.combine(inputs.start, dt.time()) + dt.timedelta(minutes=round(hour * 60))


def first_day(day: dt.date) -> dt.date:
    """The first day of its month."""
    return dt.date(day.year, day.month, 1)


def week_end(inputs: Inputs, week: int) -> dt.date:
    """The last day of a week of the run; the first day of all for week -1, which is the start."""
    return inputs.start + dt.timedelta(days=max(0, 7 * week + 6))


def seat_name(inputs: Inputs, team: int, seat: int) -> str:
    """'CSM 3', as everywhere; '' for nobody's."""
    return f"{team_title(inputs.teams[team])} {seat + 1}" if team >= 0 and seat >= 0 else ""


def account_story(history: History, inputs: Inputs, key: int, account: str, name: str, currency: str) -> AccountStory:
    """The story of the account with this key, which the history has followed.

    account, name : how it is called. currency : the scenario's.
    """
    row = int(np.flatnonzero(history.accounts["id"] == np.uint64(key))[0])
    weeks = history.account_weeks
    states = [_state(inputs, history, i) for i in range(len(weeks["week"]))]
    in_the_run = tuple(state for state, week in zip(states, weeks["week"], strict=True) if week >= 0)
    matters = tuple(sorted(_matters(history, inputs, row), key=lambda matter: matter.when))
    return AccountStory(
        who=_who(history, inputs, row, account, name, currency, states[0].owner if states else ""),
        start=states[0] if len(states) and weeks["week"][0] < 0 else None,
        months={first_day(state.day): state for state in in_the_run},
        weeks=in_the_run,
        events=tuple(_events(history, inputs, row, matters)),
        matters=matters,
    )


def _who(history: History, inputs: Inputs, row: int, account: str, name: str, currency: str, owner: str) -> Account:
    """Who the account is, by its first week; by the run's end, if it left before its first week was over."""
    accounts, weeks, events = history.accounts, history.account_weeks, history.account_events
    first, i = (weeks, 0) if len(weeks["week"]) else (accounts, row)
    won = row >= len(inputs.book.keys)
    gained = events["arr_after_cents"][(events["account"] == row) & (events["event"] == ledger.WON)]
    return Account(
        account=account,
        name=name,
        tier=inputs.tiers[int(first["tier"][i])],
        currency=currency,
        arr=float(gained[0] if won and len(gained) else accounts["opening_arr_cents"][row]) / CENTS,
        seats=float(first["seats"][i]),
        term_months=int(first["term_months"][i]),
        customer_since=moment(inputs, float(accounts["started"][row])).date(),
        renewal=moment(inputs, float(first["renewal"][i])).date(),
        owner=owner,
        won_in_the_run=won,
    )


def _state(inputs: Inputs, history: History, i: int) -> AccountState:
    """The state in a row of account_weeks."""
    row = {name: column[i].item() for name, column in history.account_weeks.items()}
    intent = [row[driver] for driver in DRIVERS]
    return AccountState(
        day=week_end(inputs, row["week"]),
        adoption=row["adoption"],
        satisfaction=row["satisfaction"],
        executive_contact=row["executive_contact"],
        health=row["health"],
        would_sign=float(np.exp(-sum(intent))),
        driver=DRIVERS[int(np.argmax(intent))] if sum(intent) > 0 else "",
        arr=row["arr_cents"] / CENTS,
        owner=seat_name(inputs, row["team"], row["seat"]),
        sponsor_lost=row["sponsor_lost"],
        announced=row["announced"],
        overdue=row["overdue"],
    )


# --- contacts -----------------------------------------------------------------------------------------------


def _matters(history: History, inputs: Inputs, row: int) -> Iterator[Matter]:
    """The account's matters, each with its rows of the ledger in order."""
    contacts = history.contacts
    rows = np.flatnonzero(contacts["account"] == row)
    order = np.lexsort((contacts["leg"][rows], contacts["attempt"][rows], contacts["contact"][rows]))
    rows = rows[order]
    for part in np.split(rows, np.flatnonzero(np.diff(contacts["contact"][rows])) + 1):
        if len(part):
            category = int(contacts["category"][part[0]])
            yield Matter(
                category=inputs.categories[category],
                initiated_by=inputs.initiated_by[category],
                legs=tuple(_leg(history, inputs, i, float(contacts["born"][part[0]])) for i in part.tolist()),
            )


def _leg(history: History, inputs: Inputs, i: int, matter_born: float) -> Leg:
    """One row of the ledger. matter_born : when the matter came up; the rules of that time hold for all of it."""
    row = {name: column[i].item() for name, column in history.contacts.items()}
    phase = inputs.phase_at(matter_born)
    place = row["team"], row["category"], row["channel"]
    call_back = bool(phase.tables.live[place]) and not row["live"]
    asked = not np.isnan(row["queued"])
    target = phase.teams[row["team"]].callback_target_hours if call_back else float(phase.tables.target_hours[place])
    begun, over = not np.isnan(row["started"]), not np.isnan(row["ended"])
    until = row["started"] if begun else row["ended"] if over else inputs.weeks * HOURS_PER_WEEK
    return Leg(
        attempt=row["attempt"],
        leg=row["leg"],
        channel=inputs.channels[row["channel"]],
        team=inputs.teams[row["team"]],
        who=seat_name(inputs, row["team"], row["seat"]),
        live=row["live"],
        call_back=call_back and asked,
        born=moment(inputs, row["born"]),
        started=moment(inputs, row["started"]) if begun else None,
        ended=moment(inputs, row["ended"]) if over else None,
        wait_minutes=row["wait_minutes"],
        target_minutes=60 * target if asked else None,
        late=asked and until > row["due"],
        handle_minutes=row["handle_minutes"],
        outcome=OUTCOMES[row["outcome"]],
    )


# --- events -------------------------------------------------------------------------------------------------


def _events(history: History, inputs: Inputs, row: int, matters: tuple[Matter, ...]) -> Iterator[AccountEvent]:
    """The account's events in order of time; the table has those of one instant in their order."""
    table = history.account_events
    rows = np.flatnonzero(table["account"] == row)
    fights = [matter.legs[-1] for matter in matters if matter.category == "firefight"]
    announced = 0.0  # when it last said that it would leave
    for i in rows[np.argsort(table["time"][rows], kind="stable")].tolist():
        event = {name: table[name][i].item() for name in ACCOUNT_EVENT_COLUMNS}
        kind, time = EVENTS[event["event"]], event["time"]
        if kind == "announced":
            announced = time
        counts = []
        if kind in DECISIONS and event["announced"]:
            counts = [leg for leg in fights if moment(inputs, announced) <= leg.born <= moment(inputs, time)]
        week = _shows_in(kind, time)
        before, after = _week(history, week - 1), _week(history, week)
        yield AccountEvent(
            when=moment(inputs, time),
            event=kind,
            tier=inputs.tiers[event["tier"]],
            arr_before=event["arr_before_cents"] / CENTS,
            arr_after=event["arr_after_cents"] / CENTS,
            announced=event["announced"],
            left=event["left"],
            probability=event["probability"],
            shares={driver: event[driver] for driver in DRIVERS},
            executive_before=_executive(history, before),
            executive_after=_executive(history, after),
            owner=_owner(history, inputs, after),
            owner_before=_owner(history, inputs, before),
            owner_event=_owner_event(history, before, week),
            firefights_done=sum(leg.outcome in SETTLED for leg in counts),
            firefights=len(counts),
            until=_until(history, inputs, after) if kind in (*DECISIONS, "announced") and not event["left"] else None,
        )


def _shows_in(kind: str, time: float) -> int:
    """The week at whose end an event shows: some come once a week has begun, the others while one ends."""
    weeks = time / HOURS_PER_WEEK
    return floor(weeks) if kind in ("won", "won_back", "announced", "owner_changed") else max(0, ceil(weeks) - 1)


def _week(history: History, week: int) -> int | None:
    """The position of a week's row in account_weeks, None if the account was not there."""
    weeks = history.account_weeks["week"]
    i = int(np.searchsorted(weeks, week))
    return i if i < len(weeks) and weeks[i] == week else None


def _executive(history: History, i: int | None) -> float | None:
    return None if i is None else float(history.account_weeks["executive_contact"][i])


def _owner(history: History, inputs: Inputs, i: int | None) -> str:
    if i is None:
        return ""
    return seat_name(inputs, int(history.account_weeks["team"][i]), int(history.account_weeks["seat"][i]))


def _until(history: History, inputs: Inputs, i: int | None) -> dt.date | None:
    return None if i is None else moment(inputs, float(history.account_weeks["renewal"][i])).date()


def _owner_event(history: History, i: int | None, week: int) -> str:
    """What the owner at a position of account_weeks did in a week: 'none', 'quit' ..."""
    if i is None:
        return PERSON_EVENTS[ledger.NO_EVENT]
    weeks, people = history.account_weeks, history.people_weeks
    mine = (people["team"] == weeks["team"][i]) & (people["seat"] == weeks["seat"][i]) & (people["week"] == week)
    found = people["event"][mine]
    return PERSON_EVENTS[int(found[0]) if len(found) else ledger.NO_EVENT]
