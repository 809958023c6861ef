"""Inline blobs: small writes as checked Arrow IPC in the catalog, and the decoded tail of a table."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import google_crc32c
import pyarrow as pa

from luma_bench.errors import CorruptionError, SnapshotExpired
from luma_bench.storage.catalog.change import BlobRef, NewBlob
from luma_bench.storage.catalog.resolved import Contents, Fetch
from luma_bench.storage.columns_dictionary import narrowed, one_dictionary
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.evolve_types import widens
from luma_bench.storage.evolve_values import column_of
from luma_bench.storage.scan import InlineBlob
from luma_bench.types.schema import Column, TableSchema

TAIL_BYTES = 1_000_000
TAIL_BLOBS = 1_000
TAIL_ROWS = 65_536
"""A tail that has reached one of these is flushed into a segment by the next write."""

_CACHED_TABLES = 256


def encode_blob(table: pa.Table, schema: TableSchema) -> NewBlob:
    """The rows as an Arrow IPC stream whose columns are named by their ids."""
    for i, column in enumerate(schema.columns):
        if pa.types.is_dictionary(column.type) and pa.types.is_floating(column.type.value_type):
            # Arrow's stream takes dictionaries for the same that differ in -0.0 or NaN alone.
            table = table.set_column(i, column.field, _combined(table.column(i)))
    named = table.rename_columns([f"c{column.id}" for column in schema.columns]).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, named.schema) as writer:
        writer.write_table(named)
    data = sink.getvalue().to_pybytes()
    return NewBlob(table.num_rows, data, google_crc32c.value(data))


def decode_blob(ref: BlobRef, crc32c: int, data: bytes, schema: TableSchema) -> InlineBlob:
    """The rows of a blob with the names and the exact types of `schema`.

    Raises
    ------
    CorruptionError
        The bytes are not those that were written.
    """
    segment = f"inline blob {ref.id} of table {schema.name!r}"
    if len(data) != ref.nbytes or google_crc32c.value(data) != crc32c:
        raise CorruptionError.file_of(segment, "the checksum is wrong")
    try:
        found = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    except pa.ArrowInvalid as error:
        raise CorruptionError.file_of(segment, f"no Arrow data: {error}") from error
    arrays = [_column(found, column, segment) for column in schema.columns]
    table = pa.Table.from_arrays(arrays, schema=schema.arrow)
    if table.num_rows != ref.rows:
        raise CorruptionError.file_of(segment, f"{table.num_rows:,} rows where the catalog says {ref.rows:,}")
    return InlineBlob(ref.id, ref.rows, ref.first_row_id, table)


def _column(found: pa.Table, column: Column, segment: str) -> pa.ChunkedArray:
    name = f"c{column.id}"
    stored = found.schema.field(name).type if name in found.schema.names else column.type
    if stored != column.type and not widens(stored, column.type):
        raise CorruptionError(
            f"{segment} holds column {column.name!r} as {stored}.", segment=segment, column=column.name
        )
    return column_of(found, name, column)


def is_full(held: Contents) -> bool:
    """Whether the next write shall flush this table's tail into a segment."""
    return len(held.blobs) >= TAIL_BLOBS or held.tail_rows >= TAIL_ROWS or held.tail_bytes >= TAIL_BYTES


def adjoining(blobs: Sequence[InlineBlob]) -> list[list[InlineBlob]]:
    """The blobs in runs whose row ids follow each other without a gap."""
    found: list[list[InlineBlob]] = []
    for blob in blobs:
        last = found[-1][-1] if found else None
        if last is not None and last.first_row_id + last.rows == blob.first_row_id:
            found[-1].append(blob)
        else:
            found.append([blob])
    return found


def joined(blobs: Sequence[InlineBlob]) -> InlineBlob:
    """Adjoining blobs as one, under the id of the last.

    Raises
    ------
    pa.ArrowInvalid, pa.ArrowNotImplementedError
        Dictionaries inside lists or structs of the blobs do not go together: see `joinable`.
    """
    if len(blobs) == 1:
        return blobs[0]
    tables = pa.concat_tables([blob.table for blob in blobs])
    table = pa.Table.from_arrays([_combined(column) for column in tables.columns], schema=tables.schema)
    return InlineBlob(blobs[-1].id, table.num_rows, blobs[0].first_row_id, table)


def joinable(run: Sequence[InlineBlob]) -> list[list[InlineBlob]]:
    """A run of adjoining blobs in groups that `joined` takes: all of them, or each alone."""
    try:
        joined(run)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return [[blob] for blob in run]
    return [list(run)]


def _combined(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in one chunk; in more when its dictionaries hold more values together than their index type counts."""
    if not pa.types.is_dictionary(column.type):
        return pa.chunked_array([one_array(column)], column.type)
    chunks = one_dictionary(column).chunks
    return pa.chunked_array([part for chunk in chunks for part in narrowed(chunk, column.type)], column.type)


@dataclass(frozen=True, slots=True)
class _Decoded:
    ids: tuple[int, ...]
    columns: tuple[Column, ...]
    parts: tuple[tuple[int, InlineBlob], ...]  # how many blobs a part joins, and the part


class TailCache:
    """The decoded tails of tables; a tail that has grown is decoded from where it was. Thread-safe.

    Small parts are joined as they come, each row a logarithmic number of times, so that a scan of a thousand
    one-row writes meets about ten parts.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._tails: OrderedDict[int, _Decoded] = OrderedDict()

    def __call__(self, schema: TableSchema, blobs: Sequence[BlobRef]) -> tuple[InlineBlob, ...]:
        """The rows of `blobs`, in their order.

        Raises
        ------
        CorruptionError
            A blob is damaged.
        SnapshotExpired
            A blob was collected.
        """
        ids = tuple(blob.id for blob in blobs)
        with self._lock:
            known = self._tails.get(schema.id)
        parts: list[tuple[int, InlineBlob]] = []
        done = 0
        if known is not None and known.columns == schema.columns and ids[: len(known.ids)] == known.ids:
            parts, done = list(known.parts), len(known.ids)
        if done < len(ids):
            data = self._fetch(ids[done:])
            for blob in blobs[done:]:
                if blob.id not in data:
                    hint = "Read a newer snapshot."
                    raise SnapshotExpired(
                        f"Rows of table {schema.name!r} at this snapshot were collected.", hint=hint
                    )
                _push(parts, decode_blob(blob, *data[blob.id], schema))
            with self._lock:
                self._tails[schema.id] = _Decoded(ids, schema.columns, tuple(parts))
                self._tails.move_to_end(schema.id)
                while len(self._tails) > _CACHED_TABLES:
                    self._tails.popitem(last=False)
        return tuple(part for _, part in parts)


def _push(parts: list[tuple[int, InlineBlob]], blob: InlineBlob) -> None:
    parts.append((1, blob))
    while len(parts) > 1 and parts[-1][0] >= parts[-2][0]:
        (left, before), (right, after) = parts[-2:]
        if before.first_row_id + before.rows != after.first_row_id:
            return
        try:
            parts[-2:] = [(left + right, joined([before, after]))]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return
