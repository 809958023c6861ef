"""Writing a segment: columns are taken apart, chunks encoded on threads, and one ZIP archive of Zarr arrays written."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import SchemaError
from luma_bench.storage import zones
from luma_bench.storage.codecs import Codec, Encoded, codec_for
from luma_bench.storage.columns import ROW_ID_ARRAY, check_storable, node_name
from luma_bench.storage.columns_dictionary import one_dictionary
from luma_bench.storage.columns_split import Component, Split, Splitter
from luma_bench.storage.segment_index import (
    INDEX_ARRAY,
    SEGMENT_FORMAT,
    ChunkTable,
    StoredArray,
    pack,
    seal,
    trailer,
)
from luma_bench.storage.segment_layout import Layout, layout_of, without_views
from luma_bench.types.schema import Column, TableSchema

_ABSENT = 2**64 - 1
_ZARR_DTYPES = {
    "u1": "uint8",
    "i1": "int8",
    "i2": "int16",
    "u2": "uint16",
    "i4": "int32",
    "u4": "uint32",
    "i8": "int64",
    "u8": "uint64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
}


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
) -> Written:
    """Write a new segment file; nothing is left behind when it fails.

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
    with ThreadPoolExecutor(settings.effective_threads, thread_name_prefix="luma-encode") as threads:
        work = [
            threads.submit(_take_apart, column, table.column(i), schema.name, chunk, starts)
            for i, column in enumerate(schema.columns)
        ]
        pieces = [future.result() for future in work]
        components = [component for split, _ in pieces for component in split.components]
        if row_ids is not None:
            parts = [np.asarray(row_ids.slice(start, chunk).to_numpy(), np.int64) for start in starts]
            components.append(Component(ROW_ID_ARRAY, parts, np.dtype(np.int64), 1, chunk, len(table)))
        zone_map = {
            column.id: (column.type, held) for column, (_, held) in zip(schema.columns, pieces, strict=True)
        }
        distinct = {
            column.id: len(split.dictionary)
            for column, (split, _) in zip(schema.columns, pieces, strict=True)
            if split.dictionary is not None
        }
        encoding = _Encoding(components, schema.settings.codec, threads)
        with _created(path) as stream:
            with _ArchiveWriter(stream, schema, layout) as writer:
                for component, codec, futures in encoding:
                    writer.array(
                        component, codec, [None if future is None else future.result() for future in futures]
                    )
                writer.finish(first_row_id, zones.to_batch(zone_map, distinct))
            nbytes = stream.seek(0, os.SEEK_END)
            seal(stream, nbytes)
            stream.flush()
            if sync:
                os.fdatasync(stream.fileno())
    if sync:
        sync_folder(path.parent)
    whole = {column_id: (kind, [zones.merged(held)]) for column_id, (kind, held) in zone_map.items()}
    return Written(nbytes, zones.to_bytes(zones.to_batch(whole, distinct)))


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _created:  # noqa: N801 - used as a verb in a with statement
    """A file that must be new; it is removed again when the block fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = path.open("x+b", buffering=1 << 20)

    def __enter__(self) -> IO[bytes]:
        return self._stream

    def __exit__(self, kind: object, *_: object) -> None:
        self._stream.close()
        if kind is not None:
            self._path.unlink()


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
    column: Column, data: pa.ChunkedArray, table: str, chunk: int, starts: range
) -> tuple[Split, list[zones.Zone]]:
    data = one_dictionary(data)
    try:
        arrays = [_piece(data.slice(start, chunk)) for start in starts]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError.column(
            table, column.name, f"its chunks cannot be joined: {error}", "Combine the column's chunks first."
        ) from error
    index = column.type.index_type if pa.types.is_dictionary(column.type) else None
    split = Splitter(table, chunk, len(data)).column(node_name(column.id), column.name, arrays, index)
    if split.codes is None or split.dictionary is None:
        return split, [zones.zone_of(array) for array in arrays]
    held: list[zones.Zone] = []
    for array, codes in zip(arrays, split.codes, strict=True):
        used = split.dictionary.take(
            pa.array(np.flatnonzero(np.bincount(codes)) if len(codes) else np.zeros(0, np.int64))
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


class _Encoding:
    """Every chunk of every component, encoded on threads, given back array by array in order."""

    def __init__(
        self, components: Sequence[Component], table_codec: str, threads: ThreadPoolExecutor
    ) -> None:
        self._components = components
        self._table_codec = table_codec
        self._threads = threads

    def __iter__(self) -> Iterator[tuple[Component, Codec, list[Future[Encoded] | None]]]:
        jobs = [
            (component, codec_for(component.dtype, component.width, self._table_codec))
            for component in self._components
        ]
        futures = [
            [
                None
                if part is None
                else self._threads.submit(codec.encode, part, component.chunk * component.width - len(part))
                for part in component.parts
            ]
            for component, codec in jobs
        ]
        for i, (component, codec) in enumerate(jobs):
            yield component, codec, futures[i]
            futures[i] = []


class _ArchiveWriter:
    """The archive: arrays as they come, `_index` last, and the comment that points at it."""

    def __init__(self, stream: IO[bytes], schema: TableSchema, layout: Layout) -> None:
        self._stream = stream
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED)
        self._schema = schema
        self._layout = layout
        self._arrays: list[StoredArray] = []
        self._entries: list[tuple[int, int, int, int, int]] = []
        columns = [
            {"id": column.id, "name": column.name, "type": str(column.type)} for column in schema.columns
        ]
        attributes = {
            "luma": {
                "format": SEGMENT_FORMAT,
                "table": schema.name,
                "rows": layout.rows,
                "chunk_rows": layout.chunk_rows,
                "columns": columns,
            }
        }
        self._json("zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": attributes})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            # Closed all the same: an archive left open would write to the closed file when it is collected.
            with suppress(OSError, ValueError):
                self._zip.close()

    def array(self, component: Component, codec: Codec, encoded: list[Encoded | None]) -> None:
        """Write one array: its metadata and its shards."""
        shards = max(1, min(self._layout.shard_chunks, len(encoded)))
        self._json(f"{component.name}/zarr.json", self._metadata(component, codec, shards))
        first = len(self._entries)
        for start in range(0, len(encoded), shards):
            self._shard(component, start, shards, encoded[start : start + shards])
        self._arrays.append(
            StoredArray(component.name, component.dtype, component.width, codec.name, first, len(encoded))
        )

    def finish(self, first_row_id: int | None, zone_map: pa.RecordBatch) -> None:
        """Write `_index`, the ZIP directory and the comment."""
        columns = [np.array([entry[i] for entry in self._entries], np.uint64) for i in range(5)]
        fields = [
            column.field.with_metadata({**(column.field.metadata or {}), b"luma.id": str(column.id).encode()})
            for column in self._schema.columns
        ]
        index = pack(
            self._layout,
            first_row_id,
            pa.schema(fields),
            self._arrays,
            ChunkTable(*columns),
            zone_map,
        )
        plain = [{"name": "bytes"}]
        self._json(f"{INDEX_ARRAY}/zarr.json", _array_metadata([len(index)], [len(index)], "uint8", plain, 0))
        with self._entry(f"{INDEX_ARRAY}/c/0", len(index)) as entry:
            offset = self._stream.tell()
            entry.write(index)
        self._zip.comment = trailer(offset, len(index), google_crc32c.value(index))
        self._zip.close()

    def _metadata(self, component: Component, codec: Codec, shards: int) -> dict[str, Any]:
        wide = [component.width] if component.width > 1 else []
        sharding = {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [component.chunk, *wide],
                "codecs": codec.metadata(),
                "index_codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}},
                    {"name": "crc32c"},
                ],
                "index_location": "end",
            },
        }
        dtype = _ZARR_DTYPES[component.dtype.str[1:]]
        return _array_metadata(
            [component.shape, *wide], [component.chunk * shards, *wide], dtype, [sharding], component.fill
        )

    def _shard(self, component: Component, start: int, shards: int, encoded: list[Encoded | None]) -> None:
        index = np.full((shards, 2), _ABSENT, np.uint64)
        size = sum(len(part.data) for part in encoded if part is not None) + index.nbytes + 4
        with self._entry(
            f"{component.name}/c/{start // shards}" + ("/0" if component.width > 1 else ""), size
        ) as entry:
            base, offset = self._stream.tell(), 0
            for i, part in enumerate(encoded):
                values = component.parts[start + i]
                if part is None or values is None:
                    self._entries.append((0, 0, 0, 0, 0))
                    continue
                entry.write(part.data)
                index[i] = offset, len(part.data)
                self._entries.append(
                    (base + offset, len(part.data), part.head, len(values), google_crc32c.value(part.data))
                )
                offset += len(part.data)
            raw = index.tobytes()
            entry.write(raw + google_crc32c.value(raw).to_bytes(4, "little"))

    def _entry(self, name: str, size: int) -> IO[bytes]:
        info = zipfile.ZipInfo(name)
        info.file_size = size
        return self._zip.open(info, "w")

    def _json(self, name: str, document: dict[str, Any]) -> None:
        self._zip.writestr(zipfile.ZipInfo(name), json.dumps(document, ensure_ascii=False).encode())


def _array_metadata(
    shape: list[int], chunk: list[int], dtype: str, codecs: list[dict[str, Any]], fill: int
) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs,
        "attributes": {},
    }
