"""The catalog's tables. A row with `begin_snapshot` lives from that snapshot until before `end_snapshot` (NULL: still).

The same tables serve SQLite and PostgreSQL. Ids of snapshots, tables and columns are given out inside the commit, never
by a sequence. Times are whole microseconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.sql.elements import ColumnElement

METADATA = MetaData()

# Names are compared and sorted by their code points in either database.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


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
    Column("name", _TEXT, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("operation", _TEXT, nullable=False),
    Column("namespace", _TEXT, nullable=False),
    Column("author", _TEXT, nullable=False),
    Column("message", _TEXT, nullable=False),
    Column("token", _TEXT, nullable=False, unique=True),
    # The newest snapshot, up to this one, that changed a table's name, columns or settings.
    Column("schema_snapshot", BigInteger, nullable=False),
    # Its rows may be collected: it can be read no more, and stands here for its token and its place in history.
    Column("expired", Boolean, nullable=False, default=False),
    Index("snapshot_time", "time"),
)

# What a snapshot did to a table: the operations of `change.OPERATIONS`, joined by "+". The name is the one of that time.
SNAPSHOT_CHANGE = Table(
    "snapshot_change",
    METADATA,
    Column("snapshot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("table_name", _TEXT, nullable=False),
    Column("operation", _TEXT, nullable=False),
    Index("snapshot_change_table", "table_id", "snapshot_id"),
)

TAG = Table(
    "tag",
    METADATA,
    Column("name", _TEXT, primary_key=True),
    Column("snapshot_id", BigInteger, nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
    Column("author", _TEXT, nullable=False),
)

# A table's name and settings; `settings` is JSON that names columns by their ids, so a renamed column stays the key.
TABLE = Table(
    "bench_table",
    METADATA,
    Column("table_id", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", _TEXT, nullable=False),
    Column("name", _TEXT, nullable=False),
    Column("comment", _TEXT, nullable=True),
    Column("settings", _TEXT, nullable=False),
    Column("begin_snapshot", BigInteger, primary_key=True, autoincrement=False),
    Column("end_snapshot", BigInteger, nullable=True),
    *_life_indexes("bench_table"),
)

# What has a name and holds no rows: views, schemas, sequences, policies. `definition` is JSON; names are compared casefolded.
OBJECT = Table(
    "bench_object",
    METADATA,
    Column("object_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", _TEXT, nullable=False),
    Column("name", _TEXT, nullable=False),
    Column("definition", _TEXT, nullable=False),
    Column("comment", _TEXT, nullable=True),
    Column("begin_snapshot", BigInteger, primary_key=True, autoincrement=False),
    Column("end_snapshot", BigInteger, nullable=True),
    *_life_indexes("bench_object"),
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
    Column("name", _TEXT, nullable=False),
    Column("arrow", LargeBinary, nullable=False),
    Column("comment", _TEXT, nullable=True),
    # Arrow IPC streams of one value: what older rows hold in a column that was added, what later writes get.
    Column("initial", LargeBinary, nullable=True),
    Column("default", LargeBinary, nullable=True),
    *_life_indexes("bench_column"),
)

# `row_ids_stored`: the segment holds its row ids as a column; `first_row_id` is the smallest of them then, `last_row_id`
# the largest. `level` 0 is as written; compaction makes higher ones.
SEGMENT = Table(
    "segment",
    METADATA,
    Column("ulid", _TEXT, primary_key=True),
    Column("table_id", BigInteger, nullable=False),
    Column("level", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("nbytes", BigInteger, nullable=False),
    Column("first_row_id", BigInteger, nullable=False),
    Column("last_row_id", BigInteger, nullable=False),
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

# Rows that a snapshot deleted from one part: a segment (its ulid) or an inline blob (its id as text). A part's deleted rows
# at a snapshot are those of all its deletions that live there; no two of them name the same row. `positions` are the
# places in the part, as `deletes.encode` writes them; `crc32c` is of these bytes.
DELETION = Table(
    "deletion",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("table_id", BigInteger, nullable=False),
    Column("part", _TEXT, nullable=False),
    Column("rows", BigInteger, nullable=False),
    *_life(),
    Column("crc32c", BigInteger, nullable=False),
    Column("positions", LargeBinary, nullable=False),
    Index("deletion_part", "part"),
    *_life_indexes("deletion"),
)

# A rebuildable artefact of a table (a CSR, a vector or a text index) as a folder with a manifest.
INDEX_GENERATION = Table(
    "index_generation",
    METADATA,
    Column("ulid", _TEXT, primary_key=True),
    Column("table_id", BigInteger, nullable=False),
    Column("index_id", BigInteger, nullable=False),
    Column("kind", _TEXT, nullable=False),
    Column("manifest_sha256", _TEXT, nullable=False),
    *_life(),
    *_life_indexes("index_generation"),
)

# Files that no kept snapshot needs: listed in the commit that let go of them, unlinked after it, then taken off.
DOOMED = Table(
    "doomed",
    METADATA,
    Column("ulid", _TEXT, primary_key=True),
    Column("table_id", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
)

# A writer of segments that are not committed yet (kind write, compact), or a reader of a snapshot (read); past `expires`
# it is taken for dead.
LEASE = Table(
    "lease",
    METADATA,
    Column("id", _TEXT, primary_key=True),
    Column("kind", _TEXT, nullable=False),
    Column("owner", _TEXT, nullable=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)


# The last value that a sequence gave, by the sequence's token; no row before the first. It has no life by snapshots: a value
# is given once, whatever becomes of the transaction that asked.
SEQUENCE_VALUE = Table(
    "sequence_value",
    METADATA,
    Column("token", _TEXT, primary_key=True),
    Column("last", BigInteger, nullable=False),
)


def live(table: Table, snapshot: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a row of `table` is visible at `snapshot`."""
    return (table.c.begin_snapshot <= snapshot) & (
        table.c.end_snapshot.is_(None) | (table.c.end_snapshot > snapshot)
    )
