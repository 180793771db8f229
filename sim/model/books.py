"""Books of business: which person owns which account in a team with named owners.

In: the account table, seats opened and vacated. Out: owners, and executive contact lost with each change.
"""

from __future__ import annotations

import numpy as np

from sim.model.accounts import EXECUTIVE, AccountTable
from sim.model.center_state import CenterState
from sim.model.demand import usual_rates
from sim.model.inputs import FloatArray, IntArray, Phase


def owner_load(table: AccountTable, phase: Phase, team: int) -> FloatArray:
    """Expected weekly hours per account for its owner in `team`: customers' contacts and recurring planned work."""
    customers, recurring = phase.owner_hours[team]
    return usual_rates(table, phase) * customers + recurring[table.tier]


Seats = dict[int, float]  # weekly hours of each open seat, as a share of the longest in the team


def deal_out(load: FloatArray, table: AccountTable, rows: IntArray, team: int, seats: Seats) -> None:
    """Gives the accounts `rows` to owners, the heaviest first, each to the seat with the least load so far.

    Loads are compared per weekly hour of the seat. Accounts without load get no owner and change nobody else's.
    """
    owner = table.owner[team]
    if not seats or not len(rows):
        return
    mine = ((owner >= 0) & table.active).nonzero()[0]
    by_seat = np.bincount(owner[mine], weights=load[mine], minlength=max(seats) + 1).tolist()
    taken = {seat: by_seat[seat] for seat in seats}
    for row in rows[np.lexsort((table.key[rows], -load[rows]))].tolist():
        if load[row] <= 0:
            break
        seat = min(seats, key=lambda s: (taken[s] / seats[s], s))
        owner[row] = seat
        taken[seat] += float(load[row])


def take_fair_share(load: FloatArray, table: AccountTable, team: int, new: int, seats: Seats) -> IntArray:
    """Moves accounts from the fullest books to the new seat until its load is the mean; returns who moved.

    The mean is that of the team, per weekly hour of a seat.
    """
    owner = table.owner[team]
    mine = (table.active & (load > 0)).nonzero()[0]
    taken = {seat: float(load[mine][owner[mine] == seat].sum()) for seat in seats}
    target = sum(taken.values()) / sum(seats.values())  # of a seat with full hours
    moved = []
    for row in mine[np.argsort(table.key[mine])].tolist():
        seat, hours = int(owner[row]), float(load[row])
        if (
            seat != new
            and taken.get(seat, 0.0) - hours / 2 > target * seats.get(seat, 1.0)
            and taken[new] + hours / 2 < target * seats[new]
        ):
            taken[seat] -= hours
            taken[new] += hours
            owner[row] = new
            moved.append(row)
    return np.array(moved, dtype=np.int64)


def serve_books(table: AccountTable, state: CenterState, phase: Phase) -> IntArray:
    """Settles what seats opened and vacated since the last call mean for owners; returns the accounts that felt it.

    Loads are those of the lasting assignment; a rule that moves contacts moves no books. An account whose
    person left loses part of its executive contact at once, even if the seat will be filled again; one that
    moves to a new colleague's book loses the same.
    """
    felt: list[IntArray] = []
    for team, rules in enumerate(phase.teams):
        if not rules.named_owner:
            table.owner[team] = -1
            continue
        agents = state.teams[team].agents
        seats = {
            agent.seat: rules.seat(agent.seat).hours_share
            for agent in agents
            if not agent.closed and not agent.needs_book
        }
        load = owner_load(table, phase, team)
        for left_team, seat in state.vacated:
            if left_team == team:
                rows = ((table.owner[team] == seat) & table.active).nonzero()[0]
                felt.append(rows)
                if agents[seat].closed:
                    table.owner[team, rows] = -1
        closed = np.array([*(agent.closed for agent in agents), False])
        table.owner[team, table.active & closed[table.owner[team]]] = -1
        fresh = (table.owner[team] < 0).all()
        deal_out(load, table, ((table.owner[team] < 0) & table.active & (load > 0)).nonzero()[0], team, seats)
        for opened_team, seat in state.opened:
            if opened_team == team and seat in seats and not fresh:
                felt.append(take_fair_share(load, table, team, seat, seats))
    state.vacated.clear()
    state.opened.clear()
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *felt])
    table.states[EXECUTIVE, rows] *= 1 - phase.states.owner_change_loss
    return rows
