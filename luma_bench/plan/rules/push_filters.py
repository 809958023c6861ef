"""Filters go down, to where fewer columns and more rows are: below projections and sorts, and into joins."""

from __future__ import annotations

from luma_bench.plan.expressions import (
    ColumnRef,
    Expression,
    SqlCondition,
    all_of,
    columns_of,
    conjuncts,
    substitute,
)
from luma_bench.plan.nodes import Filter, Join, Node, Project, Sort
from luma_bench.plan.walk import transform


def push_filters(plan: Node) -> Node:
    """Each conjunct sinks as far as it keeps its meaning.

    Below a projection when every column it reads is handed on unchanged or under another name; below a sort always;
    to one side of a join when it reads that side alone and the join keeps no rows of that side unmatched.
    """

    def change(node: Node) -> Node:
        if not isinstance(node, Filter):
            return node
        below = node.child
        stay: list[Expression] = []
        moved = False
        for part in conjuncts(node.condition):
            sunk = _sink(part, below)
            if sunk is None:
                stay.append(part)
            else:
                below, moved = sunk, True
        if not moved:
            return node
        return Filter(below, all_of(stay)) if stay else below

    return transform(plan, change)


def _sink(condition: Expression, node: Node) -> Node | None:
    """The node with the condition below it, or None when it cannot go there."""
    above: list[Node] = []
    while True:
        if isinstance(node, Sort):
            lower = condition
        elif isinstance(node, Project):
            lower = _through(condition, node.passed)
            if lower is None:
                break
        else:
            break
        above.append(node)
        condition, node = lower, node.child
    placed = _into_join(condition, node) if isinstance(node, Join) else None
    if placed is None:
        if not above:
            return None
        placed = Filter(node, condition)
    for step in reversed(above):
        placed = step.with_children([placed])
    return placed


def _through(condition: Expression, passed: dict[str, str]) -> Expression | None:
    """The condition over the names below, when all it reads is handed on."""
    names = columns_of(condition)
    if not names <= passed.keys():
        return None
    if isinstance(condition, SqlCondition) and any(passed[name] != name for name in names):
        return None
    renames: dict[str, Expression] = {name: ColumnRef(passed[name]) for name in names if passed[name] != name}
    return substitute(condition, renames) if renames else condition


def _into_join(condition: Expression, join: Join) -> Node | None:
    names = columns_of(condition)
    left = {
        column.name: column.left
        for column in join.columns
        if column.left is not None and column.right is None
    }
    right = {
        column.name: column.right
        for column in join.columns
        if column.right is not None and column.left is None
    }
    if join.how in ("inner", "cross", "left", "semi", "anti"):
        lower = _through(condition, left) if names else None
        if lower is not None:
            return join.with_children([Filter(join.left, lower), join.right])
    if join.how in ("inner", "cross", "right"):
        lower = _through(condition, right) if names else None
        if lower is not None:
            return join.with_children([join.left, Filter(join.right, lower)])
    return None
