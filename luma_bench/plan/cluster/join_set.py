"""Inner joins as a set of relations and of conditions between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from luma_bench.plan.relational.expressions import (
    Column,
    Compare,
    Expression,
    columns_of,
    conjuncts,
    moved,
)
from luma_bench.plan.relational.nodes import Filter, Join, Node, Project


@dataclass(frozen=True, slots=True)
class JoinSet:
    """Relations and what has to hold between them, over all their columns one after the other.

    `outputs` are the positions of the columns that are handed on.
    """

    relations: tuple[Node, ...]
    conditions: tuple[Expression, ...]
    outputs: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many columns all relations have together."""
        return sum(node.width for node in self.relations)


def flattened(node: Node) -> JoinSet:
    """The inner joins from a node downwards, through filters and through projections that only choose columns."""
    match node:
        case Join(kind="inner" | "cross"):
            return _both(node, flattened(node.left), flattened(node.right))
        case Filter() if _holds_joins(node.child):
            inner = flattened(node.child)
            places = dict(enumerate(inner.outputs))
            added = tuple(moved(part, places) for part in conjuncts(node.condition))
            return replace(inner, conditions=(*inner.conditions, *added))
        case Project() if _holds_joins(node.child) and all(
            isinstance(part, Column) for part in node.expressions
        ):
            inner = flattened(node.child)
            chosen = tuple(inner.outputs[part.index] for part in node.expressions if isinstance(part, Column))
            return replace(inner, outputs=chosen)
        case _:
            return JoinSet((node,), (), tuple(range(node.width)))


def _both(node: Join, left: JoinSet, right: JoinSet) -> JoinSet:
    shift = left.width
    theirs = tuple(at + shift for at in right.outputs)
    lower, upper = dict(enumerate(left.outputs)), dict(enumerate(theirs))
    both = dict(enumerate((*left.outputs, *theirs)))
    operator = "is not distinct from" if node.null_safe else "="
    found: list[Expression] = [
        Compare(operator, moved(mine, lower), moved(other, upper)) for mine, other in node.on
    ]
    found += [moved(part, both) for part in conjuncts(node.condition)]
    later = {at: at + shift for at in range(right.width)}
    return JoinSet(
        (*left.relations, *right.relations),
        (*left.conditions, *(moved(part, later) for part in right.conditions), *found),
        (*left.outputs, *theirs),
    )


def _holds_joins(node: Node) -> bool:
    """Whether inner joins follow below filters and projections."""
    while isinstance(node, Filter | Project):
        if isinstance(node, Project) and not all(isinstance(part, Column) for part in node.expressions):
            return False
        node = node.child
    return isinstance(node, Join) and node.kind in ("inner", "cross")


def equal_sides(
    condition: Expression, left: dict[int, int], right: dict[int, int]
) -> tuple[Expression, Expression] | None:
    """The two sides of an equality between relations, over the columns of each; None for any other condition.

    Parameters
    ----------
    left, right
        Where a column of the set stands in each relation.
    """
    if not isinstance(condition, Compare) or condition.operator != "=":
        return None
    one, other = columns_of(condition.left), columns_of(condition.right)
    if not one or not other:
        return None
    if one <= left.keys() and other <= right.keys():
        return moved(condition.left, left), moved(condition.right, right)
    if one <= right.keys() and other <= left.keys():
        return moved(condition.right, left), moved(condition.left, right)
    return None


def implied(conditions: Sequence[Expression], kinds: Mapping[int, str]) -> list[Expression]:
    """Equalities of columns that follow from others: `a = b` and `b = c` give `a = c`.

    Parameters
    ----------
    kinds
        The SQL types of the columns. Only columns of one type count: `'1' = 1` and `1 = '01'`, but not `'1' = '01'`.
    """
    classes: list[set[int]] = []
    stated: set[frozenset[int]] = set()
    for condition in conditions:
        match condition:
            case Compare(operator="=", left=Column() as left, right=Column() as right) if kinds.get(
                left.index, ""
            ) == kinds.get(right.index):
                pair = {left.index, right.index}
                stated.add(frozenset(pair))
                met = [one for one in classes if one & pair]
                classes = [one for one in classes if not one & pair]
                classes.append(pair.union(*met))
            case _:
                continue
    return [
        Compare("=", Column(one), Column(other))
        for members in classes
        for one in sorted(members)
        for other in sorted(members)
        if one < other and frozenset((one, other)) not in stated
    ]
