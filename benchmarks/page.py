"""How long a reader waits: for the first estimate, the verdict, another page, a list of 20,000 accounts.

In: how much to run. Out: lines of Markdown. By the clock on the wall, in a real browser with the server beside it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from playwright.sync_api import Page, expect

from benchmarks.browser import NoBrowser, chromium, served
from benchmarks.company import BASELINE
from sim.scenario import AccountSource, load_scenario

ACCOUNTS = 20_000
VERDICT = re.compile(r"^(Recommended|Pays, but|Does not pay|Cannot tell yet)")
PATIENCE_MILLISECONDS = 300_000


def page_times(replications: int, rounds: int) -> Iterator[str]:
    """A table of waits; without Chromium only that of the list."""
    yield f"Medians of {rounds} rounds; another seed in each, so that nothing is known before."
    yield ""
    yield "| what the reader waits for | seconds |"
    yield "|---|---|"
    yield f"| a list of {ACCOUNTS:,} accounts, read and checked | {_list_seconds(rounds):.1f} |"
    try:
        with served() as url, chromium() as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            first, verdict = zip(*(_ask(page, url, replications, seed) for seed in range(rounds)), strict=True)
            yield f"| first estimate after the click | {median(first):.1f} |"
            yield f"| verdict of {replications} × 2 after the click, workers warm | {median(verdict):.1f} |"
            ends = page.get_by_text("are two corners of what is possible")
            expect(ends).to_be_visible(timeout=PATIENCE_MILLISECONDS)  # nothing works in the background any more
            yield f"| another page | {median(_turn(page) for _ in range(rounds)):.2f} |"
    except NoBrowser as reason:
        yield ""
        yield f"Without the page: {reason}."


def _ask(page: Page, url: str, replications: int, seed: int) -> tuple[float, float]:
    """Seconds from the click on Run to the first estimate and to the verdict."""
    what_if = "reroute_support_calls.yaml"
    page.goto(
        f"{url}/?q="
        f'{{"baseline":"baseline.yaml","what_if":"{what_if}","replications":{replications},"seed":{seed + 100}}}'
    )
    run = page.get_by_role("button", name=re.compile(r"\bRun$"))
    expect(run).to_be_enabled(timeout=PATIENCE_MILLISECONDS)
    page.wait_for_timeout(3000)
    began = perf_counter()
    run.click()
    expect(page.get_by_text(re.compile("^So far: "))).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    first = perf_counter() - began
    expect(page.get_by_test_id("stAlert").filter(has_text=VERDICT)).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    return first, perf_counter() - began


def _turn(page: Page) -> float:
    """Seconds from the click on another page to its title; there and back, the mean of both."""
    began = perf_counter()
    for link, title in (("Who is at risk", "Who is at risk?"), ("Decide", "What does the decision do?")):
        page.get_by_test_id("stTopNavLink").filter(has_text=link).click()
        expect(page.get_by_role("heading", name=title)).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    return (perf_counter() - began) / 2


def _list_seconds(rounds: int) -> float:
    source = AccountSource(large_list(ACCOUNTS), "large.csv")
    seconds = []
    for _ in range(rounds):
        began = perf_counter()
        load_scenario(BASELINE, {"teams.csm.headcount": 300}, accounts=source)
        seconds.append(perf_counter() - began)
    return median(seconds)


def large_list(accounts: int) -> bytes:
    """A list with the standard column names, the same each time."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["account", "name", "tier", "arr_per_year", "seats", "start", "term_months", "owner"])
    tiers = ("enterprise", "midmarket", "small")
    for i in range(accounts):
        start = f"{2020 + i % 6}-{1 + i % 12:02d}-{1 + i % 28:02d}"
        row = [f"A-{i}", f"Company {i}", tiers[i % 3], f"{1000 + 37 * (i % 5000)}.50", 1 + i % 400, start]
        writer.writerow([*row, (12, 24, 36)[i % 3], f"Owner {i % 250}"])
    return text.getvalue().encode()
