"""How a designed study is shown in a terminal: a matrix per KPI, or the points best first, and sentences.

In: a `DesignedStudy`. Out: lines of at most 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from textwrap import wrap
from typing import TYPE_CHECKING

from sim.study.decision import CHANGE_UNITS, plain_change
from sim.study.design import value_text

if TYPE_CHECKING:
    from sim.study.designed import Change, DesignedStudy, PointResult
    from sim.study.kpis import Kpi

WIDTH = 80
MOST_ROWS = 20
MOST_PAIRS = 6
NAME_WIDTH, VALUE_WIDTH, KPI_WIDTH = 24, 9, 13
HIGHER, LOWER, OPEN, SAME = "▲", "▼", "·", "="


def lines(found: DesignedStudy) -> list[str]:
    """All that is shown."""
    often = f"{found.replications:,} replication{'s' if found.replications != 1 else ''}"
    counted = f"{len(found.points):,} points, {often}, seed {found.provenance.seed}"
    text = [*wrap(f"{found.name}: {counted}", WIDTH), ""]
    if len(found.design.levels) == 2:
        for kpi in found.kpis.values():
            text += [*_matrix(found, kpi), ""]
    else:
        text += [*_table(found), ""]
    text += wrap(
        f"Differences from {found.baseline}. {HIGHER} surely higher, {LOWER} surely lower, {SAME} the same; "
        f"{OPEN} cannot be told: the 95 % interval, each by itself, holds 0. All intervals: --csv F or --json F.",
        WIDTH,
    )
    for sentence in (found.best_sentence, *_effects(found), *found.fit_sentences):
        text += ["", *wrap(sentence, WIDTH)]
    return text


def _effects(found: DesignedStudy) -> Iterator[str]:
    """What the factors do where no matrix shows it, and how they hang on each other: what is sure first."""
    if len(found.design.levels) != 2:
        yield from found.main_effect_sentences
    pairs = list(zip(found.interactions, found.interaction_sentences, strict=True))
    if len(found.design.levels) > 2:
        pairs = sorted(pairs, key=lambda pair: not pair[0].told)[:MOST_PAIRS]
    yield from (sentence for _, sentence in pairs)
    if len(found.interactions) > len(pairs):
        yield f"{len(found.interactions) - len(pairs):,} more pairs of factors: --json F."


def _matrix(found: DesignedStudy, kpi: Kpi) -> Iterator[str]:
    """A row per value of the first factor, a column per value of the second, in as many parts as the width asks for."""
    rows = found.matrix(kpi.name)
    scale = found.scale(kpi.name)
    yield from wrap(f"{kpi.label}, {_unit(kpi, scale)}: {found.labels[0]} down, {found.labels[1]} across", WIDTH)
    down, across = ([value_text(value) for value in levels] for levels in found.design.levels)
    cells = [[_cell(point.changes[kpi.name], kpi, scale) for point in row] for row in rows]
    left = max(map(len, down)) + 2
    width = max(len(text) for row in [across, *cells] for text in row) + 2
    at_once = max(1, (WIDTH - left) // width)
    for begin in range(0, len(across), at_once):
        some = slice(begin, begin + at_once)
        # The marks stand to the right of the numbers, the heads over the numbers.
        yield (" " * left + "".join(f"{head}  ".rjust(width) for head in across[some])).rstrip()
        for name, row in zip(down, cells, strict=True):
            yield name.rjust(left) + "".join(cell.rjust(width) for cell in row[some])


def _table(found: DesignedStudy) -> Iterator[str]:
    """A row per point, the best first: factors and KPIs as far as they fit."""
    ranked = found.ranked
    kpis = list(found.kpis.values())[: (WIDTH - 12 - VALUE_WIDTH) // KPI_WIDTH]
    named = found.design.kind == "csv"
    first = max(5, *(len(point.name) for point in ranked)) if named else len(str(len(ranked)))
    first = min(first, NAME_WIDTH)
    room = WIDTH - first - KPI_WIDTH * len(kpis)
    shown = min(len(found.labels), max(0, room // VALUE_WIDTH), len(ascii_uppercase))
    letters = ascii_uppercase[:shown]
    scales = [found.scale(kpi.name) for kpi in kpis]
    for letter, label in zip(letters, found.labels, strict=False):
        yield from wrap(f"{letter}  {label}", WIDTH, subsequent_indent="   ")
    if shown < len(found.labels):
        yield f"{len(found.labels) - shown} more factors: --csv F."
    heads = [
        [*wrap(kpi.label, KPI_WIDTH - 1), *wrap(_unit(kpi, scale), KPI_WIDTH - 1)]
        for kpi, scale in zip(kpis, scales, strict=True)
    ]
    depth = max(map(len, heads))
    for line in range(depth):
        last = line == depth - 1
        columns = [letter.rjust(VALUE_WIDTH) if last else " " * VALUE_WIDTH for letter in letters]
        columns += [([""] * (depth - len(head)) + head)[line].rjust(KPI_WIDTH) for head in heads]
        yield (("point" if last and named else "").ljust(first) + "".join(columns)).rstrip()
    for rank, point in enumerate(ranked[:MOST_ROWS], start=1):
        yield _row(point, (_short(point.name, first) if named else str(rank).rjust(first)), shown, kpis, scales)
    if len(ranked) > MOST_ROWS:
        yield f"and {len(ranked) - MOST_ROWS:,} more, down to {plain_change(*_last(found))}: --csv F."


def _row(point: PointResult, name: str, shown: int, kpis: Sequence[Kpi], scales: Sequence[float]) -> str:
    values = "".join(
        _short(value_text(value), VALUE_WIDTH - 1).strip().rjust(VALUE_WIDTH) for value in point.values[:shown]
    )
    changes = [_cell(point.changes[kpi.name], kpi, scale) for kpi, scale in zip(kpis, scales, strict=True)]
    return name + values + "".join(text.rjust(KPI_WIDTH) for text in changes)


def _last(found: DesignedStudy) -> tuple[float | None, str]:
    """The contribution's difference at the point that has the least of it, and its unit."""
    kpi = next(iter(kpi for name, kpi in found.kpis.items() if name == "contribution"))
    return found.ranked[-1].changes["contribution"].mean, kpi.unit


def _short(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)


def _cell(change: Change, kpi: Kpi, scale: float) -> str:
    """A difference with the mark of what is sure about it."""
    if change.mean is None:
        return "–  "
    number = plain_change(change.mean / scale, kpi.unit).removesuffix(CHANGE_UNITS.get(kpi.unit, ""))
    if change.ci95 == (0.0, 0.0):
        return f"{number} {SAME}"
    mark = OPEN if not change.told else HIGHER if change.mean > 0 else LOWER
    return f"{number} {mark}"


def _unit(kpi: Kpi, scale: float) -> str:
    """'thousand USD'; shares change by percentage points, 'pts'."""
    return f"{'thousand ' if scale > 1 else ''}{CHANGE_UNITS.get(kpi.unit, kpi.unit).strip()}"
