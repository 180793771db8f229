"""An independent witness: the same network of two teams in Ciw, another simulator, comes to the same figures.

Both simulate scenarios/textbook/network.yaml: calls and tickets, two teams, live calls first and impatient, lognormal
tickets, what the first team cannot settle goes to the second. The engine reads the file; for Ciw the numbers stand
here once more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ciw
import numpy as np
import pytest
from scipy.stats import ttest_ind
from small import SCENARIOS, run

from sim.model import ledger
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.scenario import load_scenario
from sim.study.kpi_parts import Span, where
from sim.study.queue_totals import contact_totals

pytestmark = pytest.mark.slow  # Ciw needs some 100 microseconds a customer

NETWORK = SCENARIOS / "textbook" / "network.yaml"
REPLICATIONS = 12
ERRS = 0.001  # chance that a right engine and Ciw are said to differ
HOURS = {"warm-up": 168.0, "counted": 840.0, "until all is known": 48.0}

CALLS, TICKETS = 18.0, 12.0  # an hour
AGENTS, SPECIALISTS = 3, 2
CALL, TICKET = 6 / 60, 8 / 60  # hours
CALL_OF_SPECIALISTS = 1.5 * CALL
TICKET_CV = 1.2
PATIENCE = 8 / 60
SETTLED = {"call": 0.8, "ticket": 0.9}
TICKETS_TO_AGENTS = 0.3
TARGET = 2 / 60

Figures = dict[str, float]


def figures_of(table: dict[str, Any], team: int, category: int, span: Span, agents: int) -> Figures:
    """What is compared, for the contacts of one category in one team."""
    mine = where(table, (table["team"] == team) & (table["category"] == category))
    totals = contact_totals(mine, span, TARGET)
    hours = span.end - span.start
    return {
        "throughput": totals["finished"] / hours,
        "mean wait": totals["waiting_hours"] / totals["offered"],
        "wait probability": totals["waited"] / totals["offered"],
        "in time": totals["started_in_time"] / totals["offered"],
        "abandonment": totals["abandoned"] / totals["offered"],
        "busy": totals["busy_hours"] / hours / agents,
    }


def all_figures(table: dict[str, Any], span: Span) -> Figures:
    """Figures by name, over both teams and both categories; occupancy by team."""
    found: Figures = {}
    for team, (who, agents) in enumerate((("agents", AGENTS), ("specialists", SPECIALISTS))):
        each = {name: figures_of(table, team, index, span, agents) for index, name in enumerate(("call", "ticket"))}
        found[f"{who} occupancy"] = sum(figures.pop("busy") for figures in each.values())
        for category, figures in each.items():
            if (who, category) != ("agents", "call"):
                assert figures.pop("abandonment") == 0, "only callers on the line give up"
            found |= {f"{who} {category} {name}": value for name, value in figures.items()}
    return found


def of_engine(inputs: Inputs, replication: int) -> Figures:
    return all_figures(run(inputs, replication=replication).contacts, Span(0, inputs.weeks))


def network() -> Any:
    """The network for Ciw. Node 1 are the agents, node 2 the specialists; calls go first in both."""
    variance = math.log1p(TICKET_CV**2)
    ticket = ciw.dists.Lognormal(math.log(TICKET) - variance / 2, math.sqrt(variance))
    return ciw.create_network(
        arrival_distributions={
            "call": [ciw.dists.Exponential(CALLS), None],
            "ticket": [
                ciw.dists.Exponential(TICKETS * TICKETS_TO_AGENTS),
                ciw.dists.Exponential(TICKETS * (1 - TICKETS_TO_AGENTS)),
            ],
        },
        service_distributions={
            "call": [ciw.dists.Exponential(1 / CALL), ciw.dists.Exponential(1 / CALL_OF_SPECIALISTS)],
            "ticket": [ticket, ticket],
        },
        reneging_time_distributions={"call": [ciw.dists.Exponential(1 / PATIENCE), None], "ticket": [None, None]},
        routing={name: [[0.0, 1 - settled], [0.0, 0.0]] for name, settled in SETTLED.items()},
        priority_classes={"call": 0, "ticket": 1},
        number_of_servers=[AGENTS, SPECIALISTS],
    )


def of_ciw(seed: int) -> Figures:
    ciw.seed(seed)
    simulation = ciw.Simulation(network())
    simulation.simulate_until_max_time(sum(HOURS.values()))
    records = simulation.get_all_records()
    shift = HOURS["warm-up"]
    left = np.array([record.record_type == "renege" for record in records])
    ended = np.array(
        [record.exit_date if gone else record.service_end_date for record, gone in zip(records, left, strict=True)]
    )
    started = np.array(
        [math.nan if gone else record.service_start_date for record, gone in zip(records, left, strict=True)]
    )
    table = {
        "team": np.array([record.node - 1 for record in records]),
        "category": np.array([("call", "ticket").index(record.customer_class) for record in records]),
        "queued": np.array([record.arrival_date for record in records]) - shift,
        "started": started - shift,
        "ended": ended - shift,
        "outcome": np.where(left, ledger.ABANDONED, ledger.RESOLVED),
    }
    return all_figures(table, Span(0, round(HOURS["counted"] / 168)))


def differences(ours: Sequence[Figures], theirs: Sequence[Figures]) -> dict[str, tuple[float, float]]:
    """Welch's interval of each difference of means, at a confidence that makes all of them err once in a thousand."""
    confidence = 1 - ERRS / len(ours[0])
    found = {}
    for name in ours[0]:
        test = ttest_ind([one[name] for one in ours], [one[name] for one in theirs], equal_var=False)
        interval = test.confidence_interval(confidence)
        found[name] = float(interval.low), float(interval.high)
    return found


@pytest.fixture(scope="module")
def witness() -> list[Figures]:
    return [of_ciw(seed) for seed in range(REPLICATIONS)]


def test_two_teams_come_to_the_same_figures_in_another_simulator(witness: list[Figures]) -> None:
    inputs = compile_inputs(load_scenario(NETWORK))
    found = differences([of_engine(inputs, replication) for replication in range(REPLICATIONS)], witness)
    assert len(found) == 2 + 4 * 4 + 1, "all figures of both teams and both categories are compared"
    differing = {name: interval for name, interval in found.items() if not interval[0] <= 0 <= interval[1]}
    assert not differing, "99.9 % intervals of all differences, engine less Ciw, hold 0"


def test_the_witness_sees_agents_that_are_five_percent_slower(witness: list[Figures]) -> None:
    slower = {
        "categories.call.handle_time_mean_minutes": 60 * CALL / 0.95,
        "categories.ticket.handle_time_mean_minutes": 60 * TICKET / 0.95,
    }
    inputs = compile_inputs(load_scenario(NETWORK, slower))
    found = differences([of_engine(inputs, replication) for replication in range(REPLICATIONS)], witness)
    for team in ("agents", "specialists"):
        assert found[f"{team} occupancy"][0] > 0, f"the comparison is too weak: a slower engine looks right ({team})"
