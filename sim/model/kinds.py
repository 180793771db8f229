"""Kinds of contact: what a contact's team, category and channel mean for it, looked up and never computed again.

In: the rules of a phase. Out: `RouteTables` for arrays of contacts, and a `Kind` for each single one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.model.inputs import Phase

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Kind:
    """What a contact has in common with all others of its team, category and channel in a phase."""

    cell: int  # flat position in `RouteTables`
    team: int
    category: int
    channel: int
    customer: bool  # started by the customer
    planned: bool  # started by the company's playbook
    urgent: bool
    level: int  # of the queue: 0 if live
    live: bool  # the customer waits on the line
    target_hours: float  # clock hours if live, business hours if not
    mean_hours: float  # of working time, before the agent's own condition
    resolution: float  # chance that one handling settles the matter, before the agent's own condition
    skill: str = ""  # that whoever handles it must have; empty: anybody may
    changeover_hours: float = 0.0  # more working time if the contact before it was of another category
    at_once: int = 1  # how many of the channel one person handles side by side
    slower: float = 0.0  # handle time grows by this share for each contact more in hand
    solves: float = -1.0  # chance that the customer finds the answer in self-service; -1: it is none
    overflow: tuple[
        tuple[int, int], ...
    ] = ()  # contacts that wait for the team, and the cell that then gets the next one
    most_waiting: int = NO_LIMIT  # live contacts that can wait for the team
    escalation: tuple[tuple[float, int], ...] = ()  # shares of what stays unsettled, and the cells that get them
    limited: bool = field(init=False)  # a contact that finds nobody idle need not just wait

    def __post_init__(self) -> None:
        limited = self.at_once > 1 or bool(self.overflow) or self.most_waiting < NO_LIMIT
        object.__setattr__(self, "limited", limited)


@dataclass(frozen=True)
class RouteTables:
    """What team, category and channel mean for a contact; arrays (teams, categories, channels)."""

    live: BoolArray  # the customer waits on the line: a live channel of a team that answers live
    target_hours: FloatArray  # clock hours if live, the team's business hours if not
    handle_hours: FloatArray  # mean working time, before the agent's own condition
    resolution: FloatArray  # chance that one handling settles the matter, before the agent's own condition

    def cells(self, team: IntArray, category: IntArray, channel: IntArray) -> IntArray:
        """Flat positions in the tables, for `take`."""
        _, categories, channels = self.live.shape
        return (team * categories + category) * channels + channel

    def places(self, cell: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Team, category and channel of flat positions."""
        _, categories, channels = self.live.shape
        rest = cell // channels
        team = rest // categories
        return team, rest - team * categories, cell - rest * channels

    @classmethod
    def of(cls, phase: Phase) -> RouteTables:
        """The tables of a phase.

        The category's own target counts before the channel's; a team that does not answer live calls back
        within its callback target. Support calls have the team's own factors; planned work is done by whatever channel.
        """
        categories, channels, teams = phase.categories, phase.channels, phase.teams
        shape = (len(teams), len(categories.keys), len(channels.live))
        answers = np.array([team.answers_live for team in teams])[:, np.newaxis, np.newaxis]
        live = answers & channels.live & categories.customer[:, np.newaxis]
        callback = np.array([team.callback_target_hours for team in teams])[:, np.newaxis, np.newaxis]
        target = np.where(channels.live & ~live, callback, channels.target_hours)
        own = categories.target_hours[:, np.newaxis]
        support = categories.support_call[:, np.newaxis]
        slower = np.array([team.support_call_handle_factor for team in teams])[:, np.newaxis, np.newaxis]
        weaker = np.array([team.support_call_resolution_factor for team in teams])[:, np.newaxis, np.newaxis]
        handle = categories.handle_hours[:, np.newaxis] * channels.handle_factor * np.where(support, slower, 1.0)
        handle = handle + channels.travel_hours
        resolution = categories.resolution[:, np.newaxis] * channels.resolution_factor * np.where(support, weaker, 1.0)
        resolution = np.where(categories.company[:, np.newaxis], categories.resolution[:, np.newaxis], resolution)
        return cls(
            live=np.array(np.broadcast_to(live, shape)),
            target_hours=np.array(np.broadcast_to(np.where(np.isnan(own), target, own), shape)),
            handle_hours=np.array(np.broadcast_to(handle, shape)),
            resolution=np.array(np.broadcast_to(np.minimum(resolution, 1.0), shape)),
        )


def kinds_of(phase: Phase) -> tuple[Kind, ...]:
    """The kinds of a phase, in the order of the flat positions in its tables."""
    tables, categories, channels, routing = phase.tables, phase.categories, phase.channels, phase.routing
    level = np.where(tables.live, 0, categories.priority[:, np.newaxis] + 1)
    places = list(np.ndindex(tables.live.shape))
    cell_of = {place: cell for cell, place in enumerate(places)}
    kinds = []
    for cell, (team, category, channel) in enumerate(places):
        place = team, category, channel
        rules, helps, capacity = phase.teams[team], channels.self_service[channel], phase.teams[team].queue_capacity
        kinds.append(
            Kind(
                cell=cell,
                team=team,
                category=category,
                channel=channel,
                customer=bool(categories.customer[category]),
                planned=bool(categories.company[category]),
                urgent=bool(categories.urgent[category]),
                level=int(level[place]),
                live=bool(tables.live[place]),
                target_hours=float(tables.target_hours[place]),
                mean_hours=float(tables.handle_hours[place]),
                resolution=float(tables.resolution[place]),
                skill=categories.skill[category] or "",
                changeover_hours=rules.changeover_hours,
                at_once=int(channels.concurrency[channel]) if tables.live[place] else 1,
                slower=float(channels.slower_per_extra_contact[channel]),
                solves=-1.0 if helps is None else helps.solved_probability,
                overflow=tuple(
                    (rule.waiting, cell_of[rule.target, category, channel])
                    for rule in routing.overflow
                    if rule.source == team and rule.categories[category]
                ),
                most_waiting=NO_LIMIT if capacity is None else capacity,
                escalation=tuple(
                    (rule.share, cell_of[rule.target, category, channel])
                    for rule in routing.escalation
                    if rule.source == team and rule.categories[category]
                ),
            )
        )
    return tuple(kinds)
