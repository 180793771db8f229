"""A run that starts with an account list: its accounts, their own people, and nobody changed by another's row."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lists import HEADER, MAPPING, row
from small import run, run_all

from sim.cli import execute
from sim.model.compile import compile_inputs
from sim.model.inputs import Inputs
from sim.model.ledger import WON, History, Table
from sim.scenario import AccountSource, Mapping, Scenario, load_scenario, read_mapping
from sim.scenario.book.mapping import Columns
from sim.study import experiment
from sim.study.errors import StudyInputError

SHIPPED = Path(__file__).parents[1] / "scenarios"
SUM = MAPPING.replace("Basic: small", "Basic: small, Idle: enterprise") + "several_rows: sum\n"
# Enterprise accounts call nobody and are called by nobody; whatever the list says, as many new accounts come.
COMPANY: dict[str, Any] = {
    "weeks": 26,
    "accounts.warm_up_weeks": 4,
    "teams.csm.headcount": 4,
    "teams.csm.quit_rate_per_year": 0.8,
    "teams.support.headcount": 1,
    "tiers.enterprise.contact_rate_factor": 0,
    "tiers.enterprise.departure_factor": 0,
    "tiers.enterprise.new_accounts_per_year": 0,
    "playbooks.enterprise": None,
    "mechanisms.sponsor_loss": False,
    "mechanisms.action_plans": False,
    "departures.drivers.competition.hazard_per_year": 0.6,
}
ROWS = [
    row(
        id=f"A-{index}",
        arr=str(4000 * index + 500),
        plan="Pro" if index % 3 else "Basic",
        csm=("Zoe", "Ann", "Ben", "")[index % 4],
        begin=f"2025-0{index % 9 + 1}-11",
        seats=str(index) if index % 5 else "",
        term="1" if index % 4 == 0 else "12",
    )
    for index in range(1, 25)
] + [row(id="A-late", csm="Zoe", begin="2026-01-02"), row(id="A-5", arr="9", begin="2024-01-01")]


def scenario(rows: Sequence[str] = ROWS, mapping: str = SUM, **overrides: Any) -> Scenario:
    """The small company with a list."""
    source = AccountSource(
        (HEADER + "".join(rows)).encode(), "list.csv", read_mapping(mapping.encode(), "map.yaml"), None
    )
    return load_scenario(SHIPPED / "baseline.yaml", COMPANY | overrides, source)


def inputs(rows: Sequence[str] = ROWS, mapping: str = SUM, **overrides: Any) -> Inputs:
    return compile_inputs(scenario(rows, mapping, **overrides))


def by_id(table: Table, ids: np.ndarray[Any, Any], keys: Sequence[str], without: int | None = None) -> Table:
    """A ledger table with accounts by id instead of by row, in an order of its own."""
    table = dict(table)
    if "account" in table:
        table["account"] = ids[table["account"]]
    if without is not None:
        there = table["tier"] != without
        table = {name: column[there] for name, column in table.items()}
    order = np.lexsort([table[key] for key in keys])
    return {name: column[order] for name, column in table.items()}


KEYS = {
    "contacts": ("leg", "attempt", "contact"),
    "account_events": ("event", "time", "account"),
    "people_weeks": ("seat", "team", "week"),
    "accounts": ("id",),
}


def assert_same_rows(one: History, other: History, without: int | None = None) -> None:
    """Every row of both histories is the same to the bit, whatever row number the accounts have."""
    for name, keys in KEYS.items():
        leave = without if name in ("contacts", "account_events", "accounts") else None
        tables = [by_id(getattr(history, name), history.accounts["id"], keys, leave) for history in (one, other)]
        assert len(tables[0][keys[0]]) > 0, f"{name} has rows to compare"
        for column in tables[0]:
            assert tables[0][column].tobytes() == tables[1][column].tobytes(), f"{name}.{column} differs"


def test_the_engine_starts_with_the_accounts_of_the_list() -> None:
    one = scenario()
    listed, book = one.book, compile_inputs(one).book
    assert listed is not None
    assert book.arr_cents.tolist() == listed.arr_cents.tolist()
    assert book.term_months.tolist() == listed.term_months.tolist()
    assert (book.renewal > 0).all()
    assert (book.started <= 0).all()
    assert book.started.tolist() == (24 * listed.started_days).tolist()
    known = ~np.isnan(listed.seats)
    assert book.seats[known].tolist() == listed.seats[known].tolist()
    per_seat = [tier.arr_per_seat_per_year for tier in one.tiers.values()]
    for row_ in np.flatnonzero(~known).tolist():
        by_arr = max(1, round(listed.arr_cents[row_] / 100 / per_seat[listed.tier[row_]]))
        assert book.seats[row_] == by_arr, "unknown seats follow from the ARR"
    assert len(set(book.keys.tolist())) == len(listed)
    assert 0.2 < book.contact_rate.std() < 3, "how often an account calls is still drawn"


def test_accounts_keep_their_own_person_and_the_rest_is_dealt_out() -> None:
    one = scenario(**{"mechanisms.turnover": False, "mechanisms.churn": False, "mechanisms.growth": False})
    listed = one.book
    assert listed is not None
    history = run(compile_inputs(one))
    seat = history.accounts["seat"]
    named = listed.owner_seat >= 0
    assert seat[named].tolist() == listed.owner_seat[named].tolist()
    idle = listed.tier == 0
    assert (seat[~named & ~idle] >= 0).all(), "everybody with work has somebody"
    assert 3 in seat[~named], "the fourth person, whom no row names, gets a book too"


def test_dealt_accounts_are_dealt_as_in_an_invented_book() -> None:
    quiet = {"mechanisms.turnover": False, "mechanisms.churn": False, "mechanisms.growth": False}
    dealt = compile_inputs(scenario(mapping=SUM + "owner: dealt\n", **quiet))
    assert (dealt.book.owner == -1).all()
    seats = run(dealt).accounts["seat"]
    assert sorted(set(seats.tolist())) == [0, 1, 2, 3]


def test_a_pooled_team_ignores_the_owners_of_the_list() -> None:
    history = run(inputs(**{"teams.csm.named_owner": False, "teams.csm.headcount": 2}))
    assert (history.accounts["seat"] == -1).all()


def test_an_account_whose_persons_seat_is_closed_at_the_start_gets_another() -> None:
    """The list names three, the warm-up has four people; the what-if keeps two and deals everybody out."""
    quiet = {"mechanisms.turnover": False, "mechanisms.churn": False, "mechanisms.growth": False}
    before = inputs(**quiet)
    fewer = inputs(**quiet, changes=[{"from": "2026-01-05", "set": {"teams.csm.headcount": 2}}])
    after = run_all(before, [fewer])[0].accounts
    working = after["contact_rate"] > 0
    assert set(after["seat"][working].tolist()) == {0, 1}, "also of those who came in the last week of the warm-up"


def test_the_order_of_the_rows_changes_no_ledger_row() -> None:
    shuffled = random.Random(3).sample(ROWS, len(ROWS))
    assert_same_rows(run(inputs()), run(inputs(shuffled)))


@pytest.mark.parametrize("place", [0, 12, len(ROWS)])
@pytest.mark.parametrize("owner", ["", "Ben"])
def test_one_more_idle_account_changes_nobody_elses_history(place: int, owner: str) -> None:
    idle = row(id="A-idle", plan="Idle", csm=owner)
    more = run(inputs([*ROWS[:place], idle, *ROWS[place:]]))
    assert 0 in more.accounts["tier"], "the idle account is there"
    assert_same_rows(run(inputs()), more, without=0)


def test_an_account_without_revenue_is_no_account_won_later() -> None:
    free = row(id="A-free", arr="0", begin="2026-01-02")
    history = run(inputs([*ROWS, free], weeks=2, **{"mechanisms.growth": False}))
    assert (history.account_events["event"] != WON).all()
    assert (history.accounts["opening_arr_cents"] > 0).all()


def test_an_account_cannot_have_intended_to_leave_before_it_came() -> None:
    """A first renewal at the end of a term that began before the account did: intent counts from its start."""
    quiet = {"mechanisms.churn": True, "accounts.warm_up_weeks": 0, "weeks": 1}
    late = row(id="late", begin="2026-01-05", renews="2026-02-05")
    early = row(id="early", begin="2025-02-05", renews="2026-02-05")
    accounts = run(inputs([late, early], **quiet)).accounts
    intent = dict(zip(("late", "early"), accounts["disengagement"], strict=False))
    assert 0 < intent["late"] < 0.2 * intent["early"]


# --- the page -----------------------------------------------------------------------------------------------


def test_the_example_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (SHIPPED.parent / "docs" / "account-lists.md").read_text(encoding="utf-8")
    (tmp_path / "baseline.yaml").write_bytes((SHIPPED / "baseline.yaml").read_bytes())
    (tmp_path / "customers.csv").write_text(re.findall(r"```csv\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    for body in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        (tmp_path / body.splitlines()[0].removeprefix("# ")).write_text(body, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert execute(["validate", "mine.yaml"]) == 0
    assert capsys.readouterr().out == re.findall(r"```text\n(.*?)```", page, re.DOTALL)[0]


def test_the_page_has_every_field_of_a_mapping() -> None:
    page = (SHIPPED.parent / "docs" / "account-lists.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_.]+)`", page))
    fields = {*Mapping.model_fields, *(f"columns.{name}" for name in Columns.model_fields)} - {"columns"}
    assert fields <= named, f"docs/account-lists.md does not say what {fields - named} is"


# --- commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small scenario and a list with its mapping."""
    text = (SHIPPED / "baseline.yaml").read_text(encoding="utf-8").replace("weeks: 104", "weeks: 4")
    (tmp_path / "small.yaml").write_text(text.replace("warm_up_weeks: 26", "warm_up_weeks: 1"), encoding="utf-8")
    (tmp_path / "list.csv").write_text(HEADER + "".join(ROWS), encoding="utf-8")
    (tmp_path / "list.yaml").write_text(SUM, encoding="utf-8")
    return tmp_path


def test_run_and_compare_take_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, listed = str(folder / "small.yaml"), str(folder / "list.csv")
    options = ["--accounts", listed, "--replications", "2", "--workers", "1", "--json"]
    assert execute(["run", small, *options, str(folder / "run.json")]) == 0
    assert execute(["run", small, "--replications", "2", "--workers", "1", "--json", str(folder / "no.json")]) == 0
    assert execute(["compare", small, small, *options, str(folder / "both.json")]) == 0
    run_, without, both = (json.loads((folder / name).read_text()) for name in ("run.json", "no.json", "both.json"))
    assert run_["provenance"]["inputs_hash"] != without["provenance"]["inputs_hash"]
    revenue = [result["scenarios"][0]["kpis"]["arr_end"]["mean"] for result in (run_, without, both)]
    assert revenue[0] == revenue[2] < 2_000_000 < revenue[1], "the small list takes the place of the shipped book"
    capsys.readouterr()


def test_a_scenario_that_is_read_already_takes_no_list() -> None:
    source = AccountSource((HEADER + row()).encode(), "list.csv")
    with pytest.raises(StudyInputError, match="'Baseline' is read already; give its list to load_scenario"):
        experiment.run(load_scenario(SHIPPED / "baseline.yaml"), accounts=source)


def test_validate_tells_how_a_list_was_read_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, listed = str(folder / "small.yaml"), str(folder / "list.csv")
    assert execute(["validate", small, small, "--accounts", listed]) == 0
    told = capsys.readouterr().out
    assert told.count("26 rows, separated by commas") == 1
    assert "25 accounts, ARR" in told


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_wrong_list_exits_with_2_and_writes_nothing(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "list.csv").write_text(HEADER + row(arr="x") + row(id="B", plan="Gold"), encoding="utf-8")
    before = sorted(folder.iterdir())
    files = [str(folder / "small.yaml")] * (2 if command == "compare" else 1)
    outputs = ["--json", str(folder / "out.json"), "--ledger", str(folder / "out.parquet")]
    assert execute([command, *files, "--accounts", str(folder / "list.csv"), *outputs]) == 2
    told = capsys.readouterr().err
    assert "list.csv:2: arr: 'x' is not a number" in told
    assert "list.csv:3: plan: 'Gold' has no tier" in told
    assert sorted(folder.iterdir()) == before


def test_a_list_that_is_not_there_and_a_mapping_alone_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = str(folder / "small.yaml")
    assert execute(["run", small, "--accounts", str(folder / "lost.csv")]) == 2
    assert "there is no file 'lost.csv'; did you mean 'list.csv'?" in capsys.readouterr().err
    assert execute(["run", small, "--mapping", str(folder / "list.yaml")]) == 2
    assert "give the list with --accounts" in capsys.readouterr().err


def test_no_output_takes_the_place_of_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, listed = folder / "small.yaml", folder / "list.csv"
    named = folder / "named.yaml"
    named.write_text("name: Named\nextends: small.yaml\naccounts: {file: list.csv}\n", encoding="utf-8")
    (folder / "list.yaml").write_text(
        SUM + "look_up: {file: crm.txt, account: a, columns: {billing: b}}\n", encoding="utf-8"
    )
    (folder / "crm.txt").write_text("a,b\n", encoding="utf-8")
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    for scenario_file, options in ((named, []), (small, ["--accounts", str(listed)])):
        for target in (listed, folder / "crm.txt"):
            for output in ("--json", "--ledger"):
                assert execute(["run", str(scenario_file), *options, output, str(target)]) == 2
                assert "the scenario is read from this file" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept
