"""The runs of one chunk of rows: found where they lie sorted, else made by a sorting permutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.values import whole_numbers
from luma_bench.models.series.runs import Bools, Codes, Ints, Runs
from luma_bench.types.arrays import integers

_SHORT = 8
"""Runs of fewer rows on average make no sorted chunk: to sort costs less than to look at each."""


@dataclass(frozen=True, slots=True)
class ChunkRuns:
    """What the index keeps of a chunk; every series has one run.

    Attributes
    ----------
    keys
        The key values of each run, one array a key column, dictionaries decoded.
    offsets
        Where each run begins among the rows that have a time, and their count.
    first, last
        The time of the first and of the last row of each run.
    order
        The places of the rows in the order of the runs; None where they stand so and each has a time.
    rows, without_time
        All rows of the chunk, and those whose time is NULL.
    """

    keys: tuple[pa.Array, ...]
    offsets: Ints
    first: Ints
    last: Ints
    order: np.ndarray[Any, np.dtype[np.int32]] | None
    rows: int
    without_time: int

    @property
    def nbytes(self) -> int:
        """What it takes."""
        held = sum(array.nbytes for array in self.keys)
        own = self.offsets.nbytes + self.first.nbytes + self.last.nbytes
        return 512 + held + own + (0 if self.order is None else self.order.nbytes)


def chunk_runs(keys: Sequence[pa.Array], time: Ints, valid: Bools | None) -> ChunkRuns:
    """The runs of rows by their keys and times.

    Parameters
    ----------
    keys
        The key columns, dictionaries or plain, as many rows as `time` has.
    valid
        Where there is a time; None where everywhere.
    """
    types = [_decoded(array.type) for array in keys]
    if valid is None:
        found = _as_they_stand(keys, types, time)
        if found is not None:
            return found
    series = SeriesKeys(types)
    codes = series.codes(keys, rows=len(time))
    runs = runs_of(codes, time, len(series), valid)
    places = runs.order
    ends = runs.offsets[1:] - 1
    return ChunkRuns(
        tuple(series.arrays(runs.codes)),
        runs.offsets,
        runs.time[runs.offsets[:-1]],
        runs.time[ends],
        None if places is None else places.astype(np.int32),
        len(time),
        runs.without_time,
    )


def runs_of(codes: Codes, time: Ints, count: int, valid: Bools | None = None) -> Runs:
    """Rows as runs, codes ascending, times ascending inside of each, equal times as they stand.

    Parameters
    ----------
    codes
        The series of each row, 0 to `count` - 1; rows of -1 belong to no run.
    valid
        Where there is a time; None where everywhere.
    """
    order: Ints | None = None
    kept = None if valid is None or valid.all() else valid
    without = 0 if kept is None else len(time) - int(np.count_nonzero(kept))
    if len(codes) and codes.min() < 0:
        kept = codes >= 0 if kept is None else kept & (codes >= 0)
    if kept is not None:
        order = np.flatnonzero(kept)
        codes, time = codes[order], time[order]
    sorting = _sorting(codes, time, count)
    if sorting is not None:
        order = sorting if order is None else order[sorting]
        codes, time = codes[sorting], time[sorting]
    starts = _starts(codes)
    return Runs(codes[starts].astype(np.int32), np.append(starts, len(codes)), time, order, without)


def _sorting(codes: Codes, time: Ints, count: int) -> Ints | None:
    """What sorts rows by code and time, stably; None where they are sorted."""
    if len(time) < 2:
        return None
    later = time[1:] >= time[:-1]
    ahead, same = codes[1:] > codes[:-1], codes[1:] == codes[:-1]
    if (ahead | (same & later)).all():
        return None
    by_time: Ints | None = None if later.all() else np.argsort(time, kind="stable")
    if count <= 1:
        return by_time
    found = _by_code(codes if by_time is None else codes[by_time], count)
    return found if by_time is None else by_time[found]


def _by_code(codes: Codes, count: int) -> Ints:
    """What sorts codes stably; numbers of 16 bits are sorted by digits, in linear time."""
    low = np.argsort(codes.astype(np.uint16), kind="stable")
    if count <= 1 << 16:
        return low
    high = (codes >> 16).astype(np.uint16)[low]
    return low[np.argsort(high, kind="stable")]


def _as_they_stand(keys: Sequence[pa.Array], types: Sequence[pa.DataType], time: Ints) -> ChunkRuns | None:
    """The runs of rows that are sorted already; None where they are not."""
    if not len(time):
        empty = np.zeros(0, np.int64)
        return ChunkRuns(tuple(pa.nulls(0, kind) for kind in types), np.zeros(1, np.int64), empty, empty, None, 0, 0)  # fmt: skip
    changes: Bools | None = None
    for array in keys:
        own = _compared(array)
        changed = own[1:] != own[:-1]
        changes = changed if changes is None else changes | changed
    starts = (
        np.zeros(1, np.int64)
        if changes is None
        else np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changes) + 1])
    )
    if len(starts) * _SHORT > len(time) + _SHORT:
        return None
    falls = np.flatnonzero(time[1:] < time[:-1]) + 1
    if not np.isin(falls, starts, assume_unique=True).all():
        return None
    places = integers(starts)
    held = tuple(_plain(array.take(places), kind) for array, kind in zip(keys, types, strict=True))
    series = SeriesKeys(types)
    codes = series.codes(held, rows=len(starts))
    if len(series) < len(starts):
        return None  # a series comes twice, or rows differ in nothing but the sign of a zero
    offsets = np.append(starts, len(time))
    return ChunkRuns(
        tuple(series.arrays(codes)), offsets, time[starts], time[offsets[1:] - 1], None, len(time), 0
    )


def _starts(codes: Codes) -> Ints:
    if not len(codes):
        return np.zeros(0, np.int64)
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(codes[1:] != codes[:-1]) + 1])


def _compared(array: pa.Array) -> np.ndarray[Any, Any]:
    """Numbers that differ wherever two rows do."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.indices
    elif pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        array = array.view(pa.int32() if pa.types.is_decimal32(kind) else pa.int64())
        array = array.dictionary_encode(null_encoding="encode").indices if array.null_count else array
    elif array.null_count or not _is_number(kind):
        array = array.dictionary_encode(null_encoding="encode").indices
    if pa.types.is_integer(array.type):
        return whole_numbers(array, -1)
    width = array.type.bit_width // 8
    return np.frombuffer(array.buffers()[1], np.dtype(f"i{width}"), len(array), width * array.offset)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def _plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array.cast(kind)


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
