"""What large answers leave behind goes back to the system: the C library keeps freed memory for the next allocation.

DuckDB makes an answer's Arrow buffers with `malloc`. Of glibc's arenas, what was freed stays in the process: after a join of
ten million rows hundreds of megabytes that nothing uses. `malloc_trim` gives it back in some 50 milliseconds, beside
whatever else runs.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
import weakref
from collections.abc import Callable

import pyarrow as pa

LARGE = 128 << 20
"""Bytes of an answer worth it."""
PAUSE = 0.1
"""Seconds after the end of an answer: its buffers go after the table that held them, and several answers often end together."""


@functools.cache
def system_trim() -> Callable[[int], int] | None:
    """The C library's `malloc_trim`; None where it has none (only glibc does)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return None


class Trimmer:
    """Trims the C library's memory soon after a large answer has ended. Thread-safe.

    Parameters
    ----------
    trim
        Gives memory back; by default the C library's way, or nothing where there is none.
    """

    def __init__(self, trim: Callable[[int], int] | None = None) -> None:
        self._trim = trim or system_trim()
        self._lock = threading.RLock()  # a finalizer may run inside of a call of the same thread
        self._waiting = False

    def watched(self, answer: pa.Table) -> pa.Table:
        """The same answer; when it is large and ends, memory is given back."""
        if self._trim is not None and answer.nbytes >= LARGE:
            weakref.finalize(answer, self._soon).atexit = False
        return answer

    def _soon(self) -> None:
        with self._lock:
            # At the end of the interpreter no thread starts any more, and all memory goes back anyway.
            if self._waiting or not threading.main_thread().is_alive():
                return
            self._waiting = True
        timer = threading.Timer(PAUSE, self._now)
        timer.daemon = True
        timer.start()

    def _now(self) -> None:
        with self._lock:
            self._waiting = False
        if self._trim is not None:
            self._trim(0)
