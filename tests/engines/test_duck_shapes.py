"""Every shape of SQL gives over pinned sources what it gives over DuckDB's own tables."""

from __future__ import annotations

import decimal
from collections.abc import Iterable

import duckdb
import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.engines.duck import DuckEngine
from luma_bench.plan.engine import Inputs, SqlFragment

N = 400
TRADES = pa.table({
    "id": pa.array(range(N), pa.int64()),
    "sym": pa.array([("AAA", "BBB", "CCC", None)[i % 4] for i in range(N)]),
    "ts": pa.array([i * 7_000_000 for i in range(N)], pa.timestamp("us")),
    "price": pa.array([None if i % 11 == 0 else (i * 37 % 101) / 4 for i in range(N)], pa.float64()),
    "qty": pa.array([i % 13 for i in range(N)], pa.int32()),
})  # fmt: skip
QUOTES = pa.table({
    "sym": pa.array([("AAA", "BBB", "CCC")[i % 3] for i in range(300)]),
    "ts": pa.array([i * 9_000_000 + 500 for i in range(300)], pa.timestamp("us")),
    "bid": pa.array([(i * 53 % 97) / 8 for i in range(300)]),
})  # fmt: skip
EDGES = pa.table({"src": pa.array([1, 2, 3, 4, 2, 6]), "dst": pa.array([2, 3, 4, 1, 5, 7])})

SHAPES = {
    "cte": "WITH c AS (SELECT sym, qty FROM trades WHERE qty > 3) SELECT sym, sum(qty) AS q FROM c GROUP BY sym",
    "materialized cte twice": "WITH c AS MATERIALIZED (SELECT * FROM trades WHERE qty < 5) SELECT a.id, b.id AS b FROM c a JOIN c b ON a.id = b.id + 13",
    "not materialized": "WITH c AS NOT MATERIALIZED (SELECT id, sym FROM trades) SELECT count(*) AS n FROM c a, c b WHERE a.id = b.id AND a.sym = 'AAA'",
    "lateral": "SELECT t.id, l.m FROM trades t, LATERAL (SELECT max(bid) AS m FROM quotes q WHERE q.sym = t.sym AND q.ts <= t.ts) l WHERE t.id < 40",
    "pivot": "PIVOT trades ON sym USING sum(qty) GROUP BY qty",
    "pivot in": "SELECT * FROM trades PIVOT (sum(qty) FOR sym IN ('AAA', 'BBB')) WHERE id < 30",
    "unpivot": "SELECT * FROM (UNPIVOT (SELECT id, price, qty::DOUBLE AS qty FROM trades) ON price, qty) WHERE id < 25",
    "asof": "SELECT t.id, q.bid FROM trades t ASOF LEFT JOIN quotes q ON t.sym = q.sym AND t.ts >= q.ts",
    "correlated": "SELECT id FROM trades t WHERE price > (SELECT avg(price) FROM trades u WHERE u.sym = t.sym)",
    "window": "SELECT id, row_number() OVER (PARTITION BY sym ORDER BY ts) AS r, sum(qty) OVER (ORDER BY id ROWS 3 PRECEDING) AS s FROM trades",
    "qualify": "SELECT sym, id FROM trades QUALIFY row_number() OVER (PARTITION BY sym ORDER BY price DESC NULLS LAST, id) <= 2",
    "exists": "SELECT id FROM trades t WHERE EXISTS (SELECT 1 FROM quotes q WHERE q.sym = t.sym AND q.bid > 12)",
    "not in": "SELECT id FROM trades WHERE sym NOT IN (SELECT sym FROM quotes WHERE bid > 1000) AND id < 50",
    "self join": "SELECT a.id, b.id AS other FROM trades a JOIN trades b ON a.qty = b.qty AND a.id < b.id WHERE a.id < 30 AND b.id < 60",
    "union": "SELECT sym FROM trades UNION SELECT sym FROM quotes",
    "union all by name": "SELECT sym, qty FROM trades UNION ALL BY NAME SELECT sym, bid FROM quotes",
    "except": "SELECT sym FROM trades EXCEPT SELECT sym FROM quotes",
    "recursive": "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT dst FROM edges, r WHERE src = n) SELECT n FROM r",
    "recursive using key": "WITH RECURSIVE r(n, d) USING KEY (n) AS (SELECT 1, 0 UNION SELECT dst, d + 1 FROM edges, r WHERE src = n AND d < 4) SELECT n FROM r",
    "grouping sets": "SELECT sym, qty % 2 AS o, count(*) AS n FROM trades GROUP BY GROUPING SETS ((sym), (qty % 2), ())",
    "rollup": "SELECT sym, qty, sum(price) AS p FROM trades WHERE qty < 3 GROUP BY ROLLUP (sym, qty)",
    "filter": "SELECT count(*) FILTER (WHERE qty > 6) AS a, sum(price) FILTER (sym = 'AAA') AS b FROM trades",
    "lists": "SELECT sym, list(id ORDER BY id DESC)[1:3] AS ids, struct_pack(n := count(*), q := max(qty)) AS s FROM trades GROUP BY sym",
    "from first": "FROM trades SELECT sum(qty) AS q WHERE sym IS NULL",
    "summarize": "SUMMARIZE SELECT id, qty FROM trades",
    "describe": "DESCRIBE trades",
    "show": "SHOW trades",
    "describe query": "DESCRIBE SELECT sum(qty) AS q, any_value(ts) AS a FROM trades",
    "semi join": "SELECT id FROM trades SEMI JOIN quotes USING (sym)",
    "anti join": "SELECT id FROM trades ANTI JOIN quotes USING (sym)",
    "full join": "SELECT t.id, q.ts FROM trades t FULL JOIN quotes q ON t.ts = q.ts WHERE coalesce(t.id, 0) < 20",
    "positional": "SELECT t.id, q.bid FROM (SELECT id FROM trades WHERE id < 5) t POSITIONAL JOIN (SELECT bid FROM quotes LIMIT 5) q",
    "top n": "SELECT id, price FROM trades ORDER BY price DESC NULLS LAST, id LIMIT 7 OFFSET 3",
    "values": "SELECT v.a, t.id FROM (VALUES (3), (5)) v(a) JOIN trades t ON t.id = v.a",
    "columns": "SELECT COLUMNS('^q') FROM trades WHERE id < 9",
    "distinct on": "SELECT DISTINCT ON (sym) sym, id FROM trades ORDER BY sym, id",
    "time bucket": "SELECT time_bucket(INTERVAL 5 MINUTE, ts) AS b, count(*) AS n FROM trades GROUP BY b",
    "nested subqueries": "SELECT (SELECT max(bid) FROM quotes q WHERE q.sym = x.sym) AS m, x.* FROM (SELECT DISTINCT sym FROM trades) x",
    "case sensitivity": "SELECT ID, Sym FROM TRADES WHERE QTY = 3",
    "empty": "SELECT * FROM trades WHERE id < 0",
    "case": "SELECT CASE WHEN qty BETWEEN 2 AND 4 THEN 'mid' ELSE sym END AS c, count(*) AS n FROM trades GROUP BY c",
    "cross": "SELECT count(*) AS n FROM edges a, edges b, edges c",
    "table": "TABLE edges",
    "quoted": 'SELECT "trades"."id" FROM main."trades" WHERE "id" = 7',
    "or of columns": "SELECT id FROM trades WHERE (qty = 3 OR sym = 'AAA') AND NOT (id BETWEEN 20 AND 300)",
}


def plain(value: object) -> object:
    """Whole decimals (a sum of integers) as the int that DuckDB's own Python values have."""
    if isinstance(value, decimal.Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def multiset(rows: Iterable[Iterable[object]]) -> list[str]:
    return sorted(repr([plain(value) for value in row]) for row in rows)


@pytest.fixture(scope="module")
def native() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1, "arrow_lossless_conversion": True})
    for name, table in (("trades", TRADES), ("quotes", QUOTES), ("edges", EDGES)):
        con.register("given", table)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    return con


@pytest.mark.parametrize("shape", SHAPES)
def test_gives_what_native_tables_give(engine: DuckEngine, native: duckdb.DuckDBPyConnection, shape: str):
    text = SHAPES[shape]
    sources = {"trades": ArrowSource(TRADES), "quotes": ArrowSource(QUOTES), "edges": ArrowSource(EDGES)}
    got = engine.run(SqlFragment(text), Inputs(sources))
    expected = native.sql(text)
    names, rows = expected.columns, expected.fetchall()
    assert got.column_names == names
    assert multiset(zip(*(column.to_pylist() for column in got.columns), strict=True)) == multiset(rows)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stream_gives_what_a_run_gives(hook_engine: DuckEngine, shape: str):
    def sources() -> Inputs:
        return Inputs(
            {"trades": ArrowSource(TRADES), "quotes": ArrowSource(QUOTES), "edges": ArrowSource(EDGES)}
        )

    whole = hook_engine.run(SqlFragment(SHAPES[shape]), sources())
    stream = hook_engine.stream(SqlFragment(SHAPES[shape]), sources())
    assert stream.schema == whole.schema
    assert sorted(map(repr, stream.read_all().to_pylist())) == sorted(map(repr, whole.to_pylist()))


def test_explain_shows_the_plan_and_no_inner_names(engine: DuckEngine):
    for text in (
        "EXPLAIN SELECT * FROM trades WHERE id = 3",
        "EXPLAIN ANALYZE SELECT sum(qty) FROM trades",
        "EXPLAIN (FORMAT json) FROM trades",
    ):
        plan = engine.run(SqlFragment(text), Inputs({"trades": ArrowSource(TRADES)})).to_pylist()
        assert "__luma" not in str(plan)
