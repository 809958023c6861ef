"""Limits go down, so that less is worked out and joined."""

from __future__ import annotations

from luma_bench.plan.nodes import Asof, Explode, Join, Limit, Node, Project, Union
from luma_bench.plan.rules.rowwise import is_rowwise
from luma_bench.plan.walk import transform


def push_limits(plan: Node) -> Node:
    """`Limit(Project(x), n)` → `Project(Limit(x, n))`, unless the projection has windows, which see all rows.

    A limit stays above, and its first n rows are taken already below, of each part of a union, of the left side of a left
    or as-of join, and of lists that are spread: each row there makes at least one row here.
    """

    def change(node: Node) -> Node:
        if not isinstance(node, Limit):
            return node
        above: list[Project] = []
        at = node.child
        while isinstance(at, Project) and is_rowwise(at):
            above.append(at)
            at = at.child
        changed = _entered(at, node.count + node.offset)
        if not above and changed is at:
            return node
        made: Node = Limit(changed, node.count, node.offset)
        for step in reversed(above):
            made = Project(made, step.columns)
        return made

    return transform(plan, change)


def _entered(node: Node, rows: int) -> Node:
    """The node with its inputs cut to what `rows` of its rows can come from."""
    match node:
        case Union():
            parts = [_cut(part, rows) for part in node.parts]
            same = all(new is old for new, old in zip(parts, node.parts, strict=True))
            return node if same else Union(tuple(parts))
        case Join() if node.how == "left":
            left = _cut(node.left, rows)
            return node if left is node.left else node.with_children([left, node.right])
        case Asof():
            left = _cut(node.left, rows)
            return node if left is node.left else node.with_children([left, node.right])
        case Explode():
            child = _cut(node.child, rows)
            return node if child is node.child else node.with_children([child])
        case _:
            return node


def _cut(node: Node, rows: int) -> Node:
    """At most that many rows of the node; itself where it gives no more."""
    at = node
    while isinstance(at, Project):
        at = at.child
    if isinstance(at, Limit) and at.count <= rows:
        return node
    return Limit(node, rows)
