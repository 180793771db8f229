"""Where the numbers come from: every number of the baseline has its row, and the rows say what is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario import evidence, load_scenario, widest_assumptions
from sim.scenario.evidence import FILE, PARTS, numbers, row_path, rows, rows_of
from sim.scenario.evidence_sync import main, sync
from sim.scenario.json_schema import field_at

BASELINE = Path(__file__).parents[1] / "scenarios" / "baseline.yaml"
SHIPPED = sorted(BASELINE.parent.glob("*.yaml"))
REPAIR = "run: python -m sim.scenario.evidence_sync scenarios/baseline.yaml"


def test_every_number_of_the_baseline_has_a_row() -> None:
    lacking = [path for path in numbers(load_scenario(BASELINE)) if row_path(path) is None]
    assert not lacking, f"no source for {lacking}"


def test_no_row_is_left_over() -> None:
    used = {row_path(path) for path in numbers(load_scenario(BASELINE))}
    assert set(rows_of(FILE)) == used, f"rows of numbers that do not exist: {set(rows_of(FILE)) - used}"


def test_rows_of_other_parts_belong_to_a_shipped_scenario_and_have_its_values() -> None:
    found = {path: row for file in SHIPPED for path, row in evidence(load_scenario(file)).items()}
    used = {row_path(path) for path, row in found.items() if row.label != "yours"} & set(rows_of(PARTS))
    assert used == set(rows_of(PARTS)), f"no shipped scenario has these values: {set(rows_of(PARTS)) - used}"
    for path, row in found.items():
        if row_path(path) in rows_of(PARTS):
            assert row.is_estimate, f"{path}: no range"
            assert row.low <= row.value <= row.high, f"{path}: {row.value} outside its range"


def test_rows_have_the_values_of_the_baseline() -> None:
    differing = [row.path for row in evidence(load_scenario(BASELINE)).values() if row.label == "yours"]
    assert not differing, f"{differing}: {REPAIR}"


def test_values_lie_in_their_ranges_and_ranges_in_the_bounds_of_the_schema() -> None:
    for row in evidence(load_scenario(BASELINE)).values():
        if not row.is_estimate:
            continue
        each = row.value if isinstance(row.value, tuple) else (row.value,)
        assert all(row.low <= one <= row.high for one in each), f"{row.path}: {row.value} outside its range"
        key = tuple(int(word) if word.isdigit() else word for word in row.path.split("."))
        field = field_at(key)
        assert field is not None, f"{row.path} is no field"
        field = field_at((*key, 0)) if field["type"] == "array" else field
        low = field.get("minimum", field.get("exclusiveMinimum"))
        high = field.get("maximum", field.get("exclusiveMaximum"))
        assert low <= row.low <= row.high <= high, f"{row.path}: {row.low} to {row.high} leaves {low} to {high}"
        assert row.low > field.get("exclusiveMinimum", float("-inf")), f"{row.path}: {row.low} is not allowed"
        assert row.high < field.get("exclusiveMaximum", float("inf")), f"{row.path}: {row.high} is not allowed"


def test_rows_are_complete_and_benchmarks_are_no_guesses() -> None:
    for path, row in rows().items():
        assert set(row) <= {"value", "label", "low", "high", "unit", "source"}, f"{path} has other keys"
        assert row["label"] in ("measured", "benchmark", "assumption"), f"{path}: {row['label']}"
        assert row["unit"], f"{path} has no unit"
        assert len(row["source"]) >= 10, f"{path} has no source"
        assert ("low" in row) == ("high" in row), f"{path} has half a range"
        if row["label"] != "assumption":
            assert "guess" not in row["source"], f"{path}: a guess is no {row['label']}"
            assert "low" in row, f"{path}: a published number has a range"


def test_a_changed_number_is_yours_and_the_others_are_not() -> None:
    found = evidence(load_scenario(BASELINE, {"teams.csm.shrinkage": 0.25, "tiers.small.accounts": 99}))
    before = evidence(load_scenario(BASELINE))
    yours = {path for path, row in found.items() if row.label == "yours" and before[path].label != "yours"}
    assert yours == {"teams.csm.shrinkage", "tiers.small.accounts"}
    assert found["teams.csm.shrinkage"].value == 0.25


def test_a_new_team_is_yours() -> None:
    team = load_scenario(BASELINE).teams["support"].model_dump()
    baseline = load_scenario(BASELINE)
    with_partner = baseline.model_copy(update={"teams": {**baseline.teams, "partner": baseline.teams["support"]}})
    found = evidence(with_partner)
    assert found["teams.partner.headcount"].label == "yours"
    assert found["teams.partner.headcount"].value == team["headcount"]


def test_the_widest_assumptions_come_first_and_choices_are_left_out() -> None:
    found = widest_assumptions(load_scenario(BASELINE))
    widths = [row.relative_width for row in found]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0, "what has no range is not uncertain"
    assert {row.label for row in found} == {"assumption"}
    assert "teams.csm.headcount" not in {row.path for row in found}, "a headcount is a choice, no estimate"


def test_sync_rewrites_values_only() -> None:
    text, _ = sync(FILE.read_text(encoding="utf-8"), load_scenario(BASELINE))
    changed = load_scenario(BASELINE, {"teams.csm.shrinkage": 0.22, "tiers.small.accounts": 99})
    new, notes = sync(text, changed)
    assert notes == []
    differing = [(a, b) for a, b in zip(text.splitlines(), new.splitlines(), strict=True) if a != b]
    assert len(differing) == 2, "one line for each changed number"
    assert any("small: 99" in b for _, b in differing)
    assert any("value: 0.22," in b for _, b in differing)
    assert sync(new, load_scenario(BASELINE))[0] == text, "and back"


def test_sync_reports_a_value_outside_its_range() -> None:
    _, notes = sync(FILE.read_text(encoding="utf-8"), load_scenario(BASELINE, {"teams.csm.shrinkage": 0.5}))
    assert notes == ["teams.csm.shrinkage: 0.5 is outside 0.12 to 0.3"]


def test_the_command_leaves_a_current_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "evidence.yaml"
    copy.write_bytes(FILE.read_bytes())
    monkeypatch.setattr("sim.scenario.evidence_sync.FILE", copy)
    assert main([str(BASELINE)]) == 0, f"something does not fit; {REPAIR}"
    assert copy.read_bytes() == FILE.read_bytes(), f"the rows are not current; {REPAIR}"
    assert capsys.readouterr().out == ""
