"""Laws that every history obeys: what can be neither made nor lost, and what cannot happen.

In: a history, the inputs it comes from. Out: nothing; a law that is broken is an assertion that fails.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from balance import in_balance
from small import (
    rows_where,
    run,
)

from sim.model import ledger, replication
from sim.model.accounts import AccountTable
from sim.model.community import Forum
from sim.model.contact_center import ContactCenter
from sim.model.contacts import Wanted, make_contacts
from sim.model.inputs import DRIVERS, FINISH, Inputs
from sim.model.ledger import History, Table
from sim.model.luck import Luck
from sim.model.queue import Contact
from sim.model.staff import Agent

WEEK = 168.0
ROUNDING_HOURS = 1e-9  # a hundred thousand times the spacing of numbers at the end of a run of two years


def accounts_are_conserved(history: History, inputs: Inputs) -> None:
    """Accounts and cents: what was there and came is what is there and went, per tier, in every week."""
    in_balance(history, inputs)
    events, accounts, weeks = history.account_events, history.accounts, history.tier_weeks
    decisions = np.isin(events["event"], (ledger.RENEWAL, ledger.MIDTERM))
    won, left = np.isin(events["event"], (ledger.WON, ledger.WON_BACK)), events["left"]
    assert not (left & ~decisions).any(), "accounts leave by decisions only"
    assert (events["arr_after_cents"][left] == 0).all(), "who left pays nothing"
    assert (events["arr_after_cents"][~left] > 0).all(), "who stayed pays something"
    assert (events["arr_before_cents"][won] == 0).all(), "who is won paid nothing before"
    neutral = ~(decisions | won)
    assert (events["arr_before_cents"][neutral] == events["arr_after_cents"][neutral]).all(), "other events: no money"
    opening = accounts["opening_arr_cents"]
    for tier in range(len(inputs.tiers)):
        ours = accounts["tier"] == tier
        rows = rows_where(weeks, weeks["tier"] == tier)
        assert rows["week"].tolist() == list(range(inputs.weeks)), "one row per tier and week, in order"
        at_end = accounts["arr_cents"][ours]
        assert (at_end > 0).sum() == rows["accounts"][-1], "the accounts table has those who are there at the end"
        assert at_end.sum() == rows["arr_cents"][-1], "and their ARR, in cents"
        for name in ("adoption_sum", "satisfaction_sum", "executive_contact_sum", "at_risk"):
            assert (rows[name] >= 0).all(), f"{name}: sums of shares are not negative"
            assert (rows[name] <= rows["accounts"] + 1e-9).all(), f"{name}: a mean state is at most 1 (1e-9: rounding)"
    # Each account's own chain of events has no gaps: what it paid after one event it pays before the next.
    for row in range(len(accounts["id"])):
        arr = int(opening[row])
        for before, after in zip(
            events["arr_before_cents"][events["account"] == row],
            events["arr_after_cents"][events["account"] == row],
            strict=True,
        ):
            assert before == arr, f"account {row}: an event begins with the ARR of the one before it"
            arr = int(after)
        assert accounts["arr_cents"][row] == arr, f"account {row}: it ends with the ARR of its last event"


def shares_are_shares(history: History) -> None:
    for name in ("adoption", "satisfaction", "executive_contact"):
        values = history.accounts[name]
        assert ((values >= 0) & (values <= 1)).all(), f"{name} is in [0, 1]"
    for name in ("fatigue", "burnout"):
        values = history.people_weeks[name]
        assert ((values >= 0) & (values <= 1)).all(), f"{name} is in [0, 1]"
    events = history.account_events
    assert ((events["probability"] >= 0) & (events["probability"] <= 1)).all(), "probabilities are in [0, 1]"
    drivers = sum(events[name].astype(float) for name in DRIVERS)
    decided = np.isin(events["event"], (ledger.RENEWAL, ledger.MIDTERM)) & events["left"]
    off = np.abs(drivers[decided] - 1).max(initial=0.0)
    assert off < 1e-6, f"the drivers of a departure add up to 1 (five numbers of single precision; off by {off})"


def contacts_are_conserved(history: History, made: Counter[int], end: float) -> None:
    """Every contact that was made is in the ledger once per attempt and leg, with one outcome."""
    rows = history.contacts
    where = list(zip(rows["contact"].tolist(), rows["attempt"].tolist(), rows["leg"].tolist(), strict=True))
    assert len(set(where)) == len(where), "no contact, attempt and leg twice"
    outcomes = {key: int(outcome) for key, outcome in zip(where, rows["outcome"].tolist(), strict=True)}
    assert set(outcomes.values()) <= set(range(len(ledger.OUTCOMES))), "each has one of the outcomes"
    first = {key for (key, attempt, leg), born in zip(where, rows["born"].tolist(), strict=True)
             if attempt == 0 and leg == 0 and born >= 0}  # fmt: skip
    assert first == set(made), "each contact of the run is in the ledger, and no other"
    assert max(made.values(), default=1) == 1, "no two contacts of the run have one key"
    index = {key: row for row, key in enumerate(where)}
    for (key, attempt, leg), row in index.items():
        if leg:
            before = index.get((key, attempt, leg - 1))
            if rows["queued"][row] >= 0 and before is not None:
                handed_over, tried_alone = (rows["outcome"][before] == o for o in (ledger.ESCALATED, ledger.BOUNCED))
                assert handed_over or tried_alone, "a second leg follows a handover, or self-service in vain"
                if handed_over:
                    assert rows["ended"][before] == rows["queued"][row], "it joins its queue when the first leg ends"
                else:
                    assert rows["ended"][before] <= rows["born"][row] == rows["queued"][row], "it comes later"
            assert before is not None or rows["born"][row] < WEEK, "a second leg has a first"
        elif attempt and rows["born"][row] > 0:
            befores = [index[k] for k in ((key, attempt - 1, before) for before in range(4)) if k in index]
            ends = [b for b in befores if rows["outcome"][b] in LEAVE_IT_OPEN]
            before_run = not ends and not any(rows["ended"][b] >= 0 for b in befores)
            assert len(ends) == 1 or before_run, "a repeat follows one attempt that failed"
            assert all(rows["ended"][b] <= rows["born"][row] for b in ends), "a repeat comes after it"
    escalated = {key for key, outcome in outcomes.items() if outcome == ledger.ESCALATED}
    followed = {(key, attempt, leg - 1) for key, attempt, leg in outcomes if leg}
    assert escalated <= followed, "each handover has its second leg"


LEAVE_IT_OPEN = (ledger.UNRESOLVED, ledger.ABANDONED, ledger.BLOCKED)
ASK_NOBODY = (ledger.DEFLECTED, ledger.BOUNCED, ledger.NOT_RAISED)


def time_never_runs_back(history: History, end: float) -> None:
    rows = history.contacts
    served, over = ~np.isnan(rows["started"]), ~np.isnan(rows["ended"])
    open_ = rows["outcome"] == ledger.OPEN
    assert (over == ~open_).all(), "what is open has no end, and all else has one"
    # The clock adds delays to its time, so an event may come one last digit before its own time.
    asked = ~np.isnan(rows["queued"])
    assert (asked == ~np.isin(rows["outcome"], ASK_NOBODY)).all(), "whoever asks a team joins a queue"
    assert (rows["born"] <= rows["queued"] + ROUNDING_HOURS)[asked].all(), "born before queued"
    assert (rows["queued"][served] <= rows["started"][served]).all(), "queued before started"
    assert (rows["started"][served & over] <= rows["ended"][served & over]).all(), "started before ended"
    names = [ledger.OUTCOMES[o] for o in rows["outcome"][over & (rows["ended"] < rows["queued"])]]
    assert not names, f"queued before ended, also if never started: {Counter(names)}"
    assert (rows["ended"][over] >= 0).all(), "nothing in the run's ledger ended before the run started"
    assert (rows["ended"][over] <= end).all(), "nor after it ended"
    assert (rows["wait_minutes"] >= 0).all(), "no wait is negative"
    assert (rows["handle_minutes"] >= 0).all(), "no handle time is negative"
    by_people = np.isin(rows["outcome"], (ledger.RESOLVED, ledger.UNRESOLVED, ledger.ESCALATED))
    assert (served == (by_people | (open_ & served))).all(), "who was served was resolved or not, or handed over"
    assert (served == (rows["seat"] >= 0)).all(), "who was served was served by somebody"
    length = (np.where(over, rows["ended"], end) - rows["started"])[served] * 60
    # Minutes of single precision.
    assert (rows["handle_minutes"][served] <= length * (1 + 1e-6) + 1e-6).all(), "worked on between start and end"
    assert rows["live"][rows["outcome"] == ledger.ABANDONED].all(), "only a live customer gives up"


def in_one_go(rows: Table, end: float) -> np.ndarray:
    """Which contacts were worked on from their start to their end, and not put down in between."""
    over = np.where(np.isnan(rows["ended"]), end, rows["ended"])
    return (over - rows["started"]) * 60 <= rows["handle_minutes"] * (1 + 1e-6) + 1e-6


def by_one_person(rows: Table, inputs: Inputs) -> np.ndarray:
    """Whose seat is that of whoever began it: in teams that hand over, it may be another's."""
    hands_over = [any(phase.teams[i].at_shift_end != FINISH for phase in inputs.phases) for i in range(2)]
    return ~np.isnan(rows["started"]) & ~np.array(hands_over)[rows["team"]]


def side_by_side_stays_within_bounds(rows: Table, inputs: Inputs, end: float) -> np.ndarray:
    """Live contacts of a channel with a concurrency: nobody has more in hand than that, or anything else beside.

    Returns which rows they are.
    """
    beside = (inputs.phases[0].channels.concurrency[rows["channel"]] > 1) & rows["live"]
    for team, seat in {*zip(rows["team"][beside].tolist(), rows["seat"][beside].tolist(), strict=True)}:
        mine = rows_where(rows, beside & (rows["team"] == team) & (rows["seat"] == seat))
        over = np.where(np.isnan(mine["ended"]), end, mine["ended"])
        times = np.concatenate([mine["started"] + ROUNDING_HOURS, over])
        change = np.repeat([1, -1], len(over))
        most = int(np.cumsum(change[np.lexsort((change, times))]).max())
        allowed = int(inputs.phases[0].channels.concurrency.max())
        assert most <= allowed, f"{inputs.teams[team]} {seat} has {most} at once"
        alone = rows_where(rows, ~beside & (rows["team"] == team) & (rows["seat"] == seat))
        for start, until in zip(mine["started"], over, strict=True):
            others = np.nan_to_num(alone["ended"], nan=end)
            inside = (alone["started"] < until - ROUNDING_HOURS) & (others > start + ROUNDING_HOURS)
            assert not inside.any(), "beside them there is nothing else"
    return beside


def nobody_serves_two_at_once(history: History, inputs: Inputs, end: float) -> None:
    """By the ledger; what is put down and taken up again is watched while it happens (`watched_start`)."""
    rows = rows_where(history.contacts, by_one_person(history.contacts, inputs))
    rows = rows_where(rows, ~side_by_side_stays_within_bounds(rows, inputs, end))
    assert in_one_go(rows, end).all(), "who finishes what is begun works on it until its end"
    until = np.where(np.isnan(rows["ended"]), end, rows["ended"])
    order = np.lexsort((rows["started"], rows["seat"], rows["team"]))
    same = (np.diff(rows["team"][order]) == 0) & (np.diff(rows["seat"][order]) == 0)
    gap = rows["started"][order][1:] - until[order][:-1]
    assert gap[same].min(initial=0.0) >= -ROUNDING_HOURS, f"somebody serves two at once for {-gap[same].min()} h"


def nothing_starts_outside_working_time(history: History, inputs: Inputs) -> None:
    """Starts lie inside a working day of the person, or, for urgent work, within the overtime limit after one."""
    if len(inputs.phases) > 1:
        return  # limits and shifts may change; the one-phase companies show the rule
    phase, rows = inputs.phases[0], history.contacts
    started = by_one_person(rows, inputs) & (rows["started"] >= 0)
    for index, team in enumerate(phase.teams):
        limit = team.overtime_limit_hours if phase.switches.overtime else 0.0
        for seat in np.unique(rows["seat"][started & (rows["team"] == index)]).tolist():
            mine = rows_where(rows, started & (rows["team"] == index) & (rows["seat"] == seat))
            roster = team.seat(seat).roster
            starts, ends = (edge[~roster.closed] for edge in (roster.starts, roster.ends))
            late = np.searchsorted(starts, mine["started"], "right") == np.searchsorted(ends, mine["started"], "right")
            over = ends[np.maximum(0, np.searchsorted(ends, mine["started"], "right") - 1)]
            worst = (mine["started"] - over)[late].max(initial=0.0)
            who = f"{inputs.teams[index]} {seat + 1}"
            assert worst <= limit + ROUNDING_HOURS, f"{who}: a contact starts {worst} h after the shift"
            categories = phase.categories
            urgent = (
                mine["live"]
                | categories.urgent[mine["category"]]
                | (categories.customer[mine["category"]] & (mine["started"] > mine["due"]))
            )
            assert urgent[late].all(), f"{who}: after the shift's end only urgent work is started"


def hours_are_conserved(history: History, inputs: Inputs) -> None:
    """Handling hours of people's weeks are the ledger's, per team and week, but for work across a Monday.

    People's hours are counted when they are worked, at the end of a shift at the latest; the ledger has a
    contact's hours in the week in which it ended.
    """
    people, rows = history.people_weeks, history.contacts
    done = ~np.isnan(rows["started"]) & (rows["ended"] >= 0)
    week = np.maximum(np.ceil(rows["ended"][done] / WEEK) - 1, 0).astype(int)
    for team in range(len(inputs.teams)):
        mine = rows["team"][done] == team
        theirs = people["team"] == team
        handled = np.bincount(week[mine], rows["handle_minutes"][done][mine].astype(float) / 60, minlength=inputs.weeks)
        counted = np.bincount(people["week"][theirs], people["handling_hours"][theirs], minlength=inputs.weeks)
        begun, over = rows["started"], np.nan_to_num(rows["ended"], nan=np.inf)
        across = [
            rows["handle_minutes"][(rows["team"] == team) & (begun < monday) & (over > monday)].sum() / 60
            for monday in WEEK * np.arange(inputs.weeks + 1)
        ]
        # Both are sums of numbers of single precision: 6e-8 of each, and of at most 1,000 numbers.
        room = 1e-6 * np.maximum(1.0, handled) + np.add(across[:-1], across[1:])
        assert (np.abs(handled - counted) <= room).all(), (
            f"{inputs.teams[team]}: handled {handled.round(4)} h by the ledger, {counted.round(4)} h by people's weeks"
        )
    early = rows["handle_minutes"][rows["started"] < 0].sum() / 60  # in part before the run
    total = rows["handle_minutes"].astype(float).sum() / 60, people["handling_hours"].astype(float).sum()
    # Sums of at most 20,000 numbers of single precision.
    assert -1e-5 * total[0] <= total[0] - total[1] <= early + 1e-5 * total[0], (
        f"{total[0]:.4f} h of working time on contacts, {total[1]:.4f} h of people's"
    )
    one = 1 + 1e-6  # single precision
    present = people["contracted_hours"] - people["absent_hours"]
    assert (people["on_duty_hours"] <= present * one + 1e-6).all(), "on duty at most when paid and not absent"
    assert (people["planned_hours"] <= people["contracted_hours"] * one).all(), "planned hours are paid hours"
    assert (people["overtime_hours"] <= people["handling_hours"] * one).all(), "overtime is part of handling"
    assert (people["reactive_hours"] <= people["handling_hours"] * one).all(), "reactive hours are part of handling"
    assert (people["on_duty_hours"] >= 0).all(), "no hours on duty are negative"


def with_made_contacts(inputs: Inputs, seed: int) -> tuple[History, Counter[int]]:
    """A history, and how often each key was made for the run itself."""
    made: Counter[int] = Counter()

    def counting(wanted: Wanted, accounts: AccountTable, given: Inputs, luck: Luck, forum: Forum) -> list[Contact]:
        made.update(key for key, time in zip(wanted.key.tolist(), wanted.time.tolist(), strict=True) if time >= 0)
        return make_contacts(wanted, accounts, given, luck, forum)

    def watched_start(center: ContactCenter, agent: Agent, contact: Contact, now: float) -> None:
        assert agent.contact is None, "nobody serves two at once"
        assert agent.employed, "nobody works who has left"
        hands_on = [other for team in center.teams for other in team.agents if other.contact is contact]
        assert not hands_on, "no contact is in two hands"
        start(center, agent, contact, now)

    start = ContactCenter.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replication, "make_contacts", counting)
        patch.setattr(ContactCenter, "start", watched_start)
        return run(inputs, seed), made
