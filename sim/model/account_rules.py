"""The engine's inputs about accounts: how their states move, what they ask for, when they leave.

Frozen types of plain numbers and arrays, which `compile.py` fills: the parts of a `Phase` that `accounts.py`,
`departures.py`, `demand.py` and `health.py` go by. Times are hours, rates per week, indices positions in the
scenario's files (tiers, categories).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sim.model.clock import BoolArray, ContactProfile, FloatArray, IntArray

LAST_AGE_WEEKS = 104  # no planned work goes by the age of an older account


@dataclass(frozen=True)
class StateRules:
    """How an account's three states move (see the schema for each field)."""

    adoption_start: float
    adoption_ceiling: float
    adoption_growth_per_week: float
    adoption_neglect_per_week: float
    weekly_login_share: float  # of the seats in use
    failed_contact_loss: float
    satisfaction_neutral: float
    satisfaction_half_life_weeks: float
    resolved_gain: float
    unresolved_loss: float
    late_loss: float
    transfer_loss: float
    repeat_loss: float
    abandoned_loss: float
    waiting_loss_per_week: float
    executive_start: float
    executive_half_life_weeks: float
    sponsor_loss_per_year: float
    kept_after_sponsor_loss: float
    ceiling_while_lost: float
    owner_change_loss: float
    by_others_share: float


@dataclass(frozen=True)
class HealthRules:
    """The health score, its statuses, and what the company does about a low one that it sees."""

    weights: tuple[float, float, float]  # adoption, satisfaction, executive contact; sum 1
    at_risk_below: float
    healthy_above: float
    signal_lag_weeks: float
    signal_noise: float  # standard deviation of a week's signals, as a share of the score
    plan_contacts: int  # of an action plan; 0: none is made
    plan_every_weeks: float


@dataclass(frozen=True)
class OnboardingRules:
    """When the onboarding of a new account has failed."""

    weeks: int
    done_share: float
    disengagement_factor: float
    made_good_above: float  # adoption


@dataclass(frozen=True)
class OutageRules:
    """Outages of the product."""

    per_week: float
    categories: BoolArray  # (categories,) of which there are more contacts
    tiers: BoolArray  # (tiers,) that they hit
    more_contacts: float
    adoption_loss: float
    satisfaction_loss: float


@dataclass(frozen=True)
class IllTimedRules:
    """Planned work that comes while the customer waits for an answer."""

    probability: float
    loss: float


@dataclass(frozen=True)
class WinbackRules:
    """What is done to win lost accounts back."""

    after_weeks: int
    contacts: int
    probability: float
    arr_share: float
    cost_per_arr: float


@dataclass(frozen=True)
class DemandRules:
    """How often accounts start contacts."""

    weekly_dispersion: float
    seats_exponent: float
    seats_reference: float
    novelty_factor: float
    novelty_weeks: float
    low_adoption_factor: float
    open_issue_factor: float
    profile: ContactProfile
    rate_quantiles: FloatArray  # (1025,), quantiles of the accounts' contact-rate multiple


@dataclass(frozen=True)
class TierRules:
    """One tier."""

    key: int
    arr_per_year_mean: float
    arr_cv: float
    arr_per_seat_per_year: float
    term_months: IntArray
    term_shares: FloatArray  # cumulated
    new_accounts_per_week: float
    contact_rate_factor: float
    departure_factor: float
    upgrade_to: int  # position of the tier that it joins once it has grown, -1: none
    upgrade_arr_cents: int  # ARR above which it does


@dataclass(frozen=True)
class PlaybookRules:
    """Planned work: when each category falls due for the accounts of each tier."""

    every_weeks: FloatArray  # (tiers, categories), inf: never
    before_renewal: tuple[tuple[int, int, float], ...]  # tier, category, hours before each renewal
    after_start: tuple[tuple[int, int, IntArray], ...]  # tier, category, weeks after a new account's start

    @cached_property
    def recurring(self) -> IntArray:
        """The categories that recur for some tier."""
        return np.flatnonzero(np.isfinite(self.every_weeks).any(axis=0))

    @cached_property
    def cycles_per_week(self) -> FloatArray:
        """(recurring categories, tiers)."""
        return 1 / self.every_weeks[:, self.recurring].T

    @cached_property
    def at_renewal(self) -> tuple[IntArray, IntArray, FloatArray]:
        """`before_renewal` as columns: tier (rules, 1), category (rules,), hours (rules, 1)."""
        tier, category, hours = np.array(self.before_renewal, dtype=np.float64).reshape(-1, 3).T
        return tier.astype(np.int64)[:, np.newaxis], category.astype(np.int64), hours[:, np.newaxis]

    @cached_property
    def at_age(self) -> tuple[IntArray, IntArray, BoolArray]:
        """`after_start` as columns: tier (rules, 1), category (rules,), and whether it falls due at each age of an
        account in weeks, up to `LAST_AGE_WEEKS`, (rules, ages).
        """
        ages, rules = np.arange(LAST_AGE_WEEKS + 1), self.after_start
        due = np.array([np.isin(ages, weeks) for _, _, weeks in rules], dtype=bool).reshape(len(rules), len(ages))
        tier, category = (np.array([rule[part] for rule in rules], dtype=np.int64) for part in (0, 1))
        return tier[:, np.newaxis], category, due


@dataclass(frozen=True)
class ShockRules:
    """What hits a whole tier for some quarters, and multiplies a hazard meanwhile."""

    probability_per_quarter: float
    factor: float
    quarters: int


@dataclass(frozen=True)
class DepartureRules:
    """How intent builds and is settled."""

    hazard_per_week: FloatArray  # (drivers,), at the worst state
    exponent: FloatArray  # (drivers,), used by the three state drivers
    save_probability: FloatArray  # (drivers,)
    sponsor_lost_factor: float
    downturn: ShockRules
    moves: ShockRules
    known_value_shield: float
    midterm_share: float
    announce_share: float
    notice_hours: float
    firefight_contacts: int
    expansion_probability_per_year: float
    expansion_size_mean: float
    expansion_seats_share: float
    contraction_probability_per_year: float
    contraction_size_mean: float
