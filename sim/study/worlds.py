"""Plausible worlds: a comparison with all estimated assumptions drawn from their ranges, again and again.

In: a baseline and what-ifs. Out: scenarios of one world after the other; then, of their comparisons, a `Worlds`.

What the replications of one world differ in is chance, and more of them make it small. What the worlds differ in is
what nobody has measured, and more replications do not touch it. The two are told apart here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario, ScenarioError
from sim.scenario.evidence import Evidence
from sim.study.ends import all_at, contradicted, estimates, work_hours
from sim.study.kpis import Kpi
from sim.study.payback import share_interval
from sim.study.statistics import ALPHA, Interval, t_quantile

if TYPE_CHECKING:
    from sim.study.results import Comparison

FloatArray = NDArray[np.float64]

WORLDS_RANGE = (2, 1000)
WHERE = "with the assumptions of plausible world {}"


def worlds_of(scenarios: Sequence[Scenario], count: int, seed: int) -> Iterator[tuple[list[Scenario], int]]:
    """The scenarios of a comparison, the baseline first, in one world after the other, and how many numbers were drawn.

    Which numbers are drawn: as at the ends (`sim.study.ends`), and the teams begin with as much work. Each comes from
    its range, half of the worlds below the shipped number and half above it, and evenly on either side; a Latin
    hypercube spreads each number over its whole range however few worlds there are (McKay, Beckman and Conover,
    Technometrics 21, 1979). Numbers that contradict each other in a world stay there as they are shipped.

    Raises ScenarioError if a world cannot be simulated.
    """
    from scipy.stats.qmc import LatinHypercube  # takes long to load

    estimated, left_out = estimates(scenarios)
    rows = [row for path, row in estimated.items() if path not in left_out]
    known_work = work_hours(scenarios[0])
    luck = LatinHypercube(len(rows), rng=np.random.default_rng(seed)).random(count) if rows else np.empty((count, 0))
    for world in range(count):
        values: dict[str, float | None] = {
            row.path: drawn(row, float(u)) for row, u in zip(rows, luck[world], strict=True)
        }
        while True:
            try:
                yield all_at(scenarios, WHERE.format(world + 1), values, known_work), len(values)
                break
            except ScenarioError as error:
                wrong = contradicted(error.problems[0], list(values))
                if not wrong:
                    raise
                values = {path: value for path, value in values.items() if path not in wrong}


def left_out(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Why some assumptions are the same in all worlds, by dotted path."""
    return estimates(scenarios)[1]


def drawn(row: Evidence, luck: float) -> float:
    """A number from its range; luck in (0, 1), where 1/2 is the number itself. Whole numbers stay whole."""
    if row.low is None or row.high is None or isinstance(row.value, tuple):
        raise ValueError(f"{row.path} has no range")
    middle = min(max(float(row.value), row.low), row.high)
    below, above = min(1.0, 2 * luck), max(0.0, 2 * luck - 1)
    value = row.low + below * (middle - row.low) + above * (row.high - middle)
    return round(value) if isinstance(row.value, int) else value


def worlds_result(found: Sequence[Comparison], drawn: int, replications: int, left_out: Mapping[str, str]) -> Worlds:
    """What comparisons of the same scenarios in several worlds say together; without those that lack a replication."""
    first = found[0]
    names = tuple(one.name for one in first.scenarios)
    whole = [one for one in found if one.replications == replications]
    tables = [one.table.values for one in whole]
    kpis: list[dict[str, KpiInWorlds]] = []
    for i in range(1, len(names)):
        by_name = {}
        for k, name in enumerate(first.table.kpis):
            differences = np.array([table[i, :, k] - table[0, :, k] for table in tables]).reshape(-1, replications)
            one = over_worlds(first.registry[name], differences)
            if one is not None:
                by_name[name] = one
        kpis.append(by_name)
    failures = tuple(f"World {i}: {text}" for i, one in enumerate(found, start=1) for text in one.failures)
    return Worlds(names[1:], len(whole), replications, drawn, left_out, tuple(kpis), failures)


@dataclass(frozen=True)
class KpiInWorlds:
    """One KPI's difference over worlds.

    better_share : of the worlds whose mean difference is in the better direction; ci95 : its interval (Clopper and
    Pearson), which is about the number of worlds. surely_better, surely_worse : shares of the worlds in which chance
    alone does not explain it. low, median, high : of the worlds' means, nine in ten between low and high.
    sd_worlds, sd_chance : standard deviation of the worlds' true differences, and of one world's mean by chance.
    """

    better_share: float | None
    ci95: Interval | None
    surely_better: float | None
    surely_worse: float | None
    low: float
    median: float
    high: float
    sd_worlds: float
    sd_chance: float

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "better_share": self.better_share,
            "ci95": None if self.ci95 is None else list(self.ci95),
            "surely_better": self.surely_better,
            "surely_worse": self.surely_worse,
            "p5": self.low,
            "median": self.median,
            "p95": self.high,
            "sd_worlds": self.sd_worlds,
            "sd_chance": self.sd_chance,
        }


@dataclass(frozen=True)
class Worlds:
    """What a comparison says over plausible worlds.

    scenarios : names of the what-ifs. kpis : per what-if, by KPI. drawn : how many assumptions were drawn, at least.
    left_out : why the others stay.
    """

    scenarios: tuple[str, ...]
    count: int
    replications: int
    drawn: int
    left_out: Mapping[str, str]
    kpis: tuple[Mapping[str, KpiInWorlds], ...]
    failures: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "worlds": self.count,
            "replications": self.replications,
            "drawn": self.drawn,
            "left_out": dict(self.left_out),
            "differences": [
                {"scenario": name, "kpis": {kpi: one.to_dict() for kpi, one in kpis.items()}}
                for name, kpis in zip(self.scenarios, self.kpis, strict=True)
            ],
        }


def over_worlds(kpi: Kpi, differences: FloatArray) -> KpiInWorlds | None:
    """One KPI over worlds; None where fewer than two worlds have a value in all their replications.

    differences : (worlds, replications), at least two replications, scenario less baseline, nan where there is none.

    Notes
    -----
    Chance is the spread within worlds, pooled over them (one-way analysis of variance with random worlds): a world's
    mean is off by sd_chance, and is surely better or worse if it is further from 0 than chance makes it in 5 % of
    worlds. The spread of the worlds themselves is what is left of the means' spread.
    """
    known = differences[~np.isnan(differences).any(axis=1)]
    count, replications = known.shape
    if count < 2:
        return None
    means = known.mean(axis=1)
    freedom = count * (replications - 1)
    chance = float(((known - means[:, None]) ** 2).sum()) / freedom / replications
    between = max(0.0, float(means.var(ddof=1)) - chance)
    low, median, high = (float(x) for x in np.quantile(means, (0.05, 0.5, 0.95)))
    shares: tuple[float | None, Interval | None, float | None, float | None] = (None, None, None, None)
    if kpi.better is not None:
        gain = means if kpi.better == "higher" else -means
        reach = float(t_quantile(freedom, ALPHA)) * math.sqrt(chance)
        better = int((gain > 0).sum())
        shares = (
            better / count,
            share_interval(better, count),
            float((gain > reach).mean()),
            float((gain < -reach).mean()),
        )
    return KpiInWorlds(*shares, low, median, high, math.sqrt(between), math.sqrt(chance))
