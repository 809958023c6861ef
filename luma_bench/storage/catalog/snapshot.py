"""Reading the catalog: snapshots, and everything that one of them shows, copied out of SQL.

A resolved snapshot never touches SQL again but for the bytes of inline blobs, which are immutable rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.schema import table_schemas
from luma_bench.storage.catalog.tables import (
    COLUMN,
    INLINE,
    SEGMENT,
    SNAPSHOT,
    SNAPSHOT_CHANGE,
    TABLE,
    TAG,
    live,
)
from luma_bench.storage.scan import InlineBlob
from luma_bench.storage.segment import SegmentRef
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import TableSchema


@dataclass(frozen=True, slots=True)
class BlobRef:
    """An inline blob as the catalog lists it: `rows` rows from row id `first_row_id`, `nbytes` bytes encoded."""

    id: int
    rows: int
    first_row_id: int
    nbytes: int
    begin: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds at a snapshot, in row-id order; `starts` are the segments' smallest row ids."""

    segments: tuple[SegmentRef, ...] = ()
    starts: tuple[int, ...] = ()
    blobs: tuple[BlobRef, ...] = ()
    rows: int = 0


Tail = Callable[[TableSchema, Sequence[BlobRef]], tuple[InlineBlob, ...]]
Fetch = Callable[[Sequence[int]], Mapping[int, tuple[int, bytes]]]
"""Gives checksum and bytes of blobs by id; collected ones are left out."""

_EMPTY = Contents()
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ResolvedSnapshot:
    """One snapshot, pinned: its tables and what they hold. Immutable and shared between threads.

    `snapshot.tags` are the tags when it was first resolved; `Store.snapshots()` has the present ones.
    """

    id: int
    snapshot: Snapshot
    tables: Mapping[str, TableSchema]
    schema_snapshot: int
    contents: Mapping[int, Contents]
    tail: Tail

    def find(self, name: str) -> TableSchema:
        """The table of this name; case is ignored when no name matches exactly.

        Raises
        ------
        CatalogError
            There is none at this snapshot; the hint lists the nearest.
        """
        found = self.named(name)
        if found is None:
            raise CatalogError.unknown_table(name, list(self.tables))
        return found

    def named(self, name: str) -> TableSchema | None:
        """The table of this name, ignoring case when no name matches exactly; None when there is none."""
        found = self.tables.get(name)
        if found is not None:
            return found
        folded = name.casefold()
        return next((table for table in self.tables.values() if table.name.casefold() == folded), None)

    def rows(self, name: str) -> int:
        """The number of rows of a table."""
        return self.holds(self.find(name).id).rows

    def segments(self, table_id: int) -> tuple[SegmentRef, ...]:
        """The table's segments in row-id order."""
        return self.holds(table_id).segments

    def inline(self, table_id: int) -> tuple[InlineBlob, ...]:
        """The table's small writes that are not in a segment yet, decoded, in row-id order.

        Raises
        ------
        CorruptionError
            A blob's checksum is wrong.
        """
        blobs = self.holds(table_id).blobs
        if not blobs:
            return ()
        schema = next(table for table in self.tables.values() if table.id == table_id)
        return self.tail(schema, blobs)

    def holds(self, table_id: int) -> Contents:
        """Segments, blobs and the row count of a table by id."""
        return self.contents.get(table_id, _EMPTY)


_AT = bindparam("at", type_=sa.BigInteger)
_SINCE = bindparam("since", type_=sa.BigInteger)
_SNAPSHOT = select(SNAPSHOT).where(SNAPSHOT.c.id == _AT)
_BY_TOKEN = select(SNAPSHOT).where(SNAPSHOT.c.token == bindparam("token", type_=sa.Text))
_ALL_SNAPSHOTS = select(SNAPSHOT).order_by(SNAPSHOT.c.id)
_TAGS = select(TAG.c.name, TAG.c.snapshot_id).order_by(TAG.c.name)
_TAGS_OF = select(TAG.c.name).where(TAG.c.snapshot_id == _AT).order_by(TAG.c.name)
_CHANGES = select(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.table_name).order_by(
    SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.table_id
)
_CHANGES_OF = (
    select(SNAPSHOT_CHANGE.c.table_name)
    .where(SNAPSHOT_CHANGE.c.snapshot_id == _AT)
    .order_by(SNAPSHOT_CHANGE.c.table_id)
)
_TABLES = select(TABLE).where(live(TABLE, _AT)).order_by(TABLE.c.table_id)
_COLUMNS = (
    select(COLUMN.c.table_id, COLUMN.c.column_id, COLUMN.c.name, COLUMN.c.arrow, COLUMN.c.comment)
    .where(live(COLUMN, _AT))
    .order_by(COLUMN.c.table_id, COLUMN.c.position)
)
_SEGMENT_ROW = (
    SEGMENT.c.table_id,
    SEGMENT.c.ulid,
    SEGMENT.c.rows,
    SEGMENT.c.nbytes,
    SEGMENT.c.first_row_id,
    SEGMENT.c.row_ids_stored,
    SEGMENT.c.stats,
)
_SEGMENTS = select(*_SEGMENT_ROW).where(live(SEGMENT, _AT)).order_by(SEGMENT.c.first_row_id, SEGMENT.c.ulid)
_BLOB_ROW = (
    INLINE.c.table_id,
    INLINE.c.id,
    INLINE.c.rows,
    INLINE.c.first_row_id,
    INLINE.c.nbytes,
    INLINE.c.begin_snapshot,
)
_BLOBS = select(*_BLOB_ROW).where(live(INLINE, _AT)).order_by(INLINE.c.first_row_id, INLINE.c.id)


def _between(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return (column > _SINCE) & (column <= _AT)


_NEW_SEGMENTS = _SEGMENTS.where(_between(SEGMENT.c.begin_snapshot))
_ENDED_SEGMENTS = select(SEGMENT.c.table_id, SEGMENT.c.ulid).where(_between(SEGMENT.c.end_snapshot))
_NEW_BLOBS = _BLOBS.where(_between(INLINE.c.begin_snapshot))
_ENDED_BLOBS = select(INLINE.c.table_id, INLINE.c.id).where(_between(INLINE.c.end_snapshot))
_BYTES = select(INLINE.c.id, INLINE.c.crc32c, INLINE.c.ipc).where(
    INLINE.c.id.in_(bindparam("ids", expanding=True))
)
_AT_TIME = select(sa.func.max(SNAPSHOT.c.id)).where(SNAPSHOT.c.time <= bindparam("time", type_=sa.BigInteger))
_TAGGED = select(TAG.c.snapshot_id).where(TAG.c.name == bindparam("name", type_=sa.Text))
_RANGE = select(sa.func.min(SNAPSHOT.c.id), sa.func.max(SNAPSHOT.c.id), sa.func.min(SNAPSHOT.c.time))


def segment_path(folder: Path, table_id: int, ulid: str) -> Path:
    """Where a segment lies in a bench's folder."""
    return folder / "segments" / str(table_id) / f"{ulid}.zarr.zip"


def from_microseconds(value: int) -> dt.datetime:
    """A catalog time as an aware datetime in UTC."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=value)


def to_microseconds(value: dt.datetime) -> int:
    """A datetime as a catalog time; one without a zone is local time."""
    return (value.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _value(row: Any, tags: Sequence[str], tables: Sequence[str]) -> Snapshot:
    return Snapshot(
        id=row.id,
        time=from_microseconds(row.time),
        operation=row.operation,
        author=row.author,
        message=row.message,
        tags=tuple(tags),
        namespace=row.namespace,
        token=row.token,
        tables=tuple(tables),
    )


def read_snapshot(connection: sa.Connection, snapshot: int) -> Snapshot:
    """One snapshot by id; the caller knows that it exists."""
    row = connection.execute(_SNAPSHOT, {"at": snapshot}).one()
    tags = connection.execute(_TAGS_OF, {"at": snapshot}).scalars().all()
    return _value(row, tags, connection.execute(_CHANGES_OF, {"at": snapshot}).scalars().all())


def read_by_token(connection: sa.Connection, token: str) -> Snapshot | None:
    """The snapshot that a commit with this token made, if it did."""
    row = connection.execute(_BY_TOKEN, {"token": token}).one_or_none()
    return None if row is None else read_snapshot(connection, row.id)


def read_snapshots(connection: sa.Connection) -> list[Snapshot]:
    """Every snapshot, oldest first."""
    tags: dict[int, list[str]] = {}
    for name, snapshot in connection.execute(_TAGS):
        tags.setdefault(snapshot, []).append(name)
    tables: dict[int, list[str]] = {}
    for snapshot, name in connection.execute(_CHANGES):
        tables.setdefault(snapshot, []).append(name)
    rows = connection.execute(_ALL_SNAPSHOTS).all()
    return [_value(row, tags.get(row.id, ()), tables.get(row.id, ())) for row in rows]


def find_snapshot(connection: sa.Connection, at: int | dt.datetime | str) -> int:
    """The id of the snapshot that `at` names: an id, the newest at or before a time, a tag, or an ISO time or id as text.

    Raises
    ------
    CatalogError
        There is none; the hint says which there are.
    """
    found: int | None = None
    if isinstance(at, str):
        found = connection.execute(_TAGGED, {"name": at}).scalar()
        if found is None:
            moment = _parsed(at)
            return find_snapshot(connection, moment) if moment is not None else _unknown(connection, at)
    elif isinstance(at, dt.datetime):
        found = connection.execute(_AT_TIME, {"time": to_microseconds(at)}).scalar()
    else:
        row = connection.execute(_SNAPSHOT, {"at": int(at)}).one_or_none() if abs(at) < 1 << 62 else None
        found = None if row is None else row.id
    return _unknown(connection, at) if found is None else found


def _parsed(text: str) -> int | dt.datetime | None:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _unknown(connection: sa.Connection, at: object) -> int:
    first, last, time = connection.execute(_RANGE).one()
    tags = connection.execute(_TAGS).all()
    names = ", ".join(repr(name) for name, _ in tags[:8]) + (", …" if len(tags) > 8 else "")
    since = from_microseconds(time).astimezone().isoformat(sep=" ", timespec="seconds")
    hint = f"The snapshots are {first} to {last}, from {since} on; {f'the tags are: {names}' if tags else 'there are no tags'}."
    raise CatalogError.unknown_snapshot(str(at) if isinstance(at, dt.datetime) else at, hint)


def load(
    connection: sa.Connection, folder: Path, snapshot: int, base: ResolvedSnapshot | None, tail: Tail
) -> ResolvedSnapshot:
    """Copy what a snapshot shows out of the catalog.

    Parameters
    ----------
    base
        An older resolved snapshot: only what changed after it is read then.
    tail
        Decodes inline blobs.
    """
    row = connection.execute(_SNAPSHOT, {"at": snapshot}).one()
    value = read_snapshot(connection, snapshot)
    if base is not None and base.schema_snapshot == row.schema_snapshot:
        tables = base.tables
    else:
        key = {"at": snapshot}
        tables = MappingProxyType(
            table_schemas(connection.execute(_TABLES, key), connection.execute(_COLUMNS, key))
        )
    contents = _contents(connection, folder, snapshot, base)
    return ResolvedSnapshot(snapshot, value, tables, row.schema_snapshot, MappingProxyType(contents), tail)


def _contents(
    connection: sa.Connection, folder: Path, snapshot: int, base: ResolvedSnapshot | None
) -> dict[int, Contents]:
    since = {"at": snapshot, "since": -1 if base is None else base.id}
    segments: dict[int, list[tuple[int, SegmentRef]]] = {}
    for row in connection.execute(_SEGMENTS if base is None else _NEW_SEGMENTS, since):
        path = segment_path(folder, row.table_id, row.ulid)
        first = None if row.row_ids_stored else row.first_row_id
        ref = SegmentRef(row.ulid, path, row.rows, row.nbytes, first, row.stats)
        segments.setdefault(row.table_id, []).append((row.first_row_id, ref))
    blobs: dict[int, list[BlobRef]] = {}
    for row in connection.execute(_BLOBS if base is None else _NEW_BLOBS, since):
        blob = BlobRef(row.id, row.rows, row.first_row_id, row.nbytes, row.begin_snapshot)
        blobs.setdefault(row.table_id, []).append(blob)
    if base is None:
        return {item: _sorted(segments.get(item, ()), blobs.get(item, ())) for item in {*segments, *blobs}}
    gone: dict[int, set[object]] = {}
    for statement in (_ENDED_SEGMENTS, _ENDED_BLOBS):
        for table_id, key in connection.execute(statement, since):
            gone.setdefault(table_id, set()).add(key)
    contents = dict(base.contents)
    for item in {*segments, *blobs, *gone}:
        old, ended = base.holds(item), gone.get(item, set())
        kept = [pair for pair in zip(old.starts, old.segments, strict=True) if pair[1].ulid not in ended]
        tail = [blob for blob in old.blobs if blob.id not in ended]
        contents[item] = _sorted([*kept, *segments.get(item, ())], [*tail, *blobs.get(item, ())])
    return {item: held for item, held in contents.items() if held.segments or held.blobs}


def _sorted(segments: Sequence[tuple[int, SegmentRef]], blobs: Sequence[BlobRef]) -> Contents:
    segments = sorted(segments, key=lambda pair: (pair[0], pair[1].ulid))
    blobs = sorted(blobs, key=lambda blob: blob.first_row_id)
    rows = sum(ref.rows for _, ref in segments) + sum(blob.rows for blob in blobs)
    return Contents(
        tuple(ref for _, ref in segments), tuple(start for start, _ in segments), tuple(blobs), rows
    )


def advanced(
    base: ResolvedSnapshot, snapshot: Snapshot, blobs: Sequence[tuple[int, BlobRef]]
) -> ResolvedSnapshot:
    """The snapshot after `base` that only added inline blobs, without asking SQL."""
    contents = dict(base.contents)
    for table_id, blob in blobs:
        held = contents.get(table_id, _EMPTY)
        contents[table_id] = replace(held, blobs=(*held.blobs, blob), rows=held.rows + blob.rows)
    return replace(base, id=snapshot.id, snapshot=snapshot, contents=MappingProxyType(contents))


def fetch_blobs(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[int, bytes]]:
    """Checksum and bytes of blobs by id."""
    found: dict[int, tuple[int, bytes]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for blob, crc32c, data in connection.execute(_BYTES, {"ids": list(ids[start : start + _AT_ONCE])}):
            found[blob] = (crc32c, data)
    return found


def with_tags(resolved: ResolvedSnapshot, tags: tuple[str, ...]) -> ResolvedSnapshot:
    """The same snapshot with newer tags."""
    return replace(resolved, snapshot=replace(resolved.snapshot, tags=tags))
