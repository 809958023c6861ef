"""Reading a snapshot out of the catalog: its tables at once, what a table holds when it is first asked for.

What SQL gives is immutable, so it may be read at any time after: rows that live at a snapshot do so for good, until
the snapshot expires, which every read makes sure of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from luma_bench.storage.catalog.change import BlobRef
from luma_bench.storage.catalog.deletes import DeletionRef
from luma_bench.storage.catalog.history import check_kept, is_expired, read_snapshot
from luma_bench.storage.catalog.objects import read_objects
from luma_bench.storage.catalog.resolved import EMPTY, Contents, Deleted, ResolvedSnapshot, Tail
from luma_bench.storage.catalog.retire import collected_file
from luma_bench.storage.catalog.schema import table_schemas
from luma_bench.storage.catalog.tables import COLUMN, DELETION, INLINE, SEGMENT, SNAPSHOT, TABLE, live
from luma_bench.storage.segment import SegmentRef
from luma_bench.types.record import Snapshot

_AT_ONCE = 500
_AT = bindparam("at", type_=sa.BigInteger)
_SINCE = bindparam("since", type_=sa.BigInteger)
_OF = bindparam("table", type_=sa.BigInteger)
_SCHEMA = select(SNAPSHOT.c.schema_snapshot).where(SNAPSHOT.c.id == _AT)
_TABLES = select(TABLE).where(live(TABLE, _AT)).order_by(TABLE.c.table_id)
_COLUMNS = (
    select(
        COLUMN.c.table_id,
        COLUMN.c.column_id,
        COLUMN.c.name,
        COLUMN.c.arrow,
        COLUMN.c.comment,
        COLUMN.c.initial,
        COLUMN.c.default,
    )
    .where(live(COLUMN, _AT))
    .order_by(COLUMN.c.table_id, COLUMN.c.position)
)


def _of(table: sa.Table, columns: Sequence[sa.Column[Any]], *, lasting: bool = True) -> sa.Select[Any]:
    wanted = select(*columns).where(table.c.table_id == _OF)
    return wanted.where(live(table, _AT)) if lasting else wanted


def _between(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return (column > _SINCE) & (column <= _AT)


_SEGMENT_ROW = (
    SEGMENT.c.ulid,
    SEGMENT.c.rows,
    SEGMENT.c.nbytes,
    SEGMENT.c.first_row_id,
    SEGMENT.c.last_row_id,
    SEGMENT.c.row_ids_stored,
    SEGMENT.c.stats,
)
_BLOB_ROW = (INLINE.c.id, INLINE.c.rows, INLINE.c.first_row_id, INLINE.c.nbytes, INLINE.c.begin_snapshot)
_DELETION_ROW = (DELETION.c.id, DELETION.c.part, DELETION.c.rows, DELETION.c.begin_snapshot)
_SEGMENTS = _of(SEGMENT, _SEGMENT_ROW)
_BLOBS = _of(INLINE, _BLOB_ROW)
_DELETIONS = _of(DELETION, _DELETION_ROW).order_by(DELETION.c.id)
_NEW = {
    statement: statement.where(_between(table.c.begin_snapshot))
    for statement, table in ((_SEGMENTS, SEGMENT), (_BLOBS, INLINE), (_DELETIONS, DELETION))
}
_ENDED_SEGMENTS = _of(SEGMENT, (SEGMENT.c.ulid,), lasting=False).where(_between(SEGMENT.c.end_snapshot))
_ENDED_BLOBS = _of(INLINE, (INLINE.c.id,), lasting=False).where(_between(INLINE.c.end_snapshot))
_COUNTS = [
    select(func.coalesce(func.sum(table.c.rows), 0)).where((table.c.table_id == _OF) & live(table, _AT))
    for table in (SEGMENT, INLINE, DELETION)
]
_BYTES = {
    table.name: select(table.c.id, table.c.crc32c, data).where(
        table.c.id.in_(bindparam("ids", expanding=True))
    )
    for table, data in ((INLINE, INLINE.c.ipc), (DELETION, DELETION.c.positions))
}

Read = Callable[[Callable[[sa.Connection], Any]], Any]
"""Runs work in one read transaction of the catalog."""


def segment_path(folder: Path, table_id: int, ulid: str) -> Path:
    """Where a segment lies in a bench's folder."""
    return folder / "segments" / str(table_id) / f"{ulid}.zarr.zip"


class CatalogHoldings:
    """What the tables of one snapshot hold, read when first asked for; thread-safe.

    Parameters
    ----------
    base
        Those of an older snapshot: of a table that they know already, only what changed since is read.
    """

    def __init__(self, read: Read, folder: Path, snapshot: int, base: CatalogHoldings | None) -> None:
        self.snapshot = snapshot
        self._read = read
        self._lost = collected_file(read)
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[int, Contents] = {}
        self._older: dict[int, tuple[int, Contents]] = {} if base is None else base._known()

    def __call__(self, table_id: int) -> Contents:
        """What is committed of a table."""
        with self._lock:
            found = self._held.get(table_id)
            older = self._older.get(table_id)
        if found is None:
            found = self._read(lambda connection: self._load(connection, table_id, older))
            with self._lock:
                found = self._held.setdefault(table_id, found)
                self._older.pop(table_id, None)
        return found

    def rows(self, table_id: int) -> int:
        """The number of rows of a table."""
        with self._lock:
            found = self._held.get(table_id)
        if found is not None:
            return found.rows
        segments, blobs, deleted = self._read(lambda connection: self._counts(connection, table_id))
        return segments + blobs - deleted

    def following(self, snapshot: int, blobs: Sequence[tuple[int, BlobRef]]) -> CatalogHoldings:
        """Those of the next snapshot, which only added inline blobs."""
        made = CatalogHoldings(self._read, self._folder, snapshot, self)
        touched = {table_id for table_id, _ in blobs}
        for table_id, (_, held) in list(made._older.items()):
            if table_id in touched:
                new = tuple(blob for number, blob in blobs if number == table_id)
                count, nbytes = sum(blob.rows for blob in new), sum(blob.nbytes for blob in new)
                held = replace(
                    held,
                    blobs=(*held.blobs, *new),
                    rows=held.rows + count,
                    last_row=max(held.last_row, new[-1].first_row_id + new[-1].rows - 1),
                    tail_rows=held.tail_rows + count,
                    tail_bytes=held.tail_bytes + nbytes,
                )
            if made._older[table_id][0] == self.snapshot:
                made._held[table_id] = held
                del made._older[table_id]
        return made

    def _known(self) -> dict[int, tuple[int, Contents]]:
        with self._lock:
            return {**self._older, **{number: (self.snapshot, held) for number, held in self._held.items()}}

    def _counts(self, connection: sa.Connection, table_id: int) -> list[int]:
        check_kept(connection, self.snapshot)
        key = {"at": self.snapshot, "table": table_id}
        return [int(connection.execute(statement, key).scalar_one()) for statement in _COUNTS]

    def _load(self, connection: sa.Connection, table_id: int, older: tuple[int, Contents] | None) -> Contents:
        check_kept(connection, self.snapshot)
        if older is not None and is_expired(connection, older[0]):
            older = None  # what ended since may have been collected, and would not be seen to end
        since, base = (-1, EMPTY) if older is None else older
        key = {"at": self.snapshot, "table": table_id, "since": since}

        def rows(statement: sa.Select[Any]) -> sa.CursorResult[Any]:
            return connection.execute(statement if older is None else _NEW[statement], key)

        place = f"{self._folder}/segments/{table_id}"
        last, gone = base.last_row, set[str]()
        if older is not None:
            gone = {*connection.execute(_ENDED_SEGMENTS, key).scalars()}
            gone |= {str(blob) for blob in connection.execute(_ENDED_BLOBS, key).scalars()}
        pairs = [pair for pair in zip(base.starts, base.segments, strict=True) if pair[1].ulid not in gone]
        for row in rows(_SEGMENTS):
            path = Path(f"{place}/{row.ulid}.zarr.zip")
            first = None if row.row_ids_stored else row.first_row_id
            ref = SegmentRef(row.ulid, path, row.rows, row.nbytes, first, row.stats, lost=self._lost)
            pairs.append((row.first_row_id, ref))
            last = max(last, row.last_row_id)
        blobs = [blob for blob in base.blobs if blob.part not in gone]
        for row in rows(_BLOBS):
            blobs.append(BlobRef(*row))
            last = max(last, blobs[-1].first_row_id + blobs[-1].rows - 1)
        deletions = {part: held for part, held in base.deletions.items() if part not in gone}
        for row in rows(_DELETIONS):
            ref = DeletionRef(*row)
            deletions[ref.part] = (*deletions.get(ref.part, ()), ref)
        pairs.sort(key=lambda pair: (pair[0], pair[1].ulid))
        blobs.sort(key=lambda blob: blob.first_row_id)
        tail = sum(blob.rows for blob in blobs)
        total = sum(ref.rows for _, ref in pairs) + tail
        total -= sum(ref.rows for held in deletions.values() for ref in held)
        return Contents(
            tuple(ref for _, ref in pairs),
            tuple(start for start, _ in pairs),
            tuple(blobs),
            MappingProxyType(deletions),
            total,
            last,
            tail,
            sum(blob.nbytes for blob in blobs),
        )


def load(
    connection: sa.Connection,
    read: Read,
    folder: Path,
    snapshot: int,
    base: ResolvedSnapshot | None,
    tail: Tail,
    deleted: Deleted,
) -> ResolvedSnapshot:
    """A snapshot that exists.

    Parameters
    ----------
    read
        How its holdings are read later.
    base
        An older resolved snapshot: only what changed after it is read then.
    tail, deleted
        Decode inline blobs and deletions.

    Raises
    ------
    SnapshotExpired
        Its rows may be collected.
    """
    check_kept(connection, snapshot)
    schema_snapshot = connection.execute(_SCHEMA, {"at": snapshot}).scalar_one()
    value = read_snapshot(connection, snapshot)
    if base is not None and base.schema_snapshot == schema_snapshot:
        tables, objects = base.tables, base.objects
    else:
        key = {"at": snapshot}
        tables = MappingProxyType(
            table_schemas(connection.execute(_TABLES, key), connection.execute(_COLUMNS, key))
        )
        objects = read_objects(connection, snapshot)
    older = base.holdings if base is not None and isinstance(base.holdings, CatalogHoldings) else None
    holdings = CatalogHoldings(read, folder, snapshot, older)
    return ResolvedSnapshot(
        snapshot, value, tables, schema_snapshot, holdings, tail, deleted, objects=objects
    )


def advanced(
    base: ResolvedSnapshot, snapshot: Snapshot, blobs: Sequence[tuple[int, BlobRef]]
) -> ResolvedSnapshot:
    """The snapshot after `base` that only added inline blobs, without asking SQL."""
    holdings = base.holdings
    assert isinstance(holdings, CatalogHoldings)
    return replace(base, id=snapshot.id, snapshot=snapshot, holdings=holdings.following(snapshot.id, blobs))


def fetch_bytes(connection: sa.Connection, table: str, ids: Sequence[int]) -> Mapping[int, tuple[int, bytes]]:
    """Checksum and bytes of inline blobs, or of deletions, by id; collected ones are left out."""
    found: dict[int, tuple[int, bytes]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for number, crc32c, data in connection.execute(
            _BYTES[table], {"ids": list(ids[start : start + _AT_ONCE])}
        ):
            found[number] = (crc32c, data)
    return found


def with_tags(resolved: ResolvedSnapshot, tags: tuple[str, ...]) -> ResolvedSnapshot:
    """The same snapshot with newer tags."""
    return replace(resolved, snapshot=replace(resolved.snapshot, tags=tags))
