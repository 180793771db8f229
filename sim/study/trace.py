"""One replication, run to tell the story of one account or one simulated person in it.

In: a scenario, the name of an account or a person, seed and replication. Out: a `Trace` with the story.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.model.accounts import opening_table
from sim.model.community import Forum
from sim.model.compile import compile_inputs
from sim.model.inputs import HOURS_PER_WEEK, Inputs
from sim.model.ledger import History, Ledger
from sim.model.lifecycle import Lifecycle
from sim.model.luck import Luck
from sim.model.replication import replicate
from sim.model.watch import Watch
from sim.scenario import AccountSource, Scenario
from sim.study.errors import StudyInputError
from sim.study.given import ScenarioLike, read_scenario
from sim.study.limits import REPLICATIONS_RANGE, SEED_RANGE, check_range
from sim.study.person_story import PersonStory, person_story
from sim.study.provenance import Provenance, provenance
from sim.study.risk import account_ids
from sim.study.story import AccountStory, account_story, seat_name

REPLICATION_RANGE = (0, REPLICATIONS_RANGE[1] - 1)


@dataclass(frozen=True)
class Trace:
    """A story, and the scenario and the replication in which it happened."""

    scenario: str
    replication: int
    provenance: Provenance
    story: AccountStory | PersonStory

    def to_dict(self) -> dict[str, Any]:
        """As plain values: provenance, scenario, replication, and all facts of the story, months as a list."""
        kind = "account" if isinstance(self.story, AccountStory) else "person"
        facts = asdict(self.story)
        facts["months"] = [{"month": f"{month:%Y-%m}"} | values for month, values in facts["months"].items()]
        heading = {} if kind == "account" else {"note": NO_STATEMENT}
        said = {"provenance": self.provenance.to_dict(), "scenario": self.scenario, "replication": self.replication}
        return said | heading | {kind: facts}

    def to_json(self) -> str:
        """As JSON text, dates as 2026-03-01 and times as 2026-03-01 09:30:00, with a line break at its end."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False, default=str) + "\n"


NO_STATEMENT = "simulated, not a statement about a person"


def trace_account(
    scenario: ScenarioLike,
    account: str,
    *,
    replication: int = 0,
    seed: int = 1,
    accounts: AccountSource | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Trace:
    """What happened to an account.

    Parameters
    ----------
    account : its id as `accounts_at_risk` has it; customers won in the run are called by tier, week and number, as
        'small-won-14-1'.
    replication : as `run` numbers them, 0 to 99,999. seed : root seed, 0 to 2^63 - 1.
    accounts : a list of accounts to start with, for a scenario given as a file.
    cancel : asked at the start of every simulated week.

    Raises
    ------
    ScenarioError, StudyInputError for bad input; `sim.model.replication.Cancelled`.
    """
    one, inputs = read(scenario, replication, seed, accounts)
    known = account_keys(one, inputs, seed, replication)
    if account not in known:
        raise StudyInputError(f"{_quoted(account)} is no account of replication {replication}{_hint(account, known)}")
    history = follow(inputs, seed, replication, Watch(account=known[account]), cancel)
    names = {} if one.book is None else dict(zip(one.book.account, one.book.name, strict=True))
    story = account_story(history, inputs, known[account], account, names.get(account, ""), one.currency)
    return _trace(one, replication, seed, story)


def trace_person(
    scenario: ScenarioLike,
    person: str,
    *,
    replication: int = 0,
    seed: int = 1,
    accounts: AccountSource | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Trace:
    """What happened to a simulated person, called by team and seat as 'CSM 2'; capitals do not count.

    Parameters and errors are those of `trace_account`.
    """
    one, inputs = read(scenario, replication, seed, accounts)
    known = seats(inputs)
    found = next((name for name in known if name.casefold() == " ".join(person.split()).casefold()), None)
    if found is None:
        raise StudyInputError(f"{_quoted(person)} is nobody in this scenario{_hint(person, known)}")
    history = follow(inputs, seed, replication, Watch(seat=known[found]), cancel)
    return _trace(one, replication, seed, person_story(history, inputs, *known[found], one.currency))


def account_keys(scenario: Scenario, inputs: Inputs, seed: int, replication: int) -> dict[str, int]:
    """The keys of all accounts of a replication by their names: the opening book's first, then those won.

    Who is won is drawn before the run and hangs on luck alone, so the names of what-ifs agree as far as they win the
    same customers.
    """
    luck = Luck(seed, replication)
    opening = opening_table(inputs.book, inputs.phases[0], luck, 0.0, 0.0, 0.0)
    lifecycle = Lifecycle(inputs, opening, Forum(), luck, Ledger())
    lifecycle.plan_new_accounts()
    table, listed = lifecycle.table, len(inputs.book.keys)
    names = dict(zip(account_ids(scenario, inputs), inputs.book.keys.tolist(), strict=True))
    week = np.rint(table.started[listed:] / HOURS_PER_WEEK).astype(np.int64) + 1
    number: dict[tuple[int, int], int] = {}
    for key, tier, of_week in zip(
        table.key[listed:].tolist(), table.tier[listed:].tolist(), week.tolist(), strict=True
    ):
        j = number[tier, of_week] = number.get((tier, of_week), 0) + 1
        names.setdefault(f"{inputs.tiers[tier]}-won-{of_week}-{j}", key)
    return names


def seats(inputs: Inputs) -> dict[str, tuple[int, int]]:
    """Team and seat, from 0, of everybody whom a scenario has a place for at some time, by name."""
    return {
        seat_name(inputs, team, seat): (team, seat)
        for team in range(len(inputs.teams))
        for seat in range(max(phase.teams[team].headcount for phase in inputs.phases))
    }


def read(
    scenario: ScenarioLike, replication: int, seed: int, accounts: AccountSource | None
) -> tuple[Scenario, Inputs]:
    """The scenario and its inputs. Raises ScenarioError, StudyInputError."""
    check_range("replication", replication, REPLICATION_RANGE)
    check_range("seed", seed, SEED_RANGE)
    one = read_scenario(scenario, accounts)
    return one, compile_inputs(one)


def follow(
    inputs: Inputs, seed: int, replication: int, watch: Watch | None, cancel: Callable[[], bool] | None
) -> History:
    """One history, with whoever is followed in it."""
    return next(replicate(inputs, [inputs], seed, replication, cancel, watch))


def _trace(scenario: Scenario, replication: int, seed: int, story: AccountStory | PersonStory) -> Trace:
    return Trace(scenario.name, replication, provenance([scenario], seed, 1), story)


def _hint(name: str, known: Mapping[str, Any]) -> str:
    """What to write instead: the nearest known name, and what all of them look like."""
    near = difflib.get_close_matches(name.casefold(), {one.casefold(): one for one in known}, n=1, cutoff=0.6)
    meant = next((one for one in known if near and one.casefold() == near[0]), None)
    return f"{f'; did you mean {_quoted(meant)}?' if meant else '.'} Known are {_ranges(known)}."


def _ranges(names: Iterable[str]) -> str:
    """'CSM 1 to CSM 6 and Support 1 to Support 5': names that differ in a last number only are told by their ends."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda one: int(one[len(one.rstrip(_DIGITS)) :] or 0)):
        groups.setdefault(name.rstrip(_DIGITS), []).append(name)
    whole = [one for stem, one in groups.items() if "-won-" not in stem]
    parts = [one[0] if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in whole]
    won = [name for stem, one in groups.items() if "-won-" in stem for name in one]
    shown = parts if len(parts) <= MOST_RANGES else [*parts[:MOST_RANGES], "…"]
    return ", ".join(shown + ([f"and {len(won):,} won in the run, as {won[0]}"] if won else []))


MOST_RANGES = 8
_DIGITS = "0123456789"


def _quoted(name: str | None) -> str:
    return f"'{name}'"
