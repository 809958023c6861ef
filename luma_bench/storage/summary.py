"""Counts and bounds of a table's rows from zone maps: exact, reading only the chunks that the statistics leave open.

A chunk is settled where its zone map proves that every row or no row takes part, where no deleted row could change
what is asked of it, and where its bounds are values and not roundings of values. Every other chunk is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.certain import all_true
from luma_bench.storage.columns import is_text, is_unicode
from luma_bench.storage.filter import mask_of
from luma_bench.storage.predicates import Test, columns_in
from luma_bench.storage.prune import may_hold
from luma_bench.storage.scan_pieces import Piece, Source
from luma_bench.storage.scan_stream import fetch
from luma_bench.storage.segment import Segment
from luma_bench.storage.zones import BOUND_BYTES, Zones, bytes_of, zone_of
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema
from luma_bench.types.statistics import ColumnSummary, Summary, Wanted


@dataclass(slots=True)
class _Tally:
    """What is known so far of one column; bounds are in its zone domain."""

    wanted: Wanted
    kind: pa.DataType
    valid: int = 0
    low: Any = None
    high: Any = None
    nan: bool = False

    def add(self, valid: int, low: Any, high: Any, nan: bool) -> None:
        self.valid += valid
        self.nan |= nan
        if low is not None and (self.low is None or low < self.low):
            self.low = low
        if high is not None and (self.high is None or high > self.high):
            self.high = high

    def needs(self, zone: Zones, i: int) -> bool:
        """Whether a chunk could still change the bounds that are wanted."""
        if not zone.bounded:
            return True
        if not zone.known[i]:  # NaN and NULL alone
            return bool(zone.nan[i]) and ((self.wanted.high and not self.nan) or self.low is None)
        low = self.wanted.low and (self.low is None or zone.low[i] < self.low)
        above = zone.open[i] or self.high is None or zone.high[i] > self.high
        return bool(low or (self.wanted.high and (above or (zone.nan[i] and not self.nan))))


@dataclass(slots=True)
class _Open:
    """A chunk that must be looked into."""

    segment: Segment
    chunk: int
    zones: list[Zones]


@dataclass(slots=True)
class _Work:
    """The settled part of a summary, and the chunks that are left."""

    tallies: list[_Tally]
    rows: int = 0
    left: list[_Open] = field(default_factory=list["_Open"])
    segments: int = 0
    settled: int = 0


def undecided_rows(
    source: Source, table: TableSchema, wanted: Sequence[Wanted], tests: Sequence[Test], *, rows: bool
) -> int:
    """About how many rows `summary_of` will read; it opens segments at most."""
    everything = rows or any(item.valid for item in wanted)
    work = _settled(source, table, wanted, tests, everything=everything)
    if everything:
        return sum(item.segment.rows_of(item.chunk) for item in work.left)
    return sum(item.segment.rows_of(item.chunk) for item in _reaching(work))


def summary_of(
    source: Source,
    table: TableSchema,
    wanted: Sequence[Wanted],
    tests: Sequence[Test],
    counters: ScanCounters,
    *,
    rows: bool,
) -> Summary:
    """Counts and bounds of the rows where every test is TRUE.

    Parameters
    ----------
    rows
        Whether the number of rows is wanted; without it, chunks that cannot change a bound are not read.

    Raises
    ------
    CorruptionError
        Bytes on disk are not those that were written.
    """
    everything = rows or any(item.valid for item in wanted)
    work = _settled(source, table, wanted, tests, everything=everything)
    opened: set[str] = set()
    while work.left:
        batch = work.left if everything else _foremost(work)
        _read(source, tests, work, batch, counters)
        opened |= {item.segment.ref.ulid for item in batch}
        chosen = {id(item) for item in batch}
        work.left = [
            item
            for item in work.left
            if id(item) not in chosen and (everything or _matters(work.tallies, item))
        ]
    _tail(source, tests, work, counters)
    counters.add(
        segments=len(opened), segments_pruned=work.segments - len(opened), chunks_pruned=work.settled
    )
    return Summary(
        work.rows,
        {
            tally.wanted.column: ColumnSummary(tally.valid, _low(tally), _high(tally))
            for tally in work.tallies
        },
    )


def _settled(
    source: Source, table: TableSchema, wanted: Sequence[Wanted], tests: Sequence[Test], *, everything: bool
) -> _Work:
    """What the statistics settle; of the other chunks those that matter, which are all where rows are counted."""
    work = _Work([_Tally(item, table.column(item.column).type) for item in wanted])
    if not source.segments:
        return work
    possible = np.array([ref.live_rows > 0 for ref in source.segments])
    certain = np.ones(len(source.segments), bool)
    for test in tests:
        possible &= may_hold(test, source.segment_zones)
        certain &= all_true(test, source.segment_zones)
    whole = [source.segment_zones(tally.wanted.column) for tally in work.tallies]
    for i, ref in enumerate(source.segments):
        work.segments += ref.live_rows > 0
        if not possible[i]:
            continue
        if certain[i] and ref.deleted is None and _add(work, whole, i, ref.rows, 0):
            continue
        _chunks(source, source.open(ref), tests, work)
    if not everything:
        work.left = [item for item in work.left if _matters(work.tallies, item)]
    return work


def _chunks(source: Source, segment: Segment, tests: Sequence[Test], work: _Work) -> None:
    zones = source.chunk_zones(segment)
    possible, certain = np.ones(segment.chunks, bool), np.ones(segment.chunks, bool)
    for test in tests:
        possible &= may_hold(test, zones)
        certain &= all_true(test, zones)
    deleted = np.zeros(segment.chunks, np.int64)
    if segment.ref.deleted is not None:
        edges = np.append(np.arange(segment.chunks) * segment.chunk_rows, segment.rows)
        deleted = np.diff(np.searchsorted(segment.ref.deleted, edges))
    columns = [zones(tally.wanted.column) for tally in work.tallies]
    for chunk in range(segment.chunks):
        rows, gone = segment.rows_of(chunk), int(deleted[chunk])
        none = not possible[chunk] or gone == rows
        if none or (certain[chunk] and _add(work, columns, chunk, rows, gone)):
            work.settled += 1
        else:
            work.left.append(_Open(segment, chunk, columns))


def _add(work: _Work, columns: Sequence[Zones], i: int, rows: int, gone: int) -> bool:
    """Count a chunk of which every row takes part, from its zone map; False where that is not exact."""
    if not all(_exact(tally, zone, i, gone) for tally, zone in zip(work.tallies, columns, strict=True)):
        return False
    work.rows += rows - gone
    for tally, zone in zip(work.tallies, columns, strict=True):
        nulls = int(zone.nulls[i])
        known = zone.bounded and bool(zone.known[i])
        tally.add(
            0 if nulls == rows else rows - gone - nulls,
            _plain(zone.low[i]) if known else None,
            _plain(zone.high[i]) if known else None,
            bool(zone.nan[i]),
        )
    return True


def _exact(tally: _Tally, zone: Zones, i: int, gone: int) -> bool:
    """Whether a zone map says exactly what is wanted of a column, though so many of its rows are deleted."""
    rows, nulls = int(zone.rows[i]), int(zone.nulls[i])
    if nulls == rows:
        return True
    bounds = tally.wanted.low or tally.wanted.high
    if gone and (nulls or (bounds and not _single(zone, i))):
        return False
    if not bounds:
        return True
    if not zone.bounded:
        return False
    if not zone.known[i] or not is_text(_value_type(tally.kind)):
        return True
    if not is_unicode(_value_type(tally.kind)):
        return False  # a rounded bound of bytes may be of any length
    return (not tally.wanted.low or len(zone.low[i]) < BOUND_BYTES) and (
        not tally.wanted.high or (not zone.open[i] and len(zone.high[i]) < BOUND_BYTES)
    )


def _single(zone: Zones, i: int) -> bool:
    """Whether every value of a chunk is the same one."""
    return bool(
        zone.bounded
        and zone.known[i]
        and not zone.nan[i]
        and not zone.open[i]
        and zone.low[i] == zone.high[i]
    )


def _matters(tallies: Sequence[_Tally], item: _Open) -> bool:
    return any(tally.needs(zone, item.chunk) for tally, zone in zip(tallies, item.zones, strict=True))


def _foremost(work: _Work) -> list[_Open]:
    """The chunks that reach lowest and highest, a column's bound each: what they hold may settle the others."""
    chosen: dict[int, _Open] = {}
    for place, tally in enumerate(work.tallies):
        for side in ("low", "high"):
            if not getattr(tally.wanted, side):
                continue
            known = [
                item
                for item in work.left
                if item.zones[place].bounded and item.zones[place].known[item.chunk]
            ]
            if len(known) < len(work.left):
                return work.left
            pick = min if side == "low" else max
            best = pick(known, key=lambda item: getattr(item.zones[place], side)[item.chunk])
            chosen[id(best)] = best
    return list(chosen.values()) or work.left


def _reaching(work: _Work) -> list[_Open]:
    """The chunks that are likely read for bounds alone: those that reach beyond the inner end of the foremost."""
    if not work.left:
        return []
    first = _foremost(work)
    if first is work.left:
        return first
    likely: dict[int, _Open] = {id(item): item for item in first}
    for place, tally in enumerate(work.tallies):
        zones = [(item, item.zones[place], item.chunk) for item in work.left]
        for side, wanted in (("low", tally.wanted.low), ("high", tally.wanted.high)):
            if wanted and side == "low":
                edge = min(((zone.low[i], zone.high[i]) for _, zone, i in zones))[1]
                likely |= {id(item): item for item, zone, i in zones if zone.low[i] < edge}
            elif wanted:
                edge = max(((zone.high[i], zone.low[i]) for _, zone, i in zones))[1]
                likely |= {id(item): item for item, zone, i in zones if zone.high[i] > edge}
    return list(likely.values())


def _read(
    source: Source, tests: Sequence[Test], work: _Work, batch: Sequence[_Open], counters: ScanCounters
) -> None:
    names = {name for test in tests for name in columns_in(test)}
    names |= {tally.wanted.column for tally in work.tallies}
    columns = [column for column in source.columns if column.name in names]

    def load(item: _Open) -> tuple[dict[str, pa.Array], int, Piece]:
        segment, chunk = item.segment, item.chunk
        piece = Piece(segment, chunk, 1, chunk * segment.chunk_rows, segment.rows_of(chunk))
        segment.prefetch([column.id for column in columns], chunk, 1)
        arrays: dict[str, pa.Array] = {}
        nbytes = 0
        for column in columns:
            arrays[column.name], read = fetch(source, piece, column)
            nbytes += read
        return arrays, nbytes, piece

    futures = [source.pool.submit(lambda item=item: load(item)) for item in batch]
    try:
        for future in futures:
            arrays, nbytes, piece = source.pool.result(future)
            counters.add(rows=piece.rows, nbytes=nbytes, chunks=1)
            keep = source.live(piece.segment, piece.start, piece.rows)
            _count(work, tests, arrays, piece.rows, None if keep is None else pa.array(keep))
    finally:
        for future in futures:
            future.cancel()


def _tail(source: Source, tests: Sequence[Test], work: _Work, counters: ScanCounters) -> None:
    tail = source.tail
    if tail is None or not tail.num_rows:
        return
    counters.add(rows=tail.num_rows)
    arrays = {name: tail.column(name) for name in tail.schema.names}
    _count(work, tests, arrays, tail.num_rows, None)


def _count(
    work: _Work, tests: Sequence[Test], arrays: dict[str, pa.Array], rows: int, mask: pa.BooleanArray | None
) -> None:
    for test in tests:
        found = mask_of(test, arrays)
        mask = found if mask is None else pc.and_(mask, found)
    work.rows += rows if mask is None else mask.true_count
    for tally in work.tallies:
        array = arrays[tally.wanted.column]
        if mask is not None:
            array = array.filter(mask)
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        valid = len(array) - array.null_count
        if not valid or not (tally.wanted.low or tally.wanted.high):
            tally.add(valid, None, None, False)
        elif is_text(array.type):
            bounds = pc.min_max(bytes_of(array))
            tally.add(valid, bounds["min"].as_py(), bounds["max"].as_py(), False)
        else:
            zone = zone_of(array)
            tally.add(valid, zone.low, zone.high, zone.nan)


def _low(tally: _Tally) -> pa.Scalar | None:
    if not tally.wanted.low or (tally.low is None and not tally.nan):
        return None
    return _scalar(tally.low if tally.low is not None else float("nan"), tally.kind)


def _high(tally: _Tally) -> pa.Scalar | None:
    if not tally.wanted.high or (tally.high is None and not tally.nan):
        return None
    return _scalar(float("nan") if tally.nan else tally.high, tally.kind)


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    """A value of the zone domain as a scalar of the column's type."""
    types = pa.types
    kind = _value_type(kind)
    if is_unicode(kind):
        return pa.scalar(value.decode(), kind)
    if types.is_decimal(kind):
        digits = tuple(map(int, str(abs(value))))
        return pa.scalar(Decimal((int(value < 0), digits, -kind.scale)), kind)
    if types.is_boolean(kind):
        return pa.scalar(bool(value), kind)
    if types.is_integer(kind) or types.is_floating(kind) or is_text(kind):
        return pa.scalar(value, kind)
    # Dates, times and timestamps are whole numbers of their unit.
    return pa.scalar(value, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
