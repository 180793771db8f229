"""Closed forms against values that others have printed, to the printed digits, under the definition that each uses."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest

from sim.theory.queues import Queue, QueueFigures, solve, state_probabilities

TWENTY_SECONDS = 20 / 3600


def rounds_to(value: float, printed: str) -> bool:
    """Whether a value, rounded to as many digits, reads as printed."""
    return Decimal(value).quantize(Decimal(printed), ROUND_HALF_UP) == Decimal(printed)


def cut_reads(value: float, printed: str) -> bool:
    """The same for a source that cuts digits off."""
    return Decimal(value).quantize(Decimal(printed), ROUND_DOWN) == Decimal(printed)


def assert_printed(values: dict[str, tuple[float, str]]) -> None:
    wrong = {
        name: f"{value:.7g}, printed {text}" for name, (value, text) in values.items() if not rounds_to(value, text)
    }
    assert not wrong, f"differ from what the source prints: {wrong}"


def minutes(hours: float) -> float:
    return 60 * hours


def test_erlang_c_and_x_of_ccmath() -> None:
    """erlangccmath 1.3.0, tests/test.py: 4 calls a minute of 3 minutes, 14 agents; its digits are cut, not rounded."""
    c = solve(Queue(240, 3 / 60, 14), TWENTY_SECONDS)
    assert cut_reads(minutes(c.wait_mean_hours), "0.72")
    assert cut_reads(100 * c.service_level, "61.42"), f"{100 * c.service_level}"
    assert cut_reads(100 * c.occupancy, "85.71")
    x = solve(Queue(240, 3 / 60, 14, patience_hours=1 / 60, lines=100), TWENTY_SECONDS)
    assert cut_reads(minutes(x.wait_mean_virtual_hours), "0.10"), "its ASA is that of a caller who never hangs up"
    assert cut_reads(100 * x.service_level_virtual, "87.97"), (
        f"so is its service level, {100 * x.service_level_virtual}"
    )
    assert cut_reads(100 * x.abandonment, "7.43")
    assert cut_reads(100 * x.occupancy, "79.34")
    assert x.blocking < 1e-12, "a hundred lines are as good as no limit here"


def test_the_two_definitions_differ_by_as_much_as_a_recomputation_says() -> None:
    x = solve(Queue(240, 3 / 60, 14, patience_hours=1 / 60, lines=100), TWENTY_SECONDS)
    assert_printed(
        {
            "virtual level": (x.service_level_virtual, "0.8798"),
            "virtual wait": (minutes(x.wait_mean_virtual_hours), "0.1004"),
            "offered level": (x.service_level, "0.8615"),
            "wait of all": (minutes(x.wait_mean_hours), "0.0743"),
            "wait of the served": (minutes(x.wait_mean_served_hours), "0.0589"),
        }
    )


@pytest.mark.parametrize(
    ("agents", "level", "occupancy", "waits"),
    [
        (14, "0.88835", "0.71429", "0.17413"),
        (13, "0.79559", "0.76923", "0.28527"),
        (15, "0.94145", "0.66667", "0.10204"),
    ],
)
def test_erlang_c_of_pyworkforce(agents: int, level: str, occupancy: str, waits: str) -> None:
    """pyworkforce 0.5.1, README: 100 calls in 30 minutes of 3 minutes, 20 s."""
    found = solve(Queue(200, 3 / 60, agents), TWENTY_SECONDS)
    assert_printed(
        {
            "level": (found.service_level, level),
            "occupancy": (found.occupancy, occupancy),
            "waits": (found.wait_probability, waits),
        }
    )


def test_erlang_a_of_pyworkforce() -> None:
    """pyworkforce, guide to Erlang A: patience 5 minutes, 13 agents; served in time / offered, wait of all offered."""
    found = solve(Queue(200, 3 / 60, 13, patience_hours=5 / 60), TWENTY_SECONDS)
    assert_printed(
        {
            "level": (found.service_level, "0.858"),
            "occupancy": (found.occupancy, "0.750"),
            "abandonment": (found.abandonment, "0.025"),
            "waits": (found.wait_probability, "0.226"),
            "wait": (minutes(found.wait_mean_hours), "0.125"),
        }
    )


def test_erlang_c_of_westbay() -> None:
    """360 calls in 30 minutes of 240 s, 55 agents."""
    found = solve(Queue(720, 240 / 3600, 55), TWENTY_SECONDS)
    assert_printed(
        {
            "waits": (found.wait_probability, "0.23870"),
            "wait in seconds": (3600 * found.wait_mean_hours, "8.184"),
            "level": (found.service_level, "0.8668"),
        }
    )


def whole_time(queue: Queue, found: QueueFigures) -> float:
    """Wait and handle time in hours."""
    return found.wait_mean_hours + queue.handle_time_hours


@pytest.mark.parametrize(("agents", "length", "time"), [(2, "7.674", "1.053"), (4, "0.105", "0.212")])
def test_m_m_c_of_the_eth_slides(agents: int, length: str, time: str) -> None:
    """ETH Advanced Systems Lab 2017: arrivals 9, service rate 5."""
    queue = Queue(9, 1 / 5, agents)
    found = solve(queue)
    assert_printed({"Lq": (found.queue_length_mean, length), "W": (whole_time(queue, found), time)})


def test_m_m_1_and_m_m_3_of_bronson() -> None:
    """Bronson, Operations Research, 1982: examples 23.3, 23.14 and 24.6; the last in years and days."""
    first, second, third = Queue(24, 1 / 30, 1), Queue(30, 1.5 / 60, 1), Queue(300, 1 / 182.5, 3)
    one, two, three = solve(first), solve(second), solve(third)
    days = 365
    assert_printed(
        {
            "L": (one.in_system_mean, "4"),
            "W": (whole_time(first, one) * 60, "10"),
            "p0": (state_probabilities(first)[0], "0.2"),
            "Lq, 23.14": (two.queue_length_mean, "2.25"),
            "Wq, 23.14": (minutes(two.wait_mean_hours), "4.5"),
            "p0, 23.14": (state_probabilities(second)[0], "0.25"),
            "Lq, 24.6": (three.queue_length_mean, "0.352"),
            "L, 24.6": (three.in_system_mean, "1.996"),
            "Wq, 24.6": (days * three.wait_mean_hours, "0.43"),
            "W, 24.6": (days * whole_time(third, three), "2.429"),
            "p0, 24.6": (state_probabilities(third)[0], "0.17754"),
        }
    )


def test_m_m_1_of_rossetti() -> None:
    """Rossetti, Simulation Modeling and Arena, appendix on queueing: 10 and 12 an hour."""
    queue = Queue(10, 1 / 12, 1)
    found = solve(queue)
    assert_printed(
        {
            "L": (found.in_system_mean, "5"),
            "Lq": (found.queue_length_mean, "4.167"),
            "Wq": (minutes(found.wait_mean_hours), "25.0"),
            "W": (minutes(whole_time(queue, found)), "30"),
            "more than 2": (1 - state_probabilities(queue)[:3].sum(), "0.58"),
        }
    )


@pytest.mark.parametrize(("agents", "printed"), [(1, "0.586182"), (2, "0.050972"), (3, "0.019034"), (4, "0.013022")])
def test_four_or_more_in_the_system_of_rossetti(agents: int, printed: str) -> None:
    """The same appendix: arrivals 0.5 a minute, 1.75 minutes each."""
    tail = 1 - state_probabilities(Queue(30, 1.75 / 60, agents))[:4].sum()
    assert_printed({"4 or more": (tail, printed)})


def test_losses_of_rossetti() -> None:
    """The same appendix: M/M/1/6 at 1 and 1.2 a minute; M/M/10/10 at a load of 40."""
    short = solve(Queue(60, 1 / 72, 1, lines=6))
    full = solve(Queue(40, 1, 10, lines=10))
    assert_printed({"a minute": (short.lost_per_hour / 60, "0.077"), "an hour": (full.lost_per_hour, "30.3")})


def test_fifty_agents_with_and_without_patience() -> None:
    """The set-up of Palm's and Garnett's Erlang A: 48 calls a minute of 1 minute, patience 2 minutes."""
    patient = solve(Queue(48 * 60, 1 / 60, 50))
    hasty = solve(Queue(48 * 60, 1 / 60, 50, patience_hours=2 / 60))
    assert_printed(
        {
            "wait, Erlang C": (3600 * patient.wait_mean_hours, "20.83"),
            "occupancy, Erlang C": (patient.occupancy, "0.96"),
            "waits, Erlang C": (patient.wait_probability, "0.694"),
            "abandonment": (100 * hasty.abandonment, "3.09"),
            "occupancy": (100 * hasty.occupancy, "93.0"),
            "wait of the served": (3600 * hasty.wait_mean_served_hours, "3.62"),
            "wait of all": (3600 * hasty.wait_mean_hours, "3.71"),
        }
    )
    assert math.isclose(hasty.lost_per_hour, 2880 * hasty.abandonment), "whoever is lost here has given up"
