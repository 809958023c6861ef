"""Every rule: a plan before, the plan after as a tree of text, and the same rows from both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pytest

from luma_bench.plan.condition import condition
from luma_bench.plan.explain import tree
from luma_bench.plan.expressions import AggregateCall, Call, ColumnRef, Expression, IsNull, Literal
from luma_bench.plan.nodes import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    JoinColumn,
    Limit,
    Node,
    Project,
    Sort,
    SortKey,
    Table,
)
from luma_bench.plan.render import render
from luma_bench.plan.rules import RULES, optimize
from luma_bench.plan.rules.drop_orders import drop_orders
from luma_bench.plan.rules.lift_repeated import lift_repeated
from luma_bench.plan.rules.merge_filters import merge_filters
from luma_bench.plan.rules.merge_limits import merge_limits
from luma_bench.plan.rules.merge_projections import merge_projections
from luma_bench.plan.rules.prune_columns import prune_columns
from luma_bench.plan.rules.push_filters import push_filters

DATA = pa.table(
    {"a": [1, 2, 3, None, 5, 2], "b": [4.0, -5.5, 6.0, 7.0, None, 0.5], "k": ["x", "y", "x", None, "z", "y"]}
)
T = Table("t", 1, DATA.schema)
A, B, K = ColumnRef("a"), ColumnRef("b"), ColumnRef("k")


def over(*parts: tuple[str, Expression], child: Node = T) -> Project:
    return Project(child, parts)


def gt(left: Expression, value: object) -> Call:
    return Call("gt", (left, Literal(value)))


def plus(left: Expression, value: object) -> Call:
    return Call("add", (left, Literal(value)))


def joined(how: str, left: Node = T, right: Node = T) -> Join:
    columns = (
        JoinColumn("a", "a", "a" if how == "outer" else None),
        JoinColumn("b", "b", None),
        JoinColumn("other", None, "b"),
    )
    return Join(left, right, how, (("a", "a"),), columns if how not in ("semi", "anti") else columns[:2])


@dataclass(frozen=True)
class Example:
    rule: Callable[[Node], Node]
    before: Node
    after: str


EXAMPLES = {
    "filters merge": Example(
        merge_filters,
        Filter(Filter(T, gt(A, 1)), gt(B, 0)),
        "Filter a > 1 AND b > 0\n  Table t at snapshot 1",
    ),
    "three filters merge in order": Example(
        merge_filters,
        Filter(Filter(Filter(T, gt(A, 1)), gt(B, 0)), IsNull(K)),
        "Filter a > 1 AND b > 0 AND k IS NULL\n  Table t at snapshot 1",
    ),
    "limits merge": Example(
        merge_limits,
        Limit(Limit(T, 5, 1), 10, 2),
        "Limit 3 after 3\n  Table t at snapshot 1",
    ),
    "a filter goes below a rename": Example(
        push_filters,
        Filter(over(("c", A), ("b", B)), gt(ColumnRef("c"), 1)),
        "Project a AS c, b\n  Filter a > 1\n    Table t at snapshot 1",
    ),
    "a conjunct that reads a computed column stays": Example(
        push_filters,
        Filter(over(("a", A), ("c", plus(B, 1))), Call("and", (gt(A, 1), gt(ColumnRef("c"), 2)))),
        "Filter c > 2\n  Project a, b + 1 AS c\n    Filter a > 1\n      Table t at snapshot 1",
    ),
    "a filter goes below a sort": Example(
        push_filters,
        Filter(Sort(T, (SortKey("b"),)), gt(A, 1)),
        "Sort b\n  Filter a > 1\n    Table t at snapshot 1",
    ),
    "a filter stays above a limit": Example(
        push_filters,
        Filter(Limit(T, 3), gt(A, 1)),
        "Filter a > 1\n  Limit 3\n    Table t at snapshot 1",
    ),
    "a filter goes into the left of a left join": Example(
        push_filters,
        Filter(joined("left"), gt(B, 1)),
        "Join left on a = a\n  Filter b > 1\n    Table t at snapshot 1\n  Table t at snapshot 1",
    ),
    "a filter on the right stays above a left join": Example(
        push_filters,
        Filter(joined("left"), IsNull(ColumnRef("other"))),
        "Filter other IS NULL\n  Join left on a = a\n    Table t at snapshot 1\n    Table t at snapshot 1",
    ),
    "both sides of an inner join": Example(
        push_filters,
        Filter(joined("inner"), Call("and", (gt(B, 1), gt(ColumnRef("other"), 2)))),
        "Join inner on a = a\n  Filter b > 1\n    Table t at snapshot 1\n  Filter b > 2\n    Table t at snapshot 1",
    ),
    "a filter stays above an outer join": Example(
        push_filters,
        Filter(joined("outer"), gt(A, 1)),
        "Filter a > 1\n  Join outer on a = a\n    Table t at snapshot 1\n    Table t at snapshot 1",
    ),
    "a text goes below columns of the same name": Example(
        push_filters,
        Filter(over(("a", A), ("k", K)), condition("a > 1 AND k LIKE 'x%'", ["a", "k"])),
        "Project a, k\n  Filter (a > 1 AND k LIKE 'x%')\n    Table t at snapshot 1",
    ),
    "a text stays above a rename": Example(
        push_filters,
        Filter(over(("b", A), ("a", B)), condition("a > 1", ["a", "b"])),
        "Filter (a > 1)\n  Project a AS b, b AS a\n    Table t at snapshot 1",
    ),
    "projections merge": Example(
        merge_projections,
        over(("c", Call("mul", (ColumnRef("s"), Literal(2)))), child=over(("s", plus(A, 1)), ("b", B))),
        "Project (a + 1) * 2 AS c\n  Table t at snapshot 1",
    ),
    "a column that is read twice stays computed once": Example(
        merge_projections,
        over(("c", Call("mul", (ColumnRef("s"), ColumnRef("s")))), child=over(("s", plus(A, 1)))),
        "Project s * s AS c\n  Project a + 1 AS s\n    Table t at snapshot 1",
    ),
    "a projection of nothing new goes": Example(
        merge_projections, over(("a", A), ("b", B), ("k", K)), "Table t at snapshot 1"
    ),
    "columns are swapped, not mixed up": Example(
        merge_projections,
        over(("a", B), ("b", A), child=over(("a", B), ("b", A))),
        "Project a, b\n  Table t at snapshot 1",
    ),
    "an order below a grouping goes": Example(
        drop_orders,
        Aggregate(Filter(Sort(T, (SortKey("a"),)), gt(A, 1)), ("k",), (("n", AggregateCall("size")),)),
        "Aggregate count(*) AS n by k\n  Filter a > 1\n    Table t at snapshot 1",
    ),
    "an order below a limit stays": Example(
        drop_orders,
        Aggregate(Limit(Sort(T, (SortKey("b"),)), 2), ("k",), (("n", AggregateCall("size")),)),
        "Aggregate count(*) AS n by k\n  Limit 2\n    Sort b\n      Table t at snapshot 1",
    ),
    "the upper of two orders stays": Example(
        drop_orders,
        Sort(Sort(T, (SortKey("a"),)), (SortKey("b"), SortKey("a"))),
        "Sort b, a\n  Table t at snapshot 1",
    ),
    "unread measures and columns go": Example(
        prune_columns,
        over(
            ("n", ColumnRef("n")),
            child=Aggregate(T, ("k",), (("n", AggregateCall("size")), ("m", AggregateCall("mean", B)))),
        ),
        "Project n\n  Aggregate count(*) AS n by k\n    Table t at snapshot 1",
    ),
    "a scan below a filter gives what is read": Example(
        prune_columns,
        over(("a", A), child=Filter(T, gt(B, 0))),
        "Project a\n  Filter b > 0\n    Project a, b\n      Table t at snapshot 1",
    ),
    "a join keeps its keys": Example(
        prune_columns,
        over(("other", ColumnRef("other")), child=joined("inner")),
        "Project other\n  Join inner on a = a\n    Table t at snapshot 1\n    Table t at snapshot 1",
    ),
    "all columns stay below a DISTINCT": Example(
        prune_columns,
        over(("a", A), child=Distinct(over(("a", A), ("b", B)))),
        "Project a\n  Distinct\n    Project a, b\n      Table t at snapshot 1",
    ),
    "a repeated argument is computed below": Example(
        lift_repeated,
        over(("c", Call("at_least", (plus(A, 1), Literal(3))))),
        "Project CASE WHEN _1 < 3 THEN 3 ELSE _1 END AS c\n  Project a, b, k, a + 1 AS _1\n    Table t at snapshot 1",
    ),
    "a repeated argument of a condition is no output": Example(
        lift_repeated,
        Filter(T, gt(Call("at_least", (plus(A, 1), Literal(3))), 2)),
        "Project a, b, k\n  Filter CASE WHEN _1 < 3 THEN 3 ELSE _1 END > 2\n    Project a, b, k, a + 1 AS _1\n      Table t at snapshot 1",
    ),
}


def rows(plan: Node) -> list[str]:
    query = render(plan)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        connection.register("t", DATA)
        return sorted(map(str, connection.sql(query.text).fetchall()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_before_and_after(name: str) -> None:
    example = EXAMPLES[name]
    after = example.rule(example.before)
    assert tree(after) == example.after
    assert after.names == example.before.names
    assert rows(after) == rows(example.before)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_rule_keeps_the_rows(name: str) -> None:
    before = EXAMPLES[name].before
    for rule in (*RULES, lift_repeated):
        assert rows(rule(before)) == rows(before), rule.__name__
    assert rows(optimize(before).plan) == rows(before)


@pytest.mark.parametrize("rule", [*RULES, lift_repeated])
def test_a_rule_with_nothing_to_do_gives_the_plan_itself(rule: Callable[[Node], Node]) -> None:
    plan = Sort(Filter(T, gt(A, 1)), (SortKey("b"),))
    assert rule(plan) is plan


def test_fired_rules_are_named_in_order() -> None:
    plan = Filter(Filter(over(("c", A), ("b", B)), gt(ColumnRef("c"), 1)), gt(B, 0))
    assert optimize(plan).fired == ("push_filters", "merge_filters", "prune_columns")


def test_running_again_settles() -> None:
    for example in EXAMPLES.values():
        twice = optimize(optimize(example.before).plan).plan
        assert tree(optimize(twice).plan) == tree(twice)


def test_shared_expressions_do_not_grow_the_text() -> None:
    value: Expression = A
    for _ in range(60):
        value = Call("add", (value, value))
    text = render(over(("v", Call("mul", (value, Literal(0)))))).text
    assert len(text) < 10_000


def test_a_shared_input_is_written_once() -> None:
    shared = Aggregate(T, ("k",), (("n", AggregateCall("size")),))
    plan = Join(
        shared, shared, "inner", (("k", "k"),), (JoinColumn("k", "k", None), JoinColumn("n", "n", None))
    )
    assert render(plan).text.count("GROUP BY") == 1
    assert rows(plan) == ["('x', 2)", "('y', 2)", "('z', 1)"]
