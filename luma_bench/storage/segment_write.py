"""Writing a segment: columns are taken apart, chunks encoded on threads, and one ZIP archive of Zarr arrays written."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import SchemaError
from luma_bench.storage import zones
from luma_bench.storage.columns import ROW_ID_ARRAY, check_storable, node_name
from luma_bench.storage.columns_dictionary import one_dictionary, taken
from luma_bench.storage.columns_hidden import without_hidden_codes
from luma_bench.storage.columns_split import Component, Split, Splitter
from luma_bench.storage.key_sidecar import key_components
from luma_bench.storage.segment_archive import ArchiveWriter, NewFile
from luma_bench.storage.segment_encode import Work, encoded
from luma_bench.storage.segment_layout import layout_of, without_views
from luma_bench.storage.statistics import to_bytes
from luma_bench.types.schema import Column, TableSchema


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_file` made: the file's size and the statistics for the catalog."""

    nbytes: int
    stats: bytes


def write_file(
    path: Path,
    table: pa.Table,
    schema: TableSchema,
    *,
    first_row_id: int | None,
    row_ids: pa.Array | None,
    settings: Settings,
    sync: bool,
    level: int = 0,
    threads: Executor | None = None,
) -> Written:
    """Write a new segment file; nothing is left behind when it fails.

    `threads` encode; without any it starts its own.

    Raises
    ------
    SchemaError
        The table does not have the schema's columns and types, or holds what cannot be stored.
    OSError
        The file exists already or cannot be written.
    """
    _check(table, schema)
    table = without_views(table)
    layout = layout_of(table, schema, settings)
    chunk = layout.chunk_rows
    starts = range(0, len(table), chunk)
    with ExitStack() as stack:
        if threads is None:
            count = settings.effective_threads
            threads = stack.enter_context(ThreadPoolExecutor(count, thread_name_prefix="luma-encode"))
        work = stack.enter_context(Work(threads))
        taking = [
            work.submit(_take_apart, column, table.column(i), schema, chunk, starts)
            for i, column in enumerate(schema.columns)
        ]
        keys = work.submit(key_components, table, schema)
        pieces: list[tuple[Split, list[zones.Zone]]] = [future.result() for future in taking]
        components = [component for split, _ in pieces for component in split.components]
        if row_ids is not None:
            parts = [np.asarray(row_ids.slice(start, chunk).to_numpy(), np.int64) for start in starts]
            components.append(Component(ROW_ID_ARRAY, parts, np.dtype(np.int64), 1, chunk, len(table)))
        components += keys.result()
        zone_map = {
            column.id: (column.type, held) for column, (_, held) in zip(schema.columns, pieces, strict=True)
        }
        distinct = {
            column.id: len(split.dictionary)
            for column, (split, _) in zip(schema.columns, pieces, strict=True)
            if split.dictionary is not None
        }
        with NewFile(path) as stream:
            with ArchiveWriter(stream, schema, layout) as writer:
                for array in encoded(components, schema.settings.codec, level, work):
                    writer.array(array)
                nbytes = writer.finish(first_row_id, zones.to_batch(zone_map, distinct))
            stream.flush()
            if sync:
                os.fdatasync(stream.fileno())
    if sync:
        sync_folder(path.parent)
    whole = {column_id: (kind, [zones.merged(held)]) for column_id, (kind, held) in zone_map.items()}
    return Written(nbytes, to_bytes(zones.to_batch(whole, distinct)))


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(table: pa.Table, schema: TableSchema) -> None:
    if tuple(table.schema.names) != schema.names:
        raise SchemaError(
            f"Table {schema.name!r}: the data has the columns {list(table.schema.names)}, the table {list(schema.names)}.",
            hint="Give the columns in the table's order, under the table's names.",
        )
    for field, column in zip(table.schema, schema.columns, strict=True):
        if field.type != column.type:
            raise SchemaError.column(
                schema.name,
                column.name,
                f"the data is {field.type}, the table {column.type}.",
                "Cast the data to the table's type.",
            )
    check_storable(table.schema, schema.name)


def _take_apart(
    column: Column, data: pa.ChunkedArray, schema: TableSchema, chunk: int, starts: range
) -> tuple[Split, list[zones.Zone]]:
    data = one_dictionary(data)
    try:
        data = pa.chunked_array([without_hidden_codes(array) for array in data.chunks], data.type)
        arrays = [_piece(data.slice(start, chunk)) for start in starts]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError.column(
            schema.name,
            column.name,
            f"its chunks cannot be joined: {error}",
            "Combine the column's chunks first.",
        ) from error
    series = column.name in schema.settings.series_key
    split = Splitter(schema.name, chunk, len(data)).column(
        node_name(column.id), column.name, arrays, series=series
    )
    if split.codes is None or split.dictionary is None:
        return split, [zones.zone_of(array) for array in arrays]
    held: list[zones.Zone] = []
    for array, codes in zip(arrays, split.codes, strict=True):
        used = taken(
            split.dictionary,
            pa.array(np.flatnonzero(np.bincount(codes)) if len(codes) else np.zeros(0, np.int64)),
        )
        inner = zones.zone_of(used)
        held.append(
            zones.Zone(len(array), len(array) - len(codes), inner.nan, inner.low, inner.high, inner.open)
        )
    return split, held


def _piece(data: pa.ChunkedArray) -> pa.Array:
    """A slice of a column as one array; nothing is copied where it lies in one chunk."""
    chunks = [chunk for chunk in data.chunks if len(chunk)]
    if len(chunks) == 1:
        return chunks[0]
    combined = pa.chunked_array(chunks, data.type).combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
