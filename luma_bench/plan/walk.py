"""Walks over plans: orders, transformations, and what can be told of a plan without an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of, kind_of_aggregate, kind_of_type, widest
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Files,
    Filter,
    Join,
    Limit,
    Mapped,
    Node,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
    Union,
)


def bottom_up(plan: Node) -> list[Node]:
    """Every node of the plan, inputs before what reads them, each shared one once."""
    order: list[Node] = []
    entered: set[int] = set()
    left: set[int] = set()
    stack: list[Node] = [plan]
    while stack:
        node = stack[-1]
        key = id(node)
        if key not in entered:
            entered.add(key)
            children = node.children
            if children:
                stack += children[::-1]
                continue
        stack.pop()
        if key not in left:
            left.add(key)
            order.append(node)
    return order


def transform(plan: Node, change: Callable[[Node], Node]) -> Node:
    """The plan with `change` applied to every node, bottom-up; what stays equal stays the same object."""
    done: dict[int, Node] = {}
    for node in bottom_up(plan):
        made = node
        for child in node.children:
            if done[id(child)] is not child:
                made = node.with_children([done[id(child)] for child in node.children])
                break
        done[id(node)] = change(made)
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
        case Table() | Relation() | Files() | Mapped():
            own: dict[str, Kind] = {column.name: kind_of_type(column.type) for column in node.arrow}
            row_id = getattr(node, "row_id", None)
            return own if row_id is None else {row_id: "int", **own}
        case Project():
            below = kinds_of(node.child)
            return {name: kind_of(expression, below) for name, expression in node.columns}
        case Aggregate():
            below = kinds_of(node.child)
            kinds: dict[str, Kind] = {key: below[key] for key in node.keys}
            kinds.update((name, kind_of_aggregate(call, below)) for name, call in node.measures)
            return kinds
        case Join() | Asof():
            left, right = kinds_of(node.left), kinds_of(node.right)
            return {
                column.name: left[column.left] if column.left is not None else right[column.right or ""]
                for column in node.columns
            }
        case Union():
            parts = [kinds_of(part) for part in node.parts]
            return {name: widest(tuple(part[name] for part in parts)) for name in node.names}
        case Explode():
            elements: dict[str, Kind] = {
                name: kind_of_type(type_) for name, type_ in zip(node.columns, node.types, strict=True)
            }
            return {**kinds_of(node.child), **elements}
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
