"""What stands behind a query: DISTINCT, ORDER BY, LIMIT and OFFSET."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.calls import order_of, order_text
from luma_bench.engines.lowering.expressions import Expressions
from luma_bench.engines.lowering.names import Scope, Visible
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.templates import Order

if TYPE_CHECKING:
    from luma_bench.engines.lowering.queries import Queries


@dataclass(frozen=True, slots=True)
class Tail:
    """The modifiers of a query. `distinct` is None without DISTINCT, and lists what DISTINCT ON names."""

    distinct: tuple[Tree, ...] | None
    orders: tuple[Tree, ...]
    limit: Tree | None
    offset: Tree | None

    @property
    def limited(self) -> bool:
        """Whether it takes some rows only."""
        return self.limit is not None or self.offset is not None

    def limits(self, parameter: Callable[[str], Tree]) -> str:
        """LIMIT and OFFSET as SQL.

        Raises
        ------
        NotLowered
            One is no whole number.
        """
        text = "" if self.limit is None else f" LIMIT {_count(self.limit, parameter)}"
        return text if self.offset is None else f"{text} OFFSET {_count(self.offset, parameter)}"


def modifiers_of(node: Tree, *, exists: bool = False) -> Tail:
    """The modifiers of a query; of one whose rows are only looked for, those that matter.

    Raises
    ------
    NotLowered
        A modifier that other engines do not have.
    """
    distinct: tuple[Tree, ...] | None = None
    orders: tuple[Tree, ...] = ()
    limit: Tree | None = None
    offset: Tree | None = None
    for modifier in node["modifiers"]:
        match modifier["type"]:
            case "DISTINCT_MODIFIER":
                distinct = tuple(modifier["distinct_on_targets"])
            case "ORDER_MODIFIER":
                orders = tuple(modifier["orders"])
            case "LIMIT_MODIFIER":
                if modifier["limit_type"] != "ROW_COUNT":
                    raise NotLowered("a LIMIT in percent")
                limit, offset = modifier["limit"], modifier["offset"]
            case other:
                raise NotLowered(f"a modifier of the kind {other}")
    if exists:
        least = limit is not None and limit["class"] == "CONSTANT" and limit["literal"]["text"] != "0"
        if offset is None and (limit is None or least):
            limit = None
        orders = ()
        distinct = None if limit is None and offset is None else distinct
    return Tail(distinct, orders, limit, offset)


def order_keys(
    orders: Sequence[Tree],
    names: Sequence[Visible],
    place_of: Callable[[Tree], int | None],
) -> list[tuple[int, Order]]:
    """The keys of an ORDER BY as places among columns; `place_of` gives that of an expression, None for a constant."""
    keys: list[tuple[int, Order]] = []
    for key in orders:
        tree: Tree = key["expression"]
        if tree["class"] == "STAR" and tree["expr"] is None:
            keys += [(place, order_of(key)) for place in range(len(names))]
            continue
        place = _position(tree, len(names))
        if place is None:
            place = place_of(tree)
        if place is not None:
            keys.append((place, order_of(key)))
    return keys


def ordered(
    queries: Queries, sql: str, columns: Sequence[Visible], tail: Tail, scope: Scope
) -> tuple[str, tuple[Visible, ...]]:
    """The rows of a set operation in an order, and some of them."""
    statement = queries.statement
    alias = statement.fresh("q")
    scope.visible = [Visible(column.name, f"{alias}.{column.text}") for column in columns]
    texts = [column.text for column in scope.visible]
    expressions = Expressions(queries, scope)

    def place_of(tree: Tree) -> int | None:
        text = expressions.value(tree)
        if text.startswith("s0("):
            return None
        if text not in texts:
            texts.append(text)
        return texts.index(text)

    keys = order_keys(tail.orders, columns, place_of)
    titles = tuple(Visible(column.name, statement.fresh("x")) for column in columns)
    listed = ", ".join(
        f"{column.text} AS {title.text}" for column, title in zip(scope.visible, titles, strict=True)
    )
    order = ", ".join(order_text(texts[place], by) for place, by in keys)
    text = f"SELECT {listed} FROM ({sql}) AS {alias}{f' ORDER BY {order}' if order else ''}"
    return text + tail.limits(statement.parameter), titles


def _position(tree: Tree, width: int) -> int | None:
    if tree["class"] != "CONSTANT" or tree["literal"]["kind"] != "INTEGER":
        return None
    place = int(tree["literal"]["text"])
    if not 1 <= place <= width:
        raise NotLowered("a position that ORDER BY does not have")
    return place - 1


def _count(tree: Tree, parameter: Callable[[str], Tree]) -> int:
    if tree["class"] == "PARAMETER":
        tree = parameter(tree["identifier"])
    if tree["class"] == "CAST":
        tree = tree["child"]
    if tree["class"] != "CONSTANT" or tree["literal"]["kind"] != "INTEGER":
        raise NotLowered("a LIMIT that is no whole number")
    return int(tree["literal"]["text"])
