"""Narwhals' types as SQL types, and Arrow's as narwhals'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from narwhals._arrow.utils import native_to_narwhals_dtype

from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from narwhals._utils import Version
    from narwhals.dtypes import DType

_PLAIN = {
    "Boolean": "BOOLEAN",
    "Int8": "TINYINT",
    "Int16": "SMALLINT",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Int128": "HUGEINT",
    "UInt8": "UTINYINT",
    "UInt16": "USMALLINT",
    "UInt32": "UINTEGER",
    "UInt64": "UBIGINT",
    "UInt128": "UHUGEINT",
    "Float32": "FLOAT",
    "Float64": "DOUBLE",
    "String": "VARCHAR",
    "Binary": "BLOB",
    "Date": "DATE",
    "Time": "TIME",
    "Duration": "INTERVAL",
}

_TIMESTAMPS = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP", "ns": "TIMESTAMP_NS"}


def sql_type(dtype: Any, version: Version) -> str:
    """The SQL type of a narwhals type, given as a class or an instance.

    Raises
    ------
    NotImplementedError
        There is none: a time zone other than UTC, a float of 16 bits, categories.
    """
    dtypes = version.dtypes
    base = dtype.base_type()
    plain = _PLAIN.get(base.__name__)
    if plain is not None:
        return plain
    made = dtype() if isinstance(dtype, type) and base is dtypes.Datetime else dtype
    if isinstance(made, dtypes.Datetime):
        if made.time_zone is None:
            return _TIMESTAMPS[made.time_unit]
        if made.time_unit == "us" and made.time_zone == "UTC":
            return "TIMESTAMPTZ"
    elif isinstance(made, dtypes.Decimal):
        return f"DECIMAL({made.precision},{made.scale})"
    elif isinstance(made, dtypes.List):
        return f"{sql_type(made.inner, version)}[]"
    elif isinstance(made, dtypes.Array):
        inner: Any = made
        while isinstance(inner, dtypes.Array):
            inner = inner.inner
        # SQL writes the innermost size first.
        return sql_type(inner, version) + "".join(f"[{size}]" for size in reversed(made.shape))
    elif isinstance(made, dtypes.Struct):
        fields = (f"{quoted(field.name)} {sql_type(field.dtype, version)}" for field in made.fields)
        return f"STRUCT({', '.join(fields)})"
    raise NotImplementedError(f"Frames of Luma Bench have no type for narwhals' {dtype}.")


def narwhals_type(type_: pa.DataType, version: Version) -> DType:
    """The narwhals type of an Arrow type; a dictionary is what its values are."""
    if pa.types.is_dictionary(type_):
        return narwhals_type(type_.value_type, version)
    if pa.types.is_interval(type_):
        return version.dtypes.Duration()
    if pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_):
        return version.dtypes.Binary()
    return native_to_narwhals_dtype(type_, version)
