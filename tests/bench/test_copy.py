"""COPY: files into tables and out of them, as DuckDB copies, in one commit or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import luma_bench as lb
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLConstraintError,
    KadeQLError,
    KadeQLSyntaxError,
    KadeQLUnsupportedError,
    LumaError,
    ReadOnlyError,
)

ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int32()),
        "s": ["plain", "", None],
        "x": pa.array([1.5, None, -0.25], pa.float64()),
    }
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[lb.Bench]:
    monkeypatch.chdir(tmp_path)
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.write("t", ROWS)
        yield opened


def rows(bench: lb.Bench, table: str) -> list[tuple[Any, ...]]:
    found = bench.kadeql(f"FROM {table} ORDER BY ALL").to_arrow()
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


FILES = [
    "o.parquet",
    "o.csv",
    "o.csv.gz",
    "o.tsv",
    "o.json",
    "o.ndjson",
    "o.json.gz",
    "o.arrow",
    "o.arrows",
    "o.feather",
    "o.dat",
]


@pytest.mark.parametrize("name", FILES)
def test_what_is_copied_out_comes_back(bench: lb.Bench, name: str):
    done = bench.kadeql(f"COPY t TO '{name}'").to_arrow().to_pylist()
    assert done == [{"operation": "copy", "rows": 3, "snapshot": 2}]
    bench.kadeql("CREATE TABLE u (id INTEGER, s VARCHAR, x DOUBLE)")
    made = bench.kadeql(f"COPY u FROM '{name}'").to_arrow().to_pylist()
    assert made == [{"operation": "append", "rows": 3, "snapshot": bench.snapshot}]
    assert rows(bench, "u") == rows(bench, "t")


IN = [
    ("1;a\n2;b\n", "(DELIMITER ';', HEADER false)"),
    ("k;v\n1;a\n2;b\n", "(DELIM ';', HEADER)"),
    ("k|v\n1|NA\n2|b\n", "(SEP '|', HEADER true, NULL 'NA')"),
    ("# head\nk,v\n1,a\n", "(SKIP 1)"),
    ("k,v\n1,'a,b'\n", "(QUOTE '''', HEADER)"),
    ("k,v\n1,a\n# note\n2,b\n", "(COMMENT '#', DELIMITER ',', HEADER, AUTO_DETECT false)"),
    ("k,v\n1,a\nbroken,b\n3,c\n", "(HEADER, IGNORE_ERRORS true)"),
    ("k,v\n1\n2,b\n3,c\n", "(HEADER, NULL_PADDING true, DELIMITER ',', AUTO_DETECT false)"),
    ("k,v\n1,\n2,b\n", "(HEADER, FORCE_NOT_NULL (v))"),
    ("1,a\n2,b\n", "(AUTO_DETECT false)"),
    ("v,k\n1,a\n2,b\n", ""),
]


@pytest.mark.parametrize(("content", "options"), IN)
def test_csv_goes_by_position_and_options_mean_what_they_mean_to_duckdb(
    bench: lb.Bench, tmp_path: Path, content: str, options: str
):
    (tmp_path / "in.csv").write_text(content)
    peer = duckdb.connect()
    peer.execute("CREATE TABLE u (k INTEGER, v VARCHAR)")
    peer.execute(f"COPY u FROM 'in.csv' {options}")
    bench.kadeql("CREATE TABLE u (k INTEGER, v VARCHAR)")
    bench.kadeql(f"COPY u FROM 'in.csv' {options}")
    assert rows(bench, "u") == peer.execute("FROM u ORDER BY ALL").fetchall()


def test_quoted_empty_text_is_no_null_unless_numbers_are_quoted_so(bench: lb.Bench, tmp_path: Path):
    bench.kadeql("CREATE TABLE u (k INTEGER, v VARCHAR)")
    (tmp_path / "apart.csv").write_text('k,v\n1,""\n2,\n')
    bench.kadeql("COPY u FROM 'apart.csv'")
    assert rows(bench, "u") == [(1, ""), (2, None)]
    (tmp_path / "all.csv").write_text('k,v\n"3",""\n"",""\n')
    bench.kadeql("TRUNCATE u")
    bench.kadeql("COPY u FROM 'all.csv'")
    assert rows(bench, "u") == [(3, None), (None, None)]


def test_columns_that_are_named_are_filled_and_others_get_their_default(bench: lb.Bench, tmp_path: Path):
    (tmp_path / "in.csv").write_text("a,1\nb,2\n")
    bench.kadeql("CREATE TABLE u (k INTEGER, v VARCHAR, w INTEGER DEFAULT 7)")
    bench.kadeql("COPY u (v, k) FROM 'in.csv' (HEADER false)")
    assert rows(bench, "u") == [(1, "a", 7), (2, "b", 7)]


def test_parquet_goes_by_position_and_is_cast(bench: lb.Bench, tmp_path: Path):
    pq.write_table(pa.table({"p": [1, 2], "q": ["2024-01-31", "2024-02-29"]}), tmp_path / "in.parquet")
    bench.kadeql("CREATE TABLE u (k SMALLINT, d DATE)")
    bench.kadeql("COPY u FROM 'in.parquet'")
    assert [str(day) for _, day in rows(bench, "u")] == ["2024-01-31", "2024-02-29"]
    with pytest.raises(KadeQLBindError, match="2 columns, and COPY fills 1"):
        bench.kadeql("COPY u (k) FROM 'in.parquet'")


def test_json_goes_by_name(bench: lb.Bench, tmp_path: Path):
    (tmp_path / "in.json").write_text('[{"d": "2024-01-31", "k": 1, "more": true}, {"k": 2}]')
    bench.kadeql("CREATE TABLE u (k SMALLINT, d DATE)")
    bench.kadeql("COPY u FROM 'in.json' (ARRAY true)")
    assert [(k, d and d.isoformat()) for k, d in rows(bench, "u")] == [(1, "2024-01-31"), (2, None)]


def test_a_glob_is_one_commit(bench: lb.Bench, tmp_path: Path):
    for part in range(3):
        (tmp_path / f"p{part}.csv").write_text(f"k,v\n{part},x\n")
    bench.kadeql("CREATE TABLE u (k INTEGER, v VARCHAR)")
    before = bench.snapshot
    bench.kadeql("COPY u FROM 'p*.csv'")
    assert bench.snapshot == before + 1
    assert [k for k, _ in rows(bench, "u")] == [0, 1, 2]


def test_in_a_transaction_rows_are_staged(bench: lb.Bench):
    bench.kadeql("COPY t TO 'o.csv'; CREATE TABLE u (id INTEGER, s VARCHAR, x DOUBLE)")
    before = bench.snapshot
    bench.kadeql("BEGIN; COPY u FROM 'o.csv'; COPY u FROM 'o.csv'")
    assert bench.kadeql("SELECT count(*) AS n FROM u").to_arrow()["n"].to_pylist() == [6]
    bench.kadeql("COPY u TO 'inside.csv'; ROLLBACK")
    assert bench.snapshot == before
    assert rows(bench, "u") == []
    assert len(Path("inside.csv").read_text().splitlines()) == 7


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        ("k,v\n1,a\nx,b\n", KadeQLError, r"in\.csv, line 3, column 'k'"),
        ("k,v\n1,a\n1,b\n", KadeQLConstraintError, "primary key"),
        ("k,v\n1,a\n,b\n", LumaError, "'k'"),
        ("k,v\n1,a\n5,b\n", KadeQLConstraintError, "primary key"),
    ],
)
def test_a_wrong_row_leaves_nothing(
    bench: lb.Bench, tmp_path: Path, content: str, kind: type[Exception], told: str
):
    (tmp_path / "in.csv").write_text(content)
    bench.kadeql("CREATE TABLE u (k INTEGER PRIMARY KEY, v VARCHAR)")
    bench.kadeql("INSERT INTO u VALUES (5, 'first')")
    before = bench.snapshot
    with pytest.raises(kind, match=told):
        bench.kadeql("COPY u FROM 'in.csv' (HEADER)")
    assert bench.snapshot == before
    assert rows(bench, "u") == [(5, "first")]
    assert bench.check().ok


OUT = [
    ("o.csv", "(HEADER false, DELIMITER '|', NULL 'NA')", "1|plain|1.5\n2||NA\n3|NA|-0.25\n"),
    ("o.csv", "(FORCE_QUOTE (s), QUOTE '''', ESCAPE '''', HEADER false)", "1,'plain',1.5\n2,'',\n3,,-0.25\n"),
    ("o.csv", "(FORCE_QUOTE *, HEADER false)", '"1","plain","1.5"\n"2","",\n"3",,"-0.25"\n'),
    ("o.json", "", '{"id":1,"s":"plain","x":1.5}\n{"id":2,"s":"","x":null}\n{"id":3,"s":null,"x":-0.25}\n'),
]


@pytest.mark.parametrize(("name", "options", "expected"), OUT)
def test_options_of_writing(bench: lb.Bench, name: str, options: str, expected: str):
    bench.kadeql(f"COPY t TO '{name}' {options}")
    assert Path(name).read_text() == expected
    peer = duckdb.connect()
    peer.register("t", ROWS)
    peer.execute(f"COPY t TO 'peer_{name}' {options}")
    if "||" not in expected:
        assert Path(f"peer_{name}").read_text() == expected


def test_a_query_a_past_table_and_some_columns_are_written(bench: lb.Bench):
    past = bench.snapshot
    bench.kadeql("DELETE FROM t WHERE id = 1")
    bench.kadeql(f"COPY t AT (VERSION => {past}) TO 'past.csv'; COPY t (x, id) TO 'some.csv'")
    bench.kadeql(
        "COPY (SELECT id * $n AS d FROM t ORDER BY id) TO $file (ARRAY true)",
        params={"n": 2, "file": Path("q.json")},
    )
    assert len(Path("past.csv").read_text().splitlines()) == 4
    assert Path("some.csv").read_text().splitlines()[0] == "x,id"
    assert json.loads(Path("q.json").read_text()) == [{"d": 4}, {"d": 6}]


def test_parquet_options(bench: lb.Bench):
    bench.kadeql(
        "COPY (FROM range(5000)) TO 'o.parquet' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 2048)"
    )
    meta = pq.read_metadata("o.parquet")
    assert meta.num_row_groups == 3
    assert meta.row_group(0).column(0).compression == "SNAPPY"


def test_a_reader_may_copy_out_and_not_in(bench: lb.Bench, tmp_path: Path):
    past = bench.at(bench.snapshot)
    past.kadeql("COPY t TO 'past.csv'")
    with pytest.raises(ReadOnlyError):
        past.kadeql("COPY t FROM 'past.csv'")
    with lb.open(tmp_path / "b.luma", mode="r") as reader:
        reader.kadeql("COPY t TO 'reader.csv'")
    assert Path("reader.csv").read_text() == Path("past.csv").read_text()


WRITES_REFUSED = [
    "../out.csv",
    "/etc/out.csv",
    "b.luma/out.csv",
    "b.luma/catalog.sqlite",
    "folder",
    "pipe.csv",
    "link.csv",
    "folder_link/out.csv",
    "s3://bucket/out.csv",
    "",
]


@pytest.mark.parametrize("name", WRITES_REFUSED)
def test_files_are_written_below_the_allowed_folders_alone(bench: lb.Bench, tmp_path: Path, name: str):
    import os

    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder_link").symlink_to(outside)
    (tmp_path / "link.csv").symlink_to(outside / "target.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with pytest.raises(KadeQLUnsupportedError) as caught:
        bench.kadeql(f"COPY t TO '{name}'")
    assert caught.value.span is not None
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    assert list(outside.iterdir()) == []
    assert bench.check().ok


def test_a_setting_of_its_own_allows_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    with lb.open(tmp_path / "b.luma", files_write=["out"]) as bench:
        bench.kadeql("COPY (SELECT 1 AS a) TO 'out/a.csv'")
        with pytest.raises(KadeQLUnsupportedError, match="files_write"):
            bench.kadeql("COPY (SELECT 1 AS a) TO 'a.csv'")
    with lb.open(tmp_path / "b.luma", files_write=[]) as bench, pytest.raises(KadeQLUnsupportedError):
        bench.kadeql("COPY (SELECT 1 AS a) TO 'out/a.csv'")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("COPY t TO 'o.csv' («PARTITION_BY (id)»)", KadeQLUnsupportedError, "PARTITION_BY"),
        ("COPY t TO 'o' («PER_THREAD_OUTPUT true»)", KadeQLUnsupportedError, "PER_THREAD_OUTPUT"),
        ("COPY t TO 'o.csv' («APPEND»)", KadeQLUnsupportedError, "APPEND"),
        ("COPY t TO 'o.parquet' («DELIMITER ';'»)", KadeQLUnsupportedError, "no option DELIMITER"),
        ("COPY t TO 'o.csv' («NONSENSE 1»)", KadeQLUnsupportedError, "no option NONSENSE"),
        ("COPY t TO 'o.csv' («FORMAT xlsx»)", KadeQLUnsupportedError, "no format"),
        ("COPY t TO 'o.csv' («HEADER maybe»)", KadeQLUnsupportedError, "true or false"),
        ("COPY t FROM 'o.csv' («STORE_REJECTS true»)", KadeQLUnsupportedError, "STORE_REJECTS"),
        ("COPY t FROM 'o.parquet' («HEADER»)", KadeQLUnsupportedError, "no option HEADER"),
        ("COPY t FROM «STDIN»", KadeQLUnsupportedError, "standard input"),
        ("COPY t TO «STDOUT»", KadeQLUnsupportedError, "standard input"),
        ("COPY «FROM DATABASE» a TO b", KadeQLUnsupportedError, "FROM DATABASE"),
        ("COPY «nope» FROM 'o.csv'", KadeQLBindError, "no table 'nope'"),
        ("COPY t («zz») FROM 'o.csv'", KadeQLBindError, "no column 'zz'"),
        ("COPY t (id, «id») FROM 'o.csv'", KadeQLSyntaxError, "stands twice"),
        ("COPY t FROM «'missing.csv'»", KadeQLBindError, "There is no file"),
        ("COPY t FROM «'../x.csv'»", KadeQLUnsupportedError, "outside"),
        ("COPY (SELECT «zz» FROM t) TO 'o.csv'", KadeQLBindError, "no column 'zz'"),
        ("COPY («DELETE» FROM t) TO 'o.csv'", KadeQLSyntaxError, "a query in the brackets"),
        ("COPY t FROM 'o.csv' «FORMAT» csv", KadeQLSyntaxError, "before the options"),
        ("COPY t FROM 'o.csv' (HEADER, «HEADER»)", KadeQLSyntaxError, "stands twice"),
        ("COPY t TO «$f»", KadeQLBindError, "has no value"),
        ("COPY t «INTO» 'o.csv'", KadeQLSyntaxError, "FROM or TO"),
        ("EXPLAIN «COPY» t TO 'o.csv'", KadeQLUnsupportedError, "EXPLAIN"),
        ("COPY t TO 'o.csv' («QUOTE (SELECT, x)»)", KadeQLUnsupportedError, "one value"),
        ("COPY t FROM 'o.csv' (SKIP «$»n)", KadeQLUnsupportedError, "constant"),
    ],
)
def test_what_is_refused_is_named_at_its_place(
    bench: lb.Bench, tmp_path: Path, text: str, kind: type[KadeQLError], told: str
):
    start, end = text.index("«"), text.index("»") - 1
    with pytest.raises(kind, match=told) as caught:
        bench.kadeql(text.replace("«", "").replace("»", ""))
    if told:
        assert caught.value.span == (start, end)
        assert caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.luma"]


def test_a_failing_query_leaves_no_file(bench: lb.Bench, tmp_path: Path):
    (tmp_path / "kept.csv").write_text("old")
    with pytest.raises(LumaError):
        bench.kadeql(
            "COPY (SELECT CAST(CASE WHEN i > 250000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(300000) r(i)) TO 'kept.csv'"
        )
    assert (tmp_path / "kept.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.luma", "kept.csv"]


def test_json_holds_no_bare_nan(bench: lb.Bench):
    text = "SELECT unnest(['nan'::DOUBLE, 'inf', '-inf', 1.5, NULL]) AS x, {'y': ['nan'::FLOAT]} AS n"
    bench.kadeql(f"COPY ({text}) TO 'o.json' (ARRAY true)")

    def refuse(word: str) -> float:
        raise AssertionError(word)

    found = json.loads(Path("o.json").read_text(), parse_constant=refuse)
    assert [row["x"] for row in found] == ["NaN", "Infinity", "-Infinity", 1.5, None]
    assert found[0]["n"] == {"y": ["NaN"]}
    bench.kadeql("CREATE TABLE f (x DOUBLE, n STRUCT(y FLOAT[]))")
    bench.kadeql("COPY f FROM 'o.json' (ARRAY true)")
    same = f"SELECT count(*) AS n FROM (FROM f EXCEPT ALL {text})"
    assert bench.kadeql(same).to_arrow()["n"].to_pylist() == [0]


def test_larger_than_a_batch_streams_in_and_out(bench: lb.Bench):
    bench.kadeql("COPY (SELECT i AS a, i % 7 AS b FROM range(400000) r(i)) TO 'big.parquet'")
    bench.kadeql("CREATE TABLE big (a BIGINT, b BIGINT); COPY big FROM 'big.parquet'")
    assert bench.kadeql("SELECT count(*) AS n, sum(a) AS s FROM big").to_pandas().to_dict("records") == [
        {"n": 400_000, "s": sum(range(400_000))}
    ]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "arrow"])
def test_a_file_in_no_folder_is_refused_at_its_name(tmp_path: Path, ending: str):
    with lb.open(tmp_path / "b.luma", files_write=[tmp_path]) as bench:
        text = f"COPY (SELECT 1 AS a) TO '{tmp_path}/none/x.{ending}'"
        with pytest.raises(KadeQLUnsupportedError, match="there is no folder") as caught:
            bench.kadeql(text)
        assert text[slice(*(caught.value.span or (0, 0)))].endswith(f"x.{ending}'")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_that_the_disk_refuses_is_named_with_its_reason(tmp_path: Path, ending: str):
    with lb.open(tmp_path / "b.luma", files_write=[tmp_path]) as bench:
        long = f"{tmp_path}/{'n' * 240}.{ending}"
        bench.kadeql(f"COPY (SELECT 1 AS a) TO '{long}'")
        assert Path(long).exists()
        text = f"COPY (SELECT 1 AS a) TO '{tmp_path}/{'n' * 300}.{ending}'"
        with pytest.raises(KadeQLError, match=r"cannot be written: File name too long\.") as caught:
            bench.kadeql(text)
        assert caught.value.span is not None
        assert ".part" not in caught.value.message
