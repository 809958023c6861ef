"""The lineage of statements that write rows: which stored columns each written column is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from luma_bench.plan.lineage_columns import ColumnLineage, Tables, Unknown, Views, resolved


def written(tree: exp.Expr, tables: Tables, views: Views) -> tuple[str, list[ColumnLineage]]:
    """The table that a statement writes, and the lineage of each column that it writes.

    Raises
    ------
    Unknown
        It writes no values, or the tree does not show for certain which.
    """
    match tree:
        case exp.Insert():
            return _inserted(tree, tables, views)
        case exp.Create() if isinstance(tree.expression, exp.Query):
            found = resolved(tree.expression.copy(), tables, views)
            if not isinstance(tree.this, exp.Schema):
                return tree.this.name, found
            names = [item.name for item in tree.this.expressions]
            if len(names) != len(found):
                raise Unknown("it names some of its columns only")
            return tree.this.this.name, [_as(name, one) for name, one in zip(names, found, strict=True)]
        case exp.Update():
            return _updated(tree, tables, views)
        case exp.Merge():
            return _merged(tree, tables, views)
        case exp.Delete():
            raise Unknown("a DELETE writes no values")
        case _:
            raise Unknown(f"{type(tree).__name__.upper()} is none of the statements that lineage follows")


def _inserted(tree: exp.Insert, tables: Tables, views: Views) -> tuple[str, list[ColumnLineage]]:
    if tree.args.get("conflict") or tree.args.get("overwrite"):
        raise Unknown("an INSERT that may update instead has no one lineage")
    target, listed = _target(tree.this, tables)
    if isinstance(tree.expression, exp.Values):
        if tree.expression.find(exp.Query) is not None:
            raise Unknown("its VALUES hold sub-queries")
        width = len(tree.expression.expressions[0].expressions)
        return target, [ColumnLineage(name, (), "VALUES") for name in listed[:width]]
    if not isinstance(tree.expression, exp.Query):
        raise Unknown("it inserts the rows of something that the tree does not show")
    query = tree.expression.copy()
    if tree.args.get("with_") and not query.args.get("with_"):
        query.set("with_", tree.args["with_"].copy())
    found = resolved(query, tables, views)
    if tree.args.get("by_name"):
        return target, found
    if len(found) > len(listed):
        raise Unknown("it gives more values than the table has columns")
    return target, [_as(name, column) for name, column in zip(listed, found, strict=False)]


def _updated(tree: exp.Update, tables: Tables, views: Views) -> tuple[str, list[ColumnLineage]]:
    target, _ = _target(tree.this, tables)
    query = exp.select().from_(tree.this.copy())
    extra = tree.args.get("from_")
    if extra is not None:
        query = query.join(extra.this.copy(), join_type="cross")
        query.set("joins", [*query.args["joins"], *(extra.this.args.get("joins") or ())])
    if tree.args.get("with_"):
        query.set("with_", tree.args["with_"].copy())
    return target, _assigned(query, tree.expressions, tables, views)


def _merged(tree: exp.Merge, tables: Tables, views: Views) -> tuple[str, list[ColumnLineage]]:
    target, listed = _target(tree.this, tables)
    query = exp.select().from_(tree.this.copy()).join(tree.args["using"].copy(), join_type="cross")
    found: dict[str, ColumnLineage] = {}
    for when in tree.args["whens"].expressions:
        for column in _when(query, when.args.get("then"), listed, tables, views):
            held = found.get(column.name.casefold())
            found[column.name.casefold()] = column if held is None else _both(held, column)
    return target, list(found.values())


def _target(node: exp.Expr, tables: Tables) -> tuple[str, list[str]]:
    """The table that is written, and its columns in the order of the values."""
    table = node.this if isinstance(node, exp.Schema) else node
    known = next(
        ((name, names) for name, names in tables.items() if name.casefold() == table.name.casefold()), None
    )
    if known is None:
        raise Unknown(f"there is no table {table.name!r}")
    listed = [item.name for item in node.expressions] if isinstance(node, exp.Schema) else list(known[1])
    return known[0], listed


def _assigned(
    query: exp.Select,
    assignments: Sequence[exp.Expr],
    tables: Tables,
    views: Views,
) -> list[ColumnLineage]:
    """The lineage of `SET column = value, …` over what the statement reads."""
    names: list[str] = []
    values: list[exp.Expr] = []
    for item in assignments:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise Unknown("it assigns otherwise than column = value")
        names.append(item.this.name)
        value = item.expression.copy()
        default = isinstance(value, exp.Column) and value.name.upper() == "DEFAULT" and not value.table
        values.append(exp.alias_(exp.null() if default else value, f"_col_{len(values)}"))
    return [
        _as(name, column)
        for name, column in zip(names, resolved(query.select(*values), tables, views), strict=True)
    ]


def _when(
    query: exp.Select,
    action: Any,
    listed: Sequence[str],
    tables: Tables,
    views: Views,
) -> list[ColumnLineage]:
    if isinstance(action, exp.Update) and action.expressions:
        return _assigned(query, action.expressions, tables, views)
    if isinstance(action, exp.Insert) and isinstance(action.expression, exp.Tuple):
        given = action.this.expressions if isinstance(action.this, exp.Tuple | exp.Schema) else ()
        names = [item.name for item in given] or list(listed)
        pairs = zip(names, action.expression.expressions, strict=False)
        return _assigned(
            query,
            [exp.EQ(this=exp.column(name), expression=value.copy()) for name, value in pairs],
            tables,
            views,
        )
    if isinstance(action, exp.Var) and action.name.upper() in ("DELETE", "DO NOTHING"):
        return []
    raise Unknown("one of its branches is of a form that the parse tree does not show")


def _as(name: str, column: ColumnLineage) -> ColumnLineage:
    return ColumnLineage(name, column.sources, column.transformation, column.unknown)


def _both(first: ColumnLineage, second: ColumnLineage) -> ColumnLineage:
    return ColumnLineage(
        first.name,
        tuple(dict.fromkeys((*first.sources, *second.sources))),
        f"{first.transformation} | {second.transformation}",
        first.unknown or second.unknown,
    )
