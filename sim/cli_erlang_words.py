"""What `csm-planner erlang` says: an `Answer` as sentences, as a table, as JSON.

In: the question and the figures of its queue. Out: text, readable at 80 columns.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from sim.theory.queues import Queue, QueueFigures
from sim.theory.staffing import agents_to_keep_up, rostered, rounded_up


@dataclass(frozen=True)
class Question:
    """What the options ask, as they were given; None where one was left out.

    virtual : the wait is that of a caller who would never hang up, else that of the calls offered.
    """

    calls: float
    per_minutes: float
    handle_minutes: float
    target_seconds: float
    patience_minutes: float | None = None
    lines: int | None = None
    virtual: bool = False
    service_level: float | None = None
    max_occupancy: float | None = None
    shrinkage: float = 0.0

    def queue(self, agents: float) -> Queue:
        """The queue that is asked about, with so many agents."""
        return Queue(
            arrivals_per_hour=60 * self.calls / self.per_minutes,
            handle_time_hours=self.handle_minutes / 60,
            agents=agents,
            patience_hours=math.inf if self.patience_minutes is None else self.patience_minutes / 60,
            lines=math.inf if self.lines is None else self.lines,
        )


@dataclass(frozen=True)
class Answer:
    """The figures with so many agents; fractional is what a target needs before rounding up, None without one."""

    question: Question
    agents: int
    fractional: float | None
    figures: QueueFigures

    @property
    def service_level(self) -> float:
        """The share that reaches an agent within the target, by the definition asked for."""
        return self.figures.service_level_virtual if self.question.virtual else self.figures.service_level

    @property
    def wait_probability(self) -> float:
        """The chance to wait, by the definition asked for."""
        return self.figures.wait_probability_virtual if self.question.virtual else self.figures.wait_probability

    @property
    def wait_seconds(self) -> float:
        """The mean wait, by the definition asked for; inf where the queue grows without end."""
        figures = self.figures
        return 3600 * (figures.wait_mean_virtual_hours if self.question.virtual else figures.wait_mean_hours)

    @property
    def agents_at_least(self) -> int:
        """The fewest agents with whom the queue does not grow without end, where these do not do."""
        return agents_to_keep_up(self.question.queue(self.agents).load_erlangs)

    @property
    def rostered(self) -> float:
        """People to roster for so many agents at work, not rounded."""
        return rostered(self.agents, self.question.shrinkage)

    def to_json(self) -> str:
        """All numbers with all digits; null where a mean is infinite. The keys are in docs/erlang.md."""
        question, figures = self.question, self.figures
        return (
            json.dumps(
                {
                    "definition": definition(self),
                    "occupancy": figures.occupancy,
                    "wait_probability": self.wait_probability,
                    "asa_seconds": _finite(self.wait_seconds),
                    "service_level": self.service_level,
                    "abandonment": figures.abandonment,
                    "blocking": figures.blocking,
                    "lost_per_hour": figures.lost_per_hour,
                    "agents": self.agents,
                    "agents_fractional": self.fractional,
                    "agents_rostered": self.rostered,
                    "agents_rostered_rounded": rounded_up(self.rostered),
                    "asa_served_seconds": _finite(3600 * figures.wait_mean_served_hours),
                    "queue_length_mean": _finite(figures.queue_length_mean),
                    "load_erlangs": question.queue(self.agents).load_erlangs,
                    "stable": figures.stable,
                    "growth_per_hour": figures.growth_per_hour,
                    "agents_at_least": None if figures.stable else self.agents_at_least,
                    "inputs": asdict(question),
                },
                indent=2,
                allow_nan=False,
            )
            + "\n"
        )


def show(answer: Answer, console: Console) -> None:
    """Prints the answer: a sentence, the numbers with what each means, the definition."""
    console.print(headline(answer))
    console.print()
    table = Table.grid(padding=(0, 2, 0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    for row in rows(answer):
        table.add_row(*row)
    console.print(table)
    console.print()
    console.print(definition(answer))


def headline(answer: Answer) -> str:
    """The answer in a sentence or two."""
    question, agents = answer.question, _agents(answer.agents)
    if not answer.figures.stable:
        return _growing(answer)
    if answer.fractional is None:
        return f"{agents}: {_reached(answer)}."
    goals = f"{100 * (question.service_level or 0):g} % within {_target(question)}"
    if question.max_occupancy is not None:
        goals += f" at no more than {100 * question.max_occupancy:g} % occupancy"
    fractional = _below(answer.fractional, answer.agents)
    return f"{agents} needed for {goals} ({fractional} before rounding up): {_reached(answer)}."


def _below(fractional: float, whole: int) -> str:
    """The number with two digits, or as many as it takes to see that it rounds up to the whole number."""
    for digits in range(2, 10):
        text = f"{fractional:,.{digits}f}"
        if math.ceil(round(fractional, digits)) == whole:
            break
    return text


def _reached(answer: Answer) -> str:
    within = f"{_share(answer.service_level)}"
    if answer.question.virtual:
        return f"a caller who never hangs up would reach one within {_target(answer.question)} in {within} of cases"
    return f"{within} of the calls are answered within {_target(answer.question)}"


def _growing(answer: Answer) -> str:
    """What a lead needs to hear of a queue without end: how fast, why, what would do."""
    question, growth = answer.question, answer.figures.growth_per_hour
    queue = question.queue(answer.agents)
    busy = f"The calls keep {_number(queue.load_erlangs)} agents busy all the time"
    at_least = f"at least {_agents(answer.agents_at_least)} are needed for it to have an end"
    if growth > 1e-9 * queue.arrivals_per_hour:
        pace = f"by {_number(growth)} calls an hour"
    else:
        pace = "slowly, because no time is spare to make up for a bad moment"
    return (
        f"{_agents(answer.agents)} cannot keep up: the queue grows without end, {pace}. {busy}; {at_least}. No wait "
        "can be given. In truth some callers hang up: say after how long with --patience-minutes."
    )


def rows(answer: Answer) -> list[tuple[str, str, str]]:
    """(name, number, what it means) of everything that this queue has."""
    question, figures = answer.question, answer.figures
    queue = question.queue(answer.agents)
    leaves, limited = _gives_up(queue), queue.lines < math.inf
    of = "calls offered" if leaves or limited else "calls"
    found = []
    if figures.stable:
        reaches = "would reach an agent" if question.virtual else f"of the {of} are answered"
        found.append(("Service level", _share(answer.service_level), f"{reaches} within {_target(question)}"))
        over = "for a caller who never hangs up" if question.virtual else f"mean over all {of}"
        found.append(("Average wait", duration(answer.wait_seconds), over))
        if leaves or question.lines not in (None, answer.agents):
            hours = figures.wait_mean_served_hours
            found.append(("Wait if answered", duration(3600 * hours), "mean over the calls that are answered"))
        found.append(("Has to wait", _share(answer.wait_probability), _all_busy(limited and not question.virtual)))
    found.append(("Occupancy", _share(figures.occupancy), "of the agents' time goes into calls"))
    if figures.stable:
        found.append(("Queue", _number(figures.queue_length_mean), "calls waiting, on average"))
    if leaves:
        found.append(("Hang up", _share(figures.abandonment), "of the calls offered give up waiting"))
    if limited:
        found.append(("Turned away", _share(figures.blocking), "of the calls offered find no free line"))
    if leaves or limited:
        found.append(("Lost", _number(figures.lost_per_hour), f"calls an hour, of {_number(queue.arrivals_per_hour)}"))
    found.append(("Load", _number(queue.load_erlangs), "agents busy if every call were answered (erlangs)"))
    if question.shrinkage > 0:
        people, at_work = answer.rostered, f"{answer.agents:,}"
        sum_ = f"{at_work} / {1 - question.shrinkage:g} = {people:,.2f}"
        found.append(("To roster", f"{rounded_up(people):,}", f"people, so that {at_work} are at work: {sum_}"))
    return found


def _all_busy(limited: bool) -> str:
    return "all agents are busy, and a line is free" if limited else "all agents are busy"


def definition(answer: Answer) -> str:
    """Which model, and which definition of wait and service level, the numbers use."""
    queue = answer.question.queue(answer.agents)
    return f"{_model(answer.question, queue)} {_meaning(answer.question, queue)}"


def _model(question: Question, queue: Queue) -> str:
    comes = "calls come at random"
    if queue.lines == queue.agents:
        full = f"a call that finds all {_agents(int(queue.agents))} busy is turned away"
        return f"Erlang B: {comes}, nobody can wait, and {full}; any law of handle times."
    name, patience = "Erlang C", "nobody hangs up"
    if _gives_up(queue):
        name = "Erlang A"
        patience = f"callers hang up after an exponential time of {question.patience_minutes:g} min on average"
    room = "any number can wait"
    if question.lines is not None:
        name += f" with {question.lines:,} lines"
        room = f"a call that finds all {question.lines:,} lines taken (agents and places to wait) is turned away"
    return f"{name}: {comes}, handle times are exponential, {patience}, {room}."


def _meaning(question: Question, queue: Queue) -> str:
    target, limited = _target(question), queue.lines < math.inf
    if question.virtual:
        line = "finds a free line and " if limited else ""
        return (
            f"Service level, wait and chance to wait are virtual: of a caller who {line}would never hang up; the level "
            f"is the chance to reach an agent within {target}."
        )
    losses = (["hang up"] if _gives_up(queue) else []) + (["are turned away"] if limited else [])
    if not losses:
        return f"Service level: calls answered within {target} / all calls. Wait: mean over all calls."
    wait = "mean over all calls offered"
    if _gives_up(queue):
        wait += ", until answered or given up"
    if limited:
        wait += ", 0 for those turned away"
    return (
        f"Service level: calls answered within {target} / all calls offered, those included that "
        f"{' or '.join(losses)}. Wait: {wait}."
    )


def _gives_up(queue: Queue) -> bool:
    return queue.patience_hours < math.inf and queue.lines > queue.agents


def duration(seconds: float) -> str:
    """'7.8 s', '4.6 min', '3.2 h'."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.1f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _target(question: Question) -> str:
    return f"{question.target_seconds:,g} s"


def _agents(count: int) -> str:
    return f"{count:,} agent{'s' if count != 1 else ''}"


def _number(value: float) -> str:
    """Three digits or more, none that says nothing."""
    if value and abs(value) < 0.01:
        return "< 0.01"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.{2 if abs(value) < 10 else 1}f}"


def _share(share: float) -> str:
    """'88.8 %'; a share that is not quite 0 or 1 does not read as if it were."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
