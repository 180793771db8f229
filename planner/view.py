"""A comparison as the page draws it: plain mappings, what the indicators mean, and figures that are made once.

In: an `Answer`. Out: its `View`, kept while the page is drawn again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from planner import charts
from planner.runs import Answer
from sim.study.kpis import Kpi

VIEWS_KEPT = 20


class View:
    """A comparison as plain mappings, with what its indicators mean."""

    def __init__(self, answer: Answer) -> None:
        self._figures: dict[str, go.Figure] = {}
        self.answer = answer
        self.comparison = answer.comparison
        self.kpis: Mapping[str, Kpi] = answer.comparison.registry

    @cached_property
    def result(self) -> Mapping[str, Any]:
        """The comparison as in its JSON."""
        return self.comparison.to_dict()

    @property
    def before(self) -> Mapping[str, Any]:
        return self.result["scenarios"][0]

    @property
    def after(self) -> Mapping[str, Any]:
        return self.result["scenarios"][1]

    @property
    def differences(self) -> Mapping[str, Mapping[str, Any]]:
        return self.result["differences"][0]["kpis"]

    @property
    def teams(self) -> tuple[str, ...]:
        return self.comparison.series.team_names

    @property
    def tiers(self) -> tuple[str, ...]:
        return self.comparison.series.tier_names

    @property
    def names(self) -> tuple[str, str]:
        """Names of the two scenarios in the series and cost tables."""
        return self.comparison.series.scenarios[0], self.comparison.series.scenarios[1]

    @property
    def weeks(self) -> int:
        """Weeks that the KPIs cover."""
        before = self.answer.chosen.before
        return before.window.to_week - before.window.from_week if before.window else before.weeks

    def chart(self, key: str, make: Callable[[], go.Figure]) -> None:
        """Draws a chart, made once: a figure takes longer to make than the rest of the page."""
        if key not in self._figures:
            self._figures[key] = make()
        st.plotly_chart(self._figures[key], key=key, config=charts.CONFIG)

    def dot(self, name: str, label: str) -> charts.Dot | None:
        """A KPI's difference as a row of a dot plot."""
        return charts.dot(self.kpis[name], label, self.differences[name]) if name in self.differences else None


@lru_cache(maxsize=VIEWS_KEPT)
def view_of(answer: Answer) -> View:
    """The view of an answer, kept while the page is drawn again and again."""
    return View(answer)
