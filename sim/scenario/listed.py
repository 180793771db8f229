"""A scenario that starts with a list of accounts: finding the list, reading it, and what follows from it.

In: the layers of a scenario file, each with its folder. Out: the list, and a layer of values for the merged tree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.scenario.book.account_list import AccountList
from sim.scenario.book.derived import contradicted, derived, overruled
from sim.scenario.book.source import AccountSource
from sim.scenario.errors import Problem, ScenarioError, shown
from sim.scenario.paths import why_not_inside
from sim.scenario.schema_types import read_date
from sim.scenario.tree import Mark, Tree, merge, tree_of

KEYS = ("file", "mapping")


@dataclass(frozen=True)
class Layer:
    """What one file says. beside : its folder."""

    tree: Tree
    beside: Path


def merged(layers: Sequence[Tree]) -> Tree:
    """All layers in one tree; the first is on top."""
    whole = layers[-1]
    for layer in reversed(layers[:-1]):
        whole = merge(whole, layer)
    return whole


def without_list(layer: Layer) -> Tree:
    """What a file says beside where its list is."""
    accounts = layer.tree.value.get("accounts")
    if accounts is None or not isinstance(accounts.value, dict):
        return layer.tree
    rest = Tree({key: value for key, value in accounts.value.items() if key not in KEYS}, accounts.mark)
    return Tree({**layer.tree.value, "accounts": rest}, layer.tree.mark)


def named_list(
    layers: Sequence[Layer], folder: Path | None, problems: list[Problem]
) -> tuple[AccountSource, int] | None:
    """The list that the files name, and the position of the layer that does; None if there is none.

    layers : the first file's first. folder : the folder to stay in. Adds what is wrong to `problems`.
    """
    found: dict[str, tuple[Tree, int]] = {}
    for position, layer in enumerate(layers):
        for key in KEYS:
            value = layer.tree.at(("accounts", key))
            if value is not None:
                found.setdefault(key, (value, position))
    given = {key: (value, at) for key, (value, at) in found.items() if value.value is not None}
    if "file" not in given:
        if "mapping" in given and "file" not in found:
            mark = given["mapping"][0].mark
            message = "a mapping without a list; name the list with 'file' beside it"
            problems.append(Problem(mark.file, mark.line, "accounts.mapping", message))
        return None
    paths: dict[str, Path] = {}
    before = len(problems)
    for key, (value, at) in given.items():
        beside = layers[at].beside
        wrong = why_not_inside(value.value, beside, folder, f"books/example.{'csv' if key == 'file' else 'yaml'}")
        if wrong is not None:
            problems.append(Problem(value.mark.file, value.mark.line, f"accounts.{key}", wrong))
        else:
            paths[key] = beside / value.value
    if len(problems) > before:
        return None
    try:
        source = AccountSource.from_files(paths["file"], paths.get("mapping"))
    except ScenarioError as error:
        for problem in error.problems:
            missing = problem.line == 0 and problem.path == "" and problem.message.startswith("there is no file")
            key = "file" if problem.file == str(paths["file"]) else "mapping"
            mark = given[key][0].mark if key in given else Mark(problem.file, 0)
            told = Problem(mark.file, mark.line, f"accounts.{key}", problem.message) if missing else problem
            problems.append(told)
        return None
    return source, given["file"][1]


def listed(tree: Tree, before: Tree, source: AccountSource, problems: list[Problem]) -> tuple[Tree, AccountList] | None:
    """The list for a scenario, and the layer of values that follow from it.

    tree : the scenario merged without the list. before : the values on which those of the list are laid.
    None where the scenario is not sound enough to read a list for it, or, with problems, where the list is not.
    """
    tiers, start, currency = (_plain(tree, key) for key in ("tiers", "start", "currency"))
    start = read_date(start)
    sound = isinstance(tiers, dict) and tiers and isinstance(currency, str)
    if not sound or not isinstance(start, dt.date) or not 1950 <= start.year <= 2150:
        return None
    names = [str(name) for name in tiers]
    try:
        book = source.read(names, start, currency)
        headcount = source.mapping.headcount if source.mapping else {}
        follows = derived(book, headcount, tree.plain(), before.plain())
    except ScenarioError as error:
        problems += error.problems
        return None
    problems += [Problem(source.mapping_name, 0, path, message) for path, message in follows.wrong]
    book = replace(book, summary=(*book.summary, *follows.told))
    return tree_of(follows.values, Mark(source.file_name, 0)), book


def with_overruled(book: AccountList, layer: Tree, tree: Tree) -> AccountList:
    """The list, whose summary says which of the values that follow from it the files have written themselves."""
    paths = list(overruled(layer.plain(keep_empty=True), tree.plain()))
    if not paths:
        return book
    return replace(book, summary=(*book.summary, f"Written in the scenario and kept instead: {', '.join(paths)}."))


def list_problems(tree: Tree, book: AccountList) -> list[Problem]:
    """What a whole scenario says against its list."""
    found = []
    for path, message in contradicted(book, tree.plain()):
        mark = tree.nearest(path).mark
        found.append(Problem(mark.file, mark.line, tree.dotted(path), message))
    return found


def overridden_list(tree: Tree) -> list[Problem]:
    """A list cannot be named by an override, which has no folder."""
    found = []
    for key in KEYS:
        value = tree.at(("accounts", key))
        if value is not None:
            message = f"{shown(value.value)} cannot be set here; write it into a scenario file, or give 'accounts'"
            found.append(Problem(value.mark.file, value.mark.line, f"accounts.{key}", message))
    return found


def _plain(tree: Tree, key: str) -> Any:
    there = tree.at((key,))
    return None if there is None else there.plain()
