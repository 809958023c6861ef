"""Conditions that are plainly comparisons of columns with constants, read without the engine, which would say the same."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import pyarrow as pa

from luma_bench.bench.series.queried import decoded
from luma_bench.types.predicate import Comparison, Operator, Predicate
from luma_bench.types.sql_types import engine_type

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TERM: Final = re.compile(
    rf"\s*(?:({_NAME})\.)?({_NAME})\s*(<=|>=|<>|!=|=|<|>)\s*"
    rf"(?:(-?[0-9]+(?:\.[0-9]+)?)|(?:(TIMESTAMP|DATE)\s*)?'([^']*)'|\$({_NAME}))",
    re.IGNORECASE,
)
_WHERE: Final = re.compile(r"\s*WHERE\b", re.IGNORECASE)
_AND: Final = re.compile(r"\s*AND\b", re.IGNORECASE)
_OPENS, _CLOSES, _ENDS = re.compile(r"\s*\("), re.compile(r"\s*\)"), re.compile(r"\s*$")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?)?"
)
_OPERATORS: Final[Mapping[str, Operator]] = {
    "=": "=", "<>": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_VALUES: Final = frozenset(
    {
        *(
            "current_catalog",
            "current_date",
            "current_role",
            "current_schema",
            "current_time",
            "current_timestamp",
        ),
        *(
            "current_user",
            "false",
            "localtime",
            "localtimestamp",
            "null",
            "rowid",
            "session_user",
            "true",
            "user",
        ),
    }
)
"""Words that mean a value of the engine's, whatever columns there are."""
_EXACT: Final = 2**53
_DIGITS: Final = 15
"""As many digits of a decimal make the same float however they are converted."""
_NOTHING: Final = object()


def plainly(
    condition: str, alias: str, schema: pa.Schema, params: Mapping[str, object]
) -> tuple[Predicate, ...] | None:
    """The comparisons that ` WHERE (a = 1 AND b > 'x')` is made of; None where it is anything else, or not plainly that.

    Only values that SQL would not round, and types that it would not cast in one of several ways, are read here.
    """
    begun = _WHERE.match(condition)
    if begun is None:
        return None
    at, depth = begun.end(), 0
    predicates: list[Predicate] = []
    while True:
        while (opened := _OPENS.match(condition, at)) is not None:
            at, depth = opened.end(), depth + 1
        term = _TERM.match(condition, at)
        one = None if term is None else _comparison(term, alias, schema, params)
        if term is None or one is None:
            return None
        predicates.append(one)
        at = term.end()
        while depth and (closed := _CLOSES.match(condition, at)) is not None:
            at, depth = closed.end(), depth - 1
        following = _AND.match(condition, at)
        if following is None:
            return tuple(predicates) if not depth and _ENDS.match(condition, at) else None
        at = following.end()


def _comparison(
    term: re.Match[str], alias: str, schema: pa.Schema, params: Mapping[str, object]
) -> Predicate | None:
    if term[1] is not None and term[1].casefold() != alias.casefold():
        return None
    if term[2].casefold() in _VALUES:
        return None
    named = [field for field in schema if field.name.casefold() == term[2].casefold()]
    if len(named) != 1 or named[0].metadata:
        return None
    kind = decoded(named[0].type)
    told = engine_type(kind)
    value = _constant(term, kind, params)
    if told is None or value is _NOTHING:
        return None
    return Comparison(named[0].name, _OPERATORS[term[3]], value, told)


def _constant(term: re.Match[str], kind: pa.DataType, params: Mapping[str, object]) -> object:
    """The constant as a value of the column's type; `_NOTHING` where only the engine may say it."""
    if term[7] is not None:
        given = params.get(term[7], _NOTHING)
        if isinstance(given, dt.datetime) and given.tzinfo is None and type(given) is dt.datetime:
            return given if _is_stamp(kind) else _NOTHING
        if type(given) is str and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return given
        return _number(str(given), kind) if type(given) is int else _NOTHING
    if term[4] is not None:
        return _number(term[4], kind)
    text = term[6]
    if term[5] is None and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return text
    if (
        not _is_stamp(kind)
        or not _MOMENT.fullmatch(text)
        or ((term[5] or "").upper() == "DATE" and len(text) > 10)
    ):
        return _NOTHING
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return _NOTHING


def _is_stamp(kind: pa.DataType) -> bool:
    """Whether it is TIMESTAMP itself: of microseconds, without a zone."""
    return pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz is None


def _number(text: str, kind: pa.DataType) -> object:
    whole, _, part = text.partition(".")
    if pa.types.is_integer(kind):
        if part:
            return _NOTHING
        value = int(text)
        signed = pa.types.is_signed_integer(kind)
        least = -(1 << (kind.bit_width - 1)) if signed else 0
        most = (1 << (kind.bit_width - 1 if signed else kind.bit_width)) - 1
        return value if least <= value <= most else _NOTHING
    if not pa.types.is_float64(kind) or len(whole.lstrip("-")) + len(part) > _DIGITS:
        return _NOTHING
    value = float(Decimal(text))
    # A whole number and a decimal have no negative zero.
    return (value or 0.0) if math.isfinite(value) and abs(value) < _EXACT else _NOTHING
