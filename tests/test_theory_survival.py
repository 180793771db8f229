"""How long accounts stay under a constant hazard: by hand, and what cannot be asked."""

from __future__ import annotations

import math

import pytest

from sim.theory.survival import survival


def test_a_hazard_of_the_logarithm_of_two_leaves_half_after_a_year_and_a_quarter_after_two() -> None:
    assert survival(math.log(2), 1) == pytest.approx(0.5, rel=1e-12)
    assert survival(math.log(2), 2) == pytest.approx(0.25, rel=1e-12)


def test_nobody_leaves_on_the_first_day_or_without_a_hazard() -> None:
    assert survival(6, 0) == survival(0, 100) == 1


@pytest.mark.parametrize(("hazard", "years"), [(-1, 1), (1, -1), (math.inf, 1), (1, math.nan)])
def test_what_is_no_hazard_or_no_time_is_refused(hazard: float, years: float) -> None:
    with pytest.raises(ValueError, match="use a number from 0"):
        survival(hazard, years)
