"""Two filters in a row become one."""

from __future__ import annotations

from luma_bench.plan.expressions import all_of, conjuncts, has
from luma_bench.plan.nodes import Filter, Node
from luma_bench.plan.walk import transform
from luma_bench.plan.window import Window


def merge_filters(plan: Node) -> Node:
    """`Filter(Filter(x, a), b)` → `Filter(x, a AND b)`, in the order they were written."""

    def change(node: Node) -> Node:
        if not (isinstance(node, Filter) and isinstance(node.child, Filter)):
            return node
        if has(node.condition, Window) or has(node.child.condition, Window):
            return node  # the windows of each are over the rows that are below it
        parts = [*conjuncts(node.child.condition), *conjuncts(node.condition)]
        return Filter(node.child.child, all_of(parts))

    return transform(plan, change)
