"""A segment's file: one ZIP archive of Zarr arrays, written from front to back and summed on the way."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.storage.codecs import Codec, Encoded
from luma_bench.storage.columns_split import Component
from luma_bench.storage.segment_encode import EncodedArray
from luma_bench.storage.segment_index import (
    INDEX_ARRAY,
    SEAL_BYTES,
    SEGMENT_FORMAT,
    ChunkTable,
    StoredArray,
    pack,
    seal,
    trailer,
)
from luma_bench.storage.segment_layout import Layout
from luma_bench.types.schema import TableSchema

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


class NewFile:
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


class _Summed:
    """A file that is only written on, with the CRC-32C of what was written; ZIP archives need not go back."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._last = b""
        self._crc = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self._stream.write(data)
        self._crc = google_crc32c.extend(self._crc, self._last)
        self._last = data
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._stream.flush()

    def checksum(self) -> int:
        """Of all bytes but the last ones, in whose place it will be."""
        return google_crc32c.extend(self._crc, self._last[:-SEAL_BYTES])


class ArchiveWriter:
    """The archive: arrays as they come, `_index` last, and the comment that points at it."""

    def __init__(self, stream: IO[bytes], schema: TableSchema, layout: Layout) -> None:
        self._file = stream
        self._stream = _Summed(stream)
        target: Any = self._stream
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
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

    def array(self, array: EncodedArray) -> None:
        """Write one array: its metadata and its shards."""
        component, codec, encoded = array.component, array.codec, array.chunks
        shards = max(1, min(self._layout.shard_chunks, len(encoded)))
        self._json(f"{component.name}/zarr.json", self._metadata(component, codec, shards))
        first = len(self._entries)
        for start in range(0, len(encoded), shards):
            self._shard(component, start, shards, encoded[start : start + shards])
        self._arrays.append(
            StoredArray(
                component.name,
                component.dtype,
                component.width,
                codec.name,
                first,
                len(encoded),
                component.fill,
            )
        )

    def finish(self, first_row_id: int | None, zone_map: pa.RecordBatch) -> int:
        """Write `_index`, the ZIP directory, the comment and the file's checksum; gives the file's size."""
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
        size = self._stream.size
        self._file.seek(size - SEAL_BYTES)
        self._file.write(seal(self._stream.checksum()))
        return size

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
                    self._entries.append((0, 0, 0, 0 if values is None else len(values), 0))
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
