"""Times of edges as whole numbers: microseconds of dates and timestamps, or numbers as they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import KadeQLBindError
from luma_bench.models.graph.topology import Bools, Ints

_DAY: Final = 86_400_000_000
_RESPECTING: Final = (
    "TIME RESPECTING compares times",
    "Give columns of dates, timestamps or whole numbers: TIME RESPECTING (f.dep, f.arr).",
)
_STARTING: Final = (
    "STARTING AT takes a time",
    "Write STARTING AT TIMESTAMP '2013-07-04 12:30:00'; for times that are numbers, a whole number.",
)
Span = tuple[int, int]


def moments(
    values: pa.Array, whole: str, span: Span, wrong: tuple[str, str] = _RESPECTING
) -> tuple[Ints, Bools | None]:
    """Times as int64, and where they are not NULL; None for everywhere.

    Parameters
    ----------
    wrong
        What compares them, and the hint, for the error of what are no times.

    Raises
    ------
    KadeQLBindError
        They are no times and no whole numbers.
    """
    plain = _whole(values, whole, span, wrong)
    valid = None if not plain.null_count else plain.is_valid().to_numpy(zero_copy_only=False)
    return pc.fill_null(plain, 0).to_numpy(zero_copy_only=False), valid


def moment(value: pa.Scalar, whole: str, span: Span) -> int:
    """One time as `moments` gives it.

    Raises
    ------
    KadeQLBindError
        It is NULL, or none.
    """
    if not value.is_valid:
        raise _none(whole, span, "a time", "STARTING AT")
    return int(_whole(pa.array([value.as_py()], value.type), whole, span, _STARTING)[0].as_py())


def moment_like(value: pa.Scalar, kind: pa.DataType, name: str, whole: str, span: Span) -> int:
    """One time that is compared with a column's, as `moments` gives it; text is read as a time.

    Parameters
    ----------
    kind
        The type of the column.
    name
        What the time is, for errors.

    Raises
    ------
    KadeQLBindError
        It is a time where the column holds numbers, or a number where it holds times, or no time.
    """
    counted = pa.types.is_integer(kind)
    given = value
    if not counted and (pa.types.is_string(value.type) or pa.types.is_large_string(value.type)):
        try:
            given = value.cast(pa.timestamp("us", getattr(kind, "tz", None)))
        except pa.ArrowInvalid as error:
            raise _unlike(value, kind, name, whole, span) from error
    timed = pa.types.is_date(given.type) or pa.types.is_timestamp(given.type)
    if not (pa.types.is_integer(given.type) if counted else timed):
        raise _unlike(value, kind, name, whole, span)
    return int(_whole(pa.array([given.as_py()], given.type), whole, span, _STARTING)[0].as_py())


def interval(value: pa.Scalar, whole: str, span: Span) -> int:
    """A length of time in microseconds, or a number as it is.

    Raises
    ------
    KadeQLBindError
        It is NULL, negative, or holds months, whose length depends on the date.
    """
    if not value.is_valid:
        raise _none(whole, span, "an interval", "WITHIN")
    if pa.types.is_integer(value.type):
        length = int(value.as_py())
    elif isinstance(value.type, pa.DataType) and str(value.type) == "month_day_nano_interval":
        months, days, nanos = value.as_py()
        if months:
            raise KadeQLBindError(
                "WITHIN counts months, and a month has no fixed length.",
                text=whole,
                span=span,
                hint="Write days: WITHIN INTERVAL 30 DAY.",
            )
        length = days * _DAY + nanos // 1000
    elif pa.types.is_duration(value.type):
        length = int(pc.cast(value, pa.duration("us")).cast(pa.int64()).as_py())
    else:
        raise KadeQLBindError(
            f"WITHIN is a length of time, and this is a {value.type}.",
            text=whole,
            span=span,
            hint="Write WITHIN INTERVAL '12' HOUR; for times that are numbers, a number.",
        )
    if length < 0:
        raise KadeQLBindError(
            "WITHIN is negative, so no journey fits.", text=whole, span=span, hint="Write a positive length."
        )
    return length


def as_times(values: Ints, kind: pa.DataType, valid: np.ndarray | None = None) -> pa.Array:
    """Numbers that `moments` gave, in the type that they came from."""
    made = pa.array(values, pa.int64(), mask=None if valid is None else ~valid)
    if pa.types.is_integer(kind):
        return pc.cast(made, kind)
    unit = pa.timestamp("us", getattr(kind, "tz", None))
    return pc.cast(made.cast(unit), kind, safe=False)


def _whole(values: pa.Array, whole: str, span: Span, wrong: tuple[str, str]) -> pa.Array:
    kind = values.type
    if pa.types.is_integer(kind):
        return pc.cast(values, pa.int64())
    if pa.types.is_date(kind):
        return pc.cast(values, pa.timestamp("us")).cast(pa.int64())
    if pa.types.is_timestamp(kind):
        return pc.cast(values, pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
    what, hint = wrong
    raise KadeQLBindError(f"{what}, and this is a {kind}.", text=whole, span=span, hint=hint)


def _unlike(value: pa.Scalar, kind: pa.DataType, name: str, whole: str, span: Span) -> KadeQLBindError:
    held, hint = "times", "Write a time as text: '2013-07-04 12:30:00', or TIMESTAMP '2013-07-04 12:30:00'."
    if pa.types.is_integer(kind):
        held, hint = "whole numbers", "Write a whole number."
    elif getattr(kind, "tz", None) is not None:
        held, hint = "times of a zone", "Write the zone too: '2013-07-04 12:30:00+00:00'."
    return KadeQLBindError(
        f"The column of departures holds {held}, and {name} is {value.as_py()!r}.",
        text=whole,
        span=span,
        hint=hint,
    )


def _none(whole: str, span: Span, what: str, where: str) -> KadeQLBindError:
    return KadeQLBindError(
        f"{where} is NULL.", text=whole, span=span, hint=f"Give {what}, or leave {where} out."
    )
