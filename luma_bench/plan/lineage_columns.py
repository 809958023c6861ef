"""Resolving columns on a parse tree: from scope to scope, down to stored tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from luma_bench.types.sql_text import quoted

_LONGEST = 200

Tables = Mapping[str, Sequence[str]]
"""The column names of every relation, by its name."""
Views = Mapping[str, tuple[str, Sequence[str]]]
"""The query of each view and, for a view that names them, its columns, by the view's name."""


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """Where one output column comes from.

    Attributes
    ----------
    name
        The output column; for a statement that changes rows the column that is written.
    sources
        The stored columns that its value is made of, as `table.column`, in the order met; empty for a
        constant and for `count(*)`.
    transformation
        What makes the value, as text; the column's own name where it is passed on.
    unknown
        Why it is not known; empty where it is.
    """

    name: str
    sources: tuple[str, ...]
    transformation: str
    unknown: str = ""


class Unknown(Exception):
    """Why the tree does not show where a column comes from."""


def statement_tree(text: str) -> exp.Expr:
    """The parse tree of one statement.

    Raises
    ------
    Unknown
        The parser has none.
    """
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise Unknown(f"the parse tree is not to be had: {str(error).splitlines()[0][:_LONGEST]}") from error
    if len(trees) != 1 or trees[0] is None or isinstance(trees[0], exp.Command):
        raise Unknown("the parser does not know this statement")
    return trees[0]


def query_tree(text: str) -> exp.Expr:
    """The parse tree of one query.

    Raises
    ------
    Unknown
        The parser takes it for something else.
    """
    tree = statement_tree(text)
    if not isinstance(tree, exp.Query):
        raise Unknown("the parser takes it for no query")
    return tree


def resolved(
    tree: exp.Expr,
    tables: Tables,
    views: Views,
) -> list[ColumnLineage]:
    """The lineage of a query's output columns, named as the tree names them."""
    for node in tree.walk():
        if isinstance(node, exp.Pivot | exp.Columns | exp.MatchRecognize):
            raise Unknown(f"{type(node).__name__.upper()} makes columns that only the engine knows")
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise Unknown("it reads a table function or a file")
    expanded = _with_views(tree, views)
    # In quotes: bare, a name such as @n is read as an expression.
    schema: dict[str, object] = {
        quoted(name): {quoted(column): "UNKNOWN" for column in names} for name, names in tables.items()
    }
    try:
        qualified = qualify(
            expanded,
            dialect="duckdb",
            schema=schema,
            quote_identifiers=False,
            identify=False,
        )
        scope = build_scope(qualified)
    except (SqlglotError, RecursionError, ValueError, KeyError) as error:
        raise Unknown(f"the names do not resolve by the parse tree: {str(error)[:_LONGEST]}") from error
    if scope is None:
        raise Unknown("the parser sees no query in it")
    walker = _Walker(
        {
            name.casefold(): (name, {column.casefold(): column for column in names})
            for name, names in tables.items()
        }
    )
    return [walker.column(scope, place) for place in range(len(_selects(qualified)))]


def _with_views(tree: exp.Expr, views: Views) -> exp.Expr:
    """The tree with every view as a common table expression of its name."""
    if not views or not isinstance(tree, exp.Query):
        return tree
    own = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    if any(name.casefold() in own for name in views):
        raise Unknown("a common table expression has the name of a view")
    ctes: list[exp.Expr] = []
    for name, (text, columns) in views.items():
        query = query_tree(text)
        alias = exp.TableAlias(
            this=exp.to_identifier(name), columns=[exp.to_identifier(column) for column in columns]
        )
        starred = any(item.is_star for item in _selects(query))
        if columns and not starred and len(columns) != len(_selects(query)):
            raise Unknown(f"view {name!r} names some of its columns only")
        ctes.append(exp.CTE(this=query, alias=alias))
    held = tree.args.get("with_")
    made = exp.With(expressions=[*ctes, *(held.expressions if held is not None else ())])
    if held is not None and held.args.get("recursive"):
        made.set("recursive", True)
    tree.set("with_", made)
    return tree


def _selects(node: exp.Expr) -> list[exp.Expr]:
    if not isinstance(node, exp.Query):
        raise Unknown(f"{type(node).__name__.upper()} is no query")
    return list(node.selects)


class _Walker:
    """Follows columns from scope to scope down to stored tables."""

    def __init__(self, tables: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        self._tables = tables
        # A recursive part reads what the parser takes for its first part alone; it is the whole.
        self._recursive: dict[int, Scope] = {}

    def column(self, scope: Scope, place: int) -> ColumnLineage:
        """The lineage of one output column of a scope."""
        name, made = _selects(scope.expression)[place].alias_or_name, self._made(scope, place)
        try:
            sources = tuple(dict.fromkeys(self._output(scope, place, frozenset())))
        except Unknown as error:
            return ColumnLineage(name, (), made, str(error))
        return ColumnLineage(name, sources, made)

    def _made(self, scope: Scope, place: int) -> str:
        """The text that makes an output column; one that is passed on is followed to where it is made."""
        seen: set[int] = set()
        while True:
            node = _selects(scope.expression)[place]
            value = node.this if isinstance(node, exp.Alias) else node
            if not isinstance(value, exp.Column):
                made = value.sql("duckdb")
                return made if len(made) <= _LONGEST else f"{made[: _LONGEST - 1]}…"
            inner = scope.sources.get(value.table)
            if not isinstance(inner, Scope) or inner.set_operation_scopes or id(inner) in seen:
                return value.name
            if not isinstance(inner.expression, exp.Select):
                return value.name
            names = [item.casefold() for item in inner.expression.named_selects]
            if names.count(value.name.casefold()) != 1:
                return value.name
            seen.add(id(inner))
            scope, place = inner, names.index(value.name.casefold())

    def _output(self, scope: Scope, place: int, seen: frozenset[tuple[int, int]]) -> Iterator[str]:
        key = (id(scope), place)
        if key in seen:  # a recursive part that reads itself adds nothing new
            return
        seen |= {key}
        if scope.set_operation_scopes:
            self._recursive[id(scope.set_operation_scopes[0].expression)] = scope
            for part in scope.set_operation_scopes:
                yield from self._output(part, place, seen)
            return
        selects = _selects(scope.expression)
        if place >= len(selects):
            raise Unknown("its parts have different numbers of columns")
        yield from self._expression(scope, selects[place], seen)

    def _expression(self, scope: Scope, node: exp.Expr, seen: frozenset[tuple[int, int]]) -> Iterator[str]:
        """The stored columns that an expression of a scope is made of."""
        pending: list[exp.Expr] = [node]
        while pending:
            current = pending.pop(0)
            if isinstance(current, exp.Exists):
                continue
            if isinstance(current, exp.Query):
                inner = next(
                    (item for item in scope.subquery_scopes if item.expression is current.unnest()), None
                )
                if inner is None:
                    raise Unknown("a sub-query in it is not resolved")
                for place in range(len(_selects(inner.expression))):
                    yield from self._output(inner, place, seen)
            elif isinstance(current, exp.Column):
                yield from self._stored(scope, current, seen)
            elif isinstance(current, exp.TableColumn):
                yield from self._row(scope, current.name, seen)
            else:
                pending = [*current.iter_expressions(), *pending]

    def _row(self, scope: Scope, name: str, seen: frozenset[tuple[int, int]]) -> Iterator[str]:
        """The stored columns of a whole row, which a table's name stands for."""
        owner: Scope | None = scope
        source: object = None
        while owner is not None and source is None:
            source = owner.sources.get(name)
            owner = owner.parent
        table = self._tables.get(source.name.casefold()) if isinstance(source, exp.Table) else None
        if table is not None:
            yield from (f"{table[0]}.{column}" for column in table[1].values())
        elif isinstance(source, Scope) and not self._recursive:
            expression: Any = source.expression
            for place in range(len(_selects(expression))):
                yield from self._output(source, place, seen)
        else:
            raise Unknown(f"{name} is a row that the parse tree does not show")

    def _stored(self, scope: Scope, column: exp.Column, seen: frozenset[tuple[int, int]]) -> Iterator[str]:
        owner: Scope | None = scope
        source: object = None
        while owner is not None and source is None:
            source = owner.sources.get(column.table)
            owner = owner.parent
        if isinstance(source, exp.Table):
            table = self._tables.get(source.name.casefold())
            stored = None if table is None else table[1].get(column.name.casefold())
            if table is None or stored is None:
                raise Unknown(f"{column.sql('duckdb')} is no stored column")
            yield f"{table[0]}.{stored}"
        elif isinstance(source, Scope):
            source = self._recursive.get(id(source.expression), source)
            expression: Any = source.expression
            if not isinstance(expression, exp.Query):
                raise Unknown(f"{column.sql('duckdb')} comes from {type(expression).__name__.upper()}")
            names = [item.casefold() for item in expression.named_selects]
            if names.count(column.name.casefold()) != 1:
                raise Unknown(f"{column.sql('duckdb')} is not one column of what it is read from")
            yield from self._output(source, names.index(column.name.casefold()), seen)
        else:
            raise Unknown(f"{column.sql('duckdb')} is read from something that the parse tree does not show")
