"""The shipped company against its calibration targets, and the what-ifs against their expected directions.

In: the shipped scenarios. Out: Markdown tables on stdout, as in docs/calibration.md:

    python -m benchmarks.calibration --replications 30
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.model.compile import compile_inputs
from sim.model.inputs import DRIVERS, WEEKS_PER_YEAR, Inputs
from sim.model.ledger import ESCALATED, MIDTERM, RENEWAL, RESOLVED, UNRESOLVED, History
from sim.model.replication import replicate
from sim.scenario import Scenario, load_scenario
from sim.study.kpi_parts import Span, ratio
from sim.study.kpi_series import weekly_series
from sim.study.kpis import compute
from sim.study.statistics import estimate

FloatArray = NDArray[np.float64]
Figures = dict[str, float]

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
WHAT_IFS = (
    "reroute_and_hire",
    "reroute_support_calls",
    "one_more_csm",
    "one_fewer_csm",
    "no_csm_team",
    "firefighting_only",
    "no_firefighting",
    "knowledge_base",
    "weak_knowledge_base",
    "phone_to_chat",
    "demand_surge",
    "outage_month",
    "downturn",
)
FROM = "2026-07-01"
WARM = {"from": "csm", "to": "support", "share": 1.0, "how": "warm_transfer"}
VARIANTS: dict[str, dict[str, object]] = {  # dated changes of the baseline that are no files
    "warm_transfer_and_hire": {"routing.rules": [WARM], "teams.support.headcount": 6},
    "pooled_books": {"teams.csm.named_owner": False},
}
LEVEL_BOOK = "level_book"
# What warms up in another company than the baseline.
WARMED_IN = {
    LEVEL_BOOK: LEVEL_BOOK, "knowledge_base": "knowledge_base", "weak_knowledge_base": "knowledge_base",
}  # fmt: skip
YEAR_WEEKS = 52
LEVEL_SHARE = 0.6  # of the shipped new accounts: about as many as leave, so that the book stays level
AFTER_WEEK = 52  # the what-ifs have had half a year to work

# What must look alike in both years of a company that stands still.
STEADY = ("contacts", "csm.handling_hours", "support.handling_hours", "logo_churn_per_year", "arr_churn_per_year")


@dataclass(frozen=True)
class Target:
    """A figure of one scenario and the interval in which its mean belongs. why : what the bounds stand for."""

    figure: str
    low: float
    high: float
    why: str
    scenario: str = "baseline"

    @property
    def name(self) -> str:
        return f"{self.scenario}: {self.figure}"


@dataclass(frozen=True)
class Direction:
    """A figure whose paired difference (scenario - other) has the sign of `sign`."""

    scenario: str
    figure: str
    sign: int
    why: str
    other: str = "baseline"

    @property
    def name(self) -> str:
        return f"{self.scenario} against {self.other}: {self.figure}"


INF = float("inf")
TARGETS: tuple[Target, ...] = (
    Target("csm.support_share", 0.28, 0.32, "support calls among the CSMs' contacts: the COO's 30 %"),
    Target("csm.support_hours_share", 0.16, 0.19, "support calls in the CSMs' hours: about one full-time person"),
    Target("csm.utilisation", 1.00, 1.10, "the CSMs work more than their contracted hours"),
    Target("csm.overtime_hours", 1.0, INF, "that takes overtime"),
    Target("proactive_completed_share", 0.55, 0.80, "a good part of the planned work is crowded out"),
    Target("burnout_gap", 0.03, INF, "CSMs' burnout less Support's: clearly above"),
    Target("support.occupancy", 0.76, 0.82, "Support is busy, not overloaded"),
    Target("logo_churn_per_year", 0.10, 0.14, "accounts lost per year"),
    Target("churn_step_enterprise_midmarket", 0.005, INF, "enterprise churns least"),
    Target("churn_step_midmarket_small", 0.005, INF, "small business churns most"),
    Target("grr", 0.88, 0.92, "ARR kept without expansion"),
    Target("nrr", 0.98, 1.06, "ARR kept with expansion"),
    *(Target(f"churn_share.{driver}", 0.05, 1.0, "every driver counts for something") for driver in DRIVERS),
    Target("book_growth_per_year", 0.04, 0.06, "accounts grow and people do not, so load creeps up"),
    Target("contacts", 40_000, 48_000, "contacts in a replication, without the warm-up"),
    Target("load_creep", 0.01, INF, "the CSMs' work to be done, second year over first, less 1"),
    *(
        Target(f"year_ratio.{name}", 0.95, 1.05, "with a level book both years look alike", LEVEL_BOOK)
        for name in STEADY
    ),
    Target(
        "support.occupancy_after", 0.92, 0.98, "all support calls and nobody added: near the limit",
        "reroute_support_calls",
    ),
)  # fmt: skip

DIRECTIONS: tuple[Direction, ...] = (
    *(
        Direction("reroute_and_hire", figure, sign, why)
        for figure, sign, why in (
            ("csm.burnout_mean", -1, "fewer interruptions"),
            ("csm.overtime_hours", -1, "less urgent work at the end of the day"),
            ("csm.expected_quits_per_year", -1, "less burnout, fewer quits"),
            ("proactive_completed_share", +1, "freed hours go to planned work"),
            ("executive_contact_mean", +1, "value reviews happen"),
            ("logo_churn_per_year", -1, "customers are looked after"),
        )
    ),
    *(
        Direction("reroute_support_calls", figure, +1, why)
        for figure, why in (
            ("support.occupancy", "more calls for the same people"),
            ("support.wait_mean_minutes", "queues grow"),
            ("support.burnout_mean", "more strain"),
            ("support.expected_quits_per_year", "more burnout, more quits"),
        )
    ),
    Direction("reroute_support_calls", "logo_churn_per_year", +1, "part of the gain is lost", "reroute_and_hire"),
    Direction("reroute_support_calls", "contribution_net_of_risk", -1, "part of the gain is lost", "reroute_and_hire"),
    Direction("one_more_csm", "csm.burnout_mean", -1, "the work is shared by more"),
    Direction("one_more_csm", "logo_churn_per_year", -1, "customers are looked after"),
    Direction("one_more_csm", "cost_total", +1, "a CSM costs more than an agent", "reroute_and_hire"),
    Direction("warm_transfer_and_hire", "satisfaction_mean", -1, "customers are handed over", "reroute_and_hire"),
    Direction("warm_transfer_and_hire", "csm.overtime_hours", +1, "CSMs still answer first", "reroute_and_hire"),
    Direction("pooled_books", "csm.wait_mean_minutes", -1, "whoever is free answers"),
    Direction("pooled_books", "executive_contact_mean", -1, "nobody is anybody's own CSM"),
    Direction(
        "weak_knowledge_base", "satisfaction_mean", -1, "customers try in vain and turn to people", "knowledge_base"
    ),
    Direction("phone_to_chat", "support.abandonment", -1, "nobody has to hold the line"),
    Direction("demand_surge", "support.abandonment", +1, "more calls for the same people"),
    Direction("outage_month", "satisfaction_mean", -1, "the product fails them"),
    Direction("downturn", "logo_churn_per_year", +1, "customers leave for their own reasons"),
    Direction("one_fewer_csm", "logo_churn_per_year", +1, "what one CSM keeps is lost"),
    Direction("no_csm_team", "logo_churn_per_year", +1, "what the team keeps is lost"),
    Direction("no_csm_team", "book_value_end", -1, "the bill comes after the run"),
    Direction("firefighting_only", "logo_churn_per_year", +1, "nothing prevents"),
    Direction("no_firefighting", "logo_churn_per_year", +1, "nobody is saved"),
    Direction("firefighting_only", "book_value_end", -1, "prevention is worth more than it saves", "no_firefighting"),
)


@dataclass(frozen=True)
class Turn:
    """Assumptions, inside their ranges, under which a direction turns round. values : by dotted path."""

    direction: str
    values: dict[str, object]
    words: str


LOW_GAINS = {
    "categories.coaching.adoption_gain": 0.02,
    "categories.value_review.executive_gain": 0.2,
    "categories.executive_touch.executive_gain": 0.1,
    "categories.training.adoption_gain": 0.03,
}
TURNS: tuple[Turn, ...] = (
    Turn(
        "reroute_and_hire against baseline: logo_churn_per_year",
        LOW_GAINS
        | {
            "departures.drivers.service.hazard_per_year": 1.2,
            "teams.csm.support_call_resolution_factor": 1.0,
            "teams.support.support_call_resolution_factor": 0.6,
        },
        "Support settles what the CSMs knew how to settle far less often, service drives most departures, and what "
        "CSMs do with their freed time moves customers little",
    ),
    Turn(
        "reroute_support_calls against reroute_and_hire: contribution_net_of_risk",
        {
            "departures.drivers.service.hazard_per_year": 0.1,
            "accounts.satisfaction.waiting_loss_per_week": 0.005,
            "teams.support.cost_per_hour": 48,
            "teams.support.hiring_cost": 20000,
        },
        "customers hardly mind waiting, and an agent is dear: the reroute without the hire pays more",
    ),
    Turn(
        "one_more_csm against reroute_and_hire: cost_total",
        {"teams.csm.cost_per_hour": 48, "teams.support.cost_per_hour": 60},
        "Support's engineers cost more than the CSMs",
    ),
    Turn(
        "pooled_books against baseline: executive_contact_mean",
        {"accounts.executive_contact.by_others_share": 1.0},
        "customers' management does not mind who calls",
    ),
)

# Targets and directions that the shipped numbers miss, by name, each with the reason.
KNOWN_DEVIATIONS: dict[str, str] = {}


def scenario(name: str, assumptions: dict[str, object] | None = None) -> Scenario:
    """A shipped scenario or a variant by its name, with other assumptions if any are given."""
    if name in VARIANTS:
        dated = {"changes": [{"from": FROM, "set": VARIANTS[name]}]}
        return load_scenario(SCENARIOS / "baseline.yaml", {**(assumptions or {}), **dated})
    return load_scenario(SCENARIOS / f"{name}.yaml", assumptions)


def turned(turn: Turn, replications: int, seed: int = 1, workers: int = 2) -> FloatArray:
    """(replications,) paired differences of a direction's figure under the assumptions that turn it round."""
    row = next(row for row in DIRECTIONS if row.name == turn.direction)
    names = dict.fromkeys((WARMED_IN.get(row.scenario, "baseline"), row.other, row.scenario))
    inputs = {name: compile_inputs(scenario(name, turn.values)) for name in names}
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        found = list(pool.map(partial(measure, inputs, seed), range(replications)))
    return np.array([one[row.scenario][row.figure] - one[row.other][row.figure] for one in found])


def shipped() -> dict[str, Scenario]:
    """The shipped scenarios by the name of their file, and the baseline with new accounts that replace lost ones."""
    found = {name: scenario(name) for name in ("baseline", *WHAT_IFS, *VARIANTS)}
    tiers = found["baseline"].tiers
    level = {
        f"tiers.{name}.new_accounts_per_year": LEVEL_SHARE * tier.new_accounts_per_year for name, tier in tiers.items()
    }
    return {**found, LEVEL_BOOK: load_scenario(SCENARIOS / "baseline.yaml", level)}


def measure(inputs: dict[str, Inputs], seed: int, replication: int) -> dict[str, Figures]:
    """All figures of one replication by scenario; the warm-up is the baseline's, but for what is in `WARMED_IN`."""
    found: dict[str, Figures] = {}
    for company in dict.fromkeys(WARMED_IN.get(name, "baseline") for name in inputs):
        names = [name for name in inputs if WARMED_IN.get(name, "baseline") == company]
        histories = replicate(inputs[company], [inputs[name] for name in names], seed, replication)
        found |= {name: figures(one, inputs[name]) for name, one in zip(names, histories, strict=True)}
    return found


def figures(history: History, inputs: Inputs) -> Figures:
    """The KPIs of one history and what else the targets need."""
    found = {name: np.nan if value is None else value for name, value in compute(history, inputs).items()}
    weeks = history.tier_weeks
    accounts = np.bincount(weeks["week"], weights=weeks["accounts"])
    found |= {
        "contacts": float(len(history.contacts["born"])),
        "burnout_gap": found["csm.burnout_mean"] - found["support.burnout_mean"],
        "book_growth_per_year": (accounts[-1] / accounts[0]) ** (YEAR_WEEKS / (inputs.weeks - 1)) - 1,
        "load_creep": _work_wanted(history, inputs, 1) / _work_wanted(history, inputs, 0) - 1,
        "csm.support_hours_share": _support_hours_share(history, inputs),
    }
    churn = _churn_by_tier(history, inputs)
    found |= {f"churn.{tier}": value for tier, value in churn.items()}
    found["churn_step_enterprise_midmarket"] = churn["midmarket"] - churn["enterprise"]
    found["churn_step_midmarket_small"] = churn["small"] - churn["midmarket"]
    for team in inputs.teams:
        found[f"{team}.expected_quits_per_year"] = _expected_quits(history, inputs, team)
    after = compute(history, replace(inputs, window=(AFTER_WEEK, inputs.weeks)))
    found["support.occupancy_after"] = after["support.occupancy"] or np.nan
    first, second = (_year(history, inputs, year) for year in (0, 1))
    return found | {f"year_ratio.{name}": second[name] / first[name] for name in STEADY}


def _year(history: History, inputs: Inputs, year: int) -> Figures:
    """What is compared between the years."""
    span = Span(year * YEAR_WEEKS, (year + 1) * YEAR_WEEKS)
    kpis = compute(history, replace(inputs, window=(span.first_week, span.end_week)))
    hours = weekly_series(history, inputs).teams[0][:, span.first_week : span.end_week].sum(axis=1)
    return {
        "contacts": float(span.holds(history.contacts["born"]).sum()),
        **{f"{team}.handling_hours": float(hours[i]) for i, team in enumerate(inputs.teams)},
        **{name: kpis[name] or np.nan for name in STEADY if name in kpis},
    }


def _work_wanted(history: History, inputs: Inputs, year: int) -> float:
    """Mean hours of the contacts that are born for the CSMs in a year, done or not."""
    contacts, span = history.contacts, Span(year * YEAR_WEEKS, (year + 1) * YEAR_WEEKS)
    mine = (contacts["team"] == inputs.teams.index("csm")) & span.holds(contacts["born"])
    return float(inputs.phases[0].categories.handle_hours[contacts["category"][mine]].sum())


def _support_hours_share(history: History, inputs: Inputs) -> float:
    """Support calls' share of the hours that the CSMs spent on contacts."""
    contacts = history.contacts
    finished = np.isin(contacts["outcome"], (RESOLVED, UNRESOLVED, ESCALATED))
    mine = (contacts["team"] == inputs.teams.index("csm")) & finished
    minutes = contacts["handle_minutes"][mine].astype(np.float64)
    return float(minutes[inputs.support_call[contacts["category"][mine]]].sum() / minutes.sum())


def _churn_by_tier(history: History, inputs: Inputs) -> Figures:
    """Expected departures per account and year of each tier."""
    events, weeks = history.account_events, history.tier_weeks
    decided = (events["event"] == RENEWAL) | (events["event"] == MIDTERM)
    left = np.bincount(events["tier"][decided], weights=events["expected"][decided], minlength=len(inputs.tiers))
    account_weeks = np.bincount(weeks["tier"], weights=weeks["accounts"], minlength=len(inputs.tiers))
    return dict(zip(inputs.tiers, (left / account_weeks * WEEKS_PER_YEAR).tolist(), strict=True))


def _expected_quits(history: History, inputs: Inputs, team: str) -> float:
    """Quits per person and year that burnout makes likely: the same mean as the quits drawn, far less luck."""
    index = inputs.teams.index(team)
    people, phase = history.people_weeks, inputs.phases[0]
    mine = (people["team"] == index) & people["employed"]
    burnout = ratio(float(people["burnout"][mine].sum()), float(mine.sum())) or 0.0
    return phase.teams[index].quit_rate_per_week * WEEKS_PER_YEAR * (1 + (phase.people.quit_factor - 1) * burnout)


def measured(replications: int, seed: int = 1, workers: int = 2) -> dict[str, dict[str, FloatArray]]:
    """(replications,) values by scenario and figure."""
    inputs = {name: compile_inputs(one) for name, one in shipped().items()}
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        found = list(pool.map(partial(measure, inputs, seed), range(replications)))
    return {
        name: {figure: np.array([one[name][figure] for one in found]) for figure in found[0][name]} for name in inputs
    }


def differences(values: dict[str, dict[str, FloatArray]], row: Direction) -> FloatArray:
    """(replications,) paired differences of a direction's figure."""
    return values[row.scenario][row.figure] - values[row.other][row.figure]


def report(values: dict[str, dict[str, FloatArray]]) -> str:
    """Both tables as Markdown."""
    lines = ["| figure | scenario | target | measured | 95 % interval | met |", "|---|---|---|---|---|---|"]
    for target in TARGETS:
        mean, interval = _mean_and_interval(values[target.scenario][target.figure])
        bounds = (
            f"{_text(target.low)} to {_text(target.high)}" if target.high < INF else f"at least {_text(target.low)}"
        )
        met = "yes" if target.low <= mean <= target.high else "no"
        lines.append(f"| `{target.figure}` | {target.scenario} | {bounds} | {_text(mean)} | {interval} | {met} |")
    lines += [
        "",
        "| scenario | against | figure | expected | difference | 95 % interval | seen |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in DIRECTIONS:
        mean, interval = _mean_and_interval(differences(values, row))
        seen = "yes" if has_direction(differences(values, row), row.sign) else "no"
        expected = "rises" if row.sign > 0 else "falls"
        lines.append(
            f"| {row.scenario} | {row.other} | `{row.figure}` | {expected} | {_text(mean)} | {interval} | {seen} |"
        )
    return "\n".join(lines)


def has_direction(changes: FloatArray, sign: int) -> bool:
    """Whether the whole 95 % interval of the mean difference has the sign."""
    interval = estimate(changes).ci95
    return interval is not None and min(sign * end for end in interval) > 0


def _mean_and_interval(values: FloatArray) -> tuple[float, str]:
    one = estimate(values)
    assert one.mean is not None
    return one.mean, "" if one.ci95 is None else f"{_text(one.ci95[0])} to {_text(one.ci95[1])}"


def _text(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    print(report(measured(options.replications, options.seed, options.workers)))


if __name__ == "__main__":
    main()
