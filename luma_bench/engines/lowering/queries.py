"""Queries for DataFusion: SELECT and set operations as SQL in which every name is its own and every value is opaque."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.names import Scope, Visible
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.relations import Relations
from luma_bench.engines.lowering.select import Select
from luma_bench.engines.lowering.statement import Named, Part, Source, Statement
from luma_bench.engines.lowering.tail import Tail, modifiers_of, ordered
from luma_bench.engines.lowering.templates import AggregateShape, WindowShape, constant

_SET_OPERATIONS: Final = {"UNION", "INTERSECT", "EXCEPT"}


@dataclass(frozen=True, slots=True)
class Lowered:
    """A query as SQL.

    Attributes
    ----------
    columns
        By the names that users have for them; the SQL is the column's name in the answer.
    correlated
        Whether it reads the row of a query around it.
    whole
        Whether it aggregates all rows, without groups.
    single
        Whether it gives exactly one row, whatever it reads.
    limited
        Whether it takes some rows only.
    counting
        Whether it holds an aggregate that gives something else than NULL for no rows, and is not `count`.
    """

    sql: str
    columns: tuple[Visible, ...]
    correlated: bool = False
    whole: bool = False
    single: bool = False
    limited: bool = False
    counting: bool = False


class Queries:
    """Lowers the queries of one statement.

    Attributes
    ----------
    counting
        The scopes (by identity) with an aggregate that `Lowered.counting` speaks of.
    """

    def __init__(self, statement: Statement, often: Mapping[str, int]) -> None:
        self.statement = statement
        self.counting: set[int] = set()
        self._often = often
        self._fragments: dict[str, Tree] = {}

    def query(
        self,
        node: Tree,
        parent: Scope | None,
        known: Mapping[str, Source] | None = None,
        *,
        exists: bool = False,
        top: bool = False,
        value: bool = False,
    ) -> Lowered:
        """The SQL of a query.

        Parameters
        ----------
        parent
            The query around it.
        known
            What names of relations mean; what they do in the query around it by default.
        exists
            Only whether there is a row matters.
        top
            It is the statement itself, whose order is the answer's.
        value
            Its one value stands in an expression.

        Raises
        ------
        NotLowered
            Something in it does not run on other engines.
        """
        if known is None:
            known = parent.known if parent is not None else {}
        known = self._with(node, parent, known)
        tail = modifiers_of(node, exists=exists)
        if node["type"] == "SELECT_NODE":
            return self._select(
                node,
                parent,
                known,
                tail,
                exists=exists,
                top=top,
                alone=not (top or exists) and (not value or node["having"] is not None),
            )
        if node["type"] == "SET_OPERATION_NODE":
            return self._set_operation(node, parent, known, tail, top=top)
        raise NotLowered(
            "a recursive CTE" if "RECURSIVE" in node["type"] else f"a query of the kind {node['type']}"
        )

    def part(self, source: Named) -> Part:
        """A CTE or view that is computed once."""
        lowered = self.query(source.node, None, source.known)
        names = self.titles(lowered.columns)
        names[: len(source.columns)] = source.columns
        return self.statement.add_part(source, lowered.sql, tuple(names))

    def titles(self, columns: Sequence[Visible]) -> list[str | None]:
        """What columns are called by who reads the query: like their expressions where these have no names."""
        unnamed = [column.tree for column in columns if column.name is None and column.tree is not None]
        if any(tree["class"] == "DIRECT" for tree in unnamed):
            return [column.name for column in columns]
        printed = iter(self.statement.trees.printed(unnamed) if unnamed else ())
        return [
            next(printed) if column.name is None and column.tree is not None else column.name
            for column in columns
        ]

    def fragment(self, text: str) -> Tree:
        """The tree of an expression of our own."""
        found = self._fragments.get(text)
        if found is None:
            found = self._fragments[text] = self.statement.trees.expression(text)
        return found

    def _with(self, node: Tree, parent: Scope | None, known: Mapping[str, Source]) -> Mapping[str, Source]:
        """What names mean with the CTEs of a query."""
        for item in node["cte_map"]["map"]:
            name, cte = item["key"], item["value"]
            if cte["key_targets"]:
                raise NotLowered("a recursive CTE")
            always = cte["materialized"] == "CTE_MATERIALIZE_ALWAYS"
            twice = self._often.get(name.casefold(), 0) > 1 and cte["materialized"] != "CTE_MATERIALIZE_NEVER"
            once = (always or twice) and parent is None
            named = Named(name, cte["query_node"], tuple(cte["aliases"]), known, once, parent)
            known = {**known, name.casefold(): named}
        return known

    def _select(
        self, node: Tree, parent: Scope | None, known: Mapping[str, Source], tail: Tail, *, exists: bool, top: bool,
        alone: bool,
    ) -> Lowered:  # fmt: skip
        relations = Relations(self, known, parent)
        source = relations.of(node["from_table"])
        scope = Scope(parent, known=known)
        if source is not None:
            scope.relations, scope.visible = source.relations, source.visible
        select = Select(self, node, scope, None if source is None else source.sql)
        sql, columns = select.sql(tail, exists=exists, ordered=top or tail.limited, alone=alone)
        if node["sample"] is not None:
            raise NotLowered("a sample")
        single = select.whole and node["having"] is None and node["qualify"] is None and not tail.limited
        return Lowered(
            sql,
            columns,
            scope.reaches_out or relations.reaches_out,
            select.whole,
            single,
            tail.limited,
            id(scope) in self.counting,
        )

    def _set_operation(
        self, node: Tree, parent: Scope | None, known: Mapping[str, Source], tail: Tail, *, top: bool
    ) -> Lowered:  # fmt: skip
        kind: str = node["setop_type"]
        parts = [self.query(child, parent, known) for child in node["children"]]
        if kind == "UNION_BY_NAME":
            parts, kind = self._by_name(parts), "UNION"
        if kind not in _SET_OPERATIONS:
            raise NotLowered(kind.replace("_", " "))
        if len({len(part.columns) for part in parts}) != 1:
            raise NotLowered(f"a {kind} of different widths")
        fresh = self.statement.fresh
        if kind == "UNION":
            alias = fresh("q")
            sql = " UNION ALL ".join(f"({part.sql})" for part in parts)
            columns = parts[0].columns
            distinct = "" if node["setop_all"] else "DISTINCT "
            titles = [fresh("x") for _ in columns]
            listed = ", ".join(
                f"{alias}.{column.text} AS {title}" for column, title in zip(columns, titles, strict=True)
            )
            sql = f"SELECT {distinct}{listed} FROM ({sql}) AS {alias}"
            columns = tuple(
                replace(column, text=title) for column, title in zip(columns, titles, strict=True)
            )
            whole = Lowered(sql, columns)
        else:
            whole = parts[0]
            for part in parts[1:]:
                whole = self._both(whole, part, kind, every=node["setop_all"])
        correlated = any(part.correlated for part in parts)
        counting = any(part.counting for part in parts)
        sql, columns = whole.sql, whole.columns
        if top or tail.limited:
            sql, columns = ordered(self, sql, columns, tail, Scope(parent, known=known))
        return Lowered(sql, columns, correlated, limited=tail.limited, counting=counting)

    def _by_name(self, parts: list[Lowered]) -> list[Lowered]:
        """The parts of a UNION BY NAME with the same columns in the same order, NULL where a part has none."""
        names: dict[str, str] = {}
        for part in parts:
            own = [column.name for column in part.columns if column.name is not None]
            if len({name.casefold() for name in own}) != len(part.columns):
                raise NotLowered("UNION BY NAME of columns without names of their own")
            for name in own:
                names.setdefault(name.casefold(), name)
        null = self.statement.templates.value(constant("", "NULL_LITERAL"), [])
        found: list[Lowered] = []
        for part in parts:
            alias = self.statement.fresh("q")
            own_texts = {(column.name or "").casefold(): f"{alias}.{column.text}" for column in part.columns}
            columns = tuple(Visible(name, self.statement.fresh("x")) for name in names.values())
            listed = ", ".join(
                f"{own_texts.get(folded, null)} AS {column.text}"
                for folded, column in zip(names, columns, strict=True)
            )
            found.append(replace(part, sql=f"SELECT {listed} FROM ({part.sql}) AS {alias}", columns=columns))
        return found

    def _both(self, left: Lowered, right: Lowered, kind: str, *, every: bool) -> Lowered:
        """INTERSECT and EXCEPT as groups over the rows of both sides, so that values become of one type as in a UNION.

        With `every` the equal rows of a side are numbered, and the numbers compared too.
        """
        templates, fresh = self.statement.templates, self.statement.fresh
        mark = fresh("x")
        sides: list[str] = []
        for number, side in enumerate((left, right)):
            alias = fresh("q")
            listed = ", ".join(
                f"{alias}.{column.text} AS {mark}_{place}" for place, column in enumerate(side.columns)
            )
            where = templates.value(constant(str(number)), [])
            if every:
                own = ", ".join(f"{alias}.{column.text}" for column in side.columns)
                count = templates.call(WindowShape("row_number", 0), [])
                listed += f", {count} OVER (PARTITION BY {own}) AS {mark}_{len(side.columns)}"
            sides.append(f"(SELECT {listed}, {where} AS {mark} FROM ({side.sql}) AS {alias})")
        alias = fresh("q")
        keys = [f"{alias}.{mark}_{place}" for place in range(len(left.columns) + every)]
        highest = templates.call(AggregateShape("max", 1), [f"{alias}.{mark}"])
        lowest = templates.call(AggregateShape("min", 1), [f"{alias}.{mark}"])
        having = f"{highest} = {templates.value(constant('0'), [])}"
        if kind == "INTERSECT":
            having = f"{highest} <> {lowest}"
        columns = tuple(Visible(column.name, fresh("x")) for column in left.columns)
        listed = ", ".join(f"{key} AS {column.text}" for key, column in zip(keys, columns, strict=False))
        rows = " UNION ALL ".join(sides)
        sql = f"SELECT {listed} FROM ({rows}) AS {alias} GROUP BY {', '.join(keys)} HAVING {having}"
        return Lowered(sql, columns)
