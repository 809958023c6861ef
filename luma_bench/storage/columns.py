"""Which Arrow types a segment stores, how each lies in arrays, and the type in which scans stream it.

A column is a tree of nodes that follows its Arrow type. A node named `c7` owns up to four arrays: `c7.valid` (validity
bits, only when there are nulls), `c7` (fixed-width values or bits), or `c7.len` with `c7.data` (strings), or `c7.code`
with the node `c7.dict` (dictionary), or `c7.len` with the node `c7.child` (lists and maps); a struct's fields are
the nodes `c7.child0`, `c7.child1`, ….
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError

ROW_ID_ARRAY = "_rowid"
"""The array of stored row ids, in segments whose ids are not one contiguous range."""

DECIMAL32_DIGITS, DECIMAL64_DIGITS, DECIMAL128_DIGITS = 9, 18, 38


@dataclass(frozen=True, slots=True)
class Fixed:
    """The array of a fixed-width type: `width` elements of `dtype` make one value."""

    dtype: np.dtype
    width: int = 1


def node_name(column_id: int) -> str:
    """The name of a column's root node, and of its array of values."""
    return f"c{column_id}"


def is_text(kind: pa.DataType) -> bool:
    """Whether values are variable-size bytes, stored as lengths and data."""
    types = pa.types
    return (
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
    )


def is_unicode(kind: pa.DataType) -> bool:
    """Whether a text type holds UTF-8."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of any length; a map is a list of key and value pairs."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind)


def storage_of(kind: pa.DataType) -> pa.DataType:
    """The type under an extension type, or the type itself."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return kind


def item_field(kind: pa.DataType) -> pa.Field:
    """The child field of a list, fixed-size list or map (for a map the struct of key and value)."""
    if pa.types.is_map(kind):
        return pa.field("entries", pa.struct([kind.key_field, kind.item_field]), nullable=False)
    return kind.value_field


def fixed_of(kind: pa.DataType) -> Fixed | None:
    """How a fixed-width type is stored; None for every other type (booleans are bits and have none).

    Decimals take the smallest of 32, 64 and 128 bit that their precision needs, whatever their Arrow width is.
    """
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind):
        return Fixed(np.dtype(kind.to_pandas_dtype()))
    if types.is_decimal(kind):
        if kind.precision <= DECIMAL32_DIGITS:
            return Fixed(np.dtype(np.int32))
        return (
            Fixed(np.dtype(np.int64)) if kind.precision <= DECIMAL64_DIGITS else Fixed(np.dtype(np.uint8), 16)
        )
    if types.is_date32(kind) or types.is_time32(kind):
        return Fixed(np.dtype(np.int32))
    if types.is_date64(kind) or types.is_time64(kind) or types.is_timestamp(kind) or types.is_duration(kind):
        return Fixed(np.dtype(np.int64))
    if types.is_fixed_size_binary(kind):
        return Fixed(np.dtype(np.uint8), kind.byte_width)
    if types.is_interval(kind):
        return Fixed(np.dtype(np.uint8), 16)
    return None


def check_storable(schema: pa.Schema, table: str) -> None:
    """Refuse what a segment cannot hold.

    Raises
    ------
    SchemaError
        Naming the column, why its type is refused, and what to cast it to.
    """
    for field in schema:
        problem = refusal(field.type)
        if problem is not None:
            raise SchemaError.column(table, field.name, problem[0], problem[1])


def refusal(kind: pa.DataType, *, vector: bool = False) -> tuple[str, str] | None:
    """Why a type cannot be stored and what to do instead, or None when it can."""
    types = pa.types
    kind = storage_of(kind)
    if types.is_float16(kind) and not vector:
        return f"{kind} is stored only inside fixed-size lists (vectors).", "Cast it to float32."
    if types.is_decimal256(kind):
        return "decimal256 is not stored.", "Cast it to decimal128, or to string to keep every digit."
    if types.is_decimal(kind) and kind.scale < 0:
        return (
            f"{kind} has a negative scale.",
            f"Cast it to a decimal of scale 0, such as decimal128({DECIMAL128_DIGITS}, 0).",
        )
    if types.is_interval(kind) and kind != pa.month_day_nano_interval():
        return f"{kind} is not stored.", "Cast it to month_day_nano_interval."
    if types.is_fixed_size_binary(kind) and kind.byte_width == 0:
        return "values of zero bytes are not stored.", "Cast it to binary."
    if types.is_dictionary(kind):
        return refusal(kind.value_type)
    if is_list(kind) or types.is_fixed_size_list(kind) or types.is_struct(kind):
        inner = (
            [kind.field(i).type for i in range(kind.num_fields)]
            if types.is_struct(kind)
            else [item_field(kind).type]
        )
        for child in inner:
            if (problem := refusal(child, vector=types.is_fixed_size_list(kind))) is not None:
                return problem
        return None
    if is_text(kind) or types.is_null(kind) or types.is_boolean(kind) or fixed_of(kind) is not None:
        return None
    return f"the Arrow type {kind} is not stored.", "Cast it to a plain list, struct or scalar type."


def stream_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a scan yields a column: what an engine reads without a conversion.

    Decimals come as narrow as they are stored (DuckDB reads decimal32 and decimal64 as they lie), strings with 32-bit
    offsets, float16 as float32. An extension type stays unless what it stores changes.
    """
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        inner = stream_type(kind.storage_type)
        return kind if inner == kind.storage_type else inner
    if types.is_decimal(kind):
        if kind.precision <= DECIMAL32_DIGITS:
            return pa.decimal32(kind.precision, kind.scale)
        return pa.decimal64(kind.precision, kind.scale) if kind.precision <= DECIMAL64_DIGITS else kind
    if is_text(kind):
        return pa.string() if is_unicode(kind) else pa.binary()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_dictionary(kind):
        return pa.dictionary(pa.int32(), stream_type(kind.value_type))
    if types.is_map(kind):
        return pa.map_(_streamed(kind.key_field), _streamed(kind.item_field), kind.keys_sorted)
    if types.is_list(kind):
        return pa.list_(_streamed(kind.value_field))
    if types.is_large_list(kind):
        return pa.large_list(_streamed(kind.value_field))
    if types.is_fixed_size_list(kind):
        return pa.list_(_streamed(kind.value_field), kind.list_size)
    if types.is_struct(kind):
        return pa.struct([_streamed(kind.field(i)) for i in range(kind.num_fields)])
    return kind


def _streamed(field: pa.Field) -> pa.Field:
    return field.with_type(stream_type(field.type))
