"""What a headcount must achieve: targets in the words of KPIs, and how sure it is that they are met.

In: texts such as 'support.service_level>=0.8', KPI values by replication. Out: `Target`s, and how each is met.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.scenario.errors import did_you_mean
from sim.study.errors import StudyInputError
from sim.study.kpis import Kpi
from sim.study.statistics import Estimate

Met = Literal["met", "missed", "open"]


@dataclass(frozen=True)
class Target:
    """A KPI that is to be at most, or at least, a value, in the KPI's unit.

    than : the name of another scenario, if the KPI's difference from it is meant.
    """

    kpi: str
    at_most: bool
    value: float
    than: str | None = None

    @property
    def text(self) -> str:
        """As it is written."""
        if self.than is not None:
            return f"{self.kpi} {'below' if self.at_most else 'above'} {self.than}'s"
        return f"{self.kpi}{'<=' if self.at_most else '>='}{self.value!r}".removesuffix(".0")

    def met(self, found: Estimate) -> Met:
        """Whether the mean meets it: surely by the 95 % interval, surely not, or open.

        Without an interval (fewer than two replications with a value) it is open.
        """
        if found.ci95 is None:
            return "open"
        low, high = found.ci95
        if self.at_most:
            return "met" if high <= self.value else "missed" if low > self.value else "open"
        return "met" if low >= self.value else "missed" if high < self.value else "open"

    def distance(self, mean: float | None) -> float:
        """By how much a mean misses it, as a share of the value (of 1 if that is 0); 0 if it is met."""
        if mean is None:
            return math.inf
        over = mean - self.value if self.at_most else self.value - mean
        return max(0.0, over) / (abs(self.value) or 1.0)


_FORM = re.compile(r"\s*([a-z][\w.]*)\s*(<=|>=|<|>|=)\s*(.+?)\s*")


def read_targets(texts: Sequence[str], kpis: Mapping[str, Kpi], pays: bool = False) -> list[Target]:
    """Targets from texts; raises StudyInputError with all that is wrong. pays : none need be given."""
    found, problems = [], []
    for text in texts:
        form = _FORM.fullmatch(text)
        if form is None:
            problems.append(f"{text}: not a target; write a KPI, <= or >=, and a number: support.service_level>=0.8.")
            continue
        name, sign, number = form.groups()
        if name not in kpis:
            problems.append(f"{text}: there is no KPI '{name}'{did_you_mean(name, kpis)}")
        elif sign not in ("<=", ">="):
            problems.append(f"{text}: write {'<=' if '<' in sign else '>='} instead of {sign}.")
        elif not _is_number(number):
            problems.append(f"{text}: '{number}' is no number; write shares from 0 to 1, without units.")
        else:
            found.append(Target(name, sign == "<=", float(number)))
    kinds = [(one.kpi, one.at_most) for one in found]
    repeated = {kind for kind in kinds if kinds.count(kind) > 1}
    problems += [f"{name}: two targets of the same kind; give one." for name, _ in sorted(repeated)]
    if problems:
        raise StudyInputError("\n".join(problems))
    if not found and not pays:
        raise StudyInputError("There is no target; give at least one, such as support.service_level>=0.8.")
    return found


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def verdict_of(mets: Sequence[Met]) -> Met:
    """Whether all are met: surely, surely not, or open."""
    return "missed" if "missed" in mets else "open" if "open" in mets else "met"
