"""The catalog file of one published snapshot: SQLite in one file, immutable, the same bytes whenever it is made.

It holds the rows that are visible at the snapshot and nothing else. There is one snapshot in it, so everything begins
there and nothing ends; counters are those that the rows need. What a later compaction, tag or table does to the bench
does not reach it: tags stand in the pointer. Parts that were written anew (`publish_shown`) stand in their former ones' place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from luma_bench.storage.catalog.tables import (
    COLUMN,
    COUNTER,
    DELETION,
    INLINE,
    METADATA,
    OBJECT,
    SEGMENT,
    SNAPSHOT,
    SNAPSHOT_CHANGE,
    TABLE,
    TABLE_COUNTER,
    live,
)
from luma_bench.storage.publish_shown import Anew

_LIVING = (TABLE, COLUMN, SEGMENT, INLINE, DELETION, OBJECT)
_PART = {SEGMENT.name: SEGMENT.c.ulid, INLINE.name: INLINE.c.id, DELETION.name: DELETION.c.part}
_AT_ONCE = 200
_PRAGMAS = ("page_size=1024", "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE")


def write_catalog(connection: sa.Connection, snapshot: int, path: Path, anew: Anew) -> None:
    """Make the catalog file of a snapshot; it is not synced.

    Parameters
    ----------
    connection
        A read transaction of the bench's catalog.
    path
        A file that is not there.
    anew
        What stands in the place of some parts.
    """

    def opened() -> sqlite3.Connection:
        made = sqlite3.connect(path, isolation_level=None)
        for pragma in _PRAGMAS:
            made.execute(f"PRAGMA {pragma}")
        return made

    engine = sa.create_engine("sqlite://", creator=opened, poolclass=NullPool)
    with engine.connect() as file:
        file.exec_driver_sql("BEGIN")
        for table in METADATA.sorted_tables:
            file.execute(CreateTable(table))
            # The life of every row is the same here: its indexes would only be bytes.
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                if not str(index.name).endswith(("_begin", "_end")):
                    file.execute(CreateIndex(index))
        _copy(connection, file, snapshot, anew)
        file.exec_driver_sql("COMMIT")
    engine.dispose()


def _copy(connection: sa.Connection, file: sa.Connection, snapshot: int, anew: Anew) -> None:
    _insert(file, SNAPSHOT, connection.execute(select(SNAPSHOT).where(SNAPSHOT.c.id == snapshot)))
    changes = select(SNAPSHOT_CHANGE).where(SNAPSHOT_CHANGE.c.snapshot_id == snapshot)
    _insert(file, SNAPSHOT_CHANGE, connection.execute(changes.order_by(SNAPSHOT_CHANGE.c.table_id)))
    here = {"begin_snapshot": snapshot, "end_snapshot": None}
    for table in _LIVING:
        rows = select(table).where(live(table, sa.literal(snapshot, sa.BigInteger)))
        _insert(file, table, connection.execute(rows.order_by(*table.primary_key)), here, anew.parts)
        for row in sorted(
            anew.rows.get(table.name, ()), key=lambda row: (row["table_id"], row["first_row_id"])
        ):
            file.execute(sa.insert(table), {**row, **here})
    formats = connection.execute(select(COUNTER).where(COUNTER.c.name == "format"))
    _insert(file, COUNTER, formats)
    given = [select(sa.func.max(TABLE.c.table_id)), select(sa.func.max(OBJECT.c.object_id))]
    last = max(file.execute(statement).scalar() or 0 for statement in given)
    file.execute(sa.insert(COUNTER), {"name": "table", "value": last})
    for counter in _counters(file):
        file.execute(sa.insert(TABLE_COUNTER), counter)


def _insert(
    file: sa.Connection,
    table: sa.Table,
    rows: sa.CursorResult[Any],
    changed: dict[str, Any] | None = None,
    without: frozenset[str] = frozenset(),
) -> None:
    part = _PART.get(table.name)
    for some in rows.mappings().partitions(_AT_ONCE):
        kept = [{**row, **(changed or {})} for row in some if part is None or str(row[part]) not in without]
        if kept:
            file.execute(sa.insert(table), kept)


def _counters(file: sa.Connection) -> Iterator[dict[str, int]]:
    """What each table has given out at the least, seen from its columns and rows."""
    columns = select(COLUMN.c.table_id, sa.func.max(COLUMN.c.column_id)).group_by(COLUMN.c.table_id)
    segments = select(SEGMENT.c.table_id, sa.func.max(SEGMENT.c.last_row_id)).group_by(SEGMENT.c.table_id)
    last = INLINE.c.first_row_id + INLINE.c.rows - 1
    blobs = select(INLINE.c.table_id, sa.func.max(last)).group_by(INLINE.c.table_id)
    rows: dict[int, int] = {}
    for statement in (segments, blobs):
        for table_id, row in file.execute(statement).all():
            rows[table_id] = max(rows.get(table_id, -1), row)
    for table_id, column in file.execute(columns.order_by(COLUMN.c.table_id)).all():
        yield {"table_id": table_id, "next_column_id": column + 1, "next_row_id": rows.get(table_id, -1) + 1}
