"""The notebooks run from top to bottom, and are kept without what they printed."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_LINES = 20  # of a cell: longer ones are not read


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of a kind, 'code' or 'markdown'."""
    return [one for one in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if one["cell_type"] == kind]


def shown(code: str, names: dict[str, Any]) -> object:
    """What a notebook shows below a cell: the value of its last line, if that is an expression."""
    parsed = ast.parse(code)
    last = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else None
    exec(compile(parsed, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_there_is_a_notebook() -> None:
    assert [one.name for one in NOTEBOOKS] == ["reroute_study.ipynb"], "what the tests below run"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda one: one.name)
def test_a_notebook_is_kept_without_outputs_and_with_short_cells(notebook: Path) -> None:
    whole = json.loads(notebook.read_text(encoding="utf-8"))
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    ids = [one["id"] for one in whole["cells"]]
    assert len(set(ids)) == len(ids), "the format wants an id per cell"
    for one in cells(notebook, "code"):
        assert one["outputs"] == [], f"{one['id']}: what was printed names the machine and grows old; clear all outputs"
        assert one["execution_count"] is None, f"{one['id']}: clear all outputs"
        assert len(one["source"]) <= MOST_LINES, f"{one['id']} has {len(one['source'])} lines"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda one: one.name)
def test_a_notebook_runs_and_shows_figures_and_tables(
    notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(notebook.parent)
    names: dict[str, Any] = {"__name__": "__main__"}
    kinds = []
    for one in cells(notebook, "code"):
        value = shown("".join(one["source"]), names)
        kinds.append(type(value).__name__)
        if hasattr(value, "to_plotly_json"):
            assert json.loads(value.to_json())["data"], f"{one['id']}: a picture without lines"
        elif hasattr(value, "_repr_html_"):
            assert "<td>" in value._repr_html_(), f"{one['id']}: a table without rows"
    assert kinds.count("Figure") == 4, f"three pictures by week and one by quarter; the cells show {kinds}"
    assert kinds.count("DataFrame") == 3, f"KPIs, gains and the ledger; the cells show {kinds}"
    assert "by hand" in capsys.readouterr().out, "the number checked by hand is printed"
    gains = names["gains"]
    assert (gains.loc["contribution"] > 1).all(), "the notebook says that pairing pays; it must show it"
