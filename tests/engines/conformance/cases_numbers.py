"""Whole numbers, floats and decimals: arithmetic, rounding, overflow."""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pyarrow as pa
from conformance_cases import LIBM, Expression, Expressions, Failure, of, strict

I8, I32, I64, U64, F64, BOOL, TEXT = (
    pa.int8(),
    pa.int32(),
    pa.int64(),
    pa.uint64(),
    pa.float64(),
    pa.bool_(),
    pa.string(),
)
HUGE = pa.decimal128(38, 0)


def truncated(a: int, b: int) -> int:
    """Division toward zero."""
    return int(Fraction(a, b))


def remainder(a: int, b: int) -> int:
    """What division toward zero leaves: it has the sign of the dividend."""
    return a - b * truncated(a, b)


def ieee(a: float, b: float) -> float:
    """Division by IEEE 754: by zero gives an infinity, zero by zero NaN."""
    if b != 0 or math.isnan(b):
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def single(value: float) -> float | None:
    """The nearest 32-bit float; none where it is larger than any."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None


def away(value: float, digits: int = 0) -> float:
    """Rounding of halves away from zero, of the float's own binary value."""
    if not math.isfinite(value) or value == 0:
        return value
    if abs(value) >= 2.0**52:
        return value
    scaled = Fraction(value) * 10**digits
    whole = math.floor(abs(scaled) + Fraction(1, 2))
    return math.copysign(float(Fraction(whole, 10**digits)), value)


def exact_round(value: Decimal, digits: int) -> Decimal:
    """Rounding of halves away from zero, of a decimal."""
    with localcontext() as context:
        context.prec = 60
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def scaled(value: Any, digits: int) -> Decimal:
    """The same number with a decimal's scale."""
    with localcontext() as context:
        context.prec = 60
        return Decimal(value).quantize(Decimal(1).scaleb(-digits))


def wide(function: Any, digits: int) -> Any:
    """A function of decimals computed with room for every digit, at a scale."""

    def value(*given: Any) -> Decimal:
        with localcontext() as context:
            context.prec = 80
            return scaled(function(*(Decimal(item) for item in given)), digits)

    return value


def greatest(*given: float | None) -> float | None:
    """The largest by SQL's order: NULLs do not count, NaN is above everything."""
    there = [item for item in given if item is not None]
    return max(there, key=lambda item: (math.isnan(item), item)) if there else None


def least(*given: float | None) -> float | None:
    """The smallest by SQL's order."""
    there = [item for item in given if item is not None]
    return min(there, key=lambda item: (math.isnan(item), item)) if there else None


def capped(value: float | None) -> float:
    """`least(value, 3)`, which NULL does not count in."""
    return 3.0 if value is None or not value <= 3 else value


ARITHMETIC = Expressions(
    "arithmetic of whole numbers",
    "numbers",
    [
        Expression("i32 + 7", I32, strict(lambda a: a + 7, "i32")),
        Expression("i32 + i64 // 4", I64, strict(lambda a, b: a + truncated(b, 4), "i32", "i64")),
        Expression("i64 - i32", I64, strict(lambda a, b: b - a, "i32", "i64")),
        Expression("i32 * 46340", I32, strict(lambda a: a * 46340, "i32")),
        Expression("i8::INTEGER * i32", I32, strict(lambda a, b: a * b, "i8", "i32")),
        Expression("-i32", I32, strict(lambda a: -a, "i32")),
        Expression("+i8", I8, strict(lambda a: a, "i8")),
        Expression("abs(i64)", I64, strict(abs, "i64")),
        Expression("sign(i32)", I8, strict(lambda a: (a > 0) - (a < 0), "i32")),
        Expression("i32 // 3", I32, strict(lambda a: truncated(a, 3), "i32")),
        Expression("i32 % 7", I32, strict(lambda a: remainder(a, 7), "i32")),
        Expression("i64 % 1000", I64, strict(lambda a: remainder(a, 1000), "i64")),
        Expression("mod(i32, j32)", I32, strict(remainder, "i32", "j32")),
        Expression("i32 / 7", F64, strict(lambda a: a / 7, "i32")),
        Expression("i32 / 0", F64, strict(lambda a: ieee(a, 0.0), "i32")),
        Expression("i64 / 3", F64, strict(lambda a: float(a) / 3, "i64")),
        Expression("i64 + 1 > i64", BOOL, strict(lambda a: True, "i64")),
        Expression("u64 % 10", U64, strict(lambda a: a % 10, "u64")),
        Expression("u64 // 3", U64, strict(lambda a: a // 3, "u64")),
        Expression("u64::DOUBLE", F64, strict(float, "u64")),
        Expression("i64::HUGEINT * 4", HUGE, strict(lambda a: Decimal(a * 4), "i64")),
        Expression("u64::HUGEINT + i64", HUGE, strict(lambda a, b: Decimal(a + b), "u64", "i64")),
        Expression("i32 & 12", I32, strict(lambda a: a & 12, "i32")),
        Expression("i32 | 3", I32, strict(lambda a: a | 3, "i32")),
        Expression("xor(i32, 5)", I32, strict(lambda a: a ^ 5, "i32")),
        Expression("~i32", I32, strict(lambda a: ~a, "i32")),
        Expression("abs(i32)::BIGINT << 5", I64, strict(lambda a: abs(a) << 5, "i32")),
        Expression("i64 >> 3", I64, strict(lambda a: a >> 3, "i64")),
        Expression("bit_count(abs(i32))", I8, strict(lambda a: abs(a).bit_count(), "i32")),
        Expression("gcd(i32, j32)", I64, strict(math.gcd, "i32", "j32")),
        Expression("lcm(i32, j32)", I64, strict(math.lcm, "i32", "j32")),
        Expression("factorial(abs(i32) % 20)", HUGE, strict(lambda a: Decimal(math.factorial(abs(a) % 20)), "i32")),
        Expression("greatest(i32, j32)", I32, of(greatest, "i32", "j32")),
        Expression("least(i32, j32, 4)", I32, of(lambda a, b: least(a, b, 4), "i32", "j32")),
        Expression("greatest(i64, i32)", I64, of(greatest, "i64", "i32")),
        Expression("even(i32)", F64, strict(lambda a: float(a + (a % 2) * (1 if a > 0 else -1)), "i32")),
        Expression("i32 ** 2", F64, strict(lambda a: float(a) ** 2, "i32")),
        Expression("divide(i32, 5)", I32, strict(lambda a: truncated(a, 5), "i32")),
    ],
    [
        Failure("i64 * 4", 5, "verflow"),
        Failure("i64 - 9223372036854775807", 6, "verflow"),
        Failure("i8 + 1::TINYINT", 4, "verflow"),
        Failure("i8 * 2::TINYINT", 5, "verflow"),
        Failure("-(i8 - 1::TINYINT)", 5, "verflow"),
        Failure("abs((-128)::TINYINT - (i8 - i8))", 2, "verflow"),
        Failure("u64 + 1::UBIGINT", 2, "verflow"),
        Failure("i32 % 0", 4, "zero"),
        Failure("i32 // 0", 4, "zero"),
        Failure("(i64 * 1000)::INTEGER", 10, "range"),
    ],
)  # fmt: skip

FLOATS = Expressions(
    "arithmetic of floats",
    "numbers",
    [
        Expression("x + y", F64, strict(lambda a, b: a + b, "x", "y")),
        Expression("x - y", F64, strict(lambda a, b: a - b, "x", "y")),
        Expression("x * y", F64, strict(lambda a, b: a * b, "x", "y")),
        Expression("x / y", F64, strict(ieee, "x", "y")),
        Expression("-x", F64, strict(lambda a: -a, "x")),
        Expression("abs(x)", F64, strict(abs, "x")),
        Expression("sign(x)", I8, strict(lambda a: 0 if math.isnan(a) else (a > 0) - (a < 0), "x")),
        Expression("x * 0", F64, strict(lambda a: a * 0, "x")),
        Expression("0.0::DOUBLE - x", F64, strict(lambda a: 0.0 - a, "x")),
        Expression("floor(x)", F64, strict(lambda a: float(math.floor(a)) if math.isfinite(a) and a else a, "x")),
        Expression("ceil(x)", F64, strict(lambda a: math.copysign(float(math.ceil(a)), a) if math.isfinite(a) else a, "x")),
        Expression("trunc(x)", F64, strict(lambda a: math.copysign(float(math.trunc(a)), a) if math.isfinite(a) else a, "x")),
        Expression("round(x)", F64, strict(away, "x")),
        Expression("round(y, 1)", F64, strict(lambda a: away(a, 1) if abs(a) < 1e15 else a, "y")),
        Expression("isnan(x)", BOOL, strict(math.isnan, "x")),
        Expression("isinf(x)", BOOL, strict(math.isinf, "x")),
        Expression("isfinite(x)", BOOL, strict(math.isfinite, "x")),
        Expression("signbit(x)", BOOL, strict(lambda a: math.copysign(1, a) < 0, "x")),
        Expression("sqrt(abs(x))", F64, strict(lambda a: math.sqrt(abs(a)), "x")),
        Expression("sqrt(y)", F64, strict(lambda a: math.sqrt(a) if a >= 0 else math.nan if a else a, "y")),
        Expression("ln(y)", F64, strict(lambda a: math.nan if a < 0 or math.isnan(a) else math.log(a) if a else -math.inf, "y"), LIBM),
        Expression("cbrt(y)", F64, strict(math.cbrt, "y"), LIBM),
        Expression("exp(least(y, 3))", F64, of(lambda a: math.exp(capped(a)), "y"), LIBM),
        Expression("ln(abs(y) + 1)", F64, strict(lambda a: math.log(abs(a) + 1), "y"), LIBM),
        Expression("log10(abs(y) + 1)", F64, strict(lambda a: math.log10(abs(a) + 1), "y"), LIBM),
        Expression("log2(abs(y) + 1)", F64, strict(lambda a: math.log2(abs(a) + 1), "y"), LIBM),
        Expression("pow(abs(y), 0.5)", F64, strict(lambda a: abs(a) ** 0.5, "y"), LIBM),
        Expression("sin(least(y, 3))", F64, of(lambda a: math.sin(capped(a)), "y"), LIBM),
        Expression("atan2(y, 2)", F64, strict(lambda a: math.atan2(a, 2), "y"), LIBM),
        Expression("degrees(y)", F64, strict(math.degrees, "y"), LIBM),
        Expression("pi() * y", F64, strict(lambda a: math.pi * a, "y")),
        Expression("greatest(x, y)", F64, of(greatest, "x", "y")),
        Expression("least(x, y)", F64, of(least, "x", "y")),
        Expression("nextafter(y, 1e308)", F64, strict(lambda a: math.nextafter(a, 1e308), "y")),
        Expression("fmod(abs(y), 3)", F64, strict(lambda a: math.fmod(abs(a), 3), "y")),
        Expression("TRY_CAST(x AS FLOAT)", pa.float32(), strict(single, "x")),
        Expression("x + i32", F64, strict(lambda a, b: a + b, "x", "i32")),
        Expression("x + i64", F64, strict(lambda a, b: a + float(b), "x", "i64")),
    ],
)  # fmt: skip

_D, _E = pa.decimal128(18, 4), pa.decimal128(9, 2)
DECIMAL = Expressions(
    "decimals",
    "decimals",
    [
        Expression("d + 1", pa.decimal128(19, 4), strict(wide(lambda a: a + 1, 4), "d")),
        Expression("e + e", pa.decimal128(10, 2), strict(wide(lambda a: a + a, 2), "e")),
        Expression("d - e", pa.decimal128(19, 4), strict(wide(lambda a, b: a - b, 4), "d", "e")),
        Expression("e * e", pa.decimal128(18, 4), strict(wide(lambda a: a * a, 4), "e")),
        Expression("e * n", pa.decimal128(18, 2), strict(wide(lambda a, b: a * b, 2), "e", "n")),
        Expression("e / 3", F64, strict(lambda a: float(a) / 3, "e")),
        Expression("d / e", F64, strict(lambda a, b: ieee(float(a), float(b)), "d", "e")),
        Expression("e % 2", pa.decimal128(12, 2), strict(wide(lambda a: a - 2 * int(a / 2), 2), "e")),
        Expression("-d", _D, strict(wide(lambda a: -a, 4), "d")),
        Expression("abs(d)", _D, strict(wide(abs, 4), "d")),
        Expression("sign(d)", I8, strict(lambda a: (a > 0) - (a < 0), "d")),
        Expression("floor(d)", pa.decimal128(18, 0), strict(wide(lambda a: math.floor(a), 0), "d")),
        Expression("ceil(d)", pa.decimal128(18, 0), strict(wide(lambda a: math.ceil(a), 0), "d")),
        Expression("trunc(d)", pa.decimal128(18, 0), strict(wide(lambda a: math.trunc(a), 0), "d")),
        Expression("round(d)", pa.decimal128(18, 0), strict(lambda a: exact_round(a, 0), "d")),
        Expression("round(d, 2)", pa.decimal128(18, 2), strict(lambda a: exact_round(a, 2), "d")),
        Expression("round(e, 1)", pa.decimal128(9, 1), strict(lambda a: exact_round(a, 1), "e")),
        Expression("d::DECIMAL(18, 1)", pa.decimal128(18, 1), strict(lambda a: exact_round(a, 1), "d")),
        Expression("d::DECIMAL(30, 8)", pa.decimal128(30, 8), strict(lambda a: scaled(a, 8), "d")),
        Expression("TRY_CAST(d AS DECIMAL(5, 2))", pa.decimal128(5, 2), strict(lambda a: exact_round(a, 2) if abs(exact_round(a, 2)) < 1000 else None, "d")),
        Expression("d::BIGINT", I64, strict(lambda a: int(exact_round(a, 0)), "d")),
        Expression("d::DOUBLE", F64, strict(float, "d"), LIBM),
        Expression("d::VARCHAR", TEXT, strict(str, "d")),
        Expression("d = e", BOOL, strict(lambda a, b: a == b, "d", "e")),
        Expression("d < 1", BOOL, strict(lambda a: a < 1, "d")),
        Expression("d > 0.5::DOUBLE", BOOL, strict(lambda a: float(a) > 0.5, "d")),
        Expression("e IN (1, 2.5, 0.05)", BOOL, strict(lambda a: a in (Decimal(1), Decimal("2.5"), Decimal("0.05")), "e")),
        Expression("greatest(d, e)", pa.decimal128(18, 4), of(lambda a, b: None if a is None and b is None else scaled(max(v for v in (a, b) if v is not None), 4), "d", "e")),
        Expression("h + 1", HUGE, strict(wide(lambda a: a + 1, 0), "h")),
        Expression("h::VARCHAR", TEXT, strict(str, "h")),
        Expression("h = 18446744073709551616", BOOL, strict(lambda a: a == 2**64, "h")),
        Expression("TRY_CAST(h AS BIGINT)", I64, strict(lambda a: int(a) if -(2**63) <= a < 2**63 else None, "h")),
        Expression("(e * 100)::INTEGER", I32, strict(lambda a: int(a * 100), "e")),
        Expression("coalesce(d, e, 0)", pa.decimal128(18, 4), of(lambda a, b: scaled(a if a is not None else b if b is not None else 0, 4), "d", "e")),
    ],
    [
        Failure("d * 10000000", 12, "verflow"),
        Failure("h * 100", 6, "verflow"),
        Failure("e::DECIMAL(5, 2)", 8, "cast"),
        Failure("e::TINYINT", 8, "cast"),
        Failure("e % (n - n)", 1, "zero"),
    ],
)  # fmt: skip

FAMILIES = (ARITHMETIC, FLOATS, DECIMAL)
