"""The scenarios that a study is given: read from their files, and fit to be compared.

In: scenarios or paths, and a list of accounts if there is one. Out: `Scenario`s, or one `ScenarioError` with the
problems of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim.scenario import AccountList, AccountSource, Problem, Scenario, ScenarioError, load_scenario
from sim.scenario.union import with_all_names
from sim.study.errors import StudyInputError

ScenarioLike = Scenario | str | Path


def read_scenario(scenario: ScenarioLike, accounts: AccountSource | None) -> Scenario:
    """The scenario itself, or the one in a file, with the list of accounts if one is given. Raises ScenarioError."""
    if not isinstance(scenario, Scenario | str | Path):
        raise TypeError(
            f"{scenario!r} is no scenario; give the path of a scenario file or what load_scenario returned."
        )
    if isinstance(scenario, Scenario) and accounts is not None:
        raise StudyInputError(f"accounts: {scenario.name!r} is read already; give its list to load_scenario.")
    return scenario if isinstance(scenario, Scenario) else load_scenario(Path(scenario), accounts=accounts)


def read_scenarios(scenarios: Sequence[ScenarioLike], accounts: AccountSource | None) -> list[Scenario]:
    """All scenarios, or one ScenarioError with the problems of all files, each told once."""
    loaded: list[Scenario] = []
    problems: dict[Problem, None] = {}
    for one in scenarios:
        try:
            loaded.append(read_scenario(one, accounts))
        except ScenarioError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ScenarioError(problems)
    return loaded


SAME_EVERYWHERE = (
    "start", "weeks", "time_zone", "window", "currency", "book",
    "tiers.*.accounts", "tiers.*.arr_per_year_mean", "tiers.*.arr_cv", "tiers.*.arr_per_seat_per_year",
    "tiers.*.term_months", "accounts.book_seed", "accounts.warm_up_weeks", "accounts.contact_rate_cv",
    "accounts.adoption.opening", "accounts.executive_contact.opening",
    "teams.*.opening_vacancies", "teams.*.opening_burnout", "departures.opening_intent_factor",
)  # fmt: skip


def check_comparable(loaded: Sequence[Scenario], given: Sequence[ScenarioLike]) -> None:
    """Raises ScenarioError unless the scenarios have the baseline's tiers, calendar and opening state.

    Categories, channels and teams may differ: what a scenario does not have is at rest there (`with_all_names`).
    """
    baseline, *others = with_all_names(loaded)
    problems: list[Problem] = []
    for scenario, own, source in zip(others, loaded[1:], given[1:], strict=True):
        file = scenario.name if isinstance(source, Scenario) else str(source)
        ours, theirs = list(scenario.tiers), list(baseline.tiers)
        if ours != theirs:
            message = f"{', '.join(ours)}: a comparison needs the baseline's tiers in its order ({', '.join(theirs)})."
            problems.append(Problem(file, 0, "tiers", message))
            continue
        for kind in ("initiated_by", "support_call"):
            for name, category in scenario.categories.items():
                this, that = getattr(category, kind), getattr(baseline.categories[name], kind)
                if this != that:
                    message = (
                        f"{this} differs from {that}, as another scenario has it; results count a category in one way."
                    )
                    problems.append(Problem(file, 0, f"categories.{name}.{kind}", message))
        if scenario.book != baseline.book:
            book, other = map(_book_words, (scenario.book, baseline.book))
            message = (
                f"{book} is not {other}, with which the baseline starts; a comparison starts from one book: "
                "name the same list in both, in a file that both extend, or with --accounts."
            )
            problems.append(Problem(file, 0, "accounts.file", message))
            continue
        for pattern in SAME_EVERYWHERE:
            for path, ours, theirs in _values(scenario, baseline, pattern.split("."), ""):
                team = path.split(".")[1] if pattern.startswith("teams.") else None
                if ours != theirs and (team is None or team in own.teams):  # of a deleted team nobody is left
                    this, that = (f"no {path}" if value is None else value for value in (ours, theirs))
                    message = (
                        f"{this} differs from the baseline's {that}; a comparison starts from one opening "
                        "state: make it the same here, or change it from a date on under 'changes'."
                    )
                    if team is not None and team not in loaded[0].teams:
                        message = (
                            f"{this} differs from 0; a team that the baseline does not have begins with 0: write 0"
                        )
                    if pattern in ("start", "weeks", "time_zone", "window", "currency"):
                        message = f"{this} differs from the baseline's {that}; a comparison needs the same."
                    problems.append(Problem(file, 0, path, message))
    if problems:
        raise ScenarioError(problems)


def _book_words(book: AccountList | None) -> str:
    return "an invented book" if book is None else f"a list of {len(book):,} accounts (digest {book.digest[:8]})"


def _values(ours: Any, theirs: Any, keys: Sequence[str], path: str) -> list[tuple[str, Any, Any]]:
    """(path, our value, their value) for a dotted pattern in which * stands for every key of a map."""
    if not keys:
        return [(path, ours, theirs)]
    key, *rest = keys
    if key == "*":
        return [found for name in ours for found in _values(ours[name], theirs[name], rest, f"{path}.{name}")]
    return _values(getattr(ours, key), getattr(theirs, key), rest, f"{path}.{key}" if path else key)
