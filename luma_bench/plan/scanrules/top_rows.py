"""Top-k by zone maps: `SELECT … FROM t [WHERE …] ORDER BY column LIMIT k` needs only the chunks that can hold a first row."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from luma_bench.plan.scanrules.conditions import column_type, conjuncts, predicate
from luma_bench.plan.scanrules.texts import ParsedText, alias_of, columns_of
from luma_bench.types.predicate import Predicate
from luma_bench.types.schema import Column, TableSchema
from luma_bench.types.statistics import TopRows

_MOST = 100_000
_PARTS = frozenset({"expressions", "from_", "where", "order", "limit", "offset"})
# What a row's values may be made with: one row in gives one row out, and nothing looks at other rows.
_ROWWISE = (
    exp.Column, exp.Identifier, exp.Alias, exp.Star, exp.Literal, exp.Boolean, exp.Null, exp.Placeholder, exp.Paren,
    exp.Neg, exp.Not, exp.Binary, exp.Cast, exp.TryCast, exp.DataType, exp.Case, exp.If, exp.Between, exp.Is,
    exp.Upper, exp.Lower, exp.Coalesce, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Length, exp.Extract, exp.Concat,
    exp.Substring, exp.Var, exp.DataTypeParam,
)  # fmt: skip


def top_rows(
    text: ParsedText, tables: Mapping[str, TableSchema], params: Mapping[str, object]
) -> tuple[str, TopRows] | None:
    """The folded name of the table that the text reads, and which of its rows can matter; None for another text.

    Parameters
    ----------
    tables
        The stored tables by their folded names.
    """
    tree = text.tree
    if type(tree) is not exp.Select or {key for key, value in tree.args.items() if value} - _PARTS:
        return None
    source = tree.args["from_"].this if tree.args.get("from_") else None
    order = tree.args.get("order")
    if not isinstance(source, exp.Table) or order is None or sum(text.tables.values()) != 1:
        return None
    table = tables.get(source.name.casefold())
    count = _count(tree, params)
    if table is None or count is None or not 0 < count <= _MOST:
        return None
    alias, columns = alias_of(source), columns_of(table)
    if alias in columns or not all(_is_rowwise(item) for item in tree.expressions):
        return None

    def stored(column: exp.Column) -> Column | None:
        owner = column.table.casefold()
        if len(column.parts) > 2 or (owner and owner != alias):
            return None
        return columns.get(column.name.casefold())

    first = order.expressions[0]
    column = stored(first.this) if isinstance(first.this, exp.Column) else None
    if column is None or first.args.get("with_fill") or column_type(column) is None:
        return None
    if not first.this.table and _renamed(tree, column):
        return None
    where: list[Predicate] = []
    for part in conjuncts(tree.args.get("where")):
        found = predicate(part, stored, params)
        if found is None:
            return None
        where.append(found)
    descending, nulls_first = bool(first.args.get("desc")), bool(first.args.get("nulls_first"))
    return source.name.casefold(), TopRows(column.name, descending, nulls_first, count, tuple(where))


def _count(tree: exp.Select, params: Mapping[str, object]) -> int | None:
    """LIMIT and OFFSET together; None where they are no plain numbers."""
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    if type(limit) is not exp.Limit or {key for key, value in limit.args.items() if value} != {"expression"}:
        return None
    total = _number(limit.expression, params)
    if offset is not None:
        if {key for key, value in offset.args.items() if value} != {"expression"}:
            return None
        skipped = _number(offset.expression, params)
        total = None if total is None or skipped is None else total + skipped
    return total


def _number(node: exp.Expr, params: Mapping[str, object]) -> int | None:
    value: object = None
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isascii() and node.name.isdecimal():
        value = int(node.name)
    elif isinstance(node, exp.Placeholder):
        value = params.get(node.name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_rowwise(node: exp.Expr) -> bool:
    """Whether one row in gives one row out. A star that leaves out or replaces columns is another thing."""
    return all(
        isinstance(part, _ROWWISE) and not (isinstance(part, exp.Star) and any(part.args.values()))
        for part in node.walk()
    )


def _renamed(tree: exp.Select, column: Column) -> bool:
    """Whether another value has the column's name in the SELECT list, which ORDER BY then means."""
    folded = column.name.casefold()
    return any(
        isinstance(item, exp.Alias)
        and item.alias.casefold() == folded
        and not (isinstance(item.this, exp.Column) and item.this.name.casefold() == folded)
        for item in tree.expressions
    )
