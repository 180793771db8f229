"""The community forum: customers who know the product well answer others, if the forum is kept in order.

In: account states, the week's contacts, rules. Out: the chance that a channel of self-service settles a matter, who
loses satisfaction there, and the work that the forum gives rise to. Rules are pure functions; `Forum` is the state.

A forum is read as it was in its last weeks: four sums, each of which fades with the same memory, say how many
threads there were, how many of them the company has looked after, how many answers and complaints customers wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from sim.model.accounts import ADOPTION, SATISFACTION
from sim.model.inputs import BoolArray, CommunityRules, FloatArray, IntArray


@dataclass
class Forum:
    """What has been written lately, and what has been learnt from it.

    threads, moderated, answers, complaints : fading sums. settled : threads settled since the last article.
    articles : how many still help; an ageing one counts as a part.
    """

    threads: float = 0.0
    moderated: float = 0.0
    answers: float = 0.0
    complaints: float = 0.0
    settled: int = 0
    articles: float = 0.0

    def remember(
        self,
        rules: CommunityRules,
        weeks: float,
        *,
        threads: int,
        moderated: int,
        mavens: int,
        detractors: int,
        articles: int,
    ) -> None:
        """What happened in the last `weeks` is added; what was there has faded meanwhile."""
        kept = np.exp(-weeks / rules.memory_weeks)
        self.threads = kept * self.threads + threads
        self.moderated = kept * self.moderated + moderated
        self.answers = kept * self.answers + rules.answers_per_maven_week * mavens * weeks
        self.complaints = kept * self.complaints + rules.complaints_per_detractor_week * detractors * weeks
        self.articles = 0.5 ** (weeks / rules.article_half_life_weeks) * self.articles + articles

    def close(self) -> None:
        """There is no community: one that begins later begins empty."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def articles_due(self, rules: CommunityRules, settled: int) -> int:
        """How many articles the newly settled threads give rise to; the rest counts for the next one."""
        due, self.settled = divmod(self.settled + settled, rules.threads_per_article)
        return due


def voices(states: FloatArray, rules: CommunityRules) -> tuple[BoolArray, BoolArray]:
    """Who answers others (mavens) and who complains (detractors), both (accounts,).

    Both know the product very well; detractors are those of them whose satisfaction is low.
    """
    knows = states[ADOPTION] >= rules.maven_adoption_above
    offended = states[SATISFACTION] < rules.offended_below
    return knows & ~offended, knows & offended


def reached(written: float, threads: float) -> float:
    """Share of threads with at least one of so many answers (or complaints), which fall on them at random."""
    if threads <= 0:
        return float(written > 0)
    return float(-np.expm1(-written / threads))


def looked_after(forum: Forum) -> float:
    """Share of the threads that the company has moderated; 1 while there are none."""
    return min(1.0, forum.moderated / forum.threads) if forum.threads > 0 else 1.0


def settles(solved: FloatArray, forum: Forum, rules: CommunityRules) -> FloatArray:
    """Chance that a channel settles a matter without a team, (channels,).

    solved : (channels,), the chance with all threads answered and moderated and without articles; nan: no
    self-service. A thread without an answer is not settled; without moderation threads go stale, and a share of the
    forum's chance is lost. Each article that still helps settles a share of what would stay open, in every channel.
    """
    chance = solved.copy()
    stale = rules.stale_share * (1 - looked_after(forum))
    chance[rules.channel] *= reached(forum.answers, forum.threads) * (1 - stale)
    return np.asarray(1 - (1 - chance) * (1 - rules.article_gain) ** forum.articles)


def readers_satisfaction(account: IntArray, accounts: int, forum: Forum, rules: CommunityRules) -> FloatArray:
    """By what the satisfaction of each account is multiplied after it has read complaints, (accounts,).

    account : (threads,), the accounts that asked.
    """
    lost = rules.complaint_loss * reached(forum.complaints, forum.threads)
    return np.asarray((1 - lost) ** np.bincount(account, minlength=accounts))


def numbered(account: IntArray) -> list[IntArray]:
    """The accounts once each in the first array, those that occur twice in the second, and so on."""
    number = np.bincount(account) if len(account) else np.zeros(0, dtype=np.int64)
    return [np.flatnonzero(number > j) for j in range(number.max(initial=0))]
