"""The first rows of an order by zone maps: a bound that enough rows are known to reach, so that no other chunk matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.certain import all_true
from luma_bench.storage.filter import mask_of
from luma_bench.storage.predicates import Compare, Either, Null, Test, columns_in
from luma_bench.storage.prune import may_hold
from luma_bench.storage.scan_pieces import Piece, Source
from luma_bench.storage.scan_stream import fetch
from luma_bench.storage.segment import Segment
from luma_bench.storage.zones import Zones
from luma_bench.types.scan import ScanCounters

_MOST_LOOKED_INTO = 4


@dataclass(frozen=True, slots=True)
class _Reached:
    """A bound that the values of a chunk reach, and how many they are; None where the conditions must be looked at."""

    bound: Any
    values: int | None
    segment: Segment
    chunk: int


def cutoff(
    source: Source,
    column: str,
    where: Sequence[Test],
    count: int,
    counters: ScanCounters,
    *,
    descending: bool,
    nulls_first: bool,
) -> Test | None:
    """A test that is TRUE for each of the first `count` rows of the order, and for what ties with the last.

    Parameters
    ----------
    where
        The rows that take part. Where the zone maps do not settle it, the columns of these tests are read from the
        few chunks that come first in the order.
    counters
        Where such reading is counted.

    None where no such bound is known.
    """
    reached: list[_Reached] = []
    nulls = 0
    for ref in source.segments:
        if not ref.live_rows:
            continue
        segment = source.open(ref)
        zones = source.chunk_zones(segment)
        zone = zones(column)
        if not zone.bounded:
            return None
        sure, possible = np.ones(segment.chunks, bool), np.ones(segment.chunks, bool)
        for test in where:
            sure &= all_true(test, zones)
            possible &= may_hold(test, zones)
        deleted = np.zeros(segment.chunks, np.int64)
        if ref.deleted is not None:
            edges = np.append(np.arange(segment.chunks) * segment.chunk_rows, segment.rows)
            deleted = np.diff(np.searchsorted(ref.deleted, edges))
        # A deleted row may be one of the NULLs or not: either way so many values are left.
        values = np.where(possible, np.maximum(zone.rows - zone.nulls - deleted, 0), 0)
        nulls += int(np.where(sure & (deleted == 0), zone.nulls, 0).sum())
        reached += _bounds(segment, zone, values, sure, descending=descending)
    if nulls_first and nulls >= count:
        return Null(column, negated=False)
    reached.sort(key=_first, reverse=descending)
    total, looked = 0, 0
    for item in reached:
        values = item.values
        if values is None:
            if looked == _MOST_LOOKED_INTO:
                continue
            looked += 1
            values = _matching(source, item, column, where, counters)
        total += values
        if total >= count:
            test = Compare(column, ">=" if descending else "<=", item.bound)
            return Either(test, Null(column, negated=False)) if nulls_first else test
    return None


def _bounds(
    segment: Segment, zone: Zones, values: np.ndarray, sure: np.ndarray, *, descending: bool
) -> list[_Reached]:
    """For every chunk that has one: a bound that all of its values reach, and how many they are where that is known."""
    # NaN is above every number, so from below the least number bounds it too; from above nothing does.
    usable = zone.known & (values > 0)
    if not descending:
        usable &= ~zone.nan & ~zone.open
    bounds = zone.low if descending else zone.high
    return [
        _Reached(_plain(bounds[i]), int(values[i]) if sure[i] else None, segment, i)
        for i in np.flatnonzero(usable).tolist()
    ]


def _matching(
    source: Source, item: _Reached, column: str, where: Sequence[Test], counters: ScanCounters
) -> int:
    """How many living rows of a chunk pass every test and have a value in the column."""
    segment, chunk = item.segment, item.chunk
    piece = Piece(segment, chunk, 1, chunk * segment.chunk_rows, segment.rows_of(chunk))
    names = {column, *(name for test in where for name in columns_in(test))}
    arrays: dict[str, pa.Array] = {}
    nbytes = 0
    for one in source.columns:
        if one.name in names:
            arrays[one.name], read = fetch(source, piece, one)
            nbytes += read
    counters.add(rows=piece.rows, nbytes=nbytes, chunks=1)
    mask: pa.BooleanArray = arrays[column].is_valid()
    keep = source.live(segment, piece.start, piece.rows)
    if keep is not None:
        mask = pc.and_(mask, pa.array(keep))
    for test in where:
        mask = pc.and_(mask, mask_of(test, arrays))
    return mask.true_count


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _first(item: _Reached) -> Any:
    return item.bound
