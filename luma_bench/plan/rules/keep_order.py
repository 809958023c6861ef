"""Rows come out of an engine's windows in the windows' order, and out of its joins in none; what is handed out stands in the order it came in."""

from __future__ import annotations

from luma_bench.plan.expressions import Call, ColumnRef, Expression, IsIn, conjuncts, has
from luma_bench.plan.nodes import Filter, Limit, Node, Project, Relation, Sort, SortKey, Table
from luma_bench.plan.walk import bottom_up, transform
from luma_bench.plan.window import Origin, Window

_LISTED = 5


def keep_order(plan: Node) -> Node:
    """`Project(Table, lag(a) OVER (…))` → the same, sorted by the row id; also below a limit.

    Rows that are sorted anyway, or that come from no stored or in-memory rows, stay as they are.
    """
    tops = [plan, *(node.child for node in bottom_up(plan) if isinstance(node, Limit))]
    windowed = {id(found) for top in tops if (found := _windowed(top)) is not None}
    if not windowed:
        return plan
    # `transform` hands out new nodes where something below changed; what is marked is known by its place in the walk.
    marks = [id(node) in windowed for node in bottom_up(plan)]
    places = iter(marks)

    def change(node: Node) -> Node:
        return _sorted(node) if next(places) else node

    return transform(plan, change)


def _windowed(top: Node) -> Node | None:
    """The first step with a window on the way down to rows that have ids, when no order is asked for on that way."""
    node = top
    found: Node | None = None
    while isinstance(node, Filter | Project | Limit):
        if isinstance(node, Limit) and found is None:
            return None
        if found is None and _has_window(node):
            found = node
        node = node.child
    stored = isinstance(node, Relation) or (isinstance(node, Table) and node.stored)
    return found if stored and not isinstance(node, Sort) else None


def _has_window(node: Filter | Project | Limit) -> bool:
    match node:
        case Filter():
            tests = [test for test in conjuncts(node.condition) if not isinstance(test, IsIn)]
            return has(node.condition, Window) or any(map(_joins, tests))
        case Project():
            return any(has(expression, Window) or _joins(expression) for _, expression in node.columns)
        case Limit():
            return False


def _joins(expression: Expression) -> bool:
    """Whether an engine looks values up in a table of its own, as DuckDB does for a list of more than five constants."""
    pending: list[Expression] = [expression]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Call) and node.function == "lookup":
            return True
        if isinstance(node, IsIn) and len(node.values) > _LISTED:
            return True
        pending += node.children
    return False


def _sorted(node: Node) -> Node:
    own = tuple((name, ColumnRef(name)) for name in node.names)
    taken = {name.casefold() for name in node.names}
    key = next(name for number in range(len(taken) + 1) if (name := f"_at{number or ''}") not in taken)
    return Project(Sort(Project(node, (*own, (key, Origin()))), (SortKey(key),)), own)
