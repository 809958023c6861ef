"""Ctrl-C that stops a running query: within a second, wherever the query is.

Python runs signal handlers between bytecodes only, so an engine that computes in C for a minute would keep an interrupt
waiting for a minute. Here the operating system's signal writes a byte to a socket at once (`signal.set_wakeup_fd`),
and a watching thread cancels the bench's queries until the statement has come back.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Generator
from types import FrameType
from typing import Protocol

from luma_bench.errors import CancelledError

_RETRY = 0.02
_ESCALATE = 0.7


class Cancellable(Protocol):
    """What can be stopped from another thread."""

    def cancel(self) -> int:
        """Stop what runs now; how many there were."""
        ...


@contextlib.contextmanager
def interruptible(bench: Cancellable) -> Generator[None]:
    """Within the block, an interrupt (SIGINT) stops the bench's running queries.

    Outside of the main thread, where Python delivers no signals, the block runs as it is.

    Raises
    ------
    CancelledError
        An interrupt came; also when the statement had just finished, so that an interrupt is never lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.perf_counter()
    watch = _Watch(bench)
    watch.start()
    try:
        yield
    except BaseException as error:
        if watch.stop() and not isinstance(error, CancelledError | SystemExit | GeneratorExit):
            raise CancelledError.query(time.perf_counter() - started) from None
        raise
    if watch.stop():
        raise CancelledError(
            "Interrupted just as the statement had finished: what it wrote is committed, its rows are not shown.",
            hint="Run it again to see the rows.",
        )


class _Watch:
    """The signal handler, the socket and the thread of one interruptible block."""

    def __init__(self, bench: Cancellable) -> None:
        self._bench = bench
        self._interrupted = threading.Event()
        self._over = threading.Event()
        self._escalated = False
        self._ending = threading.Lock()

    def start(self) -> None:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="luma-interrupt", daemon=True)
        self._old_handler = signal.signal(signal.SIGINT, self._handle)
        # An event loop may have its own wake-up socket; it is told of every signal, now or at the end.
        self._old_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._thread.start()

    def stop(self) -> bool:
        """Put everything back; whether an interrupt came."""
        with self._ending:
            self._over.set()
        signal.set_wakeup_fd(self._old_fd)
        signal.signal(signal.SIGINT, self._old_handler if self._old_handler is not None else signal.SIG_DFL)
        self._write.close()
        self._thread.join()
        self._read.close()
        return self._interrupted.is_set()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # The first interrupt lets the engine stop in its own way; another, or a statement that does not stop, is
        # interrupted as Python code is.
        if self._interrupted.is_set() and self._escalated:
            raise KeyboardInterrupt
        self._interrupted.set()

    def _run(self) -> None:
        while (signals := self._read.recv(64)) and signal.SIGINT not in signals:
            self._forward(signals)
        if not signals:
            return
        self._interrupted.set()
        self._forward(signals)
        asked = time.perf_counter()
        # A cancel between two phases of a statement finds nothing to stop, so it is repeated until the block ends.
        while not self._over.wait(_RETRY):
            self._bench.cancel()
            if time.perf_counter() - asked > _ESCALATE:
                self._escalate()

    def _escalate(self) -> None:
        # Under the lock, so that the signal cannot arrive after the block has put the old handler back.
        with self._ending:
            if not self._escalated and not self._over.is_set():
                self._escalated = True
                _thread.interrupt_main()

    def _forward(self, signals: bytes) -> None:
        if self._old_fd >= 0:
            with contextlib.suppress(OSError):
                os.write(self._old_fd, signals)
