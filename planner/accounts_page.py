"""The page "Your accounts": the company's own list instead of the invented book.

In: a CSV file, and a mapping file or what the reader says of the columns. Out: an `AccountSource` in the session,
which all pages use; a summary of what was read, dropped, summed and invented, or every error by row and column.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
import yaml

from planner import draft as drafts
from planner import inputs, slips, words
from sim.scenario import AccountSource, Scenario, ScenarioError, load_scenario
from sim.scenario.book.columns import guess_mapping
from sim.scenario.book.csv_table import TextTable, read_table
from sim.scenario.book.mapping import DATE_FORMATS, USUAL_TERMS, Mapping, dump_mapping, read_mapping
from sim.study.csv_text import harmless
from sim.study.kpis import team_title, tier_title

EXAMPLE = drafts.FOLDER / "books" / "example.csv"
NOTHING = "(no such column)"
ISO = "YYYY-MM-DD"
COLUMN_WORDS = {
    "account": "Account id",
    "name": "Name",
    "arr_per_year": "ARR a year",
    "mrr": "MRR (if there is no ARR)",
    "tier": "Tier, plan or segment",
    "seats": "Seats",
    "start": "Start date",
    "end": "End date",
    "renewal": "Renewal date",
    "term_months": "Term in months",
    "billing": "Billing period",
    "owner": "Owner (CSM)",
}
MOST_VALUES = 20
ROWS_SHOWN = 5
MOST_ROWS_TABLED = 300


def show() -> None:
    """Draws the page."""
    st.title("Your accounts")
    st.write(
        "Simulate your own book instead of the invented one: upload a list of accounts or subscriptions as CSV and say"
        " which column is what. The list stays in this browser session; nothing is kept on disk."
    )
    _in_use()
    left, right = st.columns(2, gap="large")
    with left:
        upload = st.file_uploader(
            "Account list (CSV)", type=["csv", "tsv", "txt"], help="A row per account or per subscription."
        )
    with right:
        ready = st.file_uploader(
            "Mapping file (YAML), if you have one",
            type=["yaml", "yml"],
            help="Which column is what; without one the page proposes it.",
        )
    if upload is None:
        if EXAMPLE.is_file():
            st.button("Try it with the example list", icon=":material/lightbulb:", on_click=_use_example)
        return
    scenario = _baseline()
    if scenario is None:
        return
    source = _source(upload.getvalue(), upload.name, ready.getvalue() if ready else None, scenario)
    if source is not None:
        _outcome(source)


def _in_use() -> None:
    """What the other pages use at the moment."""
    source: AccountSource | None = inputs.accounts()
    if source is None:
        return
    baseline = str(st.session_state.get("baseline", inputs.FIRST_BASELINE))
    try:
        scenario = inputs.load(baseline)
    except ScenarioError as error:
        st.error("The list in use does not fit the baseline any more:")
        st.code(str(error), language=None, wrap_lines=True)
    else:
        book = scenario.book
        count = len(book) if book else 0
        st.success(f"In use on all pages: **{words.escape(source.file_name)}**, {words.counted(count, 'account')}.")
        if book:
            with st.expander("What was read, left out, summed and invented"):
                _summary(book.summary)
        slips.show({baseline: scenario})
    st.button("Go back to the invented book", icon=":material/undo:", on_click=_forget)


def _use_example() -> None:
    source = AccountSource.from_files(EXAMPLE)
    file, mapping = f"scenarios/books/{EXAMPLE.name}", f"scenarios/books/{EXAMPLE.stem}.yaml"
    inputs.use_accounts(replace(source, file_name=file, mapping_name=mapping))


def _forget() -> None:
    inputs.use_accounts(None)


def _baseline() -> Scenario | None:
    """The baseline without a list, whose tiers, teams and start the list has to fit."""
    name = str(st.session_state.get("baseline", inputs.FIRST_BASELINE))
    try:
        return inputs.load_invented(name)
    except ScenarioError as error:
        st.error(f"{words.escape(name)} has errors; choose another baseline on the page Decide.")
        st.code(str(error), language=None, wrap_lines=True)
        return None


# --- mapping ----------------------------------------------------------------------------------------------


def _source(data: bytes, name: str, ready: bytes | None, scenario: Scenario) -> AccountSource | None:
    """The uploaded list with its mapping; None, with the reasons on the page, if it is no table or no mapping."""
    table, problems = read_table(data, name)
    if table is None or not table.rows:
        _errors(ScenarioError(problems))
        return None
    _preview(table)
    key = hashlib.sha256(data + (ready or b"")).hexdigest()[:12]
    try:
        base = read_mapping(ready, "the mapping") if ready is not None else guess_mapping(data, name)
        look_up = _second_list(base)
        if base.look_up is not None and look_up is None:
            return None
        text = yaml.safe_dump(_form(table, base, scenario, key, ready is None), sort_keys=False, allow_unicode=True)
        mapping = read_mapping(text.encode(), "the mapping")
    except ScenarioError as error:
        _errors(error)
        return None
    return AccountSource(data, name, mapping, look_up, "the mapping")


def _preview(table: TextTable) -> None:
    with st.expander(f"The first of {words.counted(len(table.rows), 'row')}", expanded=False):
        rows = [[harmless(cell) for cell in row] for row in table.rows[:ROWS_SHOWN]]
        frame = pd.DataFrame(rows, columns=[harmless(name) for name in _distinct(table.header)])
        st.dataframe(frame, hide_index=True, width="stretch")


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one occurs again."""
    found: list[str] = []
    for place, name in enumerate(names, start=1):
        while name in found:
            name = f"{name} ({place})"
        found.append(name)
    return found


def _second_list(base: Mapping) -> bytes | None:
    if base.look_up is None:
        return None
    second = st.file_uploader(
        f"The second list that the mapping names ({words.escape(base.look_up.file)})", type=["csv", "tsv", "txt"]
    )
    if second is None:
        st.info("The mapping looks some columns up in a second list; upload it too.")
    return second.getvalue() if second else None


def _form(table: TextTable, base: Mapping, scenario: Scenario, key: str, guessed: bool) -> dict[str, Any]:
    """The mapping as plain values: what the base says, guessed or a file, with what the reader has set on the page."""
    said: dict[str, Any] = yaml.safe_load(dump_mapping(base))
    with st.container(border=True):
        st.markdown("**Which column is what**")
        columns = st.columns(4)
        chosen: dict[str, str] = {}
        for index, (field, label) in enumerate(COLUMN_WORDS.items()):
            now = getattr(base.columns, field) or NOTHING
            # A mapping file may name a column that is not there: it stays, for the message that says what is meant.
            options = list(dict.fromkeys([*([] if field == "account" else [NOTHING]), *table.header, now]))
            found = columns[index % 4].selectbox(
                label,
                options,
                index=options.index(now),
                key=f"map.{key}.{field}",
                help=_help(field),
            )
            if found != NOTHING:
                chosen[field] = found
        said["columns"] = chosen
        st.markdown("**What is made of it**")
        second = base.look_up.columns.model_dump(exclude_none=True) if base.look_up is not None else {}
        if "tier" not in second:
            _tier(said, table, chosen.get("tier"), scenario, key)
        if not {"term_months", "billing"} & set(second):
            _term(said, table, chosen, key)
        rule = base.headcount.get(_owning_team(scenario) or "")
        by_owners = guessed if rule is None else rule.from_owners
        _rest(said, base, scenario, key, by_owners and "owner" in chosen | second)
    return said


def _help(field: str) -> str | None:
    found = Mapping.model_fields["columns"].annotation
    described = found.model_fields.get(field) if found is not None else None
    return (
        f"{described.description[:1].upper()}{described.description[1:]}."
        if described is not None and described.description
        else None
    )


def _tier(said: dict[str, Any], table: TextTable, column: str | None, scenario: Scenario, key: str) -> None:
    """A tier for each value of the column, or the least ARR of each tier."""
    tiers = list(scenario.tiers)
    known: dict[str, Any] = said.pop("tier", None) or {}
    if column is None:
        proposed = {tier: floor for tier, floor in known.items() if not isinstance(floor, str)} or _thresholds(scenario)
        floors: dict[str, float] = {}
        for box, (tier, usual) in zip(st.columns(len(proposed)), proposed.items(), strict=True):
            floors[tier] = box.number_input(
                f"{tier_title(tier)}: ARR from ({scenario.currency})",
                0.0,
                1e9,
                float(usual),
                step=1000.0,
                key=f"map.{key}.floor.{tier}",
            )
        said["tier"] = floors
        return
    values = _values(table, column)
    if not values or len(values) > MOST_VALUES:
        if known:
            said["tier"] = known
        elif values:
            st.warning(
                f"{words.escape(column)} has {len(values)} values; a mapping file can name a tier for each. Choose"
                " another column."
            )
        return
    guesses = {value.casefold(): tier for value, tier in known.items()}
    found: dict[str, str] = {}
    for index, value in enumerate(values):
        if index % 4 == 0:
            boxes = st.columns(4)
        guess = guesses.get(value.casefold()) or _nearest(value, tiers, index)
        found[value] = boxes[index % 4].selectbox(
            f"{words.escape(value) or '(empty)'} is",
            tiers,
            index=tiers.index(guess) if guess in tiers else 0,
            format_func=tier_title,
            key=f"map.{key}.tier.{column}.{value}",
        )
    said["tier"] = found


def _values(table: TextTable, column: str) -> list[str]:
    """The different values of a column, the first spelling of each: capitals do not count in a mapping.

    Empty if there is no such column.
    """
    found: dict[str, str] = {}
    for value in table.column(column) if column in table.header else []:
        found.setdefault(value.casefold(), value)
    return list(found.values())


def _thresholds(scenario: Scenario) -> dict[str, float]:
    """A first proposal: half-way (geometrically) between the tiers' mean ARR in the scenario; the lowest from 0."""
    by_size = sorted(scenario.tiers.items(), key=lambda item: item[1].arr_per_year_mean)
    found = {}
    for index, (name, tier) in enumerate(by_size):
        below = by_size[index - 1][1].arr_per_year_mean if index else 0.0
        found[name] = round((below * tier.arr_per_year_mean) ** 0.5, -3)
    return {name: found[name] for name in scenario.tiers}


def _nearest(value: str, tiers: Sequence[str], index: int) -> str:
    """The tier whose name is most like the value; else the one at its place."""
    like = difflib.get_close_matches(value.casefold().replace(" ", "_"), tiers, 1, 0.5)
    return like[0] if like else tiers[min(index, len(tiers) - 1)]


def _term(said: dict[str, Any], table: TextTable, chosen: Map[str, str], key: str) -> None:
    """Months for each value of the billing column that is not known, or one number for all."""
    known = said.pop("term", None)
    if "term_months" in chosen:
        return
    if "billing" not in chosen:
        usual = known if isinstance(known, int) else 12
        said["term"] = int(st.number_input("Contract term of all, months", 1, 60, usual, key=f"map.{key}.term"))
        return
    terms = dict(known) if isinstance(known, dict) else {}
    said_already = {value.casefold() for value in terms}
    values = [value for value in _values(table, chosen["billing"]) if value.casefold() not in said_already]
    terms |= {value: USUAL_TERMS[value.casefold()] for value in values if value.casefold() in USUAL_TERMS}
    unknown = [value for value in values if value not in terms]
    for index, value in enumerate(unknown if len(unknown) <= MOST_VALUES else []):
        if index % 4 == 0:
            boxes = st.columns(4)
        label = f"{words.escape(value) or '(empty)'}: months"
        terms[value] = int(boxes[index % 4].number_input(label, 1, 60, 12, key=f"map.{key}.billing.{value}"))
    if terms:
        said["term"] = terms


def _owning_team(scenario: Scenario) -> str | None:
    """The first team whose accounts have their own person."""
    return next((name for name, one in scenario.teams.items() if one.named_owner), None)


def _rest(said: dict[str, Any], base: Mapping, scenario: Scenario, key: str, by_owners: bool) -> None:
    """The day of the list, date format, rows to leave out, several rows, headcount.

    by_owners : whether the team has a person for each owner, unless the reader says how many accounts each has.
    """
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    day = base.as_of or scenario.start
    as_of = first.date_input(
        "The list is of",
        day,
        min_value=min(day, dt.date(2000, 1, 1)),
        max_value=max(day, dt.date(2100, 1, 1)),
        key=f"map.{key}.as_of",
        help="Rows that begin later, or ended by then, are left out; the book of this day opens the simulation.",
    )
    said["as_of"] = as_of
    formats = ["", *(name for name in DATE_FORMATS if name != ISO)]  # it is understood in any case
    written = second.selectbox(
        "Dates are written as",
        formats,
        index=formats.index(base.date_format) if base.date_format in formats else 0,
        format_func=lambda name: name or ISO,
        key=f"map.{key}.dates",
    )
    said.pop("date_format", None)
    if written:
        said["date_format"] = written
    zero = third.toggle(
        "Leave out rows without revenue", any(drop.zero_arr for drop in base.drop), key=f"map.{key}.zero"
    )
    drops = [drop for drop in said.get("drop", []) if "zero_arr" not in drop]
    said["drop"] = [*drops, {"zero_arr": True}] if zero else drops
    several = fourth.toggle("Add up rows of one account", base.several_rows == "sum", key=f"map.{key}.several")
    said["several_rows"] = "sum" if several else "refuse"
    team = _owning_team(scenario)
    if team is None:
        return
    headcount: dict[str, Any] = dict(said.get("headcount") or {})
    rule = base.headcount.get(team)
    usual = (rule.accounts_per_person if rule is not None else None) or 0.0
    people = st.number_input(
        f"Accounts for each {team_title(team)} (0: {'a person for each owner' if by_owners else 'as in the scenario'})",
        0.0,
        100_000.0,
        usual,
        step=1.0,
        format="%g",
        key=f"map.{key}.people",
        help="Sets the team's headcount from the number of accounts, rounded up.",
    )
    headcount.pop(team, None)
    if people:
        headcount[team] = {"accounts_per_person": people}
    elif by_owners:
        headcount[team] = "from_owners"
    said["headcount"] = headcount


# --- outcome ----------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=20, show_spinner="Reading the list…")
def _checked(key: str, baseline: str, stamps: Any, _source: AccountSource) -> Scenario | ScenarioError:
    """The baseline with the list, or what is wrong with it."""
    try:
        return load_scenario(drafts.FOLDER / baseline, accounts=_source)
    except ScenarioError as error:
        return error


def _outcome(source: AccountSource) -> None:
    """Errors, or the summary with the list and the button that puts it to use."""
    baseline = str(st.session_state.get("baseline", inputs.FIRST_BASELINE))
    found = _checked(drafts.fingerprint(source), baseline, inputs.stamps(), source)
    if isinstance(found, ScenarioError):
        _errors(found)
        return
    book = found.book
    assert book is not None
    total = float(book.arr_cents.sum()) / 100
    st.success(f"**{words.counted(len(book), 'account')}**, {words.value(total, f'{found.currency} per year')}.")
    _summary(book.summary)
    slips.show({baseline: found})
    with st.container(horizontal=True):
        st.button(
            "Use these accounts",
            type="primary",
            icon=":material/check:",
            on_click=inputs.use_accounts,
            args=(source,),
        )
        if source.mapping is not None:
            st.download_button(
                "Mapping file",
                dump_mapping(source.mapping),
                file_name="mapping.yaml",
                mime="application/yaml",
                on_click="ignore",
                icon=":material/description:",
                help="For the next time, and for the command line: --accounts F --mapping mapping.yaml",
            )
    days = [found.start + dt.timedelta(days=float(day)) for day in book.renewal_days[:MOST_ROWS_TABLED]]
    tiers = list(found.tiers)
    st.dataframe(
        pd.DataFrame(
            {
                "Account": [harmless(one) for one in book.account[:MOST_ROWS_TABLED]],
                "Name": [harmless(one) for one in book.name[:MOST_ROWS_TABLED]],
                "Tier": [tier_title(tiers[tier]) for tier in book.tier[:MOST_ROWS_TABLED]],
                "ARR": book.arr_cents[:MOST_ROWS_TABLED] / 100,
                "Term, months": book.term_months[:MOST_ROWS_TABLED],
                "Renewal": days,
                "Owner": [harmless(one) for one in book.owner[:MOST_ROWS_TABLED]],
            }
        ),
        hide_index=True,
        width="stretch",
        column_config={"ARR": st.column_config.NumberColumn(f"ARR ({found.currency})", format="localized")},
    )
    if len(book) > MOST_ROWS_TABLED:
        st.caption(f"The first {MOST_ROWS_TABLED} of {len(book):,}.")


def _summary(lines: Sequence[str]) -> None:
    st.markdown("\n".join(f"- {words.escape(line)}" for line in lines))


def _errors(error: ScenarioError) -> None:
    """Everything that is wrong, by row and column."""
    count = len(error.problems)
    st.error(f"{words.counted(count, 'problem')} to repair; nothing was taken over.")
    st.code(str(error), language=None, wrap_lines=True)
