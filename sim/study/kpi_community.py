"""KPIs of the community: what it settles, what it asks of the company, who writes there.

In: a `History` and the window. Out: KPI values by name; all None where no channel is a community.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_parts import HOURS_PER_WEEK, BoolArray, IntArray, KpiValues, Span, ratio, total, where

NAMES = ("community_settled_share", "community_moderated_share", "maven_share", "detractor_share", "articles_written")


def community_kpis(history: History, inputs: Inputs, span: Span) -> KpiValues:
    """All KPIs of the community."""
    if all(phase.community is None for phase in inputs.phases):
        return dict.fromkeys(NAMES)
    contacts, outcome = history.contacts, history.contacts["outcome"]
    alone = np.isin(outcome, (ledger.DEFLECTED, ledger.BOUNCED)) & span.holds(contacts["born"])
    threads = alone & (_forum_at(contacts["born"], inputs) == contacts["channel"])
    week = history.tier_weeks["week"]
    there = _forum_at((week + 1) * HOURS_PER_WEEK - 1, inputs) >= 0
    weeks = where(history.tier_weeks, span.holds_week(week) & there)

    def ended(category: str, *outcomes: int) -> BoolArray:
        of_it = np.isin(inputs.categories, (category,))[contacts["category"]]
        return np.asarray(of_it & np.isin(outcome, outcomes) & span.holds(contacts["ended"]))

    moderated = ended("moderation", ledger.RESOLVED, ledger.UNRESOLVED, ledger.EXPIRED)
    return {
        "community_settled_share": ratio(total(threads & (outcome == ledger.DEFLECTED)), total(threads)),
        "community_moderated_share": ratio(total(moderated & (outcome == ledger.RESOLVED)), total(moderated)),
        "maven_share": ratio(total(weeks["mavens"]), total(weeks["accounts"])),
        "detractor_share": ratio(total(weeks["detractors"]), total(weeks["accounts"])),
        "articles_written": total(ended("article", ledger.RESOLVED)),
    }


def _forum_at(hours: NDArray[np.floating], inputs: Inputs) -> IntArray:
    """The channel that is a community at each of these times, -1: none."""
    starts = np.array([phase.start_hour for phase in inputs.phases])
    channel = np.array([-1 if phase.community is None else phase.community.channel for phase in inputs.phases])
    return np.asarray(channel[np.maximum(0, np.searchsorted(starts, hours, side="right") - 1)])
