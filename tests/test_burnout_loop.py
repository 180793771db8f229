"""The loop from load to burnout and back: it dies away, and only too much work turns it into a spiral.

Slow: many replications. The rules' own numbers are found again in what they produce.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from small import NOTHING_HAPPENS, run, run_all, small_inputs

from benchmarks import burnout as loop
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import QUIT, Table
from sim.scenario import load_scenario
from sim.study.alerts import Alert, alerts
from sim.study.kpi_parts import HOURS_PER_WEEK
from sim.study.work_flow import WorkFlow, work_flow

FloatArray = NDArray[np.float64]
SUPPORT = 1


# --- the mechanism's switch -------------------------------------------------------------------------------------


def test_without_the_mechanism_all_else_runs_and_fatigue_and_burnout_stay_0() -> None:
    values = {
        "weeks": 30,
        "mechanisms.burnout": False,
        "teams.csm.opening_burnout": 0.8,
        "teams.csm.headcount": 3,
        "teams.csm.quit_rate_per_year": 2,
        "teams.csm.time_to_fill_weeks": 2,
        "people.recovery": {"burnout_above": 0.5, "until_below": 0.3, "hours_share": 0.5},
    }
    people = run(inputs := small_inputs(values)).people_weeks
    assert (people["burnout"] == 0).all(), "no burnout, not even the opening's"
    assert (people["fatigue"] == 0).all()
    assert not people["recovering"].any(), "so nobody recovers"
    assert (people["event"] == QUIT).any(), "people quit"
    assert (people["absent_hours"] > 0).any(), "and are absent"
    assert (people["overtime_hours"] > 0).any(), "and work overtime"
    assert work_flow(run(inputs), inputs).lost.max() == 0, "nothing is lost to it"


# --- recovery and gain ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_burnout_raised_by_a_fifth_for_everybody_is_half_gone_in_26_weeks(scenario_folder: Any) -> None:
    weeks, replications = 26, 16
    baseline = load_scenario(scenario_folder / "baseline.yaml", {"weeks": weeks})
    raised = {f"teams.{name}.opening_burnout": team.opening_burnout + 0.2 for name, team in baseline.teams.items()}
    pushed = load_scenario(scenario_folder / "baseline.yaml", {"weeks": weeks, **raised})
    both = compile_inputs(baseline), compile_inputs(pushed)
    left = []
    for replication in range(replications):
        means = []
        for history in run_all(both[0], both, replication=replication):
            people = history.people_weeks
            means.append([_mean_burnout(people, week) for week in (0, weeks - 1)])
        left.append(np.subtract(means[1], means[0]))
    first, last = np.array(left).T
    assert first.mean() > 0.18, "a fifth more at the start"
    high = last.mean() + stats.t.ppf(0.9995, replications - 1) * last.std(ddof=1) / np.sqrt(replications)
    assert high < 0.1, f"{last.mean():.3f} of 0.2 are left after 26 weeks, at most {high:.3f}"


def _mean_burnout(people: Table, week: int) -> float:
    rows = (people["week"] == week) & people["employed"]
    return float(people["burnout"][rows].mean(dtype=np.float64))


@pytest.mark.slow
def test_the_gain_of_the_loop_leaves_room(scenario_folder: Any) -> None:
    for found in loop.measured(load_scenario(scenario_folder / "baseline.yaml"), replications=20):
        low, high = found.ci95
        assert high < loop.MOST, f"{found.team}: gain {found.gain:.2f} ({low:.2f} to {high:.2f})"
        assert found.gain > 0, f"{found.team}: burnout does come back as load"


# --- a spiral only where there is too much work -----------------------------------------------------------------

CRITICAL = 6.7  # how-to contacts per account and month with which five calm people are busy all the time
SERVED_BY_SUPPORT = ("how_to", "break_fix", "billing", "relationship")


def support_company_values(load: float) -> dict[str, Any]:
    """Five people in Support for the customers' contacts of 200 accounts that stay as they are."""
    values: dict[str, Any] = {
        "weeks": 104,
        "accounts.warm_up_weeks": 13,
        "tiers.enterprise.accounts": 0,
        "tiers.midmarket.accounts": 200,
        "tiers.small.accounts": 0,
        "accounts.open_issue_factor": 0,
        "accounts.low_adoption_factor": 0,
        "accounts.novelty_factor": 0,
        "teams.support.headcount": 5,
        "playbooks": {},
        "categories.how_to.contacts_per_account_month": load * CRITICAL,
    }
    values |= {f"mechanisms.{name}": False for name in CALM_ACCOUNTS}
    values |= {f"routing.assign.{name}": {"support": 1.0} for name in SERVED_BY_SUPPORT}
    values |= {f"categories.{name}.contacts_per_account_month": 0 for name in SERVED_BY_SUPPORT[1:]}
    return values


@cache
def support_company(load: float) -> Inputs:
    return small_inputs(support_company_values(load))


@cache
def runs_at(load: float) -> tuple[list[WorkFlow], list[Table]]:
    inputs = support_company(load)
    histories = [run(inputs, replication=number) for number in range(10)]
    return [work_flow(history, inputs) for history in histories], [history.contacts for history in histories]


def told(load: float) -> dict[str, Alert]:
    found = alerts(support_company(load), runs_at(load)[0])
    return {alert.kind: alert for alert in found if alert.team == "support"}


def work_in_and_done(load: float, from_week: int) -> tuple[float, float]:
    """Hours a week of work that came in and that was taken up, by the ledger, over all replications."""
    inputs, hours = support_company(load), [0.0, 0.0]
    means = inputs.phases[0].tables
    for contacts in runs_at(load)[1]:
        place = (contacts[name].astype(np.int64) for name in ("team", "category", "channel"))
        work = means.handle_hours.take(means.cells(*place)) * (contacts["team"] == SUPPORT)
        for which, times in enumerate((contacts["queued"], contacts["started"])):
            hours[which] += float(work[times >= from_week * HOURS_PER_WEEK].sum())
    per_week = len(runs_at(load)[1]) * (inputs.weeks - from_week)
    return hours[0] / per_week, hours[1] / per_week


CALM_ACCOUNTS = (
    "churn", "growth", "expansion", "sponsor_loss", "firefighting", "onboarding_failure", "action_plans", "outages",
    "ill_timed", "winback", "community",
)  # fmt: skip
LOADS = (0.7, 0.8, 0.9, 0.95, 1.0, 1.1, 1.2)


@pytest.mark.slow
def test_a_spiral_is_only_found_where_more_work_comes_in_than_is_done() -> None:
    found = {load: told(load) for load in LOADS}
    assert not found[0.7], "a queue that is worked off"
    assert not found[0.8], "busy, and tired, but no queue without end"
    for load in (1.1, 1.2):
        assert found[load].get("growing_queue"), f"load {load}: the queue can only grow"
        assert "spiral" not in found[load], f"load {load}: fresh people could not carry it either"
    spirals = {load: kinds["spiral"] for load, kinds in found.items() if "spiral" in kinds}
    assert spirals, "between the two there is work that fresh people could do, and tired ones cannot"
    for load, spiral in spirals.items():
        assert "growing_queue" in found[load], f"load {load}: a spiral is a queue that grows"
        since = (spiral.since - support_company(load).start).days // 7
        came, done = work_in_and_done(load, since)
        assert came > done, f"load {load}: {came:.1f} hours a week come in, {done:.1f} are done"


# --- what the rules put in comes out ----------------------------------------------------------------------------

HELD_OPEN: dict[str, Any] = NOTHING_HAPPENS | {
    # People who begin burnt out and recover slowly, and newcomers who are fresh: a wide spread within the team.
    "mechanisms.burnout": True,
    "mechanisms.turnover": True,
    "mechanisms.absence": True,
    "weeks": 52,
    "accounts.warm_up_weeks": 0,
    "playbooks": {},
    "teams.support.headcount": 50,
    "teams.support.opening_burnout": 1.0,
    "teams.support.quit_rate_per_year": 0.6,
    "teams.support.time_to_fill_weeks": 2,
    "teams.support.training_weeks": 0,
    "people.burnout_down_weeks": 40,
    **{f"categories.{name}.contacts_per_account_month": 0 for name in SERVED_BY_SUPPORT},
}


@cache
def person_weeks() -> dict[str, FloatArray]:
    """Pairs of weeks of one person in Support: burnout at the end of the first, what happened in the second."""
    inputs = small_inputs(HELD_OPEN)
    columns: dict[str, list[FloatArray]] = {"burnout": [], "quit": [], "days": [], "absent": []}
    hours = 8.0  # a day, from nine to five
    for replication in range(200):
        people = run(inputs, replication=replication).people_weeks
        order = np.lexsort((people["week"], people["seat"], people["team"]))
        rows = {name: people[name][order[people["team"][order] == SUPPORT]] for name in people}
        now = np.arange(1, len(rows["week"]))
        before = now - 1
        same = (rows["seat"][now] == rows["seat"][before]) & (rows["occupant"][now] == rows["occupant"][before])
        same &= rows["employed"][before]
        now, before = now[same], before[same]
        columns["burnout"].append(rows["burnout"][before].astype(np.float64))
        columns["quit"].append((rows["event"][now] == QUIT).astype(np.float64))
        columns["days"].append(np.rint(rows["contracted_hours"][now] / hours))
        columns["absent"].append(np.rint(rows["absent_hours"][now] / hours))
    return {name: np.concatenate(values) for name, values in columns.items()}


def ratio_at_full_burnout(burnout: FloatArray, events: FloatArray, trials: FloatArray, hazard: bool) -> FloatArray:
    """(3,) maximum-likelihood estimate of (a + c) / a and its 95 % interval, in the model a + c x burnout.

    events of trials : (rows,). hazard : a + c x burnout is a hazard and the chance 1 - exp(-it), else the chance.
    Newton's method on both parameters; the interval is Wald's on the logarithm.
    """
    design = np.stack([np.ones(len(burnout)), burnout])
    rate = events.sum() / trials.sum()
    parameters = np.array([rate, rate / 10])
    for _ in range(30):
        level = parameters @ design
        chance = -np.expm1(-level) if hazard else level
        slope = 1 - chance if hazard else np.ones(len(level))
        score = design @ (slope * (events - trials * chance) / (chance * (1 - chance)))
        information = (design * (trials * slope**2 / (chance * (1 - chance)))) @ design.T
        step = np.linalg.solve(information, score)
        parameters = parameters + step
    assert np.abs(step).max() < 1e-9 * parameters.min(), "the estimate has converged"
    base, extra = parameters
    ratio = (base + extra) / base
    gradient = np.array([-extra / (base * (base + extra)), 1 / (base + extra)])  # of log ratio
    error = float(np.sqrt(gradient @ np.linalg.inv(information) @ gradient))
    return np.asarray(ratio * np.exp(stats.norm.ppf([0.5, 0.025, 0.975]) * error))


@pytest.mark.slow
def test_the_hazard_ratio_of_quits_per_full_burnout_is_recovered() -> None:
    weeks = person_weeks()
    ratio, low, high = ratio_at_full_burnout(weeks["burnout"], weeks["quit"], np.ones(len(weeks["quit"])), hazard=True)
    assert low < 2.5 < high, f"{ratio:.2f} ({low:.2f} to {high:.2f}), not the 2.5 of the rules"
    assert low > 2, f"{low:.2f} to {high:.2f}"
    assert high < 3, f"{low:.2f} to {high:.2f}"


@pytest.mark.slow
def test_the_ratio_of_absence_per_full_burnout_is_recovered() -> None:
    weeks = person_weeks()
    there = weeks["days"] > 0
    ratio, low, high = ratio_at_full_burnout(
        weeks["burnout"][there], weeks["absent"][there], weeks["days"][there], hazard=False
    )
    assert low < 1.6 < high, f"{ratio:.2f} ({low:.2f} to {high:.2f}), not the 1.6 of the rules"
    assert low > 1.4, f"{low:.2f} to {high:.2f}"
    assert high < 1.8, f"{low:.2f} to {high:.2f}"
