"""What the cross-checks know of a scenario, and how they say that something contradicts something else.

In: the merged mapping of a scenario, and which of its values the schema has refused. Out: `Facts` to ask, and the
form of a `Finding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A contradiction.

    path : the value to repair. message : what is wrong and what to do. parts : further values that the
    message speaks of, whose places in the files help.
    """

    path: Path
    message: str
    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the checks may rely on.

    data : the merged mapping without the values that the schema refused. names : all keys of the named maps,
    refused or not, so that a name is never called unknown because its entry is wrong. refused : paths of the
    refused values. opening : whether this is the state at the start of the run (else after a dated change).
    """

    data: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]
    refused: frozenset[Path] = field(default=frozenset())
    opening: bool = True

    def get(self, *path: Any) -> Any:
        """The value at a path, or None."""
        here: Any = self.data
        for key in path:
            if not isinstance(here, Mapping) or key not in here:
                return None
            here = here[key]
        return here

    def items(self, *path: Any) -> list[tuple[Any, Any]]:
        """Entries of the map at a path; none if it is missing."""
        found = self.get(*path)
        return list(found.items()) if isinstance(found, Mapping) else []

    def sound(self, *path: Any) -> bool:
        """Whether the schema accepted the value at a path and everything in it."""
        return not any(bad[: len(path)] == path or path[: len(bad)] == bad for bad in self.refused)


def facts(data: Mapping[str, Any], refused: Iterable[Path], opening: bool = True) -> Facts:
    """The facts of a merged mapping, given the paths that the schema refused."""
    bad = frozenset(refused)
    names = {}
    for key in ("tiers", "categories", "channels", "teams"):
        found = data.get(key)
        names[key] = tuple(map(str, found)) if isinstance(found, Mapping) else ()
    cleaned = _without(data, bad, ())
    return Facts(cleaned if isinstance(cleaned, Mapping) else {}, names, bad, opening)


def _without(value: Any, bad: frozenset[Path], path: Path) -> Any:
    """A copy without the refused entries of maps; a refused entry of a list is None, so that numbers stay."""
    if isinstance(value, Mapping):
        return {k: _without(v, bad, (*path, k)) for k, v in value.items() if (*path, k) not in bad}
    if isinstance(value, list):
        inside = [((*path, index), item) for index, item in enumerate(value)]
        return [None if place in bad else _without(item, bad, place) for place, item in inside]
    return value
