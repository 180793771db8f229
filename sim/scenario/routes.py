"""Checks of routing: rules move something, somewhere else, to people who exist.

In: `Facts`. Out: `Finding`s. What the schema has refused leaves part of the routes open: about that part nothing is
said, about the rest everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.scenario.errors import segment
from sim.scenario.facts import Facts, Finding, Path
from sim.scenario.working_time import seats_of

SHARE_TOLERANCE = 1e-6

Route = tuple[str, str]  # category, team


class Routes:
    """Who gets what, after the rules so far.

    shares : for each category, the shares of the teams. answers : for each route in use, the value that made it.
    perhaps : routes that a refused value may have made. unsure : routes that a refused rule may have taken away.
    """

    def __init__(self, f: Facts) -> None:
        self.f = f
        assigned = f.items("routing", "assign")
        self.shares: dict[str, dict[str, float]] = {
            category: dict(teams) for category, teams in assigned if isinstance(teams, Mapping)
        }
        self.answers: dict[Route, Path] = {
            (category, team): ("routing", "assign", category, team)
            for category, teams in self.shares.items()
            for team, share in teams.items()
            if share > 0
        }
        self.perhaps: set[Route] = {
            (category, team)
            for category in f.names["categories"]
            if not f.sound("routing", "assign", category)
            for team in f.names["teams"]
        }
        self.unsure: set[Route] = set()

    def move(self, rule: Mapping[str, Any], categories: list[str], path: Path) -> None:
        """Applies a rule."""
        source, target = rule["from"], rule["to"]
        for name in categories:
            if (name, source) in self.perhaps:
                self.perhaps.add((name, target))
            has = self.shares.get(name)
            if has is None:
                continue
            share = has.get(source, 0.0) * rule["share"]
            has[target] = has.get(target, 0.0) + share
            if share > 0 and (name, source) in self.unsure and (name, target) not in self.answers:
                self.unsure.add((name, target))
            if share > 0:
                self.answers.setdefault((name, target), (*path, "to"))
            if rule["how"] == "front_door":
                has[source] = has.get(source, 0.0) - share
                if has[source] <= SHARE_TOLERANCE:
                    has[source] = 0.0
                    self.answers.pop((name, source), None)

    def doubt(self, rule: Mapping[str, Any], categories: list[str]) -> None:
        """Notes what a refused rule may have moved: nobody knows what it should have been."""
        teams = self.f.names["teams"]
        for name in categories:
            self.unsure |= {(name, team) for team in ([rule["from"]] if "from" in rule else teams)}
            self.perhaps |= {(name, team) for team in ([rule["to"]] if "to" in rule else teams)}

    def never(self, category: str, team: str) -> bool:
        """Whether the team certainly gets none of the category."""
        return not self.shares.get(category, {}).get(team) and (category, team) not in self.perhaps


def rules_of(f: Facts, kind: str = "rules") -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The rules (or "escalation", "overflow") with their paths; one may lack what the schema refused."""
    rules = f.get("routing", kind)
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        yield ("routing", kind, index), rule if isinstance(rule, Mapping) else {}


def routing(f: Facts, routes: Routes) -> Iterator[Finding]:
    """Rules move something, somewhere else, to people who exist; `routes` then knows who gets what."""
    everything = list(f.names["categories"])
    support = [name for name, category in f.items("categories") if category.get("support_call") is True]
    support_known = all(f.sound("categories", name, "support_call") for name in everything)
    for path, rule in rules_of(f):
        source, target, listed = rule.get("from"), rule.get("to"), rule.get("categories")
        if source is not None and source == target:
            yield Finding((*path, "to"), f"'{segment(target)}' is also the team that has them now; name another team")
            continue
        yield from _twice(listed, path)
        if not f.sound(*path):
            named = listed if f.sound(*path, "categories") else everything
            routes.doubt(rule, everything if named is None and not support_known else named or support)
            continue
        wanted = support if listed is None else listed
        moved = [name for name in wanted if name in routes.shares or not f.sound("routing", "assign", name)]
        if source in f.names["teams"] and target in f.names["teams"]:
            yield from _idle(routes, rule, moved, path, support_known)
        routes.move(rule, moved, path)
    if not f.sound("routing", "rules") and f.get("routing", "rules") is None:
        return
    for kind, can in (("escalation", "be passed on"), ("overflow", "overflow")):
        yield from _passing(f, routes, kind, can)
    yield from _nobody_there(f, routes)


def _passing(f: Facts, routes: Routes, kind: str, can: str) -> Iterator[Finding]:
    """Escalation or overflow: between two teams, of customers' contacts that the first one gets, and without loops."""
    customers = [name for name, about in f.items("categories") if about.get("initiated_by") == "customer"]
    steps: dict[tuple[str, str], list[tuple[str, Path]]] = {}  # by category and team: where it goes on
    for path, rule in rules_of(f, kind):
        source, target, listed = rule.get("from"), rule.get("to"), rule.get("categories")
        if source is not None and source == target:
            yield Finding((*path, "to"), f"'{segment(target)}' is also the team that has them; name another team")
            continue
        yield from _twice(listed, path)
        if not f.sound(*path) or source not in f.names["teams"] or target not in f.names["teams"]:
            continue
        for position, name in enumerate(listed or ()):
            if name in f.names["categories"] and f.sound("categories", name) and name not in customers:
                message = f"'{segment(name)}' is not started by customers; it cannot {can}"
                yield Finding((*path, "categories", position), message)
        for name in customers if listed is None else [name for name in listed if name in customers]:
            steps.setdefault((name, source), []).append((target, path))
    yield from _loops(steps)
    for _ in steps:
        for (name, source), ways in steps.items():
            if (name, source) in routes.answers or (name, source) in routes.perhaps:
                for target, path in ways:
                    routes.answers.setdefault((name, target), (*path, "to"))
    reached = {path for (name, source), ways in steps.items() for _, path in ways if not routes.never(name, source)}
    reached |= {path for route, ways in steps.items() if route in routes.answers for _, path in ways}
    for path in dict.fromkeys(path for ways in steps.values() for _, path in ways):
        if path not in reached:
            source = f.get("routing", kind)[path[2]]["from"]
            yield Finding((*path, "from"), f"'{segment(source)}' never gets any of it, so nothing can {can}")


def _loops(steps: dict[tuple[str, str], list[tuple[str, Path]]]) -> Iterator[Finding]:
    """Contacts that would come back to a team that has passed them on; one finding per loop of teams."""
    told: set[frozenset[str]] = set()
    for category, begin in steps:
        ends: list[tuple[str, ...]] = [(begin,)]
        while ends:
            way = ends.pop()
            for target, path in steps.get((category, way[-1]), ()):
                if target == begin and frozenset(way) not in told:
                    told.add(frozenset(way))
                    shown = " → ".join(segment(name) for name in (*way, begin))
                    yield Finding((*path, "to"), f"'{segment(category)}' would go round in a loop: {shown}")
                elif target not in way:
                    ends.append((*way, target))


def _twice(listed: list[str] | None, path: Path) -> Iterator[Finding]:
    """Categories that a rule lists twice."""
    earlier: set[str] = set()
    for position, category in enumerate(listed or []):
        if category is not None and category in earlier:
            yield Finding((*path, "categories", position), f"'{segment(category)}' is listed twice")
        earlier.add(category)


def _idle(
    routes: Routes, rule: Mapping[str, Any], moved: list[str], path: Path, support_known: bool
) -> Iterator[Finding]:
    """A rule, or some of its categories, with nothing to move."""
    source, listed = rule["from"], rule.get("categories")
    if listed is None and not support_known:
        return
    idle = [name for name in moved if routes.never(name, source)]
    if moved and len(idle) == len(moved):
        what = "support calls" if listed is None else ", ".join(f"'{segment(name)}'" for name in moved)
        yield Finding((*path, "from"), f"'{segment(source)}' never gets {what}, so there is nothing to move")
    elif listed is None and not moved:
        yield Finding(path, "no category is a support call, so there is nothing to move; name 'categories'")
    elif listed:
        for name in dict.fromkeys(idle):
            message = f"'{segment(source)}' never gets '{segment(name)}', so there is nothing to move"
            yield Finding((*path, "categories", listed.index(name)), message)


def _nobody_there(f: Facts, routes: Routes) -> Iterator[Finding]:
    """Teams that get contacts and have no people; one finding per team."""
    answers = {route: path for route, path in routes.answers.items() if route not in routes.unsure}
    for team in dict.fromkeys(team for _, team in answers):
        people = f.get("teams", team, "headcount")
        vacant = f.get("teams", team, "opening_vacancies") if f.opening else 0
        if people is None or seats_of(people) - (vacant or 0) > 0 or (vacant or 0) > seats_of(people):
            continue
        given = [category for category, who in answers if who == team]
        what = ", ".join(map(segment, given[:4])) + (", …" if len(given) > 4 else "")
        key, who = ("headcount", "no people") if people <= 0 else ("opening_vacancies", "nobody at the start")
        message = f"'{segment(team)}' has {who}, but gets contacts ({what})"
        message += "; give it people, or route them elsewhere"
        yield Finding(("teams", team, key), message, (answers[given[0], team],))
