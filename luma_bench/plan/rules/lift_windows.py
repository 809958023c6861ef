"""A window that SQL does not take where it stands is computed in a step below."""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.plan.expressions import Expression, fold, has
from luma_bench.plan.nodes import Node, Project
from luma_bench.plan.rules.lifting import Lifted, lift
from luma_bench.plan.walk import transform
from luma_bench.plan.window import Window


def lift_windows(plan: Node) -> Node:
    """`Filter(x, lag(a) OVER (…) > 0)` → `Filter(Project(x, *, lag(a) OVER (…) AS _1), _1 > 0)`, its columns kept.

    Lifted are windows in filters, in operands of groupings, and inside other windows.
    """

    def change(node: Node) -> Node:
        return lift(node, _nested if isinstance(node, Project) else _every)

    return transform(plan, change)


def _every(lifted: Lifted, expressions: Sequence[Expression]) -> list[Expression]:
    return _lift(lifted, expressions, outer=True)


def _nested(lifted: Lifted, expressions: Sequence[Expression]) -> list[Expression]:
    return _lift(lifted, expressions, outer=False)


def _lift(lifted: Lifted, expressions: Sequence[Expression], *, outer: bool) -> list[Expression]:
    if not any(has(expression, Window) for expression in expressions):
        return list(expressions)
    inside = _inside(expressions)

    def visit(node: Expression, inputs: tuple[Expression, ...]) -> Expression:
        changed = node
        if any(new is not old for new, old in zip(inputs, node.children, strict=True)):
            changed = node.with_children(inputs)
        # One that stands in another window and beside it, too, is computed once, in the step below.
        lifts = isinstance(node, Window) and (outer or id(node) in inside)
        return lifted.column(node, changed) if lifts else changed

    return [fold(expression, visit) for expression in expressions]


def _inside(expressions: Sequence[Expression]) -> set[int]:
    """The windows that stand in other windows, by identity."""
    found: set[int] = set()
    seen: set[tuple[int, bool]] = set()
    pending = [(expression, False) for expression in expressions]
    while pending:
        node, within = pending.pop()
        if (id(node), within) in seen:
            continue
        seen.add((id(node), within))
        window = isinstance(node, Window)
        if window and within:
            found.add(id(node))
        pending += [(child, within or window) for child in node.children]
    return found
