"""Limits for many agents: square-root staffing, and what overload comes to when callers give up.

In: a load and a safety, or a `Queue` beyond its capacity. Out: agents, chances, `FluidFigures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import log_ndtr

from sim.theory.queues import Queue

LARGEST_BETA = 30.0  # the chance to wait is below 1e-197 there


def square_root_agents(load_erlangs: float, beta: float) -> float:
    """load + beta sqrt(load): agents, not rounded, for one quality of service at any size."""
    return load_erlangs + beta * math.sqrt(load_erlangs)


def square_root_beta(load_erlangs: float, agents: float) -> float:
    """The safety of a staffing: (1 - load / agents) sqrt(agents)."""
    return (1 - load_erlangs / agents) * math.sqrt(agents)


def halfin_whitt_wait_probability(beta: float) -> float:
    """The chance to wait with many agents and patient callers: phi / (phi + beta Phi), 1 for beta <= 0.

    Halfin and Whitt, Heavy-traffic limits for queues with many exponential servers, Operations Research 29, 1981.
    """
    if beta <= 0:
        return 1.0
    log_density = -beta * beta / 2 - math.log(2 * math.pi) / 2
    return 1 / (1 + beta * math.exp(float(log_ndtr(beta)) - log_density))


def halfin_whitt_beta(wait_probability: float) -> float:
    """The safety beta at which `halfin_whitt_wait_probability` has this value, which must lie in (0, 1)."""
    if not 0 < wait_probability < 1:
        raise ValueError(f"a chance to wait of {wait_probability}: use a number above 0 and below 1")
    if wait_probability < halfin_whitt_wait_probability(LARGEST_BETA):
        raise ValueError(f"a chance to wait of {wait_probability}: too small to tell from 0")
    return float(brentq(lambda beta: halfin_whitt_wait_probability(beta) - wait_probability, 0.0, LARGEST_BETA))


@dataclass(frozen=True)
class FluidFigures:
    """What a large overloaded queue comes to; chance makes differences of the size of a square root only.

    wait_mean_virtual_hours : of whoever would never give up, and so, nearly, of everyone who is served.
    """

    occupancy: float
    abandonment: float
    wait_mean_virtual_hours: float
    queue_length_mean: float


def overload(queue: Queue) -> FluidFigures:
    """Erlang A with more load than agents, as the size grows.

    1 - 1/r give up, r = load / agents; the wait is the time in which so many of them have, patience log(r) (Whitt,
    Fluid models for multiserver queues with abandonments, Operations Research 54, 2006). Raises ValueError for a queue
    that is not overloaded, or in which nobody gives up.
    """
    ratio = queue.load_erlangs / queue.agents
    if ratio <= 1 or queue.patience_hours == math.inf or queue.lines < math.inf:
        raise ValueError(f"{queue}: the limit is for more load than agents, patience, and lines without a limit")
    return FluidFigures(
        occupancy=1.0,
        abandonment=1 - 1 / ratio,
        wait_mean_virtual_hours=queue.patience_hours * math.log(ratio),
        queue_length_mean=(queue.arrivals_per_hour - queue.capacity_per_hour) * queue.patience_hours,
    )
