"""Shared parts give only the columns that somebody reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from luma_bench.plan.relational.expressions import Column
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Node,
    Project,
    Scan,
    Sort,
    Union,
    Values,
    Window,
    walk_nodes,
)


def pruned(root: Node, parts: Sequence[tuple[str, Node]]) -> tuple[Node, tuple[tuple[str, Node], ...]]:
    """The root and the parts, these without the columns that nobody reads, and without those that nobody names."""
    kept: list[tuple[str, Node]] = []
    waiting = list(parts)
    done: list[Node] = [root]
    places: dict[str, dict[int, int]] = {}
    while waiting:
        name, node = waiting.pop()
        used = sorted({at for reader in done for at in _read(reader, name)})
        if not any(_names(reader, name) for reader in done):
            continue
        places[name] = {place: new for new, place in enumerate(used)}
        if len(used) < node.width:
            node = Project(node, tuple(Column(place) for place in used))
        done.append(node)
        kept.append((name, node))
    kept.reverse()
    return _renamed(root, places), tuple((name, _renamed(node, places)) for name, node in kept)


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with another one for each leaf."""
    match node:
        case Scan() | Values():
            return change(node)
        case Filter() | Project() | Aggregate() | Sort() | Limit() | Window():
            return replace(node, child=mapped(node.child, change))
        case Join():
            return replace(node, left=mapped(node.left, change), right=mapped(node.right, change))
        case Union():
            return Union(tuple(mapped(part, change) for part in node.parts))


def _names(node: Node, name: str) -> bool:
    return any(isinstance(part, Scan) and part.shared and part.name == name for part in walk_nodes(node))


def _read(node: Node, name: str) -> list[int]:
    """The places of a part's columns that a node reads."""
    return [
        int(column[1:])
        for part in walk_nodes(node)
        if isinstance(part, Scan) and part.shared and part.name == name
        for column in part.columns
    ]


def _renamed(node: Node, places: Mapping[str, Mapping[int, int]]) -> Node:
    def change(leaf: Node) -> Node:
        if not isinstance(leaf, Scan) or not leaf.shared:
            return leaf
        return replace(
            leaf, columns=tuple(f"c{places[leaf.name][int(column[1:])]}" for column in leaf.columns)
        )

    return mapped(node, change)
