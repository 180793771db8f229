"""What a designed study will simulate: the points of its design as scenarios, all of them checked.

In: a study file that was read, or scenarios and a design. Out: a `StudyPlan`, or a `ScenarioError` with every problem
where it is to be repaired: the line of the study file, or the row of its CSV file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath

from sim.model.compile import compile_inputs
from sim.scenario import AccountSource, Problem, Scenario, ScenarioError
from sim.scenario.book.csv_table import TextTable, read_table
from sim.scenario.book.findings import Findings
from sim.scenario.errors import did_you_mean, shown
from sim.scenario.files import file_bytes, why_unreadable
from sim.scenario.tree import Path, plain_value
from sim.scenario.union import with_all_names
from sim.study import design as designs
from sim.study.design import MOST_POINTS, Design, Factor, Value
from sim.study.factors import place_of, takes_whole_numbers, with_values
from sim.study.given import check_comparable, read_scenarios
from sim.study.kpis import registry
from sim.study.study_file import GridFactor, ReadStudy

NAME_COLUMN = "name"
MOST_POINTS_TOLD = 5

Tell = Callable[[str], None]  # notes a problem, where it is


@dataclass(frozen=True)
class StudyPlan:
    """A study that can be simulated. scenarios : one for each point of the design."""

    name: str
    baseline: Scenario
    departs_from: str
    scenarios: tuple[Scenario, ...]
    design: Design
    kpis: tuple[str, ...]
    replications: int = 10
    seed: int = 1


@dataclass(frozen=True)
class Trial:
    """A value of a factor that is checked by itself. tell : notes what is wrong with it, where it is written."""

    factor: int
    value: Value
    tell: Tell


@dataclass(frozen=True)
class Given:
    """A design with the places where it is written. problems : what was noted, filled on the way.

    factors, points : note what is wrong with a factor, with a point.
    """

    design: Design
    trials: Sequence[Trial]
    factors: Sequence[Tell]
    points: Sequence[Tell]
    problems: list[Problem]


def read_plan(read: ReadStudy, accounts: AccountSource | None = None) -> StudyPlan:
    """The plan of a study file. accounts : a list of accounts with which its scenarios start. Raises ScenarioError."""
    said = read.said
    problems: list[Problem] = []
    for key, name in (("baseline", said.baseline), ("scenario", said.scenario)):
        if name is not None:
            _bytes(read, (key,), name, problems)
    if problems:
        raise ScenarioError(problems)
    named = [said.baseline, *([said.scenario] if said.scenario else [])]
    baseline, *others = read_scenarios([read.beside(name) for name in named], accounts)
    scenario = others[0] if others else baseline
    known = registry(compile_inputs(with_all_names([baseline, scenario])[0]), baseline.currency)
    problems += [
        read.problem(("kpis", index), f"there is no KPI {shown(name)}{did_you_mean(name, known)}")
        for index, name in enumerate(said.kpis)
        if name not in known
    ]
    given = _given(read, scenario, problems)
    scenarios = [] if given is None else _scenarios(baseline, scenario, given)
    if given is None or problems:
        raise ScenarioError(sorted(dict.fromkeys(problems), key=lambda one: (one.file, one.line, one.path)))
    return StudyPlan(
        said.name,
        baseline,
        scenario.name,
        tuple(scenarios),
        given.design,
        tuple(said.kpis),
        said.replications,
        said.seed,
    )


def planned_study(
    name: str, baseline: Scenario, scenario: Scenario, design: Design, kpis: Sequence[str], replications: int, seed: int
) -> StudyPlan:
    """The plan of a study that no file describes: a grid of values. Raises ScenarioError."""
    problems: list[Problem] = []

    def tell(path: str, message: str) -> None:
        problems.append(Problem(name, 0, path, message))

    labels = [factor.label for factor in design.factors]
    trials = [Trial(i, value, partial(tell, labels[i])) for i, levels in enumerate(design.levels) for value in levels]
    factors = [partial(tell, label) for label in labels]
    given = Given(design, trials, factors, [partial(tell, "")] * len(design.points), problems)
    scenarios = _scenarios(baseline, scenario, given)
    if problems:
        raise ScenarioError(dict.fromkeys(problems))
    return StudyPlan(name, baseline, scenario.name, tuple(scenarios), design, tuple(kpis), replications, seed)


def _scenarios(baseline: Scenario, scenario: Scenario, given: Given) -> list[Scenario]:
    """The scenarios of all points; what is wrong is noted, and then they may be incomplete."""
    places = []
    for factor, tell in zip(given.design.factors, given.factors, strict=True):
        place, wrong = place_of(scenario, factor)
        if place is None:
            tell(wrong or "cannot be varied")
        places.append(place)
    for trial in given.trials:
        place = places[trial.factor]
        if place is not None:
            field = given.design.factors[trial.factor].field
            _, found = with_values(scenario, [place], [trial.value], scenario.name)
            for message in dict.fromkeys(_plain(one) for one in found if one.path == field):
                trial.tell(message)
    if given.problems:
        return []
    sure = [place for place in places if place is not None]
    scenarios = []
    told = 0
    for point, tell in zip(given.design.points, given.points, strict=True):
        one, found = with_values(scenario, sure, point.values, point.name)
        if one is not None and not found:
            scenarios.append(one)
            continue
        told += 1
        if told <= MOST_POINTS_TOLD:
            for problem in found:
                tell(f"the point {shown(point.name)} cannot be: {problem.path}: {_plain(problem)}")
    if told > MOST_POINTS_TOLD:
        given.points[-1](f"{told - MOST_POINTS_TOLD:,} more points cannot be; repair these first")
    if not given.problems:
        _check_comparable(baseline, scenarios, given)
    return scenarios


def _plain(problem: Problem) -> str:
    """What is wrong, without the date of the change that the study itself has made."""
    return problem.message.partition(" (in the change from ")[0]


def _check_comparable(baseline: Scenario, scenarios: list[Scenario], given: Given) -> None:
    """Notes what makes a point no match for the baseline: a factor that may not vary, or the scenario itself."""
    try:
        check_comparable([baseline, *scenarios], [baseline, *scenarios])
    except ScenarioError as error:
        fields = {factor.field: tell for factor, tell in zip(given.design.factors, given.factors, strict=True)}
        for path, message in {problem.path: problem.message for problem in error.problems}.items():
            if path in fields:
                fields[path](f"cannot be varied: {message.partition(';')[0]}; all points start as the baseline does")
            else:
                given.points[0](f"{path}: {message}")


def _given(read: ReadStudy, scenario: Scenario, problems: list[Problem]) -> Given | None:
    """The design of a study file with its places."""
    said = read.said.design

    def at(path: Path) -> Tell:
        return lambda message: problems.append(read.problem(path, message))

    if said.grid is not None:
        paths: list[Path] = [("design", "grid", i) for i in range(len(said.grid))]
        factors = [Factor(one.field, one.label or one.field, one.from_) for one in said.grid]
        levels = [_levels(one) for one in said.grid]
        trials = [
            Trial(i, value, at((*paths[i], "values", j) if said.grid[i].values is not None else (*paths[i], "steps")))
            for i, values in enumerate(levels)
            for j, value in enumerate(values)
        ]
        found = designs.grid(factors, levels)
        tells = [at(("design", "grid"))] * len(found.points)
        return Given(found, trials, [at((*path, "field")) for path in paths], tells, problems)
    if said.latin_hypercube is not None:
        cube = said.latin_hypercube
        paths = [("design", "latin_hypercube", "factors", i) for i in range(len(cube.factors))]
        factors = [Factor(one.field, one.label or one.field, one.from_) for one in cube.factors]
        whole = [one.whole or _whole(scenario, factor) for one, factor in zip(cube.factors, factors, strict=True)]
        ends = [
            Trial(i, int(value) if value.is_integer() else value, at((*paths[i], key)))
            for i, one in enumerate(cube.factors)
            for key, value in (("low", one.low), ("high", one.high))
        ]
        found = designs.latin_hypercube(
            factors, [(one.low, one.high) for one in cube.factors], whole, cube.points, cube.seed
        )
        tells = [at(("design", "latin_hypercube"))] * len(found.points)
        return Given(found, ends, [at((*path, "field")) for path in paths], tells, problems)
    return _csv(read, problems)


def _levels(one: GridFactor) -> list[Value]:
    if one.values is not None:
        return list(one.values)
    return list(designs.steps(one.low or 0.0, one.high or 0.0, one.steps or 2))


def _whole(scenario: Scenario, factor: Factor) -> bool:
    place, _ = place_of(scenario, factor)
    return place is not None and takes_whole_numbers(scenario, place)


def _csv(read: ReadStudy, problems: list[Problem]) -> Given | None:
    """The design in a CSV file: a column per field, a row per point, an empty cell where a field stays as it is."""
    said = read.said.design.csv
    data = b"" if said is None else _bytes(read, ("design", "csv", "file"), said.file, problems)
    if said is None or data is None:
        return None
    file = str(read.beside(said.file))
    table, found = read_table(data, file, "point", fewest=1)
    problems += found
    if table is None or found:
        return None
    findings = Findings(file)
    named = table.header[0].lower() == NAME_COLUMN
    fields = table.header[1 if named else 0 :]
    factors = [Factor(field, field, said.from_) for field in fields]
    line = table.lines[0] - 1
    for index, field in enumerate(fields):
        if not field:
            findings.add(line, "", "no name", "a column has no name; name a field, or delete the column")
        elif field in fields[:index]:
            findings.add(line, field, "twice", "two columns vary this field; keep one of them")
    if len(table.rows) > MOST_POINTS:
        message = f"{len(table.rows):,} rows; at most {MOST_POINTS:,} points are simulated: leave some out"
        findings.add(table.lines[MOST_POINTS], "", "many", message)
    unusable = bool(findings.problems())
    points = _rows(table, factors, named, findings)
    problems += findings.problems()
    if unusable:
        return None
    trials = []
    for index, field in enumerate(fields):
        lines: dict[str, int] = {}
        for row, where in zip(table.rows, table.lines, strict=True):
            lines.setdefault(row[index + named], where)
        for cell, where in lines.items():
            value = plain_value(cell)
            trials.append(Trial(index, value, _at_line(problems, file, where, field)))
    heads = [_at_line(problems, file, line, field) for field in fields]
    tells = [_at_line(problems, file, where, "") for where in table.lines]
    return Given(Design("csv", tuple(factors), tuple(points)), trials, heads, tells, problems)


def _rows(table: TextTable, factors: Sequence[Factor], named: bool, findings: Findings) -> list[designs.Point]:
    """The points of a table; names are given once each."""
    points = []
    first: dict[str, int] = {}
    for number, (row, line) in enumerate(zip(table.rows, table.lines, strict=True), start=1):
        name = row[0] if named and row[0] else f"Point {number}"
        if name in first:
            message = f"{shown(name)} is the name of the point on line {first[name]} too; give each its own"
            findings.add(line, NAME_COLUMN, f"twice {name}", message)
        first.setdefault(name, line)
        points.append(designs.point(factors, [plain_value(cell) for cell in row[1 if named else 0 :]], name))
    return points


def _at_line(problems: list[Problem], file: str, line: int, column: str) -> Tell:
    return lambda message: problems.append(Problem(file, line, column, message))


def _bytes(read: ReadStudy, path: Path, name: str, problems: list[Problem]) -> bytes | None:
    """The bytes of a file that the study names; None with a problem where it names it."""
    file: FilePath = read.beside(name)
    try:
        return file_bytes(file)
    except (OSError, ValueError) as error:
        problems.append(read.problem(path, why_unreadable(file, error)))
        return None
