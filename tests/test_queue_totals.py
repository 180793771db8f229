"""Totals of a queue: what counts in the window, by hand and by brute force; survival curves."""

from __future__ import annotations

import heapq
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import SCENARIOS, run

from sim.model import ledger
from sim.model.compile import compile_inputs
from sim.model.ledger import History
from sim.scenario import load_scenario
from sim.study.kpi_parts import Span
from sim.study.kpis import compute
from sim.study.queue_totals import contact_totals, observed_ages, queue_totals, survival_totals, virtual_waits

WEEK = 168.0
ROUNDING = 1e-9  # sums of some thousand numbers

# A line of one agent, around a window from hour 0 to hour 168: queued, started, ended, outcome.
CONTACTS = [
    (-5.0, -2.0, 1.0, ledger.RESOLVED),  # of the warm-up, handled into the window
    (-3.0, 1.0, 2.0, ledger.RESOLVED),  # waits into the window
    (1.5, nan, 1.75, ledger.ABANDONED),
    (1.6, nan, 1.6, ledger.BLOCKED),
    (10.0, 10.0, 10.5, ledger.UNRESOLVED),
    (nan, nan, 11.0, ledger.NOT_RAISED),
    (100.0, 100.0, 167.0, ledger.RESOLVED),
    (165.0, 167.0, nan, ledger.OPEN),  # in service at the end
    (166.0, nan, nan, ledger.OPEN),  # waits at the end
]


def table(rows: list[tuple[float, float, float, int]]) -> dict[str, Any]:
    queued, started, ended, outcome = (np.array(column) for column in zip(*rows, strict=True))
    return {"queued": queued, "started": started, "ended": ended, "outcome": outcome}


def test_everything_counts_at_the_instant_at_which_it_happens() -> None:
    assert contact_totals(table(CONTACTS), Span(0, 1), target_hours=3.0) == {
        "offered": 6,  # those queued in the window, without what was never raised
        "waited": 3,
        "blocked": 1,
        "abandoned": 1,
        "started": 4,
        "started_in_time": 3,  # the one from the warm-up waited 4 hours
        "started_wait_hours": 4 + 0 + 0 + 2,
        "finished": 4,
        "waiting_hours": 1 + 0.25 + 2 + 2,  # cut at both ends of the window
        "busy_hours": 1 + 1 + 0.5 + 67 + 1,
    }


def test_contacts_of_the_weeks_before_the_window_are_cut_off() -> None:
    later = contact_totals(table(CONTACTS), Span(1, 2), target_hours=3.0)
    assert later["waiting_hours"] == WEEK, "one waits on"
    assert later["busy_hours"] == WEEK, "one is being handled on"
    assert later["offered"] == 0


def test_who_gave_up_would_have_been_served_when_its_turn_came() -> None:
    queued = np.array([0.0, 1.0, 2.0, 3.0, 20.0, 21.0])
    started = np.array([0.0, nan, 5.0, nan, 20.0, nan])
    ended = np.array([5.0, 4.0, 9.0, 8.0, 30.0, 22.0])
    waits = virtual_waits(queued, started, ended, agents=1)
    assert waits.tolist() == [
        0.0,
        4.0,  # the next one starts at 5
        3.0,
        6.0,  # the agent becomes idle at 9
        0.0,
        9.0,
    ]


def test_a_virtual_wait_that_no_row_tells_is_unknown() -> None:
    waits = virtual_waits(np.array([0.0, 1.0]), np.array([0.0, nan]), np.array([nan, 2.0]), agents=1)
    assert waits.tolist() == [0.0, inf]


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_virtual_waits_are_those_of_a_caller_who_stays_in_the_same_line(agents: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    queued = np.cumsum(random.exponential(1.0, 40))
    handle, patience = random.exponential(agents, 40), random.exponential(1.0, 40)
    started, ended, virtual = np.full(40, nan), np.empty(40), np.empty(40)
    free = [0.0] * agents  # when each agent is free of all who came before: first come, first served
    heapq.heapify(free)
    for i in range(40):
        virtual[i] = max(free[0] - queued[i], 0.0)
        if virtual[i] <= patience[i]:
            started[i] = queued[i] + virtual[i]
            ended[i] = started[i] + handle[i]
            heapq.heapreplace(free, ended[i])
        else:
            ended[i] = queued[i] + patience[i]
    shuffled = random.permutation(40)
    found = virtual_waits(queued[shuffled], started[shuffled], ended[shuffled], agents)
    assert found == pytest.approx(virtual[shuffled], abs=ROUNDING)


@pytest.fixture(scope="module")
def priorities() -> History:
    return run(compile_inputs(load_scenario(SCENARIOS / "textbook" / "mm4_priorities_load_85.yaml", {"weeks": 2})))


def test_the_totals_agree_with_the_kpis_and_the_classes_add_up(priorities: History) -> None:
    inputs = compile_inputs(load_scenario(SCENARIOS / "textbook" / "mm4_priorities_load_85.yaml", {"weeks": 2}))
    totals, kpis = queue_totals(priorities, inputs, target_hours=0.1), compute(priorities, inputs)
    occupancy = totals["busy_hours"] / totals["agent_hours"]
    at_the_edges = 4 * float(priorities.contacts["handle_minutes"].max()) / 60 / totals["agent_hours"]
    assert occupancy == pytest.approx(kpis["agents.occupancy"], abs=at_the_edges), (
        "from contacts as from people's hours"
    )
    assert totals["offered"] == kpis["agents.offered"]
    assert totals["waiting_hours"] / totals["hours"] == pytest.approx(kpis["agents.backlog_mean"], rel=ROUNDING)
    for name in ("offered", "waited", "busy_hours", "waiting_hours"):
        classes = totals[f"{name}:call"] + totals[f"{name}:later"]
        assert classes == pytest.approx(totals[name], rel=ROUNDING), f"{name} of both classes"
        assert totals[f"{name}:call"] > 0


def test_the_warm_up_runs_the_queue(priorities: History) -> None:
    contacts = priorities.contacts
    there = (contacts["queued"] < 0) & ~(contacts["ended"] < 0)
    assert np.count_nonzero(there) >= 4, "at hour 0 agents are busy with contacts of the warm-up, as at load 0.85"


def accounts_of(events: list[tuple[float, int, int, bool]], count: int) -> History:
    time, account, event, left = (np.array(column) for column in zip(*events, strict=True))
    nothing: dict[str, Any] = {}
    return History(
        contacts=nothing,
        account_events={"time": time, "account": account, "event": event, "left": left},
        people_weeks=nothing,
        tier_weeks=nothing,
        accounts={"id": np.arange(count)},
        opening=nothing,
    )


def test_ages_count_from_the_first_day_to_leaving_or_to_the_end() -> None:
    history = accounts_of(
        [
            (0.0, 1, ledger.WON, False),
            (WEEK, 2, ledger.WON, False),
            (5 * WEEK, 1, ledger.RENEWAL, False),
            (9 * WEEK, 1, ledger.RENEWAL, True),
            (8 * WEEK, 0, ledger.RENEWAL, True),  # of the opening book: its first day was not seen
        ],
        count=3,
    )
    age, left = observed_ages(history, 10 * WEEK)
    assert age.tolist() == [9 * WEEK, 9 * WEEK]
    assert left.tolist() == [True, False]


def test_accounts_that_came_late_count_for_as_long_as_they_were_seen() -> None:
    inputs = compile_inputs(load_scenario(SCENARIOS / "textbook" / "survival.yaml", {"weeks": 12}))
    history = run(inputs)
    totals = survival_totals(history, inputs, (5, 9))
    assert totals["accounts:5_weeks"] == totals["accounts:9_weeks"] == 1
    started = history.accounts["started"]
    age, left = observed_ages(history, 12 * WEEK)
    share = {}
    for weeks in (5, 9):
        early = started <= (12 - weeks) * WEEK
        share[weeks] = 1 - np.mean(left[early] & (age[early] <= weeks * WEEK))
    assert totals["there:5_weeks"] == pytest.approx(share[5], rel=ROUNDING), "one decision: a plain share"
    assert totals["there:9_weeks"] != share[9], "two decisions: those seen for the first alone count in the first"
    assert totals["there:9_weeks"] == pytest.approx(share[9], abs=0.02), "three standard errors of 7,600 accounts"
