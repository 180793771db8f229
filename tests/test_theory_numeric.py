"""Closed forms against independent numbers: a linear solve of the generator, recursions, phases, other closed forms.

Nothing here uses the functions that it checks. Tolerances are the rounding of the independent way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.special import gamma, gammainc, gammaincc

from sim.theory import birth_death
from sim.theory.erlang import erlang_b, erlang_c
from sim.theory.finite_source import FiniteSource, solve_finite_source
from sim.theory.limits import overload
from sim.theory.priorities import ContactClass, many_server_priorities, single_server, single_server_priorities
from sim.theory.queues import Queue, queue_chain, solve, state_probabilities, wait_exceeds
from sim.theory.relaxation import (
    finite_source_relaxation_hours,
    relaxation_hours,
    single_server_relaxation_hours,
)

FloatArray = NDArray[np.float64]
State = tuple[int, ...]


def long_run(states: Sequence[State], moves: Callable[[State], list[tuple[State, float]]]) -> dict[State, float]:
    """Solves pi Q = 0, sum pi = 1 for the chain that the moves (to where, at which rate) describe."""
    index = {state: i for i, state in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for state, i in index.items():
        for there, rate in moves(state):
            generator[i, index[there]] += rate
            generator[i, i] -= rate
    generator[:, 0] = 1
    target = np.zeros(len(states))
    target[0] = 1
    return dict(zip(states, np.linalg.solve(generator.T, target), strict=True))


def queue_by_linear_solve(queue: Queue, target: float) -> dict[str, float]:
    """All figures of a queue with limited lines: states by a linear solve, waits by the phases of those ahead.

    A contact that finds q waiting passes q + 1 phases, in each of which it may give up; the matrix exponential says
    where it is after the target.
    """
    arrivals, rate, agents, lines = (
        queue.arrivals_per_hour,
        1 / queue.handle_time_hours,
        int(queue.agents),
        int(queue.lines),
    )
    leave = queue.gives_up_per_hour

    def moves(state: State) -> list[tuple[State, float]]:
        (n,) = state
        up = [((n + 1,), arrivals)] if n < lines else []
        return up + ([((n - 1,), min(n, agents) * rate + max(n - agents, 0) * leave)] if n else [])

    shares = long_run([(n,) for n in range(lines + 1)], moves)
    found = {"level": 0.0, "virtual later": 0.0, "virtual wait": 0.0, "waits": 0.0, "served": 0.0}
    for n in range(agents):
        found["level"] += shares[n,]
        found["served"] += shares[n,]
    for n in range(agents, lines):
        ahead = n - agents
        steps = agents * rate + leave * np.arange(ahead, -1, -1.0)
        virtual = np.diag(np.append(-steps, 0)) + np.diag(steps, 1)
        with_leaving = np.zeros((ahead + 3, ahead + 3))  # one more state to end in: gone
        with_leaving[:-1, :-1] = virtual
        with_leaving[np.arange(ahead + 1), np.arange(ahead + 1)] -= leave
        with_leaving[: ahead + 1, -1] = leave
        share = shares[n,]
        found["waits"] += share
        found["virtual later"] += share * (1 - expm(virtual * target)[0, -1])
        found["virtual wait"] += share * float((1 / steps).sum())
        found["level"] += share * expm(with_leaving * target)[0, -2]
        found["served"] += share * float(np.prod(steps / (steps + leave)))
    accepted = 1 - shares[lines,]
    length = sum((n - agents) * shares[n,] for n in range(agents, lines + 1))
    return {
        "blocking": shares[lines,],
        "level": found["level"],
        "virtual level": 1 - found["virtual later"] / accepted,
        "virtual wait": found["virtual wait"] / accepted,
        "waits": found["waits"],
        "virtual waits": found["waits"] / accepted,
        "length": length,
        "abandonment": leave * length / arrivals,
        "occupancy": sum(min(n, agents) * shares[n,] for n in range(lines + 1)) / agents,
        "served": found["served"] * arrivals,
    }


@pytest.mark.parametrize(
    "queue",
    [
        Queue(20, 0.2, 3, patience_hours=0.1, lines=9),
        Queue(20, 0.2, 3, lines=9),
        Queue(20, 0.1, 2, lines=12),
        Queue(5, 0.2, 1, patience_hours=3, lines=4),
        Queue(200, 0.05, 10, patience_hours=0.02, lines=25),
        Queue(8, 0.5, 4, lines=4),
        Queue(9, 1.0, 1, patience_hours=0.5, lines=2),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", [0.0, 0.02, 0.3])
def test_limited_lines_agree_with_a_linear_solve_and_the_phases_of_a_wait(queue: Queue, target: float) -> None:
    found, expected = solve(queue, target), queue_by_linear_solve(queue, target)
    computed = {
        "blocking": found.blocking,
        "level": found.service_level,
        "virtual level": found.service_level_virtual,
        "virtual wait": found.wait_mean_virtual_hours,
        "waits": found.wait_probability,
        "virtual waits": found.wait_probability_virtual,
        "length": found.queue_length_mean,
        "abandonment": found.abandonment,
        "occupancy": found.occupancy,
        "served": found.served_per_hour,
    }
    assert computed == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "queue",
    [
        Queue(200, 0.05, 13, patience_hours=5 / 60),
        Queue(200, 0.05, 8, patience_hours=5 / 60),
        Queue(200, 0.05, 10, patience_hours=0.001),
        Queue(200, 0.05, 12),
        Queue(9, 0.1, 1),
        Queue(900, 0.1, 70, patience_hours=0.5),
        Queue(0.5, 0.1, 30, patience_hours=0.5),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", [0.0, 1 / 180, 0.1])
def test_no_limit_agrees_with_a_limit_that_nobody_reaches(queue: Queue, target: float) -> None:
    """One is an integral over the virtual wait or Erlang C, the other a sum over states."""
    limited = Queue(queue.arrivals_per_hour, queue.handle_time_hours, queue.agents, queue.patience_hours, 2_000)
    few, many = solve(limited, target), solve(queue, target)
    assert few.blocking < 1e-15
    for name, value in vars(many).items():
        assert getattr(few, name) == pytest.approx(value, rel=1e-9, abs=1e-13), name


@pytest.mark.parametrize(("load", "agents"), [(0.1, 1), (3, 0), (10, 14), (40, 10), (4_900, 5_000), (6_000, 5_000)])
def test_erlang_b_agrees_with_its_recursion(load: float, agents: int) -> None:
    share = 1.0
    for number in range(1, agents + 1):
        share = load * share / (number + load * share)
    assert erlang_b(load, agents) == pytest.approx(share, rel=1e-11)


def test_erlang_b_between_whole_agents_obeys_the_recursion_too() -> None:
    for load, agents in product((0.05, 0.7, 9.3, 1_234.5), (0.001, 0.5, 3.25, 17.9, 1_300.1)):
        before, after = erlang_b(load, agents), erlang_b(load, agents + 1)
        assert after == pytest.approx(load * before / (agents + 1 + load * before), rel=1e-12), (load, agents)


@pytest.mark.parametrize(("load", "agents"), [(1e-6, 0.5), (1e-3, 2.5), (0.4, 0.01), (3.0, 7.7), (40.0, 12.3)])
def test_erlang_b_for_a_fraction_is_an_incomplete_gamma_function(load: float, agents: float) -> None:
    """1/B = exp(a) a^-c Gamma(c + 1, a), which overflows for large numbers."""
    inverse = math.exp(load) * load**-agents * gamma(agents + 1) * gammaincc(agents + 1, load)
    assert 1 / erlang_b(load, agents) == pytest.approx(inverse, rel=1e-11)


def test_erlang_b_does_not_depend_on_the_law_of_the_handle_time() -> None:
    """Two servers, and times in two phases one after the other: the states are those in each phase."""
    arrivals, rate, servers = 3.0, 4.0, 2

    def moves(state: State) -> list[tuple[State, float]]:
        first, second = state
        found = [((first + 1, second), arrivals)] if first + second < servers else []
        found += [((first - 1, second + 1), first * rate)] if first else []
        return found + ([((first, second - 1), second * rate)] if second else [])

    states = [(a, b) for a in range(servers + 1) for b in range(servers + 1 - a)]
    shares = long_run(states, moves)
    blocked = sum(share for state, share in shares.items() if sum(state) == servers)
    assert erlang_b(arrivals * 2 / rate, servers) == pytest.approx(blocked, rel=1e-12)
    assert solve(Queue(arrivals, 2 / rate, servers, lines=servers)).blocking == pytest.approx(blocked, rel=1e-12)


def test_five_thousand_agents_do_not_overflow() -> None:
    """States by sums of logarithms there, the integral here; and Erlang C from Erlang B at the same size."""
    queue = Queue(99_000, 0.05, 5_000)
    shares = state_probabilities(queue)
    assert np.all(np.isfinite(shares))
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    waits = float(shares[5_000:].sum())
    assert solve(queue).wait_probability == pytest.approx(waits, rel=1e-9)
    blocked = erlang_b(4_950, 5_000)
    assert erlang_c(4_950, 5_000) == pytest.approx(blocked / (1 - 0.99 * (1 - blocked)), rel=1e-12)


@pytest.mark.parametrize(
    "queue", [Queue(200, 0.05, 13, 5 / 60), Queue(300, 0.05, 13, 5 / 60), Queue(9, 1, 9.5, 2)], ids=str
)
def test_the_virtual_wait_of_erlang_a_is_an_incomplete_gamma_function(queue: Queue) -> None:
    """P(V > t | V > 0) = gamma(y, x exp(-theta t)) / gamma(y, x), x arrivals and y capacity, both over theta."""
    theta = 1 / queue.patience_hours
    x, y = queue.arrivals_per_hour / theta, queue.capacity_per_hour / theta
    waits = solve(queue).wait_probability_virtual
    for hours in (0.0, 0.001, 0.02, 0.1, 0.4):
        expected = gammainc(y, x * math.exp(-theta * hours)) / gammainc(y, x)
        assert wait_exceeds(queue, hours) / waits == pytest.approx(expected, rel=1e-9, abs=1e-20), hours


def test_a_long_wait_in_erlang_c_is_exponential_down_to_the_tail() -> None:
    queue = Queue(240, 0.05, 14)
    for hours in (0.0, 0.01, 0.1, 1.0):
        assert wait_exceeds(queue, hours) == pytest.approx(erlang_c(12, 14) * math.exp(-40 * hours), rel=1e-12)


@pytest.mark.parametrize(
    "source",
    [FiniteSource(6, 2.0, 1.0, 2), FiniteSource(6, 0.3, 1.0, 2, lines=4), FiniteSource(6, 1.0, 1.0, 3, lines=3),
     FiniteSource(2, 1.0, 1.0, 5), FiniteSource(5, 1.0, 0.5, 5)],
    ids=str,
)  # fmt: skip
def test_a_finite_source_agrees_with_following_one_customer(source: FiniteSource) -> None:
    """State: what one customer does (0 away, 1 in service, 2 + k waiting behind k others), and how many others are in.

    First come first served, so that the followed customer's wait is its own place's; its share of the time waiting
    over its rate of accepted contacts is the mean wait.
    """
    others, rate, away = source.customers - 1, 1 / source.handle_time_hours, 1 / source.time_between_hours
    room = min(source.lines, source.customers)

    def moves(state: State) -> list[tuple[State, float]]:
        mine, there = state
        total = there + (mine > 0)
        found = [((mine, there + 1), (others - there) * away)] if there < others and total < room else []
        if mine == 0:
            if total < room:
                found.append(((1 if there < source.agents else 2 + there - source.agents, there), away))
            found += [((0, there - 1), min(there, source.agents) * rate)] if there else []
        elif mine == 1:
            found.append(((0, there), rate))
            found += [((1, there - 1), min(there, source.agents - 1) * rate)] if there and source.agents > 1 else []
        else:
            found.append(((mine - 1, there - 1), source.agents * rate))
        return found

    states, seen = [(0, 0)], {(0, 0)}
    for state in states:
        for there, _ in moves(state):
            if there not in seen:
                seen.add(there)
                states.append(there)
    shares = long_run(states, moves)
    found = solve_finite_source(source)
    tries = sum(share for (mine, _), share in shares.items() if mine == 0)
    full = sum(share for (mine, there), share in shares.items() if mine == 0 and there >= room)
    waits = sum(s for (mine, there), s in shares.items() if mine == 0 and source.agents <= there < room)
    waiting = sum(share for (mine, _), share in shares.items() if mine > 1)
    assert found.blocking == pytest.approx(full / tries, abs=1e-12)
    assert found.wait_probability == pytest.approx(waits / tries, abs=1e-12)
    assert found.attempts_per_hour == pytest.approx(source.customers * away * tries, rel=1e-12)
    assert found.queue_length_mean == pytest.approx(source.customers * waiting, abs=1e-12)
    assert found.wait_mean_accepted_hours == pytest.approx(waiting / (away * (tries - full)), abs=1e-12)
    assert found.service_level == pytest.approx(1 - (waits + full) / tries, abs=1e-12), "at once"


def test_m_g_1_agrees_with_a_chain_of_two_phases() -> None:
    """Times that are the sum of two exponential ones have a coefficient of variation of sqrt(1/2)."""
    arrivals, rate, most = 0.6, 2.0, 150

    def moves(state: State) -> list[tuple[State, float]]:
        number, phase = state
        found = [((number + 1, max(phase, 1)), arrivals)] if number < most else []
        if phase == 1:
            found.append(((number, 2), rate))
        if phase == 2:
            found.append(((number - 1, 1 if number > 1 else 0), rate))
        return found

    states = [(0, 0), *product(range(1, most + 1), (1, 2))]
    shares = long_run(states, moves)
    expected = sum((state[0] - 1) * share for state, share in shares.items() if state[0])
    found = single_server(ContactClass(arrivals, 2 / rate, math.sqrt(0.5)))
    assert found.queue_length_mean == pytest.approx(expected, rel=1e-9)
    assert found.occupancy == pytest.approx(0.6)


def by_two_classes(first: float, second: float, agents: int, most: int) -> tuple[float, float]:
    """Mean numbers waiting of two classes, both served at rate 1: states (busy, first waiting, second waiting)."""

    def moves(state: State) -> list[tuple[State, float]]:
        busy, one, two = state
        if busy < agents:
            return [((busy + 1, 0, 0), first + second)] + ([((busy - 1, 0, 0), float(busy))] if busy else [])
        found = [((busy, one + 1, two), first)] if one < most else []
        found += [((busy, one, two + 1), second)] if two < most else []
        after = (busy, one - 1, two) if one else (busy, one, two - 1) if two else (busy - 1, 0, 0)
        return [*found, (after, float(agents))]

    states = [(busy, 0, 0) for busy in range(agents)] + [(agents, *rest) for rest in product(range(most + 1), repeat=2)]
    shares = long_run(states, moves)
    return (
        sum(state[1] * share for state, share in shares.items()),
        sum(state[2] * share for state, share in shares.items()),
    )


@pytest.mark.parametrize(("first", "second", "agents"), [(0.2, 0.25, 1), (0.5, 0.3, 2)])
def test_priorities_agree_with_a_linear_solve(first: float, second: float, agents: int) -> None:
    expected = by_two_classes(first, second, agents, 24)  # at these loads 24 waiting are rarer than 1e-8
    many = [one.queue_length_mean for one in many_server_priorities([first, second], 1.0, agents)]
    assert many == pytest.approx(expected, rel=1e-6)
    if agents == 1:
        single = single_server_priorities([ContactClass(first, 1.0), ContactClass(second, 1.0)])
        assert [one.queue_length_mean for one in single] == pytest.approx(many, rel=1e-12)


def test_relaxation_agrees_with_the_eigenvalues_of_the_generator() -> None:
    for queue in (Queue(20, 0.2, 3, 0.1, lines=9), Queue(5, 0.2, 1, lines=4), Queue(20, 0.2, 3, lines=3)):
        births, deaths = queue_chain(queue)
        generator = np.diag(births, 1) + np.diag(deaths, -1)
        generator -= np.diag(generator.sum(axis=1))
        slowest = np.sort(np.linalg.eigvals(generator).real)[-2]
        assert relaxation_hours(queue) == pytest.approx(-1 / slowest, rel=1e-9)


def test_relaxation_times_that_are_known_in_closed_form() -> None:
    assert relaxation_hours(Queue(0.9, 1, 1)) == pytest.approx(1 / (1 - math.sqrt(0.9)) ** 2, rel=1e-9)
    assert relaxation_hours(Queue(95, 1, 100)) == pytest.approx(1 / (10 - math.sqrt(95)) ** 2, rel=1e-6)
    assert relaxation_hours(Queue(1, 1, 10)) == pytest.approx(1, rel=1e-4), "as many servers as wanted: one handle time"
    assert relaxation_hours(Queue(5, 1, 5, patience_hours=1)) == pytest.approx(1, rel=1e-9), (
        "patience as long as the handle time makes it M/M/infinity"
    )
    one = FiniteSource(7, 2.0, 1.0, 7)
    assert finite_source_relaxation_hours(one) == pytest.approx(1 / 1.5, rel=1e-9), "seven lives of two states each"
    assert single_server_relaxation_hours(ContactClass(0.9, 1, 1)) == pytest.approx(relaxation_hours(Queue(0.9, 1, 1)))


def test_after_ten_relaxation_times_a_queue_that_began_empty_has_its_mean() -> None:
    """The transient solution itself, for an overloaded queue with patience: what a warm-up relies on."""
    queue = Queue(30, 0.2, 4, patience_hours=0.3, lines=40)
    births, deaths = queue_chain(queue)
    generator = np.diag(births, 1) + np.diag(deaths, -1)
    generator -= np.diag(generator.sum(axis=1))
    later = expm(generator * 10 * relaxation_hours(queue))[0]
    steady = birth_death.stationary(births, deaths)
    assert np.abs(later - steady).sum() < 1e-3, "exp(-10) times a start at the far end"


@pytest.mark.parametrize(("agents", "patience"), [(1_000, 0.2), (4_000, 0.05)])
def test_a_large_overload_comes_close_to_its_fluid_limit(agents: int, patience: float) -> None:
    queue = Queue(15 * agents, 0.1, agents, patience)
    limit, exact = overload(queue), solve(queue)
    near = 3 / math.sqrt(agents)  # chance changes sums of n contacts by sqrt(n)
    assert exact.abandonment == pytest.approx(limit.abandonment, rel=near)
    assert exact.wait_mean_virtual_hours == pytest.approx(limit.wait_mean_virtual_hours, rel=near)
    assert exact.queue_length_mean == pytest.approx(limit.queue_length_mean, rel=near)
    assert exact.occupancy == pytest.approx(1, abs=1e-9)
