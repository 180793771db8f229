"""The community: who answers and who complains, what a neglected forum loses, what articles give back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from small import FORUM, NOTHING_HAPPENS, SMALL, inputs_of, put, rows_where, run, same_bits, tables_of, values_of

from sim.model import ledger
from sim.model.community import Forum, looked_after, numbered, reached, readers_satisfaction, settles, voices
from sim.model.inputs import CommunityRules, Inputs
from sim.model.ledger import History
from sim.study.kpis import compute

RULES = CommunityRules(
    channel=1, maven_adoption_above=0.6, offended_below=0.4, answers_per_maven_week=2.0,
    complaints_per_detractor_week=1.0, complaint_loss=0.1, stale_share=0.5, memory_weeks=4.0, threads_per_article=10,
    article_gain=0.01, article_half_life_weeks=26.0,
)  # fmt: skip
SOLVED = np.array([np.nan, 0.6, 0.3])
COMMUNITY = "channels.forum.self_service.community"


# --- rules ------------------------------------------------------------------------------------------------------


def test_mavens_know_the_product_and_detractors_are_offended_mavens() -> None:
    states = np.array([[0.6, 0.6, 0.59, 0.9], [0.4, 0.39, 0.1, 1.0], [0.5, 0.5, 0.5, 0.5]])
    mavens, detractors = voices(states, RULES)
    assert mavens.tolist() == [True, False, False, True]
    assert detractors.tolist() == [False, True, False, False], "who does not know the product has no voice there"


@pytest.mark.parametrize("answers", [10, 80, 300])
def test_answers_fall_on_threads_at_random(answers: int) -> None:
    """Occupancy: the share of 100 threads with an answer, against throwing Poisson-many answers at them.

    10,000 forums: the mean's 99.9 % interval is 3.3 standard errors wide on each side.
    """
    random = np.random.default_rng(1)
    shares = (random.poisson(answers / 100, size=(10_000, 100)) > 0).mean(axis=1)
    assert abs(shares.mean() - reached(answers, 100)) < 3.3 * shares.std(ddof=1) / 100


def test_a_new_forum_has_no_answers_and_nothing_to_moderate() -> None:
    assert reached(0.0, 0.0) == 0.0
    assert reached(1.0, 0.0) == 1.0, "who asks first finds somebody who answers"
    assert looked_after(Forum()) == 1.0


def test_the_forum_remembers_its_last_weeks() -> None:
    """A steady stream of x a week adds up to x / (1 - exp(-1 / memory)); articles lose half in their half-life."""
    forum = Forum()
    for _ in range(400):
        forum.remember(RULES, 1.0, threads=20, moderated=10, mavens=15, detractors=5, articles=1)
    weight = 1 / -np.expm1(-1 / RULES.memory_weeks)
    assert forum.threads == pytest.approx(20 * weight)
    assert forum.answers == pytest.approx(30 * weight), "two answers a week by each of 15 accounts"
    assert looked_after(forum) == pytest.approx(0.5), "memory does not change a steady share"
    assert forum.articles == pytest.approx(1 / (1 - 0.5 ** (1 / 26)), rel=1e-3)
    before = forum.articles
    forum.remember(RULES, 26.0, threads=0, moderated=0, mavens=0, detractors=0, articles=0)
    assert forum.articles == pytest.approx(before / 2)


@given(st.lists(st.integers(0, 37), max_size=40))
def test_every_so_many_settled_threads_give_one_article(settled: list[int]) -> None:
    forum = Forum()
    due = sum(forum.articles_due(RULES, each) for each in settled)
    assert due == sum(settled) // RULES.threads_per_article, "what is over counts for the next one"


def test_a_well_kept_forum_settles_what_it_can() -> None:
    chance = settles(SOLVED, Forum(threads=10, moderated=10, answers=1e6), RULES)
    assert np.isnan(chance[0]), "no self-service"
    assert chance[1:] == pytest.approx([0.6, 0.3])


def test_without_moderation_threads_go_stale_and_without_answers_nothing_is_settled() -> None:
    stale = settles(SOLVED, Forum(threads=10, moderated=0, answers=1e6), RULES)
    assert stale[1:] == pytest.approx([0.3, 0.3]), "half of the forum's chance, and none of the knowledge base's"
    assert settles(SOLVED, Forum(threads=10, moderated=10, answers=0), RULES)[1] == 0.0


def test_articles_help_in_every_channel_of_self_service_with_diminishing_returns() -> None:
    forum = Forum(threads=10, moderated=10, answers=1e6)
    chances = [settles(SOLVED, replace(forum, articles=n), RULES)[1:] for n in (0, 50, 100)]
    assert (chances[1] - chances[0] > chances[2] - chances[1]).all(), "the second fifty find less left open"
    assert chances[2] == pytest.approx(1 - np.array([0.4, 0.7]) * 0.99**100)


@given(
    threads=st.floats(0, 1e4), moderated=st.floats(0, 1e4), answers=st.floats(0, 1e5), articles=st.floats(0, 1e4),
    solved=st.floats(0, 1),
)  # fmt: skip
def test_a_chance_is_a_chance(threads: float, moderated: float, answers: float, articles: float, solved: float) -> None:
    forum = Forum(threads=threads, moderated=moderated, answers=answers, articles=articles)
    chance = settles(np.array([solved, solved]), forum, RULES)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert chance[1] <= chance[0] + 1e-12, "the forum's own weaknesses never help it"


def test_who_reads_complaints_loses_satisfaction_once_per_thread() -> None:
    forum = Forum(threads=10, complaints=1e6)
    kept = readers_satisfaction(np.array([0, 2, 2]), 4, forum, RULES)
    assert kept == pytest.approx([0.9, 1.0, 0.81, 1.0])
    assert readers_satisfaction(np.array([0, 2, 2]), 4, Forum(threads=10), RULES) == pytest.approx(1.0)


@given(st.lists(st.integers(0, 9), max_size=60))
def test_each_thread_is_numbered_within_its_account(accounts: list[int]) -> None:
    each = numbered(np.array(accounts, dtype=np.int64))
    assert sorted(np.concatenate([[], *each]).tolist()) == sorted(accounts), "as many as there are, of each account"
    assert all(len(set(one.tolist())) == len(one) for one in each), "an account once per number"


# --- the engine -------------------------------------------------------------------------------------------------

CALM = {**NOTHING_HAPPENS, "mechanisms.community": True}
BUSY = {"weeks": 26, "teams.support.headcount": 6, "categories.how_to.contacts_per_account_month": 12.0}
ALL_MAVENS = {
    f"{COMMUNITY}.maven_adoption_above": 0.0, f"{COMMUNITY}.offended_below": 0.0,
    f"{COMMUNITY}.answers_per_maven_week": 1000.0, f"{COMMUNITY}.article_gain": 0.0,
}  # fmt: skip


@cache
def _company(changes: tuple[tuple[str, Any], ...]) -> tuple[Inputs, History]:
    values = put(values_of(), SMALL | CALM | BUSY)
    for kind in ("channels", "categories"):
        values[kind] |= {name: _copied(one) for name, one in FORUM[kind].items()}
    values["routing"]["assign"] |= FORUM["routing.assign"]
    values["categories"]["how_to"]["channel_shares"] = dict(FORUM["categories.how_to.channel_shares"])
    inputs = inputs_of(put(values, dict(changes)))
    return inputs, run(inputs)


def _copied(value: Any) -> Any:
    return {key: _copied(inside) for key, inside in value.items()} if isinstance(value, dict) else value


def company(changes: dict[str, Any] | None = None) -> tuple[Inputs, History]:
    """A small company with a forum, in which nothing else happens."""
    return _company(tuple(sorted((changes or {}).items())))


def threads(inputs: Inputs, history: History) -> tuple[int, int]:
    """Threads in the forum, and those settled there, after the first weeks, in which nobody has answered yet."""
    contacts = history.contacts
    there = (contacts["channel"] == inputs.channels.index("forum")) & (contacts["born"] >= 2 * 168)
    settled, bounced = (int((there & (contacts["outcome"] == o)).sum()) for o in (ledger.DEFLECTED, ledger.BOUNCED))
    return settled + bounced, settled


def within(settled: int, of: int, chance: float) -> bool:
    """Whether a count agrees with a chance: inside the 99.9 % interval of the binomial law."""
    low, high = binom.interval(0.999, of, chance)
    return bool(low <= settled <= high)


def test_a_forum_of_mavens_settles_its_chance() -> None:
    """Every account answers, Support moderates all of it: what is settled is binomial with the channel's chance."""
    of, settled = threads(*company(ALL_MAVENS))
    assert of > 300, "enough threads to tell"
    assert within(settled, of, 0.6)


def test_without_mavens_nothing_is_settled() -> None:
    assert threads(*company({f"{COMMUNITY}.maven_adoption_above": 1.0}))[1] == 0


def test_without_moderators_threads_go_stale() -> None:
    """Moderation that takes longer than a shift is never begun and expires: 60 % of the chance is lost."""
    undone = {"categories.moderation.handle_time_mean_minutes": 2400, "mechanisms.expiry": True}
    inputs, history = company({**ALL_MAVENS, **undone})
    of, settled = threads(inputs, history)
    assert within(settled, of, 0.6 * 0.4)
    assert compute(history, inputs)["community_moderated_share"] == 0.0


def test_moderation_is_one_contact_per_thread_and_an_article_one_per_so_many_settled() -> None:
    inputs, history = company(ALL_MAVENS)
    contacts = history.contacts
    end = 25 * 168.0  # what the last week's threads give rise to would come after the end
    forum = contacts["channel"] == inputs.channels.index("forum")
    ended = forum & (contacts["ended"] > 0) & (contacts["ended"] <= end)
    asked = int((ended & np.isin(contacts["outcome"], (ledger.DEFLECTED, ledger.BOUNCED))).sum())
    settled = int((ended & (contacts["outcome"] == ledger.DEFLECTED)).sum())

    def made(category: str) -> int:
        of_it = contacts["category"] == inputs.categories.index(category)
        return int((of_it & (contacts["born"] > 0)).sum())  # the warm-up's last week gave rise to those born at 0

    assert made("moderation") == asked
    assert abs(made("article") - settled / 4) <= 1, "the warm-up leaves up to three threads that count"


@pytest.mark.slow
def test_articles_make_the_knowledge_base_better() -> None:
    """The same luck, and a channel of plain self-service beside the forum."""
    base = _copied(FORUM["channels"]["forum"])
    base["self_service"]["community"] = None
    both = {
        "channels.base": base,
        "categories.break_fix.channel_shares": {"base": 0.6, "email": 0.4},
    }
    values = {**ALL_MAVENS, **both}

    def settled(gain: float) -> int:
        changes = tuple(sorted({**values, f"{COMMUNITY}.article_gain": gain}.items(), key=lambda pair: pair[0]))
        inputs, history = _company.__wrapped__(changes)
        at_base = rows_where(history.contacts, history.contacts["channel"] == inputs.channels.index("base"))
        return int((at_base["outcome"] == ledger.DEFLECTED).sum())

    assert settled(0.02) > settled(0.0)


def test_a_switched_off_community_is_plain_self_service() -> None:
    inputs, history = company({"mechanisms.community": False, f"{COMMUNITY}.maven_adoption_above": 1.0})
    of, settled = threads(inputs, history)
    assert within(settled, of, 0.6), "somebody must answer, mavens or not: the mechanism is off"
    work = [inputs.categories.index(name) for name in ("moderation", "article")]
    assert not np.isin(history.contacts["category"], work).any()
    assert compute(history, inputs)["maven_share"] is None


def test_detractors_cost_those_who_ask_satisfaction() -> None:
    offended = {**ALL_MAVENS, f"{COMMUNITY}.offended_below": 1.0, f"{COMMUNITY}.complaints_per_detractor_week": 1000.0}
    quiet = {**offended, f"{COMMUNITY}.complaint_loss": 0.0}
    loud, still = (company(changes)[1].tier_weeks["satisfaction_sum"].sum() for changes in (offended, quiet))
    assert loud < still


@pytest.mark.slow
def test_a_channel_without_a_community_does_not_change_by_one_that_nobody_uses() -> None:
    """The forum is there but nobody asks in it: the same rows as with the mechanism off."""
    unused = {"categories.how_to.channel_shares": {"phone": 0.4, "chat": 0.2, "email": 0.2, "portal": 0.2}}
    on, off = (
        _company.__wrapped__(tuple((unused | {"mechanisms.community": one}).items()))[1] for one in (True, False)
    )
    ours, theirs = tables_of(on), tables_of(off)
    for name in ("contacts", "account_events", "people_weeks", "accounts"):
        assert not same_bits(ours[name], theirs[name]), name


def test_daily_ticks_make_as_much_work() -> None:
    """With a tick a day each thread is still moderated once."""
    inputs, history = company({**ALL_MAVENS, "accounts.tick_days": 1})
    keys = history.contacts["contact"][history.contacts["category"] == inputs.categories.index("moderation")]
    assert len(set(keys.tolist())) == len(keys) > 100, "no two contacts are the same"


def from_week(week: int, values: dict[str, Any]) -> dict[str, Any]:
    return {"from": f"{dt.date(2026, 1, 5) + dt.timedelta(weeks=week)}", "set": values}


def test_figures_of_the_community_cover_the_time_in_which_there_is_one() -> None:
    """In the middle of the run the forum becomes plain self-service: what is settled later is not the community's."""
    inputs, history = _company.__wrapped__(tuple({**ALL_MAVENS, "changes": [from_week(13, {COMMUNITY: None})]}.items()))
    contacts = history.contacts
    forum = contacts["channel"] == inputs.channels.index("forum")
    alone = forum & np.isin(contacts["outcome"], (ledger.DEFLECTED, ledger.BOUNCED)) & (contacts["born"] >= 0)
    early = alone & (contacts["born"] < 13 * 168)
    assert early.sum() < 0.7 * alone.sum(), "there are threads before and after"
    kpis = compute(history, inputs)
    settled = contacts["outcome"] == ledger.DEFLECTED
    assert kpis["community_settled_share"] == pytest.approx((early & settled).sum() / early.sum())
    assert kpis["maven_share"] == 1.0, "everybody answers, as long as there is a forum"


def test_a_community_that_ends_leaves_nothing_behind() -> None:
    forum = Forum(threads=3.0, moderated=2.0, answers=5.0, complaints=1.0, settled=4, articles=6.0)
    forum.close()
    assert forum == Forum()
