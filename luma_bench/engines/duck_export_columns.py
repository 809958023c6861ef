"""Parquet and Arrow files, written by pyarrow as the batches come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from luma_bench.errors import UnsupportedError

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

_GROUP_BYTES = 256 << 20
"""What the rows of a row group may take in memory before they are written."""


def write_parquet(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch], path: Path, compression: str, group_rows: int
) -> None:
    """Row groups of `group_rows` rows, with statistics and a page index, by which readers skip.

    Raises
    ------
    UnsupportedError
        Parquet has no such type; nothing was read from the batches.
    """
    import pyarrow.parquet as pq

    _check_parquet(schema)
    with pq.ParquetWriter(
        path, schema, compression=compression, write_statistics=True, write_page_index=True
    ) as writer:
        for table in _groups(schema, batches, group_rows):
            writer.write_table(table, group_rows)


def _check_parquet(schema: pa.Schema) -> None:
    import pyarrow.parquet as pq

    for field in schema:
        try:
            with pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])):
                pass
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            raise UnsupportedError(
                f"Column {field.name!r}: Parquet has no type for {field.type}.",
                hint=f"Export it as arrow, or as text: SELECT … {field.name}::VARCHAR AS {field.name} ….",
            ) from error


def _groups(schema: pa.Schema, batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, rows - count)
            waiting.append(piece)
            start += piece.num_rows
            count += piece.num_rows
            size += piece.nbytes
            if count == rows or size >= _GROUP_BYTES:
                yield pa.Table.from_batches(waiting, schema)
                waiting, count, size = [], 0, 0
    if count:
        yield pa.Table.from_batches(waiting, schema)


def write_arrow(
    schema: pa.Schema, batches: Iterator[pa.RecordBatch], path: Path, compression: str, *, stream: bool
) -> None:
    """An Arrow IPC file (which Feather readers open too), or an IPC stream.

    Raises
    ------
    UnsupportedError
        The dictionaries of a column outgrow its type, or a nested column has another in each batch.
    """
    chosen = None if compression == "none" else compression
    options = pa.ipc.IpcWriteOptions(compression=chosen, emit_dictionary_deltas=not stream)
    grown = (
        {}
        if stream
        else {i: _Growing() for i, kind in enumerate(schema.types) if pa.types.is_dictionary(kind)}
    )
    with pa.OSFile(str(path), "wb") as sink:
        opened = pa.ipc.new_stream if stream else pa.ipc.new_file
        with opened(sink, schema, options=options) as writer:
            for batch in batches:
                columns = [
                    grown[i].taken(array) if i in grown else array for i, array in enumerate(batch.columns)
                ]
                try:
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
                except pa.ArrowInvalid as error:
                    raise UnsupportedError(
                        f"An Arrow file cannot hold this table: {error}",
                        hint="Write a stream (.arrows) or Parquet.",
                    ) from error


class _Growing:
    """The dictionary of a column over all batches: a file may add to a dictionary, but not put another in its place."""

    def __init__(self) -> None:
        self._values: pa.Array | None = None

    def taken(self, array: Any) -> pa.Array:
        """The batch's column over the dictionary so far, with what is new behind it."""
        kind, own = array.type, array.dictionary
        known = self._values
        if known is None or known.equals(own):
            self._values = own
            return array
        place = pc.index_in(own, value_set=known)
        fresh = own.filter(place.is_null())
        if len(fresh):
            known = self._values = pa.concat_arrays([known, fresh])
            place = pc.index_in(own, value_set=known)
        indices = place.take(array.indices)
        try:
            return pa.DictionaryArray.from_arrays(indices.cast(kind.index_type), known, ordered=kind.ordered)
        except pa.ArrowInvalid as error:
            raise UnsupportedError(
                f"An Arrow file has one dictionary for a column, and {len(known):,} values are too many for {kind.index_type}.",
                hint="Write a stream (.arrows) or Parquet.",
            ) from error
