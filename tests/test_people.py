"""People: strain, fatigue, burnout, absence, quits and ramp by hand; and a whole day by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest
from scipy import stats
from small import NOTHING_HAPPENS, rows_where, run, small_inputs

from sim.model import staff
from sim.model.agenda import Agenda
from sim.model.center_state import opening_state
from sim.model.contact_center import ContactCenter
from sim.model.inputs import PeopleRules
from sim.model.kinds import Kind
from sim.model.ledger import HIRED, OUTCOMES, QUIT
from sim.model.luck import Luck, key_of
from sim.model.queue import NO_MORE, Contact, records

RULES = PeopleRules(
    after_hours_weight=0.5,
    after_hours_reference=0.15,
    occupancy_weight=0.3,
    occupancy_floor=0.7,
    overdue_weight=0.2,
    fatigue_weeks=3,
    burnout_up_weeks=8,
    burnout_down_weeks=16,
    quit_factor=2.5,
    absence_factor=1.6,
    slower_at_full_burnout=0.07,
    unresolved_at_full_burnout=0.05,
)


def strain(after: float, duty: float, reactive: float, overdue: float, starts: float) -> float:
    arrays = [np.array([float(value)]) for value in (after, duty, reactive, overdue, starts)]
    return float(staff.strain(*arrays, RULES)[0])


@pytest.mark.parametrize(
    ("day", "by_hand"),
    [
        ((0, 0, 0, 0, 0), 0.0),  # a day off
        ((0, 8, 0, 0, 0), 0.0),  # planned work inside contracted hours only
        ((0, 8, 5.6, 0, 10), 0.0),  # customers' contacts for 70 % of the day
        ((0, 8, 6.8, 0, 10), 0.15),  # 85 %: half way from 70 % to the whole day
        ((0, 8, 9.0, 0, 10), 0.3),  # more than the whole day counts as the whole day
        ((0, 8, 0, 5, 10), 0.1),  # half of them overdue
        ((0.4, 7.6, 0, 0, 0), 0.5 * 0.05 / 0.15),  # 5 % of the hours after the shift's end
        ((1.2, 6.8, 6.8, 10, 10), 1.0),  # everything at its worst
        ((4, 4, 4, 4, 4), 1.0),  # beyond the worst is the worst
    ],
)
def test_a_days_strain_by_hand(day: tuple[float, ...], by_hand: float) -> None:
    assert strain(*day) == pytest.approx(by_hand, abs=1e-12), "after hours, reactive occupancy and overdue, weighted"


def test_fatigue_and_burnout_after_a_week_by_hand() -> None:
    fatigue, burnout = staff.next_condition(
        np.array([0.2, 0.8]), np.array([0.1, 0.9]), np.array([1.0, 0.0]), np.array([1.0, 1.0]), RULES
    )
    tired = [1 - 0.8 * exp(-1 / 3), 0.8 * exp(-1 / 3)]
    burnt = [tired[0] + (0.1 - tired[0]) * exp(-1 / 8), tired[1] + (0.9 - tired[1]) * exp(-1 / 16)]
    assert fatigue == pytest.approx(tired, abs=1e-14), "fatigue follows the strain with its three weeks"
    assert burnout == pytest.approx(burnt, abs=1e-14), "burnout rises in eight weeks, falls in sixteen"


def test_five_days_are_a_week() -> None:
    start = np.array([0.3]), np.array([0.3])
    fatigue = start[0]
    for _ in range(5):
        fatigue, _ = staff.next_condition(fatigue, start[1], np.array([0.6]), np.array([0.2]), RULES)
    once, _ = staff.next_condition(*start, np.array([0.6]), np.array([1.0]), RULES)
    assert fatigue == pytest.approx(once, abs=1e-14), "the step is exact, so that its length does not matter"


def test_burnout_rises_faster_than_it_falls_and_stays_in_zero_to_one() -> None:
    one, zero, week = np.ones(1), np.zeros(1), np.ones(1)
    up = staff.next_condition(one, one / 2, one, week, RULES)[1] - 0.5
    down = 0.5 - staff.next_condition(zero, one / 2, zero, week, RULES)[1]
    assert up > 1.5 * down > 0, "eight weeks up, sixteen down"
    values = Luck(1, 0).uniforms(("f", "b", "s"), key_of(np.arange(1000), 1))
    for _ in range(300):
        values[0], values[1] = staff.next_condition(*values, np.full(1000, 0.2), RULES)
    assert np.abs(values[:2] - values[2]).max() < 0.03, (
        "after sixty weeks both are where the strain is (e^-60/16 = 0.02)"
    )


def test_chances_of_quits_and_absence_by_hand() -> None:
    n = 100_000
    u = Luck(1, 0).uniform("quit", key_of(np.arange(n), 1))
    for burnout in (0.0, 1.0):
        p = 1 - exp(-0.01 * (1 + 1.5 * burnout))
        low, high = stats.binom.ppf([0.0005, 0.9995], n, p)
        found = int(staff.quits(u, 0.01, np.full(n, burnout), RULES).sum())
        assert low <= found <= high, f"{found} quits at burnout {burnout}, not {low:.0f} to {high:.0f}"
    calm, burnt = (staff.quits(u, 0.01, np.full(n, b), RULES) for b in (0.0, 1.0))
    assert (calm <= burnt).all(), "who quits without burnout quits with it"
    found = staff.absence_probability(np.array([0.1, 0.1, 0.9]), np.array([0.0, 1.0, 1.0]), RULES)
    assert found == pytest.approx([0.1, 0.16, 1.0]), "at full burnout 1.6 times as often, never more than always"


def test_ramp_and_work_factors_by_hand() -> None:
    speeds = [staff.ramp_speed(time, 100.0, 400.0, 0.5) for time in (100.0, 300.0, 500.0, 9999.0)]
    assert speeds == [0.5, 0.75, 1.0, 1.0], "linear from the start speed to 1"
    assert staff.ramp_speed(100.0, 100.0, 0.0, 0.5) == 1.0, "without a ramp everybody is fast at once"
    assert staff.work_factors(0.0, 1.0, RULES) == (1.0, 1.0), "calm and experienced: the plain numbers"
    slower, resolves = staff.work_factors(0.5, 0.5, RULES)
    assert slower == pytest.approx(1.035 / 0.5), "half speed, and half of the 7 %"
    assert resolves == pytest.approx(0.975), "half of the 5 %"


def day_of(
    contacts: list[tuple[float, float, bool]], *, shrinkage: float = 0.0, limit: float = 1.0, overtime: bool = True
) -> tuple[list[tuple[float, float, str]], Any]:
    """One person's Monday from 9 to 17. contacts : (arrival, hours, urgent), planned work due on Friday.

    Returns (started, ended, outcome) in the order in which they ended, and the person.
    """
    phase = small_inputs(
        {
            "teams.csm.shrinkage": shrinkage,
            "teams.csm.overtime_limit_hours_per_day": limit,
            "teams.csm.shift": {"days": ["mon"], "start": "09:00", "end": "17:00"},
            "mechanisms.overtime": overtime,
        }
    ).phases[0]
    phase = replace(phase, teams=phase.teams[:1])
    agenda = Agenda(0.0)
    state = opening_state(phase, (0,), (0.0,), 0.0)
    center = ContactCenter(agenda, phase, state)
    made = []
    for key, (time, hours, urgent) in enumerate(contacts):
        kind = Kind(
            cell=0, team=0, category=0, channel=0, customer=False, planned=True, urgent=urgent, level=5, live=False,
            target_hours=9.0, mean_hours=hours, resolution=1.0,
        )  # fmt: skip
        made.append(
            Contact(
                key=key, account=0, kind=kind, attempt=0, owner=-1, born=time, due=100.0, expires=1e9, draw=1.0,
                u_resolve=0.5, patience=1.0, attempts=NO_MORE, row=0,
            )
        )  # fmt: skip
    center.expect(made)
    center.day.plan_shifts(0.0, 24.0, phase)
    agenda.run_to(24.0)
    done = records(state.finished)[["started", "ended", "outcome"]].tolist()
    return [(start, end, OUTCOMES[outcome]) for start, end, outcome in done], state.teams[0].agents[0]


def test_a_day_by_hand_one_after_another() -> None:
    done, person = day_of([(8.0, 2.0, False), (8.5, 1.0, False), (13.0, 0.5, False)])
    assert done == [(9.0, 11.0, "resolved"), (11.0, 12.0, "resolved"), (13.0, 13.5, "resolved")], (
        "what came before the shift starts with it, one after another; who is idle starts at once"
    )
    assert (person.handling_hours, person.overtime_hours, person.contracted_hours) == (3.5, 0.0, 8.0), "hours by hand"


def test_schedulable_work_that_does_not_fit_waits_and_a_shorter_one_goes_first() -> None:
    done, _ = day_of([(8.0, 6.0, False), (8.1, 3.0, False), (8.2, 1.5, False)])
    assert done == [(9.0, 15.0, "resolved"), (15.0, 16.5, "resolved")], "two hours are left: three do not fit, 1.5 do"


def test_urgent_work_runs_over_and_is_begun_until_the_limit_after_the_shift() -> None:
    work = [(8.0, 7.5, False), (8.1, 1.0, True), (8.2, 0.5, True), (8.3, 0.5, True), (8.4, 0.25, False)]
    done, person = day_of(work)
    assert done[0][:2] == (9.0, 16.5), "the first fills the day until half past four"
    assert [row[:2] for row in done[1:]] == [(16.5, 17.5), (17.5, 18.0), (18.0, 18.5)], (
        "urgent work is begun until one hour after the shift, at 18:00 the last; what is not urgent is not begun"
    )
    assert person.overtime_hours == 1.5, "half an hour of the first, and both others"
    done, person = day_of(work, limit=0.75)
    assert [row[0] for row in done] == [9.0, 16.5, 17.5], "none is begun later than three quarters of an hour after"
    done, person = day_of(work, overtime=False)
    assert [row[0] for row in done] == [9.0, 16.5], "without overtime nothing is begun that runs over"
    assert person.overtime_hours == 0.0, "so there is none"


def test_the_break_is_taken_after_the_contact_in_hand_and_lasts_its_share_of_the_shift() -> None:
    golden = 0.6180339887498949
    begins = 9 + 8 * 0.75 * (0.1 + 0.8 * golden)
    done, person = day_of([(9.0, 0.5, False)], shrinkage=0.25)
    assert done[0][:2] == (9.0, 9.5), "before the break"
    assert person.duty_hours - person.away_hours == pytest.approx(6.0), "a quarter of eight hours"
    done, person = day_of([(begins - 0.5, 1.0, False), (begins, 0.25, False)], shrinkage=0.25)
    assert done[0][0] == pytest.approx(begins - 0.5), "begun half an hour before the break"
    assert done[1][0] == pytest.approx(begins + 0.5 + 2.0), "the next one waits for the end of a break that began late"
    assert person.duty_hours - person.away_hours == pytest.approx(6.0), "late, but as long"


def test_overload_burns_people_out_and_relief_lets_them_recover() -> None:
    heavy = {
        "weeks": 40,
        "teams.support.opening_burnout": 0.1,
        "mechanisms.turnover": False,
        "categories.how_to.contacts_per_account_month": 20,
        "changes": [
            {
                "from": "2026-05-25",
                "set": {"categories.how_to.contacts_per_account_month": 0.1, "teams.support.headcount": 12},
            }
        ],
    }
    inputs = small_inputs(heavy)
    people = rows_where((history := run(inputs)).people_weeks, history.people_weeks["team"] == 1)
    people = rows_where(people, people["seat"] == 0)
    burnout = people["burnout"]
    assert burnout[19] > 0.4 > burnout[0], "after twenty weeks of overload"
    assert (np.diff(burnout[:19]) > 0).all(), "it rises week by week"
    assert burnout[39] < burnout[19], "and falls after it"
    off = run(small_inputs(heavy | {"mechanisms.burnout": False})).people_weeks
    assert (off["burnout"] == 0).all(), "switched off there is none"


def test_a_vacancy_is_filled_after_its_time_by_a_slow_and_unburdened_person() -> None:
    inputs = small_inputs(
        NOTHING_HAPPENS
        | {
            "weeks": 60,
            "mechanisms.turnover": True,
            "teams.csm.headcount": 4,
            "teams.csm.quit_rate_per_year": 3,
            "teams.csm.time_to_fill_weeks": 4,
        }
    )
    people = rows_where((history := run(inputs)).people_weeks, history.people_weeks["team"] == 0)
    quits = np.flatnonzero(people["event"] == QUIT)
    assert len(quits) >= 3, "several people quit"
    for row in quits.tolist():
        week, seat = people["week"][row], people["seat"][row]
        mine = rows_where(people, people["seat"] == seat)
        vacant = (mine["week"] >= week) & (mine["week"] < week + 4)
        assert not mine["employed"][vacant].any(), "the seat is vacant for the time to fill it"
        assert (mine["payroll_cost"][vacant] == 0).all(), "and costs nothing"
        later = mine["week"] == week + 4
        assert (mine["event"][later] == HIRED).all(), "then somebody is hired"
        assert (mine["occupant"][later] == people["occupant"][row] + 1).all(), "somebody else"
