"""Where a result comes from: inputs, seed, code, packages, machine.

In: the scenarios and settings of a study. Out: a frozen `Provenance` that goes with every result.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

PACKAGES = ("numpy", "scipy", "simpy", "pydantic", "holidays", "tzdata")


@dataclass(frozen=True)
class Provenance:
    """What a result depends on.

    replications : how many were asked for; of an interrupted study, how many had finished.
    failed : messages of the replications that could not be had.
    """

    inputs_hash: str
    seed: int
    code_version: str
    packages: dict[str, str]
    replications: int
    python: str
    cpu: str
    failed: tuple[str, ...] = ()
    interrupted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON; `failed` and `interrupted` only if there is something to say."""
        values = asdict(self)
        failed = list(values.pop("failed"))
        interrupted = values.pop("interrupted")
        return values | ({"failed": failed} if failed else {}) | ({"interrupted": interrupted} if interrupted else {})


def provenance(scenarios: Sequence[Scenario], seed: int, replications: int, failed: Sequence[str] = ()) -> Provenance:
    """The provenance of a study of these scenarios (the baseline first)."""
    return Provenance(
        inputs_hash=inputs_hash(scenarios),
        seed=seed,
        code_version=code_version(),
        packages=package_versions(),
        replications=replications,
        python=platform.python_version(),
        cpu=cpu(),
        failed=tuple(failed),
    )


def inputs_hash(scenarios: Sequence[Scenario]) -> str:
    """SHA-256 of all that the scenarios say, in order; comments and layout of files do not count."""
    said = [scenario.model_dump(mode="json", by_alias=True) for scenario in scenarios]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@functools.cache
def code_version() -> str:
    """The package's version and a hash of its source files, so that edited code shows."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{package_version()}+{digest.hexdigest()[:12]}"


@functools.cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that results hang on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def package_version() -> str:
    """The installed version, or 0 when the package runs from a folder without being installed."""
    try:
        return importlib.metadata.version("csm-planner")
    except importlib.metadata.PackageNotFoundError:
        return "0"


@functools.cache
def cpu() -> str:
    """The processor's name where the system tells, else its kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
