"""Calls that a signal can reach: the main thread waits while another one is inside of DuckDB.

Python runs signal handlers in the main thread, between bytecodes. DuckDB looks for them while it runs there, but not
reliably: with two threads about every second Ctrl-C waited for the end of the query. A wait on a queue is left at once.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import cast

_LOOK = 0.1
"""Seconds between two looks at signals while a call runs aside."""


@contextlib.contextmanager
def signals_told() -> Generator[None]:
    """Around calls into DuckDB in the main thread: its own way of telling of a signal handler's exception becomes KeyboardInterrupt.

    DuckDB raises a RuntimeError in the place of what the handler raised.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error


@dataclass(slots=True)
class _Job:
    """A call and its outcome, which outlives a waiter that a signal takes away just as it is told."""

    call: Callable[[], object]
    told: queue.SimpleQueue[None]
    outcome: tuple[object, BaseException | None] | None = None
    given_up: bool = False


class AsideThread:
    """One thread that stays for the next call; handing it a call costs about 15 microseconds."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[_Job | None] | None = None
        self._end: Callable[[], object] = lambda: None
        self._busy = False

    def call[T](self, call: Callable[[], T], stop: Callable[[], None]) -> T:
        """What `call` returns or raises; run aside when this is the main thread.

        Parameters
        ----------
        stop
            Makes the call end soon. It is used when a signal handler raises, before that is raised again.
        """
        if threading.current_thread() is not threading.main_thread():
            return call()
        if self._busy:
            # A signal handler asks something while the main thread waits.
            return _once(call, stop)
        self._busy = True
        try:
            if self._inbox is None:
                self._inbox = _started()
                # The thread ends with this object, also when nobody closes it.
                self._end = weakref.finalize(self, self._inbox.put, None)
            return _waited(self._inbox, call, stop)
        finally:
            self._busy = False

    def close(self) -> None:
        """End the thread after the call it is in; another call starts a new one."""
        self._end()
        self._inbox = None


def _started() -> queue.SimpleQueue[_Job | None]:
    inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
    threading.Thread(target=_serve, args=(inbox,), name="luma-aside", daemon=True).start()
    return inbox


def _once[T](call: Callable[[], T], stop: Callable[[], None]) -> T:
    inbox = _started()
    try:
        return _waited(inbox, call, stop)
    finally:
        inbox.put(None)


def _waited[T](inbox: queue.SimpleQueue[_Job | None], call: Callable[[], T], stop: Callable[[], None]) -> T:
    job = _Job(call, queue.SimpleQueue())
    try:
        inbox.put(job)
        value, error = _finished(job, lambda: None)
    except BaseException:
        # It may have come before the call was handed over: a call that is given up is not begun, and none runs twice.
        job.given_up = True
        inbox.put(job)
        # A stop that comes before the call has begun is lost, so it is said again until the call ends.
        stop()
        _finished(job, stop)
        raise
    if error is not None:
        raise error
    return cast("T", value)


def _finished(job: _Job, meanwhile: Callable[[], None]) -> tuple[object, BaseException | None]:
    """Wait for the outcome; a signal that another thread received wakes no wait, so it is looked for now and then."""
    while job.outcome is None:
        try:
            job.told.get(timeout=_LOOK)
        except queue.Empty:
            meanwhile()
    return job.outcome


def _serve(inbox: queue.SimpleQueue[_Job | None]) -> None:
    while (job := inbox.get()) is not None:
        if job.outcome is not None:
            continue
        try:
            job.outcome = (None if job.given_up else job.call(), None)
        except BaseException as error:  # noqa: BLE001 - it is raised again by the thread that waits for it
            job.outcome = (None, error)
        job.told.put(None)
        # Nothing of a finished call is kept while the thread waits for the next.
        del job
