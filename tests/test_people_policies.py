"""People: training, hiring freezes, what overtime is spent on and its limits, recovery; by hand and over companies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import NOTHING_HAPPENS, rows_where, run, run_all, same_bits, small_inputs

from sim.model import staff, week_end
from sim.model.agenda import Agenda
from sim.model.center_state import opening_state
from sim.model.contact_center import ContactCenter
from sim.model.inputs import Inputs, Kind, RecoveryRules
from sim.model.ledger import HIRED, QUIT, History, Table
from sim.model.luck import name_key
from sim.model.queue import NO_MORE, Contact, Line, Queue, records
from sim.study.kpi_costs import costs
from sim.study.kpi_parts import Span

WEEK = 168.0
ROUNDING_HOURS = 1e-9
CSM = 0


def csm_weeks(history: History, seat: int) -> Table:
    rows = history.people_weeks
    return rows_where(rows, (rows["team"] == CSM) & (rows["seat"] == seat))


# --- training -------------------------------------------------------------------------------------------------


def test_a_new_person_is_paid_and_takes_no_contacts_until_trained_while_the_team_covers_the_accounts() -> None:
    inputs = small_inputs(
        NOTHING_HAPPENS
        | {
            "teams.csm.headcount": 2,
            "teams.csm.training_weeks": 1.4,  # seven working days: from a Wednesday to the Thursday of the week after
            "teams.csm.shrinkage": 0.25,
            "changes": [{"from": "2026-01-14", "set": {"teams.csm.headcount": 3}}],
        }
    )
    history = run(inputs)
    person = csm_weeks(history, 2)
    assert person["week"][0] == 1, "hired on the Wednesday of week 1"
    assert person["contracted_hours"][:3].tolist() == [24.0, 40.0, 40.0], "paid from the first day"
    assert person["planned_hours"][:3].tolist() == [0.0, 6.0, 30.0], "planned work counts on the person from Friday on"
    assert person["on_duty_hours"][0] == 0.0, "training is no time on duty"
    assert 0 < person["on_duty_hours"][1] <= 6.0, "one day, less the break"
    contacts = history.contacts
    trained = 24.0 * (2 * 7 + 4) + 9
    mine = (contacts["team"] == CSM) & (contacts["seat"] == 2)
    assert contacts["started"][mine].min() >= trained, "no contact is taken before the training is over"
    owned = np.flatnonzero(history.accounts["seat"] == 2)
    assert len(owned) > 3, "the new person has accounts"
    early = (contacts["team"] == CSM) & np.isin(contacts["account"], owned)
    early &= (contacts["queued"] >= 24.0 * 9) & (contacts["started"] < trained)
    assert set(contacts["seat"][early].tolist()) == {0, 1}, "the others take what comes for them meanwhile"
    planned = ~np.isin(np.asarray(inputs.initiated_by)[contacts["category"]], ["customer"])
    assert (early & planned).any(), "planned work too"


def test_training_of_a_part_of_a_day_counts_as_the_nearer_end() -> None:
    agent = staff.Agent(0, 0, 0.0, name_key("csm"), Queue(Line()))
    for weeks, days in ((0.0, 0), (0.05, 0), (0.15, 1), (0.2, 1), (4.2, 21), (4.29, 21), (52.0, 260)):
        agent.training_weeks_left = weeks
        assert sum(staff.trains(agent, 0.2) for _ in range(300)) == days, f"{weeks} weeks of five days"


# --- hiring freeze --------------------------------------------------------------------------------------------

FREEZE: dict[str, Any] = NOTHING_HAPPENS | {
    "weeks": 30,
    "mechanisms.turnover": True,
    "teams.csm.headcount": 4,
    "teams.csm.quit_rate_per_year": 2,
    "teams.csm.time_to_fill_weeks": 4,
}
FROZEN = [
    {"from": "2026-02-02", "set": {"teams.csm.hiring_freeze": True}},  # week 4
    {"from": "2026-02-11", "set": {"teams.csm.headcount": 5}},
    {"from": "2026-04-15", "set": {"teams.csm.hiring_freeze": False}},  # a Wednesday; the next tick begins week 15
]
FIRST_FROZEN, FIRST_TICK_AFTER = 4, 15


def frozen_and_not() -> tuple[History, History, Inputs]:
    inputs = small_inputs(FREEZE | {"changes": FROZEN})
    free = small_inputs(FREEZE | {"changes": [FROZEN[1]]})
    return (*run_all(free, [inputs, free]), inputs)


def test_nobody_is_hired_during_a_freeze_and_seats_vacant_long_enough_are_filled_at_the_tick_after_it() -> None:
    history, free, _ = frozen_and_not()
    people = rows_where(history.people_weeks, history.people_weeks["team"] == CSM)
    hired = people["week"][people["event"] == HIRED]
    assert not ((hired >= FIRST_FROZEN) & (hired < FIRST_TICK_AFTER)).any(), "nobody is hired while it holds"
    freely = free.people_weeks["week"][(free.people_weeks["team"] == CSM) & (free.people_weeks["event"] == HIRED)]
    assert ((freely >= FIRST_FROZEN) & (freely < FIRST_TICK_AFTER)).any(), "without it somebody would have been"
    waiting = 0
    for seat in range(4):
        mine = csm_weeks(history, seat)
        for week in mine["week"][(mine["event"] == QUIT) & (mine["week"] < FIRST_TICK_AFTER)].tolist():
            after = (mine["week"] >= week) & (mine["event"] == HIRED)
            filled = max(week + 4, FIRST_TICK_AFTER) if week + 4 >= FIRST_FROZEN else week + 4
            assert mine["week"][after][0] == filled, f"seat {seat}, vacant from week {week} on"
            waiting += filled == FIRST_TICK_AFTER
    assert waiting >= 2, "several seats wait for the freeze to end"
    same = [rows_where(table, table["week"] < FIRST_FROZEN) for table in (history.people_weeks, free.people_weeks)]
    assert not same_bits(*same), "before the freeze nothing differs"


def test_a_seat_opened_during_a_freeze_stays_vacant_without_accounts_until_somebody_is_hired() -> None:
    history, _, inputs = frozen_and_not()
    seat = csm_weeks(history, 4)
    assert seat["week"][0] == 5, "it is opened on its date"
    vacant = seat["week"] < FIRST_TICK_AFTER
    assert not seat["employed"][vacant].any(), "and stays vacant"
    assert (seat["occupant"][vacant] == -1).all(), "nobody has had it"
    assert (seat["payroll_cost"][vacant] == 0).all(), "it costs nothing"
    first = int(np.flatnonzero(~vacant)[0])
    assert (seat["week"][first], seat["event"][first], seat["occupant"][first]) == (FIRST_TICK_AFTER, HIRED, 0)
    moved = history.account_events["time"][history.account_events["event"] == 3]
    assert (moved == FIRST_TICK_AFTER * WEEK).any(), "accounts move to the new person on the day of hiring"
    spent = costs(history, inputs, Span(0, inputs.weeks)).table[CSM]
    quit_before = int((history.people_weeks["event"] == HIRED).sum()) - 1
    cost = inputs.phases[0].teams[CSM].hiring_cost
    assert spent[-3] == pytest.approx(cost), "the new seat is hiring"
    assert spent[-2] == pytest.approx(cost * quit_before), "the others are turnover"


def test_a_freeze_from_the_start_leaves_opening_vacancies_open() -> None:
    values = NOTHING_HAPPENS | {"teams.csm.headcount": 3, "teams.csm.opening_vacancies": 1, "weeks": 20}
    free, frozen = (run(small_inputs(values | {"teams.csm.hiring_freeze": on})) for on in (False, True))
    assert csm_weeks(free, 2)["employed"].any(), "nine weeks later the seat is filled"
    assert not csm_weeks(frozen, 2)["employed"].any(), "not while hiring is frozen"


# --- overtime -------------------------------------------------------------------------------------------------


def week_of(
    contacts: list[tuple[float, float, bool]], overrides: dict[str, Any], burnout: float = 0.0, days: int = 5
) -> tuple[list[tuple[float, float]], Any, ContactCenter]:
    """One person's week, Mondays to Fridays from 9 to 17. contacts : (arrival, hours, urgent), all planned work.

    Returns (started, ended) in the order in which they ended, the person, and the centre.
    """
    values = NOTHING_HAPPENS | {"mechanisms.overtime": True, "teams.csm.shrinkage": 0} | overrides
    phase = small_inputs(values).phases[0]
    phase = replace(phase, teams=phase.teams[:1])
    agenda = Agenda(0.0)
    state = opening_state(phase, (0,), (burnout,), 0.0)
    center = ContactCenter(agenda, phase, state)
    made = []
    for key, (time, hours, urgent) in enumerate(contacts):
        kind = Kind(
            cell=0, team=0, category=0, channel=0, customer=False, planned=True, urgent=urgent, level=5, live=False,
            target_hours=9.0, mean_hours=hours, resolution=1.0,
        )  # fmt: skip
        made.append(
            Contact(
                key=key, account=0, kind=kind, attempt=0, owner=-1, born=time, due=1000.0, expires=1e9, draw=1.0,
                u_resolve=0.5, patience=1.0, attempts=NO_MORE, row=0,
            )
        )  # fmt: skip
    center.expect(made)
    center.day.plan_shifts(0.0, 24.0 * days, phase)
    agenda.run_to(24.0 * days)
    week_end.count_all(center, 24.0 * days)
    done = records(state.finished)[["started", "ended"]].tolist()
    return [(start, end) for start, end in done], state.teams[0].agents[0], center


URGENT_EVENING = [(8.0, 7.5, False), (8.1, 1.0, True), (8.2, 0.5, True), (8.3, 0.5, True)]


def test_overtime_that_finishes_a_contact_and_overtime_on_the_backlog_are_told_apart() -> None:
    done, person, _ = week_of(URGENT_EVENING, {"teams.csm.overtime_limit_hours_per_day": 1.0}, days=1)
    assert done[1:] == [(16.5, 17.5), (17.5, 18.0), (18.0, 18.5)], "one runs over, two are begun after 17:00"
    assert person.overtime_hours == 1.5, "half an hour of the first, and both others"
    assert person.overtime_backlog_hours == 1.0, "begun after the shift's end: an hour"


def test_who_has_reached_the_weeks_overtime_goes_home_but_finishes_what_is_in_hand() -> None:
    tuesday = [(32.0, 7.0, False), (32.1, 1.0, True), (32.2, 0.5, True)]  # after the one left over from Monday
    limits = {"teams.csm.overtime_limit_hours_per_day": 1.0, "teams.csm.overtime_limit_hours_per_week": 0.75}
    done, person, _ = week_of([*URGENT_EVENING, *tuesday], limits, days=2)
    monday = [row for row in done if row[0] < 24]
    assert monday == [(9.0, 16.5), (16.5, 17.5), (17.5, 18.0)], (
        "at 17:30 there is half an hour, so one more is begun; at 18:00 there is a whole one, and no more is"
    )
    second = [row for row in done if row[0] >= 24]
    assert second == [(33.0, 33.5), (33.5, 40.5), (40.5, 41.5)], (
        "on Tuesday the contact in hand is finished, and none is begun after"
    )
    assert person.overtime_hours == 1.5, "an hour on Monday, half an hour on Tuesday"


companies = st.fixed_dictionaries(
    {
        "weeks": st.integers(3, 6),
        "accounts.book_seed": st.integers(0, 1000),
        "teams.csm.headcount": st.integers(1, 3),
        "teams.support.headcount": st.integers(1, 2),
        "teams.csm.overtime_limit_hours_per_day": st.sampled_from([0, 0.4, 2]),
        "teams.support.overtime_limit_hours_per_day": st.sampled_from([0.5, 3]),
        "teams.csm.overtime_limit_hours_per_week": st.sampled_from([0, 0.6, 3, None]),
        "teams.support.overtime_limit_hours_per_week": st.sampled_from([1, 5]),
        "teams.csm.named_owner": st.booleans(),
        "categories.how_to.contacts_per_account_month": st.sampled_from([4.0, 12.0]),
        "people.recovery": st.sampled_from([None, {"burnout_above": 0.2, "until_below": 0.1, "hours_share": 0.7}]),
    }
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(companies, st.integers(0, 3))
def test_no_contact_is_begun_past_a_limit_of_the_day_or_of_the_week(values: dict[str, Any], seed: int) -> None:
    inputs = small_inputs({key: value for key, value in values.items() if value is not None})
    history = run(inputs, seed)
    recovers = values["people.recovery"] is not None
    late = 0
    for team, rules in enumerate(inputs.phases[0].teams):
        end = 17.0
        for seat in range(rules.headcount):
            rows = history.contacts
            mine = (rows["team"] == team) & (rows["seat"] == seat) & (rows["started"] >= 0)
            order = np.argsort(rows["started"][mine])
            started, ended = (np.nan_to_num(rows[name][mine][order], nan=np.inf) for name in ("started", "ended"))
            closing = np.floor(started / 24) * 24 + end
            after = np.clip(ended - np.maximum(started, closing), 0, None)
            for i in np.flatnonzero(started >= closing).tolist():
                late += 1
                assert started[i] <= closing[i] + rules.overtime_limit_hours + ROUNDING_HOURS, "the day's limit"
                week = np.floor(started / WEEK) == np.floor(started[i] / WEEK)
                so_far = after[week & (started < started[i])].sum()
                assert recovers or so_far < rules.overtime_limit_week_hours + ROUNDING_HOURS, (
                    f"{so_far} h of overtime in the week before hour {started[i]}"
                )
    people = history.people_weeks
    assert (people["overtime_backlog_hours"] <= people["overtime_hours"] * (1 + 1e-6)).all(), "a part of it"
    if late == 0:
        assert people["overtime_backlog_hours"].sum() == 0, "nothing was begun after a shift"
    recovering = {
        (int(team), int(seat), int(week))
        for team, seat, week in zip(
            *(people[name][people["recovering"]] for name in ("team", "seat", "week")), strict=True
        )
    }
    for row in np.flatnonzero(people["overtime_backlog_hours"] > 0).tolist():
        team, seat, week = (int(people[name][row]) for name in ("team", "seat", "week"))
        assert not {(team, seat, week - 1), (team, seat, week)} <= recovering, "who recovers begins no backlog"


# --- recovery -------------------------------------------------------------------------------------------------

RECOVERY = {"burnout_above": 0.6, "until_below": 0.4, "hours_share": 0.75}


def test_recovery_begins_above_one_burnout_and_ends_below_another() -> None:
    rules = RecoveryRules(**RECOVERY)
    agent = staff.Agent(0, 0, 0.0, name_key("csm"), Queue(Line()))
    shares = []
    for agent.burnout in (0.5, 0.6, 0.61, 0.5, 0.4, 0.39, 0.5, 0.7):
        shares.append(staff.share_of_shift(agent, rules))
    assert shares == [1, 1, 0.75, 0.75, 0.75, 1, 1, 0.75], "from above 0.6 on until below 0.4"
    assert staff.share_of_shift(agent, None) == 1, "without the policy everybody works the whole shift"
    assert not agent.recovering, "and nobody recovers"


def test_who_recovers_works_a_share_of_the_shift_with_full_pay_and_begins_nothing_after_it() -> None:
    values = {
        "people.recovery": RECOVERY,
        "people.slower_at_full_burnout": 0,
        "teams.csm.overtime_limit_hours_per_day": 3.0,
    }
    work = [(8.0, 5.0, False), (8.1, 2.0, True), (8.2, 0.5, True)]
    done, person, center = week_of(work, values, burnout=0.7, days=1)
    assert done == [(9.0, 14.0), (14.0, 16.0)], "home at 15:00: what is in hand is finished, and no more is begun"
    assert person.overtime_hours == 1.0, "the hour after its own end"
    assert person.overtime_backlog_hours == 0.0, "no backlog"
    assert (person.contracted_hours, person.planned_hours) == (8.0, 6.0), "full pay for three quarters of the work"
    assert person.payroll_cost == 8.0 * center.phase.teams[0].cost_per_hour, "full pay"
    done, person, _ = week_of(work, values, burnout=0.5, days=1)
    assert done[-1] == (16.0, 16.5), "who does not recover stays until 17:00"
    done, person, _ = week_of([(15.5, 0.5, True)], values, burnout=0.7, days=2)
    assert done == [(33.0, 33.5)], "what comes after its end waits for the next day"


def test_the_break_of_who_recovers_is_a_share_of_the_shorter_shift() -> None:
    _, person, _ = week_of([], {"people.recovery": RECOVERY, "teams.csm.shrinkage": 0.25}, burnout=0.7, days=1)
    assert person.on_duty_hours == pytest.approx(4.5), "six hours without a quarter of them"
    assert person.planned_hours == pytest.approx(4.5), "as planned"


def test_recovery_lets_burnt_out_people_recover_sooner() -> None:
    heavy = {
        "weeks": 30,
        "mechanisms.turnover": False,
        "teams.support.opening_burnout": 0.9,
        "categories.how_to.contacts_per_account_month": 8,
    }
    policy = {"people.recovery": {"burnout_above": 0.5, "until_below": 0.3, "hours_share": 0.5}}
    without, with_it = (run(small_inputs(values)).people_weeks for values in (heavy, heavy | policy))
    burnout = [table["burnout"][(table["team"] == 1) & (table["week"] == 20)].mean() for table in (without, with_it)]
    assert burnout[1] < burnout[0] - 0.02, "without overtime on the backlog there is less strain"
    assert not without["recovering"].any(), "nobody recovers without the policy"
    assert with_it["recovering"].any(), "with it somebody does"
