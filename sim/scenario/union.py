"""Scenarios of one comparison know the same categories, channels and teams: what one does not have is at rest there.

In: scenarios. Out: the same with the names of all. Names that only another scenario has change nothing: a channel
nobody uses, a category nobody contacts about, a team without people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.scenario.schema import Scenario
from sim.scenario.schema_contacts import Category, Channel
from sim.scenario.schema_teams import Team


def with_all_names(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios with the categories, channels and teams of all of them, in the first one's order, then by turn."""
    categories = {name: _resting_category(found) for name, found in _all(scenarios, "categories").items()}
    channels = {name: _resting_channel(found) for name, found in _all(scenarios, "channels").items()}
    teams = {name: _resting_team(found) for name, found in _all(scenarios, "teams").items()}
    assign = {name: shares for one in reversed(scenarios) for name, shares in one.routing.assign.items()}
    return [
        one.model_copy(
            update={
                "categories": _laid_on(categories, one.categories),
                "channels": _laid_on(channels, one.channels),
                "teams": _laid_on(teams, one.teams),
                "routing": one.routing.model_copy(update={"assign": _laid_on(assign, one.routing.assign)}),
            }
        )
        for one in scenarios
    ]


def _all(scenarios: Sequence[Scenario], kind: str) -> dict[str, Any]:
    """The entries of a kind by name, each as the first scenario that has it describes it."""
    found: dict[str, Any] = {}
    for one in scenarios:
        for name, entry in getattr(one, kind).items():
            found.setdefault(name, entry)
    return found


def _laid_on(resting: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return {name: own.get(name, entry) for name, entry in resting.items()}


def _resting_category(category: Category) -> Category:
    asked = category.contacts_per_account_month
    return category.model_copy(update={"contacts_per_account_month": None if asked is None else 0.0, "skill": None})


def _resting_channel(channel: Channel) -> Channel:
    helps = channel.self_service
    return channel.model_copy(
        update={"self_service": None if helps is None else helps.model_copy(update={"community": None})}
    )


def _resting_team(team: Team) -> Team:
    empty = {"headcount": 0.0, "opening_vacancies": 0, "opening_burnout": 0.0, "groups": {}, "skills": []}
    return team.model_copy(update=empty)
