"""Plans made by chance: after the rules, and after each rule alone, the same columns, types and rows."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.plan.explain import tree
from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    Case,
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
    JoinHow,
    Limit,
    Node,
    Project,
    Sort,
    SortKey,
    Table,
    Union,
)
from luma_bench.plan.render import render
from luma_bench.plan.rules import RULES, optimize
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Order, Origin, Window

DATA = {
    "t": pa.table(
        {
            "a": pa.array([1, 2, 3, None, 5, 2, 2, -1], pa.int64()),
            "b": [4.0, -5.5, 6.0, 7.0, None, 0.5, 0.5, float("nan")],
            "k": ["x", "y", "x", None, "z", "y", "y", ""],
            "p": [True, None, False, True, True, False, False, None],
        }
    ),
    "u": pa.table({"a": pa.array([2, 2, None, 7], pa.int64()), "k": ["y", None, "x", "x"], "p": [True] * 4}),
}
TABLES = {name: Table(name, 1, table.schema) for name, table in DATA.items()}
HOWS: tuple[JoinHow, ...] = ("inner", "left", "right", "outer", "semi", "anti", "cross")
CONSTANTS: dict[str, list[object]] = {
    "int": [0, 1, 2, 5, 2147483647, None],
    "real": [0.5, 6.0, float("nan"), None],
    "text": ["x", "", None],
    "bool": [True, False, None],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"python_enable_replacements": False, "threads": 1}) as made:
        for name, table in DATA.items():
            made.register(name, table)
        yield made


class Maker:
    """Draws plans from the leaves up; every limit stands on an order of all columns, so that its rows are decided."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def one[T](self, values: list[T] | tuple[T, ...]) -> T:
        return self._data.draw(st.sampled_from(list(values)))

    def chance(self) -> bool:
        return self._data.draw(st.booleans())

    def plan(self, steps: int) -> Node:
        plan: Node = self.one(list(TABLES.values()))
        for _ in range(steps):
            plan = self._step(plan)
        return plan

    def _step(self, plan: Node) -> Node:
        match self.one(["filter", "filter", "project", "project", "sort", "first", "distinct", "group", "join", "union", "window"]):  # fmt: skip
            case "filter":
                return Filter(plan, self.condition(plan, 2))
            case "project":
                return self._project(plan)
            case "sort":
                return Sort(plan, tuple(SortKey(self.one(plan.names), self.chance()) for _ in range(2)))
            case "first":
                keys = tuple(SortKey(name, self.chance(), self.chance()) for name in plan.names)
                return self._maybe_projected(Sort(plan, keys))
            case "distinct":
                return Distinct(plan)
            case "group":
                return self._group(plan)
            case "join":
                return self._join(plan, self.one([plan, *TABLES.values()]))
            case "union":
                return Union(
                    (plan, Filter(plan, self.condition(plan, 1)), *([plan] if self.chance() else []))
                )
            case _:
                return self._window(plan)

    def _maybe_projected(self, sort: Sort) -> Node:
        between: Node = (
            Project(sort, tuple((name, ColumnRef(name)) for name in sort.names)) if self.chance() else sort
        )
        return Limit(between, self.one([0, 1, 3, 100]), self.one([0, 0, 2]))

    def condition(self, plan: Node, depth: int) -> Expression:
        if depth and self.chance():
            parts = tuple(self.condition(plan, depth - 1) for _ in range(2))
            joined = Call(self.one(["and", "and", "or"]), (*parts, *([parts[0]] if self.chance() else [])))
            return Call("not", (joined,)) if self.chance() else joined
        name = self.one(plan.names)
        kind = kinds_of(plan)[name]
        values = CONSTANTS[kind]
        column = ColumnRef(name)
        match self.one(["compare", "between", "in", "null", "constant", "computed"]):
            case "compare":
                return Call(self.one(["eq", "ne", "lt", "ge"]), (column, Literal(self.one(values))))
            case "between":
                return Between(column, Literal(self.one(values)), Literal(self.one(values)))
            case "in":
                given = [value for value in values if value is not None]
                return IsIn(column, tuple(Literal(value) for value in given if self.chance()), self.chance())
            case "null":
                return IsNull(column, self.chance())
            case "constant":
                numbers = Call("add", (Literal(self.one([1, 2])), Literal(self.one([1, 0.5]))))
                return self.one([Literal(True), Literal(False), Call("gt", (numbers, Literal(2)))])
            case _:
                return (
                    Call("gt", (self.value(plan), Literal(2))) if kind in ("int", "real") else IsNull(column)
                )

    def value(self, plan: Node) -> Expression:
        kinds = kinds_of(plan)
        numbers = [name for name in plan.names if kinds[name] in ("int", "real")]
        left: Expression = ColumnRef(self.one(numbers)) if numbers else Literal(3)
        right = Call("mul", (Literal(2), Literal(self.one([3, 0.25]))))
        made = Case(((self.condition(plan, 0), left),), left) if self.chance() else left
        return Call(self.one(["add", "sub"]), (made, right))

    def _project(self, plan: Node) -> Node:
        kept = [name for name in plan.names if self.chance()] or [plan.names[0]]
        columns: list[tuple[str, Expression]] = [(name, ColumnRef(name)) for name in kept]
        free = [name for name in ("a", "b", "c", "d", "e") if name not in kept]
        if free and self.chance():
            columns.append((self.one(free), self.value(plan)))
        if self.chance() and len(columns) < 5:
            name = next(name for name in ("a", "b", "c", "d", "e", "f") if name not in dict(columns))
            columns.append((name, ColumnRef(self.one(plan.names))))
        return Project(plan, tuple(columns))

    def _group(self, plan: Node) -> Node:
        keys = tuple(name for name in plan.names if self.chance())
        operand = ColumnRef(self.one(plan.names))
        calls = (AggregateCall("size"), AggregateCall("count", operand), AggregateCall("min", operand), AggregateCall("nunique", operand))  # fmt: skip
        free = [name for name in ("m", "n", "o", "r", "s", "t", "g", "h") if name not in plan.names]
        return Aggregate(
            plan, keys, tuple((free[place], self.one(calls)) for place in range(1 + self.chance()))
        )

    def _join(self, left: Node, right: Node) -> Node:
        how = self.one(HOWS)
        kinds, others = kinds_of(left), kinds_of(right)
        pairs = [(a, b) for a in left.names for b in right.names if kinds[a] == others[b]]
        if not pairs and how != "cross":
            return left
        on = () if how == "cross" else (self.one(pairs),)
        columns = [JoinColumn(f"l{place}", name, None) for place, name in enumerate(left.names[:3])]
        if on and how == "outer":
            columns.append(JoinColumn("key", *on[0]))
        if how not in ("semi", "anti"):
            columns += [JoinColumn(f"r{place}", None, name) for place, name in enumerate(right.names[:2])]
        joined = Join(left, right, how, on, tuple(columns))
        names = ("a", "b", "c", "d", "k", "p")
        return Project(
            joined, tuple((new, ColumnRef(old)) for new, old in zip(names, joined.names, strict=False))
        )

    def _window(self, plan: Node) -> Node:
        free = next(name for name in ("w", "v", "z", "y", "q") if name not in plan.names)
        rows = isinstance(plan, Table)
        order = (Order(ColumnRef(plan.names[0])), *([Order(Origin())] if rows else []))
        made = Window("row_number", order=order) if rows and self.chance() else Window("count", (ColumnRef(self.one(plan.names)),), (ColumnRef(plan.names[0]),))  # fmt: skip
        if self.chance():
            return (
                Filter(plan, Call("ge", (made, Literal(2)))) if not rows else Filter(plan, IsNull(made, True))
            )
        return Project(plan, (*((name, ColumnRef(name)) for name in plan.names), (free, made)))


def answer(connection: duckdb.DuckDBPyConnection, plan: Node) -> tuple[list[str], list[str]]:
    text = render(plan).text
    for name in TABLES:
        text = text.replace(f"with_rowid({name})", f"(SELECT row_number() OVER () AS _rowid, * FROM {name})")
    found = connection.sql(text)
    return list(map(str, found.types)), sorted(map(str, found.fetchall()))


def same(connection: duckdb.DuckDBPyConnection, data: st.DataObject, steps: int) -> None:
    before = Maker(data).plan(steps)
    expected = answer(connection, before)
    optimized = optimize(before)
    assert optimized.plan.names == before.names
    assert answer(connection, optimized.plan) == expected, (
        f"{optimized.fired}\n{tree(before)}\n{tree(optimized.plan)}"
    )
    for rule in RULES:
        after = rule(before)
        assert answer(connection, after) == expected, f"{rule.__name__}\n{tree(before)}\n{tree(after)}"


@settings(max_examples=drawn(60), deadline=None)
@given(data=st.data(), steps=st.integers(1, 7))
def test_rules_keep_columns_types_and_rows(
    connection: duckdb.DuckDBPyConnection, data: st.DataObject, steps: int
) -> None:
    same(connection, data, steps)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(data=st.data(), steps=st.integers(1, 10))
def test_rules_keep_columns_types_and_rows_of_many_plans(
    connection: duckdb.DuckDBPyConnection, data: st.DataObject, steps: int
) -> None:
    same(connection, data, steps)
