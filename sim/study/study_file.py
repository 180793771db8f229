"""What a study file says: which scenario departs from which baseline, what is varied and what is shown.

In: the path of a YAML file. Out: a frozen `StudyFile` with its lines, or a `ScenarioError` with every problem.
The files that it names are in its folder, in the one above it, or below them. `study_plan.py` works out what it means.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import Field, ValidationError

from sim.scenario.errors import Problem, ScenarioError, shown
from sim.scenario.files import file_bytes, why_unreadable
from sim.scenario.part_file import problem_of
from sim.scenario.paths import why_not_inside
from sim.scenario.schema_types import Date, FileName, Part
from sim.scenario.tree import Path, Tree, read_tree
from sim.study.design import MOST_POINTS
from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE

KPIS = ("contribution", "logo_churn_per_year")
KINDS = ("grid", "latin_hypercube", "csv")

Seed = Annotated[int, Field(ge=SEED_RANGE[0], le=SEED_RANGE[1])]
Number = Annotated[float, Field(ge=-1e12, le=1e12)]


class VariedField(Part):
    """A field that is varied."""

    field: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="dotted path of a field of the scenario, such as routing.rules[0].share"
    )
    label: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="what tables and pictures call it; without it, its path"
    )
    from_: Date | None = Field(
        default=None, alias="from", description="day from which its values hold; without it, from the start"
    )


class GridFactor(VariedField):
    """A factor of a grid: its values, or equal steps from low to high."""

    values: list[Any] | None = Field(
        default=None, min_length=2, max_length=50, description="numbers, words or truth values, in order"
    )
    low: Number | None = Field(default=None, description="first value")
    high: Number | None = Field(default=None, description="last value")
    steps: Annotated[int, Field(ge=2, le=50)] | None = Field(
        default=None, description="how many values, low and high included"
    )


class RangeFactor(VariedField):
    """A factor of a Latin hypercube: its range."""

    low: Number = Field(description="lowest value")
    high: Number = Field(description="highest value")
    whole: bool = Field(default=False, description="whole numbers only, as in fields that take no others")


class LatinHypercube(Part):
    """Points spread evenly over the ranges of many factors."""

    points: Annotated[int, Field(ge=2, le=MOST_POINTS)] = Field(description="how many")
    seed: Seed = Field(default=1, description="root of the drawing of points, not of the luck in them")
    factors: list[RangeFactor] = Field(min_length=1, max_length=20)


class DeltaFile(Part):
    """Points in a CSV file: a column per field, a row per point."""

    file: FileName = Field(description="CSV file; its first column may be 'name'")
    from_: Date | None = Field(
        default=None, alias="from", description="day from which the values hold; without it, from the start"
    )


class DesignPart(Part):
    """What is tried: one of the three."""

    grid: list[GridFactor] | None = Field(default=None, min_length=1, max_length=6)
    latin_hypercube: LatinHypercube | None = None
    csv: DeltaFile | None = None


class StudyFile(Part):
    """A designed set of runs."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: Annotated[str, Field(max_length=2000)] = ""
    baseline: FileName = Field(description="scenario file with which all points are compared")
    scenario: FileName | None = Field(
        default=None, description="scenario file from which the points depart; without it, the baseline"
    )
    design: DesignPart
    kpis: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default=list(KPIS), min_length=1, max_length=20, description="KPIs that are shown"
    )
    replications: Annotated[int, Field(ge=REPLICATIONS_RANGE[0], le=REPLICATIONS_RANGE[1])] = Field(
        default=10, description="how many times each point is simulated"
    )
    seed: Seed = Field(default=1, description="root of all luck")


@dataclass(frozen=True)
class ReadStudy:
    """A study file that was read. tree : its values with their lines. path : where it is."""

    said: StudyFile
    tree: Tree
    path: FilePath

    def beside(self, name: str) -> FilePath:
        """The path of a file that it names."""
        return self.path.parent / name

    def problem(self, path: Path, message: str) -> Problem:
        """A problem of a value of the file."""
        return problem_at(self.tree, path, message)

    @property
    def files(self) -> list[FilePath]:
        """The files that it names."""
        csv = self.said.design.csv
        named = [self.said.baseline, self.said.scenario, csv.file if csv is not None else None]
        return [self.beside(name) for name in named if name is not None]


def read_study_file(path: FilePath) -> ReadStudy:
    """The study in a file. Raises ScenarioError with every problem."""
    try:
        data = file_bytes(path)
    except (OSError, ValueError) as error:
        raise ScenarioError([Problem(str(path), 0, "", why_unreadable(path, error))]) from None
    if not data.strip():
        needed = "a study needs 'name', 'baseline' and 'design'"
        raise ScenarioError([Problem(str(path), 1, "", f"the file is empty; {needed}")])
    tree, problems = read_tree(data, str(path))
    if tree is None:
        raise ScenarioError(problems)
    tree = _spelt_out(tree)
    said: StudyFile | None = None
    try:
        said = StudyFile.model_validate(tree.plain(), strict=True)
    except ValidationError as error:
        problems += [problem_of(tree, one, _schema()) for one in error.errors(include_url=False)]
    else:
        problems += [problem_at(tree, where, what) for where, what in _contradictions(said, path.parent, tree)]
    if problems or said is None:
        raise ScenarioError(sorted(set(problems), key=lambda one: (one.line, one.path)))
    return ReadStudy(said, tree, path)


def problem_at(tree: Tree, path: Path, message: str) -> Problem:
    """A problem of the value at a path, or of what is nearest to it."""
    mark = tree.nearest(path).mark
    return Problem(mark.file, mark.line, tree.dotted(path), message)


@cache
def _schema() -> dict[str, Any]:
    return StudyFile.model_json_schema(by_alias=True)


def _spelt_out(tree: Tree) -> Tree:
    """The tree in the words of the schema: 'csv: FILE' is short for 'csv: {file: FILE}'."""
    design = tree.at(("design",))
    csv = tree.at(("design", "csv"))
    if design is None or csv is None or not isinstance(csv.value, str):
        return tree
    spelt = Tree({"file": csv}, csv.mark)
    return Tree({**tree.value, "design": Tree({**design.value, "csv": spelt}, design.mark)}, tree.mark)


def _contradictions(said: StudyFile, folder: FilePath, tree: Tree) -> Iterator[tuple[Path, str]]:
    """(path, message) of what does not fit together in a study file."""
    design = said.design
    for where, name, such_as in (
        (("baseline",), said.baseline, "../baseline.yaml"),
        (("scenario",), said.scenario, "../reroute_support_calls.yaml"),
        (("design", "csv", "file"), design.csv.file if design.csv else None, "points.csv"),
    ):
        wrong = None if name is None else why_not_inside(name, folder, folder, such_as, one_above=True)
        if wrong is not None:
            yield where, wrong
    given = [kind for kind in KINDS if getattr(design, kind) is not None]
    if len(given) != 1:
        what = f"has {' and '.join(given)}" if given else "is empty"
        yield ("design",), f"{what}; give one of {', '.join(KINDS[:-1])} and {KINDS[-1]}"
    twice = [name for name in said.kpis if said.kpis.count(name) > 1]
    for index in (i for i, name in enumerate(said.kpis) if name in said.kpis[:i]):
        yield ("kpis", index), f"{shown(twice[0])} is given twice; keep one"
    if design.grid is not None:
        yield from _same(("design", "grid"), design.grid, tree)
        for index, factor in enumerate(design.grid):
            yield from _levels(("design", "grid", index), factor)
        counts = [len(factor.values) if factor.values else factor.steps or 1 for factor in design.grid]
        if math.prod(counts) > MOST_POINTS:
            sizes = " × ".join(map(str, counts))
            few = f"{math.prod(counts):,} points are more than {MOST_POINTS:,}; give fewer values, or a latin_hypercube"
            yield ("design", "grid"), f"{sizes} = {few}"
    if design.latin_hypercube is not None:
        inside = ("design", "latin_hypercube", "factors")
        yield from _same(inside, design.latin_hypercube.factors, tree)
        for index, one in enumerate(design.latin_hypercube.factors):
            if one.low >= one.high:
                yield (*inside, index, "high"), f"{shown(one.high)} is not above low, {shown(one.low)}; give a range"
            elif one.whole and math.ceil(one.low) >= math.floor(one.high):
                message = f"there are not two whole numbers from {shown(one.low)} to {shown(one.high)}; widen the range"
                yield (*inside, index, "high"), message


def _same(path: Path, factors: Sequence[VariedField], tree: Tree) -> Iterator[tuple[Path, str]]:
    """Factors of one field, and factors of one label: results could not tell them apart."""
    for key in ("field", "label"):
        seen: dict[str, int] = {}
        for index, factor in enumerate(factors):
            value = getattr(factor, key)
            first = seen.setdefault(value, index) if value is not None else index
            if first != index:
                line = tree.nearest((*path, first)).mark.line
                yield (*path, index, key), f"{shown(value)} is varied twice, first on line {line}; keep one of them"


def _levels(path: Path, factor: GridFactor) -> Iterator[tuple[Path, str]]:
    """The values of a factor are given in one of the two ways, and differ."""
    span = (factor.low, factor.high, factor.steps)
    if (factor.values is None) == (span == (None, None, None)):
        yield path, "give either 'values', such as [0, 0.5, 1], or 'low', 'high' and 'steps'"
    elif factor.values is None and None in span:
        missing = [name for name in ("low", "high", "steps") if getattr(factor, name) is None]
        yield path, f"{' and '.join(missing)} missing; give 'low', 'high' and 'steps' together"
    elif factor.low is not None and factor.high is not None and factor.low >= factor.high:
        yield (*path, "high"), f"{shown(factor.high)} is not above low, {shown(factor.low)}; give a range"
    for index, value in enumerate(factor.values or []):
        if value is None or not isinstance(value, bool | int | float | str) or value != value:
            yield (*path, "values", index), f"{shown(value)} is no single value; write a number, a word, true or false"
        elif value in (factor.values or [])[:index]:
            yield (*path, "values", index), f"{shown(value)} is given twice; keep one"
