"""What may be written, how it arrives, and that a refused or failed write leaves nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from write_cases import SETTINGS, assert_refused, read

from luma_bench.errors import CatalogError, ConstraintError, SchemaError
from luma_bench.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        yield opened


TABLE = pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", None]})


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        pd.DataFrame({"a": np.array([1, 2], np.int32), "b": ["x", None]}),
        pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int32), "b": ["x", None]}),
        pl.LazyFrame({"a": pl.Series([1, 2], dtype=pl.Int32), "b": ["x", None]}),
        {"a": np.array([1, 2], np.int32), "b": ["x", None]},
        {"a": pa.array([1, 2], pa.int32()), "b": pd.Series(["x", None])},
        {"a": pl.Series([1, 2], dtype=pl.Int32), "b": pa.chunked_array([["x"], [None]], pa.string())},
        [{"a": 1, "b": "x"}, {"a": 2}],
    ],
    ids=["table", "batch", "reader", "pandas", "polars", "lazy", "numpy", "series", "polars series", "rows"],
)
def test_every_kind_of_data_arrives(store: Store, data: Any) -> None:
    store.write("t", data)
    assert read(store).to_pydict() == {"a": [1, 2], "b": ["x", None]}
    if not isinstance(data, list):
        assert read(store).schema.field("a").type == pa.int32()


def test_objects_with_the_arrow_interfaces_arrive(store: Store) -> None:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return TABLE.__arrow_c_stream__(requested_schema)

    class Array:
        def __arrow_c_array__(self, requested_schema: object = None) -> object:
            return TABLE.to_batches()[0].__arrow_c_array__(requested_schema)

    store.write("t", Stream())
    store.write("t", Array(), mode="append")
    assert read(store).to_pydict() == {"a": [1, 2, 1, 2], "b": ["x", None, "x", None]}


def test_a_named_pandas_index_becomes_a_column_and_an_unnamed_one_does_not(store: Store) -> None:
    frame = pd.DataFrame({"v": [1, 2]}, index=pd.Index([7, 8], name="k"))
    store.write("t", frame)
    assert read(store).to_pydict() == {"k": [7, 8], "v": [1, 2]}
    store.write("u", frame.rename_axis(None))
    assert read(store, "u").to_pydict() == {"v": [1, 2]}
    assert read(store, "u").schema.metadata is None


def test_a_two_dimensional_array_is_a_column_of_vectors(store: Store) -> None:
    store.write("t", {"v": np.arange(6, dtype=np.float32).reshape(2, 3)})
    assert read(store).schema.field("v").type == pa.list_(pa.float32(), 3)
    assert read(store)["v"].to_pylist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (7, "A int is not data for a table"),
        ("file.csv", "A str is not data"),
        ([1, 2], "A list is not data"),
        (pl.Series([1, 2]), "not data for a table|is not a table"),
        (pa.array([1, 2]), "not data for a table|is not a table|Arrow cannot hold"),
        ({"a": [1], "b": [1, 2]}, "differ in length: 'a' has 1, 'b' has 2"),
        ({"a": 1}, "a int is not a column of values"),
        ({"a": np.zeros((2, 2, 2))}, "3 dimensions is not a column"),
        ({"a": [1, "x"]}, "Arrow cannot hold this data"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            "several levels of column names",
        ),
    ],
)
def test_what_is_no_table_is_refused(store: Store, data: Any, match: str) -> None:
    assert_refused(store, SchemaError, match, data)


def ns() -> pa.Array:
    return pa.array([1], pa.duration("ns"))


UNION = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
DOUBLE_KEY = pa.MapArray.from_arrays([0, 2], ["k", "k"], [1, 2])


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (pa.table({}), "would have no columns"),
        ([], "would have no columns"),
        ({}, "would have no columns"),
        (pa.table({"a": [1], "A": [2]}), "'A' of table 't': the name differs from 'a' in case alone"),
        (
            pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
            "'a' of table 't': the name is there twice",
        ),
        (pa.table({"": [1]}), "the name is empty"),
        (pa.table({"a\0b": [1]}), "holds a NUL character"),
        (pa.table({"_rowid": [1]}), "the name is that of the hidden row id"),
        (pa.table({"_RowID": [1]}), "the name is that of the hidden row id"),
        (pa.table({"h": np.array([1], np.float16)}), "only inside fixed-size lists"),
        (
            pa.table({"h": pa.array([[np.float16(1)]], pa.list_(pa.float16()))}),
            "only inside fixed-size lists",
        ),
        (pa.table({"d": pa.array([Decimal(1)], pa.decimal256(50, 0))}), "decimal256 is not stored"),
        (pa.table({"d": pa.array([Decimal(100)], pa.decimal128(5, -2))}), "negative scale"),
        (pa.table({"d": ns()}), "durations finer than 1 µs"),
        (pa.table({"d": pa.StructArray.from_arrays([ns()], ["x"])}), "durations finer than 1 µs"),
        (pa.table({"u": UNION}), "union.* is not stored"),
        (pa.table({"m": DOUBLE_KEY}), "'m' of table 't': a map holds a key twice"),
        (pa.table({"m": pa.StructArray.from_arrays([DOUBLE_KEY], ["x"])}), "a map holds a key twice"),
    ],
)
def test_schemas_and_values_that_are_not_stored_are_refused(store: Store, data: Any, match: str) -> None:
    assert_refused(store, SchemaError, match, data)
    with pytest.raises(CatalogError):
        store.resolve().find("t")


def test_float16_vectors_maps_and_nested_values_are_stored(store: Store) -> None:
    data = pa.table(
        {
            "v": pa.array([np.ones(2, np.float16)] * 2, pa.list_(pa.float16(), 2)),
            "m": pa.array([[("k", 1), ("l", 2)], [("k", 3)]], pa.map_(pa.string(), pa.int64())),
            "s": pa.array([{"x": [1]}, None], pa.struct([("x", pa.list_(pa.int8()))])),
        }
    )
    store.write("t", data)
    store.write("t", data.slice(1), mode="append")
    assert read(store).equals(pa.concat_tables([data, data.slice(1)]))


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_bad_table_names_are_refused(store: Store, name: str) -> None:
    assert_refused(store, CatalogError, "The table name", {"a": [1]}, table=name)


def test_modes_meet_what_is_there(store: Store) -> None:
    assert_refused(store, CatalogError, "no table 't'", {"a": [1]}, mode="append")
    assert_refused(store, CatalogError, "no write mode 'insert'", {"a": [1]}, mode="insert")
    assert_refused(store, CatalogError, "no table 't'", {"a": [1]}, mode="upsert")
    assert store.write("t", {"a": [1]}, mode="replace").operation == "create"
    assert_refused(store, CatalogError, "There is a table 't' already", {"a": [1]}, table="T")
    assert_refused(store, CatalogError, "There is a table 't' already", {"a": [1]}, mode="create")


def test_append_matches_columns_by_name_and_casts_safely(store: Store) -> None:
    schema = pa.schema(
        [("i", pa.int64()), ("f", pa.float64()), ("s", pa.large_string()), ("d", pa.timestamp("us"))]
    )
    store.create_table(schema, "t")
    day = dt.date(2026, 2, 1)
    store.write(
        "t",
        {"S": ["x"], "i": pa.array([1], pa.int8()), "d": [day], "f": pa.array([2], pa.int16())},
        mode="append",
    )
    store.write("t", {"s": pa.array(["y"]).dictionary_encode(), "i": [None]}, mode="append")
    found = read(store)
    assert found.schema == schema
    assert found.to_pydict() == {
        "i": [1, None],
        "f": [2.0, None],
        "s": ["x", "y"],
        "d": [dt.datetime(2026, 2, 1), None],
    }


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ({"flt": [1.0]}, SchemaError, "no column 'flt' in table 't'.\n.*Did you mean 'flat'"),
        ({"flat": ["x"]}, SchemaError, "the data has type string, the table double"),
        ({"n": [1.5]}, SchemaError, "the data has type double, the table int16"),
        (
            {"n": [70_000], "k": [1]},
            SchemaError,
            "'n' of table 't': a value of type int64 does not fit int16",
        ),
        ({"flat": [1.0]}, SchemaError, "'k' of table 't': it is missing in the data"),
        ({"k": [1, None]}, ConstraintError, "'k' of table 't' must not be NULL; row 1 is"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["k", "K"]), SchemaError, "in case alone"),
    ],
)
def test_append_refuses_what_does_not_fit(
    store: Store, data: Any, error: type[Exception], match: str
) -> None:
    schema = pa.schema([("flat", pa.float64()), ("n", pa.int16()), pa.field("k", pa.int64(), nullable=False)])
    store.create_table(schema, "t")
    assert_refused(store, error, match, data, mode="append")


def test_a_null_where_a_nested_field_must_not_have_one_is_refused(store: Store) -> None:
    inner = pa.struct([pa.field("x", pa.int64(), nullable=False)])
    lists = pa.list_(pa.field("item", pa.int64(), nullable=False))
    store.create_table(pa.schema([("s", inner), ("l", lists)]), "t")
    store.write("t", {"s": [None, {"x": 1}], "l": [[1], None]}, mode="append")
    bad = pa.StructArray.from_arrays([pa.array([None], pa.int64())], fields=list(inner))
    assert_refused(store, ConstraintError, "nested field 'x' must not be NULL", {"s": bad}, mode="append")
    bad = pa.ListArray.from_arrays([0, 2], pa.array([1, None]), type=lists)
    assert_refused(store, ConstraintError, "nested field 'item' must not be NULL", {"l": bad}, mode="append")
    assert_refused(store, SchemaError, "Can't cast to non-nullable", {"s": [{"x": None}]}, mode="append")


def test_replace_keeps_the_table_and_unchanged_columns_and_goes_on_counting_rows(store: Store) -> None:
    store.write("t", {"a": [1, 2], "b": ["x", "y"], "c": [1.0, 2.0]})
    before = store.resolve().find("t")
    store.write("t", {"c": ["now text"], "b": ["z"], "d": [True]}, mode="replace", sort_by="b")
    after = store.resolve().find("t")
    assert after.id == before.id
    assert after.settings.sort_by == ("b",)
    assert after.column("b").id == before.column("b").id
    assert {after.column("c").id, after.column("d").id}.isdisjoint({column.id for column in before.columns})
    assert read(store, columns=["_rowid", "b"]).to_pydict() == {"_rowid": [2], "b": ["z"]}
    store.write("t", {"e": [1]}, mode="replace")
    assert store.resolve().find("t").column("e").id > after.column("d").id


def test_settings_are_checked_and_kept(store: Store) -> None:
    data = {"k": [2, 1], "at": pa.array([1, 0], pa.timestamp("s")), "l": [[1], [2]]}
    assert_refused(store, SchemaError, "no column 'kk' in the primary key", data, primary_key="kk")
    assert_refused(store, SchemaError, "named twice in the sort_by", data, sort_by=["k", "k"])
    assert_refused(store, SchemaError, "type list.* cannot be in the series key", data, series_key="l")
    assert_refused(store, SchemaError, "no time", {"s": ["x"]}, time_column="s")
    store.write("t", data, primary_key="K", time_column="at", series_key=["k"])
    settings = store.resolve().find("t").settings
    assert (settings.primary_key, settings.time_column, settings.series_key) == (("k",), "at", ("k",))
    assert not store.resolve().find("t").column("k").nullable
    assert_refused(store, CatalogError, "has primary_key=", data, mode="append", primary_key="at")


def test_rows_are_sorted_by_sort_by_or_series_and_time(store: Store) -> None:
    data = {"s": ["b", "a", None, "a"], "t": [1, 2, 0, 1], "i": [0, 1, 2, 3]}
    store.write("t", data, sort_by=["s"])
    assert read(store)["i"].to_pylist() == [1, 3, 0, 2]
    store.write(
        "t",
        {**data, "s": pa.array(data["s"]).dictionary_encode()},
        mode="replace",
        time_column="t",
        series_key="s",
    )
    assert read(store)["i"].to_pylist() == [3, 1, 0, 2]
    store.write("t", {"t": np.arange(3_000)[::-1]}, mode="replace", time_column="t")
    assert read(store)["t"].to_pylist()[:1000] == list(range(2_000, 3_000))


def test_an_empty_write_is_a_table_without_rows_and_adding_nothing_is_no_snapshot(store: Store) -> None:
    empty = pa.schema([("a", pa.int64())]).empty_table()
    store.write("t", empty)
    store.write("t", empty, mode="append")
    assert store.head() == 2
    assert read(store).to_pydict() == {"a": []}
    assert store.resolve().rows("t") == 0


def test_create_table_can_replace(store: Store) -> None:
    schema = pa.schema([pa.field("a", pa.int64(), metadata={b"unit": b"m"})])
    store.create_table(schema, "t")
    assert store.resolve().find("t").arrow.equals(schema, check_metadata=True)
    with pytest.raises(CatalogError, match="There is a table 't' already"):
        store.create_table(schema, "t")
    store.write("t", {"a": [1]}, mode="append")
    store.create_table(schema, "t", replace=True)
    assert store.resolve().rows("t") == 0
