"""The statistics of a pinned table, as rules use them: how its columns are clustered, and which chunks cannot matter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from luma_bench.storage.cutoff import cutoff
from luma_bench.storage.predicates import Test, Untranslatable, translate
from luma_bench.storage.prune import likely_share, may_hold
from luma_bench.storage.scan_pieces import Source
from luma_bench.storage.summary import summary_of, undecided_rows
from luma_bench.storage.zones import Zones, distinct_of
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID, TableSchema
from luma_bench.types.statistics import Matching, Skip, Skipped, Summary, Wanted

if TYPE_CHECKING:
    from luma_bench.storage.scan import TableScan

_WORTH_SKIPPING = 0.1
_SEGMENTS_TO_OPEN = 256
_READ_SHARE, _READ_CHUNKS = 0.125, 2


class TableStatistics:
    """`ScanStatistics` of a `TableScan`; thread-safe.

    Parameters
    ----------
    chunk_rows
        Rows of a full chunk.
    narrowed
        Gives the scan with further tests, by which chunks are skipped and no row is filtered.
    """

    def __init__(
        self,
        table: TableSchema,
        source: Source,
        chunk_rows: int,
        narrowed: Callable[[Sequence[Test], int], TableScan],
    ) -> None:
        self._table = table
        self._source = source
        self._chunk_rows = chunk_rows
        self._narrowed = narrowed
        self._lock = threading.Lock()
        self._overlaps: dict[str, float] = {}

    @property
    def table(self) -> TableSchema:
        """The table at the snapshot."""
        return self._table

    @property
    def chunks(self) -> int:
        """The number of row chunks, as if each but a segment's last were full."""
        return sum(-(-ref.rows // self._chunk_rows) for ref in self._source.segments if ref.live_rows)

    def overlap(self, column: str) -> float:
        """The share of the chunks that one value of the column may lie in, on average; see `ScanStatistics`."""
        with self._lock:
            held = self._overlaps.get(column)
        if held is None:
            held = self._overlap(column)
            with self._lock:
                self._overlaps[column] = held
        return held

    def share(self, predicates: Sequence[Predicate]) -> float | None:
        """The share of the rows that likely pass, by the bounds of whole segments."""
        try:
            tests = [translate(predicate, self._source.types) for predicate in predicates]
        except Untranslatable:
            return None
        source = self._source
        rows = np.array([ref.live_rows for ref in source.segments], float)
        if not rows.sum():
            return None
        passed = rows.copy()
        for test in tests:
            zones = source.segment_zones
            passed *= may_hold(test, zones) * likely_share(test, zones, self._distinct)
        return float(passed.sum() / rows.sum())

    def skipping(self, skips: Sequence[Skip], counters: ScanCounters) -> Skipped | None:
        """The scan without the chunks that cannot matter; None where less than a tenth of the rows can be left out."""
        source = self._source
        if not source.segments or len(source.segments) > _SEGMENTS_TO_OPEN:
            return None
        tests: list[Test] = []
        for skip in skips:
            test = self._test(skip, counters)
            if test is None:
                return None
            tests.append(test)
        total = left = chunks = chunks_left = 0
        kept = {ref.ulid for ref in source.survivors(tests)}
        for ref in source.segments:
            if not ref.live_rows:
                continue
            total += ref.rows
            if ref.ulid not in kept:
                chunks += -(-ref.rows // self._chunk_rows)
                continue
            segment = source.open(ref)
            found = source.pieces(segment, tests)
            left += sum(piece.rows for piece in found.pieces)
            chunks += segment.chunks
            chunks_left += segment.chunks - found.pruned
        if total - left < _WORTH_SKIPPING * total or left == total:
            return None
        tail = 0 if source.tail is None else source.tail.num_rows
        return Skipped(self._narrowed(tests, left + tail), total + tail, left + tail, chunks, chunks_left)

    def can_summarize(self, wanted: Sequence[Wanted], predicates: Sequence[Predicate], *, rows: bool) -> bool:
        """Whether few enough rows would have to be read."""
        tests = self._tests(predicates)
        if tests is None or len(self._source.segments) > _SEGMENTS_TO_OPEN:
            return False
        total = sum(ref.rows for ref in self._source.segments)
        budget = max(int(_READ_SHARE * total), _READ_CHUNKS * self._chunk_rows)
        return undecided_rows(self._source, self._table, wanted, tests, rows=rows) <= budget

    def summarize(
        self, wanted: Sequence[Wanted], predicates: Sequence[Predicate], counters: ScanCounters, *, rows: bool
    ) -> Summary | None:
        """What is wanted of the rows that pass; see `ScanStatistics`."""
        tests = self._tests(predicates)
        if tests is None:
            return None
        return summary_of(self._source, self._table, wanted, tests, counters, rows=rows)

    def _tests(self, predicates: Sequence[Predicate]) -> list[Test] | None:
        try:
            return [translate(predicate, self._source.types) for predicate in predicates]
        except Untranslatable:
            return None

    def _test(self, skip: Skip, counters: ScanCounters) -> Test | None:
        try:
            if isinstance(skip, Matching):
                return translate(skip.predicate, self._source.types)
            where = [translate(predicate, self._source.types) for predicate in skip.where]
        except Untranslatable:
            return None
        return cutoff(
            self._source,
            skip.column,
            where,
            skip.count,
            counters,
            descending=skip.descending,
            nulls_first=skip.nulls_first,
        )

    def _overlap(self, column: str) -> float:
        source = self._source
        live = [ref for ref in source.segments if ref.live_rows]
        if not live or len(live) > _SEGMENTS_TO_OPEN:
            return 1.0
        parts: list[Zones] = []
        for ref in live:
            ref.prefetch_index()
        for ref in live:
            zone = source.chunk_zones(source.open(ref))(column)
            if not zone.bounded or zone.open.any():
                return 1.0
            parts.append(zone)
        lows = np.concatenate([zone.low[zone.known] for zone in parts if zone.known.any()] or [np.zeros(0)])
        highs = np.concatenate([zone.high[zone.known] for zone in parts if zone.known.any()] or [np.zeros(0)])
        if not len(lows):
            return 1.0
        # Of the chunks, those that begin at or before a chunk's least value and have not ended before it hold it.
        begun = np.searchsorted(np.sort(lows), lows, "right")
        ended = np.searchsorted(np.sort(highs), lows, "left")
        return float((begun - ended).mean() / len(lows))

    def _distinct(self, name: str) -> int | None:
        """The largest dictionary that a segment has of a column; None where one has none."""
        column = self._table.column(name) if name != ROW_ID else None
        sizes = [
            None if column is None else distinct_of(stats, column.id) for stats in self._source.statistics
        ]
        known = [size for size in sizes if size is not None]
        return max(known) if known and len(known) == len(sizes) else None
