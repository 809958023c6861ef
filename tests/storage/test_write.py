"""What may be written, how it arrives, and that a refused or failed write leaves nothing."""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConflictError, ConstraintError, SchemaError, UnsupportedError
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=2_000, shard_rows=1_000, chunk_rows=128, key_chunk_rows=64, threads=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        yield opened


def read(store: Store, table: str = "t", columns: list[str] | None = None) -> pa.Table:
    return store.scan(store.resolve(), table).read(columns)


def files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.path / "segments").rglob("*") if path.is_file())


def assert_refused(store: Store, error: type[Exception], match: str, data: Any, **arguments: Any) -> None:
    """The write raises, and neither a file nor a snapshot is there afterwards."""
    before = (store.head(), files(store))
    with pytest.raises(error, match=match):
        store.write(arguments.pop("table", "t"), data, **arguments)
    assert (store.head(), files(store)) == before


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
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "several levels of column names"),
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
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "'a' of table 't': the name is there twice"),
        (pa.table({"": [1]}), "the name is empty"),
        (pa.table({"a\0b": [1]}), "holds a NUL character"),
        (pa.table({"_rowid": [1]}), "the name is that of the hidden row id"),
        (pa.table({"_RowID": [1]}), "the name is that of the hidden row id"),
        (pa.table({"h": np.array([1], np.float16)}), "only inside fixed-size lists"),
        (pa.table({"h": pa.array([[np.float16(1)]], pa.list_(pa.float16()))}), "only inside fixed-size lists"),
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
    assert_refused(store, UnsupportedError, "mode='upsert' is not served", {"a": [1]}, mode="upsert")
    assert store.write("t", {"a": [1]}, mode="replace").operation == "create"
    assert_refused(store, CatalogError, "There is a table 't' already", {"a": [1]}, table="T")
    assert_refused(store, CatalogError, "There is a table 't' already", {"a": [1]}, mode="create")


def test_append_matches_columns_by_name_and_casts_safely(store: Store) -> None:
    schema = pa.schema([("i", pa.int64()), ("f", pa.float64()), ("s", pa.large_string()), ("d", pa.timestamp("us"))])
    store.create_table(schema, "t")
    day = dt.date(2026, 2, 1)
    store.write("t", {"S": ["x"], "i": pa.array([1], pa.int8()), "d": [day], "f": pa.array([2], pa.int16())}, mode="append")
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
        ({"n": [70_000], "k": [1]}, SchemaError, "'n' of table 't': a value of type int64 does not fit int16"),
        ({"flat": [1.0]}, SchemaError, "'k' of table 't': it is missing in the data"),
        ({"k": [1, None]}, ConstraintError, "'k' of table 't' must not be NULL; row 1 is"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["k", "K"]), SchemaError, "in case alone"),
    ],
)
def test_append_refuses_what_does_not_fit(store: Store, data: Any, error: type[Exception], match: str) -> None:
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
    store.write("t", {**data, "s": pa.array(data["s"]).dictionary_encode()}, mode="replace", time_column="t", series_key="s")
    assert read(store)["i"].to_pylist() == [3, 1, 0, 2]
    store.write("t", {"t": np.arange(3_000)[::-1]}, mode="replace", time_column="t")
    assert read(store)["t"].to_pylist()[:1000] == list(range(2_000, 3_000))


def batches(count: int, rows: int = 400) -> Iterator[pa.RecordBatch]:
    for index in range(count):
        start = index * rows
        yield pa.record_batch({"i": np.arange(start, start + rows), "s": [f"s{n % 7}" for n in range(rows)]})


def stream(source: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(pa.schema([("i", pa.int64()), ("s", pa.string())]), source)


def test_a_stream_is_cut_into_segments_and_is_one_snapshot(store: Store) -> None:
    seen: list[int] = []
    store.write("t", stream(batches(8)), progress=seen.append)
    resolved = store.resolve()
    assert [ref.rows for ref in resolved.segments(1)] == [1000, 1000, 1000, 200]
    assert [ref.first_row_id for ref in resolved.segments(1)] == [0, 1000, 2000, 3000]
    assert seen == [400 * n for n in range(1, 9)]
    found = read(store, columns=["_rowid", "i", "s"])
    assert found["_rowid"].to_pylist() == found["i"].to_pylist() == list(range(3200))
    assert found["s"].to_pylist() == [f"s{n % 400 % 7}" for n in range(3200)]
    assert store.head() == 2
    assert store.check().ok


def test_a_stream_is_never_held_whole(store: Store) -> None:
    written: list[int] = []

    def watched() -> Iterator[pa.RecordBatch]:
        for batch in batches(12):
            written.append(len(files(store)))
            yield batch

    store.write("t", stream(watched()))
    assert written[-1] >= 3


def test_wide_rows_are_cut_by_bytes(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setattr("luma_bench.storage.write.SEGMENT_BYTES", 10_000)
    store.write("t", pa.table({"s": ["x" * 1_000] * 100}))
    rows = [ref.rows for ref in store.resolve().segments(1)]
    assert sum(rows) == 100
    assert max(rows) <= 10
    assert read(store)["s"].to_pylist() == ["x" * 1_000] * 100


def test_a_stream_that_fails_leaves_nothing_and_its_error_comes_out(store: Store) -> None:
    store.write("t", {"i": [1], "s": ["x"]})

    def failing() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        raise RuntimeError("the source broke")

    for table, mode in (("t", "append"), ("t", "replace"), ("u", "create")):
        assert_refused(store, RuntimeError, "the source broke", stream(failing()), table=table, mode=mode)
    assert read(store).to_pydict() == {"i": [1], "s": ["x"]}
    assert store.check().ok
    assert not store.check().notes


def test_a_bad_batch_late_in_a_stream_leaves_nothing(store: Store) -> None:
    store.create_table(pa.schema([pa.field("i", pa.int64(), nullable=False), ("s", pa.string())]), "t")

    def spoiled() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        yield pa.record_batch({"i": pa.array([1, None]), "s": ["a", "b"]})

    assert_refused(store, ConstraintError, "must not be NULL; row 2,401 is", stream(spoiled()), mode="append")


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_disk_error_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    store.write("t", stream(batches(3)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        assert_refused(store, OSError, "No space left", stream(batches(6)), mode="append")
    store.write("t", stream(batches(3)), mode="append")
    assert read(store).num_rows == 2400
    report = store.check()
    assert report.ok
    assert not report.notes


def test_a_commit_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("luma_bench.storage.catalog.commit._add_rows", lambda *_: 1 / 0)
        assert_refused(store, ZeroDivisionError, "division", stream(batches(6)))
    store.write("t", stream(batches(6)))
    assert store.check().ok


def test_files_of_a_commit_that_was_durable_before_it_was_interrupted_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store._catalog.commit

    def interrupted(*arguments: Any) -> Any:
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store._catalog, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.write("t", stream(batches(6)))
    assert read(store).num_rows == 2400
    assert store.check().ok


def test_a_token_makes_one_snapshot_whatever_happens(store: Store) -> None:
    first = store.write("t", stream(batches(6)), token="load-1")
    listed = files(store)
    again = store.write("t", stream(batches(6)), token="load-1")
    assert again == first
    assert (store.head(), files(store)) == (2, listed)
    assert store.write("t", {"i": [1], "s": ["x"]}, mode="append", token="load-1") == first
    with pytest.raises(CatalogError, match="'load-1' belongs to snapshot 2, which did not write 'u'"):
        store.write("u", {"a": [1]}, token="load-1")


def test_a_token_that_another_process_used_meanwhile_is_found_in_the_commit(store: Store) -> None:
    store.write("t", {"i": [0], "s": ["x"]})

    def late() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        with Store.open(store.path, settings=SETTINGS) as other:
            other.write("t", stream(batches(6)), mode="append", token="load")

    made = store.write("t", stream(late()), mode="append", token="load")
    assert (made.id, store.head(), read(store).num_rows) == (3, 3, 2401)
    assert not store.check().notes


def test_an_empty_write_is_a_snapshot_with_no_rows(store: Store) -> None:
    empty = pa.schema([("a", pa.int64())]).empty_table()
    store.write("t", empty)
    store.write("t", empty, mode="append")
    assert store.head() == 3
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


class TestPrimaryKeys:
    """Never NULL, never twice: in the data, against what is there, and against who comes first."""

    def test_nulls_and_doubles_in_the_data(self, store: Store) -> None:
        assert_refused(store, ConstraintError, "'k' of table 't' must not be NULL", {"k": [1, None]}, primary_key="k")
        assert_refused(store, ConstraintError, r"\(k=7\) twice", {"k": [7, 1, 7]}, primary_key="k")
        keys = {"k": ["a", "a", "b"], "n": [1, 2, 1]}
        store.write("t", keys, primary_key=["k", "n"])
        assert_refused(store, ConstraintError, r"\(k='c', n=1\) twice", {"k": ["c"] * 2, "n": [1, 1]}, mode="append")

    def test_keys_that_are_there_already_inline_and_in_segments(self, store: Store) -> None:
        store.write("t", {"k": np.arange(5_000), "v": np.arange(5_000)}, primary_key="k")
        store.write("t", {"k": [9_000], "v": [0]}, mode="append")
        for key in (0, 4_999, 2_500, 9_000):
            assert_refused(store, ConstraintError, rf"\(k={key}\) already", {"k": [10_000, key], "v": [1, 1]}, mode="append")
        many = {"k": np.arange(4_999, 8_000), "v": np.arange(4_999, 8_000)}
        assert_refused(store, ConstraintError, r"\(k=4999\) already", many, mode="append")
        store.write("t", {"k": np.arange(5_000, 8_000), "v": np.arange(5_000, 8_000)}, mode="append")
        assert store.resolve().rows("t") == 8_001

    def test_replace_may_use_old_keys_again(self, store: Store) -> None:
        store.write("t", {"k": [1, 2]}, primary_key="k")
        store.write("t", {"k": [2, 3]}, mode="replace", primary_key="k")
        assert read(store)["k"].to_pylist() == [2, 3]

    @pytest.mark.parametrize(
        ("old", "new", "other"),
        [
            (["a", "b"], ["b"], ["c"]),
            ([Decimal("1.10"), Decimal("2.20")], [Decimal("2.20")], [Decimal("2.21")]),
            ([dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2)], [dt.datetime(2026, 1, 2)], [dt.datetime(2026, 1, 3)]),
            ([dt.date(2026, 1, 1)], [dt.date(2026, 1, 1)], [dt.date(2026, 1, 2)]),
            ([0.0, float("nan")], [-0.0], [1.0]),
            ([0.0, float("nan")], [float("nan")], [2.0]),
            ([True], [True], [False]),
            ([b"\x00", b""], [b""], [b"\x01"]),
        ],
    )
    @pytest.mark.parametrize("inline", [True, False])
    def test_keys_of_every_type(self, tmp_path: Path, old: list[Any], new: list[Any], other: list[Any], inline: bool) -> None:
        settings = Settings(inline_bytes=1 << 20 if inline else 0)
        with Store.open(tmp_path / "b", settings=settings) as store:
            store.write("t", {"k": old}, primary_key="k")
            assert_refused(store, ConstraintError, "already", {"k": new}, mode="append")
            store.write("t", {"k": other}, mode="append")
            assert store.resolve().rows("t") == len(old) + 1

    def test_dictionary_keys(self, store: Store) -> None:
        store.write("t", {"k": pa.array(["a", "b"]).dictionary_encode()}, primary_key="k")
        assert_refused(store, ConstraintError, r"\(k='b'\) already", {"k": ["c", "b"]}, mode="append")

    def test_a_key_that_another_writer_commits_first_is_a_conflict(self, store: Store) -> None:
        store.write("t", {"i": np.arange(10), "s": ["x"] * 10}, primary_key="i")

        def overtaken(first: int, key: int) -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"i": np.arange(first, first + 2_900), "s": ["y"] * 2_900})
            with Store.open(store.path, settings=SETTINGS) as other:
                other.write("t", {"i": [key], "s": ["z"]}, mode="append")

        before = files(store)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 3 .*\(i=2000\)"):
            store.write("t", stream(overtaken(100, 2_000)), mode="append")
        assert files(store) == before
        store.write("t", stream(overtaken(4_000, 9_999)), mode="append")
        assert store.resolve().rows("t") == 10 + 1 + 1 + 2_900
        assert store.check().ok


def during(store: Store, action: Any) -> pa.RecordBatchReader:
    """A stream in the middle of which another store does something."""

    def source() -> Iterator[pa.RecordBatch]:
        yield from batches(4)
        with Store.open(store.path, settings=SETTINGS) as other:
            action(other)
        yield from batches(1)

    return stream(source())


class TestConflicts:
    """Two writers of one table."""

    def test_appends_do_not_conflict(self, store: Store) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        small = {"i": [2], "s": ["y"]}
        store.write("t", during(store, lambda other: other.write("t", small, mode="append")), mode="append")
        assert store.resolve().rows("t") == 2 + 2_000
        ids = read(store, columns=["_rowid"])["_rowid"].to_pylist()
        assert sorted(ids) == list(range(2_002))
        assert store.check().ok

    @pytest.mark.parametrize("mode", ["append", "replace"])
    def test_replace_and_drop_win_over_what_began_before(self, store: Store, mode: str) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        data = {"i": [3], "s": ["z"]}
        before = files(store)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 3 \(replace\)"):
            store.write("t", during(store, lambda other: other.write("t", data, mode="replace")), mode=mode)
        with pytest.raises(ConflictError, match=r"'t' was changed by snapshot 4 \(drop\)"):
            store.write("t", during(store, lambda other: other.drop_table("t")), mode=mode)
        assert files(store) == before

    def test_replace_loses_against_an_append(self, store: Store) -> None:
        store.write("t", {"i": [1], "s": ["x"]})
        action = {"i": [3], "s": ["z"]}
        with pytest.raises(ConflictError, match=r"changed by snapshot 3 \(append\)"):
            store.write("t", during(store, lambda other: other.write("t", action, mode="append")), mode="replace")
        assert store.resolve().rows("t") == 2

    def test_two_creates(self, store: Store) -> None:
        with pytest.raises(CatalogError, match="There is a table 'T' already"):
            store.write("t", during(store, lambda other: other.write("T", {"a": [1]})))
        assert store.resolve().find("t").names == ("a",)

    def test_a_lost_lease_stops_the_commit(self, store: Store) -> None:
        def steal(other: Store) -> None:
            with other._catalog._database.write() as connection:
                connection.exec_driver_sql("DELETE FROM lease")

        with pytest.raises(CatalogError, match="lease ran out"):
            store.write("t", during(store, steal))
        assert files(store) == []
