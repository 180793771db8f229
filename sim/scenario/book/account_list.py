"""The list of accounts that a scenario starts with.

In: columns of equal length. Out: a frozen `AccountList` with a digest of all that it says.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AccountList:
    """Accounts, ordered by tier and then as first seen in the file; lists with the same digest are equal.

    account : ids, each once. name : '' if unknown. tier : position in the scenario's tiers.
    arr_cents : ARR in cents of the scenario's currency, >= 0. seats : >= 1, nan if unknown.
    term_months : 1 to 60. started_days : first day as a customer, days after the day of the list, <= 0;
    taken as days after the scenario's start. renewal_days : next contract end, days after the scenario's start, > 0.
    owner : name of the account's own person, '' if none. owner_seat : seat of that person in the team with named
    owners, -1 if the account is to be dealt out. owners : names by seat.
    summary : how the file was read, a sentence in each line; not part of the digest.
    """

    account: tuple[str, ...]
    name: tuple[str, ...]
    tier: IntArray
    arr_cents: IntArray
    seats: FloatArray
    term_months: IntArray
    started_days: FloatArray
    renewal_days: FloatArray
    owner: tuple[str, ...]
    owner_seat: IntArray
    owners: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        for one in fields(self):
            value: Any = getattr(self, one.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
                digest.update(value.tobytes())
            elif one.name not in ("summary", "digest"):
                digest.update(json.dumps(value).encode())
        object.__setattr__(self, "digest", digest.hexdigest())

    def __len__(self) -> int:
        return len(self.account)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccountList) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"AccountList({len(self)} accounts, digest {self.digest[:12]})"
