"""The first rows of an order go down, so that only they are worked out and joined."""

from __future__ import annotations

from luma_bench.plan.nodes import Asof, Join, JoinColumn, Limit, Node, Project, Sort, SortKey, Union
from luma_bench.plan.rules.rowwise import below, is_rowwise
from luma_bench.plan.walk import kinds_of, transform


def push_topk(plan: Node) -> Node:
    """`Limit(Sort(Project(x, …), k), n)` → `Project(Limit(Sort(x, k), n), …)` where `k` is a column of `x`.

    Both stay above, and the first n rows are taken already below, of each part of a union, and of the left side of a left
    or as-of join whose order is by columns of that side: no other rows can be among the first n.
    """

    def change(node: Node) -> Node:
        if not (isinstance(node, Limit) and isinstance(node.child, Sort)):
            return node
        keys, at = node.child.keys, node.child.child
        above: list[Project] = []
        while isinstance(at, Project) and is_rowwise(at) and (lower := below(keys, at.passed)) is not None:
            above.append(at)
            keys, at = lower, at.child
        changed = _entered(at, keys, node.count + node.offset)
        if not above and changed is at:
            return node
        made: Node = Limit(Sort(changed, keys), node.count, node.offset)
        for step in reversed(above):
            made = Project(made, step.columns)
        return made

    return transform(plan, change)


def _entered(node: Node, keys: tuple[SortKey, ...], rows: int) -> Node:
    """The node with its inputs cut to what the first `rows` of its rows can come from."""
    if isinstance(node, Union):
        kinds = [kinds_of(part) for part in node.parts]
        if any(len({part[key.name] for part in kinds}) > 1 for key in keys):
            return node  # the parts are sorted as other types than their union
        parts = [_first(part, keys, rows) for part in node.parts]
        same = all(new is old for new, old in zip(parts, node.parts, strict=True))
        return node if same else Union(tuple(parts))
    if isinstance(node, Asof) or (isinstance(node, Join) and node.how == "left"):
        lower = below(keys, _of_left(node.columns))
        if lower is not None:
            left = _first(node.left, lower, rows)
            return node if left is node.left else node.with_children([left, node.right])
    return node


def _of_left(columns: tuple[JoinColumn, ...]) -> dict[str, str]:
    return {
        column.name: column.left for column in columns if column.left is not None and column.right is None
    }


def _first(node: Node, keys: tuple[SortKey, ...], rows: int) -> Node:
    """The first rows of the node in the order of the keys; itself where it gives no more."""
    at = node
    while isinstance(at, Project):
        at = at.child
    if isinstance(at, Limit) and at.count <= rows:
        return node
    return Limit(Sort(node, keys), rows)
