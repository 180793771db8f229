"""Slow: how often the alert errs with the engine's own contacts, shifts and breaks."""

from __future__ import annotations

import numpy as np
import pytest
from small import run, small_inputs
from test_burnout_loop import CRITICAL, support_company_values

from sim.study.alerts import growing_queue, grows_from
from sim.study.work_flow import work_flow

CALM = {
    f"mechanisms.{name}": False for name in ("burnout", "turnover", "absence", "overtime", "abandonment", "repeats")
}
REPLICATIONS = 12


def waiting_at(load: float) -> np.ndarray:
    """(replications, weeks + 1) of a Support whose capacity stands still, so that its load is known."""
    inputs = small_inputs(support_company_values(load) | CALM)
    return np.array(
        [work_flow(run(inputs, replication=i), inputs).waiting[1] for i in range(REPLICATIONS)], dtype=float
    )


@pytest.mark.slow
def test_with_the_engines_own_queues_the_alert_tells_load_95_percent_from_110() -> None:
    for load, expected in ((0.9, 0), (0.95, 0), (1.1, REPLICATIONS)):
        waiting = waiting_at(load)
        begins = np.array([grows_from(one) for one in waiting])
        assert (begins >= 0).sum() == expected, f"load {load}, critical rate {CRITICAL}: from weeks {begins}"
        growing = growing_queue(waiting, begins)
        assert (growing is not None) == (expected > 0), f"load {load}: what the study tells"
        if growing is not None:
            assert growing.week <= 13, "from the start on"
            assert growing.ci95 is not None
            assert 10 < growing.ci95[0] < growing.ci95[1] < 20, "about a tenth of the 155 hours that five people do"
