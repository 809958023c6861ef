"""Zone maps: the least and greatest value, the nulls and the NaN of every row chunk, and of a whole segment.

Bounds are kept in a column's zone domain, where comparing them is comparing the values in SQL: integers for whole
numbers, dates, times, timestamps, decimals (scaled) and booleans; doubles for floats; bytes for strings, cut at 64 with
the upper one rounded up. A column of any other type has null counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.columns import is_text, storage_of
from luma_bench.storage.columns_dictionary import taken
from luma_bench.types.arrays import flags, numbers

_DISTINCT = b".distinct"

BOUND_BYTES = 64
"""The longest bound of a string column that is kept."""


@dataclass(frozen=True, slots=True)
class Zones:
    """The zone map of one column over `n` row chunks (or `n` segments).

    Attributes
    ----------
    low, high
        Bounds in the zone domain, aligned with the chunks; an object array for bytes and wide decimals. Where
        `known` is False they mean nothing.
    known
        Whether the chunk holds a value that is neither NULL nor NaN, and the domain has bounds.
    open
        Whether the upper bound could not be rounded up, so that nothing bounds the chunk above.
    nulls, rows
        Counts.
    nan
        Whether the chunk holds a NaN.
    bounded
        Whether the column's type has bounds at all.
    """

    low: np.ndarray
    high: np.ndarray
    known: np.ndarray
    open: np.ndarray
    nulls: np.ndarray
    rows: np.ndarray
    nan: np.ndarray
    bounded: bool


def domain_of(kind: pa.DataType) -> pa.DataType | None:
    """The Arrow type in which the bounds of a column are stored; None where a type has no bounds."""
    if isinstance(kind, pa.BaseExtensionType):
        return None
    types = pa.types
    if types.is_dictionary(kind):
        return domain_of(kind.value_type)
    if types.is_uint64(kind):
        return pa.uint64()
    if types.is_floating(kind):
        return pa.float64()
    if types.is_decimal(kind):
        return pa.int64() if kind.precision <= 18 else pa.decimal128(38, 0)
    if is_text(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    if (
        types.is_integer(kind)
        or types.is_boolean(kind)
        or types.is_date(kind)
        or types.is_time(kind)
        or types.is_timestamp(kind)
    ):
        return pa.int64()
    return None


def unit_of(kind: pa.DataType) -> str | None:
    """What the integer bounds of a type count: `1`, `1e-2` for a decimal of scale 2, or a time unit (`d` for days).

    None for a type whose bounds are no integers.
    """
    types = pa.types
    if types.is_dictionary(kind):
        return unit_of(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return None
    if types.is_decimal(kind):
        return f"1e-{kind.scale}"
    if types.is_timestamp(kind) or types.is_time(kind):
        return str(kind.unit)
    if types.is_date(kind):
        return "d" if types.is_date32(kind) else "ms"
    return "1" if types.is_integer(kind) or types.is_boolean(kind) else None


@dataclass(frozen=True, slots=True)
class Zone:
    """One chunk's entry before it is written; `low` and `high` are Python values of the zone domain or None."""

    rows: int
    nulls: int
    nan: bool = False
    low: Any = None
    high: Any = None
    open: bool = False


def zone_of(array: pa.Array) -> Zone:
    """The zone of an array of any storable type."""
    rows, nulls = len(array), array.null_count
    if pa.types.is_null(array.type):
        nulls = rows
    if isinstance(array, pa.ExtensionArray) or nulls == rows:
        return Zone(rows, nulls)
    kind = array.type
    if pa.types.is_dictionary(kind):
        used = array.indices.drop_null().unique()
        inner = zone_of(taken(array.dictionary, used))
        nulls += _dictionary_nulls(array)
        return Zone(rows, nulls, inner.nan, inner.low, inner.high, inner.open)
    domain = domain_of(kind)
    if domain is None:
        return Zone(rows, nulls)
    if pa.types.is_floating(kind):
        values: np.ndarray = array.drop_null().to_numpy(zero_copy_only=False)
        isnan = np.isnan(values)
        nan = bool(isnan.any())
        numbers = values[~isnan] if nan else values
        if not len(numbers):
            return Zone(rows, nulls, nan)
        return Zone(rows, nulls, nan, float(numbers.min()), float(numbers.max()))
    if domain == pa.binary():
        return _text_zone(array, rows, nulls)
    if domain == pa.int64() or domain == pa.uint64():
        bounds = pc.min_max(integers_of(array))
        return Zone(rows, nulls, False, bounds["min"].as_py(), bounds["max"].as_py())
    bounds = pc.min_max(array.cast(pa.decimal128(kind.precision, kind.scale)))
    return Zone(rows, nulls, False, _scaled(bounds["min"]), _scaled(bounds["max"]))


def integers_of(array: pa.Array) -> pa.Array:
    """The whole numbers under an array whose zone domain is integers, with its nulls; zero-copy but for booleans and wide decimals."""
    kind = array.type
    if pa.types.is_integer(kind):
        return array
    if pa.types.is_boolean(kind):
        return array.cast(pa.uint8())
    if kind.bit_width == 128:
        values = np.frombuffer(array.buffers()[1], np.int64)[
            2 * array.offset : 2 * (array.offset + len(array)) : 2
        ]
        return pa.array(
            values, mask=~array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
        )
    buffers = array.buffers()
    target = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.Array.from_buffers(target, len(array), buffers, array.null_count, array.offset)


def bytes_of(array: pa.Array) -> pa.Array:
    """Strings or bytes as binary with the same offsets; fixed-size and view layouts are converted."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        target = pa.binary() if pa.types.is_string(kind) else pa.large_binary()
        return pa.Array.from_buffers(target, len(array), array.buffers(), array.null_count, array.offset)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return array
    return array.cast(pa.large_binary())


def _dictionary_nulls(array: pa.Array) -> int:
    if not array.dictionary.null_count:
        return 0
    return array.dictionary.is_null().take(array.indices.drop_null()).true_count


def _text_zone(array: pa.Array, rows: int, nulls: int) -> Zone:
    bounds = pc.min_max(bytes_of(array))
    low: bytes = bounds["min"].as_py()
    high: bytes = bounds["max"].as_py()
    if len(high) <= BOUND_BYTES:
        return Zone(rows, nulls, False, low[:BOUND_BYTES], high)
    # Rounded up: the least byte string above every string that starts like this one.
    cut = high[:BOUND_BYTES].rstrip(b"\xff")
    if not cut:
        return Zone(rows, nulls, False, low[:BOUND_BYTES], b"", open=True)
    return Zone(rows, nulls, False, low[:BOUND_BYTES], cut[:-1] + bytes([cut[-1] + 1]))


def _scaled(scalar: Any) -> int:
    # By digits: arithmetic on Decimal would round to the context's 28 digits.
    sign, digits, _ = scalar.as_py().as_tuple()
    value = int("".join(map(str, digits)))
    return -value if sign else value


def merged(zones: Sequence[Zone]) -> Zone:
    """One zone over all."""
    held = [zone for zone in zones if zone.low is not None]
    return Zone(
        sum(zone.rows for zone in zones),
        sum(zone.nulls for zone in zones),
        any(zone.nan for zone in zones),
        min((zone.low for zone in held), default=None),
        max((zone.high for zone in held), default=None),
        any(zone.open for zone in held),
    )


def to_batch(
    columns: Mapping[int, tuple[pa.DataType, Sequence[Zone]]], distinct: Mapping[int, int]
) -> pa.RecordBatch:
    """Zone maps as one record batch: a row a chunk, and for column id 7 the fields `7.nulls`, `7.nan`, `7.min`, `7.max`, `7.open`.

    The batch's metadata has `7.distinct`, the size of a column's dictionary, and `7.unit`, what its bounds count
    (`unit_of`): the column may be widened later, and its bounds must still be understood.
    """
    arrays: list[pa.Array] = []
    names: list[str] = []
    rows: list[int] = []
    for column_id, (kind, zones) in columns.items():
        domain = domain_of(storage_of(kind)) if not isinstance(kind, pa.BaseExtensionType) else None
        rows = [zone.rows for zone in zones]
        fields: dict[str, pa.Array] = {"nulls": pa.array([zone.nulls for zone in zones], pa.int64())}
        if domain is not None:
            wrap = Decimal if pa.types.is_decimal(domain) else _same
            fields["min"] = pa.array([None if zone.low is None else wrap(zone.low) for zone in zones], domain)
            fields["max"] = pa.array(
                [None if zone.high is None else wrap(zone.high) for zone in zones], domain
            )
            if domain == pa.float64():
                fields["nan"] = pa.array([zone.nan for zone in zones], pa.bool_())
            if any(zone.open for zone in zones):
                fields["open"] = pa.array([zone.open for zone in zones], pa.bool_())
        names += [f"{column_id}.{key}" for key in fields]
        arrays += list(fields.values())
    names.append("rows")
    arrays.append(pa.array(rows, pa.int64()))
    units = {f"{column_id}.unit": unit_of(kind) for column_id, (kind, _) in columns.items()}
    metadata = {f"{column_id}.distinct": str(size) for column_id, size in distinct.items()}
    metadata |= {key: unit for key, unit in units.items() if unit is not None}
    return pa.RecordBatch.from_arrays(
        arrays, schema=pa.schema([pa.field(n, a.type) for n, a in zip(names, arrays, strict=True)], metadata)
    )


def _same(value: Any) -> Any:
    return value


def distinct_of(batch: pa.RecordBatch, column_id: int) -> int | None:
    """The size of a column's dictionary in the segment; None when the column is not dictionary-encoded."""
    found = (batch.schema.metadata or {}).get(f"{column_id}.distinct".encode())
    return None if found is None else int(found)


def all_distinct(batch: pa.RecordBatch) -> dict[int, int]:
    """`distinct_of` every column that is dictionary-encoded: asking for one after the other reads all metadata each time."""
    found = (batch.schema.metadata or {}).items()
    return {int(key[: -len(_DISTINCT)]): int(size) for key, size in found if key.endswith(_DISTINCT)}


def merged_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One row over all rows of a batch of zone maps, with its metadata."""
    arrays: list[pa.Array] = []
    for i, name in enumerate(batch.schema.names):
        column = batch.column(i)
        match name.rsplit(".", 1)[-1]:
            case "min":
                value = pc.min(column)
            case "max":
                value = pc.max(column)
            case "nan" | "open":
                value = pc.any(column, min_count=0)
            case _:
                value = pc.sum(column, min_count=0)
        # From the scalar: an array made of Python values loads pandas, which a worker has no other use for.
        arrays.append(pa.repeat(value.cast(column.type), 1))
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def zones_in(batches: Sequence[pa.RecordBatch], column_id: int) -> Zones:
    """The zone map of one column over the rows of all batches; a column that a batch lacks is all NULL there.

    Raises
    ------
    KeyError
        Never: a missing column is an answer.
    """
    return joined([zones_of(batch, column_id) for batch in batches])


def joined(parts: Sequence[Zones]) -> Zones:
    """The zone maps of one column, one behind the other; without bounds where their domains differ."""
    if len(parts) == 1:
        return parts[0]
    held = [part for part in parts if part.known.any()]
    alike = len({part.low.dtype for part in held}) < 2
    bounded = alike and all(part.bounded or bool(np.all(part.nulls == part.rows)) for part in parts)

    def column(name: str) -> np.ndarray:
        arrays: list[np.ndarray] = [getattr(part, name) for part in parts]
        if name in ("low", "high") and held:
            # Bounds that mean nothing take a type and a value that compare with the others.
            example: np.ndarray = getattr(held[0], name)
            arrays = [
                array if part.known.any() else np.repeat(example[:1], len(array))
                for part, array in zip(parts, arrays, strict=True)
            ]
        return np.concatenate(arrays)

    return Zones(
        low=column("low"),
        high=column("high"),
        known=column("known"),
        open=column("open"),
        nulls=column("nulls"),
        rows=column("rows"),
        nan=column("nan"),
        bounded=bounded,
    )


def zones_of(batch: pa.RecordBatch, column_id: int) -> Zones:
    """The zone map of one column over the rows of a batch, in the domain of the type that was written."""
    rows = numbers(batch.column(batch.schema.get_field_index("rows")))
    none = np.zeros(len(rows), bool)

    def found(key: str) -> pa.Array | None:
        index = batch.schema.get_field_index(f"{column_id}.{key}")
        return None if index < 0 else batch.column(index)

    nulls = found("nulls")
    low, high, nan, above = found("min"), found("max"), found("nan"), found("open")
    if nulls is None:
        return Zones(
            np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64), none, none, rows, rows, none, True
        )
    if low is None or high is None:
        zero = np.zeros(len(rows), np.int64)
        return Zones(zero, zero, none, none, numbers(nulls), rows, none, False)
    return Zones(
        _bounds(low),
        _bounds(high),
        flags(low.is_valid()),
        none if above is None else flags(above),
        numbers(nulls),
        rows,
        none if nan is None else flags(nan),
        True,
    )


def _bounds(array: pa.Array) -> np.ndarray:
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        held = numbers(array)
        return np.where(flags(array.is_valid()), held, np.zeros(1, held.dtype)) if array.null_count else held
    values = np.empty(len(array), object)
    if pa.types.is_binary(kind):
        values[:] = [item if item is not None else b"" for item in array.to_pylist()]
    else:
        values[:] = [int(item) if item is not None else 0 for item in array.to_pylist()]
    return values
