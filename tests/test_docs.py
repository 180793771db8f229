"""The documents say what is true: what they name exists, what is made from the code is current."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from sim.model.compile import compile_inputs
from sim.scenario import evidence, load_scenario
from sim.scenario.schema import Mechanisms
from sim.study.kpi_page import main, text
from sim.study.kpis import REALISED, registry

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
MODEL = ROOT / "docs" / "model.md"
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md", ROOT / "README.md"])
REPAIR = "run: python -m sim.study.kpi_page scenarios/baseline.yaml > docs/kpis.md"


def inputs_by_label() -> list[tuple[str, str]]:
    """(label, pattern of field paths) of every *Inputs* list in docs/model.md."""
    found = []
    for paragraph in MODEL.read_text(encoding="utf-8").split("\n\n"):
        if paragraph.startswith("*Inputs* — "):
            for part in paragraph.removeprefix("*Inputs* — ").split(";"):
                label, _, patterns = part.strip().partition(":")
                found += [(label, pattern) for pattern in re.findall(r"`([^`]+)`", patterns)]
    return found


def test_every_number_of_the_baseline_stands_under_a_rule_with_its_label() -> None:
    listed = inputs_by_label()
    assert {label for label, _ in listed} <= {"measured", "benchmark", "assumption"}
    for path, row in evidence(load_scenario(BASELINE)).items():
        labels = {label for label, pattern in listed if fnmatchcase(path, pattern)}
        assert row.label in labels, (
            f"docs/model.md has {path} under {labels or 'no rule'}; the evidence says {row.label}"
        )
        stronger = labels - {"assumption"}
        assert not stronger or row.label in stronger, f"docs/model.md calls {path} {stronger}; it is an assumption"


def test_no_rule_lists_a_field_that_does_not_exist() -> None:
    numbers = list(evidence(load_scenario(BASELINE)))
    empty = [pattern for _, pattern in inputs_by_label() if not any(fnmatchcase(path, pattern) for path in numbers)]
    assert not empty, f"docs/model.md lists fields that the baseline does not have: {empty}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_that_a_page_names_exists(page: Path) -> None:
    for file, name in re.findall(r"`([a-z_/]+\.py):([A-Za-z_.]+)`", page.read_text(encoding="utf-8")):
        path = file if "/" in file else f"sim/model/{file}"
        assert (ROOT / path).is_file(), f"{page.name} names {file}, which is not there"
        found = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        for part in name.split("."):
            fields = getattr(found, "__dataclass_fields__", {})
            assert hasattr(found, part) or part in fields, f"{page.name} names {file}:{name}, which is not there"
            found = getattr(found, part, None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        assert there.is_file(), f"{page.name} links to {target}, which is not there"
        if there.suffix == ".png":
            continue
        titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, f"{page.name} links to {target}: no such title in {there.name}"


def test_every_switch_is_explained() -> None:
    switches = MODEL.read_text(encoding="utf-8").split("## Switches")[1].split("\n## ")[0]
    explained = re.findall(r"^\| `(\w+)` \|", switches, re.MULTILINE)
    assert explained == list(Mechanisms.model_fields), "docs/model.md: the table of switches differs from the schema"


def test_the_page_of_kpis_is_current() -> None:
    assert (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8") == text(BASELINE), f"docs/kpis.md: {REPAIR}"


def test_the_page_of_kpis_has_every_kpi_once() -> None:
    kpis = registry(compile_inputs(load_scenario(BASELINE)))
    rows = re.findall(r"^\| `([^`]+)`.*\| (yes|–) \|[^|]*\|$", text(BASELINE), re.MULTILINE)
    names = [name for name, _ in rows] + [name + REALISED for name, twin in rows if twin == "yes"]
    assert sorted(names) == sorted(kpis), "a row for each KPI, its realised twin marked in the same row"


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(BASELINE)]) == 0
    assert capsys.readouterr().out == text(BASELINE)


def readme_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


PRINTED = {
    "README.md": 3,
    "docs/stories.md": 2,
    "docs/studies.md": 1,
}  # how many commands each page shows with what they print


def commands_with_output(page: str) -> list[tuple[str, str]]:
    """A page's commands that are followed by what they print."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"```sh\n([^`]*)```(?:(?!```).)*```text\n([^`]*)```", text, flags=re.DOTALL)


SHOWN = [(page, command, shown) for page in PRINTED for command, shown in commands_with_output(page)]


@pytest.mark.parametrize("page", PRINTED)
def test_a_page_shows_what_its_commands_print(page: str) -> None:
    told = "README: first answer, list of accounts as it was read, its answer; stories: account, person; studies: grid"
    assert len(commands_with_output(page)) == PRINTED[page], told


@pytest.mark.slow
@pytest.mark.parametrize(("page", "command", "shown"), SHOWN, ids=[" ".join(c.split()[1:5]) for _, c, _ in SHOWN])
def test_the_output_on_a_page_is_what_the_command_prints(page: str, command: str, shown: str) -> None:
    environment = {**os.environ, "COLUMNS": "80"}
    words = [sys.executable, "-m", "sim", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    printed = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    assert shown.rstrip() == printed, f"put into {page} what this prints: {command}"


@pytest.mark.slow
def test_the_python_in_the_readme_runs() -> None:
    code = readme_blocks("python")[0].replace("replications=10", "replications=2")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "contribution" in done.stdout, "the sentence names what the decision is read from"
