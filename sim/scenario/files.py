"""Loads scenario files: `extends`, merging, checking; and writes them again.

In: a path, or text. Out: a `Scenario`, or a `ScenarioError` that names every problem with file and line.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import yaml

from sim.scenario.book.source import AccountSource
from sim.scenario.errors import MOST_PROBLEMS, Problem, ScenarioError, did_you_mean, shown
from sim.scenario.listed import (
    Layer,
    list_problems,
    listed,
    merged,
    named_list,
    overridden_list,
    with_overruled,
    without_list,
)
from sim.scenario.paths import real, why_not_inside
from sim.scenario.phases import check_changes, overridden
from sim.scenario.schema import Scenario
from sim.scenario.tree import MAX_BYTES, Mark, Tree, plain_value, read_tree, tree_of
from sim.scenario.validate import validate

MOST_FILES = 10
OVERRIDES = "overrides"


def load_scenario(
    path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    accounts: AccountSource | None = None,
) -> Scenario:
    """The scenario in a file, with what it extends, checked whole.

    path : a YAML file. overrides : {dotted path: value} laid on the merged file, such as
    {"teams.support.headcount": 8}; they hold from the start, and dated changes still come on top.
    accounts : a list of accounts to start with instead of the file's book; what follows from it is laid on the file,
    under the overrides.

    Raises ScenarioError with every problem found, TypeError if `path` is no path.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{path!r} is no path; give the path of a scenario file")
    return _load(FilePath(path), None, overrides, accounts)


def load_scenario_text(
    text: str | bytes,
    name: str,
    folder: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    accounts: AccountSource | None = None,
) -> Scenario:
    """The scenario in a text, checked whole; nothing is written.

    name : what messages call it. folder : where its `extends` and its list of accounts are looked for; without it,
    they are refused. overrides, accounts : as for `load_scenario`.

    Raises ScenarioError with every problem found.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _load(
        FilePath(folder) / name if folder is not None else FilePath(name), (name, data, folder), overrides, accounts
    )


def scenario_problems(tree: Tree, extended: bool) -> tuple[Scenario | None, list[Problem]]:
    """The scenario in a merged tree, and all problems, those of its dated changes included."""
    scenario, problems = validate(tree, extended=extended)
    problems += list(check_changes(tree, problems))
    return scenario, problems


def dump_scenario(scenario: Scenario) -> str:
    """A scenario as YAML text, whole (without `extends`), that loads back equal.

    A list of accounts is not part of it; the text says so, and loads with an invented book of the same size.
    """
    data = scenario.model_dump(by_alias=True, exclude_none=True, exclude={"changes", "book"})
    if scenario.changes:
        data["changes"] = [change.model_dump(by_alias=True) for change in scenario.changes]
    text: str = yaml.dump(_writable(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    if scenario.book is None:
        return text
    return f"# The list of {len(scenario.book)} accounts is not in this file; give it again with --accounts.\n{text}"


def _load(
    path: FilePath,
    given: tuple[str, bytes, str | os.PathLike[str] | None] | None,
    overrides: Mapping[str, Any] | None,
    accounts: AccountSource | None,
) -> Scenario:
    chain = _Chain(path, given)
    if not chain.read():
        raise _error(chain.problems, chain.names)
    problems = chain.problems
    on_top = -1
    source, place = accounts, on_top
    if accounts is None:
        source, place = named_list(chain.layers, chain.folder, problems) or (None, on_top)
    layers = [without_list(layer) for layer in chain.layers]
    tree, wrong = _with_overrides(merged(layers), overrides)
    problems += wrong + overridden_list(tree)
    book = None
    if source is not None:
        before = merged(layers[place + 1 :] or [Tree({}, tree.mark)])
        found_list = listed(tree, before, source, problems)
        chain.names += [source.file_name, source.mapping_name]
        if found_list is not None:
            layer, book = found_list
            tree, _ = _with_overrides(merged([*layers[: place + 1], layer, *layers[place + 1 :]]), overrides)
            problems += list_problems(tree, book)
            book = with_overruled(book, layer, tree)
    scenario, found = scenario_problems(tree, chain.extended)
    problems += _unless_reported(found, problems)
    if problems or scenario is None:
        raise _error(problems, chain.names)
    return scenario if book is None else scenario.model_copy(update={"book": book})


def _with_overrides(tree: Tree, overrides: Mapping[str, Any] | None) -> tuple[Tree, list[Problem]]:
    """The tree with the overrides on it, and what is wrong with them."""
    if not overrides:
        return tree, []
    try:
        values = tree_of(dict(overrides), Mark(OVERRIDES, 0))
    except ValueError as error:
        raise ScenarioError([Problem(OVERRIDES, 0, "", str(error))]) from None
    return overridden(tree, values)


def _error(problems: list[Problem], names: list[str]) -> ScenarioError:
    """The problems in the order of the files and their lines; of very many, the first ones."""
    order = {name: rank for rank, name in enumerate([OVERRIDES, *names])}
    problems = sorted(problems, key=lambda p: (order.get(p.file, 0), p.line, p.path, p.message))
    if len(problems) > MOST_PROBLEMS:
        problems[MOST_PROBLEMS:] = [Problem(names[0], 0, "", "there are more problems; repair these first")]
    return ScenarioError(problems)


def _unless_reported(found: list[Problem], earlier: list[Problem]) -> list[Problem]:
    """Without those that say again what reading the file has already said at the same place."""
    said = {(problem.file, problem.line, problem.path) for problem in earlier if problem.path}
    return [problem for problem in found if (problem.file, problem.line, problem.path) not in said]


class _Chain:
    """A file and the files that it extends, each within the first one's folder."""

    def __init__(self, path: FilePath, given: tuple[str, bytes, str | os.PathLike[str] | None] | None = None) -> None:
        self.path = path
        self.given = given
        self.folder = path.parent if given is None or given[2] is not None else None
        self.names: list[str] = []
        self.problems: list[Problem] = []
        self.extended = False
        self.layers: list[Layer] = []

    def read(self) -> bool:
        """Reads the files into `layers`, the first file first; False if one cannot be read or found."""
        seen: list[FilePath] = []
        path, mark = self.path, Mark("", 0)
        while True:
            tree = self._read(path, mark)
            if tree is None:
                return False
            seen.append(real(path))
            above, tree = _take_extends(tree)
            self.layers.append(Layer(tree, path.parent))
            if above is None:
                return True
            self.extended = True
            found = self._extended(path, above, seen)
            if found is None:
                return False
            path, mark = found, above.mark

    def _read(self, path: FilePath, mark: Mark) -> Tree | None:
        first = not self.names
        name = self.given[0] if first and self.given else str(path)
        self.names.append(name)
        try:
            data = self.given[1] if first and self.given else file_bytes(path)
        except (OSError, ValueError) as error:
            where = Problem(mark.file, mark.line, "extends", "") if mark.line else Problem(name, 0, "", "")
            reason = why_unreadable(path, error)
            self.problems.append(Problem(where.file, where.line, where.path, reason))
            return None
        tree, problems = read_tree(data, name)
        self.problems += problems
        return tree

    def _extended(self, path: FilePath, extends: Tree, seen: list[FilePath]) -> FilePath | None:
        """The file that `extends` names, or None with a problem."""
        wrong = why_not_inside(extends.value, path.parent, self.folder, "baseline.yaml")
        target = path.parent / extends.value if wrong is None else path
        if wrong is None and real(target) in seen:
            names = [*self.names[seen.index(real(target)) :], str(target)]
            wrong = "these files extend each other in a circle: " + " → ".join(FilePath(n).name for n in names)
        if wrong is None and len(seen) >= MOST_FILES:
            wrong = f"more than {MOST_FILES} files in a chain; extend fewer"
        if wrong is None:
            return target
        self.problems.append(Problem(extends.mark.file, extends.mark.line, "extends", wrong))
        return None


def _take_extends(tree: Tree) -> tuple[Tree | None, Tree]:
    """The `extends` of a file, if it has one, and the file without it."""
    extends = tree.value.get("extends")
    rest = Tree({key: value for key, value in tree.value.items() if key != "extends"}, tree.mark)
    return (extends if extends is not None and extends.value is not None else None), rest


def file_bytes(path: FilePath) -> bytes:
    """A file's bytes, at most one more than a scenario may have. Raises OSError or ValueError if it cannot be read."""
    if path.exists() and not path.is_file():
        raise IsADirectoryError(str(path))
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def why_unreadable(path: FilePath, error: Exception) -> str:
    """Why a file could not be read, and what may be meant."""
    name = shown(path.name)
    if isinstance(error, FileNotFoundError):
        return f"there is no file {name}" + did_you_mean(path.name, _scenario_files(path.parent))
    if isinstance(error, IsADirectoryError):
        return f"{name} is not a file; name a scenario file, such as baseline.yaml"
    if isinstance(error, PermissionError):
        return f"{name} may not be read; check its permissions"
    return f"{name} cannot be read"


def _scenario_files(folder: FilePath) -> list[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith((".yaml", ".yml")))
    except (OSError, ValueError):
        return []
    return [name for name in names if name.isprintable()][:1000]


class _Dumper(yaml.SafeDumper):
    """Writes text so that our own reader takes it for text again; never writes aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out."""
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    safe = re.fullmatch(r"[A-Za-z][A-Za-z0-9_ .,;'-]*", text) and plain_value(text) == text and "  " not in text
    style = None if safe and not text.endswith(" ") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _write_number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value))


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(float, _write_number)


def _writable(value: Any) -> Any:
    """Plain values only: dates stay dates, tuples become lists."""
    if isinstance(value, Mapping):
        return {key: _writable(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(v) for v in value]
    return value if isinstance(value, str | int | float | bool | dt.date) or value is None else str(value)
