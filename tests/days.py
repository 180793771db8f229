"""Some days of one team by hand: contacts with known times, people with known hours.

In: what a team's file says, and contacts. Out: what became of them, and the people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from small import small_inputs

from sim.model import week_end
from sim.model.agenda import DAY_ORDER, Agenda
from sim.model.center_state import opening_state
from sim.model.contact_center import ContactCenter
from sim.model.inputs import Kind
from sim.model.ledger import OUTCOMES
from sim.model.people_tick import condition_after_day
from sim.model.queue import NO_MORE, Contact, records
from sim.model.staff import Agent

ONE_DAY = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}


@dataclass
class Days:
    """What happened. done : (key, started, ended, hours worked on it, seat, outcome), in the order of their ends."""

    center: ContactCenter
    agents: list[Agent]

    @property
    def done(self) -> list[tuple[int, float, float, float, int, str]]:
        rows = records(self.center.state.finished)[["key", "started", "ended", "worked_hours", "seat", "outcome"]]
        return [(*row[:5], OUTCOMES[row[5]]) for row in rows.tolist()]


def contact(
    key: int,
    time: float,
    hours: float,
    *,
    usual_hours: float | None = None,
    live: bool = False,
    urgent: bool = False,
    due: float = 1000.0,
) -> Contact:
    """Planned work, or a live customer, that takes some hours; usual_hours : the mean, by which it is planned."""
    mean = usual_hours or hours
    kind = Kind(
        cell=0, team=0, category=0, channel=0, customer=live, planned=not live, urgent=urgent, level=0 if live else 5,
        live=live, target_hours=9.0, mean_hours=mean, resolution=1.0,
    )  # fmt: skip
    return Contact(
        key=key, account=key, kind=kind, attempt=0, owner=-1, born=time, due=due, expires=1e9, draw=hours / mean,
        u_resolve=0.5, patience=1e6, attempts=NO_MORE, row=0,
    )  # fmt: skip


def days_of(
    contacts: list[Contact],
    team: dict[str, Any],
    until: float,
    before: Callable[[ContactCenter], None] | None = None,
    later: dict[float, Callable[[ContactCenter], None]] | None = None,
) -> Days:
    """Runs the CSM team of a small company from Monday 00:00 on, without accounts.

    team : what its file says, on top of one person without shrinkage from nine to five. before : is called at the
    start. later : what is to be called at an hour.
    """
    plain: dict[str, Any] = {"headcount": 1, "shift": ONE_DAY, "shrinkage": 0.0, "meetings": []} | team
    inputs = small_inputs({f"teams.csm.{key}": value for key, value in plain.items()} | {"accounts.warm_up_weeks": 0})
    phase = replace(inputs.phases[0], teams=inputs.phases[0].teams[:1])
    agenda = Agenda(0.0)
    state = opening_state(phase, (0,), (0.0,), 0.0)
    center = ContactCenter(agenda, phase, state)
    if before is not None:
        before(center)
    center.expect(iter(sorted(contacts, key=lambda one: one.born)))
    center.day.plan_shifts(0.0, until, phase)
    for hour, what in (later or {}).items():
        agenda.call(hour, DAY_ORDER, lambda function, now: function(center), what)

    def end_day(day: int, now: float) -> None:
        condition_after_day(center.teams, center.phase, day, moves=True)
        center.day.pay_on(now)
        agenda.call(now + 24, DAY_ORDER, end_day, day + 1)

    agenda.call(24.0, DAY_ORDER, end_day, 0)
    agenda.run_to(until)
    week_end.count_all(center, until)
    return Days(center, state.teams[0].agents)
