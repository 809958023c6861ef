"""Constants of a text as values of a table's columns, where every engine would say the same; else the engine says it."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from luma_bench.language.literals import Constant
from luma_bench.types.schema import Column

_WHOLE = re.compile(r"-?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?")
_EXACT_DIGITS = 15
"""As many digits make the same DOUBLE however they are converted."""
_LARGE = 10**18
_NO_VALUE = object()


def constant_table(
    rows: Sequence[Sequence[Constant]], columns: Sequence[Column], params: Mapping[str, object]
) -> pa.Table | None:
    """Rows of constants in the types of columns; None where a value or a type is anything but plain.

    Whatever could be wrong, rounded or read in several ways gives None, so that the engine decides it, and tells it.
    """
    if any(len(row) != len(columns) for row in rows):
        return None
    arrays: list[pa.Array] = []
    for place, column in enumerate(columns):
        convert = None if column.metadata else _converter(column.type)
        if convert is None:
            return None
        values: list[Any] = []
        for row in rows:
            value = _value(row[place], params, convert)
            if value is _NO_VALUE:
                return None
            values.append(value)
        try:
            arrays.append(pa.array(values, column.type))
        except (pa.ArrowInvalid, OverflowError):
            return None
    return pa.table(arrays, names=[column.name for column in columns])


def _value(constant: Constant, params: Mapping[str, object], convert: Callable[[Constant], Any]) -> Any:
    if constant.kind == "parameter":
        given = _given(params.get(constant.text, _NO_VALUE))
        if given is None:
            return _NO_VALUE
        constant = given
    return None if constant.kind == "null" else convert(constant)


def _given(value: object) -> Constant | None:
    """A parameter's value as the constant that it stands for."""
    kind = type(value)
    if value is None:
        return Constant("null")
    if kind is bool:
        return Constant("truth", "TRUE" if value else "FALSE")
    if isinstance(value, int) and kind is int:
        return Constant("number", str(value)) if abs(value) < _LARGE else None
    if isinstance(value, float) and kind is float:
        return Constant("double", repr(value)) if math.isfinite(value) else None
    if isinstance(value, str) and kind is str and "\0" not in value:
        return Constant("text", value)
    return None


def _converter(kind: pa.DataType) -> Callable[[Constant], Any] | None:
    """What makes values of an Arrow type of constants, `_NO_VALUE` where only the engine may; None for other types."""
    if pa.types.is_integer(kind):
        return _whole
    if pa.types.is_float64(kind):
        return _double
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text
    if pa.types.is_boolean(kind):
        return _truth
    if pa.types.is_decimal128(kind):
        return lambda constant: _decimal(constant, kind.precision, kind.scale)
    if pa.types.is_date32(kind):
        return _date
    if pa.types.is_timestamp(kind) and kind.tz is None and kind.unit == "us":
        return _timestamp
    return None


def _whole(constant: Constant) -> Any:
    if constant.kind != "number" or not _WHOLE.fullmatch(constant.text):
        return _NO_VALUE
    return int(constant.text)


def _double(constant: Constant) -> Any:
    if constant.kind == "double":
        return float(constant.text)
    whole, _, part = constant.text.partition(".")
    if constant.kind != "number" or len(whole) + len(part) > _EXACT_DIGITS:
        return _NO_VALUE
    # Not float(): a decimal has no negative zero.
    return int(whole + part) / 10 ** len(part)


def _text(constant: Constant) -> Any:
    return constant.text if constant.kind == "text" else _NO_VALUE


def _truth(constant: Constant) -> Any:
    return constant.text == "TRUE" if constant.kind == "truth" else _NO_VALUE


def _decimal(constant: Constant, precision: int, scale: int) -> Any:
    whole, _, part = constant.text.partition(".")
    if constant.kind != "number" or len(part) > scale or len(whole.lstrip("-0")) > precision - scale:
        return _NO_VALUE
    return Decimal(constant.text)


def _date(constant: Constant) -> Any:
    if constant.kind not in ("text", "date") or not _DATE.fullmatch(constant.text):
        return _NO_VALUE
    try:
        return dt.date.fromisoformat(constant.text)
    except ValueError:
        return _NO_VALUE


def _timestamp(constant: Constant) -> Any:
    if constant.kind not in ("text", "timestamp") or not _TIMESTAMP.fullmatch(constant.text):
        return _NO_VALUE
    try:
        return dt.datetime.fromisoformat(constant.text)
    except ValueError:
        return _NO_VALUE
