"""How long accounts stay when nothing but chance drives them away.

In: a hazard. Out: the share that is still there.
"""

from __future__ import annotations

import math


def survival(hazard_per_year: float, years: float) -> float:
    """The share still there after so many years: exp(-hazard years).

    hazard_per_year : the sum of all constant hazards, >= 0. years : >= 0; where contracts gate the exit, those up to
    the last day on which one could leave.
    """
    for name, value in (("hazard_per_year", hazard_per_year), ("years", years)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: {value}: use a number from 0")
    return math.exp(-hazard_per_year * years)
