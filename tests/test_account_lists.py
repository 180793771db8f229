"""Account lists: what is read from them."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
import itertools
import os
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lists import GOOD, HEADER, MAPPING, ROWS, START, TIERS, read, row

from sim.scenario import (
    AccountList,
    AccountSource,
    ScenarioError,
    dump_mapping,
    guess_mapping,
    load_scenario,
    read_accounts,
    read_mapping,
)
from sim.scenario.book.grouping import next_end

SHIPPED = Path(__file__).parents[1] / "scenarios"
EXAMPLE = SHIPPED / "books" / "example.csv"
SUM = MAPPING + "several_rows: sum\n"


def days(year: int, month: int, day: int, since: dt.date = START) -> float:
    return float((dt.date(year, month, day) - since).days)


# --- cells --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12000", 1_200_000),
        ("12000.5", 1_200_050),
        ('"12,000"', 1_200_000),
        ('"12,000.50"', 1_200_050),
        ('"1,234,567"', 123_456_700),
        ('"12.000,50"', 1_200_050),
        ('"833,33"', 83_333),
        ("12 000", 1_200_000),
        ("12'000", 1_200_000),
        ("$12000", 1_200_000),
        ("USD 12000", 1_200_000),
        ("12000 USD", 1_200_000),
        ("0", 0),
        (".5", 50),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, cents: int) -> None:
    assert read(HEADER + row(arr=text)).arr_cents.tolist() == [cents]


def test_three_digits_after_a_sign_are_asked_for_where_the_file_does_not_decide() -> None:
    doubtful = (HEADER + row(arr="12.500")).replace(",", ";")
    with pytest.raises(ScenarioError, match=r"'12\.500' may have decimals or thousands; write decimal: '\.' or"):
        read(doubtful)
    assert read(doubtful, MAPPING + 'decimal: ","\n').arr_cents.tolist() == [1_250_000]
    assert read(doubtful, MAPPING + 'decimal: "."\n').arr_cents.tolist() == [1_250]
    decided = (HEADER + row(arr="12.500") + row(id="B", arr="9,95", csm="")).split("\n")
    decided = [line.replace(",", ";") for line in decided]
    decided[2] = decided[2].replace("9;95", "9,95")
    assert read("\n".join(decided)).arr_cents.tolist() == [1_250_000, 995], "another cell of the column decides"


def test_cells_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"'1,200\.50' has a decimal point and '1\.200,50' a decimal comma"):
        read(HEADER + row(arr='"1,200.50"') + row(id="B", arr='"1.200,50"'))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separators_and_encodings_are_recognised_and_told(separator: str, encoding: str) -> None:
    text = (HEADER + row(company="Käse & Söhne")).replace(",", separator).replace("\n", "\r\n")
    book = read(text.encode(encoding))
    assert book.name == ("Käse & Söhne",)
    named = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}[separator]
    assert book.summary[0] == f"list.csv: 1 row, separated by {named}."
    told = "Windows-1252" in book.summary[1] or "UTF-16" in book.summary[1]
    assert told == (encoding in ("utf-16", "cp1252")), "what is not UTF-8 is told"


def test_a_formula_in_a_name_is_text() -> None:
    name = "=HYPERLINK('x')"
    assert read(HEADER + row(company=name)).name == (name,)


@pytest.mark.parametrize(
    ("written", "date_format"),
    [("2025-03-04", None), ("2025-03-04T10:00:00Z", None), ("04/03/2025", "DD/MM/YYYY"), ("03/04/2025", "MM/DD/YYYY"),
     ("4.3.2025", "DD.MM.YYYY"), ("20250304", "YYYYMMDD"), ("2025-03-04", "DD/MM/YYYY")],
)  # fmt: skip
def test_dates_are_read_in_the_format_that_the_mapping_gives(written: str, date_format: str | None) -> None:
    mapping = MAPPING + (f"date_format: {date_format}\n" if date_format else "")
    assert read(HEADER + row(begin=written), mapping).started_days.tolist() == [days(2025, 3, 4)]


# --- rows to accounts ---------------------------------------------------------------------------------------


def test_rows_of_an_account_are_summed_as_the_page_says() -> None:
    """Two subscriptions: 9,000 for 12 months from June, 3,000 for a month from October 2025, and 3,500 monthly."""
    book = read(
        HEADER
        + row(arr="9000", seats="10", begin="2024-06-15", term="12", csm="Ann")
        + row(arr="3000", seats="5", begin="2025-10-20", term="1", csm="Bob")
        + row(arr="3500", seats="", begin="2025-09-01", term="1", csm=""),
        SUM,
    )
    assert book.account == ("A-1",)
    assert book.arr_cents.tolist() == [1_550_000]
    assert book.seats.tolist() == [15.0], "unknown seats add nothing"
    assert book.started_days.tolist() == [days(2024, 6, 15)], "the earliest start"
    assert book.term_months.tolist() == [12], "9,000 of the ARR have 12 months, 6,500 have 1"
    assert book.renewal_days.tolist() == [days(2026, 10, 20)], "the last start, one term of the account later"
    assert book.owner == ("Bob",), "the owner of the row that started last"


def test_the_book_of_a_day_leaves_out_what_has_ended_or_not_begun_and_is_taken_as_that_of_the_start() -> None:
    rows = [
        row(id="there", begin="2024-03-10"),
        row(id="ends that day", begin="2024-01-01", ends="2024-12-31"),
        row(id="ends later", begin="2024-12-31", ends="2025-01-01"),
        row(id="begins later", begin="2025-01-01"),
    ]
    book = read(HEADER + "".join(rows), MAPPING + "as_of: 2024-12-31\n")
    assert book.account == ("there", "ends later")
    assert book.started_days.tolist() == [-(dt.date(2024, 12, 31) - dt.date(2024, 3, 10)).days, 0]
    assert book.renewal_days.tolist() == [days(2026, 3, 10), days(2026, 12, 31)], "renewals stay on their dates"


@pytest.mark.parametrize(
    ("begun", "term", "renews", "after"),
    [
        ((2025, 3, 1), 12, "", (2026, 3, 1)),
        ((2025, 1, 5), 12, "", (2027, 1, 5)),  # a term that ends on the day of the start has begun anew
        ((2023, 1, 31), 1, "", (2026, 1, 31)),
        ((2023, 8, 31), 6, "", (2026, 2, 28)),
        ((2024, 2, 29), 12, "", (2026, 2, 28)),
        ((2021, 2, 1), 60, "", (2026, 2, 1)),
        ((2025, 12, 31), 2, "", (2026, 2, 28)),
        ((2024, 1, 1), 12, "2026-05-09", (2026, 5, 9)),  # a date that is given counts
        ((2022, 1, 1), 12, "2024-05-09", (2026, 5, 9)),  # one that has passed is rolled forward
        ((2024, 1, 1), 12, "2026-01-05", (2027, 1, 5)),  # so is one on the first day itself
        ((2025, 10, 24), 1, "", (2026, 1, 24)),  # who started on the 24th renews on a 24th
        ((2025, 6, 30), 1, "2025-12-30", (2026, 1, 30)),  # ahead of some lists, but past on the first day
    ],
)
@pytest.mark.parametrize("as_of", ["", "2026-01-05", "2025-12-31", "2026-02-11"])
def test_the_renewal_is_the_next_end_of_a_term_in_calendar_months_whatever_day_the_list_is_of(
    begun: tuple[int, int, int], term: int, renews: str, after: tuple[int, int, int], as_of: str
) -> None:
    mapping = MAPPING + (f"as_of: {as_of}\n" if as_of else "")
    book = read(HEADER + row(begin=dt.date(*begun).isoformat(), term=str(term), renews=renews), mapping)
    assert book.renewal_days.tolist() == [days(*after)]
    day = dt.date.fromisoformat(as_of) if as_of else START
    assert book.started_days.tolist() == [days(*begun, since=day)], "tenure is that of the day of the list"


def test_the_example_of_a_week_before_the_start_keeps_the_renewals_that_are_given() -> None:
    text = EXAMPLE.with_suffix(".yaml").read_text(encoding="utf-8")
    mapping = read_mapping((text + "as_of: 2025-12-29\n").encode(), "example.yaml")
    book = read_accounts(EXAMPLE.read_bytes(), "example.csv", mapping, tiers=TIERS, start=START, currency="USD")
    position = book.account.index("A-1095")
    assert book.renewal_days[position] == days(2026, 3, 11)
    assert book.started_days[position] == days(2023, 3, 11, since=dt.date(2025, 12, 29))


@given(
    st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)),
    st.integers(1, 60),
    st.dates(dt.date(1995, 1, 1), dt.date(2035, 1, 1)),
)
def test_the_next_end_is_the_first_one_after_the_day(anchor: dt.date, term: int, after: dt.date) -> None:
    def end(terms: int) -> dt.date:
        year, month = divmod(anchor.year * 12 + anchor.month - 1 + terms * term, 12)
        last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
        return dt.date(year, month + 1, min(anchor.day, last))

    expected = next(end(terms) for terms in itertools.count(1) if end(terms) > after)
    epoch = dt.date(1970, 1, 1)
    found = next_end(np.array([float((anchor - epoch).days)]), np.array([term]), float((after - epoch).days))
    assert found.tolist() == [(expected - epoch).days]


def test_tiers_by_least_arr_begin_at_their_least() -> None:
    mapping = MAPPING.replace(" tier: plan,", "").replace(
        "{Pro: midmarket, Basic: small}", "{enterprise: 100000, midmarket: 25000, small: 0}"
    )
    amounts = ["24999.99", "25000", "99999", "100000", "0"]
    book = read(HEADER + "".join(row(id=amount, arr=amount) for amount in amounts), mapping)
    assert dict(zip(book.account, book.tier.tolist(), strict=True)) == {
        "24999.99": 2, "25000": 1, "99999": 1, "100000": 0, "0": 2,
    }  # fmt: skip


def test_accounts_come_by_tier_and_then_as_first_seen() -> None:
    rows = [row(id="z", plan="Basic"), row(id="b"), row(id="a"), row(id="y", plan="basic")]
    assert read(HEADER + "".join(rows)).account == ("b", "a", "z", "y")


def test_owners_take_seats_in_alphabetical_order_and_accounts_without_one_are_dealt_out() -> None:
    rows = [row(id="1", csm="Zoe"), row(id="2", csm=""), row(id="3", csm="ben"), row(id="4", csm="Ann")]
    book = read(HEADER + "".join(rows))
    assert book.owners == ("Ann", "ben", "Zoe")
    assert book.owner_seat.tolist() == [2, -1, 1, 0]
    listed = read(HEADER + "".join(rows), MAPPING + "owners: [Zoe, ben, Carl, Ann]\n")
    assert listed.owners == ("Ann", "ben", "Carl", "Zoe"), "a known owner without accounts has a seat too"
    dealt = read(HEADER + "".join(rows), MAPPING + "owner: dealt\n")
    assert (dealt.owner_seat == -1).all()
    assert dealt.owners == ()


def test_a_second_list_fills_in_what_the_first_one_lacks() -> None:
    mapping = MAPPING.replace(" name: company,", "").replace(" seats: seats,", "").replace(", owner: csm", "")
    mapping += "look_up: {file: crm.csv, account: aid, columns: {name: called, owner: rep, seats: users}}\n"
    second = b"aid;called;rep;users\nB;Birch;Zoe;7\nA-1;Alder;Ann;30\nC;Cedar;Ben;1\n"
    rows = HEADER + GOOD + row(arr="1") + row(id="B") + row(id="D")
    book = read(rows, mapping + "several_rows: sum\n", second)
    assert book.account == ("A-1", "B", "D")
    assert book.name == ("Alder", "Birch", "")
    assert book.owner == ("Ann", "Zoe", "")
    assert book.seats[:2].tolist() == [30, 7], "seats of the account are not added up row by row"
    assert np.isnan(book.seats[2])
    assert "Second list: 1 row without a partner in it, 1 of its accounts without a row." in book.summary


def test_monthly_amounts_are_twelve_times_as_much_a_year_and_billing_gives_the_term() -> None:
    mapping = (
        "columns: {account: id, mrr: arr, tier: plan, start: begin, billing: term}\n"
        "tier: {Pro: midmarket}\nterm: {monthly: 1, annual: 12}\n"
    )
    book = read(HEADER + row(arr="833.33", term="Monthly") + row(id="B", arr="100", term="annual"), mapping)
    assert book.arr_cents.tolist() == [999_996, 120_000]
    assert book.term_months.tolist() == [1, 12]


def test_without_a_start_the_account_is_in_its_first_term() -> None:
    mapping = (
        "columns: {account: id, arr_per_year: arr, tier: plan, renewal: renews}\ntier: {Pro: midmarket}\nterm: 12\n"
    )
    book = read(HEADER + row(renews="2026-04-05") + row(id="B", renews="2028-01-01"), mapping)
    assert book.started_days.tolist() == [days(2026, 4, 5) - 365.25, 0]
    earlier = read(HEADER + row(renews="2026-04-05"), mapping + "as_of: 2025-03-01\n")
    assert earlier.started_days.tolist() == [days(2026, 4, 5) - 365.25], "one term, whatever day the list is of"
    assert any("the start of 2 accounts" in line for line in book.summary)


def test_the_summary_reconciles_rows_accounts_and_arr() -> None:
    rows = [
        GOOD,
        row(arr="1"),
        row(id="B", trial="true"),
        row(id="C", ends="2025-05-05"),
        row(id="D", begin="2027-01-01"),
    ]
    mapping = SUM.replace("[true]}]", "[true]}, {zero_arr: true}]")
    book = read(HEADER + "".join(rows) + row(id="E", arr="0"), mapping)
    assert book.summary[:4] == (
        "list.csv: 6 rows, separated by commas.",
        "Left out: 4 rows; 1 where trial is true; 1 that begin after 2026-01-05; 1 that ended on or before 2026-01-05; "
        "1 without revenue.",
        "The book of 2026-01-05: 2 rows, 1 account, ARR 12,001.00 USD.",
        "1 account with several rows: ARR and seats are sums, the start is the earliest, the term the one with most "
        "ARR; the last start decides the renewal.",
    )


# --- order and digest ---------------------------------------------------------------------------------------


def by_account(book: AccountList) -> dict[str, tuple[object, ...]]:
    columns = (book.name, book.tier, book.arr_cents, book.seats, book.term_months, book.started_days,
               book.renewal_days, book.owner, book.owner_seat)  # fmt: skip
    return {one: values for one, *values in zip(book.account, *columns, strict=True)}  # type: ignore[misc]


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(luck: random.Random) -> None:
    shuffled = luck.sample(ROWS, len(ROWS))
    assert by_account(read(HEADER + "".join(shuffled), SUM)) == by_account(read(HEADER + "".join(ROWS), SUM))


def test_one_more_account_changes_no_others_row() -> None:
    mapping = SUM + "owners: [Owner 0, Owner 1, Owner 2, Owner 3, Ann]\n"
    before = by_account(read(HEADER + "".join(ROWS), mapping))
    after = by_account(read(HEADER + row(id="new", plan="Basic") + "".join(ROWS), mapping))
    assert after.pop("new")
    assert after == before


def test_the_digest_covers_every_column_and_not_the_summary() -> None:
    base = read(HEADER + GOOD)
    same = read((HEADER + GOOD).replace(",", ";"))
    assert same.summary != base.summary
    assert same == base
    for change in ({"id": "B"}, {"company": "x"}, {"plan": "Basic"}, {"arr": "12000.01"}, {"seats": "11"},
                   {"begin": "2025-03-02"}, {"term": "24"}, {"renews": "2026-02-01"}, {"csm": "Bob"}):  # fmt: skip
        assert read(HEADER + row(**change)) != base, f"{change} is a different list"
    assert not base.arr_cents.flags.writeable, "a list in memory is shared and never changed"


# --- mappings -----------------------------------------------------------------------------------------------


def test_a_written_mapping_reads_back_equal() -> None:
    for text in (
        EXAMPLE.with_suffix(".yaml").read_text(encoding="utf-8"),
        MAPPING
        + "as_of: 2025-01-31\nowners: [Ann]\ndecimal: ','\ndate_format: DD/MM/YYYY\n"
        + "headcount: {support: {accounts_per_person: 90}}\n",
        "columns: {account: '1', arr_per_year: 'yes', renewal: 'null'}\nterm: 12\ntier: {small: 0.5}\n"
        "look_up: {file: x.csv, account: 'a: b', columns: {name: 'Ä'}}\n",
    ):
        mapping = read_mapping(text.encode(), "map.yaml")
        assert read_mapping(dump_mapping(mapping).encode(), "copy.yaml") == mapping


def test_a_guess_finds_the_columns_of_the_shipped_list() -> None:
    guess = guess_mapping(EXAMPLE.read_bytes(), "example.csv")
    shipped = read_mapping(EXAMPLE.with_suffix(".yaml").read_bytes(), "example.yaml")
    assert guess.columns == shipped.columns
    assert guess.several_rows == "sum"
    assert [rule.column for rule in guess.drop] == ["is_trial"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Account ID;Account Name;ACV;Contract Start;CSM", {"account": "Account ID", "name": "Account Name",
            "arr_per_year": "ACV", "start": "Contract Start", "owner": "CSM"}),
        ("customer,plan,mrr,renewal_date,users", {"account": "customer", "tier": "plan", "mrr": "mrr",
            "renewal": "renewal_date", "seats": "users"}),
        ("Key,ARR,MRR,Start Date,End Date,Term", {"account": "Key", "arr_per_year": "ARR", "start": "Start Date",
            "end": "End Date", "term_months": "Term"}),
    ],
)  # fmt: skip
def test_a_guess_knows_usual_names(header: str, expected: dict[str, str]) -> None:
    guess = guess_mapping(f"{header}\n".encode(), "x.csv")
    assert guess.columns.model_dump(exclude_none=True) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("25/04/2025", "03/04/2025"), "DD/MM/YYYY"),
        (("04/25/2025", "03/04/2025"), "MM/DD/YYYY"),
        (("3.4.2025", ""), "DD.MM.YYYY"),
        (("2025-04-03", "2025-04-04"), None),
        (("03/04/2025", "05/06/2025"), None),  # either may be meant
        (("25/04/2025", "04/25/2025"), None),
    ],
)
def test_a_guess_knows_the_format_of_dates_where_they_show_it(dates: tuple[str, str], expected: str | None) -> None:
    text = "id,arr,start,end\n" + "".join(f"{index},1,{date},\n" for index, date in enumerate(dates))
    assert guess_mapping(text.encode(), "x.csv").date_format == expected


def test_standard_names_need_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "account,name,tier,arr_per_year,seats,start,term_months,owner,notes\nA,Alder,Small,900,3,2025-05-05,12,Ann,x\n",
        encoding="utf-8",
    )
    book = load_scenario(SHIPPED / "baseline.yaml", accounts=AccountSource.from_files(tmp_path / "mine.csv")).book
    assert book is not None
    assert (book.account, book.owner, book.tier.tolist()) == (("A",), ("Ann",), [2])


# --- a sample export ----------------------------------------------------------------------------------------

SAMPLE = os.environ.get("CSM_PLANNER_SAMPLE_DATA")
SAMPLE_MAPPING = """
columns:
  {account: account_id, arr_per_year: arr_amount, seats: seats, start: start_date, end: end_date,
   billing: billing_frequency}
look_up: {file: ravenstack_accounts.csv, account: account_id, columns: {name: account_name}}
as_of: 2024-12-31
several_rows: sum
tier: {enterprise: 500000, midmarket: 150000, small: 0}
term: {monthly: 1, annual: 12}
owner: dealt
"""


@pytest.mark.skipif(not SAMPLE, reason="CSM_PLANNER_SAMPLE_DATA does not name a folder with the sample exports")
@pytest.mark.parametrize("drop_zero", [False, True])
def test_a_sample_export_is_reconciled_to_the_cent(drop_zero: bool) -> None:
    folder = Path(str(SAMPLE))
    data = (folder / "ravenstack_subscriptions.csv").read_bytes()
    second = (folder / "ravenstack_accounts.csv").read_bytes()
    extra = "drop: [{zero_arr: true}]\n" if drop_zero else ""
    mapping = read_mapping((SAMPLE_MAPPING + extra).encode(), "map.yaml")
    book = read_accounts(data, "subs.csv", mapping, tiers=TIERS, start=START, currency="USD", look_up=second)

    day = dt.date(2024, 12, 31)
    every = list(csv.DictReader(io.StringIO(data.decode())))
    active = [
        one
        for one in every
        if dt.date.fromisoformat(one["start_date"]) <= day
        and (not one["end_date"] or dt.date.fromisoformat(one["end_date"]) > day)
    ]
    assert len(active) == 4514
    counted = [one for one in active if not (drop_zero and int(one["arr_amount"]) == 0)]
    arr: dict[str, int] = defaultdict(int)
    first: dict[str, str] = {}
    for one in counted:
        arr[one["account_id"]] += 100 * int(one["arr_amount"])
        first[one["account_id"]] = min(one["start_date"], first.get(one["account_id"], "9999"))
    assert len(book) == len(arr) == 500
    assert int(book.arr_cents.sum()) == sum(arr.values())
    assert dict(zip(book.account, book.arr_cents.tolist(), strict=True)) == arr
    started = {one: (dt.date.fromisoformat(begun) - day).days for one, begun in first.items()}
    assert dict(zip(book.account, book.started_days.tolist(), strict=True)) == started
    dropped = len(every) - len(counted)
    assert (
        f"The book of 2024-12-31: {len(counted):,} rows, 500 accounts, ARR {sum(arr.values()) / 100:,.2f} USD."
        in book.summary
    )
    assert any(line.startswith(f"Left out: {dropped:,} rows; ") for line in book.summary)
    assert all(book.name), "every account has its name from the second list"
    assert (book.renewal_days > 0).all()
    last: dict[str, dt.date] = {}
    for one in counted:
        begun = dt.date.fromisoformat(one["start_date"])
        last[one["account_id"]] = max(begun, last.get(one["account_id"], begun))
    for account, ahead in zip(book.account, book.renewal_days.tolist(), strict=True):
        renewal = START + dt.timedelta(days=ahead)
        month_end = calendar.monthrange(renewal.year, renewal.month)[1]
        assert renewal.day == min(last[account].day, month_end), f"{account} renews on the day on which it started"
