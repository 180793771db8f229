"""Scenario files: what is read, merged, checked, refused, and in which words."""

from __future__ import annotations

import copy
import datetime as dt
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.scenario import (
    Phase,
    Problem,
    Scenario,
    ScenarioError,
    dump_scenario,
    load_scenario,
    load_scenario_text,
    phases,
)
from sim.scenario.checks import CHECKS
from sim.scenario.errors import SCHEMA_ERRORS
from sim.scenario.json_schema import field_at
from sim.scenario.phases import FIXED
from sim.scenario.tree import MAX_BYTES

ROOT = Path(__file__).parents[1]
BAD = Path(__file__).with_name("bad_scenarios")
BASE = BAD / "_base.yaml"
WRONG_FILES = sorted(path.name for path in BAD.glob("*.yaml") if not path.name.startswith("_"))
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))


def child(body: str = "", extends: str = "_base.yaml") -> Scenario:
    """A scenario that extends the small valid one."""
    return load_scenario_text(f"name: Child\nextends: {extends}\n{body}", "child.yaml", folder=BAD)


def messages(body: str) -> str:
    """What is said about a wrong child of the small valid scenario."""
    with pytest.raises(ScenarioError) as caught:
        child(body)
    return str(caught.value)


# --- the corpus of wrong files ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG_FILES)
def test_each_wrong_file_gives_exactly_its_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    expected = Path(name).with_suffix(".expected.txt").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(name)
    assert str(caught.value) + "\n" == expected, f"the messages for {name} have changed"


def test_the_corpus_is_whole() -> None:
    expected = {path.name.removesuffix(".expected.txt") for path in BAD.glob("*.expected.txt")}
    assert expected == {name.removesuffix(".yaml") for name in WRONG_FILES}, "a file and its messages go together"
    assert len(WRONG_FILES) >= 30, "the corpus has shrunk"


def test_every_cross_check_is_seen_in_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    silent = {check.__name__ for check in CHECKS}
    seen: set[str] = set()

    def listening(check):  # type: ignore[no-untyped-def]
        def heard(f):  # type: ignore[no-untyped-def]
            findings = list(check(f))
            if findings:
                seen.add(check.__name__)
            return iter(findings)

        return heard

    monkeypatch.setattr("sim.scenario.checks.CHECKS", tuple(map(listening, CHECKS)))
    for name in WRONG_FILES:
        with pytest.raises(ScenarioError):
            load_scenario(name)
    assert seen == silent, "a check that no wrong file trips may be dead"


@pytest.mark.parametrize("path", [BASE, *SHIPPED], ids=lambda path: path.name)
def test_valid_files_load(path: Path) -> None:
    assert load_scenario(path).weeks > 0


def test_the_what_ifs_say_only_what_differs() -> None:
    for path in SHIPPED:
        own = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "extends" in own:
            extended = yaml.safe_load((path.parent / own["extends"]).read_text(encoding="utf-8"))
            assert not repeated(own, extended), f"{path.name} should say only what differs from what it extends"


def repeated(own: Any, extended: Any) -> list[str]:
    """The keys whose value is the one that is there anyway."""
    if not isinstance(own, dict) or not isinstance(extended, dict):
        return []
    inside = [f"{key}.{below}" for key in own for below in repeated(own[key], extended.get(key))]
    return inside + [str(key) for key in own if key in extended and own[key] == extended[key]]


# --- reading --------------------------------------------------------------------------------------------


def test_words_that_older_yaml_turns_into_something_else_keep_their_meaning() -> None:
    scenario = child(
        "start: '2026-02-02'\n"
        "money: {programme_cost_per_year: 1e4, gross_margin: .5}\n"
        "teams: {support: {shift: {start: 08:30, end: 16:45}}}\n"
        "description: on\n"
    )
    assert scenario.start == dt.date(2026, 2, 2), "a date in quotes is a date"
    assert scenario.money.programme_cost_per_year == 10_000, "1e4 is a number"
    assert scenario.money.gross_margin == 0.5, ".5 is a number"
    assert scenario.teams["support"].shift.start == "08:30", "08:30 is a time, not 510 minutes"
    assert scenario.description == "on", "on is a word, not a truth value"


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "windows.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + BASE.read_bytes().replace(b"\n", b"\r\n"))
    assert load_scenario(file) == load_scenario(BASE)


def test_aliases_are_read() -> None:
    scenario = child("teams:\n  csm: {shift: &hours {start: 10:00}}\n  support: {shift: *hours}\n")
    assert scenario.teams["support"].shift.start == "10:00"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"# " + b"x" * MAX_BYTES)
    with pytest.raises(ScenarioError, match="larger than 1000 kB"):
        load_scenario(file)


@pytest.mark.parametrize("kind", ["nowhere", "folder", "pipe", "device"])
def test_what_is_no_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    with pytest.raises(ScenarioError, match=r"there is no file|is not a file"):
        load_scenario(path)


def test_many_aliases_of_one_value_are_cheap_to_refuse() -> None:
    bomb = "name: X\na: &a [" + "1, " * 1000 + "1]\nb: [" + "*a, " * 60 + "1]\n"
    with pytest.raises(ScenarioError, match="more than 50000 values"):
        load_scenario_text(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"key_{i}: 1\n" for i in range(2000)),
        "weeks: 1\n" * 2000,
        "teams:\n" + "".join(f"  team_{i}: {{headcount: 1}}\n" for i in range(2000)),
        "teams:\n" + "".join(f"  team_{i}:\n" for i in range(2000)),
        "routing: {assign: {how_to: {" + ", ".join(f"team_{i}: 0.1" for i in range(2000)) + "}}}\n",
        "changes:\n  - from: 2026-02-02\n    set:\n" + "".join(f"      a{i}: 1\n" for i in range(2000)),
    ],
    ids=["unknown keys", "duplicates", "teams", "deletions", "names", "changes"],
)
def test_of_thousands_of_problems_the_first_are_shown(body: str) -> None:
    lines = messages(body).splitlines()
    assert len(lines) <= 101, "nobody reads thousands of lines, and writing them takes minutes"
    assert len(lines) == 100 or lines[-1] == "child.yaml: there are more problems; repair these first"


def test_a_syntax_error_after_many_problems_is_no_traceback() -> None:
    assert "there are more problems" in messages("weeks: 1\n" * 150 + "a: [\n")
    assert "cannot be read as YAML" in messages("weeks: 1\n" * 80 + "a: [\n")


# --- extends and merging ----------------------------------------------------------------------------------


def test_maps_merge_and_lists_replace() -> None:
    base = load_scenario(BASE)
    scenario = child("teams: {support: {headcount: 9}}\naccounts: {weekday_profile: [1, 2, 3, 4, 5, 6, 7]}\n")
    assert scenario.teams["support"].headcount == 9
    assert scenario.teams["support"].shrinkage == base.teams["support"].shrinkage, "what is not named stays"
    assert scenario.teams["csm"] == base.teams["csm"], "what is not named stays"
    assert scenario.accounts.weekday_profile == [1, 2, 3, 4, 5, 6, 7], "a list is replaced whole"


def test_an_empty_value_deletes() -> None:
    scenario = child("tiers: {small: {term_months: {1: null, 12: 1.0}}}\nplaybooks: {small: {value_review:}}\n")
    assert scenario.tiers["small"].term_months == {12: 1.0}
    assert scenario.playbooks == {"small": {}}


def test_a_file_may_extend_one_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.yaml").write_bytes(BASE.read_bytes())
    (tmp_path / "parts" / "middle.yaml").write_text("name: Middle\nextends: base.yaml\nweeks: 26\n")
    (tmp_path / "top.yaml").write_text("name: Top\nextends: parts/middle.yaml\n")
    assert load_scenario(tmp_path / "top.yaml").weeks == 26


def test_a_wrong_value_is_blamed_on_the_file_that_has_it(tmp_path: Path) -> None:
    text = BASE.read_text(encoding="utf-8")
    (tmp_path / "base.yaml").write_text(text.replace("gross_margin: 0.8", "gross_margin: 80"))
    (tmp_path / "top.yaml").write_text("name: Top\nextends: base.yaml\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "top.yaml")
    (problem,) = caught.value.problems
    line = text.splitlines().index("  gross_margin: 0.8") + 1
    assert (problem.file, problem.line, problem.path) == (
        str(tmp_path / "base.yaml"),
        line,
        "money.gross_margin",
    )
    assert "80 % is 0.8" in problem.message, "a likely per cent is translated"


def test_a_text_without_folder_cannot_extend() -> None:
    with pytest.raises(ScenarioError, match="has no folder"):
        load_scenario_text("name: X\nextends: _base.yaml\n", "upload.yaml")


def test_a_whole_text_needs_no_folder() -> None:
    assert load_scenario_text(BASE.read_bytes(), "upload.yaml") == load_scenario(BASE)


# --- overrides --------------------------------------------------------------------------------------------


def test_overrides_lie_on_top_of_the_file() -> None:
    scenario = load_scenario(
        BASE,
        {"teams.support.headcount": np.int64(7), "tiers.small.term_months": {1: 0.5, 12: 0.5}, "weeks": 10},
    )
    assert scenario.teams["support"].headcount == 7
    assert scenario.tiers["small"].term_months == {1: 0.5, 12: 0.5}
    assert scenario.weeks == 10


def test_wrong_overrides_are_reported_like_wrong_files() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(BASE, {"teams.suport.headcount": 8, "teams.support.shrinkage": 30, "weeks": "six"})
    assert [str(problem) for problem in caught.value.problems] == [
        "overrides: teams.suport.headcount: there is no 'suport' in 'teams'; did you mean 'support'?",
        "overrides: teams.support.shrinkage: 30 is too high; use a share from 0 to 0.6 (30 % is 0.3): share of "
        "the shift in breaks, meetings and training (absences come on top)",
        "overrides: weeks: 'six' is text; use a whole number of weeks from 1 to 520",
    ]


# --- dated changes ----------------------------------------------------------------------------------------

CHANGES = """
changes:
  - from: 2026-03-02
    set:
      teams.support.headcount: 3
      tiers.small.term_months: {1: 0.1, 12: 0.9}
  - from: 2026-07-01
    set:
      teams.csm.headcount: 5
      routing.rules:
        - {from: csm, to: support, share: 1.0, how: front_door}
"""


def test_changes_add_up_in_the_order_of_their_dates() -> None:
    scenario = child(CHANGES)
    found = phases(scenario)
    assert [phase.start for phase in found] == [dt.date(2026, 1, 5), dt.date(2026, 3, 2), dt.date(2026, 7, 1)]
    assert [phase.scenario.teams["support"].headcount for phase in found] == [2, 3, 3], "a change stays"
    assert [phase.scenario.teams["csm"].headcount for phase in found] == [2, 2, 5]
    assert found[1].scenario.tiers["small"].term_months == {1: 0.1, 12: 0.9}, "maps merge as in files"
    assert [len(phase.scenario.routing.rules) for phase in found] == [0, 0, 1]
    assert all(not phase.scenario.changes for phase in found), "a phase holds still"


def test_a_scenario_without_changes_is_one_phase() -> None:
    base = load_scenario(BASE)
    assert phases(base) == [Phase(base.start, base)]


def test_a_change_on_the_first_day_leaves_the_values_before_it_to_the_warm_up() -> None:
    found = phases(child("changes:\n  - {from: 2026-01-05, set: {teams.csm.headcount: 4}}\n"))
    assert [(p.start.day, p.scenario.teams["csm"].headcount) for p in found] == [(5, 2), (5, 4)]


def test_a_change_may_delete_what_is_optional() -> None:
    found = phases(child("changes:\n  - {from: 2026-03-02, set: {playbooks.small.value_review: null}}\n"))
    assert found[1].scenario.playbooks == {"small": {}}


def test_vacancies_at_the_start_do_not_bind_later_headcounts() -> None:
    scenario = child(
        "teams: {csm: {headcount: 3, opening_vacancies: 2}}\n"
        "changes:\n  - {from: 2026-03-02, set: {teams.csm.headcount: 1}}\n"
    )
    assert phases(scenario)[1].scenario.teams["csm"].headcount == 1


@pytest.mark.parametrize("pattern", sorted(FIXED), ids=".".join)
def test_what_cannot_change_is_a_field_and_is_refused(pattern: tuple[str, ...]) -> None:
    path = tuple(
        {"tiers": "small", "teams": "csm", "categories": "how_to"}[pattern[0]] if key == "*" else key for key in pattern
    )
    if path != ("extends",):
        assert field_at(path) is not None, "a fixed path that does not exist protects nothing"
    body = f"changes:\n  - {{from: 2026-03-02, set: {{{'.'.join(path)}: 1}}}}\n"
    assert FIXED[pattern] in messages(body)


def test_problems_of_a_change_carry_its_line() -> None:
    body = "changes:\n  - from: 2026-03-02\n    set:\n      teams.support.headcount: 0\n"
    (line,) = messages(body).splitlines()
    assert line.startswith("child.yaml:6: teams.support.headcount: 'support' has no people"), line
    assert line.endswith("(in the change from 2026-03-02 on)"), line


def test_a_change_that_breaks_another_value_is_blamed() -> None:
    rules = "routing: {rules: [{from: csm, to: support, share: 1.0, how: front_door}]}\n"
    body = rules + "changes:\n  - from: 2026-03-02\n    set: {routing.assign.how_to: {support: 1.0, csm: null}}\n"
    (line,) = messages(body).splitlines()
    assert line.startswith("child.yaml:5: routing.rules[0].from: 'csm' never gets support calls"), line


# --- robustness -------------------------------------------------------------------------------------------


def assert_only_problems(data: bytes) -> None:
    """Loads, or fails with problems that can be shown to anybody."""
    problems = None
    try:
        load_scenario_text(data, "fuzz.yaml", folder=BAD)
    except ScenarioError as error:
        problems = error.problems
    assert problems is None or problems, "an error names at least one problem"
    for problem in problems or []:
        assert problem.message, "a problem says what is wrong"
        assert str(problem).isprintable(), f"would disturb a terminal: {str(problem)!r}"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_give_problems_and_no_traceback(data: bytes) -> None:
    assert_only_problems(data)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}[]:,-&*!|>'\"%@`#?\n\t 0aé\u2028\x85", max_size=60))
def test_random_yaml_signs_give_problems_and_no_traceback(text: str) -> None:
    assert_only_problems(b"name: X\nextends: _base.yaml\n" + text.encode())


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=12),
    st.dates(),
    st.sampled_from(["30%", "csm", "how_to", "front_door", "2026-07-01", "09:00"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=8), st.integers()), inside, max_size=3),
    ),
    max_leaves=6,
)


def _leaves(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, item in inside for leaf in _leaves(item, (*path, key)))]


WHOLE = yaml.safe_load(dump_scenario(child(CHANGES)))
PLACES = [path for path in _leaves(WHOLE) if path]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_a_scenario_with_random_wrong_values_gives_problems_and_no_traceback(
    wrong: list[tuple[tuple[object, ...], object]],
) -> None:
    data = copy.deepcopy(WHOLE)
    for path, value in wrong:
        here = data
        for key in path[:-1]:
            here = here[key] if isinstance(here, dict) and key in here else None
        if isinstance(here, dict):
            here[path[-1]] = value
    assert_only_problems(yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "surrogatepass"))


def test_every_schema_error_has_our_words() -> None:
    """Walks the whole scenario, puts every kind of wrong value everywhere, and looks for foreign wording."""
    values = [
        None,
        True,
        "",
        "word",
        "x" * 3000,
        -1,
        10**12,
        1.5,
        -1e30,
        float("nan"),
        [],
        {},
        [1] * 200,
        dt.date(2026, 1, 5),
    ]
    values += ["\ud800", {"Bad Name": 1}, {99: 1}, {"a": 1}, {f"k{i}": 0 for i in range(60)}]
    seen = set()
    for path in PLACES:
        for value in values:
            data = copy.deepcopy(WHOLE)
            here = data
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = value
            try:
                Scenario.model_validate(data, strict=True)
            except ValueError as error:
                seen |= {one["type"] for one in error.errors()}  # type: ignore[attr-defined]
    assert seen <= SCHEMA_ERRORS, f"no words for {seen - SCHEMA_ERRORS}"
    assert seen >= SCHEMA_ERRORS - {"missing", "extra_forbidden"}, f"never seen: {SCHEMA_ERRORS - seen}"


def test_an_error_can_travel_between_processes() -> None:
    error = ScenarioError([Problem("a.yaml", 3, "teams", "wrong"), Problem("a.yaml", 0, "", "also wrong")])
    received = pickle.loads(pickle.dumps(error))
    assert received.problems == error.problems
    assert str(received) == "a.yaml:3: teams: wrong\na.yaml: also wrong"
