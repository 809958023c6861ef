"""Which charts are offered: what a person would draw of such columns, and never what cannot be drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import SchemaError
from luma_bench.plot.charts import Facts, Suggestion, facts, figure, suggest
from luma_bench.plot.charts.figure import ChartFigure

Ask = Callable[[str], pa.Table]


def asking(table: pa.Table) -> Ask:
    """The rows as the table `result` of DuckDB itself."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.register("result", table)
    return lambda text: con.sql(text).to_arrow_table()


def offered(columns: dict[str, Any] | pa.Table) -> tuple[Suggestion, ...]:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    return suggest(table.schema, table.num_rows, facts(asking(table), table.schema))


def drawn(columns: dict[str, Any] | pa.Table, chosen: Suggestion) -> ChartFigure:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    return figure(asking(table), table.schema, table.num_rows, **chosen.as_dict())


DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(60)]
SALES = {
    "sale_id": list(range(60)),
    "day": DAYS,
    "shop": ["north", "south", "west"] * 20,
    "amount": [float(number % 7) for number in range(60)],
}


def test_a_time_and_a_number_are_a_line_for_each_of_a_few() -> None:
    first = offered(SALES)[0]
    assert (first.kind, first.x, first.y, first.color) == ("line", "day", "amount", "shop")
    assert first.title == "amount over day, each shop"


def test_names_and_a_number_are_bars() -> None:
    found = offered({"carrier": ["UA", "B6", "DL"], "flights": [10, 5, 7]})
    assert found[0] == Suggestion("flights by carrier", "bar", "carrier", "flights")


def test_many_or_long_names_are_bars_across() -> None:
    found = offered({"city": [f"city number {n}" for n in range(30)], "n": list(range(30))})
    assert found[0].kind == "barh"


def test_what_is_summed_up_is_called_a_mean_and_rows_are_counted() -> None:
    titles = [one.title for one in offered({"g": ["a", "b"] * 20, "v": [float(n) for n in range(40)]})]
    assert "Mean v by g" in titles
    assert "Rows by g" in titles
    assert "Distribution of v" in titles


def test_two_names_are_a_heatmap() -> None:
    table = {"a": ["x", "y"] * 6, "b": ["1", "1", "2", "2", "3", "3"] * 2}
    assert any(one.kind == "heatmap" and {one.x, one.y} == {"a", "b"} for one in offered(table))


def test_two_numbers_are_points_or_where_they_meet() -> None:
    few = {"u": [float(n) for n in range(50)], "v": [float(n * n) for n in range(50)]}
    assert any((one.kind, one.x, one.y) == ("scatter", "u", "v") for one in offered(few))
    many = {name: values * 100 for name, values in few.items()}
    assert any((one.kind, one.x, one.y) == ("heatmap", "u", "v") for one in offered(many))


def test_places_on_earth_are_points_on_the_map() -> None:
    found = offered({"name": ["a", "b", "c"], "lat": [1.0, 2.0, 3.0], "lon": [4.0, 5.0, 6.0]})
    assert ("scatter", "lon", "lat") in [(one.kind, one.x, one.y) for one in found]


def test_keys_are_nothing_to_draw_and_figures_of_the_calendar_are_steps() -> None:
    found = offered({"id": list(range(20)), "month": list(range(20)), "v": [float(n) for n in range(20)]})
    assert not any("id" in (one.x, one.y) for one in found)
    assert (found[0].kind, found[0].x, found[0].y) == ("line", "month", "v")


@pytest.mark.parametrize(
    "table",
    [
        {"a": pa.array([], pa.int64())},
        {"a": pa.array([None, None], pa.float64())},
        {"a": [1]},
        {"a": [[1], [2]]},
        {"a": [b"x", b"y"]},
    ],
)
def test_what_cannot_be_drawn_is_not_offered(table: dict[str, Any]) -> None:
    assert offered(table) == ()


def test_a_name_that_is_there_twice_is_left_out() -> None:
    table = pa.table(
        [pa.array([1.0, 2.0]), pa.array([1.0, 2.0]), pa.array([3.0, 4.0])], names=["a", "a", "b"]
    )
    # Facts are asked of a table whose names are single, as the engine needs them.
    found = suggest(table.schema, 2, {"b": Facts(2, 0, 3.0, 4.0)})
    assert {one.x for one in found} == {"b"}


def test_names_of_other_letters_in_upper_and_lower_case_are_one_name() -> None:
    table = pa.table(
        [pa.array([1.0, 2.0]), pa.array([1.0, 2.0]), pa.array([3.0, 4.0])], names=["a", "A", "a b"]
    )
    found = offered(table)
    assert {one.x for one in found} == {"a b"}
    for one in found:
        assert drawn(table, one).figure["data"]
    with pytest.raises(SchemaError, match="upper and lower case do not tell them apart"):
        drawn(table, Suggestion("", "scatter", "A", "a b"))


def test_without_facts_the_types_decide() -> None:
    found = suggest(pa.schema([("at", pa.timestamp("us")), ("v", pa.float64())]), 10)
    assert (found[0].kind, found[0].x, found[0].y) == ("line", "at", "v")


def test_facts_of_every_kind_of_column() -> None:
    table = pa.table(
        {
            "f": pa.array([1.5, float("nan"), None, float("inf")]),
            "d": pa.array([dt.date(1970, 1, 2), None, dt.date(1970, 1, 1), None]),
            "z": pa.array(
                [dt.datetime(1970, 1, 1, 0, 0, 1), None, None, None], pa.timestamp("ms", "Asia/Tokyo")
            ),
            "s": pa.array(["é", "long name", None, "é"]).dictionary_encode(),
            "b": pa.array([True, False, None, True]),
            "skip": pa.array([[1], None, None, None]),
        }
    )
    found = facts(asking(table), table.schema)
    assert set(found) == {"f", "d", "z", "s", "b"}
    assert (found["f"].low, found["f"].high, found["f"].nulls) == (1.5, 1.5, 1)
    assert (found["d"].low, found["d"].high) == (0.0, 86_400e6)
    assert found["z"].low == pytest.approx(1e6)
    assert (found["s"].distinct, found["s"].longest, found["s"].nulls) == (2, 9, 1)
    assert found["b"].distinct == 2


COLUMN = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.floats(width=64)), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "<b>", "long " * 9])), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=8, max_size=8),
)  # fmt: skip
NAMES = st.sampled_from(["a", "month", "x y", 'q"uote', "rows", "mean a", "id", "é", "lat", "lon", "result"])


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(NAMES, COLUMN, min_size=1, max_size=4), st.integers(0, 3))
def test_whatever_is_offered_can_be_drawn(columns: dict[str, Any], times: int) -> None:
    table = pa.table({name: pa.array(values * times) for name, values in columns.items()})
    try:
        found = offered(table)
    except pa.ArrowInvalid:  # the same moment twice in a dictionary of names: no table at all
        return
    for one in found:
        made = drawn(table, one)
        assert made.chart.picture.marks <= 2000
        assert made.svg.startswith("<svg")
        compile(made.code, "code", "exec")
