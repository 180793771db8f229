"""The engine's inputs: plain numbers and arrays, one `Phase` for each dated part of a scenario.

Made from a `Scenario` by `compile.py`; workers receive them without importing the scenario layer. Times are
hours, rates per week, indices positions in the scenario's files (tiers, categories, channels, teams).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.account_rules import (
    DemandRules,
    DepartureRules,
    HealthRules,
    IllTimedRules,
    OnboardingRules,
    OutageRules,
    PlaybookRules,
    StateRules,
    TierRules,
    WinbackRules,
)
from sim.model.clock import OpenHours, Roster
from sim.model.durations import Durations
from sim.model.kinds import Kind, RouteTables, kinds_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
KeyArray = NDArray[np.uint64]

HOURS_PER_WEEK = 168.0
WEEKS_PER_YEAR = 365.25 / 7
HOURS_PER_YEAR = 365.25 * 24
HOURS_PER_MONTH = HOURS_PER_YEAR / 12

LEAVE_YEAR = 52  # weeks, each of which has a person's yearly weeks of leave

DRIVERS = ("disconnection", "disengagement", "service", "downturn", "competition")
DISCONNECTION, DISENGAGEMENT, SERVICE, DOWNTURN, COMPETITION = range(len(DRIVERS))


@dataclass(frozen=True)
class CategoryRules:
    """All categories, one array element each."""

    keys: KeyArray
    firefight: int  # position of the category of that name, -1 if there is none
    sponsor_reengagement: int
    action_plan: int
    winback: int
    moderation: int
    article: int
    onboarding: int
    customer: BoolArray
    company: BoolArray
    support_call: BoolArray
    rate_per_week: FloatArray  # 0 unless customer-initiated
    handle_hours: FloatArray
    durations: Durations
    skill: tuple[str | None, ...]  # that whoever handles it must have
    resolution: FloatArray
    priority: IntArray
    urgent: BoolArray
    target_hours: FloatArray  # nan: the channel's target counts
    window_hours: FloatArray  # inf: never expires
    adoption_gain: FloatArray
    executive_gain: FloatArray
    channel_shares: FloatArray  # (categories, channels), cumulated


@dataclass(frozen=True)
class SelfServiceRules:
    """A channel in which customers help themselves, and where they turn if that fails."""

    solved_probability: float
    then: FloatArray  # (channels,), cumulated shares
    delay_mean_hours: float


@dataclass(frozen=True)
class CommunityRules:
    """A channel of self-service in which customers answer one another."""

    channel: int
    maven_adoption_above: float
    offended_below: float
    answers_per_maven_week: float
    complaints_per_detractor_week: float
    complaint_loss: float
    stale_share: float
    memory_weeks: float
    threads_per_article: int
    article_gain: float
    article_half_life_weeks: float


@dataclass(frozen=True)
class RedialRules:
    """Customers who gave up on the line, or found it full, and call again."""

    probability: float
    delay_mean_hours: float


@dataclass(frozen=True)
class ChannelRules:
    """All channels, one array element each."""

    live: BoolArray
    patience_hours: FloatArray  # inf unless live
    target_hours: FloatArray
    cost: FloatArray
    handle_factor: FloatArray
    resolution_factor: FloatArray
    warmth_factor: FloatArray
    travel_hours: FloatArray
    concurrency: IntArray  # contacts that one person handles side by side, if they are live
    slower_per_extra_contact: FloatArray
    redial: tuple[RedialRules | None, ...]
    self_service: tuple[SelfServiceRules | None, ...]

    @cached_property
    def solved(self) -> FloatArray:
        """(channels,), chance that self-service settles a matter; nan: the channel is none."""
        return np.array([np.nan if rules is None else rules.solved_probability for rules in self.self_service])


AT_SHIFT_END = ("finish", "pause", "hand_over")
FINISH, PAUSE, HAND_OVER = range(len(AT_SHIFT_END))


@dataclass(frozen=True)
class SeatRules:
    """How the people in some seats of a team work: seats `first` to `first + seats - 1`."""

    first: int
    seats: int
    roster: Roster
    absence_per_day: float
    leave_weeks: float  # of planned leave in each `LEAVE_YEAR`
    skills: tuple[str, ...]
    hours_share: float  # weekly hours, as a share of those of the team's longest week


@dataclass(frozen=True)
class TeamRules:
    """One team."""

    key: int
    headcount: int  # seats; a fraction of a person has one of its own
    hours: OpenHours  # in which somebody works; targets run in them
    seats: tuple[SeatRules, ...]  # all seats of the headcount, in order; one entry at least
    shrinkage: float
    breaks_per_day: int
    meetings: FloatArray  # (meetings, 2), hours from and to, in order
    at_shift_end: int
    hand_over_hours: float
    cost_per_hour: float
    overtime_pay_factor: float
    overtime_limit_hours: float  # a day
    overtime_limit_week_hours: float  # all 168 of the week: no limit
    named_owner: bool
    answers_live: bool
    callback_target_hours: float
    support_call_handle_factor: float
    support_call_resolution_factor: float
    gain_factor: float
    warmth: float
    queue_capacity: int | None
    changeover_hours: float
    price_per_contact: float
    quit_rate_per_week: float
    time_to_fill_hours: float
    hiring_freeze: bool
    training_weeks: float
    ramp_hours: float
    ramp_start_speed: float
    hiring_cost: float

    @cached_property
    def _by_seat(self) -> tuple[SeatRules, ...]:
        return tuple(rules for rules in self.seats for _ in range(rules.seats)) or self.seats

    def seat(self, number: int) -> SeatRules:
        """How the person in a seat works; a seat that is closed, like the last one."""
        return self._by_seat[min(number, len(self._by_seat) - 1)]


@dataclass(frozen=True)
class RouteRule:
    """Moves a share of some categories from one team to another."""

    categories: BoolArray
    source: int
    target: int
    share: float
    warm: bool


@dataclass(frozen=True)
class Escalation:
    """Passes a share of what one team could not settle on to another."""

    categories: BoolArray
    source: int
    target: int
    share: float


@dataclass(frozen=True)
class Overflow:
    """Sends arriving contacts to another team while so many wait for the one."""

    categories: BoolArray
    source: int
    target: int
    waiting: int


@dataclass(frozen=True)
class RoutingRules:
    """Who takes what."""

    assign: FloatArray  # (categories, teams), cumulated shares
    rules: tuple[RouteRule, ...]
    escalation: tuple[Escalation, ...]
    overflow: tuple[Overflow, ...]
    warm_transfer_hours: float
    repeat_probability: float
    repeat_delay_mean_days: float
    max_attempts: int

    @cached_property
    def hops(self) -> int:
        """How often a matter can be passed on at most."""
        return longest_way([(rule.source, rule.target) for rule in self.escalation])


def longest_way(steps: Sequence[tuple[Any, Any]]) -> int:
    """The largest number of steps in a row, each beginning where the one before it ends; there are no loops."""
    longest = {step: 1 for step in steps}
    for _ in steps:
        for one in steps:
            longest[one] = 1 + max((longest[other] for other in steps if other[0] == one[1]), default=0)
    return max(longest.values(), default=0)


@dataclass(frozen=True)
class RecoveryRules:
    """When a person may recover, and what share of each shift they then work."""

    burnout_above: float
    until_below: float
    hours_share: float


@dataclass(frozen=True)
class PeopleRules:
    """Strain, fatigue, burnout and their effects."""

    after_hours_weight: float
    after_hours_reference: float
    occupancy_weight: float
    occupancy_floor: float
    overdue_weight: float
    fatigue_weeks: float
    burnout_up_weeks: float
    burnout_down_weeks: float
    quit_factor: float
    absence_factor: float
    slower_at_full_burnout: float
    unresolved_at_full_burnout: float
    recovery: RecoveryRules | None = None


@dataclass(frozen=True)
class MechanismSwitches:
    """What is switched on."""

    burnout: bool
    turnover: bool
    absence: bool
    overtime: bool
    abandonment: bool
    repeats: bool
    expiry: bool
    churn: bool
    firefighting: bool
    sponsor_loss: bool
    onboarding_failure: bool
    action_plans: bool
    outages: bool
    ill_timed: bool
    winback: bool
    sponsor_reengagement: bool
    community: bool
    growth: bool
    expansion: bool
    one_open_contact_per_account: bool


@dataclass(frozen=True)
class Phase:
    """Everything that holds from `start_hour` until the next phase."""

    start_hour: float
    states: StateRules
    health: HealthRules
    onboarding: OnboardingRules | None  # None, here and below: switched off, or not in the scenario
    outages: OutageRules | None
    ill_timed: IllTimedRules | None
    winback: WinbackRules | None
    community: CommunityRules | None
    demand: DemandRules
    tiers: tuple[TierRules, ...]
    categories: CategoryRules
    channels: ChannelRules
    teams: tuple[TeamRules, ...]
    routing: RoutingRules
    playbooks: PlaybookRules
    departures: DepartureRules
    people: PeopleRules
    switches: MechanismSwitches

    @cached_property
    def tables(self) -> RouteTables:
        """What a contact's team, category and channel mean for it, looked up by all three."""
        return RouteTables.of(self)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of contact, in the order of the flat positions in `tables`."""
        return kinds_of(self)

    @cached_property
    def heirs(self) -> dict[int, dict[int, int]]:
        """For each team without a seat: the cells of its customers' contacts, and the cells to which they go instead.

        They go to the team with people that gets most of their category; without one, they stay.
        """
        result: dict[int, dict[int, int]] = {}
        empty = [index for index, rules in enumerate(self.teams) if rules.headcount == 0]
        if not empty:
            return result
        shares = np.diff(self.routing.assign, axis=1, prepend=0.0)
        shares[:, empty] = 0.0
        heir = shares.argmax(axis=1)
        for team in empty:
            customers = np.flatnonzero(self.categories.customer & (shares.max(axis=1) > 0))
            channels = np.arange(len(self.channels.live))
            category, channel = (part.ravel() for part in np.meshgrid(customers, channels, indexing="ij"))
            cells = (self.tables.cells(np.full(len(category), t), category, channel) for t in (team, heir[category]))
            result[team] = dict(zip(*(part.tolist() for part in cells), strict=True))
        return result

    @cached_property
    def business_hours(self) -> tuple[tuple[OpenHours, BoolArray], ...]:
        """The different business hours, each with the teams that have them."""
        different = {id(team.hours): team.hours for team in self.teams}
        return tuple((hours, np.array([team.hours is hours for team in self.teams])) for hours in different.values())

    @cached_property
    def warmth(self) -> FloatArray:
        """(teams,), each team's warmth."""
        return np.array([team.warmth for team in self.teams])

    @cached_property
    def gain_factors(self) -> FloatArray:
        """(teams,), what the gains of contacts that each team handles are multiplied by."""
        return np.array([team.gain_factor for team in self.teams])

    @cached_property
    def prices(self) -> FloatArray:
        """(teams,), what a partner charges for a contact."""
        return np.array([team.price_per_contact for team in self.teams])

    @cached_property
    def contact_rate_factor(self) -> FloatArray:
        """(tiers,), each tier's factor on the categories' contact rates."""
        return np.array([tier.contact_rate_factor for tier in self.tiers])

    @cached_property
    def departure_factor(self) -> FloatArray:
        """(tiers,), each tier's factor on the hazards of leaving."""
        return np.array([tier.departure_factor for tier in self.tiers])

    @cached_property
    def owner_hours(self) -> tuple[tuple[float, FloatArray], ...]:
        """Per team, an account's weekly hours at a usual contact rate of 1, and of recurring planned work (tiers,)."""
        shares = np.diff(self.routing.assign, axis=1, prepend=0.0)
        result = []
        for share in shares.T:
            hours = self.categories.handle_hours * share
            recurring = (hours / self.playbooks.every_weeks).sum(axis=1)
            result.append(((self.categories.rate_per_week * hours).sum(), recurring))
        return tuple(result)


@dataclass(frozen=True)
class Book:
    """The opening book, one array element per account, in the tiers' order."""

    keys: KeyArray
    tier: IntArray
    arr_cents: IntArray
    seats: FloatArray
    contact_rate: FloatArray
    term_months: IntArray
    started: FloatArray
    renewal: FloatArray
    owner: IntArray  # seat in the first team with named owners, -1: to be dealt out


@dataclass(frozen=True)
class Inputs:
    """One scenario, ready to run."""

    name: str
    start: dt.date
    weeks: int
    window: tuple[int, int]
    warm_up_weeks: int
    tick_days: int  # of the accounts' clock: 1 or 7
    tiers: tuple[str, ...]
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    teams: tuple[str, ...]
    initiated_by: tuple[str, ...]
    support_call: BoolArray
    live: BoolArray
    book: Book
    phases: tuple[Phase, ...]
    opening_adoption: float
    opening_executive_contact: float
    opening_burnout: tuple[float, ...]
    opening_vacancies: tuple[int, ...]
    opening_intent_factor: float
    gross_margin: float
    cac_per_new_arr: float
    programme_cost_per_year: float
    discount_rate_per_year: float
    burnout_high_above: float
    healthy_above: float

    def phase_at(self, hour: float) -> Phase:
        """The dated phase that holds at an hour; in the warm-up, the first."""
        return [phase for phase in self.phases if phase.start_hour <= max(0.0, hour)][-1]

    def phases_within(self, begin: float, end: float) -> Iterator[tuple[float, float, Phase]]:
        """The phases that hold between two hours, each with the part in which it does."""
        edges = [begin, *sorted({phase.start_hour for phase in self.phases if begin < phase.start_hour < end}), end]
        for start, stop in pairwise(edges):
            yield start, stop, self.phase_at(start)
