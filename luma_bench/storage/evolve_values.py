"""Values of a column as its schema has them now: constants for rows older than the column, casts for older types."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import pyarrow as pa

from luma_bench.storage.columns_stream import streamed
from luma_bench.types.schema import Column, TableSchema


def constant(value: pa.Scalar | None, kind: pa.DataType, rows: int) -> pa.Array:
    """`rows` times a value, as `kind`: the value's own type, its stream type, or a dictionary of that.

    None gives NULLs.
    """
    if value is None:
        return pa.nulls(rows, kind)
    one = pa.repeat(value, 1)
    if one.type != kind:
        one = streamed(pa.chunked_array([one]), kind)
    return pa.repeat(one[0], rows) if rows != 1 else one


def widened(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values of an older type as `kind`, which it widens to, or the stream type of such a type.

    Raises
    ------
    pa.ArrowInvalid
        A time lies beyond what the finer unit counts.
    """
    if array.type == kind:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_dictionary(array.type):
        if pa.types.is_dictionary(kind):
            held: Any = kind
            indices = array.indices.cast(held.index_type)
            return pa.DictionaryArray.from_arrays(indices, array.dictionary, ordered=held.ordered)
        return widened(array.dictionary_decode(), kind)
    return array.cast(kind)


def column_of(rows: pa.Table, name: str, column: Column) -> pa.ChunkedArray:
    """A column of stored rows in the type and with the values that the schema gives it now.

    Parameters
    ----------
    rows
        Rows as they were written: the column may be missing, or of an older type.
    name
        The column's name there.
    """
    if name not in rows.schema.names:
        return pa.chunked_array([constant(column.initial, column.type, rows.num_rows)], column.type)
    data = rows.column(name)
    if data.type == column.type:
        return data
    return pa.chunked_array([widened(chunk, column.type) for chunk in data.chunks], column.type)


def table_as(rows: pa.Table, old: TableSchema, new: TableSchema) -> pa.Table:
    """Rows that were written under the names and types of `old` as rows of `new`: columns are the same by their ids."""
    held = rows.select(list(old.names)).rename_columns([str(column.id) for column in old.columns])
    arrays = [column_of(held, str(column.id), column) for column in new.columns]
    return pa.Table.from_arrays(arrays, schema=new.arrow)


def form_of(column: Column, kind: pa.DataType) -> str:
    """What names the values of a column when it is read as `kind`: two forms are equal only where the values are."""
    if column.initial is None:
        return str(kind)
    return f"{kind}={hashlib.blake2b(encode_value(column.initial), digest_size=16).hexdigest()}"


def encode_value(value: pa.Scalar) -> bytes:
    """An Arrow IPC stream of one column `value` with this one row."""
    batch = pa.record_batch([pa.repeat(value, 1)], names=["value"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


@functools.lru_cache(maxsize=4096)
def decode_value(data: bytes) -> pa.Scalar:
    """The value of an Arrow IPC stream of one row."""
    return pa.ipc.open_stream(pa.py_buffer(data)).read_next_batch().column(0)[0]


def scalar_of(value: Any, kind: pa.DataType) -> pa.Scalar | None:
    """A Python value or Arrow scalar as a value of `kind`; None for NULL.

    Raises
    ------
    pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, ValueError
        It is not a value of that type, or would change.
    """
    if value is None:
        return None
    if isinstance(value, pa.Scalar):
        if not value.is_valid:
            return None
        one = pa.repeat(value, 1)
        return (one if one.type == kind else one.cast(kind))[0]
    if isinstance(kind, pa.BaseExtensionType):
        storage = scalar_of(int(value) if isinstance(value, bool) else value, kind.storage_type)
        return None if storage is None else pa.ExtensionArray.from_storage(kind, pa.repeat(storage, 1))[0]
    temporal = pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    if (temporal and not isinstance(value, int)) or (pa.types.is_integer(kind) and isinstance(value, float)):
        # Made in its own type and cast: Arrow would cut off what does not fit, and the time zone.
        made = pa.scalar(value)
        zone = getattr(made.type, "tz", None) is None
        if pa.types.is_timestamp(made.type) and pa.types.is_timestamp(kind) and zone != (kind.tz is None):
            raise pa.ArrowInvalid("one has a time zone and the other has none")
        return made.cast(kind)
    made = pa.array([value], kind)[0]
    return made if made.is_valid else None
