"""The options --executor and --scheduler: what cannot be meant is refused before anything runs."""

from __future__ import annotations

import pytest

from sim.cli import execute

RUN = ["run", "scenarios/baseline.yaml", "--replications", "1", "--no-store"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--executor", "slurm"], "--executor: slurm is unknown; use local or dask."),
        (["--scheduler", "tcp://10.0.0.5:8786"], "add --executor dask"),
        (["--executor", "dask", "--scheduler", "tcp://10.0.0.5:8786", "--workers", "2"], "leave it out"),
    ],
)
def test_options_that_contradict_each_other(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*RUN, *words]) == 2
    assert message in capsys.readouterr().err
