"""The order in which a frame's rows stand, as keys for windows and for aggregates that need one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import (
    ColumnRef,
    Expression,
    SqlCondition,
    conjuncts,
    has,
    rewrite,
    substitute,
)
from luma_bench.plan.nodes import Files, Filter, Limit, Mapped, Node, Project, Relation, Sort, Table, Union
from luma_bench.plan.window import Order, Origin, Window

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame


def order_for(frame: Frame, by: str | Sequence[str] | None = None, *, what: str) -> tuple[Order, ...]:
    """The keys of a window over the frame's rows, ending in the row id where rows have one, so that nothing ties.

    Parameters
    ----------
    by
        Columns to go by, ascending; by default the order in which the rows stand: the last `sort_values`, else the
        table's `sort_by`, else the order in which they were written.
    what
        The method that asks, for the message.

    Raises
    ------
    SchemaError
        A column of `by` does not exist.
    UnsupportedError
        The rows are in no known order.
    """
    if by is not None:
        names = (by,) if isinstance(by, str) else tuple(by)
        for name in names:
            frame.check_column(name)
        keys = tuple(Order(ColumnRef(name)) for name in names)
        return (*keys, Order(Origin())) if has_origin(frame.plan) else keys
    found = row_order(frame.plan)
    if found is None:
        raise UnsupportedError(
            f"{what} depends on the order of rows, and these are in none.",
            hint="Sort the frame first: sort_values(…), or give by=… where the method takes it.",
        )
    return found


def row_order(plan: Node) -> tuple[Order, ...] | None:
    """The order in which the plan's rows stand, over its columns and the origin of rows; None when none is known."""
    renames: list[dict[str, str]] = []
    node = plan
    while isinstance(node, Filter | Project | Limit):
        if isinstance(node, Project):
            renames.append(node.passed)
        node = node.child
    if isinstance(node, Sort):
        return _sorted(node, renames)
    if not _is_leaf(node):
        return None
    declared = node.order if isinstance(node, Table) else ()
    keys = tuple(Order(Origin(key.name), key.descending, key.nulls_last) for key in declared)
    return (*keys, Order(Origin()))


def has_origin(plan: Node) -> bool:
    """Whether each row is still one row of a stored table, or of one in memory."""
    node = plan
    while isinstance(node, Filter | Project | Limit | Sort):
        node = node.child
    return _is_leaf(node)


def _is_leaf(node: Node) -> bool:
    if isinstance(node, Union):
        # Parts that are sorted, or are to be by what their table declares, have no place among the others.
        return all(row_order(part) == (Order(Origin()),) for part in node.parts)
    return isinstance(node, Relation | Files | Mapped) or (isinstance(node, Table) and node.stored)


def _sorted(sort: Sort, renames: list[dict[str, str]]) -> tuple[Order, ...] | None:
    last = has_origin(sort)
    keys: list[Order] = []
    for key in sort.keys:
        name: str | None = key.name
        for passed in reversed(renames):
            name = next((new for new, old in passed.items() if old == name), None)
        if name is not None:
            keys.append(Order(ColumnRef(name), key.descending, key.nulls_last))
            continue
        stored = _stored_key(sort.child, key.name) if last else None
        if stored is None:
            return None
        keys.append(Order(stored, key.descending, key.nulls_last))
    return (*keys, Order(Origin())) if last else tuple(keys)


def _stored_key(node: Node, name: str) -> Expression | None:
    """What a column is of the leaf's columns, read at the origin of rows; None when windows are in it."""
    at: Expression = ColumnRef(name)
    while isinstance(node, Filter | Project | Limit | Sort):
        if isinstance(node, Project):
            at = substitute(at, dict(node.columns))
        node = node.child
    if has(at, Window) or any(isinstance(part, SqlCondition) for part in conjuncts(at)):
        return None
    return rewrite(at, lambda part: Origin(part.name) if isinstance(part, ColumnRef) else part)
