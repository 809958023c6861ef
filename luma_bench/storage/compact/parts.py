"""What planning knows of a table's parts, read from the catalog without opening a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import bindparam, select

from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.change import BlobRef
from luma_bench.storage.catalog.tables import DELETION, SEGMENT, live
from luma_bench.storage.compact.plan import ABOVE, Bound, Part
from luma_bench.storage.evolve_zones import zones_as
from luma_bench.storage.statistics import from_bytes
from luma_bench.storage.tail import InlineBlob
from luma_bench.storage.write import range_keys
from luma_bench.storage.zones import Zones
from luma_bench.types.schema import Column, TableSchema

_AT = bindparam("at", type_=sa.BigInteger)
_TABLE = bindparam("t", type_=sa.BigInteger)
_SEGMENTS = select(
    SEGMENT.c.ulid,
    SEGMENT.c.level,
    SEGMENT.c.rows,
    SEGMENT.c.nbytes,
    SEGMENT.c.first_row_id,
    SEGMENT.c.last_row_id,
    SEGMENT.c.begin_snapshot,
).where((SEGMENT.c.table_id == _TABLE) & live(SEGMENT, _AT))
_WITH_STATS = _SEGMENTS.add_columns(SEGMENT.c.stats)
_DELETIONS = (
    select(DELETION.c.part, sa.func.count(), sa.func.sum(DELETION.c.rows))
    .where((DELETION.c.table_id == _TABLE) & live(DELETION, _AT))
    .group_by(DELETION.c.part)
)


def parts_of(catalog: Catalog, base: ResolvedSnapshot, schema: TableSchema) -> list[Part]:
    """The parts of a table at a snapshot.

    Raises
    ------
    CorruptionError
        An inline blob is damaged.
    """
    keys = range_keys(schema.settings)
    first = schema.column(keys[0]) if keys else None

    def read(connection: sa.Connection) -> tuple[list[Any], dict[str, tuple[int, int]]]:
        at = {"t": schema.id, "at": base.id}
        rows = connection.execute(_SEGMENTS if first is None else _WITH_STATS, at).all()
        deletions = {part: (count, int(gone)) for part, count, gone in connection.execute(_DELETIONS, at)}
        return list(rows), deletions

    rows, deletions = catalog.read(read)
    found: list[Part] = []
    for row in rows:
        span = ((0, row.first_row_id), (0, row.last_row_id)) if first is None else _span_of(row.stats, first)
        count, deleted = deletions.get(row.ulid, (0, 0))
        found.append(
            Part(row.ulid, False, row.level, row.rows, deleted, count, row.nbytes, row.begin_snapshot, span)
        )
    for blob in base.inline(schema.id):
        refs = blobs_of(base, schema.id, blob)
        gone = 0 if blob.deleted is None else len(blob.deleted)
        nbytes = sum(ref.nbytes for ref in refs)
        born = min(ref.begin for ref in refs)
        found.append(Part(str(blob.id), True, 0, blob.rows, gone, 0, nbytes, born, None, blobs=len(refs)))
    return found


def blobs_of(base: ResolvedSnapshot, table_id: int, blob: InlineBlob) -> list[BlobRef]:
    """The blobs of the catalog that a decoded part of the tail joins."""
    last = blob.first_row_id + blob.rows
    return [ref for ref in base.holds(table_id).blobs if blob.first_row_id <= ref.first_row_id < last]


def _span_of(stats: bytes | None, column: Column) -> tuple[Bound, Bound] | None:
    """The range of a segment's first range key, NULL and NaN above all values; None when its statistics do not tell."""
    if stats is None:
        return None
    try:
        batch = from_bytes(stats)
    except (pa.ArrowInvalid, OSError, StopIteration):
        return None  # `check` says that they are damaged; here they only bound
    return _bounds(zones_as([batch], column))


def _bounds(zones: Zones) -> tuple[Bound, Bound] | None:
    if not zones.bounded:
        return None
    if not zones.known[0]:
        return ABOVE, ABOVE
    unbounded = bool(zones.nulls[0]) or bool(zones.nan[0]) or bool(zones.open[0])
    return (0, _value(zones.low[0])), ABOVE if unbounded else (0, _value(zones.high[0]))


def _value(bound: Any) -> object:
    return bound.item() if isinstance(bound, np.generic) else bound
