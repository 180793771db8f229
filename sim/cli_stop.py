"""How commands that compute for long are stopped: by ctrl-C or a request to end, at the next moment that suits them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Inside, signals to end are noted instead of obeyed; gives what says whether there was one."""
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in TERMINATION_SIGNALS}
    try:
        yield stop.is_set
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
