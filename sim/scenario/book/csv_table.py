"""Reads the bytes of a CSV file into columns of text.

In: bytes. Out: a `TextTable` and the problems found; no table where nothing can be made of the bytes. Encoding and
separator are recognised, and the table says which they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sim.scenario.book.findings import Findings
from sim.scenario.errors import Problem, did_you_mean, shown

MAX_BYTES = 50_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 500
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a compressed file",
    b"PAR1": "a Parquet file",
}
# Would be obeyed by a terminal, or turn the text around it: never part of a name.
_CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class TextTable:
    """The rows of a CSV file as text, without white space at the ends of cells.

    header : names of the columns. rows : each as long as the header; empty rows are left out. lines : the line of the
    file on which each row begins, from 1. separator : what stands between cells. encoding : in words, '' for UTF-8.
    """

    file: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    separator: str
    encoding: str

    def column(self, name: str) -> list[str]:
        """The cells of one column, from the first row on."""
        index = self.header.index(name)
        return [row[index] for row in self.rows]

    def missing(self, name: str) -> str | None:
        """Why a column of that name cannot be used, and what may be meant; None if it can."""
        count = self.header.count(name)
        if count == 1:
            return None
        if count > 1:
            return f"{count} columns have this name; rename or delete the ones that are not meant"
        return "there is no such column" + did_you_mean(name, [one for one in self.header if one])


def too_large(size: int) -> str | None:
    """Why a file of so many bytes is not read; None if it is."""
    if size <= MAX_BYTES:
        return None
    most = MAX_BYTES // 1_000_000
    return f"{size:,} bytes are more than the {most} MB that are read; leave out rows and columns that are not needed"


def read_table(data: bytes, file: str, row: str = "account", fewest: int = 2) -> tuple[TextTable | None, list[Problem]]:
    """The table in the bytes of a file, and what is wrong with it; rows that do not fit the header are left out.

    row : what each row is, for messages. fewest : columns that there must be.
    """
    text, encoding, problem = _decoded(data, file)
    if problem is not None:
        return None, [problem]
    first, separator, start = _first_line(text)
    if not first:
        return None, [Problem(file, 1, "", "the file is empty; the first line must name the columns")]
    if first.count(separator) >= MAX_COLUMNS:
        message = (
            f"{first.count(separator) + 1:,} columns; at most {MAX_COLUMNS} are read: leave out what is not needed"
        )
        return None, [Problem(file, start, "", message)]
    findings = Findings(file)
    header: tuple[str, ...] = ()
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for line, cells in _records(text, separator, start):
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = tuple(cells)
                if len(header) < fewest:
                    return None, [Problem(file, line, "", _one_column(header[0]))]
                continue
            if len(cells) != len(header):
                few = "few" if len(cells) < len(header) else "many"
                message = (
                    f"{len(cells)} cells in this row, {len(header)} in the header, separated by "
                    f"{SEPARATORS[separator]}; quote a cell that has the separator in it"
                )
                findings.add(line, "", f"too {few} cells", message)
                continue
            if len(rows) == MAX_ROWS:
                message = f"more than {MAX_ROWS:,} rows; at most so many are read: leave out what has ended"
                return None, [Problem(file, line, "", message)]
            rows.append(cells)
            lines.append(line)
    except _BadQuote as bad:
        return None, [*findings.problems(), Problem(file, bad.line, "", bad.message)]
    if not header:
        return None, [Problem(file, start, "", "the first line names no column; it must name all of them")]
    if not rows and not findings.problems():
        findings.add(start, "", "no rows", f"only a header; there must be a row for each {row}")
    return TextTable(file, header, rows, lines, separator, encoding), findings.problems()


def _one_column(header: str) -> str:
    *some, last = SEPARATORS.values()
    return f"one column only, {shown(header)}; separate the columns by {', '.join(some)} or {last}"


class _BadQuote(Exception):
    """Reading cannot go on after this line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def _records(text: str, separator: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each record."""
    lines = io.StringIO(text, newline="")
    for _ in range(start - 1):
        lines.readline()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begins = start
    try:
        for cells in reader:
            yield begins, cells
            begins = start + reader.line_num
    except csv.Error as error:
        if "expected after" in str(error):
            message = "text stands after a closing quotation mark; write a quotation mark inside a cell twice"
        elif "field limit" in str(error):
            message = (
                f"a cell of this row has more than {csv.field_size_limit():,} characters, most likely by a quotation "
                "mark that is never closed; close it"
            )
        else:
            message = (
                "a quotation mark in this row is never closed; close it, or write it twice if it belongs to the text"
            )
        raise _BadQuote(begins, message) from None


def _decoded(data: bytes, file: str) -> tuple[str, str, Problem | None]:
    """The text of a file and its encoding in words, or why it is none."""
    large = too_large(len(data))
    if large is not None:
        return "", "", Problem(file, 0, "", large)
    for magic, what in _OTHER_FILES.items():
        if data.startswith(magic):
            return "", "", Problem(file, 0, "", f"this is {what}, not text; save the table as CSV")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return "", "", Problem(file, 0, "", "it begins as UTF-16 and goes on otherwise; save it as CSV in UTF-8")
        if "\0" in text:
            return "", "", Problem(file, 0, "", "this is not text; save the table as CSV in UTF-8")
        return text, "UTF-16", None
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return "", "", Problem(file, line, "", "a null byte: this is not text; save the table as CSV in UTF-8")
    try:
        return data.decode("utf-8-sig"), "", None
    except UnicodeDecodeError as broken:
        try:
            return data.decode("cp1252"), "Windows-1252", None
        except UnicodeDecodeError:
            line, byte = data[: broken.start].count(b"\n") + 1, data[broken.start]
            message = f"byte 0x{byte:02x} is neither UTF-8 nor Windows-1252 text; save the table as CSV in UTF-8"
            return "", "", Problem(file, line, "", message)


def _first_line(text: str) -> tuple[str, str, int]:
    """The first line that is not empty, the separator, and the line's number.

    Spreadsheets may write the separator into a line of its own: 'sep=;'.
    """
    lines = io.StringIO(text, newline=None)
    told = ""
    for number, line in enumerate(lines, start=1):
        line = line.rstrip("\n")
        found = re.fullmatch(r"sep=(.)", line)
        if number == 1 and found and found[1] in SEPARATORS:
            told = found[1]
        elif line.strip(" \t;,|"):
            unquoted = re.sub(r'"[^"]*"', "", line)
            counts = Counter(character for character in unquoted if character in SEPARATORS)
            return line, told or max(SEPARATORS, key=lambda one: counts[one]), number
    return "", ",", 1


def unprintable(cell: str) -> str | None:
    """What a cell has in it that no name should have, in words; None if nothing."""
    found = _CONTROL.search(cell)
    if found:
        return f"the control character {ascii(found[0])[1:-1]}"
    return "a line break" if "\n" in cell or "\r" in cell else None
