"""Ranges of time of a grouped construct: what a FILL covers, what rows are cut to, and what the scan is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.rows import InputRows
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.runs import Ints
from luma_bench.types.arrays import integers
from luma_bench.types.predicate import And, Comparison, Operator, Predicate
from luma_bench.types.sql_types import engine_type


@dataclass(frozen=True, slots=True)
class Range:
    """What a FILL covers, from the bucket of the first moment to that of the last, both included; None: as the rows do."""

    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, rows: InputRows, time: str, cut: tuple[int | None, int | None], scale: int = 1) -> Range:
        """FROM and TO, else what WHERE leaves room for, else what the rows cover.

        Parameters
        ----------
        cut
            FROM and TO, in units of the time column.
        scale
            How many units of the windows one of these is.
        """
        low, high = cut
        first, last = rows.bounds(time) if low is None or high is None else (None, None)
        first = first if low is None else low
        last = last if high is None else high - 1
        return cls(
            None if first is None else first * scale, None if last is None else last * scale + scale - 1
        )

    @property
    def fixed(self) -> bool:
        """Whether it hangs on no row."""
        return self.first is not None and self.last is not None

    def over(self, starts: Ints, buckets: Buckets) -> tuple[int, int] | None:
        """Its edges over groups; None where it is empty."""
        first, last = self.first, self.last
        if first is None or last is None:
            if not len(starts):
                return None
            first = int(starts.min()) if first is None else first
            last = int(starts.max()) if last is None else last
        found = buckets.starts(np.array([first, last], np.int64))
        return (
            None
            if found[0] > found[1] or (first > last and not len(starts))
            else (int(found[0]), int(found[1]))
        )


def time_predicates(
    field: pa.Field, low: int | None, high: int | None, accepts: Callable[[Predicate], bool]
) -> tuple[Predicate, ...]:
    """The bounds as predicates that the scan of the input takes; rows are cut besides, so that it may take none."""
    found: list[Predicate] = []
    asked: tuple[tuple[Operator, int | None], ...] = ((">=", low), ("<", high))
    for operator, bound in asked:
        made = None if bound is None else _compared(field, operator, bound)
        if made is not None and accepts(made):
            found.append(made)
    return tuple(found)


def _compared(field: pa.Field, operator: Operator, bound: int) -> Predicate | None:
    kind = engine_type(field.type)
    if kind is None or field.metadata:
        return None
    if kind == "TIMESTAMP WITH TIME ZONE":
        scale = {"s": 1_000_000, "ms": 1_000, "us": 1}[field.type.unit]
        return Comparison(field.name, operator, bound * scale, kind)
    try:
        counts = integers(np.array([bound], np.int64))
        counts = counts.cast(pa.int32()) if field.type.bit_width == 32 else counts
        found = counts.cast(field.type)[0].as_py()
    except (pa.ArrowInvalid, OverflowError, ValueError):
        return None  # a moment that Python's calendar does not have: rows are cut all the same
    return Comparison(field.name, operator, found, kind)


def narrowed(
    predicate: Predicate,
    kind: pa.DataType,
    time: pa.DataType,
    buckets: Buckets,
    cut: tuple[int | None, int | None],
) -> tuple[int | None, int | None]:
    """Bounds of rows (the second is behind them) that hold every row whose bucket's start fulfils a predicate.

    Parameters
    ----------
    kind
        The type of the column of starts.
    """
    low, high = cut
    match predicate:
        case And(left, right):
            return narrowed(right, kind, time, buckets, narrowed(left, kind, time, buckets, cut))
        case Comparison(_, op, value, _) if op != "!=":
            at = _moment(value, kind, time)
            if at is None:
                return cut
            start = int(buckets.starts(np.array([at], np.int64))[0])
            end = int(buckets.ends(np.array([start], np.int64))[0])
            if op in ("=", ">", ">="):
                low = start if low is None else max(low, start)
            if op in ("=", "<", "<="):
                bound = start if op == "<" and start == at else end
                high = bound if high is None else min(high, bound)
            return low, high
        case _:
            return cut


def _moment(value: object, kind: pa.DataType, time: pa.DataType) -> int | None:
    try:
        if isinstance(value, int):
            found = pa.scalar(value, pa.int64()).cast(pa.timestamp("us", getattr(kind, "tz", None)))
        else:
            found = pa.scalar(value, kind)
        made = found.cast(time, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None  # the predicate is applied to the groups all the same
    return int(made.cast(pa.int32() if time.bit_width == 32 else pa.int64()).as_py())
