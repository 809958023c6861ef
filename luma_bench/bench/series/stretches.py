"""Rows that come as a stream, gathered into stretches and sorted into runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.index_chunks import runs_of
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part
from luma_bench.bench.series.values import operand
from luma_bench.models.control import Control


def stretches(
    batches: Iterator[pa.RecordBatch],
    columns: Sequence[str],
    keys: Sequence[str],
    time: str,
    control: Control,
    series: SeriesKeys,
) -> Iterator[Part]:
    """Parts of about `control.batch` rows each, in the order of the stream."""
    held: list[pa.RecordBatch] = []
    rows = first = 0
    for batch in batches:
        control.check()
        held.append(batch)
        rows += batch.num_rows
        if rows >= control.batch:
            yield _part(held, columns, keys, time, series, first)
            first += rows
            held, rows = [], 0
    if rows:
        yield _part(held, columns, keys, time, series, first)


def _part(
    batches: Sequence[pa.RecordBatch],
    columns: Sequence[str],
    keys: Sequence[str],
    time: str,
    series: SeriesKeys,
    first: int,
) -> Part:
    names = batches[0].schema.names

    def joined(name: str) -> pa.Array:
        place = names.index(name)
        arrays = [batch.column(place) for batch in batches]
        if len(arrays) == 1:
            return arrays[0]
        if pa.types.is_dictionary(arrays[0].type):
            # Dictionaries of their own may be too many values together for the type of their places.
            whole = pa.chunked_array(
                [array.cast(pa.dictionary(pa.int32(), array.type.value_type)) for array in arrays]
            ).unify_dictionaries()
            return pa.concat_arrays(whole.chunks)
        return pa.concat_arrays(arrays)

    data, valid = operand(joined(time))
    codes = series.codes([joined(name) for name in keys], rows=len(data))
    runs = runs_of(codes, data.astype(np.int64, copy=False), len(series), valid)
    return Part(runs, {name: joined(name) for name in columns}, first)
