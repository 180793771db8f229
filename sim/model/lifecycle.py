"""The accounts' side of the week tick: states, intent, notices, decisions, new accounts.

In: the week's ledger rows, the contacts still open, the phase's rules and keyed luck. Out: a changed account
table, rows for account_events and tier_weeks, and the work that the week gives rise to (triggers).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.model import departures
from sim.model.accounts import (
    CHECK_WEEKS,
    EXECUTIVE,
    SATISFACTION,
    AccountTable,
    apply_in_order,
    contact_effects,
    drift,
    health,
    new_rows,
    seats_by_arr,
    sponsor_leaves,
)
from sim.model.inputs import (
    HOURS_PER_MONTH,
    HOURS_PER_WEEK,
    BoolArray,
    FloatArray,
    Inputs,
    IntArray,
    KeyArray,
    Phase,
)
from sim.model.ledger import (
    ANNOUNCED,
    MIDTERM,
    OWNER_CHANGED,
    RENEWAL,
    RESOLVED,
    SPONSOR_ENGAGED,
    SPONSOR_LOST,
    WON,
    Ledger,
    Table,
)
from sim.model.luck import Luck, counts, key_of, lognormal, name_key
from sim.model.routing import pick

_SETTLEMENT = ("save", "renew", "change", "size")
_ARRIVAL = ("arr", "contact_rate", "term")


@dataclass(frozen=True)
class Trigger:
    """Work that an event gives rise to: one contact of `category` for each of `accounts`, number j."""

    category: int
    accounts: IntArray
    j: int
    deadline: FloatArray  # hours, (accounts,)

    def of(self, active: BoolArray) -> Trigger:
        """The same for those accounts that are still there."""
        there = active[self.accounts]
        return Trigger(self.category, self.accounts[there], self.j, self.deadline[there])


class Lifecycle:
    """The accounts of one replication of one scenario."""

    def __init__(self, inputs: Inputs, table: AccountTable, luck: Luck, ledger: Ledger) -> None:
        self.inputs = inputs
        self.table = table
        self.luck = luck
        self.ledger = ledger
        self._downturn: tuple[Phase, int, BoolArray] | None = None

    # --- states and intent --------------------------------------------------------------------------------

    def join(self, week: int) -> bool:
        """Accounts that start since the last tick are there now; in the run these are new customers won."""
        now = week * HOURS_PER_WEEK
        started = self.table.started
        rows = np.flatnonzero((started > now - HOURS_PER_WEEK) & (started <= now) & ~self.table.active)
        rows = rows[self.table.term_number[rows] == 0]
        self.table.active[rows] = True
        self._record(WON, now, rows[self.table.opening_arr_cents[rows] == 0])
        return len(rows) > 0

    def week_passes(self, week: int, phase: Phase, rows: Table, overdue: IntArray) -> list[Trigger]:
        """States after a week, in this order.

        1. Finished contacts take effect; firefights and re-engagements are noted.
        2. Each contact still open past its target costs satisfaction, once a week.
        3. States of the accounts that are there drift; sponsors leave; without one executive contact has a ceiling.
        4. Each driver's intent grows by its hazard.

        overdue : (accounts,), contacts open past their target.
        """
        table, rules = self.table, phase.states
        now = week * HOURS_PER_WEEK
        account, done = rows["account"].astype(np.int64), rows["outcome"] == RESOLVED
        fights = account[done & (rows["category"] == phase.categories.firefight)]
        np.add.at(table.firefights_done, fights, 1)
        reached = np.zeros(len(table), dtype=bool)
        reached[account[done & (rows["category"] == phase.categories.sponsor_reengagement)]] = True
        engaged = np.flatnonzero(reached & table.sponsor_lost & table.active)
        table.sponsor_lost[engaged] = False
        self._record(SPONSOR_ENGAGED, now, engaged)

        slope, offset = contact_effects(rows, rules, phase.categories, phase.channels, phase.warmth)
        apply_in_order(table.states, account, rows["ended"], slope, offset)
        late = np.flatnonzero(overdue)
        table.states[SATISFACTION, late] *= (1 - rules.waiting_loss_per_week) ** overdue[late]
        table.states = np.where(table.active, drift(table.states, rules), table.states)

        triggers = []
        if phase.switches.sponsor_loss:
            leaves = sponsor_leaves(self.luck.uniform("sponsor leaves", table.key, week), rules)
            lost = np.flatnonzero(leaves & table.active & ~table.sponsor_lost)
            table.states[EXECUTIVE, lost] *= rules.kept_after_sponsor_loss
            table.sponsor_lost[lost] = True
            self._record(SPONSOR_LOST, now, lost)
            if phase.switches.sponsor_reengagement and phase.categories.sponsor_reengagement >= 0:
                triggers.append(Trigger(phase.categories.sponsor_reengagement, lost, 0, np.full(len(lost), np.inf)))
        capped = np.flatnonzero(table.sponsor_lost)
        table.states[EXECUTIVE, capped] = np.minimum(table.states[EXECUTIVE, capped], rules.ceiling_while_lost)
        if phase.switches.churn:
            table.intent += self._hazards(week - 1, phase) * table.active
        return triggers

    def _hazards(self, week: int, phase: Phase) -> FloatArray:
        table = self.table
        factor = phase.departure_factor[table.tier]
        downturn = self._in_downturn(week // 13, phase)[table.tier]
        return departures.hazards(table.states, table.sponsor_lost, downturn, factor, phase.departures)

    def _in_downturn(self, quarter: int, phase: Phase) -> BoolArray:
        if self._downturn is None or self._downturn[0] is not phase or self._downturn[1] != quarter:
            keys = np.array([tier.key for tier in phase.tiers], dtype=np.uint64)
            back = range(phase.departures.shock_quarters)
            begins = np.array([self.luck.uniform("downturn begins", keys, quarter - q) for q in back])
            self._downturn = phase, quarter, departures.downturn_tiers(begins, phase.departures)
        return self._downturn[2]

    def set_opening_intent(self, warm_up_weeks: int, factor: float, phase: Phase) -> None:
        """Intent at the start: an account's mean hazard in the warm-up, for the weeks since its last renewal, or since
        it came if that was later.
        """
        table = self.table
        if warm_up_weeks > 0:
            there = np.clip(np.floor(-table.started / HOURS_PER_WEEK), 1, warm_up_weeks)
            per_week = table.intent / there
        else:
            per_week = self._hazards(0, phase) if phase.switches.churn else table.intent
        term_start = np.maximum(table.renewal - table.term_months * HOURS_PER_MONTH, table.started)
        table.intent = per_week * factor * np.maximum(0.0, -term_start / HOURS_PER_WEEK) * table.active
        table.intent_checked = table.intent.sum(axis=0)

    # --- decisions ----------------------------------------------------------------------------------------

    def give_notice(self, week: int, phase: Phase) -> list[Trigger]:
        """Accounts that reach their notice date say whether they plan to leave; firefighting starts for those."""
        table, rules = self.table, phase.departures
        if not phase.switches.churn:
            return []
        now = week * HOURS_PER_WEEK
        at_notice = table.active & ~table.notice_drawn & (table.term_months >= 12)
        rows = np.flatnonzero(at_notice & (table.renewal - rules.notice_hours <= now))
        if not len(rows):
            return []
        intent = table.intent[:, rows]
        p = departures.leave_probability(intent.sum(axis=0))
        u = self.luck.uniform("announce", self._term_keys(rows))
        says = u < rules.announce_share * p
        table.notice_drawn[rows] = True
        table.notice_probability[rows] = p
        table.notice_share[rows] = rules.announce_share
        table.notice_save[rows] = departures.nominal_save_probability(departures.driver_shares(intent), rules)
        table.announced[rows] = says
        told = rows[says]
        self._record(ANNOUNCED, now, told, probability=rules.announce_share * p[says])
        if not phase.switches.firefighting or phase.categories.firefight < 0:
            return []
        return [
            Trigger(phase.categories.firefight, told, j, table.renewal[told]) for j in range(rules.firefight_contacts)
        ]

    def settle(self, week: int, phase: Phase) -> IntArray:
        """Contracts that have ended are renewed or not; a quarter's mid-term leaving; returns who left."""
        if not phase.switches.churn:
            rows = np.flatnonzero(self.table.active & (self.table.renewal <= week * HOURS_PER_WEEK))
            before, when = self.table.arr_cents[rows], self.table.renewal[rows]
            _, _, u_change, u_size = self.luck.uniforms(_SETTLEMENT, self._term_keys(rows))
            self._renew(rows, u_change, u_size, phase)
            self._clear_term(rows)
            self._record(RENEWAL, when, rows, before=before, after=self.table.arr_cents[rows])
            return rows[:0]
        return np.concatenate([self._settle_midterm(week, phase), self._settle_renewals(week, phase)])

    def _settle_renewals(self, week: int, phase: Phase) -> IntArray:
        table, rules = self.table, phase.departures
        rows = np.flatnonzero(table.active & (table.renewal <= week * HOURS_PER_WEEK))
        if not len(rows):
            return rows
        u_save, u_renew, u_change, u_size = self.luck.uniforms(_SETTLEMENT, self._term_keys(rows))
        intent = table.intent[:, rows]
        shares = departures.driver_shares(intent)
        before, announced, when = table.arr_cents[rows], table.announced[rows], table.renewal[rows]
        save = departures.save_probability(shares, table.firefights_done[rows], rules)
        left, expected, probability = departures.settle(
            departures.leave_probability(intent.sum(axis=0)),
            table.notice_probability[rows],
            announced,
            save,
            table.notice_save[rows],
            table.notice_share[rows],
            u_save,
            u_renew,
        )
        table.active[rows[left]] = False
        self._renew(rows[~left], u_change[~left], u_size[~left], phase)
        self._clear_term(rows)
        after = np.where(left, 0, table.arr_cents[rows])
        self._record(
            RENEWAL, when, rows, announced=announced, left=left, probability=probability, expected=expected,
            before=before, after=after, shares=shares,
        )  # fmt: skip
        return rows[left]

    def _settle_midterm(self, week: int, phase: Phase) -> IntArray:
        table, rules = self.table, phase.departures
        due = table.check_week == week % CHECK_WEEKS
        in_term = (
            table.active
            & ~table.notice_drawn
            & due
            & (table.term_months >= 12)
            & (table.renewal > week * HOURS_PER_WEEK)
        )
        rows = np.flatnonzero(in_term)
        if not len(rows) or rules.midterm_share <= 0:
            return np.zeros(0, dtype=np.int64)
        intent = table.intent[:, rows]
        total = intent.sum(axis=0)
        p = departures.leave_probability(rules.midterm_share * (total - table.intent_checked[rows]))
        table.intent_checked[rows] = total
        left = self.luck.uniform("leave mid-term", table.key[rows], week) < p
        before, announced, shares = table.arr_cents[rows], table.announced[rows], departures.driver_shares(intent)
        table.active[rows[left]] = False
        self._clear_term(rows[left])
        self._record(
            MIDTERM, (week - 0.5) * HOURS_PER_WEEK, rows, announced=announced, left=left, probability=p,
            expected=p, before=before, after=np.where(left, 0, before), shares=shares,
        )  # fmt: skip
        return rows[left]

    def _renew(self, rows: IntArray, u_change: FloatArray, u_size: FloatArray, phase: Phase) -> None:
        table = self.table
        if phase.switches.expansion and len(rows):
            table.arr_cents[rows] = departures.renewed_arr_cents(
                table.arr_cents[rows],
                table.term_months[rows],
                table.states[0, rows],
                u_change,
                u_size,
                phase.departures,
            )
        table.renewal[rows] += table.term_months[rows] * HOURS_PER_MONTH

    def _clear_term(self, rows: IntArray) -> None:
        if not len(rows):
            return
        table = self.table
        table.term_number[rows] += 1
        table.intent[:, rows] = 0.0
        table.intent_checked[rows] = 0.0
        table.notice_drawn[rows] = table.announced[rows] = False
        table.notice_probability[rows] = table.notice_share[rows] = table.notice_save[rows] = 0.0
        table.firefights_done[rows] = 0

    def _term_keys(self, rows: IntArray) -> KeyArray:
        return key_of(self.table.key[rows], self.table.term_number[rows])

    # --- new accounts -------------------------------------------------------------------------------------

    def plan_new_accounts(self) -> None:
        """Draws all new accounts of the run; each waits in the table, not active, until its first Monday."""
        weeks = np.arange(self.inputs.weeks)
        phases = [self.inputs.phase_at(week * HOURS_PER_WEEK) for week in range(self.inputs.weeks)]
        tier_keys = np.array([tier.key for tier in phases[0].tiers], dtype=np.uint64)
        of_week, of_tier = np.repeat(weeks, len(tier_keys)), np.tile(np.arange(len(tier_keys)), len(weeks))
        mean = [tier.new_accounts_per_week * phase.switches.growth for phase in phases for tier in phase.tiers]
        u = self.luck.uniform("new accounts", key_of(tier_keys[of_tier], of_week))
        won = counts(u, np.array(mean), 1.0)
        week, tier = np.repeat(of_week, won), np.repeat(of_tier, won)
        j = np.arange(len(week)) - np.repeat(np.cumsum(won) - won, won)
        keys = key_of(tier_keys[tier], week, j, name_key("won"))
        u_arr, u_rate, u_term = self.luck.uniforms(_ARRIVAL, keys)
        for phase in self.inputs.phases:
            rows = np.flatnonzero([phases[w] is phase for w in week])
            if len(rows):
                self._plan(phase, keys[rows], tier[rows], week[rows], u_arr[rows], u_rate[rows], u_term[rows])

    def _plan(
        self,
        phase: Phase,
        keys: KeyArray,
        tier: IntArray,
        week: IntArray,
        u_arr: FloatArray,
        u_rate: FloatArray,
        u_term: FloatArray,
    ) -> None:
        n, states = len(keys), phase.states
        started = np.asarray(week * HOURS_PER_WEEK, dtype=np.float64)
        arr_mean = np.array([rules.arr_per_year_mean for rules in phase.tiers])[tier]
        arr_cv = np.array([rules.arr_cv for rules in phase.tiers])[tier]
        term = np.zeros(n, dtype=np.int64)
        for index, rules in enumerate(phase.tiers):
            rows = np.flatnonzero(tier == index)
            term[rows] = rules.term_months[pick(u_term[rows], rules.term_shares[np.newaxis])]
        quantiles = phase.demand.rate_quantiles
        arr_cents = np.maximum(1, np.rint(100 * lognormal(u_arr, arr_mean, arr_cv))).astype(np.int64)
        per_seat = np.array([rules.arr_per_seat_per_year for rules in phase.tiers])[tier]
        self.table.extend(
            new_rows(
                keys,
                tier,
                arr_cents,
                seats_by_arr(arr_cents, per_seat),
                np.interp(u_rate, np.linspace(0, 1, len(quantiles)), quantiles),
                term,
                started,
                started + term * HOURS_PER_MONTH,
                active=np.zeros(n, dtype=bool),
                opening=False,
                adoption=np.full(n, states.adoption_start),
                satisfaction=np.full(n, states.satisfaction_neutral),
                executive_contact=np.full(n, states.executive_start),
                phase=phase,
                luck=self.luck,
            )
        )

    # --- rows ---------------------------------------------------------------------------------------------

    def owners_changed(self, now: float, rows: IntArray) -> None:
        """Records the accounts whose owner changed."""
        self._record(OWNER_CHANGED, now, rows)

    def _record(
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
    ) -> None:
        n = len(rows)
        if not n:
            return
        nothing = np.zeros(n, dtype=bool)
        arr = self.table.arr_cents[rows]
        if event == WON:
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
        )

    def record_week(self, week: int, phase: Phase) -> None:
        """A row per tier: the accounts as they stand at the end of the week."""
        table, tiers = self.table, len(phase.tiers)
        there = np.flatnonzero(table.active)
        tier = table.tier[there]

        def total(values: FloatArray) -> FloatArray:
            return np.bincount(tier, weights=values, minlength=tiers).astype(np.float64)

        adoption, satisfaction, executive = table.states[:, there]
        at_risk = health(table.states[:, there], phase.states) < phase.states.at_risk_below
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
            total(at_risk.astype(float)),
        )
