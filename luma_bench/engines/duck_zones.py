"""Which result columns are zoned table columns selected as they are, so that they can carry the column's own zone.

DuckDB labels every TIMESTAMP WITH TIME ZONE with the session's zone. The instants are right and the label is only
how they are shown; it is restored for columns of a plain SELECT over tables, and for nothing that was computed.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa


def zone_labels(text: str, tables: Mapping[str, pa.Schema]) -> dict[str, str]:
    """The zone of each result column that a SELECT passes through from one of `tables`, by the result's name.

    A result name is left out when the text gives it to anything else too.
    """
    zoned = {
        name.casefold(): schema
        for name, schema in tables.items()
        if any(_zone(kind) for kind in schema.types)
    }
    if not zoned:
        return {}
    from sqlglot import TokenType, exp
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens = dialect.tokenize(text)
        # sqlglot's parser warns on stderr about statements that it does not know, such as EXPLAIN.
        if not tokens or tokens[0].token_type not in (TokenType.SELECT, TokenType.FROM):
            return {}
        tree = dialect.parser().parse(tokens, text)[0]
    except SqlglotError:
        return {}
    if not isinstance(tree, exp.Select) or tree.args.get("with_") or tree.args.get("with"):
        return {}
    known = {name.casefold(): schema for name, schema in tables.items()}
    scope = _scope(tree, known)
    if scope is None:
        return {}
    found: dict[str, set[str]] = {}
    for item in tree.expressions:
        for name, zone in _projected(item, scope):
            found.setdefault(name, set()).add(zone)
    return {name: next(iter(zones)) for name, zones in found.items() if len(zones) == 1 and zones != {""}}


def _scope(tree: object, known: Mapping[str, pa.Schema]) -> dict[str, pa.Schema] | None:
    """The tables of FROM by alias; None when anything but a plain table stands there."""
    from sqlglot import exp

    assert isinstance(tree, exp.Select)
    start = tree.args.get("from_") or tree.args.get("from")
    if not isinstance(start, exp.From):
        return None
    items = [start.this, *(join.this for join in tree.args.get("joins") or [])]
    scope: dict[str, pa.Schema] = {}
    for item in items:
        if (
            not isinstance(item, exp.Table)
            or not isinstance(item.this, exp.Identifier)
            or item.args.get("pivots")
        ):
            return None
        alias = item.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            return None
        schema = known.get(item.name.casefold())
        if schema is None or item.args.get("db") or item.alias_or_name.casefold() in scope:
            return None
        scope[item.alias_or_name.casefold()] = schema
    return scope


def _projected(item: object, scope: Mapping[str, pa.Schema]) -> list[tuple[str, str]]:
    """Result names of one projection with their zones; an empty zone for what is not a zoned column."""
    from sqlglot import exp

    if isinstance(item, exp.Star):
        return [pair for schema in scope.values() for pair in _all(schema)] if _bare(item) else []
    target = item.this if isinstance(item, exp.Alias) else item
    if isinstance(target, exp.Column) and isinstance(target.this, exp.Star):
        schema = scope.get(target.table.casefold())
        return _all(schema) if schema is not None and _bare(target.this) else []
    assert isinstance(item, exp.Expr)
    name = item.alias_or_name
    if not isinstance(target, exp.Column) or not isinstance(target.this, exp.Identifier):
        return [(name, "")]
    owners = [scope[target.table.casefold()]] if target.table.casefold() in scope else list(scope.values())
    fields = [
        field for schema in owners for field in schema if field.name.casefold() == target.name.casefold()
    ]
    if len(fields) != 1:
        return [(name, "")]
    return [(name if isinstance(item, exp.Alias) else fields[0].name, _zone(fields[0].type) or "")]


def _bare(star: object) -> bool:
    from sqlglot import exp

    assert isinstance(star, exp.Star)
    return not any(star.args.get(key) for key in ("except", "except_", "replace", "rename"))


def _all(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(field.name, _zone(field.type) or "") for field in schema]


def _zone(kind: pa.DataType) -> str | None:
    """The zone of a zoned timestamp column."""
    return kind.tz if pa.types.is_timestamp(kind) else None
