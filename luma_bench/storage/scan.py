"""A table at one snapshot as an engine reads it: pruned by statistics, filtered exactly, decoded ahead on threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import SchemaError
from luma_bench.storage import tail
from luma_bench.storage.columns import is_text, stream_type
from luma_bench.storage.columns_dictionary import narrowed
from luma_bench.storage.evolve_values import form_of
from luma_bench.storage.evolve_zones import holds
from luma_bench.storage.lookup import KeyLookup
from luma_bench.storage.piece_reader import PieceReader
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.predicates import Test, Untranslatable, translate
from luma_bench.storage.scan_pieces import Source, SourceColumn
from luma_bench.storage.scan_statistics import TableStatistics
from luma_bench.storage.scan_stream import stream_of
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.storage.zones import Zones, distinct_of
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import FoundRow, ScanCounters, ScanPiece
from luma_bench.types.schema import ROW_ID, SQL_TYPE, Column, TableSchema

if TYPE_CHECKING:
    from luma_bench.storage.parts import TablePart

__all__ = ["InlineBlob", "TableScan"]


class TableScan:
    """A `ScanSource` over the segments and the inline tail of a table; immutable, thread-safe, cheap to make.

    Parameters
    ----------
    schema
        The table at the snapshot.
    segments, inline
        Its rows, in catalog order: segments first, then the tail.
    pool
        The bench's buffer pool; it also owns the decoding threads.
    settings
        The bench's settings.
    kinds
        The types in which the columns are streamed; None to find them from these segments.
    draft
        Whether rows are among them that no snapshot has.
    """

    def __init__(
        self,
        schema: TableSchema,
        segments: Sequence[SegmentRef],
        inline: Sequence[InlineBlob],
        pool: BufferPool,
        settings: Settings,
        *,
        kinds: Sequence[pa.DataType] | None = None,
        draft: bool = False,
    ) -> None:
        self._table = schema
        self._segments = tuple(segments)
        self._inline = tuple(inline)
        self._pool = pool
        self._settings = settings
        self._kinds = kinds
        self._draft = draft
        self._lock = threading.Lock()
        self._source: Source | None = None
        self._lookup: KeyLookup | None = None
        self._reader: PieceReader | None = None
        self._statistics: TableStatistics | None = None
        self._skips: tuple[Test, ...] = ()
        self._rows = sum(part.live_rows for part in (*self._segments, *self._inline))

    @property
    def name(self) -> str:
        """The table's name."""
        return self._table.name

    @property
    def table(self) -> TableSchema:
        """The table at the snapshot."""
        return self._table

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the columns in the types that streams yield: see `columns.stream_type`.

        A string column is a dictionary where every segment of the table stores it so.
        """
        return self._prepared().schema

    def rows(self) -> int:
        """The number of rows."""
        return self._rows

    def accepts(self, predicate: Predicate) -> bool:
        """Whether to apply `predicate` here: it must be exact, and it must save work.

        An engine filters by itself, on all its threads and without a copy. So a predicate is taken only when at least a
        fifth of the rows lie in chunks that need not be decoded at all, by zone maps or because so few rows match.
        """
        source = self._prepared()
        try:
            test = translate(predicate, source.types)
        except Untranslatable:
            return False
        return source.worthwhile(test)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns` where every predicate is TRUE; see `ScanSource.stream`.

        Raises
        ------
        CorruptionError
            While reading: bytes on disk are not those that were written.
        """
        source = self._prepared()
        tests: list[Test] = []
        for predicate in predicates:
            try:
                tests.append(translate(predicate, source.types))
            except Untranslatable as error:
                raise SchemaError(
                    f"Table {self.name!r} cannot apply the predicate {predicate!r}: {error}.",
                    hint="Offer it to accepts() first.",
                ) from error
        wanted = range(len(source.columns)) if columns is None else columns
        return stream_of(source, [source.columns[i] for i in wanted], tests, counters, self._skips)

    @property
    def statistics(self) -> TableStatistics:
        """What zone maps prove about the table; made at first use, then kept."""
        source = self._prepared()
        with self._lock:
            if self._statistics is None:
                keyed = bool(self._table.settings.primary_key)
                rows = self._settings.key_chunk_rows if keyed else self._settings.chunk_rows
                self._statistics = TableStatistics(self._table, source, rows, self._narrowed)
            return self._statistics

    def _narrowed(self, skips: Sequence[Test], rows: int) -> TableScan:
        """The same scan with chunks left out; `rows` are those that remain."""
        made = copy.copy(self)
        made._skips = (*self._skips, *skips)
        made._rows = rows
        made._statistics = None
        made._reader = None
        return made

    def pieces(
        self, predicates: Sequence[Predicate] = (), counters: ScanCounters | None = None
    ) -> Sequence[ScanPiece]:
        """The pieces that zone maps leave, in the order of a stream; see `SupportsPieces.pieces`."""
        return self._pieces().pieces(predicates, counters)

    def live(self, piece: ScanPiece) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Which of the stored rows of a piece are not deleted; None where none is."""
        return self._pieces().live(piece)

    def column_key(self, column: int) -> Hashable:
        """What names the values of a column in the form that is streamed."""
        return self._pieces().column_key(column)

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
        """Stored rows of a piece, without those that are deleted; see `SupportsPieces.read_piece`."""
        return self._pieces().read(piece, columns, counters, first, rows, deleted=deleted)

    def split(
        self,
        parts: int,
        columns: Sequence[int] | None = None,
        predicates: Sequence[Predicate] = (),
        counters: ScanCounters | None = None,
    ) -> Sequence[TablePart] | None:
        """The table in parts that another process can read; see `SupportsSplit.split`.

        Raises
        ------
        CorruptionError
            The index of a segment that is split or pruned is not what was written.
        """
        from luma_bench.storage.parts_split import Splitter

        if self.undivided is not None:
            return None
        held = self._prepared()
        found = Splitter(self._table, held, self._inline, self._settings, self._skips)
        return found.parts(parts, columns, predicates, counters)

    @property
    def undivided(self) -> str | None:
        """Why `split` gives None; None where it gives parts."""
        return "the open transaction has rows of it that are not committed" if self._draft else None

    def _pieces(self) -> PieceReader:
        source = self._prepared()
        with self._lock:
            if self._reader is None:
                self._reader = PieceReader(source, self._skips)
            return self._reader

    def segment_zones(self, column: str) -> Zones:
        """The zone map of a column over the scan's segments, in the order that they were given."""
        return self._prepared().segment_zones(column)

    def read(self, columns: Sequence[str] | None = None, counters: ScanCounters | None = None) -> pa.Table:
        """Rows in exactly the Arrow types that were written, without SQL.

        Parameters
        ----------
        columns
            Names in the order wanted, `_rowid` among them if asked for; None for all of the table's.
        counters
            Where the rows, bytes, segments and chunks that this read takes are added, as a stream does.

        Raises
        ------
        SchemaError
            There is no such column.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        source = self._prepared()
        names = self._table.names if columns is None else tuple(columns)
        fields = [
            pa.field(ROW_ID, pa.int64(), False) if name == ROW_ID else self._table.column(name).field
            for name in names
        ]
        counted = ScanCounters() if counters is None else counters
        live = [ref for ref in source.segments if ref.live_rows]
        work = [[self._pool.submit(self._job(source, ref, field)) for field in fields] for ref in live]
        parts: list[list[pa.Array]] = [[] for _ in fields]
        try:
            for ref, futures in zip(live, work, strict=True):
                for i, future in enumerate(futures):
                    arrays, nbytes = self._pool.result(future)
                    parts[i] += arrays
                    counted.add(nbytes=nbytes)
                counted.add(rows=ref.rows, segments=ref.counted, chunks=source.open(ref).chunks)
        finally:
            # After a failure nobody waits for the rest; what is done cannot be cancelled.
            for futures in work:
                for future in futures:
                    future.cancel()
        counted.add(rows=sum(blob.live_rows for blob in self._inline))
        for i, field in enumerate(fields):
            if self._inline:
                held = (
                    tail.row_ids(self._inline)
                    if field.name == ROW_ID
                    else tail.exact(self._inline, self._table.column(field.name))
                )
                parts[i] += held.chunks if isinstance(held, pa.ChunkedArray) else [held]
        arrays = [pa.chunked_array(part, field.type) for part, field in zip(parts, fields, strict=True)]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def find(self, key: Sequence[object], counters: ScanCounters) -> FoundRow | None:
        """The row with this primary key; see `KeyLookup.get`."""
        return self.lookup().find(key, counters)

    def lookup(self) -> KeyLookup:
        """Rows of this table and snapshot by primary key; made at first use, then kept.

        Raises
        ------
        CatalogError
            The table has no primary key.
        """
        with self._lock:
            if self._lookup is None:
                self._lookup = KeyLookup(self._table, self._segments, self._inline, self._pool)
            return self._lookup

    def _job(
        self, source: Source, ref: SegmentRef, field: pa.Field
    ) -> Callable[[], tuple[list[pa.Array], int]]:
        return lambda: self._exact(source, ref, field)

    def _exact(self, source: Source, ref: SegmentRef, field: pa.Field) -> tuple[list[pa.Array], int]:
        """One column of one segment in its written type, only rows that live; and the bytes read."""
        segment = source.open(ref)
        column_id = None if field.name == ROW_ID else self._table.column(field.name).id
        segment.prefetch([column_id], 0, segment.chunks)
        parts: list[pa.Array] = []
        total = 0
        for chunk in range(segment.chunks):
            if field.name == ROW_ID:
                array, nbytes = segment.row_ids(chunk)
            else:
                column = self._table.column(field.name)
                array, nbytes = segment.read_counted(column.id, chunk, field.type, self._pool, column.initial)
            total += nbytes
            keep = source.live(segment, chunk * segment.chunk_rows, len(array))
            held = array if keep is None else tail.filtered(array, pa.array(keep))
            for part in held.chunks if isinstance(held, pa.ChunkedArray) else [held]:
                parts += [part] if part.type == field.type else narrowed(part, field.type)
        return parts, total

    def _prepared(self) -> Source:
        """What streams share, made at first use: reading the statistics and the tail takes a moment."""
        with self._lock:
            if self._source is None:
                self._source = self._prepare()
            return self._source

    def _prepare(self) -> Source:
        source = Source(self._table.name, self._segments, self._pool)
        columns = [SourceColumn(ROW_ID, None, pa.int64(), "")]
        batch: list[pa.Array] = [tail.row_ids(self._inline)]
        for at, column in enumerate(self._table.columns):
            data = tail.exact(self._inline, column) if self._inline else None
            kind = self._form(source, column, data) if self._kinds is None else self._kinds[at]
            columns.append(SourceColumn(column.name, column.id, kind, form_of(column, kind), column))
            if data is not None:
                batch.append(tail.streamed(data, kind))
        source.columns = tuple(columns)
        kinds = {
            column.name: {SQL_TYPE: column.sql_type} for column in self._table.columns if column.sql_type
        }
        source.schema = pa.schema(
            [pa.field(one.name, one.type, one.id is not None, kinds.get(one.name)) for one in columns]
        )
        source.types = {one.name: one.type for one in columns}
        if self._inline:
            source.tail = pa.RecordBatch.from_arrays(batch, schema=source.schema)
        return source

    def _form(self, source: Source, column: Column, data: pa.ChunkedArray | None) -> pa.DataType:
        """The type in which a column is streamed."""
        streamed = stream_type(column.type)
        coded = is_text(streamed) or pa.types.is_dictionary(streamed)
        series = pa.types.is_integer(streamed) and column.name in self._table.settings.series_key
        if not coded and not series:
            return streamed
        sizes = [distinct_of(stats, column.id) for stats in source.statistics if holds(stats, column.id)]
        if len(sizes) < len(source.statistics) and column.initial is not None:
            sizes.append(1)
        if not sizes or any(size is None for size in sizes):
            # A dictionary written as such is one in every segment; without segments its codes stay wide.
            return streamed
        largest = max(size or 0 for size in sizes)
        if data is not None and len(data):
            largest = max(largest, len(data))
        index = pa.uint8() if largest <= 256 else pa.uint16() if largest <= 65_536 else pa.int32()
        return pa.dictionary(index, streamed.value_type if pa.types.is_dictionary(streamed) else streamed)
