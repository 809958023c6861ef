"""What stands in the empty buckets of a grid: nothing, a constant, the value before, or one on the line between two.

Values never cross from one series to another: each column of a block is one series. A column of a grid is made block by
block, so that a grid may be longer than memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from luma_bench.models.series.grid import Block, Grid, Places
from luma_bench.models.series.runs import Bools, Ints
from luma_bench.types.arrays import flags

FillKind = Literal["null", "prev", "linear", "value"]


def interpolates(kind: pa.DataType) -> bool:
    """Whether FILL(LINEAR) takes values of a type: numbers and moments."""
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_date(kind)
    )


def linear_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column that FILL(LINEAR) fills: moments and floats stay what they are, other numbers are float64."""
    stays = pa.types.is_floating(kind) or pa.types.is_temporal(kind)
    return kind if stays else pa.float64()


class Filler(ABC):
    """Makes one column of a grid, block after block from the first to the last."""

    @abstractmethod
    def column(self, block: Block) -> pa.Array:
        """The values of a block's cells, bucket after bucket."""
        ...


def filler(
    kind: FillKind,
    values: pa.Array,
    grid: Grid,
    times: Ints,
    rank: np.ndarray[Any, Any],
    *,
    constant: pa.Scalar | None = None,
    ignore_nulls: bool = False,
) -> Filler:
    """What fills a column.

    Parameters
    ----------
    values
        A value of each group, which are in the order of series and time.
    times, rank
        The bucket's start and the series of each group.
    constant
        What `value` puts in, of the type of the values.
    ignore_nulls
        PREV carries the last value that is not NULL, into groups without a value too.
    """
    match kind:
        case "null":
            return _Constant(values, pa.nulls(1, values.type))
        case "value":
            assert constant is not None
            return _Constant(values, pa.repeat(constant, 1))
        case "prev":
            return _Previous(values, grid.series, ignore_nulls=ignore_nulls)
        case "linear":
            return _Linear(values, grid, times, rank)


class _Constant(Filler):
    def __init__(self, values: pa.Array, constant: pa.Array) -> None:
        self._held = _after(values, constant)

    def column(self, block: Block) -> pa.Array:
        return self._held.take(_index(block.groups))


class _Previous(Filler):
    def __init__(self, values: pa.Array, series: int, *, ignore_nulls: bool) -> None:
        self._held = _after(values, pa.nulls(1, values.type))
        self._valid = _valid(values) if ignore_nulls else None
        self._carried = np.zeros(series, np.int32)

    def column(self, block: Block) -> pa.Array:
        found = _before(_living(block.groups, self._valid), self._carried)
        self._carried = found[-1].copy()
        return self._held.take(_index(found))


class _Linear(Filler):
    """Values at empty buckets on the line through the nearest known ones of the series, by time; NULL beyond them."""

    def __init__(self, values: pa.Array, grid: Grid, times: Ints, rank: np.ndarray[Any, Any]) -> None:
        self._type = values.type
        self._known = None if values.null_count == 0 else _valid(values)
        self._starts = grid.starts
        self._carried = np.zeros(grid.series, np.int32)
        self._values = _plain(values)
        self._times = np.concatenate([np.zeros(1, np.int64), times])
        self._next = _next(self._known, rank)

    def column(self, block: Block) -> pa.Array:
        known = _living(block.groups, self._known)
        before = _before(known, self._carried)
        self._carried = before[-1].copy()
        data = self._values[known.ravel()]
        empty = np.flatnonzero(known.ravel() == 0)
        if not len(empty):
            return _array(data, None, self._type)
        left = before.ravel()[empty]
        right = self._next[left]
        between = (left > 0) & (right > 0)
        left, right, cells = left[between], right[between], empty[between]
        at = self._starts[block.first + cells // known.shape[1]]
        data[cells] = self._on_line(left, right, at)
        valid = known.ravel() > 0
        valid[cells] = True
        return _array(data, valid, self._type)

    def _on_line(self, left: Places, right: Places, at: Ints) -> np.ndarray[Any, Any]:
        first, last = self._values[left], self._values[right]
        begun = self._times[left]
        share = (at - begun) / (self._times[right] - begun)
        if self._values.dtype.kind == "i":
            return first + np.floor((last - first) * share).astype(first.dtype)
        # Between equal ends, infinities too, the line is level.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where(first == last, first, first * (1 - share) + last * share)


def _after(values: pa.Array, first: pa.Array) -> pa.Array:
    """The values behind one that stands for no group."""
    return pa.concat_arrays([first, values])


def _valid(values: pa.Array) -> Bools:
    """Where there is a value, behind a False for no group."""
    found = np.ones(len(values) + 1, np.bool_)
    found[0] = False
    if values.null_count:
        found[1:] = flags(values.is_valid())
    return found


def _living(groups: Places, valid: Bools | None) -> Places:
    """The cells whose group has a value; the others as if there were no group."""
    return groups if valid is None else np.where(valid[groups], groups, np.int32(0))


def _before(groups: Places, carried: Places) -> Places:
    """The last group of each series at or before each cell: within a series, later groups have higher numbers."""
    made = groups.copy() if groups.shape[1] > 8 else np.asfortranarray(groups).copy("F")
    np.maximum(made[0], carried, out=made[0])
    np.maximum.accumulate(made, axis=0, out=made)
    return made


def _next(valid: Bools | None, rank: np.ndarray[Any, Any]) -> Places:
    """For each group (and for none, at 0) the next one of the series with a value, and 0 where there is none.

    `valid` is None where every group has one.
    """
    count = len(rank)
    found = np.zeros(count + 1, np.int32)
    if count < 2:
        return found
    if valid is None:
        np.multiply(np.arange(2, count + 1, dtype=np.int32), rank[1:] == rank[:-1], out=found[1:-1])
        return found
    none = np.int32(count + 1)
    own = np.where(valid[1:], np.arange(1, count + 1, dtype=np.int32), none)
    following = np.minimum.accumulate(own[::-1])[::-1]
    after = following[1:]
    same = after < none
    same &= rank[np.minimum(after, count) - 1] == rank[:-1]
    found[1:-1] = np.where(same, after, 0)
    return found


def _plain(values: pa.Array) -> np.ndarray[Any, Any]:
    """Numbers behind one for no group; anything where a value is NULL."""
    kind = values.type
    width = np.dtype(f"f{kind.bit_width // 8}" if pa.types.is_floating(kind) else f"i{kind.bit_width // 8}")
    found = np.zeros(len(values) + 1, width)
    if len(values):
        found[1:] = np.frombuffer(values.buffers()[1], width, len(values), width.itemsize * values.offset)
    return found


def _array(data: np.ndarray[Any, Any], valid: Bools | None, kind: pa.DataType) -> pa.Array:
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(data)])


def _index(groups: Places) -> pa.Array:
    held = np.ascontiguousarray(groups).reshape(-1)
    return pa.Array.from_buffers(pa.int32(), len(held), [None, pa.py_buffer(held)])
