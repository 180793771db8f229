"""What is allowed in a scenario and may still be a slip: told, never refused.

In: a valid `Scenario`. Out: sentences, each with the path of the value that it is about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.scenario.errors import number, segment
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario

MOST_CHURN = 0.95


def doubts(scenario: Scenario) -> list[str]:
    """All doubts about a scenario, at its start and after each dated change; each is told once."""
    found = [*_tiers(scenario), *_without_use(scenario)]
    for phase in phases(scenario):
        found += _hazards(phase.scenario)
    return list(dict.fromkeys(found))


def _without_use(scenario: Scenario) -> Iterator[str]:
    """What is described and never happens."""
    for name, part in (("winback", scenario.departures.winback), ("action_plan", scenario.accounts.health.action_plan)):
        if name in scenario.categories and part is None:
            where = "departures.winback" if name == "winback" else "accounts.health.action_plan"
            yield f"categories.{name}: nothing triggers it; '{where}' says when it does"
    rules = scenario.accounts.onboarding
    for tier in scenario.tiers if rules is not None else ():
        cadence = scenario.playbooks.get(tier, {}).get("onboarding")
        weeks = (cadence.weeks_after_start or []) if cadence is not None else []
        if rules is not None and not any(week < rules.weeks for week in weeks):
            yield (
                f"playbooks.{segment(tier)}: no onboarding within {rules.weeks} weeks of the start; all onboardings of "
                "the tier count as failed"
            )


def _tiers(scenario: Scenario) -> Iterator[str]:
    """Tiers in which nobody is, and into which nobody comes."""
    fed = {tier.upgrade.to for tier in scenario.tiers.values() if tier.upgrade is not None}
    for name, tier in scenario.tiers.items():
        if not tier.accounts and not tier.new_accounts_per_year and name not in fed and scenario.book is None:
            yield (
                f"tiers.{segment(name)}.accounts: no accounts, and none will come; set accounts or "
                "new_accounts_per_year, or delete the tier"
            )


def _hazards(scenario: Scenario) -> Iterator[str]:
    """Hazards that take nearly all accounts of a tier within a year, with states as at the opening."""
    if not scenario.mechanisms.churn:
        return
    each = usual_hazards(scenario)
    for name, tier in scenario.tiers.items():
        total = sum(each.values()) * tier.departure_factor
        churn = -math.expm1(-total)
        if churn > MOST_CHURN:
            worst = max(each, key=lambda driver: each[driver])
            yield (
                f"departures.drivers.{worst}.hazard_per_year: with states as at the opening, {churn:.1%} of the "
                f"accounts of '{segment(name)}' would decide to leave within a year (hazards of "
                f"{number(round(total, 2))}, most of it {worst}); are they per year?"
            )


def usual_hazards(scenario: Scenario) -> dict[str, float]:
    """Each driver's yearly hazard in an account with the states of the opening, in normal times."""
    drivers, accounts = scenario.departures.drivers, scenario.accounts
    known = accounts.executive_contact.opening
    return {
        "disconnection": drivers.disconnection.hazard_per_year * (1 - known) ** drivers.disconnection.exponent,
        "disengagement": drivers.disengagement.hazard_per_year
        * (1 - accounts.adoption.opening) ** drivers.disengagement.exponent,
        "service": drivers.service.hazard_per_year * (1 - accounts.satisfaction.neutral) ** drivers.service.exponent,
        "downturn": drivers.downturn.hazard_per_year,
        "competition": drivers.competition.hazard_per_year * (1 - drivers.competition.known_value_shield * known),
    }
