"""Rows of several parts, by their places, column by column in the types that the table has now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.storage.columns_dictionary import narrowed, one_dictionary, taken
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.evolve_values import widened
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import InlineBlob, exact
from luma_bench.types.schema import Column


class Input(Protocol):
    """A part that is read: rows in chunks of `chunk_rows`, fewer in the last."""

    name: str
    rows: int
    chunk_rows: int
    deleted: np.ndarray | None

    def read(self, column: Column | None, chunk: int) -> tuple[pa.Array, int]:
        """A chunk of a column, or of the row ids (int64), and the bytes it took from files."""
        ...


class SegmentInput:
    """A segment's rows."""

    def __init__(self, ref: SegmentRef, pool: BufferPool) -> None:
        self.name = ref.ulid
        self.rows = ref.rows
        self.deleted = ref.deleted
        self._segment = Segment.open(ref)
        self.chunk_rows = self._segment.chunk_rows
        self._pool = pool

    def read(self, column: Column | None, chunk: int) -> tuple[pa.Array, int]:
        """A chunk of a column, or of the row ids (int64), and the bytes it took from the file."""
        if column is None:
            return self._segment.row_ids(chunk)
        kind = without_view(column.type)
        initial = column.initial
        return self._segment.read_counted(column.id, chunk, kind, self._pool, initial)


class TailInput:
    """Some of the inline tail, decoded already."""

    def __init__(self, blob: InlineBlob) -> None:
        self.name = str(blob.id)
        self.rows = blob.rows
        self.chunk_rows = max(1, blob.rows)
        self.deleted = blob.deleted
        self._blob = replace(blob, deleted=None)

    def read(self, column: Column | None, chunk: int) -> tuple[pa.Array, int]:
        """The only chunk of a column, or of the row ids (int64)."""
        first = self._blob.first_row_id
        if column is None:
            return pa.array(np.arange(first, first + self.rows)), 0
        array = one_array(one_dictionary(exact([self._blob], column)))
        kind = without_view(column.type)
        return widened(array, kind), 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of inputs: sorted int64 positions for each, in the order of the inputs."""

    positions: Sequence[np.ndarray]
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", sum(len(places) for places in self.positions))


def gathered(
    inputs: Sequence[Input], selection: Selection, column: Column | None
) -> tuple[pa.ChunkedArray, int]:
    """The selected rows of a column, one input behind the other, and the bytes that this read."""
    parts: list[pa.Array] = []
    total = 0
    for source, places in zip(inputs, selection.positions, strict=True):
        if not len(places):
            continue
        first, last = int(places[0]) // source.chunk_rows, int(places[-1]) // source.chunk_rows
        edges = np.searchsorted(places, np.arange(first, last + 2) * source.chunk_rows)
        for i, chunk in enumerate(range(first, last + 1)):
            wanted = places[edges[i] : edges[i + 1]]
            if not len(wanted):
                continue
            array, nbytes = source.read(column, chunk)
            total += nbytes
            parts.append(_rows(array, wanted - chunk * source.chunk_rows))
    kind = pa.int64() if column is None else without_view(column.type)
    return pa.chunked_array(parts, kind if not parts else parts[0].type), total


def arranged(data: pa.ChunkedArray, order: np.ndarray | None, column: Column) -> pa.ChunkedArray:
    """The gathered rows of a column in another order, in exactly the column's type."""
    if order is not None:
        joined = one_array(one_dictionary(data))
        data = pa.chunked_array([taken(joined, pa.array(order))])
    if data.type == column.type:
        return data
    kind: Any = column.type
    if pa.types.is_dictionary(kind):
        return pa.chunked_array([part for chunk in data.chunks for part in narrowed(chunk, kind)], kind)
    return data.cast(kind)


def without_view(kind: pa.DataType) -> pa.DataType:
    """The type in which rows are gathered.

    A view as the layout with offsets, which can be taken from; a dictionary with int32 codes, which never run out.
    """
    if pa.types.is_dictionary(kind):
        return pa.dictionary(pa.int32(), kind.value_type, kind.ordered)
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def _rows(array: pa.Array, places: np.ndarray) -> pa.Array:
    if len(places) == len(array):
        return array
    start = int(places[0])
    if int(places[-1]) - start + 1 == len(places):
        return array.slice(start, len(places))
    return taken(array, pa.array(places))
