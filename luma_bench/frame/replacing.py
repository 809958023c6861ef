"""Values for values: the expression of `map` with a dictionary and of `replace`, however many pairs there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luma_bench.frame.expr import is_missing, literal
from luma_bench.plan.expressions import Call, Case, Expression, IsIn, IsNull, Literal
from luma_bench.plan.functions import Kind

_FEW = 64
"""Pairs that are tried one after the other; more are looked up."""


def replaced(
    operand: Expression, kind: Kind, pairs: Mapping[Any, object], otherwise: Expression, *, nulls: bool = True
) -> Expression:
    """CASE over the pairs of old and new values; many pairs as a table of them.

    None among the old values, and NaN unless the operand is a float, stands for NULL; `nulls` says whether it counts.
    """
    known: list[tuple[Literal, Literal]] = []
    missing: list[tuple[Expression, Expression]] = []
    for key, value in pairs.items():
        if is_missing(key) or (isinstance(key, float) and key != key and kind != "real"):
            if nulls:
                missing.append((IsNull(operand), literal(value)))
        else:
            known.append((literal(key), literal(value)))
    if len(known) <= _FEW:
        tests = ((Call("eq", (operand, key)), value) for key, value in known)
        branches: tuple[tuple[Expression, Expression], ...] = (*missing, *tests)
        return Case(branches, otherwise) if branches else otherwise
    keys = [key.value for key, _ in known]
    found: Expression = Call("lookup", (operand, Literal(keys), Literal([value.value for _, value in known])))
    if otherwise != Literal(None):
        found = Case(((IsIn(operand, tuple(key for key, _ in known)), found),), otherwise)
    return Case(tuple(missing), found) if missing else found
