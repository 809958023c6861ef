"""Arithmetic. Whole numbers and decimals are computed exactly, and only where the ranges prove that DuckDB reports no overflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from luma_bench.engines.polars.casts import cast, common, compared
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.kinds import (
    FLOAT64,
    Kind,
    Range,
    Refused,
    added,
    combined,
    multiplied,
    subtracted,
    united,
)
from luma_bench.engines.polars.values import Value, as_double, checked, divided, held_as, scaled

_RULES: Mapping[str, Callable[[tuple[int, int], tuple[int, int]], tuple[int, int]]] = {
    "+": added,
    "-": subtracted,
    "*": multiplied,
}
_APPLIED: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def _arithmetic(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    if len(values) == 1:
        return values[0] if name == "+" else _negated(values[0], kind)
    left, right = values
    families = {left.kind.family, right.kind.family}
    if "date" in families:
        return _days(left, right, kind, name)
    if kind.family == "float" and all(value.kind.is_number for value in values):
        if kind.text == "FLOAT" and not all(value.kind.text == "FLOAT" for value in values):
            raise Refused(f"{left.kind.text} {name} {right.kind.text}")
        a, b = (cast(value, kind, duck) for value in values)
        if any(value.constant is not None and value.literal == 0 for value in (a, b)):
            # Polars takes 0.0 - x for -x, which is -0.0 where x is 0.0.
            raise Refused(f"{name} with the constant 0.0")
        return Value(_APPLIED[name](a.expr, b.expr), kind, kind.dtype, kind.range, a.nullable or b.nullable)
    if not (kind.is_whole and left.kind.is_whole and right.kind.is_whole):
        raise Refused(f"{left.kind.text} {name} {right.kind.text}")
    if name != "*":
        left, right = scaled(left, kind.scale), scaled(right, kind.scale)
        for value in (left, right):
            if not value.range.fits(kind.low, kind.high):
                raise Refused(f"an overflow that cannot be excluded in {name}")
    elif left.kind.scale + right.kind.scale != kind.scale:
        raise Refused("a product with fewer digits than its factors have")
    span = combined(_RULES[name], left.range, right.range)
    whole = (
        combined(united, span, left.range, right.range).dtype() if kind.family == "decimal" else kind.dtype
    )
    if kind.family == "integer":
        for value in (left, right):
            if not value.range.fits(kind.low, kind.high):
                raise Refused(f"an overflow that cannot be excluded in {name}")
    nullable = left.nullable or right.nullable
    made = checked(
        _APPLIED[name](held_as(left, whole), held_as(right, whole)), kind, span, name, nullable=nullable
    )
    return replace(made, dtype=whole)


def _negated(value: Value, kind: Kind) -> Value:
    if kind.family == "float" and value.kind == kind:
        return value.over(-value.expr)
    if not value.kind.is_whole or value.kind.scale != kind.scale:
        raise Refused(f"- {value.kind.text}")
    span = combined(lambda a: (-a[1], -a[0]), value.range)
    whole = combined(united, span, value.range).dtype() if kind.family == "decimal" else kind.dtype
    made = checked(held_as(value, whole) * pl.lit(-1, dtype=whole), kind, span, "-", nullable=value.nullable)
    return replace(made, dtype=whole)


def _days(left: Value, right: Value, kind: Kind, name: str) -> Value:
    """Dates moved by days, and days between dates."""
    nullable = left.nullable or right.nullable
    if name == "-" and kind.text == "BIGINT" and left.kind.family == right.kind.family == "date":
        a, b = left.expr.cast(pl.Int32).cast(kind.dtype), right.expr.cast(pl.Int32).cast(kind.dtype)
        # DuckDB keeps both ends of the days for infinity.
        for value in (left, right):
            if not value.range.fits(-(1 << 30), 1 << 30):
                raise Refused("a date far from today")
        return Value(a - b, kind, kind.dtype, combined(subtracted, left.range, right.range), nullable)
    if name in "+-" and kind.text == "DATE":
        date, days = (right, left) if right.kind.family == "date" and name == "+" else (left, right)
        if date.kind.family == "date" and days.kind.family == "integer":
            span = combined(_RULES[name], date.range, days.range)
            if not (span.fits(-(1 << 30), 1 << 30) and date.range.fits(-(1 << 30), 1 << 30)):
                raise Refused("a date far from today")
            moved = _APPLIED[name](date.expr.cast(pl.Int32).cast(pl.Int64), held_as(days, pl.Int64()))
            return Value(moved.cast(pl.Int32).cast(pl.Date), kind, kind.dtype, span, nullable)
    raise Refused(f"{left.kind.text} {name} {right.kind.text}")


def _divided(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name, duck
    if kind.text != "DOUBLE" or len(values) != 2:
        raise Refused(f"{values[0].kind.text} / {values[-1].kind.text}")
    a, b = (as_double(value) for value in values)
    by = values[1].literal
    if values[1].constant is not None and by is not None:
        scale = 10 ** values[1].kind.scale
        divisor = by if isinstance(by, float) else int(str(by)) / scale
        return Value(divided(a.expr, divisor), kind, FLOAT64, kind.range, a.nullable)
    return Value(a.expr / b.expr, kind, FLOAT64, kind.range, a.nullable or b.nullable)


def _integral(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    """`//` and `%` of whole numbers, where both are positive: elsewhere the engines round to different sides."""
    del duck
    left, right = values
    divisor = right.literal
    if kind.family != "integer" or not (left.kind.family == right.kind.family == "integer"):
        raise Refused(f"{left.kind.text} {name} {right.kind.text}")
    if right.constant is None or not isinstance(divisor, int) or divisor <= 0:
        raise Refused(f"{name} by what is no positive constant")
    if not left.range.fits(0, kind.high) or divisor > kind.high:
        raise Refused(f"{name} of numbers that may be negative")
    a, b = held_as(left, kind.dtype), pl.lit(divisor, dtype=kind.dtype)
    expr = a // b if name == "//" else a % b
    span = Range(0, kind.high if name == "//" else divisor - 1)
    return Value(expr, kind, kind.dtype, span, left.nullable)


def _abs(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name, duck
    (value,) = values
    if value.kind != kind or not kind.is_number:
        raise Refused(f"abs of {value.kind.text}")
    if kind.family == "float":
        return value.over(value.expr.abs())
    span = combined(lambda a: (0, max(abs(a[0]), abs(a[1]))), value.range)
    made = checked(value.expr.abs(), kind, span, "abs", nullable=value.nullable)
    return replace(made, expr=value.expr.abs(), dtype=value.dtype)


def _rounded(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    """Of decimals; of doubles the engines take different steps."""
    del name
    value = values[0]
    digits = values[1].literal if len(values) == 2 else 0
    if value.kind.family != "decimal" or kind.family != "decimal" or not isinstance(digits, int):
        raise Refused(f"round of {value.kind.text}")
    if digits < 0 or kind.scale != min(digits, value.kind.scale):
        raise Refused("round to tens")
    return cast(value, kind, duck)


def _floor(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del duck
    (value,) = values
    if value.kind.text != "DOUBLE" or kind.text != "DOUBLE":
        raise Refused(f"{name} of {value.kind.text}")
    return value.over(value.expr.floor() if name == "floor" else value.expr.ceil())


def _extreme(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    """`greatest` and `least` leave out NULLs, in both engines."""
    if kind.family not in ("integer", "decimal", "date"):
        raise Refused(f"{name} of {kind.text}")
    made = common(list(values), kind, duck)
    parts = [value.expr for value in made]
    expr = pl.max_horizontal(parts) if name == "greatest" else pl.min_horizontal(parts)
    span = combined(united, *(value.range for value in made))
    return Value(expr, kind, made[0].dtype, span, all(value.nullable for value in made))


def _nullif(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name
    first = values[0]
    if first.kind != kind:
        raise Refused(f"nullif of {first.kind.text} and {values[1].kind.text}")
    left, right = compared(first, values[1], duck)
    a, b = (right, left) if left.constant is not None else (left, right)
    same = (a.expr == b.expr).fill_null(value=False)
    return replace(first.over(pl.when(~same).then(first.expr)), nullable=True)


NUMBERS: Mapping[str, Callable[[Sequence[Value], Kind, str, Duck], Value]] = {
    "+": _arithmetic,
    "-": _arithmetic,
    "*": _arithmetic,
    "add": _arithmetic,
    "/": _divided,
    "//": _integral,
    "%": _integral,
    "abs": _abs,
    "round": _rounded,
    "floor": _floor,
    "ceil": _floor,
    "ceiling": _floor,
    "greatest": _extreme,
    "least": _extreme,
    "nullif": _nullif,
}
