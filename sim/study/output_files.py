"""Output files: checked before the work, written whole or not at all.

In: a path and text. Out: the file, or what stands in its way.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import yaml

SCENARIO_SUFFIXES = (".yaml", ".yml")
MOST_SOURCES = 40
LARGEST_READ = 1_000_000  # bytes of a scenario or a mapping; what is larger is a list, and names no other file
# What files name: the file that a scenario extends, its list of accounts and mapping; a mapping's second list.
NAMED_FILES = (("extends",), ("accounts", "file"), ("accounts", "mapping"), ("look_up", "file"))


def why_not_an_output(path: Path, scenarios: Iterable[Path]) -> str | None:
    """Why an output must not go there, as the end of a message: it would take the place of a scenario file.

    scenarios : the files that the study reads; those that they extend count too. Names that end as scenario
    files do are refused whether or not the study reads them.
    """
    try:
        target = path.resolve()
        if {path.suffix.lower(), target.suffix.lower()} & set(SCENARIO_SUFFIXES):
            return "this is the name of a scenario file, which a result must not overwrite; name another file."
        if target.exists() and any(target.samefile(source) for one in scenarios for source in _sources(one)):
            return "the scenario is read from this file; name another for the result."
    except (OSError, RuntimeError, ValueError):
        return None
    return None


def _sources(scenario: Path) -> list[Path]:
    """A scenario file and those that it names, as far as they can be read: extended ones, lists of accounts."""
    found: list[Path] = []
    waiting = [scenario]
    while waiting and len(found) < MOST_SOURCES:
        current = waiting.pop()
        if not current.is_file() or current in found:
            continue
        found.append(current)
        try:
            if current.stat().st_size > LARGEST_READ:
                continue
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            said = yaml.load(current.read_bytes(), Loader=loader)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
            continue
        for names in NAMED_FILES:
            name = said
            for key in names:
                name = name.get(key) if isinstance(name, dict) else None
            if isinstance(name, str):
                waiting.append(current.parent / name)
                if names == ("accounts", "file"):
                    waiting.append((current.parent / name).with_suffix(".yaml"))
    return found


def why_not_writable(path: Path) -> str | None:
    """What keeps a file from being written there, as the end of a message; None if nothing does."""
    try:
        target = path.resolve()
        if target.is_dir():
            return "this is a folder; name a file in it."
        if target.exists() and not target.is_file():
            return "this is not a regular file; name another."
        if not target.parent.is_dir():
            return f"the folder {target.parent} is not there; make it first or name another."
        with tempfile.TemporaryFile(dir=target.parent):
            return None
    except (OSError, RuntimeError, ValueError) as error:
        return f"cannot be written ({getattr(error, 'strerror', None) or error}); name another file."


def write_atomically(path: Path, text: str) -> None:
    """Writes a file so that readers see the old one or the new one, never half of it. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class replacing:  # noqa: N801 - reads as a verb: with replacing(path) as temporary
    """A context manager: gives a temporary path beside `path`; leaving without an error moves it there.

    Raises OSError on entry if the path is not one where a regular file can be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def __enter__(self) -> Path:
        problem = why_not_writable(self.path)
        if problem is not None:
            raise OSError(f"{self.path}: {problem}")
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name[:60]}.", dir=self.path.parent)
        os.close(handle)
        self._temporary = Path(name)
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                os.chmod(self._temporary, 0o666 & ~_umask())
                os.replace(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)


_one = threading.Lock()


def _umask() -> int:
    with _one:  # it can only be read by setting it, and threads must not see that
        current = os.umask(0)
        os.umask(current)
        return current
