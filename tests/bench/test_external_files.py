"""Files in queries: read as DuckDB reads them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from external_cases import ROWS, SAME, bench, rows, work

import luma_bench as lb
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLError,
    KadeQLUnsupportedError,
    LumaError,
)

__all__ = ["bench", "work"]


@pytest.mark.parametrize("text", SAME)
def test_files_mean_what_they_mean_to_duckdb(bench: lb.Bench, text: str):
    expected = duckdb.connect().execute(text).fetchall()
    found = rows(bench.kadeql(text))
    if text.startswith("PIVOT"):  # its groups come in no order
        found, expected = sorted(found), sorted(expected)
    assert found == expected


@pytest.mark.parametrize("name", ["packed.feather", "stream.arrows", "plain.arrow"])
def test_arrow_files(bench: lb.Bench, name: str):
    assert bench.kadeql(f"FROM '{name}'").to_arrow().equals(ROWS)
    found = bench.kadeql(f"SELECT read_arrow.name FROM read_arrow(['{name}', '{name}']) WHERE id = 98")
    assert rows(found) == [("n0",), ("n0",)]
    assert rows(bench.kadeql(f"SELECT count(*) FROM '{name}' a JOIN t USING (id)")) == [(2,)]


def test_arrow_files_of_other_columns_are_refused(bench: lb.Bench):
    feather.write_feather(pa.table({"id": [1]}), "other.feather")
    with pytest.raises(LumaError, match="other columns"):
        bench.kadeql("SELECT count(*) FROM read_arrow(['plain.arrow', 'other.feather'])")
    Path("broken.arrow").write_bytes(b"no arrow at all")
    with pytest.raises(LumaError, match="cannot be read as Arrow"):
        bench.kadeql("FROM 'broken.arrow'")


def test_files_join_tables_and_are_no_part_of_the_snapshot(bench: lb.Bench, work: Path):
    found = bench.kadeql("SELECT t.w, f.name FROM t JOIN 'all.csv' f USING (id) ORDER BY id")
    assert rows(found) == [("x", "n3"), ("y", "n5")]
    assert "reads 1 file outside of the snapshot" in found.run.reason
    assert [(node.name, node.nbytes) for node in found.run.nodes if node.name.startswith("file ")] == [
        (f"file {work / 'all.csv'}", (work / "all.csv").stat().st_size)
    ]
    again = bench.kadeql("SELECT t.w, f.name FROM t JOIN 'all.csv' f USING (id) ORDER BY id")
    assert not again.run.cached


def test_a_file_that_changed_is_read_anew(bench: lb.Bench, work: Path):
    (work / "live.csv").write_text("a\n1\n")
    assert rows(bench.kadeql("SELECT sum(a) FROM 'live.csv'")) == [(1,)]
    (work / "live.csv").write_text("a\n1\n41\n")
    assert rows(bench.kadeql("SELECT sum(a) FROM 'live.csv'")) == [(42,)]


def test_parameters_name_files(bench: lb.Bench):
    text = "SELECT count(*) FROM read_csv($files, header = $h) WHERE id >= $lo"
    for given in ("all.csv", Path("all.csv"), ["all.csv"]):
        assert rows(bench.kadeql(text, params={"files": given, "h": True, "lo": 50})) == [(50,)]
    with pytest.raises(KadeQLBindError, match=r"\$files has no value"):
        bench.kadeql(text, params={"h": True, "lo": 1})
    with pytest.raises(KadeQLBindError, match="is no path"):
        bench.kadeql(text, params={"files": 3, "h": True, "lo": 1})
    with pytest.raises(KadeQLUnsupportedError):
        bench.kadeql(text, params={"files": "../secret.csv", "h": True, "lo": 1})
    assert rows(
        bench.kadeql("SELECT $p AS p, (SELECT count(*) FROM read_csv($p)) AS n", params={"p": "all.csv"})
    ) == [("all.csv", 100)]


def test_statements_that_write_read_files_too(bench: lb.Bench):
    bench.kadeql("CREATE TABLE made AS FROM 'all.parquet'")
    assert bench.table("made").to_arrow().num_rows == 100
    bench.kadeql("INSERT INTO made SELECT id + 1000, name FROM 'all.csv' WHERE id < 5")
    bench.kadeql("DELETE FROM made WHERE id IN (SELECT id FROM 'all.json' WHERE id < 50)")
    bench.kadeql("UPDATE made SET name = (SELECT max(name) FROM 'all.csv') WHERE id >= 1000")
    assert rows(bench.kadeql("SELECT count(*), count(*) FILTER (name = 'n6' AND id >= 1000) FROM made")) == [
        (55, 5)
    ]


def test_views_read_files_as_they_are_when_they_are_asked(bench: lb.Bench, work: Path):
    (work / "live.csv").write_text("a\n1\n")
    bench.kadeql("CREATE VIEW live AS FROM 'live.csv'")
    bench.kadeql("CREATE VIEW packed AS SELECT id FROM 'packed.feather' WHERE id < 3")
    bench.kadeql("CREATE VIEW pair AS SELECT a, id FROM live, packed")
    assert rows(bench.kadeql("SELECT sum(a) FROM live")) == [(1,)]
    (work / "live.csv").write_text("a\n41\n")
    found = bench.kadeql("SELECT sum(a) FROM live")
    assert rows(found) == [(41,)]
    assert not found.run.cached
    assert "reads 1 file" in found.run.reason
    assert rows(bench.kadeql("SELECT count(*), max(a) FROM pair JOIN 'plain.arrow' USING (id)")) == [(3, 41)]
    bench.kadeql("CREATE VIEW closed AS FROM read_text('all.csv')")
    with lb.open(work / "b.luma", mode="r", files=["parts"]) as other, pytest.raises(KadeQLUnsupportedError):
        other.kadeql("FROM closed")


def test_a_view_over_a_file_out_of_reach_is_not_made(bench: lb.Bench):
    with pytest.raises(KadeQLUnsupportedError):
        bench.kadeql("CREATE VIEW leak AS FROM read_text('../secret.csv')")


def test_prepared_texts_read_under_the_same_rule(bench: lb.Bench):
    late = bench.prepare("SELECT count(*) AS n FROM 'all.csv' WHERE id < $hi")
    assert rows(late(hi=10)) == [(10,)]
    named = bench.prepare("SELECT count(*) AS n FROM read_csv($file)")
    assert rows(named(file="all.csv")) == [(100,)]
    with pytest.raises(KadeQLUnsupportedError):
        named(file="../secret.csv")
    bench.kadeql("PREPARE p AS SELECT count(*) AS n FROM 'all.csv' WHERE id < $hi")
    assert rows(bench.kadeql("EXECUTE p(hi := 4)")) == [(4,)]


def test_explain_reads_under_the_same_rule(bench: lb.Bench):
    told = bench.kadeql("EXPLAIN ANALYZE SELECT count(*) FROM 'all.parquet' WHERE id < 10").to_arrow()
    assert "reads 1 file" in str(told["explain_value"][0])
    with pytest.raises(KadeQLUnsupportedError):
        bench.kadeql("EXPLAIN ANALYZE SELECT count(*) FROM read_csv('../secret.csv')")


def test_hive_columns_come_from_the_folders_that_are_named(work: Path, monkeypatch: pytest.MonkeyPatch):
    inner = work / "parts" / "k=1"
    monkeypatch.chdir(inner)
    with lb.open(work / "c.luma", files=[inner]) as bench:
        assert bench.kadeql("FROM 'a.parquet'").to_arrow().column_names == ["id", "name"]
        assert bench.kadeql("FROM '*.parquet'").to_arrow().column_names == ["id", "name"]


def test_settings_come_from_toml_and_environment(work: Path, monkeypatch: pytest.MonkeyPatch):
    with lb.open(work / "b.luma"):
        pass
    toml = work / "b.luma" / "luma.toml"
    toml.write_text(toml.read_text().replace("[settings]", '[settings]\nfiles = ["parts"]'))
    with lb.open(work / "b.luma", mode="r") as bench:
        assert bench.settings.files == ("parts",)
        with pytest.raises(KadeQLUnsupportedError):
            bench.kadeql("FROM 'all.csv'")
    monkeypatch.setenv("LUMA_FILES", "all.csv;https://host:8080/data")
    with lb.open(work / "b.luma", mode="r") as bench:
        assert bench.settings.files == ("all.csv", "https://host:8080/data")
        assert rows(bench.kadeql("SELECT count(*) FROM 'all.csv'")) == [(100,)]


def test_paths_count_from_where_the_bench_was_opened(
    bench: lb.Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert rows(bench.kadeql("SELECT count(*) FROM 'all.csv'")) == [(100,)]
    with pytest.raises(LumaError):
        bench.kadeql("FROM 'secret.csv'")


def test_past_and_read_only_benches_read_files(bench: lb.Bench, work: Path):
    assert rows(bench.at(bench.snapshot).kadeql("SELECT count(*) FROM 'all.csv'")) == [(100,)]
    with lb.open(work / "b.luma", mode="r") as reader:
        assert rows(reader.kadeql("SELECT count(*) FROM t JOIN 'all.csv' USING (id)")) == [(2,)]


def test_a_transaction_reads_files(bench: lb.Bench):
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t SELECT id, name FROM 'all.csv' WHERE id < 3")
        assert rows(tx.kadeql("SELECT count(*) FROM t JOIN 'all.parquet' USING (id)")) == [(5,)]


@pytest.mark.parametrize(
    ("marked", "told"),
    [
        ("FROM «'al.csv'»", "There is no file"),
        ("FROM read_parquet(«'nothing*.parquet'»)", "No file matches"),
        ("SELECT «zz» FROM 'all.csv'", "no column 'zz'"),
        ("SELECT id,\n  «nme» FROM read_csv(['all.csv', 'all.csv.gz'])", "no column 'nme'"),
        ("SELECT 1 FROM 'all.csv' JOIN «nowhere» USING (id)", "no table 'nowhere'"),
    ],
)
def test_carets_stand_in_the_users_own_text(bench: lb.Bench, marked: str, told: str):
    start, end = marked.index("«"), marked.index("»") - 1
    with pytest.raises(KadeQLBindError, match=told) as caught:
        bench.kadeql(marked.replace("«", "").replace("»", ""))
    assert caught.value.span == (start, end)
    assert "__luma" not in str(caught.value)


def test_a_missing_file_names_its_neighbours(bench: lb.Bench):
    with pytest.raises(KadeQLBindError, match=r"Did you mean 'all\.csv'"):
        bench.kadeql("FROM 'al.csv'")


def test_a_broken_file_is_named_with_line_and_column(bench: lb.Bench, work: Path):
    (work / "bad.csv").write_text("a,b\n" + "1,2\n" * 40_000 + "x,3\n")
    with pytest.raises(KadeQLError, match=r"bad\.csv, line 40,002, column 'a'"):
        bench.kadeql("SELECT sum(a) FROM read_csv('bad.csv', columns = {'a': 'INTEGER', 'b': 'INTEGER'})")
    with pytest.raises(KadeQLError, match="No magic bytes"):
        bench.kadeql("FROM read_parquet('bad.csv')")


def test_names_with_quotes_and_brackets(bench: lb.Bench, work: Path):
    for name in ("o'brien.csv", "data [1].csv", "æøå.csv"):
        (work / name).write_text("a\n7\n")
        quoted = name.replace("'", "''")
        assert rows(bench.kadeql(f"SELECT a FROM '{quoted}'")) == [(7,)]
    (work / "st*r.csv").write_text("a\n7\n")
    with pytest.raises(KadeQLUnsupportedError, match="Rename"):
        bench.kadeql("FROM 'st*r.csv'")


def test_streams_and_frames_read_files(bench: lb.Bench):
    assert bench.stream("FROM 'all.csv' ORDER BY id").read_all().num_rows == 100
    with pytest.raises(KadeQLUnsupportedError):
        bench.stream("FROM '../secret.csv'")


def test_many_statements_over_many_files(bench: lb.Bench, work: Path):
    """More databases than are kept, and the same one again."""
    for number in range(12):
        (work / f"f{number}.csv").write_text(f"a\n{number}\n")
    for number in (*range(12), 3, 3, 11):
        assert rows(bench.kadeql(f"SELECT a FROM 'f{number}.csv'")) == [(number,)]
    assert rows(bench.kadeql("SELECT count(*), sum(a) FROM 'f*.csv'")) == [(12, 66)]
