"""Arrow types and arrays for Hypothesis, and segments made of them."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from luma_bench.config import Settings
from luma_bench.storage.columns_hidden import without_hidden_codes
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.types.schema import Column, TableSchema, TableSettings

SMALL = Settings(threads=2, chunk_rows=16, key_chunk_rows=8, shard_rows=32)
"""Chunks so small that a few rows fill several chunks and shards."""

UNITS = ("s", "ms", "us", "ns")
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]
DECIMALS = [
    pa.decimal32(7, 2), pa.decimal64(9, 0), pa.decimal64(15, 3), pa.decimal128(5, 2), pa.decimal128(18, 4),
    pa.decimal128(19, 4), pa.decimal128(38, 10),
]  # fmt: skip
TIMES = [
    pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
    *[pa.timestamp(unit) for unit in UNITS], *[pa.timestamp(unit, "Europe/Oslo") for unit in UNITS],
    *[pa.duration(unit) for unit in UNITS], pa.month_day_nano_interval(),
]  # fmt: skip
PLAIN = [
    *INTEGERS,
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    *TEXTS,
    pa.binary(3),
    *DECIMALS,
    *TIMES,
    pa.null(),
]
EXTENSIONS = [pa.uuid(), pa.json_(), pa.bool8(), pa.opaque(pa.binary(), "x", "v")]


def types() -> st.SearchStrategy[pa.DataType]:
    """Every storable type: plain ones, dictionaries, extensions, and lists, structs and maps of all of them."""
    # Nested children stay types that pa.array builds from Python values.
    leaves = st.sampled_from(
        [*PLAIN, *[pa.dictionary(index, pa.string()) for index in (pa.int8(), pa.uint16(), pa.int64())]]
    )

    def extend(inner: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
        return st.one_of(
            inner.map(pa.list_),
            inner.map(pa.large_list),
            st.tuples(inner, st.integers(0, 3)).map(lambda pair: pa.list_(*pair)),
            st.lists(inner, min_size=1, max_size=3).map(
                lambda kinds: pa.struct([(f"f{i}", kind) for i, kind in enumerate(kinds)])
            ),
            st.tuples(st.sampled_from([pa.string(), pa.int32()]), inner).map(lambda pair: pa.map_(*pair)),
        )

    vectors = st.just(pa.list_(pa.float16(), 2))
    return st.one_of(st.recursive(leaves, extend, max_leaves=4), vectors, st.sampled_from(EXTENSIONS))


def values(kind: pa.DataType) -> st.SearchStrategy[object]:  # noqa: C901 (one branch a type)
    """Python values of a type, without None."""
    types_ = pa.types
    if types_.is_null(kind):
        return st.none()
    if types_.is_boolean(kind):
        return st.booleans()
    if types_.is_integer(kind):
        limits = np.iinfo(kind.to_pandas_dtype())
        return st.one_of(st.integers(int(limits.min), int(limits.max)), st.integers(0, 3))
    if types_.is_float16(kind):
        return st.floats(width=16).map(np.float16)
    if types_.is_floating(kind):
        return st.one_of(st.floats(width=kind.bit_width), st.sampled_from([0.0, -0.0, float("nan"), 1.5]))
    if types_.is_decimal(kind):
        top = 10**kind.precision - 1
        return st.integers(-top, top).map(
            lambda count: decimal.Decimal((int(count < 0), tuple(map(int, str(abs(count)))), -kind.scale))
        )
    if types_.is_date(kind):
        # Years 1 to 9999: inside a list they are compared as Python values.
        days = st.integers(-719_000, 2_932_000)
        return days.map(lambda count: count * 86_400_000) if types_.is_date64(kind) else days
    if types_.is_time(kind):
        return st.integers(
            0, {"s": 86_399, "ms": 86_399_999, "us": 86_399_999_999, "ns": 86_399_999_999_999}[kind.unit]
        )
    if types_.is_timestamp(kind):
        if kind.unit == "ns":
            return st.integers(-(2**62), 2**62)
        unit = {"s": 1, "ms": 1_000, "us": 1_000_000}[kind.unit]
        return st.integers(-62_135_000_000 * unit, 253_402_000_000 * unit)
    if types_.is_duration(kind):
        return st.integers(-(10**10), 10**10).map(lambda count: count * 1000)
    if types_.is_interval(kind):
        return st.tuples(
            st.integers(-99, 99), st.integers(-99, 99), st.integers(-(10**9), 10**9).map(lambda n: n * 1000)
        )
    if types_.is_fixed_size_binary(kind):
        return st.binary(min_size=kind.byte_width, max_size=kind.byte_width)
    if types_.is_string(kind) or types_.is_large_string(kind) or types_.is_string_view(kind):
        return st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
            st.sampled_from(["", "a", "\0", "😀"]),
        )
    if types_.is_binary(kind) or types_.is_large_binary(kind) or types_.is_binary_view(kind):
        return st.binary(max_size=8)
    if types_.is_dictionary(kind):
        return st.sampled_from(["a", "b", "", "zebra"])
    if types_.is_map(kind):
        keys = values(kind.key_type)
        return st.dictionaries(keys, maybe(kind.item_type), max_size=3).map(lambda found: list(found.items()))
    if types_.is_struct(kind):
        return st.fixed_dictionaries(
            {kind.field(i).name: maybe(kind.field(i).type) for i in range(kind.num_fields)}
        )
    if types_.is_fixed_size_list(kind):
        return st.lists(maybe(kind.value_type), min_size=kind.list_size, max_size=kind.list_size)
    return st.lists(maybe(kind.value_type), max_size=3)


def maybe(kind: pa.DataType) -> st.SearchStrategy[object]:
    """Values of a type, or None."""
    return st.one_of(values(kind), st.none())


@st.composite
def arrays(draw: st.DrawFn, kind: pa.DataType | None = None, rows: int | None = None) -> pa.Array:
    """An array of a storable type: nulls or none, sliced out of a longer one, possibly empty."""
    kind = draw(types()) if kind is None else kind
    length = draw(st.integers(0, 70)) if rows is None else rows
    before, after = draw(st.integers(0, 9)), draw(st.integers(0, 3))
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    element = maybe(storage) if draw(st.booleans()) else values(storage)
    # A few values, repeated: long lists of drawn values are slow to make and show nothing more.
    few = draw(st.lists(element, min_size=1, max_size=12))
    order = draw(st.randoms(use_true_random=False))
    whole = built([order.choice(few) for _ in range(before + length + after)], storage)
    part = whole.slice(before, length)
    return pa.ExtensionArray.from_storage(kind, part) if isinstance(kind, pa.BaseExtensionType) else part


def built(items: list[object], kind: pa.DataType) -> pa.Array:
    """`pa.array`, and for dates and times from their counts; without the codes that Arrow makes up under nulls."""
    return without_hidden_codes(pa.array(items, kind))


def bits(array: pa.Array) -> object:
    """What makes two arrays the same: floats by their bits, everything else by its Python value."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return bits(array.storage)
    if pa.types.is_float64(kind) or pa.types.is_float32(kind):
        code = "d" if kind.bit_width == 64 else "f"
        return [None if item is None else struct.pack(code, item) for item in array.to_pylist()]
    return repr(array.to_pylist()) if pa.types.is_nested(kind) or pa.types.is_floating(kind) else array


def same(left: pa.Array, right: pa.Array) -> bool:
    """Whether two arrays of one type hold the same values."""
    if left.type != right.type or len(left) != len(right) or left.null_count != right.null_count:
        return False
    a, b = bits(left), bits(right)
    return a.equals(b) if isinstance(a, pa.Array) else a == b


def joined(column: pa.ChunkedArray) -> pa.Array:
    """One array; also for the types that Arrow does not concatenate in dictionaries."""
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def schema_of(table: pa.Table, settings: TableSettings | None = None) -> TableSchema:
    """A table schema whose column ids do not follow the columns' order."""
    columns = tuple(
        Column(10 + 3 * i, field.name, field.type, field.nullable) for i, field in enumerate(table.schema)
    )
    return TableSchema(1, "things", columns, settings or TableSettings())


def written(
    folder: Path,
    table: pa.Table,
    *,
    settings: Settings = SMALL,
    schema: TableSchema | None = None,
    ulid: str = "01SEGMENT",
    first: int = 0,
    level: int = 0,
) -> SegmentRef:
    """A segment of a table in a folder."""
    return write_segment(
        folder,
        ulid,
        table,
        schema or schema_of(table),
        first_row_id=first,
        settings=settings,
        sync=False,
        level=level,
    )


def scan_of(
    folder: Path,
    tables: list[pa.Table],
    *,
    inline: pa.Table | None = None,
    pool: BufferPool | None = None,
    settings: Settings = SMALL,
    table_settings: TableSettings | None = None,
) -> tuple[TableScan, BufferPool]:
    """A scan over one segment for each table, and an inline blob; the pool is the caller's to close."""
    pool = BufferPool(1 << 26, 2) if pool is None else pool
    schema = schema_of((tables or [inline])[0], table_settings)
    first, refs = 0, []
    for i, table in enumerate(tables):
        refs.append(
            written(folder, table, settings=settings, schema=schema, ulid=f"01SEGMENT{i}", first=first)
        )
        first += len(table)
    blobs = [] if inline is None else [InlineBlob(1, len(inline), first, inline)]
    return TableScan(schema, refs, blobs, pool, settings), pool


def day(number: int) -> dt.date:
    """A date by its days since 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=number)
