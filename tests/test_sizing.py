"""How many people: the cheapest plan that surely meets its targets; on a textbook queue that is Erlang's answer."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from small import SCENARIOS, SMALL, put, values_of

from sim.cli import execute
from sim.cli_size_words import lines, sentences
from sim.model.compile import compile_inputs
from sim.scenario import Scenario, load_scenario, load_scenario_text, phases
from sim.study.errors import StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import size
from sim.study.kpis import registry
from sim.study.sizing import grid, planned
from sim.study.sizing_targets import Target, read_targets, verdict_of
from sim.study.statistics import Estimate
from sim.theory.queues import Queue
from sim.theory.staffing import Target as QueueTarget
from sim.theory.staffing import agents_needed

LEVEL = "agents.service_level>=0.85"
HALF_WAIT = [Target("support.wait_mean_minutes", True, 60.0)]


def queue(weeks: int = 4, agents: int = 6) -> Scenario:
    """24 calls an hour of 10 minutes, exponential, who all wait; an agent costs 10 an hour."""
    values = {
        "weeks": weeks,
        "tiers.all.accounts": 24,
        "categories.call.handle_time_mean_minutes": 10,
        "channels.line.response_target_minutes": 2,
        "teams.agents.headcount": agents,
        "teams.agents.cost_per_hour": 10,
    }
    return load_scenario(SCENARIOS / "textbook" / "base.yaml", values)


def erlang(level: float) -> int:
    found = agents_needed(Queue(24, 10 / 60, 1), QueueTarget(level, 2 / 60), 50)
    assert found is not None
    return found.agents


def small(name: str = "small") -> Scenario:
    values = put(values_of(), SMALL | {"weeks": 8}) | {"name": name}
    return load_scenario_text(yaml.safe_dump(values, sort_keys=False), "small.yaml", SCENARIOS)


# --- targets ------------------------------------------------------------------------------------------------------


def kpis():
    return registry(compile_inputs(small()))


def test_targets_are_read() -> None:
    found = read_targets(["support.service_level>=0.8", " logo_churn_per_year <= 0.12 "], kpis())
    assert [(one.kpi, one.at_most, one.value) for one in found] == [
        ("support.service_level", False, 0.8),
        ("logo_churn_per_year", True, 0.12),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fast", "not a target; write a KPI"),
        ("support.servicelevel>=0.8", "there is no KPI 'support.servicelevel'; did you mean 'support.service_level'?"),
        ("support.service_level>0.8", "write >= instead of >"),
        ("support.service_level=0.8", "write >= instead of ="),
        ("support.service_level>=80%", "'80%' is no number"),
        ("support.service_level>=nan", "'nan' is no number"),
    ],
)
def test_bad_targets_say_how_to_write_them(text: str, message: str) -> None:
    with pytest.raises(StudyInputError) as caught:
        read_targets([text, "cost_total<=1e9"], kpis())
    assert message in str(caught.value)


def test_two_targets_of_one_kind_and_none_at_all_are_refused() -> None:
    with pytest.raises(StudyInputError, match="two targets of the same kind"):
        read_targets(["cost_total<=1", "cost_total<=2"], kpis())
    with pytest.raises(StudyInputError, match="There is no target"):
        read_targets([], kpis())


@pytest.mark.parametrize(
    ("interval", "met"), [((0.81, 0.9), "met"), ((0.7, 0.79), "missed"), ((0.75, 0.85), "open"), ((0.8, 0.9), "met")]
)
def test_a_target_is_met_when_its_whole_interval_is(interval: tuple[float, float], met: str) -> None:
    at_least, at_most = Target("x", False, 0.8), Target("x", True, -0.8)
    assert at_least.met(Estimate(sum(interval) / 2, interval, 0.1, 10)) == met
    mirrored = (-interval[1], -interval[0])
    assert at_most.met(Estimate(sum(mirrored) / 2, mirrored, 0.1, 10)) == met


def test_without_a_value_nothing_is_told() -> None:
    assert Target("x", False, 0.8).met(Estimate(None, None, None, 0)) == "open"
    assert Target("x", False, 0.8).met(Estimate(0.9, None, None, 1)) == "open", "one history is no proof"


def test_one_missed_target_is_enough() -> None:
    assert verdict_of(["met", "open", "missed"]) == "missed"
    assert verdict_of(["met", "open"]) == "open"
    assert verdict_of(["met", "met"]) == "met"


# --- plans --------------------------------------------------------------------------------------------------------


def test_plans_are_all_combinations_around_what_the_workload_asks_for() -> None:
    tried = grid(small(), HALF_WAIT, {}, None)
    assert tried.teams == ("csm", "support")
    first, second = ({plan[i] for plan in tried.plans} for i in (0, 1))
    assert len(tried.plans) == len(first) * len(second)
    for numbers, guess in ((first, tried.formula[0]), (second, tried.formula[1])):
        assert guess in numbers
        assert max(numbers) == guess + 2


@pytest.mark.parametrize(
    ("spans", "day", "message"),
    [
        ({"sales": (1, 2)}, None, "there is no team 'sales'; known here: csm, support"),
        ({"csm": (3, 2)}, None, "csm=3:2 cannot be used"),
        ({"csm": (0, 2)}, None, "csm=0:2 cannot be used"),
        ({"csm": (1, 9), "support": (1, 9)}, None, "81 plans are too many"),
        ({"csm": (1, 2)}, dt.date(2030, 1, 1), "outside the run"),
    ],
)
def test_bad_ranges_are_refused(spans: dict[str, tuple[int, int]], day: dt.date | None, message: str) -> None:
    with pytest.raises(StudyInputError) as caught:
        grid(small(), HALF_WAIT, spans, day)
    assert message in str(caught.value)


def test_a_plan_holds_from_its_day_on_and_other_changes_stay() -> None:
    scenario = load_scenario(SCENARIOS / "reroute_and_hire.yaml")
    plans = planned(scenario, grid(scenario, HALF_WAIT, {"support": (7, 8)}, dt.date(2026, 7, 1)))
    for number, plan in zip((7, 8), plans, strict=True):
        parts = phases(plan)
        assert [part.scenario.teams["support"].headcount for part in parts] == [5, number]
        assert len(parts[-1].scenario.routing.rules) == 1, "the reroute is still there"
    later = planned(scenario, grid(scenario, HALF_WAIT, {"support": (7, 7)}, None))[0]
    assert {part.scenario.teams["support"].headcount for part in phases(later)} == {5, 7}
    assert phases(later)[-1].scenario.teams["support"].headcount == 7, "the file's own later hire is dropped"


# --- answers ------------------------------------------------------------------------------------------------------


def test_the_formula_is_erlangs_answer_for_a_textbook_queue() -> None:
    one = queue()
    targets = [Target("agents.service_level", False, 0.85)]
    assert grid(one, targets, {}, None).formula == (erlang(0.85),)


def test_a_textbook_queue_gets_erlangs_answer() -> None:
    found = size(queue(), [LEVEL], spans={"agents": (5, 8)}, replications=4, pool=InThisProcess())
    assert found.best is not None
    assert found.best.headcounts == (erlang(0.85),)
    assert [plan.verdict for plan in found.plans] == ["missed", "missed", "met", "met"]
    fewer = dict(found.fewer(found.best))["agents"]
    assert fewer.verdict == "missed", "and one fewer does not do"
    assert found.runner_up is not None
    assert found.runner_up.headcounts == (8,)
    assert found.cost_difference(found.runner_up, found.best).mean == pytest.approx(4 * 168 * 10)


@pytest.mark.slow
def test_the_optimum_is_found_in_19_of_20_seeds() -> None:
    right = 0
    for seed in range(20):
        found = size(queue(), [LEVEL], spans={"agents": (5, 8)}, replications=4, seed=seed)
        right += found.best is not None and found.best.headcounts == (erlang(0.85),)
    assert right >= 19


def test_targets_that_no_plan_meets_are_named_with_how_near_one_gets() -> None:
    found = size(
        queue(), ["agents.service_level>=0.999"], spans={"agents": (5, 6)}, replications=4, pool=InThisProcess()
    )
    assert found.best is None
    assert found.nearest.headcounts == (6,)
    told = " ".join(sentences(found))
    assert "No plan that was tried surely meets all targets" in told
    assert "agents.service_level>=0.999 binds: the best of all plans reaches" in told


def test_a_plan_that_must_pay_is_held_against_the_baseline() -> None:
    """With one CSM more than needed the same company costs more and earns nothing: it never pays."""
    base = small("base")
    found = size(base, [], against=base, spans={"csm": (1, 2)}, replications=3, pool=InThisProcess())
    assert found.targets[0].text == "contribution above base's"
    same, more = found.plans
    assert same.estimates[found.targets[0].text].mean == pytest.approx(0.0), "the same scenario under the same luck"
    assert same.verdict == "met", "no worse, surely"
    assert more.estimates[found.targets[0].text].mean < 0


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenarios") / "small.yaml"
    path.write_text(yaml.safe_dump(put(values_of(), SMALL | {"weeks": 6}) | {"name": "Small"}, sort_keys=False))
    return path


def test_the_command_shows_a_grid_in_80_columns_and_writes_all_plans(
    scenario_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "size.json"
    words = ["size", str(scenario_file), "--target", "support.occupancy<=0.9", "--team", "csm=1:2"]
    assert execute([*words, "--team", "support=1:2", "--replications", "2", "--workers", "1", "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "CSM \\ Support" in shown
    said = json.loads(out.read_text())
    assert len(said["plans"]) == 4
    assert {plan["verdict"] for plan in said["plans"]} <= {"met", "open", "missed"}
    assert said["targets"] == ["support.occupancy<=0.9"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "There is no target"),
        (["--target", "x"], "not a target"),
        (["--target", "cost_total<=1", "--team", "csm"], "write TEAM=FIRST:LAST"),
        (["--target", "cost_total<=1", "--from", "tomorrow"], "is no date"),
    ],
)
def test_bad_options_end_with_2(
    scenario_file: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["size", str(scenario_file), *words]) == 2
    assert message in capsys.readouterr().err


def test_groups_stay_and_too_few_people_for_them_are_refused() -> None:
    values = put(values_of(), SMALL | {"weeks": 4, "teams.support.headcount": 3})
    values["teams"]["support"]["groups"] = {"late": {"people": 2}}
    scenario = load_scenario_text(yaml.safe_dump(values, sort_keys=False), "small.yaml", SCENARIOS)
    with pytest.raises(StudyInputError, match="the groups of support have 2 people together"):
        grid(scenario, HALF_WAIT, {"support": (1, 3)}, None)
    plans = planned(scenario, grid(scenario, HALF_WAIT, {"support": (2, 4)}, None))
    assert [phases(plan)[-1].scenario.teams["support"].groups["late"].people for plan in plans] == [2, 2, 2]


def test_a_wide_grid_is_shown_in_blocks_of_80_columns() -> None:
    one = queue(1)
    found = size(one, [LEVEL], spans={"agents": (5, 6)}, replications=2, pool=InThisProcess())
    plans = tuple(replace(found.plans[0], headcounts=(row, column)) for row in (1.0, 2.0) for column in range(3, 20))
    wide = replace(
        found,
        grid=replace(found.grid, teams=("agents", "others"), formula=(None, None)),
        plans=plans,
        scenario="x" * 70,
    )
    shown = lines(wide)
    assert all(len(line) <= 80 for line in shown)
    assert sum("Agents \\ Others" in line for line in shown) > 1


def test_plans_that_cost_nothing_can_be_ranked() -> None:
    free = load_scenario(SCENARIOS / "textbook" / "mm3_load_70.yaml", {"weeks": 1})
    found = size(free, ["agents.service_level>=0.9999"], against=free, spans={"agents": (3, 4)}, replications=2,
                 pool=InThisProcess())  # fmt: skip
    assert found.nearest.headcounts == (4,)


def test_ranges_without_end_are_refused_at_once() -> None:
    with pytest.raises(StudyInputError, match="plans are too many"):
        grid(small(), HALF_WAIT, {"csm": (1, 200_000_000)}, None)


def test_a_team_that_is_named_twice_and_a_result_on_the_baseline_are_refused(
    scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["size", str(scenario_file), "--target", "cost_total<=1"]
    assert execute([*words, "--team", "csm=1:2", "--team", "csm=3:4"]) == 2
    assert "named twice" in capsys.readouterr().err
    assert execute([*words, "--against", str(scenario_file), "--json", str(scenario_file)]) == 2
