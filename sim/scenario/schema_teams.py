"""What a scenario file may say of the teams and of the people in them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sim.scenario.schema_types import Date, Money, Name, Part, Share, TimeOfDay, Weekday, Weeks, ZoneName


def _whole_if_it_is(value: float) -> float:
    """6 and not 6.0, so that people are counted in whole numbers where they are whole."""
    return int(value) if value.is_integer() else value


class Hours(Part):
    """The same hours on some days of every week."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = Field(description="working days")
    start: TimeOfDay = Field(description="start of the hours, HH:MM")
    end: TimeOfDay = Field(description="end of the hours, HH:MM, same day")


class Shift(Hours):
    """The working week of a person."""

    also: list[Hours] = Field(
        default=[],
        max_length=20,
        description="more hours of the same person's week, such as a shorter Friday, or the end of a night shift",
    )


class Group(Part):
    """People of a team who work otherwise than the rest of it."""

    people: Annotated[int, Field(ge=1, le=5000)] = Field(description="how many people of the headcount")
    shift: Shift | None = Field(default=None, description="their working week; without it, the team's")
    hours_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="part-time: share of each working day, from its start, for which they come and are paid",
    )
    skills: Annotated[list[Name], Field(max_length=40)] = Field(
        default=[], description="skills that they have beside those of the whole team"
    )


class Meeting(Part):
    """Time at which the whole team is away together."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = Field(description="days of the meeting")
    start: TimeOfDay = Field(description="start of the meeting, HH:MM")
    minutes: Annotated[float, Field(gt=0, le=1440)] = Field(description="length of the meeting")


class Team(Part):
    """People who handle contacts."""

    headcount: Annotated[float, Field(ge=0, le=5000), AfterValidator(_whole_if_it_is)] = Field(
        description="people on the payroll from this date (5.5: the sixth half-time); planned hires are recruited "
        "before it and then ramp up"
    )
    opening_vacancies: Annotated[int, Field(ge=0, le=5000)] = Field(
        description="seats of the headcount empty at the start"
    )
    opening_burnout: Share = Field(description="burnout of everybody at the start")
    shift: Shift
    groups: dict[Name, Group] = Field(
        default={}, max_length=20, description="people who work otherwise; the rest of the headcount works the shift"
    )
    time_zone: ZoneName | None = Field(
        default=None, description="clock of the team's hours, such as Europe/Berlin; without it, the scenario's"
    )
    holidays: Annotated[str, Field(min_length=2, max_length=40)] | None = Field(
        default=None, description="public holidays on which nobody works: a country such as US, or a part of it, US-CA"
    )
    closed_days: list[Date] = Field(
        default=[], max_length=1000, description="the company's own days off; everybody is paid"
    )
    meetings: list[Meeting] = Field(
        default=[], max_length=50, description="times at which the whole team is away, on top of shrinkage"
    )
    shrinkage: Annotated[float, Field(ge=0, le=0.6)] = Field(
        description="share of the shift in breaks, meetings and training (absences come on top)"
    )
    breaks_per_day: Annotated[int, Field(ge=1, le=6)] | None = Field(
        default=None, description="blocks over the working day in which shrinkage is taken; without it, one"
    )
    absence_days_per_year: Annotated[float, Field(ge=0, le=200)] = Field(
        description="working days a person is away per year, leave and illness, without burnout"
    )
    leave_days_per_year: Annotated[float, Field(ge=0, le=200)] | None = Field(
        default=None,
        description="working days of planned leave per person and year, in whole weeks; absence is unplanned",
    )
    at_shift_end: Literal["finish", "pause", "hand_over"] = Field(
        default="finish",
        description="what becomes of a contact in hand: finished, taken up again at the next shift, or handed over",
    )
    hand_over_minutes: Annotated[float, Field(ge=0, le=480)] | None = Field(
        default=None, description="more working time of a contact for each handing over"
    )
    cost_per_hour: Annotated[float, Field(ge=0, le=10_000)] = Field(description="loaded cost of a contracted hour")
    overtime_pay_factor: Annotated[float, Field(ge=0, le=5)] = Field(
        description="pay of an overtime hour over a contracted one (0: unpaid)"
    )
    overtime_limit_hours_per_day: Annotated[float, Field(ge=0, le=12)] = Field(
        description="no contact is started later than this after the shift's end"
    )
    overtime_limit_hours_per_week: Annotated[float, Field(ge=0, le=60)] | None = Field(
        default=None,
        description="whose overtime of the week has reached this starts nothing more after the shift's end",
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
    skills: Annotated[list[Name], Field(max_length=40)] = Field(
        default=[], description="skills that everybody in the team has"
    )
    queue_capacity: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        default=None, description="live contacts that can wait; one more finds the line full (outcome blocked)"
    )
    changeover_minutes: Annotated[float, Field(ge=0, le=480)] | None = Field(
        default=None, description="extra working time when the next contact is of another category"
    )
    price_per_contact: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        default=None, description="what a partner charges for each contact that it handles, beside its hourly cost"
    )
    gain_factor: Share | None = Field(
        default=None,
        description="gains in adoption and executive contact by contacts that this team handles, times (a partner "
        "knows less of the customer: below 1); without it, 1",
    )
    warmth: Share = Field(
        description="gain in executive contact by a customer's contact with this team, as a share of what is missing"
    )
    quit_rate_per_year: Annotated[float, Field(ge=0, le=5)] = Field(description="quits per person and year, no burnout")
    time_to_fill_weeks: Annotated[float, Field(ge=0, le=104)] = Field(description="weeks until a vacancy is filled")
    hiring_freeze: bool = Field(default=False, description="no vacancy is filled, and new seats stay vacant")
    training_weeks: Annotated[float, Field(ge=0, le=52)] = Field(
        default=0, description="weeks in which a new hire is paid and takes no contacts"
    )
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


class Recovery(Part):
    """A policy: who is burnt out works less, with full pay and without overtime, until burnout has fallen."""

    burnout_above: Share = Field(description="burnout above which recovery begins")
    until_below: Share = Field(description="burnout below which it ends")
    hours_share: Annotated[float, Field(gt=0, le=1)] = Field(
        description="share of each shift that the person works meanwhile, from its start"
    )


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
    recovery: Recovery | None = Field(default=None, description="shorter shifts for who is burnt out; null: none")
