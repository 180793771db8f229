"""What the accounts write into the ledger: a row per event, a row per tier and week.

In: the account table. Out: rows of account_events and tier_weeks. Nothing changes here.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sim.model.accounts import ADOPTION, AccountTable, licence_use, login_rate
from sim.model.community import voices
from sim.model.health import AT_RISK, HEALTHY, health, status
from sim.model.inputs import DRIVERS, BoolArray, FloatArray, IntArray, Phase
from sim.model.ledger import WON, WON_BACK, Ledger

_NO_SHARES = (0.0,) * len(DRIVERS)


class AccountRows:
    """Writes what happens to the accounts of one replication."""

    def __init__(self, table: AccountTable, ledger: Ledger) -> None:
        self.table = table
        self.ledger = ledger

    def record(
        self,
        event: int,
        time: float | FloatArray,
        rows: IntArray,
        *,
        announced: BoolArray | bool = False,
        left: BoolArray | bool = False,
        probability: FloatArray | float = 0.0,
        expected: FloatArray | float = 0.0,
        before: IntArray | int | None = None,
        after: IntArray | None = None,
        shares: Iterable[FloatArray | float] = _NO_SHARES,
        finished: FloatArray | float = 0.0,
    ) -> None:
        """A row of account_events for each of the accounts `rows`; ARR `before` and `after` as now if not given.

        finished : share of the firefighting that was finished.
        """
        n = len(rows)
        if not n:
            return
        now = self.table.arr_cents[rows] if before is None or after is None else None
        if before is None:
            before = 0 if event in (WON, WON_BACK) else now
        self.ledger.account_events.append(
            time,
            rows,
            self.table.tier[rows],
            event,
            announced,
            left,
            probability,
            expected,
            before,
            now if after is None else after,
            *shares,
            self.table.seen_health[rows],
            finished,
            rows=n,
        )

    def record_week(self, week: int, phase: Phase, outages: IntArray) -> None:
        """A row per tier: the accounts as they stand at the end of the week."""
        table, tiers = self.table, len(phase.tiers)
        there = table.active.nonzero()[0]
        tier, states, seats = table.tier[there], table.states.take(there, axis=1), table.seats[there]
        statuses = status(health(states, phase.health), phase.health)
        flagged = status(table.seen_health[there], phase.health) == AT_RISK
        stays, arr = np.exp(-table.intent.take(there, axis=1).sum(axis=0)), table.arr_cents[there]
        sums = (
            *states,
            statuses == AT_RISK,
            statuses == HEALTHY,
            flagged,
            flagged & (statuses != AT_RISK),
            stays,
            arr / 100 * (1 - stays),
            seats,
            licence_use(states, seats),
            login_rate(states[ADOPTION], phase.states) * seats,
            arr,
        )
        cells = tier + tiers * np.arange(len(sums))[:, np.newaxis]
        totals = np.bincount(cells.ravel(), weights=np.concatenate(sums), minlength=tiers * len(sums))
        *others, arr_cents = totals.reshape(len(sums), tiers)
        self.ledger.tier_weeks.append(
            week,
            np.arange(tiers),
            np.bincount(tier, minlength=tiers),
            arr_cents,
            *others,
            outages,
            *self._voices(phase, there, tier, tiers),
            rows=tiers,
        )

    def _voices(self, phase: Phase, there: IntArray, tier: IntArray, tiers: int) -> list[IntArray]:
        """Accounts with mavens, and those with detractors, by tier."""
        if phase.community is None:
            return [np.zeros(tiers, dtype=np.int64)] * 2
        both = voices(self.table.states[:, there], phase.community)
        return [np.bincount(tier[some], minlength=tiers) for some in both]
