"""CSV text that spreadsheets open as it is meant: the one way in which tables leave the program as CSV.

In: column names and rows of plain values. Out: text. Numbers stay numbers; text is quoted and never becomes a formula.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import numbers
import unicodedata
from collections.abc import Iterable, Sequence

# Without it Excel reads the file in the machine's old code page, and every umlaut is broken. Pandas skips it.
BYTE_ORDER_MARK = "\ufeff"
FORMULA_STARTS = "=+-@"
LINE_STARTS = ("\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV: commas, a line per row, a byte order mark first; to be written as UTF-8.

    rows : text, numbers, booleans, dates (shown as 2026-03-01), None (an empty cell, as is nan); one value per
    column. Raises ValueError for a row of another length.
    """
    target = io.StringIO()
    target.write(BYTE_ORDER_MARK)
    writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([harmless(column) for column in columns])
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"A row has {len(row)} values for {len(columns)} columns; give one per column.")
        writer.writerow([_cell(value) for value in row])
    return target.getvalue()


def harmless(text: str) -> str:
    """The text, with ' before it if a spreadsheet could take it for a formula.

    That is text that begins with = + - @, their wide and small forms included, after blanks and invisible characters
    too, and text that begins with a tab or line break. Spreadsheets show text after ' as it stands.
    """
    visible = (character for character in text if unicodedata.category(character)[0] not in "CZ")
    # The compatibility form turns the full-width and small signs into the plain ones.
    first = unicodedata.normalize("NFKC", next(visible, ""))[:1]
    return f"'{text}" if text.startswith(LINE_STARTS) or (first and first in FORMULA_STARTS) else text


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return harmless(str(value))
