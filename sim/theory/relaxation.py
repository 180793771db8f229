"""How long a queue remembers its start: relaxation times, for the length of warm-ups.

In: a queue. Out: hours after which the slowest memory of the start has fallen to 1/e; after ten of them it is gone.
"""

from __future__ import annotations

import math

from sim.theory import birth_death, finite_source, queues
from sim.theory.finite_source import FiniteSource
from sim.theory.priorities import ContactClass
from sim.theory.queues import Queue


def relaxation_hours(queue: Queue) -> float:
    """The relaxation time of a queue with whole agents. Raises ValueError as `queues.queue_chain` does.

    Notes
    -----
    The spectral gap of the chain, by numbers. Where nobody gives up and lines have no limit, the spectrum of the
    endless chain also has a continuous part from (sqrt(capacity) - sqrt(arrivals))^2 on (van Doorn, Conditions for
    exponential ergodicity and bounds for the decay parameter of a birth-death process, Advances in Applied
    Probability 17, 1985), which a chain cut at its end meets a little late: the smaller of both is the gap. For one
    agent it is that value; for many at a light load it is 1 / the handle time.
    """
    by_numbers = birth_death.relaxation_time(*queues.queue_chain(queue))
    if min(queue.patience_hours, queue.lines) < math.inf:
        return by_numbers
    continuous = (math.sqrt(queue.capacity_per_hour) - math.sqrt(queue.arrivals_per_hour)) ** 2
    return max(by_numbers, 1 / continuous)


def finite_source_relaxation_hours(source: FiniteSource) -> float:
    """The relaxation time of a finite source: the spectral gap of its chain, by numbers."""
    return birth_death.relaxation_time(*finite_source.finite_source_chain(source))


def single_server_relaxation_hours(contacts: ContactClass) -> float:
    """The relaxation time of M/G/1, to the precision that a warm-up needs; priorities do not change it.

    Notes
    -----
    That of M/M/1, handle time / (1 - sqrt(load))^2, times (1 + cv^2) / 2: exact for exponential times, and near a load
    of 1, where only mean and variance count, for all (the reflected Brownian motion's is 2 variance / drift^2). Below
    a cv of 1 the factor is left at 1, which errs on the long side. Times with a tail heavier than exponential have no
    relaxation time in the strict sense; mean and variance are what this takes of them. Raises ValueError at a load of
    1 or more.
    """
    load = contacts.load_erlangs
    if load >= 1:
        raise ValueError(f"a load of {load} on one agent: there is no steady state to wait for")
    spread = max(1.0, (1 + contacts.handle_time_cv**2) / 2)
    return contacts.handle_time_hours * spread / (1 - math.sqrt(load)) ** 2
