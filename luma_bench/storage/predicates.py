"""A predicate in a table's own terms: constants in the zone domain, coarse units resolved, unknown nodes refused.

What comes out is what the filter applies and what zone maps are tested with, so that both read one constant one way.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage.columns import is_text, is_unicode
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Operator, Or, Predicate

_INTEGERS = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
}  # fmt: skip
_NAIVE = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP"}
_STEP = {"s": 1_000_000, "ms": 1_000, "us": 1}
_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_LONGEST_FLOAT_LIST = 16


class Untranslatable(Exception):
    """The predicate, or a constant of it, cannot be applied exactly here."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`column op value` with the value in the column's zone domain."""

    column: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Member:
    """`column IN values`, in the zone domain; never of floats, which compare one by one."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """`truth` for every row where the column is not NULL, and NULL for the rest."""

    column: str
    truth: bool


@dataclass(frozen=True, slots=True)
class Null:
    """`column IS NULL`, or IS NOT NULL when negated."""

    column: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Both:
    """Kleene AND."""

    left: Test
    right: Test


@dataclass(frozen=True, slots=True)
class Either:
    """Kleene OR."""

    left: Test
    right: Test


@dataclass(frozen=True, slots=True)
class Negated:
    """NOT."""

    operand: Test


Test = Compare | Member | Known | Null | Both | Either | Negated


def translate(predicate: Predicate, types: Mapping[str, pa.DataType]) -> Test:
    """The test that a predicate is over columns of these stream types.

    Raises
    ------
    Untranslatable
        A node, type or constant whose exact meaning in SQL this room cannot promise.
    """
    match predicate:
        case And(left, right):
            return Both(translate(left, types), translate(right, types))
        case Or(left, right):
            return Either(translate(left, types), translate(right, types))
        case Not(operand):
            return Negated(translate(operand, types))
        case IsNull(column, negated):
            if column not in types:
                raise Untranslatable(column)
            return Null(column, negated)
        case Comparison(column, op, value, kind):
            return _comparison(column, op, value, kind, types)
        case In(column, values, kind) if values:
            return _membership(column, values, kind, types)
        case _:
            raise Untranslatable(predicate)


def columns_in(test: Test) -> set[str]:
    """The columns a test reads."""
    match test:
        case Both(left, right) | Either(left, right):
            return columns_in(left) | columns_in(right)
        case Negated(operand):
            return columns_in(operand)
        case _:
            return {test.column}


def _value_type(column: str, types: Mapping[str, pa.DataType]) -> pa.DataType:
    kind = types.get(column)
    if kind is None or isinstance(kind, pa.BaseExtensionType):
        raise Untranslatable(column)
    value_type: pa.DataType = kind.value_type if pa.types.is_dictionary(kind) else kind
    return value_type


def _comparison(
    column: str, op: Operator, value: object, sql_type: str, types: Mapping[str, pa.DataType]
) -> Test:
    kind = _value_type(column, types)
    held, exact = _constant(value, sql_type, kind)
    if exact:
        return Compare(column, op, held)
    # The constant lies between two values of a coarser unit: `held` and the next.
    match op:
        case "=" | "!=":
            return Known(column, op == "!=")
        case "<" | "<=":
            return Compare(column, "<=", held)
        case _:
            return Compare(column, ">", held)


def _membership(
    column: str, values: tuple[object, ...], sql_type: str, types: Mapping[str, pa.DataType]
) -> Test:
    kind = _value_type(column, types)
    held = [value for value, exact in (_constant(item, sql_type, kind) for item in values) if exact]
    if not held:
        return Known(column, False)
    if not pa.types.is_floating(kind):
        return Member(column, tuple(held))
    # Arrow's membership kernel tells -0.0 from 0.0 and NaN from NaN by their bits.
    if len(held) > _LONGEST_FLOAT_LIST:
        raise Untranslatable("a long list of floats")
    test: Test = Compare(column, "=", held[0])
    for value in held[1:]:
        test = Either(test, Compare(column, "=", value))
    return test


def _constant(value: object, sql_type: str, kind: pa.DataType) -> tuple[Any, bool]:
    """The constant in the zone domain, and whether it is a value of the column's type; else it is the one just below."""
    types = pa.types
    if types.is_boolean(kind) and sql_type == "BOOLEAN" and isinstance(value, bool):
        return int(value), True
    if (
        types.is_integer(kind)
        and sql_type == _INTEGERS[str(kind)]
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
        limits = np.iinfo(kind.to_pandas_dtype())
        if limits.min <= value <= limits.max:
            return value, True
    elif types.is_float64(kind) and sql_type == "DOUBLE" and isinstance(value, float):
        return value, True
    elif types.is_float32(kind) and sql_type == "FLOAT" and isinstance(value, float):
        with np.errstate(over="ignore"):
            same = float(np.float32(value)) == value or value != value
        if same:
            return value, True
    elif types.is_decimal(kind) and isinstance(value, Decimal):
        return _decimal(value, sql_type, kind), True
    elif is_text(kind) and is_unicode(kind) and sql_type == "VARCHAR" and isinstance(value, str):
        try:
            return value.encode(), True
        except UnicodeEncodeError as error:
            raise Untranslatable(value) from error
    elif (
        (is_text(kind) or types.is_fixed_size_binary(kind))
        and sql_type == "BLOB"
        and isinstance(value, bytes | bytearray | memoryview)
    ):
        return bytes(value), True
    elif (
        types.is_date32(kind)
        and sql_type == "DATE"
        and isinstance(value, dt.date)
        and not isinstance(value, dt.datetime)
    ):
        return value.toordinal() - _EPOCH.toordinal(), True
    elif (microseconds := _microseconds(value, sql_type, kind)) is not None:
        held, rest = divmod(microseconds, _STEP[kind.unit])
        return held, rest == 0
    raise Untranslatable(value)


def _microseconds(value: object, sql_type: str, kind: pa.DataType) -> int | None:
    """The microseconds of a time or timestamp constant; None for another type, and for columns finer than that."""
    types = pa.types
    if (
        types.is_time(kind)
        and kind.unit in _STEP
        and sql_type == "TIME"
        and isinstance(value, dt.time)
        and value.tzinfo is None
    ):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    if not types.is_timestamp(kind) or kind.unit not in _STEP:
        return None
    if kind.tz is not None:
        whole = (
            sql_type == "TIMESTAMP WITH TIME ZONE" and isinstance(value, int) and not isinstance(value, bool)
        )
        return value if whole and isinstance(value, int) else None
    if sql_type == _NAIVE[kind.unit] and isinstance(value, dt.datetime) and value.tzinfo is None:
        return (value - _EPOCH) // _MICROSECOND
    return None


def _decimal(value: Decimal, sql_type: str, kind: pa.DataType) -> int:
    """A decimal constant as a count of the column's last place."""
    shape = _DECIMAL.fullmatch(sql_type)
    if (
        shape is None
        or (int(shape[1]), int(shape[2])) != (kind.precision, kind.scale)
        or not value.is_finite()
    ):
        raise Untranslatable(value)
    sign, digits, exponent = value.as_tuple()
    count = int("".join(map(str, digits)))
    shift = int(exponent) + kind.scale
    if shift < 0:
        count, rest = divmod(count, 10**-shift)
        if rest:
            raise Untranslatable(value)
    else:
        count *= 10**shift
    if len(str(count)) > kind.precision:
        raise Untranslatable(value)
    return -count if sign else count
