"""What is said about large studies: the forecast is plain arithmetic on what was measured. No time is asserted."""

from __future__ import annotations

import math
import re

import pytest
from test_benchmarks import TINY, rows

from benchmarks import scale_out, workers
from benchmarks.scale_out import AIM_REPLICATIONS, Figures, Sizes

LENGTH = {"weeks": 40, "accounts.warm_up_weeks": 0}


def figures(accounts: int, seconds: float) -> Figures:
    return Figures(accounts, 10, 100 * accounts, seconds, 50.0, 10.0, 1, 1, 1, 1)


def test_a_forecast_lies_on_the_line_through_the_two_companies_measured() -> None:
    sizes = Sizes(figures(100, seconds=3.0), figures(500, seconds=11.0))
    assert sizes.at(1000, lambda one: one.seconds) == pytest.approx(21.0), "3 s and 2 s more for each further 100"
    assert sizes.at(1000, lambda one: one.peak_mebibytes) == pytest.approx(50.0), "what does not grow stays"


@pytest.mark.slow
def test_the_hours_of_a_large_study_follow_from_the_lines_above_them() -> None:
    # 80 weeks, since the what-ifs' changes must lie within the run.
    lines = list(
        scale_out.scale_out(
            TINY.accounts, checks=(100,), tasks=10, rounds=1, weeks=80, warm_up_weeks=TINY.warm_up_weeks
        )
    )
    text = "\n".join(lines)
    first, others, dated, whole = (
        float(found.replace(",", ""))
        for found in re.search(r"A replication: ([\d,]+) \+ (\d+) × ([\d,]+) = ([\d,]+) s", text).groups()
    )
    assert whole == pytest.approx(first + others * dated, abs=others), "each addend is rounded to a second"
    at_once = int(re.search(r"GiB: (\d+) of them on a machine", text)[1])
    machines = [row for row in rows(lines[lines.index("") :]) if len(row) == 4 and row[1].isdigit()]
    assert [int(row[1]) for row in machines] == [at_once * count for count in scale_out.MACHINES]
    for row in machines:
        turns = math.ceil(AIM_REPLICATIONS / int(row[1]))
        assert float(row[2]) == pytest.approx(turns * whole / 3600, abs=0.06), "replications in turns, one per worker"
    assert float(machines[-1][3]) <= float(machines[-1][2]), "with more workers than replications, parts are faster"


@pytest.mark.slow
def test_the_workers_section_compares_the_same_replications() -> None:
    alone, one, two = rows(list(workers.workers(1, 1, LENGTH)))
    assert [alone[0], one[0], two[0]] == ["alone", "one worker", "two workers"]
    assert alone[5] == "1.000", "the model alone is the unit"
    assert float(alone[2]) == 0, "nobody else worked for it"
    assert float(one[2]) > 0, "the worker's processor time was not read"
