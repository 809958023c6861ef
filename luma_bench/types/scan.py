"""How an engine reads a table: the scan source protocol, and the counters a scan fills in.

A source is pinned: its segments are fixed before execution, and every stream of it reads the same rows.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
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


@dataclass(frozen=True, slots=True)
class ScanPiece:
    """Adjoining rows that a source keeps together, and that never change but that some are deleted.

    What is computed from the stored rows of a piece may be kept under `key`, and holds for every later snapshot that has it.

    Attributes
    ----------
    segment
        The ulid of the segment; empty for the inline tail.
    identity
        What else names the stored rows for good.
    start
        The place of its first row in the segment; 0 for the tail.
    rows, live_rows
        The rows that are stored, and those of them that are not deleted at the snapshot.
    """

    segment: str
    identity: Hashable
    start: int
    rows: int
    live_rows: int

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What names the stored rows for good."""
        return self.segment, self.identity, self.start, self.rows


@runtime_checkable
class SupportsPieces(Protocol):
    """A source that also gives its rows piece by piece, so that a reader may take those of one place without the others."""

    def pieces(
        self, predicates: Sequence[Predicate] = (), counters: ScanCounters | None = None
    ) -> Sequence[ScanPiece] | None:
        """The pieces in the order of a stream; None where the source has none after all.

        Pieces whose zone maps prove that no row has every predicate TRUE are left out, and counted as pruned; nothing is
        filtered in the others, and predicates that zone maps cannot tell of leave out nothing.
        """
        ...

    def live(self, piece: ScanPiece) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Which of the stored rows of a piece are not deleted; None where none is."""
        ...

    def column_key(self, column: int) -> Hashable:
        """What names the values of a column (declared index) in the form that is streamed, over snapshots and renames."""
        ...

    def read_piece(
        self,
        piece: ScanPiece,
        columns: Sequence[int],
        counters: ScanCounters,
        first: int = 0,
        rows: int | None = None,
        *,
        deleted: bool = False,
    ) -> pa.RecordBatch:
        """Stored rows of a piece, from its row `first` on, without those that are deleted.

        Parameters
        ----------
        columns
            Declared indexes, in the order wanted; the types are exactly those of a stream.
        rows
            How many stored rows; None for all that follow.
        deleted
            Give the deleted rows too: one row for each stored one.

        Raises
        ------
        CorruptionError
            Bytes on disk are not those that were written.
        """
        ...


class ScanPart(Protocol):
    """Some rows of a table at one snapshot, in a form that another process can read: it survives pickling.

    Every row of the table is in exactly one part of a split. Reading needs the segments' files (or their object store) and
    nothing else: no catalog.
    """

    @property
    def rows(self) -> int:
        """The rows that it has, deleted ones not counted."""
        ...

    @property
    def nbytes(self) -> int:
        """About what the asked columns of it take when they are decoded."""
        ...

    def open(self) -> ScanSource:
        """The rows as a source, in this process; sources of one process share a buffer pool."""
        ...


@runtime_checkable
class SupportsRead(Protocol):
    """A source that also gives its rows in exactly the types that were written."""

    def read(self, columns: Sequence[str] | None = None, counters: ScanCounters | None = None) -> pa.Table:
        """Columns by name, `_rowid` among them if asked for; None for all of the table's."""
        ...


@runtime_checkable
class SupportsSplit(Protocol):
    """A source that can be read in parts elsewhere."""

    def split(
        self,
        parts: int,
        columns: Sequence[int] | None = None,
        predicates: Sequence[Predicate] = (),
        counters: ScanCounters | None = None,
    ) -> Sequence[ScanPart] | None:
        """The table in at most `parts` parts of about equal size; None where the source cannot be read elsewhere.

        Segments and chunks whose zone maps prove that no row has every predicate TRUE are left out and counted as pruned;
        nothing is filtered in the others. An empty table, or one where nothing is left, gives no parts.
        """
        ...

    @property
    def undivided(self) -> str | None:
        """Why `split` gives None, in words that follow a table's name; None where it gives parts."""
        ...
