"""Who computes replications: worker processes on this machine, or this process itself.

In: a `Job` and replication numbers. Out: a `Finished` per number, in whatever order they end. Worker
processes are a `LocalPool`, which serves several studies in turn; each of them is an executor of its own.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from socket import socketpair
from typing import Protocol

from sim.study.errors import PoolError
from sim.study.worker import JOBS_KEPT, Finished, Job, execute

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
        """Forgets what is queued and stops what runs, within a second."""


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


@dataclass(frozen=True, eq=False)
class _Sent:
    """A job as workers get it: pickled once, under a number by which they know it again."""

    number: int
    job: Job
    pickled: bytes


@dataclass(eq=False)
class _Task:
    """A replication that waits for a worker or is with one. deaths : how many workers died of it."""

    study: PoolStudy
    job: _Sent
    replication: int
    deaths: int = 0


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
        self.killed = False
        self.jobs: list[int] = []
        self.task: _Task | None = None

    @property
    def idle(self) -> bool:
        """Whether it can be given a replication."""
        return self.ready and not self.killed and self.task is None

    def start(self, task: _Task) -> None:
        """Sends a replication, and before it the job if the worker does not have it among its last ones."""
        self.task = task
        if task.job.number not in self.jobs:
            self.jobs = [*self.jobs, task.job.number][-JOBS_KEPT:]
            self.connection.send_bytes(task.job.pickled)
        self.connection.send((task.job.number, task.replication))

    def kill(self) -> None:
        """Ends the process at once, whatever it is doing; what it had is nobody's any more."""
        self.task = None
        self.killed = True
        self.process.kill()

    def stop(self) -> None:
        """Ends the process and frees what it held here."""
        self.process.kill()
        self.process.wait()
        self.connection.close()


class PoolStudy:
    """One study's share of a `LocalPool`: its executor, made by `LocalPool.study`."""

    def __init__(self, pool: LocalPool, background: bool) -> None:
        self.background = background
        self.queue: deque[_Task] = deque()
        self.unread: deque[Finished] = deque()
        self.error: Exception | None = None
        self.sent: _Sent | None = None
        self._pool = pool

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a job."""
        self._pool.queue(self, job, replications)

    def as_completed(self) -> Iterator[Finished | None]:
        """Yields replications as they end, and None every tenth of a second in which none does.

        Raises `PoolError` if the worker processes die again and again before they are ready, OSError if none can
        be started.
        """
        try:
            while self._pool.has_work(self):
                yield self._pool.take(self)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Forgets what is queued and kills the workers that are at work for this study; from any thread."""
        self._pool.forget(self)


class LocalPool:
    """Worker processes on this machine, kept between studies until `close`. Also a context manager.

    Several studies share them: a worker that becomes idle takes a replication of the study whose turn it is, and
    every study with something queued gets its turn; a new one gets the next. A worker whose process dies is
    replaced; its replication is tried once more and then reported as failed.

    Parameters
    ----------
    workers : how many processes, 1 to 256; by default one per core that this process may use.

    Notes
    -----
    A thread of the pool, the dispatcher, hands out replications and collects results, so that a study that nobody
    iterates holds no other one up; such a study gets no more turns once some results of it lie unread. The invariant:
    all state is read and written under one lock, never held while waiting for a replication, and only the
    dispatcher listens to workers and takes dead ones away. So `cancel` just kills, from any thread, and the
    dispatcher notices.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.size = workers or available_cores()
        self._changed = threading.Condition()
        self._workers: list[_Worker] = []
        self._turns: deque[PoolStudy] = deque()
        self._kept_warm = 0
        self._failed_starts = 0
        self._numbers = itertools.count()
        self._dispatcher: threading.Thread | None = None
        self._bell, self._rope = Pipe(duplex=False)
        self._rung = self._closing = False

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_ids(self) -> list[int]:
        """Ids of the worker processes."""
        with self._changed:
            return [worker.process.pid for worker in self._workers if not worker.killed]

    def study(self, background: bool = False) -> PoolStudy:
        """An executor for one study, which shares the workers with the others.

        background : whether it gets workers only while no other study has anything queued, and gives them back when
            one comes: its replications under way are then started again later.
        """
        return PoolStudy(self, background)

    def warm_up(self, workers: int | None = None) -> None:
        """Starts the processes (at most `workers` of them) without waiting until they are ready, and keeps as many."""
        with self._changed:
            self._kept_warm = max(self._kept_warm, min(workers or self.size, self.size))
            self._hire()
            self._ring()

    def close(self) -> None:
        """Ends all worker processes; studies under way are cancelled."""
        with self._changed:
            dispatcher, self._closing = self._dispatcher, True
            self._ring()
        if dispatcher is not None:
            dispatcher.join()
        with self._changed:
            self._dispatcher, self._closing = None, False

    def queue(self, study: PoolStudy, job: Job, replications: Iterable[int]) -> None:
        """Queues replications of a study; it has the next turn if it had nothing queued."""
        with self._changed:
            if study.sent is None or study.sent.job is not job:
                number = next(self._numbers)
                study.sent = _Sent(number, job, bytes(ForkingPickler.dumps((number, job))))
            study.queue.extend(_Task(study, study.sent, replication) for replication in replications)
            study.error = None
            self._line_up(study)
            if not study.background:
                self._make_way(len(study.queue))
            self._hire()
            self._ring()

    def has_work(self, study: PoolStudy) -> bool:
        """Whether anything of a study is queued, under way or unread."""
        with self._changed:
            waiting = study.queue or study.unread or study.error
            return bool(waiting) or any(task.study is study for task in self._under_way())

    def take(self, study: PoolStudy) -> Finished | None:
        """The next result of a study, None if there is none within a tenth of a second; raises what ended it."""
        with self._changed:
            if not study.unread and study.error is None:
                self._changed.wait(POLL_SECONDS)
            if study.unread:
                if len(study.unread) >= self._most_unread:
                    self._ring()
                return study.unread.popleft()
            if study.error is not None:
                error, study.error = study.error, None
                raise error
            return None

    def forget(self, study: PoolStudy) -> None:
        """Drops everything of a study and kills the workers that are at work for it."""
        with self._changed:
            study.queue.clear()
            study.unread.clear()
            study.error = None
            if study in self._turns:
                self._turns.remove(study)
            for worker in self._workers:
                if worker.task is not None and worker.task.study is study:
                    worker.kill()
            self._changed.notify_all()

    @property
    def _most_unread(self) -> int:
        """Results of one study that may lie unread before it loses its turns: they fill the memory."""
        return 2 * self.size

    def _ring(self) -> None:
        """Wakes the dispatcher, and starts it if there is none."""
        if not self._rung:
            self._rung = True
            self._rope.send_bytes(b"!")
        if self._dispatcher is None and not self._closing:
            self._dispatcher = threading.Thread(target=self._dispatch, name="worker pool", daemon=True)
            self._dispatcher.start()

    def _dispatch(self) -> None:
        """The life of the dispatcher: hands out, listens, hands out; at its end it stops all workers."""
        try:
            while True:
                with self._changed:
                    if self._closing:
                        return
                    self._hand_out()
                    self._hire()
                    workers = {worker.connection: worker for worker in self._workers}
                heard = wait([self._bell, *workers])
                with self._changed:
                    for connection in heard:
                        if connection is self._bell:
                            self._bell.recv_bytes()
                            self._rung = False
                        else:
                            self._hear(workers[connection])  # type: ignore[index]
                    self._changed.notify_all()
        except Exception as error:  # studies wait for this thread: they must hear of its end
            with self._changed:
                studies = [*self._turns, *(task.study for task in self._under_way())]
                self._fail(studies, PoolError(f"The worker pool broke: {type(error).__name__}: {error}."))
        finally:
            with self._changed:
                self._dispatcher = None
                self._kept_warm = 0
                for study in list(self._turns):
                    self.forget(study)
                while self._workers:
                    self._workers.pop().stop()
                self._changed.notify_all()

    def _hand_out(self) -> None:
        """Gives every idle worker a replication, as long as there are any."""
        for worker in list(self._workers):
            if not worker.idle:
                continue
            task = self._next_task()
            if task is None:
                return
            try:
                worker.start(task)
            except OSError:
                self._bury(worker)

    def _next_task(self) -> _Task | None:
        """A replication of the study whose turn it is, which then goes to the end of the line."""
        willing = [study for study in self._turns if len(study.unread) < self._most_unread]
        if not willing:
            return None
        study = min(willing, key=lambda one: one.background)  # the first of those that are not
        self._turns.remove(study)
        task = study.queue.popleft()
        if study.queue:
            self._turns.append(study)
        return task

    def _line_up(self, study: PoolStudy) -> None:
        if study.queue and study not in self._turns:
            self._turns.appendleft(study)

    def _make_way(self, replications: int) -> None:
        """Takes at most that many workers from background studies, whose replications may take minutes."""
        free = self.size - len(self._under_way())
        busy = [worker for worker in self._workers if worker.task is not None and worker.task.study.background]
        for worker in busy[: max(replications - free, 0)]:
            task = worker.task
            worker.kill()
            if task is not None:
                task.study.queue.appendleft(task)
                self._line_up(task.study)

    def _under_way(self) -> list[_Task]:
        return [worker.task for worker in self._workers if worker.task is not None]

    def _hear(self, worker: _Worker) -> None:
        """One message of a worker, or its death."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if not isinstance(message, Finished):
            worker.ready = True
            self._failed_starts = 0
        elif worker.task is not None:  # a worker that was killed may have sent its result before
            task, worker.task = worker.task, None
            task.study.unread.append(replace(message, restarts=task.deaths))

    def _bury(self, dead: _Worker) -> None:
        """Takes a dead worker away; its replication is tried once more, then given up."""
        dead.stop()
        self._workers.remove(dead)
        task, dead.task = dead.task, None
        if task is not None:
            task.deaths += 1
            if task.deaths == 1:
                task.study.queue.appendleft(task)
                self._line_up(task.study)
            else:
                task.study.unread.append(Finished(task.replication, (), "its worker process died twice", restarts=1))
        if not dead.ready and not dead.killed:
            self._failed_starts += 1
            if self._failed_starts > FAILED_STARTS_ALLOWED:
                self._failed_starts = self._kept_warm = 0
                message = "The worker processes end before they are ready; see the messages above."
                self._fail(list(self._turns), PoolError(message))

    def _hire(self) -> None:
        """Starts workers: as many as there are replications, or as are kept warm, and no more than the size."""
        replications = sum(len(study.queue) for study in self._turns) + len(self._under_way())
        wanted = min(self.size, max(self._kept_warm, replications))
        try:
            for _ in range(wanted - sum(not worker.killed for worker in self._workers)):
                self._workers.append(_Worker())
        except OSError as error:
            if not self._workers:  # with fewer workers it takes longer; with none it never ends
                self._fail(list(self._turns), error)

    def _fail(self, studies: Iterable[PoolStudy], error: Exception) -> None:
        """Ends studies with an error; results that they have not read yet still reach them."""
        for study in set(studies):
            study.queue.clear()
            study.error = error
            if study in self._turns:
                self._turns.remove(study)
        self._changed.notify_all()


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
