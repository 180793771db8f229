"""Checks between fields: a file may be right value by value and still contradict itself.

In: the merged mapping of a scenario, and which of its values the schema has refused. Out: `Finding`s, each
with the path of the value to repair. A check is silent about what the schema has already refused, so that
everything can be reported at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.scenario.errors import did_you_mean, number, segment

MOST_ACCOUNTS = 200_000
MOST_PEOPLE = 20_000
MOST_CONTACTS = 100_000_000
SUM_TOLERANCE = 1e-6
MOST_LISTED = 12
WEEKS_PER_MONTH = 365.25 / 7 / 12
TRIGGERED_BY = {"firefight": "firefighting", "sponsor_reengagement": "sponsor_loss"}

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A contradiction.

    path : the value to repair. message : what is wrong and what to do. parts : further values that the
    message speaks of, whose places in the files help.
    """

    path: Path
    message: str
    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the checks may rely on.

    data : the merged mapping without the values that the schema refused. names : all keys of the named maps,
    refused or not, so that a name is never called unknown because its entry is wrong. refused : paths of the
    refused values. opening : whether this is the state at the start of the run (else after a dated change).
    """

    data: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]
    refused: frozenset[Path] = field(default=frozenset())
    opening: bool = True

    def get(self, *path: Any) -> Any:
        """The value at a path, or None."""
        here: Any = self.data
        for key in path:
            if not isinstance(here, Mapping) or key not in here:
                return None
            here = here[key]
        return here

    def items(self, *path: Any) -> list[tuple[Any, Any]]:
        """Entries of the map at a path; none if it is missing."""
        found = self.get(*path)
        return list(found.items()) if isinstance(found, Mapping) else []

    def sound(self, *path: Any) -> bool:
        """Whether the schema accepted the value at a path and everything in it."""
        return not any(bad[: len(path)] == path or path[: len(bad)] == bad for bad in self.refused)


def facts(data: Mapping[str, Any], refused: Iterable[Path], opening: bool = True) -> Facts:
    """The facts of a merged mapping, given the paths that the schema refused."""
    bad = frozenset(refused)
    names = {}
    for key in ("tiers", "categories", "channels", "teams"):
        found = data.get(key)
        names[key] = tuple(map(str, found)) if isinstance(found, Mapping) else ()
    cleaned = _without(data, bad, ())
    return Facts(cleaned if isinstance(cleaned, Mapping) else {}, names, bad, opening)


def _without(value: Any, bad: frozenset[Path], path: Path) -> Any:
    """A copy without the refused entries of maps; a refused entry of a list is None, so that numbers stay."""
    if isinstance(value, Mapping):
        return {k: _without(v, bad, (*path, k)) for k, v in value.items() if (*path, k) not in bad}
    if isinstance(value, list):
        inside = [((*path, index), item) for index, item in enumerate(value)]
        return [None if place in bad else _without(item, bad, place) for place, item in inside]
    return value


def _calendar(f: Facts) -> Iterator[Finding]:
    """The start is a Monday; the window lies inside the run."""
    start, weeks = f.get("start"), f.get("weeks")
    if isinstance(start, dt.date) and start.weekday() != 0:
        monday = start - dt.timedelta(days=start.weekday())
        near = f"{monday} or {monday + dt.timedelta(days=7)}" if monday.year > 1 else "another"
        yield Finding(("start",), f"{start} is a {start:%A}; weeks begin on Monday: use {near}")
    if isinstance(start, dt.date) and weeks is not None and not 1950 <= start.year <= 2150:
        yield Finding(("start",), f"{start} is far away; use a year from 1950 to 2150")
    first, last = f.get("window", "from_week") or 0, f.get("window", "to_week")
    if last is not None and first >= last:
        yield Finding(("window",), f"from_week {first} must be smaller than to_week {last}")
    if last is not None and weeks is not None and last > weeks:
        yield Finding(("window", "to_week"), f"{last} is after the end of the run; 'weeks' is {weeks}")


def _shares(f: Facts) -> Iterator[Finding]:
    """Shares that divide a whole add up to 1."""
    whole: list[Path] = [("tiers", name, "term_months") for name, _ in f.items("tiers")]
    whole += [("categories", name, "channel_shares") for name, _ in f.items("categories")]
    whole += [("routing", "assign", name) for name, _ in f.items("routing", "assign")]
    for path in whole:
        entries = f.items(*path)
        if f.sound(*path) and entries:
            total = sum(share for _, share in entries)
            if abs(total - 1) > SUM_TOLERANCE:
                listed = ", ".join(f"{segment(k)} {number(share)}" for k, share in entries[:MOST_LISTED])
                listed += ", …" if len(entries) > MOST_LISTED else ""
                parts = tuple((*path, k) for k, _ in entries[:MOST_LISTED])
                yield Finding(path, f"the shares add up to {number(round(total, 9))} instead of 1 ({listed})", parts)
        elif f.sound(*path) and f.get(*path) is not None:
            yield Finding(path, "has no entries; its shares must add up to 1")
    weights = ("after_hours_weight", "occupancy_weight", "overdue_weight")
    values = [f.get("people", "strain", name) for name in weights]
    if None not in values and abs(sum(values) - 1) > SUM_TOLERANCE:
        parts = tuple(("people", "strain", name) for name in weights)
        listed = ", ".join(f"{name} {number(value)}" for name, value in zip(weights, values, strict=True))
        total = number(round(sum(values), 9))
        yield Finding(("people", "strain"), f"the weights add up to {total} instead of 1 ({listed})", parts)


def _profiles(f: Facts) -> Iterator[Finding]:
    """Something must have weight."""
    for name in ("weekday_profile", "hour_profile"):
        profile = f.get("accounts", name)
        if profile and f.sound("accounts", name) and not any(profile):
            yield Finding(("accounts", name), "all entries are 0; at least one must be above 0")
    weights = f.items("accounts", "health", "weights")
    if len(weights) == 3 and not any(weight for _, weight in weights):
        yield Finding(("accounts", "health", "weights"), "all weights are 0; at least one must be above 0")
    start, ceiling = (f.get("accounts", "adoption", key) for key in ("start", "ceiling"))
    if start is not None and ceiling is not None and start > ceiling:
        yield Finding(("accounts", "adoption", "start"), f"{number(start)} is above the ceiling of {number(ceiling)}")


def _unknown(f: Facts, kind: str, name: Any, path: Path) -> Iterator[Finding]:
    """A finding if `name` is none of the `kind` ('teams' ...)."""
    if f.names[kind] and str(name) not in f.names[kind]:
        one = {"categories": "category"}.get(kind, kind[:-1])
        yield Finding(path, f"there is no {one} '{segment(name)}'" + did_you_mean(name, f.names[kind]))


def _names(f: Facts) -> Iterator[Finding]:
    """Names that are used exist; every category goes to somebody."""
    for category, _ in f.items("categories"):
        for channel, _ in f.items("categories", category, "channel_shares"):
            yield from _unknown(f, "channels", channel, ("categories", category, "channel_shares", channel))
    for category, _ in f.items("routing", "assign"):
        yield from _unknown(f, "categories", category, ("routing", "assign", category))
        for team, _ in f.items("routing", "assign", category):
            yield from _unknown(f, "teams", team, ("routing", "assign", category, team))
    if isinstance(f.get("routing", "assign"), Mapping):
        for category in f.names["categories"]:
            if f.get("routing", "assign", category) is None and f.sound("routing", "assign", category):
                teams = ", ".join(f.names["teams"][:12])
                message = f"no team gets it; add '{segment(category)}: {{TEAM: 1.0}}' to routing.assign"
                where = (("routing", "assign", category),)
                yield Finding(("categories", category), f"{message} (teams: {teams})", where)
    for tier, playbook in f.items("playbooks"):
        yield from _unknown(f, "tiers", tier, ("playbooks", tier))
        for category in playbook if isinstance(playbook, Mapping) else ():
            yield from _unknown(f, "categories", category, ("playbooks", tier, category))
    for index, rule in _rules(f):
        path = ("routing", "rules", index)
        for position, category in enumerate(rule.get("categories") or []):
            if category is not None:
                yield from _unknown(f, "categories", category, (*path, "categories", position))
        for end in ("from", "to"):
            if end in rule:
                yield from _unknown(f, "teams", rule[end], (*path, end))


def _rules(f: Facts) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rules and their numbers; a rule may lack what the schema refused."""
    rules = f.get("routing", "rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, Mapping):
            yield index, rule


def _categories(f: Facts) -> Iterator[Finding]:
    """Each kind of category has the fields that it needs, and none that it would ignore."""
    for name, category in f.items("categories"):
        if not isinstance(category, Mapping) or "initiated_by" not in category:
            continue
        path, who = ("categories", name), category["initiated_by"]
        needed = ("contacts_per_account_month",) if who == "customer" else ("window_weeks", "response_target_minutes")
        useless = ("window_weeks",) if who == "customer" else ("contacts_per_account_month",)
        for key in needed:
            if key not in category and f.sound(*path, key):
                yield Finding(path, f"'{key}' is missing; a category initiated by '{who}' needs it")
        for key in useless:
            if key in category:
                yield Finding((*path, key), f"has no effect for a category initiated by '{who}'; delete it")
        if who == "trigger" and name not in TRIGGERED_BY:
            known = "' and '".join(TRIGGERED_BY)
            yield Finding((*path, "initiated_by"), f"nothing triggers '{segment(name)}'; only '{known}' are triggered")
        if name in TRIGGERED_BY and who != "trigger":
            yield Finding((*path, "initiated_by"), f"'{name}' is triggered by an event; write 'trigger'")
    for name, mechanism in TRIGGERED_BY.items():
        on = f.get("mechanisms", mechanism)
        if name not in f.names["categories"] and on is not False and f.names["categories"]:
            yield Finding(
                ("categories",),
                f"'{name}' is missing; the mechanism '{mechanism}' needs it, or turn that off",
            )


def _channels(f: Facts) -> Iterator[Finding]:
    """Patience belongs to live channels."""
    for name, channel in f.items("channels"):
        live = channel.get("live") if isinstance(channel, Mapping) else None
        patience = ("channels", name, "patience_mean_minutes")
        if live is True and f.get(*patience) is None and f.sound(*patience):
            yield Finding(patience[:2], "'patience_mean_minutes' is missing; customers wait live on this channel")
        if live is False and f.get(*patience) is not None:
            yield Finding(patience, "has no effect: nobody waits live on this channel; delete it, or set 'live: true'")


def _teams(f: Facts) -> Iterator[Finding]:
    """Shifts end after they start; vacancies are seats of the headcount."""
    for name, _ in f.items("teams"):
        path = ("teams", name)
        start, end = (f.get(*path, "shift", key) for key in ("start", "end"))
        if start is not None and end is not None and start >= end:
            yield Finding(
                (*path, "shift", "end"), f"{end} is not after the start at {start}; a shift ends the same day"
            )
        days = f.get(*path, "shift", "days") or []
        twice = sorted({day for day in days if days.count(day) > 1}) if f.sound(*path, "shift", "days") else []
        if twice:
            yield Finding((*path, "shift", "days"), f"'{twice[0]}' is listed twice")
        people, vacant = f.get(*path, "headcount"), f.get(*path, "opening_vacancies")
        if f.opening and people is not None and vacant is not None and vacant > people:
            message = f"{vacant} vacancies are more than the headcount of {people}"
            yield Finding((*path, "opening_vacancies"), message)


def _playbooks(f: Facts) -> Iterator[Finding]:
    """Planned work is the company's, and has exactly one cadence."""
    kinds = ("every_weeks", "weeks_before_renewal", "weeks_after_start")
    for tier, playbook in f.items("playbooks"):
        for category, cadence in playbook.items() if isinstance(playbook, Mapping) else ():
            path = ("playbooks", tier, category)
            who = f.get("categories", category, "initiated_by")
            if who is not None and who != "company":
                message = f"'{segment(category)}' is initiated by '{who}', and a playbook plans the company's work"
                yield Finding(path, message)
            given = [kind for kind in kinds if isinstance(cadence, Mapping) and kind in cadence]
            if f.sound(*path) and len(given) != 1:
                has = "has none" if not given else "has " + " and ".join(given)
                message = f"{has}; give exactly one of {', '.join(kinds)}"
                yield Finding(path, message, tuple((*path, kind) for kind in given))
            terms = [months for months, share in f.items("tiers", tier, "term_months") if share and months >= 12]
            lead = f.get(*path, "weeks_before_renewal")
            if lead is not None and terms and lead >= min(terms) * WEEKS_PER_MONTH:
                message = f"{number(lead)} weeks are not shorter than the shortest term of {min(terms)} months"
                yield Finding((*path, "weeks_before_renewal"), message)


def _routing(f: Facts) -> Iterator[Finding]:
    """Rules move something, somewhere else, to people who exist."""
    if not (f.sound("routing", "assign") and f.sound("routing", "rules")):
        return
    has: dict[str, dict[str, float]] = {
        category: dict(teams) for category, teams in f.items("routing", "assign") if isinstance(teams, Mapping)
    }
    answers: dict[tuple[str, str], Path] = {
        (category, team): ("routing", "assign", category, team) for category in has for team in has[category]
    }
    answers = {key: path for key, path in answers.items() if has[key[0]][key[1]] > 0}
    support = [name for name, category in f.items("categories") if category.get("support_call") is True]
    for index, rule in _rules(f):
        path = ("routing", "rules", index)
        source, target = rule["from"], rule["to"]
        if source == target:
            yield Finding((*path, "to"), f"'{segment(target)}' is also the team that has them now; name another team")
            continue
        listed = rule.get("categories")
        earlier: set[str] = set()
        for position, category in enumerate(listed or []):
            if category in earlier:
                yield Finding((*path, "categories", position), f"'{segment(category)}' is listed twice")
            earlier.add(category)
        moved = [name for name in (support if listed is None else listed) if name in has]
        known = source in f.names["teams"] and target in f.names["teams"]
        idle = [name for name in moved if not has[name].get(source)]
        if known and moved and len(idle) == len(moved):
            what = "support calls" if listed is None else ", ".join(f"'{segment(name)}'" for name in moved)
            yield Finding((*path, "from"), f"'{segment(source)}' never gets {what}, so there is nothing to move")
        elif known and listed is None and not support and f.sound("categories"):
            yield Finding(path, "no category is a support call, so there is nothing to move; name 'categories'")
        elif known and listed:
            for name in dict.fromkeys(idle):
                message = f"'{segment(source)}' never gets '{segment(name)}', so there is nothing to move"
                yield Finding((*path, "categories", listed.index(name)), message)
        for name in moved:
            share = has[name].get(source, 0.0) * rule["share"]
            has[name][target] = has[name].get(target, 0.0) + share
            if share > 0:
                answers.setdefault((name, target), (*path, "to"))
            if rule["how"] == "front_door":
                has[name][source] = has[name].get(source, 0.0) - share
                if has[name][source] <= SUM_TOLERANCE:
                    has[name][source] = 0.0
                    answers.pop((name, source), None)
    yield from _nobody_there(f, answers)


def _nobody_there(f: Facts, answers: Mapping[tuple[str, str], Path]) -> Iterator[Finding]:
    """Teams that get contacts and have no people; one finding per team."""
    for team in dict.fromkeys(team for _, team in answers):
        people = f.get("teams", team, "headcount")
        vacant = f.get("teams", team, "opening_vacancies") if f.opening else 0
        if people is None or people - (vacant or 0) > 0 or (vacant or 0) > people:
            continue
        given = [category for category, who in answers if who == team]
        what = ", ".join(map(segment, given[:4])) + (", …" if len(given) > 4 else "")
        key, who = ("headcount", "no people") if people <= 0 else ("opening_vacancies", "nobody at the start")
        message = f"'{segment(team)}' has {who}, but gets contacts ({what})"
        message += "; give it people, or route them elsewhere"
        yield Finding(("teams", team, key), message, (answers[given[0], team],))


def _size(f: Facts) -> Iterator[Finding]:
    """The run fits into memory and has something to simulate."""
    tiers = [tier for _, tier in f.items("tiers") if isinstance(tier, Mapping)]
    years = (f.get("weeks") or 0) * 7 / 365.25
    accounts = sum(tier.get("accounts", 0) + tier.get("new_accounts_per_year", 0) * years for tier in tiers)
    if accounts > MOST_ACCOUNTS:
        message = f"{number(round(accounts))} accounts with the new ones; at most {MOST_ACCOUNTS} can be simulated"
        yield Finding(("tiers",), message)
    if tiers and f.sound("tiers") and accounts == 0:
        yield Finding(("tiers",), "there are no accounts and none are won; give at least one tier some")
    people = sum(team.get("headcount", 0) for _, team in f.items("teams") if isinstance(team, Mapping))
    if people > MOST_PEOPLE:
        yield Finding(("teams",), f"{people} people; at most {MOST_PEOPLE} can be simulated")
    contacts = sum(_contacts_per_week(f, name) for name, _ in f.items("tiers")) * (f.get("weeks") or 0)
    if contacts > MOST_CONTACTS and accounts <= MOST_ACCOUNTS:
        message = f"about {contacts:.2g} contacts in the run; at most {MOST_CONTACTS} can be simulated"
        yield Finding(("tiers",), f"{message}; lower accounts, rates, playbooks, or 'weeks'")


def _contacts_per_week(f: Facts, tier: str) -> float:
    """Roughly how many contacts a tier raises and is planned in a week."""
    accounts = f.get("tiers", tier, "accounts") or 0
    seats = (f.get("tiers", tier, "arr_per_year_mean") or 0) / (f.get("tiers", tier, "arr_per_seat_per_year") or 1)
    relative = seats / (f.get("accounts", "seats_reference") or 1)
    rate = sum(c.get("contacts_per_account_month", 0) for _, c in f.items("categories") if isinstance(c, Mapping))
    rate *= (f.get("tiers", tier, "contact_rate_factor") or 0) * relative ** (f.get("accounts", "seats_exponent") or 0)
    planned = sum(1 / c["every_weeks"] for _, c in f.items("playbooks", tier) if c.get("every_weeks"))
    return float(accounts * (rate / WEEKS_PER_MONTH + planned))


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _calendar,
    _shares,
    _profiles,
    _names,
    _categories,
    _channels,
    _teams,
    _playbooks,
    _routing,
    _size,
)


def check(f: Facts) -> Iterator[Finding]:
    """All contradictions in a scenario, in the order of the checks."""
    for one in CHECKS:
        yield from one(f)
