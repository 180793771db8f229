"""What a worker process does: one replication of all scenarios of a job, measured where it was simulated.

In: a `Job` and a replication number. Out: a `Finished`: KPI values, weekly series and cost table per
scenario. Imports the engine and numpy only, so that workers start fast and stay small.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from sim.model import replication as engine
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.account_measures import AccountMeasures, account_measures
from sim.study.kpi_costs import costs
from sim.study.kpi_parts import FloatArray, KpiValues, Span
from sim.study.kpi_series import WeeklySeries, weekly_series
from sim.study.kpis import compute, window
from sim.study.person_measures import PersonMeasures, person_measures
from sim.study.quarter_measures import QuarterMeasures, quarter_measures
from sim.study.work_flow import WorkFlow, work_flow

JOBS_KEPT = 8  # jobs that a worker remembers: several studies may take turns, and a job is large


@dataclass(frozen=True)
class Job:
    """What all replications of a study share.

    baseline : the inputs of the warm-up. scenarios : what is simulated after it, in order (the baseline
    too, if it is wanted). keep_contacts, keep_accounts : whether the contact ledgers, and figures per account,
    travel back. totals : a function of a module, or a partial of one, that is asked instead of all KPIs.
    """

    baseline: Inputs
    scenarios: tuple[Inputs, ...]
    seed: int
    keep_contacts: bool = False
    keep_accounts: bool = False
    totals: Callable[[History, Inputs], dict[str, float]] | None = None


@dataclass(frozen=True)
class Measured:
    """One scenario in one replication. costs : (teams + 1, cost categories). contacts, accounts : None unless kept."""

    kpis: KpiValues
    series: WeeklySeries
    costs: FloatArray
    persons: PersonMeasures
    flow: WorkFlow
    quarters: QuarterMeasures
    contacts: Table | None
    accounts: AccountMeasures | None


@dataclass(frozen=True)
class Finished:
    """A replication that ended: one `Measured` per scenario, or what went wrong.

    restarts : how often it was started again because its worker process had died. totals : one per scenario, where the
    job asked for them instead.
    """

    replication: int
    measured: tuple[Measured, ...]
    error: str | None = None
    restarts: int = 0
    totals: tuple[dict[str, float], ...] = ()


def execute(job: Job, replication: int, cancel: Callable[[], bool] | None = None) -> Finished:
    """Simulates and measures one replication of all scenarios of the job.

    An error of the model is returned, not raised: the other replications go on.
    Raises `sim.model.replication.Cancelled` if cancel() is true at the start of a simulated week.
    """
    measured, totals = [], []
    try:
        histories = engine.replicate(job.baseline, job.scenarios, job.seed, replication, cancel)
        for inputs in job.scenarios:
            # No name holds a history while the next one is simulated: each is large.
            if job.totals is not None:
                totals.append(job.totals(next(histories), inputs))
            else:
                measured.append(_measured(job, inputs, next(histories)))
    except engine.Cancelled:
        raise
    except Exception as error:  # whatever breaks in one replication must not end the study
        return Finished(replication, (), f"{type(error).__name__}: {error}{_place(error)}")
    return Finished(replication, tuple(measured), totals=tuple(totals))


def _measured(job: Job, inputs: Inputs, history: History) -> Measured:
    """What the job asks of one scenario's history."""
    spent, whole = costs(history, inputs, window(inputs)), Span(0, inputs.weeks)
    return Measured(
        kpis=compute(history, inputs, spent),
        series=weekly_series(history, inputs),
        costs=spent.table,
        persons=person_measures(history, window(inputs)),
        flow=work_flow(history, inputs),
        quarters=quarter_measures(history, inputs, spent if window(inputs) == whole else None),
        contacts=history.contacts if job.keep_contacts else None,
        accounts=account_measures(history, inputs) if job.keep_accounts else None,
    )


def _place(error: Exception) -> str:
    """Where the error was raised, as ' (file:line)'."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"


def serve(file_descriptor: int) -> None:
    """The life of a worker process: takes jobs and replication numbers, sends back what they gave.

    Messages in: (number, `Job`), or (number of one of the last `JOBS_KEPT` jobs, replication number). Out: "ready",
    then a `Finished` per replication. It ends when the other side closes the connection or dies, in the middle of a
    replication too.
    """
    parent = os.getppid()
    jobs: dict[int, Job] = {}
    with Connection(file_descriptor) as connection:
        try:
            connection.send("ready")
            while True:
                number, message = connection.recv()
                if isinstance(message, Job):
                    jobs[number] = message
                    for old in list(jobs)[:-JOBS_KEPT]:
                        del jobs[old]
                else:
                    connection.send(execute(jobs[number], message, lambda: os.getppid() != parent))
        except (EOFError, OSError, engine.Cancelled):
            return
