"""The rows of the verification: a scenario file, the queue that it should be, the figures that are compared.

In: nothing. Out: `ROWS`. The numbers of a queue stand here once more, and are not read from its file: a wrong file
and a wrong engine are found alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.study.verification_theory import (
    AgentsWithPriorities,
    ConstantHazard,
    FewCustomers,
    OneAgent,
    OneQueue,
    Theory,
)
from sim.theory.finite_source import FiniteSource
from sim.theory.priorities import ContactClass
from sim.theory.queues import Queue

REPLICATIONS = 32


@dataclass(frozen=True)
class Row:
    """One scenario held against theory.

    name : of the queue. file : in the folder of the textbook scenarios. figures : names that `theory` has, see
    `verification_theory.FIGURES`; those of one class as `name:category`. quick : in the quick table too.
    """

    name: str
    file: str
    theory: Theory
    figures: tuple[str, ...]
    quick: bool = False
    replications: int = REPLICATIONS


WAITS = ("occupancy", "wait_probability", "wait_mean", "service_level")
SOME_ORDER = ("occupancy", "wait_probability", "wait_mean", "queue_length")
LOSSES = ("occupancy", "blocking", "finished_per_hour")
WAITS_AND_LOSSES = ("occupancy", "wait_probability", "wait_mean", "service_level", "blocking")
IMPATIENCE = (
    "occupancy",
    "wait_probability",
    "wait_mean",
    "wait_mean_served",
    "service_level",
    "service_level_virtual",
    "abandonment",
)


def _queue(
    arrivals_per_hour: float,
    handle_minutes: float,
    agents: int,
    *,
    target_minutes: float = 2,
    patience_minutes: float = math.inf,
    lines: float = math.inf,
    handle_time_cv: float = 1,
) -> OneQueue:
    queue = Queue(arrivals_per_hour, handle_minutes / 60, agents, patience_minutes / 60, lines)
    return OneQueue(queue, target_minutes / 60, handle_time_cv)


def _one_agent(arrivals_per_hour: float, handle_minutes: float, handle_time_cv: float) -> OneAgent:
    return OneAgent({"call": ContactClass(arrivals_per_hour, handle_minutes / 60, handle_time_cv)})


SAMPLE_CV = math.sqrt(3.5) / 2  # of 0.5, 0.5, 1, 1, 1, 1.5, 2, 2, 3.5 and 7 minutes: variance 3.5, mean 2

ROWS: tuple[Row, ...] = (
    Row("M/M/1", "mm1_load_30.yaml", _queue(9, 2, 1), WAITS),
    Row("M/M/1", "mm1_load_60.yaml", _queue(18, 2, 1), WAITS, quick=True),
    Row("M/M/1", "mm1_load_90.yaml", _queue(27, 2, 1), WAITS),
    Row("M/M/1", "mm1_load_95.yaml", _queue(57, 1, 1), WAITS),
    Row("M/M/3", "mm3_load_70.yaml", _queue(21, 6, 3, target_minutes=3), WAITS),
    Row("M/M/10", "mm10_load_80.yaml", _queue(24, 20, 10, target_minutes=5), WAITS),
    Row("M/M/10", "mm10_load_95.yaml", _queue(57, 10, 10, target_minutes=10), WAITS),
    Row("M/M/1/5", "mm1_5_load_120.yaml", _queue(36, 2, 1, lines=5), WAITS_AND_LOSSES),
    Row("M/M/3/8", "mm3_8_load_100.yaml", _queue(30, 6, 3, target_minutes=4, lines=8), WAITS_AND_LOSSES),
    Row("M/M/5/5", "mm5_5_load_80.yaml", _queue(24, 10, 5, lines=5), LOSSES),
    Row("M/M/5/5", "mm5_5_load_120.yaml", _queue(36, 10, 5, lines=5), LOSSES),
    Row("M/G/5/5 lognormal", "mg5_5_load_80.yaml", _queue(24, 10, 5, lines=5, handle_time_cv=1.5), LOSSES),
    Row("M/D/1", "md1_load_80.yaml", _one_agent(24, 2, 0), SOME_ORDER, quick=True),
    Row("M/G/1 lognormal", "mg1_lognormal_load_70.yaml", _one_agent(21, 2, 1.5), SOME_ORDER),
    Row("M/G/1 gamma", "mg1_gamma_load_50.yaml", _one_agent(15, 2, 1.5), SOME_ORDER),
    Row("M/G/1 gamma", "mg1_gamma_load_80.yaml", _one_agent(24, 2, 0.5), SOME_ORDER, quick=True),
    Row("M/G/1 empirical", "mg1_empirical_load_60.yaml", _one_agent(18, 2, SAMPLE_CV), SOME_ORDER),
    Row(
        "M/M/1 two priorities",
        "mm1_priorities_load_80.yaml",
        AgentsWithPriorities({"call": 12, "later": 12}, 2 / 60, 1),
        ("occupancy", "wait_probability", "wait_mean:call", "wait_mean:later"),
    ),
    Row(
        "M/M/4 two priorities",
        "mm4_priorities_load_85.yaml",
        AgentsWithPriorities({"call": 17, "later": 17}, 6 / 60, 4),
        ("occupancy", "wait_probability", "wait_mean:call", "wait_mean:later"),
        quick=True,
    ),
    Row(
        "M/G/1 two priorities",
        "mg1_priorities_load_75.yaml",
        OneAgent({"call": ContactClass(15, 1 / 60, 0), "later": ContactClass(15, 2 / 60, 1.2)}),
        ("occupancy", "wait_probability", "wait_mean:call", "wait_mean:later"),
    ),
    Row("M/M/5+M", "mm5_impatience_load_80.yaml", _queue(24, 10, 5, target_minutes=3, patience_minutes=10), IMPATIENCE),
    Row(
        "M/M/5+M",
        "mm5_impatience_load_100.yaml",
        _queue(30, 10, 5, target_minutes=3, patience_minutes=10),
        IMPATIENCE,
    ),
    Row(
        "M/M/5+M",
        "mm5_impatience_load_120.yaml",
        _queue(36, 10, 5, target_minutes=3, patience_minutes=10),
        IMPATIENCE,
    ),
    Row(
        "M/M/20+M",
        "mm20_impatience_load_130.yaml",
        _queue(78, 20, 20, target_minutes=10, patience_minutes=40),
        IMPATIENCE,
    ),
    Row(
        "M/M/4/10+M",
        "mm4_10_impatience_load_110.yaml",
        _queue(44, 6, 4, target_minutes=5, patience_minutes=15, lines=10),
        (*IMPATIENCE, "blocking"),
        quick=True,
    ),
    Row(
        "M/M/3, 12 customers",
        "finite_source.yaml",
        FewCustomers(FiniteSource(12, 1, 20 / 60, 3), 10 / 60),
        (*WAITS, "offered_per_hour"),
        quick=True,
    ),
    Row(
        "M/M/3/3, 12 customers",
        "finite_source_lost.yaml",
        FewCustomers(FiniteSource(12, 1, 20 / 60, 3, lines=3)),
        (*LOSSES, "offered_per_hour"),
    ),
    Row(
        "Constant hazards",
        "survival.yaml",
        ConstantHazard(6, (5, 9, 14, 18, 22)),
        ("survival:5_weeks", "survival:9_weeks", "survival:14_weeks", "survival:18_weeks", "survival:22_weeks"),
        quick=True,
    ),
)
