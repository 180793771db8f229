"""Why a what-if does what it does: one paragraph, from the people's load over the customers' states to churn.

In: the registry and the paired differences of one scenario. Out: sentences that name only what is clear: KPIs whose
adjusted interval excludes 0, or, for KPIs without a better direction, whose pointwise one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.study.decision import plain_change
from sim.study.kpi_parts import DRIVERS
from sim.study.kpis import Kpi, team_title
from sim.study.statistics import Difference

TEAM_LOAD = ("occupancy", "overtime_hours", "wait_mean_minutes", "fcr", "quits_per_year")
WORK = ("proactive_completed_share", "onboarding_failed_share", "self_service_share")
STATES = ("satisfaction_mean", "adoption_end", "executive_contact_mean")
SMALLEST_SHARE = 0.1  # of the largest driver's move, below which a driver is not named


def why(kpis: Mapping[str, Kpi], differences: Mapping[str, Difference], teams: Sequence[str]) -> str:
    """The chain of effects in words; says so if nothing moves clearly."""
    sentences = []
    for team in teams:
        moved = _moved([f"{team}.{name}" for name in TEAM_LOAD], kpis, differences)
        if moved:
            sentences.append(f"{team_title(team)}: {_listed(moved)}.")
    for start, names in (("Work with customers", WORK), ("Customers", STATES)):
        moved = _moved(names, kpis, differences)
        if moved:
            sentences.append(f"{start}: {_listed(moved)}.")
    drivers = _drivers(kpis, differences)
    if drivers:
        sentences.append(drivers)
    return " ".join(sentences) or "Nothing on the way from load to churn moves clearly."


def _clear(difference: Difference) -> bool:
    """Whether the difference is told from 0."""
    interval = difference.ci95 if difference.verdict is None else difference.ci95_adjusted
    return difference.mean is not None and interval is not None and not interval[0] <= 0 <= interval[1]


def _moved(names: Sequence[str], kpis: Mapping[str, Kpi], differences: Mapping[str, Difference]) -> list[str]:
    """What moves clearly, as 'overtime −714 h'."""
    return [
        f"{_short(kpis[name])} {plain_change(differences[name].mean, kpis[name].unit)}"
        for name in names
        if name in differences and _clear(differences[name])
    ]


def _short(kpi: Kpi) -> str:
    """A KPI's label without its team, small in the middle of a sentence."""
    words = kpi.label
    if "." in kpi.name:
        words = words.removeprefix(f"{team_title(kpi.name.split('.', 1)[0])} ")
    return words if words[1:2].isupper() else words[0].lower() + words[1:]


def _drivers(kpis: Mapping[str, Kpi], differences: Mapping[str, Difference]) -> str:
    """The drivers by which churn moves, the largest first."""
    clear = {
        driver: float(differences[name].mean or 0.0)
        for driver in DRIVERS
        if (name := f"churn_per_year.{driver}") in differences and _clear(differences[name])
    }
    largest = max(map(abs, clear.values()), default=0.0)
    named = [driver for driver in clear if abs(clear[driver]) >= SMALLEST_SHARE * largest and largest > 0]
    if not named:
        return ""
    unit = kpis["logo_churn_per_year"].unit
    parts = [f"{driver} {plain_change(clear[driver], unit)}" for driver in sorted(named, key=lambda d: -abs(clear[d]))]
    churn = differences["logo_churn_per_year"]
    total = f"Yearly churn {plain_change(churn.mean, unit)}" if _clear(churn) else "Yearly churn does not move clearly"
    return f"{total}; by driver: {_listed(parts)}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
