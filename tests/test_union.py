"""Scenarios of a comparison may have other categories, channels and teams: what one does not have is at rest there."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from small import FORUM, SCENARIOS, SMALL, put, same_bits, tables_of, values_of

from sim.cli_output import show_result
from sim.model.compile import compile_inputs
from sim.model.replication import replicate
from sim.scenario import Scenario, ScenarioError, load_scenario, load_scenario_text
from sim.scenario.union import with_all_names
from sim.study.experiment import compare


def scenario(values: dict[str, object], name: str = "small") -> Scenario:
    return load_scenario_text(yaml.safe_dump(values | {"name": name}, sort_keys=False), "small.yaml", SCENARIOS)


def small() -> dict[str, object]:
    return put(values_of(), SMALL)


def with_partner() -> dict[str, object]:
    """The small company with the partner of the shipped scenario, from the fifth week on."""
    values, partner = small(), values_of("partner.yaml")
    values["teams"] |= partner["teams"]
    values["changes"] = [{"from": "2026-02-02", "set": partner["changes"][0]["set"]}]
    return values


def with_forum() -> dict[str, object]:
    values = small()
    for kind in ("channels", "categories"):
        values[kind] = values[kind] | FORUM[kind]
    values["routing"]["assign"] |= FORUM["routing.assign"]
    values["categories"]["how_to"]["channel_shares"] = FORUM["categories.how_to.channel_shares"]
    return values


@pytest.mark.parametrize("other", [with_partner, with_forum])
def test_what_is_at_rest_changes_nothing(other) -> None:
    """The baseline with the other's names beside it has the same history, but for the positions of names."""
    alone = scenario(small())
    both, _ = with_all_names([alone, scenario(other(), "other")])
    ours, theirs = (tables_of(next(replicate(inputs, [inputs], 1, 0))) for inputs in map(compile_inputs, (alone, both)))
    assert list(both.teams)[:2] == list(alone.teams), "new names come last, so that positions stay"
    for name in ours:
        assert not same_bits(ours[name], theirs[name]), name


def test_all_have_the_same_names_in_the_first_ones_order() -> None:
    turned = small()
    turned["teams"] = dict(reversed(turned["teams"].items()))
    three = with_all_names([scenario(small()), scenario(with_forum(), "forum"), scenario(turned, "turned")])
    for kind in ("teams", "categories", "channels"):
        names = {tuple(getattr(one, kind)) for one in three}
        assert len(names) == 1, kind
    assert list(three[2].teams) == list(scenario(small()).teams)
    assert set(three[0].routing.assign) == set(three[1].routing.assign)


def test_a_comparison_tells_of_the_new_team() -> None:
    found = compare(scenario(small()), scenario(with_partner(), "partner"), replications=2, workers=1)
    before, after = (one.kpis["partner.utilisation"].mean for one in found.scenarios)
    assert before is None, "nobody works there"
    assert after is not None
    assert after > 0
    assert found.scenarios[0].kpis["csm.utilisation"].mean > found.scenarios[1].kpis["csm.utilisation"].mean


def test_a_team_that_the_scenario_deletes_is_closed_there() -> None:
    """The baseline has a partner, the what-if has none: its work goes back to the CSMs."""
    found = compare(scenario(with_partner()), scenario(small(), "without"), replications=2, workers=1)
    assert found.scenarios[1].kpis["partner.utilisation"].mean is None


def test_a_team_that_is_at_rest_in_both_is_not_shown() -> None:
    found = compare(
        scenario(small()),
        [scenario(with_forum(), "forum"), scenario(with_partner(), "partner")],
        replications=2,
        workers=1,
    )
    stream = StringIO()
    show_result(found, stream)
    forum, partner = stream.getvalue().split("partner against ")
    assert "partner" not in forum.lower()
    assert "Partner, half of them up to" in partner


def test_other_tiers_cannot_be_compared(tmp_path: Path) -> None:
    fewer = small()
    del fewer["tiers"]["enterprise"], fewer["playbooks"]["enterprise"]
    fewer["tiers"]["midmarket"].pop("upgrade")
    with pytest.raises(ScenarioError, match="needs the baseline's tiers in its order"):
        compare(scenario(small()), scenario(fewer, "fewer"), replications=2, workers=1)


def test_a_category_is_counted_in_one_way() -> None:
    other = small()
    other["categories"]["billing"]["support_call"] = False
    with pytest.raises(ScenarioError, match=r"categories.billing.support_call: False differs"):
        compare(scenario(small()), scenario(other, "other"), replications=2, workers=1)


@pytest.mark.parametrize(("name", "value"), [("opening_vacancies", 1), ("opening_burnout", 0.5)])
def test_a_new_team_begins_without_vacancies_and_burnout(name: str, value: float) -> None:
    other = with_partner()
    other["teams"]["partner"] |= {"headcount": 2, name: value}
    words = f"teams.partner.{name}: {value} differs from 0; a team that the baseline does not have begins with 0"
    with pytest.raises(ScenarioError, match=words):
        compare(scenario(small()), scenario(other, "other"), replications=2, workers=1)


def test_a_team_that_is_deleted_may_have_begun_with_vacancies_and_burnout() -> None:
    baseline = with_partner()
    baseline["teams"]["partner"] |= {"headcount": 2, "opening_vacancies": 1, "opening_burnout": 0.5}
    found = compare(scenario(baseline), scenario(small(), "without"), replications=2, workers=1)
    assert found.scenarios[1].kpis["partner.utilisation"].mean is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["community.yaml", "partner.yaml"])
def test_a_shipped_scenario_with_new_names_is_the_baseline_until_its_date(name: str) -> None:
    baseline, other = with_all_names([load_scenario(SCENARIOS / "baseline.yaml"), load_scenario(SCENARIOS / name)])
    one, two = (
        next(replicate(compile_inputs(baseline), [compile_inputs(which)], 1, 0)).contacts for which in (baseline, other)
    )
    until = 24.0 * 175  # 29 June 2026, the Monday before
    early, same = (table["ended"] < until for table in (one, two))
    assert np.count_nonzero(early) > 1000
    for column in one:
        assert one[column][early].tobytes() == two[column][same].tobytes(), column
