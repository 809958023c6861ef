"""The buffer pool: decoded chunks in memory, under a byte budget, each decoded once however many threads ask.

It is the hot tier. Segments never change, so nothing in the pool is ever invalidated; entries leave when the
budget is full. An entry used once waits in a first-in-first-out queue and leaves first; one used again moves to a
least-recently-used list. One large scan therefore cannot flush what many queries use.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from luma_bench.errors import ClosedError

Key = tuple[Hashable, ...]
"""(segment ulid, column or array, chunk, form): whatever names one decoded thing for good."""

_PROTECTED_SHARE = 0.8


class BufferPool:
    """A thread-safe cache of decoded chunks, with the threads that decode them.

    Parameters
    ----------
    budget_bytes
        What the entries may hold together; an entry larger than the budget is handed out but not kept. 0 keeps
        nothing.
    threads
        Decoding threads, started with the first work; 0 for one a core.
    """

    def __init__(self, budget_bytes: int, threads: int = 0) -> None:
        self._budget = budget_bytes
        self._threads = threads or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._once: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._often: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._often_bytes = 0
        self._bytes = 0
        self._loading: dict[Key, Future[Any]] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._closed = False

    @property
    def budget(self) -> int:
        """The byte budget."""
        return self._budget

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    @property
    def closed(self) -> bool:
        """Whether it was closed: it decodes nothing any more."""
        return self._closed

    @property
    def threads(self) -> int:
        """How many threads decode."""
        return self._threads

    def __len__(self) -> int:
        return len(self._once) + len(self._often)

    def peek(self, key: Key) -> Any | None:
        """The entry when it is held, else None; it counts as a use."""
        with self._lock:
            return self._hit(key)

    def peek_all(self, keys: list[Key]) -> list[Any] | None:
        """All the entries when every one is held, else None: one lock for a whole scan."""
        found: list[Any] = []
        with self._lock:
            for key in keys:
                value = self._hit(key)
                if value is None:
                    return None
                found.append(value)
        return found

    def get(self, key: Key, load: Callable[[], tuple[Any, int]]) -> Any:
        """The entry, loaded by the first caller while the others wait for it.

        Parameters
        ----------
        key
            What names the entry.
        load
            Gives the value and its bytes; what it raises reaches every waiting caller, and nothing is kept.
        """
        with self._lock:
            value = self._hit(key)
            if value is not None:
                return value
            future = self._loading.get(key)
            first = future is None
            if future is None:
                future = self._loading[key] = Future()
        if not first:
            return future.result()
        try:
            value, nbytes = load()
        except BaseException as error:
            with self._lock:
                del self._loading[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._loading[key]
            self._keep(key, value, nbytes)
        future.set_result(value)
        return value

    def submit(self, task: Callable[[], Any]) -> Future[Any]:
        """Run a task on a decoding thread.

        Raises
        ------
        ClosedError
            The pool was closed.
        """
        with self._lock:
            if self._closed:
                raise _closed()
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="luma-decode")
            return self._executor.submit(task)

    @staticmethod
    def result(future: Future[Any]) -> Any:
        """Wait for a submitted task.

        Raises
        ------
        ClosedError
            The pool was closed before the task began.
        """
        try:
            return future.result()
        except FutureCancelled as error:
            raise _closed() from error

    def clear(self) -> None:
        """Drop every entry."""
        with self._lock:
            self._once.clear()
            self._often.clear()
            self._bytes = self._often_bytes = 0

    def close(self) -> None:
        """Drop every entry and stop the threads; work that waits is cancelled. Harmless when repeated."""
        with self._lock:
            self._closed = True
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)
        self.clear()

    def _hit(self, key: Key) -> Any | None:
        entry = self._often.get(key)
        if entry is not None:
            self._often.move_to_end(key)
            return entry[0]
        entry = self._once.pop(key, None)
        if entry is None:
            return None
        self._often[key] = entry
        self._often_bytes += entry[1]
        while self._often_bytes > self._budget * _PROTECTED_SHARE and len(self._often) > 1:
            # Back to the waiting room: what is used least gives way to what is used now.
            old, held = self._often.popitem(last=False)
            self._often_bytes -= held[1]
            self._once[old] = held
        return entry[0]

    def _keep(self, key: Key, value: Any, nbytes: int) -> None:
        if nbytes > self._budget or self._closed:
            return
        self._once[key] = (value, nbytes)
        self._bytes += nbytes
        while self._bytes > self._budget:
            if self._once:
                _, held = self._once.popitem(last=False)
            else:
                _, held = self._often.popitem(last=False)
                self._often_bytes -= held[1]
            self._bytes -= held[1]


def _closed() -> ClosedError:
    return ClosedError("The buffer pool is closed.", hint="Open the bench again with lb.open(path).")
