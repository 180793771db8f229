"""Runs comparisons outside the page's own run, so that a click or a reload does not stop them.

In: a function that compares and reports its progress. Out: a `Job`, at which the page looks. Jobs stand in a `Line`:
a few run at once and share the worker processes, the others wait, first come first served.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

SECONDS_UNWATCHED = 600  # a browser throttles pages in the background, but not for that long
SECONDS_UNWATCHED_FOLLOW_UP = 30  # nobody asked for it, and it begins again when its page is looked at again
JOBS_AT_ONCE = 4  # a comparison can use every core by itself; more at once only make each of them slower
JOBS_WAITING = 12
JOBS_PER_SESSION = 3
FOLLOW_UPS_AT_ONCE = 1

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """What a running comparison says of itself."""

    @property
    def done(self) -> int:
        """Replications finished."""

    @property
    def total(self) -> int:
        """Replications in all."""

    @property
    def seconds_left(self) -> float | None:
        """Time left in seconds, or None while it cannot be known."""

    @property
    def estimate(self) -> str:
        """The headline difference so far, in words, or an empty text."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences without a full stop: what went wrong on the way and was repaired."""

    @property
    def stored(self) -> int:
        """How many of those that are finished came from the store."""


Work = Callable[[Callable[[Progress], None], threading.Event], Any]


class State(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in (State.DONE, State.CANCELLED, State.FAILED)


class Busy(Exception):
    """Too many jobs are under way already; the message is for the user, without a full stop."""


class Line:
    """Jobs that run, at most `at_once`, and jobs that wait for one of these to end, in the order of their coming.

    waiting : how many may wait. per_session : how many one session may have, running and waiting.
    A job starts only here, and only when it is the first of those that wait: so nobody overtakes.
    """

    def __init__(self, at_once: int, waiting: int, per_session: int) -> None:
        self.at_once, self.most, self.per_session = at_once, at_once + waiting, per_session
        self._lock = threading.RLock()
        self._running: list[Job] = []
        self._waiting: deque[Job] = deque()

    def join(self, job: Job) -> None:
        """Takes a job in, which runs as soon as it may. Raises `Busy`."""
        with self._lock:
            for one in self.jobs():
                one.cancel_if_unwatched()
            wanted = [one for one in self.jobs(job.session) if not one.stop.is_set()]
            if job.session is not None and len(wanted) >= self.per_session:
                allowed = f"{self.per_session} of your comparisons are" if self.per_session > 1 else "one of yours is"
                raise Busy(f"{allowed} under way already; wait until one has ended, or cancel one")
            if len(self.jobs()) >= self.most:
                raise Busy(f"{self.most} comparisons are under way already; try again in a minute")
            self._waiting.append(job)
            self._advance()

    def leave(self, job: Job, state: State) -> None:
        """Notes how a job ended; the next ones start."""
        with self._lock:
            job.state = state
            if job in self._running:
                self._running.remove(job)
            if job in self._waiting:
                self._waiting.remove(job)
            self._advance()

    def withdraw(self, job: Job) -> None:
        """Ends a job that waits, at once; one that runs ends by itself."""
        with self._lock:
            if job in self._waiting:
                self.leave(job, State.CANCELLED)

    def before(self, job: Job) -> int:
        """How many of the jobs that wait come before this one."""
        with self._lock:
            return self._waiting.index(job) if job in self._waiting else 0

    def jobs(self, session: str | None = None) -> list[Job]:
        """The jobs that run or wait, oldest first; those of one session, if it is given."""
        with self._lock:
            return [job for job in (*self._running, *self._waiting) if session in (None, job.session)]

    def _advance(self) -> None:
        while self._waiting and len(self._running) < self.at_once:
            job = self._waiting.popleft()
            job.state = State.RUNNING
            self._running.append(job)
            threading.Thread(target=job.run, name=f"comparison {job.key}", daemon=True).start()


COMPARISONS = Line(JOBS_AT_ONCE, JOBS_WAITING, JOBS_PER_SESSION)
FOLLOW_UPS = Line(FOLLOW_UPS_AT_ONCE, JOBS_WAITING, 1)  # in a line of their own: no comparison waits for them


@dataclass(eq=False)
class Job:
    """One comparison: written by its thread, read by the page."""

    key: str
    work: Work
    session: str | None = None
    line: Line = COMPARISONS
    state: State = State.WAITING
    progress: Progress | None = None
    result: Any = None
    error: Exception | None = None
    watched: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def before(self) -> int:
        """How many waiting jobs come before this one; 0 too if it does not wait."""
        return self.line.before(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong on the way and was repaired, such as a worker process that died."""
        return self.progress.notes if self.progress else ()

    def look(self) -> State:
        """The state now; a job that nobody looks at for ten minutes is cancelled."""
        self.watched = time.monotonic()
        return self.state

    def cancel(self) -> None:
        """Asks the job to stop: at once if it waits, within a second or so if it runs."""
        self.stop.set()
        self.line.withdraw(self)

    def cancel_if_unwatched(self) -> None:
        """Cancels a job that nobody has looked at for ten minutes; work that nobody asked for, for half a minute."""
        patience = SECONDS_UNWATCHED_FOLLOW_UP if self.line is FOLLOW_UPS else SECONDS_UNWATCHED
        if time.monotonic() - self.watched > patience:
            self.cancel()

    def report(self, progress: Progress) -> None:
        """Takes the newest progress."""
        self.progress = progress
        self.cancel_if_unwatched()

    def run(self) -> None:
        """Works, and notes how it ended."""
        state = State.FAILED
        try:
            self.result = self.work(self.report, self.stop)
            state = State.CANCELLED if self.stop.is_set() and self.result is None else State.DONE
        except Exception as error:
            if self.stop.is_set():
                state = State.CANCELLED
                return
            if isinstance(error, ValueError):  # bad input: its message repairs it, and the page shows that
                _log.warning("the comparison %s cannot run: %s", self.key, error)
            else:
                _log.exception("the comparison %s failed", self.key)
            self.error = error
        finally:
            self.line.leave(self, state)


def start(key: str, work: Work, session: str | None = None, *, follow_up: bool = False) -> Job:
    """Starts a comparison in its own thread, or lets it wait for its turn.

    Parameters
    ----------
    key : names the inputs; the page stores the result under it.
    work : called with a function that takes progress, and with the event that asks it to stop.
    session : whose job it is; each may have only a few. follow_up : work that nobody asked for, one at a time, for
        which no comparison waits; its study belongs into the background of the pool (`LocalPool.study`).

    Raises
    ------
    Busy : 16 comparisons are running or waiting, or 3 of this session.
    """
    line = FOLLOW_UPS if follow_up else COMPARISONS
    job = Job(key, work, session, line)
    line.join(job)
    return job


def under_way(session: str) -> list[Job]:
    """A session's jobs that run or wait, comparisons first, oldest first: to find them again."""
    return [*COMPARISONS.jobs(session), *FOLLOW_UPS.jobs(session)]
