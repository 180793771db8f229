"""Pictures of every page, wide and narrow, light and dark: `python -m benchmarks.screenshots [FOLDER]`.

In: nothing; it serves the planner itself and asks the first question. Out: PNG files, by default in docs/images.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from benchmarks.browser import PROJECT, chromium, served

FOLDER = PROJECT / "docs" / "images"
BOOK = PROJECT / "scenarios" / "books" / "example.csv"
WIDTHS = {"wide": 1400, "narrow": 400}
HEIGHT = 900
RUN_MILLISECONDS = 300_000
VERDICT = re.compile(r"^(Recommended|Pays, but|Does not pay|Cannot tell yet)")
STORIES = {"stories": "account=midmarket-86", "person": "agent=CSM 3"}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def take(folder: Path, replications: int, widths: Sequence[str], schemes: Sequence[Scheme]) -> None:
    """Takes all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as url, chromium() as browser:
        for width in widths:
            for scheme in schemes:
                page = _answered(browser, url, WIDTHS[width], scheme, replications)
                _shoot(page, folder / f"decide_{width}_{scheme}.png")
                _turn_to(page, "Who is at risk", "Who is at risk?")
                _shoot(page, folder / f"risk_{width}_{scheme}.png")
                _turn_to(page, "What the team is worth", "What is the team worth?")
                _run_worth(page)
                _shoot(page, folder / f"worth_{width}_{scheme}.png")
                _turn_to(page, "Studies", "Which combination?")
                _run_study(page)
                _shoot(page, folder / f"studies_{width}_{scheme}.png")
                _turn_to(page, "Your accounts", "Your accounts")
                page.locator("input[type=file]").first.set_input_files(BOOK)
                expect(page.get_by_text("Use these accounts")).to_be_visible(timeout=30_000)
                page.wait_for_timeout(3000)  # a file given while the page still draws itself may be lost
                page.locator("input[type=file]").nth(1).set_input_files(BOOK.with_suffix(".yaml"))
                expect(page.get_by_text(BOOK.with_suffix(".yaml").name)).to_be_visible(timeout=30_000)
                expect(page.get_by_text("Use these accounts")).to_be_visible(timeout=30_000)
                _shoot(page, folder / f"accounts_{width}_{scheme}.png")
                for name, who in STORIES.items():
                    page.goto(f"{url}/stories?scenario=baseline.yaml&{who}")
                    expect(page.get_by_text("What happened", exact=True)).to_be_visible(timeout=RUN_MILLISECONDS)
                    _shoot(page, folder / f"{name}_{width}_{scheme}.png")
                page.close()


def _answered(browser: Browser, url: str, width: int, scheme: Scheme, replications: int) -> Page:
    """The page with the answer to the first question."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    question = f'{{"baseline":"baseline.yaml","what_if":"reroute_support_calls.yaml","replications":{replications}}}'
    page.goto(f"{url}/?q={question}")
    run = page.get_by_role("button", name=re.compile(r"\bRun$"))
    expect(run).to_be_enabled(timeout=60_000)
    verdict = page.get_by_test_id("stAlert").filter(has_text=VERDICT)
    page.wait_for_timeout(3000)  # the second picture finds the answer of the first
    if not verdict.is_visible():
        run.click()
    expect(verdict).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page.get_by_text("are two corners of what is possible")).to_be_visible(timeout=RUN_MILLISECONDS)
    return page


def _run_worth(page: Page) -> None:
    """Waits for the worth of the team, which the first picture has to ask for."""
    picture, run = page.get_by_text("Accounts kept, by tier"), page.get_by_role("button", name=re.compile(r"\bRun$"))
    expect(picture.or_(run)).to_be_visible(timeout=60_000)
    if run.is_visible():
        run.click()
    expect(picture).to_be_visible(timeout=RUN_MILLISECONDS)


def _run_study(page: Page) -> None:
    """Waits for the first study's map, which the first picture has to ask for."""
    run = page.get_by_role("button", name=re.compile(r"\bRun$"))
    expect(run).to_be_visible(timeout=60_000)
    page.wait_for_timeout(3000)  # the second picture finds the answer of the first
    if run.is_enabled():
        run.click()
    expect(page.get_by_text("Indicator", exact=True).first).to_be_visible(timeout=RUN_MILLISECONDS)


def _turn_to(page: Page, link: str, title: str) -> None:
    """Follows a link of the navigation, which a narrow page hides behind a button."""
    found = page.get_by_test_id("stTopNavLink").filter(has_text=link)
    if not found.count():
        found = page.get_by_test_id("stSidebarNavLink").filter(has_text=link)
        if not found.is_visible() or (found.bounding_box() or {"x": -1})["x"] < 0:
            page.get_by_test_id("stExpandSidebarButton").click()
    found.click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    fold = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    if fold.count() and fold.is_visible():
        fold.click()


def _shoot(page: Page, path: Path) -> None:
    """The whole page in one picture, however long: the window grows until nothing scrolls."""
    page.wait_for_timeout(1500)
    main = page.get_by_test_id("stMain")
    tall = int(main.evaluate("element => element.scrollHeight"))
    size = page.viewport_size or {"width": WIDTHS["wide"], "height": HEIGHT}
    page.set_viewport_size({"width": size["width"], "height": tall + 20})
    page.wait_for_timeout(1500)
    page.screenshot(path=path)
    page.set_viewport_size(size)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where the PNG files go")
    parser.add_argument("--replications", type=int, default=30)
    parser.add_argument("--widths", nargs="+", choices=list(WIDTHS), default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    wanted = parser.parse_args(arguments)
    take(wanted.folder, wanted.replications, wanted.widths, wanted.schemes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
