"""Routing: by which channel and to which team a contact goes, and what that means for it.

In: contacts' categories and keyed uniforms. Out: channel, team, a team that only hands over first, due times.
Pure functions of arrays.
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


def due_times(time: FloatArray, target: FloatArray, team: IntArray, live: BoolArray, phase: Phase) -> FloatArray:
    """When an answer becomes late, hours."""
    due = time + target
    for hours, teams in phase.business_hours:
        rows = (teams[team] & ~live).nonzero()[0]
        if len(rows):
            due[rows] = hours.time_at(hours.open_hours(time[rows]) + target[rows])
    return due
