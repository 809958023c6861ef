"""A wrong plan cannot be built, and a right one knows its columns, kinds and order."""

from __future__ import annotations

import pyarrow as pa
import pytest

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.bind import Binder
from luma_bench.plan.expressions import (
    AggregateCall,
    Call,
    Case,
    Cast,
    ColumnRef,
    IsNull,
    Literal,
    columns_of,
)
from luma_bench.plan.nodes import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    JoinColumn,
    Limit,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
)
from luma_bench.plan.render import render
from luma_bench.plan.rules import optimize
from luma_bench.plan.walk import kinds_of, order_of

T = Table(
    "t",
    7,
    pa.schema(
        [
            ("a", pa.int32()),
            ("b", pa.float64()),
            ("k", pa.dictionary(pa.int8(), pa.string())),
            ("d", pa.date32()),
        ]
    ),
)
A, B, K = ColumnRef("a"), ColumnRef("b"), ColumnRef("k")
WRONG = ColumnRef("aa")


@pytest.mark.parametrize(
    "build",
    [
        lambda: Filter(T, IsNull(WRONG)),
        lambda: Project(T, (("x", Call("abs", (WRONG,))),)),
        lambda: Aggregate(T, ("aa",), ()),
        lambda: Aggregate(T, ("k",), (("n", AggregateCall("sum", WRONG)),)),
        lambda: Sort(T, (SortKey("aa"),)),
        lambda: Distinct(T, ("aa",), (SortKey("a"),)),
        lambda: Join(T, T, "inner", (("a", "aa"),), (JoinColumn("a", "a", None),)),
        lambda: Join(T, T, "inner", (("a", "a"),), (JoinColumn("a", "aa", None),)),
    ],
)
def test_an_unknown_column_is_refused_with_the_nearest(build) -> None:
    with pytest.raises(SchemaError, match=r"'aa'[\s\S]*Did you mean 'a'"):
        build()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Project(T, (("x", A), ("X", B))), "differ by more than case"),
        (lambda: Project(T, ()), "no columns"),
        (lambda: Relation(pa.table({"x": [1], "X": [2]})), "differ by more than case"),
        (lambda: Limit(T, -1), "negative"),
        (lambda: Sort(T, ()), "needs a key"),
        (lambda: Distinct(T, ("a",)), "not decided"),
        (lambda: Join(T, T, "inner", (), (JoinColumn("a", "a", None),)), "needs keys"),
        (lambda: Join(T, T, "cross", (("a", "a"),), (JoinColumn("a", "a", None),)), "takes no keys"),
        (lambda: Call("frobnicate", (A,)), "no function"),
        (lambda: Call("abs", (A, B)), "takes 1 to 1"),
        (lambda: AggregateCall("furthest", A), "no aggregate"),
        (lambda: AggregateCall("sum"), "needs a column"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(build, words: str) -> None:
    with pytest.raises((SchemaError, UnsupportedError), match=words):
        build()


def test_nodes_are_values() -> None:
    assert Filter(T, IsNull(A)) == Filter(T, IsNull(A))
    assert Filter(T, IsNull(A)) != Filter(T, IsNull(B))
    assert Relation(pa.table({"x": [1]})) != Relation(pa.table({"x": [1]}))
    with pytest.raises(AttributeError):
        T.name = "u"  # type: ignore[misc]


def test_kinds_are_worked_out_locally() -> None:
    plan = Project(
        T,
        (
            ("sum", Call("add", (A, B))),
            ("whole", Call("add", (A, Literal(1)))),
            ("text", Call("lower", (K,))),
            ("key", K),
            ("days", Call("sub", (ColumnRef("d"), ColumnRef("d")))),
            ("test", Call("gt", (A, Literal(1)))),
            ("cast", Cast(A, "VARCHAR")),
            ("case", Case(((IsNull(A), Literal(1.5)),), A)),
            ("null", Literal(None)),
        ),
    )
    assert kinds_of(plan) == {
        "sum": "real",
        "whole": "int",
        "text": "text",
        "key": "text",
        "days": "int",
        "test": "bool",
        "cast": "text",
        "case": "real",
        "null": "other",
    }
    grouped = Aggregate(
        plan, ("key",), (("n", AggregateCall("size")), ("m", AggregateCall("max", ColumnRef("text"))))
    )
    assert kinds_of(grouped) == {"key": "text", "n": "int", "m": "text"}


def test_order_survives_what_keeps_it() -> None:
    sort = Sort(T, (SortKey("a"), SortKey("b", descending=True)))
    assert order_of(sort) == (SortKey("a"), SortKey("b", descending=True))
    assert order_of(Limit(Filter(sort, IsNull(K)), 3)) == sort.keys
    assert order_of(Project(sort, (("x", A), ("b", B)))) == (SortKey("x"), SortKey("b", descending=True))
    assert order_of(Project(sort, (("x", A),))) == (SortKey("x"),)
    assert order_of(Project(sort, (("b", B),))) == ()
    assert order_of(Project(sort, (("a", Call("neg", (A,))),))) == ()
    assert order_of(Distinct(sort)) == ()
    assert order_of(T) == ()


def test_columns_of_reads_every_branch() -> None:
    case = Case(((IsNull(A), B),), Call("lower", (K,)))
    assert columns_of(case) == {"a", "b", "k"}


def test_types_are_bound_once() -> None:
    asked: list[str] = []

    def describe(text: str, *, tables: object = None) -> pa.Schema:
        asked.append(text)
        return pa.schema([("n", pa.int64())])

    binder = Binder(describe)
    plan = Project(T, (("n", Call("add", (A, Literal(1)))),))
    assert binder.schema(T) is T.arrow
    assert asked == []
    assert binder.schema(plan) == binder.schema(plan) == pa.schema([("n", pa.int64())])
    assert len(asked) == 1
    assert binder.type(plan, ColumnRef("n")) == pa.int64()


def test_an_order_or_a_limit_takes_the_types_of_what_is_below() -> None:
    asked: list[str] = []

    def describe(text: str, *, tables: object = None) -> pa.Schema:
        asked.append(text)
        return pa.schema([("n", pa.int64())])

    binder = Binder(describe)
    plan = Project(T, (("n", Call("add", (A, Literal(1)))),))
    above = Limit(Sort(plan, (SortKey("n"),)), 3)
    binder.schema(plan)
    assert binder.schema(above) is binder.schema(plan)
    assert len(asked) == 1
    # Rows of a table that went through SQL may have other types than those that were written.
    binder.schema(Limit(T, 3))
    assert len(asked) == 2


def test_types_are_asked_of_the_text_after_the_rules() -> None:
    asked: list[str] = []

    def describe(text: str, *, tables: object = None) -> pa.Schema:
        asked.append(text)
        return pa.schema([("b", pa.float64())])

    plan = Project(Filter(Filter(T, Call("gt", (A, Literal(1)))), Call("gt", (A, Literal(2)))), (("b", B),))
    Binder(describe).schema(Limit(plan, 1))
    assert asked == [render(optimize(Limit(plan, 1)).plan).text]
