"""The page in a real browser: what a COO does with it, from the first click to the link in a mail.

Needs Debian's Chromium; without it the tests are skipped, unless CSM_PLANNER_BROWSER is "required".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.browser import NoBrowser, chromium, served

pytestmark = pytest.mark.browser

PAGE_MILLISECONDS = 60_000
RUN_MILLISECONDS = 120_000
VERDICT = re.compile(r"^(Recommended|Pays, but|Does not pay|Cannot tell yet)")
SHARE = re.compile("^Support calls rerouted")
REROUTE = "reroute_support_calls.yaml"


@pytest.fixture(scope="module")
def planner_url() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as one:
            yield one
    except NoBrowser as reason:
        if os.environ.get("CSM_PLANNER_BROWSER") == "required":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def question(replications: int, what_if: str = REROUTE, change: str = "") -> str:
    """The part of an address that asks a question."""
    more = f',"change":{change}' if change else ""
    return f'/?q={{"baseline":"baseline.yaml","what_if":"{what_if}","replications":{replications}{more}}}'


def open_page(browser: Browser, url: str, width: int = 1400) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(url)
    expect(run_button(page)).to_be_enabled(timeout=PAGE_MILLISECONDS)
    return page


def run_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"\bRun$"))


def verdict(page: Page) -> Locator:
    return page.get_by_test_id("stAlert").filter(has_text=VERDICT)


def run(page: Page) -> None:
    run_button(page).click()
    expect(verdict(page)).to_be_visible(timeout=RUN_MILLISECONDS)
    drawn(page)


def drawn(page: Page) -> None:
    """Waits until the page is whole: a button pressed while it still draws itself may lose the press."""
    whole = expect(page.get_by_test_id("stApp"))
    whole.to_have_attribute("data-test-script-state", "notRunning", timeout=PAGE_MILLISECONDS)


def no_errors(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)


def sentence(page: Page) -> Locator:
    return page.get_by_role("heading", name=re.compile("^From "))


def contribution(page: Page) -> Locator:
    """The headline number. While a page draws itself anew, the old one may stand there beside the new one."""
    return page.get_by_test_id("stMetric").filter(has_text="Contribution").first


def test_the_reroute_answer_is_three_clicks_from_a_fresh_start(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url)
    expect(sentence(page)).to_contain_text("all support calls, about")
    page.get_by_role("button", name=re.compile("Replications, luck")).click()  # 1
    field = page.get_by_role("spinbutton", name=re.compile("^Replications"))
    field.fill("2")
    field.press("Enter")
    page.keyboard.press("Escape")
    run(page)  # 2
    expect(page.get_by_test_id("stMetric")).to_have_count(4)
    for title in ("Why", "When", "Who pays, who gains", "What it costs", "How sure", "Take it along"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    no_errors(page)
    page.close()


@pytest.mark.slow
def test_moving_the_share_slider_changes_the_sentence_and_marks_the_answer_stale(
    browser: Browser, planner_url: str
) -> None:
    page = open_page(browser, planner_url + question(2))
    run(page)
    before = contribution(page).inner_text()
    page.get_by_role("slider", name=SHARE).focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    expect(sentence(page)).to_contain_text("60 % of the support calls", timeout=20_000)
    expect(page.get_by_text("This answer is stale")).to_be_visible()
    assert contribution(page).inner_text() == before, "the stale answer stays on the page"
    run_button(page).click()
    another = expect(contribution(page))  # another share, another answer
    another.not_to_have_text(before, use_inner_text=True, timeout=RUN_MILLISECONDS)
    drawn(page)
    expect(page.get_by_text("This answer is stale")).to_have_count(0)
    no_errors(page)
    page.close()


@pytest.mark.slow
def test_cancel_ends_a_long_run_and_the_next_one_works(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url + question(1000))
    run_button(page).click()
    expect(page.get_by_text(re.compile(r"of 1000 replications done"))).to_be_visible(timeout=RUN_MILLISECONDS)
    page.get_by_role("button", name=re.compile("Cancel$")).click()
    expect(page.get_by_text("Cancelled.")).to_be_visible(timeout=10_000)
    page.goto(planner_url + question(2))
    run(page)
    page.close()


@pytest.mark.slow
def test_a_link_restores_the_question_and_the_answer(browser: Browser, planner_url: str) -> None:
    rule = '{"from":"csm","to":"support","share":0.7,"how":"warm_transfer"}'
    change = f'{{"from":"2026-10-01","set":{{"routing.rules":[{rule}],"teams.support.headcount":7}}}}'
    page = open_page(browser, planner_url + question(2, change=change))
    expect(sentence(page)).to_contain_text("From 1 October 2026 70 % of the support calls")
    expect(sentence(page)).to_contain_text("the Support team has 7 people, 2 more")
    run(page)
    found, link = contribution(page).inner_text(), page.url
    page.close()

    again = browser.new_page()
    again.goto(link)
    expect(verdict(again)).to_be_visible(timeout=PAGE_MILLISECONDS)
    assert contribution(again).inner_text() == found, "a page that is loaded again has its answer at once"
    again.close()


@pytest.mark.slow
def test_a_broken_link_is_answered_with_its_reason(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url + '/?q={"baseline":"../secret.yaml","what_if":"x.yaml"}')
    expect(page.get_by_text("This link cannot be followed: baseline")).to_be_visible()
    no_errors(page)
    page.close()


@pytest.mark.slow
def test_two_sessions_at_once_get_their_own_answers(browser: Browser, planner_url: str) -> None:
    long = open_page(browser, planner_url + question(1000, "one_more_csm.yaml"))
    short = open_page(browser, planner_url + question(3))
    run_button(long).click()
    expect(long.get_by_text(re.compile(r"of 1000 replications done"))).to_be_visible(timeout=RUN_MILLISECONDS)
    run(short)
    expect(verdict(short)).to_contain_text("Reroute support calls")
    expect(verdict(long)).to_have_count(0)
    expect(long.get_by_text(re.compile(r"of 1000 replications done"))).to_be_visible()
    long.get_by_role("button", name=re.compile("Cancel$")).click()
    expect(long.get_by_text("Cancelled.")).to_be_visible(timeout=10_000)
    for page in (long, short):
        no_errors(page)
        page.close()


@pytest.mark.slow
def test_a_phone_shows_the_answer_without_sideways_scrolling(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url + question(2), width=400)
    run(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400, f"the page is {wide} pixels wide on a screen of 400"
    no_errors(page)
    page.close()


def download(page: Page, name: str, target: Path) -> None:
    """Takes a file along; Chromium sometimes drops or cancels a download while the page draws itself anew."""
    for last in (False, False, True):
        try:
            with page.expect_download(timeout=PAGE_MILLISECONDS / 4) as waiting:
                page.get_by_role("button", name=re.compile(f"{name}$")).click()
        except PlaywrightTimeout:
            if last:
                raise
            continue
        if waiting.value.failure() is None:
            break
    waiting.value.save_as(target)
    assert waiting.value.suggested_filename == target.name


@pytest.mark.slow
def test_downloads_are_the_scenario_the_numbers_and_the_json(
    browser: Browser, planner_url: str, tmp_path: Path
) -> None:
    page = open_page(browser, planner_url + question(2))
    run(page)
    for name, file, inside in (
        ("Scenario file", REROUTE, "routing.rules"),
        ("KPIs as CSV", "kpis.csv", "contribution"),
        ("Everything as JSON", "comparison.json", '"provenance"'),
    ):
        download(page, name, tmp_path / file)
        assert inside in (tmp_path / file).read_text(encoding="utf-8-sig")
    expect(page.get_by_text("csm-planner compare scenarios/baseline.yaml")).to_be_visible()
    page.close()


def upload(page: Page, name: str, text: str) -> None:
    """Puts an account list on the page."""
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("input[type=file]").first.set_input_files(files=[file])  # type: ignore[list-item]


@pytest.mark.slow
def test_a_good_list_is_used_on_all_pages_and_a_bad_one_is_answered_with_all_its_problems(
    browser: Browser, planner_url: str
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{planner_url}/accounts")
    expect(page.get_by_role("heading", name="Your accounts")).to_be_visible(timeout=PAGE_MILLISECONDS)
    upload(page, "bad.csv", "account,arr,start\nA,-5,2025-01-01\nB,many,2025-02-30\n")
    expect(page.get_by_text(re.compile("problems? to repair; nothing was taken over"))).to_be_visible()
    for told in ("bad.csv:2", "bad.csv:3"):
        expect(page.get_by_text(told).first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Use these accounts$"))).to_have_count(0)

    rows = "".join(f"A{i},=HYPERLINK(1) {i},{4000 * i},2025-0{i}-15\n" for i in range(1, 7))
    page.goto(f"{planner_url}/accounts")
    expect(page.get_by_role("heading", name="Your accounts")).to_be_visible(timeout=PAGE_MILLISECONDS)
    upload(page, "good.csv", f"account,name,arr,start\n{rows}")
    use = page.get_by_role("button", name=re.compile("Use these accounts$"))
    expect(use).to_be_visible(timeout=PAGE_MILLISECONDS)
    use.click()
    expect(page.get_by_text(re.compile("In use on all pages"))).to_be_visible(timeout=PAGE_MILLISECONDS)
    page.get_by_test_id("stTopNavLink").filter(has_text="Decide").click()
    expect(page.get_by_text("Your accounts are in use: good.csv")).to_be_visible(timeout=PAGE_MILLISECONDS)
    expect(run_button(page)).to_be_enabled(timeout=PAGE_MILLISECONDS)
    no_errors(page)
    page.close()


@pytest.mark.slow
def test_coming_back_to_the_question_finds_everything_where_it_was(browser: Browser, planner_url: str) -> None:
    page = open_page(browser, planner_url + question(2, "reroute_and_hire.yaml"))
    page.get_by_role("slider", name=SHARE).focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(sentence(page)).to_contain_text("90 % of the support calls", timeout=20_000)
    said = sentence(page).inner_text()
    for link, title in (("Who is at risk", "Who is at risk?"), ("Decide", "What does the decision do?")):
        page.get_by_test_id("stTopNavLink").filter(has_text=link).click()
        expect(page.get_by_role("heading", name=title)).to_be_visible(timeout=PAGE_MILLISECONDS)
    expect(sentence(page)).to_contain_text("90 % of the support calls", timeout=20_000)
    assert sentence(page).inner_text() == said
    no_errors(page)
    page.close()


@pytest.mark.slow
def test_a_link_opens_a_story_and_another_account_can_be_picked_kept_and_reloaded(
    browser: Browser, planner_url: str
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{planner_url}/stories?scenario=baseline.yaml&account=small-12")
    told = page.get_by_role("heading", name="small-12", exact=True)
    expect(told).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    drawn(page)
    field = page.get_by_role("combobox", name=re.compile("Account"))
    field.fill("midmarket-86")
    field.press("Enter")
    other = page.get_by_role("heading", name="midmarket-86", exact=True)
    expect(other).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page).to_have_url(re.compile("account=midmarket-86"))
    drawn(page)
    page.get_by_test_id("stTopNavLink").filter(has_text="Decide").click()
    expect(page.get_by_role("heading", name="What does the decision do?")).to_be_visible()
    page.get_by_test_id("stTopNavLink").filter(has_text="Stories").click()
    expect(other).to_be_visible(timeout=PAGE_MILLISECONDS)
    drawn(page)
    page.reload()
    expect(other).to_be_visible(timeout=PAGE_MILLISECONDS)
    no_errors(page)
    page.close()
