"""Constants of a text as values of exactly a column's type, where SQL compares the two as they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlglot import exp

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LARGEST_EXACT = 2**53


class Inexact(ValueError):
    """SQL would convert the constant or the column first, or it is no constant."""


def constant(node: exp.Expr, kind: Any, params: Mapping[str, object]) -> object:
    """The constant as a predicate's value for a column of an Arrow type; see `types.predicate`.

    Raises
    ------
    Inexact
        It is not one that is surely compared as it is.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    value = _held(node, params)
    types = pa.types
    if types.is_boolean(kind) and isinstance(value, bool):
        return value
    if isinstance(value, bool):
        raise Inexact(value)
    if types.is_integer(kind) and isinstance(value, int):
        bits = kind.bit_width
        low, high = (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if types.is_signed_integer(kind) else (0, 2**bits - 1)
        )
        if low <= value <= high:
            return value
    elif types.is_float64(kind):
        return _double(value)
    elif types.is_decimal(kind) and isinstance(value, int | Decimal):
        return _decimal(Decimal(value), kind)
    elif (types.is_string(kind) or types.is_large_string(kind)) and isinstance(value, str):
        return _unicode(value)
    elif types.is_date32(kind):
        return _date(value)
    elif types.is_timestamp(kind) and kind.unit == "us":
        return _instant(value) if kind.tz is not None else _moment(value)
    raise Inexact(value)


def _held(node: exp.Expr, params: Mapping[str, object]) -> object:
    match node:
        case exp.Paren():
            return _held(node.this, params)
        case exp.Placeholder() | exp.Parameter():
            name = node.name or (node.this.name if isinstance(node.this, exp.Expr) else "")
            if name not in params:
                raise Inexact(name)
            return params[name]
        case exp.Literal():
            return node.name if node.is_string else _number(node.name)
        case exp.Boolean():
            return bool(node.this)
        case exp.Neg():
            value = _held(node.this, params)
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return -value
        case exp.Cast() if isinstance(node.this, exp.Literal) and node.this.is_string:
            kind = node.to.sql("duckdb").upper()
            if kind == "DATE":
                return _date(node.this.name)
            if kind == "TIMESTAMP":
                return _moment(node.this.name)
        case _:
            pass
    raise Inexact(node)


def _number(text: str) -> int | Decimal:
    if text.isascii() and text.isdecimal():
        return int(text)
    if re.fullmatch(r"\d*\.\d+|\d+\.", text):
        return Decimal(text)
    raise Inexact(text)


def _double(value: object) -> float:
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_EXACT:
        return float(value)
    # A decimal's digits and the power of ten are both exact, so the engine's division rounds as Python's reading does.
    if (
        isinstance(value, Decimal)
        and len(value.as_tuple().digits) <= 15
        and -int(value.as_tuple().exponent) <= 22
    ):
        return float(value)
    raise Inexact(value)


def _decimal(value: Decimal, kind: Any) -> Decimal:
    if not value.is_finite():
        raise Inexact(value)
    digits = len(value.as_tuple().digits) + int(value.as_tuple().exponent)
    if -int(value.as_tuple().exponent) > kind.scale or digits + kind.scale > kind.precision:
        raise Inexact(value)
    return value


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Inexact(value) from error
    return value


def _date(value: object) -> dt.date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError as error:
            raise Inexact(value) from error
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise Inexact(value)


def _moment(value: object) -> dt.datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise Inexact(value) from error
    if type(value) is dt.datetime and value.tzinfo is None:
        return value
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    raise Inexact(value)


def _instant(value: object) -> int:
    if type(value) is dt.datetime and value.tzinfo is not None:
        return (value - _EPOCH) // dt.timedelta(microseconds=1)
    raise Inexact(value)
