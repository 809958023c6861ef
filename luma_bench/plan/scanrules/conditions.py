"""Conditions of a text as predicates that a scan can be tested with, where both mean exactly the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from luma_bench.plan.scanrules.constants import Inexact, constant
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Operator, Or, Predicate
from luma_bench.types.schema import Column
from luma_bench.types.sql_types import engine_type

Resolve = Callable[[exp.Column], Column | None]
"""The stored column that a name means; None for a name that is something else."""

_DEEPEST = 40
_MOST_VALUES = 200
_OPERATORS: tuple[tuple[type[exp.Expr], Operator, Operator], ...] = (
    (exp.EQ, "=", "="),
    (exp.NEQ, "!=", "!="),
    (exp.LT, "<", ">"),
    (exp.LTE, "<=", ">="),
    (exp.GT, ">", "<"),
    (exp.GTE, ">=", "<="),
)


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that must all be TRUE."""
    if condition is None:
        return
    pending = [condition]
    while pending:
        node = pending.pop()
        if isinstance(node, exp.Where | exp.Paren):
            pending.append(node.this)
        elif isinstance(node, exp.And):
            pending += [node.expression, node.this]
        else:
            yield node


def predicate(node: exp.Expr, resolve: Resolve, params: Mapping[str, object]) -> Predicate | None:
    """The condition as a predicate over stored columns; None where that would not be exactly what it means."""
    try:
        return _predicate(node, resolve, params, 0)
    except Inexact:
        return None


def column_type(column: Column) -> str | None:
    """The SQL type in which a column's values compare as they are stored; None where that is another one."""
    return engine_type(column.type) if column.sql_type is None else None


def _predicate(node: exp.Expr, resolve: Resolve, params: Mapping[str, object], depth: int) -> Predicate:
    if depth > _DEEPEST:
        raise Inexact(node)
    match node:
        case exp.Paren():
            return _predicate(node.this, resolve, params, depth + 1)
        case exp.And() | exp.Or():
            left = _predicate(node.this, resolve, params, depth + 1)
            right = _predicate(node.expression, resolve, params, depth + 1)
            return And(left, right) if isinstance(node, exp.And) else Or(left, right)
        case exp.Not():
            return Not(_predicate(node.this, resolve, params, depth + 1))
        case exp.Is() if isinstance(node.expression, exp.Null):
            return IsNull(_stored(node.this, resolve).name)
        case exp.Between() if not node.args.get("symmetric"):
            low = _comparison(node.this, ">=", node.args["low"], resolve, params)
            return And(low, _comparison(node.this, "<=", node.args["high"], resolve, params))
        case exp.In() if not _others(node, "this", "expressions") and node.expressions:
            return _membership(node, resolve, params)
        case _:
            for kind, op, turned in _OPERATORS:
                if type(node) is kind:
                    if isinstance(node.this, exp.Column):
                        return _comparison(node.this, op, node.expression, resolve, params)
                    return _comparison(node.expression, turned, node.this, resolve, params)
            raise Inexact(node)


def _comparison(
    left: exp.Expr,
    op: Operator,
    right: exp.Expr,
    resolve: Resolve,
    params: Mapping[str, object],
) -> Comparison:
    column = _stored(left, resolve)
    kind = column_type(column)
    if kind is None:
        raise Inexact(left)
    return Comparison(column.name, op, constant(right, column.type, params), kind)


def _membership(node: exp.In, resolve: Resolve, params: Mapping[str, object]) -> In:
    column = _stored(node.this, resolve)
    kind = column_type(column)
    if kind is None or len(node.expressions) > _MOST_VALUES:
        raise Inexact(node)
    return In(column.name, tuple(constant(item, column.type, params) for item in node.expressions), kind)


def _stored(node: exp.Expr, resolve: Resolve) -> Column:
    column = resolve(node) if isinstance(node, exp.Column) else None
    if column is None:
        raise Inexact(node)
    return column


def _others(node: exp.Expr, *known: str) -> bool:
    """Whether a node has parts besides those that are known here."""
    return any(value for key, value in node.args.items() if key not in known)
