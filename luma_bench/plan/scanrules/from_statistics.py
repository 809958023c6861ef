"""`SELECT count(…), min(…), max(…) FROM t [WHERE …]`: what catalog statistics and zone maps can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from luma_bench.plan.scanrules.conditions import Resolve, column_type, conjuncts, predicate
from luma_bench.plan.scanrules.texts import ParsedText, alias_of, columns_of
from luma_bench.types.predicate import Predicate
from luma_bench.types.schema import Column, TableSchema
from luma_bench.types.statistics import Wanted

Figure = Literal["rows", "valid", "low", "high"]

_PARTS = frozenset({"expressions", "from_", "where"})


@dataclass(frozen=True, slots=True)
class Figures:
    """What a text asks of one table.

    Attributes
    ----------
    table
        The folded name of the table.
    items
        For each column of the answer the figure, and the column it is of; None for the number of rows.
    predicates
        The rows that it is about: those where every one is TRUE.
    """

    table: str
    items: tuple[tuple[Figure, str | None], ...]
    predicates: tuple[Predicate, ...]

    @property
    def counts_rows(self) -> bool:
        """Whether the number of rows is among them."""
        return any(figure == "rows" for figure, _ in self.items)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What is asked of each column, once."""
        asked: dict[str, set[Figure]] = {}
        for figure, column in self.items:
            if column is not None:
                asked.setdefault(column, set()).add(figure)
        return tuple(
            Wanted(column, "valid" in figures, "low" in figures, "high" in figures)
            for column, figures in asked.items()
        )


def figures(
    text: ParsedText, tables: Mapping[str, TableSchema], params: Mapping[str, object]
) -> Figures | str:
    """What the text asks, or why it is none that statistics answer."""
    tree = text.tree
    if type(tree) is not exp.Select or {key for key, value in tree.args.items() if value} - _PARTS:
        return "it is more than counts and bounds of one table"
    source = tree.args["from_"].this if tree.args.get("from_") else None
    if not isinstance(source, exp.Table) or sum(text.tables.values()) != 1:
        return "it reads no table, or more than one"
    table = tables.get(source.name.casefold())
    if table is None:
        return f"{source.name!r} offers no statistics"
    alias, columns = alias_of(source), columns_of(table)

    def stored(column: exp.Column) -> Column | None:
        owner = column.table.casefold()
        if len(column.parts) > 2 or (owner and owner != alias):
            return None
        return columns.get(column.name.casefold())

    items: list[tuple[Figure, str | None]] = []
    for node in tree.expressions:
        item = _item(node.this if isinstance(node, exp.Alias) else node, stored)
        if item is None:
            return "it selects more than count, min and max of columns"
        items.append((item[0], None if item[1] is None else item[1].name))
    predicates: list[Predicate] = []
    for part in conjuncts(tree.args.get("where")):
        found = predicate(part, stored, params)
        if found is None:
            return "its condition takes SQL's conversions"
        predicates.append(found)
    return Figures(source.name.casefold(), tuple(items), tuple(predicates))


def _item(node: exp.Expr, stored: Resolve) -> tuple[Figure, Column | None] | None:
    parts = {key for key, value in node.args.items() if value} - {"big_int"}
    if type(node) is exp.Count:
        inner = node.this
        if parts <= {"this"} and (inner is None or isinstance(inner, exp.Star)):
            return None if inner is not None and any(inner.args.values()) else ("rows", None)
        if isinstance(inner, exp.Literal) and parts == {"this"}:
            return "rows", None
        column = stored(inner) if isinstance(inner, exp.Column) and parts == {"this"} else None
        return None if column is None else ("valid", column)
    if type(node) in (exp.Min, exp.Max) and parts == {"this"} and isinstance(node.this, exp.Column):
        column = stored(node.this)
        if column is None or column_type(column) in (None, "BLOB"):
            return None
        return ("low" if type(node) is exp.Min else "high"), column
    return None
