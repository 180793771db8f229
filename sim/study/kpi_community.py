"""KPIs of the community: what it settles, what it asks of the company, who writes there.

In: a `History` and the window. Out: KPI values by name; all None where no channel is a community.
"""

from __future__ import annotations

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History
from sim.study.kpi_parts import BoolArray, KpiValues, Span, ratio, total, where

NAMES = ("community_settled_share", "community_moderated_share", "maven_share", "detractor_share", "articles_written")


def community_kpis(history: History, inputs: Inputs, span: Span) -> KpiValues:
    """All KPIs of the community."""
    channels = {phase.community.channel for phase in inputs.phases if phase.community is not None}
    if not channels:
        return dict.fromkeys(NAMES)
    contacts, outcome = history.contacts, history.contacts["outcome"]
    alone = np.isin(outcome, (ledger.DEFLECTED, ledger.BOUNCED)) & np.isin(contacts["channel"], list(channels))
    threads = alone & span.holds(contacts["born"])
    weeks = where(history.tier_weeks, span.holds_week(history.tier_weeks["week"]))

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
