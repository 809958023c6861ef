"""Subqueries in expressions and conditions, so that what DataFusion makes joins of them keeps DuckDB's NULLs and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.shapes import first_row, is_plain, reads_nothing
from luma_bench.engines.lowering.stars import typed_constant
from luma_bench.engines.lowering.templates import (
    AggregateShape,
    comparison,
    conjunction,
    constant,
    direct,
    function,
)

if TYPE_CHECKING:
    from luma_bench.engines.lowering.expressions import Expressions
    from luma_bench.engines.lowering.queries import Lowered

_MANY: Final = "More than one row returned by a subquery used as an expression - scalar subqueries can only return a single row."
_SEEN: Final = "struct_pack(n := {0}, v := {1})"
_ONLY: Final = f"CASE WHEN {{0}}.n > 1 THEN error('{_MANY}') ELSE {{0}}.v END"
_NONE_EQUAL: Final = "coalesce({1}.n, 0) = 0 OR ({0} IS NOT NULL AND {1}.v = {1}.n)"
_IN: Final = """CASE WHEN {1} > 0 THEN true WHEN coalesce({2}.n, 0) = 0 THEN false
WHEN {0} IS NULL OR {2}.v < {2}.n THEN NULL ELSE false END"""


def subquery_value(expressions: Expressions, tree: Tree) -> str:
    """The SQL of a subquery's value: of one row and column, of EXISTS, or of IN.

    Raises
    ------
    NotLowered
        It is of a kind that does not run on other engines.
    """
    kind: str = tree["subquery_type"]
    if kind in ("EXISTS", "NOT_EXISTS"):
        shape = "{0} > 0" if kind == "EXISTS" else "{0} = 0"
        return _filled(expressions, shape, _count(expressions, tree))
    if kind == "ANY":
        return _in_value(expressions, tree)
    if kind != "SCALAR":
        raise NotLowered(f"a subquery of the kind {kind}")
    node: Tree = tree["subquery"]["node"]
    if reads_nothing(node) and is_plain(node, expressions.statement_is_aggregate, bare=True):
        return expressions.value(typed_constant(node["select_list"][0], expressions.queries.fragment))
    first = first_row(node, expressions.statement_is_aggregate)
    if first is not None:
        return f"({_query(expressions, first).sql})"
    if is_plain(node, expressions.statement_is_aggregate):
        seen = _around(expressions, "struct_pack(n := count(*), v := any_value({0}))", node["select_list"][0])
        return _filled(expressions, _ONLY, f"({_query(expressions, {**node, 'select_list': [seen]}).sql})")
    lowered = _lowered(expressions, tree)
    _require_one_column(lowered)
    if lowered.single:
        return f"({lowered.sql})"
    alias = _alias(expressions)
    column = f"{alias}.{lowered.columns[0].text}"
    value = expressions.templates.call(AggregateShape("any_value", 1), [column])
    seen = _filled(expressions, _SEEN, "CAST(count(*) AS VARCHAR)", value)
    rows = f"(SELECT {seen} AS {_name(expressions)} FROM ({lowered.sql}) AS {alias})"
    return _filled(expressions, _ONLY, rows)


def exists_condition(expressions: Expressions, tree: Tree, *, wanted: bool) -> str:
    """The SQL of EXISTS, or of NOT EXISTS.

    Raises
    ------
    NotLowered
        The subquery hangs on the row around it in a way that no join expresses.
    """
    lowered = _lowered(expressions, tree, exists=True)
    if lowered.single:
        return expressions.truth(expressions.statement.trees.expression(str(wanted).lower()))
    return f"{'' if wanted else 'NOT '}EXISTS ({lowered.sql})"


def in_condition(expressions: Expressions, tree: Tree, *, negated: bool) -> str:
    """The SQL of IN (or NOT IN) with a subquery, where only TRUE counts.

    Raises
    ------
    NotLowered
        It compares rows, or by another operator than `=`.
    """
    value = _compared(expressions, tree)
    lowered = _lowered(expressions, tree)
    _require_one_column(lowered)
    if lowered.single:
        return f"{value} {'<>' if negated else '='} ({lowered.sql})"
    if not negated:
        return f"{value} IN ({lowered.sql})"
    shape = _template(expressions, _NONE_EQUAL)
    absent = f"NOT EXISTS {_equal(expressions, tree, value, count=False)}"
    return f"({absent} AND {expressions.templates.truth(shape, [value, _counted(expressions, tree)])})"


def _in_value(expressions: Expressions, tree: Tree) -> str:
    value = _compared(expressions, tree)
    lowered = _lowered(expressions, tree)
    _require_one_column(lowered)
    if lowered.single:
        return _filled(expressions, "{0} = {1}", value, f"({lowered.sql})")
    found = _equal(expressions, tree, value, count=True)
    return _filled(expressions, _IN, value, found, _counted(expressions, tree))


def _count(expressions: Expressions, tree: Tree) -> str:
    """How many rows a subquery gives."""
    node: Tree = tree["subquery"]["node"]
    if is_plain(node, expressions.statement_is_aggregate, wide=True):
        return f"({_query(expressions, {**node, 'select_list': [function('count_star')]}).sql})"
    lowered = _lowered(expressions, tree, exists=True)
    rows = f"({lowered.sql}) AS {_alias(expressions)}"
    return f"(SELECT CAST(count(*) AS VARCHAR) AS {_name(expressions)} FROM {rows})"


def _equal(expressions: Expressions, tree: Tree, value: str, *, count: bool) -> str:
    """The rows of a subquery that equal a value, or how many there are."""
    node: Tree = tree["subquery"]["node"]
    if is_plain(node, expressions.statement_is_aggregate):
        equal = comparison("COMPARE_EQUAL", {**node["select_list"][0], "alias": ""}, direct(value))
        where = equal if node["where_clause"] is None else conjunction(node["where_clause"], equal)
        listed = function("count_star") if count else constant("1")
        return f"({_query(expressions, {**node, 'select_list': [listed], 'where_clause': where}).sql})"
    lowered = _lowered(expressions, tree)
    alias = _alias(expressions)
    where = f"{alias}.{lowered.columns[0].text} = {value}"
    listed = "CAST(count(*) AS VARCHAR)" if count else "1"
    return f"(SELECT {listed} AS {_name(expressions)} FROM ({lowered.sql}) AS {alias} WHERE {where})"


def _counted(expressions: Expressions, tree: Tree) -> str:
    """How many rows a subquery gives, and how many that are not NULL; lowered anew, so that its names are its own."""
    node: Tree = tree["subquery"]["node"]
    if is_plain(node, expressions.statement_is_aggregate):
        seen = _around(expressions, "struct_pack(n := count(*), v := count({0}))", node["select_list"][0])
        return f"({_query(expressions, {**node, 'select_list': [seen]}).sql})"
    lowered = _lowered(expressions, tree)
    alias = _alias(expressions)
    column = f"{alias}.{lowered.columns[0].text}"
    seen = _filled(expressions, _SEEN, "CAST(count(*) AS VARCHAR)", f"CAST(count({column}) AS VARCHAR)")
    return f"(SELECT {seen} AS {_name(expressions)} FROM ({lowered.sql}) AS {alias})"


def _compared(expressions: Expressions, tree: Tree) -> str:
    if tree["comparison_type"] != "COMPARE_EQUAL":
        raise NotLowered("a comparison with ANY or ALL of a subquery")
    child: Tree = tree["child"]
    if child["class"] == "FUNCTION" and child["function_name"] == "row":
        raise NotLowered("a row of values IN a subquery")
    return expressions.value(child)


def _lowered(expressions: Expressions, tree: Tree, *, exists: bool = False) -> Lowered:
    lowered = expressions.queries.query(
        tree["subquery"]["node"], expressions.scope, exists=exists, value=True
    )
    if lowered.correlated and lowered.limited:
        raise NotLowered("a LIMIT in a subquery that reads the row around it")
    if lowered.correlated and lowered.counting:
        raise NotLowered("a count in a subquery that reads the row around it")
    if lowered.correlated and lowered.whole and not lowered.single:
        raise NotLowered("HAVING without GROUP BY in a subquery that reads the row around it")
    return lowered


def _query(expressions: Expressions, node: Tree) -> Lowered:
    """A query of one row that aggregates what a subquery selects."""
    lowered = expressions.queries.query(node, expressions.scope, value=True)
    if lowered.correlated and lowered.counting:
        raise NotLowered("a count in a subquery that reads the row around it")
    return lowered


def _around(expressions: Expressions, text: str, inner: Tree) -> Tree:
    """An expression of DuckDB around another one, which stands in it as `{0}`."""
    hole = expressions.templates.hole(0)["column_names"]
    return _replaced(_template(expressions, text), hole, {**inner, "alias": ""})


def _replaced(tree: Any, hole: list[str], inner: Tree) -> Any:
    if isinstance(tree, list):
        return [_replaced(part, hole, inner) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("column_names") == hole:
        return inner
    return {key: _replaced(part, hole, inner) for key, part in tree.items()}


def _require_one_column(lowered: Lowered) -> None:
    if len(lowered.columns) != 1:
        raise NotLowered("a subquery of several columns")


def _filled(expressions: Expressions, text: str, *holes: str) -> str:
    """The SQL of an expression of DuckDB over holes, which stand in it as `{0}`, `{1}`, …."""
    return expressions.templates.value(_template(expressions, text), list(holes))


def _template(expressions: Expressions, text: str) -> Tree:
    marker = expressions.templates.marker
    holes = [f'"{marker}{place}"' for place in range(3)]
    return expressions.queries.fragment(text.format(*holes))


def _alias(expressions: Expressions) -> str:
    return expressions.statement.fresh("q")


def _name(expressions: Expressions) -> str:
    return expressions.statement.fresh("x")
