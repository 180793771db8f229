"""What the command line shows of the accounts at risk: the worst of them, and the renewals of the next months.

In: a `RiskReport`. Out: two tables, readable at 80 columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from sim.cli_text import printable
from sim.study.account_measures import HORIZON_WEEKS
from sim.study.next_action import plain_date

if TYPE_CHECKING:
    from sim.study.risk import RiskReport

ACCOUNTS_SHOWN = 15
MONTHS_SHOWN = 12
ACCOUNT_WIDTH = 16


def show_accounts(report: RiskReport, console: Console) -> None:
    """Prints the accounts with the largest expected ARR loss, then the calendar of renewals by tier."""
    if not len(report.accounts):
        console.print("The opening book has no accounts.")
        return
    console.print(_accounts(report))
    console.print(
        f"Would sign: the chance that they would sign a renewal submitted on {plain_date(report.start)}. "
        f"Left: the chance of having left within {report.horizon_weeks} weeks, with its 95 % interval. "
        f"ARR loss: {report.currency} a year, expected from that."
    )
    console.print(
        "A high chance to sign today says little about the renewal to come, because intent to leave builds over the "
        "term."
    )
    console.print()
    console.print(_calendar(report))
    console.print(
        "Renewals of the accounts of the opening book, mean over histories. All accounts, with intervals: --csv F. "
        "The whole calendar too: --json F."
    )


def _accounts(report: RiskReport) -> Table:
    shown = report.accounts.worst_first()[:ACCOUNTS_SHOWN].tolist()
    count = len(report.accounts)
    many = f"{report.replications:,} replication{'s' if report.replications != 1 else ''}"
    title = f"{report.scenario}, {len(shown)} of {count:,} accounts: {many}, seed {report.provenance.seed}"
    table = _table(title)
    table.add_column("account", no_wrap=True, max_width=ACCOUNT_WIDTH, overflow="ellipsis")
    horizon = "a year" if report.horizon_weeks == HORIZON_WEEKS else f"{report.horizon_weeks} weeks"
    for words in (f"ARR, {report.currency},\nrenewal", "would\nsign", f"left in\n{horizon}", "ARR\nloss"):
        table.add_column(words, justify="right", no_wrap=True)
    table.add_column("main driver, next action")
    accounts, columns = report.accounts, report.columns
    for i in shown:
        who = [accounts.account[i], accounts.name[i], report.tiers[accounts.tier[i]]]
        what = [accounts.driver[i] or "no intent to leave yet", str(accounts.next_action[i])]
        table.add_row(
            "\n".join(printable(part) for part in who if part),
            f"{accounts.arr_per_year[i]:,.0f}\n{plain_date(accounts.renewal[i])}",
            f"{100 * columns['would_sign'][i]:.0f} %",
            _percent(*(columns[name][i] for name in ("leaves", "leaves_low", "leaves_high"))),
            f"{columns['expected_arr_loss'][i]:,.0f}",
            "\n".join(map(printable, what)),
        )
    return table


def _percent(mean: float, low: float | None, high: float | None) -> str:
    """A share in percent, and below it its interval if there is one."""
    text = f"{100 * mean:.0f} %"
    return text if low is None or high is None else f"{text}\n{100 * low:.0f} to {100 * high:.0f}"


def _calendar(report: RiskReport) -> Table:
    table = _table(f"Renewals by month and tier, ARR in {report.currency} a year")
    table.add_column("month", no_wrap=True)
    table.add_column("tier", no_wrap=True, max_width=20, overflow="ellipsis")
    for words in ("renewals", "ARR up for renewal", "expected ARR loss"):
        table.add_column(words, justify="right", no_wrap=True)
    last = ""
    for row in report.calendar.rows():
        if row["month"] > f"{report.calendar.months[:MONTHS_SHOWN][-1]:%Y-%m}":
            break
        if row["renewals"] > 0:
            table.add_row(
                row["month"] if row["month"] != last else "",
                printable(row["tier"]),
                f"{row['renewals']:,.1f}",
                f"{row['arr_up_for_renewal']:,.0f}",
                f"{row['expected_arr_loss']:,.0f}",
            )
            last = row["month"]
    return table


def _table(title: str) -> Table:
    return Table(
        title=printable(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_style="bold",
    )
