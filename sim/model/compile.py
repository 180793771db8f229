"""Turns a validated scenario into the engine's inputs, the opening book included.

In: a `Scenario` with its dated phases. Out: `Inputs`. Runs in the parent process only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtr

from sim.model.account_rules import (
    DemandRules,
    DepartureRules,
    HealthRules,
    IllTimedRules,
    OnboardingRules,
    OutageRules,
    PlaybookRules,
    ShockRules,
    StateRules,
    TierRules,
    WinbackRules,
)
from sim.model.branching import same
from sim.model.calendars import Span
from sim.model.clock import ContactProfile
from sim.model.durations import LAWS, NORMAL_GRID, Durations
from sim.model.inputs import (
    AT_SHIFT_END,
    DRIVERS,
    HOURS_PER_WEEK,
    WEEKS_PER_YEAR,
    BoolArray,
    CategoryRules,
    ChannelRules,
    CommunityRules,
    Escalation,
    FloatArray,
    Inputs,
    MechanismSwitches,
    Overflow,
    PeopleRules,
    Phase,
    RecoveryRules,
    RedialRules,
    RouteRule,
    RoutingRules,
    SelfServiceRules,
    TeamRules,
)
from sim.model.luck import name_key
from sim.model.opening_book import SMALLEST_CV, opening_book, rate_quantiles
from sim.model.working_time import working_time
from sim.scenario import Scenario, phases
from sim.scenario.schema_accounts import Accounts, Tier
from sim.scenario.schema_contacts import Category, Channel, Routing
from sim.scenario.schema_departures import Departures
from sim.scenario.schema_teams import Team


def compile_inputs(scenario: Scenario) -> Inputs:
    """The engine's inputs for a validated scenario."""
    first = scenario
    parts = phases(scenario)
    span = Span(first.start, -first.accounts.warm_up_weeks, first.weeks)
    window = scenario.window
    compiled = tuple(_phase(part.scenario, _hours(first.start, part.start), span) for part in parts)
    return Inputs(
        name=scenario.name,
        start=scenario.start,
        weeks=scenario.weeks,
        window=(window.from_week, window.to_week) if window else (0, scenario.weeks),
        warm_up_weeks=first.accounts.warm_up_weeks,
        tick_days=first.accounts.tick_days or 7,
        healthy_above=_health(first).healthy_above,
        tiers=tuple(first.tiers),
        categories=tuple(first.categories),
        channels=tuple(first.channels),
        teams=tuple(first.teams),
        initiated_by=tuple(category.initiated_by for category in first.categories.values()),
        support_call=np.array([category.support_call for category in first.categories.values()]),
        live=np.array([channel.live for channel in first.channels.values()]),
        book=opening_book(first, compiled[0].tiers),
        phases=compiled,
        opening_adoption=first.accounts.adoption.opening,
        opening_executive_contact=first.accounts.executive_contact.opening,
        opening_burnout=tuple(team.opening_burnout for team in first.teams.values()),
        opening_vacancies=tuple(team.opening_vacancies for team in first.teams.values()),
        opening_intent_factor=first.departures.opening_intent_factor,
        gross_margin=first.money.gross_margin,
        cac_per_new_arr=first.money.cac_per_new_arr,
        programme_cost_per_year=first.money.programme_cost_per_year,
        discount_rate_per_year=first.money.discount_rate_per_year,
        burnout_high_above=first.people.burnout_high_above,
    )


def compile_all(scenarios: Sequence[Scenario]) -> tuple[Inputs, ...]:
    """The inputs of scenarios that are compared; those with the same opening book share one, which is large."""
    found: list[Inputs] = []
    for one in map(compile_inputs, scenarios):
        book = next((other.book for other in found if same(other.book, one.book)), one.book)
        found.append(replace(one, book=book))
    return tuple(found)


def _hours(start: dt.date, date: dt.date) -> float:
    return 24.0 * (date - start).days


def _same_named(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values whose names are fields of the dataclass `kind`."""
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}


def _phase(scenario: Scenario, start_hour: float, span: Span) -> Phase:
    teams, channels = list(scenario.teams), list(scenario.channels)
    tiers, categories = list(scenario.tiers), list(scenario.categories)
    people = scenario.people.model_dump()
    people.update(people.pop("strain"))
    if people["recovery"] is not None:
        people["recovery"] = RecoveryRules(**people["recovery"])
    return Phase(
        start_hour=start_hour,
        states=_states(scenario.accounts),
        health=_health(scenario),
        **_lifecycle(scenario),
        demand=_demand(scenario.accounts),
        tiers=tuple(_tier(name, tier, tiers) for name, tier in scenario.tiers.items()),
        categories=_categories(scenario, channels),
        channels=ChannelRules(
            live=np.array([c.live for c in scenario.channels.values()]),
            patience_hours=np.array(
                [
                    c.patience_mean_minutes / 60 if c.patience_mean_minutes else np.inf
                    for c in scenario.channels.values()
                ]
            ),
            target_hours=np.array([c.response_target_minutes / 60 for c in scenario.channels.values()]),
            cost=np.array([c.cost_per_contact for c in scenario.channels.values()]),
            handle_factor=np.array([c.handle_time_factor for c in scenario.channels.values()]),
            resolution_factor=np.array([c.resolution_factor for c in scenario.channels.values()]),
            warmth_factor=np.array([c.warmth_factor for c in scenario.channels.values()]),
            travel_hours=np.array([(c.travel_minutes or 0) / 60 for c in scenario.channels.values()]),
            concurrency=np.array([c.concurrency or 1 for c in scenario.channels.values()], dtype=np.int64),
            slower_per_extra_contact=np.array([c.slower_per_extra_contact or 0.0 for c in scenario.channels.values()]),
            redial=tuple(
                None if c.redial is None else RedialRules(c.redial.probability, c.redial.delay_mean_minutes / 60)
                for c in scenario.channels.values()
            ),
            self_service=tuple(_self_service(c, channels) for c in scenario.channels.values()),
        ),
        teams=tuple(_team(name, team, scenario.time_zone, span) for name, team in scenario.teams.items()),
        routing=_routing(scenario.routing, categories, teams, scenario),
        playbooks=_playbooks(scenario, tiers, categories),
        departures=_departures(scenario.departures),
        people=PeopleRules(**_same_named(PeopleRules, people)),
        switches=MechanismSwitches(**scenario.mechanisms.model_dump()),
    )


def _states(accounts: Accounts) -> StateRules:
    adoption, executive = accounts.adoption, accounts.executive_contact
    return StateRules(
        adoption_start=adoption.start,
        adoption_ceiling=adoption.ceiling,
        adoption_growth_per_week=adoption.growth_per_week,
        adoption_neglect_per_week=adoption.neglect_per_week,
        weekly_login_share=1.0 if adoption.weekly_login_share is None else adoption.weekly_login_share,
        failed_contact_loss=adoption.failed_contact_loss,
        satisfaction_neutral=accounts.satisfaction.neutral,
        satisfaction_half_life_weeks=accounts.satisfaction.half_life_weeks,
        executive_start=executive.start,
        executive_half_life_weeks=executive.half_life_weeks,
        by_others_share=1.0 if executive.by_others_share is None else executive.by_others_share,
        **_same_named(
            StateRules, {**accounts.satisfaction.model_dump(), **executive.model_dump(exclude={"by_others_share"})}
        ),
    )


def _health(scenario: Scenario) -> HealthRules:
    rules = scenario.accounts.health
    weights = np.array([rules.weights.adoption, rules.weights.satisfaction, rules.weights.executive_contact])
    adoption, satisfaction, executive = (weights / weights.sum()).tolist()
    plan = rules.action_plan if scenario.mechanisms.action_plans else None
    return HealthRules(
        weights=(adoption, satisfaction, executive),
        at_risk_below=rules.at_risk_below,
        healthy_above=rules.at_risk_below if rules.healthy_above is None else rules.healthy_above,
        signal_lag_weeks=rules.signal_lag_weeks or 0.0,
        signal_noise=rules.signal_noise or 0.0,
        plan_contacts=plan.contacts if plan else 0,
        plan_every_weeks=plan.every_weeks if plan else np.inf,
    )


def _lifecycle(scenario: Scenario) -> dict[str, Any]:
    """The parts of a phase that a scenario may leave out or switch off."""
    accounts, switches, back = scenario.accounts, scenario.mechanisms, scenario.departures.winback
    onboarding, down, ill = accounts.onboarding, accounts.outages, accounts.ill_timed
    return {
        "onboarding": OnboardingRules(**onboarding.model_dump())
        if onboarding and switches.onboarding_failure
        else None,
        "outages": OutageRules(
            per_week=down.per_year / WEEKS_PER_YEAR,
            categories=np.isin(list(scenario.categories), down.categories),
            tiers=np.isin(list(scenario.tiers), down.tiers or list(scenario.tiers)),
            more_contacts=down.more_contacts,
            adoption_loss=down.adoption_loss,
            satisfaction_loss=down.satisfaction_loss,
        )
        if down and switches.outages
        else None,
        "ill_timed": IllTimedRules(**ill.model_dump()) if ill and switches.ill_timed else None,
        "winback": WinbackRules(**back.model_dump()) if back and switches.winback else None,
        "community": _community(scenario),
    }


def _community(scenario: Scenario) -> CommunityRules | None:
    for position, channel in enumerate(scenario.channels.values()):
        if channel.self_service and channel.self_service.community and scenario.mechanisms.community:
            return CommunityRules(channel=position, **channel.self_service.community.model_dump())
    return None


def _demand(accounts: Accounts) -> DemandRules:
    days = np.repeat(np.asarray(accounts.weekday_profile, dtype=float), 24)
    weight = days * np.tile(np.asarray(accounts.hour_profile, dtype=float), 7)
    share = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
    return DemandRules(
        profile=ContactProfile(share),
        rate_quantiles=rate_quantiles(accounts.contact_rate_cv),
        **_same_named(DemandRules, accounts.model_dump()),
    )


def _tier(name: str, tier: Tier, tiers: list[str]) -> TierRules:
    months = sorted(tier.term_months)
    upgrade = tier.upgrade
    return TierRules(
        key=name_key(name),
        arr_per_year_mean=tier.arr_per_year_mean,
        arr_cv=tier.arr_cv,
        arr_per_seat_per_year=tier.arr_per_seat_per_year,
        term_months=np.array(months, dtype=np.int64),
        term_shares=np.cumsum([tier.term_months[m] for m in months]),
        new_accounts_per_week=tier.new_accounts_per_year / WEEKS_PER_YEAR,
        contact_rate_factor=tier.contact_rate_factor,
        departure_factor=tier.departure_factor,
        upgrade_to=tiers.index(upgrade.to) if upgrade else -1,
        upgrade_arr_cents=round(100 * upgrade.arr_above) if upgrade else 0,
    )


def _categories(scenario: Scenario, channels: list[str]) -> CategoryRules:
    rows = list(scenario.categories.values())
    shares = np.array([[c.channel_shares.get(name, 0.0) for name in channels] for c in rows])
    return CategoryRules(
        keys=np.array([name_key(name) for name in scenario.categories], dtype=np.uint64),
        firefight=_position(scenario, "firefight"),
        sponsor_reengagement=_position(scenario, "sponsor_reengagement"),
        action_plan=_position(scenario, "action_plan"),
        winback=_position(scenario, "winback"),
        moderation=_position(scenario, "moderation"),
        article=_position(scenario, "article"),
        onboarding=_position(scenario, "onboarding"),
        customer=np.array([c.initiated_by == "customer" for c in rows]),
        company=np.array([c.initiated_by == "company" for c in rows]),
        support_call=np.array([c.support_call for c in rows]),
        rate_per_week=np.array([(c.contacts_per_account_month or 0.0) * 12 / WEEKS_PER_YEAR for c in rows]),
        handle_hours=np.array([c.handle_time_mean_minutes / 60 for c in rows]),
        durations=_durations(rows),
        skill=tuple(c.skill for c in rows),
        resolution=np.array([c.resolution_probability for c in rows]),
        priority=np.array([c.priority for c in rows], dtype=np.int64),
        urgent=np.array([c.urgent for c in rows]),
        target_hours=np.array([c.response_target_minutes / 60 if c.response_target_minutes else np.nan for c in rows]),
        window_hours=np.array([c.window_weeks * HOURS_PER_WEEK if c.window_weeks else np.inf for c in rows]),
        adoption_gain=np.array([c.adoption_gain for c in rows]),
        executive_gain=np.array([c.executive_gain for c in rows]),
        channel_shares=np.cumsum(shares, axis=1),
    )


def _self_service(channel: Channel, channels: list[str]) -> SelfServiceRules | None:
    if channel.self_service is None:
        return None
    rules = channel.self_service
    shares = np.cumsum([rules.then.get(name, 0.0) for name in channels])
    return SelfServiceRules(rules.solved_probability, shares, rules.delay_mean_minutes / 60)


def _durations(categories: list[Category]) -> Durations:
    return Durations(
        law=np.array([LAWS.index(c.handle_time_distribution) for c in categories], dtype=np.int64),
        cv=np.array([c.handle_time_cv for c in categories]),
        table=tuple(_duration_table(c) for c in categories),
    )


def _duration_table(category: Category) -> FloatArray:
    """What `Durations` looks up for one category. A gamma law of no spread is a constant."""
    if category.handle_time_distribution == "empirical":
        sample = np.sort(np.asarray(category.handle_time_sample_minutes, dtype=float))
        return np.asarray(sample / sample.mean())
    if category.handle_time_distribution != "gamma":
        return np.zeros(0)
    if category.handle_time_cv < SMALLEST_CV:
        return np.zeros(len(NORMAL_GRID))
    shape = 1 / category.handle_time_cv**2
    below, above = ndtr(NORMAL_GRID), ndtr(-NORMAL_GRID)
    quantiles = np.where(NORMAL_GRID < 0, gammaincinv(shape, below), gammainccinv(shape, above)) / shape
    return np.log(np.maximum(quantiles, np.finfo(float).tiny))


def _position(scenario: Scenario, category: str) -> int:
    return list(scenario.categories).index(category) if category in scenario.categories else -1


def _team(name: str, team: Team, scenario_zone: str | None, span: Span) -> TeamRules:
    hours, seats, held = working_time(team, scenario_zone, span)
    return TeamRules(
        key=name_key(name),
        headcount=sum(rules.seats for rules in seats),
        hours=hours,
        seats=seats,
        breaks_per_day=team.breaks_per_day or 1,
        meetings=held,
        at_shift_end=AT_SHIFT_END.index(team.at_shift_end),
        hand_over_hours=(team.hand_over_minutes or 0.0) / 60,
        overtime_limit_hours=team.overtime_limit_hours_per_day,
        overtime_limit_week_hours=_week_limit(team.overtime_limit_hours_per_week),
        callback_target_hours=team.callback_target_minutes / 60,
        support_call_handle_factor=team.support_call_handle_time_factor,
        quit_rate_per_week=team.quit_rate_per_year / WEEKS_PER_YEAR,
        time_to_fill_hours=team.time_to_fill_weeks * HOURS_PER_WEEK,
        ramp_hours=team.ramp_weeks * HOURS_PER_WEEK,
        changeover_hours=(team.changeover_minutes or 0) / 60,
        price_per_contact=team.price_per_contact or 0.0,
        gain_factor=1.0 if team.gain_factor is None else team.gain_factor,
        **_same_named(TeamRules, team.model_dump(exclude=_OWN_FORM)),
    )


_OWN_FORM = {  # another form than the schema's
    "headcount",
    "meetings",
    "breaks_per_day",
    "at_shift_end",
    "skills",
    "price_per_contact",
    "gain_factor",
}


def _week_limit(hours: float | None) -> float:
    """A limit of hours a week; where there is none, all of them."""
    return HOURS_PER_WEEK if hours is None else hours


def _routing(routing: Routing, categories: list[str], teams: list[str], scenario: Scenario) -> RoutingRules:
    support_calls = [name for name, category in scenario.categories.items() if category.support_call]
    shares = np.array([[routing.assign[category].get(team, 0.0) for team in teams] for category in categories])
    customers = [name for name, category in scenario.categories.items() if category.initiated_by == "customer"]

    def holds(named: list[str] | None, otherwise: list[str]) -> BoolArray:
        return np.isin(categories, otherwise if named is None else named)

    return RoutingRules(
        assign=np.cumsum(shares, axis=1),
        rules=tuple(
            RouteRule(
                categories=holds(rule.categories, support_calls),
                source=teams.index(rule.from_),
                target=teams.index(rule.to),
                share=rule.share,
                warm=rule.how == "warm_transfer",
            )
            for rule in routing.rules
        ),
        escalation=tuple(
            Escalation(holds(rule.categories, customers), teams.index(rule.from_), teams.index(rule.to), rule.share)
            for rule in routing.escalation
        ),
        overflow=tuple(
            Overflow(holds(rule.categories, customers), teams.index(rule.from_), teams.index(rule.to), rule.waiting)
            for rule in routing.overflow
        ),
        warm_transfer_hours=routing.warm_transfer_minutes / 60,
        repeat_probability=routing.repeat_probability,
        repeat_delay_mean_days=routing.repeat_delay_mean_days,
        max_attempts=routing.max_attempts,
    )


def _playbooks(scenario: Scenario, tiers: list[str], categories: list[str]) -> PlaybookRules:
    every = np.full((len(tiers), len(categories)), np.inf)
    before, after = [], []
    for tier, playbook in scenario.playbooks.items():
        for category, cadence in playbook.items():
            cell = tiers.index(tier), categories.index(category)
            if cadence.every_weeks is not None:
                every[cell] = cadence.every_weeks
            elif cadence.weeks_before_renewal is not None:
                before += [(*cell, weeks * HOURS_PER_WEEK) for weeks in cadence.weeks_before_renewal]
            else:
                after.append((*cell, np.asarray(cadence.weeks_after_start).astype(np.int64)))
    return PlaybookRules(every_weeks=every, before_renewal=tuple(before), after_start=tuple(after))


NO_SHOCK = ShockRules(0.0, 1.0, 1)


def _departures(departures: Departures) -> DepartureRules:
    drivers = departures.drivers
    rows: list[Any] = [getattr(drivers, name) for name in DRIVERS]
    moves = drivers.competition.moves
    return DepartureRules(
        hazard_per_week=np.array([row.hazard_per_year / WEEKS_PER_YEAR for row in rows]),
        exponent=np.array([getattr(row, "exponent", 1.0) for row in rows]),
        save_probability=np.array([row.save_probability for row in rows]),
        sponsor_lost_factor=drivers.disconnection.sponsor_lost_factor,
        downturn=ShockRules(
            drivers.downturn.shock_probability_per_quarter,
            drivers.downturn.shock_factor,
            drivers.downturn.shock_quarters,
        ),
        moves=ShockRules(moves.probability_per_quarter, moves.factor, moves.quarters) if moves else NO_SHOCK,
        known_value_shield=drivers.competition.known_value_shield,
        midterm_share=departures.midterm_share,
        announce_share=departures.announce_share,
        notice_hours=departures.notice_weeks * HOURS_PER_WEEK,
        firefight_contacts=departures.firefight_contacts,
        expansion_probability_per_year=departures.expansion.probability_per_year,
        expansion_size_mean=departures.expansion.size_mean,
        expansion_seats_share=departures.expansion.seats_share or 0.0,
        contraction_probability_per_year=departures.contraction.probability_per_year,
        contraction_size_mean=departures.contraction.size_mean,
    )
