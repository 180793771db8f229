"""Alerts: a queue that can only grow, and a spiral, with the week they began; how often they err, and how often not."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.model.inputs import Inputs
from sim.study.alerts import LEAST_WEEKS, alerts, growing_queue, grows_from, in_spiral
from sim.study.work_flow import WorkFlow

FloatArray = NDArray[np.float64]
WEEKS = 104
CAPACITY = 150.0  # hours of work a week that five people do
SPREAD = 20.0  # of a week's work in hours, as five people's contacts have it


def queues(load: FloatArray | float, count: int, seed: int = 1, weeks: int = WEEKS, start: float = 0.0) -> FloatArray:
    """(count, weeks + 1) hours of work waiting: what is left of a week's random work beyond the capacity.

    load : work that comes in over capacity, for all weeks or (weeks,).
    """
    random = np.random.default_rng(seed)
    waiting = np.zeros((count, weeks + 1))
    waiting[:, 0] = start
    for week, now in enumerate(np.broadcast_to(load, weeks).tolist()):
        change = (now - 1) * CAPACITY + SPREAD * random.normal(size=count)
        waiting[:, week + 1] = np.maximum(0.0, waiting[:, week] + change)
    return waiting


def begins(waiting: FloatArray) -> NDArray[np.int64]:
    return np.array([grows_from(one) for one in waiting])


def alarms(waiting: FloatArray) -> int:
    return int((begins(waiting) >= 0).sum())


# --- one replication ------------------------------------------------------------------------------------------


def test_a_stable_queue_at_load_95_percent_raises_no_alarm() -> None:
    found = alarms(queues(0.95, 1000))
    assert found <= stats.binom.ppf(0.999, 1000, 0.005), f"{found} of 1,000 stable queues: more than one in two hundred"


def test_a_queue_with_exactly_as_much_work_as_capacity_seldom_raises_one() -> None:
    found = alarms(queues(1.0, 1000))
    assert found <= stats.binom.ppf(0.999, 1000, 0.01), f"{found} of 1,000: a random walk that only seems to grow"


def test_a_queue_at_load_110_percent_raises_it_and_from_the_week_in_which_it_began() -> None:
    waiting = queues(np.where(np.arange(WEEKS) < 25, 0.8, 1.1), 400)
    found = begins(waiting)
    seen = int((found >= 0).sum())
    assert seen >= stats.binom.ppf(0.001, 400, 0.98), f"only {seen} of 400 queues that grow are seen"
    assert abs(np.median(found[found >= 0]) - 25) <= 4, "the week is about the one in which the load rose"


def test_a_queue_that_grows_from_the_start_on_is_told_from_there() -> None:
    found = begins(queues(1.15, 100, start=500.0))
    assert (found >= 0).all(), "it is long already, and gets longer"
    assert np.median(found) <= 4, "from the start on"


@pytest.mark.parametrize("weeks", [8, 13, 26])
def test_a_surge_that_is_worked_off_is_none(weeks: int) -> None:
    load = np.full(WEEKS, 0.85)
    load[30 : 30 + weeks] = 1.3
    waiting = queues(load, 300)
    assert waiting.max(axis=1).min() > 3 * CAPACITY * 0.2 * weeks / 4, "there is a long queue in each"
    assert alarms(waiting) == 0, "it comes down again before the end"


def test_seasons_are_none() -> None:
    load = 0.85 + 0.25 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    assert alarms(queues(load, 300)) == 0, "each year the queue is worked off"


def test_growth_in_the_last_half_year_only_is_not_told() -> None:
    load = np.where(np.arange(WEEKS) < WEEKS - LEAST_WEEKS + 2, 0.8, 1.3)
    assert alarms(queues(load, 300)) == 0, "it may be a surge: the run ends before that can be seen"


def test_a_queue_of_another_length_than_before_is_none() -> None:
    steps = np.repeat([10.0, 200.0], [40, WEEKS + 1 - 40]) + np.tile([0.0, 5.0, 9.0], 35)
    assert grows_from(steps) == -1, "it got longer once, and stays"
    assert grows_from(np.zeros(WEEKS + 1)) == -1, "nobody waits"
    assert grows_from(np.arange(20.0)) == -1, "the run is too short to tell"
    assert grows_from(np.arange(WEEKS + 1.0)) <= 1, "a queue that is longer every week; whole quarters begin at week 1"


# --- all replications -----------------------------------------------------------------------------------------


def test_over_replications_the_work_must_surely_exceed_the_capacity() -> None:
    waiting = queues(1.1, 30)
    growing = growing_queue(waiting, begins(waiting))
    assert growing is not None, "all of them grow"
    assert growing.ci95 is not None
    assert growing.ci95[0] < 0.1 * CAPACITY < growing.ci95[1], "by ten per cent of the capacity, every week"
    few = np.concatenate([queues(1.1, 3), queues(0.7, 27)])
    assert growing_queue(few, begins(few)) is None, "three of thirty are not enough"
    some = np.concatenate([queues(1.1, 12), queues(0.7, 18)])
    found = growing_queue(some, begins(some))
    assert found is not None, "twelve of thirty are"
    assert found.hours_per_week < 0.1 * CAPACITY * 0.6, "its size is the mean over all"


def test_a_few_replications_are_enough_where_each_tells_it() -> None:
    both = np.stack([np.arange(WEEKS + 1.0), 9 * np.arange(WEEKS + 1.0)])
    found = growing_queue(both, begins(both))
    assert found is not None, "two queues that only grow, at paces so different that the interval holds 0"
    assert found.ci95 is not None
    assert found.ci95[0] < 0


def test_no_study_of_stable_queues_raises_the_alert() -> None:
    studies = [queues(0.95, 30, seed) for seed in range(40)]
    assert not any(growing_queue(waiting, begins(waiting)) for waiting in studies), "at load 95 %"


def flows(waiting: FloatArray, lost: float = 0.0, burnout: tuple[float, float] = (0.1, 0.1)) -> list[WorkFlow]:
    """Flows of a company whose second team has the queues. lost : hours a week once the burnout has risen."""
    weeks = waiting.shape[1] - 1
    risen = np.clip((np.arange(weeks) - 25) / 20, 0, 1)
    level = burnout[0] + (burnout[1] - burnout[0]) * risen
    return [
        WorkFlow(
            waiting=np.stack([np.zeros(weeks + 1), one]).astype(np.float32),
            lost=np.stack([np.zeros(weeks), lost * risen]).astype(np.float32),
            burnout=np.stack([np.full(weeks, 0.1), level]).astype(np.float32),
        )
        for one in waiting
    ]


COMPANY = cast(Inputs, SimpleNamespace(teams=("csm", "support"), start=dt.date(2026, 1, 5), opening_burnout=(0.1, 0.1)))
OVERLOADED = queues(np.where(np.arange(WEEKS) < 25, 0.8, 1.1), 30)


def test_the_alert_names_team_date_replications_and_size() -> None:
    (alert,) = alerts(COMPANY, flows(OVERLOADED))
    assert (alert.kind, alert.team, alert.replications, alert.of) == ("growing_queue", "support", 30, 30)
    assert abs((alert.since - dt.date(2026, 6, 29)).days) <= 28, "week 25 begins on 29 June"
    assert alert.since.weekday() == 0, "a Monday"
    assert alert.sentence.startswith("Support's queue can only grow from about "), "in words"
    assert "(30 of 30 replications): a week, 15 hours (" in alert.sentence, "how sure, and how much"
    plain: dict[str, Any] = alert.to_dict()
    assert plain["since"] == alert.since.isoformat(), "and as plain values"
    assert plain["sentence"] == alert.sentence
    seldom = alerts(COMPANY, flows(np.concatenate([OVERLOADED[:10], queues(0.7, 20)])))
    assert seldom[0].sentence.startswith("In 10 of 30 replications Support's queue can only grow, from about ")
    (one,) = alerts(COMPANY, flows(OVERLOADED[:1]))
    assert one.ci95 is None, "one replication has no interval"
    assert "(1 of 1 replication)" in one.sentence


def test_a_spiral_is_told_where_burnout_costs_more_than_the_queue_grows() -> None:
    found = alerts(COMPANY, flows(OVERLOADED, lost=30.0, burnout=(0.1, 0.7)))
    assert [alert.kind for alert in found] == ["growing_queue", "spiral"]
    spiral = found[1]
    assert spiral.sentence.startswith("Support is in a spiral from about "), "with its date"
    assert "burnout rises from 0.10 to 0.70" in spiral.sentence, "from the opening's"
    assert abs((spiral.since - dt.date(2026, 6, 29)).days) <= 28, "from when the queue grows"


@pytest.mark.parametrize(
    ("lost", "burnout", "why"),
    [
        (5.0, (0.1, 0.7), "fresh people could not carry the work either"),
        (30.0, (0.1, 0.15), "burnout does not rise"),
        (0.0, (0.0, 0.0), "burnout is switched off"),
    ],
)
def test_a_growing_queue_is_no_spiral_when(lost: float, burnout: tuple[float, float], why: str) -> None:
    assert [alert.kind for alert in alerts(COMPANY, flows(OVERLOADED, lost, burnout))] == ["growing_queue"], why


def test_there_is_no_spiral_without_a_growing_queue() -> None:
    assert alerts(COMPANY, flows(queues(0.95, 30), lost=30.0, burnout=(0.1, 0.7))) == (), "whatever burnout costs"
    waiting = queues(0.95, 5)
    weekly = np.ones((5, WEEKS))
    assert in_spiral(waiting, 30 * weekly, weekly, begins(waiting), 0.1) is None
