"""Results of studies: typed, frozen, as tables and as JSON.

In: finished replications in order. Out: `RunResult` and `Comparison`. nan never leaves this module: in JSON
and in estimates it is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.model.inputs import Inputs
from sim.study.alerts import Alert
from sim.study.decision import Decision
from sim.study.kpi_costs import cost_categories, cost_teams
from sim.study.kpi_parts import FloatArray
from sim.study.kpi_series import COMPANY_MEASURES, TEAM_MEASURES, TIER_MEASURES
from sim.study.kpis import Kpi
from sim.study.looks import Looks, Reached
from sim.study.people_spread import PeopleSpread
from sim.study.provenance import Provenance
from sim.study.quarters import Quarters
from sim.study.ranking import Ranking
from sim.study.risk import RiskReport
from sim.study.statistics import ALPHA, Difference, Estimate, estimate, t_quantile
from sim.study.warm_up import WarmUpCheck
from sim.study.worker import Finished
from sim.study.worlds import Worlds

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class KpiTable:
    """KPI values of every replication. values : (scenarios, replications, kpis), nan where there is none."""

    scenarios: tuple[str, ...]
    replications: tuple[int, ...]
    kpis: tuple[str, ...]
    values: FloatArray

    def of(self, scenario: int) -> dict[str, FloatArray]:
        """(replications,) values by KPI name of one scenario, by its position."""
        return {name: self.values[scenario, :, i] for i, name in enumerate(self.kpis)}

    def to_frame(self) -> pandas.DataFrame:
        """A row per scenario and replication, a column per KPI."""
        import pandas

        index = pandas.MultiIndex.from_product([self.scenarios, self.replications], names=["scenario", "replication"])
        return pandas.DataFrame(self.values.reshape(len(index), len(self.kpis)), index=index, columns=list(self.kpis))


@dataclass(frozen=True)
class Band:
    """A weekly series: mean over replications and its 95 % interval, (weeks,) each, nan where unknown."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Series:
    """Weekly series of all scenarios.

    teams, tiers : (3, scenarios, measures, teams or tiers, weeks); the first axis is mean, low, high.
    companies : (3, scenarios, measures, weeks).
    company_changes : the same, of the paired differences to the first scenario.
    """

    scenarios: tuple[str, ...]
    team_names: tuple[str, ...]
    tier_names: tuple[str, ...]
    teams: FloatArray
    tiers: FloatArray
    companies: FloatArray
    company_changes: FloatArray

    @property
    def weeks(self) -> int:
        return int(self.teams.shape[-1])

    def team(self, scenario: str, team: str, measure: str) -> Band:
        """One team's series; `measure` is one of `TEAM_MEASURES`."""
        return self._band(self.teams, scenario, TEAM_MEASURES.index(measure), self.team_names.index(team))

    def tier(self, scenario: str, tier: str, measure: str) -> Band:
        """One tier's series; `measure` is one of `TIER_MEASURES`."""
        return self._band(self.tiers, scenario, TIER_MEASURES.index(measure), self.tier_names.index(tier))

    def company(self, scenario: str, measure: str) -> Band:
        """A series of the whole company; `measure` is one of `COMPANY_MEASURES`."""
        return self._company(self.companies, scenario, measure)

    def company_change(self, scenario: str, measure: str) -> Band:
        """Its paired difference to the first scenario: far narrower than the two series suggest."""
        return self._company(self.company_changes, scenario, measure)

    def _company(self, bands: FloatArray, scenario: str, measure: str) -> Band:
        return Band(*bands[:, self.scenarios.index(scenario), COMPANY_MEASURES.index(measure)])

    def _band(self, bands: FloatArray, scenario: str, measure: int, index: int) -> Band:
        return Band(*bands[:, self.scenarios.index(scenario), measure, index])

    def to_frame(self) -> pandas.DataFrame:
        """Long form: scenario, kind (team, tier or company), name, measure, week, mean, low, high."""
        import pandas

        rows = []
        for kind, names, measures, bands in (
            ("team", self.team_names, TEAM_MEASURES, self.teams),
            ("tier", self.tier_names, TIER_MEASURES, self.tiers),
            ("company", ("company",), COMPANY_MEASURES, self.companies),
        ):
            index = pandas.MultiIndex.from_product(
                [self.scenarios, [kind], measures, names, range(self.weeks)],
                names=["scenario", "kind", "measure", "name", "week"],
            )
            columns = {key: bands[i].ravel() for i, key in enumerate(("mean", "low", "high"))}
            rows.append(pandas.DataFrame(columns, index=index))
        return pandas.concat(rows).reset_index()


@dataclass(frozen=True)
class CostTable:
    """Mean cost by team and cost category over the window. values : (scenarios, teams, categories)."""

    scenarios: tuple[str, ...]
    teams: tuple[str, ...]
    categories: tuple[str, ...]
    values: FloatArray

    def to_frame(self) -> pandas.DataFrame:
        """A row per scenario and team, a column per cost category."""
        import pandas

        index = pandas.MultiIndex.from_product([self.scenarios, self.teams], names=["scenario", "team"])
        return pandas.DataFrame(
            self.values.reshape(len(index), len(self.categories)), index=index, columns=list(self.categories)
        )


@dataclass(frozen=True)
class ScenarioResult:
    """Estimates of one scenario by KPI name."""

    name: str
    replications: int
    kpis: Mapping[str, Estimate]


@dataclass(frozen=True)
class ScenarioDifference:
    """Differences of one scenario from the baseline by KPI name."""

    scenario: str
    baseline: str
    kpis: Mapping[str, Difference]


@dataclass(frozen=True)
class _Result:
    """What both kinds of result have.

    registry : what each KPI means. table : values by replication. precision : how well those KPIs are known that should
    be. people : how burnout is spread over them.
    alerts : what the means hide, per scenario. warnings : what may be a slip in each scenario's file, in sentences.
    quarters : when differences show. failures : replications that could not be had.
    """

    scenarios: tuple[ScenarioResult, ...]
    registry: Mapping[str, Kpi]
    table: KpiTable
    precision: tuple[Reached, ...]
    series: Series
    costs: CostTable
    people: PeopleSpread
    alerts: tuple[tuple[Alert, ...], ...]
    warnings: tuple[tuple[str, ...], ...]
    quarters: Quarters
    provenance: Provenance
    failures: tuple[str, ...]

    @property
    def replications(self) -> int:
        """Replications that the figures rest on."""
        return len(self.table.replications)

    def to_json(self) -> str:
        """The result as JSON text, with a line break at its end."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values: provenance, decision, scenarios, differences."""
        return {
            "provenance": self.provenance.to_dict(),
            "decision": [],
            "scenarios": [
                _scenario_dict(one, self.registry)
                | {"people": {team: spread.to_dict() for team, spread in self.people.scenarios[i].items()}}
                | {"alerts": [alert.to_dict() for alert in self.alerts[i]]}
                | {"warnings": list(self.warnings[i])}
                for i, one in enumerate(self.scenarios)
            ],
            "differences": [],
            "quarters": self.quarters.to_dict(),
        } | ({"precision": [one.to_dict() for one in self.precision]} if self.precision else {})


@dataclass(frozen=True)
class RunResult(_Result):
    """Estimates of one scenario. warm_up : whether its warm-up is long enough, if that was asked for."""

    warm_up: WarmUpCheck | None = None

    @property
    def name(self) -> str:
        return self.scenarios[0].name

    @property
    def kpis(self) -> Mapping[str, Estimate]:
        """Estimates by KPI name."""
        return self.scenarios[0].kpis

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, with the check of the warm-up if there is one."""
        return super().to_dict() | ({"warm_up": self.warm_up.to_dict()} if self.warm_up else {})

    def to_frame(self) -> pandas.DataFrame:
        """A row per KPI: mean, low and high end of the 95 % interval, sd, unit."""
        import pandas

        rows = {name: _estimate_row(one) | {"unit": self.registry[name].unit} for name, one in self.kpis.items()}
        return pandas.DataFrame.from_dict(rows, orient="index").rename_axis("kpi")


@dataclass(frozen=True)
class Ends:
    """A comparison with all estimated assumptions at their low ends, and again at their high ends.

    moved : how many are at their ends. left_out : why the others stay, by dotted path.
    """

    low: Comparison
    high: Comparison
    moved: int
    left_out: Mapping[str, str]

    @property
    def failures(self) -> tuple[str, ...]:
        """Replications that could not be had, at either end."""
        return (*self.low.failures, *self.high.failures)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: both comparisons, and what was moved and what was not."""
        return {
            "low": self.low.to_dict(),
            "high": self.high.to_dict(),
            "moved": self.moved,
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True)
class Comparison(_Result):
    """Estimates of a baseline (the first of `scenarios`) and of scenarios, differences, and decisions.

    looks : the how-manieth look at this question it is. ranking : of contributions, None for a single what-if.
    risk : who is at risk, a report per scenario in their order; None unless it was asked for.
    """

    differences: tuple[ScenarioDifference, ...]
    decisions: tuple[Decision, ...]
    looks: Looks
    ranking: Ranking | None = None
    risk: tuple[RiskReport, ...] | None = None
    ends: Ends | None = None
    worlds: Worlds | None = None

    @property
    def baseline(self) -> ScenarioResult:
        return self.scenarios[0]

    def to_frame(self) -> pandas.DataFrame:
        """A row per scenario and KPI: the means, the difference, both intervals, verdict, unit."""
        import pandas

        rows = []
        for one, difference in zip(self.scenarios[1:], self.differences, strict=True):
            for name, change in difference.kpis.items():
                low, high = change.ci95 or (None, None)
                adjusted_low, adjusted_high = change.ci95_adjusted or (None, None)
                rows.append(
                    {
                        "scenario": one.name,
                        "kpi": name,
                        "baseline": self.baseline.kpis[name].mean,
                        "mean": one.kpis[name].mean,
                        "difference": change.mean,
                        "low": low,
                        "high": high,
                        "adjusted_low": adjusted_low,
                        "adjusted_high": adjusted_high,
                        "verdict": change.verdict,
                        "reason": change.reason,
                        "more_replications": change.more_replications,
                        "unit": self.registry[name].unit,
                    }
                )
        return pandas.DataFrame(rows).set_index(["scenario", "kpi"])

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values: provenance, decision, scenarios, differences; ends, worlds if computed."""
        plain = super().to_dict() | {
            "decision": [
                {
                    "scenario": one.scenario,
                    "verdict": one.verdict,
                    "sentence": f"{one.sentence} {one.note}",
                    "why": one.why,
                }
                for one in self.decisions
            ],
            "differences": [
                {
                    "scenario": one.scenario,
                    "baseline": one.baseline,
                    "kpis": {name: _difference_dict(change) for name, change in one.kpis.items()},
                    "people": {
                        team: {"burnout": {name: figure.to_dict() for name, figure in figures.items()}}
                        for team, figures in people.items()
                    },
                }
                for one, people in zip(self.differences, self.people.changes, strict=True)
            ],
        }
        looks = {"looks": {"number": self.looks.number, "at": list(self.looks.at), "alpha": self.looks.alpha}}
        order = {"ranking": self.ranking.to_dict()} if self.ranking else {}
        more = {"ends": self.ends, "worlds": self.worlds}
        return plain | looks | order | {name: part.to_dict() for name, part in more.items() if part is not None}


def kpi_table(names: tuple[str, ...], kpis: Sequence[str], finished: Sequence[Finished]) -> KpiTable:
    """The KPI values of replications, which are in order and without errors."""
    values = [
        [[np.nan if (x := one.measured[i].kpis[name]) is None else x for name in kpis] for one in finished]
        for i in range(len(names))
    ]
    shape = (len(names), len(finished), len(kpis))
    return KpiTable(
        names, tuple(one.replication for one in finished), tuple(kpis), np.array(values, float).reshape(shape)
    )


def series(names: tuple[str, ...], inputs: Inputs, finished: Sequence[Finished]) -> Series:
    """Weekly series with intervals over replications."""
    company = np.stack([[part.series.company for part in one.measured] for one in finished])
    return Series(
        names,
        inputs.teams,
        inputs.tiers,
        np.stack([_bands(np.stack([f.measured[i].series.teams for f in finished])) for i in range(len(names))], 1),
        np.stack([_bands(np.stack([f.measured[i].series.tiers for f in finished])) for i in range(len(names))], 1),
        _bands(company),
        _bands(company - company[:, :1]),
    )


def cost_table(names: tuple[str, ...], inputs: Inputs, finished: Sequence[Finished]) -> CostTable:
    """Mean costs over replications."""
    values = [np.mean([one.measured[i].costs for one in finished], axis=0) for i in range(len(names))]
    return CostTable(names, cost_teams(inputs), cost_categories(inputs), np.stack(values))


def scenario_results(table: KpiTable) -> tuple[ScenarioResult, ...]:
    """Estimates of all scenarios."""
    return tuple(
        ScenarioResult(name, len(table.replications), {k: estimate(v) for k, v in table.of(i).items()})
        for i, name in enumerate(table.scenarios)
    )


def _bands(values: FloatArray) -> FloatArray:
    """(3, ...) mean, low and high over the first axis, which is replications; nan is left out."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    none = np.full(values.shape[1:], np.nan)
    mean = np.divide(np.where(known, values, 0).sum(axis=0), count, out=none.copy(), where=count > 0)
    squares = np.where(known, (values - mean) ** 2, 0).sum(axis=0)
    variance = np.divide(squares, count - 1, out=none.copy(), where=count > 1)
    half = t_quantile(np.maximum(count - 1, 1), ALPHA) * np.sqrt(variance / np.maximum(count, 1))
    return np.stack([mean, mean - half, mean + half])


def _estimate_row(one: Estimate) -> dict[str, float | None]:
    low, high = one.ci95 or (None, None)
    return {"mean": one.mean, "low": low, "high": high, "sd": one.sd}


def _scenario_dict(one: ScenarioResult, registry: Mapping[str, Kpi]) -> dict[str, Any]:
    kpis = {
        name: {"mean": e.mean, "ci95": e.ci95 and list(e.ci95), "sd": e.sd, "unit": registry[name].unit}
        for name, e in one.kpis.items()
    }
    return {"name": one.name, "replications": one.replications, "kpis": kpis}


def _difference_dict(change: Difference) -> dict[str, Any]:
    """One difference; where it cannot tell, also why or about how many more replications would."""
    values: dict[str, Any] = {
        "mean": change.mean,
        "ci95": change.ci95 and list(change.ci95),
        "ci95_adjusted": change.ci95_adjusted and list(change.ci95_adjusted),
        "verdict": change.verdict,
    }
    if change.verdict == "cannot_tell":
        values |= {"reason": change.reason, "more_replications": change.more_replications}
    return values
