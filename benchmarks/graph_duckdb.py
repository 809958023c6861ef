"""DuckDB's side of `make bench-graph`: the same tables in its own storage, and patterns written as joins."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.graph_data import Graph

JOINS, INDEXED = "duckdb joins", "duckdb joins, index"

TWO_HOPS = (
    "SELECT e2.d AS c, count(*) AS k FROM e e1 JOIN v b ON b.id = e1.d JOIN e e2 ON e2.s = e1.d "
    "WHERE e1.s = $start AND b.age > 40 GROUP BY 1"
)
TAGS = (
    "SELECT h.tag AS t, count(*) AS k FROM knows n JOIN likes l ON l.p = n.b JOIN post m ON m.id = l.post "
    "JOIN hastag h ON h.post = m.id WHERE n.a = $start AND m.day >= 500 GROUP BY 1"
)
ALL_TWO_HOPS = (
    "SELECT sum(i.k * o.k)::BIGINT FROM (SELECT d, count(*) AS k FROM e GROUP BY 1) i "
    "JOIN (SELECT s, count(*) AS k FROM e GROUP BY 1) o ON i.d = o.s JOIN v b ON b.id = i.d WHERE b.age > 40"
)
TRIANGLES = "SELECT count(*) FROM o a JOIN o b ON a.d = b.s JOIN o c ON c.s = a.s AND c.d = b.d"
_ORIENTED = """
CREATE TABLE o AS
WITH pairs AS (SELECT DISTINCT least(s, d) AS a, greatest(s, d) AS b FROM e WHERE s <> d),
     degrees AS (SELECT v, count(*) AS k FROM (SELECT a AS v FROM pairs UNION ALL SELECT b FROM pairs) GROUP BY v)
SELECT CASE WHEN (da.k, a) < (db.k, b) THEN a ELSE b END AS s, CASE WHEN (da.k, a) < (db.k, b) THEN b ELSE a END AS d
FROM pairs JOIN degrees da ON da.v = a JOIN degrees db ON db.v = b ORDER BY s, d
"""


def loaded(graph: Graph, threads: int, *, indexed: bool = False) -> duckdb.DuckDBPyConnection:
    """The tables of a graph in memory, edges sorted by where they begin; `indexed` by an index on that, and on `v.id`."""
    con = duckdb.connect(config={"threads": threads, "python_enable_replacements": False})
    for name, file in graph.files.items():
        order = "ORDER BY ALL" if name in ("e", "knows", "likes", "hastag") else ""
        con.execute(f"CREATE TABLE {name} AS FROM read_parquet('{file}') {order}")
    if indexed:
        con.execute("CREATE INDEX edges_by_source ON e (s)")
        con.execute("CREATE UNIQUE INDEX vertices_by_id ON v (id)")
    return con


def orient(con: duckdb.DuckDBPyConnection) -> None:
    """Make table `o`: each pair of neighbours once, from the one with fewer of them."""
    con.execute(_ORIENTED)


def reached(start: int, hops: int, *, itself: bool = False) -> str:
    """The text that counts the vertices within so many edges: levels of distinct vertices, joined on; `itself` counts `start`."""
    level = f"(SELECT DISTINCT d AS v FROM e WHERE s = {start})"
    levels = [level]
    for _ in range(hops - 1):
        level = f"(SELECT DISTINCT e.d AS v FROM {level} x JOIN e ON e.s = x.v)"
        levels.append(level)
    whole = " UNION ALL ".join(f"FROM {one}" for one in levels)
    others = "" if itself else f" WHERE v <> {start}"
    return f"SELECT count(DISTINCT v) FROM ({whole}){others}"


def rows(con: duckdb.DuckDBPyConnection, text: str, **params: Any) -> pa.Table:
    """All rows of an answer."""
    return con.sql(text, params=params or None).to_arrow_table()


def number(con: duckdb.DuckDBPyConnection, text: str) -> int:
    """The only value of an answer."""
    return int(con.execute(text).fetchall()[0][0])
