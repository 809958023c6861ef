"""A table's rows piece by piece: what zone maps leave, in stored order, read where a caller wants them and pooled."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.storage.predicates import Test, Untranslatable, translate
from luma_bench.storage.prune import may_hold
from luma_bench.storage.scan_pieces import Piece, Source, SourceColumn
from luma_bench.storage.scan_stream import fetch, key_of
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters, ScanPiece


class PieceReader:
    """The pieces of one pinned table; thread-safe.

    Parameters
    ----------
    source
        What the table's streams share.
    skips
        What leaves chunks out of every stream of the scan.
    """

    def __init__(self, source: Source, skips: Sequence[Test] = ()) -> None:
        self._source = source
        self._skips = tuple(skips)
        self._whole: dict[str, list[ScanPiece]] = {}
        self._refs = {ref.ulid: ref for ref in source.segments}
        # The tail grows from snapshot to snapshot: what is kept of it lives as long as this source does.
        self._tail: Hashable = object()

    def pieces(self, predicates: Sequence[Predicate], counters: ScanCounters | None) -> list[ScanPiece]:
        """What is left, in the order of a stream; see `SupportsPieces.pieces`."""
        source = self._source
        tests = [*self._skips, *self._tests(predicates)]
        survivors = source.survivors(tests)
        found: list[ScanPiece] = []
        pruned = 0
        for ref in survivors:
            if ref.ulid not in self._whole:
                ref.prefetch_index()
        for ref in survivors:
            pieces = self._pieces_of(ref)
            if not tests:
                found += pieces
                continue
            segment = source.open(ref)
            keep = np.ones(segment.chunks, bool)
            for test in tests:
                keep &= may_hold(test, source.chunk_zones(segment))
            # A piece has the same bounds whatever is asked, so that what is kept of it is found again.
            for piece in pieces:
                chunks = keep[_chunks(segment, piece.start, piece.rows)]
                if chunks.any():
                    found.append(piece)
                else:
                    pruned += len(chunks)
        tail = source.tail
        if tail is not None and tail.num_rows:
            found.append(ScanPiece("", self._tail, 0, tail.num_rows, tail.num_rows))
        if counters is not None:
            live = sum(1 for ref in source.segments if ref.live_rows)
            counters.add(segments_pruned=live - len(survivors), chunks_pruned=pruned)
        return found

    def _pieces_of(self, ref: SegmentRef) -> list[ScanPiece]:
        """All pieces of a segment; made once, and without holding its index."""
        held = self._whole.get(ref.ulid)
        if held is None:
            pieces = self._source.pieces(self._source.open(ref), ()).pieces
            held = self._whole[ref.ulid] = [_described(ref, piece) for piece in pieces]
        return held

    def live(self, piece: ScanPiece) -> np.ndarray | None:
        """Which stored rows of a piece are not deleted; None where none is."""
        if not piece.segment:
            return None
        return self._source.live(self._segment(piece), piece.start, piece.rows)

    def column_key(self, column: int) -> Hashable:
        """What names a column's values as they are streamed."""
        held = self._source.columns[column]
        return held.id, held.form

    def read(
        self,
        piece: ScanPiece,
        columns: Sequence[int],
        counters: ScanCounters,
        first: int,
        rows: int | None,
        *,
        deleted: bool,
    ) -> pa.RecordBatch:
        """Stored rows of a piece; see `SupportsPieces.read_piece`."""
        last = piece.rows if rows is None else min(piece.rows, first + rows)
        if not 0 <= first <= last:
            raise ValueError(f"rows {first} to {last} of a piece of {piece.rows}")
        wanted = [self._source.columns[index] for index in columns]
        if piece.segment:
            arrays, count, nbytes, chunks = self._stored(piece, wanted, first, last, deleted=deleted)
        else:
            tail = self._source.tail
            assert tail is not None
            arrays = [tail.column(index).slice(first, last - first) for index in columns]
            count, nbytes, chunks = last - first, 0, 0
        counters.add(rows=last - first, nbytes=nbytes, chunks=chunks)
        schema = pa.schema([self._source.schema.field(index).remove_metadata() for index in columns])
        if not arrays:
            return pa.RecordBatch.from_struct_array(pa.Array.from_buffers(pa.struct([]), count, [None]))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _stored(
        self, piece: ScanPiece, wanted: Sequence[SourceColumn], first: int, last: int, *, deleted: bool
    ) -> tuple[list[pa.Array], int, int, int]:
        """Arrays of some stored rows, how many rows they have, the bytes read and the chunks they lie in."""
        segment = self._segment(piece)
        whole, narrow = self._bounds(segment, piece, first, last)
        arrays: list[pa.Array] = []
        nbytes = 0
        missing = [column.id for column in wanted if not self._pooled(whole, column)]
        segment.prefetch(missing, narrow.first, narrow.count)
        for column in wanted:
            held = whole if self._pooled(whole, column) else narrow
            array, read = fetch(self._source, held, column)
            nbytes += read
            arrays.append(array.slice(piece.start + first - held.start, last - first))
        count = last - first
        keep = None if deleted else self._source.live(segment, piece.start + first, count)
        if keep is not None:
            mask = pa.array(keep)
            arrays = [array.filter(mask) for array in arrays]
            count = int(np.count_nonzero(keep))
        return arrays, count, nbytes, narrow.count

    def _bounds(self, segment: Segment, piece: ScanPiece, first: int, last: int) -> tuple[Piece, Piece]:
        """The piece as streams decode it, and the chunks of it in which the rows lie."""
        size = segment.chunk_rows
        own = _chunks(segment, piece.start, piece.rows)
        begin, end = own.start, own.stop
        whole = Piece(segment, begin, end - begin, piece.start, piece.rows)
        low = min((piece.start + first) // size, end - 1)
        high = max(low + 1, -(-(piece.start + last) // size))
        start = low * size
        narrow = Piece(segment, low, high - low, start, min((high - low) * size, segment.rows - start))
        return whole, narrow

    def _pooled(self, piece: Piece, column: SourceColumn) -> bool:
        return column.column is not None and self._source.pool.peek(key_of(piece, column)) is not None

    def _segment(self, piece: ScanPiece) -> Segment:
        return self._source.open(self._refs[piece.segment])

    def _tests(self, predicates: Sequence[Predicate]) -> list[Test]:
        found: list[Test] = []
        for predicate in predicates:
            try:
                found.append(translate(predicate, self._source.types))
            except Untranslatable:
                continue  # it prunes nothing, and filters nothing here anyway
        return found


def _chunks(segment: Segment, start: int, rows: int) -> slice:
    """The chunks in which rows of a segment lie."""
    size = segment.chunk_rows
    return slice(start // size, -(-(start + rows) // size))


def _described(ref: SegmentRef, piece: Piece) -> ScanPiece:
    live = piece.rows
    if ref.deleted is not None:
        low, high = np.searchsorted(ref.deleted, (piece.start, piece.start + piece.rows))
        live -= int(high - low)
    return ScanPiece(ref.ulid, None, piece.start, piece.rows, live)
