"""Two filters in a row become one."""

from __future__ import annotations

from luma_bench.plan.expressions import all_of, conjuncts
from luma_bench.plan.nodes import Filter, Node
from luma_bench.plan.walk import transform


def merge_filters(plan: Node) -> Node:
    """`Filter(Filter(x, a), b)` → `Filter(x, a AND b)`, in the order they were written."""

    def change(node: Node) -> Node:
        if not (isinstance(node, Filter) and isinstance(node.child, Filter)):
            return node
        parts = [*conjuncts(node.child.condition), *conjuncts(node.condition)]
        return Filter(node.child.child, all_of(parts))

    return transform(plan, change)
