"""Formats: every value survives, and a file appears whole or not at all."""

import csv
import datetime as dt
import decimal
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.cli import output
from luma_bench.cli.session import UsageProblem
from luma_bench.types.record import RunRecord

TABLE = pa.table({
    "i": pa.array([1, None], pa.int64()),
    "f": pa.array([1 / 3, float("nan")]),
    "f32": pa.array([1.1, None], pa.float32()),
    "d": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(38, 2)),
    "s": pa.array(['quo"te, \n', ""]),
    "day": pa.array([dt.date(2013, 2, 8), None], pa.date32()),
    "at": pa.array([dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC), None], pa.timestamp("us", "America/New_York")),
    "ns": pa.array([1, None], pa.timestamp("ns")),
    "list": pa.array([[1, None], None], pa.list_(pa.int64())),
    "struct": pa.array([{"a": 1, "b": "x"}, None], pa.struct({"a": pa.int64(), "b": pa.string()})),
    "map": pa.array([[("k", 1.5)], None], pa.map_(pa.string(), pa.float64())),
    "bytes": pa.array([b"\x00\xff", None]),
    "ok": pa.array([True, None]),
    "code": pa.array(["a", None]).dictionary_encode(),
})  # fmt: skip


class Answer:
    """A finished result without a bench."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.run = RunRecord("duckdb", "one local table", 1)

    def to_arrow(self) -> pa.Table:
        return self.table


def written(table: pa.Table, form: str, path: Path) -> bytes:
    answer: Any = Answer(table)
    output.show(answer, form, path, None)
    return path.read_bytes()


def test_json_holds_every_type(tmp_path: Path):
    first, second = json.loads(written(TABLE, "json", tmp_path / "x.json"))
    assert first == {
        "i": 1, "f": 1 / 3, "f32": 1.1, "d": 1.10, "s": 'quo"te, \n', "day": "2013-02-08", "at": "2013-01-01T05:00:00-05:00",
        "ns": "1970-01-01T00:00:00.000000001", "list": [1, None], "struct": {"a": 1, "b": "x"}, "map": {"k": 1.5}, "bytes": "AP8=",
        "ok": True, "code": "a",
    }  # fmt: skip
    assert second.pop("f") == "NaN"
    assert second.pop("s") == ""
    assert set(second.values()) == {None}


def test_ndjson_is_a_row_a_line(tmp_path: Path):
    lines = written(TABLE, "ndjson", tmp_path / "x").decode().splitlines()
    assert [json.loads(line)["i"] for line in lines] == [1, None]


def test_decimals_keep_their_digits_in_json(tmp_path: Path):
    table = pa.table({"d": pa.array([decimal.Decimal("12345678901234567890.10")], pa.decimal128(38, 2))})
    assert b"12345678901234567890.10" in written(table, "json", tmp_path / "x")


def test_names_that_repeat_keep_their_values_in_json(tmp_path: Path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "a_2"])
    assert json.loads(written(table, "json", tmp_path / "x")) == [{"a": 1, "a_3": 2, "a_2": 3}]


def test_csv_holds_every_type(tmp_path: Path):
    rows = list(csv.DictReader(io.StringIO(written(TABLE, "csv", tmp_path / "x.csv").decode(), newline="")))
    assert rows[0] == {
        "i": "1", "f": repr(1 / 3), "f32": "1.1", "d": "1.10", "s": 'quo"te, \n', "day": "2013-02-08", "at": "2013-01-01 05:00:00-05:00",
        "ns": "1970-01-01 00:00:00.000000001", "list": "[1,null]", "struct": '{"a":1,"b":"x"}', "map": '{"k":1.5}', "bytes": "0x00FF",
        "ok": "true", "code": "a",
    }  # fmt: skip
    assert rows[1]["i"] == ""


def test_csv_tells_null_from_empty_text(tmp_path: Path):
    table = pa.table({"a": pa.array([1, 2]), "s": pa.array([None, ""], pa.string())})
    assert written(table, "csv", tmp_path / "x") == b'"a","s"\n1,\n2,""\n'


def test_binary_formats_are_lossless(tmp_path: Path):
    written(TABLE, "parquet", tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").column("d").equals(TABLE.column("d"))
    written(TABLE, "arrow", tmp_path / "x.arrow")
    with pa.ipc.open_file(tmp_path / "x.arrow") as file:
        assert file.schema.equals(TABLE.schema)
        assert file.read_all().drop_columns(["f"]).equals(TABLE.drop_columns(["f"]))


def test_a_piped_table_is_whole(tmp_path: Path):
    many = pa.table({"n": list(range(58665, 58765)), "t": ["x" * 200] * 100})
    lines = written(many, "table", tmp_path / "x.txt").decode().splitlines()
    assert len(lines) == 104
    assert "58764" in lines[-2]
    assert "x" * 200 in lines[-2]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.none(), st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30))
        ),
        max_size=5,
    )
)
def test_times_are_python_readable(moments: list[dt.datetime | None]):
    from luma_bench.cli.columns import json_columns

    column = pa.array(
        [moment if moment is None else moment.replace(tzinfo=dt.UTC) for moment in moments],
        pa.timestamp("us", "Asia/Tokyo"),
    )
    texts = json_columns(pa.record_batch({"t": column}))[0]
    assert [text and dt.datetime.fromisoformat(text) for text in texts] == column.to_pylist()


def test_a_failed_file_leaves_nothing(tmp_path: Path):
    class Broken(Answer):
        def to_arrow(self) -> pa.Table:
            raise RuntimeError("half way")

    (tmp_path / "x.csv").write_text("before")
    answer: Any = Broken(TABLE)
    with pytest.raises(RuntimeError, match="half way"):
        output.show(answer, "csv", tmp_path / "x.csv", None)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "before"


def test_the_format_is_asked_for_or_in_the_name():
    assert output.choose_format(None, None) == "table"
    assert output.choose_format(None, Path("x.PARQUET")) == "parquet"
    assert output.choose_format("csv", Path("x.parquet")) == "csv"
    for form, path in (("xml", None), (None, Path("x.doc"))):
        with pytest.raises(UsageProblem, match="formats are"):
            output.choose_format(form, path)


def test_binary_does_not_go_to_a_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageProblem, match="--output FILE"):
        output.choose_format("parquet", None)
    assert output.choose_format("parquet", Path("x")) == "parquet"
