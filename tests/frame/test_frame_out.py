"""Ways out of frames and Series: values, batches, files, text, tables; and what a stored frame is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FLAT, any_twins
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import (
    CatalogError,
    ClosedError,
    LumaError,
    ReadOnlyError,
    SchemaError,
    TransactionError,
    UnsupportedError,
)

KINDS = tuple(kind for kind in FLAT if kind not in ("category", "nanoseconds", "duration"))


@given(
    twin=any_twins(kinds=KINDS),
    orient=st.sampled_from(["dict", "list", "split", "tight", "records", "index"]),
)
@settings(deadline=None, max_examples=25)
def test_to_dict_is_pandas(twin: Any, orient: str) -> None:
    expected = plain(twin.arrow.to_pandas(types_mapper=pd.ArrowDtype).to_dict(orient))
    assert repr(plain(twin.frame.to_dict(orient))) == repr(expected)


def plain(value: Any) -> Any:
    """pandas' NA and moments as Python's."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        moment = value.to_pydatetime()
        return moment if moment.tzinfo is None else moment.timestamp()
    if getattr(value, "tzinfo", None) is not None:
        return value.timestamp()
    return value.item() if isinstance(value, np.generic) else value


@given(twin=any_twins(kinds=KINDS), rows=st.integers(1, 5))
@settings(deadline=None, max_examples=20)
def test_batches_tuples_and_rows(twin: Any, rows: int) -> None:
    batches = list(twin.frame.iter_batches(rows))
    assert [batch.num_rows for batch in batches[:-1]] == [rows] * (len(batches) - 1)
    assert sum(batch.num_rows for batch in batches) == twin.arrow.num_rows
    wanted = repr(list(zip(*twin.arrow.to_pydict().values(), strict=True)))
    assert repr(list(twin.frame.itertuples(name=None))) == wanted
    assert repr([tuple(row) for row in twin.frame.itertuples()]) == wanted
    assert repr([tuple(row.values()) for _, row in twin.frame.iterrows()]) == wanted
    assert repr([[item for _, item in column.items()] for _, column in twin.frame.items()]) == repr(
        list(twin.arrow.to_pydict().values())
    )


@given(twin=any_twins(kinds=KINDS), other=any_twins(kinds=KINDS))
@settings(deadline=None, max_examples=20)
def test_equals(twin: Any, other: Any) -> None:
    assert twin.frame.equals(twin.frame)
    name = twin.arrow.column_names[0]
    assert twin.frame[name].equals(lb.from_arrow(twin.arrow)[name]) or pa.types.is_timestamp(
        twin.arrow.schema[0].type
    )
    same = twin.arrow.schema == other.arrow.schema and repr(twin.arrow.to_pydict()) == repr(
        other.arrow.to_pydict()
    )
    assert twin.frame.equals(other.frame) in (same, True)
    if twin.arrow.num_rows != other.arrow.num_rows or twin.arrow.schema != other.arrow.schema:
        assert not twin.frame.equals(other.frame)


def test_equals_tells_null_from_nan() -> None:
    one = lb.from_arrow(pa.table({"x": [float("nan"), None, 0.0]}))
    assert one.equals(lb.from_arrow(pa.table({"x": [float("nan"), None, -0.0]})))
    assert not one.equals(lb.from_arrow(pa.table({"x": [None, float("nan"), 0.0]})))
    assert not one.equals(one.rename(columns={"x": "y"}))
    assert not one.equals(one.astype({"x": "float32"}))
    assert not one.equals(1)
    nested = lb.from_arrow(pa.table({"x": [[float("nan")], None]}))
    assert nested.equals(lb.from_arrow(pa.table({"x": [[float("nan")], None]})))


def test_arrays_and_records() -> None:
    frame = lb.DataFrame({"x": [1, 2], "y": [1.5, None]})
    assert frame.to_numpy(dtype=float, na_value=0.0).tolist() == [[1.0, 1.5], [2.0, 0.0]]
    assert np.asarray(frame[["x"]]).tolist() == frame[["x"]].values.tolist() == [[1], [2]]
    assert frame[["x"]].to_records().x.tolist() == [1, 2]
    assert (frame.size, frame.ndim, frame.shape, frame.x.size, frame.x.ndim, frame.x.shape) == (
        4,
        2,
        (2, 2),
        2,
        1,
        (2,),
    )
    assert pa.chunked_array(frame.x).to_pylist() == [1, 2]
    assert frame.x.to_numpy(dtype=float).tolist() == [1.0, 2.0]
    assert frame.x.to_dict() == {0: 1, 1: 2}
    assert not frame.x.empty
    assert frame[frame.x > 5].x.empty


def test_one_value() -> None:
    frame = lb.DataFrame({"x": [7]})
    assert frame.squeeze() == frame.x.squeeze() == frame.x.item() == 7
    assert frame.squeeze(axis=1).to_list() == [7]
    two = lb.DataFrame({"x": [7, 8], "y": [1, 2]})
    assert two.squeeze() is two
    assert two.x.squeeze().to_list() == [7, 8]
    for wrong in (two.x, two[two.x > 9].x):
        with pytest.raises(SchemaError, match="one value"):
            wrong.item()


def test_pipe_and_copy() -> None:
    frame = lb.DataFrame({"x": [1, 2]})
    assert frame.pipe(lambda given, n: given.head(n), 1).x.to_list() == [1]
    assert frame.pipe((lambda n, data: data.tail(n), "data"), 1).x.to_list() == [2]
    assert frame.x.pipe((lambda n, data: data + n, "data"), 1).to_list() == [2, 3]
    assert frame.copy() is frame
    with pytest.raises(UnsupportedError, match="twice"):
        frame.pipe((lambda data: data, "data"), data=1)


def test_text() -> None:
    frame = lb.DataFrame({"n": [1, 20], "t": ["a|b", None]})
    assert frame.to_markdown() == "|  n | t    |\n| -: | :--- |\n|  1 | a\\|b |\n| 20 |      |"
    assert frame.to_string() == frame.to_pandas().to_string(index=False)
    assert frame.to_html(columns=["n"]) == frame.to_pandas()[["n"]].to_html(index=False)
    held = io.StringIO()
    assert frame.to_markdown(held) is None
    assert held.getvalue() == frame.to_markdown()
    said = io.StringIO()
    frame.info(buf=said, memory_usage=True)
    assert said.getvalue().splitlines() == [
        "lb.DataFrame, 2 rows \u00d7 2 columns",
        " #  Column  Non-Null Count  Dtype",
        " 0  n       2 non-null      int64",
        " 1  t       1 non-null      string",
        f"memory usage: {frame.to_arrow().nbytes} bytes",
    ]
    short = io.StringIO()
    frame.info(buf=short, verbose=False)
    assert len(short.getvalue().splitlines()) == 1
    assert frame.memory_usage()["n"] == frame.n.nbytes == 16
    for refused in (
        frame.to_string,
        frame.to_markdown,
        frame.to_csv,
        frame.to_records,
        frame.memory_usage,
        frame.to_json,
    ):
        with pytest.raises(UnsupportedError, match="no index"):
            refused(index=True)


@given(twin=any_twins(kinds=("int", "text", "finite", "bool", "date")))
@settings(deadline=None, max_examples=drawn(15))
def test_csv_and_json_say_the_same(twin: Any) -> None:
    text = twin.frame.to_csv()
    assert text is not None
    read = list(csv.reader(io.StringIO(text, newline="")))
    names = twin.arrow.column_names
    assert read[0] == names
    assert len(read) == twin.arrow.num_rows + 1 or len(names) == 1
    made = twin.frame.to_json()
    assert made is not None
    assert [list(row) for row in json.loads(made)] == [names] * twin.arrow.num_rows
    lines = twin.frame.to_json(lines=True)
    assert lines is not None
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(made)


def test_csv_arguments(tmp_path: Path) -> None:
    frame = lb.DataFrame({"x": [1, None], "t": ["a;b", ""]})
    assert frame.to_csv(sep=";", na_rep="-", header=["n", "s"]) == 'n;s\n1;"a;b"\n-;\n'
    assert frame.to_csv(columns=["t"], header=False, quoting=csv.QUOTE_ALL) == '"a;b"\n""\n'
    held = io.StringIO()
    assert frame.x.to_csv(held) is None
    assert held.getvalue() == frame.x.to_csv() == "x\n1\n\n"
    raw = io.BytesIO()
    frame.to_parquet(raw)
    assert pa.parquet.read_table(io.BytesIO(raw.getvalue())).to_pydict() == {"x": [1, None], "t": ["a;b", ""]}
    assert frame.to_parquet() == frame.to_parquet(None)
    frame.to_csv(tmp_path / "a.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    for arguments in ({"mode": "a"}, {"encoding": "latin-1"}, {"quoting": 3}, {"header": ["x"]}):
        with pytest.raises(UnsupportedError):
            frame.to_csv(**arguments)
    with pytest.raises(UnsupportedError, match="labels"):
        frame.to_json(orient="columns")
    with pytest.raises(UnsupportedError, match="no file"):
        frame.to_csv(3)
    with pytest.raises(LumaError, match="cannot be written"):
        frame.to_csv(tmp_path / "none" / "a.csv")


# On a bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write(
            "t",
            pa.table(
                {"n": pa.array(range(10), pa.int16()), "c": pa.array(list("ab") * 5).dictionary_encode()}
            ),
        )
        yield opened


def test_persist_is_one_commit(bench: lb.Bench) -> None:
    frame = bench.table("t")
    before = bench.snapshot
    made = frame[frame.n > 6].persist("late", message="for later", primary_key="n")
    assert bench.snapshot == before + 1
    assert bench.snapshots()[-1].message == "for later"
    assert made.n.to_list() == bench.table("late").n.to_list() == [7, 8, 9]
    assert bench.get("late", 8) == {"n": 8, "c": "a"}
    with pytest.raises(CatalogError, match="late"):
        frame.persist("late")
    with pytest.raises(UnsupportedError, match="mode='fail'"):
        frame.persist("late", mode="fail")
    assert len(frame[frame.n < 2].persist("late", mode="append")) == 5
    assert len(frame[frame.n < 2].persist("late", mode="replace")) == 2
    assert made.n.to_list() == [7, 8, 9]  # the frame is of the snapshot that it made


def test_persist_replaces_what_it_reads(bench: lb.Bench) -> None:
    frame = bench.table("t")
    assert frame[frame.n > 7].persist("t", mode="replace").n.to_list() == [8, 9]
    assert len(frame) == 10
    assert len(bench.table("t")) == 2


def test_a_bench_that_only_reads_stores_nothing(bench: lb.Bench) -> None:
    first = bench.snapshot
    bench.write("u", {"x": [1]})
    with pytest.raises(ReadOnlyError):
        bench.at(first).table("t").persist("copy")
    with lb.open(bench.path, mode="r") as reader, pytest.raises(ReadOnlyError):
        reader.table("t").persist("copy")
    assert bench.tables() == ["t", "u"]


def test_persist_joins_the_transaction(bench: lb.Bench) -> None:
    with bench.transaction(message="both") as tx:
        frame = bench.table("t")
        inside = frame[frame.n > 8].persist("last")
        assert inside.n.to_list() == [9]
        tx.write("more", {"x": [1]})
    assert bench.tables() == ["last", "more", "t"]
    assert bench.snapshots()[-1].message == "both"
    with pytest.raises(TransactionError):
        inside.to_arrow()


def test_streams(bench: lb.Bench) -> None:
    frame = bench.table("t")
    reader = frame.to_reader()
    assert reader.schema == frame.schema
    assert reader.read_all().equals(frame.to_arrow())
    assert frame[["c"]].to_reader().schema == frame[["c"]].schema
    assert frame[frame.n > 7].to_reader().read_all().column("n").to_pylist() == [8, 9]
    bench.write("big", {"x": range(300_000)})
    big = bench.table("big")
    started = big[big.x >= 0].to_reader()
    assert started.read_next_batch().num_rows < 300_000
    del started


def test_a_frame_stays_at_its_snapshot(bench: lb.Bench) -> None:
    frame = bench.table("t")
    late = frame[frame.n > 7]
    bench.kadeql("DELETE FROM t WHERE n = 9")
    bench.write("t", {"n": [99], "c": ["z"]}, mode="append")
    bench.kadeql("ALTER TABLE t RENAME COLUMN n TO number")
    assert late.n.to_list() == [8, 9]
    assert len(frame) == 10
    assert frame.merge(late, on="n").n.sort_values().to_list() == [8, 9]
    now = bench.table("t")
    assert now[now.number > 7].number.to_list() == [8, 99]
    with pytest.raises(UnsupportedError, match="snapshots"):
        frame.merge(now, left_on="n", right_on="number")
    bench.kadeql("DROP TABLE t")
    assert late.n.sum() == 17


def test_a_frame_of_a_closed_bench_says_so(tmp_path: Path) -> None:
    with lb.open(tmp_path / "c.luma") as closing:
        closing.write("t", {"x": [1, 2]})
        frame = closing.table("t")
    for use in (
        frame.to_arrow, frame[frame.x > 1].to_arrow, lambda: len(frame[frame.x > 1]), frame.to_reader,
        frame[frame.x > 1].to_reader, lambda: frame.persist("u"), lambda: (frame.x + 1).dtype,
        frame[frame.x > 1].explain, lambda: lb.DataFrame({"x": [1]}).merge(frame).to_arrow(),
    ):  # fmt: skip
        with pytest.raises(ClosedError):
            use()
