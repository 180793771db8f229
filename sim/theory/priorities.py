"""One agent with any handle times, and queues in which some contacts go first.

In: arrivals, and handle times by mean and coefficient of variation. Out: mean waits and lengths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from sim.theory.erlang import erlang_c


@dataclass(frozen=True)
class ContactClass:
    """Contacts of one priority.

    arrivals_per_hour, handle_time_hours (mean) : > 0. handle_time_cv : standard deviation / mean, >= 0; 0 is a
    constant, 1 an exponential time.
    """

    arrivals_per_hour: float
    handle_time_hours: float
    handle_time_cv: float = 1.0

    def __post_init__(self) -> None:
        for name in ("arrivals_per_hour", "handle_time_hours"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name)}: use a number above 0")
        if not 0 <= self.handle_time_cv < math.inf:
            raise ValueError(f"handle_time_cv: {self.handle_time_cv}: use a number from 0")

    @property
    def load_erlangs(self) -> float:
        """Agents that this class keeps busy."""
        return self.arrivals_per_hour * self.handle_time_hours

    @property
    def residual_hours(self) -> float:
        """Mean time left of a handle time on which one comes at random: E[S^2] / (2 E[S])."""
        return self.handle_time_hours * (1 + self.handle_time_cv**2) / 2


@dataclass(frozen=True)
class ClassFigures:
    """Long-run figures of one class; waits and lengths are inf where its queue grows without end.

    in_system_mean : waiting and in service.
    """

    wait_mean_hours: float
    queue_length_mean: float
    in_system_mean: float


@dataclass(frozen=True)
class SingleServerFigures:
    """Long-run figures of one agent; waits and lengths are inf where the load reaches 1.

    occupancy is the chance to wait as well, because contacts come at random.
    """

    occupancy: float
    wait_mean_hours: float
    queue_length_mean: float
    in_system_mean: float


def single_server(contacts: ContactClass) -> SingleServerFigures:
    """M/G/1, first come first served (Pollaczek and Khinchine): W = load residual / (1 - load).

    With a coefficient of variation of 0 it is M/D/1, half the wait of M/M/1.
    """
    (only,) = single_server_priorities([contacts])
    return SingleServerFigures(
        occupancy=min(contacts.load_erlangs, 1.0),
        wait_mean_hours=only.wait_mean_hours,
        queue_length_mean=only.queue_length_mean,
        in_system_mean=only.in_system_mean,
    )


def single_server_priorities(classes: Sequence[ContactClass]) -> tuple[ClassFigures, ...]:
    """M/G/1 where the first class goes first, none interrupts, and within a class first come is first served.

    Notes
    -----
    W(k) = R / ((1 - s(k - 1)) (1 - s(k))), s(k) the load of the classes 1 to k, R the mean time until the contact in
    hand is done (Cobham, Priority assignment in waiting line problems, Operations Research 2, 1954). The class at
    which s reaches 1 takes the rest of the agent's time, and the classes after it get none.
    """
    left, residual = 1.0, 0.0
    for one in classes:
        served = min(one.load_erlangs, left)
        residual += served * one.residual_hours
        left -= served
    return _cobham(classes, 1.0, residual)


def many_server_priorities(
    arrivals_per_hour: Sequence[float], handle_time_hours: float, agents: int
) -> tuple[ClassFigures, ...]:
    """M/M/c where the first class goes first and none interrupts; one exponential handle time for all.

    Parameters
    ----------
    arrivals_per_hour : of each class, the most urgent first, > 0. handle_time_hours : mean, > 0. agents : >= 1.

    Notes
    -----
    As for one agent, with loads per agent and with R = P(all busy) handle_time / agents, because of each class it
    makes no difference whom an agent serves (Cobham 1954; Kella and Yechiali, Waiting times in the non-preemptive
    priority M/M/c queue, Stochastic Models 1, 1985).
    """
    classes = [ContactClass(arrivals, handle_time_hours) for arrivals in arrivals_per_hour]
    if not agents >= 1:
        raise ValueError(f"{agents} agents: use a number from 1")
    all_busy = erlang_c(sum(one.load_erlangs for one in classes), agents)
    return _cobham(classes, agents, all_busy * handle_time_hours / agents)


def _cobham(classes: Sequence[ContactClass], agents: float, residual_hours: float) -> tuple[ClassFigures, ...]:
    figures = []
    loads = list(accumulate((one.load_erlangs / agents for one in classes), initial=0.0))
    for one, before, after in zip(classes, loads, loads[1:], strict=False):
        wait = residual_hours / ((1 - before) * (1 - after)) if after < 1 else math.inf
        length = one.arrivals_per_hour * wait
        figures.append(ClassFigures(wait, length, length + one.load_erlangs))
    return tuple(figures)
