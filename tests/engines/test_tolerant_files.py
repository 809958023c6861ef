"""Files of which some rows are wrong: the others are read, and each wrong one is named by its place."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.engines.duck_csv_head import read_head
from luma_bench.engines.duck_tolerant import open_tolerant
from luma_bench.errors import LumaError, SchemaError
from luma_bench.types.reject import Late, Reject, reject_table

DIRTY = b"""a,b,c
1,x,1.5
oops,y,2.5
2,"multi
line",3
3,z

4,z,1,2
5,\xff\xfe,9
7,ok,4
8,ok,bad
"""


def imported(
    *paths: Path, late: list[Late] | None = None, **options: Any
) -> tuple[list[dict[str, Any]], list[Reject]]:
    source = open_tolerant(list(paths), limit=100, **options)
    try:
        rows = [row for portion in source.portions() for row in portion.batch.to_pylist()]
        rejects = source.rejects(late or [])
        assert source.refused == len({(item.file, item.line or item.row) for item in rejects}) - len(
            late or []
        )
        return rows, rejects
    finally:
        source.close()


@pytest.mark.parametrize("zipped", [False, True])
def test_csv_rows_that_are_wrong_are_named_by_line_and_number(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / ("d.csv.gz" if zipped else "d.csv")
    path.write_bytes(gzip.compress(DIRTY) if zipped else DIRTY)
    target = pa.schema([("A", pa.int64()), ("b", pa.string()), ("c", pa.float64())])
    late = [Late(str(path), 2, "b", "too nice", "ok")]
    rows, rejects = imported(path, target=target, late=late)
    assert rows == [
        {"a": 1, "b": "x", "c": 1.5},
        {"a": 2, "b": "multi\nline", "c": 3.0},
        {"a": 7, "b": "ok", "c": 4.0},
    ]
    assert [(item.line, item.row, item.column, item.reason) for item in rejects] == [
        (3, 2, "a", "Could not convert string \"oops\" to 'BIGINT'."),
        (6, 4, "c", "The row has 2 values for 3 columns."),
        (8, 5, None, "The row has 4 values for 3 columns."),
        (9, 6, "b", "The row is not UTF-8."),
        (11, 8, "c", "Could not convert string \"bad\" to 'DOUBLE'."),
        (10, 7, "b", "too nice"),
    ]
    assert rejects[0].text == "oops,y,2.5"
    assert rejects[0].place == f"{path}, line 3, column 'a'"


def test_types_are_those_of_nearly_all_values(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    lines = [f"{n},0{n},2024-01-{n % 28 + 1:02},{n}.5,t{n}" for n in range(40)]
    path.write_text("n,code,day,f,s\n" + "\n".join(lines) + "\nx,1,2024-02-01,1,1\n1,1,soon,1,1\n")
    source = open_tolerant(path, limit=10)
    assert source.schema.types == [pa.int64(), pa.string(), pa.date32(), pa.float64(), pa.string()]
    assert sum(portion.batch.num_rows for portion in source.portions()) == 40
    assert [item.column for item in source.rejects([])] == ["n", "day"]
    source.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "22", "bad", ""]),
            st.text(st.sampled_from("ab,\"\n '"), max_size=5),
            st.sampled_from([0, 0, 0, 1, 2]),
        ),
        min_size=1,
        max_size=25,
    )
)
@settings(deadline=None, max_examples=drawn(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_agree_with_pythons_own_reader(tmp_path: Path, rows: list[tuple[str, str, int]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["n", "s", "z"])
    expected: list[tuple[int, int]] = []
    good: list[tuple[int, int]] = []
    for number, (value, text, more) in enumerate(rows, 1):
        line = buffer.getvalue().count("\n") + 1
        writer.writerow([value, text, "end", *["more"] * more])
        (expected if value == "bad" or more else good).append((line, number))
    path = tmp_path / "p.csv"
    path.write_text(buffer.getvalue(), newline="")
    target = pa.schema([("n", pa.int64()), ("s", pa.string()), ("z", pa.string())])
    late = [Late(str(path), rank, None, "late", None) for rank in range(len(good))]
    taken, rejects = imported(path, target=target, late=late)
    assert len(taken) == len(good)
    assert sorted({(item.line, item.row) for item in rejects if item.reason != "late"}) == expected
    assert [(item.line, item.row) for item in rejects if item.reason == "late"] == good


def test_files_of_one_import_may_order_their_columns_differently(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "2.csv").write_text("B;A\nz;3\nw;oops\n")
    rows, rejects = imported(
        tmp_path / "1.csv", tmp_path / "2.csv", target=pa.schema([("a", pa.int64()), ("b", pa.string())])
    )
    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    assert [(Path(item.file or "").name, item.line) for item in rejects] == [("2.csv", 3)]
    (tmp_path / "2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(SchemaError, match="has the columns a, c"):
        open_tolerant([tmp_path / "1.csv", tmp_path / "2.csv"], limit=1)


def test_heads(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    for text, options, target, expected in [
        ("a;b\n1;2\n", {}, (), (";", True, ("a", "b"))),
        ("1\t2\n3\t4\n", {}, ("x", "y"), ("\t", False, ("x", "y"))),
        ("1,2\n3,4\n", {}, (), (",", False, ("column0", "column1"))),
        ("id,2020\n1,2\n", {}, ("id",), (",", True, ("id", "2020"))),
        ("junk\na|b|c\n1|2|3\n", {"skip": 1}, (), ("|", True, ("a", "b", "c"))),
        ("only\nx\ny\n", {}, (), (",", True, ("only",))),
        ("1,2\n", {"names": ["p"]}, (), (",", False, ("p", "column1"))),
    ]:
        path.write_text(text)
        head = read_head(path, options, target)
        assert (head.delimiter, head.header, head.names) == expected
    path.write_text("a,A\n1,2\n")
    with pytest.raises(SchemaError, match="two columns are named 'A'"):
        read_head(path, {})


NDJSON = b"""{"a":1,"b":"2020-01-01","c":[1,2]}
{"a":"oops","b":"2020-01-02"}

{"a":3.7,"b":"2020-01-02"}
{"a":
[1]
{"a":null,"zz":1}
{"a":5}\xff
{"a":1,"a":2}
{"a":6,"b":"never"}
{"a":7}
"""


def test_json_records_that_are_wrong_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(NDJSON)
    target = pa.schema([("a", pa.int64()), ("b", pa.date32()), ("c", pa.list_(pa.int64()))])
    rows, rejects = imported(path, target=target, late=[Late(str(path), 9, "a", "late", "7")])
    assert [row["a"] for row in rows] == [1, None, 7]
    assert [(item.line, item.row, item.column, item.reason) for item in rejects] == [
        (2, 2, "a", 'Could not convert "oops" to BIGINT.'),
        (4, 3, "a", "Could not convert 3.7 to BIGINT."),
        (5, 4, None, "The record is no JSON."),
        (6, 5, None, "The record is no JSON object."),
        (8, 7, None, "The record is not UTF-8."),
        (9, 8, None, "A key is there twice."),
        (10, 9, "b", 'Could not convert "never" to DATE.'),
        (11, 10, "a", "late"),
    ]


def test_a_key_that_is_no_column_is_refused_where_the_sample_did_not_have_it(tmp_path: Path) -> None:
    path = tmp_path / "k.ndjson"
    path.write_text('{"a":1}\n' * 20_500 + '{"a":2,"new":3}\n')
    _, rejects = imported(path)
    assert [(item.row, item.reason) for item in rejects] == [(20_501, 'There is no column "new".')]


def test_json_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[{"a":1,"b":{"x":1}},{"a":"z","b":{"x":2}},\n {"a":3,"b":null},7]')
    rows, rejects = imported(path, target=pa.schema([("a", pa.int16()), ("b", pa.struct({"x": pa.int64()}))]))
    assert rows == [{"a": 1, "b": {"x": 1}}, {"a": 3, "b": None}]
    assert [(item.line, item.row, item.column) for item in rejects] == [(None, 2, "a"), (None, 4, None)]
    path.write_text('[{"a":1},{"a":')
    with pytest.raises(LumaError, match="cannot be read as json"):
        imported(path)
    path.write_text("7\n8\n")
    with pytest.raises(LumaError, match="no JSON object"):
        imported(path)


def test_parquet_rows_have_numbers(tmp_path: Path) -> None:
    for number in range(2):
        pq.write_table(pa.table({"a": [number, None]}), tmp_path / f"{number}.parquet")
    source = open_tolerant(str(tmp_path / "*.parquet"), limit=1)
    assert source.total == 4
    assert [row["a"] for portion in source.portions() for row in portion.batch.to_pylist()] == [
        0,
        None,
        1,
        None,
    ]
    (reject,) = source.rejects([Late(str(tmp_path / "1.parquet"), 1, "a", "no", None)])
    assert (reject.line, reject.row, reject.place) == (
        None,
        2,
        f"{tmp_path / '1.parquet'}, row 2, column 'a'",
    )
    source.close()


def test_reject_tables_cut_long_texts() -> None:
    table = reject_table([Reject("f", 1, 1, None, "why", "x" * 5_000)], "t")
    assert table.column("text")[0].as_py() == "x" * 1_999 + "…"
    assert table.column("table_name").to_pylist() == ["t"]
