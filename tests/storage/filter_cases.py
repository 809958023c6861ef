"""Columns, constants and predicates for the filter tests, with a plain-Python reading of SQL's logic over single rows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate

EPOCH = dt.datetime(1970, 1, 1)
PREFIX = "p" * 70


@dataclass(frozen=True)
class Kind:
    """A column's Arrow type, its values, the SQL type of constants and how a constant is given."""

    type: pa.DataType
    sql: str
    values: st.SearchStrategy[Any]
    constants: st.SearchStrategy[Any]
    key: Callable[[Any], Any]


def _number(value: Any) -> Any:
    """Floats in SQL's order: NaN above all and equal to itself."""
    return (1, 0.0) if math.isnan(value) else (0, value)


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _micros(value: Any) -> int:
    """Times, dates and timestamps as microseconds; a constant with a zone is microseconds already."""
    if isinstance(value, dt.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond
    if isinstance(value, dt.datetime):
        naive = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        return (naive - EPOCH) // dt.timedelta(microseconds=1)
    return value


TEXTS = st.one_of(
    st.sampled_from(["", "a", "a\0", "a\0\0", "\0", "b", "é", "😀", "\uffff", PREFIX, PREFIX + "a", PREFIX + "z", PREFIX[:64], PREFIX[:63]]),
    st.sampled_from(["\U0010ffff" * 20, "\U0010ffff" * 16, "\u00ff" * 40, "ÿ" * 32 + "a"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)  # fmt: skip
BLOBS = st.one_of(
    st.sampled_from([b"", b"a", b"a\0", b"\xff" * 64, b"\xff" * 70, b"\xff" * 63 + b"a" * 9, b"q" * 64, b"q" * 64 + b"\0"]),
    st.binary(max_size=3),
)  # fmt: skip
FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, -1.5]), st.floats(width=32)
)


def _moments(step: int) -> st.SearchStrategy[dt.datetime]:
    return st.integers(-50, 50).map(lambda n: EPOCH + dt.timedelta(microseconds=n * step))


def _integers(kind: pa.DataType, sql: str, low: int, high: int) -> Kind:
    values = st.one_of(st.integers(-20, 20).filter(lambda n: n >= low), st.sampled_from([low, high]))
    return Kind(kind, sql, values, values, _same)


def _decimals(precision: int, scale: int, make: Callable[..., pa.DataType]) -> Kind:
    top = 10**precision - 1
    values = st.one_of(st.integers(-9, 9), st.sampled_from([-top, top, top // 3])).map(
        lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale))
    )
    return Kind(make(precision, scale), f"DECIMAL({precision},{scale})", values, values, _same)


def _zoned(unit: str, step: int) -> Kind:
    values = _moments(step).map(lambda moment: moment.replace(tzinfo=dt.UTC))
    constants = st.integers(-50, 50).map(lambda n: n * step // 2)
    return Kind(pa.timestamp(unit, "Europe/Oslo"), "TIMESTAMP WITH TIME ZONE", values, constants, _micros)


def _times(kind: pa.DataType, step: int) -> Kind:
    def time(n: int) -> dt.time:
        return (EPOCH + dt.timedelta(microseconds=n)).time()

    values = st.integers(0, 40).map(lambda n: time(n * step))
    constants = st.integers(0, 80).map(lambda n: time(n * step // 2))
    return Kind(kind, "TIME", values, constants, _micros)


_DAYS = st.integers(-20, 20).map(lambda n: dt.date(1970, 1, 1) + dt.timedelta(days=n))

KINDS: dict[str, Kind] = {
    "i8": _integers(pa.int8(), "TINYINT", -128, 127),
    "i32": _integers(pa.int32(), "INTEGER", -(2**31), 2**31 - 1),
    "i64": _integers(pa.int64(), "BIGINT", -(2**63), 2**63 - 1),
    "u16": _integers(pa.uint16(), "USMALLINT", 0, 65_535),
    "u64": _integers(pa.uint64(), "UBIGINT", 0, 2**64 - 1),
    "f32": Kind(pa.float32(), "FLOAT", FLOATS, FLOATS, _number),
    "f64": Kind(pa.float64(), "DOUBLE", FLOATS, FLOATS, _number),
    "bool": Kind(pa.bool_(), "BOOLEAN", st.booleans(), st.booleans(), _same),
    "text": Kind(pa.string(), "VARCHAR", TEXTS, TEXTS, _text),
    "large": Kind(pa.large_string(), "VARCHAR", TEXTS, TEXTS, _text),
    "view": Kind(pa.string_view(), "VARCHAR", TEXTS, TEXTS, _text),
    "coded": Kind(pa.dictionary(pa.int16(), pa.string()), "VARCHAR", TEXTS, TEXTS, _text),
    "blob": Kind(pa.binary(), "BLOB", BLOBS, BLOBS, _text),
    "fixed": Kind(pa.binary(2), "BLOB", st.sampled_from([b"ab", b"a\0", b"\xff\xff", b"zz"]), BLOBS, _text),
    "day": Kind(pa.date32(), "DATE", _DAYS, _DAYS, _same),
    "at_s": Kind(pa.timestamp("s"), "TIMESTAMP_S", _moments(10**6), _moments(10**6), _micros),
    "at_ms": Kind(pa.timestamp("ms"), "TIMESTAMP_MS", _moments(1000), _moments(1000), _micros),
    "at_us": Kind(pa.timestamp("us"), "TIMESTAMP", _moments(1), _moments(1), _micros),
    "zone_s": _zoned("s", 10**6),
    "zone_ms": _zoned("ms", 1000),
    "zone_us": _zoned("us", 1),
    "time_s": _times(pa.time32("s"), 10**6),
    "time_ms": _times(pa.time32("ms"), 1000),
    "time_us": _times(pa.time64("us"), 1),
    "d32": _decimals(5, 2, pa.decimal32),
    "d128_9": _decimals(9, 0, pa.decimal128),
    "d128_18": _decimals(18, 4, pa.decimal128),
    "d128_38": _decimals(38, 10, pa.decimal128),
}


def _near(kind: Kind, value: Any) -> list[Any]:
    """A value as a constant; for units that may be coarser than the constant's, also a microsecond beside it."""
    if kind.sql == "TIMESTAMP WITH TIME ZONE":
        return [_micros(value), _micros(value) + 1]
    if kind.sql == "TIME":
        return [value, value.replace(microsecond=value.microsecond + 1)]
    return [value]


def predicates(held: Mapping[str, list[Any]]) -> st.SearchStrategy[Predicate]:
    """Trees over the columns, which hold these values; each column's name is that of its kind."""

    def leaf(name: str) -> st.SearchStrategy[Predicate]:
        kind = KINDS[name]
        # Most constants are values of the column: where bounds and values meet is where mistakes show.
        known = [near for item in held[name] if item is not None for near in _near(kind, item)]
        constants = (
            st.one_of(st.sampled_from(known), st.sampled_from(known), kind.constants)
            if known
            else kind.constants
        )
        operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
        return st.one_of(
            st.builds(Comparison, st.just(name), operators, constants, st.just(kind.sql)),
            st.builds(
                In,
                st.just(name),
                st.lists(constants, min_size=1, max_size=5).map(tuple),
                st.just(kind.sql),
            ),
            st.builds(IsNull, st.just(name), st.booleans()),
        )

    def grown(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        return st.one_of(st.builds(And, inner, inner), st.builds(Or, inner, inner), st.builds(Not, inner))

    return st.recursive(st.sampled_from(sorted(held)).flatmap(leaf), grown, max_leaves=4)


def truth(predicate: Predicate, row: Mapping[str, Any]) -> bool | None:
    """TRUE, FALSE or NULL for one row."""
    if isinstance(predicate, And):
        sides = {truth(predicate.left, row), truth(predicate.right, row)}
        return False if False in sides else None if None in sides else True
    if isinstance(predicate, Or):
        sides = {truth(predicate.left, row), truth(predicate.right, row)}
        return True if True in sides else None if None in sides else False
    if isinstance(predicate, Not):
        inner = truth(predicate.operand, row)
        return None if inner is None else not inner
    value = row[predicate.column]
    if isinstance(predicate, IsNull):
        return (value is None) is not predicate.negated
    if value is None:
        return None
    key = KINDS[predicate.column].key
    held = key(value)
    if isinstance(predicate, In):
        return any(held == key(item) for item in predicate.values)
    other = key(predicate.value)
    outcome = {
        "=": held == other, "!=": held != other, "<": held < other,
        "<=": held <= other, ">": held > other, ">=": held >= other,
    }  # fmt: skip
    return outcome[predicate.op]
