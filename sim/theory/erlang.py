"""Erlang's two formulas: the chance that all agents are busy when a contact comes.

In: a load in erlangs (contacts an hour times hours each) and agents, both real numbers. Out: a probability.
"""

from __future__ import annotations

import math

import numpy as np

from sim.theory.integrals import log_concave_points

LARGEST_LOG = 700.0  # exp of more overflows


def erlang_b(load_erlangs: float, agents: float) -> float:
    """The share of contacts turned away where nobody can wait (M/M/c/c); the same for any law of the handle time.

    Parameters
    ----------
    load_erlangs : > 0. agents : >= 0; fractions of an agent are allowed.

    Notes
    -----
    1/B is the integral of a exp(-a t) (1 + t)^c over t from 0 to infinity (Fortet; Jagerman, Some properties of the
    Erlang loss function, Bell System Technical Journal 53, 1974). For whole agents that is the well-known sum, and for
    any the recursion B(c) = a B(c - 1) / (c + a B(c - 1)) holds: it is the continuation in c that the field uses.
    """
    return math.exp(-log_inverse_erlang_b(load_erlangs, agents))


def erlang_c(load_erlangs: float, agents: float) -> float:
    """The chance to wait where everybody waits for as long as it takes (M/M/c).

    load_erlangs : > 0. agents : >= 0; fractions by the continuation of `erlang_b`. With no more agents than load the
    queue grows without end, and everybody waits: 1.
    """
    if load_erlangs >= agents:
        _check(load_erlangs, agents)
        return 1.0
    rarity = min(log_inverse_erlang_b(load_erlangs, agents), LARGEST_LOG)
    return 1 / (1 + (1 - load_erlangs / agents) * math.expm1(rarity))


def log_inverse_erlang_b(load_erlangs: float, agents: float) -> float:
    """log(1 / B), which neither overflows nor vanishes. Arguments as in `erlang_b`."""
    _check(load_erlangs, agents)
    load = load_erlangs
    # With u = load * t the integrand is exp(-u) (1 + u / load)^agents; its peak is at agents - load, or at 0.
    peak = max(agents - load, 0.0)
    finest = 0.01 * min(1.0, load) / (1 + agents)
    if peak > 0:
        height = agents * math.log(agents / load) - peak
        points = log_concave_points(
            lambda d: agents * np.log1p(np.maximum(d / agents, load / agents - 1)) - d, peak, finest
        )
    else:
        height = 0.0
        points = log_concave_points(lambda u: agents * np.log1p(u / load) - u, peak, finest)
    return max(height + math.log(points.total), 0.0)


def _check(load_erlangs: float, agents: float) -> None:
    if not 0 < load_erlangs < math.inf:
        raise ValueError(f"a load of {load_erlangs} erlangs: use a number above 0")
    if not 0 <= agents < math.inf:
        raise ValueError(f"{agents} agents: use a number from 0")
