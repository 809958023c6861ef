"""Rules that move filters, limits and the first rows of an order down: before, after, and the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pytest

from luma_bench.plan.condition import condition
from luma_bench.plan.explain import tree
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
    Asof,
    Distinct,
    Explode,
    Filter,
    Join,
    JoinColumn,
    Limit,
    Node,
    Project,
    Sort,
    SortKey,
    Table,
    Union,
)
from luma_bench.plan.render import render
from luma_bench.plan.rules import optimize
from luma_bench.plan.rules.push_filters import push_filters
from luma_bench.plan.rules.push_limits import push_limits
from luma_bench.plan.rules.push_topk import push_topk
from luma_bench.plan.window import Order, Window

DATA = pa.table(
    {
        "a": [1, 2, 3, None, 5, 2],
        "b": [4.0, -5.5, 6.0, 7.0, None, 0.5],
        "k": ["x", "y", "x", None, "z", "y"],
        "l": [[1, 2], [3], [], None, [4, None], [5]],
    }
)
T = Table("t", 1, DATA.schema)
A, B, K = ColumnRef("a"), ColumnRef("b"), ColumnRef("k")
SCAN = "Table t at snapshot 1"
SIZE = (("n", AggregateCall("size")),)


def some(*names: str, child: Node = T) -> Project:
    return Project(child, tuple((name, ColumnRef(name)) for name in names))


def call(function: str, left: Expression, value: object) -> Call:
    return Call(function, (left, Literal(value)))


def joined(how: str, left: Node = T, right: Node = T) -> Join:
    columns = (JoinColumn("a", "a", None), JoinColumn("b", "b", None), JoinColumn("other", None, "b"))
    return Join(left, right, how, (("a", "a"),), columns if how not in ("semi", "anti") else columns[:2])


def windowed(child: Node = T) -> Project:
    return Project(child, (("a", A), ("n", Window("row_number", (), (), (Order(A), Order(B))))))


@dataclass(frozen=True)
class Example:
    rule: Callable[[Node], Node]
    before: Node
    after: str


COMPUTED = Project(T, (("a", A), ("c", call("add", B, 1))))
PARTS = Union((some("a", "b"), some("a", "b")))
ON_B = Asof(
    some("a", "b"), some("b", "k"), ("b", "b"), (), (JoinColumn("a", "a", None), JoinColumn("k", None, "k"))
)

COUNTED = "row_number() OVER (PARTITION BY k ORDER BY a NULLS LAST, b NULLS LAST)"
BY_K = Project(T, (("k", K), ("a", A), ("n", Window("row_number", (), (K,), (Order(A), Order(B))))))

EXAMPLES = {
    "a test of a key goes to both sides of an inner join": Example(
        push_filters,
        Filter(joined("inner"), call("gt", A, 1)),
        f"Join inner on a = a\n  Filter a > 1\n    {SCAN}\n  Filter a > 1\n    {SCAN}",
    ),
    "a test of a key goes to the right of a left join too": Example(
        push_filters,
        Filter(joined("left"), Between(A, Literal(1), Literal(2))),
        f"Join left on a = a\n  Filter a BETWEEN 1 AND 2\n    {SCAN}\n  Filter a BETWEEN 1 AND 2\n    {SCAN}",
    ),
    "a list of keys goes to both sides of an anti join": Example(
        push_filters,
        Filter(joined("anti"), IsIn(A, (Literal(1), Literal(2)))),
        f"Join anti on a = a\n  Filter a IN (1, 2)\n    {SCAN}\n  Filter a IN (1, 2)\n    {SCAN}",
    ),
    "a computation with a key goes to its own side alone": Example(
        push_filters,
        Filter(joined("inner"), call("gt", call("mul", A, 2), 1)),
        f"Join inner on a = a\n  Filter a * 2 > 1\n    {SCAN}\n  {SCAN}",
    ),
    "a text about a key goes to its own side alone": Example(
        push_filters,
        Filter(joined("inner"), condition("a > 1", ["a"])),
        f"Join inner on a = a\n  Filter (a > 1)\n    {SCAN}\n  {SCAN}",
    ),
    "a filter of keys goes below a grouping": Example(
        push_filters,
        Filter(Aggregate(T, ("k",), SIZE), call("eq", K, "x")),
        f"Aggregate count(*) AS n by k\n  Filter k = 'x'\n    {SCAN}",
    ),
    "a filter of measures stays above a grouping": Example(
        push_filters,
        Filter(Aggregate(T, ("k",), SIZE), call("gt", ColumnRef("n"), 1)),
        f"Filter n > 1\n  Aggregate count(*) AS n by k\n    {SCAN}",
    ),
    "a constant filter stays above a grouping without keys": Example(
        push_filters,
        Filter(Aggregate(T, (), SIZE), Literal(False)),
        f"Filter FALSE\n  Aggregate count(*) AS n\n    {SCAN}",
    ),
    "a filter goes below distinct rows": Example(
        push_filters,
        Filter(Distinct(some("a", "b")), call("gt", A, 1)),
        f"Distinct\n  Filter a > 1\n    Project a, b\n      {SCAN}",
    ),
    "a filter of other columns stays above the first of each": Example(
        push_filters,
        Filter(Distinct(some("a", "b"), ("a",), (SortKey("b"),)), call("gt", B, 1)),
        f"Filter b > 1\n  Distinct on a, first by b\n    Project a, b\n      {SCAN}",
    ),
    "a filter goes into every part of a union": Example(
        push_filters,
        Filter(Union((T, T)), IsNull(K)),
        f"Union of 2 parts\n  Filter k IS NULL\n    {SCAN}\n  Filter k IS NULL\n    {SCAN}",
    ),
    "a filter of a column of other kinds stays above a union": Example(
        push_filters,
        Filter(Union((some("a"), Project(T, (("a", B),)))), call("gt", A, 1)),
        f"Filter a > 1\n  Union of 2 parts\n    Project a\n      {SCAN}\n    Project b AS a\n      {SCAN}",
    ),
    "a filter goes below lists that are spread": Example(
        push_filters,
        Filter(Explode(some("a", "l"), ("l",), (pa.int64(),)), call("gt", A, 1)),
        f"Explode l\n  Filter a > 1\n    Project a, l\n      {SCAN}",
    ),
    "a filter stays above a window": Example(
        push_filters,
        Filter(windowed(), call("gt", A, 1)),
        tree(Filter(windowed(), call("gt", A, 1))),
    ),
    "a filter of whole partitions goes below a window": Example(
        push_filters,
        Filter(BY_K, Call("and", (call("eq", K, "x"), call("eq", ColumnRef("n"), 1)))),
        f"Filter n = 1\n  Project k, a, {COUNTED} AS n\n    Filter k = 'x'\n      {SCAN}",
    ),
    "a limit goes below a projection": Example(
        push_limits, Limit(COMPUTED, 3), f"Project a, b + 1 AS c\n  Limit 3\n    {SCAN}"
    ),
    "a limit stays above a window": Example(push_limits, Limit(windowed(), 3), tree(Limit(windowed(), 3))),
    "a limit goes into every part of a union, and stays": Example(
        push_limits,
        Limit(PARTS, 2, 1),
        f"Limit 2 after 1\n  Union of 2 parts\n    Limit 3\n      Project a, b\n        {SCAN}\n    Limit 3\n      Project a, b\n        {SCAN}",
    ),
    "a limit goes to the left of a left join": Example(
        push_limits,
        Limit(joined("left"), 2),
        f"Limit 2\n  Join left on a = a\n    Limit 2\n      {SCAN}\n    {SCAN}",
    ),
    "a limit stays above an inner join": Example(
        push_limits, Limit(joined("inner"), 2), f"Limit 2\n  Join inner on a = a\n    {SCAN}\n    {SCAN}"
    ),
    "a limit goes below lists that are spread": Example(
        push_limits,
        Limit(Explode(T, ("l",), (pa.int64(),)), 2, 1),
        f"Limit 2 after 1\n  Explode l\n    Limit 3\n      {SCAN}",
    ),
    "the first of an order go below a projection": Example(
        push_topk,
        Limit(Sort(Project(T, (("z", A), ("c", call("add", B, 1)))), (SortKey("z", True),)), 2),
        f"Project a AS z, b + 1 AS c\n  Limit 2\n    Sort a descending\n      {SCAN}",
    ),
    "the first by a computed column stay": Example(
        push_topk,
        Limit(Sort(COMPUTED, (SortKey("c"),)), 2),
        f"Limit 2\n  Sort c\n    Project a, b + 1 AS c\n      {SCAN}",
    ),
    "the first beside a window stay": Example(
        push_topk,
        Limit(Sort(windowed(), (SortKey("a"),)), 2),
        tree(Limit(Sort(windowed(), (SortKey("a"),)), 2)),
    ),
    "the first of a union are among the first of its parts": Example(
        push_topk,
        Limit(Sort(PARTS, (SortKey("b"),)), 2),
        "Limit 2\n  Sort b\n    Union of 2 parts\n"
        + 2 * f"      Limit 2\n        Sort b\n          Project a, b\n            {SCAN}\n".rstrip(" "),
    ),
    "the first of a left join by its left side": Example(
        push_topk,
        Limit(Sort(joined("left"), (SortKey("b"), SortKey("a"))), 2),
        f"Limit 2\n  Sort b, a\n    Join left on a = a\n      Limit 2\n        Sort b, a\n          {SCAN}\n      {SCAN}",
    ),
    "the first of a left join by its right side stay": Example(
        push_topk,
        Limit(Sort(joined("left"), (SortKey("other"),)), 2),
        f"Limit 2\n  Sort other\n    Join left on a = a\n      {SCAN}\n      {SCAN}",
    ),
    "the first of an as-of join by its left side": Example(
        push_topk,
        Limit(Sort(ON_B, (SortKey("a"),)), 2),
        tree(
            Limit(
                Sort(ON_B.with_children([Limit(Sort(ON_B.left, (SortKey("a"),)), 2), ON_B.right]), (SortKey("a"),)), 2
            )
        ),
    ),
}  # fmt: skip


def rows(plan: Node) -> list[str]:
    query = render(plan)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        connection.register("t", DATA)
        # The bench hands out row ids by this name; here they are the places of the rows.
        text = query.text.replace("with_rowid(t)", "(SELECT row_number() OVER () AS _rowid, * FROM t)")
        return sorted(map(str, connection.sql(text).fetchall()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_before_and_after(name: str) -> None:
    example = EXAMPLES[name]
    after = example.rule(example.before)
    assert tree(after) == example.after.rstrip("\n")
    assert after.names == example.before.names
    if "limit" in name:
        # Which rows come is not decided; how many is, and that they are rows of the whole.
        whole = rows(example.before.child) if isinstance(example.before, Limit) else []
        found = rows(after)
        assert len(found) == len(rows(example.before))
        assert set(found) <= set(whole)
    elif "as-of" not in name:
        assert rows(after) == rows(example.before)


@pytest.mark.parametrize("name", EXAMPLES)
def test_running_a_rule_again_changes_nothing(name: str) -> None:
    rule = EXAMPLES[name].rule
    once = rule(EXAMPLES[name].before)
    while (again := rule(once)) is not once and tree(again) != tree(once):
        once = again
    assert rule(again) is again


def test_the_first_rows_of_joined_unions_of_projections_are_settled() -> None:
    sort = Sort(Union((joined("left"), joined("left", some("a", "b")))), (SortKey("b"),))
    optimized = optimize(Limit(sort, 2))
    assert {"push_topk", "prune_columns"} <= set(optimized.fired)
    assert rows(optimized.plan) == rows(Limit(sort, 2))
