"""Which result columns are zoned columns of tables selected as they are, so that they can carry the column's own zone.

DuckDB labels every TIMESTAMP WITH TIME ZONE with the session's zone. The instants are right and the label is only
how they are shown; it is restored for columns that SELECTs pass on, through views, WITH, subqueries and UNION, and for
nothing that was computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from sqlglot import exp

Columns = list[tuple[str, str]]
"""The columns of a relation with their zones; an empty zone for what is not a zoned column."""
Views = Mapping[str, tuple[str, Sequence[str]]]
"""The query of each view, and names for its first columns, by the view's name."""
_NO_VIEWS: Views = {}
_UNCOUNTED = ("\0", "")
"""Stands among columns whose number or names the text does not show."""
_HALF = frozenset({"SEMI", "ANTI"})


def zone_labels(text: str, tables: Mapping[str, pa.Schema], views: Views = _NO_VIEWS) -> dict[str, str]:
    """The zone of each result column that a query passes through from one of `tables`, by the result's name.

    A result name is left out when the text gives it to anything else too.
    """
    if not any(_zone(kind) for schema in tables.values() for kind in schema.types):
        return {}
    known = _Known(
        {name.casefold(): _all(schema) for name, schema in tables.items()},
        {name.casefold(): view for name, view in views.items()},
    )
    columns = known.result(text)
    return {name: zone for name, zone in _single(columns or []).items() if zone}


class _Known:
    """The relations that a text may name; None for one that is not followed.

    Parameters
    ----------
    held
        Those under their folded names: tables, or what a WITH gives.
    views
        Queries over the outermost of them, whatever a WITH calls alike.
    outer
        The relations around a WITH.
    """

    def __init__(self, held: dict[str, Columns | None], views: Views, outer: _Known | None = None) -> None:
        self._held = held
        self._views = views
        self._outer = outer

    def result(self, text: str) -> Columns | None:
        """The columns of a query by its text; None where they are not known."""
        from sqlglot import TokenType
        from sqlglot.dialects.dialect import Dialect
        from sqlglot.errors import SqlglotError

        dialect = Dialect.get_or_raise("duckdb")
        try:
            tokens = dialect.tokenize(text)
            # sqlglot's parser warns on stderr about statements that it does not know, such as EXPLAIN.
            readable = (TokenType.SELECT, TokenType.FROM, TokenType.WITH, TokenType.L_PAREN)
            if not tokens or tokens[0].token_type not in readable:
                return None
            return self._columns(dialect.parser().parse(tokens, text)[0])
        except (SqlglotError, RecursionError):
            return None

    def _columns(self, tree: object) -> Columns | None:
        from sqlglot import exp

        if not isinstance(tree, exp.Query):
            return None
        known = self._within(tree)
        if known is None:
            return None
        if isinstance(tree, exp.Select):
            return known._selected(tree)
        if isinstance(tree, exp.SetOperation):
            return known._united(tree)
        changed = any(tree.args.get(key) for key in ("pivots", "joins", "laterals"))
        return known._columns(tree.this) if isinstance(tree, exp.Subquery) and not changed else None

    def _within(self, tree: exp.Query) -> _Known | None:
        """These relations and those of the query's own WITH; None for a recursive one."""
        given = tree.args.get("with_") or tree.args.get("with")
        if given is None:
            return self
        if given.args.get("recursive"):
            return None
        known = _Known({}, _NO_VIEWS, self)
        for item in given.expressions:
            named = item.args["alias"].args.get("columns")
            known._held[item.alias.casefold()] = None if named else known._columns(item.this)
        return known

    def _named(self, name: str) -> Columns | None:
        """The columns of the relation of a name."""
        folded = name.casefold()
        if folded not in self._held and self._outer is not None:
            return self._outer._named(name)
        if folded not in self._held and folded in self._views:
            text, names = self._views[folded]
            found = self.result(text)
            if found is not None and names:
                told = _UNCOUNTED not in found and len(names) <= len(found)
                renamed = [(new, zone) for new, (_, zone) in zip(names, found, strict=False)]
                found = [*renamed, *found[len(names) :]] if told else None
            self._held[folded] = found
        return self._held.get(folded)

    def _united(self, tree: exp.SetOperation) -> Columns | None:
        """By place: a zone stays where both parts agree."""
        left, right = self._columns(tree.left), self._columns(tree.right)
        if left is None or right is None or len(left) != len(right) or tree.args.get("by_name"):
            return None
        if _UNCOUNTED in left or _UNCOUNTED in right:
            return None
        pairs = zip(left, right, strict=True)
        return [(name, zone if zone == other else "") for (name, zone), (_, other) in pairs]

    def _selected(self, tree: exp.Select) -> Columns | None:
        scope = self._scope(tree)
        if scope is None:
            return None
        found = [pair for item in tree.expressions for pair in _projected(item, scope)]
        merged = any(
            join.args.get("using") or join.args.get("method") == "NATURAL" or join.args.get("kind") in _HALF
            for join in tree.args.get("joins") or []
        )
        return [*found, _UNCOUNTED] if merged and any(item.is_star for item in tree.expressions) else found

    def _scope(self, tree: exp.Select) -> dict[str, Columns] | None:
        """The relations of FROM by alias; None when anything stands there that is not followed."""
        from sqlglot import exp

        start = tree.args.get("from_") or tree.args.get("from")
        if not isinstance(start, exp.From) or tree.args.get("laterals"):
            return None
        scope: dict[str, Columns] = {}
        for item in [start.this, *(join.this for join in tree.args.get("joins") or [])]:
            alias = item.args.get("alias")
            if item.args.get("pivots") or (alias is not None and alias.args.get("columns")):
                return None
            found: Columns | None = None
            if isinstance(item, exp.Subquery):
                found = self._columns(item)
            elif isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
                found = None if item.args.get("db") else self._named(item.name)
            name = item.alias_or_name.casefold() or f"\0{len(scope)}"
            if found is None or name in scope:
                return None
            scope[name] = found
        return scope


def _projected(item: exp.Expr, scope: Mapping[str, Columns]) -> Columns:
    """Result names of one projection with their zones."""
    from sqlglot import exp

    if isinstance(item, exp.Star):
        return _starred(item, [pair for columns in scope.values() for pair in columns])
    target = item.this if isinstance(item, exp.Alias) else item
    if isinstance(target, exp.Column) and isinstance(target.this, exp.Star):
        return _starred(target.this, scope.get(target.table.casefold(), [_UNCOUNTED]))
    name = item.alias_or_name
    if item.find(exp.Columns) or isinstance(target.args.get("this"), exp.Star):
        return [(name, "")] if isinstance(target, exp.Count) else [_UNCOUNTED]
    if not isinstance(target, exp.Column) or not isinstance(target.this, exp.Identifier):
        return [(name, "")]
    owner, wanted = target.table.casefold(), target.name.casefold()
    owners = [scope[owner]] if owner in scope else [] if owner else list(scope.values())
    found = [(own, zone) for columns in owners for own, zone in columns if own.casefold() == wanted]
    if len(found) != 1:
        return [(name, "")]
    own, zone = found[0]
    return [(name if isinstance(item, exp.Alias) else own, zone)]


def _starred(star: exp.Star, columns: Columns) -> Columns:
    """The columns behind a star with its EXCLUDE and REPLACE."""
    left_out = star.args.get("except_") or star.args.get("except") or []
    if star.args.get("rename") or any(getattr(one, "table", "") for one in left_out):
        return [_UNCOUNTED]
    less = {one.name.casefold() for one in left_out}
    made = {one.alias.casefold() for one in star.args.get("replace") or []}
    return [
        (name, "" if name.casefold() in made else zone)
        for name, zone in columns
        if name.casefold() not in less
    ]


def _single(columns: Columns) -> dict[str, str]:
    """The zone of each name; an empty one where columns of one name differ."""
    found: dict[str, set[str]] = {}
    for name, zone in columns:
        found.setdefault(name, set()).add(zone)
    return {name: next(iter(zones)) if len(zones) == 1 else "" for name, zones in found.items()}


def _all(schema: pa.Schema) -> Columns:
    return [(field.name, _zone(field.type) or "") for field in schema]


def _zone(kind: pa.DataType) -> str | None:
    """The zone of a zoned timestamp column."""
    return kind.tz if pa.types.is_timestamp(kind) else None
