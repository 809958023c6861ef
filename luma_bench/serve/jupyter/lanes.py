"""Threads for requests: a slow one is given up after its time, and never keeps the server or the other lane waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from luma_bench.errors import CancelledError, ResourceError


class BusyError(ResourceError):
    """More requests wait than may."""


class SlowError(CancelledError):
    """A request took longer than it may."""


class Lane:
    """A few threads that take requests in order.

    Parameters
    ----------
    name
        What its threads are called.
    threads
        How many requests run at once.
    waiting
        How many may wait beside those that run.
    """

    def __init__(self, name: str, threads: int, waiting: int = 64) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"luma-{name}")
        self._most = threads + waiting
        self._inside = 0
        self._closed = False
        self._lock = threading.Lock()

    async def run[T](self, work: Callable[[], T], seconds: float) -> T:
        """Run `work` in a thread of the lane and wait for it.

        A request that is given up while it still waits never runs.

        Raises
        ------
        BusyError
            The lane is full.
        SlowError
            `seconds` passed. What runs already ends on its own.
        """
        with self._lock:
            if self._closed or self._inside >= self._most:
                raise BusyError(
                    "The server has too much to do, or is stopping.", hint="Try again in a moment."
                )
            future = self._pool.submit(work)
            self._inside += 1
        future.add_done_callback(self._left)
        waited = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait({waited}, timeout=seconds)
        except asyncio.CancelledError:
            _forget(future, waited)
            raise
        if not done:
            _forget(future, waited)
            raise SlowError(
                f"The answer took longer than {seconds:g} s.",
                hint="Try again; LumaBenchExtension.timeout sets how long a request may take.",
            )
        if waited.cancelled():
            raise BusyError("The server is stopping.", hint="Ask again once it runs.")
        return waited.result()

    def start(self, work: Callable[[], object]) -> None:
        """Run `work` when a thread is free; nobody waits for it, and a full or closed lane leaves it out."""
        with self._lock:
            if self._closed or self._inside >= self._most:
                return
            future = self._pool.submit(work)
            self._inside += 1
        future.add_done_callback(self._left)

    def close(self) -> None:
        """Take no more requests, and forget those that wait."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _left(self, _: object) -> None:
        with self._lock:
            self._inside -= 1


def _forget(future: Future[Any], waited: asyncio.Future[Any]) -> None:
    """Drop work that has not begun, at once, and what comes of work that has."""
    future.cancel()
    waited.cancel()
