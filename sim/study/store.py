"""What has been computed: measures of finished replications, kept in a folder from one study to the next.

In: a scenario, the baseline whose warm-up it shares, a seed, replication numbers. Out: measures, or nothing where there
are none yet. A scenario under one seed has a folder whose name is a hash of all that its results hang on: both
scenarios, seed, code, packages. In it, a file per replication has the hash of its own content in its name: a damaged
file is found, set aside and computed again. Files appear whole or not at all, so that several processes may write.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sim.scenario import Scenario
from sim.study.measured_file import NotMeasures, from_bytes, to_bytes
from sim.study.output_files import replacing
from sim.study.provenance import code_version, cpu, package_versions
from sim.study.worker import Measured

ABOUT, DAMAGED, LOOKS = "about.json", "damaged", "looks"
HASH_DIGITS = 16
UNKNOWN = "?"  # what cannot be read
OFF = "none"  # instead of a folder's name
_KEY = re.compile(f"[0-9a-f]{{{2 * HASH_DIGITS}}}")
_BEGUN = re.compile(r"\.(\d+a?\.[0-9a-f]+\.parquet|about\.json)\..+")
_COUNT = re.compile(r"[0-9]{1,6}")
SECONDS_TO_WRITE = 3600  # nobody takes longer for a file
NOT_RESULTS = {"name", "description"}  # of a scenario: words that change no number


@dataclass(frozen=True)
class Key:
    """What a scenario's results hang on. name : the hash of it all. about : the same in words, and when it was made."""

    name: str
    about: dict[str, Any]


def keys_of(scenarios: Sequence[Scenario], seed: int) -> tuple[Key, ...]:
    """A key for each scenario of a study; the first one is the baseline, whose warm-up all share."""
    said = [one.model_dump(mode="json", by_alias=True, exclude=NOT_RESULTS) for one in scenarios]
    warm_up = {name: value for name, value in said[0].items() if name != "changes"}
    python = ".".join(platform.python_version_tuple()[:2])
    made = {"seed": seed, "code_version": code_version(), "packages": package_versions(), "python": python}
    keys = []
    for scenario, values in zip(scenarios, said, strict=True):
        everything = made | {"warm_up": warm_up, "scenario": values}
        # The order of names counts: measures are kept by position.
        name = hashlib.sha256(json.dumps(everything).encode()).hexdigest()[: 2 * HASH_DIGITS]
        keys.append(Key(name, {"name": scenario.name, "cpu": cpu(), **everything}))
    return tuple(keys)


@dataclass(frozen=True)
class Entry:
    """One scenario under one seed in the store. bytes : of its files. used : seconds since 1970, last written."""

    key: str
    name: str
    seed: int
    code_version: str
    replications: int
    bytes: int
    used: float


class Store:
    """A folder of finished replications. It is made when the first one is kept.

    problems : sentences without a full stop about files that were set aside, or why nothing can be kept.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.problems: list[str] = []
        self._closed = False

    def read(self, key: Key, replications: Iterable[int], accounts: bool) -> dict[int, Measured]:
        """Measures by replication, of those that are kept. accounts : whether figures per account are needed."""
        wanted, found = set(replications), {}
        for file in self._files(self.folder / key.name):
            if file.replication in wanted and file.replication not in found and (file.accounts or not accounts):
                measured = self._open(file)
                if measured is not None:
                    found[file.replication] = measured
        return found

    def write(self, key: Key, replication: int, measured: Measured) -> None:
        """Keeps one replication. What cannot be kept is told once, and the study goes on without."""
        if self._closed:
            return
        content = to_bytes(measured)
        letter = "a" if measured.accounts is not None else ""
        folder = self.folder / key.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not _about(folder):
                with replacing(folder / ABOUT) as temporary:
                    temporary.write_text(json.dumps(key.about, indent=1), encoding="utf-8")
            path = folder / f"{replication:06d}{letter}.{_digest(content)}.parquet"
            if not path.exists():  # the name holds the content's hash
                with replacing(path) as temporary:
                    temporary.write_bytes(content)
        except OSError as error:
            self._closed = True
            why = error.strerror or str(error)
            self.problems.append(f"Nothing more is kept in the store {self.folder}: {why}")

    def looks(self, baseline: Key, scenario: Key) -> tuple[int, ...]:
        """After how many replications the verdicts on a pair were looked at, in the order of the looks."""
        path = self._looks(baseline, scenario)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()[1:]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            self.problems.append(f"{path} cannot be read ({error}); looks that it has are not paid for")
            return ()
        if not all(_COUNT.fullmatch(line) for line in lines):
            self.problems.append(f"{path} is damaged; looks that it had may not be paid for")
        return tuple(dict.fromkeys(int(line) for line in lines if _COUNT.fullmatch(line)))

    def count_look(self, baseline: Key, scenario: Key, replications: int) -> None:
        """Notes a look at the verdicts on a pair. One line is one write, so that several processes may note theirs."""
        path = self._looks(baseline, scenario)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            first = not path.exists()
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{code_version()}\n{replications}\n" if first else f"{replications}\n")
        except OSError as error:
            self.problems.append(
                f"This look is not counted, since {path} cannot be written ({error.strerror or error}); look no more"
            )

    def _looks(self, baseline: Key, scenario: Key) -> Path:
        return self.folder / LOOKS / f"{scenario.name}.{baseline.name}.txt"

    def entries(self) -> list[Entry]:
        """All that is kept, the latest first."""
        found = []
        for folder in self._folders():
            about, files, sizes = _about(folder), list(self._files(folder)), []
            for file in files:
                with contextlib.suppress(OSError):  # another process may have just deleted it
                    sizes.append(file.path.stat())
            found.append(
                Entry(
                    key=folder.name,
                    name=about.get("name", UNKNOWN),
                    seed=about.get("seed", -1),
                    code_version=about.get("code_version", UNKNOWN),
                    replications=len({file.replication for file in files}),
                    bytes=sum(one.st_size for one in sizes),
                    used=max((one.st_mtime for one in sizes), default=folder.stat().st_mtime),
                )
            )
        return sorted(found, key=lambda entry: -entry.used)

    def about(self, key: str) -> dict[str, Any]:
        """What an entry's results hang on; empty if there is none, or it cannot be read."""
        return _about(self.folder / key)

    def verify(self) -> int:
        """Reads every file and sets the damaged ones aside (`problems` names them); returns how many are sound."""
        files = [file for folder in self._folders() for file in self._files(folder)]
        return sum(self._open(file) is not None for file in files)

    def prune(self, *, other_versions: bool = False, unused_days: float | None = None) -> list[Entry]:
        """Deletes entries of other versions of the code, and those not written for so many days; returns them.

        Files that a killed process has begun and not finished go too, an hour after.
        """
        current, now, gone = code_version(), time.time(), []
        for folder in self._folders():
            for path in _begun(folder):
                with contextlib.suppress(OSError):  # its writer may just have finished it
                    if now - path.stat().st_mtime > SECONDS_TO_WRITE:
                        path.unlink()
        for path in (self.folder / LOOKS).glob("*.*.txt"):
            with contextlib.suppress(OSError, ValueError):
                made_by = path.read_text(encoding="utf-8").partition("\n")[0]
                old = unused_days is not None and now - path.stat().st_mtime > 86_400 * unused_days
                if old or (other_versions and made_by != current):
                    path.unlink()
        for entry in self.entries():
            old = unused_days is not None and now - entry.used > 86_400 * unused_days
            if old or (other_versions and entry.code_version not in (current, UNKNOWN)):
                self._delete(self.folder / entry.key)
                gone.append(entry)
        return gone

    def _delete(self, folder: Path) -> None:
        """Deletes the files that the store has made, and the folder if nothing else is in it."""
        for file in self._files(folder):
            file.path.unlink(missing_ok=True)
        for note in (folder / ABOUT, *_begun(folder)):
            note.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()

    def _folders(self) -> list[Path]:
        """The folders that the store has made; whatever else lies there is somebody else's."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _KEY.fullmatch(path.name) and path.is_dir())

    def _files(self, folder: Path) -> Iterator[_File]:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return
        for name in names:
            file = _File(folder / name)
            if file.is_one:
                yield file

    def _open(self, file: _File) -> Measured | None:
        """The measures in a file; a damaged one is set aside, and gone for whoever comes next."""
        try:
            content = file.path.read_bytes()
            if _digest(content) != file.digest:
                raise NotMeasures("its content is not what was written")
            return from_bytes(content)
        except FileNotFoundError:
            return None  # another process has just set it aside
        except OSError as error:
            self.problems.append(f"{file.path} could not be read ({error.strerror or error}); it is computed again")
            return None
        except NotMeasures as error:
            self._set_aside(file.path, str(error))
            return None

    def _set_aside(self, path: Path, why: str) -> None:
        aside = self.folder / DAMAGED / f"{path.parent.name}.{path.name}"
        try:
            aside.parent.mkdir(exist_ok=True)
            os.replace(path, aside)
            self.problems.append(f"{path} was damaged ({why}); it is set aside as {aside} and computed again")
        except OSError:
            self.problems.append(f"{path} is damaged ({why}) and cannot be set aside; it is computed again")


@dataclass(frozen=True)
class _File:
    """A file's name says the replication, whether figures per account are in it ('a'), and its content's hash."""

    path: Path

    @cached_property
    def _words(self) -> list[str]:
        return self.path.name.split(".")

    @property
    def is_one(self) -> bool:
        """Whether the name is one that `write` gives."""
        words = self._words
        return len(words) == 3 and words[2] == "parquet" and words[0].removesuffix("a").isdigit()

    @property
    def replication(self) -> int:
        return int(self._words[0].removesuffix("a"))

    @property
    def accounts(self) -> bool:
        return self._words[0].endswith("a")

    @property
    def digest(self) -> str:
        return self._words[1]


def _begun(folder: Path) -> list[Path]:
    """Temporary files of `replacing` for files that the store makes."""
    return [path for path in folder.glob(".*") if _BEGUN.fullmatch(path.name)]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:HASH_DIGITS]


def _about(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    kinds = {"name": str, "seed": int, "code_version": str}
    sound = isinstance(said, dict) and all(isinstance(said.get(name), kind) for name, kind in kinds.items())
    return said if sound else {}


def opened(store: Store | str | Path | None) -> Store | None:
    """The store itself, or the one in a folder."""
    return store if store is None or isinstance(store, Store) else Store(store)


def default_folder() -> Path | None:
    """Where results are kept unless somebody says otherwise: CSM_PLANNER_STORE, else the user's cache folder.

    None: CSM_PLANNER_STORE is 'none', or the user has no home, so that nothing is kept.
    """
    named = os.environ.get("CSM_PLANNER_STORE")
    try:
        if named:
            return None if named == OFF else Path(named).expanduser()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    return cache / "csm-planner" / "store"
