"""Public holidays by country and subdivision, from the `holidays` package.

In: a code such as US or US-CA. Out: the days, or what is wrong with the code. The package is imported when the
first code is looked up, since most scenarios have none.
"""

from __future__ import annotations

import datetime as dt
import difflib
from functools import cache
from typing import Any

from sim.scenario.errors import shown

MOST_NAMED = 60


@cache
def _countries() -> dict[str, list[str]]:
    """The codes of the subdivisions of each country, by its two-letter code."""
    import holidays

    return holidays.list_supported_countries(include_aliases=False)


@cache
def _names() -> dict[str, str]:
    """Two-letter codes by what else a country is called: its English name and its longer codes, in small letters."""
    from holidays.registry import COUNTRIES

    called = {name: codes[1] for name, codes in COUNTRIES.items()}
    return called | {other.lower(): codes[1] for codes in COUNTRIES.values() for other in codes[1:]}


def wrong_code(code: str) -> str | None:
    """What is wrong with the code of a country, or of a country and a part of it; None if nothing is."""
    country, dash, part = code.partition("-")
    parts = _countries().get(country)
    if parts is None:
        hint = f"; did you mean '{near}{dash}{part}'?" if (near := _near_country(country)) else ""
        return f"no public holidays are known for {shown(country)}{hint or '; use a code such as US, DE or US-CA'}"
    if not dash or part in parts:
        return None
    if not parts:
        return f"the holidays of '{country}' are the same everywhere; write '{country}'"
    listed = ", ".join(parts[:MOST_NAMED]) + (", …" if len(parts) > MOST_NAMED else "")
    near_part = difflib.get_close_matches(part[:40].strip().upper(), parts, n=1, cutoff=0.6)
    hint = f"; did you mean '{country}-{near_part[0]}'?" if near_part else ""
    return f"'{country}' has no part {shown(part)}; it has {listed}{hint}"


def _near_country(text: str) -> str | None:
    """The country that somebody may have meant: another code of it, or nearly its name."""
    wanted, names = text[:40].strip().lower().replace(" ", "_"), _names()
    near = [wanted] if wanted in names else difflib.get_close_matches(wanted, names, n=1, cutoff=0.75)
    return names[near[0]] if near and (near[0] == wanted or len(near[0]) > 3) else None


def public_holidays(code: str, first: dt.date, last: dt.date) -> frozenset[dt.date]:
    """The public holidays from `first` to `last`, on the days on which they are observed, of a code that exists."""
    import holidays

    country, _, part = code.partition("-")
    years = range(first.year, last.year + 1)
    found: Any = holidays.country_holidays(country, subdiv=part or None, years=years)
    return frozenset(day for day in found if first <= day <= last)
