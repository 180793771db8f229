"""Account lists: what follows from them for the scenario that starts with one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from lists import GOOD, HEADER, MAPPING, ROWS, row

from sim.scenario import (
    AccountSource,
    ScenarioError,
    dump_scenario,
    load_scenario,
    load_scenario_text,
    phases,
)
from sim.scenario.json_schema import editor_schema
from sim.study.given import check_comparable
from sim.study.provenance import inputs_hash

SHIPPED = Path(__file__).parents[1] / "scenarios"
EXAMPLE = SHIPPED / "books" / "example.csv"
SUM = MAPPING + "several_rows: sum\n"


def write(folder: Path, body: str = "", rows: str = HEADER + "".join(ROWS), mapping: str = SUM) -> Path:
    """A scenario file that names a list, beside the shipped baseline."""
    (folder / "baseline.yaml").write_bytes((SHIPPED / "baseline.yaml").read_bytes())
    (folder / "list.csv").write_text(rows, encoding="utf-8")
    (folder / "list.yaml").write_text(mapping, encoding="utf-8")
    path = folder / "mine.yaml"
    path.write_text(f"name: Mine\nextends: baseline.yaml\naccounts: {{file: list.csv}}\n{body}", encoding="utf-8")
    return path


def test_the_tiers_follow_from_the_list(tmp_path: Path) -> None:
    scenario, base = load_scenario(write(tmp_path)), load_scenario(SHIPPED / "baseline.yaml")
    book = scenario.book
    assert book is not None
    for index, (name, tier) in enumerate(scenario.tiers.items()):
        rows = np.flatnonzero(book.tier == index)
        old = base.tiers[name]
        assert tier.accounts == len(rows)
        if not len(rows):
            assert tier == old.model_copy(update={"accounts": 0}), "a tier without accounts keeps the rest"
            continue
        arr = book.arr_cents[rows] / 100
        assert tier.arr_per_year_mean == pytest.approx(arr.mean(), abs=0.01)
        assert tier.arr_cv == pytest.approx(arr.std() / arr.mean(), abs=1e-4)
        assert tier.arr_per_seat_per_year == pytest.approx(arr.sum() / book.seats[rows].sum(), rel=1e-4)
        assert tier.term_months == {
            int(months): pytest.approx(np.mean(book.term_months[rows] == months))
            for months in np.unique(book.term_months[rows])
        }
        growth = old.new_accounts_per_year / old.accounts
        assert tier.new_accounts_per_year / tier.accounts == pytest.approx(growth, rel=1e-3), "yearly growth stays"
        assert tier.contact_rate_factor == old.contact_rate_factor, "nothing else changes"


def test_values_written_in_the_file_or_on_top_win_and_others_do_not(tmp_path: Path) -> None:
    path = write(tmp_path, "tiers: {midmarket: {new_accounts_per_year: 3}}\n")
    (tmp_path / "top.yaml").write_text(
        "name: Top\nextends: mine.yaml\ntiers: {small: {arr_per_year_mean: 777}}\n", encoding="utf-8"
    )
    named, top = load_scenario(path), load_scenario(tmp_path / "top.yaml", {"tiers.small.arr_cv": 0.25})
    assert named.tiers["midmarket"].new_accounts_per_year == 3
    assert named.tiers["small"].arr_per_year_mean != 10_000, "the baseline's value lies under the list's"
    assert top.tiers["small"].arr_per_year_mean == 777
    assert top.tiers["small"].arr_cv == 0.25
    assert top.book == named.book
    assert named.book is not None
    assert top.book is not None
    kept = "Written in the scenario and kept instead: tiers."
    assert named.book.summary[-1] == f"{kept}midmarket.new_accounts_per_year."
    assert top.book.summary[-1] == (
        f"{kept}midmarket.new_accounts_per_year, tiers.small.arr_per_year_mean, tiers.small.arr_cv."
    )


def test_a_whole_scenario_in_one_file_may_name_a_list(tmp_path: Path) -> None:
    write(tmp_path, mapping=SUM + "headcount: {csm: from_owners}\n")
    values = yaml.safe_load((tmp_path / "baseline.yaml").read_text(encoding="utf-8"))
    values["accounts"]["file"] = "list.csv"
    for tier in values["tiers"].values():
        for name in ("accounts", "arr_per_year_mean", "arr_cv"):
            del tier[name]
    values["tiers"]["enterprise"] |= {"accounts": 0, "arr_per_year_mean": 90_000, "arr_cv": 0.5}
    del values["teams"]["csm"]["headcount"]
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    scenario = load_scenario(tmp_path / "whole.yaml")
    assert scenario.tiers["midmarket"].accounts == 16
    assert scenario.teams["csm"].headcount == 4


def test_headcounts_follow_where_the_mapping_asks_for_them(tmp_path: Path) -> None:
    asked = SUM + "headcount: {csm: from_owners, support: {accounts_per_person: 7}}\n"
    scenario = load_scenario(write(tmp_path, mapping=asked))
    assert scenario.teams["csm"].headcount == 4
    assert scenario.teams["support"].headcount == 4, "24 accounts, 7 for each person, rounded up"
    written = load_scenario(write(tmp_path, "teams: {support: {headcount: 9}}\n", mapping=asked))
    assert written.teams["support"].headcount == 9
    with pytest.raises(ScenarioError, match=r"headcount\.suport: there is no team 'suport'; did you mean 'support'\?"):
        load_scenario(write(tmp_path, mapping=SUM + "headcount: {suport: {accounts_per_person: 7}}\n"))


def test_a_list_given_beside_the_file_is_laid_on_top_of_it_with_dated_changes_above(tmp_path: Path) -> None:
    write(tmp_path, mapping=SUM + "headcount: {support: {accounts_per_person: 6}}\n")
    source = AccountSource.from_files(tmp_path / "list.csv")
    scenario = load_scenario(SHIPPED / "reroute_and_hire.yaml", accounts=source)
    assert scenario.tiers["midmarket"].accounts == 16, "the list's count takes the place of the file's"
    assert scenario.teams["support"].headcount == 4
    assert phases(scenario)[-1].scenario.teams["support"].headcount == 6, "from July on, as the file says"
    example = load_scenario(SHIPPED / "example_accounts.yaml", accounts=source)
    assert example.book == scenario.book, "it takes the place of the file's own list"


def test_what_extends_a_scenario_with_a_list_may_name_another_one_or_none(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "other.csv").write_text(HEADER + GOOD, encoding="utf-8")
    head = "name: Top\nextends: mine.yaml\n"
    (tmp_path / "top.yaml").write_text(head + "accounts: {file: other.csv, mapping: list.yaml}\n", encoding="utf-8")
    other = load_scenario(tmp_path / "top.yaml")
    assert other.book is not None
    assert len(other.book) == other.tiers["midmarket"].accounts == 1
    (tmp_path / "top.yaml").write_text(head + "accounts: {file: null}\n", encoding="utf-8")
    assert load_scenario(tmp_path / "top.yaml").book is None
    assert load_scenario(tmp_path / "top.yaml").tiers == load_scenario(SHIPPED / "baseline.yaml").tiers


def test_a_written_scenario_says_that_its_list_is_elsewhere_and_loads_without_it(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    text = dump_scenario(scenario)
    assert text.startswith("# The list of 24 accounts is not in this file; give it again with --accounts.\n")
    assert load_scenario_text(text, "copy.yaml") == scenario.model_copy(update={"book": None})


def test_inputs_are_named_by_what_the_list_says_and_not_by_where_it_stands(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    (tmp_path / "moved.csv").write_bytes((tmp_path / "list.csv").read_bytes())
    moved = load_scenario(
        write(tmp_path, "").with_name("mine.yaml"),
        accounts=AccountSource.from_files(tmp_path / "moved.csv", tmp_path / "list.yaml"),
    )
    assert inputs_hash([moved]) == inputs_hash([scenario])
    renamed = load_scenario(write(tmp_path, rows=HEADER + "".join(ROWS).replace("A-7,", "A-700,")))
    assert renamed.tiers == scenario.tiers
    assert inputs_hash([renamed]) != inputs_hash([scenario]), "another list, another name"
    assert json.loads(scenario.model_dump_json())["book"] == scenario.book.digest  # type: ignore[union-attr]


def test_the_schema_for_editors_offers_the_list_and_no_book() -> None:
    schema = editor_schema()
    assert {"file", "mapping"} <= set(schema["$defs"]["Accounts"]["properties"])
    assert "book" not in schema["properties"]


def test_scenarios_with_different_books_cannot_be_compared(tmp_path: Path) -> None:
    listed, invented = load_scenario(write(tmp_path)), load_scenario(SHIPPED / "baseline.yaml")
    with pytest.raises(
        ScenarioError, match=r"Mine: accounts\.file: a list of 24 accounts \(digest \w{8}\) is not an invented"
    ):
        check_comparable([invented, listed], [invented, listed])
    check_comparable([listed, load_scenario(tmp_path / "mine.yaml")], [listed, listed])


def test_the_size_of_a_run_is_judged_by_the_list(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "categories: {how_to: {contacts_per_account_month: 1000}}\n",
    )
    assert load_scenario(path).tiers["midmarket"].accounts == 16, "few accounts may call very often"
    many = HEADER + "".join(row(id=str(index)) for index in range(5000))
    with pytest.raises(ScenarioError, match=r"tiers\.midmarket: up to about .* contacts in a week; .* accounts 5000"):
        load_scenario(write(tmp_path, "categories: {how_to: {contacts_per_account_month: 1000}}\n", rows=many))


def test_the_shipped_example_gives_its_mapping_something_to_do() -> None:
    book = load_scenario(SHIPPED / "example_accounts.yaml").book
    assert book is not None
    assert len(book) == 300
    assert len(book.owners) == 6
    told = "\n".join(book.summary)
    for word in ("is_trial is true", "begin after", "ended on or before", "with several rows", "dealt out: 13"):
        assert word in told, f"{word!r} is not in the summary"
    mapping = yaml.safe_load(EXAMPLE.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert len(mapping["columns"]) == 10
