"""Rows of an account list to accounts: sums, what the largest part says, the next contract end.

In: arrays with one element for each row that counts. Out: arrays with one element for each account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.scenario.book.account_list import FloatArray, IntArray


@dataclass
class Row:
    """The rows that count. arr : per year; start, renewal : days since 1970, nan if unknown; term : months."""

    account: list[str]
    name: list[str]
    owner: list[str]
    arr: FloatArray
    seats: FloatArray
    start: FloatArray
    renewal: FloatArray
    term: FloatArray
    tier: FloatArray


@dataclass
class Account:
    """The accounts, as first seen.

    last : position of the row that started last. group : (rows,), the account of each row. again : positions of
    rows whose account has been seen before.
    """

    account: list[str]
    name: list[str]
    owner: list[str]
    arr_cents: IntArray
    seats: FloatArray
    start: FloatArray
    renewal: FloatArray
    term: IntArray
    tier: IntArray
    last: IntArray
    group: IntArray
    again: list[int]


def grouped(rows: Row, kept: IntArray, second_seats: bool) -> Account:
    """One account for each id.

    second_seats : the seats are the account's, not the row's, and are not added up.
    """
    position: dict[str, int] = {}
    group = np.array([position.setdefault(one, len(position)) for one in rows.account], dtype=np.int64)
    n = len(position)
    first = np.unique(group, return_index=True)[1]
    again = np.ones(len(group), dtype=bool)
    again[first] = False
    cents = np.rint(100 * rows.arr).astype(np.int64)
    arr_cents = np.zeros(n, dtype=np.int64)
    np.add.at(arr_cents, group, cents)
    start = np.full(n, np.inf)
    np.fmin.at(start, group, rows.start)
    order = np.lexsort((np.arange(len(group)), cents, np.nan_to_num(rows.start, nan=-np.inf), group))
    last = order[np.append(np.flatnonzero(np.diff(group[order])), len(order) - 1)]
    name, owner = [""] * n, [""] * n
    for row in order.tolist():
        account = int(group[row])
        name[account] = rows.name[row] or name[account]
        owner[account] = rows.owner[row] or owner[account]
    tier = np.nan_to_num(rows.tier, nan=0.0).astype(np.int64)
    return Account(
        account=list(position),
        name=name,
        owner=owner,
        arr_cents=arr_cents,
        seats=_seats(rows.seats, group, n, second_seats),
        start=np.where(np.isinf(start), np.nan, start),
        renewal=np.zeros(n),
        term=_holding_most(group, rows.term.astype(np.int64), cents),
        tier=-_holding_most(group, -tier, cents),
        last=last,
        group=group,
        again=np.flatnonzero(again).tolist(),
    )


def _seats(seats: FloatArray, group: IntArray, n: int, second: bool) -> FloatArray:
    """Sum of the known seats of an account; nan if none is known or the sum is below 1."""
    if second:
        total = np.full(n, np.nan)
        total[group] = seats
    else:
        total = np.bincount(group, weights=np.nan_to_num(seats), minlength=n)
    return np.where(total >= 1, total, np.nan)


def _holding_most(group: IntArray, value: IntArray, weight: IntArray) -> IntArray:
    """For each group, the value with most weight; of equals the largest value."""
    pairs, inverse = np.unique(np.stack([group, value]), axis=1, return_inverse=True)
    total = np.bincount(inverse.ravel(), weights=weight)
    order = np.lexsort((pairs[1], total, pairs[0]))
    ends = np.append(np.flatnonzero(np.diff(pairs[0][order])), len(order) - 1)
    return pairs[1][order[ends]]


def next_end(anchor: FloatArray, term_months: IntArray, after: float) -> FloatArray:
    """The first end of a term later than a day: `anchor` and whole terms after it, in calendar months.

    anchor : days since 1970; the 31st falls on a shorter month's last day, and on the 31st again later.
    """
    days = anchor.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day_of_month = (days - months.astype("datetime64[D]")).astype(np.int64)

    def end(terms: IntArray) -> FloatArray:
        month = months + (terms * term_months).astype("timedelta64[M]")
        begins, next_begins = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
        length = (next_begins - begins).astype(np.int64)
        return (begins.astype(np.int64) + np.minimum(day_of_month, length - 1)).astype(np.float64)

    month_after = np.array(after).astype("datetime64[D]").astype("datetime64[M]")
    terms = np.maximum(1, (month_after - months).astype(np.int64) // term_months)
    found = end(terms)
    return np.where(found > after, found, end(terms + 1))
