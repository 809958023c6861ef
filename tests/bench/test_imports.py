"""Bulk imports: good rows into the table, bad ones into a reject table, both in one snapshot or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.bench.sieve import Sieve
from luma_bench.errors import (
    CancelledError,
    CatalogError,
    ConstraintError,
    LumaError,
    SchemaError,
    UnsupportedError,
)
from luma_bench.types.reject import Portion
from luma_bench.types.schema import Column, TableSchema, TableSettings


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("people", {"id": [1, 2], "name": ["Ada", "Ben"]}, primary_key="id")
        yield opened


def rows(bench: lb.Bench, table: str, columns: str = "*") -> list[dict[str, Any]]:
    return bench.kadeql(f"SELECT {columns} FROM {table} ORDER BY ALL").to_arrow().to_pylist()


def test_good_and_bad_rows_go_into_one_snapshot(bench: lb.Bench, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,name\n2,x\n3,Cleo\n,z\nfoo,q\n3,again\n4,Dan\n5\n")
    before = bench.snapshot
    made = bench.write("people", path, "append", rejects="bad")
    assert made.id == before + 1
    assert set(made.tables) == {"people", "bad"}
    assert made.message == "2 rows; 5 rejected into bad"
    assert rows(bench, "people") == [
        {"id": 1, "name": "Ada"}, {"id": 2, "name": "Ben"}, {"id": 3, "name": "Cleo"}, {"id": 4, "name": "Dan"},
    ]  # fmt: skip
    found = (
        bench.kadeql("SELECT line, row, column_name, reason, text FROM bad ORDER BY line")
        .to_arrow()
        .to_pylist()
    )
    assert [tuple(item.values()) for item in found] == [
        (2, 1, None, "The table holds the primary key already.", "id=2"),
        (4, 3, "id", "The value must not be NULL.", None),
        (5, 4, "id", "Could not convert string \"foo\" to 'BIGINT'.", "foo,q"),
        (6, 5, None, "The primary key is in an earlier row of the data.", "id=3"),
        (8, 7, "name", "The row has 1 value for 2 columns.", "5"),
    ]
    assert rows(bench.at(before), "people") == rows(bench, "people")[:2]
    assert bench.check().ok
    again = bench.write("people", path, "upsert", rejects="bad", message="again")
    assert again.message == "again"
    assert rows(bench, "people")[1] == {"id": 2, "name": "x"}
    assert len(rows(bench, "bad")) == 5 + 4


def test_too_many_rejects_write_nothing(bench: lb.Bench, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,name\n3,x\nfoo,q\nbar,q\n")
    before = bench.snapshot
    with pytest.raises(
        SchemaError,
        match=r"cannot take 2 or more rows, and 1 may be rejected\. The first: .*line 3, column 'id'",
    ):
        bench.write("people", path, "append", rejects="bad", max_rejects=1)
    assert bench.snapshot == before
    assert bench.tables() == ["people"]
    bench.write("people", path, "append", rejects="bad", max_rejects=2)
    assert len(rows(bench, "bad")) == 2


def test_a_clean_import_makes_an_empty_reject_table(bench: lb.Bench, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "name": ["x", None]}), tmp_path / "p.parquet")
    seen: list[tuple[int, int | None]] = []
    bench.write(
        "people", tmp_path / "p.parquet", "append", rejects="bad", progress=lambda *done: seen.append(done)
    )
    assert rows(bench, "bad") == []
    assert seen[-1] == (2, 2)


def test_values_out_of_range_and_nested_nulls_from_memory(bench: lb.Bench) -> None:
    kind = pa.list_(pa.field("item", pa.int64(), nullable=False))
    bench.write("narrow", pa.table({"a": pa.array([1], pa.int8()), "l": pa.array([[1]], kind)}))
    data = pa.table({"a": [1, 300, -5, 7], "l": pa.array([[1], [2], [None], None], pa.list_(pa.int64()))})
    bench.write("narrow", data, "append", rejects="bad")
    assert [row["a"] for row in rows(bench, "narrow")] == [1, 1, 7]
    found = [(row["row"], row["column_name"], row["text"]) for row in rows(bench, "bad")]
    assert sorted(found) == [(2, "a", "300"), (3, "l", "[None]")]


def test_an_import_into_a_new_table_with_a_key(bench: lb.Bench) -> None:
    bench.write("m", pa.table({"k": [1, 1, None], "v": [1, 2, 3]}), primary_key="K", rejects="bad")
    assert rows(bench, "m") == [{"k": 1, "v": 1}]
    assert [row["reason"] for row in rows(bench, "bad")] == [
        "The primary key is in an earlier row of the data.", "The value must not be NULL.",
    ]  # fmt: skip
    bench.write("m", {"k": [5, 5]}, "replace", primary_key="k", rejects="bad")
    assert rows(bench, "m") == [{"k": 5}]


def test_an_import_joins_an_open_transaction(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        assert tx.write("people", {"id": [2, 9]}, "append", rejects="bad") == 1
        assert rows(bench, "bad", "text") == [{"text": "id=2"}]
        tx.rollback()
    assert bench.tables() == ["people"]
    with bench.transaction():
        bench.write("people", {"id": [9]}, "append")
        bench.write("people", {"id": [9, 10]}, "append", rejects="bad")
    assert [row["id"] for row in rows(bench, "people")] == [1, 2, 9, 10]
    assert rows(bench, "bad", "text") == [{"text": "id=9"}]


def test_a_token_names_an_import(bench: lb.Bench) -> None:
    first = bench.write("people", {"id": [2, 3]}, "append", rejects="bad", token="once")
    assert bench.write("people", {"id": [2, 3]}, "append", rejects="bad", token="once").id == first.id
    assert len(rows(bench, "bad")) == 1


def test_what_cannot_be_a_reject_table_is_refused(bench: lb.Bench) -> None:
    bench.write("other", {"a": [1]})
    before = bench.snapshot
    for error, options, told in [
        (CatalogError, {"rejects": "People"}, "cannot be its own reject table"),
        (SchemaError, {"rejects": "other"}, "is no reject table: it has the columns a"),
        (SchemaError, {"rejects": "bad", "max_rejects": -1}, "is no number of rows"),
        (UnsupportedError, {"max_rejects": 1}, "without a reject table"),
        (UnsupportedError, {"options": {"delim": ";"}}, "how files are read"),
    ]:
        with pytest.raises(error, match=told):
            bench.write("people", {"id": [9]}, "append", **options)
    with pytest.raises(SchemaError, match="no column 'extra'"):
        bench.write("people", {"id": [9], "extra": [1]}, "append", rejects="bad")
    assert bench.snapshot == before


def test_without_rejects_the_first_bad_row_is_an_error(bench: lb.Bench, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,name\n3,x\nfoo,q\n")
    before = bench.snapshot
    with pytest.raises(SchemaError, match=r"new\.csv, line 3, column 'id'"):
        bench.write("people", path, "append")
    path.write_text("id,name\n3,x\n2,q\n")
    with pytest.raises(ConstraintError, match="id=2"):
        bench.write("people", path, "append")
    assert bench.snapshot == before


def test_files_are_read_as_the_types_of_the_table(bench: lb.Bench, tmp_path: Path) -> None:
    bench.write("codes", pa.table({"code": ["007"], "n": pa.array([1], pa.int16())}))
    path = tmp_path / "codes.csv"
    path.write_text('n,code\n2,008\n3,\n4,""\n')
    bench.write("codes", path, "append")
    assert rows(bench, "codes") == [
        {"code": "", "n": 4}, {"code": "007", "n": 1}, {"code": "008", "n": 2}, {"code": None, "n": 3},
    ]  # fmt: skip
    path.write_text("n;code\n5;x\n")
    bench.write("codes", path, "append", options={"delim": ";"})
    assert len(rows(bench, "codes")) == 5


def test_an_export_comes_back_exactly(bench: lb.Bench, tmp_path: Path) -> None:
    data = pa.table({"k": [1, 2, 3, 4], "s": ["", None, 'a"b', "x\ny"]})
    bench.write("texts", data)
    for name in ("t.csv", "t.tsv", "t.ndjson", "t.json", "t.parquet", "t.arrows", "t.csv.gz"):
        assert bench.export("texts", tmp_path / name) == 4
        bench.write("back", tmp_path / name, "replace")
        assert rows(bench, "back") == data.to_pylist(), name
        bench.write("back", tmp_path / name, "replace", rejects="bad")
        assert rows(bench, "back") == data.to_pylist(), name
        assert rows(bench, "bad") == []
    assert bench.export("SELECT k FROM texts", tmp_path / "k.csv", delimiter=";", header=False) == 4
    with pytest.raises(CatalogError, match="no table 'text'"):
        bench.export("text", tmp_path / "x.csv")
    with pytest.raises(UnsupportedError, match="2 columns are named"):
        bench.export("SELECT a.k, b.k FROM texts a JOIN texts b USING (k)", tmp_path / "x.parquet")


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.arrows"])
def test_an_export_has_the_types_that_were_written(tmp_path: Path, name: str) -> None:
    count = 5_000
    data = pa.table(
        {
            "few": [f"word {n % 7}" for n in range(count)],
            "large": pa.array([f"w{n % 5}" for n in range(count)], pa.large_string()),
            "code": pa.array([f"c{n % 9}" for n in range(count)]).dictionary_encode(),
            "cost": pa.array([Decimal(n % 1_000) for n in range(count)], pa.decimal128(9, 2)),
            "when": pa.array(range(count), pa.timestamp("s", "Europe/Oslo")),
        }
    )
    with lb.open(tmp_path / "b.luma", inline_bytes=0, shard_rows=1_500, chunk_rows=500) as bench:
        bench.write("t", data)
        bench.export("t", tmp_path / name)
        bench.write("back", tmp_path / name)
        back = bench.table("back").to_arrow()
    found = (
        data
        if name != "t.parquet"
        else data.set_column(4, "when", data.column("when").cast(back.schema.field("when").type))
    )
    assert back.schema.types == found.schema.types
    assert back.to_pylist() == found.to_pylist()


@pytest.mark.parametrize("work", ["export", "import", "write", "check"])
def test_cancel_stops_long_work_and_leaves_nothing(bench: lb.Bench, tmp_path: Path, work: str) -> None:
    bench.write("big", {"a": np.arange(400_000)})
    before = bench.snapshot
    started = threading.Event()

    def progress(done: int, total: int | None) -> None:
        started.set()
        cancelled.wait(10)

    def cancel() -> None:
        started.wait(10)
        assert bench.cancel() >= 1
        cancelled.set()

    cancelled = threading.Event()
    thread = threading.Thread(target=cancel)
    thread.start()
    batches = pa.table({"a": np.arange(300_000)}).to_batches(max_chunksize=50_000)
    stream = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
    works = {
        "export": lambda: bench.export("big", tmp_path / "big.csv", progress=progress),
        "import": lambda: bench.write("more", stream, rejects="bad", progress=progress),
        "write": lambda: bench.write("more", stream, progress=progress),
        "check": lambda: bench.check(progress),
    }
    with pytest.raises(CancelledError):
        works[work]()
    thread.join()
    assert bench.snapshot == before
    assert not (tmp_path / "big.csv").exists()
    assert bench.check().notes == ()


KEYS = st.lists(st.tuples(st.sampled_from([0, 1, 2, None]), st.sampled_from(["a", "b", ""])), max_size=40)


@given(KEYS, st.lists(st.integers(0, 40), max_size=6))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_row_of_a_key_is_taken(keys: list[tuple[Any, str]], cuts: list[int]) -> None:
    data = pa.schema([("n", pa.int64()), ("s", pa.string())])
    columns = (Column(1, "n", pa.int64(), nullable=False), Column(2, "s", pa.string(), nullable=False))
    sieve = Sieve(TableSchema(1, "t", columns, TableSettings(primary_key=("n", "s"))), data, None)
    edges = sorted({0, len(keys), *(cut for cut in cuts if cut < len(keys))})
    taken: list[tuple[Any, str]] = []
    refused: list[int] = []
    for start, stop in pairwise(edges):
        part = pa.RecordBatch.from_pylist([{"n": n, "s": s} for n, s in keys[start:stop]], data)
        batch, late, bad = sieve.split(Portion(part, None, np.arange(start, stop)))
        taken += [(row["n"], row["s"]) for row in batch.to_pylist()]
        refused += [item.rank for item in late]
        assert bad == len(late)
    first = {key: place for place, key in reversed(list(enumerate(keys))) if key[0] is not None}
    assert taken == [keys[place] for place in sorted(first.values())]
    assert sorted(refused) == sorted(set(range(len(keys))) - set(first.values()))


def test_a_damaged_file_fails_the_import(bench: lb.Bench, tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"id": list(range(10, 5_000))}), path)
    path.write_bytes(path.read_bytes()[:2_000])
    before = bench.snapshot
    with pytest.raises(LumaError, match=r"p\.parquet"):
        bench.write("people", path, "append", rejects="bad")
    assert bench.snapshot == before
