"""Predicates applied exactly: a mask over decoded columns, in SQL's three-valued logic.

NaN is above every number and equal to itself, -0.0 equals 0.0, strings compare by their bytes, a NULL makes a
comparison NULL. A dictionary column is tested once a distinct value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.columns import is_text
from luma_bench.storage.predicates import Both, Compare, Either, Known, Member, Negated, Null, Test, translate
from luma_bench.storage.zones import bytes_of, integers_of
from luma_bench.types.arrays import integers
from luma_bench.types.predicate import Operator, Predicate

_KERNELS = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


def evaluate(predicate: Predicate, table: pa.RecordBatch | pa.Table) -> pa.BooleanArray:
    """The mask of a predicate over a table: true, false or null for every row.

    Raises
    ------
    Untranslatable
        The predicate cannot be applied exactly.
    """
    columns: dict[str, pa.Array] = {}
    for name in table.schema.names:
        column = table.column(name)
        columns[name] = _joined(column) if isinstance(column, pa.ChunkedArray) else column
    test = translate(predicate, {field.name: field.type for field in table.schema})
    return mask_of(test, columns)


def mask_of(test: Test, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
    """The mask of a translated predicate over arrays of equal length."""
    match test:
        case Both(left, right):
            return pc.and_kleene(mask_of(left, columns), mask_of(right, columns))
        case Either(left, right):
            return pc.or_kleene(mask_of(left, columns), mask_of(right, columns))
        case Negated(operand):
            return pc.invert(mask_of(operand, columns))
        case Null(column, negated):
            array = columns[column]
            return array.is_valid() if negated else array.is_null()
        case _:
            return _leaf(test, columns[test.column])


def _joined(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _leaf(test: Compare | Member | Known, array: pa.Array) -> pa.BooleanArray:
    if pa.types.is_dictionary(array.type):
        return _leaf(test, array.dictionary).take(array.indices)
    match test:
        case Known(_, truth):
            mask = pa.array(np.full(len(array), truth))
            return _with_nulls(mask, array)
        case Member(_, values):
            held, scalars = _comparable(array, values)
            return _with_nulls(pc.is_in(held, value_set=pa.array(scalars, held.type)), array)
        case Compare(_, op, value):
            if pa.types.is_floating(array.type):
                return _float(op, array, value)
            held, scalars = _comparable(array, (value,))
            return _KERNELS[op](held, _scalar(scalars[0], held.type))


def _comparable(array: pa.Array, values: tuple[Any, ...]) -> tuple[pa.Array, list[Any]]:
    """An array and constants that Arrow's kernels compare as SQL does."""
    kind = array.type
    if is_text(kind) or pa.types.is_fixed_size_binary(kind):
        return bytes_of(array), list(values)
    if pa.types.is_decimal128(kind) and kind.precision > 18:
        return array, [_as_decimal(value, kind.scale) for value in values]
    return integers_of(array), list(values)


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    """A constant of a kernel. `pa.scalar` loads pandas, which is much for a process that only reads parts of tables."""
    if isinstance(value, int) and pa.types.is_integer(kind) and -(1 << 63) <= value < 1 << 63:
        return integers(np.array([value], np.int64))[0].cast(kind)
    if isinstance(value, bytes) and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        ends = pa.py_buffer(np.array([0, len(value)], np.int32))
        return pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(value)])[0].cast(kind)
    return pa.scalar(value, kind)


def _as_decimal(count: int, scale: int) -> Decimal:
    return Decimal((int(count < 0), tuple(map(int, str(abs(count)))), -scale))


def _float(op: Operator, array: pa.Array, value: float) -> pa.BooleanArray:
    if math.isnan(value):
        isnan = pc.is_nan(array)
        match op:
            case "=" | ">=":
                return isnan
            case "!=" | "<":
                return pc.invert(isnan)
            case _:
                return _with_nulls(pa.array(np.full(len(array), op == "<=")), array)
    mask = _KERNELS[op](array, _scalar(value, array.type))
    return pc.or_kleene(mask, pc.is_nan(array)) if op in (">", ">=") else mask


def _with_nulls(mask: pa.BooleanArray, array: pa.Array) -> pa.BooleanArray:
    if not array.null_count:
        return mask
    return pc.if_else(array.is_valid(), mask, pa.scalar(None, pa.bool_()))
