"""Account lists and mappings of any bytes: nothing but a `ScenarioError` is ever raised."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lists import GOOD, HEADER, LOOK_UP, MAPPING, START, TIERS, read

from sim.scenario import (
    AccountList,
    ScenarioError,
    guess_mapping,
    read_accounts,
    read_mapping,
)

PIECES = st.sampled_from(
    [*HEADER.strip().split(","), ",", ";", "\n", '"', "\r", "\t", "A-1", "Pro", "12000", "1,5", "€", "2025-01-01", "12"]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)
BYTES = st.one_of(
    st.binary(max_size=300),
    TEXTS.map(str.encode),
    TEXTS.map(lambda text: (HEADER + GOOD + text).encode()),
    TEXTS.map(lambda text: text.encode("utf-16")),
)


@settings(max_examples=300)
@given(data=BYTES, second=st.one_of(st.none(), BYTES))
def test_whatever_the_bytes_nothing_but_a_scenario_error_is_raised(data: bytes, second: bytes | None) -> None:
    def by_guess() -> AccountList:
        mapping = guess_mapping(data, "list.csv")
        return read_accounts(data, "list.csv", mapping, tiers=TIERS, start=START, currency="USD", look_up=second)

    for attempt in (lambda: read(data, MAPPING, second), lambda: read(data, LOOK_UP, second), by_guess):
        with contextlib.suppress(ScenarioError):
            assert len(attempt()) > 0, "a list that is accepted has accounts"


@settings(max_examples=200)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))))
def test_whatever_the_bytes_of_a_mapping_nothing_but_a_scenario_error_is_raised(data: bytes) -> None:
    with pytest.raises(ScenarioError):
        read_mapping(data, "map.yaml")


KEYS = st.sampled_from(["columns", "account", "tier", "term", "drop", "is", "headcount", "look_up", "csm", "as_of"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 70), st.sampled_from(["id", "small", "sum", "2025-01-01"])),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(KEYS, inside, max_size=5)),
    max_leaves=12,
)


@settings(max_examples=300)
@given(said=st.dictionaries(KEYS, VALUES, max_size=6))
def test_whatever_a_mapping_says_nothing_but_a_scenario_error_is_raised(said: dict[str, object]) -> None:
    with pytest.raises(ScenarioError):
        read_mapping(json.dumps({**said, "unknown": 1}).encode(), "map.yaml")
