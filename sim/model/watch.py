"""What a run notes week by week about an account or a seat that somebody wants to follow.

In: the accounts, the teams and the week's rules. Out: rows of account_weeks and seat_weeks. Nothing is drawn and
nothing changes, so that a history is the same bits whether somebody watches or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.model.accounts import AccountTable
from sim.model.center_state import TeamState
from sim.model.health import health
from sim.model.inputs import IntArray, Phase
from sim.model.ledger import Ledger


@dataclass(frozen=True)
class Watch:
    """Whom to follow. account : an account's key. seat : a team's position and a seat's number, both from 0."""

    account: int | None = None
    seat: tuple[int, int] | None = None

    def note(
        self,
        ledger: Ledger,
        week: int,
        table: AccountTable,
        teams: Sequence[TeamState],
        phase: Phase,
        overdue: IntArray,
    ) -> None:
        """Writes the week's row of whoever is followed and there.

        week : that has just ended, -1 at the start of the run. overdue : (accounts,), customers' contacts open past
        their target.
        """
        if self.account is not None:
            found = np.flatnonzero((table.key == np.uint64(self.account)) & table.active)
            if len(found):
                _note_account(ledger, week, table, found, phase, overdue)
        if self.seat is not None and self.seat[1] < len(teams[self.seat[0]].agents):
            _note_seat(ledger, week, table, teams, self.seat)


def _note_account(
    ledger: Ledger, week: int, table: AccountTable, row: IntArray, phase: Phase, overdue: IntArray
) -> None:
    owned = np.flatnonzero(table.owner[:, row[0]] >= 0)
    team = int(owned[0]) if len(owned) else -1
    late = overdue[row[0]] if row[0] < len(overdue) else 0
    ledger.account_weeks.append(
        [week],
        table.tier[row],
        [team],
        [table.owner[team, row[0]] if team >= 0 else -1],
        table.arr_cents[row],
        table.seats[row],
        table.term_months[row],
        table.renewal[row],
        *table.states[:, row],
        health(table.states[:, row], phase.health),
        table.sponsor_lost[row],
        table.announced[row],
        [late],
        *table.intent[:, row],
    )


def _note_seat(
    ledger: Ledger, week: int, table: AccountTable, teams: Sequence[TeamState], watched: tuple[int, int]
) -> None:
    team, seat = watched
    agent = teams[team].agents[seat]
    book = table.active & (table.owner[team] == seat)
    ledger.seat_weeks.append(
        [week],
        [agent.employed],
        [agent.in_training],
        [np.count_nonzero(book)],
        [table.arr_cents[book].sum()],
        [agent.fatigue],
        [agent.burnout],
    )
