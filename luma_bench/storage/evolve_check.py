"""What the rows say to a schema change: no NULL where none may be, no time beyond a finer unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from luma_bench.errors import ConstraintError, SchemaError
from luma_bench.storage.evolve_types import may_overflow
from luma_bench.storage.evolve_values import column_of, widened
from luma_bench.storage.evolve_zones import zones_as
from luma_bench.storage.fit import nulls_in
from luma_bench.storage.scan import TableScan
from luma_bench.storage.scan_pieces import Source
from luma_bench.types.schema import Column, TableSchema


def needs_check(old: TableSchema, new: TableSchema) -> bool:
    """Whether the rows must be looked at before `old` becomes `new`."""
    return any(_forbids(before, after) or _may_overflow(before, after) for before, after in _pairs(old, new))


def check_evolved(scan: TableScan, new: TableSchema) -> None:
    """Refuse a new schema that rows of the table do not fit; nothing is read where statistics prove that they do.

    Parameters
    ----------
    scan
        The table with its present schema and rows.
    new
        What its schema shall become.

    Raises
    ------
    ConstraintError
        A column that must not be NULL any more is, in some row.
    SchemaError
        A date, time or duration lies beyond what its finer unit counts, be it in a row that was deleted.
    """
    for before, after in _pairs(scan.table, new):
        if _forbids(before, after):
            _check_nulls(scan, before)
        if _may_overflow(before, after):
            _check_range(scan, before, after)


def _pairs(old: TableSchema, new: TableSchema) -> Iterator[tuple[Column, Column]]:
    known = {column.id: column for column in old.columns}
    return ((known[column.id], column) for column in new.columns if column.id in known)


def _forbids(before: Column, after: Column) -> bool:
    return before.nullable and not after.nullable


def _may_overflow(before: Column, after: Column) -> bool:
    return before.type != after.type and may_overflow(before.type, after.type)


def _check_nulls(scan: TableScan, column: Column) -> None:
    source = scan._prepared()
    in_segments = bool(source.segments) and bool(zones_as(source.statistics, column).nulls.any())
    if not in_segments and not scan._inline:
        return
    nulls = sum(nulls_in(chunk) for chunk in scan.read([column.name]).column(0).chunks)
    if nulls:
        hint = "Nothing was changed. Fill the NULLs first."
        raise ConstraintError(
            f"Column {column.name!r} of table {scan.name!r} cannot be NOT NULL: {nulls:,} rows are NULL.",
            hint=hint,
        )


def _check_range(scan: TableScan, before: Column, after: Column) -> None:
    source = scan._prepared()
    try:
        for blob in scan._inline:
            for chunk in column_of(blob.table, before.name, before).chunks:
                widened(chunk, after.type)
        if source.segments:
            _check_segments(source, before, after)
    except pa.ArrowInvalid as error:
        problem = f"a value does not fit {after.type}: {error}"
        hint = "Nothing was changed. Choose a coarser unit, or change that row and compact the table first."
        raise SchemaError.column(scan.name, before.name, problem, hint) from error


def _check_segments(source: Source, before: Column, after: Column) -> None:
    zones = zones_as(source.statistics, before)
    if zones.bounded:
        held = np.flatnonzero(zones.known)
        bounds = np.concatenate([zones.low[held], zones.high[held]]).astype(np.int64)
        kind = before.type.value_type if pa.types.is_dictionary(before.type) else before.type
        width = pa.int32() if pa.types.is_date32(kind) else pa.int64()
        widened(pa.array(bounds).cast(width).view(kind), after.type)
        return
    # Durations have no bounds: every value is tried, chunk by chunk, deleted ones too, since they are decoded with the rest.
    for ref in source.segments:
        segment = source.open(ref)
        for chunk in range(segment.chunks):
            array, _ = segment.read_counted(before.id, chunk, before.type, source.pool, before.initial)
            widened(array, after.type)
