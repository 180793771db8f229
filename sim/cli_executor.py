"""Who computes replications, as the options say: worker processes here, or Dask workers anywhere.

In: options. Out: an executor for the study, or None for worker processes of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.cli_errors import BadInput
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.study.executors import Executor

EXECUTORS = ("local", "dask")


@contextlib.contextmanager
def chosen(executor: str, scheduler: str | None, workers: int | None) -> Iterator[Executor | None]:
    """The executor that the options name, for as long as it is needed. Raises BadInput, StudyInputError."""
    if executor not in EXECUTORS:
        raise BadInput(printable(f"--executor: {executor} is unknown; use local or dask."))
    if scheduler is not None and executor != "dask":
        raise BadInput("--scheduler: has no effect with worker processes here; add --executor dask.")
    if scheduler is not None and workers is not None:
        raise BadInput("--workers: the scheduler knows its workers; leave it out with --scheduler.")
    if executor == "local":
        yield None
        return
    from sim.study.dask_executor import dask_executor

    with dask_executor(scheduler, workers) as pool:
        yield pool
