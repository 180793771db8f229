"""The next action: a pure function of why, when and the playbook."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sim.model.inputs import DRIVERS
from sim.study.next_action import DRIVER_MEANS, Action, Playbook, next_action

TODAY = dt.date(2026, 1, 5)
FULL = Playbook(
    every_weeks={"value_review": 13.0, "executive_touch": 4.0, "coaching": 4.0, "training": 26.0},
    before_renewal_weeks={"renewal": 14.0},
)


def action(driver: str, weeks_to_renewal: float = 60, playbook: Playbook = FULL, **changes: Any) -> Action:
    values: dict[str, Any] = {
        "sponsor_lost": False,
        "announced": False,
        "today": TODAY,
        "renewal": TODAY + dt.timedelta(weeks=weeks_to_renewal),
        "term_months": 12,
        "notice_weeks": 10,
        "playbook": playbook,
    }
    return next_action(driver, **(values | changes))


def in_weeks(weeks: float) -> dt.date:
    return TODAY + dt.timedelta(weeks=weeks)


@pytest.mark.parametrize(
    ("driver", "words", "weeks"),
    [
        ("disconnection", "Value review with senior management", 13),
        ("competition", "Value review with senior management", 13),
        ("disengagement", "Adoption coaching", 4),
        ("service", "Service recovery call", 50),
        ("downturn", "Talk about their budget", 50),
    ],
)
def test_each_driver_has_its_work_due_in_one_cadence_or_at_notice(driver: str, words: str, weeks: float) -> None:
    assert action(driver) == Action(words, in_weeks(weeks))


def test_work_that_the_tier_does_not_plan_gives_way_to_what_it_does() -> None:
    without = Playbook(every_weeks={"executive_touch": 26.0, "training": 52.0})
    assert action("disconnection", playbook=without) == Action("Call with senior management", in_weeks(26))
    assert action("disengagement", playbook=without) == Action("Training", in_weeks(50)), "before it decides"
    assert action("disconnection", playbook=Playbook()) == Action("Value review with senior management", in_weeks(50))


def test_the_deadline_is_notice_then_the_end_of_the_contract() -> None:
    assert action("disconnection", 12).due == in_weeks(2), "notice is in two weeks, sooner than the cadence"
    assert action("disconnection", 10).due == in_weeks(10), "notice is today: the contract's end is what is left"
    assert action("disconnection", 3).due == in_weeks(3)
    assert action("disconnection", 3, term_months=1).due == in_weeks(3), "monthly contracts have no notice"
    assert action("service", -2).due == TODAY, "no date lies in the past"


def test_a_renewal_is_prepared_when_that_falls_due_within_four_weeks() -> None:
    assert action("service", 14) == Action("Prepare the renewal", TODAY)
    assert action("service", 18) == Action("Prepare the renewal", in_weeks(4))
    assert action("", 18).words == "Prepare the renewal", "whatever the driver"
    assert action("service", 18.2).words == "Service recovery call", "later than that is no next action"
    assert action("service", 13.9).words == "Service recovery call", "it was due before today"
    assert action("service", 18, term_months=6).words == "Service recovery call", "only terms of a year or longer"


def test_the_sooner_of_two_preparations_that_are_still_due_comes_first() -> None:
    two = Playbook(before_renewal_weeks={"renewal": 14.0, "price_talk": 12.0})
    assert action("service", 15, playbook=two) == Action("Prepare the renewal", in_weeks(1))
    assert action("service", 13, playbook=two) == Action("Price talk", in_weeks(1)), "the other one has passed"


def test_an_announced_departure_comes_before_a_lost_sponsor_before_all_else() -> None:
    assert action("service", 18, announced=True, sponsor_lost=True).words.startswith("Save the contract")
    assert action("service", 18, announced=True).due == in_weeks(18), "until the contract ends"
    assert action("service", 18, sponsor_lost=True) == Action("Find a new executive sponsor", in_weeks(8))


def test_without_a_driver_there_is_nothing_beyond_the_playbook() -> None:
    assert action("") == Action("Follow the playbook", None)
    assert str(action("")) == "Follow the playbook"


def test_an_action_reads_as_people_say_it() -> None:
    assert str(Action("Adoption coaching", dt.date(2026, 2, 4))) == "Adoption coaching by 4 Feb 2026"


def test_every_driver_is_put_in_words() -> None:
    assert list(DRIVER_MEANS) == list(DRIVERS)
