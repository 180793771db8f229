"""What is allowed in a scenario and may still be a slip: told, never refused.

In: a valid `Scenario`. Out: sentences, each with the path of the value that it is about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.scenario.errors import number, segment
from sim.scenario.schema import Scenario

MOST_CHURN = 0.95


def doubts(scenario: Scenario) -> list[str]:
    """All doubts about a scenario."""
    return [*_tiers(scenario), *_hazards(scenario)]


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
