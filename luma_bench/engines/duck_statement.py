"""One statement while it runs: its leased cursor, its figures, and how it is stopped."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_errors import as_luma_error, duckdb_error
from luma_bench.engines.duck_pool import Cursor
from luma_bench.errors import CancelledError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.scan import ScanCounters

_RETRY = 0.02
_SLOWEST = 0.5
_PATIENCE = 5.0


class RunningStatement:
    """A fragment on its cursor, from lease to release. It is what its scan sources report to.

    Parameters
    ----------
    cursor
        Its own until it closes.
    released
        Called once, with this statement and its cursor, when it closes.
    timeout
        Seconds until it stops itself; 0 for never.
    limit
        The timeout as it was asked for, of which these seconds are left.
    """

    def __init__(
        self,
        fragment: SqlFragment,
        inputs: Inputs,
        cursor: Cursor,
        released: Callable[[RunningStatement, Cursor], None],
        timeout: float,
        limit: float | None = None,
    ) -> None:
        self.fragment = fragment
        self.inputs = inputs
        self.started = time.perf_counter()
        self.thread = threading.get_ident()
        self.error: BaseException | None = None
        self.broken = False
        self._cursor: Cursor | None = cursor
        self._released = released
        self._expected = self._opened = self._drained = 0
        self._shown = 0.0
        self._base = inputs.counters.rows_read
        # Why it was stopped, as a message and a hint: an exception would keep the frames that it passed through.
        self._stopped: tuple[str, str | None] | None = None
        self._lock = threading.Lock()
        self._calling = False
        self._timer = self._limit(timeout, limit or timeout) if timeout else None

    @property
    def cursor(self) -> Cursor:
        """The leased cursor.

        Raises
        ------
        CancelledError
            The statement was closed.
        """
        if self._cursor is None:
            self.check()
            raise CancelledError.query(self.elapsed)
        return self._cursor

    @property
    def text(self) -> str:
        """The fragment's text."""
        return self.fragment.text

    @property
    def elapsed(self) -> float:
        """Seconds since the lease."""
        return time.perf_counter() - self.started

    @property
    def progress(self) -> float | None:
        """Rows read over the rows of every source that the text names, at most 1 and never less than before.

        A stream at its end counts with all of its rows, also those that it pruned. None before the first stream.
        """
        if not self._opened:
            return None
        if not self._expected:
            text = self.fragment.text.casefold()
            sources = self.inputs.sources.items()
            self._expected = sum(source.rows() for name, source in sources if name.casefold() in text)
        expected = max(self._expected, self._opened)
        done = max(self.counters.rows_read - self._base, self._drained)
        self._shown = max(self._shown, min(1.0, done / expected) if expected else 0.0)
        return self._shown

    # --- what scan sources report ---

    @property
    def counters(self) -> ScanCounters:
        """Where the sources count."""
        return self.inputs.counters

    def opened(self, rows: int) -> None:
        """A stream over a source of this many rows begins."""
        with self._lock:
            self._opened += rows

    def drained(self, rows: int) -> None:
        """A stream over a source of this many rows is at its end, whatever it pruned."""
        with self._lock:
            self._drained += rows

    def check(self) -> None:
        """Raise when the statement was stopped."""
        if self._stopped is not None:
            message, hint = self._stopped
            raise CancelledError(message, hint=hint)

    def failed(self, error: BaseException) -> None:
        """Keep the first exception of a source."""
        if self.error is None:
            self.error = error

    # --- running and stopping ---

    @contextlib.contextmanager
    def calling(self) -> Generator[None]:
        """Around every call into DuckDB: what it raises comes out as the bench's error."""
        # In this order: a stop behind the look at it knows that a call is about to begin, and insists.
        self._calling = True
        try:
            self.check()
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            self._raise(error)
        finally:
            self._calling = False

    def _raise(self, error: Exception) -> None:
        reported = duckdb_error(error)
        if isinstance(reported, duckdb.FatalException | duckdb.InternalException):
            self.broken = True
        if self._stopped is not None:
            message, hint = self._stopped
            raise CancelledError(message, hint=hint) from None
        if self.error is not None:
            # The source's own exception, with its own cause; DuckDB's is its echo.
            raise self.error from self.error.__cause__
        if reported is not None:
            found = None if self._cursor is None else self._cursor.views.located(reported, self.fragment.text)
            if found is not None:
                raise as_luma_error(reported, found[0], self.inputs.names, self.elapsed, found[1]) from error
            raise as_luma_error(reported, self.fragment.text, self.inputs.names, self.elapsed) from error
        raise error

    def stop(self, reason: CancelledError | None = None) -> None:
        """Stop it, from any thread; it raises `reason`, or that it was cancelled."""
        with self._lock:
            if self._stopped is not None or self._cursor is None:
                return
            reason = reason or CancelledError.query(self.elapsed)
            self._stopped = (reason.message, reason.hint)
        self._interrupt()
        if self._calling:
            # DuckDB forgets an interrupt that comes just before it starts, so it is repeated until it has stopped.
            threading.Thread(target=self._insist, name="luma-cancel", daemon=True).start()

    def settle(self) -> None:
        """Wait until DuckDB has left the call that `stop` interrupted, for a few seconds at most."""
        deadline = time.perf_counter() + _PATIENCE
        while self._calling and time.perf_counter() < deadline:
            time.sleep(_RETRY / 4)

    def close(self) -> None:
        """Give the cursor back; it must hold no open result. Calling it again does nothing."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            cursor, self._cursor = self._cursor, None
        # It holds the frames it was raised through, and they hold this.
        self.error = None
        if cursor is None:
            return
        try:
            cursor.end()
        except duckdb.Error:
            self.broken = True
        self._released(self, cursor)

    def _limit(self, timeout: float, limit: float) -> threading.Timer:
        reason = CancelledError.timeout(limit)
        timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), self.stop, (reason,))
        timer.daemon = True
        timer.start()
        return timer

    def _insist(self) -> None:
        pause = _RETRY
        while self._calling:
            self._interrupt()
            time.sleep(pause)
            pause = min(pause * 1.1, _SLOWEST)

    def _interrupt(self) -> None:
        # Under the lock of `close`: a cursor that was given back may serve another statement already.
        with self._lock:
            if self._cursor is not None:
                self._cursor.con.interrupt()
