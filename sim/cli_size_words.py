"""How a sizing study is shown in a terminal: a grid of plans, and the answer in sentences.

In: a `Sizing`. Out: lines of at most 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from sim.study.decision import plain, plain_change, plain_interval
from sim.study.kpis import team_title
from sim.study.sizing_targets import Met

if TYPE_CHECKING:
    from sim.study.sizing import Plan, Sizing
    from sim.study.sizing_targets import Target

WIDTH = 80
SIGNS: dict[Met, str] = {"met": "✓", "open": "?", "missed": "×"}


def lines(found: Sizing) -> list[str]:
    """All that is shown."""
    text = [
        *wrap(
            f"{found.scenario}: {len(found.plans)} plans from {found.grid.day.day} {found.grid.day:%b %Y} on, "
            f"{found.replications} replications, seed {found.provenance.seed}",
            WIDTH,
        ),
        "",
        *_grid(found),
        "",
        f"Cost in thousand {found.currency}. ✓ surely meets all targets, × surely misses one,",
        "? cannot be told yet.",
        "",
    ]
    for sentence in sentences(found):
        text += wrap(sentence, WIDTH)
    return text


def _grid(found: Sizing) -> Iterator[str]:
    """A row per headcount of the first team, a column per headcount of the second."""
    teams, plans = found.grid.teams, {plan.headcounts: plan for plan in found.plans}
    first = sorted({plan.headcounts[0] for plan in found.plans})
    second = sorted({plan.headcounts[1:] for plan in found.plans})
    name = team_title(teams[0])
    corner = f"{name} \\ {team_title(teams[1])}" if len(teams) > 1 else name
    width = max(10, *(len(_cell(plan)) for plan in found.plans)) + 2
    left = max(len(corner), 6)
    at_once = max(1, (WIDTH - left) // width)
    for begin in range(0, len(second), at_once):
        some = second[begin : begin + at_once]
        heads = [f"{column[0]:g}" if column else "" for column in some]
        yield (corner.ljust(left) + "".join(head.rjust(width) for head in heads)).rstrip()
        for row in first:
            yield f"{row:g}".rjust(left) + "".join(_cell(plans[(row, *column)]).rjust(width) for column in some)


def _cell(plan: Plan) -> str:
    cost = "–" if plan.cost.mean is None else f"{plan.cost.mean / 1000:,.0f}"
    return f"{cost} {SIGNS[plan.verdict]}"


def sentences(found: Sizing) -> Iterator[str]:
    """The answer, why not fewer, the runner-up, what may do, what a formula would have said."""
    best, runner_up = found.best, found.runner_up
    if best is None:
        yield from _no_plan(found)
    else:
        yield f"{_people(found, best)} are the cheapest plan that surely meets all targets: {_figures(found, best)}."
        fewer = found.fewer(best)
        for team, plan in fewer:
            yield f"One {team_title(team)} fewer: {_against(found, plan)}."
        if runner_up is not None:
            more = found.cost_difference(runner_up, best)
            interval = ""
            if more.ci95 is not None:
                interval = f" ({plain(more.ci95[0], found.currency)} to {plain(more.ci95[1], found.currency)})"
            yield (
                f"The runner-up, {_people(found, runner_up)}, meets them too and costs {found.currency} "
                f"{plain(more.mean, found.currency)} more{interval}."
            )
        for team in found.at_edge(best):
            yield f"Nothing below was tried for {team_title(team)}; a wider range (--team) may find less."
    may = found.may_do
    if may:
        named = "; ".join(_people(found, plan) for plan in may[:3])
        yield f"{'Not' if best is None else 'Cheaper, and not'} told yet: {named}. More replications would tell."
    for team, number in zip(found.grid.teams, found.grid.formula, strict=True):
        if number is not None:
            yield (
                f"One queue's formula would have said {number} for {team_title(team)}: no repeats, no hours of the "
                "day, nobody who tires or leaves."
            )


def _no_plan(found: Sizing) -> Iterator[str]:
    near = found.nearest
    yield "No plan that was tried surely meets all targets."
    yield f"{_people(found, near)} come nearest: {_figures(found, near)}."
    for index, target in enumerate(found.targets):
        if all(plan.met[index] == "missed" for plan in found.plans):
            nearest = min(found.plans, key=lambda plan: target.distance(plan.estimates[target.text].mean))
            unit = found.registry[target.kpi].unit
            told = plain if target.than is None else plain_change
            reached = told(nearest.estimates[target.text].mean, unit)
            yield f"{target.text} binds: the best of all plans reaches {reached}."


def _people(found: Sizing, plan: Plan) -> str:
    return " and ".join(
        f"{number:g} {team_title(team)}" for team, number in zip(found.grid.teams, plan.headcounts, strict=True)
    )


def _figures(found: Sizing, plan: Plan) -> str:
    return "; ".join(_figure(found, target, plan) for target in found.targets)


def _figure(found: Sizing, target: Target, plan: Plan) -> str:
    """'Support service level 81.6 % (78.5 % to 84.7 %), asked support.service_level>=0.7'."""
    kpi, value = found.registry[target.kpi], plan.estimates[target.text]
    if target.than is not None:
        interval = "" if value.ci95 is None else f" ({plain_interval(value.ci95, kpi.unit)})"
        return f"{kpi.label} {plain_change(value.mean, kpi.unit)}{interval} {kpi.unit} beside {target.than}"
    interval = ""
    if value.ci95 is not None:
        interval = f" ({plain(value.ci95[0], kpi.unit)} to {plain(value.ci95[1], kpi.unit)})"
    return f"{kpi.label} {plain(value.mean, kpi.unit)}{interval}, asked {target.text}"


def _against(found: Sizing, plan: Plan) -> str:
    """Why a plan is not the answer."""
    missed = [(target, SIGNS[met]) for target, met in zip(found.targets, plan.met, strict=True) if met != "met"]
    if not missed:
        return "meets them as well, and costs no less"
    told = []
    for target, sign in missed:
        verb = "misses" if sign == SIGNS["missed"] else "cannot be told for"
        told.append(f"{verb} {target.text} ({_figure(found, target, plan)})")
    return " and ".join(told)
