"""What writes bring: indexes and names of pandas frames, and dictionaries that outgrow their codes over several writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from write_cases import SETTINGS, read

from luma_bench.errors import SchemaError
from luma_bench.storage.evolve import AddColumn, DropColumn, RenameColumn, WidenColumn
from luma_bench.storage.store import Store

CODED = pa.dictionary(pa.int8(), pa.string())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        yield opened


FRAME = pd.DataFrame({"v": [1, 2]})


@pytest.mark.parametrize(
    ("index", "columns"),
    [
        (pd.RangeIndex(2), {}),
        (pd.Index([7, 3]), {}),  # what filtering and sorting leave behind
        (pd.Index([7, 3], name="k"), {"k": [7, 3]}),
        (pd.Index(["x", "y"]), {"index": ["x", "y"]}),
        (pd.Index([0.5, 1.5]), {"index": [0.5, 1.5]}),
        (pd.Index([7, 3], name=5), {"5": [7, 3]}),
        (pd.MultiIndex.from_arrays([["x", "y"], [1, 2]]), {"level_0": ["x", "y"]}),
        (pd.MultiIndex.from_arrays([["x", "y"], [1, 2]], names=["a", "b"]), {"a": ["x", "y"], "b": [1, 2]}),
        (pd.MultiIndex.from_arrays([[3, 4], [1, 2]], names=["a", None]), {"a": [3, 4]}),
        (pd.MultiIndex.from_arrays([[3, 4], [1, 2]]), {}),
    ],
    ids=str,
)
def test_an_index_of_a_pandas_frame_is_kept_unless_it_only_numbers_rows(
    store: Store, index: Any, columns: dict[str, list[Any]]
) -> None:
    store.write("t", FRAME.set_axis(index))
    assert read(store).to_pydict() == {**columns, "v": [1, 2]}


def test_a_pandas_frame_without_rows_has_no_index(store: Store) -> None:
    store.write("t", pd.DataFrame({"v": pd.Series([], dtype="int64")}, index=pd.Index([], dtype="object")))
    assert read(store).column_names == ["v"]


def test_a_datetime_index_without_a_name_is_kept(store: Store) -> None:
    store.write("t", FRAME.set_axis(pd.date_range("2024-01-01", periods=2)))
    assert pa.types.is_timestamp(read(store).schema.field("index").type)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a'.*twice"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "'1'.*twice"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "case alone"),
        (pd.DataFrame({"k": [1]}, index=pd.Index([1], name="k")), "both named 'k'"),
        (pd.DataFrame({"index": [1]}, index=pd.Index(["x"])), "both named 'index'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])), "several levels"),
        ({1: [1], "1": [2]}, "twice"),
        ([{1: 1, "1": 2}], "twice"),
        ({"a": ["\ud800"]}, "Arrow cannot hold"),
        (pd.DataFrame({"a": [1j]}), "Arrow cannot hold"),
    ],
    ids=str,
)
def test_names_that_clash_are_refused_in_our_words(store: Store, data: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        store.write("t", data)
    assert caught.value.hint


def batch(number: int, count: int = 100) -> pa.Table:
    """Rows whose dictionary has values of its own."""
    values = pa.array([f"{number} {i}" for i in range(count)])
    return pa.table({"a": pa.DictionaryArray.from_arrays(pa.array(range(count), pa.int8()), values)})


def test_dictionaries_of_many_writes_hold_more_values_than_their_codes_count(store: Store) -> None:
    store.write("t", batch(0))
    expected = batch(0)["a"].to_pylist()
    for number in range(1, 9):
        store.write("t", batch(number), mode="append")
        expected += batch(number)["a"].to_pylist()
        found = read(store)
        found.validate(full=True)
        assert found.schema.field("a").type == CODED
        assert found["a"].to_pylist() == expected
    # Plain text for the same column, more of it than one array of codes holds, in a segment.
    words = [f"w{i % 700}" for i in range(5_000)]
    store.write("t", pa.table({"a": words}), mode="append")
    store.delete("t", np.array([0, 150, 899]))
    expected = [value for i, value in enumerate(expected + words) if i not in (0, 150, 899)]
    for _ in range(2):
        found = read(store)
        found.validate(full=True)
        assert found["a"].to_pylist() == expected
        scan = store.scan(store.resolve(), "t")
        from luma_bench.types.scan import ScanCounters

        assert scan.stream([1], [], ScanCounters()).read_all()["a"].to_pylist() == expected
        store.compact("t")
    assert store.check(deep=True).ok


def test_dictionaries_inside_lists_that_do_not_go_together_stay_apart(store: Store) -> None:
    def lists(number: int) -> pa.Table:
        coded = batch(number)["a"].chunk(0)
        return pa.table({"a": pa.ListArray.from_arrays(pa.array([0, 50, 100], pa.int32()), coded)})

    store.write("t", lists(0))
    expected = lists(0)["a"].to_pylist()
    for number in range(1, 8):
        store.write("t", lists(number), mode="append")
        expected += lists(number)["a"].to_pylist()
        assert read(store)["a"].to_pylist() == expected
        assert read(store).schema.field("a").type == pa.list_(CODED)


def test_plain_values_become_codes_of_every_kind(store: Store) -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([5], pa.int64()))
    store.write("t", pa.table({"a": coded}))
    store.write("t", pa.table({"a": list(range(300))}), mode="append")
    assert read(store)["a"].to_pylist() == [5, *range(300)]
    assert read(store).schema.field("a").type == pa.dictionary(pa.int8(), pa.int64())


def test_rows_staged_before_a_change_of_names_keep_their_values(store: Store) -> None:
    store.write("t", pa.table({"a": [1], "b": ["x"]}))
    with store.begin() as transaction:
        transaction.write("t", pa.table({"a": [2], "b": ["y"]}), mode="append")
        transaction.alter("t", RenameColumn("a", "n"), WidenColumn("n", pa.decimal128(20, 1)))
        transaction.alter("t", DropColumn("b"), AddColumn("b", pa.string(), default="new"))
        view = store.scan(transaction.view(), "t").read().to_pydict()
        transaction.write("t", pa.table({"n": [3]}), mode="append")
    assert {name: [str(value) for value in values] for name, values in view.items()} == {
        "n": ["1.0", "2.0"],
        "b": ["new", "new"],
    }
    assert [str(value) for value in read(store)["n"].to_pylist()] == ["1.0", "2.0", "3.0"]
    assert read(store)["b"].to_pylist() == ["new"] * 3
    assert read_at(store, 2).to_pydict() == {"a": [1], "b": ["x"]}


def read_at(store: Store, snapshot: int) -> pa.Table:
    return store.scan(store.resolve(snapshot), "t").read()


def test_a_column_that_came_and_went_within_a_transaction_never_lends_its_id(store: Store) -> None:
    store.write("t", pa.table({"a": [1]}))
    with store.begin() as transaction:
        transaction.alter("t", AddColumn("b", pa.string()))
        transaction.write("t", pa.table({"a": range(500), "b": ["x"] * 500}), mode="append")  # in a segment
        transaction.alter("t", DropColumn("b"))
    store.alter("t", AddColumn("b", pa.int64(), default=7))
    assert read(store)["b"].to_pylist() == [7] * 501
