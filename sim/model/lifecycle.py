"""The accounts' side of a tick: states, intent, notices, decisions, win-backs.

In: the ledger rows since the last tick, the contacts still open, the phase's rules and keyed luck. Out: a changed
account table, rows for account_events and tier_weeks, and the work that the week gives rise to (triggers).
"""

from __future__ import annotations

import numpy as np

from sim.model import departures
from sim.model.account_rows import AccountRows
from sim.model.account_rules import ShockRules, StateRules
from sim.model.accounts import (
    ADOPTION,
    CHECK_WEEKS,
    EXECUTIVE,
    ONBOARDED,
    ONBOARDING_FAILED,
    SATISFACTION,
    AccountTable,
    apply_in_order,
    contact_effects,
    drift,
    sponsor_leaves,
)
from sim.model.community import Forum, numbered, readers_satisfaction, voices
from sim.model.health import health, plans_due, seen, signals
from sim.model.inputs import HOURS_PER_MONTH, HOURS_PER_WEEK, BoolArray, FloatArray, Inputs, IntArray, KeyArray, Phase
from sim.model.ledger import (
    ANNOUNCED,
    BOUNCED,
    DEFLECTED,
    ILL_TIMED,
    MIDTERM,
    ONBOARDING_DONE,
    ONBOARDING_MISSED,
    OWNER_CHANGED,
    PLAN_OPENED,
    RENEWAL,
    RESOLVED,
    SPONSOR_ENGAGED,
    SPONSOR_LOST,
    UPGRADED,
    WON,
    WON_BACK,
    Ledger,
    Table,
)
from sim.model.luck import Luck, counts, key_of, name_key, normal_quantile
from sim.model.newcomers import plan_new_accounts
from sim.model.tick import Tick, Trigger

_SETTLEMENT = ("save", "renew", "change", "size")
_COMPANY = np.array([name_key("company")], dtype=np.uint64)


class Lifecycle:
    """The accounts of one replication of one scenario."""

    def __init__(self, inputs: Inputs, table: AccountTable, forum: Forum, luck: Luck, ledger: Ledger) -> None:
        self.inputs = inputs
        self.table = table
        self.forum = forum
        self.luck = luck
        self.rows = AccountRows(table, ledger)
        self._shocks: dict[str, tuple[Phase, int, BoolArray]] = {}
        self._outages: tuple[int, Phase | None, IntArray] = -1, None, np.zeros(0, dtype=np.int64)  # asked for last

    def plan_new_accounts(self) -> None:
        """Draws all new accounts of the run."""
        plan_new_accounts(self.table, self.inputs, self.luck)

    def owners_changed(self, now: float, rows: IntArray) -> None:
        """Records the accounts whose owner changed."""
        self.rows.record(OWNER_CHANGED, now, rows)

    def record_week(self, week: int, phase: Phase) -> None:
        """A row per tier at the end of a week."""
        self.rows.record_week(week, phase, self.outages(week, phase))

    # --- states and intent --------------------------------------------------------------------------------

    def join(self, week: int) -> bool:
        """Accounts that start since the last tick are there now; in the run these are new customers won."""
        now = week * HOURS_PER_WEEK
        started = self.table.started
        rows = ((started > now - HOURS_PER_WEEK) & (started <= now) & ~self.table.active).nonzero()[0]
        rows = rows[self.table.term_number[rows] == 0]
        self.table.active[rows] = True
        self.rows.record(WON, now, rows[self.table.opening_arr_cents[rows] == 0])
        return len(rows) > 0

    def time_passes(self, tick: Tick, phase: Phase, rows: Table, overdue: IntArray) -> list[Trigger]:
        """States after a tick, in this order.

        1. States of the accounts that are there drift for half the time: contacts came in its middle, on average.
        2. Finished contacts take effect; firefights, re-engagements, onboardings and win-backs are noted.
        3. Each contact still open past its target costs satisfaction; so do outages, and adoption too. The other half
           of the drift follows; sponsors leave; without one executive contact has a ceiling.
        4. Onboardings are judged; what the company sees of each account's health follows; action plans begin.
        5. Who asked in the community reads complaints there; its threads are to be moderated, articles to be written.
        6. Each driver's intent grows by its hazard.

        overdue : (accounts,), contacts open past their target.
        """
        table, rules = self.table, phase.states
        account, done = rows["account"].astype(np.int64), rows["outcome"] == RESOLVED
        self._drift(rules, tick.weeks / 2)
        self._note(tick, phase, account[done], rows["category"][done])
        harmed = self._harmed(tick, phase, rows, account, done, overdue)
        loss = phase.ill_timed.loss if phase.ill_timed else 0.0
        by_owner = rows["seat"] == table.owner[rows["team"], account]
        slope, offset = contact_effects(
            rows, rules, phase.categories, phase.channels, phase.warmth, phase.gain_factors, by_owner, harmed, loss
        )
        apply_in_order(table.states, account, rows["ended"], slope, offset)
        late = overdue.nonzero()[0]
        if len(late):
            table.states[SATISFACTION, late] *= (1 - rules.waiting_loss_per_week) ** (overdue[late] * tick.weeks)
        if phase.outages is not None and tick.ends_week and (down := self.outages(tick.week, phase)).any():
            down = down[table.tier] * table.active
            table.states[ADOPTION] *= (1 - phase.outages.adoption_loss) ** down
            table.states[SATISFACTION] *= (1 - phase.outages.satisfaction_loss) ** down
        self._drift(rules, tick.weeks / 2)

        triggers = self._sponsors_leave(tick, phase)
        self._judge_onboarding(tick, phase)
        triggers += self._plan_action(tick, phase)
        triggers += self._visit_forum(tick, phase, rows)
        if phase.switches.churn:
            table.intent += self._hazards(tick.week, phase) * (table.active * tick.weeks)
        return triggers

    def _drift(self, rules: StateRules, weeks: float) -> None:
        np.copyto(self.table.states, drift(self.table.states, rules, weeks), where=self.table.active)

    def _note(self, tick: Tick, phase: Phase, account: IntArray, category: IntArray) -> None:
        """Counts what was done of the work that later decisions ask for; a reached sponsor is there again."""
        table, positions = self.table, phase.categories
        for position, counter in (
            (positions.firefight, table.firefights_done),
            (positions.onboarding, table.onboarding_done),
            (positions.winback, table.winbacks_done),
        ):
            done = account[category == position] if position >= 0 else account[:0]
            if len(done):
                np.add.at(counter, done, 1)
        reached = account[category == positions.sponsor_reengagement]
        if len(reached):
            engaged = np.unique(reached[table.sponsor_lost[reached] & table.active[reached]])
            table.sponsor_lost[engaged] = False
            self.rows.record(SPONSOR_ENGAGED, tick.hour, engaged)

    def _harmed(
        self, tick: Tick, phase: Phase, rows: Table, account: IntArray, done: BoolArray, overdue: IntArray
    ) -> BoolArray | None:
        """Planned contacts that did harm: the customer still waits for an answer, and luck was against them."""
        if phase.ill_timed is None:
            return None
        harmed = done & phase.categories.company[rows["category"]] & (overdue[account] > 0)
        if not harmed.any():
            return None
        u = self.luck.uniform("ill-timed", rows["contact"][harmed])
        harmed[harmed] = u < phase.ill_timed.probability
        self.rows.record(ILL_TIMED, tick.hour, account[harmed])
        return harmed

    def outages(self, week: int, phase: Phase) -> IntArray:
        """(tiers,), outages in a week: the same for all accounts of the tiers that they hit."""
        if phase.outages is None:
            return np.zeros(len(phase.tiers), dtype=np.int64)
        known_week, known_phase, number = self._outages
        if week != known_week or phase is not known_phase:
            u = self.luck.uniform("outages", _COMPANY, week)
            number = counts(u, np.array([phase.outages.per_week]), 1.0) * phase.outages.tiers
            self._outages = week, phase, number
        return number

    def _sponsors_leave(self, tick: Tick, phase: Phase) -> list[Trigger]:
        table, rules = self.table, phase.states
        triggers = []
        if phase.switches.sponsor_loss:
            u = self.luck.uniform("sponsor leaves", table.key, tick.number)
            lost = (sponsor_leaves(u, rules, tick.weeks) & table.active & ~table.sponsor_lost).nonzero()[0]
            table.states[EXECUTIVE, lost] *= rules.kept_after_sponsor_loss
            table.sponsor_lost[lost] = True
            self.rows.record(SPONSOR_LOST, tick.hour, lost)
            if phase.switches.sponsor_reengagement and phase.categories.sponsor_reengagement >= 0:
                triggers.append(Trigger(phase.categories.sponsor_reengagement, lost, 0, np.full(len(lost), np.inf)))
        executive = table.states[EXECUTIVE]
        np.minimum(executive, rules.ceiling_while_lost, out=executive, where=table.sponsor_lost)
        return triggers

    def _judge_onboarding(self, tick: Tick, phase: Phase) -> None:
        """Onboardings that are old enough have failed or not; a failed one is made good once the account uses it."""
        table, rules = self.table, phase.onboarding
        if rules is None:
            return
        open_ones = ((table.onboarding != ONBOARDED) & table.active).nonzero()[0]
        failed_before = table.onboarding[open_ones] == ONBOARDING_FAILED
        made_good = open_ones[failed_before & (table.states[ADOPTION, open_ones] > rules.made_good_above)]
        old = tick.hour - table.started[open_ones] >= rules.weeks * HOURS_PER_WEEK
        rows = open_ones[old & ~failed_before]
        due = table.onboarding_due[rows]
        failed = (due == 0) | (table.onboarding_done[rows] < rules.done_share * due)
        table.onboarding[rows] = np.where(failed, ONBOARDING_FAILED, ONBOARDED)
        table.onboarding[made_good] = ONBOARDED
        self.rows.record(ONBOARDING_MISSED, tick.hour, rows[failed])
        self.rows.record(ONBOARDING_DONE, tick.hour, np.concatenate([rows[~failed], made_good]))

    def _plan_action(self, tick: Tick, phase: Phase) -> list[Trigger]:
        """The company sees each account's health, late; who looks at risk gets an action plan from its owner."""
        table, rules = self.table, phase.health
        score = health(table.states, rules)
        if rules.signal_noise > 0:
            score = signals(score, normal_quantile(self.luck.uniform("health signals", table.key, tick.week)), rules)
        table.seen_health = seen(table.seen_health, score, rules, tick.weeks)
        if not rules.plan_contacts or phase.categories.action_plan < 0:
            return []
        due = plans_due(table.seen_health, table.plan_week, tick.hour / HOURS_PER_WEEK, rules)
        rows = (due & table.active & ~table.announced).nonzero()[0]
        table.plan_week[rows] = tick.hour / HOURS_PER_WEEK
        self.rows.record(PLAN_OPENED, tick.hour, rows)
        never = np.full(len(rows), np.inf)
        return [Trigger(phase.categories.action_plan, rows, j, never) for j in range(rules.plan_contacts)]

    def _visit_forum(self, tick: Tick, phase: Phase, rows: Table) -> list[Trigger]:
        """What the tick's threads in the community do: to the forum, to those who asked, and to the company's work."""
        rules, table, positions = phase.community, self.table, phase.categories
        if rules is None:
            self.forum.close()
            return []
        asked, done = rows["channel"] == rules.channel, rows["outcome"] == RESOLVED
        settled = asked & (rows["outcome"] == DEFLECTED)
        asked = settled | asked & (rows["outcome"] == BOUNCED)
        threads = rows["account"][asked].astype(np.int64)
        mavens, detractors = voices(table.states, rules)
        self.forum.remember(
            rules,
            tick.weeks,
            threads=len(threads),
            moderated=int(np.count_nonzero(done & (rows["category"] == positions.moderation))),
            mavens=int(np.count_nonzero(mavens & table.active)),
            detractors=int(np.count_nonzero(detractors & table.active)),
            articles=int(np.count_nonzero(done & (rows["category"] == positions.article))),
        )
        table.states[SATISFACTION] *= readers_satisfaction(threads, len(table), self.forum, rules)
        answered = np.flatnonzero(settled)
        articles = rows["account"][answered[: self.forum.articles_due(rules, len(answered))]].astype(np.int64)
        return [
            Trigger(category, accounts, 7 * j + tick.number % 7, np.full(len(accounts), np.inf))
            for category, each in ((positions.moderation, threads), (positions.article, articles))
            for j, accounts in enumerate(numbered(each))
        ]

    def _hazards(self, week: int, phase: Phase) -> FloatArray:
        table, rules = self.table, phase.departures
        quarter = week // 13
        return departures.hazards(
            table.states,
            table.sponsor_lost,
            self._badly_onboarded(phase),
            self._shocked("downturn begins", quarter, phase, rules.downturn)[table.tier],
            self._shocked("campaign begins", quarter, phase, rules.moves)[table.tier],
            phase.departure_factor[table.tier],
            rules,
        )

    def _badly_onboarded(self, phase: Phase) -> FloatArray:
        """(accounts,), what a failed onboarding multiplies disengagement by."""
        factor = phase.onboarding.disengagement_factor if phase.onboarding else 1.0
        return np.where(self.table.onboarding == ONBOARDING_FAILED, factor, 1.0)

    def _shocked(self, what: str, quarter: int, phase: Phase, rules: ShockRules) -> BoolArray:
        """(tiers,), whether each is in a shock of this kind in a quarter."""
        known = self._shocks.get(what)
        if known is None or known[0] is not phase or known[1] != quarter:
            keys = np.array([tier.key for tier in phase.tiers], dtype=np.uint64)
            begins = np.array([self.luck.uniform(what, keys, quarter - q) for q in range(rules.quarters)])
            known = self._shocks[what] = phase, quarter, departures.shocked_tiers(begins, rules)
        return known[2]

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

    def give_notice(self, now: float, phase: Phase) -> list[Trigger]:
        """Accounts that reach their notice date say whether they plan to leave; firefighting starts for those."""
        table, rules = self.table, phase.departures
        if not phase.switches.churn:
            return []
        at_notice = table.active & ~table.notice_drawn & (table.term_months >= 12)
        rows = (at_notice & (table.renewal - rules.notice_hours <= now)).nonzero()[0]
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
        self.rows.record(ANNOUNCED, now, told, probability=rules.announce_share * p[says])
        if not phase.switches.firefighting or phase.categories.firefight < 0:
            return []
        return [
            Trigger(phase.categories.firefight, told, j, table.renewal[told]) for j in range(rules.firefight_contacts)
        ]

    def settle(self, tick: Tick, phase: Phase) -> IntArray:
        """Contracts that have ended are renewed or not; a quarter's mid-term leaving; returns who left."""
        if not phase.switches.churn:
            rows = (self.table.active & (self.table.renewal <= tick.hour)).nonzero()[0]
            before, when = self.table.arr_cents[rows], self.table.renewal[rows]
            _, _, u_change, u_size = self.luck.uniforms(_SETTLEMENT, self._term_keys(rows))
            self._renew(rows, u_change, u_size, phase)
            self._clear_term(rows)
            self.rows.record(RENEWAL, when, rows, before=before, after=self.table.arr_cents[rows])
            self._upgrade(rows, when, phase)
            return rows[:0]
        left = [self._settle_midterm(tick.week + 1, phase)] if tick.ends_week else []
        return np.concatenate([*left, self._settle_renewals(tick, phase)])

    def _settle_renewals(self, tick: Tick, phase: Phase) -> IntArray:
        table, rules = self.table, phase.departures
        rows = (table.active & (table.renewal <= tick.hour)).nonzero()[0]
        if not len(rows):
            return rows
        u_save, u_renew, u_change, u_size = self.luck.uniforms(_SETTLEMENT, self._term_keys(rows))
        intent = table.intent[:, rows]
        shares = departures.driver_shares(intent)
        before, announced, when = table.arr_cents[rows], table.announced[rows], table.renewal[rows]
        done = table.firefights_done[rows]
        save = departures.save_probability(shares, done, rules)
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
        self.rows.record(
            RENEWAL, when, rows, announced=announced, left=left, probability=probability, expected=expected,
            before=before, after=after, shares=shares,
            finished=departures.firefighting_finished(done, rules) * announced,
        )  # fmt: skip
        self._upgrade(rows[~left], when[~left], phase)
        table.left_week[rows[left]] = tick.week + 1
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
        rows = in_term.nonzero()[0]
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
        self.rows.record(
            MIDTERM, (week - 0.5) * HOURS_PER_WEEK, rows, announced=announced, left=left, probability=p,
            expected=p, before=before, after=np.where(left, 0, before), shares=shares,
        )  # fmt: skip
        table.left_week[rows[left]] = week
        return rows[left]

    def _renew(self, rows: IntArray, u_change: FloatArray, u_size: FloatArray, phase: Phase) -> None:
        table = self.table
        if phase.switches.expansion and len(rows):
            before, rules = table.arr_cents[rows], phase.departures
            after = departures.renewed_arr_cents(
                before, table.term_months[rows], table.states[ADOPTION, rows], u_change, u_size, rules
            )
            table.arr_cents[rows] = after
            table.seats[rows] = departures.renewed_seats(table.seats[rows], before, after, rules)
        table.renewal[rows] += table.term_months[rows] * HOURS_PER_MONTH

    def _upgrade(self, rows: IntArray, when: FloatArray, phase: Phase) -> None:
        """Accounts that have grown out of their tier join the one above."""
        table, before = self.table, self.table.tier[rows]
        for index, tier in enumerate(phase.tiers):
            if tier.upgrade_to >= 0:
                grown = (before == index) & (table.arr_cents[rows] > tier.upgrade_arr_cents)
                table.tier[rows[grown]] = tier.upgrade_to
                self.rows.record(UPGRADED, when[grown], rows[grown])

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

    # --- win-backs ----------------------------------------------------------------------------------------

    def chase(self, week: int, phase: Phase) -> list[Trigger]:
        """Work to win back the accounts that left so many weeks ago."""
        table, rules = self.table, phase.winback
        if rules is None or phase.categories.winback < 0:
            return []
        rows = (table.left_week == week - rules.after_weeks).nonzero()[0]
        never = np.full(len(rows), np.inf)
        return [Trigger(phase.categories.winback, rows, j, never, lost=True) for j in range(rules.contacts)]

    def return_lost(self, week: int, phase: Phase) -> bool:
        """Accounts whose time to be won back is over return or stay lost; returns whether any came.

        1. The chance is as large as the work that was done; one uniform per account and term decides.
        2. Who returns has a new term, part of its former ARR and seats, neutral users and a new sponsor.
        """
        table, rules = self.table, phase.winback
        if rules is None or phase.categories.winback < 0:
            return False
        window = np.ceil(phase.categories.window_hours[phase.categories.winback] / HOURS_PER_WEEK)
        over = (week - table.left_week >= rules.after_weeks + window).nonzero()[0]
        if not len(over):
            return False
        back = departures.won_back(
            table.winbacks_done[over], self.luck.uniform("won back", self._term_keys(over)), rules
        )
        table.left_week[over] = np.nan
        table.winbacks_done[over] = 0
        rows, now = over[back], week * HOURS_PER_WEEK
        table.active[rows] = True
        table.arr_cents[rows] = np.maximum(1, np.rint(table.arr_cents[rows] * rules.arr_share)).astype(np.int64)
        table.seats[rows] = np.maximum(1.0, table.seats[rows] * rules.arr_share)
        table.renewal[rows] = now + table.term_months[rows] * HOURS_PER_MONTH
        table.states[SATISFACTION, rows] = phase.states.satisfaction_neutral
        table.states[EXECUTIVE, rows] = phase.states.executive_start
        table.seen_health[rows] = health(table.states[:, rows], phase.health)
        table.sponsor_lost[rows] = False
        table.onboarding[rows] = ONBOARDED
        self.rows.record(WON_BACK, now, rows)
        return len(rows) > 0
