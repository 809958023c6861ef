"""Zone maps of a column as its schema has it now: bounds of an older type converted, a constant where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage.zones import Zone, Zones, domain_of, joined, unit_of, zone_of, zones_of
from luma_bench.types.schema import Column

_NANOSECONDS = {"d": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def zones_as(batches: Sequence[pa.RecordBatch], column: Column) -> Zones:
    """The zone map of a column over the rows of all batches, in the domain of its present type.

    A batch that lacks the column holds its initial value everywhere. Where the bounds of an older type cannot be
    converted the column has none: nothing is skipped then.
    """
    return joined([_as_now(batch, column) for batch in batches])


def holds(batch: pa.RecordBatch, column_id: int) -> bool:
    """Whether the column was there when the batch's segment was written."""
    return batch.schema.get_field_index(f"{column_id}.nulls") >= 0


def _as_now(batch: pa.RecordBatch, column: Column) -> Zones:
    found = zones_of(batch, column.id)
    if not holds(batch, column.id):
        return found if column.initial is None else _constant(found.rows, column)
    domain = domain_of(column.type)
    if not found.bounded or domain is None:
        return replace(found, bounded=False)
    unit = unit_of(column.type)
    factor: int | None = 1
    if unit is not None and unit != "1":  # whole numbers, floats and bytes were never anything else
        stored = (batch.schema.metadata or {}).get(f"{column.id}.unit".encode())
        factor = None if stored is None else _factor(stored.decode(), unit)
    dtype = _dtype(domain)
    if factor == 1 and found.low.dtype == dtype:
        return found
    low = high = None
    if factor is not None:
        low, high = (_scaled(bound, found.known, factor, dtype) for bound in (found.low, found.high))
    if low is None or high is None:
        zero = np.zeros(len(found.rows), np.int64)
        return replace(found, low=zero, high=zero, known=zero.astype(bool), bounded=False)
    return replace(found, low=low, high=high)


def _constant(rows: np.ndarray, column: Column) -> Zones:
    """The zone map of chunks that hold the initial value in every row."""
    zone: Zone = zone_of(pa.repeat(column.initial, 1))
    domain = domain_of(column.type)
    count = len(rows)
    no, known = np.zeros(count, bool), zone.low is not None
    low, high = (_filled(value if known else _zero(domain), count, domain) for value in (zone.low, zone.high))
    return Zones(
        low=low,
        high=high,
        known=no | known,
        open=no | zone.open,
        nulls=rows * zone.nulls,
        rows=rows,
        nan=no | zone.nan,
        bounded=domain is not None,
    )


def _filled(value: Any, count: int, domain: pa.DataType | None) -> np.ndarray:
    array = np.empty(count, _dtype(domain))
    array[:] = value
    return array


def _zero(domain: pa.DataType | None) -> Any:
    return b"" if domain == pa.binary() else 0


def _dtype(domain: pa.DataType | None) -> np.dtype:
    if domain is None:
        return np.dtype(np.int64)
    if pa.types.is_integer(domain) or pa.types.is_floating(domain):
        return np.dtype(domain.to_pandas_dtype())
    return np.dtype(object)


def _factor(stored: str, unit: str) -> int | None:
    """How many of the present unit one of the stored unit is; None when that is no whole number."""
    if stored in _NANOSECONDS and unit in _NANOSECONDS:
        count, rest = divmod(_NANOSECONDS[stored], _NANOSECONDS[unit])
        return None if rest else count
    before, after = _scale(stored), _scale(unit)
    return None if before is None or after is None or after < before else 10 ** (after - before)


def _scale(unit: str) -> int | None:
    """The decimal places that a unit counts; None for another unit."""
    if unit == "1":
        return 0
    return int(unit[3:]) if unit.startswith("1e-") else None


def _scaled(bounds: np.ndarray, known: np.ndarray, factor: int, dtype: np.dtype) -> np.ndarray | None:
    """Bounds times a factor in another dtype, zero where they mean nothing; None where one does not fit."""
    array = np.zeros(len(bounds), dtype)
    for i in np.flatnonzero(known).tolist():
        value = float(bounds[i]) if dtype.kind == "f" else int(bounds[i]) * factor
        if dtype.kind in "iu" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            return None
        array[i] = value
    return array
