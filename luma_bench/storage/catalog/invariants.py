"""Whether the catalog's own promises hold: what can be told from its rows alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, pairwise

import sqlalchemy as sa

from luma_bench.storage.catalog.change import OBJECT_OPERATIONS, OPERATIONS
from luma_bench.storage.catalog.inventory import BadDefinition, Inventory

_Span = tuple[int, int, int, int | None, str]

_OPERATIONS = frozenset({"init", "transaction", "retention", *OPERATIONS, *OBJECT_OPERATIONS})


def damage(connection: sa.Connection) -> list[str]:
    """What the database itself finds wrong with its file: pages, indexes, rows that break a constraint.

    PostgreSQL has no such check to run from a client; there its own checksums stand guard.
    """
    if connection.dialect.name != "sqlite":
        return []
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    return [] if found == ["ok"] else [f"The catalog's file is damaged: {text}." for text in found]


def violations(inventory: Inventory) -> list[str]:
    """The promises of the catalog that do not hold, one sentence each."""
    return list(
        chain(
            _snapshot_violations(inventory),
            _life_violations(inventory),
            _table_violations(inventory),
            _part_violations(inventory),
            _deletion_violations(inventory),
            _span_violations(inventory),
        )
    )


def pending(inventory: Inventory) -> list[str]:
    """What is harmless and will go with the next collection, one sentence each."""
    now = time.time_ns() // 1000
    found = [
        f"The lease {row.id} of {row.owner} ({row.kind}) ran out without being given back."
        for row in inventory.leases
        if row.expires <= now
    ]
    if inventory.doomed:
        found.append(f"{len(inventory.doomed):,} files that no snapshot needs are about to be removed.")
    dead = sum(inventory.shown_at(begin, end) is None for _, begin, end in _lives(inventory))
    if dead:
        found.append(f"{dead:,} rows of the catalog live in expired snapshots alone.")
    return found


def _snapshot_violations(inventory: Inventory) -> Iterator[str]:
    known = {row.id for row in inventory.snapshots}
    expired = known - set(inventory.kept)
    if not known:
        yield "There is no snapshot."
        return
    if inventory.snapshots[-1].expired:
        yield f"The newest snapshot {inventory.snapshots[-1].id} is expired."
    edges = sorted(
        {
            edge
            for row in chain(inventory.tables, chain.from_iterable(inventory.columns.values()))
            for edge in (row.begin_snapshot, row.end_snapshot)
            if edge is not None
        }
    )
    place = 0
    for before, after in pairwise(inventory.snapshots):
        if after.time < before.time:
            yield f"Snapshot {after.id} is older than the one before it."
        if after.schema_snapshot < before.schema_snapshot:
            yield f"Snapshot {after.id} has an older schema than the one before it."
    for row in inventory.snapshots:
        while place < len(edges) and edges[place] <= row.id:
            place += 1
        newest = edges[place - 1] if place else 0
        if not newest <= row.schema_snapshot <= row.id:
            yield f"Snapshot {row.id} names {row.schema_snapshot} for its schema; a table changed at {newest}."
        if not set(row.operation.split("+")) <= _OPERATIONS:
            yield f"Snapshot {row.id} names the operation {row.operation!r}, which there is not."
    for name, snapshot in inventory.tags:
        if snapshot not in known:
            yield f"The tag {name!r} names snapshot {snapshot}, which is not there."
        elif snapshot in expired:
            yield f"The tag {name!r} names snapshot {snapshot}, which is expired."
    for row in inventory.leases:
        if row.snapshot_id not in known:
            yield f"The lease {row.id} is on snapshot {row.snapshot_id}, which is not there."


def _lives(inventory: Inventory) -> Iterator[tuple[str, int, int | None]]:
    for row in inventory.tables:
        yield f"table {row.table_id}", row.begin_snapshot, row.end_snapshot
    for row in chain.from_iterable(inventory.columns.values()):
        yield f"column {row.column_id} of table {row.table_id}", row.begin_snapshot, row.end_snapshot
    for segment in inventory.segments:
        yield f"segment {segment.ulid}", segment.begin, segment.end
    for blob in inventory.blobs:
        yield f"inline blob {blob.ref.id}", blob.ref.begin, blob.end
    for deletion in inventory.deletions:
        yield f"deletion {deletion.ref.id}", deletion.ref.begin, deletion.end
    for index in inventory.indexes:
        yield f"index generation {index.ulid}", index.begin, index.end


def _life_violations(inventory: Inventory) -> Iterator[str]:
    known = {row.id for row in inventory.snapshots}
    changed = {snapshot for snapshot, _ in inventory.changes}
    for what, begin, end in _lives(inventory):
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
        told = inventory.changes.get((row.begin_snapshot, row.table_id), row.name)
        if told != row.name:
            yield f"Table {row.table_id} is named {row.name!r}; snapshot {row.begin_snapshot} named it {told!r}."
        if row.end_snapshot is None and live.setdefault(row.name.casefold(), row.table_id) != row.table_id:
            yield f"Two tables are named {row.name!r}."
        shown = inventory.shown_at(row.begin_snapshot, row.end_snapshot)
        if shown is None:
            continue
        try:
            schema = inventory.schema(row.table_id, shown)
        except BadDefinition as error:
            yield f"The definition of table {row.table_id} ({row.name!r}) at snapshot {shown} cannot be read: {error}."
            continue
        if schema is None:
            yield f"Table {row.table_id} has no columns at snapshot {shown}."
        elif len({name.casefold() for name in schema.names}) < len(schema.names):
            yield f"Table {row.table_id} has two columns of one name at snapshot {shown}."
    for left, right in pairwise(inventory.tables):
        if left.table_id == right.table_id and (
            left.end_snapshot is None or left.end_snapshot > right.begin_snapshot
        ):
            yield f"Table {left.table_id} has two definitions at snapshot {right.begin_snapshot}."
    for row in chain.from_iterable(inventory.columns.values()):
        counter = inventory.counters.get(row.table_id)
        if counter is not None and row.column_id >= counter.next_column_id:
            yield f"Column {row.column_id} of table {row.table_id} was never given its id."
    for table_id, columns in inventory.columns.items():
        yield from _column_violations(table_id, columns)


def _column_violations(table_id: int, columns: object) -> Iterator[str]:
    rows = sorted(columns, key=lambda row: (row.column_id, row.begin_snapshot))  # pyright: ignore
    for left, right in pairwise(rows):
        if left.column_id == right.column_id and (
            left.end_snapshot is None or left.end_snapshot > right.begin_snapshot
        ):
            yield f"Column {left.column_id} of table {table_id} has two definitions at snapshot {right.begin_snapshot}."


def _part_violations(inventory: Inventory) -> Iterator[str]:
    doomed = {ulid for ulid, _ in inventory.doomed}
    parts = [(f"segment {row.ulid}", row.table_id, row.begin, row.end) for row in inventory.segments]
    parts += [(f"inline blob {row.ref.id}", row.table_id, row.ref.begin, row.end) for row in inventory.blobs]
    parts += [(f"index generation {row.ulid}", row.table_id, row.begin, row.end) for row in inventory.indexes]
    for what, table_id, begin, end in parts:
        shown = inventory.shown_at(begin, end)
        if shown is None:
            continue
        try:
            missing = inventory.schema(table_id, shown) is None
        except BadDefinition:
            continue  # said already
        if missing:
            yield f"The {what} belongs to table {table_id}, which is not there at snapshot {shown}."
    for row in chain(inventory.segments, inventory.indexes):
        if row.ulid in doomed:
            yield f"The file {row.ulid} is about to be removed, but snapshot {row.begin} lists it."


def _deletion_violations(inventory: Inventory) -> Iterator[str]:
    lives = inventory.part_lives()
    for row in inventory.deletions:
        part = lives.get(row.ref.part)
        what = f"The deletion {row.ref.id} of part {row.ref.part}"
        if part is None:
            if inventory.shown_at(row.ref.begin, row.end) is not None:
                yield f"{what} is of a part that is not there."
            continue
        table_id, rows, begin, end = part
        if table_id != row.table_id:
            yield f"{what} names table {row.table_id}; the part is of table {table_id}."
        if row.ref.begin < begin or (end is not None and (row.end is None or row.end > end)):
            yield f"{what} lives outside of its part's life."
        if not 0 < row.ref.rows <= rows:
            yield f"{what} names {row.ref.rows:,} rows of {rows:,}."


def _span_violations(inventory: Inventory) -> Iterator[str]:
    spans: dict[int, list[_Span]] = {}
    largest: dict[int, int] = {}
    for row in inventory.segments:
        what = f"segment {row.ulid}"
        width = row.last_row_id - row.first_row_id + 1
        if row.rows < 0 or (width != row.rows and not row.row_ids_stored) or width < row.rows:
            yield f"The {what} has {row.rows:,} rows, and the row ids {row.first_row_id:,} to {row.last_row_id:,}."
        if not row.row_ids_stored:
            span = (row.first_row_id, row.first_row_id + row.rows, row.begin, row.end, what)
            spans.setdefault(row.table_id, []).append(span)
        last = max(row.last_row_id, row.first_row_id + row.rows - 1)
        largest[row.table_id] = max(largest.get(row.table_id, -1), last)
    for blob in inventory.blobs:
        ref = blob.ref
        end = ref.first_row_id + ref.rows
        span = (ref.first_row_id, end, ref.begin, blob.end, f"inline blob {ref.id}")
        spans.setdefault(blob.table_id, []).append(span)
        largest[blob.table_id] = max(largest.get(blob.table_id, -1), end - 1)
    for table_id, last in largest.items():
        counter = inventory.counters.get(table_id)
        if counter is not None and last >= counter.next_row_id:
            yield f"Table {table_id} holds row ids that it never gave out."
    for table_id, held in spans.items():
        yield from _overlaps(table_id, held)


def _overlaps(table_id: int, held: list[_Span]) -> Iterator[str]:
    """Row ids that two parts hold at one snapshot. A flushed blob and its segment share ids at different ones."""
    reaching: list[_Span] = []
    for span in sorted(held, key=lambda span: span[:3]):
        reaching = [other for other in reaching if other[1] > span[0]]
        for other in reaching:
            together = (other[3] is None or other[3] > span[2]) and (span[3] is None or span[3] > other[2])
            if together and span[1] > span[0]:
                yield f"In table {table_id} the {other[4]} and the {span[4]} hold the same row ids."
        reaching.append(span)
