"""What a scenario file may say of contacts: categories, channels, routing and planned work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sim.scenario.schema_types import Factor, Name, Part, Share, Weeks, WholeWeek


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
        description="spread of the handle time: standard deviation over mean"
    )
    handle_time_distribution: Literal["lognormal", "exponential", "constant", "gamma", "empirical"] = Field(
        default="lognormal",
        description="law of the handle time; the spread of exponential is 1, of constant 0, of empirical its sample's",
    )
    handle_time_sample_minutes: (
        Annotated[list[Annotated[float, Field(ge=0, le=1e5)]], Field(min_length=1, max_length=10_000)] | None
    ) = Field(default=None, description="observed handle times, for empirical; they are scaled to the mean")
    resolution_probability: Share = Field(description="chance that one handling settles the matter")
    priority: Annotated[int, Field(ge=0, le=9)] = Field(
        description="smaller is served first; live contacts go before all"
    )
    urgent: bool = Field(description="may be worked on after the shift's end even before it is overdue")
    response_target_minutes: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None, description="business minutes until it is due; without it the channel's target counts"
    )
    window_weeks: Weeks | None = Field(default=None, description="weeks after which undone planned work expires")
    skill: Name | None = Field(default=None, description="skill that whoever handles it must have")
    adoption_gain: Share = Field(description="gain in adoption when done, as a share of what is missing")
    executive_gain: Share = Field(description="gain in executive contact when done, as a share of what is missing")
    channel_shares: dict[Name, Share] = Field(description="channels and their shares", min_length=1, max_length=20)


class Redial(Part):
    """Customers who gave up on the line, or found it full, and call again."""

    probability: Share = Field(description="chance that they call again")
    delay_mean_minutes: Annotated[float, Field(gt=0, le=100_000)] = Field(description="mean minutes until they do")


class Community(Part):
    """Customers who know the product well answer others in a forum, which the company keeps in order."""

    maven_adoption_above: Share = Field(
        description="accounts with at least this adoption have people who know the product very well (mavens)"
    )
    offended_below: Share = Field(
        description="satisfaction below which such accounts complain in the forum and answer no more (detractors)"
    )
    answers_per_maven_week: Annotated[float, Field(ge=0, le=1000)] = Field(
        description="answers a week by an account with mavens; they fall on threads at random"
    )
    complaints_per_detractor_week: Annotated[float, Field(ge=0, le=1000)] = Field(
        description="complaints a week by an account of detractors; they fall on threads at random"
    )
    complaint_loss: Share = Field(description="share of satisfaction that is lost where a thread has complaints")
    stale_share: Share = Field(
        description="share of the chance to settle a matter that is lost while no thread is moderated"
    )
    memory_weeks: Weeks = Field(description="weeks over which threads, answers and moderation count (mean age)")
    threads_per_article: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="settled threads that give rise to one article ('article', a triggered category)"
    )
    article_gain: Share = Field(
        description="share of what self-service leaves open that one more article settles, in all its channels"
    )
    article_half_life_weeks: Weeks = Field(description="weeks until half of what an article helps is out of date")


class SelfService(Part):
    """A channel in which customers help themselves, or one another: knowledge base, community, automation."""

    solved_probability: Share = Field(description="chance that the matter is settled without anybody of the teams")
    then: dict[Name, Share] = Field(
        description="assisted channels to which the others turn, and their shares", min_length=1, max_length=20
    )
    delay_mean_minutes: Annotated[float, Field(gt=0, le=100_000)] = Field(description="mean minutes until they do")
    community: Community | None = Field(
        default=None,
        description="other customers answer; each thread gives rise to a 'moderation' contact (triggered)",
    )


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
    redial: Redial | None = Field(
        default=None,
        description="who gave up or found the line full calls again soon; without it, like an unresolved matter",
    )
    self_service: SelfService | None = Field(
        default=None, description="customers help themselves here; no team does anything"
    )
    travel_minutes: Annotated[float, Field(ge=0, le=2400)] | None = Field(
        default=None, description="working time for the way to the customer and back, added to the mean handle time"
    )
    concurrency: Annotated[int, Field(ge=2, le=10)] | None = Field(
        default=None, description="contacts of this channel that one person handles side by side (live only)"
    )
    slower_per_extra_contact: Annotated[float, Field(ge=0, le=5)] | None = Field(
        default=None, description="handle time grows by this share for each contact more in hand at the same time"
    )


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


class Escalation(Part):
    """Passes on what a team could not settle."""

    categories: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="categories that are passed on; without it, all that customers start"
    )
    from_: Name = Field(alias="from", description="team that could not settle it")
    to: Name = Field(description="team that gets it at once")
    share: Share = Field(description="share of the unsettled ones that is passed on")


class Overflow(Part):
    """Sends arriving contacts to another team while a queue is long."""

    categories: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="categories that overflow; without it, all that customers start"
    )
    from_: Name = Field(alias="from", description="team whose queue is long")
    to: Name = Field(description="team that helps out")
    waiting: Annotated[int, Field(ge=0, le=100_000)] = Field(
        description="customers' contacts that wait for the team: with as many or more, the next one overflows"
    )


class Routing(Part):
    """Who takes what, and what happens to matters that stay open."""

    assign: dict[Name, dict[Name, Share]] = Field(description="for each category, the teams and their shares")
    rules: list[Rule] = Field(default=[], max_length=100, description="changes to it, applied in order")
    escalation: list[Escalation] = Field(default=[], max_length=100, description="who gets what could not be settled")
    overflow: list[Overflow] = Field(default=[], max_length=100, description="who helps out when a queue is long")
    warm_transfer_minutes: Annotated[float, Field(gt=0, le=480)] = Field(
        description="time of the first team for a warm transfer"
    )
    repeat_probability: Share = Field(description="chance that an unresolved or abandoned contact comes back")
    repeat_delay_mean_days: Annotated[float, Field(gt=0, le=90)] = Field(description="mean days until it does")
    max_attempts: Annotated[int, Field(ge=1, le=10)] = Field(description="attempts at most, the first included")


def _as_list(value: Any) -> Any:
    """One number as a list of one."""
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


class Cadence(Part):
    """When planned work falls due: one of the three."""

    every_weeks: Annotated[float, Field(ge=1, le=520)] | None = Field(
        default=None, description="again and again, this many weeks apart"
    )
    weeks_before_renewal: (
        Annotated[list[Weeks], BeforeValidator(_as_list), Field(min_length=1, max_length=12)] | None
    ) = Field(
        default=None, description="once per term (annual and longer), or at each of several times such as [13, 9, 4]"
    )
    weeks_after_start: Annotated[list[WholeWeek], Field(min_length=1)] | None = Field(
        default=None, description="whole weeks after a new account's start, each once"
    )
