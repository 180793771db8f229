"""The shipped scenarios: all are listed, and what passes leaves the company as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario import load_scenario, phases

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))
ABOUT = {"name", "description", "changes"}


def test_every_shipped_scenario_is_listed() -> None:
    page = (ROOT / "docs/scenario-files.md").read_text(encoding="utf-8")
    table = page.partition("## What is shipped")[2].partition("\n## ")[0]
    missing = [path.stem for path in SHIPPED if f"`{path.stem}`" not in table]
    assert not missing, "nobody finds what is not listed"


@pytest.mark.parametrize("name", ["demand_surge", "outage_month", "downturn"])
def test_what_passes_leaves_the_company_as_it_was(name: str) -> None:
    """The last dated change writes the baseline's values out: this holds them to it when the baseline moves."""
    before, during, after = (
        phase.scenario.model_dump(exclude=ABOUT) for phase in phases(load_scenario(ROOT / f"scenarios/{name}.yaml"))
    )
    assert during != before
    assert after == before == load_scenario(ROOT / "scenarios/baseline.yaml").model_dump(exclude=ABOUT)


def test_a_surge_is_the_same_share_more_of_every_support_call() -> None:
    before, during, _ = (
        phase.scenario.categories for phase in phases(load_scenario(ROOT / "scenarios/demand_surge.yaml"))
    )
    calls = [name for name, category in before.items() if category.support_call]
    more = [
        (during[name].contacts_per_account_month or 0.0) / (before[name].contacts_per_account_month or 1.0)
        for name in calls
    ]
    assert more == [pytest.approx(1.3)] * len(calls)
