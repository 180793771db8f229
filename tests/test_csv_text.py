"""CSV text: numbers stay numbers, text stays text, and nothing becomes a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata

import numpy as np
import pandas
import pytest

from sim.study.csv_text import csv_text, harmless

FORMULA = 'HYPERLINK("http://x.example","y")'
SIGNS = ("EQUALS SIGN", "PLUS SIGN", "HYPHEN-MINUS", "COMMERCIAL AT")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "start",
    [
        *"=+-@\t\r\n",
        *(unicodedata.lookup(f"{width} {sign}") for width in ("FULLWIDTH", "SMALL") for sign in SIGNS),
        *(" =", "   @", "\u00a0-", "\t =", "\u200b=", "\ufeff+", "\u3000\uff1d", "\x00="),
    ],
    ids=ascii,
)
def test_text_that_a_spreadsheet_could_compute_is_shown_as_it_stands(start: str) -> None:
    text = start + FORMULA
    assert harmless(text) == f"'{text}"
    ((_, cell),) = read(csv_text(("id", "name"), [(1, text)]))[1:]
    assert cell.startswith("'"), "the mark comes before blanks and invisible characters"


@pytest.mark.parametrize("text", ["", "Acme", "Müller & Söhne", "a=b", "AT&T -", "' quoted", "3 + 4", "_x", "   "])
def test_other_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_column_names_are_made_harmless_too() -> None:
    assert read(csv_text(("=a", "b"), []))[0] == ["'=a", "b"]


def test_numbers_stay_numbers_and_text_that_looks_like_one_stays_text() -> None:
    row = (-1.5, np.float64(-2.25), np.int64(-7), 0, "-3", True, dt.date(2026, 3, 1))
    text = csv_text(tuple("abcdefg"), [row])
    assert text.splitlines()[1] == '''-1.5,-2.25,-7,0,"'-3","yes","2026-03-01"'''


def test_what_is_not_there_is_an_empty_cell() -> None:
    assert read(csv_text(tuple("abcd"), [(None, float("nan"), np.nan, float("inf"))]))[1] == ["", "", "", ""]


def test_separators_quotes_and_line_breaks_in_text_move_no_column() -> None:
    text = 'one, "two"; three\r\nfour\n=five'
    assert read(csv_text(("name", "next"), [(text, 1)]))[1:] == [[text, "1"]]


def test_excel_sees_that_it_is_utf_8_and_pandas_does_not_mind() -> None:
    data = csv_text(("Größe", "b"), [("Zürich", 2)]).encode("utf-8")
    assert data.startswith(b"\xef\xbb\xbf"), "without the mark Excel takes umlauts for other letters"
    frame = pandas.read_csv(io.BytesIO(data))
    assert list(frame.columns) == ["Größe", "b"]
    assert frame.loc[0].tolist() == ["Zürich", 2]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="A row has 1 values for 2 columns; give one per column"):
        csv_text(("a", "b"), [(1,)])
