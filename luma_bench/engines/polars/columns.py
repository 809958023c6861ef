"""Arrow columns as Polars holds them here, without a copy where the bytes are the same, and back as the answer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from luma_bench.engines.polars.kinds import INT64, INT128, Kind, Range, Refused
from luma_bench.engines.polars.values import Value

_CATEGORIES = 1 << 15
"""Different texts up to which a dictionary stays one."""


def converted(array: pa.ChunkedArray, kind: Kind, name: str) -> tuple[pl.Series, Value]:
    """A column of a SQL type, and what is known of it.

    Raises
    ------
    Refused
        The Arrow type is none that is taken here.
    """
    series = _series(array, kind, name)
    low, high = kind.low, kind.high
    measure: Callable[[], tuple[int, int]] | None = None
    if kind.family in ("integer", "decimal", "date", "timestamp"):
        if series.dtype.is_integer() and series.dtype != INT128 and kind.family == "decimal":
            low, high = max(low, -(1 << 63)), min(high, (1 << 63) - 1)
        measure = _measurer(series)
    span = Range(low, high, measure)
    return series, Value(pl.col(name), kind, series.dtype, span, series.null_count() > 0)


def _measurer(series: pl.Series) -> Callable[[], tuple[int, int]]:
    def measure() -> tuple[int, int]:
        whole = series.to_physical()
        low, high = whole.min(), whole.max()
        return (int(str(low)), int(str(high))) if low is not None and high is not None else (0, 0)

    return measure


def _series(array: pa.ChunkedArray, kind: Kind, name: str) -> pl.Series:
    given: Any = array.type
    types = pa.types
    if kind.family == "decimal":
        return _decimals(array, kind, name)
    if kind.family == "text" and types.is_dictionary(given):
        return _dictionary(array, name)
    if kind.text == "HUGEINT":
        if not (types.is_decimal128(given) and given.scale == 0):
            raise Refused(f"{kind.text} of {given}")
        return _polars(array, name).to_physical()
    if types.is_dictionary(given) or not _plain(given, kind):
        raise Refused(f"{kind.text} of {given}")
    series = _polars(array, name)
    return series if series.dtype == kind.dtype else series.cast(kind.dtype)


def _polars(array: pa.ChunkedArray, name: str) -> pl.Series:
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    return series.alias(name)


def _plain(given: Any, kind: Kind) -> bool:
    """Whether the Arrow type is the one that holds the SQL type."""
    types = pa.types
    match kind.family:
        case "integer":
            return types.is_integer(given)
        case "text":
            return types.is_string(given) or types.is_large_string(given) or types.is_string_view(given)
        case "blob":
            return types.is_binary(given) or types.is_large_binary(given)
        case "float":
            return types.is_float32(given) or types.is_float64(given)
        case "boolean":
            return types.is_boolean(given)
        case "date":
            return types.is_date32(given)
        case "timestamp":
            return given == pa.timestamp("us")
        case "null":
            return types.is_null(given) or types.is_int32(given)
        case _:
            return False


def _decimals(array: pa.ChunkedArray, kind: Kind, name: str) -> pl.Series:
    """The whole numbers of last digits; the same bytes."""
    given: Any = array.type
    types = pa.types
    if not types.is_decimal(given) or given.scale != kind.scale:
        raise Refused(f"{kind.text} of {given}")
    if types.is_decimal64(given) or types.is_decimal32(given):
        plain = pa.int64() if types.is_decimal64(given) else pa.int32()
        chunks = [
            pa.Array.from_buffers(plain, len(chunk), chunk.buffers(), chunk.null_count, chunk.offset)
            for chunk in array.chunks
        ]
        series = _polars(pa.chunked_array(chunks, plain), name)
        return series if series.dtype == INT64 else series.cast(INT64)
    if not types.is_decimal128(given):
        raise Refused(f"{kind.text} of {given}")
    return _polars(array, name).to_physical()


def _dictionary(array: pa.ChunkedArray, name: str) -> pl.Series:
    """Text of dictionaries: codes of all texts in byte order, while these are few."""
    chunks = array.chunks
    texts: set[str] = set()
    seen: list[list[str]] = []
    for chunk in chunks:
        held = chunk.dictionary
        if held.null_count or len(held) > _CATEGORIES:
            return _spelled(array, name)
        listed: list[str] = held.to_pylist()
        seen.append(listed)
        texts.update(listed)
        if len(texts) > _CATEGORIES:
            return _spelled(array, name)
    # Code points are in the order of their bytes.
    ordered = sorted(texts)
    places = {text: place for place, text in enumerate(ordered)}
    small = np.dtype("u1") if len(ordered) <= 255 else np.dtype("u2")
    codes: list[pa.Array] = []
    for chunk, listed in zip(chunks, seen, strict=True):
        told = np.array([places[text] for text in listed] or [0], small)
        indices = chunk.indices
        if indices.null_count:
            indices = indices.fill_null(0)
        numbers = told[indices.to_numpy(zero_copy_only=False)]
        mask = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
        codes.append(pa.array(numbers, mask=mask))
    plain = pa.uint8() if small.itemsize == 1 else pa.uint16()
    return _enum(_polars(pa.chunked_array(codes, plain), name), pl.Enum(ordered))


def _enum(codes: pl.Series, kind: pl.Enum) -> pl.Series:
    # polars 2 moved the cast from codes.
    if hasattr(codes.cat, "to"):
        return codes.cat.to(kind)
    return codes.cast(kind)


def _spelled(array: pa.ChunkedArray, name: str) -> pl.Series:
    parts = [_polars(pa.chunked_array([chunk.dictionary_decode()]), name) for chunk in array.chunks]
    made = pl.concat(parts) if parts else pl.Series(name, [], pl.String)
    return made.cast(pl.String)


def delivered(series: pl.Series, value: Value, field: pa.Field) -> pa.ChunkedArray:
    """A column in exactly the type of the answer's.

    Raises
    ------
    Refused
        The answer's type is not the one that the plan has.
    """
    wanted: Any = field.type
    types = pa.types
    if series.dtype != value.dtype:
        raise Refused(f"a column of {series.dtype} in place of {value.dtype}")
    if types.is_decimal(wanted):
        if not (types.is_decimal128(wanted) and value.kind.is_whole and wanted.scale == value.kind.scale):
            raise Refused(f"{value.kind.text} as {wanted}")
        return _as_decimals(series, wanted)
    if value.is_enum:
        series = series.cast(pl.String)
    elif value.kind.family == "decimal" or series.dtype == INT128:
        raise Refused(f"{value.kind.text} as {wanted}")
    array = _arrow(series)
    if array.type == wanted:
        return array
    if value.kind.family == "null":
        return pa.chunked_array([pa.nulls(len(array), wanted)], wanted)
    if value.kind.family == "zoned" and types.is_timestamp(wanted) and wanted.unit == "us":
        return array.cast(wanted)
    if (types.is_string(wanted) and value.kind.family == "text") or (
        types.is_binary(wanted) and value.kind.family == "blob"
    ):
        return array.cast(wanted)
    raise Refused(f"{value.kind.text} as {wanted}")


def _arrow(series: pl.Series) -> pa.ChunkedArray:
    found = series.to_arrow(compat_level=pl.CompatLevel.oldest())
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])


def _as_decimals(series: pl.Series, wanted: Any) -> pa.ChunkedArray:
    """Whole numbers as decimals of these last digits: the same 16 bytes under another type."""
    wide = _arrow(series.cast(pl.Int128).cast(pl.Decimal(38, 0)))
    chunks = [
        pa.Array.from_buffers(wanted, len(chunk), chunk.buffers(), chunk.null_count, chunk.offset)
        for chunk in wide.chunks
    ]
    return pa.chunked_array(chunks, wanted)
