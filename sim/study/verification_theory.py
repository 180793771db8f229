"""What closed forms say of a textbook queue, in the figures that its simulation is measured by.

In: a queue of `sim.theory`. Out: figures by name (see `FIGURES`), hours and shares; the relaxation time. Each class
takes `service_rate`, a factor on the speed of the agents, to say what a defect there would change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sim.model.inputs import WEEKS_PER_YEAR, Inputs
from sim.model.ledger import History
from sim.study.queue_totals import Totals, queue_totals, survival_totals
from sim.theory.finite_source import FiniteSource, solve_finite_source
from sim.theory.priorities import ContactClass, many_server_priorities, single_server_priorities
from sim.theory.queues import Queue, solve
from sim.theory.relaxation import (
    finite_source_relaxation_hours,
    relaxation_hours,
    single_server_relaxation_hours,
)
from sim.theory.survival import survival


@dataclass(frozen=True)
class Figure:
    """A figure of a queue, as theory knows it and as two totals of a replication give it.

    above, below : names of `queue_totals.contact_totals`, whose ratio it is. unit : of what is shown; "share",
    "minutes" (theory and totals are in hours), "contacts" or "per hour".
    """

    label: str
    above: str
    below: str
    unit: str


FIGURES: Mapping[str, Figure] = {
    "occupancy": Figure("occupancy", "busy_hours", "agent_hours", "share"),
    "wait_probability": Figure("has to wait", "waited", "offered", "share"),
    "wait_mean": Figure("mean wait", "waiting_hours", "offered", "minutes"),
    "wait_mean_served": Figure("mean wait, served", "started_wait_hours", "started", "minutes"),
    "service_level": Figure("served in time, offered", "started_in_time", "offered", "share"),
    "service_level_virtual": Figure("served in time, virtual", "virtual_in_time", "virtual", "share"),
    "abandonment": Figure("gives up", "abandoned", "offered", "share"),
    "blocking": Figure("turned away", "blocked", "offered", "share"),
    "queue_length": Figure("queue length", "waiting_hours", "hours", "contacts"),
    "finished_per_hour": Figure("finished an hour", "finished", "hours", "per hour"),
    "offered_per_hour": Figure("raised an hour", "offered", "hours", "per hour"),
    "survival": Figure("still there", "there", "accounts", "share"),
}


Measure = Callable[[History, Inputs], Totals]


class Theory(Protocol):
    """What a closed form says of one scenario."""

    @property
    def load(self) -> float:
        """Work that comes over what the agents can do."""

    @property
    def relaxation_hours(self) -> float:
        """Time in which the memory of the start falls to 1/e; 0 where there is no start to forget."""

    @property
    def totals(self) -> Measure:
        """What a worker counts in each replication."""

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Figures by name; those of one class as `name:category`."""


@dataclass(frozen=True)
class OneQueue:
    """One queue of Erlang's kind. target_hours : the wait that counts as short.

    handle_time_cv : 1 is exponential. Other laws have the same figures where nobody can wait, and only there.
    """

    queue: Queue
    target_hours: float = 0.0
    handle_time_cv: float = 1.0

    @property
    def load(self) -> float:
        """Load per agent."""
        return self.queue.load_erlangs / self.queue.agents

    @property
    def relaxation_hours(self) -> float:
        """That of exponential times, longer where they spread more."""
        return relaxation_hours(self.queue) * max(1.0, (1 + self.handle_time_cv**2) / 2)

    @property
    def totals(self) -> Measure:
        """Those of a queue."""
        return partial(queue_totals, target_hours=self.target_hours)

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Erlang A, B or C, or what lies between."""
        found = solve(
            replace(self.queue, handle_time_hours=self.queue.handle_time_hours / service_rate), self.target_hours
        )
        return {
            "occupancy": found.occupancy,
            "wait_probability": found.wait_probability,
            "wait_mean": found.wait_mean_hours,
            "wait_mean_served": found.wait_mean_served_hours,
            "service_level": found.service_level,
            "service_level_virtual": found.service_level_virtual,
            "abandonment": found.abandonment,
            "blocking": found.blocking,
            "queue_length": found.queue_length_mean,
            "finished_per_hour": found.served_per_hour,
        }


@dataclass(frozen=True)
class FewCustomers:
    """A finite source."""

    source: FiniteSource
    target_hours: float = 0.0

    @property
    def load(self) -> float:
        """Load per agent, if every customer's next contact came as if none were open."""
        return self.source.customers * self.source.handle_time_hours / self.source.time_between_hours / self._agents

    @property
    def _agents(self) -> int:
        return self.source.agents

    @property
    def relaxation_hours(self) -> float:
        """Of the chain of open contacts."""
        return finite_source_relaxation_hours(self.source)

    @property
    def totals(self) -> Measure:
        """Those of a queue."""
        return partial(queue_totals, target_hours=self.target_hours)

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Machine repair, or Engset where nobody can wait."""
        hours = self.source.handle_time_hours / service_rate
        found = solve_finite_source(replace(self.source, handle_time_hours=hours), self.target_hours)
        return {
            "occupancy": found.occupancy,
            "wait_probability": found.wait_probability,
            "wait_mean": found.wait_mean_hours,
            "service_level": found.service_level,
            "blocking": found.blocking,
            "queue_length": found.queue_length_mean,
            "finished_per_hour": found.served_per_hour,
            "offered_per_hour": found.attempts_per_hour,
        }


@dataclass(frozen=True)
class OneAgent:
    """One agent with any handle times. classes : by category, the first goes first and interrupts nobody."""

    classes: Mapping[str, ContactClass]

    @property
    def load(self) -> float:
        """Share of the agent's time that is asked for."""
        return sum(one.load_erlangs for one in self.classes.values())

    @property
    def relaxation_hours(self) -> float:
        """That of all classes together, first come first served."""
        arrivals = sum(one.arrivals_per_hour for one in self.classes.values())
        mean = self.load / arrivals
        square = sum(
            one.arrivals_per_hour * one.handle_time_hours**2 * (1 + one.handle_time_cv**2)
            for one in self.classes.values()
        )
        return single_server_relaxation_hours(
            ContactClass(arrivals, mean, math.sqrt(max(0.0, square / arrivals / mean**2 - 1)))
        )

    @property
    def totals(self) -> Measure:
        """Those of a queue."""
        return partial(queue_totals, target_hours=0.0)

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Pollaczek and Khinchine, Cobham."""
        classes = {
            name: replace(one, handle_time_hours=one.handle_time_hours / service_rate)
            for name, one in self.classes.items()
        }
        found = dict(zip(classes, single_server_priorities(list(classes.values())), strict=True))
        occupancy = sum(one.load_erlangs for one in classes.values())
        arrivals = {name: one.arrivals_per_hour for name, one in classes.items()}
        return {"occupancy": occupancy, "wait_probability": occupancy} | _by_class(
            {name: one.wait_mean_hours for name, one in found.items()}, arrivals
        )


@dataclass(frozen=True)
class AgentsWithPriorities:
    """Several agents, one exponential handle time. arrivals_per_hour : by category, the first goes first."""

    arrivals_per_hour: Mapping[str, float]
    handle_time_hours: float
    agents: int

    @property
    def load(self) -> float:
        """Load per agent."""
        return sum(self.arrivals_per_hour.values()) * self.handle_time_hours / self.agents

    @property
    def relaxation_hours(self) -> float:
        """Who goes first makes no difference to how many are there."""
        return relaxation_hours(self._all(1.0))

    def _all(self, service_rate: float) -> Queue:
        return Queue(sum(self.arrivals_per_hour.values()), self.handle_time_hours / service_rate, self.agents)

    @property
    def totals(self) -> Measure:
        """Those of a queue."""
        return partial(queue_totals, target_hours=0.0)

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Cobham for several agents; all together, it is Erlang C."""
        whole = solve(self._all(service_rate))
        found = many_server_priorities(
            list(self.arrivals_per_hour.values()), self.handle_time_hours / service_rate, self.agents
        )
        waits = {name: one.wait_mean_hours for name, one in zip(self.arrivals_per_hour, found, strict=True)}
        return {"occupancy": whole.occupancy, "wait_probability": whole.wait_probability} | _by_class(
            waits, self.arrivals_per_hour
        )


def _by_class(waits: Mapping[str, float], arrivals: Mapping[str, float]) -> dict[str, float]:
    """Mean wait and queue length of all classes, and of each if there are several."""
    length = sum(waits[name] * arrivals[name] for name in waits)
    figures = {"wait_mean": length / sum(arrivals.values()), "queue_length": length}
    if len(waits) > 1:
        figures |= {f"wait_mean:{name}": wait for name, wait in waits.items()}
    return figures


@dataclass(frozen=True)
class ConstantHazard:
    """Accounts that leave at a constant rate. ages_weeks : at which those still there are counted."""

    hazard_per_year: float
    ages_weeks: tuple[int, ...]

    @property
    def load(self) -> float:
        """There is no queue."""
        return math.nan

    @property
    def relaxation_hours(self) -> float:
        """Accounts are watched from their first day on."""
        return 0.0

    @property
    def totals(self) -> Measure:
        """The survival curve."""
        return partial(survival_totals, ages_weeks=self.ages_weeks)

    def figures(self, service_rate: float = 1.0) -> dict[str, float]:
        """Survival; a defect of the service rate is one of the hazard here."""
        return {
            f"survival:{weeks}_weeks": survival(self.hazard_per_year * service_rate, weeks / WEEKS_PER_YEAR)
            for weeks in self.ages_weeks
        }
