"""The catalog's tables. A row with `begin_snapshot` lives from that snapshot until before `end_snapshot` (NULL: still).

The same tables serve SQLite and PostgreSQL. Ids of snapshots, tables and columns are given out inside the commit, never
by a sequence. Times are whole microseconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.sql.elements import ColumnElement

METADATA = MetaData()


def _life() -> tuple[Column[int], Column[int]]:
    return (
        Column("begin_snapshot", BigInteger, nullable=False),
        Column("end_snapshot", BigInteger, nullable=True),
    )


def _life_indexes(name: str) -> tuple[Index, Index]:
    return Index(f"{name}_begin", "begin_snapshot"), Index(f"{name}_end", "end_snapshot")


# Name → number: what was given out last ("table"), and the catalog's format ("format").
COUNTER = Table(
    "bench_counter",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    # The newest snapshot, up to this one, that changed a table's name, columns or settings.
    Column("schema_snapshot", BigInteger, nullable=False),
    Index("snapshot_time", "time"),
)

# What a snapshot did to a table: create, append, replace or drop. The name is the one of that time.
SNAPSHOT_CHANGE = Table(
    "snapshot_change",
    METADATA,
    Column("snapshot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("table_name", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Index("snapshot_change_table", "table_id", "snapshot_id"),
)

TAG = Table(
    "tag",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("snapshot_id", BigInteger, nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
)

# A table's name and settings; `settings` is JSON that names columns by their ids, so a renamed column stays the key.
TABLE = Table(
    "bench_table",
    METADATA,
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("comment", Text, nullable=True),
    Column("settings", Text, nullable=False),
    Column("begin_snapshot", BigInteger, primary_key=True, autoincrement=False),
    Column("end_snapshot", BigInteger, nullable=True),
    *_life_indexes("bench_table"),
)

# Counters of a table that are never taken back: a row id or a column id means one thing for ever.
TABLE_COUNTER = Table(
    "table_counter",
    METADATA,
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("next_column_id", BigInteger, nullable=False),
    Column("next_row_id", BigInteger, nullable=False),
)

# `arrow` is the Arrow IPC message of a schema of this one field: its name, exact type, nullability and metadata.
COLUMN = Table(
    "bench_column",
    METADATA,
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("column_id", BigInteger, primary_key=True, autoincrement=False),
    Column("begin_snapshot", BigInteger, primary_key=True, autoincrement=False),
    Column("end_snapshot", BigInteger, nullable=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("arrow", LargeBinary, nullable=False),
    Column("comment", Text, nullable=True),
    *_life_indexes("bench_column"),
)

# `row_ids_stored`: the segment holds its row ids as a column; `first_row_id` is the smallest of them then.
SEGMENT = Table(
    "segment",
    METADATA,
    Column("ulid", Text, primary_key=True),
    Column("table_id", BigInteger, nullable=False),
    Column("level", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("nbytes", BigInteger, nullable=False),
    Column("first_row_id", BigInteger, nullable=False),
    Column("row_ids_stored", Boolean, nullable=False),
    *_life(),
    Column("stats", LargeBinary, nullable=True),
    Index("segment_table", "table_id"),
    *_life_indexes("segment"),
)

# A small write as an Arrow IPC stream whose columns are named c<column id>; `crc32c` is of its bytes.
INLINE = Table(
    "inline_blob",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("table_id", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("nbytes", BigInteger, nullable=False),
    Column("first_row_id", BigInteger, nullable=False),
    *_life(),
    Column("crc32c", BigInteger, nullable=False),
    Column("ipc", LargeBinary, nullable=False),  # last: SQLite walks a long value to reach what follows it
    Index("inline_blob_table", "table_id"),
    *_life_indexes("inline_blob"),
)

# A writer of segments that are not committed yet; past `expires` it is taken for dead.
LEASE = Table(
    "lease",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)


def live(table: Table, snapshot: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a row of `table` is visible at `snapshot`."""
    return (table.c.begin_snapshot <= snapshot) & (
        table.c.end_snapshot.is_(None) | (table.c.end_snapshot > snapshot)
    )
