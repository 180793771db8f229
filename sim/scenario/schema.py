"""What a scenario file may say: names, types, units, bounds.

In: the merged mapping of a scenario file. Out: a frozen `Scenario`. Cross-checks between fields live in
`checks.py`; numbers live in the scenario files (`scenarios/baseline.yaml` names every one), not here.

Units end field names. Shares and probabilities are from 0 to 1. Field descriptions are shown to users.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, InstanceOf, PlainSerializer
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from sim.scenario.book.account_list import AccountList
from sim.scenario.schema_accounts import Accounts, Tier
from sim.scenario.schema_contacts import Cadence, Category, Channel, Routing
from sim.scenario.schema_departures import Departures
from sim.scenario.schema_teams import People, Team
from sim.scenario.schema_types import Date, Money, Name, Part, Share, ZoneName


class MoneyRules(Part):
    """Prices and margins beside those of teams and channels."""

    gross_margin: Share = Field(description="gross margin on revenue before support and customer success")
    cac_per_new_arr: Annotated[float, Field(ge=0, le=20)] = Field(description="cost of winning one unit of new ARR")
    programme_cost_per_year: Money = Field(description="tools and programmes of customer success")
    discount_rate_per_year: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0, description="by how much money a year later is worth less than money today (0: not at all)"
    )


class Mechanisms(Part):
    """Switches: each turns one mechanism off, to see what it drives or to reduce the model to theory."""

    burnout: bool = True
    turnover: bool = True
    absence: bool = True
    overtime: bool = True
    abandonment: bool = True
    repeats: bool = True
    expiry: bool = True
    churn: bool = True
    firefighting: bool = True
    sponsor_loss: bool = True
    onboarding_failure: bool = True
    action_plans: bool = True
    outages: bool = True
    ill_timed: bool = True
    winback: bool = True
    sponsor_reengagement: bool = True
    community: bool = True
    growth: bool = True
    expansion: bool = True
    one_open_contact_per_account: bool = Field(
        default=False, description="an account with an open contact of its own starts no other (outcome not_raised)"
    )


class Window(Part):
    """The part of the run that KPIs cover."""

    from_week: Annotated[int, Field(ge=0, le=520)] = 0
    to_week: Annotated[int, Field(ge=1, le=520)]


class Change(Part):
    """Values that hold from a date on."""

    from_: Date = Field(alias="from", description="first day on which the values hold")
    set: dict[str, Any] = Field(min_length=1, description="dotted path of a field: its new value")


def _no_text(value: Any) -> Any:
    """The book, which only the reading of a list makes; anything else is what a file has written."""
    if value is not None and not isinstance(value, AccountList):
        raise PydanticCustomError("extra_forbidden", "a file cannot write this")
    return value


def _digest(book: AccountList | None) -> str | None:
    return None if book is None else book.digest


Book = Annotated[InstanceOf[AccountList] | None, BeforeValidator(_no_text), PlainSerializer(_digest)]


class Scenario(Part):
    """One scenario, whole: what `extends` and merging have left."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: Annotated[str, Field(max_length=2000)] = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    start: Date = Field(description="first day; a Monday")
    weeks: Annotated[int, Field(ge=1, le=520)]
    time_zone: ZoneName | None = Field(
        default=None, description="clock of all times, such as America/New_York; needed where a team has another"
    )
    window: Window | None = None
    accounts: Accounts
    tiers: dict[Name, Tier] = Field(min_length=1, max_length=20)
    categories: dict[Name, Category] = Field(min_length=1, max_length=40)
    channels: dict[Name, Channel] = Field(min_length=1, max_length=20)
    teams: dict[Name, Team] = Field(min_length=1, max_length=20)
    routing: Routing
    playbooks: dict[Name, dict[Name, Cadence]]
    departures: Departures
    people: People
    money: MoneyRules
    mechanisms: Mechanisms
    changes: list[Change] = Field(default=[], max_length=50)
    book: SkipJsonSchema[Book] = None  # the accounts of a list; without one, they are drawn from `book_seed`
