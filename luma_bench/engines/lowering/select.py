"""One SELECT for DataFusion, from its list to QUALIFY and DISTINCT ON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.calls import order_text
from luma_bench.engines.lowering.conditions import condition
from luma_bench.engines.lowering.expressions import Expressions, has_calls
from luma_bench.engines.lowering.functions import is_aggregate
from luma_bench.engines.lowering.groups import Groups
from luma_bench.engines.lowering.names import Scope, Visible
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.stars import Item, listed_items, typed_constant
from luma_bench.engines.lowering.tail import Tail, order_keys
from luma_bench.engines.lowering.templates import WindowShape, constant

if TYPE_CHECKING:
    from luma_bench.engines.lowering.queries import Queries


BARRIER: Final = (1 << 53) + 1
"""A LIMIT that stands for none: DataFusion moves conditions without columns below an aggregate over all rows, but not below a LIMIT."""


class Select:
    """Lowers one SELECT over a FROM that is lowered.

    Attributes
    ----------
    whole
        Whether it aggregates all rows, without groups.
    """

    def __init__(self, queries: Queries, node: Tree, scope: Scope, source: str | None) -> None:
        self._queries = queries
        self._statement = queries.statement
        self._node = node
        self._scope = scope
        self._source = source
        self._items = listed_items(node["select_list"], scope)
        self._aliases = _aliases(self._items)
        self._texts: list[str] = []
        aggregated = bool(node["group_expressions"]) or node["aggregate_handling"] != "STANDARD_HANDLING"
        self._aggregated = aggregated or self._has_aggregate()
        self._groups = Groups(queries, node, scope, self._items, self._aliases) if self._aggregated else None
        self.whole = self._groups is not None and not self._groups.keys and self._groups.sets is None
        self._sets = queries.statement.fresh("q") if self._groups is not None and self._groups.mark else ""
        self._inside = [self._groups.mark] if self._groups is not None and self._sets else []

    def sql(self, tail: Tail, *, exists: bool, ordered: bool, alone: bool) -> tuple[str, tuple[Visible, ...]]:
        """The SQL and the columns; `alone` tells that a condition around it is not to be moved into it.

        Raises
        ------
        NotLowered
            Something in it does not run on other engines.
        """
        node = self._node
        where = ""
        if node["where_clause"] is not None:
            where = f" WHERE {condition(Expressions(self._queries, self._scope, aliases=self._aliases), node['where_clause'])}"
        if exists and tail.distinct is None and node["qualify"] is None and not self._group_free_calls():
            outputs = 1
            self._texts = ["1"]
            visible = [Visible(None, "")]
        else:
            visible = [Visible(item.name, "", item.tree) for item in self._items]
            for place, item in enumerate(self._items):
                expressions = self._expressions(_aliases(self._items[:place]))
                self._texts.append(expressions.value(typed_constant(item.tree, self._queries.fragment)))
            outputs = len(self._texts)
        grouped = "" if self._groups is None else self._groups.text
        having = ""
        if node["having"] is not None:
            having = condition(self._expressions(self._aliases), node["having"])
        inside = self._statement.fresh("q")
        qualify = self._qualify(inside)
        keys = order_keys(tail.orders, visible, self._place_of) if ordered or tail.distinct else []
        on = None if not tail.distinct else [self._place_of(tree) for tree in tail.distinct]
        if tail.distinct == () and len(self._texts) > outputs:
            raise NotLowered("DISTINCT with an order or a condition on what it does not give")
        distinct = "DISTINCT " if tail.distinct == () else ""
        titles = [self._statement.fresh("x") for _ in self._texts]
        text = ", ".join(f"{part} AS {title}" for part, title in zip(self._texts, titles, strict=True))
        source = "" if self._source is None else f" FROM {self._source}"
        rows = f"{source}{where}{grouped}{f' HAVING {having}' if having else ''}"
        if self._sets:
            rows = self._over_sets(f"{source}{where}{grouped}") + (f" WHERE {having}" if having else "")
        sql = f"SELECT {'' if qualify else distinct}{text}{rows}"
        if qualify:
            condition_text = qualify.filled(titles)
            sql, titles = self._wrapped(sql, titles, inside, distinct, f" WHERE {condition_text}")
        if on is not None:
            sql, titles = self._first_of(sql, titles, on, keys)
        if (keys and ordered) or tail.limited or len(titles) > outputs:
            sql, titles = self._in_order(sql, titles[:outputs], titles, keys if ordered else [], tail)
        if alone and self.whole and not tail.limited:
            alias = self._statement.fresh("q")
            sql, titles = self._wrapped(sql, titles[:outputs], alias, "", f" LIMIT {BARRIER}")
        columns = tuple(replace(column, text=title) for column, title in zip(visible, titles, strict=True))
        return sql, columns

    def _expressions(
        self, aliases: Mapping[str, Tree], *, aliases_first: bool = False, lift: Any = None
    ) -> Expressions:
        groups = self._groups
        return Expressions(
            self._queries,
            self._scope,
            aliases=aliases,
            aliases_first=aliases_first,
            keys=None if groups is None else groups.keys,
            grouping=None if groups is None else groups.grouping,
            lift=lift,
            below=self._read_sets if self._sets else None,
        )

    def _read_sets(self, text: str) -> str:
        """What reads a column of the grouping sets' own query, which is planned by itself."""
        if text not in self._inside:
            self._inside.append(text)
        return f"{self._sets}.c{self._inside.index(text)}"

    def _over_sets(self, rows: str) -> str:
        """FROM the grouping sets' own query."""
        if self._scope.reaches_out:
            raise NotLowered("grouping sets in a subquery that reads the row around it")
        listed = ", ".join(f"{text} AS c{place}" for place, text in enumerate(self._inside))
        name = self._statement.inline(f"SELECT {listed}{rows}", len(self._inside))
        return f" FROM {name} AS {self._sets}"

    def _place_of(self, tree: Tree) -> int | None:
        """The place of an expression among the columns, those included that only an order or DISTINCT ON needs."""
        if tree["class"] == "COLUMN_REF" and len(tree["column_names"]) == 1:
            folded = tree["column_names"][0].casefold()
            for place, item in enumerate(self._items):
                if item.aliased and (item.name or "").casefold() == folded:
                    return place
        text = self._expressions(self._aliases).value(tree)
        return None if text.startswith("s0(") else self._add(text)

    def _add(self, text: str) -> int:
        if text not in self._texts:
            self._texts.append(text)
        return self._texts.index(text)

    def _qualify(self, inside: str) -> _Later | None:
        """The condition of QUALIFY over the columns of the query inside of it."""
        tree = self._node["qualify"]
        if tree is None:
            return None

        def lift(text: str) -> str:
            return f"{inside}.§{self._add(text)}§"

        return _Later(condition(self._expressions(self._aliases, lift=lift), tree))

    def _wrapped(
        self, sql: str, titles: Sequence[str], alias: str, distinct: str, rest: str
    ) -> tuple[str, list[str]]:
        fresh = [self._statement.fresh("x") for _ in titles]
        listed = ", ".join(f"{alias}.{title} AS {name}" for title, name in zip(titles, fresh, strict=True))
        return f"SELECT {distinct}{listed} FROM ({sql}) AS {alias}{rest}", fresh

    def _first_of(
        self, sql: str, titles: list[str], on: Sequence[int | None], keys: Sequence[tuple[int, Any]]
    ) -> tuple[str, list[str]]:
        """The first row of each group that DISTINCT ON names."""
        if not keys:
            raise NotLowered("DISTINCT ON without ORDER BY takes rows as they come")
        alias, number = self._statement.fresh("q"), self._statement.fresh("x")
        parts = ", ".join(f"{alias}.{titles[place]}" for place in on if place is not None)
        order = ", ".join(order_text(f"{alias}.{titles[place]}", by) for place, by in keys)
        call = self._statement.templates.call(WindowShape("row_number", 0), [])
        over = f"{f'PARTITION BY {parts} ' if parts else ''}ORDER BY {order}"
        listed = ", ".join(f"{alias}.{title} AS {title}" for title in titles)
        inner = f"SELECT {listed}, {call} OVER ({over}) AS {number} FROM ({sql}) AS {alias}"
        first = self._statement.templates.value(constant("1"), [])
        outer = self._statement.fresh("q")
        return self._wrapped(inner, titles, outer, "", f" WHERE {outer}.{number} = {first}")

    def _in_order(
        self, sql: str, kept: Sequence[str], titles: Sequence[str], keys: Sequence[tuple[int, Any]], tail: Tail
    ) -> tuple[str, list[str]]:  # fmt: skip
        alias = self._statement.fresh("q")
        order = ", ".join(order_text(f"{alias}.{titles[place]}", by) for place, by in keys)
        rest = f" ORDER BY {order}" if order else ""
        return self._wrapped(sql, kept, alias, "", rest + tail.limits(self._statement.parameter))

    def _has_aggregate(self) -> bool:
        node = self._node
        trees = [[item.tree for item in self._items], node["having"], node["qualify"]]
        trees += [modifier.get("orders") for modifier in node["modifiers"]]
        return node["having"] is not None or has_calls(self._is_aggregate, trees, windows=False)

    def _is_aggregate(self, name: str) -> bool:
        return is_aggregate(self._statement, name)

    def _group_free_calls(self) -> bool:
        """Whether leaving out the list of a query without GROUP BY would change how many rows it gives."""
        return self._aggregated and (not self._node["group_expressions"] or bool(self._sets))


@dataclass(frozen=True, slots=True)
class _Later:
    """A condition that names columns by their places, which have names later."""

    text: str

    def filled(self, titles: Sequence[str]) -> str:
        parts = self.text.split("§")
        return "".join(titles[int(part)] if at % 2 else part for at, part in enumerate(parts))


def _aliases(items: Sequence[Item]) -> dict[str, Tree]:
    """What the list calls expressions, folded; of equal names the first."""
    found: dict[str, Tree] = {}
    for item in items:
        if item.aliased and item.name is not None:
            found.setdefault(item.name.casefold(), item.tree)
    return found
