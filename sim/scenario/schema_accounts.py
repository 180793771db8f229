"""What a scenario file may say of accounts: the book, its demand, its states, its tiers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.scenario.schema_types import Factor, FileName, Name, Part, Share, Weeks


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
    weekly_login_share: Share | None = Field(
        default=None, description="share of the seats in use whose users log in in a week, 1 unless given"
    )


class Satisfaction(Part):
    """How contacts move the users' satisfaction: more down than up, then it drifts back."""

    neutral: Share = Field(description="level to which satisfaction drifts")
    half_life_weeks: Weeks = Field(description="weeks in which half of a deviation is forgotten")
    resolved_gain: Share = Field(description="gain by a contact resolved in time, as a share of what is missing to 1")
    unresolved_loss: Share = Field(description="loss by a contact left unresolved, as a share of satisfaction")
    late_loss: Share = Field(description="loss by an answer after the response target")
    transfer_loss: Share = Field(
        description="loss by being handed over to another team, or having to turn to one after self-service"
    )
    repeat_loss: Share = Field(description="loss by having to come back with the same matter")
    abandoned_loss: Share = Field(description="loss by giving up in a live queue, or finding the line full")
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
    by_others_share: Share | None = Field(
        default=None,
        description="share of a contact's gain that is left if somebody else than the account's own person does it, "
        "1 unless given",
    )


class HealthWeights(Part):
    """Weights of the health score; only their ratios matter."""

    adoption: Factor
    satisfaction: Factor
    executive_contact: Factor


class ActionPlan(Part):
    """What the owner of an account does once it looks at risk: contacts of the category action_plan."""

    contacts: Annotated[int, Field(ge=1, le=20)] = Field(description="action_plan contacts of one plan")
    every_weeks: Annotated[float, Field(ge=1, le=520)] = Field(description="weeks from one plan to the next at least")


class Health(Part):
    """The health score, its named statuses (healthy, watch, at risk), and how soon the company sees it."""

    weights: HealthWeights
    at_risk_below: Share = Field(description="an account with a lower score is at risk")
    healthy_above: Share | None = Field(
        default=None,
        description="an account with a higher score is healthy, in between one to watch; at_risk_below unless given",
    )
    signal_lag_weeks: Annotated[float, Field(ge=0, le=104)] | None = Field(
        default=None, description="weeks by which the score that the company sees follows the true one, 0 unless given"
    )
    signal_noise: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None,
        description="noise of a week's signals: standard deviation as a share of the true score, 0 unless given",
    )
    action_plan: ActionPlan | None = Field(default=None, description="without it nothing is done about a low score")


class Onboarding(Part):
    """When the onboarding of a new account has failed."""

    weeks: Annotated[int, Field(ge=1, le=104)] = Field(description="age of the account at which it is judged")
    done_share: Share = Field(
        description="share of the onboarding contacts that must have been done by then, else it has failed"
    )
    disengagement_factor: Annotated[float, Field(ge=1, le=10)] = Field(
        description="hazard of disengagement times this after a failed onboarding"
    )
    made_good_above: Share = Field(description="adoption above which the account has got over it")


class Outages(Part):
    """Days on which the product does not work, for all accounts at a time, or all of some tiers."""

    per_year: Annotated[float, Field(ge=0, le=52)] = Field(description="mean number of outages a year")
    categories: Annotated[list[Name], Field(min_length=1, max_length=40)] = Field(
        description="what customers contact the company about more often in that week"
    )
    more_contacts: Annotated[float, Field(ge=0, le=50)] = Field(
        description="extra contacts of these categories in the week (1 doubles them)"
    )
    adoption_loss: Share = Field(description="share of adoption lost with each outage")
    satisfaction_loss: Share = Field(description="share of satisfaction lost with each outage")
    tiers: Annotated[list[Name], Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="tiers whose product fails (on platforms of their own, say), all unless given"
    )


class IllTimed(Part):
    """Planned work that comes while the customer waits for an answer may do harm."""

    probability: Share = Field(description="chance that such a contact harms instead of helping")
    loss: Share = Field(description="share of satisfaction and of executive contact that it then costs")


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
    tick_days: Literal[1, 7] | None = Field(
        default=None, description="days from one update of the accounts to the next, 7 unless given; 1 is slower"
    )
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
    onboarding: Onboarding | None = Field(default=None, description="without it no onboarding fails")
    outages: Outages | None = Field(default=None, description="without it the product always works")
    ill_timed: IllTimed | None = Field(default=None, description="without it planned work never does harm")


class Upgrade(Part):
    """The tier to which an account moves once it has grown."""

    to: Name = Field(description="tier that it joins")
    arr_above: Annotated[float, Field(gt=0, le=1e9)] = Field(description="ARR at a renewal above which it moves")


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
    upgrade: Upgrade | None = Field(default=None, description="without it accounts stay in the tier, however they grow")
