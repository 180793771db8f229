"""One queue in steady state: agents, patience, lines; Erlang A, B and C and what lies between them.

In: a `Queue`, and a target for the wait. Out: `QueueFigures`.

Contacts come at random (Poisson), handle times and patience are exponential, agents are alike, first come is first
served. Waits are told in two ways, and they differ as soon as somebody hangs up:

- *offered*: what happens to the contacts that are offered, whether they are served, give up or are turned away;
- *virtual*: what a contact would meet that finds a free line and would never give up.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincc, gammaincc

from sim.theory.birth_death import stationary
from sim.theory.erlang import erlang_c, log_inverse_erlang_b
from sim.theory.integrals import log_concave_points

FloatArray = NDArray[np.float64]

LIKELY = 1e-19  # states less likely than that, of the likeliest, do not count for a wait
TAIL_LOG = -40.0
ROUNDING = 1e-12
MOST_STATES = 4_000_000


@dataclass(frozen=True)
class Queue:
    """Who comes, who serves, who gives up.

    Parameters
    ----------
    arrivals_per_hour : > 0.
    handle_time_hours : mean, > 0.
    agents : > 0; fractions of an agent only without a limit of lines.
    patience_hours : mean time after which a waiting contact gives up, > 0; inf if nobody does.
    lines : contacts that may be there at once, waiting or served, a whole number >= agents; inf without a limit.
        A contact that finds no free line is turned away.
    """

    arrivals_per_hour: float
    handle_time_hours: float
    agents: float
    patience_hours: float = math.inf
    lines: float = math.inf

    def __post_init__(self) -> None:
        for name in ("arrivals_per_hour", "handle_time_hours", "agents"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name}: {value}: use a number above 0")
        if not self.patience_hours > 0:
            raise ValueError(f"patience_hours: {self.patience_hours}: use a number above 0, inf if nobody gives up")
        if not self.lines >= self.agents:
            raise ValueError(f"lines: {self.lines} is less than the {self.agents} agents; each needs one")
        if self.lines < math.inf and not (self.lines == int(self.lines) and self.agents == int(self.agents)):
            raise ValueError(f"with {self.lines} lines and {self.agents} agents both must be whole numbers")

    @property
    def load_erlangs(self) -> float:
        """Agents that would be busy on average if every contact were served."""
        return self.arrivals_per_hour * self.handle_time_hours

    @property
    def capacity_per_hour(self) -> float:
        """Contacts that the agents finish in an hour if all are busy."""
        return self.agents / self.handle_time_hours

    @property
    def gives_up_per_hour(self) -> float:
        """Rate at which one waiting contact gives up."""
        return 1 / self.patience_hours

    @property
    def stable(self) -> bool:
        """Whether the queue has a steady state; capacity that is spare by rounding alone does not make one."""
        return min(self.patience_hours, self.lines) < math.inf or self.load_erlangs < self.agents * (1 - ROUNDING)


@dataclass(frozen=True)
class QueueFigures:
    """Long-run figures of a queue; shares are of all contacts offered unless the name says virtual.

    stable : False where the queue grows without end; waits and lengths are inf then. growth_per_hour : by how much.
    occupancy : share of the agents' time that is handling.
    wait_probability : has to wait: finds all agents busy, and a line free. wait_probability_virtual : of those that
        find a line.
    wait_mean_hours : mean over all contacts offered, those included that give up or are turned away (with 0).
    wait_mean_served_hours : mean over those that are served. wait_mean_virtual_hours : of the infinitely patient.
    service_level : served within the target / offered. service_level_virtual : the share of the infinitely patient
        that reach an agent within the target.
    abandonment, blocking : shares that give up, that are turned away. lost_per_hour : both.
    queue_length_mean, busy_agents_mean, in_system_mean : waiting, in service, both.
    """

    stable: bool
    growth_per_hour: float
    occupancy: float
    wait_probability: float
    wait_probability_virtual: float
    wait_mean_hours: float
    wait_mean_served_hours: float
    wait_mean_virtual_hours: float
    service_level: float
    service_level_virtual: float
    abandonment: float
    blocking: float
    lost_per_hour: float
    served_per_hour: float
    queue_length_mean: float
    busy_agents_mean: float
    in_system_mean: float


@dataclass(frozen=True)
class _Waits:
    """What the three ways to compute have in common: shares of the contacts offered, and means over all offered.

    A mean "over served" or "over accepted" counts the others with 0 here.
    """

    blocking: float
    accepted: float
    wait: float
    served: float
    served_within: float
    hours: float
    hours_over_served: float
    hours_over_accepted: float
    later_over_accepted: float


def solve(queue: Queue, target_hours: float = 0.0) -> QueueFigures:
    """The figures of a queue in steady state.

    target_hours : the wait that the service level allows, >= 0.

    Notes
    -----
    Without a limit of lines: Erlang C exactly, Erlang A from the density of the virtual wait. With one: the
    probabilities of the states, and the wait that each of them means.
    """
    if not target_hours >= 0:
        raise ValueError(f"target_hours: {target_hours}: use a number from 0")
    if not queue.stable:
        return _growing(queue)
    if queue.lines < math.inf:
        waits = _finite(queue, target_hours)
    elif queue.patience_hours < math.inf:
        waits = _patient(queue, target_hours)
    else:
        waits = _endless(queue, target_hours)
    arrivals, accepted = queue.arrivals_per_hour, waits.accepted
    length = arrivals * waits.hours
    busy = min(queue.load_erlangs * waits.served, queue.agents)
    abandonment = waits.hours * queue.gives_up_per_hour  # what leaves the queue unserved is its length times the rate
    return QueueFigures(
        stable=True,
        growth_per_hour=0.0,
        occupancy=busy / queue.agents,
        wait_probability=waits.wait,
        wait_probability_virtual=waits.wait / accepted,
        wait_mean_hours=waits.hours,
        wait_mean_served_hours=waits.hours_over_served / waits.served,
        wait_mean_virtual_hours=waits.hours_over_accepted / accepted,
        service_level=waits.served_within,
        service_level_virtual=1 - waits.later_over_accepted / accepted,
        abandonment=abandonment,
        blocking=waits.blocking,
        lost_per_hour=arrivals * (waits.blocking + abandonment),
        served_per_hour=arrivals * waits.served,
        queue_length_mean=length,
        busy_agents_mean=busy,
        in_system_mean=length + busy,
    )


def wait_exceeds(queue: Queue, hours: float) -> float:
    """The chance that the virtual wait is longer; that of every contact where nobody gives up.

    hours : >= 0. Exact to rounding also where it is small, down to 1e-20 of the chance to wait.
    """
    if not queue.stable:
        return 1.0
    if queue.lines < math.inf:
        waits = _finite(queue, hours)
        return waits.later_over_accepted / waits.accepted
    return (_patient if queue.patience_hours < math.inf else _endless)(queue, hours).later_over_accepted


def state_probabilities(queue: Queue) -> FloatArray:
    """The chance of 0, 1, 2, ... contacts in the system; what is left out after the last is below 1e-16.

    The queue must be stable and its agents whole; ValueError else, and where more than 4,000,000 states count.
    """
    return stationary(*queue_chain(queue))


def queue_chain(queue: Queue) -> tuple[FloatArray, FloatArray]:
    """Births and deaths an hour of the number in the system, as `birth_death` takes them.

    Without a limit of lines the chain ends where the states beyond it have less than 1e-16 of the probability.
    Raises ValueError as `state_probabilities` does.
    """
    if not queue.stable or queue.agents != int(queue.agents):
        raise ValueError(f"{queue}: the chain needs a stable queue and whole agents")
    most = queue.lines if queue.lines < math.inf else queue.agents + 64
    while most <= MOST_STATES:
        states = np.arange(1.0, most + 1)
        busy = np.minimum(states, queue.agents)
        deaths = busy / queue.handle_time_hours + (states - busy) * queue.gives_up_per_hour
        births = np.full(len(states), queue.arrivals_per_hour)
        if most == queue.lines:
            return births, deaths
        ratio = births[-1] / deaths[-1]
        logs = np.cumsum(np.log(births / deaths))
        if ratio < 1 and logs[-1] - math.log(1 - ratio) - max(logs.max(), 0.0) < TAIL_LOG:
            return births, deaths
        most *= 2
    raise ValueError(f"{queue}: more than {MOST_STATES:,} states count; bring load or patience down")


def _endless(queue: Queue, target_hours: float) -> _Waits:
    """Erlang C: a wait, if there is one, is exponential with the spare capacity as its rate."""
    wait = erlang_c(queue.load_erlangs, queue.agents)
    spare = queue.capacity_per_hour - queue.arrivals_per_hour
    later = wait * math.exp(-spare * target_hours)
    hours = wait / spare
    return _Waits(0.0, 1.0, wait, 1.0, 1 - later, hours, hours, hours, later)


def _patient(queue: Queue, target_hours: float) -> _Waits:
    """Erlang A without a limit of lines, also for fractions of an agent.

    The virtual wait has, beside its chance to be 0, a density proportional to
    exp((arrivals / theta) (1 - exp(-theta v)) - capacity v), theta = 1 / patience (Baccelli and Hebuterne 1981;
    Zeltyn and Mandelbaum, Call centers with impatient customers, Queueing Systems 51, 2005). A contact that would wait
    v is served if it is still there, with chance exp(-theta v), and waits v or its patience, whichever is less.
    """
    arrivals, capacity, theta = queue.arrivals_per_hour, queue.capacity_per_hour, queue.gives_up_per_hour
    finest = 0.01 / (arrivals + capacity + theta)
    if queue.load_erlangs > queue.agents:
        # Beyond capacity the density has its peak where as many are left as can be served.
        peak = math.log(arrivals / capacity) / theta
        excess = (arrivals - capacity) / capacity
        height = capacity / theta * (excess - math.log1p(excess))
        points = log_concave_points(
            lambda d: -capacity * (np.expm1(-theta * d) / theta + d), peak, finest, target_hours
        )
    else:
        peak = height = 0.0
        points = log_concave_points(
            lambda v: -arrivals * np.expm1(-theta * v) / theta - capacity * v, peak, finest, target_hours
        )
    # Relative to the state in which all agents are busy and nobody waits:
    queueing = math.log(capacity) + height + math.log(points.total)
    loss = log_inverse_erlang_b(queue.load_erlangs, queue.agents)
    free = loss + math.log(-math.expm1(-loss)) if loss > 0 else -math.inf
    wait = math.exp(queueing - np.logaddexp(queueing, free))
    at_once = math.exp(free - np.logaddexp(queueing, free))

    waits = points.points
    stays, within = np.exp(-theta * waits), waits <= target_hours
    return _Waits(
        blocking=0.0,
        accepted=1.0,
        wait=wait,
        served=at_once + wait * points.mean(stays),
        served_within=at_once + wait * points.mean(stays * within),
        hours=wait * points.mean(-np.expm1(-theta * waits) / theta),
        hours_over_served=wait * points.mean(waits * stays),
        hours_over_accepted=wait * points.mean(waits),
        later_over_accepted=wait * points.mean((~within).astype(float)),
    )


def _finite(queue: Queue, target_hours: float) -> _Waits:
    """A limit of lines: M/M/c/K, with or without patience; Erlang B with as many lines as agents.

    A contact that finds q waiting waits for q + 1 departures at the rates capacity + j theta, j = q, ..., 0. Then
    exp(-theta V) is Beta(capacity / theta, q + 1), because that is how the smallest of exponentials follow each other;
    without patience V is Erlang(q + 1).
    """
    capacity, theta = queue.capacity_per_hour, queue.gives_up_per_hour
    probabilities = state_probabilities(queue)
    agents = int(queue.agents)
    waiting = probabilities[agents:-1]
    ahead = np.flatnonzero(waiting > LIKELY * probabilities.max())
    chance = waiting[ahead]
    steps = np.arange(len(waiting))
    hours = np.cumsum(1 / (capacity + steps * theta))[ahead]
    hours_if_served = np.cumsum(1 / (capacity + (steps + 1) * theta))[ahead]
    stays = capacity / (capacity + (ahead + 1) * theta)
    at_once = float(probabilities[:agents].sum())
    lengths = np.arange(1, len(waiting) + 1)
    return _Waits(
        blocking=float(probabilities[-1]),
        accepted=float(probabilities[:-1].sum()),
        wait=float(waiting.sum()),
        served=at_once + float(chance @ stays),
        served_within=at_once
        + float(chance @ (stays * (1 - _later(ahead, capacity, theta, target_hours, served=True)))),
        hours=float(lengths @ probabilities[agents + 1 :]) / queue.arrivals_per_hour,
        hours_over_served=float(chance @ (stays * hours_if_served)),
        hours_over_accepted=float(chance @ hours),
        later_over_accepted=float(chance @ _later(ahead, capacity, theta, target_hours, served=False)),
    )


def _later(ahead: NDArray[np.int64], capacity: float, theta: float, hours: float, served: bool) -> FloatArray:
    """The chance of a longer virtual wait with so many ahead in the queue; of those who are still there, if `served`.

    Weighing Beta(y, q + 1) with exp(-theta V), the chance to be still there, makes it Beta(y + 1, q + 1).
    """

    def later(waiting: NDArray[np.int64]) -> FloatArray:
        if theta == 0:
            return gammaincc(waiting + 1, capacity * hours)
        return betaincc(waiting + 1, capacity / theta + served, -math.expm1(-theta * hours))

    # The more are ahead, the likelier: from 0 to 1, and of many thousand places few lie between.
    first, last = (bisect_left(ahead, share, key=lambda q: float(later(q))) for share in (LIKELY, 1.0))
    return np.concatenate([np.zeros(first), later(ahead[first:last]), np.ones(len(ahead) - last)])


def _growing(queue: Queue) -> QueueFigures:
    """No patience, no limit of lines, no spare capacity: in the long run everybody waits without end."""
    return QueueFigures(
        stable=False,
        growth_per_hour=queue.arrivals_per_hour - queue.capacity_per_hour,
        occupancy=1.0,
        wait_probability=1.0,
        wait_probability_virtual=1.0,
        wait_mean_hours=math.inf,
        wait_mean_served_hours=math.inf,
        wait_mean_virtual_hours=math.inf,
        service_level=0.0,
        service_level_virtual=0.0,
        abandonment=0.0,
        blocking=0.0,
        lost_per_hour=0.0,
        served_per_hour=queue.capacity_per_hour,
        queue_length_mean=math.inf,
        busy_agents_mean=queue.agents,
        in_system_mean=math.inf,
    )
