"""What a designed study found: every point beside the baseline, the best one, and what the factors do.

In: a `StudyPlan` and KPIs by replication, all under the same luck. Out: `DesignedStudy`, as tables, JSON and CSV.
All intervals are 95 % and pointwise: each holds by itself, not all of them together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.study.csv_text import csv_text
from sim.study.decision import plain, plain_change, plain_interval, rounded
from sim.study.design import Design, Value, value_text
from sim.study.effects import Fit, Interaction, MainEffect, fit, interactions, main_effects
from sim.study.kpis import Kpi
from sim.study.provenance import Provenance
from sim.study.ranking import Ranking, ranking
from sim.study.statistics import ALPHA, Estimate, Interval, estimate, paired
from sim.study.study_plan import StudyPlan

if TYPE_CHECKING:
    import pandas

FloatArray = NDArray[np.float64]
BEST_BY = "contribution"
MOST_NAMED = 3
THOUSANDS_FROM = 10_000


@dataclass(frozen=True)
class Change:
    """Point less baseline, replication by replication: its mean and 95 % interval; None where there is none."""

    mean: float | None
    ci95: Interval | None

    @property
    def told(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.ci95 is not None and not self.ci95[0] <= 0 <= self.ci95[1]


@dataclass(frozen=True)
class PointResult:
    """What one point achieves. values : of the factors. estimates, changes : by KPI."""

    name: str
    values: tuple[Value, ...]
    estimates: Mapping[str, Estimate]
    changes: Mapping[str, Change]


@dataclass(frozen=True)
class DesignedStudy:
    """What a designed study found. points : in the design's order. kpis : those that are shown, by name.

    ranking : of the contribution; None if no replication has it at all points. main_effects, interactions : of a grid.
    fits : of a Latin hypercube, where it has points enough.
    failures : replications that could not be had.
    """

    name: str
    baseline: str
    departs_from: str
    design: Design
    kpis: Mapping[str, Kpi]
    points: tuple[PointResult, ...]
    baselines: Mapping[str, Estimate]
    ranking: Ranking | None
    main_effects: tuple[MainEffect, ...]
    interactions: tuple[Interaction, ...]
    fits: tuple[Fit, ...]
    replications: int
    provenance: Provenance
    failures: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the factors are called."""
        return tuple(factor.label for factor in self.design.factors)

    @property
    def best(self) -> PointResult | None:
        """The point with the highest mean contribution."""
        return None if self.ranking is None else self.points[self.ranking.order[0]]

    @property
    def ranked(self) -> list[PointResult]:
        """The points, highest mean contribution first; those without one last."""
        return sorted(self.points, key=lambda one: -_height(one))

    def scale(self, kpi: str) -> float:
        """By what a table divides the differences of a KPI: 1000 for money that is large somewhere, else 1."""
        changes = (point.changes[kpi].mean for point in self.points)
        largest = max((abs(change) for change in changes if change is not None), default=0.0)
        return 1000.0 if _is_money(self.kpis[kpi].unit) and largest >= THOUSANDS_FROM else 1.0

    def matrix(self, kpi: str) -> list[list[PointResult]]:
        """The points of a grid of two factors: a row per value of the first, a column per value of the second."""
        if len(self.design.levels) != 2 or kpi not in self.kpis:
            raise ValueError("A matrix needs a grid of two factors, and a KPI that the study has.")
        across = self.design.shape[1]
        return [list(self.points[i : i + across]) for i in range(0, len(self.points), across)]

    @property
    def best_sentence(self) -> str:
        """Which point is best, and how far that can be trusted."""
        return " ".join(filter(None, (self.best_headline, self.best_caution)))

    @property
    def best_headline(self) -> str:
        """Which point is best."""
        if self.best is None or self.ranking is None:
            return "No point has a contribution, so none is best."
        change, unit = self.best.changes[BEST_BY], self._unit(BEST_BY)
        figure = _figure(change.mean, unit)
        interval = "" if change.ci95 is None else f" ({plain_interval(change.ci95, unit)})"
        count = len(self.points)
        if count == 1:
            return f"{self.best.name}: contribution {figure}{interval} beside {self.baseline}."
        if change.mean is None or change.mean <= 0:
            return (
                f"None of the {count:,} points has a higher contribution than {self.baseline}; nearest comes "
                f"{self.best.name}, with {figure}{interval}."
            )
        told = "" if change.told else f" It cannot be told from {self.baseline} yet."
        return (
            f"The highest contribution of {count:,} points: {self.best.name}, {figure}{interval} beside "
            f"{self.baseline}.{told}"
        )

    @property
    def best_caution(self) -> str:
        """How far the best point can be trusted; '' where there was nothing to pick."""
        if self.best is None or self.ranking is None or len(self.points) == 1:
            return ""
        if (self.best.changes[BEST_BY].mean or 0.0) <= 0:
            return ""
        return (
            f"{self._rivals(self.ranking)} The best of many is an optimistic pick: luck helped to choose it, so expect "
            "somewhat less, and compare it again under another seed before you rely on it."
        )

    def _rivals(self, found: Ranking) -> str:
        """Which points may be the best, and what the pick may give away."""
        if found.gives_away is None:
            return "One replication says nothing sure of the others."
        others = len(found.may_be_best) - 1
        if others == 0:
            return "It is the best of them with 95 % confidence."
        unit = self._unit(BEST_BY)
        named = "; ".join(self.points[i].name for i in found.may_be_best[1 : 1 + MOST_NAMED])
        more = f"; {others - MOST_NAMED:,} more" if others > MOST_NAMED else ""
        which = "1 other" if others == 1 else f"one of {others:,} others"
        return (
            f"With 95 % confidence the best of them is this one or {which} ({named}{more}), and this one gives away at "
            f"most {unit} {rounded(found.gives_away)}."
        )

    @property
    def main_effect_sentences(self) -> list[str]:
        """For each KPI: what each factor of a grid does from its first to its last value."""
        found = []
        for name, kpi in self.kpis.items():
            parts = []
            for one in (effect for effect in self.main_effects if effect.kpi == name):
                first, last = (value_text(self.design.levels[one.factor][side]) for side in (0, -1))
                interval = f" ({plain_interval(one.change.ci95, kpi.unit)})" if one.change.ci95 else ""
                change = f"{_figure(one.change.mean, kpi.unit)}{interval}"
                parts.append(f"{self.labels[one.factor]} from {first} to {last} {change}")
            if parts:
                others = ", in the mean over the other factors" if len(parts) > 1 else ""
                found.append(f"{kpi.label}{others}: {'; '.join(parts)}.")
        return found

    @property
    def interaction_sentences(self) -> list[str]:
        """For each KPI and pair: what the first factor does at both ends of the second, and whether that differs."""
        return [self._interaction(one) for one in self.interactions]

    def _interaction(self, one: Interaction) -> str:
        kpi = self.kpis[one.kpi]
        (a, b), levels = one.factors, self.design.levels
        first, second = self.labels[a], self.labels[b]
        ends = [value_text(levels[b][side]) for side in (0, -1)]
        text = (
            f"{kpi.label}: {first} from {value_text(levels[a][0])} to {value_text(levels[a][-1])} changes it by "
            f"{_figure(one.at_first.mean, kpi.unit)} at {second} {ends[0]} and by "
            f"{_figure(one.at_last.mean, kpi.unit)} at {ends[1]}"
        )
        if one.difference.ci95 is None:
            return f"{text}; two replications at least would tell whether that differs."
        interval = plain_interval(one.difference.ci95, kpi.unit)
        told = f"{_figure(one.difference.mean, kpi.unit)} ({interval})"
        if one.told:
            return f"{text}. The two differ by {told}: what one does hangs on the other."
        return f"{text}. Whether what one does hangs on the other cannot be told: they differ by {told}."

    @property
    def fit_sentences(self) -> list[str]:
        """For each KPI: what the factors do over their ranges in a straight-line picture, the strongest first."""
        found = []
        for one in self.fits:
            kpi = self.kpis[one.kpi]
            order = sorted(one.slopes, key=lambda slope: -abs(slope.over_range.mean or 0.0))
            parts = [
                f"{self.labels[slope.factor]} {_figure(slope.over_range.mean, kpi.unit)}"
                + (f" ({plain_interval(slope.over_range.ci95, kpi.unit)})" if slope.over_range.ci95 else "")
                for slope in order
            ]
            shows = "" if one.r_squared is None else f" A straight line shows {plain(one.r_squared, 'share')} of the "
            found.append(
                f"{kpi.label}, each from its lowest to its highest value: {'; '.join(parts)}."
                + (f"{shows}differences between points." if shows else "")
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        labels = self.labels
        return {
            "provenance": self.provenance.to_dict(),
            "name": self.name,
            "baseline": self.baseline,
            "scenario": self.departs_from,
            "design": self.design.kind,
            "replications": self.replications,
            "factors": [
                {"field": one.field, "label": one.label, "from": one.day.isoformat() if one.day else None}
                for one in self.design.factors
            ],
            "kpis": {
                name: {"label": kpi.label, "unit": kpi.unit, "baseline": _plain(self.baselines[name])}
                for name, kpi in self.kpis.items()
            },
            "points": [
                {
                    "name": point.name,
                    "values": list(point.values),
                    "kpis": {
                        name: _plain(point.estimates[name]) | {"difference": _plain(point.changes[name])}
                        for name in self.kpis
                    },
                }
                for point in self.points
            ],
            "best": {"sentence": self.best_sentence} | ({} if self.ranking is None else self.ranking.to_dict()),
            "main_effects": [
                {"kpi": one.kpi, "factor": labels[one.factor]} | _plain(one.change) for one in self.main_effects
            ],
            "interactions": [
                {
                    "kpi": one.kpi,
                    "factors": [labels[i] for i in one.factors],
                    "at_first": _plain(one.at_first),
                    "at_last": _plain(one.at_last),
                    "difference": _plain(one.difference),
                }
                for one in self.interactions
            ],
            "regressions": [
                {
                    "kpi": one.kpi,
                    "r_squared": one.r_squared,
                    "slopes": [
                        {
                            "factor": labels[slope.factor],
                            "over_range": _plain(slope.over_range),
                            "standardised": None if slope.standardised is None else _plain(slope.standardised),
                        }
                        for slope in one.slopes
                    ],
                }
                for one in self.fits
            ],
        }

    def to_json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"

    def to_frame(self) -> pandas.DataFrame:
        """A row per point and KPI: the factors' values, mean and interval, difference to the baseline and interval."""
        import pandas

        return pandas.DataFrame(self._rows(), columns=self._columns())

    def to_csv(self) -> str:
        """The same rows as CSV."""
        return csv_text(self._columns(), self._rows())

    def _columns(self) -> list[str]:
        figures = ("mean", "low", "high", "difference", "difference_low", "difference_high", "unit")
        return ["point", *(factor.field for factor in self.design.factors), "kpi", *figures]

    def _rows(self) -> Iterator[list[object]]:
        for point in self.points:
            for name, kpi in self.kpis.items():
                known, change = point.estimates[name], point.changes[name]
                low, high = known.ci95 or (None, None)
                least, most = change.ci95 or (None, None)
                yield [point.name, *point.values, name, known.mean, low, high, change.mean, least, most, kpi.unit]

    def _unit(self, kpi: str) -> str:
        return self.kpis[kpi].unit


def designed(
    plan: StudyPlan,
    registry: Mapping[str, Kpi],
    measured: Sequence[Sequence[Mapping[str, float | None]]],
    made: Provenance,
) -> DesignedStudy:
    """The study's result. measured : per replication, the KPIs of the baseline and then of each point."""
    kpis = {name: registry[name] for name in dict.fromkeys((*plan.kpis, BEST_BY))}
    values = {
        name: np.array([[_number(one[name]) for one in parts] for parts in measured], np.float64).T for name in kpis
    }  # (1 + points, replications)
    points = tuple(
        PointResult(
            point.name,
            point.values,
            {name: estimate(rows[row]) for name, rows in values.items()},
            {name: _change(rows[0], rows[row], kpis[name]) for name, rows in values.items()},
        )
        for row, point in enumerate(plan.design.points, start=1)
    )
    mains: list[MainEffect] = []
    pairs: list[Interaction] = []
    fits: list[Fit] = []
    for name in plan.kpis:
        rows = values[name][1:]
        if plan.design.kind == "grid":
            cells = rows.reshape(*plan.design.shape, -1)
            mains += main_effects(name, cells)
            pairs += interactions(name, cells)
        elif plan.design.kind == "latin_hypercube":
            found = fit(name, np.array([point.values for point in points], np.float64), rows)
            fits += [found] if found is not None else []
    return DesignedStudy(
        name=plan.name,
        baseline=plan.baseline.name,
        departs_from=plan.departs_from,
        design=plan.design,
        kpis=kpis,
        points=points,
        baselines={name: estimate(rows[0]) for name, rows in values.items()},
        ranking=_ranked([point.name for point in points], values[BEST_BY][1:]),
        main_effects=tuple(mains),
        interactions=tuple(pairs),
        fits=tuple(fits),
        replications=len(measured),
        provenance=made,
        failures=made.failed,
    )


def _ranked(names: Sequence[str], values: FloatArray) -> Ranking | None:
    """The order of the points; one alone is the best."""
    return ranking(names, values, "higher", ALPHA) if len(names) > 1 else Ranking(tuple(names), (0,), (0,), 0.0, ALPHA)


def _change(baseline: FloatArray, point: FloatArray, kpi: Kpi) -> Change:
    """The paired difference, with the interval that a comparison of the two gives."""
    found = paired(baseline, point, kpi.name if kpi.skewed else None)
    return Change(found.mean, found.interval(ALPHA))


def _figure(change: float | None, unit: str) -> str:
    """'USD +1,200', '+0.40 pts', '+3.10 min', '−0.012'."""
    return f"{unit} {plain_change(change, unit)}" if _is_money(unit) else plain_change(change, unit)


def _is_money(unit: str) -> bool:
    return unit[:3].isupper()


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _height(point: PointResult) -> float:
    mean = point.estimates[BEST_BY].mean
    return -np.inf if mean is None else mean


def _plain(one: Estimate | Change) -> dict[str, Any]:
    return {"mean": one.mean, "ci95": None if one.ci95 is None else list(one.ci95)}
