"""What a mapping file says: which column of an account list is what, and what is made of it.

In: the bytes of a mapping file (YAML). Out: a frozen `Mapping`, or a `ScenarioError` with every problem and its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from sim.scenario.errors import Problem, ScenarioError, shown
from sim.scenario.part_file import location, problem_of
from sim.scenario.schema_types import Date, Name, Part
from sim.scenario.tree import Path, Tree, read_tree

MAPPING = "mapping"
DATE_FORMATS = (
    "YYYY-MM-DD", "YYYY/MM/DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYYMMDD",
)  # fmt: skip
USUAL_TERMS = {
    "monthly": 1, "month": 1, "quarterly": 3, "quarter": 3, "semiannual": 6, "half-yearly": 6,
    "annual": 12, "annually": 12, "yearly": 12, "year": 12, "biennial": 24, "2-year": 24, "2 years": 24,
    "triennial": 36, "3-year": 36, "3 years": 36,
}  # fmt: skip

Column = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=200)]


class LookUpColumns(Part):
    """What a second list knows of an account."""

    name: Column | None = Field(default=None, description="column with the account's name")
    tier: Column | None = Field(default=None, description="column whose values 'tier' turns into tiers")
    seats: Column | None = Field(default=None, description="column with the number of seats")
    start: Column | None = Field(default=None, description="column with the first day")
    term_months: Column | None = Field(default=None, description="column with the contract term in months")
    billing: Column | None = Field(default=None, description="column whose values 'term' turns into months")
    renewal: Column | None = Field(default=None, description="column with the contract's next end")
    owner: Column | None = Field(default=None, description="column with the name of the account's own person")


class Columns(LookUpColumns):
    """Which column is what."""

    account: Column = Field(description="column with the account's id")
    arr_per_year: Column | None = Field(default=None, description="column with the yearly recurring revenue")
    mrr: Column | None = Field(default=None, description="column with the monthly recurring revenue, instead")
    end: Column | None = Field(default=None, description="column with the last day's date, empty while it goes on")


class LookUp(Part):
    """A second list, with what the first one lacks."""

    file: Column = Field(description="CSV file beside the mapping file, or in a folder below")
    account: Column = Field(description="its column with the account's id, each once")
    columns: LookUpColumns


class Drop(Part):
    """Rows that are left out: by the value of a column, or without revenue."""

    column: Column | None = Field(default=None, description="column that decides")
    is_: list[Text] | None = Field(
        default=None, alias="is", min_length=1, max_length=100, description="values with which a row is left out"
    )
    zero_arr: bool = Field(default=False, description="leaves out rows whose revenue is 0")


class TierRule(Part):
    """How accounts fall into tiers: one of the two."""

    values: dict[Text, Name] | None = Field(default=None, min_length=1, max_length=200)
    arr_at_least: dict[Name, Annotated[float, Field(ge=0, le=1e9)]] | None = Field(
        default=None, min_length=1, max_length=20
    )


class TermRule(Part):
    """How long contracts last: one of the two."""

    months: Annotated[int, Field(ge=1, le=60)] | None = None
    billing: dict[Text, Annotated[int, Field(ge=1, le=60)]] | None = Field(default=None, min_length=1, max_length=200)


class Headcount(Part):
    """How many people a team has: one of the two."""

    accounts_per_person: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="accounts of the list for each person, rounded up to whole people"
    )
    from_owners: bool = Field(default=False, description="as many people as owners are named")


class Mapping(Part):
    """What the columns of an account list are, and what is made of it."""

    columns: Columns
    date_format: Literal[DATE_FORMATS] | None = Field(  # type: ignore[valid-type]
        default=None, description="how dates are written if not as 2026-03-31"
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="what stands before decimals")
    look_up: LookUp | None = None
    as_of: Date | None = Field(
        default=None, description="day whose book the list shows; without it the scenario's first day"
    )
    drop: list[Drop] = Field(default=[], max_length=50, description="rows that are left out")
    several_rows: Literal["sum", "refuse"] = Field(
        default="refuse", description="sum: several rows of an account are added up; refuse: they are an error"
    )
    tier: TierRule | None = Field(
        default=None, description="the tier of each value of the column, or the least ARR of each tier"
    )
    term: TermRule | None = Field(
        default=None, description="months of each value of the billing column, or one number of months for all"
    )
    owner: Literal["named", "dealt"] = Field(
        default="named", description="named: accounts stay with the owner in the list; dealt: all are dealt out"
    )
    owners: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        default=None, min_length=1, max_length=5000, description="names that may stand in the owner column"
    )
    headcount: dict[Name, Headcount] = Field(default={}, max_length=20, description="people of a team, from the list")


def read_mapping(data: bytes, name: str) -> Mapping:
    """The mapping in the bytes of a file. name : what messages call it.

    Raises ScenarioError with every problem.
    """
    if not data.strip():
        raise ScenarioError([Problem(name, 1, "", "the file is empty; a mapping needs at least 'columns'")])
    tree, problems = read_tree(data, name)
    if tree is None:
        raise ScenarioError(problems)
    tree = _spelt_out(tree)
    try:
        mapping = Mapping.model_validate(tree.plain(), strict=True)
    except ValidationError as error:
        problems += [_problem(tree, one) for one in error.errors(include_url=False)]
        raise ScenarioError(sorted(set(problems), key=lambda one: (one.line, one.path))) from None
    for path, message in contradictions(mapping):
        problems.append(Problem(name, tree.nearest(path).mark.line, _dotted(tree, path), message))
    if problems:
        raise ScenarioError(problems)
    return mapping


def dump_mapping(mapping: Mapping) -> str:
    """A mapping as YAML text that reads back equal."""
    data = mapping.model_dump(by_alias=True, exclude_defaults=True)
    data["columns"] = {"account": mapping.columns.account, **data["columns"]}
    if mapping.tier is not None:
        data["tier"] = mapping.tier.values or mapping.tier.arr_at_least or {}
    if mapping.term is not None:
        data["term"] = mapping.term.billing or mapping.term.months
    for team, rule in mapping.headcount.items():
        data["headcount"][team] = "from_owners" if rule.from_owners else data["headcount"][team]
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def contradictions(mapping: Mapping) -> Iterator[tuple[Path, str]]:
    """(path, message) of what does not fit together in a mapping."""
    columns = mapping.columns
    if columns.arr_per_year is None and columns.mrr is None:
        yield ("columns",), "nothing says the revenue; give arr_per_year, or mrr for monthly amounts"
    if columns.arr_per_year is not None and columns.mrr is not None:
        yield ("columns", "mrr"), "arr_per_year is given as well; keep one of them"
    has = {name for name, column in columns if column is not None}
    if mapping.look_up is not None:
        second = {name for name, column in mapping.look_up.columns if column is not None}
        for name in sorted(has & second):
            yield ("look_up", "columns", name), "the first list has it as well; keep one of them"
        if not second:
            yield ("look_up", "columns"), "names no column; give at least one, or delete look_up"
        has |= second
    yield from _terms_and_tiers(mapping, has)
    if mapping.as_of is not None and not 1950 <= mapping.as_of.year <= 2150:
        yield ("as_of",), f"{mapping.as_of} is far away; use a day from 1950 to 2150"
    for index, rule in enumerate(mapping.drop):
        if rule.zero_arr == (rule.column is not None) or (rule.column is None) != (rule.is_ is None):
            message = "give 'column' with 'is', such as {column: is_trial, is: [true]}, or {zero_arr: true}"
            yield ("drop", index), message
    for team, people in mapping.headcount.items():
        if people.from_owners == (people.accounts_per_person is not None):
            yield ("headcount", team), _HEADCOUNT
        if people.from_owners and "owner" not in has:
            yield ("headcount", team), "from_owners needs the column with owners; name it under columns"


def _terms_and_tiers(mapping: Mapping, has: set[str]) -> Iterator[tuple[Path, str]]:
    """The rules for terms, renewals and tiers have the columns that they need, and no others."""
    if "start" not in has and "renewal" not in has:
        yield ("columns",), "nothing says when contracts end; give 'start', 'renewal' or both"
    sources: list[str] = [name for name in ("term_months", "billing") if name in has]
    if mapping.term is not None and mapping.term.months is not None:
        sources.append("term")
    if not sources:
        message = "nothing says how long contracts last; give the column term_months or billing, or write 'term: 12'"
        yield ("columns",), message
    if len(sources) > 1:
        yield ("term",), f"{' and '.join(sources)} both say how long contracts last; keep one of them"
    if mapping.term is not None and mapping.term.billing is not None and "billing" not in has:
        yield ("term",), "the values belong to the column 'billing', which is missing under columns; name it"
    by_arr = mapping.tier is not None and mapping.tier.arr_at_least is not None
    if by_arr and "tier" in has:
        yield ("tier",), "tiers by ARR do not use the column 'tier'; delete that column from the mapping, or the ARRs"
    if mapping.tier is not None and mapping.tier.values is not None and "tier" not in has:
        yield ("tier",), "the values belong to the column 'tier', which is missing under columns; name it"
    if mapping.tier is not None and mapping.tier.arr_at_least is not None:
        least = list(mapping.tier.arr_at_least.values())
        if len(set(least)) < len(least):
            yield ("tier",), "two tiers begin at the same ARR; give each its own"


@cache
def _schema() -> dict[str, Any]:
    return Mapping.model_json_schema(by_alias=True)


def _spelt_out(tree: Tree) -> Tree:
    """The tree in the words of the schema: what a file may write short is a part of its own there."""
    top = dict(tree.value)
    tier, term, people, drop = (top.get(key) for key in ("tier", "term", "headcount", "drop"))
    if tier is not None and isinstance(tier.value, dict):
        numbers = any(isinstance(one.value, int | float) for one in tier.value.values())
        inside = tier if numbers else _text_keys(tier)
        top["tier"] = Tree({"arr_at_least" if numbers else "values": inside}, tier.mark)
    if term is not None and term.value is not None:
        inside = _text_keys(term) if isinstance(term.value, dict) else term
        top["term"] = Tree({"billing" if isinstance(term.value, dict) else "months": inside}, term.mark)
    if people is not None and isinstance(people.value, dict):
        short = {
            team: Tree({"from_owners": Tree(True, rule.mark)}, rule.mark) if rule.value == "from_owners" else rule
            for team, rule in people.value.items()
        }
        top["headcount"] = Tree(short, people.mark)
    if drop is not None and isinstance(drop.value, list):
        top["drop"] = Tree([_text_values(rule) for rule in drop.value], drop.mark)
    return Tree(top, tree.mark)


_HEADCOUNT = "write {accounts_per_person: 70}, or from_owners"
_SHORT = {"tier": ("arr_at_least", "values"), "term": ("billing", "months")}


def _dotted(tree: Tree, path: Path) -> str:
    """A path as the file writes it."""
    text = tree.dotted(path)
    for key, words in _SHORT.items():
        if path[:1] == (key,) and path[1:2] and path[1] in words:
            text = text.replace(f"{key}.{path[1]}", key, 1)
    return text


def _text_keys(tree: Tree) -> Tree:
    """A map whose keys are text, as cells are: 1 and true too."""
    return Tree({_as_text(key): value for key, value in tree.value.items()}, tree.mark)


def _text_values(rule: Tree) -> Tree:
    """A rule of 'drop' whose values are text, as cells are."""
    values = rule.value.get("is") if isinstance(rule.value, dict) else None
    if values is None or not isinstance(values.value, list):
        return rule
    texts = [one if isinstance(one.value, dict | list) else Tree(_as_text(one.value), one.mark) for one in values.value]
    return Tree({**rule.value, "is": Tree(texts, values.mark)}, rule.mark)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(tree: Tree, error: Any) -> Problem:
    """One of the schema's errors, in words, at its line."""
    found = problem_of(tree, error, _schema())
    path: Path = tuple(error["loc"])
    message = found.message
    if path[0] == "headcount" and len(path) == 2:
        message = f"{shown(error.get('input'))} does not fit here; {_HEADCOUNT}"
    return replace(found, path=_dotted(tree, location(error)), message=message)


class _Dumper(yaml.SafeDumper):
    """Quotes text that our own reader would take for something else."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = text.isascii() and text.replace("_", "a").isalnum() and not text[:1].isdigit()
    plain = plain and text.lower() not in ("true", "false", "null", "yes", "no", "on", "off")
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _write_text)
