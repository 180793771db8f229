"""Who is at risk: every account of the opening book, with what to do next, and the calendar of renewals.

In: the scenario, its inputs, and `AccountMeasures` of replications in order. Out: a `RiskReport`, as tables, CSV and
JSON. Money is ARR in the scenario's currency a year.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.model.accounts import login_rate
from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.study.account_measures import AccountMeasures, horizon_weeks, months
from sim.study.csv_text import csv_text
from sim.study.kpi_parts import CENTS, DRIVERS, FloatArray
from sim.study.kpis import team_title
from sim.study.next_action import DRIVER_MEANS, Action, Playbook, next_action
from sim.study.provenance import Provenance
from sim.study.statistics import ALPHA, t_quantile

if TYPE_CHECKING:
    import pandas

    from sim.scenario import Scenario

MIDDLE = (0.025, 0.975)
MOST_HISTORIES = 0.5


@dataclass(frozen=True)
class Means:
    """A figure per row: its mean over replications and the 95 % t-interval of that mean, nan below two.

    The interval covers what chance leaves open with this number of replications; more of them narrow it.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray

    def clipped(self, highest: float = np.inf) -> Means:
        """The same between 0 and `highest`, to be shown: a mean of unbiased estimates may lie just outside."""
        return Means(*(np.clip(part, 0.0, highest) for part in (self.mean, self.low, self.high)))


@dataclass(frozen=True)
class AccountRisk:
    """The accounts of the opening book, in its order; tuples and arrays of one length.

    account : the company's id, or tier and number. name : '' if there is none. owner : the imported name, or the
    name that the list gives to the simulated seat, or the seat ('CSM 3'), or '' if nobody owns it.
    tier : position in the report's `tiers`. arr_per_year : at the start. renewal : date of the contract's end.
    would_sign : P(signs) if a renewal contract were submitted at the start, exp(-intent so far).
    would_sign_middle : (2, accounts) the range that holds the middle 95 % of the simulated histories.
    leaves : P(left) within the report's horizon; not clipped, so that sums are unbiased.
    arr_loss : ARR that is lost within the horizon by leaving, on average; not clipped either.
    driver : the one with the largest mean share of the intent at the start, '' without intent.
    driver_share : that share. login_rate : share of the seats whose users log in in a week, at the start.
    sponsor_lost_share : share of histories in which the sponsor is gone at the start.
    """

    account: tuple[str, ...]
    name: tuple[str, ...]
    owner: tuple[str, ...]
    tier: NDArray[np.int64]
    arr_per_year: FloatArray
    renewal: tuple[dt.date, ...]
    would_sign: Means
    would_sign_middle: FloatArray
    leaves: Means
    arr_loss: Means
    driver: tuple[str, ...]
    driver_share: FloatArray
    login_rate: FloatArray
    sponsor_lost_share: FloatArray
    next_action: tuple[Action, ...]

    def __len__(self) -> int:
        return len(self.account)

    def worst_first(self) -> NDArray[np.int64]:
        """Positions by expected ARR loss, the largest first; equal ones in the book's order."""
        return np.argsort(-self.arr_loss.mean, kind="stable")


@dataclass(frozen=True)
class RenewalCalendar:
    """Contracts of the opening book that come up for renewal, by month and tier: means over replications.

    months : first days of the months; the first and the last may be cut by the start and the end of the run.
    renewals, arr_up : (months, tiers) contracts that end, and their ARR then. Later terms count too; who has left
    does not. arr_loss : ARR lost at these renewals, on average, (months, tiers) each; leaving mid-term is not in it.
    """

    months: tuple[dt.date, ...]
    tiers: tuple[str, ...]
    renewals: FloatArray
    arr_up: FloatArray
    arr_loss: Means

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row per month and tier as plain values, None where there is none."""
        loss = self.arr_loss.clipped()
        for i, month in enumerate(self.months):
            for j, tier in enumerate(self.tiers):
                yield {
                    "month": f"{month:%Y-%m}",
                    "tier": tier,
                    "renewals": float(self.renewals[i, j]),
                    "arr_up_for_renewal": float(self.arr_up[i, j]),
                    "expected_arr_loss": _number(loss.mean[i, j]),
                    "expected_arr_loss_low": _number(loss.low[i, j]),
                    "expected_arr_loss_high": _number(loss.high[i, j]),
                }

    def to_frame(self) -> pandas.DataFrame:
        """A row per month and tier."""
        import pandas

        return pandas.DataFrame(list(self.rows()))


@dataclass(frozen=True)
class RiskReport:
    """Who is at risk in one scenario.

    horizon_weeks : weeks from the start in which leaving counts: 52, or the whole run if it is shorter.
    replications : histories that the figures rest on. failures : replications that could not be had.
    warnings : what may be a slip in the scenario's file, in sentences.
    leaving, arr_leaving : accounts expected to leave within the horizon, and their ARR: of the whole book.
    """

    scenario: str
    start: dt.date
    currency: str
    horizon_weeks: int
    tiers: tuple[str, ...]
    accounts: AccountRisk
    calendar: RenewalCalendar
    leaving: Means
    arr_leaving: Means
    replications: int
    provenance: Provenance
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The accounts as plain columns, as they are shown: probabilities in [0, 1], losses from 0, None for none.

        Units: shares and probabilities from 0 to 1, money in `currency` a year, dates as dates.
        """
        a = self.accounts
        leaves, loss = a.leaves.clipped(1.0), a.arr_loss.clipped()
        sign = a.would_sign.clipped(1.0)
        return {
            "account": list(a.account),
            "name": list(a.name),
            "tier": [self.tiers[tier] for tier in a.tier.tolist()],
            "owner": list(a.owner),
            "currency": [self.currency] * len(a),
            "arr_per_year": _numbers(a.arr_per_year),
            "renewal": list(a.renewal),
            "would_sign": _numbers(sign.mean),
            "would_sign_low": _numbers(sign.low),
            "would_sign_high": _numbers(sign.high),
            "would_sign_middle_low": _numbers(a.would_sign_middle[0]),
            "would_sign_middle_high": _numbers(a.would_sign_middle[1]),
            "leaves": _numbers(leaves.mean),
            "leaves_low": _numbers(leaves.low),
            "leaves_high": _numbers(leaves.high),
            "expected_arr_loss": _numbers(loss.mean),
            "expected_arr_loss_low": _numbers(loss.low),
            "expected_arr_loss_high": _numbers(loss.high),
            "main_driver": list(a.driver),
            "main_driver_share": _numbers(a.driver_share),
            "main_driver_means": [DRIVER_MEANS.get(driver, "") for driver in a.driver],
            "login_rate": _numbers(a.login_rate),
            "sponsor_lost_share": _numbers(a.sponsor_lost_share),
            "next_action": [action.words for action in a.next_action],
            "next_action_due": [action.due for action in a.next_action],
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per account of the opening book, in its order."""
        import pandas

        return pandas.DataFrame(self.columns)

    def to_csv(self) -> str:
        """The accounts as CSV text, those with the largest expected ARR loss first; safe to open in a spreadsheet."""
        columns = list(self.columns.values())
        order = self.accounts.worst_first().tolist()
        return csv_text(list(self.columns), ([column[i] for column in columns] for i in order))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values: provenance, scenario, accounts in the book's order, calendar."""
        names = list(self.columns)
        return {
            "provenance": self.provenance.to_dict(),
            "scenario": self.scenario,
            "start": self.start.isoformat(),
            "currency": self.currency,
            "horizon_weeks": self.horizon_weeks,
            "replications": self.replications,
            "warnings": list(self.warnings),
            "leaving": _ends_of(self.leaving),
            "arr_leaving": _ends_of(self.arr_leaving),
            "accounts": [dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)],
            "calendar": list(self.calendar.rows()),
        }

    def to_json(self) -> str:
        """The report as JSON text, dates as 2026-03-01, with a line break at its end."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False, default=str) + "\n"


def risk_report(
    name: str,
    scenario: Scenario,
    inputs: Inputs,
    measures: Sequence[AccountMeasures],
    provenance: Provenance,
    failures: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> RiskReport:
    """The report of one scenario.

    name : of the scenario in its study. measures : of its replications, in order, at least one.
    """
    calendar = np.stack([one.calendar for one in measures])
    return RiskReport(
        scenario=name,
        start=inputs.start,
        currency=scenario.currency,
        horizon_weeks=horizon_weeks(inputs),
        tiers=inputs.tiers,
        accounts=_accounts(scenario, inputs, measures),
        calendar=RenewalCalendar(
            months=tuple(months(inputs.start, inputs.weeks)),
            tiers=inputs.tiers,
            renewals=np.mean(calendar[..., 0], axis=0),
            arr_up=np.mean(calendar[..., 1], axis=0),
            arr_loss=_means(calendar[..., 2]),
        ),
        leaving=_means(np.array([one.departures.sum() for one in measures], dtype=np.float64)),
        arr_leaving=_means(np.array([one.arr_loss.sum() for one in measures], dtype=np.float64)),
        replications=len(measures),
        provenance=provenance,
        failures=tuple(failures),
        warnings=tuple(warnings),
    )


def _accounts(scenario: Scenario, inputs: Inputs, measures: Sequence[AccountMeasures]) -> AccountRisk:
    book = inputs.book
    account, name, owner = _labels(scenario, inputs, measures[0])
    renewal = tuple(inputs.start + dt.timedelta(days=day) for day in np.floor(book.renewal / 24).astype(int).tolist())
    shares = np.mean([one.shares for one in measures], axis=0, dtype=np.float64)
    driver = tuple(
        DRIVERS[i] if share > 0 else "" for i, share in zip(shares.argmax(axis=0), shares.max(axis=0), strict=True)
    )
    sponsor_lost = np.mean([one.sponsor_lost for one in measures], axis=0)
    announced = np.mean([one.announced for one in measures], axis=0)
    would_sign = np.stack([one.would_sign for one in measures])
    known = len(measures) > 1
    return AccountRisk(
        account=account,
        name=name,
        owner=owner,
        tier=book.tier,
        arr_per_year=book.arr_cents / CENTS,
        renewal=renewal,
        would_sign=_means(would_sign),
        would_sign_middle=np.quantile(would_sign, MIDDLE, axis=0) if known else np.full((2, len(account)), np.nan),
        leaves=_means(np.stack([one.departures for one in measures])),
        arr_loss=_means(np.stack([one.arr_loss for one in measures])),
        driver=driver,
        driver_share=shares.max(axis=0),
        login_rate=login_rate(np.mean([one.adoption for one in measures], axis=0), inputs.phases[0].states),
        sponsor_lost_share=sponsor_lost,
        next_action=_actions(inputs, driver, sponsor_lost > MOST_HISTORIES, announced > MOST_HISTORIES, renewal),
    )


def _labels(
    scenario: Scenario, inputs: Inputs, first: AccountMeasures
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Ids, names and owners: the company's own where the scenario has its account list, else tier and number, no
    name, and the simulated seat.

    An account that the list gives to nobody has the name of the owner whose seat it was dealt to: owners take the
    first seats of the first team with named owners.
    """
    seats = tuple(
        f"{team_title(inputs.teams[team])} {seat + 1}" if team >= 0 else ""
        for team, seat in zip(first.team.tolist(), first.seat.tolist(), strict=True)
    )
    listed = scenario.book
    if listed is not None:
        named_team = next((i for i, team in enumerate(inputs.phases[0].teams) if team.named_owner), -1)
        people = len(listed.owners)
        dealt_to = (
            listed.owners[seat] if team == named_team and 0 <= seat < people else title
            for team, seat, title in zip(first.team.tolist(), first.seat.tolist(), seats, strict=True)
        )
        owners = tuple(own or dealt for own, dealt in zip(listed.owner, dealt_to, strict=True))
        return account_ids(scenario, inputs), tuple(listed.name), owners
    ids = account_ids(scenario, inputs)
    return ids, ("",) * len(ids), seats


def account_ids(scenario: Scenario, inputs: Inputs) -> tuple[str, ...]:
    """What the accounts of the opening book are called, in its order: the list's own ids, else tier and number."""
    if scenario.book is not None:
        return tuple(scenario.book.account)
    tier = inputs.book.tier
    first_of_tier = np.searchsorted(tier, np.arange(len(inputs.tiers)))
    numbers = np.arange(len(tier)) - first_of_tier[tier] + 1
    return tuple(f"{inputs.tiers[t]}-{i}" for t, i in zip(tier.tolist(), numbers.tolist(), strict=True))


def _actions(
    inputs: Inputs,
    driver: Sequence[str],
    sponsor_lost: NDArray[np.bool_],
    announced: NDArray[np.bool_],
    renewal: Sequence[dt.date],
) -> tuple[Action, ...]:
    """The next action of each account by the rules that hold at the start."""
    rules = inputs.phases[0]
    playbooks = [_playbook(inputs, tier) for tier in range(len(inputs.tiers))]
    columns = (driver, sponsor_lost.tolist(), announced.tolist(), renewal, inputs.book.term_months.tolist())
    return tuple(
        next_action(
            why,
            sponsor_lost=lost,
            announced=told,
            today=inputs.start,
            renewal=date,
            term_months=term,
            notice_weeks=rules.departures.notice_hours / HOURS_PER_WEEK,
            playbook=playbooks[tier],
        )
        for why, lost, told, date, term, tier in zip(*columns, inputs.book.tier.tolist(), strict=True)
    )


def _playbook(inputs: Inputs, tier: int) -> Playbook:
    rules = inputs.phases[0].playbooks
    every = rules.every_weeks[tier]
    before = [(category, hours) for one, category, hours in rules.before_renewal if one == tier]
    return Playbook(
        every_weeks={name: float(x) for name, x in zip(inputs.categories, every, strict=True) if np.isfinite(x)},
        before_renewal_weeks={inputs.categories[category]: hours / HOURS_PER_WEEK for category, hours in before},
    )


def _means(values: FloatArray) -> Means:
    """Mean and 95 % t-interval over the first axis, which is replications."""
    count = len(values)
    mean = np.mean(values, axis=0)
    if count < 2:
        return Means(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    half = float(t_quantile(count - 1, ALPHA)) * np.std(values, axis=0, ddof=1) / np.sqrt(count)
    return Means(mean, mean - half, mean + half)


def _ends_of(total: Means) -> dict[str, float | None]:
    """A figure of the whole book as plain values."""
    return {name: _number(float(getattr(total, name))) for name in ("mean", "low", "high")}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _numbers(values: FloatArray) -> list[float | None]:
    return [x if np.isfinite(x) else None for x in values.tolist()]
