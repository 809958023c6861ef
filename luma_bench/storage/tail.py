"""The inline tail of a table: small writes kept in the catalog, in the form that a scan streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.columns import storage_of, stream_type
from luma_bench.storage.columns_dictionary import unified
from luma_bench.storage.columns_join import as_dictionary
from luma_bench.types.schema import Column


@dataclass(frozen=True, slots=True)
class InlineBlob:
    """A small write, decoded: rows under the schema's names and types, with contiguous row ids.

    `deleted` holds the sorted int64 positions of rows deleted at this snapshot, or None.
    """

    id: int
    rows: int
    first_row_id: int
    table: pa.Table
    deleted: np.ndarray | None = None

    @property
    def live_rows(self) -> int:
        """Rows that are not deleted."""
        return self.rows - (0 if self.deleted is None else len(self.deleted))

    def keep(self) -> pa.BooleanArray | None:
        """The mask of live rows, or None when all are."""
        if self.deleted is None or not len(self.deleted):
            return None
        mask = np.ones(self.rows, bool)
        mask[self.deleted] = False
        return pa.array(mask)


def row_ids(blobs: Sequence[InlineBlob]) -> pa.Array:
    """The row ids of the live rows of all blobs."""
    parts = [np.zeros(0, np.int64)]
    for blob in blobs:
        ids = np.arange(blob.first_row_id, blob.first_row_id + blob.rows)
        parts.append(ids if blob.deleted is None else np.delete(ids, blob.deleted))
    return pa.array(np.concatenate(parts), pa.int64())


def exact(blobs: Sequence[InlineBlob], column: Column) -> pa.ChunkedArray:
    """The live rows of one column in its written type; NULL where a blob lacks the column."""
    parts: list[pa.Array] = []
    for blob in blobs:
        if column.name in blob.table.schema.names:
            data = blob.table.column(column.name)
            data = data if data.type == column.type else data.cast(column.type)
        else:
            data = pa.chunked_array([pa.nulls(blob.rows, column.type)])
        keep = blob.keep()
        parts += (data if keep is None else filtered(data, keep)).chunks
    return pa.chunked_array(parts, column.type)


def filtered(data: Any, keep: pa.BooleanArray) -> Any:
    """The kept rows of an array, chunked array, batch or table of any type; Arrow cannot filter string views."""
    try:
        return data.filter(keep)
    except pa.ArrowNotImplementedError:
        runs = np.flatnonzero(keep.to_numpy(zero_copy_only=False))
        parts = [
            data.slice(int(run[0]), len(run))
            for run in np.split(runs, np.flatnonzero(np.diff(runs) != 1) + 1)
            if len(run)
        ]
        chunks = [
            chunk
            for part in parts
            for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
        ]
        return pa.chunked_array(chunks, data.type)


def streamed(data: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Written-type rows as one array of a scan's type: `stream_type`, or a dictionary of it."""
    if not pa.types.is_dictionary(kind):
        return _plain(data, kind)
    if not pa.types.is_dictionary(data.type):
        return as_dictionary(_plain(data, kind.value_type), kind)
    # Arrow's own joining refuses dictionaries with nulls, and codes that outgrow a narrow index.
    whole, parts = unified(data.chunks or [pa.array([], data.type)])
    codes = pa.chunked_array(parts, pa.int32()).combine_chunks()
    codes = codes.chunk(0) if isinstance(codes, pa.ChunkedArray) else codes
    used = codes.drop_null().unique().sort()
    if len(used) < len(whole):
        whole, codes = whole.take(used), pc.index_in(codes, value_set=used)
    values = _plain(pa.chunked_array([whole]), kind.value_type)
    return pa.DictionaryArray.from_arrays(codes.cast(kind.index_type), values)


def _plain(data: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    if data.type == kind:
        return one_array(data)
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _plain(_storage(data), storage_of(kind)))
    if isinstance(data.type, pa.BaseExtensionType):
        return _plain(_storage(data), kind)
    wanted = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_dictionary(data.type):
        data = pa.chunked_array([chunk.dictionary_decode() for chunk in data.chunks], data.type.value_type)
    if data.type != wanted and stream_type(data.type) != wanted:
        data = data.cast(stream_type(data.type))
    return one_array(data if data.type == wanted else data.cast(wanted))


def _storage(data: pa.ChunkedArray) -> pa.ChunkedArray:
    kind: Any = data.type
    return pa.chunked_array([chunk.storage for chunk in data.chunks], kind.storage_type)


def one_array(data: pa.ChunkedArray) -> pa.Array:
    """A chunked array as one array."""
    chunks = [chunk for chunk in data.chunks if len(chunk)]
    if len(chunks) == 1:
        return chunks[0]
    combined = pa.chunked_array(chunks, data.type).combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
