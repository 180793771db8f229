"""A step of the accounts' clock, and the work that it gives rise to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sim.model.inputs import HOURS_PER_WEEK, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Trigger:
    """Work that an event gives rise to: one contact of `category` for each of `accounts`, number j.

    deadline : hours, (accounts,). lost : whether it is for accounts that have left.
    """

    category: int
    accounts: IntArray
    j: int
    deadline: FloatArray
    lost: bool = False

    def of(self, active: BoolArray) -> Trigger:
        """The same for those accounts that it still concerns."""
        concerned = active[self.accounts] != self.lost
        return replace(self, accounts=self.accounts[concerned], deadline=self.deadline[concerned])


@dataclass(frozen=True)
class Tick:
    """One step of the accounts' clock: it ends at `hour`, after `weeks`, and is the `number`-th since the start."""

    hour: float
    weeks: float
    number: int

    @property
    def week(self) -> int:
        """The week that it ends, or in which it lies."""
        return int(np.ceil(self.hour / HOURS_PER_WEEK)) - 1

    @property
    def ends_week(self) -> bool:
        return self.hour % HOURS_PER_WEEK == 0
