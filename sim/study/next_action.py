"""The next thing to do for an account, in words that a CSM acts on.

In: why the account may leave, when it decides, and the playbook of its tier. Out: an `Action`. A pure function: it
says only what the model knows, and every date follows from the contract and the playbook.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

DRIVER_MEANS = {
    "disconnection": "senior management does not see the value",
    "disengagement": "the product is little used",
    "service": "bad experience with service",
    "downturn": "the customer's own business is down",
    "competition": "another vendor's offer",
}

# Planned work that works against each driver, the best first; each moves the state that the driver grows from.
WORK_AGAINST = {
    "disconnection": ("value_review", "executive_touch"),
    "disengagement": ("coaching", "training"),
    "competition": ("value_review", "executive_touch"),
}
WORDS = {
    "value_review": "Value review with senior management",
    "executive_touch": "Call with senior management",
    "coaching": "Adoption coaching",
    "training": "Training",
    "renewal": "Prepare the renewal",
    "service": "Service recovery call",
    "downturn": "Talk about their budget",
}
SAVE = "Save the contract: they announced to leave"
FIND_SPONSOR = "Find a new executive sponsor"
NOTHING_MORE = "Follow the playbook"

PREPARE_WITHIN_WEEKS = 4


@dataclass(frozen=True)
class Playbook:
    """Planned work of one tier, by category. every_weeks : its cadence. before_renewal_weeks : once per term."""

    every_weeks: Mapping[str, float] = field(default_factory=dict)
    before_renewal_weeks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """What to do. due : the last day for it, None if there is none."""

    words: str
    due: dt.date | None

    def __str__(self) -> str:
        return self.words if self.due is None else f"{self.words} by {plain_date(self.due)}"


def next_action(
    driver: str,
    *,
    sponsor_lost: bool,
    announced: bool,
    today: dt.date,
    renewal: dt.date,
    term_months: int,
    notice_weeks: float,
    playbook: Playbook,
) -> Action:
    """The next thing to do for an account.

    Parameters
    ----------
    driver : the main driver of its intent to leave; '' if it has none.
    today, renewal : renewal is the contract's next end; one that lies before today counts as today.
    notice_weeks : so long before the end of a contract of a year or longer, customers who plan to leave say so.

    Notes
    -----
    The first that holds: it announced to leave; its sponsor has left; a renewal falls due to be prepared within
    four weeks; its main driver. Work is due before the customer decides: at notice, or at the contract's end if
    notice has passed or there is none. Work with a cadence is due one cadence from today, if that is sooner.
    """
    renewal = max(renewal, today)
    notice = renewal - dt.timedelta(weeks=notice_weeks)
    yearly = term_months >= 12
    decides = notice if yearly and notice > today else renewal
    if announced:
        return Action(SAVE, renewal)
    if sponsor_lost:
        return Action(FIND_SPONSOR, decides)
    soon = today + dt.timedelta(weeks=PREPARE_WITHIN_WEEKS)
    leads = playbook.before_renewal_weeks.items() if yearly else ()
    to_prepare = [(renewal - dt.timedelta(weeks=lead), category) for category, lead in leads]
    in_time = [(due, category) for due, category in to_prepare if today <= due <= soon]
    if in_time:
        due, category = min(in_time)
        return Action(_words(category), due)
    if not driver:
        return Action(NOTHING_MORE, None)
    choices = WORK_AGAINST.get(driver, (driver,))
    chosen = next((one for one in choices if one in playbook.every_weeks), choices[0])
    cadence = playbook.every_weeks.get(chosen)
    due = decides if cadence is None else min(decides, today + dt.timedelta(weeks=cadence))
    return Action(_words(chosen), due)


def plain_date(day: dt.date) -> str:
    """14 Feb 2026."""
    return f"{day.day} {day:%b %Y}"


def _words(category: str) -> str:
    known = category.replace("_", " ")
    return WORDS.get(category, known[:1].upper() + known[1:])
