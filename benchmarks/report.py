"""The tables: time per contact, against the number of accounts, memory, and whole comparisons.

In: how much to run. Out: lines of Markdown. Ratios are within one run, since machines differ; times are processor
seconds of one thread on one core, except for comparisons.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import sim
from benchmarks import loops
from benchmarks.company import (
    BASELINE,
    WHAT_IF,
    accounts_in,
    company,
    contacts_simulated,
    run_once,
    team_sizes,
)
from benchmarks.memory import PROJECT, peak_mebibytes
from benchmarks.pairing import pairing
from benchmarks.scale_out import scale_out
from benchmarks.tick import tick_milliseconds
from benchmarks.timing import in_turn, processor_clock, ratio, wall_clock
from benchmarks.workers import workers
from sim.model.ledger import CONTACT_COLUMNS
from sim.model.replication import replicate
from sim.study.executors import LocalPool

WORKERS = 2


@dataclass(frozen=True)
class Size:
    """How much is run. None leaves the shipped company's weeks as they are; accounts: the sizes compared.

    pairs : replications from which is read what pairing is worth. checks : accounts of the runs that a forecast is
    held against. tasks : trivial replications of which the overhead is read.
    """

    rounds: int
    study_rounds: int
    replications: tuple[int, ...]
    accounts: tuple[int, ...]
    largest: int
    pairs: int = 200
    checks: tuple[int, ...] = (20_000, 100_000)
    tasks: int = 400
    weeks: int | None = None
    warm_up_weeks: int | None = None


FULL = Size(rounds=7, study_rounds=3, replications=(10, 30), accounts=(400, 1600, 5000), largest=8800)
QUICK = Size(
    rounds=3,
    study_rounds=1,
    replications=(10,),
    accounts=(400, 1600),
    largest=1600,
    pairs=40,
    checks=(3200,),
    tasks=100,
)


def engine(size: Size) -> Iterator[str]:
    """The whole model beside the two yardsticks."""
    inputs = company(weeks=size.weeks, warm_up_weeks=size.warm_up_weeks)
    contacts, rows = contacts_simulated(inputs), run_once(inputs)
    drawn = loops.draw(contacts)
    bare, process, model, warm_up = "bare loop", "processes", "model", "warm-up"
    seconds = in_turn(
        {
            bare: partial(loops.rows_and_callbacks, drawn),
            process: partial(loops.processes, drawn),
            model: partial(run_once, inputs),
            warm_up: lambda: list(replicate(inputs, [], 1, 0)),
        },
        size.rounds,
        processor_clock,
    )
    alone = [whole - before for whole, before in zip(seconds[model], seconds[warm_up], strict=True)]
    yield (
        f"{contacts:,} contacts in each piece; in the model {contacts - rows:,} of them end in the "
        f"{inputs.warm_up_weeks} weeks of warm-up and {rows:,} are the ledger's, of {inputs.weeks} weeks. "
        f"Medians of {size.rounds} rounds."
    )
    yield ""
    yield "| piece | contacts | seconds | fastest | µs per contact | × bare loop | × bare, fastest | × processes |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, taken, number in (
        ("bare loop: SimPy clock, a row per contact, callbacks", seconds[bare], contacts),
        ("one SimPy process per contact, PriorityResource", seconds[process], contacts),
        ("whole model, warm-up included", seconds[model], contacts),
        ("whole model, the run alone", alone, rows),
    ):
        share = contacts / number  # ratios are per contact
        yield (
            f"| {name} | {number:,} | {median(taken):.2f} | {min(taken):.2f} | {median(taken) / number * 1e6:.2f} "
            f"| {ratio(taken, seconds[bare]) * share:.2f} | {min(taken) / min(seconds[bare]) * share:.2f} "
            f"| {ratio(taken, seconds[process]) * share:.2f} |"
        )


def scale(size: Size) -> Iterator[str]:
    """Cost against the number of accounts."""
    companies = [company(accounts, size.weeks, size.warm_up_weeks) for accounts in size.accounts]
    contacts = [contacts_simulated(inputs) for inputs in companies]
    rounds = max(1, size.rounds // 2)
    seconds = in_turn(
        {str(i): partial(run_once, inputs) for i, inputs in enumerate(companies)}, rounds, processor_clock
    )
    yield f"Teams and new accounts grow in proportion. Medians of {rounds} rounds; warm-up included."
    yield ""
    yield "| accounts | people | contacts | seconds | µs per contact | × the first row's |"
    yield "|---:|---|---:|---:|---:|---:|"
    for i, (inputs, number) in enumerate(zip(companies, contacts, strict=True)):
        taken = seconds[str(i)]
        yield (
            f"| {accounts_in(inputs):,} | {', '.join(team_sizes(inputs))} | {number:,} | {median(taken):.2f} "
            f"| {median(taken) / number * 1e6:.2f} | {ratio(taken, seconds['0']) * contacts[0] / number:.2f} |"
        )


def memory(size: Size) -> Iterator[str]:
    """Peak memory of a worker at the smallest and the largest size."""
    yield "| accounts | ledger rows | ledger bytes per row | peak of a worker, MiB |"
    yield "|---:|---:|---:|---:|"
    for accounts in (size.accounts[0], size.accounts[-1]):
        inputs = company(accounts, size.weeks, size.warm_up_weeks)
        history = next(iter(replicate(inputs, [inputs], 1, 0)))
        rows = len(history.contacts["contact"])
        held = sum(history.contacts[name].nbytes for name in CONTACT_COLUMNS)
        yield f"| {accounts:,} | {rows:,} | {held / max(1, rows):.0f} | {peak_mebibytes(inputs):.0f} |"


def tick(size: Size) -> Iterator[str]:
    """The accounts' weekly tick."""
    yield "Processor milliseconds of one week; states, intent, notices, decisions, win-backs and the tiers' rows."
    yield ""
    yield "| accounts | weeks | median, ms | slowest in twenty, ms |"
    yield "|---:|---:|---:|---:|"
    for accounts in size.accounts:
        weeks = tick_milliseconds(company(accounts, size.weeks, size.warm_up_weeks))
        yield f"| {accounts:,} | {len(weeks)} | {median(weeks):.1f} | {quantiles(weeks, n=20)[-1]:.1f} |"


def million(size: Size) -> Iterator[str]:
    """A million contacts in one replication, beside one process per contact."""
    inputs = company(size.largest, size.weeks, size.warm_up_weeks)
    contacts, rows = contacts_simulated(inputs), run_once(inputs)
    drawn = loops.draw(contacts)
    seconds = in_turn(
        {
            "bare": partial(loops.rows_and_callbacks, drawn),
            "processes": partial(loops.processes, drawn),
            "model": partial(run_once, inputs),
        },
        max(1, size.rounds // 3),
        processor_clock,
    )
    yield f"{accounts_in(inputs):,} accounts; {contacts:,} contacts in each piece, {rows:,} of them in the ledger."
    yield ""
    yield "| piece | seconds | µs per contact | × bare loop | peak, MiB |"
    yield "|---|---:|---:|---:|---:|"
    for name, title in (
        ("bare", "bare loop: SimPy clock, a row per contact, callbacks"),
        ("processes", "one SimPy process per contact, PriorityResource"),
        ("model", "whole model, warm-up included"),
    ):
        taken, peak = seconds[name], f"{peak_mebibytes(inputs):.0f}" if name == "model" else ""
        yield (
            f"| {title} | {median(taken):.1f} | {median(taken) / contacts * 1e6:.2f} "
            f"| {ratio(taken, seconds['bare']):.2f} | {peak} |"
        )


def studies(size: Size) -> Iterator[str]:
    """Paired comparisons of two scenarios, from a cold start and with workers that are there already."""
    scenarios = [sim.load_scenario(file, overrides=_length(size)) for file in (BASELINE, WHAT_IF)]
    with LocalPool(WORKERS) as pool:
        pieces: dict[str, Callable[[], object]] = {}
        for replications in size.replications:
            pieces[f"{replications} × 2, cold: a new process, workers started"] = partial(_cold, size, replications)
            pieces[f"{replications} × 2, warm: workers there already"] = partial(
                sim.compare, scenarios[0], scenarios[1:], replications=replications, pool=pool
            )
        seconds = in_turn(pieces, size.study_rounds, wall_clock)
    yield f"Clock seconds with {WORKERS} workers; medians of {size.study_rounds} rounds."
    yield ""
    yield "| replications × scenarios | seconds |"
    yield "|---|---:|"
    for name, taken in seconds.items():
        yield f"| {name} | {median(taken):.1f} |"


def page(size: Size) -> Iterator[str]:
    """What a reader of the page waits for, in a browser."""
    from benchmarks.page import page_times

    yield from page_times(size.replications[-1], size.study_rounds)


def _length(size: Size) -> dict[str, object]:
    """What shortens a company; nothing where the shipped length is wanted."""
    lengths = {"weeks": size.weeks, "accounts.warm_up_weeks": size.warm_up_weeks}
    return {key: weeks for key, weeks in lengths.items() if weeks is not None}


_COLD = """
import json, sys, sim
overrides, replications, workers = json.loads(sys.argv[1])
loaded = [sim.load_scenario(file, overrides=overrides) for file in sys.argv[2:]]
if __name__ == "__main__":
    sim.compare(loaded[0], loaded[1:], replications=replications, workers=workers)
"""


def _cold(size: Size, replications: int) -> None:
    settings = json.dumps((_length(size), replications, WORKERS))
    subprocess.run([sys.executable, "-c", _COLD, settings, str(BASELINE), str(WHAT_IF)], cwd=PROJECT, check=True)


SECTIONS: dict[str, tuple[str, Callable[[Size], Iterator[str]]]] = {
    "engine": ("Time per contact", engine),
    "scale": ("Time against the number of accounts", scale),
    "memory": ("Memory", memory),
    "tick": ("The accounts' weekly tick", tick),
    "million": ("A million contacts", million),
    "studies": ("A comparison, start to end", studies),
    "page": ("What the reader waits for", page),
    "workers": (
        "The study layer and a second worker",
        lambda size: workers(size.replications[-1], size.study_rounds, _length(size)),
    ),
    "scale_out": (
        "From one machine to many",
        lambda size: scale_out(
            size.accounts, size.checks, size.tasks, size.study_rounds, size.weeks, size.warm_up_weeks
        ),
    ),
    "pairing": ("What pairing is worth", lambda size: pairing(size.pairs, size.rounds)),
}


def report(size: Size, sections: Sequence[str], option: str = "") -> Iterator[str]:
    """The lines of the asked sections; each heading names the command that prints the section alone."""
    for name in sections:
        title, lines = SECTIONS[name]
        yield f"### {title}: `python -m benchmarks{option} {name}`"
        yield ""
        yield from lines(size)
        yield ""
