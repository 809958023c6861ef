"""Many stretches of one input as one: their runs merged series by series, so that each series is a single run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from luma_bench.models.control import Control
from luma_bench.models.series.pairs import in_threads
from luma_bench.models.series.runs import Array, Bools, Codes, Ints, Runs

_LOOPED = 256
"""Up to so many series are sorted one by one."""
_LONG = 64
"""From so many rows a run on, slices are quicker than an index."""
_MUCH = 1 << 20
"""From so many rows on, several threads put them together."""
_ROOM = 1 << 62


def whole(parts: Sequence[tuple[Runs, int]], control: Control) -> Runs:
    """The runs of all parts as one stretch, its codes ascending; equal times stay in stored order.

    Parameters
    ----------
    parts
        In stored order; beside each stretch the place of its first stored row, which `order` counts from.

    Raises
    ------
    CancelledError
        The work is to end.
    """
    left_out = sum(runs.without_time for runs, _ in parts)
    parts = [item for item in parts if item[0].rows]
    if not parts:
        return Runs(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64), None, left_out)
    codes = _joined([runs.codes for runs, _ in parts])
    lengths = _joined([np.diff(runs.offsets) for runs, _ in parts])
    time = _times([runs.time for runs, _ in parts], control)
    order = _stored(parts, left_out)
    control.check()
    if np.any(codes[1:] < codes[:-1]):
        moved = np.argsort(codes, kind="stable")
        starts = np.cumsum(lengths) - lengths
        index = _gathered(starts[moved], lengths[moved], len(time))
        codes, lengths, time = codes[moved], lengths[moved], time[index]
        order = index if order is None else order[index]
        control.check()
    heads = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    ends = np.cumsum(lengths)
    if len(heads) < len(codes):
        # Runs of one series that follow one another in time are one as they stand.
        joints = np.setdiff1d(np.arange(len(codes)), heads, assume_unique=True)
        at = ends[joints - 1]
        late = joints[time[at] < time[at - 1]]
        offsets = np.append((ends - lengths)[heads], len(time))
        if len(late):
            mixed = np.unique(np.searchsorted(heads, late, "right") - 1)
            time, order = _sorted(time, order, offsets, mixed, control)
    else:
        offsets = np.append(ends - lengths, len(time))
    return Runs(codes[heads], offsets, time, order, left_out)


def _joined(arrays: Sequence[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _times(arrays: Sequence[Ints], control: Control) -> Ints:
    rows = sum(map(len, arrays))
    if rows < _MUCH or len(arrays) == 1:
        return _joined(arrays)
    # Arrow's pool keeps pages, where memory that is new has to be cleared.
    found = np.frombuffer(pa.allocate_buffer(8 * rows), np.int64)
    ends = np.cumsum([len(array) for array in arrays]).tolist()
    half = len(arrays) // 2

    def copy(span: slice) -> None:
        first = ends[span.start - 1] if span.start else 0
        np.concatenate(arrays[span], out=found[first : ends[span.stop - 1]])

    in_threads([slice(0, half), slice(half, len(arrays))], copy, control)
    return found


def _stored(parts: Sequence[tuple[Runs, int]], left_out: int) -> Ints | None:
    """The stored place of each row; None where rows stand as they are stored and none is left out."""
    if not left_out and all(runs.order is None for runs, _ in parts) and _adjoining(parts):
        return None
    places = [
        np.arange(first, first + runs.rows) if runs.order is None else runs.order + first
        for runs, first in parts
    ]
    return _joined(places)


def _adjoining(parts: Sequence[tuple[Runs, int]]) -> bool:
    place = 0
    for runs, first in parts:
        if first != place:
            return False
        place += runs.rows
    return True


def _gathered(starts: Ints, lengths: Ints, rows: int) -> Ints:
    """The places of rows of runs, run after run."""
    if rows >= _LONG * len(starts):
        return np.concatenate(
            [
                np.arange(start, start + length)
                for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
            ]
        )
    places = np.cumsum(lengths) - lengths
    index = np.arange(rows)
    index += np.repeat(starts - places, lengths)
    return index


def _sorted(
    time: Ints, order: Ints | None, offsets: Ints, mixed: Ints, control: Control
) -> tuple[Ints, Ints]:
    """Time and places with the rows of some series sorted by time, each where it was."""
    time = time.copy()
    order = np.arange(len(time)) if order is None else order.copy()
    if len(mixed) <= _LOOPED:
        for one in mixed.tolist():
            control.check()
            span = slice(int(offsets[one]), int(offsets[one + 1]))
            moved = np.argsort(time[span], kind="stable")
            time[span], order[span] = time[span][moved], order[span][moved]
        return time, order
    lengths = np.diff(offsets)[mixed]
    index = _gathered(offsets[:-1][mixed], lengths, int(lengths.sum()))
    moved = index[by_series_and_time(np.repeat(np.arange(len(mixed)), lengths), time[index])]
    time[index], order[index] = time[moved], order[moved]
    return time, order


def by_series_and_time(series: Array, time: Ints) -> Ints:
    """The stable order of rows by series, then time.

    Parameters
    ----------
    series
        Numbers from 0 on.
    """
    if not len(time):
        return np.empty(0, np.int64)
    first = int(time.min())
    span = int(time.max()) - first + 1
    if span * (int(series.max()) + 1) < _ROOM:
        # One sort of whole numbers, which is quick where rows are nearly in order, is quicker than two.
        return np.argsort(series.astype(np.int64) * span + (time - first), kind="stable")
    return np.lexsort((time, series))


def runs_of(codes: Codes, time: Ints, valid: Bools | None = None) -> Runs:
    """Rows in stored order as one stretch, its codes ascending.

    Parameters
    ----------
    valid
        Where there is a time; None where every row has one.
    """
    kept = None if valid is None or bool(valid.all()) else np.flatnonzero(valid)
    rows = len(time)
    if kept is not None:
        codes, time = codes[kept], time[kept]
    same = codes[1:] == codes[:-1]
    if not bool(np.all((codes[1:] > codes[:-1]) | (same & (time[1:] >= time[:-1])))):
        low = int(codes.min())
        moved = by_series_and_time(codes.astype(np.int64) - low, time)
        codes, time = codes[moved], time[moved]
        kept = moved if kept is None else kept[moved]
    heads = np.flatnonzero(np.concatenate([[len(codes) > 0], codes[1:] != codes[:-1]])[: len(codes)])
    offsets = np.append(heads, len(codes)).astype(np.int64)
    return Runs(codes[heads], offsets, time, kept, rows - len(time))
