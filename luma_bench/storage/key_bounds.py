"""Which segments a key can lie in at all, by the least and greatest value of each key column in the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.columns import is_text, storage_of
from luma_bench.storage.evolve_values import form_of
from luma_bench.storage.evolve_zones import zones_as
from luma_bench.storage.key_form import KeyForm, Normal, float_codes, is_number
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.statistics import from_bytes
from luma_bench.storage.zones import domain_of
from luma_bench.types.schema import Column

_LEAST, _GREATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_NAN = int(float_codes(np.array([np.nan]))[0])

Bound = tuple[Any, Any]
"""The least and greatest normal value of a column, both included: int or bytes; None for no bound on that side."""


class KeyBounds:
    """The bounds of every segment of a table, one array a key column."""

    def __init__(self, form: KeyForm, segments: Sequence[SegmentRef], pool: BufferPool) -> None:
        self._columns: list[tuple[bool, np.ndarray, np.ndarray] | None] = []
        for column in form.columns:
            whole = is_number(column.type)
            if not whole and not _is_bounded_text(column.type):
                self._columns.append(None)
                continue
            bounds = [_bound(ref, column, pool) for ref in segments]
            low, high = ([pair[side] for pair in bounds] for side in (0, 1))
            dtype = np.dtype(np.int64) if whole else np.dtype(object)
            self._columns.append((whole, _array(low, dtype), _array(high, dtype)))
        self._all = np.ones(len(segments), bool)

    def of_key(self, values: Sequence[Any]) -> list[int]:
        """The segments that may hold one key, given as normal values; a value of None says nothing."""
        keep = self._all
        for column, value in zip(self._columns, values, strict=True):
            if column is None or value is None:
                continue
            whole, low, high = column
            if whole:
                keep = keep & (low <= value) & (value <= high)
            else:
                keep = keep & np.array(
                    [a <= value and (b is None or value <= b) for a, b in zip(low, high, strict=True)], bool
                )
        return np.flatnonzero(keep).tolist()

    def ends(self, segment: int) -> tuple[int, int] | None:
        """The least and greatest code that a segment may hold, for keys that are their codes; None for no bounds."""
        column = self._columns[0]
        return None if column is None else (int(column[1][segment]), int(column[2][segment]))

    def of_keys(self, segment: int, normal: Sequence[Normal]) -> np.ndarray | None:
        """Which of many keys a segment may hold; None for all of them."""
        keep: np.ndarray | None = None
        for column, values in zip(self._columns, normal, strict=True):
            if column is None or not column[0] or values.numbers is None:
                continue
            low, high = column[1][segment], column[2][segment]
            if low == _LEAST and high == _GREATEST:
                continue
            inside = (values.numbers >= low) & (values.numbers <= high)
            keep = inside if keep is None else keep & inside
        return None if keep is None or keep.all() else keep


def _is_bounded_text(kind: Any) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return False
    return is_text(kind.value_type if pa.types.is_dictionary(kind) else kind)


def _array(values: list[Any], dtype: np.dtype) -> np.ndarray:
    array = np.empty(len(values), dtype)
    array[:] = values
    return array


def _bound(ref: SegmentRef, column: Column, pool: BufferPool) -> Bound:
    number = is_number(column.type)
    none: Bound = (_LEAST, _GREATEST) if number else (b"", None)
    if ref.stats is None:
        return none
    stats = ref.stats

    def load() -> tuple[Bound, int]:
        return _read(ref.ulid, stats, column, none), 128

    return pool.get((ref.ulid, "_pk.bound", column.id, form_of(column, column.type)), load)


def _read(ulid: str, stats: bytes, column: Column, none: Bound) -> Bound:
    """The bounds that a segment's statistics give a key column, as normal values."""
    try:
        zones = zones_as([from_bytes(stats)], column)
    except (pa.ArrowInvalid, OSError, StopIteration) as error:
        raise CorruptionError.file_of(
            ulid, f"its statistics in the catalog are no Arrow data: {error}"
        ) from error
    domain = domain_of(storage_of(column.type))
    if not zones.bounded or not zones.known[0] or domain is None:
        return none
    low, high = zones.low[0], zones.high[0]
    if domain == pa.binary():
        return (low, None) if zones.open[0] else (low, high)
    if domain == pa.float64():
        ends = float_codes(np.array([low, high], np.float64))
        return int(ends[0]), _NAN if zones.nan[0] else int(ends[1])
    if domain == pa.uint64():
        return int(low) - 2**63, int(high) - 2**63
    return int(low), int(high)
