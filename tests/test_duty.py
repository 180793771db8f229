"""Who is at the desk when: nobody twice at once, hours as the people's weeks count them, and nobody busy elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from companies import companies, dated, queues, small_company
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from small import rows_where, run, small_inputs

from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.model.replication import Run

WEEK = 168.0
ROUNDING_HOURS = 1e-9  # a hundred thousand times the spacing of numbers at the end of a run of two years
SINGLE = 1e-5  # people's weeks keep seven digits of at most 168 hours


def nobody_is_at_two_desks(history: History) -> None:
    duty = history.duty
    assert (duty["ended"] > duty["began"]).all(), "each stretch has a length"
    order = np.lexsort((duty["began"], duty["seat"], duty["team"]))
    same = (np.diff(duty["team"][order]) == 0) & (np.diff(duty["seat"][order]) == 0)
    gap = duty["began"][order][1:] - duty["ended"][order][:-1]
    assert gap[same].min(initial=0.0) >= -ROUNDING_HOURS, "one stretch ends before the next begins"


def the_desk_hours_are_those_of_the_peoples_weeks(history: History, inputs: Inputs) -> None:
    duty, people = history.duty, history.people_weeks
    week = np.clip(np.ceil(duty["ended"] / WEEK) - 1, 0, inputs.weeks - 1).astype(int)
    inside = duty["ended"] - np.maximum(duty["began"], week * WEEK)
    for team in range(len(inputs.teams)):
        mine, theirs = duty["team"] == team, people["team"] == team
        at_desk = np.bincount(week[mine], inside[mine], minlength=inputs.weeks)
        counted = np.bincount(people["week"][theirs], people["on_duty_hours"][theirs].astype(float), inputs.weeks)
        worst = float(np.abs(at_desk - counted).max())
        assert worst <= SINGLE * max(1.0, counted.max()) * 10, f"{inputs.teams[team]}: {worst} h apart in a week"


def nobody_is_busy_inside_the_shift_for_longer_than_at_the_desk(history: History) -> None:
    people = history.people_weeks
    inside = people["handling_hours"].astype(float) - people["overtime_hours"]
    worst = float((inside - people["on_duty_hours"]).max(initial=0.0))
    assert worst <= 168 * SINGLE, f"somebody is busy {worst} h more inside the shift than on duty"


@settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(companies, queues, dated, st.integers(0, 5))
def test_nobody_is_in_two_places_and_nobody_is_busy_without_being_there(
    values: dict[str, Any], queued: dict[str, Any], changes: list[dict[str, Any]], seed: int
) -> None:
    inputs = small_company(values | queued, changes)
    history = run(inputs, seed)
    nobody_is_at_two_desks(history)
    the_desk_hours_are_those_of_the_peoples_weeks(history, inputs)
    nobody_is_busy_inside_the_shift_for_longer_than_at_the_desk(history)


def test_time_in_the_system_adds_up_to_the_number_in_it_over_time(monkeypatch: Any) -> None:
    """Little's law as an identity of one path: the area under the number in the system is the time spent in it.

    The number is counted in the engine's queues and hands at every week's end, the time in the ledger; both only
    inside the window, whatever began before it or goes on after it.
    """
    inputs = small_inputs(
        {"categories.how_to.contacts_per_account_month": 12, "teams.support.shrinkage": 0.5, "weeks": 12}
    )
    seen: dict[float, int] = {}
    end_week = Run._end_week

    def looking(self: Run, week: int) -> Any:
        found = [q for team in self.center.teams for q in (*team.pools.values(), *(a.queue for a in team.agents))]
        waiting = sum(1 for queue in found for heap in queue.heaps for entry in heap if entry[3].queue is queue)
        in_hand = sum(a.contact is not None for team in self.center.teams for a in team.agents)
        seen[week * WEEK] = waiting + in_hand
        return end_week(self, week)

    monkeypatch.setattr(Run, "_end_week", looking)
    rows = run(inputs).contacts
    rows = rows_where(rows, ~np.isnan(rows["queued"]))
    begin, end = 2 * WEEK, 10 * WEEK
    until = np.where(np.isnan(rows["ended"]), inputs.weeks * WEEK, rows["ended"])
    spent = np.clip(np.minimum(until, end) - np.maximum(rows["queued"], begin), 0, None).sum()
    inside = (rows["queued"] < end) & (until > begin)
    times = np.concatenate([np.maximum(rows["queued"][inside], begin), np.minimum(until[inside], end)])
    change = np.repeat([1, -1], inside.sum())
    order = np.lexsort((change, times))
    number = np.cumsum(change[order])
    area = float((number[:-1] * np.diff(times[order])).sum())
    assert area > 1000, "there is always something to do"
    assert abs(area - spent) < 1e-6, "the same sum in another order, to rounding"
    for tick, counted in seen.items():
        by_ledger = int(((rows["queued"] < tick) & (until >= tick)).sum())
        assert tick < 0 or counted == by_ledger, (
            f"hour {tick}: {counted} in queues and hands, {by_ledger} by the ledger"
        )
