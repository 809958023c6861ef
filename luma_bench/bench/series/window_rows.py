"""The rows of windows, batch by batch: each row once a window that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part
from luma_bench.bench.series.values import operand
from luma_bench.errors import ResourceError
from luma_bench.models.control import Control
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.panes import Overlaps
from luma_bench.models.series.runs import Codes, Ints
from luma_bench.models.series.sessions import begins, cut
from luma_bench.types.arrays import integers

_ROWS = 262_144
_LOW, _HIGH = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Windowed:
    """Rows with their windows.

    Attributes
    ----------
    arrays
        The columns that were asked for, a row once a window.
    starts, ends
        In units of the window columns, int64.
    """

    arrays: Sequence[pa.Array]
    starts: Ints
    ends: Ints


@dataclass(slots=True)
class Missing:
    """How many rows have no time, and so no window."""

    rows: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of all rows, ordered by series and start; their last times are the times of their last rows."""

    codes: Codes
    starts: Ints
    lasts: Ints


def bucketed(
    batches: Iterator[pa.RecordBatch], buckets: Buckets, scale: int, missing: Missing
) -> Iterator[Windowed]:
    """The rows of batches with the one window of each.

    Parameters
    ----------
    batches
        The time is their last column, and none of the answer's.
    scale
        How many units of the windows one of the time column is: days that are cut into hours are counted in microseconds.
    """
    for batch in batches:
        arrays, times = _timed(batch, scale, missing)
        if len(times):
            starts = buckets.starts(times)
            yield Windowed(arrays, starts, buckets.ends(starts))


def hopped(
    batches: Iterator[pa.RecordBatch],
    hops: Overlaps,
    scale: int,
    missing: Missing,
    control: Control,
) -> Iterator[Windowed]:
    """The rows of batches, each once a window that holds it, some of these at a time."""
    for batch in batches:
        arrays, times = _timed(batch, scale, missing)
        for take, starts, ends in hops.pieces(times, _ROWS):
            control.check()
            places = integers(take)
            yield Windowed([array.take(places) for array in arrays], starts, ends)


def sessions(
    parts: Callable[[Sequence[str], SeriesKeys], Iterator[Part]],
    columns: Sequence[str],
    series: SeriesKeys,
    gap: int,
    missing: Missing,
    control: Control,
    *,
    again: bool,
) -> Iterator[Windowed]:
    """The rows of series with the session of each.

    Parameters
    ----------
    parts
        Gives the rows as runs with some columns, numbered by the keys that it is given.
    again
        Whether it gives the same rows each time; else they are held in memory between the two looks at them.
    """
    found: list[tuple[Codes, Ints, Ints]] = []
    held: list[Part] = []
    nbytes = 0
    for part in parts(() if again else columns, series):
        control.check()
        missing.rows += part.runs.without_time
        groups = cut(part.runs, gap)
        assert groups.lasts is not None
        found.append((groups.codes, groups.starts, groups.lasts))
        nbytes += 24 * len(groups.codes)
        if not again:
            held.append(part)
            nbytes += part.runs.time.nbytes + sum(array.nbytes for array in part.arrays.values())
        control.fits(nbytes, "A SESSION over rows that have to be kept")
    whole = _merged(found, gap)
    if len(whole.lasts) and int(whole.lasts.max()) > _HIGH - gap:
        raise ResourceError(
            "A session ends behind the last moment that the time column can hold.",
            hint="Give a shorter gap, or cast the column to a coarser timestamp.",
        )
    for part in parts(columns, series) if again else _drained(held):
        control.check()
        groups = cut(part.runs, gap)
        if not len(groups.codes):
            continue
        places = np.repeat(_places(groups, whole), groups.sizes)
        arrays = [part.ordered(name) for name in columns]
        yield Windowed(arrays, whole.starts[places], whole.lasts[places] + gap)


def _drained(parts: list[Part]) -> Iterator[Part]:
    """The parts, each let go of when the next is asked for."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _timed(batch: pa.RecordBatch, scale: int, missing: Missing) -> tuple[list[pa.Array], Ints]:
    """The columns but the last, and the times, of the rows that have one."""
    arrays = list(batch.columns)
    data, valid = operand(arrays.pop())
    times = data.astype(np.int64, copy=False)
    if valid is not None:
        missing.rows += len(valid) - int(np.count_nonzero(valid))
        kept = integers(np.flatnonzero(valid))
        arrays, times = [array.take(kept) for array in arrays], times[valid]
    return arrays, times if scale == 1 else times * scale


def _merged(found: Sequence[tuple[Codes, Ints, Ints]], gap: int) -> Sessions:
    """The sessions of all parts: those of a series that overlap, or are no more than the gap apart, are one."""
    if not any(len(codes) for codes, _, _ in found):
        none = np.zeros(0, np.int64)
        return Sessions(np.zeros(0, np.int32), none, none)
    codes, starts, lasts = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((lasts, starts, codes))
    codes, starts, lasts = codes[order], starts[order], lasts[order]
    fresh, reached = begins(codes, starts, lasts, gap)
    firsts = np.flatnonzero(fresh)
    stops = np.append(firsts[1:], len(codes)) - 1
    return Sessions(codes[firsts], starts[firsts], reached[stops])


def _places(groups: Groups, whole: Sessions) -> Ints:
    """Which session each group is part of."""
    count = len(whole.codes)
    order = np.lexsort(
        (
            np.concatenate([np.zeros(count, np.int8), np.ones(len(groups.codes), np.int8)]),
            np.concatenate([whole.starts, groups.starts]),
            np.concatenate([whole.codes, groups.codes]),
        )
    )
    passed = np.cumsum(order < count) - 1
    found = np.empty(len(order), np.int64)
    found[order] = passed
    return found[count:]
