"""Checks of accounts: their tiers, health, playbooks and hazards can be what the file says.

In: `Facts`. Out: `Finding`s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sim.scenario.errors import did_you_mean, number, segment
from sim.scenario.facts import Facts, Finding

WEEKS_PER_MONTH = 365.25 / 7 / 12
WORKING_DAYS_PER_WEEK = 5
OPTIONAL = {  # triggered categories that only an optional part needs
    "action_plan": ("accounts", "health", "action_plan"),
    "winback": ("departures", "winback"),
}
CAUSES = {
    "firefight": "an announced departure",
    "sponsor_reengagement": "a lost sponsor",
    "moderation": "a community",
    "article": "a community",
}


def triggered(f: Facts, name: str, mechanism: str) -> Iterator[Finding]:
    """A category that something triggers is there, unless what triggers it is not, or is switched off."""
    part = OPTIONAL.get(name)
    if not f.names["categories"] or name in f.names["categories"] or (part and f.get(*part) is None):
        return
    switches = dict.fromkeys((mechanism, name) if name == "sponsor_reengagement" else (mechanism,))
    if any(f.get("mechanisms", switch) is False for switch in switches):
        return
    cause = f"'{'.'.join(part)}'" if part else CAUSES.get(name, f"the mechanism '{mechanism}'")
    repairs = ["add the category, and who gets it to routing.assign"]
    repairs += [f"delete '{'.'.join(part)}'"] if part else []
    repairs += ["turn off the mechanism " + " or ".join(f"'{switch}'" for switch in switches)]
    message = f"'{name}' is missing, which {cause} triggers: {', or '.join(repairs)}"
    yield Finding(("categories",), message, (("categories", name),))


def _leads(cadence: Any) -> list[float]:
    """The weeks before a renewal at which planned work falls due: one number or several."""
    lead = cadence.get("weeks_before_renewal") if isinstance(cadence, Mapping) else None
    each = lead if isinstance(lead, list) else [lead]
    return [one for one in each if isinstance(one, int | float) and math.isfinite(one)]


def renewal_work(f: Facts) -> Iterator[Finding]:
    """Work before a renewal comes within the term, and in different weeks."""
    for tier, playbook in f.items("playbooks"):
        for category, cadence in playbook.items() if isinstance(playbook, Mapping) else ():
            path = ("playbooks", tier, category, "weeks_before_renewal")
            leads = _leads(cadence)
            terms = [months for months, share in f.items("tiers", tier, "term_months") if share and months >= 12]
            if leads and terms and max(leads) >= min(terms) * WEEKS_PER_MONTH:
                message = f"{number(max(leads))} weeks are not shorter than the shortest term of {min(terms)} months"
                yield Finding(path, message)
            for later, earlier in pairwise(sorted(leads)):
                if earlier - later < 1:
                    message = f"{number(later)} and {number(earlier)} are less than a week apart"
                    yield Finding(path, f"{message}; work falls due once a week")


def touches(f: Facts) -> Iterator[Finding]:
    """A playbook has no more touches than there are working days."""
    for tier, playbook in f.items("playbooks"):
        if not isinstance(playbook, Mapping) or not f.sound("playbooks", tier):
            continue
        every = {name: 1 / c["every_weeks"] for name, c in playbook.items() if c.get("every_weeks")}
        if sum(every.values()) > WORKING_DAYS_PER_WEEK:
            listed = ", ".join(f"{segment(name)} {number(round(each, 2))}" for name, each in every.items())
            message = (
                f"{number(round(sum(every.values()), 2))} touches a week for each account ({listed}); "
                f"a week has {WORKING_DAYS_PER_WEEK} working days: use longer every_weeks"
            )
            parts = tuple(("playbooks", tier, name, "every_weeks") for name in every)
            yield Finding(("playbooks", tier), message, parts)


def health(f: Facts) -> Iterator[Finding]:
    """The score has weight, and its statuses lie one above the other."""
    path = ("accounts", "health")
    weights = f.items(*path, "weights")
    if len(weights) == 3 and not any(weight for _, weight in weights):
        yield Finding((*path, "weights"), "all weights are 0; at least one must be above 0")
    low, high = f.get(*path, "at_risk_below"), f.get(*path, "healthy_above")
    if low is not None and high is not None and low > high:
        message = f"{number(high)} is below at_risk_below, {number(low)}; no score is healthy and at risk at a time"
        yield Finding((*path, "healthy_above"), message, ((*path, "at_risk_below"),))


def tiers(f: Facts) -> Iterator[Finding]:
    """Accounts that grow out of a tier go to another one."""
    for name, _ in f.items("tiers"):
        path = ("tiers", name, "upgrade", "to")
        to = f.get(*path)
        if to is not None and str(to) == str(name):
            yield Finding(path, f"accounts of '{segment(name)}' cannot move to '{segment(to)}'")
        elif to is not None and f.names["tiers"] and str(to) not in f.names["tiers"]:
            yield Finding(path, f"there is no tier '{segment(to)}'" + did_you_mean(to, f.names["tiers"]))
        elif to is not None and str(name) in _way_up(f, str(to)):
            yield Finding(path, f"accounts that grow out of '{segment(to)}' come back to '{segment(name)}': a loop")


def _way_up(f: Facts, tier: str) -> list[str]:
    """The tiers into which accounts of a tier may grow, one after the other."""
    way: list[str] = []
    while (to := f.get("tiers", tier, "upgrade", "to")) is not None and str(to) not in way:
        way.append(tier := str(to))
    return way


def outages(f: Facts) -> Iterator[Finding]:
    """An outage makes customers call more about what they do call about."""
    path = ("accounts", "outages", "categories")
    for position, category in enumerate(f.get(*path) or []):
        if category is None or not f.names["categories"]:
            continue
        if str(category) not in f.names["categories"]:
            message = f"there is no category '{segment(category)}'" + did_you_mean(category, f.names["categories"])
            yield Finding((*path, position), message)
        elif f.get("categories", category, "initiated_by") not in (None, "customer"):
            yield Finding((*path, position), f"'{segment(category)}' is not initiated by customers")
    path = ("accounts", "outages", "tiers")
    for position, tier in enumerate(f.get(*path) or []):
        if tier is not None and f.names["tiers"] and str(tier) not in f.names["tiers"]:
            message = f"there is no tier '{segment(tier)}'" + did_you_mean(tier, f.names["tiers"])
            yield Finding((*path, position), message)
