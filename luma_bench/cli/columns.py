"""Arrow columns as CSV and JSON hold them: complete values, none cut and none rounded."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute

from luma_bench.bench.cells import plain_scalar, plain_type, timestamp_text, value_text

pc: Any = pyarrow.compute  # its functions are made at run time

# Seconds since the epoch of the years 1 to 9999: in them a year has four digits. Before 1975 some zones' offsets
# had seconds, for which strftime has no place.
_FIRST, _FIRST_ZONED, _LAST = -62_135_596_800, 157_766_400, 253_402_300_799
_INT64 = (-(2**63) + 1, 2**63 - 2)


def csv_table(table: pa.Table) -> pa.Table:
    """The table with every column that CSV has no form for as text.

    Timestamps are ISO 8601 with a space and their zone's offset; nested values are JSON; bytes are hexadecimal. NULL is an
    empty field, an empty text is `""`.
    """
    columns = [_csv_column(table.column(index)) for index in range(table.num_columns)]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _csv_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = plain_type(column.type)
    if _ready(kind) and kind == column.type:
        return column
    if (texts := _times(column, " ")) is not None:
        return texts
    if pa.types.is_nested(kind):
        import msgspec

        encode = msgspec.json.Encoder(decimal_format="number").encode
        values = [
            None if item is None else encode(json_value(item)).decode() for item in map(plain_scalar, column)
        ]
    else:
        values = [None if item is None else _csv_text(item) for item in map(plain_scalar, column)]
    return pa.chunked_array([pa.array(values, pa.string())])


def _times(column: pa.ChunkedArray | pa.Array, between: str) -> Any:
    """Timestamps and dates as texts, a whole column at once; None for other types and for years that need more care."""
    kind = column.type
    if pa.types.is_date32(kind):
        return (
            column.cast(pa.string())
            if _within(column.cast(pa.int32()), _FIRST // 86_400, _LAST // 86_400)
            else None
        )
    if not pa.types.is_timestamp(kind):
        return None
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    values = column.cast(pa.int64())
    first = _FIRST_ZONED if kind.tz else _FIRST
    if not _within(values, max(first * ticks, _INT64[0]), min(_LAST * ticks, _INT64[1])):
        return None
    with contextlib.suppress(pa.ArrowInvalid):
        # It fails where one has a fraction: then all keep theirs.
        column = column.cast(pa.timestamp("s", kind.tz))
    texts = pc.strftime(column, format=f"%Y-%m-%d{between}%H:%M:%S{'%z' if kind.tz else ''}")
    return pc.replace_substring_regex(texts, r"(\d\d)$", r":\1") if kind.tz else texts


def _within(values: Any, low: int, high: int) -> bool:
    bounds = pc.min_max(values).as_py()
    return bounds["min"] is None or (bounds["min"] >= low and bounds["max"] <= high)


def _csv_text(item: Any) -> str:
    if (
        pa.types.is_string(item.type)
        or pa.types.is_large_string(item.type)
        or pa.types.is_string_view(item.type)
    ):
        return str(item.as_py())
    return value_text(item)


def _ready(kind: pa.DataType) -> bool:
    """Whether pyarrow writes a type as this page wants it, and fast."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_decimal(kind)
    )  # fmt: skip


def json_columns(batch: pa.RecordBatch) -> list[Iterable[Any]]:
    """Each column of a batch as values that JSON can hold."""
    return [_json_column(batch.column(index)) for index in range(batch.num_columns)]


def _json_column(column: pa.Array) -> Iterable[Any]:
    kind = column.type
    if (texts := _times(column, "T")) is not None:
        return texts.to_pylist()
    if (
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_decimal(kind)
    ):
        return column.to_pylist()
    return [json_value(item) for item in column]


def json_value(scalar: Any) -> Any:
    """One value for JSON: ISO 8601 times, base64 bytes, `NaN` and `Infinity` as texts, which JSON has no number for."""
    item = plain_scalar(scalar)
    if item is None:
        return None
    kind = item.type
    for test, convert in _CONVERTERS:
        if test(kind):
            return convert(item)
    return value_text(item)


def _float(item: Any) -> float | str:
    value = float(item.as_py())
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    # A float32 is written as its own shortest form, 1.1, not as the float64 nearest to it.
    return value if pa.types.is_float64(item.type) else float(value_text(item))


def _bytes(item: Any) -> str:
    return base64.b64encode(item.as_buffer().to_pybytes()).decode("ascii")


def _map(item: Any) -> Any:
    entries = item.values
    pairs = list(zip(entries.field(0), entries.field(1), strict=True))
    if pa.types.is_string(entries.field(0).type):
        return {key.as_py(): json_value(value) for key, value in pairs}
    return [[json_value(key), json_value(value)] for key, value in pairs]


def _struct(item: Any) -> dict[str, Any]:
    return {item.type.field(index).name: json_value(item[index]) for index in range(item.type.num_fields)}


def _as_py(item: Any) -> Any:
    return item.as_py()


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _is_plain(kind: pa.DataType) -> bool:
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(text or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind))


def _timestamp(item: Any) -> str:
    return timestamp_text(item.value, item.type.unit, item.type.tz, between="T")


_CONVERTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Any], Any]], ...] = (
    (_is_plain, _as_py),
    (pa.types.is_floating, _float),
    (pa.types.is_timestamp, _timestamp),
    (_is_bytes, _bytes),
    (pa.types.is_map, _map),
    (_is_list, lambda item: [json_value(value) for value in item.values]),
    (pa.types.is_struct, _struct),
)
