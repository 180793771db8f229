"""Routing: by which channel and to which team a contact goes, and what that means for it.

In: contacts' categories and keyed uniforms. Out: channel, team, a team that only hands over first, due times,
resolution probabilities and expected working times. Pure functions of arrays.
"""

from __future__ import annotations

import numpy as np

from sim.model.inputs import BoolArray, FloatArray, IntArray, Phase, RoutingRules


def pick(u: FloatArray, cumulated_shares: FloatArray) -> IntArray:
    """Index of the first share that reaches u; cumulated_shares (contacts, choices), last column the total."""
    return np.asarray((u[:, np.newaxis] * cumulated_shares[:, -1:] >= cumulated_shares).sum(axis=1))


def route(
    category: IntArray, u_team: FloatArray, u_rules: FloatArray, rules: RoutingRules
) -> tuple[IntArray, IntArray]:
    """Team per contact, and the team that answers first and hands over (-1: none).

    u_rules : (rules, contacts), one uniform per rule. Rules apply in order, each to what the one before left.
    """
    team = pick(u_team, rules.assign[category])
    first = np.full(len(category), -1)
    for rule, u in zip(rules.rules, u_rules, strict=True):
        moves = rule.categories[category] & (team == rule.source) & (u < rule.share)
        if rule.warm:
            first[moves] = np.where(first[moves] < 0, rule.source, first[moves])
        team[moves] = rule.target
    first[first == team] = -1
    return team, first


def answered_live(team: IntArray, channel: IntArray, phase: Phase) -> BoolArray:
    """Whether the customer waits on the line: a live channel of a team that answers live."""
    answers = np.array([rules.answers_live for rules in phase.teams])
    return np.asarray(phase.channels.live[channel] & answers[team])


def target_hours(category: IntArray, channel: IntArray, team: IntArray, live: BoolArray, phase: Phase) -> FloatArray:
    """Response target: clock hours if live, the team's business hours if not.

    The category's own target counts before the channel's; a team that does not answer live calls back within
    its callback target.
    """
    own = phase.categories.target_hours[category]
    callback = np.array([rules.callback_target_hours for rules in phase.teams])[team]
    target = np.where(phase.channels.live[channel] & ~live, callback, phase.channels.target_hours[channel])
    return np.where(np.isnan(own), target, own)


def due_times(time: FloatArray, target: FloatArray, team: IntArray, live: BoolArray, phase: Phase) -> FloatArray:
    """When an answer becomes late, hours."""
    due = time + target
    for index, rules in enumerate(phase.teams):
        rows = np.flatnonzero((team == index) & ~live)
        if len(rows):
            due[rows] = rules.shift.time_at(rules.shift.open_hours(time[rows]) + target[rows])
    return due


def resolution(category: IntArray, channel: IntArray, team: IntArray, phase: Phase) -> FloatArray:
    """Probability that one handling settles the matter, before the agent's own condition."""
    factor = np.array([rules.support_call_resolution_factor for rules in phase.teams])[team]
    factor = np.where(phase.categories.support_call[category], factor, 1.0)
    chance = phase.categories.resolution[category] * phase.channels.resolution_factor[channel] * factor
    return np.minimum(chance, 1.0)


def handle_factor(category: IntArray, channel: IntArray, team: IntArray, phase: Phase) -> FloatArray:
    """Working hours per unit of the handle-time draw (mean 1), before the agent's own condition."""
    factor = np.array([rules.support_call_handle_factor for rules in phase.teams])[team]
    factor = np.where(phase.categories.support_call[category], factor, 1.0)
    return phase.categories.handle_hours[category] * phase.channels.handle_factor[channel] * factor
