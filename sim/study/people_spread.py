"""How burnout is spread over people, not only its mean: quartiles, the 90th percentile, the worst-off tenth.

In: each replication's persons with their mean burnout over the window. Out: figures of all replications' persons
together, by scenario and team, with 95 % intervals, and their paired differences to the baseline.

Persons are simulated; no figure is a statement about a real one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.study.kpi_parts import FloatArray
from sim.study.person_measures import PersonMeasures
from sim.study.statistics import ALPHA, Interval, t_quantile

QUANTILES = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "p90": 0.9}
FIGURES = ("mean", *QUANTILES, "worst_tenth_mean")
WORST = 0.1
RESAMPLES = 999
FEWEST_RESAMPLES = 99
MOST_CELLS = 200_000_000  # resamples x persons; beyond it there are fewer resamples
CELLS_AT_ONCE = 2_000_000
ROUNDING = 1e-9


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval over replications; None where there is nobody, or only one replication."""

    value: float | None
    ci95: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {"value": self.value, "ci95": self.ci95 and list(self.ci95)}


@dataclass(frozen=True)
class Spread:
    """One team's people in one scenario, of all replications together.

    persons : how many. recovering_share : of their weeks, in recovery. burnout : by name of `FIGURES`; a person counts
    by the weeks of employment.
    """

    persons: int
    recovering_share: float | None
    burnout: Mapping[str, Figure]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        figures = {name: figure.to_dict() for name, figure in self.burnout.items()}
        return {"persons": self.persons, "recovering_share": self.recovering_share, "burnout": figures}


TeamSpreads = Mapping[str, Spread]
TeamChanges = Mapping[str, Mapping[str, Figure]]


@dataclass(frozen=True)
class PeopleSpread:
    """Per scenario, the spread of each team; per what-if (the scenarios but the first), how the figures change."""

    scenarios: tuple[TeamSpreads, ...]
    changes: tuple[TeamChanges, ...]


def people_spread(teams: Sequence[str], measures: Sequence[Sequence[PersonMeasures]]) -> PeopleSpread:
    """The spread of burnout over people.

    measures : per scenario (the baseline first), per replication.

    Notes
    -----
    Replications are independent, the people of one are not. So the intervals come from resamples of whole
    replications, the same ones for all scenarios, which keeps the pairs together: value +- t x the standard deviation
    of the resampled values, with one degree of freedom less than replications (Efron and Tibshirani, An Introduction
    to the Bootstrap, 1993, chapters 6 and 8).
    """
    replications = len(measures[0])
    resamples = _resamples(replications, max(sum(len(one.team) for one in each) for each in measures))
    found = [[_team(each, team, resamples) for team in range(len(teams))] for each in measures]
    scenarios = tuple(
        {name: _spread(each, team, found[i][team], replications) for team, name in enumerate(teams)}
        for i, each in enumerate(measures)
    )
    changes = tuple(
        {
            name: _figures(
                each[team].values - found[0][team].values, each[team].drawn - found[0][team].drawn, replications
            )
            for team, name in enumerate(teams)
        }
        for each in found[1:]
    )
    return PeopleSpread(scenarios, changes)


@dataclass(frozen=True)
class _Found:
    """values : (figures,), of all persons. drawn : (resamples, figures); nan where there is nobody."""

    values: FloatArray
    drawn: FloatArray


def spread_figures(burnout: FloatArray, weights: FloatArray) -> FloatArray:
    """(samples, figures) of weighted persons.

    burnout : (persons,), rising. weights : (samples, persons), >= 0; nan comes out where they are all 0.

    A quantile is the least burnout that at least that share of the weight does not exceed. The worst-off tenth is the
    tenth of the weight with the highest burnout; a person on its edge counts in part.
    """
    summed = np.cumsum(weights, axis=1)
    total = summed[:, -1:]
    filled = total[:, 0] > 0
    result = np.full((len(weights), len(FIGURES)), np.nan)
    result[filled, 0] = (weights * burnout).sum(axis=1)[filled] / total[filled, 0]
    for column, share in enumerate(QUANTILES.values(), start=1):
        reached = summed >= (share - ROUNDING) * total
        result[filled, column] = burnout[np.argmax(reached, axis=1)][filled]
    tail = np.clip(summed - (1 - WORST) * total, 0.0, weights)
    result[filled, -1] = (tail * burnout).sum(axis=1)[filled] / (WORST * total[filled, 0])
    return result


def _resamples(replications: int, persons: int) -> NDArray[np.int64]:
    """(resamples, replications) how often each replication is drawn; the same for the same numbers."""
    if replications < 2:
        return np.zeros((0, replications), dtype=np.int64)
    number = int(np.clip(MOST_CELLS // max(persons, 1), FEWEST_RESAMPLES, RESAMPLES))
    seed = int.from_bytes(hashlib.sha256(f"people:{replications}".encode()).digest()[:16])
    random = np.random.default_rng(seed)
    return random.multinomial(replications, np.full(replications, 1 / replications), size=number)


def _team(measures: Sequence[PersonMeasures], team: int, resamples: NDArray[np.int64]) -> _Found:
    mine = [one.team == team for one in measures]
    burnout = np.concatenate([one.burnout[rows] for one, rows in zip(measures, mine, strict=True)]).astype(np.float64)
    weeks = np.concatenate([one.weeks[rows] for one, rows in zip(measures, mine, strict=True)]).astype(np.float64)
    if not len(burnout):
        return _Found(np.full(len(FIGURES), np.nan), np.full((len(resamples), len(FIGURES)), np.nan))
    replication = np.repeat(np.arange(len(measures)), [int(rows.sum()) for rows in mine])
    order = np.argsort(burnout, kind="stable")
    burnout, weeks, replication = burnout[order], weeks[order], replication[order]
    values = spread_figures(burnout, weeks[np.newaxis])[0]
    parts = [spread_figures(burnout, weeks * drawn[:, replication]) for drawn in _in_parts(resamples, len(burnout))]
    return _Found(values, np.concatenate([np.zeros((0, len(FIGURES))), *parts]))


def _in_parts(resamples: NDArray[np.int64], persons: int) -> Iterator[NDArray[np.int64]]:
    step = max(1, CELLS_AT_ONCE // persons)
    for first in range(0, len(resamples), step):
        yield resamples[first : first + step]


def _figures(
    values: FloatArray, drawn: FloatArray, replications: int, bounds: Interval = (-1.0, 1.0)
) -> dict[str, Figure]:
    """The figures by name, with intervals clipped to the values that are possible."""
    result = {}
    for column, name in enumerate(FIGURES):
        value, others = float(values[column]), drawn[:, column]
        others = others[~np.isnan(others)]
        interval = None
        if len(others) > 1 and not np.isnan(value):
            # n / (n - 1): a resample's variance about the sample is that much too small, as a sample's is.
            error = float(np.std(others, ddof=1)) * sqrt(replications / (replications - 1))
            half = float(t_quantile(replications - 1, ALPHA)) * error
            interval = (max(bounds[0], value - half), min(bounds[1], value + half))
        result[name] = Figure(None if np.isnan(value) else value, interval)
    return result


def _spread(measures: Sequence[PersonMeasures], team: int, found: _Found, replications: int) -> Spread:
    weeks = sum(int(one.weeks[one.team == team].sum(dtype=np.int64)) for one in measures)
    recovering = sum(int(one.recovering[one.team == team].sum(dtype=np.int64)) for one in measures)
    return Spread(
        persons=sum(int((one.team == team).sum()) for one in measures),
        recovering_share=recovering / weeks if weeks else None,
        burnout=_figures(found.values, found.drawn, replications, (0.0, 1.0)),
    )
