"""Two limits in a row become one."""

from __future__ import annotations

from luma_bench.plan.nodes import Limit, Node
from luma_bench.plan.walk import transform


def merge_limits(plan: Node) -> Node:
    """`Limit(Limit(x, n, a), m, b)` → `Limit(x, min(m, n - b), a + b)`."""

    def change(node: Node) -> Node:
        if not (isinstance(node, Limit) and isinstance(node.child, Limit)):
            return node
        inner = node.child
        return Limit(
            inner.child, max(0, min(node.count, inner.count - node.offset)), inner.offset + node.offset
        )

    return transform(plan, change)
