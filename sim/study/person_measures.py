"""What a worker sends of each simulated person: mean burnout over the window, and the weeks that it covers.

In: a `History` and the window. Out: `PersonMeasures`, a few bytes a person. A person is a team, a seat and which
occupant of the seat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.model.ledger import History
from sim.study.kpi_parts import Span, where


@dataclass(frozen=True)
class PersonMeasures:
    """The persons employed in the window, one array element each, by team, seat and occupant.

    burnout : mean over the person's weeks. weeks : employed in the window. recovering : of them, in recovery.
    """

    team: NDArray[np.int8]
    burnout: NDArray[np.float32]
    weeks: NDArray[np.int16]
    recovering: NDArray[np.int16]


def person_measures(history: History, span: Span) -> PersonMeasures:
    """The persons of one replication."""
    people = history.people_weeks
    rows = where(people, people["employed"] & span.holds_week(people["week"]))
    order = np.lexsort((rows["occupant"], rows["seat"], rows["team"]))
    team, seat, occupant = (rows[name][order] for name in ("team", "seat", "occupant"))
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (np.diff(team) != 0) | (np.diff(seat) != 0) | (np.diff(occupant) != 0)
    person = np.cumsum(begins) - 1
    weeks = np.bincount(person)
    burnout = np.bincount(person, rows["burnout"][order]) / weeks
    return PersonMeasures(
        team=team[begins].astype(np.int8),
        burnout=burnout.astype(np.float32),
        weeks=weeks.astype(np.int16),
        recovering=np.bincount(person, rows["recovering"][order]).astype(np.int16),
    )
