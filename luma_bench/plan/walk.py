"""Walks over plans: orders, transformations, and what can be told of a plan without an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of, kind_of_aggregate, kind_of_type
from luma_bench.plan.nodes import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    Limit,
    Node,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
)


def bottom_up(plan: Node) -> list[Node]:
    """Every node of the plan, inputs before what reads them, each shared one once."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(plan, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(child, False) for child in reversed(node.children)]
    return order


def transform(plan: Node, change: Callable[[Node], Node]) -> Node:
    """The plan with `change` applied to every node, bottom-up; what stays equal stays the same object."""
    done: dict[int, Node] = {}
    for node in bottom_up(plan):
        children = [done[id(child)] for child in node.children]
        same = all(new is old for new, old in zip(children, node.children, strict=True))
        done[id(node)] = change(node if same else node.with_children(children))
    return done[id(plan)]


def kinds_of(plan: Node) -> Mapping[str, Kind]:
    """The kind of every output column, kept in the memo of each node."""
    if plan.memo.kinds is None:
        for node in bottom_up(plan):
            if node.memo.kinds is None:
                node.memo.kinds = _kinds(node)
    return plan.memo.kinds or {}


def _kinds(node: Node) -> Mapping[str, Kind]:
    match node:
        case Table() | Relation():
            return {column.name: kind_of_type(column.type) for column in node.arrow}
        case Project():
            below = kinds_of(node.child)
            return {name: kind_of(expression, below) for name, expression in node.columns}
        case Aggregate():
            below = kinds_of(node.child)
            kinds: dict[str, Kind] = {key: below[key] for key in node.keys}
            kinds.update((name, kind_of_aggregate(call, below)) for name, call in node.measures)
            return kinds
        case Join():
            left, right = kinds_of(node.left), kinds_of(node.right)
            return {
                column.name: left[column.left] if column.left is not None else right[column.right or ""]
                for column in node.columns
            }
        case Filter() | Sort() | Limit() | Distinct():
            return kinds_of(node.child)


def order_of(plan: Node) -> tuple[SortKey, ...]:
    """The keys that the rows are known to be sorted by, as output columns; empty when no order is known."""
    renames: list[dict[str, str]] = []
    node = plan
    while isinstance(node, Filter | Project | Limit):
        if isinstance(node, Project):
            renames.append(node.passed)
        node = node.child
    if not isinstance(node, Sort):
        return ()
    keys: list[SortKey] = []
    for key in node.keys:
        name: str | None = key.name
        for passed in reversed(renames):
            name = next((new for new, old in passed.items() if old == name), None)
        if name is None:
            break
        keys.append(SortKey(name, key.descending, key.nulls_last))
    return tuple(keys)
