"""Expressions as KadeQL text: the fewest parentheses that keep the tree, and no recursion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    IsIn,
    IsNull,
    Literal,
    SqlCondition,
    conjuncts,
    fold,
)
from luma_bench.plan.functions import (
    AGGREGATES,
    ATOM,
    COMPARISON,
    CONCAT,
    FUNCTIONS,
    NEGATION,
    NOT,
    OR,
    WINDOWS,
)
from luma_bench.plan.literals import constant
from luma_bench.plan.window import Bound, Order, Origin, Window

Column = Callable[[str], str]
"""How a column is written: its name, or with the relation's alias before it."""

Written = tuple[str, int]
"""A text and its precedence (`plan.functions`): a looser one needs parentheses inside a tighter one."""


def write(expression: Expression, column: Column) -> str:
    """The text of an expression."""
    return _write(expression, column)[0]


def write_conditions(condition: Expression, column: Column) -> list[str]:
    """The texts of a condition's conjuncts, ready to be joined by AND."""
    return [_inside(_write(part, column), NOT) for part in conjuncts(condition)]


def write_aggregate(call: AggregateCall, column: Column) -> str:
    """The text of an aggregate."""
    operand, other = ("" if part is None else write(part, column) for part in (call.operand, call.other))
    parameter = "" if call.parameter is None else constant(call.parameter)
    text = AGGREGATES[call.function].form.format(operand, parameter, other)
    if call.order:
        keys = ", ".join(_order(key, write(key.key, column)) for key in call.order)
        text = f"{text[:-1]} ORDER BY {keys})"
    if call.where is not None:
        text += f" FILTER (WHERE {write(call.where, column)})"
    return text


def _write(expression: Expression, column: Column) -> Written:
    def visit(node: Expression, below: tuple[Written, ...]) -> Written:
        match node:
            case ColumnRef():
                return column(node.name), ATOM
            case Literal():
                shown = constant(node.value)
                return shown, NEGATION if shown.startswith("-") else ATOM
            case Call():
                return _call(node, below)
            case Cast():
                return f"CAST({below[0][0]} AS {node.type})", ATOM
            case Case():
                return _case(below), ATOM
            case IsIn():
                return _is_in(node, below[0])
            case Between():
                operand, low, high = (_inside(part, CONCAT) for part in below)
                return f"{operand} BETWEEN {low} AND {high}", COMPARISON
            case IsNull():
                return f"{_inside(below[0], CONCAT)} IS {'NOT ' if node.negated else ''}NULL", COMPARISON
            case Window():
                return _window(node, [text for text, _ in below]), ATOM
            case Origin():
                raise AssertionError("the origin of rows is a column by now: plan.rules.carry_origins")
            case SqlCondition():
                # The line break ends a comment that the text may end with.
                return f"({node.text}{chr(10) if '--' in node.text else ''})", ATOM

    return fold(expression, visit)


def _inside(part: Written, least: int) -> str:
    text, precedence = part
    return text if precedence >= least else f"({text})"


def _call(node: Call, below: tuple[Written, ...]) -> Written:
    function = FUNCTIONS[node.function]
    needs = function.inside
    parts = [_inside(part, needs[min(place, len(needs) - 1)]) for place, part in enumerate(below)]
    if function.joiner:
        return function.joiner.join(parts), function.precedence if len(parts) > 1 else below[0][1]
    if "{*}" in function.form:
        return function.form.replace("{*}", ", ".join(parts)), function.precedence
    return function.form.format(*parts), function.precedence


def _window(node: Window, below: list[str]) -> str:
    first, second = len(node.args), len(node.args) + len(node.partition)
    args = below[:first]
    known = WINDOWS.get(node.function)
    if known is None:
        operand, more = args[0] if args else "", args[1] if len(args) > 1 else ""
        text = AGGREGATES[node.function].form.format(operand, more, more)
    else:
        text = known.form.replace("{*}", ", ".join(args))
    if node.ignore_nulls:
        text = f"{text[:-1]} IGNORE NULLS)"
    inside: list[str] = []
    if node.partition:
        inside.append("PARTITION BY " + ", ".join(below[first:second]))
    if node.order:
        keys = zip(node.order, below[second:], strict=True)
        inside.append("ORDER BY " + ", ".join(_order(key, shown) for key, shown in keys))
    if node.frame is not None:
        rows = node.frame
        inside.append(
            f"{rows.unit.upper()} BETWEEN {_bound(rows.start, 'PRECEDING')} AND {_bound(rows.end, 'FOLLOWING')}"
        )
    return f"{text} OVER ({' '.join(inside)})"


def _bound(bound: Bound, open_end: str) -> str:
    if bound is None:
        return f"UNBOUNDED {open_end}"
    if not bound:
        return "CURRENT ROW"
    before = bound < dt.timedelta(0) if isinstance(bound, dt.timedelta) else bound < 0
    return f"{constant(abs(bound))} {'PRECEDING' if before else 'FOLLOWING'}"


def _order(key: Order, shown: str) -> str:
    return f"{shown}{' DESC' if key.descending else ''} NULLS {'LAST' if key.nulls_last else 'FIRST'}"


def _case(below: tuple[Written, ...]) -> str:
    texts = [text for text, _ in below]
    pairs = zip(texts[0:-1:2], texts[1:-1:2], strict=True)
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in pairs)} ELSE {texts[-1]} END"


def _is_in(node: IsIn, operand: Written) -> Written:
    shown = _inside(operand, CONCAT)
    values = ", ".join(constant(value.value) for value in node.values)
    inside = f"{shown} IN ({values})" if node.values else "FALSE"
    if node.null:
        return (
            f"{inside} OR {shown} IS NULL" if node.values else f"{shown} IS NULL",
            OR if node.values else COMPARISON,
        )
    return inside, COMPARISON if node.values else ATOM
