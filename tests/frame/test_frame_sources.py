"""Frames of data and of files: what they hold, what of a file is read, options, and where they belong."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FLAT, any_twins, same

import luma_bench as lb
from luma_bench.errors import LumaError, SchemaError, UnsupportedError


class Row(NamedTuple):
    x: int
    t: str


WANTED = {"x": [1, 2], "t": ["a", "b"]}
SORTS: dict[str, Any] = {
    "dict": WANTED,
    "arrow": pa.table(WANTED),
    "batch": pa.RecordBatch.from_pydict(WANTED),
    "reader": lambda: pa.table(WANTED).to_reader(),
    "pandas": pd.DataFrame(WANTED),
    "polars": pl.DataFrame(WANTED),
    "lazy": pl.LazyFrame(WANTED),
    "records": [{"x": 1, "t": "a"}, {"t": "b", "x": 2}],
    "named": [Row(1, "a"), Row(2, "b")],
    "numpy": np.array([(1, "a"), (2, "b")], dtype=[("x", "i8"), ("t", "U1")]),
    "mixed": {"x": np.array([1, 2]), "t": pd.Series(["a", "b"], index=[7, 8])},
}


@pytest.mark.parametrize("sort", SORTS)
def test_data_of_every_sort(sort: str) -> None:
    data = SORTS[sort]() if callable(SORTS[sort]) else SORTS[sort]
    frame = lb.DataFrame(data)
    assert frame.to_dict("list") == WANTED
    assert frame[frame.x > 1].t.to_list() == ["b"]


def test_rows_need_names() -> None:
    assert lb.DataFrame([(1, "a"), (2, "b")], columns=["x", "t"]).to_dict("list") == WANTED
    assert lb.DataFrame(np.array([[1, 2], [3, 4]]), columns=["a", "b"]).to_dict("list") == {
        "a": [1, 3],
        "b": [2, 4],
    }
    assert lb.DataFrame([5, 6], columns=["n"]).n.to_list() == [5, 6]
    assert lb.DataFrame(WANTED, columns=["t"]).columns == ["t"]
    assert lb.DataFrame([{"a": 1}, {"b": 2}]).to_dict("list") == {"a": [1, None], "b": [None, 2]}
    assert lb.DataFrame({"x": [1, 2], "y": "same"}).y.to_list() == ["same", "same"]
    assert lb.DataFrame({"x": ["1"]}, dtype="int64").x.to_list() == [1]
    assert lb.DataFrame({"x": []}).empty


@pytest.mark.parametrize(
    ("data", "arguments", "error", "said"),
    [
        ({"x": [1], "y": [1, 2]}, {}, SchemaError, "differ in length"),
        ({"x": 1}, {}, SchemaError, "number of rows"),
        ({1: [1]}, {}, SchemaError, "no name"),
        ([[1, 2]], {}, SchemaError, "no names"),
        ([[1, 2], [3]], {"columns": ["a", "b"]}, SchemaError, "differ in length"),
        ({"x": [1, "a"]}, {}, SchemaError, "no table"),
        ({"x": [1]}, {"columns": ["y"]}, SchemaError, "'y'"),
        (3, {}, UnsupportedError, "int is no table"),
        ("text", {}, UnsupportedError, "str is no table"),
        (None, {}, UnsupportedError, "NoneType"),
        ({"x": [1]}, {"plan": [7]}, UnsupportedError, "no index"),
        ({"x": [1], "X": [2]}, {}, SchemaError, "more than case"),
    ],
)
def test_what_is_no_table(data: Any, arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        lb.DataFrame(data, **arguments)
    assert said in str(caught.value)


def test_an_index_with_a_name_is_a_column() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="k"))
    assert lb.from_pandas(frame).to_dict("list") == {"k": ["a", "b"], "x": [1, 2]}
    assert lb.from_pandas(frame.reset_index(drop=True)).columns == ["x"]
    assert lb.from_pandas(frame["x"]).columns == ["k", "x"]
    assert lb.from_pandas(frame.groupby("x").size().rename("n")).columns == ["x", "n"]


def test_types_stay_without_a_question() -> None:
    table = pa.table({"c": pa.array(["a", "b"]).dictionary_encode(), "n": pa.array([1, 2], pa.int8())})
    frame = lb.from_arrow(table)
    assert frame.to_arrow().schema == table.schema == frame.schema
    assert frame.collect().run.engine == "scan"


@given(twin=any_twins(kinds=tuple(kind for kind in FLAT if kind != "category")))
@settings(deadline=None, max_examples=15)
def test_pandas_comes_back(twin: Any) -> None:
    same(lb.from_pandas(twin.pandas), twin.pandas, ordered=True, missing="exact")


# Files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@given(twin=any_twins(kinds=("int", "text", "finite", "date", "timestamp", "bool", "zoned", "decimal")))
@settings(deadline=None, max_examples=10)
def test_parquet_and_feather_come_back(tmp_path_factory: pytest.TempPathFactory, twin: Any) -> None:
    place = tmp_path_factory.mktemp("files")
    lb.from_arrow(twin.arrow).to_parquet(place / "a.parquet")
    lb.from_arrow(twin.arrow).to_feather(place / "a.feather")
    same(lb.read_parquet(place / "a.parquet"), twin.pandas, missing="exact")
    same(lb.read_feather(place / "a.feather"), twin.pandas, missing="exact")


@given(
    rows=st.lists(
        st.tuples(
            st.integers(-5, 5),
            st.sampled_from(["a", "b,c", 'q"r', "NA", "", "ü"]),
            st.floats(-5, 5, width=16),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(deadline=None, max_examples=15)
def test_csv_is_read_as_pandas_does(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("files") / "a.csv"
    pd.DataFrame(rows, columns=["n", "t", "f"]).to_csv(path, index=False)

    made = lb.read_csv(path, dtype={"t": str, "f": float}).to_arrow().to_pylist()

    expected = pd.read_csv(path, dtype={"t": str, "f": float})
    assert made == [
        {"n": int(row.n), "t": None if pd.isna(row.t) else row.t, "f": float(row.f)}
        for row in expected.itertuples()
    ]


def test_csv_arguments(folder: Path) -> None:
    Path("a.csv").write_text("# said\nx;t;d\n1,5;a;01.02.2024\n-;b;03.02.2024\n")
    frame = lb.read_csv(
        "a.csv", sep=";", decimal=",", skiprows=1, na_values="-", date_format="%d.%m.%Y", parse_dates=["d"]
    )
    assert frame.to_dict("list") == {
        "x": [1.5, None],
        "t": ["a", "b"],
        "d": [dt.datetime(2024, 2, 1), dt.datetime(2024, 2, 3)],
    }
    Path("b.csv").write_text("1,a\n2,b\n3,c\n")
    assert lb.read_csv("b.csv", header=None).columns == ["column0", "column1"]
    assert lb.read_csv("b.csv", names=["x", "t"]).t.to_list() == ["a", "b", "c"]
    assert lb.read_csv("b.csv", names=["x", "t"], header=0).t.to_list() == ["b", "c"]
    assert lb.read_csv("b.csv", names=["x", "t"], usecols=["t"], nrows=2).to_dict("list") == {"t": ["a", "b"]}
    assert lb.read_csv("b.csv", names=["x", "t"], usecols=[0]).columns == ["x"]
    assert lb.read_csv("b.csv", names=["x", "t"], usecols=lambda name: name == "x").columns == ["x"]
    assert lb.read_csv("b.csv", names=["x", "t"], dtype=str).x.to_list() == ["1", "2", "3"]
    assert lb.read_csv("b.csv", names=["x", "t"], dtype={"x": "float32"}).dtypes["x"] == pa.float32()
    assert lb.read_csv("b.csv", header=1).columns == ["2", "b"]
    with gzip.open("c.csv.gz", "wt") as file:
        file.write("x\n1\n")
    assert lb.read_csv("c.csv.gz").x.to_list() == [1]
    Path("d.tsv").write_text("x\tt\n1\ta\n")
    assert lb.read_table("d.tsv").to_dict("list") == {"x": [1], "t": ["a"]}
    Path("e.txt").write_text("x|t\n1|NA\n")
    assert lb.read_csv("e.txt", sep=None, keep_default_na=False).to_dict("list") == {"x": [1], "t": ["NA"]}


def test_names_are_names_though_all_is_text(folder: Path) -> None:
    Path("a.csv").write_text("a,b\nc,d\n")
    assert lb.read_csv("a.csv").to_dict("list") == {"a": ["c"], "b": ["d"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"index_col": 0}, "no index"),
        ({"chunksize": 5}, "iter_batches"),
        ({"on_bad_lines": "skip"}, "rejects"),
        ({"converters": {}}, "assign"),
        ({"sep": r"\s+"}, "separator"),
        ({"header": [0, 1]}, "no line"),
        ({"skiprows": [1]}, "number of lines"),
        ({"na_values": {"x": ["-"]}}, "by column"),
        ({"parse_dates": "x"}, "list of columns"),
        ({"parse_dates": ["nope"]}, "nope"),
        ({"usecols": ["nope"]}, "nope"),
        ({"usecols": [9]}, "have 1 columns"),
        ({"compression": "bz2"}, "bz2"),
        ({"dialect": "excel"}, "dialect"),
        ({"dtype": {"x": "complex"}}, "complex"),
    ],
)
def test_csv_arguments_that_are_refused(folder: Path, arguments: dict[str, Any], said: str) -> None:
    Path("a.csv").write_text("x\n1\n")
    with pytest.raises(LumaError) as caught:
        lb.read_csv("a.csv", **arguments)
    assert said in str(caught.value)


def test_json(folder: Path) -> None:
    Path("a.json").write_text('[{"x": 1, "t": {"a": [1]}}, {"x": 2}]')
    assert lb.read_json("a.json").to_dict("list") == {"x": [1, 2], "t": [{"a": [1]}, None]}
    Path("a.ndjson").write_text('{"x": 1}\n{"x": 2}\n')
    assert lb.read_json("a.ndjson", nrows=1).x.to_list() == [1]
    assert lb.read_json("a.ndjson", dtype={"x": "str"}).x.to_list() == ["1", "2"]
    Path("b.json").write_text('{"x": {"0": 1, "1": 2}}')
    with pytest.raises(LumaError):
        lb.read_json("b.json")
    with pytest.raises(UnsupportedError, match="orient"):
        lb.read_json("a.json", orient="split")


def test_lines_of_other_lengths_are_not_left_out(folder: Path) -> None:
    Path("ragged.csv").write_text("a,b\n1,2\n3,4\n5,6,7\n")
    with pytest.raises(LumaError, match="ragged"):
        lb.read_csv("ragged.csv").to_arrow()


def test_globs_lists_and_what_is_not_there(folder: Path) -> None:
    for number in (1, 2):
        lb.from_dict({"x": [number], "k": "a"}).to_parquet(f"p{number}.parquet")
    assert sorted(lb.read_parquet("p*.parquet").x.to_list()) == [1, 2]
    assert lb.read_parquet([Path("p2.parquet"), "p1.parquet"], columns=["x"]).to_dict("list") == {"x": [2, 1]}
    named = lb.read_parquet("p*.parquet", filename="file")
    assert named.file.str.endswith(".parquet").all()
    lb.from_dict({"y": [3]}).to_parquet("q.parquet")
    assert lb.read_parquet(["p1.parquet", "q.parquet"], union_by_name=True).y.to_list() == [None, 3]
    with pytest.raises(LumaError, match="no file"):
        lb.read_parquet("nope.parquet")
    with pytest.raises(LumaError, match="No file was given"):
        lb.read_parquet([])
    with pytest.raises(UnsupportedError, match="no path"):
        lb.read_csv(io.BytesIO(b"x"))
    with pytest.raises(UnsupportedError, match="filters"):
        lb.read_parquet("p1.parquet", filters=[("x", "=", 1)])


def test_only_what_is_asked_for_is_in_the_text(folder: Path) -> None:
    lb.from_dict({"x": [1, 2], "t": ["a", "b"]}).to_parquet("a.parquet")
    frame = lb.read_parquet("a.parquet")
    text = frame[frame.x > 1][["t"]].kadeql
    assert text.splitlines()[0] == "SELECT t"
    assert text.splitlines()[-1] == "WHERE x > 1"
    assert frame.t.shift(1).to_list() == [None, "a"]  # the order of a file is one


def test_a_file_may_change(folder: Path) -> None:
    Path("a.csv").write_text("x\n1\n")
    frame = lb.read_csv("a.csv")
    Path("a.csv").write_text("x\n1\n2\n")
    assert frame.x.sum() == 3


# Where they belong


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("benches") / "one.luma") as opened:
        opened.write("t", {"k": [1, 2, 3], "x": ["a", "b", "c"]})
        yield opened


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("benches") / "two.luma") as opened:
        opened.write("t", {"k": [2, 3], "y": [20, 30]})
        yield opened


def test_data_meets_tables_from_either_side(bench: lb.Bench) -> None:
    table, data = bench.table("t"), lb.DataFrame({"k": [3, 4], "z": [1.5, 2.5]})
    assert table.merge(data, on="k").z.to_list() == [1.5]
    assert data.merge(table, on="k").x.to_list() == ["c"]
    assert lb.concat([data[["k"]], table[["k"]]]).k.to_list() == [3, 4, 1, 2, 3]
    assert lb.concat([data[["k"]], data[["k"]], table[["k"]]]).k.sum() == 20
    assert lb.merge_asof(data, table, on="k").sort_values("k").x.to_list() == ["c", "c"]
    made = data.merge(table, on="k").persist("met", mode="replace")
    assert bench.table("met").to_dict("list") == made.to_dict("list") == {"k": [3], "z": [1.5], "x": ["c"]}


def test_frames_of_two_benches_do_not_meet(bench: lb.Bench, second: lb.Bench) -> None:
    one, two, data = bench.table("t"), second.table("t"), lb.DataFrame({"k": [1]})
    for together in (
        lambda: one.merge(two, on="k"),
        lambda: lb.concat([one, two]),
        lambda: lb.concat([data, one[["k"]], data, two[["k"]]]),
        lambda: data.merge(one, on="k").merge(two, on="k"),
        lambda: lb.merge_asof(one, two, on="k"),
        lambda: one.assign(y=two.y),
        lambda: one[two.y > 1],
        lambda: one.k + two.k,
    ):
        with pytest.raises(UnsupportedError):
            together()
    assert one.merge(two.to_arrow(), on="k").sort_values("k").y.to_list() == [20, 30]


def test_a_bench_reads_the_files_that_it_may(bench: lb.Bench, folder: Path) -> None:
    Path("a.csv").write_text("k,z\n1,5\n")
    with pytest.raises(UnsupportedError, match="outside of what statements may read"):
        lb.read_csv("a.csv", bench=bench)
    with pytest.raises(UnsupportedError, match="outside of what statements may read"):
        bench.table("t").merge(lb.read_csv("a.csv"), on="k").to_arrow()
    with lb.open(folder / "open.luma", files=(str(folder),)) as allowed:
        allowed.write("t", {"k": [1]})
        assert lb.read_csv("a.csv", bench=allowed).z.to_list() == [5]
        assert allowed.table("t").merge(lb.read_csv("a.csv"), on="k").z.to_list() == [5]
        assert lb.from_dict({"x": [1]}, bench=allowed).persist("kept").x.to_list() == [1]
        assert allowed.tables() == ["kept", "t"]


def test_only_files_that_were_named_are_read(folder: Path) -> None:
    Path("a.csv").write_text("x\n1\n")
    Path("b.csv").write_text("x\n1\n")
    frame = lb.read_csv("a.csv")
    with pytest.raises(LumaError, match="outside of what statements may read"):
        frame.executor.execute(f"FROM read_csv('{folder / 'b.csv'}')")


def test_a_frame_of_data_has_nowhere_to_be_stored() -> None:
    with pytest.raises(UnsupportedError, match="belongs to no bench"):
        lb.DataFrame({"x": [1]}).persist("t")
    with pytest.raises(LumaError, match="no table 'u'"):
        lb.DataFrame.scan(lb.DataFrame({"x": [1]}).executor, "u")


_ALONE = """
import luma_bench as lb
frame = lb.DataFrame({"x": [1, 2]})
assert frame.x.sum() == 3
"""
_FORKED = (
    _ALONE
    + """
import os
child = os.fork()
if child == 0:
    os._exit((frame.x + 1).sum())
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
assert (frame.x * 2).sum() == 6
"""
)


@pytest.mark.parametrize(("text", "left"), [(_ALONE, 0), (_FORKED, 1)], ids=["alone", "forked"])
def test_the_place_of_loose_frames_goes_with_the_process(tmp_path: Path, text: str, left: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", text],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    # What ends without its ways out, as os._exit does, leaves its own.
    assert len(list(tmp_path.glob("luma-loose-*"))) == left


def test_a_frame_of_files_stands_in_a_statement(bench: lb.Bench, folder: Path) -> None:
    Path("a.csv").write_text("k,z\n1,5\n")
    made = bench.kadeql("SELECT z, x FROM f JOIN t USING (k)", tables={"f": lb.read_csv("a.csv")})
    assert made.to_arrow().to_pylist() == [{"z": 5, "x": "a"}]
    assert bench.kadeql("SELECT x FROM f", tables={"f": lb.DataFrame({"x": [1]})}).to_arrow().to_pylist() == [
        {"x": 1}
    ]
    read = lb.read_sql("SELECT * FROM t WHERE k > $k ORDER BY k DESC", bench, params={"k": 1})
    assert read.x.shift(1).to_list() == [None, "c"]
    assert lb.read_sql("t", bench).x.to_list() == ["a", "b", "c"]
    assert lb.DataFrame({"x": [1, 2]}).to_sql("few", bench) == 2
    with pytest.raises(UnsupportedError, match="works on a bench"):
        lb.read_sql("SELECT 1", 3)
