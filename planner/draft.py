"""The decision on the page before it runs: two scenario files, what the levers change, and how often to simulate.

In: widgets' values, or a link. Out: the two scenarios, the what-if as a file, the link, the command line. Knows
nothing of Streamlit.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.scenario import AccountSource, Scenario, load_scenario, load_scenario_text, phases
from sim.scenario.book.mapping import dump_mapping
from sim.scenario.json_schema import field_at
from sim.scenario.schema import Change
from sim.study.limits import SEED_RANGE

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
RULES = "routing.rules"
WEEKS_BEFORE_A_CHANGE = 26
MOST_LINK_CHARACTERS = 8000
REPLICATIONS_MIN, REPLICATIONS_MAX, REPLICATIONS_DEFAULT = 2, 1000, 30

How = Literal["front_door", "warm_transfer"]
FileName = Annotated[str, Field(max_length=255, pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*\.yaml$")]  # in the folder


class LinkError(ValueError):
    """A link that cannot be followed; the message says why."""


class Draft(BaseModel):
    """What is to be compared.

    baseline, what_if : files of the folder. change : what the levers set on top of the what-if, from a date on.
    accounts : the first digits of the account list's fingerprint, if the companies are the user's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    baseline: FileName
    what_if: FileName
    change: Change | None = None
    replications: Annotated[int, Field(ge=REPLICATIONS_MIN, le=REPLICATIONS_MAX)] = REPLICATIONS_DEFAULT
    seed: Annotated[int, Field(ge=SEED_RANGE[0], le=2**31 - 1)] = 1
    accounts: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None = None

    def link(self) -> str:
        """The draft as compact JSON, for the address of the page."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def read_link(text: str) -> Draft:
    """The draft in a link. Raises LinkError."""
    if len(text) > MOST_LINK_CHARACTERS:
        raise LinkError(f"This link is {len(text):,} characters long; a link of ours has at most 8,000.")
    try:
        return Draft.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        why = "not the name of a scenario file" if first["type"] == "string_pattern_mismatch" else first["msg"]
        raise LinkError(f"This link cannot be followed: {where}: {why}.") from None


@dataclass(frozen=True)
class Levers:
    """What the page's sliders stand at.

    start : from when they hold. source, target : the teams between which support calls move; None where there
    are no two. share, how : of the rule; share is None if the scenario has rules that no slider can show.
    headcount : by team, at the end of the run.
    """

    start: dt.date
    source: str | None
    target: str | None
    share: float | None
    how: How
    headcount: Mapping[str, float]


def levers_of(scenario: Scenario) -> Levers:
    """Where the levers stand in a scenario."""
    last = phases(scenario)[-1].scenario
    source = next((name for name, team in last.teams.items() if team.named_owner), None)
    target = next((name for name, team in last.teams.items() if not team.named_owner), None)
    share: float | None = 0.0
    how: How = "front_door"
    rules = last.routing.rules
    if len(rules) == 1 and rules[0].categories is None and (rules[0].from_, rules[0].to) == (source, target):
        share, how = rules[0].share, rules[0].how
    elif rules or source is None or target is None:
        share = None
    paths = lever_paths(scenario)
    dates = [change.from_ for change in scenario.changes if not paths.isdisjoint(change.set)]
    dates += [change.from_ for change in scenario.changes]
    usual = scenario.start + dt.timedelta(weeks=min(WEEKS_BEFORE_A_CHANGE, scenario.weeks - 1))
    return Levers(
        start=dates[0] if dates else usual,
        source=source,
        target=target,
        share=share,
        how=how,
        headcount={name: team.headcount for name, team in last.teams.items()},
    )


def beyond_levers(change: Change, levers: Levers) -> dict[str, Any]:
    """What a change sets that no lever shows: other fields, or routing rules too many for a slider."""
    shown = {f"teams.{team}.headcount" for team in levers.headcount}
    if levers.share is not None:
        shown.add(RULES)
    return {path: value for path, value in change.set.items() if path not in shown}


def lever_paths(scenario: Scenario) -> set[str]:
    """The dotted paths that levers set."""
    return {RULES, *(f"teams.{team}.headcount" for team in scenario.teams)}


def change_of(levers: Levers, baseline: Scenario, what_if: Scenario) -> Change | None:
    """The dated change that puts the levers where they are; None if the what-if has them there already.

    A value is named if it is not the baseline's, or if the what-if itself dates it.
    """
    values = {} if levers == levers_of(what_if) else _set_by(levers, baseline, what_if)
    return Change.model_validate({"from": levers.start, "set": values}) if values else None


def is_dated(levers: Levers, baseline: Scenario, what_if: Scenario) -> bool:
    """Whether the levers set anything that their date can move; the rest of a what-if keeps its own dates."""
    return bool(_set_by(levers, baseline, what_if))


def _set_by(levers: Levers, baseline: Scenario, what_if: Scenario) -> dict[str, Any]:
    """Dotted paths and values that put the levers where they are."""
    dated = {path for change in what_if.changes for path in change.set}
    values: dict[str, Any] = {}
    if levers.share is not None and (levers.share > 0 or RULES in dated or what_if.routing.rules):
        rule = {"from": levers.source, "to": levers.target, "share": levers.share, "how": levers.how}
        values[RULES] = [rule] if levers.share > 0 else []
    before = levers_of(baseline).headcount
    for team, people in levers.headcount.items():
        path = f"teams.{team}.headcount"
        if people != before.get(team) or path in dated or people != what_if.teams[team].headcount:
            values[path] = people
    return values


def delta(draft: Draft, what_if: Scenario) -> dict[str, Any]:
    """The adjusted what-if as a scenario file that extends the named one.

    A dated change replaces what the file itself dates at the same paths; the rest of the file holds.
    """
    assert draft.change is not None
    kept = []
    for change in what_if.changes:
        rest = {path: value for path, value in change.set.items() if path not in draft.change.set}
        if rest:
            kept.append({"from": change.from_, "set": rest})
    changes = sorted([*kept, draft.change.model_dump(by_alias=True)], key=lambda change: change["from"])
    merged: list[dict[str, Any]] = []
    for change in changes:
        if merged and merged[-1]["from"] == change["from"]:
            merged[-1]["set"] |= change["set"]
        else:
            merged.append(change)
    return {"name": f"{what_if.name[:70]}, adjusted", "extends": draft.what_if, "changes": merged}


def delta_text(draft: Draft, what_if: Scenario) -> str:
    """The adjusted what-if as the text of a scenario file."""
    return yaml.safe_dump(delta(draft, what_if), sort_keys=False, allow_unicode=True, width=110)


def scenarios_of(draft: Draft, accounts: AccountSource | None = None) -> tuple[Scenario, Scenario]:
    """Baseline and what-if, read and checked. Raises ScenarioError."""
    baseline = load_scenario(FOLDER / draft.baseline, accounts=accounts)
    what_if = load_scenario(FOLDER / draft.what_if, accounts=accounts)
    if draft.change is not None:
        what_if = load_scenario_text(delta_text(draft, what_if), "the what-if", FOLDER, accounts=accounts)
    return baseline, what_if


def fingerprint(accounts: AccountSource) -> str:
    """What tells one account list and mapping from another."""
    mapping = dump_mapping(accounts.mapping).encode() if accounts.mapping else b""
    parts = (accounts.data, mapping, accounts.look_up or b"")
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:12]


def command_line(draft: Draft, accounts: AccountSource | None = None) -> str:
    """The command that gives the same numbers in a terminal; an adjusted what-if is the file that is downloaded."""
    what_if = draft.what_if if draft.change is None else ADJUSTED_FILE
    words = ["csm-planner", "compare", f"scenarios/{draft.baseline}", f"scenarios/{what_if}"]
    words += ["--replications", str(draft.replications), "--seed", str(draft.seed)]
    return shlex.join([*words, *list_options(accounts)])


def list_options(accounts: AccountSource | None) -> list[str]:
    """The options of a command that begin with an account list; none without one."""
    if accounts is None:
        return []
    words = ["--accounts", accounts.file_name]
    if accounts.mapping is not None:  # an upload's mapping is the file that the page gives
        words += ["--mapping", accounts.mapping_name if accounts.mapping_name.endswith(".yaml") else "mapping.yaml"]
    return words


ADJUSTED_FILE = "what_if.yaml"


def bounds(path: tuple[Any, ...]) -> tuple[float, float, str]:
    """Smallest and largest value of a field and what it means, from the schema."""
    field = field_at(path) or {}
    return field["minimum"], field["maximum"], str(field.get("description", ""))


def rule_help(field: str) -> str:
    """What a part of a routing rule means, from the schema."""
    return str((field_at((*RULES.split("."), 0, field)) or {}).get("description", ""))
