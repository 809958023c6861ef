"""Everything the catalog lists, over all snapshots, and whether its own promises hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from luma_bench.storage.catalog.schema import decode_column, decode_settings
from luma_bench.storage.catalog.snapshot import BlobRef
from luma_bench.storage.catalog.tables import (
    COLUMN,
    COUNTER,
    INLINE,
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
    rows: int
    nbytes: int
    first_row_id: int
    row_ids_stored: bool
    begin: int
    end: int | None
    stats: bytes | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every row of the catalog that a check looks at, read in one transaction."""

    snapshots: Sequence[int]
    times: Sequence[int]
    tables: Sequence[Any]
    columns: Mapping[int, Sequence[Any]]
    counters: Mapping[int, Any]
    last_table: int
    segments: Sequence[SegmentRow]
    blobs: Sequence[tuple[int, BlobRef]]
    blob_ends: Mapping[int, int | None]
    changes: Sequence[tuple[int, int]]
    tags: Sequence[tuple[str, int]]

    def schema(self, table_id: int, snapshot: int) -> TableSchema | None:
        """A table as it was at a snapshot; None when the catalog does not have it whole."""
        row = next((row for row in self.tables if row.table_id == table_id and _alive(row, snapshot)), None)
        found = [row for row in self.columns.get(table_id, ()) if _alive(row, snapshot)]
        if row is None or not found:
            return None
        own = tuple(decode_column(item.column_id, item.name, item.arrow, item.comment) for item in found)
        return TableSchema(
            table_id, row.name, own, decode_settings(row.settings, own), row.namespace, row.comment
        )


def _alive(row: Any, snapshot: int) -> bool:
    return row.begin_snapshot <= snapshot and (row.end_snapshot is None or row.end_snapshot > snapshot)


def take_inventory(connection: sa.Connection) -> Inventory:
    """Read it all."""
    snapshots = connection.execute(select(SNAPSHOT.c.id, SNAPSHOT.c.time).order_by(SNAPSHOT.c.id)).all()
    segments = connection.execute(select(SEGMENT).order_by(SEGMENT.c.table_id, SEGMENT.c.first_row_id)).all()
    blob_columns = [column for column in INLINE.c if column.name not in ("ipc", "crc32c")]
    blobs = connection.execute(select(*blob_columns).order_by(INLINE.c.table_id, INLINE.c.first_row_id)).all()
    counters = connection.execute(select(TABLE_COUNTER)).all()
    columns: dict[int, list[Any]] = {}
    for row in connection.execute(select(COLUMN).order_by(COLUMN.c.table_id, COLUMN.c.position)):
        columns.setdefault(row.table_id, []).append(row)
    return Inventory(
        snapshots=[row.id for row in snapshots],
        times=[row.time for row in snapshots],
        tables=connection.execute(select(TABLE)).all(),
        columns=columns,
        counters={row.table_id: row for row in counters},
        last_table=connection.execute(select(COUNTER.c.value).where(COUNTER.c.name == "table")).scalar_one(),
        segments=[
            SegmentRow(
                row.ulid,
                row.table_id,
                row.rows,
                row.nbytes,
                row.first_row_id,
                row.row_ids_stored,
                row.begin_snapshot,
                row.end_snapshot,
                row.stats,
            )
            for row in segments
        ],
        blobs=[
            (row.table_id, BlobRef(row.id, row.rows, row.first_row_id, row.nbytes, row.begin_snapshot))
            for row in blobs
        ],
        blob_ends={row.id: row.end_snapshot for row in blobs},
        changes=[(row.snapshot_id, row.table_id) for row in connection.execute(select(SNAPSHOT_CHANGE))],
        tags=[(row.name, row.snapshot_id) for row in connection.execute(select(TAG))],
    )


def violations(inventory: Inventory) -> list[str]:
    """The promises of the catalog that do not hold, one sentence each."""
    return [*_snapshot_violations(inventory), *_table_violations(inventory), *_row_violations(inventory)]


def _snapshot_violations(inventory: Inventory) -> Iterator[str]:
    known = set(inventory.snapshots)
    columns = list(chain.from_iterable(inventory.columns.values()))
    if not known:
        yield "There is no snapshot."
    for before, after in pairwise(inventory.times):
        if after < before:
            yield "A snapshot is older than the one before it."
    for name, snapshot in inventory.tags:
        if snapshot not in known:
            yield f"The tag {name!r} names snapshot {snapshot}, which is not there."
    lives = [*((f"table {row.table_id}", row.begin_snapshot, row.end_snapshot) for row in inventory.tables)]
    lives += [
        (f"column {row.column_id} of table {row.table_id}", row.begin_snapshot, row.end_snapshot)
        for row in columns
    ]
    lives += [(f"segment {row.ulid}", row.begin, row.end) for row in inventory.segments]
    lives += [(f"inline blob {ref.id}", ref.begin, inventory.blob_ends[ref.id]) for _, ref in inventory.blobs]
    changed = {snapshot for snapshot, _ in inventory.changes}
    for what, begin, end in lives:
        if end is not None and end <= begin:
            yield f"The {what} ends at snapshot {end}, before it begins at {begin}."
        for edge in (begin, end):
            if edge is not None and (edge not in known or edge not in changed):
                yield f"The {what} changes at snapshot {edge}, which records no such change."


def _table_violations(inventory: Inventory) -> Iterator[str]:
    live: dict[str, int] = {}
    for row in inventory.tables:
        if row.table_id > inventory.last_table:
            yield f"Table {row.table_id} was never given its id."
        if row.table_id not in inventory.counters:
            yield f"Table {row.table_id} has no counters."
        elif inventory.schema(row.table_id, row.begin_snapshot) is None:
            yield f"Table {row.table_id} has no columns at snapshot {row.begin_snapshot}."
        if row.end_snapshot is None and live.setdefault(row.name.casefold(), row.table_id) != row.table_id:
            yield f"Two tables are named {row.name!r}."
    for row in chain.from_iterable(inventory.columns.values()):
        counter = inventory.counters.get(row.table_id)
        if counter is not None and row.column_id >= counter.next_column_id:
            yield f"Column {row.column_id} of table {row.table_id} was never given its id."


def _row_violations(inventory: Inventory) -> Iterator[str]:
    for row in inventory.segments:
        if inventory.schema(row.table_id, row.begin) is None:
            yield f"The segment {row.ulid} belongs to table {row.table_id}, which is not there at snapshot {row.begin}."
    spans: dict[int, list[tuple[int, int, int, int | None, str]]] = {}
    for row in inventory.segments:
        if not row.row_ids_stored:
            span = (row.first_row_id, row.first_row_id + row.rows, row.begin, row.end, f"segment {row.ulid}")
            spans.setdefault(row.table_id, []).append(span)
    for table_id, ref in inventory.blobs:
        end = inventory.blob_ends[ref.id]
        if inventory.schema(table_id, ref.begin) is None:
            yield f"The inline blob {ref.id} belongs to table {table_id}, which is not there at snapshot {ref.begin}."
        span = (ref.first_row_id, ref.first_row_id + ref.rows, ref.begin, end, f"inline blob {ref.id}")
        spans.setdefault(table_id, []).append(span)
    for table_id, held in spans.items():
        counter = inventory.counters.get(table_id)
        if counter is not None and max(span[1] for span in held) > counter.next_row_id:
            yield f"Table {table_id} holds row ids that it never gave out."
        yield from _overlaps(table_id, held)


def _overlaps(table_id: int, held: list[tuple[int, int, int, int | None, str]]) -> Iterator[str]:
    """Row ids that two parts hold at one snapshot. A flushed blob and its segment share ids at different ones."""
    reaching: list[tuple[int, int, int, int | None, str]] = []
    for span in sorted(held, key=lambda span: span[:3]):
        reaching = [other for other in reaching if other[1] > span[0]]
        for other in reaching:
            together = (other[3] is None or other[3] > span[2]) and (span[3] is None or span[3] > other[2])
            if together and span[1] > span[0]:
                yield f"In table {table_id} the {other[4]} and the {span[4]} hold the same row ids."
        reaching.append(span)
