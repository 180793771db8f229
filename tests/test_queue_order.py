"""Who is served next: one person's day against a slow and simple reading of the rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small import rows_where, run, small_inputs

from sim.model.agenda import Agenda
from sim.model.center_state import opening_state
from sim.model.contact_center import ContactCenter
from sim.model.inputs import Phase
from sim.model.kinds import Kind
from sim.model.queue import NO_MORE, Contact, Line, Queue, records

START, END, LIMIT = 9.0, 17.0, 0.9
HOURS = st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0])


@dataclass(frozen=True)
class Waiting:
    """What decides when a contact is served."""

    key: int
    level: int
    due: float
    hours: float
    customer: bool
    urgent: bool
    expires: float
    own: bool


waiting = st.builds(
    Waiting,
    key=st.just(0),
    level=st.integers(1, 4),
    due=st.sampled_from([8.0, 10.0, 12.5, 16.75, 17.25, 40.0]),
    hours=HOURS,
    customer=st.booleans(),
    urgent=st.booleans(),
    expires=st.sampled_from([inf, inf, 11.0]),
    own=st.booleans(),
)


def phase() -> Phase:
    given_phase = small_inputs(
        {
            "teams.csm.shrinkage": 0,
            "teams.csm.overtime_limit_hours_per_day": LIMIT,
            "teams.csm.shift": {"days": ["mon"], "start": "09:00", "end": "17:00"},
        }
    ).phases[0]
    return replace(given_phase, teams=given_phase.teams[:1])


PHASE = phase()


def contact_of(row: Waiting) -> Contact:
    kind = Kind(
        cell=0, team=0, category=0, channel=0, customer=row.customer, planned=False, urgent=row.urgent, level=row.level,
        live=False, target_hours=1.0, mean_hours=row.hours, resolution=1.0,
    )  # fmt: skip
    contact = Contact(
        key=row.key, account=0, kind=kind, attempt=0, owner=-1, born=0.0, due=row.due, expires=row.expires, draw=1.0,
        u_resolve=0.5, patience=inf, attempts=NO_MORE, row=0,
    )  # fmt: skip
    contact.queued = 0.0
    return contact


def served_by_the_engine(rows: list[Waiting], overtime: bool) -> list[tuple[int, float]]:
    """Keys and start times of one person's first day, all contacts waiting at its start."""
    agenda = Agenda(0.0)
    used = replace(PHASE, switches=replace(PHASE.switches, overtime=overtime))
    state = opening_state(used, (0,), (0.0,), 0.0)
    center = ContactCenter(agenda, used, state)
    agent = state.teams[0].agents[0]
    for row in rows:
        (agent.queue if row.own else state.teams[0].pool()).push(contact_of(row))
    center.day.plan_shifts(0.0, 24.0, used)
    agenda.run_to(32.0)
    return records(state.finished)[["key", "started"]].tolist()


def served_by_the_rule(rows: list[Waiting], overtime: bool) -> list[tuple[int, float]]:
    """The same from the rule's words: smallest level, then due time, then arrival (here the key), of what may start."""
    now, left, served = START, list(rows), []
    while now < END or (overtime and now <= END + LIMIT):
        may = [
            row
            for row in left
            if row.expires > now
            and (
                (now < END and row.hours <= END - now)
                or (overtime and (row.urgent or (row.customer and now > row.due)))
            )
        ]
        if not may:
            break
        first = min(may, key=lambda row: (row.level, row.due, row.key))
        served.append((first.key, now))
        left.remove(first)
        now += first.hours
    return served


@settings(max_examples=300)
@given(st.lists(waiting, max_size=12), st.booleans())
def test_a_persons_day_follows_the_rule_of_priority_due_time_and_arrival(rows: list[Waiting], overtime: bool) -> None:
    rows = [replace(row, key=key) for key, row in enumerate(rows)]
    assert served_by_the_engine(rows, overtime) == served_by_the_rule(rows, overtime), (
        "by level, then due time, then arrival, over one's own queue and the team's; what does not fit before the "
        "shift's end waits unless it is urgent, and nothing starts later than the limit after it"
    )


def test_identical_contacts_of_a_shared_queue_are_served_in_the_order_of_their_due_times() -> None:
    flat: dict[str, Any] = {
        "teams.support.headcount": 2,
        "teams.support.shrinkage": 0,
        "categories.how_to.channel_shares": {"email": 1.0},
        "categories.how_to.contacts_per_account_month": 20,
        "routing.assign.how_to": {"support": 1.0},
        "routing.assign.break_fix": {"csm": 1.0},
        "routing.assign.billing": {"csm": 1.0},
        "mechanisms.repeats": False,
        "mechanisms.turnover": False,
        "mechanisms.absence": False,
    }
    inputs = small_inputs(flat)
    rows = run(inputs).contacts
    mine = rows_where(rows, (rows["team"] == inputs.teams.index("support")) & ~np.isnan(rows["started"]))
    order = np.argsort(mine["started"], kind="stable")
    waited = mine["started"] > mine["queued"]
    assert waited.sum() > 100, "there is a queue"
    due, started, queued = (mine[name][order] for name in ("due", "started", "queued"))
    for (i, a), (j, b) in pairwise(enumerate(zip(due, started, strict=True))):
        there = queued[j] < a[1]  # the later one was there when the earlier one started
        assert not there or a[0] <= b[0] or started[i] == started[j], (
            f"a contact due at {a[0]} is started before one due at {b[0]} that was waiting"
        )


def test_one_matter_may_stand_twice_in_a_queue_and_is_served_once() -> None:
    queue = Queue(Line())
    first = contact_of(Waiting(key=1, level=5, due=3.0, expires=inf, hours=1.0, own=True, customer=True, urgent=False))
    queue.push(first)
    queue.leave(first)
    again = first.put_down(0.5)
    queue.push(again)
    entry = queue.head(again.level, 0.0)
    assert entry is not None, "what was put down waits"
    assert entry[3] is again, "the entry of before is passed over"
