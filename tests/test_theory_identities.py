"""What must hold for every queue, whatever its numbers: laws of conservation, limits, orders."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sim.theory.erlang import erlang_b, erlang_c, log_inverse_erlang_b
from sim.theory.finite_source import FiniteSource, solve_finite_source
from sim.theory.limits import (
    halfin_whitt_beta,
    halfin_whitt_wait_probability,
    overload,
    square_root_agents,
    square_root_beta,
)
from sim.theory.priorities import ContactClass, many_server_priorities, single_server, single_server_priorities
from sim.theory.queues import Queue, solve, state_probabilities
from sim.theory.relaxation import relaxation_hours, single_server_relaxation_hours
from sim.theory.staffing import Target, agents_needed, agents_to_keep_up, rostered, rounded_up

ROUNDING = 1e-9  # sums of up to some thousand terms, of numbers that differ by up to twelve orders of magnitude

hours = st.floats(1e-4, 10)
agents_ = st.integers(1, 60)
loads = st.floats(0.02, 3)


@st.composite
def queues(draw: st.DrawFn) -> Queue:
    """Stable queues of 1 to 60 agents, at 2 to 300 % of their capacity."""
    agents, handle = draw(agents_), draw(hours)
    patience = draw(st.one_of(st.just(math.inf), hours))
    lines = draw(st.one_of(st.just(math.inf), st.integers(agents, agents + 80)))
    load = draw(loads if min(patience, lines) < math.inf else st.floats(0.02, 0.98))
    return Queue(load * agents / handle, handle, agents, patience, lines)


@settings(max_examples=60)
@given(queues(), st.floats(0, 5))
@example(Queue(1e6, 0.1, 99_000, 0.05), 0.01)
@example(Queue(1e-6, 1e-3, 1, 1e-6), 0.0)
@example(Queue(1e8, 100.0, 3, 1e4, 7), 1.0)
def test_what_comes_goes_and_numbers_are_rates_times_hours(queue: Queue, target: float) -> None:
    found = solve(queue, target)
    arrivals = queue.arrivals_per_hour
    shares = ("occupancy", "wait_probability", "wait_probability_virtual", "service_level", "service_level_virtual",
              "abandonment", "blocking")  # fmt: skip
    for name in shares:
        assert -ROUNDING <= getattr(found, name) <= 1 + ROUNDING, name
    assert all(math.isfinite(value) for value in vars(found).values())
    close = pytest.approx
    assert found.queue_length_mean == close(arrivals * found.wait_mean_hours, rel=ROUNDING), "Little, in the queue"
    assert found.busy_agents_mean == close(found.served_per_hour * queue.handle_time_hours, rel=ROUNDING), "in service"
    gone = found.queue_length_mean / queue.patience_hours
    assert found.abandonment * arrivals == close(gone, rel=ROUNDING, abs=ROUNDING * arrivals), "all who wait may leave"
    assert found.served_per_hour + found.lost_per_hour == close(arrivals, rel=ROUNDING), "what comes goes"
    assert found.service_level <= 1 - found.blocking - found.abandonment + ROUNDING, "in time at most what is served"
    assert found.service_level >= 1 - found.blocking - found.wait_probability - ROUNDING, "whoever does not wait is"
    assert found.wait_mean_virtual_hours >= found.wait_mean_served_hours * (1 - ROUNDING), "patience waits longest"
    if queue.patience_hours == math.inf:
        assert found.wait_mean_virtual_hours == close(found.wait_mean_served_hours, rel=ROUNDING, abs=1e-300)
        accepted = 1 - found.blocking
        assert found.service_level == close(accepted * found.service_level_virtual, abs=ROUNDING)


@settings(max_examples=30)
@given(queues(), st.floats(0, 2), st.floats(0.01, 2))
def test_a_longer_target_and_one_more_agent_never_lower_the_service_level(
    queue: Queue, target: float, more: float
) -> None:
    found, longer = solve(queue, target), solve(queue, target + more)
    assert longer.service_level >= found.service_level - ROUNDING
    assert longer.service_level_virtual >= found.service_level_virtual - ROUNDING
    assume(queue.lines > queue.agents)
    one_more = solve(replace(queue, agents=queue.agents + 1), target)
    assert one_more.service_level >= found.service_level - ROUNDING
    assert one_more.service_level_virtual >= found.service_level_virtual - ROUNDING
    assert one_more.occupancy <= found.occupancy + ROUNDING


@settings(max_examples=25)
@given(agents_, st.floats(0.05, 0.95), hours, st.floats(0, 1))
def test_with_ever_more_patience_erlang_a_becomes_erlang_c(
    agents: int, load: float, handle: float, target: float
) -> None:
    queue = Queue(load * agents / handle, handle, agents)
    endless, patient = solve(queue, target), solve(replace(queue, patience_hours=1e9 * handle), target)
    # Of those waiting, the share handle / (1e9 handle) leaves in a handle time; the queue may be 1 / (1 - load) long.
    near = 1e-9 / (1 - load) ** 3 * 100
    for name in ("wait_probability", "service_level", "occupancy"):
        assert getattr(patient, name) == pytest.approx(getattr(endless, name), abs=near), name
    assert patient.wait_mean_hours == pytest.approx(endless.wait_mean_hours, rel=near, abs=1e-300)


@settings(max_examples=25)
@given(agents_, loads, hours)
def test_with_ever_less_patience_erlang_a_becomes_erlang_b(agents: int, load: float, handle: float) -> None:
    found = solve(Queue(load * agents / handle, handle, agents, patience_hours=1e-9 * handle))
    near = 1e-9 * (1 + load) * agents
    assert found.abandonment == pytest.approx(erlang_b(load * agents, agents), abs=10 * near)


@settings(max_examples=40)
@given(st.floats(0.01, 200), st.floats(0.0, 150), st.floats(0.001, 10))
def test_more_agents_lower_both_of_erlangs_chances_more_load_raises_them(
    load: float, agents: float, more: float
) -> None:
    # The logarithm still tells what is below the smallest number.
    assert log_inverse_erlang_b(load, agents + more) > log_inverse_erlang_b(load, agents)
    assert erlang_b(load + more, agents) >= erlang_b(load, agents)
    assert erlang_c(load, agents + more) <= erlang_c(load, agents)
    assert erlang_c(load, agents) >= erlang_b(load, agents) * (1 - ROUNDING), "where they may wait, more are there"
    assert erlang_b(load, 0) == pytest.approx(1)


def test_no_spare_capacity_and_no_way_out_is_no_steady_state() -> None:
    found = solve(Queue(220, 0.05, 10))
    assert (found.stable, found.growth_per_hour) == (False, pytest.approx(20))
    assert found.wait_mean_hours == math.inf
    assert (found.occupancy, found.wait_probability, found.service_level) == (1, 1, 0)
    assert not Queue(200, 0.05, 10).stable, "exactly as much load as agents: nothing makes up for a bad moment"
    assert not Queue(200 * (1 - 1e-14), 0.05, 10).stable, "nor does capacity that is spare by rounding"
    assert Queue(220, 0.05, 10, patience_hours=1).stable
    assert Queue(220, 0.05, 10, lines=10).stable


def test_chances_of_all_states_sum_to_one_and_give_the_mean() -> None:
    for queue in (Queue(240, 0.05, 14), Queue(300, 0.05, 14, 0.02), Queue(300, 0.05, 14, lines=20)):
        shares = state_probabilities(queue)
        assert shares.sum() == pytest.approx(1, abs=1e-12)
        mean = sum(n * share for n, share in enumerate(shares))
        assert mean == pytest.approx(solve(queue).in_system_mean, rel=ROUNDING)
    with pytest.raises(ValueError, match="stable queue and whole agents"):
        state_probabilities(Queue(240, 0.05, 14.5))
    with pytest.raises(ValueError, match="more than 4,000,000 states"):
        state_probabilities(Queue(0.99999999, 1, 1))


@pytest.mark.parametrize(
    "values",
    [
        {"arrivals_per_hour": 0},
        {"arrivals_per_hour": math.nan},
        {"handle_time_hours": math.inf},
        {"agents": 0},
        {"patience_hours": 0},
        {"patience_hours": math.nan},
        {"lines": 4},
        {"lines": 5.5},
        {"lines": 7, "agents": 5.5},
        {"lines": math.nan},
    ],
    ids=str,
)
def test_a_queue_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"number|lines"):
        Queue(**({"arrivals_per_hour": 10, "handle_time_hours": 0.1, "agents": 5} | values))


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 12), hours, hours, st.integers(0, 30))
def test_a_finite_source_obeys_littles_law_and_loses_nothing(
    customers: int, agents: int, between: float, handle: float, places: int
) -> None:
    found = solve_finite_source(FiniteSource(customers, between, handle, agents, agents + places))
    assert found.queue_length_mean == pytest.approx(found.attempts_per_hour * found.wait_mean_hours, rel=ROUNDING)
    assert found.served_per_hour == pytest.approx(found.attempts_per_hour * (1 - found.blocking), rel=ROUNDING)
    away = customers - found.in_system_mean
    assert found.attempts_per_hour == pytest.approx(away / between, rel=1e-6, abs=1e-9), "each who is away calls"
    assert found.service_level == pytest.approx(1 - found.blocking - found.wait_probability, abs=ROUNDING), "at once"


def test_many_customers_who_call_seldom_are_a_random_stream() -> None:
    customers = 200_000
    many = solve_finite_source(FiniteSource(customers, customers / 200, 0.05, 13), 1 / 180)
    stream = solve(Queue(200, 0.05, 13), 1 / 180)
    near = 20 * stream.in_system_mean / customers  # who is in does not call; waits move ten times as much as rates here
    assert many.wait_probability == pytest.approx(stream.wait_probability, rel=near)
    assert many.wait_mean_hours == pytest.approx(stream.wait_mean_hours, rel=near)
    assert many.service_level == pytest.approx(stream.service_level, rel=near)


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), hours, st.floats(0, 5))
def test_pollaczek_and_khinchine(load: float, handle: float, cv: float) -> None:
    arrivals = load / handle
    found = single_server(ContactClass(arrivals, handle, cv))
    expected = (arrivals**2 * (cv * handle) ** 2 + load**2) / (2 * (1 - load))
    assert found.queue_length_mean == pytest.approx(expected, rel=ROUNDING)
    assert found.in_system_mean == pytest.approx(expected + load, rel=ROUNDING)
    exponential = single_server(ContactClass(arrivals, handle, 1.0))
    assert exponential.wait_mean_hours == pytest.approx(solve(Queue(arrivals, handle, 1)).wait_mean_hours, rel=1e-6)
    constant = single_server(ContactClass(arrivals, handle, 0.0))
    assert constant.queue_length_mean == pytest.approx(exponential.queue_length_mean / 2, rel=ROUNDING), "M/D/1 is half"


classes_ = st.lists(
    st.tuples(st.floats(0.02, 0.3), hours, st.floats(0, 3)).map(
        lambda drawn: ContactClass(drawn[0] / drawn[1], drawn[1], drawn[2])
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=30)
@given(classes_)
def test_priorities_move_waits_around_and_make_none(classes: list[ContactClass]) -> None:
    """Kleinrock's conservation law: the sum of load times wait is that of first come, first served."""
    found = single_server_priorities(classes)
    load = sum(one.load_erlangs for one in classes)
    residual = sum(one.load_erlangs * one.residual_hours for one in classes)
    kept = sum(one.load_erlangs * figures.wait_mean_hours for one, figures in zip(classes, found, strict=True))
    assert kept == pytest.approx(load * residual / (1 - load), rel=ROUNDING)
    waits = [one.wait_mean_hours for one in found]
    assert waits == sorted(waits), "whoever goes first waits least"


@settings(max_examples=30)
@given(agents_, st.floats(0.05, 0.95), st.floats(0.1, 0.9), hours)
def test_priorities_among_many_agents_keep_the_mean_wait_of_erlang_c(
    agents: int, load: float, share: float, handle: float
) -> None:
    arrivals = load * agents / handle
    first, second = many_server_priorities([share * arrivals, (1 - share) * arrivals], handle, agents)
    mean = share * first.wait_mean_hours + (1 - share) * second.wait_mean_hours
    assert mean == pytest.approx(solve(Queue(arrivals, handle, agents)).wait_mean_hours, rel=ROUNDING, abs=1e-300)
    assert first.wait_mean_hours <= second.wait_mean_hours


def test_an_overloaded_priority_queue_starves_the_last_and_spares_the_first() -> None:
    urgent, long = ContactClass(0.5, 1.0, 0.0), ContactClass(9.0, 2.0, 0.0)
    first, second = single_server_priorities([urgent, long])
    # Always busy, half of the time with long contacts: the mean rest is 0.5 x 0.5 + 0.5 x 1 hours.
    assert first.wait_mean_hours == pytest.approx(0.75 / (1 - 0.5))
    assert second.wait_mean_hours == math.inf
    assert single_server(long).occupancy == 1
    ahead, behind = many_server_priorities([2.0, 3.0], 1.0, 4)
    assert ahead.wait_mean_hours == pytest.approx(0.25 / (1 - 0.5)), "all four always busy"
    assert behind.queue_length_mean == math.inf


@pytest.mark.parametrize("beta", [0.2, 0.5, 1.0, 2.0])
def test_the_chance_to_wait_goes_to_the_limit_of_halfin_and_whitt(beta: float) -> None:
    limit = halfin_whitt_wait_probability(beta)
    misses = []
    for agents in (100, 10_000, 1_000_000):
        load = agents - beta * math.sqrt(agents)
        assert square_root_beta(load, agents) == pytest.approx(beta)
        misses.append(abs(erlang_c(load, agents) - limit))
    assert misses[0] > 5 * misses[1] > 25 * misses[2], "the error falls as one over the root of the size"
    assert misses[2] < 1e-3


def test_square_root_staffing_gives_one_quality_at_any_size() -> None:
    for chance in (0.001, 0.2, 0.5, 0.9):
        beta = halfin_whitt_beta(chance)
        assert halfin_whitt_wait_probability(beta) == pytest.approx(chance, rel=ROUNDING)
        agents = square_root_agents(1e6, beta)
        assert erlang_c(1e6, agents) == pytest.approx(chance, rel=0.01), "a million erlangs are near the limit"
    assert halfin_whitt_wait_probability(0) == halfin_whitt_wait_probability(-1) == 1
    for impossible in (0.0, 1.0, math.nan, 1e-300):
        with pytest.raises(ValueError, match="chance to wait"):
            halfin_whitt_beta(impossible)


def test_an_overload_has_a_limit_only_with_patience_and_without_lines() -> None:
    found = overload(Queue(300, 0.05, 10, patience_hours=0.2))
    assert found.abandonment == pytest.approx(1 / 3)
    assert found.wait_mean_virtual_hours == pytest.approx(0.2 * math.log(1.5))
    assert found.queue_length_mean == pytest.approx(300 * (1 / 3) * 0.2)
    for queue in (Queue(100, 0.05, 10, 0.2), Queue(300, 0.05, 10), Queue(300, 0.05, 10, 0.2, 20)):
        with pytest.raises(ValueError, match="more load than agents"):
            overload(queue)


def test_relaxation_times_grow_with_load_and_spread() -> None:
    times = [relaxation_hours(Queue(load * 10, 1, 10)) for load in (0.3, 0.7, 0.9, 0.95)]
    assert times == sorted(times)
    wide, constant = (single_server_relaxation_hours(ContactClass(0.8, 1, cv)) for cv in (2.0, 0.0))
    assert wide == pytest.approx(2.5 * constant)
    with pytest.raises(ValueError, match="no steady state"):
        single_server_relaxation_hours(ContactClass(1, 1))


@st.composite
def staffings(draw: st.DrawFn) -> tuple[Queue, Target]:
    """A queue of up to a load of 25, and what it has to reach."""
    handle = draw(st.floats(0.01, 1))
    lines = draw(st.one_of(st.just(math.inf), st.integers(1, 30)))
    patience = draw(st.one_of(st.just(math.inf), st.floats(0.001, 1)))
    queue = Queue(draw(st.floats(0.05, 25)) / handle, handle, 1, patience, lines)
    level, target, virtual = draw(st.floats(0.05, 0.99)), draw(st.floats(0, 0.5)), draw(st.booleans())
    return queue, Target(level, target, virtual, draw(st.one_of(st.just(1.0), st.floats(0.3, 0.95))))


@settings(max_examples=40)
@given(staffings())
def test_the_agents_for_a_target_are_the_fewest_that_reach_it(case: tuple[Queue, Target]) -> None:
    queue, target = case
    most = 120

    def reached(agents: float) -> bool:
        return min(target.margins(solve(replace(queue, agents=agents), target.target_hours))) >= -1e-12

    limit = int(min(most, queue.lines))
    expected = next((agents for agents in range(1, limit + 1) if reached(agents)), None)
    needed = agents_needed(queue, target, most)
    assert (None if needed is None else needed.agents) == expected
    if needed is not None:
        assert needed.agents - 1 <= needed.agents_fractional <= needed.agents
        if queue.lines == math.inf and needed.agents_fractional > needed.agents - 1 + 1e-6:
            assert reached(needed.agents_fractional + 1e-6), "a little more than the fraction is enough"
            assert not reached(needed.agents_fractional - 1e-6), "and a little less is not"


def test_fractions_of_an_agent_come_before_rounding() -> None:
    calls = Queue(200, 0.05, 1)
    needed = agents_needed(calls, Target(0.8, 1 / 180), 1_000)
    assert needed is not None
    assert (needed.agents, round(needed.agents_fractional, 4)) == (14, 13.0372)
    level = solve(replace(calls, agents=needed.agents_fractional), 1 / 180).service_level
    assert level == pytest.approx(0.8, abs=1e-9)
    busy = agents_needed(calls, Target(0.8, 1 / 180, occupancy=0.7), 1_000)
    assert busy is not None
    assert (busy.agents, busy.agents_fractional) == (15, pytest.approx(10 / 0.7, rel=1e-9))
    limited = replace(calls, lines=15)
    few, many = (solve(replace(limited, agents=n), 1 / 180).service_level for n in (12, 13))
    straight = agents_needed(limited, Target((few + many) / 2, 1 / 180), 1_000)
    assert straight is not None
    assert straight.agents_fractional == pytest.approx(12.5, rel=1e-9), "half of the way between whole numbers"


def test_people_to_roster_round_up_once_and_not_for_a_rounding_error() -> None:
    assert 21 / (1 - 0.3) > 30, "this is what must not become 31"
    assert rounded_up(rostered(21, 0.3)) == 30
    assert rounded_up(rostered(14, 0.3)) == 20
    assert rounded_up(rostered(14, 0.31)) == 21
    assert rostered(14, 0.31) == pytest.approx(20.2899, abs=1e-4)
    with pytest.raises(ValueError, match="shrinkage"):
        rostered(14, 1.0)
    assert [agents_to_keep_up(load) for load in (0.2, 9.99, 10.0, 9.9999999999999999, 10.01)] == [1, 10, 11, 11, 11]
    for impossible in ({"service_level": 1.0}, {"service_level": math.nan}, {"occupancy": 0.0}):
        with pytest.raises(ValueError, match="use a share"):
            Target(**({"service_level": 0.8, "target_hours": 0.0} | impossible))
