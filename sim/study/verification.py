"""Holds the engine against closed forms: textbook queues simulated by their scenario files, row by row.

In: rows, and the folder of their scenarios. Out: a `Verification`: per figure what theory says, what is simulated, its
interval, and whether they agree; per row whether it could have seen a defect of 2 %.

What the intervals rest on: docs/verification.md.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.model.compile import compile_inputs
from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.model.luck import name_key, number_key
from sim.scenario import Problem, Scenario, ScenarioError, load_scenario
from sim.study.errors import Interrupted, StudyInputError
from sim.study.executors import LocalPool
from sim.study.experiment import Progress, restart_notes
from sim.study.limits import SEED_RANGE
from sim.study.provenance import Provenance, provenance
from sim.study.queue_totals import Totals
from sim.study.statistics import ratio_interval
from sim.study.verification_rows import ROWS, Row
from sim.study.verification_theory import FIGURES
from sim.study.worker import Finished, Job

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "textbook"
ERRS = 0.001  # chance that the whole table calls a right engine wrong
DEFECT = 0.02  # of the service rate, which every row must be able to see
RELAXATIONS = 10  # at least so many relaxation times are simulated before anything counts
FEWEST_REPLICATIONS = 10
WORK_OF_A_WEEK, WORK_OF_AN_ACCOUNT = 500, 0.03  # over that of a contact, roughly: for the time left only


@dataclass(frozen=True)
class Cell:
    """One figure of a row. theory, simulated, low, high : in `unit`; low to high is the interval of the simulated.

    shift : by how much a service rate that is 2 % too low would move it.
    """

    figure: str
    label: str
    unit: str
    theory: float
    simulated: float
    low: float
    high: float
    shift: float

    @property
    def agrees(self) -> bool:
        """Whether the interval holds what theory says."""
        return self.low <= self.theory <= self.high

    @property
    def sharp(self) -> bool:
        """Whether the interval's half-width is at most half of the shift."""
        return 0 < self.shift < math.inf and (self.high - self.low) / 2 <= self.shift / 2


@dataclass(frozen=True)
class VerifiedRow:
    """One row. load : per agent, nan without a queue. seed : of its replications.

    problems : sentences on what is wrong beside its cells.
    """

    name: str
    file: str
    load: float
    seed: int
    replications: int
    warm_up_hours: float
    relaxation_hours: float
    cells: tuple[Cell, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Every figure agrees, one is sharp, and nothing else is wrong."""
        return all(cell.agrees for cell in self.cells) and not self.problems


@dataclass(frozen=True)
class Verification:
    """The whole table. confidence : of each interval, so that all together err once in a thousand tables."""

    rows: tuple[VerifiedRow, ...]
    confidence: float
    provenance: Provenance

    @property
    def cells(self) -> int:
        """How many figures are compared."""
        return sum(len(row.cells) for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def to_json(self) -> str:
        """The table with all digits."""
        told: dict[str, Any] = {
            "provenance": self.provenance.to_dict(),
            "passed": self.passed,
            "confidence_per_cell": self.confidence,
            "rows": [_row_dict(row) for row in self.rows],
        }
        return json.dumps(told, indent=1, allow_nan=False) + "\n"


def _row_dict(row: VerifiedRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "scenario": row.file,
        "load": _number(row.load),
        "seed": row.seed,
        "replications": row.replications,
        "warm_up_hours": row.warm_up_hours,
        "relaxation_hours": row.relaxation_hours,
        "passed": row.passed,
        "problems": list(row.problems),
        "figures": {
            cell.figure: {
                "unit": cell.unit,
                "theory": _number(cell.theory),
                "simulated": _number(cell.simulated),
                "interval": [_number(cell.low), _number(cell.high)],
                "shift_by_defect": _number(cell.shift),
                "agrees": cell.agrees,
                "sharp": cell.sharp,
            }
            for cell in row.cells
        },
    }


def _number(value: float) -> float | None:
    """A number that JSON knows: a queue without an end has none, nor have replications in which nobody came."""
    return value if math.isfinite(value) else None


def verify(
    rows: Sequence[Row] = ROWS,
    *,
    folder: Path | None = None,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Verification:
    """Simulates the rows and compares them with theory.

    Parameters
    ----------
    folder : of the scenario files; by default the ones of the source checkout. seed : root seed.
    workers : processes; by default one per core. The result is the same bits for any number.
    progress, cancel : as in `sim.study.experiment.run`.

    Raises
    ------
    StudyInputError if the folder is not there, ScenarioError for files with errors; Interrupted.
    """
    scenarios = _scenarios(rows, FOLDER if folder is None else folder)
    inputs = [compile_inputs(scenario) for scenario in scenarios]
    alpha = ERRS / sum(len(row.figures) for row in rows)
    meter = _Meter(rows, inputs, progress)
    verified = []
    with LocalPool(workers) as pool:
        for index, finished in enumerate(_finished(rows, inputs, seed, pool, meter, cancel)):
            verified.append(_verified(rows[index], inputs[index], finished, alpha, seed))
    named = provenance(scenarios, seed, sum(row.replications for row in rows))
    return Verification(tuple(verified), 1 - alpha, named)


def row_seed(seed: int, row: Row) -> int:
    """The root seed of one row's replications.

    Rows have luck of their own: with one for all, the same customers would call in each, and all rows would err to the
    same side. It hangs on the row's file alone, so that the quick table shows what the full one does.
    """
    return number_key(seed, name_key(row.file)) & SEED_RANGE[1]


def _scenarios(rows: Sequence[Row], folder: Path) -> list[Scenario]:
    """The rows' scenarios; raises ScenarioError with all problems of all files."""
    if not folder.is_dir():
        raise StudyInputError(
            f"{folder}: the textbook scenarios are not there. They come with the source code, not with the installed "
            "package; take a checkout, or name their folder with --scenarios."
        )
    found, problems = [], dict[Problem, None]()
    for row in rows:
        try:
            found.append(load_scenario(folder / row.file))
        except ScenarioError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ScenarioError(list(problems))
    return found


def _finished(
    rows: Sequence[Row],
    inputs: Sequence[Inputs],
    seed: int,
    pool: LocalPool,
    meter: _Meter,
    cancel: Callable[[], bool] | None,
) -> Iterator[list[Finished]]:
    """The replications of each row, in order.

    A row is queued while the one before it is computed, so that no worker waits for the last replication of a row.
    """
    studies = [pool.study() for _ in rows]

    def queue(index: int) -> None:
        if index < len(rows):
            row = rows[index]
            job = Job(inputs[index], (inputs[index],), row_seed(seed, row), totals=row.theory.totals)
            studies[index].submit(job, range(row.replications))

    queue(0)
    meter.show()
    for index, study in enumerate(studies):
        queue(index + 1)
        done = []
        for one in study.as_completed():
            if one is not None:
                done.append(one)
                meter.add(index, one.restarts)
            if cancel is not None and cancel():
                raise Interrupted(meter.done, meter.total, None)
        yield sorted(done, key=lambda one: one.replication)


def _verified(row: Row, inputs: Inputs, finished: Sequence[Finished], alpha: float, seed: int) -> VerifiedRow:
    """The row's figures with their intervals, and what is wrong with it."""
    totals = [one.totals[0] for one in finished if one.error is None]
    problems = [f"replication {one.replication} failed: {one.error}" for one in finished if one.error is not None]
    cells: tuple[Cell, ...] = ()
    if len(totals) >= FEWEST_REPLICATIONS:
        right, wrong = row.theory.figures(), row.theory.figures(1 - DEFECT)
        cells = tuple(_cell(name, right[name], wrong[name], totals, alpha) for name in row.figures)
    else:
        problems.append(f"{len(totals)} replications; at least {FEWEST_REPLICATIONS} are needed")
    if cells and not any(cell.sharp for cell in cells):
        problems.append(f"not sharp: no interval is narrow enough to show a service rate {DEFECT:.0%} too low")
    warm_up, relaxation = inputs.warm_up_weeks * HOURS_PER_WEEK, row.theory.relaxation_hours
    if warm_up < RELAXATIONS * relaxation:
        problems.append(
            f"the warm-up of {warm_up:.0f} hours is shorter than {RELAXATIONS} relaxation times of {relaxation:.1f}"
        )
    return VerifiedRow(
        row.name,
        row.file,
        row.theory.load,
        row_seed(seed, row),
        len(totals),
        warm_up,
        relaxation,
        cells,
        tuple(problems),
    )


def _cell(name: str, theory: float, with_defect: float, totals: Sequence[Totals], alpha: float) -> Cell:
    kind, colon, part = name.partition(":")
    figure = FIGURES[kind]
    above, below = (np.array([one[total + colon + part] for one in totals]) for total in (figure.above, figure.below))
    mean, low, high = ratio_interval(above, below, alpha)
    label = f"{figure.label}, {part.replace('_', ' ')}" if part else figure.label
    in_unit = 60.0 if figure.unit == "minutes" else 1.0  # theory and totals are in hours
    return Cell(
        name, label, figure.unit, in_unit * theory, in_unit * mean, in_unit * low, in_unit * high,
        in_unit * abs(with_defect - theory),
    )  # fmt: skip


class _Meter:
    """Tells the caller how far the table is; the time left goes by the work of the rows, which differs."""

    def __init__(
        self, rows: Sequence[Row], inputs: Sequence[Inputs], progress: Callable[[Progress], None] | None
    ) -> None:
        self.done, self.total = 0, sum(row.replications for row in rows)
        self._work = [_work(one) for one in inputs]
        self._all_work = sum(row.replications * work for row, work in zip(rows, self._work, strict=True))
        self._done_work = 0.0
        self._restarts = 0
        self._names = [row.name for row in rows]
        self._now = ""
        self._progress = progress
        self._began = time.monotonic()

    def add(self, row: int, restarts: int) -> None:
        """A replication of a row has ended."""
        self.done += 1
        self._done_work += self._work[row]
        self._restarts += restarts
        self._now = self._names[row]
        self.show()

    def show(self) -> None:
        """Calls `progress`."""
        if self._progress is None:
            return
        elapsed = time.monotonic() - self._began
        left = elapsed / self._done_work * (self._all_work - self._done_work) if self._done_work else None
        self._progress(Progress(self.done, self.total, elapsed, left, self._now, restart_notes(self._restarts)))


def _work(inputs: Inputs) -> float:
    """The work of a replication, in about the time of a contact: contacts, and the weeks of the accounts."""
    weeks, phase = inputs.weeks + inputs.warm_up_weeks, inputs.phases[0]
    accounts = len(inputs.book.keys)
    won = sum(tier.new_accounts_per_week * phase.switches.growth for tier in phase.tiers) * inputs.weeks
    contacts = accounts * float(phase.categories.rate_per_week.sum())
    return weeks * (WORK_OF_A_WEEK + contacts + (accounts + won) * WORK_OF_AN_ACCOUNT)
