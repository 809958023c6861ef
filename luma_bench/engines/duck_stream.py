"""A result as a stream: it holds its statement's cursor until it is drained or dropped."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from luma_bench.engines.duck_result import ResultShape
from luma_bench.engines.duck_statement import RunningStatement


class ResultStream:
    """The batches of a running statement, in their delivered types; the iterator behind a `RecordBatchReader`."""

    def __init__(
        self, statement: RunningStatement, batches: pa.RecordBatchReader, shape: ResultShape, side: Any
    ) -> None:
        self._statement = statement
        self._batches = batches
        self._shape = shape
        # DuckDB's cursor is busy until the last batch, so casts run on a cursor of their own.
        self._side = side
        self._ready: Iterator[pa.RecordBatch] = iter(())
        self._finish = weakref.finalize(self, _finished, statement, batches)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        """The next batch; the end, an error or an interrupt gives the cursor back."""
        try:
            while True:
                ready = next(self._ready, None)
                if ready is not None:
                    return ready
                self._ready = iter(self._pull())
        except BaseException:
            self._finish()
            raise

    def _pull(self) -> list[pa.RecordBatch]:
        with self._statement.calling():
            in_main = threading.current_thread() is threading.main_thread()
            batch = self._pull_aside() if in_main else next(self._batches, None)
            if batch is None:
                raise StopIteration
            if self._shape.is_plain:
                return [batch]
            table = self._shape.convert(pa.Table.from_batches([batch]), self._side)
            return table.to_batches() or [pa.RecordBatch.from_pylist([], schema=self._shape.schema)]

    def _pull_aside(self) -> pa.RecordBatch | None:
        """One batch by another thread, so that a signal reaches the main one while DuckDB computes."""
        box: queue.SimpleQueue[tuple[pa.RecordBatch | None, BaseException | None]] = queue.SimpleQueue()
        thread = threading.Thread(
            target=_pull_into, args=(self._batches, box), name="luma-stream", daemon=True
        )
        thread.start()
        try:
            batch, error = box.get()
        except BaseException:
            self._statement.stop()
            thread.join()
            raise
        thread.join()
        if error is not None:
            raise error
        return batch


def _pull_into(
    batches: pa.RecordBatchReader, box: queue.SimpleQueue[tuple[pa.RecordBatch | None, BaseException | None]]
) -> None:
    try:
        box.put((next(batches, None), None))
    except BaseException as error:  # noqa: BLE001 - it is raised again by the thread that waits for it
        box.put((None, error))


def _finished(statement: RunningStatement, batches: pa.RecordBatchReader) -> None:
    """Free DuckDB's open result, then the cursor under it."""
    batches.close()
    statement.close()
