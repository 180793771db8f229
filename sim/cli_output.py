"""What the command line shows: progress on stderr, tables and the decision on stdout.

In: `Progress` values and results. Out: text, readable at 80 columns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from sim.cli_accounts import show_accounts
from sim.cli_design_words import lines as design_lines
from sim.cli_quarters import show_arrivals
from sim.cli_size_words import lines as sizing_lines
from sim.cli_text import printable
from sim.cli_worth import show_worth
from sim.study.decision import Decision, more_replications, plain, plain_change, plain_interval
from sim.study.designed import DesignedStudy
from sim.study.kpis import team_title
from sim.study.results import Comparison, Ends, RunResult, ScenarioResult
from sim.study.risk import RiskReport
from sim.study.sizing import Sizing
from sim.study.statistics import NO_DIFFERENCE, Difference
from sim.study.worlds import Worlds
from sim.study.worth import Worth

if TYPE_CHECKING:
    from sim.study.experiment import Progress

NARROWEST, WIDEST, PIPED = 60, 110, 80
NAME_WIDTH = 13  # the words of a name are not cut
LINE_EVERY_SECONDS = 5.0
LEFT_OUT_SHOWN = 3
WORLDS_SHOWN = ("contribution", "logo_churn_per_year")
COMPANY_HEADLINE = ("logo_churn_per_year", "contribution", "cost_total")
COMPANY_MORE = (
    "arr_churn_per_year",
    "grr",
    "nrr",
    "arr_end",
    "arr_at_risk_end",
    "revenue",
    "crc_per_account",
    "adoption_end",
    "satisfaction_mean",
    "executive_contact_mean",
    "proactive_completed_share",
)
TEAM_HEADLINE = ("burnout_mean", "wait_mean_minutes")
TEAM_MORE = (
    "occupancy",
    "utilisation",
    "service_level",
    "overtime_hours",
    "burnout_mean",
    "wait_mean_minutes",
)


SPREAD_HEADING = "Burnout over people: simulated, not a statement about a person"
SPREAD_ROWS = {"median": "half of them up to", "p90": "nine in ten up to", "worst_tenth_mean": "worst-off tenth"}


class ProgressLine:
    """Shows progress on stderr: a live line in a terminal, else a line now and then. A context manager."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
        self._live: Live | None = None
        self._shown = -LINE_EVERY_SECONDS

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Shows one state of the study."""
        if self._live is not None:
            line = Table.grid(padding=(0, 1))
            bar = ProgressBar(total=progress.total, completed=progress.done, width=12)
            line.add_row(bar, printable(progress_text(progress)))
            self._live.update(line, refresh=True)
            return
        now = time.monotonic()
        if now - self._shown >= LINE_EVERY_SECONDS or progress.done == progress.total:
            self._shown = now
            print(printable(progress_text(progress)), file=sys.stderr, flush=True)


def progress_text(progress: Progress) -> str:
    """'12 of 30, 2.1 a second, 9 s left, Contribution changes by USD +110,000 (+60,000 to +160,000)'."""
    parts = [f"{progress.done} of {progress.total}"]
    if progress.stored:
        parts.append(f"{progress.stored} from the store")
    if progress.done > progress.stored and progress.seconds_elapsed > 0:
        rate = (progress.done - progress.stored) / progress.seconds_elapsed
        parts.append(f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute")
    if progress.seconds_left is not None and progress.done < progress.total:
        parts.append(f"{_duration(progress.seconds_left)} left")
    if progress.estimate:
        parts.append(progress.estimate)
    parts += progress.notes
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def show_result(result: RunResult | Comparison | RiskReport | Worth | Sizing | DesignedStudy, stream: TextIO) -> None:
    """Prints the headline KPIs and, for a comparison, the decisions; or who is at risk; or what a team is worth."""
    console = Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=False)
    console.width = max(NARROWEST, min(WIDEST, console.width)) if console.is_terminal else PIPED
    if isinstance(result, Comparison):
        _show_comparison(result, console)
    elif isinstance(result, RiskReport):
        show_accounts(result, console)
    elif isinstance(result, Worth):
        show_worth(result, console)
    elif isinstance(result, Sizing):
        console.print("\n".join(map(printable, sizing_lines(result))), soft_wrap=True)
    elif isinstance(result, DesignedStudy):
        console.print("\n".join(map(printable, design_lines(result))), soft_wrap=True)
    else:
        _show_run(result, console)


def _show_run(result: RunResult, console: Console) -> None:
    names = [*COMPANY_HEADLINE, *COMPANY_MORE, *_of_teams(result, TEAM_MORE)]
    table = _table(_heading(result.name, result), ("mean", "95 % interval"))
    for name in names:
        kpi, estimate = result.registry[name], result.kpis[name]
        interval = "–"
        if estimate.ci95 is not None:
            interval = " to ".join(plain(bound, kpi.unit) for bound in estimate.ci95)
        table.add_row(_label(result, name), plain(estimate.mean, kpi.unit), interval)
    console.print(table)
    console.print(_spread_of_run(result))
    _show_alerts(result, 0, console)
    _show_precision(result, console)
    if result.warm_up is not None:
        console.print(result.warm_up.sentence)
    console.print("All KPIs: --json F.")


def _show_comparison(result: Comparison, console: Console) -> None:
    names = [*COMPANY_HEADLINE, *_of_teams(result, TEAM_HEADLINE), "proactive_completed_share"]
    for index, (scenario, difference) in enumerate(zip(result.scenarios[1:], result.differences, strict=True)):
        heading = _heading(f"{scenario.name} against {result.baseline.name}", result)
        table = _table(heading, ("baseline", "scenario", "difference\n(adjusted interval)", "verdict"))
        at_rest = [name for name in _of_teams(result, TEAM_HEADLINE) if _nothing(result.baseline, scenario, name)]
        for name in (name for name in names if name not in at_rest):
            unit, change = result.registry[name].unit, difference.kpis[name]
            interval = ""
            if change.ci95_adjusted is not None:
                interval = f"\n({plain_interval(change.ci95_adjusted, unit)})"
            table.add_row(
                _label(result, name),
                plain(result.baseline.kpis[name].mean, unit),
                plain(scenario.kpis[name].mean, unit),
                plain_change(change.mean, unit) + interval,
                verdict_words(change),
            )
        console.print(table)
        console.print(_spread_of_comparison(result, index))
        show_arrivals(result.quarters, index, console)
    for index, decision in enumerate(result.decisions):
        console.print(f"{decision.verdict.upper()}. {printable(decision.sentence)}", soft_wrap=False)
        pays = result.quarters.paybacks[index]
        if pays is not None:
            console.print(pays.sentence)
        console.print(printable(f"Why. {decision.why}"))
        for which in (index + 1, 0):
            _show_alerts(result, which, console)
        console.print(printable(decision.note))
        if result.ends is not None:
            console.print(ends_text(result.ends, index))
        if result.worlds is not None:
            console.print(printable(worlds_text(result.worlds, index, result)))
        console.print()
    _show_precision(result, console)
    if result.ranking is not None:
        console.print(printable(f"{result.ranking.sentence}"))
        console.print()
    console.print(
        "Intervals are widened for looking at many KPIs and scenarios at once and agree with the verdicts. "
        f"{result.looks.sentence}All KPIs: --json F."
    )


def _show_precision(result: RunResult | Comparison, console: Console) -> None:
    """How well the KPIs are known that should be, beside what was asked for."""
    for one in result.precision:
        kpi = result.registry[one.kpi]
        whose = kpi.label if isinstance(result, RunResult) else f"{kpi.label}, difference of {one.scenario}"
        known = "unknown" if one.half_width is None else f"± {_size(one.half_width, kpi.unit)}"
        asked = f"± {_size(one.wanted, kpi.unit)}"
        met = f"and {asked} is enough" if one.met else f"not yet {asked}: more --replications would tell"
        console.print(printable(f"{whose}: {known} after {result.replications:,} replications, {met}."))


def _unit(unit: str) -> str:
    """The unit, where the number does not say it."""
    return "" if unit.startswith("share") or unit in ("minutes", "hours", "score") else f" {unit}"


def _size(value: float, unit: str) -> str:
    return plain_change(value, unit).removeprefix("+")


def _nothing(one: ScenarioResult, other: ScenarioResult, name: str) -> bool:
    """Whether a KPI has a value in neither: nobody is in the team, or no customer asks it."""
    return one.kpis[name].mean is None and other.kpis[name].mean is None


def _show_alerts(result: RunResult | Comparison, index: int, console: Console) -> None:
    """What the means hide. index : of the scenario."""
    name = result.scenarios[index].name
    for alert in result.alerts[index]:
        console.print(f"WARNING for {printable(f'{name}: {alert.sentence}')}", soft_wrap=False)


def _spread_of_run(result: RunResult) -> Table:
    """How burnout is spread over the people of each team."""
    table = _table(SPREAD_HEADING, ("burnout", "95 % interval"))
    for team, spread in result.people.scenarios[0].items():
        for name, label in SPREAD_ROWS.items():
            figure = spread.burnout[name]
            interval = " to ".join(plain(bound, "score") for bound in figure.ci95) if figure.ci95 else "–"
            table.add_row(f"{team_title(team)}, {label}", plain(figure.value, "score"), interval)
    return table


def _spread_of_comparison(result: Comparison, index: int) -> Table:
    """The same for the baseline and a what-if, with the differences. index : of the what-if."""
    table = _table(SPREAD_HEADING, ("baseline", "scenario", "difference (95 % interval)"))
    before, after = result.people.scenarios[0], result.people.scenarios[index + 1]
    for team, changes in result.people.changes[index].items():
        for name, label in SPREAD_ROWS.items():
            change = changes[name]
            if before[team].burnout[name].value is None and after[team].burnout[name].value is None:
                continue
            interval = f" ({plain_interval(change.ci95, 'score')})" if change.ci95 else ""
            table.add_row(
                f"{team_title(team)}, {label}",
                plain(before[team].burnout[name].value, "score"),
                plain(after[team].burnout[name].value, "score"),
                plain_change(change.value, "score") + interval,
            )
    return table


def ends_text(ends: Ends, index: int) -> str:
    """What the comparison says at both ends of the assumptions. index : of the what-if."""
    total = ends.moved + len(ends.left_out)
    moved = f"all {total:,} assumptions" if not ends.left_out else f"{ends.moved:,} of {total:,} assumptions"
    low, high = (_short(one.decisions[index]) for one in (ends.low, ends.high))
    counts = " and ".join(map(str, sorted({ends.low.replications, ends.high.replications})))
    said = [
        f"With {moved} at their low end: {low}; at their high end: {high}.",
        "Contact rates and planned handle times are scaled there, so that the teams begin with as much work.",
        f"These are two corners ({counts} replications each), no bounds: in between, the answer may lie outside them.",
    ]
    if ends.left_out:
        more = ", …" if len(ends.left_out) > LEFT_OUT_SHOWN else ""
        said.append(f"Left as they are: {', '.join(list(ends.left_out)[:LEFT_OUT_SHOWN])}{more}.")
    return printable(" ".join(said))


def worlds_text(worlds: Worlds, index: int, result: Comparison) -> str:
    """In how many plausible worlds a what-if is better, and by more than chance. index : of the what-if."""
    said = []
    for name in WORLDS_SHOWN:
        one, kpi = worlds.kpis[index].get(name), result.registry[name]
        if one is None or one.better_share is None or one.ci95 is None:
            continue
        low, high = (f"{100 * end:.0f}" for end in one.ci95)
        said.append(
            f"{kpi.label}: better in {100 * one.better_share:.0f} % of {worlds.count:,} plausible worlds "
            f"({low} to {high} %), by more than chance in {100 * (one.surely_better or 0.0):.0f} %, worse by more than "
            f"chance in {100 * (one.surely_worse or 0.0):.0f} %; nine of ten differences lie between "
            f"{' and '.join(plain_change(end, kpi.unit) for end in (one.low, one.high))}{_unit(kpi.unit)}; standard "
            f"deviation {_size(one.sd_worlds, kpi.unit)} between worlds, {_size(one.sd_chance, kpi.unit)} by chance."
        )
    said.append(
        f"In each world {worlds.drawn:,} assumptions are drawn from their ranges, and contact rates and planned handle "
        "times scaled, so that the teams begin with as much work. More replications do not narrow what the worlds "
        "differ in; measuring does."
    )
    return " ".join(said)


def _short(decision: Decision) -> str:
    verdict = "pays" if decision.verdict == "recommended" else decision.verdict
    return f"{verdict}, {decision.money}"


def verdict_words(change: Difference) -> str:
    """A verdict as people read it."""
    if change.mean is None:
        return "no value"
    if change.verdict != "cannot_tell":
        return change.verdict or "–"
    if change.reason == NO_DIFFERENCE:
        return "no difference that matters"
    if change.more_replications is None:
        return "cannot tell"
    return f"cannot tell; about {more_replications(change.more_replications)}"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_style="bold",
    )
    table.add_column("", min_width=NAME_WIDTH)
    for column in columns:
        words = column == "verdict"
        table.add_column(column, justify="left" if words else "right", no_wrap=not words)
    return table


def _heading(text: str, result: RunResult | Comparison) -> str:
    numbers = result.table.replications
    count = f"{len(numbers):,} replication{'s' if len(numbers) != 1 else ''}"
    if len(numbers) == 1 and numbers[0] > 0:
        count = f"replication {numbers[0]:,} alone"
    return printable(f"{text}: {count}, seed {result.provenance.seed}")


def _label(result: RunResult | Comparison, name: str) -> str:
    kpi = result.registry[name]
    shown = kpi.unit.startswith("share") or kpi.unit in (
        "score",
        "minutes",
        "hours",
        "contacts",
        "quits per year",
    )
    return kpi.label if shown else f"{kpi.label}, {kpi.unit.replace(' per year', ' a year')}"


def _of_teams(result: RunResult | Comparison, names: Sequence[str]) -> list[str]:
    return [f"{team}.{name}" for team in result.series.team_names for name in names]
