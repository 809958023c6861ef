"""Whether two answers are the same: names, types, values, and order where it is asked for. Forgiving nothing but reordered sums."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from conformance_cases import EXACT, Aggregate, Answer, Expression

Item = Expression | Aggregate


def differences(
    found: Mapping[Any, Any], count: int, kind: pa.DataType, wanted: Mapping[Any, Any], item: Item
) -> str:
    """What differs between the values by key, and their type; empty when nothing does."""
    if kind != item.type:
        return f"type {kind}, not {item.type}"
    if count != len(wanted) or found.keys() != wanted.keys():
        return f"keys {sorted(map(repr, found))}, not {sorted(map(repr, wanted))}"
    # Through Arrow both have the same Python type: a date is no datetime, a list of floats no list of whole numbers.
    expected = pa.array(list(wanted.values()), item.type).to_pylist()
    for key, value in zip(wanted, expected, strict=True):
        if not same(found[key], value, item.tolerance, signed=True):
            return f"for {key!r}: {found[key]!r}, not {value!r}"
    return ""


def table_differences(found: pa.Table, wanted: pa.Table, ordered: bool, tolerance: float = EXACT) -> str:
    """What differs between two tables, names and types included; empty when nothing does."""
    if found.column_names != wanted.column_names:
        return f"columns {found.column_names}, not {wanted.column_names}"
    kinds = [
        f"{name}: {a}, not {b}"
        for name, a, b in zip(found.column_names, found.schema.types, wanted.schema.types, strict=True)
        if a != b
    ]
    if kinds:
        return f"types {'; '.join(kinds)}"
    ours, theirs = _rows(found), _rows(wanted)
    if not ordered:
        floats = [pa.types.is_floating(kind) for kind in wanted.schema.types]
        ours.sort(key=lambda row: _order(row, floats))
        theirs.sort(key=lambda row: _order(row, floats))
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        if not same(mine, other, tolerance, signed=False):
            return f"row {number}: {mine}, not {other}"
    return ""


def same(found: Any, wanted: Any, tolerance: float, *, signed: bool) -> bool:
    """Whether two plain values are the same, at any depth; NaN is itself, and with `signed` a zero has its sign."""
    if isinstance(found, float) and isinstance(wanted, float):
        if math.isnan(found) or math.isnan(wanted):
            return math.isnan(found) and math.isnan(wanted)
        if found == wanted:
            return not signed or found != 0 or math.copysign(1, found) == math.copysign(1, wanted)
        return tolerance > 0 and math.isclose(found, wanted, rel_tol=tolerance, abs_tol=0.0)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            same(found[key], wanted[key], tolerance, signed=signed) for key in found
        )
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(
            same(a, b, tolerance, signed=signed) for a, b in zip(found, wanted, strict=True)
        )
    if isinstance(found, dt.datetime) and isinstance(wanted, dt.datetime):
        return found == wanted and (found.tzinfo is None) == (wanted.tzinfo is None)
    return type(found) is type(wanted) and found == wanted


def table_of(answer: Answer) -> pa.Table:
    """Rows written by hand as Arrow."""
    return pa.table(
        {
            name: pa.array([row[i] for row in answer.rows], kind)
            for i, (name, kind) in enumerate(answer.columns.items())
        }
    )


def canonical(table: pa.Table) -> pa.Table:
    """DuckDB's Arrow answer in the types that a bench delivers."""
    fields: list[pa.Field] = []
    for item in table.schema:
        kind = item.type
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        fields.append(pa.field(item.name, kind))
    arrays = [
        column.cast(item.type) if column.type != item.type else column
        for column, item in zip(table.columns, fields, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows


def _order(row: tuple[Any, ...], floats: Sequence[bool]) -> tuple[str, ...]:
    """Exact columns first, so that rows pair up by them and floats decide only among equals; -0.0 is 0.0."""
    exact = [repr(value) for value, inexact in zip(row, floats, strict=True) if not inexact]
    rough = [
        "" if value is None else "nan" if math.isnan(value) else f"{value + 0.0:.6e}"
        for value, inexact in zip(row, floats, strict=True)
        if inexact
    ]
    return (*exact, *rough)
