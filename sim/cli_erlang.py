"""The command `csm-planner erlang`: one queue by formula, and the agents that a target needs.

In: options. Out: an answer in words and numbers on stdout, and a JSON file where asked for.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli_errors import BadInput
from sim.cli_options import JsonFile, raise_for, unwritable

if TYPE_CHECKING:
    from rich.console import Console

    from sim.cli_erlang_words import Answer, Question

MOST_AGENTS, MOST_LINES = 100_000, 200_000
SMALLEST, LARGEST = 0.001, 1e6
LONGEST_TARGET_SECONDS = 1e7
LARGEST_SHRINKAGE = 0.95
NARROWEST, WIDEST, PIPED = 60, 110, 80


class Wait(StrEnum):
    """Whose wait is told: that of the calls offered, or of a caller who would never hang up."""

    offered = "offered"
    virtual = "virtual"


def erlang(
    calls: Annotated[float, typer.Option("--calls", metavar="N", help="Calls in a period.", show_default=False)],
    handle_minutes: Annotated[
        float, typer.Option("--handle-minutes", metavar="M", help="Mean handle time.", show_default=False)
    ],
    per_minutes: Annotated[float, typer.Option("--per-minutes", metavar="M", help="Length of the period.")] = 60,
    agents: Annotated[
        float | None, typer.Option("--agents", metavar="N", help="Agents at work.", show_default=False)
    ] = None,
    service_level: Annotated[
        float | None,
        typer.Option("--service-level", metavar="SHARE", help="Find the agents for it, as in 0.8.", show_default=False),
    ] = None,
    target_seconds: Annotated[
        float, typer.Option("--target-seconds", metavar="S", help="Wait that the service level allows.")
    ] = 20,
    patience_minutes: Annotated[
        float | None,
        typer.Option("--patience-minutes", metavar="M", help="Mean time to hang up.", show_default="nobody hangs up"),
    ] = None,
    lines: Annotated[
        float | None,
        typer.Option("--lines", metavar="N", help="Agents and places to wait.", show_default="no limit"),
    ] = None,
    wait: Annotated[
        Wait, typer.Option("--wait", help="Whose wait: of calls offered, or of who never hangs up.")
    ] = Wait.offered,
    max_occupancy: Annotated[
        float | None,
        typer.Option(
            "--max-occupancy", metavar="SHARE", help="With --service-level: busy at most so much.", show_default=False
        ),
    ] = None,
    shrinkage: Annotated[float, typer.Option("--shrinkage", metavar="SHARE", help="Paid time away from work.")] = 0,
    json: JsonFile = None,
) -> None:
    """Solves one queue by formula (Erlang B, C, A): waits, losses, or the agents that a target needs."""
    problems = [
        *_out_of_range("--calls", calls, SMALLEST, LARGEST),
        *_out_of_range("--per-minutes", per_minutes, SMALLEST, LARGEST),
        *_out_of_range("--handle-minutes", handle_minutes, SMALLEST, LARGEST),
        *_not_whole("--agents", agents, MOST_AGENTS),
        *_out_of_range("--target-seconds", target_seconds, 0, LONGEST_TARGET_SECONDS),
        *_out_of_range("--patience-minutes", patience_minutes, SMALLEST, LARGEST),
        *_not_whole("--lines", lines, MOST_LINES),
        *_not_a_share("--service-level", service_level, SMALLEST, 0.9999),
        *_not_a_share("--max-occupancy", max_occupancy, SMALLEST, 1),
        *_not_a_share("--shrinkage", shrinkage, 0, LARGEST_SHRINKAGE),
        *_contradictions(agents, service_level, max_occupancy, lines, wait, patience_minutes),
        *unwritable([], json),
    ]
    raise_for(problems)
    from sim.cli_erlang_words import Question, show
    from sim.study.output_files import write_atomically

    question = Question(
        calls=calls,
        per_minutes=per_minutes,
        handle_minutes=handle_minutes,
        target_seconds=target_seconds,
        patience_minutes=patience_minutes,
        lines=None if lines is None else int(lines),
        virtual=wait is Wait.virtual,
        service_level=service_level,
        max_occupancy=max_occupancy,
        shrinkage=shrinkage,
    )
    answer = _find_agents(question) if agents is None else _with_agents(question, int(agents))
    if json is not None:
        write_atomically(json, answer.to_json())
    show(answer, _console())


def _with_agents(question: Question, agents: int, fractional: float | None = None) -> Answer:
    from sim.cli_erlang_words import Answer
    from sim.theory.queues import solve

    return Answer(question, agents, fractional, solve(question.queue(agents), question.target_seconds / 3600))


def _find_agents(question: Question) -> Answer:
    """The answer with the fewest agents that reach what is asked. Raises BadInput where too many would be needed."""
    from sim.theory.staffing import Target, agents_needed

    target = Target(
        service_level=question.service_level or 0,
        target_hours=question.target_seconds / 3600,
        virtual=question.virtual,
        occupancy=1 if question.max_occupancy is None else question.max_occupancy,
    )
    needed = agents_needed(question.queue(1), target, MOST_AGENTS)
    if needed is not None:
        return _with_agents(question, needed.agents, needed.agents_fractional)
    most = min(MOST_AGENTS, question.lines or MOST_AGENTS)
    best = _with_agents(question, most)
    reached = f"{best.service_level:.4g}, occupancy {best.figures.occupancy:.4g}"
    if most == question.lines:
        raise BadInput(
            f"--lines: {most:,} lines are too few for this target: with an agent on every line the service level is "
            f"{reached}. Give more lines, or lower --service-level or raise --max-occupancy."
        )
    raise BadInput(
        f"--service-level: more than {MOST_AGENTS:,} agents would be needed (with that many it is {reached}), beyond "
        "what this command answers. Check --calls, --per-minutes and --handle-minutes."
    )


def _out_of_range(name: str, value: float | None, low: float, high: float) -> list[str]:
    if value is None or low <= value <= high:
        return []
    return [f"{name}: {value:.12g} cannot be used; use a number from {low:g} to {high:,.0f}."]


def _not_whole(name: str, value: float | None, most: int) -> list[str]:
    if value is None or (1 <= value <= most and value == int(value)):
        return []
    return [f"{name}: {value:.12g} cannot be used; use a whole number from 1 to {most:,}."]


def _not_a_share(name: str, value: float | None, low: float, high: float) -> list[str]:
    if value is None or low <= value <= high:
        return []
    meant = f"; {value:.12g} % is {value / 100:g}" if 1 < value <= 100 * high else ""
    return [f"{name}: {value:.12g} cannot be used; use a share from {low:g} to {high:g}{meant}."]


def _contradictions(
    agents: float | None,
    service_level: float | None,
    max_occupancy: float | None,
    lines: float | None,
    wait: Wait,
    patience_minutes: float | None,
) -> list[str]:
    """What does not go together, as messages."""
    found = []
    if agents is None and service_level is None:
        found.append(
            "Say either how many agents there are with --agents, or what they have to reach with --service-level."
        )
    if agents is not None and service_level is not None:
        found.append("--agents and --service-level: give one; with the second the first is what is found.")
    if agents is not None and max_occupancy is not None:
        found.append(
            "--max-occupancy: bounds the agents that are found; give it with --service-level, not with --agents."
        )
    if agents is not None and lines is not None and lines < agents:
        found.append(
            f"--lines: {lines:.12g} cannot be used with {agents:.12g} agents, each of whom needs one; use that or more."
        )
    if wait is Wait.virtual and patience_minutes is None:
        found.append(
            "--wait virtual: nobody hangs up here, so that all waits are virtual; give --patience-minutes as well."
        )
    return found


def _console() -> Console:
    from rich.console import Console

    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False, soft_wrap=False)
    console.width = max(NARROWEST, min(WIDEST, console.width)) if console.is_terminal else PIPED
    return console
