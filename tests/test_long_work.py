"""Work that is longer than a shift: hours inside and outside the shift stay apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import load_scenario

BASELINE = Path(__file__).parents[1] / "scenarios" / "baseline.yaml"


def test_nobody_works_more_hours_inside_the_shift_than_on_duty() -> None:
    inputs = compile_inputs(load_scenario(BASELINE, {"weeks": 8, "categories.break_fix.handle_time_mean_minutes": 900}))
    people = next(replicate(inputs, [inputs], 1, 0)).people_weeks
    inside = people["handling_hours"].astype(np.float64) - people["overtime_hours"]
    assert people["overtime_hours"].max() > 20, "the test needs work that runs through nights"
    worst = float((inside - people["on_duty_hours"]).max())
    assert worst < 1e-3, f"{worst:.3f} hours more inside the shift than on duty (columns keep about 7 digits)"


def test_a_call_that_was_called_back_is_live_again_when_it_comes_back() -> None:
    inputs = compile_inputs(
        load_scenario(BASELINE, {"weeks": 8, "teams.support.headcount": 14, "teams.support.shift.start": "13:00"})
    )
    rows = next(replicate(inputs, [inputs], 1, 0)).contacts
    on_line = inputs.live[rows["channel"]] & (rows["team"] == inputs.teams.index("support")) & (rows["born"] >= 0)
    hour, weekday = rows["born"] % 24, rows["born"] // 24 % 7
    repeats = on_line & (rows["attempt"] > 0) & (hour > 13) & (hour < 17) & (weekday < 5)
    assert repeats.sum() > 20, "the test needs customers who come back in open hours"
    assert rows["live"][repeats].all(), "in open hours a repeated call waits on the line, whatever became of the first"
