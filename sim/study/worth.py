"""What the team is worth: per tier what it keeps and costs, for the whole team, one person, prevention, firefighting.

In: totals of replications of a scenario and its alternatives (`worth_scenarios`). Out: `Worth`, as values and as JSON.
Money is in the scenario's currency, ARR in it a year; all differences are the scenario less the alternative without it.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.study.decision import plain
from sim.study.kpi_parts import FloatArray
from sim.study.kpis import tier_title
from sim.study.provenance import Provenance
from sim.study.statistics import ALPHA, Estimate, Interval, estimate, t_quantile
from sim.study.worth_measures import COMPANY
from sim.study.worth_scenarios import What

Totals = Sequence[Mapping[str, float]]  # by replication

ALL = "All"
NOTES: dict[What, str] = {
    "prevention": " (planned work)",
    "firefighting": " (saving who announces to leave, and winning new sponsors)",
}
OWN_COST: dict[What, str] = {"prevention": "cost_planned", "firefighting": "cost_triggered"}


@dataclass(frozen=True)
class Ratio:
    """Cost per account kept. value, ci95 : None where it cannot be told whether any account is kept, or none is."""

    value: float | None
    ci95: Interval | None


@dataclass(frozen=True)
class Gain:
    """What a tier, or the whole company, gains and pays.

    name : of the tier, or 'All'. kept : accounts that leave without it and stay with it. arr_kept : their ARR a year.
    cost : of a tier, labour and channels of its contacts, for prevention and firefighting of these contacts alone; of
    the company, all costs, which are the same where people only do something else. cost_per_account : cost over kept.
    risk_left, risk_without : ARR at risk at the end, with it and without it.
    """

    name: str
    kept: Estimate
    arr_kept: Estimate
    cost: Estimate
    cost_per_account: Ratio
    risk_left: Estimate
    risk_without: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "accounts_kept": _plain(self.kept),
            "arr_kept": _plain(self.arr_kept),
            "cost": _plain(self.cost),
            "cost_per_account_kept": {
                "value": self.cost_per_account.value,
                "ci95": self.cost_per_account.ci95 and list(self.cost_per_account.ci95),
            },
            "arr_at_risk_end": _plain(self.risk_left),
            "arr_at_risk_end_without": _plain(self.risk_without),
        }


@dataclass(frozen=True)
class Piece:
    """The worth of one thing: the whole team, one person, prevention or firefighting.

    scenario : name of the alternative without it. tiers : by tier. work : the sum over tiers, what its contacts cost.
    company : the whole company, with everything that is paid. contribution, book_value : differences of the company.
    """

    what: What
    title: str
    scenario: str
    tiers: tuple[Gain, ...]
    work: Gain
    company: Gain
    contribution: Estimate
    book_value: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "what": self.what,
            "title": self.title,
            "without": self.scenario,
            "tiers": [gain.to_dict() for gain in self.tiers],
            "all_contacts": self.work.to_dict(),
            "company": self.company.to_dict(),
            "contribution": _plain(self.contribution),
            "book_value_end": _plain(self.book_value),
        }

    def sentence(self, currency: str) -> str:
        """What it keeps and costs, in words."""
        kept, arr = _accounts(self.company.kept), f"{currency} {_between(self.company.arr_kept)} of ARR a year"
        if _holds_zero(self.company.kept):
            said = f"Whether {_inside(self.title)} keeps accounts cannot be told: {kept} of them, with {arr}."
        else:
            said = f"{self.title}{NOTES.get(self.what, '')} keeps {kept} accounts with {arr}."
        # The people are on the payroll with and without some of their work: what that costs is their time on it.
        gain = self.company if self.what in ("team", "one_person") else self.work
        what = "It costs" if gain is self.company else "Its hours and channels cost"
        said += f" {what} {currency} {_between(gain.cost)}: {self._per_account(gain, currency)}."
        left, without = (money(one.mean or 0.0) for one in (self.company.risk_left, self.company.risk_without))
        return f"{said} ARR at risk at the end is {currency} {left}; without it, {without}."

    @staticmethod
    def _per_account(gain: Gain, currency: str) -> str:
        ratio = gain.cost_per_account
        if ratio.value is None or ratio.ci95 is None:
            return "per account kept, it cannot be told"
        low, high = (money(end) for end in ratio.ci95)
        return f"{currency} {money(ratio.value)} per account kept ({low} to {high})"


@dataclass(frozen=True)
class Worth:
    """What the team of a scenario is worth.

    team : whose. day : from which on the alternatives differ. years : of the window that is counted. left_out :
    what could not be told, with the reason. failures : replications that could not be had.
    warnings : what may be a slip in the scenario's file, in sentences.
    """

    scenario: str
    currency: str
    team: str
    day: dt.date
    years: float
    pieces: tuple[Piece, ...]
    left_out: Mapping[What, str]
    replications: int
    provenance: Provenance
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def piece(self, what: What) -> Piece | None:
        """The worth of one thing; None if it could not be told."""
        return next((one for one in self.pieces if one.what == what), None)

    @property
    def sentences(self) -> list[str]:
        """What to say of it, plainly: each piece, prevention beside firefighting, who gains most, what is left out."""
        found = [piece.sentence(self.currency) for piece in self.pieces]
        prevention, firefighting = self.piece("prevention"), self.piece("firefighting")
        if prevention is not None and firefighting is not None:
            found.append(_ounce_of_prevention(prevention, firefighting, self.currency))
            found.append(_what_stays(prevention, firefighting, self.currency))
        if self.pieces and (most := _who_gains_most(self.pieces[0], self.currency)):
            found.append(most)
        return [*found, *self.left_out.values()]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "provenance": self.provenance.to_dict(),
            "scenario": self.scenario,
            "currency": self.currency,
            "team": self.team,
            "from": self.day.isoformat(),
            "years": self.years,
            "replications": self.replications,
            "warnings": list(self.warnings),
            "pieces": [piece.to_dict() for piece in self.pieces],
            "left_out": dict(self.left_out),
            "sentences": self.sentences,
        }

    def to_json(self) -> str:
        """The result as JSON text, with a line break at its end."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def piece(what: What, title: str, scenario: str, tiers: Sequence[str], with_it: Totals, without: Totals) -> Piece:
    """The worth of one thing from the totals of paired replications.

    tiers : their names. with_it, without : `worth_measures.worth_totals` by replication, paired by position.
    """
    cost = OWN_COST.get(what, "cost")
    each = [[_figures(totals, str(i), cost) for totals in (with_it, without)] for i in range(len(tiers))]
    of_tiers = tuple(_gain(tier_title(tier), *pair) for tier, pair in zip(tiers, each, strict=True))
    summed = [
        {name: np.asarray(np.sum([pair[side][name] for pair in each], axis=0)) for name in FIGURES} for side in (0, 1)
    ]
    company = [_figures(totals, COMPANY, "cost") for totals in (with_it, without)]
    value = [
        estimate(_column(with_it, f"{COMPANY}.{name}") - _column(without, f"{COMPANY}.{name}"))
        for name in ("contribution", "book_value")
    ]
    return Piece(what, title, scenario, of_tiers, _gain(ALL, *summed), _gain(ALL, *company), *value)


FIGURES = ("departures", "arr_lost", "cost", "at_risk")


def _column(totals: Totals, name: str) -> FloatArray:
    return np.array([one[name] for one in totals], dtype=np.float64)


def _figures(totals: Totals, of: str, cost: str) -> dict[str, FloatArray]:
    return {name: _column(totals, f"{of}.{cost if name == 'cost' else name}") for name in FIGURES}


def _gain(name: str, with_it: Mapping[str, FloatArray], without: Mapping[str, FloatArray]) -> Gain:
    kept = without["departures"] - with_it["departures"]
    cost = with_it["cost"] - without["cost"]
    return Gain(
        name=name,
        kept=estimate(kept),
        arr_kept=estimate(without["arr_lost"] - with_it["arr_lost"]),
        cost=estimate(cost),
        cost_per_account=paired_ratio(cost, kept),
        risk_left=estimate(with_it["at_risk"]),
        risk_without=estimate(without["at_risk"]),
    )


def paired_ratio(above: FloatArray, below: FloatArray, alpha: float = ALPHA) -> Ratio:
    """The ratio of two means over the same replications, with Fieller's interval.

    above, below : (replications,). No value below two replications, or unless the interval of the mean of `below` lies
    above 0: a cost per account kept means nothing where perhaps no account is kept.

    Notes
    -----
    The interval holds all q for which the mean of above - q x below cannot be told from 0 by Student's t, which is
    exact for normal means where the delta method is not. Source: Fieller, Journal of the Royal Statistical Society B 16
    (1954), 175-185.
    """
    count = len(above)
    if count < 2:
        return Ratio(None, None)
    x, y = float(np.mean(above)), float(np.mean(below))
    covariance = np.cov(above, below) * float(t_quantile(count - 1, alpha)) ** 2 / count
    a = y * y - float(covariance[1, 1])
    if y <= 0 or a <= 0:
        return Ratio(None, None)
    b = x * y - float(covariance[0, 1])
    c = x * x - float(covariance[0, 0])
    root = math.sqrt(max(b * b - a * c, 0.0))
    return Ratio(x / y, ((b - root) / a, (b + root) / a))


def _ounce_of_prevention(prevention: Piece, firefighting: Piece, currency: str) -> str:
    """Which of the two keeps an account for less."""
    here, there = (one.work.cost_per_account for one in (prevention, firefighting))
    if here.value is None or there.value is None or here.ci95 is None or there.ci95 is None:
        return "Whether prevention keeps an account for less than firefighting cannot be told."
    start = f"Prevention keeps an account for {currency} {money(here.value)}, firefighting for {money(there.value)}"
    if here.ci95[0] <= there.ci95[1] and there.ci95[0] <= here.ci95[1]:
        return f"{start}; the intervals overlap, so which is cheaper cannot be told."
    return f"{start}: {'prevention' if here.value < there.value else 'firefighting'} is cheaper per account."


def _what_stays(prevention: Piece, firefighting: Piece, currency: str) -> str:
    """What either is worth beyond the run: the run ends before the accounts that it kept do."""
    more = " and ".join(
        f"by {currency} {_between(one.book_value)} through {_inside(one.title)}" for one in (prevention, firefighting)
    )
    return f"Beyond the run, the book that is left at the end is worth more: {more}."


def _who_gains_most(piece: Piece, currency: str) -> str:
    """The tier that keeps most ARR by the piece; empty if that cannot be told of any."""
    sure = [gain for gain in piece.tiers if not _holds_zero(gain.arr_kept) and (gain.arr_kept.mean or 0.0) > 0]
    if not sure:
        return ""
    best = max(sure, key=lambda gain: gain.arr_kept.mean or 0.0)
    return (
        f"{best.name} gains most by {_inside(piece.title)}: {_accounts(best.kept)} accounts with"
        f" {currency} {_between(best.arr_kept)} of ARR a year."
    )


def _inside(title: str) -> str:
    """A title inside a sentence."""
    return title[0].lower() + title[1:]


def _holds_zero(one: Estimate) -> bool:
    return one.ci95 is None or one.ci95[0] <= 0 <= one.ci95[1]


def money(value: float) -> str:
    """An amount of three significant digits, '1,230,000' or '−45,600'."""
    return plain(float(f"{value:.2e}"), "")


def _accounts(one: Estimate) -> str:
    """'41.2 (38.1 to 44.3)'."""
    text = plain(one.mean, "accounts")
    return text if one.ci95 is None else f"{text} ({' to '.join(plain(end, 'accounts') for end in one.ci95)})"


def _between(one: Estimate) -> str:
    """'412,000 (381,000 to 443,000)'."""
    if one.mean is None:
        return "–"
    text = money(one.mean)
    return text if one.ci95 is None else f"{text} ({' to '.join(map(money, one.ci95))})"


def _plain(one: Estimate) -> dict[str, Any]:
    return {"mean": one.mean, "ci95": one.ci95 and list(one.ci95), "sd": one.sd}
