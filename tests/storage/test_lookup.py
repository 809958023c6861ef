"""`bench.get` and `get_many`: rows by key as people ask for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import luma_bench as lb


@pytest.fixture(params=["segment", "inline"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[lb.Bench]:
    inline = 0 if request.param == "segment" else 256_000
    with lb.open(tmp_path / "b.luma", inline_bytes=inline) as bench:
        bench.write(
            "users",
            pa.table({
                "id": pa.array([3, 1, 2], pa.int32()),
                "name": pa.array(["Cy", "Ada", None], pa.large_string()),
                "since": pa.array([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)]),
                "tags": pa.array([["a"], [], None], pa.list_(pa.string())),
            }),
            primary_key="id",
        )  # fmt: skip
        bench.write(
            "prices",
            pa.table({
                "day": pa.array([dt.date(2024, 1, 1), dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
                "item": ["x", "y", "x"],
                "price": pa.array([Decimal("1.50"), Decimal("2.00"), Decimal("3.25")], pa.decimal128(9, 2)),
            }),
            primary_key=["day", "item"],
        )  # fmt: skip
        bench.write("plain", {"id": [1]})
        yield bench


def test_one_row(bench: lb.Bench) -> None:
    assert bench.get("users", 3) == {"id": 3, "name": "Cy", "since": dt.date(2020, 1, 1), "tags": ["a"]}
    assert bench.get("users", np.int64(2)) == {
        "id": 2,
        "name": None,
        "since": dt.date(2021, 1, 1),
        "tags": None,
    }
    assert bench.get("users", {"ID": 1}) == {"id": 1, "name": "Ada", "since": None, "tags": []}
    assert bench.get("USERS", pa.scalar(1)) == bench.get("users", (1,))
    assert bench.get("users", 4) is None
    assert bench.get("users", 2**40) is None


def test_a_key_of_two_columns(bench: lb.Bench) -> None:
    row = {"day": dt.date(2024, 1, 1), "item": "y", "price": Decimal("2.00")}
    assert bench.get("prices", (dt.date(2024, 1, 1), "y")) == row
    assert bench.get("prices", {"item": "y", "day": dt.date(2024, 1, 1)}) == row
    assert bench.get("prices", (dt.date(2024, 1, 2), "y")) is None


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ("users", "3", "'3' \\(str\\) is no key value of type int32"),
        ("users", True, "True \\(bool\\) is no key value"),
        ("users", 1.0, "1.0 \\(float\\) is no key value"),
        ("users", None, "NULL is no key value"),
        ("users", (1, 2), "a key has 1 value, not 2"),
        ("users", {"name": "Ada"}, "no column 'name' in the primary key of table 'users'"),
        ("prices", dt.date(2024, 1, 1), "a key has 2 values, not 1"),
        ("prices", {"day": dt.date(2024, 1, 1)}, "Column 'item' of table 'prices': the key lacks it"),
        ("prices", (dt.datetime(2024, 1, 1), "x"), "is no key value of type date32"),
        ("plain", 1, "Table 'plain' has no primary key to look up"),
        ("nobody", 1, "There is no table 'nobody'"),
    ],
)
def test_what_is_refused(bench: lb.Bench, table: str, key: object, message: str) -> None:
    with pytest.raises(lb.errors.LumaError, match=message) as caught:
        bench.get(table, key)
    assert caught.value.hint


def test_many_keep_the_order_asked_for(bench: lb.Bench) -> None:
    found = bench.get_many("users", [2, 9, 3, 2])
    assert found.schema == bench.table("users").to_arrow().schema
    assert found["id"].to_pylist() == [2, 3, 2]
    assert found["name"].to_pylist() == [None, "Cy", None]
    assert bench.get_many("users", []).num_rows == 0
    assert bench.get_many("users", [7]).schema == found.schema


@pytest.mark.parametrize(
    "keys",
    [
        np.array([2, 1]), pa.array([2, 1]), pa.chunked_array([[2], [1]]), pd.Series([2, 1]), pl.Series([2, 1]), (2, 1),
        dict.fromkeys([2, 1]).keys(), pd.DataFrame({"id": [2, 1]}), pl.DataFrame({"ID": [2, 1]}), pa.table({"id": [2, 1], "x": [0, 0]}),
        pa.record_batch({"id": [2, 1]}), {"id": [2, 1]}, [{"id": 2}, {"id": 1}], [2, 2**40, 1], np.array([2, 2**40, 1]),
    ],
    ids=lambda keys: type(keys).__name__,
)  # fmt: skip
def test_keys_in_any_form(bench: lb.Bench, keys: object) -> None:
    assert bench.get_many("users", keys)["id"].to_pylist() == [2, 1]


def test_many_keys_of_two_columns(bench: lb.Bench) -> None:
    first, second = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
    for keys in (
        [(second, "x"), (first, "z"), (first, "y")],
        {"item": ["x", "z", "y"], "day": [second, first, first]},
        pa.table({"item": ["x", "z", "y"], "day": [second, first, first]}),
    ):
        assert bench.get_many("prices", keys)["price"].to_pylist() == [Decimal("3.25"), Decimal("2.00")]


@pytest.mark.parametrize(
    "keys", ["2", 2, ["2"], [None], {"name": ["Ada"]}, pa.table({"x": [1]}), np.array([1.5])]
)
def test_many_wrong_keys_are_refused(bench: lb.Bench, keys: object) -> None:
    with pytest.raises(lb.errors.SchemaError):
        bench.get_many("users", keys)


def test_history_transactions_and_deletes(bench: lb.Bench) -> None:
    before = bench.snapshot
    with bench.transaction() as tx:
        tx.kadeql("DELETE FROM users WHERE id = 1")
        tx.write("users", {"id": [3, 4], "name": ["New", "Dan"], "since": [None, None]}, mode="upsert")
        assert bench.get("users", 1) is None
        assert bench.get("users", 4) is not None
        assert bench.at(before).get("users", 4) is None
    assert [bench.get("users", key) is not None for key in (1, 2, 3, 4)] == [False, True, True, True]
    assert bench.get("users", 3)["name"] == "New"  # pyright: ignore[reportOptionalSubscript]
    assert bench.get_many("users", [1, 2, 3, 4])["name"].to_pylist() == [None, "New", "Dan"]
    past = bench.at(before)
    assert past.get("users", 3)["name"] == "Cy"  # pyright: ignore[reportOptionalSubscript]
    assert past.get_many("users", [4, 1])["id"].to_pylist() == [1]


def test_every_type_of_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = pa.table({
        "id": [1, 2, 3],
        "few": pa.array(["a", None, "b"]).dictionary_encode(),
        "narrow": pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), pa.array(["x", "y"])),
        "view": pa.array(["a", None, "c"], pa.string_view()),
        "pairs": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "vec": pa.array([[1, 2], [3, 4], None], pa.list_(pa.float32(), 2)),
        "ns": pa.array([1, 2, None], pa.timestamp("ns", "UTC")),
    })  # fmt: skip
    with lb.open(tmp_path / "b.luma", inline_bytes=0, key_chunk_rows=2) as bench:
        bench.write("t", rows, primary_key="id")
        found = bench.get_many("t", [3, 1, 2])
        assert found.schema == bench.table("t").to_arrow().schema
        assert found.to_pylist() == [rows.to_pylist()[i] for i in (2, 0, 1)]
        assert bench.get("t", 1) == rows.to_pylist()[0]


def test_a_value_that_python_lacks(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", pa.table({"id": [1], "day": pa.array([10**7], pa.date32())}), primary_key="id")
        with pytest.raises(lb.errors.SchemaError, match="is none of Python's") as caught:
            bench.get("t", 1)
        assert "get_many" in str(caught.value.hint)
        assert bench.get_many("t", [1])["day"].cast(pa.int32()).to_pylist() == [10**7]
