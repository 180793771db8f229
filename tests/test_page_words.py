"""How names, numbers and verdicts read on the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import words


@pytest.mark.parametrize(
    ("number", "unit", "difference", "expected"),
    [
        (0.1234, "share per year", False, "12.3 %"),
        (-0.0123, "share", True, "−1.2 points"),
        (0.0042, "share", True, "+0.42 points"),
        (0.0, "share", True, "0.00 points"),
        (-0.000001, "share", True, "0.00 points"),
        (1_234_567.0, "USD", False, "USD 1.23 M"),
        (2_345_678_901.0, "USD", False, "USD 2.35 bn"),
        (-34_567.0, "EUR", True, "EUR −35 k"),
        (4_321.0, "USD per year", False, "USD 4.3 k per year"),
        (12.34, "minutes", False, "12.3 minutes"),
        (12_345.0, "contacts", False, "12,345 contacts"),
        (0.245, "score", False, "0.24"),
        (-0.0451, "score", True, "−0.045"),
        (None, "share", False, words.MISSING),
        (float("nan"), "minutes", False, words.MISSING),
        (float("inf"), "USD", True, words.MISSING),
    ],
)
def test_numbers_read_with_their_unit(number: float | None, unit: str, difference: bool, expected: str) -> None:
    assert words.value(number, unit, difference=difference) == expected


def test_units_read_as_columns_name_them() -> None:
    assert words.unit_words("share per year") == "% per year"
    assert words.unit_words("share", difference=True) == "percentage points"
    assert words.unit_words("score") == "score, 0 to 1"
    assert words.unit_words("minutes") == "minutes"


def test_both_ends_of_an_interval_have_the_same_precision() -> None:
    assert words.span([950_000.0, 1_050_000.0], "USD") == "USD 0.95 M to 1.05 M"
    assert words.span([-0.0004, 0.021], "share", difference=True) == "0.0 to +2.1 points"
    assert words.span(None, "share") == words.span([None, 0.1], "share") == words.MISSING


@pytest.mark.parametrize(
    ("difference", "text", "colour"),
    [
        ({"verdict": "better"}, "better", "green"),
        ({"verdict": "worse"}, "worse", "red"),
        ({"verdict": "cannot_tell", "more_replications": 9}, "cannot tell yet", "gray"),
        ({"verdict": "cannot_tell", "reason": "no_difference_that_matters"}, "no difference that matters", "gray"),
        ({"verdict": None}, "no better direction", "gray"),
    ],
)
def test_a_verdict_has_its_words_and_its_colour(difference: dict[str, object], text: str, colour: str) -> None:
    assert words.verdict(difference) == text
    assert words.colour(difference) == colour


def test_one_is_not_many() -> None:
    assert words.counted(1, "row") == "1 row"
    assert words.counted(0, "row") == "0 rows"
    assert words.more_replications({"more_replications": 1}) == "about 1 more replication may tell"
    assert words.more_replications({"more_replications": 1200}) == "about 1,200 more replications may tell"
    assert words.more_replications({}) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "almost done"), (42.4, "about 42 s left"), (300, "about 5 min left")],
)
def test_time_left_is_told_as_far_as_it_is_known(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


def test_definitions_have_the_signs_of_print() -> None:
    text = "share of account-weeks: ARR x (1 - exp(-departure intent))"
    assert words.formula(text) == "share of account-weeks: ARR × (1 − exp(−departure intent))", (
        "minus and times are signs, the hyphen of a word is none"
    )


RISKY = "\\`*_{}[]<>#$|~:"


@given(st.text(alphabet=st.sampled_from([*RISKY, *"ab 1.-\n\r\u2028"])))
def test_texts_from_files_cannot_format_the_page(text: str) -> None:
    shown = words.escape(text)
    assert len(shown.splitlines()) <= 1, "a line of its own could be a title or a list"
    read, position = "", 0
    while position < len(shown):
        if shown[position] == "\\":
            position += 1
        else:
            assert shown[position] not in RISKY, f"{shown[position]} stands alone"
        read += shown[position]
        position += 1
    assert read == " ".join(text.splitlines()), "nothing is lost"
