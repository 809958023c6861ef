"""Types that are compared with one another: of two key columns, and of two columns that a join goes by."""

from __future__ import annotations

import re
from typing import Literal

import pyarrow as pa

from luma_bench.bench.series.rows import is_time
from luma_bench.types.schema import SQL_TYPE

Form = Literal["time", "whole", "real", "rank"]
"""How two columns compare: as moments, whole numbers, floats, or values of a type that only has an order."""

_DIGITS = 38
_ORDERED = frozenset({"UUID", "JSON", "HUGEINT", "UHUGEINT"})
"""SQL types that are in the order of the form in which they are held."""
_LABEL = re.compile(r"'((?:[^']|'')*)'")


def form_of(one: pa.DataType, two: pa.DataType) -> Form | None:
    """How the values of two columns are put in order; None where they do not compare."""
    if is_time(one) and is_time(two):
        return "time"
    if is_number(one) and is_number(two):
        if all(pa.types.is_integer(kind) and kind != pa.uint64() for kind in (one, two)):
            return "whole"
        if pa.types.is_floating(one) or pa.types.is_floating(two):
            return "real"
    try:
        kind = unified(one, two)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None
    none = pa.types.is_nested(kind) or pa.types.is_interval(kind) or isinstance(kind, pa.BaseExtensionType)
    return None if none else "rank"


def labels(one: pa.Field, two: pa.Field) -> pa.Array | None:
    """The values of two columns of one ENUM, in its order; None of others, which compare as texts do."""
    kind = marked(one)
    if kind is None or not kind.startswith("ENUM(") or marked(two) != kind:
        return None
    found = [label.replace("''", "'") for label in _LABEL.findall(kind)]
    return pa.array(found, pa.string())


def has_order(field: pa.Field) -> bool:
    """Whether values of no number and no time are held in the order that SQL has, or as texts of an ENUM."""
    kind = marked(field)
    return kind is None or kind in _ORDERED or kind.startswith("ENUM(")


def marked(field: pa.Field) -> str | None:
    """The SQL type of a column where it is another than that of the form in which it is held."""
    found = (field.metadata or {}).get(SQL_TYPE)
    return None if found is None else found.decode()


def zones_differ(one: pa.DataType, two: pa.DataType) -> bool:
    """Whether one has a time zone and the other has none."""
    return (
        is_time(one)
        and is_time(two)
        and (getattr(one, "tz", None) is None) != (getattr(two, "tz", None) is None)
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is an integer, a float or a decimal."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def unified(one: pa.DataType, two: pa.DataType) -> pa.DataType:
    """The type that holds the values of both.

    Raises
    ------
    pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError
        There is none.
    """
    if one == two:
        return one
    if zones_differ(one, two):
        raise pa.ArrowTypeError("with and without a zone")
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(two) and one.tz and two.tz:
        two = pa.timestamp(two.unit, one.tz)
    for day, moment in ((one, two), (two, one)):
        if pa.types.is_date(day) and pa.types.is_timestamp(moment) and moment.tz is None:
            return moment
    if is_number(one) and is_number(two):
        return _of_numbers(one, two)
    schemas = [pa.schema([("key", kind)]) for kind in (one, two)]
    return pa.unify_schemas(schemas, promote_options="permissive").field("key").type


def _of_numbers(one: pa.DataType, two: pa.DataType) -> pa.DataType:
    kinds = (one, two)
    if any(map(pa.types.is_floating, kinds)):
        return pa.float64()
    if all(map(pa.types.is_integer, kinds)) and pa.uint64() not in kinds:
        return pa.int64()
    # Digits before and behind the point; a whole number of 64 bits has up to 20.
    sizes = [
        (kind.precision - kind.scale, kind.scale) if pa.types.is_decimal(kind) else (20, 0) for kind in kinds
    ]
    before, behind = (max(pair) for pair in zip(*sizes, strict=True))
    if before + behind > _DIGITS:
        raise pa.ArrowTypeError("no decimal holds both")
    return pa.decimal128(before + behind, behind)
