"""Whose stories are offered first: every account once, by what became of it in the history."""

from __future__ import annotations

import numpy as np
import pytest
from small import small_scenario

from sim.model.ledger import History
from sim.model.replication import replicate
from sim.scenario import Scenario
from sim.study.story import AccountStory
from sim.study.tellable import FIRST_OF_A_KIND, KINDS, Cast, cast, cast_of
from sim.study.trace import account_keys, read, seats, trace_account

# Many announce, many are saved, many come back, people quit.
RESTLESS = {
    "weeks": 78,
    "tiers.small.new_accounts_per_year": 20,
    "departures.drivers.competition.hazard_per_year": 0.6,
    "departures.announce_share": 0.5,
    "accounts.health.healthy_above": 0.5,
    "departures.winback.probability": 0.6,
    "accounts.executive_contact.sponsor_loss_per_year": 0.05,
    "tiers.small.accounts": 40,
    "teams.csm.headcount": 2,
    "teams.csm.quit_rate_per_year": 0,
    "teams.support.quit_rate_per_year": 2.0,
    "name": "Restless",
}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return small_scenario(RESTLESS)


@pytest.fixture(scope="module")
def history(scenario: Scenario) -> History:
    inputs = read(scenario, 0, 1, None)[1]
    return next(replicate(inputs, [inputs], 1, 0))


@pytest.fixture(scope="module")
def found(scenario: Scenario, history: History) -> Cast:
    inputs = read(scenario, 0, 1, None)[1]
    return cast_of(history, inputs, account_keys(scenario, inputs, 1, 0))


def test_everybody_is_offered_once_and_the_first_are_a_few_of_each_kind(
    found: Cast, scenario: Scenario, history: History
) -> None:
    inputs = read(scenario, 0, 1, None)[1]
    names = [one.account for one in found.accounts]
    assert len(set(names)) == len(names) == len(history.accounts["id"])
    assert {one.kind for one in found.accounts} == set(KINDS), "this company has all of them"
    offered = []
    for kind in list(KINDS)[:-1]:
        largest = sorted((one for one in found.accounts if one.kind == kind), key=lambda one: -one.arr)
        offered += [one.arr for one in largest[:FIRST_OF_A_KIND]]
    assert [one.arr for one in found.accounts[: len(offered)]] == offered
    assert [one.person for one in found.people] == list(seats(inputs))


def test_whoever_is_told_as_left_is_gone_at_the_end_and_nobody_else_is(found: Cast, history: History) -> None:
    gone = {one.account for one in found.accounts if one.kind in ("left", "unseen")}
    back = {one.account for one in found.accounts if one.kind == "won_back"}
    assert gone
    assert len(gone) <= np.count_nonzero(history.accounts["arr_cents"] == 0) <= len(gone) + len(back)


@pytest.mark.parametrize("kind", list(KINDS)[:-1])
def test_what_is_said_of_an_account_is_what_its_story_tells(found: Cast, scenario: Scenario, kind: str) -> None:
    one = next(one for one in found.accounts if one.kind == kind)
    story = trace_account(scenario, one.account).story
    assert isinstance(story, AccountStory)
    assert story.who.arr == one.arr
    events = [event for event in story.events if one.day is not None and event.when.date() == one.day]
    if kind in ("left", "unseen"):
        assert any(event.left for event in events), one.words
        assert all(event.announced is False for event in events if event.left) or kind == "left"
    elif kind == "saved":
        assert any(event.announced and not event.left for event in events), one.words
    elif kind == "won_back":
        assert any(event.event == "won_back" for event in events), one.words
    else:
        assert not any(event.left or event.event in ("announced", "sponsor_lost") for event in story.events)
        assert one.day is None
        assert len(story.weeks) == scenario.weeks, "it stayed from the first week to the last"


def test_a_person_who_quits_is_told_with_the_month(found: Cast, history: History, scenario: Scenario) -> None:
    quits = int((history.people_weeks["event"] == 2).sum())
    assert quits
    assert sum(one.words.count(" in ") for one in found.people) == quits


def test_the_cast_is_that_of_the_history_asked_for(scenario: Scenario, found: Cast) -> None:
    assert cast(scenario) == found
    assert cast(scenario, replication=1) != found
    with pytest.raises(ValueError, match="seed: -1 cannot be used"):
        cast(scenario, seed=-1)
