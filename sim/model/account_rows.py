"""What the accounts write into the ledger: a row per event, a row per tier and week.

In: the account table. Out: rows of account_events and tier_weeks. Nothing changes here.
"""

from __future__ import annotations

import numpy as np

from sim.model.accounts import AccountTable, licence_use, login_rate
from sim.model.community import voices
from sim.model.health import AT_RISK, HEALTHY, health, status
from sim.model.inputs import BoolArray, FloatArray, IntArray, Phase
from sim.model.ledger import WON, WON_BACK, Ledger


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
        announced: BoolArray | None = None,
        left: BoolArray | None = None,
        probability: FloatArray | float = 0.0,
        expected: FloatArray | float = 0.0,
        before: IntArray | None = None,
        after: IntArray | None = None,
        shares: FloatArray | None = None,
        finished: FloatArray | float = 0.0,
    ) -> None:
        """A row of account_events for each of the accounts `rows`; ARR `before` and `after` as now if not given.

        finished : share of the firefighting that was finished.
        """
        n = len(rows)
        if not n:
            return
        nothing = np.zeros(n, dtype=bool)
        arr = self.table.arr_cents[rows]
        if event in (WON, WON_BACK):
            before, after = np.zeros(n, dtype=np.int64), arr
        elif before is None:
            before = arr
        drivers = shares if shares is not None else np.zeros((5, n))
        self.ledger.account_events.append(
            np.full(n, time),
            rows,
            self.table.tier[rows],
            np.full(n, event),
            announced if announced is not None else nothing,
            left if left is not None else nothing,
            np.full(n, probability),
            np.full(n, expected),
            before,
            after if after is not None else before,
            *drivers,
            self.table.seen_health[rows],
            np.full(n, finished),
        )

    def record_week(self, week: int, phase: Phase, outages: IntArray) -> None:
        """A row per tier: the accounts as they stand at the end of the week."""
        table, tiers = self.table, len(phase.tiers)
        there = np.flatnonzero(table.active)
        tier = table.tier[there]

        def total(values: FloatArray) -> FloatArray:
            return np.bincount(tier, weights=values, minlength=tiers).astype(np.float64)

        adoption, satisfaction, executive = table.states[:, there]
        statuses = status(health(table.states[:, there], phase.health), phase.health)
        flagged = status(table.seen_health[there], phase.health) == AT_RISK
        stays = np.exp(-table.intent[:, there].sum(axis=0))
        arr = np.zeros(tiers, dtype=np.int64)
        np.add.at(arr, tier, table.arr_cents[there])
        self.ledger.tier_weeks.append(
            np.full(tiers, week),
            np.arange(tiers),
            np.bincount(tier, minlength=tiers),
            arr,
            total(adoption),
            total(satisfaction),
            total(executive),
            total((statuses == AT_RISK).astype(float)),
            total((statuses == HEALTHY).astype(float)),
            total(flagged.astype(float)),
            total((flagged & (statuses != AT_RISK)).astype(float)),
            total(stays),
            total(table.arr_cents[there] / 100 * (1 - stays)),
            total(table.seats[there]),
            total(licence_use(table.states[:, there], table.seats[there])),
            total(login_rate(adoption, phase.states) * table.seats[there]),
            outages,
            *self._voices(phase, there, tier, tiers),
        )

    def _voices(self, phase: Phase, there: IntArray, tier: IntArray, tiers: int) -> list[IntArray]:
        """Accounts with mavens, and those with detractors, by tier."""
        if phase.community is None:
            return [np.zeros(tiers, dtype=np.int64)] * 2
        both = voices(self.table.states[:, there], phase.community)
        return [np.bincount(tier[some], minlength=tiers) for some in both]
