"""What scenario files become elsewhere: written copies, the schema for editors, the examples of the documentation."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario import ScenarioError, dump_scenario, load_scenario, load_scenario_text
from sim.scenario.json_schema import editor_schema, text

ROOT = Path(__file__).parents[1]
BASE = Path(__file__).with_name("bad_scenarios") / "_base.yaml"
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))


# --- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [BASE, *SHIPPED], ids=lambda path: path.name)
def test_a_written_scenario_loads_back_equal(path: Path) -> None:
    scenario = load_scenario(path).model_copy(update={"book": None})  # a list of accounts is not part of the text
    assert load_scenario_text(dump_scenario(scenario), "copy.yaml") == scenario


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=80), about=st.text(max_size=200), margin=st.floats(0, 1))
def test_any_text_and_number_survives_writing(name: str, about: str, margin: float) -> None:
    base = load_scenario(BASE)
    money = base.money.model_copy(update={"gross_margin": margin})
    scenario = base.model_copy(update={"name": name, "description": about, "money": money})
    assert load_scenario_text(dump_scenario(scenario), "copy.yaml") == scenario


@pytest.mark.parametrize("word", ["1e6", "yes", "null", "~", "0x1F", "09:00", "- a", "a: b", "#", " x ", "2026-01-05"])
def test_a_name_that_looks_like_something_else_survives_writing(word: str) -> None:
    scenario = load_scenario(BASE).model_copy(update={"name": word})
    assert load_scenario_text(dump_scenario(scenario), "copy.yaml").name == word


# --- the schema for editors, the documentation ------------------------------------------------------------


def test_the_exported_schema_is_current() -> None:
    file = ROOT / "docs" / "scenario-schema.json"
    how = "python -c 'from sim.scenario.json_schema import text; print(text(), end=\"\")' > docs/scenario-schema.json"
    assert file.read_text(encoding="utf-8") == text(), f"write it again: {how}"


def test_the_editor_schema_knows_every_key_of_the_shipped_files() -> None:
    schema = editor_schema()
    for path in SHIPPED:
        for key in yaml.safe_load(path.read_text(encoding="utf-8")):
            assert key in schema["properties"], f"an editor would underline '{key}' in {path.name}"
    assert json.loads(text()) == schema


def test_the_examples_of_the_documentation_do_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```\n(?:\n```text\n(.*?)```)?", page, flags=re.S)
    assert len(examples) >= 5, "the page has examples"
    (tmp_path / "baseline.yaml").write_bytes((ROOT / "scenarios" / "baseline.yaml").read_bytes())
    for body, expected in examples:
        name = body.splitlines()[0].removeprefix("# ")
        assert set(name) <= {*string.ascii_letters, *"_."}, "the first line names the file"
        (tmp_path / name).write_text(body, encoding="utf-8")
        if not expected:
            load_scenario(tmp_path / name)
            continue
        with pytest.raises(ScenarioError) as caught:
            load_scenario(tmp_path / name)
        said = str(caught.value).replace(f"{tmp_path}/", "")
        assert _without_lines_of_the_baseline(said) == _without_lines_of_the_baseline(expected.strip()), name


def _without_lines_of_the_baseline(message: str) -> str:
    return re.sub(r"baseline\.yaml:\d+", "baseline.yaml", message)
