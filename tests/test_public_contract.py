"""The public names: they are there, they have these parameters, and the plainest use of each works."""

from __future__ import annotations

import datetime as dt
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import luma_bench as lb

ROWS = pa.table({"id": [1, 2, 3], "k": ["a", "b", None], "x": [1.5, None, 4.0]})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "contract.luma") as opened:
        opened.write("t", ROWS)
        yield opened


def test_module_names() -> None:
    for name in lb.__all__:
        assert getattr(lb, name) is not None, name
    assert lb.__version__.count(".") == 2


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (lb.open, ["path", "mode"]),
        (
            lb.Bench.write,
            ["table", "data", "mode", "primary_key", "sort_by", "time_column", "series_key", "message"],
        ),
        (lb.Bench.kadeql, ["text", "params", "engine", "strict", "at", "cache"]),
        (lb.Bench.table, ["name", "at"]),
        (lb.Bench.at, ["when"]),
        (lb.Bench.tag, ["name", "at"]),
    ],
)
def test_parameters_keep_their_names(function: object, parameters: list[str]) -> None:
    assert callable(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert [name for name in names if name in parameters] == parameters


def test_result_goes_everywhere(bench: lb.Bench) -> None:
    result = bench.kadeql("SELECT k, x FROM t WHERE id > $lo ORDER BY id", params={"lo": 1})
    assert result.schema.names == ["k", "x"]
    assert len(result) == 2
    assert result.to_arrow().to_pydict() == {"k": ["b", None], "x": [None, 4.0]}
    assert isinstance(result.to_pandas(), pd.DataFrame)
    assert isinstance(result.to_polars(), pl.DataFrame)
    assert result.to_reader().read_all().num_rows == 2
    assert pa.table(result).num_rows == 2
    assert pl.DataFrame(result).shape == (2, 2)
    assert isinstance(result.explain(), str)


def test_run_record_has_its_fields(bench: lb.Bench) -> None:
    run = bench.kadeql("SELECT sum(x) AS s FROM t", cache=False).run
    assert isinstance(run, lb.RunRecord)
    assert (run.engine, run.snapshot, run.cached, run.fallbacks, run.recall) == (
        "duckdb",
        bench.snapshot,
        False,
        (),
        None,
    )
    assert run.reason
    assert run.elapsed > 0
    assert 0 < run.rows_read <= 3
    assert isinstance(run.bytes_read, int)
    assert run.segments_read >= 0
    assert run.segments_pruned == 0
    assert isinstance(run.estimates, dict)
    assert isinstance(run.nodes, tuple)


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        ROWS.to_batches()[0],
        ROWS.to_reader(),
        ROWS.to_pandas(),
        pl.from_arrow(ROWS),
        pl.from_arrow(ROWS).lazy(),
        ROWS.to_pydict(),
        ROWS.to_pylist(),
    ],
    ids=["table", "batch", "reader", "pandas", "polars", "lazy", "dict", "rows"],
)
def test_write_takes_what_holds_rows(bench: lb.Bench, data: object) -> None:
    snapshot = bench.write("given", data, mode="create", message="given")
    assert isinstance(snapshot, lb.Snapshot)
    assert snapshot.message == "given"
    assert bench.kadeql("SELECT sum(id) AS s, sum(x) AS x FROM given").to_arrow().to_pylist() == [
        {"s": 6, "x": 5.5}
    ]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "json"])
def test_write_takes_files(bench: lb.Bench, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    match suffix:
        case "parquet":
            pq.write_table(ROWS, path)
        case "csv":
            path.write_text("id,k,x\n1,a,1.5\n2,b,\n3,,4.0\n", "utf-8")
        case "json":
            path.write_text(
                '{"id":1,"k":"a","x":1.5}\n{"id":2,"k":"b","x":null}\n{"id":3,"k":null,"x":4.0}\n', "utf-8"
            )
        case _:
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, ROWS.schema) as writer:
                writer.write_table(ROWS)
    bench.write("given", path)
    assert bench.kadeql("SELECT sum(id) AS s, sum(x) AS x FROM given").to_arrow().to_pylist() == [
        {"s": 6, "x": 5.5}
    ]


def test_history(bench: lb.Bench) -> None:
    before = bench.snapshots()[-1]
    bench.tag("first")
    bench.write("t", {"id": [4], "k": ["d"], "x": [0.0]}, mode="append", message="one more")
    last = bench.snapshots()[-1]
    assert last.id > before.id
    assert (last.message, last.operation) == ("one more", "append")
    assert isinstance(last.time, dt.datetime)
    assert last.author
    count = "SELECT count(*) AS n FROM t"
    for at in (before.id, "first", before.time):
        assert bench.kadeql(count, at=at).to_arrow()["n"].to_pylist() == [3]
        assert bench.at(at).kadeql(count).to_arrow()["n"].to_pylist() == [3]
        assert len(bench.table("t", at=at).to_pandas()) == 3
    assert bench.kadeql("SELECT count(*) AS n FROM t AT (TAG => 'first')").to_arrow()["n"].to_pylist() == [3]
    assert bench.kadeql(f"SELECT count(*) AS n FROM t AT (VERSION => {before.id})").to_arrow()[
        "n"
    ].to_pylist() == [3]
    assert bench.kadeql(count).to_arrow()["n"].to_pylist() == [4]
    assert any("first" in snapshot.tags for snapshot in bench.snapshots())
    assert bench.tables() == ["t"]
    with pytest.raises(lb.errors.ReadOnlyError):
        bench.at("first").write("t", ROWS, mode="append")


def test_frames_and_reports(bench: lb.Bench) -> None:
    frame = bench.table("t")
    assert isinstance(frame, lb.DataFrame)
    assert isinstance(frame["x"], lb.Series)
    assert frame[frame["x"] > 2].to_pandas()["id"].tolist() == [3]
    report = bench.check()
    assert report.ok
    assert list(report.problems) == []
    assert bench.cancel() == 0


def test_several_statements_each_have_a_result(bench: lb.Bench) -> None:
    result = bench.kadeql("SELECT 1 AS a; SELECT 2 AS b")
    assert [found.schema.names for found in result.results] == [["a"], ["b"]]
    assert result.to_arrow().to_pydict() == {"b": [2]}


def test_read_only_and_closed(bench: lb.Bench) -> None:
    with lb.open(bench.path, mode="r") as reader:
        assert reader.tables() == ["t"]
        with pytest.raises(lb.errors.ReadOnlyError):
            reader.write("t", ROWS, mode="append")
    bench.close()
    with pytest.raises(lb.errors.ClosedError):
        bench.kadeql("SELECT 1 AS a")


def test_an_open_bench_that_is_missing_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(lb.errors.CatalogError, match="There is no bench"):
        lb.open(tmp_path / "nothing.luma", mode="r")
    assert not (tmp_path / "nothing.luma").exists()


@pytest.mark.parametrize(
    "module",
    ["pandas", "polars", "zarr", "sqlalchemy", "plotly", "IPython", "pyarrow.dataset", "dask", "duckdb"],
)
def test_the_import_is_light(module: str) -> None:
    code = f"import sys, luma_bench; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, (
        f"import luma_bench loads {module}"
    )


def test_opening_a_bench_loads_neither_the_language_nor_an_engine(bench: lb.Bench) -> None:
    code = """
import sys
import luma_bench
luma_bench.open(sys.argv[1]).tables()
print(*(name for name in sys.modules if name.startswith(("sqlglot", "duckdb", "pandas", "luma_bench.language"))))
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(bench.path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.split() == []


def test_errors_form_one_tree() -> None:
    for name in ("KadeQLError", "ConflictError", "CorruptionError", "UnsupportedError", "CatalogError"):
        assert issubclass(getattr(lb.errors, name), lb.errors.LumaError)
    assert issubclass(lb.errors.KadeQLUnsupportedError, lb.errors.UnsupportedError)
