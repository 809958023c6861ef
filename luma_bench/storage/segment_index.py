"""A segment's `_index`: where every encoded chunk lies, its checksum, and the zone maps, as Arrow IPC.

Three IPC streams one behind the other: the arrays, their chunks, the zone maps. The ZIP archive's comment points at
them, so that a reader finds everything with one read of the file's end and never parses the ZIP directory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import IO, Any

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.storage.segment_layout import Layout
from luma_bench.types.arrays import numbers

SEGMENT_FORMAT = 1
INDEX_ARRAY = "_index"

_TRAILER = struct.Struct("<8sQQII")
_SEAL = struct.Struct("<I")
_MAGIC = b"LUMASEG1"
_END_OF_ARCHIVE = b"PK\x05\x06"
_END_BYTES = 22
_BLOCK = 1 << 20
TAIL_BYTES = _END_BYTES + _TRAILER.size
"""The end of a segment file: the ZIP end record and the comment that points at the index."""

SEAL_BYTES = _SEAL.size
"""The last bytes of a segment file: the CRC-32C of all bytes before them."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """One array as it lies in the file: `chunks` entries of the chunk table from `first` on; `fill` where one is left out."""

    name: str
    dtype: np.dtype
    width: int
    codec: str
    first: int
    chunks: int
    fill: int = 0


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """Every encoded chunk: where it lies, how much of it is data, how many elements it holds, and its CRC-32C.

    A `length` of 0 is a chunk that was left out: all its elements are the array's fill value. With a `count` of 0 it
    is one of an array of validity bits, in a row chunk without nulls.
    """

    offset: np.ndarray
    length: np.ndarray
    head: np.ndarray
    count: np.ndarray
    crc: np.ndarray


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """What `_index` holds.

    `schema` is the Arrow schema at the time of writing, its fields' metadata name column ids; `batch_chunks` is how many
    adjacent row chunks a scan may decode together without making too large a batch.
    """

    rows: int
    chunk_rows: int
    batch_chunks: int
    first_row_id: int | None
    schema: pa.Schema
    arrays: dict[str, StoredArray]
    chunks: ChunkTable
    zones: pa.RecordBatch
    nbytes: int

    def ranges(self, nodes: Set[str], first: int, count: int) -> list[tuple[int, int]]:
        """Where `count` row chunks from `first` on lie, of all arrays of the columns with these root nodes; dictionaries whole."""
        found: list[tuple[int, int]] = []
        for name, array in self.arrays.items():
            if name.split(".", 1)[0] not in nodes:
                continue
            by_row = array.chunks == self.row_chunks  # else it is a dictionary
            start = array.first + (first if by_row else 0)
            chunks = slice(start, start + (count if by_row else array.chunks))
            offsets, lengths = self.chunks.offset[chunks].tolist(), self.chunks.length[chunks].tolist()
            found += [where for where in zip(offsets, lengths, strict=True) if where[1]]
        return found

    @property
    def row_chunks(self) -> int:
        """The number of row chunks."""
        return -(-self.rows // self.chunk_rows)


def in_dictionary(array: str) -> bool:
    """Whether an array holds a column's dictionary: its chunks are not those of the rows."""
    return "dict" in array.split(".")


class SegmentIndexError(ValueError):
    """The end of the file or the index is not what a segment has."""


def pack(
    layout: Layout,
    first_row_id: int | None,
    schema: pa.Schema,
    arrays: Sequence[StoredArray],
    chunks: ChunkTable,
    zones: pa.RecordBatch,
) -> bytes:
    """The bytes of `_index`."""
    listed = pa.record_batch(
        {
            "name": pa.array([array.name for array in arrays], pa.string()),
            "dtype": pa.array([array.dtype.str for array in arrays], pa.string()),
            "width": pa.array([array.width for array in arrays], pa.int32()),
            "codec": pa.array([array.codec for array in arrays], pa.string()),
            "chunks": pa.array([array.chunks for array in arrays], pa.int32()),
            "fill": pa.array([array.fill for array in arrays], pa.int64()),
        }
    ).replace_schema_metadata(
        {
            "format": str(SEGMENT_FORMAT),
            "rows": str(layout.rows),
            "chunk_rows": str(layout.chunk_rows),
            "batch_chunks": str(layout.batch_chunks),
            "first_row_id": "" if first_row_id is None else str(first_row_id),
            "schema": schema.serialize().to_pybytes(),
        }
    )
    table = pa.record_batch(
        {
            "offset": pa.array(chunks.offset, pa.uint64()),
            "length": pa.array(chunks.length, pa.uint64()),
            "head": pa.array(chunks.head, pa.uint64()),
            "count": pa.array(chunks.count, pa.uint64()),
            "crc32c": pa.array(chunks.crc, pa.uint32()),
        }
    )
    sink = pa.BufferOutputStream()
    for batch in (listed, table, zones):
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def unpack(data: bytes) -> SegmentIndex:
    """The index from its bytes; arrays of the result lie in `data`.

    Raises
    ------
    SegmentIndexError
        The format is a later one, or the bytes are no index.
    """
    source = pa.BufferReader(pa.py_buffer(data))
    try:
        # Each stream is read to its end, where the next one begins.
        listed, table, zones = (list(pa.ipc.open_stream(source)).pop() for _ in range(3))
        metadata: dict[bytes, bytes] = listed.schema.metadata
        if int(metadata[b"format"]) > SEGMENT_FORMAT:
            raise SegmentIndexError(
                f"it has format {int(metadata[b'format'])}, this version reads up to {SEGMENT_FORMAT}"
            )
        arrays: dict[str, StoredArray] = {}
        first = 0
        rows: list[dict[str, Any]] = listed.to_pylist()
        for row in rows:
            arrays[row["name"]] = StoredArray(
                row["name"],
                np.dtype(row["dtype"]),
                row["width"],
                row["codec"],
                first,
                row["chunks"],
                row["fill"],
            )
            first += row["chunks"]
        first_row_id = metadata[b"first_row_id"]
        return SegmentIndex(
            rows=int(metadata[b"rows"]),
            chunk_rows=int(metadata[b"chunk_rows"]),
            batch_chunks=int(metadata[b"batch_chunks"]),
            first_row_id=int(first_row_id) if first_row_id else None,
            schema=pa.ipc.read_schema(pa.py_buffer(metadata[b"schema"])),
            arrays=arrays,
            chunks=ChunkTable(
                *(numbers(table.column(name)) for name in ("offset", "length", "head", "count", "crc32c"))
            ),
            zones=zones,
            nbytes=len(data),
        )
    except (pa.ArrowInvalid, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise SegmentIndexError(str(error)) from error


def trailer(offset: int, length: int, crc: int) -> bytes:
    """The ZIP comment: magic, the index's offset, length and CRC-32C, and room for the file's own."""
    return _TRAILER.pack(_MAGIC, offset, length, crc, 0)


def checksum(stream: IO[bytes], size: int) -> int:
    """The CRC-32C of the first `size` bytes of a file, or of all where there are fewer."""
    crc = 0
    stream.seek(0)
    while size > 0 and (block := stream.read(min(size, _BLOCK))):
        crc = google_crc32c.extend(crc, block)
        size -= len(block)
    return crc


def seal(crc: int) -> bytes:
    """The last bytes of a finished file, from the CRC-32C of all before them."""
    return _SEAL.pack(crc)


def is_sealed(stream: IO[bytes], size: int) -> bool:
    """Whether the last four bytes of a file of `size` bytes are the checksum of those before."""
    crc = checksum(stream, size - SEAL_BYTES)
    return stream.read(SEAL_BYTES) == _SEAL.pack(crc)


def read_index(read: Callable[[int, int], bytes], size: int) -> SegmentIndex:
    """The index of a file of `size` bytes; `read` gives the bytes from an offset on, fewer at the file's end.

    Raises
    ------
    SegmentIndexError
        The file does not end like a segment, or its index does not match its checksum or is of a later format.
    """
    offset, length, crc = read_trailer(read(max(0, size - TAIL_BYTES), TAIL_BYTES))
    data = read(offset, length) if offset + length <= size else b""
    if len(data) != length or google_crc32c.value(data) != crc:
        raise SegmentIndexError("the index does not match its checksum")
    return unpack(data)


def read_trailer(tail: bytes) -> tuple[int, int, int]:
    """Offset, length and CRC-32C of the index, from the last `TAIL_BYTES` of a file.

    Raises
    ------
    SegmentIndexError
        The file does not end like a segment.
    """
    if len(tail) != TAIL_BYTES or tail[:4] != _END_OF_ARCHIVE:
        raise SegmentIndexError("the file does not end like a segment; it is torn or something else")
    magic, offset, length, crc, _ = _TRAILER.unpack(tail[_END_BYTES:])
    if magic != _MAGIC:
        raise SegmentIndexError("the file does not end like a segment; it is torn or something else")
    return offset, length, crc
