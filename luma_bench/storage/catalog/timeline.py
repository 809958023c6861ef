"""What snapshots changed, and how large tables are, for showing: counted by the catalog, without reading what tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from luma_bench.storage.catalog.history import check_kept, read_page
from luma_bench.storage.catalog.tables import (
    COLUMN,
    DELETION,
    INLINE,
    SEGMENT,
    SNAPSHOT,
    SNAPSHOT_CHANGE,
    live,
)
from luma_bench.types.record import Snapshot

_IDS = bindparam("ids", expanding=True)
_AT = bindparam("at", type_=sa.BigInteger)


class TableSize(NamedTuple):
    """Rows that are not deleted, and bytes as they are stored."""

    rows: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that a snapshot added, dropped, or changed in name, type, default or comment."""

    name: str
    change: Literal["added", "dropped", "changed"]


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a snapshot did to one table, view, graph or other object.

    Attributes
    ----------
    table
        Its name at that time.
    operation
        Such as `append`, `update` or `create view`; several are joined by `+`.
    rows_added, rows_deleted
        An update counts in both. None where there are no rows, as in a view, or where the snapshot before was collected, so
        that they are not known any more.
    columns
        Changed columns of a table that was there before.
    """

    table: str
    operation: str
    rows_added: int | None
    rows_deleted: int | None
    columns: tuple[ColumnChange, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A snapshot with what it changed."""

    snapshot: Snapshot
    changes: tuple[TableChange, ...]


_Part = sa.Table
_MOVED: Final = frozenset({"compact"})
_ENDING: Final = ("replace", "drop")


def _counted(table: _Part, moment: sa.Column[Any], *measures: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        select(moment, table.c.table_id, *measures).where(moment.in_(_IDS)).group_by(moment, table.c.table_id)
    )


def _rows(table: _Part) -> sa.ColumnElement[Any]:
    return func.sum(table.c.rows)


_BEGUN = [_counted(table, table.c.begin_snapshot, _rows(table)) for table in (SEGMENT, INLINE)]
_ENDED = [_counted(table, table.c.end_snapshot, _rows(table)) for table in (SEGMENT, INLINE)]
_DELETED = _counted(DELETION, DELETION.c.begin_snapshot, _rows(DELETION))
_LET_GO = _counted(DELETION, DELETION.c.end_snapshot, _rows(DELETION))
_CHANGES = (
    select(
        SNAPSHOT_CHANGE.c.snapshot_id,
        SNAPSHOT_CHANGE.c.table_id,
        SNAPSHOT_CHANGE.c.table_name,
        SNAPSHOT_CHANGE.c.operation,
    )
    .where(SNAPSHOT_CHANGE.c.snapshot_id.in_(_IDS))
    .order_by(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.table_id)
)
_COLUMNS = [
    select(moment, COLUMN.c.table_id, COLUMN.c.column_id, COLUMN.c.name)
    .where(moment.in_(_IDS))
    .order_by(COLUMN.c.position)
    for moment in (COLUMN.c.begin_snapshot, COLUMN.c.end_snapshot)
]
_KEPT = select(SNAPSHOT.c.id).where(SNAPSHOT.c.id.in_(_IDS) & SNAPSHOT.c.expired.is_(False))
_SIZES = [
    select(table.c.table_id, func.sum(table.c.rows), func.sum(table.c.nbytes))
    .where(live(table, _AT))
    .group_by(table.c.table_id)
    for table in (SEGMENT, INLINE)
]
_GONE = (
    select(DELETION.c.table_id, func.sum(DELETION.c.rows))
    .where(live(DELETION, _AT))
    .group_by(DELETION.c.table_id)
)

_Key = tuple[int, int]


def read_timeline(
    connection: sa.Connection, before: int | None, limit: int
) -> tuple[list[TimelineEntry], bool]:
    """Kept snapshots with an id below `before` (None for all), newest first, and whether there are older ones."""
    page = read_page(connection, before, limit + 1)
    shown = page[:limit]
    if not shown:
        return [], False
    ids = [snapshot.id for snapshot in shown]
    around = sorted({*ids, *(snapshot - 1 for snapshot in ids)})
    kept = set(connection.execute(_KEPT, {"ids": around}).scalars())
    begun = _summed(connection, _BEGUN, ids)
    ended = _summed(connection, _ENDED, ids)
    deleted, freed = _summed(connection, [_DELETED], ids), _summed(connection, [_LET_GO], ids)
    columns = _columns(connection, ids)
    changes: dict[int, list[TableChange]] = {}
    for number, table, name, operation in connection.execute(_CHANGES, {"ids": ids}):
        key = (number, table)
        parts = set(operation.split("+"))
        added, gone = begun.get(key, 0), ended.get(key, 0) - freed.get(key, 0) + deleted.get(key, 0)
        known: tuple[int | None, int | None] = (added, gone)
        if all(" " in part for part in parts):
            known = (None, None)  # a view, a graph or another object holds no rows
        elif not parts - _MOVED:
            known = (0, 0)  # a compaction moves rows, and changes none
        elif number - 1 not in kept and any(part in parts for part in _ENDING):
            known = (added, None)
        anew = "create" in parts or "drop" in parts or " " in operation
        changes.setdefault(number, []).append(
            TableChange(name, operation, *known, () if anew else columns.get(key, ()))
        )
    entries = [TimelineEntry(snapshot, tuple(changes.get(snapshot.id, ()))) for snapshot in shown]
    return entries, len(page) > limit


def read_sizes(connection: sa.Connection, snapshot: int) -> dict[int, TableSize]:
    """Rows and bytes of every table that holds some at a snapshot, by table id.

    Raises
    ------
    SnapshotExpired
        What the snapshot held may be collected.
    """
    check_kept(connection, snapshot)
    rows: dict[int, int] = {}
    nbytes: dict[int, int] = {}
    for statement in _SIZES:
        for held in connection.execute(statement, {"at": snapshot}):
            rows[held[0]] = rows.get(held[0], 0) + int(held[1])
            nbytes[held[0]] = nbytes.get(held[0], 0) + int(held[2])
    for gone in connection.execute(_GONE, {"at": snapshot}):
        rows[gone[0]] = rows.get(gone[0], 0) - int(gone[1])
    return {table: TableSize(count, nbytes[table]) for table, count in rows.items()}


def _summed(
    connection: sa.Connection, statements: Iterable[sa.Select[Any]], ids: Sequence[int]
) -> Mapping[_Key, int]:
    found: dict[_Key, int] = {}
    for statement in statements:
        for row in connection.execute(statement, {"ids": list(ids)}):
            number, table, count = tuple(row)
            found[number, table] = found.get((number, table), 0) + int(count)
    return found


def _columns(connection: sa.Connection, ids: Sequence[int]) -> dict[_Key, tuple[ColumnChange, ...]]:
    """The changed columns of each table, told apart by their permanent ids."""
    begun, ended = (
        {
            (number, table, column): name
            for number, table, column, name in connection.execute(statement, {"ids": list(ids)})
        }
        for statement in _COLUMNS
    )
    found: dict[_Key, list[ColumnChange]] = {}
    for (number, table, column), name in begun.items():
        change = "changed" if (number, table, column) in ended else "added"
        found.setdefault((number, table), []).append(ColumnChange(name, change))
    for (number, table, column), name in ended.items():
        if (number, table, column) not in begun:
            found.setdefault((number, table), []).append(ColumnChange(name, "dropped"))
    return {key: tuple(changes) for key, changes in found.items()}
