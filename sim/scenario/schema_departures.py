"""What a scenario file may say of departures: their drivers, notice, saves, contract changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sim.scenario.schema_types import Factor, Part, Share


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


class Moves(Part):
    """A competitor's campaign: hits a whole tier at a time."""

    probability_per_quarter: Share = Field(description="chance that one begins for a tier in a quarter")
    factor: Annotated[float, Field(ge=1, le=10)] = Field(description="hazard meanwhile, times")
    quarters: Annotated[int, Field(ge=1, le=20)] = Field(description="how long it lasts")


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
    moves: Moves | None = Field(default=None, description="campaigns of competitors; without it there are none")
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


class Expansion(ContractChange):
    """Expansion at a renewal."""

    seats_share: Share | None = Field(
        default=None,
        description="share of the growth that is more seats, which raise contacts, 0 unless given; "
        "the rest is products and prices",
    )


class Winback(Part):
    """What is done to win lost accounts back: contacts of the category winback, and a chance."""

    after_weeks: Annotated[int, Field(ge=1, le=104)] = Field(description="weeks after the loss at which it begins")
    contacts: Annotated[int, Field(ge=1, le=20)] = Field(description="winback contacts per lost account")
    probability: Share = Field(description="chance that an account returns if all of them are done in time")
    arr_share: Annotated[float, Field(gt=0, le=1)] = Field(description="ARR on return, as a share of that lost")
    cost_per_arr: Annotated[float, Field(ge=0, le=20)] = Field(
        description="cost of winning back one unit of ARR, beside the contacts"
    )


class Departures(Part):
    """How intent builds, when it is settled, and what can still be done."""

    drivers: Drivers
    opening_intent_factor: Factor = Field(
        description="intent at the start, relative to the warm-up's hazards since the last renewal"
    )
    midterm_share: Share = Field(
        description="this share of the hazard makes accounts leave before the contract's end, "
        "on top of what the end settles"
    )
    announce_share: Share = Field(description="share of the leavers who say so at notice (annual and longer terms)")
    notice_weeks: Annotated[int, Field(ge=1, le=26)] = Field(
        description="weeks before the contract's end of the notice"
    )
    firefight_contacts: Annotated[int, Field(ge=0, le=50)] = Field(
        description="firefight contacts per announced departure"
    )
    expansion: Expansion
    contraction: ContractChange
    winback: Winback | None = Field(default=None, description="without it lost accounts stay lost")
