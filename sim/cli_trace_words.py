"""A story in the terminal: events, matters and months as lines of at most 80 columns.

In: a `Trace`. Out: lines of text. The sentences are those of `sim/study/story_words.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from sim.cli_text import printable
from sim.study.person_story import PersonMonth, PersonStory
from sim.study.story import AccountState, AccountStory
from sim.study.story_words import HOURS, WAITS, WOULD_SIGN, Told, account_told, person_told, who_words
from sim.study.trace import NO_STATEMENT, Trace

WIDTH = 80
INDENT = 2
DATE = 8  # '14 Jan  '
_CONSOLE = Console(width=WIDTH, markup=False, highlight=False, emoji=False)


def story_lines(trace: Trace, everything: bool) -> list[str]:
    """The story as lines. everything : tell routine contacts one by one too."""
    story = trace.story
    if isinstance(story, AccountStory):
        title, lines = story.who.account, _account(story, everything)
    else:
        title, lines = story.person, _person(story)
    heading = f"{title} in {trace.scenario}: replication {trace.replication}, seed {trace.provenance.seed}"
    return [*_wrapped(heading), "", *(line.rstrip() for line in lines)]


def _wrapped(text: str, indent: int = 0, first: str = "") -> list[str]:
    """Lines of at most `WIDTH` columns, wide characters counted as two. first : stands in the first line's indent."""
    lines = Text(printable(text)).wrap(_CONSOLE, WIDTH - indent)
    return [(" " * indent if i else first.ljust(indent)) + line.plain.rstrip() for i, line in enumerate(lines)]


def _told(told: Told) -> Iterator[str]:
    """What happened in a month, each with its date, and the rest in sentences."""
    for day, text in told.dated:
        yield from _wrapped(text, INDENT + DATE, f"{'':{INDENT}}{day.day:2} {day:%b}")
    for sentence in told.sums:
        yield from _wrapped(sentence, INDENT + DATE)


# --- an account ---------------------------------------------------------------------------------------------


def _account(story: AccountStory, everything: bool) -> Iterator[str]:
    yield from _wrapped(who_words(story.who))
    yield ""
    yield f"{'':10}{'adoption':>9}{'satisfaction':>14}{'executive':>11}{'health':>8}{'would sign':>12}{'ARR':>12}"
    if story.start is not None:
        yield _state("Start", story.start)
    for month, told in account_told(story, everything).items():
        state = story.months.get(month)
        yield _state(f"{month:%b %Y}", state) if state is not None else f"{month:%b %Y}"
        yield from _told(told)
    yield ""
    yield from _wrapped(f"{WOULD_SIGN} {WAITS}")


def _state(label: str, state: AccountState) -> str:
    return (
        f"{label:10}{state.adoption:9.2f}{state.satisfaction:14.2f}{state.executive_contact:11.2f}{state.health:8.2f}"
        f"{f'{100 * state.would_sign:.0f} %':>12}{state.arr:12,.0f}"
    )


# --- a person -----------------------------------------------------------------------------------------------


def _person(story: PersonStory) -> Iterator[str]:
    yield from _wrapped(f"{NO_STATEMENT[:1].upper()}{NO_STATEMENT[1:]}.")
    yield ""
    yield f"{'':9}{'':5}{'hours a week':>26}{'absent':>8}{'contacts':>14}"
    yield (
        f"{'':9}{'book':>5}{'desk':>6}{'contacts':>10}{'overtime':>10}{'hours':>8}{'done':>7}{'calls':>7}"
        f"{'fatigue':>9}{'burnout':>9}"
    )
    if story.start is not None:
        condition = _condition(story.start.fatigue, story.start.burnout)
        yield f"{'Start':9}{_book(story.start.accounts, story):>5}{'':41}{condition}"
    for month, told in person_told(story).items():
        facts = story.months.get(month)
        yield f"{month:%b %Y}" if facts is None else _person_month(f"{month:%b %Y}", facts, story)
        yield from _told(told)
    yield ""
    yield from _wrapped(HOURS)


def _book(accounts: int, story: PersonStory) -> str:
    return f"{accounts:,}" if story.owns_accounts else "–"


def _condition(*values: float | None) -> str:
    """Fatigue and burnout, of a vacant seat '–'."""
    return "".join(f"{'–' if value is None else f'{value:.2f}':>9}" for value in values)


def _person_month(label: str, facts: PersonMonth, story: PersonStory) -> str:
    book = _book(facts.accounts, story)
    if not facts.employed:
        return f"{label:9}{book:>5}  vacant"
    return (
        f"{label:9}{book:>5}{facts.desk_hours_per_week:6.1f}{facts.handling_hours_per_week:10.1f}"
        f"{facts.overtime_hours_per_week:10.1f}{facts.absent_hours:8.1f}{facts.contacts:7,}{facts.support_calls:7,}"
        f"{_condition(facts.fatigue, facts.burnout)}"
    )
