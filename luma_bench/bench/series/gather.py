"""Rows of an input by their places: columns that are held chunk by chunk, as they are stored, without joining the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.models.series.runs import Array, Bools, Ints
from luma_bench.types.arrays import integers

_CODED = 1 << 16


@dataclass(frozen=True, slots=True)
class Places:
    """Which rows are wanted, in the order wanted, sorted out by chunk.

    Attributes
    ----------
    rows
        How many rows the answer has.
    wanted
        Where the answer has a row of the input, rather than NULLs; None for everywhere.
    spans
        The chunk, and the places in it of some of the wanted rows.
    moved
        Where the rows of all spans, one span after the other, stand among the wanted ones; None: just so.
    """

    rows: int
    wanted: Bools | None
    spans: tuple[tuple[int, Ints], ...]
    moved: Ints | None


class Chunks:
    """Columns in stored order.

    Parameters
    ----------
    fields
        The columns with the types of the answers; what is held may be dictionaries of them.
    batches
        In stored order, each with its first place, all of the same columns.
    """

    def __init__(self, fields: Sequence[pa.Field], batches: Sequence[tuple[int, pa.RecordBatch]]) -> None:
        self._fields = list(fields)
        held = [(first, batch) for first, batch in batches if batch.num_rows]
        self._batches = [batch for _, batch in held]
        self._firsts: Ints = np.array([first for first, _ in held], np.int64)

    def places(self, places: Ints) -> Places:
        """Sort out which rows are wanted; -1 stands for a row of NULLs."""
        rows, wanted = len(places), None
        if rows and int(places.min()) < 0:
            wanted = places >= 0
            places = places[wanted]
        if not len(places):
            return Places(rows, wanted, (), None)
        moved = None
        if np.any(places[1:] < places[:-1]):
            chunks = np.searchsorted(self._firsts, places, "right") - 1
            short = chunks.astype(np.uint16) if len(self._firsts) < _CODED else chunks
            moved = np.argsort(short, kind="stable")
            places, chunks = places[moved], chunks[moved]
            heads = np.flatnonzero(np.concatenate([[True], chunks[1:] != chunks[:-1]]))
            cuts, numbers = np.append(heads, len(places)), chunks[heads]
        else:
            low, high = (int(np.searchsorted(self._firsts, one, "right")) - 1 for one in places[[0, -1]])
            inner = np.searchsorted(places, self._firsts[low + 1 : high + 1])
            cuts = np.concatenate([[0], inner, [len(places)]])
            numbers = np.arange(low, high + 1)
        spans = tuple(
            (chunk, places[a:b] - int(self._firsts[chunk]))
            for chunk, a, b in zip(numbers.tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
            if b > a
        )
        return Places(rows, wanted, spans, moved)

    def take(self, column: int, places: Places) -> pa.Array:
        """The values of a column (its place among the fields) at some places."""
        kind = self._fields[column].type
        if not places.spans:
            return pa.nulls(places.rows, kind)
        held = [(self._batches[chunk].column(column), inside) for chunk, inside in places.spans]
        width = _width(kind)
        if width is not None and all(array.type == kind and not array.null_count for array, _ in held):
            return _fixed(kind, width, held, places)
        taken = [exactly(array.take(integers(inside)), kind) for array, inside in held]
        joined = taken[0] if len(taken) == 1 else pa.concat_arrays(taken)
        return joined if places.wanted is None and places.moved is None else joined.take(_back(places))

    def span(self, column: int, low: int, high: int) -> pa.Array:
        """The values of a column at adjoining places, all of which have a row."""
        kind = self._fields[column].type
        at = int(np.searchsorted(self._firsts, low, "right")) - 1
        parts: list[pa.Array] = []
        while low < high:
            first, batch = int(self._firsts[at]), self._batches[at]
            stop = min(high, first + batch.num_rows)
            parts.append(exactly(batch.column(column).slice(low - first, stop - low), kind))
            low, at = stop, at + 1
        if not parts:
            return pa.nulls(0, kind)
        return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _width(kind: pa.DataType) -> np.dtype[Any] | None:
    """The form of values that are copied as they are; None of other types."""
    types = pa.types
    if types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind):
        return np.dtype(kind.to_pandas_dtype())
    if types.is_temporal(kind) and not types.is_interval(kind):
        return np.dtype(np.int64 if kind.bit_width == 64 else np.int32)
    return None


def _fixed(
    kind: pa.DataType, form: np.dtype[Any], held: list[tuple[pa.Array, Ints]], places: Places
) -> pa.Array:
    parts: list[Array] = [
        np.frombuffer(array.buffers()[1], form, len(array), array.offset * form.itemsize).take(inside)
        for array, inside in held
    ]
    data = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if places.moved is not None:
        back = np.empty_like(data)
        back[places.moved] = data
        data = back
    if places.wanted is None:
        return pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(data)])
    full = np.zeros(places.rows, form)
    full[places.wanted] = data
    bits = pa.py_buffer(np.packbits(places.wanted, bitorder="little"))
    return pa.Array.from_buffers(kind, places.rows, [bits, pa.py_buffer(full)])


def exactly(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values in a type, of which they may be a dictionary, or it of them."""
    if array.type == kind:
        return array
    if pa.types.is_dictionary(kind):
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        if array.type.value_type != kind.value_type:
            return array.cast(kind)
        # A cast of the whole looks at the values, too.
        return pa.DictionaryArray.from_arrays(
            array.indices.cast(kind.index_type), array.dictionary, ordered=kind.ordered, safe=False
        )
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return plain if plain.type == kind else plain.cast(kind)


def widened(schema: pa.Schema) -> list[pa.Field]:
    """The fields of a relation over rows that are streamed so: dictionaries of several chunks may hold more values than one."""
    return [
        field.with_type(pa.dictionary(pa.int32(), field.type.value_type))
        if pa.types.is_dictionary(field.type)
        else field
        for field in schema
    ]


def _back(places: Places) -> pa.Array:
    """Where each row of the answer stands among the rows of all spans."""
    count = sum(len(inside) for _, inside in places.spans)
    back = np.arange(count)
    if places.moved is not None:
        back[places.moved] = np.arange(count)
    if places.wanted is None:
        return integers(back)
    full = np.zeros(places.rows, np.int64)
    full[places.wanted] = back
    bits = pa.py_buffer(np.packbits(places.wanted, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), places.rows, [bits, pa.py_buffer(full)])
