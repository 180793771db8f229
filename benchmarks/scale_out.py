"""What a study costs beside its model, and what a large one takes on how many machines.

In: how large. Out: figures of one replication by number of accounts, overhead of tasks, a real run beside what the
figures say of it, and the arithmetic for a study that no one machine does in an hour.
"""

from __future__ import annotations

import json
import math
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from statistics import median

import sim
from benchmarks.company import SCENARIOS, WHAT_IF, accounts_in, company, company_scenario, contacts_simulated, run_once
from benchmarks.memory import PROJECT, high_water_mebibytes, peak_mebibytes
from benchmarks.timing import in_turn, processor_clock, wall_clock
from sim.model.branching import weeks_alike
from sim.model.compile import compile_all
from sim.scenario import Scenario
from sim.study.dask_executor import dask_executor
from sim.study.executors import LocalPool
from sim.study.measured_file import to_bytes
from sim.study.worker import Finished, Job, execute

OTHERS = ("reroute_support_calls", "outage_month", "downturn", "phone_to_chat")  # dated, and none of headcounts
TRIVIAL = {"accounts": 20, "weeks": 1, "warm_up_weeks": 0}
AIM_ACCOUNTS, AIM_SCENARIOS, AIM_REPLICATIONS = 100_000, 100, 100
CORES, MACHINE_GIB, MACHINES, PARTS = 32, 128, (1, 2, 4, 10), (1, 10)
SPARE_SHARE = 0.1  # of a machine's memory, for its system
RUN = "import sys; from benchmarks.scale_out import real_run; real_run(int(sys.argv[1]), *map(int, sys.argv[2:]))"


@dataclass(frozen=True)
class Figures:
    """One replication of the baseline with so many accounts, simulated and measured in one process.

    contacts : of the warm-up and the run. seconds : of the processor. peak, more_mebibytes : of a worker with one
    scenario, and what several dated what-ifs add. store, parent : bytes that a scenario's replication takes in the
    store and in the parent. job, what_if : bytes that a worker is sent, and that a further scenario adds to them.
    """

    accounts: int
    warm_up_contacts: int
    contacts: int
    seconds: float
    peak_mebibytes: float
    more_mebibytes: float
    store: int
    parent: int
    job: int
    what_if: int

    @property
    def microseconds_per_contact(self) -> float:
        return self.seconds / self.contacts * 1e6


def figures(accounts: int, weeks: int | None, warm_up_weeks: int | None) -> Figures:
    """Measures all of them."""
    one = company_scenario(accounts, weeks, warm_up_weeks)
    others = [company_scenario(accounts, weeks, warm_up_weeks, SCENARIOS / f"{name}.yaml") for name in OTHERS]
    inputs, *what_ifs = compile_all([one, *others])
    rows = run_once(inputs)
    contacts = contacts_simulated(inputs)
    began = processor_clock()
    done = execute(Job(inputs, (inputs,), 1), 0)
    seconds = processor_clock() - began
    alone, both = (len(pickle.dumps(Job(inputs, scenarios, 1))) for scenarios in ((inputs,), (inputs, what_ifs[0])))
    peak = peak_mebibytes(inputs)
    return Figures(
        accounts=accounts_in(inputs),
        warm_up_contacts=contacts - rows,
        contacts=contacts,
        seconds=seconds,
        peak_mebibytes=peak,
        more_mebibytes=peak_mebibytes(inputs, *what_ifs) - peak,
        store=len(to_bytes(done.measured[0])),
        parent=len(pickle.dumps(done.measured[0])),
        job=alone,
        what_if=both - alone,
    )


@dataclass(frozen=True)
class Sizes:
    """What grows with the accounts, as a straight line through the figures of two companies."""

    small: Figures
    large: Figures

    def at(self, accounts: int, of: Callable[[Figures], float]) -> float:
        """A figure at so many accounts."""
        rise = (of(self.large) - of(self.small)) / (self.large.accounts - self.small.accounts)
        return of(self.small) + rise * (accounts - self.small.accounts)


class Prepared:
    """An executor that has every replication already: what a study takes then is the parent's own work."""

    def __init__(self, done: Finished) -> None:
        self._done = done
        self._queue: list[tuple[Job, int]] = []

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job."""
        self._queue += ((job, number) for number in replications)

    def as_completed(self) -> Iterator[Finished | None]:
        """The same measures for every scenario and replication."""
        for job, number in self._queue:
            yield replace(self._done, replication=number, measured=self._done.measured * len(job.scenarios))
        self._queue = []

    def cancel(self) -> None:
        """Forgets what is queued."""
        self._queue = []


def scale_out(
    accounts: Sequence[int],
    checks: Sequence[int],
    tasks: int,
    rounds: int,
    weeks: int | None,
    warm_up_weeks: int | None,
) -> Iterator[str]:
    """The section's lines. accounts : the smallest and the largest are measured. checks : accounts of the real runs."""
    small, large = (figures(number, weeks, warm_up_weeks) for number in (accounts[0], accounts[-1]))
    sizes = Sizes(small, large)
    yield "One replication of the baseline, simulated and measured in one process."
    yield ""
    yield (
        f"| accounts | contacts | seconds | µs per contact | worker's peak, MiB | {len(OTHERS)} what-ifs more, MiB "
        "| store, kB | parent, kB | a job, kB | a what-if in it, kB |"
    )
    yield "|---:|" + "---:|" * 9
    for one in (small, large):
        yield (
            f"| {one.accounts:,} | {one.contacts:,} | {one.seconds:.1f} | {one.microseconds_per_contact:.1f} "
            f"| {one.peak_mebibytes:.0f} | {one.more_mebibytes:.0f} | {one.store / 1e3:.0f} | {one.parent / 1e3:.0f} "
            f"| {one.job / 1e3:.0f} | {one.what_if / 1e3:.0f} |"
        )
    yield ""
    yield from overhead(tasks, rounds)
    yield ""
    found = {check: run_apart(check, weeks, warm_up_weeks) for check in checks}
    yield from checked(sizes, found)
    yield ""
    yield from aim(sizes, found[checks[-1]]["seconds"] / checks[-1], weeks, warm_up_weeks)


def overhead(tasks: int, rounds: int) -> Iterator[str]:
    """What a task costs beside its model, and what the parent does at the end."""
    tiny = company_scenario(**TRIVIAL)
    yield (
        f"A study of {tasks:,} trivial replications ({TRIVIAL['accounts']} accounts, one week) on one worker; medians "
        f"of {rounds} rounds."
    )
    yield ""
    yield "| who computes | clock seconds | ms per task | ms more than the model |"
    yield "|---|---:|---:|---:|"
    alone, local, dask = "the model alone, in this process", "local pool", "Dask"
    with LocalPool(1) as pool, dask_executor(workers=1) as executor:
        seconds = in_turn(
            {
                alone: partial(_model_alone, tiny, tasks),
                local: partial(sim.run, tiny, replications=tasks, pool=pool),
                dask: partial(sim.run, tiny, replications=tasks, pool=executor),
            },
            rounds,
            wall_clock,
        )
    for name, taken in seconds.items():
        more = 1000 * (median(taken) - median(seconds[alone])) / tasks
        yield f"| {name} | {median(taken):.2f} | {1000 * median(taken) / tasks:.1f} | {more:.1f} |"
    yield ""
    shipped = company_scenario()
    scenarios, replications = 10, max(2, tasks // 20)
    measured = execute(Job(company(), (company(),), 1), 0)
    began = time.perf_counter()
    sim.compare(shipped, [shipped] * (scenarios - 1), replications=replications, pool=Prepared(measured))
    seconds = time.perf_counter() - began
    yield (
        f"The parent's own work, all replications there already: {seconds:.2f} s for {scenarios} scenarios × "
        f"{replications} replications, {1000 * seconds / scenarios / replications:.1f} ms for one of one."
    )


def _model_alone(scenario: Scenario, tasks: int) -> None:
    """The model and the measures, without a study."""
    (inputs,) = compile_all([scenario])
    job = Job(inputs, (inputs,), 1)
    for replication in range(tasks):
        execute(job, replication)


def real_run(accounts: int, weeks: int = 0, warm_up_weeks: int = 0) -> None:
    """The process that is measured: one replication through `sim.run` on one worker; prints what it took as JSON."""
    scenario = company_scenario(accounts, weeks or None, warm_up_weeks or None)
    with LocalPool(1) as pool:
        began = time.perf_counter()
        sim.run(scenario, replications=1, pool=pool)
        clock = time.perf_counter() - began
        (worker,) = pool.process_ids
        peak = high_water_mebibytes(worker)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    parent = high_water_mebibytes()
    print(json.dumps({"clock": clock, "seconds": used.ru_utime + used.ru_stime, "peak": peak, "parent": parent}))


def run_apart(accounts: int, weeks: int | None, warm_up_weeks: int | None) -> dict[str, float]:
    """What `real_run` prints, from a process of its own."""
    words = [sys.executable, "-c", RUN, *(str(number or 0) for number in (accounts, weeks, warm_up_weeks))]
    done = subprocess.run(words, stdout=subprocess.PIPE, cwd=PROJECT, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def checked(sizes: Sizes, found: Mapping[int, Mapping[str, float]]) -> Iterator[str]:
    """Real runs, by number of accounts, beside what a straight line through the two companies says of them."""
    yield "One replication through `sim.run` on one worker, beside a line through the rows above."
    yield ""
    yield (
        "| accounts | processor seconds of the worker | by the line | ratio | peak of the worker, MiB | by the line "
        "| ratio | clock seconds | peak of the parent, MiB |"
    )
    yield "|---:|" + "---:|" * 8
    for accounts, one in found.items():
        seconds, peak = (sizes.at(accounts, attrgetter(name)) for name in ("seconds", "peak_mebibytes"))
        yield (
            f"| {accounts:,} | {one['seconds']:,.1f} | {seconds:,.1f} | {one['seconds'] / seconds:.2f} "
            f"| {one['peak']:,.0f} | {peak:,.0f} | {one['peak'] / peak:.2f} | {one['clock']:,.1f} "
            f"| {one['parent']:.0f} |"
        )


def aim(sizes: Sizes, seconds_per_account: float, weeks: int | None, warm_up_weeks: int | None) -> Iterator[str]:
    """What the large study takes. seconds_per_account : of one replication of one scenario, warm-up included."""
    one, other = compile_all(
        [company_scenario(None, weeks, warm_up_weeks), company_scenario(None, weeks, warm_up_weeks, WHAT_IF)]
    )
    after = 1 - weeks_alike(one, other) / one.weeks
    warm = sizes.large.warm_up_contacts / sizes.large.contacts
    first = AIM_ACCOUNTS * seconds_per_account
    further = first * (1 - warm)
    dated = further * after
    many, tasks = AIM_SCENARIOS, AIM_REPLICATIONS
    whole, apart = first + (many - 1) * dated, first + (many - 1) * further
    peak = sizes.at(AIM_ACCOUNTS, lambda row: row.peak_mebibytes + row.more_mebibytes)
    store, parent = (many * tasks * sizes.at(AIM_ACCOUNTS, attrgetter(name)) for name in ("store", "parent"))
    job = sizes.at(AIM_ACCOUNTS, lambda row: row.job + (many - 1) * row.what_if)
    workers = min(CORES, math.floor(MACHINE_GIB * 1024 * (1 - SPARE_SHARE) / peak))
    yield f"{AIM_ACCOUNTS:,} accounts × {many} scenarios × {tasks} replications, by these figures:"
    yield ""
    each = 1e3 * seconds_per_account
    yield f"- First scenario of a replication with its warm-up: {AIM_ACCOUNTS:,} × {each:.2f} ms = {first:,.0f} s."
    yield f"- A further one, without the warm-up ({warm:.0%} of the contacts): {further:,.0f} s."
    yield f"- A what-if that begins in July has {after:.0%} of the weeks to itself: {dated:,.0f} s."
    yield f"- A replication: {first:,.0f} + {many - 1} × {dated:,.0f} = {whole:,.0f} s = {whole / 3600:.1f} core-hours."
    yield (
        f"- All of them: {tasks} × {whole / 3600:.1f} h = {tasks * whole / 86400:.1f} core-days; if what-ifs shared "
        f"nothing but the warm-up, {tasks * apart / 86400:.1f}."
    )
    yield f"- A worker: {peak / 1024:.1f} GiB: {workers} of them on a machine of {CORES} cores and {MACHINE_GIB} GiB."
    yield (
        f"- A worker is sent {job / 1e6:.0f} MB, once. What {many} × {tasks} leave behind: {store / 1e9:.1f} GB in the "
        f"store, {parent / 1e9:.1f} GB in the parent."
    )
    yield ""
    yield "| machines | workers | hours, one study | hours, ten studies of a tenth of the scenarios |"
    yield "|---:|---:|---:|---:|"
    for machines in MACHINES:
        hours = []
        for parts in PARTS:
            task = first + (many - 1) / parts * dated
            hours.append(math.ceil(parts * tasks / (machines * workers)) * task / 3600)
        yield f"| {machines} | {machines * workers} | {hours[0]:.1f} | {hours[1]:.1f} |"
