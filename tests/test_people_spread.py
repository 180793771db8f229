"""Burnout over people: quartiles and the worst-off tenth by hand, and intervals that hold what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kpi_tables import make_history
from scipy import stats
from small import run, small_inputs

from sim.study.kpi_parts import Span
from sim.study.people_spread import FIGURES, people_spread, spread_figures
from sim.study.person_measures import PersonMeasures, person_measures


def figures(burnout: list[float], weights: list[float]) -> dict[str, float]:
    values = spread_figures(np.array(burnout), np.array([weights], dtype=float))[0]
    return dict(zip(FIGURES, values.tolist(), strict=True))


def replication(burnout: Any, weeks: Any = None, team: Any = 0, recovering: Any = 0) -> PersonMeasures:
    burnout = np.atleast_1d(np.asarray(burnout, dtype=np.float32))
    shape = np.ones(len(burnout))
    return PersonMeasures(
        team=(shape * team).astype(np.int8),
        burnout=burnout,
        weeks=(shape * (10 if weeks is None else weeks)).astype(np.int16),
        recovering=(shape * recovering).astype(np.int16),
    )


# --- by hand --------------------------------------------------------------------------------------------------


def test_persons_are_team_seat_and_occupant_with_the_mean_of_their_weeks_in_the_window() -> None:
    people = [
        {"week": week, "team": 0, "seat": 0, "occupant": 0, "burnout": 0.1 * week, "recovering": week == 3}
        for week in range(5)
    ]
    people += [{"week": 2, "team": 0, "seat": 0, "occupant": 1, "burnout": 0.9}]
    people += [{"week": 2, "team": 1, "seat": 0, "occupant": 0, "burnout": 0.5}]
    people += [{"week": 2, "team": 1, "seat": 1, "occupant": 0, "burnout": 0.7, "employed": False}]
    found = person_measures(make_history(people=people), Span(1, 4))
    assert found.team.tolist() == [0, 0, 1], "two persons of one seat, one of the other team; nobody of a vacant seat"
    assert found.burnout.tolist() == pytest.approx([0.2, 0.9, 0.5]), "means of weeks 1 to 3"
    assert found.weeks.tolist() == [3, 1, 1]
    assert found.recovering.tolist() == [1, 0, 0]


def test_figures_of_ten_people_by_hand() -> None:
    found = figures([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [1] * 10)
    by_hand = {"mean": 0.55, "lower_quartile": 0.3, "median": 0.5, "upper_quartile": 0.8, "p90": 0.9}
    assert found == pytest.approx(by_hand | {"worst_tenth_mean": 1.0}), "the worst-off tenth is one person"


def test_a_person_counts_by_weeks_and_on_the_edge_of_the_tenth_in_part() -> None:
    found = figures([0.2, 0.6, 0.8], [15, 4, 1])
    assert found["mean"] == pytest.approx((15 * 0.2 + 4 * 0.6 + 0.8) / 20)
    assert (found["median"], found["upper_quartile"], found["p90"]) == (0.2, 0.2, 0.6), "by share of the weeks"
    assert found["worst_tenth_mean"] == pytest.approx((0.8 + 0.6) / 2), "two of twenty weeks: one of each"


def test_nobody_has_no_figures() -> None:
    spread = people_spread(("csm", "support"), [[replication([0.1, 0.3])] * 3] * 2)
    nobody = spread.scenarios[0]["support"]
    assert (nobody.persons, nobody.recovering_share) == (0, None)
    assert {figure.value for figure in nobody.burnout.values()} == {None}, "no value, and no nan"
    assert spread.changes[0]["support"]["mean"].value is None


def test_persons_of_all_replications_are_pooled_and_recovery_is_counted() -> None:
    both = [replication([0.1, 0.2], recovering=5), replication([0.3, 0.8], recovering=0)]
    spread = people_spread(("csm",), [both]).scenarios[0]["csm"]
    assert spread.persons == 4
    assert spread.recovering_share == 0.25, "ten of forty weeks"
    assert spread.burnout["worst_tenth_mean"].value == pytest.approx(0.8)
    assert spread.burnout["mean"].value == pytest.approx(0.35)
    alone = people_spread(("csm",), [both[:1]]).scenarios[0]["csm"].burnout["mean"]
    assert alone.ci95 is None, "one replication has no interval"


def test_the_same_difference_in_every_replication_has_no_spread() -> None:
    random = np.random.default_rng(1)
    before = [replication(random.random(8)) for _ in range(12)]
    after = [replication(one.burnout * 0 + one.burnout + 0.125) for one in before]
    change = people_spread(("csm",), [before, after]).changes[0]["csm"]
    for name in FIGURES:
        interval = change[name].ci95
        assert interval is not None
        assert change[name].value == pytest.approx(0.125, abs=1e-6), f"{name}: everybody has an eighth more"
        assert interval == pytest.approx((0.125, 0.125), abs=1e-6), f"{name}: pairs are kept together"


# --- intervals ------------------------------------------------------------------------------------------------


def test_intervals_hold_the_figures_of_all_people_there_are_about_19_times_in_20() -> None:
    """Replications that share luck inside: each has its own level of burnout, and people around it."""

    def people(random: np.random.Generator, count: int) -> np.ndarray:
        level = random.beta(8, 12, size=(count, 1))
        return np.clip(level + 0.12 * random.normal(size=(count, 6)), 0, 1)

    everybody = np.sort(people(np.random.default_rng(2), 100_000).ravel())
    truth = figures(everybody.tolist(), [1.0] * len(everybody))
    studies, held = 150, dict.fromkeys(FIGURES, 0)
    for study in range(studies):
        sample = [replication(one) for one in people(np.random.default_rng([3, study]), 30)]
        for name, figure in people_spread(("csm",), [sample]).scenarios[0]["csm"].burnout.items():
            assert figure.ci95 is not None
            held[name] += figure.ci95[0] <= truth[name] <= figure.ci95[1]
    low = stats.binom.ppf(0.001, studies, 0.92)  # the bootstrap of 30 replications may be a little short of 95 %
    assert min(held.values()) >= low, f"{held} of {studies} intervals hold the truth"
    assert held["mean"] <= stats.binom.ppf(0.999, studies, 0.97), "and they are not too wide either"


def test_the_worst_off_tenth_of_a_run_is_worse_off_than_its_mean_and_weeks_add_up() -> None:
    inputs = small_inputs({"weeks": 20, "teams.csm.headcount": 3})
    histories = [run(inputs, replication=number) for number in range(3)]
    measures = [person_measures(history, Span(0, inputs.weeks)) for history in histories]
    employed = sum(int(history.people_weeks["employed"].sum()) for history in histories)
    assert sum(int(one.weeks.sum()) for one in measures) == employed, "every week of employment is somebody's"
    burnout = people_spread(inputs.teams, [measures]).scenarios[0]["csm"].burnout
    values = [burnout[name].value or 0.0 for name in ("lower_quartile", "median", "upper_quartile", "p90")]
    assert values == sorted(values)
    worst = burnout["worst_tenth_mean"].value
    assert worst is not None
    assert worst >= values[-1] - 1e-9, "the worst-off tenth is beyond nine in ten (a sum of few numbers: 1e-9)"
