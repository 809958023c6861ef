"""Nodes and expressions as DuckDB's SQL: what a node means is what its SQL answers."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.plan.relational import (
    Aggregate,
    And,
    Bound,
    Column,
    Compare,
    Expression,
    Filter,
    Frame,
    Join,
    Limit,
    Measure,
    Node,
    Not,
    Or,
    Program,
    Project,
    Scan,
    Sort,
    SortKey,
    Sql,
    Union,
    Values,
    Window,
    WindowCall,
    columns_of,
    conjuncts,
    moved,
)
from luma_bench.plan.relational.to_duck import expression_sql, node_sql, order_sql, program_sql

A, B, C = Column(0), Column(1), Column(2)
T = Scan("t", ("a", "b", "c"))
ONE = Sql(("1",))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect(config={"threads": 1})
    made.execute("CREATE TABLE t AS SELECT i % 3 AS a, i % 2 = 0 AS b, i AS c FROM range(10) r(i)")
    made.execute("INSERT INTO t VALUES (NULL, NULL, 10)")
    made.execute('CREATE TABLE "odd ""name" AS SELECT 1 AS "x y", 2 AS "select"')
    yield made
    made.close()


CASES: list[tuple[Node, str]] = [
    (T, "FROM t"),
    (Scan('odd "name', ("select", "x y")), 'SELECT "select", "x y" FROM "odd ""name"'),
    (Project(T, (B, Sql(("", " + 1"), (A,)))), "SELECT b, a + 1 FROM t"),
    (Filter(T, And((B, Or((Compare(">", A, ONE), Not(Compare("=", C, A))))))), "SELECT * FROM t WHERE b AND (a > 1 OR NOT c = a)"),
    (Filter(Filter(T, B), Compare("<", C, Sql(("6",)))), "SELECT * FROM t WHERE b AND c < 6"),
    (Filter(T, And(())), "FROM t"),
    (Filter(T, Or(())), "FROM t WHERE false"),
    (Limit(Sort(T, (SortKey(A, True, True), SortKey(C)))  , 3, 1), "FROM t ORDER BY a DESC NULLS FIRST, c LIMIT 3 OFFSET 1"),
    (Project(Limit(Sort(T, (SortKey(C, True),)), 2), (A,)), "SELECT a FROM t ORDER BY c DESC LIMIT 2"),
    (Limit(Limit(Sort(T, (SortKey(C),)), 5), 2, 1), "SELECT * FROM t ORDER BY c LIMIT 2 OFFSET 1"),
    (Limit(Sort(T, (SortKey(C),)), None, 9), "SELECT * FROM t ORDER BY c OFFSET 9"),
    (Filter(Limit(Sort(T, (SortKey(C),)), 3), B), "FROM (FROM t ORDER BY c LIMIT 3) WHERE b"),
    (Sort(T, (SortKey(ONE), SortKey(C, True))), "FROM t ORDER BY c DESC"),
    (Aggregate(T, (A,), (Measure("sum", (C,)), Measure("count"), Measure("count", (B,), True, B))), "SELECT a, sum(c), count(*), count(DISTINCT b) FILTER (WHERE b) FROM t GROUP BY a"),
    (Aggregate(T, (), (Measure("list", (C,), order=(SortKey(C, True),)), Measure("quantile_cont", (C, Sql(("0.5",)))))), "SELECT list(c ORDER BY c DESC), quantile_cont(c, 0.5) FROM t"),
    (Aggregate(T, (A,), ()), "SELECT DISTINCT a FROM t"),
    (Aggregate(Filter(T, Sql(("false",))), (), (Measure("count"), Measure("sum", (C,)))), "SELECT 0::BIGINT, NULL::HUGEINT"),
    (Aggregate(T, (ONE, A), (Measure("count"),)), "SELECT 1, a, count(*) FROM t GROUP BY a"),
    (Aggregate(T, (A, B), (Measure("sum", (C,)),), ((0, 1), (0,), ())), "SELECT a, b, sum(c), CASE grouping(a, b) WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 2 END FROM t GROUP BY ROLLUP (a, b)"),
    (Filter(Aggregate(T, (A,), (Measure("count"),)), Compare(">", B, Sql(("3",)))), "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 3"),
    (Aggregate(Aggregate(T, (A, B), ()), (A,), (Measure("count"),)), "SELECT a, count(*) FROM (SELECT DISTINCT a, b FROM t) GROUP BY a"),
    (Aggregate(Scan("t", ()), (), (Measure("count"),)), "SELECT count(*) FROM t"),
    (Aggregate(Limit(Scan("t", ()), 3), (), (Measure("count"),)), "SELECT 3::BIGINT"),
    (Window(T, (WindowCall("row_number", (), (A,), (SortKey(C),)), WindowCall("sum", (C,), (), (SortKey(C),), Frame("rows", Bound("preceding", "1"), Bound("current row"))))), "SELECT *, row_number() OVER (PARTITION BY a ORDER BY c), sum(c) OVER (ORDER BY c ROWS 1 PRECEDING) FROM t"),
    (Window(T, (WindowCall("count", (), (A,), filter=B), WindowCall("last_value", (A,), (), (SortKey(C),), ignore_nulls=True))), "SELECT *, count(*) FILTER (WHERE b) OVER (PARTITION BY a), last_value(a IGNORE NULLS) OVER (ORDER BY c) FROM t"),
    (Filter(Window(T, (WindowCall("rank", (), (), (SortKey(A),)),)), Compare("=", Column(3), ONE)), "FROM (SELECT *, rank() OVER (ORDER BY a) AS r FROM t) WHERE r = 1"),
    (Union((T, Limit(Sort(T, (SortKey(C),)), 1), Values(((ONE, Sql(("true",)), ONE),), 3))), "FROM t UNION ALL (FROM t ORDER BY c LIMIT 1) UNION ALL SELECT 1, true, 1"),
    (Limit(Sort(Union((T, T)), (SortKey(C),)), 2), "SELECT * FROM (FROM t UNION ALL FROM t) ORDER BY c LIMIT 2"),
    (Values(((ONE,), (Sql(("2",)),)), 1), "VALUES (1), (2)"),
    (Project(Values(((),), 0), (ONE, Sql(("'x'",)))), "SELECT 1, 'x'"),
    (Values((), 2), "SELECT NULL, NULL WHERE false"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "same"), CASES)
def test_a_node_is_its_sql(con: duckdb.DuckDBPyConnection, node: Node, same: str) -> None:
    found, wanted = con.sql(node_sql(node)), con.sql(same)
    assert found.columns[: node.width] == [f"c{place}" for place in range(node.width)]
    assert found.types == wanted.types
    ordered = "ORDER BY" in same and not same.startswith(("SELECT *, ", "FROM ("))
    rows, same_rows = found.fetchall(), wanted.fetchall()
    assert rows == same_rows if ordered else sorted(rows, key=repr) == sorted(same_rows, key=repr)


LEFT = Filter(T, Compare("<", C, Sql(("4",))))
RIGHT = Join(T, T, "inner", ((A, A),))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["inner", "left", "right", "full", "semi", "anti", "mark", "cross"])
def test_a_join_is_its_sql(con: duckdb.DuckDBPyConnection, kind: str, nested: bool) -> None:
    right: Node = RIGHT if nested else T
    on, condition = ((A, A),), Compare("<", C, Column(5))
    node = Join(LEFT, right, kind) if kind == "cross" else Join(LEFT, right, kind, on, condition)  # type: ignore[arg-type]
    left_sql = "(SELECT * FROM t WHERE c < 4) x"
    right_sql = (
        "(SELECT p.*, q.a AS d, q.b AS e, q.c AS f FROM t p JOIN t q ON p.a = q.a) y" if nested else "t y"
    )
    where = "x.a = y.a AND x.c < y.c"
    if kind == "mark":
        same = f"SELECT x.*, EXISTS (FROM {right_sql} WHERE {where}) FROM {left_sql}"
    elif kind == "cross":
        same = f"SELECT * FROM {left_sql}, {right_sql}"
    else:
        same = f"SELECT * FROM {left_sql} {kind.upper()} JOIN {right_sql} ON {where}"
    found = con.sql(node_sql(node)).fetchall()
    assert len(node_sql(node)) > 0
    assert sorted(found, key=repr) == sorted(con.sql(same).fetchall(), key=repr)


def test_keys_compare_null_safely_where_a_join_says_so(con: duckdb.DuckDBPyConnection) -> None:
    node = Join(T, T, "inner", ((A, A), (C, C)), null_safe=True)
    assert len(con.sql(node_sql(node)).fetchall()) == 11


def test_joins_on_joins_stay_one_from(con: duckdb.DuckDBPyConnection) -> None:
    node = Join(Join(Join(T, T, "semi", ((A, A),)), T, "inner", ((C, C),)), T, "anti", ((C, C),))
    sql = node_sql(node)
    assert "(SELECT" not in sql
    assert con.sql(sql).fetchall() == []


def test_a_program_computes_shared_parts_once_and_has_the_schemas_titles(
    con: duckdb.DuckDBPyConnection,
) -> None:
    part = Aggregate(T, (A,), (Measure("sum", (C,)),))
    root = Join(Scan("p", ("c0", "c1"), shared=True), Scan("p", ("c1",), shared=True), "cross")
    schema = pa.schema([("k", pa.int64()), ("n n", pa.int64()), ("k", pa.int64())])
    sql = program_sql(Program(root, schema, (("p", part),)))
    assert sql.count("AS MATERIALIZED") == 1
    assert len(con.sql(sql).fetchall()) == 16
    assert node_sql(root, {"p": "t"}).count('"t"') == 2


def test_an_expression_keeps_its_order_of_operations(con: duckdb.DuckDBPyConnection) -> None:
    inner = Sql(("", " + ", ""), (A, ONE))
    expression = Sql(("", " * ", ""), (inner, inner))
    assert expression_sql(expression, ["2"]) == "(2 + 1) * (2 + 1)"
    nested = Compare("=", Compare("<", A, ONE), Not(B))
    assert con.sql(f"SELECT {expression_sql(nested, ['2', 'true'])}").fetchall() == [(True,)]
    assert order_sql((SortKey(A, True),), ["x"]) == "x DESC NULLS LAST"


_EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from([A, B, C]) | st.integers(0, 3).map(lambda value: Sql((str(value),))),
    lambda inner: (
        st.builds(lambda x, y: Sql(("", " + ", ""), (x, y)), inner, inner)
        | st.builds(lambda x, y: Sql(("CASE WHEN ", " = 1 THEN ", " END"), (x, y)), inner, inner)
        | st.builds(lambda x: Sql(("-", ""), (x,)), inner)
    ),
    max_leaves=8,
)


def _python(expression: Expression, row: tuple[int | None, ...]) -> int | None:
    """The value by Python: an oracle that knows no SQL."""
    if isinstance(expression, Column):
        return row[expression.index]
    assert isinstance(expression, Sql)
    if not expression.args:
        return int(expression.parts[0])
    values = [_python(part, row) for part in expression.args]
    if expression.parts[0].startswith("CASE"):
        return values[1] if values[0] == 1 else None
    if None in values:
        return None
    return -values[0] if len(values) == 1 else values[0] + values[1]  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(
    expression=_EXPRESSIONS,
    row=st.tuples(*[st.none() | st.integers(-3, 3)] * 3),
    order=st.permutations([0, 1, 2]),
)
def test_random_expressions_mean_the_same_in_sql_and_elsewhere(
    con: duckdb.DuckDBPyConnection, expression: Expression, row: tuple[int | None, ...], order: list[int]
) -> None:
    columns = ["NULL::INTEGER" if value is None else f"({value})" for value in row]
    wanted = _python(expression, row)
    assert con.sql(f"SELECT {expression_sql(expression, columns)}").fetchall() == [(wanted,)]
    elsewhere = moved(expression, dict(enumerate(order)))
    shuffled = [columns[order.index(place)] for place in range(3)]
    assert con.sql(f"SELECT {expression_sql(elsewhere, shuffled)}").fetchall() == [(wanted,)]
    assert columns_of(elsewhere) == {order[place] for place in columns_of(expression)}


def test_conjuncts_are_taken_apart_at_any_depth() -> None:
    parts = (Compare("=", A, B), Not(B), Compare(">", C, ONE))
    assert conjuncts(And((And((parts[0], parts[1])), parts[2]))) == parts
    assert conjuncts(None) == ()
