"""A result as a stream: it holds its statement's cursor until it is drained or dropped."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_result import ResultShape
from luma_bench.engines.duck_statement import RunningStatement


class ResultStream:
    """The batches of a running statement, in their delivered types; the iterator behind a `RecordBatchReader`."""

    def __init__(
        self,
        statement: RunningStatement,
        batches: pa.RecordBatchReader,
        shape: ResultShape,
        side: Callable[[], Any],
        aside: AsideThread,
    ) -> None:
        self._statement = statement
        self._aside = aside
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
            batch = self._aside.call(lambda: next(self._batches, None), self._statement.stop)
            if batch is None:
                raise StopIteration
            if self._shape.is_plain:
                return [batch]
            table = self._shape.convert(pa.Table.from_batches([batch]), self._side)
            return table.to_batches() or [pa.RecordBatch.from_pylist([], schema=self._shape.schema)]


def _finished(statement: RunningStatement, batches: pa.RecordBatchReader) -> None:
    """Free DuckDB's open result, then the cursor under it."""
    batches.close()
    statement.close()
