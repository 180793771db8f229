"""Checks of size: a run fits into memory and has something to simulate.

In: `Facts`. Out: `Finding`s. Contacts are estimated on the high side: nobody leaves, no adoption, and as many overdue
matters as make people ask again. A scenario after a dated change is judged as if it held for the whole run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sim.scenario.checks_contacts import communities
from sim.scenario.errors import number, segment
from sim.scenario.facts import Facts, Finding

MOST_ACCOUNTS = 200_000
MOST_PEOPLE = 20_000
# A week's contacts are made at once, about 1 kB each with their luck: 0.3 GB.
MOST_CONTACTS_PER_WEEK = 300_000
# The shipped company with 100,000 accounts: estimated are 21 million contacts, 14 are simulated, in 2.6 GB of memory.
MOST_CONTACTS = 25_000_000

WEEKS_PER_YEAR = 365.25 / 7
WEEKS_PER_MONTH = WEEKS_PER_YEAR / 12
MOST_OPEN_ISSUES = 3
WORTH_TELLING = 1.05
LARGEST_LOGARITHM = 300.0


@dataclass(frozen=True)
class Stream:
    """Contacts of one category and tier.

    per_week : with the accounts of the opening book; new_per_week : more of them for each week of new accounts;
    fixed_per_week : caused by the week's new accounts, however many there are. why : what makes them so many.
    """

    tier: str
    category: str
    per_week: float
    new_per_week: float
    fixed_per_week: float
    why: str

    def in_week(self, weeks: float) -> float:
        """Contacts in a week that many weeks after the start."""
        return self.per_week + self.new_per_week * weeks + self.fixed_per_week


def size(f: Facts) -> Iterator[Finding]:
    """The run fits into memory and has something to simulate."""
    tiers = [tier for _, tier in f.items("tiers") if isinstance(tier, dict)]
    weeks = f.get("weeks") or 0
    accounts = sum(
        tier.get("accounts", 0) + tier.get("new_accounts_per_year", 0) * weeks / WEEKS_PER_YEAR for tier in tiers
    )
    if accounts > MOST_ACCOUNTS:
        message = f"{number(round(accounts))} accounts with the new ones; at most {MOST_ACCOUNTS} can be simulated"
        yield Finding(("tiers",), message)
    if tiers and f.sound("tiers") and accounts == 0:
        yield Finding(("tiers",), "there are no accounts and none are won; give at least one tier some")
    people = sum(team.get("headcount", 0) for _, team in f.items("teams") if isinstance(team, dict))
    if people > MOST_PEOPLE:
        yield Finding(("teams",), f"{number(people)} people; at most {MOST_PEOPLE} can be simulated")
    if accounts <= MOST_ACCOUNTS:
        yield from _contacts(f, weeks)


def _contacts(f: Facts, weeks: int) -> Iterator[Finding]:
    """Too many contacts in a week or in the run; the largest stream is the one to make smaller."""
    streams = [stream for tier, _ in f.items("tiers") for stream in _streams(f, tier)]
    peak = sum(stream.in_week(weeks) for stream in streams)
    warm_up = f.get("accounts", "warm_up_weeks") or 0
    total = sum(weeks * stream.in_week(weeks / 2) + warm_up * stream.in_week(0) for stream in streams)
    if peak > MOST_CONTACTS_PER_WEEK:
        much, most = f"{_rough(peak)} contacts in a week", MOST_CONTACTS_PER_WEEK
    elif total > MOST_CONTACTS:
        much, most = f"{_rough(total)} contacts in {weeks + warm_up} weeks with the warm-up", MOST_CONTACTS
    else:
        return
    largest = max(streams, key=lambda stream: stream.in_week(weeks))
    where = f"most are '{segment(largest.category)}' of '{segment(largest.tier)}': {largest.why}"
    yield Finding(("tiers", largest.tier), f"up to about {much}; at most {most} can be simulated; {where}")


def _rough(value: float) -> str:
    """A number with two digits that mean something."""
    return number(float(f"{value:.2g}"))


def _streams(f: Facts, tier: str) -> Iterator[Stream]:
    """The contacts that a tier's accounts raise and are planned."""
    accounts = f.get("tiers", tier, "accounts") or 0
    per_year = f.get("tiers", tier, "new_accounts_per_year") or 0
    new = 0.0 if f.get("mechanisms", "growth") is False else per_year / WEEKS_PER_YEAR
    who = f"accounts {accounts}, new_accounts_per_year {number(per_year)}"
    factors = _factors(f, tier)
    novelty = (f.get("accounts", "novelty_factor") or 0) * (f.get("accounts", "novelty_weeks") or 0)
    for name, category in f.items("categories"):
        rate = category.get("contacts_per_account_month") if isinstance(category, dict) else None
        if rate:
            here = {
                **factors,
                "repeats (repeat_probability, resolution_probability, max_attempts)": _attempts(f, category),
            }
            each = rate / WEEKS_PER_MONTH * math.prod(here.values())
            told = [f"x {factor:.2g} for {what}" for what, factor in here.items() if factor >= WORTH_TELLING]
            told += ["more while new (novelty_factor, novelty_weeks)"] if new * novelty > accounts else []
            why = ", ".join([who, f"contacts_per_account_month {number(rate)}", *told])
            yield Stream(tier, str(name), accounts * each, new * each, new * novelty * each, why)
            each *= sum(_number(f.get("categories", name, "channel_shares", forum), 0.0) for forum in communities(f))
            yield Stream(tier, "moderation", accounts * each, new * each, new * novelty * each, why)
    for name, cadence in f.items("playbooks", tier):
        if isinstance(cadence, dict):
            each = 1 / cadence["every_weeks"] if cadence.get("every_weeks") else 0.0
            leads = cadence.get("weeks_before_renewal") or []
            each += _terms_per_week(f, tier) * (len(leads) if isinstance(leads, list) else 1)
            once = len(cadence.get("weeks_after_start") or ())
            why = f"{who}, playbooks.{segment(tier)}.{segment(name)}"
            yield Stream(tier, str(name), accounts * each, new * each, new * once, why)
    if f.get("mechanisms", "firefighting") is not False:
        each = (f.get("departures", "firefight_contacts") or 0) * (f.get("departures", "announce_share") or 0)
        each *= _terms_per_week(f, tier)
        yield Stream(tier, "firefight", accounts * each, new * each, 0.0, f"{who}, departures.firefight_contacts")
    if f.get("mechanisms", "sponsor_loss") is not False:
        each = (f.get("accounts", "executive_contact", "sponsor_loss_per_year") or 0) / WEEKS_PER_YEAR
        why = f"{who}, accounts.executive_contact.sponsor_loss_per_year"
        yield Stream(tier, "sponsor_reengagement", accounts * each, new * each, 0.0, why)
    plan = ("accounts", "health", "action_plan")
    each = (f.get(*plan, "contacts") or 0) / (f.get(*plan, "every_weeks") or 1)
    yield Stream(tier, "action_plan", accounts * each, new * each, 0.0, f"{who}, {'.'.join(plan)}")
    each = (f.get("departures", "winback", "contacts") or 0) * _terms_per_week(f, tier)
    yield Stream(tier, "winback", accounts * each, new * each, 0.0, f"{who}, departures.winback.contacts")


def _factors(f: Facts, tier: str) -> dict[str, float]:
    """What multiplies customers' contacts, by the words that name it."""
    return {
        "contact_rate_factor": _number(f.get("tiers", tier, "contact_rate_factor"), 1.0),
        "seats (arr_per_year_mean, arr_cv, arr_per_seat_per_year, seats_exponent, seats_reference)": _seats(f, tier),
        "low adoption (low_adoption_factor)": 1 + _number(f.get("accounts", "low_adoption_factor"), 0.0),
        "overdue matters (open_issue_factor)": 1
        + MOST_OPEN_ISSUES * _number(f.get("accounts", "open_issue_factor"), 0.0),
        "outages (outages.per_year, outages.more_contacts)": 1
        + _number(f.get("accounts", "outages", "per_year"), 0.0)
        / WEEKS_PER_YEAR
        * _number(f.get("accounts", "outages", "more_contacts"), 0.0),
    }


def _number(value: Any, otherwise: float) -> float:
    return otherwise if value is None else float(value)


def _seats(f: Facts, tier: str) -> float:
    """Mean of (seats / reference) ** exponent: seats are lognormal like the ARR, and at least 1."""
    power = _number(f.get("accounts", "seats_exponent"), 0.0)
    arr, per_seat = (f.get("tiers", tier, name) or 1 for name in ("arr_per_year_mean", "arr_per_seat_per_year"))
    reference = math.log(f.get("accounts", "seats_reference") or 1)
    variance = math.log1p(_number(f.get("tiers", tier, "arr_cv"), 0.0) ** 2)
    mean = math.log(arr) - math.log(per_seat) - variance / 2
    if variance == 0:
        return _power(power * (max(0.0, mean) - reference))
    spread = math.sqrt(variance)
    few = _below(-mean / spread) * _power(-power * reference)
    many = _power(power * (mean - reference) + power**2 * variance / 2)
    return few + many * _below((mean + power * variance) / spread)


def _power(logarithm: float) -> float:
    """The exponential, without overflow: whatever is that large is refused anyway."""
    return math.exp(min(logarithm, LARGEST_LOGARITHM))


def _below(z: float) -> float:
    """Share of a standard normal variable below z."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _attempts(f: Facts, category: dict[str, Any]) -> float:
    """Mean attempts per matter, by the category's own resolution probability."""
    if f.get("mechanisms", "repeats") is False:
        return 1.0
    unresolved = 1 - _number(category.get("resolution_probability"), 1.0)
    again = _number(f.get("routing", "repeat_probability"), 0.0) * unresolved
    redial = [_number(f.get("channels", name, "redial", "probability"), 0.0) for name, _ in f.items("channels")]
    again = max([again, *redial])
    legs = 1 + len(f.get("routing", "escalation") or ())
    return legs * sum(again**attempt for attempt in range(f.get("routing", "max_attempts") or 1))


def _terms_per_week(f: Facts, tier: str) -> float:
    """Ends of terms of a year or longer, per account and week."""
    terms = [(months, share) for months, share in f.items("tiers", tier, "term_months") if months >= 12]
    return sum(share / (months * WEEKS_PER_MONTH) for months, share in terms)
