"""Random expressions and plans over random rows: equal to the embedded engine's answer, or refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars_oracle import Oracle
from thorough import drawn

from luma_bench.plan.relational import (
    Aggregate,
    Compare,
    Filter,
    Join,
    Measure,
    Node,
    Project,
    Scan,
    Sql,
    Union,
)
from luma_bench.plan.relational.expressions import Column, Expression, Or

NAMES = ("i", "b", "d", "w", "f", "t", "g", "y", "o", "k")
AT = {name: Column(at) for at, name in enumerate(NAMES)}
FLOATS = st.sampled_from([0.0, -0.0, 1.5, -2.25, float("nan"), float("inf"), float("-inf"), 1e18, 0.1])
TEXTS = st.sampled_from(["", "a", "ab", "ba", "Ä", "a%", "a_b", "x\ny", "abc", "Z"])
SPANS = {
    "i": (st.one_of(st.integers(-9, 9), st.sampled_from([2**31 - 1, -(2**31)])), pa.int32()),
    "b": (st.one_of(st.integers(-9, 9), st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1])), pa.int64()),
    "d": (st.integers(-(10**5), 10**5).map(lambda n: Decimal(n) / 100), pa.decimal128(15, 2)),
    "w": (st.one_of(st.integers(-999, 999), st.just(10**29)).map(lambda n: Decimal(n).scaleb(-4)), pa.decimal128(30, 4)),
    "f": (FLOATS, pa.float64()),
    "t": (TEXTS, pa.string()),
    "g": (TEXTS, pa.string()),
    "y": (st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)), pa.date32()),
    "o": (st.booleans(), pa.bool_()),
    "k": (st.integers(0, 3), pa.int64()),
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 12))
    columns: dict[str, pa.Array] = {}
    for name, (values, kind) in SPANS.items():
        held = draw(
            st.lists(
                st.one_of(st.none(), values) if draw(st.booleans()) else values, min_size=rows, max_size=rows
            )
        )
        array = pa.array(held, kind)
        columns[name] = array.dictionary_encode() if name == "g" else array
    table = pa.table(columns)
    cut = draw(st.integers(0, rows))
    # Chunks with dictionaries of their own.
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)]) if draw(st.booleans()) else table


def joined(*parts: str | Expression) -> Sql:
    """Texts and what stands between them."""
    texts, args = [""], []
    for part in parts:
        if isinstance(part, str):
            texts[-1] += part
        else:
            args.append(part)
            texts.append("")
    return Sql(tuple(texts), tuple(args))


def columns(names: str) -> st.SearchStrategy[Expression]:
    return st.sampled_from([AT[name] for name in names])


def literals(*texts: str) -> st.SearchStrategy[Expression]:
    return st.sampled_from([Sql((text,)) for text in texts])


NUMBER = st.deferred(
    lambda: st.one_of(
        columns("ibdwfk"),
        columns("ibdwfk"),
        literals("0", "1", "-3", "0.5", "100", "1.25", "2.5e0", "NULL::INT"),
        st.builds(lambda a, op, b: joined("(", a, op, b, ")"), NUMBER, st.sampled_from([" + ", " - ", " * ", " / "]), NUMBER),
        st.builds(lambda a: joined("(-", a, ")"), NUMBER),
        st.builds(lambda a: joined("abs(", a, ")"), NUMBER),
        st.builds(lambda c, a, b: joined("CASE WHEN ", c, " THEN ", a, " ELSE ", b, " END"), CONDITION, NUMBER, NUMBER),
        st.builds(lambda a, b: joined("coalesce(", a, ", ", b, ")"), NUMBER, NUMBER),
        st.builds(lambda a, b: joined("nullif(", a, ", ", b, ")"), NUMBER, NUMBER),
        st.builds(lambda a, kind: joined("CAST(", a, f" AS {kind})"), NUMBER, st.sampled_from(["DOUBLE", "BIGINT", "DECIMAL(20,3)", "INTEGER", "DECIMAL(38,0)"])),
        st.builds(lambda part, a: joined(f"date_part('{part}', ", a, ")"), st.sampled_from(["year", "month", "day", "doy", "isodow", "week"]), DATE),
        st.builds(lambda a, b: joined("(", a, " - ", b, ")"), DATE, DATE),
        st.builds(lambda a: joined("length(", a, ")"), TEXT),
    )
)  # fmt: skip
TEXT = st.deferred(
    lambda: st.one_of(
        columns("tg"),
        columns("tg"),
        literals("'a'", "''", "'ab'", "'Ä'", "NULL::VARCHAR"),
        st.builds(lambda a, b: joined("(", a, " || ", b, ")"), TEXT, TEXT),
        st.builds(lambda a, at, n: joined("substring(", a, f", {at}, {n})"), TEXT, st.integers(1, 3), st.integers(0, 3)),
        st.builds(lambda c, a, b: joined("CASE WHEN ", c, " THEN ", a, " ELSE ", b, " END"), CONDITION, TEXT, TEXT),
        st.builds(lambda a, b: joined("coalesce(", a, ", ", b, ")"), TEXT, TEXT),
    )
)  # fmt: skip
DATE = st.deferred(
    lambda: st.one_of(
        columns("y"),
        columns("y"),
        literals("DATE '2000-02-29'", "DATE '1998-12-01'"),
        st.builds(lambda a, n: joined("(", a, f" + {n})"), DATE, st.integers(-400, 400)),
    )
)
COMPARED = st.sampled_from(
    [" = ", " <> ", " < ", " <= ", " > ", " >= ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]
)
CONDITION = st.deferred(
    lambda: st.one_of(
        columns("o"),
        st.builds(lambda a, op, b: joined("(", a, op, b, ")"), NUMBER, COMPARED, NUMBER),
        st.builds(lambda a, op, b: joined("(", a, op, b, ")"), TEXT, COMPARED, TEXT),
        st.builds(lambda a, op, b: joined("(", a, op, b, ")"), DATE, COMPARED, DATE),
        st.builds(lambda a, op, b: joined("(", a, op, b, ")"), CONDITION, st.sampled_from([" AND ", " OR "]), CONDITION),
        st.builds(lambda a: joined("(NOT ", a, ")"), CONDITION),
        st.builds(lambda a: joined("(", a, " IS NULL)"), st.one_of(NUMBER, TEXT, DATE)),
        st.builds(lambda a, p: joined("(", a, f" LIKE '{p}')"), TEXT, st.sampled_from(["a%", "%b", "%a%", "_", "a_%", "%", "a%b%", "%\\%", "%\n%"])),
        st.builds(lambda a, n: joined("(", a, f" {n} (1, 0.5, NULL))"), NUMBER, st.sampled_from(["IN", "NOT IN"])),
        st.builds(lambda a, n: joined("(", a, f" {n} ('a', 'ba'))"), TEXT, st.sampled_from(["IN", "NOT IN"])),
        st.builds(lambda a, b, c: joined("(", a, " BETWEEN ", b, " AND ", c, ")"), NUMBER, NUMBER, NUMBER),
    )
)  # fmt: skip
ANY = st.one_of(NUMBER, TEXT, DATE, CONDITION)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle.opened()
    yield made
    made.close()


DATA = Scan("data", NAMES)
OTHER = Scan("other", NAMES)


@st.composite
def sources(draw: st.DrawFn, name: str) -> Node:
    """A scan, perhaps filtered or projected, with the columns of a scan."""
    node: Node = Scan(name, NAMES)
    if draw(st.booleans()):
        node = Filter(node, draw(CONDITION))
    return node


@st.composite
def plans(draw: st.DrawFn) -> Node:
    """A join or a union, then groups."""
    left, right = draw(sources("data")), draw(sources("other"))
    kind = draw(st.sampled_from(["inner", "left", "semi", "anti", "full", "right", "mark", "none", "union"]))
    node: Node
    if kind == "none":
        node = left
    elif kind == "union":
        node = Union((left, right))
    else:
        on = draw(
            st.lists(st.sampled_from(["k", "g", "t", "d", "f", "y"]), min_size=1, max_size=2, unique=True)
        )
        pairs = tuple((AT[name], AT[name]) for name in on)
        width = len(NAMES)
        condition: Expression | None = None
        if kind != "full" and draw(st.booleans()):
            name = draw(st.sampled_from(["i", "d", "y", "t"]))
            operator = draw(st.sampled_from(["<", "<>", ">=", "="]))
            condition = Compare(operator, AT[name], Column(AT[name].index + width))
            if draw(st.booleans()):
                condition = Or((condition, AT["o"]))
        node = Join(left, right, kind, pairs, condition, draw(st.booleans()))  # pyright: ignore[reportArgumentType]
    if draw(st.booleans()):
        return Project(node, tuple(draw(st.lists(ANY, min_size=1, max_size=3))))
    keys = tuple(draw(st.lists(st.one_of(columns("kgoyd"), TEXT, NUMBER), max_size=2)))
    measures = draw(
        st.lists(
            st.one_of(
                st.just(Measure("count")),
                st.builds(lambda name, a: Measure(name, (a,)), st.sampled_from(["sum", "avg", "min", "max", "count"]), st.one_of(columns("idwkf"), NUMBER)),
                st.builds(lambda name, a: Measure(name, (a,)), st.sampled_from(["min", "max", "count"]), st.one_of(TEXT, DATE)),
                st.builds(lambda a: Measure("count", (a,), distinct=True), ANY),
                st.builds(lambda a, c: Measure("sum", (a,), filter=c), columns("idk"), CONDITION),
            ),
            max_size=3,
        )
    )  # fmt: skip
    if not measures and not keys:
        measures = [Measure("count")]
    return Aggregate(node, keys, tuple(measures))


@settings(deadline=None, max_examples=drawn(120))
@given(table=tables(), expressions=st.lists(ANY, min_size=1, max_size=4))
def test_expressions(oracle: Oracle, table: pa.Table, expressions: list[Expression]) -> None:
    # One by one: a refusal of one must not hide the others.
    for expression in expressions:
        reason = oracle.check(Project(DATA, (expression,)), {"data": table}, refuses=True)
        assert reason is None or reason


@settings(deadline=None, max_examples=drawn(80))
@given(left=tables(), right=tables(), plan=plans())
def test_plans(oracle: Oracle, left: pa.Table, right: pa.Table, plan: Node) -> None:
    reason = oracle.check(plan, {"data": left, "other": right}, refuses=True)
    assert reason is None or reason


@pytest.mark.slow
@settings(deadline=None, max_examples=2000)
@given(table=tables(), expressions=st.lists(ANY, min_size=1, max_size=4))
def test_more_expressions(oracle: Oracle, table: pa.Table, expressions: list[Expression]) -> None:
    for expression in expressions:
        reason = oracle.check(Project(DATA, (expression,)), {"data": table}, refuses=True)
        assert reason is None or reason


@pytest.mark.slow
@settings(deadline=None, max_examples=1500)
@given(left=tables(), right=tables(), plan=plans())
def test_more_plans(oracle: Oracle, left: pa.Table, right: pa.Table, plan: Node) -> None:
    reason = oracle.check(plan, {"data": left, "other": right}, refuses=True)
    assert reason is None or reason
