"""What zone maps prove: which chunks cannot hold a TRUE row, and how many rows the others are likely to keep."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from luma_bench.storage.predicates import Both, Compare, Either, Known, Member, Negated, Null, Test
from luma_bench.storage.zones import Zones
from luma_bench.types.predicate import Operator

ZoneLookup = Callable[[str], Zones]
"""The zone map of a column, over the chunks in question."""

_OPPOSITE: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_UNKNOWN_EQUAL, _UNKNOWN_RANGE = 0.01, 0.3
_LISTED = 16
"""Values of a list that are compared with every chunk one by one."""


def may_hold(test: Test, zones: ZoneLookup) -> np.ndarray:
    """For every chunk whether it may hold a TRUE row; False is a proof that it holds none."""
    return _possible(test, zones)[0]


def _possible(test: Test, zones: ZoneLookup) -> tuple[np.ndarray, np.ndarray]:
    """For every chunk whether some row may be TRUE, and whether some row may be FALSE."""
    match test:
        case Both(left, right):
            (left_true, left_false), (right_true, right_false) = (
                _possible(left, zones),
                _possible(right, zones),
            )
            return left_true & right_true, left_false | right_false
        case Either(left, right):
            (left_true, left_false), (right_true, right_false) = (
                _possible(left, zones),
                _possible(right, zones),
            )
            return left_true | right_true, left_false & right_false
        case Negated(operand):
            true, false = _possible(operand, zones)
            return false, true
        case Null(column, negated):
            zone = zones(column)
            null, valid = zone.nulls > 0, zone.nulls < zone.rows
            return (valid, null) if negated else (null, valid)
        case Known(column, truth):
            zone = zones(column)
            valid, none = zone.nulls < zone.rows, np.zeros(len(zone.rows), bool)
            return (valid, none) if truth else (none, valid)
        case Member(column, values):
            zone = zones(column)
            if len(values) > _LISTED and (found := _member_of_many(zone, values)) is not None:
                return found
            true = np.zeros(len(zone.rows), bool)
            for value in values:
                true |= _compared(zone, "=", value)
            single = np.zeros(len(zone.rows), bool)
            if zone.bounded:
                for value in values:
                    low, high, value = _against(zone, value)
                    single |= (
                        zone.known & ~zone.nan & ~zone.open & _where(low == value) & _where(high == value)
                    )
            return true, (zone.nulls < zone.rows) & ~single
        case Compare(column, op, value):
            zone = zones(column)
            return _compared(zone, op, value), _compared(zone, _OPPOSITE[op], value)


def _member_of_many(zone: Zones, values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """The same for a long list of values: a search in it for each chunk; None where the values have no order."""
    if not zone.bounded or any(value != value for value in values):
        return None
    try:
        ordered = sorted(values)
        true, single = np.zeros((2, len(zone.rows)), bool)
        for chunk in np.flatnonzero(zone.known):
            low, high = zone.low[chunk], zone.high[chunk]
            at = bisect.bisect_left(ordered, low)
            if at < len(ordered) and (zone.open[chunk] or ordered[at] <= high):
                true[chunk] = True
                single[chunk] = low == high == ordered[at] and not zone.nan[chunk] and not zone.open[chunk]
    except TypeError:
        return None
    return true, (zone.nulls < zone.rows) & ~single


def _where(mask: Any) -> np.ndarray:
    return np.asarray(mask, dtype=bool)


def _against(zone: Zones, value: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """The bounds and a constant, such that comparing them is comparing the values."""
    if not zone.known.any():
        # Bounds without a meaning may be of a type that does not compare; the constant itself does.
        none = np.empty(len(zone.known), object)
        none[:] = [value] * len(none)
        return none, none, np.array(value, object)
    # NumPy would make a fixed-size string of bytes, and drop the NULs at its end.
    return zone.low, zone.high, np.array(value, object) if isinstance(value, bytes) else value


def _compared(zone: Zones, op: Operator, value: Any) -> np.ndarray:
    """Whether a chunk may hold a value that compares so; every value is in [low, high] or NaN or NULL."""
    if not zone.bounded:
        return zone.nulls < zone.rows
    known = zone.known
    if isinstance(value, float) and math.isnan(value):
        match op:
            case "=" | ">=":
                return zone.nan
            case "<" | "!=":
                return known
            case "<=":
                return known | zone.nan
            case _:
                return np.zeros(len(known), bool)
    low, high, value = _against(zone, value)
    match op:
        case "=":
            return known & _where(low <= value) & (_where(high >= value) | zone.open)
        case "!=":
            # Bounds may be rounded outward; where they meet, every value is that one.
            return (known & ~(_where(low == value) & _where(high == value) & ~zone.open)) | zone.nan
        case "<":
            return known & _where(low < value)
        case "<=":
            return known & _where(low <= value)
        case ">":
            return (known & (_where(high > value) | zone.open)) | zone.nan
        case _:
            return (known & (_where(high >= value) | zone.open)) | zone.nan


def likely_share(test: Test, zones: ZoneLookup, distinct: Callable[[str], int | None]) -> np.ndarray:
    """For every chunk the share of its rows that is likely TRUE, as if values lay evenly between the bounds."""
    match test:
        case Both(left, right):
            return likely_share(left, zones, distinct) * likely_share(right, zones, distinct)
        case Either(left, right):
            return np.minimum(1.0, likely_share(left, zones, distinct) + likely_share(right, zones, distinct))
        case Negated(operand):
            return 1.0 - likely_share(operand, zones, distinct)
        case Null(column, negated):
            zone = zones(column)
            share = zone.nulls / np.maximum(zone.rows, 1)
            return 1.0 - share if negated else share
        case Known(column, truth):
            return np.full(len(zones(column).rows), float(truth))
        case Member(column, values):
            return np.minimum(1.0, len(values) * _equal_share(zones(column), distinct(column)))
        case Compare(column, op, value):
            return _range_share(zones(column), op, value, distinct(column))


def _equal_share(zone: Zones, distinct: int | None) -> np.ndarray:
    chunks = len(zone.rows)
    if distinct:
        return np.full(chunks, 1.0 / distinct)
    if zone.bounded and zone.low.dtype.kind in "iu":
        return 1.0 / (zone.high.astype(float) - zone.low.astype(float) + 1.0)
    if zone.bounded and zone.low.dtype.kind == "f":
        return np.where(zone.high > zone.low, 1.0 / np.maximum(zone.rows, 1), 1.0)
    return np.full(chunks, _UNKNOWN_EQUAL)


def _range_share(zone: Zones, op: Operator, value: Any, distinct: int | None) -> np.ndarray:
    if op == "=":
        return _equal_share(zone, distinct)
    if op == "!=":
        return 1.0 - _equal_share(zone, distinct)
    if (
        not zone.bounded
        or zone.low.dtype.kind not in "iuf"
        or isinstance(value, bytes)
        or (isinstance(value, float) and math.isnan(value))
    ):
        return np.full(len(zone.rows), _UNKNOWN_RANGE)
    low, high = zone.low.astype(float), zone.high.astype(float)
    with np.errstate(invalid="ignore", over="ignore"):
        below = np.where(
            high > low, (float(value) - low) / np.where(high > low, high - low, 1.0), low < float(value)
        )
    below = np.clip(np.nan_to_num(below, nan=0.5), 0.0, 1.0)
    return below if op in ("<", "<=") else 1.0 - below
