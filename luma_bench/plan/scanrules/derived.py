"""Sub-queries and common table expressions that hand on columns of a relation that a graph answers, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from luma_bench.plan.scanrules.texts import ParsedText
from luma_bench.types.schema import Column

_PARTS: Final = frozenset({"expressions", "from_", "where", "distinct", "group", "having", "order"})
"""What such a query may have: leaving rows out before any of it is the same as after, for columns that are handed on."""


class Derived:
    """The columns of graph relations that a text hands on under other names.

    Attributes
    ----------
    graphs
        Relations that graphs answer, by their folded names, with the columns that they can start from.
    """

    def __init__(self, text: ParsedText, graphs: Mapping[str, Mapping[str, Column]]) -> None:
        self.graphs = graphs
        self._common: dict[str, exp.Expr] = {}
        if graphs:
            for node in text.tree.find_all(exp.CTE):
                name = node.alias.casefold()
                if text.tables.get(name) == 1 and not node.args["alias"].args.get("columns"):
                    self._common[name] = node.this

    def of(self, node: exp.Expr) -> tuple[str, Mapping[str, Column]] | None:
        """The graph relation behind something in FROM, and the columns of it that it hands on; None for anything else."""
        if not self.graphs:
            return None
        if isinstance(node, exp.Table) and node.name.casefold() in self._common:
            return self._handed(self._common[node.name.casefold()])
        if isinstance(node, exp.Subquery) and not node.args.get("joins"):
            alias = node.args.get("alias")
            if alias is None or not alias.args.get("columns"):
                return self._handed(node.this)
        return None

    def _handed(self, query: exp.Expr) -> tuple[str, Mapping[str, Column]] | None:
        if isinstance(query, exp.Subquery):
            return self._handed(query.this)
        if type(query) is not exp.Select or {key for key, value in query.args.items() if value} - _PARTS:
            return None
        if query.find(exp.Window) is not None:
            return None
        below = self._below(query)
        if below is None:
            return None
        name, columns = below
        found: dict[str, Column] = {}
        for item in query.expressions:
            plain = item.this if isinstance(item, exp.Alias) else item
            if (
                isinstance(plain, exp.Star)
                and not plain.args.get("except_")
                and not plain.args.get("replace")
            ):
                found.update(columns)
            elif isinstance(plain, exp.Column) and len(plain.parts) == 1:
                own = columns.get(plain.name.casefold())
                if own is not None:
                    found[item.alias_or_name.casefold()] = own
        return name, found

    def _below(self, query: exp.Select) -> tuple[str, Mapping[str, Column]] | None:
        source = query.args.get("from_")
        if source is None:
            return None
        if isinstance(source.this, exp.Table) and not source.this.alias:
            name = source.this.name.casefold()
            return None if name not in self.graphs else (name, self.graphs[name])
        return self._handed(source.this) if isinstance(source.this, exp.Subquery) else None
