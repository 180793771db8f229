"""Computes replications on Dask workers: those of a scheduler somewhere, or of a cluster on this machine.

In: a `Job` and replication numbers. Out: a `Finished` per number, in whatever order they end. A worker that is lost
costs the replications that it had under way: Dask gives them to another one. Needs the extra `dask`.
"""

from __future__ import annotations

import contextlib
import gc
import queue
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sim.study.errors import PoolError, StudyInputError
from sim.study.executors import POLL_SECONDS, available_cores
from sim.study.provenance import code_version, package_versions
from sim.study.worker import Finished, Job, execute

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS_TO_ANSWER = 10


class DaskExecutor:
    """The executor of one study on Dask workers.

    Parameters
    ----------
    client : connected to a scheduler; `dask_executor` makes one.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._under_way: dict[Future, int] = {}
        self._ended: queue.SimpleQueue[Future] = queue.SimpleQueue()

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job, which each worker gets once."""
        shared = self._client.submit(_same, job, pure=False)  # a task: it can be had again if its only holder dies
        for replication in replications:
            future = self._client.submit(_execute, shared, replication, made_by(), pure=False)
            self._under_way[future] = replication
            future.add_done_callback(self._ended.put)

    def as_completed(self) -> Iterator[Finished | None]:
        """Yields replications as they end, and None every tenth of a second in which none does.

        Raises `PoolError` when the scheduler is lost.
        """
        try:
            while self._under_way:
                try:
                    future = self._ended.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    if self._client.status != "running":
                        raise PoolError("The connection to the Dask scheduler is lost.") from None
                    yield None
                    continue
                replication = self._under_way.pop(future, None)
                if replication is not None:
                    yield self._outcome(future, replication)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Forgets what is queued; what runs stops at its next simulated week."""
        futures = list(self._under_way)
        self._under_way.clear()
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)

    def _outcome(self, future: Future, replication: int) -> Finished:
        if future.status == "finished":
            found: Finished = future.result()
            return found
        if future.status == "error":
            error = future.exception()
            return Finished(replication, (), f"{type(error).__name__}: {error}")
        raise PoolError(f"The Dask scheduler has lost replication {replication} ({future.status}).")


@contextlib.contextmanager
def dask_executor(scheduler: str | None = None, workers: int | None = None) -> Iterator[DaskExecutor]:
    """An executor on the workers of a scheduler, or on a cluster of its own on this machine.

    Parameters
    ----------
    scheduler : address such as tcp://10.0.0.5:8786; without it, worker processes are started here.
    workers : how many of them, 1 to 256; by default one per core. Not used with a scheduler.

    Raises
    ------
    StudyInputError if Dask is not installed, no scheduler answers, it has no workers, or they run another version.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise StudyInputError("Dask is not installed; install it with: pip install 'csm-planner[dask]'.") from None
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            with _ctrl_c_for_us_alone():
                cluster = LocalCluster(
                    n_workers=workers or available_cores(),
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs="ERROR",
                )
            address: Any = stack.enter_context(cluster)
        else:
            address = scheduler
        problem = ""
        try:
            client = stack.enter_context(Client(address, timeout=SECONDS_TO_ANSWER, set_as_default=False))
        except (OSError, ValueError) as error:
            problem = _first_line(error)
        if problem:
            gc.collect()  # the client that could not connect: its end would block the start of another one
            raise StudyInputError(f"{scheduler}: no Dask scheduler answers there ({problem}).")
        _check_workers(client, scheduler)
        yield DaskExecutor(client)


@contextlib.contextmanager
def _ctrl_c_for_us_alone() -> Iterator[None]:
    """Processes that are started here ignore ctrl-C in the terminal: it reaches the study, which then stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_workers(client: Client, scheduler: str | None) -> None:
    """Raises StudyInputError unless there are workers and all run this version of the program."""
    where = scheduler or "on this machine"
    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        versions = client.run(made_by)
    except TimeoutError:
        raise StudyInputError(f"{where}: the Dask scheduler there has no workers; start some.") from None
    except Exception as error:  # whatever keeps a worker from importing the program
        raise StudyInputError(
            f"{where}: the Dask workers cannot load this program ({_first_line(error)}); install it there."
        ) from None
    others = {worker: version for worker, version in versions.items() if version != made_by()}
    if others:
        worker, version = next(iter(others.items()))
        raise StudyInputError(
            f"{where}: the worker {worker} runs version {version} of the program, here it is {made_by()}; "
            "install the same everywhere, else results cannot be put together."
        )


def made_by() -> str:
    """The version of the program and of the packages that compute."""
    packages = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    return f"{code_version()} ({packages})"


def _same(job: Job) -> Job:
    return job


def _execute(job: Job, replication: int, version: str) -> Finished:
    """One replication, on a worker; it looks every simulated week whether it is still wanted.

    version : of the program that asks. A worker that came later, with another one, says so and computes nothing.
    """
    if version != made_by():
        return Finished(replication, (), f"a Dask worker that came later runs version {made_by()} of the program")
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key

    def unwanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state not in ("executing", "long-running")

    return execute(job, replication, unwanted)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
