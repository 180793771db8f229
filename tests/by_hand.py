"""A small company whose contacts can be followed by hand: constant handle times, teams that work round the clock.

In: calls (hour, category, channel) and overrides. Out: rows of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
import yaml
from small import AROUND_THE_CLOCK, put, values_of

from sim.model import ledger
from sim.model.agenda import Agenda
from sim.model.center_state import opening_state
from sim.model.compile import compile_inputs
from sim.model.contact_center import ContactCenter
from sim.model.inputs import Inputs
from sim.model.queue import Attempts, Contact, records
from sim.model.reassignment import set_skills
from sim.scenario import load_scenario_text

EXPERTS = {
    "headcount": 1, "opening_vacancies": 0, "opening_burnout": 0, "shift": AROUND_THE_CLOCK, "shrinkage": 0,
    "absence_days_per_year": 0, "cost_per_hour": 80, "overtime_pay_factor": 1, "overtime_limit_hours_per_day": 0,
    "named_owner": False, "answers_live": True, "callback_target_minutes": 60, "support_call_handle_time_factor": 1,
    "support_call_resolution_factor": 1, "warmth": 0, "quit_rate_per_year": 0, "time_to_fill_weeks": 1,
    "ramp_weeks": 0, "ramp_start_speed": 1, "hiring_cost": 0, "price_per_contact": 25,
}  # fmt: skip
KNOWLEDGE_BASE = {
    "live": False, "response_target_minutes": 60, "cost_per_contact": 0.1, "handle_time_factor": 1,
    "resolution_factor": 1, "warmth_factor": 0,
    "self_service": {"solved_probability": 0.4, "then": {"phone": 1.0}, "delay_mean_minutes": 60},
}  # fmt: skip
ONE_HOUR: dict[str, Any] = {
    "teams.support.headcount": 1,
    "teams.support.shift": AROUND_THE_CLOCK,
    "teams.support.shrinkage": 0,
    "teams.csm.headcount": 1,
    "teams.csm.shift": AROUND_THE_CLOCK,
    "teams.csm.shrinkage": 0,
    "teams.csm.support_call_handle_time_factor": 1,
    "teams.csm.support_call_resolution_factor": 1,
    "teams.csm.named_owner": False,
    "teams.csm.answers_live": True,
    "teams.experts": EXPERTS,
    "channels.knowledge_base": KNOWLEDGE_BASE,
    "categories.how_to.handle_time_mean_minutes": 60,
    "categories.how_to.handle_time_distribution": "constant",
    "categories.how_to.handle_time_cv": 0,
    "categories.how_to.resolution_probability": 0.8,
    "categories.billing.handle_time_mean_minutes": 30,
    "categories.billing.handle_time_distribution": "constant",
    "categories.billing.handle_time_cv": 0,
    "channels.chat.handle_time_factor": 1,
    "mechanisms.absence": False,
    "weeks": 4,
}


@dataclass(frozen=True)
class Call:
    """One contact by hand: when, about what, by which channel, to which team, and its luck."""

    time: float
    category: str = "how_to"
    channel: str = "phone"
    team: str = "support"
    u_resolve: float = 0.0
    patience: float = inf
    redial: float = nan
    account: int = 0
    owner: int = -1


def inputs_with(overrides: dict[str, Any]) -> Inputs:
    text = yaml.safe_dump(put(values_of(), ONE_HOUR | overrides), sort_keys=False)
    return compile_inputs(load_scenario_text(text, "hand.yaml"))


def after(
    calls: list[Call], overrides: dict[str, Any] | None = None, hours: float = 24.0, absent: tuple[int, ...] = ()
) -> list[tuple[Any, ...]]:
    """The calls' rows in the order in which they ended: call, team, attempt, leg, queued, started, ended, outcome.

    absent : days on which the first CSM does not come.
    """
    inputs = inputs_with(overrides or {})
    phase = inputs.phases[0]
    agenda, state = Agenda(0.0), opening_state(phase, (0, 0, 0), (0.0, 0.0, 0.0), 0.0)
    center = ContactCenter(agenda, phase, state)
    set_skills(center)
    state.teams[0].agents[0].absent_days = frozenset(absent)
    names = inputs.teams, inputs.categories, inputs.channels
    made = []
    for key, call in enumerate(calls):
        wanted = (call.team, call.category, call.channel)
        place = [np.array([known.index(name)]) for known, name in zip(names, wanted, strict=True)]
        kind = phase.kinds[phase.tables.cells(*place).item()]
        rows = 2 * (1 + phase.routing.hops)
        attempts = Attempts(
            tries=2,
            handle=np.ones((rows, 1)),
            u_resolve=np.full((rows, 1), 0.0),
            patience=np.full((rows, 1), inf),
            weeks_until_back=np.full((2, 1), inf),
            redial_hours=np.full((2, 1), call.redial),
        )
        contact = Contact(
            key, call.account, kind, 0, call.owner, call.time, call.time + 1, inf, 1.0, call.u_resolve, call.patience,
            attempts, 0,
        )  # fmt: skip
        made.append(contact)
    center.day.plan_shifts(0.0, hours, phase)
    agenda.run_to(0.0)
    center.expect(made)
    agenda.run_to(hours)
    found = []
    for row in records(state.finished):
        team = np.unravel_index(int(row["cell"]), phase.tables.live.shape)[0]
        times = [round(float(row[name]), 9) for name in ("queued", "started", "ended")]
        found.append(
            (int(row["key"]), inputs.teams[team], int(row["attempt"]), int(row["leg"]), *times,
             ledger.OUTCOMES[row["outcome"]])
        )  # fmt: skip
    return found


def outcomes(rows: list[tuple[Any, ...]]) -> dict[tuple[int, int, int], str]:
    """Outcome by call, attempt and leg."""
    return {(row[0], row[2], row[3]): row[-1] for row in rows}
