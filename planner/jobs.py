"""Runs comparisons outside the page's own run, so that a click or a reload does not stop them.

In: a function that compares and reports its progress. Out: a `Job`, at which the page looks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

SECONDS_UNWATCHED = 600  # a browser throttles pages in the background, but not for that long
JOBS_AT_ONCE = 1  # a comparison uses every core by itself
JOBS_WAITING = 16

_turns = threading.Semaphore(JOBS_AT_ONCE)
_places = threading.Semaphore(JOBS_AT_ONCE + JOBS_WAITING)
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
    """Too many comparisons are waiting already."""


@dataclass
class Job:
    """One comparison under way: written by its thread, read by the page."""

    key: str
    work: Work
    state: State = State.WAITING
    progress: Progress | None = None
    result: Any = None
    error: Exception | None = None
    watched: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> State:
        """The state now; a job that nobody looks at for ten minutes is cancelled."""
        self.watched = time.monotonic()
        return self.state

    def cancel(self) -> None:
        """Asks the job to stop; it does so within a second or so."""
        self.stop.set()

    def report(self, progress: Progress) -> None:
        """Takes the newest progress."""
        self.progress = progress
        if time.monotonic() - self.watched > SECONDS_UNWATCHED:
            self.cancel()

    def run(self) -> None:
        """Waits for its turn, works, and notes how it ended."""
        try:
            with _Turn(self.stop) as mine:
                if mine:
                    self.state = State.RUNNING
                    self.result = self.work(self.report, self.stop)
            self.state = State.CANCELLED if self.stop.is_set() and self.result is None else State.DONE
        except Exception as error:
            if self.stop.is_set():
                self.state = State.CANCELLED
                return
            if isinstance(error, ValueError):  # bad input: its message repairs it, and the page shows that
                _log.warning("the comparison %s cannot run: %s", self.key, error)
            else:
                _log.exception("the comparison %s failed", self.key)
            self.error = error
            self.state = State.FAILED
        finally:
            _places.release()


class _Turn:
    """A turn among the jobs: entered with True when it has come, with False when the job was cancelled."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.mine = False

    def __enter__(self) -> bool:
        while not self.mine and not self.stop.is_set():
            self.mine = _turns.acquire(timeout=0.2)
        return self.mine and not self.stop.is_set()

    def __exit__(self, *_: object) -> None:
        if self.mine:
            _turns.release()


def start(key: str, work: Work) -> Job:
    """Starts a comparison in its own thread.

    Parameters
    ----------
    key : names the inputs; the page stores the result under it.
    work : called with a function that takes progress, and with the event that asks it to stop.

    Raises
    ------
    Busy : 17 comparisons are running or waiting.
    """
    if not _places.acquire(blocking=False):
        raise Busy(f"{JOBS_AT_ONCE + JOBS_WAITING} comparisons are under way already; try again in a minute")
    job = Job(key, work)
    threading.Thread(target=job.run, name=f"comparison {key}", daemon=True).start()
    return job
