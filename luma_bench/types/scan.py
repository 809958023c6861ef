"""How an engine reads a table: the scan source protocol, and the counters a scan fills in.

A source is pinned: its segments are fixed before execution, and every stream of it reads the same rows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pyarrow as pa

from luma_bench.types.predicate import Predicate
from luma_bench.types.schema import Column, TableSchema


@dataclass(slots=True)
class ScanCounters:
    """True figures of one statement, added up by every stream of every source it reads. Thread-safe through `add`.

    What is added to counters with a `parent` is added to the parent too: one source's share of a statement.
    """

    rows_read: int = 0
    bytes_read: int = 0
    segments_read: int = 0
    segments_pruned: int = 0
    chunks_read: int = 0
    chunks_pruned: int = 0
    parent: ScanCounters | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self,
        *,
        rows: int = 0,
        nbytes: int = 0,
        segments: int = 0,
        segments_pruned: int = 0,
        chunks: int = 0,
        chunks_pruned: int = 0,
    ) -> None:
        """Add figures: `rows` decoded from chunks that were not pruned, `nbytes` read from disk (0 when pooled)."""
        with self._lock:
            self.rows_read += rows
            self.bytes_read += nbytes
            self.segments_read += segments
            self.segments_pruned += segments_pruned
            self.chunks_read += chunks
            self.chunks_pruned += chunks_pruned
        if self.parent is not None:
            self.parent.add(
                rows=rows,
                nbytes=nbytes,
                segments=segments,
                segments_pruned=segments_pruned,
                chunks=chunks,
                chunks_pruned=chunks_pruned,
            )


class ScanSource(Protocol):
    """A table, pinned at a snapshot, as an engine reads it. Column 0 is `_rowid` (int64, never null)."""

    @property
    def name(self) -> str:
        """The table's name, for messages."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the table's columns in order, exactly as every stream yields them."""
        ...

    def rows(self) -> int:
        """The number of rows that a scan without predicates yields."""
        ...

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the source applies `predicate` exactly; one that it accepts is not applied again by the engine."""
        ...

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns` (declared indexes; None for all) where every predicate is TRUE.

        Rows come in row-id order within a segment and segments in catalog order. A stream that is dropped early
        stops its decoding. An empty `columns` list yields `_rowid`-less batches with a row count.
        """
        ...


class FoundRow(Protocol):
    """One row of a table; its values are read when they are asked for."""

    def array(self, column: Column) -> pa.Array:
        """The value of a column as an array of one, in exactly the type that was written."""
        ...


@runtime_checkable
class SupportsLookup(Protocol):
    """A source that also finds a row by primary key, without a scan."""

    @property
    def table(self) -> TableSchema | None:
        """The table at the snapshot; None where rows cannot be found by key after all."""
        ...

    def find(self, key: Sequence[object], counters: ScanCounters) -> FoundRow | None:
        """The row with this key, given as Python values in the order of its columns; None when there is none."""
        ...
