"""A commit: every change of one snapshot in one SQL transaction, with the conflict rules checked inside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select, update

from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.change import (
    BlobRef,
    CommitInfo,
    Committed,
    ObjectChange,
    Reliance,
    TableChange,
)
from luma_bench.storage.catalog.conflict import check_change, check_reliance, check_rewrite
from luma_bench.storage.catalog.define import define, redefine, take_columns
from luma_bench.storage.catalog.deletes import encode
from luma_bench.storage.catalog.direct import insert, rows
from luma_bench.storage.catalog.history import from_microseconds, read_by_token
from luma_bench.storage.catalog.objects import check_object, check_table_name, write_object
from luma_bench.storage.catalog.tables import (
    COLUMN,
    COUNTER,
    DELETION,
    INDEX_GENERATION,
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

PARTS_A_SNAPSHOT = 1 << 20
"""Ids of blobs and deletions are snapshot * this + ordinal: never used twice, without a counter."""

_BY_TOKEN = select(SNAPSHOT.c.id).where(SNAPSHOT.c.token == bindparam("token", type_=sa.Text))
_LAST = (
    select(SNAPSHOT.c.id, SNAPSHOT.c.time, SNAPSHOT.c.schema_snapshot).order_by(SNAPSHOT.c.id.desc()).limit(1)
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
_NEXT_COLUMN = select(TABLE_COUNTER.c.next_column_id).where(TABLE_COUNTER.c.table_id == bindparam("t"))
_RETURN_LEASE = sa.delete(LEASE).where(LEASE.c.id == bindparam("lease"))


def _end(table: sa.Table) -> sa.Update:
    return (
        update(table)
        .where((table.c.table_id == bindparam("t")) & table.c.end_snapshot.is_(None))
        .values(end_snapshot=bindparam("s"))
    )


_ENDS = [_end(table) for table in (TABLE, COLUMN, SEGMENT, INLINE, DELETION, INDEX_GENERATION)]
_END_BLOB = update(INLINE).where(INLINE.c.id == bindparam("b")).values(end_snapshot=bindparam("s"))
_END_SEGMENT = update(SEGMENT).where(SEGMENT.c.ulid == bindparam("u")).values(end_snapshot=bindparam("s"))
_END_DELETION = (
    update(DELETION)
    .where((DELETION.c.part == bindparam("p")) & DELETION.c.end_snapshot.is_(None))
    .values(end_snapshot=bindparam("s"))
)
_INSERTS = {
    table.name: sa.insert(table)
    for table in (SNAPSHOT, SNAPSHOT_CHANGE, TABLE_COUNTER, SEGMENT, INLINE, DELETION)
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
    objects: Sequence[ObjectChange] = (),
    relies: Sequence[Reliance] = (),
) -> Committed:
    """Write one snapshot inside a write transaction.

    Raises
    ------
    ConflictError
        Another snapshot changed a table in a way that this one does not fit on.
    BehindError
        The change must be prepared on a newer snapshot first.
    CatalogError
        A table of the name exists already, or the lease has run out.
    """
    if rows(connection, _BY_TOKEN, {"token": info.token}):
        earlier = read_by_token(connection, info.token)
        assert earlier is not None
        return Committed(earlier, fresh=False)
    if info.lease is not None and connection.execute(_RETURN_LEASE, {"lease": info.lease}).rowcount != 1:
        hint = "Nothing was applied. Run the write again."
        raise CatalogError(
            "The write's lease ran out before its commit, so its files may be gone.", hint=hint
        )
    ((last, last_time, schema_snapshot),) = rows(connection, _LAST, {})
    made = _Making(connection, last + 1)
    for change in changes:
        check_change(connection, change, last, changes)
        check_table_name(connection, change, objects)
    for reliance in relies:
        check_reliance(connection, reliance, last)
    for item in objects:
        check_object(connection, item, changes, objects)
    # What gives a name up goes before what may take it.
    done = [made.change(item) for item in sorted(changes, key=lambda item: not item.drops)]
    defined = [
        write_object(connection, item, made.snapshot, reserve_table)
        for item in sorted(objects, key=lambda item: item.operation != "drop")
    ]
    # A clock that went back must not order snapshots against their ids.
    moment = max(clock() // 1000, last_time)
    row = {
        "id": made.snapshot,
        "time": moment,
        "operation": info.operation,
        "namespace": info.namespace,
        "author": info.author,
        "message": info.message,
        "token": info.token,
        "schema_snapshot": made.snapshot
        if defined or any(item.redefined or item.drops for item in changes)
        else schema_snapshot,
        "expired": False,
    }
    insert(connection, _INSERTS["snapshot"], [row])
    marks = [
        {
            "snapshot_id": made.snapshot,
            "table_id": item.schema.id,
            "table_name": item.schema.name,
            "operation": item.operation,
        }
        for item in done
    ]
    marks += [
        {
            "snapshot_id": made.snapshot,
            "table_id": item.object.id,
            "table_name": item.object.name,
            "operation": f"{item.operation} {item.object.kind}",
        }
        for item in defined
    ]
    if marks:
        insert(connection, _INSERTS["snapshot_change"], marks)
    names = tuple(item.schema.name for item in sorted(done, key=lambda item: item.schema.id))
    value = Snapshot(
        id=made.snapshot,
        time=from_microseconds(moment),
        operation=info.operation,
        author=info.author,
        message=info.message,
        namespace=info.namespace,
        token=info.token,
        tables=names,
    )
    return Committed(value, fresh=True, rewritten=frozenset(made.rewritten), blobs=tuple(made.blobs))


class _Making:
    """The snapshot that is being made: it hands out ids as its changes are written."""

    def __init__(self, connection: sa.Connection, snapshot: int) -> None:
        self.snapshot = snapshot
        self.blobs: list[tuple[int, BlobRef]] = []
        self.rewritten: set[int] = set()
        self._connection = connection
        self._deletions = 0

    def change(self, change: TableChange) -> TableChange:
        """Write one table's change; the change again, with the ids that it was given."""
        schema, connection = change.schema, self._connection
        if change.fresh and change.operation.startswith("create"):
            if schema.id <= 0:
                schema = replace(schema, id=reserve_table(connection))
            counter = {"table_id": schema.id, "next_column_id": 1, "next_row_id": 0}
            connection.execute(_INSERTS["table_counter"], counter)
            change = replace(change, schema=schema)
            define(connection, schema, self.snapshot)
        elif change.fresh or change.drops:
            for statement in _ENDS:
                connection.execute(statement, {"t": schema.id, "s": self.snapshot})
            if not change.drops:
                define(connection, schema, self.snapshot)
        elif change.redefined:
            redefine(connection, schema, self.snapshot)
        if change.next_column_id:
            take_columns(connection, schema.id, change.next_column_id)
        deletes = dict(change.deletes)
        if change.rewrite is not None and (carried := check_rewrite(connection, change)) is not None:
            self._rewrite(change, carried, deletes)
        for part, positions in sorted(deletes.items()):
            self._delete(schema.id, part, positions)
        self._add_rows(change)
        return change

    def _rewrite(self, change: TableChange, carried: dict[str, Any], deletes: dict[str, Any]) -> None:
        """End the parts and list their segments; rows deleted meanwhile, and by this change, are deleted there."""
        rewrite, table_id, connection = change.rewrite, change.schema.id, self._connection
        assert rewrite is not None
        for part in sorted(rewrite.parts):
            if part.isdigit():
                connection.execute(_END_BLOB, {"b": int(part), "s": self.snapshot})
            else:
                connection.execute(_END_SEGMENT, {"u": part, "s": self.snapshot})
            connection.execute(_END_DELETION, {"p": part, "s": self.snapshot})
        for number, ref in enumerate(rewrite.segments):
            first, last = rewrite.rows.bounds(number)
            stored = ref.first_row_id is None
            row = _segment_row(ref, table_id, first, last, self.snapshot, rewrite.level, stored=stored)
            connection.execute(_INSERTS["segment"], row)
            if ref.deleted is not None:
                self._delete(table_id, ref.ulid, ref.deleted)
        gone = [
            *carried.items(),
            *((part, deletes.pop(part)) for part in list(deletes) if part in rewrite.parts),
        ]
        for part, positions in gone:
            for number, places in rewrite.rows.moved(part, positions).items():
                self._delete(table_id, rewrite.segments[number].ulid, places)
        self.rewritten.add(table_id)

    def _delete(self, table_id: int, part: str, positions: Any) -> None:
        if not len(positions):
            return
        data, crc32c = encode(positions)
        row = {
            "id": self.snapshot * PARTS_A_SNAPSHOT + self._deletions,
            "table_id": table_id,
            "part": part,
            "rows": len(positions),
            "begin_snapshot": self.snapshot,
            "crc32c": crc32c,
            "positions": data,
        }
        self._connection.execute(_INSERTS["deletion"], row)
        self._deletions += 1

    def _add_rows(self, change: TableChange) -> None:
        """Give the new rows their ids and list them."""
        count = sum(ref.rows for ref in change.segments) + sum(blob.rows for blob in change.blobs)
        if not count:
            return
        table_id, snapshot, connection = change.schema.id, self.snapshot, self._connection
        ((following,),) = rows(connection, _TAKE_ROWS, {"t": table_id, "count": count})
        first = following - count
        segments: list[dict[str, Any]] = []
        for ref in change.segments:
            segments.append(
                _segment_row(ref, table_id, first, first + ref.rows - 1, snapshot, 0, stored=False)
            )
            first += ref.rows
        if segments:
            connection.execute(_INSERTS["segment"], segments)
        for ref in change.segments:
            if ref.deleted is not None:
                self._delete(table_id, ref.ulid, ref.deleted)
        blobs: list[dict[str, Any]] = []
        for blob in change.blobs:
            number = snapshot * PARTS_A_SNAPSHOT + len(self.blobs)
            ref = BlobRef(number, blob.rows, first, len(blob.ipc), snapshot)
            row = {
                "id": ref.id,
                "rows": ref.rows,
                "first_row_id": first,
                "nbytes": ref.nbytes,
                "begin_snapshot": snapshot,
            }
            blobs.append({**row, "table_id": table_id, "crc32c": blob.crc32c, "ipc": blob.ipc})
            self.blobs.append((table_id, ref))
            first += blob.rows
        if blobs:
            insert(connection, _INSERTS["inline_blob"], blobs)


def _segment_row(
    ref: SegmentRef, table_id: int, first: int, last: int, snapshot: int, level: int, *, stored: bool
) -> dict[str, Any]:
    return {
        "ulid": ref.ulid,
        "table_id": table_id,
        "level": level,
        "rows": ref.rows,
        "nbytes": ref.nbytes,
        "first_row_id": first,
        "last_row_id": last,
        "row_ids_stored": stored,
        "stats": ref.stats,
        "begin_snapshot": snapshot,
    }
