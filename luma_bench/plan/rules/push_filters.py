"""Filters go down, to where fewer columns and more rows are: below projections and sorts, and into joins."""

from __future__ import annotations

from luma_bench.plan.expressions import (
    Between,
    Call,
    ColumnRef,
    Expression,
    IsIn,
    IsNull,
    Literal,
    SqlCondition,
    all_of,
    columns_of,
    conjuncts,
    has,
    substitute,
)
from luma_bench.plan.nodes import Aggregate, Distinct, Explode, Filter, Join, Node, Project, Sort, Union
from luma_bench.plan.rules.rowwise import is_rowwise, partitioned_by
from luma_bench.plan.walk import kinds_of, transform
from luma_bench.plan.window import Origin, Window

_COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
_ALIKE = frozenset(("bool", "int", "text", "date"))
"""Kinds whose equal values are equal in every type of the kind."""


def push_filters(plan: Node) -> Node:
    """Each conjunct sinks as far as it keeps its meaning.

    Below a projection when every column it reads is handed on unchanged or under another name, and below windows when
    they are partitioned by these columns; below a sort always;
    below a grouping when it reads keys alone, and so of distinct rows and lists that are spread; into every part of a
    union; to one side of a join when it reads that side alone and the join keeps no rows of that side unmatched, and a
    plain test of its keys to the other side too.
    """

    def change(node: Node) -> Node:
        if not isinstance(node, Filter) or has(node.condition, Window):
            return node  # a part that sank would take rows from under the windows of the others
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
        if isinstance(node, Sort) or (isinstance(node, Filter) and not has(node.condition, Window)):
            lower = condition
        elif isinstance(node, Project):
            lower = _through(condition, node.passed)
            # A filter below a window would take rows from under it, but for one that takes whole partitions.
            if lower is None or not (is_rowwise(node) or _takes_partitions(lower, node)):
                break
        else:
            break
        above.append(node)
        condition, node = lower, node.child
    placed = None if has(condition, Origin) else _entered(condition, node)
    if placed is None:
        while above and isinstance(above[-1], Filter):
            node = above.pop()  # beside other filters it stands as well above them
        if not above:
            return None
        placed = Filter(node, condition)
    for step in reversed(above):
        placed = step.with_children([placed])
    return placed


def _takes_partitions(condition: Expression, node: Project) -> bool:
    names = columns_of(condition)
    return bool(names) and not has(condition, Origin) and names <= partitioned_by(node)


def _through(condition: Expression, passed: dict[str, str]) -> Expression | None:
    """The condition over the names below, when all it reads is handed on."""
    names = columns_of(condition)
    if not names <= passed.keys():
        return None
    if isinstance(condition, SqlCondition) and any(passed[name] != name for name in names):
        return None
    renames: dict[str, Expression] = {name: ColumnRef(passed[name]) for name in names if passed[name] != name}
    return substitute(condition, renames) if renames else condition


def _entered(condition: Expression, node: Node) -> Node | None:
    """The node with the condition on its inputs, or None when it has to stay above."""
    names = columns_of(condition)
    match node:
        case Aggregate():
            inside = bool(names) and names <= set(node.keys)
        case Distinct():
            inside = not node.on or (bool(names) and names <= set(node.on))
        case Explode():
            inside = names.isdisjoint(node.columns)
        case Union():
            kinds = [kinds_of(part) for part in node.parts]
            inside = all(len({part[name] for part in kinds}) == 1 for name in names)
        case Join():
            return _into_join(condition, node)
        case _:
            inside = False
    return node.with_children([Filter(child, condition) for child in node.children]) if inside else None


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
            other = _beyond(lower, join.left, join.right, dict(join.on))
            return join.with_children([Filter(join.left, lower), other])
    if join.how in ("inner", "cross", "right"):
        lower = _through(condition, right) if names else None
        if lower is not None:
            other = _beyond(lower, join.right, join.left, {b: a for a, b in join.on})
            return join.with_children([other, Filter(join.right, lower)])
    return None


def _beyond(condition: Expression, near: Node, far: Node, keys: dict[str, str]) -> Node:
    """The other side with the condition too, when it is a plain test of a key: equal keys pass it alike."""
    if not _is_plain(condition) or not (names := columns_of(condition)) <= keys.keys():
        return far
    kinds, others = kinds_of(near), kinds_of(far)
    if any(kinds[name] not in _ALIKE or kinds[name] != others[keys[name]] for name in names):
        return far
    lower = _through(condition, keys)
    return far if lower is None else Filter(far, lower)


def _is_plain(condition: Expression) -> bool:
    """Whether the condition compares one column with constants, so that values that are equal give the same."""
    parts = condition.children
    if isinstance(condition, IsIn | IsNull):
        return isinstance(parts[0], ColumnRef)
    compares = isinstance(condition, Between) or (
        isinstance(condition, Call) and condition.function in _COMPARISONS
    )
    columns = sum(isinstance(part, ColumnRef) for part in parts)
    return compares and columns == 1 and all(isinstance(part, ColumnRef | Literal) for part in parts)
