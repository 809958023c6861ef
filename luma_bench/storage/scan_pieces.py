"""What the streams of one table share: its open segments, its zone maps, and the pieces that are left after pruning."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.evolve_zones import zones_as
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.predicates import Test
from luma_bench.storage.prune import likely_share, may_hold
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.statistics import from_bytes
from luma_bench.storage.zones import Zones, distinct_of
from luma_bench.types.schema import Column

_WORTH_SKIPPING = 0.2
_WORTH_SKIPPING_ROWS = 1 << 15
# An engine that hands a predicate over plans as if all rows came: on a small table that costs more (TPC-H q21 took three
# times as long with a predicate on `nation` taken) than skipping it could save.
_SEGMENTS_TO_OPEN = 64


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column of a stream: its permanent id (None for `_rowid`), its type, and the form's name for pool keys.

    `column` is the table's own, which knows its type and its value in segments that are older; None for `_rowid`.
    """

    name: str
    id: int | None
    type: pa.DataType
    form: str
    column: Column | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Adjacent row chunks of one segment that become one batch."""

    segment: Segment
    first: int
    count: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is left of one segment, and how many chunks were pruned."""

    pieces: list[Piece]
    pruned: int


class Source:
    """The pinned parts of a table scan. Filled by `TableScan`, then only read."""

    columns: tuple[SourceColumn, ...]
    schema: pa.Schema
    types: dict[str, pa.DataType]

    def __init__(self, name: str, segments: Sequence[SegmentRef], pool: BufferPool) -> None:
        self.name = name
        self.segments = tuple(segments)
        self.pool = pool
        self.tail: pa.RecordBatch | None = None
        self._zones: dict[int, Zones] = {}
        self._lock = threading.Lock()

    @functools.cached_property
    def statistics(self) -> list[pa.RecordBatch]:
        """The zone map of each segment, of one row."""
        for ref in self.segments:
            if ref.stats is None:
                ref.prefetch_index()
        return [self._statistics(ref) for ref in self.segments]

    def open(self, ref: SegmentRef) -> Segment:
        """The segment, its index from the pool when it was read before."""
        return ref.opened(self.pool)

    def survivors(self, tests: Sequence[Test]) -> list[SegmentRef]:
        """The segments whose statistics leave room for a TRUE row."""
        if not self.segments:
            return []
        keep = np.array([ref.live_rows > 0 for ref in self.segments])
        for test in tests:
            keep &= may_hold(test, self.segment_zones)
        return [ref for ref, kept in zip(self.segments, keep, strict=True) if kept]

    def pieces(self, segment: Segment, tests: Sequence[Test]) -> Pieces:
        """What is left of a segment after its zone maps; adjacent small chunks together, where none of them is pruned."""
        chunks = segment.chunks
        keep = np.ones(chunks, bool)
        for test in tests:
            keep &= may_hold(test, self.chunk_zones(segment))
        group = segment.index.batch_chunks
        found: list[Piece] = []
        # A range of a segment has the pieces that the whole one has, but for those that it cuts.
        for begin in range(-(segment.base % group), chunks, group):
            first = max(0, begin)
            count = min(begin + group, chunks) - first
            if keep[first : first + count].all():
                found.append(self._piece(segment, first, count))
            else:
                found += [
                    self._piece(segment, first + i, 1)
                    for i in np.flatnonzero(keep[first : first + count]).tolist()
                ]
        return Pieces(found, chunks - int(keep.sum()))

    def live(self, segment: Segment, start: int, rows: int) -> np.ndarray | None:
        """The boolean mask of the rows from `start` on that are not deleted, or None when none is."""
        deleted = segment.ref.deleted
        if deleted is None:
            return None
        low, high = np.searchsorted(deleted, (start, start + rows))
        if low == high:
            return None
        keep = np.ones(rows, bool)
        keep[deleted[low:high] - start] = False
        return keep

    def worthwhile(self, test: Test) -> bool:
        """Whether a fifth of the rows, and enough of them, need not be decoded when this test is applied here."""
        total = sum(ref.rows for ref in self.segments)
        enough = min((1 - _WORTH_SKIPPING) * total, total - _WORTH_SKIPPING_ROWS)
        if enough < 0:
            return False
        left = self.survivors([test])
        if sum(ref.rows for ref in left) <= enough:
            return True
        if len(left) > _SEGMENTS_TO_OPEN:
            return False
        needed = 0.0
        for ref in left:
            ref.prefetch_index()
        for ref in left:
            segment = self.open(ref)
            zones = self.chunk_zones(segment)
            rows = np.full(segment.chunks, segment.chunk_rows, float)
            rows[-1] = segment.rows_of(segment.chunks - 1)
            share = likely_share(test, zones, self._distinct(segment))
            # A chunk without a match costs only the predicate's column.
            needed += float((rows * may_hold(test, zones) * -np.expm1(-share * rows)).sum())
        return needed <= enough

    def _piece(self, segment: Segment, first: int, count: int) -> Piece:
        start = first * segment.chunk_rows
        return Piece(segment, first, count, start, min(count * segment.chunk_rows, segment.rows - start))

    def _statistics(self, ref: SegmentRef) -> pa.RecordBatch:
        """A segment's zone map; where the catalog has none, its chunks stand for it."""
        if ref.stats is None:
            return self.open(ref).statistics()
        try:
            return from_bytes(ref.stats)
        except (pa.ArrowInvalid, OSError, StopIteration) as error:
            raise CorruptionError.file_of(
                ref.ulid, f"its statistics in the catalog are no Arrow data: {error}"
            ) from error

    def _named(self, name: str) -> SourceColumn:
        return next(column for column in self.columns if column.name == name)

    def segment_zones(self, name: str) -> Zones:
        """The zone map of a column over whole segments."""
        column = self._named(name).column
        if column is None:
            return _row_id_zones(
                [ref.first_row_id for ref in self.segments], [ref.rows for ref in self.segments]
            )
        with self._lock:
            held = self._zones.get(column.id)
            if held is None:
                held = self._zones[column.id] = zones_as(self.statistics, column)
            return held

    def chunk_zones(self, segment: Segment) -> Callable[[str], Zones]:
        """The zone maps of columns over the row chunks of a segment."""

        def zones(name: str) -> Zones:
            found = self._named(name)
            if found.column is not None:
                return segment.zones_as(found.column, found.form)
            first = segment.ref.first_row_id
            starts = [
                None if first is None else first + i * segment.chunk_rows for i in range(segment.chunks)
            ]
            return _row_id_zones(starts, [segment.rows_of(i) for i in range(segment.chunks)])

        return zones

    def _distinct(self, segment: Segment) -> Callable[[str], int | None]:
        def distinct(name: str) -> int | None:
            column_id = self._named(name).id
            return None if column_id is None else distinct_of(segment.index.zones, column_id)

        return distinct


def _row_id_zones(starts: Sequence[int | None], rows: Sequence[int]) -> Zones:
    """The zone map of row ids: contiguous ranges; without bounds where any segment stores its ids."""
    count = np.array(rows, np.int64)
    none = np.zeros(len(count), bool)
    low = np.array([start or 0 for start in starts], np.int64)
    bounded = all(start is not None for start in starts)
    return Zones(low, low + count - 1, count > 0, none, np.zeros(len(count), np.int64), count, none, bounded)
