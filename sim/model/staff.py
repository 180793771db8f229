"""People: agents, and the rules for strain, fatigue, burnout, absence, quits and ramp.

In: what each agent did in a day, and the rules. Out: their new condition. The rules are pure functions of
arrays with one element per agent; `Agent` is what the contact centre knows about one person.
"""

from __future__ import annotations

from math import inf

import numpy as np

from sim.model.inputs import BoolArray, FloatArray, PeopleRules, RecoveryRules
from sim.model.luck import number_key
from sim.model.queue import Contact, Queue

OFF, IDLE, BUSY, AWAY = range(4)
PRESENT, ABSENT, PAID_OFF = range(3)  # on a working day; paid off: on leave, or a day on which all are off


class Agent:
    """One seat of a team and the person in it. A seat may be vacant (not employed) or closed (not wanted)."""

    __slots__ = (
        "absent_days", "absent_hours", "attendance", "away_counted", "away_hours", "away_pending", "away_since",
        "break_due_hours", "burnout", "closed", "contact", "contracted_hours", "counted_until", "day_after_hours",
        "day_duty_hours", "day_end", "day_overdue", "day_reactive_hours", "day_reactive_starts", "day_week_share",
        "desk_since", "duty_hours", "duty_since", "employed", "ended_day", "event", "fatigue", "handle_factor",
        "handling_hours", "hired_at", "hiring_cost", "hours_share", "in_training", "key", "last_category",
        "leave_weeks", "meeting_until", "needs_book", "occupant", "on_duty", "on_duty_hours",
        "overtime_backlog_hours", "overtime_cost", "overtime_hours", "paid_until", "paused", "payroll_cost",
        "planned_hours", "planned_share", "present", "queue", "queues", "reactive_hours", "recovering",
        "resolution_factor", "seat", "shift_end", "side_by_side", "skills", "stale_ends", "state", "team",
        "training_weeks_left", "unpaid_overtime_hours", "vacated_at", "worked_today",
    )  # fmt: skip

    def __init__(self, team: int, seat: int, hired_at: float, team_key: int, queue: Queue) -> None:
        self.team = team
        self.seat = seat
        self.occupant = 0
        self.key = person_key(team_key, seat, 0)
        self.employed = True
        self.closed = False
        self.vacated_at = 0.0
        self.hired_at = hired_at
        self.queue = queue
        self.queues: tuple[Queue, ...] = (queue,)  # all from which it takes contacts, its own first
        self.skills: frozenset[str] = frozenset()
        self.last_category = -1
        self.state = OFF
        self.on_duty = False
        self.present = False
        self.absent_days: frozenset[int] = frozenset()
        self.leave_weeks: frozenset[int] = frozenset()
        self.in_training = False
        self.training_weeks_left = 0.0
        self.needs_book = False  # nobody has ever had this seat: its accounts come with the first person
        self.recovering = False
        self.hours_share = 1.0  # of the shift, that the person works today
        self.shift_end = 0.0
        self.day_end = -inf  # of the working day that began last, whether the person came or not
        self.paid_until = -inf
        self.attendance = PRESENT  # on that day
        self.planned_share = 0.0  # of its hours
        self.duty_since = 0.0  # on duty since then, or since that was last counted
        self.duty_hours = 0.0  # on duty before, with the time away; not counted yet
        self.away_hours = 0.0  # of them
        self.away_pending = False  # a break or a meeting has to wait until the contact in hand is over
        self.break_due_hours = 0.0
        self.meeting_until = -inf
        self.away_since = 0.0
        self.away_counted = 0.0
        self.desk_since = 0.0  # at the desk since then, if on duty and not away
        self.contact: Contact | None = None
        self.side_by_side: list[Contact] = []  # contacts in hand of a channel that allows several
        self.paused: Contact | None = None  # put down at the end of the last shift
        self.stale_ends = 0  # ends of services still on the agenda that were put down
        self.unpaid_overtime_hours = 0.0
        self.ended_day: tuple[float, ...] = ()  # a day that is over, until midnight
        self.counted_until = 0.0
        self.fatigue = 0.0
        self.burnout = 0.0
        self.handle_factor = 1.0
        self.resolution_factor = 1.0
        self.start_week()
        self.start_day()

    def start_week(self) -> None:
        """Zeroes what is counted by week."""
        self.contracted_hours = self.planned_hours = self.absent_hours = self.on_duty_hours = 0.0
        self.handling_hours = self.reactive_hours = self.overtime_hours = self.overtime_backlog_hours = 0.0
        self.payroll_cost = self.overtime_cost = self.hiring_cost = 0.0
        self.event = 0

    def start_day(self) -> None:
        """Zeroes what is counted by day."""
        self.day_after_hours = self.day_reactive_hours = self.day_duty_hours = 0.0
        self.day_overdue = self.day_reactive_starts = 0
        self.day_week_share = 0.0  # what part of a working week the day is
        self.worked_today = False


def go_home(agent: Agent) -> None:
    """The agent is off duty from now on."""
    agent.state = OFF
    agent.on_duty = False


def count_duty(agent: Agent, now: float) -> None:
    """Counts the hours on duty since they were last counted, without those away."""
    if agent.on_duty:
        agent.duty_hours += now - agent.duty_since
        agent.duty_since = now
        if agent.state == AWAY:
            agent.away_hours += now - agent.away_counted
            agent.away_counted = now
    hours = max(0.0, agent.duty_hours - agent.away_hours)
    agent.day_duty_hours += hours
    agent.on_duty_hours += hours
    agent.duty_hours = agent.away_hours = 0.0


def person_key(team_key: int, seat: int, occupant: int) -> int:
    """Key of a person's luck, by team, seat and which occupant of the seat."""
    return number_key(team_key, seat, occupant)


def strain(
    after_hours: FloatArray,
    duty_hours: FloatArray,
    reactive_hours: FloatArray,
    overdue: FloatArray,
    reactive_starts: FloatArray,
    rules: PeopleRules,
) -> FloatArray:
    """A day's strain per agent, from 0 to 1.

    after_hours : hours worked after the shift's end; duty_hours : hours on duty inside it;
    reactive_hours : hours on customers' and triggered contacts; overdue of reactive_starts : such contacts
    begun after they were due. Planned work inside contracted hours is no strain: freed time fills with it at
    once, and relief would never show.
    """
    after_share = after_hours / np.maximum(duty_hours + after_hours, _NO_HOURS)
    occupancy = reactive_hours / np.maximum(duty_hours, _NO_HOURS)
    overdue_share = overdue / np.maximum(reactive_starts, 1.0)
    above_floor = (occupancy - rules.occupancy_floor) / (1 - rules.occupancy_floor)
    return np.minimum(
        rules.after_hours_weight * after_share / rules.after_hours_reference
        + rules.occupancy_weight * np.minimum(np.maximum(above_floor, 0.0), 1.0)
        + rules.overdue_weight * overdue_share,
        1.0,
    )


_NO_HOURS = 1e-9  # keeps a day without hours at a share of 0


def next_condition(
    fatigue: FloatArray, burnout: FloatArray, strain_today: FloatArray, weeks: FloatArray, rules: PeopleRules
) -> tuple[FloatArray, FloatArray]:
    """Fatigue and burnout after `weeks` of this strain: each approaches what drives it at its own pace.

    Burnout rises with one time constant and falls with a longer one; both stay in [0, 1].
    """
    fatigue = fatigue + (strain_today - fatigue) * -np.expm1(-weeks / rules.fatigue_weeks)
    gap = fatigue - burnout
    pace = np.where(gap > 0, rules.burnout_up_weeks, rules.burnout_down_weeks)
    return fatigue, burnout + gap * -np.expm1(-weeks / pace)


def quits(u: FloatArray, rate_per_week: FloatArray, burnout: FloatArray, rules: PeopleRules) -> BoolArray:
    """Who gives notice this week: P = 1 - exp(-rate x (1 + (factor - 1) x burnout))."""
    return u < -np.expm1(-rate_per_week * (1 + (rules.quit_factor - 1) * burnout))


def absence_probability(per_day: FloatArray, burnout: FloatArray, rules: PeopleRules) -> FloatArray:
    """Chance to be away on a working day, at most 1."""
    return np.minimum(1.0, per_day * (1 + (rules.absence_factor - 1) * burnout))


def trains(agent: Agent, week_share: float) -> bool:
    """Whether a person spends today in training; the day is taken off what is left of it.

    week_share : what part of a working week the day is. Of a part of a day the nearer end counts.
    """
    agent.in_training = agent.training_weeks_left > week_share / 2
    agent.training_weeks_left = max(0.0, agent.training_weeks_left - week_share)
    return agent.in_training


def share_of_shift(agent: Agent, rules: RecoveryRules | None) -> float:
    """The share of today's shift that a person works: all of it, unless burnout has called for recovery.

    Recovery begins above one burnout and lasts until it has fallen below another.
    """
    if rules is None:
        agent.recovering = False
    elif agent.recovering:
        agent.recovering = agent.burnout >= rules.until_below
    else:
        agent.recovering = agent.burnout > rules.burnout_above
    return rules.hours_share if rules is not None and agent.recovering else 1.0


def ramp_speed(time: float, hired_at: float, ramp_hours: float, start_speed: float) -> float:
    """Speed of a person since being hired: linear from the start speed to 1 over the ramp."""
    if ramp_hours <= 0 or time - hired_at >= ramp_hours:
        return 1.0
    return start_speed + (1 - start_speed) * (time - hired_at) / ramp_hours


def work_factors(burnout: float, speed: float, rules: PeopleRules) -> tuple[float, float]:
    """Factor on handle times, and on resolution probabilities, of a person in this condition.

    Newcomers are slower; burnout makes slower and cuts corners, which comes back as repeats.
    """
    slower = 1 + rules.slower_at_full_burnout * burnout
    return slower / speed, 1 - rules.unresolved_at_full_burnout * burnout
