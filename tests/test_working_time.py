"""Working time by hand: what is paid, who is on duty, and what becomes of work when a shift ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from days import ONE_DAY, contact, days_of
from small import AROUND_THE_CLOCK, NOTHING_HAPPENS, rows_where, run, small_inputs

from sim.model import week_end
from sim.model.center_state import opening_state
from sim.model.contact_center import ContactCenter
from sim.model.ledger import OPEN
from sim.model.luck import Luck
from sim.model.people_tick import plan_leave
from sim.model.queue import records
from sim.model.staff import AWAY
from sim.model.staffing import quit_job

NIGHT = {
    "days": ["mon", "tue", "wed", "thu", "sun"],
    "start": "22:00",
    "end": "24:00",
    "also": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "00:00", "end": "06:00"}],
}
LATE = {"days": ONE_DAY["days"], "start": "12:00", "end": "20:00"}


def hours(days: str, start: str, end: str, *also: dict[str, Any]) -> dict[str, Any]:
    """The hours of a shift; also : more of them."""
    return {"days": days.split(), "start": start, "end": end} | ({"also": list(also)} if also else {})


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Hours to a billionth: the clock adds delays to its time."""
    return [tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in rows]


# --- when the shift ends ------------------------------------------------------------------------------------


def test_finish_works_on_after_the_shift() -> None:
    days = days_of([contact(1, 16.0, 2.0, usual_hours=1.0)], {}, 48.0)
    assert rounded(days.done) == [(1, 16.0, 18.0, 2.0, 0, "resolved")]
    assert days.agents[0].overtime_hours == 1.0, "until six o'clock"


def test_pause_takes_it_up_first_at_the_next_shift_with_what_is_left() -> None:
    work = [contact(1, 16.0, 2.0, usual_hours=1.0), contact(2, 20.0, 1.0, due=1.0)]
    days = days_of(work, {"at_shift_end": "pause"}, 48.0)
    assert rounded(days.done) == [(1, 16.0, 34.0, 2.0, 0, "resolved"), (2, 34.0, 35.0, 1.0, 0, "resolved")], (
        "one hour on Monday, one from nine on Tuesday, before what has long been due"
    )
    assert days.agents[0].overtime_hours == 0.0, "nobody stays longer"
    assert days.agents[0].handling_hours == 3.0


def test_pause_stops_as_often_as_it_takes() -> None:
    days = days_of([contact(1, 9.0, 20.0, usual_hours=1.0)], {"at_shift_end": "pause"}, 72.0)
    assert rounded(days.done) == [(1, 9.0, 61.0, 20.0, 0, "resolved")], "eight hours, eight hours and four"


def test_pause_at_another_speed_takes_as_much_longer() -> None:
    def tire(center: ContactCenter) -> None:
        center.teams[0].agents[0].burnout = 1.0

    team = {"at_shift_end": "pause"}
    days = days_of([contact(1, 16.0, 2.0, usual_hours=1.0)], team, 48.0, later={32.0: tire})
    slower = 1 + days.center.phase.people.slower_at_full_burnout
    ((_, _, ended, worked, _, _),) = days.done
    assert ended == pytest.approx(33 + slower), "the hour that was left takes longer"
    assert worked == pytest.approx(1 + slower)


def test_pause_and_hand_over_never_put_a_live_customer_down_who_would_have_to_wait() -> None:
    for team in ({"at_shift_end": "pause"}, {"at_shift_end": "hand_over", "hand_over_minutes": 15}):
        days = days_of([contact(1, 16.5, 2.0, live=True)], team, 48.0)
        assert rounded(days.done) == [(1, 16.5, 18.5, 2.0, 0, "resolved")], f"finished: {team}"
        assert days.agents[0].overtime_hours == 1.5


def two_shifts(**team: Any) -> dict[str, Any]:
    """Somebody from nine to five and somebody from twelve to eight, who hand over within a quarter of an hour."""
    late = {"people": 1, "shift": LATE}
    usual = {"headcount": 2, "groups": {"late": late}, "at_shift_end": "hand_over", "hand_over_minutes": 15}
    return usual | team


def test_hand_over_gives_what_is_left_and_the_time_to_explain_it_to_an_idle_colleague() -> None:
    for live in (False, True):
        days = days_of([contact(1, 12.5, 5.5, usual_hours=1.0, live=live)], two_shifts(), 48.0)
        assert rounded(days.done) == [(1, 12.5, 18.25, 5.75, 0, "resolved")], (
            f"begun by seat 1, which is idle longest; from five on in the hands of seat 0; live: {live}"
        )
        assert [agent.handling_hours for agent in days.agents] == [1.25, 4.5], "each has its own hours"
        assert days.agents[1].overtime_hours == 0.0


def test_hand_over_of_a_live_customer_needs_somebody_who_has_time() -> None:
    work = [contact(1, 12.5, 5.5, live=True), contact(2, 13.0, 6.0, usual_hours=1.0)]
    days = days_of(work, two_shifts(), 48.0)
    assert rounded(days.done)[0] == (1, 12.5, 18.0, 5.5, 1, "resolved"), "the colleague is busy until seven: finished"
    assert days.agents[1].overtime_hours == 1.0


def test_hand_over_to_nobody_waits_at_the_head_of_the_teams_queue() -> None:
    work = [contact(1, 16.0, 2.0, usual_hours=1.0), contact(2, 17.5, 0.5, due=1.0)]
    days = days_of(work, {"at_shift_end": "hand_over", "hand_over_minutes": 15}, 48.0)
    assert rounded(days.done) == [(1, 16.0, 34.25, 2.25, 0, "resolved"), (2, 34.25, 34.75, 0.5, 0, "resolved")]


def test_what_was_put_down_goes_to_the_team_if_its_person_does_not_come() -> None:
    def fall_ill(center: ContactCenter) -> None:
        center.teams[0].agents[0].absent_days = frozenset([1])

    def go_on_leave(center: ContactCenter) -> None:
        center.teams[0].agents[0].leave_weeks = frozenset([0])

    def quit(center: ContactCenter) -> None:
        quit_job(center, center.teams[0].agents[0], 20.0)

    team = {"headcount": 2, "at_shift_end": "pause"}
    for what in (fall_ill, go_on_leave, quit):
        work = [contact(1, 16.0, 2.0, usual_hours=1.0), contact(2, 16.0, 0.5), contact(3, 20.0, 1.0, due=1.0)]
        days = days_of(work, team, 48.0, later={20.0: what})
        assert rounded(days.done)[1:] == [(1, 16.0, 34.0, 2.0, 1, "resolved"), (3, 34.0, 35.0, 1.0, 1, "resolved")], (
            f"the colleague takes it up first on Tuesday: {what.__name__}"
        )


def test_a_day_off_is_no_reason_to_take_somebodys_work_away() -> None:
    team = {"headcount": 2, "at_shift_end": "pause", "closed_days": ["2026-01-06"]}
    work = [contact(1, 16.0, 2.0, usual_hours=1.0), contact(2, 16.0, 0.5)]
    days = days_of(work, team, 72.0)
    assert rounded(days.done)[1:] == [(1, 16.0, 58.0, 2.0, 0, "resolved")], "on Wednesday, by the same person"


def test_what_was_begun_is_finished_although_its_account_leaves_and_its_window_passes() -> None:
    def leave(center: ContactCenter) -> None:
        week_end.withdraw(center, {1, 2}, week_end.sweep(center, 20.0), 20.0)

    for team in ({"at_shift_end": "pause"}, {"at_shift_end": "hand_over", "hand_over_minutes": 0}):
        work = [contact(1, 16.0, 2.0, usual_hours=1.0), contact(2, 18.0, 1.0)]
        work[0].expires = 24.0
        days = days_of(work, team, 48.0, later={20.0: leave})
        assert rounded(days.done)[1:] == [(1, 16.0, 34.0, 2.0, 0, "resolved")], "begun: finished"
        assert days.done[0][0::5] == (2, "withdrawn"), "not begun: withdrawn"


def test_work_that_is_put_down_when_the_run_ends_is_open_with_the_hours_spent_on_it() -> None:
    for how in ("pause", "hand_over"):
        inputs = small_inputs(
            {
                "weeks": 5,
                "teams.support.at_shift_end": how,
                "teams.support.hand_over_minutes": 0 if how == "hand_over" else None,
                "categories.how_to.handle_time_mean_minutes": 200,
                "categories.how_to.channel_shares": {"email": 1.0},
                "categories.how_to.contacts_per_account_month": 14,
                "mechanisms.turnover": False,
                "mechanisms.absence": False,
            }
        )
        history = run(inputs)
        rows = rows_where(history.contacts, history.contacts["team"] == 1)
        begun = (rows["outcome"] == OPEN) & ~np.isnan(rows["started"])
        assert begun.sum() == 1, "on the last Friday evening the one agent had something in hand"
        assert 0 < rows["handle_minutes"][begun][0] <= 480, "with the working time spent on it"
        people = rows_where(history.people_weeks, history.people_weeks["team"] == 1)
        assert people["overtime_hours"].sum() == 0.0, "nothing is live here: nobody stays on"
        spent = rows["handle_minutes"][rows["ended"] > 0].sum() + rows["handle_minutes"][begun].sum()
        early = rows["handle_minutes"][rows["started"] < 0].sum()  # in part before the run
        assert abs(spent / 60 - people["handling_hours"].sum()) <= early / 60 + 1e-3


# --- who is there, and what is paid -------------------------------------------------------------------------


def test_part_timers_and_parts_of_a_person_come_and_are_paid_for_their_hours() -> None:
    half = {"people": 1, "hours_share": 0.5}
    days = days_of([], {"headcount": 3.25, "groups": {"half": half}}, 24.0)
    assert [agent.contracted_hours for agent in days.agents] == [4.0, 8.0, 8.0, 2.0], "the group, the rest, a quarter"
    assert [agent.on_duty_hours for agent in days.agents] == [4.0, 8.0, 8.0, 2.0]
    cost = days.center.phase.teams[0].cost_per_hour
    assert [agent.payroll_cost for agent in days.agents] == [hours * cost for hours in (4.0, 8.0, 8.0, 2.0)]
    late = days_of([contact(1, 13.5, 1.0)], {"headcount": 0.5}, 48.0)
    assert rounded(late.done) == [(1, 33.0, 34.0, 1.0, 0, "resolved")], "at half past one nobody is there"


def test_a_split_day_is_two_shifts_and_one_working_day() -> None:
    split = hours("mon", "09:00", "12:00", hours("mon", "15:00", "20:00"))
    work = [contact(1, 11.5, 1.0, urgent=True), contact(2, 13.0, 1.0)]
    days = days_of(work, {"shift": split}, 24.0)
    assert rounded(days.done) == [(1, 11.5, 12.5, 1.0, 0, "resolved"), (2, 15.0, 16.0, 1.0, 0, "resolved")]
    assert (days.agents[0].contracted_hours, days.agents[0].overtime_hours) == (8.0, 0.5), "over the first half's end"


def test_a_night_shift_goes_over_midnight_without_an_end() -> None:
    days = days_of([contact(1, 20.0, 3.0, usual_hours=1.0)], {"shift": NIGHT}, 48.0)
    assert rounded(days.done) == [(1, 22.0, 25.0, 3.0, 0, "resolved")]
    assert days.agents[0].overtime_hours == 0.0, "midnight is no end"
    assert days.agents[0].contracted_hours == 8.0 + 2.0, "Monday's night, and Tuesday's up to midnight"


def test_around_the_clock_there_is_no_end_but_on_a_day_of_absence() -> None:
    days = days_of([contact(1, 23.0, 2.0), contact(2, 47.0, 2.0)], {"shift": AROUND_THE_CLOCK}, 72.0)
    assert [row[1:3] for row in rounded(days.done)] == [(23.0, 25.0), (47.0, 49.0)], "an hour before midnight"
    assert days.agents[0].overtime_hours == 0.0
    assert days.agents[0].on_duty_hours == 72.0

    def fall_ill(center: ContactCenter) -> None:
        center.teams[0].agents[0].absent_days = frozenset([1])

    work = [contact(1, 23.0, 2.0), contact(2, 47.0, 2.0)]
    days = days_of(work, {"shift": AROUND_THE_CLOCK}, 72.0, before=fall_ill)
    assert [row[1:3] for row in rounded(days.done)] == [(48.0, 50.0), (50.0, 52.0)], "two hours do not fit before it"
    assert (days.agents[0].on_duty_hours, days.agents[0].absent_hours) == (48.0, 24.0)


def test_each_week_of_a_night_worker_has_the_hours_worked_in_it() -> None:
    inputs = small_inputs(NOTHING_HAPPENS | {"weeks": 3, "teams.csm.shift": NIGHT, "teams.csm.shrinkage": 0.25})
    people = rows_where((history := run(inputs)).people_weeks, history.people_weeks["team"] == 0)
    assert people["contracted_hours"].tolist() == [40.0] * 3, "two hours of Sunday's night, six of the one before"
    assert people["planned_hours"].tolist() == [30.0] * 3
    assert people["on_duty_hours"] == pytest.approx(30.0, abs=2.0), "a break may be in the other week"


def test_on_a_holiday_nobody_comes_and_everybody_is_paid() -> None:
    team = {"closed_days": ["2026-01-06"], "absence_days_per_year": 0}
    days = days_of([contact(1, 34.0, 1.0)], team, 72.0)
    assert rounded(days.done) == [(1, 57.0, 58.0, 1.0, 0, "resolved")], "Tuesday's waits for Wednesday"
    person = days.agents[0]
    assert (person.contracted_hours, person.planned_hours, person.on_duty_hours) == (24.0, 16.0, 16.0)
    assert person.absent_hours == 0.0, "a holiday is planned"
    assert days.center.phase.teams[0].hours.due(34.0, 1.0) == 58.0, "business hours stand still"


def test_meetings_take_the_whole_team_away_at_once() -> None:
    team = {"headcount": 2, "meetings": [{"days": ["mon"], "start": "10:00", "minutes": 60}]}
    work = [contact(1, 9.75, 0.5), contact(2, 10.1, 0.25), contact(3, 9.5, 2.0, urgent=True)]
    days = days_of(work, team, 24.0)
    assert rounded(days.done) == [
        (1, 9.75, 10.25, 0.5, 1, "resolved"),
        (2, 11.0, 11.25, 0.25, 1, "resolved"),
        (3, 9.5, 11.5, 2.0, 0, "resolved"),
    ], "who is busy comes late, or not at all; what comes meanwhile waits"
    assert [agent.on_duty_hours for agent in days.agents] == pytest.approx([8.0, 7.25]), "away for what was left of it"
    assert [agent.planned_hours for agent in days.agents] == [7.0, 7.0], "an hour is planned for it"


def test_a_meeting_at_the_start_and_a_break_in_a_meeting() -> None:
    meeting = {"days": ["mon"], "start": "08:30", "minutes": 60}
    early = {"days": ["mon"], "start": "08:00", "end": "12:00"}
    team = {"headcount": 2, "groups": {"early": {"people": 1, "shift": early}}, "meetings": [meeting]}
    days = days_of([contact(1, 9.0, 0.5)], team, 24.0)
    assert rounded(days.done) == [(1, 9.5, 10.0, 0.5, 0, "resolved")], "at nine both are in the meeting"
    assert [agent.on_duty_hours for agent in days.agents] == [3.0, 7.5], "who comes at nine joins it"
    long = {"days": ["mon"], "start": "09:00", "minutes": 420}
    days = days_of([], {"meetings": [long], "shrinkage": 0.1}, 24.0)
    assert days.agents[0].on_duty_hours == pytest.approx(0.2), "the break comes after the meeting, as long as ever"


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_breaks_are_as_many_equal_blocks_one_in_each_part_of_the_day(blocks: int) -> None:
    seen: list[tuple[float, bool]] = []

    def look(center: ContactCenter) -> None:
        seen.append((center.agenda.time, center.teams[0].agents[0].state == AWAY))

    team = {"shrinkage": 0.2, "breaks_per_day": blocks}
    days = days_of([], team, 24.0, later={9 + minute / 60: look for minute in range(480)})
    assert days.agents[0].on_duty_hours == pytest.approx(6.4), "a fifth of eight hours"
    away = np.array([is_away for _, is_away in seen])
    begins = np.flatnonzero(np.diff(np.concatenate([[False], away]).astype(int)) == 1)
    assert len(begins) == blocks, "so many breaks"
    part = 480 / blocks
    assert (begins // part).tolist() == list(range(blocks)), "one in each part"
    golden = 0.6180339887498949
    first = 0.8 * part * (0.1 + 0.8 * golden)
    assert begins[0] == pytest.approx(first, abs=1), "at the place of the seat"
    assert away.sum() == pytest.approx(96, abs=blocks), "equally long together"


def test_planned_leave_is_whole_weeks_paid_and_no_matter_of_burnout() -> None:
    base = NOTHING_HAPPENS | {"weeks": 104, "accounts.warm_up_weeks": 0, "teams.csm.headcount": 8}
    base |= {"teams.csm.leave_days_per_year": 26, "teams.csm.shrinkage": 0.25}

    def people_with(more: dict[str, Any]) -> Any:
        history = run(small_inputs(base | more))
        return rows_where(history.people_weeks, history.people_weeks["team"] == 0)

    people = people_with({})
    off = people["planned_hours"] == 0
    assert set(people["planned_hours"].tolist()) == {0.0, 30.0}, "whole weeks"
    assert (people["on_duty_hours"][off] == 0).all(), "nobody comes"
    assert (people["contracted_hours"] == 40).all(), "everybody is paid"
    assert (people["absent_hours"] == 0).all(), "planned leave is no absence"
    weeks = 26 / 5 * 52 / (365.25 / 7)
    of_year = [off[(people["seat"] == seat) & (people["week"] // 52 == year)] for seat in range(8) for year in (0, 1)]
    assert {int(one.sum()) for one in of_year} == {int(weeks), int(weeks) + 1}, f"{weeks:.2f} of 52: five or six"
    hot = people_with({"mechanisms.burnout": True, "teams.csm.opening_burnout": 0.9})
    assert (hot["planned_hours"] == people["planned_hours"]).all(), "burnt out or not, the same weeks"
    more = people_with({"teams.csm.leave_days_per_year": 40})
    assert (more["planned_hours"][off] == 0).all(), "more leave keeps the weeks of less"


def test_leave_has_its_mean_and_spreads_over_the_year() -> None:
    inputs = small_inputs({"teams.csm.headcount": 400, "teams.csm.leave_days_per_year": 11})
    phase, luck = inputs.phases[0], Luck(1, 0)
    teams = opening_state(phase, (0, 0), (0.0, 0.0), 0.0).teams
    on_leave = np.zeros((400, 52))
    for week in range(52):
        plan_leave(teams, phase, luck, week)
        on_leave[:, week] = [week in agent.leave_weeks for agent in teams[0].agents]
    mean = 11 / 5 * 52 / (365.25 / 7)
    # 400 people who each have 2 or 3 weeks: a standard deviation of at most 0.5 / 20.
    assert abs(on_leave.sum(axis=1).mean() - mean) < 3.3 * 0.025, "the weeks that are granted, on average"
    # A binomial count of 400 with p = mean / 52 in each of 52 weeks, 99.9 % for all of them together: 4.3 deviations.
    p = mean / 52
    assert np.abs(on_leave.sum(axis=0) - 400 * p).max() < 4.3 * np.sqrt(400 * p * (1 - p)), "in no season more"


# --- condition ----------------------------------------------------------------------------------------------


SPLIT = hours("mon tue wed", "08:00", "11:00", hours("mon tue wed", "13:00", "18:00"))


THREE_DAYS = {"teams.csm.shift": hours("mon tue wed", "09:00", "17:00")}
EVERY_DAY = {"teams.csm.shift": hours("mon tue wed thu fri sat sun", "09:00", "17:00")}
ELSEWHERE = {"time_zone": "America/New_York", "teams.csm.time_zone": "Australia/Sydney"}


@pytest.mark.parametrize(
    ("working_time", "plain"),
    [
        ({"teams.csm.shift": NIGHT}, {}),
        ({"teams.csm.shift": SPLIT}, THREE_DAYS),
        ({"teams.csm.shift": AROUND_THE_CLOCK}, EVERY_DAY),
        ({"teams.csm.headcount": 0.5}, {}),
        (ELSEWHERE, {}),
        (ELSEWHERE | {"teams.csm.shift": NIGHT}, {}),
        ({"teams.csm.closed_days": ["2026-01-14", "2026-01-15"]}, {}),
        ({"teams.csm.leave_days_per_year": 150}, {}),
    ],
    ids=["nights", "split days", "around the clock", "half-time", "Sydney", "Sydney's nights", "days off", "leave"],
)
def test_a_week_without_strain_is_a_week_of_recovery_whatever_its_hours(
    working_time: dict[str, Any], plain: dict[str, Any]
) -> None:
    asked = ("how_to", "break_fix", "billing", "relationship")
    rested = NOTHING_HAPPENS | {"mechanisms.burnout": True, "teams.csm.opening_burnout": 0.8, "weeks": 6}
    rested |= {f"categories.{name}.contacts_per_account_month": 0 for name in asked} | {"playbooks": {}}
    usual, other = (run(small_inputs(rested | more)).people_weeks for more in (plain, working_time))
    falls = usual["burnout"][usual["team"] == 0]
    assert (np.diff([0.8, *falls]) < 0).all(), "without work burnout falls, week by week"
    # Six digits: a column of single precision.
    assert other["burnout"][other["team"] == 0] == pytest.approx(falls, rel=1e-6), "as much with other hours"


def test_nights_strain_as_much_as_days_with_the_same_work() -> None:
    def tired(shift: dict[str, Any], begins: float, until: float) -> tuple[float, float]:
        work = [contact(day, begins + 24 * day + 0.5, 8.5, live=True) for day in range(4)]
        person = days_of(work, {"shift": shift}, until).agents[0]
        return person.fatigue, person.burnout

    by_day = tired(ONE_DAY, 9.0, 120.0)
    assert by_day[0] > 0.1, "four days from half past nine to six"
    # A night counts at the midnight after it, when the next one has begun at the speed of before: 7 % at full burnout.
    assert tired(NIGHT, 22.0, 121.0) == pytest.approx(by_day, rel=1e-3), "four nights, each counted when it is over"


# --- nobody is there ----------------------------------------------------------------------------------------


def test_a_live_customer_who_finds_nobody_becomes_a_call_back_due_in_business_hours() -> None:
    split = hours("mon tue", "09:00", "12:00", hours("mon tue", "14:00", "17:00"))
    for time, due in ((8.0, 10.0), (12.5, 15.0), (18.0, 34.0)):
        days = days_of([contact(1, time, 0.5, live=True)], {"shift": split, "callback_target_minutes": 60}, 72.0)
        row = records(days.center.state.finished)
        assert row["live"].tolist() == [False], f"at {time} nobody is there"
        assert row["due"].tolist() == [due], "one business hour later"


def test_a_team_may_be_closed_for_weeks() -> None:
    closed = [f"2026-01-{day:02d}" for day in range(5, 24)]
    inputs = small_inputs({"weeks": 5, "accounts.warm_up_weeks": 1, "teams.support.closed_days": closed})
    history = run(inputs)
    people = rows_where(history.people_weeks, history.people_weeks["team"] == 1)
    assert people["on_duty_hours"].tolist()[:2] == [0.0, 0.0], "nobody for two weeks"
    assert people["contracted_hours"].tolist()[:3] == [40.0] * 3, "all paid"
    rows = rows_where(history.contacts, history.contacts["team"] == 1)
    assert not ((rows["started"] >= 0) & (rows["started"] < 24 * 19)).any(), "nothing is begun until 24 January"
    assert (rows["started"] >= 24 * 19).any(), "then it goes on"
    assert not rows["live"][(rows["queued"] >= 0) & (rows["queued"] < 24 * 19)].any(), "and nobody waits on the line"


# --- dated changes ------------------------------------------------------------------------------------------


def people_of(overrides: dict[str, Any]) -> Any:
    """The CSMs' weeks where nothing happens but their working time."""
    plain = NOTHING_HAPPENS | {"weeks": 3, "accounts.warm_up_weeks": 0, "teams.csm.shrinkage": 0}
    history = run(small_inputs(plain | overrides))
    return rows_where(history.people_weeks, history.people_weeks["team"] == 0)


def test_a_night_shift_that_has_begun_goes_on_when_other_hours_begin_at_midnight() -> None:
    change = {"from": "2026-01-07", "set": {"teams.csm.shift": hours("wed thu", "05:00", "13:00") | {"also": []}}}
    people = people_of({"teams.csm.shift": NIGHT, "changes": [change]})
    # Monday's and Tuesday's night, the second up to Wednesday 06:00, and days from 05:00 on Wednesday and Thursday.
    assert people["contracted_hours"].tolist()[0] == 8 + 8 + (13 - 6) + 8, "the hour from five to six is paid once"
    assert people["on_duty_hours"].tolist()[0] == 8 + 8 + (13 - 6) + 8


def test_around_the_clock_ends_when_its_hours_do() -> None:
    change = {"from": "2026-01-07", "set": {"teams.csm.shift": ONE_DAY | {"also": []}}}
    people = people_of({"teams.csm.shift": AROUND_THE_CLOCK, "changes": [change]})
    assert people["on_duty_hours"].tolist() == [48.0 + 24.0, 40.0, 40.0], "two days around the clock, then nine to five"


def test_who_is_let_go_in_the_middle_of_a_night_is_paid_up_to_then() -> None:
    change = {"from": "2026-01-07", "set": {"teams.csm.headcount": 1}}
    people = people_of({"teams.csm.shift": NIGHT, "teams.csm.headcount": 2, "changes": [change]})
    second = rows_where(people, people["seat"] == 1)
    assert second["contracted_hours"].tolist() == [8.0 + 2.0], "Monday's night, and Tuesday's up to midnight"
    assert second["on_duty_hours"].tolist() == [10.0]


def test_every_part_of_working_time_may_change_during_the_run() -> None:
    values = {
        "teams.csm.groups": {"part": {"people": 1, "hours_share": 0.5}},
        "teams.csm.meetings": [{"days": ["mon"], "start": "10:00", "minutes": 60}],
        "teams.csm.closed_days": ["2026-01-20"],
        "teams.csm.headcount": 1.5,
    }
    people = people_of({"changes": [{"from": "2026-01-12", "set": values}]})
    first, second = (rows_where(people, people["seat"] == seat) for seat in (0, 1))
    assert first["contracted_hours"].tolist() == [40.0, 20.0, 20.0]
    assert second["contracted_hours"].tolist() == [0.0, 20.0, 20.0], "half a person joins"
    assert first["planned_hours"].tolist() == [40.0, 19.0, 15.0], "with a meeting; then a day off too"


def test_a_night_that_old_rules_began_goes_on_over_a_shorter_day_of_new_ones() -> None:
    noon = {"days": ["mon", "tue"], "start": "12:00", "end": "24:00",
            "also": [{"days": ["tue", "wed"], "start": "00:00", "end": "12:00"}]}  # fmt: skip
    short = {"days": ["wed"], "start": "09:00", "end": "10:00", "also": []}
    inputs = small_inputs(
        {
            "weeks": 3,
            "teams.support.shift": noon,
            "teams.support.shrinkage": 0,
            "mechanisms.absence": False,
            "mechanisms.turnover": False,
            "accounts.weekday_profile": [1] * 7,
            "accounts.hour_profile": [1] * 24,
            "categories.how_to.contacts_per_account_month": 6,
            "categories.how_to.channel_shares": {"phone": 1.0},
            "changes": [{"from": "2026-01-14", "set": {"teams.support.shift": short}}],
        }
    )
    people = run(inputs).people_weeks
    mine = rows_where(people, people["team"] == 1)
    assert mine["contracted_hours"].tolist() == [48, 48, 1]
    assert mine["on_duty_hours"] == pytest.approx([48, 48, 1]), "there as long as they are paid: to noon on Wednesday"
