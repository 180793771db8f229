"""Work waiting week by week, against the queues themselves; and the work that burnout costs, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kpi_tables import make_history
from small import NOTHING_HAPPENS, run, small_inputs

from sim.model import week_end
from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.model.ledger import HIRED, OPEN, QUIT
from sim.model.replication import Run
from sim.study.work_flow import work_flow, work_waiting


def test_work_waiting_by_hand() -> None:
    queued = np.array([0.0, 10.0, 30.0, 168.0])
    until = np.array([20.0, np.inf, 168.0, 170.0])
    found = work_waiting(queued, until, np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.0, 15.0, 168.0, 169.0]))
    assert found.tolist() == [0.0, 3.0, 6.0, 10.0], "just before each time, what queued before it and waits still"


@pytest.mark.parametrize("expiry", [True, False])
def test_waiting_work_is_that_of_the_queues_at_each_monday(expiry: bool) -> None:
    inputs = small_inputs(
        {
            "mechanisms.expiry": expiry,
            "categories.how_to.contacts_per_account_month": 12,
        }
    )
    firefight = inputs.categories.index("firefight")
    seen: dict[int, list[float]] = {}

    def looking(self: Run, week: int) -> Any:
        waiting = week_end.sweep(self.center, week * HOURS_PER_WEEK)
        seen[week] = [
            sum(
                contact.mean_hours
                for contact in waiting
                if contact.kind.team == team
                and (contact.kind.customer or (not expiry and contact.kind.category != firefight))
            )
            for team in range(len(inputs.teams))
        ]
        return end_week(self, week)

    end_week = Run._end_week
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "_end_week", looking)
        flow = work_flow(run(inputs), inputs)
    assert flow.waiting.shape == (2, inputs.weeks + 1), "the start of each week, and the end of the last"
    assert flow.waiting.max() > 20, "there are queues"
    for week in range(1, inputs.weeks + 1):
        assert flow.waiting[:, week] == pytest.approx(seen[week], rel=1e-5, abs=1e-4), (
            f"week {week}, hours of work by mean handle times (single precision)"
        )


def test_a_contacts_mean_time_is_that_of_the_day_on_which_it_was_born() -> None:
    change = {"from": "2026-01-12", "set": {"categories.how_to.handle_time_mean_minutes": 90}}
    inputs = small_inputs({"weeks": 3, "categories.how_to.handle_time_mean_minutes": 60, "changes": [change]})
    phone = inputs.channels.index("phone")
    waits = {"team": 1, "category": inputs.categories.index("how_to"), "channel": phone, "outcome": OPEN}
    contacts = [waits | {"born": hour, "queued": hour} for hour in (10.0, 170.0)]
    flow = work_flow(make_history(contacts=contacts), inputs)
    assert flow.waiting[1].tolist() == [0.0, 1.0, 2.5, 2.5], "an hour, and from the second week on an hour and a half"


PERSON: dict[str, Any] = {
    "team": 1, "week": 0, "contracted_hours": 40, "planned_hours": 30, "handling_hours": 30, "reactive_hours": 30,
}  # fmt: skip


def two_weeks(**overrides: Any) -> Inputs:
    return small_inputs({"weeks": 2, "teams.support.opening_burnout": 0.2} | overrides)


def lost(people: list[dict[str, Any]], inputs: Inputs, contacts: list[dict[str, Any]] | None = None) -> list[float]:
    flow = work_flow(make_history(people=people, contacts=contacts), inputs)
    found: list[float] = flow.lost[1].tolist()
    return found


def test_slower_work_counts_only_above_the_openings_burnout() -> None:
    assert lost([PERSON | {"burnout": 0.2}], two_weeks()) == pytest.approx([0, 0], abs=1e-6), "as at the opening"
    assert lost([PERSON | {"burnout": 0.1}], two_weeks()) == [0, 0], "fresher is no gain"
    by_hand = 30 * (1 - (1 + 0.07 * 0.2) / (1 + 0.07 * 0.7))
    assert lost([PERSON | {"burnout": 0.7}], two_weeks())[0] == pytest.approx(by_hand, rel=1e-6), (
        "30 hours would have taken less at the opening's burnout"
    )
    off = two_weeks(**{"mechanisms.burnout": False})
    assert lost([PERSON | {"burnout": 0.0}], off) == [0, 0], "there is none without the mechanism"


def test_matters_that_come_back_count_by_the_share_that_burnout_left_unresolved() -> None:
    resolved = [{"team": 1, "queued": 0.0, "started": 1.0, "ended": 2.0, "outcome": 0}]
    slower = lost([PERSON | {"burnout": 0.7}], two_weeks())[0]
    by_hand = 30 * 0.05 * 0.5 * 0.8  # of what would have been resolved, all of it here, times those who come back
    assert lost([PERSON | {"burnout": 0.7}], two_weeks(), resolved)[0] - slower == pytest.approx(by_hand, rel=1e-5)
    no_repeats = two_weeks(**{"mechanisms.repeats": False})
    assert lost([PERSON | {"burnout": 0.7}], no_repeats, resolved)[0] == pytest.approx(slower, rel=1e-6)


def test_absence_counts_by_the_share_that_burnout_brings() -> None:
    person = PERSON | {"burnout": 0.7, "handling_hours": 0, "reactive_hours": 0, "absent_hours": 8}
    share = 1 - (1 + 0.6 * 0.2) / (1 + 0.6 * 0.7)
    assert lost([person], two_weeks())[0] == pytest.approx(8 * 0.75 * share, rel=1e-6), (
        "a day less its planned shrinkage"
    )


def test_seats_empty_or_in_training_after_a_quit_count_by_the_share_of_quits_that_burnout_brings() -> None:
    calm = {"handling_hours": 0, "reactive_hours": 0}
    share = 1 - (1 + 1.5 * 0.2) / (1 + 1.5 * 0.7)
    empty = {"contracted_hours": 0, "planned_hours": 0, "employed": False}
    training = {"contracted_hours": 40, "planned_hours": 0}
    there = [PERSON | calm | {"seat": 0, "week": week, "burnout": 0.7} for week in (0, 1)]
    quit_and_hired = [
        PERSON | calm | empty | {"seat": 1, "week": 0, "event": QUIT},
        PERSON | calm | training | {"seat": 1, "week": 1, "event": HIRED, "burnout": 0.7},
    ]
    inputs = two_weeks()
    assert lost([*there, *quit_and_hired], inputs) == pytest.approx([30 * share, 30 * share], rel=1e-6), (
        "a person's 30 hours of work, in the week without anybody and in that of training"
    )
    never = [row | {"event": 0} for row in quit_and_hired]
    assert lost([*there, *never], inputs) == [0, 0], "a seat that is empty without a quit is not the load's doing"


def test_burnout_is_the_mean_of_those_employed() -> None:
    people = [
        PERSON | {"seat": 0, "burnout": 0.6},
        PERSON | {"seat": 1, "burnout": 0.2},
        PERSON | {"seat": 2, "burnout": 0.9, "employed": False},
    ]
    flow = work_flow(make_history(people=people), two_weeks())
    assert flow.burnout[1].tolist() == pytest.approx([0.4, 0.0]), "and 0 where there is nobody"


def test_a_company_in_which_nothing_happens_has_no_waiting_work_without_end() -> None:
    inputs = small_inputs(NOTHING_HAPPENS | {"mechanisms.expiry": True})
    flow = work_flow(run(inputs), inputs)
    assert flow.lost.max() == 0, "no burnout, nothing lost"
