"""A company as it would be without its customer success team, or without some of the team's work, from a day on.

In: a scenario. Out: `Alternative`s: the same scenario with dated changes laid on it. For the shipped company they are
what the files `no_csm_team`, `one_fewer_csm`, `firefighting_only` and `no_firefighting` say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sim.scenario import Scenario, ScenarioError, dump_scenario, load_scenario_text, phases
from sim.scenario.schema import Change
from sim.scenario.schema_contacts import Escalation, Overflow, Rule
from sim.study.errors import StudyInputError
from sim.study.kpis import team_title

What = Literal["team", "one_person", "prevention", "firefighting"]
FIREFIGHTING = ("firefighting", "sponsor_reengagement")
DATED_SWITCHES = {
    "firefight": "firefighting",
    "sponsor_reengagement": "sponsor_reengagement",
    "action_plan": "action_plans",
    "winback": "winback",
}


@dataclass(frozen=True)
class Alternative:
    """A scenario without something. title : what is missing in it, as the results name it."""

    what: What
    title: str
    scenario: Scenario


@dataclass(frozen=True)
class Alternatives:
    """All alternatives of a company. team : whose worth is told. day : from which on they differ.

    left_out : alternatives that cannot be made, with the reason.
    """

    team: str
    day: dt.date
    found: tuple[Alternative, ...]
    left_out: Mapping[What, str]


def alternatives(scenario: Scenario, day: dt.date | None = None) -> Alternatives:
    """The scenario without its team, with one person fewer in it, without planned work, without firefighting.

    day : from which on; by default the first of the month in which a quarter of the run has passed.

    Raises StudyInputError if no team does planned work, or the day lies outside the run.
    """
    team = planning_team(scenario)
    if team is None:
        message = "no team does planned work, so there is nothing whose worth could be told; give a tier a playbook"
        raise StudyInputError(f"{scenario.name}: {message}.")
    day = day or default_day(scenario)
    end = scenario.start + dt.timedelta(weeks=scenario.weeks)
    if not scenario.start <= day < end:
        last = end - dt.timedelta(days=1)
        raise StudyInputError(f"--from: {day} is outside the run; use a date from {scenario.start} to {last}.")
    at_day = [phase.scenario for phase in phases(scenario) if phase.start <= day][-1]
    title = team_title(team)
    one = f"One {title}" if title.isupper() else f"One {title} agent"
    makers: dict[What, tuple[str, Callable[[], Scenario]]] = {
        "team": (f"The {title} team", lambda: _without_team(scenario, at_day, team, day)),
        "one_person": (one, lambda: _one_fewer(scenario, at_day, team, day)),
        "prevention": ("Prevention", lambda: _changed(scenario, "without planned work", day, _no_plans(at_day))),
        "firefighting": ("Firefighting", lambda: _changed(scenario, "without firefighting", day, _no_triggers(at_day))),
    }
    found, left_out = [], {}
    for what, (words, make) in makers.items():
        try:
            found.append(Alternative(what, words, make()))
        except StudyInputError as error:
            left_out[what] = str(error)
        except ScenarioError as error:
            reasons = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
            left_out[what] = f"{words} cannot be left out: {reasons}"
    if not found:
        raise StudyInputError("\n".join(left_out.values()))
    return Alternatives(team, day, tuple(found), left_out)


def planning_team(scenario: Scenario) -> str | None:
    """The team that gets most of the company's planned categories; None if none does."""
    planned = {category for playbook in scenario.playbooks.values() for category in playbook}
    sums = dict.fromkeys(scenario.teams, 0.0)
    for category in planned:
        for team, share in scenario.routing.assign[category].items():
            sums[team] += share
    team = max(sums, key=lambda name: sums[name])
    return team if sums[team] > 0 else None


def default_day(scenario: Scenario) -> dt.date:
    """The first of the month in which a quarter of the run has passed; in short runs, the Monday of that time."""
    passed = scenario.start + dt.timedelta(weeks=max(1, scenario.weeks // 4) if scenario.weeks > 1 else 0)
    first = passed.replace(day=1)
    return first if first > scenario.start else passed


def _without_team(scenario: Scenario, now: Scenario, team: str, day: dt.date) -> Scenario:
    """Nobody is in the team; another takes what customers ask for, and nobody the rest of what the team did."""
    heir = _heir(now, team)
    if heir is None:
        raise StudyInputError(f"{team_title(team)} is the only team, so nobody could take what customers ask for.")
    values: dict[str, Any] = {f"teams.{team}.headcount": 0}
    values |= {f"teams.{team}.groups.{group}": None for group in now.teams[team].groups}
    values |= routing_without(now, team, heir)
    for tier, playbook in now.playbooks.items():
        lost = [category for category in playbook if _mostly(now, team, category)]
        values |= {f"playbooks.{tier}.{category}": None for category in lost}

    def later(change: Change, then: Scenario) -> dict[str, Any]:
        """What a later change says of the routing, without the team; planned work comes back with who takes it over."""
        routing = routing_without(then, team, heir)
        found = {path: routing[path] for path in ("routing.rules", "routing.escalation", "routing.overflow")}
        found = {path: value for path, value in found.items() if path in change.set}
        for category in _routed(change):
            shares = {name: then.routing.assign[category].get(name, 0.0) for name in then.teams}
            shares[heir] += shares.pop(team)
            found[f"routing.assign.{category}"] = shares
            for tier, playbook in then.playbooks.items():
                path = f"playbooks.{tier}.{category}"
                if category in playbook and path in values and not _mostly(then, team, category):
                    found[path] = _plain(playbook[category])
        return found

    mine = [name for name in DATED_SWITCHES if now.routing.assign.get(name, {}).get(team, 0.0) >= 0.5]
    values |= {f"mechanisms.{DATED_SWITCHES[name]}": False for name in mine}
    return _changed(scenario, f"without the {team_title(team)} team", day, values, later)


def _mostly(now: Scenario, team: str, category: str) -> bool:
    """Whether the team has at least half of a category."""
    return now.routing.assign[category].get(team, 0.0) >= 0.5


def _routed(change: Change) -> list[str]:
    """The categories whose teams a change says."""
    said = [path.split(".")[2] for path in change.set if path.startswith("routing.assign.")]
    return [*said, *(change.set.get("routing.assign") or {})]


def _heir(now: Scenario, team: str) -> str | None:
    """The other team with people that gets most of what customers ask for."""
    sums = {name: 0.0 for name, other in now.teams.items() if name != team and other.headcount > 0}
    for category, teams in now.routing.assign.items():
        if now.categories[category].initiated_by == "customer":
            for name, share in teams.items():
                if name in sums:
                    sums[name] += share
    return max(sums, key=lambda name: sums[name]) if sums else None


def routing_without(now: Scenario, team: str, heir: str) -> dict[str, Any]:
    """Values of the routing in which the heir has all that the team had, by dotted path."""
    values: dict[str, Any] = {}
    for category, teams in now.routing.assign.items():
        if team in teams:  # with the others' shares: those of the same day may be all that says them
            others = {name: share for name, share in teams.items() if name not in (team, heir)}
            share = teams[team] + teams.get(heir, 0.0)
            values[f"routing.assign.{category}"] = {**others, team: None, heir: share}
    values["routing.rules"] = rules_without(now.routing.rules, team, heir)
    values["routing.escalation"] = _others(now.routing.escalation, team)
    values["routing.overflow"] = _others(now.routing.overflow, team)
    return values


def rules_without(rules: Sequence[Rule], team: str, heir: str) -> list[dict[str, Any]]:
    """The rules of a company in which the heir has all that the team had, as plain values."""
    return [_plain(kept) for rule in rules if (kept := _rule_without(rule, team, heir)) is not None]


def _others(rules: Sequence[Escalation | Overflow], team: str) -> list[dict[str, Any]]:
    """Those that neither come from the team nor lead to it."""
    return [_plain(rule) for rule in rules if team not in (rule.from_, rule.to)]


def _rule_without(rule: Rule, team: str, heir: str) -> Rule | None:
    """The rule where there is no such team: nothing is left to move from it, and what went there goes to the heir."""
    if rule.from_ == team or (rule.to == team and rule.from_ == heir):
        return None
    return rule.model_copy(update={"to": heir}) if rule.to == team else rule


def _plain(part: Any) -> dict[str, Any]:
    values: dict[str, Any] = part.model_dump(by_alias=True, exclude_none=True)
    return values


def _one_fewer(scenario: Scenario, now: Scenario, team: str, day: dt.date) -> Scenario:
    """One person fewer in the team, from the day on and after each later change of its headcount."""
    people = now.teams[team].headcount
    if people <= 1:
        raise StudyInputError(f"{team_title(team)} has {people:g} people; with one fewer there would be nobody.")
    path = f"teams.{team}.headcount"

    def later(change: Change, _: Scenario) -> dict[str, Any]:
        return {path: max(change.set[path] - 1, 0)} if path in change.set else {}

    return _changed(scenario, f"with one of {team_title(team)} fewer", day, {path: people - 1}, later)


def _no_plans(now: Scenario) -> dict[str, Any]:
    plans = {f"playbooks.{tier}.{category}": None for tier, playbook in now.playbooks.items() for category in playbook}
    return plans | {"mechanisms.action_plans": False}


def _no_triggers(now: Scenario) -> dict[str, Any]:
    on = [name for name in FIREFIGHTING if getattr(now.mechanisms, name)]
    if not now.mechanisms.firefighting or not now.mechanisms.churn:
        raise StudyInputError("There is no firefighting that could be left out: its mechanism, or churn's, is off.")
    return {f"mechanisms.{name}": False for name in on}


def _changed(
    scenario: Scenario,
    name: str,
    day: dt.date,
    values: Mapping[str, Any],
    later: Callable[[Change, Scenario], dict[str, Any]] | None = None,
) -> Scenario:
    """A scenario with values from a day on, which hold until its end.

    later : what is said of the same values by a later change, after which the scenario is as given; without it, later
    changes of them are dropped.
    """
    if not values:
        raise StudyInputError(f"{scenario.name} {name} is the same scenario.")
    parts = phases(scenario)
    before = [change for change in scenario.changes if change.from_ < day]
    same_day = next((change.set for change in scenario.changes if change.from_ == day), {})
    kept = {path: value for path, value in same_day.items() if not _overlaps(path, values)}
    changes = [*before, _change(day, {**kept, **values})]
    for change in (change for change in scenario.changes if change.from_ > day):
        rest = {path: value for path, value in change.set.items() if not _overlaps(path, values)}
        if later is not None:
            rest |= later(change, next(phase.scenario for phase in parts if phase.start == change.from_))
        if rest:
            changes.append(_change(change.from_, rest))
    whole = scenario.model_copy(update={"name": f"{scenario.name[: 78 - len(name)]}, {name}", "changes": changes})
    loaded = load_scenario_text(dump_scenario(whole), whole.name)
    return loaded.model_copy(update={"book": scenario.book})


def _change(day: dt.date, values: dict[str, Any]) -> Change:
    return Change.model_validate({"from": day, "set": values})


def _overlaps(path: str, values: Mapping[str, Any]) -> bool:
    """Whether a path, or something above or below it, is among the values."""
    return any(path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.") for other in values)
