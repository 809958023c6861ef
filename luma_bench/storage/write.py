"""Writing a table: data is fitted, checked and stored first; one commit makes all of it visible at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConflictError, UnsupportedError
from luma_bench.storage.catalog.catalog import Catalog
from luma_bench.storage.catalog.commit import BehindError, CommitInfo, Committed, Flush, NewBlob, TableChange
from luma_bench.storage.catalog.lease import Lease
from luma_bench.storage.catalog.schema import checked_settings
from luma_bench.storage.catalog.snapshot import ResolvedSnapshot, segment_path
from luma_bench.storage.fit import Fit, check_schema, check_table_name
from luma_bench.storage.ingest import Incoming
from luma_bench.storage.inline import TAIL_ROWS, adjoining, encode_blob, is_full, joined
from luma_bench.storage.keys import KeySet, exists_error
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import Column, TableSchema, TableSettings

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

MODES = ("create", "append", "replace", "upsert")
SEGMENT_BYTES = 512 << 20
"""A segment is cut before its rows take more memory than this."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """One write as the caller asked for it; `settings` hold only what was given."""

    table: str
    mode: str
    settings: TableSettings = field(default_factory=TableSettings)


def plan_change(catalog: Catalog, base: ResolvedSnapshot, request: Request, data: pa.Schema) -> TableChange:
    """What the write will do: the operation and the table's schema, with permanent ids.

    Raises
    ------
    CatalogError
        `create` meets a table, `append` meets none.
    SchemaError
        The data or the settings do not fit.
    UnsupportedError
        `upsert`.
    """
    if request.mode not in MODES:
        raise CatalogError(
            f"There is no write mode {request.mode!r}.", hint=f"The modes are: {', '.join(MODES)}."
        )
    if request.mode == "upsert":
        hint = "Use mode='append' for new keys, or mode='replace' to write the whole table anew."
        raise UnsupportedError(
            f"Table {request.table!r}: mode='upsert' is not served by this version.", hint=hint
        )
    if request.mode == "append":
        schema = base.find(request.table)
        _check_unchanged(schema, request.settings)
        return TableChange("append", schema, base.id)
    check_table_name(request.table)
    check_schema(request.table, data)
    present = base.named(request.table)
    if present is None:
        first = tuple(_column(position + 1, item) for position, item in enumerate(data))
        settings = checked_settings(request.table, data, request.settings)
        return TableChange("create", _keyed(TableSchema(0, request.table, first, settings)), base.id)
    if request.mode == "create":
        raise CatalogError.table_exists(present.name)
    settings = checked_settings(present.name, data, request.settings)
    following = catalog.next_column_id(present.id)
    columns: list[Column] = []
    for item in data:
        same = next((old for old in present.columns if old.name == item.name and old.type == item.type), None)
        columns.append(_column(following if same is None else same.id, item))
        following += same is None
    return TableChange(
        "replace", _keyed(replace(present, columns=tuple(columns), settings=settings)), base.id
    )


def _column(column_id: int, item: pa.Field) -> Column:
    return Column(column_id, item.name, item.type, item.nullable, None, tuple((item.metadata or {}).items()))


def _keyed(schema: TableSchema) -> TableSchema:
    """A primary key's columns are NOT NULL."""
    key = schema.settings.primary_key
    columns = tuple(
        replace(column, nullable=False) if column.name in key else column for column in schema.columns
    )
    return replace(schema, columns=columns)


def _check_unchanged(schema: TableSchema, asked: TableSettings) -> None:
    for name in ("primary_key", "sort_by", "time_column", "series_key"):
        wanted, present = getattr(asked, name), getattr(schema.settings, name)
        if wanted and wanted != present:
            hint = "Leave the argument out, or write the table anew with mode='replace'."
            raise CatalogError(f"Table {schema.name!r} has {name}={present!r}, not {wanted!r}.", hint=hint)


def sort_keys(settings: TableSettings) -> tuple[str, ...]:
    """The columns by which written rows are sorted: `sort_by`, else series key and time."""
    if settings.sort_by or settings.time_column is None:
        return settings.sort_by
    return tuple(dict.fromkeys((*settings.series_key, settings.time_column)))


def sorted_rows(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of the keys, NULLs last; equal rows keep their order."""
    if not keys or table.num_rows < 2:
        return table
    plain = {name: _sortable(table.column(name)) for name in keys}
    order = pc.sort_indices(pa.table(plain), sort_keys=[(name, "ascending") for name in keys])
    return table.take(order)


def _sortable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column


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


class Write:
    """One write on its way: fits the stream, stores segments under a lease, commits, and leaves nothing if it fails."""

    def __init__(
        self, catalog: Catalog, pool: BufferPool, settings: Settings, change: TableChange, info: CommitInfo
    ) -> None:
        self._catalog = catalog
        self._pool = pool
        self._settings = settings
        self._change = change
        self._info = info
        self._files: list[SegmentRef] = []

    def run(self, data: Incoming, base: ResolvedSnapshot, progress: Progress | None = None) -> Snapshot:
        """Store the data and commit it.

        Raises
        ------
        LumaError
            The data is refused or the commit lost; nothing was written then. What the data's own stream raises comes
            out as it is.
        """
        change = self._change
        stream = Fit.of(change.schema, data.schema).stream(data.batches)
        if progress is not None:
            stream = _reported(stream, progress)
        first, rest = self._small(stream)
        blob = self._blob(first) if rest is None else None
        tail = base.holds(change.schema.id).blobs if change.operation == "append" else ()
        stores = rest is not None or (blob is None and first.num_rows > 0)
        flushes = bool(tail) and (stores or is_full(tail))
        with ExitStack() as stack:
            stack.callback(self._discard)
            if flushes:
                flushes = stack.enter_context(self._catalog.flushing(change.schema.id))
            lease: Lease | None = None
            if stores or flushes:
                lease = stack.enter_context(self._leased(base.id))
            change = self._change
            keys: list[pa.Table] = []
            if flushes:
                change = replace(change, flush=self._flush(base))
            if stores:
                batches = _chained(first, rest)
                segments = tuple(self._segment(table, keys, lease) for table in self._cut(batches))
                change = replace(change, segments=segments)
            elif blob is not None:
                keys.append(first.select(change.schema.settings.primary_key))
                change = replace(change, blobs=(blob,))
            committed = self._commit(change, base, keys, lease)
            if not committed.fresh:
                return committed.snapshot
            unused = () if committed.flushed or change.flush is None else change.flush.segments
            self._files = list(unused)
            return committed.snapshot

    def _small(self, stream: Iterator[pa.RecordBatch]) -> tuple[pa.Table, Iterator[pa.RecordBatch] | None]:
        """The first rows, up to what may go inline, and the rest of the stream, None when that was all."""
        waiting: list[pa.RecordBatch] = []
        count = size = 0
        rest: Iterator[pa.RecordBatch] | None = None
        for batch in stream:
            waiting.append(batch)
            count += batch.num_rows
            size += batch.nbytes
            if size >= self._settings.inline_bytes or count > TAIL_ROWS:
                rest = stream
                break
        return pa.Table.from_batches(waiting, self._change.schema.arrow), rest

    def _blob(self, table: pa.Table) -> NewBlob | None:
        if not table.num_rows:
            return None
        table = sorted_rows(table, sort_keys(self._change.schema.settings))
        blob = encode_blob(table, self._change.schema)
        return blob if len(blob.ipc) < self._settings.inline_bytes else None

    def _leased(self, base: int) -> Lease:
        """A lease, taken in one transaction with the id of a new table, so that its folder can be named."""
        lease, table_id = self._catalog.take_lease(base, reserve=self._change.operation == "create")
        if table_id is not None:
            self._change = replace(self._change, schema=replace(self._change.schema, id=table_id))
        return lease

    def _cut(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        return cut(batches, self._change.schema.arrow, self._settings.shard_rows, SEGMENT_BYTES)

    def _segment(self, table: pa.Table, keys: list[pa.Table], lease: Lease | None) -> SegmentRef:
        if lease is not None:
            lease.check()
        schema = self._change.schema
        table = sorted_rows(table, sort_keys(schema.settings))
        if schema.settings.primary_key:
            keys.append(table.select(schema.settings.primary_key))
        return self._store(table, 0)

    def _store(self, table: pa.Table, first_row_id: int) -> SegmentRef:
        schema = self._change.schema
        ulid = self._catalog.new_ulid()
        path = segment_path(self._catalog.folder, schema.id, ulid)
        make_folder(path.parent, self._catalog.folder)
        # Listed before it exists, so that a file torn by an error is removed too.
        self._files.append(SegmentRef(ulid, path, table.num_rows, 0, None, None))
        return write_segment(
            path.parent, ulid, table, schema, first_row_id=first_row_id, settings=self._settings
        )

    def _flush(self, base: ResolvedSnapshot) -> Flush:
        """The table's inline tail as segments with the same row ids, in the same order."""
        schema = self._change.schema
        refs = [joined(run) for run in adjoining(base.inline(schema.id))]
        segments = tuple(self._store(part.table, part.first_row_id) for part in refs)
        return Flush(frozenset(blob.id for blob in base.holds(schema.id).blobs), segments)

    def _commit(
        self, change: TableChange, base: ResolvedSnapshot, tables: Sequence[pa.Table], lease: Lease | None
    ) -> Committed:
        info = self._info
        if lease is not None:
            lease.check()
            info = replace(info, lease=lease.id)
        keys = KeySet(change.schema, tables) if change.schema.settings.primary_key and tables else None
        if keys is not None:
            keys.check_distinct()
            if (
                change.operation == "append"
                and (found := self._held(keys, change.schema, base, None)) is not None
            ):
                raise exists_error(change.schema, found)
        while True:
            try:
                committed = self._catalog.commit([change], info)
            except BehindError:
                newer = self._catalog.resolve_head()
                change, base = self._rebased(change, keys, base, newer), newer
                continue
            if lease is not None and committed.fresh:
                lease.spend()
            return committed

    def _rebased(
        self, change: TableChange, keys: KeySet | None, base: ResolvedSnapshot, newer: ResolvedSnapshot
    ) -> TableChange:
        """The change checked against the rows that were committed after `base`."""
        found = None if keys is None else self._held(keys, change.schema, newer, base)
        if found is not None:
            raise ConflictError.lost(change.schema.name, newer.id, f"it holds the primary key {found} now")
        return replace(change, base=newer.id)

    def _held(
        self, keys: KeySet, schema: TableSchema, now: ResolvedSnapshot, before: ResolvedSnapshot | None
    ) -> str | None:
        """A written key that the table holds, in rows that came after `before`."""
        known = set() if before is None else {ref.ulid for ref in before.segments(schema.id)}
        edge = -1 if before is None else before.id
        segments = [ref for ref in now.segments(schema.id) if ref.ulid not in known]
        blobs = [blob for blob in now.holds(schema.id).blobs if blob.begin > edge]
        tail = now.tail(schema, blobs) if blobs else ()
        return keys.existing(TableScan(schema, segments, tail, self._pool, self._settings))

    def _discard(self) -> None:
        """Remove the files of this write that no snapshot lists; after a doubtful commit the catalog decides."""
        if not self._files:
            return
        listed = self._catalog.listed_segments([ref.ulid for ref in self._files])
        for ref in self._files:
            if ref.ulid not in listed:
                ref.path.unlink(missing_ok=True)


def _reported(stream: Iterator[pa.RecordBatch], progress: Progress) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in stream:
        yield batch
        done += batch.num_rows
        progress(done)


def _chained(first: pa.Table, rest: Iterator[pa.RecordBatch] | None) -> Iterator[pa.RecordBatch]:
    yield from first.to_batches()
    if rest is not None:
        yield from rest


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder under `root` and the folders between them, each durable before the next."""
    if folder.is_dir() or folder == root:
        return
    make_folder(folder.parent, root)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
