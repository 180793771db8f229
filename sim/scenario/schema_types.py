"""The types of which the scenario schema is made: bounded numbers, names, dates, and the part of a scenario.

Units end field names. Shares and probabilities are from 0 to 1.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0, le=10)]
Weeks = Annotated[float, Field(gt=0, le=520)]
WholeWeek = Annotated[float, Field(ge=0, le=104, json_schema_extra={"multipleOf": 1})]  # whole: see checks.py
Minutes = Annotated[float, Field(ge=0, le=10_000)]
Money = Annotated[float, Field(ge=0, le=1e9)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
ZoneName = Annotated[str, Field(min_length=1, max_length=60)]


def read_date(value: Any) -> Any:
    """Year-month-day text as a date; anything else as it is, for the schema to refuse."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(value)
    return value


Date = Annotated[dt.date, BeforeValidator(read_date)]

FileName = Annotated[str, Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A part of a scenario: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
