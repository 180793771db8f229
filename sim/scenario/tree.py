"""Reads YAML text into a tree in which every value knows its file and line.

In: the bytes of a file. Out: a `Tree` of maps, lists and plain values, and the problems found on the way. The
text is read event by event, never deeper or longer than the caps allow, and no YAML tag is ever obeyed.

Plain values follow YAML 1.2: `on`, `yes` and `09:00` are text, `1e6` and `.5` are numbers. Dates are text
too; the schema turns them into dates where it wants dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from sim.scenario.errors import MOST_PROBLEMS, Problem, segment, shown

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
MAX_DEPTH = 30

Path = tuple[Any, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS |= {word: float("nan") for word in (".nan", ".NaN", ".NAN")}
_WORDS |= {sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_SYNTAX = {
    "mapping values are not allowed here": "a colon that may not stand here; indent, or quote the text",
    "could not find expected ':'": "expected 'key: value'; a colon is missing, or the indentation is wrong",
    "found unexpected end of stream": "the text ends inside a quotation; a quotation mark is missing",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands. line : from 1, or 0 where there is no file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Tree:
    """A value and where it stands: the line of its key, or its own line in a list.

    value : dict of Trees, list of Trees, or a plain value. A None in a map says that the key is deleted;
    `deletes` is then whether there was something to delete.
    """

    value: Any
    mark: Mark
    deletes: bool = False

    def at(self, path: Path) -> Tree | None:
        """The value at a path, or None if there is none."""
        here: Tree = self
        for key in path:
            inside = here.value
            in_list = isinstance(inside, list) and isinstance(key, int) and 0 <= key < len(inside)
            if not in_list and not (isinstance(inside, dict) and key in inside):
                return None
            here = inside[key]
        return here

    def nearest(self, path: Path) -> Tree:
        """The value at a path, or at the longest part of it that exists."""
        for length in range(len(path), 0, -1):
            found = self.at(path[:length])
            if found is not None:
                return found
        return self

    def dotted(self, path: Path) -> str:
        """A path as messages show it: `routing.rules[0].from`."""
        text = ""
        for depth, key in enumerate(path):
            parent = self.at(path[:depth])
            if parent is not None and isinstance(parent.value, list):
                text += f"[{key}]"
            else:
                text += ("." if text else "") + segment(key)
        return text

    def plain(self, keep_empty: bool = False) -> Any:
        """The same without marks; deleted keys are gone, unless empty values are kept."""
        if isinstance(self.value, dict):
            kept = {k: v for k, v in self.value.items() if keep_empty or v.value is not None}
            return {k: v.plain(keep_empty) for k, v in kept.items()}
        if isinstance(self.value, list):
            return [item.plain(keep_empty) for item in self.value]
        return self.value

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
        """Every value inside, itself first, with its path."""
        yield path, self
        if isinstance(self.value, dict):
            for key, inside in self.value.items():
                yield from inside.walk((*path, key))
        elif isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield from item.walk((*path, index))


def merge(base: Tree, over: Tree) -> Tree:
    """`over` laid on `base`: maps merge, everything else replaces, an empty value deletes."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, new in over.value.items():
        old = merged.get(key)
        if old is None:
            merged[key] = new
        elif new.value is None:
            merged[key] = replace(new, deletes=old.value is not None or old.deletes)
        else:
            merged[key] = merge(old, new)
    return Tree(merged, over.mark)


def nested(path: Path, leaf: Tree) -> Tree:
    """A tree that has only `leaf`, at `path`."""
    for key in reversed(path):
        leaf = Tree({key: leaf}, leaf.mark)
    return leaf


def tree_of(value: Any, mark: Mark, depth: int = 0) -> Tree:
    """A tree of plain Python values, all with the same mark.

    Raises ValueError if they are nested deeper than a file may be.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return Tree({key: tree_of(v, mark, depth + 1) for key, v in value.items()}, mark)
    if isinstance(value, list | tuple):
        return Tree([tree_of(v, mark, depth + 1) for v in value], mark)
    if not isinstance(value, str | bytes) and hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    return Tree(value, mark)


def plain_value(text: str) -> Any:
    """What an unquoted word of a file stands for: None, a truth value, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 100 else float(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def decode(data: bytes, file: str) -> tuple[str, list[Problem]]:
    """The text of a file, or why it is none."""
    if len(data) > MAX_BYTES:
        return "", [Problem(file, 0, "", f"larger than {MAX_BYTES // 1000} kB; a scenario file is far smaller")]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "", [Problem(file, 1, "", "written as UTF-16; save it as UTF-8")]
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return "", [Problem(file, line, "", "not a text file; a scenario is YAML text in UTF-8")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"0x{data[error.start]:02x}"
        return "", [Problem(file, line, "", f"byte {byte} is not UTF-8 text; save the file as UTF-8")]


@dataclass(slots=True)
class _Open:
    """A map or list that is being read."""

    items: dict[Any, Tree] | list[Tree]
    line: int
    own_line: int
    anchor: str | None
    values: int = 1
    height: int = 1
    key: Any = None
    key_line: int = 0
    has_key: bool = False
    skip: bool = False


class _Stop(Exception):
    """Reading cannot go on; the problem is already in the list."""


class Reader:
    """Builds the tree of one YAML text, iteratively."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Tree, int, int] | None] = {}
        self.values = 0
        self.root: Tree | None = None
        self.documents = 0

    def read(self) -> tuple[Tree | None, list[Problem]]:
        """The tree, or None where the text is no YAML, and the problems."""
        try:
            for event in yaml.parse(self.text, Loader=yaml.SafeLoader):
                self._take(event)
                if len(self.problems) > MOST_PROBLEMS:
                    raise _Stop
        except _Stop:
            self.root = None
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            self._problem(line, f"character {ascii(chr(error.character))[1:-1]} is not allowed in YAML")
            self.root = None
        except yaml.MarkedYAMLError as error:
            self._problem(*self._syntax(error))
            self.root = None
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
            self._problem(1, "this is not YAML that can be read")
            self.root = None
        return self.root, self.problems

    def _problem(self, line: int, message: str, path: str = "") -> None:
        self.problems.append(Problem(self.file, line, path, message))

    def _stop(self, line: int, message: str) -> _Stop:
        self._problem(line, message)
        return _Stop()

    def _syntax(self, error: yaml.MarkedYAMLError) -> tuple[int, str]:
        """The line of a syntax error and what it means."""
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, max(self.text.count("\n"), 0)) + 1 if mark else 1
        lines = self.text.split("\n")
        row = lines[line - 1] if line <= len(lines) else ""
        if "\t" in row[: len(row) - len(row.lstrip())] or "'\\t'" in str(error.problem):
            return line, "a tab is used for indentation; YAML wants spaces"
        text = str(error.problem or error.context or "syntax error")
        opened = error.context_mark.line + 1 if error.context and error.context_mark else None
        since = f" (in what begins on line {opened})" if opened and opened != line else ""
        return line, f"cannot be read as YAML: {_SYNTAX.get(text, text)}{since}"

    def _path(self) -> str:
        text = ""
        for frame in self.stack:
            if isinstance(frame.items, list):
                text += f"[{len(frame.items)}]"
            elif frame.has_key:
                text += ("." if text else "") + segment(frame.key)
        return text

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._stop(line, "a second document begins here ('---'); a file holds one scenario")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor), line)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].items, dict) and not self.stack[-1].has_key

    def _check_tag(self, event: yaml.NodeEvent, line: int) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            short = tag.replace("tag:yaml.org,2002:", "!!")
            self._problem(line, f"the tag {shown(short)} is not allowed; write plain values only", self._path())

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        if self._wants_key():
            raise self._stop(line, "a map or list cannot be a key; a key is a plain word followed by a colon")
        self._check_tag(event, line)
        if len(self.stack) >= MAX_DEPTH:
            raise self._stop(line, f"nested more than {MAX_DEPTH} levels deep")
        key_line = self.stack[-1].key_line if self.stack and self.stack[-1].has_key else line
        if event.anchor:
            self.anchors[event.anchor] = None
        items: dict[Any, Tree] | list[Tree] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.stack.append(_Open(items, key_line, line, event.anchor))

    def _close(self) -> None:
        frame = self.stack.pop()
        tree = Tree(frame.items, Mark(self.file, frame.line))
        if frame.anchor:
            self.anchors[frame.anchor] = (tree, frame.values, frame.height)
        self._add(tree, frame.values, frame.height)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        plain = event.style is None
        if self._wants_key():
            self._key(event.value, plain, line)
            return
        self._check_tag(event, line)
        value = plain_value(event.value) if plain else event.value
        tree = Tree(value, Mark(self.file, self.stack[-1].key_line if self.stack and self.stack[-1].has_key else line))
        if event.anchor:
            self.anchors[event.anchor] = (tree, 1, 0)
        self._add(tree, 1, 0)

    def _key(self, text: str, plain: bool, line: int) -> None:
        frame = self.stack[-1]
        assert isinstance(frame.items, dict)
        key: Any = int(text) if plain and _INTEGER.fullmatch(text) and len(text) <= 20 else text
        frame.key, frame.key_line, frame.has_key = key, line, True
        if plain and text == "<<":
            self._problem(line, "'<<' is not used here; write the keys, or use 'extends'", self._path())
            frame.skip = True
        elif key in frame.items:
            first = frame.items[key].mark.line
            self._problem(line, f"given twice, first on line {first}; keep one of them", self._path())
            frame.skip = True

    def _alias(self, name: str, line: int) -> None:
        if self._wants_key():
            raise self._stop(line, f"the alias '*{segment(name)}' cannot be a key")
        if name not in self.anchors:
            raise self._stop(line, f"the alias '*{segment(name)}' refers to nothing above it")
        known = self.anchors[name]
        if known is None:
            raise self._stop(line, f"the alias '*{segment(name)}' refers to itself")
        tree, values, height = known
        if len(self.stack) + height > MAX_DEPTH:
            raise self._stop(line, f"nested more than {MAX_DEPTH} levels deep")
        mark = Mark(self.file, self.stack[-1].key_line if self.stack and self.stack[-1].has_key else line)
        self._add(replace(tree, mark=mark), values, height)

    def _add(self, tree: Tree, values: int, height: int) -> None:
        """Puts a finished value where it belongs and counts it, aliases at their full size."""
        if not self.stack:
            self.root = tree
            return
        frame = self.stack[-1]
        frame.values += values
        frame.height = max(frame.height, height + 1)
        if sum(open_.values for open_ in self.stack) > MAX_VALUES:
            raise self._stop(
                tree.mark.line,
                f"more than {MAX_VALUES} values once aliases are written out; a scenario is far smaller",
            )
        if isinstance(frame.items, list):
            frame.items.append(tree)
            return
        if not frame.skip:
            frame.items[frame.key] = tree
        frame.key, frame.has_key, frame.skip = None, False, False


def read_tree(data: bytes, file: str) -> tuple[Tree | None, list[Problem]]:
    """The tree of one file's bytes, and its problems; None where nothing can be made of it.

    A file that is empty, or holds something else than keys with values, is a problem as well.
    """
    text, problems = decode(data, file)
    if problems:
        return None, problems
    tree, problems = Reader(text, file).read()
    if problems and tree is None:
        return None, problems
    if tree is None or tree.value is None:
        return None, [
            *problems,
            Problem(file, 1, "", "the file is empty; a scenario needs at least 'name' and 'extends'"),
        ]
    if not isinstance(tree.value, dict):
        what = shown(tree.value)
        return None, [
            *problems,
            Problem(file, tree.mark.line, "", f"{what}, where keys with values belong ('key: value')"),
        ]
    return Tree(tree.value, Mark(file, 1)), problems


def places(tree: Tree, paths: Sequence[Path]) -> list[Mark]:
    """Where the values at some paths come from."""
    return [tree.nearest(path).mark for path in paths]
