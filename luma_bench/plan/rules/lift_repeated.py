"""What a text would write more than once is computed once, in a step below: the last rule before a plan is written."""

from __future__ import annotations

from luma_bench.plan.expressions import AggregateCall, Call, ColumnRef, Expression, columns_of, fold, is_atom
from luma_bench.plan.functions import FUNCTIONS
from luma_bench.plan.nodes import Aggregate, Filter, Node, Project
from luma_bench.plan.walk import transform

_LARGE = 32


def lift_repeated(plan: Node) -> Node:
    """`Project(x, mod(a + 1, 3))` → `Project(Project(x, *, a + 1 AS _1), mod(_1, 3))`.

    Lifted are the arguments of functions whose text repeats them, and large expressions that several others share:
    without it a chain of n remainders, or of n times `s = s + s`, would be a text of 2ⁿ words.
    """
    return transform(plan, _lift)


def _lift(node: Node) -> Node:
    match node:
        case Filter():
            lifting = _Lifting(node.child, [node.condition])
            if not lifting.columns:
                return node
            kept = Filter(lifting.below(), lifting.changed[0])
            return Project(kept, tuple((name, ColumnRef(name)) for name in node.names))
        case Project():
            lifting = _Lifting(node.child, [expression for _, expression in node.columns])
            if not lifting.columns:
                return node
            return Project(lifting.below(), tuple(zip(node.names, lifting.changed, strict=True)))
        case Aggregate():
            operands = {name: call.operand for name, call in node.measures if call.operand is not None}
            lifting = _Lifting(node.child, list(operands.values()))
            if not lifting.columns:
                return node
            changed = dict(zip(operands, lifting.changed, strict=True))
            measures = [
                (name, AggregateCall(call.function, changed.get(name), call.parameter))
                for name, call in node.measures
            ]
            return Aggregate(lifting.below(), node.keys, tuple(measures))
        case _:
            return node


class _Lifting:
    """The lifted parts of some expressions over one input: by name, and by how many steps they need below them."""

    def __init__(self, child: Node, expressions: list[Expression]) -> None:
        self._child = child
        self._taken = {name.casefold() for name in child.names}
        self._parents = _parents(expressions)
        self._known: dict[int, ColumnRef] = {}
        self._levels: dict[str, int] = {}
        self.columns: dict[str, Expression] = {}
        self.changed = [fold(expression, self._visit)[0] for expression in expressions]

    def below(self) -> Node:
        """The input with the lifted columns beside its own."""
        node = self._child
        for level in range(1, max(self._levels.values(), default=0) + 1):
            lifted = tuple((name, part) for name, part in self.columns.items() if self._levels[name] == level)
            node = Project(node, (*((name, ColumnRef(name)) for name in node.names), *lifted))
        return node

    def _visit(self, node: Expression, below: tuple[tuple[Expression, int], ...]) -> tuple[Expression, int]:
        """The node over lifted columns, and how many words its text has."""
        inputs = [part for part, _ in below]
        if isinstance(node, Call) and FUNCTIONS[node.function].repeats:
            inputs = [
                part if is_atom(part) else self._column(child, part)
                for child, part in zip(node.children, inputs, strict=True)
            ]
        size = 1 + sum(size for _, size in below)
        changed = node
        if any(new is not old for new, old in zip(inputs, node.children, strict=True)):
            changed = node.with_children(inputs)
        if size > _LARGE and self._parents[id(node)] > 1:
            return self._column(node, changed), 1
        return changed, size

    def _column(self, origin: Expression, part: Expression) -> ColumnRef:
        known = self._known.get(id(origin))
        if known is not None:
            return known
        number = len(self.columns) + 1
        while (name := f"_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        self._levels[name] = 1 + max((self._levels.get(read, 0) for read in columns_of(part)), default=0)
        self.columns[name] = part
        self._known[id(origin)] = ColumnRef(name)
        return self._known[id(origin)]


def _parents(expressions: list[Expression]) -> dict[int, int]:
    """How many places hold each subtree, by its identity."""
    counts: dict[int, int] = {}
    seen: set[int] = set()
    pending = list(expressions)
    for expression in expressions:
        counts[id(expression)] = counts.get(id(expression), 0) + 1
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for child in node.children:
            counts[id(child)] = counts.get(id(child), 0) + 1
            pending.append(child)
    return counts
