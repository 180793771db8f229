"""Reads an account list: rows of a CSV file to one account each.

In: the bytes of the list, a mapping, and the scenario's tiers, start and currency. Out: an `AccountList`, or a
`ScenarioError` with every problem of the list, of its second list and of the mapping.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np

from sim.scenario.book.account_list import AccountList, FloatArray
from sim.scenario.book.cells import Unreadable, day_number, decimal_sign, money, seats, term_months
from sim.scenario.book.columns import standard_mapping
from sim.scenario.book.csv_table import SEPARATORS, TextTable, read_table, unprintable
from sim.scenario.book.findings import Findings
from sim.scenario.book.grouping import Account, Row, grouped, next_end
from sim.scenario.book.mapping import MAPPING, USUAL_TERMS, Mapping, contradictions
from sim.scenario.book.rows import Rows
from sim.scenario.errors import MOST_PROBLEMS, Problem, ScenarioError, did_you_mean, number, shown

LONGEST_ID, LONGEST_NAME = 100, 200
MOST_DAYS_AHEAD = 3653


def read_accounts(
    data: bytes,
    file_name: str,
    mapping: Mapping | None,
    *,
    tiers: Sequence[str],
    start: dt.date,
    currency: str,
    look_up: bytes | None = None,
    mapping_name: str = MAPPING,
) -> AccountList:
    """The account list in the bytes of a CSV file.

    mapping : None where the file has the standard column names. tiers : the scenario's, in its order.
    start : the scenario's first day, after which renewals lie. look_up : the second list, if the mapping names one.
    file_name, mapping_name : what messages call them.

    Raises ScenarioError with every problem; the path of a problem is the column, its line that of the row.
    """
    table, problems = read_table(data, file_name)
    if table is None:
        raise ScenarioError(problems)
    standard = mapping is None
    if mapping is None:
        mapping = standard_mapping(table.header)
    problems += [Problem(mapping_name, 0, path, message) for path, message in _unfit(mapping, tiers)]
    findings = Findings(file_name)
    rows = Rows(table, mapping, findings, standard)
    if mapping.look_up is not None:
        second, more = (None, []) if look_up is None else read_table(look_up, mapping.look_up.file)
        problems += more
        if second is not None:
            rows.look_up(second)
        elif not more:
            message = f"{shown(mapping.look_up.file)} is not given; give the second list too"
            problems.append(Problem(mapping_name, 0, "look_up.file", message))
    as_of = mapping.as_of or start
    reading = _Reading(rows, tiers, as_of, start, currency)
    read = reading.rows_read()
    problems += findings.problems() + (rows.second_findings.problems() if rows.second_findings else [])
    if not problems and not len(rows.kept):
        dropped = "; ".join(reading.dropped)
        problems.append(Problem(file_name, 0, "", f"no row is left of {len(table.rows):,}; left out: {dropped}"))
    accounts = grouped(read, rows.kept, second_seats=_from_second(rows, "seats")) if not problems else None
    if accounts is not None:
        reading.tiers_by_arr(accounts)
        reading.one_row_each(accounts)
        reading.renewals(accounts, read)
        problems = findings.problems() + (rows.second_findings.problems() if rows.second_findings else [])
    if problems or accounts is None:
        raise ScenarioError(_first(problems, file_name))
    told = [*_file_told(table), *reading.told(accounts, len(table.rows), as_of)]
    return reading.account_list(accounts, told)


def _file_told(table: TextTable) -> list[str]:
    """How the file itself was read."""
    told = [f"{table.file}: {counted(len(table.rows), 'row')}, separated by {SEPARATORS[table.separator]}."]
    if table.encoding == "Windows-1252":
        told.append("The file is not UTF-8 and was read as Windows-1252: look at names with accents.")
    elif table.encoding:
        told.append(f"The file was read as {table.encoding}.")
    return told


def _first(problems: list[Problem], file: str) -> list[Problem]:
    """Of very many problems the first ones."""
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], Problem(file, 0, "", "there are more problems; repair these first")]
    return problems


def _from_second(rows: Rows, name: str) -> bool:
    source = rows.source(name)
    return source is not None and source.second


def _unfit(mapping: Mapping, tiers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(path, message) of what a mapping says that contradicts itself or the scenario."""
    for path, message in contradictions(mapping):
        yield ".".join(map(str, path)), message
    rule = mapping.tier
    named: dict[str, str] = {}
    if rule is not None and rule.values is not None:
        named = rule.values
    elif rule is not None and rule.arr_at_least is not None:
        named = {tier: tier for tier in rule.arr_at_least}
    for value, tier in named.items():
        if tier not in tiers:
            yield f"tier.{value}", f"the scenario has no tier {shown(tier)}" + did_you_mean(tier, tiers)
    has_tier = mapping.columns.tier or (mapping.look_up is not None and mapping.look_up.columns.tier)
    if not has_tier and not (rule is not None and rule.arr_at_least) and len(tiers) > 1:
        least = ", ".join(f"{tier}: {10_000 * (len(tiers) - 1 - index)}" for index, tier in enumerate(tiers))
        message = f"nothing says which tier an account has; name the column 'tier', or write least ARRs: {{{least}}}"
        yield "tier", message


class _Reading:
    """Reads the rows of one list, leaving out what does not count.

    as_of : the day whose rows count and from which tenure is counted. start : the scenario's first day, from which
    renewals are. Both in days since 1970.
    """

    def __init__(self, rows: Rows, tiers: Sequence[str], as_of: dt.date, start: dt.date, currency: str) -> None:
        self.rows, self.mapping, self.tiers, self.currency = rows, rows.mapping, tuple(tiers), currency
        self.as_of, self.start = (float((day - dt.date(1970, 1, 1)).days) for day in (as_of, start))
        self.dropped: list[str] = []
        self.invented: list[str] = []

    # --- rows ---------------------------------------------------------------------------------------------

    def rows_read(self) -> Row:
        """The rows that count, as arrays; nan where a cell is unreadable."""
        rows = self.rows
        self._drop_by_value()
        start, end = self._date("start"), self._date("end", optional=True)
        backwards = end < start
        for position in np.flatnonzero(backwards).tolist():
            rows.wrong("end", position, "end", "the end is before the start; correct one of them")
        future, ended = start > self.as_of, (end <= self.as_of) & ~backwards
        day = _date_of(self.as_of)
        for mask, what in ((future & ~ended, f"begin after {day}"), (ended, f"ended on or before {day}")):
            if mask.any():
                self.dropped.append(f"{int(mask.sum()):,} that {what}")
        rows.keep(~(future | ended))
        arr = self._money()
        if any(rule.zero_arr for rule in self.mapping.drop) and len(arr):
            nothing = rows.keep(~(arr == 0))
            arr = arr[~(arr == 0)]
            self.dropped += [f"{nothing:,} without revenue"] * (nothing > 0)
        self._texts()
        start, renewal = self._date("start"), self._date("renewal", optional=True)
        for position in np.flatnonzero(renewal <= start).tolist():
            rows.wrong("renewal", position, "renewal", "the renewal is not after the start; correct one of them")
        for position in np.flatnonzero(renewal > self.start + MOST_DAYS_AHEAD).tolist():
            message = "the renewal is more than ten years away; leave the cell empty where there is none"
            rows.wrong("renewal", position, "far renewal", message)
        for position in np.flatnonzero(np.isnan(start) & np.isnan(renewal)).tolist():
            if self.mapping.columns.start is None:
                rows.wrong("renewal", position, "no date", "is empty, and there is no start to count from; fill it in")
        return Row(
            account=rows.cells("account"),
            name=rows.cells("name"),
            owner=rows.cells("owner"),
            arr=arr,
            seats=self._seats(),
            start=start,
            renewal=renewal,
            term=self._terms(),
            tier=self._tier_codes(),
        )

    def _drop_by_value(self) -> None:
        rows = self.rows
        for rule in self.mapping.drop:
            if rule.column is None or rule.is_ is None or rule.column not in rows.table.header:
                continue
            cells = rows.table.column(rule.column)
            wanted = {value.strip().casefold() for value in rule.is_}
            gone = rows.keep([cells[row].casefold() not in wanted for row in rows.kept.tolist()])
            if gone:
                self.dropped.append(f"{gone:,} where {rule.column} is {' or '.join(rule.is_)}")

    def _date(self, name: str, optional: bool = False) -> FloatArray:
        """A date column as days since 1970; nan without it, and for empty cells if they are allowed."""
        if self.rows.source(name) is None:
            return np.full(len(self.rows.kept), np.nan)
        date_format = self.mapping.date_format

        def read(cell: str) -> float:
            return np.nan if optional and not cell else day_number(cell, date_format)

        days = self.rows.numbers(name, read)
        if name == "start":
            for position in np.flatnonzero(days < -7305).tolist():
                self.rows.wrong(name, position, "long ago", "the start is before 1950; correct it")
        return days

    def _decimal(self, name: str) -> str:
        source = self.rows.source(name)
        cells = dict.fromkeys(self.rows.cells(name))
        try:
            return decimal_sign(cells, source.separator if source else ",", self.mapping.decimal)
        except Unreadable as unreadable:
            for position, cell in enumerate(self.rows.cells(name)):
                if "." in cell or "," in cell:
                    self.rows.wrong(name, position, unreadable.kind, unreadable.message)
                    break
        return "."

    def _money(self) -> FloatArray:
        """ARR of the kept rows."""
        name = "mrr" if self.rows.source("mrr") is not None else "arr_per_year"
        if self.rows.source(name) is None:
            return np.full(len(self.rows.kept), np.nan)
        decimal, times = self._decimal(name), 12 if name == "mrr" else 1
        return times * self.rows.numbers(name, lambda cell: money(cell, decimal, self.currency))

    def _seats(self) -> FloatArray:
        if self.rows.source("seats") is None:
            return np.full(len(self.rows.kept), np.nan)
        decimal = self._decimal("seats")
        return self.rows.numbers("seats", lambda cell: seats(cell, decimal, self.currency))

    def _texts(self) -> None:
        """Notes ids, names and owners that cannot be used."""
        rows = self.rows
        for name, most in (("account", LONGEST_ID), ("name", LONGEST_NAME), ("owner", LONGEST_NAME)):
            if rows.source(name) is None:
                continue
            cells = rows.cells(name)
            plain = "".join(cells).isprintable()
            for position, cell in enumerate(cells):
                if name == "account" and not cell:
                    rows.wrong(name, position, "empty", "is empty; every row needs the id of its account")
                elif len(cell) > most:
                    message = f"{shown(cell)} has {len(cell)} characters; at most {most} are read"
                    rows.wrong(name, position, "too long", message)
                elif not plain and (what := unprintable(cell)):
                    rows.wrong(name, position, "unprintable", f"{shown(cell)} has {what}; delete it")
        if self.mapping.owners is not None:
            known = {owner.strip() for owner in self.mapping.owners}
            for position, owner in enumerate(rows.cells("owner")):
                if owner and owner not in known:
                    message = f"{shown(owner)} is not among the owners of the mapping" + did_you_mean(owner, known)
                    rows.wrong("owner", position, f"unknown {owner}", message)

    def _terms(self) -> FloatArray:
        rule, rows = self.mapping.term, self.rows
        if rule is not None and rule.months is not None:
            return np.full(len(rows.kept), float(rule.months))
        if rows.source("term_months") is not None:
            found = rows.numbers("term_months", term_months)
            name = "term_months"
        elif rows.source("billing") is not None:
            usual = USUAL_TERMS if rule is None or rule.billing is None else rule.billing
            terms = {value.casefold(): months for value, months in usual.items()}

            def read(cell: str) -> float:
                if cell.casefold() not in terms:
                    message = f"{shown(cell)} has no number of months under 'term'" + did_you_mean(cell, list(usual))
                    raise Unreadable(f"billing {cell}", message)
                return float(terms[cell.casefold()])

            found, name = rows.numbers("billing", read), "billing"
        else:
            return np.full(len(rows.kept), np.nan)
        self._no_partner(name, found)
        return found

    def _no_partner(self, name: str, values: FloatArray) -> None:
        """Notes rows for which the second list should have said something needed."""
        if _from_second(self.rows, name):
            ids, cells = self.rows.cells("account"), self.rows.cells(name)
            for position in np.flatnonzero(np.isnan(values)).tolist():
                if not cells[position]:
                    message = f"the second list has no '{name}' for {shown(ids[position])}; add it there"
                    self.rows.findings.add(self.rows.table.lines[self.rows.kept[position]], "", name, message)

    def _tier_codes(self) -> FloatArray:
        """Position of each row's tier by the tier column; nan where the ARR decides."""
        rows, rule = self.rows, self.mapping.tier
        if rows.source("tier") is None:
            return np.full(len(rows.kept), 0.0 if len(self.tiers) == 1 else np.nan)
        values = {tier: tier for tier in self.tiers} if rule is None or rule.values is None else rule.values
        position = {tier: float(index) for index, tier in enumerate(self.tiers)}
        codes = {value.casefold(): position.get(tier, np.nan) for value, tier in values.items()}

        def read(cell: str) -> float:
            key = cell.casefold()
            if key not in codes:
                key = key.replace(" ", "_").replace("-", "_") if rule is None else key
            if key not in codes:
                what = "an empty cell" if not cell else shown(cell)
                raise Unreadable(f"tier {cell}", f"{what} has no tier under 'tier'" + did_you_mean(cell, list(values)))
            return codes[key]

        found = rows.numbers("tier", read)
        self._no_partner("tier", found)
        return found

    # --- accounts -----------------------------------------------------------------------------------------

    def tiers_by_arr(self, accounts: Account) -> None:
        """Gives accounts the highest tier whose least ARR they reach."""
        rule = self.mapping.tier
        if rule is None or rule.arr_at_least is None:
            return
        least = sorted((amount, self.tiers.index(tier)) for tier, amount in rule.arr_at_least.items())
        bounds = np.array([amount for amount, _ in least])
        place = np.searchsorted(bounds, accounts.arr_cents / 100, side="right") - 1
        lowest = self.tiers[least[0][1]]
        for account in np.flatnonzero(place < 0).tolist():
            message = (
                f"an ARR of {number(accounts.arr_cents[account] / 100)} is below every tier of the mapping; "
                f"begin '{lowest}' at 0, or drop such rows"
            )
            self.rows.wrong(
                "mrr" if self.rows.source("mrr") else "arr_per_year", accounts.last[account], "low", message
            )
        accounts.tier = np.array([tier for _, tier in least], dtype=np.int64)[np.maximum(place, 0)]

    def one_row_each(self, accounts: Account) -> None:
        """Notes accounts with several rows where that is refused, and rows that are there twice."""
        if self.mapping.several_rows == "refuse":
            for position in accounts.again:
                message = (
                    f"{shown(self.rows.cells('account')[position])} has several rows; keep one, or write "
                    "'several_rows: sum' into the mapping"
                )
                self.rows.wrong("account", position, "several", message)
            return
        seen: dict[tuple[str, ...], int] = {}
        doubtful = set(accounts.account[group] for group in accounts.group[accounts.again].tolist())
        ids = self.rows.cells("account")
        for position, row in enumerate(self.rows.kept.tolist()):
            if ids[position] not in doubtful:
                continue
            line = self.rows.table.lines[row]
            first = seen.setdefault(tuple(self.rows.table.rows[row]), line)
            if first != line:
                message = f"this row is the same as the one on line {first}; delete one of them"
                self.rows.findings.add(line, "", "same row", message)

    def renewals(self, accounts: Account, read: Row) -> None:
        """Each account's next contract end and its start.

        A renewal is a calendar date, whatever day the list is of. The row that started last decides: its renewal date,
        or its start, rolled forward by whole terms until it is past the scenario's first day. Without a start, the
        account is taken as being in its first term on that day.
        """
        last = accounts.last
        given, begun = read.renewal[last], read.start[last]
        anchor = np.where(np.isnan(given), begun, given)
        unknown = np.isnan(anchor)
        rolled = next_end(np.where(unknown, self.start, anchor), accounts.term, self.start)
        accounts.renewal = np.where(given > self.start, given, rolled)
        for account in np.flatnonzero(unknown).tolist():
            self.rows.wrong("renewal", int(last[account]), "no date", "is empty, and there is no start; fill it in")
        lacking = np.isnan(accounts.start)
        tenure = np.maximum(0.0, self.start - (accounts.renewal - accounts.term * 365.25 / 12))
        accounts.start = np.where(lacking, self.as_of - tenure, accounts.start)
        if lacking.any():
            self.invented.append(
                f"the start of {counted(int(lacking.sum()), 'account')}: one term before their renewal"
            )

    def account_list(self, accounts: Account, told: list[str]) -> AccountList:
        """The list, by tier and then as first seen."""
        order = np.argsort(accounts.tier, kind="stable")
        named = self.mapping.owner == "named"
        owners: tuple[str, ...] = ()
        if named:
            names = {one.strip() for one in self.mapping.owners or accounts.owner} - {""}
            owners = tuple(sorted(names, key=lambda name: (name.casefold(), name)))
        seat = {name: index for index, name in enumerate(owners)}
        rows = order.tolist()
        return AccountList(
            account=tuple(accounts.account[row] for row in rows),
            name=tuple(accounts.name[row] for row in rows),
            tier=accounts.tier[order],
            arr_cents=accounts.arr_cents[order],
            seats=accounts.seats[order],
            term_months=accounts.term[order],
            started_days=(accounts.start - self.as_of)[order],
            renewal_days=(accounts.renewal - self.start)[order],
            owner=tuple(accounts.owner[row] for row in rows),
            owner_seat=np.array([seat.get(accounts.owner[row], -1) for row in rows], dtype=np.int64),
            owners=owners,
            summary=tuple(told),
        )

    def told(self, accounts: Account, rows: int, as_of: dt.date) -> list[str]:
        """What was read, dropped, summed and invented, with totals."""
        kept, n = len(self.rows.kept), len(accounts.account)
        several = len(set(accounts.group[accounts.again].tolist()))
        lines = []
        if self.dropped:
            lines.append(f"Left out: {counted(rows - kept, 'row')}; {'; '.join(self.dropped)}.")
        total = f"{int(accounts.arr_cents.sum()) / 100:,.2f} {self.currency}"
        lines.append(f"The book of {as_of}: {counted(kept, 'row')}, {counted(n, 'account')}, ARR {total}.")
        if several:
            lines.append(
                f"{counted(several, 'account')} with several rows: ARR and seats are sums, the start is the "
                "earliest, the term the one with most ARR; the last start decides the renewal."
            )
        if self.rows.mapping.look_up is not None:
            ids, partners = self.rows.cells("account"), self.rows.partners
            without, left = sum(one not in partners for one in ids), len(partners - set(ids))
            lines.append(
                f"Second list: {counted(without, 'row')} without a partner in it, {left:,} of its accounts without a "
                "row."
            )
        if self.mapping.owner == "named" and self.rows.source("owner") is not None:
            names, none = len(set(accounts.owner) - {""}), sum(not owner for owner in accounts.owner)
            lines.append(f"{counted(names, 'owner')}; accounts without one, which are dealt out: {none:,}.")
        else:
            lines.append("All accounts are dealt out to people.")
        unknown = int(np.isnan(accounts.seats).sum())
        if unknown:
            self.invented.append(f"the seats of {counted(unknown, 'account')}: ARR divided by the tier's ARR per seat")
        self.invented.append("each account's contact rate, and its adoption, satisfaction and executive contact")
        return [*lines, f"Invented: {'; '.join(self.invented)}."]


def counted(number_of: int, noun: str) -> str:
    """'1 row', '1,200 rows'."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def _date_of(days: float) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(days))
