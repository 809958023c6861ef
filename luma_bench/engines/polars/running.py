"""A query while Polars runs it: on a thread of its own, so that it can be stopped and waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from luma_bench.errors import CancelledError
from luma_bench.plan.engine import Inputs, SqlFragment

if TYPE_CHECKING:
    import polars as pl

_POLL = 0.05
_PATIENCE = 0.3
"""Seconds that a stopped query is waited for; after them it ends by itself at its next batch."""


class RunningQuery:
    """A fragment that Polars runs.

    Parameters
    ----------
    timeout
        Seconds until it stops itself; 0 for never.
    limit
        The timeout as it was asked for.
    """

    def __init__(
        self,
        fragment: SqlFragment,
        inputs: Inputs,
        ended: Callable[[RunningQuery], None],
        timeout: float,
        limit: float,
    ) -> None:
        self.started = time.perf_counter()
        self.thread = threading.get_ident()
        self.text = fragment.text
        self._ended = ended
        self._expected = 0
        self._counters = inputs.counters
        self._base = inputs.counters.rows_read
        self._shown = 0.0
        self._stopped: tuple[str, str | None] | None = None
        self._wake = threading.Event()
        self._timer: threading.Timer | None = None
        if timeout:
            reason = CancelledError.timeout(limit)
            self._timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), self.stop, (reason,))
            self._timer.daemon = True
            self._timer.start()

    @property
    def progress(self) -> float | None:
        """Rows read over the rows of what it reads, at most 0.9 before the end; None before the first of them."""
        if not self._expected:
            return None
        read = self._counters.rows_read - self._base
        self._shown = max(self._shown, min(0.9, read / self._expected))
        return self._shown

    def expect(self, rows: int) -> None:
        """How many rows it reads in all."""
        self._expected = rows

    def check(self) -> None:
        """Raise when it was stopped."""
        if self._stopped is not None:
            message, hint = self._stopped
            raise CancelledError(message, hint=hint)

    def stop(self, reason: CancelledError | None = None) -> None:
        """Stop it, from any thread; it raises `reason`, or that it was cancelled."""
        if self._stopped is None:
            reason = reason or CancelledError.query(time.perf_counter() - self.started)
            self._stopped = (reason.message, reason.hint)
            self._wake.set()

    def close(self) -> None:
        """It is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._ended(self)

    def watched(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """A frame whose batches stop coming when the query was stopped."""

        def passed(batch: pl.DataFrame) -> pl.DataFrame:
            self.check()
            return batch

        return frame.map_batches(
            passed,
            predicate_pushdown=True,
            projection_pushdown=True,
            slice_pushdown=True,
            validate_output_schema=False,
            streamable=True,
        )

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Compute a frame, on another thread.

        Raises
        ------
        CancelledError
            It was stopped.
        """
        self.check()
        outcome: list[pl.DataFrame | BaseException] = []
        done = threading.Event()

        def work() -> None:
            try:
                outcome.append(frame.collect(engine="streaming"))
            except BaseException as error:  # noqa: BLE001 - it is raised by the thread that waits
                outcome.append(error)
            finally:
                done.set()
                self._wake.set()

        threading.Thread(target=work, name="luma-polars", daemon=True).start()
        try:
            while not done.is_set():
                self._wake.wait(_POLL)
                if self._stopped is not None:
                    done.wait(_PATIENCE)
                    break
        except BaseException:
            self.stop()
            raise
        self.check()
        self._wake.clear()
        (found,) = outcome
        if isinstance(found, BaseException):
            raise found
        return found
