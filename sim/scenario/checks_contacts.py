"""Checks of handle times, channels and skills: what is said of them fits together, and nothing is said in vain.

In: `Facts`. Out: `Finding`s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sim.scenario.errors import did_you_mean, number, segment
from sim.scenario.facts import Facts, Finding
from sim.scenario.routes import Routes

SHARE_TOLERANCE = 1e-6
SPREAD_TOLERANCE = 0.005
FIXED_SPREADS = {"exponential": 1.0, "constant": 0.0}


def handle_times(f: Facts) -> Iterator[Finding]:
    """A law of the handle time, its spread and its sample agree."""
    for name, category in f.items("categories"):
        if not isinstance(category, Mapping):
            continue
        path = ("categories", name)
        law, cv = category.get("handle_time_distribution", "lognormal"), category.get("handle_time_cv")
        sample = category.get("handle_time_sample_minutes")
        if not f.sound(*path, "handle_time_distribution") or not f.sound(*path, "handle_time_sample_minutes"):
            continue
        if law in FIXED_SPREADS and cv is not None and cv != FIXED_SPREADS[law]:
            has = number(FIXED_SPREADS[law])
            message = f"{number(cv)} is not the spread of {law} times, which is {has}; write {has}, or another law"
            yield Finding((*path, "handle_time_cv"), message)
        if law == "empirical" and sample is None:
            yield Finding(path, "'handle_time_sample_minutes' is missing; empirical times are drawn from it")
        if law != "empirical" and sample is not None:
            message = f"has no effect with {law} times; delete it, or set 'handle_time_distribution: empirical'"
            yield Finding((*path, "handle_time_sample_minutes"), message)
        if law == "empirical" and sample:
            mean, spread = float(np.mean(sample)), float(np.std(sample))
            if mean <= 0:
                yield Finding((*path, "handle_time_sample_minutes"), "all times are 0; some must be above 0")
            elif cv is not None and abs(cv - spread / mean) > SPREAD_TOLERANCE:
                own = number(round(spread / mean, 3))
                message = f"{number(cv)} is not the spread of the sample, which is {own}; write {own}"
                yield Finding((*path, "handle_time_cv"), message)


def channels(f: Facts) -> Iterator[Finding]:
    """Patience, redial and concurrency belong to live channels; self-service leads to a team in the end."""
    for name, channel in f.items("channels"):
        if not isinstance(channel, Mapping):
            continue
        path, live = ("channels", name), channel.get("live")
        patience = (*path, "patience_mean_minutes")
        if live is True and f.get(*patience) is None and f.sound(*patience):
            yield Finding(path, "'patience_mean_minutes' is missing; customers wait live on this channel")
        if live is False and f.get(*patience) is not None:
            yield Finding(patience, "has no effect: nobody waits live on this channel; delete it, or set 'live: true'")
        if live is False and channel.get("redial") is not None:
            yield Finding((*path, "redial"), "has no effect: nobody waits live on this channel; delete it")
        several, slower = channel.get("concurrency"), (*path, "slower_per_extra_contact")
        if live is False and several is not None:
            yield Finding((*path, "concurrency"), "has no effect: only live contacts run side by side; delete it")
        if several is None and f.sound(*path, "concurrency") and f.get(*slower) is not None:
            yield Finding(slower, "has no effect without 'concurrency'; delete it")
        if live is not False and several is not None and f.get(*slower) is None and f.sound(*slower):
            yield Finding(
                path, "'slower_per_extra_contact' is missing; contacts side by side take longer (0: they do not)"
            )
        if channel.get("self_service") is not None:
            yield from _self_service(f, name, channel)
    for name in communities(f)[1:]:
        message = f"'{segment(communities(f)[0])}' is a community already; a company has one: delete this"
        yield Finding(("channels", name, "self_service", "community"), message)


def communities(f: Facts) -> list[str]:
    """The channels in which customers answer one another."""
    return [name for name, _ in f.items("channels") if f.get("channels", name, "self_service", "community") is not None]


def _self_service(f: Facts, name: str, channel: Mapping[str, Any]) -> Iterator[Finding]:
    path = ("channels", name, "self_service")
    if channel.get("live") is True:
        yield Finding(path, "nobody answers live in self-service; set 'live: false'")
    if channel.get("travel_minutes"):
        yield Finding(("channels", name, "travel_minutes"), "nobody travels for self-service; delete it")
    then = f.items(*path, "then")
    for other, _ in then:
        if other not in f.names["channels"]:
            message = f"there is no channel '{segment(other)}'" + did_you_mean(other, f.names["channels"])
            yield Finding((*path, "then", other), message)
        elif f.get("channels", other, "self_service") is not None:
            yield Finding((*path, "then", other), f"'{segment(other)}' is self-service too; name an assisted channel")
    total = sum(share for _, share in then)
    if then and f.sound(*path, "then") and abs(total - 1) > SHARE_TOLERANCE:
        yield Finding((*path, "then"), f"the shares add up to {number(round(total, 9))} instead of 1")
    for category, about in f.items("categories"):
        used = f.get("categories", category, "channel_shares", name)
        if used and isinstance(about, Mapping) and about.get("initiated_by") in ("company", "trigger"):
            message = f"'{segment(name)}' is self-service, and only customers help themselves; name an assisted channel"
            yield Finding(("categories", category, "channel_shares", name), message)


def skills(f: Facts, routes: Routes) -> Iterator[Finding]:
    """Every skill that is needed is there, and every skill that is there is needed."""
    has = {team: _skills_of(about) for team, about in f.items("teams") if isinstance(about, Mapping)}
    needed = {f.get("categories", category, "skill") for category in f.names["categories"]}
    for category, about in f.items("categories"):
        skill = about.get("skill") if isinstance(about, Mapping) else None
        if skill is None:
            continue
        for team in f.names["teams"]:
            if (category, team) in routes.answers and f.sound("teams", team) and skill not in has.get(team, ()):
                known = sorted(set().union(*has.values()))
                message = f"nobody in '{segment(team)}', which gets it, has the skill '{segment(skill)}'"
                add = f"; add it to teams.{segment(team)}.skills, or to one of its groups"
                message += add if skill in known else did_you_mean(skill, known) or add
                yield Finding(("categories", category, "skill"), message, (routes.answers[category, team],))
                break
    if all(f.sound("categories", category) for category in f.names["categories"]):
        for team in f.names["teams"]:
            whole = ("teams", team, "skills")
            groups = [("teams", team, "groups", name, "skills") for name, _ in f.items("teams", team, "groups")]
            for path, skill in [((*p, i), skill) for p in (whole, *groups) for i, skill in enumerate(f.get(*p) or ())]:
                if skill is not None and skill not in needed:
                    known = sorted(need for need in needed if need)
                    message = f"no category needs the skill '{segment(skill)}'" + did_you_mean(skill, known)
                    yield Finding(path, message)


def _skills_of(team: Mapping[str, Any]) -> set[str]:
    """All skills that somebody of a team has."""
    groups = team.get("groups")
    of_groups = [group.get("skills") or () for group in (groups or {}).values() if isinstance(group, Mapping)]
    return set(team.get("skills") or ()).union(*of_groups)


def teams(f: Facts) -> Iterator[Finding]:
    """A line's capacity belongs to a team that answers live."""
    for name, team in f.items("teams"):
        if isinstance(team, Mapping) and team.get("answers_live") is False and team.get("queue_capacity") is not None:
            message = "has no effect: nobody waits on the line of a team that does not answer live; delete it"
            yield Finding(("teams", name, "queue_capacity"), message)
