"""Functions of dates and timestamps without a zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.kinds import Kind, Range, Refused
from luma_bench.engines.polars.values import Value

_FAR = 2_900_000
"""Days from the epoch on either side within which both calendars agree: about 8,000 years."""
_PARTS: Mapping[str, tuple[Callable[[pl.Expr], pl.Expr], int, int]] = {
    "year": (lambda e: e.dt.year(), -10_000, 10_000),
    "month": (lambda e: e.dt.month(), 1, 12),
    "day": (lambda e: e.dt.day(), 1, 31),
    "quarter": (lambda e: e.dt.quarter(), 1, 4),
    "doy": (lambda e: e.dt.ordinal_day(), 1, 366),
    "dayofyear": (lambda e: e.dt.ordinal_day(), 1, 366),
    "isodow": (lambda e: e.dt.weekday(), 1, 7),
    "week": (lambda e: e.dt.week(), 1, 53),
    "hour": (lambda e: e.dt.hour(), 0, 23),
    "minute": (lambda e: e.dt.minute(), 0, 59),
}
_NAMES = {"years": "year", "months": "month", "days": "day", "quarters": "quarter", "dayofmonth": "day"}
_UNITS = {"year": "1y", "quarter": "1q", "month": "1mo", "week": "1w", "day": "1d"}


def _moment(value: Value) -> Value:
    if value.kind.family not in ("date", "timestamp"):
        raise Refused(f"a part of {value.kind.text}")
    far = _FAR if value.kind.family == "date" else _FAR * 86_400_000_000
    if not value.range.fits(-far, far):
        raise Refused("a date far from today")
    return value


def _part(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del duck
    if name in ("date_part", "datepart"):
        if not isinstance(values[0].literal, str):
            raise Refused("a part that is no constant")
        name, value = values[0].literal.lower(), values[1]
    else:
        (value,) = values
    name = _NAMES.get(name, name)
    if name not in _PARTS or kind.family != "integer":
        raise Refused(f"the part {name} of a date")
    if name in ("hour", "minute") and value.kind.family == "date":
        raise Refused(f"the {name} of a date")
    rule, low, high = _PARTS[name]
    expr = rule(_moment(value).expr).cast(kind.dtype)
    return Value(expr, kind, kind.dtype, Range(low, high), value.nullable)


def _truncated(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name, duck
    unit = str(values[0].literal).lower()
    value = _moment(values[1])
    if unit not in _UNITS or kind.family not in ("date", "timestamp"):
        raise Refused(f"date_trunc('{unit}', {value.kind.text}) as {kind.text}")
    moved = value.expr.dt.truncate(_UNITS[unit]).cast(kind.dtype)
    return Value(moved, kind, kind.dtype, kind.range, value.nullable)


CALENDAR: Mapping[str, Callable[[Sequence[Value], Kind, str, Duck], Value]] = {
    "date_part": _part,
    "datepart": _part,
    "year": _part,
    "month": _part,
    "day": _part,
    "quarter": _part,
    "dayofmonth": _part,
    "dayofyear": _part,
    "isodow": _part,
    "week": _part,
    "hour": _part,
    "minute": _part,
    "date_trunc": _truncated,
    "datetrunc": _truncated,
}
