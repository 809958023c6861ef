"""The SQL of forgetting: snapshots that expire, rows that no kept snapshot shows, and files that go with them.

Snapshots are only ever marked. A row whose life holds no kept snapshot is deleted, and its file is entered into `doomed`
in the same transaction. What is dead stays dead: an expired snapshot never comes back, and a life that has ended never
changes. So everything here may be done in small transactions, by several processes, and again after a crash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, func, insert, select, update

from luma_bench.errors import SnapshotExpired
from luma_bench.storage.catalog.tables import (
    COLUMN,
    DELETION,
    DOOMED,
    INDEX_GENERATION,
    INLINE,
    LEASE,
    OBJECT,
    SEGMENT,
    SNAPSHOT,
    TABLE,
    TABLE_COUNTER,
    TAG,
)

AT_ONCE = 500
"""Rows that one transaction changes."""

WRITERS = ("write", "compact")
"""The kinds of leases whose holders store files."""

_NOW = bindparam("now", type_=sa.BigInteger)
_IDS = bindparam("ids", expanding=True)
_NAMES = bindparam("names", expanding=True)
_KEPT = SNAPSHOT.c.expired.is_(False)
_EDGE = select(func.max(SNAPSHOT.c.id)).where(SNAPSHOT.c.time <= bindparam("cutoff", type_=sa.BigInteger))
_OLD = select(SNAPSHOT.c.id).where(_KEPT & (SNAPSHOT.c.id < bindparam("edge", type_=sa.BigInteger)))
_HELD = select(LEASE.c.snapshot_id).where(LEASE.c.expires > _NOW)
_EXPIRE = (
    update(SNAPSHOT)
    .where(
        SNAPSHOT.c.id.in_(_IDS)
        & _KEPT
        & SNAPSHOT.c.id.not_in(select(TAG.c.snapshot_id))
        & SNAPSHOT.c.id.not_in(_HELD)
    )
    .values(expired=True)
)
_ALL_KEPT = select(SNAPSHOT.c.id).where(_KEPT).order_by(SNAPSHOT.c.id)
_REVOKE = delete(LEASE).where(LEASE.c.expires <= _NOW)
_OLDEST_WRITER = select(func.min(LEASE.c.id)).where(LEASE.c.kind.in_(WRITERS))
_FORGET_COUNTERS = delete(TABLE_COUNTER).where(TABLE_COUNTER.c.table_id.not_in(select(TABLE.c.table_id)))
_GONE_TABLES = select(TABLE_COUNTER.c.table_id).where(
    TABLE_COUNTER.c.table_id.not_in(select(TABLE.c.table_id))
)
_OF_TABLE = select(SEGMENT.c.ulid).where(SEGMENT.c.table_id == bindparam("t", type_=sa.BigInteger))
_LISTED = select(SEGMENT.c.ulid).where(SEGMENT.c.ulid.in_(_NAMES))
_ENTERED = select(DOOMED.c.ulid).where(DOOMED.c.ulid.in_(_NAMES))
_NEXT_DOOMED = (
    select(DOOMED.c.ulid, DOOMED.c.table_id)
    .where(DOOMED.c.ulid > bindparam("after", type_=sa.Text))
    .order_by(DOOMED.c.ulid)
    .limit(AT_ONCE)
)
_STRIKE = delete(DOOMED).where(DOOMED.c.ulid.in_(_NAMES))


@dataclass(frozen=True, slots=True)
class Gap:
    """Expired snapshots between two kept ones: a life that begins after `after` and ends by `before` shows in none that is kept."""

    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Owned:
    """A file of a table in the bench's folder, by its ulid."""

    ulid: str
    table_id: int


def expirable(connection: sa.Connection, cutoff: int, pinned: Collection[int]) -> list[int]:
    """The kept snapshots that were superseded by `cutoff` (microseconds) and that nothing in `pinned` holds, oldest first.

    The newest snapshot at the cutoff is not among them: a read at any time after the cutoff finds what was current then.
    """
    edge = connection.execute(_EDGE, {"cutoff": cutoff}).scalar()
    if edge is None:
        return []
    held = set(pinned)
    return sorted(found for found in connection.execute(_OLD, {"edge": edge}).scalars() if found not in held)


def expire(connection: sa.Connection, ids: Sequence[int], now: int) -> int:
    """Mark snapshots as expired, but for those that have a tag or a lease by now; how many were marked."""
    return connection.execute(_EXPIRE, {"ids": list(ids), "now": now}).rowcount


def gaps(connection: sa.Connection) -> list[Gap]:
    """The stretches of expired snapshots, oldest first."""
    found: list[Gap] = []
    before = 0
    for kept in connection.execute(_ALL_KEPT).scalars():
        if kept > before + 1:
            found.append(Gap(before, kept))
        before = kept
    return found


def _dead(table: sa.Table, columns: Sequence[sa.Column[Any]], rows: int) -> sa.Select[Any]:
    after, before = (bindparam(name, type_=sa.BigInteger) for name in ("after", "before"))
    life = (table.c.end_snapshot > after) & (table.c.end_snapshot <= before)
    return select(*columns).where(life & (table.c.begin_snapshot > after)).limit(rows)


def _keys(table: sa.Table) -> list[sa.Column[Any]]:
    return list(table.primary_key.columns)


# Blobs are up to 256 kB each: fewer of them at once.
_ROWS = {INLINE.name: 64}
_FILED = (SEGMENT, INDEX_GENERATION)
_RETIRED = (SEGMENT, INDEX_GENERATION, INLINE, DELETION, COLUMN, TABLE, OBJECT)
_FIND = {
    table.name: _dead(
        table,
        [*_keys(table), table.c.table_id] if table in _FILED else _keys(table),
        _ROWS.get(table.name, AT_ONCE),
    )
    for table in _RETIRED
}
_REMOVE = {
    table.name: delete(table).where(
        sa.and_(*(key == bindparam(f"k{i}") for i, key in enumerate(_keys(table))))
    )
    for table in _RETIRED
}
RETIRED = tuple(table.name for table in _RETIRED)
"""The names of the tables whose rows have lives."""


def retire(connection: sa.Connection, table: str, gap: Gap, now: int) -> int:
    """Delete some rows of a table that lived within a gap, and enter their files into `doomed`; how many, 0 when none is left."""
    rows = connection.execute(_FIND[table], {"after": gap.after, "before": gap.before}).all()
    if not rows:
        return 0
    if table in {filed.name for filed in _FILED}:
        doom(connection, [Owned(row.ulid, row.table_id) for row in rows], now)
    width = len(_keys(next(item for item in _RETIRED if item.name == table)))
    keys = [{f"k{i}": row[i] for i in range(width)} for row in rows]
    connection.execute(_REMOVE[table], keys)
    return len(rows)


def forget_tables(connection: sa.Connection) -> list[int]:
    """Delete the counters of tables that no snapshot has any more: their ids are never used again. The ids."""
    gone = list(connection.execute(_GONE_TABLES).scalars())
    if gone:
        connection.execute(_FORGET_COUNTERS)
    return gone


def revoke(connection: sa.Connection, now: int) -> int:
    """Take away the leases that have run out: a commit under one of them fails from now on. How many there were."""
    return connection.execute(_REVOKE, {"now": now}).rowcount


def doom(connection: sa.Connection, files: Sequence[Owned], now: int) -> None:
    """Enter files that nothing lists; those that are entered already stay."""
    known = set(connection.execute(_ENTERED, {"names": [file.ulid for file in files]}).scalars())
    rows = [
        {"ulid": file.ulid, "table_id": file.table_id, "since": now}
        for file in files
        if file.ulid not in known
    ]
    if rows:
        connection.execute(insert(DOOMED), rows)


def doom_unowned(connection: sa.Connection, files: Sequence[Owned], now: int) -> int:
    """Enter those of some files that were found in the bench's folder which no writer can commit any more; how many.

    A writer takes its lease before it stores its first file, names both from one rising source, and commits only while its
    lease stands here. So a file is nobody's when no snapshot lists it and no lease of a writer has a lower name; the
    files must have been listed before this transaction began.
    """
    revoke(connection, now)
    oldest = connection.execute(_OLDEST_WRITER).scalar()
    names = [file.ulid for file in files]
    listed = set(connection.execute(_LISTED, {"names": names}).scalars())
    free = [file for file in files if file.ulid not in listed and (oldest is None or file.ulid < oldest)]
    if free:
        doom(connection, free, now)
    return len(free)


def listed_of(connection: sa.Connection, table_id: int) -> set[str]:
    """The segments of a table that any snapshot lists."""
    return set(connection.execute(_OF_TABLE, {"t": table_id}).scalars())


def collected_file(
    read: Callable[[Callable[[sa.Connection], Any]], Any],
) -> Callable[[str], SnapshotExpired | None]:
    """A function that says of a segment whose file is not there that it was collected; None when it should be there."""

    def ask(ulid: str) -> SnapshotExpired | None:
        if read(lambda connection: connection.execute(_LISTED, {"names": [ulid]}).first()) is not None:
            return None
        hint = "Read a newer snapshot; a tag keeps a snapshot for good: bench.tag('name', at=…)."
        return SnapshotExpired(
            "The snapshot that is being read has expired, and its files were collected.", hint=hint
        )

    return ask


def doomed(connection: sa.Connection, after: str) -> list[Owned]:
    """Some files to unlink whose ulid comes after `after`, in their order."""
    return [Owned(row.ulid, row.table_id) for row in connection.execute(_NEXT_DOOMED, {"after": after})]


def strike(connection: sa.Connection, ulids: Sequence[str]) -> None:
    """Take files that are gone off the list."""
    connection.execute(_STRIKE, {"names": list(ulids)})


def batches[T](items: Sequence[T], count: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """The items, `count` at a time."""
    for number in range(math.ceil(len(items) / count)):
        yield items[number * count : (number + 1) * count]
