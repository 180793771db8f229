"""One replication: the two clocks, and the one place where their order is written.

In: the baseline's inputs, the scenarios' inputs, a seed and a number. Out: a `History` per scenario.

Within one instant things happen in this order, then by time of scheduling:

| order | what | where |
|---|---|---|
| 1 | a dated phase begins: new rules, seats opened or closed | `Run._begin_phase` |
| 2 | shifts end, breaks and meetings start and end | `WorkingDay.end_shift`, `_break`, `_meet`, `_return_to_desk` |
| 3 | services end | `ContactCenter._end_service` |
| 4 | patience ends | `ContactCenter._give_up` |
| 5 | contacts arrive | `ContactCenter.arrive` |
| 6 | day tick: people's fatigue and burnout follow the day's strain | `condition_after_day` |
| 7 | week tick: accounts, then demand, then routing | `Run.week_tick` |
| 8 | working days start: one from midnight belongs to the new day and week | `WorkingDay.start_shift` |

Contacts and people live in hours on the SimPy clock, accounts in weeks. The ledger's rows of the week, with the
contacts still open, are all that the week tick learns from the centre; the contacts that it makes are all that
the centre learns from the accounts.

The warm-up runs once, on the baseline, with departures, growth, turnover and burnout standing still; every
scenario goes on from a copy of its last state. A scenario that begins like an earlier one goes on from a copy of
that one's run, taken in the last week before anything differs (`branching.py`).
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import nan
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.model import reassignment, week_end
from sim.model.accounts import AccountTable, final_table, opening_rows, opening_table
from sim.model.agenda import DAY_ORDER, PHASE_ORDER, WEEK_ORDER, Agenda
from sim.model.books import serve_books
from sim.model.branching import branches
from sim.model.center_state import CenterState, opening_state
from sim.model.community import Forum
from sim.model.contact_center import ContactCenter, Pending
from sim.model.contacts import Wanted, contact_rows, happened, make_contacts
from sim.model.demand import contact_rates, planned_work
from sim.model.inputs import HOURS_PER_WEEK, Inputs, IntArray, Phase
from sim.model.ledger import OPEN, History, Ledger
from sim.model.lifecycle import Lifecycle
from sim.model.luck import Luck, counts, key_of
from sim.model.people_tick import condition_after_day, people_rows, plan_absences, plan_leave, staff_changes
from sim.model.queue import Contact, records
from sim.model.staffing import set_headcount
from sim.model.tick import Tick, Trigger
from sim.model.watch import Watch

_BLOCK_ROWS = 4096  # of the ledger, at least


class Cancelled(Exception):
    """The replication was asked to stop."""


@dataclass
class State:
    """All that a scenario needs to go on from the end of the warm-up, or from another's week."""

    accounts: AccountTable
    center: CenterState
    forum: Forum
    overdue: IntArray  # (accounts,), customers' contacts open past their target when the last week ended
    triggers: list[Trigger]  # work that the last week gave rise to
    pending: list[Pending] = field(default_factory=list)  # what is on its way


@dataclass(frozen=True)
class Kept:
    """A run as it stood at the first hour of a week, before anything happened in it, for others to go on from."""

    week: int
    state: bytes  # a pickled `State`
    ledger: Ledger  # the rows so far


def replicate(
    baseline: Inputs,
    scenarios: Sequence[Inputs],
    seed: int,
    replication: int,
    cancel: Callable[[], bool] | None = None,
    watch: Watch | None = None,
) -> Iterator[History]:
    """Runs the warm-up once and then every scenario; yields their histories in order.

    A scenario goes on from the warm-up's end, or from the week in which it parts from an earlier one. Its history is
    the same bits either way.

    Parameters
    ----------
    baseline : inputs of the warm-up; the scenarios have the same names of tiers, teams, categories and
        channels, and the same opening book.
    seed, replication : whole numbers >= 0, the keys of all luck.
    cancel : asked at the start of every simulated week; `Cancelled` is raised when it says yes.
    watch : whom the histories follow week by week; nobody by default.
    """
    luck = Luck(seed, replication)
    begin = -baseline.warm_up_weeks
    first = baseline.phases[0]
    burnout = baseline.opening_burnout if first.switches.burnout else (0.0,) * len(baseline.teams)
    state = State(
        accounts=opening_table(
            baseline.book,
            first,
            luck,
            baseline.opening_adoption,
            baseline.opening_executive_contact,
            begin * HOURS_PER_WEEK,
        ),
        center=opening_state(first, baseline.opening_vacancies, burnout, begin * HOURS_PER_WEEK),
        forum=Forum(),
        overdue=np.zeros(len(baseline.book.keys), dtype=np.int64),
        triggers=[],
    )
    if begin < 0:
        run = Run(baseline, luck, state, begin, cancel, Ledger())
        run.begin()
        run.warm()
    warm = Kept(0, pickle.dumps(state, pickle.HIGHEST_PROTOCOL), Ledger())
    origins = branches(scenarios)
    copies: dict[tuple[int, int], Kept] = {}  # by scenario and week, for those that branch off there
    for index, inputs in enumerate(scenarios):
        kept = copies.get(origins[index], warm)
        run = Run(inputs, luck, pickle.loads(kept.state), kept.week, cancel, kept.ledger.fork(), watch)
        if kept is warm:
            run.begin()
        else:
            run.go_on()
        for origin, week in sorted(set(origins[index + 1 :])):
            if origin == index:
                copies[origin, week] = run.keep(week)
        yield run.history()


class Run:
    """One scenario from one week on: the warm-up if that is before week 0."""

    def __init__(
        self,
        inputs: Inputs,
        luck: Luck,
        state: State,
        first_week: int,
        cancel: Callable[[], bool] | None,
        ledger: Ledger,
        watch: Watch | None = None,
    ) -> None:
        self.inputs = inputs
        self.luck = luck
        self.state = state
        self.first_week = first_week
        self.settled_week = first_week - 1  # the last week whose begin has been settled
        self.cancel = cancel
        self.ledger = ledger
        self.watch = watch
        self.warm_up = first_week < 0
        self.agenda = Agenda(first_week * HOURS_PER_WEEK)
        self.phase = inputs.phase_at(first_week * HOURS_PER_WEEK)
        self.center = ContactCenter(self.agenda, self.phase, state.center)
        self.lifecycle = Lifecycle(inputs, state.accounts, state.forum, luck, ledger)
        self._unwritten: list[tuple[NDArray[Any], IntArray]] = []  # contacts that are to become rows, their tiers
        self._customers = self.phase.categories.customer.nonzero()[0]
        self._count_draws = tuple(f"contacts {inputs.categories[c]}" for c in self._customers)

    def begin(self) -> None:
        """Begins the warm-up, or the run after it, which has settled its last week."""
        self.settled_week = self.first_week
        now, center = self.first_week * HOURS_PER_WEEK, self.center
        if not self.warm_up:
            self.lifecycle.plan_new_accounts()
            self.lifecycle.set_opening_intent(self.inputs.warm_up_weeks, self.inputs.opening_intent_factor, self.phase)
            for team, burnout in zip(center.teams, self.inputs.opening_burnout, strict=True):
                for agent in team.agents:
                    agent.start_week()
                    agent.vacated_at = now
                    agent.burnout = agent.fatigue = burnout if self.phase.switches.burnout else 0.0
        self._begin_phase(self.phase)
        self.ledger.opening = opening_rows(self.lifecycle.table, len(self.inputs.book.keys))
        self._follow(self.first_week - 1, self.phase)
        self._plan_time_off(self.first_week)
        center.resume(now, self.state.pending)
        self._set_clocks(self.first_week, 7 * self.first_week)

    def go_on(self) -> None:
        """Goes on from the first hour of a week: all that was on its way still is, the day's and the week's end too."""
        self.center.go_on(self.state.pending)
        self._set_clocks(self.first_week, 7 * self.first_week - 1)

    def keep(self, week: int) -> Kept:
        """Runs to the first hour of a week and keeps a copy."""
        self.to_week(week)
        self.state.pending = self.center.pending()
        self._write()
        return Kept(week, pickle.dumps(self.state, pickle.HIGHEST_PROTOCOL), self.ledger.fork())

    # --- clocks -------------------------------------------------------------------------------------------

    def _set_clocks(self, week: int, day: int) -> None:
        self.agenda.process(self._days(day))
        self.agenda.process(self._weeks(week))
        self.agenda.process(self._phases())

    def _phases(self) -> Generator[simpy.Event, None, None]:
        for phase in self.inputs.phases[1:]:
            if not self.warm_up and phase.start_hour >= self.agenda.time:
                yield self.agenda.at(phase.start_hour, PHASE_ORDER)
                self._begin_phase(phase)

    def _days(self, first: int) -> Generator[simpy.Event, None, None]:
        for day in count(first):
            yield self.agenda.at(24.0 * (day + 1), DAY_ORDER)
            self._end_day(day)
            if self.inputs.tick_days == 1 and (day + 1) % 7:
                self._tick_accounts(Tick(24.0 * (day + 1), 1 / 7, day), self.phase)
            if (day + 1) % 7:  # on Mondays once people have quit
                self.center.day.pay_on(24.0 * (day + 1))

    def _weeks(self, first: int) -> Generator[simpy.Event, None, None]:
        for week in count(first):
            yield self.agenda.at(week * HOURS_PER_WEEK, WEEK_ORDER)
            if self.cancel is not None and self.cancel():
                raise Cancelled
            self.week_tick(week)

    def to_week(self, week: int) -> None:
        """Runs until just before the tick that begins a week.

        The cycle collector rests meanwhile: contacts hold no cycles, and its passes over them cost a tenth.
        """
        collecting = gc.isenabled()
        gc.disable()
        try:
            self.agenda.run_to(week * HOURS_PER_WEEK)
        finally:
            if collecting:
                gc.enable()

    def warm(self) -> None:
        """Runs the warm-up to its end: the state is then that of the first Monday 00:00."""
        self.to_week(0)
        self._end_day(-1)
        self._end_week(0)
        self.state.pending = [call for call in self.center.pending() if not call[3]]

    def history(self) -> History:
        """Runs to the end of the scenario and hands over what happened."""
        end_week = self.inputs.weeks
        self.to_week(end_week)
        self._end_day(7 * end_week - 1)
        self._end_week(end_week)
        now = end_week * HOURS_PER_WEEK
        for contact in (*week_end.sweep(self.center, now), *week_end.in_service(self.center)):
            self.center.finish(contact, OPEN, nan)
        self._keep_rows(records(self.center.state.finished))
        self._write()
        self.agenda.calls.clear()  # lets go of the run at once, without the cycle collector
        return History(
            contacts=self.ledger.contacts.hand_over(),
            account_events=self.ledger.account_events.hand_over(),
            people_weeks=self.ledger.people_weeks.hand_over(),
            tier_weeks=self.ledger.tier_weeks.hand_over(),
            accounts=final_table(self.lifecycle.table),
            opening=self.ledger.opening,
            duty=self.ledger.duty.hand_over(),
            account_weeks=self.ledger.account_weeks.hand_over(),
            seat_weeks=self.ledger.seat_weeks.hand_over(),
        )

    # --- ticks --------------------------------------------------------------------------------------------

    def _begin_phase(self, phase: Phase) -> None:
        """A dated phase begins: rules change, seats open or close, accounts get owners for them."""
        self.phase = phase
        self.center.go_by(phase)
        now = self.agenda.time
        for team in range(len(self.center.teams)):
            set_headcount(self.center, team, now)
        reassignment.set_skills(self.center)
        reassignment.pass_on(self.center)
        self._serve_books(now)

    def _serve_books(self, now: float) -> None:
        felt = serve_books(self.lifecycle.table, self.center.state, self.phase)
        self.lifecycle.owners_changed(now, felt)

    def _end_day(self, day: int) -> None:
        """A day ends; in the warm-up nobody's condition moves."""
        condition_after_day(self.center.teams, self.phase, day, moves=not self.warm_up)

    def _plan_time_off(self, week: int) -> None:
        plan_absences(self.center.teams, self.phase, self.luck, week)
        plan_leave(self.center.teams, self.phase, self.luck, week)

    def week_tick(self, week: int) -> None:
        """A week ends and the next begins.

        1. The week that ends is settled (`_end_week`); the first has none before it, or the warm-up did it.
        2. People quit and are hired; the week's absences are drawn, its shifts put down.
        3. New accounts start, lost ones may return; accounts that reach their notice date say whether they plan to
           leave.
        4. Demand and routing: the next week's contacts are made and are on their way.
        """
        if week > self.settled_week:
            self._end_week(week)
        table, state = self.lifecycle.table, self.state
        if not self.warm_up:
            staff_changes(self.center, self.luck, week, week * HOURS_PER_WEEK)
        self._plan_time_off(week)
        self.center.day.pay_on(week * HOURS_PER_WEEK)
        for begin, end, phase in self.inputs.phases_within(week * HOURS_PER_WEEK, (week + 1) * HOURS_PER_WEEK):
            self.center.day.plan_shifts(begin, end, phase)
        joined = self.lifecycle.join(week)
        if not self.warm_up:
            joined |= self.lifecycle.return_lost(week, self.phase)
            state.triggers += self.lifecycle.chase(week, self.phase)
            state.triggers += self.lifecycle.give_notice(week * HOURS_PER_WEEK, self.phase)
        if joined or state.center.vacated or state.center.opened:
            self._serve_books(week * HOURS_PER_WEEK)
        state.triggers = [trigger.of(table.active) for trigger in state.triggers]
        wanted, customers = self._wanted(week)
        made = make_contacts(wanted, table, self.inputs, self.luck, state.forum)
        self.center.expect(made[:customers])
        state.triggers = []
        for contact in made[customers:]:
            self.center.arrive(contact, self.agenda.time)

    def _end_week(self, week: int) -> None:
        """Settles the week that ends, for its accounts by the rules that held in its last hour.

        1. Everybody's hours are counted; people's rows are written.
        2. The accounts' tick (`_tick_accounts`), for the week or, if they tick every day, for its last day.
        3. A row per tier is written.
        """
        now, center = week * HOURS_PER_WEEK, self.center
        phase = self.inputs.phase_at(now - 1)
        week_end.count_all(center, now)
        people, duty = people_rows(center.teams, week - 1), center.state.duty
        center.state.duty = []
        if not self.warm_up and people:
            self.ledger.people_weeks.append(*people)
        if not self.warm_up and duty:
            self.ledger.duty.append(*zip(*duty, strict=True))
        days = self.inputs.tick_days
        self._tick_accounts(Tick(now, days / 7, week if days == 7 else 7 * week - 1), phase)
        if not self.warm_up:
            self.lifecycle.record_week(week - 1, phase)
            self._follow(week - 1, phase)

    def _tick_accounts(self, tick: Tick, phase: Phase) -> None:
        """Settles the time since the accounts' last tick, by the rules of `phase`.

        1. Work whose window has passed expires; the ledger's rows are written.
        2. Contacts take effect on accounts, states drift, intent grows.
        3. Contracts that ended are settled; what waits for accounts that left is withdrawn.
        """
        center, lifecycle = self.center, self.lifecycle
        waiting = week_end.sweep(center, tick.hour)
        overdue = self.state.overdue = self._overdue(waiting)
        ended = records(center.state.finished)
        center.state.finished.clear()
        if not self.warm_up:
            self._keep_rows(ended)
        self.state.triggers += lifecycle.time_passes(tick, phase, happened(ended, phase), overdue)
        if not self.warm_up:
            left = lifecycle.settle(tick, phase)
            if len(left):
                week_end.withdraw(center, set(left.tolist()), waiting, tick.hour)

    def _follow(self, week: int, phase: Phase) -> None:
        """The row, if somebody is followed, of a week that has ended by the rules of `phase`."""
        if self.watch is not None:
            teams, overdue = self.center.teams, self.state.overdue
            self.watch.note(self.ledger, week, self.lifecycle.table, teams, phase, overdue)

    def _keep_rows(self, ended: NDArray[Any]) -> None:
        """Keeps contacts for the ledger, with the tier of the time; several small weeks are written in one block."""
        self._unwritten.append((ended, self.lifecycle.table.tier[ended["account"]]))
        if sum(len(contacts) for contacts, _ in self._unwritten) >= _BLOCK_ROWS:
            self._write()

    def _write(self) -> None:
        """Writes the ledger's rows of the contacts that were kept."""
        if self._unwritten:
            contacts, tier = (np.concatenate(parts) for parts in zip(*self._unwritten, strict=True))
            self._unwritten = []
            self.ledger.contacts.append(*contact_rows(contacts, tier, self.inputs.phases, self.agenda.time))

    def _overdue(self, waiting: list[Contact]) -> IntArray:
        """Customers' contacts per account that still wait past their target."""
        now = self.agenda.time
        late = [c.account for c in waiting if c.kind.customer and c.due < now and c.seat < 0]
        return np.bincount(np.array(late, dtype=np.int64), minlength=len(self.lifecycle.table))

    def _wanted(self, week: int) -> tuple[Wanted, int]:
        """The contacts of a week: customers' own in order of time (how many comes second), then planned work and
        what events gave rise to.
        """
        phase, luck, triggers = self.phase, self.luck, self.state.triggers
        table, categories, now = self.lifecycle.table, phase.categories, week * HOURS_PER_WEEK
        own_account, own_category, own_j = self._customers_own(week)
        planned_account, planned_category = planned_work(table, phase, week)
        np.add.at(table.onboarding_due, planned_account[planned_category == categories.onboarding], 1)
        own, planned = len(own_account), len(own_account) + len(planned_account)
        each = [len(trigger.accounts) for trigger in triggers]

        account = np.concatenate([own_account, planned_account, *(trigger.accounts for trigger in triggers)])
        category = np.zeros(len(account), dtype=np.int64)
        category[:own], category[own:planned] = own_category, planned_category
        category[planned:] = np.array([trigger.category for trigger in triggers], dtype=np.int64).repeat(each)
        j = np.zeros(len(account), dtype=np.int64)
        j[:own] = own_j
        j[planned:] = np.array([trigger.j for trigger in triggers], dtype=np.int64).repeat(each)
        key = key_of(table.key[account], categories.keys[category], week, j)
        time = np.full(len(account), now)
        time[:own] = phase.demand.profile.times(luck.uniform("arrival time", key[:own]), week)
        expires = np.full(len(account), np.inf)
        if phase.switches.expiry:
            expires[own:] = now + categories.window_hours[category[own:]]
        deadlines = np.concatenate([np.zeros(0), *(trigger.deadline for trigger in triggers)])
        expires[planned:] = np.minimum(expires[planned:], deadlines)
        order = np.arange(len(account))
        order[:own] = np.lexsort((key[:own], time[:own]))
        return Wanted(account, category, key, time, expires).part(order), own

    def _customers_own(self, week: int) -> tuple[IntArray, IntArray, IntArray]:
        """What customers contact the company about in a week: account, category, and which of its kind, from 0."""
        phase, table = self.phase, self.lifecycle.table
        overdue = np.zeros(len(table), dtype=np.int64)
        overdue[: len(self.state.overdue)] = self.state.overdue
        rates = contact_rates(table, phase, week * HOURS_PER_WEEK, overdue)
        mean = phase.categories.rate_per_week[self._customers][:, np.newaxis] * rates
        down = self.lifecycle.outages(week, phase)[table.tier]
        if phase.outages is not None and down.any():
            mean[phase.outages.categories[self._customers]] *= 1 + phase.outages.more_contacts * down
        u = self.luck.uniforms(self._count_draws, table.key, week)
        number = counts(u.ravel(), mean.ravel(), phase.demand.weekly_dispersion)
        some = number.nonzero()[0]
        number = number[some]
        position = some.repeat(number)
        j = np.arange(len(position)) - (number.cumsum() - number).repeat(number)
        return position % len(table), self._customers[position // len(table)], j
