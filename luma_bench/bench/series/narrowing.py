"""What the rows of one side of a join by time say of the rows that are needed of the other: a smaller scan of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from luma_bench.bench.series.asof_sides import Side
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.rows import is_time, unit_of
from luma_bench.models.series.runs import Runs
from luma_bench.plan.scanrules.key_ranges import key_predicate
from luma_bench.types.predicate import Comparison, Operator, Predicate
from luma_bench.types.schema import Column

_FEW_SERIES = 64
_PLAIN = (pa.types.is_integer, pa.types.is_string, pa.types.is_date32)
_FIRST, _LAST = -62_000_000_000 * 10**9, 253_000_000_000 * 10**9
"""What plain dates of the calendar can say, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far before and behind a left time right times matter, in units of the join; None for no bound."""

    before: int | None
    behind: int | None


def narrowing(right: Side, runs: Runs, series: SeriesKeys, reach: Reach, unit: int) -> tuple[Predicate, ...]:
    """What right rows fulfil that left ones need: about times, and about keys where these are few.

    Parameters
    ----------
    runs, series
        The left rows, with the numbers that their series have.
    unit
        Nanoseconds of a unit of their times.
    """
    found: list[Predicate] = []
    if runs.rows:
        ends = runs.offsets[1:] - 1
        first, last = int(runs.time[runs.offsets[:-1]].min()), int(runs.time[ends].max())
        factor = right.rows.unit(right.time) // unit
        bounds: tuple[tuple[Operator, int | None], ...] = (
            (">=", None if reach.before is None else (first - reach.before) // factor),
            ("<=", None if reach.behind is None else (last + reach.behind) // factor),
        )
        for operator, bound in bounds:
            if bound is not None:
                found += _bounded(right.rows.schema.field(right.time), operator, bound)
    if len(runs.codes) <= _FEW_SERIES:
        for name, array in zip(right.keys, series.arrays(runs.codes), strict=True):
            field_ = right.rows.schema.field(name)
            if array.type == field_.type and any(test(array.type) for test in _PLAIN) and not field_.metadata:
                predicate = key_predicate(array.drop_null().unique(), Column(0, name, field_.type))
                found += () if predicate is None else (predicate,)
    return tuple(predicate for predicate in found if right.rows.accepts(predicate))


def _bounded(item: pa.Field, operator: Operator, bound: int) -> list[Predicate]:
    """A condition on a time, where its constant can be written as a plain moment."""
    if item.metadata or not is_time(item.type) or getattr(item.type, "tz", None) is not None:
        return []
    if not _FIRST < bound * unit_of(item.type) < _LAST:
        return []
    whole_type = pa.int32() if pa.types.is_date32(item.type) else pa.int64()
    moment = pa.array([bound], whole_type).cast(item.type)
    equal = key_predicate(moment, Column(0, item.name, item.type))
    return [replace(equal, op=operator)] if isinstance(equal, Comparison) else []
