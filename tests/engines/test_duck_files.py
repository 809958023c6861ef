"""Files come in with their types and go out whole; what is wrong with one is named by file, line and column."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luma_bench.engines.duck_files import FileReader, FileWriter, file_format
from luma_bench.errors import LumaError, SchemaError, UnsupportedError

TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "name": pa.array(['å, "b"', None, "line\nbreak"]),
        "day": pa.array([dt.date(2024, 2, 29), None, dt.date(1970, 1, 1)]),
        "at": pa.array([0, 1_700_000_000_000_000, None], pa.timestamp("us", "Europe/Oslo")),
        "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.00"), None], pa.decimal128(9, 2)),
        "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
        "tags": pa.array([["a"], [], None], pa.list_(pa.string())),
    }
)


def stream(table: pa.Table = TABLE) -> pa.RecordBatchReader:
    return table.to_reader(max_chunksize=2)


@pytest.mark.parametrize("name", ["t.parquet", "t.pq", "t.arrow", "t.feather"])
def test_columnar_files_keep_exact_types(tmp_path: Path, name: str):
    assert FileWriter().write(stream(), tmp_path / name) == 3
    got = FileReader().open(tmp_path / name)
    assert got.schema == TABLE.schema
    assert not any(field.metadata for field in got.schema)
    assert got.read_all().equals(TABLE)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.json", "t.ndjson", "t.jsonl.gz"])
def test_text_files_keep_the_values(tmp_path: Path, name: str):
    plain = TABLE.select(["id", "name", "day", "price"])
    assert FileWriter().write(stream(plain), tmp_path / name) == 3
    got = FileReader().open(str(tmp_path / name)).read_all()
    assert got["id"].to_pylist() == [1, 2, 3]
    assert got["name"].to_pylist() == plain["name"].to_pylist()
    assert got["day"].to_pylist() == plain["day"].to_pylist()
    assert [value and float(value) for value in got["price"].to_pylist()] == [1.5, -2.0, None]


def test_text_formats_on_disk(tmp_path: Path):
    writer = FileWriter()
    small = pa.table(
        {"a": [1, None], "at": pa.array([0, None], pa.timestamp("us", "Europe/Oslo")), "l": [[1, 2], []]}
    )
    writer.write(stream(small), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[:2] == [
        "a,at,l",
        '1,1970-01-01 00:00:00+00,"[1,2]"',
    ]
    writer.write(stream(small), tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())[0]["l"] == [1, 2]
    writer.write(stream(small), tmp_path / "t.out", "ndjson")
    assert [json.loads(line)["a"] for line in (tmp_path / "t.out").read_text().splitlines()] == [1, None]
    writer.write(stream(small), tmp_path / "t.csv.gz")
    assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()).startswith(b"a,at,l")


def test_several_files_and_globs_are_one_stream_in_order(tmp_path: Path):
    for index in (3, 1, 2):
        FileWriter().write(pa.table({"i": [index]}).to_reader(), tmp_path / f"p{index}.parquet")
        FileWriter().write(pa.table({"i": [index]}).to_reader(), tmp_path / f"p{index}.csv")
    assert FileReader().open(tmp_path / "p*.parquet").read_all()["i"].to_pylist() == [1, 2, 3]
    assert FileReader().open([tmp_path / "p3.parquet", tmp_path / "p1.parquet"]).read_all()[
        "i"
    ].to_pylist() == [3, 1]
    assert sorted(FileReader().open(str(tmp_path / "*.csv")).read_all()["i"].to_pylist()) == [1, 2, 3]
    with pytest.raises(UnsupportedError, match="several formats"):
        FileReader().open([tmp_path / "p3.parquet", tmp_path / "p1.csv"])


def test_a_name_with_a_bracket_is_a_name(tmp_path: Path):
    FileWriter().write(pa.table({"i": [1]}).to_reader(), tmp_path / "a[1].parquet")
    assert FileReader().open(tmp_path / "a[1].parquet").read_all()["i"].to_pylist() == [1]


def test_an_ipc_stream_is_read_too(tmp_path: Path):
    with pa.ipc.new_stream(str(tmp_path / "s.arrows"), TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert FileReader().open(tmp_path / "s.arrows").read_all().equals(TABLE)


def test_json_documents_come_as_nested_columns(tmp_path: Path):
    (tmp_path / "d.json").write_text('[{"a": {"b": [1, 2]}, "c": "x"}, {"a": null, "c": "y", "e": 1.5}]')
    got = FileReader().open(tmp_path / "d.json").read_all()
    assert got.to_pylist() == [{"a": {"b": [1, 2]}, "c": "x", "e": None}, {"a": None, "c": "y", "e": 1.5}]
    (tmp_path / "m.ndjson").write_text('{"a": 1}\n{"a": [1]}\n')
    mixed = FileReader().open(tmp_path / "m.ndjson").read_all()
    assert mixed.schema.field("a").type == pa.string()


def test_csv_options(tmp_path: Path):
    path = tmp_path / "o.csv"
    path.write_text("1;-;x\n2;3,5;y\n")
    got = FileReader().open(
        path,
        delim=";",
        header=False,
        names=["a", "b", "c"],
        nullstr="-",
        decimal_separator=",",
        types={"a": "VARCHAR"},
    )
    assert got.read_all().to_pylist() == [{"a": "1", "b": None, "c": "x"}, {"a": "2", "b": 3.5, "c": "y"}]
    with pytest.raises(UnsupportedError, match="no option 'delm'") as caught:
        FileReader().open(path, delm=";")
    assert "delim" in str(caught.value)
    with pytest.raises(UnsupportedError, match="takes no options"):
        FileReader().open(
            tmp_path / "x.parquet" if FileWriter().write(stream(), tmp_path / "x.parquet") else path,
            delim=";",
        )


def test_types_are_told_from_every_row(tmp_path: Path):
    path = tmp_path / "late.csv"
    path.write_text("v\n" + "1\n" * 60_000 + "late\n")
    assert FileReader().open(path).schema.field("v").type == pa.string()


def test_what_is_wrong_is_named(tmp_path: Path):
    reader = FileReader()
    with pytest.raises(LumaError, match="There is no file") as missing:
        reader.open(tmp_path / "flihgts.csv")
    (tmp_path / "flights.csv").write_text("a\n1\n")
    with pytest.raises(LumaError) as missing:
        reader.open(tmp_path / "flihgts.csv")
    assert "Did you mean 'flights.csv'?" in str(missing.value)
    with pytest.raises(LumaError, match="is a folder"):
        reader.open(tmp_path)
    with pytest.raises(LumaError, match="no file"):
        reader.open(str(tmp_path / "*.nothing"))
    with pytest.raises(LumaError, match="No file was given"):
        reader.open([])
    (tmp_path / "x.xlsx").write_text("a")
    with pytest.raises(UnsupportedError, match="ending names no format"):
        reader.open(tmp_path / "x.xlsx")
    with pytest.raises(UnsupportedError, match="no format 'xlsx'"):
        reader.open(tmp_path / "x.xlsx", "xlsx")
    for ending in ("parquet", "arrow"):
        (tmp_path / f"bad.{ending}").write_bytes(b"not that")
        with pytest.raises(LumaError, match=rf"bad\.{ending} cannot be read as {ending}"):
            reader.open(tmp_path / f"bad.{ending}").read_all()


def test_a_csv_value_of_another_type_is_named_by_line_and_column(tmp_path: Path):
    path = tmp_path / "v.csv"
    path.write_text("a,b\n" + "1,x\n" * 5 + "oops,y\n")
    with pytest.raises(SchemaError) as caught:
        FileReader().open(path, types={"a": "BIGINT"}).read_all()
    message = str(caught.value)
    assert "v.csv, line 7, column 'a'" in message
    assert "oops" in message
    path.write_text("a,b\n1,x\n2,y,z\n3,w\n")
    with pytest.raises(LumaError, match=r"v\.csv"):
        FileReader().open(path, delim=",", header=True, types={"a": "BIGINT", "b": "VARCHAR"}).read_all()


def test_broken_json_is_named_by_file(tmp_path: Path):
    path = tmp_path / "j.ndjson"
    path.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(LumaError, match=r"j\.ndjson"):
        FileReader().open(path).read_all()


def test_parquet_files_that_differ_are_named(tmp_path: Path):
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": [4], "a": [3]}), tmp_path / "2.parquet")
    assert FileReader().open(tmp_path / "[12].parquet").read_all().to_pylist() == [
        {"a": 1, "b": 2},
        {"a": 3, "b": 4},
    ]
    for other, says in [
        ({"a": [1]}, "'b' is missing"),
        ({"a": [1], "b": ["x"]}, "column 'b': it is string"),
        ({"a": [1], "b": [1], "c": [1]}, "'c' is not in"),
    ]:
        pq.write_table(pa.table(other), tmp_path / "3.parquet")
        with pytest.raises(SchemaError, match=says) as caught:
            FileReader().open([tmp_path / "1.parquet", tmp_path / "3.parquet"]).read_all()
        assert "3.parquet" in str(caught.value)


def test_a_truncated_file_is_an_error_and_no_shorter_table(tmp_path: Path):
    table = pa.table({"a": list(range(10_000))})
    for name in ("t.parquet", "t.arrow"):
        FileWriter().write(table.to_reader(), tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(LumaError):
            FileReader().open(tmp_path / name).read_all()


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.json", "t.arrow"])
def test_a_failed_write_leaves_what_was_there(tmp_path: Path, name: str):
    path = tmp_path / name
    FileWriter().write(stream(TABLE.select(["id"])), path)
    before = path.read_bytes()
    damage = ConnectionError("the source broke")

    def batches():
        yield TABLE.select(["id"]).to_batches()[0]
        raise damage

    broken = pa.RecordBatchReader.from_batches(TABLE.select(["id"]).schema, batches())
    with pytest.raises((ConnectionError, LumaError), match="the source broke"):
        FileWriter().write(broken, path)
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_progress_and_refusals_of_a_write(tmp_path: Path):
    seen: list[tuple[int, int | None]] = []
    FileWriter().write(
        stream(), tmp_path / "t.parquet", total=3, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(2, 3), (3, 3)]
    with pytest.raises(UnsupportedError, match="ending names no format"):
        FileWriter().write(stream(), tmp_path / "t.xlsx")
    with pytest.raises(UnsupportedError, match="no format 'xlsx'"):
        FileWriter().write(stream(), tmp_path / "t.csv", "xlsx")
    with pytest.raises(UnsupportedError, match="compressed inside"):
        FileWriter().write(stream(), tmp_path / "t.parquet.gz")
    with pytest.raises(LumaError, match="cannot be written"):
        FileWriter().write(stream(), tmp_path / "nowhere" / "t.parquet")
    with pytest.raises(LumaError, match="cannot be written"):
        FileWriter().write(stream(), tmp_path / "nowhere" / "t.csv")


def test_formats_by_ending():
    assert [file_format(name) for name in ("a.CSV", "b.json.gz", "c.parquet", "d.feather", "e.txt.zst", "f.doc", "g")] == [
        "csv", "json", "parquet", "arrow", "csv", None, None,
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none()
            | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=8),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=20,
    ),
    st.sampled_from(["parquet", "arrow", "ndjson", "json"]),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trips(tmp_path: Path, rows: list[tuple[object, ...]], kind: str):
    table = pa.table(
        {
            "i": pa.array([row[0] for row in rows], pa.int64()),
            "s": pa.array([row[1] for row in rows], pa.string()),
            "f": pa.array([row[2] for row in rows], pa.float64()),
        }
    )
    path = tmp_path / f"r.{kind}"
    FileWriter().write(table.to_reader(), path)
    if kind in ("parquet", "arrow"):
        assert FileReader().open(path).read_all().equals(table)
    elif any(value is not None for row in rows for value in row):
        loaded = (
            json.loads(path.read_text())
            if kind == "json"
            else [json.loads(line) for line in path.read_text().split("\n") if line]
        )
        assert [(row["i"], row["s"], row["f"]) for row in loaded] == rows
