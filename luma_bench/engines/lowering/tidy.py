"""Nodes put on each other without steps that change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.plan.relational.expressions import (
    And,
    Column,
    Compare,
    Expression,
    Not,
    Or,
    Sql,
    columns_of,
    conjuncts,
)
from luma_bench.plan.relational.nodes import Aggregate, Filter, Measure, Node, Project, Scan, Union

TRUE = Sql(("true",))
"""The condition that always holds."""


def replaced(expression: Expression, given: Sequence[Expression]) -> Expression:
    """An expression with another one for each of its columns."""
    match expression:
        case Column():
            return given[expression.index]
        case Sql():
            return Sql(expression.parts, tuple(replaced(part, given) for part in expression.args))
        case And():
            return And(tuple(replaced(part, given) for part in expression.args))
        case Or():
            return Or(tuple(replaced(part, given) for part in expression.args))
        case Not():
            return Not(replaced(expression.arg, given))
        case Compare():
            left, right = replaced(expression.left, given), replaced(expression.right, given)
            return Compare(expression.operator, left, right)


def grouped(child: Node, keys: Sequence[Expression], measures: tuple[Measure, ...]) -> Node:
    """Groups by the keys that read something; constants among them are put beside the groups, unless there are only such."""
    read = [place for place, key in enumerate(keys) if columns_of(key)]
    if not read or len(read) == len(keys):
        return Aggregate(child, tuple(keys), measures)
    node = Aggregate(child, tuple(keys[place] for place in read), measures)
    given = [Column(read.index(place)) if place in read else key for place, key in enumerate(keys)]
    return projected(node, [*given, *(Column(len(read) + place) for place in range(len(measures)))])


def projected(node: Node, given: Sequence[Expression]) -> Node:
    """The expressions over a node; into a projection below where that only picks columns and lists constants."""
    if isinstance(node, Project) and all(_is_plain(part) for part in node.expressions):
        return projected(node.child, [replaced(part, node.expressions) for part in given])
    if list(given) == [Column(place) for place in range(node.width)]:
        return node
    if isinstance(node, Scan) and all(isinstance(part, Column) for part in given):
        places_read = [part.index for part in given if isinstance(part, Column)]
        if len(set(places_read)) == len(places_read):
            return Scan(node.name, tuple(node.columns[place] for place in places_read), node.shared)
    return Project(node, tuple(given))


def filtered(node: Node, condition: Expression) -> Node:
    """The rows for which a condition is TRUE; together with those of a filter below."""
    if condition == TRUE:
        return node
    if isinstance(node, Filter):
        return Filter(node.child, And((*conjuncts(node.condition), *conjuncts(condition))))
    return Filter(node, condition)


def united(parts: Sequence[Node]) -> Node:
    """The rows of all parts; unions among them are spread."""
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Union) else (part,)
    return flat[0] if len(flat) == 1 else Union(tuple(flat))


def _is_plain(expression: Expression) -> bool:
    return isinstance(expression, Column) or (isinstance(expression, Sql) and not expression.args)
