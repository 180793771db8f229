"""The main path in a real browser: open the page, press Run, read the verdict.

Needs Debian's Chromium; without it the tests are skipped, unless CSM_PLANNER_BROWSER is "required".
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import IO

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from planner.__main__ import free_port

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",  # with its sandbox Chromium refuses to run as root, as build machines do
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60
RUN_MILLISECONDS = 120_000
VERDICT = re.compile(r"^(Recommended|Pays, but|Does not pay|Cannot tell yet)")


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    log.seek(0)
    pytest.fail(f"the planner did not start:\n{log.read().decode(errors='replace')}")


@pytest.fixture(scope="module")
def planner_url(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port(8600 + os.getpid() % 1000)
    url = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("server") / "log").open("w+b") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "planner", "--port", str(port)],
            cwd=project,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_healthy(url, server, log)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        reason = "there is no Chromium (Debian: apt install chromium)"
        if os.environ.get("CSM_PLANNER_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


def open_page(browser: Browser, url: str, width: int = 1400) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(url)
    expect(run_button(page)).to_be_enabled(timeout=30_000)
    return page


def run_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"\bRun$"))


def set_replications(page: Page, replications: int) -> None:
    field = page.get_by_role("spinbutton", name=re.compile("^Replications"))
    field.fill(str(replications))
    field.press("Enter")
    expect(run_button(page)).to_be_enabled()


def test_run_leads_to_a_verdict_and_changed_inputs_mark_it_stale(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url)
    set_replications(page, 2)
    run_button(page).click()
    verdict = page.get_by_test_id("stAlert").filter(has_text=VERDICT)
    expect(verdict).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page.get_by_test_id("stMetric")).to_have_count(6)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()

    set_replications(page, 3)
    expect(page.get_by_text("This answer is stale")).to_be_visible()
    expect(verdict).to_be_visible()
    page.close()


def test_cancel_ends_a_long_run_and_the_next_one_works(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url)
    set_replications(page, 1000)
    run_button(page).click()
    expect(page.get_by_text(re.compile(r"of \d+ replications done"))).to_be_visible(timeout=RUN_MILLISECONDS)
    page.get_by_role("button", name=re.compile("Cancel$")).click()
    expect(page.get_by_text("Cancelled.")).to_be_visible(timeout=10_000)
    set_replications(page, 2)
    run_button(page).click()
    expect(page.get_by_test_id("stAlert").filter(has_text=VERDICT)).to_be_visible(timeout=RUN_MILLISECONDS)
    page.close()


def test_a_phone_shows_the_page_without_sideways_scrolling(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url, width=400)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400, f"the page is {wide} pixels wide on a screen of 400"
    page.close()
