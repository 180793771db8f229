"""KPIs of the teams: load, waits, quality, overtime, burnout; and how much planned work gets done.

In: a `History` and the window. Out: KPI values by name, `<team>.<kpi>` for those of a team.

Populations. `offered` counts customers' contacts that joined the team's queue in the window (after a warm
transfer they count in both teams). Waits, service level and abandonment cover customers' contacts *born* in
the window, wherever they ended up in time, with the wait so far of those still open. Backlog counts whatever
waits, planned work too. Hours and burnout cover the people employed.
"""

from __future__ import annotations

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_parts import BoolArray, FloatArray, KpiValues, Span, ratio, total, where

NEVER_ASKED = (ledger.BLOCKED, ledger.NOT_RAISED, ledger.DEFLECTED, ledger.BOUNCED)
FINISHED = (ledger.RESOLVED, ledger.UNRESOLVED, ledger.ESCALATED)
WEEKS_PER_YEAR = 365.25 / 7


def team_kpis(history: History, inputs: Inputs, span: Span) -> KpiValues:
    """All KPIs of all teams, the share of planned work that was done, and what self-service settles."""
    contacts = history.contacts
    customer = initiated(inputs, "customer")[contacts["category"]]
    people = where(history.people_weeks, span.holds_week(history.people_weeks["week"]))
    support_call = np.asarray(inputs.support_call, dtype=np.bool_)
    values: KpiValues = {}
    for index, team in enumerate(inputs.teams):
        mine = contacts["team"] == index
        figures = (
            _waits(where(contacts, mine & customer), span)
            | _work(where(contacts, mine), span, support_call)
            | _people(where(people, people["team"] == index), inputs.burnout_high_above)
        )
        values |= {f"{team}.{name}": value for name, value in figures.items()}
    values["proactive_completed_share"] = planned_work_done(contacts, inputs, span)
    tried = span.holds(contacts["born"]) & np.isin(contacts["outcome"], (ledger.DEFLECTED, ledger.BOUNCED))
    values["self_service_share"] = ratio(total(tried & (contacts["outcome"] == ledger.DEFLECTED)), total(tried))
    return values


def initiated(inputs: Inputs, who: str) -> BoolArray:
    """(categories,) true for the categories that `who` (customer, company or trigger) starts."""
    return np.array([starter == who for starter in inputs.initiated_by], dtype=np.bool_)


def prevention(inputs: Inputs) -> BoolArray:
    """(categories,) true for what is done before anybody says to leave: planned work and action plans."""
    return initiated(inputs, "company") | np.isin(inputs.categories, ("action_plan",))


def firefighting(inputs: Inputs) -> BoolArray:
    """(categories,) true for what is done about a departure announced or a sponsor lost."""
    return np.isin(inputs.categories, ("firefight", "sponsor_reengagement"))


def waiting_until(contacts: Table) -> FloatArray:
    """(contacts,) hour at which each stopped waiting: started or ended unserved; inf if it waits on."""
    until = np.where(np.isnan(contacts["started"]), contacts["ended"], contacts["started"])
    return np.asarray(np.where(np.isnan(until), np.inf, until))


def _waits(contacts: Table, span: Span) -> KpiValues:
    """Offered, waits, service level, abandonment and first-contact resolution of one team's customers."""
    queued = ~np.isnan(contacts["queued"]) & ~np.isin(contacts["outcome"], NEVER_ASKED)
    asked = where(contacts, queued & span.holds(contacts["born"]))
    blocked = total((contacts["outcome"] == ledger.BLOCKED) & span.holds(contacts["born"]))
    started = ~np.isnan(asked["started"])
    undecided = (asked["outcome"] == ledger.OPEN) & ~started & (asked["due"] >= span.end)
    count = len(asked["born"])
    first = (asked["attempt"] == 0) & np.isin(asked["outcome"], FINISHED)
    return {
        "offered": total(queued & span.holds(contacts["queued"])),
        "wait_mean_minutes": ratio(total(asked["wait_minutes"]), count),
        "wait_probability": ratio(total(asked["wait_minutes"] > 0), count),
        "service_level": ratio(total(started & (asked["started"] <= asked["due"])), count - int(undecided.sum())),
        "abandonment": ratio(total(asked["outcome"] == ledger.ABANDONED), count),
        "blocked_share": ratio(blocked, blocked + count),
        "fcr": ratio(total(first & (asked["outcome"] == ledger.RESOLVED)), total(first)),
    }


def _work(contacts: Table, span: Span, support_call: BoolArray) -> KpiValues:
    """Mean backlog, and the share of support calls among what one team finished."""
    waited = np.minimum(waiting_until(contacts), span.end) - np.maximum(contacts["queued"], span.start)
    finished = np.isin(contacts["outcome"], FINISHED) & span.holds(contacts["ended"])
    calls = support_call[contacts["category"]]
    return {
        "backlog_mean": ratio(total(np.clip(np.nan_to_num(waited), 0, None)), span.end - span.start),
        "support_share": ratio(total(finished & calls), total(finished)),
    }


def _people(weeks: Table, burnout_high_above: float) -> KpiValues:
    """Hours, burnout and quits of one team's people over the window.

    Utilisation is handling hours, overtime included, over the contracted hours net of planned time away (shrinkage,
    meetings, leave, days off); absences are not planned and take nothing off.
    """
    quits = total(weeks["event"] == ledger.QUIT)
    weeks = where(weeks, weeks["employed"])
    handling, overtime = total(weeks["handling_hours"]), total(weeks["overtime_hours"])
    backlog = total(weeks["overtime_backlog_hours"])
    count = len(weeks["week"])
    return {
        "occupancy": ratio(handling - overtime, total(weeks["on_duty_hours"])),
        "utilisation": ratio(handling, total(weeks["planned_hours"])),
        "overtime_hours": overtime,
        "overtime_finishing_hours": overtime - backlog,
        "overtime_backlog_hours": backlog,
        "burnout_mean": ratio(total(weeks["burnout"]), count),
        "burnout_high_share": ratio(total(weeks["burnout"] > burnout_high_above), count),
        "quits_per_year": ratio(quits, count / WEEKS_PER_YEAR),
    }


def planned_work_done(contacts: Table, inputs: Inputs, span: Span) -> float | None:
    """Share of the company's planned contacts born in the window that were resolved."""
    counted = decided_plans(contacts, inputs) & span.holds(contacts["born"])
    return ratio(total(counted & (contacts["outcome"] == ledger.RESOLVED)), total(counted))


def decided_plans(contacts: Table, inputs: Inputs) -> BoolArray:
    """(contacts,) the company's planned contacts that were done or not.

    Work still open has no verdict yet, and withdrawn work (its account left) was not failed: neither counts.
    """
    uncounted = (ledger.OPEN, ledger.WITHDRAWN, ledger.NOT_RAISED, ledger.ESCALATED)
    planned = initiated(inputs, "company")[contacts["category"]]
    return np.asarray(planned & ~np.isin(contacts["outcome"], uncounted))
