"""Writing rows: how a stream is sorted and cut, and the segment files of a write that is not committed yet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.catalog import Catalog
from luma_bench.storage.catalog.lease import Lease
from luma_bench.storage.catalog.snapshot import segment_path
from luma_bench.storage.columns_dictionary import taken
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.storage.segment_pipeline import SegmentPipeline
from luma_bench.storage.segment_write import sync_folder
from luma_bench.types.schema import TableSchema, TableSettings

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

SEGMENT_BYTES = 512 << 20
"""A segment is cut before its rows take more memory than this."""

Progress = Callable[[int], None]


def sort_keys(settings: TableSettings) -> tuple[str, ...]:
    """The columns by which written rows are sorted: `sort_by`, else series key and time."""
    if settings.sort_by or settings.time_column is None:
        return settings.sort_by
    return tuple(dict.fromkeys((*settings.series_key, settings.time_column)))


def range_keys(settings: TableSettings) -> tuple[str, ...]:
    """The columns by whose ranges a compaction cuts rows into segments.

    A table of series is cut by time, and sorted by series and time inside each segment: a stretch of time lies in few
    segments, and one series of it in few chunks. Else the order is the sort keys' from segment to segment.
    """
    if settings.time_column is not None and settings.series_key and not settings.sort_by:
        return (settings.time_column,)
    return sort_keys(settings)


def sorted_rows(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of the keys, NULLs last; equal rows keep their order."""
    if not keys or table.num_rows < 2:
        return table
    plain = {name: _sortable(table.column(name)) for name in keys}
    order = pc.sort_indices(pa.table(plain), sort_keys=[(name, "ascending") for name in keys])
    try:
        return table.take(order)
    except pa.ArrowNotImplementedError:
        columns = [taken(one_array(column), order) for column in table.columns]
        return pa.Table.from_arrays(columns, schema=table.schema)


def _sortable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A key in a form that Arrow sorts."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string_view(kind):
        kind = pa.large_string()
    elif pa.types.is_binary_view(kind):
        kind = pa.large_binary()
    return column if column.type == kind else pc.cast(column, kind)


def cut(batches: Iterator[pa.RecordBatch], schema: pa.Schema, rows: int, nbytes: int) -> Iterator[pa.Table]:
    """The stream in tables of exactly `rows` rows, fewer in the last one or where they would take `nbytes` bytes."""
    waiting: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        # A batch may be far bigger than a segment: take from it what still fits, as often as need be.
        width = max(1, batch.nbytes // batch.num_rows)
        start = 0
        while start < batch.num_rows:
            room = min(rows - count, max(1, (nbytes - size) // width))
            piece = batch.slice(start, room)
            waiting.append(piece)
            start += piece.num_rows
            count += piece.num_rows
            size += width * piece.num_rows
            if count >= rows or size + width > nbytes:
                yield pa.Table.from_batches(waiting, schema)
                waiting, count, size = [], 0, 0
    if count:
        yield pa.Table.from_batches(waiting, schema)


def pieces(batches: Iterator[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """The stream cut into what segments hold."""
    return cut(batches, schema, rows, SEGMENT_BYTES)


class Files:
    """The segment files of one transaction: stored under a lease, and removed again unless a snapshot lists them."""

    def __init__(self, catalog: Catalog, settings: Settings, base: int) -> None:
        self._catalog = catalog
        self._settings = settings
        self._base = base
        self._lease: Lease | None = None
        self._paths: dict[str, Path] = {}

    @property
    def lease(self) -> Lease | None:
        """The lease, once a segment was stored."""
        return self._lease

    def store(self, table: pa.Table, schema: TableSchema, first_row_id: int) -> SegmentRef:
        """Write the rows, in their order, as one durable segment.

        Raises
        ------
        CatalogError
            The lease was lost, or the disk refuses.
        """
        path = self._path(schema)
        ulid = path.name.removesuffix(".zarr.zip")
        return write_segment(
            path.parent, ulid, table, schema, first_row_id=first_row_id, settings=self._settings
        )

    def store_all(
        self, tables: Iterator[pa.Table], schema: TableSchema, prepare: Callable[[pa.Table], pa.Table]
    ) -> list[SegmentRef]:
        """Write each table as a durable segment, several at a time; `prepare` is done to it on the segment's own thread.

        Raises
        ------
        CatalogError
            The lease was lost, or the disk refuses; what was written is removed when the transaction ends.
        """
        with SegmentPipeline(self._settings) as pipeline:
            begun: list[Future[SegmentRef]] = []
            for table in tables:
                path = self._path(schema)
                ulid = path.name.removesuffix(".zarr.zip")
                begun.append(
                    pipeline.submit(path.parent, ulid, table, schema, first_row_id=0, prepare=prepare)
                )
        return [future.result() for future in begun]

    def _path(self, schema: TableSchema) -> Path:
        """The path of a new segment, in a folder that is there, while the lease is held."""
        if self._lease is None:
            self._lease = self._catalog.take_lease(self._base).__enter__()
        self._lease.check()
        ulid = self._catalog.new_ulid()
        path = segment_path(self._catalog.folder, schema.id, ulid)
        make_folder(path.parent, self._catalog.folder)
        # Listed before it exists, so that a file torn by an error is removed too.
        self._paths[ulid] = path
        return path

    def committed(self, ulids: Sequence[str]) -> None:
        """Note that a snapshot lists these now, and that its commit gave the lease back."""
        for ulid in ulids:
            self._paths.pop(ulid, None)
        if self._lease is not None:
            self._lease.spend()

    def discard(self, ulids: Sequence[str] | None = None) -> None:
        """Remove files, all or some, that no snapshot lists; after a doubtful commit the catalog decides."""
        names = [ulid for ulid in (self._paths if ulids is None else ulids) if ulid in self._paths]
        listed = self._catalog.listed_segments(names) if names else set[str]()
        for ulid in names:
            path = self._paths.pop(ulid)
            if ulid not in listed:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what is left and give the lease back."""
        try:
            self.discard()
        finally:
            lease, self._lease = self._lease, None
            if lease is not None:
                lease.__exit__(*sys.exc_info())


def reported(stream: Iterator[pa.RecordBatch], progress: Progress) -> Iterator[pa.RecordBatch]:
    """The stream, telling `progress` the number of rows that went through."""
    done = 0
    for batch in stream:
        yield batch
        done += batch.num_rows
        progress(done)


def chained(first: pa.Table, rest: Iterator[pa.RecordBatch] | None) -> Iterator[pa.RecordBatch]:
    """The batches of a table, then the rest of its stream."""
    yield from first.to_batches()
    if rest is not None:
        yield from rest


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder under `root` and the folders between them, each durable before the next."""
    if folder.is_dir() or folder == root:
        return
    make_folder(folder.parent, root)
    try:
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    except OSError as error:
        hint = "Nothing of this call was applied. Check the disk's space and health, then try again."
        raise CatalogError(
            f"{str(folder)!r} cannot be made: {error.strerror or error}.", hint=hint
        ) from error
