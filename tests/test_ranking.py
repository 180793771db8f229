"""The best of several scenarios: told with its error, and not surer than it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from sim.study.ranking import Ranking, ranking
from sim.study.statistics import ALPHA

STUDIES = 2_000


def studies(means: list[float], seed: int) -> list[tuple[Ranking, np.ndarray]]:
    """Studies of 10 replications with shared luck: 2 of 3 parts of the spread are the same for all scenarios."""
    luck = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(len(means))]
    found = []
    for _ in range(STUDIES):
        values = np.array(means)[:, None] + 2 * luck.normal(size=10) + luck.normal(size=(len(means), 10))
        one = ranking(names, values, "higher", ALPHA)
        assert one is not None
        found.append((one, values))
    return found


@pytest.mark.parametrize("means", [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.3, 0.5, 1.0, 1.1]])
def test_the_best_is_among_those_named_and_no_more_is_given_away(means: list[float]) -> None:
    best = int(np.argmax(means))
    wrong = 0
    for one, _ in studies(means, seed=3):
        assert one.gives_away is not None
        lost = means[best] - means[one.order[0]]
        wrong += best not in one.may_be_best or lost > one.gives_away
    most = int(binom.ppf(0.999, STUDIES, ALPHA))
    assert wrong <= most, f"{wrong} of {STUDIES}: more than chance makes of 5 %"


def test_it_can_tell_when_there_is_something_to_tell() -> None:
    clear = sum(one.may_be_best == (2,) for one, _ in studies([0.0, 1.0, 4.0], seed=4))
    assert clear > 0.99 * STUDIES, "4 is six standard errors ahead of 1"


def test_lower_may_be_better_and_missing_values_are_left_out() -> None:
    values = np.array([[5.0, 6.0, 5.5, np.nan], [1.0, 2.1, 1.4, 0.0]])
    found = ranking(["dear", "cheap"], values, "lower", ALPHA)
    assert found is not None
    assert (found.order, found.may_be_best, found.gives_away) == ((1, 0), (1,), 0.0)


def test_one_replication_makes_nobody_sure() -> None:
    found = ranking(["a", "b"], np.array([[1.0], [2.0]]), "higher", ALPHA)
    assert found is not None
    assert (found.may_be_best, found.gives_away) == ((1, 0), None)
    assert "nothing is sure" in found.sentence
    assert ranking(["a", "b"], np.array([[np.nan], [2.0]]), "higher", ALPHA) is None


def test_identical_scenarios_cannot_be_told_apart_and_cost_nothing() -> None:
    found = ranking(["a", "b", "c"], np.tile([1.0, 2.0, 3.0], (3, 1)), "higher", ALPHA)
    assert found is not None
    assert (found.may_be_best, found.gives_away) == ((0, 1, 2), 0.0)


def test_the_sentence_names_who_may_be_best_and_what_is_at_stake() -> None:
    luck = np.random.default_rng(5)
    values = np.array([[100.0], [101.0], [20.0]]) + luck.normal(size=(3, 8))
    found = ranking(["Base", "Hire", "Worse"], values, "higher", ALPHA)
    assert found is not None
    text = found.sentence
    assert "Worse" not in text
    assert found.best in text
