"""Filters, groups, joins, orders: the rows are the embedded engine's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest
from polars_oracle import Oracle

from luma_bench.plan.relational import (
    Aggregate,
    Compare,
    Filter,
    Join,
    Limit,
    Measure,
    Node,
    Project,
    Scan,
    Sort,
    SortKey,
    Sql,
    Union,
    Values,
    Window,
    WindowCall,
)
from luma_bench.plan.relational.expressions import Column

NAN = float("nan")
LEFT = pa.table(
    {
        "k": pa.array([1, 1, 2, 3, None, 4, 2], pa.int32()),
        "v": pa.array([10, 20, 30, None, 50, 60, 70], pa.int64()),
        "d": pa.array([Decimal(n) / 100 if n is not None else None for n in (150, 250, None, 5, 7, -350, 100)], pa.decimal128(15, 2)),
        "t": pa.array(["a", "b", "a", None, "c", "a", "b"]).dictionary_encode(),
        "f": pa.array([1.5, NAN, None, -0.0, 0.0, NAN, 2.5]),
        "o": pa.array([True, None, False, True, None, False, True]),
    }
)  # fmt: skip
RIGHT = pa.table(
    {
        "k": pa.array([1, 2, 2, None, 5], pa.int64()),
        "w": pa.array([20, 30, 40, 50, None], pa.int64()),
        "t": pa.array(["a", "b", "c", None, "zz"]),
        "n": pa.array(
            [Decimal("1.0"), Decimal("2.0"), None, Decimal("4.0"), Decimal("1.5")], pa.decimal128(10, 1)
        ),
    }
)
TABLES = {"l": LEFT, "r": RIGHT}
EMPTY = {"l": LEFT.slice(0, 0), "r": RIGHT.slice(0, 0)}
HALF = {"l": LEFT, "r": RIGHT.slice(0, 0)}
L = Scan("l", ("k", "v", "d", "t", "f", "o"))
R = Scan("r", ("k", "w", "t", "n"))
K, V, D, T, F, O = (Column(at) for at in range(6))  # noqa: E741
ALL = (
    Measure("count"),
    *(Measure(name, (V,)) for name in ("count", "sum", "avg", "min", "max")),
    *(Measure(name, (D,)) for name in ("sum", "avg", "min", "max")),
    *(Measure(name, (F,)) for name in ("sum", "avg", "min", "max")),
    *(Measure(name, (T,)) for name in ("count", "min", "max")),
    *(Measure(name, (O,)) for name in ("bool_and", "bool_or", "count")),
    *(Measure("count", (part,), distinct=True) for part in (K, V, D, T, F)),
    Measure("sum", (Sql(("", " * (1 - ", ")"), (D, D)),)),
    Measure("sum", (V,), filter=Compare(">", K, Sql(("1",)))),
    Measure("count", (), filter=Compare(">", K, Sql(("1",)))),
    Measure("max", (V,), filter=Compare(">", K, Sql(("100",)))),
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle.opened()
    yield made
    made.close()


def agree(oracle: Oracle, node: Node, shared: tuple[tuple[str, Node], ...] = ()) -> None:
    for tables in (TABLES, EMPTY, HALF):
        assert oracle.check(node, tables, shared) is None


@pytest.mark.parametrize("keys", [(), (K,), (T,), (K, T), (F,), (D,), (O,), (Sql(("", " + 1"), (V,)),)])
def test_groups(oracle: Oracle, keys: tuple[Column, ...]) -> None:
    agree(oracle, Aggregate(L, keys, ALL))


@pytest.mark.parametrize("sets", [((0,), (1,)), ((0, 1), (0,), ()), ((1, 0),)])
def test_grouping_sets(oracle: Oracle, sets: tuple[tuple[int, ...], ...]) -> None:
    agree(oracle, Aggregate(L, (K, T), ALL, sets))


@pytest.mark.parametrize("keys", [(K,), (T, K), (F,), (D,)])
def test_distinct_rows(oracle: Oracle, keys: tuple[Column, ...]) -> None:
    agree(oracle, Aggregate(L, keys, ()))


def test_rows_are_counted_without_a_column(oracle: Oracle) -> None:
    agree(oracle, Aggregate(Scan("l", ()), (), (Measure("count"),)))


ON = ((K, Column(0)),)
BOTH = {
    "keys": (ON, None),
    "other types": (((D, Column(3)),), None),
    "texts": (((T, Column(2)),), None),
    "two keys": (((K, Column(0)), (V, Column(1))), None),
    "an expression": (((Sql(("", " + 1"), (K,)), Column(0)),), None),
    "left condition": (ON, Compare(">", V, Sql(("10",)))),
    "right condition": (ON, Compare(">", Column(7), Sql(("20",)))),
    "unequal": (ON, Compare("<>", V, Column(7))),
    "less": (ON, Compare("<", V, Column(7))),
    "greater, turned": (ON, Compare(">=", Column(7), V)),
    "sum": (ON, Compare(">", Sql(("", " + ", ""), (V, Column(7))), Sql(("45",)))),
    "no keys": ((), Compare("<", V, Column(7))),
}


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full", "semi", "anti", "mark"])
@pytest.mark.parametrize("how", list(BOTH))
@pytest.mark.parametrize("null_safe", [False, True])
def test_joins(oracle: Oracle, kind: str, how: str, null_safe: bool) -> None:
    on, condition = BOTH[how]
    node = Join(L, R, kind, on, condition, null_safe)  # pyright: ignore[reportArgumentType]
    if kind == "full" and condition is not None:
        assert oracle.check(node, TABLES, refuses=True)
        return
    agree(oracle, node)


@pytest.mark.parametrize("kind", ["cross", "semi", "anti", "mark", "left"])
def test_joins_without_anything(oracle: Oracle, kind: str) -> None:
    node = Join(L, Aggregate(R, (), (Measure("max", (Column(1),)),)), kind)  # pyright: ignore[reportArgumentType]

    agree(oracle, node)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("key", [K, D, T, F])
def test_orders(oracle: Oracle, descending: bool, first: bool, key: Column) -> None:
    keys = (SortKey(key, descending, first), SortKey(V, False, True))

    agree(oracle, Sort(L, keys))
    agree(oracle, Limit(Sort(L, keys), 3, 1))
    agree(oracle, Limit(Sort(L, keys), None, 2))


def test_the_rest(oracle: Oracle) -> None:
    one = Values(
        ((Sql(("1",)), Sql(("'a'",)), Sql(("NULL",))), (Sql(("2",)), Sql(("NULL",)), Sql(("1.5",)))), 3
    )
    agree(oracle, one)
    agree(oracle, Values(((Sql(("1",)), Sql(("DATE '2020-01-01'",))),), 2))
    agree(oracle, Project(Values(((),), 0), (Sql(("1 + 1",)), Sql(("'x'",)))))
    agree(oracle, Filter(L, Compare("=", T, Sql(("'a'",)))))
    agree(oracle, Project(L, (Sql(("1",)), Sql(("'x'",)))))
    agree(oracle, Union((Project(L, (V, T)), Project(R, (Column(1), Column(2))))))
    shared = (("part", Aggregate(L, (K,), (Measure("sum", (V,)),))),)
    part = Scan("part", ("c0", "c1"), shared=True)
    agree(
        oracle,
        Join(part, Aggregate(part, (), (Measure("max", (Column(1),)),)), "inner", ((Column(1), Column(0)),)),
        shared,
    )


def test_windows(oracle: Oracle) -> None:
    calls = (
        WindowCall("sum", (V,), (K,)),
        WindowCall("avg", (D,), (T,)),
        WindowCall("count", (), (K,)),
        WindowCall("max", (V,)),
        WindowCall("count", (V,), (K, T)),
    )
    agree(oracle, Window(L, calls))


@pytest.mark.parametrize(
    "node",
    [
        Aggregate(L, (K,), (Measure("median", (V,)),)),
        Aggregate(L, (K,), (Measure("any_value", (V,)),)),
        Aggregate(L, (), (Measure("sum", (Sql(("", " * 4000000000000000000"), (V,)),)),)),
        Window(L, (WindowCall("row_number", (), (K,), (SortKey(V),)),)),
        Project(Scan("l", ("missing",)), (K,)),
    ],
)
def test_refusals(oracle: Oracle, node: Node) -> None:
    schema = pa.schema([(f"c{at}", pa.null()) for at in range(node.width)])

    assert isinstance(oracle.ask(node, TABLES, schema), str)
