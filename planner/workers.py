"""The worker processes and the store that all sessions of the page share.

In: nothing. Out: one `LocalPool` for the life of the server, in which comparisons take turns; the store.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.study.executors import LocalPool
    from sim.study.store import Store

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


def store() -> Store | None:
    """The folder of finished replications, which the commands use too; a new one each time, with no problems yet."""
    from sim.study.store import Store, default_folder

    folder = default_folder()
    return None if folder is None else Store(folder)
