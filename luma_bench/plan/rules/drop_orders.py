"""An order that nothing above can see is not asked for."""

from __future__ import annotations

from luma_bench.plan.nodes import Aggregate, Asof, Distinct, Filter, Join, Node, Project, Sort, Union
from luma_bench.plan.walk import transform


def drop_orders(plan: Node) -> Node:
    """A sort below a grouping, a join, a DISTINCT or another sort goes, unless a limit between them reads it.

    Of two sorts in a row only the upper counts: rows that tie are in no order.
    """

    def change(node: Node) -> Node:
        if not isinstance(node, Aggregate | Join | Asof | Union | Distinct | Sort):
            return node
        inputs = [_unsorted(child) for child in node.children]
        same = all(new is old for new, old in zip(inputs, node.children, strict=True))
        return node if same else node.with_children(inputs)

    return transform(plan, change)


def _unsorted(node: Node) -> Node:
    """The node without the sorts that only filters and projections stand above."""
    above: list[Node] = []
    at = node
    found = False
    while isinstance(at, Filter | Project | Sort):
        if isinstance(at, Sort):
            found = True
        else:
            above.append(at)
        at = at.child
    if not found:
        return node
    for step in reversed(above):
        at = step.with_children([at])
    return at
