"""The answer at all-low and all-high: what moves goes to its row's end, what is decided stays, all of it is checked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from small import SMALL

from sim.scenario import Scenario, ScenarioError, evidence, load_scenario, load_scenario_text
from sim.scenario.evidence import numbers
from sim.study.ends import PROFILE, SET, corners, ends, work_hours
from sim.study.errors import Interrupted
from sim.study.executors import InThisProcess, LocalPool
from sim.study.experiment import Progress, assumptions, compare, compare_at_ends
from sim.study.given import check_comparable

SHIPPED = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
BASELINE = next(path for path in SHIPPED if path.name == "baseline.yaml")
HANDLE_TIME = "categories.how_to.handle_time_mean_minutes"
WORK = ("contacts_per_account_month", "handle_time_mean_minutes")  # scaled, so that the teams have as much work
BOTH: tuple[Literal["low", "high"], ...] = ("low", "high")


def what_if(text: str) -> Scenario:
    return load_scenario_text(f"name: What if\nextends: baseline.yaml\n{text}", "what_if.yaml", BASELINE.parent)


def company_of(path: Path) -> Path:
    """What a shipped file is compared with: the file without dated changes that it extends, or itself."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return company_of(path.with_name(data["extends"])) if data.get("changes") else path


def moved_and_stayed(before: Scenario, after: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = numbers(before), numbers(after)
    assert list(old) == list(new), "no number comes or goes"
    return (
        {path: value for path, value in new.items() if value != old[path]},
        {path: value for path, value in new.items() if value == old[path]},
    )


@pytest.mark.parametrize("end", BOTH)
def test_every_estimated_assumption_goes_to_its_end_and_nothing_else_moves(end: Literal["low", "high"]) -> None:
    baseline = load_scenario(BASELINE)
    at_end, _, left_out = ends(baseline, [], end)
    rows = evidence(baseline)
    expected = {
        path: getattr(row, end)
        for path, row in rows.items()
        if row.label == "assumption" and row.is_estimate and not isinstance(row.value, tuple)
    }
    moved, _ = moved_and_stayed(baseline, at_end)
    wanted = {path: value for path, value in expected.items() if value != rows[path].value}
    ends_of = {path: row.value for path, row in rows.items()} | expected
    held = {path for path in moved if path.endswith(WORK) and moved[path] != ends_of[path]}
    assert {path: moved[path] for path in moved.keys() - held} == {p: wanted[p] for p in wanted.keys() - held}
    assert len(moved) > 100, "else the test shows nothing"
    for suffix in WORK:
        factors = {moved[path] / ends_of[path] for path in held if path.endswith(suffix)}
        assert max(factors) == pytest.approx(min(factors)), "what holds the work moves all of a kind alike"
    assert set(left_out.values()) == {PROFILE}, "of the shipped company only the profiles stay"
    assert len(expected) + len(left_out) == assumptions(baseline), "each assumption moves or is named"


@pytest.mark.parametrize("end", BOTH)
def test_the_teams_begin_with_as_much_work_at_both_ends(end: Literal["low", "high"]) -> None:
    baseline = load_scenario(BASELINE)
    at_end, _, _ = ends(baseline, [], end)
    assert work_hours(at_end) == pytest.approx(work_hours(baseline))


def test_a_what_if_with_fewer_contacts_has_as_many_fewer_at_the_ends() -> None:
    baseline = load_scenario(BASELINE)
    path = "contacts_per_account_month"
    rate = baseline.categories["billing"].contacts_per_account_month
    assert rate is not None
    fewer = what_if(f"categories: {{billing: {{{path}: {0.5 * rate}}}}}\n")
    for end in BOTH:
        first, (other,), _ = ends(baseline, [fewer], end)
        rates = [one.categories["billing"].contacts_per_account_month for one in (first, other)]
        assert rates[1] == pytest.approx(0.5 * rates[0]), "the decision means the same at both ends"


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("end", BOTH)
def test_every_shipped_scenario_can_be_compared_at_both_ends(path: Path, end: Literal["low", "high"]) -> None:
    scenario = load_scenario(path)
    first, (other,), _ = ends(load_scenario(company_of(path)), [scenario], end)
    assert other.book == scenario.book, "the accounts are known"
    check_comparable([first, other], [first, other])
    assert other.changes == scenario.changes, "the decision is the same at both ends"
    assert other.name == scenario.name


def test_what_a_scenario_sets_stays_in_all_of_them_and_is_named() -> None:
    baseline = load_scenario(BASELINE)
    shorter = what_if("categories: {how_to: {handle_time_mean_minutes: 30}}\n")
    for end in BOTH:
        first, (other,), left_out = ends(baseline, [shorter], end)
        values = [numbers(one)[HANDLE_TIME] for one in (first, other)]
        assert values == [32, 30], "a cut of 2 minutes is a cut of 2 minutes at both ends"
        assert left_out[HANDLE_TIME] == SET


def test_what_a_dated_change_sets_stays_from_the_start_on() -> None:
    baseline = load_scenario(BASELINE)
    later = what_if("changes: [{from: 2026-07-01, set: {categories.how_to.handle_time_mean_minutes: 30}}]\n")
    whole = what_if("changes: [{from: 2026-07-01, set: {categories.billing: {handle_time_cv: 1}}}]\n")
    first, others, left_out = ends(baseline, [later, whole], "high")
    assert [numbers(one)[HANDLE_TIME] for one in (first, *others)] == [32, 32, 32]
    assert left_out[HANDLE_TIME] == SET
    assert left_out["categories.billing.handle_time_mean_minutes"] == SET, "a change of a part may set all of it"


def test_the_users_own_numbers_stay() -> None:
    own = load_scenario(BASELINE, {HANDLE_TIME: 40})
    for end in BOTH:
        at_end, _, left_out = ends(own, [], end)
        assert numbers(at_end)[HANDLE_TIME] == 40
        assert HANDLE_TIME not in left_out, "it is no assumption any more"


def test_an_end_that_contradicts_the_users_numbers_is_left_out_and_named_at_both_ends() -> None:
    own = load_scenario(BASELINE, {"accounts.adoption.start": 0.9})
    both = corners([own])
    ceiling = "accounts.adoption.ceiling"
    assert numbers(both.low[0])[ceiling] == numbers(both.high[0])[ceiling] == 0.95
    assert "0.9 is above the ceiling of 0.8" in both.left_out[ceiling]
    assert numbers(both.low[0])["accounts.satisfaction.neutral"] == 0.6, "what has nothing to do with it moves"


def test_a_company_too_large_at_its_high_end_is_told_which_end() -> None:
    with pytest.raises(ScenarioError, match=r"can be simulated.*assumptions at their high ends"):
        corners([load_scenario(BASELINE, {"tiers.small.accounts": 40_000})])


def small(**more: Any) -> Scenario:
    return load_scenario(BASELINE, {**SMALL, "weeks": 4, **{key.replace("__", "."): more[key] for key in more}})


@pytest.mark.slow
def test_the_comparison_at_an_end_is_the_comparison_of_the_scenarios_at_that_end() -> None:
    baseline, hire = small(), small(teams__csm__headcount=2)
    seen: list[Progress] = []
    found = compare_at_ends(baseline, hire, replications=2, seed=3, pool=InThisProcess(), progress=seen.append)
    for end, at_end in zip(BOTH, (found.low, found.high), strict=True):
        first, others, left_out = ends(baseline, [hire], end)
        alone = compare(first, others, replications=2, seed=3, pool=InThisProcess())
        assert at_end.table.values.tobytes() == alone.table.values.tobytes()
        assert found.left_out == left_out
        assert f"at their {end} ends" in at_end.decisions[0].note
    assert found.moved + len(found.left_out) == assumptions(baseline)
    counts = [one.done for one in seen]
    assert counts == sorted(counts), "progress never runs back"
    assert (counts[0], counts[-1], seen[-1].total) == (0, 4, 4), "it counts both comparisons"
    assert {one.seconds_left for one in seen[:3]} == {None}, "the low end does not tell how long the high end takes"


def test_ends_beside_another_study_on_one_pool_give_the_same_bits() -> None:
    baseline, hire = small(), small(teams__csm__headcount=2)
    alone = compare(baseline, hire, replications=3, pool=InThisProcess())
    corner = compare_at_ends(baseline, hire, replications=2, pool=InThisProcess())
    with LocalPool(2) as pool:
        found: list[Any] = []
        background = pool.study(background=True)
        beside = threading.Thread(
            target=lambda: found.append(compare_at_ends(baseline, hire, replications=2, pool=background))
        )
        beside.start()
        together = compare(baseline, hire, replications=3, pool=pool)
        beside.join()
    assert together.table.values.tobytes() == alone.table.values.tobytes()
    assert found[0].high.table.values.tobytes() == corner.high.table.values.tobytes()


def test_cancelling_at_the_second_end_counts_what_was_done() -> None:
    baseline = small()
    seen: list[Progress] = []
    with pytest.raises(Interrupted, match="Interrupted after 3 of 4 replications"):
        compare_at_ends(
            baseline,
            baseline,
            replications=2,
            progress=seen.append,
            cancel=lambda: seen[-1].done >= 3,
            pool=InThisProcess(),
        )
