"""A commit: every change of one snapshot in one SQL transaction, with the conflict rules checked inside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select, update

from luma_bench.errors import CatalogError, ConflictError
from luma_bench.storage.catalog.schema import encode_field, encode_settings
from luma_bench.storage.catalog.snapshot import BlobRef, from_microseconds, read_by_token
from luma_bench.storage.catalog.tables import (
    COLUMN,
    COUNTER,
    INLINE,
    LEASE,
    SEGMENT,
    SNAPSHOT,
    SNAPSHOT_CHANGE,
    TABLE,
    TABLE_COUNTER,
)
from luma_bench.storage.segment import SegmentRef
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import TableSchema

BLOBS_A_SNAPSHOT = 4096
"""Blob ids are snapshot * this + ordinal: never used twice, without a counter."""


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A small write that goes into the catalog: an Arrow IPC stream and its crc32c."""

    rows: int
    ipc: bytes
    crc32c: int


@dataclass(frozen=True, slots=True)
class Flush:
    """Inline blobs that segments of the same rows, with the same row ids, take over."""

    blobs: frozenset[int]
    segments: tuple[SegmentRef, ...]


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a commit does to one table.

    Attributes
    ----------
    operation
        create, append, replace or drop.
    schema
        The table as it will be; its id is 0 when the commit shall give one out.
    base
        The snapshot against which the write was prepared and checked.
    segments, blobs
        New rows, in order. Their row ids are given out in the commit.
    """

    operation: str
    schema: TableSchema
    base: int
    segments: tuple[SegmentRef, ...] = ()
    blobs: tuple[NewBlob, ...] = ()
    flush: Flush | None = None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What the snapshot records beside its changes; `lease` is given back by the commit."""

    operation: str
    author: str
    message: str
    token: str
    namespace: str = "main"
    lease: str | None = None


class BehindError(ConflictError):
    """Rows were appended to a table with a primary key after `base`: the keys are to be checked against them first."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made.

    Attributes
    ----------
    fresh
        Whether this very call made the snapshot, and not an earlier one with the same token.
    flushed
        Whether the inline blobs of its flush were still there to be taken over.
    blobs
        Table ids and the blobs that were added to them.
    """

    snapshot: Snapshot
    fresh: bool
    flushed: bool = False
    blobs: tuple[tuple[int, BlobRef], ...] = ()


_LAST = (
    select(SNAPSHOT.c.id, SNAPSHOT.c.time, SNAPSHOT.c.schema_snapshot).order_by(SNAPSHOT.c.id.desc()).limit(1)
)
_CHANGED = (
    select(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.operation)
    .where(
        (SNAPSHOT_CHANGE.c.table_id == bindparam("t")) & (SNAPSHOT_CHANGE.c.snapshot_id > bindparam("base"))
    )
    .order_by(SNAPSHOT_CHANGE.c.snapshot_id)
)
_LIVE_NAMES = select(TABLE.c.table_id, TABLE.c.name).where(TABLE.c.end_snapshot.is_(None))
_LIVE_BLOBS = select(INLINE.c.id).where(
    (INLINE.c.table_id == bindparam("t")) & INLINE.c.end_snapshot.is_(None)
)
_NEXT_TABLE = (
    update(COUNTER)
    .where(COUNTER.c.name == "table")
    .values(value=COUNTER.c.value + 1)
    .returning(COUNTER.c.value)
)
_TAKE_ROWS = (
    update(TABLE_COUNTER)
    .where(TABLE_COUNTER.c.table_id == bindparam("t"))
    .values(next_row_id=TABLE_COUNTER.c.next_row_id + bindparam("count"))
    .returning(TABLE_COUNTER.c.next_row_id)
)
_TAKE_COLUMNS = (
    update(TABLE_COUNTER)
    .where(
        (TABLE_COUNTER.c.table_id == bindparam("t")) & (TABLE_COUNTER.c.next_column_id < bindparam("next"))
    )
    .values(next_column_id=bindparam("next"))
)
_NEXT_COLUMN = select(TABLE_COUNTER.c.next_column_id).where(TABLE_COUNTER.c.table_id == bindparam("t"))
_RETURN_LEASE = sa.delete(LEASE).where(LEASE.c.id == bindparam("lease"))


def _end(table: sa.Table) -> sa.Update:
    return (
        update(table)
        .where((table.c.table_id == bindparam("t")) & table.c.end_snapshot.is_(None))
        .values(end_snapshot=bindparam("s"))
    )


_ENDS = {table.name: _end(table) for table in (TABLE, COLUMN, SEGMENT, INLINE)}
_END_BLOB = update(INLINE).where(INLINE.c.id == bindparam("b")).values(end_snapshot=bindparam("s"))
_INSERTS = {
    table.name: sa.insert(table)
    for table in (SNAPSHOT, SNAPSHOT_CHANGE, TABLE, TABLE_COUNTER, COLUMN, SEGMENT, INLINE)
}


def reserve_table(connection: sa.Connection) -> int:
    """Give out a table id; one that is not used in the end stays unused."""
    return connection.execute(_NEXT_TABLE).scalar_one()


def next_column_id(connection: sa.Connection, table_id: int) -> int:
    """The first column id that the table never gave out; safe to use, because a change of it is a conflict."""
    return connection.execute(_NEXT_COLUMN, {"t": table_id}).scalar_one()


def apply(
    connection: sa.Connection,
    changes: Sequence[TableChange],
    info: CommitInfo,
    clock: Callable[[], int] = time.time_ns,
) -> Committed:
    """Write one snapshot inside a write transaction.

    Raises
    ------
    ConflictError
        Another snapshot changed a table in a way that this one does not fit on.
    BehindError
        The keys must be checked against newer rows first.
    CatalogError
        A table of the name exists already, or the lease has run out.
    """
    if (earlier := read_by_token(connection, info.token)) is not None:
        return Committed(earlier, fresh=False)
    if info.lease is not None and connection.execute(_RETURN_LEASE, {"lease": info.lease}).rowcount != 1:
        hint = "Nothing was applied. Run the write again."
        raise CatalogError(
            "The write's lease ran out before its commit, so its files may be gone.", hint=hint
        )
    last, last_time, schema_snapshot = connection.execute(_LAST).one()
    snapshot = last + 1
    # A clock that went back must not order snapshots against their ids.
    moment = max(clock() // 1000, last_time)
    flushed = False
    done: list[TableChange] = []
    blobs: list[tuple[int, BlobRef]] = []
    for change in changes:
        _check(connection, change, last)
        settled, absorbed = _apply_change(connection, change, snapshot)
        flushed = flushed or absorbed
        done.append(settled)
        blobs += [(settled.schema.id, ref) for ref in _add_rows(connection, settled, snapshot, len(blobs))]
    redefined = any(change.operation != "append" for change in changes)
    row = {
        "id": snapshot,
        "time": moment,
        "operation": info.operation,
        "namespace": info.namespace,
        "author": info.author,
        "message": info.message,
        "token": info.token,
        "schema_snapshot": snapshot if redefined else schema_snapshot,
    }
    connection.execute(_INSERTS["snapshot"], row)
    marks = [
        {
            "snapshot_id": snapshot,
            "table_id": item.schema.id,
            "table_name": item.schema.name,
            "operation": item.operation,
        }
        for item in done
    ]
    if marks:
        connection.execute(_INSERTS["snapshot_change"], marks)
    names = tuple(item.schema.name for item in sorted(done, key=lambda item: item.schema.id))
    value = Snapshot(
        id=snapshot,
        time=from_microseconds(moment),
        operation=info.operation,
        author=info.author,
        message=info.message,
        namespace=info.namespace,
        token=info.token,
        tables=names,
    )
    return Committed(value, fresh=True, flushed=flushed, blobs=tuple(blobs))


def _check(connection: sa.Connection, change: TableChange, last: int) -> None:
    """Refuse a change that does not fit on what was committed after its base."""
    schema = change.schema
    if change.operation == "create":
        folded = schema.name.casefold()
        for _, name in connection.execute(_LIVE_NAMES):
            if name.casefold() == folded:
                raise CatalogError.table_exists(name)
        return
    if last == change.base:
        return
    for snapshot, operation in connection.execute(_CHANGED, {"t": schema.id, "base": change.base}):
        if operation != "append" or change.operation != "append":
            raise ConflictError.lost(schema.name, snapshot, operation)
        if schema.settings.primary_key:
            raise BehindError.lost(schema.name, snapshot, operation)


def _apply_change(connection: sa.Connection, change: TableChange, snapshot: int) -> tuple[TableChange, bool]:
    schema = change.schema
    if change.operation == "create":
        if not schema.id:
            schema = replace(schema, id=reserve_table(connection))
        counter = {"table_id": schema.id, "next_column_id": 1, "next_row_id": 0}
        connection.execute(_INSERTS["table_counter"], counter)
    if change.operation in ("replace", "drop"):
        for statement in _ENDS.values():
            connection.execute(statement, {"t": schema.id, "s": snapshot})
    if change.operation in ("create", "replace"):
        _define(connection, schema, snapshot)
    flushed = change.flush is not None and _take_over(connection, schema.id, change.flush, snapshot)
    return replace(change, schema=schema), flushed


def _define(connection: sa.Connection, schema: TableSchema, snapshot: int) -> None:
    row = {
        "table_id": schema.id,
        "namespace": schema.namespace,
        "name": schema.name,
        "comment": schema.comment,
        "settings": encode_settings(schema.settings, schema.columns),
        "begin_snapshot": snapshot,
    }
    connection.execute(_INSERTS["bench_table"], row)
    columns = [
        {
            "table_id": schema.id,
            "column_id": column.id,
            "begin_snapshot": snapshot,
            "position": position,
            "name": column.name,
            "arrow": encode_field(column),
            "comment": column.comment,
        }
        for position, column in enumerate(schema.columns)
    ]
    connection.execute(_INSERTS["bench_column"], columns)
    following = max(column.id for column in schema.columns) + 1
    connection.execute(_TAKE_COLUMNS, {"t": schema.id, "next": following})


def _take_over(connection: sa.Connection, table_id: int, flush: Flush, snapshot: int) -> bool:
    """End the blobs and add their segments; False when another commit flushed one of them meanwhile."""
    alive = set(connection.execute(_LIVE_BLOBS, {"t": table_id}).scalars())
    if not flush.blobs <= alive:
        return False
    connection.execute(_END_BLOB, [{"b": blob, "s": snapshot} for blob in sorted(flush.blobs)])
    for ref in flush.segments:
        connection.execute(_INSERTS["segment"], _segment_row(ref, table_id, ref.first_row_id, snapshot))
    return True


def _add_rows(connection: sa.Connection, change: TableChange, snapshot: int, used: int) -> list[BlobRef]:
    """Give the new rows their ids and list them; `used` blob ids of this snapshot are taken."""
    count = sum(ref.rows for ref in change.segments) + sum(blob.rows for blob in change.blobs)
    if not count:
        return []
    table_id = change.schema.id
    first = connection.execute(_TAKE_ROWS, {"t": table_id, "count": count}).scalar_one() - count
    segments: list[dict[str, Any]] = []
    for ref in change.segments:
        segments.append(_segment_row(ref, table_id, first, snapshot))
        first += ref.rows
    if segments:
        connection.execute(_INSERTS["segment"], segments)
    refs: list[BlobRef] = []
    blobs: list[dict[str, Any]] = []
    for ordinal, blob in enumerate(change.blobs, used):
        ref = BlobRef(snapshot * BLOBS_A_SNAPSHOT + ordinal, blob.rows, first, len(blob.ipc), snapshot)
        row = {
            "id": ref.id,
            "rows": ref.rows,
            "first_row_id": first,
            "nbytes": ref.nbytes,
            "begin_snapshot": snapshot,
        }
        blobs.append({**row, "table_id": table_id, "crc32c": blob.crc32c, "ipc": blob.ipc})
        refs.append(ref)
        first += blob.rows
    if blobs:
        connection.execute(_INSERTS["inline_blob"], blobs)
    return refs


def _segment_row(ref: SegmentRef, table_id: int, first: int | None, snapshot: int) -> dict[str, Any]:
    return {
        "ulid": ref.ulid,
        "table_id": table_id,
        "level": 0,
        "rows": ref.rows,
        "nbytes": ref.nbytes,
        "first_row_id": first,
        "row_ids_stored": False,
        "stats": ref.stats,
        "begin_snapshot": snapshot,
    }
