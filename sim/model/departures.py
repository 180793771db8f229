"""Departures: how intent builds per driver, when it is settled, and the unbiased estimate of leaving.

In: account states and rules. Out: hazards, probabilities, decisions. All rules are pure functions of arrays.
"""

from __future__ import annotations

import numpy as np

from sim.model.account_rules import DepartureRules, ShockRules, WinbackRules
from sim.model.accounts import ADOPTION, EXECUTIVE, SATISFACTION
from sim.model.inputs import (
    COMPETITION,
    DISCONNECTION,
    DISENGAGEMENT,
    DOWNTURN,
    DRIVERS,
    SERVICE,
    BoolArray,
    FloatArray,
    IntArray,
)


def hazards(
    states: FloatArray,
    sponsor_lost: BoolArray,
    onboarding_factor: FloatArray,
    downturn: BoolArray,
    moves: BoolArray,
    tier_factor: FloatArray,
    rules: DepartureRules,
) -> FloatArray:
    """Hazard of deciding to leave, per week and driver, shape (drivers, accounts).

    Parameters
    ----------
    states : (3, accounts) in [0, 1].
    sponsor_lost : (accounts,), whether the sponsor's place is empty.
    onboarding_factor : (accounts,), multiplies disengagement; above 1 for who was badly onboarded.
    downturn, moves : (accounts,), whether its tier is in a downturn, or in the sights of a competitor's campaign.
    tier_factor : (accounts,), multiplies every driver.

    Notes
    -----
    The three state drivers grow as (1 - state) to a power: nothing is lost by a state that is full. Competition
    is weaker where senior management knows the value; downturn does not depend on the vendor at all.
    """
    result = np.empty((len(DRIVERS), states.shape[1]))
    for driver, state in ((DISCONNECTION, EXECUTIVE), (DISENGAGEMENT, ADOPTION), (SERVICE, SATISFACTION)):
        result[driver] = rules.hazard_per_week[driver] * (1 - states[state]) ** rules.exponent[driver]
    result[DISCONNECTION] *= np.where(sponsor_lost, rules.sponsor_lost_factor, 1.0)
    result[DISENGAGEMENT] *= onboarding_factor
    result[DOWNTURN] = rules.hazard_per_week[DOWNTURN] * np.where(downturn, rules.downturn.factor, 1.0)
    shield = 1 - rules.known_value_shield * states[EXECUTIVE]
    result[COMPETITION] = rules.hazard_per_week[COMPETITION] * shield * np.where(moves, rules.moves.factor, 1.0)
    return result * tier_factor


def leave_probability(total_intent: FloatArray) -> FloatArray:
    """P(leave) at a decision: 1 - exp(-total intent), shape (accounts,)."""
    return np.asarray(-np.expm1(-total_intent))


def driver_shares(intent: FloatArray) -> FloatArray:
    """Each driver's share of the intent, shape (drivers, accounts); zero where there is none."""
    total = intent.sum(axis=0)
    return intent / np.where(total > 0, total, 1.0)


def nominal_save_probability(shares: FloatArray, rules: DepartureRules) -> FloatArray:
    """Chance of a save with all firefighting done in time: each driver's, weighted by its share, (accounts,)."""
    return (rules.save_probability[:, np.newaxis] * shares).sum(axis=0)


def save_probability(shares: FloatArray, done: IntArray, rules: DepartureRules) -> FloatArray:
    """Chance to save announced leavers, shape (accounts,).

    The chance of each driver, weighted by its share, times the share of the firefight contacts finished.
    """
    return nominal_save_probability(shares, rules) * firefighting_finished(done, rules)


def firefighting_finished(done: IntArray, rules: DepartureRules) -> FloatArray:
    """Share of an announced departure's firefight contacts that are finished, in [0, 1], shape (accounts,)."""
    needed = rules.firefight_contacts
    return np.minimum(done / needed, 1.0) if needed else np.zeros(len(done))


def settle(
    p_end: FloatArray,
    p_notice: FloatArray,
    announced: BoolArray,
    save: FloatArray,
    nominal_save: FloatArray,
    announce_share: FloatArray,
    u_save: FloatArray,
    u_renew: FloatArray,
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Decisions at the contract's end: who leaves, the unbiased expectation of it, the probability drawn against.

    Parameters
    ----------
    p_end, p_notice : P(leave) by the intent at the end and at notice (0 where no notice applies).
    announced : drawn at notice with probability a x p_notice.
    nominal_save : s0, the chance of a save by the drivers' shares at notice, had all firefighting been done.
    announce_share : a, 0 where no notice applies.
    u_save, u_renew : uniforms of the two decisions. All arrays (accounts,).

    Notes
    -----
    An announced account leaves with 1 - s; a silent one with r = (p_end - a p) / (1 - a p), clipped to [0, 1].
    The expectation is e = A (1 - s) + (1 - A) r - c (A - a p) with c = (1 - s0) - (1 - a) p / (1 - a p) fixed
    before the announcement is drawn: the last term has mean zero and takes out most of the announcement's luck,
    so E[e] = P(leave) although half the leavers announce and are worked on. Summing p_end instead is biased.
    """
    announced_p = announce_share * p_notice
    silent = np.minimum(np.maximum((p_end - announced_p) / (1 - announced_p), 0.0), 1.0)
    probability = np.where(announced, 1 - save, silent)
    control = (1 - nominal_save) - (1 - announce_share) * p_notice / (1 - announced_p)
    expected = probability - control * (announced - announced_p)
    left = np.where(announced, u_save, u_renew) < probability
    return left, expected, probability


def renewed_arr_cents(
    arr_cents: IntArray,
    term_months: IntArray,
    adoption: FloatArray,
    u_change: FloatArray,
    u_size: FloatArray,
    rules: DepartureRules,
) -> IntArray:
    """ARR in cents after a renewal: expanded, contracted or unchanged, shape (accounts,).

    The yearly chances are scaled to the term; expansion is likelier, contraction less likely, the higher the
    adoption. Sizes are uniform from 0 to twice their mean. One uniform decides: low values expand, high ones
    contract.
    """
    years = term_months / 12

    def per_term(per_year: FloatArray) -> FloatArray:
        return np.asarray(1 - (1 - np.minimum(per_year, 0.999)) ** years)

    expands = u_change < per_term(rules.expansion_probability_per_year * adoption)
    contracts = u_change > 1 - per_term(rules.contraction_probability_per_year * (1 - adoption))
    factor = np.where(expands, 1 + 2 * rules.expansion_size_mean * u_size, 1.0)
    factor = np.where(contracts & ~expands, np.maximum(0.0, 1 - 2 * rules.contraction_size_mean * u_size), factor)
    return np.maximum(np.rint(arr_cents * factor), 1).astype(np.int64)


def renewed_seats(seats: FloatArray, before: IntArray, after: IntArray, rules: DepartureRules) -> FloatArray:
    """Seats after a renewal, shape (accounts,): growth brings its share of them, contraction gives up as many.

    before, after : ARR in cents. Seats need not be whole: they only set how often an account calls.
    """
    growth = after / before - 1
    share = np.where(growth > 0, rules.expansion_seats_share, 1.0)
    return np.asarray(np.maximum(1.0, seats * (1 + share * growth)))


def shocked_tiers(begins: FloatArray, rules: ShockRules) -> BoolArray:
    """Which tiers are in a shock: one began in this quarter, or in one of those before that it lasts for.

    begins : (quarters back, tiers), the uniforms of this quarter and the ones before it, newest first.
    """
    recent = begins[: rules.quarters]
    return np.asarray((recent < rules.probability_per_quarter).any(axis=0))


def won_back(done: IntArray, u: FloatArray, rules: WinbackRules) -> BoolArray:
    """Which lost accounts return: the chance times the share of the winback contacts finished, (accounts,)."""
    return np.asarray(u < rules.probability * np.minimum(done / rules.contacts, 1.0))
