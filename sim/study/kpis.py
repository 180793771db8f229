"""The KPIs: what each means (`registry`) and what one replication says (`compute`).

In: a `History` and the scenario's `Inputs`. Out: a value per KPI name, None where there is nothing to
measure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_accounts import account_kpis, mean_accounts
from sim.study.kpi_community import community_kpis
from sim.study.kpi_costs import Costs, cost_kpis, costs
from sim.study.kpi_money import value_kpis
from sim.study.kpi_parts import DRIVERS, KpiValues, Span, arr_path, decisions, ratio, where
from sim.study.kpi_teams import team_kpis
from sim.study.kpi_tiers import tier_kpis

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Kpi:
    """What a KPI means.

    unit : 'share', 'share per year', 'score' (0 to 1), 'minutes', 'hours', 'contacts', 'quits per year', the
    currency, or the currency 'per year'.
    covers : whose experience it covers. better : which direction is better, None if neither.
    matters : the smallest difference worth acting on, in the KPI's unit, or, if `relative`, as a share of the
    baseline's mean. skewed : its differences are far from normal and get the bootstrap-t.
    """

    name: str
    label: str
    unit: str
    covers: str
    better: Better | None
    definition: str
    matters: float
    relative: bool = False
    skewed: bool = False

    def size_that_matters(self, baseline_mean: float | None) -> float:
        """The smallest difference worth acting on, in the KPI's unit."""
        if self.relative:
            return self.matters * abs(baseline_mean or 0.0)
        return self.matters


REALISED = "_realised"
HEADLINE = (
    "logo_churn_per_year",
    "contribution",
    "cost_total",
    "csm.burnout_mean",
    "support.burnout_mean",
    "support.wait_mean_minutes",
)
TWINNED = (
    "logo_churn_per_year",
    "arr_churn_per_year",
    "grr",
    "nrr",
    "arr_end",
    "revenue",
    "contribution",
    "contribution_net_of_risk",
    "contribution_discounted",
    "book_value_end",
    "cac_not_recouped",
    "unseen_churn_share",
    "crc_per_account",
    *(f"churn_share.{driver}" for driver in DRIVERS),
)

MONEY, MONEY_PER_YEAR = "money", "money per year"
ALL_ACCOUNTS = "all accounts"
CUSTOMERS_BORN = "customers' contacts born in the window"
EMPLOYED = "the people employed, week by week"

_COMPANY: tuple[Kpi, ...] = (
    Kpi("logo_churn_per_year", "Yearly logo churn", "share per year", ALL_ACCOUNTS, "lower",
     "expected departures over the mean number of accounts and the years of the window", 0.005, False),
    Kpi("arr_churn_per_year", "Yearly ARR churn", "share per year", ALL_ACCOUNTS, "lower",
     "ARR of expected departures over mean ARR and the years of the window", 0.005, False),
    Kpi("grr", "Gross revenue retention", "share", "accounts present at each cohort's start", "higher",
     "ARR kept after 52 weeks, each account at most at its ARR then, over ARR at the start", 0.005, False),
    Kpi("nrr", "Net revenue retention", "share", "accounts present at each cohort's start", "higher",
     "ARR after 52 weeks of the accounts present at the start, over their ARR then", 0.005, False),
    Kpi("arr_end", "ARR at the end", MONEY_PER_YEAR, ALL_ACCOUNTS, "higher",
     "ARR at the end of the window", 0.005, True),
    Kpi("arr_at_risk_end", "ARR at risk at the end", MONEY_PER_YEAR, "accounts at the run's end", "lower",
     "ARR x (1 - exp(-departure intent not yet settled))", 0.05, True),
    Kpi("revenue", "Revenue", MONEY, ALL_ACCOUNTS, "higher",
     "ARR accrued over the window", 0.005, True),
    Kpi("cost_total", "Cost", MONEY, "the company", "lower",
     "labour, channels, turnover and programmes over the window, without CAC", 0.01, True),
    Kpi("cost_labour", "Labour cost", MONEY, "all teams", "lower",
     "payroll of everybody employed and overtime pay", 0.01, True),
    Kpi("cost_channels", "Channel cost", MONEY, "contacts ended in the window", "lower",
     "cost of contacts beside labour", 0.05, True),
    Kpi("cost_turnover", "Hiring and replacement cost", MONEY, "all teams", "lower",
     "recruiting and training of everybody who joined, in new seats and in seats that somebody left", 0.05, True),
    Kpi("cac_spent", "CAC spent", MONEY, "accounts won in the window", None,
     "cost of winning new ARR, and of winning back lost ARR", 0.05, True),
    Kpi("cac_per_account_won", "CAC per account won", MONEY, "accounts won in the window", None,
     "cost of winning new ARR over the number of accounts won", 0.02, True),
    Kpi("cac_not_recouped", "CAC not recouped", MONEY, "expected departures", "lower",
     "CAC that the gross margin of lost accounts had not paid back", 0.05, True),
    Kpi("cost_firefighting", "Cost of firefighting", MONEY, "firefights and looking for sponsors", "lower",
     "labour and channel cost of work on announced departures and lost sponsors", 0.05, True),
    Kpi("cost_prevention", "Cost of prevention", MONEY, "planned contacts and action plans", None,
     "labour and channel cost of planned work and of action plans", 0.05, True),
    Kpi("crc_per_account", "Retention cost per account", MONEY_PER_YEAR, ALL_ACCOUNTS, "lower",
     "cost_total a year over the mean number of accounts (CRC)", 0.02, True),
    Kpi("contribution", "Contribution", MONEY, "the company", "higher",
     "revenue x gross margin - cost_total - cac_spent over the window", 0.005, True),
    Kpi("contribution_net_of_risk", "Contribution net of ARR at risk", MONEY, "the company", "higher",
     "contribution - arr_at_risk_end", 0.005, True),
    Kpi("contribution_discounted", "Contribution, discounted", MONEY, "the company", "higher",
     "contribution, week by week, worth on the window's first day at money.discount_rate_per_year", 0.005, True),
    Kpi("book_value_end", "Value of the book at the end", MONEY, "accounts at the run's end", "higher",
     "gross margin of the ARR at the end over the accounts' expected lives, discounted to that day", 0.005, True),
    Kpi("adoption_end", "Adoption at the end", "score", ALL_ACCOUNTS, "higher",
     "mean adoption in the last week of the window", 0.01, False),
    Kpi("satisfaction_mean", "Satisfaction", "score", ALL_ACCOUNTS, "higher",
     "mean satisfaction of users over accounts and weeks", 0.01, False),
    Kpi("executive_contact_mean", "Executive contact", "score", ALL_ACCOUNTS, "higher",
     "mean executive contact over accounts and weeks", 0.01, False),
    Kpi("at_risk_share", "Accounts at risk", "share", ALL_ACCOUNTS, "lower",
     "share of account-weeks with health below the warning line", 0.01, False),
    Kpi("healthy_share", "Healthy accounts", "share", ALL_ACCOUNTS, "higher",
     "share of account-weeks with health above the line of the healthy", 0.01, False),
    Kpi("would_sign_mean", "Would sign today", "share", ALL_ACCOUNTS, "higher",
     "mean chance to sign a renewal contract submitted today, over accounts and weeks", 0.01, False),
    Kpi("licence_use_mean", "Licences in use", "share", ALL_ACCOUNTS, "higher",
     "seats in use (seats x adoption) over seats, summed over accounts and weeks", 0.01, False),
    Kpi("login_rate_mean", "Weekly login rate", "share", ALL_ACCOUNTS, "higher",
     "seats whose users log in in a week (seats in use x accounts.adoption.weekly_login_share) over seats,"
     " summed over accounts and weeks", 0.01, False),
    Kpi("onboarding_failed_share", "Failed onboardings", "share", "onboardings judged in the window", "lower",
     "onboardings with too little done in time over all that were judged", 0.02, False),
    Kpi("unseen_churn_share", "Churn that looked healthy", "share", "expected departures", "lower",
     "share of those who leave whose health looked good to the company, which sees it late", 0.02, False),
    Kpi("false_alarm_share", "False alarms", "share", "account-weeks that look at risk to the company", "lower",
     "share of them in which the account was not at risk: its signals are late, and noisy if accounts.health says so",
     0.02, False),
    Kpi("won_back_share", "Lost accounts won back", "share", "accounts lost in the window", "higher",
     "accounts that returned in the window over those that left in it", 0.02, False),
    Kpi("won_back_arr", "ARR won back", MONEY_PER_YEAR, ALL_ACCOUNTS, "higher",
     "ARR on return of the lost accounts that returned in the window", 0.1, True),
    Kpi("proactive_completed_share", "Planned work completed", "share", "planned contacts born in the window",
     "higher", "resolved over resolved, expired and failed ones (open and withdrawn left out)", 0.02, False),
    Kpi("saves_share", "Announced departures saved", "share", "decisions of those that had announced",
     "higher", "those that stayed over all that had announced", 0.05, False),
    Kpi("firefighting_finished_share", "Firefighting finished in time", "share",
     "decisions of those that had announced", "higher",
     "mean share of their firefight contacts that were done by the contract's end", 0.05, False),
    Kpi("self_service_share", "Settled by self-service", "share", "customers who tried to help themselves",
     "higher", "contacts settled in self-service over those begun there", 0.02, False),
    Kpi("community_settled_share", "Settled in the community", "share", "threads begun in the window", "higher",
     "threads that other customers settled over all threads", 0.02, False),
    Kpi("community_moderated_share", "Threads moderated", "share", "moderation that ended in the window", "higher",
     "moderation of threads that was done over what was done or expired", 0.02, False),
    Kpi("maven_share", "Accounts that answer others", "share", ALL_ACCOUNTS, "higher",
     "share of account-weeks with people who know the product very well and answer, while there is a community",
     0.01, False),
    Kpi("detractor_share", "Accounts that complain in public", "share", ALL_ACCOUNTS, "lower",
     "share of account-weeks with such people who are offended and complain, while there is a community",
     0.005, False),
    Kpi("articles_written", "Articles written", "contacts", "articles done in the window", None,
     "articles written from settled threads", 0.05, True),
)  # fmt: skip

_TEAM: tuple[Kpi, ...] = (
    Kpi("offered", "contacts offered", "contacts", "customers' contacts queued in the window", None,
     "customers' contacts that joined this team's queue", 0.02, True),
    Kpi("occupancy", "occupancy", "share", EMPLOYED, None,
     "handling hours inside the shift over hours on duty", 0.01, False),
    Kpi("utilisation", "utilisation", "share", EMPLOYED, None,
     "handling hours, overtime included, over contracted hours net of planned time away", 0.01, False),
    Kpi("wait_mean_minutes", "wait", "minutes", CUSTOMERS_BORN, "lower",
     "mean wait: clock minutes if live, else business minutes; open ones with theirs so far", 0.10, True, True),
    Kpi("wait_probability", "chance of a wait", "share", CUSTOMERS_BORN, "lower",
     "share that waited at all", 0.02, False),
    Kpi("service_level", "service level", "share", CUSTOMERS_BORN, "higher",
     "share started within its target (open ones not yet due left out)", 0.02, False),
    Kpi("abandonment", "abandonment", "share", CUSTOMERS_BORN, "lower",
     "share that gave up waiting", 0.01, False),
    Kpi("blocked_share", "blocked calls", "share", CUSTOMERS_BORN, "lower",
     "share that found the line full, of all that asked for the team", 0.01, False),
    Kpi("backlog_mean", "backlog", "contacts", "all contacts in the queue, planned work too", "lower",
     "mean number waiting over the window", 0.10, True, True),
    Kpi("fcr", "first-contact resolution", "share", "first attempts born in the window that were handled",
     "higher", "share settled at the first attempt", 0.01, False),
    Kpi("overtime_hours", "overtime", "hours", EMPLOYED, "lower",
     "hours worked on contacts after the shift's end", 0.10, True),
    Kpi("overtime_finishing_hours", "overtime that finishes", "hours", EMPLOYED, "lower",
     "hours after the shift's end on contacts begun inside it", 0.10, True),
    Kpi("overtime_backlog_hours", "overtime on the backlog", "hours", EMPLOYED, "lower",
     "hours after the shift's end on contacts begun after it", 0.10, True),
    Kpi("burnout_mean", "burnout", "score", EMPLOYED, "lower",
     "mean simulated burnout over person-weeks", 0.02, False),
    Kpi("burnout_high_share", "share with high burnout", "share", EMPLOYED, "lower",
     "share of person-weeks with burnout above the warning line", 0.02, False),
    Kpi("quits_per_year", "quits", "quits per year", EMPLOYED, "lower",
     "quits per person employed and year", 0.02, False),
    Kpi("support_share", "share of support calls", "share", "contacts that the team finished", None,
     "support calls over all contacts finished", 0.02, False),
)  # fmt: skip

_TIER: tuple[Kpi, ...] = (
    Kpi("logo_churn_per_year", "logo churn", "share per year", "the tier's accounts", "lower",
     "the tier's expected departures over its mean number of accounts and the years of the window", 0.01, False),
    Kpi("arr_churn_per_year", "ARR churn", "share per year", "the tier's accounts", "lower",
     "ARR of the tier's expected departures over its mean ARR and the years of the window", 0.01, False),
    Kpi("satisfaction_mean", "satisfaction", "score", "the tier's accounts", "higher",
     "mean satisfaction of users over accounts and weeks", 0.01, False),
    Kpi("executive_contact_mean", "executive contact", "score", "the tier's accounts", "higher",
     "mean executive contact over accounts and weeks", 0.01, False),
    Kpi("proactive_completed_share", "planned work completed", "share", "the tier's planned contacts", "higher",
     "resolved over resolved, expired and failed ones (open and withdrawn left out)", 0.02, False),
    Kpi("crc_per_account", "retention cost per account", MONEY_PER_YEAR, "the tier's accounts", None,
     "labour and channel cost of the tier's contacts a year over its mean number of accounts; idle time, shrinkage,"
     " hiring and programmes belong to no tier", 0.02, True),
    Kpi("cac_per_account_won", "CAC per account won", MONEY, "the tier's accounts won in the window", None,
     "cost of winning the tier's new ARR over the number of its accounts won", 0.02, True),
    Kpi("cost_prevention", "cost of prevention", MONEY, "the tier's planned contacts and action plans", None,
     "labour and channel cost of planned work and of action plans", 0.05, True),
    Kpi("cost_firefighting", "cost of firefighting", MONEY, "the tier's firefights and lost sponsors", "lower",
     "labour and channel cost of work on announced departures and lost sponsors", 0.05, True),
)  # fmt: skip


def tier_title(tier: str) -> str:
    """A tier's name as people write it: small_business is Small business."""
    words = tier.replace("_", " ")
    return words[0].upper() + words[1:]


def team_title(team: str) -> str:
    """A team's name as people write it: csm is CSM, field_service is Field service."""
    words = team.replace("_", " ")
    return words.upper() if len(words) <= 3 else words[0].upper() + words[1:]


def registry(inputs: Inputs, currency: str = "USD") -> dict[str, Kpi]:
    """All KPIs of a scenario by name, in the order in which they are shown; money in `currency`."""
    kpis: dict[str, Kpi] = {}

    def add(kpi: Kpi) -> None:
        kpi = replace(kpi, unit=kpi.unit.replace("money", currency))
        kpis[kpi.name] = kpi
        if kpi.name in TWINNED:
            kpis[kpi.name + REALISED] = replace(
                kpi,
                name=kpi.name + REALISED,
                label=f"{kpi.label}, realised",
                definition=f"{kpi.definition}; by departures that happened, not expected ones",
            )

    for kpi in _COMPANY:
        add(kpi)
    for driver in DRIVERS:
        add(
            Kpi(
                name=f"churn_share.{driver}",
                label=f"Share of churn through {driver}",
                unit="share",
                covers="expected departures",
                better=None,
                definition=f"share of {driver} in the intent of those who leave",
                matters=0.02,
            )
        )
    for driver in DRIVERS:
        add(
            Kpi(
                name=f"churn_per_year.{driver}",
                label=f"Yearly churn through {driver}",
                unit="share per year",
                covers=ALL_ACCOUNTS,
                better="lower",
                definition=f"logo_churn_per_year x the share of {driver} in the intent of those who leave",
                matters=0.002,
            )
        )
    for driver in DRIVERS:
        add(
            Kpi(
                name=f"saves_share.{driver}",
                label=f"Announced departures through {driver} saved",
                unit="share",
                covers="decisions of those that had announced",
                better="higher",
                definition=f"saves_share, each departure weighted by the share of {driver} in its intent",
                matters=0.05,
            )
        )
    for tier in inputs.tiers:
        for kpi in _TIER:
            add(replace(kpi, name=f"tier.{tier}.{kpi.name}", label=f"{tier_title(tier)} {kpi.label}"))
    for team in inputs.teams:
        for kpi in _TEAM:
            add(replace(kpi, name=f"{team}.{kpi.name}", label=f"{team_title(team)} {kpi.label}"))
    return kpis


def window(inputs: Inputs) -> Span:
    """The weeks that the KPIs cover."""
    return Span(int(inputs.window[0]), int(inputs.window[1]))


def compute(history: History, inputs: Inputs, spent: Costs | None = None) -> KpiValues:
    """Every KPI of the registry for one replication.

    Parameters
    ----------
    history : the tables of one replication of the scenario.
    inputs : its inputs: names, window, margins.
    spent : its costs, if they are known already.

    Returns
    -------
    A finite number per name of `registry(inputs)`, in its order; None for a ratio with an empty denominator.
    """
    span = window(inputs)
    ended, path = decisions(history, span), arr_path(history)
    spent = spent or costs(history, inputs, span)
    values = account_kpis(history, inputs, span, ended, path)
    values |= cost_kpis(spent, inputs) | team_kpis(history, inputs, span)
    values |= tier_kpis(history, inputs, span, ended, path, spent)
    values |= community_kpis(history, inputs, span)
    values |= value_kpis(history, inputs, span, ended, path, spent)
    outside = spent.total + _number(values["cac_spent"])
    weeks = where(history.tier_weeks, span.holds_week(history.tier_weeks["week"]))
    for realised, suffix in ((False, ""), (True, REALISED)):
        contribution = _number(values[f"revenue{suffix}"]) * inputs.gross_margin - outside
        values[f"contribution{suffix}"] = contribution
        values[f"contribution_net_of_risk{suffix}"] = contribution - _number(values["arr_at_risk_end"])
        accounts = mean_accounts(weeks, span, ended, realised)
        values[f"crc_per_account{suffix}"] = ratio(spent.total / span.years, accounts)
    return {name: _finite(values[name]) for name in registry(inputs)}


def _number(value: float | None) -> float:
    return 0.0 if value is None else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
