"""Aggregates and window functions for DataFusion: opaque but for `count`, whose zero for no rows it has to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.conditions import condition
from luma_bench.engines.lowering.functions import CANONICAL, EMPTY_IS_NULL_NOT, is_aggregate, require_steady
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.templates import (
    AggregateShape,
    BoundKind,
    FrameShape,
    Order,
    Unit,
    WindowShape,
)

if TYPE_CHECKING:
    from luma_bench.engines.lowering.expressions import Expressions

_SAME_FOR_PEERS = frozenset({"rank", "dense_rank", "percent_rank", "cume_dist", "rank_dense"})
_QUANTILES = frozenset({"quantile_cont", "quantile_disc", "mode"})
_UNITS: Final[Mapping[str, Unit]] = {"ROWS": "rows", "RANGE": "range", "GROUPS": "groups"}
_BOUNDS: Final[Mapping[str, BoundKind]] = {
    "UNBOUNDED_PRECEDING": "unbounded preceding",
    "UNBOUNDED_FOLLOWING": "unbounded following",
    "CURRENT_ROW": "current row",
    "EXPR_PRECEDING": "preceding",
    "EXPR_FOLLOWING": "following",
}


def order_of(key: Tree) -> Order:
    """Whether a key of an ORDER BY descends, and whether NULLs come first: NULLS LAST where nothing is said."""
    return key["type"] == "DESCENDING", key["null_order"] == "NULLS FIRST"


def order_text(value: str, order: Order) -> str:
    """A key of an ORDER BY."""
    return f"{value} {'DESC' if order[0] else 'ASC'} NULLS {'FIRST' if order[1] else 'LAST'}"


def aggregate(outer: Expressions, tree: Tree) -> str:
    """The SQL of an aggregate.

    Raises
    ------
    NotLowered
        Its answer hangs on more than the rows of its group.
    """
    name: str = tree["function_name"].casefold()
    name = CANONICAL.get(name, name)
    scope = outer.scope
    reached, scope.reaches_out = scope.reaches_out, False
    expressions = outer.of_rows()
    text = _aggregate(expressions, tree, name)
    if scope.reaches_out:
        raise NotLowered("an aggregate of another query's columns")
    scope.reaches_out = reached
    if name in EMPTY_IS_NULL_NOT:
        outer.queries.counting.add(id(scope))
    return text


def _aggregate(expressions: Expressions, tree: Tree, name: str) -> str:
    args: list[Tree] = [arg["expression"] for arg in tree["arguments"]]
    keys: list[Tree] = tree["order_bys"]["orders"]
    distinct: bool = tree["distinct"]
    if any(arg["class"] == "STAR" for arg in args):
        if name != "count" or args[0]["relation_name"] or args[0]["expr"] is not None:
            raise NotLowered(f"{name}(*)")
        args = []
    if name == "count" and len(args) <= 1:
        inner = "*" if not args else ("DISTINCT " if distinct else "") + expressions.value(args[0])
        where = f" FILTER (WHERE {condition(expressions, tree['filter'])})" if tree["filter"] else ""
        return f"CAST(count({inner}){where} AS VARCHAR)"
    if name in _QUANTILES and len(keys) == 1 and len(args) == (name != "mode") and not order_of(keys[0])[0]:
        # What WITHIN GROUP orders by is the argument.
        args, keys = [keys[0]["expression"], *args], []
    require_steady(name, ordered=bool(keys))
    shape = AggregateShape(
        name, len(args), distinct, tuple(order_of(key) for key in keys), tree["filter"] is not None
    )
    values = [expressions.value(arg) for arg in args]
    values += [expressions.value(key["expression"]) for key in keys]
    if tree["filter"] is not None:
        values.append(expressions.value(tree["filter"]))
    return expressions.templates.call(shape, values)


def window(expressions: Expressions, tree: Tree) -> str:
    """The SQL of a window function.

    Raises
    ------
    NotLowered
        Its answer hangs on the order in which rows come, or it is of a kind that is not known.
    """
    name: str = tree["function_name"].casefold()
    name = CANONICAL.get(name, name)
    if tree["exclude_clause"] != "NO_OTHER" or tree["arg_orders"]:
        raise NotLowered("a window function with EXCLUDE or an order of its arguments")
    expressions = expressions.inside()
    args = [arg["expression"] for arg in tree["arguments"]]
    args += [tree[key] for key in ("offset_expr", "default_expr") if tree[key] is not None]
    if any(arg["class"] == "STAR" for arg in args):
        args = []
    frame = _frame(expressions, tree)
    orders: list[Tree] = tree["orders"]
    _require_ordered(expressions, name, orders, frame)
    shape = WindowShape(
        name, len(args), tree["distinct"], tree["ignore_nulls"], tree["filter_expr"] is not None, frame
    )
    values = [expressions.value(arg) for arg in args]
    if tree["filter_expr"] is not None:
        values.append(expressions.value(tree["filter_expr"]))
    over: list[str] = []
    if tree["partitions"]:
        listed = ", ".join(expressions.value(part) for part in tree["partitions"])
        over.append(f"PARTITION BY {listed}")
    if orders:
        keys = [order_text(expressions.value(key["expression"]), order_of(key)) for key in orders]
        over.append(f"ORDER BY {', '.join(keys)}")
    return f"{expressions.templates.call(shape, values)} OVER ({' '.join(over)})"


def _require_ordered(
    expressions: Expressions, name: str, orders: Sequence[Tree], frame: FrameShape | None
) -> None:
    if orders:
        return
    if name in _SAME_FOR_PEERS:
        return
    if not is_aggregate(expressions.statement, name):
        raise NotLowered(f"{name}() OVER without ORDER BY takes rows as they come")
    whole = frame is None or (frame.start, frame.end) == ("unbounded preceding", "unbounded following")
    if not whole:
        raise NotLowered("a window frame without ORDER BY takes rows as they come")
    require_steady(name, ordered=False)


def _frame(expressions: Expressions, tree: Tree) -> FrameShape | None:
    start, end = str(tree["start"]), str(tree["end"])
    if (start, end) == ("UNBOUNDED_PRECEDING", "CURRENT_ROW_RANGE"):
        return None
    units = {text.rpartition("_")[2] for text in (start, end) if not text.startswith("UNBOUNDED")} or {"ROWS"}
    unit = _UNITS.get(units.pop())
    if unit is None or units:
        raise NotLowered("a window frame of another kind")
    one, one_offset = _bound(expressions, start, tree["start_expr"])
    other, other_offset = _bound(expressions, end, tree["end_expr"])
    return FrameShape(unit, one, other, one_offset, other_offset)


def _bound(expressions: Expressions, text: str, offset: Tree | None) -> tuple[BoundKind, int | None]:
    number = None
    if offset is not None:
        number = expressions.constant_number(offset, "the offset of a window frame")
    for words, kind in _BOUNDS.items():
        if text.startswith(words):
            return kind, number
    raise NotLowered("a window frame of another kind")
