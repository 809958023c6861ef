"""A segment: an immutable ZIP_STORED Zarr v3 group that holds some rows of one table; written once, read by chunk.

Chunks are read by offset and decoded here, not through zarr-python, which costs 250 µs a chunk; any Zarr v3 reader with
numcodecs still opens the file. Every chunk's CRC-32C is checked before it is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, CorruptionError, LumaError
from luma_bench.storage.columns import ROW_ID_ARRAY, node_name, stream_type
from luma_bench.storage.columns_join import Joiner
from luma_bench.storage.evolve_values import constant, widened
from luma_bench.storage.evolve_zones import zones_as
from luma_bench.storage.files import ByteSource, LocalFile
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment_index import (
    SegmentIndex,
    SegmentIndexError,
    is_sealed,
    read_index,
)
from luma_bench.storage.segment_reader import SegmentReader
from luma_bench.storage.segment_write import write_file
from luma_bench.storage.zones import Zones, merged_batch, zones_in
from luma_bench.types.schema import ROW_ID, Column, TableSchema

_LIKELY_INDEX_BYTES = 1 << 16


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
    source
        Where its bytes are when `path` is no file of this machine.
    lost
        Says of a ulid whose file is not there why that is no damage, or None.
    """

    ulid: str
    path: Path
    rows: int
    nbytes: int
    first_row_id: int | None
    stats: bytes | None = field(default=None, repr=False)
    deleted: np.ndarray | None = field(default=None, repr=False, compare=False)
    source: ByteSource | None = field(default=None, repr=False, compare=False)
    lost: Callable[[str], LumaError | None] | None = field(default=None, repr=False, compare=False)

    @property
    def live_rows(self) -> int:
        """Rows that are not deleted."""
        return self.rows - (0 if self.deleted is None else len(self.deleted))

    @property
    def whole(self) -> SegmentRef:
        """The segment that lies in the file; another one for a range of its rows."""
        return self

    @property
    def counted(self) -> int:
        """How many segments it counts as in the figures of a scan."""
        return 1

    @property
    def index_key(self) -> tuple[Hashable, ...]:
        """What names it, open, in a buffer pool."""
        return self.ulid, "index"

    def opened(self, pool: BufferPool) -> Segment:
        """The open segment, its index from the pool when it was read before.

        Raises
        ------
        CorruptionError
            See `Segment.open`.
        """

        def load() -> tuple[Segment, int]:
            segment = Segment.open(self)
            return segment, 2 * segment.index.nbytes

        segment: Segment = pool.get(self.index_key, load)
        return segment if segment.ref is self else segment.at(self)

    @property
    def file(self) -> ByteSource:
        """What its bytes are read from."""
        return self.source or LocalFile(self.path)

    def failed(self, error: Exception) -> LumaError:
        """What a reader is told when the file cannot be read: damage, unless it was collected."""
        why = self.lost(self.ulid) if self.lost is not None and isinstance(error, FileNotFoundError) else None
        return why or CorruptionError.file_of(self.ulid, f"{self.file.name}: {error}")

    def prefetch_index(self) -> None:
        """Say that the segment will be opened soon."""
        if self.source is not None:
            length = min(self.nbytes, _LIKELY_INDEX_BYTES)
            self.source.prefetch([(self.nbytes - length, length)])


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
    level: int = 0,
    threads: Executor | None = None,
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
    level
        0 encodes fast, for a compaction to write anew; more makes the file small. See `codecs_choose`.
    threads
        What encodes; None starts threads for this segment alone.

    Raises
    ------
    SchemaError
        The table does not fit the schema, or a type or value cannot be stored.
    FileExistsError
        There is a segment of this ulid already.
    CatalogError
        The disk did not take it: it is full, or failed.
    """
    if (first_row_id is None) == (row_ids is None):
        raise ValueError("give either first_row_id or row_ids")
    path = folder / f"{ulid}.zarr.zip"
    try:
        written = write_file(
            path,
            table,
            schema,
            first_row_id=first_row_id,
            row_ids=row_ids,
            settings=settings,
            sync=sync,
            level=level,
            threads=threads,
        )
    except FileExistsError:
        raise
    except OSError as error:
        raise CatalogError.not_stored(schema.name, error.strerror or str(error)) from error
    return SegmentRef(ulid, path, len(table), written.nbytes, first_row_id, written.stats)


class Segment:
    """An open segment: its index in memory, its chunks read on demand. Thread-safe; holds no file open.

    Parameters
    ----------
    ref
        The segment.
    index
        Its index, as `Segment.open` read it.
    base
        The row chunk of the file that its first one is.
    """

    def __init__(self, ref: SegmentRef, index: SegmentIndex, base: int = 0) -> None:
        self.ref = ref
        self.index = index
        self.base = base
        self._types = {int(f.metadata[b"luma.id"]): (f.name, f.type) for f in index.schema}
        self._zones: dict[int, Zones] = {}
        self._zones_as: dict[tuple[int, str], Zones] = {}

    @classmethod
    def open(cls, ref: SegmentRef) -> Segment:
        """Read the index at the file's end.

        Raises
        ------
        CorruptionError
            The file is missing, torn, of another size than the catalog says, or its index does not match its checksum.
        """
        file = ref.file
        ref.prefetch_index()
        try:
            if (size := file.size()) != ref.nbytes:
                raise CorruptionError.file_of(
                    ref.ulid, f"the file has {size:,} bytes instead of {ref.nbytes:,}"
                )
            try:
                index = read_index(file.read, size)
            except SegmentIndexError:
                # What a cache keeps may be wrong where the file is not: once more, from there.
                if not file.forget(0, size):
                    raise
                index = read_index(file.read, size)
        except (OSError, SegmentIndexError) as error:
            raise ref.failed(error) from error
        if index.rows != ref.rows:
            raise CorruptionError.file_of(
                ref.ulid, f"the file has {index.rows:,} rows instead of {ref.rows:,}"
            )
        return cls(ref, index)

    def prefetch(self, column_ids: Iterable[int | None], first: int, count: int) -> None:
        """Say that these row chunks of columns (None: the row ids) will be read soon: a remote file fetches them together."""
        source = self.ref.source
        if source is not None:
            names = {ROW_ID_ARRAY if column_id is None else node_name(column_id) for column_id in column_ids}
            source.prefetch(self.index.ranges(names, first, count))

    def at(self, ref: SegmentRef) -> Segment:
        """The same file as another snapshot refers to it, with that one's deleted rows."""
        return Segment(ref, self.index, self.base)

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

    def zones_as(self, column: Column, form: str) -> Zones:
        """The zone map of a column in its present type; `form` is what tells its types and initial values apart."""
        key = (column.id, form)
        held = self._zones_as.get(key)
        if held is None:
            held = self._zones_as[key] = zones_as([self.index.zones], column)
        return held

    def read(self, column_id: int, chunk: int, kind: pa.DataType, pool: BufferPool | None = None) -> pa.Array:
        """One row chunk of a column as `kind`: the written type, one that it widens to, or the stream type of these.

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
        self,
        column_id: int,
        chunk: int,
        kind: pa.DataType,
        pool: BufferPool | None = None,
        initial: pa.Scalar | None = None,
    ) -> tuple[pa.Array, int]:
        """`read`, and the bytes it took from the file; `initial` is every row's value when the column came later."""
        rows = self.rows_of(chunk)
        if column_id not in self._types:
            return constant(initial, kind, rows), 0
        label, stored = self._types[column_id]
        reader = SegmentReader(self, label, pool)
        nulls = bool(self.zones(column_id).nulls[chunk])
        direct = kind == stored or stream_type(_plain(kind)) == stream_type(_plain(stored))
        array = Joiner(reader, chunk).node(
            node_name(column_id), kind if direct else stored, rows, nulls=nulls
        )
        return array if direct else widened(array, kind), reader.nbytes

    def row_ids(self, chunk: int) -> tuple[pa.Array, int]:
        """The row ids of one row chunk as int64, and the bytes it took from the file."""
        rows = self.rows_of(chunk)
        if self.ref.first_row_id is not None:
            start = self.ref.first_row_id + chunk * self.index.chunk_rows
            buffer = pa.allocate_buffer(8 * rows)
            values = np.frombuffer(buffer, np.int64)
            values[:] = np.arange(start, start + rows)
            return pa.Array.from_buffers(pa.int64(), rows, [None, buffer]), 0
        reader = SegmentReader(self, ROW_ID, None)
        return pa.Array.from_buffers(
            pa.int64(), rows, [None, reader.fetch(ROW_ID_ARRAY, chunk)]
        ), reader.nbytes

    def array(self, name: str, label: str, chunk: int) -> tuple[pa.Buffer, int]:
        """One chunk of an array that is no column's, and the bytes it took from the file; `label` names it in errors.

        Raises
        ------
        CorruptionError
            The array is missing, or the chunk does not match its checksum or does not decode.
        """
        reader = SegmentReader(self, label, None)
        buffer = reader.fetch(name, chunk)
        if buffer is None:
            raise CorruptionError.chunk_of(self.ref.ulid, label, chunk, f"a chunk of {name} is missing")
        return buffer, reader.nbytes

    def verify(self) -> list[CorruptionError]:
        """Compare the whole file with its checksum, and when it differs find the chunks that do.

        Returns
        -------
        list
            One error for each wrong chunk; where no chunk is wrong but a byte elsewhere is, one that says so.
        """
        ref = self.ref
        try:
            with ref.file.stream() as stream:
                if is_sealed(stream, ref.nbytes):
                    return []
        except OSError as error:
            return [CorruptionError.file_of(ref.ulid, f"{ref.file.name}: {error}")]
        problems: list[CorruptionError] = []
        for name, array in self.index.arrays.items():
            reader = SegmentReader(self, self._label_of(name), None)
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
