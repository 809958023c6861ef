"""The SQL types that Arrow types are read as, where every value keeps its meaning."""

from __future__ import annotations

import pyarrow as pa

_INTEGERS = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
}
_NAIVE = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP"}


def engine_type(kind: pa.DataType) -> str | None:
    """The SQL type that DuckDB reads an Arrow type as, where every value keeps its meaning; None elsewhere."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if kind in _INTEGERS:
        return _INTEGERS[kind]
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            return _NAIVE.get(kind.unit)
        return "TIMESTAMP WITH TIME ZONE" if kind.unit in _NAIVE else None
    if pa.types.is_time(kind):
        return "TIME" if kind.unit in _NAIVE else None
    if pa.types.is_decimal128(kind) or pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    for test, name in _SIMPLE:
        if test(kind):
            return name
    return None


_SIMPLE = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_float32, "FLOAT"),
    (pa.types.is_float64, "DOUBLE"),
    (pa.types.is_string, "VARCHAR"),
    (pa.types.is_large_string, "VARCHAR"),
    (pa.types.is_binary, "BLOB"),
    (pa.types.is_large_binary, "BLOB"),
    (pa.types.is_fixed_size_binary, "BLOB"),
    (pa.types.is_date32, "DATE"),
)
