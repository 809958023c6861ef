"""The text a frame runs: readable, closed against what names and values hold, and as long as it has to be."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from duck_executor import DuckExecutor
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.errors import UnsupportedError
from luma_bench.frame import DataFrame


def frame_over(**columns: Any) -> DataFrame:
    return DataFrame.scan(DuckExecutor({"flights": pa.table(columns)}), "flights")


@pytest.fixture
def flights() -> DataFrame:
    return frame_over(
        origin=["JFK", "EWR", "JFK"],
        dep_delay=[10, -5, 70],
        km=[1.5, 2.5, 3.5],
        day=[dt.date(2024, 1, 1)] * 3,
    )


def test_one_block_where_one_is_enough(flights: DataFrame) -> None:
    frame = flights[flights.dep_delay > 0].groupby("origin").agg(n=("km", "count"), far=("km", "max"))
    assert frame.sort_values("n", ascending=False).head(3).kadeql == (
        "SELECT origin, count(km) AS n, max(km) AS far\n"
        "FROM flights\n"
        "WHERE dep_delay > 0\n"
        "  AND origin IS NOT NULL\n"
        "GROUP BY origin\n"
        "ORDER BY n DESC NULLS LAST\n"
        "LIMIT 3"
    )


def test_steps_where_more_are_needed(flights: DataFrame) -> None:
    late = flights.groupby("origin", sort=False).agg(n=("km", "count"))
    assert late[late.n > 1].assign(m=late.n * 2).kadeql == (
        "WITH step_1 AS (\n"
        "  SELECT origin, count(km) AS n\n"
        "  FROM flights\n"
        "  WHERE origin IS NOT NULL\n"
        "  GROUP BY origin\n"
        ")\n"
        "SELECT origin, n, n * 2 AS m\n"
        "FROM step_1\n"
        "WHERE n > 1"
    )


def test_a_new_column_never_hides_the_old_one(flights: DataFrame) -> None:
    frame = flights.assign(km=flights.km * 2, far=flights.km, twice=flights.km + flights.dep_delay)
    assert frame.head(1).to_arrow().to_pylist() == [
        {"origin": "JFK", "dep_delay": 10, "km": 3.0, "day": dt.date(2024, 1, 1), "far": 1.5, "twice": 11.5}
    ] or pytest.fail(frame.kadeql)


def test_the_order_is_kept_through_steps(flights: DataFrame) -> None:
    top = flights.sort_values("km", ascending=False).head(2)
    assert top[top.dep_delay > -100].kadeql.endswith("ORDER BY km DESC NULLS LAST")
    assert top.assign(km=0)[["dep_delay", "km"]].dep_delay.to_list() == [70, -5]
    negated = flights.assign(km=-flights.km).sort_values("km")
    assert negated[["dep_delay"]].dep_delay.to_list() == [70, -5, 10]


def test_explain_shows_plan_rules_text_and_engine(flights: DataFrame) -> None:
    text = flights[["origin", "km"]][flights.km > 2].explain()
    assert text.startswith("Project origin, km\n  Filter km > 2\n")
    assert "Table flights at snapshot 1" in text
    assert "rules that fired: push_filters" in text
    assert "FROM flights" in text
    assert "PYTHON_ARROW_SCAN" in text.upper()


def test_line_breaks_in_constants_stay(flights: DataFrame) -> None:
    frame = flights.assign(note="a\n  b\n\nc").groupby("note").agg(n=("km", "count"))
    assert frame[frame.n > 0].merge(frame, on="note").note.to_list() == ["a\n  b\n\nc"]


NASTY = [
    'a"b',
    "a'b",
    "a;b",
    "drop table x; --",
    "$1",
    "{0}",
    "select",
    "a b",
    "é☃",
    "/*",
    "%s",
    "a.b",
    "\\",
    "\n",
]


@pytest.mark.parametrize("name", NASTY)
def test_any_column_name(name: str) -> None:
    frame = frame_over(**{name: [1, 2, None], "other": ["x", "y", "z"]})
    made = (
        frame[frame[name] > 0]
        .assign(**{f"{name}2": lambda df: df[name] % 2})
        .merge(frame, on=name)
        .groupby(name)
        .agg(n=("other_x", "count"), top=(f"{name}2", "max"))
        .sort_values(name, ascending=False)
    )
    assert made.to_arrow().to_pydict() == {name: [2, 1], "n": [1, 1], "top": [0, 1]}
    assert name in repr(made) or "\n" in name
    sqlglot.parse_one(made.kadeql, dialect="duckdb")


@pytest.mark.parametrize("table", ["t;x", 'q"', "select", "step_1", "a b", "é", "l", "memory_1"])
def test_any_table_name(table: str) -> None:
    frame = DataFrame.scan(DuckExecutor({table: pa.table({"l": [1, 2], "r": [3, 4], "t": [5, 6]})}), table)
    counted = frame.groupby("l").agg(n=("r", "count"))
    made = (
        frame.merge(counted[counted.n > 0], on="l")
        .merge({"t": [5, 6], "z": [7, 8]})
        .assign(l=lambda df: df.l * 10)
    )
    assert made.sort_values("l").to_arrow().to_pydict() == {
        "l": [10, 20],
        "r": [3, 4],
        "t": [5, 6],
        "n": [1, 1],
        "z": [7, 8],
    }


@given(value=st.text(alphabet="'\"\\;-$/*\0\n{}%☃éx", max_size=10))
@settings(deadline=None, max_examples=drawn(30))
def test_any_text_constant(value: str) -> None:
    frame = frame_over(s=[value, "other", None])
    assert frame[frame.s == value].s.to_list() == [value] * (2 if value == "other" else 1)
    assert frame[frame.s.isin([value])].s.to_list() == [value]
    assert frame.s.str.replace(value or "zz", "", regex=False).to_list()[0] == ""
    assert frame.s.str.startswith(value).to_list()[0] is True
    assert frame.query("s = $v", {"v": value}).s.to_list() == [value]


def test_three_hundred_operations() -> None:
    frame = frame_over(x=[1, 2, None], y=[1.0, 2.0, 3.0])
    series = frame.x
    for number in range(300):
        series = series + number
    assert series.to_list() == [44851, 44852, None]
    assert sqlglot.parse_one(frame.assign(x=series).kadeql, dialect="duckdb")

    chain = frame
    for number in range(100):
        chain = chain.assign(x=lambda df, n=number: df.x + n)
        chain = chain[chain.x > -1 - number]
        chain = chain.rename({"y": f"y{number}"}).rename({f"y{number}": "y"})
    assert chain.to_arrow().to_pydict() == {"x": [4951, 4952], "y": [1.0, 2.0]}

    remainders = frame
    for number in range(300):
        remainders = remainders.assign(x=lambda df, n=number: (df.x + 7) % (n + 2))
    value = 1
    for number in range(300):
        value = (value + 7) % (number + 2)
    assert remainders.x.to_list()[0] == value

    masks = frame
    for number in range(300):
        masks = masks[masks.y > -number]
    assert len(masks) == 3


def test_a_chain_without_end_is_refused_with_advice() -> None:
    series = frame_over(x=[1]).x
    for _ in range(2000):
        series = series + 1
    with pytest.raises(UnsupportedError, match=r"bench\.write"):
        series.to_list()


STEPS: dict[str, Any] = {
    "filter": lambda df: df[df.a > 0],
    "computed": lambda df: df[(df.a * 2 - 3) % 4 < 2],
    "text": lambda df: df.query("b < 5 OR b IS NULL"),
    "assign": lambda df: df.assign(a=df.a + 1, c=df.b),
    "swap": lambda df: df.rename({"a": "b", "b": "a"}),
    "narrow": lambda df: df[["b", "a"]],
    "sort": lambda df: df.sort_values(["a", "b"]),
    "top": lambda df: df.sort_values(["b", "a"], ascending=False).head(4),
    "group": lambda df: df.groupby("a", dropna=False).agg(b=("b", "max")),
    "distinct": lambda df: df[["a", "b"]].drop_duplicates(),
    "first": lambda df: df[["a", "b"]].drop_duplicates("a", by="b"),
    "merge": lambda df: df.merge(df[["a"]].drop_duplicates(), on="a", how="left"),
    "anti": lambda df: df.merge({"a": [2, 3]}, on="a", how="anti"),
}


@given(
    steps=st.lists(st.sampled_from(list(STEPS)), max_size=8),
    rows=st.lists(st.tuples(st.none() | st.integers(-4, 6), st.none() | st.integers(-4, 9)), max_size=8),
)
@settings(deadline=None, max_examples=drawn(30))
def test_any_chain_is_what_its_steps_are_one_by_one(steps: list[str], rows: list[tuple[Any, Any]]) -> None:
    """Each step over the stored result of the one before is the oracle: no rule and no merging of blocks can hide."""
    columns = list(zip(*rows, strict=True)) if rows else [[], []]
    table = pa.table({"a": pa.array(columns[0], pa.int64()), "b": pa.array(columns[1], pa.int64())})
    executor = DuckExecutor({"t": table})
    chained = DataFrame.scan(executor, "t")
    stored = table
    for number, step in enumerate(steps):
        chained = STEPS[step](chained)
        executor.store(f"step{number}", stored)
        stored = STEPS[step](DataFrame.scan(executor, f"step{number}")).to_arrow()
    got = chained.to_arrow()
    assert got.column_names == stored.column_names
    as_rows = [sorted(map(str, table.to_pylist())) for table in (got, stored)]
    assert as_rows[0] == as_rows[1], chained.kadeql
    sqlglot.parse_one(chained.kadeql, dialect="duckdb")
