"""Arrow data in the types that scans stream: what a written column, or a constant, becomes for an engine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.columns import storage_of, stream_type
from luma_bench.storage.columns_dictionary import taken, unified
from luma_bench.storage.columns_join import as_dictionary


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
        whole, codes = taken(whole, used), pc.index_in(codes, value_set=used)
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
