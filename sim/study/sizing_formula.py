"""What formulas of one queue would say of a team's headcount: the workload, and Erlang C for a service level.

In: a scenario's inputs at a day. Out: people, or None. No repeats, no priorities, no fatigue, contacts spread evenly
over the team's hours: what a staffing calculator knows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim.model.accounts import opening_table
from sim.model.demand import contact_rates
from sim.model.inputs import FloatArray, Inputs
from sim.model.luck import Luck
from sim.scenario import Scenario
from sim.study.sizing_targets import Target
from sim.theory.queues import Queue
from sim.theory.staffing import Target as QueueTarget
from sim.theory.staffing import agents_needed, agents_to_keep_up, rostered, rounded_up

MOST_AGENTS = 5000


def by_formula(inputs: Inputs, scenario: Scenario, team: str, targets: Sequence[Target]) -> int | None:
    """People for a team: those that Erlang C needs for its customers' contacts, and the hours of its planned work.

    A target on the team's service level is Erlang's target, within the mean response target of its channels; without
    one, agents just keep up. None if nobody asks the team for anything.
    """
    phase, index = inputs.phases[0], list(inputs.teams).index(team)
    table = opening_table(
        inputs.book, phase, Luck(0, 0), inputs.opening_adoption, inputs.opening_executive_contact, 0.0
    )
    rates = contact_rates(table, phase, 0.0, np.zeros(len(table), dtype=np.int64)).sum()
    shares = np.diff(phase.routing.assign, axis=1, prepend=0.0)[:, index]
    asked = rates * phase.categories.rate_per_week * shares
    hours = asked * phase.categories.handle_hours
    planned = (phase.owner_hours[index][1][table.tier]).sum()
    seat = phase.teams[index].seats[0]
    open_hours = seat.roster.hours_per_week
    if asked.sum() + planned <= 0 or open_hours <= 0:
        return None
    present = (1 - phase.teams[index].shrinkage) * (1 - min(0.9, seat.absence_per_day))
    people = planned / open_hours
    if asked.sum() > 0:
        queue = Queue(asked.sum() / open_hours, hours.sum() / asked.sum(), 1.0)
        level = next((one.value for one in targets if one.kpi == f"{team}.service_level" and not one.at_most), None)
        needed = None
        if level is not None and 0 < level < 1:
            wanted = QueueTarget(level, _target_hours(inputs, index, asked))
            needed = agents_needed(queue, wanted, MOST_AGENTS)
        people += needed.agents if needed is not None else agents_to_keep_up(queue.load_erlangs)
    return min(MOST_AGENTS, max(1, rounded_up(rostered(people, 1 - present)))) if math.isfinite(people) else None


def _target_hours(inputs: Inputs, team: int, asked: FloatArray) -> float:
    """The response target of the team's contacts, in hours, their mean."""
    phase = inputs.phases[0]
    shares = np.diff(phase.categories.channel_shares, axis=1, prepend=0.0)
    each = shares * asked[:, np.newaxis]
    targets = np.where(
        np.isnan(phase.categories.target_hours)[:, np.newaxis],
        phase.channels.target_hours,
        phase.categories.target_hours[:, np.newaxis],
    )
    return float((each * targets).sum() / each.sum())
