"""Predicates as tests of a table's own units, and the bounds that they set to a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from luma_bench.storage.predicates import (
    Both,
    Compare,
    Either,
    Member,
    Negated,
    Test,
    Untranslatable,
    translate,
)
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate

_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_STEP = {"s": 1_000_000, "ms": 1_000}
_NAMED = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS"}
_NANOSECONDS = "TIMESTAMP_NS"
"""The type of constants in predicates about nanoseconds: whole numbers of them since the epoch, which only this room reads."""


def in_microseconds(schema: pa.Schema) -> pa.Schema:
    """A schema whose times without a zone are all of microseconds.

    The engine compares a column of another unit with a timestamp through a cast, which it hands to no scan.
    """
    for place, field in enumerate(schema):
        if _unit(field.type) not in (None, "us"):
            schema = schema.set(place, field.with_type(pa.timestamp("us")))
    return schema


def in_units(predicate: Predicate, schema: pa.Schema) -> Predicate | None:
    """What a predicate over `in_microseconds(schema)` means over the schema; None where a constant is none of its units."""
    match predicate:
        case And(left, right) | Or(left, right):
            one, other = in_units(left, schema), in_units(right, schema)
            return None if one is None or other is None else type(predicate)(one, other)
        case Not(operand):
            inner = in_units(operand, schema)
            return None if inner is None else Not(inner)
        case IsNull():
            return predicate
        case Comparison(column, op, value, kind):
            unit = _unit(schema.field(column).type)
            if unit in (None, "us"):
                return predicate
            held = _constant(value, kind, unit)
            return None if held is None else Comparison(column, op, *held)
        case In(column, values, kind):
            unit = _unit(schema.field(column).type)
            if unit in (None, "us"):
                return predicate
            found = [_constant(value, kind, unit) for value in values]
            known = [one for one in found if one is not None]
            return In(column, tuple(value for value, _ in known), known[0][1]) if len(known) == len(found) else None  # fmt: skip


def _unit(kind: pa.DataType) -> str | None:
    """The unit of a timestamp without a zone; None of another type."""
    return kind.unit if pa.types.is_timestamp(kind) and kind.tz is None else None


def _constant(value: object, kind: str, unit: str) -> tuple[object, str] | None:
    """A moment as a constant of a coarser or finer unit, with its type; None where it is no whole number of units."""
    if kind != "TIMESTAMP" or not isinstance(value, dt.datetime) or value.tzinfo is not None:
        return None
    count = (value - _EPOCH) // _MICROSECOND
    if unit == "ns":
        return count * 1_000, _NANOSECONDS
    return None if count % _STEP[unit] else (value, _NAMED[unit])


def scans(predicate: Predicate, schema: pa.Schema) -> bool:
    """Whether a stored table's scan applies a predicate exactly."""
    try:
        translate(predicate, {field.name: field.type for field in schema})
    except Untranslatable:
        return False
    return True


def tests_of(predicates: Sequence[Predicate], schema: pa.Schema) -> list[Test]:
    """Predicates as tests over columns of a schema, the parts of an AND each by itself.

    Raises
    ------
    Untranslatable
        One cannot be applied exactly.
    """
    types = {field.name: field.type for field in schema}
    pending = [_test(predicate, types) for predicate in reversed(predicates)]
    found: list[Test] = []
    while pending:
        test = pending.pop()
        if isinstance(test, Both):
            pending += [test.right, test.left]
        else:
            found.append(test)
    return found


def _test(predicate: Predicate, types: Mapping[str, pa.DataType]) -> Test:
    match predicate:
        case And(left, right):
            return Both(_test(left, types), _test(right, types))
        case Or(left, right):
            return Either(_test(left, types), _test(right, types))
        case Not(operand):
            return Negated(_test(operand, types))
        case Comparison(column, op, int() as value, "TIMESTAMP_NS") if _unit(types[column]) == "ns":
            return Compare(column, op, value)
        case In(column, values, "TIMESTAMP_NS") if _unit(types[column]) == "ns":
            return Member(column, values)
        case _:
            return translate(predicate, types)


def translates(predicate: Predicate, schema: pa.Schema) -> bool:
    """Whether a predicate can be applied exactly to columns of a schema."""
    try:
        tests_of([predicate], schema)
    except Untranslatable:
        return False
    return True


def bounds_of(tests: Sequence[Test], time: str) -> tuple[int | None, int | None]:
    """The first and the last time, both included, that tests leave room for."""
    first: int | None = None
    last: int | None = None
    for test in tests:
        low, high = _range(test, time)
        if low is not None:
            first = low if first is None else max(first, low)
        if high is not None:
            last = high if last is None else min(last, high)
    return first, last


def is_range(test: Test, time: str) -> bool:
    """Whether bounds say all that a test says of a time that is not NULL."""
    return isinstance(test, Compare) and test.column == time and test.op != "!="


def _range(test: Test, time: str) -> tuple[int | None, int | None]:
    if isinstance(test, Member) and test.column == time:
        return int(min(test.values)), int(max(test.values))
    if not isinstance(test, Compare) or test.column != time:
        return None, None
    value = int(test.value)
    match test.op:
        case "=":
            return value, value
        case ">=":
            return value, None
        case ">":
            return value + 1, None
        case "<=":
            return None, value
        case "<":
            return None, value - 1
        case _:
            return None, None
