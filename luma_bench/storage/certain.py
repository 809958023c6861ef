"""What zone maps prove of whole chunks: every row TRUE. `prune.may_hold` proves that none is."""

from __future__ import annotations

import numpy as np

from luma_bench.storage.predicates import Both, Compare, Either, Known, Member, Negated, Null, Test
from luma_bench.storage.prune import ZoneLookup, may_hold


def all_true(test: Test, zones: ZoneLookup) -> np.ndarray:
    """For every chunk whether each of its rows, deleted ones too, makes the test TRUE; False proves nothing."""
    return _certain(test, zones)[0]


def _certain(test: Test, zones: ZoneLookup) -> tuple[np.ndarray, np.ndarray]:
    """For every chunk whether all rows are TRUE, and whether all are FALSE."""
    match test:
        case Both(left, right):
            (left_true, left_false), (right_true, right_false) = _certain(left, zones), _certain(right, zones)
            return left_true & right_true, left_false | right_false
        case Either(left, right):
            (left_true, left_false), (right_true, right_false) = _certain(left, zones), _certain(right, zones)
            return left_true | right_true, left_false & right_false
        case Negated(operand):
            true, false = _certain(operand, zones)
            return false, true
        case Null(column, negated):
            zone = zones(column)
            null, valid = zone.nulls == zone.rows, zone.nulls == 0
            return (valid, null) if negated else (null, valid)
        case Known() | Member() | Compare():
            # Without NULL every row is TRUE or FALSE: what cannot be the one is the other.
            valid = zones(test.column).nulls == 0
            return valid & ~may_hold(Negated(test), zones), valid & ~may_hold(test, zones)
