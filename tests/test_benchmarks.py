"""The benchmarks run and print their tables, and the two yardsticks are one model. No time is asserted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import loops
from benchmarks.company import accounts_in, company, contacts_simulated, run_once
from benchmarks.report import SECTIONS, Size, report
from benchmarks.weekday import occupied

TINY = Size(rounds=1, study_rounds=1, replications=(2,), accounts=(40, 80), largest=80, weeks=3, warm_up_weeks=2)


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of each table row, headings and rules left out."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells[1:] if not row[0].startswith("--")]


def test_processes_and_rows_serve_the_same_contacts_after_the_same_waits():
    drawn = loops.draw(3000)
    served, waited = loops.rows_and_callbacks(drawn)
    served_by_processes, waited_by_processes = loops.processes(drawn)
    assert served == served_by_processes == 3000, "every contact must be served once, or the times do not compare"
    assert waited > 0, "nobody waited: the yardsticks would not use their queues"
    # The two sum the same waits in another order: 3,000 additions round by far less than a millionth.
    assert waited == pytest.approx(waited_by_processes, rel=1e-6), "the yardsticks must be one model with the same luck"


def test_a_larger_company_grows_in_proportion_in_accounts_and_people():
    small, large = company(400, 3, 0), company(1600, 3, 0)
    assert accounts_in(large) == 4 * accounts_in(small) == 1600, "the sizes in the table must be the sizes simulated"
    small_teams, large_teams = ([team.headcount for team in inputs.phases[0].teams] for inputs in (small, large))
    assert large_teams == [4 * people for people in small_teams], "a fuller or emptier queue would change the cost"


def test_contacts_simulated_count_the_warm_up_and_the_ledger_does_not():
    inputs = company(40, 3, 2)
    without = company(40, 3, 0)
    assert contacts_simulated(inputs) > run_once(inputs), "the warm-up's contacts cost time and must be counted"
    assert contacts_simulated(without) == run_once(without), "without a warm-up each contact is in the ledger once"


@pytest.mark.slow
def test_engine_section_compares_three_models_on_the_same_number_of_contacts():
    bare, process, model, alone = rows(list(report(TINY, ["engine"])))
    assert bare[1] == process[1] == model[1], "a ratio per contact needs the same number of contacts"
    assert bare[5] == bare[6] == process[7] == "1.00", "each yardstick is its own unit"
    assert int(alone[1].replace(",", "")) < int(model[1].replace(",", "")), "the run alone leaves the warm-up out"


@pytest.mark.slow
def test_scale_section_has_a_row_per_number_of_accounts():
    table = rows(list(report(TINY, ["scale"])))
    assert [row[0] for row in table] == ["40", "80"], "one row per size asked for"
    assert table[0][5] == "1.00", "the first size is the unit of the others"


def test_memory_section_gives_bytes_per_row_and_the_worker_s_peak():
    table = rows(list(report(TINY, ["memory"])))
    assert [row[0] for row in table] == ["40", "80"], "the smallest and the largest size"
    for _, ledger_rows, bytes_per_row, peak in table:
        assert int(ledger_rows) > 0, "an empty ledger would make the bytes per row meaningless"
        assert 40 <= int(bytes_per_row) <= 100, "19 typed columns take at least 40 bytes, and 100 is the promise"
        assert int(peak) >= 20, "a process with numpy and simpy holds more than 20 MiB: the peak was not read"


@pytest.mark.slow
def test_studies_section_runs_a_comparison_cold_and_warm():
    past_the_change = replace(TINY, weeks=27, warm_up_weeks=0, replications=(1,))  # the what-if starts in week 26
    table = rows(list(report(past_the_change, ["studies"])))
    assert [row[0].split(":")[0] for row in table] == ["1 × 2, cold", "1 × 2, warm"], "both starts, one row each"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_heading_names_the_command_that_prints_its_section(section: str):
    heading = next(report(TINY, [section], " --quick"))
    assert re.search(r"`(.+)`", heading)[1] == f"python -m benchmarks --quick {section}", (
        "a figure must say how to print it again"
    )


def test_an_unknown_section_is_refused_with_the_names_that_there_are(project: Path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "sped"], cwd=project, capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 2, "a misspelt section must not run anything"
    assert all(name in done.stderr for name in SECTIONS), "the message must list the sections that can be asked for"


def test_a_working_days_profile_adds_up_to_the_hours() -> None:
    began, ended = np.array([9.0, 24 * 4 + 16.75, 168 + 9.25]), np.array([10.25, 24 * 4 + 17.0, 168 + 33.5])
    found = occupied(began, ended, days=10)
    hours = found.sum() / 2 * 10
    assert hours == pytest.approx(1.25 + 0.25 + 24.25), "half-hour bins times ten days give the hours back"
    assert found[18] * 10 == pytest.approx(1 + 1 * 0.5 + 1), "from nine: one whole, half of another, a whole next day"
