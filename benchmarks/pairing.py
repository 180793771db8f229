"""What pairing is worth: fewer replications for the same certainty, and how long a decision takes.

In: replications of the baseline and two what-ifs under the same luck. Out: ratios of variances with intervals, and
the seconds until a difference of churn is known well enough, our way and the naive way.

Independent seeds need no second simulation: replications are independent of each other, so the difference of a
what-if's replication and *another* one of the baseline has the variance var(what-if) + var(baseline).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
from numpy.typing import NDArray

import sim
from benchmarks import loops
from benchmarks.company import BASELINE, SCENARIOS, contacts_simulated
from benchmarks.timing import Seconds, in_turn, processor_clock
from sim.model.compile import compile_inputs
from sim.study.kpis import HEADLINE, REALISED
from sim.study.results import KpiTable
from sim.study.statistics import t_quantile
from sim.study.worker import Job, execute

FloatArray = NDArray[np.float64]

CHURN, WAIT = "logo_churn_per_year", "support.wait_mean_minutes"
HIRE, ONE_MORE = "reroute_and_hire", "one_more_csm"
WHAT_IFS = (HIRE, ONE_MORE)
HALF_WIDTHS = (0.005, 0.001)  # of the 95 % interval of the difference of yearly churn
CONFIDENCE, RESAMPLES = 0.99, 9_999
FEWEST = 20  # replications in which both have a value, for a ratio to be told


@dataclass(frozen=True)
class Ratio:
    """A ratio of variances and its bootstrap interval, at `CONFIDENCE`."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:,.1f} ({self.low:,.1f} to {self.high:,.1f})"


@dataclass(frozen=True)
class Promise:
    """A ratio that has a target. independent, paired : the KPI that either way of comparing looks at."""

    what: str
    what_if: str
    independent: str
    paired: str
    target: float


PROMISES = (
    Promise("churn realised: paired against independent", HIRE, CHURN + REALISED, CHURN + REALISED, 5),
    Promise("churn: paired and expected against independent and realised", HIRE, CHURN + REALISED, CHURN, 20),
    Promise("Support's wait: paired against independent", ONE_MORE, WAIT, WAIT, 3),
)


def observed(replications: int, workers: int | None = None) -> KpiTable:
    """KPIs of the baseline and the what-ifs, in the order of `WHAT_IFS`, in the same replications."""
    return sim.compare(
        BASELINE, [SCENARIOS / f"{name}.yaml" for name in WHAT_IFS], replications=replications, workers=workers
    ).table


def variance_ratio(before: FloatArray, after: FloatArray, paired: FloatArray) -> Ratio | None:
    """How many times as many replications independent seeds need for the same interval.

    Parameters
    ----------
    before, after : (replications,), a KPI of the baseline and of the what-if: var(before) + var(after) is the variance
        of their difference under independent seeds. paired : (replications,), the paired difference.

    Notes
    -----
    The interval is of percentiles over resamples of whole replications, so that before, after and paired stay together.
    None where a value is missing too often, or the pairs do not differ.
    """
    known = ~np.isnan(before + after + paired)
    before, after, paired = before[known], after[known], paired[known]
    count = len(paired)
    if count < FEWEST or np.ptp(paired) <= 1e-9 * np.abs(after).max():
        return None

    def ratio(rows: NDArray[np.int64]) -> FloatArray:
        spread = before[rows].var(axis=-1, ddof=1) + after[rows].var(axis=-1, ddof=1)
        return np.asarray(spread / paired[rows].var(axis=-1, ddof=1))

    with np.errstate(divide="ignore", invalid="ignore"):  # a resample in which the pairs do not differ
        resampled = ratio(np.random.default_rng(1).integers(0, count, (RESAMPLES, count)))
    ends = np.nanquantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Ratio(float(ratio(np.arange(count))), *map(float, ends))


def ratio_of(table: KpiTable, what_if: str, independent: str, paired: str) -> Ratio | None:
    """The ratio for a what-if: the independent difference of one KPI against the paired one of the same or another."""
    before, after = table.of(0), table.of(1 + WHAT_IFS.index(what_if))
    return variance_ratio(before[independent], after[independent], after[paired] - before[paired])


def pairing(replications: int, rounds: int) -> Iterator[str]:
    """The section's lines."""
    table = observed(replications)
    yield (
        f"{replications} replications. A ratio of 5 means: with independent seeds five times as many replications give "
        f"the same interval. In brackets: {CONFIDENCE:.0%} bootstrap interval over replications."
    )
    yield ""
    yield from promises(table)
    yield ""
    yield from decision(table, rounds)
    yield ""
    yield from every_kpi(table)


def promises(table: KpiTable) -> Iterator[str]:
    """The ratios that have a target."""
    yield "| difference from the baseline | what-if | ratio of variances | target | |"
    yield "|---|---|---:|---:|---|"
    for one in PROMISES:
        found = ratio_of(table, one.what_if, one.independent, one.paired)
        met = "met" if found is not None and found.value >= one.target else "**missed**"
        yield f"| {one.what} | `{one.what_if}` | {found or '–'} | {one.target:g} | {met} |"


def every_kpi(table: KpiTable) -> Iterator[str]:
    """Each KPI paired against the same KPI independent, the headline ones first."""
    names = (*HEADLINE, *(name for name in table.kpis if name not in HEADLINE))
    found = {what_if: {name: ratio_of(table, what_if, name, name) for name in names} for what_if in WHAT_IFS}
    yield "Paired against independent, KPI by KPI; – where the what-if does not move it, or it has no spread."
    yield ""
    for what_if, ratios in found.items():
        known = [one.value for one in ratios.values() if one is not None]
        yield (
            f"- `{what_if}`: {len(known)} KPIs; half of them above {median(known):.1f}, the lowest {min(known):.1f}, "
            f"{np.mean(np.array(known) > 2):.0%} above 2."
        )
    yield ""
    yield f"| KPI | {' | '.join(f'`{what_if}`' for what_if in WHAT_IFS)} |"
    yield "|---|" + "---:|" * len(WHAT_IFS)
    for name in names:
        yield f"| `{name}` | {' | '.join(str(found[what_if][name] or '–') for what_if in WHAT_IFS)} |"


@dataclass(frozen=True)
class Way:
    """A way to learn a difference. sd : of one replication's difference. seconds : of one replication of both sides.

    arms : samples from which the spread is known, 2 where both sides have their own luck.
    """

    name: str
    sd: float
    seconds: float
    arms: int

    def replications(self, half_width: float) -> int:
        """The fewest replications whose 95 % interval is expected to be no wider than ± half_width."""
        count = 2
        while float(t_quantile(self.arms * (count - 1), 0.05)) * self.sd / math.sqrt(count) > half_width:
            count += 1
        return count


def ways(table: KpiTable, seconds: Seconds) -> tuple[Way, ...]:
    """From the naive way to ours: one thing at a time."""
    before, after = table.of(0), table.of(1 + WHAT_IFS.index(HIRE))
    realised = CHURN + REALISED
    independent = math.sqrt(before[realised].var(ddof=1) + after[realised].var(ddof=1))
    each = {name: median(taken) for name, taken in seconds.items()}
    # Churn needs accounts: this model, with its contact centre taken out and one process per contact put in.
    naive = each["apart"] - each["bare"] + each["processes"]
    return (
        Way("naive: a process per contact, independent seeds, realised churn", independent, naive, 2),
        Way("the same without any accounts, people or ledger", independent, each["processes"], 2),
        Way("this engine, independent seeds, realised churn", independent, each["apart"], 2),
        Way("this engine, paired, realised churn", _sd(after[realised] - before[realised]), each["paired"], 1),
        Way("this engine, paired, expected churn: `csm-planner compare`", _sd(after[CHURN] - before[CHURN]),
            each["paired"], 1),
    )  # fmt: skip


def _sd(values: FloatArray) -> float:
    return float(values.std(ddof=1))


def timed(rounds: int) -> Seconds:
    """Processor seconds of one replication of the baseline and `reroute_and_hire`, and of their contacts alone."""
    before, after = (compile_inputs(sim.load_scenario(file)) for file in (BASELINE, SCENARIOS / f"{HIRE}.yaml"))
    drawn = [loops.draw(contacts_simulated(inputs)) for inputs in (before, after)]

    def contacts(serve: Callable[[loops.Drawn], object]) -> None:
        for one in drawn:
            serve(one)

    return in_turn(
        {
            "processes": partial(contacts, loops.processes),
            "bare": partial(contacts, loops.rows_and_callbacks),
            "apart": lambda: [execute(Job(inputs, (inputs,), seed), 0) for seed, inputs in enumerate((before, after))],
            "paired": partial(execute, Job(before, (before, after), 1), 0),
        },
        rounds,
        processor_clock,
    )


def decision(table: KpiTable, rounds: int) -> Iterator[str]:
    """How long until the difference of churn is known, by each way."""
    seconds = timed(rounds)
    found = ways(table, seconds)
    naive, ours = found[0], found[-1]
    yield (
        f"Until the difference of yearly churn of `{HIRE}` is known: replications that give a 95 % interval of ± the "
        f"half-width, times processor seconds of one of them (both scenarios; medians of {rounds} rounds)."
    )
    for half_width in HALF_WIDTHS:
        yield ""
        yield f"| ± {half_width * 100:g} points | sd, points | replications | seconds each | seconds | × ours |"
        yield "|---|---:|---:|---:|---:|---:|"
        whole = ours.replications(half_width) * ours.seconds
        for way in found:
            count = way.replications(half_width)
            yield (
                f"| {way.name} | {100 * way.sd:.2f} | {count:,} | {way.seconds:.2f} | {count * way.seconds:,.1f} "
                f"| {count * way.seconds / whole:,.1f} |"
            )
    gain = ratio_of(table, HIRE, CHURN + REALISED, CHURN)
    assert gain is not None
    share = naive.seconds / ours.seconds
    yield ""
    yield (
        f"For narrow intervals, where few replications pay no extra: ratio of variances × ratio of times = "
        f"{gain.value:.1f} × {share:.2f} = {gain.value * share:.0f} × ({gain.low * share:.0f} to "
        f"{gain.high * share:.0f})."
    )
