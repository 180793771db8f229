"""Imports go one way, and importing is cheap: what `make check` cannot see from the source alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("pandas", "streamlit", "plotly", "simpy", "scipy", "pyarrow", "pydantic")


def loaded_by(statement: str, project: Path) -> set[str]:
    """The top-level modules that a fresh interpreter holds after the statement."""
    report = "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    code = f"import json, sys\n{statement}\n{report}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"`{statement}` fails in a fresh interpreter:\n{done.stderr}"
    return set(json.loads(done.stdout.splitlines()[-1]))


def imports_of(source: str) -> set[str]:
    """The top-level modules that a source file imports anywhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or "").split(".")[0])
    return found


def files_importing(module: str, project: Path) -> set[str]:
    """The source files, outside the tests, that import a top-level module anywhere."""
    sources = [project / "planner_app.py", *project.glob("planner/**/*.py"), *project.glob("sim/**/*.py")]
    return {
        str(path.relative_to(project)) for path in sources if module in imports_of(path.read_text(encoding="utf-8"))
    }


def test_planner_app_imports_only_planner(project: Path) -> None:
    found = imports_of((project / "planner_app.py").read_text(encoding="utf-8"))
    assert found == {"planner"}, f"planner_app.py is navigation and nothing else, but imports {sorted(found)}"


def test_planner_app_imported_by_a_worker_loads_no_page(project: Path) -> None:
    loaded = loaded_by("import planner_app", project)
    assert not loaded & {"planner", "streamlit", "pandas"}, (
        "worker processes import planner_app.py again; outside its guard it must load nothing"
    )


@pytest.mark.parametrize(
    ("module", "homes"),
    [
        ("simpy", ("sim/model/",)),
        ("streamlit", ("planner/", "planner_app.py")),
        ("plotly", ("sim/report/", "planner/")),
    ],
)
def test_a_library_is_imported_only_in_its_home(module: str, homes: tuple[str, ...], project: Path) -> None:
    users = files_importing(module, project)
    strays = {user for user in users if not user.startswith(homes)}
    assert not strays, f"{module} may be imported only in {homes}, but also is in {sorted(strays)}"
    assert users, f"nobody imports {module}: this test no longer guards anything"


def test_importing_sim_is_cheap(project: Path) -> None:
    heavy = loaded_by("import sim", project) & set(HEAVY)
    assert not heavy, f"importing sim must load names only on use, but loads {sorted(heavy)}"


def test_the_workers_module_is_light(project: Path) -> None:
    loaded = loaded_by("import sim.model.replication", project)
    heavy = loaded & {"pydantic", "pandas", "scipy", "streamlit", "plotly", "pyarrow"}
    assert not heavy, f"each worker pays for what replication imports, and it imports {sorted(heavy)}"
    assert "simpy" in loaded, "the engine runs on SimPy's clock"


def test_the_lock_names_exact_versions_and_no_address(project: Path) -> None:
    lines = (project / "requirements.lock").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if line.count("==") != 1 or "/" in line or " " in line]
    assert not odd, f"each line of the lock is name==version and nothing else, unlike {odd}"
    assert any(line.startswith("pandas==2.3.") for line in lines), "pandas is locked at 2.3"


def test_a_comparison_loads_no_statistics_that_take_long_to_load() -> None:
    code = "import sys, sim.cli_output, sim.study.experiment; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False", "half of the time of a command whose answer is in the store"
