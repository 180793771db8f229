"""How many agents a target needs, in fractions of an agent first, then whole.

In: a queue without its agents, a service level, an occupancy not to exceed. Out: `AgentsNeeded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from scipy.optimize import brentq

from sim.theory.queues import ROUNDING, Queue, QueueFigures, solve


@dataclass(frozen=True)
class Target:
    """What the agents have to reach.

    service_level : share to be served within target_hours, in (0, 1); of the contacts offered, or of the `virtual`
    ones that would never give up. occupancy : at most so much, in (0, 1].
    """

    service_level: float
    target_hours: float
    virtual: bool = False
    occupancy: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.service_level < 1:
            raise ValueError(f"service_level: {self.service_level}: use a share above 0 and below 1")
        if not 0 < self.occupancy <= 1:
            raise ValueError(f"occupancy: {self.occupancy}: use a share above 0, at most 1")

    def margins(self, figures: QueueFigures) -> tuple[float, float]:
        """By how much service level and occupancy are better than asked; >= 0 where the goal is reached."""
        reached = figures.service_level_virtual if self.virtual else figures.service_level
        return reached - self.service_level, self.occupancy - figures.occupancy


@dataclass(frozen=True)
class AgentsNeeded:
    """The fewest agents that reach a target.

    agents : whole. agents_fractional : before rounding up, in (agents - 1, agents].
    """

    agents: int
    agents_fractional: float


def agents_needed(queue: Queue, target: Target, most_agents: int) -> AgentsNeeded | None:
    """The fewest agents with which a queue reaches a target; None if not even `most_agents` do.

    Parameters
    ----------
    queue : its number of agents does not count. most_agents : >= 1; a limit of lines is a limit of agents as well.

    Notes
    -----
    Fractions of an agent: without a limit of lines by the continuation of Erlang B to real numbers (see
    `erlang.erlang_b`), from which Erlang C and A follow as for whole agents; with one, on the straight line between
    the figures of the whole numbers on both sides. The figures get better with every agent, so that halving finds
    where the target is met.
    """

    @cache
    def margins(agents: float) -> tuple[float, float]:
        if agents == 0:
            return -target.service_level, target.occupancy - 1  # what fewer and fewer agents come to
        return target.margins(solve(replace(queue, agents=agents), target.target_hours))

    most = int(min(most_agents, queue.lines))
    if min(margins(most)) < -ROUNDING:
        return None
    agents = _first_whole(lambda whole: min(margins(whole)) >= -ROUNDING, most)
    straight = queue.lines < math.inf
    level = _crossing(lambda number: margins(number)[0], agents, straight)
    occupancy = _crossing(lambda number: margins(number)[1], agents, straight)
    return AgentsNeeded(agents, max(level, occupancy))


def agents_to_keep_up(load_erlangs: float) -> int:
    """The fewest agents with whom a queue of patient callers and no limit of lines has an end."""
    return math.floor(load_erlangs * (1 + ROUNDING)) + 1


def rostered(agents: float, shrinkage: float) -> float:
    """People to roster so that on average so many are at work: agents / (1 - shrinkage), not rounded.

    shrinkage : share of the paid time that is not at work (breaks, training, absence), in [0, 1).
    """
    if not 0 <= shrinkage < 1:
        raise ValueError(f"a shrinkage of {shrinkage}: use a share from 0, below 1")
    return agents / (1 - shrinkage)


def rounded_up(number: float) -> int:
    """The next whole number; what lies above one by rounding alone (21 / (1 - 0.3) is 30 + 4e-15) stays there."""
    return math.ceil(number - ROUNDING * max(1.0, number))


def _first_whole(met: Callable[[int], bool], most: int) -> int:
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if met(middle):
            high = middle
        else:
            low = middle
    return high


def _crossing(margin: Callable[[float], float], agents: int, straight: bool) -> float:
    """Where from agents - 1 to agents the margin reaches 0; agents - 1 if it is there already."""
    few = agents - 1
    before, after = margin(few), margin(agents)
    if before >= -ROUNDING:
        return few
    if after <= 0:
        return agents
    if straight:
        return few + before / (before - after)
    return brentq(margin, few, agents, xtol=1e-12)
