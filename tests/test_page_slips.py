"""What may be a slip in a scenario is told on every page that takes one, as `validate` tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pages import BASELINE, REROUTE, World, named, open_page, plain, use_folder, write, write_company

from planner import slips
from sim.scenario import load_scenario
from sim.scenario.doubts import doubts

pytest_plugins = ("pages",)

FIERCE = {"departures.drivers.competition.hazard_per_year": 10}


@pytest.fixture
def fierce(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small company that nearly everybody would leave within a year, in all its tiers."""
    use_folder(monkeypatch, write_company(tmp_path, FIERCE))
    return tmp_path


@pytest.mark.parametrize("path", ["decide", "worth", "stories"])
def test_each_page_that_takes_a_scenario_tells_what_validate_tells(fierce: Path, path: str) -> None:
    told = doubts(load_scenario(fierce / BASELINE))
    assert len(told) == 3, "one for each tier"
    page = open_page(path)
    assert not page.exception
    shown = plain(page)
    assert "3 warnings: allowed, and perhaps a slip" in shown
    assert all(shown.count(doubt) == 1 for doubt in told), "what the what-if shares is told once"
    assert sum("perhaps a slip" in one.value for one in page.warning) == 1, "in one box"


def test_the_page_of_accounts_tells_them_for_the_list_that_it_takes(
    fierce: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("accounts")
    assert "perhaps a slip" not in plain(page), "nothing is taken yet"
    named(page.button, "Try it with the example list").click()
    page.run()
    assert not page.exception
    assert "warnings: allowed, and perhaps a slip" in plain(page)


@pytest.mark.parametrize("path", ["decide", "worth", "accounts", "stories"])
def test_a_scenario_without_slips_is_told_nothing(world: World, path: str) -> None:
    assert "perhaps a slip" not in plain(open_page(path))


def test_many_are_folded_up_and_each_names_its_file(fierce: Path) -> None:
    what_if: dict[str, Any] = {
        "name": "Worse",
        "extends": BASELINE,
        "changes": [{"from": "2026-03-02", "set": {"departures.drivers.competition.hazard_per_year": 12}}],
    }
    write(fierce / REROUTE, what_if)
    page = open_page("decide")
    assert not page.exception
    (box,) = [one for one in page.expander if "perhaps a slip" in one.label]
    assert box.label == "6 warnings: allowed, and perhaps a slip"
    lines = box.markdown[0].value.replace("\\", "").split("\n")
    assert [line.split(":")[0] for line in lines] == [f"- {BASELINE}"] * 3 + [f"- {REROUTE}"] * 3
    assert not page.warning


def test_a_name_in_a_warning_does_not_format_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slips, "doubts", lambda scenario: ["tiers.*big*: [a](http://b)"])
    shown = "\n".join(one.value for one in open_page("decide").warning)
    assert "[a](http" not in shown
    assert "*big*" not in shown
