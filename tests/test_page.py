"""The page Decide before anything runs: the question in words, levers, links, and files of every kind."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Any

import pages
import pytest
from pages import BASELINE, DAY, HIRE, REROUTE, RULE, World, named, open_page, plain, texts, write
from streamlit.testing.v1 import AppTest

from planner.draft import read_link
from sim.scenario import load_scenario

pytest_plugins = ("pages",)

SHARE, CSM, SUPPORT = "Support calls rerouted to Support (%)", "CSM headcount", "Support headcount"
QUESTION = "From 2 March 2026 all support calls, about 25 % of the CSMs' contacts, go straight to Support."


def levers(page: AppTest) -> dict[str, Any]:
    """Where the levers stand."""
    found = {one.label: one.value for one in (*page.slider, *page.date_input)}
    return found | {"How": page.button_group[0].value if page.button_group else None}


def link_of(page: AppTest) -> dict[str, Any]:
    """The question in the page's address."""
    found: dict[str, Any] = json.loads(pages.link_in(page))
    return found


def link(what_if: str = REROUTE, **values: Any) -> str:
    return json.dumps({"baseline": BASELINE, "what_if": what_if, **values})


def changed(**paths: Any) -> str:
    """A link with a dated change; two underscores stand for a dot."""
    return link(change={"from": DAY, "set": {path.replace("__", "."): value for path, value in paths.items()}})


def can_run(page: AppTest) -> bool:
    return not named(page.button, "Run").disabled


# --- a visit ------------------------------------------------------------------------------------------------


def test_a_fresh_page_asks_the_reroute_question_in_words_and_has_run_nothing(world: World) -> None:
    page = open_page()
    assert not page.exception
    assert [picker.value for picker in page.selectbox] == [BASELINE, REROUTE]
    assert f"#### {QUESTION}" in plain(page)
    assert levers(page) == {SHARE: 100, CSM: 1, SUPPORT: 1, "From": dt.date(2026, 3, 2), "How": "front_door"}, (
        "the levers stand where the file has them"
    )
    assert can_run(page)
    assert named(page.button, "Cancel") is None, "there is nothing to cancel yet"
    assert not page.metric
    assert "Press Run" in texts(page)
    assert not world.comparison.calls, "nothing runs that nobody asked for"
    assert link_of(page) == {"baseline": BASELINE, "what_if": REROUTE, "replications": 30, "seed": 1}


def test_moved_levers_change_the_sentence_and_the_address_and_make_the_answer_stale(world: World) -> None:
    page = open_page()
    pages.answered(page, world.comparison.result)
    assert "stale" not in texts(page)

    named(page.slider, SHARE).set_value(40)
    named(page.slider, SUPPORT).set_value(3)
    page.date_input[0].set_value(dt.date(2026, 4, 6))
    page.button_group[0].set_value("warm_transfer")
    page.run()
    assert not page.exception
    assert (
        "From 6 April 2026 40 % of the support calls, about 10 % of the CSMs' contacts, are answered by the CSMs first"
        " and then handed over to Support and the Support team has 3 people, 2 more." in plain(page)
    )
    rule = {**RULE, "share": 0.4, "how": "warm_transfer"}
    values = {"routing.rules": [rule], "teams.support.headcount": 3}
    assert link_of(page)["change"] == {"from": "2026-04-06", "set": values}
    assert "This answer is stale" in texts(page)
    assert page.metric, "the old answer stays readable"

    named(page.slider, SHARE).set_value(100)
    named(page.slider, SUPPORT).set_value(1)
    page.date_input[0].set_value(dt.date(2026, 3, 2))
    page.button_group[0].set_value("front_door")
    page.run()
    assert "stale" not in texts(page), "the question is the answer's again"
    assert "change" not in link_of(page)


def test_another_file_puts_the_levers_where_it_has_them(world: World) -> None:
    page = open_page()
    named(page.slider, SHARE).set_value(40).run()
    page.selectbox[1].set_value(HIRE).run()
    assert levers(page)[SHARE] == 0
    assert levers(page)[CSM] == 2
    assert "the CSM team has 2 people, 1 more" in plain(page)
    assert "change" not in link_of(page)


def test_the_date_can_be_moved_only_where_it_moves_something(own_folder: Path, world: World) -> None:
    calm = {"from": DAY, "set": {"mechanisms.firefighting": False}}
    write(own_folder / "calm.yaml", {"name": "No firefights", "extends": BASELINE, "changes": [calm]})
    page = open_page(link=link("calm.yaml"))
    assert page.date_input[0].disabled, "no slider has a change to date, and the file keeps its own date"
    named(page.slider, SUPPORT).set_value(3).run()
    assert not page.date_input[0].disabled
    page.date_input[0].set_value(dt.date(2026, 4, 6)).run()
    assert "From 6 April 2026 the Support team has 3 people" in plain(page)
    assert not open_page().date_input[0].disabled, "the reroute is a slider's change"
    linked = open_page(link=link("calm.yaml", change={"from": DAY, "set": {"mechanisms.winback": False}}))
    assert not linked.date_input[0].disabled, "what a link changes beyond the sliders moves with the date"


def test_the_help_of_the_levers_speaks_of_what_stands_on_them(world: World) -> None:
    page = open_page()
    assert "100: all of them" in named(page.slider, SHARE).help
    how = page.button_group[0].help
    assert "Front door: " in how
    assert "warm transfer: " in how
    assert "_" not in how


def test_replications_and_seed_belong_to_the_question(world: World) -> None:
    page = open_page()
    page.number_input(key="replications").set_value(10)
    page.number_input(key="seed").set_value(0).run()
    assert (link_of(page)["replications"], link_of(page)["seed"]) == (10, 0), "seed 0 is a seed"


def test_the_question_and_its_link_outlive_a_look_at_the_other_pages(world: World) -> None:
    page = open_page()
    named(page.slider, SUPPORT).set_value(3)
    page.number_input(key="seed").set_value(7).run()
    before = link_of(page)
    for path in ("accounts", "risk", "decide"):
        pages.go(page, path)
        assert not page.exception
    assert levers(page)[SUPPORT] == 3
    assert link_of(page) == before, "the address has the question again, to be copied"


# --- files --------------------------------------------------------------------------------------------------


def test_the_same_file_twice_can_run_only_with_a_lever_moved(world: World) -> None:
    page = open_page()
    page.selectbox[1].set_value(BASELINE).run()
    assert not can_run(page)
    assert "Baseline and what-if are the same file. Choose two, or move a lever." in texts(page)
    named(page.slider, SUPPORT).set_value(2).run()
    assert can_run(page)
    assert "the Support team has 2 people, 1 more" in plain(page)


def test_a_broken_file_shows_its_errors_and_cannot_run(own_folder: Path) -> None:
    write(own_folder / "[broken](http://x).yaml".replace("/", ""), {"name": "Broken", "extends": BASELINE, "weks": 52})
    page = open_page()
    page.selectbox[1].set_value("[broken](http:x).yaml").run()
    assert not page.exception
    assert "weks: unknown key" in texts(page), "the error is the file's own"
    assert "Press Run" not in texts(page)
    assert r"\[broken\](http\:x).yaml has errors and cannot run" in texts(page), "its name is no link"
    assert not can_run(page)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"weeks": 10}, "weeks: 10 differs from the baseline's 20"),
        ({"start": "2024-01-01"}, "start: 2024-01-01 differs from the baseline's 2026-01-05"),
        ({"start": "2031-01-06", "weeks": 104}, "start: 2031-01-06 differs from the baseline's 2026-01-05"),
        ({"currency": "EUR"}, "currency: EUR differs from the baseline's USD"),
    ],
)
def test_scenarios_that_cannot_be_compared_are_told_before_run(
    own_folder: Path, values: dict[str, Any], reason: str
) -> None:
    write(own_folder / "other.yaml", {"name": "Other", "extends": BASELINE, **values})
    page = open_page()
    page.selectbox[1].set_value("other.yaml").run()
    assert not page.exception
    assert not can_run(page), "a run that must fail is not offered"
    assert f"other.yaml: {reason}" in texts(page), "the reason names file and field"
    page.selectbox[1].set_value(HIRE).run()
    assert "cannot be compared" not in texts(page)
    assert can_run(page)


def test_the_pickers_list_only_files_that_one_could_open(own_folder: Path) -> None:
    (own_folder / "dangling.yaml").symlink_to(own_folder / "nowhere")
    (own_folder / ".#baseline.yaml").symlink_to("somebody@machine.123")
    (own_folder / ".hidden.yaml").write_text("name: Hidden\n", encoding="utf-8")
    (own_folder / "folder.yaml").mkdir()
    os.mkfifo(own_folder / "pipe.yaml")
    page = open_page()
    assert not page.exception
    assert page.selectbox[0].options == [BASELINE, HIRE, REROUTE]
    assert can_run(page)


@pytest.mark.parametrize("name", ["Prüfung (2), neu.yaml", "_draft.yaml", "it's 100% $HOME.yaml", "x" * 200 + ".yaml"])
def test_a_file_of_any_name_can_be_compared_and_its_link_opened(own_folder: Path, name: str) -> None:
    (own_folder / name).write_bytes((own_folder / HIRE).read_bytes())
    page = open_page()
    page.selectbox[1].set_value(name).run()
    assert not page.exception
    assert can_run(page)
    again = open_page(link=json.dumps(link_of(page)))
    assert again.selectbox[1].value == name


def test_a_chosen_file_that_vanishes_does_not_stop_the_page(own_folder: Path) -> None:
    page = open_page()
    page.selectbox[1].set_value(HIRE).run()
    (own_folder / HIRE).unlink()
    page.run()
    assert not page.exception, "files come and go while the page is open"
    assert page.selectbox[1].options == [BASELINE, REROUTE]
    assert page.selectbox[1].value in page.selectbox[1].options, "another file is chosen instead"


def test_a_file_that_becomes_shorter_or_smaller_under_the_levers_does_not_stop_the_page(own_folder: Path) -> None:
    page = open_page()
    page.date_input[0].set_value(dt.date(2026, 5, 11))
    named(page.slider, SUPPORT).set_value(10).run()
    text = (own_folder / BASELINE).read_text(encoding="utf-8")
    (own_folder / BASELINE).write_text(text.replace("weeks: 20\n", "weeks: 12\n"), encoding="utf-8")
    page.run()
    assert not page.exception
    assert levers(page)["From"] == dt.date(2026, 3, 29), "the last day that there is"


@pytest.mark.parametrize(("files", "message"), [(0, "there are none"), (1, "there is 1")])
def test_a_folder_with_too_few_files_says_what_is_missing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, message: str
) -> None:
    pages.use_folder(monkeypatch, tmp_path)
    for index in range(files):
        (tmp_path / f"{index}.yaml").write_text("name: Lonely\n", encoding="utf-8")
    page = open_page()
    assert not page.exception
    assert "Two scenario files are needed" in texts(page)
    assert message in texts(page)


def test_a_folder_that_vanishes_is_told(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.use_folder(monkeypatch, tmp_path / "gone")
    page = open_page()
    assert not page.exception
    assert "there are none" in texts(page)


def test_names_and_descriptions_from_files_cannot_format_the_page(world: World, own_folder: Path) -> None:
    name = "*A* _b_ [c](http://d) <script>e</script> $f$ `g` :red[h]"
    write(own_folder / "odd.yaml", {"name": name, "description": f"{name}\n===\n- one", "extends": HIRE})
    page = open_page()
    page.selectbox[1].set_value("odd.yaml").run()
    before, after = (load_scenario(own_folder / file) for file in (BASELINE, "odd.yaml"))
    pages.answered(page, pages.compared(before, after))
    assert not page.exception
    found = [(kind, text) for kind, text in pages.drawn(page) if "script" in text]
    assert len(found) == 4, "name and description are shown, above and in the answer"
    for kind, text in found:
        for risky in ("*A*", " _b_", "[c]", "<script>", "$f$", "`g`", ":red[", "\n==="):
            assert risky not in text, f"{risky!r} would format the {kind} {text}"


# --- levers that a file does not have -----------------------------------------------------------------------


def test_rules_that_no_slider_can_show_stay_the_files_own(own_folder: Path) -> None:
    rules = [{**RULE, "categories": ["how_to"], "share": 0.5}, {**RULE, "share": 0.25}]
    changes = [{"from": DAY, "set": {"routing.rules": rules}}]
    write(own_folder / "rules.yaml", {"name": "R", "extends": BASELINE, "changes": changes})
    page = open_page()
    page.selectbox[1].set_value("rules.yaml").run()
    assert not page.exception
    assert "routing rules of its own; change them in its file" in texts(page)
    named(page.slider, SUPPORT).set_value(4).run()
    after = page.session_state["chosen"].after
    assert [rule["share"] for rule in after.changes[0].set["routing.rules"]] == [0.5, 0.25]
    assert "the Support team has 4 people" in plain(page)


def test_a_share_between_two_stops_of_the_slider_is_not_rounded(own_folder: Path) -> None:
    change = {"from": DAY, "set": {"routing.rules": [{**RULE, "share": 0.295}]}}
    write(own_folder / "odd.yaml", {"name": "Odd share", "extends": BASELINE, "changes": [change]})
    page = open_page()
    page.selectbox[1].set_value("odd.yaml").run()
    assert levers(page)[SHARE] == 30
    assert "change" not in link_of(page), "nobody has moved a lever"
    named(page.slider, SUPPORT).set_value(4).run()
    assert link_of(page)["change"]["set"]["routing.rules"][0]["share"] == 0.295


def test_a_part_of_a_person_stays_the_files_own_until_the_slider_is_moved(own_folder: Path) -> None:
    pages.write_company(own_folder, {"teams.csm.headcount": 2.5})
    change = {"from": DAY, "set": {"teams.csm.headcount": 3.25}}
    write(own_folder / "part.yaml", {"name": "Part of a person", "extends": BASELINE, "changes": [change]})
    page = open_page()
    page.selectbox[1].set_value("part.yaml").run()
    assert not page.exception
    assert levers(page)[CSM] == 4, "sliders have whole people"
    assert "The baseline has 2.5. The what-if has 3.25" in named(page.slider, CSM).help
    assert "the CSM team has 3.25 people, 0.75 more" in plain(page)
    assert "change" not in link_of(page), "nobody has moved a lever"
    named(page.slider, SUPPORT).set_value(4).run()
    assert link_of(page)["change"]["set"]["teams.csm.headcount"] == 3.25
    named(page.slider, CSM).set_value(3).run()
    assert link_of(page)["change"]["set"]["teams.csm.headcount"] == 3


# --- links --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        link(HIRE, replications=12, seed=5),
        changed(routing__rules=[{**RULE, "share": 0.4, "how": "warm_transfer"}], teams__support__headcount=3),
        changed(routing__rules=[]),
        changed(routing__rules=[{**RULE, "share": 0.295}]),
        changed(teams__support__headcount=12),
        changed(teams__support__headcount=5000),
        changed(teams__csm__headcount=1.5),
        changed(routing__rules=[{**RULE, "share": 0.5}, {**RULE, "categories": ["how_to"], "share": 0.5}]),
        changed(teams__csm__shrinkage=0.2, teams__csm__headcount=2),
        changed(teams={"csm": {"headcount": 7}}),
        link(change={"from": "2026-04-06", "set": {"teams.csm.shrinkage": 0.1}}),
    ],
)
def test_a_link_restores_its_question_exactly_and_keeps_it(world: World, text: str) -> None:
    page = open_page(link=text)
    assert not page.exception
    wanted = {"replications": 30, "seed": 1, **json.loads(text)}
    assert read_link(json.dumps(link_of(page))) == read_link(json.dumps(wanted))
    assert can_run(page)
    page.run()
    assert not page.exception
    assert read_link(json.dumps(link_of(page))) == read_link(json.dumps(wanted)), "drawn again, it is the same"


def test_what_a_link_sets_beyond_the_levers_stays_when_one_is_moved(world: World) -> None:
    page = open_page(link=changed(teams__csm__shrinkage=0.2))
    named(page.slider, SUPPORT).set_value(3).run()
    values = link_of(page)["change"]["set"]
    assert values["teams.csm.shrinkage"] == 0.2
    assert values["teams.support.headcount"] == 3
    page.selectbox[1].set_value(HIRE).run()
    assert "change" not in link_of(page), "another file was chosen: nothing is left of the link"


def test_a_file_edited_or_gone_under_a_link_does_not_stop_the_page(own_folder: Path) -> None:
    page = open_page(link=changed(teams__support__headcount=3))
    for file in (BASELINE, REROUTE):
        text = (own_folder / file).read_text(encoding="utf-8")
        (own_folder / file).write_text(re.sub(r"\bsupport\b", "helpdesk", text), encoding="utf-8")
    page.run()
    assert not page.exception
    assert named(page.slider, "Helpdesk headcount").value == 1, "the link's team is gone, and its lever with it"
    (own_folder / REROUTE).unlink()
    page.run()
    assert not page.exception


NO_LINK = "This link cannot be followed: "
BROKEN_LINKS: dict[str, tuple[str, str]] = {
    "no JSON": ("{", f"{NO_LINK}the whole: Invalid JSON"),
    "a pickle": ("gASVCgAAAAAAAACMBG9zLg==", f"{NO_LINK}the whole: Invalid JSON"),
    "too long": ("x" * 9000, "This link is 9,000 characters long; a link of ours has at most 8,000."),
    "no file": (link("gone.yaml"), "This link needs the scenario file gone.yaml, which is not there."),
    "another folder": (link("../secret.yaml"), f"{NO_LINK}what_if: "),
    "an absolute path": (link("/etc/passwd"), f"{NO_LINK}what_if: "),
    "an unknown key": (link(**{"[a](http://b)": 1}), f"{NO_LINK}[a](http://b): Extra inputs are not permitted."),
    "too many replications": (link(replications=10**9), f"{NO_LINK}replications: "),
    "a number too large": (link(seed=10**40), f"{NO_LINK}seed: "),
    "nothing changed": (changed(), f"{NO_LINK}change.set: "),
    "no date": (link(change={"from": "soon", "set": {"weeks": 1}}), f"{NO_LINK}change.from: "),
    "deep": (changed(weeks=json.loads("[" * 300 + "]" * 300)), f"{NO_LINK}the whole: Invalid JSON: recursion"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN_LINKS.values(), ids=BROKEN_LINKS)
def test_a_broken_link_says_what_is_wrong_and_leaves_a_page_that_works(world: World, text: str, message: str) -> None:
    page = open_page(link=text)
    assert not page.exception
    (error,) = page.error
    assert message in error.value.replace("\\", "")
    assert "[a](" not in error.value, "a link's text makes no link on the page"
    assert QUESTION in plain(page), "the first question stands instead"
    assert can_run(page)
    page.run()
    assert message in plain(page), "the message stays until something else is asked"
    named(page.slider, SUPPORT).set_value(3).run()
    assert not page.error


ODD_CHANGES: dict[str, Any] = {
    "an empty path": {"": 1},
    "dots only": {"...": 1},
    "an unknown path": {"teams.csm.headcounts": 7},
    "a list for a number": {"teams.csm.headcount": [1, 2]},
    "a text for a number": {"teams.csm.headcount": "seven"},
    "a number out of range": {"teams.csm.headcount": 10**30},
    "fewer people than none": {"teams.csm.headcount": -0.5},
    "nothing for a team": {"teams.csm": None},
    "a part that is none": {"teams": {"csm": 7}},
    "a rule that is none": {"routing.rules": [{"from": "csm"}]},
    "rules that are no list": {"routing.rules": {"from": "csm"}},
    "what cannot be dated": {"weeks": 5, "name": "x", "changes": [], "extends": "../x.yaml"},
    "another file": {"accounts.file": "/etc/passwd"},
    "a path into a list": {"routing.rules.0.share": 0.5},
}


@pytest.mark.parametrize("values", ODD_CHANGES.values(), ids=ODD_CHANGES)
def test_a_link_that_sets_what_cannot_be_set_shows_the_errors(world: World, values: dict[str, Any]) -> None:
    page = open_page(link=link(change={"from": DAY, "set": values}))
    assert not page.exception
    assert "This link's scenarios have errors:" in plain(page)
    assert any(path in page.code[0].value for path in values), "the path is named"
    assert can_run(page), "the first question stands instead"


@pytest.mark.parametrize("day", ["0001-01-01", "2026-01-04", "2030-01-01", "9999-12-31"])
def test_a_link_with_a_date_outside_the_run_shows_the_errors(world: World, day: str) -> None:
    page = open_page(link=link(change={"from": day, "set": {"teams.csm.headcount": 2}}))
    assert not page.exception
    assert "This link's scenarios have errors:" in plain(page)
    assert day in page.code[0].value


def test_a_link_that_names_an_account_list_says_that_it_has_to_be_uploaded(world: World) -> None:
    page = open_page(link=link(HIRE, accounts="0123456789ab"))
    assert not page.exception
    assert "This link was made with an account list, which no link holds. Upload it" in texts(page)
    assert page.selectbox[1].value == HIRE, "the rest of the question is restored"
    assert can_run(page)


def test_an_older_address_that_comes_along_does_not_move_the_levers_back(world: World) -> None:
    page = open_page()
    before = page.query_params["q"]
    named(page.slider, SHARE).set_value(60).run()
    page.query_params["q"] = before[0] if isinstance(before, list) else before
    page.run()
    assert named(page.slider, SHARE).value == 60, "the browser may send an address that the page has left behind"
