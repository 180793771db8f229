"""Account lists that cannot be used: each defect gives its message, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from lists import GOOD, HEADER, LOOK_UP, MAPPING, read, row

from sim.scenario import (
    AccountSource,
    ScenarioError,
    load_scenario,
    load_scenario_text,
    read_mapping,
)
from sim.scenario.book.csv_table import MAX_BYTES, MAX_ROWS

SHIPPED = Path(__file__).parents[1] / "scenarios"
BASELINE_LINES = (SHIPPED / "baseline.yaml").read_text(encoding="utf-8").splitlines()
CSM_HEADCOUNT_LINE = 1 + next(
    number
    for number, line in enumerate(BASELINE_LINES)
    if "headcount:" in line and BASELINE_LINES[number - 1] == "  csm:"
)


def said(data: str | bytes, mapping: str = MAPPING, look_up: bytes | None = None) -> list[str]:
    """What is wrong, one line each."""
    with pytest.raises(ScenarioError) as caught:
        read(data, mapping, look_up)
    return str(caught.value).splitlines()


# --- whole files --------------------------------------------------------------------------------------------

NO_TEXT = "not text; save the table as CSV"
FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "list.csv:1: the file is empty; the first line must name the columns"),
    "blank lines": (b"\n ,,\n\n", "list.csv:1: the file is empty; the first line must name the columns"),
    "a header without names": (b'"",""\n', "list.csv:1: the first line names no column; it must name all of them"),
    "header only": (HEADER.encode(), "list.csv:1: only a header; there must be a row for each account"),
    "a workbook": (b"PK\x03\x04\x14", f"list.csv: this is an Excel workbook or a zip archive, {NO_TEXT}"),
    "an old workbook": (b"\xd0\xcf\x11\xe0", f"list.csv: this is an old Excel workbook, {NO_TEXT}"),
    "a picture": (b"\x89PNG\r\n\x1a\n", f"list.csv: this is a picture, {NO_TEXT}"),
    "a document": (b"%PDF-1.7", f"list.csv: this is a PDF document, {NO_TEXT}"),
    "compressed": (b"\x1f\x8b\x08", f"list.csv: this is a compressed file, {NO_TEXT}"),
    "null bytes": (
        HEADER.encode() + b"A\0",
        "list.csv:2: a null byte: this is not text; save the table as CSV in UTF-8",
    ),
    "half UTF-16": (
        (HEADER + GOOD).encode("utf-16")[:-1],
        "list.csv: it begins as UTF-16 and goes on otherwise; save it as CSV in UTF-8",
    ),
    "no encoding": (
        HEADER.encode() + b"\x81",
        "list.csv:2: byte 0x81 is neither UTF-8 nor Windows-1252 text; save the table as CSV in UTF-8",
    ),
    "one column": (
        (HEADER + GOOD).replace(",", " ").encode(),
        "list.csv:1: one column only, 'id company plan arr seats begin ends term renews csm trial'; separate the "
        "columns by commas, semicolons, tabs or vertical bars",
    ),
    "too many columns": (
        b"," * 600 + b"a\n",
        "list.csv:1: 601 columns; at most 500 are read: leave out what is not needed",
    ),
    "open quotation": (
        HEADER.encode() + b'A-1,"open,1\n' + GOOD.encode(),
        "list.csv:2: a quotation mark in this row is never closed; close it, or write it twice if it belongs to the "
        "text",
    ),
    "endless cell": (
        HEADER.encode() + b'A-1,"' + b"x" * 200_000,
        "list.csv:2: a cell of this row has more than 131,072 characters, most likely by a quotation mark that is "
        "never closed; close it",
    ),
    "text after a quotation": (
        HEADER.encode() + GOOD.encode() + b'A-1,"open"x,1\n',
        "list.csv:3: text stands after a closing quotation mark; write a quotation mark inside a cell twice",
    ),
    "short row": (
        (HEADER + GOOD + "A-2,x\n").encode(),
        "list.csv:3: 2 cells in this row, 11 in the header, separated by commas; quote a cell that has the separator "
        "in it",
    ),
    "all left out": (
        (HEADER + row(trial="TRUE") + row(ends="2026-01-05") + row(begin="2026-01-06")).encode(),
        "list.csv: no row is left of 3; left out: 1 where trial is true; 1 that begin after 2026-01-05; 1 that ended "
        "on or before 2026-01-05",
    ),
    "a column twice": (
        (HEADER.replace("csm", "arr") + GOOD).encode(),
        "list.csv:1: arr: 2 columns have this name; rename or delete the ones that are not meant (the mapping asks "
        "for it in columns.arr_per_year)",
    ),
    "a column that is called otherwise": (
        (HEADER.replace("arr", "arr_usd") + GOOD).encode(),
        "list.csv:1: arr: there is no such column; did you mean 'arr_usd'? (the mapping asks for it in "
        "columns.arr_per_year)",
    ),
}


@pytest.mark.parametrize(("data", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_list_is_refused(data: bytes, message: str) -> None:
    mapping = MAPPING.replace(", owner: csm", "") if b"csm" not in data else MAPPING
    assert said(data, mapping) == [message]


def test_too_many_bytes_are_refused() -> None:
    assert said(b"x" * (MAX_BYTES + 1)) == [
        "list.csv: 50,000,001 bytes are more than the 50 MB that are read; leave out rows and columns that are not "
        "needed"
    ]


def test_a_file_of_200_mb_is_refused_by_its_size_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = tmp_path / "huge.csv"
    with open(huge, "wb") as file:
        file.truncate(200_000_000)
    opened: list[object] = []
    monkeypatch.setattr("builtins.open", lambda name, *_: opened.append(name))
    with pytest.raises(ScenarioError, match="200,000,000 bytes are more than the 50 MB that are read"):
        AccountSource.from_files(huge)
    assert not opened, "the size is known before the file is opened"


@pytest.mark.slow
def test_too_many_rows_are_refused() -> None:
    assert said(HEADER + GOOD * (MAX_ROWS + 1)) == [
        "list.csv:200002: more than 200,000 rows; at most so many are read: leave out what has ended"
    ]


# --- cells --------------------------------------------------------------------------------------------------

DIGITS = "is not a number; write it with digits, such as 12000"
TERM = "use a whole number from 1 to 60"
OTHER_MONEY = "is not in USD, the scenario's currency; convert the amounts first"
CELLS: dict[str, tuple[dict[str, str], str]] = {
    "text in ARR": ({"arr": "abc"}, f"arr: 'abc' {DIGITS}"),
    "an abbreviation": ({"arr": "12k"}, f"arr: '12k' {DIGITS}"),
    "an exponent": ({"arr": "1.2E+05"}, f"arr: '1.2E+05' {DIGITS}"),
    "no ARR": ({"arr": ""}, "arr: is empty; write 0 where there is nothing, or drop these rows in the mapping"),
    "negative ARR": ({"arr": "-500"}, "arr: '-500' is negative; take credits off the row that they belong to"),
    "ARR in brackets": ({"arr": "(500)"}, "arr: '(500)' is negative; take credits off the row that they belong to"),
    "too much ARR": ({"arr": "9999999999"}, "arr: '9999999999' is too high; use an amount up to 1000000000"),
    "another currency": ({"arr": "€12000"}, f"arr: '€12000' {OTHER_MONEY}"),
    "another currency in letters": ({"arr": "12000 CHF"}, f"arr: '12000 CHF' {OTHER_MONEY}"),
    "ambiguous date": (
        {"begin": "03/04/2025"},
        "begin: '03/04/2025' may be two days; write 'date_format: DD/MM/YYYY' or 'date_format: MM/DD/YYYY' into the "
        "mapping",
    ),
    "European date": ({"begin": "25/04/2025"}, "begin: '25/04/2025': write 'date_format: DD/MM/YYYY' into the mapping"),
    "US date": ({"begin": "04/25/2025"}, "begin: '04/25/2025': write 'date_format: MM/DD/YYYY' into the mapping"),
    "date with dots": ({"begin": "3.4.2025"}, "begin: '3.4.2025': write 'date_format: DD.MM.YYYY' into the mapping"),
    "impossible date": ({"begin": "2025-02-30"}, "begin: '2025-02-30' is no day of the calendar; correct it"),
    "day number": (
        {"begin": "45292"},
        "begin: '45292' is a spreadsheet's day number; format the column as dates and export it again",
    ),
    "no date": (
        {"begin": "soon"},
        "begin: 'soon' is not a date; write it as year-month-day, such as 2026-03-31",
    ),
    "empty date": ({"begin": ""}, "begin: is empty; every row needs this date, or drop these rows in the mapping"),
    "start long ago": ({"begin": "1900-01-01"}, "begin: the start is before 1950; correct it"),
    "end before start": ({"ends": "2025-02-01"}, "ends: the end is before the start; correct one of them"),
    "renewal before start": (
        {"renews": "2025-01-01"},
        "renews: the renewal is not after the start; correct one of them",
    ),
    "renewal passed, no term": ({"renews": "2025-06-01", "term": ""}, f"term: is empty; {TERM}"),
    "renewal far away": (
        {"renews": "9999-12-31"},
        "renews: the renewal is more than ten years away; leave the cell empty where there is none",
    ),
    "term of 0": ({"term": "0"}, f"term: a term of 0 months cannot be used; {TERM}"),
    "term of 61": ({"term": "61"}, f"term: a term of 61 months cannot be used; {TERM}"),
    "term in words": ({"term": "one year"}, f"term: 'one year' is not a number of months; {TERM}"),
    "no id": ({"id": ""}, "id: is empty; every row needs the id of its account"),
    "long id": ({"id": "x" * 101}, f"id: '{'x' * 60}…' has 101 characters; at most 100 are read"),
    "long name": ({"company": "y" * 201}, f"company: '{'y' * 60}…' has 201 characters; at most 200 are read"),
    "escape sequence": (
        {"company": "a\x1b[31mb"},
        r"company: 'a\x1b[31mb' has the control character \x1b; delete it",
    ),
    "text turned round": (
        {"company": "\u202eabc"},
        r"company: '\u202eabc' has the control character \u202e; delete it",
    ),
    "line break": ({"company": '"a\nb"'}, r"company: 'a\nb' has a line break; delete it"),
    "unmapped tier": ({"plan": "Platinum"}, "plan: 'Platinum' has no tier under 'tier'; known here: Pro, Basic"),
    "misspelt tier": ({"plan": "basik"}, "plan: 'basik' has no tier under 'tier'; did you mean 'Basic'?"),
    "no tier": ({"plan": ""}, "plan: an empty cell has no tier under 'tier'; known here: Pro, Basic"),
    "negative seats": ({"seats": "-3"}, "seats: '-3' cannot be a number of seats; use 0 to 10000000"),
    "seats in words": ({"seats": "many"}, f"seats: 'many' {DIGITS}"),
}


@pytest.mark.parametrize(("cells", "message"), CELLS.values(), ids=CELLS)
def test_a_cell_that_cannot_be_used_is_quoted_with_its_line(cells: dict[str, str], message: str) -> None:
    assert said(HEADER + row(id="A-0") + row(**cells)) == [f"list.csv:3: {message}"]


def test_all_problems_come_at_once_and_the_same_one_of_many_rows_comes_once() -> None:
    rows = [row(id=f"a{index}", arr="x", plan="Gold", begin="2025-13-01") for index in range(9)]
    assert said(HEADER + "".join(rows) + "a,b\n") == [
        "list.csv:11: 2 cells in this row, 11 in the header, separated by commas; quote a cell that has the separator "
        "in it",
        "list.csv:2: begin: '2025-13-01' is no day of the calendar; correct it (also on lines 3, 4, 5 and 5 more)",
        f"list.csv:2: arr: 'x' {DIGITS} (also on lines 3, 4, 5 and 5 more)",
        "list.csv:2: plan: 'Gold' has no tier under 'tier'; known here: Pro, Basic (also on lines 3, 4, 5 and 5 more)",
    ]


def test_rows_that_are_left_out_may_be_as_wrong_as_they_like() -> None:
    book = read(HEADER + GOOD + row(id="", arr="x", begin="y", plan="z", trial="True"))
    assert book.account == ("A-1",)


def test_a_line_number_is_that_of_the_file_even_after_a_cell_of_several_lines() -> None:
    long_cell = row(trial='"a\nb\nc"')
    assert said(HEADER + long_cell + row(id="A-2", arr="x")) == [f"list.csv:5: arr: 'x' {DIGITS}"]


# --- rows and owners ----------------------------------------------------------------------------------------


def test_several_rows_of_an_account_are_refused_unless_they_are_to_be_summed() -> None:
    twice = HEADER + GOOD + row(arr="1")
    assert said(twice) == [
        "list.csv:3: id: 'A-1' has several rows; keep one, or write 'several_rows: sum' into the mapping"
    ]
    assert read(twice, MAPPING + "several_rows: sum\n").arr_cents.tolist() == [1_200_100]


def test_a_row_that_is_there_twice_is_never_summed() -> None:
    assert said(HEADER + GOOD + row(id="A-2") + GOOD, MAPPING + "several_rows: sum\n") == [
        "list.csv:4: this row is the same as the one on line 2; delete one of them"
    ]


def test_an_unknown_owner_is_named_with_its_line() -> None:
    rows = HEADER + row(csm="Ben Lindquist") + row(id="B", csm="Ben Lindqvist")
    assert said(rows, MAPPING + "owners: [Ben Lindqvist, Ada Okafor]\n") == [
        "list.csv:2: csm: 'Ben Lindquist' is not among the owners of the mapping; did you mean 'Ben Lindqvist'?"
    ]


BY_ARR = MAPPING.replace("tier: plan, ", "").replace("{Pro: midmarket, Basic: small}", "{enterprise: 100000, %s}")


def test_least_arrs_that_leave_an_account_without_a_tier_are_refused() -> None:
    assert said(HEADER + row(arr="5"), BY_ARR % "midmarket: 20000") == [
        "list.csv:2: arr: an ARR of 5 is below every tier of the mapping; begin 'midmarket' at 0, or drop such rows"
    ]


def test_tiers_that_the_scenario_does_not_have_are_named() -> None:
    meant = "the scenario has no tier 'mid_market'; did you mean 'midmarket'?"
    assert said(HEADER + GOOD, BY_ARR % "mid_market: 0") == [f"map.yaml: tier.mid_market: {meant}"]
    assert said(HEADER + GOOD, MAPPING.replace("midmarket", "mid_market")) == [f"map.yaml: tier.Pro: {meant}"]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (None, "map.yaml: look_up.file: 'crm.csv' is not given; give the second list too"),
        (
            b"aid;rep\nA-1;Zoe\nA-1;Bob\n",
            "crm.csv:3: aid: the account 'A-1' is in this list twice; keep one of its rows",
        ),
        (
            b"aid;rip\nA-1;Zoe\n",
            "crm.csv:1: rep: there is no such column; did you mean 'rip'? (the mapping asks for it in "
            "look_up.columns.owner)",
        ),
        (b"aid;rep\nA-1;\x07\n", r"crm.csv:2: rep: '\x07' has the control character \x07; delete it"),
    ],
)
def test_problems_of_the_second_list_are_told_with_its_name(second: bytes | None, message: str) -> None:
    assert said(HEADER + GOOD, LOOK_UP, second) == [message]


def test_what_the_second_list_must_know_of_an_account_it_knows() -> None:
    mapping = MAPPING.replace(" tier: plan,", "") + "look_up: {file: crm.csv, account: aid, columns: {tier: plan}}\n"
    assert said(HEADER + GOOD + row(id="B"), mapping, b"aid,plan\nA-1,Pro\n") == [
        "list.csv:3: the second list has no 'tier' for 'B'; add it there"
    ]


# --- mappings -----------------------------------------------------------------------------------------------

COLUMNS = "columns: {account: id, arr_per_year: arr, start: begin, %s}\n"
NO_TERM = "nothing says how long contracts last; give the column term_months or billing, or write 'term: 12'"
MAPPINGS: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", ["1: the file is empty; a mapping needs at least 'columns'"]),
    "no columns": ("term: 12\n", ["1: columns: missing; use a map, that is keys with values"]),
    "misspelt keys": (
        "colums: {}\ncolumns: {acount: id, account: id, arr_per_year: arr, start: s, tier: t}\nterm: 12\n",
        ["1: colums: unknown key; did you mean 'columns'?", "2: columns.acount: unknown key; did you mean 'account'?"],
    ),
    "too little": (
        "columns: {account: id}\n",
        [
            "1: columns: nothing says the revenue; give arr_per_year, or mrr for monthly amounts",
            "1: columns: nothing says when contracts end; give 'start', 'renewal' or both",
            f"1: columns: {NO_TERM}",
        ],
    ),
    "too much": (
        COLUMNS % "mrr: m, term_months: t, tier: p" + "term: 12\ntier: {enterprise: 10, small: 10}\n",
        [
            "1: columns.mrr: arr_per_year is given as well; keep one of them",
            "2: term: term_months and term both say how long contracts last; keep one of them",
            "3: tier: tiers by ARR do not use the column 'tier'; delete that column from the mapping, or the ARRs",
            "3: tier: two tiers begin at the same ARR; give each its own",
        ],
    ),
    "values without their columns": (
        COLUMNS % "name: n" + "term: {monthly: 1}\ntier: {Pro: small}\nheadcount: {csm: from_owners}\n",
        [
            f"1: columns: {NO_TERM}",
            "2: term: the values belong to the column 'billing', which is missing under columns; name it",
            "3: tier: the values belong to the column 'tier', which is missing under columns; name it",
            "4: headcount.csm: from_owners needs the column with owners; name it under columns",
        ],
    ),
    "values out of range": (
        COLUMNS % "tier: p" + "term: 61\ntier: {enterprise: -1}\nheadcount: {csm: 7}\nowner: mine\n",
        [
            "2: term: 61 is too high; use a whole number of months from 1 to 60",
            "3: tier.enterprise: -1 is too low; use a number from 0 to 1000000000",
            "4: headcount.csm: 7 does not fit here; write {accounts_per_person: 70}, or from_owners",
            "5: owner: 'mine' is not one of named, dealt",
        ],
    ),
    "a day far away": (
        COLUMNS % "tier: p" + "term: 12\nas_of: 0999-12-31\n",
        ["3: as_of: 0999-12-31 is far away; use a day from 1950 to 2150"],
    ),
    "half rules": (
        COLUMNS % "tier: p, owner: o" + "term: 12\ndrop: [{column: trial}]\n"
        "look_up: {file: crm.csv, account: id, columns: {owner: o}}\n",
        [
            "3: drop[0]: give 'column' with 'is', such as {column: is_trial, is: [true]}, or {zero_arr: true}",
            "4: look_up.columns.owner: the first list has it as well; keep one of them",
        ],
    ),
}


@pytest.mark.parametrize(("text", "messages"), MAPPINGS.values(), ids=MAPPINGS)
def test_a_wrong_mapping_is_told_line_by_line(text: str, messages: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_mapping(text.encode(), "map.yaml")
    found = [str(problem).removeprefix("map.yaml:") for problem in caught.value.problems]
    assert sorted(found) == sorted(messages)


# --- scenario files that name a list -------------------------------------------------------------------------


def in_scenario(tmp_path: Path, body: str) -> list[str]:
    """What is wrong with a scenario file beside the shipped baseline and a small list."""
    (tmp_path / "baseline.yaml").write_bytes((SHIPPED / "baseline.yaml").read_bytes())
    (tmp_path / "list.csv").write_text(HEADER + GOOD + row(id="A-2", csm="Bob"), encoding="utf-8")
    (tmp_path / "list.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(f"name: Mine\nextends: baseline.yaml\n{body}", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "mine.yaml")
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            "accounts: {file: lists.csv}\n",
            ["mine.yaml:3: accounts.file: there is no file 'lists.csv'; did you mean 'list.csv'?"],
        ),
        (
            "accounts:\n  file: ../list.csv\n  mapping: /etc/passwd\n",
            [
                "mine.yaml:4: accounts.file: '../list.csv' leaves the folder; name a file in this folder or below it, "
                "such as books/example.csv",
                "mine.yaml:5: accounts.mapping: '/etc/passwd' is an absolute path; name a file in this folder or "
                "below it, such as books/example.yaml",
            ],
        ),
        (
            "accounts: {file: list.csv, mapping: lost.yaml}\n",
            [
                "mine.yaml:3: accounts.mapping: there is no file 'lost.yaml'; did you mean 'list.yaml'?",
            ],
        ),
        (
            "accounts: {mapping: list.yaml}\n",
            ["mine.yaml:3: accounts.mapping: a mapping without a list; name the list with 'file' beside it"],
        ),
        (
            "accounts: {fil: list.csv}\n",
            ["mine.yaml:3: accounts.fil: unknown key; did you mean 'file'?"],
        ),
        (
            "accounts: {file: list.csv}\ntiers: {midmarket: {accounts: 7}}\n",
            ["mine.yaml:4: tiers.midmarket.accounts: 7 is written here, but the account list has 2; delete this value"],
        ),
        (
            "accounts: {file: list.csv}\nteams: {csm: {opening_vacancies: 5}}\n",
            [
                f"baseline.yaml:{CSM_HEADCOUNT_LINE}: teams.csm.headcount: 6 people less 5 vacancies cannot be the 2 "
                "owners that the account list names; set the headcount to 7 or more, write "
                "'headcount: {csm: from_owners}' into the mapping, or 'owner: dealt' to deal all accounts out",
            ],
        ),
        ("book: 3\n", ["mine.yaml:3: book: unknown key; did you mean 'playbooks'?"]),
        (
            "accounts: {file: list.csv}\nchanges: [{from: 2026-07-01, set: {accounts.file: list.csv}}]\n",
            [
                "mine.yaml:4: changes[0].set.accounts.file: it describes the opening only and cannot change during the "
                "run"
            ],
        ),
        (
            "accounts: {file: list.csv}\nstart: 2026-01-06\n",
            ["mine.yaml:4: start: 2026-01-06 is a Tuesday; weeks begin on Monday: use 2026-01-05 or 2026-01-12"],
        ),
    ],
)
def test_a_scenario_file_that_names_a_list_wrongly_says_so(tmp_path: Path, body: str, messages: list[str]) -> None:
    found = in_scenario(tmp_path, body)
    assert len(found) == len(messages), found
    for line, message in zip(found, messages, strict=True):
        assert line.startswith(message)


def test_a_scenario_that_is_called_like_the_list_is_not_its_mapping(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEADER + GOOD, encoding="utf-8")
    assert in_scenario(tmp_path, "accounts: {file: mine.csv}\n") == [
        "mine.yaml: is called like the list and so taken for its mapping, but has no 'columns'; name the mapping"
    ]


def test_a_list_and_its_scenario_are_judged_together(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(HEADER + row(arr="x"), encoding="utf-8")
    found = in_scenario(tmp_path, "accounts: {file: other.csv, mapping: list.yaml}\nweeks: 0\n")
    assert found == [
        "mine.yaml:4: weeks: 0 is too low; use a whole number of weeks from 1 to 520",
        f"other.csv:2: arr: 'x' {DIGITS}",
    ]


def test_a_text_without_a_folder_cannot_name_a_list() -> None:
    text = (SHIPPED / "baseline.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"accounts\.file: 'l\.csv' cannot be looked for"):
        load_scenario_text(text.replace("accounts:\n", "accounts:\n  file: l.csv\n", 1), "upload.yaml")


def test_an_override_cannot_name_a_list() -> None:
    with pytest.raises(ScenarioError, match=r"accounts\.file: 'l\.csv' cannot be set here"):
        load_scenario(SHIPPED / "baseline.yaml", {"accounts.file": "l.csv"})
    with pytest.raises(ScenarioError, match=r"accounts\.file: an empty value cannot be set here"):
        load_scenario(SHIPPED / "example_accounts.yaml", {"accounts.file": None})
