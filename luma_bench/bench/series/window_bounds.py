"""Bounds of windows as bounds of time: which rows can be in a window that a condition leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.predicates import bounds_of
from luma_bench.language.series.pattern import END, START, TIME
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.length import Length
from luma_bench.storage.predicates import Test
from luma_bench.types.predicate import Comparison, Predicate
from luma_bench.types.sql_types import engine_type

_DAY = 86_400_000_000_000
_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def reaching(
    tests: Sequence[Test],
    time: str,
    kind: pa.DataType,
    unit: int,
    buckets: Buckets | None,
    longest: Length | None,
) -> list[Predicate]:
    """Conditions on the time that every row in a window fulfils that the tests leave; the tests still have to be asked.

    Parameters
    ----------
    tests
        About window columns.
    kind, unit
        The time column's type, and the nanoseconds of its unit.
    buckets
        What TUMBLE cuts into; None where windows overlap, of which none is longer than `longest`.
    """
    first: int | None = None
    last: int | None = None
    starts, ends, times = (bounds_of(tests, name) for name in (START, END, TIME))
    # A window's end is its time and one unit.
    low = _most(ends[0], None if times[0] is None else times[0] + 1)
    high = _least(ends[1], None if times[1] is None else times[1] + 1)
    if starts[0] is not None:
        first = starts[0]
    if high is not None:
        last = high - 1
    if buckets is not None:
        if starts[1] is not None:
            last = _least(last, _end(buckets, starts[1]))
        if low is not None:
            first = _most(first, _start(buckets, low - 1))
    elif longest is not None:
        # No window is longer on a clock that is put back, than by a day.
        size = -(-((longest.months * 31 + longest.days + 2) * _DAY + longest.nanos) // unit)
        if starts[1] is not None:
            last = _least(last, starts[1] + size)
        if low is not None:
            first = _most(first, low - size)
    found: list[Predicate] = []
    for value, op in ((first, ">="), (last, "<=")):
        constant = None if value is None else constant_of(value, kind)
        named = engine_type(kind)
        if constant is not None and named is not None:
            found.append(Comparison(time, ">=" if op == ">=" else "<=", constant, named))
    return found


def constant_of(value: int, kind: pa.DataType) -> object | None:
    """Units of a time column as a constant of a predicate; None where there is none such."""
    if pa.types.is_date32(kind):
        step = 86_400_000_000
    elif pa.types.is_timestamp(kind) and kind.unit in _MICROSECONDS:
        step = _MICROSECONDS[kind.unit]
    else:
        return None
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return value * step if abs(value * step) < 1 << 62 else None
    try:
        found = _EPOCH + dt.timedelta(microseconds=value * step)
    except OverflowError:
        return None
    return found.date() if pa.types.is_date32(kind) else found


def _start(buckets: Buckets, value: int) -> int:
    return int(buckets.starts(np.array([value], np.int64))[0])


def _end(buckets: Buckets, value: int) -> int:
    """The last moment of the bucket that a moment is in."""
    return int(buckets.ends(buckets.starts(np.array([value], np.int64)))[0]) - 1


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
