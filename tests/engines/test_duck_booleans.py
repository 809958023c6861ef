"""Booleans come out as Arrow's own, alone and inside of lists, structs and maps, and go in again."""

import pyarrow as pa
import pytest

import luma_bench as lb

CASES = {
    "flat": ("SELECT i > 1 AS b FROM r ORDER BY i", pa.bool_(), [False, False, True, None]),
    "list": ("SELECT [i > 1, NULL] AS b FROM r ORDER BY i", pa.list_(pa.bool_()), None),
    "array": ("SELECT [i > 1, NULL]::BOOLEAN[2] AS b FROM r ORDER BY i", pa.list_(pa.bool_(), 2), None),
    "struct": ("SELECT {'x': i > 1, 'y': [i = 1]} AS b FROM r ORDER BY i", None, None),
    "map": ("SELECT map {'k': i > 1} AS b FROM r ORDER BY i", pa.map_(pa.string(), pa.bool_()), None),
    "mixed": ("SELECT {'e': i::HUGEINT, 'b': i > 1, 'u': 'a'::ENUM('a')} AS b FROM r ORDER BY i", None, None),
    "holes": ("SELECT CASE WHEN i <> 1 THEN [{'x': i > 1}] END AS b FROM r ORDER BY i", None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_types(tmp_path, name):
    text, kind, values = CASES[name]
    rows = pa.table({"i": pa.array([0, 1, 2, None], pa.int32())})
    with lb.open(tmp_path / "b.luma") as bench:
        result = bench.kadeql(text, tables={"r": rows}).to_arrow()
        result.validate(full=True)
        assert "bool8" not in str(result.schema)
        assert kind is None or result.schema.field("b").type == kind
        got = result["b"].to_pylist()
        assert values is None or got == values
        shown = bench.kadeql(f"SELECT b::VARCHAR AS s FROM ({text})", tables={"r": rows}).to_arrow()
        again = bench.kadeql("SELECT b::VARCHAR AS s FROM x", tables={"x": result}).to_arrow()
        assert again["s"].to_pylist() == shown["s"].to_pylist()


def test_what_was_written_can_be_inserted_selected_and_appended(tmp_path):
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"id": [1, 2], "ok": [True, None]})
        bench.kadeql("INSERT INTO t SELECT * FROM t")
        bench.kadeql("INSERT INTO t VALUES (3, true)")
        bench.write("t", bench.kadeql("FROM t"), mode="append")
        bench.kadeql("CREATE TABLE c AS SELECT id > 1 AS big FROM t")
        bench.kadeql("CREATE TABLE d (x BOOLEAN)")
        assert bench.table("c").schema.field("big").type == pa.bool_()
        assert bench.table("d").schema.field("x").type == pa.bool_()
        bench.write("c", {"big": [True]}, mode="append")
        frame = bench.kadeql("SELECT ok FROM t ORDER BY id").to_pandas()
        assert frame["ok"].dtype == "boolean"
        assert bench.kadeql("SELECT true AS y").to_pandas()["y"].dtype == bool
        assert "true" in str(bench.kadeql("SELECT true AS y"))
        assert bench.kadeql("SELECT true AS y").to_polars()["y"].to_list() == [True]


def test_files_hold_booleans(tmp_path):
    import pyarrow.parquet as pq

    with lb.open(tmp_path / "b.luma") as bench:
        bench.export("SELECT true AS y", tmp_path / "o.parquet")
    assert pq.read_schema(tmp_path / "o.parquet").field("y").type == pa.bool_()
