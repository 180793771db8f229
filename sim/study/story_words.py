"""The words of a story: what happened, dated and in plain sentences, month by month.

In: an `AccountStory` or a `PersonStory`. Out: `Told` months. Every event of an account or a person and every outcome
of a contact has its words here, in tables keyed by its name.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sim.study.kpis import team_title, tier_title
from sim.study.next_action import plain_date
from sim.study.person_story import PersonEvent, PersonStory
from sim.study.story import Account, AccountEvent, AccountStory, Leg, Matter, first_day

Thing = TypeVar("Thing", Matter, AccountEvent)


@dataclass(frozen=True)
class Told:
    """A month in words. dated : what is told for itself, in order of time. sums : sentences on all the rest."""

    dated: tuple[tuple[dt.date, str], ...]
    sums: tuple[str, ...]


def account_told(story: AccountStory, everything: bool) -> dict[dt.date, Told]:
    """The months of an account in which something happened or in which it was there, in order, by their first day.

    everything : tell routine contacts and routine decisions one by one too. What came up before the run stands under
    its first month.
    """
    first = story.start.day if story.start is not None else story.who.customer_since
    matters, events = _by_month(story.matters, first), _by_month(story.events, first)
    found = {}
    for month in sorted({*story.months, *matters, *events}):
        state = story.months.get(month)
        overdue = 0 if state is None else state.overdue
        found[month] = _month(matters.get(month, []), events.get(month, []), overdue, story.who.currency, everything)
    return found


def person_told(story: PersonStory) -> dict[dt.date, Told]:
    """The months of a seat, in order, by their first day."""
    found = {}
    for month in sorted({*story.months, *(first_day(event.day) for event in story.events)}):
        facts = story.months.get(month)
        weeks = () if facts is None else ((facts.training, IN_TRAINING), (facts.recovering, RECOVERING))
        found[month] = Told(
            dated=tuple(
                (event.day, PERSON_EVENT_WORDS[event.event](event))
                for event in story.events
                if first_day(event.day) == month
            ),
            sums=tuple(f"{count} week{'s' if count != 1 else ''} {words}." for count, words in weeks if count),
        )
    return found


def who_words(who: Account) -> str:
    """Who the account is, in a sentence."""
    called = f"{who.name}, {tier_title(who.tier)}" if who.name else tier_title(who.tier)
    owner = f", owner {who.owner}" if who.owner else ""
    term = "1 month" if who.term_months == 1 else f"{who.term_months} months"
    return (
        f"{called}: ARR {who.currency} {who.arr:,.0f}, {who.seats:,.0f} seats, contracts of {term}, customer since "
        f"{plain_date(who.customer_since)}, next contract end {plain_date(who.renewal)}{owner}."
    )


IN_TRAINING, RECOVERING = "in training", "with shorter shifts to recover"


def _month(matters: list[Matter], events: list[AccountEvent], overdue: int, currency: str, everything: bool) -> Told:
    told: list[tuple[dt.datetime, str]] = []
    told += [(event.when, event_words(event, currency)) for event in events if everything or not is_routine(event)]
    told += [(matter.when, matter_words(matter)) for matter in matters if everything or is_told(matter)]
    sums = [] if everything else [*_summary([matter for matter in matters if not is_told(matter)], events)]
    if overdue:
        sums.append(f"At the month's end {_number(overdue)} open past the target.")
    dated = tuple((when.date(), text) for when, text in sorted(told, key=lambda one: one[0]))
    return Told(dated, tuple(sums))


def _by_month(things: Sequence[Thing], first: dt.date) -> dict[dt.date, list[Thing]]:
    """Matters or events by the first day of their month; what came up before the run stands under its first."""
    months: dict[dt.date, list[Thing]] = {}
    for thing in things:
        months.setdefault(first_day(max(thing.when.date(), first)), []).append(thing)
    return months


WOULD_SIGN = "Would sign: the chance that they would sign a renewal on the month's last Sunday."
WAITS = (
    "Waits are in working time, those of customers on the line in minutes by the clock. CSMs and Support are simulated."
)


HOURS = (
    "Months by their weeks' last days. Hours a week: means over the weeks in which somebody had the seat; overtime is "
    "part of the hours on contacts. Absent: unplanned, in all. Calls: support calls among the contacts done. Book, "
    "fatigue, burnout: at the end of the last week."
)


def is_told(matter: Matter) -> bool:
    """Whether a matter is told for itself: what came back, was handed over, stayed unsettled, or was triggered."""
    if matter.initiated_by == "company":
        return len(matter.legs) > 1
    return matter.initiated_by == "trigger" or not matter.settled_at_once


def is_routine(event: AccountEvent) -> bool:
    """Mid-term, whoever stays; at the end of a short contract, whoever renews it as it was."""
    if not event.is_decision or event.left:
        return False
    short = event.until is not None and event.until - event.when.date() < SHORT
    return event.event == "midterm" or (short and event.arr_before == event.arr_after)


SHORT = dt.timedelta(days=300)


def _summary(matters: list[Matter], events: list[AccountEvent]) -> Iterator[str]:
    """Sentences on a month's routine: contacts settled at the first attempt, planned work, short contracts renewed."""
    own = [matter for matter in matters if matter.initiated_by == "customer"]
    if own:
        late = [matter for matter in own if matter.late]
        text = f"{_number(len(own))} settled at the first attempt: {_counted(own)}"
        if late:
            worst = max((matter.legs[0] for matter in late), key=lambda leg: leg.wait_minutes)
            which = "" if len(own) == 1 else f"{len(late):,} of them "
            text += f"; {which}late, {'the longest ' if len(late) > 1 else ''}{_waited(worst)}"
        yield f"{text}."
    planned = [matter for matter in matters if matter.initiated_by != "customer"]
    for outcome, words in PLANNED.items():
        some = [matter for matter in planned if matter.outcome == outcome]
        if some:
            yield f"Planned work {words}: {_counted(some)}."
    for event in (event for event in events if event.event == "renewal" and is_routine(event)):
        until = "" if event.until is None else f" until {plain_date(event.until)}"
        yield f"Contract renewed{until}; the chance of leaving was {_percent(event.probability)}."


PLANNED = {
    "resolved": "done",
    "unresolved": "done in vain",
    "escalated": "handed over",
    "abandoned": "given up",
    "deflected": "left to self-service",
    "bounced": "left to self-service in vain",
    "expired": "that nobody had time for",
    "withdrawn": "dropped",
    "blocked": "given up",
    "not_raised": "not begun",
    "open": "waiting still at the end of the run",
}


def _counted(matters: list[Matter]) -> str:
    """'3 how to, value review'."""
    counts = Counter(matter.category.replace("_", " ") for matter in matters)
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.items())


def _number(count: int) -> str:
    return f"{count:,} contact{'s' if count != 1 else ''}"


# --- matters ------------------------------------------------------------------------------------------------

OUTCOME_WORDS: dict[str, str] = {
    "resolved": "settled",
    "unresolved": "not settled",
    "escalated": "handed over",
    "abandoned": "gave up",
    "deflected": "settled in self-service",
    "bounced": "self-service in vain",
    "expired": "nobody had time while it mattered",
    "withdrawn": "dropped, as the customer had left",
    "blocked": "found the line full",
    "not_raised": "not raised, as another matter was open",
    "open": "open at the end of the run",
}


def matter_words(matter: Matter) -> str:
    """One matter with all that came of it: 'How to by email: Support 2 in 3.1 h, not settled; again 14 Jan: ...'."""
    first = matter.legs[0]
    parts = [f"{_title(matter.category)} by {first.channel.replace('_', ' ')}: {_leg(first)}"]
    for before, leg in zip(matter.legs, matter.legs[1:], strict=False):
        if leg.attempt != before.attempt:
            day = f"{leg.born.day} {leg.born:%b}"
            parts.append(f"again {day}: {_leg(leg)}")
        else:
            parts.append(f"then {_leg(leg)}")
    gone = "" if matter.outcome not in ("unresolved", "abandoned", "blocked") else ", and did not come back"
    return "; ".join(parts) + gone + "."


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _leg(leg: Leg) -> str:
    words = OUTCOME_WORDS[leg.outcome]
    if leg.target_minutes is None:
        return words
    if leg.outcome in ("abandoned", "blocked"):
        return f"{words} {_waited(leg)}" if leg.outcome == "abandoned" else f"{words} at {team_title(leg.team)}"
    who = leg.who or team_title(leg.team)
    late = ", late" if leg.late else ""
    called_back = " calls back" if leg.call_back and leg.who else ""
    if not leg.who:
        return f"waited for {who}{late}, {_waited(leg)}, {words}" if leg.outcome != "expired" else words
    return f"{who}{called_back} {_waited(leg)}{late}, {words}"


def _waited(leg: Leg) -> str:
    """'after 3.1 h (target 6 h)'."""
    return f"after {_span(leg.wait_minutes)} (target {_span(leg.target_minutes or 0.0)})"


def _span(minutes: float) -> str:
    if 0 < minutes < 1:
        return "less than 1 min"
    if minutes < 90:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours >= 10 or hours == int(hours) else f"{hours:.1f} h"


# --- events of an account -----------------------------------------------------------------------------------


def event_words(event: AccountEvent, currency: str) -> str:
    """One event of an account in words; what has none yet is told by its name."""
    words = EVENT_WORDS.get(event.event)
    text = words(event) if words is not None else f"{_title(event.event)}."
    if event.left:
        return f"{text} ARR lost: {currency} {event.arr_before:,.0f}."
    if event.arr_before != event.arr_after:
        before = f"from {currency} {event.arr_before:,.0f} to " if event.arr_before else f"{currency} "
        text += f" ARR {before}{event.arr_after:,.0f}."
    return text


def _sponsor_lost(event: AccountEvent) -> str:
    return f"The executive sponsor leaves{_executive(event)}."


def _sponsor_engaged(event: AccountEvent) -> str:
    return f"A new sponsor is engaged{_executive(event)}."


def _executive(event: AccountEvent) -> str:
    if event.executive_before is None or event.executive_after is None:
        return ""
    return f"; executive contact from {event.executive_before:.2f} to {event.executive_after:.2f} in that week"


def _owner_changed(event: AccountEvent) -> str:
    """A person left, or the account moved to another book; either costs executive contact."""
    left = {"quit": "has quit", "let_go": "has been let go"}.get(event.owner_event)
    moved = event.owner and event.owner != event.owner_before
    if left is not None:
        after = f"{event.owner} takes over" if moved else "colleagues cover until the seat is filled"
        return f"{event.owner_before}, the owner, {left}; {after}."
    return f"A new owner: {event.owner or 'nobody'}{f', before {event.owner_before}' if event.owner_before else ''}."


def _announced(event: AccountEvent) -> str:
    until = f" on {plain_date(event.until)}" if event.until is not None else ""
    return (
        f"Announces to leave when the contract ends{until} (the chance of that was {_percent(event.probability)}); "
        "firefighting starts."
    )


def _renewal(event: AccountEvent) -> str:
    until = f" until {plain_date(event.until)}" if event.until is not None else ""
    drawn = "it leaves" if event.left else f"it stays{until}"
    if event.probability == 0 and not event.left:
        return f"The contract ends; {drawn}."
    why = f" ({_shares(event)})" if any(event.shares.values()) else ""
    before = (
        f"The contract ends; it had announced to leave, and {event.firefights_done} of {event.firefights} "
        "firefights were done. "
        if event.announced
        else "The contract ends. "
    )
    return f"{before}Chance of leaving {_percent(event.probability)}{why}. The draw: {drawn}."


def _midterm(event: AccountEvent) -> str:
    drawn = "it leaves in the middle of the contract" if event.left else "it stays"
    return f"Mid-term, chance of leaving {_percent(event.probability)} ({_shares(event)}). The draw: {drawn}."


def _shares(event: AccountEvent) -> str:
    """'disconnection 55 %, service 20 %', the largest first; what rounds to nothing is left out."""
    largest = sorted(event.shares.items(), key=lambda one: -one[1])
    return ", ".join(f"{driver} {100 * share:.0f} %" for driver, share in largest if share >= 0.005)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


EVENT_WORDS: dict[str, Callable[[AccountEvent], str]] = {
    "won": lambda _: "Becomes a customer.",
    "sponsor_lost": _sponsor_lost,
    "sponsor_engaged": _sponsor_engaged,
    "owner_changed": _owner_changed,
    "announced": _announced,
    "renewal": _renewal,
    "midterm": _midterm,
    "won_back": lambda _: "Comes back as a customer.",
    "onboarded": lambda _: "Onboarding is done.",
    "onboarding_failed": lambda _: "Onboarding has failed.",
    "plan_opened": lambda _: "It looks at risk: its owner begins an action plan.",
    "ill_timed": lambda _: "Planned work came while an answer was overdue, and did harm.",
    "upgraded": lambda event: f"Moves up to the tier {tier_title(event.tier)}.",
}

# --- events of a person -------------------------------------------------------------------------------------


def _hired(event: PersonEvent) -> str:
    who = "Somebody starts" if event.occupant == 1 else f"Person {event.occupant} in this seat starts"
    weeks = event.training_weeks
    return who + (f", with {weeks:g} weeks of training." if weeks else ".")


def _quit(event: PersonEvent) -> str:
    burnout = "" if event.burnout is None else f" at a burnout of {event.burnout:.2f}"
    filled = "it stays vacant" if event.fill_weeks is None else f"filling the seat takes {event.fill_weeks:g} weeks"
    return f"Person {event.occupant} in this seat quits{burnout}; {filled}."


PERSON_EVENT_WORDS: dict[str, Callable[[PersonEvent], str]] = {
    "hired": _hired,
    "quit": _quit,
    "let_go": lambda event: f"The seat is closed; person {event.occupant} is let go.",
}
