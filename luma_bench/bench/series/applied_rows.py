"""Rows of whole series into a series function, and its answer as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.series.applied_spec import Call
from luma_bench.bench.series.gather import Chunks, exactly
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part
from luma_bench.models.control import Control
from luma_bench.models.series.functions import Answer, Batch
from luma_bench.models.series.functions.spec import Floats
from luma_bench.models.series.runs import Bools, Ints, Runs
from luma_bench.types.arrays import integers, numbers


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rows of whole series.

    Attributes
    ----------
    runs
        One for each series.
    fields
        Of the value columns.
    batches
        These as they are stored, each with its first place.
    columns
        The same, for rows by their places.
    """

    runs: Runs
    fields: tuple[pa.Field, ...]
    batches: tuple[tuple[int, pa.RecordBatch], ...]
    columns: Chunks

    @classmethod
    def of(
        cls, runs: Runs, fields: Sequence[pa.Field], batches: Sequence[tuple[int, pa.RecordBatch]]
    ) -> Gathered:
        """Rows whose columns are held in stored order."""
        return cls(runs, tuple(fields), tuple(batches), Chunks(fields, batches))

    def column(self, name: str, rows: slice | Ints) -> pa.Array:
        """The values of a column in some rows of the runs."""
        order = self.runs.order
        if isinstance(rows, slice):
            if order is None:
                return self._slice(name, rows.start, rows.stop)
            places = order[rows]
        else:
            places = rows if order is None else order[rows]
        return self.columns.take(self._place(name), self.columns.places(places))

    def _place(self, name: str) -> int:
        return next(place for place, field in enumerate(self.fields) if field.name == name)

    def _slice(self, name: str, begin: int, end: int) -> pa.Array:
        """Rows that stand as they are stored, without looking each of them up."""
        kind = self.fields[self._place(name)].type
        parts = [
            exactly(batch.column(name).slice(max(begin - first, 0), end - max(first, begin)), kind)
            for first, batch in self.batches
            if first < end and first + batch.num_rows > begin
        ]
        return parts[0] if len(parts) == 1 else pa.concat_arrays(parts or [pa.nulls(0, kind)])


def taken(part: Part, names: Sequence[str], chosen: Bools) -> tuple[Runs, list[pa.Array]]:
    """Some runs of a part, and columns of their rows in the order of the runs."""
    runs = part.runs
    lengths = np.diff(runs.offsets)
    rows = np.flatnonzero(np.repeat(chosen, lengths))
    places = integers(rows if runs.order is None else runs.order[rows])
    arrays = [part.arrays[name].take(places) for name in names]
    offsets = np.concatenate([[0], np.cumsum(lengths[chosen])]).astype(np.int64)
    return Runs(runs.codes[chosen], offsets, runs.time[rows]), arrays


def answered(
    call: Call,
    held: Gathered,
    series: SeriesKeys,
    span: tuple[int, int],
    wanted: Sequence[str],
    control: Control,
) -> tuple[int, dict[str, pa.Array]]:
    """How many rows the function gives for some runs (from the first, before the last), and the columns that are wanted."""
    runs = held.runs
    first, last = span
    begin, end = int(runs.offsets[first]), int(runs.offsets[last])
    rows: slice | Ints = slice(begin, end)
    batch = Batch(
        runs.offsets[first : last + 1] - begin,
        runs.time[begin:end],
        floats(held.column(call.values[0], rows)),
        call.input.unit(call.time),
        call.input.zone(call.time),
    )
    answer = call.spec.run(batch, call.options, control)
    columns = dict(zip(call.keys, _keys(series, runs.codes[first:last], answer, call, wanted), strict=True))
    kinds = {field.name: field.type for field in call.fields}
    if call.spec.keeps_rows and answer.rows is not None:
        rows = answer.rows + begin
    for name in wanted:
        if name in columns:
            continue
        if name in answer.columns:
            columns[name] = array_of(answer.columns[name], kinds[name])
        elif name == call.time:
            columns[name] = array_of(runs.time[rows] if answer.time is None else answer.time, kinds[name])
        else:
            columns[name] = held.column(name, rows)
    return int(answer.offsets[-1]), {name: columns[name] for name in wanted}


def _keys(
    series: SeriesKeys, codes: Any, answer: Answer, call: Call, wanted: Sequence[str]
) -> list[pa.Array]:
    """The key columns of the answer's rows."""
    if not any(name in wanted for name in call.keys):
        return [pa.nulls(0)] * len(call.keys)
    places = integers(np.repeat(np.arange(len(codes)), np.diff(answer.offsets)))
    return [array.take(places) for array in series.arrays(codes)]


def floats(array: pa.Array) -> Floats:
    """Numbers as float64, NaN where they are NULL."""
    made = array if pa.types.is_float64(array.type) else pc.cast(array, pa.float64(), safe=False)
    if made.null_count:
        made = pc.fill_null(made, np.nan)
    return numbers(made)


def array_of(values: Any, kind: pa.DataType) -> pa.Array:
    """What a function gives for a column, in the column's type: NaN of floats and what is masked are NULL."""
    if isinstance(values, list):
        return pa.array(values, kind)
    valid: Bools | None = None
    if isinstance(values, np.ma.MaskedArray):
        valid, data = ~np.ma.getmaskarray(values), np.ma.getdata(values)
    else:
        data = values
        if pa.types.is_floating(kind):
            missing = np.isnan(data)
            valid = ~missing if missing.any() else None
    data = np.ascontiguousarray(data, np.int32 if kind.bit_width == 32 else data.dtype)
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(data)])
