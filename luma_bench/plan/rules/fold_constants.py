"""What constants alone decide is decided here: arithmetic, comparisons, and what TRUE and FALSE make of AND, OR and NOT."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import partial

from luma_bench.plan.expressions import (
    Between,
    Call,
    Expression,
    IsIn,
    IsNull,
    Literal,
    fold,
    is_atom,
)
from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of
from luma_bench.plan.literals import constant
from luma_bench.plan.nodes import Aggregate, Filter, Node, Project
from luma_bench.plan.walk import kinds_of, transform

Number = int | float
Kinds = Callable[[], Mapping[str, Kind]]

_ARITHMETIC: Mapping[str, Callable[[Number, Number], Number]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
_COMPARISONS: Mapping[str, Callable[[Number, Number], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1
"""An INTEGER: whole constants outside are of other types, so arithmetic that leaves it stays with the engine."""
_TRUE, _FALSE = Literal(True), Literal(False)


def fold_constants(plan: Node) -> Node:
    """`a > 2 + 3 AND TRUE` → `a > 5`; a filter by TRUE goes.

    Types stay as they were: numbers are put in only where they are compared or come out as they are, for `a + 5` may be
    of a smaller type than `a + (2 + 3)`. `x AND TRUE` is `x` only where `x` is a truth value. NULL stays NULL: nothing is
    folded that reads one.
    """

    def change(node: Node) -> Node:
        match node:
            case Filter():
                condition = _folded(node.condition, partial(kinds_of, node.child))
                if _truth(condition) is True:
                    return node.child
                return node if condition is node.condition else Filter(node.child, condition)
            case Project():
                columns = [
                    (name, _folded(part, partial(kinds_of, node.child))) for name, part in node.columns
                ]
                same = all(new is old for (_, new), (_, old) in zip(columns, node.columns, strict=True))
                return node if same else Project(node.child, tuple(columns))
            case Aggregate():
                parts = [part for _, call in node.measures for part in call.operands]
                made = {id(part): _folded(part, partial(kinds_of, node.child)) for part in parts}
                if all(made[id(part)] is part for part in parts):
                    return node
                measures = [(name, call.over(lambda part: made[id(part)])) for name, call in node.measures]
                return Aggregate(node.child, node.keys, tuple(measures))
            case _:
                return node

    return transform(plan, change)


def _folded(expression: Expression, kinds: Kinds) -> Expression:
    if is_atom(expression) or not _is_foldable(expression):
        return expression

    def visit(node: Expression, below: tuple[_Part, ...]) -> _Part:
        inputs = [part for part, _ in below]
        if isinstance(node, Between) or (isinstance(node, Call) and node.function in _COMPARISONS):
            inputs = [_shown(part) for part in below]
        if any(new is not old for new, old in zip(inputs, node.children, strict=True)):
            node = node.with_children(inputs)
        match node:
            case Literal():
                return node, _number(node.value)
            case Call() if node.function in _ARITHMETIC:
                return node, _arithmetic(node.function, below[0][1], below[1][1])
            case Call() if node.function == "neg":
                return node, None if below[0][1] is None else _within(-below[0][1])
            case Call() if node.function in _COMPARISONS:
                return _compared(node, below), None
            case Call() if node.function in ("and", "or"):
                return _joined(node, kinds), None
            case Call() if node.function == "not":
                return _negated(node, kinds), None
            case IsNull() if isinstance(node.operand, Literal):
                return Literal((constant(node.operand.value) == "NULL") is not node.negated), None
            case IsIn() if not node.values and not node.null:
                return _FALSE, None
            case _:
                return node, None

    return _shown(fold(expression, visit))


def _is_foldable(expression: Expression) -> bool:
    """Whether something in the expression is decided by constants, from which all folding starts."""
    seen: set[int] = set()
    pending: list[Expression] = [expression]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Call() if node.function in ("and", "or", "not"):
                inner = node.args[0]
                if any(isinstance(part, Literal) for part in node.args):
                    return True
                if node.function == "not" and isinstance(inner, Call) and inner.function == "not":
                    return True
            case Call() if node.function in _COMPARISONS or node.function in _ARITHMETIC:
                if all(isinstance(part, Literal) for part in node.args):
                    return True
            case Call() if node.function == "neg":
                if isinstance(node.args[0], Literal):
                    return True
            case IsNull():
                if isinstance(node.operand, Literal):
                    return True
            case IsIn():
                if not node.values and not node.null:
                    return True
            case _:
                pass
        pending += node.children
    return False


_Part = tuple[Expression, Number | None]
"""An expression, and its value where it is a number made of constants."""


def _shown(part: _Part) -> Expression:
    expression, value = part
    return expression if value is None or isinstance(expression, Literal) else Literal(value)


def _number(value: object) -> Number | None:
    """The value of a constant that is an INTEGER or a finite DOUBLE."""
    if type(value) is int or type(value) is float:
        return _within(value)
    return None


def _within(value: Number) -> Number | None:
    return value if (math.isfinite(value) if isinstance(value, float) else _LEAST <= value <= _MOST) else None


def _arithmetic(function: str, left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None or (function == "div" and right == 0):
        return None
    try:
        return _within(_ARITHMETIC[function](left, right))
    except OverflowError:
        return None


def _compared(node: Call, below: tuple[_Part, ...]) -> Expression:
    (_, left), (_, right) = below
    if left is None or right is None:
        return node
    return Literal(_COMPARISONS[node.function](left, right))


def _joined(node: Call, kinds: Kinds) -> Expression:
    """AND without TRUE, OR without FALSE; the other constant decides all of it."""
    decides = node.function == "or"
    if any(_truth(part) is decides for part in node.args):
        return Literal(decides)
    kept = [part for part in node.args if _truth(part) is None]
    if len(kept) == len(node.args):
        return node
    if not kept:
        return Literal(not decides)
    if len(kept) == 1:
        return kept[0] if kind_of(kept[0], kinds()) == "bool" else node
    return Call(node.function, tuple(kept))


def _negated(node: Call, kinds: Kinds) -> Expression:
    inner = node.args[0]
    truth = _truth(inner)
    if truth is not None:
        return _FALSE if truth else _TRUE
    if isinstance(inner, Call) and inner.function == "not" and kind_of(inner.args[0], kinds()) == "bool":
        return inner.args[0]
    return node


def _truth(expression: Expression) -> bool | None:
    return (
        expression.value if isinstance(expression, Literal) and isinstance(expression.value, bool) else None
    )
