"""Time zones by their IANA names, from the `tzdata` package.

In: a name such as Europe/Berlin. Out: the zone, or None. The system's own zone files are not read: the same package
versions give the same hours on every machine.
"""

from __future__ import annotations

import importlib.resources
from functools import cache
from zoneinfo import ZoneInfo


@cache
def zone_names() -> tuple[str, ...]:
    """All known names."""
    return tuple(importlib.resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def time_zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None if there is none."""
    if name not in zone_names():
        return None
    file = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with file.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
