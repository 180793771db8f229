"""Writes the page of all KPIs: `python -m sim.study.kpi_page scenarios/baseline.yaml > docs/kpis.md`.

In: a scenario file, for its teams and currency. Out: the page, made from the registry alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from sim.model.compile import compile_inputs
from sim.scenario import load_scenario
from sim.study.kpis import HEADLINE, REALISED, Kpi, registry

_HEAD = """\
# KPIs

Made by `python -m sim.study.kpi_page scenarios/baseline.yaml > docs/kpis.md` from the registry in `sim/study/kpis.py`;
do not edit. The teams and the currency are those of the shipped company.

- **Covers**: whose experience the number speaks of. KPIs cover the weeks of the scenario's `window`, by default all.
- **Better**: the direction that counts as better; without one, a KPI gets no verdict.
- **Matters**: the smallest difference worth acting on. Per cent are of the baseline's mean; points, percentage points.
- **Twin**: where a departure counts, the plain name uses its expectation, and `<name>_realised` what happened (see
  [model.md](model.md#the-expectation-of-leaving)). Both estimate the same thing; the plain one varies less.
- **H** marks the headline KPIs, which make up the first family of tests (see [statistics.md](statistics.md)).
- A ratio with nothing in its denominator has no value: `null` in JSON, and left out of means.
"""

_COLUMNS = ("KPI", "Unit", "Covers", "Better", "Matters", "Twin", "Definition")


def page(kpis: dict[str, Kpi], teams: Iterable[str]) -> str:
    """The page in Markdown: the company, the drivers of leaving, each tier, then each team."""
    titles = {team: f"Team `{team}`" for team in teams}
    parts: dict[str, list[Kpi]] = {"Company": [], "Drivers of leaving": []}
    for kpi in kpis.values():
        if kpi.name.endswith(REALISED):
            continue
        first, *rest = kpi.name.split(".")
        title = f"Tier `{rest[0]}`" if first == "tier" and len(rest) == 2 else titles.get(first, "Drivers of leaving")
        parts.setdefault(title if rest else "Company", []).append(kpi)
    return _HEAD + "".join(f"\n## {title}\n\n{_table(rows, kpis)}" for title, rows in parts.items() if rows)


def _table(rows: Iterable[Kpi], kpis: dict[str, Kpi]) -> str:
    cells = [_COLUMNS, ("---",) * len(_COLUMNS), *(_row(kpi, kpis) for kpi in rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _row(kpi: Kpi, kpis: dict[str, Kpi]) -> tuple[str, ...]:
    return (
        f"`{kpi.name}`{' **H**' if kpi.name in HEADLINE else ''}",
        kpi.unit,
        kpi.covers,
        kpi.better or "–",
        _matters(kpi),
        "yes" if kpi.name + REALISED in kpis else "–",
        kpi.definition,
    )


def _matters(kpi: Kpi) -> str:
    if kpi.relative:
        return f"{100 * kpi.matters:g} %"
    if not kpi.unit.startswith("share"):
        return f"{kpi.matters:g}"
    return f"{100 * kpi.matters:g} {'point' if kpi.matters == 0.01 else 'points'}"


def text(scenario_file: str | Path) -> str:
    """The page for a scenario file."""
    scenario = load_scenario(Path(scenario_file))
    inputs = compile_inputs(scenario)
    return page(registry(inputs, scenario.currency), inputs.teams)


def main(arguments: list[str]) -> int:
    """The command: writes the page to stdout."""
    parser = argparse.ArgumentParser(prog="python -m sim.study.kpi_page", description="Writes the page of all KPIs.")
    parser.add_argument("scenario", metavar="SCENARIO", help="scenario file whose teams and currency hold")
    sys.stdout.write(text(parser.parse_args(arguments).scenario))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
