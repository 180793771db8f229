"""What follows from an account list for the scenario that starts with it.

In: the list, the headcounts that its mapping asks for, and the scenario's plain values without the list. Out: values
to lay on the scenario, in words what they are, and what contradicts the list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.scenario.book.account_list import AccountList, IntArray
from sim.scenario.book.mapping import Headcount
from sim.scenario.errors import did_you_mean, number, shown
from sim.scenario.working_time import seats_of

MOST_TERMS = 12
HIGHEST_CV = 3.0


@dataclass(frozen=True)
class Derived:
    """values : nested, as a scenario file writes them; None deletes. told : sentences. wrong : (path, message)."""

    values: dict[str, Any]
    told: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]


def derived(
    book: AccountList, headcount: Mapping[str, Headcount], scenario: Mapping[str, Any], before: Mapping[str, Any]
) -> Derived:
    """The scenario's values that follow from a list.

    headcount : what the mapping asks for, by team. scenario : plain values without the list. before : those of them
    on which the values of the list are laid.
    """
    values: dict[str, Any] = {"tiers": {}}
    told: list[str] = []
    for index, name in enumerate(_at(scenario, "tiers") or {}):
        rows = np.flatnonzero(book.tier == index)
        tier = _at(before, "tiers", name)
        values["tiers"][name], line = _tier(book, rows, tier if isinstance(tier, Mapping) else {})
        told.append(f"{name}: {line}.")
    people, wrong = {}, []
    teams = _at(scenario, "teams")
    known = list(teams) if isinstance(teams, Mapping) else []
    for team, rule in headcount.items():
        if team not in known:
            wrong.append((f"headcount.{team}", f"there is no team {shown(team)}" + did_you_mean(team, known)))
            continue
        count = len(book.owners) if rule.from_owners else math.ceil(len(book) / (rule.accounts_per_person or 1))
        people[team] = {"headcount": max(1, count)}
        why = "owners" if rule.from_owners else f"accounts, {number(rule.accounts_per_person or 1)} for each person"
        told.append(f"{team}: headcount {max(1, count)}, from {len(book.owners if rule.from_owners else book)} {why}.")
    if people:
        values["teams"] = people
    return Derived(values, tuple(told), tuple(wrong))


def _tier(book: AccountList, rows: IntArray, before: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The values of one tier, and a sentence about them."""
    new = before.get("new_accounts_per_year")
    if not len(rows):
        kept = f", but {number(new)} new ones a year as in the file" if isinstance(new, int | float) and new else ""
        return {"accounts": 0}, f"no account of the list{kept}"
    arr = book.arr_cents[rows] / 100
    values: dict[str, Any] = {"accounts": len(rows)}
    parts = [f"{len(rows):,} account{'s' if len(rows) > 1 else ''}"]
    mean = float(arr.mean())
    if mean > 0:
        cv = min(HIGHEST_CV, round(float(arr.std() / mean), 4))
        values |= {"arr_per_year_mean": round(mean, 2), "arr_cv": cv}
        parts.append(f"ARR {mean:,.0f} on average, spread {number(round(cv, 2))}")
    terms = _term_shares(book.term_months[rows])
    old = before.get("term_months")
    values["term_months"] = {months: None for months in (old if isinstance(old, Mapping) else ())} | terms
    parts.append(
        "terms "
        + ", ".join(f"{months} month{'s' if months > 1 else ''} {share:.0%}" for months, share in terms.items())
    )
    seats = book.seats[rows]
    known = ~np.isnan(seats) & (arr > 0)
    if known.any():
        per_seat = round(float(arr[known].sum() / seats[known].sum()), 4)
        values["arr_per_seat_per_year"] = min(max(per_seat, 0.0001), 1e7)
        parts.append(f"ARR per seat {values['arr_per_seat_per_year']:,.0f}")
    accounts = before.get("accounts")
    if new is not None and _is_number(new) and _is_number(accounts) and accounts:
        values["new_accounts_per_year"] = min(100_000.0, round(new * len(rows) / accounts, 4))
        yearly = values["new_accounts_per_year"]
        scaled = number(round(yearly, 1 if yearly >= 1 else 3))
        parts.append(f"{scaled} new ones a year, the file's {number(new)} for {accounts} scaled")
    return values, ", ".join(parts)


def _term_shares(months: IntArray) -> dict[int, float]:
    """Contract terms and their shares, which add up to 1; rare terms beyond twelve join the nearest one."""
    terms, counts = np.unique(months, return_counts=True)
    common = np.sort(terms[np.argsort(-counts, kind="stable")[:MOST_TERMS]])
    nearest = common[np.abs(terms[:, np.newaxis] - common).argmin(axis=1)]
    return {int(term): float(counts[nearest == term].sum() / len(months)) for term in common}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _at(values: Any, *path: str) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def overruled(values: Mapping[str, Any], scenario: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of derived values in whose place the whole scenario has another one."""
    for key, value in values.items():
        here, there = f"{path}.{key}".lstrip("."), scenario.get(key) if isinstance(scenario, Mapping) else None
        if isinstance(value, Mapping):
            yield from overruled(value, there, here)
        elif value != there:
            yield here


def contradicted(book: AccountList, scenario: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, message) of what a whole scenario says against its list. scenario : plain values."""
    tiers = _at(scenario, "tiers")
    for index, (name, tier) in enumerate(tiers.items() if isinstance(tiers, Mapping) else ()):
        said, listed = _at(tier, "accounts"), int((book.tier == index).sum())
        if said is not None and said != listed:
            message = f"{shown(said)} is written here, but the account list has {listed}; delete this value"
            yield ("tiers", name, "accounts"), message
    teams = _at(scenario, "teams")
    for name, team in teams.items() if isinstance(teams, Mapping) else ():
        if _at(team, "named_owner") is True:
            people, vacant = _at(team, "headcount"), _at(team, "opening_vacancies")
            if _is_number(people) and isinstance(vacant, int) and seats_of(people) - vacant < len(book.owners):
                less = f" less {vacant} vacancies" if vacant else ""
                message = (
                    f"{number(people)} people{less} cannot be the {len(book.owners)} owners that the account list "
                    f"names; set the headcount to {len(book.owners) + vacant} or more, write 'headcount: {{{name}: "
                    "from_owners}' into the mapping, or 'owner: dealt' to deal all accounts out"
                )
                yield ("teams", name, "headcount"), message
            return
