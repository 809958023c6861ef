"""Files, a bench beside them and the texts over them, for the tests of files in queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pytest

import luma_bench as lb

ROWS = pa.table({"id": pa.array(range(100), pa.int64()), "name": [f"n{n % 7}" for n in range(100)]})


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with files of every kind, and a file beside it that nobody may read."""
    (tmp_path / "secret.csv").write_text("password\nhunter2\n")
    here = tmp_path / "work"
    (here / "parts" / "k=1").mkdir(parents=True)
    (here / "parts" / "k=2").mkdir()
    monkeypatch.chdir(here)
    con = duckdb.connect()
    con.register("given", ROWS)
    for ending in ("parquet", "csv", "json"):
        con.execute(f"COPY given TO 'all.{ending}'")
    con.execute("COPY given TO 'lines.ndjson' (FORMAT json)")
    con.execute("COPY given TO 'all.csv.gz'")
    for part in (1, 2):
        con.execute(f"COPY (FROM given WHERE id % 2 = {part - 1}) TO 'parts/k={part}/a.parquet'")
    feather.write_feather(ROWS, "packed.feather", compression="zstd")
    with pa.OSFile("stream.arrows", "wb") as sink, pa.ipc.new_stream(sink, ROWS.schema) as writer:
        writer.write_table(ROWS, 30)
    with pa.OSFile("plain.arrow", "wb") as sink, pa.ipc.new_file(sink, ROWS.schema) as writer:
        writer.write_table(ROWS, 30)
    return here


@pytest.fixture
def bench(work: Path) -> Iterator[lb.Bench]:
    with lb.open(work / "b.luma", threads=2) as opened:
        opened.write("t", {"id": [3, 5, 200], "w": ["x", "y", "z"]})
        yield opened


def rows(result: Any) -> list[tuple[Any, ...]]:
    table = result.to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


SAME = [
    "SELECT * FROM 'all.parquet' ORDER BY id",
    "FROM 'all.csv' WHERE id BETWEEN 3 AND 9",
    "SELECT \"all\".name, count(*) FROM 'all.json' GROUP BY 1 ORDER BY 1",
    "SELECT f.id FROM './all.csv' AS f JOIN 'all.parquet' g USING (id) WHERE f.name = 'n2' ORDER BY 1",
    "SELECT count(*), sum(k) FROM 'parts/*/*.parquet'",
    "SELECT count(*), sum(k) FROM 'parts/**/*.parquet'",
    "SELECT id, k FROM read_parquet('parts/*/a.parquet', hive_partitioning = true) ORDER BY id LIMIT 3",
    "FROM read_parquet('parts/*/a.parquet', hive_partitioning = false) ORDER BY id LIMIT 3",
    "SELECT * FROM read_csv(['all.csv', 'all.csv.gz'], header = true, union_by_name = true) ORDER BY id, name LIMIT 5",
    "SELECT * FROM read_csv('all.csv', columns = {'a': 'INTEGER', 'b': 'VARCHAR'}, skip = 1, header = false) ORDER BY a",
    "SELECT * FROM read_ndjson('lines.ndjson') ORDER BY id",
    "SELECT count(*) FROM read_json_objects('lines.ndjson')",
    "SELECT size, content[:7] FROM read_text('all.csv')",
    "SELECT octet_length(content) FROM read_blob('all.csv')",
    "SELECT type, num_children FROM parquet_schema('all.parquet')",
    "SELECT sum(row_group_num_rows) FROM parquet_metadata('all.parquet')",
    "SELECT Delimiter, HasHeader FROM sniff_csv('all.csv')",
    "WITH f AS (FROM 'all.csv') SELECT max(id) FROM f",
    "SELECT (SELECT max(id) FROM 'all.csv') AS m, EXISTS (FROM 'all.parquet' WHERE id = 7)",
    "SELECT * FROM (VALUES (1), (2)) v(x), LATERAL (SELECT count(*) AS c FROM 'all.csv' WHERE id < x) ORDER BY 1",
    "SUMMARIZE 'all.csv'",
    "DESCRIBE 'all.csv'",
    "FROM (DESCRIBE 'all.parquet')",
    "TABLE 'all.csv'",
    "PIVOT 'all.csv' ON name USING count(*)",
    "SELECT x.id FROM x: 'all.csv' ORDER BY 1 DESC LIMIT 2",
    "SELECT u FROM 'all.csv' t(u, v) ORDER BY u LIMIT 2",
    "FROM 'all.csv' UNION ALL FROM 'all.parquet' ORDER BY id, name LIMIT 4",
    "SELECT count(*) FROM 'all.csv', 'all.parquet'",
]


REFUSED = [
    "FROM «'../secret.csv'»",
    "FROM read_csv(«'{secret}'»)",
    "FROM read_text(«['all.csv', '../secret.csv']»)",
    "FROM read_text(«'parts/../../secret.csv'»)",
    "FROM read_text(«'/etc/passwd'»)",
    "FROM read_text(«'/proc/self/environ'»)",
    "FROM read_text(«'/dev/stdin'»)",
    "FROM read_blob(«'~root/.bashrc'»)",
    "FROM glob(«'../*'»)",
    "FROM glob(«'/*'»)",
    "FROM «'../*.csv'»",
    "FROM read_text(«'file://{secret}'»)",
    "FROM «'https://127.0.0.1:9/x.csv'»",
    "FROM «'s3://bucket/x.parquet'»",
    "FROM read_parquet(«'b.luma/segments/**'»)",
    "FROM read_blob(«'b.luma/catalog.sqlite'»)",
    "FROM read_text(«'b.luma/luma.toml'»)",
    "FROM glob(«'b.luma/*'»)",
    "FROM read_text(«'link.csv'»)",
    "FROM read_text(«'folder_link/secret.csv'»)",
    "FROM read_csv(«'pipe.csv'»)",
    "FROM read_csv(«'parts'»)",
    "FROM read_csv(«'parts' || '/x'»)",
    "FROM read_csv(«lower('ALL.CSV')»)",
    "FROM read_csv(«(SELECT 'all.csv')»)",
    "FROM (VALUES ('all.csv')) v(p), read_csv(«v.p»)",
    "SELECT «read_text»('all.csv')",
    "FROM main.«read_csv»('all.csv')",
    "FROM read_csv('all.csv', «store_rejects» = true)",
    "FROM read_arrow('plain.arrow'«, x = 1»)",
    "FROM «'README.md'»",
    "EXPLAIN FROM read_text(«'{secret}'»)",
    "WITH q AS (FROM read_text(«'{secret}'»)) FROM q",
    "SELECT (SELECT content FROM read_text(«'{secret}'»))",
    "SUMMARIZE «'../secret.csv'»",
    "DESCRIBE «'../secret.csv'»",
    "INSERT INTO t SELECT 1, content FROM read_text(«'{secret}'»)",
    "CREATE TABLE x AS FROM read_text(«'{secret}'»)",
    "DELETE FROM t WHERE w IN (SELECT content FROM read_text(«'{secret}'»))",
]
