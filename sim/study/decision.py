"""The decision: one verdict per scenario and a sentence that a COO can read out.

In: the registry, the estimates of baseline and scenario, their differences. Out: a `Decision`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.study.kpis import Kpi
from sim.study.statistics import Difference, Estimate, Interval

DecisionVerdict = Literal["recommended", "pays, but", "does not pay", "cannot tell yet"]

SIGNIFICANT_DIGITS = 2
CHANGE_UNITS = {"share": " pts", "share per year": " pts", "minutes": " min", "hours": " h"}


@dataclass(frozen=True)
class Decision:
    """What to do about one scenario.

    sentence : the answer with its numbers. note : what the interval does not cover. money : the sentence's part about
    contribution, for short answers. why : the chain of effects behind it.
    """

    scenario: str
    verdict: DecisionVerdict
    sentence: str
    note: str
    money: str = ""
    why: str = ""


def decide(
    scenario: str,
    kpis: Mapping[str, Kpi],
    differences: Mapping[str, Difference],
    baseline: Mapping[str, Estimate],
    estimates: Mapping[str, Estimate],
    *,
    teams: Sequence[str],
    years: float,
    currency: str,
    assumptions: int,
    widest: Sequence[str] = (),
) -> Decision:
    """The verdict, read from `contribution` and guarded by churn and each team's share of high burnout.

    Parameters
    ----------
    scenario : its name. kpis, differences, baseline, estimates : per KPI name.
    teams : team names. years : length of the window, for amounts a year.
    assumptions : how many inputs rest on assumptions. widest : paths of the least known of them.

    Notes
    -----
    recommended: contribution is better and no guard worse. pays, but: better, with a guard worse by more than
    what matters. does not pay: worse, or surely no difference that matters. cannot tell yet: anything else.
    The interval in the sentence is the adjusted one, which decides the verdict.
    """
    contribution = differences["contribution"]
    guards = ["logo_churn_per_year", *(f"{team}.burnout_high_share" for team in teams)]
    harmed = [name for name in guards if differences[name].verdict == "worse" and not differences[name].negligible]
    verdict = _verdict(contribution, bool(harmed))
    effects = _effects(kpis, differences, baseline, estimates, teams)
    money = _money_a_year(contribution, years, currency)
    if verdict == "recommended":
        sentence = f"{scenario} pays: {money}"
    elif verdict == "pays, but":
        worse = _listed([_change(kpis[name], differences[name], baseline[name], estimates[name]) for name in harmed])
        sentence = f"{scenario} pays, but {worse}: {money}"
        effects = [effect for effect in effects if effect not in worse]
    elif verdict == "does not pay":
        sentence = f"{scenario} does not pay: {money}"
    else:
        sentence = f"Whether {scenario} pays cannot be told yet: {money}{_more(contribution)}"
    sentence += f"; {_listed(effects)}." if effects else "; nothing else changes clearly."
    return Decision(scenario, verdict, sentence, _note(assumptions, widest), money)


def _verdict(contribution: Difference, harmed: bool) -> DecisionVerdict:
    if contribution.verdict == "worse" or contribution.negligible:
        return "does not pay"
    if contribution.verdict == "better":
        return "pays, but" if harmed else "recommended"
    return "cannot tell yet"


def is_told(contribution: Difference) -> bool:
    """Whether a decision follows from the contribution: any but *cannot tell yet*."""
    return contribution.verdict in ("better", "worse") or contribution.negligible


def _money_a_year(contribution: Difference, years: float, currency: str) -> str:
    """'contribution rises by about USD 120,000 a year (adjusted interval 80,000 to 160,000)'."""
    if contribution.mean is None:
        return "there is no contribution to compare"
    yearly = contribution.mean / years
    if contribution.mean == 0 and contribution.ci95_adjusted in (None, (0.0, 0.0)):
        return "contribution stays exactly the same"
    sign = 1.0
    if contribution.negligible:
        start = "contribution hardly changes, by about"
    elif contribution.verdict == "worse":
        start, sign = "contribution falls by about", -1.0
    elif contribution.verdict == "better":
        start = "contribution rises by about"
    else:
        start = "contribution changes by about"
    text = f"{start} {currency} {rounded(sign * yearly)} a year"
    if contribution.ci95_adjusted is None:
        return f"{text} (one replication, no interval)"
    low, high = sorted(sign * bound / years for bound in contribution.ci95_adjusted)
    return f"{text} (adjusted interval {rounded(low)} to {rounded(high)})"


def _more(contribution: Difference) -> str:
    if contribution.more_replications is None:
        return ""
    return f", about {more_replications(contribution.more_replications)} may tell"


def more_replications(count: int) -> str:
    """'1 more replication', '1,200 more replications'."""
    return f"{count:,} more replication{'s' if count != 1 else ''}"


def _effects(
    kpis: Mapping[str, Kpi],
    differences: Mapping[str, Difference],
    baseline: Mapping[str, Estimate],
    estimates: Mapping[str, Estimate],
    teams: Sequence[str],
) -> list[str]:
    """What else changes clearly and by more than what matters: churn, then burnout and waits by team."""
    names = ["logo_churn_per_year"]
    for team in teams:
        names += [f"{team}.burnout_mean", f"{team}.wait_mean_minutes"]
    return [
        _change(kpis[name], differences[name], baseline[name], estimates[name])
        for name in names
        if differences[name].verdict in ("better", "worse") and not differences[name].negligible
    ]


def _change(kpi: Kpi, difference: Difference, before: Estimate, after: Estimate) -> str:
    """'CSM burnout falls from 0.45 to 0.31'."""
    verb = "rises" if (difference.mean or 0.0) > 0 else "falls"
    label = kpi.label if kpi.label.split()[0].isupper() or "." in kpi.name else kpi.label.lower()
    return f"{label} {verb} from {plain(before.mean, kpi.unit)} to {plain(after.mean, kpi.unit)}"


def _listed(parts: Sequence[str]) -> str:
    """'a, b and c'."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""


def _note(assumptions: int, widest: Sequence[str]) -> str:
    inputs = "1 input is an assumption" if assumptions == 1 else f"{assumptions:,} inputs are assumptions"
    least_known = f", the widest: {', '.join(widest)}" if widest else ""
    return f"The interval covers chance only; {inputs}{least_known}."


def rounded(value: float) -> str:
    """A number of two significant digits, with thousands separators: 121,834 is 120,000; -0.347 is −0.35."""
    shown = f"{_significant(value):,.0f}" if abs(value) >= 10 else f"{_significant(value):,.{SIGNIFICANT_DIGITS}g}"
    return _with_minus(shown)


def _with_minus(shown: str) -> str:
    """The number with a true minus sign, and with none if it is shown as zero."""
    return shown.replace("-", "−" if any(digit in shown for digit in "123456789") else "")


def _significant(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}")


def plain(value: float | None, unit: str) -> str:
    """A value as people read it: shares in per cent, money with separators; '–' where there is none."""
    if value is None:
        return "–"
    if unit.startswith("share"):
        shown = f"{100 * value:.1f} %"
    elif unit == "minutes":
        shown = f"{value:,.1f} min"
    elif unit in ("score", "quits per year"):
        shown = f"{value:.2f}"
    elif unit == "hours":
        shown = f"{value:,.0f} h"
    elif unit in ("contacts", "accounts") and abs(value) < 100:
        shown = f"{value:.1f}"
    else:
        shown = f"{value:,.0f}"
    return _with_minus(shown)


def plain_change(value: float | None, unit: str) -> str:
    """A difference as people read it, with its sign and a digit more; of shares in percentage points."""
    if value is None:
        return "–"
    text = f"{_change_digits(abs(value), unit)}{CHANGE_UNITS.get(unit, '')}"
    if not any(digit in text for digit in "123456789"):
        return text
    return ("+" if value > 0 else "−") + text


def plain_interval(interval: Interval | None, unit: str) -> str:
    """An interval of differences as people read it, without the unit: '+1.20 to +3.40'; '–' for none."""
    if interval is None:
        return "–"
    return " to ".join(plain_change(bound, unit).removesuffix(CHANGE_UNITS.get(unit, "")) for bound in interval)


def _change_digits(size: float, unit: str) -> str:
    if unit.startswith("share"):
        return f"{100 * size:,.2f}"
    if unit in ("score", "quits per year"):
        return f"{size:.3f}"
    if unit in ("minutes", "contacts", "accounts"):
        return f"{size:,.2f}"
    return f"{size:,.0f}"
