"""The balance of accounts and cents: what was there and came is what is there and went."""

from __future__ import annotations

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History

WEEK = 168.0


def tier_moves(history: History) -> list[tuple[float, int, int, int, int]]:
    """(time, account, from, to, cents) of every move between tiers, with the ARR after it; events have the new tier."""
    events, moves = history.account_events, []
    for account in np.unique(events["account"][events["event"] == ledger.UPGRADED]).tolist():
        rows = np.flatnonzero(events["account"] == account)
        rows = rows[np.argsort(events["time"][rows], kind="stable")]
        opening = history.opening["tier"]
        tier = int(opening[account]) if account < len(opening) else int(events["tier"][rows[0]])
        for row in rows[events["event"][rows] == ledger.UPGRADED].tolist():
            new = int(events["tier"][row])
            moves.append((float(events["time"][row]), account, tier, new, int(events["arr_after_cents"][row])))
            tier = new
    return moves


def in_balance(history: History, inputs: Inputs) -> None:
    """Week by week, in accounts and in cents, per tier and in all:

    opening + won + won back + expansion + moved in = there + lost + contraction + moved out.
    """
    events, weeks = history.account_events, history.tier_weeks
    before, after = events["arr_before_cents"], events["arr_after_cents"]
    change, comes, goes = after - before, (before == 0) & (after > 0), events["left"]
    assert (change[goes] == -before[goes]).all(), "who leaves takes all of its ARR along"
    assert not (comes & goes).any(), "nobody comes and leaves in one event"
    opening_tier, opening_arr = history.opening["tier"], history.accounts["opening_arr_cents"]
    assert (opening_arr[len(opening_tier) :] == 0).all(), "who is won later was not there at the start"
    moves = tier_moves(history)
    flows = {  # (accounts, cents) of each event, with its sign
        "won and won back": (comes.astype(int), np.where(comes, after, 0)),
        "expansion": (np.zeros(len(change), dtype=int), np.where(~comes & ~goes & (change > 0), change, 0)),
        "lost": (-goes.astype(int), np.where(goes, change, 0)),
        "contraction": (np.zeros(len(change), dtype=int), np.where(~comes & ~goes & (change < 0), change, 0)),
    }
    assert (sum(cents for _, cents in flows.values()) == change).all(), "each change of ARR is in one of the flows"
    for tier in [*range(len(inputs.tiers)), None]:
        mine = np.ones(len(change), dtype=bool) if tier is None else events["tier"] == tier
        ours = slice(None) if tier is None else opening_tier == tier
        there = np.zeros((inputs.weeks, 2), dtype=np.int64)
        of_tier = np.ones(len(weeks["week"]), dtype=bool) if tier is None else weeks["tier"] == tier
        np.add.at(there[:, 0], weeks["week"][of_tier], weeks["accounts"][of_tier])
        np.add.at(there[:, 1], weeks["week"][of_tier], weeks["arr_cents"][of_tier])
        at_start = opening_arr[: len(opening_tier)][ours]
        for week in range(inputs.weeks):
            tick = (week + 1) * WEEK
            # Who comes does so at a tick once the week's row is written; all else of the week is settled before it.
            known = mine & np.where(comes, events["time"] < tick, events["time"] <= tick)
            balance = np.array([(at_start > 0).sum(), at_start.sum()], dtype=np.int64)
            for accounts, cents in flows.values():
                balance += np.array([accounts[known].sum(), cents[known].sum()], dtype=np.int64)
            for time, _, source, target, arr in moves:
                if time <= tick and tier is not None:
                    balance += np.array([1, arr]) * (int(target == tier) - int(source == tier))
            where = "all tiers" if tier is None else inputs.tiers[tier]
            assert there[week].tolist() == balance.tolist(), (
                f"{where}, week {week}: there are {there[week].tolist()} accounts and cents, "
                f"what was and came and went leaves {balance.tolist()}"
            )
