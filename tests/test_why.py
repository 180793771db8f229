"""The paragraph that says why: what is clear is named, with its sign; what is not is left out."""

from __future__ import annotations

from typing import Any

from kpi_tables import make_inputs

from sim.study.kpis import registry
from sim.study.statistics import Difference
from sim.study.why import why

KPIS = registry(make_inputs())
TEAMS = ("csm", "support")


def moved(mean: float, half: float, verdict: Any = "better") -> Difference:
    """A difference with its interval on both sides of the mean."""
    interval = (mean - half, mean + half)
    return Difference(
        mean, interval, interval, verdict, reason=None, more_replications=None, negligible=False, count=10
    )


def test_the_chain_goes_from_load_to_states_to_drivers() -> None:
    text = why(
        KPIS,
        {
            "logo_churn_per_year": moved(-0.01, 0.002),
            "churn_per_year.disconnection": moved(-0.006, 0.001),
            "churn_per_year.disengagement": moved(-0.004, 0.001),
            "churn_per_year.downturn": moved(-0.0001, 0.00001),
            "executive_contact_mean": moved(0.04, 0.01),
            "proactive_completed_share": moved(0.25, 0.03),
            "csm.overtime_hours": moved(-700.0, 50.0),
            "support.occupancy": moved(0.08, 0.01, None),
        },
        TEAMS,
    )
    assert text == (
        "CSM: overtime −700 h. Support: occupancy +8.00 pts. Work with customers: planned work completed +25.00 pts. "
        "Customers: executive contact +0.040. "
        "Yearly churn −1.00 pts; by driver: disconnection −0.60 pts and disengagement −0.40 pts."
    ), "a driver below a tenth of the largest is not named"


def test_what_may_be_chance_is_not_a_reason() -> None:
    text = why(KPIS, {"csm.overtime_hours": moved(-700.0, 800.0), "satisfaction_mean": moved(0.0, 0.0)}, TEAMS)
    assert text == "Nothing on the way from load to churn moves clearly."
