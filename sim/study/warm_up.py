"""Whether the warm-up is long enough: the same company, the same luck, and twice the warm-up.

In: KPI values of both, replication by replication. Out: a `WarmUpCheck`.

What is left of an empty start would show as a difference that the longer warm-up makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.scenario import Scenario
from sim.study.decision import plain_change, plain_interval
from sim.study.errors import StudyInputError
from sim.study.kpis import HEADLINE, Kpi
from sim.study.statistics import Difference, compare_kpis

if TYPE_CHECKING:
    from sim.study.results import RunResult

SHORTEST_WEEKS, LONGEST_WEEKS = 13, 104  # of the longer warm-up; the longest is the schema's


@dataclass(frozen=True)
class WarmUpCheck:
    """What a longer warm-up changes. weeks, longer_weeks : both warm-ups.

    changes, sizes : of the headline KPIs there are, and from which size on a change matters.
    """

    weeks: int
    longer_weeks: int
    replications: int
    registry: Mapping[str, Kpi]
    sizes: Mapping[str, float]
    changes: Mapping[str, Difference]

    @property
    def too_short_for(self) -> list[str]:
        """KPIs that surely change by more than what matters."""
        return [name for name, change in self.changes.items() if self._surely(name, change)]

    @property
    def open_for(self) -> list[str]:
        """KPIs of which it cannot be told."""
        clear = self.too_short_for
        return [name for name, change in self.changes.items() if name not in clear and not change.negligible]

    @property
    def sentence(self) -> str:
        """The check in words."""
        start = f"Warm-up: with {self.longer_weeks} weeks instead of {self.weeks}"
        short, unclear = self.too_short_for, self.open_for
        if short:
            return f"{start}, {'; '.join(map(self._change, short))}. That matters: use a longer one."
        if unclear:
            return (
                f"{start} nothing surely changes by more than what matters, but it cannot be told whether "
                f"{'; '.join(map(self._change, unclear))}. More --replications tell."
            )
        return f"{start} no headline KPI changes by more than what matters."

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "weeks": self.weeks,
            "longer_weeks": self.longer_weeks,
            "replications": self.replications,
            "kpis": {
                name: {
                    "mean": change.mean,
                    "ci95_adjusted": change.ci95_adjusted and list(change.ci95_adjusted),
                    "matters": name in self.too_short_for,
                    "negligible": change.negligible,
                }
                for name, change in self.changes.items()
            },
        }

    def _surely(self, name: str, change: Difference) -> bool:
        if change.ci95_adjusted is None or change.negligible:
            return False
        low, high = change.ci95_adjusted
        return low > self.sizes[name] or high < -self.sizes[name]

    def _change(self, name: str) -> str:
        change, kpi = self.changes[name], self.registry[name]
        interval = plain_interval(change.ci95_adjusted, kpi.unit)
        return f"{kpi.label} changes by {plain_change(change.mean, kpi.unit)} ({interval})"


def with_longer(scenario: Scenario) -> Scenario:
    """The scenario with twice its warm-up. Raises StudyInputError if it is the longest already."""
    weeks = scenario.accounts.warm_up_weeks
    if weeks >= LONGEST_WEEKS:
        raise StudyInputError(f"The warm-up of {weeks} weeks cannot be checked: there is no longer one.")
    longer = min(LONGEST_WEEKS, max(SHORTEST_WEEKS, 2 * weeks))
    return scenario.model_copy(update={"accounts": scenario.accounts.model_copy(update={"warm_up_weeks": longer})})


def warm_up_check(scenario: Scenario, longer: Scenario, found: RunResult, after: RunResult) -> WarmUpCheck:
    """What the longer warm-up changes, over the replications that both runs have."""
    both = sorted(set(found.table.replications) & set(after.table.replications))
    names = [name for name in HEADLINE if name in found.registry]
    one, other = (
        {name: values[[run.table.replications.index(r) for r in both]] for name, values in run.table.of(0).items()}
        for run in (found, after)
    )
    kpis = {name: found.registry[name] for name in names}
    (changes,) = compare_kpis(kpis, one, [other])
    sizes = {name: kpi.size_that_matters(found.kpis[name].mean) for name, kpi in kpis.items()}
    weeks = [each.accounts.warm_up_weeks for each in (scenario, longer)]
    return WarmUpCheck(weeks[0], weeks[1], len(both), kpis, sizes, changes)
