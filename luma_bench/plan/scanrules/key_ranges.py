"""The keys of a small table as a predicate over a large one: a few ranges that hold them all, and little else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.plan.scanrules.conditions import column_type
from luma_bench.types.predicate import And, Comparison, In, Or, Predicate
from luma_bench.types.schema import Column

MOST_RANGES = 32
MOST_TEXTS = 64


def key_predicate(keys: pa.Array, column: Column) -> Predicate | None:
    """A predicate that every row of `column` which equals one of the keys makes TRUE; others may too.

    Parameters
    ----------
    keys
        Distinct values without NULL, of a type that compares with the column's as it is stored.

    None where there are no keys, or none that the column could hold.
    """
    kind = column_type(column)
    if kind is None or not len(keys):
        return None
    if kind == "VARCHAR":
        return _texts(keys, column.name, kind)
    numbers = _numbers(keys, column.type)
    if numbers is None or not len(numbers):
        return None
    # The widest gaps part the ranges.
    gaps = np.diff(numbers.astype(np.float64))
    wide = np.flatnonzero(gaps > 1)
    if len(wide) >= MOST_RANGES:
        wide = np.sort(wide[np.argsort(gaps[wide], kind="stable")[-(MOST_RANGES - 1) :]])
    starts = [0, *(wide + 1).tolist()]
    ends = [*wide.tolist(), len(numbers) - 1]
    parts = [
        _between(column, kind, int(numbers[start]), int(numbers[end]))
        for start, end in zip(starts, ends, strict=True)
    ]
    return _any(parts)


def _texts(keys: pa.Array, name: str, kind: str) -> Predicate:
    if len(keys) <= MOST_TEXTS:
        return In(name, tuple(keys.to_pylist()), kind)
    bounds = pc.min_max(keys)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    return And(Comparison(name, ">=", low, kind), Comparison(name, "<=", high, kind))


def _numbers(keys: pa.Array, target: Any) -> np.ndarray | None:
    """The keys as sorted whole numbers of the column's unit; keys that the column cannot hold are left out."""
    if pa.types.is_integer(target):
        values = keys.to_numpy(zero_copy_only=False)
        limits = np.iinfo(target.to_pandas_dtype())
        own = np.iinfo(values.dtype)
        if own.min < limits.min:
            values = values[values >= limits.min]
        if own.max > limits.max:
            values = values[values <= limits.max]
        return np.sort(values)
    if keys.type.bit_width not in (32, 64):
        return None
    whole = pa.int32() if keys.type.bit_width == 32 else pa.int64()
    return np.sort(keys.cast(whole).to_numpy(zero_copy_only=False))


def _between(column: Column, kind: str, low: int, high: int) -> Predicate:
    first, last = _value(low, column.type), _value(high, column.type)
    if low == high:
        return Comparison(column.name, "=", first, kind)
    return And(Comparison(column.name, ">=", first, kind), Comparison(column.name, "<=", last, kind))


def _value(number: int, target: Any) -> object:
    """A whole number of a type's unit as the Python value that predicates have."""
    if pa.types.is_integer(target):
        return number
    whole = pa.int32() if target.bit_width == 32 else pa.int64()
    return pa.scalar(number, whole).cast(target).as_py()


def _any(parts: list[Predicate]) -> Predicate:
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [pair[0] if len(pair) == 1 else Or(pair[0], pair[1]) for pair in pairs]
    return parts[0]
