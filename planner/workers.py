"""The worker processes that all sessions of the page share.

In: nothing. Out: one `LocalPool` for the life of the server; comparisons take turns in it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.study.executors import LocalPool

_one = threading.Lock()
_pool: LocalPool | None = None


def pool() -> LocalPool:
    """The pool. Nobody closes it: workers end by themselves when the server does."""
    global _pool
    with _one:  # two sessions may come at once, and a second pool would have workers of its own
        if _pool is None:
            from sim.study.executors import LocalPool

            _pool = LocalPool()
        return _pool


def warm_up() -> None:
    """Starts the workers without waiting, even for the import, unless they were: for every run of the page."""
    if _pool is not None:
        return
    threading.Thread(target=lambda: pool().warm_up(), name="warm-up", daemon=True).start()
