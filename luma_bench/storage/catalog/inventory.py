"""Everything the catalog lists, over all snapshots, read in one transaction."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from luma_bench.errors import CorruptionError
from luma_bench.storage.catalog.change import BlobRef
from luma_bench.storage.catalog.deletes import DeletionRef
from luma_bench.storage.catalog.schema import decode_column, decode_rules, decode_settings, field_name
from luma_bench.storage.catalog.tables import (
    COLUMN,
    COUNTER,
    DELETION,
    DOOMED,
    INDEX_GENERATION,
    INLINE,
    LEASE,
    METADATA,
    SEGMENT,
    SNAPSHOT,
    SNAPSHOT_CHANGE,
    TABLE,
    TABLE_COUNTER,
    TAG,
)
from luma_bench.types.schema import TableSchema


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment as the catalog lists it, with its life."""

    ulid: str
    table_id: int
    level: int
    rows: int
    nbytes: int
    first_row_id: int
    last_row_id: int
    row_ids_stored: bool
    begin: int
    end: int | None
    stats: bytes | None


@dataclass(frozen=True, slots=True)
class BlobRow:
    """An inline blob with its table and the end of its life."""

    table_id: int
    ref: BlobRef
    end: int | None


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """A deletion with its table and the end of its life."""

    table_id: int
    ref: DeletionRef
    end: int | None


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One generation of an index: a folder, and the SHA-256 of its manifest."""

    ulid: str
    table_id: int
    index_id: int
    kind: str
    manifest_sha256: str
    begin: int
    end: int | None


class BadDefinition(ValueError):
    """A table's definition at a snapshot is not what a definition is; the text says why."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every row of the catalog that a check looks at.

    `snapshots` are rows of `snapshot` in the order of their ids, `changes` table names by snapshot and table, `counters` the
    rows of `table_counter` by table id, `leases` rows of `lease`, and `doomed` pairs of ulid and table id.
    """

    snapshots: Sequence[Any]
    tables: Sequence[Any]
    columns: Mapping[int, Sequence[Any]]
    counters: Mapping[int, Any]
    last_table: int
    segments: Sequence[SegmentRow]
    blobs: Sequence[BlobRow]
    deletions: Sequence[DeletionRow]
    indexes: Sequence[IndexRow]
    doomed: Sequence[tuple[str, int]]
    leases: Sequence[Any]
    changes: Mapping[tuple[int, int], str]
    tags: Sequence[tuple[str, int]]
    kept: Sequence[int]
    _schemas: dict[tuple[int, int], TableSchema | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    def shown_at(self, begin: int, end: int | None) -> int | None:
        """The first kept snapshot that shows what lives from `begin` to before `end`; None when none does."""
        place = bisect.bisect_left(self.kept, begin)
        if place == len(self.kept) or (end is not None and self.kept[place] >= end):
            return None
        return self.kept[place]

    def schema(self, table_id: int, snapshot: int) -> TableSchema | None:
        """A table as it was at a snapshot; None when the catalog does not have it whole.

        Raises
        ------
        BadDefinition
            A column or the settings cannot be read.
        """
        edges = [
            edge
            for row in chain(
                (row for row in self.tables if row.table_id == table_id), self.columns.get(table_id, ())
            )
            for edge in (row.begin_snapshot, row.end_snapshot)
            if edge is not None and edge <= snapshot
        ]
        key = (table_id, max(edges, default=0))
        if key not in self._schemas:
            self._schemas[key] = self._schema(table_id, snapshot)
        return self._schemas[key]

    def _schema(self, table_id: int, snapshot: int) -> TableSchema | None:
        row = next((row for row in self.tables if row.table_id == table_id and alive(row, snapshot)), None)
        found = [row for row in self.columns.get(table_id, ()) if alive(row, snapshot)]
        if row is None or not found:
            return None
        try:
            own = tuple(
                decode_column(item.column_id, item.name, item.arrow, item.comment, item.initial, item.default)
                for item in found
            )
            settings = decode_settings(row.settings, own)
            rules = decode_rules(row.settings, own)
            for item, column in zip(found, own, strict=True):
                if field_name(item.arrow) != item.name:
                    raise BadDefinition(
                        f"the column is named {item.name!r}, its type says {field_name(item.arrow)!r}"
                    )
                for value in (column.initial, column.default):
                    if value is not None and value.type != column.type:
                        raise BadDefinition(
                            f"a value of column {column.name!r} is of type {value.type}, not {column.type}"
                        )
        except CorruptionError as error:
            raise BadDefinition(error.message.rstrip(".")) from error
        return TableSchema(table_id, row.name, own, settings, row.namespace, row.comment, rules)

    def part_lives(self) -> dict[str, tuple[int, int, int, int | None]]:
        """Table, rows, begin and end of every part."""
        lives = {row.ulid: (row.table_id, row.rows, row.begin, row.end) for row in self.segments}
        return lives | {
            row.ref.part: (row.table_id, row.ref.rows, row.ref.begin, row.end) for row in self.blobs
        }


def alive(row: Any, snapshot: int) -> bool:
    """Whether a row of the catalog is visible at a snapshot."""
    return row.begin_snapshot <= snapshot and (row.end_snapshot is None or row.end_snapshot > snapshot)


def take_inventory(connection: sa.Connection) -> Inventory:
    """Read it all.

    Raises
    ------
    CorruptionError
        A row holds a value that is not of its column's kind.
    """
    for table in METADATA.sorted_tables:
        _check_kinds(connection, table)
    snapshots = connection.execute(select(SNAPSHOT).order_by(SNAPSHOT.c.id)).all()
    columns: dict[int, list[Any]] = {}
    for row in connection.execute(select(COLUMN).order_by(COLUMN.c.table_id, COLUMN.c.position)):
        columns.setdefault(row.table_id, []).append(row)
    return Inventory(
        snapshots=snapshots,
        tables=connection.execute(select(TABLE).order_by(TABLE.c.table_id, TABLE.c.begin_snapshot)).all(),
        columns=columns,
        counters={row.table_id: row for row in connection.execute(select(TABLE_COUNTER))},
        last_table=connection.execute(select(COUNTER.c.value).where(COUNTER.c.name == "table")).scalar_one(),
        segments=_segments(connection),
        blobs=_blobs(connection),
        deletions=_deletions(connection),
        indexes=[
            IndexRow(*row)
            for row in connection.execute(
                select(
                    INDEX_GENERATION.c.ulid,
                    INDEX_GENERATION.c.table_id,
                    INDEX_GENERATION.c.index_id,
                    INDEX_GENERATION.c.kind,
                    INDEX_GENERATION.c.manifest_sha256,
                    INDEX_GENERATION.c.begin_snapshot,
                    INDEX_GENERATION.c.end_snapshot,
                ).order_by(INDEX_GENERATION.c.ulid)
            )
        ],
        doomed=[(row.ulid, row.table_id) for row in connection.execute(select(DOOMED))],
        leases=connection.execute(select(LEASE).order_by(LEASE.c.started)).all(),
        changes={
            (row.snapshot_id, row.table_id): row.table_name
            for row in connection.execute(select(SNAPSHOT_CHANGE))
        },
        tags=[(row.name, row.snapshot_id) for row in connection.execute(select(TAG))],
        kept=[row.id for row in snapshots if not row.expired],
    )


def _check_kinds(connection: sa.Connection, table: sa.Table) -> None:
    """Hold the numbers of a table against their columns: SQLite itself keeps anything anywhere."""
    if connection.dialect.name != "sqlite":
        return
    for column in table.columns:
        if not isinstance(column.type, sa.Integer | sa.Boolean):
            continue
        name = column.name
        wrong = f"typeof(\"{name}\") <> 'integer'" + (f' AND "{name}" IS NOT NULL' if column.nullable else "")
        found = connection.exec_driver_sql(
            f'SELECT count(*) FROM "{table.name}" NOT INDEXED WHERE {wrong}'
        ).scalar_one()
        if found:
            told = f"{found:,} rows of {table.name} hold no number in {name}"
            raise CorruptionError(f"The catalog is damaged: {told}.", segment="catalog")


def _segments(connection: sa.Connection) -> list[SegmentRow]:
    chosen = select(
        SEGMENT.c.ulid,
        SEGMENT.c.table_id,
        SEGMENT.c.level,
        SEGMENT.c.rows,
        SEGMENT.c.nbytes,
        SEGMENT.c.first_row_id,
        SEGMENT.c.last_row_id,
        SEGMENT.c.row_ids_stored,
        SEGMENT.c.begin_snapshot,
        SEGMENT.c.end_snapshot,
        SEGMENT.c.stats,
    )
    rows = connection.execute(chosen.order_by(SEGMENT.c.table_id, SEGMENT.c.first_row_id, SEGMENT.c.ulid))
    return [SegmentRow(*row) for row in rows]


def _blobs(connection: sa.Connection) -> list[BlobRow]:
    chosen = select(
        INLINE.c.table_id,
        INLINE.c.id,
        INLINE.c.rows,
        INLINE.c.first_row_id,
        INLINE.c.nbytes,
        INLINE.c.begin_snapshot,
        INLINE.c.end_snapshot,
    )
    rows = connection.execute(chosen.order_by(INLINE.c.table_id, INLINE.c.first_row_id, INLINE.c.id))
    return [BlobRow(row[0], BlobRef(*row[1:6]), row[6]) for row in rows]


def _deletions(connection: sa.Connection) -> list[DeletionRow]:
    chosen = select(
        DELETION.c.table_id,
        DELETION.c.id,
        DELETION.c.part,
        DELETION.c.rows,
        DELETION.c.begin_snapshot,
        DELETION.c.end_snapshot,
    )
    rows = connection.execute(chosen.order_by(DELETION.c.part, DELETION.c.id))
    return [DeletionRow(row[0], DeletionRef(*row[1:5]), row[5]) for row in rows]
