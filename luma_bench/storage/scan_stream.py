"""One stream over a table: pieces are decoded ahead of the reader on the pool's threads, in order, in a bounded window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.filter import mask_of
from luma_bench.storage.predicates import Test, columns_in
from luma_bench.storage.scan_pieces import Piece, Source, SourceColumn
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.segment_layout import BATCH_ROWS
from luma_bench.types import arrays
from luma_bench.types.scan import ScanCounters

_OPENED_AHEAD = 8


def stream_of(
    source: Source,
    columns: Sequence[SourceColumn],
    tests: Sequence[Test],
    counters: ScanCounters,
    skips: Sequence[Test] = (),
) -> pa.RecordBatchReader:
    """The rows of `columns` where every test is TRUE; by `skips` chunks are left out and no row is filtered.

    A stream whose chunks all lie in the pool is handed over whole, so that no Python runs while the engine reads.
    """
    schema = pa.schema([pa.field(column.name, column.type, column.id is not None) for column in columns])
    stream = _Stream(source, columns, tests, counters, schema, skips)
    ready = stream.hot() if not tests else None
    return pa.RecordBatchReader.from_batches(schema, stream.batches() if ready is None else ready)


class _Stream:
    def __init__(
        self,
        source: Source,
        columns: Sequence[SourceColumn],
        tests: Sequence[Test],
        counters: ScanCounters,
        schema: pa.Schema,
        skips: Sequence[Test] = (),
    ) -> None:
        self._source = source
        # What leaves chunks out; of these, the tests filter rows too.
        self._pruning = [*tests, *skips]
        self._columns = columns
        self._tests = tests
        self._counters = counters
        self._schema = schema
        tested = {name for test in tests for name in columns_in(test)}
        self._tested = [column for column in source.columns if column.name in tested]

    def hot(self) -> list[pa.RecordBatch] | None:
        """Every batch, when the pool holds all that they need and no row is deleted; else None."""
        source, pool = self._source, self._source.pool
        if self._pruning or any(ref.deleted is not None for ref in source.segments):
            return None
        indexes = pool.peek_all([ref.index_key for ref in source.segments])
        if indexes is None:
            return None
        # A transaction read it under row ids of its own; a commit gave it others.
        indexes = [
            held if held.ref is ref else held.at(ref)
            for held, ref in zip(indexes, source.segments, strict=True)
        ]
        stored = [column for column in self._columns if column.id is not None]
        pieces: list[Piece] = [piece for segment in indexes for piece in source.pieces(segment, ()).pieces]
        arrays = pool.peek_all([key_of(piece, column) for piece in pieces for column in stored])
        if arrays is None or (
            len(stored) < len(self._columns) and any(segment.ref.first_row_id is None for segment in indexes)
        ):
            return None
        batches: list[pa.RecordBatch] = []
        held = iter(arrays)
        for piece in pieces:
            values = [next(held) if column.id is not None else _row_ids(piece)[0] for column in self._columns]
            batches.append(self._batch(values, piece.rows))
        self._counters.add(
            rows=sum(piece.rows for piece in pieces),
            segments=sum(segment.ref.counted for segment in indexes),
            chunks=sum(piece.count for piece in pieces),
        )
        return batches + self._tail_batches()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches in order; closing the iterator cancels what was not begun."""
        window: deque[Future[list[pa.RecordBatch]]] = deque()
        pool = self._source.pool
        depth = pool.threads + 2
        try:
            for task in self._tasks():
                window.append(pool.submit(task))
                if len(window) >= depth:
                    yield from pool.result(window.popleft())
            while window:
                yield from pool.result(window.popleft())
            yield from self._tail_batches()
        finally:
            for future in window:
                future.cancel()

    def _tasks(self) -> Iterator[Any]:
        source = self._source
        survivors = source.survivors(self._pruning)
        self._counters.add(
            segments_pruned=sum(ref.counted for ref in source.segments if ref.live_rows)
            - sum(ref.counted for ref in survivors)
        )
        opening: Future[Any] | None = None
        numbers = not self._pruning and all(column.id is None for column in self._columns)
        for i, ref in enumerate(survivors):
            if numbers and ref.deleted is None and ref.first_row_id is not None:
                self._counters.add(segments=ref.counted)
                yield lambda ref=ref: self._numbered(ref, ref.first_row_id or 0)
                opening = None
                continue
            segment = source.open(ref) if opening is None else source.pool.result(opening)
            opening = (
                source.pool.submit(_opener(source, survivors[i + 1])) if i + 1 < len(survivors) else None
            )
            left = source.pieces(segment, self._pruning)
            used = ref.counted if left.pieces else 0
            self._counters.add(segments=used, segments_pruned=ref.counted - used, chunks_pruned=left.pruned)
            for ahead in survivors[i + 1 : i + 1 + _OPENED_AHEAD]:
                ahead.prefetch_index()
            # Without a test every column will be read; with one, the others only where rows are left.
            ids = [column.id for column in (self._tested if self._tests else self._columns)]
            for piece in left.pieces:
                segment.prefetch(ids, piece.first, piece.count)
                yield lambda piece=piece: self._decoded(piece)

    def _decoded(self, piece: Piece) -> list[pa.RecordBatch]:
        """The batch of a piece: the tested columns first, the others only where rows are left."""
        found: dict[str, pa.Array] = {}
        keep = self._source.live(piece.segment, piece.start, piece.rows)
        mask = None if keep is None else arrays.mask(keep)
        nbytes = 0
        for column in self._tested:
            found[column.name], read = fetch(self._source, piece, column)
            nbytes += read
        left = piece.rows if mask is None else mask.true_count
        for test in self._tests:
            passed = mask_of(test, found)
            mask = passed if mask is None else pc.and_(mask, passed)
            left = mask.true_count
            if not left:
                break
        if left:
            if self._tests:
                ids = [column.id for column in self._columns if column.name not in found]
                piece.segment.prefetch(ids, piece.first, piece.count)
            for column in self._columns:
                if column.name not in found:
                    found[column.name], read = fetch(self._source, piece, column)
                    nbytes += read
        self._counters.add(rows=piece.rows, nbytes=nbytes, chunks=piece.count)
        if not left:
            return []
        values = [found[column.name] for column in self._columns]
        if mask is not None and left < piece.rows:
            values = _kept(values, mask, left)
        return [self._batch(values, left)]

    def _numbered(self, ref: SegmentRef, first: int) -> list[pa.RecordBatch]:
        """The batches of a segment of which only the row ids are wanted, without a look at the file: `count(*)`."""
        self._counters.add(rows=ref.rows)
        starts = range(0, ref.rows, BATCH_ROWS)
        counts = [min(BATCH_ROWS, ref.rows - start) for start in starts]
        return [
            self._batch([_numbers(first + start, rows) for _ in self._columns], rows)
            for start, rows in zip(starts, counts, strict=True)
        ]

    def _tail_batches(self) -> list[pa.RecordBatch]:
        tail = self._source.tail
        if tail is None or not tail.num_rows:
            return []
        self._counters.add(rows=tail.num_rows)
        mask: pa.BooleanArray | None = None
        for test in self._tests:
            found = mask_of(test, {column.name: tail.column(column.name) for column in self._tested})
            mask = found if mask is None else pc.and_(mask, found)
        rows = tail.num_rows if mask is None else mask.true_count
        if not rows:
            return []
        values = [tail.column(column.name) for column in self._columns]
        return [
            self._batch(
                values if mask is None or rows == tail.num_rows else [value.filter(mask) for value in values],
                rows,
            )
        ]

    def _batch(self, values: list[pa.Array], rows: int) -> pa.RecordBatch:
        if not values:
            return pa.RecordBatch.from_struct_array(pa.Array.from_buffers(pa.struct([]), rows, [None]))
        return pa.RecordBatch.from_arrays(values, schema=self._schema)


def _kept(values: list[pa.Array], mask: pa.BooleanArray, left: int) -> list[pa.Array]:
    """The rows where the mask is TRUE; without a copy where they adjoin each other, as a range of sorted values does."""
    chosen = arrays.flags(mask)
    if mask.null_count:
        chosen = chosen & arrays.flags(mask.is_valid())
    first = int(chosen.argmax())
    if chosen[first : first + left].all():
        return [value.slice(first, left) for value in values]
    return [value.filter(mask) for value in values]


def _opener(source: Source, ref: SegmentRef) -> Any:
    return lambda: source.open(ref)


def key_of(piece: Piece, column: SourceColumn) -> tuple[Any, ...]:
    """The pool's key of a decoded piece of a column."""
    segment = piece.segment
    return (segment.ref.ulid, column.id, segment.base + piece.first, piece.count, column.form)


def fetch(source: Source, piece: Piece, column: SourceColumn) -> tuple[pa.Array, int]:
    """A piece of a column from the pool or from the file, and the bytes that were read."""
    if column.column is None:
        return _row_ids(piece)
    held, read = column.column, 0

    def load() -> tuple[pa.Array, int]:
        nonlocal read
        parts: list[pa.Array] = []
        for chunk in range(piece.first, piece.first + piece.count):
            array, nbytes = piece.segment.read_counted(held.id, chunk, column.type, source.pool, held.initial)
            parts.append(array)
            read += nbytes
        array = parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
        return array, array.indices.nbytes if pa.types.is_dictionary(array.type) else array.nbytes

    return source.pool.get(key_of(piece, column), load), read


def _numbers(start: int, rows: int) -> pa.Array:
    buffer = pa.allocate_buffer(8 * rows)
    np.frombuffer(buffer, np.int64)[:] = np.arange(start, start + rows)
    return pa.Array.from_buffers(pa.int64(), rows, [None, buffer])


def _row_ids(piece: Piece) -> tuple[pa.Array, int]:
    first = piece.segment.ref.first_row_id
    if first is not None:
        return _numbers(first + piece.start, piece.rows), 0
    parts = [piece.segment.row_ids(chunk) for chunk in range(piece.first, piece.first + piece.count)]
    return pa.concat_arrays([part[0] for part in parts]), sum(part[1] for part in parts)
