"""Expressions as KadeQL text: the fewest parentheses that keep the tree, and no recursion."""

from __future__ import annotations

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
from luma_bench.plan.functions import AGGREGATES, ATOM, COMPARISON, CONCAT, FUNCTIONS, NEGATION, NOT, OR
from luma_bench.plan.literals import constant

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
    operand = "" if call.operand is None else write(call.operand, column)
    return AGGREGATES[call.function].form.format(
        operand, "" if call.parameter is None else constant(call.parameter)
    )


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
