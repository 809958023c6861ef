"""The planner's rules over plans: what they leave away, flatten and push gives the same rows in one statement."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relational_plans import nodes, tables

from luma_bench.plan.cluster.constants import predicates_of
from luma_bench.plan.cluster.join_set import JoinSet, flattened, implied
from luma_bench.plan.cluster.narrow import narrowed
from luma_bench.plan.cluster.reduce import pushed, with_partners
from luma_bench.plan.relational.expressions import And, Column, Compare, Expression, Sql
from luma_bench.plan.relational.nodes import Aggregate, Filter, Join, Measure, Node, Project, Scan
from luma_bench.plan.relational.to_duck import node_sql
from luma_bench.types.predicate import Comparison

T = Scan("t", ("k", "g", "x", "s"))
U = Scan("u", ("k", "g", "x", "s"))
M = Scan("mem", ("k", "g", "x", "s"))
quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect()
    made.execute("SET threads=1")
    yield made
    made.close()


def rows(con: duckdb.DuckDBPyConnection, node: Node) -> Counter[str]:
    found = con.sql(node_sql(node)).fetchall()
    return Counter(
        repr(tuple(value + 0.0 if isinstance(value, float) else value for value in row)) for row in found
    )


def fill(con: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    for name in ("t", "u", "mem"):
        con.register(name, data.draw(tables(), label=name))


def of_set(joins: JoinSet) -> Node:
    """A set of joins as a filter of cross products."""
    node = joins.relations[0]
    for relation in joins.relations[1:]:
        node = Join(node, relation, "cross")
    if joins.conditions:
        node = Filter(node, And(joins.conditions))
    return Project(node, tuple(Column(at) for at in joins.outputs))


@quick
@given(data=st.data())
def test_a_narrowed_plan_gives_the_columns_that_are_asked(
    data: st.DataObject, con: duckdb.DuckDBPyConnection
) -> None:
    node, kinds = data.draw(nodes(3), label="plan")
    fill(con, data)
    wanted = data.draw(st.lists(st.integers(0, len(kinds) - 1), min_size=1, max_size=4), label="columns")
    assert rows(con, narrowed(node, wanted)) == rows(con, Project(node, tuple(Column(at) for at in wanted)))


JOINS: tuple[Node, ...] = (
    Join(T, U, "inner", ((Column(0), Column(0)),)),
    Join(
        Project(Join(T, U, "inner", ((Column(0), Column(0)),)), (Column(5), Column(1))),
        M,
        "inner",
        ((Column(1), Column(1)),),
        Compare("<", Column(0), Column(2)),
    ),
    Filter(
        Join(
            Join(T, U, "inner", ((Column(0), Column(0)),), null_safe=True),
            M,
            "inner",
            ((Column(5), Column(1)),),
        ),
        Compare("=", Column(3), Column(11)),
    ),
)


@quick
@given(data=st.data(), node=st.sampled_from(JOINS))
def test_a_set_of_joins_holds_the_same_rows(
    data: st.DataObject, node: Node, con: duckdb.DuckDBPyConnection
) -> None:
    fill(con, data)
    joins = flattened(node)
    assert len(joins.relations) >= 2
    assert rows(con, of_set(joins)) == rows(con, node)


@quick
@given(
    data=st.data(),
    inner=st.sampled_from(JOINS[:1]),
    kind=st.sampled_from(("semi", "anti")),
    key=st.integers(0, 7),
    condition=st.sampled_from((None, Compare("<>", Column(1), Column(9)))),
)
def test_a_semi_join_is_pushed_to_the_relation_that_its_keys_read(
    data: st.DataObject,
    inner: Node,
    kind: str,
    key: int,
    condition: Expression | None,
    con: duckdb.DuckDBPyConnection,
) -> None:
    fill(con, data)
    node = Join(inner, M, "semi" if kind == "semi" else "anti", ((Column(key), Column(key % 4)),), condition)
    found = pushed(node)
    if condition is None or key < 4:
        assert found is not None
        assert rows(con, of_set(found)) == rows(con, node)
    else:
        assert found is None


@quick
@given(data=st.data(), key=st.integers(0, 1))
def test_groups_without_partners_are_left_away(
    data: st.DataObject, key: int, con: duckdb.DuckDBPyConnection
) -> None:
    fill(con, data)
    groups = Aggregate(T, (Column(0), Column(3)), (Measure("count"), Measure("max", (Column(1),))))
    shown = Project(
        Filter(groups, Compare(">", Column(2), Sql(("1",)))), (Column(2), Column(0), Column(1), Column(3))
    )
    partners = Project(U, (Column((0, 3)[key]),))
    less = with_partners(shown, (Column(1 + key),), partners)
    assert less is not None
    whole = Join(shown, partners, "semi", ((Column(1 + key), Column(0)),))
    assert rows(con, less) == rows(con, whole)
    assert with_partners(shown, (Column(0),), partners) is None


def test_equalities_follow_for_columns_of_one_type_only() -> None:
    stated = [Compare("=", Column(0), Column(1)), Compare("=", Column(2), Column(1))]
    assert implied(stated, {0: "BIGINT", 1: "BIGINT", 2: "BIGINT"}) == [Compare("=", Column(0), Column(2))]
    assert implied(stated, {0: "VARCHAR", 1: "BIGINT", 2: "VARCHAR"}) == []


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INTEGER", "3", 3),
        ("BIGINT", "CAST(-3 AS BIGINT)", -3),
        ("INTEGER", "3.5", None),
        ("VARCHAR", "'it''s'", "it's"),
        ("DATE", "DATE '1995-03-15'", dt.date(1995, 3, 15)),
        ("DATE", "CAST('1995-03-15' AS DATE)", dt.date(1995, 3, 15)),
        ("DATE", "'1995-03-15'", dt.date(1995, 3, 15)),
        ("DATE", "DATE '1995-03-15' + INTERVAL 1 DAY", None),
        ("TIMESTAMP", "TIMESTAMP '1995-03-15 01:02:03'", dt.datetime(1995, 3, 15, 1, 2, 3)),
        ("TIMESTAMP", "'1995-03-15 01:02:03+02'", None),
        ("DECIMAL(12,2)", "0.05", Decimal("0.05")),
        ("DECIMAL(12,2)", "0.055", None),
        ("DECIMAL(4,2)", "12345", None),
        ("DOUBLE", "0.5", None),
    ],
)
def test_constants_that_zone_maps_are_told_of(kind: str, text: str, value: object) -> None:
    less = Compare("<", Column(0), Sql((text,)))
    turned = Compare(">", Sql((text,)), Column(0))
    expected = [] if value is None else [Comparison("a", "<", value, kind)]
    assert predicates_of([less], ("a",), {"a": kind}) == expected
    assert predicates_of([turned], ("a",), {"a": kind}) == expected


def test_conditions_that_are_no_comparison_with_a_constant_are_not_told() -> None:
    conditions = (
        Compare("<>", Column(0), Sql(("3",))),
        Compare("=", Column(0), Column(1)),
        Sql(("", " LIKE 'a%'"), (Column(1),)),
    )
    assert predicates_of(conditions, ("a", "b"), {"a": "INTEGER", "b": "VARCHAR"}) == []
