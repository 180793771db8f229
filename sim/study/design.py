"""The points of a designed study: which values are tried together.

In: factors with their values or ranges. Out: a `Design`: points in a fixed order, the same for the same input.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

MOST_POINTS = 1000
DIGITS = 12  # of a stepped value: 0.3, and not 0.30000000000000004

Kind = Literal["grid", "latin_hypercube", "csv"]
Value = Any  # a number, a truth value or a text; None leaves the field as it is


@dataclass(frozen=True)
class Factor:
    """A field that is varied.

    field : its dotted path, such as routing.rules[0].share. day : from when on its values hold; None is the start.
    """

    field: str
    label: str
    day: dt.date | None = None


@dataclass(frozen=True)
class Point:
    """One combination of values, in the order of the factors."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Design:
    """What is tried. levels : the values of each factor, of a grid only."""

    kind: Kind
    factors: tuple[Factor, ...]
    points: tuple[Point, ...]
    levels: tuple[tuple[Value, ...], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each factor of a grid has."""
        return tuple(map(len, self.levels))


def grid(factors: Sequence[Factor], levels: Sequence[Sequence[Value]]) -> Design:
    """All combinations; the last factor changes fastest."""
    points = tuple(point(factors, values) for values in itertools.product(*levels))
    return Design("grid", tuple(factors), points, tuple(map(tuple, levels)))


def latin_hypercube(
    factors: Sequence[Factor],
    spans: Sequence[tuple[float, float]],
    whole: Sequence[bool],
    points: int,
    seed: int,
) -> Design:
    """`points` combinations of which each factor has one value in every `points`-th part of its range.

    spans : lowest and highest value of each factor. whole : whether it takes whole numbers only: each from the lowest
    to the highest is then as likely as another, and occurs about as often. seed : of the drawing, not of the luck.

    Source: McKay, Beckman and Conover (1979), Technometrics 21(2).
    """
    from scipy.stats.qmc import LatinHypercube  # takes long to load

    drawn = LatinHypercube(d=len(factors), rng=np.random.default_rng(seed)).random(points)
    columns = [
        [_stretched(float(share), span, one) for share in drawn[:, i]]
        for i, (span, one) in enumerate(zip(spans, whole, strict=True))
    ]
    return Design(
        "latin_hypercube", tuple(factors), tuple(point(factors, values) for values in zip(*columns, strict=True))
    )


def steps(low: float, high: float, count: int) -> list[float | int]:
    """`count` >= 2 values from low to high, both included, equally far apart."""
    return [_as_written(low + (high - low) * i / (count - 1)) for i in range(count)]


def point(factors: Sequence[Factor], values: Sequence[Value], name: str = "") -> Point:
    """A point, called by its values if it has no name."""
    called = (f"{factor.label} {value_text(value)}" for factor, value in zip(factors, values, strict=True))
    return Point(name or ", ".join(called), tuple(values))


def value_text(value: Value) -> str:
    """A value as people read it: 0.25, 7, true, a text; 'as it is' for None."""
    if value is None:
        return "as it is"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.6g}"
    return str(value)


def _as_written(value: float) -> float | int:
    """A computed number with few digits; a whole one as a whole number."""
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short


def _stretched(share: float, span: tuple[float, float], whole: bool) -> float | int:
    """A share in [0, 1) of the way from the lowest to the highest value."""
    low, high = span
    if not whole:
        return low + share * (high - low)
    first, last = math.ceil(low), math.floor(high)
    return min(last, first + math.floor(share * (last - first + 1)))
