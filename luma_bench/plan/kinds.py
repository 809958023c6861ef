"""Kinds of values, worked out locally: enough for `+` to know text from numbers, without asking an engine.

Exact Arrow types are the engine's to say (`plan.bind`); a kind that cannot be told is `other`, and operators then
do what SQL does.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import pyarrow as pa

from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    IsIn,
    IsNull,
    Literal,
    SqlCondition,
    fold,
)
from luma_bench.plan.functions import AGGREGATES, FUNCTIONS, WINDOWS, Kind, Yields
from luma_bench.plan.window import Origin, Window

_TESTS: tuple[tuple[Kind, Callable[[pa.DataType], bool]], ...] = (
    ("bool", pa.types.is_boolean),
    ("int", pa.types.is_integer),
    ("real", pa.types.is_floating),
    ("decimal", pa.types.is_decimal),
    ("text", lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)),
    (
        "bytes",
        lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t),
    ),
    ("date", pa.types.is_date),
    ("timestamp", pa.types.is_timestamp),
    ("time", pa.types.is_time),
    ("interval", lambda t: pa.types.is_duration(t) or pa.types.is_interval(t)),
)

_SQL: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "bool"),
    ("TINYINT", "int"),
    ("SMALLINT", "int"),
    ("INT", "int"),
    ("BIGINT", "int"),
    ("HUGEINT", "int"),
    ("U", "int"),
    ("DOUBLE", "real"),
    ("FLOAT", "real"),
    ("REAL", "real"),
    ("DECIMAL", "decimal"),
    ("VARCHAR", "text"),
    ("BLOB", "bytes"),
    ("DATE", "date"),
    ("TIMESTAMP", "timestamp"),
    ("TIME", "time"),
)

_PYTHON: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    ((bool, np.bool_), "bool"),
    ((int, np.integer), "int"),
    ((float, np.floating), "real"),
    (decimal.Decimal, "decimal"),
    (str, "text"),
    ((bytes, bytearray, memoryview), "bytes"),
    ((dt.datetime, np.datetime64), "timestamp"),
    (dt.date, "date"),
    (dt.time, "time"),
    ((dt.timedelta, np.timedelta64), "interval"),
)


def kind_of_type(type_: pa.DataType) -> Kind:
    """The kind of an Arrow type; a dictionary is what its values are."""
    if pa.types.is_dictionary(type_):
        return kind_of_type(type_.value_type)
    for kind, test in _TESTS:
        if test(type_):
            return kind
    return "other"


def kind_of_value(value: object) -> Kind:
    """The kind of a Python constant."""
    for types, kind in _PYTHON:
        if isinstance(value, types):
            return kind
    return "other"


def kind_of_sql(type_: str) -> Kind:
    """The kind of a SQL type by its name."""
    if type_.endswith("]") or type_.startswith(("UUID", "UNION", "INTERVAL")):
        return "interval" if type_ == "INTERVAL" else "other"
    for prefix, kind in _SQL:
        if type_.startswith(prefix):
            return kind
    return "other"


def kind_of(expression: Expression, kinds: Mapping[str, Kind]) -> Kind:
    """The kind of an expression over columns of these kinds."""

    def visit(node: Expression, below: tuple[Kind, ...]) -> Kind:
        match node:
            case ColumnRef():
                return kinds.get(node.name, "other")
            case Literal():
                return kind_of_value(node.value)
            case Cast():
                return kind_of_sql(node.type)
            case Case():
                return widest(tuple(kind for kind in (*below[1::2], below[-1]) if kind != "other"))
            case Call("lookup", (_, _, Literal(list() as values))):
                found: set[Kind] = {kind_of_value(value) for value in cast("list[object]", values)}
                return widest(tuple(found - {"other"}))
            case Call():
                return kind_of_call(node.function, below)
            case Window():
                known = WINDOWS.get(node.function) or AGGREGATES[node.function]
                return _resolve(known.yields, below[: len(node.args)])
            case Origin():
                return "int" if node.column is None else "other"
            case SqlCondition():
                return node.kind
            case IsIn() | Between() | IsNull():
                return "bool"

    return fold(expression, visit)


def kind_of_call(function: str, below: tuple[Kind, ...]) -> Kind:
    """The kind of a function's result, from those of its arguments."""
    return _resolve(FUNCTIONS[function].yields, below, subtracts=function == "sub")


def kind_of_aggregate(call: AggregateCall, kinds: Mapping[str, Kind]) -> Kind:
    """The kind of an aggregate over columns of these kinds."""
    below: tuple[Kind, ...] = () if call.operand is None else (kind_of(call.operand, kinds),)
    return _resolve(AGGREGATES[call.function].yields, below)


def _resolve(yields: Yields, below: tuple[Kind, ...], *, subtracts: bool = False) -> Kind:
    if yields == "first":
        known: list[Kind] = [kind for kind in below if kind != "other"]
        return known[0] if known else "other"
    if yields == "widest":
        return widest(below)
    if yields == "difference":
        return _added(below, subtracts=subtracts)
    return yields


def widest(kinds: tuple[Kind, ...]) -> Kind:
    """The kind that holds values of all these; `other` where there is none."""
    if not kinds:
        return "other"
    if len(set(kinds)) == 1:
        return kinds[0]
    order: tuple[Kind, ...] = ("bool", "int", "decimal", "real")
    if not set(kinds) <= set(order):
        return "other"
    return max(kinds, key=order.index)


def _added(kinds: tuple[Kind, ...], *, subtracts: bool) -> Kind:
    pair = set(kinds)
    if pair == {"date"} and subtracts:
        return "int"
    if pair == {"timestamp"} or (pair == {"timestamp", "date"} and subtracts):
        return "interval"
    if "interval" in pair and pair & {"timestamp", "date"}:
        return "timestamp"
    if pair == {"date", "int"}:
        return "date"
    return widest(kinds)
