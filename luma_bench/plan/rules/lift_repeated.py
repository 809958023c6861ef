"""What a text would write more than once is computed once, in a step below: the last rule before a plan is written."""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.plan.expressions import Call, Expression, fold, is_atom
from luma_bench.plan.functions import FUNCTIONS
from luma_bench.plan.nodes import Node
from luma_bench.plan.rules.lifting import Lifted, lift
from luma_bench.plan.walk import transform

_LARGE = 32


def lift_repeated(plan: Node) -> Node:
    """`Project(x, mod(a + 1, 3))` → `Project(Project(x, *, a + 1 AS _1), mod(_1, 3))`.

    Lifted are the arguments of functions whose text repeats them, and large expressions that several others share:
    without it a chain of n remainders, or of n times `s = s + s`, would be a text of 2ⁿ words.
    """
    return transform(plan, lambda node: lift(node, _lift))


def _lift(lifted: Lifted, expressions: Sequence[Expression]) -> list[Expression]:
    if _is_plain(expressions):
        return list(expressions)
    parents = _parents(expressions)

    def visit(node: Expression, below: tuple[tuple[Expression, int], ...]) -> tuple[Expression, int]:
        """The node over lifted columns, and how many words its text has."""
        inputs = [part for part, _ in below]
        if isinstance(node, Call) and FUNCTIONS[node.function].repeats:
            inputs = [
                part if is_atom(part) else lifted.column(child, part)
                for child, part in zip(node.children, inputs, strict=True)
            ]
        size = 1 + sum(size for _, size in below)
        changed = node
        if any(new is not old for new, old in zip(inputs, node.children, strict=True)):
            changed = node.with_children(inputs)
        if size > _LARGE and parents[id(node)] > 1:
            return lifted.column(node, changed), 1
        return changed, size

    return [fold(expression, visit)[0] for expression in expressions]


def _is_plain(expressions: Sequence[Expression]) -> bool:
    """Whether each part stands in one place, and no function's text repeats an argument: nothing is to be lifted."""
    seen: set[int] = set()
    pending = list(expressions)
    while pending:
        node = pending.pop()
        if is_atom(node):
            continue
        if id(node) in seen or (isinstance(node, Call) and FUNCTIONS[node.function].repeats):
            return False
        seen.add(id(node))
        pending += node.children
    return True


def _parents(expressions: Sequence[Expression]) -> dict[int, int]:
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
