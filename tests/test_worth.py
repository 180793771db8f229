"""What the team is worth: what is left out, what is counted, Fieller's interval, the words, the command."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from kpi_tables import TWO_ACCOUNTS, WEEK, decision, handled, make_history, make_inputs, steady_weeks
from rich.console import Console
from small import SCENARIOS, SMALL, put, run, small_inputs, values_of

from sim.cli import execute
from sim.cli_worth import show_worth
from sim.model.compile import compile_inputs
from sim.scenario import Scenario, load_scenario, load_scenario_text, phases
from sim.study.errors import Interrupted, StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import worth
from sim.study.kpis import compute
from sim.study.worth import Ratio, Worth, paired_ratio, piece
from sim.study.worth_measures import worth_totals
from sim.study.worth_scenarios import alternatives, default_day, planning_team, routing_without

SHIPPED = {
    "team": "no_csm_team.yaml",
    "one_person": "one_fewer_csm.yaml",
    "prevention": "firefighting_only.yaml",
    "firefighting": "no_firefighting.yaml",
}


def company(overrides: dict[str, Any] | None = None) -> Scenario:
    values = put(values_of(), SMALL | {"weeks": 20, "teams.csm.headcount": 2} | (overrides or {}))
    return load_scenario_text(yaml.safe_dump(values), "small.yaml", SCENARIOS)


def differing(a: Any, b: Any, path: str = "") -> list[str]:
    """Paths of the fields in which two inputs differ."""
    if is_dataclass(a):
        return [p for f in fields(a) for p in differing(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")]
    if isinstance(a, tuple) and len(a) == len(b):
        return [p for i, (x, y) in enumerate(zip(a, b, strict=True)) for p in differing(x, y, f"{path}[{i}]")]
    if isinstance(a, np.ndarray):
        return [] if np.array_equal(a, b, equal_nan=a.dtype.kind == "f") else [path]
    same = a == b if not hasattr(a, "__dict__") else True
    return [] if same else [path]


# --- what is left out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", SHIPPED)
def test_the_alternatives_of_the_shipped_company_are_the_shipped_files(what: str) -> None:
    made = alternatives(load_scenario(SCENARIOS / "baseline.yaml"))
    assert made.day == dt.date(2026, 7, 1)
    mine = next(one.scenario for one in made.found if one.what == what)
    file = load_scenario(SCENARIOS / SHIPPED[what])
    assert differing(compile_inputs(mine), compile_inputs(file)) == [".name"], "the same company but for its name"


def test_changes_before_and_beside_stay_and_later_ones_do_not_bring_back_what_is_gone() -> None:
    rule = {"from": "csm", "to": "support", "share": 0.5, "how": "front_door"}
    changes = [
        {"from": "2026-01-14", "set": {"teams.support.shrinkage": 0.1}},
        {"from": "2026-02-04", "set": {"teams.support.headcount": 2, "teams.csm.headcount": 3}},
        {
            "from": "2026-03-04",
            "set": {"teams.csm.headcount": 5, "teams.support.shrinkage": 0.2, "routing.rules": [rule]},
        },
    ]
    scenario = company({"changes": changes})
    made = {one.what: one.scenario for one in alternatives(scenario, dt.date(2026, 2, 4)).found}
    first, then, last = (phase.scenario for phase in phases(made["team"])[1:])
    assert [one.teams["csm"].headcount for one in (first, then, last)] == [2, 0, 0]
    assert [one.teams["support"].headcount for one in (first, then, last)] == [1, 2, 2]
    assert [one.teams["support"].shrinkage for one in (first, then, last)] == [0.1, 0.1, 0.2]
    people = [phase.scenario.teams["csm"].headcount for phase in phases(made["one_person"])]
    assert people == [2, 2, 2, 4], "one fewer after each later change too"
    assert made["prevention"].book is scenario.book


def test_rules_to_and_from_the_team_follow_its_contacts() -> None:
    rules = [
        {"from": "support", "to": "csm", "share": 0.1, "how": "front_door", "categories": ["how_to"]},
        {"from": "csm", "to": "support", "share": 0.3, "how": "front_door"},
    ]
    routing = {"rules": rules, "escalation": [{"from": "support", "to": "csm", "share": 0.5}]}
    scenario = company({"routing.rules": rules, "routing.escalation": routing["escalation"]})
    values = routing_without(scenario, "csm", "support")
    assert values["routing.rules"] == []
    assert values["routing.escalation"] == []
    assert values["routing.assign.how_to"] == {"csm": None, "support": 1.0}
    made = alternatives(scenario)
    assert {one.what for one in made.found} == set(SHIPPED), "and the files are valid"


def test_a_partner_that_begins_on_the_same_day_keeps_what_it_delivers() -> None:
    made = alternatives(load_scenario(SCENARIOS / "partner.yaml"), dt.date(2026, 7, 1))
    assert not made.left_out
    without = next(phases(one.scenario)[-1].scenario for one in made.found if one.what == "team")
    assert without.routing.assign["training"] == {"support": 0.0, "partner": 1.0}
    assert without.teams["partner"].headcount == 1
    assert without.routing.assign["coaching"] == {"support": 1.0}


def test_a_partner_that_begins_later_takes_over_with_or_without_the_team() -> None:
    scenario = load_scenario(SCENARIOS / "partner.yaml")
    made = alternatives(scenario, dt.date(2026, 4, 1))
    without = phases(next(one.scenario for one in made.found if one.what == "team"))
    before, after = (
        [phase.scenario for phase in without if phase.start <= day][-1]
        for day in (dt.date(2026, 5, 1), dt.date(2026, 8, 1))
    )
    plans = scenario.playbooks["enterprise"]
    assert before.routing.assign["training"] == {"support": 1.0}
    assert not before.playbooks["enterprise"], "nobody plans anything"
    assert after.routing.assign["training"] == {"support": 0.0, "partner": 1.0}
    kept = {name: plans[name] for name in ("training", "onboarding")}
    assert after.playbooks["enterprise"] == kept, "the partner does its part, as planned"


def test_what_cannot_be_left_out_is_said_with_its_reason() -> None:
    made = alternatives(company({"teams.csm.headcount": 1}))
    assert "CSM has 1 people" in made.left_out["one_person"]
    made = alternatives(company({"mechanisms.firefighting": False}))
    assert "no firefighting that could be left out" in made.left_out["firefighting"]
    with pytest.raises(StudyInputError, match="no team does planned work"):
        alternatives(company({"playbooks": {}}))
    with pytest.raises(StudyInputError, match="--from: 2030-01-01 is outside the run; use a date from 2026-01-05 to"):
        alternatives(company(), dt.date(2030, 1, 1))


def test_the_team_is_the_one_that_plans_most() -> None:
    assert planning_team(company()) == "csm"
    moved = {f"routing.assign.{name}": {"support": 1.0} for name in values_of()["playbooks"]["enterprise"]}
    assert planning_team(company(moved)) == "support"


@pytest.mark.parametrize(
    ("weeks", "day"), [(104, "2026-07-01"), (52, "2026-04-01"), (10, "2026-01-19"), (1, "2026-01-05")]
)
def test_a_quarter_of_the_run_has_passed_when_something_is_left_out(weeks: int, day: str) -> None:
    assert default_day(company({"weeks": weeks})) == dt.date.fromisoformat(day)


# --- what is counted ----------------------------------------------------------------------------------------


def test_totals_are_those_of_each_tier_and_of_the_company() -> None:
    accounts = [
        {**TWO_ACCOUNTS[0], "tier": 0},
        {**TWO_ACCOUNTS[1], "tier": 1, "arr_cents": 300_000, "service": 0.5},
    ]
    events = [
        decision(0, 5 * WEEK, left=True, expected=0.25, arr=1000),
        decision(1, 6 * WEEK, left=False, expected=0.5, arr=3000, tier=1),
    ]
    contacts = [
        handled(0, 1, 5.0, cost=7.0, tier=1),
        handled(0, 2, 6.0, cost=2.0, tier=1),
        handled(0, 0, 7.0, cost=1.0),
    ]
    inputs = make_inputs(tiers=("company", "small"), programme_cost_per_year=100.0)
    history = make_history(contacts, events, tier_weeks=steady_weeks(2, 4000), accounts=accounts)
    found, kpis = worth_totals(history, inputs), compute(history, inputs)
    assert (found["0.departures"], found["1.departures"], found["company.departures"]) == (0.25, 0.5, 0.75)
    assert (found["0.arr_lost"], found["1.arr_lost"]) == (250.0, 1500.0)
    assert (found["1.cost"], found["1.cost_planned"], found["1.cost_triggered"]) == (9.0, 7.0, 2.0)
    assert found["company.cost"] == pytest.approx(kpis["cost_total"])
    assert found["company.contribution"] == pytest.approx(kpis["contribution"])
    assert found["company.book_value"] == pytest.approx(kpis["book_value_end"])
    assert found["1.at_risk"] == found["company.at_risk"] == pytest.approx(kpis["arr_at_risk_end"])


def test_tiers_add_up_to_the_company() -> None:
    inputs = small_inputs({"weeks": 20})
    found = worth_totals(run(inputs), inputs)
    for name in ("departures", "arr_lost", "at_risk"):
        assert sum(found[f"{i}.{name}"] for i in range(3)) == pytest.approx(found[f"company.{name}"])
    assert sum(found[f"{i}.cost"] for i in range(3)) < found["company.cost"], "idle time belongs to no tier"


# --- Fieller ------------------------------------------------------------------------------------------------


def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says() -> None:
    """2,000 studies of 12 replications: the share of intervals that hold the true 2.5 is 95 % within chance."""
    random = np.random.default_rng(11)
    held = 0
    for _ in range(2_000):
        kept = random.normal(4.0, 1.5, 12)
        cost = 10 + 2 * (kept - 4) + random.normal(0, 2, 12)
        ends = paired_ratio(cost, kept).ci95
        assert ends is not None
        held += ends[0] <= 2.5 <= ends[1]
    assert abs(held / 2_000 - 0.95) < 3.3 * (0.95 * 0.05 / 2_000) ** 0.5, f"{held} of 2,000 (99.9 % of chance)"


def test_the_ends_of_the_interval_are_where_the_difference_cannot_be_told_from_zero() -> None:
    above, below = np.array([9.0, 12.0, 8.0, 11.0, 13.0]), np.array([3.0, 4.5, 3.5, 4.0, 4.0])
    found = paired_ratio(above, below)
    assert found.value == pytest.approx(above.mean() / below.mean())
    assert found.ci95 is not None
    for end in found.ci95:
        rest = above - end * below
        t = rest.mean() / (rest.std(ddof=1) / 5**0.5)
        assert abs(t) == pytest.approx(2.776445, abs=1e-5), "Student's t with 4 degrees of freedom"


@pytest.mark.parametrize(
    "kept", [[0.1, -0.2, 0.3, -0.1], [-3.0, -3.1, -2.9, -3.0], [0.0, 0.0, 0.0, 0.0], [2.0]], ids=str
)
def test_where_perhaps_no_account_is_kept_there_is_no_cost_per_account(kept: list[float]) -> None:
    assert paired_ratio(np.full(len(kept), 5.0), np.array(kept)) == Ratio(None, None)


# --- the words ----------------------------------------------------------------------------------------------


def totals(departures: float, cost: float, noise: float = 0.0) -> dict[str, float]:
    of_tier = {"departures": departures, "arr_lost": 1000 * departures, "at_risk": 500.0, "cost": cost}
    of_tier |= {"cost_planned": cost / 2, "cost_triggered": cost / 4}
    found = {f"0.{name}": value + noise for name, value in of_tier.items()}
    return found | {f"company.{name}": value + noise for name, value in of_tier.items()} | {
        "company.contribution": -cost, "company.book_value": 0.0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def small_worth() -> Worth:
    """A real answer for a small company, three replications."""
    return worth(company(), replications=3, pool=InThisProcess())


def test_a_piece_is_the_difference_to_the_company_without_it() -> None:
    with_it = [totals(2.0, 100.0, noise) for noise in (0.0, 0.2, 0.1)]
    without = [totals(5.0, 40.0, noise) for noise in (0.0, 0.1, 0.3)]
    found = piece("team", "The CSM team", "Without", ["big"], with_it, without)
    (big,) = found.tiers
    assert big.name == "Big"
    assert big.kept.mean == pytest.approx(3.0 + (0.4 - 0.3) / 3), "who leaves without it and stays with it"
    assert big.cost.mean == pytest.approx(60 - 0.1 / 3)
    assert big.cost_per_account.value == pytest.approx((180 - 0.1) / (9 + 0.1))
    own = piece("prevention", "Prevention", "Without", ["big"], with_it, without)
    assert own.work.cost.mean == pytest.approx(30 - 0.1 / 3), "planned contacts alone"
    assert own.company.cost.mean == pytest.approx(60 - 0.1 / 3), "of the company, everything"
    assert "Its hours and channels cost USD 30" in own.sentence("USD")
    assert found.sentence("USD").startswith("The CSM team keeps 3.0 (")


def test_what_keeps_perhaps_no_account_says_so() -> None:
    noisy = [totals(2.0, 100.0, noise) for noise in (0.0, 3.0, -3.0)]
    found = piece("team", "The CSM team", "Without", ["big"], noisy, [totals(2.1, 40.0)] * 3)
    said = found.sentence("USD")
    assert said.startswith("Whether the CSM team keeps accounts cannot be told: ")
    assert "per account kept, it cannot be told" in said


def test_prevention_is_said_beside_firefighting(small_worth: Worth) -> None:
    with_it = [totals(2.0, 100.0, noise) for noise in (0.0, 0.02, 0.01)]
    without = [totals(5.0, 40.0, noise) for noise in (0.0, 0.01, 0.03)]
    costly = [totals(5.0, -400.0, noise) for noise in (0.0, 0.01, 0.03)]
    cheap = piece("prevention", "Prevention", "W", ["big"], with_it, without)
    dear = piece("firefighting", "Firefighting", "W", ["big"], with_it, costly)
    said = replace(small_worth, pieces=(cheap, dear)).sentences
    assert any("prevention is cheaper per account." in sentence for sentence in said)
    same = replace(dear, work=cheap.work)
    said = replace(small_worth, pieces=(cheap, same)).sentences
    assert any("the intervals overlap, so which is cheaper cannot be told." in sentence for sentence in said)
    unknown = replace(dear, work=replace(dear.work, cost_per_account=Ratio(None, None)))
    said = replace(small_worth, pieces=(cheap, unknown)).sentences
    assert any("for less than firefighting cannot be told." in sentence for sentence in said)


def test_the_answer_has_all_pieces_and_its_json_is_plain(small_worth: Worth) -> None:
    assert [one.what for one in small_worth.pieces] == list(SHIPPED)
    plain = json.loads(small_worth.to_json(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert plain["from"] == "2026-02-01"
    assert [len(one["tiers"]) for one in plain["pieces"]] == [3, 3, 3, 3]
    assert plain["sentences"] == small_worth.sentences
    team = plain["pieces"][0]
    assert team["company"]["cost"]["mean"] > 0, "people are paid"
    assert set(team["tiers"][0]) == {
        "name", "accounts_kept", "arr_kept", "cost", "cost_per_account_kept", "arr_at_risk_end",
        "arr_at_risk_end_without",
    }  # fmt: skip


def test_the_terminal_stays_within_80_columns(small_worth: Worth, tmp_path: Path) -> None:
    with (tmp_path / "shown.txt").open("w") as stream:
        show_worth(small_worth, Console(file=stream, width=80))
    text = (tmp_path / "shown.txt").read_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    for words in (
        "The CSM team",
        "One CSM",
        "Prevention",
        "Firefighting",
        "Enterprise",
        "Midmarket",
        "Small",
        "from 1 Feb",
    ):
        assert words in text


def test_one_replication_has_no_intervals_and_no_ratios() -> None:
    alone = worth(company(), replications=1, pool=InThisProcess())
    gain = alone.pieces[0].company
    assert gain.kept.mean is not None
    assert gain.kept.ci95 is None
    assert gain.cost_per_account == Ratio(None, None)
    assert alone.sentences


def test_a_study_that_is_cut_short_tells_what_it_has() -> None:
    seen: list[int] = []
    with pytest.raises(Interrupted) as stopped:
        worth(
            company(),
            replications=5,
            pool=InThisProcess(),
            progress=lambda one: seen.append(one.done),
            cancel=lambda: seen[-1] >= 2,
        )
    partial = stopped.value.result
    assert isinstance(partial, Worth)
    assert partial.replications == 2
    assert partial.provenance.interrupted


def test_the_command_writes_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = put(values_of(), SMALL | {"weeks": 8, "teams.csm.headcount": 2, "name": "Small company"})
    file, out = tmp_path / "small.yaml", tmp_path / "worth.json"
    file.write_text(yaml.safe_dump(values))
    arguments = [
        "worth",
        str(file),
        "--replications",
        "2",
        "--workers",
        "1",
        "--from",
        "2026-01-19",
        "--json",
        str(out),
    ]
    assert execute(arguments) == 0
    shown = capsys.readouterr()
    assert "What the team is worth, Small company: 2 replications, seed 1" in shown.out
    assert "accounts kept: " in shown.err
    assert json.loads(out.read_text())["from"] == "2026-01-19"


@pytest.mark.parametrize(
    ("day", "said"),
    [("soon", "--from: soon is no date; write it like 2026-07-01."), ("2031-01-01", "is outside the run; use a date")],
)
def test_a_day_that_cannot_be_used_is_said_and_nothing_is_written(
    day: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "worth.json"
    assert execute(["worth", str(SCENARIOS / "baseline.yaml"), "--from", day, "--json", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
