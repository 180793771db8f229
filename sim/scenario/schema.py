"""What a scenario file may say: names, types, units, bounds.

In: the merged mapping of a scenario file. Out: a frozen `Scenario`. Cross-checks between fields live in
`checks.py`; numbers live in the scenario files (`scenarios/baseline.yaml` names every one), not here.

Units end field names. Shares and probabilities are from 0 to 1. Field descriptions are shown to users.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, PlainSerializer
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from sim.scenario.book.account_list import AccountList

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0, le=10)]
Weeks = Annotated[float, Field(gt=0, le=520)]
WholeWeek = Annotated[float, Field(ge=0, le=104, json_schema_extra={"multipleOf": 1})]  # whole: see checks.py
Minutes = Annotated[float, Field(ge=0, le=10_000)]
Money = Annotated[float, Field(ge=0, le=1e9)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


def read_date(value: Any) -> Any:
    """Year-month-day text as a date; anything else as it is, for the schema to refuse."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(value)
    return value


Date = Annotated[dt.date, BeforeValidator(read_date)]

FileName = Annotated[str, Field(min_length=1, max_length=200)]

DRIVERS = ("disconnection", "disengagement", "service", "downturn", "competition")


class Part(BaseModel):
    """A part of a scenario: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# --- accounts ----------------------------------------------------------------------------------------------


class Adoption(Part):
    """How the adoption curve moves, per week and per finished contact."""

    opening: Share = Field(description="adoption of an account in the opening book, before the warm-up")
    start: Share = Field(description="adoption of a new account on its first day")
    ceiling: Share = Field(description="highest adoption that use alone reaches")
    growth_per_week: Annotated[float, Field(ge=0, le=0.5)] = Field(
        description="growth per week toward the ceiling, times adoption itself (S-curve)"
    )
    neglect_per_week: Annotated[float, Field(ge=0, le=0.5)] = Field(
        description="share of adoption lost per week through staff turnover and forgetting, unless coached"
    )
    failed_contact_loss: Share = Field(description="share of adoption lost with each contact that failed")


class Satisfaction(Part):
    """How contacts move the users' satisfaction: more down than up, then it drifts back."""

    neutral: Share = Field(description="level to which satisfaction drifts")
    half_life_weeks: Weeks = Field(description="weeks in which half of a deviation is forgotten")
    resolved_gain: Share = Field(description="gain by a contact resolved in time, as a share of what is missing to 1")
    unresolved_loss: Share = Field(description="loss by a contact left unresolved, as a share of satisfaction")
    late_loss: Share = Field(description="loss by an answer after the response target")
    transfer_loss: Share = Field(description="loss by being handed over to another team")
    repeat_loss: Share = Field(description="loss by having to come back with the same matter")
    abandoned_loss: Share = Field(description="loss by giving up in a live queue")
    waiting_loss_per_week: Share = Field(description="loss per week and contact still open past its target")


class ExecutiveContact(Part):
    """How far the customer's senior management knows the value received."""

    opening: Share = Field(description="executive contact of an account in the opening book, before the warm-up")
    start: Share = Field(description="executive contact of a new account")
    half_life_weeks: Weeks = Field(description="weeks in which half of it fades without reminders")
    sponsor_loss_per_year: Annotated[float, Field(ge=0, le=3)] = Field(
        description="rate at which executive sponsors leave their company"
    )
    kept_after_sponsor_loss: Share = Field(description="share of executive contact that survives the sponsor's leaving")
    ceiling_while_lost: Share = Field(description="highest executive contact until a new sponsor is engaged")
    owner_change_loss: Share = Field(description="share lost when the account gets another CSM")


class HealthWeights(Part):
    """Weights of the health score; only their ratios matter."""

    adoption: Factor
    satisfaction: Factor
    executive_contact: Factor


class Health(Part):
    """The health score and its warning line."""

    weights: HealthWeights
    at_risk_below: Share = Field(description="an account with a lower score is at risk")


class Accounts(Part):
    """The book of accounts: how it is made, how often accounts call, how their states move."""

    file: FileName | None = Field(
        default=None,
        exclude=True,
        description="your own list of accounts, a CSV file in this folder or below it, instead of an invented book",
    )
    mapping: FileName | None = Field(
        default=None,
        exclude=True,
        description="YAML file that says which column of the list is what; without it, the one called like the list",
    )
    book_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(description="seed of the opening book")
    warm_up_weeks: Annotated[int, Field(ge=0, le=104)] = Field(description="weeks simulated before the start")
    contact_rate_cv: Annotated[float, Field(ge=0, le=4)] = Field(
        description="spread between accounts' contact rates: standard deviation over mean (gamma)"
    )
    weekly_dispersion: Annotated[float, Field(ge=1, le=20)] = Field(
        description="variance over mean of an account's weekly contacts (1 is Poisson)"
    )
    seats_exponent: Annotated[float, Field(ge=0, le=2)] = Field(
        description="contacts grow with seats to this power (0: not at all, 1: in proportion)"
    )
    seats_reference: Annotated[float, Field(gt=0, le=1e6)] = Field(
        description="seats at which an account has the categories' contact rates"
    )
    novelty_factor: Factor = Field(description="extra contacts of a brand-new account (1 doubles them)")
    novelty_weeks: Weeks = Field(description="weeks in which the extra contacts fade to 1/e")
    low_adoption_factor: Factor = Field(description="extra contacts of an account with no adoption (1 doubles them)")
    open_issue_factor: Factor = Field(description="extra contacts per contact that is open past its target")
    weekday_profile: Annotated[list[Annotated[float, Field(ge=0, le=1000)]], Field(min_length=7, max_length=7)] = Field(
        description="relative contacts by weekday, Monday first"
    )
    hour_profile: Annotated[list[Annotated[float, Field(ge=0, le=1000)]], Field(min_length=24, max_length=24)] = Field(
        description="relative contacts by hour of the day, midnight first"
    )
    adoption: Adoption
    satisfaction: Satisfaction
    executive_contact: ExecutiveContact
    health: Health


class Tier(Part):
    """A segment of accounts."""

    accounts: Annotated[int, Field(ge=0, le=100_000)] = Field(description="accounts in the opening book")
    arr_per_year_mean: Annotated[float, Field(gt=0, le=1e9)] = Field(description="mean ARR of an account")
    arr_cv: Annotated[float, Field(ge=0, le=3)] = Field(description="spread of ARR: standard deviation over mean")
    arr_per_seat_per_year: Annotated[float, Field(gt=0, le=1e7)] = Field(description="ARR divided by seats")
    term_months: dict[Annotated[int, Field(ge=1, le=60)], Share] = Field(
        description="contract terms in months and their shares", min_length=1, max_length=12
    )
    new_accounts_per_year: Annotated[float, Field(ge=0, le=100_000)] = Field(description="new customers won per year")
    contact_rate_factor: Factor = Field(description="contact rates times this, beside the effect of seats")
    departure_factor: Factor = Field(description="all departure hazards times this")


# --- contacts ----------------------------------------------------------------------------------------------


class Category(Part):
    """A kind of contact."""

    initiated_by: Literal["customer", "company", "trigger"] = Field(
        description="who starts it: the customer, the company's playbook, or an event such as an announced departure"
    )
    support_call: bool = Field(description="whether it counts as a support call")
    contacts_per_account_month: Annotated[float, Field(ge=0, le=1000)] | None = Field(
        default=None,
        description="mean contacts per month of an account with the reference seats (customer only)",
    )
    handle_time_mean_minutes: Annotated[float, Field(gt=0, le=2400)] = Field(
        description="mean working time, with preparation and wrap-up"
    )
    handle_time_cv: Annotated[float, Field(ge=0, le=4)] = Field(
        description="spread of the handle time: standard deviation over mean (lognormal)"
    )
    resolution_probability: Share = Field(description="chance that one handling settles the matter")
    priority: Annotated[int, Field(ge=0, le=9)] = Field(
        description="smaller is served first; live contacts go before all"
    )
    urgent: bool = Field(description="may be worked on after the shift's end even before it is overdue")
    response_target_minutes: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None, description="business minutes until it is due; without it the channel's target counts"
    )
    window_weeks: Weeks | None = Field(default=None, description="weeks after which undone planned work expires")
    adoption_gain: Share = Field(description="gain in adoption when done, as a share of what is missing")
    executive_gain: Share = Field(description="gain in executive contact when done, as a share of what is missing")
    channel_shares: dict[Name, Share] = Field(description="channels and their shares", min_length=1, max_length=20)


class Channel(Part):
    """A way in which a contact happens."""

    live: bool = Field(description="the customer waits on the line and may give up")
    patience_mean_minutes: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="mean patience of a waiting customer, exponential (live only)"
    )
    response_target_minutes: Annotated[float, Field(gt=0, le=1e6)] = Field(
        description="an answer is in time within this: clock minutes if live, business minutes if not"
    )
    cost_per_contact: Annotated[float, Field(ge=0, le=10_000)] = Field(description="cost beside labour")
    handle_time_factor: Annotated[float, Field(gt=0, le=10)] = Field(description="handle times times this")
    resolution_factor: Annotated[float, Field(ge=0, le=2)] = Field(description="resolution probability times this")
    warmth_factor: Factor = Field(description="the team's warmth times this")


# --- people ------------------------------------------------------------------------------------------------


class Shift(Part):
    """The working week of a team."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = Field(description="working days")
    start: TimeOfDay = Field(description="start of the shift, HH:MM")
    end: TimeOfDay = Field(description="end of the shift, HH:MM, same day")


class Team(Part):
    """People who handle contacts."""

    headcount: Annotated[int, Field(ge=0, le=5000)] = Field(
        description="people on the payroll from this date; planned hires are recruited before it and then ramp up"
    )
    opening_vacancies: Annotated[int, Field(ge=0, le=5000)] = Field(
        description="seats of the headcount empty at the start"
    )
    opening_burnout: Share = Field(description="burnout of everybody at the start")
    shift: Shift
    shrinkage: Annotated[float, Field(ge=0, le=0.6)] = Field(
        description="share of the shift in breaks, meetings and training (absences come on top)"
    )
    absence_days_per_year: Annotated[float, Field(ge=0, le=200)] = Field(
        description="working days a person is away per year, leave and illness, without burnout"
    )
    cost_per_hour: Annotated[float, Field(ge=0, le=10_000)] = Field(description="loaded cost of a contracted hour")
    overtime_pay_factor: Annotated[float, Field(ge=0, le=5)] = Field(
        description="pay of an overtime hour over a contracted one (0: unpaid)"
    )
    overtime_limit_hours_per_day: Annotated[float, Field(ge=0, le=12)] = Field(
        description="no contact is started later than this after the shift's end"
    )
    named_owner: bool = Field(description="accounts have their own person; otherwise the team shares one queue")
    answers_live: bool = Field(description="picks up live channels at once; otherwise calls back within the target")
    callback_target_minutes: Annotated[float, Field(gt=0, le=1e6)] = Field(
        description="business minutes within which a team that does not answer live calls back"
    )
    support_call_handle_time_factor: Annotated[float, Field(gt=0, le=10)] = Field(
        description="handle time of support calls in this team, times"
    )
    support_call_resolution_factor: Annotated[float, Field(ge=0, le=2)] = Field(
        description="resolution probability of support calls in this team, times"
    )
    warmth: Share = Field(
        description="gain in executive contact by a customer's contact with this team, as a share of what is missing"
    )
    quit_rate_per_year: Annotated[float, Field(ge=0, le=5)] = Field(description="quits per person and year, no burnout")
    time_to_fill_weeks: Annotated[float, Field(ge=0, le=104)] = Field(description="weeks until a vacancy is filled")
    ramp_weeks: Annotated[float, Field(ge=0, le=104)] = Field(description="weeks until a new hire has full speed")
    ramp_start_speed: Annotated[float, Field(gt=0, le=1)] = Field(description="speed of a new hire on the first day")
    hiring_cost: Money = Field(description="cost of recruiting and training one person")


class Strain(Part):
    """The daily strain: three weighted parts, each from 0 to 1."""

    after_hours_weight: Share
    after_hours_reference: Annotated[float, Field(gt=0, le=1)] = Field(
        description="share of hours after the shift's end that counts as full strain"
    )
    occupancy_weight: Share
    occupancy_floor: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="occupancy with customers' contacts from which strain begins"
    )
    overdue_weight: Share


class People(Part):
    """Fatigue, burnout and what they do."""

    strain: Strain
    fatigue_weeks: Weeks = Field(description="time constant of fatigue")
    burnout_up_weeks: Weeks = Field(description="time constant of burnout when it rises")
    burnout_down_weeks: Weeks = Field(description="time constant of burnout when it falls")
    quit_factor: Annotated[float, Field(ge=1, le=10)] = Field(description="quit rate at full burnout, times")
    absence_factor: Annotated[float, Field(ge=1, le=10)] = Field(description="absence at full burnout, times")
    slower_at_full_burnout: Share = Field(description="extra handle time at full burnout")
    unresolved_at_full_burnout: Share = Field(description="share of resolution probability lost at full burnout")
    burnout_high_above: Share = Field(description="burnout above this counts as high")


# --- routing and programmes -----------------------------------------------------------------------------------


class Rule(Part):
    """Sends contacts from one team to another."""

    categories: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="categories that move; without it, all support calls"
    )
    from_: Name = Field(alias="from", description="team that has them now")
    to: Name = Field(description="team that gets them")
    share: Share = Field(description="share of them that moves (1.0: all)")
    how: Literal["front_door", "warm_transfer"] = Field(
        description="front_door: customers go straight there; warm_transfer: the old team answers, then hands over"
    )


class Routing(Part):
    """Who takes what, and what happens to matters that stay open."""

    assign: dict[Name, dict[Name, Share]] = Field(description="for each category, the teams and their shares")
    rules: list[Rule] = Field(default=[], max_length=100, description="changes to it, applied in order")
    warm_transfer_minutes: Annotated[float, Field(gt=0, le=480)] = Field(
        description="time of the first team for a warm transfer"
    )
    repeat_probability: Share = Field(description="chance that an unresolved or abandoned contact comes back")
    repeat_delay_mean_days: Annotated[float, Field(gt=0, le=90)] = Field(description="mean days until it does")
    max_attempts: Annotated[int, Field(ge=1, le=10)] = Field(description="attempts at most, the first included")


class Cadence(Part):
    """When planned work falls due: one of the three."""

    every_weeks: Annotated[float, Field(ge=1, le=520)] | None = Field(
        default=None, description="again and again, this many weeks apart"
    )
    weeks_before_renewal: Weeks | None = Field(default=None, description="once per term (annual and longer)")
    weeks_after_start: Annotated[list[WholeWeek], Field(min_length=1)] | None = Field(
        default=None, description="whole weeks after a new account's start, each once"
    )


class StateDriver(Part):
    """A cause of leaving that grows as one of the account's states falls."""

    hazard_per_year: Annotated[float, Field(ge=0, le=20)] = Field(description="hazard when the state is 0")
    exponent: Annotated[float, Field(ge=0.5, le=6)] = Field(description="hazard grows with (1 - state) to this power")
    save_probability: Share = Field(description="chance of a save when all firefighting is done in time")


class Disconnection(StateDriver):
    """Management no longer knows why the product was bought (state: executive contact)."""

    sponsor_lost_factor: Annotated[float, Field(ge=1, le=10)] = Field(
        description="hazard times this until a new sponsor is engaged"
    )


class Downturn(Part):
    """The customer's own business does badly: hits a whole tier at a time."""

    hazard_per_year: Annotated[float, Field(ge=0, le=20)] = Field(description="hazard in normal times")
    shock_probability_per_quarter: Share = Field(description="chance that a downturn begins for a tier in a quarter")
    shock_factor: Annotated[float, Field(ge=1, le=10)] = Field(description="hazard in a downturn, times")
    shock_quarters: Annotated[int, Field(ge=1, le=20)] = Field(description="length of a downturn")
    save_probability: Share = Field(description="chance of a save when all firefighting is done in time")


class Competition(Part):
    """A competitor wins the customer; less likely where the value is known."""

    hazard_per_year: Annotated[float, Field(ge=0, le=20)] = Field(description="hazard where value is not known at all")
    known_value_shield: Share = Field(description="share of the hazard that full executive contact takes away")
    save_probability: Share = Field(description="chance of a save when all firefighting is done in time")


class Drivers(Part):
    """The five causes of leaving."""

    disconnection: Disconnection
    disengagement: StateDriver
    service: StateDriver
    downturn: Downturn
    competition: Competition


class ContractChange(Part):
    """Expansion or contraction at a renewal."""

    probability_per_year: Share = Field(description="chance per contract year")
    size_mean: Annotated[float, Field(ge=0, le=1)] = Field(
        description="mean change as a share of ARR (uniform, 0 to twice)"
    )


class Departures(Part):
    """How intent builds, when it is settled, and what can still be done."""

    drivers: Drivers
    opening_intent_factor: Factor = Field(
        description="intent at the start, relative to the warm-up's hazards since the last renewal"
    )
    midterm_share: Share = Field(description="share of the hazard that makes accounts leave before the contract's end")
    announce_share: Share = Field(description="share of the leavers who say so at notice (annual and longer terms)")
    notice_weeks: Annotated[int, Field(ge=1, le=26)] = Field(
        description="weeks before the contract's end of the notice"
    )
    firefight_contacts: Annotated[int, Field(ge=0, le=50)] = Field(
        description="firefight contacts per announced departure"
    )
    expansion: ContractChange
    contraction: ContractChange


class MoneyRules(Part):
    """Prices and margins beside those of teams and channels."""

    gross_margin: Share = Field(description="gross margin on revenue before support and customer success")
    cac_per_new_arr: Annotated[float, Field(ge=0, le=20)] = Field(description="cost of winning one unit of new ARR")
    programme_cost_per_year: Money = Field(description="tools and programmes of customer success")


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
    growth: bool = True
    expansion: bool = True


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
