"""A segment: an immutable ZIP_STORED Zarr v3 group that holds some rows of one table; written once, read by chunk.

Chunks are read by offset and decoded here, not through zarr-python, which costs 250 µs a chunk; any Zarr v3 reader with
numcodecs still opens the file. Every chunk's CRC-32C is checked before it is decoded.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError
from luma_bench.storage.codecs import CODECS, CodecError
from luma_bench.storage.columns import ROW_ID_ARRAY, node_name, stream_type
from luma_bench.storage.columns_join import Joiner
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment_index import (
    TAIL_BYTES,
    SegmentIndex,
    SegmentIndexError,
    is_sealed,
    read_trailer,
    unpack,
)
from luma_bench.storage.segment_write import write_file
from luma_bench.storage.zones import Zones, merged_batch, zones_in
from luma_bench.types.schema import ROW_ID, TableSchema


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment as the catalog knows it.

    Attributes
    ----------
    ulid, path, rows, nbytes
        Its name, file, rows (deleted ones included) and size.
    first_row_id
        The id of its first row where ids are one contiguous range; None when the segment stores them.
    stats
        The segment-level zone map as Arrow IPC, so that scans skip segments without opening them; None when unknown.
    deleted
        The sorted int64 positions of rows that are deleted at this snapshot, or None.
    """

    ulid: str
    path: Path
    rows: int
    nbytes: int
    first_row_id: int | None
    stats: bytes | None = field(default=None, repr=False)
    deleted: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def live_rows(self) -> int:
        """Rows that are not deleted."""
        return self.rows - (0 if self.deleted is None else len(self.deleted))


def write_segment(
    folder: Path,
    ulid: str,
    table: pa.Table,
    schema: TableSchema,
    *,
    first_row_id: int | None,
    settings: Settings,
    sync: bool = True,
    row_ids: pa.Array | None = None,
) -> SegmentRef:
    """Write `<folder>/<ulid>.zarr.zip`: encoded on threads, synced, then the folder synced.

    Parameters
    ----------
    folder
        An existing folder.
    table
        Rows with exactly the schema's columns: names, order and types.
    first_row_id
        The id of the first row, the others follow; None with `row_ids` (int64, one a row) after rows were re-sorted.
    sync
        False leaves durability to the caller.

    Raises
    ------
    SchemaError
        The table does not fit the schema, or a type or value cannot be stored.
    FileExistsError
        There is a segment of this ulid already.
    """
    if (first_row_id is None) == (row_ids is None):
        raise ValueError("give either first_row_id or row_ids")
    path = folder / f"{ulid}.zarr.zip"
    written = write_file(
        path, table, schema, first_row_id=first_row_id, row_ids=row_ids, settings=settings, sync=sync
    )
    return SegmentRef(ulid, path, len(table), written.nbytes, first_row_id, written.stats)


class Segment:
    """An open segment: its index in memory, its chunks read on demand. Thread-safe; holds no file open.

    Parameters
    ----------
    ref
        The segment.
    index
        Its index, as `Segment.open` read it.
    """

    def __init__(self, ref: SegmentRef, index: SegmentIndex) -> None:
        self.ref = ref
        self.index = index
        self._types = {int(f.metadata[b"luma.id"]): (f.name, f.type) for f in index.schema}
        self._zones: dict[int, Zones] = {}

    @classmethod
    def open(cls, ref: SegmentRef) -> Segment:
        """Read the index at the file's end.

        Raises
        ------
        CorruptionError
            The file is missing, torn, of another size than the catalog says, or its index does not match its checksum.
        """
        try:
            with ref.path.open("rb", buffering=0) as stream:
                size = os.fstat(stream.fileno()).st_size
                if size != ref.nbytes:
                    raise CorruptionError.file_of(
                        ref.ulid, f"the file has {size:,} bytes instead of {ref.nbytes:,}"
                    )
                offset, length, crc = read_trailer(
                    os.pread(stream.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES))
                )
                data = os.pread(stream.fileno(), length, offset) if offset + length <= size else b""
            if len(data) != length or google_crc32c.value(data) != crc:
                raise CorruptionError.file_of(ref.ulid, "the index does not match its checksum")
            index = unpack(data)
        except (OSError, SegmentIndexError) as error:
            raise CorruptionError.file_of(ref.ulid, f"{ref.path.name}: {error}") from error
        if index.rows != ref.rows:
            raise CorruptionError.file_of(
                ref.ulid, f"the file has {index.rows:,} rows instead of {ref.rows:,}"
            )
        return cls(ref, index)

    def at(self, ref: SegmentRef) -> Segment:
        """The same file as another snapshot refers to it, with that one's deleted rows."""
        return Segment(ref, self.index)

    def statistics(self) -> pa.RecordBatch:
        """The segment-level zone map, for a reference that has none."""
        return merged_batch(self.index.zones)

    @property
    def rows(self) -> int:
        """Rows of the segment."""
        return self.index.rows

    @property
    def chunk_rows(self) -> int:
        """Rows of every row chunk but the last."""
        return self.index.chunk_rows

    @property
    def chunks(self) -> int:
        """The number of row chunks."""
        return self.index.row_chunks

    def rows_of(self, chunk: int) -> int:
        """Rows of one row chunk."""
        return min(self.index.chunk_rows, self.index.rows - chunk * self.index.chunk_rows)

    def has(self, column_id: int) -> bool:
        """Whether the column was there when the segment was written."""
        return column_id in self._types

    def stored_type(self, column_id: int) -> pa.DataType:
        """The Arrow type that was written."""
        return self._types[column_id][1]

    def zones(self, column_id: int) -> Zones:
        """The zone map of a column; all NULL for a column that came later."""
        held = self._zones.get(column_id)
        if held is None:
            held = self._zones[column_id] = zones_in([self.index.zones], column_id)
        return held

    def read(self, column_id: int, chunk: int, kind: pa.DataType, pool: BufferPool | None = None) -> pa.Array:
        """One row chunk of a column as `kind`: the written type, the stream type, or one that the written casts to.

        Parameters
        ----------
        pool
            Where dictionaries are kept between chunks; without it each chunk decodes its own.

        Raises
        ------
        CorruptionError
            A stored chunk does not match its checksum or does not decode; it names the segment, column and chunk.
        """
        return self.read_counted(column_id, chunk, kind, pool)[0]

    def read_counted(
        self, column_id: int, chunk: int, kind: pa.DataType, pool: BufferPool | None = None
    ) -> tuple[pa.Array, int]:
        """`read`, and the bytes it took from the file."""
        rows = self.rows_of(chunk)
        if column_id not in self._types:
            return pa.nulls(rows, kind), 0
        label, stored = self._types[column_id]
        reader = _Reader(self, label, pool)
        nulls = bool(self.zones(column_id).nulls[chunk])
        direct = kind == stored or stream_type(_plain(kind)) == stream_type(_plain(stored))
        array = Joiner(reader, chunk).node(
            node_name(column_id), kind if direct else stored, rows, nulls=nulls
        )
        return array if direct else array.cast(kind), reader.nbytes

    def row_ids(self, chunk: int) -> tuple[pa.Array, int]:
        """The row ids of one row chunk as int64, and the bytes it took from the file."""
        rows = self.rows_of(chunk)
        if self.ref.first_row_id is not None:
            start = self.ref.first_row_id + chunk * self.index.chunk_rows
            buffer = pa.allocate_buffer(8 * rows)
            values = np.frombuffer(buffer, np.int64)
            values[:] = np.arange(start, start + rows)
            return pa.Array.from_buffers(pa.int64(), rows, [None, buffer]), 0
        reader = _Reader(self, ROW_ID, None)
        return pa.Array.from_buffers(
            pa.int64(), rows, [None, reader.fetch(ROW_ID_ARRAY, chunk)]
        ), reader.nbytes

    def verify(self) -> list[CorruptionError]:
        """Compare the whole file with its checksum, and when it differs find the chunks that do.

        Returns
        -------
        list
            One error for each wrong chunk; where no chunk is wrong but a byte elsewhere is, one that says so.
        """
        ref = self.ref
        try:
            with ref.path.open("rb", buffering=0) as stream:
                if is_sealed(stream, ref.nbytes):
                    return []
        except OSError as error:
            return [CorruptionError.file_of(ref.ulid, f"{ref.path.name}: {error}")]
        problems: list[CorruptionError] = []
        for name, array in self.index.arrays.items():
            reader = _Reader(self, self._label_of(name), None)
            for chunk in range(array.chunks):
                try:
                    reader.fetch(name, chunk)
                except CorruptionError as error:
                    problems.append(error)
        unread = (
            "bytes outside the chunks (Zarr metadata or the ZIP directory) do not match the file's checksum; "
        )
        return problems or [CorruptionError.file_of(ref.ulid, unread + "the rows are whole")]

    def _label_of(self, array: str) -> str:
        root = array.split(".", 1)[0]
        return next(
            (name for column_id, (name, _) in self._types.items() if node_name(column_id) == root), root
        )


def _plain(kind: Any) -> pa.DataType:
    """A dictionary's value type, or the type itself: both are read from either stored form."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class _Reader:
    """Fetches and decodes the arrays of one segment for one column, and counts the bytes it reads."""

    def __init__(self, segment: Segment, label: str, pool: BufferPool | None) -> None:
        self._segment = segment
        self._label = label
        self._pool = pool
        self.nbytes = 0

    def has(self, array: str) -> bool:
        return array in self._segment.index.arrays

    def dtype(self, array: str) -> np.dtype:
        return self._segment.index.arrays[array].dtype

    def fetch(self, array: str, chunk: int) -> pa.Buffer | None:
        index, ulid = self._segment.index, self._segment.ref.ulid
        stored = index.arrays.get(array)
        if stored is None:
            raise CorruptionError.chunk_of(ulid, self._label, chunk, f"the array {array} is missing")
        at = stored.first + chunk
        table = index.chunks
        length, count = int(table.length[at]), int(table.count[at])
        if length == 0:
            return None
        encoded = self._bytes(int(table.offset[at]), length, chunk)
        if google_crc32c.value(encoded) != int(table.crc[at]):
            raise CorruptionError.chunk_of(
                ulid, self._label, chunk, f"the bytes of {array} do not match their checksum"
            )
        try:
            return CODECS[stored.codec].decode(encoded, int(table.head[at]), count, stored.dtype)
        except CodecError as error:
            raise CorruptionError.chunk_of(ulid, self._label, chunk, f"{array}: {error}") from error

    def dictionary(self, node: str, kind: pa.DataType) -> pa.Array:
        def load() -> tuple[pa.Array, int]:
            array = Joiner(self, 0).node(node, kind, self._dictionary_rows(node, kind))
            return array, array.nbytes

        if self._pool is None:
            return load()[0]
        return self._pool.get((self._segment.ref.ulid, node, str(kind)), load)

    def _dictionary_rows(self, node: str, kind: pa.DataType) -> int:
        """How many values a dictionary node has: every node of it owns an array that says so."""
        index = self._segment.index
        for suffix in (".len", ".code", ""):
            stored = index.arrays.get(node + suffix)
            if stored is not None and not (suffix == "" and pa.types.is_boolean(kind)):
                return int(index.chunks.count[stored.first]) // stored.width
        size = self._segment.index.zones.schema.metadata
        found = None if size is None else size.get(f"{node.split('.')[0][1:]}.distinct".encode())
        if found is None:
            raise CorruptionError.file_of(
                self._segment.ref.ulid, f"the size of the dictionary {node} is unknown"
            )
        return int(found)

    def _bytes(self, offset: int, length: int, chunk: int) -> bytes:
        ref = self._segment.ref
        try:
            with ref.path.open("rb", buffering=0) as stream:
                data = os.pread(stream.fileno(), length, offset)
        except OSError as error:
            raise CorruptionError.file_of(ref.ulid, f"{ref.path.name}: {error}") from error
        self.nbytes += len(data)
        if len(data) != length:
            raise CorruptionError.chunk_of(
                ref.ulid, self._label, chunk, f"the file ends before its {length:,} bytes"
            )
        return data
