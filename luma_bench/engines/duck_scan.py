"""A table of a pooled cursor: registered for good, pinned to a scan source for the length of one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from luma_bench.engines.duck_kinds import as_scanned
from luma_bench.errors import EngineError
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters, ScanSource


class Reading(Protocol):
    """What one running statement keeps about its scans."""

    @property
    def counters(self) -> ScanCounters:
        """Where the sources count."""
        ...

    def opened(self, rows: int) -> None:
        """A stream over a source of this many rows begins."""
        ...

    def drained(self, rows: int) -> None:
        """A stream over a source of this many rows is at its end, whatever it pruned."""
        ...

    def check(self) -> None:
        """Raise when the statement was cancelled."""
        ...

    def failed(self, error: BaseException) -> None:
        """Keep the exception that a source raised: DuckDB only passes its text on."""
        ...


class PinnedScan:
    """One table of a cursor: its schema for good, its source for the statement that runs.

    `given` is the source's own schema, `schema` what DuckDB is told.
    """

    def __init__(self, schema: pa.Schema, name: str) -> None:
        self.given = schema
        self.schema = as_scanned(schema)
        self.name = name
        self.missed = False
        self._pinned: tuple[ScanSource, Reading] | None = None

    def pin(self, source: ScanSource, reading: Reading) -> None:
        """Answer from this source until `unpin`."""
        self.missed = False
        self._pinned = (source, reading)

    def unpin(self) -> None:
        """Answer no more."""
        self._pinned = None

    @property
    def is_pinned(self) -> bool:
        """Whether a statement reads it now."""
        return self._pinned is not None

    @property
    def pinned(self) -> tuple[ScanSource, Reading]:
        """The source and the statement it is pinned for.

        Raises
        ------
        EngineError
            No statement pins it: it was left on a cursor by an earlier one.
        """
        if self._pinned is None:
            self.missed = True
            raise EngineError(f"The table {self.name!r} is not pinned for this statement; no rows were read.")
        return self._pinned

    def reader(self, columns: Sequence[int] | None, predicates: Sequence[Predicate]) -> pa.RecordBatchReader:
        """The source's stream, which keeps its own error and stops when the statement is cancelled."""
        source, reading = self.pinned
        try:
            reading.check()
            rows = source.rows()
            reading.opened(rows)
            stream = source.stream(columns, predicates, reading.counters)
        except BaseException as error:
            reading.failed(error)
            raise
        if self.schema is self.given:
            return pa.RecordBatchReader.from_batches(stream.schema, _watched(stream, reading, rows))
        told = pa.schema([self.schema.field(name) for name in stream.schema.names])
        batches = (
            pa.RecordBatch.from_arrays(batch.columns, schema=told)
            for batch in _watched(stream, reading, rows)
        )
        return pa.RecordBatchReader.from_batches(told, batches)


def _watched(stream: pa.RecordBatchReader, reading: Reading, rows: int) -> Iterator[pa.RecordBatch]:
    try:
        for batch in stream:
            reading.check()
            yield batch
        reading.drained(rows)
    except GeneratorExit:
        raise
    except BaseException as error:
        reading.failed(error)
        raise
