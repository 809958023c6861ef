"""Rules that leave out what constants decide, what is asked for twice, and what is there already."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from luma_bench.plan.explain import explain, tree
from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    ColumnRef,
    Expression,
    IsIn,
    IsNull,
    Literal,
)
from luma_bench.plan.nodes import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    JoinColumn,
    Node,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
    Union,
)
from luma_bench.plan.render import render
from luma_bench.plan.rules import optimize
from luma_bench.plan.rules.drop_repeated import drop_repeated
from luma_bench.plan.rules.fold_constants import fold_constants
from luma_bench.plan.rules.likeness import Likeness
from luma_bench.plan.rules.share_subplans import share_subplans
from luma_bench.plan.window import Order, Window
from luma_bench.plan.write_expression import write

DATA = pa.table(
    {
        "i": pa.array([1, None, 3], pa.int8()),
        "f": pa.array([0.5, 2.0, None], pa.float32()),
        "s": ["a", None, "b"],
        "p": [True, None, False],
    }
)
N, F, S, P = map(ColumnRef, DATA.column_names)
T = Table("t", 1, DATA.schema)
TRUE, FALSE, NULL = Literal(True), Literal(False), Literal(None)
SCAN = "Table t at snapshot 1"


def num(value: object) -> Literal:
    return Literal(value)


def call(function: str, *args: Expression) -> Call:
    return Call(function, args)


FIVE = call("add", num(2), num(3))

FOLDED: dict[str, tuple[Expression, str]] = {
    "arithmetic that comes out": (FIVE, "5"),
    "arithmetic that is compared": (call("gt", N, FIVE), "i > 5"),
    "ends of a range": (Between(N, FIVE, call("mul", FIVE, num(2))), "i BETWEEN 5 AND 10"),
    "arithmetic beside a column keeps its type": (call("add", N, FIVE), "i + (2 + 3)"),
    "doubles": (call("lt", F, call("mul", num(0.5), num(3))), "f < 1.5e0"),
    "division is of doubles": (call("div", num(1), num(4)), "0.25e0"),
    "division by zero is the engine's": (call("div", num(1), num(0)), "1 / 0"),
    "what leaves INTEGER is the engine's": (call("add", num(2147483647), num(1)), "2147483647 + 1"),
    "what leaves DOUBLE is the engine's": (call("mul", num(1e308), num(10.0)), "1e+308 * 10.0e0"),
    "NULL is the engine's": (call("add", num(1), NULL), "1 + NULL"),
    "a sign": (call("neg", FIVE), "-5"),
    "constants compared": (call("ge", FIVE, num(5)), "TRUE"),
    "texts are not compared": (call("eq", num("a"), num("a")), "'a' = 'a'"),
    "AND TRUE": (call("and", P, TRUE), "p"),
    "AND TRUE of what is no truth value": (call("and", N, TRUE), "i AND TRUE"),
    "AND FALSE": (call("and", P, FALSE), "FALSE"),
    "AND NULL": (call("and", P, NULL), "p AND NULL"),
    "OR FALSE": (call("or", call("gt", N, num(1)), FALSE), "i > 1"),
    "OR TRUE": (call("or", P, TRUE, N), "TRUE"),
    "only constants": (call("and", TRUE, call("not", FALSE)), "TRUE"),
    "NOT NOT": (call("not", call("not", P)), "p"),
    "NOT NOT of what is no truth value": (call("not", call("not", N)), "NOT (NOT i)"),
    "three of AND": (call("and", P, TRUE, call("gt", N, num(0))), "p AND i > 0"),
    "a constant is not NULL": (IsNull(num(1)), "FALSE"),
    "NULL is NULL": (IsNull(NULL, negated=True), "FALSE"),
    "in nothing": (IsIn(N, ()), "FALSE"),
    "inside a window": (Window("sum", (call("add", N, num(1)),), (call("gt", N, FIVE),)), ""),
}


def answer(plan: Node) -> tuple[list[str], list[str]]:
    query = render(plan)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        connection.register("t", DATA)
        for name, table in query.tables.items():
            connection.register(name, table)
        # The bench hands out row ids by this name; here they are the places of the rows.
        ids = "(SELECT row_number() OVER () AS _rowid, * FROM t)"
        found = connection.sql(query.text.replace("with_rowid(t)", ids))
        return list(map(str, found.types)), sorted(map(str, found.fetchall()))


@pytest.mark.parametrize("name", FOLDED)
def test_constants_are_folded_and_types_stay(name: str) -> None:
    expression, after = FOLDED[name]
    before = Project(T, (("value", expression),))
    folded = fold_constants(before)
    assert isinstance(folded, Project)
    if after:
        assert write(folded.columns[0][1], str) == after
    if "engine's" not in name or "NULL" in name:
        assert answer(folded) == answer(before)
    assert fold_constants(folded) is folded


def test_folding_in_filters_and_groupings() -> None:
    filtered = Filter(T, call("and", call("eq", num(1), num(1)), call("gt", N, FIVE)))
    assert tree(fold_constants(filtered)) == f"Filter i > 5\n  {SCAN}"
    assert fold_constants(Filter(T, call("or", P, TRUE))) is T
    assert tree(fold_constants(Filter(T, call("and", P, FALSE)))) == f"Filter FALSE\n  {SCAN}"
    grouped = Aggregate(T, ("s",), (("n", AggregateCall("sum", call("gt", N, FIVE))),))
    assert tree(fold_constants(grouped)) == f"Aggregate sum(i > 5) AS n by s\n  {SCAN}"


def test_a_condition_stands_once() -> None:
    plan = Filter(T, call("and", call("gt", N, num(1)), P, call("gt", ColumnRef("i"), num(1))))
    assert tree(drop_repeated(plan)) == f"Filter i > 1 AND p\n  {SCAN}"


def test_constants_of_other_types_are_no_repetition() -> None:
    plan = Filter(T, call("and", call("eq", N, num(1)), call("eq", N, TRUE), call("eq", N, num(1.0))))
    assert drop_repeated(plan) is plan


def test_a_key_of_an_order_stands_once() -> None:
    keys = (SortKey("i"), SortKey("f"), SortKey("i", descending=True))
    assert tree(drop_repeated(Sort(T, keys))) == f"Sort i, f\n  {SCAN}"


GROUPED = Aggregate(T, ("s",), (("n", AggregateCall("size")),))


@pytest.mark.parametrize(
    "child",
    [
        GROUPED,
        Distinct(T),
        Filter(GROUPED, call("gt", ColumnRef("n"), num(0))),
        Project(GROUPED, (("m", ColumnRef("n")), ("z", S))),
    ],
)
def test_distinct_rows_are_not_made_distinct_again(child: Node) -> None:
    assert drop_repeated(Distinct(child)) is child
    assert answer(Distinct(child)) == answer(child)


@pytest.mark.parametrize(
    "child", [T, Project(GROUPED, (("n", ColumnRef("n")),)), Project(Distinct(T), (("i", N),)), Aggregate(T, (), GROUPED.measures)]
)  # fmt: skip
def test_rows_that_may_repeat_are_made_distinct(child: Node) -> None:
    plan = Distinct(child)
    assert drop_repeated(plan) is plan


def both(left: Node, right: Node) -> Join:
    return Join(left, right, "inner", (("s", "s"),), (JoinColumn("s", "s", None), JoinColumn("n", None, "n")))


def grouped(value: object = 1) -> Aggregate:
    scan = Table("t", 1, DATA.schema)
    return Aggregate(Filter(scan, call("ge", N, Literal(value))), ("s",), (("n", AggregateCall("size")),))


def test_equal_sub_plans_become_one() -> None:
    plan = both(grouped(), grouped())
    shared = share_subplans(plan)
    assert isinstance(shared, Join)
    assert shared.left is shared.right
    assert render(plan).text.count("GROUP BY") == 2
    assert render(shared).text.count("GROUP BY") == 1
    assert answer(shared) == answer(plan)
    assert share_subplans(shared) is shared


@pytest.mark.parametrize("value", [1.0, True, 2])
def test_sub_plans_that_differ_stay_apart(value: object) -> None:
    plan = both(grouped(), grouped(value))
    assert share_subplans(plan) is plan


def test_scans_with_conditions_are_read_twice() -> None:
    parts = tuple(Filter(Table("t", 1, DATA.schema), call("gt", N, num(0))) for _ in range(2))
    plan = Union(parts)
    assert share_subplans(plan) is plan


def test_tables_in_memory_are_one_when_they_are_the_same() -> None:
    data = pa.table({"s": ["a"], "n": [1]})
    alike = both(Distinct(Relation(data)), Distinct(Relation(data)))
    assert share_subplans(alike) is alike
    relation = Relation(data)
    assert share_subplans(both(Distinct(relation), Distinct(relation))) is not alike


def test_windows_are_shared_with_all_that_they_say() -> None:
    def ranked(descending: bool) -> Project:
        return Project(T, (("s", S), ("n", Window("row_number", (), (P,), (Order(N, descending),)))))

    shared = share_subplans(both(ranked(False), ranked(False)))
    assert isinstance(shared, Join)
    assert shared.left is shared.right
    plan = both(ranked(False), ranked(True))
    assert share_subplans(plan) is plan


def test_rules_are_named_when_they_fire() -> None:
    plan = both(grouped(), Filter(grouped(), call("and", TRUE, call("gt", S, num("")))))
    assert {"fold_constants", "push_filters"} <= set(optimize(plan).fired)
    assert "share_subplans" in explain(both(grouped(), grouped()))


def test_likeness_needs_no_recursion() -> None:
    def deep() -> Expression:
        value: Expression = N
        for _ in range(3000):
            value = call("add", value, num(1))
        return value

    likeness = Likeness()
    assert likeness.of(deep()) == likeness.of(deep())
    assert likeness.of(deep()) != likeness.of(call("add", deep(), num(1)))
