"""What one replication of a queue comes to: totals over the window, of which figures are ratios.

In: a `History` and its inputs. Out: totals by name, for all contacts and for each category. Imports numpy only, as
workers do; the survival curve takes scipy when it is asked for.

A total counts everything at the instant at which it happens or is known, if that lies in the window: a service when it
starts and when it ends, an abandonment when the customer gives up, whether a contact waits when it comes; hours of
waiting and handling are cut at both ends of the window. Nothing has to be left out because its end is not known yet,
and in a steady state the expectation of every total is exactly a rate times the window's length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_parts import HOURS_PER_WEEK, BoolArray, FloatArray, Span, total, where
from sim.study.kpi_teams import waiting_until
from sim.study.kpis import window

Totals = dict[str, float]

DECIDED = (ledger.RENEWAL, ledger.MIDTERM)


def queue_totals(history: History, inputs: Inputs, target_hours: float) -> Totals:
    """The totals of one team's queue: of all contacts, and as `name:category` of each category if there are several.

    Parameters
    ----------
    inputs : of a scenario with one team, which is always there. target_hours : the wait that counts as short.
    """
    (team,) = inputs.phases[0].teams
    span = window(inputs)
    contacts = history.contacts
    totals = contact_totals(contacts, span, target_hours)
    totals |= _virtual_totals(contacts, span, target_hours, team.headcount)
    totals["hours"] = span.end - span.start
    totals["agent_hours"] = team.headcount * totals["hours"]
    if len(inputs.categories) > 1:
        for index, category in enumerate(inputs.categories):
            mine = where(contacts, contacts["category"] == index)
            totals |= {f"{name}:{category}": value for name, value in contact_totals(mine, span, target_hours).items()}
    return totals


def contact_totals(contacts: Table, span: Span, target_hours: float) -> Totals:
    """The totals of some contacts (rows of the ledger).

    offered : joined the queue, those included that found an agent at once or were turned away. waited : found no
    agent free, and a place to wait. blocked, abandoned, started, finished. started_in_time : waited at most the target.
    waiting_hours, busy_hours : spent by all contacts in the window. started_wait_hours : waits of those that started.
    """
    queued, started, ended, outcome = (contacts[name] for name in ("queued", "started", "ended", "outcome"))
    until, served = waiting_until(contacts), ~np.isnan(started)
    comes, starts, ends = span.holds(queued), span.holds(started), span.holds(ended)
    blocked = outcome == ledger.BLOCKED
    wait = np.where(starts, started - queued, 0.0)
    return {
        "offered": total(comes),
        "waited": total(comes & (until > queued) & ~blocked),
        "blocked": total(comes & blocked),
        "abandoned": total(ends & (outcome == ledger.ABANDONED)),
        "started": total(starts),
        "started_in_time": total(starts & (wait <= target_hours)),
        "started_wait_hours": total(wait),
        "finished": total(ends & served),
        "waiting_hours": _hours(queued, until, span),
        "busy_hours": _hours(started, np.where(np.isnan(ended), np.inf, ended), span),
    }


def _hours(begin: FloatArray, end: FloatArray, span: Span) -> float:
    """Hours between begin and end that lie in the window; nan at the begin: none."""
    inside = np.minimum(end, span.end) - np.maximum(begin, span.start)
    return total(np.clip(np.nan_to_num(inside, nan=0.0), 0.0, None))


def _virtual_totals(contacts: Table, span: Span, target_hours: float, agents: int) -> Totals:
    """Contacts that found a line, and those of them whose virtual wait is at most the target.

    Counted are those that come long enough before the window's end for that to be known.
    """
    found_line = ~np.isnan(contacts["queued"]) & (contacts["outcome"] != ledger.BLOCKED)
    asked = where(contacts, found_line)
    counted = span.holds(asked["queued"]) & (asked["queued"] < span.end - target_hours)
    waits = virtual_waits(asked["queued"], asked["started"], asked["ended"], agents)
    return {"virtual": total(counted), "virtual_in_time": total(counted & (waits <= target_hours))}


def virtual_waits(queued: FloatArray, started: FloatArray, ended: FloatArray, agents: int) -> FloatArray:
    """How long each contact waits, or would have waited had it not given up, in hours; inf if that is not known.

    Parameters
    ----------
    queued, started, ended : (contacts,), first come first served; nan for what did not happen. agents : always there.

    Notes
    -----
    Who gave up would have been served as soon as an agent is free and nobody who came earlier waits: when the next
    later contact starts, or when an agent becomes idle, whichever comes first.
    """
    order = np.argsort(queued, kind="stable")
    start_in_order = started[order]
    known = np.where(np.isnan(start_in_order), np.inf, start_in_order)
    later = np.append(np.minimum.accumulate(known[::-1])[::-1][1:], np.inf)
    starts = np.sort(started[~np.isnan(started)])
    ends = np.sort(ended[~np.isnan(started) & ~np.isnan(ended)])
    busy_after = np.searchsorted(starts, ends, side="right") - np.searchsorted(ends, ends, side="right")
    idle_from = np.append(ends[busy_after < agents], np.inf)
    idle = idle_from[np.searchsorted(idle_from, queued[order], side="right")]
    turn = np.where(np.isnan(start_in_order), np.minimum(later, idle), start_in_order)
    waits = np.empty(len(queued))
    waits[order] = turn - queued[order]
    return waits


def survival_totals(history: History, inputs: Inputs, ages_weeks: Sequence[int]) -> Totals:
    """Share of the accounts won in the run that are still there at each age, by Kaplan and Meier's estimate.

    For each of the ages `there:<age>_weeks`, and `accounts:<age>_weeks`, which is 1.
    """
    from scipy.stats import CensoredData, ecdf

    age, left = observed_ages(history, window(inputs).end)
    curve = ecdf(CensoredData(uncensored=age[left], right=age[~left])).sf
    totals = {f"there:{weeks}_weeks": float(curve.evaluate(weeks * HOURS_PER_WEEK)) for weeks in ages_weeks}
    return totals | {f"accounts:{weeks}_weeks": 1.0 for weeks in ages_weeks}


def observed_ages(history: History, end: float) -> tuple[FloatArray, BoolArray]:
    """For each account won in the run: its age in hours when it left or at the end, and whether it left."""
    events = history.account_events
    won = events["event"] == ledger.WON
    gone = np.isin(events["event"], DECIDED) & events["left"]
    begin = np.full(len(history.accounts["id"]), np.nan)
    finish = np.full(len(begin), np.inf)
    begin[events["account"][won]] = events["time"][won]
    finish[events["account"][gone]] = events["time"][gone]
    here = ~np.isnan(begin)
    return np.minimum(finish, end)[here] - begin[here], np.isfinite(finish[here])
