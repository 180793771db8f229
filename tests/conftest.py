"""What all tests share: where the project is, and how Hypothesis behaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("pages", "eventful")

os.environ["CSM_PLANNER_STORE"] = "none"  # a test sees what is computed, unless it names a store of its own

# No deadline: a shared machine is sometimes slow. The same examples each time: a failure must repeat.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's top folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def scenario_folder(project: Path) -> Path:
    """The folder of the shipped scenario files."""
    return project / "scenarios"
