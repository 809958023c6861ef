"""Parts of expressions that become columns of a step below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from luma_bench.plan.expressions import ColumnRef, Expression, columns_of
from luma_bench.plan.nodes import Aggregate, Filter, Node, Project


class Lifted:
    """The parts of some expressions over one input that were lifted: by name, and by how many steps they need below them."""

    def __init__(self, child: Node) -> None:
        self._child = child
        self._taken: set[str] = set()
        self._known: dict[int, ColumnRef] = {}
        self._levels: dict[str, int] = {}
        self.columns: dict[str, Expression] = {}

    def column(self, origin: Expression, part: Expression) -> ColumnRef:
        """The column that stands for `origin`; `part` is what it computes, over the input and columns lifted before."""
        known = self._known.get(id(origin))
        if known is not None:
            return known
        if not self.columns:
            self._taken = {name.casefold() for name in self._child.names}
        number = len(self.columns) + 1
        while (name := f"_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        self._levels[name] = 1 + max((self._levels.get(read, 0) for read in columns_of(part)), default=0)
        self.columns[name] = part
        self._known[id(origin)] = ColumnRef(name)
        return self._known[id(origin)]

    def below(self) -> Node:
        """The input with the lifted columns beside its own."""
        node = self._child
        for level in range(1, max(self._levels.values(), default=0) + 1):
            lifted = tuple((name, part) for name, part in self.columns.items() if self._levels[name] == level)
            node = Project(node, (*((name, ColumnRef(name)) for name in node.names), *lifted))
        return node


Change = Callable[[Lifted, Sequence[Expression]], list[Expression]]
"""What lifting makes of some expressions over one input."""


def lift(node: Node, change: Change) -> Node:
    """The node with `change` applied to its expressions, over an input that has what was lifted."""
    match node:
        case Filter():
            lifted = Lifted(node.child)
            changed = change(lifted, [node.condition])
            if not lifted.columns:
                return node
            kept = Filter(lifted.below(), changed[0])
            return Project(kept, tuple((name, ColumnRef(name)) for name in node.names))
        case Project():
            lifted = Lifted(node.child)
            changed = change(lifted, [expression for _, expression in node.columns])
            if not lifted.columns:
                return node
            return Project(lifted.below(), tuple(zip(node.names, changed, strict=True)))
        case Aggregate():
            lifted = Lifted(node.child)
            parts = [part for _, call in node.measures for part in call.operands]
            changed = change(lifted, parts)
            if not lifted.columns:
                return node
            by_part = {id(part): new for part, new in zip(parts, changed, strict=True)}
            measures = [(name, call.over(lambda part: by_part[id(part)])) for name, call in node.measures]
            return Aggregate(lifted.below(), node.keys, tuple(measures))
        case _:
            return node
