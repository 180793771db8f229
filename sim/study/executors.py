"""Who computes replications: worker processes on this machine, or this process itself.

In: a `Job` and replication numbers. Out: a `Finished` per number, in whatever order they end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from socket import socketpair
from typing import Protocol

from sim.study.errors import PoolError
from sim.study.worker import Finished, Job, execute

POLL_SECONDS = 0.1
FAILED_STARTS_ALLOWED = 3
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
BOOTSTRAP = "import sys; from sim.study.worker import serve; serve(int(sys.argv[1]))"


class Executor(Protocol):
    """What a study asks of whoever computes its replications."""

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job."""

    def as_completed(self) -> Iterator[Finished | None]:
        """Yields replications as they end, and None now and then while none does; stops after the last."""

    def cancel(self) -> None:
        """Forgets what is queued and stops what runs, within a second; from the thread that iterates."""


class InThisProcess:
    """Computes one replication after the other here: for tests and debuggers.

    cancel_when : asked at the start of every simulated week.
    """

    def __init__(self, cancel_when: Callable[[], bool] | None = None) -> None:
        self._cancel_when = cancel_when
        self._queue: deque[tuple[Job, int]] = deque()

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job."""
        self._queue.extend((job, number) for number in replications)

    def as_completed(self) -> Iterator[Finished | None]:
        """Computes the queue in order."""
        while self._queue:
            yield execute(*self._queue.popleft(), self._cancel_when)

    def cancel(self) -> None:
        """Forgets what is queued."""
        self._queue.clear()


class _Worker:
    """A worker process and this side of its connection."""

    def __init__(self) -> None:
        ours, theirs = socketpair()
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": os.pathsep.join(paths)}
        with theirs:
            # A session of its own: ctrl-C in the terminal reaches the study only, which stops its workers.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", BOOTSTRAP, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        self.connection = Connection(ours.detach())
        self.ready = False
        self.job: Job | None = None
        self.replication: int | None = None

    def start(self, job: Job, pickled_job: bytes, replication: int) -> None:
        """Sends a replication, and before it the job if the worker does not have it."""
        self.replication = replication
        if self.job is not job:
            self.job = job
            self.connection.send_bytes(pickled_job)
        self.connection.send(replication)

    def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self.connection.close()


class LocalPool:
    """Worker processes on this machine, kept between studies until `close`.

    A worker whose process dies is replaced; its replication is tried once more and then reported as failed.
    One study at a time: a second one raises `PoolError`. Also a context manager.

    Parameters
    ----------
    workers : how many processes, 1 to 256; by default one per core that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.size = workers or available_cores()
        self._workers: list[_Worker] = []
        self._queue: deque[int] = deque()
        self._tried: dict[int, int] = {}
        self._job: Job | None = None
        self._pickled_job = b""
        self._failed_starts = 0
        self._in_use = threading.Lock()
        self._turn = 0

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_ids(self) -> list[int]:
        """Ids of the worker processes."""
        return [worker.process.pid for worker in self._workers]

    def warm_up(self, workers: int | None = None) -> None:
        """Starts the processes (at most `workers` of them) without waiting until they are ready."""
        for _ in range(min(workers or self.size, self.size) - len(self._workers)):
            self._workers.append(_Worker())

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job. Raises `PoolError` while another study runs."""
        if not self._in_use.acquire(blocking=False):
            raise PoolError("These workers are busy with another study; wait for it or use another pool.")
        self._job, self._pickled_job = job, bytes(ForkingPickler.dumps(job))
        self._queue = deque(replications)
        self._tried = {}
        self._failed_starts = 0
        self.warm_up(len(self._queue))

    def as_completed(self) -> Iterator[Finished | None]:
        """Yields replications as they end, and None every tenth of a second in which none does.

        Raises `PoolError` if the worker processes die again and again before they are ready.
        """
        turn = self._turn
        try:
            while self._turn == turn and self._has_work():
                yield from self._feed()
                by_connection = {worker.connection: worker for worker in self._workers}
                heard = wait(list(by_connection), timeout=POLL_SECONDS)
                finished = [self._hear(by_connection[connection]) for connection in heard]  # type: ignore[index]
                known = [one for one in finished if one is not None]
                yield from known or (None,)
        finally:
            if self._turn == turn:
                self.cancel()

    def cancel(self) -> None:
        """Forgets what is queued and kills the workers that are at work; idle ones stay."""
        self._turn += 1
        self._queue.clear()
        for worker in [worker for worker in self._workers if worker.replication is not None]:
            worker.stop()
            self._workers.remove(worker)
        if self._in_use.locked():
            self._in_use.release()

    def close(self) -> None:
        """Ends all worker processes."""
        self.cancel()
        while self._workers:
            self._workers.pop().stop()

    def _has_work(self) -> bool:
        return bool(self._queue) or any(worker.replication is not None for worker in self._workers)

    def _feed(self) -> Iterator[Finished]:
        """Gives every idle worker a replication; yields those that cannot be given to anybody any more."""
        for worker in list(self._workers):
            if not (self._queue and worker.ready and worker.replication is None and self._job):
                continue
            try:
                worker.start(self._job, self._pickled_job, self._queue.popleft())
            except OSError:
                lost = self._replace(worker)
                if lost is not None:
                    yield lost

    def _hear(self, worker: _Worker) -> Finished | None:
        """One message of a worker, or its death."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            return self._replace(worker)
        if isinstance(message, Finished):
            worker.replication = None
            return message
        worker.ready = True
        self._failed_starts = 0
        return None

    def _replace(self, dead: _Worker) -> Finished | None:
        """Puts a fresh process in a dead one's place; its replication is tried once more, then given up."""
        dead.stop()
        self._workers.remove(dead)
        if not dead.ready:
            self._failed_starts += 1
            if self._failed_starts > FAILED_STARTS_ALLOWED:
                raise PoolError("The worker processes end before they are ready; see the messages above.")
        given_up = None
        number, dead.replication = dead.replication, None
        if number is not None:
            self._tried[number] = self._tried.get(number, 0) + 1
            if self._tried[number] == 1:
                self._queue.appendleft(number)
            else:
                given_up = Finished(number, (), "its worker process died twice")
        if self._queue:
            self._workers.append(_Worker())
        return given_up


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
