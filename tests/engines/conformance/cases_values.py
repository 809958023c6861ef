"""Comparisons, conditions and casts: NULL, NaN, signed zeros, and what a text may become."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
from cases_numbers import exact_round
from conformance_cases import Expression, Expressions, Failure, of, strict

BOOL, TEXT, F64 = pa.bool_(), pa.string(), pa.float64()
I8, I16, I32, I64, U8, U64 = pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64()

Truth = bool | None


def rank(value: float) -> tuple[bool, float]:
    """SQL's order of floats: NaN is the largest, and equals itself."""
    return (math.isnan(value), 0.0 if math.isnan(value) else value)


def both(a: Truth, b: Truth) -> Truth:
    """AND of three values."""
    return False if a is False or b is False else None if a is None or b is None else True


def either(a: Truth, b: Truth) -> Truth:
    """OR of three values."""
    return True if a is True or b is True else None if a is None or b is None else False


def negated(a: Truth) -> Truth:
    """NOT of three values."""
    return None if a is None else not a


def within(value: Any, listed: list[Any]) -> Truth:
    """IN: unknown when it is not there and a NULL might be it."""
    if value is None:
        return None
    return (
        True if value in [item for item in listed if item is not None] else None if None in listed else False
    )


COMPARISONS = Expressions(
    "comparisons",
    "numbers",
    [
        Expression("i32 = j32", BOOL, strict(lambda a, b: a == b, "i32", "j32")),
        Expression("i32 <> j32", BOOL, strict(lambda a, b: a != b, "i32", "j32")),
        Expression("i32 <= j32", BOOL, strict(lambda a, b: a <= b, "i32", "j32")),
        Expression("i8 > i32", BOOL, strict(lambda a, b: a > b, "i8", "i32")),
        Expression("u64 > i64", BOOL, strict(lambda a, b: a > b, "u64", "i64")),
        Expression("x = y", BOOL, strict(lambda a, b: rank(a) == rank(b), "x", "y")),
        Expression("x < y", BOOL, strict(lambda a, b: rank(a) < rank(b), "x", "y")),
        Expression("x >= y", BOOL, strict(lambda a, b: rank(a) >= rank(b), "x", "y")),
        Expression("x = x", BOOL, strict(lambda a: True, "x")),
        Expression("x = 0", BOOL, strict(lambda a: a == 0, "x")),
        Expression("x > 'inf'::DOUBLE", BOOL, strict(math.isnan, "x")),
        Expression("x = 'nan'::DOUBLE", BOOL, strict(math.isnan, "x")),
        Expression("x IN (0, 'nan'::DOUBLE)", BOOL, strict(lambda a: a == 0 or math.isnan(a), "x")),
        Expression("x <= 1.5", BOOL, strict(lambda a: a <= 1.5, "x")),
        Expression("i64 = 9007199254740993", BOOL, strict(lambda a: a == 2**53 + 1, "i64")),
        Expression("i64 = 9007199254740992.0::DOUBLE", BOOL, strict(lambda a: float(a) == 2.0**53, "i64")),
        Expression("i64 > 9007199254740992", BOOL, strict(lambda a: a > 2**53, "i64")),
        Expression("i32 IS DISTINCT FROM j32", BOOL, of(lambda a, b: a != b, "i32", "j32")),
        Expression("i32 IS NOT DISTINCT FROM j32", BOOL, of(lambda a, b: a == b, "i32", "j32")),
        Expression("x IS DISTINCT FROM y", BOOL, of(lambda a, b: (a is None) != (b is None) or (a is not None and rank(a) != rank(b)), "x", "y")),
        Expression("i32 BETWEEN -5 AND 12", BOOL, strict(lambda a: -5 <= a <= 12, "i32")),
        Expression("i32 NOT BETWEEN j32 AND 100", BOOL, of(lambda a, b: negated(both(None if None in (a, b) else a >= b, None if a is None else a <= 100)), "i32", "j32")),
        Expression("i32 IN (1, 7, j32)", BOOL, of(lambda a, b: within(a, [1, 7, b]), "i32", "j32")),
        Expression("i32 NOT IN (1, NULL, 12)", BOOL, of(lambda a: negated(within(a, [1, None, 12])), "i32")),
        Expression("i32 IN (NULL)", BOOL, of(lambda a: None, "i32")),
        Expression("i32 = NULL", BOOL, of(lambda a: None, "i32")),
        Expression("b AND c", BOOL, of(both, "b", "c")),
        Expression("b OR c", BOOL, of(either, "b", "c")),
        Expression("NOT b", BOOL, of(negated, "b")),
        Expression("NOT (b AND NOT c)", BOOL, of(lambda a, b: negated(both(a, negated(b))), "b", "c")),
        Expression("b = c", BOOL, strict(lambda a, b: a == b, "b", "c")),
        Expression("b > c", BOOL, strict(lambda a, b: a > b, "b", "c")),
        Expression("b IS TRUE", BOOL, of(lambda a: a is True, "b")),
        Expression("b IS NOT FALSE", BOOL, of(lambda a: a is not False, "b")),
        Expression("b IS NULL OR c", BOOL, of(lambda a, b: either(a is None, b), "b", "c")),
        Expression("(i32, j32) = (7, 2)", BOOL, of(lambda a, b: both(None if a is None else a == 7, None if b is None else b == 2), "i32", "j32")),
        Expression("(i32 > 0) = (j32 > 0)", BOOL, strict(lambda a, b: (a > 0) == (b > 0), "i32", "j32")),
    ],
)  # fmt: skip

CONDITIONS = Expressions(
    "conditional expressions",
    "numbers",
    [
        Expression("CASE WHEN i32 > 0 THEN 'p' WHEN i32 < 0 THEN 'n' END", TEXT, strict(lambda a: "p" if a > 0 else "n" if a < 0 else None, "i32")),
        Expression("CASE WHEN b THEN i32 ELSE j32 END", I32, of(lambda a, b, c: b if a else c, "b", "i32", "j32")),
        Expression("CASE i32 WHEN 7 THEN 1 WHEN NULL THEN 2 ELSE 3 END", I32, of(lambda a: 1 if a == 7 else 3, "i32")),
        Expression("CASE WHEN i32 IS NULL THEN 0 ELSE 1.5 END", pa.decimal128(11, 1), of(lambda a: Decimal("0.0") if a is None else Decimal("1.5"), "i32")),
        Expression("CASE WHEN j32 <> 0 THEN i32 // j32 ELSE 0 END", I32, of(lambda a, b: 0 if b is None else None if a is None else int(a / b), "i32", "j32")),
        Expression("if(b, 'yes', 'no')", TEXT, of(lambda a: "yes" if a else "no", "b")),
        Expression("coalesce(i32, j32, 0)", I32, of(lambda a, b: a if a is not None else b if b is not None else 0, "i32", "j32")),
        Expression("coalesce(i32, i64)", I64, of(lambda a, b: a if a is not None else b, "i32", "i64")),
        Expression("ifnull(x, y)", F64, of(lambda a, b: a if a is not None else b, "x", "y")),
        Expression("nullif(i32, j32)", I32, of(lambda a, b: None if a is None or a == b else a, "i32", "j32")),
        Expression("nullif(x, 0)", F64, of(lambda a: None if a is None or a == 0 else a, "x")),
        Expression("greatest(i32, NULL, 3)", I32, of(lambda a: 3 if a is None else max(a, 3), "i32")),
        Expression("TRY(i32 // (j32 - 2))", I32, strict(lambda a, b: None if b == 2 else int(a / (b - 2)), "i32", "j32")),
        Expression("TRY(ln(i8)::TINYINT)", I8, strict(lambda a: round(math.log(a)) if a > 0 else None, "i8")),
        Expression("b::INTEGER + c::INTEGER", I32, strict(lambda a, b: a + b, "b", "c")),
        Expression("CASE WHEN x > y THEN x ELSE y END", F64, of(lambda a, b: a if a is not None and b is not None and rank(a) > rank(b) else b, "x", "y")),
        Expression("CASE WHEN false THEN 1 // 0 ELSE i32 END", I32, of(lambda a: a, "i32")),
        Expression("count_if(b) OVER ()", pa.decimal128(38, 0), of(lambda: Decimal(5))),
    ],
)  # fmt: skip

_WHOLE = re.compile(r"[ \t]*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)[ \t]*", re.ASCII)


def whole(low: int, high: int) -> Callable[[str], int | None]:
    """What TRY_CAST makes of a text: rounded, halves away from zero; NULL where it is no number or too large."""

    def value(text: str) -> int | None:
        if re.fullmatch(r"\d[\d_]*\d", text):
            text = text.replace("_", "")
        found = _WHOLE.fullmatch(text)
        if re.fullmatch(r"0x[0-9A-Fa-f]+", text):
            return int(text, 16)
        if not found:
            return None
        made = int(exact_round(Decimal(found[1]), 0))
        return made if low <= made <= high else None

    return value


def real(text: str) -> float | None:
    """What TRY_CAST makes of a text as a float."""
    if re.fullmatch(r"\d[\d_]*\d", text):
        text = text.replace("_", "")
    try:
        return float(text) if text.strip() and "_" not in text else None
    except ValueError:
        return None


def decimal(text: str, precision: int, scale: int) -> Decimal | None:
    """What TRY_CAST makes of a text as a decimal."""
    if re.fullmatch(r"\d[\d_]*\d", text):
        text = text.replace("_", "")
    try:
        made = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not made.is_finite():
        return None
    made = exact_round(made, scale)
    return made if abs(made) < Decimal(10) ** (precision - scale) else None


def nearest(low: int, high: int) -> Callable[[float], int | None]:
    """What TRY_CAST makes of a float: rounded, halves to the even one."""

    def value(given: float) -> int | None:
        if not math.isfinite(given):
            return None
        made = round(given)
        return made if low <= made <= high else None

    return value


def shown(value: float) -> str:
    """A float as text: the shortest that reads back, with an exponent from 1e16 on."""
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return repr(value)


def truth(text: str) -> bool | None:
    """What TRY_CAST makes of a text as a boolean."""
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(text.lower())


CASTS = Expressions(
    "casts",
    "written",
    [
        Expression("TRY_CAST(s AS TINYINT)", I8, strict(whole(-128, 127), "s")),
        Expression("TRY_CAST(s AS INTEGER)", I32, strict(whole(-(2**31), 2**31 - 1), "s")),
        Expression("TRY_CAST(s AS BIGINT)", I64, strict(whole(-(2**63), 2**63 - 1), "s")),
        Expression("TRY_CAST(s AS DOUBLE)", F64, strict(real, "s")),
        Expression("TRY_CAST(s AS DECIMAL(6, 1))", pa.decimal128(6, 1), strict(lambda a: decimal(a, 6, 1), "s")),
        Expression("TRY_CAST(s AS BOOLEAN)", BOOL, strict(truth, "s")),
        Expression("TRY_CAST(x AS TINYINT)", I8, strict(nearest(-128, 127), "x")),
        Expression("TRY_CAST(x AS INTEGER)", I32, strict(nearest(-(2**31), 2**31 - 1), "x")),
        Expression("TRY_CAST(x AS BIGINT)", I64, strict(nearest(-(2**63), 2**63 - 1), "x")),
        Expression("TRY_CAST(x AS UTINYINT)", U8, strict(nearest(0, 255), "x")),
        Expression("x::VARCHAR", TEXT, strict(shown, "x")),
        Expression("x::BOOLEAN", BOOL, strict(bool, "x")),
        Expression("TRY_CAST(i AS TINYINT)", I8, strict(lambda a: a if -128 <= a <= 127 else None, "i")),
        Expression("TRY_CAST(i AS SMALLINT)", I16, strict(lambda a: a if -(2**15) <= a < 2**15 else None, "i")),
        Expression("TRY_CAST(i AS UBIGINT)", U64, strict(lambda a: a if a >= 0 else None, "i")),
        Expression("i::DOUBLE", F64, strict(float, "i")),
        Expression("i::VARCHAR", TEXT, strict(str, "i")),
        Expression("i::BOOLEAN", BOOL, strict(bool, "i")),
        Expression("i::VARCHAR::BIGINT", I64, strict(lambda a: a, "i")),
        Expression("i::HUGEINT", pa.decimal128(38, 0), strict(Decimal, "i")),
        Expression("TRY_CAST(i AS DECIMAL(5, 2))", pa.decimal128(5, 2), strict(lambda a: exact_round(Decimal(a), 2) if abs(a) < 1000 else None, "i")),
        Expression("d::BIGINT", I64, strict(lambda a: int(exact_round(a, 0)), "d")),
        Expression("TRY_CAST(d AS TINYINT)", I8, strict(lambda a: int(exact_round(a, 0)) if abs(exact_round(a, 0)) < 128 else None, "d")),
        Expression("d::DECIMAL(18, 1)", pa.decimal128(18, 1), strict(lambda a: exact_round(a, 1), "d")),
        Expression("d::VARCHAR", TEXT, strict(str, "d")),
        Expression("CAST(i AS BIGINT) IS NOT NULL", BOOL, of(lambda a: a is not None, "i")),
        Expression("CAST(NULL AS INTEGER)", I32, of(lambda: None)),
        Expression("typeof(d)", TEXT, of(lambda: "DECIMAL(18,3)")),
        Expression("typeof(i + 1)", TEXT, of(lambda: "BIGINT")),
    ],
    [
        Failure("s::INTEGER", 15, "cast"),
        Failure("s::TINYINT", 13, "cast"),
        Failure("s::DOUBLE", 1, "cast"),
        Failure("s::BOOLEAN", 13, "cast"),
        Failure("x::INTEGER", 8, "cast"),
        Failure("x::SMALLINT", 9, "cast"),
        Failure("i::INTEGER", 13, "cast"),
        Failure("i::UTINYINT", 3, "cast"),
        Failure("d::DECIMAL(4, 2)", 10, "cast"),
    ],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (COMPARISONS, CONDITIONS, CASTS)
