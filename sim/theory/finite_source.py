"""A finite source: so few customers that those who wait or are served cannot call as well (machine repair, Engset).

In: a `FiniteSource`, and a target for the wait. Out: `FiniteSourceFigures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from sim.theory.birth_death import FloatArray, stationary


@dataclass(frozen=True)
class FiniteSource:
    """Customers with at most one contact open each, exponential times, agents alike, first come first served.

    Parameters
    ----------
    customers : >= 1. agents : >= 1, both whole numbers.
    time_between_hours : mean time from the end of a customer's contact to its next, > 0.
    handle_time_hours : mean, > 0.
    lines : contacts that may be there at once, >= agents; inf without a limit. A customer that finds none is turned
        away and waits for a new time between. With as many lines as agents this is Engset's model.
    """

    customers: int
    time_between_hours: float
    handle_time_hours: float
    agents: int
    lines: float = math.inf

    def __post_init__(self) -> None:
        for name in ("time_between_hours", "handle_time_hours"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name)}: use a number above 0")
        for name in ("customers", "agents"):
            if getattr(self, name) < 1 or getattr(self, name) != int(getattr(self, name)):
                raise ValueError(f"{name}: {getattr(self, name)}: use a whole number from 1")
        if not self.lines >= self.agents or (self.lines < math.inf and self.lines != int(self.lines)):
            raise ValueError(
                f"lines: {self.lines}: use a whole number from {self.agents}, the number of agents, or inf"
            )


@dataclass(frozen=True)
class FiniteSourceFigures:
    """Long-run figures; shares and mean waits are of the contacts that customers try to raise.

    attempts_per_hour : all tries. blocking : share turned away. wait_probability : share that waits.
    wait_mean_hours : over all tries, those turned away counted with 0. wait_mean_accepted_hours : over the others.
    service_level : served within the target / tries.
    occupancy : share of the agents' time that is handling. queue_length_mean, busy_agents_mean, in_system_mean.
    """

    attempts_per_hour: float
    served_per_hour: float
    occupancy: float
    wait_probability: float
    wait_mean_hours: float
    wait_mean_accepted_hours: float
    service_level: float
    blocking: float
    queue_length_mean: float
    busy_agents_mean: float
    in_system_mean: float


def finite_source_chain(source: FiniteSource) -> tuple[FloatArray, FloatArray]:
    """Births and deaths an hour of the number in the system, as `birth_death` takes them."""
    most = int(min(source.customers, source.lines))
    calling = source.customers - np.arange(most)
    busy = np.minimum(np.arange(1, most + 1), source.agents)
    return calling / source.time_between_hours, busy / source.handle_time_hours


def solve_finite_source(source: FiniteSource, target_hours: float = 0.0) -> FiniteSourceFigures:
    """The figures of a finite source in steady state.

    target_hours : the wait that the service level allows, >= 0.

    Notes
    -----
    A contact is raised the more often the more customers have none: it finds n there with a chance proportional to
    p(n) (customers - n), not to p(n). Its wait is then Erlang(n - agents + 1).
    """
    if not target_hours >= 0:
        raise ValueError(f"target_hours: {target_hours}: use a number from 0")
    probabilities = stationary(*finite_source_chain(source))
    states = np.arange(len(probabilities))
    attempts = probabilities * (source.customers - states) / source.time_between_hours
    total = float(attempts.sum())
    found = attempts / total
    full = len(states) - 1
    blocked = float(found[full])  # 0 where a line is free for every customer: nobody is left to call then
    waiting = np.arange(source.agents, full)
    length = float(probabilities @ np.maximum(states - source.agents, 0))
    busy = float(probabilities @ np.minimum(states, source.agents))
    later = gammaincc(waiting - source.agents + 1, source.agents / source.handle_time_hours * target_hours)
    return FiniteSourceFigures(
        attempts_per_hour=total,
        served_per_hour=busy / source.handle_time_hours,
        occupancy=busy / source.agents,
        wait_probability=float(found[waiting].sum()),
        wait_mean_hours=length / total,
        wait_mean_accepted_hours=length * source.handle_time_hours / busy,
        service_level=float(found[: min(source.agents, full)].sum() + found[waiting] @ (1 - later)),
        blocking=blocked,
        queue_length_mean=length,
        busy_agents_mean=busy,
        in_system_mean=length + busy,
    )
