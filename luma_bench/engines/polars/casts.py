"""Values as another SQL type, by DuckDB's rules, and two values as the type that they are compared as."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.kinds import STRING, Kind, Range, Refused, combined, kind_of
from luma_bench.engines.polars.values import (
    Value,
    as_double,
    as_text,
    checked,
    constant_of,
    held_as,
    scaled,
)

_YEAR_1, _YEAR_9999 = -719162, 2932896
"""Days since the epoch of the years that both write with four digits."""


def cast(value: Value, kind: Kind, duck: Duck) -> Value:
    """The value as another type.

    Raises
    ------
    Refused
        The cast is not proven to be DuckDB's.
    """
    if value.kind.text == kind.text:
        return value
    if value.constant is not None:
        text = f"CAST({value.constant} AS {kind.text})"
        return constant_of(duck.constants([text])[0], kind, text)
    pair = (value.kind.family, kind.family)
    match pair:
        case ("null", _):
            return Value(pl.lit(None, dtype=kind.dtype), kind, kind.dtype, Range(0, 0))
        case ("integer" | "decimal", "integer" | "decimal"):
            return _whole(value, kind)
        case ("integer" | "decimal" | "float", "float") if kind.text == "DOUBLE":
            return as_double(value)
        case ("boolean", "integer"):
            return Value(value.expr.cast(kind.dtype), kind, kind.dtype, Range(0, 1), value.nullable)
        case ("integer", "boolean"):
            return Value(value.expr != 0, kind, kind.dtype, Range(0, 1), value.nullable)
        case ("date", "timestamp"):
            if not value.range.fits(_YEAR_1, _YEAR_9999):
                raise Refused("a date far from today as a timestamp")
            return Value(value.expr.cast(kind.dtype), kind, kind.dtype, kind.range, value.nullable)
        case ("integer", "text"):
            return Value(value.expr.cast(STRING), kind, STRING, kind.range, value.nullable)
        case ("date", "text"):
            if not value.range.fits(_YEAR_1, _YEAR_9999):
                raise Refused("a date far from today as text")
            return Value(value.expr.dt.to_string("%Y-%m-%d"), kind, STRING, kind.range, value.nullable)
        case _:
            raise Refused(f"a cast of {value.kind.text} to {kind.text}")


def _whole(value: Value, kind: Kind) -> Value:
    what = f"a cast to {kind.text}"
    fewer = value.kind.scale - kind.scale
    if fewer <= 0:
        wide = scaled(value, kind.scale)
        made = checked(wide.expr, kind, wide.range, what, nullable=value.nullable)
        return replace(made, expr=held_as(replace(wide, constant=None), made.dtype))
    # Half away from zero: of the size, then signed.
    dtype = value.range.dtype()
    unit = 10**fewer

    def rounded(bounds: tuple[int, int]) -> tuple[int, int]:
        return tuple(
            -((-end + unit // 2) // unit) if end < 0 else (end + unit // 2) // unit for end in bounds
        )  # pyright: ignore[reportReturnType]

    span = combined(rounded, value.range)
    if not combined(lambda a: (a[0] - unit, a[1] + unit), value.range).fits(-(1 << 63), (1 << 63) - 1):
        dtype = pl.Int128()
    whole = held_as(value, dtype)
    size = (whole.abs() + pl.lit(unit // 2, dtype=dtype)) // pl.lit(unit, dtype=dtype)
    expr = pl.when(whole < 0).then(size * pl.lit(-1, dtype=dtype)).otherwise(size)
    made = checked(expr, kind, span, what, nullable=value.nullable)
    return replace(made, expr=expr.cast(made.dtype))


def compared(left: Value, right: Value, duck: Duck) -> tuple[Value, Value]:
    """Two values in the one form that they are compared in.

    Raises
    ------
    Refused
        DuckDB's common type of the two is not known here.
    """
    a, b = left.kind, right.kind
    if "null" in (a.family, b.family):
        return (
            ((cast(left, b, duck), right) if a.family == "null" else (left, cast(right, a, duck)))
            if a.text != b.text
            else (left, right)
        )
    if a.is_whole and b.is_whole:
        scale = max(a.scale, b.scale)
        left, right = scaled(left, scale), scaled(right, scale)
        dtype = left.dtype
        if left.dtype != right.dtype or not left.dtype.is_integer():
            dtype = combined(lambda x, y: (min(x[0], y[0]), max(x[1], y[1])), left.range, right.range).dtype()
        return (
            replace(left, expr=held_as(left, dtype), dtype=dtype),
            replace(right, expr=held_as(right, dtype), dtype=dtype),
        )
    if a.is_number and b.is_number:
        if "FLOAT" in (a.text, b.text) and a.text != b.text:
            raise Refused(f"a comparison of {a.text} and {b.text}")
        return (left, right) if a.text == b.text else (as_double(left), as_double(right))
    if a.text == b.text:
        return _texts(left, right) if a.family == "text" else (left, right)
    if right.constant is not None and b.family == "text":
        return compared(left, cast(right, a, duck), duck)
    if left.constant is not None and a.family == "text":
        return compared(cast(left, b, duck), right, duck)
    if {a.family, b.family} == {"date", "timestamp"}:
        stamp = kind_of("TIMESTAMP")
        return cast(left, stamp, duck), cast(right, stamp, duck)
    raise Refused(f"a comparison of {a.text} and {b.text}")


def _texts(left: Value, right: Value) -> tuple[Value, Value]:
    """Text as it is compared: of one dictionary by its codes."""
    if left.is_enum and left.dtype == right.dtype:
        return left, right
    return as_text(left), as_text(right)


def common(values: list[Value], kind: Kind, duck: Duck) -> list[Value]:
    """The branches of an expression in its type, all held alike."""
    made = [cast(value, kind, duck) for value in values]
    if kind.family == "text":
        first = next((value.dtype for value in made if value.constant is None), STRING)
        alike = all(value.constant is None and value.dtype == first for value in made)
        return made if alike else [as_text(value) for value in made]
    if kind.family != "decimal":
        return made
    dtype = pl.Int128() if any(value.dtype == pl.Int128() for value in made) else pl.Int64()
    return [replace(value, expr=held_as(value, dtype), dtype=dtype) for value in made]
