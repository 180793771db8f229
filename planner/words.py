"""How names, numbers and verdicts read on the page.

In: values in the engine's units, verdicts of a comparison. Out: short texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

MISSING = "–"
MINUS = "−"

_VERDICTS = {
    "better": "better",
    "worse": "worse",
    "cannot_tell": "cannot tell yet",
    None: "no better direction",
}
_COLOURS: dict[str, Literal["green", "red"]] = {"better": "green", "worse": "red"}
_SHARES = {"share", "share per year"}
_MONEY = re.compile(r"[A-Z]{3}( |$)")


def escape(text: str) -> str:
    """A text from a file, safe inside Markdown, in one line: no links, formulas or emphasis that nobody meant."""
    line = " ".join(text.splitlines())  # a line of its own can be a title or a list
    plain = "".join(f"\\{character}" if character in "\\`*_{}[]<>#$|~:@" else character for character in line)
    return re.sub(r"(?i)\b(www)\.", r"\1\\.", plain)  # else it would become a link by itself


def counted(number: int, what: str) -> str:
    """A number of things: `1 replication`, `1,200 replications`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def formula(text: str) -> str:
    """A definition with the signs of print: `ARR × (1 − exp(−intent))`; hyphens between words stay."""
    return re.sub(r"(?<!\w)-(?=[\s\w(])", MINUS, text).replace(" x ", " × ")


def is_share(unit: str) -> bool:
    """Whether values of the unit are shown in per cent, and their differences in percentage points."""
    return unit in _SHARES


def is_money(unit: str) -> bool:
    """Whether the unit is a currency, whole or per something: `USD`, `USD per year`."""
    return bool(_MONEY.match(unit))


def unit_words(unit: str, *, difference: bool = False) -> str:
    """The unit as a column or an axis names it."""
    if unit in _SHARES:
        word = "percentage points" if difference else "%"
        return f"{word}{unit.removeprefix('share')}"
    return f"{unit}, 0 to 1" if unit == "score" and not difference else unit


def value(number: float | None, unit: str, *, difference: bool = False) -> str:
    """A number with its unit: `12.3 %`, `USD 1.24 M`, `34.5 minutes`; a difference has a sign."""
    return _with_unit(plain(number, unit, difference=difference), unit, difference)


def span(ends: Sequence[float | None] | None, unit: str, *, difference: bool = False) -> str:
    """An interval with its unit: `11.2 to 13.4 %`."""
    return _with_unit(plain_span(ends, unit, difference=difference), unit, difference)


def plain(number: float | None, unit: str, *, difference: bool = False, like: float | None = None) -> str:
    """The number alone, at the precision that its unit and size (or the size of `like`) deserve."""
    if number is None or not math.isfinite(number):
        return MISSING
    size, like = abs(number), abs(number if like is None else like)
    if is_share(unit):
        digits = f"{size * 100:.2f}" if difference and like < 0.01 else f"{size * 100:.1f}"
    elif is_money(unit):
        digits = _money(size, like)
    elif like >= 1000:
        digits = f"{size:,.0f}"
    elif difference and like < 0.1:
        digits = f"{size:.3f}"
    else:
        digits = f"{size:.1f}" if like >= 10 else f"{size:.2f}"
    if not any(character in "123456789" for character in digits):
        return digits
    sign = MINUS if number < 0 else "+" if difference else ""
    return f"{sign}{digits}"


def plain_span(ends: Sequence[float | None] | None, unit: str, *, difference: bool = False) -> str:
    """An interval without its unit, both ends at the same precision: `11.2 to 13.4`."""
    if ends is None or ends[0] is None or ends[1] is None:
        return MISSING
    like = max(abs(ends[0]), abs(ends[1]))
    low, high = (plain(end, unit, difference=difference, like=like) for end in ends)
    return f"{low} to {high}"


def verdict(difference: Mapping[str, Any]) -> str:
    """A difference's verdict in words."""
    if difference.get("reason") == "no_difference_that_matters":
        return "no difference that matters"
    return _VERDICTS[difference.get("verdict")]


def more_replications(difference: Mapping[str, Any]) -> str:
    """How many more replications may settle an open verdict, where that is known; else empty."""
    more = difference.get("more_replications")
    return f"about {counted(more, 'more replication')} may tell" if more else ""


def colour(difference: Mapping[str, Any]) -> Literal["green", "red", "gray"]:
    """The colour of a verdict: green, red or gray."""
    return _COLOURS.get(difference.get("verdict") or "", "gray")


def duration(seconds: float | None) -> str:
    """Time left: `about 40 s`, `about 3 min`; empty while unknown."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "almost done"
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


def _with_unit(text: str, unit: str, difference: bool) -> str:
    if text == MISSING or not unit:
        return text
    if is_share(unit):
        return f"{text} points" if difference else f"{text} %"
    if is_money(unit):
        return f"{unit[:3]} {text}{unit[3:]}"
    return text if unit == "score" else f"{text} {unit}"


def _money(size: float, like: float) -> str:
    """The digits of an amount, in the thousands or millions that suit the size of `like`."""
    if like >= 1e9:
        return f"{size / 1e9:,.2f} bn"
    if like >= 1e6:
        return f"{size / 1e6:.2f} M"
    if like >= 1e4:
        return f"{size / 1e3:.0f} k"
    if like >= 1e3:
        return f"{size / 1e3:.1f} k"
    return f"{size:.0f}" if like >= 10 or like == 0 else f"{size:.2f}"
