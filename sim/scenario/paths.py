"""Names of files in files: they stay in the folder of the file that names them, or below it; or in the one above.

In: what a file says. Out: why it names no file there, or nothing.
"""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath
from typing import Any

from sim.scenario.errors import shown

LONGEST = 200


def real(path: Path) -> Path:
    """The path with all links followed."""
    return Path(os.path.realpath(path))


def why_not_inside(value: Any, beside: Path, folder: Path | None, such_as: str, one_above: bool = False) -> str | None:
    """Why `value` does not name a file in the folder or below it; None if it does.

    beside : folder of the file that says it. folder : the folder to stay in; None where there is none.
    such_as : an example for the message. one_above : whether it may also begin with '../', and so name a file in the
    folder above or below that one.
    """
    if not isinstance(value, str) or not value.strip():
        return f"{shown(value)} is not the name of a file; write one name, such as {such_as}"
    if folder is None:
        return f"{shown(value)} cannot be looked for, because this text has no folder; give all values here"
    where = "in this folder, in the one above it or below them" if one_above else "in this folder or below it"
    stay = f"name a file {where}, such as {such_as}"
    if not value.isprintable() or len(value) > LONGEST:
        return f"{shown(value)} is not the name of a file; {stay}"
    windows = PureWindowsPath(value)
    if value.startswith(("/", "~")) or windows.drive or windows.root:
        return f"{shown(value)} is an absolute path; {stay}"
    if "\\" in value:
        return f"{shown(value)} has a backslash; write folders with '/'"
    if ".." in value.split("/")[1 if one_above else 0 :]:
        return f"{shown(value)} leaves the folder; {stay}"
    if not real(beside / value).is_relative_to(real(folder / ".." if one_above else folder)):
        return f"{shown(value)} is a link that leaves the folder; {stay}"
    return None
