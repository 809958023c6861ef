"""Which types of keys can be compared, and as what: a column of an edge table and the key of a vertex table need not be of one type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError

Comparable = pa.DataType
"""The type that both sides are cast to."""

_WIDE = pa.decimal128(38, 0)
_UNITS = ("s", "ms", "us", "ns")


def comparable(
    one: pa.DataType, other: pa.DataType, of_one: tuple[str, str], of_other: tuple[str, str]
) -> Comparable:
    """The type in which values of two types are compared.

    Parameters
    ----------
    of_one, of_other
        Table and column of each, for messages.

    Raises
    ------
    SchemaError
        They cannot be compared.
    """
    found = _common(_plain(one), _plain(other))
    if found is None and of_one == of_other:
        raise SchemaError(
            f"{of_one[0]}.{of_one[1]} is a {_plain(one)}, which cannot be a key of a graph.",
            hint="Choose columns of numbers, texts, dates or times.",
        )
    if found is None:
        raise SchemaError(
            f"{of_one[0]}.{of_one[1]} is a {_plain(one)} and {of_other[0]}.{of_other[1]} a {_plain(other)}: as keys of a graph "
            "they cannot be compared.",
            hint=f"Give both columns one type: ALTER TABLE {of_other[0]} ALTER {of_other[1]} TYPE …, or write the table anew.",
        )
    return found


def is_integral(kind: Comparable) -> bool:
    """Whether values of the type are numbers of 64 bits, one for each value."""
    return (
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_temporal(kind)
        or pa.types.is_floating(kind)
    )


def as_integers(
    column: pa.ChunkedArray, kind: Comparable, table: str, name: str
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.bool_]] | None]:
    """A column as int64, and which of its rows are no NULL (None for all).

    Raises
    ------
    SchemaError
        A value is NaN, or cannot be cast.
    """
    values = decoded(column, kind, table, name)
    valid = None
    if values.null_count:
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        if values.null_count == len(values):
            return np.zeros(len(values), np.int64), valid
        values = values.fill_null(values.drop_null()[0])
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_temporal(kind) and kind.bit_width == 32:
        values = values.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_temporal(kind):
        values = values.cast(pa.int64())
    plain = values.to_numpy()
    if plain.dtype == np.float64:
        if np.isnan(plain).any():
            raise SchemaError(
                f"A key of the graph is NaN: column {name!r} of table {table!r}.",
                hint=f"Use NULL for a missing key (an edge with it is left out): UPDATE {table} SET {name} = NULL WHERE isnan({name}).",
            )
        plain = plain + 0.0  # -0.0 equals 0.0
    return plain.view(np.int64) if plain.dtype != np.int64 else plain, valid


def decoded(column: pa.ChunkedArray, kind: Comparable, table: str, name: str) -> pa.ChunkedArray:
    """A column in the type that it is compared in.

    Raises
    ------
    SchemaError
        A value does not fit it.
    """
    if column.type == kind:
        return column
    try:
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        if pa.types.is_date64(plain.type) and not pa.types.is_date32(kind):
            plain = plain.cast(pa.date32())
        return plain if plain.type == kind else plain.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(
            f"Column {name!r} of table {table!r} has a key that does not fit {kind}: {error}.",
            hint="Give the columns that the graph joins one type.",
        ) from error


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    kinds = (one, other)
    if all(pa.types.is_integer(kind) for kind in kinds):
        wide = [pa.types.is_uint64(kind) for kind in kinds]
        if not any(wide):
            return pa.int64()
        return pa.uint64() if all(pa.types.is_unsigned_integer(kind) for kind in kinds) else _WIDE
    if all(_is_text(kind) for kind in kinds):
        return pa.large_string() if any(pa.types.is_large_string(kind) for kind in kinds) else pa.string()
    if all(_is_binary(kind) for kind in kinds):
        return one if one == other else pa.large_binary()
    if all(_is_number(kind) for kind in kinds) and any(pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    if all(pa.types.is_date(kind) for kind in kinds):
        return pa.date32()
    if all(pa.types.is_date(kind) or pa.types.is_timestamp(kind) for kind in kinds):
        return _moments(one, other)
    if all(pa.types.is_time(kind) for kind in kinds):
        return pa.time64("ns" if pa.time64("ns") in kinds else "us")
    if all(pa.types.is_decimal(kind) or pa.types.is_integer(kind) for kind in kinds):
        scale = max(kind.scale for kind in kinds if pa.types.is_decimal(kind))
        return pa.decimal128(38, scale)
    refused = pa.types.is_nested(one) or pa.types.is_null(one) or pa.types.is_interval(one)
    return one if one == other and not refused else None


def _moments(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    stamps = [kind for kind in (one, other) if pa.types.is_timestamp(kind)]
    zoned = {kind.tz is not None for kind in stamps} | (
        {False} if any(pa.types.is_date(kind) for kind in (one, other)) else set[bool]()
    )
    if len(zoned) > 1:
        return None  # which moment a date or a time without a zone is depends on who asks
    unit = max((kind.unit for kind in stamps), key=_UNITS.index)
    return pa.timestamp(unit, "UTC" if zoned == {True} else None)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )
