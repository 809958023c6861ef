"""The windows of a construct as the model cuts them: lengths, zone, offset and alignment read from what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.constants import length, moment, value
from luma_bench.bench.series.rows import InputRows
from luma_bench.bench.series.zoned import mixture
from luma_bench.errors import KadeQLBindError
from luma_bench.language.series.pattern import Constant, Span, Windows
from luma_bench.models.control import Control
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.length import Length
from luma_bench.models.series.panes import Overlaps
from luma_bench.types.arrays import numbers
from luma_bench.types.predicate import Predicate

_DAY = 86_400_000_000_000
_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Bucketing:
    """How rows are cut into windows: exactly one of the three.

    Attributes
    ----------
    buckets
        TUMBLE and SAMPLE BY.
    hops
        HOP and CUMULATE.
    gap
        SESSION: in units of the time column.
    shown
        The length, for plans.
    """

    buckets: Buckets | None
    hops: Overlaps | None
    gap: int | None
    shown: str


def bucketing(
    windows: Windows,
    rows: InputRows,
    time: str,
    whole: str,
    asked: Asked,
    control: Control,
    *,
    predicates: Sequence[Predicate] = (),
    origin: int | None = None,
    unit: int | None = None,
) -> Bucketing:
    """The windows over the rows of an input; ALIGN TO FIRST OBSERVATION looks for the first of them.

    Parameters
    ----------
    predicates
        What the rows have to fulfil besides the input's WHERE.
    origin
        The first observation, where it is known.
    unit
        The nanoseconds of a unit of the windows, where that is finer than the column's: 1,000 for days that are cut into
        less.

    Raises
    ------
    KadeQLBindError
        A length, zone or moment is none, or does not go with the time column; it points at the constant.
    """
    finer = unit is not None
    unit = rows.unit(time) if unit is None else unit
    sizes = [length(item, asked) for item in windows.sizes]
    shown = " every ".join(item.text for item in reversed(windows.sizes))
    if windows.kind == "session":
        gap = _fixed(sizes[0])
        if gap is None or gap < 0:
            raise KadeQLBindError(
                f"The gap of a SESSION is a fixed length of time, and {windows.sizes[0].text} is none.",
                text=whole,
                span=windows.sizes[0].span,
                hint="Write it in days, hours, minutes or seconds: INTERVAL '30' MINUTE.",
            )
        return Bucketing(None, None, gap // unit, shown)
    zone = _zone(windows.zone, whole, asked) if windows.zone is not None else rows.zone(time)
    if windows.zone is None and (several := rows.zones(time)) and any(map(_follows_clock, sizes)):
        rows.warned[mixture(time, several, zone)] = None
    offset = Length() if windows.offset is None else length(windows.offset, asked)
    if isinstance(windows.align, Constant):
        kind = pa.timestamp("us") if finer else rows.schema.field(time).type
        origin = moment(windows.align, kind, asked)
    elif windows.align == "first observation" and origin is None:
        origin = first_time(rows, time, control, predicates)
        origin = None if origin is None else origin * (rows.unit(time) // unit)
    elif windows.align != "first observation":
        origin = None

    def placed[T](make: Callable[[], T], span: Span) -> T:
        try:
            return make()
        except KadeQLBindError as error:
            raise error if error.span is not None else error.moved(whole, span) from error

    span = windows.sizes[-1].span if windows.zone is None else windows.zone.span
    if windows.kind == "tumble":
        span = windows.sizes[0].span if windows.zone is None else span
        made = placed(lambda: Buckets.of(sizes[0], unit, zone, offset, origin), span)
        return Bucketing(made, None, None, shown)
    make = Overlaps.hop if windows.kind == "hop" else Overlaps.cumulate
    hops = placed(lambda: make(sizes[0], sizes[1], unit, zone, offset, origin), span)
    return Bucketing(None, hops, None, shown)


def first_time(
    rows: InputRows, time: str, control: Control, predicates: Sequence[Predicate] = ()
) -> int | None:
    """The first time of the rows; None without any."""
    settings = rows.settings
    keys = () if settings is None else settings.series_key
    ends = rows.run_ends(keys, time, control, predicates=predicates)
    if ends is not None:
        found = [int(part.first.min()) for part in ends if len(part.first)]
        return min(found, default=None)
    earliest: int | None = None
    for batch in rows.stream([time], control, predicates=predicates):
        control.check()
        column = batch.column(0).drop_null()
        if len(column):
            least = int(np.min(numbers(_counts(column))))
            earliest = least if earliest is None else min(earliest, least)
    return earliest


def _counts(column: pa.Array) -> pa.Array:
    return column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())


def _follows_clock(found: Length) -> bool:
    """Whether windows of a length are cut by the clock or the calendar of a zone."""
    return bool(found.months or found.days) or found.nanos >= 2 * _HOUR


def _fixed(found: Length) -> int | None:
    """The nanoseconds of a fixed length; a day is 24 hours."""
    return None if found.months else found.days * _DAY + found.nanos


def _zone(constant: Constant, whole: str, asked: Asked) -> str:
    found = constant.literal if constant.literal is not None else value(constant, asked).as_py()
    if not isinstance(found, str) or not found:
        raise KadeQLBindError(
            "ZONE takes the name of a time zone.",
            text=whole,
            span=constant.span,
            hint="Write it as 'Europe/Berlin', 'America/New_York' or 'UTC'.",
        )
    return found
