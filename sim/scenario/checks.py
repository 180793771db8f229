"""Checks between fields: a file may be right value by value and still contradict itself.

In: the merged mapping of a scenario, and which of its values the schema has refused. Out: `Finding`s, each
with the path of the value to repair. A check is silent about what the schema has already refused, so that
everything can be reported at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sim.scenario import checks_accounts, checks_contacts
from sim.scenario.errors import did_you_mean, number, segment
from sim.scenario.facts import Facts, Finding, Path
from sim.scenario.routes import Routes, routing, rules_of
from sim.scenario.size import size
from sim.scenario.working_time import working_time

SUM_TOLERANCE = 1e-6
MOST_LISTED = 12
RESERVED = {
    "teams": ("company",),
    "categories": ("idle", "shrinkage", "hiring", "turnover", "overhead"),
}
TRIGGERED_BY = {
    "firefight": "firefighting",
    "sponsor_reengagement": "sponsor_loss",
    "action_plan": "action_plans",
    "winback": "winback",
    "moderation": "community",
    "article": "community",
}


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
    for path, rule in [entry for kind in ("rules", "escalation", "overflow") for entry in rules_of(f, kind)]:
        for position, category in enumerate(rule.get("categories") or []):
            if category is not None:
                yield from _unknown(f, "categories", category, (*path, "categories", position))
        for end in ("from", "to"):
            if end in rule:
                yield from _unknown(f, "teams", rule[end], (*path, end))


def _ages(f: Facts, path: Path) -> Iterator[Finding]:
    """Work after the start falls due in whole weeks, once in each."""
    ages = [age for age in f.get(*path) or [] if age is not None]
    for index, age in enumerate(f.get(*path) or []):
        if age is not None and age != int(age):
            yield Finding((*path, index), f"{number(age)} is not whole; work falls due once a week, so use whole weeks")
    for age in sorted({age for age in ages if ages.count(age) > 1}):
        yield Finding(path, f"week {number(age)} is listed twice; work falls due once a week")


def _reserved(f: Facts) -> Iterator[Finding]:
    """No team and no category is called like a row or a column that the results add to them."""
    for kind, taken in RESERVED.items():
        for name in f.names[kind]:
            if name in taken:
                what = "what no team handles" if kind == "teams" else "a cost that no contact has"
                yield Finding((kind, name), f"results use the name '{name}' for {what}; choose another name")


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
            *others, last = (f"'{one}'" for one in TRIGGERED_BY)
            known = f"{', '.join(others)} and {last}"
            yield Finding((*path, "initiated_by"), f"nothing triggers '{segment(name)}'; only {known} are triggered")
        if name in TRIGGERED_BY and who != "trigger":
            yield Finding((*path, "initiated_by"), f"'{name}' is triggered by an event; write 'trigger'")
    for name, mechanism in TRIGGERED_BY.items():
        if mechanism != "community" or checks_contacts.communities(f):
            yield from checks_accounts.triggered(f, name, mechanism)


def _recovery(f: Facts) -> Iterator[Finding]:
    """Recovery ends at a burnout at which it would not begin."""
    above, below = (f.get("people", "recovery", key) for key in ("burnout_above", "until_below"))
    if above is not None and below is not None and below > above:
        message = f"{number(below)} is above burnout_above, {number(above)}; recovery ends when burnout has fallen"
        yield Finding(("people", "recovery", "until_below"), f"{message}: use at most {number(above)}")


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
            yield from _ages(f, (*path, "weeks_after_start"))


def _routing(f: Facts) -> Iterator[Finding]:
    """Contacts go to people who exist and have the skills."""
    routes = Routes(f)
    yield from routing(f, routes)
    yield from checks_contacts.skills(f, routes)


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _calendar,
    _shares,
    _profiles,
    _names,
    _categories,
    checks_contacts.handle_times,
    checks_contacts.channels,
    checks_contacts.teams,
    working_time,
    _recovery,
    _playbooks,
    checks_accounts.renewal_work,
    checks_accounts.touches,
    checks_accounts.health,
    checks_accounts.tiers,
    checks_accounts.outages,
    _routing,
    size,
    _reserved,
)


def check(f: Facts) -> Iterator[Finding]:
    """All contradictions in a scenario, in the order of the checks."""
    for one in CHECKS:
        yield from one(f)
