"""Writing a segment anew from its own rows, and putting it in the old one's place in every snapshot."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import bindparam, update

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog import Catalog, retire
from luma_bench.storage.catalog.inventory import Inventory, SegmentRow
from luma_bench.storage.catalog.retire import Owned
from luma_bench.storage.catalog.tables import DELETION, SEGMENT
from luma_bench.storage.check_segment import check_segment, ref_of, stored_row_ids
from luma_bench.storage.segment import Segment, SegmentRef, write_segment
from luma_bench.types.schema import Column, TableSchema, TableSettings

_OLD = bindparam("old", type_=sa.Text)
_NEW = bindparam("new", type_=sa.Text)
_SWAP = (
    update(SEGMENT)
    .where(SEGMENT.c.ulid == _OLD)
    .values(ulid=_NEW, nbytes=bindparam("size"), stats=bindparam("data"))
)
_MOVE_DELETIONS = update(DELETION).where(DELETION.c.part == _OLD).values(part=_NEW)


def rewrite_segment(
    catalog: Catalog, settings: Settings, inventory: Inventory, row: SegmentRow
) -> SegmentRef:
    """Write the rows of a segment, deleted ones too, in their order, into a new file that takes over its lives.

    Positions stay, so deletions of the segment hold for the new one. The old file is doomed: the next collection removes it.

    Raises
    ------
    CorruptionError
        Some row cannot be read.
    CatalogError
        The new file is not right, or the segment is gone.
    """
    shown = inventory.shown_at(row.begin, row.end)
    table = None if shown is None else inventory.schema(row.table_id, shown)
    if table is None:
        raise CatalogError(f"Segment {row.ulid} belongs to no table that any snapshot shows.")
    old = Segment.open(ref_of(catalog.folder, row))
    schema = _stored_schema(old, table)
    data, row_ids = _rows(old, schema)
    with catalog.take_lease(catalog.head(), kind="compact") as lease:
        ulid = catalog.new_ulid()
        folder = old.ref.path.parent
        try:
            made = write_segment(
                folder,
                ulid,
                data,
                schema,
                first_row_id=old.index.first_row_id if row_ids is None else None,
                row_ids=row_ids,
                settings=settings,
                level=row.level,
            )
            fresh = replace(row, ulid=ulid, nbytes=made.nbytes, stats=made.stats)
            wrong = check_segment(catalog.folder, fresh, table, deep=True, stop=lambda: None)
            if wrong:
                raise CatalogError(f"The new file of segment {row.ulid} is not right: {wrong[0].text}")
            lease.check()
            catalog.write(lambda connection: _swap(connection, row, made))
        finally:
            if not catalog.listed_segments([ulid]):
                (folder / f"{ulid}.zarr.zip").unlink(missing_ok=True)
    return made


def _swap(connection: sa.Connection, row: SegmentRow, made: SegmentRef) -> None:
    names = {"old": row.ulid, "new": made.ulid}
    changed = connection.execute(_SWAP, {**names, "size": made.nbytes, "data": made.stats}).rowcount
    if changed != 1:
        raise CatalogError(f"Segment {row.ulid} is gone.", hint="Run the repair again.")
    connection.execute(_MOVE_DELETIONS, names)
    retire.doom(connection, [Owned(row.ulid, row.table_id)], time.time_ns() // 1000)


def _stored_schema(segment: Segment, table: TableSchema) -> TableSchema:
    """The table as the segment holds it: columns that were dropped since, and the types of its time."""
    by_id = {column.id: column for column in table.columns}
    columns: list[Column] = []
    for field in segment.index.schema:
        number = int(field.metadata[b"luma.id"])
        metadata = tuple((key, value) for key, value in field.metadata.items() if key != b"luma.id")
        columns.append(Column(number, field.name, field.type, field.nullable, None, metadata))
    names = {column.id: column.name for column in columns}
    ids = {column.name: column.id for column in by_id.values()}
    key = tuple(names[ids[name]] for name in table.settings.primary_key if ids[name] in names)
    whole = len(key) == len(table.settings.primary_key)
    settings = TableSettings(primary_key=key if whole else (), codec=table.settings.codec)
    return TableSchema(table.id, table.name, tuple(columns), settings, table.namespace)


def _rows(segment: Segment, schema: TableSchema) -> tuple[pa.Table, pa.Array | None]:
    arrays: list[Any] = []
    for column in schema.columns:
        parts = [segment.read(column.id, chunk, column.type) for chunk in range(segment.chunks)]
        arrays.append(pa.chunked_array(parts, column.type))
    table = pa.Table.from_arrays(arrays, schema=schema.arrow)
    if segment.ref.first_row_id is not None:
        return table, None
    return table, pa.array(stored_row_ids(segment, lambda: None))
