"""What rules ask of a projection before they move anything through it."""

from __future__ import annotations

from luma_bench.plan.expressions import ColumnRef, Literal, has
from luma_bench.plan.nodes import Project, SortKey
from luma_bench.plan.window import Window


def is_rowwise(node: Project) -> bool:
    """Whether each of its rows is worked out from one row of its input alone: no window is in it."""
    return not any(
        not isinstance(expression, ColumnRef | Literal) and has(expression, Window)
        for _, expression in node.columns
    )


def partitioned_by(node: Project) -> frozenset[str]:
    """The columns by which every window of the projection is partitioned: rows that differ in them never meet."""
    shared: frozenset[str] | None = None
    seen: set[int] = set()
    pending = [expression for _, expression in node.columns]
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Window):
            own = frozenset(key.name for key in part.partition if isinstance(key, ColumnRef))
            shared = own if shared is None else shared & own
        pending += part.children
    return shared or frozenset()


def below(keys: tuple[SortKey, ...], passed: dict[str, str]) -> tuple[SortKey, ...] | None:
    """Sort keys over the input's names; None when one of them is worked out by the projection."""
    if any(key.name not in passed for key in keys):
        return None
    return tuple(SortKey(passed[key.name], key.descending, key.nulls_last) for key in keys)
