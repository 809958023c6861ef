"""A computed column: its expression, its SQL type, how Polars holds it, and what is known of its values."""

from __future__ import annotations

import datetime as dt
import decimal
from dataclasses import dataclass, field, replace

import polars as pl
import pyarrow as pa

from luma_bench.engines.polars.kinds import (
    FLOAT64,
    INT64,
    INT128,
    STRING,
    Kind,
    Range,
    Refused,
    combined,
    kind_of,
    multiplied,
)

_EXACT = 1 << 53
"""Whole numbers up to this are doubles."""
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Value:
    """An expression over a frame's columns.

    Attributes
    ----------
    dtype
        How Polars holds it: of decimals Int64 or Int128, of text String or an Enum in byte order.
    range
        Of whole numbers, dates and booleans.
    nullable
        Whether it can be NULL.
    constant
        Its SQL where it reads no column.
    literal
        The Python value of a constant; of decimals the whole number of last digits.
    fields
        Of a struct that the plan packed: what is in it, whose expressions are of no use any more.
    """

    expr: pl.Expr
    kind: Kind
    dtype: pl.DataType
    range: Range = field(compare=False)
    nullable: bool = True
    constant: str | None = None
    literal: object = None
    fields: tuple[tuple[str, Value], ...] = ()

    @property
    def is_enum(self) -> bool:
        """Whether it is text of a dictionary."""
        return isinstance(self.dtype, pl.Enum)

    def over(self, expr: pl.Expr) -> Value:
        """The same column under another expression, no constant."""
        return replace(self, expr=expr, constant=None, literal=None)


def constant_of(scalar: pa.Scalar, kind: Kind, text: str) -> Value:
    """A constant that DuckDB computed, as a value.

    Raises
    ------
    Refused
        Its type is none that is known here.
    """
    if kind.family in ("timestamp", "zoned") and scalar.is_valid:
        micros = int(scalar.value)
        return Value(
            pl.lit(micros, dtype=INT64).cast(kind.dtype), kind, kind.dtype, kind.range, False, text, micros
        )
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError) as error:
        raise Refused("a date that no calendar has") from error
    if value is None:
        dtype = kind.dtype
        return Value(pl.lit(None, dtype=dtype), kind, dtype, Range(0, 0), constant=text)
    dtype = kind.dtype
    span = Range(kind.low, kind.high)
    match kind.family:
        case "integer":
            value = int(value)
            span = Range(value, value)
        case "decimal":
            value = unscaled(value, kind.scale)
            span = Range(value, value)
        case "date":
            if not isinstance(value, dt.date):
                raise Refused("a date that no calendar has")
            days = (value - _EPOCH).days
            span = Range(days, days)
        case _:
            pass
    return Value(pl.lit(value, dtype=dtype), kind, dtype, span, False, text, value)


def unscaled(value: object, scale: int) -> int:
    """A decimal as the whole number of its last digits."""
    with decimal.localcontext() as context:
        context.prec = 80
        return int(decimal.Decimal(str(value)).scaleb(scale))


def as_text(value: Value) -> Value:
    """Text as String."""
    if not value.is_enum:
        return value
    return replace(value, expr=value.expr.cast(STRING), dtype=STRING)


def held_as(value: Value, dtype: pl.DataType) -> pl.Expr:
    """Its expression in a wider whole-number type."""
    if value.constant is not None:
        return pl.lit(value.literal, dtype=dtype)
    return value.expr if value.dtype == dtype else value.expr.cast(dtype)


def scaled(value: Value, scale: int) -> Value:
    """A whole number or decimal with so many digits after the point, no fewer than it has; exact."""
    more = scale - value.kind.scale
    if more < 0:
        raise Refused("fewer digits than a decimal has")
    if more == 0:
        return value
    factor = 10**more
    span = combined(multiplied, value.range, Range(factor, factor))
    dtype = span.dtype()
    kind = decimal_kind(scale)
    if value.constant is not None:
        literal = None if value.literal is None else int(str(value.literal)) * factor
        return Value(pl.lit(literal, dtype=dtype), kind, dtype, span, value.nullable, value.constant, literal)
    expr = held_as(value, dtype) * pl.lit(factor, dtype=dtype)
    return Value(expr, kind, dtype, span, value.nullable)


def decimal_kind(scale: int) -> Kind:
    """The widest decimal with these digits after the point."""
    return kind_of(f"DECIMAL(38,{scale})")


def as_double(value: Value) -> Value:
    """A number as DuckDB makes it a DOUBLE.

    Raises
    ------
    Refused
        It is no number.
    """
    double = kind_of("DOUBLE")
    if value.kind.text == "DOUBLE":
        return value
    if not value.kind.is_number:
        raise Refused(f"a cast of {value.kind.text} to DOUBLE")
    if value.kind.is_whole and isinstance(value.literal, int):
        number = value.literal / 10**value.kind.scale
        text = f"CAST({value.constant} AS DOUBLE)"
        return Value(pl.lit(number), double, FLOAT64, value.kind.range, False, text, number)
    if value.kind.family == "float" or not value.kind.scale:
        expr = value.expr.cast(FLOAT64)
        return Value(expr, double, FLOAT64, value.kind.range, value.nullable)
    power = float(10**value.kind.scale)
    plain = divided(value.expr.cast(FLOAT64), power)
    if not value.range.fits(-_EXACT, _EXACT):
        plain = _split_double(value, plain, power)
    return Value(plain, double, FLOAT64, value.kind.range, value.nullable)


def divided(number: pl.Expr, by: float) -> pl.Expr:
    """A double divided by a constant, as it is rounded once: Polars multiplies by a constant's reciprocal."""
    return number / (number.is_null().cast(FLOAT64) * 0.0 + by)


def _split_double(value: Value, plain: pl.Expr, power: float) -> pl.Expr:
    """As DuckDB does it where the digits do not fit a double: what stands before the point and what behind, apart."""
    whole = pl.lit(10**value.kind.scale, dtype=value.dtype)
    size = value.expr.abs()
    split = (size // whole).cast(FLOAT64) + divided((size % whole).cast(FLOAT64), power)
    signed = pl.when(value.expr < 0).then(-split).otherwise(split)
    return pl.when(size <= pl.lit(_EXACT, dtype=value.dtype)).then(plain).otherwise(signed)


def checked(expr: pl.Expr, kind: Kind, span: Range, what: str, *, nullable: bool) -> Value:
    """A whole number of this type, proven to fit it.

    Raises
    ------
    Refused
        An overflow, which DuckDB would report, cannot be excluded.
    """
    if not span.fits(kind.low, kind.high):
        raise Refused(f"an overflow that cannot be excluded in {what}")
    dtype = span.dtype() if kind.family == "decimal" else kind.dtype
    return Value(
        expr, kind, dtype, Range(max(span.low, kind.low), min(span.high, kind.high), span.measure), nullable
    )


__all__ = [
    "INT64",
    "INT128",
    "Value",
    "as_double",
    "as_text",
    "checked",
    "constant_of",
    "decimal_kind",
    "divided",
    "held_as",
    "scaled",
    "unscaled",
]
