"""What is asked for twice is asked for once: conditions, keys of an order, distinct rows."""

from __future__ import annotations

from luma_bench.plan.expressions import Expression, all_of, conjuncts
from luma_bench.plan.nodes import Aggregate, Distinct, Filter, Node, Project, Sort, SortKey
from luma_bench.plan.rules.likeness import Likeness
from luma_bench.plan.walk import transform


def drop_repeated(plan: Node) -> Node:
    """A condition that stands twice in one filter, a key that an order already has, and a DISTINCT of rows that are.

    Rows are distinct below a grouping whose keys all come out, and below another DISTINCT.
    """

    def change(node: Node) -> Node:
        match node:
            case Filter():
                return _filter(node)
            case Sort():
                kept: dict[str, SortKey] = {}
                for key in node.keys:
                    kept.setdefault(key.name, key)
                return node if len(kept) == len(node.keys) else Sort(node.child, tuple(kept.values()))
            case Distinct() if not node.on and _is_distinct(node.child):
                return node.child
            case _:
                return node

    return transform(plan, change)


def _filter(node: Filter) -> Node:
    parts = conjuncts(node.condition)
    if len(parts) == 1:
        return node
    likeness = Likeness()
    kept: dict[int, Expression] = {}
    for part in parts:
        kept.setdefault(likeness.of(part), part)
    return node if len(kept) == len(parts) else Filter(node.child, all_of(list(kept.values())))


def _is_distinct(node: Node) -> bool:
    wanted: set[str] | None = None
    while isinstance(node, Filter | Sort | Project):
        if isinstance(node, Project):
            passed = node.passed
            wanted = {passed[name] for name in (passed if wanted is None else wanted) if name in passed}
        node = node.child
    if isinstance(node, Aggregate):
        return bool(node.keys) and (wanted is None or wanted >= set(node.keys))
    return isinstance(node, Distinct) and not node.on and (wanted is None or wanted >= set(node.names))
