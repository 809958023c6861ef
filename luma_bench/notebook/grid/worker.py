"""A thread that answers requests one after the other, so that the kernel's own threads stay free."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable


class Worker:
    """One daemon thread, started with the first call, that ends with `close` or with this object."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] | None = None
        self._end: Callable[[], object] = lambda: None
        self._closed = False

    def put(self, call: Callable[[], None]) -> None:
        """Run `call` after what was put before it; dropped after `close`."""
        with self._lock:
            if self._closed:
                return
            if self._inbox is None:
                self._inbox = queue.SimpleQueue()
                threading.Thread(target=_serve, args=(self._inbox,), name=self._name, daemon=True).start()
                self._end = weakref.finalize(self, self._inbox.put, None)
            self._inbox.put(call)

    def close(self) -> None:
        """End the thread after the call it is in."""
        with self._lock:
            self._closed = True
        self._end()


def _serve(inbox: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (call := inbox.get()) is not None:
        call()
        # Nothing of a finished call is kept while the thread waits for the next.
        del call
