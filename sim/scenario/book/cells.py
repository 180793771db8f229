"""What the text in a cell stands for: amounts, whole numbers, dates.

In: text as exports have it. Out: a number, or `Unreadable` with a message that repairs it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from sim.scenario.errors import number, shown

FIRST_YEAR, LAST_YEAR = 1950, 2150
MOST_MONEY = 1e9
MOST_SEATS = 1e7
LONGEST_TERM_MONTHS = 60

# Of signs that several currencies share, those that people write with them.
_SIGNS = {
    "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"), "₹": ("INR",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "CLP", "COP", "ARS"),
}  # fmt: skip
_DATE = {
    "YYYY-MM-DD": r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
    "YYYY/MM/DD": r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})",
    "DD/MM/YYYY": r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})",
    "MM/DD/YYYY": r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})",
    "DD.MM.YYYY": r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
    "DD-MM-YYYY": r"(?P<d>\d{1,2})-(?P<m>\d{1,2})-(?P<y>\d{4})",
    "MM-DD-YYYY": r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})",
    "YYYYMMDD": r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
}
_TIME = r"(?:[T ][0-9:.,+Z -]*)?"
_ISO = re.compile(_DATE["YYYY-MM-DD"] + _TIME, re.ASCII)
_OTHER_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})" + _TIME, re.ASCII)


class Unreadable(ValueError):
    """A cell that cannot be used. kind : the same for cells with the same defect."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def decimal_sign(values: Iterable[str], separator: str, told: str | None) -> str:
    """What stands before the decimals of a column of amounts: '.' or ','.

    told : what the mapping says. Where only cells such as 12.500 speak, which may be twelve and a half or twelve
    thousand five hundred, a file with commas between its cells has a decimal point; in others it is asked for.
    Raises Unreadable if that is needed, or if cells contradict each other.
    """
    if told is not None:
        return told
    votes: dict[str, str] = {}
    doubtful = ""
    for text in values:
        dots, commas = text.count("."), text.count(",")
        if dots and commas:
            votes.setdefault("." if text.rfind(".") > text.rfind(",") else ",", text)
        elif dots + commas > 1:
            votes.setdefault("," if dots else ".", text)
        elif dots + commas == 1:
            sign = "." if dots else ","
            whole, _, decimals = text.partition(sign)
            digits = re.sub(r"\D", "", whole)
            if len(re.sub(r"\D", "", decimals)) == 3 and 1 <= len(digits) <= 3 and digits != "0":
                doubtful = doubtful or text
            else:
                votes.setdefault(sign, text)
    if len(votes) > 1:
        message = f"{shown(votes['.'])} has a decimal point and {shown(votes[','])} a decimal comma; write all alike"
        raise Unreadable("two decimal signs", message)
    if votes:
        return next(iter(votes))
    if doubtful and separator not in ",|":
        message = (
            f"{shown(doubtful)} may have decimals or thousands; write decimal: '.' or decimal: ',' into the mapping"
        )
        raise Unreadable("decimals or thousands", message)
    return "."


def amount(text: str, decimal: str, currency: str) -> float:
    """An amount of money or a number: 12000, 12,000.50, € 1.200,50, USD 900. Raises Unreadable."""
    body = text
    marks = re.sub(r"[\d.,'’()+\-−\s]", "", text)
    if marks:
        if not (text.strip("()-−+ ").startswith(marks) or text.strip("()-−+ ").endswith(marks)) or len(text) > 60:
            raise _no_number(text)
        known = _SIGNS.get(marks, (marks,) if re.fullmatch(r"[A-Z]{3}", marks) else ())
        if not known or not re.search(r"\d", text):
            raise _no_number(text)
        if currency not in known:
            message = f"{shown(text)} is not in {currency}, the scenario's currency; convert the amounts first"
            raise Unreadable("other currency", message)
        body = text.replace(marks, "")
    body = re.sub(r"[\s'’]", "", body)
    negative = body.startswith(("-", "−", "(")) and body not in ("-", "−", "(")
    body = body.strip("()").lstrip("+-−")
    thousands = re.escape("," if decimal == "." else ".")
    found = re.fullmatch(rf"(\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)?(?:{re.escape(decimal)}(\d*))?", body, re.ASCII)
    if not found or not (found[1] or found[2]) or len(body) > 40:
        raise _no_number(text)
    value = float(re.sub(r"\D", "", found[1] or "0") + "." + (found[2] or "0"))
    return -value if negative else value


def _no_number(text: str) -> Unreadable:
    if not text:
        return Unreadable("empty", "is empty; write 0 where there is nothing, or drop these rows in the mapping")
    return Unreadable("no number", f"{shown(text)} is not a number; write it with digits, such as 12000")


def money(text: str, decimal: str, currency: str) -> float:
    """Revenue, >= 0. Raises Unreadable."""
    value = amount(text, decimal, currency)
    if value < 0:
        raise Unreadable("negative", f"{shown(text)} is negative; take credits off the row that they belong to")
    if value > MOST_MONEY:
        raise Unreadable("too much", f"{shown(text)} is too high; use an amount up to {number(MOST_MONEY)}")
    return value


def seats(text: str, decimal: str, currency: str) -> float:
    """Seats, >= 0; nan where the cell is empty. Raises Unreadable."""
    if not text:
        return float("nan")
    value = amount(text, decimal, currency)
    if not 0 <= value <= MOST_SEATS:
        raise Unreadable("seats", f"{shown(text)} cannot be a number of seats; use 0 to {number(MOST_SEATS)}")
    return value


def term_months(text: str) -> float:
    """A contract term in months, 1 to 60. Raises Unreadable."""
    found = re.fullmatch(r"(\d{1,6})(?:[.,]0+)?(?: ?(?:m|mo|months?))?", text, re.ASCII | re.IGNORECASE)
    if found is None:
        what = "is empty" if not text else f"{shown(text)} is not a number of months"
        raise Unreadable("term", f"{what}; use a whole number from 1 to {LONGEST_TERM_MONTHS}")
    months = int(found[1])
    if not 1 <= months <= LONGEST_TERM_MONTHS:
        message = f"a term of {months} months cannot be used; use a whole number from 1 to {LONGEST_TERM_MONTHS}"
        raise Unreadable("term", message)
    return float(months)


def day_number(text: str, date_format: str | None) -> float:
    """A date as days since 1 January 1970; a time of day is left out. Raises Unreadable."""
    found = _ISO.fullmatch(text)
    if found is None and date_format is not None:
        found = re.fullmatch(_DATE[date_format] + _TIME, text, re.ASCII)
    if found is None:
        raise _no_date(text, date_format)
    year, month, day = (int(found[key]) for key in "ymd")
    try:
        date = dt.date(year, month, day)
    except ValueError:
        raise Unreadable("impossible date", f"{shown(text)} is no day of the calendar; correct it") from None
    return float((date - dt.date(1970, 1, 1)).days)


def _no_date(text: str, date_format: str | None) -> Unreadable:
    if not text:
        return Unreadable("empty", "is empty; every row needs this date, or drop these rows in the mapping")
    if date_format is not None:
        return Unreadable("no date", f"{shown(text)} is not a date as {date_format}, which the mapping gives")
    found = _OTHER_DATE.fullmatch(text)
    if found is None:
        if re.fullmatch(r"\d{5}", text, re.ASCII):
            message = f"{shown(text)} is a spreadsheet's day number; format the column as dates and export it again"
            return Unreadable("day number", message)
        return Unreadable("no date", f"{shown(text)} is not a date; write it as year-month-day, such as 2026-03-31")
    first, sign, second = int(found[1]), found[2], int(found[3])
    formats = [f"{one}{sign}YYYY" for one in (f"DD{sign}MM", f"MM{sign}DD")]
    if first > 12 or sign == ".":
        return Unreadable("date format", f"{shown(text)}: write 'date_format: {formats[0]}' into the mapping")
    if second > 12:
        return Unreadable("date format", f"{shown(text)}: write 'date_format: {formats[1]}' into the mapping")
    listed = " or ".join(f"'date_format: {one}'" for one in formats)
    return Unreadable("date format", f"{shown(text)} may be two days; write {listed} into the mapping")
