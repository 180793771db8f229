"""What a what-if changes, in the words of the person who decides.

In: the baseline and the what-if, and how many of a team's contacts are support calls, if known. Out: sentences
such as "From 1 July 2026 all support calls, about 29 % of the CSMs' contacts, go straight to Support."
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sim.scenario import Scenario, phases
from sim.scenario.schema_contacts import Rule
from sim.scenario.union import with_all_names
from sim.study.kpis import team_title

MOST_TOLD = 4
NOT_INPUTS = frozenset({"name", "description", "changes", "book"})
KINDS = {"teams": "team", "channels": "channel", "categories": "category"}
Values = dict[str, Any]


def change_sentences(
    baseline: Scenario, what_if: Scenario, support_share: Mapping[str, float] | None = None
) -> list[str]:
    """One sentence for each date from which the what-if differs from the baseline.

    support_share : by team, support calls as a share of the contacts that it handles.
    """
    said: Values = {}
    sentences = []
    new, gone = _names(what_if, baseline), _names(baseline, what_if)
    named = [f"there is {_named(kind, name)}" for kind, name in new]
    named += [f"there is no {_named(kind, name)[2:]}" for kind, name in gone]
    both = with_all_names([baseline, what_if])
    for day, ours, theirs in _states(both[0], both[1], [*new, *gone]):
        differing = {path: value for path, value in theirs.items() if ours.get(path) != value}
        differing |= {path: None for path in ours if path not in theirs}
        fresh = {path for path, value in differing.items() if path not in said or said[path] != value}
        back = {path for path in said if path not in differing}
        said = differing
        clauses = [*named, *_clauses(fresh | back, ours, theirs, support_share or {})]
        named = []
        if clauses:
            start = "From the start" if day <= baseline.start else f"From {day_words(day)}"
            sentences.append(f"{start} {_joined(clauses)}.")
    return sentences or ["Nothing changes: the two scenarios say the same."]


def day_words(day: dt.date) -> str:
    """'1 July 2026'."""
    return f"{day.day} {day:%B %Y}"


def _names(one: Scenario, other: Scenario) -> list[tuple[str, str]]:
    """(kind, name) of the teams, channels and categories that only the one has."""
    return [(kind, name) for kind in KINDS for name in getattr(one, kind) if name not in getattr(other, kind)]


def _named(kind: str, name: str) -> str:
    title = team_title(name) if kind == "teams" else name.replace("_", " ")
    return f"a {KINDS[kind]} '{title}'"


def _states(
    baseline: Scenario, what_if: Scenario, apart: list[tuple[str, str]]
) -> Iterator[tuple[dt.date, Values, Values]]:
    """The flat values of both scenarios at every date on which one of them changes.

    apart : names that only one has; what they are is not told, but how many people a team has.
    """
    untold = tuple(f"{kind}.{name}." for kind, name in apart)
    ours, theirs = phases(baseline), phases(what_if)
    for day in sorted({phase.start for phase in [*ours, *theirs]}):
        now = [[phase for phase in parts if phase.start <= day][-1].scenario for parts in (ours, theirs)]
        before, after = (
            {p: v for p, v in _flat(one).items() if not p.startswith(untold) or p.endswith(".headcount")} for one in now
        )
        yield day, before, after


def _flat(scenario: Scenario) -> Values:
    """Values by dotted path; lists are one value."""
    found: Values = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Mapping) and path != "routing.rules":
            for key, inside in value.items():
                walk(inside, f"{path}.{key}" if path else str(key))
        else:
            found[path] = value

    walk(scenario.model_dump(by_alias=True, exclude_none=True, exclude=set(NOT_INPUTS)), "")
    return found


def _clauses(paths: set[str], ours: Values, theirs: Values, support_share: Mapping[str, float]) -> Iterator[str]:
    if "routing.rules" in paths:
        rules = [Rule.model_validate(rule) for rule in theirs.get("routing.rules") or []]
        yield from (_rule(rule, support_share) for rule in rules)
        if not rules:
            yield "contacts go where they went before"
    heads = sorted(path for path in paths if path.startswith("teams.") and path.endswith(".headcount"))
    for path in heads:
        yield _headcount(path.split(".")[1], ours[path], theirs[path])
    freezes = sorted(path for path in paths if path.startswith("teams.") and path.endswith(".hiring_freeze"))
    for path in freezes:
        yield f"the {team_title(path.split('.')[1])} team {'hires nobody' if theirs[path] else 'hires again'}"
    shares = {path for path in paths if path.startswith("routing.assign.") or ".channel_shares." in path}
    yield from _divisions(shares, theirs)
    others = sorted(paths - {"routing.rules", *heads, *freezes, *shares})
    for path in others[:MOST_TOLD]:
        now, before = theirs.get(path), ours.get(path)
        yield (
            f"{path} is {_shown(now)} again"
            if now == before
            else f"{path} is {_shown(now)} instead of {_shown(before)}"
        )
    if len(others) > MOST_TOLD:
        yield f"{len(others) - MOST_TOLD} more inputs differ"


def _divisions(paths: set[str], values: Values) -> Iterator[str]:
    """'training contacts go to Partner'; 'how to contacts come 60 % by phone and 40 % by email'."""
    categories: dict[str, list[str]] = {}
    for whole in sorted({path.rsplit(".", 1)[0] for path in paths}):
        shares = {path.rsplit(".", 1)[1]: v for path, v in values.items() if path.rsplit(".", 1)[0] == whole and v}
        largest = sorted(shares, key=lambda name: -shares[name])
        if whole.startswith("routing"):
            category, verb, names = whole.split(".")[2], "go", [f"to {team_title(name)}" for name in largest]
        else:
            category, verb, names = whole.split(".")[1], "come", [f"by {name.replace('_', ' ')}" for name in largest]
        parts = [f"{100 * shares[one]:.3g} % {name}" for one, name in zip(largest, names, strict=True)]
        text = f"{verb} {names[0] if len(names) == 1 else _joined(parts) if parts else 'nowhere'}"
        categories.setdefault(text, []).append(category.replace("_", " "))
    for text, named in categories.items():
        some = [*named[:MOST_TOLD], *([f"{len(named) - MOST_TOLD} other"] if len(named) > MOST_TOLD else [])]
        yield f"{_joined(some)} contacts {text}"


def _rule(rule: Rule, support_share: Mapping[str, float]) -> str:
    """'all support calls, about 29 % of the CSMs' contacts, go straight to Support'."""
    if rule.categories is None:
        what = "all support calls" if rule.share == 1 else f"{100 * rule.share:.3g} % of the support calls"
        if rule.share == 0:
            what = "no support calls"
    else:
        names = _joined([name.replace("_", " ") for name in rule.categories])
        what = f"all {names} contacts" if rule.share == 1 else f"{100 * rule.share:.3g} % of the {names} contacts"
    known = support_share.get(rule.from_)
    if rule.categories is None and known is not None and rule.share > 0:
        what += f", about {100 * known * rule.share:.0f} % of {_whose(rule.from_)} contacts,"
    target = team_title(rule.to)
    if rule.how == "front_door":
        return f"{what} go straight to {target}"
    return f"{what} are answered by {_people(rule.from_)} first and then handed over to {target}"


def _headcount(team: str, before: float, after: float) -> str:
    people = "person" if after == 1 else "people"
    change = (
        f"{abs(after - before):,.10g} {'more' if after > before else 'fewer'}"
        if after != before
        else "as in the baseline"
    )
    return f"the {team_title(team)} team has {after:,.10g} {people}, {change}"


def _people(team: str) -> str:
    title = team_title(team)
    return f"the {title}s" if title.isupper() else title


def _whose(team: str) -> str:
    people = _people(team)
    return f"{people}'" if people.endswith("s") else f"{people}'s"


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _joined(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return ", ".join(parts[:-1]) + " and " + parts[-1]
